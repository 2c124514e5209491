"""Cells in series and a readout: one network, its forward and its backward pass."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np

from spikesim.checks import check_choice, check_number, check_whole
from spikesim.display import brief, number, table, whole
from spikesim.moved import deprecated
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.cells.contract import Cell
from spikesim.rate.workspace import Workspace


@named_options()
class RateNetwork:
    """Cells in series, each given all steps of the one before, and a linear readout of the last.

    The outputs are z_t = w y_t + b of the last cell's rates y; with a time constant they are
    low-pass filtered, z_t = k z_(t-1) + (1 - k) (w y_t + b) with k = exp(-dt / readout_tau) and
    z_(-1) = 0.

    Parameters
    ----------
    cells : sequence of cells
        Such as ``[LeakyRNN(100)]``.
    inputs, outputs : int
        Number of inputs to the first cell and of outputs.
    dt : float
        Step, ms.
    seed : int
        Of the start values.
    dtype : "float32" or "float64"
        Of the parameters and of every pass.
    readout : "linear" or "softmax"
        With "softmax", `run` gives probabilities. `forward` always gives what stands before the
        softmax, which is what `spikesim.rate.losses.cross_entropy` is of.
    readout_from : "all" or "excitatory"
        The units of the last cell that are read out; "excitatory" needs a cell that has
        ``excitatory_units``, as `DaleRNN` does.
    readout_tau : float, optional
        Time constant of the outputs, ms.

    Attributes
    ----------
    parameters : dict of str to array
        "0.w_rec" is ``w_rec`` of the first cell; "out.w" (outputs, units) and "out.b" (outputs,).
        Change them in place, then call `constrain`.
    masks : dict of str to array
        Of ones where a parameter may differ from 0 and zeros elsewhere, of its shape or broadcast
        to it, besides the masks that cells have of their own.
    frozen : set of str
        Parameters that training leaves alone; their gradients are 0.
    rates : list of array
        Of each cell after a pass, (time, trials, units).

    Raises
    ------
    ValueError
        If a setting is not allowed, before anything is made.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        inputs: int,
        outputs: int,
        dt: float,
        *,
        seed: int = 0,
        dtype: Literal["float32", "float64"] = "float32",
        readout: Literal["linear", "softmax"] = "linear",
        readout_from: Literal["all", "excitatory"] = "all",
        readout_tau: float | None = None,
    ) -> None:
        self.cells = list(cells)
        self.inputs, self.outputs, self.dt, self.seed = inputs, outputs, dt, seed
        self.dtype = str(dtype)
        self.readout, self.readout_from, self.readout_tau = readout, readout_from, readout_tau
        self._check()
        self._widths = [inputs, *(cell.units for cell in self.cells)]
        self.frozen: set[str] = set()
        self.masks: dict[str, np.ndarray] = {}
        self.parameters = self._start()
        self.gradients = {name: np.zeros_like(p) for name, p in self.parameters.items()}
        self.rates: list[np.ndarray] = []
        self._workspaces = [Workspace(dtype) for _ in self.cells]
        self._workspace = Workspace(dtype)
        self.constrain()

    def _check(self) -> None:
        for name in ("inputs", "outputs"):
            check_whole(name, getattr(self, name))
        check_number("dt", self.dt, above=0, unit="ms")
        if self.readout_tau is not None:
            check_number("readout_tau", self.readout_tau, above=0, unit="ms")
        check_choice("dtype", self.dtype, ("float32", "float64"))
        check_choice("readout", self.readout, ("linear", "softmax"))
        check_choice("readout_from", self.readout_from, ("all", "excitatory"))
        if not self.cells:
            raise ValueError("cells is []; a network needs at least one cell.")
        if self.readout_from == "excitatory" and not hasattr(self.cells[-1], "excitatory_units"):
            raise ValueError(
                "readout_from is 'excitatory'; the last cell, of kind "
                f"{type(self.cells[-1]).__name__}, must then have excitatory units."
            )
        inputs = self.inputs
        for cell in self.cells:
            cell.check(inputs, self.dt)
            inputs = cell.units

    def _start(self) -> dict[str, np.ndarray]:
        start = {}
        for i, cell in enumerate(self.cells):
            if hasattr(cell, "initial_parameters"):
                initial = cell.initial_parameters
            else:
                deprecated(f"{type(cell).__name__}.start is called initial_parameters now.")
                initial = cell.start
            values = initial(self._widths[i], self.dt, stream(self.seed, "initial parameters", i))
            start |= {f"{i}.{name}": value for name, value in values.items()}
        units = self._widths[-1]
        rng = stream(self.seed, "initial parameters", len(self.cells))
        start["out.w"] = rng.standard_normal((self.outputs, units)) / np.sqrt(units)
        start["out.b"] = np.zeros(self.outputs)
        if self.readout_from == "excitatory":
            self.masks["out.w"] = np.zeros((1, units), self.dtype)
            self.masks["out.w"][:, self.cells[-1].excitatory_units] = 1
        return {name: np.array(value, self.dtype, order="C") for name, value in start.items()}

    def _of_cell(self, i: int, arrays: dict[str, np.ndarray]) -> dict[str, np.ndarray]:
        prefix = f"{i}."
        return {k.removeprefix(prefix): a for k, a in arrays.items() if k.startswith(prefix)}

    def forward(self, x: np.ndarray, rng: np.random.Generator | None = None) -> np.ndarray:
        """Outputs (time, trials, outputs) of inputs (time, trials, inputs).

        Outputs and `rates` are written over by the next call. ``rng`` is for the cells' noise;
        without it there is none.
        """
        x = np.asarray(x)
        self._check_shape(x)
        if x.dtype != self.dtype or not x.flags.c_contiguous:
            given, x = x, self._workspace.room("x", x.shape)
            np.copyto(x, given)
        self._x, self.rates = x, []
        for i, cell in enumerate(self.cells):
            x = cell.forward(
                self._of_cell(i, self.parameters), x, self.dt, rng, self._workspaces[i]
            )
            self.rates.append(x)
        return self.read_out(x)

    def read_out(self, rates: np.ndarray) -> np.ndarray:
        """Outputs (time, trials, outputs) of rates (time, trials, units) of the last cell.

        As `forward` gives them; written over by the next call of it or of this.
        """
        rates = np.asarray(rates, self.dtype)
        steps, trials, units = rates.shape
        z = self._workspace.room("z", (steps, trials, self.outputs))
        np.matmul(
            rates.reshape(-1, units), self.parameters["out.w"].T, out=z.reshape(-1, self.outputs)
        )
        z += self.parameters["out.b"]
        if self.readout_tau is not None:
            self._filter(z)
        return z

    def _check_shape(self, x: np.ndarray) -> None:
        if x.ndim != 3 or x.shape[2] != self.inputs or 0 in x.shape:
            raise ValueError(
                f"x has shape {x.shape}; it must be (time, trials, inputs), here "
                f"(time, trials, {self.inputs}), and hold something."
            )

    def _filter(self, z: np.ndarray) -> None:
        """Low-pass filter along the first axis. Its adjoint is itself on reversed time."""
        keep = np.asarray(np.exp(-self.dt / self.readout_tau), z.dtype)
        kept = self._workspace.room("kept", z.shape[1:])
        z *= 1 - keep
        for before, now in zip(z[:-1], z[1:], strict=True):
            np.multiply(before, keep, out=kept)
            now += kept

    @property
    def states(self) -> dict[str, tuple[int, ...]]:
        """All that the future depends on: "0.h" is h of the first cell, "out.z" the readout's z."""
        cells = enumerate(self.cells)
        states = {f"{i}.{name}": shape for i, cell in cells for name, shape in cell.states.items()}
        return states if self.readout_tau is None else states | {"out.z": (self.outputs,)}

    def initial_state(self, trials: int) -> dict[str, np.ndarray]:
        """The state before the first step, for each name of `states` (trials, units)."""
        state = {"out.z": np.zeros((trials, self.outputs), self.dtype)}
        for i, cell in enumerate(self.cells):
            own = cell.initial_state(self._of_cell(i, self.parameters), trials)
            state |= {f"{i}.{name}": array for name, array in own.items()}
        return {name: state[name] for name in self.states}

    def step(
        self, x: np.ndarray, state: dict[str, np.ndarray]
    ) -> tuple[dict[str, np.ndarray], np.ndarray]:
        """One step without noise, from any state.

        Parameters
        ----------
        x : array (..., inputs)
        state : dict of str to array (..., units)
            By the names of `states`; from `initial_state` or a step before.

        Returns
        -------
        state : dict of str to array
            After the step.
        outputs : array (..., outputs)
            As `forward` gives them.
        """
        after: dict[str, np.ndarray] = {}
        for i, cell in enumerate(self.cells):
            own, p = self._of_cell(i, state), self._of_cell(i, self.parameters)
            own, x = cell.step(p, x, own, self.dt)
            after |= {f"{i}.{name}": array for name, array in own.items()}
        z = x @ self.parameters["out.w"].T + self.parameters["out.b"]
        if self.readout_tau is not None:
            keep = np.asarray(np.exp(-self.dt / self.readout_tau), z.dtype)
            z = after["out.z"] = keep * state["out.z"] + (1 - keep) * z
        return after, z

    def backward(
        self, d_outputs: np.ndarray, d_rates: Sequence[np.ndarray | None] | None = None
    ) -> dict[str, np.ndarray]:
        """Gradients of a loss by all parameters, after `forward`.

        Parameters
        ----------
        d_outputs : array (time, trials, outputs)
            Derivative of the loss by the outputs.
        d_rates : sequence of arrays or None, optional
            For each cell the derivative by its rates, beside what comes through the outputs.

        Returns
        -------
        dict of str to array
            By the names of `parameters`; written over by the next call.
        """
        if not self.rates:
            raise ValueError("backward has nothing to go back through; call forward first.")
        y = self.rates[-1]
        steps, trials, units = y.shape
        if np.shape(d_outputs) != (steps, trials, self.outputs):
            raise ValueError(
                f"d_outputs has shape {np.shape(d_outputs)}; the outputs have shape "
                f"{(steps, trials, self.outputs)}."
            )
        if d_rates is not None and len(d_rates) != len(self.cells):
            raise ValueError(
                f"d_rates holds {len(d_rates)} arrays; the network has {len(self.cells)} cell(s)."
            )
        dz = self._workspace.room("dz", d_outputs.shape)
        np.copyto(dz, d_outputs)
        if self.readout_tau is not None:
            self._filter(dz[::-1])
        dz = dz.reshape(-1, self.outputs)
        np.matmul(dz.T, y.reshape(-1, units), out=self.gradients["out.w"])
        np.sum(dz, axis=0, out=self.gradients["out.b"])
        dy = self._workspace.room(f"dy{len(self.cells) - 1}", y.shape)
        np.matmul(dz, self.parameters["out.w"], out=dy.reshape(-1, units))
        for i in reversed(range(len(self.cells))):
            if d_rates is not None and d_rates[i] is not None:
                self._add(dy, d_rates[i], i)
            before = self.rates[i - 1] if i else self._x
            dx = self._workspace.room(f"dy{i - 1}", before.shape) if i else None
            gradients = self._of_cell(i, self.gradients)
            for gradient in gradients.values():
                gradient.fill(0)
            p = self._of_cell(i, self.parameters)
            self.cells[i].backward(p, before, dy, self.dt, self._workspaces[i], gradients, dx)
            dy = dx
        self._silence_fixed()
        return self.gradients

    def vanishing(self, strength: float) -> float:
        """After `backward`: `spikesim.rate.losses.vanishing` of each cell, added to the gradients.

        Raises
        ------
        ValueError
            If a cell has none.
        """
        cost = 0.0
        for i, cell in enumerate(self.cells):
            if not hasattr(cell, "vanishing"):
                raise ValueError(
                    f"vanishing is {strength}; it must be 0 with cells of kind "
                    f"{type(cell).__name__}, for which it is not defined."
                )
            dy = self._workspace[f"dy{i}"]
            p, gradients = self._of_cell(i, self.parameters), self._of_cell(i, self.gradients)
            cost += cell.vanishing(p, dy, strength, self._workspaces[i], gradients)
        self._silence_fixed()
        return cost

    def _silence_fixed(self) -> None:
        for name, mask in self.masks.items():
            self.gradients[name] *= mask
        for name in self.frozen:
            self.gradients[name].fill(0)

    def _add(self, dy: np.ndarray, given: np.ndarray, i: int) -> None:
        if np.shape(given) != dy.shape:
            raise ValueError(
                f"d_rates[{i}] has shape {np.shape(given)}; the rates have shape {dy.shape}."
            )
        dy += given

    def constrain(self) -> None:
        """Put back what an update may have broken: masks, and each cell's own constraints."""
        for name, mask in self.masks.items():
            self.parameters[name] *= mask
        for i, cell in enumerate(self.cells):
            cell.constrain(self._of_cell(i, self.parameters), self.dt)

    def run(self, x: np.ndarray, seed: int | None = None) -> np.ndarray:
        """Outputs of inputs, as an array of its own.

        Parameters
        ----------
        x : array (time, trials, inputs)
        seed : int, optional
            Of the noise; without it there is none.

        Returns
        -------
        array (time, trials, outputs)
            Probabilities if ``readout`` is "softmax".

        Raises
        ------
        ValueError
            If x has another shape or holds what is not finite.
        """
        x = np.asarray(x, self.dtype)
        self._check_shape(x)
        if not np.isfinite(x).all():
            step, trial, unit = (int(at[0]) for at in np.nonzero(~np.isfinite(x)))
            raise ValueError(
                f"x is {x[step, trial, unit]} at step {step}, trial {trial}, input {unit}; it must "
                "be finite."
            )
        z = self.forward(x, None if seed is None else stream(seed, "noise")).copy()
        if self.readout == "softmax":
            z -= z.max(axis=-1, keepdims=True)
            np.exp(z, out=z)
            z /= z.sum(axis=-1, keepdims=True)
        return z

    def effective_tau(self, x: np.ndarray, cell: int = 0) -> np.ndarray:
        """Time constants that the gate of a `GRU` gives its units, as `GRU.effective_tau` does.

        Parameters
        ----------
        x : array (time, trials, inputs)
            What comes into the network.
        cell : int
            Which cell, from 0.

        Returns
        -------
        array (time, trials, units)
            ms.

        Raises
        ------
        ValueError
            If x is not what `run` takes, there is no such cell, or its kind has no such gate.
        """
        if cell not in range(len(self.cells)):
            raise ValueError(f"cell is {cell!r}; the network has {len(self.cells)}, from 0.")
        asked = self.cells[cell]
        if not hasattr(asked, "effective_tau"):
            raise ValueError(
                f"cell {cell} is of kind {type(asked).__name__}; it must be a GRU, whose gate is a "
                "time constant."
            )
        self.run(x)
        before = self.rates[cell - 1] if cell else self._x
        return asked.effective_tau(self._of_cell(cell, self.parameters), before, self.dt)

    def __repr__(self) -> str:
        cells = ", ".join(
            f"{type(cell).__name__} of {number(cell.units, 'unit')}" for cell in self.cells
        )
        ends = number(self.inputs, "input"), number(self.outputs, "output")
        return f"<RateNetwork: {ends[0]}, {cells}, {ends[1]}>"

    def __str__(self) -> str:
        lines = [f"{repr(self)[1:-1]}, dt {self.dt:g} ms, {self.dtype}"]
        lines += [f"    {brief(cell)}" for cell in self.cells]
        lines += [f"    {name}: {shape}" for name, shape, _ in self._shapes()]
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        cells = [(type(cell).__name__, cell.units, brief(cell)) for cell in self.cells]
        return whole(
            f"{repr(self)[1:-1]}, dt {self.dt:g} ms",
            table("cells", ["kind", "units", "settings that are not as by default"], cells),
            table("parameters", ["name", "shape", "trained"], self._shapes()),
        )

    def _shapes(self) -> list[tuple[str, str, str]]:
        return [
            (name, " x ".join(map(str, p.shape)), "no" if name in self.frozen else "yes")
            for name, p in self.parameters.items()
        ]
