"""Windows of time: what was recorded, trials, laps, any table of intervals with labels."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import display
from spikesim.checks import as_floats, check_numbers
from spikesim.data.choosing import labelled, labels_of
from spikesim.data.frozen import read_only

# Times are multiples of a time step computed in floating point (3 * 0.1 > 0.3), so two times
# closer than this many ms are one time. Rounding stays below it up to t = 1e9 ms.
SAME_TIME = 1e-6


class Windows:
    """A table of windows (start, stop] in ms, each of which may have labels.

    A window holds its stop and not its start, so that consecutive windows (0, T1], (T1, T2] hold
    every spike exactly once. Times that differ by less than 1e-6 ms are the same time. Windows
    may overlap and come in any order, as trials do; `union` makes of them disjoint ones.

    ``len(windows)`` is their number, ``windows[i]`` the pair (start, stop) of one of them, and
    ``windows[mask]``, with a slice, numbers or booleans, a table of some. Iteration gives pairs.

    Parameters
    ----------
    starts, stops : array_like of float, shape (n,)
        ms; a number is one window.
    labels : mapping of str to array_like, shape (n,), optional
        What is known of each window: the stimulus of a trial, the direction of a lap.

    Attributes
    ----------
    starts, stops : ndarray of float64, shape (n,)
    labels : dict of str to ndarray, shape (n,)

    Raises
    ------
    ValueError
        If the arrays differ in length, a time is not finite, or a stop lies before its start.
    """

    def __init__(
        self, starts: ArrayLike, stops: ArrayLike, labels: Mapping[str, ArrayLike] | None = None
    ):
        self.starts, self.stops = map(read_only, _edges(starts, stops))
        self.labels = labels_of("a label of windows", labels, len(self.starts))

    @classmethod
    def closed(cls, starts: ArrayLike, stops: ArrayLike, times: ArrayLike) -> Windows:
        """Windows of a program that counts a window's start as part of it, [start, stop].

        A window begins 2e-6 ms earlier where one of the times lies on its start, which otherwise
        would hold no spike of its own.

        Parameters
        ----------
        starts, stops : array_like of float, shape (n,)
            ms.
        times : array_like of float
            Spike times (ms), in any order.
        """
        starts, stops = _edges(starts, stops)
        times = np.sort(np.asarray(times, np.float64).ravel())
        first = np.searchsorted(times, starts - SAME_TIME)
        last = np.searchsorted(times, starts + SAME_TIME, side="right")
        return cls(np.where(last > first, starts - 2 * SAME_TIME, starts), stops)

    def __len__(self) -> int:
        return len(self.starts)

    def __iter__(self) -> Iterator[tuple[float, float]]:
        return zip(self.starts.tolist(), self.stops.tolist(), strict=True)

    def __getitem__(self, which: Any) -> Any:
        if isinstance(which, int | np.integer):
            return float(self.starts[which]), float(self.stops[which])
        if not isinstance(which, slice):
            which = np.asarray(which)
            if which.size == 0:
                which = which.astype(np.int64)
        labels = {name: values[which] for name, values in self.labels.items()}
        return Windows(self.starts[which], self.stops[which], labels)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Windows):
            return NotImplemented
        return (
            np.array_equal(self.starts, other.starts)
            and np.array_equal(self.stops, other.stops)
            and self.labels.keys() == other.labels.keys()
            and all(np.array_equal(self.labels[name], other.labels[name]) for name in self.labels)
        )

    def __repr__(self) -> str:
        if len(self) == 1:
            return f"Windows({self.starts[0]:.12g}, {self.stops[0]:.12g})"
        span = f" in ({self.starts.min():.12g}, {self.stops.max():.12g}] ms" if len(self) else ""
        labels = f", labelled {', '.join(self.labels)}" if self.labels else ""
        return f"<{len(self)} Windows{span}, {self.duration:.12g} ms in all{labels}>"

    @property
    def durations(self) -> NDArray[np.float64]:
        """Length of each window (ms), shape (n,)."""
        return self.stops - self.starts

    @property
    def duration(self) -> float:
        """Length of all windows together (ms); what overlaps counts twice."""
        return float(self.durations.sum())

    def where(self, **labels: Any) -> Windows:
        """The windows whose labels are these, or one of these where a list is given.

        Raises
        ------
        KeyError
            If there is no such label.
        """
        return self[labelled("windows", self.labels, labels, len(self))]

    def union(self) -> Windows:
        """The same time in disjoint, ascending windows without labels.

        Windows which overlap or touch become one, and of those without length one remains only
        if there is no other.
        """
        if len(self) == 1 and not self.labels:
            return self
        long = self.durations > SAME_TIME
        if not long.any():
            return Windows(self.starts[:1], self.stops[:1])
        starts, stops = self.starts[long], self.stops[long]
        order = np.argsort(starts, kind="stable")
        starts, reached = starts[order], np.maximum.accumulate(stops[order])
        new = np.r_[True, starts[1:] > reached[:-1] + SAME_TIME]
        return Windows(starts[new], reached[np.r_[new[1:], True]])

    def intersect(self, other: Windows) -> Windows:
        """The time that is in both, in disjoint, ascending windows; it may be none."""
        a, b = self.union(), other.union()
        starts, stops = [], []
        i = j = 0
        while i < len(a) and j < len(b):
            start, stop = max(a.starts[i], b.starts[j]), min(a.stops[i], b.stops[j])
            if stop > start + SAME_TIME:
                starts.append(start)
                stops.append(stop)
            if a.stops[i] < b.stops[j]:
                i += 1
            else:
                j += 1
        return Windows(starts, stops)

    def index(self, times: ArrayLike) -> NDArray[np.int64]:
        """The number of the window that each time is in, -1 for none; of disjoint, ascending ones.

        Raises
        ------
        ValueError
            If the windows are not disjoint and ascending.
        """
        if np.any(self.starts[1:] < self.stops[:-1] - SAME_TIME):
            raise ValueError(f"{self!r} overlap or do not ascend; windows.union() does neither")
        times = np.asarray(times, np.float64)
        if len(self) == 1:
            return np.where(self.contains(times), 0, -1)
        found = np.searchsorted(self.starts + SAME_TIME, times, side="left") - 1
        last = np.r_[-np.inf, self.stops + SAME_TIME][found + 1]
        return np.where(times <= last, found, -1)

    def lasting(self, edges: ArrayLike) -> NDArray[np.float64]:
        """How much of each bin between ascending edges (ms) the windows cover, shape (n - 1,).

        Raises
        ------
        ValueError
            If edges do not ascend or are not finite.
        """
        union, edges = self.union(), ascending_edges(edges)
        if not len(union):
            return np.zeros(max(len(edges) - 1, 0))
        before = np.r_[0.0, np.cumsum(union.durations)]
        which = np.searchsorted(union.starts, edges, side="right") - 1
        inside = np.clip(edges - union.starts[which], 0.0, union.durations[which])
        return np.diff(np.where(which < 0, 0.0, before[which] + inside))

    def contains(self, times: ArrayLike) -> NDArray[np.bool_]:
        """Whether each time is in one of the windows."""
        if len(self) > 1:
            return self.union().index(times) >= 0
        times, inside = np.asarray(times, np.float64), np.zeros(np.shape(times), bool)
        for start, stop in self:
            inside = (times > start + SAME_TIME) & (times <= stop + SAME_TIME)
        return inside

    def _repr_html_(self) -> str:
        rows = [
            (f"{start:.12g}", f"{stop:.12g}", *(display.short(v[i]) for v in self.labels.values()))
            for i, (start, stop) in enumerate(self)
        ]
        return display.table("Windows", ["start (ms)", "stop (ms)", *self.labels], rows)


def ascending_edges(edges: ArrayLike) -> NDArray[np.float64]:
    """Edges of bins (ms), refused where they are not finite or do not ascend."""
    edges = check_numbers("edges", edges, "ascending times (ms)", dimensions=(1,))
    if (np.diff(edges) < 0).any():
        raise ValueError(f"edges must ascend, but are {edges}")
    return edges


def _edges(starts: ArrayLike, stops: ArrayLike) -> tuple[NDArray, NDArray]:
    first, last = as_floats(starts), as_floats(stops)
    if first is None or last is None or first.shape != last.shape or first.ndim > 1:
        raise ValueError(
            f"starts and stops must be numbers (ms), one-dimensional and of equal length, "
            f"but are {starts!r} and {stops!r}"
        )
    first, last = (np.atleast_1d(x).copy() for x in (first, last))  # nobody else writes to them
    good = np.isfinite(first) & np.isfinite(last) & (first <= last)
    if not good.all():
        i = int(np.argmin(good))
        raise ValueError(
            f"windows must be finite with start <= stop, but window {i} is "
            f"({first[i]}, {last[i]}] ms"
        )
    return first, last
