"""Spiking units: the forward pass against a twin to be read, gradients against differences of a
smooth twin and against PyTorch, where the same surrogate is the slope of the same step."""

import tracemalloc
import warnings

import numpy as np
import pytest
from finite_differences import derivative, differences
from hypothesis import given, settings, strategies as st
from scipy.special import erf

from spikesim.rate import (
    SNU,
    ALIFCell,
    FastSigmoid,
    Gaussian,
    LIFCell,
    Triangle,
    firing_rate_cost,
)
from spikesim.rate.cells import membrane, snu
from spikesim.rate.network import RateNetwork
from spikesim.rate.optimizers import Adam
from spikesim.rate.workspace import Workspace

UNITS, INPUTS, STEPS, TRIALS, DT = 7, 3, 25, 4, 1.0
SURROGATES = [FastSigmoid(3.0), Triangle(0.4, 2.0), Gaussian(0.7)]
SMOOTH = {  # the function whose slope each surrogate is
    FastSigmoid: lambda s, u: u / (1 + s.beta * np.abs(u)),
    Triangle: lambda s, u: (
        s.height * np.where(np.abs(u) < s.width, u - u * np.abs(u) / (2 * s.width), 0)
        + s.height * s.width / 2 * np.sign(u) * (np.abs(u) >= s.width)
    ),
    Gaussian: lambda s, u: erf(u / (s.sigma * np.sqrt(2))) / 2,
}
CELLS = [
    SNU(UNITS, tau=5.0),
    SNU(UNITS, tau=3.0, rectify=False, surrogate=Triangle(0.4, 2.0)),
    SNU(UNITS, tau=5.0, detach_reset=True, surrogate=Gaussian(0.7)),
    SNU(UNITS, tau=5.0, soft=True),
    SNU(UNITS, tau=5.0, soft=True, rectify=False, detach_reset=True),
    LIFCell(UNITS, tau=5.0, t_ref=0.0),
    LIFCell(UNITS, tau=5.0, t_ref=0.0, input="spikes", surrogate=Triangle(0.4, 2.0)),
    LIFCell(UNITS, tau=5.0, t_ref=1.0, detach_reset=True),
    LIFCell(UNITS, tau=5.0, t_ref=3.0, surrogate=Gaussian(0.7)),
    ALIFCell(UNITS, tau=5.0, t_ref=0.0, tau_adapt=9.0, beta=0.3, adaptive=0.6),
    ALIFCell(UNITS, tau=5.0, t_ref=2.0, tau_adapt=9.0, detach_reset=True, input="spikes"),
]


def case(cell, seed=0, steps=STEPS, trials=TRIALS, inputs=INPUTS, dtype="float64"):
    """Parameters with which units fire at about a fifth of the steps, inputs, dy."""
    rng = np.random.default_rng(seed)
    p = cell.initial_parameters(inputs, DT, rng)
    p["b"] += rng.uniform(0.2, 1.2, cell.units)
    p = {name: value.astype(dtype) for name, value in p.items()}
    x = rng.standard_normal((steps, trials, inputs)).astype(dtype)
    return p, x, rng.standard_normal((steps, trials, cell.units)).astype(dtype)


def gradients(cell, p, x, dy):
    workspace = Workspace(x.dtype)
    y = cell.forward(p, x, DT, None, workspace).copy()
    grads = {name: np.zeros_like(value) for name, value in p.items()}
    dx = np.empty_like(x)
    cell.backward(p, x, dy.copy(), DT, workspace, grads, dx)
    return y, grads | {"x": dx}


