"""Leaky units: recurrent weights of low rank."""

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikesim.checks import check_whole
from spikesim.names import named_options
from spikesim.rate.activations import Activation
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.leaky_settings import check_leaky, initial_leaky
from spikesim.rate.cells.leaky_step import LeakyCell
from spikesim.rate.workspace import Workspace


@named_options()
@dataclass(frozen=True, eq=False)
class LowRankRNN(LeakyCell):
    """Leaky units whose recurrent weights are of low rank, m n^T / N [1]_.

    The equations are those of `LeakyRNN` with m n^T / N in place of w_rec. The product is made by
    way of the ``rank`` variables n^T r / N; the matrix (units, units) is never made.

    Parameters
    ----------
    units, tau, form, activation, noise, noise_tau, train_tau, tau_range
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
    tau: float | np.ndarray = 100.0
    form: Literal["r", "x"] = "x"
    activation: str | Activation = "tanh"
    noise: float = 0.0
    noise_tau: float | None = None
    train_tau: bool = False
    tau_range: tuple[float, float] | None = None

    def __post_init__(self) -> None:
        check_leaky(self)
        check_whole("LowRankRNN: rank", self.rank, most=self.units)

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        m, n = rng.standard_normal((2, self.units, self.rank))
        return {"m": m, "n": n, **initial_leaky(self, inputs, rng)}

    def _onward(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return parameters["n"] / self.units, parameters["m"].T

    def _back(self, parameters: Arrays) -> tuple[np.ndarray, ...]:
        return parameters["m"] / self.units, parameters["n"].T

    def _add_recurrent(
        self,
        parameters: Arrays,
        dp: np.ndarray,
        r: np.ndarray,
        workspace: Workspace,
        gradients: Arrays,
    ) -> None:
        dp, r = dp.reshape(-1, self.units), r.reshape(-1, self.units)
        along = workspace.room("along", (len(dp), self.rank))
        np.matmul(r, parameters["n"], out=along)
        gradients["m"] += dp.T @ along / self.units
        np.matmul(dp, parameters["m"], out=along)
        gradients["n"] += r.T @ along / self.units
