"""``spikesim run``. Heavy imports wait for their use."""

import inspect
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from spikesim.cli.dry_run import forecast_text, foreseen
from spikesim.cli.output import check_free, print_json
from spikesim.cli.run_options import check_times, check_trials, neurons_of, stimulus, trace
from spikesim.cli.run_summary import Told, summary_of, table
from spikesim.cli.told import told
from spikesim.cli.user_code import import_file, user_code
from spikesim.networks import NAMES

HELP = f"""Run NAME: {", ".join(NAMES)}, a Python file, or a network file.

A network file is what `spikesim convert --out` or save_network has written. A Python file defines
network(), which returns a Network; --scale, --drive, --edges and --stimulate are passed on if it
takes them.
"""


@click.command(help=HELP)
@click.argument("name")
@click.option("--scale", type=float, help="Multiply the neurons; in-degrees stay as they are.")
@click.option("--duration", type=float, default=1000.0, show_default=True, help="Biological ms.")
@click.option("--discard", type=float, default=0.0, help="First ms that no rate counts.")
@click.option("--dt", type=float, help="Step in ms (default: the network's own, else 0.1).")
@click.option("--threads", type=int, help="Worker threads (default: what suits the network).")
@click.option("--seed", type=int, help="Instead of the network's own.")
@click.option("--precision", type=click.Choice(["single", "double"]), default="single")
@click.option(
    "--drive", metavar="KIND", help="For networks with several: microcircuit poisson|dc ..."
)
@click.option("--edges", metavar="FILE", help="flybrain: table of source, target, count.")
@click.option(
    "--stimulate", metavar="NEURONS:HZ", help="flybrain: who is driven, such as 0-20,25:200."
)
@click.option(
    "--silence",
    multiple=True,
    metavar="[POP:]NEURONS",
    help="Cut the outputs of these neurons, such as 3,17-20.",
)
@click.option(
    "--trials", type=int, default=1, help="Repeat with other noise: which neurons answer?"
)
@click.option("--out", type=click.Path(path_type=Path), help="Stream spikes to this HDF5 file.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@click.option("--procedural", is_flag=True, help="Draw synapses again instead of storing them.")
@click.option("--memory", type=float, metavar="GB", help="Limit (default: what is available).")
@click.option("--plot", type=click.Path(path_type=Path), help="Draw a raster to this file.")
@click.option(
    "--record",
    multiple=True,
    metavar="POP:VAR:EVERY",
    help="Record a variable every so many ms, to a file beside --out.",
)
@click.option(
    "--dry-run",
    is_flag=True,
    help="Build nothing; tell memory, size of output and time that a run would take.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@told
def run(
    name: str,
    duration: float,
    discard: float,
    dt: float | None,
    threads: int | None,
    seed: int | None,
    precision: str,
    silence: tuple[str, ...],
    trials: int,
    out: Path | None,
    force: bool,
    procedural: bool,
    memory: float | None,
    plot: Path | None,
    record: tuple[str, ...],
    dry_run: bool,
    as_json: bool,
    **given: Any,
) -> None:
    """Describe a network, run it, and tell what it did."""
    check_times(duration, discard)
    check_free(out, force)
    check_free(plot, force)
    check_trials(trials, out, plot)
    if given["stimulate"] is not None:
        given["stimulate"] = stimulus(given["stimulate"])
    module, net = _load(name, seed, given)
    dt = getattr(module, "DT", 0.1) if dt is None else dt
    silent = [neurons_of(net, text) for text in silence]

    import spikesim as ss

    connectivity = "procedural" if procedural else "stored"
    if dry_run:
        options = {"threads": threads, "precision": precision, "connectivity": connectivity}
        records = [trace(net, text, out) for text in record]
        found = foreseen(net, dt, options, records, memory, duration, trials)
        print_json(found) if as_json else click.echo(forecast_text(found))
        return
    need = ss.check_memory(net, precision, memory, connectivity, dt=dt, threads=threads)
    click.echo(f"memory needed: about {need / 1e9:.2f} GB", err=True)
    records = [trace(net, text, out) for text in record]
    build = ss.build(
        net,
        dt=dt,
        threads=threads,
        precision=precision,
        memory=memory,
        connectivity=connectivity,
        bar=True,
    )
    if trials > 1:
        told, interrupted = _trials(build, trials, discard, duration, silent)
    else:
        simulation = ss.Simulation(
            build, record=records, spikes=bool(out or plot), out=out, overwrite=force
        )
        for population, neurons in silent:
            simulation.silence(population, neurons)
        told, interrupted = _one(simulation, discard, duration)
    summary = summary_of(build, told, getattr(module, "ANSWERS", trials > 1))
    if plot is not None:
        from spikesim import plots

        plots.save(plots.raster(simulation.spikes), plot, overwrite=force)
    if as_json:
        print_json(summary)
    else:
        click.echo(table(build, summary))
    if interrupted:
        done = f"at {told.duration:g} ms" if trials == 1 else f"after {len(told)} trials"
        click.echo(f"interrupted {done}", err=True)
        sys.exit(130)


def _load(name: str, seed: int | None, given: Mapping[str, Any]) -> tuple[ModuleType, Any]:
    """The module that describes a network, and the network, made with the options given."""
    from spikesim.checks import check_number
    from spikesim.description.network import Network

    scale = given["scale"]
    if scale is not None:
        check_number("--scale", scale, above=0)
    published = name in NAMES
    if not published and not Path(name).is_file():
        raise ValueError(
            f"unknown network {name!r}; known are {', '.join(NAMES)}, a Python file, or a network "
            "file."
        )
    if not published and not name.endswith(".py"):
        return _of_file(Path(name), seed, given)
    if published:
        module = import_module(f"spikesim.networks.{name}")
    else:
        module = user_code(Path(name), lambda: import_file(Path(name)))
    function = getattr(module, "network", None)
    if not callable(function):
        raise ValueError(f"{name} defines no function network().")
    takes = inspect.signature(function).parameters
    for option, value in given.items():
        if value is not None and option not in takes:
            raise ValueError(f"the network {name!r} takes no --{option}.")
    arguments = {option: value for option, value in given.items() if value is not None}
    if seed is not None and "seed" in takes:
        arguments["seed"] = seed
    if published:
        net = function(**arguments)
    else:
        net = user_code(Path(name), lambda: function(**arguments))
    if not isinstance(net, Network):
        raise TypeError(f"network() of {name} returned {type(net).__name__}; it must be a Network.")
    if seed is not None:
        net.seed = seed
    return module, net


def _of_file(path: Path, seed: int | None, given: Mapping[str, Any]) -> tuple[ModuleType, Any]:
    """The network of a network file, and in place of a module the step that it is meant for."""
    from spikesim.description.files import load_network, step_of

    for option, value in given.items():
        if value is not None:
            raise ValueError(f"the network of {path} takes no --{option}.")
    net, module = load_network(path), ModuleType(path.stem)
    if (step := step_of(path)) is not None:
        module.DT = step
    net.seed = net.seed if seed is None else seed
    return module, net


def _one(simulation: Any, discard: float, duration: float) -> tuple[Told, bool]:
    """What a run did after what is discarded, and whether Ctrl-C ended it."""
    from tqdm import tqdm

    before, interrupted = simulation.spike_counts, False
    with simulation, tqdm(total=duration, unit="ms", desc=simulation.network.name) as bar:

        def show(_: float) -> None:  # the time reached: pieces would add up to a little more
            bar.update(float(simulation.time) - bar.n)

        try:
            simulation.run(discard, show)
            before = simulation.spike_counts
            simulation.run(duration - discard, show)
        except KeyboardInterrupt:
            interrupted = True
    seconds = max(simulation.time - discard, simulation.build.dt) / 1000
    after = simulation.spike_counts
    rates = {name: (after[name] - before[name])[None] / seconds for name in after}
    spikes, time = sum(simulation.counts.values()), float(simulation.time)
    return Told(rates, spikes, time, simulation.timings, simulation.threads), interrupted


def _trials(
    build: Any, trials: int, discard: float, duration: float, silent: Sequence[tuple]
) -> tuple[Told, bool]:
    """What trials did after what is discarded, and whether Ctrl-C ended them."""
    from tqdm import tqdm

    import spikesim as ss

    def prepare(simulation: Any, _: int) -> None:
        for population, neurons in silent:
            simulation.silence(population, neurons)

    with tqdm(total=trials, unit="trial", desc=build.network.name) as bar:
        found = ss.simulate_trials(
            build,
            duration,
            trials,
            prepare=prepare,
            discard=discard,
            threads=build.threads,
            spikes=False,
            progress=bar.update,
        )
    spikes = int(sum(x.sum() for x in found.spike_counts.values()))
    told = Told(found.rates, spikes, duration, found.timings, found.threads)
    return told, found.interrupted
