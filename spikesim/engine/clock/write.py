"""Write an axon's synapses onto a partition: drawn or listed, sorted by delay, each a word."""

import numpy as np

from spikesim.engine.clock.packing import packed_word
from spikesim.engine.connectivity.draw import delay_of, draw, level, place_of
from spikesim.kernels.cache import inlined, kernel
from spikesim.kernels.keyed import LOW32, row_key, word


@inlined
def located(place, projection, span, receptors):
    """Address of the input at a place among the targets; whether the partition has it."""
    neuron = projection.target_first + projection.target_step * place
    block = (neuron >> 6) - span.first
    local = (block * receptors + projection.receptor) * 64 + (neuron & 63)
    return np.uint32(span.address + local), (neuron >> 6 >= span.first) & (neuron >> 6 < span.last)


@inlined
def keep_own(places, drawn_bits, drawn, projection, span, receptors, addresses, random_bits):
    """Addresses and bits of those synapses that the partition has: no branch to mispredict."""
    kept = 0
    for k in range(drawn):
        addresses[kept], here = located(np.int64(places[k]), projection, span, receptors)
        random_bits[kept] = drawn_bits[k]
        kept += here
    return kept


@kernel
def write_axon(
    axon,
    projections,
    spans,
    populations,
    counts,
    delay_tables,
    stored_rows,
    stored_targets,
    stored_weights,
    stored_delays,
    table,
    packing,
    longest,
    words,
    exact,
    rows,
):
    """Write all rows of an axon onto one partition; returns the number of synapses, -1 if too many.

    ``words`` begins at the axon's first synapse, ``rows`` at its first pointer, which counts from
    there. If ``exact`` is not empty, weights go there and not into the words.
    """
    places = np.empty(longest + 1, np.int32)
    drawn_bits = np.empty(longest + 1, np.uint32)
    addresses = np.empty(longest + 1, np.uint32)
    random_bits = np.empty(longest + 1, np.uint32)
    delays = np.empty(longest + 1, np.uint16)
    weights = np.empty(longest + 1, np.uint32)
    widest = 1
    for p in range(axon.first_projection, axon.last_projection):
        widest = max(widest, projections[p].target_size)
    seen = np.zeros(widest, np.uint8)
    starts = np.empty(axon.windows + 1, np.int64)
    slot_bits = packing.slot_bits
    slot_mask = (1 << slot_bits) - 1
    used = 0
    for source in range(axon.size):
        starts[:] = 0
        n = 0
        for p in range(axon.first_projection, axon.last_projection):
            projection = projections[p]
            source_place = place_of(projection, source)
            if source_place < 0:
                continue
            span = spans[projection.target]
            receptors = populations[projection.target].receptors
            key = row_key(projection.key, source_place)
            if projection.stored_rows < 0:
                drawn = draw(projection, source_place, counts, seen, places, drawn_bits)
                kept = keep_own(
                    places,
                    drawn_bits,
                    drawn,
                    projection,
                    span,
                    receptors,
                    addresses[n:],
                    random_bits[n:],
                )
                for k in range(n, n + kept):
                    delays[k] = delay_of(delay_tables, projection, random_bits[k])
                    weights[k] = projection.weight + level(projection, key, random_bits[k])
            else:
                kept = 0
                first = stored_rows[projection.stored_rows + source_place]
                last = stored_rows[projection.stored_rows + source_place + 1]
                for k in range(first, last):
                    bits = word(key, k - first) & LOW32
                    at = n + kept
                    delays[at] = delay_of(delay_tables, projection, bits)
                    if projection.stored_delay >= 0:
                        delays[at] = stored_delays[projection.stored_delay + k]
                    weights[at] = projection.weight + level(projection, key, bits)
                    if projection.stored_weight >= 0:
                        weights[at] = (
                            projection.weight + stored_weights[projection.stored_weight + k]
                        )
                    target = np.int64(stored_targets[projection.stored + k])
                    addresses[at], here = located(target, projection, span, receptors)
                    kept += here
            n += kept
        if used + n > words.size:
            return -1
        for k in range(n):
            starts[((np.int64(delays[k]) - axon.first_delay) >> slot_bits) + 1] += 1
        for window in range(axon.windows):
            starts[window + 1] += starts[window]
            rows[source * axon.windows + window] = used + starts[window]
        for k in range(n):
            late = np.int64(delays[k]) - axon.first_delay
            at = used + starts[late >> slot_bits]
            starts[late >> slot_bits] += 1
            weight = np.int64(0)
            if exact.size == 0:
                weight = np.int64(weights[k])
            else:
                exact[at] = table[axon.table + weights[k]]
            words[at] = packed_word(packing, np.int64(addresses[k]), late & slot_mask, weight)
        used += n
    rows[axon.size * axon.windows] = used
    return used
