"""The command line: ``spikesim run | info | plot | train``. Heavy imports wait for their use."""

import functools
import inspect
import json
import math
import sys
import traceback
import warnings
from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any

import click

from spikesim import __version__
from spikesim.networks import NAMES

MISTAKES = (ValueError, TypeError, IndexError, OSError, MemoryError, FloatingPointError)
TOLD = 20  # neurons that are told of by number


class Mistake(click.ClickException):
    """A user's mistake: told in a sentence, exit code 2."""

    exit_code = 2


def told(command: Callable) -> Callable:
    """Tell what went wrong without a traceback, and warnings without a line of ours."""

    def show(message: Warning | str, category: type[Warning], *_: Any) -> None:
        click.echo(f"warning: {message}", err=True)

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        with warnings.catch_warnings():
            warnings.showwarning = show
            try:
                command(*args, **options)
            except MISTAKES as error:
                raise Mistake(str(error)) from None

    return wrapped


class Commands(click.Group):
    """The commands of this file, and ``train`` of another, imported when it is asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return sorted([*super().list_commands(ctx), "train"])

    def get_command(self, ctx: click.Context, name: str) -> click.Command | None:
        if name == "train":
            from spikesim.cli_train import train

            return train
        return super().get_command(ctx, name)


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="spikesim")
def main() -> None:
    """Spiking neural networks on the CPU: describe, run, keep the spikes."""


@main.command()
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
    """Run NAME: cuba, coba, brunel, microcircuit, izhikevich, patterns, hodgkin_huxley, flybrain,
    or a Python file.

    The file defines network(), which returns a Network; --scale, --drive, --edges and --stimulate
    are passed on if it takes them.
    """
    _check_times(duration, discard)
    check_free(out, force)
    check_free(plot, force)
    _check_trials(trials, out, plot)
    if given["stimulate"] is not None:
        given["stimulate"] = _stimulus(given["stimulate"])
    module, net = _load(name, seed, given)
    dt = getattr(module, "DT", 0.1) if dt is None else dt
    silent = [_neurons(net, text) for text in silence]

    import spikesim as ss

    connectivity = "procedural" if procedural else "stored"
    if dry_run:
        options = {"threads": threads, "precision": precision, "connectivity": connectivity}
        records = [_trace(net, text, out) for text in record]
        found = _foreseen(net, dt, options, records, memory, duration, trials)
        print_json(found) if as_json else click.echo(_forecast_text(found))
        return
    need = ss.check_memory(net, precision, memory, connectivity, dt=dt, threads=threads)
    click.echo(f"memory needed: about {need / 1e9:.2f} GB", err=True)
    records = [_trace(net, text, out) for text in record]
    build = ss.build(
        net,
        dt=dt,
        threads=threads,
        precision=precision,
        memory=memory,
        connectivity=connectivity,
        bar=True,
    )
    rates, interrupted = [], False
    while len(rates) < trials and not interrupted:
        simulation = ss.Simulation(
            build,
            replica=len(rates),
            record=records,
            spikes=bool(out or plot),
            out=out,
            overwrite=force,
        )
        for population, neurons in silent:
            simulation.silence(population, neurons)
        told, interrupted = _trial(simulation, discard, duration)
        rates.append(told)
    summary = _summary(simulation, rates, getattr(module, "ANSWERS", trials > 1))
    if plot is not None:
        _draw(simulation.spikes, plot, force, "raster")
    if as_json:
        print_json(summary)
    else:
        click.echo(_table(simulation, summary))
    if interrupted:
        click.echo(f"interrupted at {simulation.time:g} ms", err=True)
        sys.exit(130)


@main.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@told
def info(file: Path, as_json: bool) -> None:
    """Say what a FILE of spikes or traces, or a trained network, holds."""
    from spikesim.data.spikes import info as read
    from spikesim.rate.files import is_model

    if is_model(file):
        from spikesim.cli_train import tell_model

        tell_model(file, as_json)
        return
    found = read(file)
    if as_json:
        print_json(found)
        return
    click.echo(f"{file}: {found['format']}, {found['t_start']:g} to {found['t_stop']:g} ms")
    columns = list(next(iter(found["populations"].values()), {}))
    rows = [[name, *part.values()] for name, part in found["populations"].items()]
    click.echo(aligned([["population", *columns], *rows]))


@main.command()
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
    from spikesim.data.spikes import info, open_spikes
    from spikesim.rate.files import is_model

    check_free(out, force)
    plots.check_path(out, force)
    model = is_model(file)
    if task is not None and not model:
        raise ValueError(f"--task is {task}; it is for trained networks, and {file} holds none.")
    if not model and info(file)["format"] == "SONATA spikes":
        _draw(open_spikes(file), out, force, kind or "overview")
        return
    if kind is not None:
        raise ValueError(f"--kind is {kind!r}; it is for spikes, and {file} holds none.")
    if model:
        from spikesim.cli_train import draw_model

        figure = draw_model(file, task)
    else:
        figure = _draw_traces(file)
    plots.save(figure, out, overwrite=force)


def _foreseen(
    net: Any,
    dt: float,
    options: Mapping[str, Any],
    records: Sequence[Any],
    memory: float | None,
    duration: float,
    trials: int,
) -> dict[str, Any]:
    """What a run would take; nothing is built."""
    import psutil

    from spikesim.engine.forecast import forecast
    from spikesim.engine.memory import check_memory

    found = forecast(net, dt=dt, record=records, **options)
    try:
        check_memory(net, options["precision"], memory, options["connectivity"])
        fits = True
    except MemoryError:
        fits = False
    allowed = psutil.virtual_memory().available / 1e9 if memory is None else memory
    return {
        "dry_run": True,
        "network": net.name,
        "neurons": sum(p.size for p in net.populations.values()),
        "synapses": round(found.synapses),
        "threads": found.threads,
        "dt": dt,
        "precision": options["precision"],
        "duration_ms": duration,
        "trials": trials,
        "memory_gb": found.memory / 1e9,
        "allowed_gb": allowed,
        "fits": fits,
        "assumed_rate_hz": found.rate,
        "spikes_mb_per_s": found.spike_bytes / 1e6,
        "traces_mb_per_s": found.trace_bytes / 1e6,
        "build_s": found.build_seconds,
        "run_s": found.rtf * trials * duration / 1000,
        "rtf": found.rtf,
    }


def _forecast_text(found: Mapping[str, Any]) -> str:
    allowed = f"{found['allowed_gb']:.2f} GB"
    fits = f"{allowed} may be used" if found["fits"] else f"more than {allowed}: it will be refused"
    traces = f", of traces {found['traces_mb_per_s']:.3g} MB" if found["traces_mb_per_s"] else ""
    return (
        f"{found['network']}: {found['neurons']:,} neurons, about {found['synapses']:,} synapses; "
        "nothing was built\n"
        f"memory: about {found['memory_gb']:.2f} GB; {fits}\n"
        f"a second of biological time in a file: spikes about {found['spikes_mb_per_s']:.3g} MB"
        f"{traces}\n"
        f"time: about {found['build_s']:.2g} s for the build, about {found['run_s']:.2g} s for the "
        f"run (real-time factor {found['rtf']:.2g}), on {found['threads']} thread(s)\n"
        f"assumed: {found['assumed_rate_hz']:g} Hz in all neurons, and what they and synapses took "
        "on one machine; models that were not run before take some seconds more to compile"
    )


def _trial(simulation: Any, discard: float, duration: float) -> tuple[dict[str, Any], bool]:
    """Rates (Hz) of all neurons after what is discarded, and whether Ctrl-C ended the run."""
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
    return {name: (after[name] - before[name]) / seconds for name in after}, interrupted


def _draw(spikes: Mapping[str, Any], path: Path, force: bool, figure: str) -> None:
    from spikesim import plots

    plots.save(getattr(plots, figure)(spikes), path, overwrite=force)


def _draw_traces(file: Path) -> Any:
    from spikesim import plots
    from spikesim.data.reports import read_report
    from spikesim.data.spikes import info

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


def _check_times(duration: float, discard: float) -> None:
    if not (math.isfinite(duration) and duration > 0):
        raise ValueError(f"--duration is {duration}; it must be a positive number of ms.")
    if not 0 <= discard < duration:
        raise ValueError(
            f"--discard is {discard:g}; it must lie between 0 and --duration, {duration:g} ms."
        )


def check_free(path: Path | None, force: bool) -> None:
    """Before anything is built: can this file be written?"""
    if path is None:
        return
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file.")
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; give another name, or --force to overwrite it.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder {path.absolute().parent} does not exist.")


def _load(name: str, seed: int | None, given: Mapping[str, Any]) -> tuple[ModuleType, Any]:
    """The module that describes a network, and the network, made with the options given."""
    from spikesim.description.network import Network

    scale = given["scale"]
    if scale is not None and not (math.isfinite(scale) and scale > 0):
        raise ValueError(f"--scale is {scale}; it must be a positive number.")
    published = name in NAMES
    if not published and not Path(name).is_file():
        raise ValueError(
            f"unknown network {name!r}; known are {', '.join(NAMES)}, or a Python file."
        )
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


def import_file(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"the file {path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file.")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where classes of the file look for it
    spec.loader.exec_module(module)
    return module


def user_code(path: Path, call: Callable[[], Any]) -> Any:
    """Run a user's file; an error in it is told with its line."""
    try:
        return call()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or ["?"])[-1]
        raise ValueError(f"{path}, line {line}: {type(error).__name__}: {error}") from None


