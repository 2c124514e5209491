"""The conversion of Kim, Li and Sejnowski (2019), to compare with."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikesim.conversion.leaky.converted import Converted
from spikesim.conversion.leaky.curves import UnitCurves
from spikesim.conversion.leaky.methods import OneFactor
from spikesim.conversion.leaky.rates import RateUnits
from spikesim.conversion.leaky.readout import Readout
from spikesim.conversion.leaky.targets import CurrentLIF
from spikesim.conversion.leaky.wiring import wire
from spikesim.rate.tasks.trials import Task, Trials

NEURON = CurrentLIF(v_th=-40.0, noise=1.0)  # 0.1 mV in each step of 0.05 ms
HIGHEST = 30.0  # mV, of potentials at the start
DT = 0.05  # ms


def one_factor(
    units: RateUnits,
    method: OneFactor,
    inputs: np.ndarray,
    trials: Trials | None,
    task: Task | None,
    dt: float | None,
    seed: int,
    first: int,
) -> Converted:
    """The network with the best of the factors.

    A drive of 1 moves a neuron by 1 mV from its threshold, 25 mV above its reset, at which it
    rests; currents decay with the time constants of the rate network's Euler steps. The best factor
    is that with which most of ``trials`` are right by the task, or without a task that whose
    outputs are nearest to those of the rate network.
    """
    wanted = units.trajectories(inputs)[2]
    # The code of the paper takes the time constant over as it is.
    units = replace(units, tau=units.dt / -np.expm1(-units.dt / units.tau))
    best: tuple[float, Converted] | None = None
    for factor in method.factors:
        made = _divided(units, float(factor), inputs, DT if dt is None else dt, seed)
        outputs, _ = made.run(inputs, first=first)
        if trials is None:
            score = -float(np.mean((outputs - wanted) ** 2))
        else:
            score = task.performance(outputs, trials)
        if best is None or score > best[0]:
            best = score, made
    return best[1]


def _divided(
    units: RateUnits, factor: float, inputs: np.ndarray, dt: float, seed: int
) -> Converted:
    count, per_mv = units.units, NEURON.c_m / NEURON.tau_m
    same = np.ones(count)
    curves = UnitCurves(
        per_mv * same,
        NEURON.rheobase * same,
        0 * same,
        factor * same,
        0 * same,
        np.ones(1),
        np.zeros(1),
    )
    wired = wire(
        units, curves, NEURON, dt, inputs, delay=dt, filter_inputs=False, highest=HIGHEST, seed=seed
    )
    return Converted(
        wired.network,
        count,
        curves.signs,
        curves.scale,
        curves.rest,
        wired.input_weights,
        Readout(units.w_out, np.zeros_like(units.b_out), units.tau, 0.0, NEURON.tau_rise),
        dt,
        units.dt,
        OneFactor.name,
        NEURON.name,
        units.softmax,
        (f"all weights are divided by {factor:g}; the readout has no bias",),
    )
