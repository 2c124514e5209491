"""Figures of phases, fields and models of spikes: each takes a result and draws it into axes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from spikesim.analysis.models.glm import PointProcessGLM
from spikesim.analysis.models.rescaling import Rescaling
from spikesim.analysis.phases.locking import PhaseRates
from spikesim.analysis.phases.precession import Precession
from spikesim.analysis.phases.sequences import Compression
from spikesim.analysis.phases.spike_field import SpikeFieldCoherence, TriggeredAverage
from spikesim.checks import check_whole
from spikesim.display import number
from spikesim.plots.canvas import COLOURS, blank, check_neuron, check_result, colour_of, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes


TURN = 2 * np.pi
DEGREES = np.arange(0, 721, 180)
BAND = "0.88"


def phase_histogram(found: PhaseRates, neuron: int = 0, *, ax: Axes | None = None) -> Axes:
    """Draw the firing rate of a neuron by phase, over two cycles; above them a cosine.

    Parameters
    ----------
    found
        Of `phase_rates`.
    neuron
        Whose rates.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no PhaseRates.
    ValueError
        If there is no such neuron.
    """
    check_result("found", found, PhaseRates, "phase_rates")
    check_neuron(neuron, len(found.counts))
    axes = _axes(ax)
    rates = np.nan_to_num(found.rates[neuron])
    edges = np.degrees(np.concatenate([found.edges, found.edges[1:] + TURN]))
    axes.stairs(np.tile(rates, 2), edges, fill=True, color=COLOURS[0])
    top = rates.max(initial=0.0) or 1.0
    angle = np.linspace(0, 720, 361)
    axes.plot(angle, top * (1.15 + 0.08 * np.cos(np.radians(angle))), color="0.4", linewidth=0.8)
    axes.set_xlim(0, 720)
    axes.set_ylim(0, 1.3 * top)
    axes.set_xticks(DEGREES)
    axes.set_xlabel("phase (degrees; peaks of the rhythm at 0)", fontsize=8)
    axes.set_ylabel("rate (Hz)", fontsize=8)
    axes.set_title(f"neuron {neuron}: {found.counts[neuron].sum():,} spikes", **_LEFT)
    return axes


def phase_precession(found: Precession, which: int = 0, *, ax: Axes | None = None) -> Axes:
    """Draw phases against the position in a field, twice, and the line that fits all passes.

    Parameters
    ----------
    found
        Of `spikesim.analysis.phase_precession`.
    which
        Number of the field.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Precession.
    ValueError
        If there is no such field.
    """
    check_result("found", found, Precession, "phase_precession")
    check_whole("which", which, least=0, most=len(found.fields) - 1)
    axes = _axes(ax, 3.0)
    mine = found.field == which
    x, phase = found.position[mine], np.degrees(found.phase[mine])
    for turn in (0, 360):
        axes.plot(x, phase + turn, ".", color=COLOURS[0], markersize=3, markeredgewidth=0)
    slope, offset = found.pooled.slope[which], np.degrees(found.pooled.offset[which])
    if np.isfinite(slope):
        ends = np.array([0.0, 1.0])
        for turn in range(-3, 6):
            line = offset + 360 * (turn + slope * ends)
            axes.plot(ends, line, color=COLOURS[1], linewidth=1.2)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 720)
    axes.set_yticks(DEGREES)
    axes.set_xlabel("position in the field, from where it is entered", fontsize=8)
    axes.set_ylabel("phase (degrees)", fontsize=8)
    neuron = found.fields.neurons[which]
    told = f"{360 * slope:.0f}\u00b0 per field, r = {found.pooled.correlation[which]:.2f}"
    bound = " (at the bound)" if found.pooled.at_bound[which] else ""
    p = found.pooled.p[which]
    by = f", p = {p:.2g}" if np.isfinite(p) else ""
    axes.set_title(f"neuron {neuron}: {told}{bound}{by}", **_LEFT)
    return axes


def triggered_average(found: TriggeredAverage, neuron: int = 0, *, ax: Axes | None = None) -> Axes:
    """Draw the mean signal around a neuron's spikes, and the band of shifted spikes in grey.

    Within it the mean around shifted spikes stays at all lags together with probability 1 - alpha
    of `spike_triggered_average`.

    Parameters
    ----------
    found
        Of `spike_triggered_average`.
    neuron
        Whose spikes.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no TriggeredAverage.
    ValueError
        If there is no such neuron.
    """
    check_result("found", found, TriggeredAverage, "spike_triggered_average")
    check_neuron(neuron, len(found.mean))
    axes = _axes(ax)
    if np.isfinite(found.low[neuron]).all():
        axes.fill_between(
            found.lags,
            found.low[neuron],
            found.high[neuron],
            color=BAND,
            linewidth=0,
            label=f"{100 * (1 - found.alpha):.4g} % of shifted spikes, all lags together",
        )
    axes.plot(found.lags, found.mean[neuron], color=COLOURS[0], linewidth=1.2)
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set_xlim(found.lags[0], found.lags[-1])
    axes.set_xlabel("time after the spike (ms)", fontsize=8)
    axes.set_ylabel("mean signal (its unit)", fontsize=8)
    p = f", p = {found.p[neuron]:.3g}" if np.isfinite(found.p[neuron]) else ""
    _titled(axes, f"neuron {neuron}: {found.n[neuron]:,} spikes{p}")
    return axes


def field_coherence(
    found: SpikeFieldCoherence, neuron: int = 0, *, alpha: float = 0.05, ax: Axes | None = None
) -> Axes:
    """Draw the coherence of a neuron's spikes with a signal.

    Parameters
    ----------
    found
        Of `spike_field_coherence`.
    neuron
        Whose spikes.
    alpha
        The dashed line is what independent ones reach at a frequency with this probability: of
        each alone. Somewhere among many frequencies they reach it far more often.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no SpikeFieldCoherence.
    ValueError
        If there is no such neuron.
    """
    check_result("found", found, SpikeFieldCoherence, "spike_field_coherence")
    check_neuron(neuron, len(found.coherence))
    axes = _axes(ax)
    axes.plot(found.frequencies, found.coherence[neuron], color=COLOURS[0], linewidth=1.2)
    level = found.critical(alpha)
    told = f"p = {alpha:g} at each frequency alone"
    axes.axhline(level, color="0", linewidth=0.8, linestyle="--", label=told)
    axes.set_xlim(0, found.frequencies[-1])
    axes.set_ylim(0, 1)
    axes.set_xlabel(f"frequency (Hz), smoothed over \u00b1{found.bandwidth:.2g} Hz", fontsize=8)
    axes.set_ylabel("coherence", fontsize=8)
    _titled(axes, f"neuron {neuron}: {found.n[neuron]:,} spikes")
    return axes


def rescaling(found: Rescaling, *, ax: Axes | None = None) -> Axes:
    """Draw the quantiles of rescaled intervals against those of the model.

    A model that fits stays within the grey band, which 5 % of true ones leave.

    Parameters
    ----------
    found
        Of `time_rescaling`.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Rescaling.
    """
    check_result("found", found, Rescaling, "time_rescaling")
    axes = _axes(ax, 3.2)
    ends = np.array([0.0, 1.0])
    if np.isfinite(found.band):
        axes.fill_between(
            ends, ends - found.band, ends + found.band, color=BAND, linewidth=0, label="95 %"
        )
        axes.legend(fontsize=6.5, frameon=False, loc="upper left")
    axes.plot(ends, ends, color="0.4", linewidth=0.7)
    axes.plot(found.quantiles, found.uniform, color=COLOURS[0], linewidth=1.4)
    axes.set_xlim(0, 1)
    axes.set_ylim(0, 1)
    axes.set_aspect("equal")
    axes.set_xlabel("quantile by the model", fontsize=8)
    axes.set_ylabel("quantile of rescaled intervals", fontsize=8)
    told = f"{found.intervals.size:,} intervals: distance {found.distance:.2g}, p = {found.p:.2g}"
    axes.set_title(told if found.intervals.size else "no intervals", **_LEFT)
    return axes


def glm_filters(found: PointProcessGLM, *, ax: Axes | None = None) -> Axes:
    """Draw by what each cause multiplies the rate, by the time after it; twice the error around.

    Parameters
    ----------
    found
        Of `fit_glm`.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no PointProcessGLM.
    """
    check_result("found", found, PointProcessGLM, "fit_glm")
    from matplotlib.ticker import LogLocator, NullFormatter

    axes = _axes(ax)
    for k, each in enumerate(found.filters):
        colour = colour_of(k)
        low, high = (np.exp(each.values + sign * 2 * each.se) for sign in (-1, 1))
        style = {"marker": "o", "markersize": 3} if each.lags.size == 1 else {}
        if each.lags.size > 1:
            axes.fill_between(each.lags, low, high, color=colour, alpha=0.2, linewidth=0)
        else:
            axes.plot(each.lags.repeat(2), [low[0], high[0]], color=colour, linewidth=1)
        label = each.name
        axes.plot(each.lags, np.exp(each.values), color=colour, linewidth=1.2, label=label, **style)
    axes.axhline(1.0, color="0.6", linewidth=0.7, zorder=0)
    axes.set_yscale("log")
    middle = [np.exp(each.values) for each in found.filters]
    if middle:
        least, most = np.concatenate(middle).min(), np.concatenate(middle).max()
        axes.set_ylim(max(min(least, 1) / 2, 1e-3), min(max(most, 1) * 2, 1e3))
        axes.legend(fontsize=6.5, frameon=False)
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter(NullFormatter())
    axes.set_xlabel("time after the spike, or the stimulus (ms)", fontsize=8)
    axes.set_ylabel("rate is multiplied by", fontsize=8)
    title = f"neuron {found.neuron}: {found.bits_per_spike:.2g} bits per spike"
    axes.set_title(title, **_LEFT)
    return axes


def compression(found: Compression, *, ax: Axes | None = None) -> Axes:
    """Draw lags of pairs within theta cycles against the time between their fields.

    Parameters
    ----------
    found
        Of `sequence_compression`.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Compression.
    """
    check_result("found", found, Compression, "sequence_compression")
    axes = _axes(ax)
    axes.plot(found.behaviour, found.theta, "o", color=COLOURS[0], markersize=3, markeredgewidth=0)
    if np.isfinite(found.slope):
        ends = np.array([found.behaviour.min(initial=0.0), found.behaviour.max(initial=0.0)])
        axes.plot(ends, found.slope * ends, color=COLOURS[1], linewidth=1.2)
    axes.axhline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    axes.set_xlabel("time from field to field (ms)", fontsize=8)
    axes.set_ylabel("lag within the cycle (ms)", fontsize=8)
    known = np.isfinite(found.compression)
    told = f", {found.compression:.3g} times compressed" if known else ""
    axes.set_title(number(len(found.pairs), "pair") + told, **_LEFT)
    return axes


_LEFT = {"loc": "left", "fontsize": 8}


def _titled(axes: Axes, title: str) -> None:
    """A title and, between it and the axes where it hides no curve, the legend if there is one."""
    legend = bool(axes.get_legend_handles_labels()[0])
    if legend:
        place = dict(loc="lower left", bbox_to_anchor=(0.0, 1.0), borderpad=0.2, borderaxespad=0.1)
        axes.legend(fontsize=6.5, frameon=False, **place)
    axes.set_title(title, pad=15 if legend else None, **_LEFT)


def _axes(ax: Axes | None, height: float = 2.4) -> Axes:
    """Axes to draw into, tidy."""
    axes = blank(height).subplots() if ax is None else ax
    tidy(axes)
    return axes
