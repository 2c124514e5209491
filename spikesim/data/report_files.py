"""State traces in the SONATA report layout: one file for one population and variable.

SONATA's sample k is at ``start + k * step``. Here ``start`` is the time of the first sample, and a
sample holds the state at the end of a step: a run from t_start records at t_start + every,
t_start + 2 every, ..., so ``start`` is t_start + every and ``stop`` is ``start + samples * step``.
"""

from __future__ import annotations

import math
import os
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.data.hdf5 import (
    LiveFile,
    damage_told,
    ms_per_unit,
    open_for_reading,
    tell,
    text,
)

REPORT = "SONATA report"  # the format


class ReportWriter:
    """Writes one state variable of a population to a file which is complete up to each flush.

    The file is valid whenever the process is killed or the disk is full, as with SpikeWriter.

    Parameters
    ----------
    path : path
    population : str
    node_ids : array_like of int, shape (n_elements,)
        The recorded neurons.
    variable, unit : str
        Such as "V" and "mV".
    every : float
        Time between samples (ms).
    t_start : float
        Start of the recording (ms). The first sample is at t_start + every.
    overwrite : bool
        Whether an existing file may be replaced.
    dtype : dtype
        float32 (as in SONATA) or float64, to which the values are converted.

    Raises
    ------
    FileExistsError
        If the file exists and overwrite is false.
    OSError
        If the file cannot be written.
    ValueError
        If population is empty or holds '/', node_ids are no neurons, or every is not positive.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        population: str,
        node_ids: ArrayLike,
        variable: str,
        unit: str,
        every: float,
        t_start: float = 0.0,
        overwrite: bool = False,
        dtype: type = np.float32,
    ):
        ids = np.asarray(node_ids)
        if ids.ndim != 1 or not ids.size or ids.dtype.kind not in "iu" or np.any(ids < 0):
            raise ValueError(
                f"node_ids must be one or more integers of at least 0, but are {node_ids!r}"
            )
        if not 0 < every < np.inf:
            raise ValueError(f"every must be a positive time in ms, but is {every}")
        if not population or "/" in population or population == ".":
            raise ValueError(
                f"a population's name must not be empty nor hold '/', but is {population!r}"
            )
        self._every, self._start = float(every), float(t_start) + float(every)
        self._rows: list[NDArray] = []
        self._file = LiveFile(path, overwrite)
        with self._file.transaction() as hdf5:
            hdf5.attrs["magic"] = np.uint32(0x0A7A)
            hdf5.attrs["version"] = np.array([0, 1], np.uint32)
            report = hdf5.create_group(f"report/{population}")
            self._data = _create_data(report, len(ids), np.dtype(dtype))
            self._data.attrs["units"] = unit
            self._data.attrs["variable"] = variable
            self._time = _create_mapping(report, ids, self._span(0))

    def _span(self, samples: int) -> list[float]:
        return [self._start, self._start + samples * self._every, self._every]

    def append(self, rows: ArrayLike) -> None:
        """Keep a copy of some samples for the next flush.

        Parameters
        ----------
        rows : array_like, shape (n_samples, n_elements)
            In ``unit``, in the order of node_ids.

        Raises
        ------
        ValueError
            If rows has another shape.
        """
        with np.errstate(over="ignore"):  # what has diverged is infinite
            rows = np.array(rows, self._data.dtype)
        if rows.ndim != 2 or rows.shape[1] != self._data.shape[1]:
            raise ValueError(
                f"rows must have the shape (n_samples, {self._data.shape[1]}), "
                f"but has the shape {rows.shape}"
            )
        self._rows.append(rows)

    def flush(self) -> None:
        """Write the samples appended since the last flush.

        Raises
        ------
        OSError
            If the disk is full or fails: the file then holds what it held before, and is closed.
        ValueError
            If the writer has been closed.
        """
        start = len(self._data)
        stop = start + sum(len(rows) for rows in self._rows)
        held = f"the first {start} samples"
        with self._file.transaction(self._data, self._time, held=held):
            if stop > start:
                self._data.resize(stop, axis=0)
                self._data[start:] = np.concatenate(self._rows)
            self._time[:] = self._span(stop)
        self._rows = []

    def close(self) -> None:
        """Close the file. Samples appended since the last flush are not in it."""
        self._file.close()

    def __enter__(self) -> ReportWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _create_data(report: h5py.Group, n_elements: int, dtype: np.dtype) -> h5py.Dataset:
    width = min(n_elements, 65536)
    chunk = (min(max(65536 // width, 1), 1024), width)
    return report.create_dataset(
        "data", (0, n_elements), dtype, maxshape=(None, n_elements), chunks=chunk
    )


def _create_mapping(report: h5py.Group, node_ids: NDArray, span: list[float]) -> h5py.Dataset:
    mapping = report.create_group("mapping")
    ids = mapping.create_dataset("node_ids", data=node_ids, dtype=np.uint64)
    ids.attrs["sorted"] = np.uint8(np.all(np.diff(ids[:].astype(np.int64)) > 0))
    pointers = np.arange(len(node_ids) + 1)
    mapping.create_dataset("index_pointers", data=pointers, dtype=np.uint64)
    mapping.create_dataset("element_ids", data=np.zeros(len(node_ids)), dtype=np.uint32)
    time = mapping.create_dataset("time", data=span, dtype=np.float64)
    time.attrs["units"] = "ms"
    return time


def read_report(
    path: str | os.PathLike, population: str | None = None
) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray, dict[str, Any]]:
    """Read a SONATA report: a variable of some neurons over time, of this or another program.

    A file may be compressed, have values of 64 bits, or name its mapping ``index_pointer`` as
    BMTK and pySONATA do. Times in other units are converted, and times without are taken as ms.

    Parameters
    ----------
    path : path
    population : str, optional
        Needed only if the file, of another program, holds several.

    Returns
    -------
    times : ndarray, shape (n_samples,)
        In ms.
    node_ids : ndarray, shape (n_elements,)
        The neuron of each column; a neuron recorded at several elements has several.
    values : ndarray, shape (n_samples, n_elements)
        In ``unit``, of the type that the file has.
    meta : dict
        ``population`` and, as in ``info``, ``elements``, ``samples``, ``every`` (ms; NaN in a
        population that holds nothing), ``variable`` (None if unknown) and ``unit`` ("" if
        unknown).

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not a SONATA report, or damaged, or has no such population, or its times are in
        an unknown unit.

    Warns
    -----
    UserWarning
        Times were converted to ms, or have no unit.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        if "report" not in hdf5:
            raise ValueError("it holds no group /report, so it is not a SONATA report")
        names = list(hdf5["report"])
        if population is None and len(names) == 1:
            population = names[0]
        if population not in names:
            raise ValueError(f"population must be one of {names}, but is {population!r}")
        report = hdf5["report"][population]
        start, _, every, note = _time(report)
        meta = _meta(report, every)
        times = start + every * np.arange(meta["samples"])
        nodes = _element_nodes(report, meta["elements"])
        values = report["data"][:] if meta["elements"] else np.empty((meta["samples"], 0))
    tell(path, {note: [population]} if note else {})
    return times, nodes, values, {"population": population} | meta


