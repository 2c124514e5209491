"""The spike time tiling coefficient: correlation of spike times that no rate confounds."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.given import trains_of_either
from spikesim.analysis.pairs.pieces import by_neuron, pieces
from spikesim.checks import check_number
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SAME_TIME, SpikeTrains


def spike_time_tiling(trains: SpikeTrains | AlignedTrains, dt: float = 5.0) -> NDArray[np.float64]:
    """Spike time tiling coefficient of all pairs of neurons.

    ``STTC_ij = 1/2 ((P_i - T_j) / (1 - P_i T_j) + (P_j - T_i) / (1 - P_j T_i))``: P_i is the share
    of the spikes of i within +-dt of a spike of j, T_i the share of time within +-dt of a spike of
    i. It is 0 for independent trains whatever their rates, 1 for equal ones; a term that is 0 / 0
    (all spikes near, all time covered) is 1.

    Spikes at a distance of exactly dt are near. In a support with gaps, spikes are near, and cover
    time, within their own window alone (in aligned trains: their trial).

    Parameters
    ----------
    trains : SpikeTrains or AlignedTrains
    dt : float
        ms.

    Returns
    -------
    ndarray of float64, shape (size, size)
        NaN for pairs with a silent neuron.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If dt is not positive.

    References
    ----------
    Cutts CS, Eglen SJ (2014). Detecting pairwise correlations in spike trains: an objective
    comparison of methods and application to the study of retinal waves. J Neurosci
    34:14288-14303.
    """
    trains_of_either("trains", trains)
    from spikesim.analysis.pairs.kernels_tiling import covered_time, near_spikes

    check_number("dt", dt, above=0, unit="ms")
    spikes = pieces(trains)
    grouped, _ = by_neuron(spikes)
    covered = np.zeros(spikes.size)
    covered_time(
        grouped.times, grouped.neurons, grouped.windows, spikes.starts, spikes.stops, dt, covered
    )
    near = np.zeros((spikes.size, spikes.size), np.uint32)
    near_spikes(spikes.times, spikes.neurons, spikes.windows, dt + SAME_TIME, near)
    number = np.bincount(spikes.neurons, minlength=spikes.size)
    with np.errstate(invalid="ignore", divide="ignore"):
        p, t = near / number[:, None], covered / spikes.duration
        both = p * t
        half = np.where(both == 1, 1.0, (p - t) / (1 - both))
    half[:, number == 0] = np.nan
    return (half + half.T) / 2
