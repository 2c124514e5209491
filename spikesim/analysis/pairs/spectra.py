"""Spectra of spike trains and their coherence, by multitapers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.analysis.pairs.correlograms import check_pairs
from spikesim.analysis.pairs.pieces import Pieces, by_neuron, pieces
from spikesim.checks import check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SAME_TIME, SpikeTrains

_GRID = 4096  # points of a taper; between them it is a line, which is right to 1e-5


@dataclass(frozen=True, eq=False)
class Spectrum:
    """Power spectra of spike trains.

    Parameters
    ----------
    frequencies : ndarray of float64, shape (n_frequencies,)
        Hz, multiples of 1 / length.
    power : ndarray of float64, shape (size, n_frequencies)
        Hz. A Poisson process has its rate at every frequency, and every train at high ones.
    lower, upper : ndarray of float64, shape (size, n_frequencies)
        Confidence interval of 95 % of each, by the jackknife over tapers and segments.
    rates : ndarray of float64, shape (size,)
        Hz, in the segments.
    n_segments, n_tapers : int
    bandwidth : float
        Half the width over which power is smoothed (Hz).
    """

    frequencies: NDArray[np.float64]
    power: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    rates: NDArray[np.float64]
    n_segments: int
    n_tapers: int
    bandwidth: float

    @property
    def normalised(self) -> NDArray[np.float64]:
        """Power over rate: 1 for a Poisson process; NaN for silent neurons."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return self.power / self.rates[:, None]

    def __repr__(self) -> str:
        return (
            f"<Spectrum: {len(self.power)} neurons, {len(self.frequencies)} frequencies up to "
            f"{self.frequencies[-1]:g} Hz, +-{self.bandwidth:g} Hz, "
            f"{self.n_segments} segments, {self.n_tapers} tapers>"
        )


@dataclass(frozen=True, eq=False)
class Coherence:
    """Coherence of pairs of spike trains.

    Parameters
    ----------
    frequencies : ndarray of float64, shape (n_frequencies,)
        Hz.
    coherence : ndarray of float64, shape (n_pairs, n_frequencies)
        From 0 to 1; NaN where a neuron has no power.
    phase : ndarray of float64, shape (n_pairs, n_frequencies)
        Rad, in (-pi, pi]; positive where the second neuron is later than the first.
    lower, upper : ndarray of float64, shape (n_pairs, n_frequencies)
        Confidence interval of 95 % of the coherence, by the jackknife over tapers and segments.
    p : ndarray of float64, shape (n_pairs, n_frequencies)
        Of independent trains, for each frequency by itself.
    pairs : ndarray of int64, shape (n_pairs, 2)
    n_segments, n_tapers : int
    bandwidth : float
        Hz.
    """

    frequencies: NDArray[np.float64]
    coherence: NDArray[np.float64]
    phase: NDArray[np.float64]
    lower: NDArray[np.float64]
    upper: NDArray[np.float64]
    p: NDArray[np.float64]
    pairs: NDArray[np.int64]
    n_segments: int
    n_tapers: int
    bandwidth: float

    def critical(self, alpha: float = 0.05) -> float:
        """The coherence that independent trains reach with probability alpha at a frequency."""
        return critical_coherence(self.n_segments * self.n_tapers, alpha)

    def __repr__(self) -> str:
        return (
            f"<Coherence: {len(self.pairs)} pairs, {len(self.frequencies)} frequencies up to "
            f"{self.frequencies[-1]:g} Hz, +-{self.bandwidth:g} Hz, "
            f"{self.n_segments} segments, {self.n_tapers} tapers>"
        )


