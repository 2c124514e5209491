"""``spikesim convert``, and what it leaves."""

import json

import numpy as np
import pytest
from click.testing import CliRunner
from converted import trained

from spikesim import rate
from spikesim.cli import main


def invoke(*arguments):
    result = CliRunner().invoke(main, list(map(str, arguments)))
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture(scope="module")
def model(tmp_path_factory):
    network, task = trained()
    path = tmp_path_factory.mktemp("model") / "model.h5"
    history = rate.History(task.name, dict(task.settings), 64, 3)
    rate.save(network, path, history)
    return path


def test_a_model_is_converted_kept_and_run(model, tmp_path):
    out, picture = tmp_path / "spiking.h5", tmp_path / "x.png"
    asked = "convert", model, "--trials", 40, "--out", out, "--plot", picture, "--json"
    code, stdout, _ = invoke(*asked)
    told = json.loads(stdout)
    assert code == 0 and picture.stat().st_size > 10_000
    assert (told["method"], told["neuron"], told["per_unit"]) == ("calibrated", "lif", 5)
    assert (told["task"], told["trials"], told["neurons"]) == ("go_nogo", 40, 320)
    assert told["agreement"] > 0.95 and told["cka"] is None
    assert invoke(*asked)[0] == 2  # the files are there

    code, stdout, _ = invoke("run", out, "--json", "--duration", 500)
    ran = json.loads(stdout)
    assert code == 0 and ran["dt"] == 0.2 and ran["rates"]["units"] > 0
    code, stdout, _ = invoke("info", out)
    assert code == 0 and "spikesim network 'converted', meant for dt 0.2 ms" in stdout
    code, stdout, _ = invoke("info", out, "--json")
    assert json.loads(stdout)["populations"] == {"units": 320}


def test_it_is_told_in_words(model):
    code, stdout, _ = invoke("convert", model, "--trials", 10, "--per-unit", 2)
    assert code == 0 and stdout.startswith(
        "64 units by calibrated into 128 neurons (lif, 2 a unit)"
    )
    assert "decisions alike" in stdout and "R2 of the output" in stdout


def test_each_part_is_checked(model, tmp_path):
    code, stdout, _ = invoke("convert", model, "--check")
    assert code == 0 and stdout.splitlines()[0].startswith("cell 0 (LeakyRNN): converts")
    gated = tmp_path / "gated.h5"
    rate.save(rate.RateNetwork([rate.GRU(4)], 1, 1, 10.0), gated)
    code, stdout, _ = invoke("convert", gated, "--check", "--json")
    told = json.loads(stdout)
    assert code == 0 and not told["converts"]
    assert told["parts"][0]["told"].startswith("its gates multiply rates")
    code, _, stderr = invoke("convert", gated, "--task", "sine")
    assert code == 2 and "GRU: its gates multiply rates" in stderr


def test_weights_are_taken_from_an_archive(tmp_path):
    network, _ = trained()
    p = network.parameters
    arrays = {"w_in": p["0.w_in"], "w_rec": p["0.w_rec"], "b": p["0.b"], "r0": p["0.r0"]}
    path = tmp_path / "weights.npz"
    np.savez(
        path,
        **arrays,
        w_out=p["out.w"],
        b_out=p["out.b"],
        tau=100.0,
        dt=20.0,
        activation="rectified",
    )
    code, stdout, _ = invoke("convert", path, "--task", "go_nogo", "--trials", 20, "--json")
    assert code == 0 and json.loads(stdout)["agreement"] > 0.9


WRONG = {
    "there is no file nothing.h5": ("nothing.h5",),
    "does not say what its network was trained on; give --task": ("WEIGHTS",),
    "unknown task 'chess'": ("MODEL", "--task", "chess"),
    "the task xor has 1 inputs": ("MODEL", "--task", "xor"),
    "--dt is for weights": ("MODEL", "--dt", "5"),
    "--rate is for the methods": ("MODEL", "--method", "one-factor", "--rate", "5"),
    "one-factor makes the neurons of its paper": (
        *("MODEL", "--method", "one-factor", "--neuron", "izhikevich"),
    ),
    "FineTuned: rate is -1.0": ("MODEL", "--method", "fine-tuned", "--rate", "-1"),
}


@pytest.mark.parametrize("told", WRONG)
def test_mistakes_are_told_in_a_sentence(told, model, tmp_path):
    weights = tmp_path / "weights.h5"
    rate.save(rate.RateNetwork([rate.LeakyRNN(4)], 1, 1, 10.0), weights)
    files = {"MODEL": model, "WEIGHTS": weights}
    code, stdout, stderr = invoke("convert", *(files.get(word, word) for word in WRONG[told]))
    assert code == 2 and told in stderr and "Traceback" not in stderr and not stdout


def test_a_file_of_something_else_cannot_be_run(model, tmp_path):
    code, _, stderr = invoke("run", model)
    assert code == 2 and "it is not a network file" in stderr
    code, _, stderr = invoke("run", tmp_path / "none.h5")
    assert code == 2 and "a Python file, or a network file" in stderr
