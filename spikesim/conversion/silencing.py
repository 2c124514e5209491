"""What silencing each unit does to the outputs, in the rate network and in the spiking one."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.stats import rankdata

from spikesim.conversion.leaky.converted import PIECE, Converted
from spikesim.conversion.leaky.rates import RateUnits
from spikesim.conversion.leaky.wiring import POPULATION
from spikesim.data.aligned import AlignedTrains

EACH = 8  # trials with a unit silent, of each group


@dataclass(frozen=True, eq=False)
class Silencing:
    """Effects on the mean output of trials, (units, groups, trials, outputs): silent less not.

    Attributes
    ----------
    rate, spiking : array
    """

    rate: np.ndarray
    spiking: np.ndarray

    def compared(self) -> dict[str, float]:
        """Correlations of effects averaged over the trials of a group.

        Trials are halved by turns; the ceiling is the correlation of the spiking network's halves,
        stretched to the length of the whole (Spearman-Brown).
        """
        rate, spiking = (each.mean(axis=2).ravel() for each in (self.rate, self.spiking))
        half = _correlation(*(self.spiking[:, :, i::2].mean(axis=2).ravel() for i in range(2)))
        return {
            "silencing_correlation": _correlation(rate, spiking),
            "silencing_rank_correlation": _correlation(rankdata(rate), rankdata(spiking)),
            "silencing_ceiling": 2 * half / (1 + half) if half > -1 else float("nan"),
        }


def _correlation(a: np.ndarray, b: np.ndarray) -> float:
    a, b = a - a.mean(), b - b.mean()
    scale = np.sqrt(np.sum(a * a) * np.sum(b * b))
    return float(np.sum(a * b) / scale) if scale > 0 else float("nan")


def silencing_effects(
    converted: Converted,
    units: RateUnits,
    inputs: np.ndarray,
    groups: np.ndarray,
    window: slice,
    threads: int | None = None,
) -> Silencing:
    """Silence each unit in turn in both networks.

    No spike of a silent unit reaches units or outputs: its rate is then ``converted.rest``, which
    it is held at in the rate network too.

    Parameters
    ----------
    converted, units
    inputs : array (time, trials, inputs)
    groups : array (trials,)
        Trials that are alike; up to eight of each are taken.
    window : slice
        Steps over which outputs are averaged.
    threads : int, optional
    """
    chosen = [np.flatnonzero(groups == g)[:EACH] for g in np.unique(groups)]
    each = min(map(len, chosen))
    taken = np.concatenate([some[:each] for some in chosen])
    shape = units.units, len(chosen), each, len(units.b_out)
    silent = np.repeat(np.arange(units.units), len(taken))
    trials = np.tile(taken, units.units)
    rate, spiking = [], []
    for begin in range(0, len(trials), PIECE):
        part = slice(begin, begin + PIECE)
        given, off = inputs[:, trials[part]], silent[part]
        rate.append(units.trajectories(given, off, converted.rest)[2][window].mean(axis=0))
        spikes = converted.simulate(
            given, first=begin, silent=off[:, None].tolist(), threads=threads
        ).spikes[POPULATION]
        heard = _without(spikes, off, converted.per_unit)
        spiking.append(converted.read(heard)[window].mean(axis=0))
    whole = inputs[:, taken]
    base = units.trajectories(whole)[2][window].mean(axis=0)
    runs = [converted.run(whole, first=k * len(taken), threads=threads)[0] for k in range(4)]
    heard = np.mean([run[window].mean(axis=0) for run in runs], axis=0)
    rate, spiking = np.concatenate(rate).reshape(shape), np.concatenate(spiking).reshape(shape)
    return Silencing(rate - base.reshape(shape[1:]), spiking - heard.reshape(shape[1:]))


def _without(spikes: AlignedTrains, silent: np.ndarray, per_unit: int) -> AlignedTrains:
    """Spikes but for those of the unit that is silent in each trial."""
    kept = spikes.neurons // per_unit != silent[spikes.trials]
    return AlignedTrains(
        spikes.times[kept],
        spikes.neurons[kept],
        spikes.trials[kept],
        spikes.size,
        spikes.n_trials,
        spikes.t_start,
        spikes.t_stop,
    )
