"""The figures show every spike, rate and interval they should, and legibly."""

import io
import subprocess
import sys
import warnings
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from matplotlib.colors import to_hex
from matplotlib.text import Text

from spikesim.data.spiketrains import SpikeTrains
from spikesim.plots import blank, overview, raster, rates, report, save, traces

COLUMN = {  # a tenth of a cortical microcircuit: neurons, rate (Hz)
    "L23E": (2068, 0.9),
    "L23I": (583, 3.0),
    "L4E": (2191, 4.4),
    "L4I": (547, 5.9),
    "L5E": (485, 7.6),
    "L5I": (106, 8.6),
    "L6E": (1439, 1.1),
    "L6I": (294, 7.8),
}


def poisson(size, rate, stop, start=0.0, seed=1):
    rng = np.random.default_rng(seed)
    n = rng.poisson(size * rate * (stop - start) / 1000)
    times = np.sort(rng.uniform(start, stop, n))
    return SpikeTrains(times, rng.integers(size, size=n), size, start, stop)


def silent(size, stop):
    return SpikeTrains([], np.array([], int), size, 0.0, stop)


def once(size):
    """Neuron i fires once, at i + 1 ms."""
    return SpikeTrains(np.arange(size) + 1.0, np.arange(size), size, 0.0, size)


@pytest.fixture(scope="module")
def column():
    return {name: poisson(size, rate, 2000.0) for name, (size, rate) in COLUMN.items()}


def bands(figure):
    """The lines which hold the spikes of each population."""
    return [line for line in figure.axes[0].lines if line.get_marker() == "|"]


def steps(axes):
    return [patch.get_data() for patch in axes.patches if hasattr(patch, "get_data")]


def drawn_texts(figure, monkeypatch):
    """Every text which reaches the canvas, with its box in pixels."""
    boxes = {}
    draw = Text.draw

    def spy(self, renderer):
        if self.get_visible() and self.get_text():
            boxes[self] = self.get_window_extent(renderer)
        draw(self, renderer)

    figure.canvas.draw()  # settles the layout
    monkeypatch.setattr(Text, "draw", spy)
    figure.canvas.draw()
    monkeypatch.undo()
    return boxes


def test_raster_names_its_axes_and_populations_from_the_top(column):
    figure = raster(column)
    left, right = figure.axes
    assert left.get_xlabel() == "time (ms)"
    assert right.get_xlabel() == "rate (Hz)"
    assert [label.get_text() for label in left.get_yticklabels()] == list(column)
    heights = [left.transData.transform((0, tick))[1] for tick in left.get_yticks()]
    assert heights == sorted(heights, reverse=True)


def test_raster_draws_each_spike_once_in_the_row_of_its_neuron():
    train = SpikeTrains([5.0, 10.0, 10.0, 20.0, 30.0], [2, 0, 1, 2, 1], 3, 0.0, 40.0)
    (band,) = bands(raster({"E": train}))
    times, rows = band.get_data()
    np.testing.assert_array_equal(times, train.times)
    assert len(set(rows)) == 3
    assert rows[1] < rows[2] < rows[0]  # the axis is inverted: neuron 0 is at the top
    assert rows[0] == rows[3] and rows[2] == rows[4]
    assert band.get_rasterized()


def test_raster_keeps_each_population_inside_its_own_band(column):
    figure = raster(column)
    lines = bands(figure)
    lows = [line.get_ydata().min() for line in lines]
    highs = [line.get_ydata().max() for line in lines]
    assert all(high < low for high, low in zip(highs, lows[1:], strict=False))
    for low, high, tick in zip(lows, highs, figure.axes[0].get_yticks(), strict=True):
        assert low < tick < high
    bottom, top = figure.axes[0].get_ylim()
    assert top < lows[0] and highs[-1] < bottom


