"""Decoders against scikit-learn, scipy and pynapple, and cross-validation that does not peek."""

import warnings
from dataclasses import dataclass

import numpy as np
import pytest
from scipy import stats

from spikesim.analysis import (
    LinearDecoder,
    NaiveBayes,
    NaiveBayesFit,
    cross_validate,
    information,
    tuning_curves,
)
from spikesim.data.spiketrains import SpikeTrains


def population(n=400, size=12, seed=1, spread=None):
    """Counts of cosine-tuned neurons and the angle (degrees) of each sample."""
    rng = np.random.default_rng(seed)
    angle = rng.uniform(0, 360, n)
    preferred = np.linspace(0, spread or 360, size, endpoint=False)
    rates = 5 + 4 * np.cos(np.deg2rad(angle[:, None] - preferred))
    return rng.poisson(rates), angle


# Linear


@pytest.mark.parametrize("ridge", [0.0, 3.0, 1e4])
def test_weights_are_those_of_scikit_learn(ridge):
    linear_model = pytest.importorskip("sklearn.linear_model")
    rng = np.random.default_rng(2)
    x = rng.poisson(4.0, (80, 6))
    y = x @ rng.normal(size=(6, 2)) + rng.normal(size=(80, 2)) + 7
    ours = LinearDecoder(ridge=ridge).fit(x, y)
    model = linear_model.Ridge(alpha=ridge) if ridge else linear_model.LinearRegression()
    model.fit(x, y)
    np.testing.assert_allclose(ours.weights.T, model.coef_, atol=1e-10)
    np.testing.assert_allclose(ours.constant, model.intercept_, atol=1e-10)
    np.testing.assert_allclose(ours.predict(x), model.predict(x), atol=1e-10)
    one = LinearDecoder(ridge=ridge).fit(x, y[:, 0])
    assert one.predict(x).shape == (80,)
    np.testing.assert_allclose(one.predict(x), ours.predict(x)[:, 0], atol=1e-10)


def test_fewer_samples_than_neurons_have_the_smallest_weights():
    rng = np.random.default_rng(3)
    x, y = rng.poisson(4.0, (5, 9)), rng.normal(size=5)
    ours = LinearDecoder().fit(x, y)
    np.testing.assert_allclose(ours.predict(x), y, atol=1e-9)
    there = np.linalg.pinv(x - x.mean(axis=0)) @ (y - y.mean())
    np.testing.assert_allclose(ours.weights[:, 0], there, atol=1e-9)


def test_a_circle_is_decoded_by_cosine_and_sine():
    counts, angle = population()
    found = cross_validate(LinearDecoder(period=360.0), counts, angle, seed=1)
    assert found.median_error < 15 and np.abs(found.errors).max() <= 180
    assert ((found.predicted >= 0) & (found.predicted < 360)).all()
    # As a line, what is just below 360 and just above 0 lies far apart.
    line = cross_validate(LinearDecoder(), counts, angle, seed=1)
    assert line.median_error > 2 * found.median_error
    # Preferences that are not spread evenly pull a population vector, not the linear decoder.
    counts, angle = population(spread=180, n=2000)
    uneven = cross_validate(LinearDecoder(period=360.0), counts, angle, seed=1)
    assert abs(np.mean(np.exp(1j * np.deg2rad(uneven.errors))).imag) < 0.03


def test_samples_that_are_not_known_are_left_out_of_the_fit():
    counts, angle = population(60)
    unknown = np.where(np.arange(60) % 3 == 0, np.nan, angle)
    known = ~np.isnan(unknown)
    a = LinearDecoder().fit(counts, unknown)
    b = LinearDecoder().fit(counts[known], angle[known])
    np.testing.assert_array_equal(a.weights, b.weights)
    a = NaiveBayes(bins=5).fit(counts, unknown)
    b = NaiveBayes(bins=5).fit(counts[known], angle[known])
    np.testing.assert_array_equal(a.expected, b.expected)
    found = cross_validate(LinearDecoder(), counts, unknown, seed=1)
    assert np.isnan(found.errors).sum() == 20
    assert np.isfinite([found.rmse, found.median_error, found.r2]).all()


