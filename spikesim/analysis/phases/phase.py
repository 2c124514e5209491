"""Phase of an oscillation, from a signal or from a period, and the phases of spikes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.phases.circular import TURN, wrapped
from spikesim.analysis.phases.sampling import CYCLE, Sampled, band_pass, check_band, pieces, sampled
from spikesim.checks import check_floats, check_number, check_numbers, check_whole
from spikesim.data.spiketrains import SAME_TIME

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

# How much longer or shorter than the band's periods a cycle between extremes of the whole signal
# may be: noise moves extremes.
LOOSE = 4 / 3


@dataclass(frozen=True, eq=False)
class Phase:
    """Phase of an oscillation over time: 0 at its peaks, pi at its troughs.

    ``phase.at(times)`` is the phase at any time, `spike_phases` that of every spike.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        ms, ascending.
    unwrapped : ndarray of float64, shape (n,)
        rad, 2 pi a cycle; the first is in [0, 2 pi). Between two times it is interpolated.
    valid : ndarray of bool, shape (n,)
        False where the phase is not to be trusted: near ends and gaps, in cycles that are none,
        and where the signal has no power in the band.
    period : float, optional
        ms. Of a clock (`periodic_phase`), whose phase is known at all times.
    """

    times: NDArray[np.float64]
    unwrapped: NDArray[np.float64]
    valid: NDArray[np.bool_]
    period: float | None = None

    def __post_init__(self) -> None:
        times = check_numbers("times", self.times, "one-dimensional, ms", dimensions=(1,))
        unwrapped = check_floats("unwrapped", self.unwrapped)
        valid = np.asarray(self.valid, bool)
        if times.size < 2 or not times.shape == unwrapped.shape == valid.shape:
            raise ValueError(
                f"times, unwrapped and valid have shapes {times.shape}, {unwrapped.shape} and "
                f"{valid.shape}; they must be one-dimensional and alike, two or more."
            )
        if np.any(np.diff(times) <= 0):
            raise ValueError("times must rise from each to the next.")
        if not np.isfinite(unwrapped[valid]).all():
            raise ValueError("unwrapped must be finite wherever valid is true.")
        for name, value in ("times", times), ("unwrapped", unwrapped), ("valid", valid):
            object.__setattr__(self, name, value)

    def unwrapped_at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Phase (rad, not wrapped) at these times (ms); NaN where it is unknown or not valid."""
        t = check_floats("times", times)
        if self.period is not None:
            t = np.where(np.isfinite(t), t, np.nan)
            return TURN / self.period * (t - self.times[0]) + self.unwrapped[0]
        t0, t1 = self.times[0], self.times[-1]
        known = (t >= t0 - SAME_TIME) & (t <= t1 + SAME_TIME)  # False for NaN
        t = np.clip(np.where(known, t, t0), t0, t1)
        left = np.clip(np.searchsorted(self.times, t, "right") - 1, 0, self.times.size - 2)
        share = (t - self.times[left]) / (self.times[left + 1] - self.times[left])
        known &= (self.valid[left] | (share == 1)) & (self.valid[left + 1] | (share == 0))
        below, above = self.unwrapped[left], self.unwrapped[left + 1]
        # Where a sample has no weight it may be NaN.
        between = np.where(share == 0, below, np.where(share == 1, above, below))
        inner = (share > 0) & (share < 1) & known
        between = np.where(inner, below + share * np.where(inner, above - below, 0.0), between)
        return np.where(known, between, np.nan)

    def at(self, times: ArrayLike) -> NDArray[np.float64]:
        """Phase (rad) in [0, 2 pi) at these times (ms); NaN where it is unknown or not valid."""
        return wrapped(self.unwrapped_at(times))

    def cycles(self, times: ArrayLike) -> NDArray[np.int64]:
        """Number of the cycle, peak to peak, in which each time (ms) lies; -1 where unknown.

        A peak is the start of its cycle: a time within 1e-6 ms of it belongs to what follows.
        Numbers rise with time; they are negative before the origin of a clock, and never else. As
        -1 is a cycle of a clock, NaN and infinite times are in its cycle -2^63, the least int64.
        """
        turns = np.floor(parts_of_cycles(self, times, 1))
        known = np.abs(turns) < 2.0**63  # False for NaN
        none = -1 if self.period is None else np.iinfo(np.int64).min
        return np.where(known, np.where(known, turns, 0).astype(np.int64), none)

    @property
    def mean_period(self) -> float:
        """Mean length of a cycle (ms) where the phase is valid; NaN if it does not advance."""
        if self.period is not None:
            return self.period
        both = self.valid[1:] & self.valid[:-1]
        turns = np.diff(self.unwrapped)[both].sum() / TURN
        return float(np.diff(self.times)[both].sum() / turns) if turns > 0 else np.nan

    def sampled(self, t_start: float, t_stop: float, per_cycle: int = 64) -> Phase:
        """The same phase, at even steps of 1 / per_cycle of a mean cycle, from t_start on."""
        step = self.mean_period / per_cycle
        if not np.isfinite(step):  # it does not advance
            step = float(np.diff(self.times).min())
        n = max(int(np.ceil((t_stop - t_start) / step)), 1) + 1
        times = t_start + step * np.arange(n)
        phase = self.unwrapped_at(times)
        return Phase(times, phase, np.isfinite(phase))

    def __repr__(self) -> str:
        if self.period is not None:
            return f"<Phase of a clock of {self.period:g} ms>"
        when = f"{self.times[0]:g} to {self.times[-1]:g} ms"
        share = 100 * self.valid.mean()
        return f"<Phase: {when}, {share:.3g} % of it valid, {1000 / self.mean_period:.3g} Hz>"


