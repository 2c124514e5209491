"""NIR's nodes with a state as layers of a step-by-step network, by a framework's rules."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from spikesim.conversion.nir.nodes import Node
from spikesim.conversion.nir.rules import NIRRules
from spikesim.conversion.steps.neuron import StepFilter, StepNeuron


def neurons(node: Node, size: int, rules: NIRRules) -> StepNeuron:
    """The layer of a node that spikes."""
    v = _values(node, size)
    if node.kind == "Threshold":
        return StepNeuron(
            size,
            keep=0.0,
            threshold=v["threshold"],
            strict=rules.strict,
            reset="none",
            spikes_late=rules.spikes_late,
        )
    settings: dict[str, Any] = {}
    late = rules.reset_late
    if node.kind == "IF":
        settings["gain"] = _integration(v["r"], rules)
    else:
        tau = v["tau" if node.kind == "LIF" else "tau_mem"]
        settings["keep"], settings["gain"] = _leak(node, tau, v["r"], rules)
        settings["rest"] = v["v_leak"]
    if node.kind == "CubaLIF":
        settings["synapse_keep"], settings["synapse_gain"] = _synapse(node, v, rules)
        late = late if rules.cuba_reset_late is None else rules.cuba_reset_late
    return StepNeuron(
        size,
        threshold=v["v_threshold"],
        strict=rules.strict,
        reset=rules.reset,
        reset_to=v.get("v_reset", 0.0),
        reset_late=late,
        refractory=int(np.floor(rules.refractory / rules.dt + 0.5)),
        spikes_late=rules.spikes_late,
        most_spikes=rules.most_spikes,
        start=_start(v, rules),
        **settings,
    )


def filters(node: Node, size: int, rules: NIRRules) -> list[StepFilter]:
    """The layers of a node that does not spike, one after the other."""
    v = _values(node, size)
    if node.kind == "I":
        return [StepFilter(size, keep=1.0, gain=_integration(v["r"], rules))]
    tau = v["tau" if node.kind == "LI" else "tau_mem"]
    keep = _keep(node, tau, rules)
    made = StepFilter(
        size,
        keep=keep,
        gain=v["r"] * (1 - keep),
        rest=v["v_leak"],
        start=_start(v, rules),
    )
    if node.kind == "LI":
        return [made]
    keep, gain = _synapse(node, v, rules)
    return [StepFilter(size, keep=keep, gain=gain), made]


def _values(node: Node, size: int) -> Mapping[str, np.ndarray]:
    """Arrays of a node, flat; a NIR without v_reset means 0, without w_in 1."""
    given = {"w_in": np.array(1.0), **node.values}
    return {
        name: np.broadcast_to(value.ravel() if value.size > 1 else value.reshape(()), size)
        for name, value in given.items()
        if isinstance(value, np.ndarray)
    }


def _start(v: Mapping[str, np.ndarray], rules: NIRRules) -> np.ndarray | float:
    return v.get({"zero": "", "leak": "v_leak", "reset": "v_reset"}[rules.start], 0.0)


def _keep(node: Node, tau: np.ndarray, rules: NIRRules) -> np.ndarray:
    """What is kept in a step, of a stored time constant."""
    if (tau <= 0).any():
        raise ValueError(f"{node}: a time constant is {tau.min():g}; it must be above 0.")
    ratio = rules.dt**2 / tau if rules.tau_times_dt else rules.dt / tau
    if rules.decay == "exact":
        return np.exp(-ratio)
    if (ratio > 1 + 1e-6).any():
        raise ValueError(
            f"{node}: a time constant is {rules.dt / ratio.max():g} s, below dt = {rules.dt:g} s; "
            "by Euler steps it must not be: give the dt with which the graph was written."
        )
    return 1 - ratio


def _leak(
    node: Node, tau: np.ndarray, r: np.ndarray, rules: NIRRules
) -> tuple[np.ndarray, np.ndarray | float]:
    keep = _keep(node, tau, rules)
    return keep, 1.0 if rules.gain == "one" else r * (1 - keep)


def _synapse(
    node: Node, v: Mapping[str, np.ndarray], rules: NIRRules
) -> tuple[np.ndarray, np.ndarray]:
    keep = _keep(node, v["tau_syn"], rules)
    share = {"w_in (1 - k)": 1 - keep, "w_in": 1.0, "w_in k": keep}[rules.synapse]
    return keep, v["w_in"] * share


def _integration(r: np.ndarray, rules: NIRRules) -> np.ndarray:
    return r * rules.dt if rules.integration == "r dt" else r