def twin(cell, p, x, fire=lambda u: float(u >= 0)):
    """One trial, one unit, one step at a time."""
    y = np.zeros((len(x), x.shape[1], cell.units))
    for trial in range(x.shape[1]):
        state, q, last = np.zeros(cell.units), np.zeros(cell.units), np.full(cell.units, -np.inf)
        for t in range(len(x)):
            before = y[t - 1, trial] if t else np.zeros(cell.units)
            drive, spikes = p["w_in"] @ x[t, trial], p["w_rec"] @ before
            for j in range(cell.units):
                if isinstance(cell, SNU):
                    keep = 1 - DT / cell.tau
                    s = drive[j] + spikes[j] + keep * state[j] * (1 - before[j])
                    state[j] = max(s, 0) if cell.rectify else s
                    u = state[j] + p["b"][j]
                    y[t, trial, j] = 1 / (1 + np.exp(-u)) if cell.soft else fire(u)
                    continue
                a = np.exp(-DT / cell.tau)
                c = 1 if cell.input == "spikes" else 1 - a
                state[j] = a * state[j] + c * drive[j] + (1 - a) * p["b"][j] + spikes[j] - before[j]
                threshold = 1
                if isinstance(cell, ALIFCell):
                    beta = cell.beta if j < round(cell.adaptive * cell.units) else 0
                    q[j] = np.exp(-DT / cell.tau_adapt) * q[j] + beta * before[j]
                    threshold = 1 + q[j]
                if (t - last[j]) * DT > cell.t_ref:
                    y[t, trial, j] = fire(state[j] - threshold)
                    last[j] = t if y[t, trial, j] else last[j]
    return y


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_forward_is_that_of_the_readable_twin(cell):
    p, x, dy = case(cell)
    y, _ = gradients(cell, p, x, dy)
    assert 0.03 < y.mean() < 0.8
    np.testing.assert_allclose(y, twin(cell, p, x), rtol=1e-12, atol=1e-12)


@settings(max_examples=20, deadline=None)
@given(
    st.integers(1, 5), st.integers(1, 4), st.integers(1, 3), st.integers(1, 6), st.integers(0, 9)
)
def test_any_shape(units, inputs, trials, steps, seed):
    for cell in (SNU(units), LIFCell(units, tau=5.0, t_ref=2.0), ALIFCell(units, tau=5.0)):
        p, x, dy = case(cell, seed, steps, trials, inputs)
        y, grads = gradients(cell, p, x, dy)
        np.testing.assert_allclose(y, twin(cell, p, x), atol=1e-12)
        assert all(np.isfinite(g).all() for g in grads.values())


@pytest.mark.parametrize("surrogate", SURROGATES, ids=str)
def test_surrogates_are_slopes(surrogate):
    u = np.linspace(-3, 3, 602)
    slope, smooth = np.empty_like(u), SMOOTH[type(surrogate)]
    surrogate.slope(u, slope)
    numeric = derivative(lambda shift: smooth(surrogate, u + shift), 1e-6)
    np.testing.assert_allclose(slope, numeric, atol=1e-8)
    assert (slope >= 0).all() and slope.argmax() in (300, 301)


def test_surrogates_have_the_heights_their_docstrings_say():
    u = np.array([0.0])
    for surrogate, height in (
        (FastSigmoid(8.0), 1),
        (Triangle(0.3), 0.3),
        (Gaussian(0.5), np.sqrt(2 / np.pi)),
    ):
        out = np.empty(1)
        surrogate.slope(u, out)
        assert out[0] == pytest.approx(height)


def close(one, other, tolerance):
    assert one.keys() == other.keys()
    for name in one:
        size = np.abs(other[name]).max()
        assert size > 1e-6, f"{name} has no gradient"
        np.testing.assert_allclose(one[name], other[name], atol=tolerance * size, err_msg=name)


WITHOUT_GIVEN = [cell for cell in CELLS if not cell.detach_reset and getattr(cell, "t_ref", 0) == 0]


