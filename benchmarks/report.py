"""Write the README's tables from the results, so that nobody edits a number by hand."""

import re
from pathlib import Path

import click

from benchmarks import results
from benchmarks.conversion import table as faithful
from benchmarks.layers import table as lost
from benchmarks.learning import table as reached

README = Path(__file__).parent.parent / "README.md"
FIGURE = "networks.png"
STYLES = {  # colour and marker of a program
    "spikesim": ("#0072B2", "o"),
    "brian2": ("#D55E00", "s"),
    "brainpy": ("#009E73", "^"),
    "nest": ("#CC79A7", "D"),
}


def networks(content: dict) -> str:
    """Times of the published networks."""
    lines = [
        "| network | neurons | synapses | rate | build | run / biological time | peak memory "
        "| bytes / synapse |",
        "|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['case']} | {row['neurons']:,} | {row['synapses']:,} | {row['rate']:.1f} Hz "
            f"| {row['build_s']:.2f} s | {row['rtf']:.3f} ({row['threads']} threads) "
            f"| {row['peak_rss_gb']:.2f} GB | {row['bytes_per_synapse']:.1f} |"
        )
    return "\n".join(lines)


def rivals(content: dict) -> str:
    """How many times as long other simulators take."""
    lines = [
        f"![Speed against size](benchmarks/results/{FIGURE})",
        "",
        "| network | against | run / ours: median (quartiles) | build + compile / ours "
        "| mean rate of each population: theirs / ours |",
        "|---|---|---:|---:|---|",
    ]
    for row in content["rows"]:
        rates = ", ".join(
            f"{x:.1f} / {row['our_rates'][name]:.1f}" for name, x in row["rates"].items()
        )
        ratios = f"void: {row['void']} | "
        if not row["void"]:
            low, median, high = row["run_ratio"]
            ratios = f"{median:.2g} ({low:.2g} to {high:.2g}) | {row['build_ratio'][1]:.2g}"
        lines.append(f"| {row['case']} | {_rival(row)} | {ratios} | {rates} Hz |")
    return "\n".join(lines)


def _rival(row: dict) -> str:
    threads = "1 thread" if row["threads"] == 1 else f"{row['threads']} threads"
    return f"{row['rival']} {row['versions'][row['rival']]}, {threads}, {row['precision']}"


STARTS = {  # of latency's table
    "cold": "nothing compiled yet",
    "warm": "compiled before",
    "edited": "one equation edited",
    "first model": "a model of one's own, for the first time",
    "again": "again in the same process",
    "import": "import alone",
    "help": "`--help`",
    "trials": "30 trials of 1 s of the fly's brain from its table of edges",
}


SETTINGS = {
    "variable": "a variable of `LIF`",
    "LIF, i_offset": "`i_offset` of `LIF`",
    "LIF, tau_m": "`tau_m` of `LIF`",
    "HodgkinHuxley, g_na": "`g_na` of `HodgkinHuxley`",
    "AdEx, tau_w": "`tau_w` of `AdEx`",
    "amplitude": "the amplitude of a `Current`",
    "rate": "the rate of `Poisson`",
    "weight": "the weight of `Poisson`",
}


def latency(content: dict) -> str:
    """Seconds to the first result, one column for each program; ms of setting in a run."""
    starts = [row for row in content["rows"] if "start" in row]
    programs = list(dict.fromkeys(row["program"] for row in starts))
    seconds = {(row["start"], row["program"]): row["seconds"] for row in starts}
    lines = [f"| start | {' | '.join(programs)} |", "|---|" + "---:|" * len(programs)]
    for start, text in STARTS.items():
        cells = [(start, program) for program in programs]
        told = [f"{seconds[cell]:.2f} s" if cell in seconds else "" for cell in cells]
        lines.append(f"| {text} | {' | '.join(told)} |")
    sets = {row["set"]: row["seconds"] for row in content["rows"] if "set" in row}
    if sets:
        lines += ["", "| setting while a run goes on, 1,000 neurons | median |", "|---|---:|"]
    for case, text in SETTINGS.items():
        if case in sets:
            lines.append(f"| {text} | {1000 * sets[case]:.3f} ms |")
    return "\n".join(lines)


def precision(content: dict) -> str:
    """Single against double precision."""
    lines = [
        "| network | rate, single / double | CV, single / double "
        "| KS of rates: precisions / seeds | KS of CVs: precisions / seeds | time, single / double |",  # noqa: E501
        "|---|---:|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['case']} | {row['rate_single']:.3f} / {row['rate_double']:.3f} Hz "
            f"| {row['cv_single']:.3f} / {row['cv_double']:.3f} "
            f"| {row['ks_rates_between_precisions']:.3f} / {row['ks_rates_between_seeds']:.3f} "
            f"| {row['ks_cvs_between_precisions']:.3f} / {row['ks_cvs_between_seeds']:.3f} "
            f"| {row['run_s_single'] / row['run_s_double']:.2f} |"
        )
    return "\n".join(lines)


