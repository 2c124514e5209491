"""The benchmark of training: its reckoning, and that all programs compute the same."""

import sys
from pathlib import Path

import click
import numpy as np
import pytest
from click.testing import CliRunner

sys.path.append(str(Path(__file__).parent.parent))  # they are not installed with the package

from benchmarks import blocks, environments, report, results, training, updates

SMALL = [case._replace(units=7) for case in training.CASES if case.name.endswith(("100", "U 256"))]
SMALL += [case._replace(units=7) for case in training.CASES if case.kind == "lif"]
TOLD = {"check": {"loss": 2.0, "gradient": 0.5}, "blas": "openblas", "versions": {"torch": "2.13"}}
WORKER = """
from benchmarks import blocks
count = [0]
def update():
    count[0] += 1
blocks.serve(update, {"name": "small"})
"""


def written(case: training.Case, folder: Path) -> dict[str, np.ndarray]:
    training.write(case, 12, folder / "case.npz")
    return dict(np.load(folder / "case.npz"))


def row(program: str = training.OURS, threads: int = 2, ms: float = 2.0, **told) -> dict:
    seconds = [ms / 1000] * 3
    case = training.CASES[0]
    return training.row_of(case, program, threads, seconds, [0.002] * 3, TOLD | told, TOLD)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_weights_of_a_case_are_those_that_ours_starts_from(case, tmp_path):
    stored = written(case, tmp_path)
    loss, gradient = updates.check(stored).values()
    assert loss > 0 and gradient > 0
    net = updates.network(case.kind, 7, training.INPUTS, training.OUTPUTS, "float64")
    z = net.forward(stored["x"])
    assert loss == pytest.approx(np.mean((z - stored["targets"]) ** 2))
    if case.kind in ("snu", "lif"):
        assert 0.01 < net.rates[0].mean() < 0.9  # units do spike
    stored["0.w_rec"] = 2 * stored["0.w_rec"]
    assert training.disagreement({"loss": loss, "gradient": gradient}, updates.check(stored))


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_updates_lower_the_loss_in_single_precision(case, tmp_path, monkeypatch):
    stored = written(case, tmp_path)
    found = []
    prepare = updates.prepare
    monkeypatch.setattr(
        updates, "prepare", lambda *given: found.append(prepare(*given)) or found[-1]
    )
    update = updates.updates(stored)
    net, gradients = found[0]
    before = gradients()
    for _ in range(10):
        update()
    assert gradients() < before
    assert net.parameters["0.w_in"].dtype == np.float32


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_pytorch_computes_the_same(case, tmp_path):
    torch = pytest.importorskip("torch", reason="the rival is PyTorch: pip install '.[torch]'")
    if case.kind in ("snu", "lif"):
        pytest.importorskip("snntorch", reason="the rival is snnTorch: pip install '.[torch]'")
    from benchmarks.rivals import torch_training

    stored = written(case, tmp_path)
    mine, other = updates.check(stored), torch_training.check(stored)
    assert other["loss"] == pytest.approx(mine["loss"], rel=1e-9)
    assert other["gradient"] == pytest.approx(mine["gradient"], rel=1e-5)
    loss, _ = torch_training.prepare(stored, torch.float32, "eager")
    before = float(loss().detach())
    assert before == pytest.approx(mine["loss"], rel=1e-4)


@pytest.mark.parametrize("case", SMALL, ids=lambda case: case.kind)
def test_pytorch_trains_as_many_numbers(case, tmp_path):
    """But for the second bias of its gates, and the start, from which its cells cannot learn."""
    torch = pytest.importorskip("torch", reason="the rival is PyTorch: pip install '.[torch]'")
    if case.kind in ("snu", "lif"):
        pytest.importorskip("snntorch", reason="the rival is snnTorch: pip install '.[torch]'")
    from benchmarks.rivals import torch_training

    stored = written(case, tmp_path)
    _, own = torch_training.prepare(stored, torch.float32, "eager")
    theirs = sum(a.numel() for a in {id(a): a for a in own.values()}.values())
    ours = sum(a.size for name, a in stored.items() if "." in name)
    ours += {"gru": 2 * 7 - 7, "lstm": 4 * 7 - 2 * 7}.get(case.kind, 0)
    assert theirs == ours


