"""What is said of arguments that cannot be: one sentence, with the name, the value, what may be."""

import re

import numpy as np
import pytest

from spikesim.checks import as_floats, check_numbers, check_whole, check_whole_numbers


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
