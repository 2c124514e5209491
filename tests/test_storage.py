"""Spike files and reports: round trips, other programs' files, killed writers and full disks."""

import contextlib
import os
import random
import shutil
import subprocess
import sys
import time
import warnings

import h5py
import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim as ss
from spikesim.data.hdf5 import OrderedWrites
from spikesim.data.report_files import ReportWriter, read_report
from spikesim.data.spike_files import SpikeWriter, info, open_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

pytestmark = pytest.mark.filterwarnings("ignore:.*have no units")  # unless a test looks for it
SIZES = {"exc": 20, "inh": 5}
PER_WINDOW, WINDOW = 300, 10.0  # chunks of 1024 spikes, so that windows begin new chunks


def window_spikes(name, k):
    """The spikes of window k of a run which any process can work out again."""
    rng = np.random.default_rng([k, len(name), SIZES[name]])
    steps = np.sort(rng.integers(1, 101, PER_WINDOW))
    return k * WINDOW + steps * 0.1, rng.integers(0, SIZES[name], PER_WINDOW)


def run_spikes(name, windows):
    nothing = np.empty(0), np.empty(0, int)
    parts = [nothing, *(window_spikes(name, k) for k in range(windows))]
    times, neurons = (np.concatenate(column) for column in zip(*parts, strict=True))
    return SpikeTrains(times, neurons, SIZES[name], 0.0, windows * WINDOW)


def write_run(path, windows, wait=0.0, **options):
    with SpikeWriter(path, SIZES, {"seed": 1}, **options) as writer:
        for k in range(windows):
            for name in SIZES:
                writer.append(name, *window_spikes(name, k))
            writer.flush((k + 1) * WINDOW)
            time.sleep(wait)


def assert_holds_windows(path, least, most):
    """The file holds whole windows, for this program and for libsonata."""
    trains = open_spikes(path)
    assert list(trains) == list(SIZES)
    windows = round(trains["exc"].t_stop / WINDOW)
    assert least <= windows <= most
    for name, train in trains.items():
        assert train == run_spikes(name, windows)

    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    reader = libsonata.SpikeReader(str(path))
    for name in SIZES:
        columns = reader[name].get_dict()
        whole = run_spikes(name, most)
        n = len(columns["timestamps"])
        assert n >= len(trains[name])
        np.testing.assert_array_equal(columns["timestamps"], whole.times[:n])
        np.testing.assert_array_equal(columns["node_ids"], whole.neurons[:n])


# Writing and reading back


def test_round_trip_in_declared_order(tmp_path):
    path = tmp_path / "run.h5"
    with SpikeWriter(path, {"z": 3, "a": 2, "silent": 4}, {}) as writer:
        writer.append("z", [1.0, 2.0], [2, 0])
        writer.append("a", [2.0], [1])
        writer.append("z", [3.0], [1])
        writer.flush(5.0)
        writer.append("z", [6.0], [1])
        writer.flush(10.0)
    assert open_spikes(path) == {
        "z": SpikeTrains([1, 2, 3, 6], [2, 0, 1, 1], 3, 0, 10),
        "a": SpikeTrains([2], [1], 2, 0, 10),
        "silent": SpikeTrains([], [], 4, 0, 10),
    }
    assert list(open_spikes(path)) == ["z", "a", "silent"]


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.lists(st.tuples(st.integers(1, 100), st.integers(0, 3)), max_size=30), max_size=5)
)
def test_whatever_is_flushed_is_read(tmp_path_factory, windows):
    path = tmp_path_factory.mktemp("run") / "run.h5"
    steps, neurons = [], []
    with SpikeWriter(path, {"p": 4}, {}, t_start=-5.0) as writer:
        for k, window in enumerate(windows):
            steps += [100 * k + step for step, _ in window]
            neurons += [neuron for _, neuron in window]
            writer.append(
                "p", [-5 + (100 * k + s) * 0.1 for s, _ in window], [n for _, n in window]
            )
            writer.flush(-5.0 + 10 * (k + 1))
    times = -5 + np.array(steps, float) * 0.1
    expected = SpikeTrains(times, neurons, 4, -5.0, -5.0 + 10 * len(windows))
    assert open_spikes(path)["p"] == expected


def test_many_chunks_and_lazy_windows(tmp_path):
    path = tmp_path / "run.h5"
    write_run(path, 40)
    for name, train in open_spikes(path).items():
        assert train.restrict(123.0, 234.0) == run_spikes(name, 40).restrict(123.0, 234.0)
    assert_holds_windows(path, 40, 40)


def test_the_buffers_are_copies(tmp_path):
    times, neurons = np.array([1.0, 2.0]), np.array([0, 1])
    with SpikeWriter(tmp_path / "run.h5", {"p": 2}, {}) as writer:
        writer.append("p", times, neurons)
        times[:], neurons[:] = 9, 0
        writer.flush(5.0)
    assert open_spikes(tmp_path / "run.h5")["p"] == SpikeTrains([1, 2], [0, 1], 2, 0, 5)


def test_spikes_which_were_not_flushed_are_not_there(tmp_path):
    with SpikeWriter(tmp_path / "run.h5", {"p": 2}, {}) as writer:
        writer.flush(5.0)
        writer.append("p", [6.0], [0])
    assert open_spikes(tmp_path / "run.h5")["p"] == SpikeTrains([], [], 2, 0, 5)


def test_a_reader_sees_each_flush_of_a_live_run(tmp_path):
    path = tmp_path / "run.h5"
    with SpikeWriter(path, {"p": 2}, {}) as writer:
        assert open_spikes(path)["p"] == SpikeTrains([], [], 2, 0, 0)
        for k in range(5):
            writer.append("p", [k + 1.0], [k % 2])
            assert len(open_spikes(path)["p"]) == k
            writer.flush(k + 1.0)
            assert open_spikes(path)["p"].t_stop == k + 1
            assert open_spikes(path)["p"].times.tolist() == list(range(1, k + 2))