def _element_nodes(report: h5py.Group, elements: int) -> NDArray[np.int64]:
    """The node of each column, by where the columns of each node begin."""
    mapping = report.get("mapping", {})
    node_ids = _whole(mapping, "node_ids", "gids")
    pointers = _whole(mapping, "index_pointers", "index_pointer")
    if node_ids is None and not elements:
        return np.empty(0, np.int64)
    if node_ids is None or (pointers is None and len(node_ids) != elements):
        raise ValueError("mapping needs the data sets node_ids and index_pointers")
    pointers = np.arange(elements + 1) if pointers is None else pointers
    if len(pointers) == len(node_ids):
        pointers = np.append(pointers, elements)
    columns = np.diff(pointers)
    if (
        len(columns) != len(node_ids)
        or np.any(columns < 0)
        or tuple(pointers[[0, -1]]) != (0, elements)
    ):
        raise ValueError(
            f"mapping/index_pointers do not share {elements} elements out among {len(node_ids)} "
            "nodes"
        )
    return np.repeat(node_ids, columns)


def _whole(mapping: h5py.Group, *names: str) -> NDArray[np.int64] | None:
    """The first of these data sets that there is."""
    for name in names:
        if name in mapping:
            values = mapping[name][:] if mapping[name].size else np.empty(0)
            if np.any(values < 0) or np.any(values >= 2**63):
                raise ValueError(f"mapping/{name} holds numbers below 0 or beyond 64 bits")
            return values.astype(np.int64)
    return None


def _time(report: h5py.Group) -> tuple[float, float, float, str]:
    """Start, stop and step (ms), NaN if there are none, and what to tell of them."""
    if "mapping/time" not in report:
        return math.nan, math.nan, math.nan, ""
    time = report["mapping/time"]
    factor, note = ms_per_unit("the times", time, report["mapping"], report)
    start, stop, every = (factor * time[:3]).tolist()
    return start, stop, every, note


def _meta(report: h5py.Group, every: float) -> dict[str, Any]:
    data = report.get("data")
    shape = (0, 0) if data is None or data.shape is None else data.shape
    if len(shape) != 2:
        raise ValueError(f"data has {len(shape)} dimensions; it must have two: samples, elements")
    if not 0 < every < math.inf and all(shape):
        raise ValueError(f"the step of mapping/time is {every} ms; it must be positive")
    attributes = {} if data is None else data.attrs
    return {
        "elements": shape[1],
        "samples": shape[0],
        "every": every,
        "variable": text(attributes["variable"]) if "variable" in attributes else None,
        "unit": text(attributes.get("units", "")),
    }


def report_info(hdf5: h5py.File) -> tuple[dict[str, Any], dict[str, list[str]]]:
    """The answer of ``info`` for an open report, and what to tell of which populations."""
    reports, notes, spans, populations = hdf5["report"], {}, [], {}
    for name, report in reports.items():
        start, stop, every, note = _time(report)
        populations[name] = _meta(report, every)
        if not math.isnan(start):
            spans.append((start, stop))
        if note:
            notes.setdefault(note, []).append(name)
    facts = {
        "format": REPORT,
        "populations": populations,
        "t_start": min((start for start, _ in spans), default=0.0),
        "t_stop": max((stop for _, stop in spans), default=0.0),
    }
    return facts, notes
