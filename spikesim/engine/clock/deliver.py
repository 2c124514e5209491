"""Delivery: the weights of spikes that are due, added to the inputs of a partition's neurons.

Weights are added as integers, in the units of the receiving input, so that their sum, and with it
every spike, is the same for any order of delivery, any number of partitions and of threads.
"""

import numpy as np

from spikesim.engine.clock.packing import ring_base, weight_shift
from spikesim.engine.clock.procedural import add_drawn
from spikesim.kernels.cache import bare, inlined
from spikesim.kernels.intrinsics import prefetch

BATCH = 256  # rows that are looked up together
AHEAD = 8  # rows between the prefetch of a row and its delivery


@bare  # called, not inlined: deliver needs it twice, and it takes long to compile
def _add_rows(wiring, ring, partition, step, batch, count):
    """Add the weights of the ``count`` rows in the batch to the ring."""
    row, axon, start, end = batch[0], batch[1], batch[2], batch[3]
    shift = weight_shift(wiring.packing)
    mask = (1 << shift) - 1
    base = ring_base(wiring.packing, step)
    ring = ring[partition << shift :]
    line = 64 // wiring.words.itemsize
    for i in range(count):
        words = wiring.places[partition, axon[i]].words
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
        place = wiring.places[partition, axon[i]]
        table = wiring.table[wiring.axons[axon[i]].table :]
        if wiring.axons[axon[i]].uniform:
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
def deliver(wiring, spikes, ring, partition, step, batch, scratch):
    """Add all synapses whose window of delays begins now to the ring.

    Rows are looked up in batches: pointers, then the first lines of rows, then the whole of the
    next are asked for ahead of their use. The last took an eighth off the time of the full
    microcircuit and a third off Brunel's network.
    """
    count = np.int64(0)  # a literal 0 would compile _add_rows once more
    for f in range(wiring.axons.size):
        axon = wiring.axons[f]
        pointers = wiring.places[partition, f].rows
        first_neuron = wiring.populations[axon.population].first
        for window in range(axon.windows):
            emitted = step - axon.first_delay - (window << wiring.packing.slot_bits)
            if emitted < 0:
                break
            slot = emitted & (wiring.history - 1)
            for other in range(spikes.lists.shape[1]):
                first = spikes.ends[slot, other, axon.population]
                last = spikes.ends[slot, other, axon.population + 1]
                if axon.drawn:
                    for i in range(first, last):
                        source = spikes.lists[slot, other, i] - first_neuron
                        add_drawn(
                            wiring.drawing,
                            scratch,
                            wiring,
                            ring,
                            partition,
                            step,
                            f,
                            window,
                            source,
                        )
                    continue
                for i in range(first, last):
                    source = spikes.lists[slot, other, i] - first_neuron
                    batch[0, count] = pointers + source * axon.windows + window
                    batch[1, count] = f
                    prefetch(wiring.rows, batch[0, count])
                    count += 1
                    if count == batch.shape[1]:
                        _add_rows(wiring, ring, partition, step, batch, batch.shape[1])
                        count = np.int64(0)
    if count > 0:
        _add_rows(wiring, ring, partition, step, batch, count)
