"""What tuning curves say in a number: what a neuron prefers, how sharply, how much it tells."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.codes.ties import LEAST_LENGTH
from spikesim.analysis.codes.tuning import TuningCurves, check_curves
from spikesim.checks import check_choice


def preferred_value(curves: TuningCurves, method: str | None = None) -> NDArray[np.float64]:
    """The value of the feature to which each neuron responds most.

    Parameters
    ----------
    curves : TuningCurves
    method : "peak" or "mean", optional
        "peak" is the middle of the bin with the highest rate, the first of several. "mean" is
        the mean value weighted by rate and by the width of bins; on a circle it is the direction
        of the mean vector. Of circular features it is "mean" if nothing is given, else "peak".

    Returns
    -------
    ndarray, shape (size,), or of two dimensions (size, 2)
        On circles in [0, period). NaN of silent neurons, and for "mean" on circles of those whose
        mean vector has no length, such as of flat curves around it.

    Raises
    ------
    TypeError
        If curves are not TuningCurves.
    ValueError
        If there is no such method.
    """
    check_curves(curves)
    check_choice("method", method, (None, "peak", "mean"))
    rates = np.where(np.isnan(curves.rates), 0.0, curves.rates)
    flat = rates.reshape(curves.size, curves.occupancy.size)
    silent = flat.sum(axis=1) == 0
    if not flat.size:
        several = (len(curves.values),) if len(curves.values) > 1 else ()
        return np.full((curves.size, *several), np.nan)
    found = []
    for d, (values, edges, period) in enumerate(
        zip(curves.values, curves.edges, curves.periods, strict=True)
    ):
        if method == "peak" or (method is None and period is None):
            own = values[np.unravel_index(flat.argmax(axis=1), rates.shape[1:])[d]]
            own = own if period is None else np.mod(own, period)
        else:
            others = tuple(1 + k for k in range(len(curves.values)) if k != d)
            weights = rates.sum(axis=others) * np.diff(edges)
            own = _mean(values, weights, period)
        found.append(np.where(silent, np.nan, own))
    return found[0] if len(found) == 1 else np.stack(found, axis=1)


def _mean(values: NDArray, weights: NDArray, period: float | None) -> NDArray[np.float64]:
    total = weights.sum(axis=1)
    if period is None:
        return weights @ values / np.where(total > 0, total, 1.0)
    turn = 2 * np.pi / period
    vector = weights @ np.exp(1j * turn * values)
    angle = np.mod(np.angle(vector) / turn, period)
    angle = np.where(angle >= period, 0.0, angle)
    return np.where(np.abs(vector) > LEAST_LENGTH * total, angle, np.nan)


def tuning_width(curves: TuningCurves) -> NDArray[np.float64]:
    """Full width of each tuning curve at half height, in the unit of the feature.

    Returns
    -------
    ndarray, shape (size,)
        NaN of flat curves, and where the curve does not fall to half height on both sides within
        the bins that were visited.

    Raises
    ------
    TypeError
        If curves are not TuningCurves.
    ValueError
        If the curves have two dimensions.

    Notes
    -----
    Half height is half way from the lowest rate to the highest; between the middles of bins the
    curve is a straight line. Circular curves go on around the circle.
    """
    check_curves(curves)
    if len(curves.values) != 1:
        raise ValueError(
            f"curves have {len(curves.values)} dimensions; the width is one of those of one."
        )
    values, period = curves.values[0], curves.periods[0]
    return np.array([_width(rates, values, period) for rates in curves.rates])


def _width(rates: NDArray, values: NDArray, period: float | None) -> float:
    known = ~np.isnan(rates)
    if not known.any() or np.ptp(rates[known]) <= 1e-12 * rates[known].max():  # of smoothing
        return np.nan
    half = (rates[known].min() + rates[known].max()) / 2
    peak = int(np.nanargmax(rates))
    n = len(rates)
    width = 0.0
    for step in (-1, 1):
        along = peak + step * np.arange(n + 1)
        if period is None:
            along = along[(along >= 0) & (along < n)]
        below = np.flatnonzero(~(rates[along % n] > half))  # also where it is not known
        if not below.size:
            return np.nan
        inner, outer = along[below[0] - 1], along[below[0]]
        a, b = rates[inner % n], rates[outer % n]
        apart = abs(values[outer % n] - values[inner % n])
        apart = apart if period is None else min(apart, period - apart)
        width += abs(values[inner % n] - values[peak]) if period is None else 0.0
        if period is not None:
            width += np.mod(step * (values[inner % n] - values[peak]), period)
        width += apart * (a - half) / (a - b)
    return float(width)


def information_per_spike(curves: TuningCurves) -> NDArray[np.float64]:
    """Information on the feature in each spike, bits.

    Returns
    -------
    ndarray, shape (size,)
        NaN of silent neurons.

    Raises
    ------
    TypeError
        If curves are not TuningCurves.

    Notes
    -----
    ``sum over bins of p r / m log2(r / m)`` with the share p of the time in the bin, the rate r
    there, and the mean rate m = sum of p r [1]_. It is that of short times, in which a neuron fires
    at most once. With few spikes it is too high, by about (number of visited bins - 1) /
    (2 ln 2 number of spikes) for a neuron without tuning: compare it with shifted spikes.

    References
    ----------
    .. [1] Skaggs WE, McNaughton BL, Gothard KM, Markus EJ (1993) An information-theoretic approach
       to deciphering the hippocampal code. Adv Neural Inf Process Syst 5:1030-1037.
    """
    check_curves(curves)
    rates = curves.rates.reshape(curves.size, curves.occupancy.size)
    visited = curves.occupancy.ravel() > 0
    p = curves.occupancy.ravel()[visited]
    p = p / p.sum() if p.size else p
    rates = rates[:, visited]
    mean = rates @ p
    share = rates / np.where(mean > 0, mean, 1.0)[:, None]
    bits = (p * share * np.log2(np.where(share > 0, share, 1.0))).sum(axis=1)
    return np.where(mean > 0, bits, np.nan)
