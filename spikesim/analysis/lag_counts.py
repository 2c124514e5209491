"""Counting lags, of all pairs or of some, in tables that fit into the cache."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.pieces import Pieces, in_order
from spikesim.analysis.threads import in_threads
from spikesim.data.windows import SAME_TIME

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
    first: NDArray[np.int64]
    last: NDArray[np.int64]
    shift: float
    bin: float
    n_bins: int

    def __post_init__(self) -> None:
        n = self.last - self.first
        columns = (np.arange(self.size) * (self.n_bins + 1)).astype(np.int32)[self.neurons]
        object.__setattr__(self, "columns", columns)  # where in a row each neuron's bins begin
        object.__setattr__(self, "most", int(n.max(initial=0)))
        object.__setattr__(self, "dtype", np.uint64 if n.sum() >= 2**32 else np.uint32)

    @classmethod
    def following(cls, times, bounds, neurons, size: int, bin: float, n: int) -> Lags:
        """Lags to later spikes, in bins 0, ..., n of which the first is cut in half."""
        from spikesim.analysis.kernels_correlograms import following

        first, last = np.empty((2, len(times)), np.int64)
        following(times, bounds, (n + 0.5) * bin + SAME_TIME, first, last)
        return cls(times, times, neurons, size, first, last, -bin / 2, bin, n + 1)

    @classmethod
    def around(cls, spikes: Pieces, others: Pieces, bin: float, n: int) -> Lags:
        """Lags to both sides, in bins -n, ..., n."""
        from spikesim.analysis.kernels_correlograms import around

        first, last = np.empty((2, len(spikes.times)), np.int64)
        reach = (n + 0.5) * bin
        arrays = spikes.times, spikes.bounds, others.times, others.bounds
        around(*arrays, reach + SAME_TIME, first, last)
        frame = -reach, bin, 2 * n + 1
        return cls(spikes.times, others.times, others.neurons, others.size, first, last, *frame)

    @property
    def row(self) -> int:
        """Numbers in a row of a table."""
        return 2 * self.size * (self.n_bins + 1)

    def table(
        self, order: NDArray[np.int64], rows: NDArray[np.int64], n_rows: int
    ) -> NDArray[np.unsignedinteger]:
        """Lags of the spikes ``order``, added to ``rows`` of these spikes.

        The table has the shape (n_rows, 2, size, n_bins + 1): within bins and on lower edges.
        """
        from spikesim.analysis.kernels_correlograms import count_lags

        counted = np.zeros((n_rows, self.row), self.dtype)
        arrays = self.first, self.last, self.others, self.columns
        frame = self.shift, self.bin, np.int32(self.row // 2)
        count_lags(
            order, self.times, rows, *arrays, *frame, counted, np.empty(self.most, np.uint32)
        )
        return counted.reshape(n_rows, 2, self.size, self.n_bins + 1)


@dataclass(frozen=True, eq=False)
class _Groups:
    """Spikes in groups of neurons whose counts fit together into the cache."""

    lags: Lags
    per_group: int
    number: int
    order: NDArray[np.int64]
    bounds: NDArray[np.int64]
    rows: NDArray[np.int64]

    @classmethod
    def of(cls, spikes: Pieces, lags: Lags, threads: int) -> _Groups:
        per_group = max(1, min(_TABLE // (4 * lags.row), -(-spikes.size // threads)))
        number = -(-spikes.size // per_group)
        group, row = np.divmod(np.arange(spikes.size), per_group)
        order = in_order(group[spikes.neurons], number)
        bounds = np.r_[0, np.cumsum(np.bincount(group[spikes.neurons], minlength=number))]
        return cls(lags, per_group, number, order, bounds, row[spikes.neurons])

    def table(self, g: int) -> NDArray[np.unsignedinteger]:
        order = self.order[self.bounds[g] : self.bounds[g + 1]]
        return self.lags.table(order, self.rows, self.per_group)


def all_pairs(spikes: Pieces, bin: float, n: int, threads: int) -> NDArray[np.float64]:
    """Counts of all pairs i < j, in order.

    Each lag is counted once, from the earlier spike to the later. The table of all pairs would
    not fit into a cache, so neurons count in groups, and each group goes through all spikes.
    """
    from spikesim.analysis.kernels_correlograms import mirror

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
    from spikesim.analysis.kernels_correlograms import fold

    doubled = np.zeros((len(pairs), 2 * n + 1), np.int64)
    if not len(pairs):
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
