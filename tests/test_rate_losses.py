"""Losses: their formulas, derivatives by central differences, errors."""

import numpy as np
import pytest
from finite_differences import differences
from hypothesis import given, settings, strategies as st

from spikesim.rate.losses import cross_entropy, l1, l2, metabolic, squared, vanishing

RNG = np.random.default_rng(0)
Z = RNG.standard_normal((5, 3, 4))
TARGETS = RNG.standard_normal((5, 3, 4))
CLASSES = RNG.integers(4, size=(5, 3))
SHARES = RNG.dirichlet(np.ones(4), (5, 3)) * RNG.uniform(0.5, 2, (5, 3, 1))
STEPS = (RNG.random((5, 3)) < 0.6).astype(float)
ENTRIES = RNG.uniform(0, 2, (5, 3, 4))


def softmax(z):
    return np.exp(z) / np.exp(z).sum(axis=-1, keepdims=True)


def check_derivative(loss, array, found):
    """loss() by the entries of an array, against what was found."""
    np.testing.assert_allclose(found, differences(loss, array), rtol=1e-6, atol=1e-10)


CASES = [
    (squared, TARGETS, None),
    (squared, TARGETS, STEPS),
    (squared, TARGETS, ENTRIES),
    (cross_entropy, CLASSES, None),
    (cross_entropy, CLASSES, STEPS),
    (cross_entropy, SHARES, STEPS * 3),
]


@pytest.mark.parametrize("loss, targets, mask", CASES)
def test_derivatives_are_central_differences(loss, targets, mask):
    z, d = Z.copy(), np.full(Z.shape, np.nan)
    loss(z, targets, mask, d)
    check_derivative(lambda: loss(z, targets, mask, np.empty_like(z)), z, d)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_squared_is_the_mean_over_what_the_mask_lets_through(dtype):
    z, d = Z.astype(dtype), np.empty(Z.shape, dtype)
    error = (Z - TARGETS) ** 2
    assert squared(z, TARGETS, None, d) == pytest.approx(error.mean(), rel=1e-6)
    assert squared(z, TARGETS, STEPS, d) == pytest.approx(error[STEPS > 0].mean(), rel=1e-6)
    assert (d[STEPS == 0] == 0).all() and d.dtype == dtype
    wanted = np.average(error, weights=ENTRIES)
    assert squared(z, TARGETS, ENTRIES, d) == pytest.approx(wanted, rel=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_cross_entropy_is_that_of_the_softmax(dtype):
    z, d = Z.astype(dtype), np.empty(Z.shape, dtype)
    surprise = -np.log(np.take_along_axis(softmax(Z), CLASSES[..., None], -1))[..., 0]
    assert cross_entropy(z, CLASSES, None, d) == pytest.approx(surprise.mean(), rel=1e-6)
    assert cross_entropy(z, CLASSES, STEPS, d) == pytest.approx(surprise[STEPS > 0].mean(), 1e-6)
    one_hot = np.eye(4)[CLASSES]
    assert cross_entropy(z, one_hot, None, d) == pytest.approx(surprise.mean(), rel=1e-6)
    np.testing.assert_allclose(d, (softmax(Z) - one_hot) / 15, atol=1e-7)


@settings(deadline=None)
@given(st.lists(st.floats(-3e4, 3e4, width=32), min_size=2, max_size=5))
def test_cross_entropy_stays_finite(z):
    z = np.array([[z]], "float32")
    d = np.empty_like(z)
    with np.errstate(all="raise", under="ignore"):
        assert 0 <= cross_entropy(z, np.array([[1]]), None, d) < 1e5
    assert (np.abs(d) <= 1).all() and abs(d.sum()) < 1e-5


def test_costs_add_their_derivatives_to_what_there_is():
    for cost, wanted in (
        (l1, np.abs(Z).mean()),
        (l2, (Z**2).mean()),
        (metabolic, (Z**2).mean()),
        (lambda *args: metabolic(*args, power=1), np.abs(Z).mean()),
    ):
        z, d = Z.copy(), np.ones_like(Z)
        assert cost(z, 0.3, d) == pytest.approx(0.3 * wanted)
        check_derivative(lambda z=z, cost=cost: cost(z, 0.3, np.empty_like(z)), z, d - 1)
    with pytest.raises(ValueError, match="power is 3; it must be 1 or 2"):
        metabolic(Z, 0.1, np.zeros_like(Z), 3)


def test_the_regulariser_is_zero_where_gradients_keep_their_size():
    g, d = Z.copy(), np.empty_like(Z)
    g[1, 2] = 0  # counts nowhere
    assert vanishing(g, g, 2.0, d) == pytest.approx(0, abs=1e-20) and not d.any()
    assert vanishing(g, 3 * g, 2.0, d) == pytest.approx(8)
    assert vanishing(g, g / 2, 2.0, d) == pytest.approx(0.5)
    assert vanishing(0 * g, g, 2.0, d) == 0 and not d.any()
    assert vanishing(g, 0 * g, 2.0, d) == pytest.approx(2) and not d.any()
    assert vanishing(g[:0], g[:0], 2.0, d[:0]) == 0


def test_the_derivative_of_the_regulariser_is_a_central_difference():
    g, back, d = TARGETS.copy(), Z.copy(), np.empty_like(Z)
    vanishing(g, back, 0.4, d)
    check_derivative(lambda: vanishing(g, back, 0.4, np.empty_like(back)), back, d)
    vanishing(g, back, 0.4, back)  # in place
    np.testing.assert_array_equal(back, d)


@pytest.mark.parametrize(
    "loss, targets, mask, told",
    [
        (squared, TARGETS[:4], None, r"targets have shape \(4, 3, 4\); .* shape \(5, 3, 4\)"),
        (squared, TARGETS, STEPS.T, r"mask has shape \(3, 5\); with outputs of shape \(5, 3, 4\)"),
        (squared, TARGETS, 0 * STEPS, "mask has the sum 0"),
        (squared, TARGETS, np.nan * STEPS, "mask has the sum nan"),
        (squared, TARGETS, 2 - 3 * STEPS, "values from -1; the sum must be above 0 and no value"),
        (cross_entropy, CLASSES.T, None, r"targets have shape \(3, 5\); .* or \(5, 3\)"),
        (cross_entropy, CLASSES + 1, None, "from 1 to 4; they must be whole numbers from 0 to 3"),
        (cross_entropy, CLASSES - 1, None, "from -1 to 2; they must be whole"),
        (cross_entropy, CLASSES * 1.0, None, "targets are of type float64"),
        (cross_entropy, CLASSES, ENTRIES, r"mask has shape \(5, 3, 4\); .* must be \(5, 3\)"),
    ],
)
def test_what_does_not_fit_is_refused(loss, targets, mask, told):
    d = np.full(Z.shape, 7.0)
    with pytest.raises(ValueError, match=told):
        loss(Z, targets, mask, d)
    assert (d == 7).all()
