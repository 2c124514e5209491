"""Kernel of spectra: Fourier transforms of tapered spikes, one by one."""

import numpy as np

from spikesim.kernels.cache import kernel

_LANES = 8


@kernel
def transform(at, segments, tapers, out):
    """Add ``h_k(at) exp(-2 pi i m at)`` of each spike to out[:, segment, k, m], real and imaginary.

    ``at`` is the place in the segment, from 0 to 1; tapers are lines between their points. The
    exponentials of all m come by turning: 8 at a time, each from the one 8 before it.
    """
    n_tapers, n = tapers.shape
    n_frequencies = out.shape[3]
    real, imaginary = np.empty((2, n_frequencies + _LANES))
    height = np.empty(n_tapers)
    for s in range(len(at)):
        place = at[s] * n - 0.5
        left = min(max(np.int64(np.floor(place)), 0), n - 2)
        for k in range(n_tapers):
            rise = tapers[k, left + 1] - tapers[k, left]
            height[k] = tapers[k, left] + (place - left) * rise
        angle = -2 * np.pi * at[s]
        for m in range(_LANES):
            real[m], imaginary[m] = np.cos(m * angle), np.sin(m * angle)
        c, d = np.cos(_LANES * angle), np.sin(_LANES * angle)
        for block in range(0, n_frequencies - _LANES, _LANES):
            for m in range(block, block + _LANES):
                real[m + _LANES] = real[m] * c - imaginary[m] * d
                imaginary[m + _LANES] = real[m] * d + imaginary[m] * c
        for k in range(n_tapers):
            to_real, to_imaginary = out[0, segments[s], k], out[1, segments[s], k]
            for m in range(n_frequencies):
                to_real[m] += height[k] * real[m]
                to_imaginary[m] += height[k] * imaginary[m]
