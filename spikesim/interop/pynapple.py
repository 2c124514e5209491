"""Spike trains and intervals of pynapple, there and back.

Pynapple's times are seconds and its intervals closed: a spike on the start or on the end of one
counts. Those here are ms and (start, stop]. What follows of that stands with each function.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.checks import warn
from spikesim.data.foreign import joined, lists_of, say_more_than_numbers, trains_of
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME, Windows

MS = 1000.0  # in a second
HALF_A_NANOSECOND = 5e-10  # s: less than what is one time here


def from_pynapple(group: Any) -> SpikeTrains | Windows:
    """Spike trains of a ``TsGroup``, a ``Ts`` or a ``Tsd``; windows of an ``IntervalSet``.

    Returns
    -------
    SpikeTrains
        The time support is the support, in ms. Neurons are in the order of the group's keys,
        which are the label "id" unless they are 0, 1, ...; metadata are labels, but for the rate.
    Windows
        Metadata are labels.

    Raises
    ------
    ImportError
        Without pynapple.
    TypeError
        If it is none of these.

    Warns
    -----
    UserWarning
        Metadata that are neither numbers nor text are left out.

    Notes
    -----
    A closed interval [start, end] of the support becomes (start, end]. Where a spike lies on the
    start, the window begins 2e-6 ms earlier, so that it is kept, and intervals that touch become
    one: no spike is lost or counted twice. An `IntervalSet` becomes windows with the same numbers:
    of these a spike on the start lies outside, as everywhere here. ``Windows.closed`` counts as
    pynapple does. Values of a ``Tsd`` are not kept.
    """
    nap = _pynapple()
    if isinstance(group, nap.IntervalSet):
        windows = _windows(group)
        return Windows(windows.starts, windows.stops, _labels(group, skip=()))
    labels: dict[str, NDArray[Any]] = {}
    if isinstance(group, nap.TsGroup):
        ids = np.asarray(group.index)
        labels = {"id": ids} if say_more_than_numbers(ids) else {}
        labels |= _labels(group, skip=("rate",))
        listed = [group[key] for key in group.index]
    elif isinstance(group, nap.Ts | nap.Tsd):
        listed = [group]
    else:
        raise TypeError(
            "group must be a TsGroup, Ts, Tsd or IntervalSet of pynapple, "
            f"but is a {type(group).__name__}"
        )
    times, neurons = joined([train.index.values for train in listed])
    support = _windows(group.time_support)
    return trains_of(times * MS, neurons, len(listed), support, labels, closed=True)


def to_pynapple(trains: SpikeTrains | Windows) -> Any:
    """A ``TsGroup`` of spike trains, an ``IntervalSet`` of windows.

    Returns
    -------
    pynapple.TsGroup
        The support is the time support; labels are metadata. The label "id" are the keys, if it
        holds whole numbers that ascend; else keys are 0, 1, ...
    pynapple.IntervalSet
        Labels are metadata.

    Raises
    ------
    ImportError
        Without pynapple.
    ValueError
        Of windows that overlap, do not ascend or have no length: pynapple joins or drops these,
        and their labels. If a label has the name "rate", which pynapple keeps for itself.

    Notes
    -----
    (start, stop] becomes [start, stop], and a time behind it by no more than rounding, such as a
    spike at 3 * 0.1 of a window to 0.3, is put on it: pynapple compares exactly. No spike of a
    train lies on the start of a window, so none is won or lost. Where one window begins as another
    ends, it begins half a nanosecond later, so that a spike there counts once: of such windows
    pynapple would take a microsecond off the earlier one.
    """
    nap = _pynapple()
    windows = trains if isinstance(trains, Windows) else trains.support
    labels = dict(trains.labels)
    if "rate" in labels:
        raise ValueError("a label has the name 'rate', which pynapple keeps for its own; rename it")
    if isinstance(trains, Windows):
        return _intervals(nap, windows, labels)
    support = _intervals(nap, windows, {})
    ids = labels.get("id", np.empty(0))
    keys = np.arange(trains.size)
    if ids.dtype.kind in "iu" and np.all(ids[1:] > ids[:-1]):
        keys = labels.pop("id").astype(np.int64)
    group = {
        int(key): nap.Ts(times / MS, time_support=support)
        for key, times in zip(keys, lists_of(trains), strict=True)
    }
    return nap.TsGroup(group, time_support=support, metadata=labels or None)


def _pynapple() -> Any:
    try:
        import pynapple
    except ImportError:
        raise ImportError(
            "pynapple is not installed; install it with: pip install 'spikesim[pynapple]'."
        ) from None
    return pynapple


def _windows(intervals: Any) -> Windows:
    return Windows(intervals.start * MS, intervals.end * MS)


def _labels(holder: Any, skip: tuple[str, ...]) -> dict[str, NDArray[Any]]:
    labels, left = {}, []
    for name in holder.metadata_columns:
        if name in skip:
            continue
        values = np.asarray(holder.get_info(name))
        if values.dtype.kind not in "biufU" and all(isinstance(each, str) for each in values):
            values = values.astype(np.str_)
        if values.dtype.kind in "biufU" and values.ndim == 1:
            labels[name] = values
        else:
            left.append(name)
    if left:
        warn(f"metadata that are neither numbers nor text are left out: {', '.join(left)}.")
    return labels


def _intervals(nap: Any, windows: Windows, labels: dict[str, NDArray[Any]]) -> Any:
    starts, stops = windows.starts, windows.stops
    touching = np.abs(starts[1:] - stops[:-1]) <= SAME_TIME
    if np.any(stops - starts <= SAME_TIME) or np.any((starts[1:] < stops[:-1]) & ~touching):
        raise ValueError(
            f"{windows!r} overlap, do not ascend or have no length: pynapple would join or drop "
            "them; union() joins them, and events are nap.Ts(windows.starts / 1000)"
        )
    first = starts / MS
    first[1:][touching] = stops[:-1][touching] / MS + HALF_A_NANOSECOND
    return nap.IntervalSet(first, stops / MS, metadata=labels or None)
