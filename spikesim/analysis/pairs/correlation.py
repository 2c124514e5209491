"""Correlations of spike counts: in bins, with a lag, over conditions and within them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import aligned_trains, conditions_of, trains_of_either
from spikesim.analysis.pairs.correlograms import bins_to_a_side
from spikesim.checks import check_number
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains

_AT_ONCE = 2**16  # bins that are turned to floats at a time


def count_correlation(trains: SpikeTrains | AlignedTrains, bin: float) -> NDArray[np.float64]:
    """Pearson correlation of the spike counts of all pairs of neurons.

    ``r_ij = cov(x_i, x_j) / sqrt(var(x_i) var(x_j))``, x the counts in bins of all windows of the
    support (of all trials).

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    bin : float
        ms; it must divide each window. The longer the bin, the slower what the correlation sees.

    Returns
    -------
    ndarray of float64, shape (size, size)
        NaN for a neuron whose counts are all equal, silent ones among them.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If bin is not positive or does not divide a window.

    References
    ----------
    Cohen MR, Kohn A (2011). Measuring and interpreting neuronal correlations. Nat Neurosci
    14:811-819.
    """
    trains_of_either("trains", trains)
    check_number("bin", bin, above=0, unit="ms")
    counts = trains.count(bin)
    return _pearson(counts.reshape(math.prod(counts.shape[:-1]), trains.size))


@dataclass(frozen=True, eq=False)
class CountCovariance:
    """Covariance of the spike counts of pairs of neurons as a function of the lag.

    Parameters
    ----------
    covariance : ndarray of float64, shape (size, size, n_lags)
        ``covariance[i, j, k]``: of the count of i in a bin with that of j ``lags[k]`` later.
    lags : ndarray of float64, shape (n_lags,)
        ms, from -window to window.
    variances : ndarray of float64, shape (size,)
        Of the counts of each neuron.
    """

    covariance: NDArray[np.float64]
    lags: NDArray[np.float64]
    variances: NDArray[np.float64]

    @property
    def correlation(self) -> NDArray[np.float64]:
        """Covariance over standard deviations; NaN for neurons whose counts are all equal."""
        return _scaled(self.covariance, self.variances)

    def __repr__(self) -> str:
        last = self.lags[-1]
        return f"<CountCovariance: {len(self.variances)} neurons, lags up to +-{last:g} ms>"


def count_covariance(
    trains: SpikeTrains | AlignedTrains, bin: float, window: float
) -> CountCovariance:
    """Covariance functions of the spike counts of all pairs of neurons.

    ``C_ij(k) = 1 / n_k sum_t (x_i(t) - m_i) (x_j(t + k) - m_j)``, over the ``n_k`` bins t for which
    t + k lies in the same window of the support (trial); m are means over all bins.

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    bin : float
        ms; it must divide each window.
    window : float
        Largest lag (ms): a whole number of bins.

    Returns
    -------
    CountCovariance
        NaN at lags that no window is long enough for.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If bin is not positive, or does not divide ``window`` or a window of the support.

    References
    ----------
    Brody CD (1999). Correlations without synchrony. Neural Comput 11:1537-1551.
    """
    trains_of_either("trains", trains)
    n = bins_to_a_side(bin, window)
    windows, mean = _windows(trains, bin)
    products = np.zeros((2 * n + 1, trains.size, trains.size))
    pairs = np.zeros(2 * n + 1)
    for counts in windows:
        x = counts - mean
        for k in range(min(n, len(x) - 1) + 1):
            products[n + k] += x[: len(x) - k].T @ x[k:]
            pairs[n + k] += len(x) - k
    products[:n], pairs[:n] = products[:n:-1].transpose(0, 2, 1), pairs[:n:-1]
    with np.errstate(invalid="ignore"):
        covariance = products / pairs[:, None, None]
    lags = np.arange(-n, n + 1) * bin
    return CountCovariance(
        np.ascontiguousarray(covariance.transpose(1, 2, 0)), lags, covariance[n].diagonal().copy()
    )


def count_autocorrelation(
    trains: SpikeTrains | AlignedTrains, bin: float, window: float
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Autocorrelation function of the spike counts, and so of the rate, of each neuron.

    The diagonal of `count_covariance` over its value at lag 0.

    Parameters
    ----------
    trains, bin, window
        As for `count_covariance`.

    Returns
    -------
    lags : ndarray of float64, shape (n_lags,)
        ms, from 0 to window.
    correlation : ndarray of float64, shape (size, n_lags)
        NaN for neurons whose counts are all equal, and at lags that no window is long enough for.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        As `count_covariance`.

    References
    ----------
    Murray JD, Bernacchia A, Freedman DJ, et al. (2014). A hierarchy of intrinsic timescales across
    primate cortex. Nat Neurosci 17:1661-1663.
    """
    trains_of_either("trains", trains)
    n = bins_to_a_side(bin, window)
    windows, mean = _windows(trains, bin)
    products, pairs = np.zeros((trains.size, n + 1)), np.zeros(n + 1)
    for counts in windows:
        x = counts - mean
        for k in range(min(n, len(x) - 1) + 1):
            products[:, k] += np.einsum("ti,ti->i", x[: len(x) - k], x[k:])
            pairs[k] += len(x) - k
    with np.errstate(invalid="ignore", divide="ignore"):
        covariance = products / pairs
        return np.arange(n + 1) * bin, covariance / _positive(covariance[:, :1])


