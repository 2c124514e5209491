"""Files of converted networks: a network file with what is needed to ask it and to read it."""

from __future__ import annotations

import dataclasses
import os

from spikesim.conversion.leaky.converted import Converted
from spikesim.conversion.leaky.readout import Readout
from spikesim.data.hdf5 import damage_told, open_for_reading, whole_file
from spikesim.description.files import read_network, read_value, write_network, write_value

GROUP, VERSION = "conversion", 1
LEFT_OUT = "network", "readout", "made_by"
PLAIN = [f.name for f in dataclasses.fields(Converted) if f.name not in LEFT_OUT]


def save(converted: Converted, path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Write a converted network to a file, which `load_network` and ``spikesim run`` read too.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    OSError
        If it cannot be written.
    """
    with whole_file(path, overwrite) as hdf5:
        write_network(hdf5, converted.network, converted.dt)
        group = hdf5.create_group(GROUP)
        group.attrs["version"] = VERSION
        for name in PLAIN:
            write_value(group, name, getattr(converted, name))
        write_value(group, "readout", vars(converted.readout))


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
        plain = {name: read_value(group, name) for name in PLAIN}
        return Converted(network=network, readout=Readout(**read_value(group, "readout")), **plain)
