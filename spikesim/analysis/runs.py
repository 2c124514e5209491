"""How far two runs agree: distributions over neurons and pairs, as simulators are compared."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.analysis.codes.ties import grouped
from spikesim.analysis.given import spike_trains
from spikesim.analysis.pairs.correlation import count_correlation
from spikesim.checks import check_number, check_whole
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME
from spikesim.random import generator


@dataclass(frozen=True)
class Agreement:
    """Kolmogorov-Smirnov distances between two runs of a population, from 0 (alike) to 1.

    Attributes
    ----------
    rates, cvs, correlations : float
        Of the distributions of the neurons' rates, of their CVs of intervals, and of the count
        correlations of pairs; NaN where one of the runs has none.
    """

    rates: float
    cvs: float
    correlations: float


def agreement(
    a: SpikeTrains, b: SpikeTrains, *, neurons: int = 200, bin: float = 2.0, seed: int = 0
) -> Agreement:
    """How far the distributions of two runs of a population lie apart.

    Two simulators agree if their distance is not larger than that of two seeds of one of them
    (van Albada et al. 2018, Front Neuroinform 12:291; Gutzen et al. 2018, ibid. 12:90).

    Parameters
    ----------
    a, b : SpikeTrains
        They must last equally long, for the spread of rates depends on it.
    neurons : int
        How many of each are drawn, whose pairs' correlations (Pearson's r of counts) are compared;
        those without a spike have none.
    bin : float
        Of the counts (ms); what is left over at the end of a window is left out.
    seed : int
        Of the draw.

    Raises
    ------
    TypeError
        If a or b is not SpikeTrains.
    ValueError
        If the runs do not last equally long, neurons are fewer than 2, bin is not positive,
        or seed is no whole number.
    """
    spike_trains("a", a)
    spike_trains("b", b)
    check_whole("neurons", neurons, least=2)
    check_number("bin", bin, above=0, unit="ms")
    check_whole("seed", seed, least=None)
    if abs(a.duration - b.duration) > SAME_TIME * (len(a.support) + len(b.support)):
        raise ValueError(
            f"a and b must last equally long, but last {a.duration:.12g} and {b.duration:.12g} ms; "
            f"restrict makes them equal"
        )
    return Agreement(
        ks_distance(a.count(), b.count()),  # as of rates, which differ by the last digit of times
        ks_distance(*_up_to_rounding(a.cv(), b.cv())),
        ks_distance(*_up_to_rounding(*(_correlations(x, neurons, bin, seed) for x in (a, b)))),
    )


def ks_distance(a: np.ndarray, b: np.ndarray) -> float:
    """Largest difference of two empirical distribution functions; NaN does not count.

    NaN if one of the samples is empty.
    """
    a, b = (np.sort(x[np.isfinite(x)]) for x in (np.asarray(a, float), np.asarray(b, float)))
    if not (a.size and b.size):
        return np.nan
    at = np.concatenate([a, b])
    below = (np.searchsorted(x, at, side="right") / x.size for x in (a, b))
    return float(np.abs(np.subtract(*below)).max())


def _up_to_rounding(a: np.ndarray, b: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Numbers in place of values, of which some are one but for rounding; NaN is left out."""
    a, b = a[np.isfinite(a)], b[np.isfinite(b)]
    numbers = grouped(np.concatenate([a, b]), 1e-9)
    return numbers[: len(a)], numbers[len(a) :]


def _correlations(trains: SpikeTrains, neurons: int, bin: float, seed: int) -> np.ndarray:
    drawn = generator(seed, "correlated neurons").permutation(trains.size)[:neurons]
    r = count_correlation(trains.select(drawn).trim(bin), bin)
    return r[np.triu_indices(len(r), 1)]
