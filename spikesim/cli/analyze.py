"""``spikesim analyze``."""

import contextlib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from spikesim.cli.output import aligned, check_free, print_json
from spikesim.cli.told import told

HEAD = "file", "populations", "t_start (ms)", "t_stop (ms)", "recorded (ms)", "windows", "guessed"


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--population", "-p", multiple=True, metavar="NAME", help="This alone; repeatable.")
@click.option("--window", nargs=2, type=float, metavar="A B", help="Time (A, B] in ms alone.")
@click.option("--what", metavar="LIST", help="Parts, with commas between; see below.")
@click.option("--rhythm", type=float, metavar="HZ", help="A clock, phase 0 at time 0, for phases.")
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Another run of the same populations; repeatable, with another seed, say.",
)
@click.option("--plots", type=click.Path(path_type=Path), metavar="DIR", help="Pictures, as PNG.")
@click.option("--report", type=click.Path(path_type=Path), metavar="FILE.html", help="One page.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("--seed", default=0, show_default=True, help="Of the draw of neurons and surrogates.")
@click.option("--force", is_flag=True, help="Overwrite files that exist.")
@told
def analyze(
    file: Path,
    population: Sequence[str],
    window: tuple[float, float] | None,
    what: str | None,
    rhythm: float | None,
    against: Sequence[Path],
    plots: Path | None,
    report: Path | None,
    as_json: bool,
    seed: int,
    force: bool,
) -> None:
    """Say what the spikes in a FILE say: a run of ours, any SONATA file, or NWB.

    The parts of --what are raster, rates, intervals, correlograms, spectrum, synchrony, phases
    (with --rhythm) and agreement (with --against). All that can be told is told by default. Numbers
    are printed; pictures go to a folder, or with the numbers onto one page that needs no network.
    """
    from spikesim.checks import check_number
    from spikesim.reports.page import page, shown
    from spikesim.reports.sections import LETTERS, Material, chosen, sections

    if rhythm is not None:
        check_number("--rhythm", rhythm, above=0, unit="Hz")
    check_free(report, force)
    _check_runs(file, against, report)
    _check_folder(plots)
    wanted = chosen(what, rhythm, bool(against))
    spikes = _spikes(file, population, window)
    others = {str(other): _spikes(other, tuple(spikes), window) for other in against}
    material = Material(spikes, str(file), rhythm=rhythm, others=others, seed=seed)
    made = list(sections(material, wanted, plots is not None or report is not None))
    facts = _facts(file, spikes)
    if plots is not None:
        _save_pictures(plots, made, force)
    if report is not None:
        report.write_text(page(f"Spikes of {file.name}", facts, made), encoding="utf-8")
    if as_json:
        runs = {"runs": dict(zip(LETTERS, material.runs, strict=False))}
        parts = {part.name: {name: dict(row) for name, row in part.rows.items()} for part in made}
        print_json({"file": str(file), **facts, **(runs if others else {}), **parts})
        return
    click.echo("\n".join(f"{name}: {shown(facts[name], 12)}" for name in HEAD if name in facts))
    for part in made:
        if not part.rows:
            continue
        click.echo(f"\n{part.title}")
        columns = list(dict.fromkeys(name for row in part.rows.values() for name in row))
        table = [[name, *(row.get(c, "") for c in columns)] for name, row in part.rows.items()]
        click.echo(aligned([["", *columns], *table]))
        for note in part.notes:
            click.echo(f"  {note}")


def _check_runs(file: Path, against: Sequence[Path], report: Path | None) -> None:
    from spikesim.reports.sections import LETTERS

    if len(against) >= len(LETTERS):
        raise ValueError(f"--against is given {len(against)} times; {len(LETTERS) - 1} at most.")
    seen = [path.resolve() for path in (file, *against)]
    for i, path in enumerate(seen):
        if path in seen[:i]:
            raise ValueError(f"--against is {against[i - 1]}; it is among the runs already.")
    if report is not None and report.resolve() in seen:
        raise ValueError(f"--report is {report}; it would overwrite a run.")


def _spikes(
    file: Path, population: Sequence[str], window: tuple[float, float] | None
) -> dict[str, Any]:
    spikes = _opened(file, window)
    missing = [name for name in population if name not in spikes]
    if missing:
        known = ", ".join(map(repr, spikes)) or "none"
        raise ValueError(f"{file} has no population {missing[0]!r}; it has {known}.")
    spikes = {name: spikes[name] for name in population or spikes}
    if not spikes:
        raise ValueError(f"{file} has no population.")
    if window is not None:
        spikes = {name: trains.restrict(*window) for name, trains in spikes.items()}
    return spikes


def _opened(file: Path, window: tuple[float, float] | None) -> dict[str, Any]:
    """Spikes of a file, of which the window tells what was recorded if nothing else does.

    Where the file tells another, or spikes lie outside, it only chooses.
    """
    from spikesim.data.spike_files import open_spikes

    if window is not None:
        with contextlib.suppress(ValueError):
            return open_spikes(file, window=window)
    return open_spikes(file)


def _facts(file: Path, spikes: Mapping[str, Any]) -> dict[str, Any]:
    from spikesim.data.spike_files import origin

    form, run = origin(file)
    trains = list(spikes.values())
    facts = {
        "file": str(file),
        "format": form,
        "populations": {name: t.size for name, t in spikes.items()},
        "t_start (ms)": min(t.t_start for t in trains),
        "t_stop (ms)": max(t.t_stop for t in trains),
        "recorded (ms)": max(t.duration for t in trains),
    }
    gaps = max(len(t.support) for t in trains)
    if gaps > 1:
        facts["windows"] = gaps
    guessed = sorted({what for t in trains for what in t.guessed})
    if guessed:
        facts["guessed"] = guessed
    labels = sorted({label for t in trains for label in t.labels})
    if labels:
        facts["labels of neurons"] = labels
    return facts | run


def _check_folder(folder: Path | None) -> None:
    if folder is None:
        return
    if folder.exists() and not folder.is_dir():
        raise NotADirectoryError(f"{folder} is a file; --plots is a folder.")
    if not folder.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder {folder.absolute().parent} does not exist.")


def _save_pictures(folder: Path, made: Sequence[Any], force: bool) -> None:
    from spikesim import plots

    folder.mkdir(exist_ok=True)
    paths = {}
    for part in made:
        for i, figure in enumerate(part.figures.values()):
            more = f"_{i + 1}" if len(part.figures) > 1 else ""
            paths[folder / f"{part.name}{more}.png"] = figure
    for path in paths:
        plots.check_path(path, force)
    for path, figure in paths.items():
        plots.save(figure, path, overwrite=force)
