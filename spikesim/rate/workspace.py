"""The arrays of a pass through a network, made once."""

import numpy as np

from spikesim.moved import deprecated


class Workspace:
    """Named arrays of one pass, made at the first call and written over by later ones.

    A pass makes the arrays that it writes by `room`; who reads what an earlier pass has written
    asks for it by ``workspace["name"]``, and a name that nobody has written is an error.

    Parameters
    ----------
    dtype : dtype
        Of every array for which no other is given.

    Notes
    -----
    ``room("pre", (steps, trials, units))`` gives the same array as long as its shape is the same,
    with what was last written into it; another shape gives a new array in its place.
    """

    def __init__(self, dtype: np.typing.DTypeLike) -> None:
        self.dtype = np.dtype(dtype)
        self._arrays: dict[str, np.ndarray] = {}

    def __getitem__(self, name: str) -> np.ndarray:
        """The array of this name, as it was last written.

        Raises
        ------
        KeyError
            If no pass has made it.
        """
        try:
            return self._arrays[name]
        except KeyError:
            there = ", ".join(sorted(self._arrays)) or "nothing"
            raise KeyError(
                f"no array {name!r} was made in this workspace; it has {there}"
            ) from None

    def room(
        self, name: str, shape: tuple[int, ...], dtype: np.typing.DTypeLike | None = None
    ) -> np.ndarray:
        """The array of this name to write into, with whatever values it holds."""
        array = self._arrays.get(name)
        dtype = self.dtype if dtype is None else dtype
        if array is None or array.shape != shape or array.dtype != dtype:
            array = self._arrays[name] = np.empty(shape, dtype)
        return array

    def zeros(
        self, name: str, shape: tuple[int, ...], dtype: np.typing.DTypeLike | None = None
    ) -> np.ndarray:
        """The array of this name, set to 0."""
        array = self.room(name, shape, dtype)
        array.fill(0)
        return array

    def __call__(
        self, name: str, shape: tuple[int, ...], dtype: np.typing.DTypeLike | None = None
    ) -> np.ndarray:
        deprecated("workspace(name, shape) is called workspace.room(name, shape) now.")
        return self.room(name, shape, dtype)
