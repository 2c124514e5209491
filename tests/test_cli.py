"""The command line: what it prints, what it leaves, and what it says to bad input."""

import json
import math
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import h5py
import numpy as np
import pytest
from click.testing import CliRunner

import spikesim as ss
from spikesim.cli import main
from spikesim.data.spike_files import SpikeWriter
from spikesim.rate import LeakyRNN, RateNetwork
from spikesim.rate.files import save

ROOT = Path(__file__).parent.parent
SMALL = """
import spikesim as ss

def network(scale=1.0):
    net = ss.Network(seed=3, name="small")
    a = net.population("a", round(100 * scale), ss.LIF(i_offset=200.0))
    b = net.population("b", 20, ss.LIF())
    net.connect(a, b, ss.FixedInDegree(10), weight=40.0, delay=1.0, receptor="exc")
    return net
"""


def invoke(*arguments) -> tuple[int, str, str]:
    outcome = CliRunner().invoke(main, [str(a) for a in arguments])
    assert outcome.exception is None or isinstance(outcome.exception, SystemExit)
    return outcome.exit_code, outcome.stdout, outcome.stderr


@pytest.fixture
def small(tmp_path):
    path = tmp_path / "small.py"
    path.write_text(SMALL)
    return path


def test_json_is_one_object_with_everything(small, tmp_path):
    out = tmp_path / "small.h5"
    code, stdout, _ = invoke(
        *("run", small, "--json", "--out", out, "--duration", 200, "--discard", 50, "--threads", 1)
    )
    assert code == 0
    told = json.loads(stdout)
    for key in (
        *("network", "neurons", "synapses", "threads", "dt", "precision", "duration_ms", "build_s"),
        *("compile_s", "run_s", "rtf", "rates", "spikes", "peak_rss_gb", "bytes_per_synapse"),
        "versions",
    ):
        assert key in told
    assert (told["network"], told["neurons"], told["synapses"]) == ("small", 120, 200)
    assert list(told["rates"]) == ["a", "b"]
    spikes = ss.open_spikes(out)
    assert list(spikes) == ["a", "b"]
    for name, trains in spikes.items():
        assert told["rates"][name] == pytest.approx(trains.restrict(50.0, 200.0).rate)
    assert told["spikes"] == sum(map(len, spikes.values()))
    assert told["rates"]["a"] > 5


def test_default_threads_are_told(small):
    code, stdout, _ = invoke("run", small, "--duration", 10)
    assert code == 0
    assert "1 thread(s)" in stdout  # a small network is fastest on one


def test_scale_and_seed_reach_the_network(small):
    told = [
        json.loads(invoke("run", small, "--json", "--scale", 2, "--seed", seed)[1])
        for seed in (5, 5, 6)
    ]
    assert told[0]["neurons"] == 220
    assert told[0]["rates"] == told[1]["rates"]


def test_traces_go_beside_the_spikes(small, tmp_path):
    out = tmp_path / "small.h5"
    code, *_ = invoke("run", small, "--out", out, "--record", "a:v:0.5", "--record", "b:i_exc:1")
    assert code == 0
    with h5py.File(tmp_path / "small.a.v.h5") as file:
        assert file["report/a/data"].shape == (2000, 100)
    told = json.loads(invoke("info", tmp_path / "small.b.i_exc.h5", "--json")[1])
    assert told["format"] == "SONATA report"


def test_info_and_plot(small, tmp_path):
    out = tmp_path / "small.h5"
    invoke("run", small, "--out", out)
    told = json.loads(invoke("info", out, "--json")[1])
    assert told["t_start"] == 0 and told["t_stop"] == 1000
    assert list(told["populations"]) == ["a", "b"]
    assert set(told["populations"]["a"]) >= {"neurons", "spikes", "rate"}
    assert "a " in invoke("info", out)[1]
    assert invoke("plot", out, "--out", tmp_path / "x.png")[0] == 0
    assert invoke("plot", out, "--out", tmp_path / "x.png")[0] == 2
    assert invoke("plot", out, "--out", tmp_path / "x.png", "--force")[0] == 0


