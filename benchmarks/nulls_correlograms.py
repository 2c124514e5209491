"""Null data for the tests of correlograms, correlations and coherence: how often they reject.

`CASES` are data for which a test's assumptions hold, `BEYOND` data for which they do not: what a
careless user would get. Each is a name and a function of a generator that gives one p.
"""

from collections.abc import Callable

import numpy as np

from spikesim import analysis
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

# Surrogates: p of one side, as that of a whole correlogram, can be .05 with 99 of them, p of both
# sides cannot; with 119 and 199 it can.
N, N_SLOW, N_BOTH = 99, 119, 199
BIN, WINDOW = 2.0, 20.0  # ms

Times = np.ndarray
Process = Callable[[np.random.Generator, float], Times]  # spike times (ms) up to a time


def poisson(rng: np.random.Generator, duration: float) -> Times:
    """20 Hz."""
    return rng.uniform(0, duration, rng.poisson(0.02 * duration))


def refractory(rng: np.random.Generator, duration: float) -> Times:
    """20 Hz, silent for 10 ms after each spike, then gamma of order 2."""
    isi = 10 + rng.gamma(2, 20, int(0.03 * duration) + 50)
    times = np.cumsum(isi) - rng.uniform(0, 500)
    return times[(times > 0) & (times <= duration)]


def bursty(rng: np.random.Generator, duration: float) -> Times:
    """20 Hz in bursts of 1 to 5 spikes, 4 ms apart in the mean."""
    starts = rng.uniform(-50, duration, rng.poisson(0.02 / 3 * (duration + 50)))
    n = rng.integers(1, 6, len(starts))
    within = rng.exponential(4, (len(starts), 5)).cumsum(axis=1) - 4
    times = (starts[:, None] + within)[np.arange(5) < n[:, None]]
    return times[(times > 0) & (times <= duration)]


def on_a_grid(rng: np.random.Generator, duration: float) -> Times:
    """20 Hz, in steps of 0.1 ms."""
    return np.ceil(poisson(rng, duration) / 0.1) * 0.1


def pair(one: Process, two: Process, support: Windows | None = None) -> Callable:
    """Two independent neurons, in a minute or in a support."""

    def draw(rng: np.random.Generator) -> SpikeTrains:
        windows = Windows(0.0, 60_000.0) if support is None else support
        parts = [process(rng, float(windows.stops[-1])) for process in (one, two)]
        times, neurons = np.concatenate(parts), np.repeat([0, 1], [len(part) for part in parts])
        inside = windows.contains(times)
        return SpikeTrains(times[inside], neurons[inside], 2, support=windows)

    return draw


def modulated(rng: np.random.Generator) -> SpikeTrains:
    """Two Poisson processes that follow one slow rate, 2 to 38 Hz with a period of 1 s."""
    duration = 60_000.0
    times = rng.uniform(0, duration, rng.poisson(2 * 0.038 * duration))
    rate = 20 + 18 * np.sin(2 * np.pi * times / 1000 + rng.uniform(0, 6.28))
    times = times[rng.random(len(times)) < rate / 38]
    return SpikeTrains(times, rng.integers(0, 2, len(times)), 2, 0, duration)


def trials(of: Process) -> Callable:
    """100 trials of 600 ms: rates fall after the stimulus, and go with one of 4 conditions."""

    def draw(rng: np.random.Generator):
        times, neurons = [], []
        condition = rng.integers(0, 4, 100)
        for neuron in (0, 1):
            t = of(rng, 60_000.0)
            trial = np.minimum((t / 600).astype(int), 99)
            kept = rng.random(len(t)) < (0.4 + 0.2 * condition[trial]) * np.exp(-(t % 600) / 1000)
            times.append(t[kept])
            neurons.append(np.full(kept.sum(), neuron))
        recorded = SpikeTrains(np.concatenate(times), np.concatenate(neurons), 2, 0, 60_000.0)
        starts = np.arange(100) * 600.0
        return recorded.align(Windows(starts, starts + 600, {"condition": condition}), 0, 600)

    return draw


