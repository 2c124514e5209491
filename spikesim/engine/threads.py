"""How many threads suit a network, and what a build and a step will take one."""

import ast

import numpy as np

from spikesim.checks import check_whole
from spikesim.codegen.generator import long_calls
from spikesim.cores import cores
from spikesim.description.distributions import extremes
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.engine.clock.assemble import LONGEST_EPOCH, WRITTEN
from spikesim.engine.connectivity.gather import LISTED
from spikesim.engine.connectivity.rules import (
    MEASURED,
    Connectivity,
    can_be_drawn,
    expected,
    measured_pairs,
)

SHARED_WORK = 2_500  # ns between exchanges, from which more threads are faster
ASSUMED_RATE = 5.0  # Hz, where work is foreseen


def fastest_threads(network: Network, dt: float) -> int:
    """Threads that suit a network: every core if there is enough to share between exchanges.

    An exchange costs 0.1 to 5 microseconds, by how far apart two cores are, so with little work one
    thread is faster; where the guess is wrong, a run goes on with fewer (see `pace`). The work is
    estimated from what the full microcircuit takes: 0.5 ns for a random input and 1.2 ns for a
    synapse that is passed, at 5 Hz.
    """
    step = step_nanoseconds(network, dt)
    delays = [extremes(p.delay)[0] for p in network.projections.values() if np.size(p.delay)]
    epoch = max(1, min([LONGEST_EPOCH, *(int(delay / dt) for delay in delays)]))
    return cores() if step * epoch > SHARED_WORK else 1


def step_nanoseconds(network: Network, dt: float, connectivity: Connectivity = "stored") -> float:
    """What a step will take one thread, roughly (see `fastest_threads`); synapses drawn: 10 ns."""
    updates = sum(p.size * _update_nanoseconds(p.model) for p in network.populations.values())
    driven = sum(d.target.size for d in network.inputs.values() if d.receptor)
    events = 0.0  # ns
    for projection in network.projections.values():
        drawn = connectivity == "procedural" and can_be_drawn(network, projection)
        passed = expected(network, projection) * ASSUMED_RATE / 1000 * dt
        events += passed * (10.0 if drawn else 1.2)
    return updates + 0.5 * driven + events


def build_seconds(network: Network, workers: int, connectivity: Connectivity = "stored") -> float:
    """What a build will take, roughly, once its kernels are compiled."""
    shared_work = alone = 0.0  # ns
    for projection in network.projections.values():
        if connectivity == "procedural" and can_be_drawn(network, projection):
            continue
        count = expected(network, projection)
        shared_work += WRITTEN * count + MEASURED * measured_pairs(projection)
        alone += LISTED * count * (not projection.by_source)
    return 1e-9 * (shared_work / workers + alone)


def _update_nanoseconds(model: NeuronModel) -> float:
    """Roughly, of one step of a neuron: 0.25 if linear, 0.4 with conductances, 2.5 for AdEx."""
    if model.linear:
        return 0.25
    nodes = [n for node in model.dynamics.derivatives.values() for n in ast.walk(node)]
    operations = sum(isinstance(node, ast.BinOp) for node in nodes)
    calls = long_calls(model.dynamics)
    stages = {"rk2": 2, "rk4": 4}.get(model.method, 1)
    return 0.25 + stages * (0.015 * operations + 0.25 * calls)


def check_threads(threads: int | None) -> None:
    """Refuse what is no number of threads; None lets them be chosen."""
    if threads is not None:
        check_whole("threads", threads)
