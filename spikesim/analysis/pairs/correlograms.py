"""Auto- and cross-correlograms: how often two trains spike at a lag."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.analysis.pairs.lag_counts import Lags, all_pairs, doubled_counts
from spikesim.analysis.pairs.pieces import Pieces, by_neuron, by_window, pieces
from spikesim.analysis.threads import workers
from spikesim.checks import check_number
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains


@dataclass(frozen=True, eq=False)
class Correlograms:
    """Correlograms of pairs of neurons, or of neurons with themselves.

    A lag is the time of a spike of the pair's second neuron minus that of a spike of its first.
    Bins are centred on 0, +-bin, ..., +-window. A lag on the edge between two bins (within 1e-6
    ms: spikes on a grid have many) counts half in each, so that no bin holds more of a grid's lags
    than another, and the correlogram of (j, i) is that of (i, j) turned round.

    Both spikes of a pair lie in the same window of the support (in the same trial): lags do not
    bridge gaps. A spike makes no pair with itself.

    ``correlograms[i, j]`` are the counts of a pair, turned round if the pair is (j, i).

    Parameters
    ----------
    counts : ndarray of float64, shape (n_pairs, n_bins)
        Pairs of spikes in each bin.
    pairs : ndarray of int64, shape (n_pairs, 2)
        The two neurons; twice the same for autocorrelograms.
    edges : ndarray of float64, shape (n_bins + 1,)
        Edges of the bins (ms).
    spikes : ndarray of int64, shape (n_pairs, 2)
        How many spikes both neurons have.
    exposure : ndarray of float64, shape (n_bins,)
        Where two spikes can lie at lags of a bin (ms^2): the integral over the bin of the time
        that the support and the support shifted by the lag share, each window with itself.
    duration : float
        Of the support (ms).
    """

    counts: NDArray[np.float64]
    pairs: NDArray[np.int64]
    edges: NDArray[np.float64]
    spikes: NDArray[np.int64]
    exposure: NDArray[np.float64]
    duration: float

    @property
    def lags(self) -> NDArray[np.float64]:
        """Centres of the bins (ms), shape (n_bins,)."""
        n = len(self.edges) // 2 - 1
        return np.arange(-n, n + 1) * self.bin

    @property
    def bin(self) -> float:
        """Width of a bin (ms)."""
        return float((self.edges[-1] - self.edges[0]) / (len(self.edges) - 1))

    @property
    def expected(self) -> NDArray[np.float64]:
        """Mean counts of independent trains of constant rates, shape (n_pairs, n_bins).

        ``n_i n_j exposure / duration^2``, with n (n - 1) for autocorrelograms: exact for Poisson
        processes, given how many spikes there are. NaN if the support has no length.
        """
        n, m = self.spikes.T.astype(float)
        m = m - (self.pairs[:, 0] == self.pairs[:, 1])
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.outer(n * np.maximum(m, 0), self.exposure / np.square(self.duration))

    @property
    def ratio(self) -> NDArray[np.float64]:
        """Counts over `expected`: 1 for independent trains; NaN where nothing is expected."""
        with np.errstate(invalid="ignore", divide="ignore"):
            expected = self.expected
            return np.where(expected > 0, self.counts / expected, np.nan)

    @property
    def rates(self) -> NDArray[np.float64]:
        """Rate (Hz) of the second neuron at each lag from a spike of the first.

        ``counts duration / (n_i exposure)``, so that what a short window cuts off at long lags is
        made up for; NaN without spikes of the first.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            seen = np.outer(self.spikes[:, 0], self.exposure / self.duration)
            return np.where(seen > 0, 1000 * self.counts / seen, np.nan)

    @property
    def covariance(self) -> NDArray[np.float64]:
        """Covariance density (Hz^2): of rates where trains are Poisson processes of these.

        ``(counts - expected) / exposure``: the autocovariance function of a rate, and the
        cross-covariance function of two (Bartlett 1963). Spikes are all this needs; it is 0 in
        the mean for independent trains.
        """
        with np.errstate(invalid="ignore", divide="ignore"):
            return 1e6 * (self.counts - self.expected) / self.exposure

    def __len__(self) -> int:
        return len(self.pairs)

    def __getitem__(self, pair: tuple[int, int]) -> NDArray[np.float64]:
        if not isinstance(pair, tuple) or len(pair) != 2:
            raise TypeError(
                f"correlograms[{pair!r}] is none; correlograms[i, j] are the counts of a pair of "
                f"neurons, and to go through all, counts has a row for each row of pairs."
            )
        i, j = pair
        for first, second, step in ((i, j, 1), (j, i, -1)):
            found = np.flatnonzero((self.pairs[:, 0] == first) & (self.pairs[:, 1] == second))
            if len(found):
                return self.counts[found[0], ::step]
        raise KeyError(f"there is no correlogram of the neurons {i} and {j}")

    def __repr__(self) -> str:
        last = self.lags[-1] if len(self.edges) > 1 else 0
        return (
            f"<Correlograms: {len(self):,} pairs, {len(self.lags)} bins of {self.bin:g} ms, "
            f"lags up to +-{last:g} ms>"
        )


