"""What `LIFCell` and `ALIFCell` share: a membrane, its reset and its refractory time."""

from __future__ import annotations

import math

import numpy as np

from spikesim.checks import check_choice, check_number, check_whole, warn
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import StepByStep
from spikesim.rate.cells.spikes import (
    add_product,
    check_not_below,
    check_surrogate,
    fire,
    rows,
    with_before,
)
from spikesim.rate.surrogates import Surrogate
from spikesim.rate.workspace import Workspace


class MembraneCell(StepByStep):
    """Leaky integration to a threshold, which may adapt.

    In a workspace ``v`` is the distance to the threshold without adaptation, v - 1, and the reset
    is part of the recurrent matrix: each unit's weight of -1 onto itself.
    """

    units: int
    tau: float
    t_ref: float
    input: str
    detach_reset: bool
    surrogate: Surrogate

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """v, the spikes z, and for how many steps to come a unit is ``refractory``."""
        return dict.fromkeys(("v", "z", "refractory"), (self.units,))

    def check(self, inputs: int, dt: float) -> None:
        check_not_below(self, "tau", dt)
        if self.t_ref > 0 and refractory_steps(self, dt) == 0:
            warn(
                f"{type(self).__name__}: t_ref is {self.t_ref:g} ms, which rounds to no step of "
                f"dt = {dt:g} ms: no unit is ever refractory; t_ref=0 says so."
            )

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        # Of currents of size 1 this brings every third unit above threshold.
        scale = 2 if self.input == "current" else 1
        return {
            "w_in": rng.standard_normal((self.units, inputs)) * scale / math.sqrt(inputs),
            "w_rec": rng.standard_normal((self.units, self.units)) / math.sqrt(self.units),
            "b": np.zeros(self.units),
        }

    def backward(
        self,
        parameters: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        gradients: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        """Add to the gradients; dy becomes the derivative by v, step by step."""
        keep, gain = membrane(self, dt)
        part = workspace.room("part", dy[0].shape)
        slope = workspace.room("slope", dy.shape)
        self._slope(dt, workspace, slope)
        w_rec = parameters["w_rec"] if self.detach_reset else workspace["w_rec"]
        adapts = adaptation(self, dt)
        if adapts:
            forget, beta = adapts[0], adapts[1].astype(dy.dtype)
            dq = workspace.zeros("dq", part.shape)
        for t in reversed(range(len(x))):
            now = dy[t]
            if t + 1 < len(x):
                np.matmul(dy[t + 1], w_rec, out=part)
                now += part
            if adapts:
                np.multiply(dq, beta, out=part)
                now += part
            now *= slope[t]
            if adapts:
                dq *= forget
                dq -= now
            if t + 1 < len(x):
                np.multiply(dy[t + 1], keep, out=part)
                now += part
        gradients["b"] += (1 - keep) * rows(dy).sum(axis=0)
        add_product(gradients["w_in"], dy, x, workspace, gain)
        add_product(gradients["w_rec"], dy, workspace["z"][:-1], workspace)
        if dx is not None:
            np.matmul(rows(dy), workspace["w_in"], out=rows(dx))

    def _slope(self, dt: float, workspace: Workspace, out: np.ndarray) -> None:
        """Of the spikes of the last pass, by v."""
        adapts = adaptation(self, dt)
        self.surrogate.slope(workspace["u"] if adapts else workspace["v"][1:], out)
        if refractory_steps(self, dt):
            out *= workspace["ready"][1:]

    def _before(self, parameters: Arrays) -> Arrays:
        return {name: np.zeros_like(parameters["b"]) for name in self.states}

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        keep, gain = membrane(self, dt)
        refractory = refractory_steps(self, dt)
        v, z = (with_before(workspace, name, x, self.units) for name in ("v", "z"))
        part = workspace.room("part", z[0].shape)
        w_in, w_rec = (workspace.room(n, parameters[n].shape) for n in ("w_in", "w_rec"))
        np.multiply(parameters["w_in"], gain, out=w_in)
        np.copyto(w_rec, parameters["w_rec"])
        w_rec.ravel()[:: self.units + 1] -= 1
        np.matmul(rows(x), w_in.T, out=rows(v[1:]))
        v[1:] += (1 - keep) * (parameters["b"] - 1)
        v[0], z[0] = state["v"] - 1, state["z"]
        if refractory:
            ready = with_before(workspace, "ready", x, self.units)
            # Of units that spiked in the step before, z itself takes it away. Those that spiked
            # earlier are not given back in this run: only single steps begin with such.
            ready[0] = (state["refractory"] == 0) | (state["z"] != 0)
        adapts = adaptation(self, dt)
        if adapts:
            forget, beta = adapts[0], adapts[1].astype(v.dtype)
            u, q = workspace.room("u", z[1:].shape), workspace.room("q", part.shape)
            q[...] = state["q"]
        for t in range(len(x)):
            now, before = v[t + 1], z[t]
            np.matmul(before, w_rec.T, out=part)
            now += part
            np.multiply(v[t], keep, out=part)
            now += part
            if adapts:
                q *= forget
                np.multiply(before, beta, out=part)
                q += part
                now = np.subtract(now, q, out=u[t])
            fire(now, z[t + 1])
            if refractory:
                np.subtract(ready[t], before, out=ready[t + 1])
                if t >= refractory:
                    ready[t + 1] += z[t - refractory]
                z[t + 1] *= ready[t + 1]
        return z[1:]

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        z = workspace["z"][1]
        waiting = np.maximum(state["refractory"] - 1, 0)
        after = {
            "v": workspace["v"][1] + 1,
            "z": z,
            "refractory": np.where(z != 0, refractory_steps(self, dt), waiting).astype(z.dtype),
        }
        return after | ({"q": workspace["q"]} if "q" in self.states else {})

    def _derivative(
        self, parameters: Arrays, state: Arrays, dt: float, workspace: Workspace
    ) -> np.ndarray:
        keep, _ = membrane(self, dt)
        slope = np.empty_like(workspace["z"][1:])
        self._slope(dt, workspace, slope)
        trials, units = slope[0].shape
        places = {name: slice(i * units, (i + 1) * units) for i, name in enumerate(self.states)}
        found = np.zeros((trials, len(places) * units, len(places) * units), slope.dtype)
        found[:, places["v"], places["v"]] = keep * np.eye(units)
        found[:, places["v"], places["z"]] = workspace["w_rec"]
        of_u = found[:, places["v"]].copy()
        if adapts := adaptation(self, dt):
            found[:, places["q"], places["q"]] = adapts[0] * np.eye(units)
            found[:, places["q"], places["z"]] = np.diag(adapts[1])
            of_u -= found[:, places["q"]]
        found[:, places["z"]] = slope[0][..., None] * of_u
        return found

    def _check_settings(self) -> None:
        kind = type(self).__name__
        check_whole(f"{kind}: units", self.units)
        check_number(f"{kind}: tau", self.tau, above=0)
        check_number(f"{kind}: t_ref", self.t_ref, least=0)
        check_surrogate(self)
        check_choice(f"{kind}: input", self.input, ("current", "spikes"))


def membrane(cell: MembraneCell, dt: float) -> tuple[float, float]:
    """What v keeps in a step, a, and the factor of its inputs, c."""
    keep = math.exp(-dt / cell.tau)
    return keep, 1 - keep if cell.input == "current" else 1.0


def refractory_steps(cell: MembraneCell, dt: float) -> int:
    return math.floor(cell.t_ref / dt + 0.5)


def adaptation(cell: MembraneCell, dt: float) -> tuple[float, np.ndarray] | None:
    """What the threshold keeps in a step, r, and beta of each unit; None if there is none."""
    tau = getattr(cell, "tau_adapt", None)
    if tau is None:
        return None
    beta = np.zeros(cell.units)
    beta[: round(cell.adaptive * cell.units)] = cell.beta
    return math.exp(-dt / tau), beta
