"""Figures of correlograms, spectra and pairs show the numbers that they are given."""

import numpy as np
import pytest

from spikesim import analysis, plots
from spikesim.data.spiketrains import SpikeTrains
from spikesim.plots.canvas import blank


@pytest.fixture(scope="module")
def trains():
    rng = np.random.default_rng(1)
    times = rng.uniform(0, 20_000, 2000)
    neurons = rng.integers(0, 4, 2000)
    echo = times[neurons == 0][:200]
    times, neurons = np.r_[times, np.clip(echo + 3, 0.1, 20_000)], np.r_[neurons, np.full(200, 1)]
    return SpikeTrains(times, neurons, 5, 0, 20_000)  # neuron 4 is silent


def stairs(axes):
    return [patch for patch in axes.patches if hasattr(patch, "get_data")]


@pytest.mark.parametrize("what", ["counts", "rates", "ratio"])
def test_a_correlogram_shows_its_numbers(trains, what):
    found = analysis.correlograms(trains, 1.0, 20.0)
    axes = plots.correlogram(found, (1, 2), what=what)
    expected = getattr(found, what)[np.all(found.pairs == [1, 2], axis=1)][0]
    drawn = stairs(axes)[0].get_data()
    np.testing.assert_allclose(drawn.values, expected)
    np.testing.assert_array_equal(drawn.edges, found.edges)
    assert axes.get_xlabel() == "lag of neuron 2 after neuron 1 (ms)" and axes.get_ylabel()
    turned = plots.correlogram(found, (2, 1))
    np.testing.assert_array_equal(stairs(turned)[0].get_data().values, found[2, 1])
    assert turned.get_xlabel() == "lag of neuron 1 after neuron 2 (ms)"


def test_a_test_shows_its_bands_and_what_lies_beyond(trains):
    found = analysis.correlogram_test(
        trains, 1.0, 10.0, analysis.Jitter(20.0), pairs=[(0, 1), (2, 3)], n=99
    )
    axes = plots.correlogram(found, (0, 1))
    band, _, upper, marked, counts, usual = (patch.get_data() for patch in stairs(axes))
    np.testing.assert_array_equal(band.values, found.upper[0])
    np.testing.assert_array_equal(band.baseline, found.lower[0])
    np.testing.assert_array_equal(upper.values, found.upper_global[0])
    np.testing.assert_array_equal(counts.values, found.observed.counts[0])
    np.testing.assert_array_equal(usual.values, found.mean[0])
    lags = found.observed.lags
    beyond = found.observed.counts[0] > found.upper_global[0]
    assert beyond[lags == 3].all()
    np.testing.assert_array_equal(marked.values != marked.baseline, beyond)
    assert "p = 0.01 of 99 surrogates" in axes.get_title(loc="left")
    back = [patch.get_data() for patch in stairs(plots.correlogram(found, (1, 0)))]
    np.testing.assert_array_equal(back[0].values, found.upper[0, ::-1])


def test_a_matrix_has_a_cell_for_each_pair(trains):
    found = analysis.correlograms(trains, 1.0, 10.0)
    alone = analysis.autocorrelograms(trains, 1.0, 10.0)
    axes = plots.correlogram_matrix(found, alone)
    assert len(axes.collections[0].get_paths()) == 15
    test = analysis.correlogram_test(trains, 1.0, 10.0, analysis.Jitter(20.0), n=39)
    colours = plots.correlogram_matrix(test).collections[0].get_facecolors()
    differ = np.any(colours != colours[np.argmax(test.p)], axis=1)
    np.testing.assert_array_equal(differ, test.p <= 0.05)


def test_spectra_coherence_and_matrices(trains):
    found = analysis.power_spectrum(trains, 1000.0)
    axes = plots.spectrum(found, [1, 3], normalised=True)
    np.testing.assert_allclose(axes.lines[0].get_ydata(), found.normalised[1])
    plots.spectrum(found)
    related = analysis.coherence(trains, 1000.0)
    axes = plots.coherence(related, (0, 1))
    np.testing.assert_array_equal(axes.lines[0].get_ydata(), related.coherence[0])
    assert axes.lines[1].get_ydata()[0] == related.critical(0.05)
    plots.coherence(related, (0, 4))  # silent
    axes = plots.pair_matrix(analysis.spike_time_tiling(trains), "tiling coefficient")
    assert axes.images[0].get_array().mask[4].all()


def test_the_given_axes_are_drawn_on_and_returned(trains):
    lags, bands = analysis.correlograms(trains, 1.0, 10.0), analysis.power_spectrum(trains, 1000.0)
    related = analysis.coherence(trains, 1000.0, pairs=[(0, 1)])
    for draw, found in (
        (plots.correlogram, lags),
        (plots.correlogram, analysis.autocorrelograms(trains, 1.0, 10.0)),
        (plots.correlogram_matrix, lags),
        (plots.spectrum, bands),
        (plots.coherence, related),
        (plots.pair_matrix, np.eye(3)),
    ):
        axes = blank(3).subplots()
        assert draw(found, ax=axes) is axes
        assert axes.get_xlabel() and axes.get_ylabel()
        axes.figure.canvas.draw()


def test_nothing_to_show_is_shown_without_a_warning():
    silent = SpikeTrains([], np.empty(0, int), 2, 0, 1000)
    plots.correlogram(analysis.correlograms(silent, 1.0, 5.0)).figure.canvas.draw()
    plots.correlogram_matrix(analysis.correlograms(silent, 1.0, 5.0)).figure.canvas.draw()
    plots.spectrum(analysis.power_spectrum(silent)).figure.canvas.draw()
    plots.pair_matrix(np.full((2, 2), np.nan)).figure.canvas.draw()


def test_bad_input_is_told_in_a_sentence(trains):
    found = analysis.correlograms(trains, 1.0, 10.0)
    for pair, sentence in (
        (10, "pair is 10; it must be at least 0"),
        ((0, 9), r"pair is \(0, 9\)"),
    ):
        with pytest.raises(ValueError, match=sentence):
            plots.correlogram(found, pair)
    with pytest.raises(ValueError, match="what is 'rate'"):
        plots.correlogram(found, what="rate")
    with pytest.raises(ValueError, match="must be of 2 to 30 neurons"):
        plots.correlogram_matrix(analysis.correlograms(trains.select([0]), 1.0, 10.0))
    with pytest.raises(ValueError, match=r"must be a square matrix; got the shape \(2, 3\)"):
        plots.pair_matrix(np.ones((2, 3)))
