"""Point-process GLMs against statsmodels and scipy; time rescaling against what is known."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats
from scipy.optimize import minimize

from spikesim.analysis import Exponentials, RaisedCosines, Steps, fit_glm, time_rescaling
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

SHORT = Exponentials((4.0,))


def session(n=20_000, seed=0, bin=1.0, support=None):
    """A neuron that follows a stimulus and neuron 1, and rests after spikes; and two others."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    log_rate = np.full(n + 100, np.log(0.015)) + np.pad(0.5 * x, (0, 100))
    others = rng.random((n, 2)) < 0.02
    for t in np.flatnonzero(others[:, 0]):
        log_rate[t + 1 : t + 19] += np.exp(-np.arange(1, 19) / 4.0)
    own = np.zeros(n, bool)
    for t in range(n):
        if rng.random() < -np.expm1(-np.exp(log_rate[t])):
            own[t] = True
            log_rate[t + 1 : t + 19] -= 3 * np.exp(-np.arange(1, 19) / 4.0)
    table = np.column_stack([own, others])
    bins, neurons = np.nonzero(table)
    times = bin * (bins + 0.5)
    if support is not None:
        kept = support.contains(times)
        times, neurons = times[kept], neurons[kept]
        return SpikeTrains(times, neurons, 3, support=support), x
    return SpikeTrains(times, neurons, 3, 0.0, n * bin), x


def design(trains, stimulus, past, lags):
    """The table of causes, bin by bin and lag by lag; and which bins know their past."""
    counts = trains.count(1.0)
    rows, known, first = [], [], 0
    for start, stop in trains.support:
        n = round(stop - start)
        for t in range(n):
            row = [1.0]
            if stimulus is not None:
                row.append(stimulus[first + t])
            for neuron, basis in past:
                values = basis.values(np.arange(1.0, lags + 1))
                row += list(
                    sum(
                        counts[first + t - k, neuron] * values[k - 1]
                        for k in range(1, lags + 1)
                        if t - k >= 0
                    )
                    + np.zeros(values.shape[1])
                )
            rows.append(row)
            known.append(t >= lags)
        first += n
    known = np.array(known)
    return np.array(rows)[known], counts[known]


@pytest.fixture(scope="module")
def recorded():
    return session()


def test_weights_and_errors_are_those_of_statsmodels(recorded):
    sm = pytest.importorskip("statsmodels.api")
    trains, x = recorded
    found = fit_glm(trains, 0, stimulus=x, history=SHORT, coupling=SHORT)
    lags = int(SHORT.last)
    table, counts = design(trains, x, [(0, SHORT), (1, SHORT), (2, SHORT)], lags)
    offset = np.full(len(table), np.log(1e-3))
    model = sm.GLM(counts[:, 0], table, family=sm.families.Poisson(), offset=offset)
    theirs = model.fit(tol=1e-14, maxiter=100)
    np.testing.assert_allclose(found.weights, theirs.params, atol=1e-9)
    np.testing.assert_allclose(found.se, theirs.bse, atol=1e-9)
    np.testing.assert_allclose(found.covariance, theirs.cov_params(), atol=1e-9)
    assert found.deviance == pytest.approx(theirs.deviance, rel=1e-10)
    assert found.log_likelihood == pytest.approx(theirs.llf, rel=1e-10)
    np.testing.assert_allclose(found.expected, theirs.fittedvalues, atol=1e-10)
    assert found.columns == ("constant", "stimulus", "history", "from 1", "from 2")
    # What was put in is found again, within four errors.
    truth = np.array([np.log(15.0), 0.5, -3.0, 1.0, 0.0])
    assert np.all(np.abs(found.weights - truth) < 4 * found.se)
    assert found.bits_per_spike > 0.1 and "neuron 0" in repr(found)


