"""Conversion of leaky rate networks."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from spikesim.checks import check_number, check_whole
from spikesim.conversion.leaky.converted import Converted, checked
from spikesim.conversion.leaky.curves import UnitCurves, fit_curves
from spikesim.conversion.leaky.fine_tuning import tuned
from spikesim.conversion.leaky.methods import Calibrated, FineTuned, Method, OneFactor
from spikesim.conversion.leaky.one_factor import one_factor
from spikesim.conversion.leaky.rates import RateUnits, rate_units
from spikesim.conversion.leaky.readout import Readout, fit_readout
from spikesim.conversion.leaky.targets import CurrentLIF, Target
from spikesim.conversion.leaky.trimming import trimmed
from spikesim.conversion.leaky.wiring import POPULATION, wire
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.network import RateNetwork
from spikesim.rate.tasks.trials import Task, Trials

COARSEST = 0.2  # ms, step of the engine
ALONE, TOGETHER = 18.0, 9.0  # Hz of a neuron that is a unit, and of one of several
CALIBRATION = 1_000_000  # replica of the first calibration trial: tests begin at 0


@named_options()
def convert(
    network: RateNetwork,
    task: Task | None = None,
    *,
    inputs: np.ndarray | None = None,
    method: Method | None = None,
    neuron: Target | None = None,
    per_unit: int = 5,
    dt: float | None = None,
    seed: int = 0,
) -> Converted:
    """Make a spiking network of a trained network of leaky units.

    Parameters
    ----------
    network : RateNetwork
        With one cell: `LeakyRNN`, `DaleRNN` or `LowRankRNN`.
    task : Task
        Whose trials it is calibrated on.
    inputs : array (time, trials, inputs), optional
        Trials to calibrate on in place of those of a task.
    method : OneFactor, Calibrated or FineTuned
        Default: ``Calibrated()``.
    neuron : CurrentLIF, ConductanceLIF or QuadraticIzhikevich
        Default: ``CurrentLIF()``.
    per_unit : int
        Neurons of a unit.
    dt : float, optional
        Step of the engine, ms. Default: at most 0.2, a whole number of which make a step of the
        rate network.
    seed : int
        Of the calibration trials, the spiking network, and fine-tuning.

    Returns
    -------
    Converted
        How faithful it is, `certify` says.

    Raises
    ------
    ValueError
        If the network does not convert (`rate_units`), an argument is not allowed, or all rate
        units, or all neurons, are silent in all calibration trials.
    """
    method = Calibrated() if method is None else method
    if not isinstance(method, Method):
        raise TypeError(
            f"method is {method!r}; it must be OneFactor(...), Calibrated(...) or FineTuned(...)."
        )
    if not isinstance(neuron, Target | None):
        raise TypeError(
            f"neuron is {neuron!r}; it must be CurrentLIF(...), ConductanceLIF(...) or "
            "QuadraticIzhikevich(...)."
        )
    check_whole("per_unit", per_unit)
    check_whole("seed", seed, least=0)
    units = rate_units(network)
    trials = _calibration_trials(network, task, inputs, method.trials, seed)
    inputs = checked(inputs if trials is None else trials.inputs, network.inputs)
    if isinstance(method, OneFactor):
        if neuron is not None or per_unit != 1:
            raise ValueError("OneFactor makes one neuron of the paper's of each unit: per_unit=1.")
        return one_factor(units, method, inputs, trials, task, dt, seed, CALIBRATION)
    dt, target = _step(units, dt), CurrentLIF() if neuron is None else neuron
    drive, rates, wanted = units.trajectories(inputs)
    hertz = method.rate or (ALONE if per_unit == 1 else TOGETHER)
    busy = np.abs(rates).mean(axis=(0, 1))

    def noise(scale: np.ndarray) -> np.ndarray:
        """Of the drives, if units fired like Poisson processes."""
        tau = units.tau[:, None] if units.form == "x" else units.tau
        return np.sqrt((units.w**2 / tau) @ (500 * busy / scale))

    curves = fit_curves(units.f, drive, rates, target, dt, per_unit, hertz, noise)
    response = units.f
    if isinstance(method, FineTuned):
        student = tuned(network, curves, target.curve(dt), method, inputs, drive, seed)
        units = replace(rate_units(student), activation=units.activation)
        response = student.cells[0].activation.quiet

    def made_of(curves: UnitCurves) -> Converted:
        wired = wire(units, curves, target, dt, inputs, delay=method.delay, seed=seed)
        return Converted(
            wired.network,
            units.units,
            curves.signs,
            curves.scale,
            curves.rest,
            wired.input_weights,
            Readout(np.zeros_like(units.w_out), units.b_out, 10.0, 0.0),
            dt,
            units.dt,
            method.name,
            target.name,
            units.softmax,
            tuple(_notes(units, method)),
            {"method": method, "neuron": target, "dt": dt, "seed": seed},
        )

    for _ in range(method.trims):
        spikes = made_of(curves).simulate(inputs, first=CALIBRATION).spikes[POPULATION]
        curves = trimmed(units, curves, spikes, inputs, response)
    made = made_of(curves)
    spikes = made.simulate(inputs, first=CALIBRATION).spikes[POPULATION]
    if not len(spikes):
        raise ValueError(
            "no neuron fires in any calibration trial; the rate units are then of a kind, or the "
            f"rate asked for, {hertz:g} Hz, too low, that these neurons cannot follow."
        )
    return replace(made, readout=fit_readout(spikes, curves.signs, curves.scale, units.dt, wanted))


def _calibration_trials(
    network: RateNetwork, task: Task | None, inputs: np.ndarray | None, trials: int, seed: int
) -> Trials | None:
    if (task is None) == (inputs is None):
        raise ValueError("task and inputs: give one of them, to calibrate on.")
    if task is None:
        return None
    check_task(network, task)
    return task.generate(stream(seed, "calibration trials"), trials, **task.validation)


def check_task(network: RateNetwork, task: Task) -> None:
    """Refuse a task that the network does not fit."""
    if (task.inputs, task.outputs, task.dt) != (network.inputs, network.outputs, network.dt):
        raise ValueError(
            f"the task {task.name} has {task.inputs} inputs, {task.outputs} outputs and a dt of "
            f"{task.dt:g} ms; the network has {network.inputs}, {network.outputs} and "
            f"{network.dt:g} ms."
        )


def _step(units: RateUnits, dt: float | None) -> float:
    """The engine's step, of which the rate network's is a multiple."""
    if dt is None:
        return units.dt / np.ceil(units.dt / COARSEST - 1e-9)
    check_number("dt", dt, above=0, unit="ms")
    if abs(units.dt / dt - max(round(units.dt / dt), 1)) > 1e-6:
        raise ValueError(
            f"dt is {dt:g} ms; a whole number of steps must make {units.dt:g} ms, the rate "
            "network's."
        )
    return dt


def _notes(units: RateUnits, method: Calibrated | FineTuned) -> list[str]:
    """What became of parts of the rate network."""
    shorter = f"{units.tau.min():.3g}" + (
        f" to {units.tau.max():.3g}" if np.ptp(units.tau) > 1e-3 else ""
    )
    where = "that a unit receives" if units.form == "x" else "that a unit sends"
    told = [
        f"currents {where} decay with {shorter} ms, as its rate does in steps of {units.dt:g} ms"
    ]
    if units.noise:
        told.append(
            f"the noise of the rate units, of standard deviation {units.noise:g}, is left out: the "
            "neurons' spikes make their own"
        )
    return told
