"""FORCE on spiking networks: a readout that learns, fed back, until the network runs by itself."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from scipy import sparse

from spikesim.checks import as_floats, check_number, check_numbers, check_whole
from spikesim.conversion.readout_neurons import (
    NAME,
    OUTPUT,
    RECEPTOR,
    add_readout,
    synapse,
    weight_per_hz,
)
from spikesim.description.distributions import Uniform
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.izhikevich import Izhikevich2007
from spikesim.description.neurons.lif import LIF
from spikesim.description.receptors import Receptor
from spikesim.description.recording import Trace
from spikesim.description.rules import AllToAll, OneToOne
from spikesim.engine.simulation import Simulation, simulate
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.least_squares import RecursiveLeastSquares

NEURONS, OWN = "neurons", "own"


@named_options()
@dataclass(frozen=True, eq=False)
class SpikingForce:
    """A spiking network to be trained by FORCE [1]_, and how.

    i_j = sum_k static_jk r_k + q eta_j z,  z = phi r

    with r the rates (Hz): spikes filtered by a synapse of area 1. The static weights have the
    standard deviation g / (p sqrt(neurons)) where not 0; eta is uniform between -1 and 1. Both
    stay; phi starts at 0 and learns. `SpikingForce.lif` and `SpikingForce.izhikevich` have the
    values of the publication but where they say otherwise: with weights as weak as there, what was
    learned is given well, but its phase wanders off within seconds.

    Parameters
    ----------
    model : NeuronModel
        Without receptors: what arrives is a current (pA).
    g : float
        Strength of the static weights, pA per Hz.
    q : float
        Strength of the feedback, pA.
    neurons : int
    p : float
        Fraction of the neurons that each neuron hears.
    balanced : bool
        Whether the static weights of each neuron add up to 0.
    static : array (neurons, neurons), optional
        Static weights of one's own (pA per Hz), [target, source], instead of drawn ones.
    alpha : float
        Of recursive least squares (Hz^2). Learning is quick at small values and unstable at too
        small ones.
    every : float
        ms from one correction to the next.
    tau_rise, tau_decay : float
        Of the synapses, ms.
    dt : float
        ms.

    Raises
    ------
    ValueError
        If a setting is not allowed.

    References
    ----------
    .. [1] Nicola W, Clopath C (2017). Supervised learning in spiking neural networks with FORCE
       training. Nat Commun 8:2208.
    """

    model: NeuronModel
    g: float
    q: float
    neurons: int = 2000
    p: float = 0.1
    balanced: bool = False
    static: np.ndarray | None = None
    alpha: float = 2e5
    every: float = 2.5
    tau_rise: float = 2.0
    tau_decay: float = 20.0
    dt: float = 0.05

    def __post_init__(self) -> None:
        if not isinstance(self.model, NeuronModel) or self.model.receptors:
            raise ValueError(
                f"SpikingForce: model is {self.model!r}; it must be a NeuronModel with "
                "receptors={}, as the synapses are added to it."
            )
        check_whole("SpikingForce: neurons", self.neurons)
        for name in ("alpha", "every", "tau_rise", "tau_decay", "dt"):
            check_number(f"SpikingForce: {name}", getattr(self, name), above=0)
        for name in ("g", "q"):
            check_number(f"SpikingForce: {name}", getattr(self, name), least=0)
        check_number("SpikingForce: p", self.p, above=0, most=1)
        if self.tau_rise >= self.tau_decay:
            raise ValueError(
                f"SpikingForce: tau_rise is {self.tau_rise!r} ms; it must be below tau_decay, "
                f"{self.tau_decay!r} ms."
            )
        steps = self.every / self.dt
        if abs(steps - round(steps)) > 1e-6 or steps < 0.5:
            raise ValueError(
                f"SpikingForce: every is {self.every!r} ms; it must be a multiple of dt, "
                f"{self.dt!r} ms."
            )
        if self.static is not None:
            static = check_numbers("SpikingForce: static", self.static, "an array", dimensions=(2,))
            if static.shape != (self.neurons, self.neurons):
                raise ValueError(
                    f"SpikingForce: static has shape {static.shape}; it must be (neurons, neurons),"
                    f" here {(self.neurons, self.neurons)}."
                )
            object.__setattr__(self, "static", static)

    @classmethod
    def lif(cls, **changes: Any) -> SpikingForce:
        """Leaky integrate-and-fire neurons that rest at their threshold.

        tau_m 10 ms, t_ref 2 ms, reset -65, threshold and bias -40 mV, dt 0.05 ms: with a capacity
        of 10 pF a current of 1 pA is what the publication calls 1 mV. g is 0.08, there 0.04, and q
        80, there 10.
        """
        model = LIF(
            tau_m=10.0, c_m=10.0, e_l=-40.0, v_th=-40.0, v_reset=-65.0, t_ref=2.0, receptors={}
        )
        model = replace(model, initial={"v": Uniform(-65.0, 30.0)})
        return cls(**{"model": model, "g": 0.08, "q": 80.0, "balanced": True, **changes})

    @classmethod
    def izhikevich(cls, **changes: Any) -> SpikingForce:
        """Izhikevich's neurons with adaptation.

        C 250 pF, k 2.5, v_r -60, v_t -19.2, peak 30, reset -65 mV, a 0.01, b -2 nS, d 200 pA, bias
        1000 pA, dt 0.04 ms, as in the code of the publication (the text has b 0 and v_t -20). g is
        10, there 5 (5e3 with rates per ms), q 1e4, there 5e3, alpha 2e6 Hz^2, there 5e5, and
        corrections come every 2.4 ms, there 0.8.
        """
        model = Izhikevich2007(
            c_m=250.0,
            k=2.5,
            v_r=-60.0,
            v_t=-19.2,
            v_peak=30.0,
            a=0.01,
            b=-2.0,
            c=-65.0,
            d=200.0,
            i_offset=1000.0,
            receptors={},
        )
        model = replace(model, initial={"v": Uniform(-60.0, 30.0)})
        given = {"model": model, "g": 10.0, "q": 1e4, "alpha": 2e6, "dt": 0.04, "every": 2.4}
        return cls(**{**given, **changes})


@dataclass(frozen=True, eq=False)
class ForceResult:
    """What `train_force` leaves.

    Attributes
    ----------
    network : Network
        Runs by itself: "neurons", the feedback folded into their synapses as q eta phi, and
        "readout", whose variable "z" is the output. It starts where learning ended.
    dt : float
        Step (ms) at which it was trained and is to be run.
    eta : array (neurons, outputs)
    phi : array (outputs, neurons)
        Decoders, per Hz.
    outputs : array (corrections, outputs)
        While learning, each before its correction.
    rate : float
        Mean rate while learning, Hz.
    seconds : float
        That learning took.
    """

    network: Network
    dt: float
    eta: np.ndarray
    phi: np.ndarray
    outputs: np.ndarray
    rate: float
    seconds: float

    def run(self, duration: float, *, every: float = 1.0, seed: int | None = None) -> np.ndarray:
        """The outputs (times, outputs) of the network by itself, every so many ms."""
        trace = Trace(self.network.populations[NAME], OUTPUT, every)
        result = simulate(
            self.network, duration, dt=self.dt, record=[trace], seed=seed, spikes=False
        )
        return result.traces[NAME, OUTPUT].values


def train_force(
    target: np.ndarray,
    settings: SpikingForce | None = None,
    *,
    before: float = 5000.0,
    seed: int = 0,
) -> ForceResult:
    """Train a spiking network on the engine to give a target by itself.

    Parameters
    ----------
    target : array (corrections,) or (corrections, outputs)
        What the output is to be at the end of each interval of ``settings.every`` ms.
    settings : SpikingForce
        Default: ``SpikingForce.lif()``.
    before : float
        ms without feedback before learning begins.
    seed : int

    Returns
    -------
    ForceResult

    Raises
    ------
    ValueError
        A target that is empty, of another shape or not finite.

    Notes
    -----
    In the publication the feedback follows the filtered spikes in each step. Here it does so in
    the network that results; while learning, each neuron carries z and its slow part y,

    z' = -z / tau_rise + y,  y' = -y / tau_decay + u

    which are set right at each correction, and u, what the spikes bring, is taken on from
    the two last intervals in a straight line. To hold z instead makes the feedback late, which
    costs the network its frequency once it is on its own.

    Examples
    --------
    >>> t = 2.5 * np.arange(1, 2001)
    >>> trained = train_force(np.sin(2 * np.pi * t / 200), SpikingForce.lif(), seed=1)
    >>> z = trained.run(5000.0)
    """
    settings = SpikingForce.lif() if settings is None else settings
    if not isinstance(settings, SpikingForce):
        raise TypeError(f"settings is {settings!r}; it must be a SpikingForce.")
    target = _checked(target)
    check_number("before", before, least=0)
    check_whole("seed", seed, least=None)
    loop = _Loop(settings, target.shape[1], seed)
    loop.simulation.run(before)
    start, spikes = time.perf_counter(), loop.simulation.counts[NEURONS]
    outputs = np.array([loop.correct(wanted) for wanted in target])
    seconds = time.perf_counter() - start
    spikes = loop.simulation.counts[NEURONS] - spikes
    rate = spikes / settings.neurons / (len(target) * settings.every) * 1000
    network = _trained(settings, loop, seed)
    return ForceResult(network, settings.dt, loop.eta, loop.readout.w, outputs, rate, seconds)


class _Loop:
    """The network while it learns: its feedback is no synapse but variables that are set."""

    def __init__(self, settings: SpikingForce, outputs: int, seed: int) -> None:
        rng = stream(seed, "FORCE of spiking neurons")
        self.settings = settings
        self.static = _static(settings, rng)
        self.eta = rng.uniform(-1, 1, (settings.neurons, outputs))
        self.readout = RecursiveLeastSquares(settings.neurons, outputs, settings.alpha)
        network = Network(seed)
        network.population(NEURONS, settings.neurons, _learning(settings, self.eta))
        _connect_static(network, self.static, settings)
        weight = weight_per_hz(settings.tau_rise, settings.tau_decay)
        own = {"weight": weight, "delay": settings.dt, "receptor": OWN}
        network.connect(NEURONS, NEURONS, OneToOne(), **own)
        self.simulation = Simulation(network, dt=settings.dt, spikes=False)
        self._slow, self._u = np.zeros(settings.neurons), np.zeros(outputs)

    def rates(self) -> tuple[np.ndarray, np.ndarray]:
        """The filtered spikes r of all neurons, and their slow part s: r' = -r / tau_rise + s."""
        r, x = (self.simulation.get(NEURONS, f"{part}_{OWN}") for part in "ix")
        return r, (r + x) * _gap(self.settings)

    def correct(self, wanted: np.ndarray) -> np.ndarray:
        """Go an interval on and correct the readout; the output before the correction."""
        tau = self.settings.tau_decay
        self.simulation.run(self.settings.every)
        r, slow = self.rates()
        before = self.readout.w @ r
        self.readout.correct(r, before - wanted)
        phi, kept = self.readout.w, math.exp(-self.settings.every / tau)
        u = phi @ (slow - kept * self._slow) / (tau * (1 - kept))
        fed = {"z": phi @ r, "y": phi @ slow, "u": 2 * u - self._u}
        self._slow, self._u = slow, u
        values = {f"{name}_{d}": float(x[d]) for name, x in fed.items() for d in range(x.size)}
        self.simulation.set(NEURONS, **values)
        return before


