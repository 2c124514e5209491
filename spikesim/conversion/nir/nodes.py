"""The nodes and edges of a NIR graph as plain arrays, of its file or its objects, subgraphs
written out."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

FIELDS = {  # by kind, the arrays that a node must have
    "Input": ("shape",),
    "Output": ("shape",),
    "Identity": (),
    "Affine": ("weight", "bias"),
    "Linear": ("weight",),
    "Scale": ("scale",),
    "Flatten": ("start_dim", "end_dim"),
    "Conv1d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "Conv2d": ("weight", "stride", "padding", "dilation", "groups", "bias"),
    "SumPool2d": ("kernel_size", "stride", "padding"),
    "AvgPool2d": ("kernel_size", "stride", "padding"),
    "Delay": ("delay",),
    "Threshold": ("threshold",),
    "I": ("r",),
    "IF": ("r", "v_threshold"),
    "LI": ("tau", "r", "v_leak"),
    "LIF": ("tau", "r", "v_leak", "v_threshold"),
    "CubaLI": ("tau_syn", "tau_mem", "r", "v_leak"),
    "CubaLIF": ("tau_syn", "tau_mem", "r", "v_leak", "v_threshold"),
}
NEURONS = {"Threshold", "IF", "LIF", "CubaLIF"}
FILTERS = {"I", "LI", "CubaLI"}


@dataclass(frozen=True, eq=False)
class Node:
    """A node: where it is, of what kind, and its arrays by name."""

    name: str
    kind: str
    values: Mapping[str, Any]

    def __str__(self) -> str:
        return f"NIR node {self.name!r} ({self.kind})"


@dataclass(frozen=True, eq=False)
class Graph:
    """Nodes by name and edges, without subgraphs: what was in "a" is called "a.name"."""

    nodes: dict[str, Node]
    edges: list[tuple[str, str]]

    def before(self, name: str) -> list[str]:
        """The nodes with an edge to one."""
        return [a for a, b in self.edges if b == name]


def read_graph(source: Any) -> Graph:
    """A graph of a path or of a ``nir.NIRGraph``, looked at."""
    if isinstance(source, str | os.PathLike):
        told, written = f"{os.fspath(source)}", _of_file(source)
    elif hasattr(source, "nodes") and hasattr(source, "to_dict"):
        told, written = "graph", source.to_dict()
    else:
        raise TypeError(f"graph is {source!r}; it must be a path or a nir.NIRGraph.")
    if written.get("type") != "NIRGraph" or "nodes" not in written or "edges" not in written:
        raise ValueError(
            f"{told} holds a node of kind {written.get('type')!r}; it must hold a NIRGraph with "
            "nodes and edges."
        )
    nodes: dict[str, Node] = {}
    edges: list[tuple[str, str]] = []
    _write_out(written, "", nodes, edges)
    doubled = next((e for n, e in enumerate(edges) if e in edges[:n]), None)
    if doubled:
        raise ValueError(
            f"NIR: the edge from {doubled[0]!r} to {doubled[1]!r} is there twice; it must be there "
            "once (sum parallel maps before)."
        )
    if not any(node.kind == "Input" for node in nodes.values()):
        raise ValueError("NIR: the graph has no Input node; it must have one.")
    return Graph(nodes, edges)


def _of_file(path: str | os.PathLike) -> dict[str, Any]:
    if not os.path.exists(path):
        raise FileNotFoundError(f"{os.fspath(path)} does not exist.")
    if not h5py.is_hdf5(path):
        raise ValueError(f"{os.fspath(path)} is no HDF5 file; it must be a NIR graph.")
    with h5py.File(path, "r") as file:
        if not isinstance(file.get("node"), h5py.Group):
            raise ValueError(
                f"{os.fspath(path)} is no NIR graph: it has no group 'node', but "
                f"{', '.join(map(repr, file)) or 'nothing'}."
            )
        return _plain(file["node"])


def _plain(group: h5py.Group) -> dict[str, Any]:
    def value(item: Any) -> Any:
        if isinstance(item, h5py.Group):
            return _plain(item)
        found = item[()]
        return found.decode() if isinstance(found, bytes) else found

    return {name: value(item) for name, item in group.items()}


def _write_out(
    written: Mapping[str, Any],
    within: str,
    nodes: dict[str, Node],
    edges: list[tuple[str, str]],
) -> tuple[list[str], list[str]]:
    """Add a graph's nodes and edges, its name before theirs; returns its inputs and outputs."""
    ends: dict[str, tuple[list[str], list[str]]] = {}  # of each node, what edges lead to and from
    for name, values in written["nodes"].items():
        full = name if not within or name.startswith(f"{within}.") else f"{within}.{name}"
        kind = values.get("type")
        if kind == "NIRGraph":
            ends[name] = _write_out(values, full, nodes, edges)
            continue
        nodes[full] = _node(full, kind, values, bool(within))
        ends[name] = [full], [full]
    for pair in written["edges"]:
        a, b = (each.decode() if isinstance(each, bytes) else str(each) for each in pair)
        for each in (a, b):
            if each not in ends:
                raise ValueError(
                    f"NIR: the edge from {a!r} to {b!r}{_place(within)} has no node {each!r}; "
                    f"nodes are {', '.join(map(repr, ends))}."
                )
        sources, targets = ends[a][1], ends[b][0]
        if len(sources) != 1 or len(targets) != 1:
            raise ValueError(
                f"NIR: the edge from {a!r} to {b!r}{_place(within)} joins a subgraph of "
                f"{len(targets)} inputs or {len(sources)} outputs; it must have one of each."
            )
        edges.append((sources[0], targets[0]))

    def of(kind: str) -> list[str]:
        return [ends[n][0][0] for n, v in written["nodes"].items() if v.get("type") == kind]

    return of("Input"), of("Output")


def _place(within: str) -> str:
    return f" in {within!r}" if within else ""


def _node(name: str, kind: Any, values: Mapping[str, Any], inner: bool) -> Node:
    if kind not in FIELDS:
        raise ValueError(
            f"NIR node {name!r} is of kind {kind!r}, which is not known here; known are "
            f"{', '.join(FIELDS)}."
        )
    if inner and kind in ("Input", "Output"):
        return Node(name, "Identity", {})
    node = Node(name, kind, {k: _array(k, v) for k, v in values.items() if k not in _NOT_READ})
    for field in FIELDS[kind]:
        if field not in node.values:
            raise ValueError(f"{node} has no {field!r}; it must have {', '.join(FIELDS[kind])}.")
    for field, value in node.values.items():
        if isinstance(value, np.ndarray) and not np.isfinite(value).all():
            raise ValueError(f"{node}: {field} holds {value[~np.isfinite(value)].flat[0]}.")
    if kind in ("Affine", "Linear") and node.values["weight"].ndim != 2:
        shape = node.values["weight"].shape
        raise ValueError(f"{node}: weight has shape {shape}; it must be a matrix.")
    if kind in NEURONS | FILTERS:
        shapes = {f: v.shape for f, v in node.values.items() if v.size > 1}
        if len(set(shapes.values())) > 1:
            told = ", ".join(f"{field} {shape}" for field, shape in shapes.items())
            raise ValueError(f"{node}: shapes are {told}; they must be one.")
    return node


_NOT_READ = {"type", "metadata", "input_type", "output_type", "input_shape"}


def _array(name: str, value: Any) -> Any:
    """A value as an array of floats; a word, or what is not told, as it is."""
    if value is None or isinstance(value, str):
        return value
    if hasattr(value, "detach"):
        value = value.detach().cpu().numpy()
    return np.asarray(value, float)
