"""Tuning curves: the rate of each neuron by the value of a stimulus, a movement, a place."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import aligned_trains, kind_of, of_trials, spike_trains
from spikesim.checks import as_floats, check_floats, check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME

_SAME_SPAN = 1e-9  # of a period: edges all around, but for rounding


@dataclass(frozen=True, eq=False)
class TuningCurves:
    """Rate of each neuron in bins of a feature, by `tuning_curves` or `tuning_by_trial`.

    Attributes
    ----------
    rates : ndarray, shape (size, n_bins) or (size, n_bins, n_bins)
        Hz; NaN where the feature never was.
    counts : ndarray, shape like rates
        Spikes.
    occupancy : ndarray, shape (n_bins,) or (n_bins, n_bins)
        How long the feature was there, ms.
    edges : tuple of ndarray, shape (n_bins + 1,)
        Of the bins of each dimension; bin k is [edges[k], edges[k + 1]), the last one holds its
        end, too.
    values : tuple of ndarray, shape (n_bins,)
        The middle of each bin, or of a feature with few values, the value.
    periods : tuple of float or None
        Of each dimension that is circular.
    """

    rates: NDArray[np.float64] = field(repr=False)
    counts: NDArray[np.float64] = field(repr=False)
    occupancy: NDArray[np.float64] = field(repr=False)
    edges: tuple[NDArray[np.float64], ...] = field(repr=False)
    values: tuple[NDArray[np.float64], ...] = field(repr=False)
    periods: tuple[float | None, ...]

    @property
    def size(self) -> int:
        """Number of neurons."""
        return len(self.rates)

    def __repr__(self) -> str:
        bins = " x ".join(str(len(values)) for values in self.values)
        visited = int((self.occupancy > 0).sum())
        return (
            f"<TuningCurves of {self.size} neurons in {bins} bins, {visited} of them visited, "
            f"{self.occupancy.sum():g} ms>"
        )


def check_curves(curves: TuningCurves) -> None:
    """Raise a TypeError, which says how to get them, if they are no tuning curves."""
    if not isinstance(curves, TuningCurves):
        raise TypeError(
            f"curves is {kind_of(curves)}; it must be TuningCurves, which "
            f"tuning_curves(trains, feature, times) and tuning_by_trial(aligned, feature) give."
        )


def tuning_curves(
    trains: SpikeTrains,
    feature: ArrayLike,
    times: ArrayLike,
    *,
    bins: int | ArrayLike | Sequence[int | ArrayLike] = 20,
    range: tuple[float, float] | Sequence[tuple[float, float]] | None = None,
    period: float | Sequence[float | None] | None = None,
    occupancy: ArrayLike | None = None,
    smooth: float | Sequence[float] = 0.0,
    reach: float | None = None,
) -> TuningCurves:
    """Rate of each neuron by the value that a feature had when it fired.

    Parameters
    ----------
    trains : SpikeTrains
    feature : array_like, shape (n,), (n, 1) or (n, 2)
        Samples of the feature: a position, a direction; NaN, or masked, where it is unknown.
    times : array_like, shape (n,)
        When they were taken (ms), rising.
    bins : int, or array_like of edges
        Of each dimension, if they differ.
    range : (float, float), optional
        Where a number of bins begins and ends, of each dimension; if it is not given, from the
        least to the largest sample, or of a circular feature from 0 to its period. Samples
        outside count as not known. Not to be given where all bins are edges.
    period : float, optional
        Of a circular feature, such as 360.0 or 2 pi. Samples are taken into [first edge, first
        edge + period), so that bins may go from -pi to pi; they must not span more than the
        period. None in a sequence is a dimension that is not circular.
    occupancy : array_like, shape of the bins, optional
        ms, if it is known better than by the samples.
    smooth : float
        Standard deviation of a Gaussian, in the feature's unit, by which spikes and occupancy are
        both smoothed before one is divided by the other; around the circle where it is one.
    reach : float, optional
        A sample tells of the time closer to it than to others, but no longer than this before and
        after it (ms); the median interval between samples if it is not given. So gaps of one
        sample are filled, and longer ones count neither as time nor for their spikes.

    Returns
    -------
    TuningCurves
        Bins that were never visited are NaN, smoothed or not.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If shapes do not fit, times do not rise, the bins are none, or no sample lies within the
        support.

    Notes
    -----
    rate = spikes in the bin / time in the bin. Time is that of the samples within the support:
    nothing in gaps of the recording or of the feature counts, and a spike counts to the bin of
    the same sample whose time is counted.
    """
    spike_trains("trains", trains)
    feature, times = _samples(feature, times)
    dimensions = feature.shape[1]
    periods = _of_each("period", period, dimensions)
    edges = _edges(feature, bins, range, periods)
    feature = _wrapped(feature, edges, periods)
    low, high = _told(times, reach)
    cell = _cell(feature, edges)
    shape = tuple(len(e) - 1 for e in edges)
    n_cells = int(np.prod(shape))
    time, seen = _time_and_spikes(trains, low, high, cell, n_cells)
    counts = seen.reshape(trains.size, *shape).astype(float)
    if occupancy is not None:
        time = _given(occupancy, shape)
    smooth = _of_each("smooth", smooth, dimensions)
    return _divided(counts, time.reshape(shape), edges, _middles(edges), periods, smooth)


def tuning_by_trial(
    aligned: AlignedTrains,
    feature: str | ArrayLike,
    *,
    window: tuple[float, float] | None = None,
    bins: int | ArrayLike | None = None,
    range: tuple[float, float] | None = None,
    period: float | None = None,
    smooth: float = 0.0,
) -> TuningCurves:
    """Rate of each neuron by the value that a feature had in each trial.

    Parameters
    ----------
    aligned : AlignedTrains
    feature : str or array_like, shape (n_trials,)
        A number for each trial, or the label that has it. Trials of which it is NaN are left out.
    window : (float, float), optional
        ms after the event, in which spikes count; the whole trial if it is not given.
    bins : int or array_like of edges, optional
        Without, every value that occurs has a bin of its own.
    range, period, smooth
        As for `tuning_curves`; range needs bins. Without bins a circular feature is taken into
        [0, period), and smoothing is over the values themselves.

    Returns
    -------
    TuningCurves
        Occupancy is the time of all trials of a bin.

    Raises
    ------
    TypeError
        If aligned are not AlignedTrains.
    ValueError
        If shapes do not fit, the bins or the window are none, or a range comes without bins.
    """
    aligned_trains("aligned", aligned)
    feature = of_trials("feature", aligned, feature)
    values = check_floats("feature", feature)
    if values.shape != (aligned.n_trials,):
        raise ValueError(
            f"feature has shape {np.shape(feature)}; it must have one number for each of "
            f"{aligned.n_trials} trials, or be the name of a label."
        )
    start, stop = (aligned.t_start, aligned.t_stop) if window is None else window
    check_number("window[0]", start, least=aligned.t_start, below=aligned.t_stop, unit="ms")
    check_number("window[1]", stop, above=start, most=aligned.t_stop, unit="ms")
    periods = _of_each("period", period, 1)
    values = values[:, None]
    if bins is None:
        if range is not None:
            raise ValueError(f"range is {range!r}, but there are no bins; give their number, too.")
        values = _wrapped(values, (np.zeros(1),), periods)
        different = np.unique(values[~np.isnan(values)])
        edges, cell = (_between(different),), np.searchsorted(different, values[:, 0])
        cell = np.where(np.isnan(values[:, 0]), -1, cell)
        places = (different,)
    else:
        edges = _edges(values, bins, range, periods)
        cell = _cell(_wrapped(values, edges, periods), edges)
        places = _middles(edges)
    n_bins = len(edges[0]) - 1
    here = (aligned.times > start + SAME_TIME) & (aligned.times <= stop + SAME_TIME)
    counts = _spikes_in(cell[aligned.trials[here]], aligned.neurons[here], aligned.size, n_bins)
    time = np.bincount(cell[cell >= 0], minlength=n_bins) * (stop - start)
    smooth = _of_each("smooth", smooth, 1)
    return _divided(counts.astype(float), time, edges, places, periods, smooth)


def _samples(feature: ArrayLike, times: ArrayLike) -> tuple[NDArray, NDArray]:
    values, at = check_floats("feature", feature), check_floats("times", times)
    if values.ndim == 1:
        values = values[:, None]
    if at.ndim != 1 or values.ndim == 0 or len(at) != len(values):
        raise ValueError(
            f"feature has shape {np.shape(feature)} and times {np.shape(times)}; there must be "
            f"one time for each sample."
        )
    if values.ndim != 2 or values.shape[1] not in (1, 2):
        raise ValueError(
            f"feature has shape {np.shape(feature)}; it must be (n,), (n, 1) or (n, 2)."
        )
    if not np.isfinite(at).all() or np.any(np.diff(at) <= 0):
        raise ValueError("times must be finite and rise from sample to sample (ms), but do not.")
    return np.where(np.isfinite(values), values, np.nan), at


def _of_each(name: str, value: object, dimensions: int) -> tuple:
    """A number of each dimension, none for all, or one of the several."""
    several = tuple(value) if isinstance(value, Sequence | np.ndarray) else (value,) * dimensions
    if len(several) != dimensions:
        raise ValueError(f"{name} is {value!r}; it must be one number or {dimensions}.")
    for each in several:
        if each is not None:
            least, above = (0, None) if name == "smooth" else (None, 0)
            check_number(name, each, least=least, above=above)
    return several


def around(values: NDArray, edges: NDArray, period: float) -> NDArray[np.float64]:
    """Values of a circular feature as they are in [first edge, first edge + period)."""
    low = edges[0]
    inside = (values >= low) & (values < low + period)  # these keep all their digits
    out = np.where(inside, values, low + np.mod(values - low, period))
    out[out >= low + period] = low  # of -1e-18, say
    if abs(edges[-1] - low - period) <= _SAME_SPAN * period:
        out = np.minimum(out, edges[-1])  # edges all around leave no slit by rounding
    return out


def check_span(name: str, edges: NDArray, period: float) -> None:
    """Refuse edges that go around the circle more than once."""
    if edges[-1] - edges[0] > period * (1 + _SAME_SPAN):
        raise ValueError(
            f"{name} go from {edges[0]:g} to {edges[-1]:g}; of a circular feature they must not "
            f"span more than its period, {period:g}."
        )


def _wrapped(feature: NDArray, edges: tuple[NDArray, ...], periods: tuple) -> NDArray[np.float64]:
    out = feature.copy()
    for d, (e, period) in enumerate(zip(edges, periods, strict=True)):
        if period is not None:
            out[:, d] = around(out[:, d], e, period)
    return out


def _edges(feature: NDArray, bins: object, range: object, periods: tuple) -> tuple[NDArray, ...]:
    """Edges of each dimension, from a number of bins or given."""
    dimensions = len(periods)
    several = (bins,) * dimensions
    if dimensions == 2 and isinstance(bins, Sequence | np.ndarray) and len(bins) == 2:
        several = tuple(bins)
    ranges = (range,) * dimensions
    if isinstance(range, Sequence) and not all(np.isscalar(end) for end in range):
        ranges = tuple(range)
    if len(ranges) != dimensions:
        raise ValueError(f"range is {range!r}; it must be two numbers, or {dimensions} pairs.")
    if range is not None and all(np.ndim(given) > 0 for given in several):
        raise ValueError(
            f"range is {range!r}, but bins hold edges, which tell already; leave it out."
        )
    edges = []
    for d, (given, ends, period) in enumerate(zip(several, ranges, periods, strict=True)):
        if np.ndim(given) == 0:
            check_whole("bins", given, 1)
            if ends is None and period is not None:
                ends = 0.0, period
            elif ends is None:
                known = feature[~np.isnan(feature[:, d]), d]
                ends = (known.min(), known.max()) if known.size else (0.0, 1.0)
            pair = as_floats(ends)
            if pair is None or pair.shape != (2,) or not -np.inf < pair[0] <= pair[1] < np.inf:
                raise ValueError(f"range is {ends!r}; it must be two finite numbers that rise.")
            low, high = pair
            if low == high:
                low, high = low - 0.5, high + 0.5
            array = np.linspace(low, high, given + 1)
        else:
            array = as_floats(given)
        if array is None or array.ndim != 1 or len(array) < 2 or not np.all(np.diff(array) > 0):
            raise ValueError(
                f"bins is {given!r}; edges must be two numbers at least, each above the last."
            )
        if period is not None:
            check_span("bins", array, period)
        edges.append(array)
    return tuple(edges)


def _middles(edges: tuple[NDArray, ...]) -> tuple[NDArray, ...]:
    return tuple((e[:-1] + e[1:]) / 2 for e in edges)


def _between(values: NDArray) -> NDArray[np.float64]:
    """Edges half way between values, as far out at both ends."""
    if len(values) == 0:
        return np.zeros(1)
    step = np.diff(values) if len(values) > 1 else np.ones(1)
    inner = (values[1:] + values[:-1]) / 2
    return np.r_[values[0] - step[0] / 2, inner, values[-1] + step[-1] / 2]


def _cell(feature: NDArray, edges: tuple[NDArray, ...]) -> NDArray[np.int64]:
    """Number of the bin of each sample, -1 of those that are in none."""
    cell = np.zeros(len(feature), np.int64)
    inside = np.ones(len(feature), bool)
    for x, e in zip(feature.T, edges, strict=True):
        k = np.searchsorted(e, x, side="right") - 1
        k = np.where(x == e[-1], len(e) - 2, k)
        inside &= (k >= 0) & (k < len(e) - 1) & ~np.isnan(x)
        cell = cell * (len(e) - 1) + np.clip(k, 0, len(e) - 2)
    return np.where(inside, cell, -1)


def _told(times: NDArray, reach: float | None) -> tuple[NDArray, NDArray]:
    """From when to when each sample tells the feature (ms)."""
    if reach is None:
        reach = float(np.median(np.diff(times))) if len(times) > 1 else 1.0
    check_number("reach", reach, above=0, unit="ms")
    middle = (times[1:] + times[:-1]) / 2
    low = np.maximum(np.r_[-np.inf, middle], times - reach)
    high = np.minimum(np.r_[middle, np.inf], times + reach)
    return low, high


def _time_and_spikes(
    trains: SpikeTrains, low: NDArray, high: NDArray, cell: NDArray, n_cells: int
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """ms in each cell, and spikes of each neuron in it, (size, n_cells)."""
    time, known = np.zeros(n_cells), cell >= 0
    for start, stop in trains.support:
        shared = np.clip(np.minimum(high, stop) - np.maximum(low, start), 0.0, None)
        time += np.bincount(cell[known], shared[known], n_cells)
    if len(low) and (high[-1] <= trains.t_start or low[0] >= trains.t_stop):
        raise ValueError(
            f"times go from {low[0]:g} to {high[-1]:g} ms; none of the samples tells of the "
            f"trains, recorded in {trains.support!r}. Both must be in ms."
        )
    sample = np.searchsorted(low, trains.times, side="left") - 1  # low < time
    of_spike = np.full(len(trains.times), -1)
    if len(low):
        told = (sample >= 0) & (trains.times <= high[sample])
        of_spike = np.where(told, cell[sample], -1)
    return time, _spikes_in(of_spike, trains.neurons, trains.size, n_cells)


def _spikes_in(cell: NDArray, neurons: NDArray, size: int, n_cells: int) -> NDArray[np.int64]:
    known = cell >= 0
    place = neurons[known] * n_cells + cell[known]
    return np.bincount(place, minlength=size * n_cells).reshape(size, n_cells)


def _given(occupancy: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    time = check_floats("occupancy", occupancy)
    if time.shape != shape or not np.all(time >= 0):
        raise ValueError(
            f"occupancy has shape {np.shape(occupancy)}; it must hold ms, 0 or more, of each of "
            f"the bins {shape}."
        )
    return time


def _divided(
    counts: NDArray, time: NDArray, edges: tuple, values: tuple, periods: tuple, smooth: tuple
) -> TuningCurves:
    spikes, there = counts, np.asarray(time, float)
    for d, (at, period, sd) in enumerate(zip(values, periods, smooth, strict=True)):
        if sd:
            weights = _smoother(at, period, sd)
            spikes = np.moveaxis(np.moveaxis(spikes, 1 + d, -1) @ weights.T, -1, 1 + d)
            there = np.moveaxis(np.moveaxis(there, d, -1) @ weights.T, -1, d)
    with np.errstate(invalid="ignore", divide="ignore"):
        rates = np.where(time > 0, 1000.0 * spikes / there, np.nan)
    return TuningCurves(rates, counts, np.asarray(time, float), edges, values, periods)


def _smoother(values: NDArray, period: float | None, sd: float) -> NDArray:
    """How much each bin (column) adds to each (row)."""
    apart = values[:, None] - values[None, :]
    if period is not None:
        apart = np.mod(apart + period / 2, period) - period / 2
    return np.exp(-((apart / sd) ** 2) / 2)
