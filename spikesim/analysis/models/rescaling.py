"""Goodness of fit of a rate by time rescaling: in its own time every train is Poisson."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_numbers
from spikesim.random import stream


@dataclass(frozen=True, eq=False)
class Rescaling:
    """Intervals between spikes in the model's own time, by `time_rescaling`.

    Attributes
    ----------
    intervals : ndarray of float64, shape (n,)
        Exponential with mean 1, and independent, if the model is right.
    uniform : ndarray of float64, shape (n,)
        1 - exp(-interval), ascending: the empirical quantiles, between 0 and 1.
    quantiles : ndarray of float64, shape (n,)
        Those of the model, (k - 1/2) / n. Points (quantiles, uniform) lie on the diagonal.
    distance : float
        Largest difference of the distribution of `uniform` from an even one: the Kolmogorov-Smirnov
        statistic.
    p : float
        How often it is as large by chance, if the rate was not fitted to these spikes.
    band : float
        Distance that is reached with probability .05, about 1.36 / sqrt(n).
    correlation : float
        Of neighbouring intervals, as numbers of a normal distribution; about 0 +- 1 / sqrt(n) if
        the model has what makes them depend on each other. NaN of fewer than 3.
    """

    intervals: NDArray[np.float64]
    uniform: NDArray[np.float64]
    quantiles: NDArray[np.float64]
    distance: float
    p: float
    band: float
    correlation: float

    def __repr__(self) -> str:
        return (
            f"<Rescaling of {self.intervals.size:,} intervals: distance {self.distance:.3g} "
            f"(band {self.band:.3g}), p {self.p:.3g}>"
        )


def time_rescaling(counts: ArrayLike, expected: ArrayLike, *, seed: int | None = None) -> Rescaling:
    """Whether spikes come as a model expects them: Kolmogorov-Smirnov test of rescaled intervals.

    tau_k = integral of the model's rate from spike k - 1 to spike k is exponential with mean 1 if
    the model is right. In bins this is so only roughly. Where no bin holds two spikes, and fewer
    than one is expected in each, what is expected is the probability P of one: the integral over a
    bin is -log(1 - P), a spike's place in its bin is drawn from what the model makes of a bin that
    has one, and the next interval begins with the next bin (Haslinger et al. 2010); this is exact
    for any bin. Else the spikes of a bin are placed evenly by chance, which is exact for a Poisson
    process.

    Parameters
    ----------
    counts : array_like of int, shape (bins,)
        Spikes in each bin, such as ``glm.counts``. Windows follow each other: between them the
        model's time stands still, so no gap counts.
    expected : array_like, shape (bins,)
        Mean number that the model expects in each, such as ``glm.expected``: the rate times the
        bin, or the probability of a spike.
    seed : int, optional
        Of the places in bins.

    Returns
    -------
    Rescaling
        What lies between the last spike and the end is left out. NaN without spikes.

    Raises
    ------
    ValueError
        If the arrays differ in length, expected counts are negative, counts are not whole, or a
        spike lies where none is expected (0).

    Notes
    -----
    If the model was fitted to the same spikes, the test accepts more often than it should: with a
    GLM of a few weights it rejects some 1 to 4 % of true models at p .05.

    References
    ----------
    Brown EN et al. (2002) The time-rescaling theorem and its application to neural spike train
    data analysis. Neural Comput 14:325-346. Haslinger R, Pipa G, Brown E (2010) Discrete time
    rescaling theorem: determining goodness of fit for discrete time statistical models of neural
    spiking. Neural Comput 22:2477-2506.
    """
    from scipy.special import ndtri
    from scipy.stats import kstwo

    intervals = _intervals(*_checked(counts, expected), stream(seed, "places of spikes in bins"))
    n = intervals.size
    uniform = -np.expm1(-intervals)
    ordered = np.sort(uniform)
    quantiles = (np.arange(n) + 0.5) / max(n, 1)
    if not n:
        return Rescaling(intervals, ordered, quantiles, *[float("nan")] * 4)
    distance = float(np.max(np.abs(ordered - quantiles)) + 0.5 / n)
    correlation = float("nan")
    if n > 2:
        normal = ndtri(np.clip(uniform, 1e-12, 1 - 1e-12))
        correlation = float(np.corrcoef(normal[:-1], normal[1:])[0, 1])
    band = float(kstwo.isf(0.05, n))
    return Rescaling(
        intervals, ordered, quantiles, distance, float(kstwo.sf(distance, n)), band, correlation
    )


def _checked(counts: ArrayLike, expected: ArrayLike) -> tuple[NDArray, NDArray]:
    what = "a number for each bin"
    mu = check_numbers("expected", expected, what, least=0.0, dimensions=(1,))
    y = check_numbers("counts", counts, f"{what}, whole", least=0.0, dimensions=(1,))
    if y.shape != mu.shape or np.any(y != np.rint(y)):
        raise ValueError(
            f"counts and expected must be as many, and counts whole, but have shapes {y.shape} and "
            f"{mu.shape}."
        )
    if np.any((y > 0) & (mu == 0)):
        k = int(np.argmax((y > 0) & (mu == 0)))
        raise ValueError(f"expected[{k}] is 0, but there is a spike: no such model fits.")
    return y.astype(np.int64), mu


def _intervals(y: NDArray, mu: NDArray, rng: np.random.Generator) -> NDArray[np.float64]:
    """From the start to the first spike, and from each to the next, in the model's time."""
    single = y.max() <= 1 and mu.max() < 1
    passed = -np.log1p(-mu) if single else mu
    until = np.concatenate([[0.0], np.cumsum(passed)])  # the model's time where each bin begins
    if single:
        bins = np.flatnonzero(y)
        into = -np.log1p(-mu[bins] * rng.random(bins.size))
        since = np.concatenate([[0.0], until[bins[:-1] + 1]]) if bins.size else np.empty(0)
        return until[bins] - since + into
    bins = np.repeat(np.arange(y.size), y)
    places = np.sort(until[bins] + mu[bins] * rng.random(bins.size))
    return np.diff(places, prepend=0.0)
