"""Every example of the README runs, and so do the scripts of examples/."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner

from spikesim.cli import main

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_python_blocks_of_the_readme_run_in_order(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    blocks = re.findall(r"^( *)```python\n(.*?)```", README, flags=re.S | re.M)
    assert len(blocks) >= 4
    names = {}
    for indent, block in blocks:
        exec(re.sub(rf"^{indent}", "", block, flags=re.M), names)
    assert names["result"].rates["exc"] > 1
    assert len(names["spikes"]) > 1000
    assert {len(sim.network.populations) for sim in names["trials"]} == {2}
    controlled = names["sim"]
    assert 3 < controlled.rates["cells"] < 9  # wanted: 5 Hz
    assert controlled.means["cells", "lfp"].values.min() > 0
    assert names["right"] > 0.97 and names["tau"].shape == (105, 1024, 64)
    assert (tmp_path / "go_nogo.h5").exists()
    assert names["found"].agreement > 0.97 and names["found"].output_r2 > 0.9
    assert names["outputs"].shape == (80, 20, 1) and (tmp_path / "spiking.h5").exists()


def test_the_flys_command_of_the_readme():
    command = re.search(r"^spikesim (run flybrain .*)$", README, flags=re.M).group(1)
    outcome = CliRunner().invoke(main, shlex.split(command))
    assert outcome.exit_code == 0, outcome.output
    assert re.search(r"brain: \d+ neurons spiked, the 20 strongest", outcome.output)


def test_the_readme_trains_a_decision(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = re.search(r"^spikesim (train .*)$", README, flags=re.M).group(1)
    outcome = CliRunner().invoke(main, shlex.split(command))
    assert outcome.exit_code == 0, outcome.output
    assert "the criterion was reached" in outcome.output
    assert (tmp_path / "decision.png").read_bytes().startswith(b"\x89PNG")
    assert "`spikesim info decision.h5`" in README
    outcome = CliRunner().invoke(main, ["info", "decision.h5"])
    assert outcome.exit_code == 0 and "trained on perceptual_decision" in outcome.output
    command = re.search(r"`spikesim (plot decision.h5 [^`]*)`", README).group(1)
    assert CliRunner().invoke(main, shlex.split(command)).exit_code == 0
    assert (tmp_path / "units.png").read_bytes().startswith(b"\x89PNG")


def test_the_readme_converts_a_network(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    commands = re.findall(
        r"^spikesim ((?:train|convert|run) .*(?:leaky|spiking).h5.*)$", README, re.M
    )
    assert len(commands) == 3
    told = []
    for command in commands:
        outcome = CliRunner().invoke(main, shlex.split(command))
        assert outcome.exit_code == 0, outcome.output
        told.append(outcome.stdout)
    assert "decisions alike" in told[1] and "units" in told[2]
    assert (tmp_path / "certificate.png").read_bytes().startswith(b"\x89PNG")


def test_the_commands_of_the_example_of_a_task(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    source = (ROOT / "examples" / "own_task.py").read_text(encoding="utf-8")
    (tmp_path / "own_task.py").write_text(source, encoding="utf-8")
    commands = re.findall(r"``spikesim ((?:train|plot) .*?)``", source.replace("\n", " "))
    assert len(commands) >= 2
    for command in commands:
        if "FILE" in command or "--" not in command:
            continue
        outcome = CliRunner().invoke(main, shlex.split(command))
        assert outcome.exit_code == 0, outcome.output
    for picture in ("clicks", "activity"):
        assert (tmp_path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


def test_first_command_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    command = re.search(r"pip install \. && spikesim (run .*)", README).group(1)
    outcome = CliRunner().invoke(main, shlex.split(command))
    assert outcome.exit_code == 0, outcome.output
    assert "real-time factor" in outcome.output
    assert (tmp_path / "microcircuit.h5").stat().st_size > 100_000
    assert (tmp_path / "microcircuit.png").read_bytes().startswith(b"\x89PNG")
    for other in ("info microcircuit.h5", "plot microcircuit.h5 --out overview.png"):
        assert f"spikesim {other}" in README
        assert CliRunner().invoke(main, shlex.split(other)).exit_code == 0


@pytest.mark.parametrize("names", [["first_network.py", "read_spikes.py"]])
def test_examples_run(tmp_path, names):
    told = [example(name, tmp_path) for name in names]
    assert "mean CV" in told[-1]
    assert (tmp_path / "first_network.png").exists()


def example(name: str, to: Path) -> str:
    """What an example prints that draws to a file or folder."""
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / name), str(to)],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["models.py"])
def test_figures_of_models_are_drawn(tmp_path, name):
    picture = tmp_path / "figure.png"
    told = example(name, picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert " 0 spikes" not in told


def test_the_phase_plane_is_drawn(tmp_path):
    picture = tmp_path / "figure.png"
    told = example("phase_plane.py", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    assert re.fullmatch(r"400 pA: 0 spikes\n800 pA: [1-9]\d* spikes\n", told)


def test_both_codes_are_read_from_the_same_spikes(tmp_path):
    picture = tmp_path / "figure.png"
    told = example("rate_and_time.py", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    line = r"(\w+) noise, (\d+) ms, .*: counts (\d+) % right .*, latency (\d+) % right .*"
    right = {
        (noise, int(time)): (int(counts), int(latency))
        for noise, time, counts, latency in re.findall(line, told)
    }
    assert len(right) == 8
    assert right["little", 16][1] > 85 > 55 > right["little", 16][0]  # the first volley is over
    assert right["little", 30][0] > 97 and right["much", 30][0] > 80 > right["much", 30][1]


def test_place_cells_precess_under_theta(tmp_path):
    picture = tmp_path / "figure.png"
    told = example("phase_precession.py", picture)
    assert picture.read_bytes().startswith(b"\x89PNG")
    pooled, single = map(int, re.search(r"pooled: (-\d+) .* single: (-\d+)", told).groups())
    assert -400 < single < pooled < -250  # degrees per field: all passes together look shallower
    fields, significant = map(int, re.findall(r"(\d+) (?:fields|with p)", told))
    assert fields == significant > 20
    by_lags, by_cycles = re.search(r"compression: ([\d.]+) by .*, ([\d.]+) by", told).groups()
    assert 9 < float(by_lags) < 13 and 5 < float(by_cycles) < 13


@pytest.mark.parametrize(
    ("name", "pictures", "told"),
    [
        ("train_a_decision.py", ["decision"], r"9\d\.\d% right after .*\n(coherence .*\n){5}$"),
        ("rate_models.py", ["force", "flipflop", "time_constants"], r"median time constant"),
    ],
)
def test_examples_of_rate_models_run(tmp_path, name, pictures, told):
    assert re.search(told, example(name, tmp_path))
    for picture in pictures:
        assert (tmp_path / f"{picture}.png").read_bytes().startswith(b"\x89PNG")


def test_the_page_for_those_who_come_from_elsewhere(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    page = (ROOT / "examples" / "coming_from_elsewhere.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n# (\w+)\n(.*?)```", page, flags=re.S)
    programs = [program for program, _ in blocks]
    assert programs == ["Brian2", "NEST", "spikesim", "spikesim", "spikesim", "exchange"]
    names = {}
    for program, block in blocks:
        compile(block, program, "exec")
        if program == "spikesim":
            exec(block, names)
    assert 4 < names["result"].rates["neurons"] < 8
    assert abs(names["same"].rates["neurons"] - names["result"].rates["neurons"]) < 1
    # Written out or built in, it is one model: the same wiring, the same dynamics.
    first = names["result"].spikes["neurons"].restrict(0.0, 20.0)
    assert first == names["same"].spikes["neurons"].restrict(0.0, 20.0)
    weak, strong = names["adapting"].spikes["adex"]
    assert 100 < strong[0] < strong[-1] < 405 and weak.size < strong.size
    for package in ("neo", "pynapple", "pynwb"):
        pytest.importorskip(package, reason="the page exchanges spikes with it")
    exec(blocks[-1][1], names)
    spikes = names["spikes"]
    assert names["same"] == names["arrays"] == names["recorded"] == spikes
    assert names["session"].spikes.count().tolist() == spikes.count().tolist()
