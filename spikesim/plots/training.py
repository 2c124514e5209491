"""Figures of a training: how it went, and all there is to see of it below each other."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from spikesim.plots.canvas import COLOURS, MARGIN, blank, tidy
from spikesim.plots.tasks import BEHAVIOUR
from spikesim.plots.trials import SIZE, draw_activity, draw_examples

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

    from spikesim.rate.files import History
    from spikesim.rate.tasks import Task, Trials


def learning_curve(history: History, until: float | None = None) -> Figure:
    """Draw loss and performance over the updates of a training.

    Parameters
    ----------
    history : History
    until : float, optional
        The criterion, drawn as a line.

    Returns
    -------
    Figure
        With two axes: the loss of every update and of the validations, and their performance (%).
    """
    figure = blank(1.6 + MARGIN)
    _draw_learning(figure, history, until)
    return figure


def training_overview(
    task: Task,
    history: History | None,
    outputs: np.ndarray,
    trials: Trials,
    until: float | None = None,
    rates: np.ndarray | None = None,
) -> Figure:
    """Draw `learning_curve`, `example_trials`, `activity` and `behaviour` below each other.

    Parameters as there. What is not given, the history or the rates, is left out, and so is
    `behaviour` of a task for which there is none.
    """
    rows: list[tuple[float, Callable[..., None], tuple]] = []
    if history is not None:
        rows.append((1.6, _draw_learning, (history, until)))
    rows.append((2.2, draw_examples, (task, outputs, trials)))
    if rates is not None:
        rows.append((2.0, draw_activity, (task, rates, trials)))
    if task.name in BEHAVIOUR:
        rows.append((2.2, BEHAVIOUR[task.name], (task, outputs, trials)))
    heights = [height + MARGIN for height, _, _ in rows]
    figure = blank(sum(heights))
    parts = figure.subfigures(len(rows), 1, height_ratios=heights, hspace=0.03, squeeze=False)
    for part, (_, draw, arguments) in zip(parts[:, 0], rows, strict=True):
        draw(part, *arguments)
    return figure


def _draw_learning(figure: Figure | SubFigure, history: History, until: float | None) -> None:
    left, right = figure.subplots(1, 2)
    updates = np.arange(1, history.updates + 1)
    left.plot(updates, history.loss, color="0.75", linewidth=0.6, label="each update")
    left.plot(
        history.validated,
        history.validation_loss,
        color=COLOURS[0],
        linewidth=1.0,
        label="validation",
    )
    left.set_yscale("log")
    left.tick_params(which="both", labelsize=7)
    left.set_ylabel("loss", fontsize=SIZE)
    left.legend(fontsize=7, frameon=False)
    right.plot(history.validated, 100 * np.array(history.performance), color=COLOURS[0])
    if until is not None:
        right.axhline(100 * until, color="0.6", linewidth=0.8, linestyle="--")
    right.set_ylim(0, 104)
    right.set_ylabel("performance (%)", fontsize=SIZE)
    for axes in (left, right):
        axes.set_xlabel(f"updates of {history.batch} trials", fontsize=SIZE)
        tidy(axes)
