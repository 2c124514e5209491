"""Each kernel alone, at sizes that fit into each cache and into none: how far is it from the limit?

The engine's own functions are called from thin loops in this file, on the arrays of small networks:
updates by their address as the run loop calls them, `deliver` on lists of spikes written by hand,
`drive` without neurons. Only wiring is timed through `ss.build`, whose own clock leaves compiling
out. The machine's limit is measured beside each: a triad over as many bytes, for synapses a random
``ring[word] += 1`` over as many words and cells.
"""

from collections.abc import Callable, Iterator
from typing import Any

import click
import numpy as np

import spikesim as ss
from benchmarks import machine, results, threads
from spikesim.engine.build import Build
from spikesim.engine.clock.arrays import StateArrays
from spikesim.engine.clock.deliver import deliver
from spikesim.engine.clock.input_kernels import compiled
from spikesim.engine.clock.loop import drive, scratch
from spikesim.kernels.cache import bare, generated_module, kernel
from spikesim.kernels.intrinsics import call_at
from spikesim.kernels.keyed import draw_lanes, word

CONDUCTANCES = {"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)}
MODELS = {
    "LIF": ss.LIF(),
    "LIF, conductances": ss.LIF(receptors=CONDUCTANCES),
    "LIF, NMDA": ss.LIF(receptors={"nmda": ss.NMDA()}),
    "LIF, coloured noise": ss.LIF(receptors={"noise": ss.OrnsteinUhlenbeck(20.0, 5.0)}),
    "LIF, white noise": ss.LIF(receptors={"noise": ss.WhiteCurrent(20.0)}),
    "AdaptiveLIF": ss.AdaptiveLIF(),
    "GLIF, level 5": ss.GLIF(5),
    "AdEx": ss.AdEx(),
    "EIF": ss.EIF(),
    "QIF": ss.QIF(),
    "Izhikevich": ss.Izhikevich(),
    "Izhikevich2007": ss.Izhikevich2007(),
    "HodgkinHuxley": ss.HodgkinHuxley(),
    "FitzHughNagumo": ss.FitzHughNagumo(),
}
ROWS = {  # synapses of a row, targets: what two threads find in the microcircuit and in the fly
    "dense rows": (2000, 38_000),
    "thin rows": (60, 64_000),
}
DELAYS = {"one delay": 1.5, "64 delays": ss.Uniform(0.1, 6.4)}
DRIVEN = (4096, 65_536, 1 << 20)  # neurons
DRIVES: dict[str, Callable[[int], Any]] = {
    "Poisson, 10 Hz": lambda n: ss.Poisson(10.0, 1.0),
    "Poisson, 16 kHz": lambda n: ss.Poisson(16_000.0, 1.0),
    "Poisson, a rate each": lambda n: ss.Poisson(np.full(n, 10.0), 1.0),
    "sampled": lambda n: ss.Sampled(np.ones(1), every=1.0),
    "Gauss": lambda n: ss.WhiteNoise(1.0),
    "gamma": lambda n: ss.Gamma(10.0, 2.0, 1.0),
    "dead time": lambda n: ss.PoissonDeadTime(10.0, 2.0, 1.0),
    "correlated": lambda n: ss.CorrelatedPoisson(1000.0, 0.1, 1.0),  # one mother spike a step
}
SOURCES = 10_000  # neurons that are wired to as many
WIRED = (1_000_000, 10_000_000)  # synapses


def row(part: str, case: str, precision: str, ns: float, footprint: int, **more: Any) -> dict:
    """What is told of a kernel: ``ns`` and ``bytes`` are of one item."""
    told = {"part": part, "case": case, "precision": precision, "ns": ns}
    return {**told, "footprint": int(footprint), "held_in": machine.held_in(footprint), **more}


def limited(repeats: int, kind: type, told: dict) -> dict:
    """The row, beside what a triad takes for as many bytes of an item over the same footprint."""
    limit = told["bytes"] * machine.triad(told["footprint"], kind, repeats)
    return {**told, "limit_ns": limit, "share": limit / told["ns"]}


@kernel
def _update(address, state, const, ring, ids, blocks, times):
    for step in range(times):
        arrays = (state, 0), (const, 0), (ring, 0), (ids, 0)
        call_at(address, arrays, (0, blocks, 64 * blocks, 0, step, 1))


def arrays(model: ss.NeuronModel, precision: str, blocks: int = 1) -> StateArrays:
    """What the update of so many blocks of 64 neurons works on."""
    net = ss.Network()
    net.population("neurons", 64 * blocks, model)
    return ss.Simulation(net, threads=1, precision=precision).state.arrays


def time_update(
    held: StateArrays, state: np.ndarray, blocks: int, receptors: int, repeats: int
) -> tuple[float, int]:
    """Ns a step of a neuron takes, and the bytes of the states and inputs of all."""
    ring = np.zeros(64 * blocks * receptors, held.ring.dtype)
    ids = np.zeros(64 * blocks, np.int32)
    arguments = held.neurons.updates[0], state, held.neurons.const, ring, ids, blocks
    ns = machine.nanoseconds(_update, arguments, 64 * blocks, repeats)
    return ns, state.nbytes + ring.nbytes


def updates(repeats: int) -> Iterator[dict]:
    """A step of a neuron at rest: blocks of one network's 64, as many as fill the footprint."""
    for name, model in MODELS.items():
        for precision in ("single", "double"):
            made = arrays(model, precision)
            neurons = made.neurons
            compiled = generated_module(ss.source(model, precision)).update
            vectors = machine.vectors(machine.assembly(compiled), precision)
            receptors, kind = len(model.receptors), neurons.state.dtype.type
            cells = neurons.state.size // 64 + receptors
            for footprint in machine.footprints().values():
                blocks = max(1, footprint // (64 * cells * neurons.state.itemsize))
                state = np.tile(neurons.state, blocks)
                ns, held = time_update(made, state, blocks, receptors, repeats)
                told = row("update", name, precision, ns, held)
                told |= {"bytes": 2 * cells * neurons.state.itemsize, "vectors": vectors}
                yield limited(repeats, kind, told)


def spikes(repeats: int) -> Iterator[dict]:
    """What a spike adds to its block's update: one of 64 neurons spikes in every step, or none."""
    blocks = 256
    one_each = np.random.default_rng(0).permuted(np.tile(np.arange(64) == 0, (blocks, 1)), axis=1)
    times = []
    for threshold in (-100.0, 0.0):  # v stays at -65
        v_th = np.where(one_each.ravel(), threshold, 0.0)
        made = arrays(ss.LIF(v_th=v_th, t_ref=0.0), "single", blocks)
        ns, held = time_update(made, made.neurons.state, blocks, 2, repeats)
        times.append(64 * ns)
    yield row("spike", "LIF", "single", times[0] - times[1], held)


@bare
def _deliver(wiring, spikes, ring, first, last, own):
    for step in range(first, last):
        deliver(wiring, spikes, ring, 0, step, own.batch, own.drawn)


def all_spike(row_length: int, targets: int, delay: Any, synapses: int) -> ss.Simulation:
    """Every source spikes once in as many steps as the lists of spikes go back."""
    net = ss.Network()
    sources = max(1, synapses // row_length)
    source = net.population("source", sources, ss.LIF(receptors={}))
    target = net.population("target", targets, ss.LIF(receptors={"exc": ss.Exponential(5.0)}))
    weight = ss.Normal(1.0, 0.1)
    net.connect(source, target, ss.FixedOutDegree(row_length), weight=weight, delay=delay)
    simulation = ss.Simulation(net, threads=1)
    lists, ends, _ = simulation.state.arrays.spikes
    steps = simulation.build.wiring.history
    order = np.random.default_rng(0).permutation(sources).astype(np.int32)
    for slot, spikes in enumerate(np.array_split(order, steps)):
        lists[slot, 0, : spikes.size] = spikes
        ends[slot, 0, 1:] = spikes.size
    return simulation


def passed(simulation: ss.Simulation, times: int) -> None:
    """Deliver every synapse so many times."""
    wiring, state = simulation.build.wiring, simulation.state.arrays
    first = 2 * wiring.history  # spikes of all delays are there
    last = first + times * wiring.history
    _deliver(wiring, state.spikes, state.ring, first, last, scratch(wiring, state.given, first))


def deliveries(repeats: int) -> Iterator[dict]:
    """A synapse, where words fit into each cache but the first; vectors add to no random cells."""
    for rows, (length, targets) in ROWS.items():
        for delays, delay in DELAYS.items():
            for footprint in list(machine.footprints().values())[1:]:
                simulation = all_spike(length, targets, delay, footprint // 4)
                build, ring = simulation.build, simulation.state.arrays.ring
                cells = targets << build.wiring.packing.slot_bits
                count = build.synapse_count
                ns = machine.nanoseconds(passed, (simulation,), count, repeats)
                stored = build.bytes_per_synapse
                held = count * stored + cells * ring.itemsize
                told = row("deliver", f"{rows}, {delays}", "single", ns, held)
                limit = machine.scatter(count, cells, ring.dtype.type, repeats)
                told |= {"bytes": stored + 2 * ring.itemsize, "limit_ns": limit}
                yield {**told, "share": limit / ns}


def idle(repeats: int) -> Iterator[dict]:
    """A step of a partition in which nothing is to be delivered."""
    simulation = all_spike(10, 64, 1.5, 640)
    simulation.state.arrays.spikes.ends[:] = 0
    steps = simulation.build.wiring.history
    ns = machine.nanoseconds(passed, (simulation,), steps, repeats)
    yield row("deliver", "a step without spikes", "single", ns, 0)


@kernel
def _drive(wiring, state, times):
    for step in range(times):
        for partition in range(wiring.spans.shape[0]):
            drive(wiring, state.inputs, state.ring, state.key, partition, step)


def drives(repeats: int) -> Iterator[dict]:
    """An input of a neuron in a step."""
    for name, made in DRIVES.items():
        for neurons in DRIVEN:
            net = ss.Network()
            net.population("neurons", neurons, ss.LIF(receptors={"exc": ss.Exponential(5.0)}))
            net.drive("neurons", made(neurons), receptor="exc")
            simulation = ss.Simulation(net, threads=1)
            state = simulation.state.arrays
            inputs = state.inputs
            driver = compiled(int(inputs.table[0]["kind"]), "single")
            vectors = machine.vectors(machine.assembly(driver), "integer")
            arguments = simulation.build.wiring, state
            ns = machine.nanoseconds(_drive, arguments, neurons, repeats)
            read = inputs.weights, inputs.reals, inputs.limits, inputs.ages
            held = neurons * state.ring.itemsize + sum(array.nbytes for array in read)
            told = row("drive", name, "single", ns, held, vectors=vectors)
            written = neurons * state.ring.itemsize + inputs.ages.nbytes // 3  # of age, first, last
            told["bytes"] = (held + written) / neurons
            yield limited(repeats, np.float32, told)


@kernel
def _lane_words(out, blocks, times):
    total = np.uint32(0)
    for step in range(times):
        for block in range(blocks):
            draw_lanes(out, block, step, np.uint64(1), np.uint64(2))
            total ^= out[block & 63]
    return total


@kernel
def _row_words(count, times):
    total = np.uint64(0)
    for key in range(times):
        for k in range(count):
            total ^= word(np.uint64(key), k)
    return total


def words(repeats: int) -> Iterator[dict]:
    """Random words, as noise and as wiring draw them."""
    out = np.zeros(64, np.uint32)
    for name, sweep, arguments in (
        ("noise, 32 bits", _lane_words, (out, 100)),
        ("wiring, 64 bits", _row_words, (6400,)),
    ):
        ns = machine.nanoseconds(sweep, arguments, 6400, repeats)
        text = machine.assembly(sweep, sweep.signatures[0])
        told = row("words", name, "", ns, out.nbytes)
        yield {**told, "vectors": machine.vectors(text, "integer")}


def rules(synapses: int) -> dict[str, tuple[int, Any]]:
    """Neurons on either side and the rule, for about so many synapses."""
    degree, side = synapses // SOURCES, round(synapses**0.5)
    pairs = np.random.default_rng(0).integers(0, SOURCES, (2, synapses))
    near = ss.Box(radius=1.0, p0=min(1.0, degree / SOURCES))
    return {
        "FixedProbability": (SOURCES, ss.FixedProbability(degree / SOURCES)),
        "FixedTotal": (SOURCES, ss.FixedTotal(synapses)),
        "FixedOutDegree": (SOURCES, ss.FixedOutDegree(degree)),
        "FixedOutDegree, distinct": (SOURCES, ss.FixedOutDegree(degree, multapses=False)),
        "FixedInDegree": (SOURCES, ss.FixedInDegree(degree)),
        "FixedInDegree, distinct": (SOURCES, ss.FixedInDegree(degree, multapses=False)),
        "AllToAll": (side, ss.AllToAll()),
        "OneToOne": (10 * SOURCES, ss.OneToOne()),
        "Pairs": (SOURCES, ss.Pairs(*pairs)),
        "DistanceDependent": (SOURCES, ss.DistanceDependent(near)),
    }


def wired(neurons: int, rule: Any) -> Build:
    net = ss.Network()
    where = {"positions": np.random.default_rng(0).random((neurons, 2))}
    source = net.population("source", neurons, ss.LIF(receptors={}), **where)
    target = net.population("target", neurons, ss.LIF(), **where)
    net.connect(source, target, rule, weight=1.0, delay=ss.Uniform(0.1, 6.4), receptor="exc")
    return ss.build(net, threads=1)


def wiring(repeats: int) -> Iterator[dict]:
    """A synapse written; the limit is that of writing its bytes."""
    for synapses in WIRED:
        for name, (neurons, rule) in rules(synapses).items():
            wired(neurons, rule)  # compiles
            builds = [wired(neurons, rule) for _ in range(repeats)]
            count, stored = builds[0].synapse_count, builds[0].bytes_per_synapse
            ns = float(np.median([build.seconds for build in builds])) / count * 1e9
            told = row("wire", name, "single", ns, count * stored, bytes=stored)
            yield limited(repeats, np.float32, told)


def barriers(repeats: int) -> Iterator[dict]:
    """A meeting of two threads."""
    for state in ("quiet", "busy"):
        with threads.beside(state):
            ns = threads.barrier(repeats)
        yield row("barrier", f"2 threads, {state} machine", "", ns, 0)


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Runs that a median is taken of.")
def main(repeats: int) -> None:
    """Measure every kernel alone."""
    rows = []
    for part in (words, updates, spikes, drives, idle, deliveries, wiring, barriers):
        for told in part(repeats):
            rows.append(told)
            share = f"{told['share']:.0%} of the limit" if "share" in told else ""
            where = f"{told['precision']:7}{told['held_in']:7}"
            click.echo(f"{told['part']:8}{told['case']:28}{where}{told['ns']:9.3f} ns {share}")
    click.echo(results.write("kernels", rows))
