"""Figures of phases, fields and models of spikes show the numbers they are given."""

import io
import warnings

import numpy as np
import pytest

import spikesim.analysis as analysis
from spikesim import SpikeTrains, plots

CLOCK = analysis.periodic_phase(125.0)


@pytest.fixture(autouse=True)
def no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def trains_of(n=400, size=2, seed=0):
    rng = np.random.default_rng(seed)
    phases = rng.vonmises(2.0, 1.0, n) % (2 * np.pi)
    times = 125.0 * (rng.integers(0, 160, n) + phases / (2 * np.pi)) + 0.01
    return SpikeTrains(times, rng.integers(0, size, n), size, 0.0, 20_001.0)


def precession(trains):
    places = np.linspace(0.0, 100.0, 20_001)
    fields = analysis.PlaceFields(*(np.array([x]) for x in (0, 10.0, 90.0, 50.0, 5.0)))
    times = np.arange(20_001.0)
    return analysis.phase_precession(trains, CLOCK, places, times, fields, shuffles=19, seed=0)


def every(trains):
    """All figures, as functions of an axes or none."""
    x = np.cos(2 * np.pi * np.arange(20_001) / 125.0)
    average = analysis.spike_triggered_average(
        trains, x, 100.0, 100.0, sampling=1000.0, shifts=19, seed=0
    )
    coherence = analysis.spike_field_coherence(trains, x, 1000.0, sampling=1000.0, highest=50.0)
    compression = analysis.sequence_compression(
        trains, np.arange(trains.size) * 5.0, 30.0, 125.0, reach=20.0
    )
    counts = trains.count(1.0)[:, 0] if len(trains) else np.zeros(20, int)
    rescaled = analysis.time_rescaling(counts, np.full(counts.size, 0.02), seed=0)
    draws = {
        "histogram": lambda ax: plots.phase_histogram(analysis.phase_rates(trains, CLOCK), ax=ax),
        "precession": lambda ax: plots.phase_precession(precession(trains), ax=ax),
        "average": lambda ax: plots.triggered_average(average, ax=ax),
        "coherence": lambda ax: plots.field_coherence(coherence, ax=ax),
        "compression": lambda ax: plots.compression(compression, ax=ax),
        "rescaling": lambda ax: plots.rescaling(rescaled, ax=ax),
    }
    if len(trains):
        model = analysis.fit_glm(
            trains.select([0, 1]),
            0,
            1.0,
            stimulus=np.ones(20_001) * x,
            history=analysis.RaisedCosines(3, 5.0, 40.0),
            coupling=analysis.Exponentials((20.0,)),
            ridge=1.0,
        )
        draws["glm"] = lambda ax: plots.glm_filters(model, ax=ax)
    return draws


def drawn(axes):
    axes.figure.savefig(io.BytesIO(), format="png", dpi=50)
    return axes


@pytest.mark.parametrize("n", [400, 0])
def test_figures_are_drawn_into_axes_that_are_given_or_made(n):
    for draw in every(trains_of(n)).values():
        given = plots.blank(3.0).subplots()
        assert draw(given) is given
        for axes in (drawn(given), draw(None)):
            assert axes.get_xlabel() and axes.get_ylabel() and axes.get_title(loc="left")


def test_rates_by_phase_are_drawn_twice():
    trains = trains_of()
    found = analysis.phase_rates(trains, CLOCK, 12)
    steps = plots.phase_histogram(found, 1).patches[0].get_data()
    np.testing.assert_allclose(steps.values, np.tile(found.rates[1], 2))
    np.testing.assert_allclose(steps.edges, np.arange(0, 721, 30))


def test_the_line_is_the_one_that_was_fitted():
    found = precession(trains_of())
    axes = plots.phase_precession(found)
    points, again, *lines = axes.lines
    np.testing.assert_allclose(points.get_ydata(), np.degrees(found.phase))
    np.testing.assert_allclose(again.get_ydata() - points.get_ydata(), 360)
    for line in lines:
        low, high = line.get_ydata()
        assert high - low == pytest.approx(360 * found.pooled.slope[0])
        assert (low - np.degrees(found.pooled.offset[0])) % 360 == pytest.approx(0, abs=1e-6)


def test_the_band_of_rescaling_is_the_one_of_the_test():
    rng = np.random.default_rng(0)
    found = analysis.time_rescaling(rng.random(5000) < 0.05, np.full(5000, 0.05), seed=0)
    axes = plots.rescaling(found)
    corners = axes.collections[0].get_paths()[0].vertices
    assert np.ptp(corners[corners[:, 0] == 0, 1]) == pytest.approx(2 * found.band)
    np.testing.assert_array_equal(axes.lines[1].get_ydata(), found.uniform)


def test_legends_say_what_levels_hold_for_and_hide_no_curve():
    trains = trains_of()
    x = np.cos(2 * np.pi * np.arange(20_001) / 125.0)
    for alpha, told in (0.05, "95 %"), (0.1, "90 %"):
        average = analysis.spike_triggered_average(
            trains, x, 100.0, 100.0, sampling=1000.0, shifts=19, alpha=alpha, seed=0
        )
        axes = drawn(plots.triggered_average(average))
        text = axes.get_legend().get_texts()[0].get_text()
        assert text == f"{told} of shifted spikes, all lags together"
        assert beside(axes)
    coherence = analysis.spike_field_coherence(trains, x, 1000.0, sampling=1000.0, highest=50.0)
    axes = drawn(plots.field_coherence(coherence, alpha=0.01))
    assert axes.get_legend().get_texts()[0].get_text() == "p = 0.01 at each frequency alone"
    assert beside(axes)


def beside(axes):
    """Whether the legend lies outside of where curves are drawn, and below the title."""
    legend, inner = axes.get_legend().get_window_extent(), axes.get_window_extent()
    title = axes._left_title.get_window_extent()
    return inner.y1 - 1 <= legend.y0 and legend.y1 <= title.y0 + 1


def test_neurons_that_are_not_there_are_refused():
    trains = trains_of()
    with pytest.raises(ValueError, match="neuron is 5"):
        plots.phase_histogram(analysis.phase_rates(trains, CLOCK), 5)
    nobody = analysis.phase_rates(trains.select([]), CLOCK)
    with pytest.raises(ValueError, match=r"^neuron is 0; there is no neuron to draw\.$"):
        plots.phase_histogram(nobody)
    with pytest.raises(ValueError, match="which is 1"):
        plots.phase_precession(precession(trains), 1)


RESULTS = """
codes coherence compression confusion correlogram correlogram_matrix decoded field_coherence
glm_filters hazard interval_histogram latencies phase_histogram phase_precession psth rate_curves
rescaling spectrum triggered_average tuning
""".split()


@pytest.mark.parametrize("name", RESULTS)
def test_a_result_of_another_kind_is_refused(name):
    rates = analysis.phase_rates(trains_of(), CLOCK)
    for other in (None, analysis.mean_vector([1.0]) if name == "phase_histogram" else rates):
        with pytest.raises(TypeError, match="is of type .*; it must be of type .*, which .* gives"):
            getattr(plots, name)(other)