def test_a_ridge_is_that_of_a_plain_minimiser(recorded):
    trains, x = recorded
    found = fit_glm(trains, 0, stimulus=x, history=SHORT, ridge=30.0)
    table, counts = design(trains, x, [(0, SHORT)], int(SHORT.last))
    y = counts[:, 0]

    def height(w):
        mu = 1e-3 * np.exp(table @ w)
        down = table.T @ (mu - y) + 30.0 * np.r_[0, w[1:]]
        return mu.sum() - y @ (table @ w) + 15.0 * np.sum(w[1:] ** 2), down

    best = minimize(height, np.r_[3.0, np.zeros(2)], jac=True, method="BFGS", tol=1e-12)
    np.testing.assert_allclose(found.weights, best.x, atol=1e-4)
    assert np.abs(height(found.weights)[1]).max() < 1e-8
    assert abs(found.weights[2]) < abs(fit_glm(trains, 0, stimulus=x, history=SHORT).weights[2])


def test_gaps_are_not_looked_over():
    support = Windows([0.0, 9000.0], [7000.0, 20_000.0])
    trains, x = session(support=support)
    inside = np.r_[x[:7000], x[9000:]]
    found = fit_glm(trains, 0, stimulus=inside, history=SHORT)
    lags = int(SHORT.last)
    assert found.counts.size == 18_000 - 2 * lags
    assert found.ends[0] == lags + 1 and 9000 + lags + 1 in found.ends
    assert not np.any((found.ends > 7000) & (found.ends <= 9000 + lags))
    table, counts = design(trains, inside, [(0, SHORT)], lags)
    mu = 1e-3 * np.exp(table @ found.weights)
    np.testing.assert_allclose(found.expected, mu, rtol=1e-10)
    np.testing.assert_allclose(table.T @ (counts[:, 0] - mu), 0, atol=1e-7)


def test_a_rate_by_itself_is_the_mean_rate():
    trains, _ = session(5000)
    found = fit_glm(trains, 1)
    assert np.exp(found.weights[0]) == pytest.approx(trains.rates()[1])
    assert found.bits_per_spike == pytest.approx(0.0, abs=1e-10)
    assert found.se[0] == pytest.approx(1 / np.sqrt(found.counts.sum()))


def test_filters_are_sums_of_their_bases(recorded):
    trains, x = recorded
    basis = RaisedCosines(4, 2.0, 12.0)
    found = fit_glm(trains, 0, stimulus=x, stimulus_basis=Steps((-1.0, 0.0, 3.0)), history=basis)
    history = found.filter("history")
    weights = found.weights[[name.startswith("history") for name in found.columns]]
    np.testing.assert_allclose(history.values, basis.values(history.lags) @ weights)
    assert history.lags[0] == 1.0 and history.values[0] < -1
    stimulus = found.filter("stimulus")
    np.testing.assert_array_equal(stimulus.lags, [0, 1, 2, 3])
    assert stimulus.values[0] == pytest.approx(0.5, abs=0.2)
    assert np.all(stimulus.values[1:] == stimulus.values[1])
    columns = [name.startswith("stimulus") for name in found.columns]
    block = found.covariance[np.ix_(columns, columns)]
    np.testing.assert_allclose(stimulus.se[:2] ** 2, np.diag(block))
    with pytest.raises(KeyError, match="there is no filter 'from 1'; there are: stimulus, history"):
        found.filter("from 1")


def test_predictions_of_a_test_set(recorded):
    trains, x = recorded
    found = fit_glm(trains, 0, stimulus=x, history=SHORT, coupling=SHORT, others=[1])
    same = found.predict(trains, x)
    np.testing.assert_allclose(same[-found.expected.size :], found.expected, rtol=1e-12)
    assert np.isnan(same[: same.size - found.expected.size]).all()
    other, z = session(5000, seed=9)
    mu = found.predict(other, z)
    y = other.count(1.0)[:, 0]
    known = np.isfinite(mu)
    gain = np.sum(y[known] * np.log(mu[known] / y.mean()) - mu[known] + y.mean())
    assert gain > 0
    with pytest.raises(ValueError, match="fitted with a stimulus; give that of these trains, too"):
        found.predict(other)
    with pytest.raises(ValueError, match="stimulus gives 5 columns in all; the model has 4"):
        found.predict(other, np.stack([z, z], 1))
    with pytest.raises(ValueError, match="fitted without a stimulus; give none"):
        fit_glm(trains, 0, history=SHORT).predict(other, z)


