"""Windows, and what spike trains of several windows count: against plain loops."""

import copy
import math
import pickle
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.data import rows
from spikesim.data.aligned import AlignedTrains
from spikesim.data.ordering import in_order
from spikesim.data.spike_files import open_spikes, write_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

DT, STEPS, SIZE = 0.1, 200, 5

edges = st.lists(st.tuples(st.integers(0, STEPS), st.integers(0, STEPS)), min_size=1, max_size=6)
spikes = st.lists(st.tuples(st.integers(1, STEPS), st.integers(0, SIZE - 1)), unique=True)


def windows_of(pairs):
    return Windows([min(p) * DT for p in pairs], [max(p) * DT for p in pairs])


def steps_in(pairs):
    """The steps of time that lie in windows, by their rule (start, stop]."""
    return {s for p in pairs for s in range(min(p) + 1, max(p) + 1)}


def runs(steps):
    """Steps in runs without a gap, as (first - 1, last)."""
    found = []
    for step in sorted(steps):
        if found and found[-1][1] == step - 1:
            found[-1][1] = step
        else:
            found.append([step - 1, step])
    return found


def trains_of(pairs, by=None):
    steps = np.array([step for step, _ in pairs], np.int64)
    neurons = np.array([neuron for _, neuron in pairs], np.int64)
    if by is None:
        return SpikeTrains(steps * DT, neurons, SIZE, 0.0, STEPS * DT)
    keys = (neurons, steps) if by == "time" else (steps, neurons)
    order = np.lexsort(keys)
    columns = steps[order] * DT, neurons[order].astype(np.uint64)
    return SpikeTrains.lazy(*columns, SIZE, 0.0, STEPS * DT, by=by)


@given(edges)
def test_union_is_the_same_time_without_overlap(pairs):
    union = windows_of(pairs).union()
    expected = runs(steps_in(pairs))
    if expected:
        np.testing.assert_allclose(np.c_[union.starts, union.stops], np.array(expected) * DT)
    else:
        assert len(union) == 1 and union.duration == 0


@given(edges, edges)
def test_intersect_is_the_time_in_both(a, b):
    both = windows_of(a).intersect(windows_of(b))
    # Windows of either that touch are one, so the runs of what is shared are those of the union.
    expected = runs(steps_in(a) & steps_in(b))
    assert sum(both.durations) == pytest.approx(len(steps_in(a) & steps_in(b)) * DT)
    assert len(both) == len(expected)


@given(edges)
def test_contains_holds_stops_and_not_starts(pairs):
    times = np.arange(0, STEPS + 1) * DT
    inside = steps_in(pairs)
    assert windows_of(pairs).contains(times).tolist() == [s in inside for s in range(STEPS + 1)]


@given(edges, st.lists(st.integers(-5, STEPS + 5), min_size=2, unique=True).map(sorted))
def test_lasting_is_what_of_a_bin_was_recorded(pairs, bins):
    inside = steps_in(pairs)
    expected = [sum(a < s <= b for s in inside) * DT for a, b in zip(bins, bins[1:], strict=False)]
    found = windows_of(pairs).lasting(np.array(bins) * DT)
    np.testing.assert_allclose(found, expected, atol=1e-9)


@given(spikes, edges, st.lists(st.integers(0, STEPS), min_size=2, unique=True).map(sorted))
def test_count_all_counts_bins_of_any_width(pairs, cuts, bins):
    inside = steps_in(cuts)
    steps = [step for step, _ in pairs if step in inside]
    expected = [sum(a < s <= b for s in steps) for a, b in zip(bins, bins[1:], strict=False)]
    trains = trains_of(pairs).restrict(windows_of(cuts))
    assert trains.count_all(np.array(bins) * DT).tolist() == expected


def test_index_tells_touching_windows_apart():
    windows = Windows([0, 1, 3], [1, 2, 4])
    assert windows.index([0, 0.5, 1, 1.1, 2, 2.5, 3, 4, 5]).tolist() == [
        *[-1, 0, 0, 1, 1, -1, -1, 2, -1]
    ]
    assert windows.index(0.3 + 1e-9 - 0.3).tolist() == -1
    assert Windows([], []).contains([1.0]).tolist() == [False]
    with pytest.raises(ValueError, match="overlap or do not ascend"):
        Windows([0, 1], [2, 3]).index([1])


