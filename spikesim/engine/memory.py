"""How much memory a build and a state will need, told and held against a limit before they are."""

import math

import numpy as np
import psutil

from spikesim.checks import check_number
from spikesim.cores import cores
from spikesim.description.network import Network
from spikesim.description.projection import Projection
from spikesim.engine.clock.inputs import input_bytes
from spikesim.engine.clock.layout import PARTITION_INPUTS, Precision
from spikesim.engine.connectivity.rules import Connectivity, can_be_drawn, expected, listing_bytes
from spikesim.engine.connectivity.tables import DELAY_LEVELS
from spikesim.engine.threads import check_threads, fastest_threads


def estimate_memory(
    network: Network,
    precision: Precision = "single",
    connectivity: Connectivity = "stored",
    dt: float = 0.1,
    threads: int | None = None,
    wide_sums: bool = False,
) -> float:
    """Bytes that a build and one state will need, before anything is built."""
    real = 4 if precision == "single" else 8
    integer = 8 if wide_sums else real
    synapses = rows = scratch = state = 0.0
    stored: dict[str, list[Projection]] = {}  # by source population
    for projection in network.projections.values():
        if connectivity == "procedural" and can_be_drawn(network, projection):
            continue
        stored.setdefault(projection.source.population, []).append(projection)
        count = expected(network, projection)
        exact = isinstance(projection.weight, np.ndarray)
        synapses += count * (4 + integer * exact)
        scratch += listing_bytes(projection, count, cores())
    inputs = 64 * sum(
        -(-p.size // 64) * len(p.model.receptors) for p in network.populations.values()
    )
    threads = threads or fastest_threads(network, dt)
    partitions = threads * max(1, -(-inputs // (PARTITION_INPUTS * threads)) if stored else 1)
    spreads = {name: _delay_steps(network, outgoing, dt) for name, outgoing in stored.items()}
    slots = min(8, max([1, *spreads.values()]))
    for name, spread in spreads.items():
        rows += 4 * partitions * network.populations[name].size * -(-spread // slots)
    for p in network.populations.values():
        rows_of_state = len(p.model.dynamics.derivatives) + len(p.model.dynamics.defaults) / 2
        state += p.size * (
            real * rows_of_state + 8 * integer * max(len(p.model.receptors), 1) + 300
        )
    for stimulus in network.inputs.values():
        size = network.populations[stimulus.target.population].size
        state += input_bytes(stimulus, size, dt, real, integer)
    return synapses + rows + scratch + state + 150e6  # the last: Python, NumPy and Numba


def _delay_steps(network: Network, projections: list[Projection], dt: float) -> float:
    """How many steps the delays of some projections span."""
    low, high = math.inf, 0.0
    for projection in projections:
        if np.size(projection.delay):
            first, last = projection.delays(network.positions)
            low, high = min(low, first), max(high, last)
    return max(1, round((min(high, DELAY_LEVELS * dt) - low) / dt) + 1) if high else 1


def check_memory(
    network: Network,
    precision: Precision,
    limit: float | None,
    connectivity: Connectivity = "stored",
    *,
    dt: float = 0.1,
    threads: int | None = None,
    wide_sums: bool = False,
) -> float:
    """The estimate in bytes; raises `MemoryError` if it exceeds the limit (GB).

    ``dt``, ``threads`` and whether sums have 64 bits (see `choose_sums`) are as the build has them.
    """
    check_number("dt", dt, above=0, unit="ms")
    check_threads(threads)
    need = estimate_memory(network, precision, connectivity, dt, threads, wide_sums)
    if limit is not None:
        check_number("memory", limit, above=0, unit="GB")
    allowed = psutil.virtual_memory().available if limit is None else limit * 1e9
    if need > allowed:
        raise MemoryError(
            f"the network needs about {need / 1e9:.2f} GB, more than the "
            f"{allowed / 1e9:.2f} GB that are {'available' if limit is None else 'allowed'}; "
            "make it smaller, raise the limit (memory, --memory), or draw synapses instead of "
            "storing them (connectivity='procedural', --procedural)."
        )
    return need
