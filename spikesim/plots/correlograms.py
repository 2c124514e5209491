"""Figures of correlograms with their bands, of spectra and coherence, and of matrices of pairs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike

from spikesim.analysis.pairs.bands import CorrelogramTest
from spikesim.analysis.pairs.correlograms import Correlograms
from spikesim.analysis.pairs.spectra import Coherence, Spectrum
from spikesim.checks import check_choice
from spikesim.plots.canvas import COLOURS, blank, check_result, colour_of, tidy

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_NEURONS = 30  # of a matrix of correlograms
MOST_LINES = len(COLOURS)
BAND, LINE = "0.88", "0.45"


def correlogram(
    found: Correlograms | CorrelogramTest,
    pair: int | tuple[int, int] = 0,
    *,
    what: Literal["counts", "rates", "ratio"] = "counts",
    ax: Axes | None = None,
) -> Axes:
    """Draw the correlogram of a pair, and its bands if it was tested.

    The dashed line is what independent trains would have: `expected`, or of a test the mean of
    surrogates. Of a test, the grey area is the pointwise band, thin lines are the simultaneous
    one, and bins beyond that are filled with colour.

    Parameters
    ----------
    found
        Of `correlograms`, `autocorrelograms` or `correlogram_test`.
    pair
        The number of the pair, or its two neurons.
    what
        Counts, rates (Hz) of the second neuron, or the ratio to what is expected.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there is no such pair or quantity.
    """
    check_choice("what", what, ("counts", "rates", "ratio"))
    test = found if isinstance(found, CorrelogramTest) else None
    lags = found.observed if test else found
    check_result("found", lags, Correlograms, "correlograms")
    k, turned = _number(lags.pairs, pair)
    step = -1 if turned else 1
    scale = _scale(lags, k, what)[::step]
    counts, edges = lags.counts[k, ::step] * scale, lags.edges
    axes = blank(2.6).subplots() if ax is None else ax
    usual = (test.mean if test else lags.expected)[k, ::step] * scale
    if test:
        bands = [
            band[k, ::step] * scale
            for band in (test.lower, test.upper, test.lower_global, test.upper_global)
        ]
        share = f"{100 * (1 - test.alpha):g} %"
        label = f"{share} of surrogates, each lag"
        axes.stairs(bands[1], edges, baseline=bands[0], fill=True, color=BAND, label=label)
        for band, label in zip(bands[2:], (None, f"{share}, all lags together"), strict=True):
            axes.stairs(band, edges, baseline=None, color=LINE, linewidth=0.7, label=label)
        beyond = ((counts > bands[3]) | (counts < bands[2])) & test.tested[::step]
        marked = np.where(beyond, counts, usual)
        label = "beyond them" if beyond.any() else None
        axes.stairs(marked, edges, baseline=usual, fill=True, color=COLOURS[1], label=label)
    axes.stairs(counts, edges, baseline=None, color=COLOURS[0], linewidth=1.1)
    label = "mean of surrogates" if test else "expected"
    axes.stairs(usual, edges, baseline=None, color="0", linewidth=0.8, linestyle="--", label=label)
    axes.axvline(0, color="0.8", linewidth=0.6, zorder=0)
    i, j = lags.pairs[k, ::step]
    names = {
        "counts": f"pairs of spikes, {lags.bin:g} ms bins",
        "rates": f"rate of neuron {j} (Hz)",
        "ratio": "pairs / expected",
    }
    title = f"neuron {i}" if i == j else f"neurons {i} and {j}"
    p = f", p = {test.p[k]:.3g} of {test.n:,} surrogates" if test else ""
    axes.set_title(title + p, loc="left", fontsize=8)
    axes.set_xlim(edges[0], edges[-1])
    axes.set_ylim(bottom=0)
    axes.set_xlabel(
        "lag (ms)" if i == j else f"lag of neuron {j} after neuron {i} (ms)", fontsize=8
    )
    axes.set_ylabel(names[what], fontsize=8)
    axes.legend(fontsize=6.5, frameon=False, loc="upper right")
    tidy(axes)
    return axes


def _number(pairs: np.ndarray, pair: int | tuple[int, int]) -> tuple[int, bool]:
    """Which pair it is, and whether it is turned round."""
    if np.ndim(pair) == 0:
        if not 0 <= pair < len(pairs):
            raise ValueError(f"pair is {pair}; it must be at least 0 and less than {len(pairs)}.")
        return int(pair), False
    for one, turned in ((tuple(pair), False), (tuple(pair)[::-1], True)):
        found = np.flatnonzero((pairs == one).all(axis=1))
        if len(found):
            return int(found[0]), turned
    raise ValueError(f"pair is {pair}; it must be one of those in the result.")


def _scale(lags: Correlograms, k: int, what: str) -> np.ndarray:
    """What turns counts of a pair into the quantity."""
    with np.errstate(divide="ignore", invalid="ignore"):
        if what == "rates":
            return 1000 * lags.duration / (lags.spikes[k, 0] * lags.exposure)
        if what == "ratio":
            return 1 / lags.expected[k]
    return np.ones(lags.counts.shape[1])


def correlogram_matrix(
    found: Correlograms | CorrelogramTest,
    alone: Correlograms | None = None,
    *,
    ax: Axes | None = None,
) -> Axes:
    """Draw the correlograms of all pairs of some neurons, one in each cell above the diagonal.

    Each is a ratio to what is expected; the thin line in a cell is 1. All have one scale. Of a
    test, pairs with p <= alpha have another colour.

    Parameters
    ----------
    found
        Of `correlograms` or `correlogram_test`; 30 neurons at most.
    alone
        Of `autocorrelograms`, for the diagonal; each of these fills its cell.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If there are no pairs or too many neurons.
    """
    from matplotlib.collections import PolyCollection

    test = found if isinstance(found, CorrelogramTest) else None
    lags = found.observed if test else found
    check_result("found", lags, Correlograms, "correlograms")
    neurons = np.unique(lags.pairs)
    if not 1 < len(neurons) <= MOST_NEURONS:
        raise ValueError(
            f"found must be of 2 to {MOST_NEURONS} neurons to draw a matrix; got {len(neurons)}"
        )
    axes = blank(min(max(0.55 * len(neurons) + 0.8, 3), 8)).subplots() if ax is None else ax
    ratio = np.nan_to_num(lags.ratio)
    top = max(1.5, float(np.quantile(ratio, 0.999)) if ratio.size else 0)
    cells = [(*pair, values / top) for pair, values in zip(lags.pairs, ratio, strict=True)]
    colours = [COLOURS[0]] * len(cells)
    if test:
        colours = [COLOURS[1] if p <= test.alpha else COLOURS[0] for p in test.p]
    if alone is not None:
        own = np.nan_to_num(alone.ratio)
        for (i, _), values in zip(alone.pairs, own, strict=True):
            if i in neurons:
                cells.append((i, i, values / max(values.max(), 1e-12)))
                colours.append("0.55")
    place = {neuron: k for k, neuron in enumerate(neurons)}
    shapes = []
    for i, j, height in cells:
        x = place[j] + 0.05 + 0.9 * np.repeat(np.linspace(0, 1, len(height) + 1), 2)
        y = np.r_[0, np.repeat(np.clip(height, 0, 1), 2), 0]
        shapes.append(np.stack([x, place[i] + 0.95 - 0.85 * y], axis=1))
    axes.add_collection(PolyCollection(shapes, facecolors=colours, edgecolors="none"))
    for i, j in lags.pairs:
        level = place[i] + 0.95 - 0.85 / top
        axes.plot(place[j] + np.array([0.05, 0.95]), [level, level], color="0.2", linewidth=0.4)
    axes.set_xlim(0, len(neurons))
    axes.set_ylim(len(neurons), 0)
    axes.set_aspect("equal")
    ticks = np.arange(len(neurons)) + 0.5
    axes.set_xticks(ticks, neurons)
    axes.set_yticks(ticks, neurons)
    axes.set_xlabel(
        f"second neuron; lags from -{lags.lags[-1]:g} to {lags.lags[-1]:g} ms", fontsize=8
    )
    axes.set_ylabel("first neuron", fontsize=8)
    told = f"; p <= {test.alpha:g} in colour" if test else ""
    axes.set_title(f"pairs / expected, up to {top:.2g}{told}", loc="left", fontsize=8)
    tidy(axes)
    axes.tick_params(length=0)
    return axes


def spectrum(
    found: Spectrum,
    neurons: Sequence[int] | None = None,
    *,
    normalised: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw power spectra with their confidence intervals; dashed are the rates.

    Parameters
    ----------
    found
        Of `power_spectrum`.
    neurons
        Which, 8 at most; the first ones if not given.
    normalised
        Divide by the rates: 1 for a Poisson process.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Spectrum.
    """
    check_result("found", found, Spectrum, "spectrum")
    shown = range(len(found.power)) if neurons is None else neurons
    axes = blank(2.8).subplots() if ax is None else ax
    for line, i in enumerate(list(shown)[:MOST_LINES]):
        scale = 1 / found.rates[i] if normalised and found.rates[i] else 1.0
        colour = colour_of(line)
        axes.fill_between(
            found.frequencies,
            found.lower[i] * scale,
            found.upper[i] * scale,
            color=colour,
            alpha=0.25,
            linewidth=0,
        )
        axes.plot(
            found.frequencies, found.power[i] * scale, color=colour, linewidth=1, label=str(i)
        )
        axes.axhline(found.rates[i] * scale, color=colour, linewidth=0.7, linestyle="--")
    axes.set_ylim(bottom=0)
    axes.set_ylabel("power / rate" if normalised else "power (Hz)", fontsize=8)
    if len(found.power) > 1:
        axes.legend(title="neuron", fontsize=6.5, title_fontsize=6.5, frameon=False)
    _frequencies(axes, found)
    return axes


