"""A linear readout with bias of filtered spikes, fitted to what a rate network answers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.signal import lfilter

from spikesim.conversion.leaky.kernels_readout import add_filtered, count_filtered
from spikesim.data.aligned import AlignedTrains

TAUS = (5.0, 10.0, 20.0, 35.0, 60.0)  # ms
FILTER = 30.0  # ms, by which rates and spikes of units are compared
PENALTIES = (1e-6, 1e-5, 1e-4, 1e-3, 1e-2)


@dataclass(frozen=True, eq=False)
class Readout:
    """Outputs z(t) = weights y(t) + bias, tau dy/dt = -y + h, tau_rise dh/dt = -h + spikes / scale.

    Parameters
    ----------
    weights : array (outputs, units)
    bias : array (outputs,)
    tau : float or array (units,)
        ms.
    penalty : float
        Of the ridge regression that made it, in units of the mean variance of y; 0 if none did.
    tau_rise : float
        ms; 0 lets y rise at once.
    """

    weights: np.ndarray
    bias: np.ndarray
    tau: float | np.ndarray
    penalty: float
    tau_rise: float = 0.0


def filtered(
    spikes: AlignedTrains, signs: np.ndarray, scale: np.ndarray, step: float, tau: float
) -> np.ndarray:
    """Rates of units from their neurons' spikes, by an exponential filter.

    Parameters
    ----------
    spikes : AlignedTrains
        Of all neurons, those of a unit together.
    signs : array (neurons of a unit,)
    scale : array (units,)
        Spikes per second that stand for a rate of 1.
    step, tau : float
        Samples are at step, 2 step, ... ms, whichever spikes came up to then.

    Returns
    -------
    array (time, trials, units)
    """
    k = len(signs)
    steps = round(spikes.duration / step)
    y = np.zeros((steps, spikes.n_trials, spikes.size // k))
    each = np.tile(signs, len(scale)) * np.repeat(1000 / (scale * tau), k)
    count_filtered(spikes.times, spikes.neurons, spikes.trials, each, k, step, tau, y)
    return lfilter([1.0], [1.0, -np.exp(-step / tau)], y, axis=0)


def low_passed(x: np.ndarray, step: float, tau: float) -> np.ndarray:
    """Samples every ``step`` ms along the first axis, by an exponential filter of area 1."""
    keep = np.exp(-step / tau)
    return lfilter([1 - keep], [1, -keep], x, axis=0)


def read(
    readout: Readout, spikes: AlignedTrains, signs: np.ndarray, scale: np.ndarray, step: float
) -> np.ndarray:
    """Outputs (time, trials, outputs) of spikes: what is `filtered` is weighted at once."""
    if readout.tau_rise or np.ndim(readout.tau):
        slow = _decayed(readout, spikes, signs, scale, step)
        return slow @ readout.weights.T + readout.bias
    weights = np.kron(readout.weights.T * (1000 / (scale * readout.tau))[:, None], signs[:, None])
    z = np.zeros((round(spikes.duration / step), spikes.n_trials, len(readout.bias)))
    add_filtered(spikes.times, spikes.neurons, spikes.trials, weights, step, readout.tau, z)
    return lfilter([1.0], [1.0, -np.exp(-step / readout.tau)], z, axis=0) + readout.bias


def _decayed(
    readout: Readout, spikes: AlignedTrains, signs: np.ndarray, scale: np.ndarray, step: float
) -> np.ndarray:
    """y (time, trials, units), of time constants that differ or with a rise."""
    tau, rise = np.broadcast_to(readout.tau, scale.shape), readout.tau_rise
    y = np.empty((round(spikes.duration / step), spikes.n_trials, len(scale)))
    for one in np.unique(tau):
        units = np.flatnonzero(tau == one)
        own = units[:, None] * len(signs) + np.arange(len(signs))
        some = spikes.select(own.ravel())
        y[..., units] = one * filtered(some, signs, scale[units], step, one)
        if rise:
            y[..., units] -= rise * filtered(some, signs, scale[units], step, rise)
        y[..., units] /= one - rise
    return y


def fit_readout(
    spikes: AlignedTrains,
    signs: np.ndarray,
    scale: np.ndarray,
    step: float,
    wanted: np.ndarray,
) -> Readout:
    """Fit the readout by ridge regression to outputs (time, trials, outputs).

    The time constant and the penalty are those that do best on a quarter of the trials after a fit
    to the others; then all trials are fitted.
    """
    part = max(1, 3 * spikes.n_trials // 4)
    best: tuple[float, float, float] | None = None
    for candidate in TAUS:
        y = filtered(spikes, signs, scale, step, candidate)
        fit = _Moments(y[:, :part], wanted[:, :part])
        held, truth = (a[:, part:] if part < spikes.n_trials else a for a in (y, wanted))
        for penalty in PENALTIES:
            weights, bias = fit.solved(penalty)
            error = float(np.mean((held @ weights.T + bias - truth) ** 2))
            if best is None or error < best[0]:
                best = error, candidate, penalty
    _, tau, penalty = best
    weights, bias = _Moments(filtered(spikes, signs, scale, step, tau), wanted).solved(penalty)
    return Readout(weights, bias, tau, penalty)


class _Moments:
    """What a ridge regression needs of its data, for any penalty."""

    def __init__(self, y: np.ndarray, wanted: np.ndarray) -> None:
        y, wanted = y.reshape(-1, y.shape[-1]), wanted.reshape(-1, wanted.shape[-1])
        self.mean, self.wanted = y.mean(axis=0), wanted.mean(axis=0)
        y = y - self.mean
        self.covariance = y.T @ y / len(y)
        self.with_wanted = y.T @ (wanted - self.wanted) / len(y)

    def solved(self, penalty: float) -> tuple[np.ndarray, np.ndarray]:
        """Weights and bias."""
        size = len(self.mean)
        ridge = penalty * max(np.trace(self.covariance) / size, 1e-12)
        weights = np.linalg.solve(self.covariance + ridge * np.eye(size), self.with_wanted).T
        return weights, self.wanted - weights @ self.mean
