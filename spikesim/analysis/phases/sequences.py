"""Theta sequences: within a cycle, cells fire in the order in which their fields follow."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.phases.circular import TURN, mean_vector
from spikesim.analysis.phases.phase import Phase, check_phase, parts_of_cycles
from spikesim.checks import check_floats, check_number, check_whole, is_number
from spikesim.display import number
from spikesim.random import stream

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

STEEPEST = 0.5  # theta time per time of behaviour; sequences compress, if they are any
AROUND = 3  # periods of theta to each side of the lags that are looked at, for the filter's ends


@dataclass(frozen=True, eq=False)
class Compression:
    """How much faster cells follow each other within theta cycles than in behaviour.

    By `sequence_compression`.

    Attributes
    ----------
    pairs : ndarray of int64, shape (pairs, 2)
        The cells of each pair that spoke often enough.
    behaviour : ndarray of float64, shape (pairs,)
        Time from the first's place to the second's (ms).
    theta : ndarray of float64, shape (pairs,)
        Lag of the second behind the first within a cycle (ms), of half a period at most: the peak
        of the correlogram.
    slope : float
        Lag within cycles per time in behaviour.
    compression : float
        1 / slope.
    resultant : float
        Mean length R of what is left of lags, as phases, when the slope is taken off.
    correlation : float
        Pearson's r of the two times, of pairs whose lag by the slope is below half a period: the
        sequence compression index of Dragoi & Buzsáki (2006).
    period : float
        Of theta (ms).
    """

    pairs: NDArray[np.int64]
    behaviour: NDArray[np.float64]
    theta: NDArray[np.float64]
    slope: float
    compression: float
    resultant: float
    correlation: float
    period: float

    def __repr__(self) -> str:
        pairs = number(len(self.pairs), "pair")
        times, r = f"{self.compression:.3g} times", f"correlation {self.correlation:.3g}"
        return f"<Compression of {pairs}: {times}, {r}>"


def sequence_compression(
    trains: SpikeTrains,
    places: ArrayLike,
    speed: float,
    period: float,
    *,
    reach: float,
    window: float = 100.0,
    bin: float = 2.0,
    least: int = 30,
) -> Compression:
    """Lags of pairs of place cells within theta cycles, against those of their fields.

    Of each pair of cells the correlogram is band-passed around the frequency of theta (from .6 to
    1.6 of it) and its highest peak within +-window is the lag. Lags mean the same one period
    later, so they are given within half a period, and the slope is that of the circular-linear
    fit of lag / period against the time between the places, which both signs of every pair force
    through the origin.

    Parameters
    ----------
    trains : SpikeTrains
        Restricted to runs in one direction.
    places : array_like, shape (size,)
        Where each cell's field is; NaN of cells that have none.
    speed : float
        Of running, in units of place per second; negative towards lower places.
    period : float
        Of theta (ms), such as ``phase.mean_period``.
    reach : float
        Pairs whose places are farther apart are left out: at most a field's width.
    window : float
        ms; .6 of a period or more.
    bin : float
        Of the correlogram (ms).
    least : int
        Spikes of the pair within the window, below which it is left out.

    Returns
    -------
    Compression
        NaN with fewer than 3 pairs.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If places are not one for each cell, speed is 0, or another number is out of bounds.

    References
    ----------
    Skaggs WE et al. (1996) Theta phase precession in hippocampal neuronal populations and the
    compression of temporal sequences. Hippocampus 6:149-172. Dragoi G, Buzsáki G (2006) Temporal
    encoding of place sequences by hippocampal cell assemblies. Neuron 50:145-157. Geisler C et al.
    (2010) Temporal delays among place cells determine the frequency of population theta
    oscillations in the hippocampus. Proc Natl Acad Sci USA 107:7957-7962.
    """
    spike_trains("trains", trains)
    from spikesim.analysis.pairs.correlograms import correlograms
    from spikesim.analysis.phases.lines import circular_linear

    places = _places(places, trains.size)
    if not is_number(speed) or speed == 0:
        raise ValueError(
            f"speed is {speed!r}; it must be a finite number other than 0, negative towards lower "
            "places."
        )
    check_number("period", period, above=0.0, unit="ms")
    check_number("reach", reach, above=0.0)
    check_number("bin", bin, above=0.0, most=period / 5, unit="ms")
    check_number("window", window, least=0.6 * period, unit="ms")
    check_whole("least", least)
    pairs = np.stack(np.triu_indices(trains.size, 1), axis=1)
    far = np.abs(places[pairs[:, 1]] - places[pairs[:, 0]])  # NaN where there is no place
    pairs = pairs[far <= reach]
    wide = bin * np.ceil((window + AROUND * period) / bin)
    counts = np.empty((0, int(2 * wide / bin) + 1))
    if len(pairs):
        counts = correlograms(trains, bin, wide, pairs).counts
    lags = bin * (np.arange(counts.shape[1]) - counts.shape[1] // 2)
    looked_at = np.abs(lags) <= window + 1e-6
    often = counts[:, looked_at].sum(axis=1) >= least
    pairs, counts = pairs[often], counts[often]
    theta = _peaks(_theta_part(counts, bin, period)[:, looked_at], lags[looked_at])
    theta -= period * np.round(theta / period)
    behaviour = 1000 / speed * (places[pairs[:, 1]] - places[pairs[:, 0]])
    both = np.concatenate([behaviour, -behaviour]) / period
    turns = TURN * np.concatenate([theta, -theta]) / period
    nan = float("nan")
    if len(pairs) < 3:
        return Compression(pairs, behaviour, theta, nan, nan, nan, nan, float(period))
    line = circular_linear(both, turns, (-STEEPEST, STEEPEST), shuffles=0)
    near = np.abs(line.slope * behaviour) < period / 2
    varied = near.sum() > 2 and np.ptp(behaviour[near]) > 0 and np.ptp(theta[near]) > 0
    r = float(np.corrcoef(behaviour[near], theta[near])[0, 1]) if varied else nan
    compression = 1 / line.slope if line.slope else nan
    return Compression(
        pairs, behaviour, theta, line.slope, compression, line.resultant, r, float(period)
    )


def _places(places: ArrayLike, size: int) -> NDArray[np.float64]:
    array = check_floats("places", places)
    if np.isinf(array).any():
        raise ValueError("places holds an infinite number; a cell without a place has NaN.")
    if array.shape != (size,):
        raise ValueError(
            f"places has shape {array.shape}; it must have a number, or NaN, for each of the "
            f"{size} cells."
        )
    return array


def _theta_part(counts: NDArray, bin: float, period: float) -> NDArray[np.float64]:
    """Correlograms between .6 and 1.6 of theta's frequency, without delay."""
    from scipy.signal import butter, sosfiltfilt

    band = [0.6 / period, 1.6 / period]
    sections = butter(2, band, "bandpass", fs=1 / bin, output="sos")
    length = min(int(AROUND * period / bin), counts.shape[1] - 1)
    return sosfiltfilt(sections, counts, axis=1, padlen=length) if len(counts) else counts


