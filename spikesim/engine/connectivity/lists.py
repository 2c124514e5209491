"""Lists of synapses by source: of targets that draw their sources, and of pairs that are given."""

import numpy as np

from spikesim.engine.connectivity.draw import target_place
from spikesim.kernels.cache import kernel
from spikesim.kernels.keyed import mix, row_key, word


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
                pick = target_place(word(own, draw), allowed, self_place)
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
                    seen[target_place(word(own, again), allowed, self_place)] = 0
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
