"""LSTM: a memory behind gates that multiply."""

from dataclasses import dataclass

import numpy as np

from spikesim.names import named_options
from spikesim.rate.cells.memory import MemoryCell


@named_options()
@dataclass(frozen=True)
class LSTM(MemoryCell):
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

    # Sigmoids for i, f and o, a tanh for g.
    _SCALE = (0.5, 0.5, 1.0, 0.5)

    @staticmethod
    def _remember(
        gates: np.ndarray, before: np.ndarray, c: np.ndarray, s: np.ndarray, h: np.ndarray
    ) -> None:
        """Memory c, s = tanh(c) and rates h of one step; h also holds i g on the way."""
        i, f, g, o = gates
        np.multiply(f, before, out=c)
        np.multiply(i, g, out=h)
        c += h
        np.tanh(c, out=s)
        np.multiply(o, s, out=h)

    @staticmethod
    def _slopes(
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