@pytest.mark.parametrize(
    ("sizes", "drawn", "note"),
    [
        ((560, 140), (560, 140), ""),
        ((1120, 281), (374, 94), "1 in 3 neurons shown"),
        ((10_000, 2000, 40), (556, 112, 36), "1 in 18 neurons shown, at least 36 of a population"),
        ((10_000, 1), (667, 1), "1 in 15 neurons shown"),
    ],
)
def test_raster_draws_a_fair_share_of_many_neurons_and_says_so(sizes, drawn, note):
    spikes = {f"P{i}": once(size) for i, size in enumerate(sizes)}
    figure = raster(spikes, (0.0, max(sizes)))
    assert tuple(len(line.get_xdata()) for line in bands(figure)) == drawn
    assert figure.axes[0].get_title(loc="right") == note
    for size, line in zip(sizes, bands(figure), strict=True):
        neurons = line.get_xdata() - 1
        assert np.diff(neurons, append=size).max() <= np.ceil(size / len(neurons))


def test_raster_draws_the_few_that_spiked_alone():
    neurons = np.array([17, 50_000, 17, 99_999])
    train = SpikeTrains([1.0, 2.0, 3.0, 4.0], neurons, 100_000, 0.0, 10.0)
    figure = raster({"brain": train})
    (band,) = bands(figure)
    np.testing.assert_array_equal(band.get_xdata(), train.times)
    rows = band.get_ydata()
    assert rows[0] == rows[2] < rows[1] < rows[3]
    (label,) = figure.axes[0].get_yticklabels()
    assert label.get_text() == "brain\nthe 3 that spiked\nof 100,000"
    assert figure.axes[1].texts[0].get_text() == "0.004"  # Hz: of all


@given(
    times=st.lists(st.floats(0.001, 100.0), max_size=30),
    window=st.tuples(st.floats(0.0, 49.0), st.floats(51.0, 100.0)),
)
@settings(max_examples=30, deadline=None)
def test_raster_draws_what_restrict_gives(times, window):
    train = SpikeTrains(times, np.arange(len(times)), len(times), 0.0, 100.0)
    (band,) = bands(raster({"E": train}, window))
    np.testing.assert_array_equal(band.get_xdata(), train.restrict(*window).times)


def test_raster_shows_the_last_second_unless_told():
    spikes = {"E": poisson(10, 20.0, 2500.0)}
    assert raster(spikes).axes[0].get_xlim() == (1500.0, 2500.0)
    assert raster(spikes, (100.0, 300.0)).axes[0].get_xlim() == (100.0, 300.0)
    assert raster(spikes, (-50.0, 9000.0)).axes[0].get_xlim() == (0.0, 2500.0)
    assert raster({"E": poisson(10, 20.0, 400.0)}).axes[0].get_xlim() == (0.0, 400.0)


def test_raster_takes_populations_recorded_at_different_times():
    early, late = poisson(10, 20.0, 400.0), poisson(10, 20.0, 1000.0, start=600.0)
    first, second = bands(raster({"early": early, "late": late}, (300.0, 700.0)))
    np.testing.assert_array_equal(first.get_xdata(), early.times[early.times > 300.0])
    np.testing.assert_array_equal(second.get_xdata(), late.times[late.times <= 700.0])
    first, second = bands(raster({"early": early, "late": late}, (500.0, 700.0)))
    assert len(first.get_xdata()) == 0 and len(second.get_xdata()) > 0


def test_bars_are_the_rates_of_the_whole_recording_beside_their_bands(column):
    left, right = raster(column, (500.0, 600.0)).axes
    rates = [train.rate for train in column.values()]
    assert [bar.get_width() for bar in right.patches] == rates
    centres = [bar.get_y() + bar.get_height() / 2 for bar in right.patches]
    np.testing.assert_allclose(centres, left.get_yticks())
    assert left.get_ylim() == right.get_ylim()
    assert [text.get_text() for text in right.texts] == [f"{rate:.3g}" for rate in rates]
    assert right.get_title(loc="left") == "whole recording"
    assert raster(column, (0.0, 2000.0)).axes[1].get_title(loc="left") == ""


