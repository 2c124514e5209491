"""What digits lose when layers of rate units become layers that count spikes.

Every network is trained from ten seeds, of start values and training alike, and converted; both are
measured on the 270 images of the test. Rectified units have their highest rates from the images of
training. Training is in double precision, so that equal is equal.
"""

import statistics
import time
from collections.abc import Iterator
from typing import Any

import click
import numpy as np

from benchmarks import results
from spikesim import conversion, rate

SEEDS = range(100, 110)
IMAGES, CALIBRATE = 270, 1257
UPDATES, RATE_OF_LEARNING = 1500, 3e-3
DT = 20.0  # ms, of the rate networks

Row = dict[str, Any]
NETWORKS = {
    "rectified, 128 and 64": lambda: rate.FeedForward([128, 64]),
    "4 levels, 128 and 64": lambda: rate.FeedForward([128, 64], rate.Quantised(4)),
    "4 levels, 4 layers of 64": lambda: rate.FeedForward([64] * 4, rate.Quantised(4)),
    "16 levels, 128 and 64": lambda: rate.FeedForward([128, 64], rate.Quantised(16)),
    "recurrent, 8 levels, 128": lambda: rate.LeakyRNN(128, DT, activation=rate.Quantised(8)),
    "recurrent, 16 levels, 128": lambda: rate.LeakyRNN(128, DT, activation=rate.Quantised(16)),
}
STEPS = 8, 16, 32, 64, 128  # of rectified units
CODES = "current", "regular", "poisson", "latency"


def conversions(name: str) -> Iterator[Row]:
    """The options by which a network is converted."""
    if name.startswith("recurrent"):
        yield {}
        return
    if not name.startswith("rectified"):
        yield from ({"schedule": schedule} for schedule in ("in_turn", "at_once"))
        return
    yield from ({"steps": steps, "schedule": "at_once"} for steps in STEPS)
    yield from ({"steps": 64, "schedule": "at_once", "code": code} for code in CODES[1:])
    yield from ({"steps": 64, "schedule": "in_turn", "code": code} for code in CODES)


def measured(name: str, seed: int) -> Iterator[Row]:
    """Train a network and convert it in all ways."""
    cell = NETWORKS[name]()
    task = rate.digits(DT, by="row" if isinstance(cell, rate.LeakyRNN) else "image")
    network = rate.RateNetwork([cell], task.inputs, 10, DT, seed=seed, dtype="float64")
    rate.train(
        network,
        task,
        optimizer=rate.Adam(RATE_OF_LEARNING),
        updates=UPDATES,
        seed=seed,
        progress=False,
    )
    _, trials = rate.respond(network, task, IMAGES, seed=seed)
    outputs = network.run(trials.inputs)  # all at once, as products of other shapes round otherwise
    right = task.performance(outputs, trials)
    shown = task.generate(np.random.default_rng(seed), CALIBRATE).inputs
    for options in conversions(name):
        start = time.perf_counter()
        calibrate = shown if name.startswith("rectified") else None
        converted = conversion.convert_layers(network, calibrate=calibrate, **options)
        run = converted.run(trials.inputs, seed=seed)
        spiking = task.performance(run.outputs, trials)
        yield {
            "network": name,
            "seed": seed,
            "code": converted.code,
            "schedule": converted.schedule,
            "steps": converted.steps,
            "rate": right,
            "spiking": spiking,
            "lost": 100 * (right - spiking),
            "equal": bool(np.array_equal(run.outputs, outputs)),
            "differ": max(run.report.differ),
            "agreement": run.report.agreement,
            "spikes": statistics.fmean(run.report.spikes),
            "latency": run.report.latency,
            "margin": run.report.margin,
            "seconds": time.perf_counter() - start,
        }


def table(rows: list[Row]) -> str:
    """Means over seeds, in Markdown; of what is lost the worst as well."""
    told = [
        "| network | inputs | layers | steps | right answers, rate | spiking | points lost: mean "
        "(worst) | outputs equal | rates that differ, at most | same answer | spikes of a neuron |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    cases: dict[tuple, list[Row]] = {}
    for row in rows:
        key = row["network"], row["code"], row["schedule"], row["steps"]
        cases.setdefault(key, []).append(row)
    for (network, code, schedule, steps), same in cases.items():
        mean = {
            name: statistics.fmean(row[name] for row in same)
            for name in ("rate", "spiking", "lost", "agreement", "spikes")
        }
        worst, differ = (max(row[name] for row in same) for name in ("lost", "differ"))
        told.append(
            f"| {network} | {code} | {schedule.replace('_', ' ')} | {steps} | {mean['rate']:.2%} "
            f"| {mean['spiking']:.2%} | {mean['lost']:.2f} ({worst:.2f}) "
            f"| {sum(row['equal'] for row in same)} of {len(same)} | {differ:.2%} "
            f"| {mean['agreement']:.2%} | {mean['spikes']:.1f} |"
        )
    return "\n".join(told)


@click.command()
@click.option("--quick", is_flag=True, help="One seed; the results that are kept stay as they are.")
def main(quick: bool) -> None:
    """Convert layers that say which digit an image shows, and say what is lost."""
    rows = []
    for seed in SEEDS[:1] if quick else SEEDS:
        for name in NETWORKS:
            rows += measured(name, seed)
        click.echo(f"seed {seed}: {len(rows)} rows")
    click.echo(table(rows))
    if not quick:
        click.echo(results.write("layers", rows))
