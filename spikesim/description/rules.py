"""Who connects to whom. Each rule is a small frozen object; nothing is drawn here."""

import math
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikesim.names import named_options


def _whole(rule: Any, name: str) -> None:
    value = getattr(rule, name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(
            f"{type(rule).__name__}: {name} is {value!r}; it must be a whole number, 0 or more."
        )
    object.__setattr__(rule, name, int(value))  # NumPy's small integers would overflow


def _number(rule: Any, name: str, *, zero: bool = False, most: float = math.inf) -> None:
    value = getattr(rule, name)
    number = isinstance(value, int | float | np.number) and not isinstance(value, bool)
    if not number or not (0 < value <= most or (zero and value == 0)) or math.isinf(value):
        allowed = f"between 0 and {most:g}" if most < math.inf else "positive and finite"
        raise ValueError(f"{type(rule).__name__}: {name} is {value!r}; it must be {allowed}.")
    object.__setattr__(rule, name, float(value))


@named_options()
@dataclass(frozen=True)
class FixedProbability:
    """Each pair is connected with probability ``p``, independently of all others."""

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.p, int | float | np.number) or not 0 <= self.p <= 1:
            raise ValueError(f"FixedProbability: p is {self.p!r}; it must lie between 0 and 1.")


@named_options()
@dataclass(frozen=True)
class FixedInDegree:
    """Each target receives ``k`` synapses from sources drawn at random.

    ``multapses`` allows several from one source, ``autapses`` from the neuron itself.
    """

    k: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _whole(self, "k")


@named_options()
@dataclass(frozen=True)
class FixedOutDegree:
    """Each source makes ``k`` synapses onto targets drawn at random.

    ``multapses`` allows several onto one target, ``autapses`` onto the neuron itself.
    """

    k: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _whole(self, "k")


@named_options()
@dataclass(frozen=True)
class FixedTotal:
    """``n`` synapses in all, sources and targets drawn at random."""

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _whole(self, "n")


@named_options()
@dataclass(frozen=True)
class OneToOne:
    """Source k to target k; both have the same size."""


@named_options()
@dataclass(frozen=True)
class AllToAll:
    """Every source to every target."""

    autapses: bool = True


@named_options()
@dataclass(frozen=True, eq=False)
class Pairs:
    """Synapse k runs from ``sources[k]`` to ``targets[k]`` (numbers within what is connected).

    Weights and delays of the connection may then be arrays with one value per synapse.
    """

    sources: Any = field(repr=False)
    targets: Any = field(repr=False)

    def __post_init__(self) -> None:
        for name in ("sources", "targets"):
            values = np.asarray(getattr(self, name))
            if values.ndim != 1 or (values.size and not np.issubdtype(values.dtype, np.integer)):
                raise ValueError(
                    f"Pairs: {name} has type {values.dtype} and shape {values.shape}; it must be a "
                    "one-dimensional array of whole numbers."
                )
            if values.size and values.max() >= 2**63:
                raise ValueError(f"Pairs: {name} holds {values.max()}; it must be below 2^63.")
            object.__setattr__(self, name, values.astype(np.int64))
        if self.sources.size != self.targets.size:
            raise ValueError(
                f"Pairs: {self.sources.size} sources and {self.targets.size} targets; "
                "there must be as many of one as of the other."
            )


