"""Counting lags, of all pairs or of some, in tables that fit into the cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.pairs.pieces import Pieces
from spikesim.analysis.threads import in_threads
from spikesim.data.ordering import in_order
from spikesim.data.windows import SAME_TIME

Gathered = tuple[NDArray[np.float64], NDArray[np.integer], NDArray[np.integer], NDArray[np.integer]]
_TABLE = 2**19  # bytes of counts that a thread writes to at a time


@dataclass(frozen=True, eq=False)
class Lags:
    """Which lags are counted: those of spikes at ``times`` to ``others[first:last]`` of each.

    They are counted for each of ``size`` other neurons, in ``n_bins`` bins of which the first
    begins at ``shift``.
    """

    times: NDArray[np.float64]
    others: NDArray[np.float64]
    neurons: NDArray[np.int64]
    size: int
    first: NDArray[np.integer]
    last: NDArray[np.integer]
    shift: float
    bin: float
    n_bins: int

    def __post_init__(self) -> None:
        n = self.last - self.first
        total = n.sum(dtype=np.int64)
        columns = (np.arange(self.size) * (self.n_bins + 1)).astype(np.int32)[self.neurons]
        object.__setattr__(self, "columns", columns)  # where in a row each neuron's bins begin
        object.__setattr__(self, "most", int(n.max(initial=0)))
        object.__setattr__(self, "dtype", np.uint64 if total >= 2**32 else np.uint32)

    @classmethod
    def following(cls, times, bounds, neurons, size: int, bin: float, n: int) -> Lags:
        """Lags to later spikes, in bins 0, ..., n of which the first is cut in half."""
        from spikesim.analysis.pairs.kernels_correlograms import following

        first, last = np.empty((2, len(times)), _short(len(times)))
        following(times, bounds, (n + 0.5) * bin + SAME_TIME, first, last)
        return cls(times, times, neurons, size, first, last, -bin / 2, bin, n + 1)

    @classmethod
    def around(cls, spikes: Pieces, others: Pieces, bin: float, n: int) -> Lags:
        """Lags to both sides, in bins -n, ..., n."""
        from spikesim.analysis.pairs.kernels_correlograms import around

        first, last = np.empty((2, len(spikes.times)), _short(len(others.times)))
        reach = (n + 0.5) * bin
        arrays = spikes.times, spikes.bounds, others.times, others.bounds
        around(*arrays, reach + SAME_TIME, first, last)
        frame = -reach, bin, 2 * n + 1
        return cls(spikes.times, others.times, others.neurons, others.size, first, last, *frame)

    @property
    def row(self) -> int:
        """Numbers in a row of a table."""
        return 2 * self.size * (self.n_bins + 1)

    def table(self, gathered: Gathered, n_rows: int) -> NDArray[np.unsignedinteger]:
        """Lags of some of the spikes: their times, first and last others, and rows.

        The table has the shape (n_rows, 2, size, n_bins + 1): within bins and on lower edges.
        """
        from spikesim.analysis.pairs.kernels_correlograms import count_lags

        counted = np.zeros((n_rows, self.row), self.dtype)
        frame = self.shift, self.bin, np.int32(self.row // 2)
        at = np.empty(self.most, np.uint32)
        count_lags(*gathered, self.others, self.columns, *frame, counted, at)
        return counted.reshape(n_rows, 2, self.size, self.n_bins + 1)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Spikes in groups of neurons whose counts fit together into the cache."""

    lags: Lags
    per_group: int
    number: int
    bounds: NDArray[np.int64]
    gathered: Gathered

    @classmethod
    def of(cls, spikes: Pieces, lags: Lags, threads: int) -> _Groups:
        from spikesim.analysis.pairs.kernels_correlograms import gather

        per_group = max(1, min(_TABLE // (4 * lags.row), -(-spikes.size // threads)))
        number = -(-spikes.size // per_group)
        group, row = np.divmod(np.arange(spikes.size), per_group)
        in_group = np.bincount(
            group, np.bincount(spikes.neurons, minlength=spikes.size), number
        ).astype(np.int64)
        bounds = np.r_[0, np.cumsum(in_group)]
        each = lags.times, lags.first, lags.last
        gathered = tuple(np.empty_like(column) for column in (*each, lags.first))
        gather(
            spikes.neurons, group, row.astype(lags.first.dtype), bounds[:-1].copy(), each, gathered
        )
        return cls(lags, per_group, number, bounds, gathered)

    def table(self, g: int) -> NDArray[np.unsignedinteger]:
        mine = slice(self.bounds[g], self.bounds[g + 1])
        return self.lags.table(tuple(column[mine] for column in self.gathered), self.per_group)


def _short(n: int) -> type:
    """Whole numbers that count to n: half the memory is half the time to fill it."""
    return np.int32 if n < 2**31 else np.int64


def all_pairs(spikes: Pieces, bin: float, n: int, threads: int) -> NDArray[np.float64]:
    """Counts of all pairs i < j, in order.

    Each lag is counted once, from the earlier spike to the later. The table of all pairs would
    not fit into a cache, so neurons count in groups, and each group goes through all spikes.
    """
    from spikesim.analysis.pairs.kernels_correlograms import mirror

    size = spikes.size
    n_pairs = size * (size - 1) // 2
    counts, centre = np.zeros((n_pairs, 2 * n + 1)), np.zeros((n_pairs, 2))
    if not n_pairs:
        return counts
    lags = Lags.following(spikes.times, spikes.bounds, spikes.neurons, size, bin, n)
    groups = _Groups.of(spikes, lags, threads)

    def work(g: int) -> None:
        sources = np.arange(g * groups.per_group, min((g + 1) * groups.per_group, size))
        mirror(groups.table(g), sources, n, counts, centre)

    in_threads(work, groups.number, threads)
    counts[:, n] = centre.sum(axis=1)
    return counts


def doubled_counts(
    spikes: Pieces, others: Pieces, pairs: NDArray[np.int64], bin: float, n: int, threads: int
) -> NDArray[np.int64]:
    """Twice the counts of some pairs of a neuron of ``spikes`` and one of ``others``."""
    from spikesim.analysis.pairs.kernels_correlograms import count_pair, fold

    doubled = np.zeros((len(pairs), 2 * n + 1), np.int64)
    if not len(pairs):
        return doubled
    if len(pairs) == spikes.size == others.size == 1:
        count_pair(spikes.times, spikes.bounds, others.times, others.bounds, n, bin, doubled[0])
        return doubled
    groups = _Groups.of(spikes, Lags.around(spikes, others, bin, n), threads)
    of_group = in_order(pairs[:, 0] // groups.per_group, groups.number)
    ends = np.cumsum(np.bincount(pairs[:, 0] // groups.per_group, minlength=groups.number))

    def work(g: int) -> None:
        mine = of_group[ends[g - 1] if g else 0 : ends[g]]
        if len(mine):
            counted = np.empty((len(mine), 2 * n + 1), np.int64)
            fold(groups.table(g), pairs[mine, 0] - g * groups.per_group, pairs[mine, 1], counted)
            doubled[mine] = counted

    in_threads(work, groups.number, threads)
    return doubled
