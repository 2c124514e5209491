"""Model files: a network, and how it was trained, in HDF5.

Layout: attributes of the file are the settings of the network; ``cells/0`` and so on have their
class and fields as attributes (JSON) or, if they are arrays, data sets; ``parameters`` and
``masks`` hold a data set for each name; ``history`` what training gave. A checkpoint is a model
file with a group ``training`` for going on. Files are replaced as a whole: whatever happens to
their writer, a file is the old one or the new one.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np

from spikesim import __version__, display
from spikesim.data.hdf5 import damage_told, open_for_reading, text, whole_file
from spikesim.rate.network import RateNetwork

MOST_SHOWN = 20  # validations of a history in a notebook
FORMAT, VERSION = "spikesim rate network", 1
SETTINGS = "inputs", "outputs", "dt", "seed", "dtype", "readout", "readout_from", "readout_tau"


@dataclass
class History:
    """What training gave, update by update.

    Parameters
    ----------
    task : str
    settings : dict
        Of the task.
    batch, seed : int
        Trials of an update, and the seed of training.
    loss : list of float
        Of each update, regularization included.
    validated : list of int
        Updates that had been made when the network was measured on trials not trained on.
    validation_loss, performance : list of float
        Then; without regularization.
    stage : list of int
        Of the curriculum, then.
    seconds : float
        Spent training, up to the last validation.
    stop : str
        Why training ended: "criterion", "updates" or "interrupted"; "" before.
    """

    task: str
    settings: dict[str, Any]
    batch: int
    seed: int
    loss: list[float] = field(default_factory=list)
    validated: list[int] = field(default_factory=list)
    validation_loss: list[float] = field(default_factory=list)
    performance: list[float] = field(default_factory=list)
    stage: list[int] = field(default_factory=list)
    seconds: float = 0.0
    stop: str = ""

    @property
    def updates(self) -> int:
        return len(self.loss)

    @property
    def trials(self) -> int:
        return self.batch * self.updates

    @property
    def best(self) -> int:
        """Which validation of the last stage was the best: of equal ones that of lower loss."""
        columns = zip(self.stage, self.performance, self.validation_loss, strict=True)
        ranks = [(p, -x) if s == self.stage[-1] else (-1.0, 0.0) for s, p, x in columns]
        return ranks.index(max(ranks))

    def __repr__(self) -> str:
        return f"<History: {self._told()}>"

    def _told(self) -> str:
        told = f"{self.task}, {self.updates:,} updates of {self.batch} trials, seed {self.seed}"
        if self.validated:
            told += f", best performance {self.performance[self.best]:.4g}"
        return f"{told}, ended by {self.stop}" if self.stop else told

    def _repr_html_(self) -> str:
        every = max(1, -(-len(self.validated) // MOST_SHOWN))
        rows = zip(self.validated, self.validation_loss, self.performance, strict=True)
        shown = [(u, f"{loss:.4g}", f"{p:.4g}") for u, loss, p in rows]
        shown = [row for k, row in enumerate(shown) if (len(shown) - 1 - k) % every == 0]
        return display.whole(
            f"History: {self._told()}",
            display.table("validations", ["updates", "loss", "performance"], shown),
        )


def save(
    network: RateNetwork,
    path: str | os.PathLike,
    history: History | None = None,
    overwrite: bool = False,
) -> None:
    """Write a network, and how it was trained, to a file.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written.
    TypeError
        If a cell is not one of ``spikesim.rate``, which no file could be read back into.
    """
    write(path, network, history, {}, overwrite)


def load(path: str | os.PathLike) -> RateNetwork:
    """The network of a model file.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not a model file or a damaged one.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        return _network(_checked(hdf5))


