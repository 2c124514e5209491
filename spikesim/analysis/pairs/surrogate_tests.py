"""Any statistic of spike trains against its values for surrogates."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.analysis.pairs.surrogates import Surrogate, Trains, check_surrogate, surrogate_seed
from spikesim.checks import check_choice, check_whole

ROUNDING = 1e-10  # of the mean: values with a lower standard deviation are one value


@dataclass(frozen=True, eq=False)
class SurrogateTest:
    """A statistic, of any shape, against surrogates.

    Parameters
    ----------
    observed : ndarray of float64
    surrogates : ndarray of float64, shape (n, *observed.shape)
    p : ndarray of float64
        Of each value by itself: where there are many, correct for that or use `p_global`. NaN
        where the statistic is NaN, observed or of a surrogate.
    p_global : float
        Whether any value lies farther out than chance has it, all of them together: by the
        largest distance from the mean in standard deviations. NaN values count for nothing.
    tail : "both", "upper" or "lower"
    """

    observed: NDArray[np.float64]
    surrogates: NDArray[np.float64]
    p: NDArray[np.float64]
    p_global: float
    tail: str

    @property
    def mean(self) -> NDArray[np.float64]:
        """Of the surrogates."""
        return self.surrogates.mean(axis=0)

    @property
    def sd(self) -> NDArray[np.float64]:
        """Of the surrogates."""
        return _sd(self.surrogates)

    def __repr__(self) -> str:
        shape = self.observed.shape or "one value"
        return f"<SurrogateTest: {shape}, {len(self.surrogates):,} surrogates, p {self.p_global:g}>"


def surrogate_test(
    statistic: Callable[[Trains], ArrayLike],
    trains: Trains,
    surrogate: Surrogate,
    *,
    n: int = 999,
    seed: int = 0,
    tail: Literal["both", "upper", "lower"] = "both",
) -> SurrogateTest:
    """Compare a statistic of trains with that of surrogates.

    ``p = (1 + #{T_s >= T}) / (1 + n)`` for the upper tail, with <= for the lower one, and for both
    twice the smaller, 1 at most. What p means is up to the surrogate's null hypothesis.

    Parameters
    ----------
    statistic : callable
        ``statistic(trains)`` gives a number or an array of a fixed shape.
    trains : SpikeTrains or AlignedTrains
    surrogate : Shift, Jitter, Dither, TrialShuffle
        Or any ``surrogate(trains, seed)``. All neurons are moved, independently.
    n : int
        Number of surrogates.
    seed : int
        Surrogate k is ``surrogate(trains, surrogate_seed(seed, k))``.
    tail : "both", "upper" or "lower"

    Returns
    -------
    SurrogateTest

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If n is not a positive whole number, seed is no whole number, or there is no such tail.

    References
    ----------
    Phipson B, Smyth GK (2010). Permutation p-values should never be zero. Stat Appl Genet Mol Biol
    9:39.
    """
    trains_of_either("trains", trains)
    check_surrogate(surrogate)
    if not callable(statistic):
        raise TypeError(f"statistic is {statistic!r}; it must be a function of trains.")
    check_whole("n", n)
    check_whole("seed", seed, least=None)
    check_choice("tail", tail, ("both", "upper", "lower"))
    values = [np.asarray(statistic(trains), float)]
    for k in range(n):
        values.append(np.asarray(statistic(surrogate(trains, surrogate_seed(seed, k))), float))
    every = np.stack(values)
    known = ~np.isnan(every).any(axis=0)
    p = np.where(known, _p(every, tail), np.nan)
    return SurrogateTest(every[0], every[1:], p, _p_global(every[:, known], tail), tail)


def _p(every: NDArray[np.float64], tail: str) -> NDArray[np.float64]:
    upper = (1 + (every[1:] >= every[0]).sum(axis=0)) / len(every)
    lower = (1 + (every[1:] <= every[0]).sum(axis=0)) / len(every)
    if tail == "both":
        return np.minimum(1, 2 * np.minimum(upper, lower))
    return upper if tail == "upper" else lower


def _p_global(every: NDArray[np.float64], tail: str) -> float:
    if not every.shape[1:] or every.shape[1] == 0:
        return np.nan
    _, _, z = standardised(every)
    z = {"both": np.abs(z), "upper": z, "lower": -z}[tail]
    most = z.max(axis=1)
    return float(_p(most, "upper"))


def _sd(every: NDArray[np.float64]) -> NDArray[np.float64]:
    """Standard deviation, 0 of values that are all one but for rounding."""
    sd = every.std(axis=0)
    return np.where(sd <= ROUNDING * np.abs(every.mean(axis=0)), 0.0, sd)


def standardised(every: NDArray[np.float64]) -> tuple[NDArray, NDArray, NDArray]:
    """Mean and SD over surrogates and what was observed, and how many SD each is off (0 of none).

    The largest of these over bins is exchangeable among them: simultaneous bands and p rest on it.
    """
    mean, sd = every.mean(axis=0), _sd(every)
    off = every - mean
    return mean, sd, np.divide(off, sd, out=np.zeros_like(off), where=sd > 0)
