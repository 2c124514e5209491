"""Spikes that stay where they lie, in columns of a file, and are read in pieces."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikesim.data.columns import check_neurons, whole
from spikesim.data.windows import SAME_TIME, Windows

PIECE = 2**18  # spikes that are read at once: what stays in a core's cache is quickest


@dataclass(frozen=True)
class Rows:
    """Some of the rows of a file's columns, in the order in which they lie.

    Parameters
    ----------
    times, neurons : sliceable
        Columns in ms and of ids, in order of time, or of neuron and then of time.
    by : "time" or "neuron"
        Which of the two.
    size : int
        How many neurons the columns know.
    support : Windows
        Disjoint and ascending. No row lies outside unless ``filtered``.
    ranges : tuple of (first, last)
        Rows. By time in their order; by neuron all in one range or, once neurons have been
        selected, one range for each of them.
    offsets : ndarray of int64, shape (size + 1,), optional
        By neuron: where the rows of each begin. They are looked for where this is not known.
    number : ndarray of int64, shape (size,), optional
        By time, once neurons have been selected: the new number of each, or -1.
    selected : bool
        Whether neurons have been.
    filtered : bool
        Whether rows outside of the support are to be left out.
    """

    times: Sequence[float]
    neurons: Sequence[int]
    by: str
    size: int
    support: Windows
    ranges: tuple[tuple[int, int], ...]
    offsets: NDArray[np.int64] | None = None
    number: NDArray[np.int64] | None = None
    selected: bool = False
    filtered: bool = False

    @property
    def n(self) -> int | None:
        """How many spikes there are, or None where only reading them would tell."""
        if self.number is not None or self.filtered:
            return None
        return sum(last - first for first, last in self.ranges)

    def counts(self) -> NDArray[np.int64] | None:
        """Spikes of each neuron, or None where only reading them would tell."""
        if self.by == "time" or self.filtered:
            return None
        if self.selected:
            return np.array([last - first for first, last in self.ranges], np.int64)
        return None if self.offsets is None else np.diff(self.offsets)

    def pieces(self, with_times: bool = True) -> Iterator[tuple[NDArray | None, NDArray]]:
        """Times (ms; None if they are not asked for) and neurons, piece after piece.

        Raises
        ------
        ValueError
            If a time or a neuron is out of order, a time outside of the support, or a neuron not
            known.
        """
        last_time, last_neuron = -np.inf, -1
        for i, (first, last) in enumerate(self.ranges):
            for start in range(first, last, PIECE):
                stop = min(start + PIECE, last)
                times = self._times(start, stop) if with_times or self.filtered else None
                if self.by == "time" and times is not None:
                    last_time = _ascending("times", times, start, last_time)
                kept = self.support.contains(times) if self.filtered else None
                if kept is not None and not kept.any():
                    continue
                if self.by == "neuron" and self.selected:
                    neurons = np.full(stop - start, i)
                else:
                    neurons = self._neurons(start, stop)
                    if self.by == "neuron":
                        last_neuron = _ascending("neurons", neurons, start, last_neuron)
                if kept is not None:
                    times, neurons = times[kept], neurons[kept]
                if self.number is not None:
                    neurons = self.number[neurons]
                    kept = neurons >= 0
                    times = None if times is None else times[kept]
                    neurons = neurons[kept]
                yield times, neurons

    def _neurons(self, start: int, stop: int) -> NDArray[np.int64]:
        if self.offsets is not None:
            low, high = np.searchsorted(self.offsets, [start, stop], side="right")
            rows = np.clip(self.offsets[low - 1 : high + 1], start, stop)
            return np.repeat(np.arange(low - 1, low - 1 + len(rows) - 1), np.diff(rows))
        neurons = whole("neurons", self.neurons[start:stop])
        check_neurons(neurons, self.size, start)
        return neurons

    def _times(self, start: int, stop: int) -> NDArray[np.float64]:
        times = np.asarray(self.times[start:stop], np.float64)
        lowest, highest = self.support.starts[0] + SAME_TIME, self.support.stops[-1] + SAME_TIME
        if not self.filtered and not (times.min() > lowest and times.max() <= highest):
            i = int(np.argmin((times > lowest) & (times <= highest)))
            raise ValueError(
                f"times must be finite and in ({self.support.starts[0]:.12g}, "
                f"{self.support.stops[-1]:.12g}] ms, but times[{start + i}] is {times[i]}"
            )
        return times

    def restrict(self, support: Windows) -> Rows:
        """The rows in a support which lies within this one."""
        if self.by == "neuron":
            return replace(self, support=support, filtered=True)
        ranges = []
        for start, stop in support:
            for first, last in self.ranges:
                first = bisect_right(self.times, start + SAME_TIME, first, last)
                last = bisect_right(self.times, stop + SAME_TIME, first, last)
                if last > first:
                    ranges.append((first, last))
        return replace(self, support=support, ranges=tuple(ranges))

    def select(self, neurons: NDArray[np.int64]) -> Rows:
        """The rows of some neurons, renumbered in the order given."""
        if self.by == "neuron":
            ranges = tuple(self._range(int(neuron)) for neuron in neurons)
            return replace(self, ranges=ranges, selected=True)
        number = np.full(self.size, -1)
        if self.number is None:
            number[neurons] = np.arange(len(neurons))
            return replace(self, number=number, selected=True)
        places = np.full(self.number.max(initial=-1) + 1, -1)
        places[neurons] = np.arange(len(neurons))
        kept = self.number >= 0
        number[kept] = places[self.number[kept]]
        return replace(self, number=number)

    def _range(self, neuron: int) -> tuple[int, int]:
        if self.selected:
            return self.ranges[neuron]
        if self.offsets is not None:
            return int(self.offsets[neuron]), int(self.offsets[neuron + 1])
        ((first, last),) = self.ranges
        first = bisect_left(self.neurons, neuron, first, last)
        return first, bisect_right(self.neurons, neuron, first, last)


def _ascending(what: str, values: NDArray, start: int, before: float) -> float:
    """The last of the values, from row ``start`` on, which do not descend from the one before."""
    if values[0] >= before and np.all(values[1:] >= values[:-1]):
        return values[-1]
    steps = np.r_[values[0] >= before, values[1:] >= values[:-1]]
    i = int(np.argmin(steps))
    raise ValueError(
        f"{what} must ascend, but {what}[{start + i}] is {values[i]} after "
        f"{values[i - 1] if i else before}"
    )
