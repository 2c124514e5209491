"""What a build and a run will take, told before anything is built."""

from collections.abc import Sequence
from dataclasses import dataclass

from spikesim.cores import cores
from spikesim.description.network import Network
from spikesim.description.population import View
from spikesim.description.recording import Recorded, Trace
from spikesim.engine.build import check_build
from spikesim.engine.clock.layout import Precision
from spikesim.engine.connectivity.rules import Connectivity, expected
from spikesim.engine.memory import estimate_memory
from spikesim.engine.recorder import check_records
from spikesim.engine.threads import ASSUMED_RATE, build_seconds, fastest_threads, step_nanoseconds

SPIKE_BYTES, VALUE_BYTES = 16, 4  # in files: time and neuron; a value of a trace


@dataclass(frozen=True)
class Forecast:
    """Estimates, every one of them rough.

    Attributes
    ----------
    synapses : float
        Exact, or on average.
    memory : float
        Bytes, as `check_memory` holds them against the limit.
    threads : int
    build_seconds : float
    rtf : float
        Seconds of the run by second of biological time. Like the build's they are foreseen from
        what synapses and neurons take on one machine, at `rate`, without the compilation of models
        that were not run before.
    spike_bytes, trace_bytes : float
        What a file would hold of a second of biological time: of spikes at `rate`, of traces.
    rate : float
        Mean rate (Hz) that is assumed of every neuron.
    """

    synapses: float
    memory: float
    threads: int
    build_seconds: float
    rtf: float
    spike_bytes: float
    trace_bytes: float
    rate: float


def forecast(
    network: Network,
    *,
    dt: float = 0.1,
    threads: int | None = None,
    precision: Precision = "single",
    connectivity: Connectivity = "stored",
    record: Sequence[Recorded] = (),
) -> Forecast:
    """What a network will take; parameters and errors as of `build` and `Simulation`."""
    check_build(network, dt, threads, precision, connectivity)
    check_records(network, record, dt)
    threads = int(threads or fastest_threads(network, dt))
    step = step_nanoseconds(network, dt, connectivity) * 1e-9 / min(threads, cores())
    traces = 0.0
    for trace in record:
        if isinstance(trace, Trace):
            part = trace.neurons
            columns = part.size if isinstance(part, View) else len(part)
            traces += VALUE_BYTES * columns * 1000 / trace.every
    neurons = sum(p.size for p in network.populations.values())
    return Forecast(
        synapses=sum(expected(network, p) for p in network.projections.values()),
        memory=estimate_memory(network, precision, connectivity, dt, threads),
        threads=threads,
        build_seconds=build_seconds(network, min(threads, cores()), connectivity),
        rtf=step * 1000 / dt,
        spike_bytes=SPIKE_BYTES * neurons * ASSUMED_RATE,
        trace_bytes=traces,
        rate=ASSUMED_RATE,
    )
