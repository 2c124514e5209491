"""Figures of how the units of a rate network move: paths, time constants, learned patterns."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from spikesim.plots.canvas import COLOURS, MARGIN, blank, tidy
from spikesim.plots.trials import SIZE, style_of

if TYPE_CHECKING:
    from matplotlib.figure import Figure


def trajectories(rates: np.ndarray, colour_by: np.ndarray, label: str) -> Figure:
    """Draw the paths of trials through the two main directions of the rates' variance.

    Parameters
    ----------
    rates : array (time, trials, units)
    colour_by : array (trials,)
        Of each trial what its colour stands for; up to eight values.
    label : str
        What that is.

    Returns
    -------
    Figure
        With one axes; each path begins at a dot.
    """
    steps, trials, units = rates.shape
    flat = rates.reshape(-1, units) - rates.mean(axis=(0, 1))
    _, lengths, directions = np.linalg.svd(flat, full_matrices=False)
    paths = (flat @ directions[:2].T).reshape(steps, trials, 2)
    shares = 100 * lengths**2 / max(np.sum(lengths**2), 1e-300)
    figure = blank(3.6)
    axes = figure.subplots()
    for i, value in enumerate(np.unique(colour_by)):
        colour = COLOURS[i % len(COLOURS)]
        for k, trial in enumerate(np.flatnonzero(colour_by == value)):
            name = f"{label} {value:g}" if k == 0 else None
            axes.plot(*paths[:, trial].T, color=colour, linewidth=0.6, label=name)
            axes.plot(*paths[0, trial], ".", color=colour, markersize=4)
    axes.set_xlabel(f"first direction ({shares[0]:.0f} % of variance)", fontsize=SIZE)
    axes.set_ylabel(f"second ({shares[1]:.0f} %)", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False, loc="upper left", bbox_to_anchor=(1.0, 1.0))
    tidy(axes)
    return figure


def patterns(parts: Mapping[str, tuple[np.ndarray, np.ndarray]], dt: float) -> Figure:
    """Draw outputs over what they are to be, as before, during and after FORCE's learning.

    Parameters
    ----------
    parts : dict of str to (array (steps,), array (steps,))
        By the name of a part, its outputs and its targets.
    dt : float
        Step, ms.

    Returns
    -------
    Figure
        With an axes for each part; its title tells the RMS error over the target's amplitude.
    """
    figure = blank(1.5 + MARGIN)
    panels = figure.subplots(1, len(parts), sharey=True, squeeze=False)[0]
    for axes, (name, (outputs, targets)) in zip(panels, parts.items(), strict=True):
        error = np.sqrt(np.mean((outputs - targets) ** 2)) / np.abs(targets).max()
        time = dt * np.arange(1, len(outputs) + 1)
        axes.plot(time, outputs, color=COLOURS[0], linewidth=1.0, label="output")
        axes.plot(time, targets, "--", color=COLOURS[1], linewidth=1.0, label="target")
        axes.set_title(f"{name}: error {100 * error:.2g} %", fontsize=SIZE)
        axes.set_xlabel("time (ms)", fontsize=SIZE)
        tidy(axes)
    panels[0].set_ylabel("output", fontsize=SIZE)
    handles, labels = panels[0].get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside right center", fontsize=7, frameon=False)
    return figure


def time_constants(tau: Mapping[str, np.ndarray]) -> Figure:
    """Draw which part of some time constants is below each value, and their medians (dotted).

    Parameters
    ----------
    tau : dict of str to array
        ms; as `RateNetwork.effective_tau` gives them, by what they are of.

    Returns
    -------
    Figure
        With one axes.
    """
    figure = blank(2.0 + MARGIN)
    axes = figure.subplots()
    below = np.linspace(0, 1, 501)
    for i, (name, values) in enumerate(tau.items()):
        median = np.median(values)
        label = f"{name}: median {median:.0f} ms"
        axes.plot(np.quantile(values, below), 100 * below, label=label, **style_of(i))
        axes.axvline(median, color=COLOURS[i % len(COLOURS)], linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(0, 100)
    axes.set_xlabel("time constant (ms)", fontsize=SIZE)
    axes.set_ylabel("units, times and trials (%)", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    tidy(axes)
    return figure