def test_the_layout_is_that_of_sonata(tmp_path):
    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    path = tmp_path / "run.h5"
    write_run(path, 3)
    reader = libsonata.SpikeReader(str(path))
    assert reader.get_population_names() == list(SIZES)
    assert reader["exc"].sorting == "by_time"
    assert reader["exc"].time_units == "ms"
    with h5py.File(path) as file:
        assert file.attrs["magic"] == 0x0A7A and file.attrs["magic"].dtype == np.uint32
        assert file.attrs["version"].tolist() == [0, 1]
        sorting = file["spikes/exc"].attrs.get_id("sorting").dtype
        assert h5py.check_enum_dtype(sorting) == {"none": 0, "by_id": 1, "by_time": 2}
        assert file["spikes/exc/timestamps"].dtype == np.float64
        assert file["spikes/exc/node_ids"].dtype == np.uint64


def test_short_runs_make_small_files(tmp_path):
    write_run(tmp_path / "run.h5", 1)
    assert (tmp_path / "run.h5").stat().st_size < 64 * 1024


ATTRIBUTES = {
    "text": "Grün, with spaces",
    "lines": "two\nlines",
    "looks like JSON": '{"a": 1}',
    "int": -3,
    "float": 0.1,
    "true": True,
    "numpy": np.float64(2.5),
    "list": [1, 2, 3],
    "long list": list(range(20000)),
    "words": ["a", "b"],
    "empty": "",
    "nested": {"a": {"b": [1.5, "c", None]}, "d": False},
}


def test_attributes_come_back(tmp_path):
    path = tmp_path / "run.h5"
    with SpikeWriter(path, {"p": 4}, ATTRIBUTES) as writer:
        writer.append("p", [10.0, 20.0], [0, 1])
        writer.flush(1000.0)
        writer.set_attributes({"wall_time": 1.5, "int": 4})
    facts = info(path)
    assert facts == {
        "format": "SONATA spikes",
        "populations": {"p": {"neurons": 4, "spikes": 2, "rate": 0.5}},
        "t_start": 0.0,
        "t_stop": 1000.0,
        "run": ATTRIBUTES | {"wall_time": 1.5, "int": 4},
    }
    assert facts["run"]["true"] is True


# Errors of the writer


def test_an_existing_file_is_kept_unless_told(tmp_path):
    path = tmp_path / "run.h5"
    write_run(path, 2)
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match=r"run.h5 exists already.*--force.*overwrite=True"):
        SpikeWriter(path, SIZES, {})
    for bad in ({"p": -1}, {"p": 1.5}, {"a/b": 1}, {"": 1}):
        with pytest.raises((ValueError, TypeError)):
            SpikeWriter(path, bad, {}, overwrite=True)
    with pytest.raises(TypeError, match="attribute 'x' must be a string.*object"):
        SpikeWriter(path, SIZES, {"x": object()}, overwrite=True)
    assert path.read_bytes() == before
    write_run(path, 1, overwrite=True)
    assert_holds_windows(path, 1, 1)


def test_paths_which_cannot_be_written(tmp_path):
    with pytest.raises(OSError, match="run.h5: its folder does not exist"):
        SpikeWriter(tmp_path / "missing" / "run.h5", SIZES, {})
    with pytest.raises(OSError, match="it is a folder"):
        SpikeWriter(tmp_path, SIZES, {}, overwrite=True)


def test_a_bad_window_is_refused_and_nothing_is_written(tmp_path):
    path = tmp_path / "run.h5"
    with SpikeWriter(path, {"p": 2, "q": 2}, {}) as writer:
        writer.flush(5.0)
        with pytest.raises(KeyError, match="no population 'r': the file has p, q"):
            writer.append("r", [1.0], [0])
        with pytest.raises(ValueError, match="t_start <= t_stop, but are 5.0 and 4.0"):
            writer.flush(4.0)
        writer.append("p", [6.0], [0])
        writer.append("q", [11.0], [0])
        with pytest.raises(ValueError, match=r"in \(5, 10\] ms, but times\[0\] is 11"):
            writer.flush(10.0)
        assert len(open_spikes(path)["p"]) == 0 and open_spikes(path)["p"].t_stop == 5
        writer.flush(12.0)
    assert len(open_spikes(path)["p"]) == 1
    with pytest.raises(ValueError, match="run.h5 has been closed"):
        writer.flush(13.0)
    writer.close()


# Killed writers and full disks


