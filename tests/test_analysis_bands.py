"""Bands and p values of correlograms: counted as told, right on nulls, seeing what is there."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent))  # benchmarks are not installed

from benchmarks.nulls_correlograms import CASES, bursty, pair, poisson
from spikesim.analysis import (
    Dither,
    Jitter,
    Shift,
    TrialShuffle,
    correlogram_test,
    correlograms,
    surrogate_seed,
)
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


def drawn(seed, size=3, n=600, grid=None):
    rng = np.random.default_rng(seed)
    support = Windows([0.0, 2500.0], [2000.0, 4000.0])
    times = rng.uniform(0.1, 4000, n)
    if grid:
        times = np.ceil(times / grid) * grid
    kept = support.index(times) >= 0
    return SpikeTrains(times[kept], rng.integers(0, size, kept.sum()), size, support=support)


def twin(trains, bin, window, surrogate, n, seed, alpha, tested):
    """Everything of one test by the definitions, from whole surrogate trains."""
    observed = correlograms(trains, bin, window)
    counts = [observed.counts]
    for k in range(n):
        moved = surrogate(trains, surrogate_seed(seed, k))
        both = SpikeTrains(
            np.r_[trains.times, moved.times],
            np.r_[trains.neurons, moved.neurons + trains.size],
            2 * trains.size,
            support=trains.support,
        )
        pairs = observed.pairs + [0, trains.size]  # the first stays, the second moves
        counts.append(correlograms(both, bin, window, pairs=pairs).counts)
    counts = np.array(counts)
    above = (1 + (counts[1:] >= counts[0]).sum(axis=0)) / (n + 1)
    below = (1 + (counts[1:] <= counts[0]).sum(axis=0)) / (n + 1)
    mean, sd = counts.mean(axis=0), counts.std(axis=0)
    z = np.abs(counts - mean) / np.where(sd > 0, sd, 1)
    most = z[:, :, tested].max(axis=2)
    p = (1 + (most[1:] >= most[0] - 1e-12).sum(axis=0)) / (n + 1)
    in_order = np.sort(counts[1:], axis=0)
    k = int((n + 1) * alpha / 2 + 1e-9)
    critical = np.sort(most[1:], axis=0)[n - int((n + 1) * alpha + 1e-9)]
    return {
        "p_bins": np.minimum(1, 2 * np.minimum(above, below)),
        "p": p,
        "mean": mean,
        "sd": sd,
        "lower": in_order[k - 1],
        "upper": in_order[n - k],
        "lower_global": mean - critical[:, None] * sd,
        "upper_global": mean + critical[:, None] * sd,
    }


@pytest.mark.parametrize("grid", [None, 0.1])
@pytest.mark.parametrize("surrogate", [Jitter(20.0), Shift(), Dither(10.0, 2.0)], ids=str)
def test_a_test_is_what_its_definition_says(surrogate, grid):
    trains = drawn(1, grid=grid)
    found = correlogram_test(trains, 2.0, 20.0, surrogate, n=59, seed=4, lags=(-10, 10), alpha=0.1)
    expected = twin(trains, 2.0, 20.0, surrogate, 59, 4, 0.1, np.abs(found.observed.lags) <= 10)
    for name, values in expected.items():
        np.testing.assert_allclose(getattr(found, name), values, atol=1e-9, err_msg=name)
    np.testing.assert_array_equal(found.observed.counts, correlograms(trains, 2.0, 20.0).counts)
    assert found.tested.sum() == 11 and found.n == 59 and found.alpha == 0.1


def test_bands_and_p_say_the_same():
    rng = np.random.default_rng(5)
    for k in range(40):
        trains = pair(poisson, bursty)(rng)
        found = correlogram_test(trains, 2.0, 20.0, Shift(), n=39, seed=k, threads=1)
        counts = found.observed.counts
        outside = (counts > found.upper) | (counts < found.lower)
        np.testing.assert_array_equal(outside, found.p_bins <= 0.05)
        far = (np.abs(found.z) > found.z_critical[:, None] + 1e-9).any(axis=1)
        np.testing.assert_array_equal(far, found.p <= 0.05)


def test_threads_and_parts_change_nothing(monkeypatch):
    from spikesim.analysis.pairs import bands

    trains = drawn(2, size=6)
    whole = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), n=39, threads=1)
    shared = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), n=39, threads=3)
    monkeypatch.setattr(bands, "_KEPT", 4 * 40 * 21 * 4)  # 4 pairs at a time
    parts = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), n=39)
    for other in (shared, parts):
        for name in ("p", "p_bins", "mean", "sd", "lower", "upper", "lower_global"):
            np.testing.assert_array_equal(getattr(other, name), getattr(whole, name), err_msg=name)
    some = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), pairs=[(1, 4), (0, 2)], n=39)
    rows = [7, 1]
    np.testing.assert_array_equal(whole.observed.pairs[rows], [(1, 4), (0, 2)])
    np.testing.assert_array_equal(some.p_bins, whole.p_bins[rows])
    np.testing.assert_array_equal(some.p, whole.p[rows])


def test_somebodys_own_surrogate_does():
    class Mine:
        def __call__(self, trains, seed):
            return Jitter(20.0)(trains, seed)

    trains = drawn(3)
    own = correlogram_test(trains, 2.0, 20.0, Mine(), n=39)
    ours = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), n=39)
    np.testing.assert_array_equal(own.p_bins, ours.p_bins)
    np.testing.assert_array_equal(own.p, ours.p)


def test_the_first_stays_and_the_second_moves():
    """The reference may be as regular as it likes: only the other one's jitter counts."""
    trains = drawn(4, size=2)
    one = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), pairs=[(0, 1)], n=39)
    other = correlogram_test(trains, 2.0, 20.0, Jitter(20.0), pairs=[(1, 0)], n=39)
    np.testing.assert_array_equal(one.observed.counts[0], other.observed.counts[0, ::-1])
    assert not np.array_equal(one.mean[0], other.mean[0, ::-1])


