"""Surrogates keep what they promise and lose the rest."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.analysis import Dither, Jitter, Shift, TrialShuffle, surrogate_seed, surrogate_test
from spikesim.analysis.pairs.surrogate_tests import standardised
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

GAPS = Windows([0.0, 100.0, 1000.0], [90.0, 107.0, 2000.0])
EVERY = [
    Shift(),
    Shift(most=20.0),
    Shift(within="window"),
    Jitter(10.0),
    Dither(5.0),
    Dither(5.0, refractory=2.0),
]


def drawn(seed, size=3, support=GAPS, n=400, grid=None):
    rng = np.random.default_rng(seed)
    lengths = np.r_[0, np.cumsum(support.durations)]
    at = lengths[-1] * (1 - rng.random(n))
    window = np.searchsorted(lengths, at, side="left") - 1
    times = support.starts[window] + at - lengths[window]
    if grid:
        times = np.ceil(times / grid) * grid
    return SpikeTrains(times, rng.integers(0, size, n), size, support=support)


def aligned(seed, n_trials=30):
    rng = np.random.default_rng(seed)
    trains = SpikeTrains(rng.uniform(0, 6000, 900), rng.integers(0, 4, 900), 4, 0, 6000)
    starts = 200.0 * np.arange(n_trials)
    return trains.align(Windows(starts, starts + 200, {"side": np.arange(n_trials) % 2}), 0, 200)


@pytest.mark.parametrize("surrogate", EVERY, ids=str)
def test_a_surrogate_depends_on_its_seed_and_its_neuron_alone(surrogate):
    trains = drawn(1)
    one = surrogate(trains, 5)
    assert one == surrogate(trains, 5)
    assert one != surrogate(trains, 6)
    assert one.support == trains.support and one.size == trains.size
    np.testing.assert_array_equal(one.count(), trains.count())
    kept = trains.neurons != 1
    fewer = SpikeTrains(trains.times[kept], trains.neurons[kept], 3, support=GAPS)
    for neuron in (0, 2):
        np.testing.assert_array_equal(surrogate(fewer, 5)[neuron], one[neuron])
    assert not np.array_equal(one[0][:20], one[1][:20])


@pytest.mark.parametrize("surrogate", EVERY, ids=str)
@pytest.mark.parametrize("grid", [None, 0.1])
def test_spikes_stay_in_the_support(surrogate, grid):
    for seed in range(30):
        trains = drawn(seed, grid=grid)
        moved = surrogate(trains, seed)  # SpikeTrains refuse times outside
        if surrogate not in (Shift(), Shift(most=20.0)):
            for window in range(3):
                inside = [GAPS.index(x.times) == window for x in (trains, moved)]
                counts = [
                    np.bincount(x.neurons[i], minlength=3)
                    for x, i in zip((trains, moved), inside, strict=True)
                ]
                np.testing.assert_array_equal(*counts)


@pytest.mark.parametrize("surrogate", EVERY, ids=str)
def test_empty_trains_stay_empty(surrogate):
    trains = SpikeTrains([], np.empty(0, int), 3, 0, 100)
    assert surrogate(trains, 1) == trains


@pytest.mark.parametrize("surrogate", EVERY, ids=str)
def test_trials_are_windows(surrogate):
    trains = aligned(3)
    moved = surrogate(trains, 2)
    assert (moved.n_trials, moved.t_start, moved.t_stop) == (30, 0, 200)
    np.testing.assert_array_equal(moved.labels["side"], trains.labels["side"])
    np.testing.assert_array_equal(moved.count().sum(axis=0), trains.count().sum(axis=0))
    if not isinstance(surrogate, Shift) or surrogate.within == "window":
        np.testing.assert_array_equal(moved.count(), trains.count())


def test_jitter_keeps_the_counts_of_its_cells_and_spreads_spikes_evenly():
    trains = drawn(2, n=5000, grid=0.5)
    moved = Jitter(10.0)(trains, 1)
    edges = np.r_[np.arange(0, 91, 10), 100, 107, np.arange(1000, 2001, 10)]
    for i in range(3):
        cells = [
            np.bincount(np.searchsorted(edges + 1e-6, t), minlength=114)
            for t in (trains[i], moved[i])
        ]
        np.testing.assert_array_equal(*cells)
    late = moved.times[moved.times > 1000] - 1000
    from scipy.stats import kstest

    assert kstest(late % 10 / 10, "uniform").pvalue > 0.01
    assert (
        kstest(moved.times[(moved.times > 100) & (moved.times < 108)], "uniform", (100, 7)).pvalue
        > 0.01
    )


def test_jitter_is_that_of_the_container():
    trains = drawn(2, n=3000, grid=0.1)
    ours, theirs = Jitter(7.0)(trains, 1), trains.jitter(7.0, 1)
    assert ours == theirs
    for i in range(3):
        cells = [np.ceil((x[i] - GAPS.starts[GAPS.index(x[i])] - 1e-6) / 7) for x in (ours, theirs)]
        np.testing.assert_array_equal(*cells)


def test_what_was_guessed_stays_marked():
    trains = SpikeTrains([5.0, 9.0], [0, 1], 2, 0, 10, guessed=["t_stop", "size"])
    assert Jitter(2.0)(trains, 1).guessed == trains.guessed == trains.jitter(2.0, 1).guessed


def test_a_cell_of_many_spikes_is_sorted():
    moved = Jitter(1000.0)(drawn(2, n=3000), 1)
    for times in moved:
        assert (np.diff(times) >= 0).all()


def test_shift_keeps_intervals_and_draws_any_shift():
    trains = drawn(4, size=400, support=Windows(0, 1000), n=8000)
    moved = Shift()(trains, 1)
    shifts = []
    for before, after in zip(trains, moved, strict=True):
        rounds = [np.diff(np.r_[t, t[0] + 1000]) for t in (before, after)]
        turns = [np.roll(rounds[0], k) for k in range(len(before))]
        assert min(np.abs(turn - rounds[1]).max() for turn in turns) < 1e-9
        k = np.argmin([np.abs(turn - rounds[1]).max() for turn in turns])
        shifts.append((after[k] - before[0]) % 1000)
    from scipy.stats import kstest

    assert kstest(shifts, "uniform", (0, 1000)).pvalue > 0.01


def test_shift_cuts_gaps_out():
    trains = drawn(5, size=1, n=50)
    moved = Shift()(trains, 3)
    length = np.r_[0, np.cumsum(GAPS.durations)]

    def put_together(x):
        window = GAPS.index(x.times)
        return length[window] + x.times - GAPS.starts[window]

    differences = (put_together(moved) - np.roll(put_together(trains), 0)[:, None]) % length[-1]
    common = np.round(differences, 6)
    values, counts = np.unique(common, return_counts=True)
    assert counts.max() >= 48  # all but what lies on an edge


def test_a_small_shift_is_small():
    trains = SpikeTrains(np.full(500, 50.0), np.arange(500), 500, 0, 100)
    by = Shift(most=20.0)(trains, 1).by_neuron()[0] - 50
    assert -20 < by.min() < -19 and 19 < by.max() < 20


def test_each_window_is_turned_by_itself():
    support = Windows([0.0, 100.0], [50.0, 150.0])
    trains = SpikeTrains([10.0, 12.0, 110.0, 112.0], [0, 0, 0, 0], 1, support=support)
    by = []
    for seed in range(200):
        t = Shift(within="window")(trains, seed).times
        assert np.isclose(np.diff(t[:2]) % 50, [2]) or np.isclose(np.diff(t[:2]), [48])
        by.append((t[0] % 50, t[2] % 50))
    assert abs(np.corrcoef(np.array(by).T)[0, 1]) < 0.25


@given(st.integers(0, 2**32), st.floats(0.1, 30), st.floats(0, 10))
@settings(max_examples=40, deadline=None)
def test_dither_keeps_refractoriness_and_its_width(seed, width, refractory):
    trains = drawn(seed % 1000, size=2)
    moved = Dither(width, refractory)(trains, seed)
    for before, after in zip(trains, moved, strict=True):
        windows = [GAPS.index(t) for t in (before, after)]
        np.testing.assert_array_equal(*windows)
        if refractory == 0:
            continue
        assert np.abs(after - before).max() <= width + 1e-5
        same = np.diff(windows[0]) == 0
        least = np.minimum(np.diff(before), refractory)
        assert (np.diff(after) >= least - 1e-5)[same].all()


def test_dither_without_refractoriness_is_uniform():
    from scipy.stats import kstest

    trains = SpikeTrains(np.full(2000, 50.0), np.arange(2000), 2000, 0, 100)
    by = Dither(8.0)(trains, 1).by_neuron()[0] - 50
    assert kstest(by, "uniform", (-8, 16)).pvalue > 0.01
    edge = SpikeTrains(np.full(2000, 98.0), np.arange(2000), 2000, 0, 100)
    assert kstest(Dither(8.0)(edge, 1).by_neuron()[0], "uniform", (90, 10)).pvalue > 0.01


def test_dither_has_no_direction_of_time():
    """Spikes move between neighbours, by chance the first or the last of two before the other."""
    n = 8000
    trains = SpikeTrains(np.tile([45.0, 55.0], n), np.repeat(np.arange(n), 2), n, 0, 100)
    moved = Dither(30.0, 3.0)(trains, 1).by_neuron()[0].reshape(-1, 2)
    first, last = moved[:, 0].mean() - 45, 55 - moved[:, 1].mean()
    assert abs(first - last) < 4 * moved[:, 0].std() * np.sqrt(2 / n)
    assert (moved[:, 0] > 50).any() and (moved[:, 1] < 50).any()


def test_dither_keeps_the_short_intervals_one_by_one_where_elephant_gives_up_all():
    """Elephant takes the shortest interval of a train for the refractoriness of all of them."""
    surrogates = pytest.importorskip("elephant.spike_train_surrogates")
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    times = np.r_[10.0, 11.0, 30.0 + 6 * np.arange(200)]
    train = neo.SpikeTrain(times * pq.ms, t_stop=2000 * pq.ms)
    theirs = surrogates.dither_spikes(
        train, 10 * pq.ms, n_surrogates=1, refractory_period=5 * pq.ms
    )
    assert np.diff(theirs[0].magnitude[2:]).min() < 5
    ours = Dither(10.0, 5.0)(SpikeTrains(times, np.zeros(202, int), 1, 0, 2000), 1)
    assert np.diff(ours.times[1:]).min() >= 5 - 1e-5


def test_dithered_counts_are_spread_as_elephants():
    """The same distribution of intervals, by the test of Kolmogorov and Smirnov."""
    surrogates = pytest.importorskip("elephant.spike_train_surrogates")
    neo, pq = pytest.importorskip("neo"), pytest.importorskip("quantities")
    from scipy.stats import ks_2samp

    rng = np.random.default_rng(3)
    times = np.cumsum(5 + rng.exponential(10, 4000))
    stop = times[-1] + 5
    train = neo.SpikeTrain(times * pq.ms, t_stop=stop * pq.ms)
    theirs = surrogates.dither_spikes(train, 6 * pq.ms, refractory_period=5 * pq.ms)[0].magnitude
    ours = Dither(6.0, 5.0)(SpikeTrains(times, np.zeros(4000, int), 1, 0, stop), 2).times
    assert ks_2samp(np.diff(theirs), np.diff(ours)).pvalue > 0.001
    plain = surrogates.dither_spikes(train, 6 * pq.ms)[0].magnitude
    ours = Dither(6.0)(SpikeTrains(times, np.zeros(4000, int), 1, 0, stop), 2).times
    assert ks_2samp(np.diff(np.sort(plain)), np.diff(ours)).pvalue > 0.001


def test_shuffled_trials_keep_every_train():
    trains = aligned(1)
    moved = TrialShuffle("side")(trains, 1)
    for neuron in range(4):
        before, after = trains.select([neuron]), moved.select([neuron])
        trials = [[tuple(x[k][0]) for k in range(30)] for x in (before, after)]
        assert sorted(trials[0]) == sorted(trials[1]) and trials[0] != trials[1]
        for side in (0, 1):
            assert sorted(trials[0][side::2]) == sorted(trials[1][side::2])
    orders = [np.argsort(moved.select([i]).count()[:, 0]) for i in range(4)]
    assert not np.array_equal(orders[0], orders[1])


def test_every_order_of_trials_is_as_likely():
    rng = np.random.default_rng(0)
    spikes = SpikeTrains(10.0 * np.arange(1, 4) - rng.random(3), [0] * 3, 1, 0, 30)
    trains = spikes.align([0.0, 10.0, 20.0], 0, 10)
    orders = [tuple(np.argsort(TrialShuffle()(trains, s).times)) for s in range(3000)]
    counts = np.unique(orders, axis=0, return_counts=True)[1]
    assert len(counts) == 6 and np.abs(counts - 500).max() < 4 * np.sqrt(500)


def test_what_is_refused():
    recorded = drawn(1)
    with pytest.raises(TypeError, match="TrialShuffle is for AlignedTrains"):
        TrialShuffle()(recorded, 1)
    with pytest.raises(KeyError, match="no label 'colour'; known are: side"):
        TrialShuffle("colour")(aligned(1), 1)
    with pytest.raises(TypeError, match="trains is a list; it must be SpikeTrains or Al"):
        Jitter(3.0)([1.0, 2.0], 1)
    with pytest.raises(ValueError, match="width is 0; it must be a finite number of ms above 0"):
        Jitter(0)
    with pytest.raises(ValueError, match="refractory is -1"):
        Dither(1.0, -1)
    with pytest.raises(ValueError, match="most is inf"):
        Shift(np.inf)
    with pytest.raises(ValueError, match="within windows, it must not be given"):
        Shift(3.0, within="window")
    with pytest.raises(ValueError, match="within is 'trial'"):
        Shift(within="trial")


def first_latency(trains):
    return [times[0] if len(times) else np.nan for times in trains]


def test_p_of_a_statistic_is_counted():
    trains = drawn(6, size=3, support=Windows(0, 1000), n=60)
    found = surrogate_test(first_latency, trains, Jitter(100.0), n=49, seed=3)
    values = np.array(
        [first_latency(Jitter(100.0)(trains, surrogate_seed(3, k))) for k in range(49)]
    )
    np.testing.assert_array_equal(found.surrogates, values)
    observed = np.array(first_latency(trains))
    above = (1 + (values >= observed).sum(axis=0)) / 50
    below = (1 + (values <= observed).sum(axis=0)) / 50
    np.testing.assert_array_equal(found.p, np.minimum(1, 2 * np.minimum(above, below)))
    for tail, expected in (("upper", above), ("lower", below)):
        one = surrogate_test(first_latency, trains, Jitter(100.0), n=49, seed=3, tail=tail)
        np.testing.assert_array_equal(one.p, expected)
    assert 0 < found.p_global <= 1


def test_p_of_a_number_is_a_number_and_its_global_p_the_same_for_one_tail():
    trains = drawn(6, size=3, support=Windows(0, 1000), n=60)
    found = surrogate_test(lambda x: x.times[0], trains, Jitter(50.0), n=19, tail="upper")
    assert found.p.shape == () and found.p_global == found.p
    assert "one value" in repr(found)


def test_what_is_unknown_stays_unknown():
    trains = SpikeTrains([5.0], [0], 2, 0, 100)
    found = surrogate_test(first_latency, trains, Jitter(10.0), n=19)
    assert np.isnan(found.p[1]) and 0 < found.p[0] <= 1 and 0 < found.p_global <= 1
    nothing = surrogate_test(lambda x: [np.nan], trains, Jitter(10.0), n=19)
    assert np.isnan(nothing.p_global)
    with pytest.raises(ValueError, match="tail is 'two'"):
        surrogate_test(first_latency, trains, Jitter(10.0), tail="two")


def test_a_statistic_that_no_surrogate_changes_lies_no_standard_deviation_off():
    found = surrogate_test(lambda t: [0.1, t.times.sum()], drawn(1), Jitter(20.0), n=9, seed=1)
    alone = surrogate_test(lambda t: [t.times.sum()], drawn(1), Jitter(20.0), n=9, seed=1)
    assert found.sd[0] == 0 and found.p[0] == 1 and found.sd[1] == alone.sd[0] > 0
    _, sd, off = standardised(np.full((10, 1), 0.1))
    assert not sd.any() and not off.any()
    assert found.p_global == alone.p_global
