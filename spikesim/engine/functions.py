"""Elementary functions that vectorise: Numba's own are calls of the C library, lane by lane."""

import numpy as np
from numba import types
from numba.extending import overload

from spikesim.engine.cache import inlined

_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440054690583e-4  # the high part has few bits


# Adding this rounds a small number to an integer, which the low bits then hold: unlike floor and a
# conversion it vectorises on every machine.
_ROUND64, _ROUND32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)


@inlined
def _exp64(x):
    x = min(max(x, -708.0), 709.0)
    shifted = x * _LOG2E + _ROUND64
    n = shifted - _ROUND64
    r = (x - n * _LN2_HIGH) - n * _LN2_LOW
    p = 1 / 6227020800.0
    p = p * r + 1 / 479001600.0
    p = p * r + 1 / 39916800.0
    p = p * r + 1 / 3628800.0
    p = p * r + 1 / 362880.0
    p = p * r + 1 / 40320.0
    p = p * r + 1 / 5040.0
    p = p * r + 1 / 720.0
    p = p * r + 1 / 120.0
    p = p * r + 1 / 24.0
    p = p * r + 1 / 6.0
    p = p * r + 0.5
    p = p * r + 1.0
    p = p * r + 1.0
    return p * np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@inlined
def _exp32(x):
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    shifted = x * np.float32(_LOG2E) + _ROUND32
    n = shifted - _ROUND32
    r = (x - n * np.float32(_LN2_HIGH)) - n * np.float32(_LN2_LOW)
    p = np.float32(1 / 720)
    p = p * r + np.float32(1 / 120)
    p = p * r + np.float32(1 / 24)
    p = p * r + np.float32(1 / 6)
    p = p * r + np.float32(0.5)
    p = p * r + np.float32(1.0)
    p = p * r + np.float32(1.0)
    return p * np.int32((np.float32(shifted).view(np.int32) + 127) << 23).view(np.float32)


def exp(x):
    """e to the x, for float32 and float64, within a few units in the last place.

    The argument is held to the range in which the result is a normal number.
    """
    return np.exp(x)


@overload(exp, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _exp32(x)
    return lambda x: _exp64(x)


def exprel(x):
    """(e to the x - 1) / x, and 1 at 0."""
    return np.expm1(x) / x if x else 1.0


@overload(exprel, inline="always")
def _(x):
    kind = np.float32 if x == types.float32 else np.float64
    one, small = kind(1), kind(0.03)
    c2, c3, c4, c5, c6 = (kind(1 / k) for k in (2, 3, 4, 5, 6))

    def relative(x):
        near = abs(x) < small
        series = one + x * c2 * (one + x * c3 * (one + x * c4 * (one + x * c5 * (one + x * c6))))
        far = one if near else x
        return series if near else (exp(far) - one) / far

    return relative
