"""What a unit's rate is of its input: f and its slope, on whole arrays and in place.

Each is a frozen object with ``value(x, out)``, where ``out`` may be ``x``, and ``slope(y, x,
out)``, the derivative at x, where y is the value there.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from spikesim.checks import check_number, check_whole


def _sigmoid(x: np.ndarray, out: np.ndarray) -> None:
    """1 / (1 + exp(-x)), by tanh: no overflow and no temporary."""
    np.multiply(x, 0.5, out=out)
    np.tanh(out, out=out)
    out *= 0.5
    out += 0.5


@dataclass(frozen=True)
class Linear:
    """f(x) = x."""

    name = "linear"

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        np.copyto(out, x)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        out.fill(1)


@dataclass(frozen=True)
class Rectified:
    """f(x) = max(x, 0), of slope 0 at 0."""

    name = "rectified"

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        np.maximum(x, 0, out=out)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        np.greater(y, 0, out=out)


@dataclass(frozen=True)
class Sigmoid:
    """f(x) = 1 / (1 + exp(-x))."""

    name = "sigmoid"

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        _sigmoid(x, out)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        np.subtract(1, y, out=out)
        out *= y


@dataclass(frozen=True)
class Softplus:
    """f(x) = log(1 + exp(x))."""

    name = "softplus"

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        np.logaddexp(x, 0, out=out)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        _sigmoid(x, out)


@dataclass(frozen=True)
class Tanh:
    """f(x) = tanh(x)."""

    name = "tanh"

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        np.tanh(x, out=out)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        np.multiply(y, y, out=out)
        np.subtract(1, out, out=out)


@dataclass(frozen=True)
class Table:
    """An f-I curve as a table: linear between its points, constant beyond its ends.

    The slope at a point is that of the segment above it. Unlike the others it makes arrays of the
    size of x on every call.

    Parameters
    ----------
    x, y : sequence of float
        Inputs, rising, and the rates there; at least two.
    """

    x: Sequence[float]
    y: Sequence[float]
    name = "table"

    def __post_init__(self) -> None:
        x, y = np.asarray(self.x, float), np.asarray(self.y, float)
        if x.ndim != 1 or x.shape != y.shape or x.size < 2:
            raise ValueError(
                f"Table: x has shape {x.shape} and y {y.shape}; they must be of one dimension and "
                "of equal length, at least 2."
            )
        if not np.isfinite(x).all() or not (np.diff(x) > 0).all():
            raise ValueError(f"Table: x is {self.x!r}; it must be finite and rise at every point.")
        if not np.isfinite(y).all():
            raise ValueError(f"Table: y is {self.y!r}; it must be finite.")
        object.__setattr__(self, "x", tuple(x.tolist()))
        object.__setattr__(self, "y", tuple(y.tolist()))

    @cached_property
    def _slopes(self) -> np.ndarray:
        """Below the first point, of each segment, above the last."""
        return np.concatenate([[0], np.diff(self.y) / np.diff(self.x), [0]])

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        out[...] = np.interp(x, self.x, self.y)

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        out[...] = self._slopes[np.searchsorted(self.x, x, side="right")]


@dataclass(frozen=True)
class Quantised:
    """A rectified unit of L levels above 0, f(x) = (c / L) clip(floor(L x / c + 1/2), 0, L) [1]_.

    It is what a spiking neuron that integrates, fires at most L times and then gives its count can
    give: the conversion is exact. A step has no slope; training takes that of the clipped line
    which is rounded, 1 between 0 and c (straight through).

    Parameters
    ----------
    levels : int
        L.
    cap : float
        c, the highest rate. It needs no training: the weights on both sides make up for it.

    References
    ----------
    .. [1] Bu T, Fang W, Ding J, Dai P, Yu Z, Huang T (2022) Optimal ANN-SNN conversion for
       high-accuracy and ultra-low-latency spiking neural networks. ICLR.
    """

    levels: int
    cap: float = 1.0
    name = "quantised"

    def __post_init__(self) -> None:
        check_whole("Quantised: levels", self.levels)
        check_number("Quantised: cap", self.cap, above=0)

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        np.multiply(x, self.levels / self.cap, out=out)
        out += 0.5
        np.floor(out, out=out)
        np.clip(out, 0, self.levels, out=out)
        out *= self.cap / self.levels

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        np.copyto(out, (x > 0) & (x < self.cap))


Activation = Linear | Rectified | Sigmoid | Softplus | Tanh | Table | Quantised
_NAMED = {f.name: f() for f in (Linear, Rectified, Sigmoid, Softplus, Tanh)}


def named(activation: str | Activation) -> Activation:
    """The activation of this name; one that is given as an object is handed back.

    Raises
    ------
    ValueError
        If there is none of this name.
    """
    if isinstance(activation, Activation):
        return activation
    if activation not in _NAMED:
        raise ValueError(
            f"activation is {activation!r}; it must be one of {', '.join(_NAMED)}, a Table or "
            "Quantised."
        )
    return _NAMED[activation]
