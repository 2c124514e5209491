"""How choices depend on what was shown."""

from collections.abc import Mapping
from typing import Protocol

import numpy as np

_RIDGE = 0.1  # keeps the slopes of a network that makes no errors finite


class Trials(Protocol):
    """Whatever says of each trial of what sort it is."""

    @property
    def conditions(self) -> Mapping[str, np.ndarray]: ...


def psychometric(outputs: np.ndarray, trials: Trials) -> tuple[np.ndarray, np.ndarray]:
    """How often choice 1 was made in `perceptual_decision`, by coherence.

    Parameters
    ----------
    outputs : array (time, trials, 2)
        Of which the larger one in the last step is the choice.
    trials : Trials
        With the condition ``coherence``, %.

    Returns
    -------
    coherences, share : array
        %, rising, positive for choice 1; and from 0 to 1.
    """
    coherence = trials.conditions["coherence"]
    chosen = outputs[-1].argmax(axis=-1)
    coherences = np.unique(coherence)
    return coherences, np.array([chosen[coherence == c].mean() for c in coherences])


def slopes(outputs: np.ndarray, trials: Trials) -> dict[str, tuple[float, float]]:
    """How a choice depends on relevant and irrelevant evidence in `context_integration`.

    Parameters
    ----------
    outputs : array (time, trials, 2)
        Of which the larger one in the last step is the choice.
    trials : Trials
        With the conditions ``context`` (0 or 1), ``motion`` and ``colour`` (%).

    Returns
    -------
    dict
        For the contexts "motion" and "colour" the slopes of the logarithm of the odds of choice 1
        along the relevant and the irrelevant coherence, in units of the largest coherence.

    Notes
    -----
    A logistic regression of the choices on both coherences and a constant, with a ridge that
    matters only where a network makes no errors and the slope would be infinite.
    """
    chosen = outputs[-1].argmax(axis=-1)
    both = np.stack([trials.conditions["motion"], trials.conditions["colour"]], axis=1)
    both /= np.abs(both).max()
    found = {}
    for context, name in enumerate(("motion", "colour")):
        here = trials.conditions["context"] == context
        x = np.column_stack([both[here], np.ones(here.sum())])
        w = _logistic(x, chosen[here])
        found[name] = float(w[context]), float(w[1 - context])
    return found


def _logistic(x: np.ndarray, chosen: np.ndarray) -> np.ndarray:
    """Weights of a ridge logistic regression, by Newton's method."""
    w = np.zeros(x.shape[1])
    for _ in range(50):
        p = 0.5 + 0.5 * np.tanh(x @ w / 2)
        curvature = (x.T * (p * (1 - p))) @ x + _RIDGE * np.eye(len(w))
        step = np.linalg.solve(curvature, x.T @ (chosen - p) - _RIDGE * w)
        w += step / max(1.0, float(np.abs(step).max()))
    return w
