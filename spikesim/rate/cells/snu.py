"""Spiking neural unit."""

import math
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_number, check_whole
from spikesim.names import named_options
from spikesim.rate.activations import Sigmoid
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import StepByStep, on_diagonal
from spikesim.rate.cells.spikes import (
    add_product,
    check_not_below,
    check_surrogate,
    fire,
    rows,
    with_before,
)
from spikesim.rate.surrogates import FastSigmoid, Surrogate
from spikesim.rate.workspace import Workspace


@named_options()
@dataclass(frozen=True)
class SNU(StepByStep):
    """Spiking neural unit, and the soft one whose outputs are graded.

    s_t = g(w_in x_t + w_rec y_(t-1) + l s_(t-1) (1 - y_(t-1)))
    y_t = 1 if s_t + b >= 0 else 0; if soft, y_t = 1 / (1 + exp(-(s_t + b)))

    with l = 1 - dt / tau, g(x) = max(x, 0) if ``rectify`` and x if not, and s and y 0 before the
    first step. An output of 1 clears the state; minus b is the threshold. With ``detach_reset``
    the factor (1 - y_(t-1)) is taken as given in the backward pass.

    Parameters
    ----------
    units : int
    tau : float
        Time constant of the state, ms; dt or more.
    soft, rectify, detach_reset : bool
    surrogate : FastSigmoid, Triangle or Gaussian
        Slope of the step function; a soft unit needs none.

    Notes
    -----
    Its parameters are w_in (units, inputs), w_rec (units, units) and b (units,), which starts
    at -1.

    References
    ----------
    Wozniak S, Pantazi A, Bohnstingl T, Eleftheriou E (2020). Deep learning incorporating
    biologically inspired neural dynamics and in-memory computing. Nat Mach Intell 2:325.
    """

    units: int
    tau: float = 20.0
    soft: bool = False
    rectify: bool = True
    detach_reset: bool = False
    surrogate: Surrogate = FastSigmoid()

    def __post_init__(self) -> None:
        check_whole(f"{type(self).__name__}: units", self.units)
        check_number(f"{type(self).__name__}: tau", self.tau, above=0)
        check_surrogate(self)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """The state s and the output y."""
        return {"s": (self.units,), "y": (self.units,)}

    def check(self, inputs: int, dt: float) -> None:
        check_not_below(self, "tau", dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        return {
            "w_in": rng.standard_normal((self.units, inputs)) / math.sqrt(inputs),
            "w_rec": rng.standard_normal((self.units, self.units)) / math.sqrt(self.units),
            "b": np.full(self.units, -1.0),
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
        s, y = workspace["s"], workspace["y"]
        slope = workspace.room("slope", dy.shape)
        self._slope(workspace, slope)
        w_rec, keep = parameters["w_rec"], 1 - dt / self.tau
        ds = workspace.room("ds", dy.shape)  # by what stands inside g
        part, kept = workspace.room("part", dy[0].shape), workspace.zeros("kept", dy[0].shape)
        for t in reversed(range(len(x))):
            s_now, y_now = s[t + 1], y[t + 1]
            if t + 1 < len(x):
                np.matmul(ds[t + 1], w_rec, out=part)
                dy[t] += part
                np.multiply(ds[t + 1], keep, out=kept)
            if not self.detach_reset:
                np.multiply(kept, s_now, out=part)
                dy[t] -= part
            dy[t] *= slope[t]
            np.multiply(kept, y_now, out=part)
            kept -= part
            np.add(kept, dy[t], out=ds[t])
            if self.rectify:
                np.greater(s_now, 0, out=part)
                ds[t] *= part
        gradients["b"] += rows(dy).sum(axis=0)
        add_product(gradients["w_in"], ds, x, workspace)
        add_product(gradients["w_rec"], ds, y[:-1], workspace)
        if dx is not None:
            np.matmul(rows(ds), parameters["w_in"], out=rows(dx))

    def _slope(self, workspace: Workspace, out: np.ndarray) -> None:
        """Of the outputs of the last pass, by the state."""
        if self.soft:
            Sigmoid().slope(workspace["y"][1:], workspace["u"], out)
        else:
            self.surrogate.slope(workspace["u"], out)

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
        s, y = (with_before(workspace, name, x, self.units) for name in ("s", "y"))
        u = workspace.room("u", y[1:].shape)
        part = workspace.room("part", u[0].shape)
        on = Sigmoid().value if self.soft else fire
        b, w_rec, keep = parameters["b"], parameters["w_rec"].T, 1 - dt / self.tau
        s[0], y[0] = state["s"], state["y"]
        np.matmul(rows(x), parameters["w_in"].T, out=rows(s[1:]))
        for t in range(len(x)):
            s_before, y_before, s_now = s[t], y[t], s[t + 1]
            np.matmul(y_before, w_rec, out=part)
            s_now += part
            np.multiply(s_before, y_before, out=part)
            np.subtract(s_before, part, out=part)
            part *= keep
            s_now += part
            if self.rectify:
                np.maximum(s_now, 0, out=s_now)
            np.add(s_now, b, out=u[t])
            on(u[t], y[t + 1])
        return y[1:]

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        return {name: workspace[name][1] for name in self.states}

    def _derivative(
        self, parameters: Arrays, state: Arrays, dt: float, workspace: Workspace
    ) -> np.ndarray:
        slope, keep = np.empty_like(workspace["u"]), 1 - dt / self.tau
        self._slope(workspace, slope)
        by_s = on_diagonal(keep * (1 - state["y"]))
        by_y = parameters["w_rec"] - on_diagonal(keep * state["s"])
        of_s = np.concatenate([by_s, by_y], axis=-1)
        if self.rectify:
            of_s *= (workspace["s"][1] > 0)[..., None]
        return np.concatenate([of_s, slope[0][..., None] * of_s], axis=-2)
