"""Perceptual decision."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

import numpy as np

from spikesim.names import named_options
from spikesim.rate.tasks.choices import (
    choice_settings,
    choice_targets,
    choices,
    evidence,
    right_choices,
)
from spikesim.rate.tasks.trials import Task, Trials, add_noise, periods_of


@named_options()
def perceptual_decision(
    dt: float = 20.0,
    *,
    coherences: Sequence[float] = (1.0, 2.0, 4.0, 8.0, 16.0),
    sigma_in: float = 0.01,
    fixation: float = 100.0,
    stimulus: float = 800.0,
    decision: float = 300.0,
) -> Task:
    """Say in which of two directions random dots move [1]_.

    Two inputs are the evidence for either direction: (1 + 3.2 c / 100) / 2 for the right one and
    (1 - 3.2 c / 100) / 2 for the other during the stimulus, with noise, rectified. Two outputs are
    to be low (0.2) during fixation and in the decision period high (1) for the direction of the
    dots, low for the other; during the stimulus they do not count.

    Parameters
    ----------
    dt : float
        Step, ms.
    coherences : sequence of float
        c, %, drawn with equal probability, as is the direction.
    sigma_in : float
        Input noise.
    fixation, stimulus, decision : float
        Durations, ms, one after the other.

    Returns
    -------
    Task
        2 inputs, 2 outputs, loss "squared". Conditions: ``coherence`` (%, positive for direction
        1) and ``choice`` (0 or 1, the right one). Performance: share of trials in which the larger
        output in the last step is the right one.

    References
    ----------
    .. [1] Song HF, Yang GR, Wang X-J (2016) Training excitatory-inhibitory recurrent neural
       networks for cognitive tasks: a simple and flexible framework. PLoS Comput Biol
       12:e1004792.
    """
    settings = choice_settings(
        "perceptual_decision",
        dt=dt,
        coherences=coherences,
        sigma_in=sigma_in,
        fixation=fixation,
        stimulus=stimulus,
        decision=decision,
    )
    draw = partial(_perceptual_decision, **settings)
    return Task(
        "perceptual_decision", 2, 2, dt, "squared", draw, right_choices, settings, decide=choices
    )


def _perceptual_decision(
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
    coherence = rng.choice([-1.0, 1.0], trials) * rng.choice(coherences, trials)
    choice = (coherence > 0).astype(int)
    x = np.zeros((steps, trials, 2))
    x[stim] = evidence(3.2 * coherence)
    add_noise(x, sigma_in, dt, rng)
    conditions = {"coherence": coherence, "choice": choice}
    return Trials(x, *choice_targets(steps, choice, periods), conditions, periods)
