"""Does training reach what was published? And is the gate of a GRU a time constant?

Every case is trained from five seeds, of start values, trials and noise alike, and measured on
trials that no training has seen. Where what was published is a performance, training stops when
its trials of validation reach it; digits and delays are trained for a number of updates.

The gate: if it were set to the time that is to be bridged, a network trained on a delay twice as
long would have a median time constant twice as long during the delay.
"""

import statistics
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import click
import numpy as np

from benchmarks import results
from spikesim import analysis, rate
from spikesim.rate import tasks

SEEDS = range(5)
FRESH, IMAGES = 2048, 270  # trials to test with; images of digits
VALIDATE_EVERY = 25  # updates
NOISE = 0.15  # of the rates, where a cell has it: Song et al. (2016)
DELAYS = 500, 1000  # ms
WAVES = {  # frequency of the first sine (Hz), amplitudes of it and of its multiples
    "sine of 5 Hz": (5.0, [1.0]),
    "sum of four sines": (2.0, [1, 1 / 2, 1 / 6, 1 / 3]),
}
LEARNING, ALONE, EVERY = 20_000, 5000, 2  # ms with FORCE's corrections, without, between two

Row = dict[str, Any]


def fit(
    task: tasks.Task,
    cell: Any,
    seed: int,
    *,
    until: float | None = None,
    updates: int = 5000,
    rate_of_learning: float = 2e-3,
    **readout: Any,
) -> tuple[Row, rate.RateNetwork]:
    """Train one network, and measure it."""
    network = rate.RateNetwork([cell], task.inputs, task.outputs, task.dt, seed=seed, **readout)
    history = rate.train(
        network,
        task,
        optimizer=rate.Adam(rate_of_learning),
        updates=updates,
        until=until,
        validate_every=VALIDATE_EVERY,
        seed=seed,
        progress=False,
    )
    fresh = IMAGES if task.name == "digits" else FRESH
    row = {
        "task": task.name,
        "cell": type(cell).__name__,
        "units": cell.units,
        "seed": seed,
        "performance": task.performance(*rate.respond(network, task, fresh, seed=seed)),
        "updates": history.updates,
        "trials": history.trials,
        "seconds": history.seconds,
    }
    return row, network


def perceptual_decision(seed: int) -> Iterator[Row]:
    cell = rate.DaleRNN(100, noise=NOISE)
    yield fit(tasks.perceptual_decision(), cell, seed, until=0.85, readout_from="excitatory")[0]


def context_integration(seed: int) -> Iterator[Row]:
    task, cell = tasks.context_integration(), rate.DaleRNN(150, noise=NOISE)
    row, network = fit(task, cell, seed, until=0.9, readout_from="excitatory")
    slopes = analysis.slopes(*rate.respond(network, task, FRESH, seed=seed))
    # A slope that is not positive reaches nothing.
    ratios = [abs(other) / max(relevant, 1e-9) for relevant, other in slopes.values()]
    yield row | {"slopes": max(ratios)}


def go_nogo(seed: int) -> Iterator[Row]:
    yield fit(tasks.go_nogo(), rate.LeakyRNN(64, noise=NOISE), seed, until=0.99)[0]


def flipflop(seed: int) -> Iterator[Row]:
    yield fit(tasks.flipflop(), rate.GRU(64), seed, until=0.99)[0]


def pixels(seed: int) -> Iterator[Row]:
    """Digits pixel by pixel: LSTM and subLSTM of one width, with as many updates."""
    task, same = tasks.digits(by="pixel"), {"updates": 3000, "rate_of_learning": 5e-3}
    lstm, sublstm = (fit(task, cell(64), seed, **same)[0] for cell in (rate.LSTM, rate.SubLSTM))
    yield lstm
    yield sublstm | {"behind": 100 * (lstm["performance"] - sublstm["performance"])}


def spiking(seed: int) -> Iterator[Row]:
    """Digits row by row, by spiking units."""
    cell = rate.LIFCell(128, t_ref=0.0, surrogate=rate.FastSigmoid(2.0))
    yield fit(tasks.digits(dt=5.0), cell, seed, updates=1500, readout_tau=20.0)[0]


