"""Step-by-step networks as NIR graphs."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import fields
from typing import Any

import numpy as np

from spikesim.conversion.nir.layers import filters, neurons
from spikesim.conversion.nir.nodes import Node
from spikesim.conversion.nir.rules import NIRRules, as_rules
from spikesim.conversion.steps.maps import StepMap
from spikesim.conversion.steps.network import StepNetwork
from spikesim.conversion.steps.neuron import StepFilter, StepNeuron

CLOSE = 1e-9  # of a number, how well it must come back


def package() -> Any:
    """The package ``nir``, or a sentence that says how to get it."""
    try:
        import nir
    except ImportError:
        raise ImportError(
            "nir is not installed; install it with: pip install 'spikesim[nir]'."
        ) from None
    return nir


def to_nir(network: StepNetwork, rules: str | NIRRules = "nir", **changes: Any) -> Any:
    """A step-by-step network as a NIR graph.

    Every number is such that `read_nir` with the same rules gives the network again. What NIR has
    no place for, such as a late or subtracting reset, must be as the rules have it: whoever reads
    the graph has to know them.

    Parameters
    ----------
    network : StepNetwork
    rules : str or NIRRules
        As `read_nir` takes them, with the network's dt in s.
    **changes
        Fields of `NIRRules`.

    Returns
    -------
    nir.NIRGraph
        Layers keep their names; a map is a Linear or Affine node "source->target", and a delay a
        Delay before it. Filters that hand on what arrives, and to which nothing else listens, are
        Output nodes; if there are none, the layers that give to nobody get one.

    Raises
    ------
    ImportError
        Without ``nir``.
    ValueError
        What NIR cannot hold, such as adaptation; or a setting that is not as the rules have it.
    """
    nir = package()
    rules = as_rules(rules, changes)
    if abs(1000 * rules.dt - network.dt) > CLOSE * network.dt:
        raise ValueError(
            f"rules have dt = {rules.dt:g} s and the network {network.dt:g} ms; they must be one."
        )
    for name in (*network.inputs, *network.layers):
        if not name or "/" in name:
            raise ValueError(
                f"{name!r} cannot be the name of a NIR node; it must not be empty or hold '/'."
            )
    nodes: dict[str, Any] = {
        name: nir.Input(input_type={"input": np.array([width])})
        for name, width in network.inputs.items()
    }
    edges: list[tuple[str, str]] = []
    for name, layer in network.layers.items():
        nodes[name] = _made(nir, _node(network, name, layer, rules))
    for each in network.maps:
        _add_map(nir, each, rules, nodes, edges)
    if not any(isinstance(node, nir.Output) for node in nodes.values()):
        for name in [n for n in network.layers if not any(a == n for a, _ in edges)] or [
            next(reversed(network.layers))
        ]:
            out = f"output_{name}" if "output" in nodes else "output"
            nodes[out] = nir.Output(output_type={"output": np.array([network.width(name)])})
            edges.append((name, out))
    return nir.NIRGraph(nodes, edges, type_check=False)


def write_nir(
    network: StepNetwork,
    path: str | os.PathLike,
    rules: str | NIRRules = "nir",
    *,
    overwrite: bool = False,
    **changes: Any,
) -> None:
    """Write a step-by-step network into a NIR file: see `to_nir`.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    graph = to_nir(network, rules, **changes)
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{os.fspath(path)} exists; give overwrite=True to replace it.")
    package().write(os.fspath(path), graph)


def _made(nir: Any, node: Node) -> Any:
    if node.kind == "Output":
        return nir.Output(output_type={"output": node.values["shape"]})
    return getattr(nir, node.kind)(**node.values)


def _node(network: StepNetwork, name: str, layer: StepNeuron | StepFilter, rules: NIRRules) -> Node:
    """The node that gives a layer again."""
    if isinstance(layer, StepNeuron):
        node = _of_neurons(name, layer, rules)
        found: Any = neurons(node, layer.size, rules)
    else:
        if _hands_on(layer) and not any(m.source == name for m in network.maps):
            return Node(name, "Output", {"shape": np.array([layer.size])})
        node = _of_filter(name, layer, rules)
        (found,) = filters(node, layer.size, rules)
    for field in fields(layer):
        wanted, given = getattr(layer, field.name), getattr(found, field.name)
        if not _alike(wanted, given, layer.size):
            raise ValueError(
                f"layer {name!r}: {field.name} is {_told(wanted)}; in a NIR graph by these rules "
                f"it would be {_told(given)}: NIR has no place for it, so it must be as the rules "
                "have it."
            )
    return node


def _alike(a: Any, b: Any, size: int) -> bool:
    if a is None or b is None or isinstance(a, str | bool):
        return a is b or (a == b if isinstance(a, str | bool) else False)
    one, other = (np.broadcast_to(np.asarray(x, float), size) for x in (a, b))
    return bool(np.allclose(one, other, rtol=CLOSE, atol=CLOSE))


