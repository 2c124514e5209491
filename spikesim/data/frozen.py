"""Arrays that nobody can write to."""

from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray


def own(name: str, values: ArrayLike) -> NDArray[Any]:
    """An array that nobody else can write to: a copy, but of one that is read-only.

    Raises
    ------
    ValueError
        If some of the values are masked: plain arrays would show them.
    """
    if np.ma.is_masked(values):
        raise ValueError(f"{name} must not be masked; values.compressed() leaves out what is")
    given_away = isinstance(values, np.ndarray) and not values.flags.writeable
    return values if given_away else np.array(values)


def read_only(array: NDArray[Any]) -> NDArray[Any]:
    """The same, and nobody can write to it by this."""
    if not array.flags.writeable:
        return array
    view = array.view()
    view.flags.writeable = False
    return view
