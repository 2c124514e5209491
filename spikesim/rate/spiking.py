"""Spiking units among rate models, trained through surrogate slopes of their threshold.

A spike is the step function of u, the distance of a unit to its threshold. Its slope is 0 almost
everywhere, so in the backward pass alone a surrogate psi(u) stands for it. All else is the
derivative of the forward pass as it is written, but for two paths: whether a unit is refractory is
taken as given, and with ``detach_reset`` so is the reset, which is then part of the dynamics that
errors do not flow through.
"""

import math
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spikesim.checks import check_whole, is_number, warn
from spikesim.moved import renamed
from spikesim.names import named_options
from spikesim.rate.activations import Sigmoid
from spikesim.rate.workspace import Workspace

Parameters = dict[str, np.ndarray]


def _number(of: Any, name: str, *, zero: bool = False, most: float = math.inf) -> None:
    value = getattr(of, name)
    if not is_number(value) or not (0 < value <= most or (zero and value == 0)):
        allowed = f"between 0 and {most:g}" if most < math.inf else "positive and finite"
        allowed = f"0 or {allowed}" if zero and most == math.inf else allowed
        raise ValueError(f"{type(of).__name__}: {name} is {value!r}; it must be {allowed}.")


@named_options()
@dataclass(frozen=True)
class FastSigmoid:
    """psi(u) = 1 / (1 + beta |u|)^2.

    References
    ----------
    Zenke F, Ganguli S (2018). SuperSpike: supervised learning in multilayer spiking neural
    networks. Neural Comput 30:1514.
    """

    beta: float = 10.0

    def __post_init__(self) -> None:
        _number(self, "beta")

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.abs(u, out=out)
        out *= self.beta
        out += 1
        np.multiply(out, out, out=out)
        np.reciprocal(out, out=out)


@named_options()
@dataclass(frozen=True)
class Triangle:
    """psi(u) = height max(0, 1 - |u| / width).

    A height below 1 damps errors that pass many spikes on their way back.

    References
    ----------
    Bellec G, Salaj D, Subramoney A, Legenstein R, Maass W (2018). Long short-term memory and
    learning-to-learn in networks of spiking neurons. NeurIPS 31.
    """

    height: float = 0.3
    width: float = 1.0

    def __post_init__(self) -> None:
        _number(self, "height")
        _number(self, "width")

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.abs(u, out=out)
        out *= -self.height / self.width
        out += self.height
        np.maximum(out, 0, out=out)


@named_options()
@dataclass(frozen=True)
class Gaussian:
    """psi(u), the density of a normal distribution of mean 0 and this standard deviation.

    References
    ----------
    Yin B, Corradi F, Bohte SM (2021). Accurate and efficient time-domain classification with
    adaptive spiking recurrent neural networks. Nat Mach Intell 3:905.
    """

    sigma: float = 0.5

    def __post_init__(self) -> None:
        _number(self, "sigma")

    def slope(self, u: np.ndarray, out: np.ndarray) -> None:
        np.multiply(u, u, out=out)
        out *= -0.5 / self.sigma**2
        np.exp(out, out=out)
        out *= 1 / (math.sqrt(2 * math.pi) * self.sigma)


