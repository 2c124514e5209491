"""Values that differ between neurons or synapses: normal, lognormal, uniform.

Each is a small frozen object that knows its quantile function, which is all that drawing needs.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from scipy import special


def _share(cumulative: Callable, low: float, high: float, outside: str) -> tuple[float, float]:
    """The part of the unit interval whose quantiles are drawn."""
    if outside == "redraw":
        return cumulative(low), cumulative(high)
    return 0.0, 1.0


def _check(name: str, low: float, high: float, outside: str, **finite: float) -> None:
    for key, value in finite.items():
        if not math.isfinite(value):
            raise ValueError(f"{name}: {key} is {value}; it must be a finite number.")
    if not low < high:
        raise ValueError(f"{name}: low is {low} and high is {high}; low must be below high.")
    if outside not in ("redraw", "clip"):
        raise ValueError(f"{name}: outside is {outside!r}; it must be 'redraw' or 'clip'.")


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
        _check("Normal", self.low, self.high, self.outside, mean=self.mean, sd=self.sd)
        if self.sd <= 0:
            raise ValueError(f"Normal: sd is {self.sd}; it must be positive.")
        if self.outside == "redraw":
            below = special.ndtr((np.array([self.low, self.high]) - self.mean) / self.sd)
            if below[1] - below[0] < 1e-6:
                raise ValueError(
                    f"Normal: less than one in a million values lies between low = {self.low} and "
                    f"high = {self.high}; choose bounds nearer to mean = {self.mean}."
                )

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        a, b = _share(
            lambda x: special.ndtr((x - self.mean) / self.sd), self.low, self.high, self.outside
        )
        return np.clip(self.mean + self.sd * special.ndtri(a + u * (b - a)), self.low, self.high)


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
        _check("LogNormal", self.low, self.high, self.outside, mu=self.mu, sigma=self.sigma)
        if self.sigma <= 0:
            raise ValueError(f"LogNormal: sigma is {self.sigma}; it must be positive.")
        if self.low < 0:
            raise ValueError(f"LogNormal: low is {self.low}; it must not be negative.")

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""

        def cumulative(x: float) -> float:
            return float(special.ndtr((math.log(x) - self.mu) / self.sigma)) if x > 0 else 0.0

        a, b = _share(cumulative, self.low, self.high, self.outside)
        values = np.exp(self.mu + self.sigma * special.ndtri(a + u * (b - a)))
        return np.clip(values, self.low, self.high)


@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between ``low`` and ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.low) and math.isfinite(self.high) and self.low < self.high):
            raise ValueError(
                f"Uniform: low is {self.low} and high is {self.high}; both must be finite, low "
                "below high."
            )

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        return self.low + (self.high - self.low) * u


Distribution = Normal | LogNormal | Uniform


def levels(distribution: Distribution, count: int) -> np.ndarray:
    """``count`` equally likely values with the distribution's mean and variance.

    Midpoint quantiles, stretched about their mean: without it 2,048 of them would lack 0.1 % of a
    normal variable's variance.
    """
    fine = distribution.quantile((np.arange(1 << 18) + 0.5) / (1 << 18))
    coarse = distribution.quantile((np.arange(count) + 0.5) / count)
    if coarse.std() > 0:
        coarse = fine.mean() + (coarse - coarse.mean()) * (fine.std() / coarse.std())
    return np.clip(
        coarse, getattr(distribution, "low", -np.inf), getattr(distribution, "high", np.inf)
    )
