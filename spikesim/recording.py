"""What to record beside spikes: small frozen objects, and the arrays they become."""

from dataclasses import dataclass

import numpy as np

from spikesim.inputs import positive_ms
from spikesim.network import Population, View


@dataclass(frozen=True, eq=False)
class Trace:
    """A state variable of some neurons, at the end of every ``every`` ms."""

    neurons: Population | View
    variable: str
    every: float = 1.0

    def __post_init__(self) -> None:
        if not isinstance(self.neurons, Population | View):
            raise TypeError(
                f"Trace: neurons is {self.neurons!r}; it must be a population or a part of one."
            )
        positive_ms("Trace", "every", self.every)


@dataclass(frozen=True, eq=False)
class Rate:
    """A population's mean rate in bins of ``bin`` ms."""

    population: Population
    bin: float = 5.0

    def __post_init__(self) -> None:
        if not isinstance(self.population, Population):
            raise TypeError(f"Rate: population is {self.population!r}; it must be a population.")
        positive_ms("Rate", "bin", self.bin)


@dataclass(frozen=True, eq=False)
class Samples:
    """A recorded variable: ``values[k, n]`` at ``times[k]`` (ms) of neuron ``neurons[n]``."""

    times: np.ndarray
    neurons: np.ndarray
    values: np.ndarray
    unit: str


@dataclass(frozen=True, eq=False)
class BinnedRate:
    """``rates[k]`` (Hz) in the bin that ends at ``times[k]`` (ms)."""

    times: np.ndarray
    rates: np.ndarray
