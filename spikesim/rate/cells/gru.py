"""GRU: a unit that sets its own time constant."""

from dataclasses import dataclass

import numpy as np

from spikesim.names import named_options
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.gates import (
    GatedCell,
    by_source,
    effective_tau,
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


@named_options()
@dataclass(frozen=True)
class GRU(GatedCell):
    """Gated recurrent unit: a leaky unit that sets its own time constant.

    ::

        r, z = sigmoid(w_in x_t + w_rec h_(t-1) + b)           their own rows
        n    = tanh(w_in x_t + b + r (w_rec h_(t-1) + b_rec))
        h_t  = z h_(t-1) + (1 - z) n

    [1]_, with r applied to the recurrent input including its bias. The rows of ``w_in`` (3 units,
    inputs), ``w_rec`` (3 units, units) and ``b`` (3 units,) are those of r, z, n in this order;
    ``b_rec`` is (units,) and ``h0`` (units,) the state before the first step. The rates are h. It
    is the leaky unit ``tau dh/dt = -h + n``, with a tau that depends on unit and time
    (`GRU.effective_tau`) and a recurrent input that r can shut off.

    Parameters
    ----------
    units : int
    keep_bias : float
        Start value of the biases of z.
    chrono : float, optional
        Longest time to be bridged, ms, above 2 dt. The biases of z then start at log(u), u uniform
        from 1 to chrono / dt - 1 [2]_, which spreads the time constants from about dt to
        ``chrono``.

    Notes
    -----
    Weights start as those of `LSTM`.

    References
    ----------
    .. [1] Cho K, van Merrienboer B, Gulcehre C, Bahdanau D, Bougares F, Schwenk H, Bengio Y (2014)
       Learning phrase representations using RNN encoder-decoder for statistical machine
       translation. EMNLP.
    .. [2] Tallec C, Ollivier Y (2018) Can recurrent neural networks warp time? ICLR.
    """

    units: int
    keep_bias: float = 1.0
    chrono: float | None = None

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """Rates h."""
        return {"h": (self.units,)}

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        p = self._weights(3, inputs, rng) | {"b_rec": np.zeros(self.units)}
        p["b"].reshape(3, -1)[1] = self._bias_to_keep(dt, rng)
        return p

    def effective_tau(self, parameters: Arrays, trial: np.ndarray, dt: float) -> np.ndarray:
        """Time constant of each unit at each time of a trial, as `effective_tau` defines it.

        Parameters
        ----------
        parameters : dict of str to array
            The cell's parameters.
        trial : array (time, inputs), or (time, trials, inputs)
            What comes into the cell.
        dt : float
            Step, ms.

        Returns
        -------
        array (time, units), or (time, trials, units)
            ms.
        """
        trial = np.asarray(trial, parameters["h0"].dtype)
        x = trial if trial.ndim == 3 else trial[:, None]
        workspace = Workspace(x.dtype)
        self.forward(parameters, x, dt, None, workspace)
        z = workspace["gates"][:, 1]
        tau = effective_tau(z.transpose(0, 2, 1), dt)
        return tau if trial.ndim == 3 else tau[:, 0]

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
        sources, gates, n = (workspace[name] for name in ("sources", "gates", "n"))
        # Of r, z, n's recurrent input, n.
        d_all = workspace.room("d_all", (4, units, steps, trials))
        d, left = (
            workspace.room("d", (4, units, trials)),
            workspace.room("left", (2, units, trials)),
        )
        dh, back = workspace.zeros("dh", (units, trials)), workspace.room("back", (units, trials))
        dy = trials_last(dy, workspace)
        for t in reversed(range(steps)):
            _slopes(gates[t], n[t], sources[t, :units], left, d)
            dh += dy[t]
            d *= dh
            d_all[:, :, t] = d
            dh *= gates[t, 1]
            np.matmul(parameters["w_rec"].T, d[:3].reshape(-1, trials), out=back)
            dh += back
        gradients["h0"] += dh.sum(axis=1)
        d_all = d_all.reshape(-1, steps, trials)
        turned, of_n = by_source(workspace), slice(2 * units, None)
        dw = weight_gradients(d_all[: 3 * units], turned, workspace)
        gradients["w_rec"] += dw[:, :units]
        gradients["w_in"][: 2 * units] += dw[: 2 * units, units:-1]
        gradients["b"][: 2 * units] += dw[: 2 * units, -1]
        gradients["b_rec"] += dw[of_n, -1]
        dw = weight_gradients(d_all[3 * units :], turned[units:], workspace)
        gradients["w_in"][of_n] += dw[:, :-1]
        gradients["b"][of_n] += dw[:, -1]
        if dx is not None:
            d_all[2 * units : 3 * units] = d_all[3 * units :]
            to_inputs(parameters["w_in"], d_all[: 3 * units], workspace, dx)

    def _before(self, parameters: Arrays) -> Arrays:
        return {"h": parameters["h0"]}

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        (steps, trials, inputs), units = x.shape, self.units
        scale, _ = scale_and_shift((0.5, 0.5, 1.0), x.dtype)
        sources = sources_of(x, state["h"], workspace)
        w = joined(parameters, scale, workspace)
        # The inputs of n do not pass through r: all steps at once, beside the loop.
        w_n = workspace.room("w_n", (units, inputs + 1))
        np.copyto(w_n, w[2 * units :, units:])
        w[2 * units :, units:-1] = 0
        w[2 * units :, -1] = parameters["b_rec"]
        gates = workspace.room("gates", (steps, 3, units, trials))  # r, z and n's recurrent input
        n = workspace.room("n", (steps, units, trials))
        np.matmul(w_n, sources[:-1, units:], out=n)
        kept = workspace.room("kept", (units, trials))
        for t in range(steps):
            h, h_next = sources[t, :units], sources[t + 1, :units]
            np.matmul(w, sources[t], out=gates[t].reshape(-1, trials))
            squash(gates[t, :2], 0.5, 0.5)
            r, z, recurrent = gates[t]
            np.multiply(r, recurrent, out=kept)
            n[t] += kept
            np.tanh(n[t], out=n[t])
            np.subtract(h, n[t], out=kept)
            kept *= z
            np.add(n[t], kept, out=h_next)
        return rates_of(sources, units, workspace)

    def _after(self, state: Arrays, dt: float, workspace: Workspace) -> Arrays:
        return {"h": workspace["y"][0]}

    def _derivative(
        self, parameters: Arrays, state: Arrays, dt: float, workspace: Workspace
    ) -> np.ndarray:
        gates, n, h = (
            workspace["gates"][0],
            workspace["n"][0],
            workspace["sources"][0, : self.units],
        )
        d = np.empty((4, *n.shape), n.dtype)
        _slopes(gates, n, h, np.empty_like(gates[:2]), d)
        w = parameters["w_rec"].reshape(3, self.units, -1)
        return np.einsum("gut,guv->tuv", d[:3], w) + on_diagonal(gates[1].T)


def _slopes(
    gates: np.ndarray, n: np.ndarray, h: np.ndarray, left: np.ndarray, d: np.ndarray
) -> None:
    """Into d, the derivatives of the next h by what r and z are of, n's recurrent input, and by n.

    That by n, (1 - z) (1 - n^2), is the one by what n is tanh of.
    """
    r, _, recurrent = gates
    np.subtract(1, gates[:2], out=left)
    np.multiply(n, n, out=d[3])
    np.subtract(1, d[3], out=d[3])
    d[3] *= left[1]
    np.multiply(d[3], r, out=d[2])
    left *= gates[:2]
    np.multiply(d[3], recurrent, out=d[0])
    np.subtract(h, n, out=d[1])
    d[:2] *= left
