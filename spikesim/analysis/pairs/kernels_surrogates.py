"""Kernels of surrogates. Spikes come in order of neuron, then window, then time, and leave so."""

import numpy as np

from spikesim.data.passes import settle, uniform, within
from spikesim.data.windows import SAME_TIME
from spikesim.kernels.cache import kernel
from spikesim.kernels.keyed import row_key


@kernel
def dither(times, windows, offsets, neurons, starts, stops, seed, width, refractory, out):
    """Each spike moved by up to ``width`` ms.

    If spikes shall keep their distances, every second one is moved between its neighbours, and
    then the others between these: chance says which come first.
    """
    for i in range(len(neurons)):
        key = row_key(seed, neurons[i])
        n = offsets[i + 1] - offsets[i]
        t, w = times[offsets[i] : offsets[i + 1]], windows[offsets[i] : offsets[i + 1]]
        new = out[offsets[i] : offsets[i + 1]]
        new[:] = t
        turns = 2 if refractory > 0 else 1
        turn = 0 if turns == 1 or uniform(key, n) < 0.5 else 1
        for _ in range(turns):
            for s in range(turn, n, turns):
                start, stop = starts[w[s]], stops[w[s]]
                low, high = max(t[s] - width, start), min(t[s] + width, stop)
                if turns == 2:
                    if s > 0 and w[s - 1] == w[s]:
                        low = max(low, new[s - 1] + min(refractory, t[s] - t[s - 1]))
                    if s < n - 1 and w[s + 1] == w[s]:
                        high = min(high, new[s + 1] - min(refractory, t[s + 1] - t[s]))
                high = max(high, low)  # where rounding has them crossed
                new[s] = within(high - uniform(key, s) * (high - low), start, stop)
            turn = 1 - turn
        first = 0
        for s in range(1, n + 1):
            if s == n or w[s] != w[first]:
                settle(new, first, s)
                first = s


@kernel
def shift(times, windows, offsets, neurons, starts, stops, seed, most, out, out_windows):
    """Each train turned round the windows, put end to end, by up to ``most`` ms to either side."""
    before = np.zeros(len(starts) + 1)  # time of the windows before each
    for window in range(len(starts)):
        before[window + 1] = before[window] + stops[window] - starts[window]
    total = before[-1]
    for i in range(len(neurons)):
        first, last = offsets[i], offsets[i + 1]
        by = most * (1 - 2 * uniform(row_key(seed, neurons[i]), 0))
        by -= np.floor(by / total) * total
        turned = last  # the first spike that comes round to the beginning
        for s in range(first, last):
            if before[windows[s]] + times[s] - starts[windows[s]] + by > total + SAME_TIME:
                turned = s
                break
        window = 0
        for k in range(last - first):
            s = turned + k if turned + k < last else first + turned + k - last
            at = before[windows[s]] + times[s] - starts[windows[s]] + by
            if s >= turned:
                at -= total
            while window < len(starts) - 1 and at > before[window + 1] + SAME_TIME:
                window += 1
            out_windows[first + k] = window
            place = starts[window] + at - before[window]
            out[first + k] = within(place, starts[window], stops[window])


@kernel
def turn(times, windows, offsets, neurons, starts, stops, seed, out):
    """Each train turned round each window alone, by chance."""
    for i in range(len(neurons)):
        key = row_key(seed, neurons[i])
        first = offsets[i]
        while first < offsets[i + 1]:
            window, last = windows[first], first
            start, stop = starts[window], stops[window]
            by = uniform(key, window) * (stop - start)
            turned = -1
            while last < offsets[i + 1] and windows[last] == window:
                if turned < 0 and times[last] + by > stop + SAME_TIME:
                    turned = last
                last += 1
            turned = last if turned < 0 else turned
            for s in range(first, last):
                at = times[s] + by - (stop - start if s >= turned else 0.0)
                place = first + s - turned if s >= turned else s + last - turned
                out[place] = within(at, start, stop)
            first = last


@kernel
def permute(neurons, order, bounds, seed, out):
    """For each neuron, which trial each becomes: trials order[bounds[g]:bounds[g + 1]] change."""
    for i in range(len(neurons)):
        key = row_key(seed, neurons[i])
        drawn = order.copy()
        for g in range(len(bounds) - 1):  # Fisher and Yates
            for k in range(bounds[g + 1] - 1, bounds[g], -1):
                j = bounds[g] + np.int64(uniform(key, k) * (k + 1 - bounds[g]))
                drawn[k], drawn[j] = drawn[j], drawn[k]
        out[i][order] = drawn