@pytest.mark.parametrize("surrogate", SURROGATES, ids=str)
@pytest.mark.parametrize("cell", WITHOUT_GIVEN, ids=str)
def test_gradients_of_the_smooth_twin_are_its_differences(cell, surrogate, monkeypatch):
    """With the step replaced by the function whose slope is the surrogate nothing is a stand-in:
    the backward pass is the derivative of the forward pass."""
    cell = type(cell)(**{**vars(cell), "surrogate": surrogate})
    smooth = SMOOTH[type(surrogate)]
    for module in (membrane, snu):
        monkeypatch.setattr(
            module, "fire", lambda u, out: np.copyto(out, 0.5 + smooth(surrogate, u))
        )
    p, x, dy = case(cell, steps=8, trials=2)
    y, grads = gradients(cell, p, x, dy)
    if not getattr(cell, "soft", False):
        expected = twin(cell, p, x, lambda u: 0.5 + smooth(surrogate, u))
        np.testing.assert_allclose(y, expected, atol=1e-12)
    workspace = Workspace("float64")

    def loss():
        return np.sum(cell.forward(p, x, DT, None, workspace) * dy)

    numeric = {name: differences(loss, array, 1e-6) for name, array in (p | {"x": x}).items()}
    close(grads, numeric, 1e-6)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_gradients_are_those_of_torch_with_the_same_surrogate(cell):
    torch = pytest.importorskip("torch", reason="the oracle is PyTorch: pip install '.[torch]'")

    class Step(torch.autograd.Function):
        @staticmethod
        def forward(ctx, u):
            ctx.save_for_backward(u)
            return (u >= 0).to(u.dtype)

        @staticmethod
        def backward(ctx, d):
            u = ctx.saved_tensors[0].numpy()
            slope = np.empty_like(u)
            cell.surrogate.slope(u, slope)
            return d * torch.from_numpy(slope)

    p, x, dy = case(cell)
    y, grads = gradients(cell, p, x, dy)
    given = {name: torch.tensor(a, requires_grad=True) for name, a in (p | {"x": x}).items()}
    outputs = torch_forward(torch, cell, given, Step.apply)
    np.testing.assert_allclose(y, outputs.detach().numpy(), atol=1e-10)
    (outputs * torch.tensor(dy)).sum().backward()
    close(grads, {name: a.grad.numpy() for name, a in given.items()}, 1e-10)


def torch_forward(torch, cell, p, step):
    x, zero = p["x"], torch.zeros(TRIALS, UNITS, dtype=torch.float64)
    y, state, q, left, outputs = zero, zero, zero, zero, []
    for t in range(STEPS):
        reset = y.detach() if cell.detach_reset else y
        drive, spikes = x[t] @ p["w_in"].T, y @ p["w_rec"].T
        if isinstance(cell, SNU):
            state = drive + spikes + (1 - DT / cell.tau) * state * (1 - reset)
            state = torch.relu(state) if cell.rectify else state
            u = state + p["b"]
            y = torch.sigmoid(u) if cell.soft else step(u)
        else:
            a = float(np.exp(-DT / cell.tau))
            c = 1 if cell.input == "spikes" else 1 - a
            state = a * state + c * drive + (1 - a) * p["b"] + spikes - reset
            if isinstance(cell, ALIFCell):
                beta = torch.zeros(UNITS, dtype=torch.float64)
                beta[: round(cell.adaptive * UNITS)] = cell.beta
                q = float(np.exp(-DT / cell.tau_adapt)) * q + beta * y
            y = step(state - 1 - q) * (left == 0)
            left = torch.where(y.detach() > 0, round(cell.t_ref / DT), (left - 1).clamp(min=0))
        outputs.append(y)
    return torch.stack(outputs)


def test_detached_resets_change_gradients_alone():
    for cell, detached in (
        (LIFCell(UNITS), LIFCell(UNITS, detach_reset=True)),
        (SNU(UNITS), SNU(UNITS, detach_reset=True)),
    ):
        p, x, dy = case(cell)
        y, grads = gradients(cell, p, x, dy)
        y_detached, grads_detached = gradients(detached, p, x, dy)
        np.testing.assert_array_equal(y, y_detached)
        assert np.abs(grads["w_in"] - grads_detached["w_in"]).max() > 1e-3


