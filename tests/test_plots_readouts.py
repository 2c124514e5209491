"""Figures of readouts hold the numbers of their results, and say what they are."""

import io
import warnings

import numpy as np
import pytest

from spikesim import plots
from spikesim.analysis import (
    Gaussian,
    LinearDecoder,
    NaiveBayes,
    cross_validate,
    first_spike_latency,
    instantaneous_rate,
    psth,
    tuning_by_trial,
    tuning_curves,
    which_code,
)
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


def trials(n=40, size=3, seed=1):
    rng = np.random.default_rng(seed)
    stimuli = np.repeat(np.arange(4), n // 4)
    counts = rng.poisson(2 + 2 * stimuli[:, None] * np.ones(size, int))
    trial, neuron = (np.repeat(ids.ravel(), counts.ravel()) for ids in np.indices(counts.shape))
    times = rng.uniform(-100, 200, len(trial))
    return AlignedTrains(times, neuron, trial, size, n, -100.0, 200.0, {"stimulus": stimuli})


def told(axes):
    """All that is written in the figure."""
    axes.figure.savefig(io.BytesIO())
    return " ".join(t.get_text() for t in axes.figure.findobj(lambda a: hasattr(a, "get_text")))


def test_a_psth_and_its_raster():
    aligned = trials()
    found = psth(aligned, 20.0)
    axes = plots.psth(found, aligned, neuron=1)
    line = [p for p in axes.patches if p.get_data().baseline is None][0]
    np.testing.assert_array_equal(line.get_data().values, found.rates[:, 1])
    band = [p for p in axes.patches if p.get_data().baseline is not None][0]
    np.testing.assert_array_equal(band.get_data().values, found.high[:, 1])
    np.testing.assert_array_equal(band.get_data().baseline, found.low[:, 1])
    above = [a for a in axes.figure.axes if a is not axes][0]
    np.testing.assert_array_equal(above.lines[0].get_xdata(), aligned.times[aligned.neurons == 1])
    text = told(axes)
    assert "rate (Hz), 20 ms bins" in text and "95% interval (poisson)" in text
    assert "time after the event (ms)" in text and "trial" in text


def test_psths_of_several_stimuli_have_a_legend_and_pooled_ones_all_spikes():
    aligned = trials()
    parts = {f"stimulus {k}": aligned.where(stimulus=k) for k in range(2)}
    axes = plots.psth({name: psth(part, 20.0) for name, part in parts.items()}, parts)
    assert "stimulus 0" in told(axes) and "stimulus 1" in told(axes)
    axes = plots.psth(psth(aligned, 20.0, pool=True), aligned)
    above = [a for a in axes.figure.axes if a is not axes][0]
    assert len(above.lines[0].get_xdata()) == len(aligned)
    with pytest.raises(ValueError, match="aligned has the names"):
        plots.psth(psth(aligned, 20.0), parts)
    with pytest.raises(ValueError, match="neuron is 3; it must be a whole number, from 0 to 2"):
        plots.psth(psth(aligned, 20.0), neuron=3)


def test_rate_curves_are_broken_at_gaps():
    support = Windows([0.0, 200.0], [100.0, 300.0])
    trains = SpikeTrains([50.0, 250.0], [0, 1], 2, support=support)
    curves = instantaneous_rate(trains, Gaussian(10.0))
    axes = plots.rate_curves(curves)
    assert len(axes.lines) == 2
    x, y = axes.lines[0].get_data()
    assert np.isnan(x).sum() == np.isnan(y).sum() == 1 and len(x) == 201
    np.testing.assert_array_equal(y[~np.isnan(y)], curves.rates[:, 0])
    assert "Gaussian(sd=10.0)" in told(axes) and "rate (Hz)" in told(axes)
    of_trials = instantaneous_rate(trials(), Gaussian(10.0))
    one, mean = (plots.rate_curves(of_trials, [2], trial=t) for t in (4, None))
    np.testing.assert_array_equal(one.lines[0].get_ydata(), of_trials.rates[4, :, 2])
    np.testing.assert_allclose(mean.lines[0].get_ydata(), of_trials.rates.mean(axis=0)[:, 2])
    with pytest.raises(ValueError, match="neurons has 9 of them; at most 8 are drawn"):
        plots.rate_curves(curves, [0] * 9)


def test_tuning_is_drawn_on_a_line_a_circle_and_a_map():
    aligned = trials()
    curves = tuning_by_trial(aligned, "stimulus")
    axes = plots.tuning(curves, name="contrast (%)")
    np.testing.assert_array_equal(axes.lines[2].get_xydata(), np.c_[range(4), curves.rates[2]])
    assert axes.get_xlabel() == "contrast (%)" and axes.name != "polar"
    circle = tuning_by_trial(aligned, 90.0 * aligned.labels["stimulus"], period=360.0)
    polar = plots.tuning(circle, 1, name="direction (degrees)")
    assert polar.name == "polar" and len(polar.lines) == 1
    angle, rate = polar.lines[0].get_data()
    np.testing.assert_allclose(angle, np.array([0, 0.5, 1, 1.5, 0]) * np.pi)
    np.testing.assert_allclose(rate, np.r_[circle.rates[1], circle.rates[1, 0]])
    assert "315" in told(polar) and "direction (degrees)" in told(polar)
    flat = plots.tuning(circle, ax=plots.blank(2.0).subplots())
    assert flat.name != "polar" and len(flat.lines) == 3
    rng = np.random.default_rng(2)
    place, times = rng.uniform(0, 1, (500, 2)), np.arange(5.0, 5000.0, 10.0)
    place[:, 1] *= 0.5
    trains = SpikeTrains(rng.uniform(0, 5000, 300), rng.integers(0, 2, 300), 2, 0.0, 5000.0)
    plane = tuning_curves(trains, place, times, bins=(4, 6), range=[(0.0, 1.0)] * 2)
    axes = plots.tuning(plane, 1, name="x (m), y (m)")
    drawn = axes.collections[0].get_array()
    np.testing.assert_array_equal(np.ma.getmaskarray(drawn), np.isnan(plane.rates[1].T))
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("x (m)", "y (m)")
    assert "never visited" in told(axes)
    with pytest.raises(ValueError, match="neuron is 2"):
        plots.tuning(plane, 2)


def test_decoding_is_drawn():
    aligned = trials(80)
    counts, stimuli = aligned.count(), aligned.labels["stimulus"]
    found = cross_validate(NaiveBayes(), counts, stimuli, seed=1)
    axes = plots.confusion(found)
    table = found.confusion / found.confusion.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(axes.images[0].get_array(), table)
    assert f"{found.accuracy:.0%} right, chance 25%" in told(axes)
    numbers = cross_validate(LinearDecoder(), counts, stimuli, seed=1)
    axes = plots.decoded(numbers, name="contrast")
    np.testing.assert_allclose(axes.lines[0].get_ydata(), numbers.predicted)
    assert "median error" in told(axes) and axes.get_xlabel() == "true contrast"
    with pytest.raises(ValueError, match="categories only"):
        plots.confusion(numbers)
    with pytest.raises(ValueError, match=r"decoded categories, .*; plots\.confusion draws these"):
        plots.decoded(found)


@pytest.mark.parametrize("first", [0.0, -90.0])
def test_what_is_decoded_on_a_circle_is_drawn_next_to_the_truth(first):
    rng = np.random.default_rng(1)
    angle = first + rng.uniform(0, 180, 200)
    angle[0] = np.nan
    turn = np.deg2rad(2 * np.nan_to_num(angle))
    counts = 9 + 4 * np.stack([np.cos(turn), np.sin(turn)], axis=1) + rng.normal(0, 1, (200, 2))
    found = cross_validate(LinearDecoder(period=180.0), counts, angle, seed=1)
    assert np.nanmax(np.abs(found.predicted - angle)) > 90
    dots, line = plots.decoded(found).lines
    apart = dots.get_ydata() - dots.get_xdata()
    np.testing.assert_allclose(apart, found.errors, atol=1e-10)
    assert np.nanmax(np.abs(apart)) < 90
    np.testing.assert_array_equal(dots.get_xdata(), angle)
    assert list(line.get_xdata()) == [np.nanmin(angle), np.nanmax(angle)]


def test_angles_around_a_circle_keep_their_digits():
    curves = tuning_by_trial(trials(), "stimulus", period=180.0)
    assert "157.5" in told(plots.tuning(curves))


def test_latencies_and_codes_are_drawn():
    aligned = trials()
    found = first_spike_latency(aligned, rule="first")
    axes = plots.latencies(found)
    order = np.argsort(found.median)
    np.testing.assert_array_equal(axes.lines[1].get_xdata(), found.latency[:, order[1]])
    assert "rule 'first'" in told(axes) and axes.get_xlim() == (0.0, 200.0)
    phases = np.mod(aligned.times, 100.0) / 100.0 * 2 * np.pi
    table = which_code(aligned, "stimulus", phases=phases, shuffles=19, seed=1)
    axes = plots.codes(table)
    np.testing.assert_allclose([bar.get_height() for bar in axes.patches], table.mean)
    text = told(axes)
    assert all(name in text for name in ("counts", "latency", "phase", "p = ", "bits a neuron"))
    assert "3 neurons, 40 trials, cubic" in text


def test_figures_are_drawn_where_they_are_told():
    aligned = trials()
    figure = plots.blank(5.0)
    axes = figure.subplots(2, 4).ravel()
    stimuli = aligned.labels["stimulus"]
    drawn = [
        plots.psth(psth(aligned, 20.0), ax=axes[0]),
        plots.rate_curves(instantaneous_rate(aligned, Gaussian(9.0)), ax=axes[1]),
        plots.tuning(tuning_by_trial(aligned, "stimulus"), ax=axes[2]),
        plots.confusion(cross_validate(NaiveBayes(), aligned.count(), stimuli), ax=axes[3]),
        plots.decoded(cross_validate(LinearDecoder(), aligned.count(), stimuli), ax=axes[4]),
        plots.latencies(first_spike_latency(aligned, rule="first"), ax=axes[5]),
        plots.codes(which_code(aligned, "stimulus", shuffles=0), ax=axes[6]),
    ]
    assert all(a is b for a, b in zip(drawn, axes, strict=False))
    figure.savefig(io.BytesIO())


def test_nearly_nothing_is_drawn_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silent = SpikeTrains([], [], 2, 0.0, 1000.0).align([300.0, 500.0], 100.0, 100.0)
        none = SpikeTrains([], [], 2, 0.0, 1000.0).align([], 100.0, 100.0)
        for aligned in (silent, none):
            for axes in (
                plots.psth(psth(aligned, 10.0), aligned),
                plots.latencies(first_spike_latency(aligned, rule="first")),
                plots.codes(which_code(aligned, np.arange(aligned.n_trials), shuffles=3)),
            ):
                axes.figure.savefig(io.BytesIO())
        axes = plots.tuning(tuning_by_trial(silent, [1.0, 2.0]))
        axes.figure.savefig(io.BytesIO())
        nobody = SpikeTrains([], [], 0, 0.0, 1000.0)
        plots.rate_curves(instantaneous_rate(nobody, Gaussian(5.0))).figure.savefig(io.BytesIO())
