"""Workspace: arrays are made once."""

import numpy as np
import pytest

from spikesim.rate.workspace import Workspace


def test_the_same_name_and_shape_give_the_same_array_with_its_values():
    workspace = Workspace("float32")
    first = workspace.room("pre", (3, 2))
    first[...] = 7
    again = workspace.room("pre", (3, 2))
    assert again is first and (again == 7).all()
    assert first.dtype == np.float32 and first.flags.c_contiguous
    assert workspace.room("post", (3, 2)) is not first


def test_another_shape_or_type_gives_another_array():
    workspace = Workspace("float64")
    first = workspace.room("pre", (3, 2))
    assert workspace.room("pre", (2, 3)).shape == (2, 3)
    assert workspace.room("pre", (3, 2)) is not first
    counts = workspace.room("n", (4,), np.int32)
    assert counts.dtype == np.int32 and workspace.room("n", (4,), np.int32) is counts
    assert workspace.room("n", (4,)).dtype == np.float64


def test_zeros_clears():
    workspace = Workspace("float32")
    workspace.room("d", (5,)).fill(3)
    assert (workspace.zeros("d", (5,)) == 0).all()
    workspace.zeros("d", (5,)).fill(3)
    assert (workspace.room("d", (5,)) == 3).all()


def test_what_was_written_is_asked_for_by_name():
    workspace = Workspace("float32")
    with pytest.raises(KeyError, match="no array 'pre' was made in this workspace; it has nothing"):
        workspace["pre"]
    made = workspace.room("pre", (3, 2))
    assert workspace["pre"] is made
    workspace.room("dw", (2,))
    with pytest.raises(KeyError, match="no array 'per' was made .*; it has dw, pre"):
        workspace["per"]


def test_it_was_called_a_tape():
    from spikesim import rate

    with pytest.warns(DeprecationWarning, match="spikesim.rate.Tape is called"):
        tape = rate.Tape("float32")
    with pytest.warns(
        DeprecationWarning, match=r"is called workspace.room\(name, shape\) now"
    ) as told:
        made = tape("pre", (3, 2))
    assert made is tape["pre"] and told[0].filename == __file__
    with pytest.warns(DeprecationWarning, match="spikesim.rate.tape"):
        from spikesim.rate.tape import Tape
    assert Tape is Workspace
