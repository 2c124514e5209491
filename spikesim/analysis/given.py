"""What functions are given: trains of the kind that they read, and a value of each trial."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_number
from spikesim.data.aligned import AlignedTrains
from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME

LEAVE_OUT = (
    "align the trains to the other events alone, or take the others by a label, "
    "aligned.where(name=[...])"
)


def spike_trains(name: str, value: Any) -> None:
    """Raise a TypeError, which says how to get them, if a value is no SpikeTrains."""
    if isinstance(value, SpikeTrains):
        return
    if isinstance(value, AlignedTrains):
        way = ": those that were aligned"
    else:
        way = _made_of(value)
    raise TypeError(f"{name} is {kind_of(value)}; it must be SpikeTrains{way}.")


def aligned_trains(name: str, value: Any) -> None:
    """Raise a TypeError, which says how to get them, if a value is no AlignedTrains."""
    if isinstance(value, AlignedTrains):
        return
    way = ", which trains.align(events, before, after) gives"
    if not isinstance(value, SpikeTrains):
        way += f" of SpikeTrains{_made_of(value)}"
    raise TypeError(f"{name} is {kind_of(value)}; it must be AlignedTrains{way}.")


def trains_of_either(name: str, value: Any) -> None:
    """Raise a TypeError, which says how to get them, if a value is neither kind of trains."""
    if not isinstance(value, SpikeTrains | AlignedTrains):
        kind = kind_of(value)
        raise TypeError(
            f"{name} is {kind}; it must be SpikeTrains or AlignedTrains{_made_of(value)}."
        )


def responses_of_trials(name: str, value: Any) -> None:
    """Raise a TypeError, which says how to count, if trains are given in place of responses."""
    if isinstance(value, SpikeTrains | AlignedTrains):
        first = "" if isinstance(value, AlignedTrains) else "trains.align(events, before, after), "
        raise TypeError(
            f"{name} is {kind_of(value)}; it must hold one response for each trial (and neuron), "
            f"such as the spike counts that {first}aligned.count() gives."
        )


def until_of(aligned: AlignedTrains, until: float | None) -> float:
    """To when after the event responses are read (ms): to the end of trials if nothing is given."""
    if aligned.t_stop <= SAME_TIME:
        raise ValueError(
            f"aligned ends {aligned.t_stop + 0.0:g} ms after the event; trials must last beyond it "
            f"to hold a response: align with after > 0."
        )
    until = aligned.t_stop if until is None else until
    check_number("until", until, above=0, most=aligned.t_stop, unit="ms")
    return until


def of_trials(name: str, aligned: AlignedTrains, given: str | ArrayLike) -> ArrayLike:
    """What is given for trials, or the label that is."""
    if not isinstance(given, str):
        return given
    if given not in aligned.labels:
        known = ", ".join(map(repr, aligned.labels)) or "none"
        raise ValueError(f"{name} is {given!r}; the trials have these labels: {known}.")
    return aligned.labels[given]


def conditions_of(
    aligned: AlignedTrains, condition: str | ArrayLike
) -> tuple[NDArray[np.int64], int]:
    """Numbers of the conditions of trials, in rising order, and how many there are."""
    values = np.asarray(of_trials("condition", aligned, condition))
    if values.shape != (aligned.n_trials,):
        raise ValueError(
            f"condition has shape {values.shape}; it must have one value for each of "
            f"{aligned.n_trials} trials, or be the name of a label."
        )
    known_of_all("condition", values, LEAVE_OUT)
    different, which = np.unique(values, return_inverse=True)
    return which.astype(np.int64), len(different)


def known_of_all(name: str, values: NDArray, way: str) -> None:
    """Raise a ValueError, which says how to leave trials out, if a value is NaN or None."""
    if values.dtype.kind not in "fO":
        return
    n = sum(each is None or each != each for each in values.tolist())
    if n:
        raise ValueError(
            f"{name} is NaN or None in {n} of {len(values)} trials; it must be known in all. To "
            f"leave these out, {way}."
        )


def kind_of(value: Any) -> str:
    """The type of a value, with the article that it needs."""
    if value is None:
        return "None"
    kind = type(value).__name__
    if isinstance(value, SpikeTrains | AlignedTrains):
        return kind
    return f"{'an' if kind[0] in 'aeiouAEIOU' or kind == 'ndarray' else 'a'} {kind}"


def _made_of(value: Any) -> str:
    """How trains are made of such a value."""
    if isinstance(value, Session):
        return f", such as session.spikes, those of a {type(value).__name__}"
    first = value[0] if isinstance(value, list | tuple) and value else value
    package = type(first).__module__.partition(".")[0]
    if package in ("neo", "pynapple"):
        return f": spikesim.interop.from_{package} makes them"
    if isinstance(value, Sequence | np.ndarray) and not isinstance(value, str):
        return ": spikesim.interop.from_lists makes them of the times of each neuron"
    return ""