def strict(text):
    """What JSON.parse of a browser, jq and others take."""

    def refuse(constant):
        raise ValueError(f"{constant} is not JSON")

    return json.loads(text, parse_constant=refuse)


def test_json_of_a_file_without_an_end_is_json(tmp_path):
    with SpikeWriter(tmp_path / "run.h5", {"p": 4}, {"noise": [math.inf, 1.0]}):
        pass  # killed before its first flush: no rate is known
    found = strict(invoke("info", tmp_path / "run.h5", "--json")[1])
    assert found["populations"] == {"p": {"neurons": 4, "spikes": 0, "rate": None}}
    assert found["run"] == {"noise": [None, 1.0]}
    assert math.isnan(ss.info(tmp_path / "run.h5")["populations"]["p"]["rate"])


@pytest.mark.parametrize(
    ("command", "replaced"),
    [
        (("run", "small.py", "--duration", 1), "spikesim.cli.run.summary_of"),
        (("info", "run.h5"), "spikesim.data.spike_files.info"),
        (("info", "model.h5"), "spikesim.rate.files.model_info"),
        (("train", "xor", "--units", 4, "--updates", 1), "spikesim.cli.train._summary"),
    ],
)
def test_every_json_has_null_for_what_is_no_number(command, replaced, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("small.py").write_text(SMALL)
    SpikeWriter("run.h5", {"p": 4}, {}).close()
    save(RateNetwork([LeakyRNN(2)], 1, 1, 10.0), "model.h5")
    bad = {"a": math.nan, "b": [1.5, -math.inf, {"c": (np.float64("nan"), "NaN", 2)}], "d": None}
    monkeypatch.setattr(replaced, lambda *_, **__: bad)
    code, stdout, _ = invoke(*command, "--json")
    assert code == 0
    assert strict(stdout) == {"a": None, "b": [1.5, None, {"c": [None, "NaN", 2]}], "d": None}


def test_a_dry_run_builds_nothing(small, tmp_path, monkeypatch):
    import spikesim.engine.build as engine
    from spikesim.engine.memory import estimate_memory

    monkeypatch.setattr(engine, "Gathered", lambda *_: 1 / 0)
    out = tmp_path / "small.h5"
    asked = "run", small, "--dry-run", "--out", out, "--record", "b:v:0.5", "--duration", 4000
    code, stdout, _ = invoke(*asked, "--trials", 1, "--json")
    told = json.loads(stdout)
    assert code == 0 and list(tmp_path.iterdir()) == [small]
    assert (told["network"], told["neurons"], told["synapses"]) == ("small", 120, 200)
    assert told["memory_gb"] * 1e9 == pytest.approx(estimate_memory(network(small)))
    assert told["spikes_mb_per_s"] * 1e6 == 120 * 16 * told["assumed_rate_hz"]
    assert told["traces_mb_per_s"] * 1e6 == 20 * 4 * 2000  # single precision, every 0.5 ms
    assert told["fits"] and told["run_s"] == pytest.approx(4 * told["rtf"])
    assert json.loads(invoke(*asked[:3], "--trials", 3, "--json")[1])["run_s"] == pytest.approx(
        3 * told["rtf"]
    )
    code, stdout, _ = invoke(*asked)
    assert code == 0 and "nothing was built" in stdout and "real-time factor" in stdout
    assert "120 neurons, about 200 synapses" in stdout and "of traces 0.16 MB" in stdout
    code, stdout, _ = invoke("run", "cuba", "--dry-run", "--memory", 0.01)
    assert code == 0 and "more than 0.01 GB: it will be refused" in stdout
    for arguments, sentence in (
        (("cuba", "--dt", 0.5), "delays run down to 0.1 ms"),
        (("cuba", "--memory", -1), "memory is -1.0"),
        (("cuba", "--out", out, "--record", "exc:w:1"), "no variable 'w'"),
        (("cuba", "--threads", 0), "threads is 0"),
    ):
        code, _, stderr = invoke("run", *arguments, "--dry-run")
        assert code == 2 and sentence in stderr


def network(path: Path) -> ss.Network:
    names = {}
    exec(path.read_text(), names)
    return names["network"]()


def width(png: Path) -> int:
    head = png.read_bytes()
    assert head.startswith(b"\x89PNG")
    return int.from_bytes(head[16:20], "big")


def test_plot_draws_what_a_file_holds(small, tmp_path, monkeypatch):
    import spikesim.plots as plots

    out, picture = tmp_path / "small.h5", tmp_path / "x.png"
    invoke("run", small, "--out", out, "--duration", 50, "--record", "b:v:0.5")
    drawn = []
    for name in ("overview", "raster", "rates", "report"):
        draw = getattr(plots, name)
        monkeypatch.setattr(
            plots, name, lambda *a, name=name, draw=draw: drawn.append((name, a)) or draw(*a)
        )
    for kind in ("overview", "raster", "rates"):
        assert invoke("plot", out, "--out", picture, "--kind", kind, "--force")[0] == 0
        assert width(picture) == 7.2 * 150
    assert invoke("plot", out, "--out", picture, "--force")[0] == 0
    traces = tmp_path / "small.b.v.h5"
    assert invoke("plot", traces, "--out", picture, "--force")[0] == 0
    assert [name for name, _ in drawn] == ["overview", "raster", "rates", "overview", "report"]
    ((name, (times, neurons, values, *what)),) = drawn[-1][1][0].items()
    assert (name, *what, values.shape) == ("b", "v", "mV", (100, 20))
    np.testing.assert_allclose(times, 0.5 * np.arange(1, 101))
    assert list(neurons) == list(range(20))
    picture.unlink()
    for arguments, sentence in (
        ((traces, "--kind", "rates"), "--kind is 'rates'; it is for spikes"),
        ((out, "--task", small), "it is for trained networks, and"),
        ((out, "--kind", "all"), "'all' is not one of"),
    ):
        code, _, stderr = invoke("plot", *arguments, "--out", picture)
        assert code == 2 and sentence in stderr and not picture.exists()
    code, _, stderr = invoke("plot", out, "--out", tmp_path / "x.nonsense")
    assert code == 2 and "x.nonsense" in stderr


BROKEN = {
    "raises": ("def network():\n    x = 1\n    return x / 0\n", "line 3: ZeroDivisionError"),
    "syntax": ("def network(:\n", "line 1: SyntaxError"),
    "empty": ("x = 1\n", r"no function network\(\)"),
    "wrong": ("def network():\n    return 5\n", "returned int"),
    "equation": (
        "import spikesim as ss\n\ndef network():\n"
        "    ss.NeuronModel(equations='dv/dt = -v/tau', threshold='v > 1', reset='v = 0')\n",
        "line 4: EquationError: .*unknown name 'tau'",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
@pytest.mark.parametrize("name", ["net.py", "absolute"])
def test_an_error_in_a_file_is_told_with_its_line(tmp_path, monkeypatch, kind, name):
    path = tmp_path / "net.py"
    path.write_text(BROKEN[kind][0])
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = invoke("run", path if name == "absolute" else name)
    assert code == 2 and not stdout and "Traceback" not in stderr
    assert re.search(BROKEN[kind][1], stderr)


def test_a_file_may_define_dataclasses(tmp_path):
    path = tmp_path / "cells.py"
    head = "from __future__ import annotations\nfrom dataclasses import dataclass\n"
    path.write_text(f"{head}@dataclass\nclass Cells:\n    size: int = 120\n{SMALL}")
    code, stdout, stderr = invoke("run", path, "--duration", 10)
    assert code == 0 and "120" in stdout, stderr


MISTAKES = [
    (["run", "cobalt"], "unknown network 'cobalt'; known are cuba"),
    (["run", "cuba", "--scale", "0"], "--scale is 0.0"),
    (["run", "cuba", "--scale", "nan"], "--scale is nan"),
    (["run", "izhikevich", "--scale", "2"], "takes no --scale"),
    (["run", "cuba", "--drive", "dc"], "takes no --drive"),
    (["run", "microcircuit", "--drive", "ac"], "drive is 'ac'; it must be 'poisson' or 'dc'"),
    (["run", "cuba", "--duration", "-1"], "--duration is -1.0"),
    (["run", "cuba", "--duration", "nan"], "--duration is nan"),
    (["run", "cuba", "--duration", "0.25"], "must be a multiple of dt"),
    (["run", "cuba", "--discard", "2000"], "--discard is 2000"),
    (["run", "cuba", "--dt", "0"], "dt is 0"),
    (["run", "cuba", "--dt", "0.5"], "delays run down to 0.1 ms"),
    (["run", "cuba", "--threads", "0"], "threads is 0"),
    (["run", "cuba", "--threads", "1.5"], "'1.5' is not a valid integer"),
    (["run", "cuba", "--precision", "half"], "'half' is not one of"),
    (["run", "cuba", "--memory", "0.01"], "more than the 0.01 GB that are allowed"),
    (["run", "cuba", "--memory", "-1"], "memory is -1.0"),
    (["run", "cuba", "--out", "no/such/folder/x.h5"], "does not exist"),
    (["run", "cuba", "--out", "."], "is a folder"),
    (["run", "cuba", "--plot", "x.nonsense"], "nonsense"),
    (["run", "cuba", "--record", "exc:v:1"], "--out, which is missing"),
    (["run", "cuba", "--out", "x.h5", "--record", "exc:v"], "must be POP:VAR:EVERY"),
    (["run", "cuba", "--out", "x.h5", "--record", "ex:v:1"], "unknown population 'ex'"),
    (["run", "cuba", "--out", "x.h5", "--record", "exc:w:1"], "no variable 'w'"),
    (["run", "cuba", "--out", "x.h5", "--record", "exc:v:0"], "every is 0"),
    (["run", "cuba", "--out", "x.h5", "--record", "exc:v:0.25"], "multiple of dt"),
    (["info", "missing.h5"], "missing.h5"),
    (["plot", "missing.h5", "--out", "x.png"], "missing.h5"),
]


@pytest.mark.parametrize(("arguments", "sentence"), MISTAKES, ids=lambda x: " ".join(x)[:40])
def test_a_mistake_gets_a_sentence(tmp_path, monkeypatch, arguments, sentence):
    monkeypatch.chdir(tmp_path)
    code, stdout, stderr = invoke(*arguments)
    assert code == 2
    assert sentence in stderr
    assert not stdout and "Traceback" not in stderr
    assert not list(tmp_path.iterdir()), "nothing is left half-built"


def test_existing_files_are_kept(small, tmp_path):
    for option, name in (("--out", "x.h5"), ("--plot", "x.png")):
        path = tmp_path / name
        path.write_text("precious")
        code, _, stderr = invoke("run", small, option, path)
        assert code == 2 and "--force" in stderr
        assert path.read_text() == "precious"


@pytest.mark.parametrize("content", [b"not HDF5 at all", b"\x89HDF\r\n\x1a\n" + bytes(300)])
def test_corrupt_files_are_told(tmp_path, content):
    path = tmp_path / "x.h5"
    path.write_bytes(content)
    code, _, stderr = invoke("info", path)
    assert code == 2 and "x.h5" in stderr and "Traceback" not in stderr


def test_foreign_hdf5_is_told(tmp_path):
    with h5py.File(tmp_path / "x.h5", "w") as file:
        file["data"] = np.arange(5)
    code, _, stderr = invoke("info", tmp_path / "x.h5")
    assert code == 2 and "x.h5" in stderr


def start(*arguments, **options) -> subprocess.Popen:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-m", "spikesim", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        **options,
    )


def wait_for_spikes(path: Path, process: subprocess.Popen) -> None:
    seen = "no file"
    for _ in range(600):
        time.sleep(0.1)
        assert process.poll() is None, process.communicate()
        try:
            if path.exists():
                seen = {name: len(trains) for name, trains in ss.open_spikes(path).items()}
                if sum(seen.values()):
                    return
        except (ValueError, OSError) as error:
            seen = error  # being written
    process.kill()
    raise AssertionError(f"no spikes within a minute: {seen}; {process.communicate()}")


def test_a_long_run_to_a_file_does_not_grow(tmp_path):
    peaks = []
    for duration in (100_000, 300_000):  # the shorter fills the buffers of a spell as well
        process = start(
            *("run", "cuba", "--duration", duration, "--out", tmp_path / f"{duration}.h5", "--json")
        )
        told = json.loads(process.communicate(timeout=300)[0])
        peaks.append(told["peak_rss_gb"])
        assert told["spikes"] > 5 * 4000 * duration / 1000
    assert peaks[1] < peaks[0] + 0.04  # 70 MB of spikes more have passed through


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for a child")
def test_ctrl_c_keeps_what_there_is(tmp_path):
    out = tmp_path / "cuba.h5"
    process = start("run", "cuba", "--duration", 1e6, "--out", out, "--json")
    wait_for_spikes(out, process)
    process.send_signal(signal.SIGINT)
    stdout, stderr = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "interrupted at" in stderr and "Traceback" not in stderr
    told = json.loads(stdout)
    assert 0 < told["duration_ms"] < 1e6
    spikes = ss.open_spikes(out)
    assert sum(map(len, spikes.values())) == told["spikes"]
    assert spikes["exc"].t_stop == told["duration_ms"]


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_run_leaves_a_file(tmp_path):
    out = tmp_path / "cuba.h5"
    process = start("run", "cuba", "--duration", 1e6, "--out", out)
    wait_for_spikes(out, process)
    process.kill()
    process.communicate()
    spikes = ss.open_spikes(out)["exc"]
    assert len(spikes) and spikes.times[-1] <= spikes.t_stop
    libsonata = pytest.importorskip("libsonata", reason="libsonata is not installed")
    read = libsonata.SpikeReader(str(out))["exc"].get()
    assert len(read) == len(spikes)


@pytest.mark.skipif(sys.platform != "linux", reason="limits the size of files by a Linux means")
def test_a_full_disk_keeps_what_was_flushed(tmp_path):
    import resource

    out = tmp_path / "cuba.h5"
    full = 40_000_000

    def limit() -> None:
        signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
        resource.setrlimit(resource.RLIMIT_FSIZE, (full, full))

    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "spikesim",
            *("run", "cuba", "--duration", "1e6", "--out", str(out)),
        ],
        capture_output=True,
        text=True,
        env=environment,
        preexec_fn=limit,
        timeout=120,
    )
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert "cuba.h5 holds every spike up to" in done.stderr
    assert len(ss.open_spikes(out)["exc"]) > 1000


@pytest.mark.parametrize(
    ("arguments", "loaded"),
    [
        (["--version"], set()),
        (["--help"], {"analyze", "convert", "info", "plot", "run", "train"}),
        (["run", "--help"], {"run"}),
        (["train", "--help"], {"train"}),
    ],
)
def test_a_command_is_loaded_when_asked_for_and_what_is_heavy_when_used(arguments, loaded):
    code = (
        "import sys\n"
        "from click.testing import CliRunner\n"
        "from spikesim.cli import COMMANDS, main\n"
        f"assert CliRunner().invoke(main, {arguments}).exit_code == 0\n"
        f"assert {{c for c in COMMANDS if f'spikesim.cli.{{c}}' in sys.modules}} == {loaded}\n"
        "assert not {'numpy', 'numba', 'h5py', 'matplotlib', 'tqdm'} & set(sys.modules)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    subprocess.run([sys.executable, "-c", code], check=True, env=environment)
