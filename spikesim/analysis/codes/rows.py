"""The spikes of each trial and neuron by themselves, as compiled loops take them."""

import numpy as np
from numpy.typing import NDArray

from spikesim.data.aligned import AlignedTrains
from spikesim.data.ordering import in_order


def rows_of(aligned: AlignedTrains) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Times in order of trial, then neuron, then time, and where those of each pair begin.

    Returns
    -------
    times : ndarray, shape (n,)
        ms.
    offsets : ndarray of int64, shape (n_trials size + 1,)
        Those of trial t and neuron i begin at ``offsets[t * size + i]``.
    """
    row = aligned.trials * aligned.size + aligned.neurons
    rows = aligned.n_trials * aligned.size
    n = np.bincount(row, minlength=rows)
    return aligned.times[in_order(row, rows)], np.r_[0, np.cumsum(n)]
