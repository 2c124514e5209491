"""What random and sampled inputs bring in a step: one kernel per kind of input.

They are called by their address (see `loop.drive`), so that a network waits for the compilation of
the kinds that it has, and of no other.
"""

from functools import cache

import numpy as np
from numba import types

from spikesim.engine.clock.tables import CORRELATED, GAUSS, INPUT, POISSON, RENEWAL, SAMPLED
from spikesim.kernels.cache import entry, inlined
from spikesim.kernels.intrinsics import lanes
from spikesim.kernels.keyed import BITS32, LOW32, draw_lanes, philox

GAUSS_LEVELS = 4096
OLDEST = 1 << 30  # renewal inputs: ages beyond are all alike

# Places of the fields in an input's record.
STREAM, WEIGHTS, WEIGHT_STRIDE, WEIGHT_BIN, LEVELS, THRESHOLDS, THRESHOLD_STRIDE, THRESHOLD_BIN = (
    INPUT.names.index(name)
    for name in (
        *("stream", "weights", "weight_stride", "weight_bin"),
        *("levels", "thresholds", "threshold_stride", "threshold_bin"),
    )
)
AGES, COPIES, FINE = (INPUT.names.index(name) for name in ("ages", "copies", "fine"))
SECOND = 1 << 62  # of the step, in the key of a second draw

# Arguments of all kernels: the ring of inputs; of all inputs the weights, the reals (quantiles of a
# normal variable, standard deviations), the limits on draws, and the ages of trains, each with the
# first and the number of its limits; the blocks to drive; the input's record. Then numbers: the
# ring's block of 64 inputs for block 0, inputs a neuron, how many blocks, the bin of time, the
# step, the key of the noise.


@inlined
def _line(array):
    """64 of 80 elements, from the start of a cache line: others took half as long again."""
    first = (-array.ctypes.data % 64) // 4
    return array[first : first + 64]


@inlined
def _second(draws, block, step, given, key):
    draw_lanes(draws, block, step | SECOND, np.uint64(given[STREAM]), np.uint64(key))


@inlined
def _add(inputs, spikes, weights):
    for j in range(64):
        inputs[j] += spikes[j] * weights[j]


def sampled(
    ring, weights, reals, limits, ages, driven, given, at, receptors, blocks, time, step, key
):
    """Values that are given: one for all that get it, where there are limits, or one a lane."""
    if given[LEVELS] > 0:
        value = weights[64 * given[THRESHOLDS] + time]
        for i in range(blocks):
            inputs = lanes(ring, at + driven[i] * receptors)
            gets = lanes(weights, given[WEIGHTS] + driven[i] * given[WEIGHT_STRIDE])
            for j in range(64):
                inputs[j] += value * gets[j]
        return
    first_weight = given[WEIGHTS] + time * given[WEIGHT_BIN]
    for i in range(blocks):
        inputs = lanes(ring, at + driven[i] * receptors)
        values = lanes(weights, first_weight + driven[i] * given[WEIGHT_STRIDE])
        for j in range(64):
            inputs[j] += values[j]


def gaussian(
    ring, weights, reals, limits, ages, driven, given, at, receptors, blocks, time, step, key
):
    """Normal variables: sums of two quantiles that are picked at random."""
    draws = _line(np.empty(80, np.uint32))
    for i in range(blocks):
        draw_lanes(draws, driven[i], step, np.uint64(given[STREAM]), np.uint64(key))
        inputs = lanes(ring, at + driven[i] * receptors)
        spread = lanes(reals, given[WEIGHTS] + driven[i] * given[WEIGHT_STRIDE])
        for j in range(64):
            normal = reals[np.int64(draws[j] & np.uint32(GAUSS_LEVELS - 1))]
            normal += reals[np.int64((draws[j] >> np.uint32(16)) & np.uint32(GAUSS_LEVELS - 1))]
            inputs[j] += np.int64(spread[j] * normal)


def poisson(
    ring, weights, reals, limits, ages, driven, given, at, receptors, blocks, time, step, key
):
    """Independent Poisson trains: a draw above k limits means k spikes."""
    draws, spikes = _line(np.empty(80, np.uint32)), _line(np.empty(80, np.int32))
    again = _line(np.empty(80, np.uint32))
    first_weight = given[WEIGHTS] + time * given[WEIGHT_BIN]
    first_limit = given[THRESHOLDS] + time * given[THRESHOLD_BIN]
    levels, stride, weight_stride = given[LEVELS], given[THRESHOLD_STRIDE], given[WEIGHT_STRIDE]
    stream = np.uint64(given[STREAM])
    for i in range(blocks):
        block = driven[i]
        draw_lanes(draws, block, step, stream, np.uint64(key))
        spikes[:] = 0
        limit = first_limit + block * stride
        for level in range(0, levels - 3, 4):  # four a pass: half the time at 16 kHz
            a, b = lanes(limits, limit + level), lanes(limits, limit + level + 1)
            c, d = lanes(limits, limit + level + 2), lanes(limits, limit + level + 3)
            for j in range(64):
                low = np.int32(draws[j] > a[j]) + np.int32(draws[j] > b[j])
                spikes[j] += low + np.int32(draws[j] > c[j]) + np.int32(draws[j] > d[j])
        for level in range(levels & ~3, levels):
            above = lanes(limits, limit + level)
            for j in range(64):
                spikes[j] += draws[j] > above[j]
        if given[FINE] > 0:
            on_limit, first = False, lanes(limits, limit)
            for j in range(64):
                on_limit |= draws[j] == first[j]
            if on_limit:
                _second(again, block, step, given, key)
                fine = lanes(limits, limit + levels)
                for j in range(64):
                    spikes[j] += (draws[j] == first[j]) & (again[j] < fine[j])
        inputs = lanes(ring, at + block * receptors)
        _add(inputs, spikes, lanes(weights, first_weight + block * weight_stride))


