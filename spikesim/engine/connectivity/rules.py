"""What each rule connects: lists of all its synapses, or how many each source draws.

This is where the engine asks which rule it is, and nowhere else.
"""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Literal

import numpy as np

from spikesim.description.network import Network
from spikesim.description.projection import Projection
from spikesim.description.rules import (
    AllToAll,
    Box,
    DistanceDelay,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotal,
    Gaussian,
    OneToOne,
    Pairs,
)
from spikesim.engine.connectivity.distance import (
    BOX,
    EXPONENTIAL,
    GAUSSIAN,
    distance_rows,
    largest_in_degree,
)
from spikesim.engine.connectivity.lists import in_degree_rows, sorted_rows
from spikesim.engine.connectivity.tables import ALL, DISTINCT, DRAWN
from spikesim.random import generator

MEASURED = 15.0  # ns of a pair whose distance is looked at, roughly

Connectivity = Literal["stored", "procedural"]
Tell = Callable[[float], object]  # is told what was foreseen for a piece of work (s), when done
Rows = tuple[np.ndarray, np.ndarray, np.ndarray]  # row pointers, targets, order of given values


def can_be_drawn(network: Network, projection: Projection) -> bool:
    """Whether all outputs of a projection's sources can be drawn again spike by spike."""
    source = projection.source.population
    outputs = [p for p in network.projections.values() if p.source.population == source]
    return all(p.by_source for p in outputs)


def listed(
    network: Network, projection: Projection, row: np.void, workers: int, tell: Tell
) -> Rows:
    """Rows by source of a projection that is not drawn by source."""
    source, target = projection.source, projection.target
    match projection.rule:
        case FixedInDegree(k=k, multapses=multapses):
            pointers, targets = in_degree_rows(
                np.uint64(row["key"]), k, multapses, bool(row["skip_self"]), *_slices(projection)
            )
            return pointers, targets, np.empty(0, np.int64)
        case DistanceDependent():
            return _by_distance(network, projection, row, workers, tell)
        case OneToOne():
            pre = post = np.arange(source.size)
        case AllToAll():
            pre = np.repeat(np.arange(source.size), target.size)
            post = np.tile(np.arange(target.size), source.size)
        case Pairs(sources=pre, targets=post):
            pass
        case rule:
            raise AssertionError(rule)
    kept = None
    if row["skip_self"]:
        same = source.start + source.step * pre == target.start + target.step * post
        kept = np.flatnonzero(~same)
        pre, post = pre[kept], post[kept]
    order = np.empty(pre.size, np.uint32 if pre.size < 1 << 32 else np.int64)
    pointers, targets = sorted_rows(pre, post, source.size, order)
    return pointers, targets, order if kept is None else kept[order]


def counted(network: Network, projection: Projection) -> tuple[int, np.ndarray]:
    """Which rule a kernel follows, and how many synapses each source has."""
    rule, source, target = projection.rule, projection.source, projection.target
    allowed = np.full(source.size, target.size, np.int64)
    if not rule.autapses and source.population == target.population:
        allowed -= np.isin(source.neurons, target.neurons)
    random = generator(network.seed, "counts", projection.name)
    match rule:
        case AllToAll():
            return ALL, allowed
        case FixedProbability():
            return DISTINCT, random.binomial(allowed, rule.p)
        case FixedOutDegree():
            return DRAWN if rule.multapses else DISTINCT, np.full(source.size, rule.k)
        case FixedTotal(multapses=True):
            return DRAWN, random.multinomial(rule.n, allowed / allowed.sum())
        case FixedTotal():
            return DISTINCT, _without_replacement(random, allowed, rule.n)
    raise AssertionError(rule)


def expected(network: Network, projection: Projection) -> float:
    """How many synapses a projection has, exactly or on average."""
    source, target = projection.source, projection.target
    return projection.rule.expected(source, target, network.positions)


def in_degree(network: Network, projection: Projection) -> tuple[float, float]:
    """See `Rule.in_degree`."""

    def by_distance(rule: DistanceDependent) -> float:
        return largest_in_degree(*space(network, projection), *_profile(rule))

    return projection.rule.in_degree(projection.source, projection.target, by_distance)


