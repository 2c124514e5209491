"""The quadratic integrate-and-fire neuron."""

from __future__ import annotations

from collections.abc import Mapping

from spikesim.description.distributions import Value
from spikesim.description.dynamics import Upswing
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in
from spikesim.description.receptors import Receptor


def quadratic(rest: str, unstable: str) -> Upswing:
    """Of models in which dv/dt grows as the square of v: linear below rest, 1 / v far above."""
    y = f"((2 * v - {rest} - {unstable}) / (abs({unstable} - {rest}) + 1))"
    return Upswing(
        to=f"sqrt(1 + {y}**2) - {y}",
        back=f"({rest} + {unstable} + (abs({unstable} - {rest}) + 1) * (1 / x - x) / 2) / 2",
        slope=f"-4 * x**2 / (1 + x**2) / (abs({unstable} - {rest}) + 1)",
        stride="1 / 4",
        above=f"max({rest}, {unstable})",
        steep=f"(abs({unstable} - {rest}) + 1) / 4",
    )


@built_in(
    equations="""
        upswing = (v - e_l) * (v - v_t) / (tau_m * (v_t - e_l))
        dv/dt = upswing + (i_syn + i_offset) / c_m : mV""",
    threshold="v >= v_peak",
    reset="v = v_reset",
    refractory="t_ref",
    hold=("v",),
    initial={"v": "e_l"},
    upswing=quadratic("e_l", "v_t"),
    method="rk2",
    current="i_offset",
)
def QIF(
    *,
    tau_m: Value = "10 ms",
    c_m: Value = "200 pF",
    e_l: Value = "-65 mV",
    v_t: Value = "-50 mV",
    v_reset: Value = "-80 mV",
    v_peak: Value = "20 mV",
    t_ref: Value = "0 ms",
    i_offset: Value = "0 pA",
    receptors: Mapping[str, Receptor] | None = None,
    method: str | None = None,
) -> NeuronModel:
    """Quadratic integrate-and-fire neuron.

    dv/dt = (v - e_l) (v - v_t) / (tau_m (v_t - e_l)) + (i_syn + i_offset) / c_m; a spike where
    v >= v_peak sets v to v_reset and holds it there for t_ref.

    Integrated by rk2, and through spikes within a step, as `AdEx`.

    Parameters
    ----------
    tau_m, t_ref : ms
        Time constant at rest; refractory time.
    c_m : pF
    e_l, v_t, v_reset, v_peak : mV
        Resting potential, the unstable point above it, reset, and where the upswing is cut off.
    i_offset : pA
        Constant current.
    receptors : mapping of name to receptor
        Default: "exc" and "inh", exponential currents of 5 and 10 ms.
    method : str
        Any of `NeuronModel` but "exact". Default: "rk2".

    References
    ----------
    Latham PE, Richmond BJ, Nelson PG, Nirenberg S (2000). Intrinsic dynamics in neuronal networks.
    I. Theory. J Neurophysiol 83:808.
    """
