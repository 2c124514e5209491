"""Exclusive or of two pulses."""

from __future__ import annotations

from functools import partial

import numpy as np

from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, check_durations, periods_of


@named_options()
def xor(
    dt: float = 20.0,
    *,
    fixation: float = 100.0,
    pulse: float = 200.0,
    delay: float = 300.0,
    response: float = 300.0,
) -> Task:
    """Say whether two pulses that are apart in time had different signs [1]_.

    The input has two pulses of +1 or -1, with a delay between them and half of one after them.
    The output is to be 0 until the response period, and in it 1 if the signs differed and -1 if
    they were the same.

    Parameters
    ----------
    dt : float
        Step, ms.
    fixation, pulse, delay, response : float
        Durations, ms.

    Returns
    -------
    Task
        1 input, 1 output, loss "squared". Conditions: ``first`` and ``second`` (-1 or 1).
        Performance: share of trials in which the mean output over the response period has the
        right sign.

    References
    ----------
    .. [1] Kim R, Li Y, Sejnowski TJ (2019) Simple framework for constructing functional spiking
       recurrent neural networks. PNAS 116:22811-22820.
    """
    check_durations("xor", dt=dt, fixation=fixation, pulse=pulse, delay=delay, response=response)
    settings = {
        "dt": dt,
        "fixation": fixation,
        "pulse": pulse,
        "delay": delay,
        "response": response,
    }
    draw = partial(_xor, **settings)
    return Task("xor", 1, 1, dt, "squared", draw, _right_signs, settings, decide=_answers)


def _xor(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    fixation: float,
    pulse: float,
    delay: float,
    response: float,
) -> Trials:
    steps, periods = periods_of(
        dt,
        fixation=fixation,
        first=pulse,
        delay=delay,
        second=pulse,
        wait=delay / 2,
        response=response,
    )
    signs = rng.choice([-1.0, 1.0], (2, trials))
    conditions = dict(zip(("first", "second"), signs, strict=True))
    x, targets = np.zeros((2, steps, trials, 1))
    for name, sign in conditions.items():
        x[periods[name], :, 0] = sign
    targets[periods["response"], :, 0] = -signs[0] * signs[1]
    return Trials(x, targets, np.ones_like(targets), conditions, periods)


def _answers(outputs: np.ndarray, trials: Trials) -> np.ndarray:
    """1 if the signs are said to differ, -1 if not."""
    return np.where(outputs[trials.periods["response"], :, 0].mean(axis=0) < 0, -1, 1)


def _right_signs(outputs: np.ndarray, trials: Trials) -> float:
    differ = -trials.conditions["first"] * trials.conditions["second"]
    return float(np.mean(_answers(outputs, trials) == differ))
