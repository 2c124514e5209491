"""Neo: units, windows that are closed there and half open here, names, annotations, segments."""

import builtins
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.interop import from_neo, to_neo

neo = pytest.importorskip("neo", reason="the package that is exchanged with")
pq = pytest.importorskip("quantities", reason="Neo's units")


@pytest.fixture(autouse=True)
def _nothing_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


def ms(quantity):
    return quantity.rescale("ms").magnitude


# Units and order


@pytest.mark.parametrize(
    ("unit", "per_ms"), [("s", 1e-3), ("ms", 1.0), ("us", 1e3), ("min", 1 / 6e4)]
)
def test_units_are_converted(unit, per_ms):
    train = neo.SpikeTrain(np.array([2.0, 1.0]) * per_ms, units=unit, t_stop=50 * per_ms)
    trains = from_neo([train])
    np.testing.assert_allclose(trains.times, [1, 2], rtol=1e-14)
    assert trains.t_stop == pytest.approx(50, rel=1e-14) and trains.t_start == 0


def test_integers_and_single_precision():
    whole = neo.SpikeTrain(np.array([1, 2500]), units="ms", t_stop=3000)
    single = neo.SpikeTrain(np.float32([0.5, 1.25]), units="s", t_stop=3)
    assert from_neo([whole, single]) == SpikeTrains([1, 2500, 500, 1250], [0, 0, 1, 1], 2, 0, 3000)


def test_one_train_and_none():
    train = neo.SpikeTrain([1.0] * pq.ms, t_stop=5.0)
    assert from_neo(train) == from_neo([train]) == SpikeTrains([1], [0], 1, 0, 5)
    assert from_neo([]).size == 0 and from_neo([], (0, 5)).duration == 5
    assert from_neo(neo.spiketrainlist.SpikeTrainList([train])).size == 1


def test_sampling_rates_waveforms_and_left_sweeps_do_no_harm():
    train = neo.SpikeTrain(
        [1.0, 2.0] * pq.ms,
        t_stop=5.0,
        sampling_rate=10 * pq.kHz,
        left_sweep=0.2 * pq.ms,
        waveforms=np.zeros((2, 1, 5)) * pq.mV,
        array_annotations={"amplitude": [1.0, 2.0]},
    )
    assert from_neo([train]) == SpikeTrains([1, 2], [0, 0], 1, 0, 5)


# Closed there, half open here


def test_a_spike_on_t_start_is_kept():
    trains = from_neo([neo.SpikeTrain([0.0, 5.0] * pq.ms, t_stop=5.0)])
    assert trains.times.tolist() == [0, 5] and trains.t_start == -2e-6
    assert from_neo([neo.SpikeTrain([1.0] * pq.ms, t_stop=5.0)]).t_start == 0


@settings(max_examples=50, deadline=None)
@given(
    steps=st.lists(st.lists(st.integers(0, 30), max_size=8), min_size=1, max_size=3),
    window=st.tuples(st.integers(0, 30), st.integers(0, 30)).map(sorted),
)
def test_slices_in_time_differ_by_spikes_on_their_start(steps, window):
    listed = [neo.SpikeTrain(np.array(s) * 0.1, units="ms", t_stop=3.0000000001) for s in steps]
    trains = from_neo(listed)
    assert trains.count().tolist() == [len(train) for train in listed]
    start, stop = window[0] * 0.1, window[1] * 0.1
    ours = trains.restrict(start, stop).count()
    for theirs, own, of_train in zip(listed, ours, steps, strict=True):
        closed = theirs.time_slice(start * pq.ms, stop * pq.ms)
        assert len(closed) - of_train.count(window[0]) == own


