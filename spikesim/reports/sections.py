"""The parts of a report: what is computed of all populations, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from spikesim.data.spiketrains import SpikeTrains
from spikesim.random import generator
from spikesim.reports.page import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spikesim.plots.figure import Figure

COLUMNS = 3  # of small pictures, one a population
PAIR_BIN, PAIR_WINDOW = 1.0, 50.0  # ms, of correlograms
COUNT_BIN = 5.0  # ms, of counts that are correlated
SEGMENT, SHORTEST = 1000.0, 100.0  # ms, of spectra: smoothed over 3 Hz, and over 30 Hz

SHIFTS = 199  # surrogates of each train for phase locking


@dataclass(frozen=True)
class Material:
    """What a report is made of.

    Parameters
    ----------
    spikes : mapping of str to SpikeTrains
        Populations by name.
    name : str
        What the run is called beside others.
    rhythm : float, optional
        Frequency (Hz) of an oscillation whose phase is 0 at time 0.
    others : mapping of str to mapping of str to SpikeTrains
        Other runs of the same populations.
    neurons : int
        Of how many neurons of a population pairs and spectra are looked at.
    seed : int
        Of their draw.
    """

    spikes: Mapping[str, SpikeTrains]
    name: str = "run"
    rhythm: float | None = None
    others: Mapping[str, Mapping[str, SpikeTrains]] = field(default_factory=dict)
    neurons: int = 100
    seed: int = 0

    @cached_property
    def drawn(self) -> dict[str, SpikeTrains]:
        """Some neurons of each population, drawn without looking at them."""
        chosen = {}
        for name, trains in self.spikes.items():
            order = generator(self.seed, "neurons of a report", name).permutation(trains.size)
            chosen[name] = trains.select(np.sort(order[: self.neurons]))
        return chosen

    @property
    def drawn_note(self) -> str:
        return f"Of {self.neurons} neurons of each population, drawn at random, or of all if fewer."


def raster(material: Material, pictures: bool) -> Section:
    """The spikes themselves."""
    from spikesim import plots

    made = Section("raster", "Raster")
    made.notes.append("The last second of what was recorded, and mean rates of all of it.")
    if pictures:
        made.figures["spikes of the last second, and mean rates"] = plots.raster(material.spikes)
    return made


def rates(material: Material, pictures: bool) -> Section:
    """How often neurons spike."""
    from spikesim import plots

    made = Section("rates", "Firing rates")
    for name, trains in material.spikes.items():
        each = trains.rates()
        made.rows[name] = {
            "neurons": trains.size,
            "spikes": len(trains),
            "mean (Hz)": trains.rate,
            "median (Hz)": float(np.median(each)) if each.size else np.nan,
            "highest (Hz)": float(each.max(initial=0.0)),
            "silent (%)": 100 * float(np.mean(each == 0)) if each.size else np.nan,
        }
    if pictures:
        made.figures["mean rates over time"] = plots.rates(material.spikes)
    return made


def intervals(material: Material, pictures: bool) -> Section:
    """How regularly neurons spike."""
    from spikesim import analysis, plots

    made = Section("intervals", "Inter-spike intervals")
    edges = np.r_[0.0, np.geomspace(1.0, 1e4, 81)]
    histograms, cvs = {}, {}
    for name, trains in material.spikes.items():
        n, mean, _ = trains.interval_moments()
        cvs[name] = trains.cv()
        drawn = material.drawn[name]
        total = int(n.sum())
        made.rows[name] = {
            "intervals": total,
            "mean (ms)": float(np.nansum(n * mean) / total) if total else np.nan,
            "CV, mean of neurons": _mean(cvs[name]),
            "neurons with a CV": int(np.isfinite(cvs[name]).sum()),
            "CV2": _mean(analysis.cv2(drawn)),
            "LV": _mean(analysis.lv(drawn)),
        }
        histograms[name] = analysis.isi_histogram(trains, edges)
    made.notes.append(
        f"CV2 and LV compare intervals that follow each other, and so are not raised by rates that "
        f"change slowly. {material.drawn_note}"
    )
    if pictures:
        figure, axes = _grid(histograms)
        for name, histogram in histograms.items():
            plots.interval_histogram(histogram, axes[name]).set_xscale("log")
            axes[name].set_xlim(1.0, 1e4)
        made.figures["histograms of inter-spike intervals"] = _named(figure, axes)
        figure, axes = _grid(cvs)
        for name, values in cvs.items():
            plots.cv_distribution(values, axes[name])
        made.figures["coefficients of variation"] = _named(figure, axes)
    return made


def correlograms(material: Material, pictures: bool) -> Section:
    """What spikes of one neuron say of spikes of another."""
    from spikesim import analysis, plots

    made = Section("correlograms", "Correlations of pairs")
    pooled = {}
    for name, trains in material.drawn.items():
        row = made.rows[name] = {"pairs": trains.size * (trains.size - 1) // 2}
        counts = _counted(trains, COUNT_BIN)
        if counts is None or trains.size < 2:
            continue
        r = analysis.count_correlation(counts, COUNT_BIN)
        row[f"correlation of counts, {COUNT_BIN:g} ms"] = _mean(r[np.triu_indices(len(r), 1)])
        found = analysis.correlograms(trains, PAIR_BIN, PAIR_WINDOW)
        expected = np.sum(found.expected, axis=0)
        with np.errstate(invalid="ignore", divide="ignore"):
            ratio = found.counts.sum(axis=0) / expected
            pooled[name] = found.lags, ratio, 1 / np.sqrt(expected)
        row["pairs of spikes at lag 0 / expected"] = float(ratio[len(ratio) // 2])
    made.notes.append(
        f"The correlogram is that of all pairs together, over what independent trains of the same "
        f"rates would give; the band is two standard deviations of such. {material.drawn_note}"
    )
    if pictures and pooled:
        figure, axes = _grid(pooled)
        for name, (lags, ratio, deviation) in pooled.items():
            ax = axes[name]
            ax.fill_between(lags, 1 - 2 * deviation, 1 + 2 * deviation, color="0.9", linewidth=0)
            ax.plot(lags, ratio, color=plots.COLOURS[0], linewidth=1)
            ax.set_xlabel("lag (ms)", fontsize=8)
            ax.set_ylabel("pairs / expected", fontsize=8)
            plots.tidy(ax)
        made.figures["correlograms of all pairs together"] = _named(figure, axes)
    return made


def spectrum(material: Material, pictures: bool) -> Section:
    """Which rhythms the population has."""
    from spikesim import analysis, plots

    made = Section("spectrum", "Power spectrum of each population")
    found = {}
    for name, trains in material.drawn.items():
        row = made.rows[name] = {"peak (Hz)": np.nan, "power there / rate": np.nan}
        length = min(SEGMENT, float(trains.support.durations.max()))
        if not len(trains) or length < SHORTEST:
            continue
        found[name] = power = analysis.power_spectrum(trains, length, highest=200.0, pooled=True)
        relative = power.power[0] / power.rates[0]
        inside = power.frequencies >= power.bandwidth  # nothing below is told from the mean
        if inside.any():
            peak = np.flatnonzero(inside)[np.argmax(relative[inside])]
            row["peak (Hz)"] = float(power.frequencies[peak])
            row["power there / rate"] = float(relative[peak])
    made.notes.append(
        f"Of the spikes of many neurons as one train; 1 for independent Poisson trains. "
        f"{material.drawn_note}"
    )
    if pictures and found:
        figure, axes = _grid(found)
        for name, power in found.items():
            plots.spectrum(power, normalised=True, ax=axes[name])
        made.figures["power spectra of populations"] = _named(figure, axes)
    return made


def synchrony(material: Material, pictures: bool) -> Section:
    """How much neurons do together."""
    from spikesim import analysis

    made = Section("synchrony", "Synchrony and dimensions")
    for name, trains in material.drawn.items():
        row = made.rows[name] = {"neurons": trains.size}
        counts = _counted(trains, COUNT_BIN)
        if counts is None or not trains.size:
            continue
        row["chi"] = analysis.synchrony(counts, COUNT_BIN)
        row["chi of independent neurons"] = 1 / np.sqrt(max(trains.size, 1))
        binned = counts.count(COUNT_BIN)
        row["participation ratio"] = analysis.participation_ratio(binned)
        total = binned.sum(axis=1)
        row["Fano factor of the population"] = (
            float(total.var(ddof=1) / total.mean()) if len(total) > 1 and total.any() else np.nan
        )
    made.notes.append(f"Of counts in bins of {COUNT_BIN:g} ms. {material.drawn_note}")
    return made


def phases(material: Material, pictures: bool) -> Section:
    """When in the cycle of a rhythm neurons spike."""
    from spikesim import analysis, plots

    made = Section("phases", f"Phases in a rhythm of {material.rhythm:g} Hz")
    phase = analysis.periodic_phase(1000.0 / material.rhythm)
    pooled = {}
    for name, trains in material.drawn.items():
        found = analysis.phase_locking(trains, phase, shifts=SHIFTS, seed=material.seed)
        at = analysis.spike_phases(trains, phase)
        mean = np.exp(1j * at).mean() if at.size else np.nan
        told = np.isfinite(found.p)
        made.rows[name] = {
            "spikes": len(trains),
            "preferred phase (degrees)": float(np.degrees(np.angle(mean)) % 360),
            "mean vector": float(np.abs(mean)),
            "PPC, mean of neurons": _mean(found.ppc),
            "neurons with p < .05 (%)": 100 * _mean(found.p[told] < 0.05),
        }
        if at.size:
            pooled[name] = analysis.phase_rates(trains.pool(), phase)
    made.notes.append(
        f"Phase 0 is at time 0. p is by {SHIFTS} shifts of each train, so bursts do not lower it; "
        f"one neuron in twenty has it below .05 by chance. {material.drawn_note}"
    )
    if pictures and pooled:
        figure, axes = _grid(pooled)
        for name, rates in pooled.items():
            plots.phase_histogram(rates, ax=axes[name])
        made.figures["rates of populations by phase, over two cycles"] = _named(figure, axes)
    return made


def agreement(material: Material, pictures: bool) -> Section:
    """How far runs lie apart."""
    from spikesim import analysis, plots

    made = Section("agreement", "Runs beside each other")
    runs = {material.name: material.spikes, **material.others}
    numbers = dict(zip(runs, "ABCDEFGHIJKLMNOPQRSTUVWXYZ", strict=False))
    made.notes.append("; ".join(f"{number}: {run}" for run, number in numbers.items()) + ".")
    for name in material.spikes:
        row = made.rows[name] = {}
        row.update({f"rate {k} (Hz)": runs[run][name].rate for run, k in numbers.items()})
        row.update({f"CV {k}": _mean(runs[run][name].cv()) for run, k in numbers.items()})
        for a, b in combinations(runs, 2):
            found = analysis.agreement(runs[a][name], runs[b][name], seed=material.seed)
            pair = f"{numbers[a]} to {numbers[b]}"
            row[f"KS of rates, {pair}"] = found.rates
            row[f"KS of CVs, {pair}"] = found.cvs
            row[f"KS of correlations, {pair}"] = found.correlations
    made.notes.append(
        "KS is the largest distance of two cumulative distributions (Kolmogorov-Smirnov), over "
        "neurons or over pairs of 200 drawn ones. Two programs agree if theirs is not above that "
        "of two seeds of one of them: give a run with another seed as well."
    )
    if pictures:
        figure, axes = _grid(material.spikes)
        for name, ax in axes.items():
            for i, (run, number) in enumerate(numbers.items()):
                each = np.sort(runs[run][name].rates())
                share = 100 * np.arange(1, len(each) + 1) / max(len(each), 1)
                style = dict(color=plots.COLOURS[i % 8], linewidth=1, linestyle="-" if i else "--")
                ax.step(each, share, where="post", label=number, **style)
            ax.set_xlabel("rate of a neuron (Hz)", fontsize=8)
            ax.set_ylabel("neurons (%)", fontsize=8)
            ax.set_ylim(0, 100)
            ax.legend(fontsize=6.5, frameon=False, loc="lower right")
            plots.tidy(ax)
        made.figures["cumulative distributions of rates"] = _named(figure, axes)
    return made


PARTS: dict[str, Callable[[Material, bool], Section]] = {
    part.__name__: part
    for part in (
        *(raster, rates, intervals, correlograms, spectrum, synchrony),
        *(phases, agreement),
    )
}
NEEDS = {"phases": "--rhythm", "agreement": "--against"}


def chosen(what: str | None, rhythm: float | None, others: bool) -> list[str]:
    """The parts that a list with commas asks for, or all that can be told."""
    given = {"phases": rhythm is not None, "agreement": others}
    if what is None:
        return [name for name in PARTS if given.get(name, True)]
    names = list(dict.fromkeys(name.strip() for name in what.split(",") if name.strip()))
    for name in names:
        if name not in PARTS:
            raise ValueError(f"--what is {what!r}; it must name parts of {', '.join(PARTS)}.")
        if not given.get(name, True):
            raise ValueError(f"--what names {name}, which needs {NEEDS[name]}.")
    if not names:
        raise ValueError(f"--what is {what!r}; it must name parts of {', '.join(PARTS)}.")
    return names


def sections(material: Material, names: Sequence[str], pictures: bool) -> Iterator[Section]:
    """Parts of the report, in the order of their names, one after the other."""
    for name in names:
        yield PARTS[name](material, pictures)


def _mean(values: np.ndarray) -> float:
    values = values[np.isfinite(values)]
    return float(values.mean()) if values.size else np.nan


def _counted(trains: SpikeTrains, bin: float) -> SpikeTrains | None:
    """Trains cut to whole bins, or None if there is none."""
    return trains.trim(bin) if trains.support.durations.max() >= bin else None


def _grid(names: Mapping[str, object]) -> tuple[Figure, dict[str, Axes]]:
    from spikesim import plots

    columns = min(len(names), COLUMNS)
    rows = -(-len(names) // columns)
    figure = plots.blank(1.9 * rows + 0.2 if columns > 1 else 2.4)
    axes = figure.subplots(rows, columns, squeeze=False).ravel()
    for unused in axes[len(names) :]:
        unused.remove()
    return figure, dict(zip(names, axes, strict=False))


def _named(figure: Figure, axes: Mapping[str, Axes]) -> Figure:
    for name, ax in axes.items():
        ax.set_title("", loc="right")
        ax.set_title(name, loc="left", fontsize=8, fontweight="bold")
    return figure
