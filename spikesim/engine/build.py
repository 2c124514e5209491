"""From a description to the arrays that kernels read: the one assembler.

A `Build` holds what a run only reads. It depends on the network, dt, precision and the number of
partitions; what is connected to what depends on the network alone.
"""

import ast
import math
import os
import threading
import time
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import psutil
from tqdm import tqdm

from spikesim import display
from spikesim.codegen.generator import long_calls
from spikesim.description.distributions import EXACT_LEVELS, WEIGHT_LEVELS
from spikesim.description.network import (
    DISTRIBUTIONS,
    Network,
    Population,
    Projection,
    extremes,
    shared,
)
from spikesim.description.neuron import NeuronModel
from spikesim.description.plausibility import warn_of_si
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
from spikesim.engine.assembler import (
    LISTED,
    MEASURED,
    WRITTEN,
    Assembler,
    Layout,
    compile_wiring,
    is_stored,
)
from spikesim.engine.bounds import Sums, choose_sums, farthest, space
from spikesim.engine.clock.drives import input_bytes
from spikesim.engine.clock.loop import Wiring
from spikesim.engine.clock.tables import DELAY_LEVELS, POPULATION, SPAN
from spikesim.kernels.keyed import generator
from spikesim.names import named_options

Precision = Literal["single", "double"]
Connectivity = Literal["stored", "procedural"]

PARTITION_INPUTS = 65536
SHARED_WORK = 2_500  # ns between exchanges, from which more threads are faster
SAMPLED_PAIRS = 250_000  # to estimate how many synapses there are by distance
WORTH_A_BAR = 2.0  # seconds of a build
ASSUMED_RATE = 5.0  # Hz, where work is foreseen
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

    def __repr__(self) -> str:
        told = f"weights {display.span(self.weights)}, delays {display.span(self.delays)} ms"
        return f"<Synapses: {len(self):,}, {told}>"


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
    sums: Sums
    values: dict[str, dict[str, Any]]  # parameters by population, drawn
    synapses_of: dict[str, int]  # by projection
    seconds: float
    compile_seconds: float

    @property
    def real(self) -> type:
        return np.float32 if self.precision == "single" else np.float64

    @property
    def integer(self) -> type:
        return np.int64 if self.sums.wide else np.int32

    @property
    def units(self) -> dict[tuple[str, str], float]:
        """Weight of one unit of an input."""
        return self.sums.units

    @property
    def limits(self) -> dict[tuple[str, str], float]:
        """Largest sum of weights an input can hold."""
        return self.sums.limits

    @property
    def synapse_count(self) -> int:
        """Synapses of all projections."""
        return sum(self.synapses_of.values())

    @property
    def bytes_per_synapse(self) -> float:
        """Everything stored for connectivity, over the number of synapses."""
        w = self.wiring
        stored = w.words.nbytes + w.rows.nbytes + w.exact.nbytes + w.table.nbytes
        return stored / max(self.synapse_count, 1)

    def partition_of(self, population: int, blocks: np.ndarray) -> np.ndarray:
        """The partitions in which blocks of a population lie."""
        return np.searchsorted(self.wiring.spans[:, population]["last"], blocks, side="right")

    def synapses(
        self, source: Population | str, target: Population | str, receptor: str | None = None
    ) -> Synapses:
        """What runs between two populations."""
        pre, post = self._population("source", source), self._population("target", target)
        names = list(self.network.populations)
        p = names.index(post.name)
        receptors = list(post.model.receptors)
        w = self.wiring
        parts = []
        for f, fan in enumerate(w.fans):
            if fan["population"] != names.index(pre.name):
                continue
            if fan["drawn"]:
                raise ValueError(
                    f"the synapses of {pre.name!r} are not stored; to look at them, build with "
                    "connectivity='stored'."
                )
            for partition in range(self.partitions):
                parts.append(self._decode(f, partition, p, post))
        if receptor is not None and receptor not in receptors:
            known = ", ".join(map(repr, receptors))
            raise ValueError(f"receptor is {receptor!r}; {post.name!r} has {known}.")
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
        here = (local >= 0) & (block < span["last"] - span["first"]) & (count > 0)
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

    def _population(self, word: str, which: Population | str) -> Population:
        name = which.name if isinstance(which, Population) else which
        if not isinstance(name, str) or name not in self.network.populations:
            known = ", ".join(map(repr, self.network.populations))
            raise ValueError(f"{word} is {which!r}; it must be a population: one of {known}.")
        return self.network.populations[name]

    def __repr__(self) -> str:
        return f"<Build of {self.network.name!r}: {self._told()}>"

    def _told(self) -> str:
        neurons = sum(p.size for p in self.network.populations.values())
        return (
            f"{display.number(neurons, 'neuron')}, "
            f"{display.number(self.synapse_count, 'synapse')}, dt {self.dt:g} ms, "
            f"{self.precision} precision, {display.number(self.threads, 'thread')}"
        )

    def _repr_html_(self) -> str:
        populations = [
            (p.name, f"{p.size:,}", p.model.name) for p in self.network.populations.values()
        ]
        synapses = [(name, f"{count:,}") for name, count in self.synapses_of.items()]
        return display.whole(
            f"Build of {self.network.name}: {self._told()}",
            display.table("populations", ["name", "neurons", "model"], populations),
            display.table("projections", ["name", "synapses"], synapses),
        )


