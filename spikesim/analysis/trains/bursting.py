"""Bursts: spikes that follow each other faster than the rest of their train."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.given import spike_trains
from spikesim.checks import check_number, check_whole
from spikesim.data.windows import SAME_TIME
from spikesim.display import number
from spikesim.kernels.cache import kernel, part

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

AHEAD = 10  # spikes that may lower the surprise before one raises it


@dataclass(frozen=True)
class MaxInterval:
    """Bursts by thresholds.

    A burst begins with an interval of at most ``begin`` and goes on while intervals are at most
    ``end``. Bursts with less than ``between`` from the last spike of one to the first of the next
    become one; then those that are shorter than ``duration`` or have fewer than ``spikes`` are
    dropped. What is within 1e-6 ms of a threshold is as long as it.

    Parameters
    ----------
    begin, end : float
        ms, end not below begin.
    between, duration : float
        ms, 0 or more.
    spikes : int
        2 or more.

    Notes
    -----
    The defaults are those of recordings of cultures on electrodes. In cortex, bursts of a cell
    have intervals of a few ms: ``MaxInterval(begin=5, end=8, between=0, duration=0, spikes=2)``.

    References
    ----------
    The method as compared by Cotterill, Charlesworth, Thomas, Paulsen & Eglen 2016, J Neurophysiol
    116:306.
    """

    begin: float = 170.0
    end: float = 300.0
    between: float = 200.0
    duration: float = 10.0
    spikes: int = 3

    def __post_init__(self) -> None:
        check_number("begin", self.begin, above=0, unit="ms")
        check_number("end", self.end, least=self.begin, unit="ms")
        check_number("between", self.between, least=0, unit="ms")
        check_number("duration", self.duration, least=0, unit="ms")
        check_whole("spikes", self.spikes, least=2)


@dataclass(frozen=True)
class PoissonSurprise:
    """Bursts by how unlikely they are in a Poisson process of the same mean rate.

    The surprise of n spikes from first to last in T ms is::

        S = -ln P(n or more in T) = -ln sum_(k >= n) (r T)^k exp(-r T) / k!

    with the neuron's mean rate r. A burst is looked for where two intervals in a row are shorter
    than half the mean interval. From these three spikes on, the last spike is moved to where S is
    largest, until ten spikes in a row raise it no more or an interval is above twice the mean; then
    the first spike is moved forward to where S is largest. It is a burst if S is at least
    ``surprise`` and three spikes or more are left.

    Parameters
    ----------
    surprise : float
        Natural logarithm: 10 is a chance of 4.5e-5.

    Notes
    -----
    It is no test: of all places, the one with the largest S is chosen.

    References
    ----------
    Legendy & Salcman 1985, J Neurophysiol 53:926.
    """

    surprise: float = 10.0

    def __post_init__(self) -> None:
        check_number("surprise", self.surprise, least=0)


@dataclass(frozen=True, eq=False)
class Bursts:
    """The bursts of a population, in order of neuron and then of time.

    Attributes
    ----------
    neurons : ndarray of int, shape (n,)
    starts, stops : ndarray, shape (n,)
        First and last spike (ms).
    counts : ndarray of int, shape (n,)
        Spikes in each.
    surprise : ndarray, shape (n,)
        NaN of bursts by thresholds.
    spikes : ndarray of int, shape (size,)
        All spikes of each neuron.
    time : float
        Time of the support (ms).
    """

    neurons: NDArray[np.int64]
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    counts: NDArray[np.int64]
    surprise: NDArray[np.float64]
    spikes: NDArray[np.int64]
    time: float

    def __len__(self) -> int:
        return self.neurons.size

    def __repr__(self) -> str:
        spikes = f"{self.counts.sum():,} of {number(int(self.spikes.sum()), 'spike')}"
        return f"<Bursts: {number(len(self), 'burst')} of {self.spikes.size} neurons, {spikes}>"

    @property
    def durations(self) -> NDArray[np.float64]:
        """From first to last spike (ms), shape (n,)."""
        return self.stops - self.starts

    @property
    def fraction(self) -> NDArray[np.float64]:
        """Share of each neuron's spikes that are in bursts, shape (size,); NaN without spikes."""
        inside = np.bincount(self.neurons, self.counts, self.spikes.size)
        with np.errstate(invalid="ignore"):
            return inside / self.spikes

    @property
    def rate(self) -> NDArray[np.float64]:
        """Bursts of each neuron per second (Hz), shape (size,); NaN where no time was recorded."""
        found = np.bincount(self.neurons, minlength=self.spikes.size)
        return found * (1000.0 / self.time if self.time else math.nan)