def _peaks(curves: NDArray, lags: NDArray) -> NDArray[np.float64]:
    """Lag of the highest peak of each curve, between bins by a parabola; an end is no peak."""
    if not len(curves):
        return np.empty(0)
    inner = curves[:, 1:-1]
    peak = (inner >= curves[:, :-2]) & (inner >= curves[:, 2:])
    top = np.where(peak, inner, -np.inf).argmax(axis=1) + 1
    rows = np.arange(len(curves))
    left, here, right = curves[rows, top - 1], curves[rows, top], curves[rows, top + 1]
    bend = left - 2 * here + right
    shift = np.divide(left - right, 2 * bend, out=np.zeros_like(bend), where=bend < 0)
    return lags[top] + np.clip(shift, -0.5, 0.5) * (lags[1] - lags[0])


@dataclass(frozen=True, eq=False)
class ThetaSequences:
    """Order of place cells in single theta cycles, by `theta_sequences`.

    Attributes
    ----------
    cycles : ndarray of int64, shape (cycles,)
        Numbers of the cycles that hold cells enough.
    starts : ndarray of float64, shape (cycles,)
        First spike of each (ms).
    cells, spikes : ndarray of int64, shape (cycles,)
        How many spoke in it.
    correlation : ndarray of float64, shape (cycles,)
        Pearson's r of time and place over its cells, each at the mean time of its spikes.
    slope : ndarray of float64, shape (cycles,)
        How fast places are run through within the cycle (units of place per second): the line of
        place against time.
    score : float
        Mean correlation.
    p : float
        How often places that are dealt out anew have a mean correlation as far from 0.
    """

    cycles: NDArray[np.int64]
    starts: NDArray[np.float64]
    cells: NDArray[np.int64]
    spikes: NDArray[np.int64]
    correlation: NDArray[np.float64]
    slope: NDArray[np.float64] = field(repr=False)
    score: float
    p: float

    def __repr__(self) -> str:
        return (
            f"<ThetaSequences: {self.cycles.size} cycles, mean correlation {self.score:.3g}, "
            f"p {self.p:.3g}>"
        )


