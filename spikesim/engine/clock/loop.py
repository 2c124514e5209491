"""The run loop: what happens in a step, in this order, and who does it.

Each worker thread owns partitions. In an epoch of as many steps as the shortest delay it takes
every partition of its own through every step:

1. *deliver* adds the weights of spikes that are due to the inputs of the partition's neurons,
2. *drive* and *replay* add what comes from outside: drawn or sampled, and given spikes,
3. *update* advances the neurons by one step, resets those that crossed their threshold and lists
   them (the kernel that `generator` wrote),
4. *record* keeps spikes and chosen variables for the caller, *silence* takes spikes from the list
   that are to reach nobody.

Then the threads meet, and every partition sees all lists: that is the whole exchange. A spike of
step s with a delay of d steps is delivered in time for step s + d.

Weights are added as integers, in the units of the receiving input, so that their sum, and with it
every spike, is the same for any order of delivery, any number of partitions and of threads.
"""

import itertools
from typing import NamedTuple

import numpy as np

from spikesim.engine.clock.procedural import Drawing, add_drawn, room_to_draw
from spikesim.kernels.barrier import take_a_core, wait
from spikesim.kernels.cache import bare, inlined
from spikesim.kernels.intrinsics import atomic_load, call_at, prefetch

BATCH = 256  # rows that are looked up together
AHEAD = 8  # rows between the prefetch of a row and its delivery

# Cells of `sync`, a cache line apart.
ARRIVED, STOP, HALT = 0, 8, 16  # HALT has two, for even and odd epochs


class Wiring(NamedTuple):
    """What every state of a build reads (see `tables`)."""

    populations: np.ndarray
    spans: np.ndarray  # [partition, population]
    fans: np.ndarray
    places: np.ndarray  # [partition, fan] ROWS
    rows: np.ndarray  # uint32
    words: np.ndarray  # uint16 or uint32: address, slot, which weight of the fan's table
    exact: np.ndarray  # int32 or int64, as the ring
    table: np.ndarray  # weights in units of the ring
    drawing: Drawing | None  # what fans need whose synapses are not stored


class Flow(NamedTuple):
    """What a run changes, and the inputs and propagators of this state."""

    state: np.ndarray
    state_first: np.ndarray  # [population]
    const: np.ndarray
    const_first: np.ndarray  # [population]
    updates: np.ndarray  # [population] addresses of compiled updates
    noise_keys: np.ndarray  # [population]
    ring: np.ndarray  # [partition, slot, address], flat
    lists: np.ndarray  # [slot, partition, place] numbers of neurons that spiked
    ends: np.ndarray  # [slot, partition, population + 1] ends of their populations in the list
    silent: np.ndarray  # whether a neuron's spikes reach nobody; empty if all do
    inputs: np.ndarray
    drivers: np.ndarray  # [input] addresses of compiled kernels (see `arrivals`)
    driven: np.ndarray  # by input, the blocks that it drives
    driven_first: np.ndarray  # [input, partition], and the end of the last
    weights: np.ndarray  # of all inputs but Gaussian ones, in units of the ring
    reals: np.ndarray  # quantiles of a normal variable, SDs of Gaussian inputs
    limits: np.ndarray  # on draws
    ages: np.ndarray  # of renewal inputs, and where their limits are
    event_first: np.ndarray  # [partition + 1]
    event_step: np.ndarray
    event_address: np.ndarray
    event_weight: np.ndarray


class Record(NamedTuple):
    """Buffers of one call, which the caller empties."""

    spikes: np.ndarray  # [partition, place] (step - first) << 32 | neuron
    spike_count: np.ndarray  # [partition, 0]; the rest keeps them on lines of their own
    traces: np.ndarray
    taps: np.ndarray
    tap_first: np.ndarray  # [partition + 1]
    samples: np.ndarray
    first: int  # the step at which the buffers begin, so that 31 bits hold steps from there
    failures: np.ndarray  # [partition, 0..2]: step + 1, population, ~what its update returned


class Shape(NamedTuple):
    """Sizes of the ring and of the lists."""

    address_bits: int
    slot_bits: int
    history: int  # steps of spike lists that are kept, a power of two
    epoch: int  # steps between exchanges
    key: int  # of the noise


