"""The contract of cells: a step is what a pass does, its Jacobian what differences say."""

import numpy as np
import pytest
from finite_differences import differences
from scipy.special import expit

from spikesim import rate
from spikesim.rate.cells import membrane, snu
from spikesim.rate.cells.contract import Cell
from spikesim.rate.workspace import Workspace

DT, INPUTS, TRIALS = 10.0, 3, 4
TAUS = np.array([20.0, 35.0, 60.0, 100.0])
MASK = np.array([[0, 1, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
GRADED = [
    rate.LeakyRNN(4, noise=0.3),
    rate.LeakyRNN(4, tau=TAUS, form="x", activation="tanh", train_tau=True),
    rate.LeakyRNN(4, tau=TAUS, mask=MASK, activation="softplus"),
    rate.DaleRNN(5, tau=50.0),
    rate.DaleRNN(4, form="x", activation="sigmoid", mask=MASK),
    rate.LowRankRNN(4, 2, tau=25.0),
    rate.LowRankRNN(4, form="r", activation="tanh"),
    rate.LSTM(4),
    rate.SubLSTM(4),
    rate.GRU(4),
    rate.SNU(4, tau=30.0, soft=True),
    rate.SNU(4, tau=30.0, soft=True, rectify=False),
    rate.FeedForward([5, 4], "tanh"),
]
WITHOUT_REFRACTORY = [
    rate.SNU(4, tau=30.0),
    rate.SNU(4, tau=30.0, rectify=False, detach_reset=True),
    rate.LIFCell(4, tau=30.0, t_ref=0.0),
    rate.LIFCell(4, tau=30.0, t_ref=0.0, detach_reset=True, input="spikes"),
    rate.ALIFCell(4, tau=30.0, t_ref=0.0, adaptive=0.6),
]
REFRACTORY = [
    rate.LIFCell(4, tau=30.0, t_ref=10.0),
    rate.LIFCell(4, tau=30.0, t_ref=40.0, input="spikes"),
    rate.ALIFCell(4, tau=30.0, t_ref=20.0, adaptive=0.6),
]
CELLS = [
    *GRADED,
    *WITHOUT_REFRACTORY,
    *REFRACTORY,
    rate.McCullochPitts([[1, 1, -1], [-1, 2, 0]], [1.0, 0.0]),
]
each = pytest.mark.parametrize("cell", CELLS, ids=lambda c: type(c).__name__)


def parameters_of(cell, dtype="float64"):
    """Away from zero, so that all terms count; units that spike do so now and then."""
    rng = np.random.default_rng(1)
    p = cell.initial_parameters(INPUTS, DT, rng)
    p = {name: a + 0.3 * rng.standard_normal(a.shape) for name, a in p.items()}
    if hasattr(cell, "surrogate"):
        p["b"] += 0.6
    p = {name: a.astype(dtype) for name, a in p.items()}
    cell.constrain(p, DT)
    return p


def trials(*shape, seed=2):
    return np.random.default_rng(seed).standard_normal(shape)


def state_of(cell):
    """Some state: of units that are refractory none has just spiked."""
    state = {name: trials(TRIALS, *s, seed=i) for i, (name, s) in enumerate(cell.states.items())}
    for name in {"z", "refractory"} & state.keys():
        state[name][...] = 0
    return state


def matrix(cell, p, x, state):
    """The Jacobian of one trial, by differences of `step`."""
    state = {name: array.copy() for name, array in state.items()}

    def after():
        return np.concatenate([*cell.step(p, x, state, DT)[0].values()])

    return np.concatenate([differences(after, array, 1e-5) for array in state.values()]).T


def test_every_cell_keeps_the_contract():
    kinds = {name for name in rate.__all__ if hasattr(getattr(rate, name), "initial_parameters")}
    assert kinds == {type(cell).__name__ for cell in CELLS}
    asked = {name for name in vars(Cell) if not name.startswith("_")}
    for cell in CELLS:
        assert all(hasattr(cell, name) for name in asked)


@each
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_steps_one_by_one_are_a_pass(cell, dtype):
    p, x = parameters_of(cell, dtype), trials(25, TRIALS, INPUTS).astype(dtype)
    y = cell.forward(p, x, DT, None, Workspace(dtype))
    assert not hasattr(cell, "surrogate") or 0.03 < y.mean() < 0.8
    state = cell.initial_state(p, TRIALS)
    assert {name: a.shape for name, a in state.items()} == {
        name: (TRIALS, *shape) for name, shape in cell.states.items()
    }
    for now, wanted in zip(x, y, strict=True):
        state, output = cell.step(p, now, state, DT)
        assert list(state) == list(cell.states) and output.dtype == dtype
        assert {a.dtype for a in state.values()} <= {np.dtype(dtype)}
        np.testing.assert_allclose(output, wanted, atol=1e-12 if dtype == "float64" else 1e-4)


@each
def test_trials_may_have_any_axes_and_inputs_be_shared(cell):
    p, state = parameters_of(cell), state_of(cell)
    x = trials(TRIALS, INPUTS)
    after, output = cell.step(p, x, state, DT)
    jacobian = cell.jacobian(p, x, state, DT)
    square = {name: a.reshape(2, 2, -1) for name, a in state.items()}
    after_square, output_square = cell.step(p, x.reshape(2, 2, -1), square, DT)
    np.testing.assert_array_equal(output_square, output.reshape(2, 2, -1))
    found = cell.jacobian(p, x.reshape(2, 2, -1), square, DT)
    np.testing.assert_array_equal(found, jacobian.reshape(2, 2, *jacobian.shape[1:]))
    shared, shared_output = cell.step(p, x[1], state, DT)
    alone, alone_output = cell.step(p, x[1], {name: a[1] for name, a in state.items()}, DT)
    assert alone_output.shape == (cell.units,)
    for name in state:
        np.testing.assert_array_equal(after_square[name], after[name].reshape(2, 2, -1))
        np.testing.assert_allclose(shared[name][1], after[name][1], rtol=1e-12)
        np.testing.assert_allclose(alone[name], after[name][1], rtol=1e-12)
    if state:
        np.testing.assert_allclose(shared_output[1], output[1], rtol=1e-12)


@pytest.mark.parametrize("cell", GRADED, ids=lambda c: type(c).__name__)
def test_the_jacobian_is_that_of_the_step(cell):
    p, state, x = parameters_of(cell), state_of(cell), trials(TRIALS, INPUTS)
    found = cell.jacobian(p, x, state, DT)
    n = sum(shape[0] for shape in cell.states.values())
    assert found.shape == (TRIALS, n, n)
    for k in range(TRIALS if n else 0):
        wanted = matrix(cell, p, x[k], {name: a[k] for name, a in state.items()})
        np.testing.assert_allclose(found[k], wanted, rtol=1e-7, atol=1e-9)
        assert np.abs(wanted).max() > 0.1


class Logistic(rate.FastSigmoid):
    """The slope of a logistic function, so that a spike which is one has it exactly."""

    def slope(self, u, out):
        out[...] = expit(u) * expit(-u)


@pytest.fixture
def smooth(monkeypatch):
    for module in (membrane, snu):
        monkeypatch.setattr(module, "fire", lambda u, out: np.copyto(out, expit(u)))


@pytest.mark.parametrize("cell", WITHOUT_REFRACTORY, ids=lambda c: type(c).__name__)
def test_the_jacobian_of_spiking_units_has_the_surrogate_slope(cell, smooth):
    cell = type(cell)(**{**vars(cell), "surrogate": Logistic()})
    p, state, x = parameters_of(cell), state_of(cell), trials(TRIALS, INPUTS)
    if "z" in state:
        state["z"][...] = trials(TRIALS, 4, seed=5)
    found = cell.jacobian(p, x, state, DT)
    for k in range(TRIALS):
        wanted = matrix(cell, p, x[k], {name: a[k] for name, a in state.items()})
        if "refractory" in state:  # of graded spikes no count can be made
            wanted[8:12], wanted[:, 8:12] = 0, 0
        np.testing.assert_allclose(found[k], wanted, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("cell", REFRACTORY, ids=lambda c: type(c).__name__)
def test_refractory_units_have_no_slope_and_their_count_is_given(cell, smooth):
    cell = type(cell)(**{**vars(cell), "surrogate": Logistic()})
    p, state, x = parameters_of(cell), state_of(cell), trials(TRIALS, INPUTS)
    state["refractory"][:, 1:3] = 1
    found = cell.jacobian(p, x, state, DT)
    assert (found[:, 5:7] == 0).all() and (found[:, [4, 7], :4].any(axis=-1)).all()
    assert (found[:, 8:12] == 0).all() and (found[:, :, 8:12] == 0).all()
    for k in range(TRIALS):
        wanted = matrix(cell, p, x[k], {name: a[k] for name, a in state.items()})
        continuous = np.r_[0:4, 12 : len(wanted)]
        np.testing.assert_allclose(
            found[k][:8, continuous], wanted[:8, continuous], rtol=1e-6, atol=1e-8
        )


@each
def test_a_state_that_does_not_fit_is_told(cell):
    p, x, state = parameters_of(cell), trials(TRIALS, INPUTS), state_of(cell)
    kind, flat = type(cell).__name__, np.zeros((TRIALS, 1))
    for call in (cell.step, cell.jacobian):
        with pytest.raises(ValueError, match=rf"{kind}: state has .*odd of shape \(1,\); it must"):
            call(p, x, {**state, "odd": flat}, DT)
        for name in state:
            with pytest.raises(
                ValueError, match=rf"{kind}: .* it must have .*{name} of shape \(\d"
            ):
                call(p, x, {**state, name: flat}, DT)


def test_the_old_name_of_initial_parameters():
    rng = np.random.default_rng
    for cell in CELLS:
        with pytest.warns(DeprecationWarning, match="start is called initial_parameters now"):
            old = cell.start(INPUTS, DT, rng(1))
        for name, array in cell.initial_parameters(INPUTS, DT, rng(1)).items():
            np.testing.assert_array_equal(old[name], array)
