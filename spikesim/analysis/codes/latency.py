"""When a response begins, although neurons fire also without one."""

from __future__ import annotations

import math
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.codes.rows import rows_of
from spikesim.analysis.given import aligned_trains, until_of
from spikesim.checks import check_choice, check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.bins import bins_of, whole_bins
from spikesim.data.windows import SAME_TIME
from spikesim.random import stream


@dataclass(frozen=True, eq=False)
class Latencies:
    """Latency of each neuron in each trial, by `first_spike_latency`.

    Attributes
    ----------
    latency : ndarray, shape (n_trials, size)
        ms after the event; NaN where no response was detected.
    p : ndarray, shape (n_trials, size)
        How often spontaneous activity looks as much like a response; NaN by the rule "first".
    rule, alpha, until : str, float, float
        As they were asked for.
    """

    latency: NDArray[np.float64] = field(repr=False)
    p: NDArray[np.float64] = field(repr=False)
    rule: str
    alpha: float
    until: float

    @property
    def detected(self) -> NDArray[np.float64]:
        """Share of trials in which each neuron responded, shape (size,); NaN without trials."""
        with np.errstate(invalid="ignore"):
            return (~np.isnan(self.latency)).sum(axis=0) / np.float64(len(self.latency))

    @property
    def median(self) -> NDArray[np.float64]:
        """Median latency (ms) of each neuron where it responded, shape (size,)."""
        known = [column[~np.isnan(column)] for column in self.latency.T]
        return np.array([np.median(column) if column.size else np.nan for column in known])

    def __repr__(self) -> str:
        n_trials, size = self.latency.shape
        found = int((~np.isnan(self.latency)).sum())
        return (
            f"<Latencies by the rule {self.rule!r}: {found} of {size} neurons x {n_trials} trials, "
            f"in (0, {self.until:g}] ms>"
        )


def first_spike_latency(
    aligned: AlignedTrains,
    *,
    rule: str = "surprise",
    until: float | None = None,
    alpha: float = 0.05,
    spontaneous: AlignedTrains | None = None,
) -> Latencies:
    """When each neuron begins to respond in each trial.

    Parameters
    ----------
    aligned : AlignedTrains
        Around the event, which comes at 0.
    rule : "surprise" or "first"
        "surprise" takes the first spike of a response that is told from spontaneous activity,
        "first" the first spike after the event, whatever it is.
    until : float, optional
        Responses begin in (0, until] ms; to the end of the trials if it is not given.
    alpha : float
        Share of trials without any response in which one is found (false alarms).
    spontaneous : AlignedTrains, optional
        The same neurons in trials without an event, over their whole time; otherwise the time
        before the event is taken.

    Returns
    -------
    Latencies

    Raises
    ------
    TypeError
        If aligned or spontaneous are not AlignedTrains.
    ValueError
        By the rule "surprise", if the spontaneous activity is shorter than ``until`` or holds
        fewer windows than 1 / alpha - 1: then nothing could be found.

    Notes
    -----
    The surprise of a run of spikes is ``-ln P``, P the probability that a Poisson train of the
    neuron's spontaneous rate has as many spikes or more in the run's time [1]_. Of all runs that
    start with a spike, and those that start with the event, the most surprising one in (0, until]
    is taken; its first spike is the latency. It counts as a response if so much surprise is
    rare in spontaneous activity of the same neuron: windows of the same length before the event,
    of all trials, say how rare, ``p = (1 + number of them with as much) / (1 + their number)``, and
    p must be at most alpha. So no Poisson train is assumed: of bursting and of regular neurons
    as many false alarms are raised (4.6 to 4.9 % in 10,000 trials each), but a neuron that bursts
    spontaneously must do more to be heard. Where most windows hold no spike, alarms are fewer.

    Activity must be stationary but for the response. Responses that are less firing are not found.
    Neurons and trials are tested one by one: of 100 without response, 5 seem to have one.
    For latencies of means see `psth_latency`.

    References
    ----------
    .. [1] Legendy CR, Salcman M (1985) Bursts and recurrences of bursts in the spike trains of
       spontaneously active striate cortex neurons. J Neurophysiol 53:926-939. Hanes DP, Thompson
       KG, Schall JD (1995) Relationship of presaccadic activity in frontal eye field and
       supplementary eye field to saccade initiation in macaque: Poisson spike train analysis. Exp
       Brain Res 103:85-96. Levakova M, Tamborrino M, Ditlevsen S, Lansky P (2015) A review of the
       methods for neuronal response latency estimation. BioSystems 136:23-34.
    """
    aligned_trains("aligned", aligned)
    if spontaneous is not None:
        aligned_trains("spontaneous", spontaneous)
    check_choice("rule", rule, ("surprise", "first"))
    until = until_of(aligned, until)
    check_number("alpha", alpha, above=0, below=1)
    shape = aligned.n_trials, aligned.size
    if rule == "first":
        latency = _first(aligned, until).reshape(shape)
        return Latencies(latency, np.full(shape, np.nan), rule, alpha, until)
    calm, ends = _calm(aligned, until, alpha, spontaneous)
    rates = _spontaneous_rates(calm, until, ends)
    calm_rows = rows_of(calm)
    nulls = [_scan(calm_rows, end - until, end, rates, calm.n_trials)[0] for end in ends]
    nulls = np.sort(np.concatenate(nulls), axis=0)  # (windows, size)
    surprise, onset = _scan(rows_of(aligned), 0.0, until, rates, aligned.n_trials)
    p = np.empty(shape)
    for i in range(aligned.size):
        as_much = len(nulls) - np.searchsorted(nulls[:, i], surprise[:, i] - 1e-9)
        p[:, i] = (1 + as_much) / (1 + len(nulls))
    found = (p <= alpha + 1e-12) & (surprise > 0)
    return Latencies(np.where(found, onset, np.nan), p, rule, alpha, until)


