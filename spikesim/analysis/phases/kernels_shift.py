"""Spikes shifted within stretches of time, each by an amount of its own, around a ring.

Each shift is drawn by a key: no surrogate depends on how many there are, no neuron on others.
"""

import numpy as np

from spikesim.kernels.cache import kernel, part
from spikesim.kernels.keyed import row_key, word

_TO_UNIT = 2.0**-53
_BITS = np.uint64(11)
NEAR = 1e-6  # of a step: a time so close to a sample is on it


@part
def shifted(time, start, length, key, stretch):
    """A time of a stretch, moved on around its ring."""
    turn = np.float64(word(key, stretch) >> _BITS) * _TO_UNIT
    after = time - start + turn * length
    return start + (after if after <= length else after - length)


@part
def vector_at(time, phase, start, step):
    """cos and sin of a phase that is sampled evenly, and 1; all 0 where it is unknown (NaN)."""
    place = (time - start) / step
    k = min(max(int(place), 0), phase.size - 2)
    share = place - k
    angle = phase[k] + share * (phase[k + 1] - phase[k])
    if np.isnan(angle) or share < -NEAR or share > 1 + NEAR:
        return 0.0, 0.0, 0.0
    return np.cos(angle), np.sin(angle), 1.0


@kernel
def locking(times, offsets, stretch, starts, lengths, phase, start, step, seed, shifts, out):
    """Sums of the phase vectors of each neuron's spikes, and how many there were.

    ``out`` is (shifts + 1, neurons, 3); the first of it is of the spikes as they are. The times of
    neuron i are ``times[offsets[i] : offsets[i + 1]]``, each in the stretch of its number.
    """
    neurons = offsets.size - 1
    for m in range(shifts + 1):
        surrogate = row_key(seed, m)
        for i in range(neurons):
            key = row_key(surrogate, i)
            c = s = n = 0.0
            for j in range(offsets[i], offsets[i + 1]):
                t, w = times[j], stretch[j]
                if m > 0:
                    t = shifted(t, starts[w], lengths[w], key, w)
                cos, sin, one = vector_at(t, phase, start, step)
                c += cos
                s += sin
                n += one
            out[m, i, 0], out[m, i, 1], out[m, i, 2] = c, s, n


@kernel
def triggered(
    times, stretch, starts, lengths, neuron, signal, clear, start, step, seed, shifts, out, used
):
    """Mean of a signal from a neuron's spikes on, in as many samples as ``out`` is long.

    ``out`` is (shifts + 1, lags), ``used`` (shifts + 1,) how many spikes are followed by lags that
    are all known: ``clear[k]`` samples without a gap begin at sample k. The signal is on a line
    between its samples. Without stretches the spikes cannot be shifted.
    """
    lags = out.shape[1]
    for m in range(shifts + 1):
        key = row_key(row_key(seed, m), neuron)
        row, n = out[m], 0
        row[:] = 0.0
        for j in range(times.size):
            t = times[j]
            if m > 0:
                t = shifted(t, starts[stretch[j]], lengths[stretch[j]], key, stretch[j])
            place = (t - start) / step
            k = int(np.floor(place + NEAR))
            share = place - k
            between = share > NEAR  # else on a sample, and rounding asks for no other
            if k < 0 or k >= signal.size or clear[k] < lags + between:
                continue
            n += 1
            if between:
                for lag in range(lags):
                    row[lag] += (1 - share) * signal[k + lag] + share * signal[k + lag + 1]
            else:
                for lag in range(lags):
                    row[lag] += signal[k + lag]
        used[m] = n
        for lag in range(lags):
            row[lag] = row[lag] / n if n > 0 else np.nan
