"""How far apart spike trains are: all pairs of a population, each distance from its own paper.

All functions return a symmetric matrix over the neurons, `all pairs` being compared at once, and
give the same numbers with any number of threads.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.threads import in_threads, workers
from spikesim.checks import check_number
from spikesim.data.windows import SAME_TIME

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

_WORTH_THREADS = 100_000  # spikes times trains


def victor_purpura(
    trains: SpikeTrains, cost: float, *, threads: int | None = None
) -> NDArray[np.float64]:
    """Victor-Purpura distance of each two trains: the least cost of making one of the other.

    To insert or to delete a spike costs 1, to move it by d ms costs ``cost`` d. So spikes further
    apart than 2 / cost are never moved to each other. With cost 0 the distance is the difference
    of the counts; with an infinite cost it is the number of spikes which have none at the same
    time (within 1e-6 ms) in the other train.

    Parameters
    ----------
    trains : SpikeTrains
        Spikes are not moved from one window of the support to another: the distance is the sum of
        those of its windows.
    cost : float
        1 / ms, 0 or more; it may be infinite. Papers give it per second: 50 / s is 0.05.
    threads : int, optional
        As many as there are cores if not given.

    Returns
    -------
    ndarray, shape (size, size)
        Without unit. The distance to a train without spikes is the number of spikes.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If cost is negative or not a number.

    References
    ----------
    Victor & Purpura 1996, J Neurophysiol 76:1310. The spikes in reach of each other alone are
    compared, which takes n + m steps, and one for each pair of spikes in reach.
    """
    spike_trains("trains", trains)
    if cost != np.inf:
        check_number("cost", cost, least=0, unit="1/ms, or infinite")
    threads = workers(threads)
    times, offsets = trains.by_neuron()
    counts = np.diff(offsets)
    if cost == 0:
        bounds = _bounds(trains, times, counts)
        counts = np.diff(bounds).reshape(trains.size, -1)
        return np.abs(counts[:, None] - counts).sum(axis=-1).astype(float)
    from spikesim.analysis.pairs.kernels_distances import saved

    windows = len(trains.support)
    bounds = _bounds(trains, times, counts)
    most = np.zeros((trains.size, trains.size))
    longest = int(np.diff(bounds).max(initial=0))

    def row(train: int) -> None:
        best = np.empty(longest + 1)
        saved(times, bounds, train, windows, float(cost), SAME_TIME, best, most[train])

    in_threads(row, trains.size, threads if len(trains) * trains.size > _WORTH_THREADS else 1)
    most += most.T
    distances = counts[:, None] + counts - most
    np.fill_diagonal(distances, 0.0)
    return distances


def van_rossum(
    trains: SpikeTrains, tau: float, *, threads: int | None = None
) -> NDArray[np.float64]:
    """Van Rossum distance of each two trains: how far apart they are when smoothed.

    Each spike leaves exp(-t / tau) behind it, for all time; f and g are the sums of these::

        d^2 = 2 / tau  integral (f - g)^2 dt

    so that a spike too many is at distance 1. That is sqrt(2) times the distance in the paper. In
    the limit of tau 0 d^2 is the number of spikes which have none at the same time (within 1e-6
    ms) in the other train, and with an infinite tau d is the difference of the counts.

    Parameters
    ----------
    trains : SpikeTrains
        Traces begin anew in each window of the support: d^2 is the sum of those of its windows.
    tau : float
        ms, 0 or more; it may be infinite.
    threads : int, optional
        As many as there are cores if not given.

    Returns
    -------
    ndarray, shape (size, size)
        Without unit. Equal trains are at distance 0, to the bit; of trains that are not, distances
        below some 1e-7 sqrt(spikes) are lost in rounding.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If tau is negative or not a number.

    References
    ----------
    van Rossum 2001, Neural Comput 13:751; by sums of traces as in Houghton & Kreuz 2012, Network
    23:48, for all trains in one pass: a step for each spike and train.
    """
    spike_trains("trains", trains)
    if tau != np.inf:
        check_number("tau", tau, least=0, unit="ms, or infinite")
    threads = workers(threads)
    from spikesim.analysis.pairs.kernels_distances import WIDE, trace_block

    decay = _decay(trains, tau)
    size, neurons = trains.size, trains.neurons
    sums, same = np.empty((2, size, size))

    def block(number: int) -> None:
        base = number * WIDE
        rows = np.empty((size, 2 * WIDE))
        trace_block(neurons, decay, base, np.empty(2 * WIDE), rows)
        width = min(WIDE, size - base)
        sums[:, base : base + width] = rows[:, :width]
        same[:, base : base + width] = rows[:, WIDE : WIDE + width]

    in_threads(block, -(-size // WIDE), threads if len(trains) * size > _WORTH_THREADS else 1)
    counts = trains.count()
    squares = counts[:, None] + counts + _apart(2 * same) + _apart(2 * sums)
    np.fill_diagonal(squares, 0.0)
    return np.sqrt(np.maximum(squares, 0.0))


def isi_distance(trains: SpikeTrains, *, threads: int | None = None) -> NDArray[np.float64]:
    """ISI-distance of each two trains: how much their momentary intervals differ.

    With a and b the lengths of the inter-spike intervals that time t lies in, it is the mean over
    time of |a - b| / max(a, b): from 0 to below 1, without a time scale.

    Parameters
    ----------
    trains : SpikeTrains
        The mean is over the time of the support; each of its windows stands by itself. Spikes of
        a neuron at one time (within 1e-6 ms) count once.
    threads : int, optional
        As many as there are cores if not given.

    Returns
    -------
    ndarray, shape (size, size)
        NaN where no time was recorded.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.

    Notes
    -----
    At the edges of a window an interval is taken to be as long as the one beside it, or as what
    is seen of it if that is longer. A train of one spike has two intervals, from edge to spike
    and from spike to edge, and one without spikes has one, the window: two of these are at
    distance 0.

    References
    ----------
    Kreuz et al. 2007, J Neurosci Methods 165:151; the edges as in Mulansky et al. 2015,
    arXiv:1508.04090.
    """
    spike_trains("trains", trains)
    from spikesim.analysis.pairs.kernels_distances import WIDE, isi_block

    return _over_time(trains, isi_block, (WIDE, 5, 5, 1), workers(threads))


def spike_distance(trains: SpikeTrains, *, threads: int | None = None) -> NDArray[np.float64]:
    """SPIKE-distance of each two trains: how far their spikes are apart, for their intervals.

    At each spike of one train the distance d to the nearest spike of the other is taken, and
    between spikes it is linear: D1(t) and D2(t). With a and b the intervals of both at t, it is
    the mean over time of::

        (D1 b + D2 a) / (2 ((a + b) / 2)^2)

    It has no time scale, and is 0 for equal trains and about .295 for independent Poisson trains
    of one rate. Integrals are exact.

    Parameters
    ----------
    trains : SpikeTrains
        The mean is over the time of the support; each of its windows stands by itself. Spikes of
        a neuron at one time (within 1e-6 ms) count once.
    threads : int, optional
        As many as there are cores if not given.

    Returns
    -------
    ndarray, shape (size, size)
        NaN where no time was recorded.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.

    Notes
    -----
    At the edges there is an auxiliary spike of each train, where the interval of `isi_distance`
    ends; its distance d is that of the spike beside it. A train without spikes has one at either
    edge: two of these are at distance 0.

    References
    ----------
    Kreuz et al. 2013, J Neurophysiol 109:1457; the edges as in Mulansky et al. 2015,
    arXiv:1508.04090.
    """
    spike_trains("trains", trains)
    from spikesim.analysis.pairs.kernels_distances import LANES, spike_block

    return 2.0 * _over_time(trains, spike_block, (LANES, 5, 5, 4), workers(threads))


def spike_synchronisation(
    trains: SpikeTrains, *, widest: float | None = None, threads: int | None = None
) -> NDArray[np.float64]:
    """SPIKE-synchronisation of each two trains: the share of spikes that coincide.

    A spike of one train and one of the other coincide if they are closer than half of each of the
    inter-spike intervals before and behind both of them. So each coincides with one at most.

    Parameters
    ----------
    trains : SpikeTrains
        Spikes in different windows of the support do not coincide. Spikes of a neuron at one time
        (within 1e-6 ms) count once.
    widest : float, optional
        Spikes further apart than so many ms do not coincide either; at just this distance they do.
    threads : int, optional
        As many as there are cores if not given.

    Returns
    -------
    ndarray, shape (size, size)
        From 0 to 1; NaN of two trains without spikes, in which nothing can coincide.

    Notes
    -----
    Exactly half way between two spikes a third coincides with neither (distances that differ by
    less than 1e-6 ms count as equal). An interval that an edge cuts is as long as the window.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If widest is not positive.

    References
    ----------
    Kreuz, Mulansky & Bozanic 2015, J Neurophysiol 113:3432; Mulansky et al. 2015,
    arXiv:1508.04090.
    """
    spike_trains("trains", trains)
    if widest is not None:
        check_number("widest", widest, above=0, unit="ms")
    from spikesim.analysis.pairs.kernels_distances import WIDE, coincidence_block

    threads, size = workers(threads), trains.size
    limit = np.inf if widest is None else widest + SAME_TIME
    coincident, counts = np.zeros((size, size)), np.zeros(size)
    for times, neurons, start, stop in single_spikes(trains):
        after, is_last, _, _ = linked(times, neurons, size, start, stop)
        given = times, neurons, after, is_last, stop - start, limit, SAME_TIME
        coincident += _all_pairs(coincidence_block, given, size, (WIDE, 1, 2, 1), threads)
        counts += np.bincount(neurons, minlength=size)
    with np.errstate(invalid="ignore"):
        share = 2 * coincident / (counts[:, None] + counts)
    np.fill_diagonal(share, np.where(counts > 0, 1.0, np.nan))
    return share


def _over_time(
    trains: SpikeTrains, kernel: Callable, widths: tuple[int, int, int, int], threads: int
) -> NDArray[np.float64]:
    """Mean over time of what a kernel integrates."""
    size, total = trains.size, np.zeros((trains.size, trains.size))
    for times, neurons, start, stop in single_spikes(trains):
        times, neurons = with_edges(times, neurons, size, start, stop)
        given = times, neurons, *linked(times, neurons, size, start, stop), start, stop
        total += _all_pairs(kernel, given, size, widths, threads)
    with np.errstate(invalid="ignore"):
        means = total / trains.duration
    np.fill_diagonal(means, 0.0)
    return means


def _all_pairs(
    kernel: Callable, given: tuple, size: int, widths: tuple[int, int, int, int], threads: int
) -> NDArray[np.float64]:
    """What a kernel sums up of each two trains, the last thing that it keeps of a pair.

    ``widths``: how many trains are in a block, and how many numbers a kernel keeps of each train,
    of each of those in its block, and of a pair.
    """
    lanes, own, lane, pair = widths
    sums = np.empty((size, size))

    def block(number: int) -> None:
        base = number * lanes
        rows = np.empty((size, pair * lanes))
        kernel(*given, base, np.empty((size, own)), np.empty(lane * lanes), rows)
        width = min(lanes, size - base)
        sums[:, base : base + width] = rows[:, (pair - 1) * lanes :][:, :width]

    busy = len(given[0]) * size > _WORTH_THREADS
    in_threads(block, -(-size // lanes), threads if busy else 1)
    return sums + sums.T


def single_spikes(trains: SpikeTrains) -> Iterator[tuple[NDArray, NDArray, float, float]]:
    """Times and neurons of the spikes in each window of the support, and its edges.

    Of spikes of a neuron at one time the first is left.
    """
    from spikesim.analysis.pairs.kernels_distances import distinct

    times, neurons = trains.times, trains.neurons
    kept = np.empty(len(times), bool)
    distinct(times, neurons, np.empty(trains.size), SAME_TIME, kept)
    if not kept.all():
        times, neurons = times[kept], neurons[kept]
    ends = np.searchsorted(times, trains.support.stops + SAME_TIME, side="right")
    for (start, stop), first, last in zip(trains.support, np.r_[0, ends], ends, strict=False):
        yield np.minimum(times[first:last], stop), neurons[first:last], start, stop


def with_edges(
    times: NDArray, neurons: NDArray, size: int, start: float, stop: float
) -> tuple[NDArray, NDArray]:
    """The same spikes, and one at either edge of trains that have none."""
    silent = np.flatnonzero(np.bincount(neurons, minlength=size) == 0)
    if not silent.size:
        return times, neurons
    edges = np.full(silent.size, start), np.full(silent.size, stop)
    return np.concatenate([edges[0], times, edges[1]]), np.concatenate([silent, neurons, silent])


def linked(
    times: NDArray, neurons: NDArray, size: int, start: float, stop: float
) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """What `kernels_distances.link` says of spikes (after, is_last) and trains (first, begin)."""
    from spikesim.analysis.pairs.kernels_distances import link

    after, is_last = np.empty(len(times)), np.empty(len(times), bool)
    first, begin = np.full(size, start), np.full(size, start)
    link(times, neurons, start, stop, first, begin, after, is_last, np.empty(size, np.int64))
    return after, is_last, first, begin


def _decay(trains: SpikeTrains, tau: float) -> NDArray[np.float64]:
    """What is left of a trace at each spike from the one before: nothing in another window."""
    apart = np.diff(trains.times, prepend=-np.inf)
    if tau == 0:
        decay = np.where(apart <= SAME_TIME, 1.0, 0.0)
    else:
        decay = np.exp(-apart / tau) if tau < np.inf else np.ones(len(apart))
    begins = np.searchsorted(trains.times, trains.support.starts)
    decay[begins[begins < len(decay)]] = 0.0
    return decay


def _apart(sums: NDArray[np.float64]) -> NDArray[np.float64]:
    """Of sums over the spikes of one train and the traces of another: a a - a b - b a + b b."""
    more = np.diagonal(sums)[:, None] - sums
    return more + more.T


def _bounds(trains: SpikeTrains, times: NDArray, counts: NDArray) -> NDArray[np.int64]:
    """Where, in order of neuron, the spikes of each neuron in each window begin."""
    windows = len(trains.support)
    neurons = np.repeat(np.arange(trains.size), counts)
    cells = neurons * windows + (trains.support.index(times) if windows > 1 else 0)
    return np.r_[0, np.cumsum(np.bincount(cells, minlength=trains.size * windows))]
