"""Files as earlier versions wrote them load, and say what they said."""

import shutil
from pathlib import Path

import numpy as np
import pytest

import spikesim as ss
from spikesim import rate

FILES = Path(__file__).parent / "reference" / "files"
TASK = rate.go_nogo()
TRAINING = {"batch": 4, "updates": 12, "validate_every": 3, "validation_trials": 8}


def network():
    cells = [rate.LeakyRNN(8, noise=0.05), rate.GRU(5)]
    return rate.RateNetwork(cells, TASK.inputs, TASK.outputs, TASK.dt, seed=3)


def test_a_model():
    net, history = rate.load(FILES / "model.h5"), rate.load_history(FILES / "model.h5")
    assert net.cells == network().cells
    assert history.updates == 6 and history.task == "go_nogo"
    x = np.random.default_rng(0).standard_normal((20, 2, TASK.inputs))
    np.testing.assert_allclose(net.run(x)[-1], [[0.1844498], [0.1027417]], rtol=1e-4)


def test_a_training_goes_on(tmp_path):
    kept = shutil.copy(FILES / "checkpoint.h5", tmp_path)
    resumed = rate.train(network(), TASK, checkpoint=kept, resume=True, progress=False, **TRAINING)
    whole = rate.train(network(), TASK, progress=False, **TRAINING)
    np.testing.assert_allclose(resumed.loss, whole.loss, rtol=1e-4)


def test_spikes():
    found = ss.open_spikes(FILES / "spikes.h5")
    assert {name: (len(trains), trains.size) for name, trains in found.items()} == {
        "exc": (333, 40),
        "inh": (189, 10),
    }
    assert found["exc"].times.sum() == pytest.approx(17256.1)
    assert found["exc"].t_stop == 100.0


def test_a_trace():
    times, neurons, values, about = ss.read_report(FILES / "spikes.exc.v.h5")
    np.testing.assert_allclose(times, np.arange(10.0, 101.0, 10.0))
    assert neurons.tolist() == [0, 1, 2] and (about["variable"], about["unit"]) == ("v", "mV")
    np.testing.assert_allclose(values[-1], [-58.83598, -56.64402, -54.56451], rtol=1e-6)
