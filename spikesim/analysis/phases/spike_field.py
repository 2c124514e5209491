"""Spikes and a field: the mean signal around spikes, and the frequencies at which both go along."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.pairs.spectra import critical_coherence
from spikesim.analysis.pairs.surrogate_tests import standardised
from spikesim.analysis.phases.sampling import ROUNDING, Sampled, pieces, sampled
from spikesim.checks import check_number, check_whole
from spikesim.random import stream

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

TINY = 1e-9  # of a step: lags and lengths so close to a whole number of steps are one


@dataclass(frozen=True, eq=False)
class TriggeredAverage:
    """Mean of a signal around the spikes of each neuron, by `spike_triggered_average`.

    Attributes
    ----------
    lags : ndarray of float64, shape (lags,)
        ms after the spike; negative before it.
    mean : ndarray of float64, shape (size, lags)
        In the signal's unit; NaN of neurons without spikes.
    n : ndarray of int64, shape (size,)
        Spikes that are averaged; those too near to an end or a gap of the signal are not.
    left_out : ndarray of int64, shape (size,)
        How many these were.
    low, high : ndarray of float64, shape (size, lags)
        Band in which the mean around shifted spikes stays at all lags together with probability
        1 - alpha.
    p : ndarray of float64, shape (size,)
        How often chance goes as far from its mean at any lag; below alpha where the mean leaves
        the band.
    alpha : float
    """

    lags: NDArray[np.float64]
    mean: NDArray[np.float64]
    n: NDArray[np.int64]
    left_out: NDArray[np.int64]
    low: NDArray[np.float64]
    high: NDArray[np.float64]
    p: NDArray[np.float64]
    alpha: float

    def __repr__(self) -> str:
        when = f"{self.lags[0]:g} to {self.lags[-1]:g} ms"
        missing = f", {self.left_out.sum():,} left out" if self.left_out.any() else ""
        spikes = f"{self.n.sum():,} spikes{missing}"
        return f"<TriggeredAverage of {self.n.size} neurons, {when}, {spikes}>"


def spike_triggered_average(
    trains: SpikeTrains,
    signal: ArrayLike,
    before: float,
    after: float,
    *,
    times: ArrayLike | None = None,
    sampling: float | None = None,
    t_start: float = 0.0,
    shifts: int = 0,
    window: float = 1000.0,
    alpha: float = 0.05,
    seed: int | None = None,
) -> TriggeredAverage:
    """Mean of a signal around the spikes of each neuron.

    Between samples the signal is on a line, so that spikes need not lie on them.

    Parameters
    ----------
    trains : SpikeTrains
        Of any length: spikes around which the signal is not wholly known are left out and counted.
    signal : array_like, shape (n,)
        Evenly sampled; NaN, or what is masked, is a gap.
    before, after : float
        Lags (ms); those that are whole numbers of samples are given.
    times : array_like, shape (n,), or
    sampling : float
        When samples were taken (ms), or how many a second (Hz), the first at `t_start` (ms).
    shifts : int
        Surrogates for band and p; 0 for none.
    window : float
        Spikes are shifted within stretches of about so many ms, in each by an amount of its own,
        around a ring, which keeps bursts. Longer than bursts and than the signal's memory.
    alpha : float
        Of the band.
    seed : int, optional
        Of the shifts.

    Returns
    -------
    TriggeredAverage
        Without shifts, band and p are NaN; so are those of neurons with so few spikes that some
        shift leaves none with the signal around it.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If no spike has a signal while there are some, if lags are longer than the signal, or
        shifts are too few for alpha.

    Notes
    -----
    By A_s(l) of surrogate s at lag l, mean m and standard deviation d over all surrogates and the
    observed one, and M_s = max_l |A_s(l) - m(l)| / d(l): p = (1 + #{M_s >= M}) / (1 + shifts), and
    the band is m +- c d, c the M_s that alpha (1 + shifts) of all reach.

    References
    ----------
    de Boer E, Kuyper P (1968) Triggered correlation. IEEE Trans Biomed Eng 15:169-179.
    """
    spike_trains("trains", trains)
    given = sampled(signal, times, sampling, t_start, gaps=True)
    check_number("before", before, least=0.0, unit="ms")
    check_number("after", after, least=0.0, unit="ms")
    check_whole("shifts", shifts, least=0)
    check_number("window", window, above=0.0, unit="ms")
    check_number("alpha", alpha, above=0.0, below=1.0)
    if shifts and (1 + shifts) * alpha < 1:
        raise ValueError(
            f"shifts is {shifts}; for alpha {alpha:g} it must be 0, or {1 / alpha - 1:g} or more."
        )
    first = -int(np.floor(before / given.step + TINY))
    lags = np.arange(first, int(np.floor(after / given.step + TINY)) + 1)
    if lags.size == 1 and before + after > 0:
        raise ValueError(
            f"before and after are {before:g} and {after:g} ms; a sample of the signal lasts "
            f"{given.step:g} ms, so they hold no lag but 0."
        )
    if lags.size >= given.values.size:
        raise ValueError(
            f"before and after span {before + after:g} ms; the signal lasts "
            f"{given.stop - given.start:g} ms and must be longer."
        )
    found = _around(trains, given, first, lags.size, shifts, window, alpha, seed)
    mean, n, left_out, low, high, p = found
    if len(trains) and not n.any():
        raise ValueError(
            f"no spike has the signal around it: the signal lasts from {given.start:g} to "
            f"{given.stop:g} ms, the trains from {trains.t_start:g} to {trains.t_stop:g} ms."
        )
    return TriggeredAverage(lags * given.step, mean, n, left_out, low, high, p, float(alpha))


def _around(
    trains: SpikeTrains,
    given: Sampled,
    first: int,
    lags: int,
    shifts: int,
    window: float,
    alpha: float,
    seed: int | None,
) -> tuple[NDArray, ...]:
    from spikesim.analysis.phases.kernels_shift import triggered
    from spikesim.analysis.phases.stretches import stretches

    clear = _clear(given.values)
    values = np.nan_to_num(given.values)
    start = given.start - first * given.step  # the mean begins with the first lag
    key = stream(seed, "shifts").integers(2**64, dtype=np.uint64)
    mean = np.full((trains.size, lags), np.nan)
    low, high, p = mean.copy(), mean.copy(), np.full(trains.size, np.nan)
    n, left_out = np.zeros(trains.size, np.int64), np.zeros(trains.size, np.int64)
    none = np.empty(0), np.empty(0)
    cut = stretches(trains, given, window) if shifts else None
    every, used = np.empty((shifts + 1, lags)), np.empty(shifts + 1, np.int64)
    for i, all_times in enumerate(trains):
        as_is = all_times, np.zeros(0, np.int64), *none, i
        triggered(*as_is, values, clear, start, given.step, key, 0, every[:1], used[:1])
        mean[i], n[i], left_out[i] = every[0], used[0], all_times.size - used[0]
        if not shifts or not n[i]:
            continue
        mine = slice(*cut.offsets[i : i + 2])
        spikes = cut.times[mine], cut.stretch[mine], cut.starts, cut.lengths, i
        triggered(*spikes, values, clear, start, given.step, key, shifts, every, used)
        if used.min() > 0:
            low[i], high[i], p[i] = _band(every, alpha)
    return mean, n, left_out, low, high, p


def _clear(values: NDArray) -> NDArray[np.int64]:
    """How many samples that are not NaN begin at each."""
    clear = np.zeros(values.size, np.int64)
    for first, last in pieces(values):
        clear[first:last] = np.arange(last - first, 0, -1)
    return clear


def _band(every: NDArray, alpha: float) -> tuple[NDArray, NDArray, float]:
    """Simultaneous band of surrogates, and p of the first of them, which is what was observed."""
    mean, spread, off = standardised(every)
    most = np.abs(off).max(axis=1)
    p = np.count_nonzero(most >= most[0] - 1e-12) / most.size
    reach = np.sort(most)[::-1][max(int(np.floor(alpha * most.size + TINY)), 1) - 1]
    return mean - reach * spread, mean + reach * spread, float(p)


@dataclass(frozen=True, eq=False)
class SpikeFieldCoherence:
    """Coherence of each neuron's spikes with a signal, by `spike_field_coherence`.

    Attributes
    ----------
    frequencies : ndarray of float64, shape (n,)
        Hz.
    coherence : ndarray of float64, shape (size, n)
        From 0 to 1 (not squared); NaN where neuron or signal has no power (of a signal, if no
        segment goes farther from its mean than 1e-9 of its largest absolute value).
    phase : ndarray of float64, shape (size, n)
        rad, in (-pi, pi]: phase of the signal at the spikes, 0 at its peak; positive after it.
    p : ndarray of float64, shape (size, n)
        Of independent trains and signals, for each frequency by itself.
    n : ndarray of int64, shape (size,)
        Spikes within segments.
    n_segments, n_tapers : int
    bandwidth : float
        Half the width over which frequencies are averaged (Hz).
    """

    frequencies: NDArray[np.float64]
    coherence: NDArray[np.float64]
    phase: NDArray[np.float64]
    p: NDArray[np.float64]
    n: NDArray[np.int64]
    n_segments: int
    n_tapers: int
    bandwidth: float

    def critical(self, alpha: float = 0.05) -> float:
        """The coherence that independent ones reach with probability alpha at a frequency."""
        return critical_coherence(self.n_segments * self.n_tapers, alpha)

    def __repr__(self) -> str:
        return (
            f"<SpikeFieldCoherence of {self.n.size} neurons: {self.frequencies.size} frequencies "
            f"up to {self.frequencies[-1]:g} Hz, +-{self.bandwidth:g} Hz, {self.n_segments} "
            f"segments, {self.n_tapers} tapers>"
        )


def spike_field_coherence(
    trains: SpikeTrains,
    signal: ArrayLike,
    length: float,
    *,
    times: ArrayLike | None = None,
    sampling: float | None = None,
    t_start: float = 0.0,
    highest: float | None = None,
    nw: float = 3.0,
    n_tapers: int | None = None,
) -> SpikeFieldCoherence:
    """Coherence of spikes and a signal, by multitapers over segments.

    C(f) = |<J_s conj(J_x)>| / sqrt(<|J_s|^2> <|J_x|^2>), averaged over segments and Slepian tapers,
    where J are Fourier transforms of taper times spike counts, or signal, less their means over
    the segment. Spikes count in the sample nearest to them.

    Parameters
    ----------
    trains : SpikeTrains
        What of the support has no signal is left out.
    signal, times, sampling, t_start
        As for `spike_triggered_average`; NaN is a gap.
    length : float
        Of a segment (ms); rounded to whole samples. Segments do not overlap, and none bridges a
        gap of signal or support.
    highest : float, optional
        Frequency up to which coherence is given (Hz); to half the sampling rate by default.
    nw : float
        Half bandwidth of the tapers, in units of 1 / length.
    n_tapers : int, optional
        2 nw - 1 by default.

    Returns
    -------
    SpikeFieldCoherence

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If no segment has signal and support, a segment is shorter than 8 samples, or nw and
        n_tapers do not fit.

    Notes
    -----
    With n segments and tapers in all, C of independent ones is about 1 / sqrt(n): of few, it is
    large. p = (1 - C^2)^(n - 1) holds for a stationary signal and, roughly, any train with many
    spikes; it takes segments as independent. It does not depend on the firing rate, as the
    coherence of spike-triggered averages (Fries et al. 1997) does.

    References
    ----------
    Jarvis MR, Mitra PP (2001) Sampling properties of the spectrum and coherency of sequences of
    action potentials. Neural Comput 13:717-749. Thomson DJ (1982) Proc IEEE 70:1055-1096.
    """
    spike_trains("trains", trains)
    given = sampled(signal, times, sampling, t_start, gaps=True)
    check_number("length", length, above=0.0, unit="ms")
    samples = round(length / given.step)
    if samples < 8:
        raise ValueError(
            f"length is {length:g} ms, {samples} samples of the signal; it must be 8 or more."
        )
    check_number("nw", nw, least=1.0, most=samples / 4)
    n_tapers = max(int(2 * nw) - 1, 1) if n_tapers is None else n_tapers
    check_whole("n_tapers", n_tapers, most=max(int(2 * nw), 1))
    if highest is not None:
        check_number("highest", highest, above=0.0, unit="Hz")
    firsts = _segments(trains, given, samples)
    if not firsts.size:
        raise ValueError(
            f"length is {length:g} ms; the signal, from {given.start:g} to {given.stop:g} ms, and "
            f"the trains, from {trains.t_start:g} to {trains.t_stop:g} ms, must have so much in "
            "common without a gap."
        )
    frequencies = np.fft.rfftfreq(samples, given.step / 1000)
    kept = slice(
        1, None if highest is None else int(np.searchsorted(frequencies, highest, "right"))
    )
    coherency, n = _coherency(trains, given, firsts, samples, nw, n_tapers, kept)
    size = np.abs(coherency)
    degrees = firsts.size * n_tapers - 1
    p = (1 - np.minimum(size, 1.0) ** 2) ** degrees if degrees else np.ones_like(size)
    half = nw / (samples * given.step / 1000)
    counts = firsts.size, n_tapers
    return SpikeFieldCoherence(
        frequencies[kept],
        size,
        np.angle(coherency),
        np.where(np.isnan(size), np.nan, p),
        n,
        *counts,
        half,
    )


def _segments(trains: SpikeTrains, given: Sampled, samples: int) -> NDArray[np.int64]:
    """First sample of each segment: all of its samples are known and lie in the support."""
    firsts = [np.zeros(0, np.int64)]
    known = list(pieces(given.values))
    for start, stop in trains.support:
        low = int(np.ceil((start - given.start) / given.step - TINY))
        high = int(np.floor((stop - given.start) / given.step + TINY)) + 1
        for a, b in known:
            a, b = max(a, low), min(b, high)
            firsts.append(a + samples * np.arange(max((b - a) // samples, 0)))
    return np.concatenate(firsts)


def _coherency(
    trains: SpikeTrains,
    given: Sampled,
    firsts: NDArray[np.int64],
    samples: int,
    nw: float,
    n_tapers: int,
    kept: slice,
) -> tuple[NDArray[np.complex128], NDArray[np.int64]]:
    """Complex coherency of each neuron with the signal, and its spikes within segments."""
    from scipy.signal.windows import dpss

    tapers = dpss(samples, nw, n_tapers)
    x = given.values[firsts[:, None] + np.arange(samples)]
    size = np.abs(x).max(axis=1, keepdims=True)
    x = x - x.mean(axis=1, keepdims=True)
    x[np.abs(x).max(axis=1) <= ROUNDING * size[:, 0]] = 0.0  # a constant's mean is rounded
    fields = [np.fft.rfft(taper * x)[:, kept] for taper in tapers]
    power = sum(np.sum(np.abs(field) ** 2, axis=0) for field in fields)
    segment = np.full(given.values.size, -1)
    place = np.zeros(given.values.size, np.int64)
    for k, first in enumerate(firsts.tolist()):
        segment[first : first + samples] = k
        place[first : first + samples] = np.arange(samples)
    out, n = [], []
    for times in trains:
        near = np.rint((times - given.start) / given.step).astype(np.int64)
        near = near[(near >= 0) & (near < given.values.size)]
        near = near[segment[near] >= 0]
        counts = np.zeros((firsts.size, samples))
        np.add.at(counts, (segment[near], place[near]), 1.0)
        counts -= counts.mean(axis=1, keepdims=True)
        spikes = [np.fft.rfft(taper * counts)[:, kept] for taper in tapers]
        own = sum(np.sum(np.abs(spike) ** 2, axis=0) for spike in spikes)
        both = sum(
            np.sum(field * spike.conj(), axis=0)
            for field, spike in zip(fields, spikes, strict=True)
        )
        n.append(near.size)
        with np.errstate(invalid="ignore", divide="ignore"):
            out.append(np.where(own * power > 0, both / np.sqrt(own * power), np.nan))
    shape = trains.size, power.size
    return np.array(out, complex).reshape(shape), np.array(n, np.int64)
