"""Kernels that make rates of spikes: how the weight of a spike is spread over time."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_number


@dataclass(frozen=True)
class Gaussian:
    """A normal density around each spike, ``exp(-t^2 / (2 sd^2)) / (sd sqrt(2 pi))``.

    Parameters
    ----------
    sd : float
        ms. What lies further than 7 of them from a spike is left out: 3e-12 of its weight.
    """

    sd: float

    def __post_init__(self) -> None:
        check_number("Gaussian: sd", self.sd, above=0, unit="ms")

    @property
    def span(self) -> tuple[float, float]:
        """Where the kernel is, ms before and after the spike."""
        return -7.0 * self.sd, 7.0 * self.sd

    def mass(self, t: ArrayLike) -> NDArray[np.float64]:
        """Share of a spike's weight that lies before t ms after it."""
        from scipy.special import ndtr

        return ndtr(np.asarray(t, float) / self.sd)

    def mass_integral(self, t: ArrayLike) -> NDArray[np.float64]:
        """Integral of `mass` up to t (ms)."""
        from scipy.special import ndtr

        u = np.asarray(t, float) / self.sd
        return self.sd * (u * ndtr(u) + np.exp(-u * u / 2) / np.sqrt(2 * np.pi))

    def cubics(self) -> NDArray[np.float64]:
        """Pieces of equal length over the span, each the coefficients of a cubic: the mass.

        Of the position 0 to 1 in the piece, rising powers; off by 5e-12 at most, and several
        times as fast as the error function itself.
        """
        u = np.linspace(*self.span, 14 * 128 + 1) / self.sd
        mass, slope = self.mass(u * self.sd), np.exp(-u * u / 2) / np.sqrt(2 * np.pi) / 128
        rise, left, right = np.diff(mass), slope[:-1], slope[1:]
        return np.stack([mass[:-1], left, 3 * rise - 2 * left - right, left + right - 2 * rise], 1)


@dataclass(frozen=True)
class Boxcar:
    """The same weight everywhere within half a width of the spike: a moving window.

    Parameters
    ----------
    width : float
        ms; the window reaches from half of it before to half of it after the spike.
    """

    width: float

    def __post_init__(self) -> None:
        check_number("Boxcar: width", self.width, above=0, unit="ms")

    @property
    def span(self) -> tuple[float, float]:
        """Where the kernel is, ms before and after the spike."""
        return -self.width / 2, self.width / 2

    def mass(self, t: ArrayLike) -> NDArray[np.float64]:
        """Share of a spike's weight that lies before t ms after it."""
        return np.clip(np.asarray(t, float) / self.width + 0.5, 0.0, 1.0)

    def mass_integral(self, t: ArrayLike) -> NDArray[np.float64]:
        """Integral of `mass` up to t (ms)."""
        t = np.asarray(t, float)
        inside = np.clip(t / self.width + 0.5, 0.0, 1.0)
        return self.width * inside**2 / 2 + np.maximum(t - self.width / 2, 0.0)

    def cubics(self) -> NDArray[np.float64]:
        """The mass as `Gaussian.cubics` gives it: one piece, a straight line."""
        return np.array([[0.0, 1.0, 0.0, 0.0]])


@dataclass(frozen=True)
class Exponential:
    """After each spike, and only there, ``exp(-t / tau) / tau``: what a synapse would know.

    Parameters
    ----------
    tau : float
        ms.
    """

    tau: float

    def __post_init__(self) -> None:
        check_number("Exponential: tau", self.tau, above=0, unit="ms")

    @property
    def span(self) -> tuple[float, float]:
        """Where the kernel is, ms before and after the spike; less than 1e-16 lies beyond."""
        return 0.0, 37.0 * self.tau

    def mass(self, t: ArrayLike) -> NDArray[np.float64]:
        """Share of a spike's weight that lies before t ms after it."""
        return -np.expm1(-np.maximum(t, 0.0) / self.tau)

    def mass_integral(self, t: ArrayLike) -> NDArray[np.float64]:
        """Integral of `mass` up to t (ms)."""
        t = np.maximum(t, 0.0)
        return t - self.tau * self.mass(t)


@dataclass(frozen=True)
class Alpha:
    """After each spike, and only there, ``t exp(-t / tau) / tau^2``, which is highest at tau.

    Parameters
    ----------
    tau : float
        ms.
    """

    tau: float

    def __post_init__(self) -> None:
        check_number("Alpha: tau", self.tau, above=0, unit="ms")

    @property
    def span(self) -> tuple[float, float]:
        """Where the kernel is, ms before and after the spike; less than 1e-16 lies beyond."""
        return 0.0, 41.0 * self.tau

    def mass(self, t: ArrayLike) -> NDArray[np.float64]:
        """Share of a spike's weight that lies before t ms after it."""
        u = np.maximum(t, 0.0) / self.tau
        return -np.expm1(-u) - u * np.exp(-u)

    def mass_integral(self, t: ArrayLike) -> NDArray[np.float64]:
        """Integral of `mass` up to t (ms)."""
        u = np.maximum(t, 0.0) / self.tau
        return self.tau * (u + 2 * np.expm1(-u) + u * np.exp(-u))


Kernel = Gaussian | Boxcar | Exponential | Alpha
