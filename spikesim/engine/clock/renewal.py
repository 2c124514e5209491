"""Renewal trains: the probability of a spike by the age of the last, and ages in equilibrium."""

from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy import optimize, special

from spikesim.description.inputs import Gamma, PoissonDeadTime, Stimulus

Renewal = Gamma | PoissonDeadTime
MOST_HAZARDS = 1 << 26  # entries of one input's tables
RARE = 2.0**-20  # probability of a spike below which 32 bits hold it to less than 2e-4
HEAD = 256  # steps of a smooth distribution that are summed one by one

# Asked for again whenever an input is changed; by blocks and dt.
_tables: WeakKeyDictionary[Stimulus, dict[tuple[int, float], tuple]] = WeakKeyDictionary()


def hazard_tables(
    stimulus: Stimulus, rates: np.ndarray, dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Limits on a 32-bit draw by age, a draw below which means a spike.

    They are of a renewal input whose trains have these rates (Hz) [block, lane].

    There is one table per distinct rate, whose last entry stands for all later ages. Beside them
    the first entry of each lane's table, [block, lane], and its length less one; then how far
    behind a limit lies what makes a draw on it a spike (see `poisson_limits`), 0 if nothing does.
    """
    known = _tables.setdefault(stimulus, {})
    key = len(rates), dt
    if key not in known:
        known[key] = _hazard_tables(stimulus, rates, dt)
    return known[key]


def hazard_sizes(given: Renewal, means: np.ndarray, dt: float) -> tuple[int, np.ndarray]:
    """The shortest interval and the lengths of hazard tables of mean intervals, all in steps."""
    if isinstance(given, Gamma):
        return 1, gamma_ages(means / given.shape, given.shape)
    shortest = max(1, int(np.ceil(given.dead_time / dt - 1e-6)))
    return shortest, np.full(means.shape, shortest + 1.0)


def _hazard_tables(
    stimulus: Stimulus, rates: np.ndarray, dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    given = stimulus.input
    distinct, which = np.unique(rates, return_inverse=True)
    positive = distinct[distinct > 0]
    means = 1000 / dt / positive  # steps
    shortest, sizes = hazard_sizes(given, means, dt)
    if means.min(initial=np.inf) <= shortest:
        raise ValueError(
            f"input {stimulus.name!r}: rate runs up to {distinct[-1]:g} Hz; as intervals last at "
            f"least {shortest * dt:g} ms (in steps of dt), it must be below "
            f"{1000 / (shortest * dt):g} Hz."
        )
    if sizes.sum() > MOST_HAZARDS:
        raise ValueError(
            f"input {stimulus.name!r}: rate has {means.size} distinct values from "
            f"{positive[0]:g} Hz, whose hazards at dt = {dt:g} ms take {sizes.sum():.3g} numbers; "
            f"they may take {MOST_HAZARDS}: give fewer or higher rates."
        )
    tables = [np.zeros(1)] * int(distinct[0] == 0)
    if isinstance(given, Gamma):
        tables += [gamma_hazards(mean, given.shape) for mean in means]
    else:
        tables += [dead_time_hazards(mean, shortest) for mean in means]
    lengths = np.array([table.size for table in tables])
    first = (np.cumsum(lengths) - lengths)[which].reshape(rates.shape)
    last = (lengths - 1)[which].reshape(rates.shape)
    hazards = np.concatenate(tables) * 2.0**32
    limits, rare = np.rint(hazards), (hazards > 0) & (hazards < RARE * 2.0**32)
    fine = 0
    if isinstance(given, PoissonDeadTime) and rare.any():  # of gamma trains only while they wait
        limits[rare] = np.floor(hazards[rare])
        fine, rest = limits.size, np.where(rare, (hazards - limits) * 2.0**32, 0)
        limits = np.append(limits, rest)
    return np.minimum(limits, 2**32 - 1).astype(np.uint32), first, last, fine


def gamma_ages(scale: Any, shape: float) -> Any:
    """Ages (steps) that the gamma intervals of a train survive but with probability 2^-32."""
    return np.maximum(np.floor(special.gammainccinv(shape, 2.0**-32) * scale + 0.5), 1)


def gamma_hazards(mean: float, shape: float) -> np.ndarray:
    """Probabilities of a spike by age, for gamma intervals rounded to steps, 1 or more.

    Their scale is solved for, so that the mean is exact after rounding: it is the sum of all
    survival probabilities, here one by one as far as they may be steep, then as an integral.
    """
    smooth = mean / np.sqrt(shape) > 2  # steps of standard deviation
    last = HEAD if smooth else gamma_ages((mean + 1) / shape, shape)
    ages = np.arange(1, last)

    def excess(ratio: float) -> float:
        scale = ratio * mean / shape
        head = special.gammaincc(shape, (ages + 0.5) / scale).sum()
        x = last / scale
        rest = shape * special.gammaincc(shape + 1, x) - x * special.gammaincc(shape, x)
        return 1 + head + scale * rest - mean

    scale = optimize.brentq(excess, 1e-9, 1 + 1 / mean) * mean / shape
    ages = np.arange(1, gamma_ages(scale, shape) + 1)
    survival = np.append(1.0, special.gammaincc(shape, (ages + 0.5) / scale))
    return 1 - survival[1:] / survival[:-1]


def dead_time_hazards(mean: float, dead: int) -> np.ndarray:
    """Probabilities of a spike by age, for dead steps and exponential ones rounded to steps.

    ``exp(-rate / 2) / (1 - exp(-rate))`` is what the rounded exponential steps are on average.
    """
    rate = 2 * np.arcsinh(0.5 / (mean - dead))
    return np.append(np.zeros(dead - 1), -np.expm1([-rate / 2, -rate]))


def equilibrium_ages(hazards: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Ages as frequent as a train is to survive them, the last one for all that follow."""
    if not hazards[-1]:
        return np.zeros(uniform.size, np.int32)
    frequency = np.cumprod(np.append(1.0, 1 - hazards[:-1]))
    frequency[-1] /= hazards[-1]
    cumulative = np.cumsum(frequency)
    return np.searchsorted(cumulative, uniform * cumulative[-1], side="right")
