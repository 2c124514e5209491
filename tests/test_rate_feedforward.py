"""Threshold units and feed-forward layers."""

import itertools
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from finite_differences import differences
from hypothesis import given, settings, strategies as st

from spikesim.rate import FeedForward, McCullochPitts
from spikesim.rate.activations import Table, named
from spikesim.rate.workspace import Workspace

ROOT = Path(__file__).parent.parent
DT = 10.0  # ms
CURVE = Table([-2.0, -0.5, 0.3, 1.0, 2.5], [0.0, 0.1, 0.9, 1.4, 1.5])


def answers(cells, inputs: int) -> dict[tuple[int, ...], list[float]]:
    """What cells in series say to each combination of zeros and ones."""
    asked = list(itertools.product([0, 1], repeat=inputs))
    x = np.array(asked, float)[None]
    for cell in cells:
        cell.check(x.shape[2], DT)
        p = cell.initial_parameters(x.shape[2], DT, np.random.default_rng(0))
        x = cell.forward(
            {k: a.astype(float) for k, a in p.items()}, x, DT, None, Workspace("float64")
        )
    return dict(zip(asked, x[0].tolist(), strict=True))


# Threshold units


@pytest.mark.parametrize("inputs", [1, 2, 3])
@pytest.mark.parametrize(
    ("name", "true"),
    [
        ("and", all),
        ("or", any),
        ("nand", lambda x: not all(x)),
        ("nor", lambda x: not any(x)),
    ],
)
def test_gates_are_logic(name, true, inputs):
    found = answers([McCullochPitts.gate(name, inputs)], inputs)
    assert found == {x: [float(true(x))] for x in found}


def test_not_turns_its_input_round():
    assert answers([McCullochPitts.gate("not")], 1) == {(0,): [1.0], (1,): [0.0]}


def test_two_layers_make_exclusive_or():
    layers = [McCullochPitts([[1, 1], [-1, -1]], [1, -1]), McCullochPitts.gate("and")]
    assert answers(layers, 2) == {
        x: [float(x[0] != x[1])] for x in [(0, 0), (0, 1), (1, 0), (1, 1)]
    }


def test_gradients_of_threshold_units_are_zero():
    cell = McCullochPitts([[1, -2]], [0.5])
    p, workspace, x = (
        cell.initial_parameters(2, DT, np.random.default_rng(0)),
        Workspace("float64"),
        np.ones((3, 2, 2)),
    )
    y = cell.forward(p, x, DT, None, workspace)
    grads, dx = {k: np.zeros_like(a) for k, a in p.items()}, np.full_like(x, np.nan)
    cell.backward(p, x, np.ones_like(y), DT, workspace, grads, dx)
    assert not dx.any() and not any(g.any() for g in grads.values())


def test_threshold_units_are_equal_by_their_values():
    assert McCullochPitts(np.ones((1, 2)), [2]) == McCullochPitts.gate("and")
    assert McCullochPitts.gate("or") != McCullochPitts.gate("and")


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: McCullochPitts([[1, 1]], [1, 2]), r"shape \(1, 2\) and thresholds \(2,\)"),
        (lambda: McCullochPitts([1, 1], [1]), r"weights have shape \(2,\)"),
        (lambda: McCullochPitts([[1, np.nan]], [1]), "weights is .*nan.*finite"),
        (lambda: McCullochPitts([[1], [1, 2]], [1]), "weights is .*array of finite"),
        (lambda: McCullochPitts.gate("xor"), "gate is 'xor'; it must be one of and, or"),
        (lambda: McCullochPitts.gate("and", 0), "inputs is 0"),
        (lambda: McCullochPitts.gate("and").check(3, DT), r"\(1, 2\); with 3 inputs .* \(1, 3\)"),
    ],
)
def test_bad_threshold_units_are_told(make, told):
    with pytest.raises(ValueError, match=told):
        make()


# Layers


