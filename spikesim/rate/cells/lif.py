"""Leaky integrate-and-fire units."""

from dataclasses import dataclass
from typing import Literal

from spikesim.names import named_options
from spikesim.rate.cells.membrane import MembraneCell
from spikesim.rate.surrogates import FastSigmoid, Surrogate


@named_options()
@dataclass(frozen=True)
class LIFCell(MembraneCell):
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
        self._check_settings()
