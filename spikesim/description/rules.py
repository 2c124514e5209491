"""Who connects to whom. Each rule is a small frozen object; nothing is drawn here.

A rule answers for itself what is asked of it between two sets of neurons; whoever asks needs not
know which rule it is.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikesim.checks import check_number, check_numbers, check_whole, check_whole_numbers
from spikesim.description.population import View, shared
from spikesim.names import named_options

PAIRS_DRAWN = 250_000  # to estimate how many synapses there are by distance

Positions = Callable[[View], np.ndarray | None]  # [neuron, dimension]: `Network.positions`


class Rule:
    """What every rule answers."""

    by_source = True  # whether a source's synapses can be drawn without those of the others
    autapses = True  # whether a neuron may connect to itself; most rules have a field for it

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        """Refuse neurons that the rule cannot connect; ``where`` begins the sentence."""

    def array_shape(self, source: View, target: View) -> tuple[int, ...] | None:
        """Shape that arrays of weights and delays have; None if the synapses are drawn."""
        return None

    def expected(self, source: View, target: View, positions: Positions) -> float:
        """How many synapses there are, exactly or on average."""
        raise NotImplementedError

    def in_degree(
        self, source: View, target: View, by_distance: Callable[[DistanceDependent], float]
    ) -> tuple[float, float]:
        """How many synapses a target has on average, where it has most, and how many it can have.

        ``by_distance`` finds the former for the rule for which all distances must be looked at.
        """
        raise NotImplementedError


@named_options()
@dataclass(frozen=True)
class FixedProbability(Rule):
    """Each pair is connected with probability ``p``, independently of all others."""

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        check_number("FixedProbability: p", self.p, least=0, most=1)

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return self.p * _pairs(self, source, target)

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        return self.p * source.size, source.size


@named_options()
@dataclass(frozen=True)
class FixedInDegree(Rule):
    """Each target receives ``k`` synapses from sources drawn at random.

    ``multapses`` allows several from one source, ``autapses`` from the neuron itself.
    """

    k: int
    autapses: bool = True
    multapses: bool = True

    by_source = False

    def __post_init__(self) -> None:
        _keep_whole(self, "k")

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        most = source.size - (_overlap(self, source, target) > 0)
        if not most:
            raise ValueError(_no_source(where))
        if self.k > most and not self.multapses:
            raise ValueError(f"{where}: k is {self.k}; without multapses there are {most} sources.")

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return self.k * target.size

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        return self.k, self.k


@named_options()
@dataclass(frozen=True)
class FixedOutDegree(Rule):
    """Each source makes ``k`` synapses onto targets drawn at random.

    ``multapses`` allows several onto one target, ``autapses`` onto the neuron itself.
    """

    k: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _keep_whole(self, "k")

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        most = target.size - (_overlap(self, source, target) > 0)
        if self.k and not most:
            raise ValueError(
                f"{where}: without autapses there is no target for one of the sources."
            )
        if self.k > most and not self.multapses:
            raise ValueError(f"{where}: k is {self.k}; without multapses there are {most} targets.")

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return self.k * source.size

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        mean = self.k * source.size / max(1, target.size - (not self.autapses))
        return mean, source.size * (self.k if self.multapses else 1)


@named_options()
@dataclass(frozen=True)
class FixedTotal(Rule):
    """``n`` synapses in all, sources and targets drawn at random."""

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _keep_whole(self, "n")

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        if _overlap(self, source, target) and source.size == target.size == 1:
            raise ValueError(_no_source(where))
        most = _pairs(self, source, target)
        if self.n > most and not self.multapses:
            raise ValueError(f"{where}: n is {self.n}; without multapses there are {most} pairs.")

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return self.n

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        return self.n / target.size, self.n


@named_options()
@dataclass(frozen=True)
class OneToOne(Rule):
    """Source k to target k; both have the same size."""

    by_source = False

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        if source.size != target.size:
            raise ValueError(
                f"{where}: OneToOne needs sizes that are equal, not {source.size} and "
                f"{target.size}."
            )

    def array_shape(self, source: View, target: View) -> tuple[int, ...]:
        return (source.size,)

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return source.size

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        return 1, 1


@named_options()
@dataclass(frozen=True)
class AllToAll(Rule):
    """Every source to every target."""

    autapses: bool = True

    def array_shape(self, source: View, target: View) -> tuple[int, ...]:
        return source.size, target.size

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return _pairs(self, source, target)

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        return source.size, source.size


@named_options()
@dataclass(frozen=True, eq=False)
class Pairs(Rule):
    """Synapse k runs from ``sources[k]`` to ``targets[k]`` (numbers within what is connected).

    Weights and delays of the connection may then be arrays with one value per synapse.
    """

    sources: Any = field(repr=False)
    targets: Any = field(repr=False)

    by_source = False

    def __post_init__(self) -> None:
        for name in ("sources", "targets"):
            values = check_whole_numbers(f"Pairs: {name}", getattr(self, name))
            object.__setattr__(self, name, values)
        if self.sources.size != self.targets.size:
            raise ValueError(
                f"Pairs: {self.sources.size} sources and {self.targets.size} targets; "
                "there must be as many of one as of the other."
            )

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        for what, size in (("sources", source.size), ("targets", target.size)):
            numbers = getattr(self, what)
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < size:
                raise ValueError(
                    f"{where}: {what} run from {numbers.min()} to {numbers.max()}; "
                    f"they must lie between 0 and {size - 1} (other ids: read_edges numbers them "
                    "with renumber=True)."
                )

    def array_shape(self, source: View, target: View) -> tuple[int, ...]:
        return (self.sources.size,)

    def expected(self, source: View, target: View, positions: Positions) -> float:
        return self.sources.size

    def in_degree(self, source: View, target: View, by_distance: Any) -> tuple[float, float]:
        most = int(np.bincount(self.targets, minlength=1).max())
        return most, most


@named_options()
@dataclass(frozen=True)
class Gaussian:
    """p(d) = p0 exp(-d^2 / (2 sigma^2))."""

    sigma: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _keep_number(self, "sigma", above=0)
        _keep_number(self, "p0", least=0, most=1)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * np.exp(-0.5 * np.square(np.asarray(distance) / self.sigma))

    @property
    def scale(self) -> float:
        """Its one length."""
        return self.sigma


@named_options()
@dataclass(frozen=True)
class ExponentialProfile:
    """p(d) = p0 exp(-d / length)."""

    length: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _keep_number(self, "length", above=0)
        _keep_number(self, "p0", least=0, most=1)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * np.exp(-np.asarray(distance) / self.length)

    @property
    def scale(self) -> float:
        """Its one length."""
        return self.length


@named_options()
@dataclass(frozen=True)
class Box:
    """p(d) = p0 up to the radius, 0 beyond."""

    radius: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _keep_number(self, "radius", above=0)
        _keep_number(self, "p0", least=0, most=1)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * (np.asarray(distance) <= self.radius)

    @property
    def scale(self) -> float:
        """Its one length."""
        return self.radius


@named_options()
@dataclass(frozen=True)
class DistanceDependent(Rule):
    """Each pair is connected with a probability that its distance sets, independently of others.

    Parameters
    ----------
    profile : Gaussian, ExponentialProfile or Box
    period : float or one per dimension, optional
        Space repeats itself after so much: distances are the shortest around. In the unit of the
        populations' positions.
    autapses : bool

    Notes
    -----
    Every pair is looked at once when the network is built, whether or not it gets a synapse.
    """

    profile: Gaussian | ExponentialProfile | Box
    period: Any = None
    autapses: bool = True

    by_source = False

    def __post_init__(self) -> None:
        if not isinstance(self.profile, Gaussian | ExponentialProfile | Box):
            raise TypeError(
                f"DistanceDependent: profile is {self.profile!r}; it must be Gaussian, "
                "ExponentialProfile or Box."
            )
        if self.period is None:
            return
        what = "a number, or one for each dimension"
        period = check_numbers(
            "DistanceDependent: period", self.period, what, above=0, dimensions=(0, 1)
        )
        object.__setattr__(self, "period", tuple(period.tolist()) if period.ndim else float(period))

    def check(self, where: str, source: View, target: View, positions: Positions) -> None:
        dimensions = []
        for view in (source, target):
            places = positions(view)
            if places is None:
                raise ValueError(
                    f"{where}: {view.population!r} has no positions, which "
                    "DistanceDependent needs; give network.population(..., positions=...)."
                )
            dimensions.append(places.shape[1])
        if dimensions[0] != dimensions[1]:
            raise ValueError(
                f"{where}: positions have {dimensions[0]} and {dimensions[1]} "
                "dimensions; sources and targets must have as many."
            )
        if isinstance(self.period, tuple) and len(self.period) != dimensions[0]:
            raise ValueError(
                f"{where}: period is {self.period}; it must be a number or have "
                f"{dimensions[0]} of them, one for each dimension."
            )

    def expected(self, source: View, target: View, positions: Positions) -> float:
        """Of the pairs of neurons, those between which a synapse is, by some of them."""
        sources, targets, (period, inverse) = self.space(source, target, positions)
        random = np.random.default_rng(0)  # to estimate by, not to wire
        along = sources[random.integers(len(sources), size=PAIRS_DRAWN)]
        along = along - targets[random.integers(len(targets), size=PAIRS_DRAWN)]
        along -= period * np.rint(along * inverse)
        distance = np.sqrt(np.sum(along**2, axis=1))
        mean = float(np.mean(self.profile.probability(distance)))
        return source.size * target.size * mean

    def in_degree(
        self, source: View, target: View, by_distance: Callable[[DistanceDependent], float]
    ) -> tuple[float, float]:
        return by_distance(self), source.size

    def space(
        self, source: View, target: View, positions: Positions
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Positions of sources and targets, and the period of each dimension over its inverse."""
        sources, targets = positions(source), positions(target)
        period = np.zeros((2, sources.shape[1]))
        if self.period is not None:
            period[0] = self.period
            period[1] = 1 / period[0]
        return sources, targets, period

    def farthest(self, source: View, target: View, positions: Positions) -> float:
        """A distance that no pair exceeds."""
        sources, targets, period = self.space(source, target, positions)
        extent = np.ptp(np.concatenate([sources, targets]), axis=0)
        around = np.where(period[0] > 0, np.minimum(extent, period[0] / 2), extent)
        return math.hypot(*around)


