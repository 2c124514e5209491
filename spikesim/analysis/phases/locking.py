"""Phase locking: whether spikes prefer a phase of an oscillation, and which."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.phases.circular import TURN, mean_vector, von_mises_kappa, wrapped
from spikesim.analysis.phases.phase import Phase, check_phase, parts_of_cycles, resampled
from spikesim.checks import check_choice, check_floats, check_number, check_whole
from spikesim.random import stream

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains
    from spikesim.data.windows import Windows

CYCLES = 10  # of the oscillation in a stretch within which spikes are shifted, if nobody says
MANY = 50  # angles from which on the expansion of Rayleigh's p is right to 1e-3 down to p = 1e-4
SERIES = 4000  # terms of the series for fewer angles
SMALL = 1e-9  # below which rounding spoils the series


@dataclass(frozen=True, eq=False)
class Locking:
    """Phase locking of each neuron, by `phase_locking`.

    Attributes
    ----------
    n : ndarray of int64, shape (size,)
        Spikes that have a phase.
    mean : ndarray of float64, shape (size,)
        Preferred phase (rad), in [0, 2 pi).
    length : ndarray of float64, shape (size,)
        Length R of the mean vector.
    kappa : ndarray of float64, shape (size,)
        Concentration of the von Mises distribution with this length.
    ppc : ndarray of float64, shape (size,)
        Pairwise phase consistency: R^2 without its bias by the number of spikes.
    expected : ndarray of complex128, shape (size,)
        Mean vector that shifted spikes have: not 0 where phases last unevenly long.
    p : ndarray of float64, shape (size,)
        By shifted spikes: how often chance brings the mean vector as far from ``expected``.
    p_rayleigh : ndarray of float64, shape (size,)
        Rayleigh's, as if spikes were independent and all phases lasted equally long.
    """

    n: NDArray[np.int64]
    mean: NDArray[np.float64]
    length: NDArray[np.float64]
    kappa: NDArray[np.float64]
    ppc: NDArray[np.float64]
    expected: NDArray[np.complex128]
    p: NDArray[np.float64]
    p_rayleigh: NDArray[np.float64]

    def __repr__(self) -> str:
        known = self.length[np.isfinite(self.length)]
        middle = f"{np.median(known):.3g}" if known.size else "none"
        by = f"{np.count_nonzero(self.p <= 0.05)} with p of .05 or less"
        return f"<Locking of {self.n.size} neurons: median length {middle}, {by}>"


def phase_locking(
    trains: SpikeTrains,
    phase: Phase,
    *,
    shifts: int = 1000,
    window: float | None = None,
    seed: int | None = None,
) -> Locking:
    """Preferred phase of each neuron, how strongly it is preferred, and whether by chance.

    Parameters
    ----------
    trains : SpikeTrains
    phase : Phase
    shifts : int
        Surrogates for p; 0 for none.
    window : float, optional
        Recordings are cut into stretches of about so many ms, and spikes shifted in each by an
        amount of its own, around a ring. By default 10 mean cycles.
    seed : int, optional
        Of the shifts.

    Returns
    -------
    Locking
        NaN of neurons without spikes; ppc of a single one is NaN.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains, or phase is no Phase.
    ValueError
        If window is not above 0.

    Notes
    -----
    p_rayleigh takes spikes as independent: of 10,000 bursty trains that are not locked it calls
    a third locked. It also takes all phases as equally long: where an oscillation is asymmetric,
    spikes of a constant rate are not even in phase. p allows for both. It takes the train, within a
    window, as equally likely wherever it is shifted to: bursts must be short against the window,
    and a rhythm of the neuron's own must not last from one window to the next.

    p is (1 + k) / (1 + shifts), k the number of surrogates whose mean vector is as far from the
    mean of all of them as the neuron's is.

    References
    ----------
    Siapas AG, Lubenov EV, Wilson MA (2005) Neuron 46:141-151 (mean vector, Rayleigh). Vinck M et
    al. (2010) NeuroImage 51:112-122 (pairwise phase consistency).
    """
    spike_trains("trains", trains)
    check_phase(phase)
    check_whole("shifts", shifts, least=0)
    if window is not None:
        check_number("window", window, above=0.0, unit="ms")
    phases, owner = phase.at(trains.times), trains.neurons
    known = np.isfinite(phases)
    owner = owner[known]
    n = np.bincount(owner, minlength=trains.size)
    c, s = (np.bincount(owner, f(phases[known]), trains.size) for f in (np.cos, np.sin))
    total = np.hypot(c, s)
    with np.errstate(invalid="ignore", divide="ignore"):
        length = np.minimum(np.where(n > 0, total / n, np.nan), 1.0)
        ppc = np.where(n > 1, (total**2 - n) / (n * (n - 1.0)), np.nan)
    mean = np.where(n > 0, wrapped(np.arctan2(s, c)), np.nan)
    expected, p = _by_shifts(trains, phase, shifts, window, seed)
    rayleigh = np.array([_rayleigh(int(k), float(r)) for k, r in zip(n, length, strict=True)])
    return Locking(n, mean, length, von_mises_kappa(length), ppc, expected, p, rayleigh)


def _by_shifts(
    trains: SpikeTrains, phase: Phase, shifts: int, window: float | None, seed: int | None
) -> tuple[NDArray, NDArray]:
    """Mean vector of shifted spikes, and how often theirs are as far from it."""
    from spikesim.analysis.phases.kernels_shift import locking
    from spikesim.analysis.phases.stretches import stretches

    nothing = np.full(trains.size, np.nan + 0j), np.full(trains.size, np.nan)
    if not shifts:
        return nothing
    even = resampled(phase, trains.t_start, trains.t_stop)
    if window is None:
        window = CYCLES * phase.mean_period
    cut = stretches(trains, even, window if np.isfinite(window) else trains.duration)
    sums = np.empty((shifts + 1, trains.size, 3))
    seed_of_shifts = stream(seed, "shifts").integers(2**64, dtype=np.uint64)
    locking(
        *(cut.times, cut.offsets, cut.stretch, cut.starts, cut.lengths),
        *(even.values, even.start, even.step, seed_of_shifts, shifts, sums),
    )
    with np.errstate(invalid="ignore", divide="ignore"):
        vectors = (sums[..., 0] + 1j * sums[..., 1]) / sums[..., 2]
    spoken = sums[..., 2].min(axis=0) > 0
    vectors[:, ~spoken] = np.nan
    expected = vectors.mean(axis=0)
    far = np.abs(vectors - expected)
    as_far = np.count_nonzero(far[1:] >= far[0] - 1e-12, axis=0)
    return expected, np.where(spoken, (1 + as_far) / (1 + shifts), np.nan)


def rayleigh_test(phases: ArrayLike) -> float:
    """p of Rayleigh's test: how often n independent, evenly spread angles have as long a mean.

    It assumes that spikes are independent. Those of a burst are not: `phase_locking` has a test for
    them. It also takes all phases as equally long.

    Parameters
    ----------
    phases : array_like
        rad; NaN is left out.

    Returns
    -------
    float
        NaN of no angles, 1 of a single one.

    Notes
    -----
    Below 50 angles, the exact distribution of the sum of n unit vectors as a series of Bessel
    functions (1e-6 for 5 angles or more, 1e-4 for 3 and 4), down to p = 1e-9; else the expansion
    in 1 / n (1e-3 of p down to p = 1e-4), which below 50 angles is wrong by 4 % at n 5, p .05.

    References
    ----------
    Rayleigh (1880) Philos Mag 10:73-78. Kluyver JC (1906) A local probability problem. Proc K Ned
    Akad Wet 8:341-350. Greenwood JA, Durand D (1955) The distribution of length and components of
    the sum of n random unit vectors. Ann Math Stat 26:233-246. Zar JH (2010) Biostatistical
    analysis. Pearson.
    """
    phases = check_floats("phases", phases)
    n = int(np.isfinite(phases).sum())
    return _rayleigh(n, float(mean_vector(phases)[1]))


def _rayleigh(n: int, length: float) -> float:
    if n < 2:
        return 1.0 if n else float("nan")
    if n == 2:  # 2 cos(d / 2) is longer than r for |d| < 2 arccos(r / 2)
        return float(2 / np.pi * np.arccos(min(length, 1.0)))
    z = n * length**2
    if n >= MANY:
        first = (2 * z - z**2) / (4 * n)
        second = (24 * z - 132 * z**2 + 76 * z**3 - 9 * z**4) / (288 * n**2)
        p = np.exp(-z) * (1 + first - second)
    else:
        p = _longer(n, length)
    if not p > SMALL:
        # Zar's: right to some per cent there, and never negative.
        p = np.exp(np.sqrt(1 + 4 * n + 4 * n**2 * (1 - length**2)) - (1 + 2 * n))
    return float(min(max(p, 0.0), 1.0))


def _longer(n: int, length: float) -> float:
    """Probability of a mean of n angles longer than this.

    The density of the sum lies within a disc of radius n: it is a series of J0(j_k r / n), whose
    coefficients are its Fourier transform, J0(t)^n, at t = j_k / n. This is integrated up to r.
    """
    from scipy.special import j1

    zeros, weight, wave = _series(n)
    r = length * n
    return 1.0 - float(np.sum(2 * length * weight * j1(zeros * r / n) * wave))


@cache
def _series(n: int) -> tuple[NDArray, NDArray, NDArray]:
    from scipy.special import j0, j1

    zeros = _zeros()
    # |J0(t)| < sqrt(2 / (pi t)): where its n-th power is nothing the series ends.
    kept = (n / 2) * np.log(2 * n / (np.pi * zeros)) > np.log(1e-17)
    zeros = zeros[kept]
    return zeros, 1 / (zeros * j1(zeros) ** 2), j0(zeros / n) ** n


@cache
def _zeros() -> NDArray[np.float64]:
    from scipy.special import jn_zeros

    return jn_zeros(0, SERIES)


def pairwise_phase_consistency(
    phases: ArrayLike, trials: ArrayLike | None = None, kind: int = 0
) -> float:
    """Mean cosine of the difference of the phases of two spikes: R^2 without its bias.

    Parameters
    ----------
    phases : array_like, shape (n,)
        rad; NaN is left out.
    trials : array_like, shape (n,), optional
        The trial of each spike.
    kind : 0, 1 or 2
        0: of all pairs. 1: of pairs from different trials, so that spikes of one trial may depend
        on each other. 2: the same with all trials counting alike, so that how many spikes a trial
        has may depend on how well they are locked.

    Returns
    -------
    float
        1 if all phases are alike, about 0 if spikes are not locked (it may be negative); NaN
        without a pair.

    Raises
    ------
    ValueError
        If kinds 1 and 2 are asked for without trials, or trials do not fit.

    References
    ----------
    Vinck M, van Wingerden M, Womelsdorf T, Fries P, Pennartz CMA (2010) The pairwise phase
    consistency: a bias-free measure of rhythmic neuronal synchronization. NeuroImage 51:112-122.
    Vinck M, Battaglia FP, Womelsdorf T, Pennartz C (2012) Improved measures of phase-coupling
    between spikes and the local field potential. J Comput Neurosci 33:53-75.
    """
    check_choice("kind", kind, (0, 1, 2))
    phases = check_floats("phases", phases).ravel()
    known = np.isfinite(phases)
    if kind == 0:
        each = np.arange(known.sum())  # every spike a trial of its own
    elif trials is None:
        raise ValueError(f"trials must be given for kind {kind}, which pairs spikes across them.")
    else:
        trials = np.asarray(trials).ravel()
        if trials.shape != phases.shape:
            raise ValueError(
                f"trials has {trials.size} and phases {phases.size} numbers; they must be as many."
            )
        each = np.unique(trials[known], return_inverse=True)[1]
    n = np.bincount(each).astype(float)
    if n.size < 2:
        return float("nan")
    vectors = np.bincount(each, np.cos(phases[known])) + 1j * np.bincount(
        each, np.sin(phases[known])
    )
    if kind == 2:
        vectors, n = vectors / n, np.ones_like(n)
    between = np.abs(vectors.sum()) ** 2 - np.sum(np.abs(vectors) ** 2)
    return float(between / (n.sum() ** 2 - np.sum(n**2)))


@dataclass(frozen=True, eq=False)
class PhaseRates:
    """Firing rates by phase, by `phase_rates`.

    Attributes
    ----------
    edges : ndarray of float64, shape (bins + 1,)
        rad, from 0 to 2 pi.
    counts : ndarray of int64, shape (size, bins)
        Spikes.
    lasting : ndarray of float64, shape (bins,)
        How long the phase was in each bin (ms).
    """

    edges: NDArray[np.float64]
    counts: NDArray[np.int64]
    lasting: NDArray[np.float64]

    @property
    def rates(self) -> NDArray[np.float64]:
        """Hz, shape (size, bins); NaN of phases that never were."""
        with np.errstate(invalid="ignore", divide="ignore"):
            return np.where(self.lasting > 0, 1000 * self.counts / self.lasting, np.nan)


def phase_rates(trains: SpikeTrains, phase: Phase, bins: int = 24) -> PhaseRates:
    """Spikes of each neuron by phase, over the time that each phase lasted.

    A bin holds its start: a spike within 1e-6 ms of a bound of bins counts in what follows.
    Between two samples the phase moves evenly, and their time is shared out over the bins that it
    moves through.

    Parameters
    ----------
    trains : SpikeTrains
    phase : Phase
    bins : int
        Of a cycle, equally wide.

    Returns
    -------
    PhaseRates
        Times that have no phase, and gaps of the support, count neither as time nor with spikes.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains, or phase is no Phase.
    """
    spike_trains("trains", trains)
    check_phase(phase)

    check_whole("bins", bins)
    edges = np.linspace(0.0, TURN, bins + 1)
    counts = np.zeros((trains.size, bins), np.int64)
    places = parts_of_cycles(phase, trains.times, bins)
    known = np.isfinite(places)
    which = np.floor(places[known]).astype(np.int64) % bins
    np.add.at(counts, (trains.neurons[known], which), 1)
    return PhaseRates(edges, counts, _lasting(phase, trains.support, bins))


def _lasting(phase: Phase, support: Windows, bins: int) -> NDArray[np.float64]:
    """Time (ms) that the phase spends in each bin within the windows."""

    if not len(support):
        return np.zeros(bins)
    bends = phase.times if phase.period is None else np.empty(0)  # a clock runs straight on
    inner = zip(
        np.searchsorted(bends, support.starts, "right"),
        np.searchsorted(bends, support.stops),
        strict=True,
    )
    ends = zip(support, inner, strict=True)
    pieces = [np.r_[start, bends[first:last], stop] for (start, stop), (first, last) in ends]
    steps = np.concatenate([np.diff(times) for times in pieces])
    places = parts_of_cycles(phase, np.concatenate(pieces), bins)
    within = np.ones(places.size - 1, bool)
    within[np.cumsum([times.size for times in pieces])[:-1] - 1] = False
    low, high = (f(places[:-1], places[1:])[within] for f in (np.minimum, np.maximum))
    known = np.isfinite(high - low)
    return _shared_out(low[known], high[known], steps[known], bins)


def _shared_out(low: NDArray, high: NDArray, steps: NDArray, bins: int) -> NDArray[np.float64]:
    """Time in each bin of steps in which the phase moves evenly from low to high (bins, unwrapped).

    Nothing is ever taken off again: a bin that was never reached has exactly 0.
    """
    first, last = np.floor(low), np.floor(high)
    one = first == last
    width = np.where(one, 1.0, high - low)
    each = steps / width  # time per bin
    lasting = np.bincount(
        first.astype(np.int64) % bins, np.where(one, steps, each * (first + 1 - low)), bins
    )
    lasting += np.bincount(
        last.astype(np.int64) % bins, np.where(one, 0.0, each * (high - last)), bins
    )
    whole = np.where(one, 0, last - first - 1).astype(np.int64)  # bins that are crossed
    lasting += np.sum(each * (whole // bins))
    place, rest = first.astype(np.int64), whole % bins
    for k in range(1, bins):
        more = rest >= k
        if not more.any():
            break
        place, rest, each = place[more], rest[more], each[more]
        lasting += np.bincount((place + k) % bins, each, bins)
    return lasting
