"""The benchmarks' own reckoning, on measurements that were made up. Nothing here is timed."""

import json
import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given, strategies as st

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import environments, latency, networks, report, results

CASE = networks.Case("small", "Is it small?", ["cuba"], 1000, repeats=2)


def run(rate: float = 5.0, rtf: float = 0.1, build: float = 1.0, compile: float = 0.0) -> dict:
    return {
        "neurons": 10,
        "synapses": 20,
        "threads": 1,
        "precision": "single",
        "dt": 0.1,
        "spikes": 55,
        "build_s": build,
        "compile_s": compile,
        "run_s": rtf,
        "rtf": rtf,
        "peak_rss_gb": 0.5,
        "bytes_per_synapse": 4.0,
        "rates": {"exc": rate, "inh": 2.0},
        "versions": {"brian2": "2.11"},
    }


def test_rates_within_the_tolerance_agree_and_beyond_it_do_not():
    ours = [run(10.0), run(10.0)]
    assert networks.disagreement(ours, [run(10.9), run(10.9)], 0.1) is None
    assert networks.disagreement(ours, [run(9.2), run(9.2)], 0.1) is None
    told = networks.disagreement(ours, [run(12.0), run(12.0)], 0.1)
    assert told == "exc fires at 10.00 Hz and at 12.00 Hz; 1.20 Hz may lie between them"


def test_what_seeds_explain_is_allowed_besides():
    ours, theirs = [run(9.0), run(11.0)], [run(11.0), run(13.0)]
    # Each mean has a standard error of 1 Hz, their difference one of sqrt(2).
    assert networks.disagreement(ours, theirs, 0.0) is None
    far = [run(13.3), run(15.3)]
    assert networks.disagreement(ours, far, 0.0) is not None


def test_one_seed_explains_nothing_and_no_rate_agrees_with_none():
    assert networks.disagreement([run(10.0)], [run(11.0)], 0.05) is not None
    assert networks.disagreement([run(10.0)] * 2, [run(float("nan"))] * 2, 0.1) is not None


def test_ratios_are_taken_run_by_run_and_a_void_row_has_none():
    ours = [run(rtf=0.1, build=1.0), run(rtf=0.2, build=1.0), run(rtf=0.1, build=2.0)]
    theirs = [run(rtf=0.3, compile=9.0), run(rtf=0.4, compile=9.0), run(rtf=0.1, compile=9.0)]
    row = networks.comparison(CASE, "brian2", ours, theirs)
    assert row["void"] is None
    assert row["run_ratio"] == pytest.approx([1.5, 2.0, 2.5])
    assert row["build_ratio"] == pytest.approx([7.5, 10.0, 10.0])
    void = networks.comparison(CASE, "brian2", ours, [run(7.0)] * 3)
    assert void["void"].startswith("exc fires at 5.00 Hz and at 7.00 Hz")
    assert void["run_ratio"] is None and void["build_ratio"] is None
    assert "void" in networks.told(networks.row_of(CASE, 1000, ours), [void])


@given(st.lists(st.floats(0.0, 1e6), min_size=1, max_size=9))
def test_quartiles(values):
    low, median, high = networks.quartiles(values)
    assert low <= median <= high
    assert median == pytest.approx(np.median(values))
    assert sum(x <= low for x in values) >= len(values) / 4
    assert sum(x >= high for x in values) >= len(values) / 4


def test_our_row_holds_medians_and_the_mean_rate():
    row = networks.row_of(CASE, 1000, [run(build=1.0), run(build=5.0), run(build=2.0)])
    assert row["build_s"] == 2.0
    assert row["rate"] == pytest.approx(55 / 10 / 1.1)
    assert row["repeats"] == 3