Surrogate = FastSigmoid | Triangle | Gaussian


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class SNU:
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
        _number(self, "tau")
        _known_surrogate(self)

    def check(self, inputs: int, dt: float) -> None:
        _not_below(self, "tau", dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Parameters:
        return {
            "w_in": rng.standard_normal((self.units, inputs)) / math.sqrt(inputs),
            "w_rec": rng.standard_normal((self.units, self.units)) / math.sqrt(self.units),
            "b": np.full(self.units, -1.0),
        }

    def constrain(self, p: Parameters, dt: float) -> None:
        """Nothing: any values are allowed."""

    def forward(
        self,
        p: Parameters,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        s, y = (
            _from_before(workspace, "s", x, self.units),
            _from_before(workspace, "y", x, self.units),
        )
        u = workspace.room("u", y[1:].shape)
        part = workspace.room("part", u[0].shape)
        fire = Sigmoid().value if self.soft else _step
        keep = 1 - dt / self.tau
        s[0] = y[0] = 0
        np.matmul(_rows(x), p["w_in"].T, out=_rows(s[1:]))
        for t in range(len(x)):
            s_before, y_before, s_now = s[t], y[t], s[t + 1]
            np.matmul(y_before, p["w_rec"].T, out=part)
            s_now += part
            np.multiply(s_before, y_before, out=part)
            np.subtract(s_before, part, out=part)
            part *= keep
            s_now += part
            if self.rectify:
                np.maximum(s_now, 0, out=s_now)
            np.add(s_now, p["b"], out=u[t])
            fire(u[t], y[t + 1])
        return y[1:]

    def backward(
        self,
        p: Parameters,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Parameters,
        dx: np.ndarray | None,
    ) -> None:
        s, y = (
            _from_before(workspace, "s", x, self.units),
            _from_before(workspace, "y", x, self.units),
        )
        slope = workspace.room("slope", dy.shape)
        if self.soft:
            Sigmoid().slope(y[1:], workspace.room("u", dy.shape), slope)
        else:
            self.surrogate.slope(workspace.room("u", dy.shape), slope)
        keep = 1 - dt / self.tau
        ds = workspace.room("ds", dy.shape)  # by what stands inside g
        part, kept = workspace.room("part", dy[0].shape), workspace.zeros("kept", dy[0].shape)
        for t in reversed(range(len(x))):
            s_now, y_now = s[t + 1], y[t + 1]
            if t + 1 < len(x):
                np.matmul(ds[t + 1], p["w_rec"], out=part)
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
        grads["b"] += _rows(dy).sum(axis=0)
        _add_product(grads["w_in"], ds, x, workspace)
        _add_product(grads["w_rec"], ds, y[:-1], workspace)
        if dx is not None:
            np.matmul(_rows(ds), p["w_in"], out=_rows(dx))


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class LIFCell:
    """Leaky integrate-and-fire units with current-based synapses, a refractory time, recurrence.

    v_t = a v_(t-1) + c w_in x_t + (1 - a) b + w_rec z_(t-1) - z_(t-1),  a = exp(-dt / tau)
    z_t = 1 if v_t >= 1 and no spike within the last t_ref, else 0

    v is 0 at rest and 1 at the threshold, both v and z are 0 before the first step. A spike of the
    unit itself moves v by -1, one of another by its weight w_rec. Inputs are currents (c = 1 - a:
    a constant input takes v towards w_in x + b) or spikes, 0 or 1 or a number of them per step
    (c = 1: each moves v by its weight), so that weights mean the same at any dt. A refractory unit
    goes on integrating.

    In the backward pass dz/dv = psi(v - 1) where a unit is not refractory, else 0. With
    ``detach_reset`` the term -z_(t-1) is taken as given.

    Parameters
    ----------
    units : int
    tau : float
        Membrane time constant, ms; dt or more.
    t_ref : float
        Refractory time, ms, rounded to steps: so many after a spike have none.
    input : "current" or "spikes"
    detach_reset : bool
    surrogate : FastSigmoid, Triangle or Gaussian

    Notes
    -----
    Its parameters are w_in (units, inputs), w_rec (units, units) and b (units,), in units of the
    distance from rest to threshold.

    References
    ----------
    Neftci EO, Mostafa H, Zenke F (2019). Surrogate gradient learning in spiking neural networks.
    IEEE Signal Process Mag 36:51.
    """

    units: int
    tau: float = 20.0
    t_ref: float = 2.0
    input: Literal["current", "spikes"] = "current"
    detach_reset: bool = False
    surrogate: Surrogate = FastSigmoid()

    def __post_init__(self) -> None:
        _check_lif(self)

    def check(self, inputs: int, dt: float) -> None:
        _not_below(self, "tau", dt)
        _told_if_never_refractory(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Parameters:
        return _start_lif(self, inputs, rng)

    def constrain(self, p: Parameters, dt: float) -> None:
        """Nothing: any values are allowed."""

    def forward(
        self,
        p: Parameters,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        return _forward_lif(self, p, x, dt, workspace, None)

    def backward(
        self,
        p: Parameters,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Parameters,
        dx: np.ndarray | None,
    ) -> None:
        _backward_lif(self, p, x, dy, dt, workspace, grads, dx, None)


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class ALIFCell:
    """Leaky integrate-and-fire units with an adaptive threshold, as in LSNNs.

    As `LIFCell`, with a threshold that each spike of the unit raises by beta:

    q_t = r q_(t-1) + beta z_(t-1),  r = exp(-dt / tau_adapt)
    z_t = 1 if v_t >= 1 + q_t and no spike within the last t_ref, else 0

    The threshold is no part of the reset; it is a slow memory, and the backward pass goes through
    it in full, whatever ``detach_reset`` says. dz/dv is psi(v - 1 - q).

    Parameters
    ----------
    units : int
    tau, t_ref, input, detach_reset, surrogate
        As for `LIFCell`.
    tau_adapt : float
        Time constant of the threshold, ms; dt or more.
    beta : float
        Step of the threshold by a spike, in units of the distance from rest to threshold.
    adaptive : float
        Fraction of the units, the first ones, that adapt; the others have beta = 0.

    References
    ----------
    Bellec G, Salaj D, Subramoney A, Legenstein R, Maass W (2018). Long short-term memory and
    learning-to-learn in networks of spiking neurons. NeurIPS 31.
    """

    units: int
    tau: float = 20.0
    t_ref: float = 2.0
    tau_adapt: float = 200.0
    beta: float = 0.2
    adaptive: float = 1.0
    input: Literal["current", "spikes"] = "current"
    detach_reset: bool = False
    surrogate: Surrogate = FastSigmoid()

    def __post_init__(self) -> None:
        _check_lif(self)
        _number(self, "tau_adapt")
        _number(self, "beta")
        _number(self, "adaptive", zero=True, most=1)

    def check(self, inputs: int, dt: float) -> None:
        _not_below(self, "tau", dt)
        _not_below(self, "tau_adapt", dt)
        _told_if_never_refractory(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Parameters:
        return _start_lif(self, inputs, rng)

    def constrain(self, p: Parameters, dt: float) -> None:
        """Nothing: any values are allowed."""

    def forward(
        self,
        p: Parameters,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        return _forward_lif(self, p, x, dt, workspace, adaptation(self, dt))

    def backward(
        self,
        p: Parameters,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Parameters,
        dx: np.ndarray | None,
    ) -> None:
        _backward_lif(self, p, x, dy, dt, workspace, grads, dx, adaptation(self, dt))


def firing_rate_cost(
    spikes: np.ndarray, target: float, strength: float, dt: float, d_spikes: np.ndarray
) -> float:
    """What it costs that units fire at other rates than wanted: strength mean_j (f_j - target)^2.

    f_j is the rate of unit j over all steps and trials, Hz. Its derivative by every spike is added
    to d_spikes.

    Parameters
    ----------
    spikes, d_spikes : array (time, trials, units)
    target : float
        Hz.
    strength : float
        Per Hz^2.
    dt : float
        ms.
    """
    steps, trials, units = spikes.shape
    hertz = 1000 / (steps * trials * dt)  # of one spike of one unit
    off = hertz * spikes.sum(axis=(0, 1), dtype=np.float64) - target
    d_spikes += (2 * strength * hertz / units * off).astype(d_spikes.dtype)
    return float(strength * np.mean(off**2))


def membrane(cell: LIFCell | ALIFCell, dt: float) -> tuple[float, float]:
    """What v keeps in a step, a, and the factor of its inputs, c."""
    keep = math.exp(-dt / cell.tau)
    return keep, 1 - keep if cell.input == "current" else 1.0


def refractory_steps(cell: LIFCell | ALIFCell, dt: float) -> int:
    return math.floor(cell.t_ref / dt + 0.5)


def adaptation(cell: LIFCell | ALIFCell, dt: float) -> tuple[float, np.ndarray] | None:
    """What the threshold keeps in a step, r, and beta of each unit; None if there is none."""
    if isinstance(cell, LIFCell):
        return None
    beta = np.zeros(cell.units)
    beta[: round(cell.adaptive * cell.units)] = cell.beta
    return math.exp(-dt / cell.tau_adapt), beta


def _start_lif(cell: LIFCell | ALIFCell, inputs: int, rng: np.random.Generator) -> Parameters:
    # Of currents of size 1 this brings every third unit above threshold.
    scale = 2 if cell.input == "current" else 1
    return {
        "w_in": rng.standard_normal((cell.units, inputs)) * scale / math.sqrt(inputs),
        "w_rec": rng.standard_normal((cell.units, cell.units)) / math.sqrt(cell.units),
        "b": np.zeros(cell.units),
    }


def _forward_lif(
    cell: LIFCell | ALIFCell,
    p: Parameters,
    x: np.ndarray,
    dt: float,
    workspace: Workspace,
    adapts: tuple[float, np.ndarray] | None,
) -> np.ndarray:
    """Both cells forward. In the workspace ``v`` is the distance to the threshold without
    adaptation, v - 1, and the reset is part of the recurrent matrix: each unit's weight of -1 onto
    itself.
    """
    keep, gain = membrane(cell, dt)
    refractory = refractory_steps(cell, dt)
    v, z = _from_before(workspace, "v", x, cell.units), _from_before(workspace, "z", x, cell.units)
    part = workspace.room("part", z[0].shape)
    w_in, w_rec = workspace.room("w_in", p["w_in"].shape), workspace.room("w_rec", p["w_rec"].shape)
    np.multiply(p["w_in"], gain, out=w_in)
    np.copyto(w_rec, p["w_rec"])
    w_rec.ravel()[:: cell.units + 1] -= 1
    np.matmul(_rows(x), w_in.T, out=_rows(v[1:]))
    v[1:] += (1 - keep) * (p["b"] - 1)
    v[0], z[0] = -1, 0
    if refractory:
        ready = _from_before(workspace, "ready", x, cell.units)
        ready[0] = 1
    if adapts:
        forget, beta = adapts[0], adapts[1].astype(v.dtype)
        u, q = workspace.room("u", x.shape[:2] + (cell.units,)), workspace.zeros("q", part.shape)
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
        _step(now, z[t + 1])
        if refractory:
            np.subtract(ready[t], before, out=ready[t + 1])
            if t >= refractory:
                ready[t + 1] += z[t - refractory]
            z[t + 1] *= ready[t + 1]
    return z[1:]


def _backward_lif(
    cell: LIFCell | ALIFCell,
    p: Parameters,
    x: np.ndarray,
    dz: np.ndarray,
    dt: float,
    workspace: Workspace,
    grads: Parameters,
    dx: np.ndarray | None,
    adapts: tuple[float, np.ndarray] | None,
) -> None:
    """Both cells backward; dz becomes the derivative by v, step by step."""
    keep, gain = membrane(cell, dt)
    z, part = _from_before(workspace, "z", x, cell.units), workspace.room("part", dz[0].shape)
    slope = workspace.room("slope", dz.shape)
    u = workspace.room("u", dz.shape) if adapts else _from_before(workspace, "v", x, cell.units)[1:]
    cell.surrogate.slope(u, slope)
    if refractory_steps(cell, dt):
        slope *= _from_before(workspace, "ready", x, cell.units)[1:]
    w_rec = p["w_rec"] if cell.detach_reset else workspace.room("w_rec", p["w_rec"].shape)
    if adapts:
        forget, beta = adapts[0], adapts[1].astype(dz.dtype)
        dq = workspace.zeros("dq", part.shape)
    for t in reversed(range(len(x))):
        now = dz[t]
        if t + 1 < len(x):
            np.matmul(dz[t + 1], w_rec, out=part)
            now += part
        if adapts:
            np.multiply(dq, beta, out=part)
            now += part
        now *= slope[t]
        if adapts:
            dq *= forget
            dq -= now
        if t + 1 < len(x):
            np.multiply(dz[t + 1], keep, out=part)
            now += part
    grads["b"] += (1 - keep) * _rows(dz).sum(axis=0)
    _add_product(grads["w_in"], dz, x, workspace, gain)
    _add_product(grads["w_rec"], dz, z[:-1], workspace)
    if dx is not None:
        np.matmul(_rows(dz), workspace.room("w_in", p["w_in"].shape), out=_rows(dx))


def _step(u: np.ndarray, out: np.ndarray) -> None:
    np.greater_equal(u, 0, out=out)


def _from_before(workspace: Workspace, name: str, x: np.ndarray, units: int) -> np.ndarray:
    """An array of every step, after one for the state before the first."""
    return workspace.room(name, (len(x) + 1, x.shape[1], units))


def _rows(array: np.ndarray) -> np.ndarray:
    """All trials of all steps as one matrix."""
    return array.reshape(-1, array.shape[2])


def _add_product(
    gradient: np.ndarray,
    to: np.ndarray,
    source: np.ndarray,
    workspace: Workspace,
    factor: float = 1,
) -> None:
    """Add factor * sum over time and trials of to_i source_j."""
    product = workspace.room(f"gradient {gradient.shape}", gradient.shape)
    np.matmul(_rows(to).T, _rows(source), out=product)
    product *= factor
    gradient += product


def _known_surrogate(cell: Any) -> None:
    if not isinstance(cell.surrogate, Surrogate):
        raise ValueError(
            f"{type(cell).__name__}: surrogate is {cell.surrogate!r}; it must be a FastSigmoid, a "
            "Triangle or a Gaussian."
        )


def _not_below(cell: Any, name: str, dt: float) -> None:
    value = getattr(cell, name)
    if value < dt:
        raise ValueError(
            f"{type(cell).__name__}: {name} is {value!r} ms; it must not be below dt, {dt!r} ms."
        )


def _told_if_never_refractory(cell: LIFCell | ALIFCell, dt: float) -> None:
    if cell.t_ref > 0 and refractory_steps(cell, dt) == 0:
        warn(
            f"{type(cell).__name__}: t_ref is {cell.t_ref:g} ms, which rounds to no step of "
            f"dt = {dt:g} ms: no unit is ever refractory; t_ref=0 says so."
        )


def _check_lif(cell: LIFCell | ALIFCell) -> None:
    check_whole(f"{type(cell).__name__}: units", cell.units)
    _number(cell, "tau")
    _number(cell, "t_ref", zero=True)
    _known_surrogate(cell)
    if cell.input not in ("current", "spikes"):
        raise ValueError(
            f"{type(cell).__name__}: input is {cell.input!r}; it must be 'current' or 'spikes'."
        )
