"""Tasks to train networks on: those of spikesim.rate by name, and one of a user's file."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim.cli.user_code import import_file, user_code

if TYPE_CHECKING:
    from spikesim.rate.tasks import Task


@dataclass(frozen=True)
class Default:
    """How a task is trained if nothing else is asked for; ``until`` as its paper has it."""

    cell: str
    units: int
    until: float
    rate: float = 2e-3
    updates: int = 5000
    batch: int = 64
    test_trials: int = 2048


DEFAULTS = {
    "perceptual_decision": Default("dale", 100, 0.85),
    "go_nogo": Default("leaky", 64, 0.99),
    "context_integration": Default("dale", 150, 0.9),
    "flipflop": Default("gru", 64, 0.99),
    "sine": Default("gru", 64, 0.98, rate=5e-3),
    "xor": Default("leaky", 64, 0.99),
    "digits": Default("lstm", 64, 0.97, test_trials=270),
    "kim_go_nogo": Default("leaky", 64, 0.95),
    "kim_mante": Default("leaky", 100, 0.95, batch=32),
    "path_integration": Default("leaky", 100, 0.95),
}
OWN = Default("gru", 64, 0.95)  # a task of the user's own, or one without a line above


def known_task(name: str, **settings: Any) -> Task:
    from spikesim.rate.tasks import TASKS

    try:
        return TASKS[name](**settings)
    except ImportError as error:
        raise ValueError(str(error)) from None


def own_task(path: Path) -> Task:
    """What task() of a user's file returns; errors in its functions are told with their line."""
    from spikesim.rate.files import check_settings
    from spikesim.rate.tasks import Task

    function = getattr(user_code(path, lambda: import_file(path)), "task", None)
    if not callable(function):
        raise ValueError(f"{path} defines no function task().")
    task = user_code(path, function)
    if not isinstance(task, Task):
        raise TypeError(f"task() of {path} returned {type(task).__name__}; it must be a Task.")
    check_settings(task.name, task.settings)

    def told_with_line(call: Callable) -> Callable:
        return lambda *args, **options: user_code(path, functools.partial(call, *args, **options))

    return replace(
        task,
        generate=told_with_line(task.generate),
        performance=told_with_line(task.performance),
        decide=None if task.decide is None else told_with_line(task.decide),
    )
