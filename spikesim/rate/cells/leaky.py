"""Leaky units: free recurrent weights."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikesim.names import named_options
from spikesim.rate.activations import Activation
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.leaky_settings import (
    check_connections,
    check_leaky,
    initial_leaky,
    keep_connections,
    scaled,
)
from spikesim.rate.cells.leaky_step import LeakyCell, add_dense
from spikesim.rate.workspace import Workspace


@named_options()
@dataclass(frozen=True, eq=False)
class LeakyRNN(LeakyCell):
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
    tau_range : (float, float), optional
        The shortest and the longest time constant, ms, that training may lead to.
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
    tau: float | np.ndarray = 100.0
    form: Literal["r", "x"] = "r"
    activation: str | Activation = "rectified"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False
    tau_range: tuple[float, float] | None = None
    mask: np.ndarray | None = None
    fixed: np.ndarray | None = None
    radius: float = 1.0

    def __post_init__(self) -> None:
        check_leaky(self)
        check_connections(self)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        w_rec = rng.standard_normal((self.units, self.units)) / np.sqrt(self.units)
        w_rec = scaled(w_rec if self.mask is None else w_rec * self.mask, self.radius)
        p = {"w_rec": w_rec, **initial_leaky(self, inputs, rng)}
        self.constrain(p, dt)
        return p

    def _onward(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return (parameters["w_rec"].T,)

    def _back(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return (parameters["w_rec"],)

    def _add_recurrent(
        self,
        parameters: Arrays,
        dp: np.ndarray,
        r: np.ndarray,
        workspace: Workspace,
        gradients: Arrays,
    ) -> None:
        add_dense(self, gradients["w_rec"], dp, r, workspace)

    def constrain(self, parameters: Arrays, dt: float) -> None:
        """Put back 0 where the mask is 0, the fixed weights, and dt where a tau is shorter."""
        keep_connections(self, parameters["w_rec"])
        super().constrain(parameters, dt)
