"""Inter-spike intervals: how they are spread, how irregular they are, what follows what.

No interval bridges a gap of the support, and intervals on either side of a gap do not follow each
other.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.checks import check_choice, check_number, check_numbers, check_whole
from spikesim.data.windows import SAME_TIME
from spikesim.display import number, span

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains


@dataclass(frozen=True, eq=False)
class IntervalHistogram:
    """How many intervals are how long.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        ms; bin i is (edges[i], edges[i + 1]].
    counts : ndarray of int, shape (k,), or per neuron (k, size)
    below, above : ndarray of int, shape (), or per neuron (size,)
        Intervals outside of the edges.
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    below: NDArray[np.int64]
    above: NDArray[np.int64]

    def __repr__(self) -> str:
        intervals = number(int(self.counts.sum()), "interval")
        outside = int(self.below.sum() + self.above.sum())
        bins = f"{number(self.counts.shape[0], 'bin')} of {span(self.edges)} ms"
        return f"<IntervalHistogram: {intervals} in {bins}, {outside:,} outside>"

    @property
    def total(self) -> NDArray[np.int64]:
        """All intervals, those outside of the edges too."""
        return self.counts.sum(axis=0) + self.below + self.above

    @property
    def density(self) -> NDArray[np.float64]:
        """Share of all intervals for each ms, of the shape of counts; NaN of none."""
        widths = np.diff(self.edges).reshape(-1, *[1] * (self.counts.ndim - 1))
        with np.errstate(invalid="ignore"):
            return self.counts / self.total / widths


def isi_histogram(
    trains: SpikeTrains,
    edges: ArrayLike,
    *,
    scale: str = "linear",
    per_neuron: bool = False,
) -> IntervalHistogram:
    """Histogram of the inter-spike intervals, of all neurons together or of each.

    Trains in a file are read in pieces and not kept.

    Parameters
    ----------
    trains : SpikeTrains
    edges : array_like, shape (k + 1,), or int
        Ascending (ms), 0 or more. Of a number of bins, these reach from 0 to the longest interval,
        or on a logarithmic scale from the shortest to the longest.
    scale : "linear" or "log"
        Of a number of bins.
    per_neuron : bool

    Returns
    -------
    IntervalHistogram
        An interval within 1e-6 ms of an edge is in the bin that ends there: multiples of a time
        step are not torn apart by rounding.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If edges do not ascend or one is negative, or scale is unknown.
    """
    spike_trains("trains", trains)
    edges = bin_edges(trains, edges, scale)
    n = len(edges) + 1  # bins, and what is below and above
    size = trains.size if per_neuron else 1
    counts = np.zeros(n * size, np.int64)
    for isi, neurons in trains.interval_pieces():
        cells = np.searchsorted(edges, isi - SAME_TIME, side="left")
        if per_neuron:
            cells = cells * size + neurons
        counts += np.bincount(cells, minlength=n * size)
    counts = counts.reshape((n, size) if per_neuron else (n,))
    return IntervalHistogram(edges, counts[1:-1], counts[0], counts[-1])


def bin_edges(trains: SpikeTrains, edges: ArrayLike, scale: str) -> NDArray[np.float64]:
    """Edges of bins of intervals, as they are given or for a number of bins."""
    check_choice("scale", scale, ("linear", "log"))
    if np.ndim(edges) == 0:
        check_whole("edges, a number of bins,", edges)
        return _spanning(trains, int(edges), scale)
    array = check_numbers("edges", edges, "ascending times", dimensions=(1,), least=0)
    if array.size < 2 or (np.diff(array) <= 0).any():
        raise ValueError(f"edges is {edges!r}; it must hold two times or more, ascending.")
    return array


def _spanning(trains: SpikeTrains, bins: int, scale: str) -> NDArray[np.float64]:
    shortest, longest = np.inf, 0.0
    for isi, _ in trains.interval_pieces():
        isi = isi[isi > SAME_TIME]
        shortest, longest = isi.min(initial=shortest), isi.max(initial=longest)
    if longest == 0:
        shortest, longest = 1.0, 10.0  # of no intervals
    if scale == "linear":
        return np.linspace(0, longest, bins + 1)
    return np.geomspace(max(shortest - 2 * SAME_TIME, shortest / 2), longest, bins + 1)


def cv(trains: SpikeTrains) -> NDArray[np.float64]:
    """Coefficient of variation of each neuron's intervals: standard deviation over mean.

    1 of a Poisson process, 1 / sqrt(k) of a gamma process of order k, 1 - r d of a Poisson process
    of rate r with dead time d. No degree of freedom is taken off. It is `SpikeTrains.cv`.

    Returns
    -------
    ndarray, shape (size,)
        NaN of neurons with fewer than 2 intervals or with all spikes at one time.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    """
    spike_trains("trains", trains)
    return trains.cv()


def cv2(trains: SpikeTrains) -> NDArray[np.float64]:
    """CV2 of each neuron: how much intervals that follow each other differ.

    The mean over intervals I, J that follow each other of 2 |J - I| / (J + I). It is 1 of a
    Poisson process and, unlike `cv`, hardly changes with a rate that changes slowly.

    Returns
    -------
    ndarray, shape (size,)
        NaN of neurons without two intervals that follow each other. Two intervals of 0 ms count
        as equal.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.

    References
    ----------
    Holt et al. 1996, J Neurophysiol 75:1806.
    """
    spike_trains("trains", trains)
    return _mean_of_adjacent(trains, lambda i, j: 2 * np.abs(j - i) / (j + i))


