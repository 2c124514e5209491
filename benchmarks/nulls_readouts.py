"""Null data for the tests of readouts: how often each finds what is not there.

``CASES`` holds pairs of a name and a function of a NumPy generator that makes one null data set
and returns the p of the test. Trains of 20 Hz are Poisson, regular (gamma intervals of shape 4
after 3 ms without spikes) or bursty (bursts of three spikes on average, 4 ms apart).
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from spikesim.analysis import (
    first_spike_latency,
    information,
    psth_latency,
    rank_order,
    which_code,
)
from spikesim.data.aligned import AlignedTrains

Case = tuple[str, Callable[[np.random.Generator], float]]
RATE = 20.0  # Hz


def poisson(rng: np.random.Generator, start: float, stop: float, rate: float = RATE) -> np.ndarray:
    return np.sort(rng.uniform(start, stop, rng.poisson(rate * (stop - start) / 1000)))


def regular(rng: np.random.Generator, start: float, stop: float, rate: float = RATE) -> np.ndarray:
    dead, mean = 3.0, 1000 / rate
    n = int(4 * (stop - start) / mean) + 40
    times = start - 500.0 + np.cumsum(dead + rng.gamma(4.0, (mean - dead) / 4, n))
    return times[(times > start) & (times <= stop)]


def bursty(rng: np.random.Generator, start: float, stop: float, rate: float = RATE) -> np.ndarray:
    begins = poisson(rng, start - 100.0, stop, rate / 3)
    spikes = [
        t + np.r_[0.0, np.cumsum(rng.exponential(4.0, rng.geometric(1 / 3) - 1))] for t in begins
    ]
    times = np.sort(np.concatenate(spikes)) if spikes else np.empty(0)
    return times[(times > start) & (times <= stop)]


KINDS = {"Poisson": poisson, "regular": regular, "bursty": bursty}


def trials(
    rng: np.random.Generator, kind: str, n_trials: int, size: int, before: float, after: float
) -> AlignedTrains:
    """Trials of neurons that do not know of the event."""
    times, neurons, which = [], [], []
    for trial in range(n_trials):
        for neuron in range(size):
            train = KINDS[kind](rng, -before, after)
            times.append(train)
            neurons += [neuron] * len(train)
            which += [trial] * len(train)
    return AlignedTrains(np.concatenate(times), neurons, which, size, n_trials, -before, after)


def latency(kind: str) -> Callable[[np.random.Generator], float]:
    """p of the first of 39 trials of a neuron, in 200 ms; 39 windows say what is spontaneous."""
    return lambda rng: first_spike_latency(trials(rng, kind, 39, 1, 200.0, 200.0)).p[0, 0]


def psth(kind: str, size: int = 1) -> Callable[[np.random.Generator], float]:
    """p of 10 trials together, of one neuron or of several pooled, in bins of 5 ms."""

    def p(rng: np.random.Generator) -> float:
        aligned = trials(rng, kind, 10, size, 200.0, 200.0)
        seed = int(rng.integers(2**31))
        return psth_latency(aligned, 5.0, pool=size > 1, surrogates=99, seed=seed).p[0]

    return p


def order(kind: str) -> Callable[[np.random.Generator], float]:
    """p of the order of first spikes of 6 neurons in 20 trials."""

    def p(rng: np.random.Generator) -> float:
        found = first_spike_latency(trials(rng, kind, 20, 6, 0.0, 100.0), rule="first")
        return rank_order(found, shuffles=99, seed=int(rng.integers(2**31))).p

    return p


def order_of_responses(kind: str) -> Callable[[np.random.Generator], float]:
    """The same of responses, 8 spikes each, that come in every trial, but at any time."""

    def p(rng: np.random.Generator) -> float:
        calm = trials(rng, kind, 20, 6, 500.0, 100.0)
        at = rng.uniform(10.0, 80.0, (20, 6, 1)) + 2.0 * np.arange(8)
        trial, neuron, _ = np.indices(at.shape)
        columns = (calm.times, at), (calm.neurons, neuron), (calm.trials, trial)
        both = [np.concatenate([a, b.ravel()]) for a, b in columns]
        found = first_spike_latency(AlignedTrains(*both, 6, 20, -500.0, 100.0))
        return rank_order(found, shuffles=99, seed=int(rng.integers(2**31))).p

    return p


def bits(kind: str, correction: str) -> Callable[[np.random.Generator], float]:
    """p of the information of counts in 200 ms, 4 stimuli with 10 trials each."""

    def p(rng: np.random.Generator) -> float:
        counts = trials(rng, kind, 40, 1, 0.0, 200.0).count()[:, 0]
        stimuli, seed = np.repeat(np.arange(4), 10), int(rng.integers(2**31))
        return float(information(counts, stimuli, correction=correction, shuffles=99, seed=seed).p)

    return p


def codes(kind: str, code: int) -> Callable[[np.random.Generator], float]:
    """p of the mean over 3 neurons of the information of counts, latencies or phases of 10 Hz."""

    def p(rng: np.random.Generator) -> float:
        aligned = trials(rng, kind, 32, 3, 0.0, 200.0)
        phases = np.mod(aligned.times, 100.0) * (2 * np.pi / 100.0)
        seed = int(rng.integers(2**31))
        stimuli = np.repeat(np.arange(4), 8)
        return which_code(aligned, stimuli, phases=phases, shuffles=99, seed=seed).mean_p[code]

    return p


CASES: list[Case] = [
    *((f"latency of a trial, {kind}", latency(kind)) for kind in KINDS),
    *((f"latency of a PSTH, {kind}", psth(kind)) for kind in KINDS),
    ("latency of a PSTH of 4 bursty neurons", psth("bursty", 4)),
    *((f"rank order of first spikes, {kind}", order(kind)) for kind in KINDS),
    *((f"rank order of responses, {kind}", order_of_responses(kind)) for kind in KINDS),
    *((f"information of counts, {kind}", bits(kind, "cubic")) for kind in KINDS),
    *(
        (f"which code: {name}, bursty", codes("bursty", i))
        for i, name in enumerate(("counts", "latency", "phase"))
    ),
]