def periodic_phase(period: float, origin: float = 0.0) -> Phase:
    """Phase of a clock: 2 pi (t - origin) / period, at all times.

    Parameters
    ----------
    period : float
        Length of a cycle (ms).
    origin : float
        A time of phase 0 (ms).

    Returns
    -------
    Phase

    Raises
    ------
    ValueError
        If period is not above 0, or origin is not finite.
    """
    check_number("period", period, above=0.0, unit="ms")
    check_number("origin", origin, unit="ms")
    ends = np.array([origin, origin + period], float)
    return Phase(ends, np.array([0.0, TURN]), np.ones(2, bool), float(period))


def hilbert_phase(
    signal: ArrayLike,
    band: tuple[float, float],
    *,
    times: ArrayLike | None = None,
    sampling: float | None = None,
    t_start: float = 0.0,
    order: int = 4,
) -> Phase:
    """Phase of a signal in a band: the angle of its analytic signal.

    The signal is band-passed (Butterworth, forward and backward, so that nothing is delayed) and
    its Hilbert transform taken. As only the fundamental is left, the phase of an oscillation whose
    rise and fall differ in length runs evenly through both; `cycle_phase` does not smooth it.

    Parameters
    ----------
    signal : array_like, shape (n,)
        Evenly sampled. NaN, or what is masked, is a gap: what is between gaps is filtered for
        itself.
    band : two floats
        Hz. 2.5 samples or more must fall into the period of the higher one.
    times : array_like, shape (n,), or
    sampling : float
        When samples were taken (ms), or how many a second (Hz), the first at `t_start` (ms).
    order : int
        Of the filter, once; it is run twice.

    Returns
    -------
    Phase
        At the samples. Those nearer to an end or a gap than the filter's slowest mode takes to
        fall to a tenth are not valid. Nor are those without power in the band: where the signal
        keeps one value for longer than the band's longest period (a dropout, a constant), or what
        the filter leaves of it is rounding, in a period below 1e-9 of its largest absolute value.

    Raises
    ------
    ValueError
        If the signal is sampled too coarsely or lasts too short a time for the band, or is bad.

    References
    ----------
    Le Van Quyen M et al. (2001) Comparison of Hilbert transform and wavelet methods for the
    analysis of neuronal synchrony. J Neurosci Methods 111:83-98.
    """
    from scipy.signal import hilbert

    check_whole("order", order)
    given = sampled(signal, times, sampling, t_start, gaps=True)
    narrow, valid = band_pass(given, check_band("band", band, given.step), order)
    unwrapped = np.full(narrow.size, np.nan)
    last = 0.0
    for a, b in pieces(narrow):
        angle = np.unwrap(np.angle(hilbert(narrow[a:b])))
        # A piece starts in a cycle of its own, after those of the piece before.
        unwrapped[a:b] = angle + TURN * np.ceil((last - angle.min()) / TURN)
        last = unwrapped[a:b].max()
    return Phase(given.times, unwrapped, valid)


