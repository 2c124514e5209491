"""Spike trains written to SONATA files: libsonata reads them, and all of them comes back."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim as ss
from spikesim.data.spike_files import info, open_spikes, write_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

LABELS = {
    "area": np.array(["CA1", "Grün", "", "CA3"]),
    "depth": np.array([1.5, np.nan, -2.0, 0.0]),
    "good": np.array([True, False, True, True]),
    "shank": np.array([3, 1, 2**40, 0]),
}


def trains(**frame):
    rng = np.random.default_rng(2)
    frame = frame or {"t_start": -10.0, "t_stop": 100.0}
    return SpikeTrains(rng.integers(-99, 1001, 200) * 0.1, rng.integers(0, 3, 200), 4, **frame)


def test_libsonata_reads_what_is_written(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    path, ours = tmp_path / "spikes.h5", trains()
    ss.write_spikes(path, {"b": ours, "a": ours.select([2, 3])})
    reader = libsonata.SpikeReader(str(path))
    assert sorted(reader.get_population_names()) == ["a", "b"]
    for name, expected in (("b", ours), ("a", ours.select([2, 3]))):
        population = reader[name]
        assert population.sorting == "by_time" and population.time_units == "ms"
        columns = population.get_dict()
        np.testing.assert_array_equal(columns["timestamps"], expected.times)
        np.testing.assert_array_equal(columns["node_ids"], expected.neurons)


def test_windows_sizes_and_labels_come_back(tmp_path):
    ours = trains(t_start=-10.0, t_stop=120.0, labels=LABELS)
    write_spikes(tmp_path / "f.h5", {"all of them": ours}, {"from": "a test", "list": [1, 2]})
    read = open_spikes(tmp_path / "f.h5")["all of them"]
    assert read == ours and read.guessed == () and read.size == 4
    assert list(read.labels) == list(LABELS)
    for name, values in LABELS.items():
        np.testing.assert_array_equal(read.labels[name], values)
        assert read.labels[name].dtype.kind == values.dtype.kind
    assert info(tmp_path / "f.h5")["run"] == {"from": "a test", "list": [1, 2]}


def test_gaps_of_the_support_come_back(tmp_path):
    kept = trains().restrict(Windows([-5.0, 20.0, 70.0], [0.0, 50.0, 70.2]))
    write_spikes(tmp_path / "f.h5", kept)
    read = open_spikes(tmp_path / "f.h5")["all"]
    assert read._rows is not None  # it stays on the disk
    assert read == kept and len(read.support) == 3 and read.duration == kept.duration
    assert read.restrict(10.0, 60.0) == kept.restrict(10.0, 60.0)
    np.testing.assert_array_equal(read.intervals()[0], kept.intervals()[0])


@settings(max_examples=30, deadline=None)
@given(
    spikes=st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2))), start=st.integers(-20, 20)
)
def test_whatever_is_written_is_read(tmp_path_factory, spikes, start):
    path = tmp_path_factory.mktemp("any") / "f.h5"
    times = [start + step * 0.1 for step, _ in spikes]
    ours = SpikeTrains(times, np.array([n for _, n in spikes], int), 3, start, start + 5.0)
    write_spikes(path, {"p": ours})
    assert open_spikes(path) == {"p": ours}


def test_trains_of_a_file_are_written_to_another(tmp_path):
    write_spikes(tmp_path / "a.h5", {"p": trains(), "q": trains()})
    write_spikes(tmp_path / "b.h5", open_spikes(tmp_path / "a.h5"))
    assert open_spikes(tmp_path / "b.h5") == {"p": trains(), "q": trains()}


def test_what_cannot_be_written_is_refused_and_leaves_the_old_file(tmp_path):
    path, ours = tmp_path / "f.h5", trains()
    write_spikes(path, ours)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="f.h5 exists already"):
        write_spikes(path, ours)
    refused = [
        ({}, ValueError, "one population at least"),
        ({"a": ours, "b": ours.restrict(0, 50)}, ValueError, "'a' has .* and 'b' .*; restrict"),
        ({"a/b": ours}, ValueError, "must not be empty nor hold '/'"),
        (labelled("a/b", [1, 2, 3, 4]), ValueError, "label's name must not be empty nor hold"),
        (labelled("what", [None, 1, 2, 3]), TypeError, "label 'what' has type object"),
        (labelled("when", np.zeros(4, "M8[s]")), TypeError, "label 'when' has type datetime64"),
    ]
    for bad, error, message in refused:
        with pytest.raises(error, match=message):
            write_spikes(path, bad, overwrite=True)
    with pytest.raises(TypeError, match="attribute 'x' must be a string"):
        write_spikes(path, ours, {"x": object()}, overwrite=True)
    assert path.read_bytes() == before
    write_spikes(path, ours.restrict(0.0, 50.0), overwrite=True)
    assert open_spikes(path)["all"] == ours.restrict(0.0, 50.0)


def labelled(name, values):
    return {"p": trains(t_start=-10.0, t_stop=100.0, labels={name: np.array(values)})}


def test_a_file_that_trains_are_read_from_can_be_replaced(tmp_path):
    path = tmp_path / "spikes.h5"
    write_spikes(path, SpikeTrains([1.0, 2, 3, 4], [0, 1, 0, 1], 2, 0, 5))
    first = open_spikes(path)["all"]
    write_spikes(path, first.select([1]), overwrite=True)
    assert open_spikes(path)["all"] == SpikeTrains([2.0, 4], [0, 0], 1, 0, 5)
    write_spikes(path, SpikeTrains([5.0, 6, 7, 8], [1, 1, 0, 0], 2, 0, 10), overwrite=True)
    assert first.is_in_file and first.times.tolist() == [1, 2, 3, 4]
    link = tmp_path / "link.h5"
    link.symlink_to(path)
    write_spikes(link, first, overwrite=True)
    assert link.is_symlink() and open_spikes(path)["all"] == first
    with pytest.raises(TypeError, match="trains must be SpikeTrains, or a mapping of names"):
        write_spikes(path, first.align([2.0], 1, 1), overwrite=True)
    assert open_spikes(path)["all"] == first
