"""How likely a spike is, given how long ago the last one was."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.trains.intervals import bin_edges
from spikesim.checks import check_number
from spikesim.data.windows import SAME_TIME
from spikesim.display import number, span

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains


@dataclass(frozen=True, eq=False)
class Hazard:
    """What `hazard` found.

    Attributes
    ----------
    edges : ndarray, shape (k + 1,)
        Time since the last spike (ms); bin i is (edges[i], edges[i + 1]].
    rate, low, high : ndarray, shape (k,)
        Hz: events over the time at risk, and its confidence limits; NaN where no time was.
    events : ndarray of int, shape (k,)
        Intervals that ended in the bin.
    at_risk : ndarray, shape (k,)
        Time (ms) that all intervals together spent in the bin, those that were cut off too.
    survival : ndarray, shape (k + 1,)
        Share of intervals that are longer than each edge, by Kaplan and Meier.
    cumulative : ndarray, shape (k + 1,)
        Integral of the hazard up to each edge, by Nelson and Aalen.
    censored : int
        Intervals that the end of a window cut off.
    confidence : float
    """

    edges: NDArray[np.float64]
    rate: NDArray[np.float64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    events: NDArray[np.int64]
    at_risk: NDArray[np.float64]
    survival: NDArray[np.float64]
    cumulative: NDArray[np.float64]
    censored: int
    confidence: float

    def __repr__(self) -> str:
        events = number(int(self.events.sum()), "interval")
        return f"<Hazard: {events} in {self.rate.size} bins of {span(self.edges)} ms>"


def hazard(
    trains: SpikeTrains,
    edges: ArrayLike,
    *,
    scale: str = "linear",
    confidence: float = 0.95,
) -> Hazard:
    """Hazard of the inter-spike intervals: rate of spikes at a time since the last one.

    In each bin it is the number of intervals that end there over the time that all intervals spent
    there, which is the most likely constant hazard. What is left between the last spike and the
    end of a window of the support is an interval that was cut off (right-censored): it counts as
    time at risk up to there. Without that, long intervals would be missing more often than short
    ones. What lies before the first spike is left out, since its beginning is not known.

    The hazard is constant of a Poisson process, and 0 for a dead time and constant after it if
    there is one. That of a gamma process of order above 1 rises from 0 to the order times the rate.

    Parameters
    ----------
    trains : SpikeTrains
        Intervals of all neurons are taken together. Of neurons with different rates, the hazard
        falls even if that of none does: `SpikeTrains.select` takes one.
    edges : array_like, shape (k + 1,), or int
        As in `isi_histogram`.
    scale : "linear" or "log"
        Of a number of bins.
    confidence : float
        Of the limits of each bin, exact of a Poisson number of events (Garwood 1936): they hold if
        intervals are independent.

    Returns
    -------
    Hazard

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If edges do not ascend or one is negative, or confidence is not between 0 and 1.

    References
    ----------
    Cox & Lewis 1966, The Statistical Analysis of Series of Events; Kaplan & Meier 1958, J Am Stat
    Assoc 53:457; Nelson 1972, Technometrics 14:945; Aalen 1978, Ann Stat 6:701.
    """
    spike_trains("trains", trains)
    from scipy.special import chdtri

    check_number("confidence", confidence, above=0, below=1)
    edges = bin_edges(trains, edges, scale)
    isi, cut = (_on_edges(each, edges) for each in (trains.intervals()[0], cut_off(trains)))
    at_risk = _time_within(np.concatenate([isi, cut]), edges)
    events = np.histogram(isi, _just_above(edges))[0]
    tail = (1 - confidence) / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        scaled = np.where(at_risk > 0, 1000.0 / at_risk, np.nan)
        # inverse of the upper tail of chi squared, at twice the events
        lowest = np.where(events > 0, chdtri(2.0 * np.maximum(events, 1), 1 - tail) / 2, 0.0)
        highest = chdtri(2.0 * events + 2, tail) / 2
    survival, cumulative = _survival(isi, cut, edges)
    return Hazard(
        edges,
        events * scaled,
        lowest * scaled,
        highest * scaled,
        events,
        at_risk,
        survival,
        cumulative,
        cut.size,
        float(confidence),
    )


def cut_off(trains: SpikeTrains) -> NDArray[np.float64]:
    """Time (ms) from the last spike of each neuron in each window of the support to its end."""
    times, offsets = trains.by_neuron()
    windows = trains.support.index(times)
    runs = np.repeat(np.arange(trains.size), np.diff(offsets)) * len(trains.support) + windows
    last = np.flatnonzero(np.r_[runs[1:] != runs[:-1], np.ones(min(runs.size, 1), bool)])
    return np.maximum(trains.support.stops[windows[last]] - times[last], 0.0)


def _on_edges(lengths: NDArray, edges: NDArray) -> NDArray[np.float64]:
    """Lengths, those within SAME_TIME of an edge on it: rounding is no time in the next bin."""
    middles = (edges[1:] + edges[:-1]) / 2
    nearest = edges[np.searchsorted(middles, lengths)]
    return np.where(np.abs(lengths - nearest) <= SAME_TIME, nearest, lengths)


def _just_above(edges: NDArray) -> NDArray:
    """Edges for NumPy, whose bins hold their start, that make bins which hold their stop."""
    return edges + SAME_TIME


def _time_within(lengths: NDArray, edges: NDArray) -> NDArray[np.float64]:
    """Time that intervals of these lengths spend between the edges."""
    lengths = np.sort(lengths)
    sums = np.r_[0.0, np.cumsum(lengths)]
    shorter = np.searchsorted(lengths, edges, side="right")
    up_to = sums[shorter] + edges * (lengths.size - shorter)  # of all, up to each edge
    return np.diff(up_to)


def _survival(isi: NDArray, cut: NDArray, edges: NDArray) -> tuple[NDArray, NDArray]:
    """Kaplan-Meier and Nelson-Aalen at the edges; what is cut off when another ends was longer.

    Intervals closer than SAME_TIME end at once: one behind the other would raise what is cumulated.
    """
    isi = np.sort(isi)
    first = np.flatnonzero(np.diff(isi, prepend=-np.inf) > SAME_TIME)
    ends, n = isi[first], np.diff(first, append=isi.size)
    lengths = np.sort(np.concatenate([isi, cut]))
    left = lengths.size - np.searchsorted(lengths, ends - SAME_TIME)
    survival = np.r_[1.0, np.cumprod(1 - n / left)]
    cumulative = np.r_[0.0, np.cumsum(n / left)]
    reached = np.searchsorted(ends, _just_above(edges), side="right")
    return survival[reached], cumulative[reached]