@pytest.mark.parametrize("kind", [LIFCell, ALIFCell])
def test_a_refractory_time_that_rounds_to_nothing_is_told(kind):
    told = rf"{kind.__name__}: t_ref is 0.4 ms, which rounds to no step of dt = 1 ms"
    with pytest.warns(UserWarning, match=told) as caught:
        RateNetwork([kind(3, t_ref=0.4)], 2, 1, 1.0)
    assert caught[0].filename == __file__
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for t_ref in (0.0, 0.5, 2.0):
            RateNetwork([kind(3, t_ref=t_ref)], 2, 1, 1.0)


def test_refractory_time_is_kept_and_rounded_to_steps():
    for t_ref, apart in ((0.0, 1), (2.0, 3), (2.4, 3), (2.6, 4)):
        cell = LIFCell(2, t_ref=t_ref, input="spikes")
        p = {"w_in": np.full((2, 1), 50.0), "w_rec": np.zeros((2, 2)), "b": np.zeros(2)}
        z = cell.forward(p, np.ones((20, 1, 1)), DT, None, Workspace("float64"))
        assert (np.diff(np.flatnonzero(z[:, 0, 0])) == apart).all()


def test_a_current_does_the_same_at_another_dt():
    cell = LIFCell(1, tau=20.0, t_ref=0.0)
    p = {"w_in": np.full((1, 1), 1.5), "w_rec": np.zeros((1, 1)), "b": np.full(1, 0.3)}
    counts = [
        cell.forward(p, np.ones((round(2000 / dt), 1, 1)), dt, None, Workspace("float64")).sum()
        for dt in (0.5, 0.1)
    ]
    # v falls by 1 from 1 and returns: the interval is tau ln(1.8 / 0.8)
    expected = 2000 / (20 * np.log(1.8 / 0.8))
    assert counts[1] == pytest.approx(expected, rel=0.02)
    assert counts[0] == pytest.approx(expected, rel=0.05)


def test_adaptation_slows_the_adaptive_units_alone():
    cell = ALIFCell(4, adaptive=0.5, beta=0.5)
    p = {"w_in": np.full((4, 1), 3.0), "w_rec": np.zeros((4, 4)), "b": np.zeros(4)}
    z = cell.forward(p, np.ones((400, 1, 1)), DT, None, Workspace("float64")).sum(axis=0)[0]
    assert z[0] == z[1] < 0.6 * z[2] and z[2] == z[3]


@pytest.mark.parametrize("cell", [CELLS[0], CELLS[8], CELLS[10]], ids=str)
def test_single_precision_stays_so(cell):
    p, x, dy = case(cell, dtype="float32")
    y, grads = gradients(cell, p, x, dy)
    assert y.dtype == np.float32 and all(g.dtype == np.float32 for g in grads.values())
    _, exact = gradients(cell, *(case(cell)))
    close({n: g.astype(float) for n, g in grads.items()}, exact, 1e-4)


@pytest.mark.parametrize("cell", [SNU(20), LIFCell(20), ALIFCell(20)], ids=str)
def test_a_second_pass_allocates_no_arrays(cell):
    p, x, dy = case(cell, steps=300, trials=20)
    workspace, dx = Workspace("float64"), np.empty_like(x)
    grads = {name: np.zeros_like(value) for name, value in p.items()}

    def both():
        cell.forward(p, x, DT, None, workspace)
        cell.backward(p, x, dy, DT, workspace, grads, dx)

    both()
    tracemalloc.start()
    both()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < x.shape[0] * x.shape[1] * 20  # bytes: an eighth of one array of all steps


def test_backward_adds_and_may_leave_out_dx():
    cell = LIFCell(UNITS)
    p, x, dy = case(cell)
    _, once = gradients(cell, p, x, dy)
    workspace = Workspace("float64")
    cell.forward(p, x, DT, None, workspace)
    grads = {name: np.ones_like(value) for name, value in p.items()}
    cell.backward(p, x, dy.copy(), DT, workspace, grads, None)
    for name in p:
        np.testing.assert_allclose(grads[name], once[name] + 1, rtol=1e-12)


