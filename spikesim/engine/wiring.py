"""Draw a fan's synapses, sort each row by delay, write it once.

What is drawn depends on the projection's key, the source and the place in the row, so every
partition goes through whole rows and keeps the synapses onto its own neurons.

A synapse is 32 bits: ``address | slot << address_bits | weight << (address_bits + slot_bits)``.
The address is the input it adds to, the slot the step within its window of delays, the weight an
index into the fan's table of weights.
"""

import numpy as np

from spikesim.engine.cache import inlined, kernel
from spikesim.engine.keyed import row_key, word
from spikesim.engine.tables import DISTINCT, DRAWN

_U32 = np.uint64(32)
_LOW = np.uint64(0xFFFFFFFF)


@inlined
def _target(z, size, self_place):
    """Place in the target slice that the upper half of a random word picks, `self_place` never."""
    place = np.int64(((z >> _U32) * np.uint64(size)) >> _U32)
    return place + (place >= self_place)


@inlined
def _keep(place, projection, span, receptors, bits, addresses, random_bits, kept):
    """Write the synapse, then count it if it is ours: no branch to mispredict."""
    neuron = projection.target_first + projection.target_step * place
    block = (neuron >> 6) - span.first
    local = (block * receptors + projection.receptor) * 64 + (neuron & 63)
    addresses[kept] = np.uint32(span.address + local)
    random_bits[kept] = np.uint32(bits & _LOW)
    return kept + ((neuron >> 6 >= span.first) & (neuron >> 6 < span.last))


