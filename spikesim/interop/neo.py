"""Spike trains, epochs and events of Neo, there and back.

Neo's windows are closed: a train's [t_start, t_stop] holds spikes on both, and so does a slice in
time. Those here are (start, stop]. What follows of that stands with each function.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from spikesim.checks import warn
from spikesim.data.foreign import joined, lists_of, trains_of
from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME, Windows


def from_neo(
    trains: Any, window: tuple[float, float] | None = None
) -> SpikeTrains | Session | list[Session]:
    """What a list of Neo's spike trains, a segment or a block holds, in ms.

    Parameters
    ----------
    trains : sequence of neo.SpikeTrain, neo.SpikeTrain, neo.Segment or neo.Block
    window : (t_start, t_stop), optional
        Part of the time of all trains (ms), if their windows differ: (t_start, t_stop], of which
        the spikes are kept.

    Returns
    -------
    SpikeTrains
        Of a list: names are the label "name", annotations labels of their own. A train that lacks
        one has "" or NaN.
    Session
        Of a segment: its spike trains and, by name, its epochs and events; an event is a window
        without length. Their labels are the label "label", array annotations others.
    list of Session
        Of a block: one for each segment.

    Raises
    ------
    ImportError
        Without Neo.
    TypeError
        If it is none of these.
    ValueError
        If the trains have different windows and none is given, or not all have the one given.

    Warns
    -----
    UserWarning
        Annotations that have no single number or text a train, or a unit, are left out.

    Notes
    -----
    Neo's [t_start, t_stop] becomes (t_start, t_stop]. If a spike lies on t_start, the window
    begins 2e-6 ms earlier, so that it is kept: no spike is lost. An epoch [start, stop] becomes
    (start, stop] with the same numbers: a spike on its start, which Neo counts, lies outside.
    Spikes are sorted. Waveforms, sampling rates, left sweeps, array annotations of spikes and
    units of channels are not kept.
    """
    neo = _neo()
    if isinstance(trains, neo.Block):
        return [from_neo(segment, window) for segment in trains.segments]
    if isinstance(trains, neo.Segment):
        return _session(trains, window)
    if isinstance(trains, neo.SpikeTrain):
        trains = [trains]
    listed = list(trains) if isinstance(trains, Iterable) else [trains]
    for train in listed:
        if not isinstance(train, neo.SpikeTrain):
            raise TypeError(
                "trains must be neo.SpikeTrains, a neo.Segment or a neo.Block, "
                f"but hold a {type(train).__name__}"
            )
    return _trains(listed, window)


def to_neo(trains: SpikeTrains | Session | Sequence[Session | SpikeTrains]) -> Any:
    """Spike trains as Neo has them, in ms.

    Parameters
    ----------
    trains : SpikeTrains, Session, or sequence of these

    Returns
    -------
    list of neo.SpikeTrain
        Of spike trains: their label "name" is the name of each, other labels are annotations.
    neo.Segment
        Of a session, with an epoch for each table of windows, or an event where none has length.
    neo.Block
        Of a sequence, with a segment for each.

    Raises
    ------
    ImportError
        Without Neo.
    ValueError
        If the support has gaps, which a train of Neo cannot have: restrict to each window, and
        give the list of them.

    Notes
    -----
    (t_start, t_stop] becomes [t_start, t_stop]: no spike of a train lies on its t_start, so none
    is won or lost. In a slice in time of Neo's a spike on its start counts, in `restrict` not.
    """
    neo = _neo()
    if isinstance(trains, SpikeTrains):
        return _neo_trains(neo, trains)
    if isinstance(trains, Session):
        return _segment(neo, trains)
    block = neo.Block()
    for part in trains:
        session = Session(part) if isinstance(part, SpikeTrains) else part
        block.segments.append(_segment(neo, session))
    return block


def _neo() -> Any:
    try:
        import neo
    except ImportError:
        raise ImportError(
            "Neo is not installed; install it with: pip install 'spikesim[neo]'."
        ) from None
    return neo


def _ms(quantity: Any) -> NDArray[np.float64]:
    """A quantity's numbers in ms, whatever its unit and type."""
    factor = float((1.0 * quantity.units).rescale("ms").magnitude)
    return np.asarray(quantity.magnitude, np.float64) * factor


def _trains(listed: Sequence[Any], window: tuple[float, float] | None) -> SpikeTrains:
    times, neurons = joined([_ms(train) for train in listed])
    names = [{} if train.name is None else {"name": train.name} for train in listed]
    labels, left = columns_of([n | t.annotations for n, t in zip(names, listed, strict=True)])
    if left:
        warn(
            "annotations of spike trains without a single number or text each are left out: "
            f"{', '.join(map(repr, left))}."
        )
    if not listed:
        return trains_of(times, neurons, 0, window and Windows(*window))
    common = _window(listed) if window is None else _part(listed, Windows(*window))
    if window is None:
        return trains_of(times, neurons, len(listed), common, labels, closed=True)
    kept = common.contains(times)
    return trains_of(times[kept], neurons[kept], len(listed), common, labels)