def test_each_population_has_one_colour_throughout(column):
    figure = overview(column)
    colours = [line.get_color() for line in bands(figure)]
    assert len(set(colours)) == len(column)
    assert [to_hex(bar.get_facecolor()).upper() for bar in figure.axes[1].patches] == colours
    for axes, colour in zip(figure.axes[2:-2], colours, strict=True):
        assert to_hex(axes.patches[0].get_edgecolor()).upper() == colour
    for axes in figure.axes[-2:]:
        assert [to_hex(patch.get_edgecolor()).upper() for patch in axes.patches] == colours


def test_a_million_spikes_are_thinned_in_ink_and_a_few_are_not():
    (crowd,), (few,) = (bands(raster({"E": poisson(600, r, 1000.0)})) for r in (1000.0, 1.0))
    assert crowd.get_alpha() < 0.5
    assert few.get_alpha() == 1.0


@pytest.mark.parametrize(
    ("stop", "bin"), [(50.0, 1), (200.0, 1), (201.0, 2), (1000.0, 5), (1e4, 50), (10_001.0, 100)]
)
def test_overview_names_a_bin_of_which_there_are_at_most_200(stop, bin):
    figure = overview({"E": poisson(20, 10.0, stop)})
    ((rate, edges, _),) = steps(figure.axes[2])
    np.testing.assert_allclose(np.diff(edges), bin)
    assert len(rate) == stop // bin <= 200
    assert f"rate (Hz), {bin} ms bins" in [text.get_text() for text in figure.findobj(Text)]


def test_overview_rates_hold_every_spike_in_its_bin():
    train = SpikeTrains([0.1, 5.0 + 1e-9, 5.1, 10.0, 1000.0], [0, 1, 2, 3, 3], 4, 0.0, 1000.0)
    ((rate, edges, baseline),) = steps(overview({"E": train}).axes[2])
    expected = np.zeros(200)
    expected[[0, 1, 199]] = 2, 2, 1
    np.testing.assert_allclose(rate * 4 * 0.005, expected)
    assert edges[0] == 0.0 and edges[-1] == 1000.0


def test_overview_histograms_hold_every_neuron():
    ticking = SpikeTrains(np.arange(1, 51) * 20.0, np.arange(50) % 2, 2, 0.0, 1000.0)
    spikes = {"ticking": ticking, "noisy": poisson(300, 10.0, 1000.0)}
    rates, cvs = overview(spikes).axes[-2:]
    for axes in (rates, cvs):
        assert axes.get_ylabel() == "neurons (%)"
        for share, _, _ in steps(axes):
            assert share.sum() == pytest.approx(100.0)
    assert rates.get_xlabel() == "rate of a neuron (Hz)"
    assert cvs.get_xlabel() == "CV of a neuron's inter-spike intervals"
    share, edges, _ = steps(rates)[0]
    (bin,) = np.flatnonzero(share)
    assert edges[bin] < 25.0 < edges[bin + 1]
    share, edges, _ = steps(cvs)[0]
    assert share[0] == 100.0 and edges[0] == 0.0
    (share, edges, _), cv = steps(cvs)[1], spikes["noisy"].cv()
    expected, _ = np.histogram(cv[np.isfinite(cv)], edges)
    np.testing.assert_allclose(share, 100 * expected / np.isfinite(cv).sum())


def test_overview_histogram_names_the_outlier_beyond_its_axis():
    calm = poisson(500, 5.0, 1000.0)
    times = np.r_[calm.times, np.arange(1, 401) * 2.5]
    neurons = np.r_[calm.neurons, np.full(400, 500)]
    rates = overview({"E": SpikeTrains(times, neurons, 501, 0.0, 1000.0)}).axes[-2]
    assert rates.get_title(loc="right") == "highest 400 Hz"
    assert rates.get_xlim()[1] < 30.0
    assert overview({"E": once(10)}).axes[-2].get_title(loc="right") == ""


def test_overview_shades_the_window_of_its_raster(column):
    figure = overview(column, (300.0, 500.0))
    assert figure.axes[0].get_xlim() == (300.0, 500.0)
    for axes, name in zip(figure.axes[2:-2], column, strict=True):
        assert axes.get_ylabel() == name
        assert axes.get_xlim() == (0.0, 2000.0)
        (shade,) = (patch for patch in axes.patches if not hasattr(patch, "get_data"))
        assert (shade.get_x(), shade.get_width()) == (300.0, 200.0)
    assert figure.axes[-3].get_xlabel() == "time (ms)"


