"""What was recorded beside spikes, as arrays: samples of neurons, averages over them, and rates.

Of many trials, by `simulate_trials`, the values have an axis of trials in front.
"""

from dataclasses import dataclass

import numpy as np

from spikesim.display import span


@dataclass(frozen=True, eq=False)
class Samples:
    """What a `Trace` gave: ``values[k, n]`` at ``times[k]`` (ms) of neuron ``neurons[n]``."""

    times: np.ndarray
    neurons: np.ndarray
    values: np.ndarray
    unit: str

    def __repr__(self) -> str:
        when = f"{self.times.size:,} samples of {self.neurons.size:,} neurons"
        return f"<Samples: {when}, {span(self.times)} ms; {span(self.values)} {self.unit}>"


@dataclass(frozen=True, eq=False)
class Averages:
    """What a `Mean` or `LFP` gave: ``values[k]`` at ``times[k]`` (ms)."""

    times: np.ndarray
    values: np.ndarray
    unit: str

    def __repr__(self) -> str:
        when = f"{self.times.size:,} samples, {span(self.times)} ms"
        return f"<Averages: {when}; {span(self.values)} {self.unit}>"


@dataclass(frozen=True, eq=False)
class BinnedRate:
    """``rates[k]`` (Hz) in the bin that ends at ``times[k]`` (ms)."""

    times: np.ndarray
    rates: np.ndarray

    def __repr__(self) -> str:
        when = f"{self.times.size:,} bins that end at {span(self.times)} ms"
        return f"<BinnedRate: {when}; {span(self.rates)} Hz>"
