"""Compiled: what spikes, spread over time by a kernel, bring in each step."""

import math

import numpy as np

from spikesim.kernels.cache import kernel, part


@part
def _mass(cubics, low, scale, t):
    """Mass before t, of which each row of ``cubics`` is a piece, ``1 / scale`` ms long."""
    u = (t - low) * scale
    if u <= 0.0:
        return 0.0
    i = int(u)
    if i >= cubics.shape[0]:
        return 1.0
    f = u - i
    return cubics[i, 0] + f * (cubics[i, 1] + f * (cubics[i, 2] + f * cubics[i, 3]))


@kernel
def spread(times, offsets, starts, stops, first_step, every, cubics, low, high, out):
    """Mass of kernels in each step, which reach from ``low`` to ``high`` ms after a spike.

    ``times`` in order of row, those of row i from ``offsets[i]``; windows (start, stop] with steps
    of ``every`` ms from ``first_step[w]`` on, of which the last may be shorter. Adds to ``out``,
    of shape (rows, steps).
    """
    scale = cubics.shape[0] / (high - low)
    for row in range(offsets.size - 1):
        s = offsets[row]
        for w in range(starts.size):
            steps = first_step[w + 1] - first_step[w]
            while s < offsets[row + 1] and (w == starts.size - 1 or times[s] < starts[w + 1]):
                after = times[s] - starts[w]
                first = max(int(math.floor((after + low) / every)), 0)
                last = min(int(math.ceil((after + high) / every)), steps)
                before = _mass(cubics, low, scale, first * every - after)
                for k in range(first, last):
                    edge = (k + 1) * every if k + 1 < steps else stops[w] - starts[w]
                    until = _mass(cubics, low, scale, edge - after)
                    out[row, first_step[w] + k] += until - before
                    before = until
                s += 1


@kernel
def run_exponential(times, offsets, starts, stops, first_step, every, tau, out):
    """The same of causal exponential kernels, in one pass over spikes and steps."""
    lost = -math.expm1(-every / tau)
    for row in range(offsets.size - 1):
        s = offsets[row]
        for w in range(starts.size):
            y = 0.0  # sum of the kernels at the end of the step, times tau
            steps = first_step[w + 1] - first_step[w]
            for k in range(steps):
                end = (k + 1) * every
                limit = starts[w] + end
                gain = y * lost
                if k + 1 == steps:
                    end = stops[w] - starts[w]
                    limit = starts[w + 1] if w + 1 < starts.size else np.inf
                    gain = -y * math.expm1((k * every - end) / tau)
                y -= gain
                while s < offsets[row + 1] and times[s] <= limit:
                    share = -math.expm1(min(times[s] - starts[w] - end, 0.0) / tau)
                    gain += share
                    y += 1.0 - share
                    s += 1
                out[row, first_step[w] + k] += gain


@kernel
def run_alpha(times, offsets, starts, stops, first_step, every, tau, out):
    """The same of alpha kernels."""
    whole = every / tau
    kept_whole, lost_whole = math.exp(-whole), -math.expm1(-whole)
    for row in range(offsets.size - 1):
        s = offsets[row]
        for w in range(starts.size):
            y = z = 0.0  # sums of exp(-u) and of u exp(-u), u the time since a spike over tau
            steps = first_step[w + 1] - first_step[w]
            for k in range(steps):
                end = (k + 1) * every
                limit = starts[w] + end
                step, kept, lost = whole, kept_whole, lost_whole
                if k + 1 == steps:
                    end = stops[w] - starts[w]
                    limit = starts[w + 1] if w + 1 < starts.size else np.inf
                    step = (end - k * every) / tau
                    kept, lost = math.exp(-step), -math.expm1(-step)
                gain = (y + z) * lost - y * step * kept
                z = (z + y * step) * kept
                y *= kept
                while s < offsets[row + 1] and times[s] <= limit:
                    u = max(end - (times[s] - starts[w]), 0.0) / tau
                    kept = math.exp(-u)
                    gain += -math.expm1(-u) - u * kept
                    y += kept
                    z += u * kept
                    s += 1
                out[row, first_step[w] + k] += gain
