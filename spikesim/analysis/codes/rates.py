"""Rates over time: the peri-stimulus time histogram, and kernels around each spike."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.codes.rows import rows_of
from spikesim.analysis.codes.smoothing import Alpha, Boxcar, Exponential, Gaussian, Kernel
from spikesim.analysis.given import aligned_trains, trains_of_either
from spikesim.checks import check_choice, check_floats, check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME, Windows
from spikesim.random import stream

_AT_ONCE = 2**22  # numbers of the bootstrap that are held at a time


@dataclass(frozen=True, eq=False)
class Psth:
    """Mean rate in bins around an event, with an interval of confidence for each bin alone.

    Attributes
    ----------
    edges : ndarray, shape (n_bins + 1,)
        ms after the event; bin k is (edges[k], edges[k + 1]].
    rates, low, high : ndarray, shape (n_bins, size)
        Hz: the mean over trials, and the ends of its interval.
    interval, level : str, float
        How the interval was made, and what it shall hold.
    n_trials : int
    """

    edges: NDArray[np.float64]
    rates: NDArray[np.float64] = field(repr=False)
    low: NDArray[np.float64] = field(repr=False)
    high: NDArray[np.float64] = field(repr=False)
    interval: str
    level: float
    n_trials: int

    @property
    def bin(self) -> float:
        """Width of a bin (ms)."""
        return float(self.edges[1] - self.edges[0])

    @property
    def times(self) -> NDArray[np.float64]:
        """Middle of each bin (ms after the event)."""
        return (self.edges[:-1] + self.edges[1:]) / 2

    def __repr__(self) -> str:
        n_bins, size = self.rates.shape
        return (
            f"<Psth: {size} neurons in {n_bins} bins of {self.bin:g} ms from {self.edges[0]:g} to "
            f"{self.edges[-1]:g} ms, {self.n_trials} trials; {self.level:.0%} {self.interval}>"
        )


def psth(
    aligned: AlignedTrains,
    bin: float,
    *,
    interval: str = "poisson",
    level: float = 0.95,
    pool: bool = False,
    resamples: int = 1000,
    seed: int | None = None,
) -> Psth:
    """Peri-stimulus time histogram: the mean rate in bins around an event, and how sure it is.

    Parameters
    ----------
    aligned : AlignedTrains
        Such as ``trains.align(events, before, after)``.
    bin : float
        ms; it must divide the trial's duration.
    interval : "poisson", "student" or "bootstrap"
        "poisson" is the exact interval of a Poisson count [1]_ for the spikes of all trials
        together. It holds if trials do not differ by more than chance, and says something of bins
        without spikes. "student" is mean +- t times the standard error over trials, "bootstrap"
        the percentiles of the mean over trials drawn with replacement [2]_. Both know how much
        trials differ, want 10 trials and some spikes in a bin, and have no width where there was
        no spike.
    level : float
        Share of intervals that shall hold the true rate.
    pool : bool
        Whether all neurons are taken together: then the rate is the mean over neurons, and the
        interval that of this mean.
    resamples, seed : int
        Of the bootstrap.

    Returns
    -------
    Psth
        Rates are NaN without trials or neurons, the interval of "student" with one trial.

    Raises
    ------
    TypeError
        If aligned are not AlignedTrains.
    ValueError
        If the bin does not divide the duration, or an argument is none of those allowed.

    Notes
    -----
    The interval is one of each bin by itself: of 100 bins five lie outside of it by chance.

    References
    ----------
    .. [1] Garwood F (1936) Fiducial limits for the Poisson distribution. Biometrika 28:437-442.
    .. [2] Efron B, Tibshirani RJ (1993) An introduction to the bootstrap. Chapman & Hall.
    """
    aligned_trains("aligned", aligned)
    check_choice("interval", interval, ("poisson", "student", "bootstrap"))
    check_number("level", level, above=0, below=1)
    check_whole("resamples", resamples, 2)
    counts = aligned.count(bin).astype(float)
    divisor = 1
    if pool:
        divisor = aligned.size
        counts = counts.sum(axis=2, keepdims=True)
    n_trials, n_bins, size = counts.shape
    edges = np.linspace(aligned.t_start, aligned.t_stop, n_bins + 1)
    hz = 1000.0 / (divisor * (edges[1] - edges[0])) if divisor else np.nan
    if n_trials == 0:
        nothing = np.full((n_bins, size), np.nan)
        return Psth(edges, nothing, nothing, nothing, interval, level, 0)
    mean = counts.mean(axis=0)
    if interval == "poisson":
        low, high = (end / n_trials for end in poisson_interval(counts.sum(axis=0), level))
    elif interval == "student":
        low, high = _student(counts, level)
    else:
        low, high = _bootstrap(counts, level, resamples, stream(seed, "bootstrap of a psth"))
    return Psth(edges, mean * hz, low * hz, high * hz, interval, level, n_trials)


def poisson_interval(
    counts: NDArray, level: float = 0.95
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Ends of the exact interval of the mean of which counts are Poisson (Garwood 1936).

    Parameters
    ----------
    counts : array_like
    level : float
        Share of intervals that hold the mean, at least.

    Returns
    -------
    low, high : ndarray
    """
    from scipy.special import chdtri

    counts = check_floats("counts", counts)
    tail = (1 - level) / 2
    low = np.where(counts > 0, chdtri(2 * np.maximum(counts, 1), 1 - tail) / 2, 0.0)
    return low, chdtri(2 * counts + 2, tail) / 2