@bare  # called, not inlined: deliver needs it twice, and it takes long to compile
def _add_rows(wiring, flow, shape, partition, step, batch, count):
    """Add the weights of the ``count`` rows in the batch to the ring."""
    row, fan, start, end = batch[0], batch[1], batch[2], batch[3]
    shift = shape.address_bits + shape.slot_bits
    mask = (1 << shift) - 1
    base = (step & ((1 << shape.slot_bits) - 1)) << shape.address_bits
    ring = flow.ring[partition << shift :]
    line = 64 // wiring.words.itemsize
    for i in range(count):
        words = wiring.places[partition, fan[i]].words
        start[i] = words + wiring.rows[row[i]]
        end[i] = words + wiring.rows[row[i] + 1]
    for i in range(count):
        if i + AHEAD < count:
            prefetch(wiring.words, start[i + AHEAD])
            prefetch(wiring.words, start[i + AHEAD] + line)
            prefetch(wiring.words, start[i + AHEAD] + 2 * line)
            prefetch(wiring.words, start[i + AHEAD] + 3 * line)
        if i + 1 < count:
            for k in range(start[i + 1] + 4 * line, end[i + 1], line):
                prefetch(wiring.words, k)
        place = wiring.places[partition, fan[i]]
        table = wiring.table[wiring.fans[fan[i]].table :]
        if wiring.fans[fan[i]].uniform:
            weight = table[0]
            for word in wiring.words[start[i] : end[i]]:
                ring[(np.uint64(word) + np.uint64(base)) & np.uint64(mask)] += weight
        elif place.exact < 0:
            for word in wiring.words[start[i] : end[i]]:
                packed = np.uint64(word)
                ring[(packed + np.uint64(base)) & np.uint64(mask)] += table[
                    packed >> np.uint64(shift)
                ]
        else:
            exact = wiring.exact[place.exact + start[i] - place.words :]
            for k in range(end[i] - start[i]):
                packed = np.uint64(wiring.words[start[i] + k])
                ring[(packed + np.uint64(base)) & np.uint64(mask)] += exact[k]


@inlined
def deliver(wiring, flow, shape, partition, step, batch, scratch):
    """Add all synapses whose window of delays begins now to the ring.

    Rows are looked up in batches: pointers, then the first lines of rows, then the whole of the
    next are asked for ahead of their use. The last took an eighth off the time of the full
    microcircuit and a third off Brunel's network.
    """
    count = np.int64(0)  # a literal 0 would compile _add_rows once more
    for f in range(wiring.fans.size):
        fan = wiring.fans[f]
        pointers = wiring.places[partition, f].rows
        first_neuron = wiring.populations[fan.population].first
        for window in range(fan.windows):
            emitted = step - fan.first_delay - (window << shape.slot_bits)
            if emitted < 0:
                break
            slot = emitted & (shape.history - 1)
            for other in range(flow.lists.shape[1]):
                first = flow.ends[slot, other, fan.population]
                last = flow.ends[slot, other, fan.population + 1]
                if fan.drawn:
                    for i in range(first, last):
                        source = flow.lists[slot, other, i] - first_neuron
                        add_drawn(
                            wiring.drawing,
                            scratch,
                            wiring,
                            flow,
                            shape,
                            partition,
                            step,
                            f,
                            window,
                            source,
                        )
                    continue
                for i in range(first, last):
                    source = flow.lists[slot, other, i] - first_neuron
                    batch[0, count] = pointers + source * fan.windows + window
                    batch[1, count] = f
                    prefetch(wiring.rows, batch[0, count])
                    count += 1
                    if count == batch.shape[1]:
                        _add_rows(wiring, flow, shape, partition, step, batch, batch.shape[1])
                        count = np.int64(0)
    if count > 0:
        _add_rows(wiring, flow, shape, partition, step, batch, count)


@inlined
def _slot(shape, partition, step):
    """First block of 64 inputs of a partition in the slot of this step."""
    slot = (partition << shape.slot_bits) | (step & ((1 << shape.slot_bits) - 1))
    return slot << (shape.address_bits - 6)


@inlined
def drive(wiring, flow, shape, partition, step):
    """Add random and sampled inputs to this step's slot of the ring (see `arrivals`)."""
    slot = _slot(shape, partition, step)
    for n in range(flow.inputs.size):
        first = flow.driven_first[n, partition]
        blocks = flow.driven_first[n, partition + 1] - first
        if blocks == 0:
            continue
        given = flow.inputs[n]
        span = wiring.spans[partition, given.population]
        receptors = wiring.populations[given.population].receptors
        at = slot + (span.address >> 6) + given.receptor - span.first * receptors
        time = step // given.bin_steps
        time = time % given.bins if given.repeats else min(time, given.bins - 1)
        call_at(
            flow.drivers[n],
            (
                (flow.ring, 0),
                (flow.weights, 0),
                (flow.reals, 0),
                (flow.limits, 0),
                (flow.ages, 0),
                (flow.driven, first),
                (flow.inputs, n),
            ),
            (at, receptors, blocks, time, step, shape.key),
        )


@inlined
def replay(flow, shape, partition, step, event):
    """Add given spikes that arrive in this step; returns the first that does not."""
    first = _slot(shape, partition, step) << 6
    while event < flow.event_first[partition + 1] and flow.event_step[event] == step:
        flow.ring[first + flow.event_address[event]] += flow.event_weight[event]
        event += 1
    return event


