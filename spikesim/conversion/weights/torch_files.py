"""State files of PyTorch, read without PyTorch.

Such a file is a zip archive with ``data.pkl``, a pickle of a dict of tensors; ``data/0`` and so on,
the numbers of each storage; and ``byteorder``. A pickle can call whatever it names. This one is
held to the operations that PyTorch writes for plain data, and may name tensors, their storages and
ordered dicts alone, of which we have our own.
"""

from __future__ import annotations

import io
import math
import pickle
import pickletools
import zipfile
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.conversion.weights.refused import NotTaken

PLAIN = """
    PROTO STOP MARK NONE NEWTRUE NEWFALSE BININT BININT1 BININT2 LONG1 BINFLOAT BINUNICODE
    SHORT_BINUNICODE EMPTY_TUPLE TUPLE TUPLE1 TUPLE2 TUPLE3 EMPTY_LIST APPEND APPENDS EMPTY_DICT
    SETITEM SETITEMS GLOBAL REDUCE BUILD BINPERSID BINPUT LONG_BINPUT BINGET LONG_BINGET
"""
STORAGES = {  # NumPy's names of what they hold; bfloat16 are the upper halves of float32
    "DoubleStorage": "f8",
    "FloatStorage": "f4",
    "HalfStorage": "f2",
    "BFloat16Storage": "bfloat16",
    "LongStorage": "i8",
    "IntStorage": "i4",
    "ShortStorage": "i2",
    "CharStorage": "i1",
    "ByteStorage": "u1",
    "BoolStorage": "?",
}


class _Ordered(dict):
    """An ordered dict of a file; what PyTorch hangs on it (versions of modules) is left out."""

    __slots__ = ()

    def __setstate__(self, state: Any) -> None:
        pass


@dataclass(frozen=True, slots=True)
class _Storage:
    kind: str
    record: str
    size: int


@dataclass(frozen=True, slots=True)
class _Tensor:
    """Where a tensor's numbers lie, as the file says: looked at by `_place`."""

    storage: Any
    offset: Any
    shape: Any
    strides: Any
    flags: Any = None


@dataclass(frozen=True, slots=True)
class _Call:
    """A function that the pickle names; a new one each time, so that no file can change it."""

    name: str

    def __call__(self, *given: Any) -> Any:
        if self.name == "_rebuild_parameter":
            return given[0]
        storage, offset, shape, strides, _, _, *flags = given
        return _Tensor(storage, offset, shape, strides, *flags)


