"""Tape: arrays are made once."""

import numpy as np

from spikesim.rate.tape import Tape


def test_the_same_name_and_shape_give_the_same_array_with_its_values():
    tape = Tape("float32")
    first = tape("pre", (3, 2))
    first[...] = 7
    again = tape("pre", (3, 2))
    assert again is first and (again == 7).all()
    assert first.dtype == np.float32 and first.flags.c_contiguous
    assert tape("post", (3, 2)) is not first


def test_another_shape_or_type_gives_another_array():
    tape = Tape("float64")
    first = tape("pre", (3, 2))
    assert tape("pre", (2, 3)).shape == (2, 3)
    assert tape("pre", (3, 2)) is not first
    counts = tape("n", (4,), np.int32)
    assert counts.dtype == np.int32 and tape("n", (4,), np.int32) is counts
    assert tape("n", (4,)).dtype == np.float64


def test_zeros_clears():
    tape = Tape("float32")
    tape("d", (5,)).fill(3)
    assert (tape.zeros("d", (5,)) == 0).all()
    tape.zeros("d", (5,)).fill(3)
    assert (tape("d", (5,)) == 3).all()
