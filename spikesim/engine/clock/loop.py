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

from spikesim.engine.clock.arrays import Given, Wiring
from spikesim.engine.clock.deliver import BATCH, deliver
from spikesim.engine.clock.packing import packed_spike, ring_slot
from spikesim.engine.clock.procedural import room_to_draw
from spikesim.kernels.barrier import take_a_core, wait
from spikesim.kernels.cache import bare, inlined
from spikesim.kernels.intrinsics import atomic_load, call_at

# Cells of `sync`, a cache line apart.
ARRIVED, STOP, HALT = 0, 8, 16  # HALT has two, for even and odd epochs


@inlined
def drive(wiring, inputs, ring, key, partition, step):
    """Add random and sampled inputs to this step's slot of the ring (see `input_kernels`)."""
    slot = ring_slot(wiring.packing, partition, step)
    for n in range(inputs.table.size):
        first = inputs.block_first[n, partition]
        blocks = inputs.block_first[n, partition + 1] - first
        if blocks == 0:
            continue
        given = inputs.table[n]
        span = wiring.spans[partition, given.population]
        receptors = wiring.populations[given.population].receptors
        at = slot + (span.address >> 6) + given.receptor - span.first * receptors
        time = step // given.bin_steps
        time = time % given.bins if given.repeats else min(time, given.bins - 1)
        call_at(
            inputs.kernels[n],
            (
                (ring, 0),
                (inputs.weights, 0),
                (inputs.reals, 0),
                (inputs.limits, 0),
                (inputs.ages, 0),
                (inputs.blocks, first),
                (inputs.table, n),
            ),
            (at, receptors, blocks, time, step, key),
        )


@inlined
def replay(wiring, given, ring, partition, step, event):
    """Add given spikes that arrive in this step; returns the first that does not."""
    first = ring_slot(wiring.packing, partition, step) << 6
    while event < given.first[partition + 1] and given.step[event] == step:
        ring[first + given.address[event]] += given.weight[event]
        event += 1
    return event


@inlined
def update(wiring, neurons, spikes, ring, kept, partition, step):
    """Advance the partition's neurons by a step; list those that spiked, by population."""
    slot = step & (wiring.history - 1)
    base = ring_slot(wiring.packing, partition, step) << 6
    list_first = (slot * spikes.lists.shape[1] + partition) * spikes.lists.shape[2]
    count = 0
    for p in range(wiring.populations.size):
        population = wiring.populations[p]
        span = wiring.spans[partition, p]
        if span.first < span.last:
            found = call_at(
                neurons.updates[p],
                (
                    (neurons.state, neurons.state_first[p]),
                    (neurons.const, neurons.const_first[p]),
                    (ring, base + span.address),
                    (spikes.lists, list_first + count),
                ),
                (
                    span.first,
                    span.last,
                    population.size,
                    population.first,
                    step,
                    neurons.noise_keys[p],
                ),
            )
            if found >= 0:
                count += found
            elif kept.failures[partition, 0] == 0:  # a variable has diverged
                kept.failures[partition, 0] = step + 1
                kept.failures[partition, 1] = p
                kept.failures[partition, 2] = ~found
        spikes.ends[slot, partition, p + 1] = count
    return count


@inlined
def record(wiring, neurons, spikes, kept, partition, step, count):
    """Copy the step's spikes, and the chosen variables if it is their turn, to the buffers."""
    slot = step & (wiring.history - 1)
    at = kept.spike_count[partition, 0]
    for i in range(count):
        kept.spikes[partition, at + i] = packed_spike(
            step - kept.first, spikes.lists[slot, partition, i]
        )
    kept.spike_count[partition, 0] = at + count
    for n in range(kept.tap_first[partition], kept.tap_first[partition + 1]):
        tap = kept.taps[n]
        trace = kept.traces[tap.trace]
        if (step + 1) % trace.every == 0:
            row = (step + 1) // trace.every - trace.first_row
            value = 0.0
            for k in range(tap.cells):
                value += neurons.state[tap.cell + k * tap.stride]
            kept.samples[trace.buffer + row * trace.columns + tap.column] = value


