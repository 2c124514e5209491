"""A rate network trained once more, with its neurons' curve and the noise of their spikes."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from scipy.ndimage import gaussian_filter1d

from spikesim.conversion.leaky.curves import UnitCurves
from spikesim.conversion.leaky.methods import FineTuned
from spikesim.conversion.leaky.targets import Curve
from spikesim.kernels.cache import kernel
from spikesim.random import stream
from spikesim.rate.activations import Table
from spikesim.rate.network import RateNetwork
from spikesim.rate.optimizers import Adam, clip_norm

POINTS = 2048  # of the curve's table
SMOOTH = 0.04  # of the curve's range: what synaptic noise blurs it by
CLIP = 1.0
REGULAR = 5.0  # spikes of the neurons are this much more regular than a Poisson process


@kernel
def looked_up(x, low, per_x, tables, out):
    """For unit i, linear between the points of ``tables[i]``, constant beyond its ends."""
    last = tables.shape[1] - 2
    for n in range(x.shape[0]):
        for i in range(x.shape[1]):
            place = (x[n, i] - low) * per_x
            k = min(max(int(place), 0), last)
            part = min(max(place - k, np.float32(0)), np.float32(1))
            out[n, i] = tables[i, k] + part * (tables[i, k + 1] - tables[i, k])


class SpikingCurves(Table):
    """A fine table for each unit, of which values have the noise of spikes."""

    name = "spikes"

    def __init__(
        self, x: np.ndarray, y: np.ndarray, noise: np.ndarray, rng: np.random.Generator
    ) -> None:
        super().__init__(x, y[0])
        more = {
            "values": y.astype(np.float32),
            "slopes": np.gradient(y, x, axis=1).astype(np.float32),
            "low": np.float32(x[0]),
            "per_x": np.float32(1 / (x[1] - x[0])),
            "noise": noise.astype(np.float32),
            "rng": rng,
        }
        for name, value in more.items():
            object.__setattr__(self, name, value)  # the table is frozen

    def value(self, x: np.ndarray, out: np.ndarray) -> None:
        self._look_up(x, self.values, out)
        noise = self.rng.standard_normal(x.shape, np.float32)
        noise *= np.sqrt(np.abs(out))
        noise *= self.noise
        out += noise

    def quiet(self, x: np.ndarray) -> np.ndarray:
        """Values without noise."""
        out = np.empty(x.shape, np.float32)
        self._look_up(np.ascontiguousarray(x, np.float32), self.values, out)
        return out

    def slope(self, y: np.ndarray, x: np.ndarray, out: np.ndarray) -> None:
        self._look_up(x, self.slopes, out)

    def _look_up(self, x: np.ndarray, tables: np.ndarray, out: np.ndarray) -> None:
        units = x.shape[-1]
        looked_up(x.reshape(-1, units), self.low, self.per_x, tables, out.reshape(-1, units))


def tuned(
    network: RateNetwork,
    curves: UnitCurves,
    neuron: Curve,
    method: FineTuned,
    inputs: np.ndarray,
    drive: np.ndarray,
    seed: int,
) -> RateNetwork:
    """A copy of the network, retrained to do with the curve what it did with its activation.

    Parameters
    ----------
    inputs : array (time, trials, inputs)
        Trials to follow itself on.
    drive : array
        What drove its activation in them, for the range of the table.
    """
    low, high = drive.min(), drive.max()
    pad = 0.5 * (high - low)
    x = np.linspace(low - pad, high + pad, POINTS)
    y = curves.rates(np.tile(x[:, None], drive.shape[-1]), neuron)
    y = gaussian_filter1d(y, SMOOTH * (high - low) / (x[1] - x[0]), axis=0, mode="nearest").T
    noise = np.sqrt(1000 / (curves.scale * network.dt * REGULAR))
    activation = SpikingCurves(x, y, noise, stream(seed, "noise of fine-tuning"))
    student, rng = _student(network, activation), stream(seed, "fine-tuning")
    optimizer = Adam(method.learning_rate)
    memory = optimizer.start(student.parameters)
    for _ in range(method.updates):
        chosen = rng.integers(inputs.shape[1], size=method.batch)
        given = np.ascontiguousarray(inputs[:, chosen], network.dtype)
        wanted, wanted_rates = network.forward(given).copy(), network.rates[0].copy()
        outputs = student.forward(given)
        rates = student.rates[0]
        gradients = student.backward(
            _slope(outputs, wanted, 1.0), [_slope(rates, wanted_rates, method.follow)]
        )
        clip_norm(gradients, CLIP)
        optimizer.update(memory, student.parameters, gradients, student.frozen)
        student.constrain()
    return student


def _slope(found: np.ndarray, wanted: np.ndarray, strength: float) -> np.ndarray:
    """Derivative of the mean squared error over the variance of what is wanted."""
    variance = max(float(wanted.var(axis=(0, 1)).mean()), 1e-9)
    return (found - wanted) * (2 * strength / (found.size * variance))


def _student(network: RateNetwork, activation: SpikingCurves) -> RateNetwork:
    """A copy with another activation, of which signs, zeros and time constants stay."""
    cell = network.cells[0]
    student = RateNetwork(
        [replace(cell, activation=activation)],
        network.inputs,
        network.outputs,
        network.dt,
        seed=network.seed,
        dtype=network.dtype,
        readout=network.readout,
        readout_from=network.readout_from,
        readout_tau=network.readout_tau,
    )
    for name, value in network.parameters.items():
        student.parameters[name][...] = value
    student.masks = dict(network.masks)
    if "0.w_rec" in student.parameters:
        student.masks["0.w_rec"] = (network.parameters["0.w_rec"] != 0).astype(network.dtype)
    student.frozen = {f"0.{cell.form}0", "0.log_tau"} & student.parameters.keys()
    return student
