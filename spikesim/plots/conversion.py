"""Figures of converted networks: what a rate network and its conversion do, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikesim.plots.canvas import COLOURS, MARGIN, blank, tidy
from spikesim.plots.trials import SIZE

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

    from spikesim.conversion import Certificate, Trajectories


def certificate(found: Certificate, both: Trajectories) -> Figure:
    """Draw how faithful a conversion is.

    Left: both populations on the first two principal components of the rates, by decision, the
    rate network as a line and the spiking one dashed. Middle: the first output of both over time,
    with the spread of the spiking one over trials. Right: the certificate's numbers.

    Parameters
    ----------
    found : Certificate
        By `spikesim.conversion.certify`.
    both : Trajectories
        By `spikesim.conversion.trajectories`.
    """
    figure = blank(2.9 + MARGIN)
    plane, output, numbers = figure.subplots(1, 3, width_ratios=[1, 1.25, 0.9])
    _draw_plane(plane, both)
    _draw_output(output, both)
    _draw_numbers(numbers, found)
    return figure


def _draw_plane(axes: Axes, both: Trajectories) -> None:
    for g, name in enumerate(both.names):
        colour = COLOURS[g % len(COLOURS)]
        axes.plot(*both.rate[:2, :, g], color=colour, linewidth=1.4, label=name)
        axes.plot(*both.spiking[:2, :, g], "--", color=colour, linewidth=0.9)
        axes.plot(*both.rate[:2, 0, g], "o", color=colour, markersize=3)
    first, second = 100 * both.explained[:2]
    axes.set_xlabel(f"component 1 of the rates ({first:.0f} %)", fontsize=SIZE)
    axes.set_ylabel(f"component 2 ({second:.0f} %)", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False)
    axes.set_title("rate: line, spiking: dashed", fontsize=SIZE)
    tidy(axes)


def _draw_output(axes: Axes, both: Trajectories) -> None:
    for g in range(len(both.names)):
        colour = COLOURS[g % len(COLOURS)]
        mean, spread = both.spiking_outputs[:, g, 0], both.spread[:, g, 0]
        axes.fill_between(both.time, mean - spread, mean + spread, color=colour, alpha=0.25, lw=0)
        axes.plot(both.time, both.rate_outputs[:, g, 0], color=colour, linewidth=1.4)
        axes.plot(both.time, mean, "--", color=colour, linewidth=0.9)
    axes.set_xlabel("time (ms)", fontsize=SIZE)
    axes.set_ylabel("output, mean and SD over trials", fontsize=SIZE)
    tidy(axes)


def _draw_numbers(axes: Axes, found: Certificate) -> None:
    rows = [
        ("method", found.method),
        ("neurons", f"{found.neurons:,} ({found.neuron})"),
        ("trials", f"{found.trials:,}"),
        ("decisions alike", _percent(found.agreement)),
        ("performance, rate", _percent(found.rate_performance)),
        ("performance, spiking", _percent(found.spiking_performance)),
        ("R2 of the output", _number(found.output_r2)),
        ("unit correlation", _number(found.unit_correlation)),
        ("CKA (ceiling)", f"{_number(found.cka)} ({_number(found.cka_ceiling)})"),
        ("silencing", _number(found.silencing_correlation)),
        ("rate of a neuron", f"{found.mean_rate_hz:.2f} Hz"),
        ("events a trial", f"{found.synaptic_events_per_trial:,.0f}"),
    ]
    axes.axis("off")
    for n, (name, value) in enumerate(rows):
        height = 1 - (n + 0.5) / len(rows)
        axes.text(0, height, name, fontsize=7, va="center", transform=axes.transAxes)
        axes.text(1, height, value, fontsize=7, va="center", ha="right", transform=axes.transAxes)


def _percent(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.2f} %"


def _number(value: float | None) -> str:
    return "not asked" if value is None or np.isnan(value) else f"{value:.3f}"
