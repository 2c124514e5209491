"""NWB files (Neurodata Without Borders): written by pynwb, read without it."""

from __future__ import annotations

import os
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.data.foreign import lists_of
from spikesim.data.nwb_files import read_nwb as read_nwb
from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

MS = 1000.0  # in a second
UNKNOWN = "unknown"
# What every table has beside its columns.
RESERVED = {
    "colnames",
    "description",
    "meanings_tables",
    "namespace",
    "neurodata_type",
    "object_id",
}
RESERVED_OF_UNITS = RESERVED | {"spike_times", "obs_intervals", "electrodes"}
RESERVED_OF_UNITS |= {"waveform_mean", "waveform_sd", "waveforms"}
RESERVED_OF_TABLES = RESERVED | {"start_time", "stop_time", "tags", "timeseries"}


def write_nwb(
    path: str | os.PathLike,
    spikes: SpikeTrains | Mapping[str, SpikeTrains] | Session,
    windows: Mapping[str, Windows] | None = None,
    *,
    description: str = "spikes written by spikesim",
    identifier: str | None = None,
    started: datetime | None = None,
    overwrite: bool = False,
) -> None:
    """Write spike trains to a new NWB file, a unit for each neuron, and windows to its tables.

    Parameters
    ----------
    path : path
        Ends with ".nwb" by custom.
    spikes : SpikeTrains, mapping of str to SpikeTrains, or Session
        Of a mapping, which must have one support, the units get a column "population".
    windows : mapping of str to Windows, optional
        "trials" and "epochs" become the tables of these names, others tables of their own. Of a
        session, its windows are written as well.
    description, identifier : str
        Of the session. By default the identifier is a new UUID.
    started : datetime, optional
        When the session began, with a time zone; the zero of all times. Default: now.
    overwrite : bool
        Whether an existing file may be replaced. Nothing is ever added to one.

    Raises
    ------
    ImportError
        Without pynwb.
    FileExistsError
        If the file exists and overwrite is false.
    ValueError
        If supports differ, a label or a table of windows has a name that NWB does not allow, or a
        label holds neither numbers nor text.

    Notes
    -----
    Times are in seconds, ascending for each unit. The support becomes the ``obs_intervals`` of
    every unit, closed as NWB has them: (start, stop] becomes [start, stop], and no spike lies on a
    start. Labels become columns; the label "id" the ids of the units, or of a table's rows, if it
    holds whole numbers and none twice (else the column "id_"); the label "electrode_group" groups
    of electrodes, which lie where the label "location" says.
    """
    try:
        import pynwb
    except ImportError:
        raise ImportError(
            "pynwb is not installed; install it with: pip install 'spikesim[nwb]'."
        ) from None
    tables = dict(windows or {})
    if isinstance(spikes, Session):
        tables = spikes.windows | tables
        spikes = spikes.spikes
    trains = spikes if isinstance(spikes, SpikeTrains) else _side_by_side(spikes)
    _check_path(path, overwrite)
    file = pynwb.NWBFile(
        session_description=description,
        identifier=identifier or str(uuid.uuid4()),
        session_start_time=started or datetime.now(UTC),
    )
    file.units = _units(file, trains)
    for name, table in tables.items():
        _add_table(file, name, table)
    # An error, in the middle of a file, shall leave what was there before.
    beside = Path(path).with_name(f"{uuid.uuid4().hex}.nwb")
    try:
        with pynwb.NWBHDF5IO(str(beside), "w") as io:
            io.write(file)
        os.replace(beside, path)
    finally:
        beside.unlink(missing_ok=True)


def _check_path(path: str | os.PathLike, overwrite: bool) -> None:
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{path} exists already: give another path, or overwrite=True")
    if os.path.isdir(path) or not os.path.isdir(Path(path).parent):
        raise FileNotFoundError(f"cannot write {path}: it is a folder, or its folder is not there")


def _side_by_side(populations: Mapping[str, SpikeTrains]) -> SpikeTrains:
    """The neurons of all populations, with the label "population"."""
    if not populations:
        raise ValueError("spikes must hold one population at least, but hold none")
    first, *others = populations.values()
    merged = first.merge(*others)
    names = np.repeat(list(populations), [trains.size for trains in populations.values()])
    return SpikeTrains(
        merged.times,
        merged.neurons,
        merged.size,
        support=merged.support,
        labels=merged.labels | {"population": names},
    )


