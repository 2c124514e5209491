"""Compiled passes over spikes in the order in which they lie."""

import numpy as np

from spikesim.kernels.cache import kernel


@kernel
def intervals(times, neurons, windows, last, window_of_last, isi, owners):
    """Inter-spike intervals that end in this piece, and how many there are.

    ``last[i]`` is the last spike of neuron i so far (NaN for none) and ``window_of_last[i]`` the
    window that it lies in; ``windows[k]`` is that of spike k, or there are none but one.
    """
    n = 0
    for k in range(times.size):
        neuron, time = neurons[k], times[k]
        together = not np.isnan(last[neuron])
        if windows.size:
            together &= window_of_last[neuron] == windows[k]
            window_of_last[neuron] = windows[k]
        if together:
            isi[n] = time - last[neuron]
            owners[n] = neuron
            n += 1
        last[neuron] = time
    return n


@kernel
def moments(values, owners, table):
    """Add values to the number, mean and sum of squared deviations of their owners (Welford)."""
    for k in range(values.size):
        row = table[owners[k]]
        row[0] += 1.0
        off = values[k] - row[1]
        row[1] += off / row[0]
        row[2] += off * (values[k] - row[1])


@kernel
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
