"""What a task is, what its trials are, and what tasks share.

A trial is a run of steps of ``dt`` ms. Input noise is given as the standard deviation
``sigma_in`` that it has after a low-pass filter of 100 ms, as in Song et al. (2016): the noise of
one step has standard deviation ``sigma_in sqrt(2 * 100 ms / dt)``, so that neither dt nor the
number of steps changes how hard a task is.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np

from spikesim.checks import check_number
from spikesim.display import number
from spikesim.names import named_options

FILTER = 100.0  # ms


@named_options()
@dataclass(frozen=True, eq=False)
class Trials:
    """Some trials of a task, as many as there are entries in each condition.

    Parameters
    ----------
    inputs : array (time, trials, inputs)
    targets : array (time, trials, outputs), or of int (time, trials)
        What the outputs should be; for the loss "cross_entropy" the number of the class.
    mask : array of the shape of targets
        1 where outputs count, 0 where they do not.
    conditions : dict of str to array (trials,)
        What sort of trial each is.
    periods : dict of str to slice
        The steps of parts of the trials, such as the stimulus.
    """

    inputs: np.ndarray
    targets: np.ndarray
    mask: np.ndarray
    conditions: Mapping[str, np.ndarray] = field(default_factory=dict)
    periods: Mapping[str, slice] = field(default_factory=dict)

    def __repr__(self) -> str:
        steps, trials, inputs = np.shape(self.inputs)
        told = f"{trials:,} of {number(steps, 'step')} and {number(inputs, 'input')}"
        return f"<Trials: {told}; conditions {', '.join(self.conditions) or 'none'}>"


@named_options()
@dataclass(frozen=True, eq=False)
class Task:
    """What a network is trained on.

    Parameters
    ----------
    name : str
    inputs, outputs : int
    dt : float
        Step, ms.
    loss : "squared" or "cross_entropy"
    generate : function
        ``generate(rng, trials, **options)`` draws that many `Trials`. Options change settings for
        these trials alone, as a curriculum does.
    performance : function
        ``performance(outputs, trials)``, from 0 to 1; outputs (time, trials, outputs).
    settings : dict
        What the task was made with; goes into files.
    validation, test : dict
        Options of ``generate`` for the trials that are measured on while training and after it,
        for tasks with a limited number of stimuli.
    decide : function, optional
        ``decide(outputs, trials)``, the decision of each trial as an array (trials,), right or
        wrong: by it two networks' decisions can be compared.
    """

    name: str
    inputs: int
    outputs: int
    dt: float
    loss: Literal["squared", "cross_entropy"]
    generate: Callable[..., Trials]
    performance: Callable[[np.ndarray, Trials], float]
    settings: Mapping[str, Any] = field(default_factory=dict)
    validation: Mapping[str, Any] = field(default_factory=dict)
    test: Mapping[str, Any] = field(default_factory=dict)
    decide: Callable[[np.ndarray, Trials], np.ndarray] | None = None

    def __repr__(self) -> str:
        ends = f"{number(self.inputs, 'input')}, {number(self.outputs, 'output')}"
        return f"<Task {self.name!r}: {ends}, dt {self.dt:g} ms, loss {self.loss}>"


def add_noise(x: np.ndarray, sigma_in: float, dt: float, rng: np.random.Generator) -> None:
    """Add noise that has the standard deviation sigma_in after a filter, and rectify."""
    x += sigma_in * math.sqrt(2 * FILTER / dt) * rng.standard_normal(x.shape)
    np.maximum(x, 0, out=x)


def steps_of(duration: float, dt: float) -> int:
    return max(1, round(duration / dt))


def check_durations(task: str, **durations: float) -> None:
    """Refuse durations of a task, its dt among them, that are no positive numbers of ms."""
    for name, value in durations.items():
        check_number(f"{task}: {name}", value, above=0, unit="ms")


def periods_of(dt: float, **durations: float) -> tuple[int, dict[str, slice]]:
    """Steps of a trial, and its parts, one after the other, of these durations (ms)."""
    ends = np.cumsum([steps_of(duration, dt) for duration in durations.values()]).tolist()
    starts = [0, *ends[:-1]]
    return ends[-1], dict(zip(durations, map(slice, starts, ends), strict=True))
