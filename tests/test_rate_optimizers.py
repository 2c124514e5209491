"""Optimizers do what their equations say, in place and without making arrays."""

import math
import tracemalloc

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim.rate.optimizers import SGD, Adam, clip_norm, global_norm


def arrays(seed=0, dtype="float64", size=30):
    rng = np.random.default_rng(seed)
    return {
        "w": rng.standard_normal((size, 20)).astype(dtype),
        "b": rng.standard_normal(size).astype(dtype),
    }


def run(optimizer, updates=20, dtype="float64", frozen=()):
    parameters = arrays(dtype=dtype)
    state = optimizer.start(parameters)
    for k in range(updates):
        optimizer.update(state, parameters, arrays(k + 1, dtype), frozen)
    return parameters


def adam_by_hand(rate, beta1, beta2, epsilon, updates=20):
    parameters = arrays()
    m = {name: 0.0 for name in parameters}
    v = {name: 0.0 for name in parameters}
    for t in range(1, updates + 1):
        for name, g in arrays(t).items():
            m[name] = beta1 * m[name] + (1 - beta1) * g
            v[name] = beta2 * v[name] + (1 - beta2) * g**2
            mean, square = m[name] / (1 - beta1**t), v[name] / (1 - beta2**t)
            parameters[name] = parameters[name] - rate * mean / (np.sqrt(square) + epsilon)
    return parameters


@settings(max_examples=20, deadline=None)
@given(
    rate=st.floats(1e-5, 1.0),
    beta1=st.floats(0.0, 0.99),
    beta2=st.floats(0.0, 0.9999),
    epsilon=st.floats(1e-10, 1e-2),
)
def test_adam_is_its_equations(rate, beta1, beta2, epsilon):
    found = run(Adam(rate, beta1, beta2, epsilon))
    expected = adam_by_hand(rate, beta1, beta2, epsilon)
    for name in found:
        np.testing.assert_allclose(found[name], expected[name], rtol=1e-9, atol=1e-12)


def test_sgd_is_its_equations():
    parameters, v = arrays(), {"w": 0.0, "b": 0.0}
    for k in range(20):
        for name, g in arrays(k + 1).items():
            v[name] = 0.8 * v[name] + g
            parameters[name] = parameters[name] - 0.05 * v[name]
    found = run(SGD(0.05, momentum=0.8))
    for name in found:
        np.testing.assert_allclose(found[name], parameters[name], rtol=1e-12)


@pytest.mark.parametrize("kind", ["Adam", "SGD"])
def test_against_torch(kind):
    torch = pytest.importorskip("torch", reason="the reference for optimizers is PyTorch")
    ours = {"Adam": Adam(0.01), "SGD": SGD(0.01, momentum=0.9)}[kind]
    tensors = {name: torch.tensor(a, requires_grad=True) for name, a in arrays().items()}
    options = {"lr": 0.01} | ({"momentum": 0.9} if kind == "SGD" else {})
    theirs = getattr(torch.optim, kind)(tensors.values(), **options)
    for k in range(20):
        for name, g in arrays(k + 1).items():
            tensors[name].grad = torch.tensor(g)
        theirs.step()
    for name, array in run(ours).items():
        np.testing.assert_allclose(array, tensors[name].detach().numpy(), rtol=1e-10)


@pytest.mark.parametrize("optimizer", [Adam(), SGD()])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_precision_stays_and_frozen_parameters_too(optimizer, dtype):
    found = run(optimizer, dtype=dtype, frozen={"b"})
    assert all(array.dtype == dtype for array in found.values())
    np.testing.assert_array_equal(found["b"], arrays(dtype=dtype)["b"])
    assert not np.any(found["w"] == arrays(dtype=dtype)["w"])


@pytest.mark.parametrize("optimizer", [Adam(), SGD()])
def test_a_stored_state_goes_on_as_before(optimizer):
    parameters = arrays()
    state = optimizer.start(parameters)
    for k in range(20):
        optimizer.update(state, parameters, arrays(k + 1))
        state = {name: array.copy() for name, array in state.items()}
    for name, array in run(optimizer).items():
        np.testing.assert_array_equal(parameters[name], array)


@pytest.mark.parametrize("optimizer", [Adam(), SGD()])
def test_an_update_makes_no_arrays(optimizer):
    parameters, gradients = arrays(size=5000), arrays(1, size=5000)
    state = optimizer.start(parameters)
    tracemalloc.start()
    optimizer.update(state, parameters, gradients)
    clip_norm(gradients, 1e-3)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < parameters["w"].nbytes / 20


def test_clipping_scales_all_gradients_together():
    gradients = arrays()
    before = {name: g.copy() for name, g in gradients.items()}
    norm = math.sqrt(sum(np.sum(g**2) for g in before.values()))
    assert clip_norm(gradients, 1.5) == pytest.approx(norm)
    assert global_norm(gradients) == pytest.approx(1.5)
    for name, g in gradients.items():
        np.testing.assert_allclose(g, before[name] * 1.5 / norm)
    assert clip_norm(gradients, 2.0) == pytest.approx(1.5)
    assert global_norm(gradients) == pytest.approx(1.5)


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_the_norm_tells_what_is_not_finite(bad):
    gradients = arrays()
    gradients["b"][3] = bad
    assert not math.isfinite(global_norm(gradients))


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: Adam(0.0), "Adam: learning_rate is 0.0; it must be a finite number above 0"),
        (lambda: Adam(math.inf), "Adam: learning_rate is inf"),
        (
            lambda: Adam(beta1=1.0),
            "Adam: beta1 is 1.0; it must be a finite number, at least 0 and below 1",
        ),
        (lambda: Adam(beta2=-0.1), "Adam: beta2 is -0.1"),
        (lambda: Adam(epsilon=0.0), "Adam: epsilon is 0.0"),
        (lambda: SGD(math.nan), "SGD: learning_rate is nan"),
        (lambda: SGD(momentum=1.0), "SGD: momentum is 1.0"),
    ],
)
def test_a_mistake_gets_a_sentence(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


@pytest.mark.parametrize("kind", [Adam, SGD])
def test_the_learning_rate_was_called_rate(kind):
    with pytest.warns(DeprecationWarning, match=f"{kind.__name__}: rate is called learning_rate"):
        old = kind(rate=0.5)
    assert old == kind(0.5) == kind(learning_rate=0.5)
    with pytest.warns(DeprecationWarning, match=f"{kind.__name__}.rate is called learning_rate"):
        assert old.rate == 0.5
    with pytest.raises(TypeError, match="rate and learning_rate, which are the same"):
        kind(rate=0.5, learning_rate=0.5)
