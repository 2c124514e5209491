"""Inter-spike intervals: of trains in memory, and of files that are read in pieces."""

from collections.abc import Iterable, Iterator

import numpy as np
from numpy.typing import NDArray

from spikesim.data.windows import Windows

Piece = tuple[NDArray, NDArray]


def all_of(times: NDArray, offsets: NDArray, support: Windows) -> Piece:
    """Intervals (ms) and whose they are, of times in order of neuron (`SpikeTrains.by_neuron`)."""
    neurons = np.repeat(np.arange(len(offsets) - 1), np.diff(offsets))
    same = np.diff(neurons) == 0
    if len(support) > 1:
        same &= np.diff(support.index(times)) == 0
    return np.diff(times)[same], neurons[1:][same]


def in_pieces(pieces: Iterable[Piece], size: int, support: Windows) -> Iterator[Piece]:
    """The same of pieces of times and neurons, in which the times of each neuron ascend."""
    from spikesim.data import passes

    for piece in _followed(pieces, size, support):
        isi, owners = np.empty(len(piece[0])), np.empty(len(piece[0]), np.int64)
        n = _ascending(passes.intervals(*piece, isi, owners))
        yield isi[:n], owners[:n]


def _followed(pieces: Iterable[Piece], size: int, support: Windows) -> Iterator[tuple]:
    """Times, neurons and windows of pieces, and the last spike of each neuron and its window."""
    last, window_of_last = np.full(size, np.nan), np.zeros(size, np.int64)
    none = np.empty(0, np.int64)
    for times, neurons in pieces:
        windows = support.index(times) if len(support) > 1 else none
        yield times, neurons, windows, last, window_of_last


def _ascending(n: int) -> int:
    if n < 0:
        raise ValueError(f"the times of each neuron must ascend, but not those of {-1 - n}")
    return n


def moments(isi: NDArray, owners: NDArray, size: int) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """Number, mean and variance of the intervals of each neuron; NaN of none."""
    n = np.bincount(owners, minlength=size)
    with np.errstate(invalid="ignore"):
        mean = np.bincount(owners, isi, size) / n
        return n, mean, np.bincount(owners, (isi - mean[owners]) ** 2, size) / n


def cv(n: NDArray, mean: NDArray, variance: NDArray) -> NDArray[np.float64]:
    """Coefficient of variation by the moments; NaN of fewer than 2 intervals, or all of 0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(n >= 2, np.sqrt(variance) / mean, np.nan)


def moments_in_pieces(
    pieces: Iterable[Piece], size: int, support: Windows
) -> tuple[NDArray[np.int64], NDArray, NDArray]:
    """The same of pieces of times and neurons."""
    from spikesim.data import passes

    table = np.zeros((size, 4))
    for piece in _followed(pieces, size, support):
        _ascending(passes.moments(*piece, table))
    n, near, more, squares = table.T
    with np.errstate(invalid="ignore"):
        off = more / n
        return n.astype(np.int64), near + off, np.maximum(squares - more * off, 0) / n
