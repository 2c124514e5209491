"""Distances over time: when the trains of a population are alike, and when they are not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.pairs.distances import linked, single_spikes, with_edges
from spikesim.checks import check_number
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME
from spikesim.display import span
from spikesim.kernels.cache import kernel


@dataclass(frozen=True, eq=False)
class Profile:
    """A distance over time, mean over all pairs: linear between spikes, with jumps at them.

    Attributes
    ----------
    starts, stops : ndarray, shape (k,)
        The pieces (ms), ascending, from spike to spike; none lies in a gap of the support.
    first, last : ndarray, shape (k,)
        The distance at the start and at the stop of each piece.
    """

    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    first: NDArray[np.float64]
    last: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<Profile: {self.starts.size:,} pieces, {span(self.starts)} ms; mean {self.mean:g}>"

    @property
    def mean(self) -> float:
        """Mean over time: that of the distances of all pairs; NaN where no time was recorded."""
        lengths = self.stops - self.starts
        with np.errstate(invalid="ignore"):
            return float(np.sum(lengths * (self.first + self.last) / 2) / np.sum(lengths))

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """The distance at some times (ms), NaN at those outside; before the jump at a spike."""
        times = np.asarray(times, float)
        piece = np.clip(np.searchsorted(self.stops, times), 0, self.stops.size - 1)
        if not self.stops.size:
            return np.full(times.shape, np.nan)
        start, stop = self.starts[piece], self.stops[piece]
        share = (times - start) / (stop - start)
        value = self.first[piece] + share * (self.last[piece] - self.first[piece])
        return np.where((times > start) & (times <= stop), value, np.nan)


@dataclass(frozen=True, eq=False)
class Coincidences:
    """Of each spike, the share of the other trains that have a spike which coincides with it.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        ms, ascending.
    neurons : ndarray of int64, shape (n,)
    share : ndarray of float64, shape (n,)
        From 0 to 1.
    """

    times: NDArray[np.float64]
    neurons: NDArray[np.int64]
    share: NDArray[np.float64]

    def __repr__(self) -> str:
        return f"<Coincidences: {self.times.size:,} spikes; mean {self.mean:g}>"

    @property
    def mean(self) -> float:
        """SPIKE-synchronisation of the population; NaN without spikes."""
        return float(self.share.mean()) if self.share.size else float("nan")


def isi_profile(trains: SpikeTrains) -> Profile:
    """ISI-distance over time, mean over all pairs of trains; see `isi_distance`.

    It takes a step for each spike and pair.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If there are fewer than two trains.
    """
    spike_trains("trains", trains)
    return _profile(trains, _add_isi)


def spike_profile(trains: SpikeTrains) -> Profile:
    """SPIKE-distance over time, mean over all pairs of trains; see `spike_distance`.

    It takes a step for each spike and pair.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If there are fewer than two trains.
    """
    spike_trains("trains", trains)
    return _profile(trains, _add_spike)


def synchronisation_profile(trains: SpikeTrains, *, widest: float | None = None) -> Coincidences:
    """Which spikes coincide with spikes of other trains; see `spike_synchronisation`.

    Parameters
    ----------
    trains : SpikeTrains
    widest : float, optional
        Spikes further apart than so many ms do not coincide.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If there are fewer than two trains, or widest is not positive.
    """
    spike_trains("trains", trains)
    _check_pairs(trains)
    if widest is not None:
        check_number("widest", widest, above=0, unit="ms")
    limit = np.inf if widest is None else widest + SAME_TIME
    parts = []
    for times, neurons, start, stop in single_spikes(trains):
        after, is_last, _, _ = linked(times, neurons, trains.size, start, stop)
        counts = np.zeros(times.size)
        latest = np.empty(trains.size, np.int64)
        limits = np.empty(times.size)
        given = times, neurons, after, is_last, stop - start
        _coincide(*given, limit, SAME_TIME, latest, limits, counts)
        parts.append((times, neurons, counts / (trains.size - 1)))
    return Coincidences(*map(np.concatenate, zip(*parts, strict=True)))


def _check_pairs(trains: SpikeTrains) -> None:
    if trains.size < 2:
        raise ValueError(f"trains has {trains.size} neurons; it must have two or more.")


def _profile(trains: SpikeTrains, add: Callable) -> Profile:
    _check_pairs(trains)
    size, parts = trains.size, []
    for times, neurons, start, stop in single_spikes(trains):
        grid = np.unique(np.r_[start, times, stop])
        padded, offsets = _padded(*with_edges(times, neurons, size, start, stop), size, start, stop)
        first, last = np.zeros((2, grid.size - 1))
        near = np.empty((2, int(np.diff(offsets).max())))
        for a in range(size - 1):
            add(grid, padded, offsets, a, near[0], near[1], first, last)
        pairs = size * (size - 1) / 2
        parts.append((grid[:-1], grid[1:], first / pairs, last / pairs))
    return Profile(*map(np.concatenate, zip(*parts, strict=True)))


def _padded(
    times: NDArray, neurons: NDArray, size: int, start: float, stop: float
) -> tuple[NDArray, NDArray]:
    """Times in order of neuron, with an auxiliary spike before and behind those of each."""
    after, is_last, _, begin = linked(times, neurons, size, start, stop)
    end = np.empty(size)
    end[neurons[is_last]] = after[is_last]
    every = np.concatenate([begin, times, end])
    order = np.argsort(np.concatenate([np.arange(size), neurons, np.arange(size)]), kind="stable")
    return every[order], np.r_[0, np.cumsum(np.bincount(neurons, minlength=size) + 2)]


@kernel
def _add_isi(grid, times, offsets, a, near_a, near_b, first, last):
    """Add the ISI-dissimilarities of train a and those behind it, in each piece of a grid."""
    for b in range(a + 1, offsets.size - 1):
        i, j = offsets[a], offsets[b]
        for piece in range(grid.size - 1):
            while times[i + 1] <= grid[piece] and i + 2 < offsets[a + 1]:
                i += 1
            while times[j + 1] <= grid[piece] and j + 2 < offsets[b + 1]:
                j += 1
            x, y = times[i + 1] - times[i], times[j + 1] - times[j]
            apart = abs(x - y) / max(x, y)
            first[piece] += apart
            last[piece] += apart


@kernel
def _add_spike(grid, times, offsets, a, near_a, near_b, first, last):
    """Add the SPIKE-dissimilarities of train a and those behind it, in each piece of a grid."""
    for b in range(a + 1, offsets.size - 1):
        a0, a1, b0, b1 = offsets[a], offsets[a + 1], offsets[b], offsets[b + 1]
        _nearest(times[a0:a1], times[b0:b1], near_a)
        _nearest(times[b0:b1], times[a0:a1], near_b)
        i, j = 0, 0
        for piece in range(grid.size - 1):
            while times[a0 + i + 1] <= grid[piece] and a0 + i + 2 < a1:
                i += 1
            while times[b0 + j + 1] <= grid[piece] and b0 + j + 2 < b1:
                j += 1
            x, y = times[a0 + i + 1] - times[a0 + i], times[b0 + j + 1] - times[b0 + j]
            scale = 2 / ((x + y) * (x + y))
            for edge in range(2):
                t = grid[piece + edge]
                share_a, share_b = (t - times[a0 + i]) / x, (t - times[b0 + j]) / y
                of_a = near_a[i] + share_a * (near_a[i + 1] - near_a[i])
                of_b = near_b[j] + share_b * (near_b[j + 1] - near_b[j])
                apart = scale * (of_a * y + of_b * x)
                if edge == 0:
                    first[piece] += apart
                else:
                    last[piece] += apart


@kernel
def _nearest(a, b, near):
    """How far the nearest spike of b is from those of a; of auxiliary ones, as beside them."""
    j = 0
    for i in range(1, a.size - 1):
        while b[j + 1] < a[i] and j + 2 < b.size:
            j += 1
        near[i] = min(a[i] - b[j], b[j + 1] - a[i])
    near[0], near[a.size - 1] = near[1], near[a.size - 2]


@kernel
def _coincide(times, trains, after, is_last, span, widest, same, latest, limits, counts):
    """Count of each spike the trains in which one coincides with it."""
    latest[:] = -1
    for k in range(times.size):
        c, t = trains[k], times[k]
        before = span if latest[c] < 0 else t - times[latest[c]]
        limits[k] = 0.5 * min(span, before, span if is_last[k] else after[k] - t)
        for other in range(latest.size):
            i = latest[other]
            if other != c and i >= 0:
                if t - times[i] < min(limits[k] - same, limits[i] - same, widest):
                    counts[k] += 1
                    counts[i] += 1
        latest[c] = k
