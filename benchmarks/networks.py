"""How long do the published networks take, from a process of their own, kernels cached?"""

import json
import statistics
import subprocess
import sys

import click

from benchmarks import results

# Name, arguments of `spikesim run`, biological ms, repetitions.
CASES = [
    ("cuba", [], 10000, 5),
    ("coba", [], 10000, 5),
    ("izhikevich", [], 10000, 5),
    ("microcircuit, a tenth", ["--scale", "0.1"], 2000, 5),
    ("microcircuit", [], 2000, 3),
    ("microcircuit, DC", ["--drive", "dc"], 2000, 3),
]


def measure(name: str, arguments: list[str], duration: int) -> dict:
    """One process; its JSON object."""
    command = [sys.executable, "-m", "spikesim", "run", name.split(",")[0], *arguments]
    command += ["--duration", str(duration), "--json"]
    return json.loads(subprocess.run(command, check=True, capture_output=True, text=True).stdout)


@click.command()
def main() -> None:
    """Run every case several times; medians."""
    rows = []
    for name, arguments, duration, repeats in CASES:
        measure(name, arguments, 10)  # fills the cache of kernels
        runs = [measure(name, arguments, duration) for _ in range(repeats)]
        keys = ("build_s", "compile_s", "run_s", "rtf", "peak_rss_gb", "bytes_per_synapse")
        medians = {key: statistics.median(run[key] for run in runs) for key in keys}
        fixed = {key: runs[0][key] for key in ("neurons", "synapses", "threads", "precision", "dt")}
        spikes, neurons = runs[0]["spikes"], runs[0]["neurons"]
        rate = spikes / neurons / duration * 1000
        rows.append(
            {"case": name, "ms": duration, "repeats": repeats, "rate": rate, **fixed, **medians}
        )
        click.echo(
            f"{name}: build {medians['build_s']:.2f} s, real-time factor {medians['rtf']:.3f}"
        )
    click.echo(results.write("networks", rows))