def test_rounding_at_the_end_is_no_error():
    trains = SpikeTrains([0.1, 3 * 0.1], [0, 0], 1, 0, 0.3)
    assert 3 * 0.1 > 0.3  # which Neo refuses
    (train,) = to_neo(trains)
    assert ms(train).tolist() == [0.1, 0.3]
    assert from_neo(to_neo(trains)).count().tolist() == [2]


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2))), st.integers(-20, 20))
def test_there_and_back(spikes, start):
    times = [start + step * 0.1 for step, _ in spikes]
    trains = SpikeTrains(times, np.array([n for _, n in spikes], int), 3, start, start + 5.0)
    back = from_neo(to_neo(trains))
    assert back.support == trains.support
    np.testing.assert_array_equal(back.count(), trains.count())
    np.testing.assert_allclose(back.times, trains.times, rtol=0, atol=1e-9)


# Windows of a list


def test_different_windows_are_refused_or_a_part_of_all_is_given():
    listed = [
        neo.SpikeTrain([1.0, 2.0, 8.0] * pq.ms, t_start=0.0, t_stop=10.0),
        neo.SpikeTrain([0.002, 0.003] * pq.s, t_start=0.001, t_stop=0.012),
    ]
    message = r"begin from 0 to 1 ms and end from 10 to 12 ms; give window="
    with pytest.raises(ValueError, match=message):
        from_neo(listed)
    assert from_neo(listed, (2, 10)) == SpikeTrains([8, 3], [0, 1], 2, 2, 10)
    for window in ((0, 10), (2, 11), (5, 2)):
        with pytest.raises(ValueError, match="no part of the windows of all|start <= stop"):
            from_neo(listed, window)


def test_windows_that_differ_by_rounding_are_one():
    listed = [neo.SpikeTrain([0.3] * pq.ms, t_stop=stop) for stop in (0.3, 3 * 0.1)]
    assert len(from_neo(listed)) == 2


# Names, annotations


def test_names_and_annotations_become_labels():
    listed = [
        neo.SpikeTrain([], units="s", t_stop=1, name="a", area="CA1", k=1, good=True, depth=1.5),
        neo.SpikeTrain([], units="s", t_stop=1, name="b", area="CA3", k=2, good=False, depth=2),
    ]
    labels = from_neo(listed).labels
    assert {name: values.tolist() for name, values in labels.items()} == {
        "name": ["a", "b"],
        "area": ["CA1", "CA3"],
        "k": [1, 2],
        "good": [True, False],
        "depth": [1.5, 2.0],
    }
    back = to_neo(from_neo(listed))
    assert [train.name for train in back] == ["a", "b"]
    assert back[1].annotations == {"area": "CA3", "k": 2, "good": False, "depth": 2.0}


def test_what_only_some_trains_have_is_empty_for_others():
    listed = [
        neo.SpikeTrain([], units="s", t_stop=1, area="CA1"),
        neo.SpikeTrain([], units="s", t_stop=1, name="b", k=2),
    ]
    labels = from_neo(listed).labels
    assert labels["name"].tolist() == ["", "b"] and labels["area"].tolist() == ["CA1", ""]
    assert np.isnan(labels["k"][0]) and labels["k"][1] == 2
    assert [train.name for train in to_neo(from_neo(listed))] == [None, "b"]


def test_annotations_that_are_no_labels_are_told():
    train = neo.SpikeTrain(
        [], units="s", t_stop=1, depth=3 * pq.um, channels=[1, 2], area="CA1", more={"a": 1}
    )
    with pytest.warns(UserWarning, match="left out: 'depth', 'channels', 'more'") as told:
        trains = from_neo([train])
    assert list(trains.labels) == ["area"] and told[0].filename == __file__


# Segments and blocks


def segment():
    made = neo.Segment()
    made.spiketrains.append(neo.SpikeTrain([0.1, 0.5] * pq.s, t_stop=1.0))
    made.epochs.append(
        neo.Epoch(
            [0.1, 0.5] * pq.s,
            [200, 300] * pq.ms,
            labels=["left", "right"],
            name="trials",
            array_annotations={"good": [True, False]},
        )
    )
    made.epochs.append(neo.Epoch([0.0] * pq.s, [1.0] * pq.s))
    made.events.append(neo.Event([100.0, 700.0] * pq.ms, labels=["tone", "light"], name="cues"))
    made.events.append(neo.Event([250.0] * pq.ms, name="cues"))
    return made