def test_labels_and_choices():
    trials = Windows([0, 10, 20], [5, 15, 25], {"side": ["left", "right", "left"], "n": [1, 2, 3]})
    assert trials.where(side="left").labels["n"].tolist() == [1, 3]
    assert trials.where(side="left", n=[2, 3]).starts.tolist() == [20]
    assert trials[1] == (10.0, 15.0) and list(trials[1:]) == [(10, 15), (20, 25)]
    assert trials[[2, 0]].labels["n"].tolist() == [3, 1]
    assert trials[np.array([True, False, False])] == trials.where(n=1)
    assert len(trials[[]]) == 0
    assert trials.durations.tolist() == [5, 5, 5] and trials.duration == 15
    assert trials != Windows([0, 10, 20], [5, 15, 25])
    assert "3 Windows in (0, 25] ms, 15 ms in all, labelled side, n" in repr(trials)
    assert "<td style='text-align:left'>right</td>" in trials._repr_html_()
    with pytest.raises(KeyError, match="no label 'sied' of windows; there are: 'side', 'n'"):
        trials.where(sied="left")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (([0, 5], [1]), "of equal length"),
        (([[0]], [[1]]), "one-dimensional"),
        ((["a"], [1]), "must be numbers"),
        (([0, 5], [1, 4]), r"start <= stop, but window 1 is \(5.0, 4.0\]"),
        (([0, math.nan], [1, 4]), "window 1 is"),
        (([0], [math.inf]), "finite"),
        (([0, 1], [1, 2], {"a": [1]}), r"the shape \(2,\), but 'a' has \(1,\)"),
    ],
)
def test_bad_windows_are_named(arguments, message):
    with pytest.raises(ValueError, match=message):
        Windows(*arguments)


def test_closed_windows_begin_before_a_spike_on_their_start():
    windows = Windows.closed([0.0, 10.0], [5.0, 15.0], [12.0, 0.0])
    assert windows.starts.tolist() == [-2e-6, 10.0] and windows.stops.tolist() == [5, 15]
    assert windows.contains([0.0, 12.0]).all()


@settings(deadline=None)
@given(spikes, edges, st.sampled_from([None, "time", "neuron"]), st.integers(1, 7))
def test_restricted_trains_hold_their_windows_and_count_no_gap(pairs, cuts, by, piece):
    inside = steps_in(cuts)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("spikesim.data.rows.PIECE", piece)
        trains = trains_of(pairs, by).restrict(windows_of(cuts))
        kept = [(step, neuron) for step, neuron in pairs if step in inside]
        of = [[step for step, neuron in sorted(kept) if neuron == i] for i in range(SIZE)]
        assert trains.count().tolist() == [len(steps) for steps in of] and len(trains) == len(kept)
        assert trains.duration == pytest.approx(len(inside) * DT)
        run_of = {s: k for k, (a, b) in enumerate(runs(inside)) for s in range(a + 1, b + 1)}
        intervals = [
            [b - a for a, b in zip(steps, steps[1:], strict=False) if run_of[a] == run_of[b]]
            for steps in of
        ]
        found = [[] for _ in range(SIZE)]
        for isi, owners in trains.interval_pieces():
            for interval, owner in zip(isi, owners, strict=True):
                found[owner].append(round(interval / DT))
        assert found == intervals
        expected = [np.std(i) / np.mean(i) if len(i) > 1 else np.nan for i in intervals]
        np.testing.assert_allclose(trains.cv(), expected, atol=1e-9)
        for neuron in range(SIZE):
            assert np.rint(trains[neuron] / DT).tolist() == of[neuron]
        isi, owners = trains.intervals()  # which reads all of them
        assert np.rint(isi / DT).tolist() == [i for each in intervals for i in each]
        assert owners.tolist() == [i for i, each in enumerate(intervals) for _ in each]
        assert [np.rint(times / DT).tolist() for times in trains] == of


