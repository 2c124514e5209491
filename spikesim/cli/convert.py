"""``spikesim convert``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from spikesim.cli.output import check_free, print_json
from spikesim.cli.tasks import known_task, own_task
from spikesim.cli.told import told

if TYPE_CHECKING:
    from spikesim.rate.network import RateNetwork
    from spikesim.rate.tasks import Task

NEURONS = "lif", "lif_cond", "izhikevich"
METHODS = "one-factor", "calibrated", "fine-tuned"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--neuron", type=click.Choice(NEURONS), default="lif", show_default=True)
@click.option("--method", type=click.Choice(METHODS), default="calibrated", show_default=True)
@click.option(
    "--per-unit", type=click.IntRange(min=1), help="Neurons of a unit (default: 5; one-factor: 1)."
)
@click.option("--rate", type=float, metavar="HZ", help="Mean rate of a neuron (default: 9 or 18).")
@click.option(
    "--task", metavar="TASK", help="A name or a Python file (default: what FILE was trained on)."
)
@click.option("--trials", type=click.IntRange(min=1), default=1000, show_default=True)
@click.option("--full", is_flag=True, help="Compare units, populations, silencing, steps as well.")
@click.option("--check", is_flag=True, help="Say of each part whether it converts, and stop.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True)
@click.option("--dt", type=float, help="Step of a network of weights, ms, if they do not tell.")
@click.option("--tau", type=float, help="Time constant of its units, ms, likewise.")
@click.option("--activation", help="Of its units, likewise.")
@click.option("--out", type=click.Path(path_type=Path), help="Keep the spiking network here.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw the certificate to this file.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@told
def convert(
    file: Path,
    neuron: str,
    method: str,
    per_unit: int | None,
    rate: float | None,
    task: str | None,
    trials: int,
    full: bool,
    check: bool,
    seed: int,
    out: Path | None,
    force: bool,
    plot: Path | None,
    as_json: bool,
    **settings: Any,
) -> None:
    """Make a spiking network of the rate network in FILE, and certify how faithful it is.

    FILE is a model file of `spikesim train`, or holds weights: a NumPy archive, safetensors, or a
    state file of PyTorch.
    """
    import time

    from spikesim import conversion, plots
    from spikesim.conversion.leaky.targets import TARGETS

    check_free(out, force)
    if plot is not None:
        plots.check_path(plot, force)
    network, trained_on = _read(file, settings)
    if check:
        _tell_parts(network, as_json)
        return
    made_for = _task(task, trained_on, file)
    kinds = conversion.OneFactor, conversion.Calibrated, conversion.FineTuned
    ways = {kind.name: kind for kind in kinds}
    options = {} if rate is None or method == "one-factor" else {"rate": rate}
    if rate is not None and not options:
        raise ValueError("--rate is for the methods calibrated and fine-tuned.")
    if method == "one-factor" and neuron != "lif":
        raise ValueError("--method one-factor makes the neurons of its paper: --neuron lif.")
    begin = time.perf_counter()
    converted = conversion.convert(
        network,
        made_for,
        method=ways[method](**options),
        neuron=None if method == "one-factor" else TARGETS[neuron](),
        per_unit=per_unit or (1 if method == "one-factor" else 5),
        seed=seed,
    )
    converting = time.perf_counter() - begin
    if out is not None:
        conversion.save(converted, out, overwrite=force)
    found = conversion.certify(
        converted, network, made_for, trials=trials, full=full, seed=seed + 1
    )
    if plot is not None:
        both = conversion.trajectories(converted, network, made_for)
        plots.save(plots.certificate(found, both), plot, overwrite=force)
    summary = found.as_dict() | {
        "task": made_for.name,
        "seed": seed,
        "seconds_converting": converting,
        "seconds": found.seconds + converting,
    }
    if as_json:
        print_json(summary)
    else:
        click.echo(f"{found}\nconverted in {converting:.1f} s")


def _read(file: Path, settings: dict[str, Any]) -> tuple[RateNetwork, tuple[str, dict] | None]:
    """The network of a file, and the task that it was trained on with its settings, if it says."""
    import h5py

    from spikesim.conversion import load_rate_network
    from spikesim.rate.files import load, load_history

    if file.is_file() and h5py.is_hdf5(file):
        if any(value is not None for value in settings.values()):
            option = next(name for name, value in settings.items() if value is not None)
            raise ValueError(f"--{option} is for weights; the model file {file} tells it.")
        _check_no_graph(file)
        history = load_history(file)
        return load(file), None if history is None else (history.task, history.settings)
    if not file.exists():
        raise FileNotFoundError(f"there is no file {file}")
    return load_rate_network(file, **{k: v for k, v in settings.items() if v is not None}), None


def _check_no_graph(file: Path) -> None:
    """Say of a NIR graph where it is read."""
    from spikesim.data.hdf5 import open_for_reading

    with open_for_reading(file) as hdf5:
        graph = "node" in hdf5
    if graph:
        raise ValueError(
            f"{file} is a NIR graph, whose neurons spike already; in Python "
            "spikesim.conversion.read_nir takes it, with the rules of the framework that wrote it."
        )


def _task(asked: str | None, trained_on: tuple[str, dict] | None, file: Path) -> Task:
    from spikesim.rate.tasks import TASKS

    if asked is not None:
        if asked not in TASKS and not Path(asked).is_file():
            raise ValueError(
                f"unknown task {asked!r}; known are {', '.join(TASKS)}, or a Python file."
            )
        if asked not in TASKS:
            return own_task(Path(asked))
        same = trained_on is not None and trained_on[0] == asked
        return known_task(asked, **(trained_on[1] if same else {}))
    if trained_on is None:
        raise ValueError(f"{file} does not say what its network was trained on; give --task.")
    if trained_on[0] not in TASKS:
        raise ValueError(
            f"{file} was trained on {trained_on[0]!r}, which is no task known by name; give its "
            "Python file: --task FILE."
        )
    return known_task(trained_on[0], **trained_on[1])


def _tell_parts(network: RateNetwork, as_json: bool) -> None:
    """Say of each cell and of the readout whether it converts."""
    from spikesim.conversion import parts_of

    parts = parts_of(network)
    if as_json:
        converts = all(part.converts for part in parts)
        print_json({"converts": converts, "parts": [part._asdict() for part in parts]})
        return
    for name, ok, why in parts:
        click.echo(f"{name}: {'converts' if ok else 'does not convert'}, {why}")
