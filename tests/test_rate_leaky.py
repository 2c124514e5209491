"""Leaky networks: equations, gradients, noise at several dt, Dale's principle, rank, areas."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from finite_differences import differences
from hypothesis import given, settings, strategies as st

from spikesim.rate import DaleRNN, LeakyRNN, LowRankRNN, areas
from spikesim.rate.activations import Table, Tanh
from spikesim.rate.network import RateNetwork
from spikesim.rate.optimizers import Adam
from spikesim.rate.workspace import Workspace

DT = 10.0  # ms
TAUS = np.array([20.0, 35.0, 60.0, 100.0])
MASK = np.array([[0, 1, 1, 0], [1, 1, 0, 1], [0, 0, 1, 1], [1, 1, 1, 1]])
FIXED = np.array([[0, 0.7, 0, 0], [0, 0, 0, 0.2], [0, 0, 0, 0], [0.4, 0, 0, 0]])
CELLS = [
    LeakyRNN(4),
    LeakyRNN(4, tau=DT, activation="tanh"),
    LeakyRNN(4, tau=TAUS, form="x", activation="softplus"),
    LeakyRNN(4, tau=30.0, form="x", activation="sigmoid", noise=0.3, train_tau=True),
    LeakyRNN(4, tau=TAUS, activation="tanh", noise=0.3, train_tau=True),
    LeakyRNN(4, tau=TAUS, noise=0.3, noise_tau=15.0, train_tau=True, mask=MASK, fixed=FIXED),
    LeakyRNN(4, activation=Table([-3, -1, 0, 2], [0, 1, 5, 4]), noise=0.5),
    DaleRNN(4, tau=50.0, mask=MASK, fixed=FIXED),
    DaleRNN(4, form="x", activation="tanh", excitatory=np.array([True, False, True, False])),
    LowRankRNN(4, 2, tau=25.0, noise=0.2),
    LowRankRNN(4, form="r", activation="rectified", train_tau=True),
]
each = pytest.mark.parametrize("cell", CELLS, ids=lambda c: type(c).__name__)


def start(cell, inputs: int, seed: int, dtype: str = "float64") -> dict[str, np.ndarray]:
    """Start values, all of them moved away from zero, within the constraints."""
    rng = np.random.default_rng(seed)
    p = cell.initial_parameters(inputs, DT, rng)
    p = {k: (a + 0.3 * rng.standard_normal(a.shape)).astype(dtype) for k, a in p.items()}
    cell.constrain(p, DT)
    return p


def trial(steps: int, trials: int, inputs: int, seed: int, dtype: str = "float64") -> np.ndarray:
    return np.random.default_rng(seed).standard_normal((steps, trials, inputs)).astype(dtype)


def matrix(cell, p: dict[str, np.ndarray]) -> np.ndarray:
    if isinstance(cell, LowRankRNN):
        return p["m"] @ p["n"].T / cell.units
    return p["w_rec"] * (cell.signs if isinstance(cell, DaleRNN) else 1)


def apply(f, x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    f.value(x, out)
    return out


def by_equations(cell, p: dict[str, np.ndarray], x: np.ndarray, noise: np.ndarray) -> np.ndarray:
    """The rates, as the docstrings say, step by step."""
    a = DT / (np.exp(p["log_tau"]) if cell.train_tau else cell.tau)
    f, w, y = cell.activation, matrix(cell, p), []
    state = np.tile(p[f"{cell.form}0"], (x.shape[1], 1))
    rates = state if cell.form == "r" else apply(f, state)
    for u, xi in zip(x, noise, strict=True):
        into = rates @ w.T + u @ p["w_in"].T + p["b"] + xi
        state = (1 - a) * state + a * (apply(f, into) if cell.form == "r" else into)
        rates = state if cell.form == "r" else apply(f, state)
        y.append(rates)
    return np.array(y)


def noise_of(cell, p: dict[str, np.ndarray], shape: tuple[int, ...], seed: int) -> np.ndarray:
    z = np.random.default_rng(seed).standard_normal(shape)
    if cell.noise_tau is None:
        tau = np.exp(p["log_tau"]) if cell.train_tau else cell.tau
        return cell.noise * np.sqrt(2 * tau / DT) * z
    k = np.exp(-DT / cell.noise_tau)
    for t in range(1, len(z)):
        z[t] = k * z[t - 1] + np.sqrt(1 - k**2) * z[t]
    return cell.noise * z


@each
@settings(max_examples=10, deadline=None)
@given(shape=st.tuples(*(st.integers(1, 5) for _ in range(3))))
def test_rates_follow_the_equations(cell, shape):
    p, x = start(cell, shape[2], 1), trial(*shape, 2)
    y = cell.forward(p, x, DT, np.random.default_rng(3), Workspace("float64"))
    assert y.shape == (*shape[:2], cell.units) and y.flags.c_contiguous
    noise = noise_of(cell, p, y.shape, 3)
    np.testing.assert_allclose(y, by_equations(cell, p, x, noise), rtol=1e-12, atol=1e-12)
    quiet = cell.forward(p, x, DT, None, Workspace("float64"))
    np.testing.assert_allclose(quiet, by_equations(cell, p, x, 0 * noise), rtol=1e-12, atol=1e-12)


@each
def test_single_precision_gives_the_same_but_for_rounding(cell):
    p, x = start(cell, 3, 1), trial(9, 4, 3, 2)
    y = cell.forward(p, x, DT, None, Workspace("float64"))
    single = {k: a.astype("float32") for k, a in p.items()}
    found = cell.forward(single, x.astype("float32"), DT, None, Workspace("float32"))
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, y, atol=2e-5)


@each
@pytest.mark.parametrize("shape", [(6, 3, 2), (1, 2, 1)])
def test_gradients_are_central_differences(cell, shape):
    p, x = start(cell, shape[2], 3), trial(*shape, 4)
    weight = trial(*shape[:2], cell.units, 5)  # the loss is the sum of weight times rates
    workspace = Workspace("float64")

    def loss() -> float:
        return np.sum(weight * cell.forward(p, x, DT, np.random.default_rng(6), workspace))

    loss()
    grads = {k: np.ones_like(a) for k, a in p.items()}
    dx = np.empty_like(x)
    cell.backward(p, x, weight.copy(), DT, workspace, grads, dx)
    assert set(grads) == set(p)
    for name, array in {**p, "x": x}.items():
        numeric = differences(loss, array)
        if name == "w_rec":
            if cell.mask is not None:
                numeric *= cell.mask
            if cell.fixed is not None:
                numeric[cell.fixed != 0] = 0
        found = dx if name == "x" else grads[name] - 1  # backward adds to what was there
        scale = np.abs(numeric).max()
        np.testing.assert_allclose(found, numeric, rtol=1e-6, atol=1e-6 * scale, err_msg=name)


def test_quiet_passes_do_not_see_the_noise_of_the_one_before():
    cell = LeakyRNN(3, noise=1.0, train_tau=True, activation="tanh")
    p, x, found = start(cell, 2, 1), trial(5, 2, 2, 2), []
    workspace = Workspace("float64")
    for rng in (None, np.random.default_rng(0), None):
        y = cell.forward(p, x, DT, rng, workspace)
        grads = {k: np.zeros_like(a) for k, a in p.items()}
        cell.backward(p, x, np.ones_like(y), DT, workspace, grads, None)
        found.append(grads)
    for name in p:
        np.testing.assert_array_equal(found[0][name], found[2][name])
        assert (found[0][name] != found[1][name]).any()


def test_a_trained_time_constant_below_dt_acts_as_dt():
    cell = LeakyRNN(3, tau=20.0, train_tau=True)
    p, x, workspace = start(cell, 2, 1), trial(5, 2, 2, 2), Workspace("float64")
    p["log_tau"][:] = np.log([DT / 3, DT, 2 * DT])
    y = cell.forward(p, x, DT, None, workspace).copy()
    grads = {k: np.zeros_like(a) for k, a in p.items()}
    cell.backward(p, x, np.ones_like(y), DT, workspace, grads, None)
    cell.constrain(p, DT)
    np.testing.assert_allclose(np.exp(p["log_tau"]), [DT, DT, 2 * DT], rtol=1e-12)
    np.testing.assert_allclose(cell.forward(p, x, DT, None, workspace), y, rtol=1e-12, atol=1e-12)
    there = {k: np.zeros_like(a) for k, a in p.items()}
    cell.backward(p, x, np.ones_like(y), DT, workspace, there, None)
    np.testing.assert_allclose(grads["log_tau"], there["log_tau"], rtol=1e-12)
    assert (grads["log_tau"] != 0).all()


@pytest.mark.parametrize("form", ["r", "x"])
@pytest.mark.parametrize("activation", ["rectified", "tanh", "sigmoid", "softplus"])
def test_gradients_are_those_of_pytorch(form, activation):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch: pip install '.[torch]'")
    f = {
        "rectified": torch.relu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "softplus": torch.nn.functional.softplus,
    }[activation]
    cell = LeakyRNN(20, tau=50.0, form=form, activation=activation, train_tau=True)
    p, x, weight = start(cell, 5, 1), trial(40, 8, 5, 2), trial(40, 8, 20, 3)
    workspace, grads = Workspace("float64"), {k: np.zeros_like(a) for k, a in p.items()}
    y = cell.forward(p, x, DT, None, workspace)
    dx = np.empty_like(x)
    cell.backward(p, x, weight.copy(), DT, workspace, grads, dx)

    q = {k: torch.tensor(a, requires_grad=True) for k, a in p.items()}
    u = torch.tensor(x, requires_grad=True)
    a = DT / torch.exp(q["log_tau"])
    state, rates = q[f"{form}0"].expand(8, -1), []
    r = state if form == "r" else f(state)
    for t in range(40):
        into = r @ q["w_rec"].T + u[t] @ q["w_in"].T + q["b"]
        state = (1 - a) * state + a * (f(into) if form == "r" else into)
        r = state if form == "r" else f(state)
        rates.append(r)
    rates = torch.stack(rates)
    (rates * torch.tensor(weight)).sum().backward()
    np.testing.assert_allclose(y, rates.detach().numpy(), rtol=1e-10, atol=1e-12)
    for name, found in {**grads, "x": dx}.items():
        wanted = (u if name == "x" else q[name]).grad.numpy()
        scale = np.abs(wanted).max()
        np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-10 * scale, err_msg=name)


@pytest.mark.parametrize(
    "cell",
    [LeakyRNN(64, noise=0.1), DaleRNN(64, form="x", train_tau=True), LowRankRNN(64, 3)],
    ids=lambda c: type(c).__name__,
)
def test_the_second_pass_makes_no_array_of_the_size_of_the_first(cell):
    p, x, workspace = (
        start(cell, 3, 1, "float32"),
        trial(60, 16, 3, 2, "float32"),
        Workspace("float32"),
    )
    grads, rng = {k: np.zeros_like(a) for k, a in p.items()}, np.random.default_rng(0)
    dy = np.ones((60, 16, 64), "float32")

    def both() -> None:
        cell.forward(p, x, DT, rng, workspace)
        cell.backward(p, x, dy, DT, workspace, grads, None)

    both()
    tracemalloc.start()
    both()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < dy.nbytes / 2


# Noise.


def fluctuations(cell: LeakyRNN, dt: float, duration: float = 1000.0, trials: int = 40):
    """Mean and standard deviation of the rates of unconnected units that noise alone drives."""
    p = cell.initial_parameters(1, dt, np.random.default_rng(0))
    p = {k: np.zeros_like(a, "float32") for k, a in p.items()}
    x = np.zeros((round(duration / dt), trials, 1), "float32")
    y = cell.forward(p, x, dt, np.random.default_rng(1), Workspace("float32"))
    y = y[round(500 / dt) :]
    return y.mean(), y.std()


@pytest.mark.parametrize("dt", [1.0, 2.0, 4.0])
def test_the_effect_of_coloured_noise_does_not_depend_on_dt(dt):
    # A time constant of dt hands the noise through: r = xi.
    through = LeakyRNN(50, tau=dt, noise=2.0, noise_tau=50.0, activation="linear")
    mean, sd = fluctuations(through, dt)
    assert mean == pytest.approx(0, abs=0.1) and sd == pytest.approx(2, rel=0.03)
    # Of the rectified noise, the mean is sigma / sqrt(2 pi).
    mean, sd = fluctuations(replace(through, tau=100.0, activation="rectified"), dt)
    assert mean == pytest.approx(2 / np.sqrt(2 * np.pi), rel=0.04)
    assert sd == pytest.approx(0.63, rel=0.05)  # the same at each dt
    # Low-passed by a linear unit: sigma sqrt(noise_tau / (noise_tau + tau)).
    mean, sd = fluctuations(replace(through, tau=100.0, form="x"), dt)
    assert sd == pytest.approx(2 * np.sqrt(50 / 150), rel=0.05)


def test_coloured_noise_has_its_time_constant():
    cell = LeakyRNN(30, tau=5.0, noise=1.0, noise_tau=20.0, activation="linear")
    p = {
        k: np.zeros_like(a)
        for k, a in cell.initial_parameters(1, 5.0, np.random.default_rng(0)).items()
    }
    y = cell.forward(p, np.zeros((300, 30, 1)), 5.0, np.random.default_rng(1), Workspace("float64"))
    for lag in (1, 4):
        assert np.mean(y[lag:] * y[:-lag]) == pytest.approx(np.exp(-5 * lag / 20), abs=0.02)
    assert y[0].std() == pytest.approx(1, rel=0.06)  # from the first step


@pytest.mark.parametrize("dt", [1.0, 2.0, 4.0])
def test_the_effect_of_white_noise_depends_on_dt_as_the_docstring_says(dt):
    cell = LeakyRNN(50, tau=20.0, noise=2.0, activation="linear")
    for form in ("x", "r"):
        mean, sd = fluctuations(replace(cell, form=form), dt)
        assert mean == pytest.approx(0, abs=0.05)
        assert sd == pytest.approx(2 / np.sqrt(1 - dt / 40), rel=0.02)
    mean, _ = fluctuations(replace(cell, activation="rectified"), dt)
    assert mean == pytest.approx(2 * np.sqrt(20 / (np.pi * dt)), rel=0.02)


# Start values and constraints.


def test_the_start_has_the_spectral_radius():
    for cell in (LeakyRNN(60, radius=0.7), LeakyRNN(60), DaleRNN(60)):
        p = cell.initial_parameters(3, DT, np.random.default_rng(0))
        radius = np.abs(np.linalg.eigvals(matrix(cell, p))).max()
        assert radius == pytest.approx(cell.radius, rel=1e-9)


def test_a_mask_without_loops_is_no_error():
    order = np.tril(np.ones((4, 4)), -1)
    order[0, 3] = 1  # unit 0 needs an input
    order[3] = [1, 0, 0, 0]
    order[1:3] = [[1, 0, 0, 0], [1, 0, 0, 0]]
    p = LeakyRNN(4, mask=order).initial_parameters(2, DT, np.random.default_rng(0))
    assert np.isfinite(p["w_rec"]).all()


def test_dale_starts_balanced_and_keeps_its_signs():
    mask = (np.random.default_rng(1).random((50, 50)) < 0.5).astype(float)
    cell = DaleRNN(50, mask=mask)
    assert list(cell.excitatory_units) == list(range(40))
    p = cell.initial_parameters(3, DT, np.random.default_rng(0))
    w = cell.weights(p)
    np.testing.assert_allclose(w.sum(axis=1), 0, atol=1e-12)
    assert (w[:, :40] >= 0).all() and (w[:, 40:] <= 0).all() and (p["w_rec"] > 0).mean() > 0.4
    assert (
        cell.initial_parameters(3, DT, np.random.default_rng(0))["w_rec"].tobytes()
        == p["w_rec"].tobytes()
    )


@pytest.mark.parametrize("kind", [LeakyRNN, DaleRNN])
def test_constraints_hold_exactly_after_any_update(kind):
    cell = kind(4, mask=MASK, fixed=FIXED)
    p = {
        k: a.astype("float32")
        for k, a in cell.initial_parameters(2, DT, np.random.default_rng(0)).items()
    }
    for seed in range(5):
        update = np.random.default_rng(seed).standard_normal((4, 4)).astype("float32")
        before = p["w_rec"] + update
        p["w_rec"] += update
        cell.constrain(p, DT)
        held = FIXED != 0
        free = (MASK == 1) & ~held
        assert (p["w_rec"][MASK == 0] == 0).all()
        assert (p["w_rec"][held] == FIXED[held].astype("float32")).all()
        wanted = np.maximum(before, 0) if kind is DaleRNN else before
        assert (p["w_rec"][free] == wanted[free]).all()


@pytest.mark.parametrize("form", ["r", "x"])
@pytest.mark.parametrize("kind", [LeakyRNN, DaleRNN, LowRankRNN])
def test_a_time_constant_that_was_led_below_dt_comes_back(kind, form):
    """A linear unit learns the time constant of its target, 50 ms, from below dt on."""
    cell = kind(5, form=form, tau=20.0, train_tau=True, activation="linear")
    net = RateNetwork([cell], 1, 1, DT, dtype="float64")
    for name, p in net.parameters.items():
        if name != "0.log_tau":
            p.fill(0)
            net.frozen.add(name)
    net.parameters["0.w_in"].fill(1)
    net.parameters["out.w"].fill(0.2)
    net.parameters["0.log_tau"][:] = np.log(DT) + np.linspace(-3, 0, 5)
    net.constrain()
    assert (net.parameters["0.log_tau"] == np.log(DT)).all()
    x, steps = trial(60, 8, 1, 1), Adam(0.1)
    y = np.zeros((8, 1))
    wanted = [y := (1 - DT / 50) * y + DT / 50 * u for u in x]
    memory, taus = steps.start(net.parameters), []
    for _ in range(200):
        steps.update(memory, net.parameters, net.backward(net.forward(x) - wanted), net.frozen)
        net.constrain()
        taus.append(np.exp(net.parameters["0.log_tau"]))
    assert min(map(min, taus)) >= DT * (1 - 1e-12)
    np.testing.assert_allclose(taus[-1], 50, rtol=0.01)


def test_the_gradient_at_dt_is_that_of_longer_time_constants():
    cell = LeakyRNN(3, tau=DT, train_tau=True, activation="tanh", noise=0.2)
    p, x, workspace = start(cell, 2, 1), trial(9, 4, 2, 2), Workspace("float64")
    p["log_tau"][:] = np.log(DT)
    weight = trial(9, 4, 3, 3)

    def loss() -> float:
        return np.sum(weight * cell.forward(p, x, DT, np.random.default_rng(6), workspace))

    here = loss()
    grads = {k: np.zeros_like(a) for k, a in p.items()}
    cell.backward(p, x, weight.copy(), DT, workspace, grads, None)
    for i in range(3):
        losses = []
        for step in (1e-4, 2e-4):
            p["log_tau"][i] = np.log(DT) + step
            losses.append(loss())
        p["log_tau"][i] = np.log(DT)
        onesided = (4 * losses[0] - losses[1] - 3 * here) / 2e-4
        assert abs(onesided) > 0.01
        assert grads["log_tau"][i] == pytest.approx(onesided, rel=1e-4)


def test_low_rank_is_the_full_matrix_without_making_it():
    cell = LowRankRNN(30, 3)
    p, x = start(cell, 2, 1), trial(8, 4, 2, 2)
    full = {k: a for k, a in p.items() if k not in ("m", "n")} | {"w_rec": matrix(cell, p)}
    wanted = LeakyRNN(30, form="x", activation="tanh").forward(
        full, x, DT, None, Workspace("float64")
    )
    found = cell.forward(p, x, DT, None, Workspace("float64"))
    np.testing.assert_allclose(found, wanted, rtol=1e-10, atol=1e-13)

    cell = LowRankRNN(3000)
    p, x, workspace = (
        start(cell, 2, 1, "float32"),
        trial(2, 2, 2, 2, "float32"),
        Workspace("float32"),
    )
    tracemalloc.start()
    y = cell.forward(p, x, DT, None, workspace)
    cell.backward(p, x, y.copy(), DT, workspace, {k: np.zeros_like(a) for k, a in p.items()}, None)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 3000 * 3000 * 4 / 5


# The regulariser of Song et al.


@pytest.mark.parametrize(
    "cell",
    [
        LeakyRNN(4, tau=TAUS, activation="tanh", mask=MASK),
        LeakyRNN(4, form="x", tau=30.0, activation="tanh"),
        DaleRNN(4, tau=40.0, activation="tanh"),
        LowRankRNN(4, 2, tau=30.0),
    ],
    ids=lambda c: f"{type(c).__name__}-{c.form}",
)
def test_the_regulariser_is_differentiated_by_the_weights_alone(cell):
    p, x, workspace = start(cell, 2, 1), trial(6, 3, 2, 2), Workspace("float64")
    y = cell.forward(p, x, DT, None, workspace).copy()
    grads = {k: np.zeros_like(a) for k, a in p.items()}
    g = trial(6, 3, 4, 3)
    cell.backward(p, x, g, DT, workspace, grads, None)  # g is now the derivative by each state
    a = DT / np.broadcast_to(cell.tau, 4)
    if cell.form == "r":  # of rates, the value of f is known from two of them
        before = np.concatenate([np.tile(p["r0"], (1, 3, 1)), y[:-1]])
        slopes = 1 - ((y - (1 - a) * before) / a) ** 2
    else:
        slopes = 1 - y**2

    def omega() -> float:
        w, terms = matrix(cell, p), []
        for t in range(5):
            for k in range(3):
                if cell.form == "r":
                    jacobian = np.diag(1 - a) + np.diag(a * slopes[t + 1, k]) @ w
                else:
                    jacobian = np.diag(1 - a) + np.diag(a) @ w @ np.diag(slopes[t, k])
                after = g[t + 1, k]
                ratio = np.linalg.norm(after @ jacobian) / np.linalg.norm(after)
                terms.append((ratio - 1) ** 2)
        return 0.7 * np.mean(terms)

    found = {k: np.ones_like(v) for k, v in p.items()}
    assert cell.vanishing(p, g, 0.7, workspace, found) == pytest.approx(omega(), rel=1e-10)
    weights = [name for name in ("w_rec", "m", "n") if name in p]
    for name in weights:
        numeric = differences(omega, p[name], 1e-5)
        if name == "w_rec" and cell.mask is not None:
            numeric *= cell.mask
        np.testing.assert_allclose(found[name] - 1, numeric, rtol=1e-6, atol=1e-9)
    assert all((found[name] == 1).all() for name in found if name not in weights)


# Areas.


def test_areas_lie_one_behind_the_other_with_sparse_connections_between():
    mask = areas({"v1": 100, "mt": 60}, within=0.8, between={("v1", "mt"): 0.1}, seed=1)
    assert mask.shape == (160, 160) and set(np.unique(mask)) == {0, 1}
    assert mask[:100, :100].mean() == pytest.approx(0.8, abs=0.02)
    assert mask[100:, 100:].mean() == pytest.approx(0.8, abs=0.03)
    assert mask[100:, :100].mean() == pytest.approx(0.1, abs=0.02)  # from v1 to mt
    assert (mask[:100, 100:] == 0).all()
    again = areas({"v1": 100, "mt": 60}, within=0.8, between={("v1", "mt"): 0.1}, seed=1)
    np.testing.assert_array_equal(mask, again)


def test_bad_areas_are_refused():
    with pytest.raises(KeyError, match="between names 'v2'; the areas are v1, mt"):
        areas({"v1": 3, "mt": 2}, between={("v1", "v2"): 0.1})
    with pytest.raises(ValueError, match="from mt to v1 is 1.2; it must lie between 0 and 1"):
        areas({"v1": 3, "mt": 2}, between={("mt", "v1"): 1.2})
    with pytest.raises(ValueError, match="units of v1 is 0; it must be a whole number, 1 or more"):
        areas({"v1": 0})


# Bad input.

EMPTY_ROW = np.array([[1, 1], [0, 0]])


@pytest.mark.parametrize(
    "make, told",
    [
        (lambda: LeakyRNN(0), "LeakyRNN: units is 0; it must be a whole number, 1 or more"),
        (lambda: LeakyRNN(3, form="y"), "form is 'y'; it must be 'r' or 'x'"),
        (lambda: LeakyRNN(3, activation="relu"), "activation is 'relu'"),
        (lambda: LeakyRNN(3, noise=-1), "noise is -1; it must be a finite number, 0 or more"),
        (lambda: LeakyRNN(3, noise_tau=0), "noise_tau is 0; it must be a finite number above 0"),
        (lambda: LeakyRNN(3, radius=np.nan), "radius is nan; it must be a finite number above 0"),
        (lambda: LeakyRNN(3, tau=[1, 2]), r"tau has shape \(2,\); .* have shape \(3,\)"),
        (lambda: LeakyRNN(2, tau=[1, np.nan]), r"tau is \[1, nan\]; it must be above 0 ms"),
        (lambda: LeakyRNN(2, mask=MASK), r"mask has shape \(4, 4\); it must have shape \(2, 2\)"),
        (lambda: DaleRNN(2, mask=EMPTY_ROW), r"mask leaves unit 1 without input \(1 of 2 units\)"),
        (lambda: LeakyRNN(2, mask=EMPTY_ROW + 1), "mask has other values than 0 and 1"),
        (lambda: LeakyRNN(4, fixed=np.nan * FIXED), "fixed holds what is not finite"),
        (lambda: LeakyRNN(4, fixed=FIXED + 1, mask=MASK), "fixed has weights where mask is 0"),
        (lambda: DaleRNN(4, fixed=-FIXED), "fixed has weights down to -0.7; the sign is that of"),
        (lambda: DaleRNN(10, excitatory=1.0), "excitatory is 1.0, which makes 10 of 10 units"),
        (lambda: DaleRNN(10, excitatory=0), "excitatory is 0, which makes 0 of 10 units"),
        (lambda: DaleRNN(2), "excitatory is 0.8, which makes 2 of 2 units"),
        (lambda: DaleRNN(2, excitatory=np.array([True, True])), "makes 2 of 2 units"),
        (lambda: DaleRNN(2, excitatory=np.array([1, 0])), r"excitatory has shape \(2,\) and type"),
        (lambda: LowRankRNN(3, 4), "rank is 4; it must be a whole number, from 1 to 3"),
        (lambda: LeakyRNN(3, tau=5.0).check(2, 10.0), "tau is 5 ms and dt 10 ms; tau must be at"),
        (lambda: DaleRNN(2, tau=[5, 20], excitatory=0.5).check(2, 10.0), "tau is 5 ms and dt 10"),
        (lambda: LowRankRNN(3, tau=9.0).check(2, 10.0), "tau is 9 ms and dt 10 ms"),
    ],
)
def test_bad_settings_are_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def test_cells_are_equal_by_their_settings():
    assert LeakyRNN(4, mask=MASK) == LeakyRNN(4, mask=MASK.tolist())
    assert LeakyRNN(4, mask=MASK) != LeakyRNN(4, mask=1 - np.eye(4))
    assert LeakyRNN(4, mask=MASK) != LeakyRNN(4)
    assert LeakyRNN(4) != DaleRNN(4)
    assert LeakyRNN(4, activation="tanh") == LeakyRNN(4, activation=Tanh())


@pytest.mark.parametrize("kind", [LeakyRNN, DaleRNN, LowRankRNN])
def test_time_constants_stay_in_their_range(kind):
    cell = kind(5, tau=np.linspace(20, 50, 5), train_tau=True, tau_range=(20, 50))
    p = {
        name: value.copy()
        for name, value in cell.initial_parameters(1, DT, np.random.default_rng(0)).items()
    }
    p["log_tau"] += [-1, -0.1, 0, 0.1, 1]
    cell.constrain(p, DT)
    assert np.exp(p["log_tau"]) == pytest.approx(
        [20, 27.5 * np.exp(-0.1), 35, 42.5 * np.exp(0.1), 50]
    )


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"tau_range": 20.0}, "must be two time constants"),
        ({"tau_range": (50.0, 20.0)}, "the shorter first"),
        ({"tau_range": (20.0, 50.0), "train_tau": False}, "it is for time constants that are"),
        ({"tau_range": (20.0, 50.0)}, "tau, from 100 to 100 ms, must lie in it"),
    ],
)
def test_bad_ranges_of_time_constants(options, told):
    with pytest.raises(ValueError, match=told):
        LeakyRNN(3, **{"train_tau": True, **options})
