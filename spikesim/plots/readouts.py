"""Figures of readouts: rates around events, tuning, decoding, latencies, information of codes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from spikesim.analysis.codes.compared import Codes
from spikesim.analysis.codes.cross_validation import Decoded
from spikesim.analysis.codes.latency import Latencies
from spikesim.analysis.codes.rates import Psth, RateCurves
from spikesim.analysis.codes.tuning import TuningCurves
from spikesim.data.aligned import AlignedTrains
from spikesim.plots.canvas import COLOURS, blank, check_neuron, check_result, colour_of, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

SIZE = 8  # points
MOST_LINES = len(COLOURS)
MOST_NUMBERS = 12  # categories whose shares are written into the confusion matrix
UNVISITED = "0.85"


def psth(
    found: Psth | Mapping[str, Psth],
    aligned: AlignedTrains | Mapping[str, AlignedTrains] | None = None,
    *,
    neuron: int = 0,
    ax: Axes | None = None,
) -> Axes:
    """Draw the rate of a neuron around an event with its interval, and its spikes above.

    Parameters
    ----------
    found
        One, or several by name, such as one for each stimulus.
    aligned
        The trials of each, for a raster above the axes: a row for each trial.
    neuron
        Whose rate; of pooled ones 0, and the raster then has the spikes of all neurons.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes
        That of the rates.

    Raises
    ------
    ValueError
        If there is no such neuron, or the names differ.
    """
    several = found if isinstance(found, Mapping) else {"": found}
    for one in several.values():
        check_result("found", one, Psth, "psth")
        check_neuron(neuron, one.rates.shape[1])
    axes = ax
    if axes is None:
        figure = blank(3.4 if aligned is not None else 2.2)
        figure.get_layout_engine().set(rect=(0, 0, 1, 0.97))  # the raster's first tick needs some
        axes = figure.subplots()
    for i, (name, one) in enumerate(several.items()):
        low, high = one.low[:, neuron], one.high[:, neuron]
        axes.stairs(
            high, one.edges, baseline=low, fill=True, color=colour_of(i), alpha=0.25, linewidth=0
        )
        axes.stairs(
            one.rates[:, neuron],
            one.edges,
            baseline=None,
            color=colour_of(i),
            linewidth=1.2,
            label=name or None,
        )
    one = next(iter(several.values()))
    axes.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    axes.set_xlim(one.edges[0], one.edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time after the event (ms)", fontsize=SIZE)
    axes.set_ylabel(
        f"rate (Hz), {one.bin:g} ms bins,\n{one.level:.0%} interval ({one.interval})", fontsize=SIZE
    )
    if any(several):
        _legend(axes)
    tidy(axes)
    if aligned is not None:
        _raster_above(axes, several, aligned, neuron)
    return axes


def _raster_above(
    axes: Axes,
    several: Mapping[str, Psth],
    aligned: AlignedTrains | Mapping[str, AlignedTrains],
    neuron: int,
) -> None:
    trials = aligned if isinstance(aligned, Mapping) else {"": aligned}
    if list(trials) != list(several):
        raise ValueError(
            f"aligned has the names {list(trials)}; they must be those of found, {list(several)}."
        )
    from mpl_toolkits.axes_grid1 import make_axes_locatable

    above = make_axes_locatable(axes).append_axes("top", "70%", pad=0.06, sharex=axes)
    row = 0
    for i, (name, here) in enumerate(trials.items()):
        pooled = several[name].rates.shape[1] < here.size
        kept = slice(None) if pooled else here.neurons == neuron
        above.plot(
            here.times[kept],
            row + here.trials[kept] + 0.5,
            "|",
            color=colour_of(i),
            markersize=min(4.0, 90 / max(sum(t.n_trials for t in trials.values()), 1) + 0.8),
            markeredgewidth=0.6,
        )
        row += here.n_trials
    above.axvline(0, color="0.6", linewidth=0.8, zorder=0)
    above.set_ylim(max(row, 1), 0)
    above.set_ylabel("trial", fontsize=SIZE)
    tidy(above)
    above.tick_params(labelbottom=False, bottom=False)


def rate_curves(
    curves: RateCurves,
    neurons: Sequence[int] | None = None,
    *,
    trial: int | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw rates over time, a line for each neuron, broken at gaps.

    Parameters
    ----------
    curves
        Of `instantaneous_rate`.
    neurons
        Up to 8; the first ones if not given.
    trial
        Of aligned trains: which one, instead of the mean over trials.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If curves are no RateCurves.
    ValueError
        If there is no such neuron, or are more than 8.
    """
    check_result("curves", curves, RateCurves, "instantaneous_rate")
    rates = curves.rates
    if rates.ndim == 3:
        rates = rates[trial] if trial is not None else rates.mean(axis=0)
    chosen = _lines(neurons, rates.shape[1])
    axes = blank(2.2).subplots() if ax is None else ax
    broken = np.flatnonzero(np.diff(curves.windows)) + 1
    times = np.insert(curves.times, broken, np.nan)
    for i, neuron in enumerate(chosen):
        line = np.insert(rates[:, neuron], broken, np.nan)
        axes.plot(times, line, color=colour_of(i), linewidth=1.0, label=f"neuron {neuron}")
    axes.set_ylim(bottom=0)
    axes.set_xlabel("time (ms)", fontsize=SIZE)
    axes.set_ylabel("rate (Hz)", fontsize=SIZE)
    axes.set_title(str(curves.kernel), loc="left", fontsize=SIZE)
    _legend(axes)
    axes.margins(x=0)
    tidy(axes)
    return axes


