"""How long do the published networks take, alone and beside other simulators?

Every run is a process of its own with another seed, one after the other: ours, a rival's, ours, ...
Kernels are cached; setting up, compiling and the first 100 ms are not part of a rival's run. Ours
includes its first 100 ms, so that seconds are compared per second of biological time. Rates leave
them out for both, and where they disagree the programs did not simulate the same: no ratio then.
"""

import statistics
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import click
import numpy as np

from benchmarks import environments, results

WARMUP = 100  # ms
MEDIANS = ("build_s", "compile_s", "run_s", "rtf", "peak_rss_gb", "bytes_per_synapse")
FIXED = ("neurons", "synapses", "threads", "precision", "dt")
RIVALS = ("brian2", "nest", "brainpy")


class Case(NamedTuple):
    """A network, and what a rival's script is to run for the same.

    Mean rates of a population may differ by ``tolerance`` times the mean, for the reason given,
    and three standard errors of the difference over seeds besides.
    """

    name: str
    question: str
    arguments: list[str]  # of `spikesim run`
    ms: int
    repeats: int = 5
    rivals: dict[str, tuple[str, ...]] = {}
    tolerance: float = 0.1
    reason: str = "another wiring moves these rates by 6 to 12 % (SD of ten seeds)"


def brian2(network: str) -> tuple[str, ...]:
    """In double precision, which is its default, and in single on one thread and on two."""
    kinds = (("float64", 1), ("float32", 1), ("float32", 2))
    return tuple(f"{network} --precision {kind} --threads {threads}" for kind, threads in kinds)


CASES = [
    Case(
        "cuba",
        "What does a step cost in a small network with little to do?",
        ["cuba"],
        10_000,
        rivals={
            "brian2": brian2("cuba"),
            "nest": ("cuba --threads 1", "cuba --threads 2"),
            "brainpy": ("cuba",),
        },
    ),
    Case(
        "coba",
        "The same with conductances: an exponential for each neuron and step.",
        ["coba"],
        10_000,
        rivals={"brian2": brian2("coba"), "brainpy": ("coba",)},
    ),
    Case(
        "cuba 40k",
        "Ten times the neurons of cuba, the same inputs to each: does it take ten times as long?",
        ["cuba", "--scale", "10"],
        2000,
        rivals={"brian2": brian2("cuba --scale 10"), "brainpy": ("cuba --scale 10",)},
        tolerance=0.05,
        reason="ten times the neurons of cuba, a third of its spread over seeds",
    ),
    Case(
        "brunel",
        "Many spikes: what does a synaptic event cost where 1,250 inputs fire at 37 Hz?",
        ["brunel"],
        2000,
        rivals={"nest": ("brunel --threads 2",)},
        tolerance=0.05,
        reason="many neurons with equal numbers of inputs; rounding alone",
    ),
    Case(
        "izhikevich",
        "All connected to all in steps of 1 ms: how fast is a network that fits into the cache?",
        ["izhikevich"],
        10_000,
        rivals={
            "brian2": brian2("izhikevich"),
            "nest": ("izhikevich --threads 1", "izhikevich --threads 2"),
        },
        tolerance=0.05,
        reason="the inhibitory rates of five seeds have an SD of 2 %",
    ),
    Case(
        "hodgkin_huxley",
        "Seven exponentials for each neuron and step: what does arithmetic cost?",
        ["hodgkin_huxley"],
        2000,
        rivals={"brian2": brian2("hodgkin_huxley")},
    ),
    Case(
        "adex",
        "An exponential in each of the four stages of Runge-Kutta.",
        ["benchmarks/adex.py"],
        2000,
        rivals={"brian2": brian2("adex")},
    ),
    Case(
        "flybrain",
        "127,400 neurons of which a few hundred fire: what does silence cost?",
        ["flybrain"],
        1000,
    ),
    Case(
        "microcircuit a tenth",
        "Does a network with the inputs of a real one run faster than time?",
        ["microcircuit", "--scale", "0.1"],
        2000,
        rivals={"nest": ("microcircuit --scale 0.1 --threads 2",)},
        reason="waves of the whole network, few in 2 s, sway its rates",
    ),
    Case(
        "microcircuit",
        "Does the whole column, 299 million synapses, run as fast as time?",
        ["microcircuit"],
        2000,
        repeats=3,
        rivals={"nest": ("microcircuit --threads 2",)},
        reason="three seeds hardly tell how far seeds spread",
    ),
    Case(
        "microcircuit DC",
        "The same without its 77,169 Poisson inputs: what do they cost?",
        ["microcircuit", "--drive", "dc"],
        2000,
        repeats=3,
    ),
]


