"""What is asked of numbers that users give."""

import math
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
