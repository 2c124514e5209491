"""What a run of spiking layers gave beside what the rate network gives."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class LayersReport:
    """How faithful a run of spiking layers was, and what it took.

    Compared is with the rate network in double precision, whatever its own.

    Attributes
    ----------
    windows : int
        Inputs that were shown, steps times trials of the rate network.
    steps : int
        Of a window.
    latency : float
        From the beginning of an input to the end of its output, ms.
    differ : tuple of float
        Of each layer, the share of rates that are not those of the rate network: off by more than
        half of what one spike stands for.
    agreement : float
        Share of inputs for which the largest output is the same; NaN if there is one output.
    output_error : float
        Root mean square of the outputs' difference, over the standard deviation of the outputs.
    spikes : tuple of float
        Of each layer, mean number of spikes of a neuron in a window.
    events : float
        Spikes that arrive at synapses, those of inputs included, for one input shown.
    margin : float
        Of quantised and threshold units, how close one comes to another count, in spikes; below
        about 1e-9 rounding decides, unless weights are whole. Infinite if there are none.
    """

    windows: int
    steps: int
    latency: float
    differ: tuple[float, ...]
    agreement: float
    output_error: float
    spikes: tuple[float, ...]
    events: float
    margin: float

    def __str__(self) -> str:
        differ = ", ".join(f"{100 * share:.3g} %" for share in self.differ)
        spikes = ", ".join(f"{mean:.3g}" for mean in self.spikes)
        lines = [
            f"{self.windows:,} inputs of {self.steps} steps, {self.latency:g} ms to the output",
            f"rates that differ, by layer: {differ}",
            f"error of the outputs: {self.output_error:.3g} of their standard deviation",
            f"spikes of a neuron for an input, by layer: {spikes}",
            f"synaptic events for an input: {self.events:,.0f}",
        ]
        if np.isfinite(self.agreement):
            lines.insert(2, f"largest output the same: {100 * self.agreement:.2f} %")
        if np.isfinite(self.margin):
            lines.append(f"closest to another count: {self.margin:.2g} spikes")
        return "\n".join(lines)


def differing(found: np.ndarray, expected: np.ndarray, one: float) -> float:
    """Share of rates that are off by more than half of what one spike stands for."""
    return float(np.mean(np.abs(found - expected) > 0.5 * one))


def same_choice(found: np.ndarray, expected: np.ndarray) -> float:
    """Share of cases with the same largest output."""
    if found.shape[-1] < 2:
        return float("nan")
    return float(np.mean(found.argmax(axis=-1) == expected.argmax(axis=-1)))


def relative_error(found: np.ndarray, expected: np.ndarray) -> float:
    """Root mean square of the difference, over the standard deviation of what is expected."""
    error = float(np.sqrt(np.mean((found - expected) ** 2)))
    spread = float(expected.std())
    return error / spread if spread else (np.inf if error else 0.0)
