"""Correlations of counts: NumPy, statsmodels, Elephant, closed forms."""

import numpy as np
import pytest

from spikesim.analysis import (
    count_autocorrelation,
    count_correlation,
    count_covariance,
    noise_correlation,
    signal_correlation,
)
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

GAPS = Windows([0.0, 1500.0, 4000.0], [1000.0, 2300.0, 6000.0])


def drawn(seed, size=5, n=3000, support=GAPS):
    """Neurons that share part of their spikes."""
    rng = np.random.default_rng(seed)
    shared = rng.uniform(support.starts[0], support.stops[-1], n // 5)
    times = np.r_[rng.uniform(support.starts[0], support.stops[-1], n), shared, shared + 20]
    neurons = np.r_[rng.integers(0, size, n), np.zeros(n // 5, int), np.ones(n // 5, int)]
    kept = support.index(times) >= 0
    return SpikeTrains(times[kept], neurons[kept], size, support=support)


def trials(seed, n_trials=80, size=4, conditions=4):
    rng = np.random.default_rng(seed)
    condition = rng.integers(0, conditions, n_trials)
    counts = rng.poisson(
        3 + 2 * condition[:, None] * np.arange(size) + rng.integers(0, 3, (n_trials, 1))
    )
    trial, neuron = np.nonzero(counts)
    trial, neuron = (np.repeat(x, counts[trial, neuron]) for x in (trial, neuron))
    times = 100.0 * trial + 100 * (1 - rng.random(len(trial)))
    recorded = SpikeTrains(times, neuron, size, 0, 100.0 * n_trials)
    starts = 100.0 * np.arange(n_trials)
    aligned = recorded.align(Windows(starts, starts + 100, {"side": condition}), 0, 100)
    np.testing.assert_array_equal(aligned.count(), counts)
    return aligned, counts, condition


@pytest.mark.parametrize("bin", [1.0, 20.0, 100.0])
def test_count_correlation_is_numpys(bin, monkeypatch):
    from spikesim.analysis.pairs import correlation

    monkeypatch.setattr(correlation, "_AT_ONCE", 37)
    trains = drawn(1)
    np.testing.assert_allclose(
        count_correlation(trains, bin), np.corrcoef(trains.count(bin).T), atol=1e-12
    )


def test_count_correlation_is_elephants():
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import correlation_coefficient

    trains = drawn(2, support=Windows(0, 6000))
    binned = BinnedSpikeTrain(
        [neo.SpikeTrain(t * pq.ms, t_stop=6000 * pq.ms) for t in trains], bin_size=20 * pq.ms
    )
    np.testing.assert_allclose(
        correlation_coefficient(binned), count_correlation(trains, 20.0), atol=1e-12
    )


def test_count_correlation_over_trials():
    aligned, _, _ = trials(1)
    np.testing.assert_allclose(
        count_correlation(aligned, 20.0),
        np.corrcoef(aligned.count(20.0).reshape(-1, 4).T),
        atol=1e-12,
    )


def twin(windows, n):
    """Covariances by a loop over bins."""
    every = np.concatenate(windows)
    mean, size = every.mean(axis=0), every.shape[1]
    covariance = np.zeros((size, size, 2 * n + 1))
    for k in range(-n, n + 1):
        pairs = 0
        for x in windows:
            for t in range(len(x)):
                if 0 <= t + k < len(x):
                    covariance[:, :, k + n] += np.outer(x[t] - mean, x[t + k] - mean)
                    pairs += 1
        covariance[:, :, k + n] /= pairs
    return covariance


def test_covariances_do_not_bridge_gaps():
    trains = drawn(3)
    found = count_covariance(trains, 20.0, 200.0)
    counts = trains.count(20.0)
    expected = twin(np.split(counts, [50, 90]), 10)
    np.testing.assert_allclose(found.covariance, expected, atol=1e-12)
    np.testing.assert_allclose(found.lags, np.arange(-200, 201, 20))
    np.testing.assert_allclose(found.variances, counts.var(axis=0))
    np.testing.assert_allclose(found.correlation[:, :, 10], count_correlation(trains, 20.0))
    assert np.argmax(found.covariance[0, 1]) == 11  # the shared spikes come 20 ms later in 1
    aligned, _, _ = trials(2)
    np.testing.assert_allclose(
        count_covariance(aligned, 10.0, 50.0).covariance,
        twin(list(aligned.count(10.0)), 5),
        atol=1e-12,
    )


def test_covariances_are_those_of_statsmodels():
    tsa = pytest.importorskip("statsmodels.tsa.stattools")
    trains = drawn(4, support=Windows(0, 6000))
    counts = trains.count(20.0).astype(float)
    found = count_covariance(trains, 20.0, 400.0)
    for i, j in ((0, 1), (3, 2)):
        theirs = tsa.ccf(counts[:, j], counts[:, i], adjusted=True)[:21]
        np.testing.assert_allclose(found.correlation[i, j, 20:], theirs, atol=1e-10)
        np.testing.assert_allclose(found.correlation[j, i, 20::-1], theirs, atol=1e-10)
    lags, alone = count_autocorrelation(trains, 20.0, 400.0)
    for i in range(5):
        theirs = tsa.acf(counts[:, i], adjusted=True, nlags=20, fft=False)
        np.testing.assert_allclose(alone[i], theirs, atol=1e-10)
        np.testing.assert_allclose(alone[i], found.correlation[i, i, 20:], atol=1e-12)
    np.testing.assert_allclose(lags, 20 * np.arange(21))


def test_elephants_coefficient_divides_by_all_bins():
    """It takes sums over fewer pairs at longer lags, unadjusted, and squares of 0 and 1 or more."""
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram

    trains = drawn(4, support=Windows(0, 6000))
    binned = [
        BinnedSpikeTrain(
            [neo.SpikeTrain(trains[i] * pq.ms, t_stop=6000 * pq.ms)], bin_size=20 * pq.ms
        )
        for i in (0, 1)
    ]
    theirs, _ = cross_correlation_histogram(
        *binned, window=[-20, 20], border_correction=False, cross_correlation_coefficient=True
    )
    x, y = trains.count(20.0)[:, :2].T.astype(float)
    n = len(x)
    ours = count_covariance(trains, 20.0, 400.0).correlation[0, 1]
    np.testing.assert_allclose(theirs.magnitude[20, 0], ours[20], atol=1e-12)
    k = 15
    raw = np.sum(x[: n - k] * y[k:])
    of_all = (raw - x.sum() * y.sum() / n) / n / x.std() / y.std()
    np.testing.assert_allclose(theirs.magnitude[20 + k, 0], of_all, atol=1e-12)
    assert abs(theirs.magnitude[20 + k, 0] - ours[20 + k]) > 0.01


def test_a_poisson_count_that_two_share_correlates_by_its_share():
    """Rates a + s and b + s: r = s / sqrt((a + s) (b + s)) at any bin."""
    rng = np.random.default_rng(5)
    duration = 400_000.0
    a, b, s = (
        rng.uniform(0, duration, rng.poisson(rate * duration)) for rate in (0.01, 0.03, 0.02)
    )
    times, neurons = np.r_[a, s, b, s], np.repeat([0, 1], [len(a) + len(s), len(b) + len(s)])
    trains = SpikeTrains(times, neurons, 2, 0, duration)
    for bin in (5.0, 50.0):
        r = count_correlation(trains, bin)[0, 1]
        assert r == pytest.approx(0.02 / np.sqrt(0.03 * 0.05), abs=4 / np.sqrt(duration / bin))
    lagged = count_covariance(trains, 50.0, 500.0).correlation[0, 1]
    assert np.abs(np.delete(lagged, 10)).max() < 4 / np.sqrt(duration / 50)


def test_noise_correlation_is_the_mean_over_conditions():
    aligned, counts, condition = trials(6)
    expected = np.zeros((4, 4))
    for c in range(4):
        expected += np.sum(condition == c) * np.corrcoef(counts[condition == c].T)
    np.testing.assert_allclose(noise_correlation(aligned, "side"), expected / 80, atol=1e-12)
    np.testing.assert_allclose(noise_correlation(aligned), np.corrcoef(counts.T), atol=1e-12)


def test_signal_correlation_is_that_of_means():
    aligned, counts, condition = trials(7)
    means = np.array([counts[condition == c].mean(axis=0) for c in range(4)])
    np.testing.assert_allclose(
        signal_correlation(aligned, "side"), np.corrcoef(means.T), atol=1e-12
    )


def test_signal_and_noise_are_told_apart():
    """Independent noise on opposite tuning, and shared noise on none."""
    rng = np.random.default_rng(8)
    n = 4000
    condition = rng.integers(0, 8, n)
    shared = rng.poisson(4, n)
    own = rng.poisson(np.c_[2 + condition, 10 - condition, np.full(n, 4), np.full(n, 4)])
    counts = own + np.c_[np.zeros((n, 2), int), shared, shared]
    trial, neuron = np.nonzero(counts)
    trial, neuron = (np.repeat(x, counts[trial, neuron]) for x in (trial, neuron))
    times = 10.0 * trial + 10 * (1 - rng.random(len(trial)))
    starts = 10.0 * np.arange(n)
    aligned = SpikeTrains(times, neuron, 4, 0, 10.0 * n).align(
        Windows(starts, starts + 10, {"angle": condition}), 0, 10
    )
    noise, signal = noise_correlation(aligned, "angle"), signal_correlation(aligned, "angle")
    assert noise[0, 1] == pytest.approx(0, abs=4 / np.sqrt(n))
    assert noise[2, 3] == pytest.approx(0.5, abs=4 / np.sqrt(n))
    assert signal[0, 1] < -0.99 and noise_correlation(aligned)[0, 1] < -0.2


def test_conditions_in_which_a_neuron_is_silent_do_not_count():
    support = SpikeTrains([5.0, 25.0, 26.0, 45.0], [0, 0, 0, 1], 2, 0, 60)
    starts = 10.0 * np.arange(6)
    aligned = support.align(Windows(starts, starts + 10, {"side": [0, 0, 0, 1, 1, 1]}), 0, 10)
    found = noise_correlation(aligned, "side")
    np.testing.assert_allclose(np.diag(found), 1)
    assert np.isnan(found[0, 1])


def test_too_little_gives_nan_without_a_warning():
    silent = SpikeTrains([5.0, 15.0], [0, 0], 3, 0, 40)
    found = count_correlation(silent, 10.0)
    assert found[0, 0] == 1 and np.isnan(found[1:]).all() and np.isnan(found[:, 1:]).all()
    lagged = count_covariance(silent, 10.0, 50.0)
    assert np.isnan(lagged.covariance[..., [0, 1, 9, 10]]).all()  # no window is so long
    assert np.isfinite(lagged.covariance[..., 2:9]).all()
    assert np.isnan(lagged.correlation[1]).all()
    _, alone = count_autocorrelation(silent, 10.0, 20.0)
    assert np.isfinite(alone[0]).all() and np.isnan(alone[1:]).all()
    assert np.isnan(count_correlation(silent, 40.0)).all()
    none = silent.align([], 5, 5)
    assert np.isnan(noise_correlation(none)).all() and noise_correlation(none).shape == (3, 3)
    assert np.isnan(count_correlation(none, 5.0)).all()


def test_bad_input_is_told_in_a_sentence():
    trains = drawn(1)
    aligned, _, _ = trials(1)
    with pytest.raises(ValueError, match="bin is 0"):
        count_correlation(trains, 0)
    with pytest.raises(ValueError, match="must be positive and divide the duration"):
        count_correlation(trains, 33.0)
    with pytest.raises(ValueError, match="window is 50; it must be a whole number of bins"):
        count_covariance(trains, 20.0, 50)
    with pytest.raises(TypeError, match="trains is SpikeTrains; it must be AlignedTrains"):
        noise_correlation(trains)
    with pytest.raises(KeyError, match="no label 'colour'; known are: side"):
        signal_correlation(aligned, "colour")