SHORT = {  # kernels that the README tells of
    "words": ("noise, 32 bits", "wiring, 64 bits"),
    "update": ("LIF", "LIF, conductances", "Izhikevich", "AdEx", "HodgkinHuxley"),
    "spike": ("LIF",),
    "drive": ("Poisson, 10 Hz", "Poisson, 16 kHz", "Gauss", "gamma", "correlated"),
    "deliver": (
        "a step without spikes",
        "dense rows, one delay",
        "dense rows, 64 delays",
        "thin rows, one delay",
        "thin rows, 64 delays",
    ),
    "wire": ("FixedProbability", "FixedTotal", "FixedInDegree", "Pairs"),
    "barrier": ("2 threads, quiet machine", "2 threads, busy machine"),
}
LEVELS = ("L1", "L2", "L3", "memory")


def kernels(content: dict) -> str:
    """Ns of one item in each cache, with the share of the machine's limit."""
    lines = [f"| kernel, single precision | {' | '.join(LEVELS)} |", "|---|---:|---:|---:|---:|"]
    for part, cases in SHORT.items():
        for case in cases:
            cells = dict.fromkeys(LEVELS, "")
            for row in content["rows"]:
                if (row["part"], row["case"]) == (part, case) and row["precision"] != "double":
                    share = f" ({row['share']:.0%})" if "share" in row else ""
                    cells[row["held_in"]] = f"{row['ns']:.3g} ns{share}"
            lines.append(f"| {part}: {case} | {' | '.join(cells.values())} |")
    return "\n".join(lines)