def measure(name: str, arguments: Sequence[str], duration: int) -> dict[str, Any]:
    """Our JSON object, from a process of its own; a comma ends the name of the network."""
    call = [sys.executable, "-m", "spikesim", "run", name.split(",")[0], *arguments]
    return environments.ask([*call, "--duration", str(duration), "--json"])


def ours(case: Case, ms: int, seed: int) -> dict[str, Any]:
    """One run of a case."""
    options = ["--seed", str(seed), "--discard", str(WARMUP)]
    return measure(case.arguments[0], [*case.arguments[1:], *options], ms + WARMUP)


def theirs(rival: str, arguments: str, ms: int, seed: int) -> dict[str, Any]:
    """One run of a rival, with the real-time factor."""
    options = ["--seed", str(seed), "--duration", str(ms)]
    told = environments.ask(*environments.command(rival, [*arguments.split(), *options]))
    return {**told, "rtf": told["run_s"] / ms * 1000}


def chosen(only: str | None, against: str | None) -> tuple[list[Case], list[str]]:
    """Cases and rivals of the two options."""
    known = {case.name: case for case in CASES}
    names = _parts("--only", only, tuple(known)) if only else list(known)
    return [known[name] for name in names], _parts("--against", against or "", RIVALS)


def _parts(option: str, text: str, known: Sequence[str]) -> list[str]:
    parts = [part.strip() for part in text.split(",") if part.strip()]
    for part in parts:
        if part not in known:
            raise click.BadParameter(f"{option} names {part!r}; known are {', '.join(known)}.")
    return parts


def row_of(case: Case, ms: int, runs: list[dict]) -> dict[str, Any]:
    """Medians of our runs of a case."""
    seconds = (ms + WARMUP) / 1000
    rates = [run["spikes"] / run["neurons"] / seconds for run in runs]
    return {
        "case": case.name,
        "question": case.question,
        "ms": ms,
        "repeats": len(runs),
        "rate": float(np.mean(rates)),
        **{key: runs[0][key] for key in FIXED},
        **{key: statistics.median(run[key] for run in runs) for key in MEDIANS},
        "rtf_quartiles": quartiles([run["rtf"] for run in runs]),
    }


def quartiles(values: Sequence[float]) -> list[float]:
    """First quartile, median and third."""
    return [float(x) for x in np.quantile(values, (0.25, 0.5, 0.75))]


def disagreement(mine: list[dict], other: list[dict], tolerance: float) -> str | None:
    """A sentence on the first population whose mean rates differ too much, if there is one."""
    for name in mine[0]["rates"]:
        a, b = (np.array([run["rates"][name] for run in runs]) for runs in (mine, other))
        error = np.hypot(_standard_error(a), _standard_error(b))
        allowed = tolerance * b.mean() + 3 * error
        if not abs(a.mean() - b.mean()) <= allowed:
            return (
                f"{name} fires at {a.mean():.2f} Hz and at {b.mean():.2f} Hz; "
                f"{allowed:.2f} Hz may lie between them"
            )
    return None


def _standard_error(values: np.ndarray) -> float:
    return values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0


