"""FORCE: a chaotic network whose readout learns, while it is fed back, what to give."""

import math

import numpy as np

from spikesim.checks import check_number, check_whole
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.least_squares import RecursiveLeastSquares


@named_options()
class Force:
    """Leaky rate network with a trained, fed back readout, learned by recursive least squares.

    tau dx/dt = -x + w_rec r + w_fb z,  r = tanh(x),  z = w_out r

    by Euler steps of dt. w_rec is sparse, of zero mean and standard deviation g / sqrt(p units)
    where not 0; w_fb is uniform between -1 and 1; neither changes. w_out starts at 0 and learns
    from the error before each correction (`spikesim.rate.least_squares`). All is in float64.

    Parameters
    ----------
    units, outputs : int
    tau, dt : float
        ms; dt at most tau.
    g : float
        Gain; above 1 the network is chaotic before it learns.
    p : float
        Fraction of the units each unit hears.
    alpha : float
        Learning is quick at small values and unstable at too small ones.
    seed : int

    Attributes
    ----------
    w_rec : array (units, units)
    w_fb : array (units, outputs)
    w_out : array (outputs, units)
    x, z : arrays (units,) and (outputs,)
        State and outputs now; `learn` and `run` go on from them.

    Raises
    ------
    ValueError
        If a setting is not allowed.

    References
    ----------
    Sussillo D, Abbott LF (2009). Generating coherent patterns of activity from chaotic neural
    networks. Neuron 63:544.
    """

    def __init__(
        self,
        units: int = 500,
        outputs: int = 1,
        *,
        tau: float = 10.0,
        dt: float = 1.0,
        g: float = 1.5,
        p: float = 0.1,
        alpha: float = 1.0,
        seed: int = 0,
    ) -> None:
        self._readout = RecursiveLeastSquares(units, outputs, alpha)
        for name, value in (("tau", tau), ("dt", dt), ("g", g)):
            check_number(name, value, above=0)
        check_number("p", p, above=0, most=1)
        if dt > tau:
            raise ValueError(f"dt is {dt!r} ms; it must not be above tau, {tau!r} ms.")
        self.dt, self._rate = dt, dt / tau
        rng = stream(seed, "FORCE")
        self.w_rec = rng.standard_normal((units, units)) * (g / math.sqrt(p * units))
        self.w_rec *= rng.random((units, units)) < p
        self.w_fb = rng.uniform(-1, 1, (units, outputs))
        self.x, self.z = 0.5 * rng.standard_normal(units), np.zeros(outputs)
        self._r, self._drive = np.tanh(self.x), np.empty(units)

    @property
    def w_out(self) -> np.ndarray:
        return self._readout.w

    @w_out.setter
    def w_out(self, weights: np.ndarray) -> None:
        self._readout.w[:] = weights

    def learn(self, target: np.ndarray, every: int = 2) -> np.ndarray:
        """Go as many steps as the target has and correct the readout at every so manyth.

        Parameters
        ----------
        target : array (steps,) or (steps, outputs)
        every : int
            Steps from one correction to the next, 1 or more.

        Returns
        -------
        array (steps, outputs)
            The outputs, each before its correction.

        Raises
        ------
        ValueError
            If the target does not fit the outputs or is not finite.
        """
        target = self._checked(target)
        check_whole("every", every)
        outputs = np.empty_like(target)
        for t, wanted in enumerate(target):
            outputs[t] = self._step()
            if t % every == 0:
                self._correct(wanted)
        return outputs

    def run(self, steps: int) -> np.ndarray:
        """The outputs (steps, outputs) of so many steps without learning."""
        check_whole("steps", steps)
        return np.array([self._step().copy() for _ in range(steps)])

    def _step(self) -> np.ndarray:
        drive, x = self._drive, self.x
        np.matmul(self.w_rec, self._r, out=drive)
        drive += self.w_fb @ self.z
        drive -= x
        drive *= self._rate
        x += drive
        np.tanh(x, out=self._r)
        return np.matmul(self.w_out, self._r, out=self.z)

    def _correct(self, wanted: np.ndarray) -> None:
        self._readout.correct(self._r, self.z - wanted)
        np.matmul(self.w_out, self._r, out=self.z)

    def _checked(self, target: np.ndarray) -> np.ndarray:
        given = np.shape(target)
        target = np.asarray(target, float)
        if target.ndim == 1:
            target = target[:, None]
        if target.ndim != 2 or target.shape[1] != len(self.z) or not len(target):
            raise ValueError(
                f"target has shape {given}; it must be (steps, outputs), here "
                f"(steps, {len(self.z)}), and hold something."
            )
        if not np.isfinite(target).all():
            step = int(np.flatnonzero(~np.isfinite(target).all(axis=1))[0])
            raise ValueError(f"target is {target[step]} at step {step}; it must be finite.")
        return target
