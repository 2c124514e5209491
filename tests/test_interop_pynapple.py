"""Pynapple: seconds, closed intervals, borders, metadata; no spike is lost or counted twice."""

import builtins
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.interop import from_pynapple, to_pynapple

nap = pytest.importorskip("pynapple", reason="the package that is exchanged with")


@pytest.fixture(autouse=True)
def _nothing_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def group(*trains, support=(0, 10), **options):
    support = nap.IntervalSet(*support)
    made = {k: nap.Ts(np.array(t, float), time_support=support) for k, t in enumerate(trains)}
    return nap.TsGroup(made, time_support=support, **options)


def test_seconds_become_ms():
    trains = from_pynapple(group([0.5, 1.25], [], [10.0]))
    assert trains == SpikeTrains([500, 1250, 10000], [0, 0, 2], 3, 0, 10000)
    assert trains.guessed == () and trains.labels == {}
    back = to_pynapple(trains)
    assert back[0].index.values.tolist() == [0.5, 1.25]
    assert back.time_support.values.tolist() == [[0, 10]]
    np.testing.assert_allclose(back.rates, trains.rates())


def test_the_time_support_is_always_handed_over():
    # Made without one, pynapple would take it from the first to the last spike of all.
    trains = SpikeTrains([200, 400], [0, 1], 3, 0, 1000)
    assert to_pynapple(trains).time_support.values.tolist() == [[0, 1]]
    assert to_pynapple(trains).rates.tolist() == [1, 1, 0]
    silent = to_pynapple(SpikeTrains([], [], 2, 5, 20))
    assert silent.time_support.values.tolist() == [[0.005, 0.02]] and len(silent) == 2
    assert from_pynapple(silent) == SpikeTrains([], [], 2, 5, 20)
    none = SpikeTrains([], [], 0, 5, 20)
    assert from_pynapple(to_pynapple(none)) == none


def test_one_train_with_values_or_without():
    support = nap.IntervalSet(0, 2)
    for made in (
        nap.Ts([1.0, 2.0], time_support=support),
        nap.Tsd([1.0, 2.0], [7, 8], time_support=support),
    ):
        assert from_pynapple(made) == SpikeTrains([1000, 2000], [0, 0], 1, 0, 2000)


def test_keys_and_metadata_become_labels():
    support = nap.IntervalSet(0, 1)
    made = nap.TsGroup(
        {7: nap.Ts([0.7], time_support=support), 3: nap.Ts([0.3], time_support=support)},
        time_support=support,
        metadata={"area": ["seven", "three"], "depth": [7.5, 3.5], "good": [True, False]},
    )
    trains = from_pynapple(made)
    assert trains == SpikeTrains([300, 700], [0, 1], 2, 0, 1000)
    assert {name: values.tolist() for name, values in trains.labels.items()} == {
        "id": [3, 7],
        "area": ["three", "seven"],
        "depth": [3.5, 7.5],
        "good": [False, True],
    }
    back = to_pynapple(trains)
    assert back.index.tolist() == [3, 7] and back["area"].tolist() == ["three", "seven"]
    assert back["good"].tolist() == [False, True]


def test_the_order_of_neurons_does_not_change():
    # Pynapple sorts its keys, so ids that do not ascend are metadata.
    trains = SpikeTrains([300, 700], [1, 0], 2, 0, 1000, labels={"id": [7, 3]})
    made = to_pynapple(trains)
    assert made.index.tolist() == [0, 1] and made["id"].tolist() == [7, 3]
    assert from_pynapple(made) == trains and from_pynapple(made).labels["id"].tolist() == [7, 3]


def test_metadata_that_are_no_labels_are_told():
    made = group([1.0], [2.0], metadata={"a": [{"b": 1}, {"c": 2}], "k": [1, 2]})
    with pytest.warns(UserWarning, match="neither numbers nor text are left out: a.") as told:
        assert list(from_pynapple(made).labels) == ["k"]
    assert told[0].filename == __file__


# Closed there, half open here


def test_a_spike_on_the_start_is_kept():
    trains = from_pynapple(group([0.0, 10.0]))
    assert trains.count().tolist() == [2] and trains.t_start == -2e-6
    assert to_pynapple(trains).count().values.tolist() == [[2]]


def test_rounding_at_the_end_loses_no_spike():
    trains = SpikeTrains([0.1, 3 * 0.1], [0, 0], 1, 0, 0.3)
    plain = nap.Ts(trains.times / 1000, time_support=nap.IntervalSet(0, 0.3 / 1000))
    assert len(plain) == 1  # what pynapple makes of 3 * 0.1 > 0.3
    assert len(to_pynapple(trains)[0]) == 2


GRID = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 2)), max_size=40)
EDGES = st.lists(st.integers(0, 60), min_size=2, max_size=6, unique=True).map(sorted)


