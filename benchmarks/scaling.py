"""Does the cost of a synaptic event and of a neuron stay the same as networks grow?

Every neuron is made to spike by a Poisson train of its own; synapses have weight zero, so that
rates are what was asked for at any size. The same network without its synapses tells what neurons
and their drives take; what the synapses add to that is theirs. One thread. Every size runs in a
process of its own, as the system tells only the most memory that a process has held.
"""

import multiprocessing
import statistics
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from itertools import pairwise, product

import click

import spikesim as ss
from benchmarks import machine, results
from spikesim.cli.run_summary import peak_memory

# By name, the neurons, in-degrees and rates (Hz) of a series; what changes has several.
SERIES = {
    "neurons": ([1000, 3000, 10_000, 30_000, 100_000, 300_000], [100], [10.0]),
    "in-degree": ([10_000], [30, 100, 300, 1000, 3000], [10.0]),
    "rate": ([10_000], [1000], [1.0, 3.0, 10.0, 30.0, 100.0]),
}
WORK = 50_000_000  # synaptic events and steps of neurons that a run lasts for, within limits
TURNS = 4  # runs with and without synapses for each repeat: what they differ by is small
SHORTEST, LONGEST = 20, 5000  # ms
DELAY = 1.5  # ms
DEARER = 1.3  # from one size to the next: not flat
ARRAYS = ("words", "row pointers", "ring of a partition", "state")  # whose bytes are told
FIGURE = results.FOLDER / "scaling.png"


def network(neurons: int, degree: int, rate: float) -> ss.Network:
    """Neurons that spike at their drive's rate; in-degree 0 leaves the synapses out."""
    net = ss.Network(name="scaling")
    receptors = {"exc": ss.Exponential(5.0), "kick": ss.Delta()}
    cells = net.population("cells", neurons, ss.LIF(t_ref=0.0, receptors=receptors))
    net.drive(cells, ss.Poisson(rate, 50.0), receptor="kick")
    if degree:
        rule = ss.FixedInDegree(degree)
        net.connect(cells, cells, rule, weight=0.0, delay=DELAY, receptor="exc")
    return net


def duration(neurons: int, degree: int, rate: float) -> float:
    """Biological ms that are worth timing."""
    a_millisecond = neurons * (10 + degree * rate / 1000)
    return float(min(max(round(WORK / a_millisecond), SHORTEST), LONGEST))


def measure(neurons: int, degree: int, rate: float, repeats: int) -> dict:
    """Costs at one size, with and without synapses in turn."""
    wired = ss.Simulation(network(neurons, degree, rate), threads=1, spikes=False)
    wired.run(SHORTEST)
    peak = peak_memory()
    bare = ss.Simulation(network(neurons, 0, rate), threads=1, spikes=False)
    bare.run(SHORTEST)
    length = duration(neurons, degree, rate)
    seconds: dict[ss.Simulation, list[float]] = {wired: [], bare: []}
    before = wired.counts["cells"]
    for _ in range(TURNS * repeats):
        for simulation, taken in seconds.items():
            start = simulation.run_seconds
            simulation.run(length)
            taken.append(simulation.run_seconds - start)
    spikes = (wired.counts["cells"] - before) / (TURNS * repeats)
    alone = statistics.median(seconds[bare])
    added = statistics.median(a - b for a, b in zip(seconds[wired], seconds[bare], strict=True))
    build, arrays = wired.build, wired.state.arrays
    return {
        "neurons": neurons,
        "in-degree": degree,
        "rate": rate,
        "ms": length,
        "spikes": spikes,
        "build_s": build.seconds,
        "ns_event": added / (spikes * degree) * 1e9,
        "ns_neuron": alone / (neurons * length / build.dt) * 1e9,
        "bytes_per_synapse": build.bytes_per_synapse,
        "peak_gb": peak / 1e9,
        "words": build.wiring.words.nbytes,
        "row pointers": build.wiring.rows.nbytes,
        "ring of a partition": arrays.ring.nbytes // build.partitions,
        "state": arrays.neurons.state.nbytes,
    }


def told(series: str, rows: list[dict]) -> Iterator[str]:
    """A sentence for each size at which events become dearer, with the caches that are left."""
    for small, large in pairwise(rows):
        if large["ns_event"] < DEARER * small["ns_event"]:
            continue
        left = [
            f"{name} ({large[name] / 1e6:.1f} MB) no longer fit into {machine.held_in(small[name])}"
            for name in ARRAYS
            if machine.held_in(large[name]) != machine.held_in(small[name])
        ]
        yield (
            f"{series} from {small[series]:,g} to {large[series]:,g}: a synaptic event takes "
            f"{large['ns_event']:.2f} ns instead of {small['ns_event']:.2f}; "
            f"{', '.join(left) or 'no array has left a cache'}."
        )


def draw(rows: list[dict]) -> None:
    """Costs against size, one panel for each series."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    labels = {"neurons": "neurons", "in-degree": "in-degree", "rate": "rate (Hz)"}
    values = {"neurons": "{:,} neurons", "in-degree": "in-degree {:,}", "rate": "{:g} Hz"}
    figure, panels = plt.subplots(1, len(SERIES), sharey=True, layout="constrained")
    figure.set_size_inches(11, 3.8)
    for axes, name in zip(panels, SERIES, strict=True):
        ours = [row for row in rows if row["series"] == name]
        x = [row[name] for row in ours]
        for key, label, colour, marker in (
            ("ns_event", "a synaptic event", "#0072B2", "o"),
            ("ns_neuron", "a step of a neuron and its drive", "#D55E00", "s"),
        ):
            axes.plot(x, [row[key] for row in ours], color=colour, marker=marker, label=label)
        for small, large in pairwise(ours):
            level = machine.held_in(small["words"])
            if machine.held_in(large["words"]) != level:
                between = (small[name] * large[name]) ** 0.5
                axes.axvline(between, color="0.6", linestyle=":")
                where = axes.get_xaxis_transform()
                style = {"rotation": 90, "color": "0.35", "ha": "right", "va": "top", "fontsize": 8}
                axes.text(between, 0.99, f"synapses leave {level}", transform=where, **style)
        fixed = [values[k].format(ours[0][k]) for k in SERIES if k != name]
        axes.set(xscale="log", xlabel=labels[name], ylim=(0, None))
        axes.set_title(", ".join(fixed), fontsize=9)
        axes.spines[["top", "right"]].set_visible(False)
    panels[0].set_ylabel("time of one (ns)")
    figure.legend(*panels[0].get_legend_handles_labels(), loc="outside upper center", ncols=2)
    figure.savefig(FIGURE, dpi=150)
    plt.close(figure)


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Runs that a median is taken of.")
def main(repeats: int) -> None:
    """Measure costs against size, and draw them."""
    context = multiprocessing.get_context("spawn")
    rows = []
    with ProcessPoolExecutor(1, mp_context=context, max_tasks_per_child=1) as processes:
        for series, axes in SERIES.items():
            ours = []
            for size in product(*axes):
                row = processes.submit(measure, *size, repeats).result()
                ours.append({"series": series, **row})
                click.echo(
                    f"{series} {row[series]:,g}: built in {row['build_s']:.2f} s, "
                    f"{row['ns_event']:.2f} ns an event, {row['ns_neuron']:.2f} ns a neuron's step"
                )
            for sentence in told(series, ours):
                click.echo(sentence)
            rows += ours
    results.FOLDER.mkdir(exist_ok=True)
    draw(rows)
    click.echo(results.write("scaling", rows))