def test_what_the_data_do_not_say_is_told():
    rng = np.random.default_rng(0)
    times = np.cumsum(rng.integers(12, 40, 300)).astype(float) - 0.5
    trains = SpikeTrains(times, np.zeros(300, int), 1, 0.0, np.ceil(times[-1]))
    basis = Steps((0.0, 10.0, 20.0))
    with pytest.warns(UserWarning, match=r"the data say nothing of history \[0\]"):
        fit_glm(trains, 0, history=basis)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = fit_glm(trains, 0, history=basis, ridge=0.1)
    assert found.weights[1] < -2


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"neuron": 3}, "neuron is 3"),
        ({"bin": 3.0}, "bin must be positive and divide"),
        ({"stimulus": np.zeros(7)}, "one for each of the 2000 bins"),
        ({"stimulus": np.zeros(2000)}, "stimulus is 0 in every bin"),
        ({"stimulus": np.ones(2000)}, "constant, stimulus depend on each other"),
        ({"stimulus": np.full(2000, np.nan)}, "stimulus is"),
        ({"coupling": SHORT, "others": [0]}, "others holds 0, the neuron itself"),
        ({"coupling": SHORT, "others": [5]}, "a neuron of others is 5"),
        ({"history": Exponentials((2000.0,))}, "filters look back"),
        ({"ridge": -1.0}, "ridge is -1.0"),
        ({"others": [1, 2]}, r"others is \[1, 2\], but .*; give coupling, too"),
        ({"others": []}, "give coupling, too"),
        ({"stimulus_basis": SHORT}, "give the stimulus, too"),
        ({"stimulus_basis": SHORT, "history": SHORT}, "give the stimulus, too"),
    ],
)
def test_bad_models(options, told):
    trains, _ = session(2000)
    with pytest.raises(ValueError, match=told):
        fit_glm(trains, **{"neuron": 0, **options})


def test_a_silent_neuron_has_no_model():
    with pytest.raises(ValueError, match="neuron 0 has no spike"):
        fit_glm(SpikeTrains([1.0], [1], 2, 0.0, 10.0), 0)


# Bases.


def test_raised_cosines_add_up_between_their_first_and_last_peak():
    basis = RaisedCosines(6, 2.0, 50.0, 3.0)
    lags = np.linspace(0.0, basis.last + 10, 2000)
    values = basis.values(lags)
    between = (lags >= basis.values(lags)[:, 1].argmax() * 0 + _peak(basis, 1)) & (
        lags <= _peak(basis, 4)
    )
    np.testing.assert_allclose(values[between].sum(axis=1), 2.0, atol=1e-9)
    assert values[lags > basis.last + 1e-9].max() == 0
    np.testing.assert_allclose([_peak(basis, 0), _peak(basis, 5)], [2.0, 50.0])
    for j in range(6):
        assert basis.values(np.array([_peak(basis, j)]))[0, j] == pytest.approx(1.0)


def _peak(basis, j):
    ratio = (basis.last_peak + basis.stretch) / (basis.first + basis.stretch)
    return (basis.first + basis.stretch) * ratio ** (j / (basis.n - 1)) - basis.stretch


def test_bad_bases():
    for make, told in (
        (lambda: RaisedCosines(1), "n is 1"),
        (lambda: RaisedCosines(3, 5.0, 4.0), "last_peak is 4.0"),
        (lambda: Exponentials((1.0, 1.0)), "twice"),
        (lambda: Exponentials((0.0,)), "taus is"),
        (lambda: Steps((1.0,)), "two or more"),
        (lambda: Steps((2.0, 1.0)), "rising"),
    ):
        with pytest.raises(ValueError, match=told):
            make()


# Time rescaling.