def test_the_file_is_whole_after_every_single_write(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    put, flushed, checks = OrderedWrites._put, [None], [0]

    def put_and_check(self, offset, data):
        put(self, offset, data)
        if flushed[0] is not None:
            assert_holds_windows(path, flushed[0], flushed[0] + 1)
            checks[0] += 1

    monkeypatch.setattr(OrderedWrites, "_put", put_and_check)
    with SpikeWriter(path, SIZES, {}) as writer:
        for k in range(25):
            flushed[0] = k
            for name in SIZES:
                writer.append(name, *window_spikes(name, k))
            writer.flush((k + 1) * WINDOW)
        flushed[0] = 25
        writer.set_attributes({f"late {i}": "x" * 300 for i in range(20)})
    assert checks[0] > 200


def test_a_killed_writer_leaves_every_flush(tmp_path):
    path = tmp_path / "run.h5"
    program = (
        "import sys; sys.path.insert(0, sys.argv[2]); import test_storage as t\n"
        "import spikesim.data.spike_files as spikes\n"
        "flush = spikes.SpikeWriter.flush\n"
        "def tell(self, t_stop):\n"
        "    flush(self, t_stop)\n"
        "    print(round(t_stop / t.WINDOW), flush=True)\n"
        "spikes.SpikeWriter.flush = tell\n"
        "t.write_run(sys.argv[1], 10**6, overwrite=True)\n"
    )
    for attempt in range(10):
        command = [sys.executable, "-c", program, str(path), os.path.dirname(__file__)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
            process.stdout.readline()
            time.sleep(random.Random(attempt).uniform(0, 0.05))
            process.kill()
            told = [1, *map(int, process.stdout.read().split())][-1]
        assert_holds_windows(path, told, told + 1)


def test_a_full_disk_leaves_every_flush(tmp_path):
    pytest.importorskip("resource", reason="the size of files can be limited on POSIX only")
    path = tmp_path / "run.h5"
    program = (
        "import resource, sys; sys.path.insert(0, sys.argv[2]); import test_storage as t\n"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[3]),) * 2)\n"
        "try: t.write_run(sys.argv[1], 10**6, overwrite=True)\n"
        "except OSError as error: print(error)\n"
    )
    for limit in (30_000, 100_001, 300_000):
        command = [sys.executable, "-c", program, str(path), os.path.dirname(__file__), str(limit)]
        run = subprocess.run(command, capture_output=True, text=True)
        assert run.returncode == 0 and not run.stderr
        t_stop = open_spikes(path)["exc"].t_stop
        assert run.stdout == f"disk full: {path} holds every spike up to {t_stop:g} ms\n"
        windows = round(t_stop / WINDOW)
        assert path.stat().st_size <= limit
        assert (windows > 0) == (limit > 50_000)
        if windows:
            assert_holds_windows(path, windows, windows)


def test_a_failing_disk_closes_the_writer(tmp_path, monkeypatch):
    path = tmp_path / "run.h5"
    writer = SpikeWriter(path, SIZES, {})
    writer.append("exc", *window_spikes("exc", 0))
    writer.append("inh", *window_spikes("inh", 0))
    writer.flush(WINDOW)
    before = path.read_bytes()

    def fail(self, offset, data):
        self.error = OSError(5, "Input/output error")
        raise self.error

    with monkeypatch.context() as patch:
        patch.setattr(OrderedWrites, "_put", fail)
        writer.append("exc", *window_spikes("exc", 1))
        with pytest.raises(
            OSError, match="Input/output error: .*run.h5 holds every spike up to 10"
        ):
            writer.flush(2 * WINDOW)
    with pytest.raises(ValueError, match="closed"):
        writer.flush(2 * WINDOW)
    writer.close()
    assert path.read_bytes() == before
    assert_holds_windows(path, 1, 1)


def test_a_writer_left_open_does_not_crash_python(tmp_path):
    program = (
        "import sys; from spikesim.data.spike_files import SpikeWriter\n"
        "writer = SpikeWriter(sys.argv[1], {'p': 2}, {})\n"
        "writer.append('p', [1.0], [0])\n"
        "writer.flush(5.0)\n"
        "sys.exit(3)\n"
    )
    path = tmp_path / "run.h5"
    assert subprocess.run([sys.executable, "-c", program, str(path)]).returncode == 3
    assert len(open_spikes(path)["p"]) == 1


# Files of other programs

TIMES, IDS = np.array([1.0, 2.0, 2.0, 7.5]), np.array([3, 0, 1, 3])
EXPECTED = SpikeTrains(TIMES, IDS, 4, 0.0, 7.5)
ENUM = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="i4")
RENUMBERED = h5py.enum_dtype({"by_time": 0, "none": 1, "by_id": 2}, basetype="u1")


def foreign(path, order=(0, 1, 2, 3), group="spikes/pop", ids="node_ids", dtype="u8", **options):
    order = list(order)
    with h5py.File(path, "w") as file:
        spikes = file.create_group(group)
        spikes["timestamps"] = TIMES[order] / options.get("scale", 1)
        spikes[ids] = IDS[order].astype(dtype)
        if "units" in options:
            spikes["timestamps"].attrs["units"] = options["units"]
        if "sorting" in options:
            spikes.attrs.create("sorting", options["sorting"], dtype=options.get("sorting_dtype"))


BY_ID, MIXED = (1, 2, 0, 3), (3, 1, 0, 2)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"order": MIXED},
        {"order": MIXED, "sorting": 0, "sorting_dtype": ENUM},
        {"order": BY_ID, "sorting": 1, "sorting_dtype": ENUM},
        {"sorting": 2, "sorting_dtype": ENUM},
        {"sorting": 0, "sorting_dtype": RENUMBERED},
        {"order": MIXED, "sorting": 1, "sorting_dtype": RENUMBERED},
        {"sorting": 2},
        {"order": BY_ID, "sorting": 1},
        {"order": MIXED, "sorting": 77},
        {"sorting": "by_time"},
        {"sorting": np.bytes_("by_time")},
        {"sorting": ["by_time"]},
        {"order": BY_ID, "sorting": "by_id"},
        {"order": BY_ID, "sorting": np.bytes_("by_gid")},
        {"order": MIXED, "sorting": "none", "units": "ms"},
        {"units": np.bytes_("ms"), "sorting": "by_time"},
        {"units": "s", "scale": 1000, "sorting": "by_time"},
        {"units": "s", "scale": 1000, "order": MIXED},
        {"dtype": "u4", "sorting": "by_time"},
        {"dtype": "i2", "order": MIXED},
        {"ids": "gids", "order": BY_ID, "sorting": "by_gid"},
    ],
)
def test_foreign_populations(tmp_path, options):
    path = tmp_path / "foreign.h5"
    foreign(path, **options)
    assert open_spikes(path) == {"pop": EXPECTED}