@settings(deadline=None)
@given(spikes, st.sampled_from([None, "time", "neuron"]), st.data())
def test_files_in_any_order_are_as_memory(pairs, by, data):
    trains, twin = trains_of(pairs, by), trains_of(pairs)
    for _ in range(data.draw(st.integers(0, 3))):
        if data.draw(st.booleans()) and twin.size:
            chosen = data.draw(st.permutations(range(twin.size)))[: twin.size - 1]
            trains, twin = trains.select(chosen), twin.select(chosen)
        else:
            a, b = sorted(data.draw(st.tuples(st.floats(0, 1), st.floats(0, 1))))
            a, b = (twin.t_start + x * (twin.t_stop - twin.t_start) for x in (a, b))
            trains, twin = trains.restrict(a, b), twin.restrict(a, b)
        assert (trains._rows is None) == (by is None)
    if twin.support.durations.min() > 1e-3:
        bin = twin.duration / 4
        assert trains.count(bin).tolist() == twin.count(bin).tolist()
    assert len(trains) == len(twin)
    np.testing.assert_array_equal(trains.rates(), twin.rates())
    np.testing.assert_allclose(trains.cv(), twin.cv(), rtol=1e-9, atol=1e-9)
    assert trains == twin and trains.support == twin.support


def test_bins_of_each_window_follow_another():
    trains = SpikeTrains([1, 2, 11, 14], [0, 0, 1, 0], 2, support=Windows([0, 10], [2, 14]))
    assert trains.count(bin=2.0).tolist() == [[2, 0], [0, 1], [1, 0]]
    assert trains.count(bin=1.0).sum(0).tolist() == trains.count().tolist()
    assert trains.rates().tolist() == [500.0, 1000 / 6]
    with pytest.raises(ValueError, match="divide the duration of 2 ms, but is 4"):
        trains.count(bin=4.0)


def test_a_support_refuses_what_lies_in_its_gaps():
    support = Windows([10, 0], [14, 2])
    with pytest.raises(ValueError, match=r"2 windows in \(0, 14\] ms, but times\[1\] is 5.0"):
        SpikeTrains([1, 5], [0, 0], 1, support=support)
    trains = SpikeTrains([1, 11], [0, 0], 1, support=support)
    assert trains.support == Windows([0, 10], [2, 14])
    assert (trains.t_start, trains.t_stop, trains.duration) == (0, 14, 6)
    with pytest.raises(ValueError, match="lie in gaps of"):
        trains.restrict(4, 9)
    with pytest.raises(ValueError, match="hold one window at least"):
        trains.restrict(Windows([], []))
    with pytest.raises(ValueError, match="support is given"):
        SpikeTrains([], [], 1, 0, 5, support=support)
    with pytest.raises(TypeError, match="t_start and t_stop, or support"):
        SpikeTrains([], [], 1)


def test_the_whole_window_changes_nothing():
    trains = SpikeTrains([0.1, 20.0], [0, 1], 2, 0.0, 20.0, labels={"group": ["a", "b"]})
    assert trains.restrict(0.0, 20.0) == trains == trains.restrict(trains.support)
    assert trains.restrict(0.0, 20.0).labels["group"].tolist() == ["a", "b"]
    assert trains.select([1]).labels["group"].tolist() == ["b"]
    assert trains.where(group="b") == trains.select([1])
    with pytest.raises(KeyError, match="no label 'gruop' of neurons; there are: 'group'"):
        trains.where(gruop="b")


