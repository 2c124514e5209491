"""Spike trains of plain arrays: units, ids from 0, from 1 and any others, windows told or not."""

import numpy as np
import pytest
from hypothesis import given, strategies as st

import spikesim as ss
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.interop import from_events, from_lists


def test_lists_become_trains_and_lists_again():
    lists = [[3.0, 1.0], [], np.array([2, 2])]
    trains = from_lists(lists, (0, 10), labels={"area": ["a", "b", "c"]})
    assert trains == SpikeTrains([1, 2, 2, 3], [0, 2, 2, 0], 3, 0, 10)
    assert [times.tolist() for times in trains] == [[1, 3], [], [2, 2]]
    assert trains.labels["area"].tolist() == ["a", "b", "c"] and trains.guessed == ()
    assert ss.interop.from_lists is from_lists


@pytest.mark.parametrize(("unit", "ms"), [("ms", 1), ("s", 1000), ("us", 1e-3), ("ns", 1e-6)])
def test_units(unit, ms):
    trains = from_lists([np.array([1.0, 7.0]) / ms], (0, 7.0), unit=unit)
    np.testing.assert_allclose(trains.times, [1, 7], rtol=1e-15)
    trains = from_events(np.array([1.0, 7.0]) / ms, [0, 0], (0, 7.0), unit=unit)
    np.testing.assert_allclose(trains.times, [1, 7], rtol=1e-15)


def test_a_window_that_nobody_tells_is_guessed_and_said():
    trains = from_lists([[5.0, 9.0], []])
    assert (trains.t_start, trains.t_stop) == (0, 9) and trains.guessed == ("t_start", "t_stop")
    assert from_lists([[0.0, 9.0]]).t_start == -2e-6 and len(from_lists([[0.0, 9.0]])) == 2
    assert from_lists([[-3.0]]).support == Windows(-3 - 2e-6, 0)
    assert from_lists([]).size == 0 and from_lists([[], []]).duration == 0
    assert from_events([], []).guessed == ("t_start", "t_stop", "size")


def test_several_windows():
    windows = Windows([0, 50], [10, 60])
    assert from_lists([[5.0, 55.0]], windows).support == windows
    with pytest.raises(ValueError, match=r"2 windows in \(0, 60\] ms, but times\[0\] is 20"):
        from_lists([[20.0]], windows)


def test_keys_are_ids():
    trains = from_lists({7: [1.0], 3: [2.0, 3.0]}, (0, 5))
    assert trains.labels["id"].tolist() == [7, 3] and trains[0].tolist() == [1.0]
    assert from_lists({0: [1.0], 1: []}, (0, 5)).labels == {}


def test_a_recorder_that_counts_from_one():
    # As NEST's spike_recorder has them: global ids, from 1, of which the silent ones are not told.
    times, senders = np.array([2.0, 1.0, 3.0]), np.array([12, 11, 12], np.uint64)
    trains = from_events(times, senders, (0, 5), neurons=[11, 12, 13])
    assert trains == SpikeTrains([1, 2, 3], [0, 1, 1], 3, 0, 5)
    assert trains.labels["id"].tolist() == [11, 12, 13] and trains.guessed == ()
    trains = from_events(times, senders, (0, 5))
    assert trains.size == 2 and trains.guessed == ("size",)
    trains = from_events(times, senders, neurons=[13, 12, 11])
    assert trains[1].tolist() == [2, 3] and trains.guessed == ("t_start", "t_stop")


@given(
    st.permutations(range(0, 60, 7)),
    st.lists(st.tuples(st.integers(1, 100), st.integers(0, 8)), max_size=40),
)
def test_events_lie_with_their_neurons(ids, spikes):
    times, who = np.array([t for t, _ in spikes], float), np.array([k for _, k in spikes], int)
    trains = from_events(times, np.array(ids)[who], (0, 100), neurons=ids)
    for k in range(9):
        assert trains[k].tolist() == sorted(times[who == k])


class Quantity(np.ndarray):
    pass


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda: from_lists([[1.0, np.nan]]), ValueError, "neuron 0 has a spike at nan"),
        (lambda: from_lists([[1.0], [np.inf]]), ValueError, "neuron 1 has a spike at inf"),
        (lambda: from_lists([[[1.0]]]), ValueError, "times of neuron 0 must be a one-dimensional"),
        (lambda: from_lists([["a"]]), ValueError, "times of neuron 0 must be .* numbers"),
        (lambda: from_lists([1.0, 2.0]), ValueError, "times of neuron 0 must be"),
        (lambda: from_lists([[7.0]], (0, 5)), ValueError, "times must be finite and in"),
        (lambda: from_lists([[0.0]], (0, 5)), ValueError, "an earlier t_start holds it"),
        (
            lambda: from_lists([[1.0]], unit="min"),
            ValueError,
            "unit is 'min'; it must be 'ms', 's'",
        ),
        (lambda: from_lists({"a": [1.0]}), ValueError, "ids is .* whole numbers"),
        (lambda: from_lists([np.ones(2).view(Quantity)]), TypeError, "neuron 0 are a Quantity"),
        (lambda: from_events(np.ones(1).view(Quantity), [0]), TypeError, "times are a Quantity"),
        (lambda: from_events([1.0], [0, 1]), ValueError, "equal length, but have 1 and 2"),
        (lambda: from_events([1.0], [3], neurons=[1, 2]), ValueError, "holds 3, .* of the 2 neur"),
        (lambda: from_events([1.0], [3], neurons=[]), ValueError, "holds 3, .* of the 0 neurons"),
        (lambda: from_events([1.0], [1], neurons=[1, 2, 1]), ValueError, "holds the id 1 twice"),
        (lambda: from_events([1.0], [0.5]), ValueError, "ids is .* whole numbers"),
    ],
)
def test_what_is_refused(call, error, message):
    with pytest.raises(error, match=message):
        call()


def test_trains_of_neo_are_not_taken_for_plain_numbers():
    neo = pytest.importorskip("neo", reason="its trains are arrays with a unit")
    with pytest.raises(TypeError, match="neuron 0 are a SpikeTrain; they must be plain numbers"):
        from_lists([neo.SpikeTrain([0.1], units="s", t_stop=1.0)])


def test_times_in_seconds_that_are_taken_for_ms_are_told():
    lists = [np.linspace(0.1, 99.0, 500)] * 2
    with pytest.warns(UserWarning, match="spike at 5051 Hz on average, faster than any does"):
        from_lists(lists)
    assert from_lists(lists, (0, 100_000), unit="s").rate == 5
    with pytest.raises(ValueError, match="labels must not hold 'id'"):
        from_lists({5: [1.0]}, labels={"id": [3]})
