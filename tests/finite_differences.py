"""Derivatives by differences: what all gradients are held against."""

from collections.abc import Callable
from typing import Any

import numpy as np


def derivative(value_at: Callable[[float], Any], step: float = 1e-4) -> Any:
    """Derivative at 0 by central differences of fourth order."""
    near = value_at(step) - value_at(-step)
    return (8 * near - (value_at(2 * step) - value_at(-2 * step))) / (12 * step)


def differences(function: Callable[[], Any], array: np.ndarray, step: float = 1e-4) -> np.ndarray:
    """Derivatives of ``function()`` by every entry of an array that it looks at.

    The first axes are those of the array, the others those of what the function gives.
    """
    found = []
    for at in np.ndindex(array.shape):
        kept = array[at]

        def moved(shift: float, at: tuple[int, ...] = at, kept: float = kept) -> np.ndarray:
            array[at] = kept + shift
            return np.array(function(), float)

        found.append(derivative(moved, step))
        array[at] = kept
    return np.reshape(found, array.shape + np.shape(found[0]))
