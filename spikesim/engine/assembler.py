"""Projections into the tables and arrays of `tables`: what a fan holds, and where it lies."""

import math
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.description.distributions import levels, tail
from spikesim.description.network import DISTRIBUTIONS, Network, Projection
from spikesim.description.rules import (
    AllToAll,
    DistanceDelay,
    DistanceDependent,
    FixedInDegree,
    FixedOutDegree,
    FixedProbability,
    FixedTotal,
    OneToOne,
    Pairs,
)
from spikesim.engine.bounds import profile, space
from spikesim.engine.clock.loop import Wiring
from spikesim.engine.clock.procedural import Drawing
from spikesim.engine.clock.tables import (
    ALL,
    DELAY_LEVELS,
    DISTINCT,
    DRAWN,
    FAN,
    POPULATION,
    PROJECTION,
    ROWS,
    SPAN,
    STORED,
)
from spikesim.engine.connectivity.wiring import (
    distance_rows,
    distinct,
    in_degree_rows,
    row_distances,
    sorted_rows,
    write_fan,
)
from spikesim.random import derive_key, generator

MOST_HASHED = 65536  # different weights of an array; more are sorted
PIECE = 1 << 20  # delays turned to steps at a time
TABLE_BITS = 13  # of a synapse for its weight; fans with more values keep weights beside synapses
WRITTEN, LISTED = 12.0, 15.0  # ns of a synapse, and of one that is listed before, roughly
MEASURED = 15.0  # ns of a pair whose distance is looked at, roughly
WIDEST_WINDOW = 3  # bits: windows of 8 delays; the slots of 16 no longer lie in a cache of 1 MB


def in_steps(delays: Any, dt: float) -> np.ndarray:
    """Delays rounded to the nearest step, halves up, at least one."""
    return np.maximum(np.floor(np.asarray(delays, float) / dt + 0.5 + 1e-9), 1).astype(np.uint16)