def theta_sequences(
    trains: SpikeTrains,
    phase: Phase,
    places: ArrayLike,
    *,
    start: float | None = None,
    least: int = 3,
    shuffles: int = 1000,
    seed: int | None = None,
) -> ThetaSequences:
    """Whether place cells fire in the order of their places within single theta cycles.

    Parameters
    ----------
    trains : SpikeTrains
        Restricted to runs in one direction.
    phase : Phase
        Of theta.
    places : array_like, shape (size,)
        Where each cell's field is; NaN of cells that have none.
    start : float, optional
        Phase at which cycles begin (rad), which shall cut no sequence; by default that opposite to
        the mean phase of all spikes.
    least : int
        Cells that must speak in a cycle.
    shuffles : int
        For p; 0 for none.
    seed : int, optional
        Of the shuffles.

    Returns
    -------
    ThetaSequences
        Cycles in which all cells spike at one time or all places are alike are left out.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains, or phase is no Phase.
    ValueError
        If places are not one for each cell, or least is below 2.

    Notes
    -----
    p is the larger of two. One deals the places of all cells out anew, for the whole session, so
    that cells with a preferred phase of their own, in all cycles the same, deceive nobody (of
    those it calls 1 % a sequence). The other deals them out anew in each cycle, among the cells
    that speak in it.

    References
    ----------
    Foster DJ, Wilson MA (2007) Hippocampal theta sequences. Hippocampus 17:1093-1099.
    """
    spike_trains("trains", trains)
    check_phase(phase)
    places = _places(places, trains.size)
    check_whole("least", least, least=2)
    check_whole("shuffles", shuffles, least=0)
    unwrapped = phase.unwrapped_at(trains.times)
    kept = np.isfinite(unwrapped) & np.isfinite(places[trains.neurons])
    times, cell, unwrapped = trains.times[kept], trains.neurons[kept], unwrapped[kept]
    if start is None:
        start = float(mean_vector(unwrapped)[0]) + np.pi if times.size else 0.0
    check_number("start", start, unit="rad")
    turn = np.floor(parts_of_cycles(phase, times, 1, start)).astype(np.int64)
    # One entry for each cell and cycle: bursts count once.
    (turns, cell), each = np.unique(np.stack([turn, cell]), axis=1, return_inverse=True)
    each = each.reshape(-1)
    spikes = np.bincount(each)
    t = np.bincount(each, times) / spikes if times.size else times
    first = np.full(t.size, np.inf)
    np.minimum.at(first, each, times)
    cycles, of, cells = np.unique(turns, return_inverse=True, return_counts=True)
    kept = cells[of] >= least
    cycles, of = np.unique(turns[kept], return_inverse=True)
    t, cell, spikes, first = (column[kept] for column in (t, cell, spikes, first))
    t = t - _mean(t, of)
    r, slope = _lines(t, places[cell], of)
    good = np.isfinite(r)
    score = _score(r)
    p = float("nan")
    if shuffles and good.any():
        rng = stream(seed, "places")
        known = np.flatnonzero(np.isfinite(places))
        as_far = np.zeros(2, np.int64)
        for _ in range(shuffles):
            dealt = np.full(places.size, np.nan)
            dealt[known] = places[rng.permutation(known)]
            mixed = places[cell[np.argsort(of + rng.random(of.size))]]  # of is ascending
            others = (_score(_lines(t, x, of)[0]) for x in (dealt[cell], mixed))
            as_far += [not abs(other) < abs(score) - 1e-12 for other in others]  # as far if NaN
        p = float(1 + as_far.max()) / (1 + shuffles)
    starts = np.full(cycles.size, np.inf)
    np.minimum.at(starts, of, first)
    in_all = np.bincount(of, spikes, cycles.size).astype(np.int64)
    columns = cycles, starts, np.bincount(of, minlength=cycles.size), in_all, r, 1000 * slope
    return ThetaSequences(*(column[good] for column in columns), score, p)


def _score(r: NDArray) -> float:
    r = r[np.isfinite(r)]
    return float(r.mean()) if r.size else float("nan")


def _mean(values: NDArray, of: NDArray) -> NDArray:
    """Mean of each value's group, for each value."""
    return (np.bincount(of, values) / np.bincount(of))[of] if values.size else values


def _lines(t: NDArray, place: NDArray, of: NDArray) -> tuple[NDArray, NDArray]:
    """Correlation, and slope of place against time, in each group; times are less their mean."""
    x = place - _mean(place, of)
    tt, xx, tx = (
        np.bincount(of, each) if t.size else np.empty(0) for each in (t * t, x * x, t * x)
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        flat = (tt < 1e-12) | (xx < 1e-12)
        return np.where(flat, np.nan, tx / np.sqrt(tt * xx)), np.where(flat, np.nan, tx / tt)