def coherence(
    found: Coherence,
    pair: int | tuple[int, int] = 0,
    *,
    alpha: float = 0.05,
    ax: Axes | None = None,
) -> Axes:
    """Draw the coherence of a pair with its confidence interval.

    Parameters
    ----------
    found
        Of `coherence`.
    pair
        The number of the pair, or its two neurons.
    alpha
        The dashed line is what independent trains reach at a frequency with this probability.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    TypeError
        If found is no Coherence.
    ValueError
        If there is no such pair.
    """
    check_result("found", found, Coherence, "coherence")
    k, _ = _number(found.pairs, pair)
    axes = blank(2.6).subplots() if ax is None else ax
    axes.fill_between(
        found.frequencies, found.lower[k], found.upper[k], color=COLOURS[0], alpha=0.25, linewidth=0
    )
    axes.plot(found.frequencies, found.coherence[k], color=COLOURS[0], linewidth=1.1)
    level = found.critical(alpha)
    axes.axhline(level, color="0", linewidth=0.8, linestyle="--", label=f"p = {alpha:g}")
    highest = np.max(found.upper[k], initial=2 * level, where=np.isfinite(found.upper[k]))
    axes.set_ylim(0, min(1.2 * highest, 1))
    axes.set_ylabel("coherence", fontsize=8)
    axes.set_title("neurons {} and {}".format(*found.pairs[k]), loc="left", fontsize=8)
    axes.legend(fontsize=6.5, frameon=False, loc="upper right")
    _frequencies(axes, found)
    return axes


