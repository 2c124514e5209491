"""Model files give back the network that was saved, or say in a sentence why not."""

import h5py
import numpy as np
import pytest

from spikesim import rate
from spikesim.rate.files import History, load, load_history, model_info, save

MASK = (np.random.default_rng(0).random((6, 6)) < 0.5).astype(float)
MASK[:, 0] = MASK[:, 5] = 1
CELLS = {
    "leaky": lambda: [rate.LeakyRNN(6, tau=np.linspace(50, 90, 6), activation="tanh", mask=MASK)],
    "table": lambda: [rate.LeakyRNN(6, activation=rate.Table([0.0, 1.0, 2.0], [0.0, 0.3, 1.0]))],
    "dale": lambda: [rate.DaleRNN(6, noise=0.1, noise_tau=30.0, train_tau=True, excitatory=0.5)],
    "lowrank": lambda: [rate.LowRankRNN(6, rank=2)],
    "lstm": lambda: [rate.LSTM(6)],
    "gru, sublstm": lambda: [rate.GRU(5), rate.SubLSTM(6)],
    "snu": lambda: [rate.SNU(6, tau=50.0, surrogate=rate.Triangle(0.5, 2.0))],
    "lif, alif": lambda: [rate.LIFCell(4), rate.ALIFCell(6, surrogate=rate.Gaussian())],
}


def network(cells, **options):
    made = rate.RateNetwork(cells, 3, 2, 10.0, seed=4, **options)
    for k, p in enumerate(made.parameters.values()):
        p += 0.01 * np.random.default_rng(k).random(p.shape)
    made.constrain()
    return made


def history():
    return History(
        *("flipflop", {"dt": 20.0, "coherences": (1.0, 2.0), "bits": 3}, 64, 7),
        loss=[0.3, 0.1 + 0.2, 1 / 3],
        validated=[0, 3],
        validation_loss=[0.5, 0.25],
        performance=[0.1, 0.7],
        stage=[0, 0],
        seconds=12.5,
        stop="updates",
    )


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_loaded_network_is_the_saved_one(tmp_path, kind, dtype):
    saved = network(CELLS[kind](), dtype=dtype)
    save(saved, tmp_path / "x.h5")
    loaded = load(tmp_path / "x.h5")
    assert loaded.cells == saved.cells
    assert loaded.parameters.keys() == saved.parameters.keys()
    for name, p in saved.parameters.items():
        assert loaded.parameters[name].dtype == p.dtype
        np.testing.assert_array_equal(loaded.parameters[name], p)
    x = np.random.default_rng(1).random((20, 3, 3))
    np.testing.assert_array_equal(loaded.run(x, seed=5), saved.run(x, seed=5))


def test_settings_masks_and_frozen_parameters_are_kept(tmp_path):
    saved = network(
        [rate.DaleRNN(6)],
        readout="softmax",
        readout_from="excitatory",
        readout_tau=15.0,
    )
    saved.masks["0.w_in"] = np.array([[1.0, 0.0, 1.0]], np.float32)
    saved.frozen |= {"0.b", "out.w"}
    save(saved, tmp_path / "x.h5")
    loaded = load(tmp_path / "x.h5")
    for name in ("inputs", "outputs", "dt", "dtype", "readout", "readout_from", "readout_tau"):
        assert getattr(loaded, name) == getattr(saved, name)
    assert loaded.frozen == {"0.b", "out.w"}
    assert loaded.masks.keys() == {"0.w_in", "out.w"}
    np.testing.assert_array_equal(loaded.masks["0.w_in"], saved.masks["0.w_in"])


def test_a_history_is_kept_digit_for_digit(tmp_path):
    save(network([rate.GRU(6)]), tmp_path / "x.h5", history())
    loaded, expected = load_history(tmp_path / "x.h5"), history()
    expected.settings["coherences"] = [1.0, 2.0]
    assert loaded == expected
    assert (loaded.updates, loaded.trials, loaded.best) == (3, 192, 1)
    save(network([rate.GRU(6)]), tmp_path / "y.h5")
    assert load_history(tmp_path / "y.h5") is None


def test_the_best_validation_is_of_the_last_stage_and_of_equal_ones_that_of_lower_loss():
    h = history()
    h.stage, h.performance = [0, 0, 1, 1, 1], [0.9, 1.0, 0.5, 0.6, 0.6]
    h.validation_loss = [0.1, 0.1, 0.4, 0.3, 0.2]
    assert h.best == 4


