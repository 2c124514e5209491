"""Integration of evidence in contexts."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from spikesim.names import named_options
from spikesim.rate.tasks.choices import choice_settings, choice_targets, choices, evidence
from spikesim.rate.tasks.trials import Task, Trials, add_noise, periods_of


@named_options()
def context_integration(
    dt: float = 20.0,
    *,
    coherences: Sequence[float] = (5.0, 15.0, 50.0),
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 700.0,
    decision: float = 300.0,
) -> Task:
    """Say in which direction dots move, or of which colour they are, as the context asks [1]_.

    Inputs 0 and 1 are 1 during the stimulus in the contexts "motion" and "colour"; inputs 2 and 3
    are the evidence of motion for choice 0 and 1, (1 -+ c / 100) / 2 during the stimulus, and 4
    and 5 that of colour; all with noise, rectified. Outputs as in `perceptual_decision`, in the
    form and with the timing of [2]_.

    Parameters
    ----------
    dt : float
        Step, ms.
    coherences : sequence of float
        c, %, drawn with equal probability and independently for motion and colour, with either
        sign.
    sigma_in : float
        Input noise.
    fixation, stimulus, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        6 inputs, 2 outputs, loss "squared". Conditions: ``context`` (0 motion, 1 colour),
        ``motion`` and ``colour`` (%, positive for choice 1) and ``choice`` (0 or 1, the right
        one). Performance: share of trials in which the larger output in the last step is the right
        one, in the context in which it is lower. `spikesim.analysis.slopes` tells how much a choice
        hangs on what is irrelevant.

    References
    ----------
    .. [1] Mante V, Sussillo D, Shenoy KV, Newsome WT (2013) Context-dependent computation by
       recurrent dynamics in prefrontal cortex. Nature 503:78-84.
    .. [2] Song HF, Yang GR, Wang X-J (2016) PLoS Comput Biol 12:e1004792.
    """
    settings = choice_settings(
        "context_integration",
        dt=dt,
        coherences=coherences,
        sigma_in=sigma_in,
        fixation=fixation,
        stimulus=stimulus,
        decision=decision,
    )
    draw = partial(_context_integration, **settings)
    return Task(
        "context_integration", 6, 2, dt, "squared", draw, _worse_context, settings, decide=choices
    )


def _context_integration(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    coherences: Sequence[float],
    sigma_in: float,
    fixation: float,
    stimulus: float,
    decision: float,
) -> Trials:
    steps, periods = periods_of(dt, fixation=fixation, stimulus=stimulus, decision=decision)
    stim = periods["stimulus"]
    context = rng.integers(2, size=trials)
    motion, colour = rng.choice([-1.0, 1.0], (2, trials)) * rng.choice(coherences, (2, trials))
    choice = (np.where(context == 0, motion, colour) > 0).astype(int)
    x = np.zeros((steps, trials, 6))
    x[stim, :, :2] = np.eye(2)[context]
    x[stim, :, 2:4] = evidence(motion)
    x[stim, :, 4:6] = evidence(colour)
    add_noise(x, sigma_in, dt, rng)
    conditions = {"context": context, "motion": motion, "colour": colour, "choice": choice}
    return Trials(x, *choice_targets(steps, choice, periods), conditions, periods)


def _worse_context(outputs: np.ndarray, trials: Trials) -> float:
    right = choices(outputs, trials) == trials.conditions["choice"]
    context = trials.conditions["context"]
    return float(min(right[context == c].mean() for c in np.unique(context)))
