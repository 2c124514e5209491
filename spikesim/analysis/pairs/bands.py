"""Which bins of a correlogram hold more or fewer pairs than chance has it: bands by surrogates."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.analysis.pairs.correlograms import (
    Correlograms,
    bins_to_a_side,
    check_pairs,
    framed,
)
from spikesim.analysis.pairs.lag_counts import doubled_counts
from spikesim.analysis.pairs.pieces import Pieces, by_neuron, by_window, pieces
from spikesim.analysis.pairs.surrogate_tests import standardised
from spikesim.analysis.pairs.surrogates import Surrogate, check_surrogate, surrogate_seed
from spikesim.analysis.threads import in_threads, workers
from spikesim.checks import check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains

_KEPT = 2**28  # bytes of counts of surrogates that are held at a time
_OF_BINS = "mean", "sd", "lower", "upper", "lower_global", "upper_global", "p_bins"
_OF_PAIRS = "p", "z_critical"


@dataclass(frozen=True, eq=False)
class CorrelogramTest:
    """Correlograms against those of surrogates.

    Parameters
    ----------
    observed : Correlograms
    mean, sd : ndarray of float64, shape (n_pairs, n_bins)
        Of the counts of surrogates and the observed ones together.
    lower, upper : ndarray of float64, shape (n_pairs, n_bins)
        Pointwise band: counts beyond it are significant in a bin that was chosen beforehand. Of
        many bins, a share alpha lies outside by chance.
    lower_global, upper_global : ndarray of float64, shape (n_pairs, n_bins)
        Simultaneous band: a correlogram of chance leaves it anywhere among the tested lags with
        the probability alpha.
    p_bins : ndarray of float64, shape (n_pairs, n_bins)
        Two-sided p of each bin by itself.
    p : ndarray of float64, shape (n_pairs,)
        P of the whole correlogram, of the lags that were tested.
    z_critical : ndarray of float64, shape (n_pairs,)
        How many standard deviations the simultaneous band is wide to either side.
    tested : ndarray of bool, shape (n_bins,)
        Those lags.
    alpha : float
    n : int
        Number of surrogates.
    """

    observed: Correlograms
    mean: NDArray[np.float64]
    sd: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    lower_global: NDArray[np.float64]
    upper_global: NDArray[np.float64]
    p_bins: NDArray[np.float64]
    p: NDArray[np.float64]
    z_critical: NDArray[np.float64]
    tested: NDArray[np.bool_]
    alpha: float
    n: int

    @property
    def z(self) -> NDArray[np.float64]:
        """How many standard deviations counts lie from the mean; 0 where no count varies."""
        far = self.observed.counts - self.mean
        return np.divide(far, self.sd, out=np.zeros_like(far), where=self.sd > 0)

    def __repr__(self) -> str:
        found = np.sum(self.p <= self.alpha)
        return (
            f"<CorrelogramTest: {found:,} of {len(self.p):,} pairs with p <= {self.alpha:g}, "
            f"{self.n:,} surrogates>"
        )


def correlogram_test(
    trains: SpikeTrains | AlignedTrains,
    bin: float,
    window: float,
    surrogate: Surrogate,
    pairs: ArrayLike | None = None,
    *,
    n: int = 999,
    seed: int = 0,
    lags: tuple[float, float] | None = None,
    alpha: float = 0.05,
    threads: int | None = None,
) -> CorrelogramTest:
    """Compare correlograms with those of surrogates.

    The first neuron of a pair stays as it is; of the second, ``n`` surrogates are made. So it is
    the second whose features the null hypothesis of the surrogate is about: with `Jitter`, for
    instance, the first may be bursty. By ``C_s(k)`` of surrogate s in bin k, mean ``m`` and
    standard deviation ``d`` over all surrogates and the observed one, and
    ``M_s = max_k |C_s(k) - m(k)| / d(k)``, p is ``(1 + #{M_s >= M}) / (1 + n)``: exact, whatever
    the number of bins, if the observed train is as likely as its surrogates. The simultaneous band
    is ``m +- c d``, c the M_s that alpha (n + 1) of the surrogates reach; the correlogram leaves
    it if and only if p <= alpha.

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    bin, window : float
        As for `correlograms`. With bins finer than the grid that spikes lie on, surrogates (which
        keep to no grid) differ by that alone.
    surrogate : Shift, Jitter, Dither or TrialShuffle
        Or any ``surrogate(trains, seed)`` that gives trains of the same kind.
    pairs : array_like of int, shape (n_pairs, 2), optional
        (i, j) with i < j, in order, if not given.
    n : int
        Number of surrogates, at least 2 / alpha - 1.
    seed : int
        Surrogate k of neuron j is that of ``surrogate(trains, surrogate_seed(seed, k))``.
    lags : (float, float), optional
        The lags of the global test (ms), both included; all of them if not given.
    alpha : float
        Level of the bands.
    threads : int, optional
        As many as there are cores if not given; the result is the same.

    Returns
    -------
    CorrelogramTest
        Without spikes all p are 1.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If an argument is out of bounds, or n too small for alpha.

    References
    ----------
    Amarasingham A, Harrison MT, Hatsopoulos NG, Geman S (2012). Conditional modeling and the jitter
    method of spike resampling. J Neurophysiol 107:517-531. Simultaneous bands: Fujisawa S,
    Amarasingham A, Harrison MT, Buzsáki G (2008). Behavior-dependent short-term assembly dynamics
    in the medial prefrontal cortex. Nat Neurosci 11:823-833.
    """
    trains_of_either("trains", trains)
    check_surrogate(surrogate)
    n_side = bins_to_a_side(bin, window)
    check_number("alpha", alpha, above=0, below=1)
    check_whole("n", n, least=int(np.ceil(2 / alpha - 1 - 1e-9)))
    check_whole("seed", seed, least=None)
    threads = workers(threads)
    spikes = pieces(trains)
    if pairs is None:
        chosen = np.stack(np.triu_indices(spikes.size, 1), axis=1)
    else:
        chosen = check_pairs(pairs, spikes.size)
    tested = _tested(lags, bin, n_side)
    drawn = _Drawn(trains, spikes, surrogate, seed)
    shape = len(chosen), 2 * n_side + 1
    observed, found = np.empty(shape), {name: np.empty(shape) for name in _OF_BINS}
    found.update({name: np.empty(len(chosen)) for name in _OF_PAIRS})
    for part in _parts(chosen, n, shape[1]):
        counts = _doubled_counts(drawn, chosen[part], bin, n_side, n, threads)
        for k, pair in enumerate(part):
            observed[pair] = counts[0, k] / 2
            for name, values in _of_pair(counts[:, k], tested, alpha).items():
                found[name][pair] = values
    observed = framed(observed, chosen, spikes, bin, n_side)
    return CorrelogramTest(observed, **found, tested=tested, alpha=alpha, n=n)


def _tested(lags: tuple[float, float] | None, bin: float, n_side: int) -> NDArray[np.bool_]:
    centres = np.arange(-n_side, n_side + 1) * bin
    if lags is None:
        return np.ones(len(centres), bool)
    low, high = lags
    tested = (centres >= low - 1e-6) & (centres <= high + 1e-6)
    if not tested.any():
        raise ValueError(
            f"lags is {lags!r}; it must be (low, high) in ms and hold the centre of a bin."
        )
    return tested


def _parts(pairs: NDArray[np.int64], n: int, n_bins: int) -> list[NDArray[np.int64]]:
    """Numbers of pairs, in parts of which the counts of all surrogates can be held.

    They come in order of the second neuron: each part needs surrogates of but a few.
    """
    step = max(1, _KEPT // (4 * (n + 1) * n_bins))
    in_order = np.argsort(pairs[:, 1], kind="stable")
    return [in_order[k : k + step] for k in range(0, len(pairs), step)]


@dataclass(frozen=True, eq=False)
class _Drawn:
    """Surrogates of some neurons, by number."""

    trains: SpikeTrains | AlignedTrains
    spikes: Pieces
    surrogate: Surrogate
    seed: int

    def of(self, neurons: NDArray[np.int64]):
        """The k-th surrogate of these neurons, for any k."""
        moved = getattr(self.surrogate, "_moved", None)
        if moved is None:  # somebody's own
            return lambda k: pieces(self.surrogate(self.trains, surrogate_seed(self.seed, k))).of(
                neurons
            )
        grouped, offsets = by_neuron(self.spikes.of(neurons))

        def draw(k: int) -> Pieces:
            times, windows = moved(grouped, offsets, neurons, surrogate_seed(self.seed, k))
            return by_window(grouped.at(times, windows))

        return draw


def _doubled_counts(
    drawn: _Drawn, pairs: NDArray[np.int64], bin: float, n_side: int, n: int, threads: int
) -> NDArray[np.int32]:
    """Twice the counts of some pairs, observed and of n surrogates, (n + 1, n_pairs, n_bins).

    From the second neurons to the first, of which there may be more, and turned round.
    """
    first, row = np.unique(pairs[:, 0], return_inverse=True)
    second, column = np.unique(pairs[:, 1], return_inverse=True)
    back = np.stack([column.reshape(-1), row.reshape(-1)], axis=1)
    stay, draw = drawn.spikes.of(first), drawn.of(second)
    counts = np.empty((n + 1, len(pairs), 2 * n_side + 1), np.int32)

    def work(part: int) -> None:
        for k in range(part, n + 1, threads):
            spikes = draw(k - 1) if k else drawn.spikes.of(second)
            counts[k] = doubled_counts(spikes, stay, back, bin, n_side, 1)[:, ::-1]

    in_threads(work, threads, threads)
    return counts


def _of_pair(
    doubled: NDArray[np.int32], tested: NDArray[np.bool_], alpha: float
) -> dict[str, NDArray | float]:
    """What is told of a pair, by its counts and those of its surrogates, (n + 1, n_bins)."""
    counts = doubled / 2
    n = len(counts) - 1
    mean, sd, off = standardised(counts)
    k = int((n + 1) * alpha / 2 + 1e-9)
    ranked = np.partition(counts[1:], (k - 1, n - k), axis=0)
    above = 1 + (counts[1:] >= counts[0]).sum(axis=0)
    below = 1 + (counts[1:] <= counts[0]).sum(axis=0)
    most = np.abs(off[:, tested]).max(axis=1)
    critical = np.sort(most[1:])[-int((n + 1) * alpha + 1e-9)]
    return {
        "mean": mean,
        "sd": sd,
        "lower": ranked[k - 1],
        "upper": ranked[n - k],
        "lower_global": mean - critical * sd,
        "upper_global": mean + critical * sd,
        "p_bins": np.minimum(1, 2 * np.minimum(above, below) / (n + 1)),
        "p": (1 + np.sum(most[1:] >= most[0])) / (n + 1),
        "z_critical": critical,
    }