def cycle_phase(
    signal: ArrayLike,
    band: tuple[float, float],
    *,
    times: ArrayLike | None = None,
    sampling: float | None = None,
    t_start: float = 0.0,
    broad: tuple[float, float] | None = None,
    crossings: bool = False,
    order: int = 4,
) -> Phase:
    """Phase of a signal interpolated between its peaks and troughs, for asymmetric oscillations.

    Where the signal in `band` is above 0 the highest sample of the signal in `broad` is the peak
    (phase 0), where it is below 0 the lowest one is the trough (pi); each is placed between samples
    by a parabola. Phase runs evenly from one to the next.

    Parameters
    ----------
    signal, times, sampling, t_start, order
        As for `hilbert_phase`.
    band : two floats
        Hz. Says which extremes belong to the oscillation.
    broad : two floats, optional
        Hz. Wide enough to leave the wave's shape; by default from a quarter of the lower to five
        times the higher frequency of the band, or as far as the sampling allows.
    crossings : bool
        Whether the phase goes through 3 pi / 2 and pi / 2 where the broad signal crosses 0 on its
        way up and down.

    Returns
    -------
    Phase
        At the samples. Not valid near ends and gaps and without power in the band, as by
        `hilbert_phase`, and in cycles (from peak to peak) that last more than 4/3 of the longest or
        less than 3/4 of the shortest period of the band.

    Raises
    ------
    ValueError
        As `hilbert_phase`, or if there are not two peaks.

    References
    ----------
    Siapas AG, Lubenov EV, Wilson MA (2005) Prefrontal phase locking to hippocampal theta
    oscillations. Neuron 46:141-151. Belluscio MA et al. (2012) Cross-frequency phase-phase
    coupling between theta and gamma oscillations in the hippocampus. J Neurosci 32:423-435.
    """
    check_whole("order", order)
    given = sampled(signal, times, sampling, t_start, gaps=True)
    low, high = check_band("band", band, given.step)
    if broad is None:
        broad = low / 4, min(5 * high, 999.0 / (CYCLE * given.step))
    narrow, valid = band_pass(given, (low, high), order)
    wide, also = band_pass(given, check_band("broad", broad, given.step), order)
    valid &= also
    unwrapped = np.full(narrow.size, np.nan)
    cycle = 0
    shortest, longest = 1000 / (high * LOOSE), 1000 / low * LOOSE
    for a, b in pieces(np.where(valid, narrow, np.nan)):
        where, halves = _anchors(narrow[a:b], wide[a:b], crossings)
        peaks = where[halves % 2 == 0]
        if peaks.size < 2:
            continue
        samples = np.arange(b - a)
        inside = (samples >= peaks[0]) & (samples <= peaks[-1])
        lengths = np.diff(peaks) * given.step
        one = np.clip(np.searchsorted(peaks, samples, "right") - 1, 0, lengths.size - 1)
        fits = (lengths >= shortest) & (lengths <= longest)
        valid[a:b] &= inside & fits[one]
        start = halves[where == peaks[0]][0]
        unwrapped[a:b] = np.interp(samples, where, np.pi * (halves - start)) + TURN * cycle
        cycle += peaks.size
    valid &= np.isfinite(unwrapped)
    if not valid.any():
        raise ValueError(
            f"signal has no cycle of {low:g} to {high:g} Hz away from its ends; it must have some."
        )
    return Phase(given.times, unwrapped, valid)


