"""Spikes and the windows that they lie in: what recordings with gaps and aligned trials share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.data.aligned import AlignedTrains
from spikesim.data.ordering import in_order
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


@dataclass(frozen=True, eq=False)
class Pieces:
    """Spikes in order of window and then of time, or of neuron, then window, then time.

    Parameters
    ----------
    times : ndarray of float64, shape (n,)
        ms.
    neurons, windows : ndarray of int64, shape (n,)
        Whose each spike is, and in which window.
    size : int
    starts, stops : ndarray of float64, shape (n_windows,)
        ms. Windows of trials are all alike.
    labels : mapping of str to ndarray, shape (n_windows,), or None
        Those of trials; None of a recording.
    """

    times: NDArray[np.float64]
    neurons: NDArray[np.int64]
    windows: NDArray[np.int64]
    size: int
    starts: NDArray[np.float64]
    stops: NDArray[np.float64]
    labels: Mapping[str, NDArray] | None = None

    @property
    def bounds(self) -> NDArray[np.int64]:
        """In order of window: where the spikes of each begin, and their number."""
        if len(self.starts) == 1:
            return np.array([0, len(self.times)])
        return np.searchsorted(self.windows, np.arange(len(self.starts) + 1))

    @property
    def duration(self) -> float:
        """Length of all windows together (ms)."""
        return float((self.stops - self.starts).sum())

    def of(self, neurons: NDArray[np.int64]) -> Pieces:
        """The spikes of some neurons, renumbered in the order given."""
        number = np.full(self.size, -1)
        number[neurons] = np.arange(len(neurons))
        owner = number[self.neurons]
        kept = owner >= 0
        return replace(
            self,
            times=self.times[kept],
            neurons=owner[kept],
            windows=self.windows[kept],
            size=len(neurons),
        )

    def together(self) -> Pieces:
        """All spikes as those of one neuron."""
        return replace(self, neurons=np.zeros_like(self.neurons), size=1)

    def sorted(self, order: NDArray[np.int64]) -> Pieces:
        """The same spikes in another order."""
        times, neurons, windows = self.times[order], self.neurons[order], self.windows[order]
        return replace(self, times=times, neurons=neurons, windows=windows)

    def at(self, times: NDArray[np.float64], windows: NDArray[np.int64]) -> Pieces:
        """The same neurons' spikes at other times."""
        return replace(self, times=times, windows=windows)


def pieces(trains: SpikeTrains | AlignedTrains) -> Pieces:
    """In order of window and then of time.

    Raises
    ------
    TypeError
        If it is neither SpikeTrains nor AlignedTrains.
    """
    trains_of_either("trains", trains)
    if isinstance(trains, SpikeTrains):
        starts, stops = trains.support.starts, trains.support.stops
        windows, labels = window_of(trains.times, trains.support), None
    else:
        starts, stops = np.full((2, trains.n_trials), [[trains.t_start], [trains.t_stop]])
        windows, labels = trains.trials, trains.labels
    return Pieces(trains.times, trains.neurons, windows, trains.size, starts, stops, labels)


def window_of(times: NDArray[np.float64], support: Windows) -> NDArray[np.int64]:
    """The window of each spike, of which none lies outside."""
    if len(support) == 1:
        return np.zeros(len(times), np.int64)
    return support.index(times)


def by_neuron(spikes: Pieces) -> tuple[Pieces, NDArray[np.int64]]:
    """In order of neuron, and where the spikes of each begin, shape (size + 1,)."""
    order = in_order(spikes.neurons, spikes.size)
    offsets = np.r_[0, np.cumsum(np.bincount(spikes.neurons, minlength=spikes.size))]
    return spikes.sorted(order), offsets


def by_window(spikes: Pieces) -> Pieces:
    """In order of window and then of time, of spikes in any order."""
    if spikes.size == 1 and len(spikes.starts) == 1:
        return spikes
    order = np.argsort(spikes.times, kind="stable")
    if len(spikes.starts) > 1:
        order = order[in_order(spikes.windows[order], len(spikes.starts))]
    return spikes.sorted(order)
