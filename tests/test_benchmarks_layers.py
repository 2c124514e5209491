"""The reckoning of `benchmarks.layers`, on trainings of a moment and rows that were made up."""

import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import layers, report, results


def row(seed: int, **columns) -> dict:
    given = {"network": "rectified, 128 and 64", "seed": seed, "code": "current", "steps": 64}
    given |= {"schedule": "at_once", "rate": 0.98, "spiking": 0.97, "lost": 1.0, "equal": False}
    return given | {"differ": 0.1, "agreement": 0.99, "spikes": 10.0} | columns


def test_a_line_is_the_mean_over_seeds_and_the_worst():
    rows = [row(0), row(1, lost=-1.0, spiking=0.99, differ=0.2, equal=True), row(2, steps=8)]
    lines = layers.table(rows).splitlines()
    assert len(lines) == 4
    assert lines[2] == (
        "| rectified, 128 and 64 | current | at once | 64 | 98.00% | 98.00% | 0.00 (1.00) "
        "| 1 of 2 | 20.00% | 99.00% | 10.0 |"
    )


@pytest.mark.parametrize("name", list(layers.NETWORKS))
def test_networks_are_measured_in_all_ways(name, monkeypatch):
    pytest.importorskip("sklearn")
    monkeypatch.setattr(layers, "UPDATES", 5)
    monkeypatch.setattr(layers, "IMAGES", 20)
    monkeypatch.setattr(layers, "STEPS", (8,))
    rows = list(layers.measured(name, 0))
    ways = {"rectified": 8, "recurrent": 1}.get(name.split(",")[0], 2)
    assert len({(r["code"], r["schedule"], r["steps"]) for r in rows}) == len(rows) == ways
    for one in rows:
        assert one["lost"] == pytest.approx(100 * (one["rate"] - one["spiking"]))
        if one["schedule"] == "in_turn" and "levels" in name:
            assert one["equal"] and one["differ"] == 0 == one["lost"]


def test_a_quick_run_leaves_the_results_and_the_readme_may_have_a_table(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    monkeypatch.setattr(layers, "NETWORKS", {"one": None})
    monkeypatch.setattr(layers, "measured", lambda name, seed: [row(seed)])
    outcome = CliRunner().invoke(layers.main, ["--quick"])
    assert outcome.exit_code == 0, outcome.output
    assert "1.00 (1.00)" in outcome.output and not list(tmp_path.iterdir())
    assert CliRunner().invoke(layers.main, []).exit_code == 0
    assert [one["seed"] for one in results.read("layers")["rows"]] == list(layers.SEEDS)
    report.README.write_text("<!-- layers -->\n<!-- end -->\n", encoding="utf-8")
    assert CliRunner().invoke(report.main).exit_code == 0
    assert "| 0 of 10 | 10.00% |" in report.README.read_text("utf-8")
