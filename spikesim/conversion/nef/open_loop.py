"""What a population gives for x when it is driven along a flow, on the engine."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
from scipy import linalg

from spikesim.conversion.nef.ensemble import Ensemble
from spikesim.conversion.readout_neurons import NAME, OUTPUT, add_readout
from spikesim.description.inputs import Current, Sampled
from spikesim.description.network import Network
from spikesim.description.receptors import Receptor
from spikesim.description.recording import Trace
from spikesim.engine.simulation import Simulation
from spikesim.random import stream

ENSEMBLE = "ensemble"
DELAY = 1  # steps that a spike takes, the least of the engine
COARSE = 1.0  # ms between points of a path that are computed
PATHS, HELD, FREE = 30, 100.0, 400.0  # ms that x is held on each, and that it goes on

Flow = Callable[[np.ndarray, int], np.ndarray]  # points (points, dimensions) so many steps later


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
    driven = {f"x{d}": held_current(made.onto[:, d]) for d in range(dimensions)}
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


def held_current(onto: np.ndarray) -> Receptor:
    """A current that lasts as long as its input, and reaches each neuron by its encoder."""
    return Receptor(
        "",
        current="onto_{r} * w_{r}",
        parameters={"onto_{r}": "0 pA"},
        values={"onto_{r}": onto},
    )