def test_firing_rate_cost_and_its_derivative():
    rng = np.random.default_rng(3)
    spikes = (rng.random((50, 4, 3)) < [0.0, 0.1, 0.4]).astype(float)
    d = np.ones_like(spikes)
    cost = firing_rate_cost(spikes, 100.0, 1e-4, 0.5, d)
    hertz = spikes.sum(axis=(0, 1)) / (4 * 50 * 0.5e-3)
    assert cost == pytest.approx(1e-4 * np.mean((hertz - 100) ** 2))
    numeric = differences(
        lambda: firing_rate_cost(spikes, 100.0, 1e-4, 0.5, np.zeros_like(spikes)), spikes
    )
    np.testing.assert_allclose(d - 1, numeric, rtol=1e-5, atol=1e-9)


@pytest.mark.parametrize("cell", [SNU(30), LIFCell(30), ALIFCell(30)], ids=str)
def test_training_learns_which_of_two_spike_patterns_came(cell):
    rng = np.random.default_rng(5)
    patterns = (rng.random((2, 40, 10)) < 0.15).astype(float)
    which = np.arange(16) % 2
    x = np.stack([patterns[i] for i in which], axis=1) * 3
    network = RateNetwork([cell], 10, 1, DT, seed=1, readout_tau=20.0)
    target = np.where(which, 1, -1)[:, None]
    optimizer, losses = Adam(0.01), []
    state = optimizer.start(network.parameters)
    for _ in range(60):
        off = network.forward(x)[-1] - target
        losses.append(float(np.mean(off**2)))
        d = np.zeros((40, 16, 1))
        d[-1] = 2 * off / off.size
        optimizer.update(state, network.parameters, network.backward(d))
    assert losses[-1] < 0.1 < 0.5 < losses[0]


BAD = [
    (lambda: LIFCell(0), "LIFCell: units is 0"),
    (lambda: LIFCell(5, tau=0.0), "LIFCell: tau is 0.0"),
    (lambda: LIFCell(5, tau=np.nan), "LIFCell: tau is nan"),
    (
        lambda: LIFCell(5, t_ref=-1.0),
        "LIFCell: t_ref is -1.0; it must be a finite number, 0 or more",
    ),
    (lambda: LIFCell(5, input="rates"), "LIFCell: input is 'rates'"),
    (lambda: LIFCell(5, surrogate="fast"), "LIFCell: surrogate is 'fast'"),
    (
        lambda: ALIFCell(5, adaptive=1.5),
        "ALIFCell: adaptive is 1.5; it must be .* at least 0 and at most 1",
    ),
    (lambda: ALIFCell(5, beta=-0.2), "ALIFCell: beta is -0.2"),
    (lambda: SNU(True), "SNU: units is True"),
    (lambda: SNU(5, tau=float("inf")), "SNU: tau is inf"),
    (lambda: FastSigmoid(0), "FastSigmoid: beta is 0"),
    (lambda: Triangle(width=0), "Triangle: width is 0"),
    (lambda: Gaussian("a"), "Gaussian: sigma is 'a'"),
    (lambda: LIFCell(5, tau=0.5).check(3, 1.0), "LIFCell: tau is 0.5 ms; .* below dt, 1.0 ms"),
    (lambda: SNU(5, tau=0.5).check(3, 1.0), "SNU: tau is 0.5 ms"),
    (lambda: ALIFCell(5, tau_adapt=0.5).check(3, 1.0), "ALIFCell: tau_adapt is 0.5 ms"),
]


@pytest.mark.parametrize(("make", "told"), BAD)
def test_bad_settings_are_told_in_a_sentence(make, told):
    with pytest.raises(ValueError, match=told):
        make()