def correlograms(
    trains: SpikeTrains | AlignedTrains,
    bin: float,
    window: float,
    pairs: ArrayLike | None = None,
    *,
    threads: int | None = None,
) -> Correlograms:
    """Cross-correlograms of pairs of neurons, of all pairs if none are named.

    ``C_ij(k) = #{(s, t) : t - s in bin k}``, s and t the spike times of i and j in one window of
    the support (or in one trial). See `Correlograms` for edges, gaps and normalisations.

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
        Of aligned trains, each trial is a window. Trials that overlap count their spikes each.
    bin : float
        Width of a bin (ms).
    window : float
        Centre of the last bin, to either side (ms): a whole number of bins.
    pairs : array_like of int, shape (n_pairs, 2), optional
        (i, j) with i < j, in order, if not given. The result holds 8 n_pairs n_bins bytes.
    threads : int, optional
        As many as there are cores if not given; the result is the same.

    Returns
    -------
    Correlograms
        Counts are 0 without spikes.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If bin is not positive, does not divide the window, or a pair is not two neurons.

    References
    ----------
    Perkel DH, Gerstein GL, Moore GP (1967). Neuronal spike trains and stochastic point processes
    II. Simultaneous spike trains. Biophys J 7:419-440.
    """
    trains_of_either("trains", trains)
    n = bins_to_a_side(bin, window)
    threads = workers(threads)
    spikes = pieces(trains)
    if pairs is None:
        chosen = np.stack(np.triu_indices(spikes.size, 1), axis=1)
        counts = all_pairs(spikes, bin, n, threads)
    else:
        chosen = check_pairs(pairs, spikes.size)
        neurons, among = np.unique(chosen, return_inverse=True)
        some, among = spikes.of(neurons), among.reshape(-1, 2)
        counts = doubled_counts(some, some, among, bin, n, threads) / 2
    return framed(counts, chosen, spikes, bin, n)


def correlogram(
    a: SpikeTrains | AlignedTrains,
    b: SpikeTrains | AlignedTrains,
    bin: float,
    window: float,
) -> Correlograms:
    """Cross-correlogram of two neurons: lags are the times of b minus those of a.

    Parameters
    ----------
    a, b : SpikeTrains or AlignedTrains
        Of one neuron each, as ``trains.select([3])`` gives, of one support (of the same trials).
    bin, window : float
        As for `correlograms`.

    Returns
    -------
    Correlograms
        Of one pair, (0, 1).

    Raises
    ------
    TypeError
        If a or b is neither SpikeTrains nor AlignedTrains.
    ValueError
        As `correlograms`, and if a or b has not one neuron or their supports differ.
    """
    trains_of_either("a", a)
    trains_of_either("b", b)
    n = bins_to_a_side(bin, window)
    both = together(a, b)
    counts = all_pairs(both, bin, n, 1)
    return framed(counts, np.array([[0, 1]]), both, bin, n)


