"""The built-in neuron models, written as a user would write them."""

from collections.abc import Mapping

from spikesim.model import Exponential, NeuronModel, Pulse, Receptor, Value


def LIF(
    *,
    tau_m: Value = 20.0,
    c_m: Value = 200.0,
    e_l: Value = -65.0,
    v_th: Value = -50.0,
    v_reset: Value = -65.0,
    t_ref: Value = 2.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
) -> NeuronModel:
    """Leaky integrate-and-fire neuron.

    dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m; a spike where v >= v_th sets v to v_reset
    and holds it there for t_ref.

    With current-based receptors (`Delta`, `Exponential`, `Alpha`, `DoubleExponential`) it is
    integrated exactly (Rotter & Diesmann 1999); with `Conductance` receptors by the exponential
    Euler method.

    Parameters
    ----------
    tau_m, t_ref : ms
    c_m : pF
    e_l, v_th, v_reset : mV
        Resting, threshold and reset potential.
    i_offset : pA
        Constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    """
    if receptors is None:
        receptors = {"exc": Exponential(5.0, "positive"), "inh": Exponential(10.0, "negative")}
    conductances = any(receptor.unit == "nS" for receptor in receptors.values())
    return NeuronModel(
        name="LIF",
        equations="dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m : mV",
        threshold="v >= v_th",
        reset="v = v_reset",
        refractory="t_ref",
        hold=("v",),
        parameters={
            "tau_m": "20 ms",
            "c_m": "200 pF",
            "e_l": "-65 mV",
            "v_th": "-50 mV",
            "v_reset": "-65 mV",
            "t_ref": "2 ms",
            "i_offset": "0 pA",
        },
        receptors=receptors,
        initial={"v": "e_l"},
        method="exponential_euler" if conductances else "",
        current="i_offset",
        values=dict(
            tau_m=tau_m,
            c_m=c_m,
            e_l=e_l,
            v_th=v_th,
            v_reset=v_reset,
            t_ref=t_ref,
            i_offset=i_offset,
        ),
    )


def Izhikevich(
    *,
    a: Value = 0.02,
    b: Value = 0.2,
    c: Value = -65.0,
    d: Value = 8.0,
    i_offset: Value = 0.0,
    receptors: Mapping[str, Receptor] | None = None,
) -> NeuronModel:
    """Izhikevich's simple model (2003), with the scheme of its publication.

    dv/dt = 0.04 v^2 + 5 v + 140 - u + i_syn + i_offset, du/dt = a (b v - u); a spike where v >= 30
    sets v to c and adds d to u. In each step v takes two half steps, then u one with the new v;
    the published results are at dt = 1 ms.

    Parameters
    ----------
    a, b, d : dimensionless
    c : mV
    i_offset : dimensionless
        Constant input, in the model's unit (mV/ms).
    receptors : mapping of name to receptor
        Default: "pulse", a current of one step.

    References
    ----------
    Izhikevich EM (2003). Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569.
    """
    return NeuronModel(
        name="Izhikevich",
        equations="""
            dv/dt = 0.04 * v**2 + 5 * v + 140 - u + i_syn + i_offset : mV
            du/dt = a * (b * v - u) : 1""",
        threshold="v >= 30",
        reset="v = c; u += d",
        parameters={"a": "0.02", "b": "0.2", "c": "-65 mV", "d": "8", "i_offset": "0"},
        receptors={"pulse": Pulse("1")} if receptors is None else receptors,
        initial={"v": "c", "u": "b * c"},
        method="v += dt / 2 * dv; v += dt / 2 * dv; u += dt * du",
        current="i_offset",
        values=dict(a=a, b=b, c=c, d=d, i_offset=i_offset),
    )