def measured_pairs(projection: Projection) -> int:
    """Pairs of neurons whose distance must be looked at."""
    by_distance = isinstance(projection.rule, DistanceDependent)
    return projection.source.size * projection.target.size if by_distance else 0


def listing_bytes(projection: Projection, count: float, workers: int) -> float:
    """What listing so many synapses takes beside them while a network is wired."""
    if isinstance(projection.rule, DistanceDependent):  # rows that grow, distances, delays
        by_length = isinstance(projection.delay, DistanceDelay)
        return count * (12 + 10 * by_length) + 8 * workers * projection.target.size
    given = isinstance(projection.weight, np.ndarray)
    return count * (12 + 8 * given) if given or not projection.rule.by_source else 0.0


def largest_sum(projection: Projection) -> float:
    """Of weights that are an array: the most that one target has, without signs."""
    weights = np.abs(projection.weight)
    match projection.rule:
        case Pairs(targets=targets):
            return float(np.bincount(targets, weights, minlength=1).max())
        case OneToOne():
            return float(weights.max(initial=0.0))
        case AllToAll():
            return float(weights.sum(axis=0).max())
    raise AssertionError(projection.rule)


def space(network: Network, projection: Projection) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """See `DistanceDependent.space`."""
    return projection.rule.space(projection.source, projection.target, network.positions)


def _profile(rule: DistanceDependent) -> tuple[int, float, float]:
    """Kind, scale and height, as the kernels want them."""
    kinds = {Gaussian: GAUSSIAN, Box: BOX}
    return kinds.get(type(rule.profile), EXPONENTIAL), rule.profile.scale, rule.profile.p0


def _slices(projection: Projection) -> tuple[tuple[int, int, int], ...]:
    views = projection.source, projection.target
    return tuple((view.start, view.step, view.size) for view in views)


def _by_distance(
    network: Network, projection: Projection, row: np.void, workers: int, tell: Tell
) -> Rows:
    """Rows of a `DistanceDependent` projection, sources side by side."""
    source, target = projection.source, projection.target
    where, shape = space(network, projection), _profile(projection.rule)

    def drawn(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
        key, skip_self = np.uint64(row["key"]), bool(row["skip_self"])
        rows = distance_rows(key, first, last, skip_self, *_slices(projection), *where, *shape)
        tell(1e-9 * MEASURED / workers * (last - first) * target.size)
        return rows

    parts = min(source.size, 4 * workers)
    ends = [source.size * k // parts for k in range(parts + 1)]
    with ThreadPoolExecutor(workers) as pool:
        pointers, targets = zip(*pool.map(drawn, ends[:-1], ends[1:]), strict=True)
    counts = np.concatenate([np.diff(each) for each in pointers])
    pointers = np.concatenate([[0], np.cumsum(counts)])
    return pointers, np.concatenate(targets), np.empty(0, np.int64)


def _without_replacement(random: np.random.Generator, allowed: np.ndarray, n: int) -> np.ndarray:
    """How many of ``n`` pairs drawn without replacement fall to each source.

    Given their number, pairs taken independently are a draw without replacement: so take a few
    less than n that way, then one after the other (NumPy's own function ends at 10^9 pairs).
    """
    total = int(allowed.sum())
    dense = 2 * n > total  # then draw the pairs that are left out
    wanted = total - n if dense else n
    counts = np.full(allowed.size, total)
    while counts.sum() > wanted:
        counts = random.binomial(allowed, max(0.0, wanted - 6 * math.sqrt(wanted)) / max(total, 1))
    ends = np.cumsum(allowed)
    for _ in range(wanted - int(counts.sum())):
        while True:  # a free pair, at every try with a chance of a half or more
            source = np.searchsorted(ends, random.integers(total), side="right")
            if random.random() * allowed[source] >= counts[source]:
                counts[source] += 1
                break
    return allowed - counts if dense else counts