@pytest.mark.parametrize("ids", ["gids", "node_ids"])
def test_flat_files(tmp_path, ids):
    foreign(tmp_path / "flat.h5", MIXED, group="spikes", ids=ids)
    assert open_spikes(tmp_path / "flat.h5") == {"all": EXPECTED}
    assert info(tmp_path / "flat.h5") == {
        "format": "SONATA spikes",
        "populations": {"all": {"neurons": 4, "spikes": 4, "rate": pytest.approx(1000 / 7.5)}},
        "t_start": 0.0,
        "t_stop": 7.5,
    }


def test_only_sorted_files_stay_on_the_disk(tmp_path):
    path = tmp_path / "foreign.h5"
    foreign(path, sorting="by_time")
    assert open_spikes(path)["pop"]._rows is not None
    assert open_spikes(path)["pop"].restrict(1.0, 2.0).neurons.tolist() == [0, 1]
    foreign(path, sorting="none")
    assert open_spikes(path)["pop"]._rows is None


@pytest.mark.parametrize("sorting", ["by_time", "none"])
def test_the_longer_column_of_a_live_writer_is_cut(tmp_path, sorting):
    path = tmp_path / "foreign.h5"
    foreign(path, sorting=sorting)
    with h5py.File(path, "r+") as file:
        del file["spikes/pop/node_ids"]
        file["spikes/pop/node_ids"] = [3, 0]
    with pytest.warns(UserWarning, match="4 timestamps and 2 node ids; the surplus is left out"):
        assert open_spikes(path) == {"pop": SpikeTrains([1, 2], [3, 0], 4, 0, 2)}


def test_window_of_negative_times_and_of_several_populations(tmp_path):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        for name, times in (("b", [-3.0, 1.0]), ("a", [2.0, 9.0]), ("none", [])):
            file[f"spikes/{name}/timestamps"] = np.array(times)
            file[f"spikes/{name}/node_ids"] = np.zeros(len(times), int)
    trains = open_spikes(path)
    assert {(train.t_start, train.t_stop) for train in trains.values()} == {(-3.0 - 2e-6, 9.0)}
    assert {name: train.size for name, train in trains.items()} == {"a": 1, "b": 1, "none": 0}


def test_files_which_are_no_spikes(tmp_path):
    path = tmp_path / "file.h5"
    with pytest.raises(FileNotFoundError, match="there is no file .*file.h5"):
        open_spikes(path)
    path.write_text("1.0 3\n")
    for read in (open_spikes, info, read_report):
        with pytest.raises(ValueError, match="file.h5 is not an HDF5 file"):
            read(path)
    with pytest.raises(OSError, match="cannot read"):
        open_spikes(tmp_path)
    with h5py.File(path, "w") as file:
        file["something"] = [1]
    with pytest.raises(ValueError, match="file.h5: it holds no group /spikes"):
        open_spikes(path)
    with pytest.raises(ValueError, match="file.h5: it holds no group /report"):
        read_report(path)
    with pytest.raises(ValueError, match="file.h5: it holds neither"):
        info(path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda pop: pop.pop("node_ids"), "'pop' needs the data sets timestamps and node_ids"),
        (lambda pop: pop["timestamps"].attrs.update(units="years"), "in 'years'; it must be ms, s"),
        (lambda pop: pop["timestamps"].attrs.update(units=np.float64(0.001)), "are in '0.001'"),
        (lambda pop: pop.move("timestamps", "times"), "'pop' needs the data sets timestamps"),
        (lambda pop: pop["node_ids"].write_direct(np.array([0, 2**63, 1, 2], "u8")), "9223372036"),
        (lambda pop: pop["timestamps"].write_direct(np.array([0, 1, 2, np.nan])), "finite"),
    ],
)
def test_bad_populations_are_named(tmp_path, change, message):
    path = tmp_path / "foreign.h5"
    foreign(path)
    with h5py.File(path, "r+") as file:
        change(file["spikes/pop"])
    with pytest.raises(ValueError, match=f"cannot read .*foreign.h5: .*{message}"):
        open_spikes(path)


def test_negative_node_ids_are_refused_before_anything_is_counted(tmp_path):
    foreign(tmp_path / "foreign.h5", dtype="i8", sorting="by_time", units="ms")
    with h5py.File(tmp_path / "foreign.h5", "r+") as file:
        file["spikes/pop/node_ids"][1] = -1
    for read in (open_spikes, info):
        with pytest.raises(ValueError, match="a node id of population 'pop' is -1"):
            read(tmp_path / "foreign.h5")


UNITS = {
    "ms": 1,
    "MSec": 1,
    " milliseconds ": 1,
    "millisecond": 1,
    "s": 1000,
    "SEC": 1000,
    "second": 1000,
    b"Seconds": 1000,
    "us": 1e-3,
    "\N{MICRO SIGN}s": 1e-3,
    "\N{GREEK SMALL LETTER MU}s": 1e-3,
    "microseconds": 1e-3,
    "ns": 1e-6,
}


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("sorting", ["by_time", "none"])
@pytest.mark.parametrize("place", ["spikes/pop/timestamps", "spikes/pop"])
def test_times_in_any_unit_are_given_in_ms(tmp_path, units, sorting, place):
    path = tmp_path / "foreign.h5"
    foreign(path, scale=UNITS[units], sorting=sorting)
    with h5py.File(path, "r+") as file:
        file[place].attrs["units"] = np.bytes_(units) if isinstance(units, bytes) else units
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        trains = open_spikes(path)["pop"]
    np.testing.assert_allclose(trains.times, TIMES, rtol=1e-15)
    assert len(told) == (UNITS[units] != 1)
    for warning in told:
        assert "the timestamps are in" in str(warning.message) and warning.filename == __file__
        assert str(path) in str(warning.message) and "given in ms" in str(warning.message)


