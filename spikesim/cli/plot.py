"""``spikesim plot``."""

from pathlib import Path
from typing import Any

import click

from spikesim.cli.output import check_free
from spikesim.cli.tasks import DEFAULTS, OWN, known_task, own_task
from spikesim.cli.told import told


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="The picture.")
@click.option(
    "--kind",
    type=click.Choice(["overview", "raster", "rates"]),
    help="Of spikes: everything (the default), the raster alone, or rates over time.",
)
@click.option(
    "--task",
    type=click.Path(path_type=Path),
    metavar="FILE.py",
    help="Of a trained network: the file of a task of one's own.",
)
@click.option("--force", is_flag=True, help="Overwrite a file that exists.")
@told
def plot(file: Path, out: Path, kind: str | None, task: Path | None, force: bool) -> None:
    """Draw what a FILE holds.

    Of spikes: their raster, rates over time, and histograms of rates and CVs. Of traces: up to
    ten neurons, or the spread of all and some of them. Of a trained network: how it learned, and
    inputs, outputs and units in some trials.
    """
    from spikesim import plots
    from spikesim.data.spike_files import NWB, SONATA, open_spikes, origin
    from spikesim.rate.files import is_model

    check_free(out, force)
    plots.check_path(out, force)
    model = is_model(file)
    if task is not None and not model:
        raise ValueError(f"--task is {task}; it is for trained networks, and {file} holds none.")
    if not model and origin(file)[0] in (SONATA, NWB):
        plots.save(getattr(plots, kind or "overview")(open_spikes(file)), out, overwrite=force)
        return
    if kind is not None:
        raise ValueError(f"--kind is {kind!r}; it is for spikes, and {file} holds none.")
    if model:
        figure = draw_model(file, task)
    else:
        figure = _draw_traces(file)
    plots.save(figure, out, overwrite=force)


def _draw_traces(file: Path) -> Any:
    from spikesim import plots
    from spikesim.data.report_files import read_report
    from spikesim.data.spike_files import info

    parts = {}
    for name in info(file)["populations"]:
        times, neurons, values, meta = read_report(file, name)
        if not values.size:
            click.echo(f"{file}: the report of {name!r} holds no samples", err=True)
            continue
        parts[name] = times, neurons, values, meta["variable"] or "value", meta["unit"]
    if not parts:
        raise ValueError(f"{file} holds no samples to draw.")
    return plots.report(parts)


def draw_model(file: Path, own: Path | None) -> Any:
    """The figure of a model file, whose task is named in it, or defined by a file of one's own."""
    from spikesim import plots
    from spikesim.rate.files import load, load_history
    from spikesim.rate.tasks import TASKS
    from spikesim.rate.training import respond

    network, history = load(file), load_history(file)
    if own is not None:
        task = own_task(own)
        if history is not None and history.task != task.name:
            raise ValueError(
                f"--task is {own}, whose task is {task.name!r}; {file} was trained on "
                f"{history.task!r}."
            )
    elif history is None:
        raise ValueError(
            f"{file} does not say what it was trained on; give the file of its task by --task."
        )
    elif history.task in TASKS:
        task = known_task(history.task, **history.settings)
    else:
        click.echo(
            f"{history.task!r} is a task of one's own; with its file (--task) trials are drawn too",
            err=True,
        )
        return plots.learning_curve(history)
    trials = DEFAULTS.get(task.name, OWN).test_trials
    outputs, drawn = respond(network, task, trials)
    network.run(drawn.inputs[:, : plots.EXAMPLES], seed=0)
    return plots.training_overview(task, history, outputs, drawn, rates=network.rates[-1])
