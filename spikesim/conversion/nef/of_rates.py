"""Trained rate networks as populations that stand for the few dimensions they move in."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from spikesim.checks import check_numbers, check_whole
from spikesim.conversion.nef.ensemble import NEF, ensemble
from spikesim.conversion.nef.system import NEFNetwork, dynamical_system
from spikesim.random import stream
from spikesim.rate.cells.leaky_step import LeakyCell
from spikesim.rate.network import RateNetwork

SPREAD = 0.05  # of the points around the visited ones, as a part of each dimension's radius
MOST_POINTS = 5000
NOISE = 0.03
VARIANCE, MOST_DIMENSIONS = 0.9999, 8
ORDER = 4  # differences between steps from which their slope is taken


def nef_of_rates(
    network: RateNetwork,
    x: np.ndarray,
    settings: NEF | None = None,
    *,
    dimensions: int | None = None,
    seed: int = 0,
) -> NEFNetwork:
    """A spiking population that moves as a leaky rate network does, in its principal components.

    With the currents h = w_rec r + w_in u + b, f the activation and h = mean + U y,

    x-form: y = U^T (h - mean) filtered by tau,  r = f(mean + U y)

    r-form: y = U^T (w_rec r + w_in u + b - mean),  r = f(mean + U y) filtered by tau

    where y, few numbers, is what the population stands for. The filter is that of its synapses:
    -dt / ln(1 - dt / tau), by which as much decays in dt as in an Euler step. Of the network's
    steps the slope is taken that leads through them, so that what they lag by, each rate being held
    for a step, stays; where inputs move y within a step, it does not. Noise is left out: spikes
    make their own.

    Parameters
    ----------
    network : RateNetwork
        One leaky cell with one tau for all units, and a linear readout without a filter.
    x : array (time, trials, inputs)
        Inputs of calibration: they lead through the states that count.
    settings : NEF
        Its tau is replaced. Default: ``NEF(noise=0.03)``, as what decides between states is often
        a small part of the currents.
    dimensions : int
        Default: as many as hold 0.9999 of the variance, at most 8: in more, spikes are noisier
        than what is left out is large.
    seed : int

    Returns
    -------
    NEFNetwork
        Its readout gives the network's outputs, their bias included.

    Raises
    ------
    ValueError
        Another kind of network.
    """
    cell = _leaky(network)
    settings = NEF(noise=NOISE) if settings is None else settings
    if dimensions is not None:
        check_whole("dimensions", dimensions, most=cell.units)
    moves = _Motion(network, cell)
    h = moves.currents(moves.checked(x))
    mean = h.mean(axis=0)
    values, vectors = np.linalg.eigh(np.cov((h - mean).T))
    shares = np.maximum(values[::-1], 0).cumsum() / max(values.sum(), 1e-300)
    count = dimensions or min(int(np.searchsorted(shares, VARIANCE)) + 1, MOST_DIMENSIONS)
    u = vectors[:, ::-1][:, :count]
    y = (h - mean) @ u
    radius = np.maximum(1.2 * np.abs(y).max(axis=0), 1e-9)
    rng = stream(seed, "NEF of rates")
    points = rng.choice(y, min(len(y), MOST_POINTS))
    points = points + SPREAD * radius * rng.standard_normal(points.shape)
    made = ensemble(radius, replace(settings, tau=moves.tau), points=points, seed=seed)

    def rates(y: np.ndarray) -> np.ndarray:
        return moves.f(mean + y @ u.T)

    def step(y: np.ndarray) -> np.ndarray:
        return y + moves.part * ((rates(y) @ moves.w.T + moves.b - mean) @ u - y)

    def change(y: np.ndarray) -> np.ndarray:
        """The slope of what goes through the steps: dt y' = d - d^2 / 2 + d^3 / 3 - ..."""
        went = [y]
        for _ in range(ORDER):
            went.append(step(went[-1]))
        differences, slope = np.array(went), np.zeros_like(y)
        for k in range(1, ORDER + 1):
            differences = np.diff(differences, axis=0)
            slope -= (-1) ** k / k * differences[0]
        return slope / network.dt

    def output(y: np.ndarray) -> np.ndarray:
        return rates(y) @ moves.w_out.T + moves.b_out

    inputs = u.T @ moves.w_in
    own = {"b": inputs / moves.tau}
    start = moves.start
    if cell.form == "r":
        own = {"direct": inputs, "output_tau": moves.tau}
        start = moves.w @ start + moves.b
    start = (start - mean) @ u
    return dynamical_system(change, made, output=output, start=start, orbit=False, seed=seed, **own)


class _Motion:
    """Parameters of a leaky cell and its readout as float64, and their steps."""

    def __init__(self, network: RateNetwork, cell: LeakyCell) -> None:
        p = {name: v.astype(float) for name, v in network.parameters.items()}
        own = {name.removeprefix("0."): v for name, v in p.items()}
        self.cell = cell
        self.w = np.linalg.multi_dot([np.eye(cell.units), *cell._onward(own)]).T
        self.w_in, self.b, self.start = own["w_in"], own["b"], own[f"{cell.form}0"]
        self.w_out, self.b_out = p["out.w"], p["out.b"]
        tau = np.unique(np.exp(own["log_tau"]) if cell.train_tau else cell.tau)
        if tau.size > 1:
            raise ValueError(
                f"network: tau runs from {tau[0]:g} to {tau[-1]:g} ms; NEF takes one for all units,"
                " which becomes that of its synapses."
            )
        self.part = network.dt / tau[0]
        if self.part >= 1:
            raise ValueError(f"network: dt and tau are both {tau[0]:g} ms; tau must be above dt.")
        self.tau = -network.dt / math.log1p(-self.part)

    def f(self, x: np.ndarray) -> np.ndarray:
        out = np.empty_like(x)
        self.cell.activation.value(x, out)
        return out

    def checked(self, x: np.ndarray) -> np.ndarray:
        x = check_numbers("x", x, "an array (time, trials, inputs)", dimensions=(3,))
        if x.shape[2] != self.w_in.shape[1]:
            raise ValueError(f"x has {x.shape[2]} inputs; the network has {self.w_in.shape[1]}.")
        return x

    def currents(self, x: np.ndarray) -> np.ndarray:
        """The currents h of all steps and trials, one behind the other, without noise."""
        state = np.broadcast_to(self.start, (x.shape[1], self.cell.units))
        found = []
        for now in x:
            r = state if self.cell.form == "r" else self.f(state)
            h = r @ self.w.T + now @ self.w_in.T + self.b
            to = self.f(h) if self.cell.form == "r" else h
            state = (1 - self.part) * state + self.part * to
            found.append(h if self.cell.form == "r" else state)
        return np.concatenate(found)


def _leaky(network: RateNetwork) -> LeakyCell:
    """The only cell of a network that can be converted."""
    if not isinstance(network, RateNetwork):
        raise TypeError(f"network is {network!r}; it must be a RateNetwork.")
    kinds = ", ".join(type(cell).__name__ for cell in network.cells)
    if len(network.cells) > 1 or not isinstance(network.cells[0], LeakyCell):
        raise ValueError(
            f"network has {kinds}; NEF takes one leaky cell (LeakyRNN, DaleRNN or LowRankRNN)."
        )
    if network.readout_tau is not None or network.readout != "linear":
        raise ValueError(
            f"network: readout is {network.readout!r} and readout_tau {network.readout_tau!r}; NEF "
            "takes a linear readout without a filter."
        )
    return network.cells[0]
