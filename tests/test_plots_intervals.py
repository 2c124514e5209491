"""Figures of intervals, counts and distances show the numbers they are given."""

import io
import warnings

import numpy as np
import pytest

import spikesim.analysis as analysis
from spikesim import SpikeTrains, plots
from spikesim.plots import blank

WINDOWS = np.geomspace(2, 500, 6)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


@pytest.fixture
def trains():
    return analysis.bursty_trains(12, 10.0, 20_000.0, seed=1)


def every(trains):
    """All figures, as functions of an axes or none."""
    edges = [0.0, 5.0, 10.0, 50.0]
    return {
        "histogram": lambda ax: plots.interval_histogram(analysis.isi_histogram(trains, edges), ax),
        "log": lambda ax: plots.interval_histogram(
            analysis.isi_histogram(trains, 20, scale="log", per_neuron=True), ax
        ),
        "cv": lambda ax: plots.cv_distribution(analysis.lv(trains), ax, name="LV"),
        "hazard": lambda ax: plots.hazard(analysis.hazard(trains, edges), ax),
        "log hazard": lambda ax: plots.hazard(analysis.hazard(trains, 10, scale="log"), ax),
        "matrix": lambda ax: plots.distance_matrix(analysis.spike_synchronisation(trains), ax),
        "fano": lambda ax: plots.fano_curve(WINDOWS, analysis.fano_factor(trains, WINDOWS), ax),
    }


def drawn(axes):
    axes.figure.savefig(io.BytesIO(), format="png", dpi=50)
    return axes


@pytest.mark.parametrize("spikes", ["many", "none", "nobody"])
def test_figures_are_drawn_into_axes_that_are_given_or_made(trains, spikes):
    if spikes != "many":
        trains = SpikeTrains([], [], 3 if spikes == "none" else 0, 0, 1000)
    for name, draw in every(trains).items():
        if name == "matrix" and spikes == "nobody":
            continue
        given = blank(3.0).subplots()
        assert draw(given) is given
        for axes in (drawn(given), draw(None)):
            assert axes.get_xlabel() and axes.get_ylabel()


def test_histograms_show_shares(trains):
    histogram = analysis.isi_histogram(trains, [0.0, 5.0, 10.0, 50.0])
    axes = plots.interval_histogram(histogram)
    values = axes.patches[0].get_data().values
    np.testing.assert_allclose(values, 100 * histogram.density)
    assert "outside" in axes.get_title(loc="right") and axes.get_xscale() == "linear"
    logarithmic = plots.interval_histogram(analysis.isi_histogram(trains, 20, scale="log"))
    assert logarithmic.get_xscale() == "log"
    assert logarithmic.patches[0].get_data().values.sum() == pytest.approx(100)


def test_hazard_shows_its_limits(trains):
    found = analysis.hazard(trains, np.arange(0, 200, 10.0))
    axes = plots.hazard(found)
    band, line = (patch.get_data() for patch in axes.patches)
    np.testing.assert_allclose(line.values, found.rate)
    np.testing.assert_allclose(band.values, found.high)
    np.testing.assert_allclose(band.baseline, found.low)


def test_distances_are_in_their_places(trains):
    distances = analysis.spike_distance(trains)
    axes = plots.distance_matrix(distances, name="SPIKE-distance")
    np.testing.assert_array_equal(axes.images[0].get_array(), distances)
    with pytest.raises(ValueError, match=r"^distances has shape \(2, 3\); it must have shape"):
        plots.distance_matrix(np.zeros((2, 3)))


def test_the_curve_is_the_median_in_order_of_windows(trains):
    factors = analysis.fano_factor(trains, WINDOWS)
    factors[2, 3] = np.nan
    axes = plots.fano_curve(WINDOWS[::-1], factors[::-1])
    x, y = axes.lines[0].get_data()
    np.testing.assert_allclose(x, WINDOWS)
    np.testing.assert_allclose(y, np.nanmedian(factors, axis=1))
    with pytest.raises(ValueError, match=r"^factors has shape \(6, 12\); it must have shape"):
        plots.fano_curve(WINDOWS[:3], factors)
