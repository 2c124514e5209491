"""How faithful converted networks are: leaky units of all kinds, beside the recipe of Kim et al.

Ten networks of each kind are trained, from other seeds than the conversion was developed on, and
converted; each certificate is on fresh trials with jittered onset, duration and amplitude, and all
numbers of a row come from the same networks and runs.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import click
import numpy as np

from benchmarks import kim, results
from spikesim import conversion, rate
from spikesim.conversion import ConductanceLIF, OneFactor, QuadraticIzhikevich

SEEDS = range(200, 210)
TRIALS, FEWER = 1000, 200  # of a certificate; of tasks without decisions

Row = dict[str, Any]
Trained = tuple[rate.RateNetwork, rate.Task]


@dataclass(frozen=True)
class Way:
    """A conversion: its options, and whether its certificate is the full one."""

    options: dict[str, Any]
    full: bool = False


K5, K1 = Way({"per_unit": 5}), Way({"per_unit": 1})
K5_FULL, K1_FULL = Way({"per_unit": 5}, True), Way({"per_unit": 1}, True)
KIM = Way({"method": OneFactor(), "per_unit": 1})
OTHERS = Way({"neuron": ConductanceLIF()}), Way({"neuron": QuadraticIzhikevich()})


def of_the_paper(task: Callable[[], rate.Task], units: int) -> Callable[[int], Trained]:
    """Networks trained as Kim et al. train them."""

    def make(seed: int) -> Trained:
        return kim.train(task(), units, seed)[0], task()

    return make


def trained(
    task: Callable[[], rate.Task], cell: Callable[[], Any], until: float, **options: Any
) -> Callable[[int], Trained]:
    """Networks trained by `rate.train`."""

    def make(seed: int) -> Trained:
        made, own = task(), {"optimizer": rate.Adam(2e-3), "batch": 32, "updates": 3000, **options}
        network = rate.RateNetwork([cell()], made.inputs, made.outputs, made.dt, seed=seed)
        rate.train(network, made, until=until, validate_every=25, seed=seed, progress=False, **own)
        return network, made

    return make


def paper_cell(activation: str) -> Callable[[], Any]:
    return lambda: rate.DaleRNN(
        250,
        tau=35.0,
        form="x",
        activation=activation,
        noise=0.15,
        train_tau=True,
        tau_range=(20.0, 50.0),
        radius=1.0,
    )


CASES: dict[str, tuple[Callable[[int], Trained], list[Way]]] = {
    "Kim's Go/NoGo, 250 units": (
        of_the_paper(rate.kim_go_nogo, 250),
        [KIM, K5_FULL, K1_FULL, *OTHERS],
    ),
    "Kim's Go/NoGo, 100 units": (of_the_paper(rate.kim_go_nogo, 100), [K5]),
    "Kim's Mante, 250 units": (of_the_paper(rate.kim_mante, 250), [KIM, K5]),
    "Kim's Go/NoGo, rectified": (trained(rate.kim_go_nogo, paper_cell("rectified"), 0.99), [K5]),
    "Kim's Go/NoGo, softplus": (trained(rate.kim_go_nogo, paper_cell("softplus"), 0.99), [K5]),
    "go_nogo, LeakyRNN 64": (
        trained(rate.go_nogo, lambda: rate.LeakyRNN(64, noise=0.15), 0.99, batch=64),
        [K5_FULL, K1],
    ),
    "go_nogo, tanh 100": (
        trained(
            rate.go_nogo,
            lambda: rate.LeakyRNN(100, form="x", activation="tanh", noise=0.15),
            0.99,
        ),
        [K5],
    ),
}


def measured(case: str, seed: int) -> Iterator[Row]:
    """Train a network and convert it in all ways."""
    make, ways = CASES[case]
    network, task = make(seed)
    for way in ways:
        start = time.perf_counter()
        converted = conversion.convert(network, task, seed=seed, **way.options)
        seconds = time.perf_counter() - start
        trials = FEWER if task.decide is None else TRIALS
        found = conversion.certify(
            converted, network, task, trials=trials, full=way.full, seed=seed + 1
        )
        row = {
            "case": case,
            "seed": seed,
            "converting": seconds,
            "error_ratio": error_ratio(converted, network, task, seed),
            **found.as_dict(),
        }
        del row["notes"], row["sensitivity"]
        yield row


def error_ratio(
    converted: conversion.Converted, network: rate.RateNetwork, task: rate.Task, seed: int
) -> float:
    """Root mean square error to the targets where they count, over that of the rate network."""
    drawn = task.generate(np.random.default_rng(seed), 100, **task.test)
    outputs = converted.run(drawn.inputs)[0], network.run(drawn.inputs)
    counted = drawn.mask * (drawn.targets - np.array(outputs)) ** 2
    return float(np.sqrt(counted[0].sum() / counted[1].sum()))


def told(row: Row) -> str:
    """A row in a line, while a benchmark runs."""
    alike = "" if row["agreement"] is None else f"alike {row['agreement']:.2%}, "
    return (
        f"{row['case']}, seed {row['seed']}, {row['method']}, {row['neuron']}, k "
        f"{row['per_unit']}: {alike}rate {row['rate_performance']:.2%}, spiking "
        f"{row['spiking_performance']:.2%}, R2 {row['output_r2']:.4f}, error "
        f"{row['error_ratio']:.2f} x, {row['mean_rate_hz']:.1f} Hz, {row['converting']:.1f} + "
        f"{row['seconds']:.1f} s"
    )


def table(rows: list[Row]) -> str:
    """Means over networks, in Markdown."""
    lines = [
        "| networks | method | neuron | k | decisions alike (worst) | right: rate, spiking "
        "| one- / two-sided | R2 of the output (worst) | error over the rate network's "
        "| unit correlation | CKA / ceiling | silencing (ceiling) | Hz a neuron | seconds |",
        "|---|---|---|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    cases: dict[tuple, list[Row]] = {}
    for row in rows:
        key = row["case"], row["method"], row["neuron"], row["per_unit"]
        cases.setdefault(key, []).append(row)
    for (case, method, neuron, k), same in cases.items():
        lines.append(f"| {case} | {method} | {neuron} | {k} | {_cells(same)} |")
    return "\n".join(lines)


def _cells(rows: list[Row]) -> str:
    def mean(name: str, form: str) -> str:
        found = [row[name] for row in rows if row[name] is not None]
        return format(statistics.fmean(found), form) if found else ""

    def worst(name: str, form: str) -> str:
        found = [row[name] for row in rows if row[name] is not None]
        return f" ({min(found):{form}})" if found else ""

    sides = ""
    if rows[0]["criteria"]:
        both = ("one-sided", "two-sided")
        sides = " / ".join(
            f"{statistics.fmean(r['criteria'][side]['spiking_performance'] for r in rows):.2%}"
            for side in both
        )
    aligned = [row["cka"] / row["cka_ceiling"] for row in rows if row["cka"] is not None]
    return " | ".join(
        [
            mean("agreement", ".2%") + worst("agreement", ".2%"),
            f"{mean('rate_performance', '.2%')}, {mean('spiking_performance', '.2%')}",
            sides,
            mean("output_r2", ".4f") + worst("output_r2", ".4f"),
            mean("error_ratio", ".2f") + " x",
            mean("unit_correlation", ".3f"),
            f"{statistics.fmean(aligned):.3f}" if aligned else "",
            mean("silencing_correlation", ".3f") + worst("silencing_ceiling", ".3f"),
            mean("mean_rate_hz", ".1f"),
            f"{mean('converting', '.1f')} + {mean('seconds', '.1f')}",
        ]
    )


@click.command()
@click.option("--case", "cases", multiple=True, type=click.Choice(list(CASES)))
@click.option("--quick", is_flag=True, help="One network; the kept results stay as they are.")
def main(cases: tuple[str, ...], quick: bool) -> None:
    """How faithful converted networks are: the kinds of CASES, or those that are named."""
    rows = []
    for case in cases or CASES:
        for seed in SEEDS[:1] if quick else SEEDS:
            for row in measured(case, seed):
                rows.append(row)
                click.echo(told(row), err=True)
    click.echo(table(rows))
    if not quick:
        results.update("conversion", rows, ("case",), list(CASES))
