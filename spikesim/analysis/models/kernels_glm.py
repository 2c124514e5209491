"""What was, weighted by filters."""

from spikesim.kernels.cache import kernel


@kernel
def convolved(x, basis, delay, first, last, out):
    """out[t] += sum_l x[t - delay - l] basis[l], within first <= t < last; x is 0 elsewhere."""
    lags, functions = basis.shape
    for t in range(first, last):
        if x[t] == 0:
            continue
        for lag in range(min(lags, last - delay - t)):
            for j in range(functions):
                out[t + delay + lag, j] += x[t] * basis[lag, j]
