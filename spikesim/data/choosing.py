"""Which neurons, trials or windows are meant: by number, by mask, by label."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.data.frozen import own, read_only


def labels_of(what: str, labels: Mapping[str, ArrayLike] | None, n: int) -> dict[str, NDArray[Any]]:
    """Labels as arrays that nobody writes to, refused where they are not one for each of n."""
    made = {str(name): read_only(own(name, values)) for name, values in (labels or {}).items()}
    for name, values in made.items():
        if values.shape != (n,):
            raise ValueError(
                f"{what} must have one value for each of {n}, so the shape ({n},), "
                f"but {name!r} has {values.shape}"
            )
    return made


def labelled(
    what: str, labels: Mapping[str, NDArray[Any]], asked: Mapping[str, Any], n: int
) -> NDArray[np.bool_]:
    """Which of n have the labels that are asked for."""
    found = np.ones(n, bool)
    for name, value in asked.items():
        if name not in labels:
            known = ", ".join(map(repr, labels)) or "none"
            raise KeyError(f"there is no label {name!r} of {what}; there are: {known}")
        found &= np.isin(labels[name], np.asarray(value))
    return found


def chosen(neurons: slice | ArrayLike, size: int) -> NDArray[np.int64]:
    """The numbers of the neurons that a slice, numbers or a mask choose.

    Raises
    ------
    ValueError
        If a neuron is given twice or is not one of ``size``, or a mask has another length.
    TypeError
        If neurons are neither integers nor booleans.
    """
    if isinstance(neurons, slice):
        return np.arange(size)[neurons]
    ids = np.atleast_1d(neurons)
    if ids.dtype == bool:
        if ids.shape != (size,):
            raise ValueError(
                f"a mask of neurons must have the shape ({size},), but has {ids.shape}"
            )
        return np.flatnonzero(ids)
    if ids.size and ids.dtype.kind not in "iu":
        raise TypeError(f"neurons must be integers or booleans, but are {ids.dtype}")
    ids = ids.astype(np.int64)
    if ids.ndim != 1 or np.any((ids < 0) | (ids >= size)):
        raise ValueError(
            f"neurons must be one-dimensional, at least 0 and less than size = {size}, "
            f"but are {neurons}"
        )
    if len(np.unique(ids)) < len(ids):
        raise ValueError(f"neurons must not hold a neuron twice, but are {neurons}")
    return ids
