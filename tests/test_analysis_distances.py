"""Distances between spike trains: against other packages, and against definitions in loops."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim.analysis as analysis
from spikesim import SpikeTrains
from spikesim.analysis.pairs import kernels_distances
from spikesim.data.windows import SAME_TIME, Windows

FUNCTIONS = {
    "victor_purpura": lambda trains, **more: analysis.victor_purpura(trains, 0.05, **more),
    "van_rossum": lambda trains, **more: analysis.van_rossum(trains, 20.0, **more),
    "isi_distance": analysis.isi_distance,
    "spike_distance": analysis.spike_distance,
}


def trains_of(lists, t_start, t_stop, **more):
    lists = [np.asarray(times, float) for times in lists]
    neurons = np.repeat(np.arange(len(lists)), [len(times) for times in lists])
    times = np.concatenate([*lists, []])
    if "support" in more:
        return SpikeTrains(times, neurons, len(lists), **more)
    return SpikeTrains(times, neurons, len(lists), t_start, t_stop, **more)


def drawn(seed, most=40):
    """Some trains in a random window; every other seed on a grid, so that spikes coincide."""
    rng = np.random.default_rng(seed)
    t_start, duration = rng.choice([0.0, -50.0, 1e5]), rng.choice([10.0, 1000.0, 3e4])
    lists = []
    for _ in range(rng.integers(2, 8)):
        times = rng.uniform(0, 1, rng.integers(0, most))
        times = np.ceil(times * 200) / 200 if seed % 2 else times
        lists.append(t_start + duration * np.unique(times))
    return trains_of(lists, t_start, t_start + duration)


def poisson(seed, n=20, spikes=200, duration=20_000.0):
    rng = np.random.default_rng(seed)
    neurons = rng.integers(0, n, n * spikes)
    return SpikeTrains(duration - rng.uniform(0, duration, n * spikes), neurons, n, 0, duration)


# Slow twins, from the definitions


def slow_victor_purpura(a, b, cost):
    """The whole table of costs (Victor & Purpura 1996)."""
    table = np.add.outer(np.arange(len(a) + 1.0), np.arange(len(b) + 1.0))
    for i in range(len(a)):
        for j in range(len(b)):
            apart = abs(a[i] - b[j])
            if cost == np.inf:
                shift = 0 if apart <= SAME_TIME else np.inf
            else:
                shift = cost * apart
            table[i + 1, j + 1] = min(table[i, j + 1] + 1, table[i + 1, j] + 1, table[i, j] + shift)
    return table[-1, -1]


def slow_van_rossum(a, b, tau):
    """All pairs of spikes: the integral of a product of two traces is exp(-apart / tau) tau / 2."""

    def product(x, y):
        return np.exp(-np.abs(np.subtract.outer(x, y)) / tau).sum()

    return np.sqrt(max(product(a, a) + product(b, b) - 2 * product(a, b), 0))


def with_ends(times, start, stop):
    """Times and an auxiliary spike on either side."""
    times = np.array([start, stop]) if len(times) == 0 else np.asarray(times)
    if len(times) == 1:
        return np.r_[start, times, stop]
    before, behind = 2 * times[0] - times[1], 2 * times[-1] - times[-2]
    return np.r_[min(start, before), times, max(stop, behind)]


def slow_profiles(a, b, start, stop):
    """Pieces between the spikes of a pair: lengths, ISI- and SPIKE-dissimilarity at both ends."""
    a, b = with_ends(a, start, stop), with_ends(b, start, stop)
    near = []
    for x, y in ((a, b), (b, a)):
        inner = np.abs(np.subtract.outer(x[1:-1], y)).min(axis=1)
        near.append(np.r_[inner[0], inner, inner[-1]])
    edges = np.unique(np.clip(np.r_[a, b, start, stop], start, stop))
    lengths, isi, spike = np.diff(edges), [], []
    for left, right in zip(edges[:-1], edges[1:], strict=True):
        i = np.searchsorted(a, (left + right) / 2) - 1
        j = np.searchsorted(b, (left + right) / 2) - 1
        x, y = a[i + 1] - a[i], b[j + 1] - b[j]
        isi.append(abs(x - y) / max(x, y))
        ends = []
        for t in (left, right):
            of_a = (near[0][i] * (a[i + 1] - t) + near[0][i + 1] * (t - a[i])) / x
            of_b = (near[1][j] * (b[j + 1] - t) + near[1][j + 1] * (t - b[j])) / y
            ends.append((of_a * y + of_b * x) / (2 * ((x + y) / 2) ** 2))
        spike.append(ends)
    return edges, lengths, np.array(isi), np.array(spike)


def slow_isi_distance(a, b, start, stop):
    _, lengths, isi, _ = slow_profiles(a, b, start, stop)
    return np.sum(lengths * isi) / (stop - start)


def slow_spike_distance(a, b, start, stop):
    _, lengths, _, spike = slow_profiles(a, b, start, stop)
    return np.sum(lengths * spike.mean(axis=1)) / (stop - start)


def slow_synchronisation(a, b, start, stop, widest=np.inf):
    def shortest(times):
        if len(times) == 0:
            return times
        intervals = np.r_[stop - start, np.diff(times), stop - start]
        return np.minimum(intervals[:-1], intervals[1:])

    coincident = 0
    for x, before in zip(a, shortest(a), strict=True):
        for y, behind in zip(b, shortest(b), strict=True):
            near = abs(x - y) < min(before, behind) / 2 - SAME_TIME
            coincident += near and abs(x - y) <= widest + SAME_TIME
    return 2 * coincident / (len(a) + len(b)) if len(a) + len(b) else np.nan


def all_pairs(trains, slow, diagonal=0.0):
    lists = list(trains)
    out = np.full((trains.size, trains.size), diagonal)
    for i in range(trains.size):
        for j in range(i):
            out[i, j] = out[j, i] = slow(lists[i], lists[j])
    return out


@pytest.mark.parametrize("seed", range(20))
def test_all_distances_are_those_of_their_definitions(seed):
    trains = drawn(seed)
    window = trains.t_start, trains.t_stop
    for cost in (0.0, 1e-3, 0.05, 3.0, np.inf):
        expected = all_pairs(trains, lambda a, b, cost=cost: slow_victor_purpura(a, b, cost))
        found = analysis.victor_purpura(trains, cost)
        np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-12)
    for tau in (0.5, 20.0, 1e4):
        expected = all_pairs(trains, lambda a, b, tau=tau: slow_van_rossum(a, b, tau))
        found = analysis.van_rossum(trains, tau)
        np.testing.assert_allclose(found**2, expected**2, atol=1e-10)
    expected = all_pairs(trains, lambda a, b: slow_isi_distance(a, b, *window))
    np.testing.assert_allclose(analysis.isi_distance(trains), expected, atol=1e-12)
    expected = all_pairs(trains, lambda a, b: slow_spike_distance(a, b, *window))
    np.testing.assert_allclose(analysis.spike_distance(trains), expected, atol=1e-12)
    for widest in (np.inf, 0.01 * trains.duration):
        expected = all_pairs(trains, lambda a, b, w=widest: slow_synchronisation(a, b, *window, w))
        np.fill_diagonal(expected, np.where(trains.count() > 0, 1.0, np.nan))
        found = analysis.spike_synchronisation(trains, widest=None if widest == np.inf else widest)
        np.testing.assert_allclose(found, expected, atol=1e-12)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 60), max_size=12, unique=True), min_size=2, max_size=4),
    st.sampled_from([1.0, 0.1, 7.3]),
)
def test_spikes_on_a_grid_at_edges_and_together(lists, step):
    lists = [step * np.sort(times) for times in lists]
    trains = trains_of(lists, 0.0, 60 * step)
    lists, window = list(trains), (0.0, 60 * step)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        spike, isi = analysis.spike_distance(trains), analysis.isi_distance(trains)
        sync = analysis.spike_synchronisation(trains)
    expected = all_pairs(trains, lambda a, b: slow_spike_distance(a, b, *window))
    np.testing.assert_allclose(spike, expected, atol=1e-12)
    expected = all_pairs(trains, lambda a, b: slow_isi_distance(a, b, *window))
    np.testing.assert_allclose(isi, expected, atol=1e-12)
    expected = all_pairs(trains, lambda a, b: slow_synchronisation(a, b, *window))
    np.fill_diagonal(expected, np.where(trains.count() > 0, 1.0, np.nan))
    np.testing.assert_allclose(sync, expected, atol=1e-12)


# Other packages


def to_neo(trains):
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    return [
        neo.SpikeTrain(times * pq.ms, t_start=trains.t_start * pq.ms, t_stop=trains.t_stop * pq.ms)
        for times in trains
    ]


def to_pyspike(trains):
    pyspike = pytest.importorskip("pyspike")
    return [pyspike.SpikeTrain(times, [trains.t_start, trains.t_stop]) for times in trains]


@pytest.mark.parametrize("seed", range(3))
def test_victor_purpura_and_van_rossum_are_elephants(seed):
    elephant = pytest.importorskip("elephant.spike_train_dissimilarity")
    pq = pytest.importorskip("quantities")
    trains = poisson(seed, n=6, spikes=80)
    theirs = to_neo(trains)
    for hertz in (1.0, 50.0, 1000.0):
        expected = elephant.victor_purpura_distance(theirs, hertz * pq.Hz)
        found = analysis.victor_purpura(trains, hertz / 1000)
        np.testing.assert_allclose(found, expected, rtol=1e-10)
    for tau in (1.0, 20.0, 5000.0):
        expected = elephant.van_rossum_distance(theirs, tau * pq.ms)
        np.testing.assert_allclose(analysis.van_rossum(trains, tau), expected, atol=1e-10, rtol=0)


def test_at_infinite_cost_and_without_tau_equal_spikes_match_here_and_do_not_in_elephant():
    elephant = pytest.importorskip("elephant.spike_train_dissimilarity")
    pq = pytest.importorskip("quantities")
    trains = trains_of([[10, 20, 30], [10, 20, 30], [10, 25]], 0, 40)
    theirs = to_neo(trains)
    np.testing.assert_array_equal(
        analysis.victor_purpura(trains, np.inf), [[0, 0, 3], [0, 0, 3], [3, 3, 0]]
    )
    assert elephant.victor_purpura_distance(theirs, np.inf * pq.Hz)[0, 1] == 6
    np.testing.assert_array_equal(
        analysis.van_rossum(trains, 0), np.sqrt([[0, 0, 3], [0, 0, 3], [3, 3, 0]])
    )
    assert elephant.van_rossum_distance(theirs, 0 * pq.ms)[0, 0] > 2
    nearly = trains_of([[10, 20], [10 + 1e-8, 20 - 1e-8]], 0, 40)  # one time but for rounding
    assert (
        analysis.victor_purpura(nearly, np.inf)[0, 1] == analysis.van_rossum(nearly, 0)[0, 1] == 0
    )
    # the limits are those of what comes before them
    np.testing.assert_allclose(analysis.victor_purpura(trains, 1e6)[0], [0, 0, 3])
    np.testing.assert_allclose(analysis.van_rossum(trains, 1e-3)[0] ** 2, [0, 0, 3])


@pytest.mark.parametrize("seed", range(40))
def test_distances_without_time_scale_are_pyspikes(seed):
    pyspike = pytest.importorskip("pyspike")
    trains = drawn(seed)
    theirs, pairs = to_pyspike(trains), ~np.eye(trains.size, dtype=bool)
    with np.errstate(invalid="ignore"):  # of trains whose only spike is at t_stop they make NaN
        isi, spike = pyspike.isi_distance_matrix(theirs), pyspike.spike_distance_matrix(theirs)
    known = pairs & np.isfinite(isi)
    assert known.sum() >= pairs.sum() - 2
    np.testing.assert_allclose(analysis.isi_distance(trains)[known], isi[known], atol=1e-12)
    np.testing.assert_allclose(analysis.spike_distance(trains)[known], spike[known], atol=1e-12)
    found = analysis.spike_synchronisation(trains)
    known = pairs & np.isfinite(found)
    if seed % 2 == 0:  # on a grid they differ where spikes are just half way
        expected = pyspike.spike_sync_matrix(theirs)
        np.testing.assert_allclose(found[known], expected[known], atol=1e-12)


@pytest.mark.parametrize("seed", range(0, 40, 2))
def test_profiles_are_pyspikes(seed):
    pyspike = pytest.importorskip("pyspike")
    trains = drawn(seed)
    theirs = to_pyspike(trains)
    times = np.random.default_rng(1000 + seed).uniform(trains.t_start, trains.t_stop, 100)
    for ours, their in (
        (analysis.isi_profile, pyspike.isi_profile),
        (analysis.spike_profile, pyspike.spike_profile),
    ):
        expected = their(theirs)
        np.testing.assert_allclose(ours(trains).at(times), [expected(t) for t in times], atol=1e-12)
        np.testing.assert_allclose(ours(trains).mean, expected.avrg(), atol=1e-12)
    found = analysis.synchronisation_profile(trains)
    np.testing.assert_allclose(found.mean, pyspike.spike_sync(theirs), atol=1e-12)
    expected = pyspike.spike_sync_profile(theirs)
    np.testing.assert_array_equal(expected.x[1:-1], found.times)
    np.testing.assert_allclose((expected.y / expected.mp)[1:-1], found.share, atol=1e-12)


def test_a_widest_coincidence_holds_everywhere_here_and_at_the_edges_alone_in_pyspike():
    pyspike = pytest.importorskip("pyspike")
    trains = trains_of([[100, 200, 300], [110, 230, 301]], 0, 400)
    assert analysis.spike_synchronisation(trains)[0, 1] == 1
    assert analysis.spike_synchronisation(trains, widest=20)[0, 1] == pytest.approx(2 / 3)
    assert pyspike.spike_sync(*to_pyspike(trains), max_tau=20) == 1
    alone = trains_of([[100], [110]], 0, 400)
    assert analysis.spike_synchronisation(alone, widest=10)[0, 1] == 1  # the limit itself counts
    assert pyspike.spike_sync(*to_pyspike(alone), max_tau=10) == 0


def test_two_silent_trains_have_no_synchronisation_here_and_all_of_it_in_pyspike():
    pyspike = pytest.importorskip("pyspike")
    trains = trains_of([[], [], [5.0]], 0, 10)
    found = analysis.spike_synchronisation(trains)
    np.testing.assert_array_equal(found, [[np.nan, np.nan, 0], [np.nan, np.nan, 0], [0, 0, 1]])
    assert pyspike.spike_sync(*to_pyspike(trains)[:2]) == 1
    assert analysis.spike_distance(trains)[0, 1] == analysis.isi_distance(trains)[0, 1] == 0


def test_a_spike_half_way_coincides_with_neither():
    exact = trains_of([[100, 200, 300], [150, 250]], 0, 400)
    rounded = trains_of([[0.1, 0.3], [0.1 * 3 - 0.1]], 0, 0.4)
    assert 0.3 - (0.1 * 3 - 0.1) < 0.1 < (0.1 * 3 - 0.1) - 0.1 + 1e-12  # one is nearer, by rounding
    for trains in (exact, rounded):
        assert analysis.spike_synchronisation(trains)[0, 1] == 0


# Closed forms and laws


@pytest.mark.parametrize("name", FUNCTIONS)
def test_metrics_are_symmetric_zero_on_the_diagonal_and_for_equal_trains(name):
    trains = poisson(3)
    twice = trains.merge(trains)
    found = FUNCTIONS[name](twice)
    np.testing.assert_array_equal(found, found.T)
    np.testing.assert_array_equal(np.diagonal(found), 0)
    np.testing.assert_array_equal(np.diagonal(found, trains.size), 0)
    assert (found[: trains.size, : trains.size] + np.eye(trains.size) > 0).all()
    others = found[trains.size :, : trains.size]
    np.testing.assert_allclose(others, FUNCTIONS[name](trains), rtol=1e-12)


@pytest.mark.parametrize("function", ["victor_purpura", "van_rossum"])
def test_the_triangle_inequality_holds(function):
    found = FUNCTIONS[function](poisson(4, spikes=30))
    assert (found[:, None, :] <= found[:, :, None] + found[None, :, :] + 1e-9).all()


def test_one_spike_moved_is_at_the_distance_of_the_papers():
    apart, cost, tau = 7.0, 0.1, 12.0
    trains = trains_of([[50.0], [50.0 + apart], []], 0, 200)
    assert analysis.victor_purpura(trains, cost)[0, 1] == pytest.approx(cost * apart)
    assert analysis.victor_purpura(trains, 10.0)[0, 1] == 2
    assert analysis.van_rossum(trains, tau)[0, 1] ** 2 == pytest.approx(
        2 * (1 - np.exp(-apart / tau))
    )
    for function in (analysis.victor_purpura, analysis.van_rossum):
        assert function(trains, 1.0)[0, 2] == 1


def test_infinite_tau_and_no_cost_leave_counts():
    trains = poisson(5, n=7)
    counts = trains.count()
    apart = np.abs(counts[:, None] - counts)
    np.testing.assert_array_equal(analysis.van_rossum(trains, np.inf), apart)
    np.testing.assert_array_equal(analysis.victor_purpura(trains, 0), apart)


def test_periodic_trains_are_at_the_distances_of_the_papers():
    slow, fast = np.arange(1, 100) * 20.0, np.arange(1, 200) * 10.0
    found = analysis.isi_distance(trains_of([slow, fast], 0, 2000))
    assert found[0, 1] == pytest.approx(0.5)
    late = slow - 5
    found = analysis.spike_distance(trains_of([slow, late], 0, 2000))[0, 1]
    assert found == pytest.approx(5 / 20, rel=0.02)  # D1 = D2 = 5, a = b = 20, but at the edges


def test_independent_poisson_trains_are_where_the_docstring_says():
    found = analysis.spike_distance(poisson(6, n=30, spikes=2000, duration=2e5))
    assert found[np.triu_indices(30, 1)].mean() == pytest.approx(0.295, abs=0.002)


def test_spikes_of_a_neuron_at_one_time_count_once_where_there_is_no_time_between_them():
    doubled = trains_of([[10, 10, 30, 70], [15, 40, 40 + 1e-8, 60]], 0, 100)
    single = trains_of([[10, 30, 70], [15, 40, 60]], 0, 100)
    for function in (
        analysis.isi_distance,
        analysis.spike_distance,
        analysis.spike_synchronisation,
    ):
        np.testing.assert_array_equal(function(doubled), function(single))
    np.testing.assert_array_equal(analysis.victor_purpura(doubled, np.inf)[0, 1], 8)
    same = trains_of([[10, 10], [10]], 0, 100)
    assert analysis.victor_purpura(same, np.inf)[0, 1] == 1
    assert analysis.van_rossum(same, 0)[0, 1] == analysis.van_rossum(same, 5.0)[0, 1] == 1


# Gaps, threads, blocks, bad input


def in_windows(seed):
    rng = np.random.default_rng(seed)
    windows = Windows([0.0, 150.0, 400.0], [100.0, 300.0, 405.0])
    times = rng.uniform(0, 405, 400)
    times = times[windows.contains(times)]
    trains = SpikeTrains(times, rng.integers(0, 5, len(times)), 5, support=windows)
    return trains, [trains.restrict(*window) for window in windows]


@pytest.mark.parametrize("seed", range(5))
def test_nothing_bridges_a_gap(seed):
    trains, parts = in_windows(seed)
    lengths = [part.duration for part in parts]
    for function in (analysis.isi_distance, analysis.spike_distance):
        expected = np.average([function(part) for part in parts], axis=0, weights=lengths)
        np.testing.assert_allclose(function(trains), expected, atol=1e-12)
    for cost in (0, 0.05, np.inf):
        expected = sum(analysis.victor_purpura(part, cost) for part in parts)
        np.testing.assert_allclose(analysis.victor_purpura(trains, cost), expected, atol=1e-12)
    for tau in (0, 20.0):
        expected = sum(analysis.van_rossum(part, tau) ** 2 for part in parts)
        np.testing.assert_allclose(analysis.van_rossum(trains, tau) ** 2, expected, atol=1e-10)
    expected = np.array([np.abs(np.subtract.outer(p.count(), p.count())) for p in parts])
    found = analysis.van_rossum(trains, np.inf)
    np.testing.assert_allclose(found**2, (expected**2).sum(axis=0), atol=1e-10)
    counts = trains.count()
    coincident = sum(
        np.nan_to_num(analysis.spike_synchronisation(p)) * np.add.outer(p.count(), p.count())
        for p in parts
    )
    expected = coincident / np.add.outer(counts, counts)
    np.testing.assert_allclose(analysis.spike_synchronisation(trains), expected, atol=1e-12)


def test_profiles_leave_gaps_out():
    trains, parts = in_windows(1)
    for function in (analysis.isi_profile, analysis.spike_profile):
        profile = function(trains)
        assert (trains.support.index(profile.stops) >= 0).all()
        assert np.sum(profile.stops - profile.starts) == pytest.approx(trains.duration)
        assert np.isnan(profile.at([-1.0, 0.0, 120.0, 399.0, 406.0])).all()
        assert np.isfinite(profile.at([100.0, 200.0, 405.0])).all()
    pairs = np.triu_indices(5, 1)
    assert analysis.spike_profile(trains).mean == pytest.approx(
        analysis.spike_distance(trains)[pairs].mean()
    )


@pytest.mark.parametrize("name", [*FUNCTIONS, "spike_synchronisation"])
def test_threads_and_blocks_change_no_bit(name, monkeypatch):
    from spikesim.analysis.pairs import distances

    monkeypatch.setattr(distances, "_WORTH_THREADS", 0)
    function = FUNCTIONS.get(name, analysis.spike_synchronisation)
    trains = poisson(7, n=75, spikes=40)  # several blocks, the last one not full
    alone = function(trains, threads=1)
    for threads in (2, 5, None):
        np.testing.assert_array_equal(function(trains, threads=threads), alone)
    few = function(trains.select([3, 40, 74]))
    np.testing.assert_array_equal(few, alone[np.ix_([3, 40, 74], [3, 40, 74])])


def test_no_trains_few_trains_and_no_time():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for function in (*FUNCTIONS.values(), analysis.spike_synchronisation):
            for size in range(4):
                empty = SpikeTrains([], [], size, 0, 100)
                found = function(empty)
                assert found.shape == (size, size) and found.dtype == float
                expected = np.nan if function is analysis.spike_synchronisation else 0.0
                np.testing.assert_array_equal(found, np.full((size, size), expected))
        nothing = analysis.spike_distance(SpikeTrains([], [], 2, 5, 5))
        np.testing.assert_array_equal(nothing, [[0, np.nan], [np.nan, 0]])
        assert np.isnan(analysis.spike_profile(SpikeTrains([], [], 2, 5, 5)).mean)
        assert np.isnan(analysis.synchronisation_profile(SpikeTrains([], [], 2, 0, 5)).mean)
        alone = SpikeTrains([100.0, 100.0], [0, 1], 2, 0, 100)  # last intervals without time
        assert analysis.spike_distance(alone)[0, 1] == analysis.isi_distance(alone)[0, 1] == 0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda t: analysis.victor_purpura(t, -1), "cost is -1; it must be a finite number"),
        (lambda t: analysis.victor_purpura(t, np.nan), "cost is nan"),
        (lambda t: analysis.victor_purpura(t, "1"), "cost is '1'"),
        (lambda t: analysis.van_rossum(t, -1.0), "tau is -1.0; it must be a finite number of ms"),
        (lambda t: analysis.van_rossum(t, None), "tau is None"),
        (lambda t: analysis.spike_synchronisation(t, widest=0), "widest is 0; it must be"),
        (lambda t: analysis.synchronisation_profile(t, widest=-1), "widest is -1"),
        (lambda t: analysis.isi_distance(t, threads=0), "threads is 0"),
        (lambda t: analysis.spike_profile(t.select([0])), "trains has 1 neurons; it must have two"),
    ],
)
def test_bad_input_is_told(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence.replace("(", r"\(")):
        call(poisson(8, n=3, spikes=5))


def test_lanes_are_full_vectors():
    assert kernels_distances.LANES % 16 == kernels_distances.WIDE % 16 == 0
