"""What a rate network and its conversion do side by side, to be drawn."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.conversion.leaky.converted import Converted
from spikesim.conversion.leaky.rates import rate_units
from spikesim.conversion.leaky.readout import FILTER, filtered, low_passed
from spikesim.conversion.leaky.wiring import POPULATION
from spikesim.random import stream
from spikesim.rate.network import RateNetwork
from spikesim.rate.tasks.trials import Task


@dataclass(frozen=True, eq=False)
class Trajectories:
    """Averages over the trials that the rate network decides alike.

    Attributes
    ----------
    time : array (time,)
        ms.
    names : list of str
        Of the groups.
    rate, spiking : array (components, time, groups)
        Of the populations, filtered by 30 ms, on the first principal components of the rates.
    explained : array (components,)
        Share of the variance of the rates.
    rate_outputs, spiking_outputs : array (time, groups, outputs)
    spread : array (time, groups, outputs)
        Standard deviation over trials of the spiking network's outputs.
    """

    time: np.ndarray
    names: list[str]
    rate: np.ndarray
    spiking: np.ndarray
    explained: np.ndarray
    rate_outputs: np.ndarray
    spiking_outputs: np.ndarray
    spread: np.ndarray


def trajectories(
    converted: Converted,
    network: RateNetwork,
    task: Task,
    *,
    trials: int = 64,
    components: int = 3,
    seed: int = 2,
) -> Trajectories:
    """Run both networks on fresh trials; of a task without decisions the first four are shown."""
    units = rate_units(network)
    drawn = task.generate(stream(seed, "trajectories"), trials, **task.test)
    _, rates, wanted = units.trajectories(drawn.inputs)
    spikes = converted.simulate(drawn.inputs).spikes[POPULATION]
    outputs = converted.read(spikes)
    rates = low_passed(rates, units.dt, FILTER)
    heard = filtered(spikes, converted.signs, converted.scale, units.dt, FILTER) + converted.rest
    if task.decide is None:
        groups, kinds = np.arange(trials), np.arange(min(4, trials))
        names = [f"trial {kind}" for kind in kinds]
    else:
        groups = task.decide(wanted, drawn)
        kinds = np.unique(groups)
        names = [f"decision {kind:g}" for kind in kinds]

    def grouped(x: np.ndarray, of: str = "mean") -> np.ndarray:
        return np.stack([getattr(x[:, groups == kind], of)(axis=1) for kind in kinds], axis=1)

    mean = rates.mean(axis=(0, 1))
    _, size, axes = np.linalg.svd((grouped(rates) - mean).reshape(-1, units.units), False)
    axes = axes[:components]
    return Trajectories(
        units.dt * np.arange(1, len(rates) + 1),
        names,
        np.moveaxis((grouped(rates) - mean) @ axes.T, -1, 0),
        np.moveaxis((grouped(heard) - mean) @ axes.T, -1, 0),
        (size**2 / np.sum(size**2))[:components],
        grouped(wanted),
        grouped(outputs),
        grouped(outputs, "std"),
    )
