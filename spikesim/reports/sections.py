"""The parts of a report: what is computed of all populations, as numbers and as a picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spikesim.data.spiketrains import SpikeTrains
from spikesim.reports.page import Section


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
        Of how many neurons of a population pairs are looked at.
    seed : int
        Of the draw of neurons and of surrogates.
    """

    spikes: Mapping[str, SpikeTrains]
    name: str = "run"
    rhythm: float | None = None
    others: Mapping[str, Mapping[str, SpikeTrains]] = field(default_factory=dict)
    neurons: int = 100
    seed: int = 0


def raster(material: Material, pictures: bool) -> Section:
    from spikesim import plots

    made = Section("raster", "Raster")
    if pictures:
        made.figures["spikes of the last second, and mean rates"] = plots.raster(material.spikes)
    return made


def rates(material: Material, pictures: bool) -> Section:
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


PARTS: dict[str, Callable[[Material, bool], Section]] = {"raster": raster, "rates": rates}
NEEDS = {"phases": "--rhythm", "agreement": "--against"}


def chosen(what: str | None, rhythm: float | None, others: bool) -> list[str]:
    """The parts that a list with commas asks for, or all that can be told."""
    given = {"phases": rhythm is not None, "agreement": others}
    if what is None:
        return [name for name in PARTS if given.get(name, True)]
    names = [name.strip() for name in what.split(",") if name.strip()]
    for name in names:
        if name not in PARTS:
            raise ValueError(f"--what is {what!r}; it must name parts of {', '.join(PARTS)}.")
        if not given.get(name, True):
            raise ValueError(f"--what names {name}, which needs {NEEDS[name]}.")
    return names


def sections(material: Material, names: Sequence[str], pictures: bool) -> list[Section]:
    """Parts of the report, in the order of their names."""
    return [PARTS[name](material, pictures) for name in names]