def _first(aligned: AlignedTrains, until: float) -> NDArray[np.float64]:
    here = (aligned.times > SAME_TIME) & (aligned.times <= until + SAME_TIME)
    first = np.full(aligned.n_trials * aligned.size, np.inf)
    cell = aligned.trials[here] * aligned.size + aligned.neurons[here]
    np.minimum.at(first, cell, aligned.times[here])
    return np.where(np.isfinite(first), first, np.nan)


def _calm(
    aligned: AlignedTrains, until: float, alpha: float, spontaneous: AlignedTrains | None
) -> tuple[AlignedTrains, list[float]]:
    """Trials with spontaneous activity, and the ends of the windows in each that hold it."""
    calm, stop, what = aligned, 0.0, "the time before the event"
    if spontaneous is not None:
        calm, stop, what = spontaneous, spontaneous.t_stop, "spontaneous"
        if spontaneous.size != aligned.size:
            raise ValueError(
                f"spontaneous has {spontaneous.size} neurons; it must have the {aligned.size} "
                f"of aligned."
            )
    windows = max(int((stop - calm.t_start + 2 * SAME_TIME) / until), 0)
    if not windows:
        length = max(0.0, stop - calm.t_start)
        cure = "align with more before" if spontaneous is None else "give longer trials of it"
        if length:
            cure = f"give until of {length:g} ms at most, or {cure}"
        raise ValueError(
            f"{what} is {length:g} ms long, less than until = {until:g} ms; the rule 'surprise' "
            f"must see as much, to know how surprising spontaneous activity is: {cure}."
        )
    least = math.ceil(1 / alpha - 1 - 1e-9)
    if windows * calm.n_trials < least:
        raise ValueError(
            f"{what} has {windows * calm.n_trials} windows of until = {until:g} ms; the rule "
            f"'surprise' needs {least} at least to tell alpha = {alpha:g}: a shorter until makes "
            f"more of them."
        )
    return calm, [stop - until * k for k in range(windows)]


def _spontaneous_rates(calm: AlignedTrains, until: float, ends: list[float]) -> NDArray:
    """Spikes a ms of each neuron, half a spike more than seen: none is known to be silent."""
    low = ends[-1] - until + SAME_TIME
    here = (calm.times > low) & (calm.times <= ends[0] + SAME_TIME)
    n = np.bincount(calm.neurons[here], minlength=calm.size)
    return (n + 0.5) / (until * len(ends) * calm.n_trials)


def _scan(
    rows: tuple[NDArray, NDArray], begin: float, end: float, rates: NDArray, n_trials: int
) -> tuple[NDArray, NDArray]:
    """Surprise and onset of each neuron in each trial, (n_trials, size)."""
    from spikesim.analysis.codes.kernels_latency import most_surprising

    shape = n_trials, len(rates)
    surprise, onset = np.empty(shape), np.empty(shape)
    begin, end = begin + SAME_TIME, end + SAME_TIME
    of_rows = np.tile(rates, n_trials)
    most_surprising(*rows, begin, end, of_rows, surprise.reshape(-1), onset.reshape(-1))
    return surprise, onset


