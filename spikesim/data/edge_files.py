"""Edges in the SONATA layout, as BMTK's builder, the Allen Institute and Blue Brain write them."""

from __future__ import annotations

import csv
import os
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
from numpy.typing import NDArray

from spikesim.data.hdf5 import damage_told, ms_per_unit, open_for_reading, text

NOTHING = {"", "null", "nan", "none", "na", "n/a"}  # as tables of types say that there is no value
PLAIN_FUNCTIONS = {"wmax", "set_syn_weight", "default_weight_fnc"}  # BMTK's own: weight x nsyns


class SonataEdges(NamedTuple):
    """Edges as a file has them, all arrays with one value a row.

    Weights are for all ``multiplicity`` synapses of a row; None where there are no such values.
    ``notes`` say what was made of what, and ``doubts`` what the program cannot know.
    """

    sources: NDArray
    targets: NDArray
    weights: NDArray[np.float64] | None
    delays: NDArray[np.float64] | None
    multiplicity: NDArray[np.int64] | None
    notes: list[str]
    doubts: list[str]


def read_sonata_edges(
    path: str | os.PathLike,
    weight: str | None,
    delay: str | None,
    population: str | None,
    types: str | os.PathLike | None,
    nsyns: bool,
) -> SonataEdges:
    """Read a population of edges; parameters and errors as in `spikesim.read_edges`."""
    if types is not None and not Path(types).is_file():
        raise FileNotFoundError(f"{types}: there is no such file.")
    with open_for_reading(path) as hdf5, damage_told(path):
        populations = list(hdf5.get("edges", ()))
        if population is None and len(populations) == 1:
            population = populations[0]
        if population not in populations:
            raise ValueError(
                f"population is {population!r}; the file has edges of "
                f"{', '.join(map(repr, populations)) or 'none'}"
            )
        table = _Table(hdf5["edges"][population], types and _types(types, population))
        weights = table.column(weight, "syn_weight")
        delays = table.column(delay, "delay")
        multiplicity = table.multiplicity() if nsyns else None
        sources, targets = table.ends
        notes, doubts = [table.names(population)], []
        if multiplicity is not None and weights is not None:
            weights = weights * multiplicity
            notes.append(f"weights are {weight or 'syn_weight'} x nsyns")
        elif multiplicity is not None:
            notes.append("rows stand for nsyns synapses each")
        elif not nsyns and table.has("nsyns"):
            notes.append("nsyns is left out")
        notes += table.notes
        if types is None and "edge_type_id" in table.edges:
            missing = [name for name, v in (("weights", weights), ("delays", delays)) if v is None]
            if missing:
                notes.append(f"no {' and '.join(missing)}: they may be in the table of edge types")
        functions = table.texts("weight_function") - PLAIN_FUNCTIONS
        if functions and weights is not None:
            doubts.append(
                f"the edge types name weight functions ({', '.join(sorted(functions))}), which are "
                "code of the model: the weights are without them"
            )
    return SonataEdges(sources, targets, weights, delays, multiplicity, notes + doubts, doubts)


