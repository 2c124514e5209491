"""Draw an axon's synapses, sort each row by delay, write it once.

What is drawn depends on the projection's key, the source and the place in the row, so every
partition goes through whole rows and keeps the synapses onto its own neurons.

A synapse is 32 bits: ``address | slot << address_bits | weight << (address_bits + slot_bits)``.
The address is the input it adds to, the slot the step within its window of delays, the weight an
index into the axon's table of weights.
"""

import numpy as np

from spikesim.engine.clock.tables import DISTINCT, DRAWN
from spikesim.kernels.cache import inlined, kernel
from spikesim.kernels.keyed import BITS32, LOW32, mix, row_key, word

_63 = np.uint64(63)

GAUSSIAN, EXPONENTIAL, BOX = range(3)  # profiles of probability over distance


@inlined
def place_of(projection, source):
    """Which of a projection's sources a neuron is; -1 if it is none."""
    ahead = source - projection.source_first
    place = ahead // projection.source_step
    if ahead < 0 or ahead % projection.source_step != 0 or place >= projection.source_size:
        return -1
    return place


@inlined
def level(projection, key, bits):
    """Which entry of its weights the lower half of a synapse's 32 random bits picks.

    If that stands for a tail, the row's key and all 32 bits, mixed, pick one of the tail's.
    """
    entry = ((np.int64(bits) & 0xFFFF) * projection.levels) >> 16
    if entry < projection.common:
        return entry
    z = mix(key + np.uint64(bits))
    octave = 0
    while octave < projection.octaves - 1 and (z >> np.uint64(63 - octave)) & np.uint64(1) == 0:
        octave += 1
    return projection.levels + 64 * octave + np.int64(z & _63)


@inlined
def delay_of(delay_tables, projection, bits):
    """The delay (steps) that the upper half of a synapse's 32 random bits picks."""
    return np.int64(delay_tables[projection.delay, np.int64(bits) >> 16])


@inlined
def _target(z, size, self_place):
    """Place in the target slice that the upper half of a random word picks, `self_place` never."""
    place = np.int64(((z >> BITS32) * np.uint64(size)) >> BITS32)
    return place + (place >= self_place)


@inlined
def _keep(place, projection, span, receptors, bits, addresses, random_bits, kept):
    """Write the synapse, then count it if it is ours: no branch to mispredict."""
    neuron = projection.target_first + projection.target_step * place
    block = (neuron >> 6) - span.first
    local = (block * receptors + projection.receptor) * 64 + (neuron & 63)
    addresses[kept] = np.uint32(span.address + local)
    random_bits[kept] = np.uint32(bits & LOW32)
    return kept + ((neuron >> 6 >= span.first) & (neuron >> 6 < span.last))


