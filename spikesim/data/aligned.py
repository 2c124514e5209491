"""Spikes around events: the same window of time relative to each of many trials."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim import display
from spikesim.checks import as_floats, check_number, warn
from spikesim.data.bins import bins_of, whole_bins
from spikesim.data.choosing import chosen, labelled, labels_of
from spikesim.data.columns import whole
from spikesim.data.frozen import read_only
from spikesim.data.windows import SAME_TIME, Windows


class AlignedTrains:
    """Spikes of the neurons of a population around each of some events, by `SpikeTrains.align`.

    Every event has a trial, and time in it is relative to the event: (t_start, t_stop] with
    t_start < 0 before and t_stop > 0 after it. A spike may be in several trials.

    Parameters
    ----------
    times : array_like of float, shape (n,)
        Time after the event (ms).
    neurons, trials : array_like of int, shape (n,)
        The neuron and the trial of each spike.
    size, n_trials : int
    t_start, t_stop : float
        ms.
    labels : mapping of str to array_like, shape (n_trials,), optional
        What is known of each trial.
    events : array_like of float, shape (n_trials,), optional
        When the events were (ms).

    Attributes
    ----------
    times, neurons, trials : ndarray, shape (n,)
        In order of trial, then time, then neuron.
    size, n_trials, t_start, t_stop, labels, events
        As given.
    """

    def __init__(
        self,
        times: ArrayLike,
        neurons: ArrayLike,
        trials: ArrayLike,
        size: int,
        n_trials: int,
        t_start: float,
        t_stop: float,
        labels: Mapping[str, ArrayLike] | None = None,
        events: ArrayLike | None = None,
    ):
        times = np.asarray(times, float)
        neurons, trials = whole("neurons", neurons), whole("trials", trials)
        if not times.shape == neurons.shape == trials.shape or times.ndim != 1:
            raise ValueError(
                f"times, neurons and trials must be one-dimensional and of equal length, but have "
                f"the shapes {times.shape}, {neurons.shape} and {trials.shape}"
            )
        if not Windows(t_start, t_stop).contains(times).all():
            raise ValueError(
                f"times must be in ({t_start:.12g}, {t_stop:.12g}] ms, but not all of them are"
            )
        for name, ids, n in (("neurons", neurons, size), ("trials", trials, n_trials)):
            if ids.size and not 0 <= ids.min() <= ids.max() < n:
                raise ValueError(
                    f"{name} must be at least 0 and less than {n}, but go from "
                    f"{ids.min()} to {ids.max()}"
                )
        columns = times, neurons, trials
        if _in_order(*columns):
            columns = (column.copy() for column in columns)
        else:
            order = np.lexsort((neurons, times, trials))
            columns = (column[order] for column in columns)
        self.times, self.neurons, self.trials = map(read_only, columns)
        self.size, self.n_trials = int(size), int(n_trials)
        self.t_start, self.t_stop = float(t_start) + 0.0, float(t_stop)  # never -0
        self.labels = labels_of("a label of trials", labels, self.n_trials)
        self.events = np.full(n_trials, np.nan) if events is None else np.array(events, float)
        if self.events.shape != (self.n_trials,):
            raise ValueError(
                f"events must have one time for each of {n_trials} trials, but have the shape "
                f"{self.events.shape}"
            )
        self.events = read_only(self.events)

    @property
    def duration(self) -> float:
        """Length of a trial (ms)."""
        return self.t_stop - self.t_start

    def __len__(self) -> int:
        return len(self.times)

    def __repr__(self) -> str:
        labels = f", labelled {', '.join(self.labels)}" if self.labels else ""
        return (
            f"<AlignedTrains: {len(self)} spikes of {self.size} neurons in {self.n_trials} trials "
            f"of ({self.t_start:.12g}, {self.t_stop:.12g}] ms{labels}>"
        )

    def _repr_html_(self) -> str:
        rows = [
            ("spikes", f"{len(self):,}"),
            ("neurons", f"{self.size:,}"),
            ("trials", f"{self.n_trials:,}"),
            ("window (ms)", f"({self.t_start:.12g}, {self.t_stop:.12g}]"),
            ("labels", ", ".join(self.labels)),
        ]
        return display.table("AlignedTrains", ["what", "is"], rows)

    def count(self, bin: float | None = None) -> NDArray[np.integer]:
        """Spike counts of each trial.

        Parameters
        ----------
        bin : float, optional
            Bin width (ms); it must divide the duration within 1e-6 ms. Bin k is
            (t_start + k bin, t_start + (k + 1) bin].

        Returns
        -------
        ndarray of int32, shape (n_trials, size), or with bin (n_trials, n_bins, size)

        Raises
        ------
        ValueError
            If bin is not positive or does not divide the duration.
        """
        n_bins = 1 if bin is None else whole_bins(bin, self.duration)
        bins = bins_of(self.times - self.t_start, n_bins, self.duration)
        cells = (self.trials * n_bins + bins) * self.size + self.neurons
        counts = np.bincount(cells, minlength=self.n_trials * n_bins * self.size)
        shape = (self.n_trials, self.size) if bin is None else (self.n_trials, n_bins, self.size)
        return counts.astype(np.int32).reshape(shape)

    def select(self, neurons: slice | ArrayLike) -> AlignedTrains:
        """The spikes of some neurons, renumbered in the order given, as `SpikeTrains.select`."""
        alone = chosen(neurons, self.size)
        number = np.full(self.size, -1)
        number[alone] = np.arange(len(alone))
        neurons = number[self.neurons]
        return self._with(neurons >= 0, neurons, self.trials, len(alone), np.arange(self.n_trials))

    def where(self, **labels: Any) -> AlignedTrains:
        """The trials whose labels are these, or one of these where a list is given.

        Raises
        ------
        KeyError
            If there is no such label.
        """
        chosen = np.flatnonzero(labelled("trials", self.labels, labels, self.n_trials))
        number = np.full(self.n_trials, -1)
        number[chosen] = np.arange(len(chosen))
        trials = number[self.trials]
        return self._with(trials >= 0, self.neurons, trials, self.size, chosen)

    def restrict(self, t_start: float, t_stop: float) -> AlignedTrains:
        """The spikes in a part (t_start, t_stop] of every trial, in ms after its event.

        Raises
        ------
        ValueError
            If the part is reversed, empty or not in the trials.
        """
        lowest, highest = self.t_start - SAME_TIME, self.t_stop + SAME_TIME
        if not lowest <= t_start < t_stop <= highest:
            raise ValueError(
                f"the window ({t_start}, {t_stop}] ms must be ascending and inside of "
                f"[{self.t_start:.12g}, {self.t_stop:.12g}] ms"
            )
        kept = Windows(t_start, t_stop).contains(self.times)
        every = np.arange(self.n_trials)
        part = self._with(kept, self.neurons, self.trials, self.size, every)
        part.t_start, part.t_stop = float(t_start), float(t_stop)
        return part

    def _with(self, kept, neurons, trials, size, of_trials) -> AlignedTrains:
        return AlignedTrains(
            self.times[kept],
            neurons[kept],
            trials[kept],
            size,
            len(of_trials),
            self.t_start,
            self.t_stop,
            {name: values[of_trials] for name, values in self.labels.items()},
            self.events[of_trials],
        )

    def __getitem__(self, trial: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
        """Times (ms after the event) and neurons of the spikes of one trial."""
        if not 0 <= trial < self.n_trials:
            raise IndexError(
                f"trial must be at least 0 and less than n_trials = {self.n_trials}, but is {trial}"
            )
        first, last = np.searchsorted(self.trials, [trial, trial + 1])
        return self.times[first:last], self.neurons[first:last]


def align(trains: Any, events: ArrayLike | Windows, before: float, after: float) -> AlignedTrains:
    """What `SpikeTrains.align` gives of the trains."""
    at = as_floats(events.starts if isinstance(events, Windows) else events)
    if at is None or at.ndim != 1 or not np.isfinite(at).all():
        raise ValueError(
            f"events must be Windows or a one-dimensional array of finite times (ms), "
            f"but are {events!r}"
        )
    check_number("before", before, unit="ms")
    check_number("after", after, above=-before, unit="ms")
    labels = events.labels if isinstance(events, Windows) else {}
    first = trains.support.index(at - before + 2 * SAME_TIME)
    whole = (first >= 0) & (first == trains.support.index(at + after))
    if not whole.all():
        warn(
            f"{np.sum(~whole)} of {len(at)} events are left out: "
            f"({-before:.12g}, {after:.12g}] ms around them was not recorded whole."
        )
    if len(at) > 9 and before + after < 2 and at.max() < trains.t_start + 0.01 * trains.duration:
        warn(
            f"all {len(at)} events lie in the first hundredth of the recording, and the window "
            f"around them is {before + after:.12g} ms long; times are in ms, not in seconds."
        )
    at = at[whole]
    if trains.is_in_file and at.size:
        trains = trains.restrict(Windows(at - before, at + after))  # no more of the file is read
    times, neurons = trains.times, trains.neurons
    low, high = np.searchsorted(
        times, [at - before + SAME_TIME, at + after + SAME_TIME], side="right"
    )
    n = high - low
    trials = np.repeat(np.arange(len(at)), n)
    spikes = np.arange(n.sum()) + np.repeat(low - np.r_[0, np.cumsum(n)[:-1]], n)
    return AlignedTrains(
        # Rounded, so that what is one time after different events is one number.
        np.clip(np.round(times[spikes] - at[trials], 8), -before + 2 * SAME_TIME, after),
        neurons[spikes],
        trials,
        trains.size,
        len(at),
        -before,
        after,
        {name: values[whole] for name, values in labels.items()},
        at,
    )


def _in_order(times: np.ndarray, neurons: np.ndarray, trials: np.ndarray) -> bool:
    """Whether spikes are in order of trial, then time, then neuron."""
    trial, time, neuron = (np.diff(column) for column in (trials, times, neurons))
    later = (time > 0) | ((time == 0) & (neuron >= 0))
    return bool(np.all((trial > 0) | ((trial == 0) & later)))
