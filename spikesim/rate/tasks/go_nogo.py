"""Go or no go after a delay."""

from __future__ import annotations

from functools import partial

import numpy as np

from spikesim.checks import check_number
from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, add_noise, check_durations, periods_of


@named_options()
def go_nogo(
    dt: float = 20.0,
    *,
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 500.0,
    delay: float = 500.0,
    decision: float = 500.0,
) -> Task:
    """Respond after a delay if the go stimulus was there, not if the no-go stimulus was [1]_.

    Input 0 is 1 until the decision period begins; inputs 1 and 2 are 1 during the stimulus if it
    is no-go or go; all with noise, rectified. The output is to be 0 until the decision period, and
    1 in it if the stimulus was go.

    Parameters
    ----------
    dt : float
        Step, ms.
    sigma_in : float
        Input noise.
    fixation, stimulus, delay, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        3 inputs, 1 output, loss "squared". Condition: ``go`` (0 or 1). Performance: share of trials
        that are hits or correct rejections; a response is an output whose mean over the decision
        period is above 0.5.

    References
    ----------
    .. [1] Zhang X, Yan W, Wang W, Fan H, Hou R, Chen Y, Chen Z, Ge C, Duan S, Compte A, Li CT
       (2019) Active information maintenance in working memory by a sensory cortex. eLife
       8:e43191.
    """
    check_durations(
        "go_nogo", dt=dt, fixation=fixation, stimulus=stimulus, delay=delay, decision=decision
    )
    check_number("go_nogo: sigma_in", sigma_in, least=0)
    settings = {
        "dt": dt,
        "sigma_in": sigma_in,
        "fixation": fixation,
        "stimulus": stimulus,
        "delay": delay,
        "decision": decision,
    }
    draw = partial(_go_nogo, **settings)
    return Task("go_nogo", 3, 1, dt, "squared", draw, _right_responses, settings, decide=_responses)


def _go_nogo(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    sigma_in: float,
    fixation: float,
    stimulus: float,
    delay: float,
    decision: float,
) -> Trials:
    steps, periods = periods_of(
        dt, fixation=fixation, stimulus=stimulus, delay=delay, decision=decision
    )
    go = rng.integers(2, size=trials)
    x = np.zeros((steps, trials, 3))
    x[: periods["decision"].start, :, 0] = 1
    x[periods["stimulus"], :, 1:] = np.eye(2)[go]
    add_noise(x, sigma_in, dt, rng)
    targets = np.zeros((steps, trials, 1))
    targets[periods["decision"], :, 0] = go
    return Trials(x, targets, np.ones_like(targets), {"go": go}, periods)


def _responses(outputs: np.ndarray, trials: Trials) -> np.ndarray:
    return (outputs[trials.periods["decision"], :, 0].mean(axis=0) > 0.5).astype(int)


def _right_responses(outputs: np.ndarray, trials: Trials) -> float:
    return float(np.mean(_responses(outputs, trials) == trials.conditions["go"]))
