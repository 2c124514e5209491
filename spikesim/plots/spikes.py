"""Figures of spikes: rasters, rates over time, and how rates and irregularity are spread."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np

from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME
from spikesim.plots.canvas import COLOURS, MARGIN, WIDTH, blank, colour_of, span, stack, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure, SubFigure

LINE_STYLES = ("-", "--", ":", "-.")
ROWS_PER_INCH = 200
MIN_ROWS = 36  # the lowest band which holds its name
MAX_BINS = 200
MAX_COLUMNS = 50
SHOWN = 0.99  # quantile which the axes of the histograms hold
SPARSE, LARGE = 0.1, 1000  # share that spiked, and size, of a population drawn without the rest


def raster(spikes: Mapping[str, SpikeTrains], window: tuple[float, float] | None = None) -> Figure:
    """Draw the spikes of each population and, beside them, its mean rate.

    The first population is at the top. When there are more neurons than rows, an evenly spaced
    share of each population is drawn, and the figure says how large the share is. Of a large
    population in which fewer than one neuron in ten spiked, those that did are drawn alone.

    Parameters
    ----------
    spikes
        Populations by name, in the order from top to bottom.
    window
        (start, stop] in ms, cut to what was recorded; the last 1000 ms at most when None. It
        concerns the raster only: the bars show the rates (Hz) of the whole recording.

    Returns
    -------
    Figure
        With two axes: the raster and the bars.

    Raises
    ------
    TypeError
        If `spikes` is not a mapping.
    ValueError
        If `spikes` is empty or `window` holds no recorded time.
    """
    window = _window(spikes, window)
    bands = Bands(spikes)
    figure = blank(bands.inches)
    _draw_raster(figure, bands, window)
    return figure


def overview(
    spikes: Mapping[str, SpikeTrains], window: tuple[float, float] | None = None
) -> Figure:
    """Draw a raster, the population rates over time, and the spread of rates and irregularity.

    Parameters
    ----------
    spikes
        Populations by name, in the order from top to bottom.
    window
        (start, stop] in ms of the raster, as in `raster`. Everything else shows the whole
        recording, in which the window is shaded.

    Returns
    -------
    Figure
        With these axes: the raster, the bars, the rate over time of each population, the
        histogram of the neurons' rates (Hz), and the histogram of their coefficients of variation
        of inter-spike intervals (of the neurons which have one). The histograms hold at least 99%
        of each population; where they end before the highest value, they name it.

    Raises
    ------
    TypeError
        If `spikes` is not a mapping.
    ValueError
        If `spikes` is empty or `window` holds no recorded time.
    """
    window = _window(spikes, window)
    bands = Bands(spikes)
    heights = (
        bands.inches,
        max(0.33 * len(spikes), 1.2) + MARGIN,
        max(0.15 * len(spikes), 1.5) + MARGIN,
    )
    figure = blank(sum(heights))
    top, middle, bottom = figure.subfigures(3, 1, height_ratios=heights, hspace=0.03)
    _draw_raster(top, bands, window)
    _draw_rates(middle, spikes, window)
    _draw_histograms(bottom, spikes)
    return figure


def rates(spikes: Mapping[str, SpikeTrains]) -> Figure:
    """Draw the mean rate of each population over time, of the whole recording.

    Parameters
    ----------
    spikes
        Populations by name, in the order from top to bottom.

    Returns
    -------
    Figure
        With one axes for each population. Bins (ms) are named on the vertical axis; there are up
        to 200.

    Raises
    ------
    TypeError
        If `spikes` is not a mapping.
    ValueError
        If `spikes` is empty.
    """
    _window(spikes, None)
    figure = blank(max(0.5 * len(spikes), 1.4) + MARGIN)
    _draw_rates(figure, spikes, _recorded(spikes))
    return figure


def _window(
    spikes: Mapping[str, SpikeTrains], window: tuple[float, float] | None
) -> tuple[float, float]:
    if not isinstance(spikes, Mapping):
        raise TypeError(
            f"spikes must map names of populations to SpikeTrains; got {type(spikes).__name__}"
        )
    if not spikes:
        raise ValueError("spikes must hold at least one population; got none")
    first, last = _recorded(spikes)
    if window is None:
        return max(first, last - 1000.0), last
    if len(window) == 2:
        start, stop = max(window[0], first), min(window[1], last)
        if start < stop:
            return start, stop
    raise ValueError(
        f"window must be (start, stop) in ms and overlap the recording, "
        f"which runs from {first:g} to {last:g} ms; got {window}"
    )


def _recorded(spikes: Mapping[str, SpikeTrains]) -> tuple[float, float]:
    trains = spikes.values()
    return min(train.t_start for train in trains), max(train.t_stop for train in trains)


class Bands:
    """The bands of a raster, one for each population.

    Attributes
    ----------
    spikes : mapping of str to SpikeTrains
        All of them.
    drawn : list of SpikeTrains
        The same, or of large populations in which few neurons spiked those alone.
    rows, heights : list of int, list of float
        Rows of neurons to draw, and inches, of each.
    shown : str
        What share of the neurons that is.
    inches : float
        Height of the figure.
    """

    def __init__(self, spikes: Mapping[str, SpikeTrains]):
        self.spikes, self.drawn = spikes, [_speaking(train) for train in spikes.values()]
        sizes = [train.size for train in self.drawn]
        neurons = max(sum(sizes), 1)
        inches = min(max(0.1 * neurons, 0.8), 3.5)
        one_in = math.ceil(neurons / (inches * ROWS_PER_INCH))
        fair = [math.ceil(size / one_in) for size in sizes]
        self.rows = [min(n, max(share, MIN_ROWS)) for n, share in zip(sizes, fair, strict=True)]
        self.heights = [max(inches * size / neurons, MIN_ROWS / ROWS_PER_INCH) for size in sizes]
        shown = f"1 in {one_in} neurons shown" if one_in > 1 else ""
        least = f", at least {MIN_ROWS} of a population" if self.rows != fair else ""
        self.shown = shown + least
        self.inches = sum(self.heights) + MARGIN

    @property
    def names(self) -> list[str]:
        """Names of the populations, and how many neurons were left out for their silence."""
        few = "{}\nthe {:,} that spiked\nof {:,}"
        return [
            few.format(name, drawn.size, train.size) if drawn.size < train.size else name
            for (name, train), drawn in zip(self.spikes.items(), self.drawn, strict=True)
        ]


def _speaking(train: SpikeTrains) -> SpikeTrains:
    """Of a large population in which few neurons spiked, those alone."""
    neurons = np.flatnonzero(train.count()) if train.size >= LARGE else np.empty(0)
    return train.select(neurons) if 0 < neurons.size < SPARSE * train.size else train


def _draw_raster(figure: Figure | SubFigure, bands: Bands, window: tuple[float, float]) -> None:
    bottoms = np.cumsum(bands.heights)
    tops = bottoms - bands.heights
    left, right = figure.subplots(1, 2, sharey=True, width_ratios=(4, 1))
    for i, train in enumerate(bands.drawn):
        seen = train.restrict(*np.clip(window, train.t_start, train.t_stop))
        _draw_band(left, seen, bands.rows[i], tops[i], bands.heights[i], colour_of(i))
    _draw_bars(right, bands, (tops + bottoms) / 2, min(0.7 * min(bands.heights), 0.25))
    for axes in (left, right):
        tidy(axes)
        axes.tick_params(axis="y", length=0)
        for top in tops[1:]:
            axes.axhline(top, color="0.85", linewidth=0.5, zorder=0)
    left.set_xlim(span(*window))
    left.set_ylim(bottoms[-1], 0)
    left.set_xlabel("time (ms)", fontsize=8)
    left.set_title(bands.shown, loc="right", fontsize=6.5)
    if window != _recorded(bands.spikes):
        right.set_title("whole recording", loc="left", fontsize=6.5)


def _draw_band(
    axes: Axes, train: SpikeTrains, rows: int, top: float, height: float, colour: str
) -> None:
    """Draw the spikes of an evenly spaced choice of neurons, neuron 0 at the top."""
    row_of = np.full(train.size, -1)
    row_of[np.arange(rows) * train.size // max(rows, 1)] = np.arange(rows)
    row = row_of[train.neurons]
    pitch = height / max(rows, 1)
    length, width = min(max(72 * pitch, 1.8), 10.0), 0.8  # points
    ink = np.sum(row >= 0) * length * width / (72 * height * 72 * 0.7 * WIDTH)
    axes.plot(
        train.times[row >= 0],
        top + (row[row >= 0] + 0.5) * pitch,
        linestyle="none",
        marker="|",
        markersize=length,
        markeredgewidth=width,
        color=colour,
        alpha=1 / max(ink, 1.0),
        rasterized=True,
    )


def _draw_bars(axes: Axes, bands: Bands, centres: np.ndarray, height: float) -> None:
    rates = np.array([train.rate for train in bands.spikes.values()])
    widths = np.nan_to_num(rates)
    colours = [colour_of(i) for i in range(len(rates))]
    bars = axes.barh(centres, widths, height, color=colours)
    numbers = [f"{rate:.3g}" if np.isfinite(rate) else "no data" for rate in rates]
    axes.bar_label(bars, numbers, padding=2, fontsize=7)
    axes.set_xlim(0, 1.45 * widths.max() or 1.0)
    axes.set_xlabel("rate (Hz)", fontsize=8)
    axes.set_yticks(centres, bands.names)


def _draw_rates(
    figure: Figure | SubFigure, spikes: Mapping[str, SpikeTrains], window: tuple[float, float]
) -> None:
    from matplotlib.ticker import MaxNLocator

    first, last = _recorded(spikes)
    bin = _round_up(max((last - first) / MAX_BINS, 1.0))
    rows = figure.subplots(len(spikes), 1, sharex=True, squeeze=False)[:, 0]
    for i, (axes, (name, train)) in enumerate(zip(rows, spikes.items(), strict=True)):
        edges = train.t_start + bin * np.arange(
            int((train.t_stop - train.t_start) / bin + 1e-6) + 1
        )
        recorded = train.support.lasting(edges)
        with np.errstate(invalid="ignore", divide="ignore"):
            rate = 1000 * train.count_all(edges) / (recorded * max(train.size, 1))
        rate[recorded <= SAME_TIME] = np.nan
        axes.stairs(rate, edges, baseline=None, color=colour_of(i), linewidth=0.8)
        if window != (first, last):
            axes.axvspan(*window, color="0.92", zorder=0)
        axes.set_ylim(0, 1.1 * np.nanmax(rate, initial=0.0) or 1.0)
        axes.yaxis.set_major_locator(MaxNLocator(2, steps=[1, 2, 5, 10]))
        axes.set_ylabel(name, fontsize=7, rotation=0, ha="right", va="center")
    stack(rows, first, last)
    figure.align_ylabels(rows)
    figure.supylabel(f"rate (Hz), {bin:g} ms bins", fontsize=8)


def _round_up(value: float) -> float:
    """The next of 1, 2, 5, 10, 20, ..."""
    power = 10.0 ** math.floor(math.log10(value))
    return power * next(digit for digit in (1, 2, 5, 10) if digit * power >= value * (1 - 1e-9))


def _draw_histograms(figure: Figure | SubFigure, spikes: Mapping[str, SpikeTrains]) -> None:
    from matplotlib.lines import Line2D

    first, last = _recorded(spikes)
    quantum = 1000 / (last - first) if last > first else 1.0  # Hz of one spike
    left, right = figure.subplots(1, 2)
    _draw_shares(left, [train.rates() for train in spikes.values()], quantum, -quantum / 2, "Hz")
    _draw_shares(right, [train.cv() for train in spikes.values()], 0.05, 0.0)
    left.set_xlabel("rate of a neuron (Hz)", fontsize=8)
    right.set_xlabel("CV of a neuron's inter-spike intervals", fontsize=8)
    figure.legend(
        [Line2D([], [], **_line(i)) for i in range(len(spikes))],
        list(spikes),
        loc="outside right center",
        fontsize=7,
        frameon=False,
    )


def _draw_shares(
    axes: Axes, samples: list[np.ndarray], step: float, origin: float, unit: str = ""
) -> None:
    """Draw histograms in % of each sample, their bins a whole number of steps wide."""
    samples = [sample[np.isfinite(sample)] for sample in samples]
    filled = [sample for sample in samples if sample.size]
    highest = max((sample.max() for sample in filled), default=0.0)
    shown = max((np.quantile(sample, SHOWN) for sample in filled), default=0.0)
    width = step * math.ceil((shown / step + 1) / MAX_COLUMNS)
    edges = origin + width * np.arange(math.ceil(highest / width) + 2)
    for i, sample in enumerate(samples):
        if sample.size:
            counts, _ = np.histogram(sample, edges)
            axes.stairs(100 * counts / sample.size, edges, **_line(i))
    end = edges[np.searchsorted(edges, shown, side="right")] + width
    axes.set_xlim(origin, end)
    if highest > end:
        axes.set_title(f"highest {highest:.3g} {unit}", loc="right", fontsize=6.5)
    if not filled:
        axes.text(0.5, 0.5, "no data", fontsize=7, ha="center", transform=axes.transAxes)
    axes.set_ylim(0, None)
    axes.set_ylabel("neurons (%)", fontsize=8)
    tidy(axes)


def _line(i: int) -> dict:
    style = LINE_STYLES[i // len(COLOURS) % len(LINE_STYLES)]
    return {"color": colour_of(i), "linestyle": style, "linewidth": 1.0}
