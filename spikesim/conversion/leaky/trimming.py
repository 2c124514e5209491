"""What neurons make of their drive in the running network, and scales that make up for it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from spikesim.conversion.leaky.curves import UnitCurves
from spikesim.conversion.leaky.kernels_readout import count_filtered
from spikesim.conversion.leaky.rates import RateUnits
from spikesim.conversion.leaky.readout import low_passed
from spikesim.data.aligned import AlignedTrains

SLOW = 100.0  # ms: what is faster than this is not what a gain is about
MOST = 1.5  # factor by which a scale is changed
PRIOR = 0.02  # of the mean variance: units that vary less are hardly trimmed


def trimmed(
    units: RateUnits,
    curves: UnitCurves,
    spikes: AlignedTrains,
    inputs: np.ndarray,
    response: Callable[[np.ndarray], np.ndarray],
) -> UnitCurves:
    """Curves whose scales and rests make each unit answer its drive as it should.

    In the network a unit's neurons answer a drive that fluctuates and moves, by their dynamics and
    not by their f-I curve alone. Of each unit the rate is regressed on what ``response`` makes of
    its own drive, both slow: r = a response(x) + c. Then a spike stands for 1 / a times as much,
    and -c / a more is added. Weights keep their signs, and no other ones come in.

    Parameters
    ----------
    units, curves
    spikes : AlignedTrains
        Of trials with ``inputs`` (time, trials, inputs).
    response : function
        Of drives (..., units).
    """
    rates = counted(spikes, curves, units.dt)
    wanted = low_passed(response(_drive(units, rates, inputs)), units.dt, SLOW)
    found = low_passed(rates, units.dt, SLOW)
    centre = wanted.mean(axis=(0, 1))
    variance = wanted.var(axis=(0, 1))
    together = ((wanted - centre) * (found - found.mean(axis=(0, 1)))).mean(axis=(0, 1))
    prior = PRIOR * variance.mean() + 1e-12
    slope = np.clip((together + prior) / (variance + prior), 1 / MOST, MOST)
    more = centre - (found.mean(axis=(0, 1)) - curves.rest) / slope
    return replace(curves, scale=curves.scale * slope, rest=more)


def counted(spikes: AlignedTrains, curves: UnitCurves, step: float) -> np.ndarray:
    """Rates of units in each step, (time, trials, units)."""
    k, units = curves.neurons, len(curves.scale)
    rates = np.zeros((round(spikes.duration / step), spikes.n_trials, units))
    each = np.tile(curves.signs, units) * np.repeat(1000 / (curves.scale * step), k)
    count_filtered(spikes.times, spikes.neurons, spikes.trials, each, k, step, np.inf, rates)
    return rates + curves.rest


def _drive(units: RateUnits, rates: np.ndarray, inputs: np.ndarray) -> np.ndarray:
    """What drove units that had these rates."""
    keep = np.exp(-units.dt / units.tau)
    external = inputs @ units.w_in.T + units.b
    drive = np.empty_like(rates)
    state = np.tile(units.start, (rates.shape[1], 1))
    for t, (given, rate) in enumerate(zip(external, rates, strict=True)):
        if units.form == "x":
            state = keep * state + (1 - keep) * (given + rate @ units.w.T)
            drive[t] = state
        else:
            drive[t] = given + state @ units.w.T
            state = keep * state + (1 - keep) * rate
    return drive
