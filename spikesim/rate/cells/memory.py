"""What `LSTM` and `SubLSTM` share: a memory c behind four gates.

A gate is scale tanh(scale a) + 1 - scale: a tanh at a scale of 1, a sigmoid at 1/2. One call
serves all gates.
"""

import numpy as np

from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.gates import (
    GatedCell,
    by_source,
    joined,
    rates_of,
    scale_and_shift,
    sources_of,
    squash,
    to_inputs,
    trials_last,
    weight_gradients,
)
from spikesim.rate.cells.one_step import on_diagonal
from spikesim.rate.workspace import Workspace


class MemoryCell(GatedCell):
    """A cell of four gates, of which the second keeps the memory.

    A cell says the scale of each gate (`_SCALE`), how gates make memory and rates (`_remember`),
    and the slopes of this (`_slopes`).
    """

    _SCALE: tuple[float, ...]

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """Rates h and memory c."""
        return {"h": (self.units,), "c": (self.units,)}

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        p = self._weights(4, inputs, rng) | {"c0": np.zeros(self.units)}
        i, f, _, _ = p["b"].reshape(4, -1)
        f[:] = self._bias_to_keep(dt, rng)
        if self.chrono is not None:
            i[:] = -f
        return p

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
        steps, trials, units = dy.shape
        gates, c, s = (workspace[name] for name in ("gates", "c", "s"))
        d_all = workspace.room("d_all", (4 * units, steps, trials))
        d, left = (workspace.room(name, (4, units, trials)) for name in ("d", "left"))
        ds = workspace.room("ds", (units, trials))
        dh, dc = (workspace.zeros(name, (units, trials)) for name in ("dh", "dc"))
        ends = self._ends(x.dtype)
        dy = trials_last(dy, workspace)
        for t in reversed(range(steps)):
            self._gate_slopes(gates[t], c[t], s[t], ends, left, d, ds)
            dh += dy[t]
            ds *= dh
            dc += ds
            d[:3] *= dc
            d[3] *= dh
            dc *= gates[t, 1]
            flat = d.reshape(-1, trials)
            d_all[:, t] = flat
            np.matmul(parameters["w_rec"].T, flat, out=dh)
        gradients["h0"] += dh.sum(axis=1)
        gradients["c0"] += dc.sum(axis=1)
        dw = weight_gradients(d_all, by_source(workspace), workspace)
        gradients["w_rec"] += dw[:, :units]
        gradients["w_in"] += dw[:, units:-1]
        gradients["b"] += dw[:, -1]
        to_inputs(parameters["w_in"], d_all, workspace, dx)

    def _gate_slopes(
        self,
        gates: np.ndarray,
        before: np.ndarray,
        s: np.ndarray,
        ends: np.ndarray,
        left: np.ndarray,
        d: np.ndarray,
        ds: np.ndarray,
    ) -> None:
        """Into d and ds, what `_slopes` says of one step."""
        np.subtract(1, gates, out=left)
        np.add(gates, ends, out=d)
        d *= left
        self._slopes(gates, before, s, d, ds)

    def _ends(self, dtype: np.typing.DTypeLike) -> np.ndarray:
        """A gate plus this is 0 where its slope begins to rise: at -1 or at 0."""
        scale, shift = scale_and_shift(self._SCALE, dtype)
        return scale - shift

    def _before(self, parameters: Arrays) -> Arrays:
        return {"h": parameters["h0"], "c": parameters["c0"]}

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        (steps, trials, _), units = x.shape, self.units
        scale, shift = scale_and_shift(self._SCALE, x.dtype)
        sources = sources_of(x, state["h"], workspace)
        w = joined(parameters, scale, workspace)
        gates = workspace.room("gates", (steps, 4, units, trials))
        c = workspace.room("c", (steps + 1, units, trials))
        s = workspace.room("s", (steps, units, trials))
        c[0] = np.atleast_2d(state["c"]).T
        for t in range(steps):
            np.matmul(w, sources[t], out=gates[t].reshape(-1, trials))
            squash(gates[t], scale, shift)
            self._remember(gates[t], c[t], c[t + 1], s[t], sources[t + 1, :units])
        return rates_of(sources, units, workspace)

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        return {"h": workspace["y"][0], "c": workspace["c"][1].T.copy()}

    def _derivative(
        self, parameters: Arrays, state: Arrays, dt: float, workspace: Workspace
    ) -> np.ndarray:
        gates, c, s = workspace["gates"][0], workspace["c"][0], workspace["s"][0]
        d, ds = np.empty_like(gates), np.empty_like(c)
        self._gate_slopes(gates, c, s, self._ends(c.dtype), np.empty_like(gates), d, ds)
        w = parameters["w_rec"].reshape(4, self.units, -1)
        of_memory = np.einsum("gut,guv->tuv", d[:3], w[:3])
        of_rates = ds.T[..., None] * of_memory + d[3].T[..., None] * w[3]
        kept = gates[1].T
        return np.block([[of_rates, on_diagonal(ds.T * kept)], [of_memory, on_diagonal(kept)]])
