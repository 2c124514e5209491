"""E-prop: gradients of a spiking network forwards in time, by what each synapse can know."""

from typing import Literal

import numpy as np

from spikesim.moved import renamed
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.cells.alif import ALIFCell
from spikesim.rate.cells.lif import LIFCell
from spikesim.rate.cells.membrane import adaptation, membrane, refractory_steps
from spikesim.rate.network import RateNetwork


@renamed(start="reset")
@named_options()
class EProp:
    """The online learning rule e-prop for one `LIFCell` or `ALIFCell` and its readout.

    With s_i what arrives from source i (an input, a unit, the bias) and all at step t::

        s'_i = a s'_i(t-1) + (c x_i, z_i(t-1), 1 - a)       arrivals, filtered as v is
        q'_ji = r q'_ji(t-1) + beta_j e_ji(t-1)             how the threshold of j depends on w_ji
        e_ji = psi_j (s'_i - q'_ji)                         eligibility: how z_j depends on w_ji
        f_ji = k f_ji(t-1) + (1 - k) e_ji                   filtered as the readout is
        dw_ji = sum_t L_j f_ji,  L_j = sum_o dE/dy_o B_oj   error times eligibility

    a, c, r, beta and psi are the cell's and k = exp(-dt / readout_tau) the network's, 0 without a
    time constant. What is left out of the gradient, against that through time, is how a spike
    acts on later spikes of the network through w_rec and through the reset. Hence both are equal
    where no spike comes back: at w_rec = 0, if the cell has ``detach_reset``.

    What is kept is of the size trials x units x (inputs + units + 1), whatever the number of steps.

    Parameters
    ----------
    network : RateNetwork
        Its parameters are used as they are at each step, so they may change during a trial.
    feedback : "symmetric", "random" or array (outputs, units)
        B: the readout weights, as they are at each step; normal numbers of standard deviation
        1 / sqrt(units), which stay; or those given.
    seed : int
        Of random feedback.

    Raises
    ------
    ValueError
        If the network has not exactly one cell, of these kinds, or the feedback does not fit.

    Examples
    --------
    ::

        rule.reset(trials)
        for now, wanted in zip(x, targets):
            rule.learn(2 * (rule.step(now) - wanted))
        optimizer.update(state, network.parameters, rule.gradients())

    References
    ----------
    Bellec G, Scherr F, Subramoney A, Hajek E, Salaj D, Legenstein R, Maass W (2020). A solution to
    the learning dilemma for recurrent networks of spiking neurons. Nat Commun 11:3625.
    """

    def __init__(
        self,
        network: RateNetwork,
        feedback: Literal["symmetric", "random"] | np.ndarray = "symmetric",
        seed: int = 0,
    ) -> None:
        kinds = [type(cell).__name__ for cell in network.cells]
        if kinds not in (["LIFCell"], ["ALIFCell"]):
            raise ValueError(
                f"network has the cells {kinds}; it must have one LIFCell or one ALIFCell."
            )
        self.network = network
        self._cell: LIFCell | ALIFCell = network.cells[0]
        self._feedback = self._checked(feedback, seed)
        self._keep, self._gain = membrane(self._cell, network.dt)
        self._refractory = refractory_steps(self._cell, network.dt)
        forget, beta = adaptation(self._cell, network.dt) or (0.0, np.zeros(self._cell.units))
        self._forget, self._beta = forget, beta.astype(network.dtype)
        tau = network.readout_tau
        self._hold = 0.0 if tau is None else float(np.exp(-network.dt / tau))

    def _checked(self, feedback: str | np.ndarray, seed: int) -> np.ndarray | None:
        shape = self.network.outputs, self._cell.units
        if isinstance(feedback, str):
            if feedback == "symmetric":
                return None
            if feedback != "random":
                raise ValueError(
                    f"feedback is {feedback!r}; it must be 'symmetric', 'random' or an array."
                )
            feedback = stream(seed, "random feedback").standard_normal(shape) / np.sqrt(shape[1])
        if np.shape(feedback) != shape:
            raise ValueError(
                f"feedback has shape {np.shape(feedback)}; it must be (outputs, units), {shape}."
            )
        return np.array(feedback, self.network.dtype)

    def reset(self, trials: int) -> None:
        """Begin so many trials: units at rest, nothing learned yet."""
        units, inputs, dtype = self._cell.units, self.network.inputs, self.network.dtype
        of_units, sources = (trials, units), inputs + units + 1
        self._v, self._z, self._q, self._low = (np.zeros(of_units, dtype) for _ in range(4))
        self._since = np.full(of_units, self._refractory, np.int64)  # steps since the last spike
        self._outputs = np.zeros((trials, self.network.outputs), dtype)
        self._settled = 0.0  # how far the readout of a constant has come
        self._arrived = np.zeros((trials, sources), dtype)
        self._psi = np.zeros(of_units, dtype)
        self._eligible, self._filtered, self._part = (
            np.zeros((trials, units, sources), dtype) for _ in range(3)
        )
        self._moved = np.zeros((trials, units, sources), dtype) if self._adapts else None
        self._dw = np.zeros((units, sources), dtype)
        self._d_out = {n: np.zeros_like(self.network.parameters[n]) for n in ("out.w", "out.b")}

    @property
    def _adapts(self) -> bool:
        return isinstance(self._cell, ALIFCell)

    def step(self, x: np.ndarray) -> np.ndarray:
        """The outputs (trials, outputs) after one step with the inputs x (trials, inputs)."""
        if np.shape(x) != (len(self._v), self.network.inputs):
            raise ValueError(
                f"x has shape {np.shape(x)}; it must be (trials, inputs), "
                f"{(len(self._v), self.network.inputs)}."
            )
        self._trace_arrivals(x)
        self._move_units(x)
        self._trace_synapses()
        p, hold = self.network.parameters, self._hold
        self._low += (1 - hold) * (self._z - self._low)
        self._settled += (1 - hold) * (1 - self._settled)
        self._outputs *= hold
        self._outputs += (1 - hold) * (self._z @ p["out.w"].T + p["out.b"])
        return self._outputs.copy()

    def _trace_arrivals(self, x: np.ndarray) -> None:
        inputs = self.network.inputs
        self._arrived *= self._keep
        self._arrived[:, :inputs] += self._gain * x
        self._arrived[:, inputs:-1] += self._z
        self._arrived[:, -1] += 1 - self._keep

    def _move_units(self, x: np.ndarray) -> None:
        """As `LIFCell` and `ALIFCell` do in their forward pass."""
        p, z = self.network.parameters, self._z
        self._v *= self._keep
        self._v += self._gain * (x @ p["0.w_in"].T) + (1 - self._keep) * p["0.b"]
        self._v += z @ p["0.w_rec"].T - z
        self._q *= self._forget
        self._q += self._beta * z
        u = self._v - 1 - self._q
        ready = self._since >= self._refractory
        self._cell.surrogate.slope(u, self._psi)
        self._psi *= ready
        np.multiply(u >= 0, ready, out=self._z)
        self._since += 1
        self._since[self._z > 0] = 0

    def _trace_synapses(self) -> None:
        arrived, part = self._arrived[:, None, :], self._part
        if self._adapts:
            self._moved *= self._forget
            np.multiply(self._eligible, self._beta[:, None], out=part)
            self._moved += part
            np.subtract(arrived, self._moved, out=part)
            np.multiply(self._psi[:, :, None], part, out=self._eligible)
        else:
            np.multiply(self._psi[:, :, None], arrived, out=self._eligible)
        np.subtract(self._eligible, self._filtered, out=part)
        part *= 1 - self._hold
        self._filtered += part

    def learn(self, d_outputs: np.ndarray, d_spikes: np.ndarray | None = None) -> None:
        """Add what this step says of the gradients.

        Parameters
        ----------
        d_outputs : array (trials, outputs)
            Derivative of the loss by the outputs of this step.
        d_spikes : array (trials, units), optional
            And by the units' spikes themselves.
        """
        if np.shape(d_outputs) != self._outputs.shape:
            raise ValueError(
                f"d_outputs has shape {np.shape(d_outputs)}; the outputs have shape "
                f"{self._outputs.shape}."
            )
        d_outputs = np.asarray(d_outputs, self.network.dtype)
        weights = self._feedback
        signal = d_outputs @ (self.network.parameters["out.w"] if weights is None else weights)
        self._dw += np.einsum("bj,bjm->jm", signal, self._filtered)
        if d_spikes is not None:
            self._dw += np.einsum("bj,bjm->jm", d_spikes, self._eligible)
        self._d_out["out.w"] += d_outputs.T @ self._low
        self._d_out["out.b"] += self._settled * d_outputs.sum(axis=0)

    def gradients(self) -> dict[str, np.ndarray]:
        """What was learned since `reset`, by the names of ``network.parameters``."""
        inputs = self.network.inputs
        gradients = {
            "0.w_in": self._dw[:, :inputs].copy(),
            "0.w_rec": self._dw[:, inputs:-1].copy(),
            "0.b": self._dw[:, -1].copy(),
            **{name: d.copy() for name, d in self._d_out.items()},
        }
        for name, mask in self.network.masks.items():
            gradients[name] *= mask
        for name in self.network.frozen:
            gradients[name].fill(0)
        return gradients
