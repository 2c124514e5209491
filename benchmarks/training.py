"""How long does an update of a rate network take, alone and beside PyTorch?

One update is forward, loss, backward and Adam, in single precision, of 64 trials of 100 steps that
are in memory. Every program is a process that lives through a case and is given blocks of updates
in turn: ours on two threads, each rival's on two, ours on one. Ratios are taken block by block.
Rivals start from our weights; where loss or recurrent gradient differ they do not compute the same,
and there is no ratio. They are compared in double precision: in single, one spike that rounding
moves changes all that follow.
"""

import importlib.util
import math
import os
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import blocks, environments, results, updates
from benchmarks.networks import quartiles

STEPS, TRIALS, INPUTS, OUTPUTS = 100, 64, 8, 3
THREADS = 2
REPEATS = 7  # blocks of each program
SECONDS = 1.0  # about, of a block
TOLERANCE = 1e-4  # relative, of loss and gradient
OURS = "spikesim"


class Case(NamedTuple):
    """A cell, and by which of a rival's programs the same update is made."""

    name: str
    question: str
    kind: str
    units: int
    programs: dict[str, tuple[str, str]]  # what it is called: the rival and its program


class Sizes(NamedTuple):
    """How much is measured."""

    steps: int = STEPS
    repeats: int = REPEATS
    seconds: float = SECONDS


QUICK = Sizes(steps=20, repeats=3, seconds=0.1)
BY_HAND = {
    "PyTorch, eager": ("torch", "eager"),
    "PyTorch, torch.compile": ("torch", "compile"),
    "JAX, lax.scan": ("jax", "scan"),
}
CASES = [
    Case(
        "leaky RNN 100",
        "A small matrix and little arithmetic: what does a step cost besides?",
        "leaky",
        100,
        BY_HAND,
    ),
    Case(
        "leaky RNN 256",
        "The same, six times the product: how near does a step come to BLAS?",
        "leaky",
        256,
        BY_HAND,
    ),
    Case(
        "GRU 100",
        "Three gates written in NumPy against a layer written in C++: who is quicker when small?",
        "gru",
        100,
        {"PyTorch, nn.GRU": ("torch", "eager")},
    ),
    Case(
        "GRU 256",
        "And where the products of three gates take most of the time?",
        "gru",
        256,
        {"PyTorch, nn.GRU": ("torch", "eager")},
    ),
    Case(
        "LSTM 100",
        "Four gates and five squashing functions a unit: what do they cost when small?",
        "lstm",
        100,
        {"PyTorch, nn.LSTM": ("torch", "eager")},
    ),
    Case(
        "LSTM 256",
        "And where the products of four gates take most of the time?",
        "lstm",
        256,
        {"PyTorch, nn.LSTM": ("torch", "eager")},
    ),
    Case(
        "SNU 256",
        "A spike that clears the state: what does a step cost against the same in snnTorch?",
        "snu",
        256,
        {"snnTorch, Leaky": ("torch", "eager")},
    ),
    Case(
        "LIF cell 256",
        "A spike that is subtracted: what does a step cost against the same in snnTorch?",
        "lif",
        256,
        {"snnTorch, RLeaky": ("torch", "eager")},
    ),
]
NAMES = tuple(case.name for case in CASES)


def python(rival: str) -> str | None:
    """An interpreter that has a rival: of its environment, BrainPy's for JAX, or this one."""
    path = environments.interpreter({"jax": "brainpy"}.get(rival, rival))
    if path.exists():
        return str(path)
    needed = {"torch": ("torch", "snntorch"), "jax": ("jax",)}[rival]
    return sys.executable if all(importlib.util.find_spec(name) for name in needed) else None


def write(case: Case, steps: int, path: Path) -> None:
    """The weights at the start, inputs and targets of a case, for all programs."""
    rng = np.random.default_rng(1)
    # Inputs that mostly stay in a trial, as those of tasks do; white ones hardly make units spike.
    x = rng.standard_normal((1, TRIALS, INPUTS)) + rng.normal(0, 0.3, (steps, TRIALS, INPUTS))
    net = updates.network(case.kind, case.units, INPUTS, OUTPUTS, "float64")
    np.savez(
        path,
        kind=case.kind,
        keep=updates.KEEP.get(case.kind, math.nan),
        slope=updates.SLOPE,
        x=x,
        targets=rng.standard_normal((steps, TRIALS, OUTPUTS)),
        **net.parameters,
    )


def call(rival: str, program: str, path: Path) -> list[str]:
    """The command of a rival's worker."""
    script = f"benchmarks.rivals.{rival}_training"
    return [python(rival), "-m", script, str(path), "--program", program]


def ours(path: Path, threads: int) -> tuple[list[str], dict[str, str]]:
    """The command of our worker and its environment, which tells any BLAS how many threads."""
    names = ("OPENBLAS_NUM", "MKL_NUM", "OMP_NUM", "VECLIB_MAXIMUM")
    told = {f"{name}_THREADS": str(threads) for name in names}
    return [sys.executable, "-m", "benchmarks.updates", str(path)], {**os.environ, **told}


def calls(
    case: Case, rivals: Sequence[str], path: Path
) -> Iterator[tuple[str, int, list[str], dict[str, str] | None]]:
    """Name, threads, command and environment of every program, in the order of their turns."""
    yield OURS, THREADS, *ours(path, THREADS)
    for name, (rival, program) in case.programs.items():
        if rival in rivals:
            # XLA takes all cores and cannot be told otherwise.
            threads = (os.cpu_count() or 1) if rival == "jax" else THREADS
            yield name, threads, call(rival, program, path), None
    yield OURS, 1, *ours(path, 1)


