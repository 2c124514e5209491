"""Leaky integrate-and-fire units whose threshold adapts."""

from dataclasses import dataclass
from typing import Literal

from spikesim.checks import check_number
from spikesim.names import named_options
from spikesim.rate.cells.membrane import MembraneCell
from spikesim.rate.cells.spikes import check_not_below
from spikesim.rate.surrogates import FastSigmoid, Surrogate


@named_options()
@dataclass(frozen=True)
class ALIFCell(MembraneCell):
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
        self._check_settings()
        check_number("ALIFCell: tau_adapt", self.tau_adapt, above=0)
        check_number("ALIFCell: beta", self.beta, above=0)
        check_number("ALIFCell: adaptive", self.adaptive, least=0, most=1)

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """As of `LIFCell`, and q."""
        return {**super().states, "q": (self.units,)}

    def check(self, inputs: int, dt: float) -> None:
        super().check(inputs, dt)
        check_not_below(self, "tau_adapt", dt)
