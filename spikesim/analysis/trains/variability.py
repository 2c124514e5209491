"""How much counts vary, and how much a population varies together."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains, trains_of_either
from spikesim.analysis.trains.activity import activity_of, varies
from spikesim.checks import check_numbers, check_whole
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME

if TYPE_CHECKING:
    from spikesim.data.aligned import AlignedTrains


def fano_factor(
    trains: AlignedTrains | SpikeTrains,
    windows: ArrayLike | None = None,
    *,
    bin: float | None = None,
    ddof: int = 1,
) -> NDArray[np.float64]:
    """Fano factor of each neuron: variance of its spike counts over their mean.

    Over trials, of trains that are aligned to events; or over windows of one long recording, which
    follow each other, for each of some lengths. It is 1 of a Poisson process. Of a renewal process
    it goes to the square of the CV in long windows, and to 1 in short ones.

    Parameters
    ----------
    trains : AlignedTrains or SpikeTrains
    windows : array_like of float, shape (k,), or float
        Of SpikeTrains: lengths (ms). Windows begin where each window of the support does and never
        lie across its end; what is left of it is not counted.
    bin : float, optional
        Of AlignedTrains: the Fano factor in each bin of so many ms, which must divide a trial.
    ddof : 0 or 1
        The variance is the sum of squares over n - ddof. With 1, which is the default, it is
        unbiased; elephant takes 0.

    Returns
    -------
    ndarray
        Of AlignedTrains of shape (size,), with bin (n_bins, size). Of SpikeTrains of shape
        (k, size), or (size,) of one length. NaN without spikes and of fewer than two counts.

    Raises
    ------
    TypeError
        If trains are neither SpikeTrains nor AlignedTrains.
    ValueError
        If windows are missing, not positive, or given with AlignedTrains, or bin with SpikeTrains.

    References
    ----------
    Fano 1947, Phys Rev 72:26; against window length, Teich et al. 1997, J Opt Soc Am A 14:529.
    """
    trains_of_either("trains", trains)
    check_whole("ddof", ddof, least=0, most=1)
    if not isinstance(trains, SpikeTrains):
        if windows is not None:
            raise ValueError(
                f"windows is {windows!r}; it must be left out, since trains are aligned: their "
                "counts are over trials."
            )
        counts = trains.count(bin).astype(float)
        return _fano(len(counts), counts.sum(axis=0), (counts**2).sum(axis=0), ddof)
    if bin is not None:
        raise ValueError(f"bin is {bin!r}; it must be left out, since trains are not aligned.")
    lengths = _lengths(windows)
    found = np.empty((lengths.size, trains.size))
    for i, length in enumerate(lengths.flat):
        n, sums, squares, _ = _counts(trains, length)
        found[i] = _fano(n, sums, squares, ddof)
    return found.reshape(*lengths.shape, trains.size)


def allan_factor(trains: SpikeTrains, windows: ArrayLike) -> NDArray[np.float64]:
    """Allan factor of each neuron: how much counts in windows that follow each other differ.

    The mean of (N_(k + 1) - N_k)^2 over twice the mean of N, for counts N in windows of one length.
    It is 1 of a Poisson process and, unlike the Fano factor, does not grow with a rate that drifts
    over many windows.

    Parameters
    ----------
    trains : SpikeTrains
    windows : array_like of float, shape (k,), or float
        Lengths (ms), as for `fano_factor`. Windows on either side of a gap do not follow each
        other.

    Returns
    -------
    ndarray, shape (k, size), or (size,) of one length
        NaN without spikes and of fewer than two windows that follow each other.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If windows are not positive.

    References
    ----------
    Allan 1966, Proc IEEE 54:221; Teich et al. 1997, J Opt Soc Am A 14:529.
    """
    spike_trains("trains", trains)
    lengths = _lengths(windows)
    found = np.empty((lengths.size, trains.size))
    for i, length in enumerate(lengths.flat):
        n, sums, _, (pairs, differences) = _counts(trains, length)
        with np.errstate(invalid="ignore", divide="ignore"):
            found[i] = (differences / pairs) / (2 * sums / n)
        found[i, sums == 0] = np.nan
    return found.reshape(*lengths.shape, trains.size)


def synchrony(activity: SpikeTrains | ArrayLike, bin: float | None = None) -> float:
    """Synchrony chi of a population: how much of what neurons vary do they vary together.

    With V the mean of all neurons at each time::

        chi^2 = var(V) / mean_i var(V_i)

    with variances over time. It is 1 if all do the same, and about 1 / sqrt(n) of n neurons that
    have nothing to do with each other: whether it is above that in a large network is seen from
    how it falls with n.

    Parameters
    ----------
    activity : SpikeTrains, or array_like of shape (time, neurons)
        Spikes are counted in bins; of samples, such as membrane potentials (`Samples.values`),
        the variance is taken as they are.
    bin : float, optional
        Of SpikeTrains: ms, which must divide each window of the support.

    Returns
    -------
    float
        chi; NaN if no neuron varies. Neurons that never vary count as any other.

    Raises
    ------
    ValueError
        If bin is missing or does not divide the support, or an array has not two dimensions.

    References
    ----------
    Golomb & Rinzel 1993, Phys Rev E 48:4810; Golomb 2007, Scholarpedia 2(1):1347.
    """
    values = activity_of("activity", activity, bin)
    if not varies(values).any():
        return float("nan")
    alone = np.where(varies(values), values.var(axis=0), 0.0).mean()
    return float(np.sqrt(values.mean(axis=1).var() / alone))


def _lengths(windows: ArrayLike | None) -> NDArray[np.float64]:
    what = "a length, or some lengths, of windows in ms"
    return check_numbers("windows", windows, what, above=0, dimensions=(0, 1))


def _fano(n: int, sums: NDArray, squares: NDArray, ddof: int) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore", divide="ignore"):
        variance = (squares - sums**2 / n) / (n - ddof)
        return np.where((sums > 0) & (n > 1), variance / (sums / n), np.nan)


def _counts(
    trains: SpikeTrains, length: float
) -> tuple[int, NDArray[np.int64], NDArray[np.int64], tuple[int, NDArray[np.int64]]]:
    """Of counts in windows of a length: how many there are, sums and sums of squares by neuron.

    And of those that follow each other: how many pairs, and sums of squared differences. Only
    windows with spikes are gone through.
    """
    times, offsets = trains.by_neuron()
    neurons = np.repeat(np.arange(trains.size), np.diff(offsets))
    whole = np.floor((trains.support.durations + SAME_TIME) / length).astype(np.int64)
    before = np.r_[0, np.cumsum(whole)]
    part = trains.support.index(times)
    after = times - trains.support.starts[part] - SAME_TIME
    window = np.maximum(np.ceil(after / length).astype(np.int64) - 1, 0)
    inside = window < whole[part]
    neurons, part, window = neurons[inside], part[inside], window[inside]
    total = max(int(before[-1]), 1)
    cells = neurons * total + before[part] + window
    first = np.flatnonzero(np.r_[np.ones(min(cells.size, 1), bool), np.diff(cells) > 0])
    counts = np.diff(np.r_[first, cells.size])
    owners, cells = neurons[first], cells[first]

    def summed(values: NDArray, who: NDArray = owners) -> NDArray[np.int64]:
        return np.rint(np.bincount(who, values, trains.size)).astype(np.int64)

    at_end = (window[first] == 0) * 1 + (window[first] == whole[part[first]] - 1)
    follows = np.flatnonzero((np.diff(cells) == 1) & (np.diff(part[first]) == 0))
    follows = follows[owners[follows] == owners[follows + 1]]
    products = summed(counts[follows] * counts[follows + 1], owners[follows])
    differences = summed((2 - at_end) * counts**2) - 2 * products
    pairs = int(np.maximum(whole - 1, 0).sum())
    return int(before[-1]), summed(counts), summed(counts**2), (pairs, differences)
