"""``spikesim info``."""

from pathlib import Path

import click

from spikesim.cli.output import aligned, print_json
from spikesim.cli.told import told


@click.command()
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@told
def info(file: Path, as_json: bool) -> None:
    """Say what a FILE of spikes or traces, or of a network, holds."""
    from spikesim.data.spike_files import info as read
    from spikesim.description.files import is_network
    from spikesim.rate.files import is_model

    if is_model(file):
        tell_model(file, as_json)
        return
    if is_network(file):
        tell_network(file, as_json)
        return
    found = read(file)
    if as_json:
        print_json(found)
        return
    click.echo(f"{file}: {found['format']}, {found['t_start']:g} to {found['t_stop']:g} ms")
    columns = list(next(iter(found["populations"].values()), {}))
    rows = [[name, *part.values()] for name, part in found["populations"].items()]
    click.echo(aligned([["population", *columns], *rows]))


def tell_network(file: Path, as_json: bool) -> None:
    """Say what a network file describes."""
    from spikesim.description.files import FORMAT, load_network, step_of

    net, step = load_network(file), step_of(file)
    if as_json:
        sizes = {name: p.size for name, p in net.populations.items()}
        told = {"format": FORMAT, "network": net.name, "seed": net.seed, "dt": step}
        print_json(told | {"populations": sizes, "inputs": list(net.inputs)})
        return
    meant = "" if step is None else f", meant for dt {step:g} ms"
    click.echo(f"{file}: {FORMAT} {net.name!r}{meant}\n{net}")


def tell_model(file: Path, as_json: bool) -> None:
    """Say what a model file holds."""
    from spikesim.rate.files import model_info

    found = model_info(file)
    if as_json:
        print_json(found)
        return
    click.echo(
        f"{file}: {found['format']}, {found['inputs']} inputs, {found['outputs']} outputs, "
        f"dt {found['dt']:g} ms, {found['dtype']}"
    )
    for number, cell in enumerate(found["cells"]):
        fields = ", ".join(f"{k} {v}" for k, v in cell.items() if k != "class" and v is not None)
        click.echo(f"cell {number}: {cell['class']}, {fields}")
    rows = [[name, " x ".join(map(str, shape))] for name, shape in found["parameters"].items()]
    click.echo(aligned([["parameter", "shape"], *rows]))
    trained = found["trained"]
    if trained is not None:
        click.echo(
            f"trained on {trained['task']}, seed {trained['seed']}: "
            f"{trained['updates']:,} updates, {trained['trials']:,} trials, "
            f"{trained['seconds']:.1f} s; performance in validation "
            f"{100 * trained['performance']:.2f} %"
        )