def tuning(
    curves: TuningCurves,
    neurons: int | Sequence[int] | None = None,
    *,
    name: str = "feature",
    ax: Axes | None = None,
) -> Axes:
    """Draw tuning curves: lines, on a circle for circular features, or a map of two dimensions.

    Parameters
    ----------
    curves
        Of `tuning_curves` or `tuning_by_trial`.
    neurons
        Up to 8, the first ones if not given; of a map one, the first.
    name
        Of the feature and its unit, at the axis; of a map both, apart by a comma.
    ax
        Where to draw; a new figure if not given. Circular curves are drawn around a circle if
        it is a polar one.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If curves are no TuningCurves.
    ValueError
        If there is no such neuron, or are more than are drawn.
    """
    check_result("curves", curves, TuningCurves, "tuning_curves")
    if len(curves.values) == 2:
        return _map(curves, 0 if neurons is None else int(np.ravel(neurons)[0]), name, ax)
    chosen = _lines(None if neurons is None else np.ravel(neurons).tolist(), curves.size)
    period = curves.periods[0]
    if ax is None:
        kind = "polar" if period is not None else None
        ax = blank(3.0 if period is not None else 2.2).subplots(subplot_kw={"projection": kind})
    polar = ax.name == "polar" and period is not None
    values = curves.values[0]
    for i, neuron in enumerate(chosen):
        x, y = values, curves.rates[neuron]
        if polar:
            x, y = np.r_[x, x[0]] * (2 * np.pi / period), np.r_[y, y[0]]
        ax.plot(x, y, ".-", color=colour_of(i), linewidth=1.2, label=f"neuron {neuron}")
    if polar:
        ax.set_title(f"rate (Hz) by {name}", fontsize=SIZE)
        ax.tick_params(labelsize=7)
        turns = np.arange(8) / 8
        ax.set_xticks(turns * 2 * np.pi, [f"{turn * period:.4g}" for turn in turns])
        ax.set_rlim(bottom=0)
    else:
        ax.set_ylim(bottom=0)
        ax.set_xlabel(name, fontsize=SIZE)
        ax.set_ylabel("rate (Hz)", fontsize=SIZE)
        tidy(ax)
    _legend(ax, 1.15 if polar else 1.01)
    return ax


def _map(curves: TuningCurves, neuron: int, name: str, ax: Axes | None) -> Axes:
    check_neuron(neuron, curves.size)
    axes = blank(3.0).subplots() if ax is None else ax
    rates = np.ma.masked_invalid(curves.rates[neuron].T)
    axes.set_facecolor(UNVISITED)
    image = axes.pcolormesh(*curves.edges, rates, cmap="cividis", vmin=0)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.set_label("rate (Hz); grey: never visited", fontsize=SIZE)
    bar.ax.tick_params(labelsize=7)
    names = [part.strip() for part in name.split(",")]
    axes.set_xlabel(names[0], fontsize=SIZE)
    axes.set_ylabel(names[-1], fontsize=SIZE)
    axes.set_title(f"neuron {neuron}", loc="left", fontsize=SIZE)
    axes.set_aspect("equal" if None in curves.periods else "auto")
    tidy(axes)
    return axes


def confusion(found: Decoded, *, ax: Axes | None = None) -> Axes:
    """Draw how often each category was taken for each, as shares of the true one's samples.

    Parameters
    ----------
    found
        Of `cross_validate` with categories.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Decoded.
    ValueError
        If what was decoded are no categories.
    """
    check_result("found", found, Decoded, "cross_validate")
    table, labels = found.confusion, found.labels
    share = table / np.maximum(table.sum(axis=1, keepdims=True), 1)
    axes = blank(3.0).subplots() if ax is None else ax
    image = axes.imshow(share, cmap="cividis", vmin=0, vmax=1)
    if len(labels) <= MOST_NUMBERS:
        for (i, j), value in np.ndenumerate(share):
            colour = "black" if value > 0.5 else "white"
            axes.text(j, i, f"{value:.2f}", ha="center", va="center", fontsize=6, color=colour)
    places = np.arange(len(labels))
    axes.set_xticks(places, labels)
    axes.set_yticks(places, labels)
    axes.set_xlabel("decoded", fontsize=SIZE)
    axes.set_ylabel("true", fontsize=SIZE)
    title = f"{found.accuracy:.0%} right, chance {1 / max(len(labels), 1):.0%}"
    axes.set_title(title, loc="left", fontsize=SIZE)
    bar = axes.figure.colorbar(image, ax=axes)
    bar.set_label("share of the true category", fontsize=SIZE)
    bar.ax.tick_params(labelsize=7)
    axes.tick_params(labelsize=7)
    return axes


