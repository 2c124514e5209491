"""Populations that follow dynamics, corrected for their synapses."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import linalg

from spikesim.checks import check_numbers
from spikesim.conversion.nef.ensemble import NEF, Ensemble, ensemble
from spikesim.conversion.nef.open_loop import DELAY, ENSEMBLE, Flow, held_current, open_loop
from spikesim.conversion.readout_neurons import (
    NAME,
    OUTPUT,
    RECEPTOR,
    add_readout,
    synapse,
    weight_per_hz,
)
from spikesim.description.inputs import Current, Sampled
from spikesim.description.network import Network
from spikesim.description.receptors import Receptor
from spikesim.description.recording import Trace
from spikesim.description.rules import AllToAll
from spikesim.engine.simulation import simulate

QUICK = 10.0  # ms, of readouts other than x


@dataclass(frozen=True, eq=False)
class NEFNetwork:
    """A network that is a dynamical system.

    Attributes
    ----------
    network : Network
        Of "ensemble", recurrent, and "readout", whose variable "z" is the output. Input d arrives
        at the receptor "u0", "u1", ... of "ensemble": drive it by `Sampled` in each step.
    dt : float
        ms at which it is to be run: the weights hold for this step alone.
    ensemble : Ensemble
    decoders : array (outputs, neurons)
        Of the readout, per Hz.
    """

    network: Network
    dt: float
    ensemble: Ensemble
    decoders: np.ndarray

    def run(
        self,
        duration: float,
        u: np.ndarray | None = None,
        *,
        every: float = 1.0,
        seed: int | None = None,
    ) -> np.ndarray:
        """The outputs (times, outputs) every so many ms.

        Parameters
        ----------
        duration : float
            ms.
        u : array (bins,) or (bins, inputs)
            Inputs, each held for ``every`` ms.
        every : float
        seed : int
        """
        network = copy(self.network)
        network.inputs = dict(network.inputs)
        if u is not None:
            u = check_numbers("u", u, "an array (bins,) or (bins, inputs)", dimensions=(1, 2))
            for d, values in enumerate(u.reshape(len(u), -1).T):
                for name, population in network.populations.items():
                    if f"u{d}" in population.model.receptors:
                        network.drive(name, Sampled(values, every), receptor=f"u{d}")
        trace = Trace(network.populations[NAME], OUTPUT, every)
        result = simulate(network, duration, dt=self.dt, record=[trace], seed=seed, spikes=False)
        return result.traces[NAME, OUTPUT].values


def linear_system(
    a: np.ndarray,
    b: np.ndarray | None = None,
    radius: float | np.ndarray = 1.0,
    settings: NEF | None = None,
    *,
    start: np.ndarray | None = None,
    seed: int = 0,
) -> NEFNetwork:
    """A population that follows x' = a x + b u.

    Parameters
    ----------
    a : array (dimensions, dimensions)
        1/ms.
    b : array (dimensions, inputs), optional
        1/ms.
    radius, settings, seed
        As of `ensemble`.
    start : array (dimensions,)
        x at 0 ms; default 0.

    Notes
    -----
    In steps of dt a synapse keeps k = exp(-dt / tau) of its current, and what the population does
    in a step arrives d = 1 steps after the next begins. So that x_(n+1) = M x_n with
    M = exp(a dt), what is decoded must be M^d (M - k) x / (1 - k), and what comes in is multiplied
    by 1 + d (1 - k) [1]_ [2]_. The form for continuous time, tau a + 1, lets an oscillator of 5 Hz
    grow: by a half in 1 s at a dt of 1 ms.

    References
    ----------
    .. [1] Voelker AR, Eliasmith C (2018). Improving spiking dynamical networks: accurate delays,
       higher-order synapses, and time cells. Neural Comput 30:569.
    .. [2] Bekolay T et al. (2014). Nengo: a Python tool for building large-scale functional brain
       models. Front Neuroinform 7:48. For steps without the delay d.

    Examples
    --------
    An oscillator of 5 Hz:

    >>> turn = 2 * np.pi * 5 / 1000
    >>> made = linear_system([[0, turn], [-turn, 0]], start=[1, 0], seed=1)
    >>> x = made.run(1000.0)
    """
    a = check_numbers("a", a, "an array (dimensions, dimensions)", dimensions=(2,))
    if a.shape[0] != a.shape[1]:
        raise ValueError(f"a has shape {a.shape}; it must be square.")
    made = ensemble(np.broadcast_to(radius, len(a)), settings, seed=seed)
    dt = made.settings.dt

    @functools.cache
    def onward(steps: int) -> np.ndarray:
        return linalg.expm(a * steps * dt).T

    return _system(made, lambda x, steps: x @ onward(steps), b, start=start, seed=seed)


def dynamical_system(
    f: Callable[[np.ndarray], np.ndarray],
    made: Ensemble,
    b: np.ndarray | None = None,
    *,
    direct: np.ndarray | None = None,
    output: Callable[[np.ndarray], np.ndarray] | None = None,
    output_tau: float | None = None,
    start: np.ndarray | None = None,
    orbit: bool = True,
    seed: int = 0,
) -> NEFNetwork:
    """A population that follows x' = f(x) + b u.

    Parameters
    ----------
    f : function
        Of points (points, dimensions), what x changes by in a ms there.
    made : Ensemble
    b, start, seed
        As of `linear_system`, whose discrete form is taken with the flow of f over a step for M.
    direct : array (dimensions, inputs), optional
        Instead of b: x is what follows x' = f(x), and ``direct`` u on top of it, at once.
    output : function
        Of points: what is read out (points, outputs). Default: x.
    output_tau : float, optional
        Of ``output``, low-pass filtered by this time constant (ms). Without one, what the filter of
        10 ms makes late is made up for where f alone moves x.
    orbit : bool
        Whether x goes on from ``start`` without inputs, so that weights are to be right there
        above all.
    """
    if b is not None and direct is not None:
        raise ValueError("b and direct are both given; inputs come by one of them.")

    def flow(x: np.ndarray, steps: int) -> np.ndarray:
        """One step of Runge and Kutta."""
        h = made.settings.dt * steps
        k1 = f(x)
        k2 = f(x + h / 2 * k1)
        k3 = f(x + h / 2 * k2)
        return x + h / 6 * (k1 + 2 * k2 + 2 * k3 + f(x + h * k3))

    return _system(made, flow, b, direct, output, output_tau, start, orbit, seed)


def _system(
    made: Ensemble,
    flow: Flow,
    b: np.ndarray | None,
    direct: np.ndarray | None = None,
    output: Callable[[np.ndarray], np.ndarray] | None = None,
    output_tau: float | None = None,
    start: np.ndarray | None = None,
    orbit: bool = True,
    seed: int = 0,
) -> NEFNetwork:
    settings, dimensions = made.settings, made.radius.size
    tau, dt = settings.tau, settings.dt
    kept = math.exp(-dt / tau)
    b = np.zeros((dimensions, 0)) if b is None else _column("b", b, dimensions)
    start = np.zeros(dimensions) if start is None else _column("start", start, dimensions)[:, 0]
    decoders = made.decoders(_lead(flow, kept))
    gain, init = open_loop(made, decoders, flow, start, orbit, seed)
    decoders = linalg.solve(gain, decoders)
    jump = b * (dt * (1 + DELAY * (1 - kept)))  # by which a step of u = 1 moves x
    inputs = _inputs(tau, made.onto @ jump)
    if direct is not None:
        columns = (made.onto @ _column("direct", direct, dimensions)).T
        inputs = {f"u{d}": held_current(column) for d, column in enumerate(columns)}
    model = replace(settings.model, receptors={RECEPTOR: synapse(0.0, tau), **inputs})
    network = Network(seed, "NEF")
    begin = {**init, f"i_{RECEPTOR}": made.onto @ start}
    population = network.population(ENSEMBLE, settings.neurons, model, begin)
    network.drive(population, Current(made.bias), name="bias")
    weight = (made.onto @ decoders).T * weight_per_hz(0.0, tau)
    network.connect(
        population, population, AllToAll(), weight=weight, delay=DELAY * dt, receptor=RECEPTOR
    )
    if output is None:  # what is read out is what is fed back
        out_tau, first, inputs = tau, start, _inputs(tau, jump)
    else:
        out_tau, first, inputs = output_tau or QUICK, np.ravel(output(start[None])), {}
        decoders = made.decoders(
            output if output_tau else _lead(flow, math.exp(-dt / out_tau), output)
        )
    first = {f"i_{RECEPTOR}": first}
    add_readout(network, population, decoders, 0.0, out_tau, DELAY * dt, first, inputs)
    return NEFNetwork(network, dt, made, decoders)


def _lead(flow: Flow, kept: float, output: Callable = lambda x: x) -> Callable:
    """What a synapse that keeps so much in a step must be given so that it follows the output."""

    def decoded(x: np.ndarray) -> np.ndarray:
        return (output(flow(x, DELAY + 1)) - kept * output(flow(x, DELAY))) / (1 - kept)

    return decoded


def _inputs(tau: float, jumps: np.ndarray) -> dict[str, Receptor]:
    """Receptors of the inputs, whose current jumps by these [neuron, input] for a step of 1."""
    return {f"u{d}": _input(tau, jump) for d, jump in enumerate(jumps.T)}


def _input(tau: float, jump: np.ndarray) -> Receptor:
    """Filtered as the synapses are, so that an input counts at once by its derivative."""
    return Receptor(
        "",
        equations="ds_{r}/dt = -s_{r} / tau_{r}",
        current="jump_{r} * s_{r}",
        arrival="s_{r} += w",
        parameters={"tau_{r}": "5 ms", "jump_{r}": "0 pA"},
        values={"tau_{r}": tau, "jump_{r}": jump},
    )


def _column(name: str, given: Any, dimensions: int) -> np.ndarray:
    array = check_numbers(name, given, "an array", dimensions=(1, 2))
    array = array[:, None] if array.ndim == 1 else array
    if len(array) != dimensions:
        raise ValueError(
            f"{name} has shape {np.shape(given)}; it must have {dimensions} rows, as x has "
            f"{dimensions} dimensions."
        )
    return array
