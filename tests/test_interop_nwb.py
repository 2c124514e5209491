"""NWB files that pynwb wrote, read by h5py alone; and files that are written, read by pynwb."""

import builtins
import contextlib
import datetime
import subprocess
import sys
import warnings

import h5py
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, settings, strategies as st

import spikesim as ss
from spikesim.cli import main
from spikesim.data.session import Session
from spikesim.data.spike_files import info, open_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.interop import read_nwb, write_nwb

pynwb = pytest.importorskip("pynwb", reason="the package that is exchanged with")
STARTED = datetime.datetime(2020, 1, 1, tzinfo=datetime.UTC)


def new_file():
    return pynwb.NWBFile(session_description="d", identifier="i", session_start_time=STARTED)


def save(nwb, path):
    with pynwb.NWBHDF5IO(str(path), "w") as io:
        io.write(nwb)
    return path


def units(path, *trains, ids=None, columns=(), **of_each):
    """A file of units; ``columns`` are names of columns whose values are in ``of_each``."""
    nwb = new_file()
    for name in columns:
        nwb.add_unit_column(name, name)
    for k, train in enumerate(trains):
        values = {name: each[k] for name, each in of_each.items()}
        nwb.add_unit(spike_times=train, id=k if ids is None else ids[k], **values)
    return save(nwb, path)


