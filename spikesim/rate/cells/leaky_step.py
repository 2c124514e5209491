"""The step of leaky units, its adjoint and its derivative.

All leaky cells take the same step and differ in what stands for the recurrent weights: `LeakyCell`
is told by which matrices to multiply.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from spikesim.rate.activations import Activation
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import StepByStep, on_diagonal
from spikesim.rate.losses import vanishing
from spikesim.rate.workspace import Workspace

Product = Callable[[np.ndarray, np.ndarray], Any]


class LeakyCell(StepByStep):
    """What leaky cells share: all but the recurrent weights.

    A cell says by which matrices rates are multiplied, one after the other, on the way forward
    (`_onward`) and errors on the way back (`_back`), and adds the gradients of the recurrent
    weights (`_add_recurrent`).
    """

    units: int
    tau: float | np.ndarray
    form: str
    activation: Activation
    noise: float
    noise_tau: float | None
    train_tau: bool
    tau_range: tuple[float, float] | None

    def __eq__(self, other: object) -> bool:
        return type(self) is type(other) and all(
            np.array_equal(getattr(self, f.name), getattr(other, f.name)) for f in fields(self)
        )

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """Rates r or currents x, by the form."""
        return {self.form: (self.units,)}

    def check(self, inputs: int, dt: float) -> None:
        """Refuse time constants below dt."""
        if np.min(self.tau) < dt:
            raise ValueError(
                f"{type(self).__name__}: tau is {np.min(self.tau):g} ms and dt {dt:g} ms; tau must "
                "be at least dt."
            )

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
        """Add to the gradients; dy becomes the derivative by the state of each step."""
        back = _product(workspace, x, *self._back(parameters))
        dp, r = _backward(self, parameters, x, dy, workspace, gradients, dx, back)
        self._add_recurrent(parameters, dp, r, workspace, gradients)

    def vanishing(
        self,
        parameters: Arrays,
        dy: np.ndarray,
        strength: float,
        workspace: Workspace,
        gradients: Arrays,
    ) -> float:
        """After `backward`: `spikesim.rate.losses.vanishing`, added to the recurrent gradients."""
        loss, dp, r = _vanishing(self, dy, strength, workspace, *self._back(parameters))
        self._add_recurrent(parameters, dp, r, workspace, gradients)
        return loss

    def constrain(self, parameters: Arrays, dt: float) -> None:
        """Put back dt where a tau is shorter, and the ends of ``tau_range`` where it is beyond."""
        if self.train_tau:
            least, most = self.tau_range or (dt, np.inf)
            log_tau = parameters["log_tau"]
            np.clip(log_tau, np.log(max(least, dt)), np.log(most), out=log_tau)

    def _before(self, parameters: Arrays) -> Arrays:
        return {self.form: parameters[f"{self.form}0"]}

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        product = _product(workspace, x, *self._onward(parameters))
        return _forward(self, parameters, x, state[self.form], dt, rng, workspace, product)

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        return {self.form: workspace[self.form][1]}

    def _derivative(
        self, parameters: Arrays, state: Arrays, dt: float, workspace: Workspace
    ) -> np.ndarray:
        first, *more = self._back(parameters)
        w = np.matmul(first, *more) if more else first
        a, slope = workspace["a"], np.empty_like(workspace["a"])
        if self.form == "r":
            self.activation.slope(workspace["f"][0], workspace["pre"][0], slope)
            through = (a * slope)[:, :, None] * w
        else:
            self.activation.slope(workspace["r"][0], workspace["x"][0], slope)
            through = a[:, :, None] * w * slope[:, None, :]
        return through + on_diagonal(workspace["keep"])


def _product(workspace: Workspace, x: np.ndarray, *matrices: np.ndarray) -> Product:
    """A function (r, out) that writes r times one matrix, or times two in turn, into out."""
    # Transposed views would do, but cost up to 1.6 times as much in each step's product.
    laid = [workspace.room(f"matrix{i}", matrix.shape) for i, matrix in enumerate(matrices)]
    for array, matrix in zip(laid, matrices, strict=True):
        np.copyto(array, matrix)
    if len(laid) == 1:
        return lambda r, out: np.matmul(r, laid[0], out)
    first, second = laid
    between = workspace.room("between", (x.shape[1], first.shape[1]))
    return lambda r, out: np.matmul(np.matmul(r, first, between), second, out)


def _forward(
    cell: LeakyCell,
    p: Arrays,
    x: np.ndarray,
    first: np.ndarray,
    dt: float,
    rng: np.random.Generator | None,
    workspace: Workspace,
    product: Product,
) -> np.ndarray:
    steps, trials, inputs = x.shape
    shape, one = (steps, trials, cell.units), (trials, cell.units)
    a, keep, part = (workspace.room(name, one) for name in ("a", "keep", "part"))
    a[...] = _a(cell, p, dt)
    np.subtract(1, a, out=keep)
    pre = workspace.room("pre", shape)
    np.matmul(x.reshape(-1, inputs), p["w_in"].T, out=pre.reshape(-1, cell.units))
    pre += p["b"]
    if cell.noise:
        _add_noise(cell, a, dt, rng, pre, workspace)
    r = workspace.room("r", (steps + 1, *one))
    value, add, multiply = cell.activation.value, np.add, np.multiply
    if cell.form == "r":
        f = workspace.room("f", shape)
        r[0] = first
        for pre_t, f_t, before, now in zip(pre, f, r[:-1], r[1:], strict=True):
            product(before, part)
            add(pre_t, part, pre_t)
            value(pre_t, f_t)
            multiply(a, f_t, part)
            multiply(keep, before, now)
            add(now, part, now)
    else:
        state = workspace.room("x", (steps + 1, *one))
        state[0] = first
        value(state[0], r[0])
        for pre_t, r_before, r_now, before, now in zip(
            pre, r[:-1], r[1:], state[:-1], state[1:], strict=True
        ):
            product(r_before, part)
            add(pre_t, part, pre_t)
            multiply(a, pre_t, part)
            multiply(keep, before, now)
            add(now, part, now)
            value(now, r_now)
    return r[1:]


def _backward(
    cell: LeakyCell,
    p: Arrays,
    x: np.ndarray,
    d: np.ndarray,
    workspace: Workspace,
    gradients: Arrays,
    dx: np.ndarray | None,
    back: Product,
) -> tuple[np.ndarray, np.ndarray]:
    """Add to all gradients but those of the recurrent weights.

    d, given as the derivative by the rates, becomes that by the state, r or x, through all later
    steps. Returned are the derivative by p of each step and the rates before it, of which the
    recurrent gradient is the product.
    """
    steps, trials, units = d.shape
    a, keep, part, r = (workspace[name] for name in ("a", "keep", "part", "r"))
    dp = workspace.room("dp", d.shape)
    start = workspace.zeros("start", (trials, units))
    earlier = [*d[-2::-1], start]
    slope, add, multiply = cell.activation.slope, np.add, np.multiply
    if cell.form == "r":
        slope(workspace["f"], workspace["pre"], dp)
        dp *= a
        for dp_t, d_t, before in zip(dp[::-1], d[::-1], earlier, strict=True):
            multiply(dp_t, d_t, dp_t)
            back(dp_t, part)
            add(before, part, before)
            multiply(keep, d_t, part)
            add(before, part, before)
    else:
        state, slopes = workspace["x"], workspace.room("slopes", r.shape)
        slope(r, state, slopes)
        d[-1] *= slopes[-1]
        for dp_t, d_t, before, slope_t in zip(
            dp[::-1], d[::-1], earlier, slopes[-2::-1], strict=True
        ):
            multiply(a, d_t, dp_t)
            back(dp_t, part)
            add(before, part, before)
            multiply(before, slope_t, before)
            multiply(keep, d_t, part)
            add(before, part, before)
    flat = dp.reshape(-1, units)
    dw_in = workspace.room("dw_in", p["w_in"].shape)
    np.matmul(flat.T, x.reshape(len(flat), -1), out=dw_in)
    gradients["w_in"] += dw_in
    gradients["b"] += flat.sum(axis=0)
    gradients[f"{cell.form}0"] += start.sum(axis=0)
    if dx is not None:
        np.matmul(flat, p["w_in"], out=dx.reshape(len(flat), -1))
    if cell.train_tau:
        _add_tau(cell, r if cell.form == "r" else state, d, dp, workspace, gradients)
    return dp, r[:-1]


def _add_tau(
    cell: LeakyCell,
    state: np.ndarray,
    d: np.ndarray,
    dp: np.ndarray,
    workspace: Workspace,
    gradients: Arrays,
) -> None:
    """d state_t / d a = (state_t - state_(t-1)) / a, and d a / d log_tau = -a.

    So too at tau = dt, below which `constrain` lets none go: were it 0 there, none would come back.
    """
    moved = workspace.room("moved", d.shape)
    np.subtract(state[1:], state[:-1], out=moved)
    change = -np.einsum("tbn,tbn->n", d, moved)
    if cell.noise and cell.noise_tau is None:
        change += np.einsum("tbn,tbn->n", dp, workspace["noise"]) / 2
    gradients["log_tau"] += change


def add_dense(
    cell: LeakyCell,
    gradient: np.ndarray,
    dp: np.ndarray,
    r: np.ndarray,
    workspace: Workspace,
    signs: np.ndarray | None = None,
) -> None:
    """Add the derivative by the recurrent matrix, 0 where it may not change."""
    flat = workspace.room("dw_rec", gradient.shape)
    np.matmul(dp.reshape(-1, cell.units).T, r.reshape(-1, cell.units), out=flat)
    if signs is not None:
        flat *= signs
    if cell.mask is not None:
        flat *= cell.mask
    if cell.fixed is not None:
        flat[cell.fixed != 0] = 0
    gradient += flat


def _vanishing(
    cell: LeakyCell, d: np.ndarray, strength: float, workspace: Workspace, *matrices: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The regulariser, and what stands for dp and r in the gradient of the recurrent weights."""
    steps, trials, units = d.shape
    shape = (steps - 1, trials, units)
    dp, back, kept = (
        workspace["dp"][1:],
        workspace.room("back", shape),
        workspace.room("kept", shape),
    )
    through = dp.reshape(-1, units)
    for matrix in matrices[:-1]:
        through = through @ matrix
    np.matmul(through, matrices[-1], out=back.reshape(-1, units))
    if cell.form == "x":
        slopes = workspace["slopes"][1:-1]
        back *= slopes
    np.multiply(workspace["keep"], d[1:], out=kept)
    back += kept
    loss = vanishing(d[1:], back, strength, back)
    if cell.form == "x":
        back *= slopes
    return loss, dp, back


def _a(cell: LeakyCell, p: Arrays, dt: float) -> float | np.ndarray:
    """dt / tau, at most 1."""
    tau = np.exp(p["log_tau"]) if cell.train_tau else np.asarray(cell.tau)
    return np.minimum(dt / tau, 1)


def _add_noise(
    cell: LeakyCell,
    a: np.ndarray,
    dt: float,
    rng: np.random.Generator | None,
    pre: np.ndarray,
    workspace: Workspace,
) -> None:
    """Add the noise of all steps."""
    noise = workspace.room("noise", pre.shape)
    if rng is None:
        noise.fill(0)
        return
    rng.standard_normal(out=noise, dtype=noise.dtype)
    if cell.noise_tau is None:
        noise *= cell.noise * np.sqrt(2 / a[0])
    else:
        keep = np.exp(-dt / cell.noise_tau)
        noise[0] *= cell.noise
        noise[1:] *= cell.noise * np.sqrt(-np.expm1(-2 * dt / cell.noise_tau))
        part = workspace.room("part", pre.shape[1:])
        for before, now in zip(noise[:-1], noise[1:], strict=True):
            np.multiply(before, keep, out=part)
            np.add(now, part, out=now)
    pre += noise
