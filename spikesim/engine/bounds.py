"""How large a sum of weights can become in one step: what the integer inputs must hold."""

import math
from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np

from spikesim.engine.times import ratio
from spikesim.engine.wiring import BOX, EXPONENTIAL, GAUSSIAN, largest_in_degree
from spikesim.inputs import (
    CorrelatedPoisson,
    Gamma,
    Poisson,
    PoissonDeadTime,
    PoissonRates,
    Sampled,
    Spikes,
    WhiteNoise,
)
from spikesim.network import Drive, Network, Projection, extremes
from spikesim.rules import (
    AllToAll,
    Box,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotal,
    Gaussian,
    OneToOne,
    Pairs,
)


def bounds(
    network: Network, drives: Iterable[Drive], dt: float, margin: float = 1.0
) -> dict[tuple[str, str], float]:
    """For every input of a neuron a sum of weights that one step cannot exceed.

    At most one spike crosses a synapse in a step. Where numbers are drawn, twelve standard
    deviations above their mean are allowed for. Drives count ``margin`` times.
    """
    most = {(p.name, r): 0.0 for p in network.populations.values() for r in p.model.receptors}
    for projection in network.projections.values():
        key = projection.target.population, projection.receptor
        most[key] += _in_degree(network, projection) * max(map(abs, extremes(projection.weight)))
    for drive in drives:
        if drive.receptor:
            most[drive.target.population, drive.receptor] += margin * _in_a_step(drive.input, dt)
    return most


def _in_a_step(given: Any, dt: float) -> float:
    """The largest weight that an input can bring in one step."""
    match given:
        case Poisson(rate=rates) | PoissonRates(rates=rates) | CorrelatedPoisson(rate=rates):
            mean = float(np.max(rates)) * dt / 1000
            return _unlikely(mean) * float(np.max(np.abs(given.weight)))
        case Gamma() | PoissonDeadTime():
            return float(np.max(np.abs(given.weight)))
        case Sampled():
            return float(np.max(np.abs(given.values)))
        case WhiteNoise():
            return 6.0 * float(np.max(given.sd))
        case Spikes():
            arrivals = np.stack([arrival_steps(given.trains.times, dt), given.trains.neurons])
            together = np.unique(arrivals, axis=1, return_counts=True)[1].max(initial=0)
            return float(together) * float(np.max(np.abs(given.weight), initial=0.0))
    raise AssertionError(given)


def arrival_steps(times: np.ndarray, dt: float) -> np.ndarray:
    """The steps at whose end spikes given at ``times`` have arrived."""
    above, below = ratio(dt)
    steps = times * below / above
    near = np.rint(steps)  # what a time of many steps is rounded to moves it by more than 1e-6
    whole = abs(steps - near) < 1e-6 + 2 * np.spacing(steps)
    return np.maximum(np.where(whole, near, np.ceil(steps)).astype(np.int64) - 1, 0)


@lru_cache(maxsize=64)  # asked again whenever an input is changed
def _in_degree(network: Network, projection: Projection) -> float:
    rule, source, target = projection.rule, projection.source, projection.target
    match rule:
        case FixedInDegree():
            return rule.k
        case OneToOne():
            return 1
        case AllToAll():
            return source.size
        case Pairs():
            return int(np.bincount(rule.targets, minlength=1).max())
        case FixedProbability():
            return min(_unlikely(rule.p * source.size), source.size)
        case FixedOutDegree():
            mean = rule.k * source.size / max(1, target.size - (not rule.autapses))
            return min(_unlikely(mean), source.size * (rule.k if rule.multapses else 1))
        case FixedTotal():
            return min(_unlikely(rule.n / target.size), rule.n)
        case DistanceDependent():
            mean = largest_in_degree(*space(network, projection), *profile(rule))
            return min(_unlikely(mean), source.size)
    raise AssertionError(rule)


def space(network: Network, projection: Projection) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Positions of sources and targets, and the period of each dimension over its inverse."""
    positions = [network.positions(view) for view in (projection.source, projection.target)]
    period = np.zeros((2, positions[0].shape[1]))
    if projection.rule.period is not None:
        period[0] = projection.rule.period
        period[1] = 1 / period[0]
    return positions[0], positions[1], period


def profile(rule: DistanceDependent) -> tuple[int, float, float]:
    """Kind, scale and height, as the kernels want them."""
    match rule.profile:
        case Gaussian(sigma, p0):
            return GAUSSIAN, sigma, p0
        case Box(radius, p0):
            return BOX, radius, p0
        case _:
            return EXPONENTIAL, rule.profile.length, rule.profile.p0


def farthest(network: Network, projection: Projection) -> float:
    """A distance that no pair of a `DistanceDependent` projection exceeds."""
    sources, targets, period = space(network, projection)
    both = np.concatenate([sources, targets])
    extent = np.ptp(both, axis=0)
    around = np.where(period[0] > 0, np.minimum(extent, period[0] / 2), extent)
    return math.hypot(*around)


def _unlikely(mean: float) -> float:
    return mean + 12 * math.sqrt(mean) + 30
