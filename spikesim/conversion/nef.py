"""The Neural Engineering Framework: populations that stand for vectors, and compute with them."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from copy import copy
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import linalg

from spikesim.checks import check_number, check_numbers, check_whole
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
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.lif import LIF
from spikesim.description.receptors import Receptor
from spikesim.description.recording import Trace
from spikesim.description.rules import AllToAll
from spikesim.engine.simulation import Simulation, simulate
from spikesim.names import named_options
from spikesim.random import stream

ENSEMBLE = "ensemble"
DELAY = 1  # steps that a spike takes, the least of the engine
CURVE = 512  # currents at which a rate is measured
SETTLE, COUNT = 500.0, 2000.0  # ms
QUICK = 10.0  # ms, of readouts other than x
STEEPEST = 0.1  # of the range along an encoder in which a neuron goes to its highest rate
COARSE = 1.0  # ms between points of a path that are computed
PATHS, HELD, FREE = 30, 100.0, 400.0  # ms that x is held on each, and that it goes on

Flow = Callable[[np.ndarray, int], np.ndarray]  # points (points, dimensions) so many steps later


def rectified_lif(**values: Any) -> NeuronModel:
    """`LIF` of tau_m 10 ms whose total current counts only where it is positive.

    Its potential does not go below rest, from where it would come back late: half the neurons of a
    population are silent at any x, under a current of up to minus their strongest. With a `LIF` an
    oscillator of 5 Hz turns 5 % too fast or too slow.
    """
    return replace(
        LIF(receptors={}, **{"tau_m": 10.0, **values}),
        equations="dv/dt = (e_l - v) / tau_m + max(i_syn + i_offset, 0) / c_m : mV",
        method="exponential_euler",
        name="rectified LIF",
    )


@named_options()
@dataclass(frozen=True, eq=False)
class NEF:
    """How populations are made that stand for vectors x [1]_.

    rate_i(x) = f(gain_i e_i x / radius + bias_i),  x = sum_i d_i rate_i

    with encoders e_i drawn evenly from the unit sphere, f the rate (Hz) of the neuron at a constant
    current as the engine runs it, gains and biases such that neuron i falls silent where
    e_i x / radius is its intercept and fires at its highest rate where that is 1, and decoders d
    by regularised least squares.

    Parameters
    ----------
    neurons : int
        Of a population.
    tau : float
        Of its synapses, ms: exponential currents.
    max_rates : pair of float
        Hz; those of the neurons are drawn evenly from between.
    intercepts : pair of float
        Within -1 and 1; drawn evenly from between.
    noise : float
        That decoders expect of the rates, as a part of the highest.
    model : NeuronModel, optional
        Without receptors, silent without a current. Default: `rectified_lif`.
    dt : float
        ms.

    Raises
    ------
    ValueError
        If a setting is not allowed.

    References
    ----------
    .. [1] Eliasmith C, Anderson CH (2003). Neural Engineering. MIT Press.
    """

    neurons: int = 2000
    tau: float = 100.0
    max_rates: tuple[float, float] = (200.0, 400.0)
    intercepts: tuple[float, float] = (-1.0, 0.9)
    noise: float = 0.1
    model: NeuronModel = field(default_factory=rectified_lif)
    dt: float = 0.1

    def __post_init__(self) -> None:
        check_whole("NEF: neurons", self.neurons, least=2)
        for name in ("tau", "noise", "dt"):
            check_number(f"NEF: {name}", getattr(self, name), above=0)
        _check_range("max_rates", self.max_rates, above=0)
        _check_range("intercepts", self.intercepts, least=-1, below=1)
        if not isinstance(self.model, NeuronModel) or self.model.receptors:
            raise ValueError(
                f"NEF: model is {self.model!r}; it must be a NeuronModel with receptors={{}}, as "
                "the synapses are added to it."
            )
        if not self.model.current:
            raise ValueError("NEF: model names no parameter to which currents add.")


def _check_range(name: str, given: Any, **bounds: float) -> None:
    if not isinstance(given, tuple | list) or len(given) != 2 or given[0] > given[1]:
        raise ValueError(f"NEF: {name} is {given!r}; it must be a pair (low, high).")
    for value in given:
        check_number(f"NEF: {name}", value, **bounds)


@dataclass(frozen=True, eq=False)
class Ensemble:
    """A population that stands for vectors.

    Attributes
    ----------
    settings : NEF
    radius : array (dimensions,)
        Half the range of each.
    encoders : array (neurons, dimensions)
        Of length 1.
    gain, bias : arrays (neurons,)
        pA.
    currents, curve : arrays
        The rate (Hz) at each of these currents (pA).
    points : array (points, dimensions)
        Where decoders are to be right.
    """

    settings: NEF
    radius: np.ndarray
    encoders: np.ndarray
    gain: np.ndarray
    bias: np.ndarray
    currents: np.ndarray
    curve: np.ndarray
    points: np.ndarray

    @property
    def onto(self) -> np.ndarray:
        """Current (pA) of each neuron by x: (neurons, dimensions)."""
        return self.gain[:, None] * self.encoders / self.radius

    def rates(self, x: np.ndarray) -> np.ndarray:
        """Rates (points, neurons), Hz, where x (points, dimensions) stays as it is."""
        return np.interp(x @ self.onto.T + self.bias, self.currents, self.curve)

    def decoders(self, function: Callable[[np.ndarray], np.ndarray] | None = None) -> np.ndarray:
        """Decoders (outputs, neurons), per Hz, of a function of x; default: of x itself.

        D = (A' A + m s^2 I)^-1 A' Y with the rates A of m points, s the noise.
        """
        x = self.points
        y = x if function is None else np.asarray(function(x), float).reshape(len(x), -1)
        a = self.rates(x)
        s = self.settings.noise * a.max()
        gram = a.T @ a
        gram[np.diag_indices_from(gram)] += len(x) * s**2
        return linalg.solve(gram, a.T @ y, assume_a="pos").T


def ensemble(
    radius: float | np.ndarray,
    settings: NEF | None = None,
    *,
    points: np.ndarray | None = None,
    seed: int = 0,
) -> Ensemble:
    """Draw a population that stands for vectors up to a radius.

    Parameters
    ----------
    radius : float or array (dimensions,)
    settings : NEF
    points : array (points, dimensions)
        Where decoders are to be right, and between which neurons are to be sensitive: encoders then
        lead from one point to another, intercepts lie at points, and rates are highest at the
        farthest. Default: drawn evenly from within the radius.
    seed : int

    Raises
    ------
    ValueError
        A setting that is not allowed; a model that is silent, or never is.
    """
    settings = NEF() if settings is None else settings
    radius = check_numbers("radius", radius, "a number or array", above=0, dimensions=(0, 1))
    radius = np.atleast_1d(radius).astype(float)
    rng = stream(seed, "NEF")
    given = points is not None
    if not given:
        m = max(1000, 2 * settings.neurons)
        lengths = rng.random(m) ** (1 / radius.size)
        points = _directions(rng, m, radius.size) * lengths[:, None] * radius
    points = check_numbers("points", points, "an array (points, dimensions)", dimensions=(2,))
    if points.shape[1] != radius.size:
        raise ValueError(f"points has shape {points.shape}; it must be (points, {radius.size}).")
    currents, curve = rate_curve(settings.model, settings.max_rates[1], settings.dt)
    highest = rng.uniform(*settings.max_rates, settings.neurons)
    begins = currents[np.flatnonzero(curve == 0)[-1]]
    firing = curve > 0
    full = np.interp(highest, curve[firing], currents[firing])
    if given:
        encoders, intercepts, top = _from_points(rng, points / radius, settings.neurons)
    else:
        encoders, top = _directions(rng, settings.neurons, radius.size), 1.0
        intercepts = rng.uniform(*settings.intercepts, settings.neurons)
    gain = (full - begins) / (top - intercepts)
    bias = begins - gain * intercepts
    return Ensemble(settings, radius, encoders, gain, bias, currents, curve, points)


def _from_points(
    rng: np.random.Generator, x: np.ndarray, neurons: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Encoders from one point to another, intercepts at points, and how far points lie that way."""
    one, other, where = rng.integers(len(x), size=(3, neurons))
    encoders = x[one] - x[other] + 1e-3 * rng.standard_normal((neurons, x.shape[1]))
    encoders /= np.linalg.norm(encoders, axis=1, keepdims=True)
    along = x @ encoders.T
    low, top = along.min(axis=0), along.max(axis=0)
    intercepts = np.minimum(along[where, np.arange(neurons)], top - STEEPEST * (top - low))
    return encoders, intercepts, top


def _directions(rng: np.random.Generator, count: int, dimensions: int) -> np.ndarray:
    x = rng.standard_normal((count, dimensions))
    return x / np.linalg.norm(x, axis=1, keepdims=True)


def rate_curve(model: NeuronModel, most: float, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """Constant currents (pA) and the rates (Hz) at them, up to a rate, as the engine runs a model.

    Counted over 2 s after half a second. From the first decrease on the curve is kept level.

    Raises
    ------
    ValueError
        A model that fires without a current, or nowhere up to 1e5 pA as fast as ``most``.
    """
    coarse = np.concatenate([[0.0], np.geomspace(1.0, 1e5, CURVE - 1)])
    rates = _measured(model, coarse, dt)
    if rates[0] > 0:
        raise ValueError(
            f"{model.name} fires at {rates[0]:g} Hz without a current; lower its constant current, "
            "so that neurons can be silent."
        )
    above = np.flatnonzero(rates > 1.05 * most)
    if not above.size:
        raise ValueError(
            f"{model.name} fires at {rates.max():g} Hz at most; max_rates must be below."
        )
    last = np.flatnonzero(rates[: above[0]] == 0)[-1]
    fine = np.linspace(coarse[last], coarse[above[0]], CURVE)
    return fine, np.maximum.accumulate(_measured(model, fine, dt))


def _measured(model: NeuronModel, currents: np.ndarray, dt: float) -> np.ndarray:
    network = Network()
    network.population("probe", currents.size, model)
    network.drive("probe", Current(currents))
    result = simulate(network, SETTLE + COUNT, dt=dt)
    late = result.spikes["probe"].restrict(SETTLE, SETTLE + COUNT)
    return np.bincount(late.neurons, minlength=currents.size) * (1000 / COUNT)


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
        inputs = {f"u{d}": _held(column) for d, column in enumerate(columns)}
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


def open_loop(
    made: Ensemble,
    decoders: np.ndarray,
    flow: Flow,
    start: np.ndarray,
    orbit: bool,
    seed: int,
) -> tuple[np.ndarray, dict[str, np.ndarray]]:
    """What the population, driven along the flow, gives for x, and its variables held at a start.

    Returns G of decoded = G x: neurons follow a current that changes neither at once nor in full.
    From each of some points x is held for a while, then goes on; what the synapse holds is right
    when it goes. So G counts slow errors in part alone (three quarters at a tau of 100 ms): with
    all of them, and with the closed loop's noise added too, oscillators of 5 Hz kept their phase
    less well.
    """
    settings, dimensions = made.settings, made.radius.size
    tau, dt = settings.tau, settings.dt
    held, free = round(HELD / dt), round(FREE / dt)
    path = _paths(made, flow, start if orbit and start.any() else None, seed)
    x = path.reshape(-1, dimensions)
    network = Network(seed, "open loop")
    driven = {f"x{d}": _held(made.onto[:, d]) for d in range(dimensions)}
    model = replace(settings.model, receptors=driven)
    population = network.population(ENSEMBLE, settings.neurons, model)
    network.drive(population, Current(made.bias))
    held_last = np.concatenate([x, np.tile(start, (held, 1))])
    for d in range(dimensions):
        network.drive(population, Sampled(held_last[:, d], dt), receptor=f"x{d}")
    readout = add_readout(network, population, decoders, 0.0, tau, DELAY * dt)
    simulation = Simulation(network, dt=dt, record=[Trace(readout, OUTPUT, dt)], spikes=False)
    simulation.run(len(held_last) * dt)
    z = simulation.traces[NAME, OUTPUT].values[: len(x)].reshape(PATHS, held + free, dimensions)
    # Sample k is taken when x_(k+1) begins to be held.
    z, x = z[:, held - 1 : -1], path[:, held:]
    forgotten = np.exp(-dt / tau * np.arange(free))[None, :, None]
    z = (z + forgotten * (x - z)[:, :1]).reshape(-1, dimensions)
    x = x.reshape(-1, dimensions)
    gain = linalg.solve(x.T @ x, x.T @ z, assume_a="pos").T
    names = settings.model.dynamics.derivatives
    return gain, {name: simulation.get(ENSEMBLE, name) for name in names}


def _paths(made: Ensemble, flow: Flow, start: np.ndarray | None, seed: int) -> np.ndarray:
    """Where x is held and where it goes (paths, steps, dimensions): from points of the population.

    With a start, half of the paths make one that begins there.
    """
    dt = made.settings.dt
    held, rows = round(HELD / dt), round(FREE / COARSE)
    each = round(COARSE / dt)
    first = stream(seed, "open loop").choice(made.points, PATHS)
    marks = np.empty((rows + 1, PATHS, first.shape[1]))
    marks[0] = first
    for k in range(rows):
        marks[k + 1] = flow(marks[k], each)
    if start is not None:
        now = start[None]
        for path in range(PATHS // 2):
            for k in range(rows + 1):
                marks[k, path] = now[0]
                now = flow(now, each) if k < rows else now
    part = np.arange(each)[:, None, None] / each
    between = marks[:-1, None] * (1 - part) + marks[1:, None] * part
    free = between.reshape(-1, *first.shape)
    return np.concatenate([np.repeat(marks[:1], held, axis=0), free]).swapaxes(0, 1)


def _held(onto: np.ndarray) -> Receptor:
    """A current that lasts as long as its input, and reaches each neuron by its encoder."""
    return Receptor(
        "",
        current="onto_{r} * w_{r}",
        parameters={"onto_{r}": "0 pA"},
        values={"onto_{r}": onto},
    )


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
