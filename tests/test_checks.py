"""What is said of arguments that cannot be: one sentence, with the name, the value, what may be."""

import math
import re

import numpy as np
import pytest

from spikesim.checks import (
    as_floats,
    check_choice,
    check_floats,
    check_number,
    check_numbers,
    check_shape,
    check_whole,
    check_whole_numbers,
)


def refused(sentence: str):
    return pytest.raises(ValueError, match=f"^{re.escape(sentence)}$")


def test_whole_numbers():
    check_whole("k", np.int8(1))
    check_whole("seed", -3, least=None)
    with refused("k is 0; it must be a whole number, 1 or more."):
        check_whole("k", 0)
    with refused("k is 9; it must be a whole number, from 1 to 8."):
        check_whole("k", 9, most=8)
    with refused("seed is True; it must be a whole number."):
        check_whole("seed", True, least=None)


def test_arrays_of_numbers():
    assert check_numbers("x", 3, "a number").shape == ()
    assert check_numbers("x", [], "numbers", dimensions=(0, 1)).size == 0
    assert check_numbers("x", [[0.0, 1.0]], "numbers", least=0).tolist() == [[0.0, 1.0]]
    with refused("x is [1, -1]; it must be numbers, finite and at least 0."):
        check_numbers("x", [1, -1], "numbers", least=0)
    with refused("x is 0; it must be numbers, finite and above 0."):
        check_numbers("x", 0, "numbers", above=0)
    for bad in (np.nan, "1 ms", [[1.0], [2.0, 3.0]], 1j, None):
        with pytest.raises(ValueError, match=r"^x is .*; it must be numbers, finite\.$"):
            check_numbers("x", bad, "numbers")
    for bad in (1.0, [], [[[1.0]]]):
        with pytest.raises(ValueError, match="^x is .*; it must be rows, finite"):
            check_numbers("x", bad, "rows", dimensions=(1, 2))


def test_arrays_of_whole_numbers():
    assert check_whole_numbers("x", [1, 2]).dtype == check_whole_numbers("x", []).dtype == np.int64
    with refused("x is [1.0]; it must be a one-dimensional array of whole numbers."):
        check_whole_numbers("x", [1.0])
    with refused("x holds 9223372036854775808; it must be below 2^63."):
        check_whole_numbers("x", np.array([2**63], np.uint64))


def test_a_long_value_is_cut_to_a_line():
    for long in (np.full((50, 50), -1.0), list(range(-1, 10**5))):
        with pytest.raises(ValueError, match=r"^x is .*\.\.\..*; it must be numbers") as told:
            check_numbers("x", long, "numbers", least=0)
        assert "\n" not in str(told.value) and len(str(told.value)) < 200


def test_what_holds_no_numbers():
    assert as_floats("x") is None and as_floats([[1], [1, 2]]) is None
    assert as_floats([1, 2]).tolist() == [1.0, 2.0]
    for bad in (np.ones(2) + 1j, [np.complex128(1)], np.ma.array([1j], mask=True), np.complex64(1)):
        assert as_floats(bad) is None
    with refused("x is array([1.+1.j, 1.+1.j]); it must hold real numbers."):
        check_floats("x", np.ones(2) + 1j)


def test_what_is_masked_is_not_known():
    for kind in (float, int, np.float32):
        masked = np.ma.array([1, 2, 3], mask=[False, True, False], dtype=kind)
        for values in (as_floats(masked), check_floats("x", masked)):
            assert type(values) is np.ndarray
            np.testing.assert_array_equal(values, [1.0, np.nan, 3.0])
        with pytest.raises(ValueError, match="it must be numbers, finite"):
            check_numbers("x", masked, "numbers")
        assert check_numbers("x", masked[[0, 2]], "numbers").tolist() == [1.0, 3.0]


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


def test_a_complex_number_is_told_like_others():
    with pytest.raises(ValueError, match="it must be a finite number above 0"):
        check_number("x", np.complex128(1), above=0)


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