def test_bins_that_do_not_divide_long_recordings_are_refused():
    trains = SpikeTrains([1.0], [0], 1, 0, 3_600_000.0)
    with pytest.raises(ValueError, match="divide the duration of 3600000 ms"):
        trains.count(7.0)
    assert trains.count(0.1).shape == (36_000_000, 1)
    assert trains.trim(7.0).duration == 7.0 * (3_600_000 // 7)


def test_edges_must_ascend():
    trains = SpikeTrains([1.0], [0], 1, 0, 10)
    with pytest.raises(ValueError, match="edges must ascend"):
        trains.count_all([10.0, 5.0, 0.0])
    with pytest.raises(ValueError, match="edges is"):
        trains.count_all([0.0, np.nan])
    assert Windows([], []).lasting([0, 1]).tolist() == [0]


def test_one_time_after_different_events_is_one_number():
    events = np.round(np.arange(60) * 100.1 + 0.3, 1)
    trains = SpikeTrains(np.round(events + 5.3, 1), np.zeros(60, int), 1, 0, 7000)
    assert set(trains.align(events, 0, 50).times) == {5.3}


def test_trim_keeps_whole_bins():
    trains = SpikeTrains([1, 2, 5, 12, 19], [0] * 5, 1, support=Windows([0, 10, 18], [5, 15.5, 19]))
    kept = trains.trim(2.0)
    assert kept.support == Windows([0, 10], [4, 14]) and kept.times.tolist() == [1, 2, 12]
    assert trains.trim(0.5) == trains
    assert SpikeTrains([], [], 1, 0, 0.3).trim(0.1).support.stops[0] == 0.3
    with pytest.raises(ValueError, match="bin is 6.0 ms, which no window of"):
        trains.trim(6.0)


def test_shift_and_merge():
    a = SpikeTrains([1, 2], [0, 1], 2, 0, 5, labels={"group": ["x", "y"], "depth": [1, 2]})
    b = SpikeTrains([1, 4], [0, 0], 1, 0, 5, labels={"group": ["z"]})
    assert a.shift(10.5) == SpikeTrains([11.5, 12.5], [0, 1], 2, 10.5, 15.5)
    merged = a.merge(b, b)
    assert merged == SpikeTrains([1, 1, 1, 2, 4, 4], [0, 2, 3, 1, 2, 3], 4, 0, 5)
    assert {name: v.tolist() for name, v in merged.labels.items()} == {
        "group": ["x", "y", "z", "z"]
    }
    assert merged.pool() == SpikeTrains([1, 1, 1, 2, 4, 4], [0] * 6, 1, 0, 5)
    with pytest.raises(ValueError, match="must have one support"):
        a.merge(b.restrict(0, 4))


def test_jitter_keeps_the_count_of_each_window():
    rng = np.random.default_rng(0)
    support = Windows([0, 300], [205, 500])
    times = rng.uniform(0, 500, 4000)
    times = times[support.contains(times)]
    trains = SpikeTrains(times, rng.integers(0, 3, len(times)), 3, support=support)
    moved = trains.jitter(20.0, seed=3)
    for window in [(0, 20), (180, 200), (200, 205), (300, 320)]:
        np.testing.assert_array_equal(
            moved.restrict(*window).count(), trains.restrict(*window).count()
        )
    assert moved != trains and moved == trains.jitter(20.0, seed=3) != trains.jitter(20.0, seed=4)
    first = trains.select([0]).jitter(20.0, seed=3)
    assert first[0].tolist() == moved[0].tolist()
    within = np.mod(moved.restrict(0, 200).times, 20.0)
    assert abs(within.mean() - 10) < 4 * 20 / math.sqrt(12 * len(within))


@settings(deadline=None)
@given(spikes, st.lists(st.integers(0, STEPS), max_size=5), st.integers(0, 30), st.integers(1, 40))
def test_align_gives_each_trial_its_spikes(pairs, events, before, after):
    trains = trains_of(pairs)
    labels = {"which": np.arange(len(events))}
    table = Windows(np.array(events) * DT, np.array(events) * DT + 1.0, labels)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        aligned = trains.align(table, before * DT, after * DT)
    whole = [i for i, e in enumerate(events) if e - before >= 0 and e + after <= STEPS]
    assert len(told) == (len(whole) < len(events))
    assert aligned.labels["which"].tolist() == whole and aligned.n_trials == len(whole)
    counts = aligned.count(bin=DT)
    assert counts.shape == (len(whole), before + after, SIZE)
    for k, i in enumerate(whole):
        here = sorted(
            (s - events[i], n) for s, n in pairs if events[i] - before < s <= events[i] + after
        )
        times, neurons = aligned[k]
        assert [(round(t / DT), n) for t, n in zip(times, neurons, strict=True)] == here
        expected = np.zeros((before + after, SIZE))
        for step, neuron in here:
            expected[step + before - 1, neuron] += 1
        np.testing.assert_array_equal(counts[k], expected)
    np.testing.assert_array_equal(aligned.count(), counts.sum(1))


@pytest.mark.parametrize("by", ["time", "neuron"])
def test_align_reads_no_more_than_its_windows(by):
    pairs = [(step, step % SIZE) for step in range(1, STEPS + 1)]
    trains, twin = trains_of(pairs, by), trains_of(pairs)
    found, expected = (t.align([5.0, 5.5, 12.0], 0.5, 1.0) for t in (trains, twin))
    np.testing.assert_array_equal(found.times, expected.times)
    np.testing.assert_array_equal(found.neurons, expected.neurons)
    np.testing.assert_array_equal(found.trials, expected.trials)
    assert trains.is_in_file and not twin.is_in_file
    assert trains.align([], 0.5, 1.0).n_trials == 0


def test_aligned_trains_choose_and_refuse():
    trains = SpikeTrains([5, 15, 25, 26], [0, 1, 0, 1], 2, 0, 40)
    aligned = trains.align(Windows([4, 14, 24], [9, 19, 29], {"side": [0, 1, 0]}), 2.0, 3.0)
    left = aligned.where(side=0)
    assert left.n_trials == 2 and left.events.tolist() == [4, 24]
    assert left.count().tolist() == [[1, 0], [1, 1]]
    assert aligned.select([1]).count().tolist() == [[0], [1], [1]]
    assert "4 spikes of 2 neurons in 3 trials of (-2, 3] ms, labelled side" in repr(aligned)
    assert "trials" in aligned._repr_html_()
    with pytest.raises(IndexError, match="less than n_trials = 3"):
        aligned[3]
    with pytest.raises(TypeError, match="neurons must be integers"):
        AlignedTrains([1.0], [0.7], [0], 2, 1, 0, 5)
    with pytest.raises(ValueError, match="events must have one time for each of 1 trials"):
        AlignedTrains([1.0], [0], [0], 2, 1, 0, 5, events=[1.0, 2.0])
    with pytest.raises(ValueError, match="after is -2"):
        trains.align([5.0], 2.0, -2.0)
    with pytest.raises(ValueError, match="events must be Windows or a one-dimensional array"):
        trains.align([[5.0]], 2.0, 2.0)
    long = SpikeTrains([5.0], [0], 1, 0, 100_000)
    with pytest.warns(UserWarning, match="times are in ms, not in seconds"):
        long.align(np.arange(1.0, 90.0), 0.2, 0.5)
    with pytest.warns(UserWarning, match="1 of 2 events are left out"):
        assert trains.align([1.0, 5.0], 2.0, 2.0).n_trials == 1


@settings(deadline=None, max_examples=30)
@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 9)), max_size=12), st.data())
def test_large_populations_are_grouped_like_small_ones(pairs, data):
    scale = data.draw(st.sampled_from([1, 30_000, 10**6]))
    neurons = np.array([n for n, _ in pairs], np.int64) * scale
    times = np.array([t for _, t in pairs], float) + 1
    size = 3 * scale + 1
    grouped, offsets = SpikeTrains(times, neurons, size, 0, 20).by_neuron()
    order = np.lexsort((times, neurons))
    assert grouped.tolist() == times[order].tolist()
    np.testing.assert_array_equal(np.diff(offsets), np.bincount(neurons, minlength=size))


