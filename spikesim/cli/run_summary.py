"""What a run gave: for people as a table, for programs as one JSON object."""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from spikesim.cli.output import aligned

TOLD = 20  # neurons that are told of by number


@dataclass(frozen=True)
class Told:
    """What a run or several trials gave."""

    rates: Mapping[str, Any]  # Hz [trial, neuron] by population
    spikes: int
    duration: float  # ms, of a trial
    timings: Mapping[str, float]
    threads: int

    def __len__(self) -> int:
        return len(next(iter(self.rates.values())))


def summary_of(build: Any, told: Told, tell_neurons: bool) -> dict[str, Any]:
    """What a run or several trials gave, for programs."""
    from spikesim.engine.simulation import versions

    net, hertz = build.network, told.rates
    summary = {
        "network": net.name,
        "neurons": sum(p.size for p in net.populations.values()),
        "synapses": build.synapse_count,
        "threads": told.threads,
        "dt": build.dt,
        "precision": build.precision,
        "duration_ms": told.duration,
        "trials": len(told),
        "build_s": told.timings["build"],
        "compile_s": told.timings["compile"],
        "run_s": told.timings["run"],
        "rtf": told.timings["rtf"],
        "rates": {name: float(x.mean()) for name, x in hertz.items()},
        "spikes": told.spikes,
        "peak_rss_gb": peak_memory() / 1e9,
        "bytes_per_synapse": build.bytes_per_synapse,
        "versions": versions(),
    }
    if len(told) > 1:
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


def table(build: Any, summary: Mapping[str, Any]) -> str:
    arriving = dict.fromkeys(build.network.populations, 0)
    for name, projection in build.network.projections.items():
        arriving[projection.target.population] += build.synapses_of[name]
    rows: list[list[Any]] = [["population", "neurons", "synapses onto", "rate (Hz)"]]
    for name, p in build.network.populations.items():
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
