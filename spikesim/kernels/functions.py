"""Elementary functions that vectorise: Numba's own are calls of the C library, lane by lane."""

import numpy as np
from numba import types
from numba.extending import overload

from spikesim.kernels.cache import inlined
from spikesim.kernels.intrinsics import fma

_LOG2E = 1.4426950408889634
_LN2_HIGH, _LN2_LOW = 0.693359375, -2.12194440054690583e-4  # the high part has few bits


# Adding this rounds a small number to an integer, which the low bits then hold: unlike floor and a
# conversion it vectorises on every machine.
_ROUND64, _ROUND32 = 1.5 * 2.0**52, np.float32(1.5 * 2.0**23)


@inlined
def _reduced64(x):
    """r and 2^n with x = r + n log(2), abs(r) at most log(2) / 2, for e to the x."""
    x = min(max(x, -708.0), 709.0)
    shifted = x * _LOG2E + _ROUND64
    n = shifted - _ROUND64
    r = fma(n, -_LN2_LOW, fma(n, -_LN2_HIGH, x))
    return r, np.int64((np.float64(shifted).view(np.int64) + 1023) << 52).view(np.float64)


@inlined
def _reduced32(x):
    x = min(max(x, np.float32(-87.0)), np.float32(88.0))
    shifted = x * np.float32(_LOG2E) + _ROUND32
    n = shifted - _ROUND32
    r = fma(n, np.float32(-_LN2_LOW), fma(n, np.float32(-_LN2_HIGH), x))
    return r, np.int32((np.float32(shifted).view(np.int32) + 127) << 23).view(np.float32)


@inlined
def _series64(r):
    """(e to the r - 1 - r) / r^2: pairs of terms, then pairs of pairs, for a short chain."""
    r2 = r * r
    r4 = r2 * r2
    a = fma(r2, fma(r, 1 / 120.0, 1 / 24.0), fma(r, 1 / 6.0, 0.5))
    b = fma(r2, fma(r, 1 / 362880.0, 1 / 40320.0), fma(r, 1 / 5040.0, 1 / 720.0))
    c = fma(r2, fma(r, 1 / 6227020800.0, 1 / 479001600.0), fma(r, 1 / 39916800.0, 1 / 3628800.0))
    return fma(r4 * r4, fma(r4, 1 / 87178291200.0, c), fma(r4, b, a))


@inlined
def _series32(r):
    r2 = r * r
    a = fma(r, np.float32(1 / 6), np.float32(0.5))
    b = fma(r, np.float32(1 / 120), np.float32(1 / 24))
    c = fma(r, np.float32(1 / 5040), np.float32(1 / 720))
    return fma(r2, fma(r2, c, b), a)


@inlined
def _exp64(x):
    r, power = _reduced64(x)
    return fma(fma(r * r, _series64(r), r), power, power)


@inlined
def _exp32(x):
    r, power = _reduced32(x)
    return fma(fma(r * r, _series32(r), r), power, power)


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


@inlined
def _expm1_64(x):
    r, power = _reduced64(x)
    return fma(fma(r * r, _series64(r), r), power, power - 1.0)


@inlined
def _expm1_32(x):
    r, power = _reduced32(x)
    return fma(fma(r * r, _series32(r), r), power, power - np.float32(1.0))


@inlined
def _exprel64(x):
    return _expm1_64(x) / x if x != 0.0 else 1.0


@inlined
def _exprel32(x):
    return _expm1_32(x) / x if x != np.float32(0.0) else np.float32(1.0)


def exprel(x):
    """(e to the x - 1) / x, and 1 at 0, within 2 ulp (float64 and float32).

    In e to the x, x is held to the range in which the result is a normal number.
    """
    return np.expm1(x) / x if x else 1.0


