"""SpikeTrains: against pynapple and elephant, against plain loops, and what it reads lazily."""

import math

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikesim.data.spiketrains import SpikeTrains

SIZE, DT, STEPS = 7, 0.1, 400


@st.composite
def spike_trains(draw):
    """Spikes on a grid of steps, as a run makes them, in any order."""
    spikes = draw(st.lists(st.tuples(st.integers(1, STEPS), st.integers(0, SIZE - 1)), unique=True))
    steps = np.array([step for step, _ in spikes], np.int64)
    neurons = np.array([neuron for _, neuron in spikes], np.int64)
    return SpikeTrains(steps * DT, neurons, SIZE, 0.0, STEPS * DT)


def poisson_trains(seed=1):
    rng = np.random.default_rng(seed)
    occupied = rng.random((STEPS, SIZE)) < np.linspace(0, 0.2, SIZE)
    steps, neurons = np.nonzero(occupied)
    return SpikeTrains((steps + 1) * DT, neurons, SIZE, 0.0, STEPS * DT)


class Column:
    """A column that counts how many elements are read, as an h5py data set would."""

    def __init__(self, values):
        self.values, self.read = np.asarray(values), 0

    def __len__(self):
        return len(self.values)

    def __getitem__(self, key):
        part = self.values[key]
        self.read += np.size(part)
        return part


def test_sorts_by_time_then_neuron():
    trains = SpikeTrains([3.0, 1.0, 3.0, 2.0], [1, 0, 0, 2], 3, 0, 5)
    assert trains.times.tolist() == [1, 2, 3, 3]
    assert trains.neurons.tolist() == [0, 2, 0, 1]
    assert trains.times.dtype == np.float64 and trains.neurons.dtype == np.int64


def test_arrays_are_nobody_elses():
    times, neurons = np.array([1.0, 2.0, 2.0]), np.array([1, 0, 1])
    trains = SpikeTrains(times, neurons, 2, 0, 5)
    times += 1
    assert trains.times.tolist() == [1, 2, 2]
    kept, offsets = trains.by_neuron()
    for array in (trains.times, trains.neurons, kept, offsets, trains.restrict(0, 5).times):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0
    times.flags.writeable = neurons.flags.writeable = False
    trains = SpikeTrains(times, neurons, 2, 0, 5)
    assert trains.times is times and trains.neurons is neurons  # without a copy
    groups = np.array(["a", "b"])
    labelled = SpikeTrains(times, neurons, 2, 0, 5, labels={"group": groups})
    groups[0] = "c"
    assert labelled.labels["group"].tolist() == ["a", "b"]
    counts = trains.count()
    counts[0] = 7
    assert trains.count().tolist() == [1, 2]


@given(spike_trains())
def test_iteration_and_indexing_give_the_times_of_each_neuron(trains):
    by_neuron = list(trains)
    assert len(by_neuron) == SIZE
    for neuron, times in enumerate(by_neuron):
        expected = [t for t, n in zip(trains.times, trains.neurons, strict=True) if n == neuron]
        assert times.tolist() == expected == trains[neuron].tolist()


@given(spike_trains(), st.lists(st.integers(0, STEPS), min_size=1))
def test_consecutive_windows_tile(trains, cuts):
    edges = [0, *sorted(cuts), STEPS]
    windows = [trains.restrict(a * DT, b * DT) for a, b in zip(edges[:-1], edges[1:], strict=True)]
    for window, a, b in zip(windows, edges[:-1], edges[1:], strict=True):
        steps = np.rint(window.times / DT)
        assert np.all((a < steps) & (steps <= b))
    rejoined = SpikeTrains(
        np.concatenate([w.times for w in windows]),
        np.concatenate([w.neurons for w in windows]),
        SIZE,
        0.0,
        STEPS * DT,
    )
    assert rejoined == trains


