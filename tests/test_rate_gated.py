"""LSTM, subLSTM and GRU: against their equations, central differences, and PyTorch."""

import tracemalloc

import numpy as np
import pytest
from finite_differences import differences
from hypothesis import given, settings, strategies as st

from spikesim.rate import GRU, LSTM, FeedForward, SubLSTM, effective_tau
from spikesim.rate.network import RateNetwork
from spikesim.rate.workspace import Workspace

CELLS = [LSTM, SubLSTM, GRU]
DT = 10.0  # ms


def start(cell, inputs: int, seed: int, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Start values, all of them moved away from zero."""
    rng = np.random.default_rng(seed)
    p = cell.initial_parameters(inputs, DT, rng)
    return {k: (a + 0.3 * rng.standard_normal(a.shape)).astype(dtype) for k, a in p.items()}


def trial(steps: int, trials: int, inputs: int, seed: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((steps, trials, inputs)).astype(dtype)


def sigmoid(a: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-a))


def by_equations(cell, p: dict[str, np.ndarray], x: np.ndarray) -> np.ndarray:
    """The rates, as the docstrings say, step by step and trial by trial."""
    y = np.empty((*x.shape[:2], cell.units))
    for k in range(x.shape[1]):
        h, c = p["h0"], p.get("c0")
        for t, u in enumerate(x[:, k]):
            if isinstance(cell, GRU):
                a, rec = p["w_in"] @ u + p["b"], p["w_rec"] @ h
                (a_r, a_z, a_n), (rec_r, rec_z, rec_n) = np.split(a, 3), np.split(rec, 3)
                r, z = sigmoid(a_r + rec_r), sigmoid(a_z + rec_z)
                h = z * h + (1 - z) * np.tanh(a_n + r * (rec_n + p["b_rec"]))
            else:
                a = np.split(p["w_in"] @ u + p["w_rec"] @ h + p["b"], 4)
                i, f, g, o = (sigmoid(part) for part in a)
                if isinstance(cell, LSTM):
                    c = f * c + i * np.tanh(a[2])
                    h = o * np.tanh(c)
                else:
                    c = f * c + g - i
                    h = sigmoid(c) - o
            y[t, k] = h
    return y


@pytest.mark.parametrize("kind", CELLS)
@settings(max_examples=20, deadline=None)
@given(
    shape=st.tuples(*(st.integers(1, 5) for _ in range(4))),
    dtype=st.sampled_from(["float32", "float64"]),
)
def test_rates_follow_the_equations(kind, shape, dtype):
    units, steps, trials, inputs = shape
    cell = kind(units)
    p = start(cell, inputs, 1, dtype)
    x = trial(steps, trials, inputs, 2, dtype)
    y = cell.forward(p, x, DT, None, Workspace(dtype))
    assert y.dtype == dtype and y.flags.c_contiguous
    wanted = by_equations(cell, {k: a.astype(float) for k, a in p.items()}, x.astype(float))
    np.testing.assert_allclose(y, wanted, atol=1e-12 if dtype == "float64" else 1e-5)


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize("shape", [(4, 7, 3, 2), (3, 5, 1, 1), (1, 1, 2, 4)])
def test_gradients_are_central_differences(kind, shape):
    units, steps, trials, inputs = shape
    cell = kind(units)
    p, x = start(cell, inputs, 3), trial(steps, trials, inputs, 4)
    weight = trial(steps, trials, units, 5)  # the loss is the sum of weight times rates
    workspace = Workspace("float64")
    cell.forward(p, x, DT, None, workspace)
    grads = {k: np.ones_like(a) for k, a in p.items()}
    dx = np.empty_like(x)
    cell.backward(p, x, weight.copy(), DT, workspace, grads, dx)
    assert set(grads) == set(p)
    for name, array in {**p, "x": x}.items():
        numeric = differences(
            lambda: np.sum(weight * cell.forward(p, x, DT, None, workspace)), array
        )
        found = dx if name == "x" else grads[name] - 1  # backward adds to what was there
        scale = np.abs(numeric).max()
        np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-6 * scale, err_msg=name)


@pytest.mark.parametrize("kind", CELLS)
def test_backward_can_do_without_the_inputs_and_leaves_the_forward_pass(kind):
    cell = kind(3)
    p, x, workspace = start(cell, 2, 3), trial(4, 3, 2, 4), Workspace("float64")
    y = cell.forward(p, x, DT, None, workspace)
    kept, found = y.copy(), []
    for dx in (np.empty_like(x), None):
        grads = {k: np.zeros_like(a) for k, a in p.items()}
        cell.backward(p, x, np.ones_like(y), DT, workspace, grads, dx)
        found.append(grads)
    np.testing.assert_array_equal(y, kept)
    for name in p:
        np.testing.assert_array_equal(found[0][name], found[1][name])


@pytest.mark.parametrize("kind", CELLS)
def test_a_second_pass_makes_no_arrays(kind):
    cell = kind(50)
    p, x = start(cell, 3, 1), trial(100, 20, 3, 2)
    workspace, dy, dx = Workspace("float64"), np.ones((100, 20, 50)), np.empty_like(x)
    grads = {k: np.zeros_like(a) for k, a in p.items()}

    def once():
        cell.forward(p, x, DT, None, workspace)
        cell.backward(p, x, dy, DT, workspace, grads, dx)

    once()
    tracemalloc.start()
    once()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < dy.nbytes / 8  # NumPy itself buffers up to 64 kB


def test_cells_in_series_pass_gradients_on():
    cells = [GRU(3), FeedForward([4], "tanh"), LSTM(2), SubLSTM(3)]
    net = RateNetwork(cells, inputs=2, outputs=1, dt=DT, dtype="float64")
    x = trial(6, 2, 2, 1)
    gradients = net.backward(np.ones_like(net.forward(x)))
    for name, array in net.parameters.items():
        numeric = differences(lambda: net.forward(x).sum(), array)
        np.testing.assert_allclose(gradients[name], numeric, rtol=1e-6, atol=1e-9, err_msg=name)


# PyTorch


def in_torch(cell, p: dict[str, np.ndarray], x: np.ndarray, weight: np.ndarray):
    """Rates and gradients, by the names of ours, of torch.nn with the same weights."""
    torch = pytest.importorskip("torch", reason="PyTorch is the judge of these cells")
    kind = {LSTM: torch.nn.LSTM, GRU: torch.nn.GRU}[type(cell)]
    theirs = kind(x.shape[2], cell.units, dtype=torch.float64)
    units, zeros = cell.units, np.zeros(p["b"].size)
    if isinstance(cell, GRU):
        zeros[2 * units :] = p["b_rec"]
    copied = {"weight_ih_l0": p["w_in"], "weight_hh_l0": p["w_rec"], "bias_ih_l0": p["b"]}
    with torch.no_grad():
        for name, value in {**copied, "bias_hh_l0": zeros}.items():
            getattr(theirs, name).copy_(torch.from_numpy(value))
    names = ["h0", "c0"] if isinstance(cell, LSTM) else ["h0"]
    state = {name: torch.tensor(p[name], requires_grad=True) for name in names}
    wide = [s.expand(1, x.shape[1], -1).contiguous() for s in state.values()]
    inputs = torch.tensor(x, requires_grad=True)
    y, _ = theirs(inputs, tuple(wide) if len(wide) == 2 else wide[0])
    (y * torch.from_numpy(weight)).sum().backward()
    grads = {name: s.grad for name, s in state.items()} | {"x": inputs.grad}
    grads |= {"w_in": theirs.weight_ih_l0.grad, "w_rec": theirs.weight_hh_l0.grad}
    grads["b"] = theirs.bias_ih_l0.grad
    if isinstance(cell, GRU):
        grads["b_rec"] = theirs.bias_hh_l0.grad[2 * units :]
    return y.detach().numpy(), {name: g.numpy() for name, g in grads.items()}


@pytest.mark.parametrize("kind", [LSTM, GRU])
def test_rates_and_gradients_are_those_of_torch(kind):
    cell = kind(32)
    p, x, weight = start(cell, 5, 1), trial(50, 8, 5, 2), trial(50, 8, 32, 3)
    wanted, gradients = in_torch(cell, p, x, weight)
    workspace, dx = Workspace("float64"), np.empty_like(x)
    np.testing.assert_allclose(cell.forward(p, x, DT, None, workspace), wanted, atol=1e-10, rtol=0)
    grads = {k: np.zeros_like(a) for k, a in p.items()}
    cell.backward(p, x, weight, DT, workspace, grads, dx)
    assert set(gradients) == {*grads, "x"}
    for name, found in {**grads, "x": dx}.items():
        error = np.abs(found - gradients[name]).max() / np.abs(gradients[name]).max()
        assert error < 1e-10, (name, error)


# Start values


@pytest.mark.parametrize("kind", CELLS)
def test_recurrent_weights_start_orthogonal_and_the_memory_long(kind):
    p = kind(30, keep_bias=2.0).initial_parameters(4, DT, np.random.default_rng(1))
    for gate in p["w_rec"].reshape(-1, 30, 30):
        np.testing.assert_allclose(gate @ gate.T, np.eye(30), atol=1e-12)
    assert p["w_in"].std() == pytest.approx(0.5, rel=0.15)
    wanted = np.zeros_like(p["b"])
    wanted[30:60] = 2.0
    np.testing.assert_array_equal(p["b"], wanted)


@pytest.mark.parametrize("kind", CELLS)
def test_chrono_spreads_the_time_constants(kind):
    longest = 1000.0
    bias = (
        kind(300, chrono=longest)
        .initial_parameters(1, DT, np.random.default_rng(1))["b"]
        .reshape(-1, 300)
    )
    tau = effective_tau(sigmoid(bias[1]), DT)
    # sigmoid(log u) = 1 - 1 / (1 + u): with u, the time constants are almost uniform.
    assert DT < tau.min() < 50 and 0.95 * longest < tau.max() < longest
    assert np.median(tau) == pytest.approx(longest / 2, rel=0.15)
    np.testing.assert_array_equal(bias[0], 0 if kind is GRU else -bias[1])
    np.testing.assert_array_equal(bias[2:], 0)


# Time constants


def test_a_kept_share_is_a_time_constant():
    tau = effective_tau(np.exp(-DT / np.array([1.0, 20.0, 300.0])), DT)
    np.testing.assert_allclose(tau, [1, 20, 300])
    np.testing.assert_array_equal(effective_tau([0.0, 1.0], DT), [0, np.inf])


def test_a_gru_without_inputs_forgets_with_its_effective_tau():
    cell = GRU(3)
    p = {name: np.zeros_like(a) for name, a in start(cell, 1, 1).items()}
    p["h0"][:] = 1
    p["b"][3:6] = [-1, 0, 2]  # of z
    x = np.zeros((6, 1))
    tau = cell.effective_tau(p, x, DT)
    y = cell.forward(p, x[:, None], DT, None, Workspace("float64"))[:, 0]
    np.testing.assert_allclose(y, np.exp(-DT * np.arange(1, 7)[:, None] / tau))


def test_effective_tau_is_of_each_trial_and_time():
    cell = GRU(4)
    p, x = start(cell, 2, 1), trial(5, 3, 2, 2)
    tau = cell.effective_tau(p, x, DT)
    assert tau.shape == (5, 3, 4) and np.ptp(tau, axis=0).min() > 0
    np.testing.assert_allclose(cell.effective_tau(p, x[:, 1], DT), tau[:, 1])
    before = np.concatenate([np.broadcast_to(p["h0"], (1, 3, 4)), by_equations(cell, p, x)[:-1]])
    a = x @ p["w_in"][4:8].T + before @ p["w_rec"][4:8].T + p["b"][4:8]
    np.testing.assert_allclose(tau, -DT / np.log(sigmoid(a)))


def test_a_network_gives_the_effective_tau_of_each_of_its_gru_cells():
    cells = [GRU(3), FeedForward([4], "tanh"), GRU(2)]
    net, x = RateNetwork(cells, inputs=2, outputs=1, dt=DT, dtype="float64"), trial(6, 5, 2, 1)
    net.forward(x)
    for i, inputs in ((0, x), (2, net.rates[1].copy())):
        p = {k.removeprefix(f"{i}."): a for k, a in net.parameters.items() if k.startswith(f"{i}.")}
        wanted = cells[i].effective_tau(p, inputs, DT)
        np.testing.assert_array_equal(net.effective_tau(x, cell=i), wanted)
    np.testing.assert_array_equal(net.effective_tau(x), net.effective_tau(x, cell=0))
    assert net.effective_tau(x, 2).shape == (6, 5, 2)
    with pytest.raises(ValueError, match="cell 1 is of kind FeedForward; it must be a GRU"):
        net.effective_tau(x, cell=1)
    for cell in (3, -1):
        with pytest.raises(ValueError, match=f"cell is {cell}; the network has 3, from 0"):
            net.effective_tau(x, cell=cell)
    with pytest.raises(ValueError, match=r"x has shape \(6, 2\)"):
        net.effective_tau(x[:, 0])


# What is refused


@pytest.mark.parametrize("kind", CELLS)
@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"units": 0}, "units is 0; it must be a whole number, 1 or more"),
        ({"units": 2.5}, "units is 2.5"),
        ({"units": 2, "keep_bias": np.nan}, "keep_bias is nan"),
        ({"units": 2, "chrono": 20.0}, "chrono is 20.0; it must be a number of ms above .* 20 ms"),
        ({"units": 2, "chrono": "long"}, "chrono is 'long'"),
    ],
)
def test_bad_settings_are_told(kind, fields, told):
    with pytest.raises(ValueError, match=f"{kind.__name__}: {told}"):
        kind(**fields).check(3, DT)


def test_bad_shares_are_told():
    with pytest.raises(ValueError, match="keep runs from -0.1 to 0.5"):
        effective_tau([-0.1, 0.5], DT)
    with pytest.raises(ValueError, match="dt is 0"):
        effective_tau([0.5], 0)
