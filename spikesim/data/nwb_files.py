"""Sessions in NWB files (Neurodata Without Borders), read by h5py alone."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import h5py
import numpy as np
from numpy.typing import NDArray

from spikesim.checks import check_choice
from spikesim.data.foreign import say_more_than_numbers, trains_of
from spikesim.data.hdf5 import MS_PER_UNIT, damage_told, open_for_reading, tell, text, values
from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

POPULATION = "units"
MS = 1000.0  # in a second
# What the schema has in a table of units or of intervals, and is read otherwise or not at all.
NO_LABELS = {"id", "spike_times", "obs_intervals", "electrodes", "electrode_group"}
NO_LABELS |= {"waveform_mean", "waveform_sd", "waveforms"}
NO_LABELS_OF_TABLES = {"id", "start_time", "stop_time", "timeseries"}
BMTK = "BMTK"  # how its files describe themselves; they have ms where NWB has seconds

Notes = dict[str, list[str]]


def read_nwb(
    path: str | os.PathLike, window: tuple[float, float] | None = None, *, unit: str = "s"
) -> Session:
    """The units of an NWB file as spike trains, and its tables of intervals as windows.

    Read by h5py alone, in any version of NWB 2.

    Parameters
    ----------
    path : path
    window : (t_start, t_stop), optional
        What was recorded (ms), for files without ``obs_intervals``. Without either it is guessed,
        from 0 (or just before the first spike) to the last spike.
    unit : "s" or "ms"
        Of all times in the file. NWB has seconds; files of BMTK 1.2 have ms.

    Returns
    -------
    Session
        ``spikes``: neuron k is row k of the table of units, silent or not. The rows' ids are the
        label "id" unless they are 0, 1, ...; columns of numbers and of text are labels, the name
        of the electrode group is "electrode_group" and where it lies "location".
        ``windows``: "trials", "epochs", "invalid_times" and whatever other tables of intervals
        there are, by name, with their columns as labels. Waveforms and series are not read.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not an NWB file, holds no spike times, is damaged, or contradicts itself; if a
        time is not finite; if the units were never observed together, or a window is given though
        the file tells.

    Warns
    -----
    UserWarning
        Columns, rows and spikes that are left out; times that are not in seconds; units without
        ``obs_intervals`` beside others that have some; a table "invalid_times", since these times
        still count.

    Notes
    -----
    The support is the time in which *all* units were observed, the intersection of their
    ``obs_intervals``: there each unit's rate and silence mean something. Spikes outside of it
    are left out. The intervals are closed: where a spike lies on a start, the window begins 2e-6
    ms earlier, and intervals that touch become one, so no spike is lost or counted twice. Tables
    of intervals keep their numbers: of the window (start, stop] a spike on the start is outside.
    """
    check_choice("unit", unit, ("s", "ms"))
    hdf5 = open_for_reading(path)
    with hdf5, damage_told(path):
        session, notes = read(hdf5, window, MS_PER_UNIT[unit])
    tell(path, notes)
    return session


def is_nwb(hdf5: h5py.File) -> bool:
    """Whether a file says that it is one of NWB."""
    return "nwb_version" in hdf5.attrs or "nwb_version" in hdf5


def read(
    hdf5: h5py.File, window: tuple[float, float] | None = None, ms: float = MS
) -> tuple[Session, Notes]:
    """A file's session, and what to tell of which of its tables; see `read_nwb`.

    ``ms`` is what times are multiplied by.
    """
    spikes, notes = read_units(hdf5, window, ms)
    tables = {
        name: _table(name, table, ms, notes)
        for name, table in hdf5.get("intervals", {}).items()
        if isinstance(table, h5py.Group) and {"start_time", "stop_time"} <= table.keys()
    }
    if len(tables.get("invalid_times", ())):
        notes["these times count like others; restrict leaves them out"] = ["invalid_times"]
    return Session(spikes, tables), notes


def read_units(
    hdf5: h5py.File, window: tuple[float, float] | None = None, ms: float = MS
) -> tuple[SpikeTrains, Notes]:
    """The same without the tables of intervals."""
    if not is_nwb(hdf5):
        raise ValueError("it has no nwb_version, so it is not an NWB file")
    if "nwb_version" not in hdf5.attrs:
        raise ValueError(f"it is of {text(hdf5['nwb_version'][()])}; NWB 2 is read")
    units = hdf5.get("units")
    if not isinstance(units, h5py.Group) or "spike_times" not in units:
        raise ValueError("it holds no /units/spike_times, so no spikes")
    notes: Notes = {}
    spikes = _units(hdf5, units, window, ms, notes)
    described = hdf5.get("session_description")
    if described is not None and BMTK in text(described[()]) and ms == MS:
        note = "BMTK 1.2 writes ms where NWB has seconds; read_nwb takes them so with unit='ms'"
        notes[note] = [POPULATION]
    return spikes, notes


def _units(
    hdf5: h5py.File, units: h5py.Group, window: tuple[float, float] | None, ms: float, notes: Notes
) -> SpikeTrains:
    ids = _ids(units)
    kind = units["spike_times"].dtype
    if kind.kind == "f" and kind.itemsize < 8:
        note = (
            f"spike_times have {8 * kind.itemsize} bits; they may lie on the wrong side of an edge"
        )
        notes[note] = [POPULATION]
    times = _spike_times(units, ids) * ms
    neurons = np.repeat(np.arange(len(ids)), np.diff(_rows(units, "spike_times", len(ids))))
    bad = np.flatnonzero(~np.isfinite(times))
    if bad.size:
        raise ValueError(
            f"times must be finite, but unit {ids[neurons[bad[0]]]} has a spike at {times[bad[0]]}"
        )
    labels = {"id": ids} if say_more_than_numbers(ids) else {}
    labels |= _columns(POPULATION, units, len(ids), notes, NO_LABELS)
    labels |= _places(hdf5, units, len(ids))
    observed = _observed(units, len(ids), times, ms, notes)
    if observed is None:
        told = None if window is None else Windows(*window)
        return trains_of(times, neurons, len(ids), told, labels)
    if window is not None:
        raise ValueError(
            f"window is {window}, but obs_intervals of the file tell what was recorded; restrict "
            "leaves out spikes"
        )
    inside = observed.contains(times)
    if not inside.all():
        note = (
            f"{(~inside).sum():,} of {len(times):,} spikes lie outside of the obs_intervals that "
            "all units have in common; they are left out"
        )
        notes.setdefault(note, []).append(POPULATION)
    return trains_of(times[inside], neurons[inside], len(ids), observed, labels)


def _ids(table: h5py.Group) -> NDArray[Any]:
    ids = table["id"][:]
    return ids.astype(np.int64) if ids.dtype.kind in "iu" else ids


def _rows(table: h5py.Group, name: str, n: int) -> NDArray[np.int64]:
    """Where the values of each row of a ragged column begin, and the end; shape (n + 1,).

    The index holds the ends, in the smallest unsigned integers that do, whose differences wrap.
    """
    column, index = table[name], table.get(f"{name}_index")
    ends = np.arange(1, len(column) + 1) if index is None else index[:].astype(np.int64)
    starts = np.r_[0, ends]
    if len(ends) != n or np.any(np.diff(starts) < 0) or starts[-1] > len(column):
        raise ValueError(f"{name}_index does not share {len(column)} values out among {n} rows")
    return starts


def _spike_times(units: h5py.Group, ids: NDArray[Any]) -> NDArray[np.float64]:
    column = units["spike_times"]
    if "spike_times_index" not in units:
        raise ValueError("spike_times has no index, which tells whose they are")
    if column.ndim != 1 or column.dtype.kind not in "iuf":
        raise ValueError(
            f"spike_times have shape {column.shape} and type {column.dtype}; they must be one "
            "column of numbers"
        )
    return column[: _rows(units, "spike_times", len(ids))[-1]].astype(np.float64)


def _observed(
    units: h5py.Group, n: int, times: NDArray[np.float64], ms: float, notes: Notes
) -> Windows | None:
    """The windows in which all units were observed, if the file tells."""
    if "obs_intervals" not in units:
        return None
    rows, edges = _rows(units, "obs_intervals", n), units["obs_intervals"][:] * ms
    common, seen = None, set()
    untold = np.count_nonzero(np.diff(rows) == 0)
    if 0 < untold < n:
        note = (
            f"{untold:,} of {n:,} units have no obs_intervals; they are taken to have been "
            "observed whenever the others were"
        )
        notes.setdefault(note, []).append(POPULATION)
    for unit in range(n):
        these = edges[rows[unit] : rows[unit + 1]]
        if not len(these) or these.tobytes() in seen:  # a unit of which nothing is told
            continue
        seen.add(these.tobytes())
        order = np.argsort(these[:, 0], kind="stable")
        windows = Windows.closed(*these[order].T, times).union()
        common = windows if common is None else common.intersect(windows)
    if common is not None and not len(common):
        raise ValueError("the obs_intervals of the units have no time in common")
    if len(seen) > 1:
        note = "the units have different obs_intervals; what all have in common is the support"
        notes.setdefault(note, []).append(POPULATION)
    return common


def _columns(
    name: str, table: h5py.Group, n: int, notes: Notes, no_labels: set[str]
) -> dict[str, NDArray[Any]]:
    """The columns of a table that have a number or a text for each row."""
    labels, left = {}, []
    for column in _names(table, no_labels):
        data = table[column]
        plain = None
        if isinstance(data, h5py.Dataset) and f"{column}_index" not in table and data.ndim == 1:
            plain = _chosen(table, column, data) if len(data) == n else None
        if plain is None:
            left.append(column)
        else:
            labels[column] = plain
    if left:
        note = f"columns without one number or text a row are left out: {', '.join(left)}"
        notes.setdefault(note, []).append(name)
    return labels


def _names(table: h5py.Group, no_labels: set[str]) -> Iterator[str]:
    """The columns in the order of the table, but for what is read otherwise."""
    told = table.attrs.get("colnames", ())
    for name in [text(name) for name in np.ravel(told)] if np.size(told) else table:
        if name in table and name not in no_labels:
            yield name


def _chosen(table: h5py.Group, name: str, data: h5py.Dataset) -> NDArray[Any] | None:
    """The values of a column; of one that numbers a list of choices, what was chosen."""
    plain, choices = values(data), table.get(f"{name}_elements")
    if plain is None or choices is None or plain.dtype.kind not in "iu":
        return plain
    return values(choices)[plain]


def _places(hdf5: h5py.File, units: h5py.Group, n: int) -> dict[str, NDArray[Any]]:
    """The name of each unit's electrode group, and where its electrodes lie."""
    labels = {}
    if "electrodes" in units and isinstance(units["electrodes"], h5py.Dataset):
        region, rows = units["electrodes"], _rows(units, "electrodes", n)
        electrodes = hdf5[region.attrs["table"]]
        which = region[:].astype(np.int64)
        for label, column in (("electrode_group", "group_name"), ("location", "location")):
            names = values(electrodes[column]) if column in electrodes else None
            if names is not None and label not in units:
                found = [names[which[a:b]] for a, b in zip(rows[:-1], rows[1:], strict=True)]
                each = [", ".join(dict.fromkeys(several.tolist())) for several in found]
                labels[label] = np.array(each, np.str_)
    groups = units.get("electrode_group")
    if isinstance(groups, h5py.Dataset) and groups.shape == (n,):
        found = [hdf5[reference] if reference else None for reference in groups[:]]
        names = ["" if group is None else group.name.rsplit("/", 1)[1] for group in found]
        labels["electrode_group"] = np.array(names, np.str_)
        places = ["" if g is None else text(g.attrs.get("location", "")) for g in found]
        if "location" not in labels and "location" not in units:
            labels["location"] = np.array(places, np.str_)
    return labels


def _table(name: str, table: h5py.Group, ms: float, notes: Notes) -> Windows:
    starts, stops = table["start_time"][:] * ms, table["stop_time"][:] * ms
    n = len(starts)
    ids = _ids(table)
    labels = {"id": ids} if say_more_than_numbers(ids) else {}
    labels |= _columns(name, table, n, notes, NO_LABELS_OF_TABLES)
    good = np.isfinite(starts) & np.isfinite(stops) & (starts <= stops)
    if not good.all():
        note = f"{(~good).sum()} of {n} rows have no start, or no stop after it, and are left out"
        notes.setdefault(note, []).append(name)
    return Windows(starts[good], stops[good], {k: v[good] for k, v in labels.items()})