def test_lazy_files_by_neuron_find_a_neuron_by_its_ids():
    n = 100_000

    class Column:
        def __init__(self, values):
            self.values, self.read = values, 0

        def __len__(self):
            return len(self.values)

        def __getitem__(self, key):
            self.read += np.size(self.values[key])
            return self.values[key]

    times, ids = Column(np.tile(np.arange(1.0, 1001), 100)), Column(np.repeat(np.arange(100), 1000))
    trains = SpikeTrains.lazy(times, ids, 100, 0.0, 1000.0, by="neuron")
    assert len(trains) == n and trains[7].tolist() == list(range(1, 1001))
    assert times.read == 1000 and ids.read < 50
    offsets = np.arange(101) * 1000
    known = SpikeTrains.lazy(times, ids, 100, 0.0, 1000.0, by="neuron", offsets=offsets)
    ids.read = times.read = 0
    assert known.count().tolist() == [1000] * 100 and ids.read == times.read == 0
    assert known.cv().max() < 1e-9 and ids.read == 0 and times.read == n


@settings(deadline=None)
@given(st.lists(st.integers(0, 2**33), max_size=20), st.sampled_from([0, 3, 16, 17, 32, 34]))
def test_numbers_are_sorted_as_numpy_sorts_them(numbers, bits):
    numbers = np.array(numbers, np.int64) % 2**bits
    np.testing.assert_array_equal(in_order(numbers, 2**bits), np.argsort(numbers, kind="stable"))


