"""Draw a source's synapses: onto whom, how strong, how late.

What is drawn depends on the projection's key, the source and the place in the row alone, so that
whoever wants a part of a row goes through the whole of it.
"""

import numpy as np

from spikesim.engine.connectivity.tables import DISTINCT, DRAWN
from spikesim.kernels.cache import inlined
from spikesim.kernels.keyed import BITS32, LOW32, mix, row_key, word

_63 = np.uint64(63)


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
    """The delay that the upper half of a synapse's 32 random bits picks."""
    return np.int64(delay_tables[projection.delay, np.int64(bits) >> 16])


@inlined
def target_place(z, size, self_place):
    """Place in the target slice that the upper half of a random word picks, `self_place` never."""
    place = np.int64(((z >> BITS32) * np.uint64(size)) >> BITS32)
    return place + (place >= self_place)


@inlined
def draw(projection, source_place, counts, seen, places, random_bits):
    """One source's synapses of one projection: places of targets, 32 random bits each, how many.

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
    drawn = 0
    if projection.rule == DRAWN:
        for k in range(count):
            z = word(key, k)
            place = target_place(z, allowed, self_place)
            places[drawn], random_bits[drawn] = place, z & LOW32
            drawn += 1
    elif projection.rule == DISTINCT and 2 * count <= allowed:
        k = 0
        left = count
        while left > 0:  # ends: at every draw at least half of the places are free
            z = word(key, k)
            place = target_place(z, allowed, self_place)
            if seen[place] == 0:
                seen[place] = 1
                left -= 1
                places[drawn], random_bits[drawn] = place, z & LOW32
                drawn += 1
            k += 1
        for i in range(k):
            seen[target_place(word(key, i), allowed, self_place)] = 0
    else:  # ALL, or DISTINCT and dense: draw the places that are left out
        k = 0
        left = allowed - count if projection.rule == DISTINCT else 0
        while left > 0:
            place = target_place(word(key, k), allowed, self_place)
            left -= 1 - seen[place]
            seen[place] = 1
            k += 1
        for place in range(size):
            if seen[place] == 0 and place != self_place:
                z = word(key, k + place)
                places[drawn], random_bits[drawn] = place, z & LOW32
                drawn += 1
            seen[place] = 0
    return drawn
