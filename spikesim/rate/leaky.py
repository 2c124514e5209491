"""Leaky recurrent networks: free, under Dale's principle, of low rank, and masks for areas.

All three take the same step and differ in what stands for the recurrent weights, so the step and
its adjoint are functions (`_forward`, `_backward`) that are told how to multiply by them.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np

from spikesim.checks import check_whole, is_number
from spikesim.moved import renamed
from spikesim.names import named_options
from spikesim.rate.activations import Activation, named
from spikesim.rate.losses import vanishing
from spikesim.rate.workspace import Workspace

Arrays = dict[str, np.ndarray]
Values = float | np.ndarray


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True, eq=False)
class LeakyRNN:
    """Leaky units with free recurrent weights.

    With a = dt / tau, the r-form is of rates [1]_,

        p_t = w_rec r_(t-1) + w_in u_t + b + xi_t
        r_t = (1 - a) r_(t-1) + a f(p_t),

    and the x-form of currents, with p of the same equation,

        x_t = (1 - a) x_(t-1) + a p_t,    r_t = f(x_t),

    by Euler's method. The rates r are what the cell gives.

    Parameters
    ----------
    units : int
        N.
    tau : float or array (units,)
        Time constants, ms; at least dt.
    form : "r" or "x"
    activation : str or activation
        f, such as "rectified", "tanh" or a `Table`.
    noise : float
        sigma, in the unit of p.
    noise_tau : float, optional
        Time constant of the noise, ms. Without one it is white.
    train_tau : bool
        Train the time constants, as ``log_tau``, the logarithm of each unit's time constant in
        ms. Where an update leads below dt it becomes dt, from which later ones may lead back.
    mask : array (units, units), optional
        1 where there may be a connection and 0 where there is none, (to, from).
    fixed : array (units, units), optional
        Recurrent weights that are not trained: those that are not 0.
    radius : float
        Spectral radius of the recurrent weights at the start.

    Notes
    -----
    Parameters: ``w_in`` (units, inputs), ``w_rec`` (units, units), ``b`` (units,) and the state
    at the start, ``r0`` or ``x0`` (units,); ``log_tau`` (units,) if it is trained. At the start the
    weights are normal, of variance 1 / inputs and, before they are scaled to the radius, 1 / N.

    White noise is xi_t = sqrt(2 / a) sigma z_t with independent standard normal z. In the x-form
    the current then fluctuates with a standard deviation of sigma / sqrt(1 - a / 2), which is
    sigma if dt is small. In the r-form it stands inside f, at a standard deviation of
    sigma sqrt(2 tau / dt): where f is linear its effect on r is the same, but where it is not, r
    depends on dt, the mean of max(xi, 0) growing as sigma sqrt(tau / (pi dt)). No limit of small
    dt exists; change sigma with dt, or give the noise a time constant. It is then the
    Ornstein-Uhlenbeck process of standard deviation sigma, started from stationarity and exact at
    the steps whatever dt is: xi_t = k xi_(t-1) + sqrt(1 - k^2) sigma z_t, k = exp(-dt / noise_tau).

    Raises
    ------
    ValueError
        If a setting is not allowed; `check` also compares it with dt and the inputs.

    References
    ----------
    .. [1] Wilson HR, Cowan JD (1972) Excitatory and inhibitory interactions in localized
       populations of model neurons. Biophys J 12:1-24.
    """

    units: int
    tau: Values = 100.0
    form: Literal["r", "x"] = "r"
    activation: str | Activation = "rectified"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False
    mask: np.ndarray | None = None
    fixed: np.ndarray | None = None
    radius: float = 1.0

    def __post_init__(self) -> None:
        _check_leaky(self)
        _check_connections(self)

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    def check(self, inputs: int, dt: float) -> None:
        """Refuse what does not fit together; `RateNetwork` calls it before it makes anything."""
        _check_tau(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        """Start values of the parameters."""
        w_rec = rng.standard_normal((self.units, self.units)) / np.sqrt(self.units)
        w_rec = _scaled(w_rec if self.mask is None else w_rec * self.mask, self.radius)
        p = {"w_rec": w_rec, **_start(self, inputs, rng)}
        self.constrain(p, dt)
        return p

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Rates (time, trials, units) to inputs (time, trials, inputs)."""
        return _forward(self, p, x, dt, rng, workspace, _product(workspace, x, p["w_rec"].T))

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
        """Add to the gradients; dy becomes the derivative by the state of each step."""
        back = _product(workspace, x, p["w_rec"])
        self._add_recurrent(
            p, *_backward(self, p, x, dy, workspace, grads, dx, back), workspace, grads
        )

    def _add_recurrent(
        self, p: Arrays, dp: np.ndarray, r: np.ndarray, workspace: Workspace, grads: Arrays
    ) -> None:
        _add_dense(self, grads["w_rec"], dp, r, workspace)

    def vanishing(
        self, p: Arrays, dy: np.ndarray, strength: float, workspace: Workspace, grads: Arrays
    ) -> float:
        """After `backward`: `spikesim.rate.losses.vanishing`, added to the recurrent gradients."""
        loss, dp, r = _vanishing(self, dy, strength, workspace, p["w_rec"])
        self._add_recurrent(p, dp, r, workspace, grads)
        return loss

    def constrain(self, p: Arrays, dt: float) -> None:
        """Put back 0 where the mask is 0, the fixed weights, and dt where a tau is shorter."""
        _constrain(self, p["w_rec"])
        _constrain_tau(self, p, dt)


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True, eq=False)
class DaleRNN:
    """Leaky units that either excite or inhibit [1]_.

    The equations are those of `LeakyRNN` with w_rec[i, j] s_j in place of w_rec[i, j]: the stored
    weights are not negative, and s_j is 1 if unit j is excitatory and -1 if it is inhibitory.

    Parameters
    ----------
    units, tau, form, activation, noise, noise_tau, train_tau, mask, radius
        As of `LeakyRNN`.
    excitatory : float or array (units,) of bool
        Share of excitatory units, which are then the first, or which they are.
    fixed : array (units, units), optional
        Recurrent weights that are not trained: those that are not 0; none is negative.

    Notes
    -----
    Parameters are those of `LeakyRNN`. At the start the recurrent weights follow a gamma
    distribution of shape 2; the inhibitory ones of each unit are scaled to balance its excitatory
    ones, then all to the spectral radius. The constraint is that negative weights become 0; it
    holds after each update, exactly.

    Raises
    ------
    ValueError
        As by `LeakyRNN`, and if all units are excitatory or none is.

    References
    ----------
    .. [1] Song HF, Yang GR, Wang X-J (2016) Training excitatory-inhibitory recurrent neural
       networks for cognitive tasks. PLoS Comput Biol 12:e1004792.
    """

    units: int
    tau: Values = 100.0
    form: Literal["r", "x"] = "r"
    activation: str | Activation = "rectified"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False
    mask: np.ndarray | None = None
    fixed: np.ndarray | None = None
    radius: float = 1.5
    excitatory: Values = 0.8

    def __post_init__(self) -> None:
        _check_leaky(self)
        _check_connections(self)
        _check_excitatory(self)

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    @property
    def signs(self) -> np.ndarray:
        """1 for excitatory units and -1 for inhibitory ones."""
        if np.ndim(self.excitatory):
            return np.where(self.excitatory, 1.0, -1.0)
        count = round(self.excitatory * self.units)
        return np.where(np.arange(self.units) < count, 1.0, -1.0)

    @property
    def excitatory_units(self) -> np.ndarray:
        """Their numbers."""
        return np.flatnonzero(self.signs > 0)

    def weights(self, p: Arrays) -> np.ndarray:
        """The recurrent weights with their signs."""
        return p["w_rec"] * self.signs.astype(p["w_rec"].dtype)

    def check(self, inputs: int, dt: float) -> None:
        """Refuse what does not fit together; `RateNetwork` calls it before it makes anything."""
        _check_tau(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        """Start values of the parameters."""
        w_rec = rng.gamma(2.0, size=(self.units, self.units))
        w_rec = w_rec if self.mask is None else w_rec * self.mask
        inhibitory = self.signs < 0
        e, i = w_rec[:, ~inhibitory].sum(axis=1), w_rec[:, inhibitory].sum(axis=1)
        both = (e > 0) & (i > 0)
        w_rec[np.ix_(both, inhibitory)] *= (e[both] / i[both])[:, None]
        w_rec = np.abs(_scaled(w_rec * self.signs, self.radius))
        p = {"w_rec": w_rec, **_start(self, inputs, rng)}
        self.constrain(p, dt)
        return p

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Rates (time, trials, units) to inputs (time, trials, inputs)."""
        return _forward(self, p, x, dt, rng, workspace, _product(workspace, x, self.weights(p).T))

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
        """Add to the gradients; dy becomes the derivative by the state of each step."""
        back = _product(workspace, x, self.weights(p))
        self._add_recurrent(
            p, *_backward(self, p, x, dy, workspace, grads, dx, back), workspace, grads
        )

    def _add_recurrent(
        self, p: Arrays, dp: np.ndarray, r: np.ndarray, workspace: Workspace, grads: Arrays
    ) -> None:
        _add_dense(self, grads["w_rec"], dp, r, workspace, self.signs)

    def vanishing(
        self, p: Arrays, dy: np.ndarray, strength: float, workspace: Workspace, grads: Arrays
    ) -> float:
        """After `backward`: `spikesim.rate.losses.vanishing`, added to the recurrent gradients."""
        loss, dp, r = _vanishing(self, dy, strength, workspace, self.weights(p))
        self._add_recurrent(p, dp, r, workspace, grads)
        return loss

    def constrain(self, p: Arrays, dt: float) -> None:
        """As of `LeakyRNN`, and 0 where a weight is negative."""
        np.maximum(p["w_rec"], 0, out=p["w_rec"])
        _constrain(self, p["w_rec"])
        _constrain_tau(self, p, dt)


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True, eq=False)
class LowRankRNN:
    """Leaky units whose recurrent weights are of low rank, m n^T / N [1]_.

    The equations are those of `LeakyRNN` with m n^T / N in place of w_rec. The product is made by
    way of the ``rank`` variables n^T r / N; the matrix (units, units) is never made.

    Parameters
    ----------
    units, tau, form, activation, noise, noise_tau, train_tau
        As of `LeakyRNN`.
    rank : int
        Number of columns of m and n.

    Notes
    -----
    Parameters: ``m`` and ``n`` (units, rank), standard normal at the start, and all of `LeakyRNN`
    but ``w_rec``.

    References
    ----------
    .. [1] Mastrogiuseppe F, Ostojic S (2018) Linking connectivity, dynamics, and computations in
       low-rank recurrent neural networks. Neuron 99:609-623.
    """

    units: int
    rank: int = 1
    tau: Values = 100.0
    form: Literal["r", "x"] = "x"
    activation: str | Activation = "tanh"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False

    def __post_init__(self) -> None:
        _check_leaky(self)
        check_whole("LowRankRNN: rank", self.rank, most=self.units)

    def __eq__(self, other: object) -> bool:
        return _same(self, other)

    def check(self, inputs: int, dt: float) -> None:
        """Refuse what does not fit together; `RateNetwork` calls it before it makes anything."""
        _check_tau(self, dt)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        """Start values of the parameters."""
        m, n = rng.standard_normal((2, self.units, self.rank))
        return {"m": m, "n": n, **_start(self, inputs, rng)}

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        """Rates (time, trials, units) to inputs (time, trials, inputs)."""
        product = _product(workspace, x, p["n"] / self.units, p["m"].T)
        return _forward(self, p, x, dt, rng, workspace, product)

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
        """Add to the gradients; dy becomes the derivative by the state of each step."""
        back = _product(workspace, x, p["m"] / self.units, p["n"].T)
        self._add_recurrent(
            p, *_backward(self, p, x, dy, workspace, grads, dx, back), workspace, grads
        )

    def _add_recurrent(
        self, p: Arrays, dp: np.ndarray, r: np.ndarray, workspace: Workspace, grads: Arrays
    ) -> None:
        dp, r = dp.reshape(-1, self.units), r.reshape(-1, self.units)
        along = workspace.room("along", (len(dp), self.rank))
        np.matmul(r, p["n"], out=along)
        grads["m"] += dp.T @ along / self.units
        np.matmul(dp, p["m"], out=along)
        grads["n"] += r.T @ along / self.units

    def vanishing(
        self, p: Arrays, dy: np.ndarray, strength: float, workspace: Workspace, grads: Arrays
    ) -> float:
        """After `backward`: `spikesim.rate.losses.vanishing`, added to the recurrent gradients."""
        loss, dp, r = _vanishing(self, dy, strength, workspace, p["m"] / self.units, p["n"].T)
        self._add_recurrent(p, dp, r, workspace, grads)
        return loss

    def constrain(self, p: Arrays, dt: float) -> None:
        """Put back dt where a tau is shorter."""
        _constrain_tau(self, p, dt)


def areas(
    units: Mapping[str, int],
    within: float = 1.0,
    between: Mapping[tuple[str, str], float] | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Mask of several areas with sparse connections between them.

    Parameters
    ----------
    units : mapping of str to int
        Of each area, which lie one behind the other in this order.
    within : float
        Probability of a connection inside an area.
    between : mapping of (from, to) to float
        Probability of a connection from one area to another; 0 for pairs that are not named.
    seed : int

    Returns
    -------
    array (units, units)
        Of 0 and 1, (to, from), for ``LeakyRNN(mask=...)``.

    Raises
    ------
    KeyError
        If there is no area of a name.
    ValueError
        If a probability does not lie between 0 and 1, or an area has no units.

    Examples
    --------
    >>> mask = areas({"v1": 50, "mt": 50}, between={("v1", "mt"): 0.1, ("mt", "v1"): 0.05})
    """
    for name, size in units.items():
        check_whole(f"areas: units of {name}", size)
    ends = np.cumsum(list(units.values()))
    places = {
        name: slice(end - size, end) for (name, size), end in zip(units.items(), ends, strict=True)
    }
    p = np.zeros((ends[-1], ends[-1]))
    for (source, target), value in [*(((a, a), within) for a in units), *(between or {}).items()]:
        for name in (source, target):
            if name not in places:
                raise KeyError(f"between names {name!r}; the areas are {', '.join(places)}.")
        if not 0 <= value <= 1:
            raise ValueError(
                f"the probability from {source} to {target} is {value!r}; it must lie between 0 "
                "and 1."
            )
        p[places[target], places[source]] = value
    return (np.random.default_rng(seed).random(p.shape) < p).astype(float)


# The step and its adjoint.

Product = Callable[[np.ndarray, np.ndarray], Any]


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
    cell: Any,
    p: Arrays,
    x: np.ndarray,
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
        r[0] = p["r0"]
        for pre_t, f_t, before, now in zip(pre, f, r[:-1], r[1:], strict=True):
            product(before, part)
            add(pre_t, part, pre_t)
            value(pre_t, f_t)
            multiply(a, f_t, part)
            multiply(keep, before, now)
            add(now, part, now)
    else:
        state = workspace.room("x", (steps + 1, *one))
        state[0] = p["x0"]
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
    cell: Any,
    p: Arrays,
    x: np.ndarray,
    d: np.ndarray,
    workspace: Workspace,
    grads: Arrays,
    dx: np.ndarray | None,
    back: Product,
) -> tuple[np.ndarray, np.ndarray]:
    """Add to all gradients but those of the recurrent weights.

    d, given as the derivative by the rates, becomes that by the state, r or x, through all later
    steps. Returned are the derivative by p of each step and the rates before it, of which the
    recurrent gradient is the product.
    """
    steps, trials, units = d.shape
    a, keep, part = (workspace.room(name, (trials, units)) for name in ("a", "keep", "part"))
    r, dp = workspace.room("r", (steps + 1, trials, units)), workspace.room("dp", d.shape)
    start = workspace.zeros("start", (trials, units))
    earlier = [*d[-2::-1], start]
    slope, add, multiply = cell.activation.slope, np.add, np.multiply
    if cell.form == "r":
        slope(workspace.room("f", d.shape), workspace.room("pre", d.shape), dp)
        dp *= a
        for dp_t, d_t, before in zip(dp[::-1], d[::-1], earlier, strict=True):
            multiply(dp_t, d_t, dp_t)
            back(dp_t, part)
            add(before, part, before)
            multiply(keep, d_t, part)
            add(before, part, before)
    else:
        state, slopes = workspace.room("x", r.shape), workspace.room("slopes", r.shape)
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
    np.matmul(flat.T, x.reshape(len(flat), -1), out=workspace.room("dw_in", p["w_in"].shape))
    grads["w_in"] += workspace.room("dw_in", p["w_in"].shape)
    grads["b"] += flat.sum(axis=0)
    grads[f"{cell.form}0"] += start.sum(axis=0)
    if dx is not None:
        np.matmul(flat, p["w_in"], out=dx.reshape(len(flat), -1))
    if cell.train_tau:
        _add_tau(cell, r if cell.form == "r" else state, d, dp, workspace, grads)
    return dp, r[:-1]