def _trace(net: Any, text: str, out: Path | None) -> Any:
    from spikesim.description.recording import Trace

    parts = text.split(":")
    try:
        population, variable, every = parts[0], parts[1], float(parts[2])
        if len(parts) != 3:
            raise IndexError
    except (IndexError, ValueError):
        raise ValueError(
            f"--record is {text!r}; it must be POP:VAR:EVERY with EVERY in ms, such as exc:v:1."
        ) from None
    if population not in net.populations:
        known = ", ".join(net.populations)
        raise ValueError(f"--record {text}: unknown population {population!r}; known are {known}.")
    if out is None:
        raise ValueError(f"--record {text}: traces go to a file beside --out, which is missing.")
    return Trace(net.populations[population], variable, every)


def _check_trials(trials: int, out: Path | None, plot: Path | None) -> None:
    if trials < 1:
        raise ValueError(f"--trials is {trials}; it must be 1 or more.")
    if trials > 1 and (out or plot):
        raise ValueError(
            f"--trials is {trials}; --out and --plot keep the spikes of one trial: leave them out, "
            "or run one trial with another --seed."
        )


def _numbers(text: str) -> list[int]:
    """Whole numbers in a text such as "3,17-20"."""
    numbers: list[int] = []
    for part in text.split(","):
        first, dash, last = part.partition("-")
        numbers += range(int(first), int(last if dash else first) + 1)
    return numbers


