"""Correlograms: a slow twin, other packages, closed forms, edges, gaps."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.analysis import autocorrelograms, correlogram, correlograms
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

SAME = 1e-6


def twin(a, b, bin, n, same=False):
    """Counts of one pair by looking at each lag; windows of a and b are lists of times."""
    counts = np.zeros(2 * n + 1)
    for of_a, of_b in zip(a, b, strict=True):
        for i, s in enumerate(of_a):
            for j, t in enumerate(of_b):
                if same and i == j:
                    continue
                for k in range(-n, n + 1):
                    low, high = (k - 0.5) * bin, (k + 0.5) * bin
                    if low + SAME < t - s < high - SAME:
                        counts[k + n] += 1
                    elif min(abs(t - s - low), abs(t - s - high)) <= SAME:
                        counts[k + n] += 0.5
    return counts


def by_window(times, support):
    return [times[support.index(times) == k] for k in range(len(support))]


def drawn(seed, size=4, n=200, support=None, grid=None, rate=None):
    rng = np.random.default_rng(seed)
    support = Windows(0.0, 500.0) if support is None else support
    times = rng.uniform(support.starts[0] + 0.01, support.stops[-1], n)
    if grid:
        times = np.ceil(times / grid - 1e-9) * grid
    kept = support.index(times) >= 0
    return SpikeTrains(times[kept], rng.integers(0, size, kept.sum()), size, support=support)


GAPS = Windows([0.0, 103.0, 300.0], [100.0, 110.0, 500.0])


@pytest.mark.parametrize("support", [None, GAPS], ids=["whole", "gaps"])
@pytest.mark.parametrize("grid", [None, 0.1, 0.25, 1.0])
@pytest.mark.parametrize(("bin", "n"), [(1.0, 10), (0.7, 5), (5.0, 30), (0.1, 3), (2.0, 0)])
def test_counts_are_those_of_the_twin(support, grid, bin, n):
    trains = drawn(1, support=support, grid=grid)
    parts = [by_window(times, trains.support) for times in trains]
    found = correlograms(trains, bin, n * bin)
    np.testing.assert_array_equal(found.pairs, [(0, 1), (0, 2), (0, 3), (1, 2), (1, 3), (2, 3)])
    for (i, j), counts in zip(found.pairs, found.counts, strict=True):
        np.testing.assert_array_equal(counts, twin(parts[i], parts[j], bin, n))
    alone = autocorrelograms(trains, bin, n * bin)
    for i in range(4):
        np.testing.assert_array_equal(alone.counts[i], twin(parts[i], parts[i], bin, n, same=True))


@given(
    st.lists(st.tuples(st.integers(1, 400), st.integers(0, 2)), max_size=60),
    st.sampled_from([0.1, 0.2, 0.5, 1.0, 3.0]),
    st.integers(0, 12),
    st.integers(0, 10**7),
)
@settings(max_examples=60, deadline=None)
def test_a_grid_is_counted_in_steps(spikes, bin, n, start):
    """Of times in steps of .1 ms, late in a recording too, as whole steps have it."""
    steps = np.array([s for s, _ in spikes], int)
    neurons = np.array([i for _, i in spikes], int)
    times = (start + steps) / 10
    trains = SpikeTrains(times, neurons, 3, start / 10, (start + 400) / 10)
    found = correlograms(trains, bin, n * bin)
    in_bin = round(10 * bin)
    for (i, j), counts in zip(found.pairs, found.counts, strict=True):
        lags = 2 * (steps[neurons == j][None] - steps[neurons == i][:, None]).ravel()
        low = (2 * np.arange(-n, n + 1) - 1) * in_bin  # twice the edges, in steps
        inside = (lags[:, None] > low) & (lags[:, None] < low + 2 * in_bin)
        on_edge = (lags[:, None] == low) | (lags[:, None] == low + 2 * in_bin)
        np.testing.assert_array_equal(counts, (inside + 0.5 * on_edge).sum(axis=0))


def test_the_pair_turned_round_is_the_mirror_and_pairs_may_be_chosen():
    trains = drawn(2, size=6, n=600, grid=0.1)
    every = correlograms(trains, 1.0, 20.0)
    some = correlograms(trains, 1.0, 20.0, pairs=[(5, 0), (1, 2), (1, 2), (4, 3)])
    np.testing.assert_array_equal(some.counts[0], every[0, 5][::-1])
    np.testing.assert_array_equal(some.counts[0], every[5, 0])
    np.testing.assert_array_equal(some.counts[1], every[1, 2])
    np.testing.assert_array_equal(some.counts[2], every[1, 2])
    np.testing.assert_array_equal(some[3, 4], every[3, 4])
    for one in (some, every):
        numbers = trains.count()
        np.testing.assert_array_equal(one.spikes, numbers[one.pairs])
    with pytest.raises(KeyError, match="no correlogram of the neurons 0 and 0"):
        every[0, 0]
    two = correlogram(trains.select([5]), trains.select([0]), 1.0, 20.0)
    np.testing.assert_array_equal(two.counts[0], every[5, 0])
    np.testing.assert_array_equal(two.lags, np.arange(-20, 21))
    np.testing.assert_allclose(two.edges, np.arange(-20.5, 21))


@pytest.mark.parametrize("grid", [None, 0.1])
def test_threads_change_nothing(grid):
    trains = drawn(3, size=70, n=20_000, support=Windows(0, 10_000), grid=grid)
    alone = correlograms(trains, 1.0, 50.0, threads=1)
    for threads in (2, 3, 8, None):
        shared = correlograms(trains, 1.0, 50.0, threads=threads)
        np.testing.assert_array_equal(shared.counts, alone.counts)


@pytest.mark.parametrize("grid", [None, 0.1, 0.5])
def test_one_pair_by_itself_is_counted_as_among_others(grid):
    from spikesim.analysis.pairs.lag_counts import doubled_counts
    from spikesim.analysis.pairs.pieces import pieces

    trains = pieces(drawn(5, support=GAPS, grid=grid))
    one, other = trains.of(np.array([1])), trains.of(np.array([3]))
    for bin, n in ((1.0, 10), (0.7, 5), (0.1, 3), (50.0, 2)):
        among = doubled_counts(trains, trains, np.array([[1, 3], [3, 1]]), bin, n, 1)
        alone = doubled_counts(one, other, np.array([[0, 0]]), bin, n, 1)
        np.testing.assert_array_equal(alone[0], among[0])
        np.testing.assert_array_equal(alone[0], among[1, ::-1])


def test_many_bins_and_neurons_go_through_in_groups():
    """Rows that are longer than the table of a thread."""
    trains = drawn(4, size=50, n=3000, support=Windows(0, 3000))
    found = correlograms(trains, 0.5, 1000.0)
    few = correlograms(trains, 0.5, 1000.0, pairs=[(3, 7), (49, 0)])
    np.testing.assert_array_equal(few.counts, [found[3, 7], found[49, 0]])
    whole = correlogram(trains.select([3]), trains.select([7]), 0.5, 1000.0)
    np.testing.assert_array_equal(whole.counts[0], found[3, 7])


def test_more_lags_than_32_bits_count_are_counted(monkeypatch):
    from spikesim.analysis.pairs import lag_counts

    trains = SpikeTrains(np.arange(1.0, 101), np.arange(100) % 2, 2, 0, 100)
    expected = correlograms(trains, 10.0, 50.0).counts
    set_ = lag_counts.Lags.__post_init__

    def wide(self):
        set_(self)
        object.__setattr__(self, "dtype", np.uint64)

    monkeypatch.setattr(lag_counts.Lags, "__post_init__", wide)
    np.testing.assert_array_equal(correlograms(trains, 10.0, 50.0).counts, expected)
    np.testing.assert_array_equal(correlograms(trains, 10.0, 50.0, pairs=[(0, 1)]).counts, expected)


def test_each_trial_is_a_window():
    trains = drawn(5, n=900, support=Windows(0, 2000))
    around = trains.align(np.arange(100, 1900, 60.0), 50, 50)  # trials overlap
    found = correlograms(around, 2.0, 30.0)
    parts = [[around[k][0][around[k][1] == i] for k in range(around.n_trials)] for i in range(4)]
    np.testing.assert_array_equal(found[1, 3], twin(parts[1], parts[3], 2.0, 15))
    assert found.duration == around.n_trials * 100
    alone = autocorrelograms(around, 2.0, 30.0)
    np.testing.assert_array_equal(alone.counts[2], twin(parts[2], parts[2], 2.0, 15, same=True))


def test_exposure_is_where_two_spikes_can_lie():
    """By counting pairs of points of a grid in each window."""
    found = correlograms(drawn(1, support=GAPS), 4.0, 40.0)
    step, expected = 0.05, np.zeros(21)
    for length in GAPS.durations:
        points = int(length / step)
        lags = np.arange(-points + 1, points) * step
        pairs = points - np.abs(np.arange(-points + 1, points))
        expected += np.histogram(lags, found.edges, weights=pairs)[0] * step**2
    np.testing.assert_allclose(found.exposure, expected, rtol=0.02)
    whole = correlograms(drawn(1), 4.0, 40.0)
    np.testing.assert_allclose(whole.exposure[10], 2 * (500 * 2 - 2))  # 2 (T h - h^2 / 2)
    np.testing.assert_allclose(whole.exposure[0], 4 * (500 - 40))


def test_independent_poisson_trains_have_the_expected_counts():
    """200 neurons in a support with gaps, 100 pairs of which none shares a neuron."""
    rng = np.random.default_rng(7)
    support = Windows([0.0, 2000.0, 2100.0], [1500.0, 2080.0, 3000.0])
    times = rng.uniform(0, 3000, 60_000)
    kept = support.index(times) >= 0
    trains = SpikeTrains(times[kept], rng.integers(0, 200, kept.sum()), 200, support=support)
    found = correlograms(trains, 5.0, 100.0, pairs=np.arange(200).reshape(100, 2))
    z = (found.counts - found.expected) / np.sqrt(found.expected)
    assert np.abs(z.sum(axis=0) / 10).max() < 4 and np.abs(z.mean()) < 4 / np.sqrt(z.size)
    assert (z**2).mean() == pytest.approx(1, abs=0.1)
    assert found.ratio.mean() == pytest.approx(1, abs=0.006)
    rates = trains.rates()[found.pairs[:, 1]]
    np.testing.assert_allclose((found.rates / rates[:, None]).mean(), 1, atol=0.006)
    alone = autocorrelograms(trains, 5.0, 100.0)
    above = (alone.counts - alone.expected)[:, 21:]
    assert abs(above.sum() / np.sqrt(alone.expected[:, 21:].sum())) < 4


def test_a_shared_rate_has_its_covariance():
    """Rates r (1 + c cos(w t)): covariance density r^2 c^2 / 2 cos(w lag)."""
    rng = np.random.default_rng(8)
    duration, r, c, w = 200_000.0, 0.05, 0.8, 2 * np.pi / 50
    times = rng.uniform(0, duration, rng.poisson(2 * duration * r * (1 + c)))
    times = times[rng.random(len(times)) < (1 + c * np.cos(w * times)) / (1 + c)]
    trains = SpikeTrains(times, rng.integers(0, 2, len(times)), 2, 0, duration)
    expected = 1e6 * r**2 * c**2 / 2 * np.cos(w * np.arange(-50, 51))
    cross, auto = correlograms(trains, 1.0, 50.0), autocorrelograms(trains, 1.0, 50.0)
    error = 1e6 * np.sqrt(r**2 * (1 + c**2 / 2) / duration)
    for density, widen in ((cross.covariance[0], 1), (auto.covariance[0], np.sqrt(2))):
        assert np.abs(density - expected).max() < 4.5 * error * widen


def test_empty_trains_count_0_without_a_warning():
    for trains in (
        SpikeTrains([], np.empty(0, int), 3, 0, 100),
        SpikeTrains([5.0], [1], 3, 0, 100),
        SpikeTrains([], np.empty(0, int), 3, 50, 50),
    ):
        found = correlograms(trains, 1.0, 5.0)
        assert found.counts.shape == (3, 11) and not found.counts.any()
        assert np.isnan(found.ratio).all() and found.pairs.shape == (3, 2)
        assert found.rates.shape == (3, 11) and found.covariance.shape == (3, 11)
        alone = autocorrelograms(trains, 1.0, 5.0)
        assert alone.counts.shape == (3, 11) and not alone.counts.any()
        assert np.isnan(alone.ratio).all()
        assert correlograms(trains, 1.0, 5.0, pairs=[(0, 2)]).counts.shape == (1, 11)
    one = SpikeTrains([5.0, 6.0], [0, 0], 1, 0, 100)
    assert len(correlograms(one, 1.0, 5.0)) == 0 and "0 pairs" in repr(correlograms(one, 1.0, 5.0))
    none = SpikeTrains([], np.empty(0, int), 0, 0, 100)
    assert len(autocorrelograms(none, 1.0, 5.0)) == 0
    trials = one.align([], 5, 5)
    assert autocorrelograms(trials, 1.0, 5.0).counts.shape == (1, 11)
    assert correlograms(drawn(1), 1.0, 5.0, pairs=np.empty((0, 2), int)).counts.shape == (0, 11)


def test_a_lag_is_counted_where_it_lies():
    trains = SpikeTrains([10.0, 12.5, 50.0, 50.0], [0, 1, 0, 1], 2, 0, 100)
    found = correlograms(trains, 1.0, 4.0)
    np.testing.assert_array_equal(found.counts[0], [0, 0, 0, 0, 1, 0, 0.5, 0.5, 0])
    assert found.lags[6] == 2
    late = correlograms(trains, 1.0, 2.0)
    np.testing.assert_array_equal(late.counts[0], [0, 0, 1, 0, 0.5])  # half lies beyond


def test_bad_input_is_told_in_a_sentence():
    trains = drawn(1)
    for bin, window, sentence in (
        (0, 5, "bin is 0; it must be a finite number of ms above 0"),
        (np.nan, 5, "bin is nan"),
        (1.0, -1, "window is -1"),
        (2.0, 5.0, "window is 5.0; it must be a whole number of bins of 2 ms"),
    ):
        for call in (correlograms, autocorrelograms):
            with pytest.raises(ValueError, match=sentence):
                call(trains, bin, window)
    for pairs, sentence in (
        ([(0, 4)], r"less than size = 4, but one is \(0, 4\)"),
        ([(0, 1), (2, 2)], r"one is \(2, 2\)"),
        ([(0.5, 1)], "must be whole numbers of shape"),
        ([0, 1], r"have the shape \(2,\)"),
    ):
        with pytest.raises(ValueError, match=sentence):
            correlograms(trains, 1.0, 5.0, pairs=pairs)
    with pytest.raises(ValueError, match="a must be of one neuron, but is of 4"):
        correlogram(trains, trains.select([0]), 1.0, 5.0)
    with pytest.raises(ValueError, match="must have one support"):
        correlogram(trains.select([0]), drawn(1, support=GAPS).select([0]), 1.0, 5.0)
    with pytest.raises(ValueError, match="threads is 0"):
        correlograms(trains, 1.0, 5.0, threads=0)
    with pytest.raises(TypeError, match="trains is an ndarray; it must be SpikeTrains or Al"):
        correlograms(np.arange(3.0), 1.0, 5.0)


# Other packages


def off_edges(seed, size=5, duration=20_000.0):
    """Times of which no lag is near a multiple of .5 ms: they are odd thousandths away."""
    rng = np.random.default_rng(seed)
    times = np.sort(rng.uniform(1, duration - 1, 2000))
    return SpikeTrains(times, rng.integers(0, size, 2000), size, 0, duration)


def test_pynapple_has_the_same_rates():
    nap = pytest.importorskip("pynapple")
    trains = off_edges(1)
    support = nap.IntervalSet(0, 20)
    group = nap.TsGroup(
        {i: nap.Ts(times / 1000) for i, times in enumerate(trains)}, time_support=support
    )
    theirs = nap.compute_crosscorrelogram(group, 1, 50, norm=False, time_units="ms")
    found = correlograms(trains, 1.0, 50.0)
    np.testing.assert_allclose(theirs.index, found.lags / 1000, atol=1e-12)
    rates = 1000 * found.counts / found.spikes[:, :1]
    for (i, j), rate in zip(found.pairs, rates, strict=True):
        np.testing.assert_allclose(theirs[i, j], rate, rtol=1e-10)
    alone = autocorrelograms(trains, 1.0, 50.0)
    theirs = nap.compute_autocorrelogram(group, 1, 50, norm=False, time_units="ms")
    for i in range(5):
        expected = np.delete(1000 * alone.counts[i] / alone.spikes[i, 0], 50)
        np.testing.assert_allclose(np.delete(theirs[i].to_numpy(), 50), expected, rtol=1e-10)


def test_pynapple_rounds_lags_on_edges_either_way():
    """On a grid its correlogram of (b, a) is not that of (a, b) turned round; here it is."""
    nap = pytest.importorskip("pynapple")
    trains = drawn(6, size=2, n=4000, support=Windows(0, 20_000), grid=0.5)
    a, b = (nap.TsGroup({0: nap.Ts(t / 1000)}, time_support=nap.IntervalSet(0, 20)) for t in trains)
    there, back = (
        nap.compute_crosscorrelogram(pair, 1, 20, norm=False, time_units="ms").to_numpy()[:, 0]
        for pair in ((a, b), (b, a))
    )
    n, m = trains.count()
    assert np.abs(there * n - (back * m)[::-1]).max() / 1000 > 5  # spikes
    found = correlograms(trains, 1.0, 20.0, pairs=[(0, 1), (1, 0)])
    np.testing.assert_array_equal(found.counts[0], found.counts[1, ::-1])


def test_elephant_bins_spikes_first_which_smears_lags():
    """Its histogram is that of bins: a lag counts in two bins, in parts, by where it lies."""
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram

    grid = drawn(7, size=2, n=3000, support=Windows(0, 10_000), grid=1.0)
    in_bins = SpikeTrains(grid.times - 0.5, grid.neurons, 2, 0, 10_000)
    trains = [neo.SpikeTrain(t * pq.ms, t_stop=10_000 * pq.ms) for t in in_bins]
    binned = [BinnedSpikeTrain([train], bin_size=1 * pq.ms) for train in trains]
    theirs, lags = cross_correlation_histogram(*binned, window=[-50, 50], border_correction=False)
    found = correlograms(in_bins, 1.0, 50.0)
    np.testing.assert_array_equal(lags, found.lags)
    np.testing.assert_array_equal(theirs.magnitude[:, 0], found.counts[0])  # spikes amid bins

    spread = off_edges(3, size=2)
    trains = [neo.SpikeTrain(t * pq.ms, t_stop=20_000 * pq.ms) for t in spread]
    binned = [BinnedSpikeTrain([train], bin_size=1 * pq.ms) for train in trains]
    theirs, _ = cross_correlation_histogram(*binned, window=[-50, 50], border_correction=False)
    shifted = [np.floor(t) for t in spread]
    lags = (shifted[1][None] - shifted[0][:, None]).ravel()
    np.testing.assert_array_equal(
        theirs.magnitude[:, 0], np.bincount(lags[np.abs(lags) <= 50].astype(int) + 50)
    )
    assert not np.array_equal(theirs.magnitude[:, 0], correlograms(spread, 1.0, 50.0).counts[0])


def test_spikeinterface_counts_from_edge_to_edge():
    """Bins begin at multiples of their width, edges count upwards: ours of half the bins, added."""
    pytest.importorskip("spikeinterface")
    from spikeinterface.core import NumpySorting
    from spikeinterface.postprocessing import compute_correlograms

    rng = np.random.default_rng(4)
    samples = np.sort(rng.integers(0, 200_000, 5000))
    units = rng.integers(0, 4, 5000)
    sorting = NumpySorting.from_samples_and_labels([samples], [units], 10_000.0)
    theirs, edges = compute_correlograms(
        sorting, window_ms=40.0, bin_ms=1.0, method="numba", fast_mode="off"
    )
    trains = SpikeTrains((samples + 1) / 10, units, 4, 0, 20_000)
    fine = correlograms(trains, 0.1, 20.0)  # a bin a step: nothing on an edge
    for (i, j), counts in zip(fine.pairs, fine.counts, strict=True):
        np.testing.assert_array_equal(theirs[j, i], counts[:-1].reshape(40, 10).sum(axis=1))
    np.testing.assert_allclose(edges, np.arange(-20, 21))


def test_what_is_no_pair_is_refused_in_a_sentence():
    found = correlograms(SpikeTrains([1.0, 2.0], [0, 1], 2, 0.0, 9.0), 1.0, 3.0)
    assert found[0, 1].sum() == 1
    told = r"^correlograms\[0\] is none; correlograms\[i, j\] are .* counts has a row for each"
    with pytest.raises(TypeError, match=told):
        found[0]
    with pytest.raises(TypeError, match=told):
        list(found)
    with pytest.raises(TypeError, match=r"^correlograms\[\(0, 1, 2\)\] is none"):
        found[0, 1, 2]