def test_epochs_and_events_become_windows():
    session = from_neo(segment())
    assert session.spikes == SpikeTrains([100, 500], [0, 0], 1, 0, 1000)
    assert list(session.windows) == ["trials", "epochs", "cues", "cues 2"]
    trials = {"label": ["left", "right"], "good": [True, False]}
    assert session.windows["trials"] == Windows([100, 500], [300, 800], trials)
    assert session.windows["epochs"] == Windows(0, 1000)
    assert session.windows["cues"] == Windows([100, 700], [100, 700], {"label": ["tone", "light"]})


def test_array_annotations_with_a_unit_are_told():
    made = neo.Segment()
    notes = {"speed": [1.0, 2.0] * pq.m, "n": np.array([1, 2])}
    made.events.append(neo.Event([1.0, 2.0] * pq.s, array_annotations=notes))
    with pytest.warns(UserWarning, match="nor text are left out: 'speed'"):
        assert list(from_neo(made).windows["events"].labels) == ["n"]


def test_a_spike_on_the_start_of_an_epoch_counts_there_and_not_here():
    session = from_neo(segment())
    epoch = segment().epochs[0]
    theirs = (
        segment().spiketrains[0].time_slice(epoch.times[0], epoch.times[0] + epoch.durations[0])
    )
    trials = session.windows["trials"]
    assert len(theirs) == 1 and session.spikes.restrict(*trials[0]).count().tolist() == [0]
    as_there = Windows.closed(trials.starts, trials.stops, session.spikes.times)
    assert session.spikes.restrict(*as_there[0]).count().tolist() == [1]


def test_segments_and_blocks_there_and_back():
    session = from_neo(segment())
    again = to_neo(session)
    assert again.epochs[0].labels.tolist() == ["left", "right"] and len(again.events) == 2
    assert ms(again.epochs[0].durations).tolist() == [200, 300]
    assert from_neo(again) == session
    trains = SpikeTrains([1, 60], [0, 1], 2, support=Windows([0, 50], [10, 70]))
    with pytest.raises(ValueError, match=r"has 2 windows.*for window in trains.support\]\)"):
        to_neo(trains)
    block = to_neo([trains.restrict(*window) for window in trains.support])
    assert [part.spikes for part in from_neo(block)] == [
        SpikeTrains([1], [0], 2, 0, 10),
        SpikeTrains([60], [1], 2, 50, 70),
    ]
    assert isinstance(to_neo([session]), neo.Block) and isinstance(from_neo(block)[0], Session)


def test_a_segment_without_trains():
    made = neo.Segment()
    made.events.append(neo.Event([1.0, 2.0] * pq.s))
    session = from_neo(made)
    assert session.spikes.size == 0 and session.windows["events"].starts.tolist() == [1000, 2000]


def test_what_is_not_neos_is_refused():
    for bad in ([1.0, 2.0], 5, [neo.Segment()], None):
        with pytest.raises(TypeError, match="neo.SpikeTrains, a neo.Segment or a neo.Block, but"):
            from_neo(bad)
    train = neo.SpikeTrain([1.0, np.nan] * pq.ms, t_stop=5.0)
    with pytest.raises(ValueError, match="neuron 0 has a spike at nan"):
        from_neo([train])


def test_without_neo_a_sentence_says_what_to_install(monkeypatch):
    importing = builtins.__import__

    def without(name, *rest):
        if name == "neo":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    for call in (lambda: from_neo([]), lambda: to_neo(SpikeTrains([], [], 0, 0, 1))):
        with pytest.raises(ImportError, match=r"pip install 'spikesim\[neo\]'"):
            call()
