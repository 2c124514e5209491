"""Data without the effect for tests of phases, fields and models of spikes.

Of spikes: independent, or in bursts of 1 to 7 at intervals of 6 ms. Of phases: of a clock, or of an
oscillation whose rise takes longer than its fall and whose frequency wanders. Of positions: laps at
different speeds, a field that is left before its end. The tests that take spikes as independent
are measured on both kinds.
"""

import numpy as np

from spikesim.analysis import (
    Phase,
    RaisedCosines,
    circular_linear,
    fit_glm,
    periodic_phase,
    phase_locking,
    rayleigh_test,
    spike_triggered_average,
    theta_sequences,
    time_rescaling,
)
from spikesim.data.spiketrains import SpikeTrains

Rng = np.random.Generator
SHUFFLES = 199
DURATION = 20_000.0  # ms
THETA = 125.0  # ms


def bursts(rng: Rng, rate: float, duration: float) -> np.ndarray:
    """Times of spikes in bursts that begin at this rate (Hz), 2.5 spikes each."""
    starts = rng.uniform(0.0, duration, rng.poisson(rate * duration / 1000))
    return np.sort(np.concatenate([burst(rng, start) for start in starts] or [np.empty(0)]))


def burst(rng: Rng, start: float) -> np.ndarray:
    """Times of the spikes of a burst (ms)."""
    intervals = np.maximum(rng.normal(6.0, 1.0, rng.poisson(1.5)), 3.0)
    return start + np.concatenate([[0.0], np.cumsum(intervals)])


def trains(times: np.ndarray, duration: float = DURATION) -> SpikeTrains:
    times = times[(times > 1e-3) & (times <= duration)]
    return SpikeTrains(times, np.zeros(times.size, int), 1, 0.0, duration)


def wandering(rng: Rng) -> Phase:
    """Phase of an asymmetric oscillation of about 8 Hz, in steps of 1 ms."""
    n = int(DURATION) + 1
    slow = np.convolve(rng.normal(size=n), np.full(300, 300**-0.5), "same")
    turns = np.cumsum(8.0 + 0.5 * slow) / 1000 + rng.random()
    angle = 2 * np.pi * turns
    angle += 0.6 * np.sin(angle)
    angle -= 2 * np.pi * np.floor(angle[0] / (2 * np.pi))
    return Phase(np.arange(n, dtype=float), angle, np.ones(n, bool))


def rayleigh_independent(rng: Rng) -> float:
    return rayleigh_test(rng.uniform(0.0, 2 * np.pi, 30))


def rayleigh_few(rng: Rng) -> float:
    return rayleigh_test(rng.uniform(0.0, 2 * np.pi, 6))


def rayleigh_bursty(rng: Rng) -> float:
    return rayleigh_test(periodic_phase(THETA).at(bursts(rng, 2.0, DURATION)))


def rayleigh_uneven(rng: Rng) -> float:
    times = np.sort(rng.uniform(0.0, DURATION, 60))
    return rayleigh_test(wandering(rng).at(times))


def locking_independent(rng: Rng) -> float:
    times = np.sort(rng.uniform(0.0, DURATION, 60))
    return _locking(rng, times, periodic_phase(THETA, rng.uniform(0.0, THETA)))


def locking_bursty(rng: Rng) -> float:
    clock = periodic_phase(THETA, rng.uniform(0.0, THETA))
    return _locking(rng, bursts(rng, 2.0, DURATION), clock)


def locking_bursty_uneven(rng: Rng) -> float:
    return _locking(rng, bursts(rng, 2.0, DURATION), wandering(rng))


def locking_refractory_uneven(rng: Rng) -> float:
    """Gamma intervals of shape 4: more regular than chance, at 5 Hz."""
    times = np.cumsum(rng.gamma(4.0, 50.0, 200))
    return _locking(rng, times - times[50], wandering(rng))


def _locking(rng: Rng, times: np.ndarray, phase: Phase) -> float:
    seed = int(rng.integers(2**31))
    return float(phase_locking(trains(times), phase, shifts=SHUFFLES, seed=seed).p[0])