def _student(counts: NDArray, level: float) -> tuple[NDArray, NDArray]:
    from scipy.special import stdtrit

    n = len(counts)
    mean = counts.mean(axis=0)
    if n < 2:
        return np.full_like(mean, np.nan), np.full_like(mean, np.nan)
    error = counts.std(axis=0, ddof=1) / np.sqrt(n)
    half = stdtrit(n - 1, (1 + level) / 2) * error
    return np.maximum(mean - half, 0.0), mean + half


def _bootstrap(
    counts: NDArray, level: float, resamples: int, rng: np.random.Generator
) -> tuple[NDArray, NDArray]:
    n = len(counts)
    weights = rng.multinomial(n, np.full(n, 1 / n), size=resamples) / n
    flat = counts.reshape(n, -1)
    ends = np.empty((2, flat.shape[1]))
    share = max(_AT_ONCE // resamples, 1)
    for first in range(0, flat.shape[1], share):
        here = slice(first, first + share)
        means = weights @ flat[:, here]
        ends[:, here] = np.quantile(means, [(1 - level) / 2, (1 + level) / 2], axis=0)
    return ends[0].reshape(counts.shape[1:]), ends[1].reshape(counts.shape[1:])


@dataclass(frozen=True, eq=False)
class RateCurves:
    """Rates over time, by `instantaneous_rate`.

    Attributes
    ----------
    times : ndarray, shape (n_steps,)
        Middle of each step (ms).
    rates : ndarray, shape (n_steps, size), or of aligned trains (n_trials, n_steps, size)
        Mean rate in each step (Hz).
    windows : ndarray of int64, shape (n_steps,)
        The window of the support in which each step lies.
    kernel : Gaussian, Boxcar, Exponential or Alpha
    every : float
        ms.
    """

    times: NDArray[np.float64] = field(repr=False)
    rates: NDArray[np.float64] = field(repr=False)
    windows: NDArray[np.int64] = field(repr=False)
    kernel: Kernel
    every: float

    def __repr__(self) -> str:
        return (
            f"<RateCurves: {self.rates.shape[-1]} neurons in {len(self.times)} steps of "
            f"{self.every:g} ms by {self.kernel}>"
        )


def instantaneous_rate(
    trains: SpikeTrains | AlignedTrains, kernel: Kernel, *, every: float = 1.0
) -> RateCurves:
    """Rate of each neuron over time: a kernel around each spike.

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    kernel : Gaussian, Boxcar, Exponential or Alpha
        The first two are symmetric; the others know nothing of spikes to come.
    every : float
        Length of a step (ms). Where it does not divide a window of the support, the last step of
        that window is shorter.

    Returns
    -------
    RateCurves
        0 where no spike is near; NaN nowhere but in windows without length.

    Raises
    ------
    TypeError
        If ``kernel`` is none of these.
    ValueError
        If ``every`` is not positive.

    Notes
    -----
    A step of the window (a, b] holds the mean of the rate over it, not a sample at its middle:

        rate = sum over spikes of K(spike) / integral over u in (a, b] of K(u),

    where K(u) is the mass that the kernel around u has in the step, an exact integral from the
    spike's own time. So a spike counts as one whatever the step and wherever it lies on the grid
    (a causal kernel sampled on the grid of the spikes does not: of an exponential with 2 ms it
    counts 1.27 in steps of 1 ms). The denominator is the length of the step, but for what the
    kernel has outside of the window, near its ends: there a constant rate stays what it is, and
    the curve grows noisier [1]_. Gaps of the support are ends like others. The first steps of
    causal kernels know little, so much less than one tau after a window's start they are hardly
    more than noise.

    References
    ----------
    .. [1] Nawrot M, Aertsen A, Rotter S (1999) Single-trial estimation of neuronal firing rates.
       J Neurosci Methods 94:81-92. Diggle P (1985) A kernel method for smoothing point process
       data. Appl Stat 34:138-147 (ends of the window).
    """
    trains_of_either("trains", trains)
    if not isinstance(kernel, Gaussian | Boxcar | Exponential | Alpha):
        raise TypeError(
            f"kernel is {kernel!r}; it must be Gaussian(sd), Boxcar(width), Exponential(tau) or "
            f"Alpha(tau)."
        )
    check_number("every", every, above=0, unit="ms")
    if isinstance(trains, AlignedTrains):
        support = Windows(trains.t_start, trains.t_stop)
        times, offsets = rows_of(trains)
    else:
        support = trains.support
        times, offsets = trains.by_neuron()
    steps = np.maximum(np.ceil((support.durations - SAME_TIME) / every).astype(np.int64), 1)
    first = np.r_[0, np.cumsum(steps)]
    mass = np.zeros((len(offsets) - 1, first[-1]))
    _spread(times, offsets, support, first, float(every), kernel, mass)
    middles, possible = _possible(support, first, every, kernel)
    with np.errstate(invalid="ignore", divide="ignore"):
        mass *= 1000.0 / possible
    rates = mass.T
    if isinstance(trains, AlignedTrains):
        rates = mass.reshape(trains.n_trials, trains.size, mass.shape[-1]).swapaxes(1, 2)
    windows = np.repeat(np.arange(len(support)), steps)
    return RateCurves(middles, rates, windows, kernel, float(every))


def _spread(
    times: NDArray,
    offsets: NDArray,
    support: Windows,
    first: NDArray,
    every: float,
    kernel: Kernel,
    mass: NDArray,
) -> None:
    from spikesim.analysis.codes import kernels_rates as compiled

    frame = times, offsets, support.starts, support.stops, first, every
    match kernel:
        case Gaussian() | Boxcar():
            compiled.spread(*frame, kernel.cubics(), *kernel.span, mass)
        case Exponential(tau):
            compiled.run_exponential(*frame, float(tau), mass)
        case Alpha(tau):
            compiled.run_alpha(*frame, float(tau), mass)


def _possible(
    support: Windows, first: NDArray, every: float, kernel: Kernel
) -> tuple[NDArray, NDArray]:
    """Middle of each step, and what spikes at one a ms everywhere would bring it."""
    middles, possible = np.empty(first[-1]), np.empty(first[-1])
    for w, (start, stop) in enumerate(support):
        edges = np.r_[np.arange(first[w + 1] - first[w]) * every, stop - start]
        here = slice(first[w], first[w + 1])
        middles[here] = start + (edges[:-1] + edges[1:]) / 2
        possible[here] = _integral(kernel, edges) - _integral(kernel, edges - (stop - start))
    return middles, possible


def _integral(kernel: Kernel, edges: NDArray) -> NDArray[np.float64]:
    """Integral of the kernel's mass over each step; exact where the mass is 0 or 1."""
    low, high = kernel.span
    begin, end = edges[:-1], edges[1:]
    integral = np.diff(kernel.mass_integral(edges))
    return np.where(begin >= high, end - begin, np.where(end <= low, 0.0, integral))