def decoded(found: Decoded, *, name: str = "feature", ax: Axes | None = None) -> Axes:
    """Draw what was decoded over what was true, a dot for each sample.

    Parameters
    ----------
    found
        Of `cross_validate` with a feature of numbers; of several dimensions the first is drawn. Of
        a circular feature each dot is drawn at most half a period from the true value.
    name
        Of the feature and its unit.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Decoded.
    ValueError
        If what was decoded are categories.
    """
    check_result("found", found, Decoded, "cross_validate")
    if found.categories:
        raise ValueError("found has decoded categories, not numbers; plots.confusion draws these.")
    axes = blank(3.0).subplots() if ax is None else ax
    x, error = (np.reshape(v, (len(v), -1))[:, :1].ravel() for v in (found.feature, found.errors))
    y = x + error
    axes.plot(x, y, ".", color=COLOURS[0], markersize=3, alpha=0.5, markeredgewidth=0)
    known = x[~np.isnan(x)]
    ends = (known.min(), known.max()) if known.size else (0.0, found.period or 1.0)
    axes.plot(ends, ends, color="0.5", linewidth=0.8)
    axes.set_xlabel(f"true {name}", fontsize=SIZE)
    axes.set_ylabel(f"decoded {name}", fontsize=SIZE)
    axes.set_title(f"median error {found.median_error:.3g}", loc="left", fontsize=SIZE)
    axes.set_aspect("equal")
    tidy(axes)
    return axes


def latencies(found: Latencies, *, ax: Axes | None = None) -> Axes:
    """Draw the latency of each neuron in each trial, neurons in order of their medians.

    Parameters
    ----------
    found
        Of `first_spike_latency`.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Latencies.
    """
    check_result("found", found, Latencies, "first_spike_latency")
    n_trials, size = found.latency.shape
    order = np.argsort(found.median, kind="stable")  # those without a response last
    axes = blank(2.6).subplots() if ax is None else ax
    rows = np.broadcast_to(np.arange(size), (n_trials, size))
    style = dict(markersize=3, markeredgewidth=0, alpha=min(1.0, 6 / max(n_trials, 1) + 0.15))
    axes.plot(found.latency[:, order], rows, ".", color=COLOURS[0], **style)
    axes.plot(
        found.median[order], np.arange(size), "|", color=COLOURS[1], markersize=7, label="median"
    )
    axes.set_xlim(0, found.until)
    axes.set_ylim(max(size - 0.5, 0.5), -0.5)
    axes.set_xlabel("latency (ms)", fontsize=SIZE)
    axes.set_ylabel("neurons, by their median", fontsize=SIZE)
    share = float(np.mean(~np.isnan(found.latency))) if found.latency.size else 0.0
    title = f"rule {found.rule!r}: responses in {share:.0%} of trials and neurons"
    axes.set_title(title, loc="left", fontsize=SIZE)
    axes.legend(fontsize=7, frameon=False, loc="lower right")
    tidy(axes)
    return axes


def codes(found: Codes, *, ax: Axes | None = None) -> Axes:
    """Draw the information of each code, mean over neurons, with its standard error.

    Parameters
    ----------
    found
        Of `which_code`.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Codes.
    """
    check_result("found", found, Codes, "which_code")
    axes = blank(2.4).subplots() if ax is None else ax
    places = np.arange(len(found.names))
    axes.bar(places, found.mean, width=0.5, color=[colour_of(i) for i in places], zorder=2)
    axes.errorbar(places, found.mean, found.mean_se, fmt="none", color="0", linewidth=1, zorder=3)
    axes.plot(
        places, found.mean_baseline, "_", color="0.35", markersize=20, zorder=4, label="shuffled"
    )
    axes.axhline(0, color="0.6", linewidth=0.8, zorder=1)
    labels = [
        f"{name}\np = {p:.2g}" if np.isfinite(p) else name
        for name, p in zip(found.names, found.mean_p, strict=True)
    ]
    axes.set_xticks(places, labels)
    axes.set_ylabel("information (bits a neuron)", fontsize=SIZE)
    size, n = found.bits.shape[1], len(found.shown)
    axes.set_title(f"{size} neurons, {n} trials, {found.correction}", loc="left", fontsize=SIZE)
    if np.isfinite(found.mean_baseline).any():
        _legend(axes)
    tidy(axes)
    return axes


def _legend(axes: Axes, left: float = 1.01) -> None:
    """To the right of the axes, where it hides nothing."""
    place = dict(loc="center left", bbox_to_anchor=(left, 0.5), borderaxespad=0.0)
    if axes.get_legend_handles_labels()[0]:
        axes.legend(fontsize=7, frameon=False, **place)


def _lines(neurons: Sequence[int] | None, size: int) -> list[int]:
    chosen = list(range(min(size, MOST_LINES))) if neurons is None else list(neurons)
    if len(chosen) > MOST_LINES:
        raise ValueError(f"neurons has {len(chosen)} of them; at most {MOST_LINES} are drawn.")
    for neuron in chosen:
        check_neuron(neuron, size)
    return chosen
