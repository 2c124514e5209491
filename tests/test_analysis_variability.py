"""Counts and how they vary together: against other packages, closed forms, and loops."""

import warnings

import numpy as np
import pytest

import spikesim.analysis as analysis
from spikesim import SpikeTrains
from spikesim.data.windows import Windows

GAPPED = Windows([0.0, 1050.0, 4000.0], [1000.0, 3000.0, 4005.0])


def drawn(seed, rate=20.0, size=4, duration=5000.0):
    return analysis.poisson_trains(size, rate, duration, seed=seed)


def slow_counts(trains, length):
    """Counts of each window of the support, as a list of arrays (windows, neurons)."""
    found = []
    for start, stop in trains.support:
        rows, k = [], 0
        while start + (k + 1) * length <= stop + 1e-6:
            low, high = start + k * length, start + (k + 1) * length
            rows.append([np.sum((t > low + 1e-6) & (t <= high + 1e-6)) for t in trains])
            k += 1
        found.append(np.reshape(rows, (-1, trains.size)))
    return found


# Fano and Allan factor


@pytest.mark.parametrize("seed", range(3))
def test_fano_factor_over_trials_is_elephants_but_for_ddof(seed):
    statistics = pytest.importorskip("elephant.statistics")
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    aligned = drawn(seed).align(np.arange(200, 4800, 230.0), 50, 180)
    found = analysis.fano_factor(aligned, ddof=0)
    for neuron in range(aligned.size):
        trials = [
            neo.SpikeTrain(times[ids == neuron] * pq.ms, t_start=-50 * pq.ms, t_stop=180 * pq.ms)
            for times, ids in (aligned[trial] for trial in range(aligned.n_trials))
        ]
        expected = statistics.fanofactor(trials)
        assert found[neuron] == pytest.approx(expected, rel=1e-10)
        unbiased = expected * aligned.n_trials / (aligned.n_trials - 1)
        assert analysis.fano_factor(aligned)[neuron] == pytest.approx(unbiased, rel=1e-10)


def test_fano_factor_in_bins_of_trials():
    aligned = drawn(4).align(np.arange(200, 4800, 230.0), 50, 150)
    counts = aligned.count(50.0)
    found = analysis.fano_factor(aligned, bin=50.0)
    assert found.shape == (4, 4)
    np.testing.assert_allclose(found, counts.var(axis=0, ddof=1) / counts.mean(axis=0))


@pytest.mark.parametrize("gaps", [False, True])
@pytest.mark.parametrize("seed", range(3))
def test_factors_against_window_are_those_of_loops(gaps, seed):
    trains = drawn(seed).restrict(GAPPED) if gaps else drawn(seed)
    lengths = [5.0, 37.0, 250.0, 900.0]
    fano, allan = analysis.fano_factor(trains, lengths), analysis.allan_factor(trains, lengths)
    assert fano.shape == allan.shape == (4, 4)
    for i, length in enumerate(lengths):
        parts = slow_counts(trains, length)
        counts = np.concatenate(parts)
        expected = counts.var(axis=0, ddof=1) / counts.mean(axis=0)
        np.testing.assert_allclose(fano[i], expected, rtol=1e-10)
        steps = np.concatenate([np.diff(part, axis=0) for part in parts])
        np.testing.assert_allclose(allan[i], (steps**2).mean(axis=0) / 2 / counts.mean(axis=0))
        np.testing.assert_array_equal(analysis.fano_factor(trains, length), fano[i])


def test_spikes_on_the_edges_of_windows_count_once():
    times = np.arange(1, 1000) * 0.1
    trains = SpikeTrains(times, np.zeros(999, int), 1, 0, 100)
    found = analysis.fano_factor(trains, [0.1, 0.2, 0.3, 10.0])
    counts = [c[:, 0] for length in (0.1, 0.2, 0.3, 10.0) for c in slow_counts(trains, length)]
    assert counts[1].max() == 2 and counts[2].max() == 3
    expected = [[c.var(ddof=1) / c.mean()] for c in counts]
    np.testing.assert_allclose(found, expected, atol=1e-12)


