"""Figures that the command ``train`` does not draw: patterns, time constants, trajectories."""

import numpy as np
import pytest

from spikesim import plots, rate


def labels(axes) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]


def test_each_pattern_is_drawn_with_its_target_and_error():
    target = np.sin(np.arange(100) / 5)
    figure = plots.patterns({"before": (0 * target, target), "after": (target, target)}, 0.5)
    before, after = figure.axes
    assert after.get_title() == "after: error 0 %"
    rms = np.sqrt(np.mean(target**2)) / np.abs(target).max()
    assert before.get_title() == f"before: error {100 * rms:.2g} %"
    output, wanted = after.lines
    np.testing.assert_array_equal(output.get_xdata(), 0.5 * np.arange(1, 101))
    np.testing.assert_array_equal(wanted.get_ydata(), target)
    assert before.get_xlabel() == "time (ms)"


def test_time_constants_are_shares_below_each_value():
    tau = {"short": np.array([[1.0, 2.0], [3.0, 4.0]]), "long": np.full((3, 2), 50.0)}
    (axes,) = plots.time_constants(tau).axes
    assert labels(axes) == ["short: median 2 ms", "long: median 50 ms"]
    shares = axes.lines[0]
    assert np.interp(2.5, shares.get_xdata(), shares.get_ydata()) == pytest.approx(50, abs=0.5)
    assert "(ms)" in axes.get_xlabel() and axes.get_xscale() == "log"
    assert axes.lines[1].get_xdata()[0] == 2.5


def test_trajectories_lie_in_the_plane_of_most_variance():
    time = np.linspace(0, 1, 20)[:, None]
    along = np.array([[3.0, 0, 4.0], [-3.0, 0, -4.0]])  # two trials, in opposite directions
    (axes,) = plots.trajectories(time[:, None] * along, np.array([0, 1]), "kind").axes
    assert labels(axes) == ["kind 0", "kind 1"]
    assert axes.get_xlabel() == "first direction (100 % of variance)"
    first = axes.lines[0]
    assert np.ptp(first.get_xdata()) == pytest.approx(5) and np.ptp(first.get_ydata()) < 1e-9


def test_activity_shows_each_unit_in_order_of_its_peak():
    task = rate.go_nogo()
    trials = task.generate(np.random.default_rng(0), 6)
    time = np.arange(len(trials.inputs))[:, None]
    peaks = np.array([60, 5, 30])
    bumps = np.exp(-(((time - peaks) / 5) ** 2))  # [time, unit]
    rates = bumps[:, None] * np.linspace(1, 2, 6)[:, None]
    *panels, bar = plots.activity(task, rates, trials).axes
    assert len(panels) == 4 and bar.get_ylabel() == "rate of a unit"
    for k, axes in enumerate(panels):
        (image,) = axes.images
        np.testing.assert_array_equal(image.get_array(), rates[:, k, [1, 2, 0]].T)
        assert image.get_clim() == (0.0, rates[:, :4].max())
        assert image.get_extent() == [0.0, 20.0 * len(time), 3, 0.0]
        assert axes.get_xlabel() == "time (ms)"
    *panels, _ = plots.activity(task, -rates, trials).axes
    assert panels[0].images[0].get_clim() == (-rates[:, :4].max(), rates[:, :4].max())
