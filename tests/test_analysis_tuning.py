"""Tuning curves: time and spikes of the same samples, on lines, circles and planes."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from spikesim.analysis import (
    NaiveBayesFit,
    TuningCurves,
    information_per_spike,
    population_vector,
    preferred_value,
    tuning_by_trial,
    tuning_curves,
    tuning_width,
)
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

DURATION, STEP = 60_000.0, 10.0  # ms


def walk(seed=1, dimensions=1):
    """A smooth path in [0, 1] and when it was sampled."""
    rng = np.random.default_rng(seed)
    times = np.arange(STEP / 2, DURATION, STEP)
    path = np.cumsum(rng.normal(0, 0.02, (len(times), dimensions)), axis=0)
    path = np.abs(np.mod(path, 2.0) - 1.0)  # reflected
    return (path[:, 0] if dimensions == 1 else path), times


def firing(rate_of, times, size, seed=2, support=None):
    """Poisson trains whose rates (Hz) are those of (samples, neurons)."""
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate_of * STEP / 1000)
    sample, neuron = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    at = times[sample] + rng.uniform(-STEP / 2, STEP / 2, len(sample))
    support = support or Windows(0.0, DURATION)
    kept = support.contains(at)
    return SpikeTrains(at[kept], neuron[kept], size, support=support)


def bumps(x, size, width=0.1):
    """Rates of neurons that prefer places along [0, 1]."""
    return 1 + 20 * np.exp(-(((x[:, None] - np.linspace(0, 1, size)) / width) ** 2) / 2)


def twin(trains, feature, times, edges, reach):
    """Spike by spike, sample by sample."""
    counts, time = np.zeros((trains.size, len(edges) - 1)), np.zeros(len(edges) - 1)
    for k, (t, x) in enumerate(zip(times, feature, strict=True)):
        low = max(t - reach, (times[k - 1] + t) / 2 if k else -np.inf)
        high = min(t + reach, (times[k + 1] + t) / 2 if k + 1 < len(times) else np.inf)
        bin = [
            b
            for b in range(len(edges) - 1)
            if edges[b] <= x < edges[b + 1] or (x == edges[-1] and b == len(edges) - 2)
        ]
        if not bin:
            continue
        for start, stop in trains.support:
            time[bin[0]] += max(0.0, min(high, stop) - max(low, start))
        for at, i in zip(trains.times, trains.neurons, strict=True):
            counts[i, bin[0]] += low < at <= high
    return counts, time


@settings(max_examples=50, deadline=None)
@given(
    st.lists(st.floats(0.1, 99.9), min_size=1, max_size=20, unique=True),
    st.lists(st.floats(0.1, 100), max_size=25),
    st.sampled_from([1.0, 4.0, 30.0]),
    st.integers(0, 2**32 - 1),
)
def test_time_and_spikes_are_those_of_the_slow_twin(at, spikes, reach, seed):
    rng = np.random.default_rng(seed)
    at = np.unique([*at, 20.0])  # one sample at least lies in the support
    feature = rng.uniform(-0.1, 1.1, len(at))
    feature[rng.random(len(at)) < 0.1] = np.nan
    support = Windows([0.0, 60.0], [50.0, 100.0])
    spikes = np.array(spikes)[support.contains(spikes)] if spikes else np.array([])
    trains = SpikeTrains(spikes, rng.integers(0, 2, len(spikes)), 2, support=support)
    edges = np.array([0.0, 0.3, 0.5, 1.0])
    curves = tuning_curves(trains, feature, at, bins=edges, reach=reach)
    counts, time = twin(trains, feature, at, edges, reach)
    np.testing.assert_array_equal(curves.counts, counts)
    np.testing.assert_allclose(curves.occupancy, time, atol=1e-9)
    seen = time > 0
    np.testing.assert_allclose(curves.rates[:, seen], 1000 * counts[:, seen] / time[seen])
    assert np.isnan(curves.rates[:, ~seen]).all()


def test_curves_are_those_of_pynapple():
    nap = pytest.importorskip("pynapple")
    path, times = walk()
    trains = firing(bumps(path, 5), times, 5)
    ours = tuning_curves(trains, path, times, bins=12, range=(0.0, 1.0), reach=STEP / 2)
    whole = nap.IntervalSet(0, DURATION / 1000)
    group = nap.TsGroup({i: nap.Ts(t / 1000) for i, t in enumerate(trains)}, time_support=whole)
    tsd = nap.Tsd(times / 1000, path, time_support=whole)
    theirs = nap.compute_tuning_curves(group, tsd, bins=12, range=[(0.0, 1.0)])
    np.testing.assert_allclose(ours.rates, theirs.values, rtol=1e-9)
    np.testing.assert_allclose(ours.occupancy, theirs.attrs["occupancy"] * STEP, rtol=1e-9)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        there = nap.compute_mutual_information(theirs)["bits/spike"].values
    np.testing.assert_allclose(information_per_spike(ours), there, rtol=1e-9)


def test_curves_of_two_dimensions_are_those_of_pynapple():
    nap = pytest.importorskip("pynapple")
    path, times = walk(3, 2)
    rates = bumps(path[:, 0], 3, 0.3) + bumps(path[:, 1], 3, 0.2)
    trains = firing(rates, times, 3)
    ours = tuning_curves(
        trains, path, times, bins=(6, 4), range=[(0.0, 1.0), (0.0, 1.0)], reach=STEP / 2
    )
    whole = nap.IntervalSet(0, DURATION / 1000)
    group = nap.TsGroup({i: nap.Ts(t / 1000) for i, t in enumerate(trains)}, time_support=whole)
    tsd = nap.TsdFrame(times / 1000, path, time_support=whole)
    theirs = nap.compute_tuning_curves(group, tsd, bins=(6, 4), range=[(0.0, 1.0), (0.0, 1.0)])
    assert ours.rates.shape == (3, 6, 4)
    edges = np.linspace(0, 1, 7), np.linspace(0, 1, 5)
    given = tuning_curves(trains, path, times, bins=edges, reach=STEP / 2)
    np.testing.assert_array_equal(given.counts, ours.counts)
    same = tuning_curves(trains, path, times, bins=edges[0], reach=STEP / 2)
    np.testing.assert_array_equal(same.counts.sum(axis=2), ours.counts.sum(axis=2))
    mixed = tuning_curves(trains, path, times, bins=(6, 4), range=[None, (0.0, 1.0)])
    assert mixed.edges[0][0] == path[:, 0].min() and mixed.edges[1][0] == 0.0
    np.testing.assert_allclose(ours.rates, theirs.values, rtol=1e-9)
    assert "3 neurons in 6 x 4 bins" in repr(ours)


def test_gaps_of_the_feature_are_no_time_and_have_no_spikes_unlike_in_pynapple():
    nap = pytest.importorskip("pynapple")
    times = np.r_[np.arange(5.0, 1000.0, 10.0), np.arange(9005.0, 10_000.0, 10.0)]
    feature = np.repeat([0.2, 0.8], 100)
    trains = SpikeTrains(np.arange(50.0, 10_000.0, 100.0), np.zeros(100, int), 1, 0.0, 10_000.0)
    ours = tuning_curves(trains, feature, times, bins=2, range=(0.0, 1.0))
    np.testing.assert_allclose(ours.occupancy, [1005.0, 1005.0])  # half a sample into the gap
    np.testing.assert_allclose(ours.rates, 10.0, rtol=0.01)
    whole = nap.IntervalSet(0, 10)
    group = nap.TsGroup({0: nap.Ts(trains.times / 1000)}, time_support=whole)
    tsd = nap.Tsd(times / 1000, feature, time_support=whole)
    theirs = nap.compute_tuning_curves(group, tsd, bins=2, range=[(0.0, 1.0)], fs=100.0)
    np.testing.assert_allclose(theirs.values, 50.0, rtol=0.02)  # nearest sample, without limit
    long = tuning_curves(trains, feature, times, bins=2, range=(0.0, 1.0), reach=5000.0)
    np.testing.assert_allclose(long.occupancy, [5000.0, 5000.0])
    np.testing.assert_allclose(long.rates, 10.0)


def test_gaps_of_the_recording_are_no_time():
    path, times = walk()
    support = Windows([0.0, 30_000.0], [20_000.0, DURATION])
    trains = firing(bumps(path, 4), times, 4, support=support)
    curves = tuning_curves(trains, path, times, bins=5, range=(0.0, 1.0))
    assert curves.occupancy.sum() == pytest.approx(50_000.0, abs=1e-6)
    assert curves.counts.sum() == len(trains)


def test_one_lost_sample_is_filled_and_more_are_not():
    times = np.delete(np.arange(5.0, 1000.0, 10.0), [20, 50, 51, 52])
    trains = SpikeTrains([], [], 1, 0.0, 1000.0)
    curves = tuning_curves(trains, np.zeros(len(times)), times, bins=1)
    # Of the three lost in a row half an interval on both sides is filled.
    assert curves.occupancy.sum() == pytest.approx(1000.0 - 20.0)


def test_the_last_bin_holds_its_end():
    trains = SpikeTrains([25.0], [0], 1, 0.0, 30.0)
    curves = tuning_curves(trains, [0.0, 0.5, 1.0], [5.0, 15.0, 25.0], bins=2, reach=5.0)
    np.testing.assert_array_equal(curves.occupancy, [10.0, 20.0])
    np.testing.assert_array_equal(curves.counts, [[0, 1]])


def test_unvisited_bins_are_nan_smoothed_or_not():
    path, times = walk()
    path = 0.3 * path
    trains = firing(bumps(path, 2), times, 2)
    for smooth in (0.0, 0.05):
        curves = tuning_curves(trains, path, times, bins=10, range=(0.0, 1.0), smooth=smooth)
        assert np.isnan(curves.rates[:, 4:]).all() and np.isfinite(curves.rates[:, :3]).all()
    flat = firing(np.full((len(times), 1), 30.0), times, 1, seed=5)
    rough = tuning_curves(flat, path, times, bins=12, range=(0.0, 0.3))
    smooth = tuning_curves(flat, path, times, bins=12, range=(0.0, 0.3), smooth=0.1)
    assert smooth.rates.std() < 0.5 * rough.rates.std()


def test_smoothing_goes_around_a_circle():
    angle = np.arange(3600) * 0.1 + 0.05
    times = np.arange(3600) * 10.0 + 5.0
    trains = SpikeTrains(times[(angle < 10)], np.zeros((angle < 10).sum(), int), 1, 0.0, 36_000.0)
    curves = tuning_curves(trains, angle, times, bins=36, period=360.0, smooth=20.0, reach=5.0)
    np.testing.assert_allclose(curves.rates[0], np.roll(curves.rates[0, ::-1], 1), rtol=1e-9)
    assert curves.rates[0, 0] == curves.rates.max() and curves.rates[0, 35] > curves.rates[0, 18]
    line = tuning_curves(trains, angle, times, bins=36, range=(0.0, 360.0), smooth=20.0)
    assert line.rates[0, 35] < 1e-6


def test_an_occupancy_that_is_given_is_taken():
    path, times = walk()
    trains = firing(bumps(path, 2), times, 2)
    given = np.full(5, 1234.0)
    curves = tuning_curves(trains, path, times, bins=5, range=(0.0, 1.0), occupancy=given)
    np.testing.assert_allclose(curves.rates, curves.counts / 1.234)
    with pytest.raises(ValueError, match=r"occupancy has shape \(4,\)"):
        tuning_curves(trains, path, times, bins=5, occupancy=np.ones(4))


def test_the_true_curve_is_found_within_its_error():
    path, times = walk(7)
    trains = firing(bumps(path, 6), times, 6, seed=8)
    curves = tuning_curves(trains, path, times, bins=25, range=(0.0, 1.0))
    there = bumps(curves.values[0], 6).T
    expected = there * curves.occupancy / 1000
    z = (curves.counts - expected) / np.sqrt(expected)
    assert 0.8 < (z**2).mean() < 1.25  # chi^2 of Poisson counts, 150 of them


def test_tuning_by_trial_counts_spikes_of_the_trials():
    rng = np.random.default_rng(3)
    angles = np.repeat([0.0, 90.0, 180.0, 270.0], 10)
    n = rng.poisson(5 + 4 * np.cos(np.deg2rad(angles))[:, None] * [1, -1])
    trial, neuron = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    times = rng.uniform(0, 200, len(trial))
    aligned = AlignedTrains(times, neuron, trial, 2, 40, -100.0, 300.0, {"angle": angles})
    curves = tuning_by_trial(aligned, "angle", window=(0.0, 200.0), period=360.0)
    np.testing.assert_array_equal(curves.values[0], [0.0, 90.0, 180.0, 270.0])
    means = n.reshape(4, 10, 2).mean(axis=1)
    np.testing.assert_allclose(curves.rates, 5 * means.T)
    np.testing.assert_array_equal(curves.occupancy, [2000.0] * 4)
    whole = tuning_by_trial(aligned, angles + 720.0, period=360.0, bins=4)
    np.testing.assert_array_equal(whole.counts, curves.counts)
    np.testing.assert_array_equal(whole.occupancy, [4000.0] * 4)
    some = tuning_by_trial(aligned, np.where(angles > 100, np.nan, angles))
    np.testing.assert_array_equal(some.values[0], [0.0, 90.0])
    np.testing.assert_array_equal(some.edges[0], [-45.0, 45.0, 135.0])
    np.testing.assert_array_equal(some.counts, whole.counts[:, :2])


# Numbers of curves


def curve_of(rates, values, period=None):
    """Tuning curves with these rates, from a second in each bin."""
    rates = np.atleast_2d(rates)
    step = values[1] - values[0]
    times = np.arange(len(values)) * 1000.0 + 500.0
    n = np.rint(rates * 100).astype(int)
    neuron, bin = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    trains = SpikeTrains(times[bin], neuron, len(rates), 0.0, 1000.0 * len(values))
    edges = np.r_[values - step / 2, values[-1] + step / 2]
    return tuning_curves(
        trains, values, times, bins=len(values) if period else edges, period=period, reach=500.0
    )


def test_preferred_values_on_a_line_and_a_circle():
    x = np.arange(0.5, 20.0)
    gauss = 50 * np.exp(-(((x - 7.3) / 2) ** 2) / 2)
    curves = curve_of([gauss, np.zeros(20)], x)
    peak, mean = preferred_value(curves), preferred_value(curves, "mean")
    assert peak[0] == 7.5 and np.isnan(peak[1]) and np.isnan(mean[1])
    assert mean[0] == pytest.approx(7.3, abs=0.01)
    angle = np.arange(5.0, 360.0, 10.0)
    for preferred in (3.0, 90.0, 355.0):
        cosine = 20 + 15 * np.cos(np.deg2rad(angle - preferred))
        curves = curve_of(cosine, angle, 360.0)
        apart = preferred_value(curves)[0] - preferred
        assert abs((apart + 180) % 360 - 180) < 0.05 and 0 <= preferred_value(curves)[0] < 360
        assert preferred_value(curves, "peak")[0] == angle[np.argmax(curves.rates[0])]


def test_circular_means_are_those_of_astropy():
    astropy = pytest.importorskip("astropy.stats", reason="astropy is the judge")
    angle = np.arange(5.0, 360.0, 10.0)
    curves = curve_of(20 + 15 * np.cos(np.deg2rad(angle - 200.0)), angle, 360.0)
    mean = astropy.circmean(np.deg2rad(angle), weights=curves.rates[0])
    assert preferred_value(curves)[0] == pytest.approx(np.rad2deg(mean) % 360, abs=1e-8)


def test_means_do_not_depend_on_how_wide_bins_are():
    x, times = np.linspace(0, 10, 2000, endpoint=False), np.arange(2000) * 10.0 + 5.0
    rates = 40 * np.exp(-(((x[:, None] - 4.0) / 1.0) ** 2) / 2)
    trains = firing(rates, times, 1)
    even = np.linspace(0, 10, 41)
    uneven = np.r_[np.linspace(0, 4, 5), np.linspace(4, 10, 61)[1:]]
    for edges in (even, uneven):
        curves = tuning_curves(trains, x, times, bins=edges, reach=5.0)
        assert preferred_value(curves, "mean")[0] == pytest.approx(4.0, abs=0.15)


def test_preferred_values_in_the_plane():
    path, times = walk(3, 2)
    rates = 40 * np.exp(-(((path - [0.25, 0.65]) / 0.1) ** 2).sum(axis=1, keepdims=True) / 2)
    curves = tuning_curves(firing(rates, times, 1), path, times, bins=(10, 20), range=[(0, 1)] * 2)
    assert preferred_value(curves).shape == (1, 2)
    np.testing.assert_allclose(preferred_value(curves)[0], [0.25, 0.65], atol=0.11)
    np.testing.assert_allclose(preferred_value(curves, "mean")[0], [0.25, 0.65], atol=0.05)
    with pytest.raises(ValueError, match="curves have 2 dimensions; the width is"):
        tuning_width(curves)


def test_the_width_is_that_at_half_height():
    x = np.arange(0.0, 40.0, 0.25)
    triangle = np.maximum(0, 60 - 6 * np.abs(x - 20.0))
    assert tuning_width(curve_of(triangle, x))[0] == pytest.approx(10.0, abs=1e-6)
    gauss = 100 * np.exp(-(((x - 20) / 3) ** 2) / 2)
    wide = 2 * np.sqrt(2 * np.log(2)) * 3
    assert tuning_width(curve_of(gauss, x))[0] == pytest.approx(wide, rel=0.002)
    edge = 100 * np.exp(-(((x - 1) / 3) ** 2) / 2)
    assert np.isnan(tuning_width(curve_of(edge, x))[0])  # the left side is not there
    assert np.isnan(tuning_width(curve_of(np.full(160, 5.0), x))[0])
    angle = np.arange(5.0, 360.0, 10.0)
    for preferred in (0.0, 175.0, 355.0):
        cosine = 30 + 20 * np.cos(np.deg2rad(angle - preferred))
        assert tuning_width(curve_of(cosine, angle, 360.0))[0] == pytest.approx(180.0, rel=0.01)
    two = curve_of(30 + 20 * np.cos(np.deg2rad(2 * angle)), angle, 360.0)
    assert tuning_width(two)[0] == pytest.approx(90.0, rel=0.03)


def test_information_per_spike_has_closed_forms():
    x = np.arange(0.5, 8.0)
    one_place = np.where(np.arange(8) == 2, 10.0, 0.0)
    curves = curve_of([one_place, np.full(8, 3.0), np.zeros(8), [4, 4, 4, 4, 0, 0, 0, 0]], x)
    found = information_per_spike(curves)
    np.testing.assert_allclose(found[[0, 1, 3]], [3.0, 0.0, 1.0], atol=1e-12)
    assert np.isnan(found[2])


def test_information_per_spike_of_untuned_neurons_is_what_is_said():
    path, times = walk(4)
    flat = firing(np.full((len(times), 200), 2.0), times, 200, seed=6)
    curves = tuning_curves(flat, path, times, bins=10, range=(0.0, 1.0))
    said = 9 / (2 * np.log(2) * curves.counts.sum(axis=1))
    assert information_per_spike(curves).mean() == pytest.approx(said.mean(), rel=0.15)


# Population vector


def test_the_population_vector_points_to_the_stimulus_if_preferences_are_even():
    preferred = np.arange(0, 360, 30.0)
    shown = np.array([10.0, 200.0, 359.0])
    rates = 20 + 15 * np.cos(np.deg2rad(shown[:, None] - preferred))
    found = population_vector(rates, preferred, baseline=20.0, scale=15.0, period=360.0)
    np.testing.assert_allclose(found.direction, shown, atol=1e-9)
    np.testing.assert_allclose(found.length, 6.0)
    radians = population_vector(rates, np.deg2rad(preferred), baseline=20.0)
    np.testing.assert_allclose(radians.direction, np.deg2rad(shown), atol=1e-9)
    busy = 30.0 * (np.arange(12) < 4)  # fires besides, whatever is shown
    given = population_vector(rates + busy, preferred, baseline=20.0 + busy, period=360.0)
    np.testing.assert_allclose(given.direction, shown, atol=1e-9)
    unlike = population_vector(rates * 2, preferred, baseline=40.0, scale=30.0, period=360.0)
    np.testing.assert_allclose(unlike.vector, found.vector, atol=1e-9)
    vectors = np.stack([np.cos(np.deg2rad(preferred)), np.sin(np.deg2rad(preferred))], axis=1)
    given = population_vector(rates, 7 * vectors, baseline=20.0)
    np.testing.assert_allclose(given.vector, radians.vector, atol=1e-9)
    one = population_vector(rates[0], preferred, period=360.0)
    assert one.direction.shape == () and one.vector.shape == (2,)


def test_votes_of_no_neuron_and_in_space():
    preferred = np.array([0.0, np.nan])
    found = population_vector([[3.0, 100.0], [0.0, 5.0]], preferred)
    np.testing.assert_allclose(found.vector, [[3.0, 0.0], [0.0, 0.0]], atol=1e-12)
    assert found.direction[0] == 0 and np.isnan(found.direction[1])
    space = population_vector([1.0, 2.0], np.array([[1.0, 0, 0], [0, 0, 2.0]]))
    np.testing.assert_allclose(space.vector, [1, 0, 2])
    assert space.direction.shape == (0,) and space.length == pytest.approx(np.sqrt(5))
    with pytest.raises(ValueError, match=r"responses has shape \(3,\) and preferred \(2,\)"):
        population_vector([1.0, 2.0, 3.0], [0.0, 1.0])
    with pytest.raises(ValueError, match="scale is 0; it must be"):
        population_vector([1.0, 2.0], [0.0, 1.0], scale=0)
    with pytest.raises(ValueError, match="baseline has 3 numbers; it must have 2, or one"):
        population_vector([1.0, 2.0], [0.0, 1.0], baseline=[1.0, 2.0, 3.0])


# Empty, bad


def test_nothing_gives_nothing_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 2):
            trains = SpikeTrains([], [], size, 0.0, 100.0)
            none = tuning_curves(trains, [], [], bins=4)
            assert none.rates.shape == (size, 4) and np.isnan(none.rates).all()
            some = tuning_curves(trains, [0.1, 0.9], [10.0, 20.0], bins=3)
            assert (some.counts == 0).all() and some.rates.shape == (size, 3)
            unknown = tuning_curves(trains, [np.nan] * 3, [10.0, 20.0, 30.0], bins=4)
            assert np.isnan(unknown.rates).all()
            for curves in (none, some, unknown):
                for number in (preferred_value, tuning_width, information_per_spike):
                    assert number(curves).shape == (size,) and np.isnan(number(curves)).all()
                repr(curves)
            trials = tuning_by_trial(trains.align([], 1.0, 1.0), [])
            assert trials.rates.shape == (size, 0)
            assert np.isnan(preferred_value(trials)).all()
        assert population_vector(np.zeros((2, 0)), np.zeros(0)).length.shape == (2,)


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ({"times": [1.0, 2.0]}, r"feature has shape \(3,\) and times \(2,\)"),
        ({"times": [1.0, 3.0, 2.0]}, "times must be finite and rise"),
        ({"times": [1.0, 2.0, 2.0]}, "times must be finite and rise"),
        ({"times": [1.0, 2.0, np.nan]}, "times must be finite and rise"),
        ({"feature": np.zeros((3, 3))}, r"feature has shape \(3, 3\); it must be"),
        ({"bins": 0}, "bins is 0"),
        ({"bins": [0.0, 0.0, 1.0]}, "edges must be two numbers at least, each above"),
        ({"range": (0.0, 1.0), "bins": [0.0, 1.0, 2.0]}, "but bins hold edges.*leave it out"),
        ({"range": (1.0, 0.0)}, r"range is \(1.0, 0.0\); it must be two finite"),
        ({"range": (1.0, np.nan)}, r"range is \(1.0, nan\); it must be two finite"),
        ({"range": [(0, 1), (0, 1)]}, r"it must be two numbers, or 1 pairs"),
        ({"times": [21.0, 22.0, 23.0]}, "none of the samples tells of the trains"),
        ({"period": -1.0}, "period is -1.0"),
        ({"period": (1.0, 2.0)}, r"period is \(1.0, 2.0\); it must be one number or 1"),
        ({"smooth": -1.0}, "smooth is -1.0"),
        ({"reach": 0.0}, "reach is 0.0"),
    ],
)
def test_bad_arguments_are_named(change, told):
    good = {"feature": [0.1, 0.2, 0.3], "times": [1.0, 2.0, 3.0]}
    with pytest.raises(ValueError, match=told):
        tuning_curves(SpikeTrains([], [], 1, 0.0, 10.0), **{**good, **change})


def test_bad_trials_are_named():
    aligned = AlignedTrains([1.0], [0], [0], 1, 2, -5.0, 5.0, {"side": [1, 2]})
    with pytest.raises(ValueError, match="feature is 'sid'; the trials have these labels: 'side'"):
        tuning_by_trial(aligned, "sid")
    with pytest.raises(ValueError, match=r"feature has shape \(3,\)"):
        tuning_by_trial(aligned, [1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match=r"window\[1\] is 9.0"):
        tuning_by_trial(aligned, "side", window=(0.0, 9.0))


def test_poisson_counts_of_a_curve_have_their_variance():
    path, times = walk(9)
    trains = firing(np.full((len(times), 500), 10.0), times, 500, seed=3)
    curves = tuning_curves(trains, path, times, bins=4, range=(0.0, 1.0))
    z = (curves.counts - curves.occupancy / 100) / np.sqrt(curves.occupancy / 100)
    assert stats.kstest(z.ravel(), "norm").pvalue > 1e-3


def by_value(values, n):
    """Trials of 1000 ms, one of each value, in which neuron 0 fires n[i] times."""
    trials = np.repeat(np.arange(len(values)), n)
    times = np.linspace(10.0, 990.0, len(trials))
    return AlignedTrains(
        times, np.zeros(len(trials), int), trials, 1, len(values), 0.0, 1000.0, {"x": values}
    )


def test_values_without_bins_are_smoothed_by_how_far_apart_they_are():
    values, n = np.array([1.0, 2.0, 10.0]), np.array([4, 8, 30])
    found = tuning_by_trial(by_value(values, n), "x", smooth=1.5)
    weights = np.exp(-(((values[:, None] - values) / 1.5) ** 2) / 2)
    np.testing.assert_allclose(found.rates[0], weights @ n / weights.sum(axis=1), rtol=1e-12)
    np.testing.assert_array_equal(found.values[0], values)


def test_a_range_needs_bins():
    with pytest.raises(ValueError, match="no bins"):
        tuning_by_trial(by_value([1.0, 2.0], [1, 1]), "x", range=(0.0, 2.0))


@pytest.mark.parametrize("first", [-np.pi, 0.0, 1.0, 7.0])
def test_edges_may_begin_anywhere_on_the_circle(first):
    times = np.arange(STEP / 2, DURATION, STEP)
    angle = np.random.default_rng(3).uniform(-20, 20, len(times))
    trains = firing(2 + 9 * (1 + np.cos(angle[:, None])), times, 1)
    edges = np.linspace(first, first + 2 * np.pi, 9)
    found = tuning_curves(trains, angle, times, bins=edges, period=2 * np.pi)
    assert found.occupancy.sum() == pytest.approx(DURATION)
    assert found.counts.sum() == len(trains)
    wrapped = first + np.mod(angle - first, 2 * np.pi)
    plain = tuning_curves(trains, wrapped, times, bins=edges)
    np.testing.assert_array_equal(found.counts, plain.counts)
    ranged = tuning_curves(
        trains, angle, times, bins=8, range=(first, first + 2 * np.pi), period=2 * np.pi
    )
    np.testing.assert_array_equal(ranged.counts, found.counts)
    assert 0 <= preferred_value(found, "peak")[0] < 2 * np.pi


def test_a_range_on_the_circle_is_that_of_the_bins():
    times = np.arange(STEP / 2, DURATION, STEP)
    trains = SpikeTrains([100.0], [0], 1, 0, DURATION)
    angle = np.linspace(0, 1440, len(times), endpoint=False)
    found = tuning_curves(trains, angle, times, bins=4, range=(-90.0, 90.0), period=360.0)
    np.testing.assert_allclose(found.edges[0], [-90, -45, 0, 45, 90])
    np.testing.assert_allclose(found.occupancy, DURATION / 8, rtol=5e-3)


def test_edges_go_around_the_circle_once_at_most():
    trains, times = SpikeTrains([100.0], [0], 1, 0, 1000), np.arange(5.0, 1000.0, 10.0)
    with pytest.raises(ValueError, match="span more than its period, 180"):
        tuning_curves(trains, times, times, bins=np.linspace(0, 360, 9), period=180.0)
    with pytest.raises(ValueError, match="span more than its period, 180"):
        tuning_curves(trains, times, times, bins=8, range=(-180.0, 180.0), period=180.0)


def test_preferred_directions_are_numbers():
    with pytest.raises(ValueError, match=r"^preferred is \['up'\]; it must hold real numbers"):
        population_vector([1.0], ["up"])


def test_vectors_that_cancel_have_no_direction_by_rounding():
    around = np.arange(0.0, 360.0, 30.0)
    found = population_vector(np.full(12, 3.0), around, period=360)
    assert np.isnan(found.direction) and found.length < 1e-12
    assert population_vector(np.full(12, 1e-9) * [2, *[1] * 11], around, period=360).direction == (
        pytest.approx(0, abs=1e-3)
    )
    flat, time = np.array([np.full(12, 3), np.r_[4, np.full(11, 3)]]), np.full(12, 1000.0)
    at = np.arange(0.0, 390.0, 30.0)
    curves = TuningCurves(flat * 1.0, flat, time, (at,), (at[:-1],), (360.0,))
    preferred = preferred_value(curves)
    assert np.isnan(preferred[0]) and np.sin(np.deg2rad(preferred[1])) == pytest.approx(0, abs=1e-9)


def test_a_curve_that_is_flat_but_for_rounding_has_no_width():
    rates = np.array([[1.0, 1.0 + 3e-16, 1.0], [1.0, 2.0, 1.0]])
    edges = np.arange(4.0)
    curves = TuningCurves(rates, rates, np.ones(3), (edges,), (edges[:-1],), (None,))
    width = tuning_width(curves)
    assert np.isnan(width[0]) and width[1] == 1


def test_text_is_told_from_a_wrong_shape():
    trains = SpikeTrains([1.0, 11.0], [0, 0], 1, 0.0, 20.0)
    aligned = trains.align([0.0, 10.0], 0.0, 5.0)
    told = "^feature is .*'left', 'right'.*; it must hold real numbers"
    with pytest.raises(ValueError, match=told):
        tuning_by_trial(aligned, ["left", "right"])
    with pytest.raises(ValueError, match=told):
        tuning_curves(trains, ["left", "right"], [0.0, 10.0])
    with pytest.raises(ValueError, match="^times is .'a', 'b'.; it must hold real numbers"):
        tuning_curves(trains, [1.0, 2.0], ["a", "b"])


@pytest.mark.parametrize("wrong", ["x", 3, None, SpikeTrains([1.0], [0], 1, 0.0, 9.0)])
def test_what_is_no_tuning_curve_is_refused_in_a_sentence(wrong):
    decoder = partial(NaiveBayesFit.of_tuning, window=100.0)
    for function in (preferred_value, tuning_width, information_per_spike, decoder):
        told = r"^curves is .*; it must be TuningCurves, which tuning_curves\(trains"
        with pytest.raises(TypeError, match=told):
            function(wrong)
