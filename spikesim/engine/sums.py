"""How large a sum of weights can become in one step, and in which integers it is summed."""

import math
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import special

from spikesim.description.distributions import Distribution, extremes, likelihoods
from spikesim.description.inputs import Stimulus
from spikesim.description.network import Network
from spikesim.description.projection import Projection
from spikesim.engine.clock.steps import arrival_steps
from spikesim.engine.connectivity.rules import in_degree, largest_sum

DIGITS = 2.0**52  # of the largest sum, in the unit that is needed: beyond, doubles lose count
RARE = 1e-15  # probability that a closer bound does not hold: for a target, or in a step
MARGIN = 4.0  # how often a stimulus's share is reserved: `Simulation.set` can make it stronger
PIECE = 1 << 20  # weights that are looked at together

Key = tuple[str, str]  # population and receptor


@dataclass(frozen=True)
class Sums:
    """The integers in which weights that arrive in a step are summed, by their input."""

    units: dict[Key, float]  # weight of one unit
    limits: dict[Key, float]  # largest sum of weights
    taken: dict[Key, float]  # what synapses may take of it
    wide: bool  # whether they have 64 bits, not 32


@dataclass(frozen=True)
class Part:
    """What a projection or an input asks of the sums that it adds to."""

    key: Key
    told: str
    least: float  # its smallest weight above 0
    mean: float
    largest: float
    most: float  # that it brings in a step
    closer: Callable[[], float]  # the same, less generously
    signal: bool = False

    @property
    def unit(self) -> float:
        """The coarsest in which weights keep 1e-3 of themselves or 1e-6 of their mean."""
        needed = 2 * max(1e-3 * self.least, 1e-6 * self.mean)
        return needed if needed and self.most else math.inf

    def closely(self) -> "Part":
        return replace(self, most=min(self.most, max(self.largest, self.closer())))


def choose_sums(network: Network, dt: float, single: bool, count: int) -> Sums:
    """Sums in which every weight keeps 1e-3 of itself, or 1e-6 of its projection's or input's mean.

    At most one spike crosses a synapse in a step; where numbers are drawn, twelve standard
    deviations above their mean are allowed for. In single precision sums have 32 bits. Where those
    are too coarse, the largest sum is bounded more closely; where that does not do, sums have 64.

    Parameters
    ----------
    count : int
        Levels that stand for a distribution of weights.

    Raises
    ------
    ValueError
        A weight that would be lost beside another all the same.
    """
    populations = network.populations.values()
    keys = [(p.name, receptor) for p in populations for receptor in p.model.receptors]
    stimuli = [stimulus for stimulus in network.inputs.values() if stimulus.receptor]
    parts = [
        *(_of_projection(network, p, count) for p in network.projections.values()),
        *(_of_stimulus(stimulus, dt, MARGIN) for stimulus in stimuli),
    ]
    needed = dict.fromkeys(keys, math.inf)
    for part in parts:
        needed[part.key] = min(needed[part.key], part.unit)
    most = _total(keys, parts)
    fits = {key: most[key] <= DIGITS * needed[key] for key in keys}
    if single:
        fits = {key: _unit(most[key], 30) <= needed[key] for key in keys}
    parts = [part if fits[part.key] else part.closely() for part in parts]
    most = _total(keys, parts)
    wide = not single or any(_unit(most[key], 30) > needed[key] for key in keys if not fits[key])
    headroom, smallest = 62 if wide else 30, np.finfo(np.float32 if single else float).tiny
    units = {key: max(_unit(most[key], headroom), float(smallest)) for key in keys}
    for key in keys:
        if not fits[key] and most[key] > DIGITS * needed[key] or units[key] > needed[key]:
            ours = [part for part in parts if part.key == key]
            _refuse(min(ours, key=lambda part: part.unit), max(ours, key=lambda part: part.most))
    return Sums(
        units,
        {key: units[key] * 2.0**headroom if most[key] else 0.0 for key in keys},
        _total(keys, parts[: len(network.projections)]),
        wide,
    )


def _refuse(small: Part, large: Part) -> None:
    population, receptor = small.key
    beside = "others of its own" if small is large else large.told
    raise ValueError(
        f"{small.told}: weights of {small.least or small.mean:g} would be lost beside {beside}, "
        f"for which receptor {receptor!r} of {population!r} must add up to {large.most:g} in a "
        "step; that takes more than 52 bits: use different receptors, or weights that differ less."
    )


