"""Flip-flop of several bits."""

from __future__ import annotations

import math
from functools import partial

import numpy as np

from spikesim.checks import check_whole
from spikesim.names import named_options
from spikesim.rate.tasks.trials import Task, Trials, check_durations, steps_of

_NEAR = 0.5  # an output is right if it is nearer than this to its target


@named_options()
def flipflop(
    dt: float = 20.0,
    *,
    bits: int = 3,
    duration: float = 2000.0,
    pulse: float = 40.0,
    interval: float = 400.0,
    settle: float = 100.0,
) -> Task:
    """Remember the sign of the last pulse of each of several inputs [1]_.

    Every input begins with a pulse, of +1 or -1 with equal probability; later ones follow at
    random. Each output is to be at the sign of the last pulse of its input; it does not count
    while it has time to settle.

    Parameters
    ----------
    dt : float
        Step, ms.
    bits : int
        Inputs and outputs.
    duration, pulse : float
        Of a trial and of a pulse, ms.
    interval : float
        Mean time from the start of one pulse of an input to the next, ms; at least ``pulse``.
    settle : float
        Time from the start of a pulse in which its output does not count, ms.

    Returns
    -------
    Task
        As many inputs and outputs as bits, loss "squared". Performance: share of steps in which
        every output that counts is nearer than 0.5 to its target.

    References
    ----------
    .. [1] Sussillo D, Barak O (2013) Opening the black box: low-dimensional dynamics in
       high-dimensional recurrent neural networks. Neural Comput 25:626-649.
    """
    check_durations(
        "flipflop", dt=dt, duration=duration, pulse=pulse, interval=interval, settle=settle
    )
    check_whole("flipflop: bits", bits)
    settings = {
        "dt": dt,
        "bits": bits,
        "duration": duration,
        "pulse": pulse,
        "interval": interval,
        "settle": settle,
    }
    if interval < pulse:
        raise ValueError(f"flipflop: interval is {interval:g} ms; it must be at least pulse.")
    draw = partial(_flipflop, **settings)
    return Task("flipflop", bits, bits, dt, "squared", draw, _right_steps, settings)


def _flipflop(
    rng: np.random.Generator,
    trials: int,
    *,
    dt: float,
    bits: int,
    duration: float,
    pulse: float,
    interval: float,
    settle: float,
) -> Trials:
    steps, width = steps_of(duration, dt), steps_of(pulse, dt)
    shape = math.ceil(steps / width), trials, bits  # pulses begin at multiples of their width
    signs = rng.choice([-1.0, 1.0], shape) * (rng.random(shape) < pulse / interval)
    signs[0] = rng.choice([-1.0, 1.0], shape[1:])
    slot = np.arange(shape[0])[:, None, None]
    last = np.maximum.accumulate(np.where(signs != 0, slot, 0), axis=0)
    held = np.take_along_axis(signs, last, axis=0)
    x, targets, since = (np.repeat(a, width, axis=0)[:steps] for a in (signs, held, last))
    mask = np.arange(steps)[:, None, None] - since * width >= steps_of(settle, dt)
    return Trials(x, targets, mask.astype(float))


def _right_steps(outputs: np.ndarray, trials: Trials) -> float:
    counts = trials.mask > 0
    right = (np.abs(outputs - trials.targets) < _NEAR) | ~counts
    return float(np.mean(right.all(axis=2)[counts.any(axis=2)]))
