"""Synapses whose probability depends on distance: every pair is looked at once."""

import numpy as np

from spikesim.kernels.cache import inlined, kernel
from spikesim.kernels.keyed import BITS32, row_key, word

GAUSSIAN, EXPONENTIAL, BOX = range(3)  # profiles of probability over distance


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
