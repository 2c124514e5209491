"""Kernels of the spike time tiling coefficient."""

import numpy as np

from spikesim.kernels.cache import kernel


@kernel
def near_spikes(times, neurons, windows, reach, near):
    """``near[i, j]``: how many spikes of i have one of j within ``reach`` in their window.

    Spikes come in order of window and time. At each, all neurons' last and next spikes are looked
    at, a vectorised line; that takes the same time whatever the reach and the rates.
    """
    n, size = len(times), near.shape[0]
    after = np.empty(n)  # next spike of the same neuron in the window
    last, following = np.full(size, -np.inf), np.full(size, np.inf)
    end = n
    while end > 0:
        start = end
        while start > 0 and windows[start - 1] == windows[end - 1]:
            start -= 1
        following[:], last[:] = np.inf, -np.inf
        for s in range(end - 1, start - 1, -1):
            after[s] = following[neurons[s]]
            following[neurons[s]] = times[s]
        for s in range(start, end):
            time, neuron = times[s], neurons[s]
            last[neuron], following[neuron] = time, after[s]
            row = near[neuron]
            for j in range(size):
                row[j] += (time - last[j] <= reach) | (following[j] - time <= reach)
        end = start


@kernel
def covered_time(times, neurons, windows, starts, stops, dt, covered):
    """Time of all windows within dt of a spike of each neuron, of spikes in order of neuron."""
    n = len(times)
    for s in range(n):
        window, total = windows[s], 0.0
        if s == 0 or neurons[s - 1] != neurons[s] or windows[s - 1] != window:
            total += min(dt, times[s] - starts[window])
        if s == n - 1 or neurons[s + 1] != neurons[s] or windows[s + 1] != window:
            total += max(min(dt, stops[window] - times[s]), 0.0)
        else:
            total += min(2 * dt, times[s + 1] - times[s])
        covered[neurons[s]] += total
