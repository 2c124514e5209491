"""One voice for bad arguments: what is asked of what users give, and how they are warned."""

import math
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether a value is one finite number."""
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    return number and math.isfinite(value)


def check_whole(name: str, value: Any, least: int = 1, most: int | None = None) -> None:
    """Refuse what is not a whole number within the bounds."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if not whole or value < least or (most is not None and value > most):
        allowed = f"{least} or more" if most is None else f"from {least} to {most}"
        raise ValueError(f"{name} is {value!r}; it must be a whole number, {allowed}.")


def warn(sentence: str) -> None:
    """Warn in a sentence, at the nearest line outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("spikesim."):
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, UserWarning, stacklevel=level)


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    unit: str = "",
) -> None:
    """Refuse what is not a finite number within the bounds."""
    fits = is_number(value) and not (
        (above is not None and value <= above)
        or (least is not None and value < least)
        or (below is not None and value >= below)
        or (most is not None and value > most)
    )
    if fits:
        return
    upper = below is not None or most is not None
    bounds = {
        " above {:g}": above,
        ", at least {:g}" if upper else ", {:g} or more": least,
        " below {:g}": below,
        " at most {:g}": most,
    }
    told = [text.format(bound) for text, bound in bounds.items() if bound is not None]
    allowed = f"a finite number{f' of {unit}' if unit else ''}{' and'.join(told)}"
    raise ValueError(f"{name} is {value!r}; it must be {allowed}.")


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Refuse what is not one of the choices."""
    if value not in choices:
        *first, last = map(repr, choices)
        raise ValueError(f"{name} is {value!r}; it must be {', '.join(first)} or {last}.")


def check_shape(name: str, value: Any, *shapes: tuple[int, ...]) -> None:
    """Refuse an array of none of the shapes, of which () is that of a number."""
    if np.shape(value) not in shapes:
        allowed = " or ".join(f"have shape {shape}" if shape else "be a number" for shape in shapes)
        raise ValueError(f"{name} has shape {np.shape(value)}; it must {allowed}.")