def _add_tau(
    cell: Any, state: np.ndarray, d: np.ndarray, dp: np.ndarray, workspace: Workspace, grads: Arrays
) -> None:
    """d state_t / d a = (state_t - state_(t-1)) / a, and d a / d log_tau = -a.

    So too at tau = dt, below which `constrain` lets none go: were it 0 there, none would come back.
    """
    moved = workspace.room("moved", d.shape)
    np.subtract(state[1:], state[:-1], out=moved)
    change = -np.einsum("tbn,tbn->n", d, moved)
    if cell.noise and cell.noise_tau is None:
        change += np.einsum("tbn,tbn->n", dp, workspace.room("noise", d.shape)) / 2
    grads["log_tau"] += change


def _add_dense(
    cell: Any,
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
    cell: Any, d: np.ndarray, strength: float, workspace: Workspace, *matrices: np.ndarray
) -> tuple[float, np.ndarray, np.ndarray]:
    """The regulariser, and what stands for dp and r in the gradient of the recurrent weights."""
    steps, trials, units = d.shape
    shape = (steps - 1, trials, units)
    dp, back, kept = (
        workspace.room("dp", d.shape)[1:],
        workspace.room("back", shape),
        workspace.room("kept", shape),
    )
    through = dp.reshape(-1, units)
    for matrix in matrices[:-1]:
        through = through @ matrix
    np.matmul(through, matrices[-1], out=back.reshape(-1, units))
    if cell.form == "x":
        slopes = workspace.room("slopes", (steps + 1, trials, units))[1:-1]
        back *= slopes
    np.multiply(workspace.room("keep", (trials, units)), d[1:], out=kept)
    back += kept
    loss = vanishing(d[1:], back, strength, back)
    if cell.form == "x":
        back *= slopes
    return loss, dp, back