def _told(value: Any) -> str:
    if isinstance(value, np.ndarray):
        return f"{value.min():g} to {value.max():g}"
    return repr(value)


def _hands_on(layer: StepFilter) -> bool:
    wanted = {"keep": 0.0, "gain": 1.0, "rest": 0.0}
    return all(np.all(np.asarray(getattr(layer, k)) == x) for k, x in wanted.items())


def _of_neurons(name: str, layer: StepNeuron, rules: NIRRules) -> Node:
    v = {k: np.broadcast_to(np.asarray(getattr(layer, k), float), layer.size) for k in _NEEDED}
    if layer.reset == "none" and layer.synapse_keep is None and not v["keep"].any():
        return Node(name, "Threshold", {"threshold": v["threshold"].copy()})
    values = {"v_threshold": v["threshold"].copy(), "v_reset": v["reset_to"].copy()}
    if layer.synapse_keep is None and (v["keep"] == 1).all() and not v["rest"].any():
        return Node(name, "IF", {"r": _integrated(v["gain"], rules), **values})
    told = f"layer {name!r}"
    tau, r = _tau(told, "keep", v["keep"], rules), _resistance(v["keep"], v["gain"], rules)
    if layer.synapse_keep is None:
        return Node(name, "LIF", {"tau": tau, "r": r, "v_leak": v["rest"].copy(), **values})
    keep = np.broadcast_to(np.asarray(layer.synapse_keep, float), layer.size)
    gain = np.broadcast_to(np.asarray(layer.synapse_gain, float), layer.size)
    share = {"w_in (1 - k)": 1 - keep, "w_in": np.ones(layer.size), "w_in k": keep}[rules.synapse]
    more = {"tau_mem": tau, "tau_syn": _tau(told, "synapse_keep", keep, rules), "r": r}
    more |= {"v_leak": v["rest"].copy(), "w_in": gain / share}
    return Node(name, "CubaLIF", {**more, **values})


_NEEDED = ("keep", "gain", "rest", "threshold", "reset_to")


def _of_filter(name: str, layer: StepFilter, rules: NIRRules) -> Node:
    v = {
        k: np.broadcast_to(np.asarray(getattr(layer, k), float), layer.size)
        for k in ("keep", "gain", "rest")
    }
    if (v["keep"] == 1).all() and not v["rest"].any():
        return Node(name, "I", {"r": _integrated(v["gain"], rules)})
    tau = _tau(f"layer {name!r}", "keep", v["keep"], rules)
    r = v["gain"] / (1 - v["keep"])
    return Node(name, "LI", {"tau": tau, "r": r, "v_leak": v["rest"].copy()})


def _tau(told: str, field: str, keep: np.ndarray, rules: NIRRules) -> np.ndarray:
    """The time constant that is stored for what a step keeps."""
    exact = rules.decay == "exact"
    fits = (keep < 1) & (keep > 0 if exact else keep >= 0)
    if not fits.all():
        raise ValueError(
            f"{told}: {field} is {_told(keep)}; a NIR node with a leak must keep less than 1 and "
            f"{'more than' if exact else 'at least'} 0."
        )
    tau = rules.dt / (-np.log(keep) if exact else 1 - keep)
    return tau * rules.dt if rules.tau_times_dt else tau


def _resistance(keep: np.ndarray, gain: np.ndarray, rules: NIRRules) -> np.ndarray:
    return np.ones(keep.size) if rules.gain == "one" else gain / (1 - keep)


def _integrated(gain: np.ndarray, rules: NIRRules) -> np.ndarray:
    return gain / rules.dt if rules.integration == "r dt" else gain.copy()


def _add_map(
    nir: Any,
    given: StepMap,
    rules: NIRRules,
    nodes: dict[str, Any],
    edges: list[tuple[str, str]],
) -> None:
    """Nodes and edges of a map: for each of its delays a Delay, if there is one, and a matrix."""
    bias = np.broadcast_to(given.bias, given.weights.shape[0]).astype(float)
    parts = given.parts or [(given.shortest, given.weights)]
    for number, (steps, weights) in enumerate(parts):
        source = given.source
        name = _free(f"{given.source}->{given.target}", nodes)
        if given.source == given.target and steps == 1 and not rules.spikes_late:
            steps = 0  # what a layer gives to itself takes a step by itself
        if steps:
            nodes[f"{name} delay"] = nir.Delay(
                delay=np.full(given.weights.shape[1], steps * rules.dt)
            )
            edges.append((source, f"{name} delay"))
            source = f"{name} delay"
        if number == 0 and bias.any():
            nodes[name] = nir.Affine(weight=weights.toarray(), bias=bias)
        else:
            nodes[name] = nir.Linear(weight=weights.toarray())
        edges += [(source, name), (name, given.target)]


def _free(name: str, nodes: Mapping[str, Any]) -> str:
    free, n = name, 2
    while free in nodes:
        free, n = f"{name}#{n}", n + 1
    return free
