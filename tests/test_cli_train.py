"""``spikesim train`` and ``info`` of model files: what they print, leave, and refuse."""

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner

from spikesim.cli import main
from spikesim.cli.tasks import DEFAULTS
from spikesim.cli.train import CELLS
from spikesim.rate.files import load, load_history, save
from spikesim.rate.tasks import TASKS, digits
from spikesim.rate.training import respond

ROOT = Path(__file__).parent.parent
SHORT = "--units", 10, "--updates", 3


def invoke(*arguments) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(main, [str(a) for a in arguments])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    return outcome.exit_code, outcome.stdout, outcome.stderr


def test_json_is_one_object_with_everything():
    code, stdout, _ = invoke("train", "go_nogo", *SHORT, "--seed", 3, "--json")
    assert code == 0
    told = json.loads(stdout)
    assert (told["task"], told["cell"], told["units"], told["seed"]) == ("go_nogo", "leaky", 10, 3)
    assert (told["updates"], told["trials"], told["stop"]) == (3, 192, "updates")
    assert 0 <= told["performance"] <= 1 and told["loss"] > 0 and told["seconds"] > 0
    again = json.loads(invoke("train", "go_nogo", *SHORT, "--seed", 3, "--json")[1])
    assert {**again, "seconds": 0} == {**told, "seconds": 0}


def test_a_task_is_learned_to_its_criterion_and_kept(tmp_path):
    out = tmp_path / "x.h5"
    code, stdout, _ = invoke("train", "go_nogo", "--out", out, "--json")
    told = json.loads(stdout)
    assert code == 0 and told["stop"] == "criterion" and told["performance"] >= 0.99
    network, task = load(out), TASKS["go_nogo"]()
    outputs, trials = respond(network, task, DEFAULTS["go_nogo"].test_trials)
    assert task.performance(outputs, trials) == told["performance"]
    assert load_history(out).updates == told["updates"]


def test_until_is_the_criterion():
    told = json.loads(invoke("train", "go_nogo", "--until", 0.3, "--json")[1])
    assert (told["stop"], told["updates"]) == ("criterion", 50)


@pytest.mark.parametrize("cell", CELLS)
def test_every_cell_can_be_trained(cell):
    code, stdout, _ = invoke("train", "xor", "--cell", cell, "--units", 10, "--updates", 2)
    assert code == 0
    assert f"xor, {cell} of 10 units, seed 0: " in stdout and "2 updates, 128 trials" in stdout


@pytest.mark.parametrize("task", DEFAULTS)
def test_every_task_can_be_trained_and_drawn(task, tmp_path):
    if task == "digits":
        pytest.importorskip("sklearn", reason="scikit-learn holds the images")
    picture = tmp_path / "x.png"
    code, stdout, _ = invoke("train", task, *SHORT, "--plot", picture)
    assert code == 0 and stdout.startswith(f"{task}, {DEFAULTS[task].cell} of 10 units")
    png = picture.read_bytes()
    assert png.startswith(b"\x89PNG") and int.from_bytes(png[16:20], "big") == 7.2 * 150


def test_every_task_has_defaults():
    assert DEFAULTS.keys() == TASKS.keys()


def test_a_task_without_defaults_is_trained_all_the_same(monkeypatch):
    monkeypatch.setitem(TASKS, "short", lambda **settings: TASKS["xor"](10.0, **settings))
    code, stdout, _ = invoke("train", "short", *SHORT)
    assert code == 0 and "gru of 10 units" in stdout


def test_context_integration_tells_its_slopes():
    arguments = "train", "context_integration", *SHORT
    told = json.loads(invoke(*arguments, "--json")[1])
    assert told["slopes"].keys() == {"motion", "colour"}
    assert np.isfinite(told["slopes"]["colour"]["irrelevant"])
    assert "along the irrelevant one" in invoke(*arguments)[1]


def test_info_of_a_model_file(tmp_path):
    out = tmp_path / "x.h5"
    invoke("train", "perceptual_decision", *SHORT, "--out", out)
    told = json.loads(invoke("info", out, "--json")[1])
    assert told["cells"][0]["class"] == "DaleRNN" and told["trained"]["updates"] == 3
    text = invoke("info", out)[1]
    assert "cell 0: DaleRNN, units 10" in text and "2 x 10" in text
    assert "trained on perceptual_decision, seed 0: 3 updates, 192 trials" in text


OWN = ROOT / "examples" / "own_task.py"