def _window(listed: Sequence[Any]) -> Windows:
    """The window of all trains, which has to be one."""
    starts = np.array([float(_ms(train.t_start)) for train in listed])
    stops = np.array([float(_ms(train.t_stop)) for train in listed])
    if max(np.ptp(starts), np.ptp(stops)) > SAME_TIME:
        raise ValueError(
            f"the spike trains have different windows: they begin from {starts.min():.12g} to "
            f"{starts.max():.12g} ms and end from {stops.min():.12g} to {stops.max():.12g} ms; "
            "give window=(t_start, t_stop), a part of all of them"
        )
    return Windows(starts.min(), stops.max())


def _part(listed: Sequence[Any], window: Windows) -> Windows:
    """The window that is asked for, which has to be part of that of each train."""
    latest = max(float(_ms(train.t_start)) for train in listed)
    earliest = min(float(_ms(train.t_stop)) for train in listed)
    (start, stop) = window[0]
    if not latest - SAME_TIME <= start <= stop <= earliest + SAME_TIME:
        raise ValueError(
            f"window is ({start:.12g}, {stop:.12g}] ms, which is no part of the windows of all "
            f"trains: the last begins at {latest:.12g} and the first ends at {earliest:.12g} ms"
        )
    return window


def columns_of(rows: Sequence[Mapping[str, Any]]) -> tuple[dict[str, NDArray[Any]], list[str]]:
    """What mappings say, as arrays with a value for each, and the names of what is no number."""
    labels, left = {}, []
    for name in dict.fromkeys(name for row in rows for name in row):
        values = [row.get(name) for row in rows]
        given = [value for value in values if value is not None]
        if not given:
            continue
        if all(isinstance(value, str) for value in given):
            labels[name] = np.array([value or "" for value in values], np.str_)
        elif all(_is_number(value) for value in given):
            whole = len(given) == len(values)
            labels[name] = np.array(
                values if whole else [np.nan if v is None else v for v in values]
            )
        else:
            left.append(name)
    return labels, left


def _is_number(value: Any) -> bool:
    return isinstance(value, bool | int | float | np.bool_ | np.integer | np.floating)


def _session(segment: Any, window: tuple[float, float] | None) -> Session:
    tables: dict[str, Windows] = {}
    left = []
    for kind, tabled in (("epochs", segment.epochs), ("events", segment.events)):
        for table in tabled:
            starts = _ms(table.times)
            lengths = _ms(table.durations) if kind == "epochs" else np.zeros(len(starts))
            labels = {"label": np.asarray(table.labels, np.str_)} if len(table.labels) else {}
            for name, values in table.array_annotations.items():
                if type(values) is np.ndarray and values.ndim == 1 and values.dtype.kind in "biufU":
                    labels[name] = values
                else:
                    left.append(name)
            name = unused(table.name or kind, tables)
            tables[name] = Windows(starts, starts + lengths, labels)
    if left:
        warn(
            "array annotations of epochs and events that are neither plain numbers nor text are "
            f"left out: {', '.join(map(repr, left))}."
        )
    return Session(_trains(segment.spiketrains, window), tables)


def unused(name: str, names: Iterable[str]) -> str:
    """A name, with a number behind it if there are others like it."""
    others = [f"{name} {k}" for k in range(2, len(list(names)) + 2)]
    return next(each for each in (name, *others) if each not in names)


def _neo_trains(neo: Any, trains: SpikeTrains) -> list[Any]:
    if len(trains.support) > 1:
        raise ValueError(
            f"the support of the trains has {len(trains.support)} windows, and one of Neo's "
            "trains has one: to_neo([trains.restrict(*window) for window in trains.support]) "
            "makes a block with a segment for each"
        )
    made = []
    for neuron, times in enumerate(lists_of(trains)):
        notes = {
            name: values[neuron : neuron + 1].tolist()[0] for name, values in trains.labels.items()
        }
        name = notes.pop("name", "")
        train = neo.SpikeTrain(
            times,
            t_stop=trains.t_stop,
            units="ms",
            t_start=trains.t_start,
            name=str(name) or None,
        )
        train.annotate(**notes)
        made.append(train)
    return made


def _segment(neo: Any, session: Session) -> Any:
    from quantities import ms

    segment = neo.Segment()
    segment.spiketrains.extend(_neo_trains(neo, session.spikes))
    for name, table in session.windows.items():
        notes = dict(table.labels)
        labels = notes.pop("label", None)
        times = table.starts * ms
        common = dict(name=name, array_annotations=notes)
        if labels is not None:
            common["labels"] = labels.astype(np.str_)
        if len(table) and not table.durations.any():
            segment.events.append(neo.Event(times, **common))
        else:
            segment.epochs.append(neo.Epoch(times, table.durations * ms, **common))
    return segment
