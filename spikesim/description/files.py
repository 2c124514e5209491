"""Network files: a description in HDF5, from which the same network is described again.

Layout: attributes ``format``, ``version``, ``name`` and ``seed`` (and ``dt``, ms, where the network
is meant for one); groups ``populations``, ``projections`` and ``inputs`` with a group for each.
Objects are groups with their class and plain fields as attributes, arrays as data sets, mappings as
groups that remember the order of their keys. Only classes of descriptions are ever made of them.
"""

from __future__ import annotations

import dataclasses
import json
import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from spikesim import __version__
from spikesim.data.hdf5 import damage_told, open_for_reading, text, whole_file
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.description import distributions, inputs, projection, rules
from spikesim.description.dynamics import Upswing
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.population import View
from spikesim.description.receptors import Receptor

FORMAT, VERSION = "spikesim network", 1
MAPPING, TRAINS = "mapping", "SpikeTrains"
CLASSES: dict[str, type] = {
    kind.__name__: kind
    for kind in (
        *(NeuronModel, Receptor, Upswing, View, projection.Static),
        *(distributions.Normal, distributions.LogNormal, distributions.Uniform),
        *(rules.FixedProbability, rules.FixedInDegree, rules.FixedOutDegree, rules.FixedTotal),
        *(rules.OneToOne, rules.AllToAll, rules.Pairs, rules.DistanceDependent),
        *(rules.Gaussian, rules.ExponentialProfile, rules.Box, rules.DistanceDelay),
        *(inputs.Poisson, inputs.Gamma, inputs.PoissonDeadTime, inputs.CorrelatedPoisson),
        *(inputs.WhiteNoise, inputs.Spikes, inputs.Current, inputs.PoissonRates, inputs.Sampled),
    )
}


def save_network(
    network: Network,
    path: str | os.PathLike,
    *,
    dt: float | None = None,
    overwrite: bool = False,
) -> None:
    """Write the description of a network to a file.

    Parameters
    ----------
    network : Network
    path : path
    dt : float, optional
        The step (ms) that it is meant for, which ``spikesim run`` then takes.
    overwrite : bool

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written. A file that was there is then still there.
    """
    with whole_file(path, overwrite) as hdf5:
        write_network(hdf5, network, dt)


def load_network(path: str | os.PathLike) -> Network:
    """The network that a file describes, as `save_network` or a conversion wrote it.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not a network file, or a damaged one.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        return read_network(hdf5)


def is_network(path: str | os.PathLike) -> bool:
    """Whether a file says of itself that it is a network file. Errors: `load_network`."""
    with open_for_reading(path) as hdf5, damage_told(path):
        return text(hdf5.attrs.get("format", "")) == FORMAT


def step_of(path: str | os.PathLike) -> float | None:
    """The step (ms) that a network file is meant for, if it says so."""
    with open_for_reading(path) as hdf5, damage_told(path):
        return float(hdf5.attrs["dt"]) if "dt" in hdf5.attrs else None


def write_network(hdf5: h5py.File, network: Network, dt: float | None = None) -> None:
    """Write into a file that is open."""
    hdf5.attrs.update(format=FORMAT, version=VERSION, spikesim=__version__)
    hdf5.attrs["name"], hdf5.attrs["seed"] = network.name, network.seed
    if dt is not None:
        hdf5.attrs["dt"] = dt
    for kind in ("populations", "projections", "inputs"):
        things = getattr(network, kind)
        write_value(hdf5, kind, {name: _fields(thing) for name, thing in things.items()})


def read_network(hdf5: h5py.File) -> Network:
    """Read from a file that is open; everything is held against everything as when described."""
    if text(hdf5.attrs.get("format", "")) != FORMAT:
        raise ValueError("it is not a network file of spikesim")
    if hdf5.attrs["version"] > VERSION:
        raise ValueError("it was written by a newer version of spikesim")
    network = Network(seed=int(hdf5.attrs["seed"]), name=text(hdf5.attrs["name"]))
    for name, given in read_value(hdf5, "populations").items():
        network.population(
            name, given["size"], given["model"], given["init"], positions=given["positions"]
        )
    for name, given in read_value(hdf5, "projections").items():
        network.connect(
            given["source"],
            given["target"],
            given["rule"],
            weight=given["weight"],
            delay=given["delay"],
            receptor=given["receptor"],
            synapse=given["synapse"],
            name=name,
        )
    for name, given in read_value(hdf5, "inputs").items():
        receptor = given["receptor"] or None
        network.drive(given["target"], given["input"], receptor=receptor, name=name)
    return network


def _fields(thing: Any) -> dict[str, Any]:
    fields = (f.name for f in dataclasses.fields(thing) if f.init and f.name != "name")
    return {name: getattr(thing, name) for name in fields}


def write_value(group: h5py.Group, name: str, value: Any) -> None:
    """Write a value of any kind that descriptions hold under a name."""
    if isinstance(value, np.ndarray):
        group[name] = value
    elif isinstance(value, Mapping):
        own = group.create_group(name)
        own.attrs["class"], own.attrs["keys"] = MAPPING, json.dumps(list(value))
        for k, one in enumerate(value.values()):  # any text can be a key, not any a name
            write_value(own, str(k), one)
    elif isinstance(value, SpikeTrains):
        own = group.create_group(name)
        own.attrs["class"], own.attrs["size"] = TRAINS, value.size
        own["times"], own["neurons"] = value.times, value.neurons
        own["starts"], own["stops"] = value.support.starts, value.support.stops
    elif dataclasses.is_dataclass(value):
        kind = type(value).__name__
        if CLASSES.get(kind) is not type(value):
            raise TypeError(f"{kind} is of a kind that no network file holds.")
        own = group.create_group(name)
        own.attrs["class"] = kind
        for field in dataclasses.fields(value):
            if field.init:
                write_value(own, field.name, getattr(value, field.name))
    else:
        group.attrs[name] = json.dumps(value, default=lambda number: number.item())


def read_value(group: h5py.Group, name: str) -> Any:
    """What `write_value` wrote."""
    if name in group.attrs:
        value = json.loads(text(group.attrs[name]))
        return tuple(value) if isinstance(value, list) else value
    found = group[name]
    if isinstance(found, h5py.Dataset):
        return found[()]
    kind = text(found.attrs["class"])
    if kind == MAPPING:
        keys = json.loads(text(found.attrs["keys"]))
        return {key: read_value(found, str(k)) for k, key in enumerate(keys)}
    if kind == TRAINS:
        support = Windows(found["starts"][()], found["stops"][()])
        size = int(found.attrs["size"])
        return SpikeTrains(found["times"][()], found["neurons"][()], size, support=support)
    if kind not in CLASSES:
        raise ValueError(f"it holds an object of the unknown class {kind!r}")
    names = [f.name for f in dataclasses.fields(CLASSES[kind]) if f.init]
    return CLASSES[kind](**{each: read_value(found, each) for each in names})
