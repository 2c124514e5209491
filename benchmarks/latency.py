"""How long until the first result: whole processes, from the command to its last line.

Each runs CUBA for a second. Ours with an empty cache of kernels, with a full one, and after an edit
of one equation of a user's model; Brian2 without and with the folder it compiled into before;
BrainPy, which compiles in every process. The programs alternate.

And how long a study takes from its data to its answer: the fly's brain is read from a table of
edges and runs 30 trials of a second.

And how long `Simulation.set` takes while a run goes on, as closed loops call it: of a population of
1,000 neurons it is given two values in turn.
"""

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import click
import numpy as np

import spikesim as ss
from benchmarks import environments, results
from benchmarks.networks import quartiles
from spikesim.networks import flybrain

REPEATS = 5
SETS = 300  # calls of set
NETWORK = ["cuba", "--duration", "1000"]
RIVALS_NETWORK = ["cuba", "--duration", "900"]  # after a warm-up of 100 ms
# A user's model: CUBA's neuron with a constant in the text of its equation.
MODEL = """
import spikesim as ss


def network():
    neuron = ss.NeuronModel(
        name="mine",
        equations="dv/dt = (-49 - v) / TAU + i_syn / c_m : mV",
        threshold="v > -50",
        reset="v = -60",
        refractory="t_ref",
        hold=("v",),
        parameters={"c_m": "200 pF", "t_ref": "5 ms"},
        receptors={"exc": ss.Exponential(5.0), "inh": ss.Exponential(10.0)},
        method="euler",
    )
    net = ss.Network(seed=1)
    start = {"v": ss.Uniform(-60.0, -50.0)}
    exc = net.population("exc", 3200, neuron, init=start)
    inh = net.population("inh", 800, neuron, init=start)
    rule = ss.FixedProbability(0.02, autapses=False)
    net.connect(exc, [exc, inh], rule, weight=16.2, delay=0.1, receptor="exc")
    net.connect(inh, [exc, inh], rule, weight=-90.0, delay=0.1, receptor="inh")
    return net
"""
IMPORT = """
import time
began = time.perf_counter()
import MODULES
print(time.perf_counter() - began)
"""
AGAIN = """
import time
import spikesim as ss
from spikesim.networks.cuba import network
ss.simulate(network(seed=1), 1000.0)
began = time.perf_counter()
ss.simulate(network(seed=2), 1000.0)
print(time.perf_counter() - began)
"""


def elapsed(call: list[str], **environment: str) -> float:
    """Seconds of a whole process."""
    began = time.perf_counter()
    environments.run(call, {**os.environ, **environment})
    return time.perf_counter() - began


def printed(python: str, code: str) -> float:
    """The number that a piece of code prints."""
    return float(environments.run([python, "-c", code]))


def spikesim(folder: Path, turn: int) -> dict[str, float]:
    """Our times; ``turn`` gives the cache and the model's constant a name of their own."""
    ours = [sys.executable, "-m", "spikesim"]
    cache = str(folder / f"cache{turn}")
    model = folder / "mine.py"
    seconds = {"cold": elapsed([*ours, "run", *NETWORK], SPIKESIM_CACHE=cache)}
    seconds["warm"] = elapsed([*ours, "run", *NETWORK], SPIKESIM_CACHE=cache)
    for key, tau in (("first model", 20.0), ("edited", 20.1)):
        model.write_text(MODEL.replace("TAU", str(tau)), encoding="utf-8")
        call = [*ours, "run", str(model), "--duration", "1000"]
        seconds[key] = elapsed(call, SPIKESIM_CACHE=cache)
    seconds["again"] = printed(sys.executable, AGAIN)
    seconds["import"] = printed(
        sys.executable, IMPORT.replace("import MODULES", "from spikesim import simulate")
    )
    seconds["help"] = elapsed([*ours, "--help"])
    return seconds


def brian2(folder: Path, turn: int) -> dict[str, float]:
    """Brian2's: a new folder, the same again, and the same with another constant."""
    call, environment = environments.command("brian2", [*RIVALS_NETWORK, "--folder"])
    call = [*call, str(folder / f"brian2-{turn}")]
    seconds = {"cold": elapsed(call, **environment), "warm": elapsed(call, **environment)}
    seconds["edited"] = elapsed([*call, "--tau", "20.1"], **environment)
    python = str(environments.interpreter("brian2"))
    seconds["import"] = printed(python, IMPORT.replace("MODULES", "brian2"))
    return seconds


def brainpy(folder: Path, turn: int) -> dict[str, float]:
    """BrainPy's: nothing is kept between processes, so an edit changes nothing."""
    call, environment = environments.command("brainpy", RIVALS_NETWORK)
    seconds = {"cold": elapsed(call, **environment)}
    python = str(environments.interpreter("brainpy"))
    seconds["import"] = printed(python, IMPORT.replace("MODULES", "brainpy"))
    return seconds


