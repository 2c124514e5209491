"""What a run would take, told without building anything."""

from collections.abc import Mapping, Sequence
from typing import Any


def foreseen(
    net: Any,
    dt: float,
    options: Mapping[str, Any],
    records: Sequence[Any],
    memory: float | None,
    duration: float,
    trials: int,
) -> dict[str, Any]:
    """What a run would take; nothing is built."""
    import psutil

    from spikesim.engine.forecast import forecast
    from spikesim.engine.memory import check_memory

    found = forecast(net, dt=dt, record=records, **options)
    try:
        check_memory(net, options["precision"], memory, options["connectivity"])
        fits = True
    except MemoryError:
        fits = False
    allowed = psutil.virtual_memory().available / 1e9 if memory is None else memory
    return {
        "dry_run": True,
        "network": net.name,
        "neurons": sum(p.size for p in net.populations.values()),
        "synapses": round(found.synapses),
        "threads": found.threads,
        "dt": dt,
        "precision": options["precision"],
        "duration_ms": duration,
        "trials": trials,
        "memory_gb": found.memory / 1e9,
        "allowed_gb": allowed,
        "fits": fits,
        "assumed_rate_hz": found.rate,
        "spikes_mb_per_s": found.spike_bytes / 1e6,
        "traces_mb_per_s": found.trace_bytes / 1e6,
        "build_s": found.build_seconds,
        "run_s": found.rtf * trials * duration / 1000,
        "rtf": found.rtf,
    }


def forecast_text(found: Mapping[str, Any]) -> str:
    allowed = f"{found['allowed_gb']:.2f} GB"
    fits = f"{allowed} may be used" if found["fits"] else f"more than {allowed}: it will be refused"
    traces = f", of traces {found['traces_mb_per_s']:.3g} MB" if found["traces_mb_per_s"] else ""
    return (
        f"{found['network']}: {found['neurons']:,} neurons, about {found['synapses']:,} synapses; "
        "nothing was built\n"
        f"memory: about {found['memory_gb']:.2f} GB; {fits}\n"
        f"a second of biological time in a file: spikes about {found['spikes_mb_per_s']:.3g} MB"
        f"{traces}\n"
        f"time: about {found['build_s']:.2g} s for the build, about {found['run_s']:.2g} s for the "
        f"run (real-time factor {found['rtf']:.2g}), on {found['threads']} thread(s)\n"
        f"assumed: {found['assumed_rate_hz']:g} Hz in all neurons, and what they and synapses took "
        "on one machine; models that were not run before take some seconds more to compile"
    )
