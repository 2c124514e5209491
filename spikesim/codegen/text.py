"""The text of every kernel, with gaps for what a model needs."""

from collections.abc import Iterable


def indented(columns: int, *parts: Iterable[str]) -> str:
    """Lines, each with its end."""
    return "".join(f"{' ' * columns}{line}\n" for part in parts for line in part)


TEXT = '''"""{title}

Names that begin with an underscore are the kernel's, others the model's.
"""

import numpy as _np
from numba import types as _types
from numpy import ceil, floor, sqrt

from spikesim.kernels.cache import entry as _entry, inlined as _inlined, part as _part
from spikesim.kernels.functions import carried as _carried, gentle as _gentle
from spikesim.kernels.functions import cos, exp, exprel, log, sin, tanh
from spikesim.kernels.functions import gentle_or_steep as _gentle_or_steep
from spikesim.kernels.functions import hermite as _hermite, passing as _passing
from spikesim.kernels.intrinsics import compact as _compact, fma as _fma, interleave as _interleave
from spikesim.kernels.intrinsics import double_at as _double_at, double_lanes as _double_lanes
from spikesim.kernels.intrinsics import lanes as _lanes, lowest as _lowest, scratch as _scratch
from spikesim.kernels.noise import normals as _normals

_real, _wide = _np.{real}, _np.float64
_range, _int = range, int
{functions}

@_entry(
    _types.int64(
        _types.CPointer(_types.{real}),
        _types.CPointer(_types.{real}),
        _types.CPointer(_types.{integer}),
        _types.CPointer(_types.int32),
        _types.int64, _types.int64, _types.int64, _types.int64, _types.int64, _types.int64,
    )
)
def update(_state, _const, _ring, _ids, _first, _last, _size, _base, _step, _key):
{constants}{scratch}    _compact()
    _count = 0
    for _block in _range(_first, _last):
{lanes}        if _step & {often} == 0:
            for _j in _range(64):
{flush}        _crossed = _strayed = False
{advance}        if _crossed:
            _bits = _np.uint64(0)  # of those that did: a bit for each, then bit by bit
            for _start in _range(0, 64, 16):
                _some = _np.uint32(0)
                for _j in _range(_start, _start + 16):
{load}                    _some |= _np.uint32({threshold}) << _np.uint32(_j - _start)
                _bits |= _np.uint64(_some) << _np.uint64(_start)
            while _bits != _np.uint64(0):
                _j = _lowest(_bits)
                _bits &= _bits - _np.uint64(1)
                if 64 * _block + _j < _size:
{reset}                    _ids[_count] = _base + 64 * _block + _j
                    _count += 1
        if _strayed:
{strayed}    return _count
'''