def cores() -> int:
    """Processors this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def fastest_threads(network: Network, dt: float) -> int:
    """Threads that suit a network: every core if there is enough to share between exchanges.

    An exchange costs 0.1 to 5 microseconds, by how far apart two cores are, so with little work one
    thread is faster; where the guess is wrong, a run goes on with fewer (see `pace`). The work is
    estimated from what the full microcircuit takes: 0.5 ns for a random input and 1.2 ns for a
    synapse that is passed, at 5 Hz.
    """
    step = step_nanoseconds(network, dt)
    delays = [extremes(p.delay)[0] for p in network.projections.values() if np.size(p.delay)]
    epoch = max(1, min([LONGEST_EPOCH, *(int(delay / dt) for delay in delays)]))
    return cores() if step * epoch > SHARED_WORK else 1


def step_nanoseconds(network: Network, dt: float, connectivity: Connectivity = "stored") -> float:
    """What a step will take one thread, roughly (see `fastest_threads`); synapses drawn: 10 ns."""
    updates = sum(p.size * _update_nanoseconds(p.model) for p in network.populations.values())
    driven = sum(d.target.size for d in network.inputs.values() if d.receptor)
    events = 0.0  # ns
    for projection in network.projections.values():
        drawn = connectivity == "procedural" and _can_be_drawn(network, projection)
        passed = expected_synapses(network, projection) * ASSUMED_RATE / 1000 * dt
        events += passed * (10.0 if drawn else 1.2)
    return updates + 0.5 * driven + events


def build_seconds(network: Network, workers: int, connectivity: Connectivity = "stored") -> float:
    """What a build will take, roughly, once its kernels are compiled."""
    shared_work = alone = 0.0  # ns
    for projection in network.projections.values():
        if connectivity == "procedural" and _can_be_drawn(network, projection):
            continue
        count = expected_synapses(network, projection)
        shared_work += WRITTEN * count
        alone += LISTED * count * is_stored(projection)
        if isinstance(projection.rule, DistanceDependent):
            shared_work += MEASURED * projection.source.size * projection.target.size
    return 1e-9 * (shared_work / workers + alone)


def _update_nanoseconds(model: NeuronModel) -> float:
    """Roughly, of one step of a neuron: 0.25 if linear, 0.4 with conductances, 2.5 for AdEx."""
    if model.linear:
        return 0.25
    nodes = [n for node in model.dynamics.derivatives.values() for n in ast.walk(node)]
    operations = sum(isinstance(node, ast.BinOp) for node in nodes)
    calls = long_calls(model.dynamics)
    stages = {"rk2": 2, "rk4": 4}.get(model.method, 1)
    return 0.25 + stages * (0.015 * operations + 0.25 * calls)


def check_dt(dt: float) -> None:
    if not (isinstance(dt, int | float) and math.isfinite(dt) and dt > 0):
        raise ValueError(f"dt is {dt!r}; it must be a positive number of ms.")


def check_whole(name: str, value: Any) -> int:
    """A seed or the like as an integer."""
    if isinstance(value, bool) or not isinstance(value, int | np.integer):
        raise ValueError(f"{name} is {value!r}; it must be a whole number.")
    return int(value)


def check_threads(threads: int | None) -> None:
    if threads is not None and (
        isinstance(threads, bool) or not isinstance(threads, int | np.integer) or threads < 1
    ):
        raise ValueError(f"threads is {threads!r}; it must be a whole number, 1 or more.")


def expected_synapses(network: Network, projection: Projection) -> float:
    """How many synapses a projection has, exactly or on average."""
    rule, source, target = projection.rule, projection.source, projection.target
    pairs = source.size * target.size
    match rule:
        case FixedProbability():
            return rule.p * (pairs - (0 if rule.autapses else shared(source, target)))
        case FixedInDegree():
            return rule.k * target.size
        case FixedOutDegree():
            return rule.k * source.size
        case FixedTotal():
            return rule.n
        case OneToOne():
            return source.size
        case AllToAll():
            return pairs - (0 if rule.autapses else shared(source, target))
        case Pairs():
            return rule.sources.size
        case DistanceDependent():
            return pairs * _mean_probability(network, projection)
    raise AssertionError(rule)


def _mean_probability(network: Network, projection: Projection) -> float:
    """Of a synapse by distance, over some of the pairs."""
    sources, targets, (period, inverse) = space(network, projection)
    random = np.random.default_rng(0)  # to estimate by, not to wire
    along = sources[random.integers(len(sources), size=SAMPLED_PAIRS)]
    along = along - targets[random.integers(len(targets), size=SAMPLED_PAIRS)]
    along -= period * np.rint(along * inverse)
    distance = np.sqrt(np.sum(along**2, axis=1))
    return float(np.mean(projection.rule.profile.probability(distance)))


def estimate_memory(
    network: Network,
    precision: Precision = "single",
    connectivity: Connectivity = "stored",
    dt: float = 0.1,
    threads: int | None = None,
    wide_sums: bool = False,
) -> float:
    """Bytes that a build and one state will need, before anything is built."""
    real = 4 if precision == "single" else 8
    integer = 8 if wide_sums else real
    synapses = rows = scratch = state = 0.0
    stored: dict[str, list[Projection]] = {}  # by source population
    for projection in network.projections.values():
        if connectivity == "procedural" and _can_be_drawn(network, projection):
            continue
        stored.setdefault(projection.source.population, []).append(projection)
        count = expected_synapses(network, projection)
        exact = isinstance(projection.weight, np.ndarray)
        synapses += count * (4 + integer * exact)
        if isinstance(projection.rule, FixedInDegree | Pairs | OneToOne) or exact:
            scratch += count * (4 + 8 * exact + 8)
        if isinstance(projection.rule, DistanceDependent):  # rows that grow, distances, delays
            scratch += count * (12 + 10 * isinstance(projection.delay, DistanceDelay))
            scratch += 8 * cores() * projection.target.size
    inputs = 64 * sum(
        -(-p.size // 64) * len(p.model.receptors) for p in network.populations.values()
    )
    threads = threads or fastest_threads(network, dt)
    partitions = threads * max(1, -(-inputs // (PARTITION_INPUTS * threads)) if stored else 1)
    spreads = {name: _delay_steps(network, outgoing, dt) for name, outgoing in stored.items()}
    slots = min(8, max([1, *spreads.values()]))
    for name, spread in spreads.items():
        rows += 4 * partitions * network.populations[name].size * -(-spread // slots)
    for p in network.populations.values():
        rows_of_state = len(p.model.dynamics.derivatives) + len(p.model.dynamics.defaults) / 2
        state += p.size * (
            real * rows_of_state + 8 * integer * max(len(p.model.receptors), 1) + 300
        )
    for drive in network.inputs.values():
        size = network.populations[drive.target.population].size
        state += input_bytes(drive, size, dt, real, integer)
    return synapses + rows + scratch + state + 150e6  # the last: Python, NumPy and Numba


def _delay_steps(network: Network, projections: list[Projection], dt: float) -> float:
    """How many steps the delays of some projections span."""
    low, high = math.inf, 0.0
    for projection in projections:
        if np.size(projection.delay):
            first, last = extremes(projection.delay)
            if isinstance(projection.delay, DistanceDelay):
                last = first + farthest(network, projection) / projection.delay.velocity
            low, high = min(low, first), max(high, last)
    return max(1, round((min(high, DELAY_LEVELS * dt) - low) / dt) + 1) if high else 1


def _can_be_drawn(network: Network, projection: Projection) -> bool:
    """Whether all outputs of a projection's sources can be drawn again spike by spike."""
    source = projection.source.population
    outputs = [p for p in network.projections.values() if p.source.population == source]
    return not any(map(is_stored, outputs))