def _gap(settings: SpikingForce) -> float:
    return 1 / settings.tau_rise - 1 / settings.tau_decay


def _learning(settings: SpikingForce, eta: np.ndarray) -> NeuronModel:
    """The model, each neuron with a receptor for its own spikes, and the feedback as a current."""
    own = synapse(settings.tau_rise, settings.tau_decay)
    outputs = range(eta.shape[1])
    lines = [
        f"""dz_{d}/dt = -z_{d} / {settings.tau_rise!r} + y_{d}
        dy_{d}/dt = -y_{d} / {settings.tau_decay!r} + u_{d}"""
        for d in outputs
    ]
    feedback = Receptor(
        "pA",
        equations="\n".join(lines),
        current=" + ".join(f"eta_{d} * z_{d}" for d in outputs),
        parameters={f"eta_{d}": "0 pA" for d in outputs} | {f"u_{d}": "0" for d in outputs},
        values={f"eta_{d}": settings.q * eta[:, d] for d in outputs},
    )
    receptors = {RECEPTOR: own, OWN: replace(own, current=""), "feedback": feedback}
    return replace(settings.model, receptors=receptors)


def _static(settings: SpikingForce, rng: np.random.Generator) -> np.ndarray:
    """Static weights [target, source], pA per Hz."""
    if settings.static is not None:
        return settings.static
    n, p = settings.neurons, settings.p
    there = rng.random((n, n)) < p
    weights = rng.standard_normal((n, n)) * there * (settings.g / (p * math.sqrt(n)))
    if settings.balanced:
        means = weights.sum(axis=1) / np.maximum(there.sum(axis=1), 1)
        weights -= means[:, None] * there
    return weights