@inlined
def _draw(projection, source_place, counts, span, receptors, seen, addresses, random_bits):
    """One source's synapses of one projection onto this partition: how many were kept.

    ``seen`` is zero for every place, before and after.
    """
    key = row_key(projection.key, source_place)
    size = projection.target_size
    self_place = size
    if projection.skip_self:
        neuron = projection.source_first + projection.source_step * source_place
        ahead = neuron - projection.target_first
        if ahead >= 0 and ahead % projection.target_step == 0:
            self_place = min(ahead // projection.target_step, size)
    allowed = size - (self_place < size)
    count = counts[projection.counts + source_place]
    kept = 0
    if projection.rule == DRAWN:
        for k in range(count):
            z = word(key, k)
            place = _target(z, allowed, self_place)
            kept = _keep(place, projection, span, receptors, z, addresses, random_bits, kept)
    elif projection.rule == DISTINCT and 2 * count <= allowed:
        k = 0
        left = count
        while left > 0:  # ends: at every draw at least half of the places are free
            z = word(key, k)
            place = _target(z, allowed, self_place)
            if seen[place] == 0:
                seen[place] = 1
                left -= 1
                kept = _keep(place, projection, span, receptors, z, addresses, random_bits, kept)
            k += 1
        for i in range(k):
            seen[_target(word(key, i), allowed, self_place)] = 0
    else:  # ALL, or DISTINCT and dense: draw the places that are left out
        k = 0
        left = allowed - count if projection.rule == DISTINCT else 0
        while left > 0:
            place = _target(word(key, k), allowed, self_place)
            left -= 1 - seen[place]
            seen[place] = 1
            k += 1
        for place in range(size):
            if seen[place] == 0 and place != self_place:
                z = word(key, k + place)
                kept = _keep(place, projection, span, receptors, z, addresses, random_bits, kept)
            seen[place] = 0
    return kept


@kernel
def write_fan(
    fan,
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
    address_bits,
    slot_bits,
    longest,
    words,
    exact,
    rows,
):
    """Write all rows of a fan onto one partition; returns the number of synapses, -1 if too many.

    ``words`` begins at the fan's first synapse, ``rows`` at its first pointer, which counts from
    there. If ``exact`` is not empty, weights go there and not into the words.
    """
    addresses = np.empty(longest + 1, np.uint32)
    random_bits = np.empty(longest + 1, np.uint32)
    delays = np.empty(longest + 1, np.uint16)
    weights = np.empty(longest + 1, np.uint32)
    widest = 1
    for p in range(fan.first_projection, fan.last_projection):
        widest = max(widest, projections[p].target_size)
    seen = np.zeros(widest, np.uint8)
    starts = np.empty(fan.windows + 1, np.int64)
    slot_mask = (1 << slot_bits) - 1
    used = 0
    for source in range(fan.size):
        starts[:] = 0
        n = 0
        for p in range(fan.first_projection, fan.last_projection):
            projection = projections[p]
            ahead = source - projection.source_first
            if ahead < 0 or ahead % projection.source_step != 0:
                continue
            source_place = ahead // projection.source_step
            if source_place >= projection.source_size:
                continue
            span = spans[projection.target]
            receptors = populations[projection.target].receptors
            if projection.stored_rows < 0:
                kept = _draw(
                    projection,
                    source_place,
                    counts,
                    span,
                    receptors,
                    seen,
                    addresses[n:],
                    random_bits[n:],
                )
                for k in range(n, n + kept):
                    bits = np.int64(random_bits[k])
                    delays[k] = delay_tables[projection.delay, bits >> 16]
                    weights[k] = projection.weight + (((bits & 0xFFFF) * projection.levels) >> 16)
            else:
                key = row_key(projection.key, source_place)
                kept = 0
                first = stored_rows[projection.stored_rows + source_place]
                last = stored_rows[projection.stored_rows + source_place + 1]
                for k in range(first, last):
                    bits = np.int64(word(key, k - first) & _LOW)
                    at = n + kept
                    delays[at] = delay_tables[projection.delay, bits >> 16]
                    if projection.stored_delay >= 0:
                        delays[at] = stored_delays[projection.stored_delay + k]
                    weights[at] = projection.weight + (((bits & 0xFFFF) * projection.levels) >> 16)
                    if projection.stored_weight >= 0:
                        weights[at] = (
                            projection.weight + stored_weights[projection.stored_weight + k]
                        )
                    kept = _keep(
                        np.int64(stored_targets[projection.stored + k]),
                        projection,
                        span,
                        receptors,
                        np.uint64(0),
                        addresses[n:],
                        random_bits[n:],
                        kept,
                    )
            n += kept
        if used + n > words.size:
            return -1
        for k in range(n):
            starts[((np.int64(delays[k]) - fan.first_delay) >> slot_bits) + 1] += 1
        for window in range(fan.windows):
            starts[window + 1] += starts[window]
            rows[source * fan.windows + window] = used + starts[window]
        for k in range(n):
            late = np.int64(delays[k]) - fan.first_delay
            at = used + starts[late >> slot_bits]
            starts[late >> slot_bits] += 1
            packed = np.int64(addresses[k]) | (late & slot_mask) << address_bits
            if exact.size == 0:
                packed |= np.int64(weights[k]) << (address_bits + slot_bits)
            else:
                exact[at] = table[fan.table + weights[k]]
            words[at] = np.uint32(packed)
        used += n
    rows[fan.size * fan.windows] = used
    return used


@kernel
def in_degree_rows(key, k, multapses, skip_self, source, target):
    """Rows by source of a projection in which every target draws ``k`` sources.

    ``source`` and ``target`` are slices (start, step, size). Returns row pointers and places of the
    targets. Sources are drawn twice, to count and to fill, rather than kept.
    """
    start, stride, size = source
    pointers = np.zeros(size + 1, np.int64)
    seen = np.zeros(size, np.uint8)
    targets = np.empty(k * target[2], np.int32)
    for filling in range(2):
        for place in range(target[2]):
            self_place = size
            if skip_self:
                ahead = target[0] + target[1] * place - start
                if ahead >= 0 and ahead % stride == 0:
                    self_place = min(ahead // stride, size)
            allowed = size - (self_place < size)
            own = row_key(key, place)
            left = k
            draw = 0
            # Without multapses k may be all of the sources: then draw those that are left out.
            absent = (not multapses) and 2 * k > allowed
            if absent:
                left = allowed - k
            while left > 0:
                pick = _target(word(own, draw), allowed, self_place)
                draw += 1
                if seen[pick] == 1:
                    continue
                left -= 1
                if not multapses:
                    seen[pick] = 1
                if not absent:
                    if filling == 1:
                        targets[pointers[pick]] = place
                    pointers[pick + (1 - filling)] += 1
            if absent:
                for pick in range(size):
                    if seen[pick] == 0 and pick != self_place:
                        if filling == 1:
                            targets[pointers[pick]] = place
                        pointers[pick + (1 - filling)] += 1
            if not multapses:
                for again in range(draw):
                    seen[_target(word(own, again), allowed, self_place)] = 0
        if filling == 0:
            for pick in range(size):
                pointers[pick + 1] += pointers[pick]
    for pick in range(size, 0, -1):
        pointers[pick] = pointers[pick - 1]
    pointers[0] = 0
    return pointers, targets