@pytest.mark.parametrize("populations", [1, 2, 8, 20])
@pytest.mark.parametrize("draw", [raster, overview])
def test_no_two_texts_overlap_and_none_is_cut(draw, populations, column, monkeypatch):
    names = [*column, *(f"region {i} interneurons" for i in range(12))][:populations]
    spikes = {name: column.get(name, poisson(50, 20.0, 2000.0)) for name in names}
    figure = draw(spikes)
    boxes = drawn_texts(figure, monkeypatch)
    assert len(boxes) > 10
    overlaps = [
        (a.get_text(), b.get_text())
        for a, b in combinations(boxes, 2)
        if boxes[a].padded(-1).overlaps(boxes[b].padded(-1))
    ]
    assert overlaps == []
    width, height = figure.canvas.get_width_height()
    for text, box in boxes.items():
        assert box.x0 >= 0 and box.y0 >= 0, text.get_text()
        assert box.x1 <= width and box.y1 <= height, text.get_text()


def test_overview_has_one_legend_with_every_population(column, monkeypatch):
    figure = overview(column)
    boxes = drawn_texts(figure, monkeypatch)
    texts = [text.get_text() for text in boxes]
    for name in column:
        assert texts.count(name) == 3  # at the raster, at the rate over time, in the legend
    ends = [boxes[axes.yaxis.label].x1 for axes in figure.axes[2:-2]]
    np.testing.assert_allclose(ends, ends[0])


def test_the_numbers_at_the_bars_stay_within_their_axes(column, monkeypatch):
    figure = raster(column)
    boxes, right = drawn_texts(figure, monkeypatch), figure.axes[1]
    assert all(boxes[text].x1 <= right.get_window_extent().x1 for text in right.texts)


def test_bars_say_where_there_is_no_rate():
    bars = raster({"nobody": silent(0, 100.0), "silent": silent(2, 100.0)}).axes[1]
    assert [text.get_text() for text in bars.texts] == ["no data", "0"]


@pytest.mark.parametrize(
    "spikes",
    [
        {"silent": silent(50, 500.0)},
        {"one": poisson(1, 20.0, 1000.0)},
        {"once": once(1)},
        {"no time": silent(5, 0.0), "none": silent(1, 0.0)},
        {"nobody": silent(0, 100.0)},
        {"short": silent(3, 0.05)},
        {"_name": silent(10, 100.0), "$": poisson(900, 5.0, 100.0), "": poisson(1, 50.0, 100.0)},
    ],
    ids=lambda spikes: next(iter(spikes)),
)
@pytest.mark.parametrize("draw", [raster, overview])
def test_what_is_nearly_empty_draws_without_warnings(draw, spikes):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        figure = draw(spikes)
        figure.savefig(io.BytesIO())
    assert sum(len(line.get_xdata()) for line in bands(figure)) <= sum(map(len, spikes.values()))


@pytest.mark.parametrize("draw", [raster, overview])
def test_spikes_and_window_are_checked(draw):
    train = poisson(3, 10.0, 100.0)
    with pytest.raises(TypeError, match="spikes must map names.*got SpikeTrains"):
        draw(train)
    with pytest.raises(ValueError, match="spikes must hold at least one population"):
        draw({})
    for window in [(200.0, 300.0), (50.0, 50.0), (60.0, 40.0), (np.nan, 50.0), (), (1.0, 2.0, 3.0)]:
        with pytest.raises(ValueError, match="window must be .*from 0 to 100 ms; got"):
            draw({"E": train}, window)