# Bayes


def test_the_posterior_is_bayes_rule_with_poisson_counts():
    rng = np.random.default_rng(4)
    labels = np.array(["a", "b", "c"])[rng.integers(0, 3, 90)]
    counts = rng.poisson(2 + 3 * (labels[:, None] == ["a", "b", "c"]))
    fit = NaiveBayes().fit(counts, labels)
    mean = counts.mean(axis=0)
    for k, label in enumerate("abc"):
        here = labels == label
        expected = (counts[here].sum(axis=0) + mean) / (here.sum() + 1)
        np.testing.assert_allclose(fit.expected[k], expected)
        assert fit.prior[k] == pytest.approx(here.mean())
    new = rng.poisson(3.0, (20, 3))
    likelihood = stats.poisson.pmf(new[:, None, :], fit.expected[None]).prod(axis=2) * fit.prior
    posterior = likelihood / likelihood.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit.posterior(new), posterior, rtol=1e-10)
    np.testing.assert_array_equal(fit.predict(new), np.array(list("abc"))[posterior.argmax(axis=1)])
    half = stats.poisson.pmf(new[:, None, :], fit.expected[None] / 2).prod(axis=2) * fit.prior
    half /= half.sum(axis=1, keepdims=True)
    np.testing.assert_allclose(fit.posterior(new, scale=0.5), half, rtol=1e-10)
    uniform = NaiveBayes(prior="uniform").fit(counts, labels)
    np.testing.assert_allclose(uniform.prior, 1 / 3)


def test_a_binned_feature_is_estimated_by_mean_or_most():
    rng = np.random.default_rng(5)
    x = rng.uniform(0, 10, 2000)
    centres = np.arange(10.0)
    counts = rng.poisson(8 * np.exp(-((x[:, None] - centres) ** 2) / 4))
    mean = NaiveBayes(bins=40).fit(counts, x)
    most = NaiveBayes(bins=40, estimate="most").fit(counts, x)
    p = mean.posterior(counts)
    np.testing.assert_allclose(mean.predict(counts), p @ mean.values, rtol=1e-12)
    np.testing.assert_array_equal(most.predict(counts), mean.values[p.argmax(axis=1)])
    found = cross_validate(NaiveBayes(bins=40), counts, x, seed=1)
    assert found.rmse < 0.7 and found.r2 > 0.93
    worse = cross_validate(LinearDecoder(), counts, x, seed=1)
    assert worse.rmse > found.rmse
    edges = NaiveBayes(bins=np.array([0.0, 5.0, 10.0])).fit(counts, x)
    np.testing.assert_array_equal(edges.values, [2.5, 7.5])


def test_a_circular_feature_is_estimated_around_the_circle():
    counts, angle = population(2000, 24)
    fit = NaiveBayes(bins=36, period=360.0).fit(counts, angle + 720.0)
    z = fit.posterior(counts) @ np.exp(1j * np.deg2rad(fit.values))
    np.testing.assert_allclose(fit.predict(counts), np.rad2deg(np.angle(z)) % 360, atol=1e-9)
    found = cross_validate(NaiveBayes(bins=36, period=360.0), counts, angle, seed=1)
    assert found.median_error < 15
    with pytest.raises(ValueError, match="r2 is one of features that are not circular"):
        _ = found.r2


