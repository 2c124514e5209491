"""One voice for bad arguments: what is asked of what users give, and how they are warned."""

import math
import sys
import warnings
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
