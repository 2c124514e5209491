"""Figures of single trials: inputs, outputs and targets, and what the units do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikesim.plots.canvas import COLOURS, MARGIN, blank, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from spikesim.rate.tasks import Task, Trials

EXAMPLES = 4
SIZE = 8  # points


def example_trials(task: Task, outputs: np.ndarray, trials: Trials) -> Figure:
    """Draw inputs, outputs and targets (dashed, where they count) of the first trials over time.

    Parameters
    ----------
    task : Task
    outputs : array (time, trials, outputs)
    trials : Trials

    Returns
    -------
    Figure
        With two rows of axes, inputs and outputs, and a column for each of up to four trials.
    """
    figure = blank(2.2 + MARGIN)
    draw_examples(figure, task, outputs, trials)
    return figure


def activity(task: Task, rates: np.ndarray, trials: Trials) -> Figure:
    """Draw what the units of a cell do over time in the first trials.

    Parameters
    ----------
    task : Task
    rates : array (time, trials, units)
        Such as ``network.rates[-1]`` after ``network.run(trials.inputs)``.
    trials : Trials

    Returns
    -------
    Figure
        With an axes for each of up to four trials, in which the units are in order of the time at
        which their mean over the trials is largest, and one for the colours.
    """
    figure = blank(2.0 + MARGIN)
    draw_activity(figure, task, rates, trials)
    return figure


def draw_examples(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    from matplotlib.lines import Line2D

    shown = min(EXAMPLES, outputs.shape[1])
    rows = figure.subplots(2, shown, sharex=True, sharey="row", squeeze=False)
    time = task.dt * np.arange(1, len(outputs) + 1)
    targets, mask = trials.targets, trials.mask
    if targets.ndim == 2:
        targets, mask = np.eye(outputs.shape[2])[targets], mask[:, :, None]
    targets = np.where(mask > 0, targets, np.nan)
    for k, (upper, lower) in enumerate(rows.T):
        _draw_lines(upper, time, trials.inputs[:, k])
        _draw_lines(lower, time, outputs[:, k])
        if task.loss == "squared":
            _draw_lines(lower, time, targets[:, k], linestyle="--", linewidth=1.4, alpha=0.6)
        upper.set_title(_conditions(trials, k), fontsize=6.5)
        lower.set_xlabel("time (ms)", fontsize=SIZE)
        for axes in (upper, lower):
            shade(axes, task, trials)
            tidy(axes)
    number = max(task.inputs, task.outputs)
    figure.legend(
        [Line2D([], [], **style_of(i)) for i in range(number)],
        range(number),
        loc="outside right center",
        fontsize=7,
        frameon=False,
        handlelength=1.0,
    )
    rows[0, 0].set_ylabel("inputs", fontsize=SIZE)
    rows[1, 0].set_ylabel("outputs\n(targets dashed)", fontsize=SIZE)
    if task.loss != "squared":
        rows[1, 0].set_ylabel("outputs", fontsize=SIZE)


def draw_activity(
    figure: Figure | SubFigure, task: Task, rates: np.ndarray, trials: Trials
) -> None:
    steps, number, units = rates.shape
    shown = min(EXAMPLES, number)
    order = np.argsort(rates.mean(axis=1).argmax(axis=0), kind="stable")
    panels = figure.subplots(1, shown, sharex=True, sharey=True, squeeze=False)[0]
    most = float(np.abs(rates[:, :shown]).max()) or 1.0
    signed = rates[:, :shown].min() < -most / 20  # a trained start value may lie just below 0
    for k, axes in enumerate(panels):
        image = axes.imshow(
            rates[:, k, order].T,
            cmap="RdBu_r" if signed else "cividis",
            vmin=-most if signed else 0.0,
            vmax=most,
            aspect="auto",
            interpolation="nearest",
            extent=(0.0, task.dt * steps, units, 0.0),
        )
        axes.set_title(_conditions(trials, k), fontsize=6.5)
        axes.set_xlabel("time (ms)", fontsize=SIZE)
        axes.locator_params(axis="x", nbins=3)
        tidy(axes)
    panels[0].set_ylabel("units, by time of peak", fontsize=SIZE)
    bar = figure.colorbar(image, ax=list(panels))
    bar.set_label("rate of a unit", fontsize=SIZE)
    bar.ax.tick_params(labelsize=7)


def _draw_lines(axes: Axes, time: np.ndarray, values: np.ndarray, **style: object) -> None:
    for i, line in enumerate(values.T):
        axes.plot(time, line, **{**style_of(i), **style})


def style_of(i: int) -> dict[str, object]:
    """Colour and style of line i; dashed where colours come round again."""
    style = "-" if i < len(COLOURS) else "--"
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": style, "linewidth": 0.8}


def shade(axes: Axes, task: Task, trials: Trials) -> None:
    """Every other period of the trials, if they have any."""
    for period in list(trials.periods.values())[1::2]:
        axes.axvspan(task.dt * period.start, task.dt * period.stop, color="0.94", zorder=0)


def _conditions(trials: Trials, k: int) -> str:
    texts = [f"{name} {values[k]:.3g}" for name, values in trials.conditions.items()]
    return "\n".join(", ".join(texts[i : i + 2]) for i in range(0, len(texts), 2))
