"""Leaky units: Dale's principle."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikesim.checks import check_number
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
class DaleRNN(LeakyCell):
    """Leaky units that either excite or inhibit [1]_.

    The equations are those of `LeakyRNN` with w_rec[i, j] s_j in place of w_rec[i, j]: the stored
    weights are not negative, and s_j is 1 if unit j is excitatory and -1 if it is inhibitory.

    Parameters
    ----------
    units, tau, form, activation, noise, noise_tau, train_tau, tau_range, mask, radius
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
    tau: float | np.ndarray = 100.0
    form: Literal["r", "x"] = "r"
    activation: str | Activation = "rectified"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False
    tau_range: tuple[float, float] | None = None
    mask: np.ndarray | None = None
    fixed: np.ndarray | None = None
    radius: float = 1.5
    excitatory: float | np.ndarray = 0.8

    def __post_init__(self) -> None:
        check_leaky(self)
        check_connections(self)
        _check_excitatory(self)

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

    def weights(self, parameters: Arrays) -> np.ndarray:
        """The recurrent weights with their signs."""
        return parameters["w_rec"] * self.signs.astype(parameters["w_rec"].dtype)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        w_rec = rng.gamma(2.0, size=(self.units, self.units))
        w_rec = w_rec if self.mask is None else w_rec * self.mask
        inhibitory = self.signs < 0
        e, i = w_rec[:, ~inhibitory].sum(axis=1), w_rec[:, inhibitory].sum(axis=1)
        both = (e > 0) & (i > 0)
        w_rec[np.ix_(both, inhibitory)] *= (e[both] / i[both])[:, None]
        w_rec = np.abs(scaled(w_rec * self.signs, self.radius))
        p = {"w_rec": w_rec, **initial_leaky(self, inputs, rng)}
        self.constrain(p, dt)
        return p

    def _onward(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return (self.weights(parameters).T,)

    def _back(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return (self.weights(parameters),)

    def _add_recurrent(
        self,
        parameters: Arrays,
        dp: np.ndarray,
        r: np.ndarray,
        workspace: Workspace,
        gradients: Arrays,
    ) -> None:
        add_dense(self, gradients["w_rec"], dp, r, workspace, self.signs)

    def constrain(self, parameters: Arrays, dt: float) -> None:
        """As of `LeakyRNN`, and 0 where a weight is negative."""
        np.maximum(parameters["w_rec"], 0, out=parameters["w_rec"])
        keep_connections(self, parameters["w_rec"])
        super().constrain(parameters, dt)


def _check_excitatory(cell: DaleRNN) -> None:
    given = np.asarray(cell.excitatory)
    if given.ndim and (given.shape != (cell.units,) or given.dtype != bool):
        raise ValueError(
            f"DaleRNN: excitatory has shape {given.shape} and type {given.dtype}; it must be a "
            f"share, or of shape {(cell.units,)} and type bool."
        )
    if not given.ndim:
        check_number("DaleRNN: excitatory", cell.excitatory, least=0)
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
