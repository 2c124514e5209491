"""HDF5 files which survive the death of their writer, and the opening of files for reading."""

from __future__ import annotations

import contextlib
import errno
import io
import math
import os
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from spikesim.checks import warn

MS_PER_UNIT = {
    **dict.fromkeys(["ns", "nsec", "nanosecond", "nanoseconds"], 1e-6),
    **dict.fromkeys(["us", "usec", "\N{GREEK SMALL LETTER MU}s"], 1e-3),
    **dict.fromkeys(["microsecond", "microseconds"], 1e-3),
    **dict.fromkeys(["ms", "msec", "msecs", "millisecond", "milliseconds"], 1.0),
    **dict.fromkeys(["s", "sec", "secs", "second", "seconds"], 1000.0),
}
FULL = {errno.ENOSPC, errno.EFBIG, getattr(errno, "EDQUOT", errno.ENOSPC)}


class _Reading(io.FileIO):
    """A file of which each opening sees the disk.

    By its name HDF5 opens a file once in a process: as long as an earlier opening lives, a later
    one is shown what that had read, and of a growing file the old lengths.
    """

    def __del__(self) -> None:
        self.close()


def open_for_reading(path: str | os.PathLike) -> h5py.File:
    """An HDF5 file as it is now, also one that is being written.

    Raises
    ------
    FileNotFoundError, OSError
        If there is no such file or it may not be read.
    ValueError
        If it is not an HDF5 file or its head is damaged.
    """
    if not os.path.exists(path):
        raise FileNotFoundError(f"there is no file {path}")
    try:
        file = _Reading(path)
    except OSError as error:
        raise type(error)(f"cannot read {path}: {error.strerror}") from error
    try:
        return h5py.File(file, "r")
    except OSError as error:
        raise ValueError(f"{path} is not an HDF5 file, or a damaged one") from error


def straight(group: h5py.Group, name: str) -> Any:
    """What a group holds of a name, chunks as they lie in the file read past HDF5's cache.

    The cache reads a whole chunk for one number and copies every other; compressed ones need it.
    """
    found = group.get(name)
    if not isinstance(found, h5py.Dataset) or not found.chunks:
        return found
    if found.id.get_create_plist().get_nfilters():
        return found
    file, path = found.file, found.name
    del found  # as long as it is open, an opening with other properties is the same
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(1, 0, 0.0)
    return h5py.Dataset(h5py.h5d.open(file.id, path.encode(), access))


@contextlib.contextmanager
def damage_told(path: str | os.PathLike) -> Iterator[None]:
    """Turn whatever goes wrong while a file is read into a ValueError which names the file."""
    try:
        yield
    except (ValueError, TypeError) as error:
        raise ValueError(f"cannot read {path}: {error}") from error
    except (OSError, LookupError, AttributeError, RuntimeError) as error:
        raise ValueError(f"cannot read {path}: it is damaged ({error})") from error


@contextlib.contextmanager
def whole_file(path: str | os.PathLike, overwrite: bool) -> Iterator[h5py.File]:
    """An HDF5 file to write, put in its place when it is whole: it is the old one or the new one.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false, before anything is made.
    OSError
        If it cannot be written.
    """
    path, image = Path(path), io.BytesIO()
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"{path} exists already: give another path, or replace it with --force (in Python "
            "overwrite=True)"
        )
    with h5py.File(image, "w") as hdf5:
        yield hdf5
    part = path.with_name(f"{path.name}.part")
    try:
        part.write_bytes(image.getbuffer())
        os.replace(part, path)
    except OSError as error:
        part.unlink(missing_ok=True)
        raise type(error)(f"cannot write {path}: {error.strerror}") from error


def text(attribute: Any) -> str:
    """An attribute's string, be it stored as bytes or str, alone or as an array of one, or none."""
    if isinstance(attribute, h5py.Empty) or np.size(attribute) == 0:
        return ""
    value = np.ravel(attribute)[0]
    return value.decode() if isinstance(value, bytes) else str(value)


def values(column: h5py.Dataset) -> np.ndarray | None:
    """Numbers, truth values or strings of a data set; None if it holds anything else."""
    if h5py.check_string_dtype(column.dtype) is not None:
        return np.array(column.asstr()[()].tolist(), np.str_)
    return column[()] if column.dtype.kind in "biuf" else None


