"""A sine of a frequency that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import numpy as np

from spikesim.checks import is_number
from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, check_durations, steps_of


@named_options()
def sine(
    dt: float = 20.0, *, frequencies: tuple[float, float] = (1.0, 5.0), duration: float = 2000.0
) -> Task:
    """Make a sine whose frequency the input sets [1]_.

    The input is constant, from 0.25 at the lowest frequency to 1.25 at the highest; the output is
    to be sin(2 pi f t), t from the start of the trial.

    Parameters
    ----------
    dt : float
        Step, ms.
    frequencies : two float
        Lowest and highest f, Hz, below 500 / dt; f is uniform between them.
    duration : float
        Of a trial, ms.

    Returns
    -------
    Task
        1 input, 1 output, loss "squared". Condition: ``frequency`` (Hz). Performance: share of the
        target's variance that the output explains, 0 if none.

    References
    ----------
    .. [1] Sussillo D, Barak O (2013) Neural Comput 25:626-649.
    """
    check_durations("sine", dt=dt, duration=duration)
    settings = {"dt": dt, "frequencies": frequencies, "duration": duration}
    if not _two_numbers(frequencies):
        raise ValueError(f"sine: frequencies is {frequencies!r}; it must be two numbers of Hz.")
    lowest, highest = frequencies
    if not 0 < lowest <= highest < 500 / dt:
        raise ValueError(
            f"sine: frequencies is {frequencies}; it must be two rising numbers between 0 and "
            f"500 / dt, {500 / dt:g} Hz."
        )
    return Task("sine", 1, 1, dt, "squared", partial(_sine, **settings), _explained, settings)


def _sine(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    frequencies: tuple[float, float],
    duration: float,
) -> Trials:
    steps, (lowest, highest) = steps_of(duration, dt), frequencies
    level = rng.random(trials)
    frequency = lowest + level * (highest - lowest)
    seconds = dt / 1000 * np.arange(1, steps + 1)
    targets = np.sin(2 * np.pi * seconds[:, None] * frequency)[:, :, None]
    x = np.tile((0.25 + level)[:, None], (steps, 1, 1))
    return Trials(x, targets, np.ones_like(targets), {"frequency": frequency})


def _explained(outputs: np.ndarray, trials: Trials) -> float:
    error = np.mean((outputs - trials.targets) ** 2)
    return max(0.0, float(1 - error / np.var(trials.targets)))


def _two_numbers(value: Any) -> bool:
    listed = isinstance(value, Sequence | np.ndarray)
    return listed and len(value) == 2 and all(map(is_number, value))
