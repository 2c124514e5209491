"""What a run gave: for people as a table, for programs as one JSON object."""

import sys
from collections.abc import Mapping, Sequence
from typing import Any

from spikesim.cli.output import aligned

TOLD = 20  # neurons that are told of by number


def summary_of(
    simulation: Any, rates: Sequence[Mapping[str, Any]], tell_neurons: bool
) -> dict[str, Any]:
    """What a run or several trials gave; ``rates`` (Hz) by trial, population and neuron."""
    import numpy as np

    build, net = simulation.build, simulation.network
    hertz = {name: np.stack([trial[name] for trial in rates]) for name in rates[0]}
    summary = {
        "network": net.name,
        "neurons": sum(p.size for p in net.populations.values()),
        "synapses": build.synapse_count,
        "threads": simulation.threads,
        "dt": build.dt,
        "precision": build.precision,
        "duration_ms": float(simulation.time),
        "trials": len(rates),
        "build_s": build.seconds,
        "compile_s": simulation.compile_seconds,
        "run_s": simulation.run_seconds,
        "rtf": simulation.timings["rtf"],
        "rates": {name: float(x.mean()) for name, x in hertz.items()},
        "spikes": sum(simulation.counts.values()),
        "peak_rss_gb": peak_memory() / 1e9,
        "bytes_per_synapse": build.bytes_per_synapse,
        "versions": simulation.describe()["versions"],
    }
    if len(rates) > 1:
        spread = {name: float(x.mean(axis=1).std(ddof=1)) for name, x in hertz.items()}
        summary["rates_sd"] = spread
    if tell_neurons:
        summary["answering"] = {name: _answering(x) for name, x in hertz.items()}
    return summary


def _answering(hertz: Any) -> dict[str, list[float]]:
    """Neurons that spiked in any trial, strongest first: mean and SD (Hz) over trials."""
    import numpy as np

    mean = hertz.mean(axis=0)
    spread = hertz.std(axis=0, ddof=1) if len(hertz) > 1 else np.zeros_like(mean)
    neurons = np.flatnonzero(mean > 0)
    neurons = neurons[np.argsort(-mean[neurons], kind="stable")]
    return {
        "neurons": neurons.tolist(),
        "mean": mean[neurons].tolist(),
        "sd": spread[neurons].tolist(),
    }


def peak_memory() -> int:
    """Most memory this process has held, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def table(simulation: Any, summary: Mapping[str, Any]) -> str:
    arriving = dict.fromkeys(simulation.network.populations, 0)
    for name, projection in simulation.network.projections.items():
        arriving[projection.target.population] += simulation.build.synapses_of[name]
    rows: list[list[Any]] = [["population", "neurons", "synapses onto", "rate (Hz)"]]
    for name, p in simulation.network.populations.items():
        rows.append([name, f"{p.size:,}", f"{arriving[name]:,}", f"{summary['rates'][name]:.3f}"])
    rows.append(["all", f"{summary['neurons']:,}", f"{summary['synapses']:,}", ""])
    answers = "".join(_told(*item) for item in summary.get("answering", {}).items())
    return (
        f"{aligned(rows)}\n\n{answers}"
        f"build {summary['build_s']:.2f} s, compile {summary['compile_s']:.2f} s, "
        f"run {summary['run_s']:.2f} s for {summary['duration_ms'] / 1000:g} s "
        f"(real-time factor {summary['rtf']:.3f})\n"
        f"{summary['threads']} thread(s), {summary['precision']} precision, "
        f"dt {summary['dt']:g} ms; peak memory {summary['peak_rss_gb']:.2f} GB, "
        f"{summary['bytes_per_synapse']:.2f} bytes per synapse"
    )


def _told(name: str, found: Mapping[str, list[float]]) -> str:
    """The neurons of a population that answered, the strongest by number."""
    rows: list[list[Any]] = [["neuron", "rate (Hz)", "SD over trials"]]
    rows += map(list, zip(*(found[key][:TOLD] for key in ("neurons", "mean", "sd")), strict=True))
    number = len(found["neurons"])
    of_them = f", the {TOLD} strongest" if number > TOLD else ""
    return f"{name}: {number} neurons spiked{of_them}\n{aligned(rows)}\n\n"