def _units(file: Any, trains: SpikeTrains) -> Any:
    from pynwb.misc import Units

    labels = dict(trains.labels)
    _check_labels(labels, RESERVED_OF_UNITS)
    groups = _groups(file, labels) if "electrode_group" in labels else []
    ids, labels, n = *_ids(labels, trains.size), trains.size
    lists = lists_of(trains)
    seconds = np.concatenate([np.empty(0), *lists]) / MS
    windows = np.stack([trains.support.starts, trains.support.stops], axis=1) / MS
    return Units(
        name="units",
        description="neurons",
        id=ids,
        columns=[
            *_ragged("spike_times", "times of spikes (s)", seconds, [len(x) for x in lists]),
            *_ragged(
                "obs_intervals",
                "when the unit was observed (s)",
                np.tile(windows, (n, 1)),
                [len(windows)] * n,
            ),
            *groups,
            *_columns(labels),
        ],
    )


def _ids(
    labels: dict[str, NDArray[Any]], n: int
) -> tuple[NDArray[np.int64], dict[str, NDArray[Any]]]:
    """The ids of a table's rows, and the labels without those that became ids."""
    ids = labels.get("id", np.empty(0))
    if ids.dtype.kind in "iu" and len(np.unique(ids)) == n:
        return ids.astype(np.int64), {k: v for k, v in labels.items() if k != "id"}
    other = "id_"
    while other in labels:
        other += "_"
    return np.arange(n), {other if k == "id" else k: v for k, v in labels.items()}


def _ragged(name: str, about: str, data: NDArray[Any], lengths: list[int]) -> tuple[Any, Any]:
    from hdmf.common import VectorData, VectorIndex

    values = VectorData(name=name, description=about, data=data)
    ends = np.cumsum(lengths).astype(np.uint64)
    return VectorIndex(name=f"{name}_index", data=ends, target=values), values


def _columns(labels: Mapping[str, NDArray[Any]]) -> list[Any]:
    from hdmf.common import VectorData

    return [
        VectorData(
            name=name,
            description=name,
            data=values,
        )
        for name, values in labels.items()
    ]


def _check_labels(labels: Mapping[str, NDArray[Any]], reserved: set[str]) -> None:
    for name, values in labels.items():
        column = name.removesuffix("_index")
        if name in reserved or column in reserved or not _is_name(name):
            raise ValueError(
                f"a label has the name {name!r}; it must be another than "
                f"{', '.join(sorted(reserved))}, without '/' or ':'"
            )
        if column != name and column in labels:
            raise ValueError(
                f"a label has the name {name!r}, which NWB keeps for the index of the column "
                f"{column!r}; it must have another"
            )
        if values.dtype.kind not in "biufU":
            raise ValueError(
                f"label {name!r} has type {values.dtype}; it must hold numbers or text"
            )


def _is_name(name: Any) -> bool:
    """Whether HDF5 takes a name for one thing in a group."""
    return isinstance(name, str) and name not in ("", ".") and not {"/", ":"} & {*name}


def _groups(file: Any, labels: dict[str, NDArray[Any]]) -> list[Any]:
    """The column of electrode groups; it takes labels from those given that are said by it."""
    from hdmf.common import VectorData

    names = [name or UNKNOWN for name in labels.pop("electrode_group").astype(np.str_).tolist()]
    places = dict.fromkeys(names, UNKNOWN)
    if "location" in labels:
        told = set(zip(names, labels["location"].astype(np.str_).tolist(), strict=True))
        if len(told) == len(places):  # one place for each group
            places |= dict(told)
            del labels["location"]
    device = file.create_device(name=UNKNOWN)
    groups = {
        name: file.create_electrode_group(
            name=name, description=name, location=place or UNKNOWN, device=device
        )
        for name, place in places.items()
    }
    data = [groups[name] for name in names]
    return [VectorData(name="electrode_group", description="electrode group", data=data)]


def _add_table(file: Any, name: str, windows: Windows) -> None:
    from hdmf.common import VectorData
    from pynwb.epoch import TimeIntervals

    if not _is_name(name):
        raise ValueError(
            f"a table of windows has the name {name!r}; it must be text without '/' or ':'"
        )
    labels = dict(windows.labels)
    _check_labels(labels, RESERVED_OF_TABLES)
    ids, labels = _ids(labels, len(windows))
    table = TimeIntervals(
        name=name,
        description=name,
        id=ids,
        columns=[
            VectorData(name="start_time", description="start (s)", data=windows.starts / MS),
            VectorData(name="stop_time", description="stop (s)", data=windows.stops / MS),
            *_columns(labels),
        ],
    )
    if name in ("trials", "epochs", "invalid_times"):
        setattr(file, name, table)
    else:
        file.add_time_intervals(table)
