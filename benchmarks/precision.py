"""What does single precision change: the statistics of spiking, and the speed?

Each network runs with several seeds in both precisions. The Kolmogorov-Smirnov distance between
the neurons' rates (and CVs) in single and in double precision is set beside that between two
seeds, both in double precision: a precision is harmless if it moves results less than a seed does.
"""

import statistics
from importlib import import_module
from itertools import combinations

import click
import numpy as np
from scipy.stats import ks_2samp

import spikesim as ss
from benchmarks import results

CASES = [("cuba", {}, 10000.0), ("coba", {}, 10000.0), ("microcircuit", {"scale": 0.1}, 5000.0)]
SEEDS = (1, 2, 3)


def run(name: str, options: dict, duration: float, seed: int, precision: str) -> tuple:
    """Rates and CVs of all neurons after 500 ms, and the seconds of the stepping loop."""
    module = import_module(f"spikesim.networks.{name}")
    dt = getattr(module, "DT", 0.1)
    net = module.network(seed=seed, **options)
    result = ss.simulate(net, duration + 500.0, dt=dt, precision=precision)
    trains = [t.restrict(500.0, duration + 500.0) for t in result.spikes.values()]
    cvs = np.concatenate([t.cv() for t in trains])
    return np.concatenate([t.rates() for t in trains]), cvs[np.isfinite(cvs)], result.timings["run"]


@click.command()
def main() -> None:
    """Compare single and double precision."""
    rows = []
    for name, options, duration in CASES:
        runs = {}
        for seed in SEEDS:
            for precision in ("single", "double"):
                runs[precision, seed] = run(name, options, duration, seed, precision)
        between_seeds = [(("double", a), ("double", b)) for a, b in combinations(SEEDS, 2)]
        between_precisions = [(("single", s), ("double", s)) for s in SEEDS]
        row = {"case": name, **options, "ms": duration, "seeds": len(SEEDS)}
        for label, pairs in (("precisions", between_precisions), ("seeds", between_seeds)):
            for k, what in enumerate(("rates", "cvs")):
                distances = [ks_2samp(runs[a][k], runs[b][k]).statistic for a, b in pairs]
                row[f"ks_{what}_between_{label}"] = float(np.mean(distances))
        for precision in ("single", "double"):
            mine = [runs[precision, s] for s in SEEDS]
            row[f"rate_{precision}"] = float(np.mean([m[0].mean() for m in mine]))
            row[f"cv_{precision}"] = float(np.mean([m[1].mean() for m in mine]))
            row[f"run_s_{precision}"] = statistics.median(m[2] for m in mine)
        rows.append(row)
        click.echo(row)
    click.echo(results.write("precision", rows))