def load_history(path: str | os.PathLike) -> History | None:
    """How the network of a model file was trained; None if the file does not say. Errors: `load`.

    The lists of the history are those of training up to the time of saving.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        return _history(_checked(hdf5))


def model_info(path: str | os.PathLike) -> dict[str, Any]:
    """What a model file holds; errors as in `load`.

    Returns
    -------
    dict
        ``format``; the settings of the network (``dt`` in ms); ``cells``, a list of {class,
        fields}; ``parameters``, name -> shape; ``trained``, None or {task, settings, seed,
        updates, trials, seconds, loss, performance, stop}, loss and performance being those of
        the best validation.
    """
    network, history = load(path), load_history(path)
    trained = None
    if history is not None:
        trained = {
            "task": history.task,
            "settings": history.settings,
            "seed": history.seed,
            "updates": history.updates,
            "trials": history.trials,
            "seconds": history.seconds,
            "loss": history.validation_loss[history.best],
            "performance": history.performance[history.best],
            "stop": history.stop,
        }
    return {
        "format": FORMAT,
        **{name: getattr(network, name) for name in SETTINGS},
        "cells": [{"class": type(c).__name__, **_plain(c)} for c in network.cells],
        "parameters": {name: list(p.shape) for name, p in network.parameters.items()},
        "frozen": sorted(network.frozen),
        "trained": trained,
    }


def is_model(path: str | os.PathLike) -> bool:
    """Whether a file says of itself that it is a model file. Errors: `load`."""
    with open_for_reading(path) as hdf5, damage_told(path):
        return text(hdf5.attrs.get("format", "")) == FORMAT


def write(
    path: str | os.PathLike,
    network: RateNetwork,
    history: History | None,
    training: Mapping[str, Any],
    overwrite: bool,
) -> None:
    """Write a model file; ``training`` is what going on needs: dicts of arrays, and plain values.

    Errors as in `save`.
    """
    with whole_file(path, overwrite) as hdf5:
        hdf5.attrs.update(format=FORMAT, version=VERSION, spikesim=__version__)
        for name in SETTINGS:
            hdf5.attrs[name] = _json(getattr(network, name))
        hdf5.attrs["frozen"] = _json(sorted(network.frozen))
        for i, cell in enumerate(network.cells):
            _write_object(hdf5.create_group(f"cells/{i}"), cell)
        _write_values(hdf5.create_group("parameters"), network.parameters)
        _write_values(hdf5.create_group("masks"), network.masks)
        if history is not None:
            _write_values(hdf5.create_group("history"), _columns(history))
        if training:
            _write_values(hdf5.create_group("training"), training)


def read_training(path: str | os.PathLike) -> tuple[RateNetwork, History, dict[str, Any]]:
    """What `write` wrote for going on; errors as in `load`."""
    with open_for_reading(path) as hdf5, damage_told(path):
        if "training" not in _checked(hdf5):
            raise ValueError("it is a model file but no checkpoint")
        return _network(hdf5), _history(hdf5), _read_values(hdf5["training"])


def check_settings(task: str, settings: Mapping[str, Any]) -> None:
    """Refuse settings of a task that no file could hold."""
    try:
        _json(dict(settings))
    except (TypeError, ValueError, AttributeError):
        raise TypeError(
            f"the settings of the task {task} are {settings!r}; they must be numbers, texts, lists "
            "and dicts of these, which go into files."
        ) from None


def difference(here: RateNetwork, there: RateNetwork) -> str:
    """The first setting in which two networks differ, in words; "" if in none."""
    ours, theirs = _flat(here), _flat(there)
    for name in ours | theirs:
        a, b = ours.get(name), theirs.get(name)
        if not np.array_equal(a, b):
            if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
                return f"{name} has other values there than here"
            return f"{name} is {b!r} there and {a!r} here"
    return ""


def _flat(network: RateNetwork) -> dict[str, Any]:
    flat: dict[str, Any] = {name: getattr(network, name) for name in SETTINGS if name != "seed"}
    flat["number of cells"] = len(network.cells)
    for i, cell in enumerate(network.cells):
        flat[f"class of cell {i}"] = type(cell).__name__
        flat |= {f"{name} of cell {i}": value for name, value in _fields(cell).items()}
    flat["frozen"] = sorted(network.frozen)
    return flat | {f"the mask of {name}": mask for name, mask in network.masks.items()}


def _fields(thing: Any) -> dict[str, Any]:
    return {f.name: getattr(thing, f.name) for f in dataclasses.fields(thing) if f.init}


def _plain(thing: Any) -> dict[str, Any]:
    """Fields as they can be printed: of arrays their shape, of objects their name or class."""
    plain = {}
    for name, value in _fields(thing).items():
        if isinstance(value, np.ndarray):
            value = f"array of shape {value.shape}"
        elif dataclasses.is_dataclass(value):
            value = getattr(value, "name", repr(value))
        plain[name] = value
    return plain


def _json(value: Any) -> str:
    return json.dumps(value, default=lambda value: value.tolist())


def _tuples(value: Any) -> Any:
    """What JSON gave, with tuples for lists: settings are frozen."""
    return tuple(map(_tuples, value)) if isinstance(value, list) else value


def _class(name: str) -> type:
    import spikesim.rate as rate

    found = getattr(rate, name) if name in rate.__all__ else None
    if not (isinstance(found, type) and dataclasses.is_dataclass(found)):
        raise TypeError(f"{name!r} is not a class of spikesim.rate")
    return found


def _write_object(group: h5py.Group, thing: Any) -> None:
    name = type(thing).__name__
    if _class(name) is not type(thing):
        raise TypeError(f"{name!r} is not the class of this name of spikesim.rate")
    group.attrs["class"] = name
    for key, value in _fields(thing).items():
        if dataclasses.is_dataclass(value):
            _write_object(group.create_group(key), value)
        else:
            _write_values(group, {key: value})


def _read_object(group: h5py.Group) -> Any:
    fields: dict[str, Any] = {}
    for name, value in group.items():
        fields[name] = np.asarray(value) if isinstance(value, h5py.Dataset) else _read_object(value)
    for name, value in group.attrs.items():
        if name != "class":
            fields[name] = _tuples(json.loads(value))
    return _class(text(group.attrs["class"]))(**fields)


def _write_values(group: h5py.Group, values: Mapping[str, Any]) -> None:
    """Arrays as data sets, dicts of arrays as groups, everything else as attributes."""
    for name, value in values.items():
        if isinstance(value, np.ndarray):
            group[name] = value
        elif isinstance(value, Mapping) and all(
            isinstance(array, np.ndarray) for array in value.values()
        ):
            _write_values(group.create_group(name), value)
        else:
            group.attrs[name] = _json(value)


def _read_values(group: h5py.Group) -> dict[str, Any]:
    values: dict[str, Any] = {name: json.loads(value) for name, value in group.attrs.items()}
    for name, value in group.items():
        values[name] = np.asarray(value) if isinstance(value, h5py.Dataset) else _read_values(value)
    return values


def _columns(history: History) -> dict[str, Any]:
    return {k: np.array(v) if isinstance(v, list) else v for k, v in vars(history).items()}


def _history(hdf5: h5py.File) -> History | None:
    if "history" not in hdf5:
        return None
    values = _read_values(hdf5["history"])
    return History(**{k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in values.items()})


def _checked(hdf5: h5py.File) -> h5py.File:
    if text(hdf5.attrs.get("format", "")) != FORMAT:
        raise ValueError("it is not a model file of spikesim.rate")
    if hdf5.attrs["version"] > VERSION:
        raise ValueError("it was written by a newer version of spikesim")
    return hdf5


def _network(hdf5: h5py.File) -> RateNetwork:
    settings = {name: json.loads(hdf5.attrs[name]) for name in SETTINGS}
    cells = [_read_object(hdf5[f"cells/{i}"]) for i in range(len(hdf5["cells"]))]
    network = RateNetwork(cells, **settings)
    stored = _read_values(hdf5["parameters"])
    if stored.keys() != network.parameters.keys():
        odd = ", ".join(sorted(stored.keys() ^ network.parameters.keys()))
        raise ValueError(f"its parameters are not those of its cells: {odd}")
    for name, values in stored.items():
        if values.shape != network.parameters[name].shape:
            raise ValueError(
                f"its parameter {name} has shape {values.shape}; its cells need "
                f"{network.parameters[name].shape}"
            )
        network.parameters[name][...] = values
    network.masks = _read_values(hdf5["masks"])
    network.frozen = set(json.loads(hdf5.attrs["frozen"]))
    return network
