"""Mutual information of stimulus and response, and how much of it is there by chance."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.codes.ties import grouped
from spikesim.analysis.given import known_of_all, responses_of_trials
from spikesim.checks import as_floats, check_choice, check_number, check_whole
from spikesim.random import stream

CORRECTIONS = "cubic", "quadratic", "panzeri-treves", "shuffle", "none"
_SAME = 1e-6  # values that differ by less, in ms, are one
_AT_ONCE = 2**22  # numbers in the tables of shuffled trials that are held at a time


@dataclass(frozen=True, eq=False)
class Information:
    """Mutual information of stimulus and response, by `information`.

    Attributes
    ----------
    bits : ndarray, shape () or (size,)
        Information of each neuron, corrected.
    se : ndarray
        Its standard error, by leaving out each trial.
    baseline, baseline_sd : ndarray
        Mean and standard deviation of the same measure of shuffled trials; NaN without shuffles.
    p : ndarray
        Share of shuffles with as much information, (1 + those) / (1 + all), before correction:
        what is taken off would only add noise to the test. NaN where the information is.
    n_responses : ndarray of int
        Different responses of each neuron.
    n_trials, n_stimuli : int
    correction : str
    """

    bits: NDArray[np.float64]
    se: NDArray[np.float64]
    baseline: NDArray[np.float64]
    baseline_sd: NDArray[np.float64]
    p: NDArray[np.float64]
    n_responses: NDArray[np.int64] = field(repr=False)
    n_trials: int
    n_stimuli: int
    correction: str

    def __repr__(self) -> str:
        what = f"{self.n_trials} trials, {self.n_stimuli} stimuli, correction {self.correction!r}"
        if self.bits.ndim == 0:
            return f"<Information: {self.bits:.3f} +- {self.se:.3f} bits; {what}>"
        return f"<Information of {self.bits.size} neurons, {_mean(self.bits):.3f} bits; {what}>"


def information(
    responses: ArrayLike,
    stimuli: ArrayLike,
    *,
    correction: str = "cubic",
    shuffles: int = 0,
    seed: int | None = None,
) -> Information:
    """Mutual information (bits) of discrete responses and stimuli, corrected for few trials.

    Parameters
    ----------
    responses : array_like, shape (n_trials,) or (n_trials, size)
        Whole numbers, names or booleans: the response of each neuron, such as a spike count.
        `binned` makes them of latencies and phases.
    stimuli : array_like, shape (n_trials,)
        Which stimulus was shown.
    correction : "cubic", "quadratic", "panzeri-treves", "shuffle" or "none"
        How the bias of few trials is taken off; see Notes.
    shuffles : int
        How often the stimuli are dealt to the trials anew, for the baseline and p. "shuffle" takes
        100 if there are none.
    seed : int, optional
        Of the shuffles.

    Returns
    -------
    Information
        NaN with fewer than 2 stimuli, or fewer trials of a stimulus than 4 (2 for corrections
        other than "cubic" and "quadratic"); its standard error needs one more.

    Raises
    ------
    ValueError
        If responses are not discrete, a stimulus is NaN or None, or the shapes do not fit.

    Notes
    -----
    ``I = H(R) - sum over s of P(s) H(R | s)``, H the entropy in bits and P(s) the share of trials
    of stimulus s. With few trials a stimulus, rare responses are missing and H is too low, most
    for H(R | s), so that I is too high [1]_.

    "cubic" (the default) extrapolates each entropy to endlessly many trials: a cubic in 1 / trials
    through the mean entropies of all subsets of n, 7n/8, 6n/8 and 5n/8 trials. The mean over all
    subsets is exact (their counts are hypergeometric), nothing is drawn. H(R) is made of a fixed
    number of trials of each stimulus, so its first order is taken from leaving trials out stimulus
    by stimulus. "quadratic" is the same with a quadratic through n, n/2 and n/4 trials, the
    fractions of [2]_. "panzeri-treves" subtracts ``(sum over s of (R_s - 1) - (R - 1)) /
    (2 N ln 2)`` with the number R_s of responses that can occur to s by their Bayes procedure
    [3]_. "shuffle" subtracts the mean of shuffled trials, which is too much where there is
    information, since shuffled stimuli evoke every response. "none" corrects nothing.

    With 8 trials a stimulus, "cubic" is off by at most .016 bit for binary channels and .03 for
    Poisson counts of 2 to 8 stimuli, but .04 for rates so far apart that responses hardly overlap;
    "quadratic" by .03 and .31, "panzeri-treves" by .1 and .33, "none" by .09 and .85. With 8
    trials for each response of a stimulus, "cubic" is off by less than .01. The price is noise:
    with 8 trials a stimulus its standard deviation is up to twice that of the others, with many
    it is the same. The standard error is rather too large than too small, up to twice with 8
    trials a stimulus.

    References
    ----------
    .. [1] Panzeri S, Senatore R, Montemurro MA, Petersen RS (2007) Correcting for the sampling
       bias problem in spike train information measures. J Neurophysiol 98:1064-1072.
    .. [2] Strong SP, Koberle R, de Ruyter van Steveninck RR, Bialek W (1998) Entropy and
       information in neural spike trains. Phys Rev Lett 80:197-200.
    .. [3] Panzeri S, Treves A (1996) Analytical estimates of limited sampling biases in different
       information measures. Network 7:87-107.
    """
    check_choice("correction", correction, CORRECTIONS)
    check_whole("shuffles", shuffles, 0)
    if correction == "shuffle" and shuffles == 0:
        shuffles = 100
    columns = _discrete("responses", responses)
    shape = columns.shape[1:]
    columns = columns.reshape(len(columns), math.prod(shape))
    responses_of_trials("stimuli", stimuli)
    if np.ndim(stimuli) == 1:
        way = "take responses[known] and stimuli[known], such as with known = ~np.isnan(stimuli)"
        known_of_all("stimuli", np.asarray(stimuli), way)
    shown = _discrete("stimuli", stimuli)
    if shown.ndim != 1 or len(shown) != len(columns):
        raise ValueError(
            f"stimuli has shape {shown.shape}; it must have one for each of {len(columns)} trials."
        )
    shown, n_stimuli = _numbered(shown)
    dealt = shuffled(shown, shuffles, seed)
    found = [
        Measured.of(column, shown, n_stimuli, dealt, correction) for column in columns.T
    ]  # of each neuron
    arrays = [
        np.array([getattr(m, name) for m in found], float).reshape(shape)
        for name in ("bits", "se", "baseline", "baseline_sd", "p")
    ]
    n_responses = np.array([m.n_responses for m in found], np.int64).reshape(shape)
    return Information(*arrays, n_responses, len(shown), n_stimuli, correction)


def binned(values: ArrayLike, bins: int, *, period: float | None = None) -> NDArray[np.int64]:
    """Continuous responses as discrete ones: bins that hold about equally many trials.

    Parameters
    ----------
    values : array_like of float, shape (n_trials,) or (n_trials, size)
        Each column is binned by itself. NaN (no spike, so no latency) is a response of its own.
        Values that differ by no more than 1e-6 (ms), or by 1e-6 of the largest one of the column
        if that is below 1, are equal: in the last digits of a latency is when it was taken.
    bins : int
        At most so many besides NaN. Equal values share a bin, and if there are no more different
        ones than bins, each has its own.
    period : float, optional
        Of circular values: then bins are equal parts of the circle from 0 on, the millionth of a
        bin below an edge counted as at the edge.

    Returns
    -------
    ndarray of int64
        The shape of values: 0 for NaN, 1, 2, ... in rising order.

    Raises
    ------
    TypeError
        If values are trains, not counts of them.
    """
    check_whole("bins", bins, 1)
    responses_of_trials("values", values)
    given, values = values, as_floats(values)
    if values is None or values.ndim == 0:
        raise ValueError(
            f"values is {given!r}; it must hold a number, or NaN, for each trial (and neuron)."
        )
    if period is not None:
        check_number("period", period, above=0)
        parts = np.mod(np.floor(bins * (np.mod(values, period) / period) + _SAME), bins)
        return np.where(np.isnan(values), 0, parts + 1).astype(np.int64)
    columns = values.reshape(len(values), math.prod(values.shape[1:]))
    out = np.zeros(columns.shape, np.int64)
    for i, column in enumerate(columns.T):
        known = ~np.isnan(column)
        finite = np.abs(column[np.isfinite(column)])
        which = grouped(column[known], _SAME * min(finite.max(initial=0.0), 1.0))
        n = np.bincount(which)
        if len(n) > bins:  # the middle rank of equal values says where they belong
            middle = (np.cumsum(n) - n / 2) / max(n.sum(), 1)
            which = np.minimum(bins * middle, bins - 1).astype(np.int64)[which]
        out[known, i] = which + 1
    return out.reshape(values.shape)


@dataclass(frozen=True, eq=False)
class Measured:
    """Information of one neuron: what it is, without each trial, and of shuffled trials."""

    bits: float
    without: NDArray[np.float64]  # (n_trials,)
    of_shuffled: NDArray[np.float64]  # (shuffles,)
    plain: NDArray[np.float64]  # (1 + shuffles,), uncorrected
    shown: NDArray[np.int64]
    n_responses: int

    @classmethod
    def of(
        cls,
        column: NDArray,
        shown: NDArray[np.int64],
        n_stimuli: int,
        dealt: NDArray[np.int64],
        correction: str,
    ) -> Measured:
        """Of one response a trial, stimuli by their numbers, and those of shuffled trials."""
        answer, n = _numbered(column)
        if n_stimuli < 2:
            nothing = [np.full(k, np.nan) for k in (len(shown), len(dealt), 1 + len(dealt))]
            return cls(np.nan, *nothing, shown, n)
        tables = _tables(answer, np.r_[shown[None], dealt], n_stimuli, n)
        by = "none" if correction == "shuffle" else correction
        share = max(_AT_ONCE // tables[0].size, 1)
        bits = np.concatenate([corrected(part, by) for part in _parts(tables, share)])
        without = _without_one(tables[0], by, share)[shown, answer]
        excess = bits[1:].mean() if correction == "shuffle" else 0.0
        plain = np.concatenate([corrected(part, "none") for part in _parts(tables, share)])
        return cls(bits[0] - excess, without - excess, bits[1:] - excess, plain, shown, n)

    @property
    def se(self) -> float:
        return jackknife(self.without, self.shown)

    @property
    def baseline(self) -> float:
        return float(self.of_shuffled.mean()) if self.of_shuffled.size else np.nan

    @property
    def baseline_sd(self) -> float:
        return float(self.of_shuffled.std(ddof=1)) if self.of_shuffled.size > 1 else np.nan

    @property
    def p(self) -> float:
        return p_value(self.plain, self.bits)


def p_value(plain: NDArray[np.float64], bits: float) -> float:
    """Share of all, data and shuffles, with as much as the first; rounding makes no difference.

    NaN without shuffles, and where the information that is told, ``bits``, is NaN.
    """
    if len(plain) < 2 or np.isnan(plain[0]) or np.isnan(bits):
        return np.nan
    return float(np.mean(plain >= plain[0] - 1e-9))


def jackknife(without: NDArray[np.float64], shown: NDArray[np.int64]) -> float:
    """Standard error from the values without each trial, whose stimuli are given, not drawn."""
    n = np.bincount(shown)
    if not len(shown) or n.min() < 2 or np.isnan(without).any():
        return np.nan
    mean = np.bincount(shown, without) / n
    squares = np.bincount(shown, (without - mean[shown]) ** 2)
    return float(np.sqrt((squares * (n - 1) / n).sum()))


def shuffled(shown: NDArray[np.int64], shuffles: int, seed: int | None) -> NDArray[np.int64]:
    """The stimuli dealt to the trials anew, (shuffles, n_trials)."""
    rng = stream(seed, "shuffled stimuli")
    return rng.permuted(np.broadcast_to(shown, (shuffles, len(shown))), axis=1)


def corrected(tables: NDArray[np.int64], correction: str) -> NDArray[np.float64]:
    """Information (bits) of tables of trials (n, stimuli, responses), in which none is shuffled."""
    n_s = tables.sum(axis=2)  # (n, stimuli)
    n = n_s.sum(axis=1)
    n_r = tables.sum(axis=1)  # (n, responses)
    weights = n_s / n[:, None]
    few = n_s.min(axis=1) < 2
    if correction in ("cubic", "quadratic"):
        few = n_s.min(axis=1) < 4
        within = _extrapolated(tables, n_s, correction)
        bits = (
            _extrapolated(n_r, n, correction)
            - _of_strata(tables, n_s)
            - (weights * within).sum(axis=1)
        )
    else:
        within = entropy_terms(tables / np.maximum(n_s, 1)[:, :, None]).sum(axis=2)
        bits = entropy_terms(n_r / n[:, None]).sum(axis=1) - (weights * within).sum(axis=1)
    if correction == "panzeri-treves":
        from spikesim.analysis.codes.kernels_information import relevant

        occurring = (n_r > 0).sum(axis=1)
        surplus = (relevant(tables, occurring) - 1).sum(axis=1) - (occurring - 1)
        bits -= surplus / (2 * n * np.log(2))
    return np.where(few, np.nan, bits)


def entropy_terms(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """-p log2 p."""
    return -p * np.log2(np.where(p > 0, p, 1.0))


def _extrapolated(counts: NDArray, totals: NDArray, correction: str) -> NDArray[np.float64]:
    """Entropy (bits) of counts (..., responses) of so many trials each."""
    from spikesim.analysis.codes.kernels_information import extrapolated

    totals = np.broadcast_to(totals[..., None], counts.shape)
    largest = int(totals.max()) + 1
    pairs, which = np.unique(totals * largest + counts, return_inverse=True)
    n, k = np.divmod(pairs, largest)
    terms = extrapolated(k, n, _sizes(n, correction))
    return terms[which.reshape(counts.shape)].sum(axis=-1)


def _sizes(n: NDArray[np.int64], correction: str) -> NDArray[np.int64]:
    """How many of n trials the subsets have, (len(n), 3 or 4)."""
    if correction == "quadratic":
        sizes = np.stack([n, n // 2, n // 4], axis=1)
    else:
        sizes = n[:, None] - np.arange(4) * np.maximum(n // 8, 1)[:, None]
    return np.maximum(sizes, 0)


def _of_strata(tables: NDArray[np.int64], n_s: NDArray[np.int64]) -> NDArray[np.float64]:
    """How much first order overrates the bias of H(R) if trials of all stimuli count as alike.

    The jackknife over all trials less that over trials of each stimulus, which are fixed in number.
    """
    n, p_r = n_s.sum(axis=1), tables.sum(axis=1) / n_s.sum(axis=1)[:, None]
    h = entropy_terms(p_r).sum(axis=1)
    k = n[:, None] * p_r
    m = np.maximum(n - 1, 1)[:, None]
    taken, kept = entropy_terms(np.maximum(k - 1, 0) / m), entropy_terms(k / m)
    excess = (n - 1) * (h - (p_r * taken + (1 - p_r) * kept).sum(axis=1))
    for s in range(tables.shape[1]):
        n_here = n_s[:, s, None]
        k, weight, m = tables[:, s], n_here / n[:, None], np.maximum(n_here - 1, 1)
        p = k / np.maximum(n_here, 1)
        taken = entropy_terms(np.maximum(p_r + weight * ((k - 1) / m - p), 0))
        kept = entropy_terms(p_r + weight * (k / m - p))
        excess -= m[:, 0] * (h - (p * taken + (1 - p) * kept).sum(axis=1))
    return excess


def _without_one(table: NDArray[np.int64], correction: str, share: int) -> NDArray[np.float64]:
    """Information without one trial of each cell of a table; NaN where there is none."""
    without = np.full(table.shape, np.nan)
    cells = np.argwhere(table > 0)
    less = np.repeat(table[None], len(cells), axis=0)
    less[np.arange(len(cells)), cells[:, 0], cells[:, 1]] -= 1
    values = [corrected(part, correction) for part in _parts(less, share)]
    without[cells[:, 0], cells[:, 1]] = np.concatenate(values) if values else []
    return without


def _parts(tables: NDArray, share: int) -> list[NDArray]:
    return [tables[i : i + share] for i in range(0, len(tables), share)]


def _tables(
    answer: NDArray[np.int64], shown: NDArray[np.int64], n_stimuli: int, n_responses: int
) -> NDArray[np.int64]:
    """Trials by stimulus and response, (len(shown), stimuli, responses)."""
    shape = len(shown), n_stimuli, n_responses
    cells = (np.arange(len(shown))[:, None] * n_stimuli + shown) * n_responses + answer
    return np.bincount(cells.ravel(), minlength=int(np.prod(shape))).reshape(shape)


def _numbered(values: NDArray) -> tuple[NDArray[np.int64], int]:
    different, which = np.unique(values, return_inverse=True)
    return which.reshape(-1).astype(np.int64), len(different)


def _discrete(name: str, values: ArrayLike) -> NDArray:
    responses_of_trials(name, values)
    if np.ma.is_masked(values):
        raise ValueError(f"{name} is masked in places; leave these trials out.")
    try:
        array = np.asarray(values)
    except ValueError as error:  # rows of different lengths
        raise ValueError(
            f"{name} has rows of different lengths; each trial must have as many responses."
        ) from error
    fits = array.dtype.kind in "biuUS" and array.ndim in (1, 2)
    if array.dtype.kind == "f" and array.ndim in (1, 2):
        fits = bool(np.all(array == np.floor(array)))  # also False for NaN
    if not fits:
        raise ValueError(
            f"{name} has shape {array.shape} and dtype {array.dtype}; it must hold whole numbers "
            f"or names, one for each trial (and neuron). binned(values, bins) makes such of others."
        )
    return array


def _mean(values: NDArray) -> float:
    known = values[~np.isnan(values)]
    return float(known.mean()) if known.size else np.nan