@pytest.mark.parametrize("n", [1, 3, 10])
def test_traces_draw_each_line_with_its_name_on_one_scale(n, monkeypatch):
    times = np.arange(0.0, 50.0, 0.5)
    values = np.sin(times[:, None] / 5 + np.arange(n)) * np.arange(1, n + 1)
    labels = [f"neuron {i}" for i in range(n)]
    figure = traces(times, values, labels, "V", "mV")
    assert [axes.get_title(loc="left") for axes in figure.axes] == labels
    for i, axes in enumerate(figure.axes):
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.c_[times, values[:, i]])
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert figure.axes[-1].get_xlabel() == "time (ms)"
    assert figure.axes[-1].get_xlim() == (0.0, 49.5)
    boxes = drawn_texts(figure, monkeypatch)
    assert "V (mV)" in [text.get_text() for text in boxes]
    assert not any(
        boxes[a].padded(-1).overlaps(boxes[b].padded(-1)) for a, b in combinations(boxes, 2)
    )


def test_traces_of_one_instant_or_nothing_known_draw_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traces([0.0], [[1.0]], ["a"], "V", "mV").savefig(io.BytesIO())
        traces([0.0, 1.0], np.full((2, 2), np.nan), ["a", "b"], "V", "mV").savefig(io.BytesIO())


def test_traces_check_their_shapes():
    with pytest.raises(ValueError, match="labels must name 1 to 10 lines; got 11"):
        traces([0.0], np.zeros((1, 11)), list("abcdefghijk"), "V", "mV")
    with pytest.raises(ValueError, match="labels must name 1 to 10 lines; got 0"):
        traces([0.0], np.zeros((1, 0)), [], "V", "mV")
    for times, values in [
        (np.zeros(3), np.zeros((2, 3))),
        (np.zeros(3), np.zeros(3)),
        (np.zeros((3, 1)), np.zeros((3, 2))),
        (np.zeros(0), np.zeros((0, 2))),
    ]:
        with pytest.raises(ValueError, match="times must be one-dimensional and not empty"):
            traces(times, values, ["a", "b"], "V", "mV")


def test_rates_over_time_are_those_of_bins(column, monkeypatch):
    figure = rates(column)
    assert len(figure.axes) == len(column)
    for axes, train in zip(figure.axes, column.values(), strict=True):
        assert len(axes.patches) == 1  # the whole recording: no part of it is shaded
        values, edges, _ = steps(axes)[0]
        bin = edges[1] - edges[0]
        assert (edges[0], edges[-1], bin) == (0.0, 2000.0, 10.0)
        np.testing.assert_allclose(values, train.count(bin).sum(axis=1) / train.size / bin * 1000)
    texts = [text.get_text() for text in drawn_texts(figure, monkeypatch)]
    assert "rate (Hz), 10 ms bins" in texts and "time (ms)" in texts and set(column) <= set(texts)
    with pytest.raises(ValueError, match="at least one population"):
        rates({})


def test_a_report_of_few_neurons_draws_each():
    times = np.arange(1.0, 51.0)
    values = np.random.default_rng(1).normal(size=(50, 3))
    figure = report({"exc": (times, [7, 8, 30], values, "v", "mV")})
    assert [a.get_title(loc="left") for a in figure.axes] == ["exc 7", "exc 8", "exc 30"]
    for axes, column in zip(figure.axes, values.T, strict=True):
        np.testing.assert_array_equal(axes.lines[0].get_xydata(), np.c_[times, column])
    assert figure.axes[-1].get_xlabel() == "time (ms)"


def test_a_report_of_many_neurons_draws_their_spread_and_some(monkeypatch):
    times = np.arange(1.0, 31.0)
    values = np.random.default_rng(1).normal(size=(30, 200))
    values[4, 17] = np.inf  # has diverged
    parts = {
        "exc": (times, np.arange(200), values, "g", "nS"),
        "inh": (times, [0], values[:, :1], "n", ""),
    }
    figure = report(parts)
    spread, *lines = figure.axes
    assert spread.get_title(loc="left") == "exc, all 200: median, and band from 5 % to 95 %"
    known = np.where(np.isfinite(values), values, np.nan)
    low, middle, high = np.nanquantile(known, [0.05, 0.5, 0.95], axis=1)
    np.testing.assert_array_equal(spread.lines[0].get_ydata(), middle)
    corners = spread.collections[0].get_paths()[0].vertices
    assert set(low) | set(high) <= set(corners[:, 1])
    assert [a.get_title(loc="left") for a in lines[-2:]] == ["exc 166", "inh 0"]
    np.testing.assert_array_equal(lines[5].lines[0].get_ydata(), values[:, 166])
    boxes = drawn_texts(figure, monkeypatch)
    assert {"g (nS)", "n"} <= {text.get_text() for text in boxes}
    assert not any(
        boxes[a].padded(-1).overlaps(boxes[b].padded(-1)) for a, b in combinations(boxes, 2)
    )


