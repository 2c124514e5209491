"""A state: everything that a run's future depends on, as arrays, and the changes it allows."""

from collections.abc import Mapping
from copy import copy
from dataclasses import replace
from typing import Any

import numpy as np

from spikesim.distributions import Normal, levels
from spikesim.engine import loop
from spikesim.engine.bounds import bounds
from spikesim.engine.build import Build, milliseconds, sampled
from spikesim.engine.cache import generated_module
from spikesim.engine.drives import drive_arrays
from spikesim.engine.generator import REFRACTORY, Kernel, generate
from spikesim.engine.keyed import derive_key
from spikesim.engine.loop import Flow, Shape
from spikesim.equations import evaluate, names, parse
from spikesim.inputs import Current
from spikesim.network import View


class State:
    """Neurons, inputs and spikes in flight of one replica of a build, at one step.

    Attributes
    ----------
    flow : Flow
        The arrays that the run loop works on.
    shape : Shape
        Their sizes, and the key of the noise.
    step : int
        The next step.
    """

    def __init__(self, build: Build, seed: int, replica: int) -> None:
        b = self.build = build
        self.network = build.network
        self.seed, self.replica = seed, replica
        self.step = 0
        self._names = list(self.network.populations)
        self._values = {name: dict(values) for name, values in build.values.items()}
        self._drives = dict(self.network.drives)
        self._kernels: dict[str, Kernel] = {}
        self._updates: dict[str, Any] = {}
        key = np.uint64(derive_key(seed, replica, "noise"))
        self.shape = Shape(b.address_bits, b.slot_bits, b.history, b.epoch, key)
        slots = b.partitions << (b.address_bits + b.slot_bits)
        most = int((64 * (b.wiring.spans["last"] - b.wiring.spans["first"])).sum(axis=1).max())
        empty = np.zeros(0, b.real)
        self.flow = Flow(
            state=empty,
            state_first=np.zeros(len(self._names), np.int64),
            const=empty,
            const_first=np.zeros(len(self._names), np.int64),
            updates=np.zeros(len(self._names), np.int64),
            ring=_aligned(slots, b.integer),
            lists=np.empty((b.history, b.partitions, most), np.int32),
            ends=np.zeros((b.history, b.partitions, len(self._names) + 1), np.int32),
            gauss=(levels(Normal(0.0, 1.0), loop.GAUSS_LEVELS) / np.sqrt(2)).astype(b.real),
            **drive_arrays(b, self._drives.values()),
        )
        self._layout({name: self._start_values(name) for name in self._names})

    @property
    def time(self) -> float:
        """Biological time reached (ms)."""
        return milliseconds(self.step, self.build.dt)

    def cells(self, view: View, variable: str) -> tuple[np.ndarray, np.ndarray]:
        """Where in the flat state a variable of some neurons lies, and in which partitions."""
        kernel = self._kernels[view.population]
        p = self._names.index(view.population)
        block, lane = np.divmod(view.neurons, 64)
        row = block * len(kernel.rows) + kernel.rows.index(variable)
        return self.flow.state_first[p] + row * 64 + lane, self.build.partition_of(p, block)

    def get(self, population: str, name: str) -> np.ndarray | float:
        """A state variable (one value per neuron) or a parameter of a population."""
        self._known(population)
        if name in self.network.populations[population].model.dynamics.derivatives:
            return self._variables(population)[name]
        if name in self._values[population]:
            return copy(self._values[population][name])
        model = self.network.populations[population].model.dynamics
        raise ValueError(
            f"population {population!r} has neither a variable nor a parameter {name!r}; known are "
            f"{', '.join([*model.derivatives, *model.defaults])}."
        )

    def set(self, name: str, values: Mapping[str, Any]) -> None:
        """Change a population or an input; see `Simulation.set`. All or nothing."""
        if name in self._drives:
            self._set_drive(name, values)
            return
        self._known(name)
        population = self.network.populations[name]
        dynamics = population.model.dynamics
        for key, value in values.items():
            self.get(name, key)
            array = np.asarray(value, float)
            if array.shape not in ((), (population.size,)) or not np.all(np.isfinite(array)):
                raise ValueError(
                    f"{key} of {name!r} is {value!r}; it must be finite, a number or of shape "
                    f"({population.size},)."
                )
        state = {other: self._variables(other) for other in self._names}
        for key, value in values.items():
            if key in dynamics.derivatives:
                state[name][key] = np.broadcast_to(np.asarray(value, float), population.size)
            else:
                array = np.array(value, float)
                self._values[name][key] = float(array) if array.ndim == 0 else array
        if set(values) & set(dynamics.defaults):
            self._layout(state, changed=name)
        else:
            self._write(name, state[name])

    def _set_drive(self, name: str, values: Mapping[str, Any]) -> None:
        drive = self._drives[name]
        for key in values:
            if not hasattr(drive.input, key) or key == "trains":
                raise ValueError(f"input {name!r} has no {key!r} that can be set.")
            shape = np.shape(values[key])
            if shape not in ((), (drive.target.size,)):
                raise ValueError(
                    f"{key} of input {name!r} has shape {shape}; it must be a number or of shape "
                    f"({drive.target.size},)."
                )
        changed = replace(drive, input=replace(drive.input, **values))
        self.network.check_drive(changed)
        drives = {**self._drives, name: changed}
        most = bounds(self.network, drives.values(), self.build.dt)
        for key, limit in self.build.limits.items():
            if most[key] > limit:
                raise ValueError(
                    f"input {name!r} would be stronger than this build can add up ({most[key]:g} "
                    f"of at most {limit:g} per step): describe it so and build again."
                )
        self._drives = drives
        if isinstance(changed.input, Current):
            state = {other: self._variables(other) for other in self._names}
            self._layout(state, changed=changed.target.population)
        else:
            self.flow = self.flow._replace(**drive_arrays(self.build, drives.values()))

    def _known(self, population: str) -> None:
        if population not in self._names:
            known = ", ".join(map(repr, [*self._names, *self._drives]))
            raise ValueError(f"unknown population or input {population!r}; known are {known}.")

    def _start_values(self, name: str) -> dict[str, np.ndarray]:
        population = self.network.populations[name]
        result = {}
        for variable in population.model.dynamics.derivatives:
            value = population.init.get(variable, 0.0)
            if isinstance(value, str):
                where = f"population {name!r}, init of {variable!r}"
                node = parse(value, where)
                unknown = names(node) - set(self._values[name])
                if unknown:
                    raise ValueError(f"{where}: unknown parameter {sorted(unknown)[0]!r}.")
                value = evaluate(node, self._values[name])
            else:
                key = (self.seed, "start", self.replica, name, variable)
                value = sampled(value, population.size, *key)
            result[variable] = np.broadcast_to(np.asarray(value, float), population.size)
        if population.model.dynamics.refractory is not None:
            result[REFRACTORY] = np.full(population.size, -1.0)
        return result

    def _parameters(self, name: str) -> dict[str, Any]:
        """Parameters of a population, currents added."""
        population = self.network.populations[name]
        values = dict(self._values[name])
        for drive in self._drives.values():
            if drive.target.population == name and isinstance(drive.input, Current):
                key = population.model.current
                if drive.target.size == population.size:
                    values[key] = values[key] + drive.input.amplitude
                else:
                    total = np.broadcast_to(np.asarray(values[key], float), population.size).copy()
                    total[drive.target.neurons] += drive.input.amplitude
                    values[key] = total
        return values

    def _layout(
        self, state: Mapping[str, Mapping[str, np.ndarray]], changed: str | None = None
    ) -> None:
        """Generate what kernels are needed and write the state out anew around them."""
        b = self.build
        for name in self._names if changed is None else [changed]:
            model = self.network.populations[name].model
            kernel = generate(model, self._parameters(name), b.dt, b.precision)
            for receptor in model.receptors:
                kernel.scalars[f"unit_{receptor}"] = b.units[name, receptor]
            self._kernels[name] = kernel
            self._updates[name] = generated_module(kernel.source).update
        blocks = [-(-self.network.populations[name].size // 64) for name in self._names]
        sizes = [
            64 * n * len(self._kernels[name].rows)
            for name, n in zip(self._names, blocks, strict=True)
        ]
        scalars = [list(self._kernels[name].scalars.values()) for name in self._names]
        flow = self.flow._replace(
            state=_aligned(sum(sizes), b.real),
            const=np.array([x for part in scalars for x in part], b.real),
            updates=np.array([self._updates[name].address for name in self._names], np.int64),
        )
        flow.state_first[:] = np.cumsum([0, *sizes[:-1]])
        flow.const_first[:] = np.cumsum([0, *(len(part) for part in scalars[:-1])])
        self.flow = flow
        for name in self._names:
            self._write(name, state[name])

    def _rows(self, name: str) -> np.ndarray:
        """The state of a population as [block, row, lane]."""
        p = self._names.index(name)
        blocks = -(-self.network.populations[name].size // 64)
        rows = len(self._kernels[name].rows)
        first = self.flow.state_first[p]
        return self.flow.state[first : first + 64 * blocks * rows].reshape(blocks, rows, 64)

    def _variables(self, name: str) -> dict[str, np.ndarray]:
        """Variables of a population, one value per neuron, and the refractory time left."""
        kernel, size = self._kernels[name], self.network.populations[name].size
        rows = self._rows(name)
        return {
            row: rows[:, k].reshape(-1)[:size].astype(float)
            for k, row in enumerate(kernel.rows)
            if row not in kernel.per_neuron
        }

    def _write(self, name: str, values: Mapping[str, np.ndarray]) -> None:
        rows = self._rows(name)
        blocks = rows.shape[0]
        kernel = self._kernels[name]
        for k, row in enumerate(kernel.rows):
            value = kernel.per_neuron[row] if row in kernel.per_neuron else values[row]
            # Lanes beyond the last neuron repeat it: they must not meet a division by zero.
            rows[:, k] = np.pad(value, (0, 64 * blocks - value.size), "edge").reshape(blocks, 64)


def _aligned(size: int, kind: type) -> np.ndarray:
    """Zeros that begin at a cache line."""
    item = np.dtype(kind).itemsize
    raw = np.zeros(size * item + 64, np.uint8)
    shift = -raw.ctypes.data % 64
    return raw[shift : shift + size * item].view(kind)
