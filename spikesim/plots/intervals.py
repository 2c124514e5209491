"""Figures of intervals, counts and distances: each takes a result and draws it into axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike

from spikesim.analysis.trains.hazards import Hazard
from spikesim.analysis.trains.intervals import IntervalHistogram
from spikesim.checks import check_numbers, check_shape
from spikesim.plots.canvas import COLOURS, blank, check_result, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


HEIGHT = 2.4  # inches, of a figure that is made for one axes
MANY = 1.5  # ratio of neighbouring edges from which on an axis is logarithmic


def interval_histogram(histogram: IntervalHistogram, ax: Axes | None = None) -> Axes:
    """Draw how long inter-spike intervals are.

    Parameters
    ----------
    histogram : IntervalHistogram
        Of `isi_histogram`; of one per neuron the sum over neurons is drawn. Bins whose widths grow
        are drawn on a logarithmic axis, by the share of intervals in each; others by the share for
        each ms.
    ax : Axes, optional
        Without one, a figure is made.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If histogram is no IntervalHistogram.
    """
    check_result("histogram", histogram, IntervalHistogram, "isi_histogram")
    ax = _axes(ax)
    edges = histogram.edges
    counts = histogram.counts.reshape(edges.size - 1, -1).sum(axis=1)
    total = max(int(histogram.total.sum()), 1)
    share = 100 * counts / total
    growing = _is_logarithmic(edges)
    ax.stairs(share if growing else share / np.diff(edges), edges, fill=True, color=COLOURS[0])
    if growing:
        ax.set_xscale("log")
    ax.set_xlim(edges[0], edges[-1])
    ax.set_ylim(0, None)
    ax.set_xlabel("inter-spike interval (ms)", fontsize=8)
    ax.set_ylabel("intervals (%)" if growing else "intervals (% per ms)", fontsize=8)
    outside = int(histogram.below.sum() + histogram.above.sum())
    told = f", {100 * outside / total:.3g} % outside" if outside else ""
    ax.set_title(f"{int(histogram.total.sum()):,} intervals{told}", loc="right", fontsize=6.5)
    return ax


def cv_distribution(values: ArrayLike, ax: Axes | None = None, *, name: str = "CV") -> Axes:
    """Draw how the irregularity of neurons is spread: CV, CV2 or LV.

    Parameters
    ----------
    values : array_like, shape (size,)
        One per neuron; NaN of those that have none.
    ax : Axes, optional
        Without one, a figure is made.
    name : str
        What they are.

    Returns
    -------
    Axes
        The dashed line is at 1, where Poisson processes are.
    """
    ax = _axes(ax)
    values = np.asarray(values, float).ravel()
    known = values[np.isfinite(values)]
    highest = max(known.max(initial=0.0), 1.5)
    edges = np.linspace(0, np.ceil(highest * 10) / 10, 41)
    if known.size:
        counts = np.histogram(known, edges)[0]
        ax.stairs(100 * counts / known.size, edges, fill=True, color=COLOURS[0])
        median = f"median {np.median(known):.3g}, "
    else:
        ax.text(0.5, 0.5, "no data", fontsize=7, ha="center", transform=ax.transAxes)
        median = ""
    ax.axvline(1.0, color="0.4", linestyle="--", linewidth=0.8)
    ax.set_xlim(0, edges[-1])
    ax.set_ylim(0, None)
    ax.set_xlabel(f"{name} of a neuron's inter-spike intervals", fontsize=8)
    ax.set_ylabel("neurons (%)", fontsize=8)
    told = f"{median}{known.size:,} of {values.size:,} neurons"
    ax.set_title(told, loc="right", fontsize=6.5)
    return ax


def hazard(found: Hazard, ax: Axes | None = None) -> Axes:
    """Draw the rate of spikes against the time since the last one, with its confidence limits.

    Parameters
    ----------
    found : Hazard
        Of `spikesim.analysis.hazard`.
    ax : Axes, optional
        Without one, a figure is made.

    Returns
    -------
    Axes
        Bins in which no interval spent any time are left out; where an upper limit is above three
        times the highest rate, it is cut.

    Raises
    ------
    TypeError
        If found is no Hazard.
    """
    check_result("found", found, Hazard, "hazard")
    ax = _axes(ax)
    edges = found.edges
    ax.stairs(
        np.nan_to_num(found.high),
        edges,
        baseline=np.nan_to_num(found.low),
        fill=True,
        color=COLOURS[0],
        alpha=0.25,
        linewidth=0,
    )
    ax.stairs(found.rate, edges, baseline=None, color=COLOURS[0], linewidth=1.2)
    if _is_logarithmic(edges):
        ax.set_xscale("log")
    highest = np.nanmax(np.append(found.rate, 0.0))
    limits = np.append(found.high[np.isfinite(found.high)], 0.0)
    ax.set_ylim(0, 1.05 * min(limits.max(), 3 * highest) or 1.0)
    ax.set_xlim(edges[0], edges[-1])
    ax.set_xlabel("time since the last spike (ms)", fontsize=8)
    ax.set_ylabel("hazard (Hz)", fontsize=8)
    told = f"{int(found.events.sum()):,} intervals, {100 * found.confidence:g} % limits"
    ax.set_title(told, loc="right", fontsize=6.5)
    return ax


def distance_matrix(
    distances: ArrayLike, ax: Axes | None = None, *, name: str = "distance"
) -> Axes:
    """Draw the distances of all pairs of trains.

    Parameters
    ----------
    distances : array_like, shape (size, size)
        Of `spike_distance` and the like.
    ax : Axes, optional
        Without one, a figure is made.
    name : str
        What is written beside the colours.

    Returns
    -------
    Axes
        Pairs without a distance are grey.

    Raises
    ------
    ValueError
        If the array is not a square.
    """
    from matplotlib import colormaps
    from matplotlib.ticker import MaxNLocator

    distances = np.asarray(distances, float)
    check_shape("distances", distances, (len(distances),) * 2)
    ax = _axes(ax, 3.6)
    colours = colormaps["cividis"].with_extremes(bad="0.8")
    picture = ax.imshow(distances, cmap=colours, interpolation="nearest", vmin=0)
    bar = ax.figure.colorbar(picture, ax=ax)
    bar.set_label(name, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    for axis in (ax.xaxis, ax.yaxis):
        axis.set_major_locator(MaxNLocator(6, integer=True))
    ax.set_xlabel("neuron", fontsize=8)
    ax.set_ylabel("neuron", fontsize=8)
    return ax


def fano_curve(
    windows: ArrayLike, factors: ArrayLike, ax: Axes | None = None, *, name: str = "Fano factor"
) -> Axes:
    """Draw Fano factors, or Allan factors, against the length of the window.

    Parameters
    ----------
    windows : array_like, shape (k,)
        ms.
    factors : array_like, shape (k, size)
        Of `fano_factor` or `allan_factor`.
    ax : Axes, optional
        Without one, a figure is made.
    name : str
        What they are.

    Returns
    -------
    Axes
        The line is the median of the neurons that have one, the band reaches from the lower to the
        upper quartile, and the dashed line is at 1, where Poisson processes are.

    Raises
    ------
    ValueError
        If windows are not positive or not as many as the rows of factors.
    """
    what = "lengths of windows in ms"
    windows = check_numbers("windows", windows, what, above=0, dimensions=(1,))
    factors = np.asarray(factors, float)
    check_shape("factors", factors, (windows.size, *factors.shape[1:2]))
    ax = _axes(ax)
    order = np.argsort(windows)
    quartiles = np.full((3, windows.size), np.nan)
    for k, i in enumerate(order):
        known = factors[i][np.isfinite(factors[i])]
        if known.size:
            quartiles[:, k] = np.quantile(known, [0.25, 0.5, 0.75])
    low, middle, high = quartiles
    ax.fill_between(windows[order], low, high, color=COLOURS[0], alpha=0.25, linewidth=0)
    ax.plot(windows[order], middle, color=COLOURS[0], linewidth=1.2, marker="o", markersize=3)
    ax.axhline(1.0, color="0.4", linestyle="--", linewidth=0.8)
    ax.set_xscale("log")
    ax.set_xlim(windows.min() / 1.1, windows.max() * 1.1)
    ax.set_ylim(0, None)
    ax.set_xlabel("window (ms)", fontsize=8)
    ax.set_ylabel(name, fontsize=8)
    ax.set_title(f"{factors.shape[1]:,} neurons: median and quartiles", loc="right", fontsize=6.5)
    return ax


def _axes(ax: Axes | None, height: float = HEIGHT) -> Axes:
    ax = blank(height).subplots() if ax is None else ax
    tidy(ax)
    return ax


def _is_logarithmic(edges: np.ndarray) -> bool:
    """Whether edges are spread over a logarithmic axis: positive, the last bin far wider."""
    return bool(edges[0] > 0 and edges[-1] - edges[-2] > MANY * (edges[1] - edges[0]))