def test_a_report_of_nothing_known_or_nothing():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        nothing = np.full((2, 20), np.nan)
        report({"a": ([1.0, 2.0], np.arange(20), nothing, "v", "")}).savefig(io.BytesIO())
    with pytest.raises(ValueError, match="at least one population"):
        report({})
    for values in (np.empty((0, 1)), np.zeros((2, 1))):
        with pytest.raises(ValueError, match=r"parts\['a'\] must hold samples"):
            report({"a": ([], [0], values, "v", "mV")})


@pytest.mark.parametrize("draw", [raster, overview, rates, lambda _: blank(1.0)])
def test_figures_show_themselves_in_a_notebook_and_once(draw):
    figure = draw({"E": once(5)})
    png = figure._repr_png_()
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == 7.2 * 150
    assert figure._repr_html_() is None, "else a notebook would show it twice"
    assert (
        "matplotlib.pyplot" not in sys.modules or not sys.modules["matplotlib.pyplot"].get_fignums()
    )


def test_a_notebook_finds_one_picture_of_a_figure():
    formatters = pytest.importorskip("IPython.core.formatters", reason="IPython is the judge")
    found, _ = formatters.DisplayFormatter().format(raster({"E": once(5)}))
    assert set(found) == {"image/png", "text/plain"}
    assert found["text/plain"].startswith("<Figure size 1080x")


def test_save_writes_the_format_of_the_extension_at_150_dpi(tmp_path):
    figure = raster({"E": once(5)})
    save(figure, tmp_path / "spikes.PNG")
    png = (tmp_path / "spikes.PNG").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert int.from_bytes(png[16:20], "big") == 7.2 * 150
    save(figure, str(tmp_path / "spikes.pdf"))
    assert (tmp_path / "spikes.pdf").read_bytes().startswith(b"%PDF")


def test_save_replaces_a_file_only_when_told(tmp_path):
    path = tmp_path / "spikes.png"
    path.write_bytes(b"old")
    with pytest.raises(FileExistsError, match="exists already.*--force"):
        save(raster({"E": once(5)}), path)
    assert path.read_bytes() == b"old"
    save(raster({"E": once(5)}), path, overwrite=True)
    assert path.read_bytes().startswith(b"\x89PNG")


def test_save_leaves_the_old_file_when_drawing_fails(tmp_path, monkeypatch):
    path = tmp_path / "spikes.png"
    path.write_bytes(b"old")
    figure = raster({"E": once(5)})
    monkeypatch.setattr(figure.axes[0], "draw", lambda renderer: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        save(figure, path, overwrite=True)
    assert path.read_bytes() == b"old"


@pytest.mark.parametrize("name", ["spikes.xyz", "spikes", ".png"])
def test_save_refuses_an_extension_which_is_no_format(tmp_path, name):
    with pytest.raises(ValueError, match=r"path must end in one of .*\.pdf, .*\.png.*; got"):
        save(raster({"E": once(5)}), tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_save_refuses_a_missing_folder(tmp_path):
    with pytest.raises(FileNotFoundError, match="lies in a folder which does not exist"):
        save(raster({"E": once(5)}), tmp_path / "none" / "spikes.png")


def test_importing_loads_no_matplotlib_and_drawing_no_pyplot():
    code = (
        "import sys, io, spikesim.plots as plots\n"
        "from spikesim.data.spiketrains import SpikeTrains\n"
        "assert 'matplotlib' not in sys.modules\n"
        "plots.overview({'E': SpikeTrains([1.0], [0], 1, 0.0, 2.0)}).savefig(io.BytesIO())\n"
        "assert 'matplotlib.pyplot' not in sys.modules\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
