"""Tasks to train networks on: generators of trials, and how well a network does on them.

A task of your own is a function like those here, each in a file of its own: it makes a `Task` of a
function that draws `Trials` and one that says how good outputs are. `TASKS` lists those that are
known by name; the stub ``rate/__init__.pyi`` makes them public.
"""

from __future__ import annotations

from collections.abc import Callable

from spikesim.moved import moved_name
from spikesim.rate.tasks.context import context_integration
from spikesim.rate.tasks.decision import perceptual_decision
from spikesim.rate.tasks.digits import digits
from spikesim.rate.tasks.flipflop import flipflop
from spikesim.rate.tasks.go_nogo import go_nogo
from spikesim.rate.tasks.kim import kim_go_nogo, kim_mante
from spikesim.rate.tasks.path_integration import path_integration
from spikesim.rate.tasks.sine import sine
from spikesim.rate.tasks.trials import Task, Trials
from spikesim.rate.tasks.xor import xor

__all__ = ["TASKS", "Task", "Trials"]

TASKS: dict[str, Callable[..., Task]] = {
    f.__name__: f
    for f in (
        *(perceptual_decision, go_nogo, context_integration, flipflop, sine, xor, digits),
        *(kim_go_nogo, kim_mante, path_integration),
    )
}


def __getattr__(name: str) -> object:
    if (found := moved_name(__name__, name)) is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return found