def scaling(content: dict) -> str:
    """Costs against size."""
    lines = [
        "![Time of a synaptic event and of a neuron's step](benchmarks/results/scaling.png)",
        "",
        "| neurons | in-degree | rate | build | synaptic event | neuron's step "
        "| bytes per synapse | peak memory |",
        "|---:|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for row in content["rows"]:
        lines.append(
            f"| {row['neurons']:,} | {row['in-degree']:,} | {row['rate']:g} Hz "
            f"| {row['build_s']:.2f} s | {row['ns_event']:.2f} ns | {row['ns_neuron']:.2f} ns "
            f"| {row['bytes_per_synapse']:.2f} | {row['peak_gb']:.2f} GB |"
        )
    return "\n".join(lines)


def threads(content: dict) -> str:
    """One thread against two, and what threads meet for."""
    lines = ["| network | machine | 1 thread | 2 threads | speed-up |", "|---|---|---:|---:|---:|"]
    for row in content["rows"]:
        if "speedup" in row:
            one, two = row["one_s"] / row["ms"] * 1000, row["two_s"] / row["ms"] * 1000
            told = f"| {one:.3f} | {two:.3f} | {row['speedup']:.2f} |"
            lines.append(f"| {row['case']} | {row['machine']} {told}")
    lines += ["", "Times are those of a run over biological time.", ""]
    lines += ["| without any work | quiet | busy |", "|---|---:|---:|"]
    exchanges = [row for row in content["rows"] if "ns" in row]
    for case in dict.fromkeys(row["case"] for row in exchanges):
        ns = {row["machine"]: row["ns"] for row in exchanges if row["case"] == case}
        lines.append(f"| {case} | {ns['quiet']:,.0f} ns | {ns['busy']:,.0f} ns |")
    return "\n".join(lines)


def conversion(content: dict) -> str:
    """How faithful converted networks are."""
    return faithful(content["rows"])


def layers(content: dict) -> str:
    """What digits lose by layers that count spikes."""
    return lost(content["rows"])


def learning(content: dict) -> str:
    """What training reaches."""
    return reached(content["rows"])


def training(content: dict) -> str:
    """Ms of an Adam update, and what programs take over ours on two threads."""
    lines = [
        "| cell | ours, 2 threads | ours, 1 thread | against | its time "
        "| its time / ours, 2 threads: median (quartiles) | the best of them / ours |",
        "|---|---:|---:|---|---:|---:|---:|",
    ]
    for case in dict.fromkeys(row["case"] for row in content["rows"]):
        rows = [row for row in content["rows"] if row["case"] == case]
        mine = {row["threads"]: row["ms"][1] for row in rows if row["program"] == "spikesim"}
        others = [row for row in rows if row["program"] != "spikesim"]
        start = f"| {case} | {mine[2]:.2f} ms | {mine[1]:.2f} ms "
        lines += [f"{start}{_against(row, others)}" for row in others]
        if not others:
            lines.append(f"{start}|  |  |  |  |")
    return "\n".join([*lines, "", _multiplied(content["rows"])])


def _against(row: dict, others: list[dict]) -> str:
    """The cells of a rival in the table of training; the best is told in its own row."""
    versions = row["versions"] or {}
    name = ", ".join([row["program"], *(f"{k} {v}" for k, v in versions.items() if k != "python")])
    if row["void"]:
        return f"| {name} |  | void: {row['void']} |  |"
    low, median, high = row["ratio"]
    fair = [other for other in others if not other["void"]]
    best = f"{median:.2g}" if row is min(fair, key=lambda other: other["ms"][1]) else ""
    return f"| {name} | {row['ms'][1]:.2f} ms | {median:.2g} ({low:.2g} to {high:.2g}) | {best} |"


def _multiplied(rows: list[dict]) -> str:
    """Which libraries multiplied."""
    told = {}
    for row in rows:
        if row["blas"]:
            program = "ours" if row["program"] == "spikesim" else row["program"].split(",")[0]
            told.setdefault(row["blas"], []).append(program)
    parts = [f"{', '.join(dict.fromkeys(names))} with {blas}" for blas, names in told.items()]
    forced = sorted({row["coretype"] for row in rows if row["coretype"]})
    end = f" OPENBLAS_CORETYPE was set to {', '.join(forced)}." if forced else ""
    return f"Matrices are multiplied: {'; '.join(parts)}.{end}"


def analysis(content: dict) -> str:
    """Readouts beside other packages."""
    lines = [
        "| readout | of | ours | against | its time | its time / ours: median (quartiles) |",
        "|---|---|---:|---|---:|---:|",
    ]
    for row in content["rows"]:
        low, median, high = row["ratio"]
        share = "" if row["share"] == 1 else f", scaled from {100 * row['share']:.2g} % of the work"
        rival = f"{row['rival']} {row['versions'][row['rival']]}"
        lines.append(
            f"| {row['case']} | {row['what']} | {1000 * row['ours_s']:.3g} ms | {rival} "
            f"| {row['rival_s']:.3g} s{share} | {median:,.3g} ({low:,.3g} to {high:,.3g}) |"
        )
    return "\n".join(lines)


def nulls(content: dict) -> str:
    """False positives of tests."""
    lines = ["| test: data without the effect | p ≤ .05 | data sets |", "|---|---:|---:|"]
    for row in content["rows"]:
        share = f"{100 * row['share']:.2f} % ± {100 * row['error']:.2f}"
        lines.append(f"| {row['case']} | {share} | {row['n']:,} |")
    return "\n".join(lines)


def note(content: dict, medians: bool = True) -> str:
    """Where and when a table was measured, of times as medians."""
    machine, versions = content["machine"], content["versions"]
    told = ", ".join(f"{name} {version}" for name, version in versions.items())
    return (
        f"Measured {content['date']} on {machine['cores']} cores of "
        f"{machine['processor']}; {told}{'; medians' if medians else ''}."
    )


def draw(ours: list[dict], theirs: list[dict]) -> None:
    """Times of the networks against their size, of each rival those of its quickest form."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    times = {("spikesim", row["case"]): row["rtf"] for row in ours}
    for row in theirs:
        if not row["void"]:
            key = row["rival"], row["case"]
            times[key] = min(row["rtf"], times.get(key, row["rtf"]))
    ordered = sorted(ours, key=lambda row: -row["synapses"])
    place = {row["case"]: y for y, row in enumerate(ordered)}
    figure, axes = plt.subplots(figsize=(8, 4.6), layout="constrained")
    for program, (colour, marker) in STYLES.items():
        points = [(time, place[case]) for (name, case), time in times.items() if name == program]
        if points:
            axes.plot(*zip(*points, strict=True), marker, color=colour, label=program)
    axes.axvline(1.0, color="0.6", linestyle=":")
    labels = [f"{row['case']}, {row['synapses'] / 1e6:.3g} M synapses" for row in ordered]
    axes.set_yticks(range(len(labels)), labels)
    axes.set(xscale="log", xlabel="time of a run / biological time")
    axes.grid(axis="y", color="0.9")
    axes.set_axisbelow(True)
    axes.spines[["top", "right"]].set_visible(False)
    figure.legend(loc="outside upper center", ncols=len(STYLES))
    figure.savefig(results.FOLDER / FIGURE, dpi=150)
    plt.close(figure)


@click.command()
def main() -> None:
    """Write the tables of all benchmarks that have results into README.md."""
    text = README.read_text(encoding="utf-8")
    measured = [results.read(name) for name in ("networks", "rivals")]
    if all(measured):
        draw(*(content["rows"] for content in measured))
    for table in (
        analysis,
        networks,
        nulls,
        rivals,
        latency,
        conversion,
        layers,
        learning,
        precision,
        kernels,
        scaling,
        threads,
        training,
    ):
        name = table.__name__
        content = results.read(name)
        if content is None:
            continue
        told = note(content, medians=table is not nulls)
        block = f"<!-- {name} -->\n{table(content)}\n\n{told}\n<!-- end -->"
        text = re.sub(rf"<!-- {name} -->.*?<!-- end -->", lambda _, b=block: b, text, flags=re.S)
    README.write_text(text, encoding="utf-8")
