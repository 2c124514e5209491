"""Readouts inside the network: neurons that never spike and whose current is the output."""

from collections.abc import Mapping

import numpy as np

from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.population import Population
from spikesim.description.receptors import DoubleExponential, Exponential, Receptor
from spikesim.description.rules import AllToAll

NAME, RECEPTOR, OUTPUT = "readout", "spikes", "z"


def synapse(tau_rise: float, tau_decay: float) -> Receptor:
    """A current that rises and decays (ms); with a rise of 0, one that jumps and decays."""
    return DoubleExponential(tau_rise, tau_decay) if tau_rise else Exponential(tau_decay)


def peak(tau_rise: float, tau_decay: float | np.ndarray) -> float | np.ndarray:
    """Of exp(-t / tau_decay) - exp(-t / tau_rise): a `DoubleExponential` is this, over its peak."""
    ratio = tau_rise / tau_decay
    power = 1 / (1 - ratio)
    return ratio ** (ratio * power) - ratio**power


def weight_per_hz(tau_rise: float, tau_decay: float) -> float:
    """The weight (pA) at which a spike brings 1000 pA ms: a rate of 1 Hz, 1 pA in the mean.

    Of n (exp(-t / tau_decay) - exp(-t / tau_rise)), whose peak is 1, the area is
    n (tau_decay - tau_rise); of exp(-t / tau_decay) it is tau_decay.
    """
    if not tau_rise:
        return 1000 / tau_decay
    return 1000 * peak(tau_rise, tau_decay) / (tau_decay - tau_rise)


def add_readout(
    network: Network,
    source: Population,
    decoders: np.ndarray,
    tau_rise: float,
    tau_decay: float,
    delay: float,
    init: Mapping[str, np.ndarray] | None = None,
    inputs: Mapping[str, Receptor] | None = None,
) -> Population:
    """Add a population "readout" whose variable "z" is decoders times the filtered rates.

    ``decoders`` (outputs, neurons) are per Hz. Its neurons have no potential: they sum currents,
    those of the receptors ``inputs`` too.
    """
    model = NeuronModel(
        equations=f"{OUTPUT} = i_syn : pA",
        threshold="i_syn > 1e300",  # never
        reset="",
        receptors={RECEPTOR: synapse(tau_rise, tau_decay), **(inputs or {})},
        name="readout",
    )
    readout = network.population(NAME, len(decoders), model, init)
    weight = decoders.T * weight_per_hz(tau_rise, tau_decay)
    network.connect(source, readout, AllToAll(), weight=weight, delay=delay, receptor=RECEPTOR)
    return readout
