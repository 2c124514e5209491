"""SubLSTM: a memory behind gates that subtract."""

from dataclasses import dataclass

import numpy as np

from spikesim.names import named_options
from spikesim.rate.cells.gates import squash
from spikesim.rate.cells.memory import MemoryCell


@named_options()
@dataclass(frozen=True)
class SubLSTM(MemoryCell):
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

    _SCALE = (0.5, 0.5, 0.5, 0.5)

    @staticmethod
    def _remember(
        gates: np.ndarray, before: np.ndarray, c: np.ndarray, s: np.ndarray, h: np.ndarray
    ) -> None:
        """Memory c, s = sigmoid(c) and rates h of one step."""
        i, f, z, o = gates
        np.multiply(f, before, out=c)
        c += z
        c -= i
        np.multiply(c, 0.5, out=s)
        squash(s, 0.5, 0.5)
        np.subtract(s, o, out=h)

    @staticmethod
    def _slopes(
        gates: np.ndarray, before: np.ndarray, s: np.ndarray, slopes: np.ndarray, ds: np.ndarray
    ) -> None:
        """As of `LSTM`."""
        np.negative(slopes[0], out=slopes[0])
        slopes[1] *= before
        np.negative(slopes[3], out=slopes[3])
        np.subtract(1, s, out=ds)
        ds *= s
