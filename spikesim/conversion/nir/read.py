"""NIR graphs as step-by-step networks."""

from __future__ import annotations

import math
import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from scipy import sparse

from spikesim.conversion.nir.layers import filters, neurons
from spikesim.conversion.nir.linear import Shape, matrix, out_shape, own_shape
from spikesim.conversion.nir.nodes import FILTERS, NEURONS, Graph, Node, read_graph
from spikesim.conversion.nir.rules import NIRRules, as_rules
from spikesim.conversion.steps.maps import StepMap
from spikesim.conversion.steps.network import StepNetwork
from spikesim.conversion.steps.neuron import StepFilter, StepNeuron

ENDS = {"Input", "Output"} | NEURONS | FILTERS


@dataclass(frozen=True, eq=False)
class Signal:
    """What goes along an edge: a sum of matrices times what sources gave some steps ago."""

    terms: dict[tuple[str, int], sparse.csr_array]  # by source and delay
    bias: dict[int, np.ndarray]  # by the step from which on it is there

    def times(self, by: sparse.csr_array) -> Signal:
        return Signal(
            {key: by @ each for key, each in self.terms.items()},
            {late: by @ each for late, each in self.bias.items()},
        )

    def plus(self, other: Signal) -> Signal:
        terms, bias = dict(self.terms), dict(self.bias)
        for key, each in other.terms.items():
            terms[key] = terms[key] + each if key in terms else each
        for late, each in other.bias.items():
            bias[late] = bias[late] + each if late in bias else each
        return Signal(terms, bias)

    def after(self, steps: np.ndarray) -> Signal:
        """The same so many steps later, of each number of its own."""
        made = Signal({}, {})
        for late in np.unique(steps):
            chosen = sparse.csr_array(sparse.diags_array((steps == late).astype(float)))
            ours = self.times(chosen)
            made = made.plus(
                Signal(
                    {(source, d + int(late)): m for (source, d), m in ours.terms.items()},
                    {d + int(late): b for d, b in ours.bias.items()},
                )
            )
        return made


def read_nir(
    graph: str | os.PathLike | Any, rules: str | NIRRules = "nir", **changes: Any
) -> StepNetwork:
    """A NIR graph as a network for the engine.

    Nodes keep their names; those of a subgraph "a" are called "a.name". Nodes that spike become
    layers, linear nodes between them one map each; I, LI, CubaLI and Output become filters, a
    CubaLI's current under its name and ".i". A map of a layer onto itself takes a step at least,
    as in all frameworks. Whatever stands between Input and neurons is computed beforehand.

    Parameters
    ----------
    graph : path or nir.NIRGraph
        A path is read without the package ``nir``.
    rules : str or NIRRules
        How the framework takes a step: see `nir_rules`, whose names may be given.
    **changes
        Fields of `NIRRules`, such as ``dt`` (s).

    Returns
    -------
    StepNetwork
        Its dt is in ms.

    Raises
    ------
    ValueError, TypeError, FileNotFoundError
        What is no NIR graph; a node of an unknown kind, or with arrays that are missing, misshaped
        or not finite; shapes that do not fit or are not told; a circle without delay; what the
        engine cannot send (see `StepNetwork`).

    References
    ----------
    Pedersen JE, Abreu S, Jobst M, Lenz G, Fra V, Bauer FC, Muir DR, Zhou P, Vogginger B, Heckel K,
    Urgese G, Shankar S, Stewart TC, Sheik S, Eshraghian JK (2024). Neuromorphic intermediate
    representation: a unified instruction set for interoperable brain-inspired computing. Nat
    Commun 15:8122.
    """
    rules = as_rules(rules, changes)
    read = read_graph(graph)
    return _Reader(_beside(read) if rules.input_beside else read, rules).network()


def _beside(graph: Graph) -> Graph:
    """A graph in which what leads from outside into a recurrence's weights leads to its neurons."""
    edges = set(graph.edges)

    def to(a: str, b: str) -> str:
        if graph.nodes[a].kind != "Identity" or graph.nodes[b].kind not in ("Affine", "Linear"):
            return b
        return next((n for w, n in graph.edges if w == b and (n, b) in edges), b)

    return Graph(graph.nodes, [(a, to(a, b)) for a, b in graph.edges])


