"""Functions of time after an event, of which filters are made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from spikesim.checks import check_number, check_numbers, check_whole

FAINT = 0.01  # of its start: where an exponential ends


class Basis(Protocol):
    """Functions b_j of the time after an event."""

    def values(self, lags: NDArray[np.float64]) -> NDArray[np.float64]:
        """b_j(lag), shape (lags, functions), of lags in ms, 0 or more."""
        ...

    @property
    def last(self) -> float:
        """Where all of them have ended (ms)."""
        ...


@dataclass(frozen=True)
class RaisedCosines:
    """Bumps that are evenly spaced, and equally wide, on a logarithmic axis of time.

    b_j(t) = (1 + cos(a (log(t + s) - c_j))) / 2 where the argument is within +-pi, else 0. Peaks
    c_j lie at log(first + s) to log(last_peak + s), pi / 2 apart in the argument, so that the bumps
    add up to a constant in between. Fine soon after an event, coarse later (Pillow et al. 2008).

    Parameters
    ----------
    n : int
        Functions, 2 or more.
    first, last_peak : float
        Where the first and the last have their peaks (ms).
    stretch : float
        s (ms): small is logarithmic all along, large is nearly linear.

    References
    ----------
    Pillow JW et al. (2008) Spatio-temporal correlations and visual signalling in a complete
    neuronal population. Nature 454:995-999.
    """

    n: int = 8
    first: float = 1.0
    last_peak: float = 60.0
    stretch: float = 1.0

    def __post_init__(self) -> None:
        check_whole("n", self.n, least=2)
        check_number("first", self.first, least=0.0, unit="ms")
        check_number("last_peak", self.last_peak, above=self.first, unit="ms")
        check_number("stretch", self.stretch, above=0.0, unit="ms")

    @property
    def _apart(self) -> float:
        """Distance of neighbouring peaks on the axis of log(t + s)."""
        ratio = (self.last_peak + self.stretch) / (self.first + self.stretch)
        return float(np.log(ratio) / (self.n - 1))

    @property
    def last(self) -> float:
        """Where the last bump ends (ms)."""
        return (self.last_peak + self.stretch) * float(np.exp(2 * self._apart)) - self.stretch

    def values(self, lags: NDArray[np.float64]) -> NDArray[np.float64]:
        """Bumps at these lags (ms, 0 or more), shape (lags, functions)."""
        where = np.log(np.asarray(lags, float)[:, None] + self.stretch)
        peaks = np.log(self.first + self.stretch) + self._apart * np.arange(self.n)
        angle = np.clip((where - peaks) * (np.pi / 2 / self._apart), -np.pi, np.pi)
        return (1 + np.cos(angle)) / 2


@dataclass(frozen=True)
class Exponentials:
    """Exponentials exp(-t / tau_j), until all have fallen to a hundredth.

    Parameters
    ----------
    taus : sequence of float
        ms.
    """

    taus: tuple[float, ...] = (2.0, 10.0, 50.0)

    def __post_init__(self) -> None:
        taus = check_numbers("taus", self.taus, "numbers (ms)", above=0.0, dimensions=(1,))
        if np.unique(taus).size < taus.size:
            raise ValueError(f"taus is {self.taus}; it must not hold a number twice.")
        object.__setattr__(self, "taus", tuple(taus.tolist()))

    @property
    def last(self) -> float:
        """Where the slowest has fallen to a hundredth (ms)."""
        return -float(np.log(FAINT)) * max(self.taus)

    def values(self, lags: NDArray[np.float64]) -> NDArray[np.float64]:
        """Exponentials at these lags (ms, 0 or more), shape (lags, functions)."""
        return np.exp(-np.asarray(lags, float)[:, None] / np.array(self.taus))


@dataclass(frozen=True)
class Steps:
    """Constants between edges: b_j(t) = 1 for edges[j] < t <= edges[j + 1], else 0.

    Parameters
    ----------
    edges : sequence of float
        ms, rising; a first edge below 0 takes in lag 0.
    """

    edges: tuple[float, ...] = (0.0, 2.0, 5.0, 10.0, 20.0, 50.0)

    def __post_init__(self) -> None:
        edges = check_numbers("edges", self.edges, "rising numbers (ms)", dimensions=(1,))
        if edges.size < 2 or np.any(np.diff(edges) <= 0) or edges[-1] <= 0:
            raise ValueError(f"edges is {self.edges}; it must be two or more, rising, to above 0.")
        object.__setattr__(self, "edges", tuple(edges.tolist()))

    @property
    def last(self) -> float:
        """The last edge (ms)."""
        return self.edges[-1]

    def values(self, lags: NDArray[np.float64]) -> NDArray[np.float64]:
        """Steps, 0 or 1, at these lags (ms), shape (lags, functions)."""
        lags, near = np.asarray(lags, float)[:, None], 1e-6
        low, high = np.array(self.edges[:-1]), np.array(self.edges[1:])
        return ((lags > low + near) & (lags <= high + near)).astype(float)
