"""Safetensors files: eight bytes with the length of a header, the header (JSON), the numbers.

Read by ourselves: the package would be a dependency, and gives NumPy no bfloat16.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np

from spikesim.conversion.weights.refused import NotTaken
from spikesim.conversion.weights.torch_files import upper_halves

LONGEST = 100_000_000  # bytes of a header, by the format's own rule
TYPES = {
    **{"F64": "<f8", "F32": "<f4", "F16": "<f2", "BF16": "<u2"},
    **{"I64": "<i8", "I32": "<i4", "I16": "<i2", "I8": "|i1"},
    **{"U64": "<u8", "U32": "<u4", "U16": "<u2", "U8": "|u1", "BOOL": "|?"},
}


def is_safetensors(start: bytes) -> bool:
    """Whether the first nine bytes of a file are those of a safetensors file."""
    return len(start) == 9 and start[8:] == b"{"


def read_safetensors(path: Path) -> dict[str, np.ndarray]:
    """The tensors of a file.

    Raises
    ------
    NotTaken
        If it holds numbers of a kind that is not read, by name.
    ValueError, LookupError, ...
        If it is damaged: header, types, shapes and places are looked at before numbers are read.
    """
    size = path.stat().st_size - 8
    with path.open("rb") as file:
        length = int.from_bytes(file.read(8), "little")
        if length > min(size, LONGEST):
            raise ValueError(f"its header would have {length} bytes")
        header = json.loads(file.read(length).decode(), object_pairs_hook=_unique)
        header.pop("__metadata__", None)
        places = {name: _place(name, **entry) for name, entry in header.items()}
        _check_whole(list(places.values()), size - length)
        arrays = {}
        for name, (kind, begin, end) in places.items():
            file.seek(8 + length + begin)
            numbers = np.frombuffer(file.read(end - begin), TYPES[kind])
            numbers = upper_halves(numbers) if kind == "BF16" else numbers
            array = np.array(numbers.reshape(header[name]["shape"]))
            arrays[name] = array.astype(array.dtype.newbyteorder("="))
    return arrays


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("its header has a name twice")
    return dict(pairs)


def _place(name: str, dtype: str, shape: list, data_offsets: list) -> tuple[str, int, int]:
    """Kind and place of a tensor, held against each other."""
    if dtype not in TYPES:
        raise NotTaken(f"its tensor {name!r} is of type {dtype}; read are {', '.join(TYPES)}")
    begin, end = data_offsets
    if not all(type(n) is int and n >= 0 for n in [*shape, begin, end]):
        raise ValueError(f"{name!r} has sizes that are no whole numbers")
    wanted = math.prod(shape) * np.dtype(TYPES[dtype]).itemsize
    if end - begin != wanted:
        raise ValueError(f"{name!r} has {end - begin} bytes; its shape needs {wanted}")
    return dtype, begin, end


def _check_whole(places: list[tuple[str, int, int]], size: int) -> None:
    """Tensors lie one behind the other, from the first byte to the last."""
    at = 0
    for _, begin, end in sorted(places, key=lambda place: place[1:]):
        if begin != at:
            raise ValueError(f"its tensors have a gap or an overlap at byte {begin}")
        at = end
    if at != size:
        raise ValueError(f"it has {size} bytes of numbers; its header tells of {at}")