def test_runs_alternate_and_each_has_another_seed(monkeypatch):
    calls = []
    case = CASE._replace(rivals={"nest": ("small --threads 1", "small --threads 2")})
    monkeypatch.setattr(networks, "measure", lambda *_: None)
    monkeypatch.setattr(networks, "ours", lambda _, ms, seed: calls.append(seed) or run())
    monkeypatch.setattr(
        networks, "theirs", lambda rival, text, ms, seed: calls.append((text[-1], seed)) or run()
    )
    _, rows = networks.run_case(case, ["nest"], 1000, 2)
    assert calls == [1, ("1", 1), ("2", 1), 2, ("1", 2), ("2", 2)]
    assert len(rows) == 2


def test_options_choose_cases_and_rivals():
    cases, rivals = networks.chosen("coba, brunel", "nest,brian2")
    assert [case.name for case in cases] == ["coba", "brunel"]
    assert rivals == ["nest", "brian2"]
    everything, none = networks.chosen(None, None)
    assert everything == networks.CASES and none == []


@pytest.mark.parametrize(
    "options, sentence",
    [
        (["--only", "cuba,abuc"], "--only names 'abuc'; known are cuba, coba"),
        (["--against", "neuron"], "--against names 'neuron'; known are brian2, nest, brainpy."),
    ],
)
def test_names_that_are_not_known_are_told(options, sentence):
    outcome = CliRunner().invoke(networks.main, options)
    assert outcome.exit_code == 2
    assert sentence in " ".join(outcome.stderr.split())


def test_cases_are_complete():
    for case in networks.CASES:
        assert case.question.endswith((".", "?")) and "\n" not in case.question
        assert case.repeats >= 3 and case.ms % 100 == 0 and case.reason
        assert set(case.rivals) <= set(environments.RIVALS)
    assert len({case.name for case in networks.CASES}) == len(networks.CASES)


def test_a_rival_that_is_not_installed_is_left_out_with_a_sentence(tmp_path, monkeypatch, capsys):
    monkeypatch.setenv("SPIKESIM_RIVALS", str(tmp_path))
    python = environments.interpreter("nest")
    python.parent.mkdir(parents=True)
    python.touch()
    assert environments.installed(["brian2", "nest"]) == ["nest"]
    assert capsys.readouterr().err == (
        "brian2 is left out: `python -m benchmarks rivals` installs it.\n"
    )