def correlogram(draw: Callable, surrogate, at: float | None = None) -> Callable:
    """P of a whole correlogram, or of the bin at a lag."""

    def p(rng: np.random.Generator) -> float:
        seed = int(rng.integers(2**62))
        found = analysis.correlogram_test(
            draw(rng), BIN, WINDOW, surrogate, n=N if at is None else N_BOTH, seed=seed, threads=1
        )
        if at is None:
            return float(found.p[0])
        return float(found.p_bins[0, np.argmin(np.abs(found.observed.lags - at))])

    return p


def statistic(draw: Callable, surrogate, of: Callable) -> Callable:
    """P of a matrix's entry (0, 1)."""

    def p(rng: np.random.Generator) -> float:
        found = analysis.surrogate_test(
            lambda trains: of(trains)[0, 1],
            draw(rng),
            surrogate,
            n=N_SLOW,
            seed=int(rng.integers(2**62)),
        )
        return float(found.p)

    return p


def coherent(draw: Callable) -> Callable:
    """P of the coherence at 20 Hz."""

    def p(rng: np.random.Generator) -> float:
        found = analysis.coherence(draw(rng), 2000.0, highest=25.0)
        return float(found.p[0, np.argmin(np.abs(found.frequencies - 20))])

    return p


def _tiling(trains) -> np.ndarray:
    return analysis.spike_time_tiling(trains, 5.0)


def _counts(trains) -> np.ndarray:
    return analysis.count_correlation(trains, 50.0)


def _noise(trains) -> np.ndarray:
    return analysis.noise_correlation(trains, "condition")


_GAPS = Windows([0, 25_000, 50_000], [20_000, 45_000, 70_000])
_JITTER, _SHIFT = analysis.Jitter(25.0), analysis.Shift()

CASES = [
    ("correlogram, jitter: Poisson", correlogram(pair(poisson, poisson), _JITTER)),
    ("correlogram, jitter: on a grid", correlogram(pair(on_a_grid, on_a_grid), _JITTER)),
    ("correlogram, jitter: slow common rate", correlogram(modulated, _JITTER)),
    ("correlogram, jitter: first bursty", correlogram(pair(bursty, poisson), _JITTER)),
    ("correlogram, jitter: first refractory", correlogram(pair(refractory, poisson), _JITTER)),
    ("correlogram, shift: Poisson", correlogram(pair(poisson, poisson), _SHIFT)),
    ("correlogram, shift: bursty", correlogram(pair(bursty, bursty), _SHIFT)),
    ("correlogram, shift: refractory", correlogram(pair(refractory, refractory), _SHIFT)),
    ("correlogram, shift: bursty, gaps", correlogram(pair(bursty, bursty, _GAPS), _SHIFT)),
    ("bin at 0, shift: bursty", correlogram(pair(bursty, bursty), _SHIFT, at=0.0)),
    (
        "correlogram, dither: refractory",
        correlogram(pair(refractory, refractory), analysis.Dither(25.0, 10.0)),
    ),
    (
        "correlogram, shuffled trials: bursty, driven",
        correlogram(trials(bursty), analysis.TrialShuffle("condition")),
    ),
    (
        "noise correlation, shuffled trials: bursty, driven",
        statistic(trials(bursty), analysis.TrialShuffle("condition"), _noise),
    ),
    ("tiling, shift: bursty", statistic(pair(bursty, bursty), _SHIFT, _tiling)),
    (
        "count correlation, shift: refractory",
        statistic(pair(refractory, refractory), _SHIFT, _counts),
    ),
    ("coherence: Poisson", coherent(pair(poisson, poisson))),
    ("coherence: bursty", coherent(pair(bursty, bursty))),
    ("coherence: refractory", coherent(pair(refractory, refractory))),
]

BEYOND = [
    ("correlogram, jitter: both bursty", correlogram(pair(bursty, bursty), _JITTER)),
    ("correlogram, jitter: both refractory", correlogram(pair(refractory, refractory), _JITTER)),
    ("correlogram, shift: slow common rate", correlogram(modulated, _SHIFT)),
    (
        "correlogram, dither: both bursty",
        correlogram(pair(bursty, bursty), analysis.Dither(25.0)),
    ),
    (
        "noise correlation, trials shuffled over conditions",
        statistic(trials(poisson), analysis.TrialShuffle(), lambda x: np.corrcoef(x.count().T)),
    ),
]
