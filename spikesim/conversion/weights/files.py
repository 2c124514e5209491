"""Files of weights, told apart by what is in them."""

from __future__ import annotations

import math
import os
import zipfile
from pathlib import Path

import numpy as np

from spikesim.conversion.weights.refused import NotTaken, damage
from spikesim.conversion.weights.safetensors_files import is_safetensors, read_safetensors
from spikesim.conversion.weights.torch_files import is_torch, read_torch
from spikesim.names import named_options

OTHERS = {  # first bytes of files that are something else, and what is said of them
    b"\x89HDF": "it is an HDF5 file, as spikesim.rate.load and NIR have theirs",
    b"\x93NUMPY": "it is one NumPy array without a name; save all with numpy.savez(path, name=...)",
    b"\x80\x02\x8a\nl\xfc\x9cF\xf9 j\xa8P\x19.": "it is a file of PyTorch before 1.6; load it "
    "there and save it again: torch.save(model.state_dict(), path)",
    b"\x80": "it is a pickle, which could run anything; save with numpy.savez or torch.save",
    b"\x1f\x8b": "it is compressed with gzip; unpack it first",
}


@named_options()
def read_weights(path: str | os.PathLike, *, entry: str | None = None) -> dict[str, np.ndarray]:
    """Arrays of a file by name: a NumPy archive, safetensors, or a state file of PyTorch.

    Which of them it is is told by the file itself. None is unpickled: a file of PyTorch is read
    without PyTorch, and may hold tensors and ordered dicts alone.

    Parameters
    ----------
    path : path
        - ``.npz``, of numbers, true or false, and texts;
        - safetensors [1]_;
        - ``torch.save(model.state_dict(), path)`` of PyTorch 1.6 or later.
    entry : str, optional
        Of a file of PyTorch that holds a dict of dicts, such as a checkpoint: the one to read.

    Returns
    -------
    dict of str to array
        In the order of the file. bfloat16 becomes float32.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is a file of another kind, holds anything else, or is damaged. Sizes are held against
        each other before arrays are made.

    References
    ----------
    .. [1] https://huggingface.co/docs/safetensors
    """
    path = Path(path)
    try:
        with path.open("rb") as file:
            start = file.read(64)
        with damage():
            if start[:4] in (b"PK\x03\x04", b"PK\x05\x06"):
                return _of_zip(path, entry)
            for first, told in OTHERS.items():
                if start.startswith(first):
                    raise NotTaken(told)
            if not is_safetensors(start[:9]):
                raise NotTaken("it is neither a NumPy archive nor safetensors nor PyTorch's")
            _no_entry(entry)
            return read_safetensors(path)
    except ValueError as error:
        raise ValueError(f"cannot read {path}: {error}.") from error


def _of_zip(path: Path, entry: str | None) -> dict[str, np.ndarray]:
    with zipfile.ZipFile(path) as archive:
        if is_torch(archive):
            return read_torch(archive, entry)
        _no_entry(entry)
        others = [name for name in archive.namelist() if not name.endswith(".npy")]
        if others:
            raise NotTaken(f"it is an archive with {others[0]}, not of arrays (.npy) alone")
        for name in archive.namelist():
            _check_array(archive, name)
    with np.load(path, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def _no_entry(entry: str | None) -> None:
    if entry is not None:
        raise NotTaken(f"entry is {entry!r}; only files of PyTorch have entries")


def _check_array(archive: zipfile.ZipFile, name: str) -> None:
    """Hold an array's header against its length, before there is an array."""
    with archive.open(name) as member:
        version = np.lib.format.read_magic(member)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }
        if version not in read:
            raise NotTaken(f"its array {name} is of version {version}")
        shape, _, dtype = read[version](member)
        bare = name.removesuffix(".npy")
        if dtype.hasobject:
            raise NotTaken(f"its array {bare!r} holds Python objects, which would be a pickle")
        if dtype.kind not in "fiubU":
            raise NotTaken(f"its array {bare!r} is of type {dtype}; it must hold real numbers")
        told = archive.getinfo(name).file_size - member.tell()
        if told != math.prod(shape) * dtype.itemsize:
            raise ValueError(f"the array {bare!r} has {told} bytes, not as many as its shape needs")