def _connect_static(network: Network, static: np.ndarray, settings: SpikingForce) -> None:
    weights = sparse.csr_array(static.T * weight_per_hz(settings.tau_rise, settings.tau_decay))
    network.connect(NEURONS, NEURONS, weights, delay=settings.dt, receptor=RECEPTOR, name="static")


def _trained(settings: SpikingForce, loop: _Loop, seed: int) -> Network:
    """The network with its feedback folded into synapses, and a readout, from where it was left."""
    simulation, phi, eta = loop.simulation, loop.readout.w, settings.q * loop.eta
    rise, decay = settings.tau_rise, settings.tau_decay
    r, slow = loop.rates()
    z, x = phi @ r, phi @ (slow / _gap(settings) - r)
    current, part = f"i_{RECEPTOR}", f"x_{RECEPTOR}"
    own = settings.model.dynamics.derivatives
    init = {name: simulation.get(NEURONS, name) for name in own}
    init[current] = simulation.get(NEURONS, current) + eta @ z
    init[part] = simulation.get(NEURONS, part) + eta @ x
    model = replace(settings.model, receptors={RECEPTOR: synapse(rise, decay)})
    network = Network(seed, "FORCE")
    neurons = network.population(NEURONS, settings.neurons, model, init)
    _connect_static(network, loop.static, settings)
    weight = (eta @ phi).T * weight_per_hz(rise, decay)
    network.connect(
        neurons,
        neurons,
        AllToAll(),
        weight=weight,
        delay=settings.dt,
        receptor=RECEPTOR,
        name="feedback",
    )
    start = {current: z, part: x}
    add_readout(network, neurons, phi, rise, decay, settings.dt, start)
    return network


def _checked(target: Any) -> np.ndarray:
    array = as_floats(target)
    if array is not None and array.ndim == 1:
        array = array[:, None]
    if array is None or array.ndim != 2 or not array.size:
        raise ValueError(
            f"target has shape {np.shape(target)}; it must be an array of numbers (corrections,) "
            "or (corrections, outputs), not empty."
        )
    if not np.isfinite(array).all():
        at = int(np.flatnonzero(~np.isfinite(array).all(axis=1))[0])
        raise ValueError(f"target is {array[at]} at correction {at}; it must be finite.")
    return array