def check_memory(
    network: Network,
    precision: Precision,
    limit: float | None,
    connectivity: Connectivity = "stored",
    *,
    dt: float = 0.1,
    threads: int | None = None,
    wide_sums: bool = False,
) -> float:
    """The estimate in bytes; raises `MemoryError` if it exceeds the limit (GB).

    ``dt``, ``threads`` and whether sums have 64 bits (see `choose_sums`) are as the build has them.
    """
    check_dt(dt)
    check_threads(threads)
    need = estimate_memory(network, precision, connectivity, dt, threads, wide_sums)
    number = isinstance(limit, int | float | np.number)
    if limit is not None and not (number and math.isfinite(limit) and limit > 0):
        raise ValueError(f"memory is {limit!r}; it must be a positive number of GB.")
    allowed = psutil.virtual_memory().available if limit is None else limit * 1e9
    if need > allowed:
        raise MemoryError(
            f"the network needs about {need / 1e9:.2f} GB, more than the "
            f"{allowed / 1e9:.2f} GB that are {'available' if limit is None else 'allowed'}; "
            "make it smaller, raise the limit (memory, --memory), or draw synapses instead of "
            "storing them (connectivity='procedural', --procedural)."
        )
    return need


@named_options()
def build(
    network: Network,
    *,
    dt: float = 0.1,
    threads: int | None = None,
    precision: Precision = "single",
    memory: float | None = None,
    weights: Literal["compact", "exact"] = "compact",
    connectivity: Connectivity = "stored",
    bar: bool = False,
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
        Whether a weight drawn from a distribution is one of (at most) 1,024 equally likely values
        with the distribution's mean and variance, or one of 65,536; of a tail that holds much of
        the variance, many more. Every weight, drawn or given, is kept to 1e-3 of itself or to 1e-6
        of the mean of its projection or input; for that the weights that arrive in a step are
        summed in 32 bits, or in 64 where some are far smaller than others.
    connectivity : "stored" or "procedural"
        Whether synapses are kept, or drawn again whenever their source spikes, which takes no
        memory and more time; the spikes are the same. The outputs of a population can be drawn if
        all of them follow `FixedProbability`, `FixedOutDegree`, `FixedTotal` or `AllToAll` with
        weights and delays that are numbers or distributions; others are stored.
    bar : bool
        Whether to show, on stderr, how far a build is that takes more than about two seconds.

    Raises
    ------
    ValueError
        A delay below dt, weights so different that even 64 bits lose the smaller ones, or an
        argument out of range.
    MemoryError
        The network would need more than the limit; nothing has been allocated.
    """
    start = time.perf_counter()
    if weights not in ("compact", "exact"):
        raise ValueError(f"weights is {weights!r}; it must be 'compact' or 'exact'.")
    check_build(network, dt, threads, precision, connectivity)
    warn_of_si("build", {"dt": (dt, "ms")})
    check_memory(network, precision, memory, connectivity, dt=dt, threads=threads)
    count = EXACT_LEVELS if weights == "exact" else WEIGHT_LEVELS
    sums = choose_sums(network, dt, precision == "single", count)
    threads = int(threads or fastest_threads(network, dt))
    if sums.wide:
        more = {"dt": dt, "threads": threads, "wide_sums": True}
        check_memory(network, precision, memory, connectivity, **more)
    values = {name: _draw_values(network, p) for name, p in network.populations.items()}

    populations = _population_table(network)
    # Without stored synapses, whose words have room for 16 bits, a row is drawn once a thread.
    drawn = connectivity == "procedural" and all(
        _can_be_drawn(network, p) for p in network.projections.values()
    )
    spans, inputs = _partitioned(populations, threads, None if drawn else PARTITION_INPUTS)
    partitions = len(spans)
    address_bits = max(6, math.ceil(math.log2(max(inputs, 64))))
    integer = np.int64 if sums.wide else np.int32
    layout = Layout(populations, spans, sums.units, address_bits, integer)
    workers = min(partitions, threads, cores())
    foreseen = build_seconds(network, workers, connectivity) if bar else 0.0
    with _bar(foreseen, bar) as shown:
        one_by_one = threading.Lock()

        def tell(seconds: float) -> None:  # foreseen, so that a little more or less may be done
            with one_by_one:
                shown.update(min(seconds, shown.total - shown.n))

        assembler = Assembler(network, dt, layout, workers, count, tell)
        compile_start = time.perf_counter()
        compile_wiring(integer, assembler.word)
        compile_seconds = time.perf_counter() - compile_start
        wiring = assembler.write(connectivity == "procedural")
        tell(math.inf)
    epoch = int(min([LONGEST_EPOCH, *wiring.fans["first_delay"]]))
    history = 1 << math.ceil(math.log2(max([1, *assembler.longest]) + epoch + 1))
    return Build(
        network=network,
        dt=float(dt),
        precision=precision,
        threads=threads,
        partitions=partitions,
        address_bits=address_bits,
        slot_bits=assembler.slot_bits,
        epoch=epoch,
        history=history,
        wiring=wiring,
        sums=sums,
        values=values,
        synapses_of=assembler.synapses_of,
        seconds=time.perf_counter() - start - compile_seconds,
        compile_seconds=compile_seconds,
    )


def synapses(
    network: Network, source: Population | str, target: Population | str, *, dt: float = 0.1
) -> Synapses:
    """What a build with this ``dt`` (ms) wires between two populations, as arrays."""
    return build(network, dt=dt).synapses(source, target)


def check_build(
    network: Network,
    dt: float,
    threads: int | None,
    precision: Precision,
    connectivity: Connectivity,
) -> None:
    """Hold the options of a build against the network."""
    if not isinstance(network, Network):
        raise TypeError(f"network is {network!r}; it must be a Network.")
    check_dt(dt)
    check_threads(threads)
    if precision not in ("single", "double"):
        raise ValueError(f"precision is {precision!r}; it must be 'single' or 'double'.")
    if connectivity not in ("stored", "procedural"):
        raise ValueError(f"connectivity is {connectivity!r}; it must be 'stored' or 'procedural'.")
    if not network.populations:
        raise ValueError("the network has no population; add one with network.population(...).")
    for projection in network.projections.values():
        _check_delays(network, projection, dt)


def _bar(seconds: float, asked: bool) -> tqdm:
    """A bar of so many seconds of work, shown if it was asked for and is worth it."""
    return tqdm(
        total=seconds,
        desc="build",
        bar_format="{desc}: {percentage:3.0f}%|{bar}| {elapsed}<{remaining}",
        disable=not asked or seconds < WORTH_A_BAR,
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
        drawn = value.quantile(generator(*key).random(size))
        if not np.isfinite(drawn).all():
            raise ValueError(f"{value!r} gave a value that is not finite; give it bounds.")
        return drawn
    array = np.array(value, float)
    return float(array) if array.ndim == 0 else array


def _population_table(network: Network) -> np.ndarray:
    table = np.zeros(len(network.populations), POPULATION)
    first = 0
    for row, p in zip(table, network.populations.values(), strict=True):
        row["first"], row["size"], row["receptors"] = first, p.size, len(p.model.receptors)
        first += p.size
    return table


def _partitioned(
    populations: np.ndarray, threads: int, most_inputs: int | None
) -> tuple[np.ndarray, int]:
    """Spans of the fewest partitions, a multiple of the threads, with so many inputs at most.

    If blocks are so many and small that this cannot be had, addresses are longer.
    """
    count = threads
    blocks = int(np.sum(-(-populations["size"] // 64)))
    spans, most = _spans(populations, count)
    while most_inputs is not None and most > most_inputs and count < blocks:
        count += threads
        spans, most = _spans(populations, count)
    return spans, most


def _spans(populations: np.ndarray, partitions: int) -> tuple[np.ndarray, int]:
    """Which blocks lie in which partition, and the most inputs that a partition has."""
    spans = np.zeros((partitions, populations.size), SPAN)
    most = 0
    blocks = -(-populations["size"] // 64)
    turn = np.cumsum(blocks) % partitions  # so that not all remainders fall to one partition
    for partition in range(partitions):
        address = 0
        for p, population in enumerate(populations):
            first = int(blocks[p] * partition + turn[p]) // partitions
            last = int(blocks[p] * (partition + 1) + turn[p]) // partitions
            spans[partition, p] = first, last, address
            address += 64 * (last - first) * int(population["receptors"])
        most = max(most, address)
    return spans, most


def _check_delays(network: Network, projection: Projection, dt: float) -> None:
    if np.size(projection.delay) == 0:
        return
    low, high = extremes(projection.delay)
    if isinstance(projection.delay, DistanceDelay):
        high = low + farthest(network, projection) / projection.delay.velocity
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