def test_decoding_by_tuning_curves_is_that_of_pynapple():
    nap = pytest.importorskip("pynapple")
    rng = np.random.default_rng(6)
    step, duration = 10.0, 50_000.0
    times = np.arange(step / 2, duration, step)
    place = np.abs(np.mod(np.arange(len(times)) / 400.0, 2.0) - 1.0)
    rates = 2 + 30 * np.exp(-(((place[:, None] - np.linspace(0, 1, 6)) / 0.15) ** 2))
    n = rng.poisson(rates * step / 1000)
    sample, neuron = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    trains = SpikeTrains(times[sample] + rng.uniform(-4, 4, len(sample)), neuron, 6, 0.0, duration)
    curves = tuning_curves(trains, place, times, bins=15, range=(0.0, 1.0), reach=step / 2)
    whole = nap.IntervalSet(0, duration / 1000)
    group = nap.TsGroup({i: nap.Ts(t / 1000) for i, t in enumerate(trains)}, time_support=whole)
    tsd = nap.Tsd(times / 1000, place, time_support=whole)
    theirs = nap.compute_tuning_curves(group, tsd, bins=15, range=[(0.0, 1.0)])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        decoded, p = nap.decode_bayes(theirs, group, whole, 0.2, uniform_prior=False)
    counts = np.stack([group[i].count(0.2, whole).values for i in range(6)], axis=1)
    fit = NaiveBayesFit.of_tuning(curves, 200.0, estimate="most", least=0.0)
    np.testing.assert_allclose(fit.posterior(counts), p.values, atol=1e-8)
    np.testing.assert_array_equal(fit.predict(counts), decoded.values)
    uniform = NaiveBayesFit.of_tuning(curves, 200.0, prior="uniform", least=0.0)
    np.testing.assert_allclose(uniform.prior, 1 / 15)
    assert fit.values.shape == (15,) and uniform.read == "mean"


def test_bins_that_were_never_visited_are_impossible_unlike_in_pynapple():
    nap = pytest.importorskip("pynapple")
    times = np.arange(5.0, 10_000.0, 10.0)
    place = np.where(times < 5000, 0.1, 0.9)  # never in between
    trains = SpikeTrains(np.arange(2.0, 10_000.0, 20.0), np.zeros(500, int), 1, 0.0, 10_000.0)
    curves = tuning_curves(trains, place, times, bins=3, range=(0.0, 1.0), reach=5.0)
    fit = NaiveBayesFit.of_tuning(curves, 10.0, prior="uniform", estimate="most")
    np.testing.assert_allclose(fit.values, [1 / 6, 5 / 6])
    whole = nap.IntervalSet(0, 10)
    group = nap.TsGroup({0: nap.Ts(trains.times / 1000)}, time_support=whole)
    tsd = nap.Tsd(times / 1000, place, time_support=whole)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        theirs = nap.compute_tuning_curves(group, tsd, bins=3, range=[(0.0, 1.0)])
        decoded, _ = nap.decode_bayes(theirs, group, whole, 0.01, uniform_prior=True)
    silent = group.count(0.01, whole).values[:, 0] == 0
    # Its unvisited bin has likelihood 1, as if there were no neuron, and wins without spikes.
    assert silent.any() and (np.abs(decoded.values[silent] - 0.5) < 1e-9).all()
    assert (fit.predict(np.zeros((3, 1))) != 0.5).all()


def test_two_dimensions_are_decoded_by_tuning_curves():
    rng = np.random.default_rng(7)
    times = np.arange(5.0, 60_000.0, 10.0)
    steps = np.cumsum(rng.normal(0, 0.03, (len(times), 2)), axis=0)
    place = np.abs(np.mod(steps, 2.0) - 1.0)
    centres = np.stack(np.meshgrid([0, 0.5, 1], [0, 0.5, 1]), axis=-1).reshape(-1, 2)
    far = ((place[:, None] - centres) ** 2).sum(axis=2)
    n = rng.poisson(0.4 * np.exp(-far / 0.1))
    sample, neuron = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    trains = SpikeTrains(times[sample], neuron, 9, 0.0, 60_000.0)
    curves = tuning_curves(trains, place, times, bins=10, range=[(0, 1)] * 2)
    fit = NaiveBayesFit.of_tuning(curves, 100.0)
    counts = n.reshape(-1, 10, 9).sum(axis=1)
    truth = place.reshape(-1, 10, 2).mean(axis=1)
    error = np.linalg.norm(fit.predict(counts) - truth, axis=1)
    assert np.median(error) < 0.15 and fit.predict(counts).shape == (600, 2)
    circles = tuning_curves(trains, place, times, bins=10, period=(1.0, None))
    with pytest.raises(ValueError, match="estimate 'mean' is not there for circles of two"):
        NaiveBayesFit.of_tuning(circles, 100.0)
    assert NaiveBayesFit.of_tuning(circles, 100.0, estimate="most").predict(counts).shape == (
        600,
        2,
    )


