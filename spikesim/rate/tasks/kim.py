"""The tasks of Kim, Li and Sejnowski (2019), by which conversions are compared."""

from __future__ import annotations

from functools import partial
from typing import Literal

import numpy as np

from spikesim.checks import check_choice, check_number
from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, check_durations, periods_of

HIGH, LOW = 0.7, 0.3  # an output beyond the first is a response, one within the second is none
STEP = 5.0  # ms: that of the paper, which its noise is of
Criterion = Literal["one-sided", "two-sided"]


@named_options()
def kim_go_nogo(
    dt: float = STEP,
    *,
    fixation: float = 250.0,
    stimulus: float = 125.0,
    response: float = 625.0,
    criterion: Criterion = "two-sided",
) -> Task:
    """Respond to a pulse, and stay silent if there is none [1]_.

    The input is 1 during the stimulus of a go trial and 0 otherwise; the output is to be 1 in the
    response period of a go trial and 0 otherwise.

    Parameters
    ----------
    dt : float
        Step, ms.
    fixation, stimulus, response : float
        Durations, ms, one after the other.
    criterion : "one-sided" or "two-sided"
        When the response period of a no-go trial is right: if the output stays below 0.3, as the
        paper's spiking networks were judged, or between -0.3 and 0.3, as its rate networks were. A
        go trial is right if the output exceeds 0.7 there.

    Returns
    -------
    Task
        1 input, 1 output, loss "squared". Condition: ``go`` (0 or 1). Performance: share of right
        trials. Decisions: 1 a response, 0 none, -1 neither by the criterion.

    References
    ----------
    .. [1] Kim R, Li Y, Sejnowski TJ (2019) Simple framework for constructing functional spiking
       recurrent neural networks. PNAS 116:22811-22820.
    """
    check_durations("kim_go_nogo", dt=dt, fixation=fixation, stimulus=stimulus, response=response)
    check_choice("kim_go_nogo: criterion", criterion, ("one-sided", "two-sided"))
    durations = {"dt": dt, "fixation": fixation, "stimulus": stimulus, "response": response}
    decide = partial(_go, both=criterion == "two-sided")
    return Task(
        "kim_go_nogo",
        1,
        1,
        dt,
        "squared",
        partial(_pulses, **durations),
        partial(_right_gos, decide=decide),
        {**durations, "criterion": criterion},
        decide=decide,
    )


def _pulses(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    fixation: float,
    stimulus: float,
    response: float,
) -> Trials:
    steps, periods = periods_of(dt, fixation=fixation, stimulus=stimulus, response=response)
    go = rng.integers(2, size=trials)
    x, targets = np.zeros((2, steps, trials, 1))
    x[periods["stimulus"], :, 0] = go
    targets[periods["response"], :, 0] = go
    return Trials(x, targets, np.ones_like(targets), {"go": go}, periods)


def _go(outputs: np.ndarray, trials: Trials, *, both: bool) -> np.ndarray:
    o = outputs[trials.periods["response"], :, 0]
    none = (np.abs(o) if both else o).max(axis=0) < LOW
    return np.where(o.max(axis=0) > HIGH, 1, np.where(none, 0, -1))


def _right_gos(outputs: np.ndarray, trials: Trials, *, decide: partial) -> float:
    return float(np.mean(decide(outputs, trials) == trials.conditions["go"]))


