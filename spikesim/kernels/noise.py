"""White noise in equations: normal variables keyed by population, neuron and step."""

import numpy as np
from numba import types
from numba.extending import overload

from spikesim.kernels.functions import cos, log, sin
from spikesim.kernels.keyed import BITS32, LOW32, philox


def normals(real, neuron, step, pair, key):
    """Two independent normal variables (Box & Muller 1958) for one neuron and step.

    ``pair`` numbers the pairs of a model; ``key`` is the population's. With 32-bit uniforms no
    value lies beyond 6.7 standard deviations.
    """
    raise NotImplementedError("for kernels only")


@overload(normals, inline="always")
def _(real, neuron, step, pair, key):
    kind = np.float32 if real.dtype == types.float32 else np.float64
    share, half, turn = kind(2.0**-32), kind(2.0**-33), kind(2 * np.pi * 2.0**-32)
    minus_two = kind(-2.0)

    def draw(real, neuron, step, pair, key):
        k = np.uint64(key)
        s = np.uint64(step)
        w0, w1, w2, w3 = philox(
            np.uint64(neuron), s & LOW32, s >> BITS32, np.uint64(pair), k & LOW32, k >> BITS32
        )
        radius = np.sqrt(minus_two * log(kind(w0) * share + half))
        angle = kind(w1) * turn
        return radius * cos(angle), radius * sin(angle)

    return draw