def test_lazy_columns_out_of_order_are_refused_also_between_pieces(monkeypatch):
    monkeypatch.setattr(rows, "PIECE", 3)
    frame = dict(size=2, t_start=0.0, t_stop=10.0)
    for times in ([1.0, 3, 2], [1.0, 2, 5, 4, 6], [1.0, 2, 3, 4, 5, 6, 1]):
        trains = SpikeTrains.lazy(times, [0] * len(times), **frame)
        with pytest.raises(ValueError, match="times must ascend, but times"):
            trains.interval_moments()
        with pytest.raises(ValueError, match="times must ascend, but times"):
            trains.count(5.0)
    for ids in ([1, 0], [0, 0, 1, 0, 1]):
        trains = SpikeTrains.lazy(np.arange(1.0, 1 + len(ids)), ids, by="neuron", **frame)
        with pytest.raises(ValueError, match="neurons must ascend, but neurons"):
            trains.count()
    with pytest.raises(ValueError, match="times of each neuron must ascend, but not those of 1"):
        SpikeTrains.lazy([5.0, 4, 9, 8], [0, 1, 1, 1], by="neuron", **frame).cv()


def test_spikes_of_a_file_are_counted_once():
    class Ids(list):
        read = 0

        def __getitem__(self, key):
            self.read += 1
            return super().__getitem__(key)

    ids = Ids([0, 1, 1, 0])
    trains = SpikeTrains.lazy(np.arange(1.0, 5), ids, 2, 0.0, 10.0).select([1])
    assert (len(trains), trains.rate, trains.rates().tolist()) == (2, 200.0, [200.0])
    assert ids.read == 1


def test_a_part_of_every_trial_is_that_of_a_shorter_alignment():
    rng = np.random.default_rng(3)
    trains = SpikeTrains(rng.uniform(0, 1000, 500) + 1e-3, rng.integers(0, 3, 500), 3, 0, 1001)
    events = Windows(np.arange(100.0, 900, 50), np.arange(120.0, 920, 50), {"i": np.arange(16)})
    part = trains.align(events, 100, 80).restrict(-20, 45)
    short = trains.align(events, 20, 45)
    assert (part.t_start, part.t_stop, part.labels["i"].tolist()) == (-20, 45, list(range(16)))
    for name in ("times", "neurons", "trials", "events"):
        np.testing.assert_array_equal(getattr(part, name), getattr(short, name))
    edge = AlignedTrains([1.0, 2.0, 3.0], [0, 0, 0], [0, 0, 0], 1, 1, 0, 4).restrict(1, 3)
    assert edge.times.tolist() == [2, 3] and edge.count(1).ravel().tolist() == [1, 1]
    for window in ((5, 3), (1, 1), (-1, 3), (1, 5), (np.nan, 3)):
        with pytest.raises(ValueError, match="must be ascending and inside of"):
            edge.restrict(*window)


@pytest.mark.parametrize("first", [10.0, 1e-3, 1e5])
def test_moments_of_files_are_exact_however_far_off_the_first_interval_is(first):
    rng = np.random.default_rng(5)
    isi = np.r_[first, 10 + 1e-3 * rng.standard_normal(2000)]
    times = np.cumsum(np.r_[1.0, isi])
    trains = SpikeTrains.lazy(times, np.zeros(len(times), int), 2, 0.0, times[-1])
    n, mean, variance = trains.interval_moments()
    told = np.diff(times)
    assert n.tolist() == [2001, 0] and np.isnan([mean[1], variance[1]]).all()
    assert mean[0] == pytest.approx(told.mean(), rel=1e-14)
    assert variance[0] == pytest.approx(told.var(), rel=1e-13)