def test_times_without_a_unit_are_taken_as_ms_and_told_at_once(tmp_path):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        for name in "ab":
            file[f"spikes/{name}/timestamps"], file[f"spikes/{name}/node_ids"] = [1.5], [0]
        file["spikes/a"].attrs["units"] = ""
    sentence = "foreign.h5, 'a', 'b': the timestamps have no units; they are taken as ms"
    for read in (open_spikes, info):
        with pytest.warns(UserWarning, match=sentence) as told:
            read(path)
        assert len(told) == 1 and told[0].filename == __file__
    assert open_spikes(path)["b"].times.tolist() == [1.5]


LIARS = {
    "shuffled": np.random.default_rng(1).permutation(np.arange(486) * 2.0),
    "decreasing": np.arange(486)[::-1] * 2.0,
    "one late": np.r_[np.arange(485) * 2.0, 3.0],
    "by neuron": np.tile(np.arange(81) * 12.0, 6),
}


@pytest.mark.parametrize("name", LIARS)
@pytest.mark.parametrize("piece", [1, 5, 2**20])
def test_a_claim_to_be_sorted_is_checked(tmp_path, monkeypatch, name, piece):
    monkeypatch.setattr("spikesim.data.rows.PIECE", piece)
    times, ids, path = LIARS[name], np.arange(486) % 7, tmp_path / "liar.h5"
    with h5py.File(path, "w") as file:
        file["spikes/pop/timestamps"], file["spikes/pop/node_ids"] = times, ids
        file["spikes/pop/timestamps"].attrs["units"] = "ms"
        file["spikes/pop"].attrs["sorting"] = "by_time"
    with pytest.warns(
        UserWarning, match="liar.h5, 'pop': the spikes are not sorted by time"
    ) as told:
        trains = open_spikes(path)["pop"]
    assert len(told) == 1 and told[0].filename == __file__
    support = Windows.closed(0.0, times.max(), times)
    assert trains == SpikeTrains(times, ids, 7, support=support)
    inside = (times > 100) & (times <= 300)
    assert trains.restrict(100.0, 300.0) == SpikeTrains(times[inside], ids[inside], 7, 100, 300)
    assert inside.sum() > 90


@settings(max_examples=60, deadline=None)
@given(times=st.lists(st.integers(0, 30), min_size=1), piece=st.integers(1, 9))
def test_sorted_times_and_no_others_stay_on_the_disk(tmp_path_factory, times, piece):
    path = tmp_path_factory.mktemp("any") / "foreign.h5"
    with h5py.File(path, "w") as file:
        file["spikes/pop/timestamps"] = np.array(times, float)
        file["spikes/pop/node_ids"] = np.arange(len(times))
        file["spikes/pop/timestamps"].attrs["units"] = "ms"
        file["spikes/pop"].attrs["sorting"] = "by_time"
    with pytest.MonkeyPatch.context() as patch, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        patch.setattr("spikesim.data.rows.PIECE", piece)
        trains = open_spikes(path)["pop"]
        assert (trains._rows is not None) == (times == sorted(times))
        support = Windows.closed(min(0.0, *times), max(times), times)
        assert trains == SpikeTrains(times, np.arange(len(times)), len(times), support=support)


def test_no_number_among_times_is_refused_though_they_claim_to_be_sorted(tmp_path):
    path = tmp_path / "foreign.h5"
    foreign(path, sorting="by_time", units="ms")
    with h5py.File(path, "r+") as file:
        file["spikes/pop/timestamps"][1] = np.nan
    for read in (open_spikes, info):
        with pytest.raises(ValueError, match="cannot read .*foreign.h5: times must be finite"):
            read(path)


def test_own_files_are_not_looked_through(tmp_path, monkeypatch):
    write_run(tmp_path / "run.h5", 3)
    monkeypatch.setattr("spikesim.data.sonata_spikes._looked_through", None)
    assert open_spikes(tmp_path / "run.h5")["exc"].restrict(5.0, 9.0).t_stop == 9


def nothing(group):
    pass


def no_rows(group):
    group["timestamps"], group["node_ids"] = [], []  # of 64-bit floats, both


def no_space(group):
    group["timestamps"], group["gids"] = h5py.Empty("f8"), h5py.Empty("u8")