def test_windows_are_open_at_their_start_and_forgive_rounding():
    trains = SpikeTrains(np.arange(1, 5) * 0.1, [0, 0, 0, 0], 1, 0, 0.4)
    assert 3 * 0.1 > 0.3  # so an exact comparison would lose the third spike
    assert trains.restrict(0.1, 0.3).times.tolist() == [0.2, 3 * 0.1]
    assert len(trains.restrict(0.2, 0.2)) == 0
    assert len(SpikeTrains([3 * 0.1], [0], 1, 0, 0.3)) == 1


@pytest.mark.parametrize("bin_steps", [1, 2, 5, 100, 400])
@given(trains=spike_trains())
def test_bins_are_those_of_the_steps(bin_steps, trains):
    counts = trains.count(bin=bin_steps * DT)
    expected = np.zeros((STEPS // bin_steps, SIZE))
    for t, neuron in zip(trains.times, trains.neurons, strict=True):
        expected[(round(t / DT) - 1) // bin_steps, neuron] += 1
    assert counts.dtype == np.int32
    np.testing.assert_array_equal(counts, expected)
    np.testing.assert_array_equal(counts.sum(0), trains.count())


def test_bin_edges_far_from_zero():
    steps = np.arange(36_000_001, 36_000_011)
    trains = SpikeTrains(steps * DT, np.zeros(10, int), 1, 3_600_000.0, 3_600_001.0)
    assert trains.count(bin=0.1)[:, 0].tolist() == [1] * 10
    assert trains.count(bin=1.0).tolist() == [[10]]
    assert SpikeTrains([0.3], [0], 1, 0, 1).count(bin=0.1)[:, 0].tolist() == [0, 0, 1] + [0] * 7


def test_long_bins_still_tell_steps_apart():
    trains = SpikeTrains([1e6, 1e6 + 0.1], [0, 0], 1, 0, 2e6)
    assert trains.count(bin=1e6).tolist() == [[1], [1]]


@given(spike_trains(), st.permutations(range(SIZE)), st.integers(0, SIZE))
def test_select_renumbers_in_the_order_given(trains, order, k):
    chosen = order[:k]
    selected = trains.select(chosen)
    assert selected.size == k and selected.duration == trains.duration
    for new, old in enumerate(chosen):
        assert selected[new].tolist() == trains[old].tolist()


def test_select_by_slice_mask_and_number():
    trains = poisson_trains()
    assert trains.select(slice(1, 6, 2)) == trains.select([1, 3, 5])
    assert trains.select(slice(None)) == trains
    assert trains.select(np.arange(SIZE) % 2 == 1) == trains.select(np.array([1, 3, 5], np.uint8))
    assert trains.select(3) == trains.select([3])
    assert trains.select(slice(None, None, -1))[0].tolist() == trains[SIZE - 1].tolist()


def test_rates():
    trains = SpikeTrains([10.0, 20.0, 30.0], [0, 0, 2], 4, 0, 500)
    assert trains.rates().tolist() == [4, 0, 2, 0]
    assert trains.rate == 1.5
    assert trains.duration == 500
    assert math.isnan(SpikeTrains([], [], 2, 3, 3).rate)
    assert np.isnan(SpikeTrains([], [], 2, 3, 3).rates()).all()
    assert math.isnan(SpikeTrains([], [], 0, 0, 3).rate)


def test_cv_of_few_and_regular_spikes():
    trains = SpikeTrains([1, 2, 3, 4, 1, 5, 7, 5, 5, 5], [0, 0, 0, 0, 1, 1, 2, 4, 4, 4], 5, 0, 9)
    cv = trains.cv()
    assert cv[0] == 0
    assert np.isnan(cv[1:]).all()


def test_equality_and_repr():
    trains = SpikeTrains([1.0, 2.0], [0, 1], 2, 0, 5)
    assert trains == SpikeTrains([2.0, 1.0], [1, 0], 2, 0, 5)
    assert trains != SpikeTrains([1.0, 2.0], [0, 1], 3, 0, 5)
    assert trains != SpikeTrains([1.0, 2.0], [0, 1], 2, 0, 6)
    assert trains != SpikeTrains([1.0, 2.5], [0, 1], 2, 0, 5)
    assert trains != SpikeTrains([1.0, 2.0], [1, 1], 2, 0, 5)
    assert trains != "trains"
    assert repr(trains) == "SpikeTrains(2 spikes of 2 neurons in (0, 5] ms)"


def test_empty_population():
    trains = SpikeTrains([], [], 0, 0, 10)
    assert len(trains) == 0 and list(trains) == [] and trains.count(bin=5).shape == (2, 0)
    assert trains.cv().shape == (0,) and trains.select([]) == trains


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (([1.0], [0, 1], 2, 0, 5), ValueError, r"equal length.*\(1,\) and \(2,\)"),
        (([[1.0]], [[0]], 2, 0, 5), ValueError, "one-dimensional"),
        (([1.0, math.nan], [0, 1], 2, 0, 5), ValueError, r"finite.*times\[1\] is nan"),
        (([1.0, math.inf], [0, 1], 2, 0, 5), ValueError, r"times\[1\] is inf"),
        (([1.0, 5.1], [0, 1], 2, 0, 5), ValueError, r"in \(0, 5\] ms, but times\[1\] is 5.1"),
        (([-0.1], [0], 2, 0, 5), ValueError, r"times\[0\] is -0.1"),
        (([0.0], [0], 2, 0, 5), ValueError, r"does not hold its start, but times\[0\] is 0.0"),
        (([1.0], [2], 2, 0, 5), ValueError, r"less than size = 2, but neurons\[0\] is 2"),
        (([1.0], [-1], 2, 0, 5), ValueError, r"neurons\[0\] is -1"),
        (([1.0], [0.0], 2, 0, 5), TypeError, "neurons must be integers.*float64"),
        (([], [], -1, 0, 5), ValueError, "size must not be negative, but is -1"),
        (([], [], 1.5, 0, 5), TypeError, "size must be an integer, but is 1.5"),
        (([], [], 1, 5, 0), ValueError, "t_start <= t_stop, but are 5 and 0 ms"),
        (([], [], 1, 0, math.inf), ValueError, "finite"),
        (([], [], 1, math.nan, 1), ValueError, "finite"),
    ],
)
def test_bad_input_is_named(arguments, error, message):
    with pytest.raises(error, match=message):
        SpikeTrains(*arguments)


@pytest.mark.parametrize("window", [(3, 2), (-1, 2), (1, 6)])
def test_restrict_refuses_windows(window):
    with pytest.raises(ValueError, match=r"must be ascending and inside of \[0, 5\] ms"):
        SpikeTrains([1.0], [0], 1, 0, 5).restrict(*window)


@pytest.mark.parametrize("bin", [0, -1, 3, 11, math.nan, math.inf])
def test_count_refuses_bins(bin):
    with pytest.raises(ValueError, match="divide the duration of 10 ms, but is"):
        SpikeTrains([1.0], [0], 1, 0, 10).count(bin=bin)


@pytest.mark.parametrize(
    ("neurons", "error", "message"),
    [
        ([0, 0], ValueError, "twice"),
        ([3], ValueError, "less than size = 3"),
        ([-1], ValueError, "at least 0"),
        ([[0, 1]], ValueError, "one-dimensional"),
        ([True, False], ValueError, r"shape \(3,\), but has \(2,\)"),
        ([0.5], TypeError, "float64"),
    ],
)
def test_select_refuses(neurons, error, message):
    with pytest.raises(error, match=message):
        SpikeTrains([1.0], [0], 3, 0, 10).select(neurons)


@pytest.mark.parametrize("neuron", [-1, 3])
def test_indexing_refuses(neuron):
    with pytest.raises(IndexError, match="less than size = 3"):
        SpikeTrains([1.0], [0], 3, 0, 10)[neuron]


def lazy(n=100_000):
    times, neurons = Column(np.arange(1, n + 1) * DT), Column(np.arange(n) % SIZE)
    return SpikeTrains.lazy(times, neurons, SIZE, 0.0, n * DT), times, neurons


def test_lazy_length_and_rate_read_almost_nothing():
    trains, times, neurons = lazy()
    assert len(trains) == 100_000 and trains.rate > 0 and "100000 spikes" in repr(trains)
    assert times.read == 1 and neurons.read == 0  # the last time, to cut at t_stop


def test_lazy_restrict_reads_its_window_alone():
    trains, times, neurons = lazy()
    window = trains.restrict(5000 * DT, 5010 * DT)
    assert np.rint(window.times / DT).tolist() == list(range(5001, 5011))
    assert window.neurons.tolist() == [(step - 1) % SIZE for step in range(5001, 5011)]
    assert neurons.read == 10
    assert times.read < 10 + 2 * 18  # two searches of log2(100000) steps


def test_lazy_loads_once_and_equals_memory():
    trains, times, neurons = lazy(1000)
    in_memory = SpikeTrains(times.values, neurons.values, SIZE, 0.0, 1000 * DT)
    before = times.read
    assert trains == in_memory
    assert trains.count().tolist() == in_memory.count().tolist()
    assert times.read - before == neurons.read == 1000


def test_lazy_leaves_out_a_surplus_and_what_comes_after_the_window():
    times, neurons = np.arange(1, 11) * 1.0, np.zeros(8, np.uint64)
    assert SpikeTrains.lazy(times, neurons, 1, 0, 100).times.tolist() == list(range(1, 9))
    trains = SpikeTrains.lazy(times, neurons, 1, 0, 5)
    assert len(trains) == 5 and trains.times[-1] == 5
    assert len(SpikeTrains.lazy([], [], 1, 0, 5)) == 0


def test_lazy_checks_when_it_reads():
    trains = SpikeTrains.lazy([1.0, 2.0], [0, 7], 2, 0, 5)
    assert len(trains.restrict(0, 1)) == 1
    with pytest.raises(ValueError, match=r"neurons\[1\] is 7"):
        _ = trains.times


def test_counts_restrict_and_rates_agree_with_pynapple():
    nap = pytest.importorskip("pynapple", reason="an independent implementation to compare with")
    # pynapple bins [a, b), so spikes are moved off the edges.
    grid = poisson_trains()
    trains = SpikeTrains(grid.times - DT / 2, grid.neurons, SIZE, 0.0, STEPS * DT)
    seconds = [nap.Ts(times, time_units="ms") for times in trains]
    support = nap.IntervalSet(0, trains.t_stop, time_units="ms")
    group = nap.TsGroup(dict(enumerate(seconds)), time_support=support)

    np.testing.assert_array_equal(trains.count(bin=2.0), group.count(2.0, time_units="ms").values)
    np.testing.assert_allclose(trains.rates(), group["rate"].values, rtol=1e-9)
    part = group.restrict(nap.IntervalSet(10, 25, time_units="ms"))
    for neuron, times in enumerate(trains.restrict(10.0, 25.0)):
        np.testing.assert_allclose(times, part[neuron].times(units="ms"), rtol=1e-9)


def test_cv_and_rates_agree_with_elephant():
    statistics = pytest.importorskip(
        "elephant.statistics", reason="an independent implementation to compare with"
    )
    neo = pytest.importorskip("neo", reason="elephant's spike trains")
    trains = poisson_trains()
    cv, rates = trains.cv(), trains.rates()
    assert np.isfinite(cv).sum() >= 4
    for neuron, times in enumerate(trains):
        if len(times) >= 3:
            assert cv[neuron] == pytest.approx(statistics.cv(np.diff(times)), rel=1e-12)
        else:
            assert math.isnan(cv[neuron])
        reference = neo.SpikeTrain(times, t_stop=trains.t_stop, units="ms")
        hz = float(statistics.mean_firing_rate(reference).rescale("Hz"))
        assert rates[neuron] == pytest.approx(hz)