class _Column:
    """Arrays put one behind the other."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.parts: list[np.ndarray] = []
        self.size = 0

    def add(self, part: np.ndarray) -> int:
        """Append an array; returns where it begins."""
        first = self.size
        self.parts.append(part)
        self.size += part.size
        return first

    def joined(self) -> np.ndarray:
        """All in one, without a copy if there is but one; the parts are let go."""
        parts, self.parts = self.parts, []
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0], self.kind)
        return np.concatenate([*parts, np.empty(0, self.kind)]).astype(self.kind, copy=False)


class _Table:
    """The weights of a fan: one entry for each number, some levels for each distribution."""

    def __init__(self) -> None:
        self.entries: dict[Any, tuple[int, int]] = {}
        self.values: list[np.ndarray] = []
        self.size = 0

    def add(self, key: Any, values: np.ndarray) -> None:
        """Append entries; ``entries[key]`` is the first and their number."""
        self.entries[key] = self.size, values.size
        self.values.append(values)
        self.size += values.size


@dataclass(frozen=True)
class Layout:
    """What the synapses are written around."""

    populations: np.ndarray
    spans: np.ndarray
    units: dict[tuple[str, str], float]
    address_bits: int
    integer: type


class Assembler:
    """Gathers projections one by one, then writes all fans."""

    def __init__(
        self,
        network: Network,
        dt: float,
        layout: Layout,
        workers: int,
        count: int,
        tell: Callable[[float], object] = lambda seconds: None,
    ) -> None:
        self.network, self.dt, self.layout, self.workers = network, dt, layout, workers
        self.tell = tell  # called with what was foreseen for a piece of work, when it is done
        self.names = list(network.populations)
        self.sorted = sorted(
            network.projections.values(), key=lambda p: self.names.index(p.source.population)
        )
        self.projections = np.zeros(len(self.sorted), PROJECTION)
        self.counts, self.stored_rows = _Column(np.int64), _Column(np.int64)
        self.stored_targets = _Column(np.int32)
        self.stored_weights, self.stored_delays = _Column(np.uint32), _Column(np.uint16)
        self.delay_tables: dict[Any, int] = {}
        self.delay_values: list[np.ndarray] = []
        self.synapses_of: dict[str, int] = {}
        self.distinct: list[np.ndarray | None] = []  # values of weights that are arrays
        self.shortest: list[int] = []
        self.longest: list[int] = []
        for row, projection in zip(self.projections, self.sorted, strict=True):
            self._add(row, projection)
        self.fans = self._fans()
        self.table, self.outside, self.word = self._weight_tables(count)

    def _add(self, row: np.void, projection: Projection) -> None:
        source, target, rule = projection.source, projection.target, projection.rule
        receptors = self.network.populations[target.population].model.receptors
        row["key"] = derive_key(self.network.seed, "projection", projection.name)
        row["target"] = self.names.index(target.population)
        row["receptor"] = list(receptors).index(projection.receptor)
        for side, view in (("source", source), ("target", target)):
            row[f"{side}_first"], row[f"{side}_step"] = view.start, view.step
            row[f"{side}_size"] = view.size
        autapses = getattr(rule, "autapses", True) or source.population != target.population
        row["skip_self"] = not autapses
        arrays = [isinstance(x, np.ndarray) for x in (projection.weight, projection.delay)]
        order = np.empty(0, np.int64)
        row["stored_rows"] = row["stored_weight"] = row["stored_delay"] = -1
        if is_stored(projection):
            row["rule"] = STORED
            if isinstance(rule, DistanceDependent):
                pointers, targets = self._by_distance(projection, row)
            else:
                pointers, targets, order = _stored(projection, row)
            row["stored_rows"] = self.stored_rows.add(pointers)
            row["stored"] = self.stored_targets.add(targets)
            self.synapses_of[projection.name] = targets.size
            self.tell(1e-9 * LISTED * targets.size)
        else:
            row["rule"], counts = _counts(self.network, projection)
            row["counts"] = self.counts.add(counts)
            self.synapses_of[projection.name] = int(counts.sum())
        self.distinct.append(None)
        if arrays[0]:
            self.distinct[-1], index = _distinct(projection.weight.ravel(), order)
            row["stored_weight"] = self.stored_weights.add(index)
        if arrays[1]:
            pieces = np.array_split(order, order.size // PIECE + 1)
            given = projection.delay.ravel()
            steps = np.concatenate([in_steps(given[piece], self.dt) for piece in pieces])
            row["stored_delay"] = self.stored_delays.add(steps)
        elif isinstance(projection.delay, DistanceDelay):
            given = row_distances(pointers, targets, *space(self.network, projection))
            given /= projection.delay.velocity
            given += projection.delay.offset
            steps = in_steps(given, self.dt)
            row["stored_delay"] = self.stored_delays.add(steps)
        else:
            row["delay"], steps = self._delay_table(projection.delay)
        self.shortest.append(int(steps.min()) if steps.size else 1)
        self.longest.append(int(steps.max()) if steps.size else 1)

    def _by_distance(self, projection: Projection, row: np.void) -> tuple[np.ndarray, np.ndarray]:
        """Row pointers and targets of a `DistanceDependent` projection, sources side by side."""
        source, target = projection.source, projection.target
        where, shape = space(self.network, projection), profile(projection.rule)

        def drawn(first: int, last: int) -> tuple[np.ndarray, np.ndarray]:
            rows = distance_rows(
                np.uint64(row["key"]),
                first,
                last,
                bool(row["skip_self"]),
                (source.start, source.step, source.size),
                (target.start, target.step, target.size),
                *where,
                *shape,
            )
            self.tell(1e-9 * MEASURED / self.workers * (last - first) * target.size)
            return rows

        parts = min(source.size, 4 * self.workers)
        ends = [source.size * k // parts for k in range(parts + 1)]
        with ThreadPoolExecutor(self.workers) as pool:
            pointers, targets = zip(*pool.map(drawn, ends[:-1], ends[1:]), strict=True)
        counts = np.concatenate([np.diff(each) for each in pointers])
        return np.concatenate([[0], np.cumsum(counts)]), np.concatenate(targets)

    def _delay_table(self, delay: Any) -> tuple[int, np.ndarray]:
        """Number and values of the quantiles of a delay; equal delays share a table."""
        if delay not in self.delay_tables:
            u = (np.arange(DELAY_LEVELS) + 0.5) / DELAY_LEVELS
            values = delay.quantile(u) if isinstance(delay, DISTRIBUTIONS) else delay + 0 * u
            self.delay_tables[delay] = len(self.delay_values)
            self.delay_values.append(in_steps(values, self.dt))
        number = self.delay_tables[delay]
        return number, self.delay_values[number]

    def _fans(self) -> np.ndarray:
        """The projections of each source population; windows as wide as the delays' spread."""
        source_of = np.array([self.names.index(p.source.population) for p in self.sorted], int)
        sources = np.unique(source_of)
        fans = np.zeros(sources.size, FAN)
        for fan, population in zip(fans, sources, strict=True):
            ours = np.flatnonzero(source_of == population)
            fan["population"] = population
            fan["size"] = self.layout.populations[population]["size"]
            fan["first_projection"], fan["last_projection"] = ours[0], ours[-1] + 1
            fan["first_delay"] = min(self.shortest[k] for k in ours)
            fan["windows"] = max(self.longest[k] for k in ours) - fan["first_delay"] + 1  # steps
        spread = int(fans["windows"].max(initial=1))
        self.slot_bits = min(WIDEST_WINDOW, math.ceil(math.log2(spread)))
        fans["windows"] = (fans["windows"] - 1 >> self.slot_bits) + 1
        return fans

    def _weight_tables(self, count: int) -> tuple[np.ndarray, list[bool], type]:
        """Tables of all fans, which fans keep their weights outside the words, and what words are.

        They have 16 bits where all fans can do with so few: with the half to read, a synaptic event
        of Brunel's network takes nine tenths of the time.
        """
        bits = self.layout.address_bits + self.slot_bits
        most = 1 << min(32 - bits, TABLE_BITS)
        whole, outside, longest = _Column(self.layout.integer), [], 1
        for fan in self.fans:
            ours = range(fan["first_projection"], fan["last_projection"])
            table = _Table()
            for k in ours:
                unit = self._unit(k)
                array = self.distinct[k] is not None
                key = ("array", k) if array else (self.sorted[k].weight, unit)
                if key not in table.entries:
                    table.add(key, self._weights(k, count) / unit)
                row = self.projections[k]
                row["weight"], entries = table.entries[key]
                row["levels"] = row["common"] = entries
                if isinstance(self.sorted[k].weight, DISTRIBUTIONS):
                    beyond = tail(self.sorted[k].weight, count)
                    row["levels"], row["common"] = count, count - beyond.covers
                    row["octaves"] = len(beyond.values)
            fan["table"] = whole.add(np.rint(np.concatenate(table.values)))
            fan["uniform"] = table.size == 1
            outside.append(table.size > most)
            longest = max(longest, 1 if outside[-1] else table.size)
        return whole.joined(), outside, np.uint16 if longest << bits <= 1 << 16 else np.uint32

    def _weights(self, k: int, count: int) -> np.ndarray:
        """The values that the weights of a projection can have; levels, if they are drawn."""
        weight = self.sorted[k].weight
        if self.distinct[k] is not None:
            return self.distinct[k]
        if isinstance(weight, DISTRIBUTIONS):
            return np.concatenate([levels(weight, count), tail(weight, count).values.ravel()])
        return np.array([weight])

    def _unit(self, k: int) -> float:
        projection = self.sorted[k]
        return self.layout.units[projection.target.population, projection.receptor]

    def write(self, procedural: bool) -> Wiring:
        """Write all synapses, partitions side by side; of fans that can be drawn again, none."""
        layout, fans, projections = self.layout, self.fans, self.projections
        table, outside = self.table, self.outside
        counts = self.counts.joined()
        rows_in, targets_in = self.stored_rows.joined(), self.stored_targets.joined()
        weights_in, delays_in = self.stored_weights.joined(), self.stored_delays.joined()
        delay_tables = np.array(self.delay_values or [np.ones(1)], np.uint16)

        for fan in fans if procedural else ():
            ours = projections[fan["first_projection"] : fan["last_projection"]]
            fan["drawn"] = np.all(ours["rule"] != STORED)
        partitions = layout.spans.shape[0]
        places = np.zeros((partitions, fans.size), ROWS)
        room = np.zeros((partitions, fans.size), np.int64)
        words = rows = exact = 0
        for partition in range(partitions):
            for f, fan in enumerate(fans):
                if fan["drawn"]:
                    continue
                ours = projections[fan["first_projection"] : fan["last_projection"]]
                spans = layout.spans[partition]
                room[partition, f] = sum(_room(p, spans, counts, targets_in, rows_in) for p in ours)
                places[partition, f] = words, rows, exact if outside[f] else -1
                words += room[partition, f]
                rows += int(fan["size"] * fan["windows"] + 1)
                exact += room[partition, f] * outside[f]
        word_array, row_array = np.empty(words, self.word), np.empty(rows, np.uint32)
        exact_array = np.empty(exact, layout.integer)
        longest = [self._longest_row(fan, counts, rows_in) for fan in fans]

        def write(partition: int) -> None:
            for f in np.flatnonzero(fans["drawn"] == 0):
                fan = fans[f]
                place, size = places[partition, f], room[partition, f]
                written = write_fan(
                    fan,
                    projections,
                    layout.spans[partition],
                    layout.populations,
                    counts,
                    delay_tables,
                    rows_in,
                    targets_in,
                    weights_in,
                    delays_in,
                    table,
                    layout.address_bits,
                    self.slot_bits,
                    longest[f],
                    word_array[place["words"] :][:size],
                    exact_array[max(place["exact"], 0) :][: size * outside[f]],
                    row_array[place["rows"] :],
                )
                if written < 0:
                    raise RuntimeError(f"fan {f} of partition {partition} outgrew {size} synapses.")
                self.tell(1e-9 * WRITTEN / self.workers * int(size))

        with ThreadPoolExecutor(self.workers) as pool:
            list(pool.map(write, range(partitions)))
        drawing = None
        if np.any(fans["drawn"]):
            widest = int(projections["target_size"].max())
            drawing = Drawing(projections, counts, delay_tables, max(longest), widest)
        return Wiring(
            layout.populations,
            layout.spans,
            fans,
            places,
            row_array,
            word_array,
            exact_array,
            table,
            drawing,
        )

    def _longest_row(self, fan: np.void, counts: np.ndarray, stored_rows: np.ndarray) -> int:
        """A number of synapses that no source of the fan exceeds."""
        total = 0
        for projection in self.projections[fan["first_projection"] : fan["last_projection"]]:
            size = projection["source_size"]
            if projection["rule"] == STORED:
                pointers = stored_rows[projection["stored_rows"] :][: size + 1]
                total += int(np.diff(pointers).max(initial=0))
            else:
                total += int(counts[projection["counts"] :][:size].max(initial=0))
        return total