def test_rates_of_zero_and_neurons_without_spikes():
    counts = np.array([[3, 0, 0], [2, 0, 0], [0, 4, 0], [0, 5, 0]])
    strict = NaiveBayes(strength=0.0).fit(counts, [0, 0, 1, 1])
    np.testing.assert_allclose(strict.posterior([[1, 0, 0], [0, 1, 0]]), np.eye(2), atol=1e-12)
    np.testing.assert_allclose(strict.posterior([[1, 1, 0]]), [[0.5, 0.5]])  # impossible: the prior
    mild = NaiveBayes().fit(counts, [0, 0, 1, 1])
    assert mild.posterior([[1, 0, 0]])[0, 1] > 0
    np.testing.assert_array_equal(mild.posterior([[1, 0, 9]]), mild.posterior([[1, 0, 0]]))


def test_many_neurons_and_spikes_do_not_overflow():
    rng = np.random.default_rng(8)
    labels = np.repeat([0, 1], 50)
    counts = rng.poisson(500 + 100 * labels[:, None], (100, 300))
    fit = NaiveBayes().fit(counts, labels)
    p = fit.posterior(counts)
    assert np.isfinite(p).all() and (fit.predict(counts) == labels).all()


# Cross-validation


def test_every_sample_is_decoded_by_a_fit_to_the_others():
    @dataclass(frozen=True)
    class Remembers:
        """Decodes what it was fitted to."""

        period = None
        categories = False

        def fit(self, responses, feature):
            return Memory(set(responses[:, 0]))

    @dataclass(frozen=True)
    class Memory:
        known: set

        def predict(self, responses):
            return np.array([float(x in self.known) for x in responses[:, 0]])

    x = np.arange(50.0)[:, None]
    for options in ({"by": "trial"}, {"by": "block"}, {"trials": np.arange(50) // 5}):
        found = cross_validate(Remembers(), x, x[:, 0], seed=1, **options)
        assert (found.predicted == 0).all()
        assert list(np.bincount(found.fold)) == [10] * 5
    assert (np.diff(cross_validate(Remembers(), x, x[:, 0], by="block").fold) >= 0).all()
    whole = cross_validate(Remembers(), x, x[:, 0], trials=np.arange(50) // 5, seed=1)
    assert all(len(set(whole.fold[k : k + 5])) == 1 for k in range(0, 50, 5))
    fitted = []

    @dataclass(frozen=True)
    class Notes(Remembers):
        def fit(self, responses, feature):
            fitted.append(set(responses[:, 0]))
            return Memory(set())

    cross_validate(Notes(), x, x[:, 0], by="block", gap=3)
    assert fitted[1] == set(range(7)) | set(range(23, 50))
    assert fitted[0] == set(range(13, 50)) and fitted[4] == set(range(37))


def test_folds_hold_equally_many_of_each_category_and_depend_on_the_seed():
    labels = np.repeat(["a", "b"], [40, 10])
    x = np.random.default_rng(1).poisson(3.0, (50, 2))
    one, two, same = (cross_validate(NaiveBayes(), x, labels, seed=s).fold for s in (1, 2, 1))
    for k in range(5):
        assert (labels[one == k] == "a").sum() == 8 and (labels[one == k] == "b").sum() == 2
    assert (one != two).any() and (one == same).all()


def test_neighbours_that_resemble_each_other_are_told_only_to_folds_by_trial():
    rng = np.random.default_rng(9)
    feature = np.cumsum(rng.normal(0, 1, 600))
    drift = np.cumsum(rng.normal(0, 1, (600, 30)), axis=0)  # knows the time, not the feature
    peeking = cross_validate(LinearDecoder(1.0), drift, feature, seed=1)
    honest = cross_validate(LinearDecoder(1.0), drift, feature, by="block", gap=20)
    assert peeking.r2 > 0.75 and honest.r2 < 0.5


def test_measures_of_categories():
    rng = np.random.default_rng(10)
    labels = np.array(["left", "right"])[rng.integers(0, 2, 300)]
    counts = rng.poisson(3 + 2 * (labels == "left"))[:, None]
    found = cross_validate(NaiveBayes(), counts, labels, seed=1)
    table = found.confusion
    assert list(found.labels) == ["left", "right"] and table.sum() == 300
    assert found.accuracy == pytest.approx(np.trace(table) / 300)
    assert table[0, 1] == ((labels == "left") & (found.predicted == "right")).sum()
    ours = found.information(correction="none").bits
    assert ours == information(found.predicted, labels, correction="none").bits
    assert 0.6 < found.accuracy < 0.8
    for name in ("errors", "rmse", "median_error", "r2"):
        with pytest.raises(ValueError, match="is not there for categories; accuracy is"):
            getattr(found, name)
    numbers = cross_validate(LinearDecoder(), counts, counts[:, 0], seed=1)
    for name in ("accuracy", "confusion", "labels"):
        with pytest.raises(ValueError, match="is there for categories only"):
            getattr(numbers, name)


def test_samples_of_unknown_category_count_for_nothing():
    rng = np.random.default_rng(10)
    labels = rng.integers(0, 2, 300).astype(float) + 0.5
    counts = rng.poisson(3 + 2 * (labels > 1))[:, None]
    unknown = np.where(np.arange(300) % 3 == 0, np.nan, labels)
    found = cross_validate(NaiveBayes(), counts, unknown, seed=1)
    known = ~np.isnan(unknown)
    truth, predicted = unknown[known], found.predicted[known]
    assert list(found.labels) == [0.5, 1.5] and found.confusion.sum() == 200
    assert found.accuracy == np.mean(truth == predicted) == np.trace(found.confusion) / 200
    ours = found.information(correction="none")
    assert ours.n_trials == 200
    assert ours.bits == information(predicted > 1, truth > 1, correction="none").bits


def test_categories_in_an_array_of_objects():
    rng = np.random.default_rng(10)
    names = np.array(["a", "b"])[rng.integers(0, 2, 60)]
    counts = rng.poisson(3 + 2 * (names == "a"))[:, None]
    found, same = (cross_validate(NaiveBayes(), counts, y, seed=1) for y in (names, list(names)))
    objects = cross_validate(NaiveBayes(), counts, names.astype(object), seed=1)
    assert found.accuracy == same.accuracy == objects.accuracy
    assert objects.information().bits == found.information().bits
    mixed = np.array([None, "a", "b"] * 20, object)
    for call in (cross_validate, lambda d, x, y: d.fit(x, y)):
        with pytest.raises(
            ValueError, match="feature holds objects of the types NoneType, str; ca"
        ):
            call(NaiveBayes(), counts, mixed)


@pytest.mark.parametrize("value", [0.1, 2.0])
def test_a_truth_that_is_the_same_everywhere_has_no_r2(value):
    counts = np.random.default_rng(10).poisson(3, (30, 2))
    assert np.isnan(cross_validate(LinearDecoder(), counts, np.full(30, value), seed=1).r2)


def test_without_information_decoding_is_at_chance():
    rng = np.random.default_rng(11)
    labels = np.repeat(np.arange(4), 100)
    found = cross_validate(NaiveBayes(), rng.poisson(3.0, (400, 5)), labels, seed=1)
    assert abs(found.accuracy - 0.25) < 0.07
    numbers = cross_validate(LinearDecoder(10.0), rng.poisson(3.0, (400, 5)), labels, seed=1)
    assert -0.1 < numbers.r2 < 0.03


def test_errors_of_several_dimensions_are_distances():
    rng = np.random.default_rng(12)
    y = rng.normal(size=(200, 2))
    x = np.maximum(np.rint(20 + 10 * y @ rng.normal(size=(2, 8))), 0)
    found = cross_validate(LinearDecoder(), x, y, seed=1)
    distance = np.linalg.norm(found.errors, axis=1)
    assert found.rmse == pytest.approx(np.sqrt((distance**2).mean()))
    assert found.median_error == pytest.approx(np.median(distance)) and found.r2 > 0.9


@pytest.mark.parametrize(
    ("call", "told"),
    [
        (lambda x, y: LinearDecoder(ridge=-1.0), "LinearDecoder: ridge is -1.0"),
        (lambda x, y: LinearDecoder(period=0.0), "LinearDecoder: period is 0.0"),
        (lambda x, y: LinearDecoder().fit(x[:, 0], y), r"responses has shape \(20,\); it must be"),
        (lambda x, y: LinearDecoder().fit(x, y[:5]), r"feature has shape \(5,\)"),
        (lambda x, y: LinearDecoder().fit(x, y * np.nan), "feature is known of no sample"),
        (lambda x, y: LinearDecoder().fit(x, ["a"] * 20), "feature is .*must hold real numbers"),
        (lambda x, y: LinearDecoder(period=1.0).fit(x, np.stack([y, y], 1)), "of circles it must"),
        (lambda x, y: LinearDecoder().fit(x, y).predict(x[:, :2]), r"it must be \(samples, 3\)"),
        (lambda x, y: NaiveBayes(bins=1), "NaiveBayes: bins is 1"),
        (lambda x, y: NaiveBayes(bins=[0.0, 0.0, 1.0]), "edges must rise, 3 at least"),
        (lambda x, y: NaiveBayes(prior="flat"), "NaiveBayes: prior is 'flat'"),
        (lambda x, y: NaiveBayes(estimate="map"), "NaiveBayes: estimate is 'map'"),
        (lambda x, y: NaiveBayes(strength=-1), "NaiveBayes: strength is -1"),
        (lambda x, y: NaiveBayes().fit(-x - 1, y), "responses is .* at least 0"),
        (lambda x, y: NaiveBayes(bins=[5.0, 6.0, 7.0]).fit(x, y * 0), "feature is known of no"),
        (lambda x, y: NaiveBayes().fit(x, y).posterior(x, scale=0), "scale is 0"),
        (lambda x, y: cross_validate(LinearDecoder(), x, y, folds=1), "folds is 1"),
        (lambda x, y: cross_validate(LinearDecoder(), x, y, folds=21), "there are only 20 trials"),
        (lambda x, y: cross_validate(LinearDecoder(), x, y, by="time"), "by is 'time'"),
        (lambda x, y: cross_validate(LinearDecoder(), x, y, gap=2), "with by='trial' it must be 0"),
        (lambda x, y: cross_validate(LinearDecoder(), x, y[1:]), "feature has 19 samples"),
        (
            lambda x, y: cross_validate(LinearDecoder(), x, y, by="block", trials=y),
            "trials is given; with by='block'",
        ),
        (lambda x, y: cross_validate(LinearDecoder(), x, y, trials=[1]), "trials has shape"),
    ],
)
def test_bad_arguments_are_named(call, told):
    x = np.random.default_rng(1).poisson(3.0, (20, 3))
    with pytest.raises(ValueError, match=told):
        call(x, np.arange(20.0))


def test_naive_bayes_takes_edges_that_begin_anywhere_on_the_circle():
    rng = np.random.default_rng(5)
    angle = rng.uniform(0, 2 * np.pi, 400)
    counts = rng.poisson(5 + 4 * np.cos(angle[:, None] - np.arange(4) * np.pi / 2))
    edges = np.linspace(-np.pi, np.pi, 9)
    found = NaiveBayes(bins=edges, period=2 * np.pi).fit(counts, angle)
    assert np.all(found.prior > 0.05)
    errors = np.angle(np.exp(1j * (found.predict(counts) - angle)))
    assert np.median(np.abs(errors)) < 0.3
    with pytest.raises(ValueError, match="span more than its period"):
        NaiveBayes(bins=np.linspace(-7, 7, 9), period=2 * np.pi)