@dataclass(frozen=True, eq=False)
class Edges:
    """A table of synapses, as `spikesim.interop.edges.read_edges` gives it; connects as it is.

    Parameters
    ----------
    sources, targets : integer arrays
        Synapse k runs from ``sources[k]`` to ``targets[k]``.
    weights, delays : arrays, optional
        One value per row, weights in the unit of the receptor, delays in ms.
    multiplicity : integer array, optional
        How many synapses each row stands for (``nsyns`` of SONATA). ``weights`` are for all of
        them. A weight that `Network.connect` is given besides is one synapse's if it is a number,
        and so is multiplied; an array is taken as it is, one value a row. Default: one each.
    labels : array, optional
        What neurons were called before they were numbered: ``labels[k]`` is neuron k. None: as
        they are numbered.
    notes : sequence of str
        What was made of a file's columns, in words; ``print(edges)`` shows them.

    Attributes
    ----------
    rule : Pairs
        The same without weights and delays.

    Raises
    ------
    ValueError
        Numbers that are not whole, arrays of other lengths, values that are not finite.
    """

    sources: Any = field(repr=False)
    targets: Any = field(repr=False)
    weights: Any = field(default=None, repr=False)
    delays: Any = field(default=None, repr=False)
    multiplicity: Any = field(default=None, repr=False)
    labels: Any = field(default=None, repr=False)
    notes: Any = field(default=(), repr=False)
    rule: Pairs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", Pairs(self.sources, self.targets))
        object.__setattr__(self, "sources", self.rule.sources)
        object.__setattr__(self, "targets", self.rule.targets)
        for name in ("weights", "delays"):
            if getattr(self, name) is None:
                continue
            values = np.asarray(getattr(self, name), float)
            if values.shape != self.sources.shape:
                raise ValueError(
                    f"Edges: {name} has shape {values.shape}; it must be {self.sources.shape}."
                )
            if not np.isfinite(values).all():
                k = int(np.argmin(np.isfinite(values)))
                raise ValueError(f"Edges: {name}[{k}] is {values[k]}; it must be finite.")
            object.__setattr__(self, name, values)
        object.__setattr__(self, "notes", tuple(self.notes))
        if self.multiplicity is not None:
            counts = np.asarray(self.multiplicity)
            if counts.shape != self.sources.shape or counts.dtype.kind not in "iu":
                raise ValueError(
                    f"Edges: multiplicity has type {counts.dtype} and shape {counts.shape}; it "
                    f"must be whole numbers of shape {self.sources.shape}."
                )
            if counts.size and counts.min() < 0:
                raise ValueError(
                    f"Edges: multiplicity runs down to {counts.min()}; 0 is the least."
                )
            object.__setattr__(self, "multiplicity", counts.astype(np.int64))

    def __len__(self) -> int:
        return self.sources.size

    def __repr__(self) -> str:
        many = "" if self.multiplicity is None else f" for {self.multiplicity.sum()} synapses"
        return f"Edges({'; '.join([f'{len(self)} rows{many}', *self.notes])})"

    def repeated(self) -> "Edges":
        """The same with a row for each synapse, of an equal share of the weight."""
        if self.multiplicity is None:
            return self
        counts = self.multiplicity
        rows = np.repeat(np.arange(len(self)), counts)
        weights = None if self.weights is None else self.weights[rows] / counts[rows]
        delays = None if self.delays is None else self.delays[rows]
        notes = (*self.notes, "a row for each synapse")
        return Edges(
            self.sources[rows], self.targets[rows], weights, delays, None, self.labels, notes
        )

    def weight_of_rows(self, weight: Any) -> Any:
        """What a row weighs if ``weight`` is that of a synapse, or an array of the rows' own."""
        if self.multiplicity is None or np.ndim(weight):
            return weight
        if not isinstance(weight, int | float | np.number):
            raise ValueError(
                f"Edges: weight is {weight!r}, but rows stand for several synapses each "
                "(multiplicity): give a number, an array with a value a row, or connect by "
                "edges.repeated(), which has a row for each synapse."
            )
        return weight * self.multiplicity


@named_options()
@dataclass(frozen=True)
class Gaussian:
    """p(d) = p0 exp(-d^2 / (2 sigma^2))."""

    sigma: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _number(self, "sigma")
        _number(self, "p0", zero=True, most=1.0)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * np.exp(-0.5 * np.square(np.asarray(distance) / self.sigma))


@named_options()
@dataclass(frozen=True)
class ExponentialProfile:
    """p(d) = p0 exp(-d / length)."""

    length: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _number(self, "length")
        _number(self, "p0", zero=True, most=1.0)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * np.exp(-np.asarray(distance) / self.length)


@named_options()
@dataclass(frozen=True)
class Box:
    """p(d) = p0 up to the radius, 0 beyond."""

    radius: float
    p0: float = 1.0

    def __post_init__(self) -> None:
        _number(self, "radius")
        _number(self, "p0", zero=True, most=1.0)

    def probability(self, distance: Any) -> Any:
        """Of a synapse between two neurons so far apart."""
        return self.p0 * (np.asarray(distance) <= self.radius)


@named_options()
@dataclass(frozen=True)
class DistanceDependent:
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

    def __post_init__(self) -> None:
        if not isinstance(self.profile, Gaussian | ExponentialProfile | Box):
            raise TypeError(
                f"DistanceDependent: profile is {self.profile!r}; it must be Gaussian, "
                "ExponentialProfile or Box."
            )
        if self.period is None:
            return
        try:
            period = np.asarray(self.period, float)
        except (TypeError, ValueError):
            period = np.empty(0)
        if period.ndim > 1 or not period.size or not (np.isfinite(period) & (period > 0)).all():
            raise ValueError(
                f"DistanceDependent: period is {self.period!r}; it must be a positive number, or "
                "one for each dimension."
            )
        object.__setattr__(self, "period", tuple(period.tolist()) if period.ndim else float(period))


@named_options()
@dataclass(frozen=True)
class DistanceDelay:
    """delay = offset + distance / velocity, for `DistanceDependent`.

    ``offset`` in ms, ``velocity`` in the unit of the positions per ms.
    """

    offset: float
    velocity: float

    def __post_init__(self) -> None:
        _number(self, "offset")
        _number(self, "velocity")


Rule = (
    FixedProbability
    | FixedInDegree
    | FixedOutDegree
    | FixedTotal
    | OneToOne
    | AllToAll
    | Pairs
    | DistanceDependent
)