def test_jax_computes_the_same(tmp_path):
    pytest.importorskip("jax", reason="the rival is JAX")
    from benchmarks.rivals import jax_training

    stored = written(SMALL[0], tmp_path)
    mine, other = updates.check(stored), jax_training.check(stored)
    assert other == pytest.approx(mine, rel=1e-9)


def test_a_worker_tells_and_times_blocks():
    call = [sys.executable, "-c", WORKER]
    with blocks.worker(call, folder=str(environments.ROOT)) as worker:
        assert worker.told["name"] == "small" and worker.told["seconds"] >= 0
        assert blocks.block(worker, 5) >= 0
        assert blocks.block(worker, 1) >= 0
    assert worker.process.returncode is not None  # it is gone


def test_a_worker_that_fails_is_told_by_its_last_line():
    call = [sys.executable, "-c", "raise ValueError('no such thing')"]
    with pytest.raises(RuntimeError, match="failed: ValueError: no such thing"):
        with blocks.worker(call):
            pass


def test_programs_alternate_and_each_makes_its_own_number_of_updates(monkeypatch):
    turns = []

    class Fake:
        def __init__(self, command, *_):
            self.name = command[-1]

        def __enter__(self):
            if self.name == "broken":
                raise RuntimeError("`broken` failed: no compiler")
            seconds = {"ours": 0.1, "eager": 0.3, "one": 0.4}[self.name]
            return blocks.Worker(None, None, TOLD | {"seconds": seconds, "name": self.name})

        def __exit__(self, *_):
            turns.append(f"{self.name} ended")

    def block(worker, count):
        turns.append((worker.told["name"], count))
        return worker.told["seconds"]

    monkeypatch.setattr(blocks, "worker", Fake)
    monkeypatch.setattr(blocks, "block", block)
    monkeypatch.setattr(
        training,
        "calls",
        lambda *_: [
            (training.OURS, 2, ["ours"], None),
            ("PyTorch, eager", 2, ["eager"], None),
            ("PyTorch, torch.compile", 2, ["broken"], None),
            (training.OURS, 1, ["one"], None),
        ],
    )
    rows = training.run_case(SMALL[0], ["torch"], training.Sizes(5, 2, 1.0))
    round_ = [("ours", 10), ("eager", 4), ("one", 3)]
    assert turns == [*round_, *round_, "one ended", "eager ended", "ours ended"]
    ratios = {(r["program"], r["threads"]): r["ratio"] for r in rows}
    assert ratios[training.OURS, 2] == [1, 1, 1]
    assert ratios["PyTorch, eager", 2] == pytest.approx([3, 3, 3])
    assert ratios[training.OURS, 1] == pytest.approx([4, 4, 4])
    assert ratios["PyTorch, torch.compile", 2] is None
    assert "void: `broken` failed: no compiler" in training.told(rows)


def test_ours_that_fails_ends_the_benchmark(monkeypatch):
    failing = [sys.executable, "-c", "raise ValueError('no such thing')"]
    monkeypatch.setattr(training, "calls", lambda *_: [(training.OURS, 2, failing, None)])
    with pytest.raises(click.ClickException, match="no such thing"):
        training.run_case(SMALL[0], [], training.QUICK)


