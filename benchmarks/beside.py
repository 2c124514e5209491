"""A function of ours beside that of another package, in one process and in turns."""

import statistics
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from importlib.metadata import version
from typing import Any

Call = Callable[[], Any]


@dataclass(frozen=True)
class Rival:
    """What another package does, and how many times as long it may be asked to take.

    Parameters
    ----------
    prepare : callable
        Makes of the data what the package works on, and returns the call that is timed.
    least, goal : float
        Its time over ours.
    share : float
        How much of the work the call does, where all of it would take minutes.
    repeats : int
        Of the call.
    """

    prepare: Callable[[Any], Call]
    least: float
    goal: float
    share: float = 1.0
    repeats: int = 5


@dataclass(frozen=True)
class Case:
    """What is done: data, our call, and rivals by package."""

    what: str
    data: Callable[[], Any]
    ours: Callable[[Any], Call]
    rivals: Mapping[str, Rival]


def seconds(call: Call) -> float:
    """Wall time of a call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def measure(case: Case, package: str) -> dict[str, Any]:
    """Medians of both, after calls that may compile, and the quartiles of their ratio."""
    rival, data = case.rivals[package], case.data()
    ours, theirs = case.ours(data), rival.prepare(data)
    first = {"ours": seconds(ours), "theirs": seconds(theirs)}
    pairs = []
    for _ in range(rival.repeats):
        mine = statistics.median(seconds(ours) for _ in range(3))
        pairs.append((mine, seconds(theirs) / rival.share))
    ratios = sorted(theirs / mine for mine, theirs in pairs)
    low, middle, high = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else ratios * 3
    return {
        "ours_s": statistics.median(mine for mine, _ in pairs),
        "rival_s": statistics.median(theirs for _, theirs in pairs),
        "ratio": (low, middle, high),
        "first_s": first,
        "share": rival.share,
        "versions": {package: version(package)},
    }
