"""The container of all spikes: recorded, read from a file, or given as input."""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import display

# Times are multiples of a time step computed in floating point (3 * 0.1 > 0.3), so two times
# closer than this many ms are one time. Rounding stays below it up to t = 1e9 ms.
SAME_TIME = 1e-6


class SpikeTrains:
    """Spike times of the neurons of one population in the time window (t_start, t_stop].

    A simulation step that ends at t emits spikes stamped t, so a run from 0 to T emits spikes in
    (0, T], and consecutive windows (0, T1], (T1, T2] hold every spike exactly once. A spike at
    t_start itself is accepted (other programs make them) and counts in the first bin. Times that
    differ by less than 1e-6 ms are treated as the same time by every comparison with a window.

    ``len(trains)`` is the number of spikes, ``trains[i]`` the times of neuron i, and iteration
    gives the times of neuron 0, 1, ..., size - 1.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        Spike times (ms).
    neurons : array_like of int, shape (n,)
        The neuron of each spike, 0 <= neuron < size.
    size : int
        Number of neurons, including the silent ones.
    t_start, t_stop : float
        The recorded window (ms).

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Spike times (ms), ascending; spikes at the same time are in order of neuron.
    neurons : ndarray of int64, shape (n,)
        The neuron of each spike.
    size, t_start, t_stop
        As given.

    Raises
    ------
    TypeError
        If neurons or size are not integers.
    ValueError
        If the arrays differ in length, a time is not finite or outside of the window, a neuron is
        outside of the population, or the window is reversed.
    """

    def __init__(
        self, times: ArrayLike, neurons: ArrayLike, size: int, t_start: float, t_stop: float
    ):
        self._set_frame(size, t_start, t_stop)
        self._times, self._neurons = self._checked(times, neurons)
        self._n = len(self._times)
        self._loaded = True

    @classmethod
    def lazy(
        cls,
        times: Sequence[float],
        neurons: Sequence[int],
        size: int,
        t_start: float,
        t_stop: float,
    ) -> SpikeTrains:
        """Spike trains which stay where they are (h5py data sets) until they are asked for.

        ``len`` and ``rate`` read nothing, ``restrict`` reads O(log n) times and its window, and
        everything else reads all spikes once and keeps them. What is read is checked only then.

        Parameters
        ----------
        times, neurons : sliceable, ascending in time
            Columns in ms and of integers. If one is longer (a file that is being written), its
            surplus is left out, and so are spikes after t_stop.
        size, t_start, t_stop
            As for SpikeTrains.
        """
        trains = cls.__new__(cls)
        trains._set_frame(size, t_start, t_stop)
        n = min(len(times), len(neurons))
        if n and times[n - 1] > trains.t_stop + SAME_TIME:
            n = bisect_right(times, trains.t_stop + SAME_TIME, 0, n)
        trains._times, trains._neurons, trains._n, trains._loaded = times, neurons, n, False
        return trains

    def _set_frame(self, size: int, t_start: float, t_stop: float) -> None:
        try:
            self.size = operator.index(size)
        except TypeError:
            raise TypeError(f"size must be an integer, but is {size!r}") from None
        if self.size < 0:
            raise ValueError(f"size must not be negative, but is {size}")
        self.t_start, self.t_stop = float(t_start), float(t_stop)
        if not -math.inf < self.t_start <= self.t_stop < math.inf:
            raise ValueError(
                f"t_start and t_stop must be finite with t_start <= t_stop, "
                f"but are {t_start} and {t_stop} ms"
            )

    def _checked(self, times: ArrayLike, neurons: ArrayLike) -> tuple[NDArray, NDArray]:
        times = np.asarray(times, np.float64)
        neurons = np.asarray(neurons)
        if times.ndim != 1 or times.shape != neurons.shape:
            raise ValueError(
                f"times and neurons must be one-dimensional and of equal length, "
                f"but have the shapes {times.shape} and {neurons.shape}"
            )
        if len(neurons) and neurons.dtype.kind not in "iu":
            raise TypeError(f"neurons must be integers, but have the dtype {neurons.dtype}")
        neurons = neurons.astype(np.int64, copy=False)

        lowest, highest = self.t_start - SAME_TIME, self.t_stop + SAME_TIME
        inside = (times >= lowest) & (times <= highest)  # also False for NaN
        if not inside.all():
            i = int(np.argmin(inside))
            raise ValueError(
                f"times must be finite and in [{self.t_start:g}, {self.t_stop:g}] ms, "
                f"but times[{i}] is {times[i]}"
            )
        known = (neurons >= 0) & (neurons < self.size)
        if not known.all():
            i = int(np.argmin(known))
            raise ValueError(
                f"neurons must be at least 0 and less than size = {self.size}, "
                f"but neurons[{i}] is {neurons[i]}"
            )

        step = np.diff(times)
        if not np.all((step > 0) | ((step == 0) & (np.diff(neurons) >= 0))):
            order = np.lexsort((neurons, times))
            times, neurons = times[order], neurons[order]
        return times, neurons

    def _load(self) -> None:
        if not self._loaded:
            self._times, self._neurons = self._checked(
                self._times[: self._n], self._neurons[: self._n]
            )
            self._loaded = True

    @property
    def times(self) -> NDArray[np.float64]:
        self._load()
        return self._times

    @property
    def neurons(self) -> NDArray[np.int64]:
        self._load()
        return self._neurons

    @property
    def duration(self) -> float:
        """Length of the window (ms)."""
        return self.t_stop - self.t_start

    @property
    def rate(self) -> float:
        """Firing rate (Hz), mean over neurons; NaN for no neurons or an empty window."""
        neuron_ms = self.size * self.duration
        return 1000.0 * len(self) / neuron_ms if neuron_ms else math.nan

    def rates(self) -> NDArray[np.float64]:
        """Firing rate (Hz) of each neuron, shape (size,); NaN for an empty window."""
        return self.count() * (1000.0 / self.duration if self.duration else math.nan)

    def __len__(self) -> int:
        return self._n

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpikeTrains):
            return NotImplemented
        return (
            (self.size, self.t_start, self.t_stop) == (other.size, other.t_start, other.t_stop)
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.neurons, other.neurons)
        )

    def __repr__(self) -> str:
        window = f"({self.t_start:g}, {self.t_stop:g}] ms"
        return f"SpikeTrains({len(self)} spikes of {self.size} neurons in {window})"

    def __getitem__(self, neuron: int) -> NDArray[np.float64]:
        neuron = operator.index(neuron)
        if not 0 <= neuron < self.size:
            raise IndexError(
                f"neuron must be at least 0 and less than size = {self.size}, but is {neuron}"
            )
        return self.times[self.neurons == neuron]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        by_neuron = self.times[np.argsort(self.neurons, kind="stable")]
        stops = np.cumsum(self.count())
        for start, stop in zip(np.r_[0, stops], stops, strict=False):
            yield by_neuron[start:stop]

    def restrict(self, t_start: float, t_stop: float) -> SpikeTrains:
        """The spikes in the window (t_start, t_stop], in ms.

        Raises
        ------
        ValueError
            If the window is reversed or reaches out of [self.t_start, self.t_stop].
        """
        lowest, highest = self.t_start - SAME_TIME, self.t_stop + SAME_TIME
        if not lowest <= t_start <= t_stop <= highest:
            raise ValueError(
                f"the window ({t_start}, {t_stop}] ms must be ascending and "
                f"inside of [{self.t_start:g}, {self.t_stop:g}] ms"
            )
        first = bisect_right(self._times, t_start + SAME_TIME, 0, self._n)
        last = bisect_right(self._times, t_stop + SAME_TIME, first, self._n)
        times, neurons = self._times[first:last], self._neurons[first:last]
        return SpikeTrains(times, neurons, self.size, t_start, t_stop)

    def select(self, neurons: slice | ArrayLike) -> SpikeTrains:
        """The spikes of some neurons, renumbered 0, 1, ... in the order given.

        Parameters
        ----------
        neurons : slice, array_like of int (no neuron twice) or of bool, shape (size,)

        Raises
        ------
        ValueError
            If a neuron is given twice or is not in the population, or a mask has not the length
            of the population.
        TypeError
            If neurons are neither integers nor booleans.
        """
        chosen = np.arange(self.size)[neurons if isinstance(neurons, slice) else self._ids(neurons)]
        new_number = np.full(self.size, -1)
        new_number[chosen] = np.arange(len(chosen))
        renumbered = new_number[self.neurons]
        kept = renumbered >= 0
        return SpikeTrains(
            self.times[kept], renumbered[kept], len(chosen), self.t_start, self.t_stop
        )

    def _ids(self, neurons: ArrayLike) -> NDArray[np.int64]:
        ids = np.atleast_1d(neurons)
        if ids.dtype == bool:
            if ids.shape != (self.size,):
                raise ValueError(
                    f"a mask of neurons must have the shape ({self.size},), but has {ids.shape}"
                )
            return np.flatnonzero(ids)
        if ids.size and ids.dtype.kind not in "iu":
            raise TypeError(f"neurons must be integers or booleans, but are {ids.dtype}")
        ids = ids.astype(np.int64)
        if ids.ndim != 1 or np.any((ids < 0) | (ids >= self.size)):
            raise ValueError(
                f"neurons must be one-dimensional, at least 0 and less than size = {self.size}, "
                f"but are {neurons}"
            )
        if len(np.unique(ids)) < len(ids):
            raise ValueError(f"neurons must not hold a neuron twice, but are {neurons}")
        return ids

    def count(self, bin: float | None = None) -> NDArray[np.integer]:
        """Spike counts, of the whole window or of bins.

        Parameters
        ----------
        bin : float, optional
            Bin width (ms); it must divide the duration within a relative 1e-6. Bin k is
            (t_start + k bin, t_start + (k + 1) bin].

        Returns
        -------
        ndarray of int64, shape (size,), or with bin ndarray of int32, shape (n_bins, size)

        Raises
        ------
        ValueError
            If bin is not positive or does not divide the duration.
        """
        if bin is None:
            return np.bincount(self.neurons, minlength=self.size)
        n_bins = round(self.duration / bin) if 0 < bin < math.inf else 0
        if n_bins == 0 or abs(n_bins * bin - self.duration) > 1e-6 * self.duration:
            raise ValueError(
                f"bin must be positive and divide the duration of {self.duration:g} ms, "
                f"but is {bin}"
            )
        bins_after_start = (self.times - self.t_start - SAME_TIME) * (n_bins / self.duration)
        bins = np.clip(np.ceil(bins_after_start).astype(np.int64) - 1, 0, n_bins - 1)
        counts = np.zeros((n_bins, self.size), np.int32)
        np.add.at(counts.reshape(-1), bins * self.size + self.neurons, np.int32(1))
        return counts

    def cv(self) -> NDArray[np.float64]:
        """Coefficient of variation of the inter-spike intervals of each neuron, shape (size,).

        Population standard deviation (no degree of freedom taken off) over mean; NaN for neurons
        with fewer than 3 spikes or with all spikes at one time.
        """
        by_neuron = np.argsort(self.neurons, kind="stable")
        times, neurons = self.times[by_neuron], self.neurons[by_neuron]
        same = np.diff(neurons) == 0
        intervals, owners = np.diff(times)[same], neurons[1:][same]

        n = np.bincount(owners, minlength=self.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            mean = np.bincount(owners, intervals, self.size) / n
            variance = np.bincount(owners, (intervals - mean[owners]) ** 2, self.size) / n
            return np.where(n >= 2, np.sqrt(variance) / mean, math.nan)

    def _repr_html_(self) -> str:
        rows = [
            ("spikes", f"{len(self):,}"),
            ("neurons", f"{self.size:,}"),
            ("window (ms)", f"({self.t_start:g}, {self.t_stop:g}]"),
            ("mean rate (Hz)", f"{self.rate:.4g}"),
        ]
        return display.table("SpikeTrains", ["what", "is"], rows)