def renewal(
    ring, weights, reals, limits, ages, driven, given, at, receptors, blocks, time, step, key
):
    """Renewal trains: a draw below the hazard of a train's age means a spike."""
    draws, spikes = _line(np.empty(80, np.uint32)), _line(np.empty(80, np.int32))
    again = _line(np.empty(80, np.uint32))
    for i in range(blocks):
        draw_lanes(draws, driven[i], step, np.uint64(given[STREAM]), np.uint64(key))
        place = 3 * (given[AGES] + driven[i])
        age, first, last = lanes(ages, place), lanes(ages, place + 1), lanes(ages, place + 2)
        for j in range(64):
            spikes[j] = draws[j] < limits[np.int64(first[j] + min(age[j], last[j]))]
        if given[FINE] > 0:
            on_limit = False
            for j in range(64):
                on_limit |= draws[j] == limits[np.int64(first[j] + min(age[j], last[j]))]
            if on_limit:
                _second(again, driven[i], step, given, key)
                for j in range(64):
                    hazard = np.int64(first[j] + min(age[j], last[j]))
                    is_fine = again[j] < limits[hazard + given[FINE]]
                    spikes[j] |= (draws[j] == limits[hazard]) & is_fine
        for j in range(64):
            age[j] = 0 if spikes[j] else min(age[j] + 1, OLDEST)
        inputs = lanes(ring, at + driven[i] * receptors)
        _add(inputs, spikes, lanes(weights, given[WEIGHTS] + driven[i] * given[WEIGHT_STRIDE]))


@inlined
def _mother_spikes(limits, given, step, key):
    """Spikes of a mother train in a step; the draw is that of a neuron beyond all neurons."""
    low, high = np.uint64(step) & LOW32, np.uint64(step) >> BITS32
    stream, first = np.uint64(given[STREAM]), 64 * given[THRESHOLDS]
    draw, again, _, _ = philox(LOW32, low, high, stream, key & LOW32, key >> BITS32)
    count = 0
    while count < given[LEVELS] and draw > limits[first + 64 * count]:
        count += 1
    if given[FINE] > 0 and draw == limits[first]:
        count += again < limits[first + 64 * given[LEVELS]]
    return count


def correlated(
    ring, weights, reals, limits, ages, driven, given, at, receptors, blocks, time, step, key
):
    """Copies of a mother train's spikes: a draw for each, its number above the step's 40 bits.

    What more bits a step has are above those of the number: steps have 53, the number 10.
    """
    draws, spikes = _line(np.empty(80, np.uint32)), _line(np.empty(80, np.int32))
    mothers = _mother_spikes(limits, given, step, np.uint64(key))
    copies = np.uint32(given[COPIES])
    for mother in range(mothers):
        for i in range(blocks):
            which = step & ((1 << 40) - 1) | mother << 40 | step >> 40 << 50
            draw_lanes(draws, driven[i], which, np.uint64(given[STREAM]), np.uint64(key))
            for j in range(64):
                spikes[j] = draws[j] <= copies
            inputs = lanes(ring, at + driven[i] * receptors)
            weight = given[WEIGHTS] + driven[i] * given[WEIGHT_STRIDE]
            _add(inputs, spikes, lanes(weights, weight))


_KERNELS = {
    SAMPLED: sampled,
    GAUSS: gaussian,
    POISSON: poisson,
    RENEWAL: renewal,
    CORRELATED: correlated,
}


@cache
def address(kind: int, precision: str, wide_sums: bool) -> int:
    """Where the compiled kernel of a kind of input is."""
    return compiled(kind, precision, wide_sums).address


@cache
def compiled(kind: int, precision: str, wide_sums: bool = False):
    single = precision == "single"
    integer = types.int32 if single and not wide_sums else types.int64
    real = types.float32 if single else types.float64
    arrays = (integer, integer, real, types.uint32, types.int32, types.int64, types.int64)
    pointers = [types.CPointer(kind) for kind in arrays]
    return entry(types.void(*pointers, *[types.int64] * 6))(_KERNELS[kind])
