"""Values that differ between neurons or synapses: normal, lognormal, uniform.

Each is a small frozen object that knows its quantile function, which is all that drawing needs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from scipy import special

from spikesim.names import named_options


def _share(cumulative: Callable, low: float, high: float, outside: str) -> tuple[float, float]:
    """The part of the unit interval whose quantiles are drawn."""
    if outside == "redraw":
        return cumulative(low), cumulative(high)
    return 0.0, 1.0


def _number(kind: str, name: str, value: Any, positive: bool = False) -> None:
    ok = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not ok or not math.isfinite(value) or (positive and value <= 0):
        bound = "a positive " if positive else "a "
        raise ValueError(f"{kind}: {name} is {value!r}; it must be {bound}finite number.")


def _bounds(kind: str, low: Any, high: Any, outside: Any) -> None:
    numbers = all(isinstance(x, int | float | np.number) for x in (low, high))
    if not numbers or not low < high:
        raise ValueError(f"{kind}: low is {low!r} and high is {high!r}; low must be below high.")
    if outside not in ("redraw", "clip"):
        raise ValueError(f"{kind}: outside is {outside!r}; it must be 'redraw' or 'clip'.")


def _likely(distribution: Any, centre: str) -> None:
    a, b = distribution._drawn()
    if b - a < 1e-6:
        raise ValueError(
            f"{type(distribution).__name__}: less than one in a million values lies between "
            f"low = {distribution.low:g} and high = {distribution.high:g}; choose bounds nearer to "
            f"{centre} = {getattr(distribution, centre):g}."
        )


@named_options()
@dataclass(frozen=True)
class Normal:
    """Normal distribution of mean ``mean`` and standard deviation ``sd``.

    Parameters
    ----------
    mean, sd : float
        In the unit of whatever is drawn; sd > 0.
    low, high : float
        Bounds that no value passes.
    outside : "redraw" or "clip"
        Whether a value beyond a bound is drawn again or set to the bound.
    """

    mean: float
    sd: float
    low: float = -math.inf
    high: float = math.inf
    outside: Literal["redraw", "clip"] = "redraw"

    def __post_init__(self) -> None:
        _number("Normal", "mean", self.mean)
        _number("Normal", "sd", self.sd, positive=True)
        _bounds("Normal", self.low, self.high, self.outside)
        _likely(self, "mean")

    def _drawn(self) -> tuple[float, float]:
        return _share(
            lambda x: float(special.ndtr((x - self.mean) / self.sd)),
            self.low,
            self.high,
            self.outside,
        )

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        a, b = self._drawn()
        return np.clip(self.mean + self.sd * special.ndtri(a + u * (b - a)), self.low, self.high)


@named_options()
@dataclass(frozen=True)
class LogNormal:
    """exp of a normal variable of mean ``mu`` and standard deviation ``sigma``.

    The mean is exp(mu + sigma^2 / 2), the median exp(mu). ``low``, ``high`` and ``outside`` are as
    in `Normal`.
    """

    mu: float
    sigma: float
    low: float = 0.0
    high: float = math.inf
    outside: Literal["redraw", "clip"] = "redraw"

    def __post_init__(self) -> None:
        _number("LogNormal", "mu", self.mu)
        _number("LogNormal", "sigma", self.sigma, positive=True)
        _bounds("LogNormal", self.low, self.high, self.outside)
        if self.low < 0:
            raise ValueError(f"LogNormal: low is {self.low}; it must not be negative.")
        _likely(self, "mu")

    def _drawn(self) -> tuple[float, float]:
        def cumulative(x: float) -> float:
            return float(special.ndtr((math.log(x) - self.mu) / self.sigma)) if x > 0 else 0.0

        return _share(cumulative, self.low, self.high, self.outside)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        a, b = self._drawn()
        values = np.exp(self.mu + self.sigma * special.ndtri(a + u * (b - a)))
        return np.clip(values, self.low, self.high)


@named_options()
@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between ``low`` and ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        _number("Uniform", "low", self.low)
        _number("Uniform", "high", self.high)
        _bounds("Uniform", self.low, self.high, "clip")

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        return self.low + (self.high - self.low) * u


Distribution = Normal | LogNormal | Uniform


def levels(distribution: Distribution, count: int) -> np.ndarray:
    """``count`` (even) equally likely values with the distribution's mean and variance.

    The unit interval is cut into count / 2 bins; in each, two values lie one standard deviation
    to either side of the mean. Where the tail is so heavy that the lower would leave its bin, the
    last bins are taken together: one high value, the others low.
    """
    bins = count // 2
    mean, square = np.empty(bins), np.empty(bins)
    x, weight = np.polynomial.legendre.leggauss(8)
    inner = distribution.quantile((np.arange(bins)[:, None] + (x + 1) / 2) / bins)
    mean[:], square[:] = inner @ weight / 2, inner**2 @ weight / 2
    x, weight = np.polynomial.laguerre.laggauss(60)
    tail = np.maximum(np.exp(-x) / bins, 1e-15)  # beyond it 1 - u is no longer exact
    for end, u in ((0, tail), (-1, 1 - tail)):
        values = distribution.quantile(u)
        mean[end], square[end] = values @ weight, values**2 @ weight
    variance = square - mean**2
    sd = np.sqrt(np.where(variance > 1e-13 * square, variance, 0.0))  # else it is rounding
    result = np.stack([mean - sd, mean + sd], axis=1).ravel()
    for last in range(2, count, 2):
        m = mean[-(last // 2) :].mean()
        s = math.sqrt(max(square[-(last // 2) :].mean() - m**2, 0))
        if m - s / math.sqrt(last - 1) >= float(distribution.quantile(np.array(1 - last / count))):
            result[-last:] = m - s / math.sqrt(last - 1)
            result[-1] = m + s * math.sqrt(last - 1)
            break
    low, high = getattr(distribution, "low", -np.inf), getattr(distribution, "high", np.inf)
    return np.sort(np.clip(result, low, high))
