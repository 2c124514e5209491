"""Layers of rate units without time constants."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim.names import named_options
from spikesim.rate.activations import Activation, named
from spikesim.rate.cells.contract import Arrays
from spikesim.rate.cells.one_step import Timeless
from spikesim.rate.workspace import Workspace


@named_options()
@dataclass(frozen=True)
class FeedForward(Timeless):
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
        `spikesim.rate.Table` such as the f-I curve of a spiking neuron, or a
        `spikesim.rate.Quantised`, whose layers convert exactly.

    Notes
    -----
    Weights start normal with standard deviation 1 / sqrt(inputs), for "rectified" and quantised
    units sqrt(2 / inputs) [1]_, biases at 0.

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
        variance = 2.0 if named(self.activation).name in ("rectified", "quantised") else 1.0
        p = {}
        for k, width in enumerate(self.widths, start=1):
            p[f"w{k}"] = rng.standard_normal((width, inputs)) * np.sqrt(variance / inputs)
            p[f"b{k}"] = np.zeros(width)
            inputs = width
        return p

    def _run(
        self,
        parameters: Arrays,
        x: np.ndarray,
        state: Arrays,
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
            np.matmul(x.reshape(len(pre), -1), parameters[f"w{k}"].T, out=pre)
            pre += parameters[f"b{k}"]
            f.value(pre, y)
            x = y
        return x.reshape(steps, trials, self.units)

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
        f = named(self.activation)
        rows = dy.shape[0] * dy.shape[1]
        d_after = dy.reshape(rows, -1)
        for k in range(len(self.widths), 0, -1):
            pre, y = workspace[f"pre{k}"], workspace[f"y{k}"]
            d = workspace.room(f"d{k}", pre.shape)
            before = workspace[f"y{k - 1}"] if k > 1 else x.reshape(rows, -1)
            f.slope(y, pre, d)
            d *= d_after
            dw = workspace.room(f"dw{k}", parameters[f"w{k}"].shape)
            gradients[f"w{k}"] += np.matmul(d.T, before, out=dw)
            gradients[f"b{k}"] += d.sum(axis=0)
            if k > 1:
                d_after = np.matmul(
                    d, parameters[f"w{k}"], out=workspace.room(f"dy{k - 1}", before.shape)
                )
            elif dx is not None:
                np.matmul(d, parameters["w1"], out=dx.reshape(rows, -1))