def power_spectrum(
    trains: SpikeTrains | AlignedTrains,
    length: float | None = None,
    *,
    highest: float = 100.0,
    nw: float = 3.0,
    n_tapers: int | None = None,
    pooled: bool = False,
) -> Spectrum:
    """Multitaper power spectrum of each neuron's spikes as points in time.

    ``S(f) = mean_kl |J_kl(f)|^2``, ``J_kl(f) = sum_s h_k(t_s) exp(-2 pi i f t_s) - n_l / T H_k(f)``
    over the spikes t_s of segment l; h_k are the Slepian tapers, of ``integral h_k^2 = 1``, H_k
    their Fourier transforms: the mean rate of each segment is taken off. No time is cut into bins,
    so nothing is lost at high frequencies.

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    length : float, optional
        Length of a segment (ms), the shortest window of the support (the trial) if not given.
        Each window is cut into as many segments as it holds, from its start; what is left over,
        and windows that are shorter, do not count.
    highest : float
        Highest frequency (Hz).
    nw : float
        Half bandwidth times length: power is smoothed over +-nw / length.
    n_tapers : int, optional
        ``2 nw - 1``, rounded down, if not given.
    pooled : bool
        Take the spikes of all neurons as one train: the spectrum of the population.

    Returns
    -------
    Spectrum
        0 for silent neurons. The interval is NaN if there is one segment and one taper.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If an argument is out of bounds, or no window holds a segment.

    References
    ----------
    Jarvis MR, Mitra PP (2001). Sampling properties of the spectrum and coherency of sequences of
    action potentials. Neural Comput 13:717-749. Thomson DJ, Chave AD (1991), in Advances in
    Spectrum Analysis and Array Processing, Prentice Hall: the jackknife.
    """
    trains_of_either("trains", trains)
    spikes = pieces(trains)
    if pooled:
        spikes = spikes.together()
    frame = _Frame.of(spikes, length, highest, nw, n_tapers)
    shape = spikes.size, len(frame.frequencies)
    power, lower, upper = np.empty((3, *shape))
    rates = np.empty(spikes.size)
    for i, (transforms, n_spikes) in enumerate(frame.each(spikes)):
        each = np.abs(transforms) ** 2
        power[i] = each.mean(axis=0)
        lower[i], upper[i] = _interval(_log(power[i]), _log(_without_each(each)), np.exp)
        rates[i] = 1000 * n_spikes / (frame.n_segments * frame.length)
    return Spectrum(frame.frequencies, power, lower, upper, rates, *frame.told)


def coherence(
    trains: SpikeTrains | AlignedTrains,
    length: float | None = None,
    pairs: ArrayLike | None = None,
    *,
    highest: float = 100.0,
    nw: float = 3.0,
    n_tapers: int | None = None,
) -> Coherence:
    """Multitaper coherence of pairs of neurons.

    ``C_ij(f) = |S_ij| / sqrt(S_ii S_jj)``, ``S_ij = mean_kl J_i conj(J_j)`` over the n tapers and
    segments, J as for `power_spectrum`. Under independence the J are complex Gaussian if segments
    hold enough spikes, whatever their intervals, and ``p = (1 - C^2)^(n - 1)``.

    Parameters
    ----------
    trains, length, highest, nw, n_tapers
        As for `power_spectrum`. With one segment and one taper, the coherence is 1 and says
        nothing: p is 1, too.
    pairs : array_like of int, shape (n_pairs, 2), optional
        (i, j) with i < j, in order, if not given.

    Returns
    -------
    Coherence

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        As `power_spectrum`, or if a pair is not two neurons.

    References
    ----------
    Jarvis and Mitra (2001) and Thomson and Chave (1991), as for `power_spectrum`.
    """
    trains_of_either("trains", trains)
    spikes = pieces(trains)
    if pairs is None:
        chosen = np.stack(np.triu_indices(spikes.size, 1), axis=1)
    else:
        chosen = check_pairs(pairs, spikes.size)
    frame = _Frame.of(spikes, length, highest, nw, n_tapers)
    neurons, among = np.unique(chosen, return_inverse=True)
    every = [transforms for transforms, _ in frame.each(spikes.of(neurons))]
    shape = len(chosen), len(frame.frequencies)
    size, phase, lower, upper = np.empty((4, *shape))
    for k, (i, j) in enumerate(among.reshape(-1, 2)):
        cross, one, two = every[i] * every[j].conj(), np.abs(every[i]) ** 2, np.abs(every[j]) ** 2
        whole = cross.mean(axis=0)
        size[k] = _coherence(whole, one.mean(axis=0), two.mean(axis=0))
        phase[k] = np.where(np.isnan(size[k]), np.nan, np.angle(whole))
        without = _coherence(_without_each(cross), _without_each(one), _without_each(two))
        ends = _interval(_atanh(size[k]), _atanh(without), np.tanh)
        lower[k], upper[k] = np.maximum(ends[0], 0), ends[1]
    p = np.clip(1 - size**2, 0, 1) ** (frame.n_segments * len(frame.tapers) - 1)
    return Coherence(frame.frequencies, size, phase, lower, upper, p, chosen, *frame.told)


def critical_coherence(n: int, alpha: float) -> float:
    """The coherence that n independent segments and tapers reach with probability alpha."""
    check_number("alpha", alpha, above=0, below=1)
    return float(np.sqrt(1 - alpha ** (1 / (n - 1)))) if n > 1 else 1.0


