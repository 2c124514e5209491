"""Activations: values by their formulas, slopes by central differences, in place, errors."""

import numpy as np
import pytest
from finite_differences import derivative
from hypothesis import given, strategies as st

from spikesim.rate.activations import (
    Linear,
    Quantised,
    Rectified,
    Sigmoid,
    Softplus,
    Table,
    Tanh,
    named,
)

POINTS = [-1.0, 0.5, 2.0, 4.0], [0.0, 3.0, 2.0, 10.0]
FORMULAS = {
    Linear(): lambda x: x,
    Rectified(): lambda x: np.where(x > 0, x, 0),
    Sigmoid(): lambda x: 1 / (1 + np.exp(-x)),
    Softplus(): lambda x: np.log(1 + np.exp(x)),
    Tanh(): lambda x: (np.exp(2 * x) - 1) / (np.exp(2 * x) + 1),
    Table(*POINTS): lambda x: np.interp(x, *POINTS),
}
ROUNDED = Quantised(3, 2.0)
each = pytest.mark.parametrize("f", FORMULAS, ids=lambda f: f.name)
# None at a kink: of max(x, 0), or of the table.
X = np.array([-9.1, -3.3, -1.2, -0.7, -0.1, 0.2, 0.45, 0.9, 1.9, 3.5, 6.0])


def value(f, x):
    out = np.empty_like(x)
    f.value(x, out)
    return out


def slope(f, x):
    out = np.empty_like(x)
    f.slope(value(f, x), x, out)
    return out


@each
def test_value_is_the_formula(f):
    np.testing.assert_allclose(value(f, X), FORMULAS[f](X), rtol=1e-12, atol=1e-15)


@each
def test_slope_is_the_central_difference(f):
    expected = derivative(lambda shift: value(f, X + shift))
    np.testing.assert_allclose(slope(f, X), expected, rtol=1e-7, atol=1e-9)


all_of_them = pytest.mark.parametrize("f", [*FORMULAS, ROUNDED], ids=lambda f: f.name)


@all_of_them
def test_values_may_be_written_over_their_inputs(f):
    x = X.copy()
    f.value(x, x)
    np.testing.assert_array_equal(x, value(f, X))


@all_of_them
@pytest.mark.parametrize("dtype", ["float32", "float64"])
@given(x=st.floats(-(2.0**99), 2.0**99, width=32))
def test_no_input_overflows(f, dtype, x):
    x = np.array([[x]], dtype)
    with np.errstate(over="raise", invalid="raise", divide="raise"):
        assert np.isfinite(value(f, x)).all() and np.isfinite(slope(f, x)).all()


def test_a_table_is_constant_beyond_its_ends_and_takes_the_segment_above_a_point():
    table = Table(*POINTS)
    np.testing.assert_array_equal(value(table, np.array([-50.0, 50.0])), [0, 10])
    np.testing.assert_array_equal(
        slope(table, np.array([-50.0, -1.0, 0.5, 2.0, 4.0, 50.0])),
        [0, 2, -1 / 1.5, 4, 0, 0],
    )
    assert table == Table(np.array(POINTS[0]), np.array(POINTS[1])) != Table([0, 1], [0, 1])


def test_quantised_units_round_the_clipped_line_and_have_its_slope():
    x = np.array([-9.0, -0.1, 0.3, 0.34, 0.9, 1.1, 1.6, 1.7, 1.99, 2.1, 50.0])
    np.testing.assert_allclose(
        value(ROUNDED, x), 2 / 3 * np.array([0, 0, 0, 1, 1, 2, 2, 3, 3, 3, 3]), rtol=1e-15
    )
    clipped = derivative(lambda shift: np.clip(x + shift, 0, 2))
    np.testing.assert_allclose(slope(ROUNDED, x), clipped, atol=1e-9)
    np.testing.assert_array_equal(slope(ROUNDED, np.array([0.0, 2.0])), [0, 0])
    assert set(value(Quantised(1), x)) == {0.0, 1.0}
    assert named(ROUNDED) is ROUNDED and ROUNDED == Quantised(3, 2) != Quantised(3)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ((0,), "Quantised: levels is 0; it must be a whole number, 1 or more"),
        ((2.5,), "Quantised: levels is 2.5"),
        ((3, 0.0), "Quantised: cap is 0.0; it must be a finite number above 0"),
        ((3, np.inf), "Quantised: cap is inf"),
    ],
)
def test_bad_quantised_units_are_refused(given, told):
    with pytest.raises(ValueError, match=told):
        Quantised(*given)


@pytest.mark.parametrize(
    "x, y, told",
    [
        ([0, 1, 2], [0, 1], r"Table: x has shape \(3,\) and y \(2,\)"),
        ([0], [0], r"Table: x has shape \(1,\)"),
        ([0, 0], [0, 1], r"Table: x is \[0, 0\]; it must be finite and rise"),
        ([0, np.nan], [0, 1], "Table: x is"),
        ([0, 1], [0, np.inf], r"Table: y is \[0, inf\]; it must be finite"),
    ],
)
def test_a_bad_table_is_refused(x, y, told):
    with pytest.raises(ValueError, match=told):
        Table(x, y)


def test_activations_are_found_by_name():
    for f in (Linear(), Rectified(), Sigmoid(), Softplus(), Tanh()):
        assert named(f.name) == f and named(f) is f
    with pytest.raises(ValueError, match="activation is 'relu'; it must be one of linear, rect"):
        named("relu")