@pytest.mark.parametrize("empty", [nothing, no_rows, no_space])
def test_a_population_without_spikes_is_empty(tmp_path, empty):
    path = tmp_path / "foreign.h5"
    foreign(path, MIXED, units="ms")
    with h5py.File(path, "r+") as file:
        empty(file.create_group("spikes/silent"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert open_spikes(path) == {"pop": EXPECTED, "silent": SpikeTrains([], [], 0, 0, 7.5)}
        assert info(path)["populations"]["silent"]["spikes"] == 0


def test_damaged_files(tmp_path):
    path, damaged = tmp_path / "run.h5", tmp_path / "damaged.h5"
    write_run(path, 3)
    content = path.read_bytes()
    for i in range(0, len(content), 499):
        damaged.write_bytes(content[:i])
        with pytest.raises(ValueError, match="damaged.h5"):
            info(damaged)
    # The heads of the groups, which have checksums. (On some damage to its heap of strings, which
    # has none, HDF5 itself never returns.)
    for i in range(0, 3072, 64):
        damaged.write_bytes(content[:i] + bytes(64) + content[i + 64 :])
        with contextlib.suppress(ValueError):  # anything else is an error
            info(damaged)


# Reports


def test_report_round_trip(tmp_path):
    path = tmp_path / "report.h5"
    values = np.random.default_rng(0).normal(-60, 5, (50, 3))
    with ReportWriter(path, "exc", [4, 7, 9], "V", "mV", 0.5, t_start=10.0) as writer:
        writer.flush()
        assert read_report(path)[2].shape == (0, 3)
        writer.append(values[:20])
        writer.append(values[20:21])
        writer.flush()
        assert len(read_report(path)[0]) == 21
        writer.append(values[21:])
        writer.flush()
    times, node_ids, read, meta = read_report(path)
    np.testing.assert_allclose(times, 10.0 + 0.5 * np.arange(1, 51), rtol=1e-12)
    assert node_ids.tolist() == [4, 7, 9]
    np.testing.assert_array_equal(read, values.astype(np.float32))
    facts = {"elements": 3, "samples": 50, "every": 0.5, "variable": "V", "unit": "mV"}
    assert meta == {"population": "exc"} | facts
    assert info(path) == {
        "format": "SONATA report",
        "populations": {"exc": facts},
        "t_start": 10.5,
        "t_stop": 35.5,
    }


def test_report_keeps_float64_if_asked(tmp_path):
    path = tmp_path / "report.h5"
    with ReportWriter(path, "p", [0], "V", "mV", 1.0, dtype=np.float64) as writer:
        writer.append([[0.1], [0.2]])
        writer.flush()
    assert read_report(path)[2].tolist() == [[0.1], [0.2]]


@pytest.mark.parametrize("node_ids", [[2, 5, 8], [8, 2, 5]])
def test_libsonata_reads_reports(tmp_path, node_ids):
    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    path = tmp_path / "report.h5"
    values = np.arange(30, dtype=np.float32).reshape(10, 3)
    with ReportWriter(path, "exc", node_ids, "V", "mV", 0.1) as writer:
        writer.append(values)
        writer.flush()
    report = libsonata.ElementReportReader(str(path))["exc"]
    assert report.times == pytest.approx((0.1, 1.1, 0.1))
    assert (report.time_units, report.data_units) == ("ms", "mV")
    frame = report.get(node_ids=[5, 8])
    columns = {int(ids[0]): column for ids, column in zip(frame.ids, frame.data.T, strict=True)}
    np.testing.assert_allclose(frame.times, np.arange(1, 11) * 0.1)
    for node, column in columns.items():
        np.testing.assert_array_equal(column, values[:, node_ids.index(node)])
    assert set(columns) == {5, 8}


def test_report_of_a_killed_writer(tmp_path):
    path, copy = tmp_path / "report.h5", tmp_path / "copy.h5"
    writer = ReportWriter(path, "p", [0, 1], "V", "mV", 1.0)
    for k in range(20):
        writer.append(np.full((200, 2), k))
        writer.flush()
        shutil.copy(path, copy)  # what a kill at this moment leaves
        times, _, values, _ = read_report(copy)
        assert len(times) == len(values) == 200 * (k + 1)
        np.testing.assert_array_equal(values[:, 0], np.repeat(np.arange(k + 1), 200))
    writer.close()


def test_report_of_several_elements_per_node_and_populations(tmp_path):
    path = tmp_path / "foreign.h5"
    with h5py.File(path, "w") as file:
        for name in "ab":
            file[f"report/{name}/data"] = np.arange(8.0).reshape(2, 4)
            file[f"report/{name}/mapping/node_ids"] = [5, 6]
            file[f"report/{name}/mapping/index_pointers"] = [0, 3, 4]
            file[f"report/{name}/mapping/time"] = [0.0, 1.0, 0.5]
    with pytest.raises(ValueError, match=r"one of \['a', 'b'\], but is None"):
        read_report(path)
    times, node_ids, values, meta = read_report(path, "b")
    assert times.tolist() == [0, 0.5] and node_ids.tolist() == [5, 5, 5, 6]
    assert values.shape == (2, 4) and meta["variable"] is None and meta["population"] == "b"


VALUES = np.arange(20.0).reshape(5, 4) / 3  # not numbers of 32 bits


def bmtk_report(path, time=(0.0, 2.5, 0.5), pointers=(0, 3, 4), ids=(5, 6), **names):
    """Laid out as by BMTK and pySONATA: another name, 64 bits, no unit of time; compressed."""
    with h5py.File(path, "w") as file:
        report = file.create_group("report/v1")
        report.create_dataset("data", data=VALUES, compression="gzip")
        report["data"].attrs.update(units="mV", variable="v")
        mapping = report.create_group("mapping")
        mapping["time"] = np.array(time)
        if pointers is not None:
            mapping[names.get("index", "index_pointer")] = np.array(pointers, np.uint64)
        mapping[names.get("nodes", "node_ids")] = np.array(ids, np.uint64)
        mapping["element_ids"], mapping["element_pos"] = np.arange(4), np.full(4, 0.5)


@pytest.mark.parametrize(
    ("options", "nodes"),
    [
        ({}, [5, 5, 5, 6]),
        ({"pointers": (0, 3)}, [5, 5, 5, 6]),
        ({"index": "index_pointers"}, [5, 5, 5, 6]),
        ({"nodes": "gids", "pointers": (0, 0, 4)}, [6, 6, 6, 6]),
        ({"pointers": None, "ids": (9, 2, 7, 3)}, [9, 2, 7, 3]),
        ({"ids": (2**62, 7)}, [2**62] * 3 + [7]),
    ],
)
def test_reports_of_bmtk(tmp_path, options, nodes):
    path = tmp_path / "bmtk.h5"
    bmtk_report(path, **options)
    sentence = "bmtk.h5, 'v1': the times have no units; they are taken as ms"
    with pytest.warns(UserWarning, match=sentence) as told:
        times, node_ids, values, meta = ss.read_report(path)
    assert len(told) == 1 and told[0].filename == __file__
    assert times.tolist() == [0, 0.5, 1, 1.5, 2] and node_ids.tolist() == nodes
    np.testing.assert_array_equal(values, VALUES)
    facts = {"elements": 4, "samples": 5, "every": 0.5, "variable": "v", "unit": "mV"}
    assert meta == {"population": "v1"} | facts
    with pytest.warns(UserWarning, match=sentence):
        assert info(path)["populations"] == {"v1": facts}


@pytest.mark.parametrize("units", UNITS)
@pytest.mark.parametrize("place", ["mapping/time", "mapping", "."])
def test_times_of_reports_in_any_unit_are_given_in_ms(tmp_path, units, place):
    path, scale = tmp_path / "report.h5", UNITS[units]
    bmtk_report(path, time=np.array([10, 12.5, 0.5]) / scale)
    with h5py.File(path, "r+") as file:
        file["report/v1"][place].attrs["units"] = units
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        times, *_, meta = read_report(path)
        facts = info(path)
    np.testing.assert_allclose(times, [10, 10.5, 11, 11.5, 12], rtol=1e-12)
    assert meta["every"] == pytest.approx(0.5) and meta["unit"] == "mV"
    assert (facts["t_start"], facts["t_stop"]) == pytest.approx((10, 12.5))
    assert ["the times are in" in str(x.message) for x in told] == [True] * (2 * (scale != 1))


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"pointers": (0, 3, 5)}, "do not share 4 elements out among 2 nodes"),
        ({"pointers": (0, 3, 3)}, "do not share 4 elements out"),
        ({"pointers": (1, 3, 4)}, "do not share 4 elements out"),
        ({"pointers": (1, 3)}, "do not share 4 elements out"),
        ({"pointers": (0, 5, 4)}, "do not share 4 elements out"),
        ({"pointers": (0, 1, 2, 4)}, "do not share 4 elements out"),
        ({"pointers": None}, "needs the data sets node_ids and index_pointers"),
        ({"nodes": "cells"}, "needs the data sets node_ids and index_pointers"),
        ({"ids": (2**63, 1)}, "mapping/node_ids holds numbers below 0 or beyond 64 bits"),
        ({"time": (0, 2.5, 0)}, "the step of mapping/time is 0.0 ms; it must be positive"),
        ({"time": (0, 2.5, np.nan)}, "the step of mapping/time is nan ms"),
    ],
)
def test_reports_that_contradict_themselves_are_refused(tmp_path, options, message):
    bmtk_report(tmp_path / "report.h5", **options)
    with pytest.raises(ValueError, match=f"cannot read .*report.h5: .*{message}"):
        read_report(tmp_path / "report.h5")