def autocorrelograms(
    trains: SpikeTrains | AlignedTrains, bin: float, window: float
) -> Correlograms:
    """Autocorrelogram of each neuron: lags between its different spikes, to both sides.

    Parameters
    ----------
    trains, bin, window
        As for `correlograms`.

    Returns
    -------
    Correlograms
        Of the pairs (i, i).

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If bin is not positive or does not divide the window.

    References
    ----------
    Perkel DH, Gerstein GL, Moore GP (1967). Neuronal spike trains and stochastic point processes
    I. The single spike train. Biophys J 7:391-418.
    """
    trains_of_either("trains", trains)
    n = bins_to_a_side(bin, window)
    spikes = pieces(trains)
    grouped, _ = by_neuron(spikes)
    n_windows = len(spikes.starts)
    each = grouped.neurons * n_windows + grouped.windows
    bounds = np.searchsorted(each, np.arange(spikes.size * n_windows + 1))
    lags = Lags.following(grouped.times, bounds, np.zeros(len(each), np.int64), 1, bin, n)
    spikes_of = lags.times, lags.first, lags.last, grouped.neurons
    table = lags.table(spikes_of, spikes.size)[:, :, 0]
    inside, on_edge = table[:, 0, :-1].astype(float), table[:, 1].astype(float)
    to_one_side = inside + 0.5 * (on_edge[:, :-1] + on_edge[:, 1:])
    counts = np.concatenate([to_one_side[:, :0:-1], to_one_side], axis=1)
    counts[:, n] *= 2
    return framed(counts, np.arange(spikes.size)[:, None].repeat(2, axis=1), spikes, bin, n)


def bins_to_a_side(bin: float, window: float) -> int:
    """How many bins lie to either side of the one around 0."""
    check_number("bin", bin, above=0, unit="ms")
    check_number("window", window, least=0, unit="ms")
    n = round(window / bin)
    if abs(n * bin - window) > 1e-6 * window:
        raise ValueError(f"window is {window!r}; it must be a whole number of bins of {bin:g} ms.")
    return n


def check_pairs(pairs: ArrayLike, size: int) -> NDArray[np.int64]:
    """Pairs of different neurons, shape (n_pairs, 2)."""
    chosen = np.asarray(pairs)
    if chosen.ndim != 2 or chosen.shape[1] != 2 or chosen.dtype.kind not in "iu":
        raise ValueError(
            f"pairs must be whole numbers of shape (n_pairs, 2), but have the shape {chosen.shape} "
            f"and the dtype {chosen.dtype}"
        )
    chosen = chosen.astype(np.int64)
    wrong = (chosen < 0).any(1) | (chosen >= size).any(1) | (chosen[:, 0] == chosen[:, 1])
    if wrong.any():
        i, j = chosen[np.argmax(wrong)]
        raise ValueError(
            f"pairs must be of two different neurons, at least 0 and less than size = {size}, "
            f"but one is ({i}, {j})"
        )
    return chosen


def together(a: SpikeTrains | AlignedTrains, b: SpikeTrains | AlignedTrains) -> Pieces:
    """The spikes of two neurons, 0 and 1."""
    first, second = pieces(a), pieces(b)
    for name, one in (("a", first), ("b", second)):
        if one.size != 1:
            raise ValueError(f"{name} must be of one neuron, but is of {one.size}")
    if not (
        np.array_equal(first.starts, second.starts) and np.array_equal(first.stops, second.stops)
    ):
        raise ValueError(f"a and b must have one support, but a is {a!r} and b is {b!r}")
    return by_window(
        replace(
            first,
            times=np.r_[first.times, second.times],
            neurons=np.r_[first.neurons, second.neurons + 1],
            windows=np.r_[first.windows, second.windows],
            size=2,
        )
    )


def framed(
    counts: NDArray[np.float64], pairs: NDArray[np.int64], spikes: Pieces, bin: float, n: int
) -> Correlograms:
    """Counts with what they are seen against."""
    edges = (np.arange(-n, n + 2) - 0.5) * bin
    number = np.bincount(spikes.neurons, minlength=spikes.size)
    lengths = (spikes.stops - spikes.starts)[:, None]
    seen = np.minimum(np.abs(edges), lengths)
    up_to = np.sign(edges) * (lengths * seen - seen**2 / 2).sum(axis=0)
    return Correlograms(counts, pairs, edges, number[pairs], np.diff(up_to), spikes.duration)