def is_stored(projection: Projection) -> bool:
    """Whether a projection's synapses cannot be drawn source by source, but must be listed."""
    rules = FixedInDegree | OneToOne | Pairs | DistanceDependent
    values = projection.weight, projection.delay
    return isinstance(projection.rule, rules) or any(isinstance(x, np.ndarray) for x in values)


def compile_wiring(integer: type, word: type) -> None:
    """Compile the wiring kernels, or load them, by wiring nothing."""
    nothing = np.zeros(1, np.int64)
    write_fan(
        np.zeros(1, FAN)[0],
        np.zeros(0, PROJECTION),
        np.zeros(1, SPAN),
        np.zeros(1, POPULATION),
        nothing,
        np.zeros((1, 1), np.uint16),
        nothing,
        np.zeros(0, np.int32),
        np.zeros(0, np.uint32),
        np.zeros(0, np.uint16),
        np.zeros(0, integer),
        6,
        0,
        0,
        np.zeros(0, word),
        np.zeros(0, integer),
        np.zeros(1, np.uint32),
    )


def _stored(projection: Projection, row: np.void) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Rows of a projection that is not drawn by source: pointers, targets, order of the values."""
    rule, source, target = projection.rule, projection.source, projection.target
    if isinstance(rule, FixedInDegree):
        pointers, targets = in_degree_rows(
            np.uint64(row["key"]),
            rule.k,
            rule.multapses,
            bool(row["skip_self"]),
            (source.start, source.step, source.size),
            (target.start, target.step, target.size),
        )
        return pointers, targets, np.empty(0, np.int64)
    if isinstance(rule, OneToOne):
        pre = post = np.arange(source.size)
    elif isinstance(rule, AllToAll):
        pre = np.repeat(np.arange(source.size), target.size)
        post = np.tile(np.arange(target.size), source.size)
    else:
        pre, post = rule.sources, rule.targets
    kept = None
    if row["skip_self"]:
        same = source.start + source.step * pre == target.start + target.step * post
        kept = np.flatnonzero(~same)
        pre, post = pre[kept], post[kept]
    order = np.empty(pre.size, np.uint32 if pre.size < 1 << 32 else np.int64)
    pointers, targets = sorted_rows(pre, post, source.size, order)
    return pointers, targets, order if kept is None else kept[order]


def _distinct(values: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values, and which of them each is after it was put in order."""
    found, index = distinct(np.ascontiguousarray(values), order, MOST_HASHED)
    if index.size == order.size:
        return found, index
    found, index = np.unique(values[order], return_inverse=True)
    return found, index.astype(np.uint32)