def bursts(trains: SpikeTrains, method: MaxInterval | PoissonSurprise | None = None) -> Bursts:
    """Find the bursts of each neuron.

    Parameters
    ----------
    trains : SpikeTrains
        No burst bridges a gap of the support.
    method : MaxInterval or PoissonSurprise
        `MaxInterval` with its defaults if not given.

    Returns
    -------
    Bursts
        Neurons with too few spikes have none.

    Raises
    ------
    TypeError
        If method is none of these.
    """
    spike_trains("trains", trains)
    method = MaxInterval() if method is None else method
    if not isinstance(method, MaxInterval | PoissonSurprise):
        raise TypeError(f"method is {method!r}; it must be a MaxInterval or a PoissonSurprise.")
    times, offsets = trains.by_neuron()
    spikes = np.diff(offsets)
    neurons = np.repeat(np.arange(trains.size), spikes)
    runs = neurons * len(trains.support) + trains.support.index(times)
    bounds = np.r_[0, np.flatnonzero(np.diff(runs)) + 1, times.size]
    firsts, lasts, found = np.empty(times.size, np.int64), np.empty(times.size, np.int64), 0
    surprises = np.full(times.size, np.nan)
    if isinstance(method, MaxInterval):
        limits = method.begin, method.end, method.between, method.duration, method.spikes
        found = _by_intervals(times, bounds, *map(float, limits), firsts, lasts)
    elif trains.duration:
        rates = spikes / trains.duration
        found = _by_surprise(
            times, bounds, neurons, rates, float(method.surprise), firsts, lasts, surprises
        )
    firsts, lasts = firsts[:found], lasts[:found]
    return Bursts(
        neurons[firsts],
        times[firsts],
        times[lasts],
        lasts - firsts + 1,
        surprises[:found],
        spikes,
        trains.duration,
    )


@kernel
def _by_intervals(times, bounds, begin, end, between, duration, spikes, firsts, lasts):
    """First and last spikes of bursts in each run of spikes, and how many there are."""
    found = 0
    for run in range(bounds.size - 1):
        before = found  # bursts of earlier runs
        k, stop = bounds[run], bounds[run + 1]
        while k + 1 < stop:
            if times[k + 1] - times[k] > begin + SAME_TIME:
                k += 1
                continue
            last = k + 1
            while last + 1 < stop and times[last + 1] - times[last] <= end + SAME_TIME:
                last += 1
            apart = times[k] - times[lasts[found - 1]] if found > before else math.inf
            if apart < between - SAME_TIME:
                lasts[found - 1] = last
            else:
                firsts[found], lasts[found] = k, last
                found += 1
            k = last
        kept = before
        for i in range(before, found):
            first, last = firsts[i], lasts[i]
            long_enough = times[last] - times[first] >= duration - SAME_TIME
            if long_enough and last - first + 1 >= spikes:
                firsts[kept], lasts[kept] = first, last
                kept += 1
        found = kept
    return found


@kernel
def _by_surprise(times, bounds, neurons, rates, least, firsts, lasts, surprises):
    """The same, and how surprising each is."""
    found = 0
    for run in range(bounds.size - 1):
        k, stop = bounds[run], bounds[run + 1]
        if k == stop:
            continue
        rate = rates[neurons[k]]
        short, long = 0.5 / rate - SAME_TIME, 2.0 / rate + SAME_TIME
        while k + 2 < stop:
            if times[k + 1] - times[k] >= short or times[k + 2] - times[k + 1] >= short:
                k += 1
                continue
            first, last, best = k, k + 2, _surprise(3, rate * (times[k + 2] - times[k]))
            spike = last + 1
            while spike < stop and spike <= last + AHEAD:
                if times[spike] - times[spike - 1] > long:
                    break
                surprise = _surprise(spike - first + 1, rate * (times[spike] - times[first]))
                if surprise > best:
                    best, last = surprise, spike
                spike += 1
            for spike in range(k + 1, last - 1):
                surprise = _surprise(last - spike + 1, rate * (times[last] - times[spike]))
                if surprise > best:
                    best, first = surprise, spike
            if best >= least:
                firsts[found], lasts[found], surprises[found] = first, last, best
                found += 1
                k = last + 1
            else:
                k += 1
    return found


@part
def _surprise(n, expected):
    """-ln of the chance that a Poisson number is n or more."""
    if expected >= n:
        return 0.0  # of 0.7 at most, and never the largest
    if expected == 0.0:
        return math.inf
    tail, term, k = 1.0, 1.0, n
    while term > 1e-17 * tail:
        k += 1
        term *= expected / k
        tail += term
    return expected - n * math.log(expected) + math.lgamma(n + 1.0) - math.log(tail)
