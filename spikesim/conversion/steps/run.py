"""Runs of step-by-step networks: what comes from outside, the engine, what is read out."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from spikesim.checks import check_numbers, warn
from spikesim.conversion.steps.network import StepNetwork
from spikesim.description.recording import Trace
from spikesim.engine.trials import simulate_trials
from spikesim.names import named_options


@dataclass(frozen=True, eq=False)
class StepRun:
    """What layers gave, by name, in the steps of the equations.

    Attributes
    ----------
    spikes : dict of str to array (steps, trials, size)
        Number of spikes of each neuron in each step.
    outputs : dict of str to array (steps, trials, size)
        Of the filters.
    margins : dict of str to array (steps, trials, size)
        u, the distance to the threshold before the reset, of the layers that spike; empty if it was
        not asked for.
    dt : float
        ms.
    """

    spikes: dict[str, np.ndarray] = field(repr=False)
    outputs: dict[str, np.ndarray] = field(repr=False)
    margins: dict[str, np.ndarray] = field(repr=False)
    dt: float

    def __repr__(self) -> str:
        told = ", ".join(f"{int(z.sum()):,} of {name}" for name, z in self.spikes.items())
        return f"<StepRun: spikes {told}>"


@named_options()
def run_steps(
    network: StepNetwork,
    x: np.ndarray | Mapping[str, np.ndarray],
    *,
    margins: bool = False,
    threads: int | None = None,
) -> StepRun:
    """Run a step-by-step network on the engine, in double precision.

    Filters, which do not spike, are computed from their equations.

    Parameters
    ----------
    network : StepNetwork
    x : array (steps, trials, width), or mapping of such by input
    margins : bool
        Whether to record how far each neuron is from its threshold in each step.
    threads : int, optional
        Of the engine.

    Returns
    -------
    StepRun

    Raises
    ------
    ValueError
        If x is not finite or has another shape.
    """
    given = _checked(network, x)
    front = _front(network, given)
    spikes, u = _simulated(network, front, margins, threads)
    outputs = {name: front[name] for name in network.filters if name in front}
    everything = {**front, **{name: z.astype(float) for name, z in spikes.items()}}
    for name in network.filters:
        if name in network.after_spikes:
            arriving = _arriving(network, name, everything)
            outputs[name] = everything[name] = network.filters[name].run(arriving)
    return StepRun(spikes, outputs, u, network.dt)


def _checked(
    network: StepNetwork, x: np.ndarray | Mapping[str, np.ndarray]
) -> dict[str, np.ndarray]:
    if not isinstance(x, Mapping):
        if len(network.inputs) != 1:
            raise ValueError(
                f"x is one array; the network has {len(network.inputs)} inputs, each of which must "
                "have one by its name."
            )
        x = {next(iter(network.inputs)): x}
    if set(x) != set(network.inputs):
        raise ValueError(
            f"x has {', '.join(map(repr, x)) or 'nothing'}; the inputs are "
            f"{', '.join(map(repr, network.inputs))}."
        )
    arrays = {}
    for name, width in network.inputs.items():
        what = f"an array (steps, trials, {width})"
        arrays[name] = check_numbers(f"x of input {name!r}", x[name], what, dimensions=(3,))
        shape = arrays[name].shape
        if shape[2] != width or shape[:2] != next(iter(arrays.values())).shape[:2]:
            raise ValueError(
                f"x of input {name!r} has shape {shape}; it must be {what}, of as many steps and "
                "trials as others."
            )
    return arrays


def _front(network: StepNetwork, x: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
    """What inputs give, and filters that get no spikes."""
    known = dict(x)
    for name, layer in network.filters.items():
        if name not in network.after_spikes:
            known[name] = layer.run(_arriving(network, name, known))
    return known


def _arriving(network: StepNetwork, name: str, known: Mapping[str, np.ndarray]) -> np.ndarray:
    """What arrives at a layer (steps, trials, size) of what is known, and all its biases."""
    steps, trials, _ = next(iter(known.values())).shape
    x = np.zeros((steps, trials, network.layers[name].size))
    for each in network.maps:
        if each.target == name:
            if each.source in known:
                x += each.apply(known[each.source])
            x += each.bias
    return x


def _simulated(
    network: StepNetwork, front: dict[str, np.ndarray], margins: bool, threads: int | None
) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
    """Spikes of all trials, and u if it is asked for, of what is known beforehand."""
    if not network.neurons:
        return {}, {}
    steps, trials, _ = next(iter(front.values())).shape
    driven = {m.target for m in network.maps if m.source in front or m.bias.any()}
    driven = [name for name in network.neurons if name in driven]
    net = network.describe({name: _largest(network, name, front) for name in driven})
    names = {name: network.population(name) for name in network.neurons}
    traces = [Trace(net.populations[n], "u", network.dt) for n in names.values() if margins]
    result = simulate_trials(
        net,
        (steps + max(network.lags.values())) * network.dt,
        trials,
        inputs={f"into {name}": _of_trials(network, name, front) for name in driven},
        threads=threads,
        record=traces,
        dt=network.dt,
        precision="double",
    )
    if result.interrupted:
        raise KeyboardInterrupt
    spikes, u = {}, {}
    for name, layer in network.neurons.items():
        lag, trains = network.lags[name], result.spikes[names[name]]
        step = np.rint(trains.times / network.dt).astype(np.int64) - 1 - lag + layer.spikes_late
        ours = (step >= 0) & (step < steps)
        spikes[name] = np.zeros((steps, trials, layer.size), np.int16)
        neuron = trains.neurons[ours] % layer.size
        np.add.at(spikes[name], (step[ours], trains.trials[ours], neuron), 1)
        if margins:
            values = result.traces[names[name], "u"].values[:, lag : lag + steps, : layer.size]
            u[name] = values.swapaxes(0, 1)
    _warn_of_more(network, spikes)
    return spikes, u


def _current(
    network: StepNetwork, name: str, front: Mapping[str, np.ndarray], trial: int
) -> np.ndarray:
    """What arrives at a layer from outside in a trial (steps, size)."""
    return _arriving(network, name, {k: y[:, [trial]] for k, y in front.items()})[:, 0]


def _of_trials(
    network: StepNetwork, name: str, front: Mapping[str, np.ndarray]
) -> dict[str, Callable[[int], np.ndarray]]:
    """A layer's current as `simulate_trials` asks for it: made when its trial comes."""
    return {"values": lambda trial: network.sampled(name, _current(network, name, front, trial))}


def _largest(network: StepNetwork, name: str, front: Mapping[str, np.ndarray]) -> np.ndarray:
    """The current (steps, size) of the trial in which it is largest: sums are laid out for it."""
    trials = next(iter(front.values())).shape[1]
    if not any(m.target == name and m.source in front for m in network.maps):
        trials = 1  # biases are the same in all
    sizes = [np.abs(_current(network, name, front, trial)).max() for trial in range(trials)]
    return _current(network, name, front, int(np.argmax(sizes)))


def _warn_of_more(network: StepNetwork, spikes: Mapping[str, np.ndarray]) -> None:
    """Warn of neurons that had as many spikes in a step as they may have."""
    for name, layer in network.neurons.items():
        if 1 < layer.most_spikes == spikes[name].max():
            warn(
                f"layer {name!r} had most_spikes = {layer.most_spikes} spikes of a neuron in "
                f"{int((spikes[name] == layer.most_spikes).sum()):,} step(s), and may have wanted "
                "more: raise most_spikes."
            )
