"""Bins of time: (start, start + bin], and so on."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray

from spikesim.checks import is_number
from spikesim.data.windows import SAME_TIME, Windows


def whole_bins(bin: float, duration: float) -> int:
    """How many bins a duration has; refused where bins do not divide it."""
    n_bins = round(duration / bin) if is_number(bin) and bin > 0 else 0
    if n_bins == 0 or abs(n_bins * bin - duration) > SAME_TIME:
        raise ValueError(
            f"bin must be positive and divide the duration of {duration:.12g} ms, but is {bin}"
        )
    return n_bins


def bins_of(after_start: NDArray, n_bins: int, duration: float) -> NDArray[np.int64]:
    """The bins of times after the start of a window; a bin holds its stop, not its start."""
    bins = np.ceil((after_start - SAME_TIME) * (n_bins / duration)).astype(np.int64) - 1
    return np.clip(bins, 0, n_bins - 1)


def binned(
    pieces: Iterable[tuple[NDArray, NDArray]], size: int, support: Windows, bin: float
) -> NDArray[np.int32]:
    """Spikes of each neuron in each bin, those of a window behind those of the one before it."""
    in_window = np.array([whole_bins(bin, length) for length in support.durations])
    before = np.r_[0, np.cumsum(in_window)]
    counts = np.zeros((before[-1], size), np.int32)
    for times, neurons in pieces:
        bins = np.zeros(len(times), np.int64)
        which = support.index(times) if len(in_window) > 1 else bins
        for i, (start, stop) in enumerate(support):
            here = which == i
            bins[here] = before[i] + bins_of(times[here] - start, in_window[i], stop - start)
        np.add.at(counts.reshape(-1), bins * size + neurons, np.int32(1))
    return counts
