"""The container of all spikes: recorded, read from a file, or given as input."""

from __future__ import annotations

import math
import operator
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import display
from spikesim.checks import check_number, check_whole, is_number
from spikesim.data import intervals
from spikesim.data.aligned import AlignedTrains, align
from spikesim.data.bins import binned
from spikesim.data.choosing import chosen, labelled, labels_of
from spikesim.data.columns import in_columns, span, support_of
from spikesim.data.frozen import own, read_only
from spikesim.data.ordering import in_order
from spikesim.data.rows import Rows
from spikesim.data.windows import SAME_TIME, Windows, ascending_edges
from spikesim.random import derive_key


class SpikeTrains:
    """Spike times of the neurons of one population in the window (t_start, t_stop] of time.

    A simulation step that ends at t emits spikes stamped t, so a run from 0 to T emits spikes in
    (0, T], and consecutive windows (0, T1], (T1, T2] hold every spike exactly once. This rule
    holds for every window everywhere. Times that differ by less than 1e-6 ms are treated as the
    same time by every comparison with a window. What of (t_start, t_stop] was recorded, or is
    left after `restrict`, is the ``support``: one window or several. No rate, interval or lag
    counts or bridges a gap between them.

    ``len(trains)`` is the number of spikes, ``trains[i]`` the times of neuron i, and iteration
    gives the times of neuron 0, 1, ..., size - 1.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        Spike times (ms). Arrays are copied unless they are read-only.
    neurons : array_like of int, shape (n,)
        The neuron of each spike, 0 <= neuron < size.
    size : int
        Number of neurons, including the silent ones.
    t_start, t_stop : float
        The recorded window (ms).
    support : Windows, optional
        The recorded windows, instead of t_start and t_stop, if there are several.
    labels : mapping of str to array_like, shape (size,), optional
        What is known of each neuron: its group, where it lies.
    guessed : sequence of "t_start", "t_stop", "size"
        What was not told but taken from the spikes.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        Spike times (ms), ascending; spikes at the same time are in order of neuron.
    neurons : ndarray of int64, shape (n,)
        The neuron of each spike.
    support : Windows
        Disjoint and ascending.
    size, t_start, t_stop, labels, guessed
        As given.

    Raises
    ------
    TypeError
        If times are not numbers, or neurons or size not integers.
    ValueError
        If the arrays differ in length, a time is not finite or outside of the support, a neuron is
        outside of the population, or the window is reversed.
    """

    def __init__(
        self,
        times: ArrayLike,
        neurons: ArrayLike,
        size: int,
        t_start: float | None = None,
        t_stop: float | None = None,
        *,
        support: Windows | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        guessed: Sequence[str] = (),
    ):
        self._set_frame(size, support_of(t_start, t_stop, support), labels, guessed)
        self._rows: Rows | None = None
        self._keep(own("times", times), own("neurons", neurons))

    @classmethod
    def lazy(
        cls,
        times: Sequence[float],
        neurons: Sequence[int],
        size: int,
        t_start: float,
        t_stop: float,
        *,
        by: str = "time",
        offsets: NDArray[np.int64] | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        guessed: Sequence[str] = (),
    ) -> SpikeTrains:
        """Spike trains which stay where they are (h5py data sets) until they are asked for.

        ``len`` and ``rate`` read nothing. ``restrict`` and ``select`` give trains that stay there,
        too: in order of time a window is found by O(log n) times, and in order of neuron a
        neuron by O(log n) ids. ``count``, ``rates``, ``cv`` and ``trains[i]`` read in pieces and
        keep nothing. Everything else reads all spikes once and keeps them. What is read is checked
        only then.

        Parameters
        ----------
        times, neurons : sliceable
            Columns in ms and of integers. If one is longer (a file that is being written), its
            surplus is left out, and so are, in order of time, spikes after t_stop.
        size, t_start, t_stop, labels, guessed
            As for SpikeTrains.
        by : "time" or "neuron"
            What the columns ascend by; the times of each neuron must ascend in either case.
        offsets : ndarray of int64, shape (size + 1,), optional
            In order of neuron: where the spikes of each begin, if that is known.
        """
        trains = cls.__new__(cls)
        trains._set_frame(size, support_of(t_start, t_stop, None), labels, guessed)
        n = min(len(times), len(neurons))
        if by == "time" and n and times[n - 1] > trains.t_stop + SAME_TIME:
            n = bisect_right(times, trains.t_stop + SAME_TIME, 0, n)
        trains._rows = Rows(times, neurons, by, trains.size, trains.support, ((0, n),), offsets)
        return trains

    def _set_frame(
        self,
        size: int,
        support: Windows,
        labels: Mapping[str, ArrayLike] | None,
        guessed: Sequence[str],
    ) -> None:
        try:
            self.size = operator.index(size)
        except TypeError:
            raise TypeError(f"size must be an integer, but is {size!r}") from None
        if self.size < 0:
            raise ValueError(f"size must not be negative, but is {size}")
        self.support = support
        self.t_start, self.t_stop = float(support.starts[0]), float(support.stops[-1])
        self.labels = labels_of("a label of neurons", labels, self.size)
        self.guessed = tuple(guessed)
        self._grouped: tuple[NDArray, NDArray] | None = None
        self._counts: NDArray[np.int64] | None = None

    def _framed(
        self,
        times: ArrayLike | None,
        neurons: ArrayLike | None,
        *,
        rows: Rows | None = None,
        support: Windows | None = None,
        labels: Mapping[str, ArrayLike] | None = None,
        guessed: Sequence[str] | None = None,
        size: int | None = None,
    ) -> SpikeTrains:
        """Trains with the frame of these but for what is given."""
        trains = SpikeTrains.__new__(SpikeTrains)
        trains._set_frame(
            self.size if size is None else size,
            self.support if support is None else support,
            self.labels if labels is None else labels,
            self.guessed if guessed is None else guessed,
        )
        trains._rows = rows
        if rows is None:
            trains._keep(times, neurons)
        return trains

    def _keep(self, times: ArrayLike, neurons: ArrayLike) -> None:
        """Hold spikes, sorted, as arrays that nobody can write to."""
        columns = in_columns(times, neurons, self.size, self.support)
        self._times, self._neurons = map(read_only, columns)

    def _load(self) -> None:
        if self._rows is None:
            return
        pieces = list(self._rows.pieces())
        times, neurons = (
            np.concatenate([piece[column] for piece in pieces]) if pieces else np.empty(0, dtype)
            for column, dtype in ((0, np.float64), (1, np.int64))
        )
        self._keep(times, neurons)
        self._rows = None

    @property
    def is_in_file(self) -> bool:
        """Whether the spikes still lie in their file, to be read when they are asked for."""
        return self._rows is not None

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
        """Length of the support (ms): what lies between its windows does not count."""
        return self.support.duration

    @property
    def rate(self) -> float:
        """Firing rate (Hz), mean over neurons; NaN for no neurons or an empty window."""
        neuron_ms = self.size * self.duration
        return 1000.0 * len(self) / neuron_ms if neuron_ms else math.nan

    def rates(self) -> NDArray[np.float64]:
        """Firing rate (Hz) of each neuron, shape (size,); NaN for an empty window."""
        return self.count() * (1000.0 / self.duration if self.duration else math.nan)

    def __getstate__(self) -> dict[str, Any]:
        self._load()  # a file stays where it is
        return self.__dict__

    def __setstate__(self, state: dict[str, Any]) -> None:
        self.__dict__ |= state
        self._times, self._neurons = read_only(self._times), read_only(self._neurons)
        self._grouped = None

    def __len__(self) -> int:
        if self._rows is None:
            return len(self._times)
        return int(self.count().sum()) if self._rows.n is None else self._rows.n

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, SpikeTrains):
            return NotImplemented
        return (
            self.size == other.size
            and self.support == other.support
            and np.array_equal(self.times, other.times)
            and np.array_equal(self.neurons, other.neurons)
        )

    def __repr__(self) -> str:
        told = f"; {' and '.join(self.guessed)} guessed" if self.guessed else ""
        return (
            f"SpikeTrains({len(self)} spikes of {self.size} neurons in {span(self.support)}{told})"
        )

    def __getitem__(self, neuron: int) -> NDArray[np.float64]:
        neuron = operator.index(neuron)
        if not 0 <= neuron < self.size:
            raise IndexError(
                f"neuron must be at least 0 and less than size = {self.size}, but is {neuron}"
            )
        if self._rows is not None:
            return self.select([neuron]).times
        times, offsets = self.by_neuron()
        return times[offsets[neuron] : offsets[neuron + 1]]

    def __iter__(self) -> Iterator[NDArray[np.float64]]:
        times, offsets = self.by_neuron()
        for start, stop in zip(offsets[:-1], offsets[1:], strict=True):
            yield times[start:stop]

    def by_neuron(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """All spikes in order of neuron and then of time, kept for the next time.

        Returns
        -------
        times : ndarray of float64, shape (n,)
            ms; those of neuron i are ``times[offsets[i] : offsets[i + 1]]``.
        offsets : ndarray of int64, shape (size + 1,)
        """
        if self._grouped is None:
            order = in_order(self.neurons, self.size)
            offsets = np.r_[0, np.cumsum(self.count())]
            self._grouped = read_only(self.times[order]), read_only(offsets)
        return self._grouped

    def intervals(self) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Inter-spike intervals, in order of neuron and then of time.

        Returns
        -------
        isi : ndarray of float64, shape (n,)
            ms; none bridges a gap of the support.
        neurons : ndarray of int64, shape (n,)
            Whose they are.
        """
        return intervals.all_of(*self.by_neuron(), self.support)

    def interval_pieces(self) -> Iterator[tuple[NDArray[np.float64], NDArray[np.int64]]]:
        """Inter-spike intervals as `intervals` has them, in pieces where they lie in a file.

        The order is that of the file; the intervals of each neuron are in order of time.
        """
        if self._rows is None:
            return iter([self.intervals()])
        return intervals.in_pieces(self._rows.pieces(), self.size, self.support)

    def restrict(self, t_start: float | Windows, t_stop: float | None = None) -> SpikeTrains:
        """The spikes in the window (t_start, t_stop], in ms, or in several windows.

        What of the windows lies in the support becomes the support of the result. Windows which
        overlap or touch become one: for statistics of each window see `align`.

        Parameters
        ----------
        t_start, t_stop : float
            Or Windows alone.

        Raises
        ------
        ValueError
            If a window is reversed or reaches out of [self.t_start, self.t_stop], or if all of
            them lie in gaps of the support.
        """
        lowest, highest = self.t_start - SAME_TIME, self.t_stop + SAME_TIME
        given = t_start if isinstance(t_start, Windows) else [(t_start, t_stop)]
        if len(given) == 0:
            raise ValueError("windows must hold one window at least, but hold none")
        for start, stop in given:
            if not (is_number(start) and is_number(stop)):
                raise ValueError(
                    f"t_start and t_stop are {start!r} and {stop!r}; they must be numbers (ms), or "
                    "t_start alone Windows"
                )
            if not lowest <= start <= stop <= highest:
                raise ValueError(
                    f"the window ({start}, {stop}] ms must be ascending and "
                    f"inside of [{self.t_start:.12g}, {self.t_stop:.12g}] ms"
                )
        asked = Windows(*zip(*given, strict=True)).union()
        support = asked.intersect(self.support) if len(self.support) > 1 else asked
        if not asked.duration and any(a <= asked.starts[0] <= b for a, b in self.support):
            support = asked
        if not len(support):
            raise ValueError(f"{asked!r} lie in gaps of {self.support!r}")
        guessed = [what for what in self.guessed if what == "size"]
        if self._rows is not None:
            return self._framed(
                None, None, rows=self._rows.restrict(support), support=support, guessed=guessed
            )
        if len(support) == 1:
            ends = np.array([support.starts[0], support.stops[0]]) + SAME_TIME
            kept = slice(*np.searchsorted(self._times, ends, side="right"))
        else:
            kept = support.index(self._times) >= 0
        return self._framed(
            self._times[kept], self._neurons[kept], support=support, guessed=guessed
        )

    def trim(self, bin: float) -> SpikeTrains:
        """Leave out of each window of the support what its whole bins (ms) do not reach.

        Raises
        ------
        ValueError
            If bin is not positive, or no window holds one.
        """
        check_number("bin", bin, above=0, unit="ms")
        bins = np.floor((self.support.durations + SAME_TIME) / bin)
        starts, stops = self.support.starts, self.support.starts + bins * bin
        if not bins.any():
            raise ValueError(f"bin is {bin} ms, which no window of {self.support!r} holds")
        return self.restrict(Windows(starts, np.minimum(stops, self.support.stops))[bins > 0])

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
        which = chosen(neurons, self.size)
        frame: dict[str, Any] = dict(
            size=len(which),
            labels={name: values[which] for name, values in self.labels.items()},
        )
        if self._rows is not None:
            return self._framed(None, None, rows=self._rows.select(which), **frame)
        new_number = np.full(self.size, -1)
        new_number[which] = np.arange(len(which))
        renumbered = new_number[self.neurons]
        kept = renumbered >= 0
        return self._framed(self.times[kept], renumbered[kept], **frame)

    def where(self, **labels: Any) -> SpikeTrains:
        """The spikes of the neurons whose labels are these, or one of these of a list.

        Raises
        ------
        KeyError
            If there is no such label.
        """
        return self.select(labelled("neurons", self.labels, labels, self.size))

    def shift(self, by: float) -> SpikeTrains:
        """The same spikes, and their support, later by some ms (earlier if it is negative)."""
        check_number("by", by, unit="ms")
        support = Windows(self.support.starts + by, self.support.stops + by)
        return self._framed(self.times + by, self.neurons, support=support)

    def merge(self, *others: SpikeTrains) -> SpikeTrains:
        """These neurons and, numbered behind them, those of other trains.

        Labels that not all of them have are left out.

        Raises
        ------
        ValueError
            If the supports differ; `restrict` makes them equal.
        """
        every = (self, *others)
        for trains in others:
            if trains.support != self.support:
                raise ValueError(
                    f"trains that are merged must have one support, but have {self.support!r} "
                    f"and {trains.support!r}"
                )
        before = np.cumsum([0, *(trains.size for trains in every)])
        shared = [name for name in self.labels if all(name in trains.labels for trains in others)]
        return self._framed(
            np.concatenate([trains.times for trains in every]),
            np.concatenate(
                [trains.neurons + n for trains, n in zip(every, before[:-1], strict=True)]
            ),
            size=int(before[-1]),
            labels={n: np.concatenate([trains.labels[n] for trains in every]) for n in shared},
            guessed=list(dict.fromkeys(what for trains in every for what in trains.guessed)),
        )

    def pool(self) -> SpikeTrains:
        """The spikes of all neurons as those of one."""
        return self._framed(self.times, np.zeros(len(self), np.int64), size=1, labels={})

    def jitter(self, width: float, seed: int) -> SpikeTrains:
        """Trains whose spikes lie anywhere in the window of ``width`` ms that they lie in.

        The windows follow each other from the start of each window of the support, whose last
        one may be shorter. Each spike is placed anew, uniformly and independently, which keeps
        the number of spikes of each neuron in each window and destroys what is finer (interval
        jitter; Date, Bienenstock & Geman 1998; Amarasingham et al. 2012, J Neurophysiol 107:517).

        Parameters
        ----------
        width : float
            ms.
        seed : int
            The numbers of a neuron depend on the seed and its number alone.

        Raises
        ------
        ValueError
            If width is not positive, or seed no whole number.
        """
        check_number("width", width, above=0, unit="ms")
        check_whole("seed", seed, least=None)
        from spikesim.data import passes

        times, offsets = self.by_neuron()
        windows, ends = self.support.index(times), (self.support.starts, self.support.stops)
        key, moved = np.uint64(derive_key(seed, "jitter")), np.empty_like(times)
        ids = np.arange(self.size)
        passes.jitter(times, windows, offsets, ids, *ends, key, float(width), moved)
        return self._framed(moved, np.repeat(ids, np.diff(offsets)))

    def align(self, events: ArrayLike | Windows, before: float, after: float) -> AlignedTrains:
        """The spikes around events, in time after them: in (-before, after] ms of each.

        Parameters
        ----------
        events : array_like of float, shape (n,), or Windows
            When they were (ms). Of windows (trials, say) it is their starts, and their labels are
            those of the trials.
        before, after : float
            ms; one may be negative: before -100 begins 100 ms after the event.

        Returns
        -------
        AlignedTrains

        Raises
        ------
        ValueError
            If the window is reversed or empty, or an event is not finite.

        Warns
        -----
        UserWarning
            Events around which not all of the window was recorded are left out; or all times look
            like seconds.
        """
        return align(self, events, before, after)

    def count(self, bin: float | None = None) -> NDArray[np.integer]:
        """Spike counts, of the whole support or of bins.

        Parameters
        ----------
        bin : float, optional
            Bin width (ms); it must divide the duration of each window of the support within
            1e-6 ms. Bin k is (t_start + k bin, t_start + (k + 1) bin]; the bins of one
            window of the support follow those of the one before it.

        Returns
        -------
        ndarray of int64, shape (size,), or with bin ndarray of int32, shape (n_bins, size)

        Raises
        ------
        ValueError
            If bin is not positive or does not divide the duration.
        """
        if bin is None:
            if self._counts is None:
                self._counts = self._counted()
            return self._counts.copy()
        return binned(self._pieces(), self.size, self.support, bin)

    def _counted(self) -> NDArray[np.int64]:
        known = None if self._rows is None else self._rows.counts()
        if known is not None:
            return known
        counts = np.zeros(self.size, np.int64)
        for _, neurons in self._pieces(with_times=False):
            counts += np.bincount(neurons, minlength=self.size)
        return counts

    def count_all(self, edges: ArrayLike) -> NDArray[np.int64]:
        """Spikes of all neurons together in each bin between ascending edges (ms), shape (n - 1,).

        Bin k is (edges[k], edges[k + 1]]; `Windows.lasting` tells how much of it was recorded.
        """
        edges = ascending_edges(edges)
        counts = np.zeros(len(edges) + 1, np.int64)
        for times, _ in self._pieces():
            bins = np.searchsorted(edges + SAME_TIME, times)
            counts += np.bincount(bins, minlength=len(counts))
        return counts[1:-1]

    def _pieces(self, with_times: bool = True) -> Iterator[tuple[NDArray | None, NDArray]]:
        if self._rows is None:
            return iter([(self._times, self._neurons)])
        return self._rows.pieces(with_times)

    def cv(self) -> NDArray[np.float64]:
        """Coefficient of variation of the inter-spike intervals of each neuron, shape (size,).

        Population standard deviation (no degree of freedom taken off) over mean; NaN for neurons
        with fewer than 2 intervals or with all spikes at one time.
        """
        return intervals.cv(*self.interval_moments())

    def interval_moments(self) -> tuple[NDArray[np.int64], NDArray, NDArray]:
        """Number, mean (ms) and variance (ms^2) of each neuron's intervals, all of shape (size,).

        The variance has no degree of freedom taken off; both are NaN without intervals.
        """
        if self._rows is None:
            return intervals.moments(*self.intervals(), self.size)
        return intervals.moments_in_pieces(self._pieces(), self.size, self.support)

    def _repr_html_(self) -> str:
        def marked(text: str, *names: str) -> str:
            return f"{text}, guessed" if set(names) & set(self.guessed) else text

        rows = [
            ("spikes", f"{len(self):,}"),
            ("neurons", marked(f"{self.size:,}", "size")),
            ("window (ms)", marked(span(self.support)[:-3], "t_start", "t_stop")),
            ("mean rate (Hz)", marked(f"{self.rate:.4g}", *self.guessed)),
        ]
        rows += [("labels", ", ".join(self.labels))] if self.labels else []
        return display.table("SpikeTrains", ["what", "is"], rows)
