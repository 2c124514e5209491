"""Izhikevich's simple model, in its own units and in physical ones."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in, pulse
from spikesim.description.neurons.qif import quadratic
from spikesim.description.receptors import Receptor


@built_in(
    equations="""
        dv/dt = 0.04 * v**2 + 5 * v + 140 - u + i_syn + i_offset : mV
        du/dt = a * (b * v - u)""",
    threshold="v >= 30",
    reset="v = c; u += d",
    initial={"v": "c", "u": "b * c"},
    receptors=pulse,
    method="v += dt / 2 * dv; v += dt / 2 * dv; u += dt * du",
    current="i_offset",
)
def Izhikevich(
    *,
    a: Value = "0.02",
    b: Value = "0.2",
    c: Value = "-65 mV",
    d: Value = "8",
    i_offset: Value = "0",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
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
    method : str
        Any of `NeuronModel` but "exact". Default: the scheme above.

    References
    ----------
    Izhikevich EM (2003). Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569.
    """


@built_in(
    equations="""
        dv/dt = (k * (v - v_r) * (v - v_t) - u + i_syn + i_offset) / c_m : mV
        du/dt = a * (b * (v - v_r) - u) : pA""",
    threshold="v >= v_peak",
    reset="v = c; u += d",
    initial={"v": "v_r"},
    upswing=quadratic("v_r", "v_t"),
    method="rk2",
    current="i_offset",
)
def Izhikevich2007(
    *,
    c_m: Value = "100 pF",
    k: Value = "0.7",
    v_r: Value = "-60 mV",
    v_t: Value = "-40 mV",
    v_peak: Value = "35 mV",
    a: Value = "0.03",
    b: Value = "-2 nS",
    c: Value = "-50 mV",
    d: Value = "100 pA",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Izhikevich's simple model in physical units (2007); the defaults fire regularly.

    c_m dv/dt = k (v - v_r) (v - v_t) - u + i_syn + i_offset, du/dt = a (b (v - v_r) - u); a spike
    where v >= v_peak sets v to c and adds d to u.

    Integrated by rk2, and through spikes within a step, as `AdEx`. At dt = 0.1 ms and a current of
    300 pA v is right to 0.03 mV after 22 spikes.

    Parameters
    ----------
    c_m : pF
    k : nS/mV
    v_r, v_t, v_peak, c : mV
        Resting potential, the unstable point above it, cut-off, and reset.
    a : 1/ms
    b : nS
    d, i_offset : pA
        Step of u at a spike; constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk2".

    References
    ----------
    Izhikevich EM (2007). Dynamical Systems in Neuroscience, chapter 8. MIT Press.
    """
