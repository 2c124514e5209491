"""From ms to steps: delays, given spikes, bins of inputs."""

from typing import Any

import numpy as np

from spikesim.description.inputs import Stimulus
from spikesim.times import ratio


def in_steps(delays: Any, dt: float) -> np.ndarray:
    """Delays rounded to the nearest step, halves up, at least one."""
    return np.maximum(np.floor(np.asarray(delays, float) / dt + 0.5 + 1e-9), 1).astype(np.uint16)


def arrival_steps(times: np.ndarray, dt: float) -> np.ndarray:
    """The steps at whose end spikes given at ``times`` have arrived."""
    above, below = ratio(dt)
    steps = times * below / above
    near = np.rint(steps)  # what a time of many steps is rounded to moves it by more than 1e-6
    whole = abs(steps - near) < 1e-6 + 2 * np.spacing(steps)
    return np.maximum(np.where(whole, near, np.ceil(steps)).astype(np.int64) - 1, 0)


def steps_of_bin(stimulus: Stimulus, dt: float) -> int:
    """How many steps a bin of a time-varying input lasts."""
    steps = round(stimulus.input.every / dt)
    if steps < 1 or abs(steps * dt - stimulus.input.every) > 1e-6 * stimulus.input.every:
        raise ValueError(
            f"input {stimulus.name!r}: every is {stimulus.input.every:g} ms; it must be a multiple "
            f"of dt = {dt:g} ms."
        )
    return steps