def ms_per_unit(what: str, *places: h5py.Dataset | h5py.Group) -> tuple[float, str]:
    """What times are multiplied by to be in ms, by the first place with an attribute ``units``.

    Also what a user should be told of it, or nothing. ``what`` names the times.
    """
    found = [
        place.attrs[name] for place in places for name in ("units", "unit") if name in place.attrs
    ]
    units = text(found[0]).strip() if found else ""
    if not units:
        return 1.0, f"{what} have no units; they are taken as ms"
    factor = MS_PER_UNIT.get(units.casefold())  # this makes the micro sign the Greek letter, too
    if factor is None:
        raise ValueError(f"{what} are in {units!r}; it must be ms, s, us or ns, or their names")
    return factor, "" if factor == 1 else f"{what} are in {units!r}; they are given in ms"


def tell(path: str | os.PathLike, notes: Mapping[str, Sequence[str]]) -> None:
    """Warn who called the caller of this of what was taken for granted, for which populations."""
    for note, names in notes.items():
        warn(f"{path}, {', '.join(map(repr, names))}: {note}.")


class LiveFile:
    """A new HDF5 file which holds its last complete transaction whatever happens to its writer.

    HDF5 itself writes at a flush, among others, the new length of a data set before the index of
    its chunks and before the new end of the file, so a process killed in between leaves data
    sets which end in zeros or cannot be read. Here all writes pass through OrderedWrites, which
    brings them into an order in which each beginning is a valid file. That holds for data sets
    which grow along one axis: their chunk index (the extensible array of the HDF5 1.10 format)
    never moves what it holds, as the older B-tree does. Measured by opening the file after every
    single write of 60 flushes: with HDF5's order 304 of 776 states were bad, with this one 0 of
    536.

    Parameters
    ----------
    path : path
    overwrite : bool
        Whether an existing file may be replaced.

    Attributes
    ----------
    hdf5 : h5py.File
        Written to inside of ``with file.transaction():`` only.
    is_open : bool

    Raises
    ------
    FileExistsError
        If the file exists and overwrite is false.
    OSError
        If the file cannot be created.
    """

    def __init__(self, path: str | os.PathLike, overwrite: bool = False):
        self.path = path
        self._writes = OrderedWrites(_create(path, overwrite))
        # The alignment keeps each small block of metadata in one page of memory, which the system
        # copies whole or not at all when the process is killed.
        self.hdf5 = h5py.File(
            self._writes,
            "w",
            libver=("v110", "v110"),
            alignment_threshold=1,
            alignment_interval=512,
        )
        self.is_open = True

    @contextlib.contextmanager
    def transaction(self, *lengths: h5py.Dataset, held: str = "nothing") -> Iterator[h5py.File]:
        """Write to the file: all of it or, if anything fails, nothing, and the file is closed.

        Parameters
        ----------
        *lengths
            Data sets whose lengths, or whole content if they are contiguous, become visible at
            once and last.
        held
            What the file holds already, for the message of an error.

        Raises
        ------
        OSError
            If the file cannot be written.
        """
        if not self.is_open:
            raise ValueError(f"{self.path} has been closed and cannot be written any more")
        try:
            yield self.hdf5
            self.hdf5.flush()
            self._writes.commit([_address(data) for data in lengths])
        except BaseException as failure:
            self._writes.abandon()
            self.close()
            cause = self._writes.error
            if cause is None:
                raise
            reason = "disk full" if cause.errno in FULL else cause.strerror
            raise OSError(f"{reason}: {self.path} holds {held}") from failure

    def close(self) -> None:
        """Close the file; once more does nothing."""
        if not self.is_open:
            return
        self.is_open = False
        with self._writes:
            try:
                self.hdf5.close()
            except Exception:
                if not self._writes.abandoned:
                    raise
            if not self._writes.abandoned:
                self._writes.commit([])


