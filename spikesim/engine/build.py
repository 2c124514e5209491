"""From a description to the arrays that kernels read: the one assembler.

A `Build` holds what a run only reads. It depends on the network, dt, precision and the number of
partitions; what is connected to what depends on the network alone.
"""

import math
import os
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import psutil

from spikesim.distributions import levels
from spikesim.engine.keyed import derive_key, generator
from spikesim.engine.loop import Wiring
from spikesim.engine.tables import (
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
from spikesim.engine.wiring import in_degree_rows, write_fan
from spikesim.inputs import Poisson, Spikes, WhiteNoise
from spikesim.network import DISTRIBUTIONS, Drive, Network, Population, Projection, extremes, shared
from spikesim.rules import AllToAll, FixedInDegree, FixedProbability, FixedTotal, OneToOne, Pairs

Precision = Literal["single", "double"]

WEIGHT_LEVELS = 2048  # quantiles that stand for a distribution of weights
FEWEST_LEVELS = 256  # with room for fewer, weights are stored beside the synapses
PARTITION_INPUTS = 65536
WIDEST_WINDOW = 3  # bits: windows of 8 delays; twice as many no longer lie in a 1 MB cache
LONGEST_EPOCH = 64  # steps between two looks at Ctrl-C, where no delay sets a limit


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses as arrays, sorted by source, then delay.

    ``sources`` and ``targets`` are numbers in their populations, ``weights`` in the unit of the
    receptor, ``delays`` in ms, ``receptors`` the names' places in the target's model.
    """

    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    receptors: np.ndarray

    def __len__(self) -> int:
        return self.sources.size


@dataclass(frozen=True, eq=False)
class Build:
    """A network wired and ready for any number of states; made by `build`."""

    network: Network
    dt: float
    precision: Precision
    threads: int
    partitions: int
    address_bits: int
    slot_bits: int
    epoch: int
    history: int
    wiring: Wiring
    units: dict[tuple[str, str], float]  # weight of one unit of an input
    limits: dict[tuple[str, str], float]  # largest sum of weights an input can hold
    values: dict[str, dict[str, Any]]  # parameters by population, drawn
    synapse_count: int
    seconds: float
    compile_seconds: float

    @property
    def real(self) -> type:
        return np.float32 if self.precision == "single" else np.float64

    @property
    def integer(self) -> type:
        return np.int32 if self.precision == "single" else np.int64

    @property
    def bytes_per_synapse(self) -> float:
        """Everything stored for connectivity, over the number of synapses."""
        w = self.wiring
        stored = w.words.nbytes + w.rows.nbytes + w.exact.nbytes + w.table.nbytes
        return stored / max(self.synapse_count, 1)

    def synapses(
        self, source: Population | str, target: Population | str, receptor: str | None = None
    ) -> Synapses:
        """What runs between two populations."""
        pre, post = (self._population(which) for which in (source, target))
        names = list(self.network.populations)
        p = names.index(post.name)
        receptors = list(post.model.receptors)
        w = self.wiring
        parts = []
        for f, fan in enumerate(w.fans):
            if fan["population"] != names.index(pre.name):
                continue
            for partition in range(self.partitions):
                parts.append(self._decode(f, partition, p, post))
        if not parts:
            empty = np.empty(0)
            return Synapses(*(empty.astype(np.int64),) * 2, empty, empty, empty.astype(np.int64))
        s, t, weight, delay, r = (np.concatenate(column) for column in zip(*parts, strict=True))
        if receptor is not None:
            ours = r == receptors.index(receptor)
            s, t, weight, delay, r = (column[ours] for column in (s, t, weight, delay, r))
        order = np.lexsort((t, delay, s))
        return Synapses(s[order], t[order], weight[order], delay[order] * self.dt, r[order])

    def _decode(self, f: int, partition: int, p: int, post: Population) -> tuple[np.ndarray, ...]:
        w = self.wiring
        fan, place, span = w.fans[f], w.places[partition, f], w.spans[partition, p]
        count = len(post.model.receptors)
        rows = w.rows[place["rows"] : place["rows"] + fan["size"] * fan["windows"] + 1]
        ours = slice(place["words"], place["words"] + rows[-1])
        words = w.words[ours].astype(np.int64)
        which = np.repeat(np.arange(fan["size"] * fan["windows"]), np.diff(rows))
        source, window = np.divmod(which, fan["windows"])
        slot = (words >> self.address_bits) & ((1 << self.slot_bits) - 1)
        local = (words & ((1 << self.address_bits) - 1)) - span["address"]
        block, lane = np.divmod(local, 64)
        block, r = np.divmod(block, max(count, 1))
        here = (local >= 0) & (block < span["last"] - span["first"])
        if place["exact"] < 0:
            integers = w.table[fan["table"] + (words >> (self.address_bits + self.slot_bits))]
        else:
            integers = w.exact[place["exact"] : place["exact"] + rows[-1]]
        unit = np.array([self.units[post.name, name] for name in post.model.receptors] + [0.0])
        r = np.where(here, r, count)
        target = (block + span["first"]) * 64 + lane
        delay = fan["first_delay"] + (window << self.slot_bits) + slot
        columns = (source, target, integers * unit[r], delay, r)
        return tuple(column[here] for column in columns)

    def _population(self, which: Population | str) -> Population:
        name = which if isinstance(which, str) else which.name
        if name not in self.network.populations:
            known = ", ".join(map(repr, self.network.populations))
            raise ValueError(f"unknown population {name!r}; known are {known}.")
        return self.network.populations[name]


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fastest_threads(network: Network) -> int:
    """Threads that suit a network: one where a step is too short to share, else every core."""
    neurons = sum(p.size for p in network.populations.values())
    return 1 if neurons < 2000 else cores()


def check_dt(dt: float) -> None:
    if not (isinstance(dt, int | float) and math.isfinite(dt) and dt > 0):
        raise ValueError(f"dt is {dt!r}; it must be a positive number of ms.")


def check_threads(threads: int | None) -> None:
    if threads is not None and (
        isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1
    ):
        raise ValueError(f"threads is {threads!r}; it must be a whole number, 1 or more.")


def expected_synapses(projection: Projection) -> float:
    """How many synapses a projection has, exactly or on average."""
    rule, source, target = projection.rule, projection.source, projection.target
    pairs = source.size * target.size
    match rule:
        case FixedProbability():
            return rule.p * (pairs - (0 if rule.autapses else shared(source, target)))
        case FixedInDegree():
            return rule.k * target.size
        case FixedTotal():
            return rule.n
        case OneToOne():
            return source.size
        case AllToAll():
            return pairs - (0 if rule.autapses else shared(source, target))
        case Pairs():
            return rule.sources.size
    raise AssertionError(rule)


def estimate_memory(network: Network, precision: Precision = "single") -> float:
    """Bytes that a build and one state will need, before anything is built."""
    real = 4 if precision == "single" else 8
    synapses = rows = scratch = state = 0.0
    for projection in network.projections.values():
        count = expected_synapses(projection)
        exact = isinstance(projection.weight, np.ndarray)
        synapses += count * (4 + real * exact)
        rows += projection.source.size * 4 * 9
        if isinstance(projection.rule, FixedInDegree | Pairs | OneToOne) or exact:
            scratch += count * (4 + 8 * exact + 8)
    for p in network.populations.values():
        rows_of_state = len(p.model.dynamics.derivatives) + len(p.model.dynamics.defaults) / 2
        state += p.size * (real * rows_of_state + 8 * real * max(len(p.model.receptors), 1) + 300)
    return synapses + rows + scratch + state + 150e6  # the last: Python, NumPy and Numba


def check_memory(network: Network, precision: Precision, limit: float | None) -> float:
    """The estimate in bytes; raises `MemoryError` if it exceeds the limit (GB)."""
    need = estimate_memory(network, precision)
    if limit is not None and not (math.isfinite(limit) and limit > 0):
        raise ValueError(f"memory is {limit!r}; it must be a positive number of GB.")
    allowed = psutil.virtual_memory().available if limit is None else limit * 1e9
    if need > allowed:
        raise MemoryError(
            f"the network needs about {need / 1e9:.2f} GB, more than the "
            f"{allowed / 1e9:.2f} GB that are {'available' if limit is None else 'allowed'}; "
            "make it smaller or raise the limit (memory, --memory)."
        )
    return need


def build(
    network: Network,
    *,
    dt: float = 0.1,
    threads: int | None = None,
    precision: Precision = "single",
    memory: float | None = None,
    weights: Literal["compact", "exact"] = "compact",
) -> Build:
    """Wire a network.

    Parameters
    ----------
    network : Network
    dt : float
        Step (ms).
    threads : int
        Worker threads of the runs to come. Default: what suits the network on this machine. It
        changes no spike.
    precision : "single" or "double"
    memory : float
        Limit in GB; default: the memory available.
    weights : "compact" or "exact"
        Whether a weight drawn from a distribution is one of (at most) 2,048 equally likely values
        with the distribution's mean and variance, or one of 65,536. Weights that are numbers or
        arrays are never rounded beyond the precision.

    Raises
    ------
    ValueError
        A delay below dt, or an argument out of range.
    MemoryError
        The network would need more than the limit; nothing has been allocated.
    """
    start = time.perf_counter()
    check_dt(dt)
    check_threads(threads)
    if precision not in ("single", "double"):
        raise ValueError(f"precision is {precision!r}; it must be 'single' or 'double'.")
    if weights not in ("compact", "exact"):
        raise ValueError(f"weights is {weights!r}; it must be 'compact' or 'exact'.")
    if not network.populations:
        raise ValueError("the network has no population; add one with network.population(...).")
    check_memory(network, precision, memory)
    for projection in network.projections.values():
        _check_delays(projection, dt)
    threads = int(threads or fastest_threads(network))
    values = {name: _draw_values(network, p) for name, p in network.populations.items()}

    populations = _population_table(network)
    partitions = _partition_count(populations, threads)
    spans, inputs = _spans(populations, partitions)
    address_bits = max(6, math.ceil(math.log2(max(inputs, 64))))
    integer = np.int32 if precision == "single" else np.int64
    # Four times the drives' share: `Simulation.set` can make them stronger.
    most = bounds(network, network.drives, dt, margin=4.0)
    headroom = 30 if precision == "single" else 62
    units = {
        key: 2.0 ** (math.ceil(math.log2(bound)) - headroom) if bound > 0 else 1.0
        for key, bound in most.items()
    }
    compile_start = time.perf_counter()
    compile_wiring(integer)
    compile_seconds = time.perf_counter() - compile_start
    fans = _wire(network, dt, populations, spans, units, address_bits, integer, weights, threads)
    delays = [fan["first_delay"] for fan in fans.wiring.fans]
    epoch = int(min([LONGEST_EPOCH, *delays]))
    history = 1 << math.ceil(math.log2(fans.longest_delay + epoch + 1))
    return Build(
        network=network,
        dt=float(dt),
        precision=precision,
        threads=threads,
        partitions=partitions,
        address_bits=address_bits,
        slot_bits=fans.slot_bits,
        epoch=epoch,
        history=history,
        wiring=fans.wiring,
        units=units,
        limits={key: unit * 2.0**headroom for key, unit in units.items()},
        values=values,
        synapse_count=fans.synapses,
        seconds=time.perf_counter() - start - compile_seconds,
        compile_seconds=compile_seconds,
    )


def _draw_values(network: Network, population: Population) -> dict[str, Any]:
    """Every parameter's value: a number, or an array with one per neuron."""
    values: dict[str, Any] = dict(population.model.dynamics.defaults)
    for name, value in population.model.all_values.items():
        values[name] = sampled(
            value, population.size, network.seed, "parameter", population.name, name
        )
    return values


def sampled(value: Any, size: int, *key: object) -> float | np.ndarray:
    """A number or an array as it is; a distribution drawn for ``size`` neurons under a key."""
    if isinstance(value, DISTRIBUTIONS):
        return value.quantile(generator(*key).random(size))
    array = np.asarray(value, float)
    return float(array) if array.ndim == 0 else array


def _population_table(network: Network) -> np.ndarray:
    table = np.zeros(len(network.populations), POPULATION)
    first = 0
    for row, p in zip(table, network.populations.values(), strict=True):
        row["first"], row["size"], row["receptors"] = first, p.size, len(p.model.receptors)
        first += p.size
    return table


def _partition_count(populations: np.ndarray, threads: int) -> int:
    """The smallest multiple of the threads whose partitions hold their inputs in 16 bits."""
    blocks = -(-populations["size"] // 64)
    count = threads
    while np.sum(-(-blocks // count) * populations["receptors"]) * 64 > PARTITION_INPUTS:
        count += threads
    return count


def _spans(populations: np.ndarray, partitions: int) -> tuple[np.ndarray, int]:
    """Which blocks lie in which partition, and the most inputs that a partition has."""
    spans = np.zeros((partitions, populations.size), SPAN)
    most = 0
    for partition in range(partitions):
        address = 0
        for p, population in enumerate(populations):
            blocks = -(-int(population["size"]) // 64)
            first = blocks * partition // partitions
            last = blocks * (partition + 1) // partitions
            spans[partition, p] = first, last, address
            address += 64 * (last - first) * int(population["receptors"])
        most = max(most, address)
    return spans, most


def bounds(
    network: Network, drives: Mapping[str, Drive], dt: float, margin: float = 1.0
) -> dict[tuple[str, str], float]:
    """For every input of a neuron a sum of weights that one step cannot exceed.

    At most one spike crosses a synapse in a step. Where numbers are drawn, twelve standard
    deviations above their mean are allowed for. Drives count ``margin`` times.
    """
    most = {(p.name, r): 0.0 for p in network.populations.values() for r in p.model.receptors}
    for projection in network.projections.values():
        key = projection.target.population, projection.receptor
        most[key] += _in_degree(projection) * max(map(abs, extremes(projection.weight)))
    for drive in drives.values():
        if drive.receptor:
            most[drive.target.population, drive.receptor] += margin * _in_a_step(drive.input, dt)
    return most


def _in_a_step(given: Any, dt: float) -> float:
    """The largest weight that an input can bring in one step."""
    match given:
        case Poisson():
            mean = float(np.max(given.rate)) * dt / 1000
            return _unlikely(mean) * float(np.max(np.abs(given.weight)))
        case WhiteNoise():
            return 6.0 * float(np.max(given.sd))
        case Spikes():
            arrivals = np.stack([arrival_steps(given.trains.times, dt), given.trains.neurons])
            together = np.unique(arrivals, axis=1, return_counts=True)[1].max(initial=0)
            return float(together) * float(np.max(np.abs(given.weight), initial=0.0))
    raise AssertionError(given)


def arrival_steps(times: np.ndarray, dt: float) -> np.ndarray:
    """The step at whose end a spike given at ``times`` has arrived: the one that ends at or next."""
    return np.maximum(np.ceil(times / dt - 1e-6).astype(np.int64) - 1, 0)


def _in_degree(projection: Projection) -> float:
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
        case FixedTotal():
            return min(_unlikely(rule.n / target.size), rule.n)
    raise AssertionError(rule)


def _unlikely(mean: float) -> float:
    return mean + 12 * math.sqrt(mean) + 30


def _check_delays(projection: Projection, dt: float) -> None:
    low, high = extremes(projection.delay)
    if low < dt * (1 - 1e-9):
        raise ValueError(
            f"projection {projection.name!r}: delays run down to {low:g} ms; they must be at least "
            f"dt = {dt:g} ms (for a distribution, set its low)."
        )
    if high / dt >= DELAY_LEVELS - 1:
        raise ValueError(
            f"projection {projection.name!r}: delays run up to {high:g} ms; the longest at "
            f"dt = {dt:g} ms is {dt * (DELAY_LEVELS - 2):g} ms."
        )


def in_steps(delays: Any, dt: float) -> np.ndarray:
    """Delays rounded to the nearest step, halves up, at least one."""
    return np.maximum(np.floor(np.asarray(delays, float) / dt + 0.5), 1).astype(np.uint16)


@dataclass
class _Wired:
    wiring: Wiring
    slot_bits: int
    longest_delay: int
    synapses: int


class _Table:
    """The weights of a fan: one entry for each number, some levels for each distribution."""

    def __init__(self) -> None:
        self.entries: dict[Any, tuple[int, int]] = {}
        self.values: list[np.ndarray] = []
        self.size = 0

    def add(self, key: Any, values: np.ndarray) -> tuple[int, int]:
        """First entry and their number; the same key gets the same entries."""
        if key not in self.entries:
            self.entries[key] = self.size, values.size
            self.values.append(values)
            self.size += values.size
        return self.entries[key]


def _wire(
    network: Network,
    dt: float,
    populations: np.ndarray,
    spans: np.ndarray,
    units: Mapping[tuple[str, str], float],
    address_bits: int,
    integer: type,
    weights: str,
    threads: int,
) -> _Wired:
    names = list(network.populations)
    by_source = sorted(network.projections.values(), key=lambda p: names.index(p.source.population))
    projections = np.zeros(len(by_source), PROJECTION)
    counts, stored_rows, stored_targets, stored_weights, stored_delays = [], [], [], [], []
    delay_tables: dict[Any, int] = {}
    delay_values: list[np.ndarray] = []
    sizes = dict(counts=0, stored_rows=0, stored=0, stored_weight=0, stored_delay=0)
    uniques: list[tuple[np.ndarray, np.ndarray] | None] = []
    shortest, longest = [], []
    for row, projection in zip(projections, by_source, strict=True):
        source, target, rule = projection.source, projection.target, projection.rule
        row["key"] = derive_key(network.seed, "projection", projection.name)
        row["target"] = names.index(target.population)
        receptors = network.populations[target.population].model.receptors
        row["receptor"] = list(receptors).index(projection.receptor)
        row["source_first"], row["source_step"], row["source_size"] = (
            source.start,
            source.step,
            source.size,
        )
        row["target_first"], row["target_step"], row["target_size"] = (
            target.start,
            target.step,
            target.size,
        )
        autapses = getattr(rule, "autapses", True) or source.population != target.population
        row["skip_self"] = not autapses
        given = isinstance(projection.weight, np.ndarray) or isinstance(
            projection.delay, np.ndarray
        )
        order = np.empty(0, np.int64)
        row["stored_rows"] = row["stored"] = row["stored_weight"] = row["stored_delay"] = -1
        if isinstance(rule, FixedInDegree | OneToOne | Pairs) or given:
            row["rule"] = STORED
            pointers, targets, order = _stored(network, projection, row)
            row["stored_rows"], row["stored"] = sizes["stored_rows"], sizes["stored"]
            stored_rows.append(pointers)
            stored_targets.append(targets)
            sizes["stored_rows"] += pointers.size
            sizes["stored"] += targets.size
        else:
            row["rule"], numbers = _counts(network, projection)
            row["counts"] = sizes["counts"]
            counts.append(numbers)
            sizes["counts"] += numbers.size
        if isinstance(projection.weight, np.ndarray):
            distinct, index = np.unique(
                np.broadcast_to(projection.weight, _shape(projection)).ravel()[order],
                return_inverse=True,
            )
            uniques.append((distinct, index))
            row["stored_weight"] = sizes["stored_weight"]
            stored_weights.append(index.astype(np.uint32))
            sizes["stored_weight"] += index.size
        else:
            uniques.append(None)
        if isinstance(projection.delay, np.ndarray):
            steps = in_steps(projection.delay, dt).ravel()
            shortest.append(int(steps.min(initial=65535)))
            longest.append(int(steps.max(initial=1)))
            row["stored_delay"] = sizes["stored_delay"]
            stored_delays.append(steps[order])
            sizes["stored_delay"] += order.size
            table_key = 1.0
        else:
            table_key = projection.delay
        if table_key not in delay_tables:
            delay_tables[table_key] = len(delay_values)
            u = (np.arange(DELAY_LEVELS) + 0.5) / DELAY_LEVELS
            drawn = isinstance(table_key, DISTRIBUTIONS)
            delay_values.append(
                in_steps(table_key.quantile(u), dt)
                if drawn
                else np.full(DELAY_LEVELS, in_steps(table_key, dt))
            )
        row["delay"] = delay_tables[table_key]
        if not isinstance(projection.delay, np.ndarray):
            shortest.append(int(delay_values[row["delay"]].min()))
            longest.append(int(delay_values[row["delay"]].max()))

    # Fans: the projections of one source population.
    fans = np.zeros(len({p.source.population for p in by_source}), FAN)
    source_of = np.array([names.index(p.source.population) for p in by_source], int)
    spread = 0
    for fan, population in zip(fans, np.unique(source_of), strict=True):
        ours = np.flatnonzero(source_of == population)
        fan["population"], fan["size"] = population, populations[population]["size"]
        fan["first_projection"], fan["last_projection"] = ours[0], ours[-1] + 1
        fan["first_delay"] = min(shortest[k] for k in ours)
        fan["windows"] = max(longest[k] for k in ours) - fan["first_delay"] + 1  # for now: in steps
        spread = max(spread, int(fan["windows"]))
    slot_bits = min(WIDEST_WINDOW, math.ceil(math.log2(max(spread, 1))))
    fans["windows"] = (fans["windows"] - 1 >> slot_bits) + 1

    # Weight tables.
    limit = 1 << (32 - address_bits - slot_bits)
    tables, is_exact, offset = [], [], 0
    for fan in fans:
        ours = range(fan["first_projection"], fan["last_projection"])
        fixed = sum(uniques[k][0].size if uniques[k] else 1 for k in ours)
        kinds = {
            (by_source[k].weight, units[by_source[k].target.population, by_source[k].receptor])
            for k in ours
            if isinstance(by_source[k].weight, DISTRIBUTIONS)
        }
        each = WEIGHT_LEVELS
        while kinds and fixed + each * len(kinds) > limit and each > FEWEST_LEVELS:
            each //= 2
        wide = weights == "exact" and kinds or fixed + each * len(kinds) > limit
        if wide:
            each = DELAY_LEVELS
        table = _Table()
        for k in ours:
            unit = units[by_source[k].target.population, by_source[k].receptor]
            weight = by_source[k].weight
            if uniques[k]:
                first, count = table.add(("array", k), uniques[k][0] / unit)
            elif isinstance(weight, DISTRIBUTIONS):
                first, count = table.add((weight, unit), levels(weight, each) / unit)
            else:
                first, count = table.add((weight, unit), np.array([weight / unit]))
            projections[k]["weight"], projections[k]["levels"] = first, count
        fan["table"] = offset
        offset += table.size
        tables.append(np.rint(np.concatenate(table.values)).astype(integer))
        is_exact.append(bool(wide))

    def joined(parts: list[np.ndarray], kind: type) -> np.ndarray:
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0], kind)
        return np.concatenate([*parts, np.empty(0, kind)]).astype(kind, copy=False)

    table = joined(tables, integer)
    all_counts = joined(counts, np.int64)
    rows_all, targets_all = joined(stored_rows, np.int64), joined(stored_targets, np.int32)
    stored_rows.clear(), stored_targets.clear()
    weights_all, delays_all = joined(stored_weights, np.uint32), joined(stored_delays, np.uint16)
    tables_of_delays = np.array(delay_values or [np.ones(DELAY_LEVELS)], np.uint16)

    # Places: capacity first, then all partitions at once.
    partitions = spans.shape[0]
    places = np.zeros((partitions, fans.size), ROWS)
    room = np.zeros((partitions, fans.size), np.int64)
    words = rows = exact = 0
    for partition in range(partitions):
        for f, fan in enumerate(fans):
            capacity = sum(
                _share(projections[k], spans[partition], all_counts, targets_all, rows_all)
                for k in range(fan["first_projection"], fan["last_projection"])
            )
            room[partition, f] = capacity
            places[partition, f] = words, rows, exact if is_exact[f] else -1
            words += capacity
            rows += int(fan["size"] * fan["windows"] + 1)
            exact += capacity * is_exact[f]
    word_array = np.empty(words, np.uint32)
    row_array = np.empty(rows, np.uint32)
    exact_array = np.empty(exact, integer)
    lengths = _longest_rows(fans, projections, all_counts, rows_all)

    def write(partition: int) -> int:
        total = 0
        for f, fan in enumerate(fans):
            place, capacity = places[partition, f], room[partition, f]
            outside = place["exact"] if is_exact[f] else 0
            written = write_fan(
                fan,
                projections,
                spans[partition],
                populations,
                all_counts,
                tables_of_delays,
                rows_all,
                targets_all,
                weights_all,
                delays_all,
                table,
                address_bits,
                slot_bits,
                lengths[f],
                word_array[place["words"] : place["words"] + capacity],
                exact_array[outside : outside + capacity * is_exact[f]],
                row_array[place["rows"] :],
            )
            if written < 0:
                raise RuntimeError(
                    f"fan {f} of partition {partition} outgrew its {capacity} synapses."
                )
            total += written
        return total

    with ThreadPoolExecutor(min(partitions, max(cores(), 1), max(threads, 1))) as pool:
        total = sum(pool.map(write, range(partitions)))
    wiring = Wiring(populations, spans, fans, places, row_array, word_array, exact_array, table)
    return _Wired(wiring, slot_bits, max([1, *longest]), total)


def compile_wiring(integer: type) -> None:
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
        np.zeros(0, np.uint32),
        np.zeros(0, integer),
        np.zeros(1, np.uint32),
    )


def _shape(projection: Projection) -> tuple[int, ...]:
    match projection.rule:
        case AllToAll():
            return projection.source.size, projection.target.size
        case OneToOne():
            return (projection.source.size,)
    return (projection.rule.sources.size,)


def _stored(
    network: Network, projection: Projection, row: np.void
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
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
    order = np.argsort(pre, kind="stable")
    if not getattr(rule, "autapses", True):
        same = (source.start + source.step * pre == target.start + target.step * post) & (
            source.population == target.population
        )
        order = order[~same[order]]
    pointers = np.zeros(source.size + 1, np.int64)
    np.cumsum(np.bincount(pre[order], minlength=source.size), out=pointers[1:])
    return pointers, post[order].astype(np.int32), order


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
        case FixedTotal(multapses=True):
            return DRAWN, random.multinomial(rule.n, allowed / allowed.sum())
        case FixedTotal():
            return DISTINCT, random.multivariate_hypergeometric(allowed, rule.n, method="marginals")
    raise AssertionError(rule)


def _share(
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
    mean = total * here / int(projection["target_size"])
    return min(total, int(mean + 10 * math.sqrt(mean)) + 64) if here else 0


def _longest_rows(
    fans: np.ndarray, projections: np.ndarray, counts: np.ndarray, stored_rows: np.ndarray
) -> list[int]:
    """For each fan a number of synapses that no source exceeds."""
    longest = []
    for fan in fans:
        total = 0
        for projection in projections[fan["first_projection"] : fan["last_projection"]]:
            size = projection["source_size"]
            if projection["rule"] == STORED:
                at = projection["stored_rows"]
                total += int(np.diff(stored_rows[at : at + size + 1]).max(initial=0))
            else:
                at = projection["counts"]
                total += int(counts[at : at + size].max(initial=0))
        longest.append(total)
    return longest