def write_brain(path: Path) -> None:
    """The random brain as a table of edges, as FlyWire's is published."""
    edges = flybrain.random_edges(flybrain.SIZE, seed=1)
    counts = np.rint(edges.weights / flybrain.WEIGHT).astype(np.int64)
    table = np.stack([edges.sources, edges.targets, counts], axis=1)
    np.savetxt(path, table, "%d", ",", header=",".join(flybrain.COLUMNS[0]), comments="")


def trials(brain: Path) -> float:
    """Seconds of 30 trials, the table read and all kernels in the cache."""
    call = [sys.executable, "-m", "spikesim", "run", "flybrain", "--edges", str(brain)]
    return elapsed([*call, "--trials", "30", "--duration", "1000"])


def settings() -> dict[str, tuple[ss.NeuronModel, ss.Current | ss.Poisson | None, str, tuple]]:
    """What is set: a model, its input if that is set, the name, and two values."""
    return {
        "variable": (ss.LIF(), None, "v", (-60.0, -61.0)),
        "LIF, i_offset": (ss.LIF(), None, "i_offset", (1.0, 2.0)),
        "LIF, tau_m": (ss.LIF(), None, "tau_m", (20.0, 21.0)),
        "HodgkinHuxley, g_na": (ss.HodgkinHuxley(), None, "g_na", (12000.0, 12001.0)),
        "AdEx, tau_w": (ss.AdEx(), None, "tau_w", (144.0, 145.0)),
        "amplitude": (ss.LIF(), ss.Current(10.0), "amplitude", (1.0, 2.0)),
        "rate": (ss.LIF(), ss.Poisson(1000.0, 10.0), "rate", (1000.0, 1001.0)),
        "weight": (ss.LIF(), ss.Poisson(1000.0, 10.0), "weight", (10.0, 10.1)),
    }


def setting(case: str, calls: int = SETS) -> list[float]:
    """Seconds of each call of `Simulation.set`."""
    model, given, key, values = settings()[case]
    net = ss.Network()
    a = net.population("a", 1000, model)
    if given is not None:
        receptor = None if isinstance(given, ss.Current) else "exc"
        net.drive(a, given, receptor=receptor, name="input")
    simulation = ss.Simulation(net, threads=1)
    simulation.run(1.0)
    name = "a" if given is None else "input"
    seconds = []
    for turn in range(calls):
        began = time.perf_counter()
        simulation.set(name, **{key: values[turn % 2]})
        seconds.append(time.perf_counter() - began)
    simulation.run(1.0)
    return seconds


def rows_of_settings(calls: int = SETS) -> list[dict]:
    """One row for each thing that is set."""
    rows = []
    for case in settings():
        seconds = setting(case, calls)
        row = {"program": "spikesim", "set": case, "seconds": statistics.median(seconds)}
        rows.append({**row, "quartiles": quartiles(seconds), "repeats": len(seconds)})
    return rows


PROGRAMS: dict[str, Callable[[Path, int], dict[str, float]]] = {
    "spikesim": spikesim,
    "brian2": brian2,
    "brainpy": brainpy,
}


def rows_of(runs: dict[str, list[dict[str, float]]]) -> list[dict]:
    """One row for each program and kind of start."""
    return [
        {
            "program": program,
            "start": start,
            "seconds": statistics.median(turn[start] for turn in turns),
            "quartiles": quartiles([turn[start] for turn in turns]),
            "repeats": len(turns),
        }
        for program, turns in runs.items()
        for start in turns[0]
    ]


@click.command()
@click.option("--quick", is_flag=True, help="Once; nothing is written.")
def main(quick: bool) -> None:
    """Measure the time to the first result, alternating; medians of five."""
    names = ["spikesim", *environments.installed([name for name in PROGRAMS if name != "spikesim"])]
    runs: dict[str, list[dict[str, float]]] = {name: [] for name in names}
    with tempfile.TemporaryDirectory() as folder:
        for turn in range(1 if quick else REPEATS):
            for name in names:
                runs[name].append(PROGRAMS[name](Path(folder), turn))
        brain = Path(folder) / "brain.csv"
        write_brain(brain)
        trials(brain)
        for turn in runs["spikesim"]:
            turn["trials"] = trials(brain)
    rows = rows_of(runs)
    for row in rows:
        click.echo(f"{row['program']}, {row['start']}: {row['seconds']:.2f} s")
    rows_of_sets = rows_of_settings(20 if quick else SETS)
    for row in rows_of_sets:
        click.echo(f"set {row['set']}: {1000 * row['seconds']:.3f} ms")
    if not quick:
        click.echo(results.write("latency", [*rows, *rows_of_sets]))
