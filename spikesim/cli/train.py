"""``spikesim train``."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikesim.cli.output import check_free, print_json
from spikesim.cli.tasks import DEFAULTS, OWN, known_task, own_task
from spikesim.cli.told import told

if TYPE_CHECKING:
    from spikesim.rate.files import History
    from spikesim.rate.network import RateNetwork
    from spikesim.rate.tasks.trials import Task, Trials

CELLS = "leaky", "dale", "lowrank", "lstm", "sublstm", "gru", "snu", "lif"
SPIKING = "snu", "lif"
SPIKING_DT, BETA = 5.0, 2.0  # ms; of the surrogate: steeper ones learned digits less well
RATES = {"lowrank": 3e-2}  # m and n are of order 1, the product of their columns is divided by N
VALIDATE_EVERY = 25  # updates
NOISE = 0.15  # of the rates, where a cell has it: Song et al. (2016)
*FIRST, LAST = DEFAULTS
HELP = f"""Train a rate network on TASK: {", ".join(FIRST)} or {LAST}, or a Python file.

The file defines task(), which returns a Task of spikesim.rate.

The performance that is told is that on fresh trials after training.

A training with a checkpoint that was killed goes on if the same command is given again with
--resume.
"""


@click.command(help=HELP)
@click.argument("task")
@click.option("--cell", help=f"One of {', '.join(CELLS)} (default: what suits the task).")
@click.option(
    "--units", type=click.IntRange(min=1), help="Of the cell (default: what suits the task)."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option(
    "--until",
    type=float,
    metavar="PERFORMANCE",
    help="Stop there; from 0 to 1 (default: what suits the task; 0.95 for one of a file).",
)
@click.option("--updates", type=click.IntRange(min=0), help="The most to make.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the network in this HDF5 file.")
@click.option(
    "--checkpoint",
    type=click.Path(path_type=Path),
    help="Keep in this file, a new one, what is needed to go on if training is killed.",
)
@click.option("--resume", is_flag=True, help="Go on from the checkpoint, to the same numbers.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw training and behaviour.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@told
def train(
    task: str,
    cell: str | None,
    units: int | None,
    seed: int,
    until: float | None,
    updates: int | None,
    out: Path | None,
    checkpoint: Path | None,
    resume: bool,
    force: bool,
    plot: Path | None,
    as_json: bool,
) -> None:
    """Train a network, keep it, and tell how well it does."""
    from spikesim import plots
    from spikesim.rate.files import save
    from spikesim.rate.optimizers import Adam
    from spikesim.rate.tasks import TASKS
    from spikesim.rate.training import respond, train as run

    if task not in TASKS and not Path(task).is_file():
        raise ValueError(f"unknown task {task!r}; known are {', '.join(TASKS)}, or a Python file.")
    default = DEFAULTS.get(task, OWN)
    cell = default.cell if cell is None else cell
    if cell not in CELLS:
        raise ValueError(f"unknown cell {cell!r}; known are {', '.join(CELLS)}.")
    until = default.until if until is None else until
    check_free(out, force)
    if plot is not None:
        plots.check_path(plot, force)
    step = {"dt": SPIKING_DT} if cell in SPIKING else {}
    made = known_task(task, **step) if task in TASKS else own_task(Path(task))
    network = _network(made, cell, default.units if units is None else units, seed)
    history = run(
        network,
        made,
        optimizer=Adam(RATES.get(cell, default.rate)),
        batch=default.batch,
        updates=default.updates if updates is None else updates,
        until=until,
        validate_every=VALIDATE_EVERY,
        seed=seed,
        checkpoint=checkpoint,
        resume=resume,
    )
    if out is not None:
        save(network, out, history, overwrite=force)
    outputs, trials = respond(network, made, default.test_trials, seed=seed)
    summary = _summary(made, cell, network, history, outputs, trials)
    if plot is not None:
        figure = plots.training_overview(made, history, outputs, trials, until)
        plots.save(figure, plot, overwrite=force)
    if as_json:
        print_json(summary)
    else:
        click.echo(_text(summary))
    if history.stop == "interrupted":
        click.echo(f"interrupted after {history.updates} updates", err=True)
        sys.exit(130)


def _network(task: Task, cell: str, units: int, seed: int) -> RateNetwork:
    from spikesim import rate

    make: dict[str, Callable[[], Any]] = {
        "leaky": lambda: rate.LeakyRNN(units, noise=NOISE),
        "dale": lambda: rate.DaleRNN(units, noise=NOISE),
        "lowrank": lambda: rate.LowRankRNN(units, rank=min(units, 5)),
        "lstm": lambda: rate.LSTM(units),
        "sublstm": lambda: rate.SubLSTM(units),
        "gru": lambda: rate.GRU(units),
        "snu": lambda: rate.SNU(units, surrogate=rate.FastSigmoid(BETA)),
        "lif": lambda: rate.LIFCell(units, surrogate=rate.FastSigmoid(BETA)),
    }
    return rate.RateNetwork(
        [make[cell]()],
        task.inputs,
        task.outputs,
        task.dt,
        seed=seed,
        readout="softmax" if task.loss == "cross_entropy" else "linear",
        readout_from="excitatory" if cell == "dale" else "all",
        readout_tau=20.0 if cell in SPIKING else None,
    )


def _summary(
    task: Task,
    cell: str,
    network: RateNetwork,
    history: History,
    outputs: Any,
    trials: Trials,
) -> dict[str, Any]:
    import numpy as np

    from spikesim.analysis.behaviour import slopes
    from spikesim.rate.training import LOSSES

    loss = LOSSES[task.loss](outputs, trials.targets, trials.mask, np.empty_like(outputs))
    summary = {
        "task": task.name,
        "cell": cell,
        "units": network.cells[-1].units,
        "seed": history.seed,
        "dt": task.dt,
        "performance": task.performance(outputs, trials),
        "test_trials": outputs.shape[1],
        "trials": history.trials,
        "updates": history.updates,
        "seconds": history.seconds,
        "loss": float(loss),
        "stop": history.stop,
    }
    if task.name == "context_integration":
        summary["slopes"] = {
            context: {"relevant": relevant, "irrelevant": irrelevant}
            for context, (relevant, irrelevant) in slopes(outputs, trials).items()
        }
    return summary


def _text(summary: dict[str, Any]) -> str:
    reasons = {
        "criterion": "the criterion was reached",
        "updates": "all updates were made",
        "interrupted": "interrupted",
    }
    text = (
        f"{summary['task']}, {summary['cell']} of {summary['units']} units, "
        f"seed {summary['seed']}: {100 * summary['performance']:.2f} % on "
        f"{summary['test_trials']:,} fresh trials, loss {summary['loss']:.4g}\n"
        f"{summary['updates']:,} updates, {summary['trials']:,} trials, "
        f"{summary['seconds']:.1f} s; {reasons[summary['stop']]}"
    )
    for context, found in summary.get("slopes", {}).items():
        text += (
            f"\ncontext {context}: slope {found['relevant']:.3g} along the relevant coherence, "
            f"{found['irrelevant']:.3g} along the irrelevant one"
        )
    return text
