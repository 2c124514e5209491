"""Files of converted networks: a network file with what is needed to ask it and to read it."""

from __future__ import annotations

import dataclasses
import io
import os

import h5py

from spikesim.conversion.leaky.converted import Converted
from spikesim.conversion.leaky.readout import Readout
from spikesim.data.hdf5 import damage_told, open_for_reading, write_whole
from spikesim.description.files import read_network, read_value, write_network, write_value

GROUP, VERSION = "conversion", 1
LEFT_OUT = "network", "readout", "made_by"


def save(converted: Converted, path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Write a converted network to a file, which `load_network` and ``spikesim run`` read too.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written.
    """
    image = io.BytesIO()
    with h5py.File(image, "w") as hdf5:
        write_network(hdf5, converted.network, converted.dt)
        group = hdf5.create_group(GROUP)
        group.attrs["version"] = VERSION
        for name, value in _plain(converted).items():
            write_value(group, name, value)
        write_value(group, "readout", vars(converted.readout))
    write_whole(path, image, overwrite)


def load(path: str | os.PathLike) -> Converted:
    """The converted network of a file.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not the file of a converted network, or a damaged one.
    """
    with open_for_reading(path) as hdf5, damage_told(path):
        network = read_network(hdf5)
        if GROUP not in hdf5:
            raise ValueError("it is a network file, but not of a converted network")
        group = hdf5[GROUP]
        if group.attrs["version"] > VERSION:
            raise ValueError("it was written by a newer version of spikesim")
        names = [f.name for f in dataclasses.fields(Converted) if f.name not in LEFT_OUT]
        plain = {name: read_value(group, name) for name in names}
        return Converted(network=network, readout=Readout(**read_value(group, "readout")), **plain)


def _plain(converted: Converted) -> dict[str, object]:
    fields = (f.name for f in dataclasses.fields(converted) if f.name not in LEFT_OUT)
    return {name: getattr(converted, name) for name in fields}