def check_sum(
    sums: Sums,
    described: Mapping[str, Stimulus],
    stimuli: Mapping[str, Stimulus],
    name: str,
    dt: float,
) -> None:
    """Refuse an input, set while running, whose weights the sums of a build cannot hold."""
    key = stimuli[name].target.population, stimuli[name].receptor
    if not stimuli[name].receptor:
        return
    ours = [d for d in stimuli.values() if (d.target.population, d.receptor) == key]
    parts = {stimulus.name: _of_stimulus(stimulus, dt, 1.0) for stimulus in ours}
    most, limit = sums.taken[key] + sum(part.most for part in parts.values()), sums.limits[key]
    if most > limit:
        most = sums.taken[key] + sum(part.closely().most for part in parts.values())
    if most > limit:
        raise ValueError(
            f"input {name!r} would be stronger than this build can add up ({most:g} "
            f"of at most {limit:g} per step): describe it so and build again."
        )
    part, unit = parts[name], sums.units[key]
    coarsest = part.unit
    if name in described:
        before = _of_stimulus(described[name], dt, 1.0)
        coarsest = max(coarsest, before.unit if part.signal else 2e-6 * before.mean)
    if unit > coarsest:
        raise ValueError(
            f"input {name!r}: weights of {part.least or part.mean:g} would be too small for this "
            f"build, which adds up in units of {unit:g}: describe it so and build again."
        )


def _unit(most: float, headroom: int) -> float:
    if not 0 < most < math.inf:
        return most or 1.0
    return 2.0 ** (math.ceil(math.log2(most)) - headroom)


def _total(keys: Iterable[Key], parts: Iterable[Part]) -> dict[Key, float]:
    total = dict.fromkeys(keys, 0.0)
    for part in parts:
        total[part.key] += part.most
    return total


def _of_projection(network: Network, projection: Projection, count: int) -> Part:
    weight = projection.weight
    mean, most = in_degree(network, projection)
    if isinstance(weight, Distribution):
        values, shares = likelihoods(weight, count)
    else:
        values, shares = np.asarray(weight, float), None
    largest = max(map(abs, extremes(values)))

    def closer() -> float:
        if shares is not None:
            return _largest_of_drawn(np.abs(values), shares, mean, most)
        if not values.ndim:
            return min(float(_at_most(mean)), most) * largest
        return largest_sum(projection)

    return Part(
        (projection.target.population, projection.receptor),
        f"projection {projection.name!r}",
        *_least_and_mean(values, shares),
        largest,
        min(_unlikely(mean), most) * max(largest, *map(abs, extremes(weight))),
        closer,
    )


def _of_stimulus(stimulus: Stimulus, dt: float, margin: float) -> Part:
    """``margin`` times what an input can bring in one step."""
    arriving = stimulus.input.largest(dt, arrival_steps)
    most, hardly_more = arriving.most, arriving.most
    if math.isinf(most):  # chance alone sets a bound
        most, hardly_more = _unlikely(arriving.mean), float(_at_most(arriving.mean))
    largest = max(map(abs, extremes(arriving.weights)))
    least, mean = _least_and_mean(np.asarray(arriving.weights, float))

    def closer() -> float:
        return margin * (hardly_more * largest if arriving.closest is None else arriving.closest)

    return Part(
        (stimulus.target.population, stimulus.receptor),
        f"input {stimulus.name!r}",
        least if arriving.least is None else arriving.least,
        mean,
        largest,
        margin * (most * largest),
        closer,
        arriving.signal,
    )


def _least_and_mean(values: np.ndarray, shares: np.ndarray | None = None) -> tuple[float, float]:
    """The smallest of weights that is not 0, and their mean, both without a sign."""
    if shares is not None:
        weights = np.abs(values)
        return float(weights[weights > 0].min(initial=np.inf)), float(shares @ weights)
    least, total = np.inf, 0.0
    for piece in np.array_split(values.ravel(), values.size // PIECE + 1):
        weights = np.abs(piece)
        least = min(least, float(weights[weights > 0].min(initial=np.inf)))
        total += float(weights.sum())
    return least if total else 0.0, total / max(values.size, 1)


def _at_most(mean: Any) -> np.ndarray:
    """A number that a Poisson variable of this mean hardly ever exceeds (nor a binomial one)."""
    mean = np.asarray(mean, float)
    low, high = np.full(mean.shape, -1.0), np.ceil(_unlikely(mean))
    while np.any(high - low > 1):
        middle = np.floor((low + high) / 2)
        enough = special.pdtrc(middle, mean) <= RARE
        low, high = np.where(enough, low, middle), np.where(enough, middle, high)
    return high


def _largest_of_drawn(values: np.ndarray, shares: np.ndarray, mean: float, most: float) -> float:
    """A sum of drawn values that a target's synapses hardly ever exceed, by Chernoff's bound.

    It has ``mean`` synapses on average, ``most`` at the very most.
    """
    largest = float(values.max())
    lowest = most * largest
    for x in np.geomspace(1e-6, 100, 200) if largest else ():
        grown = float(shares @ np.expm1(x / largest * values))
        exponent = most * math.log1p(grown) if mean == most else mean * grown
        lowest = min(lowest, (exponent - math.log(RARE)) / x * largest)
    return lowest


def _unlikely(mean: Any) -> Any:
    return mean + 12 * np.sqrt(mean) + 30
