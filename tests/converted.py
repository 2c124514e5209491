"""A small network that was trained, for tests of its conversion."""

from functools import cache

import numpy as np

from spikesim import rate


@cache
def trained():
    """Go or no go, 40 units of the r-form, in a second or two."""
    task = rate.go_nogo()
    network = rate.RateNetwork([rate.LeakyRNN(40, noise=0.1)], 3, 1, task.dt, seed=3)
    rate.train(network, task, updates=200, until=0.99, validate_every=25, progress=False, seed=3)
    return network, task


def random_network(cell, inputs=2, outputs=2, dt=10.0, seed=1, **options):
    """Untrained, in double precision."""
    return rate.RateNetwork([cell], inputs, outputs, dt, seed=seed, dtype="float64", **options)


def slow_inputs(steps=60, trials=12, inputs=2, seed=0):
    """Smooth, of order 1."""
    rng = np.random.default_rng(seed)
    x = rng.standard_normal((steps, trials, inputs))
    for t in range(1, steps):
        x[t] = 0.9 * x[t - 1] + np.sqrt(1 - 0.81) * x[t]
    return x
