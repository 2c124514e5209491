"""From rate units and what their neurons make of a drive to the description of a network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy import sparse

from spikesim.conversion.leaky.curves import UnitCurves
from spikesim.conversion.leaky.rates import RateUnits
from spikesim.conversion.leaky.targets import Target
from spikesim.conversion.readout_neurons import peak
from spikesim.description.distributions import Uniform
from spikesim.description.inputs import Sampled
from spikesim.description.network import Network
from spikesim.description.receptors import Pulse

POPULATION, INPUT = "units", "inputs"
FEW, CLASSES = 4, 6  # time constants that get a receptor each; receptors that stand for more
ALIKE = 0.01  # relative difference of time constants that are one


@dataclass(frozen=True, eq=False)
class Wired:
    """A network of neurons in the place of units, those of a unit together.

    What arrives at a neuron in each of its steps is ``input_weights`` times the inputs.
    """

    network: Network
    input_weights: np.ndarray  # (neurons, inputs)


def wire(
    units: RateUnits,
    curves: UnitCurves,
    target: Target,
    dt: float,
    inputs: np.ndarray,
    *,
    delay: float | None = None,
    filter_inputs: bool = True,
    highest: float | None = None,
    seed: int = 0,
) -> Wired:
    """The network.

    A spike of unit j brings a current of area gain_i w_ij 1000 / scale_j (pA ms) to every neuron of
    unit i, rising with the target's ``tau_rise``. In the x-form it decays with the time constant
    of the unit it reaches, and inputs are filtered likewise; in the r-form with that of the unit
    it comes from, and inputs act at once.

    Parameters
    ----------
    units, curves, target
    dt : float
        Step of the engine, ms.
    inputs : array (time, trials, inputs)
        Of them the network has the strongest trial, if it is run by itself.
    delay : float, optional
        Of the synapses, ms. A rate unit sees rates that are half a step old on average; by default
        synapses make up for what the rise does not, and take at least dt.
    filter_inputs : bool
        Of the x-form.
    highest : float, optional
        Potential at the start, mV, if it goes beyond the target's range.
    seed : int
        Of the network.

    Notes
    -----
    More than a few different time constants of senders would need a receptor each: they are then
    shared between receptors evenly spaced in log tau, each sender by its two neighbours, in the
    proportion that keeps its mean.
    """
    k, x_form = curves.neurons, units.form == "x"
    signs, tau = np.tile(curves.signs, units.units), np.repeat(units.tau, k)
    # Of a unit's drive; a neuron that fires below has it turned round.
    gains = np.repeat(curves.gain, k)[:, None] * signs[:, None]
    onto = gains * np.repeat(units.w, k, axis=0)  # (neurons, units)
    rested = units.b + units.w @ curves.rest
    weights_in = gains * np.repeat(units.w_in, k, axis=0)
    classes = [("", tau, np.ones(units.units))] if x_form else _classes(units.tau)

    receptors, arriving, init = {}, {}, {}
    for name, decay, share in classes:
        spike = np.kron(onto * share * (1000 / curves.scale), curves.signs[None])
        spike /= np.reshape(peak_area(target.tau_rise, decay), (-1, 1))
        for kind, (sign, weights) in target.split(spike).items():
            receptors[f"{kind}{name}"] = target.synapse(sign, decay)
            arriving[f"{kind}{name}"] = weights
        if not x_form:
            begin = onto * share * (units.start - curves.rest)
            for kind, (sign, weights) in target.split(begin).items():
                init[f"{'g' if sign else 'i'}_{kind}{name}"] = weights.sum(axis=1)
    at = "rec" if x_form and "rec" in receptors else "input"
    if x_form:
        init[f"i_{at}"] = gains[:, 0] * np.repeat(units.start - rested, k)
    if x_form and filter_inputs:
        receptors.setdefault(at, target.synapse(0, tau))
        weights_in *= dt / peak_area(target.tau_rise, tau)[:, None]
    else:
        at, receptors["input"] = "input", Pulse()
    offset = curves.offsets.ravel() + gains[:, 0] * np.repeat(rested, k)
    # What a neuron is driven by before the first step, for variables that are slow to follow.
    before = units.start if x_form else units.w @ units.start + units.b
    init |= target.settled(curves.offsets.ravel() + gains[:, 0] * np.repeat(before, k), dt)
    net = Network(seed=seed, name="converted")
    cells = net.population(
        POPULATION,
        units.units * k,
        target.model(receptors, offset),
        init={"v": Uniform(target.start[0], highest or target.start[1]), **init},
    )
    wait = max(dt, units.dt / 2 - target.tau_rise) if delay is None else delay
    for name, weights in arriving.items():
        if weights.any():
            rule = sparse.csr_array(weights.T)
            net.connect(cells, cells, rule, delay=wait, receptor=name, name=f"recurrent {name}")
    strongest = np.abs(inputs @ units.w_in.T).max(axis=(0, 2)).argmax()
    shown = inputs[:, strongest] @ weights_in.T
    if not shown.any():  # the build must know how strong inputs can be
        shown = np.abs(weights_in).sum(axis=1) * np.ones((1, 1))
    net.drive(cells, Sampled(shown, every=units.dt), receptor=at, name=INPUT)
    return Wired(net, weights_in)


def peak_area(rise: float, decay: np.ndarray | float) -> np.ndarray | float:
    """Area (ms) of a double exponential of peak 1."""
    return (decay - rise) / peak(rise, decay)


def _classes(tau: np.ndarray) -> list[tuple[str, float, np.ndarray]]:
    """Name and decay of each receptor of the r-form, and its share of each sender."""
    nodes, shares = time_classes(tau)
    names = [""] if len(nodes) == 1 else [f"_{m}" for m in range(len(nodes))]
    return list(zip(names, nodes.tolist(), shares, strict=True))


def time_classes(tau: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Time constants that stand for many, and which share each has of each of them."""
    few = np.sort(tau)
    few = few[np.concatenate([[True], np.diff(few) > ALIKE * few[:-1]])]
    nodes = few if len(few) <= FEW else np.geomspace(tau.min(), tau.max(), CLASSES)
    shares = np.zeros((len(nodes), len(tau)))
    upper = np.clip(np.searchsorted(nodes, tau), 1, max(len(nodes) - 1, 1))
    if len(nodes) == 1:
        return nodes, np.ones_like(shares)
    below, above = nodes[upper - 1], nodes[upper]
    part = np.clip((tau - below) / (above - below), 0, 1)
    shares[upper - 1, np.arange(len(tau))] = 1 - part
    shares[upper, np.arange(len(tau))] = part
    return nodes, shares