def lv(trains: SpikeTrains) -> NDArray[np.float64]:
    """Local variation of each neuron.

    The mean over intervals I, J that follow each other of 3 ((I - J) / (I + J))^2. It is 1 of a
    Poisson process and 3 / (2 k + 1) of a gamma process of order k.

    Returns
    -------
    ndarray, shape (size,)
        NaN of neurons without two intervals that follow each other. Two intervals of 0 ms count
        as equal.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.

    References
    ----------
    Shinomoto, Shima & Tanji 2003, Neural Comput 15:2823.
    """
    spike_trains("trains", trains)
    return _mean_of_adjacent(trains, lambda i, j: 3 * ((i - j) / (i + j)) ** 2)


def lvr(trains: SpikeTrains, refractoriness: float = 5.0) -> NDArray[np.float64]:
    """Revised local variation of each neuron: `lv` freed of what refractoriness R does to it.

    The mean over intervals I, J that follow each other of::

        3 (1 - 4 I J / (I + J)^2) (1 + 4 R / (I + J))

    Parameters
    ----------
    trains : SpikeTrains
    refractoriness : float
        R (ms); the paper's choice is 5. Of 0, this is `lv`.

    Returns
    -------
    ndarray, shape (size,)
        NaN of neurons without two intervals that follow each other.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If refractoriness is negative.

    References
    ----------
    Shinomoto et al. 2009, PLoS Comput Biol 5:e1000433.
    """
    spike_trains("trains", trains)
    check_number("refractoriness", refractoriness, least=0, unit="ms")
    return _mean_of_adjacent(
        trains, lambda i, j: 3 * ((i - j) / (i + j)) ** 2 * (1 + 4 * refractoriness / (i + j))
    )


def serial_correlation(trains: SpikeTrains, lags: int = 10) -> NDArray[np.float64]:
    """Correlation of intervals with those that come after them, of each neuron.

    Pearson's correlation of the pairs (I_j, I_(j + k)) that lie in one window of the support, for
    k of 1 to ``lags``. It is 0 of a renewal process, less some 1 / n of n intervals.

    Returns
    -------
    ndarray, shape (lags, size)
        NaN of fewer than 3 pairs, and where all intervals are equal (within 1e-6 ms).

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If lags is not a whole number, 1 or more.

    References
    ----------
    Perkel, Gerstein & Moore 1967, Biophys J 7:391; Farkhooi, Strube & Nawrot 2009, Phys Rev E
    79:021905.
    """
    spike_trains("trains", trains)
    check_whole("lags", lags)
    isi, neurons, runs = in_runs(trains)
    found = np.full((lags, trains.size), np.nan)
    for lag in range(1, lags + 1):
        together = np.flatnonzero(runs[lag:] == runs[:-lag]) if lag < isi.size else np.empty(0, int)
        owners = neurons[together]
        x, n = _centred(isi[together], owners, trains.size)
        y, _ = _centred(isi[together + lag], owners, trains.size)
        xx, yy, xy = (np.bincount(owners, p, trains.size) for p in (x * x, y * y, x * y))
        spread = np.minimum(xx, yy) > n * SAME_TIME**2
        enough = (n >= 3) & spread
        found[lag - 1, enough] = xy[enough] / np.sqrt(xx[enough] * yy[enough])
    return found


def in_runs(trains: SpikeTrains) -> tuple[NDArray[np.float64], NDArray[np.int64], NDArray]:
    """Intervals as `SpikeTrains.intervals` has them, whose they are, and in which run.

    Intervals of one run (a neuron in a window of the support) follow each other.
    """
    times, offsets = trains.by_neuron()
    windows = len(trains.support)
    runs = np.repeat(np.arange(trains.size), np.diff(offsets)) * windows
    if windows > 1:
        runs += trains.support.index(times)
    same = runs[1:] == runs[:-1]
    runs = runs[1:][same]
    return np.diff(times)[same], runs // windows, runs


def _mean_of_adjacent(trains: SpikeTrains, term: Callable) -> NDArray[np.float64]:
    """Mean over intervals that follow each other, of each neuron."""
    isi, neurons, runs = in_runs(trains)
    follows = np.flatnonzero(runs[1:] == runs[:-1])
    owners = neurons[follows]
    with np.errstate(invalid="ignore", divide="ignore"):
        values = term(isi[follows], isi[follows + 1])
        values[isi[follows] + isi[follows + 1] == 0] = 0.0
        n = np.bincount(owners, minlength=trains.size)
        return np.bincount(owners, values, trains.size) / n


def _centred(values: NDArray, owners: NDArray, size: int) -> tuple[NDArray, NDArray[np.int64]]:
    """Values less the mean of their owner, and how many each has."""
    n = np.bincount(owners, minlength=size)
    means = np.bincount(owners, values, size) / np.maximum(n, 1)
    return values - means[owners], n
