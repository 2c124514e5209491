"""What tasks share in which evidence leads to one of two choices."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spikesim.checks import check_number, is_number
from spikesim.rate.tasks.trials import Trials, check_durations

LOW, HIGH = 0.2, 1.0  # outputs that are read as a choice: before it or of the other, of this one


def choice_settings(task: str, **settings: Any) -> dict[str, Any]:
    """Settings of a task, after a look whether they are allowed: all others are durations."""
    durations = {k: v for k, v in settings.items() if k not in ("coherences", "sigma_in")}
    check_durations(task, **durations)
    _check_coherences(task, settings["coherences"])
    check_number(f"{task}: sigma_in", settings["sigma_in"], least=0)
    return settings


def _check_coherences(task: str, value: Any) -> None:
    """Refuse what are not coherences in %."""
    listed = isinstance(value, Sequence | np.ndarray) and len(value) > 0
    if not listed or not all(is_number(c) and 0 < abs(c) <= 100 for c in value):
        raise ValueError(
            f"{task}: coherences is {value!r}; it must be numbers above 0, up to 100 %."
        )


def evidence(coherence: np.ndarray) -> np.ndarray:
    """Evidence (trials, 2) for choices 0 and 1, of a coherence (%) that is positive for 1."""
    return (1 + coherence[:, None] * [-1, 1] / 100) / 2


def choice_targets(
    steps: int, choice: np.ndarray, periods: Mapping[str, slice]
) -> tuple[np.ndarray, np.ndarray]:
    """Targets and mask of an output per choice, low until its decision period."""
    targets = np.full((steps, len(choice), 2), LOW)
    targets[periods["decision"]] = np.where(np.eye(2)[choice] == 1, HIGH, LOW)
    mask = np.ones_like(targets)
    mask[periods["stimulus"]] = 0
    return targets, mask


def choices(outputs: np.ndarray, trials: Trials) -> np.ndarray:
    """Number of the larger output in the last step of each trial."""
    return outputs[-1].argmax(axis=-1)


def right_choices(outputs: np.ndarray, trials: Trials) -> float:
    return float(np.mean(choices(outputs, trials) == trials.conditions["choice"]))
