"""Spike trains made of what other programs hold, and made ready for them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME, Windows


def trains_of(
    times: NDArray[np.float64],
    neurons: NDArray[np.int64],
    size: int,
    window: Windows | None,
    labels: Mapping[str, ArrayLike] | None = None,
    *,
    closed: bool = False,
    guessed: Sequence[str] = (),
) -> SpikeTrains:
    """Spike trains of times (ms, in any order) and neurons.

    Parameters
    ----------
    window : Windows or None
        What was recorded (ms). If nobody tells, it is guessed from the spikes.
    closed : bool
        Whether the other program counts a window's start as part of it: then a window begins
        2e-6 ms earlier where a spike lies on its start.
    guessed : sequence of str
        What else was guessed.
    """
    if window is None:
        window, guessed = guessed_window(times), ("t_start", "t_stop", *guessed)
    elif closed:
        window = Windows.closed(window.starts, window.stops, times).union()
    return SpikeTrains(times, neurons, size, support=window, labels=labels, guessed=guessed)


def guessed_window(times: NDArray[np.float64]) -> Windows:
    """From 0, or from just before the first spike if that is at 0 or earlier, to the last spike."""
    if not len(times):
        return Windows(0.0, 0.0)
    lowest, highest = float(times.min()), float(times.max())
    return Windows(0.0 if lowest > SAME_TIME else lowest - 2 * SAME_TIME, max(highest, 0.0))


def joined(lists: Sequence[ArrayLike]) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """The times of all lists, one after the other, and the number of the list of each."""
    columns = [_finite(plain(f"the times of neuron {i}", x), i) for i, x in enumerate(lists)]
    neurons = np.repeat(np.arange(len(columns)), [len(column) for column in columns])
    return np.concatenate([np.empty(0), *columns]), neurons


def _finite(column: NDArray[np.float64], neuron: int) -> NDArray[np.float64]:
    bad = column[~np.isfinite(column)]
    if bad.size:
        raise ValueError(f"times must be finite, but neuron {neuron} has a spike at {bad[0]}")
    return column


def plain(what: str, times: Any) -> NDArray[np.float64]:
    """Numbers without a unit, as a column."""
    if isinstance(times, np.ndarray) and type(times) is not np.ndarray:
        # NumPy would drop the unit of a quantity without a word.
        raise TypeError(
            f"{what} are a {type(times).__name__}; they must be plain numbers, such as a quantity "
            "divided by its unit"
        )
    try:
        column = np.asarray(times, np.float64)
    except (TypeError, ValueError):
        column = None
    if column is None or column.ndim != 1:
        raise ValueError(f"{what} must be a one-dimensional array of numbers, but are {times!r}")
    return column


def say_more_than_numbers(ids: NDArray[Any]) -> bool:
    """Whether ids are others than 0, 1, ..., so that they are worth keeping."""
    return ids.dtype.kind not in "iu" or not np.array_equal(ids, np.arange(len(ids)))


def lists_of(trains: SpikeTrains) -> list[NDArray[np.float64]]:
    """The times of each neuron, none behind the stop of its window by what rounding made of it.

    Other programs compare exactly, and leave out a spike at 3 * 0.1 of a window that ends at 0.3.
    """
    times, offsets = trains.by_neuron()
    times = np.minimum(times, trains.support.stops[trains.support.index(times)])
    return [times[a:b] for a, b in zip(offsets[:-1], offsets[1:], strict=True)]
