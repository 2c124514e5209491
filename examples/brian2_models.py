"""A page of published models: their traces here, their spikes here and in Brian2.

Run it from the root of the project with ``python -m examples.brian2_models FILE.png [NAME ...]``.
The models stand in ``tests/brian2_models.py``, as they are written for Brian2.
"""

import json
import math
import sys
from pathlib import Path

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from spikesim.plots import COLOURS, save
from tests.brian2_models import CASES, Case, simulate

REFERENCE = Path(__file__).parent.parent / "tests" / "reference" / "brian2_models.json"
COLUMNS = 5
OURS, THEIRS = COLOURS[0], COLOURS[1]


def draw(axes: Axes, case: Case, recorded: dict) -> None:
    """One model: the trace, above it the spikes of both programs."""
    result = simulate(case)
    trace = result.traces["cells", case.shown]
    values = trace.values[:, 0]
    low, high = values.min(), values.max()
    span = high - low
    axes.plot(trace.times, values, color="0.35", linewidth=0.7)
    axes.set_ylim(low - 0.05 * span, high + 0.45 * span)
    axes.set_xlim(0, case.duration)
    if case.size == 1:
        ours, theirs = result.spikes["cells"].times, np.array(recorded["times"]) + case.dt
        rows = [high + 0.16 * span, high + 0.34 * span]
        axes.eventplot(
            [ours, theirs], lineoffsets=rows, linelengths=0.15 * span, colors=[OURS, THEIRS]
        )
        note = f"({theirs.size} / {ours.size})"
    else:
        note = f"({recorded['rate']:.2f} / {result.rates['cells']:.2f} Hz)"
    axes.set_title(f"{case.name}   {note}", fontsize=7, loc="left", pad=3)
    axes.tick_params(labelsize=6, length=2)
    axes.spines[["top", "right"]].set_visible(False)


def page(cases: list[Case]) -> Figure:
    """All models, a panel each."""
    recorded = json.loads(REFERENCE.read_text(encoding="utf-8"))["models"]
    rows = math.ceil(len(cases) / COLUMNS)
    figure = Figure(figsize=(14, 1.6 * rows + 0.9), layout="constrained")
    panels = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes, case in zip(panels, cases, strict=False):
        draw(axes, case, recorded[case.name])
    for axes in panels[len(cases) :]:
        axes.set_axis_off()
    figure.supxlabel("time (ms)", fontsize=8)
    figure.supylabel("membrane potential (mV, or dimensionless)", fontsize=8)
    marks = [Line2D([], [], color=c, marker="|", linestyle="", ms=9, mew=2) for c in (THEIRS, OURS)]
    names = ["spikes in Brian2 (upper row)", "spikes in spikesim (lower row)"]
    figure.legend(marks, names, loc="outside upper center", ncols=2, fontsize=9, frameon=False)
    return figure


if __name__ == "__main__":
    path, *names = sys.argv[1:] or ["brian2_models.png"]
    save(page([case for case in CASES if not names or case.name in names]), path, overwrite=True)
