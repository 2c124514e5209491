"""What cells with gates share.

Within a pass the arrays of a step are (gates, units, trials), so that a gate is one piece of
memory, and all that acts on a step is one matrix of sources (units + inputs + 1, trials): the rates
before it, its inputs, and a 1 for the biases. A step forward then is one matrix product, a step
backward another, and the gradients of all weights and biases are one product after the last step.
"""

import numpy as np

from spikesim.checks import check_number, check_whole, is_number
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import StepByStep
from spikesim.rate.workspace import Workspace


def effective_tau(keep: np.ndarray, dt: float) -> np.ndarray:
    """Time constant of a state of which a gate keeps the share ``keep`` in every step.

    Of such a state, h_t = keep h_(t-1) + (1 - keep) n_t, what was there decays as exp(-t / tau)
    with ``tau = -dt / ln(keep)``. In a `GRU` the share kept is z (not 1 - z), in an `LSTM` or
    `SubLSTM` it is f.

    Parameters
    ----------
    keep : array
        From 0 to 1.
    dt : float
        Step, ms.

    Returns
    -------
    array
        ms, of the shape of ``keep``: 0 where nothing is kept, infinite where all is.

    Raises
    ------
    ValueError
        If ``keep`` or dt is out of range.
    """
    keep = np.asarray(keep, float)
    if not np.all((keep >= 0) & (keep <= 1)):
        raise ValueError(
            f"keep runs from {keep.min():g} to {keep.max():g}; it must lie between 0 and 1."
        )
    check_number("dt", dt, above=0, unit="ms")
    with np.errstate(divide="ignore"):
        return dt / np.abs(np.log(keep))


class GatedCell(StepByStep):
    """Settings of cells with gates, and the weights that they begin with."""

    units: int
    keep_bias: float
    chrono: float | None

    def check(self, inputs: int, dt: float) -> None:
        """Refuse settings that are not allowed."""
        kind = type(self).__name__
        check_whole(f"{kind}: units", self.units)
        check_number(f"{kind}: keep_bias", self.keep_bias)
        if self.chrono is not None and not (is_number(self.chrono) and self.chrono > 2 * dt):
            raise ValueError(
                f"{kind}: chrono is {self.chrono!r}; it must be a number of ms above 2 dt = "
                f"{2 * dt:g} ms."
            )

    def _weights(self, gates: int, inputs: int, rng: np.random.Generator) -> Arrays:
        units = self.units
        return {
            "w_in": rng.standard_normal((gates * units, inputs)) / np.sqrt(inputs),
            "w_rec": np.concatenate([_orthogonal(units, rng) for _ in range(gates)]),
            "b": np.zeros(gates * units),
            "h0": np.zeros(units),
        }

    def _bias_to_keep(self, dt: float, rng: np.random.Generator) -> float | np.ndarray:
        if self.chrono is None:
            return self.keep_bias
        return np.log(rng.uniform(1, self.chrono / dt - 1, self.units))


def _orthogonal(size: int, rng: np.random.Generator) -> np.ndarray:
    """A random rotation or reflection, all equally likely."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def scale_and_shift(
    scale: tuple[float, ...], dtype: np.typing.DTypeLike
) -> tuple[np.ndarray, np.ndarray]:
    column = np.array(scale, dtype)[:, None, None]
    return column, 1 - column


def squash(a: np.ndarray, scale: np.ndarray | float, shift: np.ndarray | float) -> None:
    """In place scale tanh(a) + shift, where a has been multiplied by the scale already."""
    np.tanh(a, out=a)
    a *= scale
    a += shift


def sources_of(x: np.ndarray, first: np.ndarray, workspace: Workspace) -> np.ndarray:
    """What acts on each step, (steps + 1, units + inputs + 1, trials); rates are yet to come."""
    (steps, trials, inputs), units = x.shape, first.shape[-1]
    sources = workspace.room("sources", (steps + 1, units + inputs + 1, trials))
    sources[0, :units] = np.atleast_2d(first).T
    sources[:-1, units:-1] = x.transpose(0, 2, 1)
    sources[:, -1] = 1
    return sources


def joined(p: Arrays, scale: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Weights of all sources in one matrix, the rows of each gate times its scale."""
    rows, units = p["w_rec"].shape
    w = workspace.room("w", (rows, units + p["w_in"].shape[1] + 1))
    w[:, :units] = p["w_rec"]
    w[:, units:-1] = p["w_in"]
    w[:, -1] = p["b"]
    by_gate = w.reshape(scale.size, units, -1)
    by_gate *= scale
    return w


def rates_of(sources: np.ndarray, units: int, workspace: Workspace) -> np.ndarray:
    steps, _, trials = sources[1:].shape
    y = workspace.room("y", (steps, trials, units))
    np.copyto(y, sources[1:, :units].transpose(0, 2, 1))
    return y


def trials_last(dy: np.ndarray, workspace: Workspace) -> np.ndarray:
    """(time, trials, units) as (time, units, trials)."""
    steps, trials, units = dy.shape
    turned = workspace.room("dy", (steps, units, trials))
    np.copyto(turned, dy.transpose(0, 2, 1))
    return turned


def by_source(workspace: Workspace) -> np.ndarray:
    """The sources of the last forward pass, (units + inputs + 1, time, trials)."""
    sources = workspace["sources"][:-1].transpose(1, 0, 2)
    turned = workspace.room("by_source", sources.shape)
    np.copyto(turned, sources)
    return turned


def weight_gradients(d: np.ndarray, sources: np.ndarray, workspace: Workspace) -> np.ndarray:
    """(rows, sources), of all steps and trials; written over by the next call."""
    rows, columns = len(d), len(sources)
    dw = workspace.room(f"dw{rows}", (rows, columns))
    return np.matmul(d.reshape(rows, -1), sources.reshape(columns, -1).T, out=dw)


def to_inputs(w_in: np.ndarray, d: np.ndarray, workspace: Workspace, dx: np.ndarray | None) -> None:
    if dx is None:
        return
    steps, trials, inputs = dx.shape
    turned = workspace.room("dx", (inputs, steps, trials))
    np.matmul(w_in.T, d.reshape(len(d), -1), out=turned.reshape(inputs, -1))
    np.copyto(dx, turned.transpose(1, 2, 0))
