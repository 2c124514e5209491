"""Compiled: spikes of trials to filtered rates of units, and to outputs."""

import numpy as np

from spikesim.kernels.cache import kernel


@kernel
def add_filtered(times, neurons, trials, weights, step, tau, into):
    """Add to ``into[time, trial, :]`` what each spike leaves at the end of its step.

    That is ``exp(-left / tau)`` of its neuron's ``weights``, where ``left`` is the time from the
    spike to the end of its step; steps are (k step, (k + 1) step].
    """
    for n in range(times.size):
        k = int(np.ceil(times[n] / step - 1e-9)) - 1
        left = np.exp(-((k + 1) * step - times[n]) / tau)
        for j in range(weights.shape[1]):
            into[k, trials[n], j] += left * weights[neurons[n], j]


@kernel
def count_filtered(times, neurons, trials, weights, together, step, tau, into):
    """As `add_filtered`, where so many neurons that lie together add to a column of their own."""
    for n in range(times.size):
        k = int(np.ceil(times[n] / step - 1e-9)) - 1
        left = np.exp(-((k + 1) * step - times[n]) / tau)
        into[k, trials[n], neurons[n] // together] += left * weights[neurons[n]]
