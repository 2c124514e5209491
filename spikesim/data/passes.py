"""Compiled passes over spikes in the order in which they lie."""

import numpy as np

from spikesim.data.windows import SAME_TIME
from spikesim.kernels.cache import bare, inlined, kernel, part
from spikesim.kernels.keyed import row_key, word

_TO_UNIT = 2.0**-53
_BITS = np.uint64(11)
_FEW = 32  # times that are faster sorted one by one


@inlined
def follows(k, neuron, windows, last, window_of_last):
    """Whether its neuron has spiked in the window of spike k, which becomes that of its last.

    ``last[i]`` is the last spike of neuron i so far (NaN for none) and ``window_of_last[i]`` the
    window that it lies in; ``windows[k]`` is that of spike k, or there are none but one.
    """
    together = not np.isnan(last[neuron])
    if windows.size:
        together &= window_of_last[neuron] == windows[k]
        window_of_last[neuron] = windows[k]
    return together


@bare
def intervals(times, neurons, windows, last, window_of_last, isi, owners):
    """Inter-spike intervals that end in this piece, and how many there are.

    It is -1 - neuron if the times of a neuron do not ascend.
    """
    n = 0
    for k in range(times.size):
        neuron, time = neurons[k], times[k]
        if follows(k, neuron, windows, last, window_of_last):
            isi[n] = time - last[neuron]
            if isi[n] < 0:
                return -1 - neuron
            owners[n] = neuron
            n += 1
        last[neuron] = time
    return n


@bare
def moments(times, neurons, windows, last, window_of_last, table):
    """Add the intervals that end in this piece to their neurons' number, and to their sums.

    A row has the number, a value near their mean, and the sums of what each of them is more than
    that, and of its square. The value becomes the mean whenever the number is a power of 2, so the
    variance is never small beside what is subtracted for it. Returns as `intervals`.
    """
    for k in range(times.size):
        neuron, time = neurons[k], times[k]
        if follows(k, neuron, windows, last, window_of_last):
            isi, row = time - last[neuron], table[neuron]
            if isi < 0:
                return -1 - neuron
            more = isi - row[1]
            row[0] += 1.0
            row[2] += more
            row[3] += more * more
            n = np.int64(row[0])
            if n & (n - 1) == 0:
                off = row[2] / n
                row[1] += off
                row[3] -= row[2] * off
                row[2] = 0.0
        last[neuron] = time
    return 0


@bare
def look(times, neurons, by_neuron, last_time, last_neuron):
    """Whether a piece goes on in order; its smallest and largest time and neuron.

    In order of time, or of neuron and of time within one; NaN is in no order.
    """
    low, high = np.inf, -np.inf
    lowest, highest = neurons[0], neurons[0]
    ordered = True
    for k in range(times.size):
        time, neuron = times[k], neurons[k]
        if by_neuron and neuron != last_neuron:
            ordered &= neuron > last_neuron and time == time
        else:
            ordered &= time >= last_time
        last_time, last_neuron = time, neuron
        low, high = min(low, time), max(high, time)
        lowest, highest = min(lowest, neuron), max(highest, neuron)
    return ordered, low, high, lowest, highest


@part
def uniform(key, k):
    """In [0, 1), the k-th of a key."""
    return np.float64(word(key, k) >> _BITS) * _TO_UNIT


@part
def within(time, start, stop):
    """The time, moved if need be into (start, stop] as windows are, rounding allowed for."""
    return min(max(time, min(start + 2 * SAME_TIME, stop)), stop)


@part
def settle(times, first, last):
    """Sort times[first:last]."""
    if last - first > _FEW:
        times[first:last].sort()
        return
    for i in range(first + 1, last):
        time, j = times[i], i
        while j > first and times[j - 1] > time:
            times[j] = times[j - 1]
            j -= 1
        times[j] = time


@kernel
def jitter(times, windows, offsets, neurons, starts, stops, seed, width, out):
    """Each spike anywhere in the cell of ``width`` ms that it lies in; cells begin with windows."""
    for i in range(len(neurons)):
        key = row_key(seed, neurons[i])
        s, end = offsets[i], offsets[i + 1]
        while s < end:
            first, window = s, windows[s]
            start, stop = starts[window], stops[window]
            low = start + width * max(np.ceil((times[s] - start - SAME_TIME) / width) - 1, 0)
            high = low + width
            if high > stop - SAME_TIME:
                high = stop
            while True:
                out[s] = within(high - uniform(key, s - offsets[i]) * (high - low), low, high)
                s += 1
                if s == end or windows[s] != window or times[s] > high + SAME_TIME:
                    break
            settle(out, first, s)