def _frequencies(axes: Axes, found: Spectrum | Coherence) -> None:
    axes.set_xlim(found.frequencies[0], found.frequencies[-1])
    axes.set_xlabel(f"frequency (Hz), smoothed over \u00b1{found.bandwidth:.2g} Hz", fontsize=8)
    tidy(axes)


def pair_matrix(values: ArrayLike, name: str = "correlation", *, ax: Axes | None = None) -> Axes:
    """Draw a matrix of pairs, of correlations for instance; the diagonal and NaN are grey.

    Parameters
    ----------
    values
        Shape (size, size).
    name
        What it is; written beside the scale.
    ax
        Where to draw; a new figure if not given.

    Returns
    -------
    Axes

    Raises
    ------
    ValueError
        If it is not a square matrix.
    """
    import matplotlib

    shown = np.array(values, float)
    if shown.ndim != 2 or shown.shape[0] != shown.shape[1] or not shown.size:
        raise ValueError(f"values must be a square matrix; got the shape {shown.shape}")
    np.fill_diagonal(shown, np.nan)
    known = np.abs(shown[np.isfinite(shown)])
    limit = float(known.max(initial=0)) or 1.0
    axes = blank(4.2).subplots() if ax is None else ax
    colours = matplotlib.colormaps["RdBu_r"].with_extremes(bad="0.8")
    image = axes.imshow(shown, cmap=colours, vmin=-limit, vmax=limit, interpolation="nearest")
    bar = axes.figure.colorbar(image, ax=axes, shrink=0.8)
    bar.set_label(name, fontsize=8)
    bar.ax.tick_params(labelsize=7)
    axes.set_xlabel("neuron", fontsize=8)
    axes.set_ylabel("neuron", fontsize=8)
    tidy(axes)
    return axes
