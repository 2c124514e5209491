"""A rate network as stages: matrices, activation and highest rate of each layer, in double."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from spikesim.checks import warn
from spikesim.rate.activations import Activation, Quantised, Rectified, named
from spikesim.rate.cells.contract import Cell
from spikesim.rate.cells.dale import DaleRNN
from spikesim.rate.cells.feed_forward import FeedForward
from spikesim.rate.cells.leaky import LeakyRNN
from spikesim.rate.cells.mcculloch_pitts import McCullochPitts
from spikesim.rate.network import RateNetwork


@dataclass(frozen=True, eq=False)
class Stage:
    """One layer: y_t = f(w_in x_t + w_rec y_(t-1) + b), or 1 where w_in x_t >= threshold.

    Without ``w_rec`` it has no memory; without ``activation`` it is of threshold units.
    """

    told: str
    w_in: np.ndarray
    b: np.ndarray
    activation: Activation | None
    cap: float  # the highest rate; 0 while it is not known
    w_rec: np.ndarray | None = None
    start: np.ndarray | None = None  # y before the first step
    threshold: np.ndarray | None = None

    @property
    def units(self) -> int:
        return len(self.w_in)

    def rates(self, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Rates (time, trials, units) of inputs, and what they are of: sums without thresholds."""
        p = x @ self.w_in.T + self.b
        if self.activation is None:
            p -= self.threshold
            return (p >= 0).astype(float), p
        y = np.empty_like(p)
        if self.w_rec is None:
            self.activation.value(p, y)
            return y, p
        before = np.broadcast_to(self.start, p.shape[1:])
        for t in range(len(p)):
            p[t] += before @ self.w_rec.T
            self.activation.value(p[t], y[t])
            before = y[t]
        return y, p


def stages_of(network: RateNetwork) -> list[Stage]:
    """The layers of a network, from the first to the last.

    Raises
    ------
    ValueError
        If a cell does not convert in this way; the sentence says why and what to do.
    """
    stages: list[Stage] = []
    for i, cell in enumerate(network.cells):
        p = {
            name.split(".")[1]: array.astype(float)
            for name, array in network.parameters.items()
            if name.startswith(f"{i}.")
        }
        stages += _of_cell(f"cell {i}, a {type(cell).__name__}", cell, p, network.dt)
    return stages


def _of_cell(told: str, cell: Cell, p: dict[str, np.ndarray], dt: float) -> list[Stage]:
    if isinstance(cell, FeedForward):
        f = _counted(told, named(cell.activation))
        layers = range(1, len(cell.widths) + 1)
        return [Stage(told, p[f"w{k}"], p[f"b{k}"], f, _cap(f)) for k in layers]
    if isinstance(cell, McCullochPitts):
        b = np.zeros(cell.units)
        return [Stage(told, p["w_in"], b, None, 1.0, threshold=p["threshold"])]
    if isinstance(cell, LeakyRNN | DaleRNN):
        return [_recurrent(told, cell, p, dt)]
    raise ValueError(
        f"{told}: it is neither FeedForward, McCullochPitts, LeakyRNN nor DaleRNN, of which alone "
        "layers that count can be made; train one of these on the same task."
    )


def _recurrent(told: str, cell: LeakyRNN | DaleRNN, p: dict[str, np.ndarray], dt: float) -> Stage:
    f = _counted(told, cell.activation)
    tau = np.exp(p["log_tau"]) if cell.train_tau else np.asarray(cell.tau)
    if np.any(tau > dt * (1 + 1e-6)):
        raise ValueError(
            f"{told}: tau is up to {np.max(tau):g} ms and dt {dt:g} ms; units that count keep "
            "nothing but their counts, so that tau must be dt: train with tau=dt, or convert unit "
            "by unit."
        )
    if cell.noise:
        warn(f"{told}: noise is {cell.noise:g}; the spiking network has none.")
    start = p[f"{cell.form}0"]
    if cell.form == "x":
        f.value(start, start)
    w_rec = p["w_rec"] * cell.signs if isinstance(cell, DaleRNN) else p["w_rec"]
    return Stage(told, p["w_in"], p["b"], f, _cap(f), w_rec, start)


def _counted(told: str, f: Activation) -> Activation:
    if not isinstance(f, Rectified | Quantised):
        raise ValueError(
            f"{told}: its activation is {f.name!r}; counts of spikes can be that of 'rectified' or "
            "Quantised units alone."
        )
    return f


def _cap(f: Activation) -> float:
    return f.cap if isinstance(f, Quantised) else 0.0


def calibrated(stages: Sequence[Stage], x: np.ndarray, percentile: float) -> list[Stage]:
    """Stages with a highest rate, of rectified units by a percentile of the rates of the layer."""
    done = []
    for stage in stages:
        y, _ = stage.rates(x)
        if stage.cap == 0:
            cap = float(np.percentile(y, percentile)) or float(y.max()) or 1.0
            stage = replace(stage, cap=cap)
        done.append(stage)
        x = y
    return done
