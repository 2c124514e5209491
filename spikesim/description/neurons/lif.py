"""Leaky integrate-and-fire neurons, without and with adaptation."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in, linear_method
from spikesim.description.receptors import Receptor


@built_in(
    equations="dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m : mV",
    threshold="v >= v_th",
    reset="v = v_reset",
    refractory="t_ref",
    hold=("v",),
    initial={"v": "e_l"},
    method=linear_method,
    current="i_offset",
)
def LIF(
    *,
    tau_m: Value = "20 ms",
    c_m: Value = "200 pF",
    e_l: Value = "-65 mV",
    v_th: Value = "-50 mV",
    v_reset: Value = "-65 mV",
    t_ref: Value = "2 ms",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Leaky integrate-and-fire neuron.

    dv/dt = (e_l - v) / tau_m + (i_syn + i_offset) / c_m; a spike where v >= v_th sets v to v_reset
    and holds it there for t_ref.

    With current-based receptors (`Delta`, `Exponential`, `Alpha`, `DoubleExponential`) it is
    integrated exactly (Rotter & Diesmann 1999); with `Conductance` receptors by the exponential
    Euler method, than which ``method="exponential_midpoint"`` is more accurate.

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
    method : str
        Any of `NeuronModel`, "exact" with currents alone. Default: "exact", with `Conductance`
        receptors "exponential_euler"; "exponential_midpoint" is then the more accurate.
    """


@built_in(
    equations="""
        dv/dt = (e_l - v) / tau_m + (i_syn + i_offset - w) / c_m : mV
        dw/dt = (a * (v - e_l) - w) / tau_w : pA""",
    threshold="v >= v_th",
    reset="v = v_reset; w += b",
    refractory="t_ref",
    hold=("v",),
    initial={"v": "e_l"},
    method=linear_method,
    current="i_offset",
)
def AdaptiveLIF(
    *,
    tau_m: Value = "20 ms",
    c_m: Value = "200 pF",
    e_l: Value = "-65 mV",
    v_th: Value = "-50 mV",
    v_reset: Value = "-65 mV",
    t_ref: Value = "2 ms",
    tau_w: Value = "144 ms",
    a: Value = "0 nS",
    b: Value = "40 pA",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Leaky integrate-and-fire neuron with an adaptation current.

    dv/dt = (e_l - v) / tau_m + (i_syn + i_offset - w) / c_m, tau_w dw/dt = a (v - e_l) - w; a spike
    where v >= v_th sets v to v_reset, holds it there for t_ref, and adds b to w.

    Integrated exactly, or with `Conductance` receptors by the exponential Euler method, as `LIF`.

    Parameters
    ----------
    tau_m, tau_w, t_ref : ms
    c_m : pF
    e_l, v_th, v_reset : mV
        Resting, threshold and reset potential.
    a : nS
        Coupling of the adaptation to the potential.
    b, i_offset : pA
        Adaptation at a spike; constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel`, "exact" with currents alone. Default: "exact", with `Conductance`
        receptors "exponential_euler"; "exponential_midpoint" is then the more accurate.

    References
    ----------
    Gerstner W, Kistler WM, Naud R, Paninski L (2014). Neuronal Dynamics, chapter 6. Cambridge
    University Press.
    """
