"""Reading the spikes of SONATA files: what their columns mean, in what order, what is not told."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikesim.data import rows
from spikesim.data.hdf5 import ms_per_unit, text
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME

SORTING = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
FLAT_POPULATION = "all"  # the name given to the spikes of files without populations
ORDER = {"by_time": "time", "by_id": "neuron"}


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
    spikes = hdf5["spikes"]
    groups = {FLAT_POPULATION: spikes} if "timestamps" in spikes else dict(spikes.items())
    run = hdf5.get("spikesim")
    if run is not None:
        names, in_file = run["populations"].asstr()[:], run["sizes"][:].tolist()
        own = dict(zip(names.tolist(), in_file, strict=True))
        window = _agreed("window", (run["t_start"][()], run["t_stop"][()]), window)
        for name, size in own.items():
            _agreed(f"the size of {name!r}", size, _told(sizes, name))
        sizes, groups = own, {name: groups[name] for name in own}
    elif isinstance(sizes, Mapping) and (unknown := sizes.keys() - groups.keys()):
        raise ValueError(
            f"sizes names {', '.join(map(repr, sorted(unknown)))}, but the populations are "
            f"{', '.join(map(repr, groups))}"
        )

    columns, notes = {}, {}
    for name, group in groups.items():
        columns[name] = _columns(name, group, run is not None)
        for note in columns[name].told:
            notes.setdefault(note, []).append(name)

    known = [column.ends for column in columns.values() if column.ends is not None]
    lowest = min((low for low, _ in known), default=0.0)
    highest = max((high for _, high in known), default=0.0)
    guessed = []
    if window is None:
        # Where a spike lies on the first time, the window begins before it, as windows do.
        start = 0.0 if lowest > SAME_TIME or not known else lowest - 2 * SAME_TIME
        window, guessed = (start, max(highest, 0.0)), ["t_start", "t_stop"]
    elif (
        run is None
        and known
        and not (lowest > window[0] + SAME_TIME and highest <= window[1] + SAME_TIME)
    ):
        raise ValueError(
            f"window is ({window[0]:g}, {window[1]:g}] ms, but spikes lie from {lowest:g} to "
            f"{highest:g} ms; window tells what was recorded, and restrict leaves out spikes"
        )
    trains = {}
    for name, column in columns.items():
        size = _told(sizes, name)
        unknown = [] if size is not None else ["size"]
        size = column.size if size is None else size
        frame: dict[str, Any] = dict(guessed=guessed + unknown)
        if isinstance(column.times, np.ndarray):
            trains[name] = SpikeTrains(column.times, column.neurons, size, *window, **frame)
            continue
        offsets = column.offsets
        if offsets is not None:  # the neurons behind the last one that spiked
            offsets = np.pad(offsets, (0, max(size + 1 - len(offsets), 0)), mode="edge")
            if column.size > size:
                raise ValueError(
                    f"a node id of population {name!r} is {column.size - 1}, but its size is {size}"
                )
        trains[name] = SpikeTrains.lazy(
            column.times, column.neurons, size, *window, by=column.by, offsets=offsets, **frame
        )
    return trains, notes


def _told(sizes: Mapping[str, int] | int | None, name: str) -> int | None:
    return sizes.get(name) if isinstance(sizes, Mapping) else sizes


def _agreed(what: str, in_file: Any, given: Any) -> Any:
    if given is not None and given != in_file:
        raise ValueError(f"{what} is {given}, but the file says {in_file}")
    return in_file


def _columns(name: str, group: h5py.Group, believed: bool) -> Columns:
    """Times (ms) and node ids, the data sets themselves where they are in order.

    A file that is ``believed`` is sorted by time if it says so, and knows its sizes.
    """
    times, node_ids = group.get("timestamps"), group.get("node_ids", group.get("gids"))
    there = [column for column in (times, node_ids) if column is not None]
    if not len(group) or (there and not any(column.size for column in there)):
        return Columns(np.empty(0), np.empty(0, np.int64), size=0)
    if times is None or node_ids is None:
        raise ValueError(f"population {name!r} needs the data sets timestamps and node_ids")
    if node_ids.dtype.kind not in "iu":
        raise ValueError(f"the node_ids of population {name!r} are not integers")
    factor, note = ms_per_unit("the timestamps", times, group)
    in_ms = times if factor == 1 else InMs(times, factor)
    told = [note] if note else []
    by = ORDER.get(_sorting(group))
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
        raise ValueError(f"times must be finite, but timestamps[{i}] is {in_memory[i]}")
    order = np.argsort(in_memory, kind="stable")
    ends = (in_memory[order[0]], in_memory[order[-1]]) if n else None
    return Columns(
        in_memory[order], ids[order], ends=ends, size=int(ids.max(initial=-1)) + 1, told=told
    )


def _looked_through(name: str, times: Any, node_ids: Any, by: str) -> Columns | None:
    """Columns which are sorted as they say, or None; not if a time is NaN."""
    from spikesim.data import passes

    n = min(len(times), len(node_ids))
    last_time, last_id = -np.inf, -1
    lowest, highest, size, counts = np.inf, -np.inf, 0, np.zeros(0, np.int64)
    for start in range(0, n, rows.PIECE):
        stop = min(start + rows.PIECE, n)
        when, ids = np.asarray(times[start:stop], np.float64), _whole(name, node_ids[start:stop])
        found = passes.look(when, ids, by == "neuron", last_time, last_id)
        ordered, low, high, _, largest = found
        if not ordered:
            return None
        last_time, last_id = when[-1], int(ids[-1])
        lowest, highest, size = min(lowest, low), max(highest, high), max(size, largest + 1)
        if by == "neuron":
            counts = np.pad(counts, (0, size - len(counts)))
            counts[ids[0] :] += np.bincount(ids - ids[0])
    offsets = np.r_[0, np.cumsum(counts)] if by == "neuron" else None
    return Columns(times, node_ids, by, (float(lowest), float(highest)), int(size), offsets)


def _sorting(group: h5py.Group) -> str:
    """SONATA says enum; other programs write the number or the name alone, or nothing."""
    if "sorting" not in group.attrs:
        return "none"
    value = np.ravel(group.attrs["sorting"])[0]
    if isinstance(value, str | bytes):
        return text(value)
    numbers = h5py.check_enum_dtype(group.attrs.get_id("sorting").dtype)
    numbers = numbers or SORTING.metadata["enum"]
    return {number: name for name, number in numbers.items()}.get(int(value), "none")


def _whole(name: str, ids: NDArray) -> NDArray[np.int64]:
    """Ids as they are counted, refused where one is no neuron's."""
    ids = ids.astype(np.int64, copy=False) if ids.dtype != np.uint64 else ids.view(np.int64)
    if len(ids) and (ids.min() < 0 or ids.max() == 2**63 - 1):
        bad = ids.min() if ids.min() < 0 else ids.max()
        raise ValueError(f"a node id of population {name!r} is {bad}, which is no neuron")
    return ids
