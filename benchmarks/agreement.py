"""Does spikesim's microcircuit differ from NEST's by more than one seed from another?

At a tenth of the size, each population's rates, CVs of intervals and pairwise correlations are
compared by their Kolmogorov-Smirnov distance: between seeds of one program, and between programs.
"""

import os
import tempfile
from itertools import combinations, product
from pathlib import Path

import click
import numpy as np
from scipy.stats import ks_2samp

import spikesim as ss
from benchmarks import environments, results
from benchmarks.rivals.statistics import neuron_statistics
from spikesim.networks import microcircuit

SCALE, WARMUP, DURATION = 0.1, 500.0, 5000.0  # ms
STATISTICS = {"rates": "rate", "cvs": "CV of intervals", "correlations": "correlation"}
PAIRS = {"spikesim": "two seeds of spikesim", "nest": "two seeds of NEST", "between": "a seed each"}


def ours(seed: int) -> dict[str, dict[str, np.ndarray]]:
    """Distributions by population and statistic, of one run."""
    net = microcircuit.network(seed=seed, scale=SCALE)
    spikes = ss.simulate(net, WARMUP + DURATION).spikes
    return {name: _distributions(t.times, t.neurons, t.size, seed) for name, t in spikes.items()}


def theirs(seeds: range) -> list[dict[str, dict[str, np.ndarray]]]:
    """The same of NEST, by seed."""
    net = microcircuit.network(scale=SCALE)
    runs = []
    with tempfile.TemporaryDirectory() as folder:
        call = [
            str(environments.interpreter("nest")),
            "-m",
            "benchmarks.rivals.nest_spikes",
            folder,
        ]
        call += ["--scale", str(SCALE), "--duration", str(WARMUP + DURATION)]
        call += ["--seed", *map(str, seeds)]
        environments.run(call, {**os.environ, **environments.ENVIRONMENT["nest"]})
        for seed in seeds:
            with np.load(Path(folder) / f"{seed}.npz") as file:
                runs.append(
                    {
                        name: _distributions(
                            file[f"{name}_times"], file[f"{name}_neurons"], p.size, seed
                        )
                        for name, p in net.populations.items()
                    }
                )
    return runs


def _distributions(times, neurons, size: int, seed: int) -> dict[str, np.ndarray]:
    values = neuron_statistics(times, neurons, size, WARMUP, WARMUP + DURATION, seed)
    return dict(zip(STATISTICS, values, strict=True))


def distances(mine: list[dict], others: list[dict]) -> list[dict]:
    """Mean KS distance over pairs of runs, by population and statistic."""
    pairs = {
        "spikesim": list(combinations(mine, 2)),
        "nest": list(combinations(others, 2)),
        "between": list(product(mine, others)),
    }
    rows = []
    for name in mine[0]:
        for statistic in STATISTICS:
            row = {"population": name, "statistic": statistic}
            for label, runs in pairs.items():
                found = [
                    ks_2samp(a[name][statistic], b[name][statistic]).statistic for a, b in runs
                ]
                row[label] = float(np.mean(found))
                row[f"{label}_quartiles"] = np.quantile(found, [0.25, 0.75]).tolist()
            rows.append(row)
    return rows


def draw(rows: list[dict], path: Path) -> None:
    """Distances by population, a panel for each statistic."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(7.2, 2.9), layout="constrained", dpi=150)
    colours = dict(zip(PAIRS, ("#0072B2", "#D55E00", "#000000"), strict=True))
    for axes, statistic in zip(figure.subplots(1, 3, sharey=True), STATISTICS, strict=True):
        ours = [row for row in rows if row["statistic"] == statistic]
        for k, (label, colour) in enumerate(colours.items()):
            x = np.arange(len(ours)) + 0.22 * (k - 1)
            y = np.array([row[label] for row in ours])
            spread = np.abs(np.array([row[f"{label}_quartiles"] for row in ours]).T - y)
            axes.errorbar(
                x,
                y,
                spread,
                fmt="os^"[k],
                color=colour,
                markersize=3.5,
                linewidth=0.8,
                label=PAIRS[label],
            )
        axes.set_title(STATISTICS[statistic], fontsize=8)
        axes.set_xticks(range(len(ours)), [row["population"] for row in ours], rotation=90)
        axes.tick_params(labelsize=7)
        axes.spines[["top", "right"]].set_visible(False)
    figure.axes[0].set_ylabel("Kolmogorov-Smirnov distance", fontsize=8)
    figure.axes[0].set_ylim(bottom=0)
    figure.axes[0].legend(fontsize=6.5, frameon=False)
    figure.savefig(path)


@click.command()
@click.option("--seeds", type=int, default=10, show_default=True)
def main(seeds: int) -> None:
    """Compare the microcircuit's statistics with NEST's, seed by seed."""
    if not environments.installed(["nest"]):
        raise SystemExit(2)
    numbers = range(1, seeds + 1)
    rows = distances([ours(seed) for seed in numbers], theirs(numbers))
    for row in rows:
        told = ", ".join(f"{PAIRS[label]} {row[label]:.3f}" for label in PAIRS)
        click.echo(f"{row['population']} {STATISTICS[row['statistic']]}: {told}")
    draw(rows, results.FOLDER / "agreement.png")
    click.echo(results.write("agreement", rows))
