"""Populations that stand for vectors: their rates, encoders and decoders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from scipy import linalg

from spikesim.checks import check_number, check_numbers, check_whole
from spikesim.description.inputs import Current
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.lif import LIF
from spikesim.engine.simulation import simulate
from spikesim.names import named_options
from spikesim.random import stream

CURVE = 512  # currents at which a rate is measured
SETTLE, COUNT = 500.0, 2000.0  # ms
STEEPEST = 0.1  # of the range along an encoder in which a neuron goes to its highest rate


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