@settings(max_examples=60, deadline=None)
@given(GRID, EDGES, st.booleans())
def test_no_spike_is_lost_or_counted_twice(spikes, edges, touching):
    """There and back, with spikes on the borders of a support whose windows touch or do not."""
    starts, stops = edges[:-1], edges[1:]
    if not touching:
        starts, stops = starts[::2], stops[::2]
    whole = (
        SpikeTrains(
            np.array([step for step, _ in spikes], float), [n for _, n in spikes], 3, -1, 60
        )
        if spikes
        else SpikeTrains([], [], 3, -1, 60)
    )
    trains = whole.restrict(Windows(np.array(starts, float), np.array(stops, float)))
    made = to_pynapple(trains)
    assert [len(made[k]) for k in range(3)] == trains.count().tolist()
    back = from_pynapple(made)
    np.testing.assert_array_equal(back.count(), trains.count())
    np.testing.assert_allclose(back.times, trains.times, rtol=0, atol=1e-9)
    np.testing.assert_allclose(back.support.starts, trains.support.starts, atol=1e-9)
    np.testing.assert_allclose(back.support.stops, trains.support.stops, atol=1e-9)


@settings(max_examples=60, deadline=None)
@given(GRID, EDGES)
def test_what_pynapple_holds_is_kept(spikes, edges):
    """Spikes on borders of closed intervals that touch, as pynapple itself counts them."""
    support = nap.IntervalSet(np.array(edges[:-1:2], float), np.array(edges[1::2], float))
    listed = [np.sort([float(t) for t, n in spikes if n == k]) for k in range(3)]
    made = nap.TsGroup(
        {k: nap.Ts(t, time_support=support) for k, t in enumerate(listed)}, time_support=support
    )
    trains = from_pynapple(made)
    assert trains.count().tolist() == [len(made[k]) for k in range(3)]
    assert abs(trains.duration - 1000 * support.tot_length()) < 1e-4


def test_windows_there_and_back():
    windows = Windows([0, 150, 400], [100, 200, 500], {"side": ["l", "r", "l"], "n": [1, 2, 3]})
    made = to_pynapple(windows)
    np.testing.assert_allclose(made.values, [[0, 0.1], [0.15, 0.2], [0.4, 0.5]])
    assert made["side"].tolist() == ["l", "r", "l"]
    assert from_pynapple(made) == windows
    assert len(from_pynapple(to_pynapple(Windows([], [])))) == 0


def test_windows_that_touch_lose_no_microsecond_and_count_a_border_once():
    windows = Windows([0, 100], [100, 200], {"k": ["a", "b"]})
    with pytest.warns(UserWarning, match="Removing 1 microsecond"):
        plain = nap.IntervalSet(windows.starts / 1000, windows.stops / 1000)
    spikes = nap.Ts([0.05, 0.0999995, 0.1, 0.2])
    assert len(spikes.restrict(plain)) == 3  # one lies in the microsecond that was lost
    made = to_pynapple(windows)
    assert len(spikes.restrict(made)) == 4 and made["k"].tolist() == ["a", "b"]
    assert [len(spikes.restrict(made[i])) for i in (0, 1)] == [3, 1]
    back = from_pynapple(made)
    np.testing.assert_allclose(back.starts, windows.starts, rtol=0, atol=0.6e-6)  # one time
    assert back.union() == windows.union()


def test_a_spike_on_the_start_of_a_window_counts_there_and_not_here():
    windows, trains = Windows(100, 200), SpikeTrains([100, 150, 200], [0, 0, 0], 1, 0, 300)
    theirs = to_pynapple(trains).restrict(to_pynapple(windows))
    assert len(theirs[0]) == 3 and len(trains.restrict(windows)) == 2
    assert len(trains.restrict(Windows.closed(windows.starts, windows.stops, trains.times))) == 3


@pytest.mark.parametrize(
    "windows",
    [
        Windows([0, 50], [100, 200], {"k": [1, 2]}),
        Windows([100, 0], [200, 50], {"k": [1, 2]}),
        Windows([5, 10], [5, 20], {"k": [1, 2]}),
        Windows([5, 5], [7, 8]),
    ],
)
def test_windows_that_pynapple_would_join_or_drop_are_refused(windows):
    message = "overlap, do not ascend or have no length: pynapple would join or drop"
    with pytest.raises(ValueError, match=message):
        to_pynapple(windows)


def test_a_support_without_length_and_the_name_rate_are_refused():
    with pytest.raises(ValueError, match="have no length"):
        to_pynapple(SpikeTrains([], [], 1, 5, 5))
    with pytest.raises(ValueError, match="'rate', which pynapple keeps for its own"):
        to_pynapple(SpikeTrains([], [], 1, 0, 5, labels={"rate": [1]}))


def test_what_is_not_pynapples_is_refused():
    for bad in ([1.0], 5, None, nap.TsdFrame(np.arange(3), np.zeros((3, 2)))):
        with pytest.raises(TypeError, match="TsGroup, Ts, Tsd or IntervalSet of pynapple, but is"):
            from_pynapple(bad)


def test_without_pynapple_a_sentence_says_what_to_install(monkeypatch):
    importing = builtins.__import__

    def without(name, *rest):
        if name == "pynapple":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (lambda: from_pynapple([]), lambda: to_pynapple(Windows(0, 1))):
        with pytest.raises(ImportError, match=r"pip install 'spikesim\[pynapple\]'"):
            call()