class _Table:
    """The rows of a population: their values are those of their group, else of their type."""

    def __init__(self, edges: h5py.Group, types: Mapping[str, Mapping[int, str]] | None):
        self.edges, self.types = edges, types or {}
        self.notes: list[str] = []
        for name in ("source_node_id", "target_node_id"):
            if name not in edges:
                known = ", ".join(map(repr, edges))
                raise ValueError(f"there is no column {name!r}; there are {known}")
        self.ends = edges["source_node_id"][:], edges["target_node_id"][:]
        self.size = len(self.ends[0])
        self.group = self._whole("edge_group_id", np.zeros(self.size, np.int64))
        self.groups = np.unique(self.group).tolist()
        self.row = self._whole("edge_group_index", np.arange(self.size))
        if "edge_group_index" not in edges and len(self.groups) > 1:
            raise ValueError("edges are in several groups, but there is no edge_group_index")
        self.type_id = self._whole("edge_type_id", None)
        if types is not None and self.type_id is None:
            raise ValueError("there are types, but the edges have no edge_type_id")

    def _whole(self, name: str, default: NDArray | None) -> NDArray[np.int64] | None:
        if name not in self.edges:
            return default
        values = self.edges[name][:].astype(np.int64)  # some files have them as floats
        if values.shape != (self.size,):
            raise ValueError(f"{name} has shape {values.shape}; it must be ({self.size},)")
        return values

    def names(self, population: str) -> str:
        """The population and those of the nodes, where the file names them."""
        ends = [self.edges[f"{end}_node_id"].attrs for end in ("source", "target")]
        if not all("node_population" in end for end in ends):
            return f"edges {population!r}"
        source, target = (text(end["node_population"]) for end in ends)
        return f"edges {population!r} from {source!r} to {target!r}"

    def _data(self, group: int, name: str) -> h5py.Dataset | None:
        data = self.edges.get(f"{group}/{name}")
        return data if isinstance(data, h5py.Dataset) else None

    def has(self, name: str) -> bool:
        return name in self.types or any(self._data(g, name) is not None for g in self.groups)

    def known(self) -> list[str]:
        """Columns that there are, in groups and types."""
        found = {
            name for g in self.groups for name in self.edges.get(str(g), ()) if self._data(g, name)
        }
        return sorted(found | set(self.types))

    def texts(self, name: str) -> set[str]:
        """What the types of these edges have in a column."""
        if name not in self.types:
            return set()
        ids = set(np.unique(self.type_id).tolist())
        return {value for key, value in self.types[name].items() if key in ids}

    def values(self, name: str) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
        """A column, and which rows have a value."""
        values, found = np.full(self.size, np.nan), np.zeros(self.size, bool)
        for group in self.groups:
            data = self._data(group, name)
            if data is None:
                continue
            here = self.group == group
            rows = self.row[here]
            if rows.min() < 0 or rows.max() >= len(data):
                raise ValueError(
                    f"edge_group_index runs from {rows.min()} to {rows.max()}, but {name!r} of "
                    f"group {group} has {len(data)} rows"
                )
            factor = 1.0
            if name == "delay" and "units" in data.attrs:
                factor, note = ms_per_unit("delays", data)
                self.notes += [note] if note else []
            values[here], found[here] = factor * data[:][rows], True
        if name in self.types and not found.all():
            ids, which = np.unique(self.type_id, return_inverse=True)
            told = [self.types[name].get(key) for key in ids.tolist()]
            number = np.array([np.nan if value is None else _number(name, value) for value in told])
            there = np.array([value is not None for value in told])[which] & ~found
            values[there], found[there] = number[which[there]], True
        return values, found

    def column(self, name: str | None, usual: str) -> NDArray[np.float64] | None:
        """A column that all rows have, or None if none has that which is usual."""
        if name is None and not self.has(usual):
            return None
        if name is not None and not self.has(name):
            known = ", ".join(map(repr, self.known()))
            raise ValueError(f"there is no column {name!r}; there are {known}")
        name = name or usual
        values, found = self.values(name)
        if not found.all():
            groups = np.unique(self.group[~found]).tolist()
            where = f"group {', '.join(map(str, groups))}"
            if self.type_id is not None:
                ids = np.unique(self.type_id[~found]).tolist()
                where += f" and edge type {', '.join(map(str, ids[:9]))}{', ...' * (len(ids) > 9)}"
            wanted = "the table of edge types has none" if self.types else "give types="
            raise ValueError(
                f"{np.count_nonzero(~found)} of {self.size} edges have no {name!r} (those of "
                f"{where}); {wanted}"
            )
        return values

    def multiplicity(self) -> NDArray[np.int64] | None:
        """How many synapses each row stands for, 1 where nothing is said; None if all are 1."""
        if not self.has("nsyns"):
            return None
        values, found = self.values("nsyns")
        values[~found] = 1
        bad = ~((values >= 0) & (values == np.floor(values)) & (values < 2**31))
        if bad.any():
            raise ValueError(f"nsyns of an edge is {values[bad][0]:g}; it must be a whole number")
        return None if np.all(values == 1) else values.astype(np.int64)


def _number(name: str, value: str) -> float:
    try:
        return float(value)
    except ValueError:
        raise ValueError(f"{name!r} of an edge type is {value!r}; it must be a number") from None


def _types(path: str | os.PathLike, population: str) -> dict[str, dict[int, str]]:
    """A table of edge types, [column][edge_type_id], without the values that are missing.

    Its columns are separated by blanks, as SONATA has it, or by commas or tabs.
    """
    lines = [line.strip() for line in Path(path).read_text(encoding="utf-8-sig").splitlines()]
    lines = [line for line in lines if line] or [""]
    delimiter = next((one for one in ",\t" if one in lines[0]), " ")
    header, *rows = csv.reader(lines, delimiter=delimiter, skipinitialspace=True)
    header = [name.strip() for name in header]
    if "edge_type_id" not in header:
        raise ValueError(f"types {path}: there is no column 'edge_type_id' among {header}")
    types: dict[str, dict[int, str]] = {name: {} for name in header if name != "edge_type_id"}
    seen = set()
    for number, fields in enumerate(rows, 1):
        if len(fields) != len(header):
            raise ValueError(
                f"types {path}: row {number} has {len(fields)} fields, the header {len(header)}"
            )
        row = dict(zip(header, map(str.strip, fields), strict=True))
        if row.get("population", population) not in (population, "NULL"):
            continue
        try:
            key = int(row.pop("edge_type_id"))
        except ValueError:
            raise ValueError(f"types {path}: edge_type_id of row {number} is no number") from None
        if key in seen:
            raise ValueError(f"types {path}: edge_type_id {key} is there twice")
        seen.add(key)
        for name, value in row.items():
            if value.casefold() not in NOTHING:
                types[name][key] = value
    return types
