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

from spikesim.data import nwb_files, sonata_spikes
from spikesim.data.hdf5 import (
    LiveFile,
    damage_told,
    open_for_reading,
    tell,
)
from spikesim.data.report_files import REPORT, report_info
from spikesim.data.sonata_spikes import FLAT_POPULATION, SORTING
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

SONATA, NWB = "SONATA spikes", "NWB units"  # formats, beside REPORT


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
        held = f"every spike up to {self.t_stop:.12g} ms"
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
        held = f"every spike up to {self.t_stop:.12g} ms"
        with self._file.transaction(held=held) as hdf5:
            hdf5["spikesim"].attrs.update(encoded)

    def _note(self, support: Windows, labels: Mapping[str, np.ndarray]) -> None:
        """Note what there is beside spikes: the windows if there are gaps, and labels."""
        with self._file.transaction(held="every spike") as hdf5:
            run = hdf5["spikesim"]
            if len(support) > 1:
                run["support"] = np.stack([support.starts, support.stops], axis=1)
            for name, values in labels.items():
                run[name] = values

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


def write_spikes(
    path: str | os.PathLike,
    trains: SpikeTrains | Mapping[str, SpikeTrains],
    attributes: Mapping[str, Any] | None = None,
    *,
    overwrite: bool = False,
) -> None:
    """Write spike trains, wherever they come from, to a SONATA file sorted by time.

    Other programs find the spikes in /spikes, uncompressed; their node ids are the neurons'
    numbers. SONATA has no windows, gaps or labels of neurons: these are in /spikesim, where
    `open_spikes` finds them.

    Parameters
    ----------
    path : path
    trains : mapping of str to SpikeTrains, or SpikeTrains
        Populations by name, all with one support; trains alone are the population "all".
    attributes : mapping, optional
        What to note, as of a run: strings, numbers, booleans, lists and mappings of these.
    overwrite : bool
        Whether an existing file may be replaced.

    Raises
    ------
    FileExistsError
        If the file exists and overwrite is false.
    OSError
        If the file cannot be written.
    TypeError, ValueError
        If the supports differ, or names, attributes or labels cannot be stored.
    """
    populations = {FLAT_POPULATION: trains} if isinstance(trains, SpikeTrains) else trains
    if not isinstance(populations, Mapping) or not all(
        isinstance(these, SpikeTrains) for these in populations.values()
    ):
        raise TypeError(
            f"trains must be SpikeTrains, or a mapping of names to them, but are {trains!r}"
        )
    if not populations:
        raise ValueError("trains must hold one population at least, but hold none")
    support = next(iter(populations.values())).support
    for name, these in populations.items():
        if these.support != support:
            raise ValueError(
                f"the trains of a file must have one support, but {next(iter(populations))!r} has "
                f"{support!r} and {name!r} {these.support!r}; restrict makes them equal"
            )
    labels = {
        f"labels/{name}/{label}": _column_of(label, values)
        for name, these in populations.items()
        for label, values in these.labels.items()
    }
    sizes = {name: these.size for name, these in populations.items()}
    start, stop = support.starts[0], support.stops[-1]
    with SpikeWriter(path, sizes, attributes or {}, overwrite, start) as writer:
        for name, these in populations.items():
            writer.append(name, these.times, these.neurons)
        writer.flush(stop)
        writer._note(support, labels)


def _column_of(label: str, values: np.ndarray) -> np.ndarray:
    if "/" in label or label in ("", "."):
        raise ValueError(f"a label's name must not be empty nor hold '/': {label!r}")
    kind = values.dtype.kind
    if kind in "biuf":
        return values
    if kind == "U" or (kind == "O" and all(isinstance(value, str) for value in values)):
        return values.astype(h5py.string_dtype())
    raise TypeError(f"label {label!r} has type {values.dtype}; it must hold numbers or strings")


