"""What every figure begins and ends with: its size, axes and colours, and the file it goes to."""

from __future__ import annotations

import io
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from spikesim.checks import check_whole

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

DPI = 150
# The palette of Okabe and Ito, its yellow (too pale on white) replaced by a grey.
COLOURS = "#0072B2 #D55E00 #009E73 #CC79A7 #E69F00 #56B4E9 #000000 #8C8C8C".split()
WIDTH, MARGIN = 7.2, 0.6  # inches: figure width, height of what surrounds the axes


def blank(height: float) -> Figure:
    """An empty figure of the usual width and this height in inches."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    from spikesim.plots.figure import Figure

    figure = Figure(figsize=(WIDTH, height), dpi=DPI, layout="constrained", facecolor="white")
    figure.get_layout_engine().set(h_pad=0.025, hspace=0)
    FigureCanvasAgg(figure)
    return figure


def check_neuron(neuron: int, size: int) -> None:
    """Refuse the number of a neuron that is not there."""
    if size == 0:
        raise ValueError(f"neuron is {neuron!r}; there is no neuron to draw.")
    check_whole("neuron", neuron, least=0, most=size - 1)


def save(figure: Figure, path: str | Path, overwrite: bool = False) -> None:
    """Write a figure at 150 dpi, in the format which the extension of `path` names.

    Parameters
    ----------
    figure
        What to write.
    path
        File to write: .png, .pdf, .svg or any other format of Matplotlib.
    overwrite
        Whether to replace an existing file.

    Raises
    ------
    ValueError
        If the extension names no format.
    FileNotFoundError
        If the folder of `path` does not exist.
    FileExistsError
        If `path` exists and `overwrite` is false.
    """
    path = Path(path)
    check_path(path, overwrite)
    image = io.BytesIO()  # a figure which fails to draw leaves the old file whole
    figure.savefig(image, format=path.suffix[1:].lower(), dpi=DPI)
    path.write_bytes(image.getvalue())


def check_path(path: str | Path, overwrite: bool = False) -> None:
    """Refuse a path to which `save` cannot write, with the errors of `save`."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    path = Path(path)
    formats = sorted(FigureCanvasAgg.get_supported_filetypes())
    if path.suffix[1:].lower() not in formats:
        raise ValueError(f"path must end in one of .{', .'.join(formats)}; got '{path}'")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"path '{path}' lies in a folder which does not exist")
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"path '{path}' exists already; choose another or overwrite it with --force"
        )


def check_result(name: str, value: Any, kind: type, maker: str) -> None:
    """Raise a TypeError, which says what makes it, if a value is no result of this kind."""
    if not isinstance(value, kind):
        raise TypeError(
            f"{name} is of type {type(value).__name__}; it must be of type {kind.__name__}, which "
            f"{maker} gives."
        )


def tidy(axes: Axes) -> None:
    """Small tick labels, and no frame above and to the right."""
    axes.spines[["top", "right"]].set_visible(False)
    axes.tick_params(labelsize=7)


def stack(rows: Sequence[Axes], start: float, stop: float) -> None:
    """Give axes which share their time axis its limits, and its ticks and label to the last."""
    for axes in rows:
        tidy(axes)
        axes.tick_params(bottom=axes is rows[-1])
    rows[-1].set_xlim(span(start, stop))
    rows[-1].set_xlabel("time (ms)", fontsize=8)


def span(start: float, stop: float) -> tuple[float, float]:
    """Limits of an axis, wide enough to draw where no time passes."""
    return (start, stop) if stop > start else (start - 0.5, start + 0.5)


def colour_of(i: int) -> str:
    return COLOURS[i % len(COLOURS)]
