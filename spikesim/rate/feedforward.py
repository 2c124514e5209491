"""Cells without time: what a unit does at a step depends on that step alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim.checks import check_whole
from spikesim.moved import renamed
from spikesim.names import named_options
from spikesim.rate.activations import Activation, named
from spikesim.rate.workspace import Workspace

Arrays = dict[str, np.ndarray]


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class McCullochPitts:
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

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        y = workspace.room("y", (*x.shape[:2], self.units))
        np.matmul(x, p["w_in"].T, out=y)
        return np.greater_equal(y, p["threshold"], out=y, casting="unsafe")

    def backward(
        self,
        p: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        if dx is not None:
            dx.fill(0)

    def constrain(self, p: Arrays, dt: float) -> None:
        """Nothing is constrained."""


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


@renamed(start="initial_parameters")
@named_options()
@dataclass(frozen=True)
class FeedForward:
    """Layers of rate units, each driven by the one before.

    ::

        y_0 = x_t,    y_k = f(w_k y_(k-1) + b_k),    k = 1, ..., n

    The rates are those of the last layer. Units follow their input at once: this is the rate
    model whose time constants are short against everything else, or its steady state.

    Parameters
    ----------
    widths : sequence of int
        Units of each layer, one layer or more. The layers' parameters are ``w1`` (units, inputs)
        and ``b1`` (units,), ``w2``, ``b2`` and so on.
    activation : str or activation
        f: "linear", "rectified", "sigmoid", "softplus", "tanh", or a
        `spikesim.rate.Table` such as the f-I curve of a spiking neuron.

    Notes
    -----
    Weights start normal with standard deviation 1 / sqrt(inputs), for "rectified" sqrt(2 / inputs)
    [1]_, biases at 0.

    References
    ----------
    .. [1] He K, Zhang X, Ren S, Sun J (2015) Delving deep into rectifiers: surpassing human-level
       performance on ImageNet classification. ICCV.
    """

    widths: Sequence[int]
    activation: str | Activation = "rectified"

    def __post_init__(self) -> None:
        try:
            widths = tuple(self.widths)
        except TypeError:
            widths = ()
        whole = [isinstance(w, int | np.integer) and not isinstance(w, bool) for w in widths]
        if not widths or not all(whole) or min(widths) < 1:
            raise ValueError(
                f"FeedForward: widths is {self.widths!r}; it must be a sequence of whole numbers, "
                "1 or more."
            )
        object.__setattr__(self, "widths", tuple(map(int, widths)))
        named(self.activation)

    @property
    def units(self) -> int:
        return self.widths[-1]

    def check(self, inputs: int, dt: float) -> None:
        """Nothing depends on them."""

    def initial_parameters(self, inputs: int, dt: float, rng: np.random.Generator) -> Arrays:
        variance = 2.0 if named(self.activation).name == "rectified" else 1.0
        p = {}
        for k, width in enumerate(self.widths, start=1):
            p[f"w{k}"] = rng.standard_normal((width, inputs)) * np.sqrt(variance / inputs)
            p[f"b{k}"] = np.zeros(width)
            inputs = width
        return p

    def forward(
        self,
        p: Arrays,
        x: np.ndarray,
        dt: float,
        rng: np.random.Generator | None,
        workspace: Workspace,
    ) -> np.ndarray:
        f = named(self.activation)
        steps, trials, _ = x.shape
        for k, width in enumerate(self.widths, start=1):
            pre, y = (
                workspace.room(f"{name}{k}", (steps * trials, width)) for name in ("pre", "y")
            )
            np.matmul(x.reshape(len(pre), -1), p[f"w{k}"].T, out=pre)
            pre += p[f"b{k}"]
            f.value(pre, y)
            x = y
        return x.reshape(steps, trials, self.units)

    def backward(
        self,
        p: Arrays,
        x: np.ndarray,
        dy: np.ndarray,
        dt: float,
        workspace: Workspace,
        grads: Arrays,
        dx: np.ndarray | None,
    ) -> None:
        f = named(self.activation)
        rows = dy.shape[0] * dy.shape[1]
        d_after = dy.reshape(rows, -1)
        for k in range(len(self.widths), 0, -1):
            width = self.widths[k - 1]
            pre, y, d = (workspace.room(f"{name}{k}", (rows, width)) for name in ("pre", "y", "d"))
            before = (
                workspace.room(f"y{k - 1}", (rows, self.widths[k - 2]))
                if k > 1
                else x.reshape(rows, -1)
            )
            f.slope(y, pre, d)
            d *= d_after
            dw = workspace.room(f"dw{k}", p[f"w{k}"].shape)
            grads[f"w{k}"] += np.matmul(d.T, before, out=dw)
            grads[f"b{k}"] += d.sum(axis=0)
            if k > 1:
                d_after = np.matmul(d, p[f"w{k}"], out=workspace.room(f"dy{k - 1}", before.shape))
            elif dx is not None:
                np.matmul(d, p["w1"], out=dx.reshape(rows, -1))

    def constrain(self, p: Arrays, dt: float) -> None:
        """Nothing is constrained."""
