"""Figures of training and of what a trained network does, drawn without a display."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from spikesim.analysis.behaviour import psychometric, slopes
from spikesim.plots import COLOURS, MARGIN, blank, tidy
from spikesim.rate.files import History
from spikesim.rate.tasks.trials import Task, Trials

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

EXAMPLES = 4
SIZE = 8  # points


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
    _draw_examples(figure, task, outputs, trials)
    return figure


def behaviour(task: Task, outputs: np.ndarray, trials: Trials) -> Figure:
    """Draw how the outputs of a network depend on what the trials ask.

    `perceptual_decision` and `context_integration`: the psychometric curves. `go_nogo` and `xor`:
    the output over time, mean and standard deviation, of each kind of trial. `flipflop`: the
    outputs against each other. `sine`: the variance explained by frequency. `digits`: which digit
    was taken for which.

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
    if task.name not in _BEHAVIOUR:
        raise ValueError(
            f"task is {task.name!r}; it must be one of {', '.join(_BEHAVIOUR)} to be drawn."
        )
    figure = blank(2.2 + MARGIN)
    _BEHAVIOUR[task.name](figure, task, outputs, trials)
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
    _draw_activity(figure, task, rates, trials)
    return figure


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
        axes.plot(np.quantile(values, below), 100 * below, label=label, **_line(i))
        axes.axvline(median, color=COLOURS[i % len(COLOURS)], linewidth=0.8, linestyle=":")
    axes.set_xscale("log")
    axes.set_ylim(0, 100)
    axes.set_xlabel("time constant (ms)", fontsize=SIZE)
    axes.set_ylabel("units, times and trials (%)", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    tidy(axes)
    return figure


def overview(
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
    rows.append((2.2, _draw_examples, (task, outputs, trials)))
    if rates is not None:
        rows.append((2.0, _draw_activity, (task, rates, trials)))
    if task.name in _BEHAVIOUR:
        rows.append((2.2, _BEHAVIOUR[task.name], (task, outputs, trials)))
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


def _draw_examples(
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
            _shade(axes, task, trials)
            tidy(axes)
    number = max(task.inputs, task.outputs)
    figure.legend(
        [Line2D([], [], **_line(i)) for i in range(number)],
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


def _draw_activity(
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
        axes.plot(time, line, **{**_line(i), **style})


def _line(i: int) -> dict[str, object]:
    """Colour and style of line i; dashed where colours come round again."""
    style = "-" if i < len(COLOURS) else "--"
    return {"color": COLOURS[i % len(COLOURS)], "linestyle": style, "linewidth": 0.8}


def _shade(axes: Axes, task: Task, trials: Trials) -> None:
    """Every other period of the trials, if they have any."""
    for period in list(trials.periods.values())[1::2]:
        axes.axvspan(task.dt * period.start, task.dt * period.stop, color="0.94", zorder=0)


def _conditions(trials: Trials, k: int) -> str:
    texts = [f"{name} {values[k]:.3g}" for name, values in trials.conditions.items()]
    return "\n".join(", ".join(texts[i : i + 2]) for i in range(0, len(texts), 2))


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
    kinds = np.stack(list(trials.conditions.values()), axis=1)
    for i, kind in enumerate(np.unique(kinds, axis=0)):
        here = outputs[:, (kinds == kind).all(axis=1), 0]
        mean, spread = here.mean(axis=1), here.std(axis=1)
        name = ", ".join(f"{n} {v:g}" for n, v in zip(trials.conditions, kind, strict=True))
        axes.plot(time, mean, color=COLOURS[i], linewidth=1.0, label=name)
        axes.fill_between(time, mean - spread, mean + spread, color=COLOURS[i], alpha=0.25, lw=0)
    _shade(axes, task, trials)
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


_BEHAVIOUR: dict[str, Callable[..., None]] = {
    "perceptual_decision": _draw_psychometric,
    "context_integration": _draw_contexts,
    "go_nogo": _draw_kinds,
    "xor": _draw_kinds,
    "flipflop": _draw_bits,
    "sine": _draw_frequencies,
    "digits": _draw_confusions,
}
