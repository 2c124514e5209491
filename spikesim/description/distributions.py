"""Values that differ between neurons or synapses: normal, lognormal, uniform.

Each is a small frozen object that knows its quantile function, which is all that drawing needs.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

import numpy as np
from scipy import special

from spikesim.checks import check_choice, check_number
from spikesim.names import named_options

WEIGHT_LEVELS = 1024  # values that stand for a distribution of weights
EXACT_LEVELS = 65536  # the same, where exact weights are asked for
ALIKE = 16  # of the highest levels that may stand for one tail, all but one of them equal
CLIPPED = 64  # levels that a tail covers where all others are at a bound
TAIL = 64  # equally likely values of an octave of a tail
OCTAVES = 40
REACH = 9.0  # standard deviations, beyond which nothing of a normal variable lies


def _bounds(kind: str, low: Any, high: Any, outside: Any) -> None:
    numbers = all(isinstance(x, int | float | np.number) for x in (low, high))
    if not numbers or not low < high:
        raise ValueError(f"{kind}: low is {low!r} and high is {high!r}; low must be below high.")
    check_choice(f"{kind}: outside", outside, ("redraw", "clip"))


def _mass(a: float, b: float) -> float:
    """How much of a normal variable lies between a and b, without cancellation."""
    return special.ndtr(b) - special.ndtr(a) if a <= 0 else special.ndtr(-a) - special.ndtr(-b)


class _OfNormal:
    """A growing function of a normal variable z, within bounds."""

    low: float
    high: float
    outside: Literal["redraw", "clip"]
    _heaviest = 0.0  # z at which most of the square lies

    def _value(self, z: Any) -> Any:
        raise NotImplementedError

    def _place(self, value: float) -> float:
        raise NotImplementedError

    def _range(self) -> tuple[float, float]:
        """Between which z is drawn."""
        if self.outside == "redraw":
            return self._place(self.low), self._place(self.high)
        return -math.inf, math.inf

    def _likely(self, centre: str) -> None:
        if _mass(*self._range()) < 1e-6:
            raise ValueError(
                f"{type(self).__name__}: less than one in a million values lies between "
                f"low = {self.low:g} and high = {self.high:g}; choose bounds nearer to "
                f"{centre} = {getattr(self, centre):g}."
            )

    def extremes(self) -> tuple[float, float]:
        """Beyond which next to no value lies."""
        return _extremes(self)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        a, b = self._range()
        if a <= 0:
            z = special.ndtri(special.ndtr(a) + u * _mass(a, b))
        else:  # the sum would be so near to 1 that digits were lost
            z = -special.ndtri(special.ndtr(-b) + (1 - u) * _mass(a, b))
        return np.clip(self._value(z), self.low, self.high)

    def _z(self, below: Any, above: Any) -> Any:
        """z with these two shares of what is drawn on its sides."""
        a, b = self._range()
        left = special.ndtr(a) + below * _mass(a, b)
        right = special.ndtr(-b) + above * _mass(a, b)
        return np.where(left < 0.5, special.ndtri(left), -special.ndtri(right))

    def between(self, below: Any, above: Any) -> Any:
        """Value with these two shares on its sides, exact where either is small."""
        return np.clip(self._value(self._z(below, above)), self.low, self.high)

    def end(self, share: float, upper: bool) -> tuple[float, float]:
        """Mean and standard deviation of the highest or lowest values, such a share of all."""
        sign = 1.0 if upper else -1.0
        edge = sign * float(self._z(1 - share, share) if upper else self._z(share, 1 - share))
        bounds = sorted([sign * self._place(self.low), sign * self._place(self.high)])
        first = max(edge, bounds[0], -REACH)
        last = min(bounds[1], max(first, self._heaviest * upper) + REACH)
        x, weight = np.polynomial.legendre.leggauss(128)
        z = first + (last - first) * (x + 1) / 2
        weight = weight * max(last - first, 0.0) / 2 * np.exp(-z * z / 2) / math.sqrt(2 * math.pi)
        if self.outside == "clip":  # what is set to a bound
            z = np.append(z, bounds)
            beyond = max(edge, bounds[1])
            weight = np.append(weight, [_mass(edge, max(edge, bounds[0])), _mass(beyond, math.inf)])
        z, weight = z[weight > 0], weight[weight > 0] / weight.sum()
        values = np.clip(self._value(sign * z), self.low, self.high)
        mean = float(weight @ values)
        return mean, math.sqrt(weight @ (values - mean) ** 2)


@named_options()
@dataclass(frozen=True)
class Normal(_OfNormal):
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
        check_number("Normal: mean", self.mean)
        check_number("Normal: sd", self.sd, above=0)
        _bounds("Normal", self.low, self.high, self.outside)
        self._likely("mean")

    def _value(self, z: Any) -> Any:
        return self.mean + self.sd * z

    def _place(self, value: float) -> float:
        return (value - self.mean) / self.sd


@named_options()
@dataclass(frozen=True)
class LogNormal(_OfNormal):
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
        check_number("LogNormal: mu", self.mu)
        check_number("LogNormal: sigma", self.sigma, above=0)
        _bounds("LogNormal", self.low, self.high, self.outside)
        if self.low < 0:
            raise ValueError(f"LogNormal: low is {self.low}; it must not be negative.")
        self._likely("mu")

    @classmethod
    def of(
        cls,
        mean: float,
        sd: float,
        *,
        low: float = 0.0,
        high: float = math.inf,
        outside: Literal["redraw", "clip"] = "redraw",
    ) -> "LogNormal":
        """The lognormal distribution of this mean and standard deviation.

        ``sigma^2 = log(1 + (sd / mean)^2)``, ``mu = log(mean) - sigma^2 / 2``. Both are those
        before ``low`` and ``high`` take their part.

        Parameters
        ----------
        mean, sd : float
            In the unit of whatever is drawn, both above 0.
        low, high, outside
            As in `Normal`.

        Raises
        ------
        ValueError
            A number that is not positive and finite, or bounds between which next to nothing lies.
        """
        check_number("LogNormal.of: mean", mean, above=0)
        check_number("LogNormal.of: sd", sd, above=0)
        sigma = math.sqrt(2 * math.log(math.hypot(1, sd / mean)))
        return cls(math.log(mean) - sigma**2 / 2, sigma, low, high, outside)

    @property
    def _heaviest(self) -> float:
        return 2 * self.sigma

    def _value(self, z: Any) -> Any:
        with np.errstate(over="ignore"):  # what is not finite is refused
            return np.exp(self.mu + self.sigma * z)

    def _place(self, value: float) -> float:
        return (math.log(value) - self.mu) / self.sigma if value > 0 else -math.inf


@named_options()
@dataclass(frozen=True)
class Uniform:
    """Uniform distribution between ``low`` and ``high``."""

    low: float
    high: float

    def __post_init__(self) -> None:
        check_number("Uniform: low", self.low)
        check_number("Uniform: high", self.high)
        _bounds("Uniform", self.low, self.high, "clip")

    def extremes(self) -> tuple[float, float]:
        """Beyond which next to no value lies."""
        return _extremes(self)

    def quantile(self, u: np.ndarray) -> np.ndarray:
        """Value below which a share ``u`` of the values lies."""
        return self.low + (self.high - self.low) * u

    def between(self, below: Any, above: Any) -> Any:
        """Value with these two shares on its sides."""
        return self.quantile(below)

    def end(self, share: float, upper: bool) -> tuple[float, float]:
        """Mean and standard deviation of the highest or lowest values, such a share of all."""
        centre = 1 - share / 2 if upper else share / 2
        return float(self.quantile(centre)), share * (self.high - self.low) / math.sqrt(12)


Distribution = Normal | LogNormal | Uniform
Value = float | np.ndarray | Distribution


def extremes(value: Any) -> tuple[float, float]:
    """Smallest and largest value of a number, an array, or what knows its own."""
    if hasattr(value, "extremes"):
        return value.extremes()
    array = np.asarray(value, float)
    return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)


def _extremes(distribution: Distribution) -> tuple[float, float]:
    low, high = (float(distribution.quantile(np.array(u))) for u in (1e-9, 1 - 1e-9))
    return low, high


def levels(distribution: Distribution, count: int) -> np.ndarray:
    """``count`` (even) equally likely values with the distribution's mean and variance.

    The unit interval is cut into count / 2 cells; in each, two values lie one standard deviation
    to either side of the mean. Where the upper tail is so heavy that the lower would leave its
    cell, the last cells are taken together: one high value, the others low. Where that would take
    more than 16 values, the last levels stand for a `Tail` and are its mean; if it is the lower
    tail, levels descend.
    """
    return _levels(distribution, count)[0]


@dataclass(frozen=True, eq=False)
class Tail:
    """What the last ``covers`` of some levels stand for.

    Octave k of ``values`` [octave, 64] holds a share 2^-(k + 1) of the tail, the last one all that
    is left; within an octave all values are as likely. n equally likely values above 0 have a
    coefficient of variation of sqrt(n - 1) at most, which that of a lognormal variable exceeds from
    sigma = 2.63 on where there are 1,024.
    """

    values: np.ndarray
    covers: int


def tail(distribution: Distribution, count: int) -> Tail:
    """What the last of so many levels stand for; nothing, if they need not.

    Raises
    ------
    ValueError
        A distribution so wide that its variance lies in values too rare to be drawn.
    """
    return _levels(distribution, count)[1]


def likelihoods(distribution: Distribution, count: int) -> tuple[np.ndarray, np.ndarray]:
    """All values of so many levels and their tail, and the probability of each."""
    values, beyond = levels(distribution, count), tail(distribution, count)
    common, octaves = count - beyond.covers, len(beyond.values)
    share = 2.0 ** -np.minimum(np.arange(octaves) + 1, octaves - 1)
    rare = np.repeat(share * beyond.covers / count / TAIL, TAIL)
    return (
        np.concatenate([values[:common], beyond.values.ravel()]),
        np.concatenate([np.full(common, 1 / count), rare]),
    )


@lru_cache(maxsize=32)
@np.errstate(over="ignore", invalid="ignore")  # what is not finite is refused
def _levels(distribution: Distribution, count: int) -> tuple[np.ndarray, Tail]:
    bins = count // 2
    low, high = getattr(distribution, "low", -np.inf), getattr(distribution, "high", np.inf)
    x, weight = np.polynomial.legendre.leggauss(8)
    share = (np.arange(bins)[:, None] + (x + 1) / 2) / bins
    mean, sd = _moments(distribution.between(share, share[::-1, ::-1]), weight)
    for end, upper in ((0, False), (-1, True)):
        mean[end], sd[end] = distribution.end(1 / bins, upper)
    result = _pairs(mean, sd, low, high)
    variance = float(np.var(mean) + np.mean(sd**2))
    covers, upper = 2, True
    if getattr(distribution, "outside", "") == "clip":
        at_bound = special.ndtr([distribution._place(low), -distribution._place(high)])
        if max(at_bound) > 1 - CLIPPED / count:
            covers, upper = min(count, CLIPPED), at_bound[0] > at_bound[1]
    near = 1e-9 * (abs(mean[-1]) + sd[-1])
    for last in range(2, min(count, ALIKE) + 1, 2) if covers == 2 else ():
        m = mean[-(last // 2) :].mean()
        s = math.sqrt(np.mean(sd[-(last // 2) :] ** 2 + (mean[-(last // 2) :] - m) ** 2))
        below, above = m - s / math.sqrt(last - 1), m + s * math.sqrt(last - 1)
        edge = distribution.between(1 - last / count, last / count)
        if below >= edge - near and above <= high + near:
            result[-last:], result[-1] = below, above
            break
    else:
        values = _tail(distribution, covers / count, upper, variance)
        if len(values):
            result = result if upper else result[::-1]
            result[-covers:] = distribution.end(covers / count, upper)[0]
            return np.clip(result, low, high), Tail(np.clip(values, low, high), covers)
    return np.sort(np.clip(result, low, high)), Tail(np.empty((0, TAIL)), 0)


def _moments(values: np.ndarray, weight: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Mean and standard deviation of cells from their values at Gauss's nodes."""
    mean = values @ weight / 2
    return mean, np.sqrt((values - mean[:, None]) ** 2 @ weight / 2)