def open_spikes(
    path: str | os.PathLike,
    *,
    window: tuple[float, float] | None = None,
    sizes: Mapping[str, int] | int | None = None,
) -> dict[str, SpikeTrains]:
    """The spikes in a SONATA or NWB file, of this or another program, or of a run still going on.

    Files sorted by time or by id are read lazily (see ``SpikeTrains.lazy``) and stay open as long
    as the trains live. In files of other programs that say so the spikes are looked through once,
    in pieces. Others are read whole and sorted, and so are those that say so wrongly.

    The window and the sizes are those of the run where the file tells them (/spikesim), and so are
    a support with gaps and labels, which `write_spikes` notes there; spikes behind its ``t_stop``,
    left by a run that was killed, are left out. Other programs' files tell neither, so without
    ``window`` it is from 0 (or just before the first spike, if that is at 0 or earlier) to the
    largest time of all populations, and without ``sizes`` a size is the largest node id + 1: the
    ``guessed`` of the trains says so. A flat file (/spikes/timestamps) gives one population named
    "all". Times in other units (``units``: s, us, "milliseconds" and so on) are converted, and
    times without are taken as ms. A population without spikes may have no data sets. Columns may
    be of any numbers, compressed or not; node ids that are floats must be whole.

    The units of an NWB file are one population, "units", read whole; `read_nwb` says what their
    window, order and labels are, and reads the tables of trials, too.

    Parameters
    ----------
    path : path
    window : (t_start, t_stop), optional
        What was recorded (ms), where the file does not tell. It holds its stop and not its start.
    sizes : mapping of str to int, or int, optional
        How many neurons each population has, where the file does not tell.

    Returns
    -------
    dict of str to SpikeTrains
        The populations in the order of the run, or of the file.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is neither a SONATA spike file nor one of NWB, or damaged, or its times are in an
        unknown unit, or if spikes lie outside of the window or of the sizes, or the file tells
        others.

    Warns
    -----
    UserWarning
        Times were converted to ms, have no unit or only 32 bits, or are not sorted although the
        file says so.
    """
    hdf5 = open_for_reading(path)
    with damage_told(path):
        if nwb_files.is_nwb(hdf5):
            trains, notes = _units(hdf5, window, sizes)
        elif "spikes" in hdf5:
            trains, notes = sonata_spikes.read(hdf5, window, sizes)
        else:
            raise ValueError(
                "it holds no group /spikes, so it is not a SONATA spike file, nor is it of NWB"
            )
    tell(path, notes)
    return trains


def _units(
    hdf5: h5py.File, window: tuple[float, float] | None, sizes: Mapping[str, int] | int | None
) -> tuple[dict[str, SpikeTrains], dict[str, list[str]]]:
    units, notes = nwb_files.read_units(hdf5, window)
    size = sizes.get(nwb_files.POPULATION, units.size) if isinstance(sizes, Mapping) else sizes
    if size not in (None, units.size):
        raise ValueError(f"the size is {size}, but the file has {units.size} units")
    return {nwb_files.POPULATION: units}, notes


def info(path: str | os.PathLike) -> dict[str, Any]:
    """What a file of spikes or of states holds.

    Returns
    -------
    dict
        ``format``, "SONATA spikes", "SONATA report" or "NWB units"; ``populations``, for spikes
        name -> {neurons, spikes, rate (Hz)}, for reports name -> {elements, samples, every (ms; NaN
        where nothing is held), variable, unit}; ``t_start`` and ``t_stop`` (ms); and for spikes of
        this program ``run``, the attributes of the run.

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
        form = _form_of(hdf5)
        if form == REPORT:
            facts, notes = report_info(hdf5)
        else:
            read = _units(hdf5, None, None) if form == NWB else sonata_spikes.read(hdf5)
            facts, notes = _spikes_info(hdf5, form, *read)
    tell(path, notes)
    return facts


def _spikes_info(
    hdf5: h5py.File, form: str, trains: dict[str, SpikeTrains], notes: dict[str, list[str]]
) -> tuple[dict[str, Any], dict[str, list[str]]]:
    facts = {
        "format": form,
        "populations": {
            name: {"neurons": train.size, "spikes": len(train), "rate": train.rate}
            for name, train in trains.items()
        },
        "t_start": min((train.t_start for train in trains.values()), default=0.0),
        "t_stop": max((train.t_stop for train in trains.values()), default=0.0),
    }
    if "spikesim" in hdf5:
        facts["run"] = _run_of(hdf5)
    return facts, notes


def _form_of(hdf5: h5py.File) -> str:
    if "report" in hdf5:
        return REPORT
    if nwb_files.is_nwb(hdf5):
        return NWB
    if "spikes" in hdf5:
        return SONATA
    raise ValueError("it holds neither a group /spikes nor /report of SONATA, nor is it of NWB")


def _run_of(hdf5: h5py.File) -> dict[str, Any]:
    return {name: _decode(value) for name, value in hdf5["spikesim"].attrs.items()}


def origin(path: str | os.PathLike) -> tuple[str, dict[str, Any]]:
    """The format and the attributes of the run as `info` has them; nothing else is looked at."""
    with open_for_reading(path) as hdf5, damage_told(path):
        return _form_of(hdf5), _run_of(hdf5) if "spikesim" in hdf5 else {}