def test_reports_in_an_unknown_unit_of_time_or_shape_are_refused(tmp_path):
    path = tmp_path / "report.h5"
    bmtk_report(path)
    with h5py.File(path, "r+") as file:
        file["report/v1/mapping/time"].attrs["units"] = "steps"
    for read in (read_report, info):
        with pytest.raises(ValueError, match=r"report.h5: the times are in 'steps'; it must be ms"):
            read(path)
    with h5py.File(path, "r+") as file:
        del file["report/v1/data"], file["report/v1/mapping/time"].attrs["units"]
        file["report/v1/data"] = np.arange(4.0)
    for read in (read_report, info):
        with pytest.raises(ValueError, match=r"report.h5: data has 1 dimensions"):
            read(path)


def no_mapping(report):
    report.create_group("mapping")


def no_elements(report):
    """As BMTK leaves a population of which nothing is recorded."""
    report["data"] = np.empty((0, 0))
    report["mapping/node_ids"] = np.empty(0, np.uint64)
    report["mapping/index_pointer"] = np.zeros(1, np.uint64)
    report["mapping/element_ids"] = np.empty(0, np.uint64)


def no_columns(report):
    report["data"], report["mapping/time"] = np.empty((5, 0)), [0.0, 2.5, 0.5]
    report["mapping/node_ids"] = []


@pytest.mark.parametrize("empty", [nothing, no_mapping, no_elements, no_columns])
def test_an_empty_population_leaves_the_others_of_a_report(tmp_path, empty):
    path = tmp_path / "report.h5"
    bmtk_report(path, time=(2.0, 4.5, 0.5))
    with h5py.File(path, "r+") as file:
        empty(file.create_group("report/none"))
    np.testing.assert_array_equal(read_report(path, "v1")[2], VALUES)
    times, node_ids, values, meta = read_report(path, "none")
    samples = 5 if empty is no_columns else 0
    assert times.shape == (samples,) and node_ids.shape == (0,) and values.shape == (samples, 0)
    assert (meta["elements"], meta["samples"], meta["unit"]) == (0, samples, "")
    facts = info(path)
    assert facts["populations"]["v1"]["elements"] == 4 and facts["t_stop"] == 4.5
    assert facts["t_start"] == (0.0 if empty is no_columns else 2.0)
    assert np.isnan(facts["populations"]["none"]["every"]) == (empty is not no_columns)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"node_ids": []}, "node_ids must be one or more"),
        ({"node_ids": [-1]}, "node_ids must be"),
        ({"node_ids": [0.5]}, "node_ids must be"),
        ({"every": 0}, "every must be a positive time in ms, but is 0"),
        ({"population": "a/b"}, "name"),
    ],
)
def test_report_refuses(tmp_path, changed, message):
    arguments = {"population": "p", "node_ids": [0], "variable": "V", "unit": "mV", "every": 1.0}
    with pytest.raises(ValueError, match=message):
        ReportWriter(tmp_path / "report.h5", **(arguments | changed))
    assert not (tmp_path / "report.h5").exists()