def test_fano_factors_of_renewal_processes_are_those_of_theory():
    poisson = analysis.poisson_trains(100, 30.0, 100_000.0, seed=1)
    found = analysis.fano_factor(poisson, [10.0, 1000.0]).mean(axis=1)
    np.testing.assert_allclose(found, 1, atol=4 * np.sqrt(2 / 10_000))
    dead = analysis.poisson_trains(100, 50.0, 100_000.0, dead_time=8.0, seed=2)
    found = analysis.fano_factor(dead, [1.0, 1000.0]).mean(axis=1)
    np.testing.assert_allclose(found, [1 - 0.05, (1 - 0.05 * 8) ** 2], atol=0.02)
    gamma = analysis.gamma_trains(100, 30.0, 100_000.0, order=4.0, seed=3)
    assert analysis.fano_factor(gamma, 1000.0).mean() == pytest.approx(1 / 4, abs=0.02)


def test_allan_factor_does_not_grow_with_a_slow_drift():
    trains = analysis.inhomogeneous_trains(50, np.linspace(5, 50, 200), 100_000.0, seed=4)
    assert analysis.fano_factor(trains, 1000.0).mean() > 5
    assert analysis.allan_factor(trains, 1000.0).mean() == pytest.approx(1, abs=0.05)


# Synchrony


def test_synchrony_is_1_of_equal_activity_and_falls_with_size_of_independent():
    rng = np.random.default_rng(0)
    same = np.repeat(rng.normal(size=(500, 1)), 8, axis=1)
    assert analysis.synchrony(same) == pytest.approx(1)
    for n in (25, 400):
        found = analysis.synchrony(rng.normal(-60, 5, (4000, n)))
        assert found == pytest.approx(1 / np.sqrt(n), rel=0.05)
    trains = drawn(1)
    twice = trains.select([0]).merge(*[trains.select([0])] * 3)
    assert analysis.synchrony(twice, 5.0) == pytest.approx(1)


def test_synchrony_is_its_definition():
    trains = drawn(2, size=30)
    counts = trains.count(10.0)
    expected = np.sqrt(counts.mean(axis=1).var() / counts.var(axis=0).mean())
    assert analysis.synchrony(trains, 10.0) == pytest.approx(expected, rel=1e-12)
    assert analysis.synchrony(counts) == pytest.approx(expected, rel=1e-12)


# Dimensionality


def test_participation_ratio_is_that_of_eigenvalues():
    rng = np.random.default_rng(1)
    for shape in ((200, 10), (12, 50)):
        values = rng.normal(size=shape) @ np.diag(rng.uniform(0.1, 3, shape[1]))
        l = np.linalg.eigvalsh(np.cov(values.T))  # noqa: E741
        found = analysis.participation_ratio(values)
        assert found == pytest.approx(l.sum() ** 2 / (l**2).sum(), rel=1e-10)
    trains = drawn(3, size=20)
    found = analysis.participation_ratio(trains, 10.0)
    assert found == pytest.approx(analysis.participation_ratio(trains.count(10.0)), rel=1e-12)


def test_participation_ratio_counts_dimensions():
    rng = np.random.default_rng(2)
    basis = np.linalg.qr(rng.normal(size=(60, 5)))[0]
    found = analysis.participation_ratio(rng.normal(size=(100_000, 5)) @ basis.T)
    assert found == pytest.approx(5, rel=0.001)
    assert analysis.participation_ratio(rng.normal(size=(300, 1)) * np.ones(7)) == pytest.approx(1)
    n, t = 100, 200
    ratios = [analysis.participation_ratio(rng.normal(size=(t, n))) for _ in range(20)]
    assert np.mean(ratios) == pytest.approx(n * t / (n + t), rel=0.02)


def test_angles_between_subspaces_are_those_they_were_made_with():
    rng = np.random.default_rng(3)
    axes = np.linalg.qr(rng.normal(size=(12, 6)))[0]
    angles = np.array([1e-7, 0.4, np.pi / 2])
    turned = axes[:, :3] * np.cos(angles) + axes[:, 3:] * np.sin(angles)
    a = rng.normal(size=(300, 3)) @ axes[:, :3].T + 5.0
    b = rng.normal(size=(400, 3)) @ turned.T - 2.0
    found = analysis.subspace_angles(a, b, 3)
    np.testing.assert_allclose(found, angles, atol=1e-13, rtol=1e-13)
    np.testing.assert_allclose(analysis.subspace_angles(a, a, 2), 0, atol=1e-13)


