"""Spike trains of plain arrays: a list for each neuron, or times beside ids."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import ArrayLike

from spikesim.checks import check_choice, check_whole_numbers, warn
from spikesim.data.foreign import joined, plain, say_more_than_numbers, trains_of
from spikesim.data.hdf5 import MS_PER_UNIT
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

UNITS = "ms", "s", "us", "ns"
FASTEST = 1000.0  # Hz


def from_lists(
    lists: Sequence[ArrayLike] | Mapping[int, ArrayLike],
    window: tuple[float, float] | Windows | None = None,
    *,
    unit: str = "ms",
    labels: Mapping[str, ArrayLike] | None = None,
) -> SpikeTrains:
    """Spike trains of an array of spike times for each neuron.

    Parameters
    ----------
    lists : sequence of array_like, or mapping of int to array_like
        Times in any order. Of a mapping the keys are ids; neurons are numbered in its order, and
        the ids are the label "id" unless they are 0, 1, ... themselves.
    window : (t_start, t_stop) or Windows, optional
        What was recorded, in ms whatever the unit of the times; as everywhere here it holds its
        stop and not its start. Without it, it is guessed: from 0 (or just before the first spike,
        if that is at 0 or earlier) to the last spike.
    unit : "ms", "s", "us" or "ns"
        Of the times.
    labels : mapping of str to array_like, shape (size,), optional

    Returns
    -------
    SpikeTrains
        ``list(trains)`` gives the arrays back, in ms.

    Raises
    ------
    TypeError
        If times are quantities: their unit is not looked at.
    ValueError
        If times are not finite numbers, lie outside of the window, or the unit is another, or
        labels hold the ids that a mapping has.

    Warns
    -----
    UserWarning
        The mean rate is above 1000 Hz, as of times in s that are taken for ms.
    """
    check_choice("unit", unit, UNITS)
    labels = dict(labels or {})
    if isinstance(lists, Mapping):
        ids = check_whole_numbers("ids", list(lists))
        if "id" in labels:
            raise ValueError("labels must not hold 'id', which is that of the keys of lists")
        labels |= {"id": ids} if say_more_than_numbers(ids) else {}
        lists = list(lists.values())
    times, neurons = joined(lists)
    frame = len(lists), windows_of(window), labels
    return _believable(trains_of(times * MS_PER_UNIT[unit], neurons, *frame))


def from_events(
    times: ArrayLike,
    ids: ArrayLike,
    window: tuple[float, float] | Windows | None = None,
    *,
    neurons: ArrayLike | None = None,
    unit: str = "ms",
) -> SpikeTrains:
    """Spike trains of the times of all spikes and the ids of who spiked, as recorders have them.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        In any order.
    ids : array_like of int, shape (n,)
        From 0, from 1 or any others, such as NEST's global ids.
    window, unit
        As in `from_lists`.
    neurons : array_like of int, shape (size,), optional
        The ids of all neurons, the silent ones too; neuron k has the k-th of them. Without it
        there are those that spiked, in ascending order, and ``size`` is among what is guessed.

    Returns
    -------
    SpikeTrains
        With the label "id" unless the ids of the neurons are 0, 1, ...

    Raises
    ------
    TypeError
        If times are quantities: their unit is not looked at.
    ValueError
        If an id is not one of the neurons', or occurs twice among them; else as `from_lists`.
    """
    check_choice("unit", unit, UNITS)
    times, ids = plain("times", times), check_whole_numbers("ids", ids)
    if times.shape != ids.shape:
        raise ValueError(
            f"times and ids must be of equal length, but have {times.size} and {ids.size}"
        )
    known = np.unique(ids) if neurons is None else check_whole_numbers("neurons", neurons)
    order = np.argsort(known, kind="stable")
    ascending = known[order]
    if np.any(ascending[1:] == ascending[:-1]):
        twice = ascending[1:][ascending[1:] == ascending[:-1]][0]
        raise ValueError(f"neurons holds the id {twice} twice")
    places = np.searchsorted(ascending, ids)
    found = np.isin(ids, known)
    if not found.all():
        raise ValueError(f"ids holds {ids[~found][0]}, which is none of the {known.size} neurons")
    trains = trains_of(
        times * MS_PER_UNIT[unit],
        order[places],
        known.size,
        windows_of(window),
        {"id": known} if say_more_than_numbers(known) else {},
        guessed=("size",) if neurons is None else (),
    )
    return _believable(trains)


def _believable(trains: SpikeTrains) -> SpikeTrains:
    """The same, told if their mean rate is one that no neurons have."""
    if len(trains) > 99 and trains.rate > FASTEST:
        warn(
            f"neurons spike at {trains.rate:.4g} Hz on average, faster than any does: the window "
            f"{trains.support!r} is in ms, and so are times of which no other unit is told."
        )
    return trains


def windows_of(window: tuple[float, float] | Windows | None) -> Windows | None:
    """A window as users give it, as Windows."""
    return window if window is None or isinstance(window, Windows) else Windows(*window)