def comparison(case: Case, rival: str, mine: list[dict], other: list[dict]) -> dict[str, Any]:
    """A rival's times over ours, run by run; void where rates disagree."""
    void = disagreement(mine, other, case.tolerance)
    pairs = list(zip(mine, other, strict=True))
    run = [b["rtf"] / a["rtf"] for a, b in pairs]
    build = [_ready(b) / _ready(a) for a, b in pairs]
    return {
        "case": case.name,
        "rival": rival,
        "threads": other[0]["threads"],
        "precision": other[0]["precision"],
        "repeats": len(mine),
        "void": void,
        "tolerance": case.tolerance,
        "reason": case.reason,
        "run_ratio": None if void else quartiles(run),
        "build_ratio": None if void else quartiles(build),
        "rtf": statistics.median(b["rtf"] for b in other),
        "build_s": statistics.median(b["build_s"] for b in other),
        "compile_s": statistics.median(b["compile_s"] for b in other),
        "our_rtf": statistics.median(a["rtf"] for a in mine),
        "our_threads": mine[0]["threads"],
        "rates": _mean_rates(other),
        "our_rates": _mean_rates(mine),
        "versions": other[0]["versions"],
    }


def _ready(run: dict) -> float:
    return run["build_s"] + run["compile_s"]


def _mean_rates(runs: list[dict]) -> dict[str, float]:
    return {name: float(np.mean([run["rates"][name] for run in runs])) for name in runs[0]["rates"]}


def run_case(case: Case, rivals: Sequence[str], ms: int, repeats: int) -> tuple[dict, list[dict]]:
    """All runs of a case, alternating: our row, and one for each rival and number of threads."""
    calls = [(rival, text) for rival in rivals for text in case.rivals.get(rival, ())]
    measure(case.arguments[0], case.arguments[1:], 10)  # fills the cache of kernels
    mine: list[dict] = []
    found: dict[tuple[str, str], list[dict]] = {call: [] for call in calls}
    for seed in range(1, repeats + 1):
        mine.append(ours(case, ms, seed))
        for call in calls:
            found[call].append(theirs(*call, ms, seed))
    rows = [comparison(case, rival, mine, runs) for (rival, _), runs in found.items()]
    return row_of(case, ms, mine), rows


def told(row: dict, rows: list[dict]) -> str:
    """What a case gave, in a few lines."""
    lines = [
        f"{row['case']}: build {row['build_s']:.2f} s, compile {row['compile_s']:.2f} s, "
        f"run {row['run_s']:.2f} s, real-time factor {row['rtf']:.3f}, "
        f"{row['peak_rss_gb']:.2f} GB, {row['bytes_per_synapse']:.1f} bytes per synapse, "
        f"{row['rate']:.2f} Hz"
    ]
    for other in rows:
        name = f"  {other['rival']}, {other['threads']} thread(s): "
        if other["void"]:
            lines.append(f"{name}void: {other['void']}")
            continue
        low, median, high = other["run_ratio"]
        rates = "; ".join(
            f"{population} {rate:.2f} and ours {other['our_rates'][population]:.2f} Hz"
            for population, rate in other["rates"].items()
        )
        lines.append(
            f"{name}runs {median:.2f} times as long ({low:.2f} to {high:.2f}), "
            f"builds {other['build_ratio'][1]:.1f} times; {rates}"
        )
    return "\n".join(lines)


@click.command()
@click.option("--only", metavar="NAME[,NAME]", help="These cases; the others' results are kept.")
@click.option("--against", metavar="RIVAL[,RIVAL]", help="Of brian2, nest, brainpy.")
@click.option("--quick", is_flag=True, help="A tenth of the time, three seeds; nothing is written.")
def main(only: str | None, against: str | None, quick: bool) -> None:
    """Run every case several times; medians, and ratios to rivals."""
    cases, rivals = chosen(only, against)
    rivals = environments.installed(rivals)
    for case in cases:
        click.echo(f"{case.name}: {case.question}")
        ms, repeats = (max(case.ms // 10, 200), 3) if quick else (case.ms, case.repeats)
        row, rows = run_case(case, rivals, ms, repeats)
        click.echo(told(row, rows))
        if not quick:
            names = [case.name for case in CASES]
            results.update("networks", [row], ("case",), names)
            results.update("rivals", rows, ("case", "rival", "threads"), names)
    if not quick:
        click.echo(f"written to {results.FOLDER}")
