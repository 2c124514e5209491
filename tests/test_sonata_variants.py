"""Spike files in every form of SONATA that is about, as other programs write them."""

import warnings
from pathlib import Path

import bmtk_spikes
import h5py
import numpy as np
import pytest

from spikesim.data.spike_files import info, open_spikes
from spikesim.data.spiketrains import SpikeTrains

FILES = Path(__file__).parent / "reference" / "files"
TIMES, IDS = np.array([1.0, 2.0, 2.0, 7.5]), np.array([3, 0, 1, 3])
EXPECTED = SpikeTrains(TIMES, IDS, 4, 0.0, 7.5)
MIXED, BY_ID = [3, 1, 0, 2], [1, 2, 0, 3]


def write(path, times=TIMES, ids=IDS, group="spikes/pop", columns=("timestamps", "node_ids")):
    """A file of one population, with its unit; it is open for changes."""
    file = h5py.File(path, "w")
    file[f"{group}/{columns[0]}"], file[f"{group}/{columns[1]}"] = times, ids
    file[f"{group}/{columns[0]}"].attrs["units"] = "ms"
    return file


def read(path):
    """What a file holds, if nothing has to be told of it."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return open_spikes(path)


def is_lazy(trains):
    return trains._rows is not None


# BMTK: gzip, the sorting as text, ids of 64 bits with a sign, in no order of time within an id


T_STOP = bmtk_spikes.TIMES[-1]


def assert_are_bmtks(trains):
    assert list(trains) == ["lgn", "v1"]
    assert trains["v1"] == SpikeTrains(bmtk_spikes.TIMES, bmtk_spikes.IDS, 10, 0.0, T_STOP)
    assert trains["lgn"] == SpikeTrains([7.5, 8.0, 9.5], [3, 1, 3], 4, 0.0, T_STOP)


def test_a_kept_file_of_bmtk_sorted_by_id():
    path = FILES / "bmtk_by_id.h5"
    with h5py.File(path) as file:
        ids, times = file["spikes/v1/node_ids"][:], file["spikes/v1/timestamps"][:]
        assert file["spikes/v1/node_ids"].compression == "gzip"
        assert file["spikes/v1"].attrs["sorting"] == "by_id"
    assert (np.diff(ids) >= 0).all()
    assert (np.diff(times)[np.diff(ids) == 0] < 0).any()  # so each neuron's have to be sorted
    assert_are_bmtks(read(path))


def test_a_kept_file_of_bmtk_in_seconds():
    with pytest.warns(UserWarning, match="the timestamps are in 's'; they are given in ms"):
        trains = open_spikes(FILES / "bmtk_seconds.h5")["v1"]
    np.testing.assert_allclose(trains.times, bmtk_spikes.TIMES, rtol=1e-15)
    assert trains.neurons.tolist() == bmtk_spikes.IDS.tolist()


@pytest.mark.parametrize("compression", ["gzip", None])
def test_files_that_bmtk_writes_now(tmp_path, compression):
    pytest.importorskip("bmtk", reason="writes SONATA files")
    bmtk_spikes.write(tmp_path, compression)
    for order in ("none", "by_id", "by_time", "unknown"):
        trains = read(tmp_path / f"bmtk_{order}.h5")
        assert is_lazy(trains["v1"]) == (order == "by_time")
        assert_are_bmtks(trains)


def test_bmtks_file_of_a_run_without_spikes(tmp_path):
    with h5py.File(tmp_path / "file.h5", "w") as file:
        file.attrs["magic"], file.attrs["version"] = np.uint32(0x0A7A), np.uint32([0, 1])
        file.create_group("spikes")
    assert read(tmp_path / "file.h5") == {}


# Others


def test_brions_flat_file_with_its_own_enumeration(tmp_path):
    own = h5py.enum_dtype({"none": 0, "by_gid": 1, "by_time": 2}, basetype="i4")
    columns = "timestamps", "gids"
    for number, order in enumerate((MIXED, BY_ID, [0, 1, 2, 3])):
        with write(tmp_path / "f.h5", TIMES[order], IDS[order], "spikes", columns) as file:
            file["spikes"].attrs.create("sorting", number, dtype=own)
        assert is_lazy(read(tmp_path / "f.h5")["all"]) == (number > 0)
        assert read(tmp_path / "f.h5") == {"all": EXPECTED}


def test_by_id_promises_nothing_of_times(tmp_path):
    for order, lazy in ((BY_ID, True), ([1, 2, 3, 0], False)):
        with write(tmp_path / "f.h5", TIMES[order], IDS[order]) as file:
            file["spikes/pop"].attrs["sorting"] = "by_id"
        assert is_lazy(read(tmp_path / "f.h5")["pop"]) == lazy
        assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


@pytest.mark.parametrize(("name", "number"), [("none", 0), ("by_id", 1), ("by_time", 2)])
def test_libsonata_reads_the_same(tmp_path, name, number):
    libsonata = pytest.importorskip("libsonata", reason="the reference reader of SONATA files")
    rng = np.random.default_rng(4)
    times, ids = rng.integers(1, 500, 300) * 0.1, rng.integers(0, 9, 300)
    order = {0: np.arange(300), 1: np.lexsort((times, ids)), 2: np.lexsort((ids, times))}[number]
    with write(tmp_path / "f.h5", times[order], ids[order].astype("u8")) as file:
        numbers = h5py.enum_dtype({"none": 0, "by_id": 1, "by_time": 2}, basetype="u1")
        file["spikes/pop"].attrs.create("sorting", number, dtype=numbers)
    population = libsonata.SpikeReader(str(tmp_path / "f.h5"))["pop"]
    assert population.sorting == name
    columns = population.get_dict()
    theirs = columns["timestamps"], columns["node_ids"].astype(int)
    assert read(tmp_path / "f.h5")["pop"] == SpikeTrains(*theirs, 9, 0.0, times.max())


@pytest.mark.parametrize("type_of_times", ["<f8", ">f8", "<i4", ">u2", "i8"])
@pytest.mark.parametrize("type_of_ids", ["<u8", ">u8", "<u4", ">i4", "i2", "u1", "<f8", ">f4"])
@pytest.mark.parametrize("sorting", ["by_time", "none"])
def test_columns_of_any_type(tmp_path, type_of_times, type_of_ids, sorting):
    times = TIMES * 2 if "f" not in type_of_times else TIMES
    order = slice(None) if sorting == "by_time" else MIXED
    path = tmp_path / "f.h5"
    with write(path, times[order].astype(type_of_times), IDS[order].astype(type_of_ids)) as file:
        file["spikes/pop"].attrs["sorting"] = sorting
    trains = read(path)["pop"]
    assert is_lazy(trains) == (sorting == "by_time")
    assert trains == SpikeTrains(times, IDS, 4, 0, times[-1])
    assert trains.times.dtype == np.dtype("=f8") and trains.neurons.dtype == np.dtype("=i8")
    assert read(path)["pop"].restrict(1.0, times[2]).neurons.tolist()[-2:] == [0, 1]


@pytest.mark.parametrize("sorting", ["by_time", "none"])
def test_times_of_32_bits_are_told(tmp_path, sorting):
    with write(tmp_path / "f.h5", np.float32([1.0, 1000.7])[[0, 1]], [0, 1]) as file:
        file["spikes/pop"].attrs["sorting"] = sorting
    for reader in (open_spikes, info):
        with pytest.warns(UserWarning, match="'pop': the timestamps have 32 bits") as told:
            reader(tmp_path / "f.h5")
        assert len(told) == 1 and told[0].filename == __file__


@pytest.mark.parametrize(
    ("ids", "bad"),
    [
        (np.array([3, 0.5, 1, 3]), "0.5"),
        (np.array([3, np.nan, 1, 3]), "nan"),
        (np.array([3, np.inf, 1, 3]), "inf"),
        (np.array([3, 2.0**53, 1, 3]), "9007199254740992.0"),
        (np.array([3, 2**24, 1, 3], "f4"), "16777216.0"),
        (np.array([3, -1.0, 1, 3]), "-1"),
    ],
)
def test_floats_that_are_no_ids(tmp_path, ids, bad):
    write(tmp_path / "f.h5", ids=ids).close()
    message = f"f.h5: a node id of population 'pop' is {bad}, which is no neuron"
    with pytest.raises(ValueError, match=message):
        open_spikes(tmp_path / "f.h5")


@pytest.mark.parametrize("sorting", ["by_time", "by_id", "none"])
def test_ids_that_number_nothing_are_refused_before_anything_is_made(tmp_path, sorting):
    with write(tmp_path / "f.h5", TIMES[:3], np.array([0, 5, 720575940624547622])) as file:
        file["spikes/pop"].attrs["sorting"] = sorting
    for reader in (open_spikes, info):
        message = r"f.h5: a node id of population 'pop' is 720575940624547622, .*from_events"
        with pytest.raises(ValueError, match=message):
            reader(tmp_path / "f.h5")


def test_no_more_is_asked_of_a_file_than_a_group_of_spikes(tmp_path):
    with write(tmp_path / "f.h5") as file:
        assert not file.attrs  # no magic, no version
    assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


@pytest.mark.parametrize("place", ["spikes/pop", "spikes/pop/node_ids", "spikes/pop/timestamps"])
@pytest.mark.parametrize("sorting", ["by_time", "time", b"by_time", 2, 2.0, ["by_time"]])
def test_where_and_how_the_sorting_is_said(tmp_path, place, sorting):
    with write(tmp_path / "f.h5") as file:
        file[place].attrs["sorting"] = sorting
    assert is_lazy(read(tmp_path / "f.h5")["pop"])
    assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


@pytest.mark.parametrize(
    "sorting", ["", "gid", "node_id", 7, np.empty(0), h5py.Empty("f8"), h5py.Empty("S1")]
)
def test_a_sorting_that_says_nothing_of_time(tmp_path, sorting):
    with write(tmp_path / "f.h5", TIMES[MIXED], IDS[MIXED]) as file:
        file["spikes/pop"].attrs["sorting"] = sorting
    assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


def test_an_empty_unit_is_no_unit(tmp_path):
    for empty in ("", " ", h5py.Empty("S1"), np.empty(0)):
        with write(tmp_path / "f.h5") as file:
            file["spikes/pop/timestamps"].attrs["units"] = empty
        with pytest.warns(UserWarning, match="have no units; they are taken as ms"):
            assert open_spikes(tmp_path / "f.h5") == {"pop": EXPECTED}


def test_the_spikes_of_a_flat_file_and_of_populations_beside_them(tmp_path):
    with write(tmp_path / "f.h5") as file:
        file["spikes/timestamps"], file["spikes/gids"] = [3.0], [1]
        file["spikes/timestamps"].attrs["units"] = "ms"
    assert read(tmp_path / "f.h5") == {"all": SpikeTrains([3], [1], 2, 0, 7.5), "pop": EXPECTED}


def test_data_beside_populations_are_left_alone(tmp_path):
    with write(tmp_path / "f.h5") as file:
        file["spikes/version"] = [1, 0]
    assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


def test_node_ids_come_before_global_ids(tmp_path):
    with write(tmp_path / "f.h5") as file:
        file["spikes/pop/gids"] = IDS + 100
    assert read(tmp_path / "f.h5") == {"pop": EXPECTED}


def replace(name, value):
    def change(file):
        del file[name]
        if value is not None:
            file[name] = value

    return change


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (replace("spikes", [1.0]), "/spikes is not a group, so it is not a SONATA spike file"),
        (replace("spikes/pop", h5py.SoftLink("/gone")), "/spikes/pop is a link that leads nowhere"),
        (replace("spikes/pop/node_ids", None), "'pop' needs the data sets timestamps and node_ids"),
        (replace("spikes/pop/timestamps", np.ones((4, 1))), r"timestamps .* shape \(4, 1\)"),
        (replace("spikes/pop/timestamps", 1.0), r"timestamps of population 'pop' have shape \(\)"),
        (replace("spikes/pop/timestamps", [b"1.0"] * 4), "type object; .* one column of numbers"),
        (
            replace("spikes/pop/node_ids", np.array([b"1"] * 4)),
            "node_ids of population 'pop' .* type",
        ),
        (replace("spikes/pop/node_ids", [True] * 4), "type bool"),
        (replace("spikes/pop/timestamps", np.zeros(4, [("t", "f8")])), "one column of numbers"),
        (replace("spikes/pop/timestamps", [1.0, np.nan, 2, 3]), "of population 'pop' is nan"),
        (replace("spikes/pop/timestamps", [-np.inf, 1, 2, 3]), "of population 'pop' is -inf"),
        (replace("spikes/pop/timestamps", [0, 1, 2, np.inf]), "of population 'pop' is inf"),
    ],
)
@pytest.mark.parametrize("sorting", ["by_time", "none"])
def test_what_is_no_population_is_said_in_a_sentence(tmp_path, change, message, sorting):
    with write(tmp_path / "f.h5") as file:
        file["spikes/pop"].attrs["sorting"] = sorting
        change(file)
        if "spikes/pop/timestamps" in file:
            file["spikes/pop/timestamps"].attrs["units"] = "ms"
    for reader in (open_spikes, info):
        with pytest.raises(ValueError, match=f"cannot read .*f.h5: .*{message}"):
            reader(tmp_path / "f.h5")


def test_a_group_where_a_column_should_be(tmp_path):
    with write(tmp_path / "f.h5") as file:
        del file["spikes/pop/timestamps"]
        file.create_group("spikes/pop/timestamps")
    with pytest.raises(ValueError, match="'pop' needs the data sets timestamps and node_ids"):
        open_spikes(tmp_path / "f.h5")