@inlined
def silence(wiring, spikes, partition, step):
    """Take the spikes of silent neurons from the step's list."""
    slot = step & (wiring.history - 1)
    kept = first = 0
    for p in range(wiring.populations.size):
        last = spikes.ends[slot, partition, p + 1]
        for i in range(first, last):
            neuron = spikes.lists[slot, partition, i]
            spikes.lists[slot, partition, kept] = neuron
            kept += 1 - spikes.silent[neuron]
        spikes.ends[slot, partition, p + 1] = kept
        first = last


class Scratch(NamedTuple):
    """What a worker writes to for itself."""

    batch: np.ndarray
    events: np.ndarray  # [partition] the next of the given spikes
    drawn: tuple | None  # for synapses that are not stored


def scratch(wiring: Wiring, given: Given, step: int) -> Scratch:
    """Scratch of a worker that begins at a step."""
    parts = (given.step[a:b] for a, b in itertools.pairwise(given.first))
    events = given.first[:-1] + [np.searchsorted(part, step) for part in parts]
    # The allocator may put two workers' arrays on one cache line, so each keeps a line's distance.
    batch = np.empty((6, BATCH), np.int64)[1:5]
    padded = np.concatenate([np.zeros(8, np.int64), events, np.zeros(8, np.int64)])
    return Scratch(batch, padded[8:], room_to_draw(wiring.drawing))


@inlined
def advance(partition, first, until, wiring, state, kept, scratch):
    """Take a partition through an epoch, steps ``first`` .. ``until`` - 1.

    It is given the lists of spikes of earlier epochs and leaves its own; no other partition's
    state is touched. Returns whether the run must halt: the buffer of spikes might overflow in the
    next epoch, or a variable has diverged.
    """
    neurons, spikes, ring = state.neurons, state.spikes, state.ring
    events = scratch.events
    for step in range(first, until):
        deliver(wiring, spikes, ring, partition, step, scratch.batch, scratch.drawn)
        drive(wiring, state.inputs, ring, state.key, partition, step)
        events[partition] = replay(wiring, state.given, ring, partition, step, events[partition])
        count = update(wiring, neurons, spikes, ring, kept, partition, step)
        record(wiring, neurons, spikes, kept, partition, step, count)
        if spikes.silent.size > 0:
            silence(wiring, spikes, partition, step)
    room = kept.spikes.shape[1] - kept.spike_count[partition, 0]
    # Not `or`: of that LLVM made code in which a value is used before it is there.
    return (room < wiring.epoch * spikes.lists.shape[2]) | (kept.failures[partition, 0] != 0)


@bare
def run(worker, workers, first, last, wiring, state, kept, sync, masks, mask_size, scratch):
    """Steps ``first`` .. ``last`` - 1 of the partitions of one worker; returns the step reached.

    All workers stop after the same epoch: at the end, when a partition must halt, or when the
    caller has set ``sync[STOP]``, which the first worker passes on.
    """
    if workers > 1:
        take_a_core(masks, mask_size, worker, workers)
    partitions = wiring.spans.shape[0]
    epoch = 0
    while first < last:
        until = min(last, first + wiring.epoch)
        halt = HALT + (epoch & 1)
        for partition in range(worker, partitions, workers):
            if advance(partition, first, until, wiring, state, kept, scratch):
                sync[halt] = 1
        if worker == 0 and atomic_load(sync, STOP) != 0:
            sync[halt] = 1
        epoch += 1
        first = until
        if workers > 1:  # the exchange: from here everybody sees all lists of the epoch
            wait(sync, ARRIVED, epoch * workers)
        if atomic_load(sync, halt) != 0:
            break
    return first
