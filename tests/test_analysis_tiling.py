"""The spike time tiling coefficient: a slow twin, Elephant, closed forms."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.analysis import spike_time_tiling
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

GAPS = Windows([0.0, 103.0, 300.0], [100.0, 110.0, 500.0])


def drawn(seed, size=5, n=150, support=GAPS, grid=None):
    rng = np.random.default_rng(seed)
    times = rng.uniform(support.starts[0] + 0.01, support.stops[-1], n)
    if grid:
        times = np.ceil(times / grid) * grid
    kept = support.index(times) >= 0
    return SpikeTrains(times[kept], rng.integers(0, size, kept.sum()), size, support=support)


def twin(a, b, support, dt):
    """Of two arrays of times, by all distances and by tiles joined one after the other."""

    def near(x, y):
        same = support.index(x)[:, None] == support.index(y)
        return np.any(same & (np.abs(x[:, None] - y) <= dt + 1e-6), axis=1).mean()

    def covered(x):
        windows = support.index(x)
        tiles = Windows(
            np.maximum(x - dt, support.starts[windows]), np.minimum(x + dt, support.stops[windows])
        )
        return tiles.union().duration / support.duration

    def half(p, t):
        return 1.0 if p * t == 1 else (p - t) / (1 - p * t)

    if not len(a) or not len(b):
        return np.nan
    return (half(near(a, b), covered(b)) + half(near(b, a), covered(a))) / 2


@pytest.mark.parametrize("support", [Windows(0, 500), GAPS], ids=["whole", "gaps"])
@pytest.mark.parametrize("grid", [None, 0.1, 1.0])
@pytest.mark.parametrize("dt", [0.2, 1.0, 5.0, 60.0, 1000.0])
def test_it_is_that_of_the_twin(support, grid, dt):
    trains = drawn(1, support=support, grid=grid)
    found = spike_time_tiling(trains, dt)
    for i in range(5):
        for j in range(5):
            expected = twin(trains[i], trains[j], support, dt)
            np.testing.assert_allclose(found[i, j], expected, atol=1e-10)


@given(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 2)), max_size=25), st.integers(1, 9))
@settings(max_examples=60, deadline=None)
def test_it_is_symmetric_and_1_with_itself(spikes, dt):
    times = np.array([t for t, _ in spikes], float)
    trains = SpikeTrains(times, np.array([i for _, i in spikes], int), 3, 0, 100)
    found = spike_time_tiling(trains, float(dt))
    np.testing.assert_array_equal(found, found.T)
    for i in range(3):
        assert np.isnan(found[i]).all() if not len(trains[i]) else found[i, i] == 1
    known = found[~np.isnan(found)]
    assert ((known >= -1) & (known <= 1)).all()


def test_elephant_has_the_same():
    tiling = pytest.importorskip("elephant.spike_train_correlation").spike_time_tiling_coefficient
    import neo
    import quantities as pq

    trains = drawn(2, size=4, n=120, support=Windows(0, 900))
    theirs = [neo.SpikeTrain(t / 1000 * pq.s, t_stop=0.9 * pq.s) for t in trains]
    for dt in (5.0, 20.0):
        found = spike_time_tiling(trains, dt)
        for i in range(4):
            for j in range(4):
                expected = tiling(theirs[i], theirs[j], dt=dt / 1000 * pq.s)
                np.testing.assert_allclose(found[i, j], expected, atol=1e-10)


def test_elephants_reach_grows_with_the_time_of_the_spike():
    """`numpy.isclose` adds 1e-5 of the time to dt: 6 ms after ten minutes."""
    tiling = pytest.importorskip("elephant.spike_train_correlation").spike_time_tiling_coefficient
    import neo
    import quantities as pq

    rng = np.random.default_rng(3)
    late = 600_000 + np.sort(rng.uniform(0, 10_000, (2, 100)))
    trains = SpikeTrains(late.ravel(), np.repeat([0, 1], 100), 2, 600_000, 610_000)
    frame = dict(t_start=600_000 * pq.ms, t_stop=610_000 * pq.ms)
    a, b = (neo.SpikeTrain(t * pq.ms, **frame) for t in late)
    theirs = tiling(a, b, dt=5 * pq.ms)
    ours = spike_time_tiling(trains, 5.0)[0, 1]
    if theirs == pytest.approx(ours, abs=1e-9):
        pytest.skip("this version of Elephant takes dt as it is")
    early = spike_time_tiling(trains.shift(-600_000), 5.0)[0, 1]
    assert ours == pytest.approx(early, abs=1e-12) and theirs > ours + 0.05
    frame = dict(t_start=0 * pq.ms, t_stop=10_000 * pq.ms)
    a, b = (neo.SpikeTrain((t - 600_000) * pq.ms, **frame) for t in late)
    assert tiling(a, b, dt=5 * pq.ms) == pytest.approx(ours, abs=1e-3)


def test_rates_do_not_confound_it():
    """Independent Poisson trains of 5 to 80 Hz: 0 within 4 standard deviations of the sampling."""
    rng = np.random.default_rng(4)
    duration = 200_000.0
    rates = np.array([5, 5, 20, 20, 80, 80]) / 1000
    n = rng.poisson(rates * duration)
    trains = SpikeTrains(
        rng.uniform(0, duration, n.sum()), np.repeat(np.arange(6), n), 6, 0, duration
    )
    found = spike_time_tiling(trains, 5.0)
    off = found[np.triu_indices(6, 1)]
    assert np.abs(off).max() < 4 / np.sqrt(n.min())


def test_shared_spikes_give_their_share():
    """A train and one that has a share of its spikes: P_j is 1, P_i follows the share."""
    rng = np.random.default_rng(5)
    duration, dt = 2_000_000.0, 1.0
    a = np.sort(rng.uniform(0, duration, 20_000))
    b = a[rng.random(20_000) < 0.4]
    trains = SpikeTrains(np.r_[a, b], np.repeat([0, 1], [len(a), len(b)]), 2, 0, duration)
    t_a, t_b = (1 - np.exp(-2 * dt * len(x) / duration) for x in (a, b))
    p_a = len(b) / len(a) + (1 - len(b) / len(a)) * t_b
    expected = ((p_a - t_b) / (1 - p_a * t_b) + 1) / 2
    assert spike_time_tiling(trains, dt)[0, 1] == pytest.approx(expected, abs=0.01)


def test_neither_spikes_nor_tiles_reach_over_a_gap():
    support = Windows([0.0, 102.0], [100.0, 200.0])
    trains = SpikeTrains([99.0, 103.0], [0, 1], 2, support=support)
    t = np.array([6 / 198, 6 / 198])  # 5 before and 1 after; 1 before and 5 after
    assert spike_time_tiling(trains, 5.0)[0, 1] == pytest.approx(-t.mean())
    joined = SpikeTrains([99.0, 103.0], [0, 1], 2, 0, 200)
    assert spike_time_tiling(joined, 5.0)[0, 1] > 0.9


def test_trials_are_windows():
    trains = drawn(6, support=Windows(0, 500), n=300)
    around = trains.align([100.0, 200.0, 300.0], 50, 50)
    apart = trains.restrict(Windows([50.0, 150.0, 250.0], [149.999, 249.999, 349.999]))
    np.testing.assert_allclose(spike_time_tiling(around), spike_time_tiling(apart), atol=1e-3)


def test_silent_neurons_have_none():
    for trains in (
        SpikeTrains([], np.empty(0, int), 2, 0, 100),
        SpikeTrains([], np.empty(0, int), 2, 5, 5),
    ):
        assert np.isnan(spike_time_tiling(trains)).all()
    one = spike_time_tiling(SpikeTrains([5.0], [0], 2, 0, 100))
    assert one[0, 0] == 1 and np.isnan([one[0, 1], one[1, 0], one[1, 1]]).all()
    assert spike_time_tiling(SpikeTrains([], np.empty(0, int), 0, 0, 1)).shape == (0, 0)
    with pytest.raises(ValueError, match="dt is 0; it must be a finite number of ms above 0"):
        spike_time_tiling(SpikeTrains([5.0], [0], 2, 0, 100), 0)