def _stimulus(text: str) -> dict[int, float]:
    """Neurons and their rate (Hz) in a text such as "0-20,25:200"."""
    numbers, _, rate = text.rpartition(":")
    try:
        hertz = float(rate)
        if not (math.isfinite(hertz) and hertz >= 0):
            raise ValueError
        return dict.fromkeys(_numbers(numbers), hertz)
    except ValueError:
        raise ValueError(
            f"--stimulate is {text!r}; it must be NEURONS:HZ, such as 0-20:200 or 3,17:100."
        ) from None


def _neurons(net: Any, text: str) -> tuple[str, list[int]]:
    """A population and numbers of neurons in a text such as "exc:3,17-20"."""
    population, colon, numbers = text.rpartition(":")
    if not colon and len(net.populations) == 1:
        population = next(iter(net.populations))
    if population not in net.populations:
        raise ValueError(
            f"--silence is {text!r}; it must be POP:NEURONS with one of the populations "
            f"{', '.join(net.populations)}."
        )
    try:
        neurons = _numbers(numbers)
    except ValueError:
        raise ValueError(
            f"--silence is {text!r}; NEURONS must be numbers such as 3,17-20."
        ) from None
    net.view(population).places(neurons)
    return population, neurons


def _summary(
    simulation: Any, rates: Sequence[Mapping[str, Any]], tell_neurons: bool
) -> dict[str, Any]:
    """What a run or several trials gave; ``rates`` (Hz) by trial, population and neuron."""
    import numpy as np

    build, net = simulation.build, simulation.network
    hertz = {name: np.stack([trial[name] for trial in rates]) for name in rates[0]}
    summary = {
        "network": net.name,
        "neurons": sum(p.size for p in net.populations.values()),
        "synapses": build.synapse_count,
        "threads": simulation.threads,
        "dt": build.dt,
        "precision": build.precision,
        "duration_ms": float(simulation.time),
        "trials": len(rates),
        "build_s": build.seconds,
        "compile_s": simulation.compile_seconds,
        "run_s": simulation.run_seconds,
        "rtf": simulation.timings["rtf"],
        "rates": {name: float(x.mean()) for name, x in hertz.items()},
        "spikes": sum(simulation.counts.values()),
        "peak_rss_gb": peak_memory() / 1e9,
        "bytes_per_synapse": build.bytes_per_synapse,
        "versions": simulation.describe()["versions"],
    }
    if len(rates) > 1:
        spread = {name: float(x.mean(axis=1).std(ddof=1)) for name, x in hertz.items()}
        summary["rates_sd"] = spread
    if tell_neurons:
        summary["answering"] = {name: _answering(x) for name, x in hertz.items()}
    return summary


