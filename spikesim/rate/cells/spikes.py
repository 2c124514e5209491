"""What spiking cells share.

A spike is the step function of u, the distance of a unit to its threshold. Its slope is 0 almost
everywhere, so in the backward pass alone a surrogate psi(u) stands for it. All else is the
derivative of the forward pass as it is written, but for two paths: whether a unit is refractory is
taken as given, and with ``detach_reset`` so is the reset, which is then part of the dynamics that
errors do not flow through.
"""

from typing import Any

import numpy as np

from spikesim.rate.surrogates import Surrogate
from spikesim.rate.workspace import Workspace


def fire(u: np.ndarray, out: np.ndarray) -> None:
    """1 where the threshold is reached, else 0."""
    np.greater_equal(u, 0, out=out)


def with_before(workspace: Workspace, name: str, x: np.ndarray, units: int) -> np.ndarray:
    """Room for every step, after one for the state before the first."""
    return workspace.room(name, (len(x) + 1, x.shape[1], units))


def rows(array: np.ndarray) -> np.ndarray:
    """All trials of all steps as one matrix."""
    return array.reshape(-1, array.shape[2])


def add_product(
    gradient: np.ndarray,
    to: np.ndarray,
    source: np.ndarray,
    workspace: Workspace,
    factor: float = 1,
) -> None:
    """Add factor * sum over time and trials of to_i source_j."""
    product = workspace.room(f"gradient {gradient.shape}", gradient.shape)
    np.matmul(rows(to).T, rows(source), out=product)
    product *= factor
    gradient += product


def check_surrogate(cell: Any) -> None:
    """Refuse a surrogate that is none."""
    if not isinstance(cell.surrogate, Surrogate):
        raise ValueError(
            f"{type(cell).__name__}: surrogate is {cell.surrogate!r}; it must be a FastSigmoid, a "
            "Triangle or a Gaussian."
        )


def check_not_below(cell: Any, name: str, dt: float) -> None:
    """Refuse a time constant below dt."""
    value = getattr(cell, name)
    if value < dt:
        raise ValueError(
            f"{type(cell).__name__}: {name} is {value!r} ms; it must not be below dt, {dt!r} ms."
        )
