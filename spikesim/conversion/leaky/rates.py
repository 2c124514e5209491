"""A network of leaky rate units as its conversion sees it: in continuous time, of one matrix."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from spikesim.rate.activations import Activation
from spikesim.rate.cells.dale import DaleRNN
from spikesim.rate.cells.leaky import LeakyRNN
from spikesim.rate.cells.low_rank import LowRankRNN
from spikesim.rate.network import RateNetwork

GATED = ("LSTM", "GRU", "SubLSTM")
SPIKING = ("SNU", "LIFCell", "ALIFCell")
STEPWISE = ("FeedForward", "McCullochPitts")


@dataclass(frozen=True, eq=False)
class RateUnits:
    """Leaky units and their readout.

    In the x-form tau dx/dt = -x + w r + w_in u + b, r = f(x); in the r-form
    tau dr/dt = -r + f(y), y = w r + w_in u + b. The outputs are w_out r + b_out, low-pass filtered
    if the network has a ``readout_tau``.

    Parameters
    ----------
    form : "x" or "r"
    tau : array (units,)
        Time constants of which each Euler step is the exact one, -dt / ln(1 - dt / tau) of those of
        the network: a unit of 100 ms at a dt of 20 ms decays as one of 89.6 ms does.
    w, w_in, b : array
        (units, units), (units, inputs) and (units,), signs included.
    start : array (units,)
        State before the first step.
    w_out, b_out : array
    activation : activation
    signs : array (units,) or None
        1 and -1 of units that excite and inhibit, if they do so by Dale's principle.
    dt : float
        ms, of the rate network.
    noise : float
        Its standard deviation, of the current.
    readout_tau : float or None
    softmax : bool
    """

    form: str
    tau: np.ndarray
    w: np.ndarray
    w_in: np.ndarray
    b: np.ndarray
    start: np.ndarray
    w_out: np.ndarray
    b_out: np.ndarray
    activation: Activation
    signs: np.ndarray | None
    dt: float
    noise: float
    readout_tau: float | None
    softmax: bool

    @property
    def units(self) -> int:
        return len(self.b)

    def f(self, x: np.ndarray) -> np.ndarray:
        """The activation."""
        y = np.empty_like(x)
        self.activation.value(np.ascontiguousarray(x), y)
        return y

    def trajectories(
        self,
        inputs: np.ndarray,
        silent: np.ndarray | None = None,
        rest: np.ndarray | float = 0.0,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """What drives f, the rates and the outputs without noise, each (time, trials, ...).

        The steps are those of the rate network; what drives f is x, or in the r-form y. In each
        trial a unit can be ``silent`` (trials,): its rate is then ``rest``, of all units or each.
        """
        keep = np.exp(-self.dt / self.tau)
        external = inputs @ self.w_in.T + self.b
        drive, rates = np.empty((2, *external.shape))
        state = np.tile(self.start, (external.shape[1], 1))
        r = self.f(state) if self.form == "x" else state
        off = () if silent is None else (np.arange(len(silent)), silent)
        at_rest = 0.0 if silent is None else np.broadcast_to(rest, self.units)[silent]
        if off:
            r[off] = at_rest
        for t, given in enumerate(external):
            y = given + r @ self.w.T
            if self.form == "x":
                state = keep * state + (1 - keep) * y
                drive[t], r = state, self.f(state)
            else:
                drive[t], r = y, keep * r + (1 - keep) * self.f(y)
            if off:
                r[off] = at_rest
            rates[t] = r
        return drive, rates, self.outputs(rates)

    def outputs(self, rates: np.ndarray) -> np.ndarray:
        """Outputs (time, trials, outputs) of rates; before the softmax, if there is one."""
        z = rates @ self.w_out.T + self.b_out
        if self.readout_tau is not None:
            keep = np.exp(-self.dt / self.readout_tau)
            z *= 1 - keep
            for before, now in zip(z[:-1], z[1:], strict=True):
                now += keep * before
        return z


def rate_units(network: RateNetwork) -> RateUnits:
    """The leaky units of a trained network.

    Raises
    ------
    ValueError
        If a cell is not of a kind that converts so, with what to do instead; if there are several;
        if weights are not finite or break Dale's principle; if a time constant is dt, so that a
        unit is a map rather than leaky.
    """
    cell = _leaky_cell(network)
    p = {name: value.astype(float) for name, value in network.parameters.items()}
    for name, value in p.items():
        if not np.isfinite(value).all():
            bad = np.argwhere(~np.isfinite(value))[0].tolist()
            raise ValueError(f"{name} is {value[tuple(bad)]} at {bad}; all of it must be finite.")
    signs = None
    if isinstance(cell, LowRankRNN):
        w = p["0.m"] @ p["0.n"].T / cell.units
    else:
        w = p["0.w_rec"]
        if isinstance(cell, DaleRNN):
            signs = cell.signs
            if (w < 0).any():
                to, source = np.argwhere(w < 0)[0].tolist()
                raise ValueError(
                    f"0.w_rec is {w[to, source]:g} from unit {source} to unit {to}; weights of a "
                    "DaleRNN must be 0 or more, their sign is that of the unit they come from."
                )
            w = w * signs
    tau = np.exp(p["0.log_tau"]) if cell.train_tau else np.broadcast_to(cell.tau, cell.units)
    if (tau <= network.dt * (1 + 1e-6)).any():
        raise ValueError(
            f"tau of unit {np.argmin(tau)} is {tau.min():g} ms and dt {network.dt:g} ms: such a "
            "unit forgets all in a step; its network is a map, which converts step by step: see "
            "convert_layers."
        )
    return RateUnits(
        cell.form,
        -network.dt / np.log1p(-network.dt / tau),
        w,
        p["0.w_in"],
        p["0.b"],
        p[f"0.{cell.form}0"],
        p["out.w"],
        p["out.b"],
        cell.activation,
        signs,
        network.dt,
        cell.noise,
        network.readout_tau,
        network.readout == "softmax",
    )


def _leaky_cell(network: RateNetwork) -> LeakyRNN | DaleRNN | LowRankRNN:
    for cell in network.cells:
        kind = type(cell).__name__
        if kind in GATED:
            raise ValueError(
                f"the network has a cell of kind {kind}: its gates multiply rates, which synapses "
                "do not, so there is no conversion of it; train a LeakyRNN or a DaleRNN on the "
                "task."
            )
        if kind in SPIKING:
            raise ValueError(
                f"the network has a cell of kind {kind}, which spikes already; it converts spike "
                "for spike: see step_network."
            )
        if kind in STEPWISE:
            raise ValueError(
                f"the network has a cell of kind {kind}, which has no time constant; it converts "
                "layer by layer: see convert_layers."
            )
        if not isinstance(cell, LeakyRNN | DaleRNN | LowRankRNN):
            raise ValueError(f"the network has a cell of kind {kind}, which does not convert.")
    if len(network.cells) > 1:
        raise ValueError(
            f"the network has {len(network.cells)} leaky cells in series; one converts: train the "
            "task with one, or convert each by itself."
        )
    return network.cells[0]