@inlined
def update(wiring, flow, shape, kept, partition, step):
    """Advance the partition's neurons by a step; list those that spiked, by population."""
    slot = step & (shape.history - 1)
    ring = _slot(shape, partition, step) << 6
    list_first = (slot * flow.lists.shape[1] + partition) * flow.lists.shape[2]
    count = 0
    for p in range(wiring.populations.size):
        population = wiring.populations[p]
        span = wiring.spans[partition, p]
        if span.first < span.last:
            found = call_at(
                flow.updates[p],
                (
                    (flow.state, flow.state_first[p]),
                    (flow.const, flow.const_first[p]),
                    (flow.ring, ring + span.address),
                    (flow.lists, list_first + count),
                ),
                (
                    span.first,
                    span.last,
                    population.size,
                    population.first,
                    step,
                    flow.noise_keys[p],
                ),
            )
            if found >= 0:
                count += found
            elif kept.failures[partition, 0] == 0:  # a variable has diverged
                kept.failures[partition, 0] = step + 1
                kept.failures[partition, 1] = p
                kept.failures[partition, 2] = ~found
        flow.ends[slot, partition, p + 1] = count
    return count


@inlined
def record(flow, shape, kept, partition, step, count):
    """Copy the step's spikes, and the chosen variables if it is their turn, to the buffers."""
    slot = step & (shape.history - 1)
    at = kept.spike_count[partition, 0]
    high = (step - kept.first) << 32
    for i in range(count):
        kept.spikes[partition, at + i] = high | np.int64(flow.lists[slot, partition, i])
    kept.spike_count[partition, 0] = at + count
    for n in range(kept.tap_first[partition], kept.tap_first[partition + 1]):
        tap = kept.taps[n]
        trace = kept.traces[tap.trace]
        if (step + 1) % trace.every == 0:
            row = (step + 1) // trace.every - trace.first_row
            value = 0.0
            for k in range(tap.cells):
                value += flow.state[tap.cell + k * tap.stride]
            kept.samples[trace.buffer + row * trace.columns + tap.column] = value


@inlined
def silence(wiring, flow, shape, partition, step):
    """Take the spikes of silent neurons from the step's list."""
    slot = step & (shape.history - 1)
    kept = first = 0
    for p in range(wiring.populations.size):
        last = flow.ends[slot, partition, p + 1]
        for i in range(first, last):
            neuron = flow.lists[slot, partition, i]
            flow.lists[slot, partition, kept] = neuron
            kept += 1 - flow.silent[neuron]
        flow.ends[slot, partition, p + 1] = kept
        first = last


class Scratch(NamedTuple):
    """What a worker writes to for itself."""

    batch: np.ndarray
    events: np.ndarray  # [partition] the next of the given spikes
    drawn: tuple | None  # for synapses that are not stored


def scratch(wiring: Wiring, flow: Flow, step: int) -> Scratch:
    """Scratch of a worker that begins at a step."""
    firsts = flow.event_first
    parts = (flow.event_step[a:b] for a, b in itertools.pairwise(firsts))
    events = firsts[:-1] + [np.searchsorted(part, step) for part in parts]
    # The allocator may put two workers' arrays on one cache line, so each keeps a line's distance.
    batch = np.empty((6, BATCH), np.int64)[1:5]
    padded = np.concatenate([np.zeros(8, np.int64), events, np.zeros(8, np.int64)])
    return Scratch(batch, padded[8:], room_to_draw(wiring.drawing))


@bare
def run(worker, workers, first, last, wiring, flow, shape, kept, sync, masks, mask_size, scratch):
    """Steps ``first`` .. ``last`` - 1 of the partitions of one worker; returns the step reached.

    All workers stop after the same epoch: at the end, when a buffer of spikes might overflow in
    the next, when a variable has diverged, or when the caller has set ``sync[STOP]``, which the
    first worker passes on.
    """
    if workers > 1:
        take_a_core(masks, mask_size, worker, workers)
    batch, events = scratch.batch, scratch.events
    partitions = wiring.spans.shape[0]
    epoch = 0
    while first < last:
        until = min(last, first + shape.epoch)
        halt = HALT + (epoch & 1)
        for partition in range(worker, partitions, workers):
            for step in range(first, until):
                deliver(wiring, flow, shape, partition, step, batch, scratch.drawn)
                drive(wiring, flow, shape, partition, step)
                events[partition] = replay(flow, shape, partition, step, events[partition])
                count = update(wiring, flow, shape, kept, partition, step)
                record(flow, shape, kept, partition, step, count)
                if flow.silent.size > 0:
                    silence(wiring, flow, shape, partition, step)
            room = kept.spikes.shape[1] - kept.spike_count[partition, 0]
            if room < shape.epoch * flow.lists.shape[2] or kept.failures[partition, 0] != 0:
                sync[halt] = 1
        if worker == 0 and atomic_load(sync, STOP) != 0:
            sync[halt] = 1
        epoch += 1
        first = until
        if workers > 1:
            wait(sync, ARRIVED, epoch * workers)
        if atomic_load(sync, halt) != 0:
            break
    return first
