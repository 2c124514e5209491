"""The reckoning of `benchmarks.learning`, on trainings of a moment and rows that were made up."""

import json
import sys
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import learning, report, results
from spikesim import rate


def row(case: str, seed: int = 0, **columns) -> dict:
    given = {"case": case, "cell": "GRU", "units": 64, "seed": seed, "performance": 1.0}
    return given | {"trials": 6400, "updates": 100, "seconds": 1.5} | columns


def test_a_line_is_met_by_the_seeds_that_reach_it():
    shares = [0.85, 0.86, 0.9, 0.95, 0.2]
    rows = [
        row("perceptual_decision", seed, performance=share, trials=100 * seed)
        for seed, share in enumerate(shares)
    ]
    line = learning.table(rows).splitlines()[2]
    assert line.startswith(
        "| perceptual_decision | GRU 64 | right answers | 86.0% (20.0% to 95.0%)"
    )
    assert "| > 85 % | 3 of 5 | 200 | 1.5 s |" in line
    assert len(learning.table(rows).splitlines()) == 3, "what was not measured has no line"


def test_every_line_is_of_a_case_and_every_case_has_one():
    assert {line.case for line in learning.LINES} == learning.CASES.keys()


def test_the_lines_of_delays_are_each_of_their_rows():
    rows = [
        row("delays", delay=500, tau=100.0),
        row("delays", delay=1000, tau=90.0) | {"tau ratio": 0.9, "slowest ratio": 2.4},
    ]
    shown = learning.table(rows)
    assert "delay 500 ms | 100 ms (100 ms to 100 ms) |  |  |" in shown
    assert "delay 1000 ms | 90 ms (90 ms to 90 ms) |  |  |" in shown
    assert "the shorter | 0.90 (0.90 to 0.90) | ≥ 2 | 0 of 1 |" in shown
    assert "slowest unit | 2.4 (2.4 to 2.4) |  |  |" in shown


def test_what_is_measured_is_on_fresh_trials_and_of_the_best_network():
    task = rate.go_nogo()
    found, network = learning.fit(task, rate.LeakyRNN(10), 3, updates=4)
    assert (found["cell"], found["units"], found["seed"]) == ("LeakyRNN", 10, 3)
    assert (found["updates"], found["trials"]) == (4, 256)
    outputs, trials = rate.respond(network, task, learning.FRESH, seed=3)
    assert found["performance"] == task.performance(outputs, trials)
    json.dumps(found)


def test_time_constants_are_those_of_the_delay():
    task = rate.go_nogo(delay=300.0)
    network = rate.RateNetwork([rate.GRU(4)], task.inputs, task.outputs, task.dt)
    network.parameters["0.w_in"][4:8] = [2.0, 0.0, 0.0]  # z rises with the input that says wait
    network.parameters["0.w_rec"][:] = network.parameters["0.b"][:] = 0
    tau = learning.in_delay(network, task)
    assert tau.shape == (15, 256, 4)
    wanted = rate.effective_tau(1 / (1 + np.exp(-2.0)), task.dt)
    assert np.median(tau) == pytest.approx(wanted, rel=0.02)


def test_the_error_of_force_is_small_after_learning_and_large_without(monkeypatch):
    monkeypatch.setattr(learning, "ALONE", 1000)
    monkeypatch.setattr(learning, "LEARNING", 4000)
    (good,) = learning.force("sine of 5 Hz", 0)
    monkeypatch.setattr(learning, "LEARNING", 10)
    (bad,) = learning.force("sine of 5 Hz", 0)
    assert good["error"] < 0.05 < 0.3 < bad["error"]
    assert good["performance"] == 1 - good["error"]


def test_a_quick_run_leaves_the_results_and_the_readme_has_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(learning, "CASES", {"go_nogo": lambda seed: [row("go_nogo", seed)]})
    outcome = CliRunner().invoke(learning.main, ["--quick"])
    assert outcome.exit_code == 0, outcome.output
    assert "≥ 99 % | 1 of 1" in outcome.output and not list(tmp_path.iterdir())
    outcome = CliRunner().invoke(learning.main, [])
    assert outcome.exit_code == 0, outcome.output
    seeds = [one["seed"] for one in results.read("learning")["rows"]]
    assert seeds == [0, 1, 2, 3, 4] and "5 of 5" in outcome.output
    report.README.write_text("<!-- learning -->\n<!-- end -->\n", encoding="utf-8")
    assert CliRunner().invoke(report.main).exit_code == 0
    assert "| go_nogo | GRU 64 | right answers | 100.0%" in report.README.read_text("utf-8")
