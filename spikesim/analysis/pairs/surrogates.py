"""Surrogates: spike trains that keep some features of given ones and lose the others.

Each kind is a small object; ``surrogate(trains, seed)`` gives trains of the same kind. A neuron's
surrogate depends on the seed and its number, not on other neurons. Which null hypothesis a kind
stands for says its docstring: a test that rejects says only that one of its features was wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, Protocol, TypeVar

import numpy as np
from numpy.typing import NDArray

from spikesim.analysis.given import LEAVE_OUT, known_of_all
from spikesim.analysis.pairs.pieces import Pieces, by_neuron, pieces
from spikesim.checks import check_choice, check_number, check_whole
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.random import derive_key

Trains = TypeVar("Trains", SpikeTrains, AlignedTrains)


class Surrogate(Protocol):
    """What makes surrogates of spikes.

    ``_moved`` gives times and windows of spikes which come, and go, in order of neuron, then
    window, then time; ``neurons`` are the numbers that key the neurons' draws.
    """

    def __call__(self, trains: Trains, seed: int) -> Trains: ...

    def _moved(
        self, spikes: Pieces, offsets: NDArray[np.int64], neurons: NDArray[np.int64], seed: int
    ) -> tuple[NDArray[np.float64], NDArray[np.int64]]: ...


def check_surrogate(surrogate: Surrogate) -> None:
    """Raise a TypeError if it is nothing that makes surrogates."""
    if isinstance(surrogate, type) or not callable(surrogate):
        shown = surrogate.__name__ if isinstance(surrogate, type) else repr(surrogate)
        raise TypeError(
            f"surrogate is {shown}; it must be a Shift, Jitter, Dither or TrialShuffle, such as "
            f"Jitter(20.0), or a function (trains, seed)."
        )


def surrogate_seed(seed: int, k: int) -> int:
    """The seed of the k-th surrogate of a test with this seed."""
    check_whole("seed", seed, least=None)
    return derive_key(seed, "surrogate", k)


@dataclass(frozen=True)
class Shift:
    """Each train turned round as a whole, by an amount of its own.

    Time runs on from the end of the support to its beginning; gaps are cut out. It keeps every
    interval but those at the ends (and where a gap was), so bursts and refractoriness stay; it
    destroys all relations between trains and, unless ``most`` is small, to the time of an event.
    Null hypothesis: the trains are stationary and independent. A rate that both trains follow
    makes it false.

    Parameters
    ----------
    most : float, optional
        Largest shift to either side (ms); as far as the support is long if not given.
    within : "support" or "window"
        Turn round the whole support, or each of its windows (each trial) by itself, which keeps
        the number of spikes in each of them. ``most`` is then not allowed.

    Raises
    ------
    ValueError
        If most is not positive, or given for windows.

    References
    ----------
    Louis S, Borgelt C, Grün S (2010). Generation and selection of surrogate methods for
    correlation analysis. In Analysis of Parallel Spike Trains, Springer, 359-382.
    """

    most: float | None = None
    within: Literal["support", "window"] = "support"

    def __post_init__(self) -> None:
        check_choice("within", self.within, ("support", "window"))
        if self.most is not None:
            check_number("most", self.most, above=0, unit="ms")
            if self.within == "window":
                raise ValueError(f"most is {self.most!r}; within windows, it must not be given.")

    def __call__(self, trains: Trains, seed: int) -> Trains:
        """Surrogate trains; the same ones for the same seed."""
        return _surrogate(self, trains, seed)

    def _moved(self, spikes, offsets, neurons, seed):
        from spikesim.analysis.pairs import kernels_surrogates as kernels

        out, windows = np.empty_like(spikes.times), spikes.windows
        arrays = spikes.times, spikes.windows, offsets, neurons, spikes.starts, spikes.stops
        key = np.uint64(derive_key(seed, "shift"))
        if self.within == "window":
            kernels.turn(*arrays, key, out)
        else:
            windows = np.empty_like(windows)
            most = spikes.duration / 2 if self.most is None else self.most
            kernels.shift(*arrays, key, float(most), out, windows)
        return out, windows


@dataclass(frozen=True)
class Jitter:
    """Interval jitter: each spike placed anew, uniformly, in the cell of a fixed grid it lies in.

    Cells of ``width`` ms follow each other from the start of each window of the support (of each
    trial); the last may be shorter. It keeps the number of spikes of each neuron in each cell, and
    with it rates that are slow against ``width``, and destroys what is finer, intervals included.
    Of SpikeTrains, it is what `SpikeTrains.jitter` gives.
    Null hypothesis: given these numbers, spikes of the train that is moved lie uniformly and
    independently in their cells. Refractory or bursty trains do not, even if nothing relates
    them to others: for those, the test is not exact.

    Parameters
    ----------
    width : float
        ms.

    Raises
    ------
    ValueError
        If width is not positive.

    References
    ----------
    Date A, Bienenstock E, Geman S (1998). On the temporal resolution of neural activity. Technical
    report, Brown University. Amarasingham A, Harrison MT, Hatsopoulos NG, Geman S (2012).
    Conditional modeling and the jitter method of spike resampling. J Neurophysiol 107:517-531.
    """

    width: float

    def __post_init__(self) -> None:
        check_number("width", self.width, above=0, unit="ms")

    def __call__(self, trains: Trains, seed: int) -> Trains:
        """Surrogate trains; the same ones for the same seed."""
        return _surrogate(self, trains, seed)

    def _moved(self, spikes, offsets, neurons, seed):
        from spikesim.data.passes import jitter

        out = np.empty_like(spikes.times)
        arrays = spikes.times, spikes.windows, offsets, neurons, spikes.starts, spikes.stops
        jitter(*arrays, np.uint64(derive_key(seed, "jitter")), float(self.width), out)
        return out, spikes.windows


@dataclass(frozen=True)
class Dither:
    """Each spike moved by up to ``width`` ms to either side, uniformly, within its window.

    Without ``refractory``, spikes move independently. With it, spikes keep their order, and no
    interval becomes shorter than ``refractory``, or than it was if it was shorter before: every
    second spike is moved between its neighbours, then the others between these, by chance the
    even or the odd ones first. It keeps the rate, blurred by ``width``, and changes intervals
    that are short against it. Null hypothesis: spikes could as well have been up to ``width``
    earlier or later. Since the moves go out from where the spikes are, this holds only roughly
    (`Jitter` is exact under its own).

    Parameters
    ----------
    width : float
        ms.
    refractory : float
        ms.

    Raises
    ------
    ValueError
        If width is not positive, or refractory negative.

    References
    ----------
    Louis S, Gerstein GL, Grün S, Diesmann M (2010). Surrogate spike train generation through
    dithering in operational time. Front Comput Neurosci 4:127. Gerstein GL (2004). Searching for
    significance in spatio-temporal firing patterns. Acta Neurobiol Exp 64:203-207.
    """

    width: float
    refractory: float = 0.0

    def __post_init__(self) -> None:
        check_number("width", self.width, above=0, unit="ms")
        check_number("refractory", self.refractory, least=0, unit="ms")

    def __call__(self, trains: Trains, seed: int) -> Trains:
        """Surrogate trains; the same ones for the same seed."""
        return _surrogate(self, trains, seed)

    def _moved(self, spikes, offsets, neurons, seed):
        from spikesim.analysis.pairs.kernels_surrogates import dither

        out = np.empty_like(spikes.times)
        arrays = spikes.times, spikes.windows, offsets, neurons, spikes.starts, spikes.stops
        key = np.uint64(derive_key(seed, "dither"))
        dither(*arrays, key, float(self.width), float(self.refractory), out)
        return out, spikes.windows


@dataclass(frozen=True)
class TrialShuffle:
    """The trials of each neuron in another order, one of its own: for `AlignedTrains`.

    It keeps each train and what follows the event in every trial, and destroys what neurons share
    in a single trial (the shuffle predictor). Null hypothesis: given the condition, trials are
    exchangeable and neurons independent. A drift over trials that neurons share makes it false.

    Parameters
    ----------
    within : str, optional
        Label of trials: only trials of which it is the same change places.

    References
    ----------
    Perkel DH, Gerstein GL, Moore GP (1967). Neuronal spike trains and stochastic point processes
    II. Biophys J 7:419-440.
    """

    within: str | None = None

    def __call__(self, trains: AlignedTrains, seed: int) -> AlignedTrains:
        """Surrogate trains; the same ones for the same seed.

        Raises
        ------
        TypeError
            If they are not aligned.
        KeyError
            If trials have no such label.
        ValueError
            If it is NaN or None in a trial.
        """
        return _surrogate(self, trains, seed)

    def _moved(self, spikes, offsets, neurons, seed):
        from spikesim.analysis.pairs.kernels_surrogates import permute

        n = len(spikes.starts)
        conditions = self._conditions(spikes)
        order = np.argsort(conditions, kind="stable")
        bounds = np.searchsorted(conditions[order], np.arange(conditions.max(initial=0) + 2))
        becomes = np.empty((len(neurons), n), np.int64)
        permute(neurons, order, bounds, np.uint64(derive_key(seed, "trial shuffle")), becomes)
        trials = becomes[spikes.neurons, spikes.windows]
        order = np.argsort(spikes.neurons * n + trials, kind="stable")
        return spikes.times[order], trials[order]

    def _conditions(self, spikes: Pieces) -> NDArray[np.int64]:
        """The number of the condition of each trial."""
        if spikes.labels is None:
            raise TypeError("TrialShuffle is for AlignedTrains, but trains are SpikeTrains")
        if self.within is None:
            return np.zeros(len(spikes.starts), np.int64)
        if self.within not in spikes.labels:
            known = ", ".join(spikes.labels) or "none"
            raise KeyError(f"trials have no label {self.within!r}; known are: {known}")
        values = np.asarray(spikes.labels[self.within])
        known_of_all(f"the label {self.within!r}", values, LEAVE_OUT)
        return np.unique(values, return_inverse=True)[1]


def _surrogate(surrogate: Surrogate, trains: Trains, seed: int) -> Trains:
    check_whole("seed", seed, least=None)
    grouped, offsets = by_neuron(pieces(trains))
    neurons = np.arange(grouped.size)
    times, windows = surrogate._moved(grouped, offsets, neurons, seed)
    if isinstance(trains, SpikeTrains):
        frame = dict(support=trains.support, labels=trains.labels, guessed=trains.guessed)
        return SpikeTrains(times, grouped.neurons, trains.size, **frame)
    return AlignedTrains(
        times,
        grouped.neurons,
        windows,
        trains.size,
        trains.n_trials,
        trains.t_start,
        trains.t_stop,
        trains.labels,
        trains.events,
    )
