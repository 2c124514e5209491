"""Who connects to whom. Each rule is a small frozen object; nothing is drawn here."""

from dataclasses import dataclass, field
from typing import Any

import numpy as np


def _whole(rule: Any, name: str) -> None:
    value = getattr(rule, name)
    if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 0:
        raise ValueError(
            f"{type(rule).__name__}: {name} is {value!r}; it must be a whole number, 0 or more."
        )
    object.__setattr__(rule, name, int(value))  # NumPy's small integers would overflow


@dataclass(frozen=True)
class FixedProbability:
    """Each pair is connected with probability ``p``, independently of all others."""

    p: float
    autapses: bool = True

    def __post_init__(self) -> None:
        if not isinstance(self.p, int | float | np.number) or not 0 <= self.p <= 1:
            raise ValueError(f"FixedProbability: p is {self.p!r}; it must lie between 0 and 1.")


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


@dataclass(frozen=True)
class FixedTotal:
    """``n`` synapses in all, sources and targets drawn at random."""

    n: int
    autapses: bool = True
    multapses: bool = True

    def __post_init__(self) -> None:
        _whole(self, "n")


@dataclass(frozen=True)
class OneToOne:
    """Source k to target k; both have the same size."""


@dataclass(frozen=True)
class AllToAll:
    """Every source to every target."""

    autapses: bool = True


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
            object.__setattr__(self, name, values.astype(np.int64))
        if self.sources.size != self.targets.size:
            raise ValueError(
                f"Pairs: {self.sources.size} sources and {self.targets.size} targets; "
                "there must be as many of one as of the other."
            )


Rule = FixedProbability | FixedInDegree | FixedTotal | OneToOne | AllToAll | Pairs
