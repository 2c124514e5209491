"""Spike files in the SONATA layout: written while the simulation runs, read from any program."""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np
from numpy.typing import ArrayLike

from spikesim.data.hdf5 import (
    LiveFile,
    damage_told,
    ms_per_unit,
    open_for_reading,
    tell,
    text,
)
from spikesim.data.report_files import report_info
from spikesim.data.spiketrains import SpikeTrains

SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
COLUMNS = "timestamps", "node_ids", "gids"
FLAT_POPULATION = "all"  # the name given to the spikes of files without populations
PIECE = 2**20  # spikes that are looked at at once


class SpikeWriter:
    """Writes the spikes of a run to a SONATA file which is complete up to each flush.

    The file is written in place, so that other programs can read it during the run. Whenever the
    process is killed or the disk is full, the file is valid and holds every spike up to the last
    flush. Next to SONATA's /spikes the group /spikesim holds the attributes of the run and the
    data sets ``populations`` (names in order), ``sizes``, ``t_start`` and ``t_stop`` (ms).

    Parameters
    ----------
    path : path
    populations : mapping of str to int
        Sizes of the populations.
    attributes : mapping
        What to note about the run: strings, numbers and booleans as they are, lists and
        mappings of these as JSON.
    overwrite : bool
        Whether an existing file may be replaced.
    t_start : float
        Start of the run (ms).

    Raises
    ------
    FileExistsError
        If the file exists and overwrite is false.
    OSError
        If the file cannot be written.
    TypeError, ValueError
        If populations or attributes cannot be stored.
    """

    def __init__(
        self,
        path: str | os.PathLike,
        populations: Mapping[str, int],
        attributes: Mapping[str, Any],
        overwrite: bool = False,
        t_start: float = 0.0,
    ):
        for name, size in populations.items():
            if not name or "/" in name or name == ".":
                raise ValueError(f"a population's name must not be empty nor hold '/': {name!r}")
            SpikeTrains([], [], size, t_start, t_start)
        encoded = _encode_all(attributes)
        self.populations = dict(populations)
        self.t_start = self.t_stop = float(t_start)
        self._buffers: dict[str, list] = {name: [] for name in populations}
        self._file = LiveFile(path, overwrite)
        with self._file.transaction() as hdf5:
            self._columns = {
                name: _create_population(hdf5, name, size) for name, size in populations.items()
            }
            self._clock = self._create_run(hdf5, encoded)

    def _create_run(self, hdf5: h5py.File, attributes: dict[str, Any]) -> h5py.Dataset:
        hdf5.attrs["magic"] = np.uint32(0x0A7A)
        hdf5.attrs["version"] = np.array([0, 1], np.uint32)
        hdf5.require_group("spikes")
        run = hdf5.create_group("spikesim")
        run.attrs.update(attributes)
        names = list(self.populations)
        run.create_dataset("populations", data=names, dtype=h5py.string_dtype())
        run.create_dataset("sizes", data=list(self.populations.values()), dtype=np.uint64)
        run.create_dataset("t_start", data=self.t_start)
        return run.create_dataset("t_stop", data=self.t_stop)

    def append(self, population: str, times: ArrayLike, neurons: ArrayLike) -> None:
        """Keep a copy of some spikes for the next flush.

        Parameters
        ----------
        population : str
        times : array_like of float, shape (n,)
            Spike times (ms).
        neurons : array_like of int, shape (n,)

        Raises
        ------
        KeyError
            If there is no such population.
        """
        if population not in self._buffers:
            raise KeyError(
                f"there is no population {population!r}: the file has {', '.join(self._buffers)}"
            )
        times, neurons = np.array(times, np.float64), np.array(neurons)
        if times.size or neurons.size:
            self._buffers[population].append((times, neurons))

    def flush(self, t_stop: float) -> None:
        """Write the spikes appended since the last flush: the file is complete up to t_stop (ms).

        Raises
        ------
        ValueError
            If spikes are not in the window between the last flush and t_stop, or of no neuron of
            their population; nothing is written then. Also if the writer has been closed.
        OSError
            If the disk is full or fails: the file then holds what it held before, and is closed.
        """
        windows = {name: self._window(name, t_stop) for name in self.populations}
        lengths = [column for columns in self._columns.values() for column in columns]
        held = f"every spike up to {self.t_stop:g} ms"
        with self._file.transaction(*lengths, self._clock, held=held):
            for name, window in windows.items():
                _extend(self._columns[name], window)
            self._clock[()] = t_stop
        self.t_stop = float(t_stop)
        self._buffers = {name: [] for name in self.populations}

    def _window(self, name: str, t_stop: float) -> SpikeTrains:
        chunks = self._buffers[name] or [((), np.empty(0, np.int64))]
        times, neurons = (np.concatenate(column) for column in zip(*chunks, strict=True))
        return SpikeTrains(times, neurons, self.populations[name], self.t_stop, t_stop)

    def set_attributes(self, attributes: Mapping[str, Any]) -> None:
        """Add attributes of the run which are known late, or replace some."""
        encoded = _encode_all(attributes)
        held = f"every spike up to {self.t_stop:g} ms"
        with self._file.transaction(held=held) as hdf5:
            hdf5["spikesim"].attrs.update(encoded)

    def close(self) -> None:
        """Close the file. Spikes appended since the last flush are not in it."""
        self._file.close()

    def __enter__(self) -> SpikeWriter:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _create_population(hdf5: h5py.File, name: str, size: int) -> tuple[h5py.Dataset, h5py.Dataset]:
    # Files of short runs stay small: a chunk has room for 16 spikes per neuron, 8 to 512 KiB.
    chunk = min(max(16 * size, 1024), 65536)
    group = hdf5.create_group(f"spikes/{name}")
    times, node_ids = (
        group.create_dataset(column, (0,), dtype, maxshape=(None,), chunks=(chunk,))
        for column, dtype in (("timestamps", np.float64), ("node_ids", np.uint64))
    )
    times.attrs["units"] = "ms"
    group.attrs.create("sorting", SORTING.metadata["enum"]["by_time"], dtype=SORTING)
    return times, node_ids