def test_nobody_writes_to_windows_nor_to_aligned_trains():
    starts, names = np.array([0.0, 10]), np.array(["a", "b"])
    windows = Windows(starts, [5.0, 20], {"name": names})
    trains = SpikeTrains([2.0, 12], [0, 0], 1, support=windows)
    starts[0], names[0] = 4.0, "c"
    assert windows.starts.tolist() == [0, 10] and windows.labels["name"].tolist() == ["a", "b"]
    aligned = trains.align(windows, -1.0, 3.0)
    arrays = [trains.select([0]).support.starts, windows.stops, windows.labels["name"]]
    arrays += [aligned.times, aligned.neurons, aligned.trials, aligned.events]
    for array in (*arrays, aligned.labels["name"]):
        with pytest.raises(ValueError, match="read-only"):
            array[0] = 0


def test_all_digits_of_times_are_told():
    trains = SpikeTrains([1.0], [0], 1, 0, 1234567.8)
    with pytest.raises(ValueError, match="divide the duration of 1234567.8 ms, but is 1.0"):
        trains.count(1.0)
    with pytest.raises(ValueError, match=r"inside of \[0, 1234567.8\] ms"):
        trains.restrict(0, 1234567.9)
    assert "(0, 100000000] ms" in repr(SpikeTrains([1.0], [0], 1, 0, 1e8))


def test_windows_without_length_are_in_the_support_or_not():
    for support in (Windows([0, 10], [5, 20]), Windows(0, 20)):
        part = SpikeTrains([1.0], [0], 1, support=support).restrict(3, 3)
        assert part.support == Windows(3, 3) and np.isnan(part.rates()).all()
    with pytest.raises(ValueError, match="lie in gaps"):
        SpikeTrains([1.0], [0], 1, support=Windows([0, 10], [5, 20])).restrict(7, 7)
    with pytest.raises(ValueError, match="they must be numbers .ms., or t_start alone Windows"):
        SpikeTrains([1.0], [0], 1, 0, 5).restrict([0, 2], [1, 3])
    with pytest.raises(ValueError, match="t_start and t_stop are nan and 2; they must be numbers"):
        SpikeTrains([1.0], [0], 1, 0, 5).restrict(math.nan, 2)
    for edges in ([15.0, 0.0], [0.0, np.nan]):
        with pytest.raises(ValueError, match="edges"):
            Windows([0, 10], [5, 20]).lasting(edges)


def test_times_that_are_not_plain_numbers_are_refused():
    for times in (np.array([1 + 1j]), ["1"]):
        with pytest.raises(TypeError, match="times must be numbers .ms., but have the dtype"):
            SpikeTrains(times, [0], 1, 0, 5)
    masked = np.ma.masked_array([1.0, 2.0], [False, True])
    with pytest.raises(ValueError, match="times must not be masked"):
        SpikeTrains(masked, [0, 0], 1, 0, 5)
    assert len(SpikeTrains(masked[:1], [0], 1, 0, 5)) == 1


def test_trains_of_a_file_are_pickled_and_copied(tmp_path):
    trains = SpikeTrains([1.0, 2, 3], [0, 1, 0], 2, 0, 5, labels={"a": [1, 2]})
    write_spikes(tmp_path / "spikes.h5", trains)
    for made in (pickle.loads(pickle.dumps(trains)), copy.deepcopy(trains)):
        assert made == trains and not made.times.flags.writeable
    there = open_spikes(tmp_path / "spikes.h5")["all"]
    made = pickle.loads(pickle.dumps(there))
    assert (
        made == trains and made.labels["a"].tolist() == [1, 2] and made.count().tolist() == [2, 1]
    )


@pytest.mark.parametrize("event", [10.1, 2.0**20 + 0.1, 1e9 + 0.3])
@pytest.mark.parametrize("before", [0.1, 0.3, 0.7, 1.3, 3.1])
def test_spikes_at_the_edges_of_trials_are_in_them_whatever_is_rounded(event, before):
    near = 1e-6 + np.linspace(-1e-8, 1e-8, 41)
    times = np.unique(np.r_[event - before + near, event + before + near])
    trains = SpikeTrains(times, np.zeros(len(times), int), 1, event - 5, event + 5)
    aligned = trains.align([event], before, before)
    assert len(aligned) and aligned.times.min() > -before and aligned.times.max() <= before