def test_info_says_what_a_file_holds(tmp_path):
    save(network([rate.DaleRNN(6, mask=MASK)]), tmp_path / "x.h5", history())
    told = model_info(tmp_path / "x.h5")
    assert (told["inputs"], told["outputs"], told["dt"]) == (3, 2, 10.0)
    (cell,) = told["cells"]
    assert (cell["class"], cell["units"], cell["excitatory"]) == ("DaleRNN", 6, 0.8)
    assert cell["mask"] == "array of shape (6, 6)" and cell["activation"] == "rectified"
    assert told["parameters"]["0.w_rec"] == [6, 6]
    trained = told["trained"]
    assert (trained["task"], trained["updates"], trained["trials"]) == ("flipflop", 3, 192)
    assert (trained["performance"], trained["loss"]) == (0.7, 0.25)


def test_an_existing_file_is_replaced_only_when_told(tmp_path):
    path = tmp_path / "x.h5"
    path.write_bytes(b"precious")
    with pytest.raises(FileExistsError, match="x.h5 exists already.*overwrite=True"):
        save(network([rate.GRU(6)]), path)
    assert path.read_bytes() == b"precious"
    save(network([rate.GRU(6)]), path, overwrite=True)
    assert load(path).cells == [rate.GRU(6)]
    assert [p.name for p in tmp_path.iterdir()] == ["x.h5"]


def test_a_folder_that_is_not_there(tmp_path):
    with pytest.raises(FileNotFoundError, match="cannot write .*x.h5"):
        save(network([rate.GRU(6)]), tmp_path / "none" / "x.h5")


def test_a_cell_of_ones_own_is_refused_before_anything_is_written(tmp_path):
    class Mine(rate.GRU):
        pass

    with pytest.raises(TypeError, match="'Mine' is not a class of spikesim.rate"):
        save(network([Mine(6)]), tmp_path / "x.h5")
    assert not list(tmp_path.iterdir())


def change(path, edit):
    with h5py.File(path, "r+") as file:
        edit(file)


def without(name):
    def edit(file):
        del file[name]

    return edit


def other_shape(file):
    del file["parameters/out.w"]
    file["parameters/out.w"] = np.zeros((2, 5))


DAMAGE = {
    "no format": (lambda f: f.attrs.__delitem__("format"), "it is not a model file"),
    "newer": (lambda f: f.attrs.__setitem__("version", 99), "by a newer version of spikesim"),
    "no cells": (without("cells"), "it is damaged"),
    "no dt": (lambda f: f.attrs.__delitem__("dt"), "it is damaged"),
    "bad dt": (lambda f: f.attrs.__setitem__("dt", "-1"), "dt is -1"),
    "bad text": (lambda f: f.attrs.__setitem__("dt", "{"), "cannot read"),
    "no parameter": (without("parameters/0.b"), "its parameters are not those of its cells: 0.b"),
    "shape": (other_shape, r"its parameter out.w has shape \(2, 5\); its cells need \(2, 6\)"),
    "class": (lambda f: f["cells/0"].attrs.__setitem__("class", "Popen"), "'Popen' is not a class"),
    "field": (lambda f: f["cells/0"].attrs.__setitem__("sizes", "3"), "sizes"),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_gets_a_sentence(tmp_path, kind):
    path = tmp_path / "x.h5"
    save(network([rate.LSTM(6)]), path, history())
    edit, sentence = DAMAGE[kind]
    change(path, edit)
    with pytest.raises(ValueError, match=f"cannot read .*x.h5: .*{sentence}|{sentence}.*x.h5"):
        load(path)


@pytest.mark.parametrize("kept", [0, 7, 200, 2000])
def test_a_file_cut_off_gets_a_sentence(tmp_path, kept):
    path = tmp_path / "x.h5"
    save(network([rate.LSTM(6)]), path)
    path.write_bytes(path.read_bytes()[:kept])
    with pytest.raises(ValueError, match="x.h5"):
        load(path)


def test_a_missing_file_gets_a_sentence(tmp_path):
    with pytest.raises(FileNotFoundError, match="there is no file .*x.h5"):
        load(tmp_path / "x.h5")