def read(path, **options):
    """A file of which nothing has to be told."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return read_nwb(path, **options)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "session.nwb"


# Spikes


def test_seconds_become_ms_and_a_window_is_guessed(path):
    trains = read(units(path, [0.5, 1.25], [], [2.0])).spikes
    assert trains == SpikeTrains([500, 1250, 2000], [0, 0, 2], 3, 0, 2000)
    assert trains.guessed == ("t_start", "t_stop") and trains.labels == {}
    trains = read(path, window=(100, 3000)).spikes
    assert (trains.t_start, trains.t_stop, trains.guessed) == (100, 3000, ())
    with pytest.raises(ValueError, match="session.nwb: times must be finite and in"):
        read_nwb(path, window=(0, 1000))


@pytest.mark.parametrize(
    ("n", "dtype"), [(3, np.uint8), (85, np.uint8), (200, np.uint16), (30_000, np.uint32)]
)
def test_the_index_is_of_the_smallest_type_that_fits(path, n, dtype):
    rng = np.random.default_rng(1)
    listed = [np.sort(rng.random(n)), np.sort(rng.random(n // 3)), [], np.sort(rng.random(n))]
    units(path, *listed)
    with h5py.File(path) as file:
        assert file["units/spike_times_index"].dtype == dtype
    trains = read(path).spikes
    for ours, theirs in zip(trains, listed, strict=True):
        np.testing.assert_allclose(ours, np.asarray(theirs) * 1000, rtol=1e-15)


@pytest.mark.parametrize("dtype", ["u1", "u2", "u4", "u8", "i4", "i8", ">u4"])
def test_an_index_of_any_type(path, dtype):
    units(path, [0.1, 0.2], [], [0.3])
    with h5py.File(path, "r+") as file:
        attributes = dict(file["units/spike_times_index"].attrs)
        del file["units/spike_times_index"]
        file["units/spike_times_index"] = np.array([2, 2, 3], dtype)
        file["units/spike_times_index"].attrs.update(attributes)
    assert read(path).spikes.count().tolist() == [2, 0, 1]


def test_unsorted_times_are_sorted(path):
    trains = read(units(path, [0.5, 0.1, 0.3], [0.2])).spikes
    assert trains[0].tolist() == [100, 300, 500] and trains[1].tolist() == [200]


def test_times_of_32_bits_are_told(path):
    change(units(path, [0.5, 0.5], [0.25]), put("units/spike_times", np.float32([0.5, 0.5, 0.25])))
    with pytest.warns(UserWarning, match="'units': spike_times have 32 bits"):
        assert read_nwb(path).spikes.times.tolist() == [250, 500, 500]


def test_times_before_the_session_and_at_its_start(path):
    assert read(units(path, [-0.5, 1.0])).spikes.support == Windows(-500 - 2e-6, 1000)
    assert read(units(path, [0.0, 1.0])).spikes.times.tolist() == [0, 1000]


# What was observed


def observed(path, intervals, *trains):
    return units(path, *trains, obs_intervals=intervals)


def test_obs_intervals_are_the_support(path):
    same = [[[0.0, 1.0], [2.0, 4.0]]] * 2
    trains = read(observed(path, same, [0.5, 2.5], [3.5])).spikes
    assert trains.support == Windows([0, 2000], [1000, 4000]) and trains.guessed == ()
    assert trains.rates().tolist() == [2 / 3, 1 / 3]
    assert trains.intervals()[0].size == 0  # none over the gap
    with pytest.raises(ValueError, match="obs_intervals of the file tell what was recorded"):
        read_nwb(path, window=(0, 4000))


def test_intervals_that_touch_become_one_and_keep_the_spikes_on_their_borders(path):
    same = [[[0.0, 1.0], [1.0, 2.0]]]
    trains = read(observed(path, same, [0.0, 1.0, 2.0])).spikes
    assert trains.support == Windows(-2e-6, 2000) and len(trains) == 3
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        theirs = io.read().units
        borders = [len(theirs.get_unit_spike_times(0, in_interval=x)) for x in same[0]]
    assert borders == [2, 2]  # the one in the middle twice


def test_of_units_observed_at_different_times_what_all_have_in_common_is_kept(path):
    differ = [[[0.0, 1.0], [2.0, 4.0]], [[0.5, 3.0]], [[0.5, 3.0]]]
    observed(path, differ, [0.1, 0.7, 3.5], [0.6, 2.5], [1.5, 2.0])
    with pytest.warns(UserWarning) as told:
        trains = read_nwb(path).spikes
    sentences = [str(warning.message) for warning in told]
    assert any("the units have different obs_intervals" in sentence for sentence in sentences)
    assert any("3 of 7 spikes lie outside" in sentence for sentence in sentences)
    assert trains.support == Windows([500, 2000 - 2e-6], [1000, 3000])
    assert [times.tolist() for times in trains] == [[700], [600, 2500], [2000]]
    with pytest.raises(ValueError, match="units have no time in common"):
        read_nwb(observed(path, [[[0.0, 1.0]], [[2.0, 3.0]]], [0.5], [2.5]))


def test_a_unit_of_which_no_interval_is_told_does_not_count(path):
    observed(path, [[[0.0, 1.0]], np.empty((0, 2))], [0.5], [0.6])
    with pytest.warns(UserWarning, match="'units': 1 of 2 units have no obs_intervals; they are"):
        trains = read_nwb(path).spikes
    assert trains.support == Windows(0, 1000) and len(trains) == 2


GRID = st.lists(st.lists(st.integers(0, 40), max_size=12), min_size=1, max_size=3)
EDGES = st.lists(st.integers(0, 40), min_size=2, max_size=6, unique=True).map(sorted)


@settings(max_examples=25, deadline=None)
@given(GRID, EDGES, st.booleans())
def test_spikes_on_borders_of_closed_intervals_count_once(tmp_path_factory, steps, edges, touching):
    path = tmp_path_factory.mktemp("any") / "session.nwb"
    pairs = [[a / 10, b / 10] for a, b in zip(edges[:-1], edges[1:], strict=True)]
    pairs = pairs if touching else pairs[::2]
    observed(path, [pairs] * len(steps), *[np.sort(s) / 10 for s in steps])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        trains = read_nwb(path).spikes
    expected = [sum(any(a <= s / 10 <= b for a, b in pairs) for s in of_unit) for of_unit in steps]
    assert trains.count().tolist() == expected


# Labels


def electrodes(nwb):
    device = nwb.create_device("probe")
    groups = [nwb.create_electrode_group(f"shank{k}", "d", f"CA{k}", device) for k in (1, 3)]
    for k in range(4):
        nwb.add_electrode(group=groups[k // 2], location=["CA1", "CA1", "CA3", "CA2"][k])
    return groups


def test_scalar_columns_and_groups_of_electrodes_become_labels(path):
    nwb = new_file()
    groups = electrodes(nwb)
    for name in ("quality", "depth", "good", "cluster"):
        nwb.add_unit_column(name, name)
    nwb.add_unit_column("amplitudes", "ragged", index=True)
    nwb.add_unit_column("pair", "two numbers")
    for k in range(3):
        nwb.add_unit(
            id=[4, 2, 9][k],
            spike_times=[0.1],
            quality=["good", "Grün", ""][k],
            depth=1.5 * k,
            good=k != 1,
            cluster=k + 5,
            amplitudes=[1.0] * k,
            pair=[1.0, 2.0],
            electrodes=[[0], [1, 2], [2, 3]][k],
            electrode_group=groups[k // 2],
            waveform_mean=np.zeros(5),
        )
    save(nwb, path)
    with pytest.warns(UserWarning, match="left out: amplitudes, pair") as told:
        labels = read_nwb(path).spikes.labels
    assert len(told) == 1 and told[0].filename == __file__ and "'units'" in str(told[0].message)
    assert {name: values.tolist() for name, values in labels.items()} == {
        "id": [4, 2, 9],
        "quality": ["good", "Grün", ""],
        "depth": [0, 1.5, 3],
        "good": [True, False, True],
        "cluster": [5, 6, 7],
        "electrode_group": ["shank1", "shank1", "shank3"],
        "location": ["CA1", "CA1, CA3", "CA3, CA2"],
    }


@pytest.mark.parametrize("given", ["electrodes", "electrode_group"])
def test_the_group_by_the_electrodes_alone_and_without_them(path, given):
    nwb = new_file()
    groups = electrodes(nwb)
    for k in (0, 1):
        values = {"electrodes": [3 * k], "electrode_group": groups[k]}
        nwb.add_unit(spike_times=[0.1], **{given: values[given]})
    labels = read(save(nwb, path)).spikes.labels
    assert labels["electrode_group"].tolist() == ["shank1", "shank3"]
    assert labels["location"].tolist() == ["CA1", "CA2" if given == "electrodes" else "CA3"]


def test_labels_choose_neurons(path):
    units(path, [0.1], [0.2], [0.3], columns=["area"], area=["a", "b", "a"])
    trains = read(path).spikes
    assert trains.select(trains.labels["area"] == "a").times.tolist() == [100, 300]


@pytest.mark.filterwarnings("ignore:EnumData is experimental")
def test_choices_from_a_list(path):
    nwb = new_file()
    for k in range(3):
        nwb.add_unit(spike_times=[0.1 * k])
    chosen, names = np.array([1, 0, 1], "u1"), ["pyramidal", "basket"]
    nwb.units.add_column(name="kind", description="k", data=chosen, enum=names)
    labels = read(save(nwb, path)).spikes.labels
    assert labels["kind"].tolist() == ["basket", "pyramidal", "basket"]


# Tables of intervals


def test_trials_and_other_tables_become_windows(path):
    nwb = new_file()
    nwb.add_unit(spike_times=[0.1])
    nwb.add_trial_column("side", "s")
    nwb.add_trial_column("correct", "c")
    nwb.add_trial(start_time=0.5, stop_time=1.0, side="left", correct=True)
    nwb.add_trial(start_time=1.0, stop_time=1.25, side="right", correct=False)
    laps = pynwb.epoch.TimeIntervals(name="laps", description="l")
    laps.add_row(start_time=0.0, stop_time=2.0, id=17)
    nwb.add_time_intervals(laps)
    session = read(save(nwb, path))
    assert isinstance(session, Session) and session.spikes.size == 1
    trials = {"side": ["left", "right"], "correct": [True, False]}
    assert session.windows == {
        "laps": Windows(0, 2000, {"id": [17]}),
        "trials": Windows([500, 1000], [1000, 1250], trials),
    }


def test_what_of_a_table_is_no_label_or_no_window_is_told(path):
    nwb = new_file()
    nwb.add_unit(spike_times=[0.1])
    nwb.add_trial_column("lick_times", "ragged", index=True)
    nwb.add_trial_column("n", "a number")
    for k, stop in enumerate([1.0, np.nan, 1.5, 4.0]):
        ragged = {"tags": ["a"] * k, "lick_times": [0.1] * k}
        nwb.add_trial(start_time=float(k), stop_time=stop, n=k, **ragged)
    nwb.add_epoch(0.0, 1.0, ["rest"])
    nwb.add_invalid_time_interval(start_time=0.0, stop_time=0.1)
    save(nwb, path)
    with pytest.warns(UserWarning) as told:
        session = read_nwb(path)
    sentences = sorted(str(warning.message).removeprefix(f"{path}, ") for warning in told)
    assert sentences == [
        "'epochs': columns without one number or text a row are left out: tags.",
        "'invalid_times': these times count like others; restrict leaves them out.",
        "'trials': 2 of 4 rows have no start, or no stop after it, and are left out.",
        "'trials': columns without one number or text a row are left out: lick_times, tags.",
    ]
    assert session.windows["trials"] == Windows([0, 3000], [1000, 4000], {"n": [0, 3]})
    assert "2 'trials'" in repr(session) and "<b>Session</b>" in session._repr_html_()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        open_spikes(path)  # which reads no tables


# A file among others


def test_open_spikes_and_info_take_nwb_files(path):
    observed(path, [[[0.0, 4.0]]] * 2, [0.5, 1.0], [3.0])
    trains = open_spikes(path)
    assert trains == {"units": SpikeTrains([500, 1000, 3000], [0, 0, 1], 2, 0, 4000)}
    assert open_spikes(path, sizes=2) == open_spikes(path, sizes={"units": 2}) == trains
    with pytest.raises(ValueError, match="session.nwb: the size is 3, but the file has 2 units"):
        open_spikes(path, sizes=3)
    assert info(path) == {
        "format": "NWB units",
        "populations": {"units": {"neurons": 2, "spikes": 3, "rate": pytest.approx(0.375)}},
        "t_start": 0.0,
        "t_stop": 4000.0,
    }
    told = CliRunner().invoke(main, ["plot", str(path), "--out", str(path.with_name("spikes.png"))])
    assert told.exit_code == 0 and path.with_name("spikes.png").stat().st_size
    units(path, [0.5])
    assert open_spikes(path, window=(0, 700))["units"].t_stop == 700


def test_reading_needs_no_pynwb(path):
    units(path, [0.5])
    program = (
        "import sys; sys.modules.update(pynwb=None, hdmf=None)\n"
        "import spikesim as ss\n"
        "print(ss.interop.read_nwb(sys.argv[1]))\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, str(path)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert "1 spikes of 1 neurons" in done.stdout


def test_files_of_bmtk_hold_ms_where_nwb_has_seconds(path):
    nwb = pynwb.NWBFile(
        session_description="BMTK 1.2.0 generated NWB spikes file",
        identifier="i",
        session_start_time=STARTED,
    )
    nwb.add_unit(spike_times=[100.5, 200.0])
    save(nwb, path)
    for reader in (read_nwb, open_spikes):
        with pytest.warns(UserWarning, match="BMTK 1.2 writes ms .*unit='ms'"):
            reader(path)
    assert read(path, unit="ms").spikes.times.tolist() == [100.5, 200]


def test_bmtks_own_file(path):
    trains = pytest.importorskip("bmtk.utils.reports.spike_trains", reason="writes NWB files")
    spikes = trains.SpikeTrains(population="v1")
    spikes.add_spikes([0, 1, 0], [100.5, 150.0, 200.0])
    spikes.to_nwb(str(path))
    ours = read(path, unit="ms").spikes
    assert ours == SpikeTrains([100.5, 150, 200], [0, 1, 0], 2, 0, 200)
    assert ours.labels["population"].tolist() == ["v1", "v1"]


# Bad files


def change(path, action):
    with h5py.File(path, "r+") as file:
        action(file)


def put(name, value):
    def action(file):
        attributes = dict(file[name].attrs)
        del file[name]
        file[name] = value
        file[name].attrs.update(attributes)

    return action


def nan_in(name):
    def action(file):
        file[name][...] = np.nan

    return action


@pytest.mark.parametrize(
    ("action", "message"),
    [
        (lambda f: f.attrs.pop("nwb_version"), "it has no nwb_version, so it is not an NWB file"),
        (lambda f: f.pop("units"), "it holds no /units/spike_times, so no spikes"),
        (lambda f: f.pop("units/spike_times"), "it holds no /units/spike_times, so no spikes"),
        (lambda f: f.pop("units/spike_times_index"), "spike_times has no index"),
        (lambda f: f.pop("units/id"), "it is damaged"),
        (put("units/spike_times_index", [2, 1]), "does not share 3 values out among 2 rows"),
        (put("units/spike_times_index", [2, 9]), "does not share 3 values out among 2 rows"),
        (put("units/spike_times_index", [3]), "does not share 3 values out among 2 rows"),
        (put("units/spike_times", [0.1, np.nan, 0.2]), "unit 5 has a spike at nan"),
        (put("units/spike_times", [0.1, 0.2, np.inf]), "unit 6 has a spike at inf"),
        (put("units/spike_times", [b"a", b"b", b"c"]), "must be one column of numbers"),
        (put("units/spike_times", np.zeros((3, 2))), r"have shape \(3, 2\)"),
        (nan_in("units/obs_intervals"), "windows must be finite"),
        (put("units/obs_intervals", [[1.0, 0.0]] * 2), "start <= stop"),
        (put("units/electrodes", [7, 9]), "it is damaged"),
    ],
)
def test_damaged_files_are_refused_in_a_sentence(path, action, message):
    nwb = new_file()
    electrodes(nwb)
    for k in (0, 1):
        nwb.add_unit(
            spike_times=[0.1] * (2 - k), id=5 + k, obs_intervals=[[0.0, 1.0]], electrodes=[k]
        )
    change(save(nwb, path), action)
    with pytest.raises(ValueError, match=f"cannot read .*session.nwb: .*{message}"):
        read_nwb(path)


def test_foreign_files_are_refused_in_a_sentence(tmp_path):
    path = tmp_path / "f.nwb"
    with pytest.raises(FileNotFoundError, match="there is no file .*f.nwb"):
        read_nwb(path)
    path.write_text("spikes")
    with pytest.raises(ValueError, match="f.nwb is not an HDF5 file"):
        read_nwb(path)
    with h5py.File(path, "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
        file.create_group("processing")
    for reader in (read_nwb, open_spikes):
        with pytest.raises(ValueError, match=r"f.nwb: it is of NWB-1.0.6; NWB 2 is read"):
            reader(path)
    with pytest.raises(ValueError, match="unit is 'us'; it must be 's' or 'ms'"):
        read_nwb(path, unit="us")


def test_a_file_cut_short_or_overwritten_is_refused_or_read(path, tmp_path):
    content = units(path, [0.1, 0.2], [0.3]).read_bytes()
    damaged = tmp_path / "damaged.nwb"
    for k in range(0, len(content), 4999):
        damaged.write_bytes(content[:k])
        with pytest.raises(ValueError, match="damaged.nwb"):
            read_nwb(damaged)
    for k in range(0, 3072, 64):
        damaged.write_bytes(content[:k] + bytes(64) + content[k + 64 :])
        with contextlib.suppress(ValueError):  # anything else is an error
            read_nwb(damaged)


# Written here, read by pynwb


def trains(**frame):
    rng = np.random.default_rng(3)
    frame = frame or {"t_start": 0, "t_stop": 1000}
    return SpikeTrains(rng.integers(1, 10_001, 500) * 0.1, rng.integers(0, 4, 500), 5, **frame)


LABELS = {
    "id": [9, 4, 7, 1, 3],
    "area": ["CA1", "Grün", "", "CA3", "CA3"],
    "depth": [1.5, np.nan, 0, 3, 4],
    "good": [True, False, True, True, False],
    "electrode_group": ["a", "b", "a", "b", "a"],
    "location": ["x", "y", "x", "y", "x"],
}


def test_pynwb_reads_what_is_written(path):
    ours = trains(t_start=0, t_stop=1000, labels=LABELS)
    ours = ours.restrict(Windows([0, 500], [300, 1000]))
    trials = Windows([0, 100], [100, 250], {"side": ["l", "r"], "n": [1, 2]})
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        write_nwb(path, ours, {"trials": trials, "laps": trials, "none": trials[[]]})
        assert not pynwb.validate(path=str(path))
        with pynwb.NWBHDF5IO(str(path), "r") as io:
            file = io.read()
            table = file.units.to_dataframe()
            assert table.index.tolist() == LABELS["id"]
            for k in range(5):
                np.testing.assert_array_equal(file.units.get_unit_spike_times(k), ours[k] / 1000)
                intervals = file.units.get_unit_obs_intervals(k)
                assert intervals.tolist() == [[0, 0.3], [0.5, 1.0]]
                inside = [file.units.get_unit_spike_times(k, tuple(x)) for x in intervals]
                assert sum(map(len, inside)) == len(ours[k])
            assert table["area"].tolist() == LABELS["area"]
            assert table["good"].tolist() == LABELS["good"]
            assert [group.name for group in table["electrode_group"]] == LABELS["electrode_group"]
            assert [group.location for group in table["electrode_group"]] == LABELS["location"]
            frame = file.trials.to_dataframe()
            assert frame["stop_time"].tolist() == [0.1, 0.25] and frame["side"].tolist() == [
                "l",
                "r",
            ]
            assert len(file.intervals["laps"].to_dataframe()) == 2


def test_there_and_back(path):
    ours = trains(t_start=0, t_stop=1000, labels=LABELS).restrict(Windows([0, 500], [300, 1000]))
    trials = Windows([0, 100], [100, 250], {"side": ["l", "r"], "n": [1, 2]})
    write_nwb(path, Session(ours, {"trials": trials}), {"epochs": trials[[0]]})
    session = read(path)
    assert session.spikes.support == ours.support
    np.testing.assert_allclose(session.spikes.times, ours.times, rtol=1e-15)
    np.testing.assert_array_equal(session.spikes.neurons, ours.neurons)
    for name, values in LABELS.items():
        np.testing.assert_array_equal(session.spikes.labels[name], values)
    assert session.windows == {"epochs": trials[[0]], "trials": trials}
    write_nwb(path, session, overwrite=True)
    assert read(path).windows == session.windows


def test_a_group_of_electrodes_in_several_places(path):
    labels = {"electrode_group": ["a", "a", ""], "location": ["x", "y", ""]}
    write_nwb(path, SpikeTrains([], [], 3, 0, 10, labels=labels))
    back = read(path).spikes.labels
    assert back["electrode_group"].tolist() == ["a", "a", "unknown"]
    assert back["location"].tolist() == ["x", "y", ""]


def test_ids_that_are_no_ids_are_a_column(path):
    for ids in (["a", "b"], [3, 3]):
        write_nwb(path, SpikeTrains([1], [1], 2, 0, 10, labels={"id": ids}), overwrite=True)
        assert read(path).spikes.labels["id_"].tolist() == ids


@pytest.mark.parametrize("ids", [["a", "b"], [1.5, 2.5], [7, 7]])
def test_ids_of_windows_that_are_no_ids_are_a_column(path, ids):
    labels = {"id": ids, "id_": [3, 4]}
    write_nwb(path, trains(), {"trials": Windows([1, 2], [2, 3], labels)})
    back = read(path).windows["trials"].labels
    assert back["id__"].tolist() == ids and back["id_"].tolist() == [3, 4]
    assert "id" not in back and pynwb.validate(path=str(path)) in ([], ([], 0))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        assert io.read().trials.id[:].tolist() == [0, 1]
    for ids in ([5, 9], []):
        windows = Windows([1, 2][: len(ids)], [2, 3][: len(ids)], {"id": np.array(ids, int)})
        write_nwb(path, trains(), {"trials": windows}, overwrite=True)
        assert read(path).windows["trials"].labels.get("id", np.empty(0)).tolist() == ids


def test_windows_may_have_names_of_columns_of_units(path):
    windows = Windows([1, 2], [2, 3], {"electrode_group": [1, 2], "waveforms": ["x", "y"]})
    write_nwb(path, trains(), {"units": windows})
    assert read(path).windows == {"units": windows}


RESERVED = ["colnames", "description", "meanings_tables", "namespace", "neurodata_type"]


@pytest.mark.parametrize("name", [*RESERVED, "object_id", ".", "a/b", "a:b", ""])
def test_names_that_nwb_keeps_for_itself_are_refused(path, name):
    ours = SpikeTrains([1], [1], 2, 0, 10)
    named, allowed = SpikeTrains([1], [1], 2, 0, 10, labels={name: [1, 2]}), "must be another than"
    with pytest.raises(ValueError, match=f"a label has the name '{name}'; it {allowed} colnames"):
        write_nwb(path, named)
    with pytest.raises(ValueError, match=f"a label has the name '{name}'; it {allowed} colnames"):
        write_nwb(path, ours, {"trials": Windows(1, 2, {name: [1]})})
    if name not in RESERVED and name != "object_id":
        with pytest.raises(ValueError, match=f"windows has the name '{name}'; it must be text"):
            write_nwb(path, ours, {name: Windows(1, 2)})
    assert not path.exists()


def test_labels_that_would_be_an_index_are_refused(path):
    for labels in ({"spike_times_index": [1, 2]}, {"x": [1, 2], "x_index": [1, 2]}):
        with pytest.raises(ValueError, match="a label has the name '.*_index'"):
            write_nwb(path, SpikeTrains([1], [1], 2, 0, 10, labels=labels))
    write_nwb(path, SpikeTrains([1], [1], 2, 0, 10, labels={"x_index": [1, 2]}))
    assert read(path).spikes.labels["x_index"].tolist() == [1, 2]


def test_several_populations(path):
    a, b = trains(), trains().select([4, 1])
    write_nwb(path, {"a": a, "b": b}, description="two", identifier="x", started=STARTED)
    both = read(path).spikes
    assert both.labels["population"].tolist() == ["a"] * 5 + ["b"] * 2
    assert len(both.select(both.labels["population"] == "b")[1]) == len(b[1])
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        file = io.read()
        assert (file.session_description, file.identifier) == ("two", "x")
        assert file.session_start_time == STARTED
    with pytest.raises(ValueError, match="must have one support"):
        write_nwb(path, {"a": a, "b": b.restrict(0, 10)}, overwrite=True)
    with pytest.raises(ValueError, match="one population at least"):
        write_nwb(path, {}, overwrite=True)


def test_rounding_at_the_end_loses_no_spike(path):
    write_nwb(path, SpikeTrains([0.1, 3 * 0.1], [0, 0], 1, 0, 0.3))
    with pynwb.NWBHDF5IO(str(path), "r") as io:
        table = io.read().units
        (interval,) = table.get_unit_obs_intervals(0)
        assert len(table.get_unit_spike_times(0, tuple(interval))) == 2


@settings(max_examples=15, deadline=None)
@given(st.lists(st.tuples(st.integers(1, 50), st.integers(0, 2))), st.integers(-20, 20))
def test_whatever_is_written_is_read(tmp_path_factory, spikes, start):
    path = tmp_path_factory.mktemp("any") / "session.nwb"
    times = [start + step * 0.1 for step, _ in spikes]
    ours = SpikeTrains(times, np.array([n for _, n in spikes], int), 3, start, start + 5.0)
    write_nwb(path, ours)
    back = read(path).spikes
    np.testing.assert_array_equal(back.count(), ours.count())
    np.testing.assert_allclose(back.times, ours.times, rtol=0, atol=1e-9)
    np.testing.assert_allclose([*back.support], [*ours.support], rtol=0, atol=1e-9)


def test_nothing_is_added_to_a_file_and_nothing_lost_by_an_error(path, tmp_path):
    write_nwb(path, trains())
    before = path.read_bytes()
    with pytest.raises(FileExistsError, match="session.nwb exists already: .*overwrite=True"):
        write_nwb(path, trains())
    refused = [
        ({"spike_times": [1] * 5}, None, "the name 'spike_times'; it must be another than"),
        ({"a/b": [1] * 5}, None, "the name 'a/b'"),
        ({"a": [None] * 5}, None, "label 'a' has type object; it must hold numbers or text"),
        ({}, {"trials": Windows(0, 1, {"start_time": [1]})}, "the name 'start_time'"),
        ({}, {"a/b": Windows(0, 1)}, "'a/b'"),
    ]
    for labels, windows, message in refused:
        with pytest.raises(ValueError, match=message):
            write_nwb(path, trains(t_start=0, t_stop=1000, labels=labels), windows, overwrite=True)
    assert path.read_bytes() == before and list(tmp_path.iterdir()) == [path]
    with pytest.raises(OSError, match="cannot write"):
        write_nwb(tmp_path / "missing" / "f.nwb", trains())
    with pytest.raises(OSError, match="cannot write"):
        write_nwb(tmp_path, trains(), overwrite=True)


def test_without_pynwb_a_sentence_says_what_to_install(path, monkeypatch):
    importing = builtins.__import__

    def without(name, *rest):
        if name.partition(".")[0] == "pynwb":
            raise ImportError(name)
        return importing(name, *rest)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install 'spikesim\[nwb\]'"):
        write_nwb(path, trains())
    assert not path.exists() and ss.interop.write_nwb is write_nwb