def by_equations(cell: FeedForward, p: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    f = {
        "linear": lambda a: a,
        "rectified": lambda a: np.maximum(a, 0),
        "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
        "softplus": lambda a: np.log1p(np.exp(a)),
        "tanh": np.tanh,
        "table": lambda a: np.interp(a, CURVE.x, CURVE.y),
    }[named(cell.activation).name]
    for k in range(1, len(cell.widths) + 1):
        x = f(np.einsum("tbi,oi->tbo", x, p[f"w{k}"]) + p[f"b{k}"])
    return x


def made(cell: FeedForward, inputs: int, seed: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    return {
        k: a + 0.3 * rng.standard_normal(a.shape)
        for k, a in cell.initial_parameters(inputs, DT, rng).items()
    }


ACTIVATIONS = ["linear", "rectified", "sigmoid", "softplus", "tanh", CURVE]


@settings(max_examples=40, deadline=None)
@given(
    widths=st.lists(st.integers(1, 5), min_size=1, max_size=4),
    shape=st.tuples(*(st.integers(1, 4) for _ in range(3))),
    activation=st.sampled_from(ACTIVATIONS),
)
def test_layers_follow_the_equations(widths, shape, activation):
    cell = FeedForward(widths, activation)
    p, x = made(cell, shape[2], 1), np.random.default_rng(2).standard_normal(shape)
    y = cell.forward(p, x, DT, None, Workspace("float64"))
    assert y.shape == (*shape[:2], cell.units) and y.flags.c_contiguous
    np.testing.assert_allclose(y, by_equations(cell, p, x), atol=1e-12)


@pytest.mark.parametrize("activation", ACTIVATIONS, ids=lambda f: named(f).name)
@pytest.mark.parametrize("widths", [(3,), (4, 3), (3, 5, 2)])
def test_gradients_are_central_differences(widths, activation):
    cell = FeedForward(widths, activation)
    p, rng = made(cell, 2, 3), np.random.default_rng(4)
    x, weight = rng.standard_normal((3, 2, 2)), rng.standard_normal((3, 2, cell.units))
    workspace = Workspace("float64")
    y = cell.forward(p, x, DT, None, workspace)
    kept = y.copy()
    grads, dx = {k: np.ones_like(a) for k, a in p.items()}, np.empty_like(x)
    cell.backward(p, x, weight.copy(), DT, workspace, grads, dx)
    np.testing.assert_array_equal(y, kept)
    for name, array in {**p, "x": x}.items():
        numeric = differences(
            lambda: np.sum(weight * cell.forward(p, x, DT, None, Workspace("float64"))),
            array,
            1e-5,  # small: the table and the rectified have corners
        )
        found = dx if name == "x" else grads[name] - 1
        np.testing.assert_allclose(
            found, numeric, rtol=1e-6, atol=1e-6 * np.abs(numeric).max(), err_msg=name
        )


def test_weights_start_so_that_rates_keep_their_size():
    cell = FeedForward([400] * 5, "rectified")
    p = cell.initial_parameters(400, DT, np.random.default_rng(1))
    x = np.random.default_rng(2).standard_normal((1, 50, 400))
    y = cell.forward(p, x, DT, None, Workspace("float64"))
    assert np.mean(y**2) == pytest.approx(np.mean(x**2), rel=0.5)
    assert not any(p[f"b{k}"].any() for k in range(1, 6))


@pytest.mark.parametrize(
    ("widths", "activation", "told"),
    [
        ([], "tanh", r"widths is \[\]; it must be a sequence of whole numbers"),
        (5, "tanh", "widths is 5"),
        ([3, 0], "tanh", r"widths is \[3, 0\]"),
        ([3, 1.5], "tanh", r"widths is \[3, 1.5\]"),
        ([3], "step", "activation is 'step'"),
    ],
)
def test_bad_layers_are_told(widths, activation, told):
    with pytest.raises(ValueError, match=told):
        FeedForward(widths, activation)


# The example


def test_a_thousand_spiking_neurons_are_one_rate_unit(tmp_path):
    done = subprocess.run(
        [sys.executable, str(ROOT / "examples" / "threshold_to_rate.py"), str(tmp_path / "t.png")],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )
    assert done.returncode == 0, done.stderr
    lines = re.findall(r"^(\d+) neurons: .* ([\d.]+) % of the highest", done.stdout, flags=re.M)
    percent = {int(size): float(error) for size, error in lines}
    assert percent[1000] < 1 and percent[1] > 10
    assert percent[10] / percent[1000] == pytest.approx(10, rel=0.4)
    power = float(re.search(r"to the power of (.*)", done.stdout).group(1))
    assert power == pytest.approx(-0.5, abs=0.05)
    assert (tmp_path / "t.png").read_bytes().startswith(b"\x89PNG")