def _extend(columns: tuple[h5py.Dataset, h5py.Dataset], window: SpikeTrains) -> None:
    if len(window):
        for column, values in zip(columns, (window.times, window.neurons), strict=True):
            start = len(column)
            column.resize((start + len(window),))
            column[start:] = values


def _encode_all(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _encode(name, value) for name, value in attributes.items()}


def _encode(name: str, value: Any) -> str | int | float | bool:
    """The value as HDF5 has it; a string which begins with one of '"[{' is JSON."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str) and value.isprintable() and value[:1] not in ('"', "[", "{"):
        return value
    if isinstance(value, bool | float):
        return value
    if isinstance(value, int) and -(2**63) <= value < 2**63:
        return value
    if isinstance(value, str | list | tuple | Mapping):
        with contextlib.suppress(TypeError):
            return json.dumps(value)
    raise TypeError(
        f"attribute {name!r} must be a string, number (integers of 64 bits), boolean, "
        f"or a list or dict of these, but is {value!r}"
    )


def _decode(value: Any) -> Any:
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, str) and value[:1] in ('"', "[", "{"):
        with contextlib.suppress(ValueError):
            return json.loads(value)
    return value


def open_spikes(path: str | os.PathLike) -> dict[str, SpikeTrains]:
    """The spikes in a SONATA file, of this or of another program, or of a run still going on.

    Files sorted by time are read lazily (see ``SpikeTrains.lazy``) and stay open as long as the
    trains live. In files of other programs that say so the times are looked through once, in
    pieces. Others are read whole and sorted, and so are those that say so wrongly.

    The window and the sizes are those of the run where the file tells them (/spikesim); spikes
    behind its ``t_stop``, left by a run that was killed, are left out. Otherwise the window is
    from 0, or the smallest time if that is negative, to the largest time of all populations, and
    a size is the largest node id + 1. A flat file (/spikes/timestamps) gives one population
    named "all". Times in other units (``units``: s, us, "milliseconds" and so on) are converted,
    and times without are taken as ms. A population without spikes may have no data sets. Columns
    may be of any numbers, compressed or not; node ids that are floats must be whole.

    Returns
    -------
    dict of str to SpikeTrains
        The populations in the order of the run, or of the file.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not a SONATA spike file, or damaged, or its times are in an unknown unit.

    Warns
    -----
    UserWarning
        Times were converted to ms, have no unit or only 32 bits, or are not sorted although the
        file says so.
    """
    hdf5 = open_for_reading(path)
    with damage_told(path):
        if "spikes" not in hdf5:
            raise ValueError("it holds no group /spikes, so it is not a SONATA spike file")
        trains, notes = _read_spikes(hdf5)
    tell(path, notes)
    return trains


def _read_spikes(hdf5: h5py.File) -> tuple[dict[str, SpikeTrains], dict[str, list[str]]]:
    """The spikes, and what to tell of which populations."""
    groups = _groups(hdf5["spikes"])
    sizes, t_start, t_stop = {}, None, None
    if "spikesim" in hdf5:
        run = hdf5["spikesim"]
        sizes = dict(zip(run["populations"].asstr()[:], run["sizes"][:].tolist(), strict=True))
        t_start, t_stop = run["t_start"][()], run["t_stop"][()]
        groups = {name: groups[name] for name in sizes}

    columns, notes = {}, {}
    for name, group in groups.items():
        *columns[name], said = _columns(name, group, believed=bool(sizes))
        for note in said:
            notes.setdefault(note, []).append(name)
    if t_stop is None:
        ends = [times[i] for times, ids in columns.values() for i in _ends(times, ids)]
        t_start, t_stop = min(ends, default=0.0), max(ends, default=0.0)
        t_start = min(t_start, 0.0)
    trains = {}
    for name, (times, node_ids) in columns.items():
        size = sizes[name] if sizes else _size(name, node_ids)
        make = SpikeTrains if isinstance(times, np.ndarray) else SpikeTrains.lazy
        trains[name] = make(times, node_ids, size, t_start, t_stop)
    return trains, notes


def _groups(spikes: Any) -> dict[str, h5py.Group]:
    """The populations: groups within /spikes, /spikes itself if it has columns, or both."""
    if not isinstance(spikes, h5py.Group):
        raise ValueError("/spikes is not a group, so it is not a SONATA spike file")
    groups, flat = {}, False
    for name in spikes:
        item = spikes.get(name)
        if item is None:
            raise ValueError(f"/spikes/{name} is a link that leads nowhere")
        flat |= name in COLUMNS and isinstance(item, h5py.Dataset)
        if isinstance(item, h5py.Group):
            groups[name] = item
    return {FLAT_POPULATION: spikes} | groups if flat else groups


def _columns(name: str, group: h5py.Group, believed: bool) -> tuple[Any, Any, list[str]]:
    """Times (ms) and node ids in order of time, the data sets themselves where they serve.

    Also what to tell. A file that is ``believed`` is sorted if it says so.
    """
    times, node_ids = group.get("timestamps"), group.get("node_ids", group.get("gids"))
    there = [column for column in (times, node_ids) if isinstance(column, h5py.Dataset)]
    if not len(group) or (there and not any(column.size for column in there)):
        return np.empty(0), np.empty(0, np.int64), []
    if len(there) < 2:
        raise ValueError(f"population {name!r} needs the data sets timestamps and node_ids")
    for what, column in zip(("timestamps", "node_ids"), there, strict=True):
        if column.ndim != 1 or column.dtype.kind not in "iuf":
            raise ValueError(
                f"the {what} of population {name!r} have shape {column.shape} and type "
                f"{column.dtype}; they must be one column of numbers"
            )
    sorting = _sorting(group, times, node_ids)
    if node_ids.dtype.kind == "f":
        node_ids = _whole(name, node_ids)
    factor, note = ms_per_unit("the timestamps", times, group)
    said = [note] if note else []
    if times.dtype.kind == "f" and times.dtype.itemsize < 8:
        bits = 8 * times.dtype.itemsize
        said.append(f"the timestamps have {bits} bits; they may lie on the wrong side of an edge")
    n = min(len(times), len(node_ids))
    if factor == 1 and sorting in ("by_time", "time"):
        if believed or _ascending(times, n):
            return times, node_ids, said
        said.append("the spikes are not sorted by time, as the file says they are; now they are")
    in_ms = times[:n] * factor
    if not np.isfinite(in_ms).all():
        bad = in_ms[~np.isfinite(in_ms)][0]
        raise ValueError(f"times must be finite, but one of population {name!r} is {bad}")
    order = np.argsort(in_ms, kind="stable")
    return in_ms[order], node_ids[:n][order], said


def _whole(name: str, node_ids: h5py.Dataset) -> np.ndarray:
    """Node ids that were written as floats, as tables with gaps make them, as integers."""
    values = node_ids[:]
    exact = np.abs(values) < 2 / np.finfo(values.dtype).eps  # also False for NaN
    bad = values[~exact | (np.floor(values) != values)]
    if bad.size:
        raise ValueError(f"a node id of population {name!r} is {bad[0]}, which is no neuron")
    return values.astype(np.int64)


def _ascending(times: Any, n: int) -> bool:
    """Whether times never go back; not if one of them is not finite."""
    last = np.finfo(float).min
    for start in range(0, n, PIECE):
        piece = times[start : min(start + PIECE, n)]
        if not (piece[0] >= last and np.all(piece[1:] >= piece[:-1])):
            return False
        last = piece[-1]
    return bool(last < np.inf)


def _sorting(*places: h5py.Group | h5py.Dataset) -> str:
    """The order by the first place that says one: the group, or a column in some old files.

    SONATA says enum; other programs write the number or the name alone, or nothing.
    """
    place = next((place for place in places if "sorting" in place.attrs), None)
    if place is None:
        return "none"
    value = place.attrs["sorting"]
    if isinstance(value, h5py.Empty) or not np.size(value):
        return "none"
    value = np.ravel(value)[0]
    if isinstance(value, str | bytes):
        return text(value)
    numbers = h5py.check_enum_dtype(place.attrs.get_id("sorting").dtype)
    numbers = numbers or SORTING.metadata["enum"]
    return {number: name for name, number in numbers.items()}.get(int(value), "none")


def _ends(times: Any, node_ids: Any) -> tuple[int, ...]:
    n = min(len(times), len(node_ids))
    return (0, n - 1) if n else ()


def _size(name: str, node_ids: Any) -> int:
    size = 0
    for start in range(0, len(node_ids), PIECE):
        piece = node_ids[start : start + PIECE]
        lowest, highest = int(piece.min()), int(piece.max())
        if lowest < 0 or highest >= 2**63 - 1:
            bad = lowest if lowest < 0 else highest
            raise ValueError(f"a node id of population {name!r} is {bad}, which is no neuron")
        size = max(size, highest + 1)
    return size


def info(path: str | os.PathLike) -> dict[str, Any]:
    """What a file of spikes or of states holds.

    Returns
    -------
    dict
        ``format``, "SONATA spikes" or "SONATA report"; ``populations``, for spikes name ->
        {neurons, spikes, rate (Hz)}, for reports name -> {elements, samples, every (ms; NaN where
        nothing is held), variable, unit}; ``t_start`` and ``t_stop`` (ms); and for spikes of this
        program ``run``, the attributes of the run.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it holds neither spikes nor a report, or is damaged.

    Warns
    -----
    UserWarning
        As `open_spikes` and `read_report`.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        if "report" in hdf5:
            facts, notes = report_info(hdf5)
        elif "spikes" in hdf5:
            facts, notes = _spikes_info(hdf5)
        else:
            raise ValueError("it holds neither a group /spikes nor /report of SONATA")
    tell(path, notes)
    return facts


def _spikes_info(hdf5: h5py.File) -> tuple[dict[str, Any], dict[str, list[str]]]:
    trains, notes = _read_spikes(hdf5)
    facts = {
        "format": "SONATA spikes",
        "populations": {
            name: {"neurons": train.size, "spikes": len(train), "rate": train.rate}
            for name, train in trains.items()
        },
        "t_start": min((train.t_start for train in trains.values()), default=0.0),
        "t_stop": max((train.t_stop for train in trains.values()), default=0.0),
    }
    if "spikesim" in hdf5:
        facts["run"] = {name: _decode(value) for name, value in hdf5["spikesim"].attrs.items()}
    return facts, notes
