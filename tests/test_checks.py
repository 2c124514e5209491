"""One voice for bad arguments."""

import math

import numpy as np
import pytest

from spikesim.checks import check_choice, check_number, check_shape


@pytest.mark.parametrize(
    ("value", "bounds", "allowed"),
    [
        (math.nan, {}, "a finite number"),
        ("a", {}, "a finite number"),
        (True, {"above": 0}, "a finite number above 0"),
        (0, {"above": 0}, "a finite number above 0"),
        (-1, {"least": 0}, "a finite number, 0 or more"),
        (0.0, {"above": 0, "unit": "ms"}, "a finite number of ms above 0"),
        (1, {"least": 0, "below": 1}, "a finite number, at least 0 and below 1"),
        (1.5, {"above": 0, "most": 1}, "a finite number above 0 and at most 1"),
        (3, {"most": 2.5}, "a finite number at most 2.5"),
        (math.inf, {"above": 0}, "a finite number above 0"),
    ],
)
def test_a_number_out_of_bounds_is_told(value, bounds, allowed):
    with pytest.raises(ValueError) as told:
        check_number("Cell: tau", value, **bounds)
    assert str(told.value) == f"Cell: tau is {value!r}; it must be {allowed}."


def test_numbers_within_bounds_pass():
    for value in (1, 0.5, np.float32(0.25), np.int64(1)):
        check_number("x", value, above=0, most=1)
    check_number("x", 0, least=0, below=1)
    check_number("x", -5)


def test_a_choice_and_a_shape():
    check_choice("form", "r", ("r", "x"))
    with pytest.raises(ValueError, match=r"^form is 'y'; it must be 'r' or 'x'\.$"):
        check_choice("form", "y", ("r", "x"))
    with pytest.raises(ValueError, match="it must be 1, 2 or 3"):
        check_choice("power", 4, (1, 2, 3))
    check_shape("tau", 3.0, (), (4,))
    check_shape("tau", np.ones(4), (), (4,))
    with pytest.raises(
        ValueError, match=r"^tau has shape \(2,\); it must be a number or have .*4,"
    ):
        check_shape("tau", np.ones(2), (), (4,))
