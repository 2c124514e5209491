"""Place fields of a track, the laps on it, and where on it spikes were."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_floats, check_number, check_numbers
from spikesim.data.windows import SAME_TIME, Windows

JUMP = 3  # samples within a lap at least: fewer are a jump, as from the end of a ring to its start


@dataclass(frozen=True, eq=False)
class PlaceFields:
    """Stretches of a track in which neurons fire; ``fields[mask]`` are some of them.

    Attributes
    ----------
    neurons : ndarray of int64, shape (fields,)
        Whose each field is.
    starts, stops : ndarray of float64, shape (fields,)
        Where a field is entered and left, in the unit of positions. Of one that is run through
        towards lower positions the start is the higher number.
    peaks : ndarray of float64, shape (fields,)
        Where the rate is highest.
    rates : ndarray of float64, shape (fields,)
        This rate (Hz).
    """

    neurons: NDArray[np.int64]
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    peaks: NDArray[np.float64]
    rates: NDArray[np.float64]

    def __len__(self) -> int:
        return self.neurons.size

    def __getitem__(self, which: slice | ArrayLike) -> PlaceFields:
        which = which if isinstance(which, slice) else np.atleast_1d(which)
        every = self.neurons, self.starts, self.stops, self.peaks, self.rates
        return PlaceFields(*(values[which] for values in every))

    def reversed(self) -> PlaceFields:
        """The same fields, run through the other way."""
        return PlaceFields(self.neurons, self.stops, self.starts, self.peaks, self.rates)

    @property
    def widths(self) -> NDArray[np.float64]:
        """Length of each field, in the unit of positions."""
        return np.abs(self.stops - self.starts)

    def __repr__(self) -> str:
        whose = np.unique(self.neurons).size
        return f"<PlaceFields: {len(self)} of {whose} neurons, mean width {_mean(self.widths):g}>"


def place_fields(
    rates: ArrayLike,
    edges: ArrayLike,
    *,
    share: float = 0.2,
    least_rate: float = 0.0,
    least_width: float = 0.0,
) -> PlaceFields:
    """Find place fields in rates along a track.

    A field is a stretch in which the rate stays above ``share`` of the neuron's highest one. Its
    ends lie where a line between the centres of neighbouring bins crosses this, or at an outer
    edge of the track; a bin that was never visited (NaN) ends a field at its edge. On a ring a
    field that lies across the seam is found as two.

    Parameters
    ----------
    rates : array_like, shape (neurons, bins) or (bins,)
        Hz; NaN where the animal never was. Smoothed, or else noise makes fields.
    edges : array_like, shape (bins + 1,), or a tuple of it alone
        Of the bins, rising, in the unit of positions; of tuning curves on a line ``curves.edges``.
    share : float
        Of the peak, between 0 and 1.
    least_rate : float
        Hz, which a field must have somewhere.
    least_width : float
        Length that it must have, in the unit of positions.

    Returns
    -------
    PlaceFields
        In order of neuron and position. None of neurons whose rate is 0 everywhere.

    Raises
    ------
    ValueError
        If edges do not rise or are not one more than bins, rates are negative, or a threshold is
        out of its bounds.
    """
    edges = edges[0] if isinstance(edges, tuple) and len(edges) == 1 else edges
    edges = check_numbers("edges", edges, "one-dimensional, rising", dimensions=(1,))
    table = np.atleast_2d(check_floats("rates", rates))
    if table.ndim != 2 or table.shape[1] + 1 != edges.size or np.any(np.diff(edges) <= 0):
        raise ValueError(
            f"edges must rise and be one more than the bins of rates, but are {edges.size} for "
            f"rates of shape {np.shape(rates)}."
        )
    if np.any(table < 0) or np.isinf(table).any():
        raise ValueError("rates must be 0 or more, or NaN where the animal never was.")
    check_number("share", share, above=0.0, below=1.0)
    check_number("least_rate", least_rate, least=0.0, unit="Hz")
    check_number("least_width", least_width, least=0.0)
    found = []
    for neuron, row in enumerate(table):
        top = np.max(row, initial=0.0, where=np.isfinite(row))
        for start, stop, peak, rate in _stretches(row, edges, share * top) if top > 0 else ():
            if rate >= least_rate and stop - start >= least_width:
                found.append((neuron, start, stop, peak, rate))
    columns = np.array(found, float).reshape(-1, 5).T
    return PlaceFields(columns[0].astype(np.int64), *columns[1:])


def _stretches(row: NDArray, edges: NDArray, level: float):
    """Start, stop, peak and its rate of each stretch of bins above a level."""
    centres = (edges[1:] + edges[:-1]) / 2
    above = np.concatenate([[False], row > level, [False]])
    turns = np.flatnonzero(above[1:] != above[:-1])
    for first, after in zip(turns[::2], turns[1::2], strict=True):
        start, stop = edges[first], edges[after]
        if first > 0 and np.isfinite(row[first - 1]):
            start = np.interp(level, row[first - 1 : first + 1], centres[first - 1 : first + 1])
        if after < row.size and np.isfinite(row[after]):
            stop = np.interp(-level, -row[after - 1 : after + 1], centres[after - 1 : after + 1])
        top = first + int(np.argmax(row[first:after]))
        yield start, stop, centres[top], row[top]


def find_laps(positions: ArrayLike, times: ArrayLike, start: float, stop: float) -> Windows:
    """Runs from one place to another, and back.

    A lap begins with the last sample at or beyond the one place and ends with the first at or
    beyond the other. A jump (fewer than 3 samples in between, as where a ring begins anew) and
    runs that were not seen whole (NaN) are none.

    Parameters
    ----------
    positions, times : array_like, shape (n,)
        Where the animal was, and when (ms, rising).
    start, stop : float
        The two places, start the lower one.

    Returns
    -------
    Windows
        With the label "direction": 1 from start to stop, -1 back.

    Raises
    ------
    ValueError
        If times do not rise or are not as many as positions, or start is not below stop.
    """
    where, when = check_track(positions, times)
    check_number("start", start)
    check_number("stop", stop, above=start)
    zone = np.where(where <= start, -1, np.where(where >= stop, 1, 0))
    zone[np.isnan(where)] = 2  # in neither, and nobody passes through it unseen
    kept = np.flatnonzero(zone)
    before, after = kept[:-1], kept[1:]
    lap = (zone[before] * zone[after] == -1) & (after - before > JUMP)
    first, last = before[lap], after[lap]
    return Windows(when[first], when[last], {"direction": zone[last]})


def positions_at(positions: ArrayLike, times: ArrayLike, at: ArrayLike) -> NDArray[np.float64]:
    """Position at any time, on a line between samples; NaN outside of them and beside NaN.

    Parameters
    ----------
    positions, times : array_like, shape (n,)
        Where the animal was, and when (ms, rising).
    at : array_like
        ms.
    """
    where, when = check_track(positions, times)
    t = check_floats("at", at)
    inside = (t >= when[0] - SAME_TIME) & (t <= when[-1] + SAME_TIME)
    return np.where(inside, np.interp(t, when, where), np.nan)


def check_track(positions: ArrayLike, times: ArrayLike) -> tuple[NDArray, NDArray]:
    """Positions and their times as arrays, refused if they are not as they must be."""
    when = check_numbers("times of positions", times, "one-dimensional, ms", dimensions=(1,))
    where = check_floats("positions", positions)
    if where.shape != when.shape or when.size < 2:
        raise ValueError(
            f"positions and their times have shapes {where.shape} and {when.shape}; they must be "
            "as many, two or more."
        )
    if np.any(np.diff(when) <= 0):
        k = int(np.argmax(np.diff(when) <= 0))
        raise ValueError(f"times of positions must rise, but {when[k + 1]} follows {when[k]} ms.")
    return where, when


def _mean(values: NDArray) -> float:
    return float(values.mean()) if values.size else np.nan