@dataclass(frozen=True, eq=False)
class _Frame:
    """Segments of equal length, the tapers and the frequencies."""

    length: float
    frequencies: NDArray[np.float64]
    tapers: NDArray[np.float64]
    of_tapers: NDArray[np.complex128]  # their Fourier transforms
    in_window: NDArray[np.int64]  # segments of each window
    nw: float

    @classmethod
    def of(cls, spikes: Pieces, length, highest: float, nw: float, n_tapers) -> _Frame:
        from scipy.signal.windows import dpss

        durations = spikes.stops - spikes.starts
        if not durations.size:
            raise ValueError("there are no trials; a spectrum needs one at least.")
        if length is None:
            length = float(durations.min(initial=np.inf))
        check_number("length", length, above=0, unit="ms")
        check_number("nw", nw, above=0.5, most=100)
        n_tapers = max(1, int(2 * nw - 1 + 1e-9)) if n_tapers is None else n_tapers
        check_whole("n_tapers", n_tapers, most=int(2 * nw))
        check_number("highest", highest, least=1000 / length, unit="Hz")
        in_window = np.floor(durations / length + 1e-9).astype(np.int64)
        if not in_window.sum():
            raise ValueError(
                f"length is {length!r}; it must be at most the longest window of the support, "
                f"{durations.max(initial=0):g} ms."
            )
        n = int(highest * length / 1000 + 1e-9) + 1
        tapers = dpss(_GRID, nw, n_tapers) * np.sqrt(1000 * _GRID / length)  # per sqrt(s)
        of_tapers = np.zeros((n_tapers, n), complex)  # and 0 far beyond the bandwidth
        m = np.arange(min(n, _GRID // 2))
        middle = np.exp(-1j * np.pi * m / _GRID)  # a point stands for what is around it
        of_tapers[:, m] = np.fft.fft(tapers)[:, m] * middle * (length / 1000 / _GRID)
        return cls(length, 1000 / length * np.arange(n), tapers, of_tapers, in_window, nw)

    @property
    def n_segments(self) -> int:
        return int(self.in_window.sum())

    @property
    def told(self) -> tuple[int, int, float]:
        return self.n_segments, len(self.tapers), 1000 * self.nw / self.length

    def each(self, spikes: Pieces) -> Iterator[tuple[NDArray[np.complex128], int]]:
        """J of each neuron, shape (n_segments n_tapers, n_frequencies), and its spikes in them."""
        from spikesim.analysis.pairs.kernels_spectra import transform

        grouped, offsets = by_neuron(spikes)
        before = np.r_[0, np.cumsum(self.in_window)]
        after_start = grouped.times - spikes.starts[grouped.windows]
        segment = np.maximum(np.ceil((after_start - SAME_TIME) / self.length) - 1, 0).astype(int)
        at = after_start - segment * self.length
        segment = np.where(
            segment < self.in_window[grouped.windows], segment + before[grouped.windows], -1
        )
        shape = self.n_segments, len(self.tapers), len(self.frequencies)
        for i in range(spikes.size):
            mine = slice(offsets[i], offsets[i + 1])
            inside = segment[mine] >= 0
            where = segment[mine][inside]
            parts = np.zeros((2, *shape))
            transform(at[mine][inside] / self.length, where, self.tapers, parts)
            n = np.bincount(where, minlength=self.n_segments)
            mean = (1000 * n / self.length)[:, None, None] * self.of_tapers
            yield (parts[0] + 1j * parts[1] - mean).reshape(-1, shape[2]), len(where)


def _coherence(cross, one, two) -> NDArray[np.float64]:
    power = one * two
    known = power > 0
    size = np.abs(cross) / np.sqrt(np.where(known, power, 1))
    return np.where(known, np.minimum(size, 1), np.nan)


def _without_each(values: NDArray) -> NDArray:
    """Means without one of them at a time; NaN if there is but one."""
    n = len(values)
    return (values.sum(axis=0) - values) / (n - 1) if n > 1 else np.full(values.shape, np.nan)


def _log(power: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.log(np.where(power > 0, power, np.nan))


def _atanh(size: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.arctanh(np.minimum(size, 1 - 1e-15))


def _interval(whole, without, back) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Confidence interval of 95 %, by the jackknife, of what is ``back(whole)``."""
    from scipy.stats import t

    n = len(without)
    if n < 2:
        return np.full(whole.shape, np.nan), np.full(whole.shape, np.nan)
    spread = np.sqrt((n - 1) * np.mean((without - without.mean(axis=0)) ** 2, axis=0))
    reach = t.ppf(0.975, n - 1) * spread
    return back(whole - reach), back(whole + reach)
