"""Reading the spikes of SONATA files: what their columns mean, in what order, what is not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikesim.data import rows
from spikesim.data.foreign import guessed_window
from spikesim.data.hdf5 import ms_per_unit, straight, text, values
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
COLUMNS = "timestamps", "node_ids", "gids"
MOST_NEURONS = 2**28  # there are arrays with an element for each: 2 GiB
FLAT_POPULATION = "all"  # the name given to the spikes of files without populations
ORDER = {"by_time": "time", "time": "time", "by_id": "neuron", "by_gid": "neuron"}


@dataclass
class Columns:
    """Spikes of a population as a file has them, or sorted by time where it has no order.

    ``ends`` are the smallest and the largest time, ``size`` the largest id + 1 and ``offsets``, in
    order of neuron, where the spikes of each begin; all None where nobody looked.
    """

    times: Sequence[float]
    neurons: Sequence[int]
    by: str = "time"
    ends: tuple[float, float] | None = None
    size: int | None = None
    offsets: NDArray[np.int64] | None = None
    told: list[str] = field(default_factory=list)


class InMs(Sequence[float]):
    """A column of times in another unit."""

    def __init__(self, column: h5py.Dataset, factor: float):
        self.column, self.factor = column, factor

    def __len__(self) -> int:
        return len(self.column)

    def __getitem__(self, which: Any) -> Any:
        return self.column[which] * self.factor


def read(
    hdf5: h5py.File,
    window: tuple[float, float] | None = None,
    sizes: Mapping[str, int] | int | None = None,
) -> tuple[dict[str, SpikeTrains], dict[str, list[str]]]:
    """The spikes of a file, and what to tell of which populations; see `open_spikes`."""
    groups = _groups(hdf5["spikes"])
    run = hdf5.get("spikesim")
    if run is not None:
        window, sizes = _of_run(run, window, sizes)
        groups = {name: groups[name] for name in sizes}
    elif isinstance(sizes, Mapping) and (unknown := sizes.keys() - groups.keys()):
        raise ValueError(
            f"sizes names {', '.join(map(repr, sorted(unknown)))}, but the populations are "
            f"{', '.join(map(repr, groups))}"
        )
    columns = {name: _columns(name, group, run is not None) for name, group in groups.items()}
    notes: dict[str, list[str]] = {}
    for name, column in columns.items():
        for note in column.told:
            notes.setdefault(note, []).append(name)
    frame, guessed = _frame(columns, window, believed=run is not None)
    trains = {}
    for name, column in columns.items():
        size = sizes.get(name) if isinstance(sizes, Mapping) else sizes
        trains[name] = _trains(name, column, frame, guessed, size, _labels(run, name))
    if run is not None and "support" in run:
        support = Windows(*run["support"][:].T)
        trains = {name: these.restrict(support) for name, these in trains.items()}
    return trains, notes


def _of_run(
    run: h5py.Group, window: tuple[float, float] | None, sizes: Mapping[str, int] | int | None
) -> tuple[tuple[float, float], dict[str, int]]:
    """Window and sizes that the file tells, refused where others are given."""
    in_file = float(run["t_start"][()]), float(run["t_stop"][()])
    if window is not None and tuple(window) != in_file:
        raise ValueError(f"window is {window}, but the file says {in_file}")
    names, own = run["populations"].asstr()[:].tolist(), run["sizes"][:].tolist()
    for name, size in zip(names, own, strict=True):
        given = sizes.get(name) if isinstance(sizes, Mapping) else sizes
        if given not in (None, size):
            raise ValueError(f"the size of {name!r} is {given}, but the file says {size}")
    return in_file, dict(zip(names, own, strict=True))


def _frame(
    columns: Mapping[str, Columns], window: tuple[float, float] | None, believed: bool
) -> tuple[tuple[float, float], list[str]]:
    """The window of all populations, and what of it was guessed."""
    ends = np.ravel([column.ends for column in columns.values() if column.ends is not None])
    if window is None:
        return guessed_window(ends)[0], ["t_start", "t_stop"]
    if not (believed or Windows(*window).contains(ends).all()):
        raise ValueError(
            f"window is ({window[0]:.12g}, {window[1]:.12g}] ms, but spikes lie from "
            f"{ends.min():.12g} to {ends.max():.12g} ms; window tells what was recorded, and "
            "restrict leaves out spikes"
        )
    return window, []


def _trains(
    name: str,
    column: Columns,
    window: tuple[float, float],
    guessed: list[str],
    size: int | None,
    labels: dict[str, NDArray[Any]],
) -> SpikeTrains:
    """Trains of columns, which stay where they are if they are in order there."""
    frame: dict[str, Any] = dict(
        guessed=guessed if size is not None else [*guessed, "size"], labels=labels
    )
    size = column.size if size is None else size
    if isinstance(column.times, np.ndarray):
        return SpikeTrains(column.times, column.neurons, size, *window, **frame)
    offsets = column.offsets
    if offsets is not None:  # the neurons behind the last one that spiked
        if column.size > size:
            raise ValueError(
                f"a node id of population {name!r} is {column.size - 1}, but its size is {size}"
            )
        offsets = np.pad(offsets, (0, size + 1 - len(offsets)), mode="edge")
    return SpikeTrains.lazy(
        column.times, column.neurons, size, *window, by=column.by, offsets=offsets, **frame
    )


def _labels(run: h5py.Group | None, name: str) -> dict[str, NDArray[Any] | None]:
    group = None if run is None else run.get(f"labels/{name}")
    return {label: values(column) for label, column in (group or {}).items()}


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


def _columns(name: str, group: h5py.Group, believed: bool) -> Columns:
    """Times (ms) and node ids, the data sets themselves where they are in order.

    A file that is ``believed`` is sorted by time if it says so, and knows its sizes.
    """
    ids = "node_ids" if "node_ids" in group else "gids"
    times, node_ids = straight(group, "timestamps"), straight(group, ids)
    there = [column for column in (times, node_ids) if isinstance(column, h5py.Dataset)]
    if not len(group) or (there and not any(column.size for column in there)):
        return Columns(np.empty(0), np.empty(0, np.int64), size=0)
    if len(there) < 2:
        raise ValueError(f"population {name!r} needs the data sets timestamps and node_ids")
    for what, column in zip(("timestamps", "node_ids"), there, strict=True):
        if column.ndim != 1 or column.dtype.kind not in "iuf":
            raise ValueError(
                f"the {what} of population {name!r} have shape {column.shape} and type "
                f"{column.dtype}; they must be one column of numbers"
            )
    by = ORDER.get(_sorting(group, times, node_ids))
    if node_ids.dtype.kind == "f":
        node_ids = _whole(name, node_ids[:])
    factor, note = ms_per_unit("the timestamps", times, group)
    in_ms = times if factor == 1 else InMs(times, factor)
    told = [note] if note else []
    if not believed and len(times) != len(node_ids):
        told.append(
            f"there are {len(times)} timestamps and {len(node_ids)} node ids; the surplus is left "
            "out"
        )
    if times.dtype.kind == "f" and times.dtype.itemsize < 8:
        bits = 8 * times.dtype.itemsize
        told.append(f"the timestamps have {bits} bits; they may lie on the wrong side of an edge")
    if by and believed:
        return Columns(in_ms, node_ids, by, told=told)
    if by:
        found = _looked_through(name, in_ms, node_ids, by)
        if found is not None:
            found.told = told
            return found
        if by == "time":
            told.append(
                "the spikes are not sorted by time, as the file says they are; now they are"
            )
    n = min(len(times), len(node_ids))
    in_memory, ids = np.asarray(in_ms[:n], np.float64), _whole(name, node_ids[:n])
    if not np.isfinite(in_memory).all():
        i = int(np.argmin(np.isfinite(in_memory)))
        raise ValueError(
            f"times must be finite, but timestamps[{i}] of population {name!r} is {in_memory[i]}"
        )
    order = np.argsort(in_memory, kind="stable")
    ends = (in_memory[order[0]], in_memory[order[-1]]) if n else None
    return Columns(
        in_memory[order], ids[order], ends=ends, size=int(ids.max(initial=-1)) + 1, told=told
    )


def _looked_through(name: str, times: Any, node_ids: Any, by: str) -> Columns | None:
    """Columns which are sorted as they say, or None; not if a time is not finite.

    Those sorted by id have to ascend in the times of each id, too, which BMTK does not care for.
    """
    from spikesim.data import passes

    n = min(len(times), len(node_ids))
    last_time, last_id = -np.inf, -1
    lowest, highest, size, counts = np.inf, -np.inf, 0, np.zeros(0, np.int64)
    for start in range(0, n, rows.PIECE):
        stop = min(start + rows.PIECE, n)
        when, ids = np.asarray(times[start:stop], np.float64), _whole(name, node_ids[start:stop])
        found = passes.look(when, ids, by == "neuron", last_time, last_id)
        ordered, low, high, _, largest = found
        if not (ordered and np.isfinite(low) and np.isfinite(high)):
            return None
        last_time, last_id = when[-1], int(ids[-1])
        lowest, highest, size = min(lowest, low), max(highest, high), max(size, largest + 1)
        if by == "neuron":
            counts = np.pad(counts, (0, size - len(counts)))
            first, last = int(ids[0]), int(ids[-1])
            ends = np.searchsorted(ids, np.arange(first, last + 1), side="right")
            counts[first : last + 1] += np.diff(ends, prepend=0)
    offsets = np.r_[0, np.cumsum(counts)] if by == "neuron" else None
    return Columns(times, node_ids, by, (float(lowest), float(highest)), int(size), offsets)


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


def _whole(name: str, ids: NDArray) -> NDArray[np.int64]:
    """Ids as they are counted, refused where one is no neuron's.

    Tables with gaps make floats of them: these must be whole, and small enough to be exact.
    """
    if ids.dtype.kind == "f":
        exact = np.abs(ids) < 2 / np.finfo(ids.dtype).eps  # also False for NaN
        bad = ids[~exact | (np.floor(ids) != ids)]
        if bad.size:
            raise ValueError(f"a node id of population {name!r} is {bad[0]}, which is no neuron")
    ids = ids.astype(np.int64, copy=False) if ids.dtype != np.uint64 else ids.view(np.int64)
    if len(ids) and (ids.min() < 0 or ids.max() == 2**63 - 1):
        bad = ids.min() if ids.min() < 0 else ids.max()
        raise ValueError(f"a node id of population {name!r} is {bad}, which is no neuron")
    if len(ids) and ids.max() >= MOST_NEURONS:
        raise ValueError(
            f"a node id of population {name!r} is {ids.max()}, but node ids number neurons from 0; "
            "spikesim.interop.from_events takes times and ids of other kinds"
        )
    return ids