@pytest.mark.parametrize("surrogate", [Jitter(25.0), Shift(), Dither(25.0)], ids=str)
def test_synchrony_is_found_where_it_is(surrogate):
    """Of 1,200 spikes a train, 60 follow one of the other after 4 ms."""
    rng = np.random.default_rng(6)
    a, b = np.sort(rng.uniform(0, 60_000, (2, 1200)))
    b[:60] = rng.choice(a[a < 59_990], 60, replace=False) + 4 + rng.normal(0, 0.3, 60)
    trains = SpikeTrains(np.r_[a, b], np.repeat([0, 1], 1200), 2, 0, 60_000)
    found = correlogram_test(trains, 2.0, 20.0, surrogate, n=999)
    assert found.p[0] == 0.001
    peak = found.observed.lags == 4
    assert (found.observed.counts[0] > found.upper_global[0])[peak].all()
    assert (found.p_bins[0, peak] <= 0.002).all() and found.z[0, peak] > 5
    elsewhere = correlogram_test(trains, 2.0, 20.0, surrogate, n=199, lags=(-20, 0))
    assert elsewhere.p[0] > 0.05


def test_inhibition_is_found_too():
    rng = np.random.default_rng(9)
    a, b = np.sort(rng.uniform(0, 60_000, (2, 3000)))
    lag = b - a[np.maximum(np.searchsorted(a, b) - 1, 0)]
    b = b[(lag < 0) | (lag > 4)]
    times, neurons = np.r_[a, b], np.repeat([0, 1], [len(a), len(b)])
    found = correlogram_test(
        SpikeTrains(times, neurons, 2, 0, 60_000), 2.0, 20.0, Jitter(25.0), n=199
    )
    at_2 = found.observed.lags == 2
    assert found.p[0] == 0.005 and (found.observed.counts < found.lower_global)[0, at_2].all()


def test_trials_are_shuffled():
    rng = np.random.default_rng(8)
    shared = rng.uniform(0, 50_000, 300)
    times = np.r_[shared, shared + rng.normal(0, 1, 300), rng.uniform(0, 50_000, 2000)]
    times = np.clip(times, 0.1, 50_000)
    neurons = np.r_[np.zeros(300, int), np.ones(300, int), rng.integers(0, 2, 2000)]
    recorded = SpikeTrains(times, neurons, 2, 0, 50_000)
    trials = recorded.align(np.arange(0, 50_000, 500.0), 0, 500)
    found = correlogram_test(trials, 2.0, 20.0, TrialShuffle(), n=99)
    assert found.p[0] == 0.01


def test_nothing_to_test_gives_p_1_without_a_warning():
    silent = SpikeTrains([5.0], [0], 3, 0, 100)
    found = correlogram_test(silent, 1.0, 5.0, Jitter(10.0), n=39)
    assert (found.p == 1).all() and (found.p_bins == 1).all() and (found.z == 0).all()
    assert found.observed.counts.shape == (3, 11)
    alone = correlogram_test(silent.select([0]), 1.0, 5.0, Jitter(10.0), n=39)
    assert alone.p.shape == (0,) and "0 of 0 pairs" in repr(alone)


def test_bad_input_is_told_in_a_sentence():
    trains = drawn(1)
    for options, sentence in (
        (dict(n=38), "n is 38; it must be a whole number, 39 or more"),
        (dict(n=100, alpha=0.01), "n is 100; it must be a whole number, 199 or more"),
        (dict(alpha=1.0), "alpha is 1.0"),
        (dict(lags=(3.2, 3.9)), r"lags is \(3.2, 3.9\); it must be .low, high. in ms"),
        (dict(pairs=[(1, 1)]), "two different neurons"),
    ):
        with pytest.raises(ValueError, match=sentence):
            correlogram_test(trains, 2.0, 20.0, Jitter(20.0), **options)
    with pytest.raises(TypeError, match="TrialShuffle is for AlignedTrains"):
        correlogram_test(trains, 2.0, 20.0, TrialShuffle())


@pytest.mark.slow
@pytest.mark.parametrize(("name", "p"), CASES, ids=[name for name, _ in CASES])
def test_nulls_are_rejected_as_often_as_told(name, p):
    """500 of each: 5 % within 4 standard errors."""
    found = np.array([p(np.random.default_rng([11, k])) for k in range(500)])
    assert np.mean(found <= 0.05) == pytest.approx(0.05, abs=4 * np.sqrt(0.05 * 0.95 / 500))