def _answering(hertz: Any) -> dict[str, list[float]]:
    """Neurons that spiked in any trial, strongest first: mean and SD (Hz) over trials."""
    import numpy as np

    mean = hertz.mean(axis=0)
    spread = hertz.std(axis=0, ddof=1) if len(hertz) > 1 else np.zeros_like(mean)
    neurons = np.flatnonzero(mean > 0)
    neurons = neurons[np.argsort(-mean[neurons], kind="stable")]
    return {
        "neurons": neurons.tolist(),
        "mean": mean[neurons].tolist(),
        "sd": spread[neurons].tolist(),
    }


def peak_memory() -> int:
    """Most memory this process has held, in bytes."""
    try:
        import resource
    except ImportError:  # Windows
        import psutil

        return psutil.Process().memory_info().peak_wset
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak if sys.platform == "darwin" else peak * 1024


def _table(simulation: Any, summary: Mapping[str, Any]) -> str:
    arriving = dict.fromkeys(simulation.network.populations, 0)
    for name, projection in simulation.network.projections.items():
        arriving[projection.target.population] += simulation.build.synapses_of[name]
    rows: list[list[Any]] = [["population", "neurons", "synapses onto", "rate (Hz)"]]
    for name, p in simulation.network.populations.items():
        rows.append([name, f"{p.size:,}", f"{arriving[name]:,}", f"{summary['rates'][name]:.3f}"])
    rows.append(["all", f"{summary['neurons']:,}", f"{summary['synapses']:,}", ""])
    answers = "".join(_told(*item) for item in summary.get("answering", {}).items())
    return (
        f"{aligned(rows)}\n\n{answers}"
        f"build {summary['build_s']:.2f} s, compile {summary['compile_s']:.2f} s, "
        f"run {summary['run_s']:.2f} s for {summary['duration_ms'] / 1000:g} s "
        f"(real-time factor {summary['rtf']:.3f})\n"
        f"{summary['threads']} thread(s), {summary['precision']} precision, "
        f"dt {summary['dt']:g} ms; peak memory {summary['peak_rss_gb']:.2f} GB, "
        f"{summary['bytes_per_synapse']:.2f} bytes per synapse"
    )


def _told(name: str, found: Mapping[str, list[float]]) -> str:
    """The neurons of a population that answered, the strongest by number."""
    rows: list[list[Any]] = [["neuron", "rate (Hz)", "SD over trials"]]
    rows += map(list, zip(*(found[key][:TOLD] for key in ("neurons", "mean", "sd")), strict=True))
    number = len(found["neurons"])
    of_them = f", the {TOLD} strongest" if number > TOLD else ""
    return f"{name}: {number} neurons spiked{of_them}\n{aligned(rows)}\n\n"


def print_json(value: Any) -> None:
    """Print a value as JSON, which knows no NaN and no infinity: they become null."""
    click.echo(json.dumps(finite(value), allow_nan=False))


def finite(value: Any) -> Any:
    """A value made of numbers, lists and mappings, with None for what is NaN or infinite."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def aligned(rows: list[list[Any]]) -> str:
    """Columns of text, numbers to the right."""
    cells = [[f"{x:.3f}" if isinstance(x, float) else str(x) for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *rest in cells:
        right = (x.rjust(w) for x, w in zip(rest, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)