def passes(
    rng: Rng,
    laps: int = 10,
    lock: float = 1.0,
    bursty: bool = True,
    centre: float = 0.5,
    wander: float = 0.0,
) -> tuple[np.ndarray, ...]:
    """Positions in a field, phases, cycles and laps of spikes whose phase ignores the position.

    A cycle has a burst with a probability that only the position of its first spike decides, at a
    phase of a von Mises distribution of kappa ``lock``; with ``wander``, phases of a lap drift.
    """
    found = []
    cycle = 0
    for lap in range(laps):
        cycles = 8 * rng.uniform(0.7, 1.3)  # in which the field is run through
        drift = rng.normal()
        for k in range(int(cycles) + 3):
            drift = wander * drift + np.sqrt(1 - wander**2) * rng.normal()
            angle = drift if wander else rng.vonmises(0.0, lock)
            turns = k - 1.5 + (np.pi + angle) / (2 * np.pi) % 1
            if rng.random() < 0.6 * np.exp(-(((turns / cycles - centre) / 0.3) ** 2)):
                spikes = burst(rng, 0.0) / THETA if bursty else np.zeros(1)
                turns = turns + spikes + 1.5
                of = np.full(turns.size, lap)
                found.append((turns - 1.5, np.full(turns.size, cycles), turns, of, of * 0 + cycle))
        cycle += 20
    at, cycles, turns, lap, first = (np.concatenate(c) for c in zip(*found, strict=True))
    x = at / cycles
    inside = (x >= 0) & (x <= 1)
    columns = x, 2 * np.pi * (turns % 1), first + np.floor(turns), lap
    return tuple(column[inside] for column in columns)


def _precession(rng: Rng, spikes: tuple, by: str = "cycle", order: str = "permute") -> float:
    x, phases, cycles, laps = spikes
    seed = int(rng.integers(2**31))
    labels = dict(groups=cycles, blocks=laps) if by == "cycle" else {}
    shuffles = 0 if by == "kempter" else SHUFFLES
    line = circular_linear(x, phases, shuffles=shuffles, order=order, seed=seed, **labels)
    return line.p_kempter if by == "kempter" else line.p


def precession_independent(rng: Rng) -> float:
    return _precession(rng, passes(rng, bursty=False), "spike")


def precession_20_uniform(rng: Rng) -> float:
    x, phases = rng.random(20), rng.uniform(0.0, 2 * np.pi, 20)
    return circular_linear(x, phases, shuffles=SHUFFLES, seed=int(rng.integers(2**31))).p


def precession_bursty(rng: Rng) -> float:
    return _precession(rng, passes(rng))


def precession_bursty_mirror(rng: Rng) -> float:
    return _precession(rng, passes(rng), order="mirror")


def precession_uneven_positions(rng: Rng) -> float:
    return _precession(rng, passes(rng, centre=0.95))


def precession_uneven_phases(rng: Rng) -> float:
    return _precession(rng, passes(rng, lock=4.0))


def precession_wandering(rng: Rng) -> float:
    return _precession(rng, passes(rng, wander=0.7))


def precession_wandering_mirror(rng: Rng) -> float:
    return _precession(rng, passes(rng, wander=0.7), order="mirror")


def precession_bursty_by_spike(rng: Rng) -> float:
    return _precession(rng, passes(rng), "spike")


def kempter_20_uniform(rng: Rng) -> float:
    x, phases = rng.random(20), rng.uniform(0.0, 2 * np.pi, 20)
    return circular_linear(x, phases, shuffles=0).p_kempter


def kempter_100_uniform(rng: Rng) -> float:
    x, phases = rng.random(100), rng.uniform(0.0, 2 * np.pi, 100)
    return circular_linear(x, phases, shuffles=0).p_kempter


def kempter_bursty(rng: Rng) -> float:
    return _precession(rng, passes(rng), "kempter")


def _average(rng: Rng, times: np.ndarray, signal: np.ndarray) -> float:
    seed = int(rng.integers(2**31))
    found = spike_triggered_average(
        trains(times), signal, 100.0, 100.0, sampling=250.0, shifts=SHUFFLES, seed=seed
    )
    return float(found.p[0])


def average_independent_noise(rng: Rng) -> float:
    slow = np.convolve(rng.normal(size=5001), np.full(10, 0.1), "same")
    return _average(rng, np.sort(rng.uniform(0.0, DURATION, 60)), slow)


def average_bursty_theta(rng: Rng) -> float:
    signal = np.cos(wandering(rng).unwrapped[::4]) + 0.3 * rng.normal(size=5001)
    return _average(rng, bursts(rng, 2.0, DURATION), signal)


def sequences_own_phases(rng: Rng) -> float:
    """Each cell with a preferred phase of its own, the same in all cycles."""
    return _sequences(rng, rng.uniform(0.0, THETA, 12), 8.0)


def sequences_one_phase(rng: Rng) -> float:
    """All cells with the same preferred phase, and much chance."""
    return _sequences(rng, np.full(12, THETA / 2 - 5.0), 10.0)