def test_report_refuses_rows_of_other_shapes(tmp_path):
    path = tmp_path / "report.h5"
    with ReportWriter(path, "p", [0, 1], "V", "mV", 1.0) as writer:
        for rows in ([1.0, 2.0], [[1.0]], [[1.0, 2.0, 3.0]]):
            with pytest.raises(ValueError, match=r"rows must have the shape \(n_samples, 2\)"):
                writer.append(rows)
    with pytest.raises(FileExistsError):
        ReportWriter(path, "p", [0, 1], "V", "mV", 1.0)


def test_a_growing_file_is_read_as_it_is_now_beside_earlier_readers(tmp_path):
    path = tmp_path / "growing.h5"
    with SpikeWriter(path, {"a": 3}, {}) as writer:
        held = []
        for turn in range(1, 30):
            times = 100.0 * (turn - 1) + np.linspace(1, 99, 700)
            writer.append("a", times, np.arange(700) % 3)
            writer.flush(100.0 * turn)
            held.append(open_spikes(path)["a"])
            assert len(held[-1]) == 700 * turn and held[-1].t_stop == 100.0 * turn
            assert held[-1].times[-1] == times[-1]


def test_a_growing_report_is_read_as_it_is_now_beside_an_earlier_failure(tmp_path):
    path = tmp_path / "v.h5"
    with ReportWriter(path, "a", [0, 1], "v", "mV", 0.1) as writer:
        errors = []
        for turn in range(1, 6):
            writer.append(np.full((300, 2), float(turn)))
            writer.flush()
            with pytest.raises(ValueError) as told:
                read_report(path, "b")
            errors.append(told.value)  # which holds what was open
            times, _, values, _ = read_report(path)
            assert len(times) == 300 * turn and values[-1, 0] == turn


@pytest.mark.parametrize("sorting", ["by_time", "by_id", "none"])
def test_what_a_file_does_not_tell_is_marked_as_guessed_or_given(tmp_path, sorting):
    path = tmp_path / "foreign.h5"
    foreign(path, sorting=sorting, units="ms")
    trains = open_spikes(path)["pop"]
    assert trains.guessed == ("t_start", "t_stop", "size")
    assert "t_start and t_stop and size guessed" in repr(trains)
    assert "4, guessed" in trains._repr_html_()
    told = open_spikes(path, window=(0.5, 8.0), sizes={"pop": 9})["pop"]
    assert (told.t_start, told.t_stop, told.size, told.guessed) == (0.5, 8.0, 9, ())
    assert told.times.tolist() == trains.times.tolist()
    assert open_spikes(path, sizes=7)["pop"].guessed == ("t_start", "t_stop")
    assert open_spikes(path, sizes=7)["pop"].count().shape == (7,)
    with pytest.raises(ValueError, match=r"window is \(0, 1.5\] ms, but spikes lie from 1 to"):
        open_spikes(path, window=(0, 1.5))
    with pytest.raises(ValueError, match="size"):
        _ = open_spikes(path, sizes=3)["pop"].times
    with pytest.raises(ValueError, match="sizes names 'pup', but the populations are 'pop'"):
        open_spikes(path, sizes={"pup": 3})


def test_what_a_file_tells_may_not_be_told_otherwise(tmp_path):
    write_run(tmp_path / "run.h5", 3)
    trains = open_spikes(tmp_path / "run.h5")
    exc = trains["exc"]
    assert exc.guessed == ()
    same = open_spikes(
        tmp_path / "run.h5", window=(exc.t_start, exc.t_stop), sizes={"exc": exc.size}
    )
    assert same == trains
    with pytest.raises(ValueError, match="window is .* but the file says"):
        open_spikes(tmp_path / "run.h5", window=(0.0, 1e6))
    with pytest.raises(ValueError, match="the size of 'exc' is 2, but the file says"):
        open_spikes(tmp_path / "run.h5", sizes={"exc": 2})


def test_files_sorted_by_id_are_read_where_they_lie(tmp_path):
    rng = np.random.default_rng(2)
    ids = np.sort(rng.integers(0, 50, 5000))
    times = rng.uniform(1, 900, 5000)
    times = times[np.lexsort((times, ids))]
    path = tmp_path / "by_id.h5"
    with h5py.File(path, "w") as file:
        file["spikes/pop/timestamps"], file["spikes/pop/node_ids"] = times / 1000, ids
        file["spikes/pop/timestamps"].attrs["units"] = "s"
        file["spikes/pop"].attrs["sorting"] = "by_id"
    with pytest.warns(UserWarning, match="are in 's'; they are given in ms"):
        trains = open_spikes(path, window=(0, 1000), sizes=60)["pop"]
    assert trains._rows is not None and trains.size == 60
    twin = SpikeTrains(times, ids, 60, 0, 1000)
    np.testing.assert_array_equal(trains.count(), twin.count())
    np.testing.assert_allclose(trains.cv(), twin.cv(), rtol=1e-9)
    np.testing.assert_allclose(trains[17], twin[17])
    part = trains.restrict(100, 200).select([3, 1])
    assert part._rows is not None
    np.testing.assert_allclose(part.times, twin.restrict(100, 200).select([3, 1]).times)
    with h5py.File(path, "r+") as file:
        file["spikes/pop/timestamps"][10] = 0.9
    with pytest.warns(UserWarning, match="are in 's'"):
        assert open_spikes(path)["pop"]._rows is None  # by id, but not by time within one
