"""Linear maps between the layers of a step-by-step network, with delays in steps."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
from scipy import sparse

from spikesim.checks import check_numbers, check_shape
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True, eq=False)
class StepMap:
    """What a layer gives to another: x_t += weights y_(t - delay) + bias.

    Parameters
    ----------
    source, target : str
        A layer or an input, and a layer.
    weights : array or scipy.sparse matrix (target, source)
    delay : int or array that broadcasts to (target, source)
        Steps, 0 or more: with 0 what the source gives in a step arrives in the same one.
    bias : float or array (target,)
        Added in every step, from the first on.

    Raises
    ------
    ValueError
        If weights are not a finite matrix, or delay or bias do not fit them.
    """

    source: str
    target: str
    weights: Any = field(repr=False)
    delay: Any = 0
    bias: Any = field(default=0.0, repr=False)

    def __post_init__(self) -> None:
        told = f"StepMap from {self.source!r} to {self.target!r}"
        given = self.weights
        entries = given.data if sparse.issparse(given) else given
        what = "a matrix (target, source)"
        entries = check_numbers(f"{told}: weights", entries, what)
        if np.ndim(given) != 2 or 0 in given.shape:
            raise ValueError(f"{told}: weights have shape {np.shape(given)}; they must be {what}.")
        weights = given if sparse.issparse(given) else entries
        object.__setattr__(self, "weights", sparse.csr_array(weights, dtype=float))
        bias = check_numbers(f"{told}: bias", self.bias, "a number, or one per target")
        check_shape(f"{told}: bias", bias, (), (self.weights.shape[0],))
        object.__setattr__(self, "bias", bias)
        delay = check_numbers(f"{told}: delay", self.delay, "whole steps", least=0)
        fits = np.array_equal(delay, np.floor(delay))
        try:
            np.broadcast_to(delay, self.weights.shape)
        except ValueError:
            fits = False
        if not fits:
            raise ValueError(
                f"{told}: delay is {self.delay!r}; it must be whole steps that broadcast to "
                f"{self.weights.shape}."
            )
        object.__setattr__(self, "delay", delay.astype(np.int64))

    @property
    def shortest(self) -> int:
        """Of the delays, in steps."""
        return int(self.delay.min())

    def entries(self) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
        """Target, source, weight and delay of each entry that is not 0."""
        coordinates = self.weights.tocoo()
        row, column = coordinates.coords
        kept = coordinates.data != 0
        row, column, values = row[kept], column[kept], coordinates.data[kept]
        delay = np.broadcast_to(self.delay, self.weights.shape)[row, column]
        return row, column, values, delay

    @cached_property
    def parts(self) -> list[tuple[int, sparse.csr_array]]:
        """Each delay that there is, and the weights that have it."""
        row, column, values, delay = self.entries()
        chosen = [(int(late), delay == late) for late in np.unique(delay)]
        return [
            (late, sparse.csr_array((values[k], (row[k], column[k])), self.weights.shape))
            for late, k in chosen
        ]

    def apply(self, y: np.ndarray) -> np.ndarray:
        """What arrives (steps, trials, target) of y (steps, trials, source), without the bias."""
        steps, trials, width = y.shape
        x = np.zeros((steps, trials, self.weights.shape[0]))
        for late, weights in self.parts:
            sources = y[: max(steps - late, 0)]
            if len(sources):
                arrived = weights @ sources.reshape(-1, width).T
                x[late:] += arrived.T.reshape(len(sources), trials, -1)
        return x