@dataclass(frozen=True, eq=False)
class PsthLatency:
    """When responses begin, over all trials, by `psth_latency`.

    Attributes
    ----------
    latency : ndarray, shape (size,)
        ms after the event: the start of the bin in which the rate rises; NaN if it does not.
    p : ndarray, shape (size,)
    bin, alpha, until : float
        As they were asked for.
    """

    latency: NDArray[np.float64]
    p: NDArray[np.float64]
    bin: float
    alpha: float
    until: float


def psth_latency(
    aligned: AlignedTrains,
    bin: float = 1.0,
    *,
    pool: bool = False,
    until: float | None = None,
    alpha: float = 0.05,
    surrogates: int = 199,
    seed: int | None = None,
) -> PsthLatency:
    """When the rate rises, from the peri-stimulus time histogram of all trials.

    Parameters
    ----------
    aligned : AlignedTrains
        Around the event, which comes at 0, with some time before it.
    bin : float
        ms; it must divide ``until``.
    pool : bool
        Whether all neurons are taken together, for the latency of the population.
    until : float, optional
        Responses begin in (0, until] ms; to the end of the trials if it is not given.
    alpha : float
        Share of neurons without any response in which one is found.
    surrogates, seed : int
        Of the test.

    Returns
    -------
    PsthLatency
        Of shape (1,) if neurons are pooled.

    Raises
    ------
    TypeError
        If aligned are not AlignedTrains.
    ValueError
        If there is no time before the event, or the bin does not divide ``until``.

    Notes
    -----
    Of all runs of bins, the one for which a change to a higher rate is most likely: n spikes where
    the rate before the event would bring m have the likelihood ratio ``n ln(n / m) - (n - m)``
    [1]_. Its start is the latency. The test turns the spikes of each trial, all neurons together,
    around in the trial's whole window by a random time, which keeps intervals, bursts, and what
    neurons share, but not when the event was: ``p = (1 + surrogates with as much) / (1 + all)``.

    References
    ----------
    .. [1] Friedman HS, Priebe CE (1998) Estimating stimulus response latency. J Neurosci Methods
       83:185-194. Baker SN, Gerstein GL (2001) Determination of response latency and its
       application to normalization of cross-correlation measures. Neural Comput 13:1351-1377.
    """
    aligned_trains("aligned", aligned)
    from spikesim.analysis.codes.kernels_latency import best_bins

    until = until_of(aligned, until)
    check_number("alpha", alpha, above=0, below=1)
    check_whole("surrogates", surrogates, 1)
    n_bins = whole_bins(bin, until)
    if aligned.t_start > -bin:
        raise ValueError(
            f"the time before the event is {max(0.0, -aligned.t_start):g} ms long; it must be "
            f"a bin of {bin:g} ms at least, for the rate without response: align with more before."
        )
    size = 1 if pool else aligned.size
    neurons = np.zeros(len(aligned), np.int64) if pool else aligned.neurons
    rng = stream(seed, "turned trials")
    ratio, onset = np.empty((1 + surrogates, size)), np.empty((1 + surrogates, size), np.int64)
    times = aligned.times
    for k in range(1 + surrogates):
        if k:
            by = rng.uniform(0, aligned.duration, aligned.n_trials)[aligned.trials]
            times = aligned.t_stop - np.mod(aligned.t_stop - aligned.times + by, aligned.duration)
        before = np.bincount(neurons[times <= SAME_TIME], minlength=size) + 0.5
        here = (times > SAME_TIME) & (times <= until + SAME_TIME)
        cells = neurons[here] * n_bins + bins_of(times[here], n_bins, until)
        counts = np.bincount(cells, minlength=size * n_bins).reshape(size, n_bins)
        cumulated = np.concatenate([np.zeros((size, 1), np.int64), counts.cumsum(axis=1)], axis=1)
        best_bins(cumulated, before * (until / n_bins / -aligned.t_start), ratio[k], onset[k])
    p = (ratio >= ratio[0] - 1e-9).mean(axis=0)
    found = (p <= alpha + 1e-12) & (ratio[0] > 0)
    latency = np.where(found, onset[0] * (until / n_bins), np.nan)
    return PsthLatency(latency, p, float(bin), alpha, until)