@overload(exprel, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _exprel32(x)
    return lambda x: _exprel64(x)


@inlined
def carried(x, change, carry):
    """The sum of x and a change, and what rounding loses of it (Moller 1965), to be added later.

    Whatever their sizes, the sum and the rest are the exact sum of x and the change, which has been
    rounded once with what was carried.
    """
    change += carry
    total = x + change
    part = total - x
    return total, (x - (total - part)) + (change - part)


@inlined
def hermite(a, b, da, db, s):
    """At the share s of an interval, the cubic of values a, b and slopes da, db at its ends."""
    r = 1 - s
    return r * r * (a * (1 + 2 * s) + da * s) + s * s * (b * (1 + 2 * r) - db * r)


@inlined
def _hermite_slope(a, b, da, db, s):
    return 6 * s * (1 - s) * (b - a) + da * (1 - s) * (1 - 3 * s) + db * s * (3 * s - 2)


@inlined
def passing(a, b, da, db, value):
    """The share of an interval after which the same cubic has fallen from a > value to b <= value.

    Newton's steps from that of a straight line, halves of the bracket where one would leave it.
    """
    low, high = 0 * a, 0 * a + 1
    s = (a - value) / (a - b)
    for _ in range(4):
        above = hermite(a, b, da, db, s) - value
        if above > 0:
            low = s
        else:
            high = s
        slope = _hermite_slope(a, b, da, db, s)
        next = s - above / slope
        s = next if low <= next <= high else (low + high) / 2
    return s


STEEPEST, CENTRE = 0.55, -0.45  # `gentle` is right up to that far from there
# The polynomial through `exprel` at the Chebyshev nodes of that range, lowest power first.
_GENTLE64 = (
    *(1.0, 0.4999999999999999672, 0.16666666666666651664, 0.041666666666675178229),
    *(0.0083333333334021697965, 0.0013888888886418509018, 0.00019841269321557408276),
    *(2.4801558946058186597e-5, 2.7556482630629005097e-6, 2.7542123215260193077e-7),
    *(2.4876353667770825506e-8, 1.9601323333873753479e-9, 1.0628422837584406691e-10),
)
_GENTLE32 = tuple(
    map(
        np.float32,
        (
            *(1.00000000173, 0.500000084696, 0.166666443813, 0.0416588344505),
            *(0.00829724381184, 0.0013191871897, 0.000134979567103),
        ),
    )
)


@inlined
def _gentle64(x):
    c = _GENTLE64
    x2 = x * x
    x4 = x2 * x2
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    middle = fma(x2, fma(x, c[7], c[6]), fma(x, c[5], c[4]))
    high = fma(x2, fma(x, c[11], c[10]), fma(x, c[9], c[8]))
    return fma(x4, fma(x4, fma(x4, c[12], high), middle), low)


@inlined
def _gentle32(x):
    c = _GENTLE32
    x2 = x * x
    low = fma(x2, fma(x, c[3], c[2]), fma(x, c[1], c[0]))
    return fma(x2 * x2, fma(x2, c[6], fma(x, c[5], c[4])), low)


@inlined
def _any64(x):
    return _gentle64(x) if abs(x - CENTRE) < STEEPEST else _exprel64(x)


@inlined
def _any32(x):
    near = abs(x - np.float32(CENTRE)) < np.float32(STEEPEST)
    return _gentle32(x) if near else _exprel32(x)


def gentle(x):
    """`exprel` of an x between -1 and 0.1, without a division and powers of 2."""
    return exprel(x)


@overload(gentle, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _gentle32(x)
    return lambda x: _gentle64(x)


def gentle_or_steep(x):
    """`exprel`, between -1 and 0.1 equal to `gentle` in every bit."""
    return exprel(x)


@overload(gentle_or_steep, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _any32(x)
    return lambda x: _any64(x)


_LOW64, _LOW32 = 0x3FE6A09E667F3BCD, 0x3F3504F3  # the bits of the square root of a half
_BITS64 = int(np.float64(_ROUND64).view(np.int64))
_BITS32 = int(_ROUND32.view(np.int32))


@inlined
def _log64(x):
    bits = np.float64(x).view(np.int64)
    power = (bits - _LOW64) >> 52
    f = np.int64(bits - (power << 52)).view(np.float64) - 1.0  # x = 2^power (1 + f)
    n = np.int64(power + _BITS64).view(np.float64) - _ROUND64
    s = f / (2.0 + f)
    z = s * s
    p = 2 / 21
    p = p * z + 2 / 19
    p = p * z + 2 / 17
    p = p * z + 2 / 15
    p = p * z + 2 / 13
    p = p * z + 2 / 11
    p = p * z + 2 / 9
    p = p * z + 2 / 7
    p = p * z + 2 / 5
    p = p * z + 2 / 3
    p = n * _LN2_HIGH + (f - (s * (f - z * p) - n * _LN2_LOW))
    p = p if x < np.inf else x
    return p if x >= 2.0**-1022 else (-np.inf if x > -(2.0**-1022) else np.nan)


@inlined
def _log32(x):
    bits = np.float32(x).view(np.int32)
    power = np.int32(bits - np.int32(_LOW32)) >> np.int32(23)
    f = np.int32(bits - (power << np.int32(23))).view(np.float32) - np.float32(1.0)
    n = np.int32(power + np.int32(_BITS32)).view(np.float32) - _ROUND32
    s = f / (np.float32(2.0) + f)
    z = s * s
    p = np.float32(2 / 11)
    p = p * z + np.float32(2 / 9)
    p = p * z + np.float32(2 / 7)
    p = p * z + np.float32(2 / 5)
    p = p * z + np.float32(2 / 3)
    p = n * np.float32(_LN2_HIGH) + (f - (s * (f - z * p) - n * np.float32(_LN2_LOW)))
    p = p if x < np.float32(np.inf) else x
    p = p if x >= np.float32(2.0**-126) else np.float32(-np.inf)
    return p if x > np.float32(-(2.0**-126)) else np.float32(np.nan)


def log(x):
    """Natural logarithm, within 1 ulp (float64 and float32) on all normal positive numbers.

    -inf at 0 and at denormal numbers, NaN below.
    """
    return np.log(x)


@overload(log, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _log32(x)
    return lambda x: _log64(x)


@inlined
def _tanh64(x):
    grown = _expm1_64(2.0 * min(abs(x), 20.0))
    t = grown / (grown + 2.0)
    return t if x > 0.0 else (-t if x < 0.0 else x)


@inlined
def _tanh32(x):
    grown = _expm1_32(np.float32(2.0) * min(abs(x), np.float32(10.0)))
    t = grown / (grown + np.float32(2.0))
    return t if x > np.float32(0.0) else (-t if x < np.float32(0.0) else x)


def tanh(x):
    """Hyperbolic tangent, within 3 ulp (float64 and float32) everywhere."""
    return np.tanh(x)


@overload(tanh, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _tanh32(x)
    return lambda x: _tanh64(x)


# Half of pi in parts. The first two have so few bits that a multiple is exact up to 2^20.
_HALF_PI = (1.5707963267341256, 6.077100506303966e-11, 2.0222662487959506e-21)
# The same in parts of all bits: with products that are not rounded, right up to 2^50.
_HALF_PI_FUSED = (1.5707963267948966, 6.123233995736766e-17, -1.4973849048591698e-33)


@inlined
def _sine64(x, quarter):
    """Sine of x + quarter pi / 2."""
    shifted = x * (2 / np.pi) + _ROUND64
    n = shifted - _ROUND64
    r = fma(-n, _HALF_PI_FUSED[1], fma(-n, _HALF_PI_FUSED[0], x))
    r = fma(-n, _HALF_PI_FUSED[2], r)
    r = r if abs(r) < 1.0 else r - r  # beyond 1e15 there is no phase
    place = np.float64(shifted).view(np.int64) + quarter
    z = r * r
    p = 1 / 355687428096000.0
    p = p * z - 1 / 1307674368000.0
    p = p * z + 1 / 6227020800.0
    p = p * z - 1 / 39916800.0
    p = p * z + 1 / 362880.0
    p = p * z - 1 / 5040.0
    p = p * z + 1 / 120.0
    p = p * z - 1 / 6.0
    q = 1 / 20922789888000.0
    q = q * z - 1 / 87178291200.0
    q = q * z + 1 / 479001600.0
    q = q * z - 1 / 3628800.0
    q = q * z + 1 / 40320.0
    q = q * z - 1 / 720.0
    q = q * z + 1 / 24.0
    half = 0.5 * z
    p = r + r * z * p if place & 1 == 0 else 1.0 - (half - z * z * q)
    return p if place & 2 == 0 else -p


@inlined
def _sine32(x, quarter):
    shifted = x * np.float32(2 / np.pi) + _ROUND32
    n = np.float64(shifted - _ROUND32)
    r = np.float32((np.float64(x) - n * _HALF_PI[0]) - n * _HALF_PI[1])
    r = r if abs(r) < np.float32(1.0) else r - r
    place = np.int32(np.float32(shifted).view(np.int32) + np.int32(quarter))
    z = r * r
    p = np.float32(1 / 362880)
    p = p * z - np.float32(1 / 5040)
    p = p * z + np.float32(1 / 120)
    p = p * z - np.float32(1 / 6)
    q = np.float32(1 / 40320)
    q = q * z - np.float32(1 / 720)
    q = q * z + np.float32(1 / 24)
    one, half = np.float32(1.0), np.float32(0.5) * z
    p = r + r * z * p if place & np.int32(1) == 0 else one - (half - z * z * q)
    return p if place & np.int32(2) == 0 else -p


def sin(x):
    """Sine, within 2 ulp for abs(x) <= 1e15 (float64) and 1e4 (float32).

    The error grows beyond, the result stays within -1 and 1.
    """
    return np.sin(x)


@overload(sin, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _sine32(x, 0)
    return lambda x: _sine64(x, 0)


def cos(x):
    """Cosine, within 2 ulp for abs(x) <= 1e15 (float64) and 1e4 (float32).

    The error grows beyond, the result stays within -1 and 1.
    """
    return np.cos(x)


@overload(cos, inline="always")
def _(x):
    if x == types.float32:
        return lambda x: _sine32(x, 1)
    return lambda x: _sine64(x, 1)
