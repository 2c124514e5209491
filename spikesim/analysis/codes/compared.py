"""Which code carries more: the number of spikes, when the first comes, or at which phase."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.codes.information import (
    CORRECTIONS,
    Measured,
    binned,
    jackknife,
    p_value,
    shuffled,
)
from spikesim.analysis.given import aligned_trains, conditions_of, until_of
from spikesim.checks import check_choice, check_floats, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.windows import SAME_TIME

PERIOD = 2 * np.pi


@dataclass(frozen=True, eq=False)
class Codes:
    """Information of several codes on one footing, by `which_code`.

    Attributes
    ----------
    names : tuple of str
        Of the codes: counts, latency, phase.
    bits, se, baseline, p : ndarray, shape (n_codes, size)
        Of each neuron, as in `Information`.
    mean, mean_se, mean_baseline, mean_p : ndarray, shape (n_codes,)
        The same of the mean over neurons. Trials are left out and shuffled for all neurons
        together, so noise that neurons share is in the errors.
    without : ndarray, shape (n_codes, n_trials, size)
        Information without each trial.
    shown : ndarray of int, shape (n_trials,)
        Number of the stimulus of each trial.
    correction, classes : str, int
        As they were asked for.
    """

    names: tuple[str, ...]
    bits: NDArray[np.float64] = field(repr=False)
    se: NDArray[np.float64] = field(repr=False)
    baseline: NDArray[np.float64] = field(repr=False)
    p: NDArray[np.float64] = field(repr=False)
    mean: NDArray[np.float64]
    mean_se: NDArray[np.float64]
    mean_baseline: NDArray[np.float64]
    mean_p: NDArray[np.float64]
    without: NDArray[np.float64] = field(repr=False)
    shown: NDArray[np.int64] = field(repr=False)
    correction: str
    classes: int

    def difference(self, code: str, other: str) -> tuple[float, float]:
        """How many bits more a code carries than another, mean over neurons, and the error.

        The error is of the difference: each trial is left out for both codes.
        """
        for name in (code, other):
            check_choice("a code", name, self.names)
        a, b = self.names.index(code), self.names.index(other)
        error = jackknife((self.without[a] - self.without[b]).mean(axis=1), self.shown)
        return float(self.mean[a] - self.mean[b]), error

    def __repr__(self) -> str:
        rows = [
            f"  {name:8s} {bits:7.3f} +- {se:.3f} bits, shuffled {shuffled:7.3f}, p {p:.3g}"
            for name, bits, se, shuffled, p in zip(
                self.names, self.mean, self.mean_se, self.mean_baseline, self.mean_p, strict=True
            )
        ]
        first = (
            f"Codes of {self.bits.shape[1]} neurons in {len(self.shown)} trials, "
            f"{self.classes} classes, correction {self.correction!r}; mean over neurons:"
        )
        return "\n".join([first, *rows])


def which_code(
    aligned: AlignedTrains,
    condition: str | ArrayLike,
    *,
    until: float | None = None,
    phases: ArrayLike | None = None,
    latencies: ArrayLike | None = None,
    classes: int = 5,
    correction: str = "cubic",
    shuffles: int = 200,
    seed: int | None = None,
) -> Codes:
    """Information on the stimulus in spike counts, first-spike latencies and phases.

    All codes have the same trials, at most the same number of classes of responses, the same
    correction of the bias, and baselines from the same shuffles.

    Parameters
    ----------
    aligned : AlignedTrains
        Around the stimulus, which comes at 0.
    condition : str or array_like, shape (n_trials,)
        The stimulus of each trial, or the label that has it.
    until : float, optional
        The codes are read from (0, until] ms; to the end of the trials if it is not given.
    phases : array_like, optional
        Radians, of each spike, shape (len(aligned),), or of each trial and neuron, shape
        (n_trials, size), NaN for none. Of several spikes it is the direction of their mean vector.
    latencies : array_like, shape (n_trials, size), optional
        ms, NaN for none; instead of the time of the first spike, such as by `first_spike_latency`.
    classes : int
        Counts, latencies and phases fall into so many classes at most: counts and latencies into
        such that are equally full over all trials, phases into equal parts of the circle. No
        spike is a class of its own of latencies and phases. 8 trials a stimulus for each class
        are enough for a bias below .01 bit.
    correction, shuffles, seed
        As for `information`.

    Returns
    -------
    Codes

    Raises
    ------
    TypeError
        If aligned are not AlignedTrains.
    ValueError
        If an argument has not the shape that is asked for or is none of those allowed, or the
        stimulus of a trial is NaN or None.

    Notes
    -----
    Information of single neurons; that of several together needs a decoder (`NaiveBayes`,
    `cross_validate`). Classes throw some away, so all numbers are lower bounds of what the code
    itself has: more classes say more and need more trials.

    References
    ----------
    .. [1] Panzeri S, Petersen RS, Schultz SR, Lebedev M, Diamond ME (2001) The role of spike
       timing in the coding of stimulus location in rat somatosensory cortex. Neuron 29:769-777.
    .. [2] Montemurro MA, Rasch MJ, Murayama Y, Logothetis NK, Panzeri S (2008) Phase-of-firing
       coding of natural visual stimuli in primary visual cortex. Curr Biol 18:375-380.
    """
    aligned_trains("aligned", aligned)
    check_choice("correction", correction, CORRECTIONS)
    check_whole("classes", classes, 2)
    check_whole("shuffles", shuffles, 0)
    if correction == "shuffle" and shuffles == 0:
        shuffles = 100  # as for `information`
    until = until_of(aligned, until)
    shape = aligned.n_trials, aligned.size
    shown, n_stimuli = conditions_of(aligned, condition)
    here = (aligned.times > SAME_TIME) & (aligned.times <= until + SAME_TIME)
    cell = (aligned.trials * aligned.size + aligned.neurons)[here]
    n = np.bincount(cell, minlength=shape[0] * shape[1]).reshape(shape)
    codes = {"counts": binned(n, classes)}
    if latencies is None:
        times = np.full(shape[0] * shape[1], np.inf)
        np.minimum.at(times, cell, aligned.times[here])
        times = np.where(np.isfinite(times), times, np.nan).reshape(shape)
    else:
        times = _shaped("latencies", latencies, shape)
    codes["latency"] = _with_none(times, classes)
    if phases is not None:
        codes["phase"] = _with_none(_phases(phases, aligned, here, shape), classes, PERIOD)
    dealt = shuffled(shown, shuffles, seed)
    found = [
        [Measured.of(column, shown, n_stimuli, dealt, correction) for column in code.T]
        for code in codes.values()
    ]
    return _together(tuple(codes), found, dealt, shown, correction, classes)


def _together(
    names: tuple[str, ...],
    found: list[list[Measured]],
    dealt: NDArray[np.int64],
    shown: NDArray[np.int64],
    correction: str,
    classes: int,
) -> Codes:
    def arrays(name: str, *shape: int) -> NDArray[np.float64]:
        values = [[getattr(m, name) for m in code] for code in found]
        return np.array(values, float).reshape(len(names), len(found[0]), *shape)

    own = [arrays(name) for name in ("bits", "se", "baseline", "p")]
    without, of_shuffled = arrays("without", len(shown)), arrays("of_shuffled", len(dealt))
    with np.errstate(invalid="ignore", divide="ignore"):  # no neurons, no shuffles: no mean
        mean = own[0].sum(axis=1) / len(found[0])
        of_shuffled = of_shuffled.sum(axis=1) / len(found[0])
        baseline = of_shuffled.sum(axis=1) / len(dealt)
        se = [jackknife(code.sum(axis=0) / len(found[0]), shown) for code in without]
        plain = arrays("plain", 1 + len(dealt)).sum(axis=1) / len(found[0])
        p = [p_value(*code) for code in zip(plain, mean, strict=True)]
    means = mean, np.array(se), baseline, np.array(p)
    return Codes(names, *own, *means, without.swapaxes(1, 2), shown, correction, classes)


def _with_none(values: NDArray, classes: int, period: float | None = None) -> NDArray[np.int64]:
    """Classes of values, of which no spike is one."""
    out = np.zeros(values.shape, np.int64)
    for i, column in enumerate(values.T):
        out[:, i] = binned(column, classes - bool(np.isnan(column).any()), period=period)
    return out


def _phases(
    phases: ArrayLike, aligned: AlignedTrains, here: NDArray, shape: tuple[int, int]
) -> NDArray[np.float64]:
    phases = check_floats("phases", phases)
    if phases.shape == shape:
        return phases
    if phases.shape != (len(aligned),) or not np.isfinite(phases).all():
        raise ValueError(
            f"phases has shape {phases.shape}; it must have one number (radians) for each of "
            f"{len(aligned)} spikes, or for each of {shape[0]} trials and {shape[1]} neurons."
        )
    cell = (aligned.trials * aligned.size + aligned.neurons)[here]
    n = shape[0] * shape[1]
    x, y = (np.bincount(cell, f(phases[here]), n) for f in (np.cos, np.sin))
    mean = np.where(np.bincount(cell, minlength=n) > 0, np.arctan2(y, x), np.nan)
    return mean.reshape(shape)


def _shaped(name: str, values: ArrayLike, shape: tuple[int, ...]) -> NDArray[np.float64]:
    array = check_floats(name, values)
    if array.shape != shape:
        raise ValueError(
            f"{name} has shape {array.shape}; it must have one number for each of {shape[0]} "
            f"trials and {shape[1]} neurons, NaN for none."
        )
    return array
