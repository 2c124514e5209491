"""Neurons that rate units are converted into: their models, synapses and f-I curves."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.checks import check_number
from spikesim.description.inputs import Current
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.izhikevich import Izhikevich2007
from spikesim.description.neurons.lif import LIF
from spikesim.description.receptors import (
    DoubleExponential,
    DoubleExponentialConductance,
    Receptor,
    WhiteCurrent,
)
from spikesim.engine.simulation import simulate
from spikesim.names import named_options

Curve = Callable[[np.ndarray], np.ndarray]  # Hz of a constant current, pA
POINTS, SETTLE, MEASURE = 400, 500.0, 3000.0  # currents, and ms, of a curve that is measured


class Target:
    """What the conversion asks of a neuron.

    ``rheobase`` is the current (pA) above which it fires, ``span`` that by which currents about it
    are counted, ``start`` its range of potentials (mV) at the start.
    """

    name: str
    rheobase: float
    span: float
    start: tuple[float, float]
    tau_rise: float
    noise: float

    def model(self, receptors: Mapping[str, Receptor], offset: Any) -> NeuronModel:
        """The model with these receptors and constant currents (pA, one per neuron)."""
        raise NotImplementedError

    def synapse(self, sign: int, tau: Any) -> Receptor:
        """The receptor of weights of a sign, decaying with tau (ms)."""
        return DoubleExponential(tau_rise=self.tau_rise, tau_decay=tau)

    def split(self, weights: np.ndarray) -> dict[str, tuple[int, np.ndarray]]:
        """Weights (pA) by receptor: its sign, 0 for any, and what arrives there in its unit."""
        return {"rec": (0, weights)}

    def curve(self, dt: float) -> Curve:
        """Rate (Hz) at constant currents (pA), as the engine has it at a step of dt (ms)."""
        return measured(self, dt)

    def with_noise(self, receptors: Mapping[str, Receptor], density: float) -> dict[str, Receptor]:
        own = {"noise": WhiteCurrent(density)} if density else {}
        return {**receptors, **own}


@named_options()
@dataclass(frozen=True)
class CurrentLIF(Target):
    """Leaky integrate-and-fire neurons, `LIF`, with synaptic currents.

    Parameters
    ----------
    tau_m, t_ref : float
        ms.
    c_m : float
        pF.
    e_l, v_th, v_reset : float
        mV.
    tau_rise : float
        Rise of synaptic currents, ms.
    noise : float
        Spread that white noise of its own gives v, mV.
    """

    tau_m: float = 10.0
    t_ref: float = 2.0
    c_m: float = 200.0
    e_l: float = -65.0
    v_th: float = -50.0
    v_reset: float = -65.0
    tau_rise: float = 2.0
    noise: float = 0.0

    name = "lif"

    def __post_init__(self) -> None:
        check_lif(self)

    @property
    def rheobase(self) -> float:
        return self.c_m / self.tau_m * (self.v_th - self.e_l)

    @property
    def span(self) -> float:
        return self.c_m / self.tau_m * (self.v_th - self.v_reset)

    @property
    def start(self) -> tuple[float, float]:
        return self.v_reset, self.v_th

    def model(self, receptors: Mapping[str, Receptor], offset: Any) -> NeuronModel:
        density = self.noise * self.c_m * np.sqrt(2 / self.tau_m)
        return LIF(
            tau_m=self.tau_m,
            c_m=self.c_m,
            e_l=self.e_l,
            v_th=self.v_th,
            v_reset=self.v_reset,
            t_ref=self.t_ref,
            i_offset=offset,
            receptors=self.with_noise(receptors, density),
        )

    def curve(self, dt: float) -> Curve:
        if self.noise:
            return measured(self, dt)
        # A crossing is seen half a step late on average.
        least, resistance = round(self.t_ref / dt) * dt + dt / 2, self.tau_m / self.c_m

        def rates(current: np.ndarray) -> np.ndarray:
            rest = self.e_l + resistance * np.asarray(current, float)
            above = np.maximum(rest - self.v_th, 1e-12)
            interval = least + self.tau_m * np.log1p((self.v_th - self.v_reset) / above)
            return np.where(rest > self.v_th, 1000 / interval, 0.0)

        return rates


@named_options()
@dataclass(frozen=True)
class ConductanceLIF(CurrentLIF):
    """Leaky integrate-and-fire neurons with synaptic conductances.

    A weight becomes the conductance that gives its current at threshold, so that what makes a
    neuron fire is as with currents; below threshold, and by the shorter time constant, it differs.

    Parameters
    ----------
    tau_m, t_ref, c_m, e_l, v_th, v_reset, tau_rise, noise
        As of `CurrentLIF`.
    reversal_exc, reversal_inh : float
        mV.
    """

    reversal_exc: float = 0.0
    reversal_inh: float = -80.0

    name = "lif_cond"

    def __post_init__(self) -> None:
        check_lif(self)
        if not self.reversal_inh < self.v_th < self.reversal_exc:
            raise ValueError(
                f"ConductanceLIF: reversal_inh is {self.reversal_inh:g} and reversal_exc "
                f"{self.reversal_exc:g} mV; v_th, {self.v_th:g} mV, must lie between them."
            )

    def synapse(self, sign: int, tau: Any) -> Receptor:
        if sign == 0:  # inputs, which are currents
            return super().synapse(sign, tau)
        reversal = self.reversal_exc if sign > 0 else self.reversal_inh
        return DoubleExponentialConductance(self.tau_rise, tau, reversal)

    def split(self, weights: np.ndarray) -> dict[str, tuple[int, np.ndarray]]:
        return {
            "exc": (1, np.maximum(weights, 0) / (self.reversal_exc - self.v_th)),
            "inh": (-1, np.maximum(-weights, 0) / (self.v_th - self.reversal_inh)),
        }


@named_options()
@dataclass(frozen=True)
class QuadraticIzhikevich(Target):
    """Izhikevich's regular-spiking neurons, `Izhikevich2007`, with synaptic currents.

    Parameters
    ----------
    c_m, k, v_r, v_t, v_peak, a, b, c, d : float
        As of `Izhikevich2007`.
    tau_rise : float
        Rise of synaptic currents, ms.
    noise : float
        Density of a white current of its own, pA sqrt(ms).
    """

    c_m: float = 100.0
    k: float = 0.7
    v_r: float = -60.0
    v_t: float = -40.0
    v_peak: float = 35.0
    a: float = 0.03
    b: float = -2.0
    c: float = -50.0
    d: float = 100.0
    tau_rise: float = 2.0
    noise: float = 0.0

    name = "izhikevich"

    @property
    def rheobase(self) -> float:
        """Of the fixed point that ends in a saddle-node: (b + k (v_t - v_r))^2 / 4 k."""
        return (self.b + self.k * (self.v_t - self.v_r)) ** 2 / (4 * self.k)

    @property
    def span(self) -> float:
        return self.rheobase

    @property
    def start(self) -> tuple[float, float]:
        return self.v_r, self.v_t

    def model(self, receptors: Mapping[str, Receptor], offset: Any) -> NeuronModel:
        return Izhikevich2007(
            c_m=self.c_m,
            k=self.k,
            v_r=self.v_r,
            v_t=self.v_t,
            v_peak=self.v_peak,
            a=self.a,
            b=self.b,
            c=self.c,
            d=self.d,
            i_offset=offset,
            receptors=self.with_noise(receptors, self.noise),
        )


TARGETS = {kind.name: kind for kind in (CurrentLIF, ConductanceLIF, QuadraticIzhikevich)}


def check_lif(target: CurrentLIF) -> None:
    kind = type(target).__name__
    for name in ("tau_m", "c_m", "tau_rise"):
        check_number(f"{kind}: {name}", getattr(target, name), above=0)
    for name in ("t_ref", "noise"):
        check_number(f"{kind}: {name}", getattr(target, name), least=0)
    if not max(target.v_reset, target.e_l) < target.v_th:
        raise ValueError(
            f"{kind}: v_th is {target.v_th:g} mV; it must be above v_reset, {target.v_reset:g}, "
            f"and e_l, {target.e_l:g} mV."
        )


def measured(target: Target, dt: float) -> Curve:
    """The curve of neurons that are given constant currents on the engine, from a run."""
    top = target.rheobase + 12 * target.span
    steps = np.linspace(-1, 1, POINTS) ** 3  # close together where the curve bends
    currents = np.where(
        steps < 0,
        target.rheobase + 2 * target.span * steps,
        target.rheobase + (top - target.rheobase) * steps,
    )
    net = Network(seed=1)
    cells = net.population("cells", POINTS, target.model({"rec": target.synapse(0, 10.0)}, 0.0))
    net.drive(cells, Current(currents))
    spikes = simulate(net, SETTLE + MEASURE, dt=dt, threads=1).spikes["cells"]
    late = spikes.restrict(SETTLE, SETTLE + MEASURE)
    counts = late.count()
    first, last = np.full((2, POINTS), np.nan)
    first[late.neurons[::-1]], last[late.neurons] = late.times[::-1], late.times
    with np.errstate(invalid="ignore", divide="ignore"):
        between = 1000 * (counts - 1) / (last - first)
    rates = np.where(counts > 2, between, 1000 * counts / MEASURE)
    rates = np.maximum.accumulate(rates)

    def curve(current: np.ndarray) -> np.ndarray:
        return np.interp(current, currents, rates)

    return curve
