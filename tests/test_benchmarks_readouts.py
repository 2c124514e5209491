"""Readouts beside other packages: both are given the same, and do it. Nothing here is timed."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import analysis as command, beside, false_positives, readouts, report
from spikesim.data.spiketrains import SpikeTrains

PAIRS = [(case, rival) for case, found in readouts.CASES.items() for rival in found.rivals]


@pytest.fixture(autouse=True)
def small(monkeypatch):
    monkeypatch.setattr(readouts, "PYNAPPLES", 4)
    monkeypatch.setattr(readouts, "ELEPHANTS", 3)


def few(case):
    """Data like those of a case, of 6 trains or 40 spikes."""
    if case == "precession":
        return tuple(column[:40] for column in readouts.field())
    return readouts.poisson(6, 300, 5000.0, grid=case.endswith("grid"))


@pytest.mark.parametrize("case", readouts.CASES)
def test_data_are_what_is_told(case):
    data = readouts.CASES[case].data() if case == "precession" else few(case)
    if isinstance(data, SpikeTrains):
        steps = data.times / readouts.STEP
        assert (np.abs(steps - np.round(steps)).max() < 1e-6) == case.endswith("grid")
    assert readouts.CASES[case].ours(data)() is not None


@pytest.mark.parametrize(("case", "rival"), PAIRS)
def test_rivals_do_what_is_timed(case, rival):
    pytest.importorskip(rival)
    assert readouts.CASES[case].rivals[rival].prepare(few(case))() is not None


def test_a_rival_that_does_a_share_is_scaled(monkeypatch):
    took = iter([1.0, 5.0] + [1.0, 1.0, 1.0, 2.0] * 3)
    monkeypatch.setattr(beside, "seconds", lambda call: next(took))
    monkeypatch.setattr(beside, "version", lambda package: "1.0")
    rival = beside.Rival(lambda data: lambda: None, 2, 5, share=0.1, repeats=3)
    case = beside.Case("of it", lambda: None, lambda data: lambda: None, {"rival": rival})
    found = beside.measure(case, "rival")
    assert found["ratio"] == (20.0, 20.0, 20.0) and found["rival_s"] == 20.0
    row = dict(case="x", what="of it", rival="rival", least=2, goal=5, **found)
    assert "| x | of it | 1e+03 ms | rival 1.0 | 20 s, scaled from 10 %" in report.analysis(
        {"rows": [row]}
    )


def test_false_positives_are_counted(monkeypatch):
    rows = []
    monkeypatch.setattr(false_positives.results, "update", lambda *given: rows.extend(given[1]))
    name = "Rayleigh: 30 independent spikes"
    done = CliRunner().invoke(false_positives.main, [name, "--n", "150", "--processes", "1"])
    assert done.exit_code == 0, done.output
    (row,) = rows
    assert row["n"] == 150 and 0 <= row["share"] < 0.12
    again = [false_positives._p_values(name, 1, k, k + 1)[0] for k in range(150)]
    assert row["share"] == np.mean(np.array(again) <= 0.05)
    assert f"| {name} |" in report.nulls({"rows": json.loads(json.dumps(rows))})


def test_packages_that_are_not_there_are_told():
    done = CliRunner().invoke(command.main, ["--against", "nobody"])
    assert done.exit_code == 2 and "--against names 'nobody'" in done.output
