"""Spike trains whose statistics are known: to test with, and to compare with.

All are stationary from the first moment on, but for those whose rate is a function of time. A
neuron's train depends on the seed, on its number and on what concerns itself, not on how many
neurons there are.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_number, check_numbers, check_shape, check_whole
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME
from spikesim.random import stream

_LONGEST = 40  # mean lengths of a cluster that are waited for before trains of clusters begin


def poisson_trains(
    size: int,
    rate: ArrayLike,
    duration: float,
    *,
    dead_time: float = 0.0,
    t_start: float = 0.0,
    seed: int | None = None,
) -> SpikeTrains:
    """Poisson processes, with a dead time after each spike if one is given.

    Intervals are ``dead_time`` and an exponential number, so that the rate is as given. With rate
    r (per ms) and dead time d the CV is 1 - r d, the Fano factor goes from 1 to (1 - r d)^2 in
    long windows, and the hazard is 0 up to d and r / (1 - r d) from there on.

    Parameters
    ----------
    size : int
    rate : float, or array_like of shape (size,)
        Hz.
    duration : float
        ms.
    dead_time : float
        ms; it must be shorter than the mean interval.
    t_start : float
        ms.
    seed : int, optional
        Without one, the trains are others every time.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    ValueError
        If size or rate is negative, duration is not positive, or dead_time is not below the mean
        interval.

    References
    ----------
    Cox & Lewis 1966, The Statistical Analysis of Series of Events; of the dead time, Grün & Rotter
    2010, Analysis of Parallel Spike Trains, chapter 2.
    """
    rates = _rates(size, rate)
    check_number("duration", duration, above=0, unit="ms")
    check_number("dead_time", dead_time, least=0, unit="ms")
    if rates.max(initial=0) * dead_time >= 1000:
        raise ValueError(
            f"dead_time is {dead_time!r}; it must be below the mean interval, which is "
            f"{1000 / rates.max():g} ms."
        )

    def train(rng: np.random.Generator, neuron: int) -> NDArray:
        mean = 1000 / rates[neuron]
        wait = mean - dead_time
        # from any moment to the next spike: as likely as an interval is to be longer
        soon = rng.random() * mean < dead_time
        first = rng.random() * dead_time if soon else dead_time + rng.exponential(wait)
        return _until(rng, first, lambda n: dead_time + rng.exponential(wait, n), mean, duration)

    return _trains("poisson trains", rates > 0, train, duration, t_start, seed)


def gamma_trains(
    size: int,
    rate: ArrayLike,
    duration: float,
    *,
    order: float,
    t_start: float = 0.0,
    seed: int | None = None,
) -> SpikeTrains:
    """Gamma renewal processes: intervals with a gamma distribution.

    Of order k the CV is 1 / sqrt(k), LV is 3 / (2 k + 1), the Fano factor goes from 1 to 1 / k in
    long windows, and the hazard from 0 (k above 1) to k times the rate. Order 1 is Poisson, and
    below 1 trains are bursty.

    Parameters
    ----------
    size, rate, duration, t_start, seed
        As for `poisson_trains`.
    order : float
        Above 0.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    ValueError
        If size or rate is negative, or duration or order is not positive.

    References
    ----------
    Cox 1962, Renewal Theory; of LV, Shinomoto, Shima & Tanji 2003, Neural Comput 15:2823.
    """
    rates = _rates(size, rate)
    check_number("duration", duration, above=0, unit="ms")
    check_number("order", order, above=0)

    def train(rng: np.random.Generator, neuron: int) -> NDArray:
        mean = 1000 / rates[neuron]
        return _gamma(rng, order, mean, duration)

    return _trains("gamma trains", rates > 0, train, duration, t_start, seed)


def inhomogeneous_trains(
    size: int,
    rate: ArrayLike | Callable[[NDArray], NDArray],
    duration: float,
    *,
    highest: float | None = None,
    order: float = 1.0,
    t_start: float = 0.0,
    seed: int | None = None,
) -> SpikeTrains:
    """Poisson processes whose rate changes, or gamma processes run by such a clock.

    The number of spikes in any window has the integral of the rate as its mean and, of order 1, as
    its variance.

    Parameters
    ----------
    size : int
    rate : array_like of shape (k,) or (k, size), or a function
        Hz. An array is the rate in k bins of equal length, constant in each. A function takes an
        array of times (ms) and returns the rates of all neurons at these.
    duration, t_start, seed
        As for `poisson_trains`.
    highest : float, optional
        Of a function: Hz, which the rate never exceeds. Spikes of a Poisson process of this rate
        are kept with the probability rate / highest (thinning).
    order : float
        Of an array: that of the gamma process in the time that is the integral of the rate. Its
        intervals then have a CV of 1 / sqrt(order) where the rate is constant.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    ValueError
        If a rate is negative or exceeds highest, if highest is given with an array or not with a
        function, or an order with a function.

    References
    ----------
    Lewis & Shedler 1979, Naval Res Logist Q 26:403; of the clock, Brown et al. 2002, Neural Comput
    14:325.
    """
    check_whole("size", size, least=0)
    check_number("duration", duration, above=0, unit="ms")
    check_number("order", order, above=0)
    if callable(rate):
        train = _thinned(rate, duration, highest, order, t_start)
    else:
        train = _rescaled(rate, size, duration, highest, order)
    return _trains("inhomogeneous trains", np.ones(size, bool), train, duration, t_start, seed)


def bursty_trains(
    size: int,
    rate: ArrayLike,
    duration: float,
    *,
    spikes: float = 4.0,
    interval: float = 5.0,
    t_start: float = 0.0,
    seed: int | None = None,
) -> SpikeTrains:
    """Bursts that begin as a Poisson process and in which each spike may be followed by another.

    The number of spikes of a burst is geometric with the mean m = ``spikes``, and the intervals in
    it are exponential with the mean ``interval``; bursts may overlap. With b = m interval, the Fano
    factor in windows of T ms is::

        1 + 2 (m - 1) (1 - b / T (1 - exp(-T / b)))

    which goes to 2 m - 1, and (m - 1) / m of all spikes follow another in their burst.

    Parameters
    ----------
    size, rate, duration, t_start, seed
        As for `poisson_trains`; the rate is that of all spikes.
    spikes : float
        1 or more; of 1 the process is Poisson.
    interval : float
        ms, above 0.

    Returns
    -------
    SpikeTrains

    Raises
    ------
    ValueError
        If size or rate is negative, duration or interval is not positive, or spikes is below 1.

    References
    ----------
    Bartlett 1963, J R Stat Soc B 25:264; Lewis 1964, J R Stat Soc B 26:398.
    """
    rates = _rates(size, rate)
    check_number("duration", duration, above=0, unit="ms")
    check_number("spikes", spikes, least=1)
    check_number("interval", interval, above=0, unit="ms")
    before = _LONGEST * spikes * interval

    def train(rng: np.random.Generator, neuron: int) -> NDArray:
        span = before + duration
        n = rng.poisson(rates[neuron] / spikes * span / 1000)
        counts = rng.geometric(1 / spikes, n)
        starts = np.repeat(duration - span * rng.random(n), counts)
        total = np.cumsum(rng.exponential(interval, counts.sum()))
        first = np.cumsum(counts) - counts
        return np.sort(starts + total - np.repeat(total[first], counts))

    return _trains("bursty trains", rates > 0, train, duration, t_start, seed)


def _rates(size: int, rate: ArrayLike) -> NDArray[np.float64]:
    check_whole("size", size, least=0)
    rates = check_numbers("rate", rate, "a rate in Hz, or one per neuron", least=0)
    check_shape("rate", rates, (), (size,))
    return np.broadcast_to(rates, size)


def _trains(
    purpose: str,
    fire: NDArray[np.bool_],
    train: Callable[[np.random.Generator, int], NDArray],
    duration: float,
    t_start: float,
    seed: int | None,
) -> SpikeTrains:
    """Trains of the neurons that fire, of which spikes up to 0 or after the end are dropped."""
    check_number("t_start", t_start, unit="ms")
    if seed is not None:
        check_whole("seed", seed, least=None)
    lists = [np.empty(0)] * fire.size
    for neuron in np.flatnonzero(fire):
        times = train(stream(seed, purpose, int(neuron)), neuron) + t_start
        lists[neuron] = times[(times > t_start + SAME_TIME) & (times <= t_start + duration)]
    neurons = np.repeat(np.arange(fire.size), [len(times) for times in lists])
    times = np.concatenate([*lists, np.empty(0)])
    return SpikeTrains(times, neurons, fire.size, t_start, t_start + duration)


def _until(
    rng: np.random.Generator,
    first: float,
    draw: Callable[[int], NDArray],
    mean: float,
    duration: float,
) -> NDArray[np.float64]:
    """Times of a renewal process to the end of a duration, and some behind it."""
    parts = [np.array([first])]
    while parts[-1][-1] < duration:
        missing = (duration - parts[-1][-1]) / mean
        steps = draw(int(missing + 4 * np.sqrt(missing)) + 10)
        parts.append(parts[-1][-1] + np.cumsum(steps))
    return np.concatenate(parts)


def _gamma(
    rng: np.random.Generator, order: float, mean: float, duration: float
) -> NDArray[np.float64]:
    """A gamma process. Time 0 lies anywhere in an interval, more often in a long one."""
    scale = mean / order
    first = rng.random() * rng.gamma(order + 1, scale)
    return _until(rng, first, lambda n: rng.gamma(order, scale, n), mean, duration)


def _thinned(
    rate: Callable, duration: float, highest: float | None, order: float, t_start: float
) -> Callable[[np.random.Generator, int], NDArray]:
    if order != 1:
        raise ValueError(f"order is {order!r}; it must be 1 where rate is a function.")
    check_number("highest, which a rate that is a function needs,", highest, least=0, unit="Hz")

    def train(rng: np.random.Generator, neuron: int) -> NDArray:
        times = np.sort(duration * (1 - rng.random(rng.poisson(highest * duration / 1000))))
        chance = rng.random(times.size) * highest
        rates = np.asarray(rate(times + t_start), float)
        if rates.shape != times.shape:
            raise ValueError(
                f"rate returned an array of shape {rates.shape} for {times.size} times; it must "
                "return a rate for each."
            )
        if times.size and not 0 <= rates.min() <= rates.max() <= highest:
            raise ValueError(
                f"rate goes from {rates.min():g} to {rates.max():g} Hz; it must be from 0 to "
                f"highest, which is {highest:g} Hz."
            )
        return times[chance < rates]

    return train


def _rescaled(
    rate: ArrayLike, size: int, duration: float, highest: float | None, order: float
) -> Callable[[np.random.Generator, int], NDArray]:
    if highest is not None:
        raise ValueError(f"highest is {highest!r}; it must be left out where rate is an array.")
    what = "rates in Hz, of shape (k,) or (k, size)"
    rates = check_numbers("rate", rate, what, least=0, dimensions=(1, 2))
    check_shape("rate", rates, (len(rates),), (len(rates), size))
    edges = np.linspace(0, duration, len(rates) + 1)
    clock = np.zeros((len(edges), *rates.shape[1:]))
    clock[1:] = np.cumsum(rates, axis=0) * (duration / len(rates) / 1000)

    def train(rng: np.random.Generator, neuron: int) -> NDArray:
        own = clock if clock.ndim == 1 else clock[:, neuron]
        if own[-1] == 0:
            return np.empty(0)
        ticks = _gamma(rng, order, 1.0, own[-1])
        return np.interp(ticks[ticks <= own[-1]], own, edges)

    return train