def test_ratios_are_taken_block_by_block_and_a_void_row_has_none():
    theirs, ours = [0.003, 0.004, 0.001], [0.001, 0.002, 0.001]
    made = training.row_of(training.CASES[0], "PyTorch, eager", 2, theirs, ours, TOLD, TOLD)
    assert made["ratio"] == pytest.approx([1.5, 2.0, 2.5])
    assert made["ms"] == pytest.approx([2.0, 3.0, 3.5])
    void = row("PyTorch, eager", check={"loss": 2.0003, "gradient": 0.5})
    assert void["void"] == "the loss is 2.0003 and ours 2" and void["ratio"] is None
    assert row("PyTorch, eager", check={"loss": 2.0001, "gradient": 0.50001})["void"] is None
    assert row("PyTorch, eager", check={"loss": 2.0, "gradient": float("nan")})["void"]


def test_our_workers_are_told_how_many_threads(tmp_path):
    names = [
        (name, threads, environment and environment["OPENBLAS_NUM_THREADS"])
        for name, threads, _, environment in training.calls(training.CASES[0], [], tmp_path)
    ]
    assert names == [(training.OURS, 2, "2"), (training.OURS, 1, "1")]


def test_a_rival_is_found_in_its_environment_or_beside(tmp_path, monkeypatch):
    monkeypatch.setenv("SPIKESIM_RIVALS", str(tmp_path))
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda name: None)
    assert training.python("torch") is None and training.python("jax") is None
    monkeypatch.setattr(training.importlib.util, "find_spec", lambda name: name)
    assert training.python("torch") == training.python("jax") == sys.executable
    for rival, environment in (("torch", "torch"), ("jax", "brainpy")):
        path = environments.interpreter(environment)
        path.parent.mkdir(parents=True)
        path.touch()
        assert training.python(rival) == str(path)


def test_without_pytorch_a_sentence_says_how_to_get_it(monkeypatch, capsys):
    monkeypatch.setattr(training, "python", lambda rival: None)
    assert training.chosen("GRU 100", "torch") == ([training.CASES[2]], [])
    assert capsys.readouterr().err == (
        "torch is left out: `python -m benchmarks rivals torch` installs it.\n"
    )
    outcome = CliRunner().invoke(training.main, ["--only", "GRU 7"])
    assert outcome.exit_code == 2
    assert "--only names 'GRU 7'; known are leaky RNN 100," in " ".join(outcome.stderr.split())


def test_cases_are_complete():
    for case in training.CASES:
        assert case.question.endswith("?") and "\n" not in case.question
        assert case.kind in updates.CELLS and case.programs
    assert len(set(training.NAMES)) == len(training.CASES)
    assert training.REPEATS >= 5
    assert "torch==2.13.0" in environments.RIVALS["torch"][1]


def test_blas_is_named():
    assert updates.blas()


def test_the_table_of_the_readme(tmp_path, monkeypatch):
    monkeypatch.setattr(results, "FOLDER", tmp_path)
    monkeypatch.setattr(report, "README", tmp_path / "README.md")
    rows = [
        row(coretype="Haswell"),
        row(threads=1, ms=3.0),
        row("PyTorch, eager", ms=6.0, blas="MKL"),
        row("PyTorch, torch.compile", ms=4.0, blas="MKL"),
        training.failure(training.CASES[0], "JAX, lax.scan", 2, "no JAX"),
    ]
    results.update("training", rows, ("case",), training.NAMES)
    report.README.write_text("<!-- training -->\nold\n<!-- end -->\n", encoding="utf-8")
    outcome = CliRunner().invoke(report.main)
    assert outcome.exit_code == 0, outcome.output
    text = report.README.read_text(encoding="utf-8")
    start = "| leaky RNN 100 | 2.00 ms | 3.00 ms |"
    assert f"{start} PyTorch, eager, torch 2.13 | 6.00 ms | 3 (3 to 3) |  |" in text
    assert f"{start} PyTorch, torch.compile, torch 2.13 | 4.00 ms | 2 (2 to 2) | 2 |" in text
    assert f"{start} JAX, lax.scan |  | void: no JAX |  |" in text
    assert "ours with openblas; PyTorch with MKL. OPENBLAS_CORETYPE was set to Haswell." in text
    assert {line.count("|") for line in text.splitlines() if line.startswith("|")} == {8}