@named_options()
def kim_mante(
    dt: float = STEP,
    *,
    offset: float = 0.5,
    sigma_in: float = 1.0,
    fixation: float = 250.0,
    stimulus: float = 1000.0,
    response: float = 1250.0,
    criterion: Criterion = "two-sided",
) -> Task:
    """Tell the sign of the one of two noisy signals that the context asks for [1]_ [2]_.

    Inputs 0 and 1 are, during the stimulus, ``offset`` with either sign and noise; input 2 is 1
    throughout if the first of them is asked for, input 3 if the second is. The output is to be the
    sign, 1 or -1, in the response period and 0 before.

    Parameters
    ----------
    dt : float
        Step, ms.
    offset, sigma_in : float
        Mean of a signal, and the standard deviation of its noise in steps of 5 ms; of other steps
        it is scaled by sqrt(5 ms / dt), so that what an integrator makes of it is the same.
    fixation, stimulus, response : float
        Durations, ms, one after the other.
    criterion : "one-sided" or "two-sided"
        A trial is right if the output goes beyond 0.7 on the right side in the response period,
        from 50 ms on; two-sided, if moreover it does not go beyond it on the other.

    Returns
    -------
    Task
        4 inputs, 1 output, loss "squared". Conditions: ``context`` (0 or 1), ``first`` and
        ``second`` (-1 or 1) and ``answer``. Performance: share of right trials. Decisions: -1 or
        1, 0 if the output goes beyond on neither side; two-sided 2 if it does on both, one-sided
        the side on which it goes further.

    References
    ----------
    .. [1] Kim R, Li Y, Sejnowski TJ (2019) Simple framework for constructing functional spiking
       recurrent neural networks. PNAS 116:22811-22820.
    .. [2] Mante V, Sussillo D, Shenoy KV, Newsome WT (2013) Context-dependent computation by
       recurrent dynamics in prefrontal cortex. Nature 503:78-84.
    """
    check_durations("kim_mante", dt=dt, fixation=fixation, stimulus=stimulus, response=response)
    check_number("kim_mante: offset", offset, above=0)
    check_number("kim_mante: sigma_in", sigma_in, least=0)
    check_choice("kim_mante: criterion", criterion, ("one-sided", "two-sided"))
    settings = {
        "dt": dt,
        "offset": offset,
        "sigma_in": sigma_in,
        "fixation": fixation,
        "stimulus": stimulus,
        "response": response,
    }
    both = criterion == "two-sided"
    return Task(
        "kim_mante",
        4,
        1,
        dt,
        "squared",
        partial(_signals, **settings),
        partial(_right_sides, both=both, dt=dt),
        {**settings, "criterion": criterion},
        decide=partial(_sides, both=both, dt=dt),
    )


def _signals(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    offset: float,
    sigma_in: float,
    fixation: float,
    stimulus: float,
    response: float,
) -> Trials:
    steps, periods = periods_of(dt, fixation=fixation, stimulus=stimulus, response=response)
    shown = periods["stimulus"]
    context, signs = rng.integers(2, size=trials), rng.choice([-1, 1], (trials, 2))
    x = np.zeros((steps, trials, 4))
    noise = rng.standard_normal((shown.stop - shown.start, trials, 2))
    x[shown, :, :2] = offset * signs + sigma_in * np.sqrt(STEP / dt) * noise
    x[:, :, 2:] = np.eye(2)[context]
    answer = signs[np.arange(trials), context]
    targets = np.zeros((steps, trials, 1))
    targets[periods["response"], :, 0] = answer
    conditions = {"context": context, "first": signs[:, 0], "second": signs[:, 1]}
    return Trials(x, targets, np.ones_like(targets), {**conditions, "answer": answer}, periods)


def _sides(outputs: np.ndarray, trials: Trials, *, both: bool, dt: float) -> np.ndarray:
    late = trials.periods["response"].start + round(50 / dt)
    o = outputs[late : trials.periods["response"].stop, :, 0]
    up, down = o.max(axis=0), -o.min(axis=0)
    side = np.where(up > down, 1, -1)
    if both:
        side = np.where((up > HIGH) & (down > HIGH), 2, side)
    return np.where(np.maximum(up, down) > HIGH, side, 0)


def _right_sides(outputs: np.ndarray, trials: Trials, *, both: bool, dt: float) -> float:
    return float(np.mean(_sides(outputs, trials, both=both, dt=dt) == trials.conditions["answer"]))