def _anchors(narrow: NDArray, wide: NDArray, crossings: bool) -> tuple[NDArray, NDArray]:
    """Where (in samples) the phase is known, and what it is there in units of pi, ascending."""
    bounds = np.flatnonzero(np.diff(narrow > 0)) + 1  # first sample of each half cycle but one
    where, halves = [], []
    half = int(narrow[bounds[0]] > 0) if bounds.size else 0
    for first, last in zip(bounds[:-1].tolist(), bounds[1:].tolist(), strict=True):
        half += 1  # odd in troughs
        part = -wide[first:last] if half % 2 else wide[first:last]
        place = _vertex(wide, first + int(part.argmax()))
        if where and place <= where[-1]:
            continue  # both extremes are one sample at their border
        if crossings and where and half - halves[-1] == 1:
            middle = _crossing(wide, where[-1], place)
            if middle is not None:
                where.append(middle)
                halves.append(half - 0.5)
        where.append(place)
        halves.append(half)
    return np.array(where), np.array(halves)


def _vertex(wide: NDArray, k: int) -> float:
    """Place of the extreme near sample k: the vertex of a parabola through three samples."""
    if not 0 < k < wide.size - 1:
        return float(k)
    left, here, right = wide[k - 1 : k + 2]
    bend = left - 2 * here + right
    shift = 0.5 * (left - right) / bend if bend else 0.0
    return k + (shift if abs(shift) <= 0.5 else 0.0)


def _crossing(wide: NDArray, after: float, before: float) -> float | None:
    """Middle of the places between two extremes where a signal crosses 0; None if it does not."""
    first, last = int(np.floor(after)), int(np.ceil(before))
    part = wide[first : last + 1]
    k = np.flatnonzero(np.diff(part > 0))
    if not k.size:
        return None
    places = first + k + part[k] / (part[k] - part[k + 1])
    places = places[(places > after) & (places < before)]
    return float((places[0] + places[-1]) / 2) if places.size else None


def spike_phases(trains: SpikeTrains, phase: Phase) -> NDArray[np.float64]:
    """Phase of every spike.

    Parameters
    ----------
    trains : SpikeTrains
    phase : Phase

    Returns
    -------
    ndarray of float64, shape (spikes,)
        rad, in [0, 2 pi), in the order of ``trains.times``; NaN of spikes outside of the signal or
        where its phase is not valid.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains, or phase is no Phase.
    """
    spike_trains("trains", trains)
    check_phase(phase)
    return phase.at(trains.times)


def parts_of_cycles(
    phase: Phase, times: ArrayLike, parts: int, start: float = 0.0
) -> NDArray[np.float64]:
    """Parts of cycles since phase ``start`` (rad) at these times (ms), NaN where it is unknown.

    Times are rounded, and so are phases: what lies as near to a bound of parts as the phase moves
    in SAME_TIME, in the mean, is on it. A part holds its start: it is the floor of this.
    """
    turns = (phase.unwrapped_at(times) - start) * (parts / TURN)
    near = SAME_TIME / phase.mean_period * parts  # NaN, so nothing is near, if it stands still
    bounds = np.round(turns)
    return np.where(np.abs(turns - bounds) <= near, bounds, turns)


def check_phase(phase: Phase) -> None:
    """Raise a TypeError, which says how to get one, if it is no Phase."""
    if not isinstance(phase, Phase):
        kind = "None" if phase is None else f"of type {type(phase).__name__}"
        raise TypeError(
            f"phase is {kind}; it must be a Phase: hilbert_phase and cycle_phase make one of a "
            f"signal, periodic_phase of a period."
        )


def resampled(phase: Phase, t_start: float, t_stop: float) -> Sampled:
    """Unwrapped phase at even steps, NaN where it is not valid: what kernels take."""
    even = phase.sampled(t_start, t_stop)
    return Sampled(
        np.where(even.valid, even.unwrapped, np.nan), even.times[0], even.times[1] - even.times[0]
    )