@inlined
def draw(projection, source_place, counts, span, receptors, seen, addresses, random_bits):
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
    address_bits,
    slot_bits,
    longest,
    words,
    exact,
    rows,
):
    """Write all rows of an axon onto one partition; returns the number of synapses, -1 if too many.

    ``words`` begins at the axon's first synapse, ``rows`` at its first pointer, which counts from
    there. If ``exact`` is not empty, weights go there and not into the words.
    """
    addresses = np.empty(longest + 1, np.uint32)
    random_bits = np.empty(longest + 1, np.uint32)
    delays = np.empty(longest + 1, np.uint16)
    weights = np.empty(longest + 1, np.uint32)
    widest = 1
    for p in range(axon.first_projection, axon.last_projection):
        widest = max(widest, projections[p].target_size)
    seen = np.zeros(widest, np.uint8)
    starts = np.empty(axon.windows + 1, np.int64)
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
                kept = draw(
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
            starts[((np.int64(delays[k]) - axon.first_delay) >> slot_bits) + 1] += 1
        for window in range(axon.windows):
            starts[window + 1] += starts[window]
            rows[source * axon.windows + window] = used + starts[window]
        for k in range(n):
            late = np.int64(delays[k]) - axon.first_delay
            at = used + starts[late >> slot_bits]
            starts[late >> slot_bits] += 1
            packed = np.int64(addresses[k]) | (late & slot_mask) << address_bits
            if exact.size == 0:
                packed |= np.int64(weights[k]) << (address_bits + slot_bits)
            else:
                exact[at] = table[axon.table + weights[k]]
            words[at] = packed
        used += n
    rows[axon.size * axon.windows] = used
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


@kernel
def sorted_rows(pre, post, size, order):
    """Rows by source of pairs, and in ``order`` which pair each synapse was: a counting sort."""
    pointers = np.zeros(size + 1, np.int64)
    for k in range(pre.size):
        pointers[pre[k] + 1] += 1
    for source in range(size):
        pointers[source + 1] += pointers[source]
    ends = pointers[:-1].copy()
    targets = np.empty(pre.size, np.int32)
    for k in range(pre.size):
        place = ends[pre[k]]
        ends[pre[k]] += 1
        targets[place] = post[k]
        order[place] = k
    return pointers, targets


@kernel
def distinct(values, order, most):
    """The different values of an array, and which of them ``values[order[k]]`` is.

    ``most`` is a power of two. Of more values than that, nothing is returned.
    """
    mask = np.uint64(4 * most - 1)
    numbers = np.full(4 * most, -1, np.int32)  # by the hash of a value, or behind it
    found = np.empty(most, np.float64)
    index = np.empty(order.size, np.uint32)
    bits = values.view(np.uint64)
    count = 0
    for k in range(order.size):
        value = values[order[k]]
        at = mix(bits[order[k]]) & mask
        while numbers[at] >= 0 and found[numbers[at]] != value:
            at = (at + np.uint64(1)) & mask
        if numbers[at] < 0:
            if count == most:
                return found[:0], index[:0]
            found[count] = value
            numbers[at] = count
            count += 1
        index[k] = numbers[at]
    return found[:count], index


@inlined
def _distance(sources, source, targets, target, period):
    """Between two neurons. ``period`` [2, dimension] and its inverse; zeros where there is none."""
    squared = 0.0
    for axis in range(sources.shape[1]):
        along = sources[source, axis] - targets[target, axis]
        along -= period[0, axis] * np.rint(along * period[1, axis])
        squared += along * along
    return np.sqrt(squared)


@inlined
def _exponent(profile, scale, distance):
    """x, where the probability at this distance is p0 exp(-x)."""
    x = distance / scale
    if profile == BOX:
        return 0.0 if distance <= scale else np.inf
    return 0.5 * x * x if profile == GAUSSIAN else x


@inlined
def _at_most(x):
    """The beginning of the series of exp(x), which for positive x stays below it."""
    return 1 + x * (1 + x * (0.5 + x * (1 / 6 + x * (1 / 24))))


@kernel
def distance_rows(
    key, first, last, skip_self, source, target, sources, targets, period, profile, scale, p0
):
    """Rows of sources ``first`` to ``last`` whose every pair is drawn by itself.

    A pair is connected if the upper half of word ``target place`` of its row is below the
    probability. ``source`` and ``target`` are slices (start, step, size), ``sources`` and
    ``targets`` positions [place, dimension].
    """
    pointers = np.zeros(last - first + 1, np.int64)
    places = np.empty(target[2], np.int32)
    most = p0 * 2.0**32
    used = 0
    for place in range(first, last):
        self_place = -1
        if skip_self:
            ahead = source[0] + source[1] * place - target[0]
            if ahead % target[1] == 0:
                self_place = ahead // target[1]
        own = row_key(key, place)
        if used + target[2] > places.size:
            larger = np.empty(2 * places.size + target[2], np.int32)
            larger[:used] = places[:used]
            places = larger
        for other in range(target[2]):
            drawn = np.float64(word(own, other) >> BITS32)
            x = _exponent(profile, scale, _distance(sources, place, targets, other, period))
            if drawn * _at_most(x) < most and other != self_place:  # spares most exponentials
                places[used] = other
                used += drawn < most * np.exp(-x)
        pointers[place - first + 1] = used
    return pointers, places[:used].copy()


@kernel
def row_distances(pointers, places, sources, targets, period):
    """How long each synapse of rows by source is."""
    distances = np.empty(places.size, np.float64)
    for source in range(pointers.size - 1):
        for k in range(pointers[source], pointers[source + 1]):
            distances[k] = _distance(sources, source, targets, places[k], period)
    return distances


@kernel
def largest_in_degree(sources, targets, period, profile, scale, p0):
    """The most synapses that a target can expect, or somewhat more: without an exponential."""
    largest = 0.0
    for target in range(targets.shape[0]):
        expected = 0.0
        for source in range(sources.shape[0]):
            distance = _distance(sources, source, targets, target, period)
            expected += p0 / _at_most(_exponent(profile, scale, distance))
        largest = max(largest, expected)
    return largest
