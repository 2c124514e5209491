"""Figures of what a trained network does, one for each task."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import numpy as np

from spikesim.analysis import psychometric, slopes
from spikesim.plots.canvas import COLOURS, MARGIN, blank, tidy
from spikesim.plots.trials import SIZE, shade

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

    from spikesim.rate.tasks import Task, Trials


def behaviour(task: Task, outputs: np.ndarray, trials: Trials) -> Figure:
    """Draw how the outputs of a network depend on what the trials ask.

    `perceptual_decision` and `context_integration`: the psychometric curves. `go_nogo`, `xor` and
    those of Kim et al.:
    the output over time, mean and standard deviation, of each kind of trial. `flipflop`: the
    outputs against each other. `sine`: the variance explained by frequency. `digits`: which digit
    was taken for which. `path_integration`: the variance explained over time.

    Parameters
    ----------
    task : Task
        One of those above.
    outputs : array (time, trials, outputs)
    trials : Trials

    Raises
    ------
    ValueError
        If there is no such figure for the task.
    """
    if task.name not in BEHAVIOUR:
        raise ValueError(
            f"task is {task.name!r}; it must be one of {', '.join(BEHAVIOUR)} to be drawn."
        )
    figure = blank(2.2 + MARGIN)
    BEHAVIOUR[task.name](figure, task, outputs, trials)
    return figure


def _draw_psychometric(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    axes = figure.subplots()
    axes.plot(*_percent(psychometric(outputs, trials)), "o-", color=COLOURS[0], markersize=3)
    axes.set_xlabel("coherence (%), positive for choice 1", fontsize=SIZE)
    _choice_axis(axes)


def _draw_contexts(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    chosen = outputs[-1].argmax(axis=-1)
    found = slopes(outputs, trials)
    for context, axes in enumerate(figure.subplots(1, 2, sharey=True)):
        here = trials.conditions["context"] == context
        name = ("motion", "colour")[context]
        for i, dimension in enumerate(("motion", "colour")):
            coherence = trials.conditions[dimension][here]
            coherences = np.unique(coherence)
            share = np.array([chosen[here][coherence == c].mean() for c in coherences])
            kind = "o-" if dimension == name else "s--"
            axes.plot(
                coherences, 100 * share, kind, color=COLOURS[i], markersize=3, label=f"{dimension}"
            )
        relevant, irrelevant = found[name]
        axes.set_title(
            f"context {name}: slopes {relevant:.3g} relevant, {irrelevant:.2g} irrelevant",
            fontsize=SIZE,
        )
        axes.set_xlabel("coherence (%), positive for choice 1", fontsize=SIZE)
        axes.legend(fontsize=7, frameon=False, loc="upper left")
        _choice_axis(axes)


def _percent(curve: tuple[np.ndarray, np.ndarray]) -> tuple[np.ndarray, np.ndarray]:
    return curve[0], 100 * curve[1]


def _choice_axis(axes: Axes) -> None:
    axes.axhline(50, color="0.8", linewidth=0.6, zorder=0)
    axes.set_ylim(-3, 103)
    axes.set_ylabel("choice 1 (%)", fontsize=SIZE)
    tidy(axes)


def _draw_kinds(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    """The first output over time, mean and standard deviation, of each kind of trial."""
    axes = figure.subplots()
    time = task.dt * np.arange(1, len(outputs) + 1)
    told = KINDS.get(task.name, list(trials.conditions))
    kinds = np.stack([trials.conditions[name] for name in told], axis=1)
    for i, kind in enumerate(np.unique(kinds, axis=0)):
        here = outputs[:, (kinds == kind).all(axis=1), 0]
        mean, spread = here.mean(axis=1), here.std(axis=1)
        name = ", ".join(f"{n} {v:g}" for n, v in zip(told, kind, strict=True))
        axes.plot(time, mean, color=COLOURS[i], linewidth=1.0, label=name)
        axes.fill_between(time, mean - spread, mean + spread, color=COLOURS[i], alpha=0.25, lw=0)
    shade(axes, task, trials)
    axes.set_xlabel("time (ms)", fontsize=SIZE)
    axes.set_ylabel("output, mean and SD", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False, loc="upper left")
    tidy(axes)


def _draw_bits(figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials) -> None:
    """Each pair of neighbouring outputs against each other: the corners are the memories."""
    bits = outputs.shape[2]
    pairs = [(i, (i + 1) % bits) for i in range(min(bits, 3))]
    for axes, (i, j) in zip(figure.subplots(1, len(pairs), squeeze=False)[0], pairs, strict=True):
        for k in range(min(32, outputs.shape[1])):
            axes.plot(
                outputs[:, k, i], outputs[:, k, j], color=COLOURS[0], linewidth=0.4, alpha=0.5
            )
        axes.set_xlabel(f"output {i}", fontsize=SIZE)
        axes.set_ylabel(f"output {j}", fontsize=SIZE)
        axes.set(xlim=(-2, 2), ylim=(-2, 2), aspect="equal")
        tidy(axes)


def _draw_frequencies(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    axes = figure.subplots()
    error = np.mean((outputs - trials.targets) ** 2, axis=(0, 2))
    explained = 100 * (1 - error / np.var(trials.targets, axis=(0, 2)))
    axes.plot(trials.conditions["frequency"], explained, ".", color=COLOURS[0], markersize=3)
    axes.set_ylim(min(0.0, float(np.median(explained))), 103)
    axes.set_xlabel("frequency asked for (Hz)", fontsize=SIZE)
    axes.set_ylabel("variance explained (%)", fontsize=SIZE)
    tidy(axes)


def _draw_explained(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    """How much of the targets' variance over trials the outputs explain, over time."""
    axes = figure.subplots()
    time = task.dt * np.arange(1, len(outputs) + 1)
    error = np.mean((outputs - trials.targets) ** 2, axis=(1, 2))
    variance = np.var(trials.targets, axis=1).mean(axis=1)
    explained = 100 * (1 - error / np.maximum(variance, 1e-12))
    axes.plot(time[variance > 1e-6], explained[variance > 1e-6], color=COLOURS[0], linewidth=1.0)
    axes.set_ylim(-3, 103)
    axes.set_xlabel("time (ms)", fontsize=SIZE)
    axes.set_ylabel("variance explained (%)", fontsize=SIZE)
    tidy(axes)