@named_options()
@dataclass(frozen=True)
class DistanceDelay:
    """delay = offset + distance / velocity, for `DistanceDependent`.

    ``offset`` in ms, ``velocity`` in the unit of the positions per ms.
    """

    offset: float
    velocity: float

    def __post_init__(self) -> None:
        _keep_number(self, "offset", above=0)
        _keep_number(self, "velocity", above=0)

    def extremes(self) -> tuple[float, float]:
        """The shortest, and no longest as long as no distances are known."""
        return self.offset, math.inf

    def at(self, distance: Any) -> Any:
        """The delay of synapses so long."""
        return self.offset + distance / self.velocity


def _keep_whole(rule: Any, name: str) -> None:
    value = getattr(rule, name)
    check_whole(f"{type(rule).__name__}: {name}", value, least=0)
    object.__setattr__(rule, name, int(value))  # NumPy's small integers would overflow


def _keep_number(rule: Any, name: str, **bounds: float) -> None:
    value = getattr(rule, name)
    check_number(f"{type(rule).__name__}: {name}", value, **bounds)
    object.__setattr__(rule, name, float(value))


def _overlap(rule: Any, source: View, target: View) -> int:
    """Neurons that would connect to themselves, and must not."""
    return 0 if rule.autapses else shared(source, target)


def _pairs(rule: Any, source: View, target: View) -> int:
    """Pairs of neurons that may be connected."""
    return source.size * target.size - _overlap(rule, source, target)


def _no_source(where: str) -> str:
    return f"{where}: without autapses there is no source for one of the targets."
