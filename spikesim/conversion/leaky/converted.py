"""A rate network in spikes: the network, how inputs reach it, and how its spikes are read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from spikesim.conversion.leaky.readout import Readout, read
from spikesim.conversion.leaky.wiring import INPUT, POPULATION
from spikesim.data.aligned import AlignedTrains
from spikesim.description.network import Network
from spikesim.engine.build import Build, build
from spikesim.engine.simulation import Simulation
from spikesim.engine.trials import TrialResult, simulate_trials

PIECE = 100  # trials whose spikes are held at once where only outputs are asked for


@dataclass(frozen=True, eq=False)
class Converted:
    """A spiking network made of a rate network, by `convert`.

    Attributes
    ----------
    network : Network
        One population, "units": neurons of unit i are ``per_unit i`` to ``per_unit (i + 1) - 1``;
        one input, "inputs", which holds an example.
    units : int
        Rate units.
    signs : array (per_unit,)
        Of what each of a unit's neurons stands for.
    scale : array (units,)
        Spikes per second, of all neurons of a unit, that stand for a rate of 1.
    rest : array (units,)
        Rate of a silent unit.
    input_weights : array (neurons, inputs)
    readout : Readout
    dt, rate_dt : float
        Step of the engine and of the rate network, ms.
    method, neuron : str
    softmax : bool
        Whether outputs are meant for a softmax.
    notes : tuple of str
        What became of parts of the rate network, in sentences.
    made_by : mapping or None
        Arguments of `convert` that it was made by; not kept in files.
    """

    network: Network
    units: int
    signs: np.ndarray
    scale: np.ndarray
    rest: np.ndarray
    input_weights: np.ndarray
    readout: Readout
    dt: float
    rate_dt: float
    method: str
    neuron: str
    softmax: bool = False
    notes: tuple[str, ...] = ()
    made_by: Mapping[str, Any] | None = field(default=None, repr=False)

    @cached_property
    def build(self) -> Build:
        """The network wired, for trials side by side."""
        return build(self.network, dt=self.dt, threads=1)

    @property
    def per_unit(self) -> int:
        """Neurons of a unit."""
        return len(self.signs)

    @property
    def neurons(self) -> int:
        return self.units * self.per_unit

    def simulate(
        self,
        inputs: np.ndarray,
        *,
        seed: int | None = None,
        first: int = 0,
        silent: Sequence[Sequence[int]] | None = None,
        threads: int | None = None,
        **options: Any,
    ) -> TrialResult:
        """Spikes in response to inputs (time, trials, inputs), a row for each step of rate_dt.

        Parameters
        ----------
        inputs : array
        seed, first, threads
            As of `simulate_trials`; further ``options`` are handed on to it.
        silent : sequence of sequence of int, optional
            For each trial the units whose neurons reach nobody.

        Raises
        ------
        ValueError
            If inputs have another shape or are not finite.
        """
        inputs = checked(inputs, self.input_weights.shape[1])
        own = np.arange(self.per_unit)

        def prepare(simulation: Simulation, trial: int) -> None:
            for unit in silent[trial]:
                simulation.silence(POPULATION, unit * self.per_unit + own)

        result = simulate_trials(
            self.build,
            len(inputs) * self.rate_dt,
            inputs.shape[1],
            inputs={INPUT: {"values": lambda trial: inputs[:, trial] @ self.input_weights.T}},
            prepare=None if silent is None else prepare,
            seed=seed,
            first=first,
            threads=threads,
            **options,
        )
        if result.interrupted:  # fewer trials would no longer be those of the inputs
            raise KeyboardInterrupt
        return result

    def at_half_the_step(self) -> Converted:
        """The same network at half the engine's step."""
        at = self.network.inputs[INPUT].receptor
        receptor = self.network.populations[POPULATION].model.receptors[at]
        # What arrives in each step at a receptor that keeps it must be halved as well.
        share = 0.5 if receptor.arrival else 1.0
        return replace(self, dt=self.dt / 2, input_weights=share * self.input_weights)

    def read(self, spikes: AlignedTrains) -> np.ndarray:
        """Outputs (time, trials, outputs) of the population's spikes."""
        return read(self.readout, spikes, self.signs, self.scale, self.rate_dt)

    def run(self, inputs: np.ndarray, **options: Any) -> tuple[np.ndarray, np.ndarray]:
        """Outputs, and the rates of neurons.

        Parameters
        ----------
        inputs : array (time, trials, inputs)
        **options
            As of `simulate`.

        Returns
        -------
        outputs : array (time, trials, outputs)
        rates : array (trials, neurons)
            Hz.
        """
        inputs = checked(inputs, self.input_weights.shape[1])
        first = options.pop("first", 0)
        silent = options.pop("silent", None)
        outputs, rates = [], []
        for begin in range(0, inputs.shape[1], PIECE):
            part = slice(begin, begin + PIECE)
            result = self.simulate(
                inputs[:, part],
                first=first + begin,
                silent=None if silent is None else silent[part],
                **options,
            )
            outputs.append(self.read(result.spikes[POPULATION]))
            rates.append(result.rates[POPULATION])
        return np.concatenate(outputs, axis=1), np.concatenate(rates)

    def __repr__(self) -> str:
        return (
            f"<Converted: {self.units} units by {self.method} into {self.neurons:,} neurons of "
            f"kind {self.neuron}, {self.per_unit} each>"
        )


def checked(inputs: np.ndarray, count: int) -> np.ndarray:
    """Inputs as doubles, after a look at their shape, (time, trials, count), and values."""
    inputs = np.asarray(inputs, float)
    if inputs.ndim != 3 or inputs.shape[2] != count or 0 in inputs.shape:
        raise ValueError(
            f"inputs have shape {inputs.shape}; they must be (time, trials, {count}), and hold "
            "something."
        )
    if not np.isfinite(inputs).all():
        raise ValueError("inputs are not all finite; all of them must be.")
    return inputs