def test_installing_says_which_python_is_missing(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKESIM_RIVALS", str(tmp_path))
    monkeypatch.setattr(environments, "python", lambda versions: None)
    told = environments.install("brainpy")
    assert told.startswith("brainpy is missing: it needs Python 3.12")
    assert not list(tmp_path.iterdir())


def test_a_process_that_fails_is_told_by_its_last_line():
    with pytest.raises(click.ClickException, match="failed: ValueError: no such thing"):
        environments.run([sys.executable, "-c", "raise ValueError('no such thing')"])
    told = "print('a warning'); print('{\"run_s\": 1}')"
    assert environments.ask([sys.executable, "-c", told]) == {"run_s": 1}


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    return tmp_path


def test_rows_of_other_cases_are_kept_in_order(folder):
    cases = ["a", "b", "c"]
    for name, number in (("c", 1), ("a", 1), ("b", 1), ("a", 2)):
        results.update("thing", [{"case": name, "number": number}], ("case",), cases)
    rows = results.read("thing")["rows"]
    assert [(row["case"], row["number"]) for row in rows] == [("a", 2), ("b", 1), ("c", 1)]
    results.update("thing", [{"case": "b", "number": 3}], ("case",), ["b", "c"])
    assert [row["case"] for row in results.read("thing")["rows"]] == ["b", "c"]
    results.update("thing", [], ("case",), cases)
    assert len(results.read("thing")["rows"]) == 2


def test_rows_of_other_versions_are_not_kept(folder):
    results.update("thing", [{"case": "a"}], ("case",), ["a", "b"])
    path = folder / "thing.json"
    content = json.loads(path.read_text())
    content["versions"]["numpy"] = "1.0"
    path.write_text(json.dumps(content))
    results.update("thing", [], ("case",), ["a", "b"])  # nothing was measured
    assert [row["case"] for row in results.read("thing")["rows"]] == ["a"]
    results.update("thing", [{"case": "b"}], ("case",), ["a", "b"])
    assert [row["case"] for row in results.read("thing")["rows"]] == ["b"]


def test_results_are_json_for_every_reader(folder):
    path = results.write("thing", [{"seconds": float("nan"), "sizes": (1, float("inf"))}])
    assert "NaN" not in path.read_text() and "Infinity" not in path.read_text()
    assert results.read("thing")["rows"] == [{"seconds": None, "sizes": [1, None]}]


def test_a_latency_is_a_median():
    turns = [{"cold": 9.0}, {"cold": 1.0}, {"cold": 2.0}]
    (row,) = latency.rows_of({"spikesim": turns})
    assert (row["program"], row["start"], row["seconds"]) == ("spikesim", "cold", 2.0)
    assert row["quartiles"] == [1.5, 2.0, 5.5]


def test_settings_are_called_and_told_in_order():
    rows = latency.rows_of_settings(calls=3)
    assert [row["set"] for row in rows] == list(report.SETTINGS) == list(latency.settings())
    assert all(row["repeats"] == 3 and row["seconds"] > 0 for row in rows)
    assert all(row["quartiles"][1] == row["seconds"] for row in rows)


def test_settings_have_a_table_of_their_own():
    start = {"program": "spikesim", "start": "cold", "seconds": 2.0}
    sets = [
        {"program": "spikesim", "set": "rate", "seconds": 2.5e-5},
        {"program": "spikesim", "set": "variable", "seconds": 1.2e-5},
    ]
    text = report.latency({"rows": [start, *sets]})
    assert "| start | spikesim |\n|---|---:|\n| nothing compiled yet | 2.00 s |" in text
    assert text.endswith(
        "\n\n| setting while a run goes on, 1,000 neurons | median |\n|---|---:|\n"
        "| a variable of `LIF` | 0.012 ms |\n| the rate of `Poisson` | 0.025 ms |"
    )
    assert "setting" not in report.latency({"rows": [start]})


def test_the_tables_of_the_readme(folder):
    ours = [run(), run()]
    theirs = [run(rtf=0.25, compile=1.0)] * 2
    rows = [
        networks.comparison(CASE, "brian2", ours, theirs),
        networks.comparison(CASE, "brian2", ours, [run(9.0)] * 2),
    ]
    results.write("networks", [networks.row_of(CASE, 1000, ours)])
    results.write("rivals", rows)
    turns = {"spikesim": [{"cold": 2.0, "help": 0.1}], "brian2": [{"cold": 9.0}]}
    results.write("latency", latency.rows_of(turns))
    blocks = "".join(
        f"<!-- {n} -->\nold\n<!-- end -->\n" for n in ("networks", "rivals", "latency")
    )
    report.README.write_text(f"before\n{blocks}after\n", encoding="utf-8")
    outcome = CliRunner().invoke(report.main)
    assert outcome.exit_code == 0, outcome.output
    text = report.README.read_text(encoding="utf-8")
    assert (results.FOLDER / report.FIGURE).stat().st_size > 5000
    assert "old" not in text and text.startswith("before") and text.endswith("after\n")
    assert "| small | 10 | 20 | 5.0 Hz | 1.00 s | 0.100 (1 threads) | 0.50 GB | 4.0 |" in text
    assert (
        "| small | brian2 2.11, 1 thread, single | 2.5 (2.5 to 2.5) | 2 | 5.0 / 5.0, 2.0 / 2.0 Hz |"
    ) in text
    assert "void: exc fires at 5.00 Hz and at 9.00 Hz" in text
    assert "| nothing compiled yet | 2.00 s | 9.00 s |" in text
    assert "| `--help` | 0.10 s |  |" in text
    for line in text.splitlines():
        if line.startswith("| small | brian2"):
            assert line.count("|") == 6
