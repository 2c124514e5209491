"""Columns of spikes, times beside neurons: checked and sorted."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.data.windows import SAME_TIME, Windows


def support_of(t_start: float | None, t_stop: float | None, support: Windows | None) -> Windows:
    """What was recorded, told by the ends of one window or by several, and not by both."""
    if support is not None:
        if t_start is not None or t_stop is not None:
            raise ValueError("support is given, so t_start and t_stop must not be")
        if not len(support):
            raise ValueError("support must hold one window at least, but holds none")
        return support.union()
    if t_start is None or t_stop is None:
        raise TypeError("t_start and t_stop, or support, must be given")
    if not -math.inf < t_start <= t_stop < math.inf:
        raise ValueError(
            f"t_start and t_stop must be finite with t_start <= t_stop, "
            f"but are {t_start} and {t_stop} ms"
        )
    return Windows(float(t_start), float(t_stop))


def span(support: Windows) -> str:
    """The support in words."""
    windows = f"{len(support)} windows in " if len(support) > 1 else ""
    return f"{windows}({support.starts[0]:.12g}, {support.stops[-1]:.12g}] ms"


def in_columns(
    times: ArrayLike, neurons: ArrayLike, size: int, support: Windows
) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Spikes in order of time and then of neuron, refused where one cannot be.

    Raises
    ------
    TypeError
        If times are not numbers or neurons are not integers.
    ValueError
        If the columns differ in length, a time is not in the support, or a neuron not in the
        population.
    """
    times, neurons = _numbers(times), np.asarray(neurons)
    if times.ndim != 1 or times.shape != neurons.shape:
        raise ValueError(
            f"times and neurons must be one-dimensional and of equal length, "
            f"but have the shapes {times.shape} and {neurons.shape}"
        )
    neurons = whole("neurons", neurons)
    _check_times(times, support)
    check_neurons(neurons, size)
    step = np.diff(times)
    if not np.all((step > 0) | ((step == 0) & (np.diff(neurons) >= 0))):
        order = np.lexsort((neurons, times))
        times, neurons = times[order], neurons[order]
    return times, neurons


def _numbers(times: ArrayLike) -> NDArray[np.float64]:
    times = np.asarray(times)
    if times.size and times.dtype.kind not in "biufO":
        raise TypeError(f"times must be numbers (ms), but have the dtype {times.dtype}")
    return times.astype(np.float64, copy=False)


def _check_times(times: NDArray[np.float64], support: Windows) -> None:
    t_start = support.starts[0]
    if len(support) == 1:  # also False for NaN
        inside = (times > t_start + SAME_TIME) & (times <= support.stops[0] + SAME_TIME)
    else:
        inside = support.index(times) >= 0
    if inside.all():
        return
    i = int(np.argmin(inside))
    if abs(times[i] - t_start) <= SAME_TIME:
        raise ValueError(
            f"times must be in {span(support)}, which does not hold its start, but "
            f"times[{i}] is {times[i]}; an earlier t_start holds it"
        )
    raise ValueError(
        f"times must be finite and in {span(support)}, but times[{i}] is {times[i]} ms"
    )


def check_neurons(neurons: NDArray[np.int64], size: int, first: int = 0) -> None:
    """Refuse a neuron that is not in the population; the first of them is the ``first`` row."""
    if len(neurons) and not 0 <= neurons.min() <= neurons.max() < size:
        i = int(np.argmin((neurons >= 0) & (neurons < size)))
        raise ValueError(
            f"neurons must be at least 0 and less than size = {size}, "
            f"but neurons[{first + i}] is {neurons[i]}"
        )


def whole(name: str, values: ArrayLike) -> NDArray[np.int64]:
    """Numbers of neurons or of trials, refused where they are of another kind."""
    ids = np.asarray(values)
    if ids.size and ids.dtype.kind not in "iu":
        raise TypeError(f"{name} must be integers, but have the dtype {ids.dtype}")
    return ids.view(np.int64) if ids.dtype == np.uint64 else ids.astype(np.int64, copy=False)