def _a(cell: Any, p: Arrays, dt: float) -> Values:
    """dt / tau, at most 1."""
    tau = np.exp(p["log_tau"]) if cell.train_tau else np.asarray(cell.tau)
    return np.minimum(dt / tau, 1)


def _add_noise(
    cell: Any,
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


# Start values and constraints.


def _start(cell: Any, inputs: int, rng: np.random.Generator) -> Arrays:
    p = {
        "w_in": rng.standard_normal((cell.units, inputs)) / np.sqrt(inputs),
        "b": np.zeros(cell.units),
        # Not 0: units that rectify would be silent, and of slope 0, until an input arrives.
        f"{cell.form}0": np.full(cell.units, 0.1),
    }
    if cell.train_tau:
        p["log_tau"] = np.log(np.broadcast_to(cell.tau, cell.units).astype(float))
    return p


def _scaled(w: np.ndarray, radius: float) -> np.ndarray:
    """A matrix scaled to a spectral radius; without loops it has none to scale."""
    found = np.abs(np.linalg.eigvals(w)).max()
    return w * (radius / found) if found > 1e-6 * np.abs(w).max(initial=0) else w


def _constrain(cell: Any, w_rec: np.ndarray) -> None:
    if cell.mask is not None:
        w_rec *= cell.mask
    if cell.fixed is not None:
        np.copyto(w_rec, cell.fixed, where=cell.fixed != 0)


def _constrain_tau(cell: Any, p: Arrays, dt: float) -> None:
    if cell.train_tau:
        np.maximum(p["log_tau"], np.log(dt), out=p["log_tau"])


# Checks.


def _same(a: object, b: object) -> bool:
    return type(a) is type(b) and all(
        np.array_equal(getattr(a, f.name), getattr(b, f.name)) for f in fields(a)
    )


def _check_number(cell: Any, name: str, *, zero: bool = False) -> None:
    value = getattr(cell, name)
    if not is_number(value) or not (value > 0 or (zero and value == 0)):
        raise ValueError(
            f"{type(cell).__name__}: {name} is {value!r}; it must be a finite number "
            f"{'of 0 or more' if zero else 'above 0'}."
        )


def _check_leaky(cell: Any) -> None:
    """What all leaky cells have."""
    check_whole(f"{type(cell).__name__}: units", cell.units)
    _check_number(cell, "noise", zero=True)
    if cell.noise_tau is not None:
        _check_number(cell, "noise_tau")
    if cell.form not in ("r", "x"):
        raise ValueError(f"{type(cell).__name__}: form is {cell.form!r}; it must be 'r' or 'x'.")
    object.__setattr__(cell, "activation", named(cell.activation))
    tau = np.asarray(cell.tau, float)
    if tau.shape not in ((), (cell.units,)):
        raise ValueError(
            f"{type(cell).__name__}: tau has shape {tau.shape}; it must be a number or have shape "
            f"{(cell.units,)}."
        )
    if not (np.isfinite(tau) & (tau > 0)).all():
        raise ValueError(
            f"{type(cell).__name__}: tau is {cell.tau!r}; it must be above 0 ms and finite."
        )
    object.__setattr__(cell, "tau", tau if tau.ndim else float(tau))


def _check_tau(cell: Any, dt: float) -> None:
    if np.min(cell.tau) < dt:
        raise ValueError(
            f"{type(cell).__name__}: tau is {np.min(cell.tau):g} ms and dt {dt:g} ms; tau must be "
            "at least dt."
        )


def _check_connections(cell: Any) -> None:
    """Mask, fixed weights and radius."""
    kind, shape = type(cell).__name__, (cell.units, cell.units)
    _check_number(cell, "radius")
    for name in ("mask", "fixed"):
        if getattr(cell, name) is None:
            continue
        given = np.array(getattr(cell, name), float)
        if given.shape != shape:
            raise ValueError(f"{kind}: {name} has shape {given.shape}; it must have shape {shape}.")
        if not np.isfinite(given).all():
            raise ValueError(f"{kind}: {name} holds what is not finite; all of it must be finite.")
        object.__setattr__(cell, name, given)
    if cell.mask is not None:
        _check_mask(kind, cell.mask)
    if cell.mask is not None and cell.fixed is not None and (cell.fixed[cell.mask == 0] != 0).any():
        raise ValueError(f"{kind}: fixed has weights where mask is 0; there it must be 0 as well.")


def _check_mask(kind: str, mask: np.ndarray) -> None:
    if not np.isin(mask, (0, 1)).all():
        raise ValueError(f"{kind}: mask has other values than 0 and 1; it must have these alone.")
    deaf = np.flatnonzero(~mask.any(axis=1))
    if deaf.size:
        raise ValueError(
            f"{kind}: mask leaves unit {deaf[0]} without input ({deaf.size} of {len(mask)} units); "
            "every row must hold a 1."
        )


def _check_excitatory(cell: DaleRNN) -> None:
    given = np.asarray(cell.excitatory)
    if given.ndim and (given.shape != (cell.units,) or given.dtype != bool):
        raise ValueError(
            f"DaleRNN: excitatory has shape {given.shape} and type {given.dtype}; it must be a "
            f"share, or of shape {(cell.units,)} and type bool."
        )
    if not given.ndim:
        _check_number(cell, "excitatory", zero=True)
    count = len(cell.excitatory_units)
    if not 0 < count < cell.units:
        raise ValueError(
            f"DaleRNN: excitatory is {cell.excitatory!r}, which makes {count} of {cell.units} "
            "units excitatory; there must be units of both kinds."
        )
    object.__setattr__(cell, "excitatory", given if given.ndim else float(given))
    if cell.fixed is not None and (cell.fixed < 0).any():
        raise ValueError(
            f"DaleRNN: fixed has weights down to {cell.fixed.min():g}; the sign is that of the "
            "unit they come from, and they must be 0 or more."
        )
