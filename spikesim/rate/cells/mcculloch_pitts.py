"""Threshold units, logic gates among them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_whole
from spikesim.names import named_options
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import Timeless
from spikesim.rate.workspace import Workspace


@named_options()
@dataclass(frozen=True)
class McCullochPitts(Timeless):
    """Threshold units: 1 if the weighted sum of a unit's inputs reaches its threshold, else 0.

    ::

        y_t = 1 if w_in x_t >= threshold else 0

    [1]_, here without their delay of one step. Read as a rate model, this is a unit whose f-I
    curve is a step: a population of neurons which all fire at their highest rate as soon as the
    mean input reaches threshold. With noise in the neurons the step becomes a smooth curve.

    Parameters
    ----------
    weights : (units, inputs)
        ``w_in``.
    thresholds : (units,)
        ``threshold``.

    Notes
    -----
    The slope of a step is 0 wherever there is one, so all gradients are 0: these units are not
    trained by them, though a readout of them is.

    References
    ----------
    .. [1] McCulloch WS, Pitts W (1943) A logical calculus of the ideas immanent in nervous
       activity. Bull Math Biophys 5:115-133.

    Examples
    --------
    Exclusive or, in two layers: ``[McCullochPitts([[1, 1], [-1, -1]], [1, -1]),
    McCullochPitts.gate("and")]``.
    """

    weights: Sequence[Sequence[float]]
    thresholds: Sequence[float]

    def __post_init__(self) -> None:
        weights, thresholds = (_numbers(self, name) for name in ("weights", "thresholds"))
        if weights.ndim != 2 or thresholds.shape != weights.shape[:1] or not weights.size:
            raise ValueError(
                f"McCullochPitts: weights have shape {weights.shape} and thresholds "
                f"{thresholds.shape}; they must have shapes (units, inputs) and (units,)."
            )
        object.__setattr__(self, "weights", tuple(map(tuple, weights.tolist())))
        object.__setattr__(self, "thresholds", tuple(thresholds.tolist()))

    @classmethod
    def gate(cls, name: str, inputs: int = 2) -> McCullochPitts:
        """One unit that is a logic gate: "and", "or", "nand", "nor" of its inputs; "not" of one.

        Raises
        ------
        ValueError
            If there is no such gate.
        """
        check_whole("inputs", inputs)
        if name == "not":
            return cls([[-1]], [0])
        gates = {"and": (1, inputs), "or": (1, 1), "nand": (-1, 1 - inputs), "nor": (-1, 0)}
        if name not in gates:
            raise ValueError(f"gate is {name!r}; it must be one of {', '.join(gates)}, not.")
        weight, threshold = gates[name]
        return cls([[weight] * inputs], [threshold])

    @property
    def units(self) -> int:
        return len(self.thresholds)

    def check(self, inputs: int, dt: float) -> None:
        wanted = len(self.weights[0])
        if inputs != wanted:
            raise ValueError(
                f"McCullochPitts: weights have shape {(self.units, wanted)}; with {inputs} inputs "
                f"they must have shape {(self.units, inputs)}."
            )

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        return {"w_in": np.array(self.weights), "threshold": np.array(self.thresholds)}

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        y = workspace.room("y", (*x.shape[:2], self.units))
        np.matmul(x, parameters["w_in"].T, out=y)
        return np.greater_equal(y, parameters["threshold"], out=y, casting="unsafe")

    def backward(
        self,
        parameters: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        gradients: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        if dx is not None:
            dx.fill(0)


def _numbers(cell: McCullochPitts, name: str) -> np.ndarray:
    try:
        numbers = np.array(getattr(cell, name), float)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if not np.isfinite(numbers).all():
        raise ValueError(
            f"McCullochPitts: {name} is {getattr(cell, name)!r}; it must be an array of finite "
            "numbers."
        )
    return numbers
