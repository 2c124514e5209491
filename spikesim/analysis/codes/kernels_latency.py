"""Compiled: runs of spikes that are more than spontaneous activity would bring."""

import math

import numpy as np

from spikesim.kernels.cache import kernel, part


@part
def _surprise(n, mean):
    """-ln of the probability of n or more spikes where a Poisson train has ``mean``.

    Only asked of more spikes than the mean, where the series falls from its first term on.
    """
    if n <= mean:
        return 0.0
    if mean <= 0.0:
        return np.inf
    term = total = 1.0
    k = n
    while term > 1e-15 * total:
        k += 1
        term *= mean / k
        total += term
    return mean - n * math.log(mean) + math.lgamma(n + 1.0) - math.log(total)


@part
def _most_surprising(times, first, last, begin, rate):
    """Surprise and start of the run of spikes that is least expected.

    A run is a spike and those that follow it, or all spikes since ``begin``.
    """
    best, onset = 0.0, np.nan
    for j in range(first, last):
        if times[j] > begin:
            s = _surprise(j - first + 1, rate * (times[j] - begin))
            if s > best:
                best, onset = s, times[first]
        for i in range(first, j):
            if times[j] > times[i]:
                s = _surprise(j - i, rate * (times[j] - times[i]))
                if s > best:
                    best, onset = s, times[i]
    return best, onset


@kernel
def most_surprising(times, offsets, begin, end, rates, out, onsets):
    """The same of each row in (begin, end], where the row has ``rates[row]`` spikes a ms."""
    for row in range(offsets.size - 1):
        first = offsets[row]
        while first < offsets[row + 1] and times[first] <= begin:
            first += 1
        last = first
        while last < offsets[row + 1] and times[last] <= end:
            last += 1
        out[row], onsets[row] = _most_surprising(times, first, last, begin, rates[row])


@kernel
def best_bins(cumulated, rates, out, onsets):
    """Likelihood ratio of a higher rate in the run of bins that has most of it, and its start.

    ``cumulated`` (rows, bins + 1) counts from 0 on, ``rates`` spikes a bin without response:
    n ln(n / mean) - (n - mean).
    """
    for row in range(cumulated.shape[0]):
        best, onset = 0.0, -1
        for i in range(cumulated.shape[1] - 1):
            for j in range(i + 1, cumulated.shape[1]):
                n = cumulated[row, j] - cumulated[row, i]
                mean = rates[row] * (j - i)
                if n > mean:
                    s = n * math.log(n / mean) - (n - mean)
                    if s > best:
                        best, onset = s, i
        out[row], onsets[row] = best, onset
