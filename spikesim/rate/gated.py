"""Gated cells: LSTM, subLSTM and GRU.

Within a pass the arrays of a step are (gates, units, trials), so that a gate is one piece of
memory, and all that acts on a step is one matrix of sources (units + inputs + 1, trials): the rates
before it, its inputs, and a 1 for the biases. A step forward then is one matrix product, a step
backward another, and the gradients of all weights and biases are one product after the last step.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_whole, is_number
from spikesim.moved import renamed
from spikesim.names import named_options
from spikesim.rate.workspace import Workspace

Arrays = dict[str, np.ndarray]

# A gate is scale tanh(scale a) + 1 - scale: a tanh at 1, a sigmoid at 1/2. One call for all gates.
_LSTM_SCALE = (0.5, 0.5, 1.0, 0.5)
_SUBLSTM_SCALE = (0.5, 0.5, 0.5, 0.5)


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
    if not 0 < dt < np.inf:
        raise ValueError(f"dt is {dt!r}; it must be a positive number of ms.")
    with np.errstate(divide="ignore"):
        return dt / np.abs(np.log(keep))


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class LSTM:
    """Long short-term memory: a memory that gates write to, wipe and show.

    ::

        i, f, o = sigmoid(w_in x_t + w_rec h_(t-1) + b)     write, keep and show: their own rows
        g       = tanh(w_in x_t + w_rec h_(t-1) + b)
        c_t     = f c_(t-1) + i g
        h_t     = o tanh(c_t)

    [1]_, with the gate f of [2]_. The rows of ``w_in`` (4 units, inputs), ``w_rec`` (4 units,
    units) and ``b`` (4 units,) are those of i, f, g, o in this order; ``h0`` and ``c0`` (units,)
    are the state before the first step. The rates are h. In a circuit, f is a time constant that
    the circuit sets for itself (`effective_tau`), and i and o multiply what flows in and out, as
    shunting inhibition might.

    Parameters
    ----------
    units : int
    keep_bias : float
        Start value of the biases of f: at 1, as proposed in [2]_ and [3]_, the memory outlasts the
        first updates.
    chrono : float, optional
        Longest time to be bridged, ms, above 2 dt. The biases of f then start at
        log(u), u uniform from 1 to chrono / dt - 1, and those of i at their negative [4]_, so that
        the units' time constants are spread from about dt to ``chrono``.

    Notes
    -----
    Recurrent weights start orthogonal, gate by gate [5]_; input weights are normal with standard
    deviation 1 / sqrt(inputs).

    References
    ----------
    .. [1] Hochreiter S, Schmidhuber J (1997) Long short-term memory. Neural Comput 9:1735-1780.
    .. [2] Gers FA, Schmidhuber J, Cummins F (2000) Learning to forget: continual prediction with
       LSTM. Neural Comput 12:2451-2471.
    .. [3] Jozefowicz R, Zaremba W, Sutskever I (2015) An empirical exploration of recurrent
       network architectures. ICML.
    .. [4] Tallec C, Ollivier Y (2018) Can recurrent neural networks warp time? ICLR.
    .. [5] Saxe AM, McClelland JL, Ganguli S (2014) Exact solutions to the nonlinear dynamics of
       learning in deep linear neural networks. ICLR.
    """

    units: int
    keep_bias: float = 1.0
    chrono: float | None = None

    def check(self, inputs: int, dt: float) -> None:
        _check(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        return _start_with_memory(self, inputs, dt, rng)

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        return _forward_with_memory(p, x, workspace, _LSTM_SCALE, _lstm_step)

    def backward(
        self,
        p: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        _backward_with_memory(p, x, dy, workspace, grads, dx, _LSTM_SCALE, _lstm_slopes)

    def constrain(self, p: Arrays, dt: float) -> None:
        """Nothing is constrained."""


def _lstm_step(
    gates: np.ndarray, before: np.ndarray, c: np.ndarray, s: np.ndarray, h: np.ndarray
) -> None:
    """Memory c, s = tanh(c) and rates h of one step; h also holds i g on the way."""
    i, f, g, o = gates
    np.multiply(f, before, out=c)
    np.multiply(i, g, out=h)
    c += h
    np.tanh(c, out=s)
    np.multiply(o, s, out=h)


def _lstm_slopes(
    gates: np.ndarray, before: np.ndarray, s: np.ndarray, slopes: np.ndarray, ds: np.ndarray
) -> None:
    """From the gates' slopes: dc/da of i, f, g and dh/da of o, a being what the gate is of.

    ``ds`` becomes dh/dc.
    """
    i, f, g, o = gates
    slopes[0] *= g
    slopes[1] *= before
    slopes[2] *= i
    slopes[3] *= s
    np.multiply(s, s, out=ds)
    np.subtract(1, ds, out=ds)
    ds *= o


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class SubLSTM:
    """LSTM whose gates subtract, as inhibitory neurons do, where those of `LSTM` multiply.

    ::

        i, f, z, o = sigmoid(w_in x_t + w_rec h_(t-1) + b)     each its own rows
        c_t        = f c_(t-1) + z - i
        h_t        = sigmoid(c_t) - o

    [1]_. Parameters and their rows are those of `LSTM`, in the order i, f, z, o. In a cortical
    column, z is what comes in from below, c the activity of recurrently connected pyramidal
    cells which decays with the time constant that f says (`effective_tau`), i and o the
    inhibition of these cells and of those that they show their activity to: balanced with the
    excitation, it closes a gate.

    Parameters
    ----------
    units, keep_bias, chrono
        As for `LSTM`.

    References
    ----------
    .. [1] Costa RP, Assael YM, Shillingford B, de Freitas N, Vogels TP (2017) Cortical
       microcircuits as gated-recurrent neural networks. NIPS.
    """

    units: int
    keep_bias: float = 1.0
    chrono: float | None = None

    def check(self, inputs: int, dt: float) -> None:
        _check(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        return _start_with_memory(self, inputs, dt, rng)

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        return _forward_with_memory(p, x, workspace, _SUBLSTM_SCALE, _sublstm_step)

    def backward(
        self,
        p: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        _backward_with_memory(p, x, dy, workspace, grads, dx, _SUBLSTM_SCALE, _sublstm_slopes)

    def constrain(self, p: Arrays, dt: float) -> None:
        """Nothing is constrained."""


def _sublstm_step(
    gates: np.ndarray, before: np.ndarray, c: np.ndarray, s: np.ndarray, h: np.ndarray
) -> None:
    """Memory c, s = sigmoid(c) and rates h of one step."""
    i, f, z, o = gates
    np.multiply(f, before, out=c)
    c += z
    c -= i
    np.multiply(c, 0.5, out=s)
    _squash(s, 0.5, 0.5)
    np.subtract(s, o, out=h)


def _sublstm_slopes(
    gates: np.ndarray, before: np.ndarray, s: np.ndarray, slopes: np.ndarray, ds: np.ndarray
) -> None:
    """As `_lstm_slopes`."""
    np.negative(slopes[0], out=slopes[0])
    slopes[1] *= before
    np.negative(slopes[3], out=slopes[3])
    np.subtract(1, s, out=ds)
    ds *= s


def _start_with_memory(
    cell: LSTM | SubLSTM, inputs: int, dt: float, rng: np.random.Generator
) -> Arrays:
    p = _start(cell, 4, inputs, rng) | {"c0": np.zeros(cell.units)}
    i, f, _, _ = p["b"].reshape(4, -1)
    f[:] = _keep_bias(cell, dt, rng)
    if cell.chrono is not None:
        i[:] = -f
    return p


def _forward_with_memory(
    p: Arrays,
    x: np.ndarray,
    workspace: Workspace,
    scale: tuple[float, ...],
    step: Callable[..., None],
) -> np.ndarray:
    (steps, trials, _), units = x.shape, p["h0"].size
    scale, shift = _scale_and_shift(scale, x.dtype)
    sources = _sources(x, p["h0"], workspace)
    w = _joined(p, scale, workspace)
    gates = workspace.room("gates", (steps, 4, units, trials))
    c = workspace.room("c", (steps + 1, units, trials))
    s = workspace.room("s", (steps, units, trials))
    c[0] = p["c0"][:, None]
    for t in range(steps):
        np.matmul(w, sources[t], out=gates[t].reshape(-1, trials))
        _squash(gates[t], scale, shift)
        step(gates[t], c[t], c[t + 1], s[t], sources[t + 1, :units])
    return _rates(sources, units, workspace)


def _backward_with_memory(
    p: Arrays,
    x: np.ndarray,
    dy: np.ndarray,
    workspace: Workspace,
    grads: Arrays,
    dx: np.ndarray | None,
    scale: tuple[float, ...],
    slopes: Callable[..., None],
) -> None:
    steps, trials, units = dy.shape
    scale, shift = _scale_and_shift(scale, x.dtype)
    ends = scale - shift  # y + ends is 0 where a rising gate's slope begins: at -1 or at 0
    gates = workspace.room("gates", (steps, 4, units, trials))
    c = workspace.room("c", (steps + 1, units, trials))
    s = workspace.room("s", (steps, units, trials))
    d_all = workspace.room("d_all", (4 * units, steps, trials))
    d, left = workspace.room("d", (4, units, trials)), workspace.room("left", (4, units, trials))
    ds = workspace.room("ds", (units, trials))
    dh, dc = workspace.zeros("dh", (units, trials)), workspace.zeros("dc", (units, trials))
    dy = _by_trial(dy, workspace)
    for t in reversed(range(steps)):
        np.subtract(1, gates[t], out=left)
        np.add(gates[t], ends, out=d)
        d *= left
        slopes(gates[t], c[t], s[t], d, ds)
        dh += dy[t]
        ds *= dh
        dc += ds
        d[:3] *= dc
        d[3] *= dh
        dc *= gates[t, 1]
        flat = d.reshape(-1, trials)
        d_all[:, t] = flat
        np.matmul(p["w_rec"].T, flat, out=dh)
    grads["h0"] += dh.sum(axis=1)
    grads["c0"] += dc.sum(axis=1)
    dw = _weight_gradients(d_all, _by_source(x, units, workspace), workspace)
    grads["w_rec"] += dw[:, :units]
    grads["w_in"] += dw[:, units:-1]
    grads["b"] += dw[:, -1]
    _to_inputs(p["w_in"], d_all, workspace, dx)


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class GRU:
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

    def check(self, inputs: int, dt: float) -> None:
        _check(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        p = _start(self, 3, inputs, rng) | {"b_rec": np.zeros(self.units)}
        p["b"].reshape(3, -1)[1] = _keep_bias(self, dt, rng)
        return p

    def effective_tau(self, p: Arrays, trial: np.ndarray, dt: float) -> np.ndarray:
        """Time constant of each unit at each time of a trial, as `effective_tau` defines it.

        Parameters
        ----------
        p : dict of str to array
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
        trial = np.asarray(trial, p["h0"].dtype)
        x = trial if trial.ndim == 3 else trial[:, None]
        workspace = Workspace(x.dtype)
        self.forward(p, x, dt, None, workspace)
        steps, trials, _ = x.shape
        z = workspace.room("gates", (steps, 3, self.units, trials))[:, 1]
        tau = effective_tau(z.transpose(0, 2, 1), dt)
        return tau if trial.ndim == 3 else tau[:, 0]

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        (steps, trials, inputs), units = x.shape, self.units
        scale, _ = _scale_and_shift((0.5, 0.5, 1.0), x.dtype)
        sources = _sources(x, p["h0"], workspace)
        w = _joined(p, scale, workspace)
        # The inputs of n do not pass through r: all steps at once, beside the loop.
        w_n = workspace.room("w_n", (units, inputs + 1))
        np.copyto(w_n, w[2 * units :, units:])
        w[2 * units :, units:-1] = 0
        w[2 * units :, -1] = p["b_rec"]
        gates = workspace.room(
            "gates", (steps, 3, units, trials)
        )  # r, z and the recurrent input of n
        n = workspace.room("n", (steps, units, trials))
        np.matmul(w_n, sources[:-1, units:], out=n)
        kept = workspace.room("kept", (units, trials))
        for t in range(steps):
            h, h_next = sources[t, :units], sources[t + 1, :units]
            np.matmul(w, sources[t], out=gates[t].reshape(-1, trials))
            _squash(gates[t, :2], 0.5, 0.5)
            r, z, recurrent = gates[t]
            np.multiply(r, recurrent, out=kept)
            n[t] += kept
            np.tanh(n[t], out=n[t])
            np.subtract(h, n[t], out=kept)
            kept *= z
            np.add(n[t], kept, out=h_next)
        return _rates(sources, units, workspace)

    def backward(
        self,
        p: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        steps, trials, units = dy.shape
        sources = workspace.room("sources", (steps + 1, units + x.shape[2] + 1, trials))
        gates = workspace.room("gates", (steps, 3, units, trials))
        n = workspace.room("n", (steps, units, trials))
        d_all = workspace.room(
            "d_all", (4, units, steps, trials)
        )  # of r, z, n's recurrent input, n
        d, left = (
            workspace.room("d", (4, units, trials)),
            workspace.room("left", (2, units, trials)),
        )
        dh, back = workspace.zeros("dh", (units, trials)), workspace.room("back", (units, trials))
        dy = _by_trial(dy, workspace)
        for t in reversed(range(steps)):
            r, z, recurrent = gates[t]
            # Derivatives of h_t by each: first (1 - z) (1 - n^2), the one by what n is tanh of.
            np.subtract(1, gates[t, :2], out=left)
            np.multiply(n[t], n[t], out=d[3])
            np.subtract(1, d[3], out=d[3])
            d[3] *= left[1]
            np.multiply(d[3], r, out=d[2])
            left *= gates[t, :2]
            np.multiply(d[3], recurrent, out=d[0])
            np.subtract(sources[t, :units], n[t], out=d[1])
            d[:2] *= left
            dh += dy[t]
            d *= dh
            d_all[:, :, t] = d
            dh *= z
            np.matmul(p["w_rec"].T, d[:3].reshape(-1, trials), out=back)
            dh += back
        grads["h0"] += dh.sum(axis=1)
        d_all = d_all.reshape(-1, steps, trials)
        by_source = _by_source(x, units, workspace)
        dw = _weight_gradients(d_all[: 3 * units], by_source, workspace)
        grads["w_rec"] += dw[:, :units]
        grads["w_in"][: 2 * units] += dw[: 2 * units, units:-1]
        grads["b"][: 2 * units] += dw[: 2 * units, -1]
        grads["b_rec"] += dw[2 * units :, -1]
        dw = _weight_gradients(d_all[3 * units :], by_source[units:], workspace)
        grads["w_in"][2 * units :] += dw[:, :-1]
        grads["b"][2 * units :] += dw[:, -1]
        if dx is not None:
            d_all[2 * units : 3 * units] = d_all[3 * units :]
            _to_inputs(p["w_in"], d_all[: 3 * units], workspace, dx)

    def constrain(self, p: Arrays, dt: float) -> None:
        """Nothing is constrained."""


def _check(cell: LSTM | SubLSTM | GRU, dt: float) -> None:
    name, units, bias, chrono = type(cell).__name__, cell.units, cell.keep_bias, cell.chrono
    check_whole(f"{name}: units", units)
    if not is_number(bias):
        raise ValueError(f"{name}: keep_bias is {bias!r}; it must be a finite number.")
    if chrono is not None and not (is_number(chrono) and chrono > 2 * dt):
        raise ValueError(
            f"{name}: chrono is {chrono!r}; it must be a number of ms above 2 dt = {2 * dt:g} ms."
        )


def _start(cell: LSTM | SubLSTM | GRU, gates: int, inputs: int, rng: np.random.Generator) -> Arrays:
    units = cell.units
    return {
        "w_in": rng.standard_normal((gates * units, inputs)) / np.sqrt(inputs),
        "w_rec": np.concatenate([_orthogonal(units, rng) for _ in range(gates)]),
        "b": np.zeros(gates * units),
        "h0": np.zeros(units),
    }


def _orthogonal(size: int, rng: np.random.Generator) -> np.ndarray:
    """A random rotation or reflection, all equally likely."""
    q, r = np.linalg.qr(rng.standard_normal((size, size)))
    return q * np.sign(np.diag(r))


def _keep_bias(
    cell: LSTM | SubLSTM | GRU, dt: float, rng: np.random.Generator
) -> float | np.ndarray:
    if cell.chrono is None:
        return cell.keep_bias
    return np.log(rng.uniform(1, cell.chrono / dt - 1, cell.units))


def _scale_and_shift(
    scale: tuple[float, ...], dtype: np.typing.DTypeLike
) -> tuple[np.ndarray, np.ndarray]:
    column = np.array(scale, dtype)[:, None, None]
    return column, 1 - column


def _squash(a: np.ndarray, scale: np.ndarray | float, shift: np.ndarray | float) -> None:
    """In place scale tanh(a) + shift, where a has been multiplied by the scale already."""
    np.tanh(a, out=a)
    a *= scale
    a += shift


def _sources(x: np.ndarray, h0: np.ndarray, workspace: Workspace) -> np.ndarray:
    """What acts on each step, (steps + 1, units + inputs + 1, trials); rates are yet to come."""
    (steps, trials, inputs), units = x.shape, h0.size
    sources = workspace.room("sources", (steps + 1, units + inputs + 1, trials))
    sources[0, :units] = h0[:, None]
    sources[:-1, units:-1] = x.transpose(0, 2, 1)
    sources[:, -1] = 1
    return sources


def _joined(p: Arrays, scale: np.ndarray, workspace: Workspace) -> np.ndarray:
    """Weights of all sources in one matrix, the rows of each gate times its scale."""
    rows, units = p["w_rec"].shape
    w = workspace.room("w", (rows, units + p["w_in"].shape[1] + 1))
    w[:, :units] = p["w_rec"]
    w[:, units:-1] = p["w_in"]
    w[:, -1] = p["b"]
    by_gate = w.reshape(scale.size, units, -1)
    by_gate *= scale
    return w


def _rates(sources: np.ndarray, units: int, workspace: Workspace) -> np.ndarray:
    steps, _, trials = sources[1:].shape
    y = workspace.room("y", (steps, trials, units))
    np.copyto(y, sources[1:, :units].transpose(0, 2, 1))
    return y


def _by_trial(dy: np.ndarray, workspace: Workspace) -> np.ndarray:
    """(time, trials, units) as (time, units, trials)."""
    steps, trials, units = dy.shape
    turned = workspace.room("dy", (steps, units, trials))
    np.copyto(turned, dy.transpose(0, 2, 1))
    return turned


def _by_source(x: np.ndarray, units: int, workspace: Workspace) -> np.ndarray:
    """The sources of the last forward pass, (units + inputs + 1, time, trials)."""
    steps, trials, inputs = x.shape
    shape = (units + inputs + 1, steps, trials)
    by_source = workspace.room("by_source", shape)
    sources = workspace.room("sources", (steps + 1, shape[0], trials))
    np.copyto(by_source, sources[:-1].transpose(1, 0, 2))
    return by_source


def _weight_gradients(d: np.ndarray, by_source: np.ndarray, workspace: Workspace) -> np.ndarray:
    """(rows, sources), of all steps and trials; written over by the next call."""
    rows, sources = len(d), len(by_source)
    dw = workspace.room(f"dw{rows}", (rows, sources))
    return np.matmul(d.reshape(rows, -1), by_source.reshape(sources, -1).T, out=dw)


def _to_inputs(
    w_in: np.ndarray, d: np.ndarray, workspace: Workspace, dx: np.ndarray | None
) -> None:
    if dx is None:
        return
    steps, trials, inputs = dx.shape
    turned = workspace.room("dx", (inputs, steps, trials))
    np.matmul(w_in.T, d.reshape(len(d), -1), out=turned.reshape(inputs, -1))
    np.copyto(dx, turned.transpose(1, 2, 0))