def _draw_confusions(
    figure: Figure | SubFigure, task: Task, outputs: np.ndarray, trials: Trials
) -> None:
    axes = figure.subplots()
    classes = outputs.shape[2]
    counts = np.zeros((classes, classes))
    np.add.at(counts, (trials.conditions["digit"], outputs[-1].argmax(axis=-1)), 1)
    share = 100 * counts / np.maximum(counts.sum(axis=1, keepdims=True), 1)
    image = axes.imshow(share, cmap="cividis", vmin=0, vmax=100, aspect="auto")
    bar = figure.colorbar(image, ax=axes)
    bar.set_label("of a digit's images (%)", fontsize=SIZE)
    bar.ax.tick_params(labelsize=7)
    axes.set_xticks(range(classes))
    axes.set_yticks(range(classes))
    axes.set_xlabel("taken for", fontsize=SIZE)
    axes.set_ylabel("digit", fontsize=SIZE)
    axes.tick_params(labelsize=7)


BEHAVIOUR: dict[str, Callable[..., None]] = {
    "perceptual_decision": _draw_psychometric,
    "context_integration": _draw_contexts,
    "go_nogo": _draw_kinds,
    "xor": _draw_kinds,
    "flipflop": _draw_bits,
    "sine": _draw_frequencies,
    "digits": _draw_confusions,
    "kim_go_nogo": _draw_kinds,
    "kim_mante": _draw_kinds,
    "path_integration": _draw_explained,
}
KINDS = {"kim_mante": ["context", "answer"]}  # conditions that are told apart; else all