def _sequences(rng: Rng, preferred: np.ndarray, spread: float) -> float:
    """12 cells along a track in 6 laps, bursting, in an order that is not that of their places."""
    laps, track, cells = 6, 6000.0, preferred.size
    when, who = [], []
    for lap in range(laps):
        for cell in range(cells):
            middle = track * (lap + (cell + 1) / (cells + 1))
            cycles = middle // THETA + np.flatnonzero(rng.random(12) < 0.5) - 6
            starts = THETA * cycles + preferred[cell] + spread * rng.normal(size=cycles.size)
            when += [burst(rng, start) for start in starts]
            who += [cell] * starts.size
    neurons = np.repeat(who, [times.size for times in when])
    times = np.concatenate(when)
    kept = (times > 1e-3) & (times < laps * track)
    spikes = SpikeTrains(times[kept], neurons[kept], cells, 0.0, laps * track)
    places, seed = np.arange(cells, dtype=float), int(rng.integers(2**31))
    options = dict(start=0.0, shuffles=SHUFFLES, seed=seed)
    return theta_sequences(spikes, periodic_phase(THETA), places, **options).p


def _rate(n: int, top: float) -> np.ndarray:
    return top * np.exp(0.8 * np.sin(np.arange(n) / 100.0) - 0.8)


def rescaling_rare(rng: Rng) -> float:
    expected = _rate(20_000, 0.02)
    return _rescaled(rng, rng.random(expected.size) < expected, expected)


def rescaling_coarse(rng: Rng) -> float:
    """As many as one spike in three bins: the discrete correction is needed."""
    expected = _rate(2000, 0.35)
    return _rescaled(rng, rng.random(expected.size) < expected, expected)


def rescaling_counts(rng: Rng) -> float:
    expected = _rate(1000, 0.8)
    return _rescaled(rng, rng.poisson(expected), expected)


def rescaling_few(rng: Rng) -> float:
    """Windows that hold one spike in the mean: their ends must not count."""
    expected = np.full(300, 0.03)
    return _rescaled(rng, rng.random(expected.size) < expected, expected)


def rescaling_fitted(rng: Rng) -> float:
    """The model was fitted to the same spikes."""
    times = np.cumsum(rng.exponential(50.0, 600) + 4.0)
    spikes = trains(np.ceil(times[times < DURATION]) - 0.5)
    fit = fit_glm(spikes, 0, 1.0, history=RaisedCosines(4, 6.0, 40.0), ridge=1e-3)
    return _rescaled(rng, fit.counts, fit.expected)


def _rescaled(rng: Rng, counts: np.ndarray, expected: np.ndarray) -> float:
    return time_rescaling(counts, expected, seed=int(rng.integers(2**31))).p


CASES = [
    ("Rayleigh: 30 independent spikes", rayleigh_independent),
    ("Rayleigh: 6 independent spikes", rayleigh_few),
    ("Rayleigh (takes spikes as independent): bursts", rayleigh_bursty),
    ("Rayleigh (takes phases as even): asymmetric oscillation", rayleigh_uneven),
    ("locking by shifts: independent spikes, clock", locking_independent),
    ("locking by shifts: bursts, clock", locking_bursty),
    ("locking by shifts: bursts, asymmetric oscillation", locking_bursty_uneven),
    ("locking by shifts: regular train, asymmetric oscillation", locking_refractory_uneven),
    ("precession by spikes: independent", precession_independent),
    ("precession by spikes: 20, even", precession_20_uniform),
    ("precession by cycles: bursts", precession_bursty),
    ("precession by cycles, mirrored laps: bursts", precession_bursty_mirror),
    ("precession by cycles: bursts, unevenly visited positions", precession_uneven_positions),
    ("precession by cycles: bursts, uneven phases", precession_uneven_phases),
    ("precession by cycles (taken as exchangeable): drifting", precession_wandering),
    ("precession by cycles, mirrored laps: drifting", precession_wandering_mirror),
    ("precession by spikes (taken as independent): bursts", precession_bursty_by_spike),
    ("Kempter's p (slope as if given): 20, even", kempter_20_uniform),
    ("Kempter's p (slope as if given): 100, even", kempter_100_uniform),
    ("Kempter's p (takes spikes as independent): bursts", kempter_bursty),
    ("triggered average: independent spikes, noise", average_independent_noise),
    ("triggered average: bursts, theta", average_bursty_theta),
    ("theta sequences: bursts, one phase", sequences_one_phase),
    ("theta sequences (conservative): bursts, phases of their own", sequences_own_phases),
    ("rescaling: rare spikes", rescaling_rare),
    ("rescaling: coarse bins", rescaling_coarse),
    ("rescaling: several spikes a bin", rescaling_counts),
    ("rescaling: few spikes", rescaling_few),
    ("rescaling (takes the model as given): fitted GLM", rescaling_fitted),
]
