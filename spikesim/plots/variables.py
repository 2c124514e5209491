"""Figures of state variables and currents over time."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spikesim.plots.canvas import COLOURS, MARGIN, blank, colour_of, span, stack, tidy

if TYPE_CHECKING:
    from matplotlib.figure import Figure, SubFigure

MAX_TRACES, SOME_TRACES = 10, 6  # lines of a figure; those beside the spread of more
BAND = (0.05, 0.5, 0.95)  # quantiles of a spread
BAND_SAMPLES = 2000  # times at which a spread is measured


def traces(
    times: ArrayLike, values: ArrayLike, labels: Sequence[str], variable: str, unit: str
) -> Figure:
    """Draw a state variable over time, one row and one label per line, all on the same scale.

    Parameters
    ----------
    times
        Shape (n_times,), in ms.
    values
        Shape (n_times, n_lines), in `unit`.
    labels
        Name of each line, 1 to 10 of them.
    variable, unit
        Written on the vertical axis as "variable (unit)".

    Returns
    -------
    Figure
        With one axes per line, in the order of `labels`.

    Raises
    ------
    ValueError
        If there are no lines or more than 10, or if the shapes disagree.
    """
    times, values = np.asarray(times, float), np.asarray(values, float)
    if not 1 <= len(labels) <= MAX_TRACES:
        raise ValueError(f"labels must name 1 to {MAX_TRACES} lines; got {len(labels)}")
    if times.size == 0 or times.ndim != 1 or values.shape != (times.size, len(labels)):
        raise ValueError(
            f"times must be one-dimensional and not empty, and values of shape "
            f"(len(times), len(labels)); got the shapes {times.shape} and {values.shape} "
            f"and {len(labels)} labels"
        )
    figure = blank(max(0.7 * len(labels), 1.8) + MARGIN)
    rows = figure.subplots(len(labels), 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    for i, (axes, label) in enumerate(zip(rows, labels, strict=True)):
        axes.plot(times, values[:, i], color=COLOURS[i % len(COLOURS)], linewidth=0.8)
        axes.set_title(label, loc="left", fontsize=8, pad=2)
    stack(rows, times.min(), times.max())
    figure.supylabel(f"{variable} ({unit})", fontsize=8)
    return figure


def report(
    parts: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike, str, str]],
) -> Figure:
    """Draw recorded variables over time: up to ten neurons, or the spread of all and six of them.

    Parameters
    ----------
    parts
        By name of a population: times (ms), shape (n_times,); neurons, shape (n_lines,); values,
        shape (n_times, n_lines); and the variable and its unit, written on the vertical axis.

    Returns
    -------
    Figure
        With one axes for each line; of a population of more than ten the first holds the median
        and the band from the 5th to the 95th percentile of all, at up to 2000 times, and six lines
        follow, evenly spaced. All lines of a population are on one scale.

    Raises
    ------
    ValueError
        If there are no populations, one holds nothing, or shapes disagree.
    """
    if not parts:
        raise ValueError("parts must hold at least one population; got none")
    arrays = {}
    for name, (times, neurons, values, *_) in parts.items():
        times, neurons, values = np.asarray(times), np.asarray(neurons), np.asarray(values)
        if not values.size or values.shape != (times.size, neurons.size):
            raise ValueError(
                f"parts[{name!r}] must hold samples, of shape (len(times), len(neurons)); got "
                f"{values.shape} for {times.size} times and {neurons.size} neurons"
            )
        arrays[name] = times, neurons, values
    rows = [n.size if n.size <= MAX_TRACES else SOME_TRACES + 1 for _, n, _ in arrays.values()]
    heights = [max(0.7 * n, 1.8) + MARGIN for n in rows]
    figure = blank(sum(heights))
    panels = figure.subfigures(len(rows), 1, height_ratios=heights, hspace=0.03, squeeze=False)
    for i, (name, found) in enumerate(arrays.items()):
        _draw_report(panels[i, 0], name, *found, rows[i], colour_of(i))
        variable, unit = parts[name][3:]
        panels[i, 0].supylabel(f"{variable} ({unit})" if unit else variable, fontsize=8)
    return figure


def responses(
    panels: Mapping[str, tuple[ArrayLike, ArrayLike, ArrayLike]], columns: int = 4
) -> Figure:
    """Draw membrane potentials over time, each above the current that causes it, in a grid.

    Parameters
    ----------
    panels
        By title, row by row: times (ms), potential (mV) and current, each of shape (n_times,).
    columns
        Panels in a row.

    Returns
    -------
    Figure
        With two axes for each panel, potential and current, the potentials on one scale.

    Raises
    ------
    ValueError
        If there are no panels, or the three arrays of one differ in shape or are empty.
    """
    if not panels:
        raise ValueError("panels must hold at least one panel; got none")
    for title, arrays in panels.items():
        shapes = [np.shape(array) for array in arrays]
        if len(shapes) != 3 or len(set(shapes)) > 1 or len(shapes[0]) != 1 or 0 in shapes[0]:
            raise ValueError(
                f"panels[{title!r}] must hold times, potential and current, not empty and of one "
                f"shape (n_times,); got the shapes {', '.join(map(str, shapes))}"
            )
    rows = math.ceil(len(panels) / columns)
    figure = blank(1.25 * rows + 0.2)
    grid = figure.subplots(2 * rows, columns, height_ratios=(4, 1) * rows, squeeze=False)
    for axes in grid.flat:
        axes.axis("off")
    potentials = np.concatenate([np.asarray(values, float) for _, values, _ in panels.values()])
    low, high = potentials.min(), potentials.max()
    margin = 0.03 * (high - low) or 1.0
    for i, (title, (times, potential, current)) in enumerate(panels.items()):
        row, column = divmod(i, columns)
        above, below = grid[2 * row : 2 * row + 2, column]
        above.set_title(title, fontsize=7, pad=2)
        above.plot(times, potential, color=colour_of(0), linewidth=0.7)
        above.set_ylim(low - margin, high + margin)
        below.plot(times, current, color=colour_of(1), linewidth=0.8)
        for axes in (above, below):
            tidy(axes)
            axes.axis("on")
            axes.tick_params(labelsize=6)
            axes.set_xlim(span(np.min(times), np.max(times)))
        above.tick_params(bottom=False, labelbottom=False, labelleft=column == 0)
    figure.supylabel("potential (mV), current", fontsize=8)
    figure.supxlabel("time (ms)", fontsize=8)
    return figure


def _draw_report(
    figure: Figure | SubFigure,
    name: str,
    times: np.ndarray,
    neurons: np.ndarray,
    values: np.ndarray,
    number: int,
    colour: str,
) -> None:
    """Lines of some neurons and, of many, the spread of all above them."""
    rows = figure.subplots(number, 1, sharex=True, sharey=True, squeeze=False)[:, 0]
    below, chosen = rows, np.arange(neurons.size)
    if neurons.size > MAX_TRACES:
        below, chosen = rows[1:], np.arange(SOME_TRACES) * neurons.size // SOME_TRACES
        some = slice(None, None, math.ceil(times.size / BAND_SAMPLES))
        known = np.where(np.isfinite(values[some]), values[some], np.nan)
        when = ~np.isnan(known).all(axis=1)
        if when.any():
            low, middle, high = np.nanquantile(known[when], BAND, axis=1)
            at = times[some][when]
            rows[0].fill_between(at, low, high, color=colour, alpha=0.3, linewidth=0)
            rows[0].plot(at, middle, color=colour, linewidth=0.8)
        told = f"{name}, all {neurons.size:,}: median, and band from 5 % to 95 %"
        rows[0].set_title(told, loc="left", fontsize=8, pad=2)
    for axes, column in zip(below, chosen, strict=True):
        axes.plot(times, values[:, column], color=colour, linewidth=0.8)
        axes.set_title(f"{name} {neurons[column]}", loc="left", fontsize=8, pad=2)
    stack(rows, times.min(), times.max())