class _Restricted(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        return _named(module, name)

    def persistent_load(self, pid: Any) -> _Storage:
        word, kind, record, _, size = pid
        if word != "storage":
            raise ValueError(f"{word!r} is no storage")
        return _Storage(kind, record, size)


def _named(module: str, name: str) -> Any:
    """What a name of the pickle stands for, if it may be there."""
    if (module, name) == ("collections", "OrderedDict"):
        return _Ordered
    if module == "torch._utils" and name in ("_rebuild_tensor_v2", "_rebuild_parameter"):
        return _Call(name)
    if module == "torch" and name in STORAGES:
        return STORAGES[name]
    raise NotTaken(
        f"its pickle names {module}.{name}; tensors (of floats, whole numbers or bool) and "
        "ordered dicts alone are read: save model.state_dict()"
    )


def is_torch(archive: zipfile.ZipFile) -> bool:
    """Whether a zip archive is a file of PyTorch."""
    return any(name.split("/")[-1] == "data.pkl" for name in archive.namelist())


def read_torch(archive: zipfile.ZipFile, entry: str | None) -> dict[str, np.ndarray]:
    """The tensors of a file, or of the dict that is its ``entry``.

    Raises
    ------
    NotTaken
        If it holds anything else, by name.
    ValueError, LookupError, ...
        If it is damaged.
    """
    (pkl,) = (name for name in archive.namelist() if name.split("/")[-1] == "data.pkl")
    root = pkl.removesuffix("data.pkl")
    if f"{root}constants.pkl" in archive.namelist():
        raise NotTaken("it is a TorchScript module; save model.state_dict() instead")
    found = _unpickled(_record(archive, pkl))
    if entry is not None:
        if not isinstance(found, dict) or entry not in found:
            known = ", ".join(map(repr, found)) if isinstance(found, dict) else "none"
            raise NotTaken(f"it has no entry {entry!r}; its entries are {known}")
        found = found[entry]
    if not isinstance(found, dict):
        raise NotTaken(f"it holds {_told(found)}; it must be a dict of tensors: model.state_dict()")
    for name, value in found.items():
        if not isinstance(name, str) or not isinstance(value, _Tensor):
            dicts = [k for k, v in found.items() if isinstance(v, dict)]
            hint = f"; give entry={dicts[0]!r} for the dict within" if dicts else ""
            raise NotTaken(f"its entry {name!r} is {_told(value)}, not a tensor{hint}")
    order = {"little": "<", "big": ">"}[_byteorder(archive, root)]
    reads = {name: _place(name, tensor, archive, root) for name, tensor in found.items()}
    storages: dict[str, np.ndarray] = {}
    arrays = {}
    for name, (tensor, size) in reads.items():
        record = tensor.storage.record
        if record not in storages:
            storages[record] = _numbers(_record(archive, record, root), tensor.storage.kind, order)
        whole = storages[record]
        if whole.size != size:
            raise ValueError(f"the storage of {name!r} ends early")
        strides = [s * whole.itemsize for s in tensor.strides]
        view = np.lib.stride_tricks.as_strided(whole[tensor.offset :], tensor.shape, strides)
        arrays[name] = np.array(view, view.dtype.newbyteorder("="), order="C")
    return arrays


def _unpickled(data: bytes) -> Any:
    """The pickle's value, after a look at its operations."""
    allowed = set(PLAIN.split())
    for operation, argument, _ in pickletools.genops(data):
        if operation.name == "GLOBAL":
            _named(*argument.split(" ", 1))
        if operation.name not in allowed:
            raise NotTaken(f"its pickle has the operation {operation.name}, as no state dict does")
        # The memo is a list as long as its largest number.
        if operation.name == "LONG_BINPUT" and argument > len(data):
            raise ValueError("its pickle numbers more objects than it holds")
    return _Restricted(io.BytesIO(data)).load()


def _place(name: str, tensor: _Tensor, archive: zipfile.ZipFile, root: str) -> tuple[_Tensor, int]:
    """The tensor and the size of its storage, held against each other and against the archive."""
    storage = tensor.storage
    if tensor.flags:
        raise NotTaken(f"the tensor {name!r} is marked {tensor.flags!r}: save it resolved")
    if not isinstance(storage, _Storage) or storage.kind not in STORAGES.values():
        raise ValueError(f"the tensor {name!r} has no storage")
    whole = [storage.size, tensor.offset, *tensor.shape, *tensor.strides]
    if not all(type(n) is int and n >= 0 for n in whole):
        raise ValueError(f"the tensor {name!r} has sizes that are no whole numbers")
    if len(tensor.shape) != len(tensor.strides):
        raise ValueError(f"the tensor {name!r} has {len(tensor.strides)} strides")
    count = math.prod(tensor.shape)
    last = sum((n - 1) * s for n, s in zip(tensor.shape, tensor.strides, strict=True))
    if count and tensor.offset + last >= storage.size:
        raise ValueError(f"the tensor {name!r} reaches beyond its storage")
    if count > storage.size:
        raise NotTaken(f"the tensor {name!r} is expanded: save it contiguous")
    size = 2 if storage.kind == "bfloat16" else np.dtype(storage.kind).itemsize
    entry = archive.getinfo(f"{root}data/{storage.record}")
    if entry.file_size != size * storage.size:
        raise ValueError(
            f"the storage of {name!r} has {entry.file_size} bytes; {size * storage.size} are told"
        )
    return tensor, storage.size


def _record(archive: zipfile.ZipFile, name: str, root: str | None = None) -> bytes:
    """What is stored under a name; never more than the file has."""
    entry = archive.getinfo(name if root is None else f"{root}data/{name}")
    if entry.compress_type != zipfile.ZIP_STORED or entry.compress_size != entry.file_size:
        raise NotTaken("it is a compressed archive, as PyTorch writes none")
    return archive.read(entry)


def _byteorder(archive: zipfile.ZipFile, root: str) -> str:
    if f"{root}byteorder" not in archive.namelist():
        return "little"  # of files before PyTorch 2.1
    return _record(archive, f"{root}byteorder").decode()


def _numbers(data: bytes, kind: str, order: str) -> np.ndarray:
    if kind == "bfloat16":
        return upper_halves(np.frombuffer(data, f"{order}u2"))
    return np.frombuffer(data, np.dtype(kind).newbyteorder(order))


def upper_halves(halves: np.ndarray) -> np.ndarray:
    """bfloat16, as the upper halves of float32."""
    return (halves.astype(np.uint32) << np.uint32(16)).view(np.float32)


def _told(value: Any) -> str:
    if isinstance(value, _Tensor):
        return "a tensor"
    return f"of kind {type(value).__name__.removeprefix('_')}"
