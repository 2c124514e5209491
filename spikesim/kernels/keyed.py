"""Random numbers that are functions of their key: any of them can be had without the others.

`philox` serves noise: key (seed, replica), counter (stream, step, neuron). `word` serves wiring:
64 bits for the k-th draw of a row. Both are Numba code over unsigned integers; `spikesim.random`
turns seeds and names into keys on the Python side.
"""

import numpy as np

from spikesim.kernels.cache import inlined

_M0, _M1 = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_W0, _W1 = np.uint64(0x9E3779B9), np.uint64(0xBB67AE85)
LOW32 = np.uint64(0xFFFFFFFF)
BITS32 = np.uint64(32)
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_MIX1, _MIX2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)
_S30, _S27, _S31 = np.uint64(30), np.uint64(27), np.uint64(31)


@inlined
def _round(x0, x1, x2, x3, k0, k1):
    p0, p1 = _M0 * x0, _M1 * x2
    return (p1 >> BITS32) ^ x1 ^ k0, p1 & LOW32, (p0 >> BITS32) ^ x3 ^ k1, p0 & LOW32


@inlined
def philox(x0, x1, x2, x3, k0, k1):
    """Philox4x32 with 7 rounds, the least that passes BigCrush (Salmon et al. 2011).

    Four 32-bit counters and two 32-bit keys, each in a uint64, give four 32-bit words. Ten rounds
    take 1.6 times as long; the tests of this project cannot tell them apart, but fail at five.
    """
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    x0, x1, x2, x3 = _round(x0, x1, x2, x3, k0, k1)
    k0, k1 = (k0 + _W0) & LOW32, (k1 + _W1) & LOW32
    return _round(x0, x1, x2, x3, k0, k1)


@inlined
def draw_lanes(out, block, step, stream, key):
    """Fill ``out`` (64 uint32) with the draws of neurons 64 block .. 64 block + 63.

    Sixteen counters a block, four words each: word w of counter i belongs to neuron 16 w + i.
    """
    first = np.uint64(block) * np.uint64(16)
    k0, k1 = key & LOW32, key >> BITS32
    step_low, step_high = np.uint64(step) & LOW32, np.uint64(step) >> BITS32
    for i in range(16):
        x0, x1, x2, x3 = philox(first + np.uint64(i), step_low, step_high, stream, k0, k1)
        out[i] = x0
        out[i + 16] = x1
        out[i + 32] = x2
        out[i + 48] = x3


@inlined
def mix(z):
    """Bijection of 64 bits (variant 13 of Stafford's, the finaliser of SplitMix64)."""
    z = (z ^ (z >> _S30)) * _MIX1
    z = (z ^ (z >> _S27)) * _MIX2
    return z ^ (z >> _S31)


@inlined
def row_key(projection, source):
    """Key of one source's row in a projection (two mixes: no fixed point at zero)."""
    return mix(projection + mix((np.uint64(source) + np.uint64(1)) * _GOLDEN))


@inlined
def word(key, k):
    """64 random bits for draw ``k`` under a row's key."""
    return mix(key + (np.uint64(k) + np.uint64(1)) * _GOLDEN)