class _Reader:
    def __init__(self, graph: Graph, rules: NIRRules) -> None:
        self.graph, self.rules = graph, rules
        self.shapes = _shapes(graph)
        self.signals: dict[str, Signal] = {}
        self.under_way: list[str] = []

    def network(self) -> StepNetwork:
        inputs: dict[str, int] = {}
        layers: dict[str, StepNeuron | StepFilter] = {}
        maps: list[StepMap] = []
        for name, node in self.graph.nodes.items():
            size = math.prod(self.shapes[name])
            if node.kind == "Input":
                inputs[name] = size
            elif node.kind in NEURONS:
                layers[name] = neurons(node, size, self.rules)
                maps += self._maps(name, name)
            elif node.kind == "Output":
                layers[name] = StepFilter(size)
                maps += self._maps(name, name)
            elif node.kind in FILTERS:
                *first, layers[name] = filters(node, size, self.rules)
                if first:
                    layers[f"{name}.i"] = first[0]
                    maps.append(StepMap(f"{name}.i", name, sparse.eye_array(size)))
                maps += self._maps(name, f"{name}.i" if first else name)
        return StepNetwork(inputs, layers, maps, 1000 * self.rules.dt)

    def _maps(self, name: str, target: str) -> list[StepMap]:
        """What comes into a node with a state."""
        signal = self._into(name)
        late = next((d for d, b in signal.bias.items() if d and b.any()), None)
        if late is not None:
            raise ValueError(
                f"{self.graph.nodes[name]} gets a bias that a Delay makes {late} step(s) late; a "
                "Delay must stand before what adds a bias."
            )
        bias = signal.bias.get(0, 0.0)
        made = []
        for (source, delay), weights in signal.terms.items():
            if source == name:
                delay = max(delay, 0 if self.rules.spikes_late else 1)
            made.append(StepMap(source, target, weights, delay, bias if not made else 0.0))
        return made

    def _into(self, name: str) -> Signal:
        """The sum of what comes into a node."""
        total = Signal({}, {})
        for before in self.graph.before(name):
            total = total.plus(self._from(before))
        if not total.terms:
            raise ValueError(f"{self.graph.nodes[name]}: nothing comes in.")
        return total

    def _from(self, name: str) -> Signal:
        """What goes out of a node."""
        node = self.graph.nodes[name]
        if node.kind in ENDS:
            one = sparse.csr_array(sparse.eye_array(math.prod(self.shapes[name])))
            return Signal({(name, 0): one}, {})
        if name in self.under_way:
            circle = " -> ".join(map(repr, [*self.under_way[self.under_way.index(name) :], name]))
            raise ValueError(f"NIR: {circle} is a circle without a neuron; it must have one.")
        if name not in self.signals:
            self.under_way.append(name)
            self.signals[name] = self._through(node, self._into(name))
            self.under_way.pop()
        return self.signals[name]

    def _through(self, node: Node, signal: Signal) -> Signal:
        """What a linear node, or a Delay, makes of what comes in."""
        given = self.shapes[node.name]
        if node.kind == "Delay":
            delay = np.broadcast_to(node.values["delay"], given).ravel() / self.rules.dt
            steps = np.rint(delay).astype(np.int64)
            if (steps < 0).any() or np.abs(delay - steps).max() > 1e-3:
                raise ValueError(
                    f"{node}: delays run from {delay.min():g} to {delay.max():g} steps; they must "
                    f"be whole steps of dt = {self.rules.dt:g} s, 0 or more."
                )
            return signal.after(steps)
        weights, bias = matrix(node, given)
        made = signal.times(weights)
        return made if bias is None else made.plus(Signal({}, {0: bias}))


def _shapes(graph: Graph) -> dict[str, Shape]:
    """The shape of what comes into each node."""
    shapes: dict[str, Shape] = {}
    out: dict[str, Shape] = {}

    def find(ask: Callable[[str, Node], Shape | None]) -> bool:
        found = False
        for name, node in graph.nodes.items():
            if name not in shapes and (shape := ask(name, node)) is not None:
                shapes[name], out[name], found = shape, out_shape(node, shape), True
        return found

    def came(name: str, node: Node) -> Shape | None:
        return next((out[b] for b in graph.before(name) if b in out), None)

    find(lambda name, node: own_shape(node) if node.kind == "Input" else None)
    while find(came) or find(lambda name, node: own_shape(node)):
        pass
    for name, node in graph.nodes.items():
        if name not in shapes:
            raise ValueError(
                f"{node}: its shape is not told, nor does it follow from the nodes before it; "
                "older files lack shapes: write the graph again with its Input's shape."
            )
    for name, node in graph.nodes.items():
        _check_shapes(node, own_shape(node), {b: out[b] for b in graph.before(name)}, shapes[name])
    return shapes


def _check_shapes(node: Node, own: Shape | None, before: dict[str, Shape], taken: Shape) -> None:
    """Refuse what comes in with other sizes than a node has, or than each other."""
    for source, shape in before.items():
        size, wanted = math.prod(shape), math.prod(taken)
        if node.kind == "Output" and own is not None and own[-len(shape) :] == shape:
            continue  # it may tell axes of time and trials before
        if own is not None:
            wanted = math.prod(own)
            if node.kind in ("Affine", "Linear") and size != wanted:
                size = shape[-1]  # the matrix is for the last axis
        if size != wanted:
            raise ValueError(
                f"{node} gets shape {shape} from {source!r}; it must be "
                f"{own if own is not None else taken}."
            )
