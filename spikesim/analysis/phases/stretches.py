"""Stretches of time within which spikes are shifted around a ring: surrogates of dependent spikes.

Shifting the spikes of each stretch by an amount of its own keeps everything within it: bursts,
refractoriness, how many spikes there were, and what a signal did meanwhile. Only where spikes lie
in the signal's oscillation becomes chance. One shift for the whole recording would not do that
where an oscillation is as regular as a clock: every phase would move by the same.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.phases.sampling import Sampled, pieces
from spikesim.data.windows import Windows

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains


@dataclass(frozen=True, eq=False)
class Stretches:
    """Spikes and the stretches that they lie in.

    Attributes
    ----------
    times : ndarray of float64, shape (n,)
        ms, in order of neuron.
    offsets : ndarray of int64, shape (size + 1,)
        Where each neuron's begin.
    stretch : ndarray of int64, shape (n,)
        In which stretch each lies.
    starts, lengths : ndarray of float64, shape (stretches,)
        ms.
    """

    times: NDArray[np.float64]
    offsets: NDArray[np.int64]
    stretch: NDArray[np.int64]
    starts: NDArray[np.float64]
    lengths: NDArray[np.float64]


def stretches(trains: SpikeTrains, signal: Sampled, window: float) -> Stretches:
    """What of the support has a signal, cut into equal stretches of about ``window`` ms.

    Spikes elsewhere are left out. A signal is known between two samples that are not NaN.
    """
    runs = [(a, b - 1) for a, b in pieces(signal.values) if b - a > 1]
    ends = signal.start + signal.step * np.array(runs, float).reshape(-1, 2)
    both = Windows(ends[:, 0], ends[:, 1]).intersect(trains.support) if len(ends) else ()
    starts, lengths = [np.empty(0)], [np.empty(0)]
    for start, stop in both:
        n = max(round((stop - start) / window), 1)
        starts.append(start + (stop - start) / n * np.arange(n))
        lengths.append(np.full(n, (stop - start) / n))
    starts, lengths = np.concatenate(starts), np.concatenate(lengths)
    times, offsets = trains.by_neuron()
    if not starts.size:
        none = np.zeros(0, np.int64)
        return Stretches(np.empty(0), np.zeros_like(offsets), none, starts, lengths)
    which = Windows(starts, starts + lengths).index(times)
    kept = which >= 0
    offsets = np.r_[0, np.cumsum(kept)][offsets]
    return Stretches(times[kept], offsets, which[kept], starts, lengths)
