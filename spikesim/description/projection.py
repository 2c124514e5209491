"""Projections: a rule between two sets of neurons, and what its synapses weigh and how late."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim import display
from spikesim.checks import check_numbers, check_shape
from spikesim.description.distributions import WEIGHT_LEVELS, Distribution, extremes, tail
from spikesim.description.edges import Edges
from spikesim.description.plausibility import warn_of_si
from spikesim.description.population import View
from spikesim.description.rules import DistanceDelay, DistanceDependent, Pairs, Positions, Rule


@dataclass(frozen=True)
class Static:
    """A synapse whose weight does not change."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A rule applied between two sets of neurons."""

    name: str
    source: View
    target: View
    rule: Rule
    weight: Any
    delay: Any
    receptor: str
    synapse: Static = Static()

    def __repr__(self) -> str:
        rule, weight, delay = map(display.brief, (self.rule, self.weight, self.delay))
        return f"<Projection {self.name!r}: {rule}, weight {weight}, delay {delay} ms>"

    @property
    def by_source(self) -> bool:
        """Whether the synapses of one source can be drawn without those of the others."""
        given = isinstance(self.weight, np.ndarray) or isinstance(self.delay, np.ndarray)
        return self.rule.by_source and not given

    def delays(self, positions: Positions) -> tuple[float, float]:
        """The shortest and the longest delay that a synapse can have."""
        low, high = extremes(self.delay)
        if isinstance(self.delay, DistanceDelay):
            high = self.delay.at(self.rule.farthest(self.source, self.target, positions))
        return low, high


def as_rule(
    where: str, given: Any, weight: Any, delay: Any, source: View, target: View
) -> tuple[Rule, Any, Any]:
    """The rule that a sparse matrix or `Edges` stand for, with the weights and delays they bring.

    In this file ``where`` begins every sentence that refuses something.
    """
    rule = given
    if hasattr(rule, "tocoo"):
        entries = rule.tocoo()
        if entries.shape != (source.size, target.size):
            raise ValueError(
                f"{where}: the matrix has shape {entries.shape}; it must be "
                f"(sources, targets) = ({source.size}, {target.size})."
            )
        if np.iscomplexobj(entries.data):
            raise ValueError(f"{where}: the matrix is complex; it must be real.")
        weight = entries.data.astype(float) if weight is None else weight
        rule = Pairs(entries.row, entries.col)
    if isinstance(rule, Edges):
        weight = rule.weights if weight is None else rule.weight_of_rows(weight)
        delay = rule.delays if delay is None else delay
        rule = rule.rule
    if not isinstance(rule, Rule):
        raise TypeError(
            f"{where}: rule is {rule!r}; it must be a rule such as "
            "FixedProbability(0.1), or a scipy.sparse matrix."
        )
    return rule, weight, delay


def values_of(
    where: str, weight: Any, delay: Any, rule: Rule, source: View, target: View
) -> tuple[Any, Any]:
    """Weights and delays as numbers, arrays of the right shape, or what they are drawn from."""
    if weight is None:
        raise ValueError(f"{where}: weight is missing.")
    if delay is None:
        raise ValueError(
            f"{where}: delay is None; give a finite number of ms, an array or a distribution."
        )
    weight = _per_synapse(where, "weight", weight, rule, source, target)
    delay = _per_synapse(where, "delay", delay, rule, source, target)
    if isinstance(weight, Distribution):
        try:
            tail(weight, WEIGHT_LEVELS)
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from None
    return weight, delay


def check_delay(where: str, delay: Any) -> None:
    """Refuse delays that are not positive, and warn of those that look like seconds."""
    if np.size(delay) and extremes(delay)[0] <= 0:
        raise ValueError(
            f"{where}: delays run down to {extremes(delay)[0]:g} ms; they must be "
            "positive (for a distribution, set its low)."
        )
    warn_of_si(where, {"delay": (delay, "ms")})


def _per_synapse(where: str, what: str, value: Any, rule: Rule, source: View, target: View) -> Any:
    if isinstance(value, Distribution):
        return value
    if isinstance(value, DistanceDelay):
        if what != "delay" or not isinstance(rule, DistanceDependent):
            raise ValueError(
                f"{where}: {what} is {value!r}; that is for delays of DistanceDependent alone."
            )
        return value
    array = check_numbers(f"{where}: {what}", value, "a number, array or distribution")
    if array.ndim == 0:
        return float(array)
    shape = rule.array_shape(source, target)
    if shape is None:
        raise ValueError(
            f"{where}: {what} is an array, but the synapses of "
            f"{type(rule).__name__} are drawn; give a number or a distribution."
        )
    check_shape(f"{where}: {what}", array, (), shape)
    return array
