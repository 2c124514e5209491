"""Inputs as spikes: a number from 0 to 1 by how many there are in a window of steps, or when."""

from typing import Literal

import numpy as np

from spikesim.random import stream

Code = Literal["current", "regular", "poisson", "latency"]


def spikes_of(x: np.ndarray, steps: int, code: Code, seed: int) -> np.ndarray:
    """Whether an input spikes: (windows, trials, inputs) of 0 to 1 into (windows, steps, ...).

    "regular"
        round(x steps) spikes, spread evenly.
    "poisson"
        One in each step with probability x, independently of all others.
    "latency"
        One, with round(x steps) steps left, itself included; none where that is 0.
    """
    step = np.arange(steps)[:, None, None]
    x = x[:, None]
    if code == "poisson":
        shape = (len(x), steps, *x.shape[2:])
        return stream(seed, "spikes of inputs").random(shape) < x
    count = np.floor(x * steps + 0.5)
    if code == "latency":
        return step == steps - count
    # Spikes so far are round(count (step + 1) / steps), in whole numbers.
    before, after = ((2 * count * n + steps) // (2 * steps) for n in (step, step + 1))
    return after > before