def force(waves: str, seed: int) -> Iterator[Row]:
    """The RMS error, in phase, of what goes on without learning, over the target's amplitude."""
    frequency, amplitudes = WAVES[waves]
    t = np.arange(1, LEARNING + ALONE + 1) / 1000
    sines = [a * np.sin(2 * np.pi * k * frequency * t) for k, a in enumerate(amplitudes, 1)]
    target = np.sum(sines, axis=0)
    network, start = rate.Force(500, seed=seed), time.perf_counter()
    network.learn(target[:LEARNING], every=EVERY)
    seconds = time.perf_counter() - start
    off = network.run(ALONE)[:, 0] - target[LEARNING:]
    error = float(np.sqrt(np.mean(off**2)) / np.abs(target).max())
    row = {"task": waves, "cell": "FORCE", "units": 500, "seed": seed, "performance": 1 - error}
    row |= {"error": error, "updates": LEARNING // EVERY, "trials": 1, "seconds": seconds}
    yield row


def delays(seed: int) -> Iterator[Row]:
    """GRUs on two delays: time constants in the delay, and those of the second over the first's.

    ``tau`` is the median of all units, times and trials, ``untrained`` what it was before
    training, ``slowest`` the largest of the units' medians.
    """
    first = None
    for delay in DELAYS:
        task, cell = tasks.go_nogo(delay=float(delay)), rate.GRU(64)
        untrained = fit(task, cell, seed, updates=0)[1]
        row, network = fit(task, cell, seed, updates=500)
        tau = in_delay(network, task)
        row |= {
            "delay": delay,
            "untrained": float(np.median(in_delay(untrained, task))),
            "tau": float(np.median(tau)),
            "slowest": float(np.median(tau, axis=(0, 1)).max()),
        }
        if first:
            row |= {f"{name} ratio": row[name] / first[name] for name in ("tau", "slowest")}
        first = row
        yield row


def in_delay(network: rate.RateNetwork, task: tasks.Task) -> np.ndarray:
    """Time constants (ms) in the delay of some trials, (time, trials, units)."""
    trials = task.generate(np.random.default_rng(0), 256)
    return network.effective_tau(trials.inputs)[trials.periods["delay"]]


CASES: dict[str, Callable[[int], Iterator[Row]]] = {
    "perceptual_decision": perceptual_decision,
    "context_integration": context_integration,
    "go_nogo": go_nogo,
    "flipflop": flipflop,
    "digits by pixel": pixels,
    "digits, spiking": spiking,
    **{waves: partial(force, waves) for waves in WAVES},
    "delays": delays,
}


@dataclass(frozen=True)
class Line:
    """A line of the table: what a column of some rows is to reach, if anything."""

    case: str
    column: str
    text: str
    wanted: str = ""
    met: Callable[[float], bool] | None = None
    form: str = "{:.1%}"
    only: Mapping[str, Any] = field(default_factory=dict)  # values that the rows must have

    def rows(self, rows: list[Row]) -> list[Row]:
        only = {"case": self.case, **self.only}
        return [r for r in rows if self.column in r and only.items() <= r.items()]


RIGHT = "right answers"
LINES = (
    Line("perceptual_decision", "performance", RIGHT, "> 85 %", lambda x: x > 0.85),
    Line("context_integration", "performance", "in the worse context", "> 90 %", lambda x: x > 0.9),
    Line(
        "context_integration",
        "slopes",
        "slope, irrelevant / relevant",
        "< 0.2",
        lambda x: x < 0.2,
        form="{:.3f}",
    ),
    Line("go_nogo", "performance", RIGHT, "≥ 99 %", lambda x: x >= 0.99),
    Line("flipflop", "performance", "right steps", "≥ 99 %", lambda x: x >= 0.99),
    Line("digits by pixel", "performance", RIGHT, only={"cell": "LSTM"}),
    Line("digits by pixel", "performance", RIGHT, only={"cell": "SubLSTM"}),
    Line(
        "digits by pixel",
        "behind",
        "behind the LSTM",
        "≤ 2 points",
        lambda x: x <= 2,
        form="{:.1f} points",
    ),
    Line("digits, spiking", "performance", RIGHT, "≥ 90 %", lambda x: x >= 0.9),
    *(
        Line(
            waves,
            "error",
            "RMS error / amplitude, 5 s alone",
            "< 5 %",
            lambda x: x < 0.05,
            form="{:.2%}",
        )
        for waves in WAVES
    ),
    *(
        Line(
            "delays",
            "tau",
            f"median time constant, delay {delay} ms",
            form="{:.0f} ms",
            only={"delay": delay},
        )
        for delay in DELAYS
    ),
    Line(
        "delays", "tau ratio", "that of the longer / the shorter", "≥ 2", lambda x: x >= 2, "{:.2f}"
    ),
    Line("delays", "slowest ratio", "the same of the slowest unit", form="{:.1f}"),
)


def table(rows: list[Row]) -> str:
    """What came out, in Markdown: medians and ranges over seeds, and how many reach the line."""
    told = [
        "| task | cell | measured on fresh trials | median (range) | to reach | seeds that do "
        "| trials | time |",
        "|---|---|---|---:|---:|---:|---:|---:|",
    ]
    for line in LINES:
        chosen = line.rows(rows)
        if not chosen:
            continue
        one, values = chosen[0], [row[line.column] for row in chosen]
        middle, low, high = (line.form.format(f(values)) for f in (statistics.median, min, max))
        reach = f"{sum(map(line.met, values))} of {len(values)}" if line.met else ""
        trials, seconds = (
            statistics.median(row[name] for row in chosen) for name in ("trials", "seconds")
        )
        told.append(
            f"| {line.case} | {one['cell']} {one['units']} | {line.text} "
            f"| {middle} ({low} to {high}) | {line.wanted} | {reach} "
            f"| {trials:,.0f} | {seconds:.1f} s |"
        )
    return "\n".join(told)


@click.command()
@click.option("--quick", is_flag=True, help="One seed; the results that are kept stay as they are.")
@click.option(
    "--only", type=click.Choice(list(CASES)), help="This case alone; the results stay as well."
)
def main(quick: bool, only: str | None) -> None:
    """Train every task from five seeds and say whether it reaches what was published."""
    start, rows = time.perf_counter(), []
    for case in [only] if only else CASES:
        for seed in SEEDS[:1] if quick else SEEDS:
            for row in CASES[case](seed):
                rows.append({"case": case, **row})
                click.echo(
                    f"{case}, {row['cell']}, seed {seed}: {row['performance']:.2%} after "
                    f"{row['updates']:,} updates, {row['seconds']:.1f} s"
                )
    click.echo(f"{table(rows)}\n{time.perf_counter() - start:.0f} s in all")
    if not quick and not only:
        click.echo(results.write("learning", rows))