def run_case(case: Case, rivals: Sequence[str], sizes: Sizes) -> list[dict[str, Any]]:
    """All blocks of a case, alternating: a row for each program and number of threads."""
    with ExitStack() as stack:
        path = Path(stack.enter_context(tempfile.TemporaryDirectory())) / "case.npz"
        write(case, sizes.steps, path)
        workers: dict[tuple[str, int], blocks.Worker] = {}
        failed: dict[tuple[str, int], str] = {}
        for name, threads, command, environment in calls(case, rivals, path):
            opened = blocks.worker(command, environment, str(environments.ROOT))
            try:
                workers[name, threads] = stack.enter_context(opened)
            except RuntimeError as error:
                if name == OURS:
                    raise click.ClickException(str(error)) from None
                failed[name, threads] = str(error)
        counts = {
            key: max(1, math.ceil(sizes.seconds / worker.told["seconds"]))
            for key, worker in workers.items()
        }
        seconds: dict[tuple[str, int], list[float]] = {key: [] for key in workers}
        for _ in range(sizes.repeats):
            for key, worker in workers.items():
                seconds[key].append(blocks.block(worker, counts[key]))
    first = (OURS, THREADS)
    rows = [
        row_of(case, *key, seconds[key], seconds[first], workers[key].told, workers[first].told)
        for key in workers
    ]
    return rows + [failure(case, *key, void) for key, void in failed.items()]


def row_of(
    case: Case,
    program: str,
    threads: int,
    seconds: Sequence[float],
    our_seconds: Sequence[float],
    told: dict[str, Any],
    our_told: dict[str, Any],
) -> dict[str, Any]:
    """Times of a program, and their ratios to ours on two threads; void where results differ."""
    void = disagreement(our_told["check"], told["check"])
    ratios = [b / a for a, b in zip(our_seconds, seconds, strict=True)]
    return {
        "case": case.name,
        "question": case.question,
        "program": program,
        "threads": threads,
        "repeats": len(seconds),
        "void": void,
        "ms": [1000 * s for s in quartiles(seconds)],
        "ratio": None if void else quartiles(ratios),
        **{key: told.get(key) for key in ("check", "blas", "coretype", "versions")},
    }


def failure(case: Case, program: str, threads: int, void: str) -> dict[str, Any]:
    """The row of a program that could not be run."""
    none = dict.fromkeys(("ms", "ratio", "check", "blas", "coretype", "versions"))
    row = {"case": case.name, "question": case.question, "program": program, "threads": threads}
    return {**row, "repeats": 0, "void": void, **none}


def disagreement(mine: dict[str, float], other: dict[str, float]) -> str | None:
    """A sentence on the first number that differs by more than is allowed, if there is one."""
    for name, value in mine.items():
        if not abs(other[name] - value) <= TOLERANCE * abs(value):
            return f"the {name} is {other[name]:.6g} and ours {value:.6g}"
    return None


def told(rows: list[dict[str, Any]]) -> str:
    """What a case gave, a line for each program."""
    lines = []
    for row in rows:
        name = f"  {row['program']}, {row['threads']} thread(s): "
        if row["void"]:
            lines.append(f"{name}void: {row['void']}")
            continue
        low, median, high = row["ratio"]
        lines.append(
            f"{name}{row['ms'][1]:.2f} ms ({row['ms'][0]:.2f} to {row['ms'][2]:.2f}), "
            f"{median:.2f} times ours ({low:.2f} to {high:.2f}); {row['blas']}"
        )
    return "\n".join(lines)


def chosen(only: str | None, against: str | None) -> tuple[list[Case], list[str]]:
    """Cases and rivals of the two options; JAX takes part where there is one."""
    names = [part.strip() for part in only.split(",")] if only else list(NAMES)
    for name in names:
        if name not in NAMES:
            raise click.BadParameter(f"--only names {name!r}; known are {', '.join(NAMES)}.")
    cases = [case for case in CASES if case.name in names]
    if against is None:
        return cases, []
    if python("torch") is None:
        click.echo("torch is left out: `python -m benchmarks rivals torch` installs it.", err=True)
    return cases, [rival for rival in ("torch", "jax") if python(rival)]


@click.command()
@click.option("--only", metavar="NAME[,NAME]", help="These cases; the others' results are kept.")
@click.option("--against", type=click.Choice(["torch"]), help="And JAX, if it is there.")
@click.option("--quick", is_flag=True, help="A fifth of the steps, three short blocks; no file.")
def main(only: str | None, against: str | None, quick: bool) -> None:
    """Time an Adam update of every cell, alternating with PyTorch; medians of seven blocks."""
    cases, rivals = chosen(only, against)
    if kind := os.environ.get("OPENBLAS_CORETYPE"):
        click.echo(f"OPENBLAS_CORETYPE is {kind}: OpenBLAS takes that kernel, not the machine's.")
    for case in cases:
        click.echo(f"{case.name}: {case.question}")
        rows = run_case(case, rivals, QUICK if quick else Sizes())
        click.echo(told(rows))
        if not quick:
            results.update("training", rows, ("case",), NAMES)
    if not quick:
        click.echo(f"written to {results.FOLDER}")
