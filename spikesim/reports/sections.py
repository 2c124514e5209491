"""The parts of a report: what is computed of all populations, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import combinations
from typing import TYPE_CHECKING

import numpy as np

from spikesim.data.intervals import cv
from spikesim.data.spiketrains import SpikeTrains
from spikesim.random import generator
from spikesim.reports.page import Section

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from spikesim.analysis import Correlograms
    from spikesim.plots.figure import Figure

IN_RASTER = 3000  # spikes, if a second has fewer
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"  # by which runs are told apart
COLUMNS = 3  # of small pictures, one a population
PAIR_BIN, PAIR_WINDOW = 1.0, 50.0  # ms, of correlograms
COUNT_BIN = 5.0  # ms, of counts that are correlated
SHORT = 1.0  # ms: intervals that real neurons hardly have
SEGMENT, SHORTEST = 1000.0, 100.0  # ms, of spectra: smoothed over 3 Hz, and over 30 Hz
FEW = 100  # spikes, of which a spectrum says nothing

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
    def runs(self) -> dict[str, Mapping[str, SpikeTrains]]:
        """This run and the others, by name."""
        return {self.name: self.spikes, **self.others}

    @property
    def drawn_note(self) -> str:
        return f"Of {self.neurons} neurons of each population, drawn at random, or of all if fewer."


def raster(material: Material, pictures: bool) -> Section:
    """The spikes themselves."""
    from spikesim import plots

    made = Section("raster", "Raster")
    if pictures:
        trains = material.spikes.values()
        start, stop = min(t.t_start for t in trains), max(t.t_stop for t in trains)
        spikes = sum(map(len, trains))
        wide = max(1000.0, (stop - start) * IN_RASTER / max(spikes, 1))
        window = max(start, stop - wide), stop
        drawn = plots.raster(material.spikes, window if stop > start else None)
        made.figures["spikes, and mean rates"] = drawn
        made.notes.append("The end of what was recorded, and mean rates of all of it.")
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
    edges = np.geomspace(0.1, 1e4, 101)  # ms
    histograms, cvs = {}, {}
    for name, trains in material.spikes.items():
        n, mean, variance = trains.interval_moments()
        cvs[name] = cv(n, mean, variance)
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
        histograms[name] = found = analysis.isi_histogram(trains, edges)
        short = found.below + found.counts[edges[1:] <= SHORT + 1e-6].sum()
        made.rows[name][f"up to {SHORT:g} ms (%)"] = 100 * float(short / total) if total else np.nan
    made.notes.append(
        f"CV2 and LV compare intervals that follow each other, and so are not raised by rates that "
        f"change slowly. {material.drawn_note}"
    )
    if pictures:
        figure, axes = _grid(histograms)
        for name, histogram in histograms.items():
            plots.interval_histogram(histogram, axes[name]).set_xscale("log")
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
        pooled[name] = _folded(found)
        row["pairs of spikes at lag 0 / expected"] = float(pooled[name][1][0])
    made.notes.append(
        f"The correlogram is that of all pairs together, both directions added up, over what "
        f"independent trains of the same rates would give. The band is two standard deviations of "
        f"such: one bin in twenty lies outside by chance. {material.drawn_note}"
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
        row = made.rows[name] = {"spikes": len(trains)}
        row |= {"peak (Hz)": np.nan, "power there / rate": np.nan}
        # Four segments at least, where they are long enough: less says little of any frequency.
        length = min(SEGMENT, float(trains.support.durations.max()) / 4)
        if len(trains) < FEW or length < SHORTEST:
            continue
        found[name] = power = analysis.power_spectrum(trains, length, highest=200.0, pooled=True)
        relative = power.power[0] / power.rates[0]
        inside = power.frequencies >= power.bandwidth  # nothing below is told from the mean
        if inside.any():
            peak = np.flatnonzero(inside)[np.argmax(relative[inside])]
            row["peak (Hz)"] = float(power.frequencies[peak])
            row["power there / rate"] = float(relative[peak])
    made.notes.append(
        f"Of the spikes of many neurons as one train; 1 (dashed) for independent Poisson trains. "
        f"The band holds 95 % of each frequency alone, by jackknife. None of fewer than {FEW} "
        f"spikes or of less than {4 * SHORTEST:g} ms. {material.drawn_note}"
    )
    if pictures and found:
        figure, axes = _grid(found)
        for name, power in found.items():
            plots.spectrum(power, normalised=True, ax=axes[name])
            axes[name].set_ylim(0, 1.5 * power.power[0].max() / power.rates[0])
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
        (fano,) = analysis.fano_factor(counts.pool(), COUNT_BIN)
        row["Fano factor of the population"] = float(fano)
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
        mean, length = analysis.mean_vector(at)
        told = np.isfinite(found.p)
        made.rows[name] = {
            "spikes": len(trains),
            "preferred phase (degrees)": float(np.degrees(mean)),
            "mean vector": float(length),
            "PPC, mean of neurons": _mean(found.ppc),
            "neurons with p < .05 (%)": 100 * _mean(found.p[told] < 0.05),
        }
        if at.size:
            together = analysis.phase_rates(trains.pool(), phase)
            pooled[name] = replace(together, lasting=together.lasting * trains.size)  # a neuron's
    made.notes.append(
        f"A clock whose phase is 0 at time 0. p is by {SHIFTS} shifts of each train, so bursts do "
        f"not lower it; one neuron in twenty has it below .05 by chance. {material.drawn_note}"
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
    runs = material.runs
    numbers = dict(zip(runs, LETTERS, strict=False))
    made.notes.append("; ".join(f"{number}: {run}" for run, number in numbers.items()) + ".")
    start = max(t.t_start for run in runs.values() for t in run.values())
    stop = min(t.t_stop for run in runs.values() for t in run.values())
    if stop <= start:
        raise ValueError("the runs have no time in common.")
    runs = {
        run: {name: trains.restrict(start, stop) for name, trains in spikes.items()}
        for run, spikes in runs.items()
    }
    made.notes.append(f"All of them in ({start:.12g}, {stop:.12g}] ms.")
    for name in material.spikes:
        for run, number in numbers.items():
            made.rows[f"{name}: {number}"] = {
                "rate (Hz)": runs[run][name].rate,
                "CV": _mean(runs[run][name].cv()),
            }
        for a, b in combinations(runs, 2):
            found = analysis.agreement(runs[a][name], runs[b][name], seed=material.seed)
            made.rows[f"{name}: {numbers[a]} to {numbers[b]}"] = {
                "KS of rates": found.rates,
                "KS of CVs": found.cvs,
                "KS of correlations": found.correlations,
            }
    made.notes.append(
        "KS is the largest distance of two cumulative distributions (Kolmogorov-Smirnov), over "
        "neurons or over pairs of 200 drawn ones; 0 is alike, 1 wholly apart. To judge a distance, "
        "compare it with that of two runs that differ in their seed alone: one more --against."
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


def _folded(found: Correlograms) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lags, pairs over what is expected, and its deviation, of both directions together.

    Which neuron of a pair has the lower number, and so comes first, says nothing.
    """
    middle = len(found.lags) // 2
    counts, expected = (
        (x + x[::-1])[middle:] for x in (found.counts.sum(axis=0), found.expected.sum(axis=0))
    )
    counts[0], expected[0] = counts[0] / 2, expected[0] / 2
    with np.errstate(invalid="ignore", divide="ignore"):
        return found.lags[middle:], counts / expected, 1 / np.sqrt(expected)


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