def _pairs(mean: np.ndarray, sd: np.ndarray, low: float, high: float) -> np.ndarray:
    """Two values for each cell, one standard deviation from its mean, or as far as a bound."""
    sd = np.minimum(sd, np.maximum(np.minimum(mean - low, high - mean), 0.0))
    return np.stack([mean - sd, mean + sd], axis=1).ravel()


def _tail(distribution: Distribution, size: float, upper: bool, variance: float) -> np.ndarray:
    """Values [octave, 64] of the highest or lowest, a share ``size``; in the last few are high.

    As few octaves as can be, for the highest value sets the unit in which all are added up.
    """
    sign, low, high = (1.0 if upper else -1.0), distribution.low, distribution.high
    bound, rest = (high if upper else -low), None

    def at(share: Any) -> Any:
        return distribution.between(*((1 - share, share) if upper else (share, 1 - share)))

    for octaves in range(OCTAVES + 1):
        share = size * 2.0**-octaves
        m, s = distribution.end(share, upper)
        m, edge = sign * m, sign * float(at(share))
        if not math.isfinite(m + s):
            break
        room = m - edge
        most = 1 / (1 + (s / room) ** 2) if room > 0 else 0.5 * (s == 0)
        count = min(int(most * TAIL), TAIL // 2)  # of high values
        if count:
            above = min(m + s * math.sqrt(TAIL / count - 1), bound)
            below = m - (above - m) * count / (TAIL - count)
            lost = s**2 - (above - m) * (m - below)
            if lost * share < 1e-3 * variance:
                rest = sign * np.repeat([below, above], [TAIL - count, count])
                break
    if rest is None and edge > (low if upper else -high):
        raise ValueError(
            f"weight is LogNormal of sigma {distribution.sigma:g}, whose variance lies in values "
            "too rare to be drawn; sigma must be below about 5, or high be given, or lower."
        )
    if rest is None:  # all but a share of 1e-15 is at a bound
        return np.empty((0, TAIL))
    x, weight = np.polynomial.legendre.leggauss(8)
    cells = 1 - (np.arange(TAIL // 2)[:, None] + (x + 1) / 2) / TAIL
    rows = [
        np.sort(_pairs(*_moments(at(cells * size * 2.0**-k), weight), low, high))
        for k in range(octaves)
    ]
    return np.array([*rows, rest])