def _counts(network: Network, projection: Projection) -> tuple[int, np.ndarray]:
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


def _room(
    projection: np.void,
    spans: np.ndarray,
    counts: np.ndarray,
    stored_targets: np.ndarray,
    stored_rows: np.ndarray,
) -> int:
    """Room for the synapses of a projection onto a partition, certain or all but certain."""
    span = spans[projection["target"]]
    neurons = projection["target_first"] + projection["target_step"] * np.array(
        [0, projection["target_size"] - 1]
    )
    step = int(projection["target_step"])
    low = max(int(span["first"]) * 64, int(neurons[0]))
    high = min(int(span["last"]) * 64, int(neurons[1]) + 1)
    first = -(-(low - int(neurons[0])) // step)
    last = -(-(high - int(neurons[0])) // step)
    here = max(0, last - first)
    if projection["rule"] == STORED:
        pointers = stored_rows[projection["stored_rows"] :]
        total = pointers[projection["source_size"]]
        targets = stored_targets[projection["stored"] : projection["stored"] + total]
        return int(np.count_nonzero((targets >= first) & (targets < last)))
    ours = counts[projection["counts"] : projection["counts"] + projection["source_size"]]
    total = int(ours.sum())
    if here == projection["target_size"]:
        return total
    others = max(1, int(projection["target_size"]) - int(projection["skip_self"]))
    mean = min(total, total * here / others)
    return min(total, int(mean + 10 * math.sqrt(mean)) + 64) if here else 0


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
