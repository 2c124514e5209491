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
        window = windows[k] if windows.size else 0
        if not np.isnan(last[neuron]) and window_of_last[neuron] == window:
            isi[n] = time - last[neuron]
            owners[n] = neuron
            n += 1
        last[neuron] = time
        window_of_last[neuron] = window
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