def _create(path: str | os.PathLike, overwrite: bool) -> io.FileIO:
    if os.path.isdir(path):
        raise IsADirectoryError(f"cannot write {path}: it is a folder")
    if not os.path.isdir(Path(path).parent):
        raise FileNotFoundError(f"cannot write {path}: its folder does not exist")
    try:
        if overwrite and os.path.isfile(path):
            path = os.path.realpath(path)
            os.unlink(path)  # who reads the old file reads on in it
        return io.FileIO(path, "w+" if overwrite else "x+")
    except FileExistsError:
        raise FileExistsError(
            f"{path} exists already: give another path, or replace it "
            f"with --force (in Python overwrite=True)"
        ) from None
    except OSError as error:
        raise type(error)(f"cannot write {path}: {error.strerror}") from error


def _address(data: h5py.Dataset) -> int:
    """Where in the file the length of a chunked data set, or a contiguous one's content, is."""
    return h5py.h5o.get_info(data.id).addr if data.chunks else data.id.get_offset()


class OrderedWrites(io.RawIOBase):
    """The file as h5py's file-like driver sees it.

    Writes behind the committed end of the file go to the disk at once: nothing on the disk points
    there. Writes into the committed part are held back until ``commit``.
    """

    def __init__(self, disk: io.FileIO):
        self._disk = disk
        self._position = 0
        self._size = 0
        self._committed = 0  # the size up to the last commit
        self._held: list[tuple[int, bytes]] = []
        self.error: OSError | None = None  # h5py does not always pass it on

    def commit(self, addresses: list[int]) -> None:
        """Bring the held writes to the disk, the blocks at the addresses at once and last.

        The others go in order of address: first the superblock, at 0, with the new end of the
        file (the file is that long by now), then the blocks of the chunk index and the partly
        filled chunks, in which only parts change that no visible length covers. A process killed
        at any of these writes leaves the old content; killed after the last, the new. That last
        write can only be torn apart where it crosses a page of memory, within nanoseconds; two
        columns may then differ in length, which open_spikes accepts and libsonata does not.
        """
        held = sorted(self._held, key=lambda write: write[0])
        last = []
        for offset, data in held:
            if any(offset <= address < offset + len(data) for address in addresses):
                last.append((offset, data))
            else:
                self._put(offset, data)
        self._held = last
        if last:
            first = last[0][0]
            span = bytearray(max(offset + len(data) for offset, data in last) - first)
            self.seek(first)
            self.readinto(span)
            self._put(first, span)
        self._held = []
        self._committed = self._size

    def abandon(self) -> None:
        """Let nothing come to the disk from now on: what HDF5 writes stays in memory."""
        self._committed = math.inf

    @property
    def abandoned(self) -> bool:
        return self._committed == math.inf

    def _put(self, offset: int, data: bytes | bytearray | memoryview) -> None:
        try:
            self._disk.seek(offset)
            rest = memoryview(data)
            while rest:
                rest = rest[self._disk.write(rest) :]
        except OSError as error:
            self.error = self.error or error
            raise

    def write(self, data) -> int:
        data = memoryview(data).cast("B")
        if self._position < self._committed:
            self._held.append((self._position, bytes(data)))
        else:
            self._put(self._position, data)
        self._position += len(data)
        self._size = max(self._size, self._position)
        return len(data)

    def readinto(self, buffer) -> int:
        buffer = memoryview(buffer).cast("B")
        start, stop = self._position, self._position + len(buffer)
        self._disk.seek(start)
        n = self._disk.readinto(buffer)
        buffer[n:] = bytes(len(buffer) - n)
        for offset, data in self._held:
            low, high = max(start, offset), min(stop, offset + len(data))
            if low < high:
                buffer[low - start : high - start] = data[low - offset : high - offset]
        self._position = stop
        return len(buffer)

    def truncate(self, size: int | None = None) -> int:
        """Grow the file at once; never shrink it, since the disk may still need what it has."""
        size = self._position if size is None else size
        if size > self._size:
            self._size = size
            if not self.abandoned:
                self._put(size - 1, b"\0")
        return size

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        origin = {os.SEEK_SET: 0, os.SEEK_CUR: self._position, os.SEEK_END: self._size}[whence]
        self._position = origin + offset
        return self._position

    def readable(self) -> bool:
        return True

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def close(self) -> None:
        self._disk.close()
        super().close()