def test_intervals_of_single_spikes_are_those_of_a_loop():
    rng = np.random.default_rng(0)
    expected = rng.random(500) * 0.4
    counts = (rng.random(500) < expected).astype(int)
    found = time_rescaling(counts, expected, seed=3)
    passed, intervals, bounds = 0.0, [], []
    for y, p in zip(counts, expected, strict=True):
        if y:
            bounds.append((passed, passed - np.log1p(-p)))
            passed = 0.0
        else:
            passed -= np.log1p(-p)
    low, high = np.array(bounds).T
    assert np.all((found.intervals >= low) & (found.intervals <= high))
    assert found.intervals.size == counts.sum()
    del intervals


@settings(max_examples=30)
@given(st.integers(0, 1000))
def test_intervals_of_several_spikes_a_bin_lie_in_the_models_time(seed):
    rng = np.random.default_rng(seed)
    expected = rng.random(50) * 3
    counts = rng.poisson(expected)
    found = time_rescaling(counts, expected, seed=seed)
    places = np.cumsum(found.intervals)
    edges = np.r_[0, np.cumsum(expected)]
    if counts.max(initial=0) > 1:
        np.testing.assert_array_equal(np.histogram(places, edges)[0], counts)
    assert found.intervals.size == counts.sum() and np.all(found.intervals >= 0)


def test_distance_and_p_are_those_of_scipy():
    rng = np.random.default_rng(1)
    expected = np.full(5000, 0.05)
    found = time_rescaling(rng.random(5000) < expected, expected, seed=1)
    theirs = stats.kstest(found.uniform, "uniform")
    assert found.distance == pytest.approx(theirs.statistic, abs=1e-12)
    assert found.p == pytest.approx(theirs.pvalue, abs=1e-10)
    assert found.band == pytest.approx(1.36 / np.sqrt(found.uniform.size), rel=0.02)
    assert abs(found.correlation) < 4 / np.sqrt(found.uniform.size)
    np.testing.assert_allclose(np.sort(-np.expm1(-found.intervals)), found.uniform)


@pytest.mark.parametrize("wrong", ["rate", "refractory"])
def test_wrong_models_are_found_out(wrong):
    rng = np.random.default_rng(2)
    n = 20_000
    if wrong == "rate":
        truth = 0.02 * (1 + np.sin(np.arange(n) / 100))
        counts = rng.random(n) < truth
    else:
        times = np.cumsum(rng.integers(20, 80, 1000))
        counts = np.bincount(times[times < n], minlength=n)
    model = np.full(n, counts.mean())
    assert time_rescaling(counts, model, seed=1).p < 1e-3


def test_a_true_glm_fits(recorded):
    trains, x = recorded
    good = fit_glm(trains, 0, stimulus=x, history=SHORT, coupling=SHORT)
    fits = time_rescaling(good.counts, good.expected, seed=1)
    poor = fit_glm(trains, 0, stimulus=x)
    assert fits.p > 0.05
    assert time_rescaling(poor.counts, poor.expected, seed=1).distance > 1.5 * fits.distance


def test_the_correction_for_bins_is_needed():
    """Without it, intervals of a right model in coarse bins are too long."""
    rng = np.random.default_rng(0)
    expected = np.full(20_000, 0.3)
    counts = rng.random(20_000) < expected
    assert time_rescaling(counts, expected, seed=0).p > 0.01
    ends = np.cumsum(expected)[counts]
    plain = -np.expm1(-np.diff(ends, prepend=0.0))
    assert stats.kstest(plain, "uniform").pvalue < 1e-6


def test_no_spikes_have_no_intervals():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = time_rescaling(np.zeros(5, int), np.ones(5))
    assert found.intervals.size == 0 and np.isnan(found.p) and np.isnan(found.distance)


@pytest.mark.parametrize(
    ("counts", "expected", "told"),
    [
        ([1, 0], [0.1], "must be as many"),
        ([0.5], [0.1], "counts whole"),
        ([1], [0.0], r"expected\[0\] is 0, but there is a spike"),
        ([1], [-0.1], "expected is"),
        ([-1], [0.1], "counts is"),
    ],
)
def test_bad_rescaling(counts, expected, told):
    with pytest.raises(ValueError, match=told):
        time_rescaling(counts, expected)
