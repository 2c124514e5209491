"""The arrays of a pass through a network, made once."""

import numpy as np


class Tape:
    """Named arrays of one pass, made at the first call and written over by later ones.

    Parameters
    ----------
    dtype : dtype
        Of every array for which no other is given.

    Notes
    -----
    ``tape("pre", (steps, trials, units))`` gives the same array as long as its shape is the same,
    with what was last written into it; another shape gives a new array in its place.
    """

    def __init__(self, dtype: np.typing.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._arrays: dict[str, np.ndarray] = {}

    def __call__(
        self, name: str, shape: tuple[int, ...], dtype: np.typing.DTypeLike | None = None
    ) -> np.ndarray:
        """The array of this name, with whatever values it holds."""
        array = self._arrays.get(name)
        dtype = self.dtype if dtype is None else dtype
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array

    def zeros(
        self, name: str, shape: tuple[int, ...], dtype: np.typing.DTypeLike | None = None
    ) -> np.ndarray:
        """The array of this name, set to 0."""
        array = self(name, shape, dtype)
        array.fill(0)
        return array