def test_a_task_of_a_file_is_trained_kept_and_gone_on_with(tmp_path):
    out, kept = tmp_path / "x.h5", ("--checkpoint", tmp_path / "kept.h5")
    code, stdout, _ = invoke("train", OWN, "--out", out, "--plot", tmp_path / "x.png", "--json")
    told = json.loads(stdout)
    assert code == 0 and told["stop"] == "criterion"
    assert (told["task"], told["cell"], told["units"]) == ("clicks", "gru", 64)
    assert told["performance"] >= 0.95
    assert load_history(out).task == "clicks"
    assert (tmp_path / "x.png").read_bytes().startswith(b"\x89PNG")
    command = "train", OWN, "--units", 10, "--until", 1, "--json", "--updates"
    assert invoke(*command, 25, *kept)[0] == 0
    resumed = json.loads(invoke(*command, 40, *kept, "--resume")[1])
    at_once = json.loads(invoke(*command, 40)[1])
    assert {**resumed, "seconds": 0} == {**at_once, "seconds": 0}


BROKEN = {  # what stands in a file for a line of the example's, and what is told of it
    "raises": (
        "    return rate.Task(",
        "    return 1 / 0 or rate.Task(",
        "line LINE: ZeroDivision",
    ),
    "draws": (
        "    side = rng.integers(2,",
        "    side = rng.integer(2,",
        "line LINE: AttributeError",
    ),
    "measures": ('conditions["side"]))', 'conditions["sid"]))', "line LINE: KeyError: 'sid'"),
    "syntax": ("def task() ->", "def task( ->", "line LINE: SyntaxError"),
    "none": ("def task() ->", "def tusk() ->", r"defines no function task\(\)"),
    "returns": ("    return rate.Task(", "    return str(", "line LINE: TypeError"),
    "trials": (
        "    return rate.Trials(inputs,",
        "    return (inputs,",
        "gave tuple; it must give Trials",
    ),
    "shape": (
        "    return rate.Trials(inputs, targets,",
        "    return rate.Trials(inputs, targets[..., 0],",
        r"targets of the task clicks have shape \(35, 512\); they must have \(35, 512, 2\)",
    ),
    "loss": ('"squared"', '"hinge"', "is 'hinge'; it must be one of squared, cross_entropy"),
    "number": ("return float(np.mean(", "return str(np.mean(", "must give a number from 0 to 1"),
    "settings": ("draw, performance)", "draw, performance, {'a': {1, 2}})", "which go into files"),
    "step": ("DT = 20.0", "DT = -20.0", "dt is -20.0; it must be a finite number of ms above 0"),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_error_in_a_file_of_a_task_is_told_with_its_line(tmp_path, kind):
    line, broken, sentence = BROKEN[kind]
    source = OWN.read_text(encoding="utf-8")
    sentence = sentence.replace("LINE", str(source[: source.index(line)].count("\n") + 1))
    path = tmp_path / "own.py"
    path.write_text(source.replace(line, broken), encoding="utf-8")
    code, stdout, stderr = invoke("train", path, "--out", tmp_path / "x.h5", *SHORT)
    assert code == 2 and not stdout and "Traceback" not in stderr
    assert re.search(sentence, stderr), stderr
    assert list(tmp_path.iterdir()) == [path]


def test_plot_draws_a_trained_network(tmp_path, monkeypatch):
    from spikesim import plots

    drawn = []
    for name in ("training_overview", "learning_curve"):
        draw = getattr(plots, name)

        def spy(*args, name=name, draw=draw, **options):
            drawn.append((name, args, options))
            return draw(*args, **options)

        monkeypatch.setattr(plots, name, spy)
    built_in, own, bare, picture = (
        tmp_path / f"{n}.{e}" for n, e in (("a", "h5"), ("b", "h5"), ("c", "h5"), ("x", "png"))
    )
    invoke("train", "go_nogo", "--cell", "lif", *SHORT, "--out", built_in)
    invoke("train", OWN, *SHORT, "--out", own)
    save(load(own), bare)
    for file, more in ((built_in, ()), (own, ("--task", OWN)), (bare, ("--task", OWN)), (own, ())):
        code, _, stderr = invoke("plot", file, "--out", picture, "--force", *more)
        assert code == 0, stderr
        assert picture.read_bytes().startswith(b"\x89PNG")
    assert "with its file (--task) trials are drawn too" in stderr
    assert [name for name, *_ in drawn] == ["training_overview"] * 3 + ["learning_curve"]
    task, history, outputs, trials = drawn[0][1]
    assert (task.name, task.dt, history.updates, outputs.shape[1]) == ("go_nogo", 5.0, 3, 2048)
    assert drawn[0][2]["rates"].shape == (len(outputs), 4, 10)
    assert drawn[2][1][1] is None
    for arguments, sentence in (
        ((bare,), "does not say what it was trained on"),
        ((built_in, "--task", OWN), "whose task is 'clicks'; "),
        ((own, "--kind", "rates"), "it is for spikes"),
    ):
        code, _, stderr = invoke("plot", *arguments, "--out", tmp_path / "y.png")
        assert code == 2 and sentence in stderr and not (tmp_path / "y.png").exists()


MISTAKES = [
    (["train", "chess"], "unknown task 'chess'; known are perceptual_decision, go_nogo"),
    (["train", "xor", "--cell", "perceptron"], "unknown cell 'perceptron'; known are leaky, dale"),
    (["train", "xor", "--units", "0"], "0 is not in the range x>=1"),
    (["train", "xor", "--units", "many"], "'many' is not a valid integer"),
    (
        ["train", "xor", "--until", "99"],
        "until is 99.0; it must be a finite number above 0 and at most 1",
    ),
    (["train", "xor", "--updates", "-1"], "-1 is not in the range x>=0"),
    (["train", "xor", "--seed", "-1"], "-1 is not in the range x>=0"),
    (["train", "xor", "--out", "no/such/folder/x.h5"], "does not exist"),
    (["train", "xor", "--out", "."], "is a folder"),
    (["train", "xor", "--plot", "x.nonsense"], "x.nonsense"),
    (["train", "xor", "--plot", "no/such/folder/x.png"], "does not exist"),
    (["train"], "Missing argument 'TASK'"),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES, ids=lambda x: " ".join(x)[:40])
def test_a_mistake_gets_a_sentence(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = invoke(*arguments)
    assert code == 2
    assert sentence in stderr
    assert not stdout and "Traceback" not in stderr
    assert "update/s" not in stderr, "told before training begins"
    assert not list(tmp_path.iterdir()), "nothing is left half-built"


def test_digits_without_scikit_learn(monkeypatch):
    sys.modules[digits.__module__]._images.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    code, _, stderr = invoke("train", "digits")
    assert code == 2 and "digits needs scikit-learn" in stderr and "Traceback" not in stderr


@pytest.mark.parametrize("option", ["--out", "--plot"])
def test_existing_files_are_kept_unless_forced(tmp_path, option):
    path = tmp_path / ("x.h5" if option == "--out" else "x.png")
    path.write_text("precious")
    code, _, stderr = invoke("train", "xor", *SHORT, option, path)
    assert code == 2 and "--force" in stderr and "update/s" not in stderr
    assert path.read_text() == "precious"
    assert invoke("train", "xor", *SHORT, option, path, "--force")[0] == 0
    assert path.read_bytes()[:8] != b"precious"


def test_a_training_goes_on_from_its_checkpoint_to_the_same_numbers(tmp_path):
    command = "train", "xor", "--units", 10, "--until", 1, "--json", "--updates"
    kept = "--checkpoint", tmp_path / "x.h5"
    assert invoke(*command, 25, *kept)[0] == 0
    resumed = json.loads(invoke(*command, 60, *kept, "--resume")[1])
    at_once = json.loads(invoke(*command, 60)[1])
    assert {**resumed, "seconds": 0} == {**at_once, "seconds": 0}
    assert resumed["updates"] == 60
    stored = kept[1].read_bytes()
    for arguments, sentence in (
        ([*command, 60, *kept], "exists; give another path"),
        ([*command, 60, *kept, "--force"], "exists; give another path"),
        ([*command, 60, *kept, "--resume", "--seed", 1], "seed is 0 there and 1 here"),
        ([*command, 60, "--resume"], "checkpoint must then name a file"),
        ([*command, 60, "--resume", "--checkpoint", tmp_path / "y.h5"], "y.h5"),
    ):
        code, stdout, stderr = invoke(*arguments)
        assert code == 2 and sentence in stderr and not stdout and "Traceback" not in stderr
        assert kept[1].read_bytes() == stored


@pytest.mark.parametrize("keep", [100, 3000])
def test_a_damaged_model_file_is_told(tmp_path, keep):
    path = tmp_path / "x.h5"
    invoke("train", "xor", *SHORT, "--out", path)
    path.write_bytes(path.read_bytes()[:keep])
    code, _, stderr = invoke("info", path)
    assert code == 2 and "x.h5" in stderr and "Traceback" not in stderr


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_ctrl_c_keeps_the_best_network(tmp_path):
    out = tmp_path / "x.h5"
    process = subprocess.Popen(
        [
            *(sys.executable, "-m", "spikesim", "train", "sine", "--until", "1", "--updates"),
            *("1000000", "--out", str(out), "--json"),
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        # A job in the background is born deaf to SIGINT, and so would be its children.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        # On a busy machine two threads of OpenBLAS wait for each other for minutes.
        env={**os.environ, "PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"},
    )
    seen = b""
    while b"performance" not in seen:  # the bar after an update
        seen += process.stderr.read(1)
    time.sleep(0.2)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert b"interrupted after" in stderr and b"Traceback" not in stderr
    told = json.loads(stdout)
    assert told["stop"] == "interrupted" and 0 < told["updates"] < 1_000_000
    assert load_history(out).stop == "interrupted"


def test_other_commands_do_not_load_what_trains():
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from spikesim.cli import main\n"
        "assert 'train' in CliRunner().invoke(main, ['--help']).output\n"
        "assert CliRunner().invoke(main, ['run', 'none']).exit_code == 2\n"
        "assert not {m for m in sys.modules if m.startswith('spikesim.rate')}\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