def test_angles_of_counts_are_those_of_the_leading_components():
    from scipy import linalg

    decomposition = pytest.importorskip("sklearn.decomposition")
    a, b = drawn(5, size=15), drawn(6, size=15)
    axes = [
        decomposition.PCA(4).fit(trains.count(20.0)).components_.T.astype(float)
        for trains in (a, b)
    ]
    found = analysis.subspace_angles(a, b, 4, bin=20.0)
    np.testing.assert_allclose(found, linalg.subspace_angles(*axes)[::-1], atol=1e-10)
    assert (np.diff(found) >= 0).all() and found[0] >= 0 and found[-1] <= np.pi / 2


# Little and bad input


def test_no_spikes_give_defined_answers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 2):
            trains = SpikeTrains([], [], size, 0, 100)
            for factor in (analysis.fano_factor, analysis.allan_factor):
                found = factor(trains, [10.0, 80.0, 300.0])
                np.testing.assert_array_equal(found, np.full((3, size), np.nan))
            aligned = trains.align([50.0], 10, 10)
            np.testing.assert_array_equal(analysis.fano_factor(aligned), np.full(size, np.nan))
            assert np.isnan(analysis.synchrony(trains, 10.0))
            assert np.isnan(analysis.participation_ratio(trains, 10.0))
        one = SpikeTrains([5.0, 15.0, 95.0], [0, 0, 0], 1, 0, 100)
        assert np.isnan(analysis.fano_factor(one, [60.0, 200.0])).all()  # one window, and none
        assert np.isfinite(analysis.fano_factor(one, 50.0)).all()


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda t: analysis.fano_factor(t), "windows is None; it must be a length, or some"),
        (lambda t: analysis.fano_factor(t, 0), "windows is 0; it must be a length, or some"),
        (lambda t: analysis.fano_factor(t, 5, ddof=2), "ddof is 2; it must be a whole number"),
        (lambda t: analysis.fano_factor(t, 5, bin=2), "bin is 2; it must be left out"),
        (lambda t: analysis.fano_factor(t.align([9.0], 1, 1), 5), "windows is 5; it must be left"),
        (lambda t: analysis.allan_factor(t, [[1.0]]), "windows is ..1.0..; it must be a length"),
        (lambda t: analysis.synchrony(t), "bin, in which the spikes of activity are counted, is"),
        (lambda t: analysis.synchrony(t, 3.0), "bin must be positive and divide the duration"),
        (lambda t: analysis.synchrony(np.zeros((4, 2)), 3.0), "bin is 3.0; it must be left out"),
        (lambda t: analysis.synchrony(np.zeros(4)), r"activity is array.*; it must be an array of"),
        (lambda t: analysis.participation_ratio([[np.nan]]), "activity is ..nan..; it must be"),
        (lambda t: analysis.subspace_angles(np.eye(3), np.eye(4), 2), "a has 3 neurons and b has"),
        (lambda t: analysis.subspace_angles(np.eye(3), np.eye(3), 3), "dimensions is 3; a varies"),
        (lambda t: analysis.subspace_angles(np.eye(3), np.eye(3), 0), "dimensions is 0; it must"),
    ],
)
def test_bad_input_is_told(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence):
        call(drawn(1))


@pytest.mark.parametrize("value", [-65.3, 0.1, 2.0])
def test_what_is_the_same_at_all_times_does_not_vary_by_rounding(value):
    still = np.full((1000, 7), value)
    assert np.isnan(analysis.synchrony(still)) and np.isnan(analysis.participation_ratio(still))
    moving = np.random.default_rng(1).normal(size=(1000, 7))
    with pytest.raises(ValueError, match="dimensions is 1; a varies in 0 alone"):
        analysis.subspace_angles(still, moving, 1)
    mixed = np.where(np.arange(7) < 2, moving, value)
    assert analysis.participation_ratio(mixed) == pytest.approx(
        analysis.participation_ratio(moving[:, :2])
    )
    with pytest.raises(ValueError, match="dimensions is 3; b varies in 2 alone"):
        analysis.subspace_angles(moving, mixed, 3)