def signal_correlation(trains: AlignedTrains, condition: str | ArrayLike) -> NDArray[np.float64]:
    """Correlation of the mean counts of all pairs of neurons over conditions: of their tuning.

    Parameters
    ----------
    trains : AlignedTrains
        Spikes are counted in whole trials; align to another window to count in part of them.
    condition : str or array_like, shape (n_trials,)
        The condition of each trial, or the label that has it.

    Returns
    -------
    ndarray of float64, shape (size, size)
        NaN for a neuron whose mean counts are all equal, and for all with fewer than 2 conditions.
        What neurons share in single trials adds to it, the less the more trials a condition has.

    Raises
    ------
    TypeError
        If trains are not aligned.
    KeyError
        If trials have no such label.
    ValueError
        If condition has not one value for each trial, or one is NaN or None.

    References
    ----------
    Gawne TJ, Richmond BJ (1993). How independent are the messages carried by adjacent inferior
    temporal cortical neurons? J Neurosci 13:2758-2771.
    """
    aligned_trains("trains", trains)
    counts, of_trial, n_conditions = _conditions(trains, condition)
    means = np.zeros((n_conditions, trains.size))
    np.add.at(means, of_trial, counts)
    return _pearson(means / np.bincount(of_trial, minlength=n_conditions)[:, None])


def noise_correlation(
    trains: AlignedTrains, condition: str | ArrayLike | None = None
) -> NDArray[np.float64]:
    """Correlation of the counts of all pairs of neurons in single trials of the same condition.

    ``r_ij = sum_c n_c r_ij(c) / sum_c n_c``: Pearson's r of the n_c trials of each condition,
    which is the mean product of z-scores within conditions.

    Parameters
    ----------
    trains : AlignedTrains
        Spikes are counted in whole trials; align to another window to count in part of them.
    condition : str or array_like, shape (n_trials,), optional
        The condition of each trial, or the label that has it; without it, all trials are of one.

    Returns
    -------
    ndarray of float64, shape (size, size)
        Conditions in which a neuron's counts are all equal do not count for its pairs; NaN where
        none is left. With few trials a condition it is too close to 0, by about 1 / (2 n_c) of it.

    Raises
    ------
    TypeError
        If trains are not aligned.
    KeyError
        If trials have no such label.
    ValueError
        If condition has not one value for each trial, or one is NaN or None.

    References
    ----------
    Zohary E, Shadlen MN, Newsome WT (1994). Correlated neuronal discharge rate and its
    implications for psychophysical performance. Nature 370:140-143. Gawne and Richmond (1993), as
    for `signal_correlation`.
    """
    aligned_trains("trains", trains)
    counts, of_trial, n_conditions = _conditions(trains, condition)
    products, trials = np.zeros((2, trains.size, trains.size))
    for c in range(n_conditions):
        x = counts[of_trial == c]
        x = x - x.mean(axis=0)
        sd = np.sqrt(np.mean(x**2, axis=0))
        varied = sd > 1e-12
        z = np.divide(x, sd, out=np.zeros_like(x), where=varied)
        products += z.T @ z
        trials += len(x) * np.outer(varied, varied)
    return np.divide(products, trials, out=np.full_like(products, np.nan), where=trials > 0)


def _conditions(
    trains: AlignedTrains, condition: str | ArrayLike | None
) -> tuple[NDArray[np.float64], NDArray[np.int64], int]:
    """Counts of trials, the number of each trial's condition, and how many there are."""
    counts = trains.count().astype(float)
    if condition is None:
        return counts, np.zeros(trains.n_trials, np.int64), min(1, trains.n_trials)
    if isinstance(condition, str) and condition not in trains.labels:
        known = ", ".join(trains.labels) or "none"
        raise KeyError(f"trials have no label {condition!r}; known are: {known}")
    return counts, *conditions_of(trains, condition)


def _windows(
    trains: SpikeTrains | AlignedTrains, bin: float
) -> tuple[list[NDArray], NDArray[np.float64]]:
    """Counts in bins of each window of the support, or trial, and their mean over all bins."""
    counts = trains.count(bin)
    if isinstance(trains, AlignedTrains):
        windows = list(counts)
    else:
        ends = np.cumsum(np.round(trains.support.durations / bin).astype(int))
        windows = np.split(counts, ends[:-1])
    mean = counts.reshape(-1, trains.size).mean(axis=0) if counts.size else np.zeros(trains.size)
    return windows, mean


def _pearson(x: ArrayLike) -> NDArray[np.float64]:
    """Correlation of columns; NaN for those that do not vary."""
    n, size = x.shape
    if n < 2:
        return np.full((size, size), np.nan)
    mean = x.mean(axis=0)
    covariance = np.zeros((size, size))
    for first in range(0, n, _AT_ONCE):
        part = x[first : first + _AT_ONCE] - mean
        covariance += part.T @ part
    return _scaled(covariance[:, :, None], covariance.diagonal())[:, :, 0]


def _scaled(covariance: NDArray, variances: NDArray) -> NDArray[np.float64]:
    sd = np.sqrt(_positive(variances))
    correlation = covariance / (sd[:, None] * sd)[:, :, None]
    return np.clip(correlation, -1, 1) if covariance.shape[2] == 1 else correlation


def _positive(variances: NDArray) -> NDArray[np.float64]:
    """NaN in place of what is 0 but for rounding."""
    return np.where(variances > 1e-20, variances, np.nan)
