"""The benchmark of correlograms gives every program the same spikes. Nothing here is timed."""

import sys
from pathlib import Path

import numpy as np
import pytest

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import speed_correlograms as speed


@pytest.fixture(autouse=True)
def small(monkeypatch):
    for name, value in dict(SIZE=6, DURATION=5000.0, TILED=6, SPIKES=30).items():
        monkeypatch.setattr(speed, name, value)


@pytest.mark.parametrize("case", speed.CASES)
def test_the_case_is_what_is_told(case):
    spikes = speed.data(case)
    times, neurons, size, duration = spikes
    assert size == 6 and neurons.max() == 5 and (np.diff(times) >= 0).all()
    assert 0 < times[0] and times[-1] <= duration
    if case == "correlograms, grid":
        assert np.abs(times * 10 - np.round(times * 10)).max() < 1e-9
    for program in ("spikesim", "spikesim, one thread"):
        found = speed.PROGRAMS[program](case, spikes, 2)
        assert len(found["seconds"]) == len(found["core_seconds"]) == 2


@pytest.mark.parametrize(
    ("case", "rival"), [(case, rival) for case in speed.CASES for rival in speed.RIVALS[case]]
)
def test_rivals_are_timed_on_it(case, rival):
    pytest.importorskip(rival)
    if rival == "spikeinterface":
        assert len(speed.spikeinterface(case, speed.data(case), 1)["seconds"]) == 1
    else:
        assert speed.PROGRAMS[rival](case, speed.data(case), 1, some=3)["pairs"] == 3


def test_times_of_some_pairs_are_scaled_to_all():
    assert speed._scaled({"seconds": [2.0, 4.0]}, 3, 4) == {"seconds": [4.0, 8.0], "pairs": 3}
