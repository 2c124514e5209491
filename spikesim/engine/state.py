"""A state: everything that a run's future depends on, as arrays, and the changes it allows."""

import ast
from collections.abc import Mapping
from copy import copy
from dataclasses import fields, replace
from typing import Any

import numpy as np

from spikesim.codegen.generator import generate
from spikesim.codegen.kernel import Kernel
from spikesim.codegen.rows import REFRACTORY, STEEP, carry_of, seen_of, unit_of
from spikesim.description.distributions import Normal
from spikesim.description.equations import evaluate, names, parse
from spikesim.description.inputs import Stimulus
from spikesim.description.population import View
from spikesim.engine.build import Build, drawn_values
from spikesim.engine.clock.arrays import Neurons, Spikes, StateArrays
from spikesim.engine.clock.inputs import input_arrays, start_ages
from spikesim.engine.clock.tables import aligned
from spikesim.engine.sums import check_sum
from spikesim.kernels.cache import generated_module
from spikesim.random import derive_key
from spikesim.times import milliseconds


class State:
    """Neurons, inputs and spikes in flight of one replica of a build, at one step.

    Attributes
    ----------
    arrays : StateArrays
        What the run loop works on.
    step : int
        The next step.
    """

    def __init__(
        self,
        build: Build,
        seed: int,
        replica: int,
        observed: Mapping[str, Mapping[str, ast.expr]],
    ) -> None:
        b = self.build = build
        self._observed = observed
        self.network = build.network
        self.seed, self.replica = seed, replica
        self.step = 0
        self._names = list(self.network.populations)
        self._values = {name: dict(values) for name, values in build.values.items()}
        self._stimuli = dict(self.network.inputs)
        history, (address_bits, slot_bits) = b.wiring.history, b.wiring.packing
        most = int((64 * (b.layout.spans["last"] - b.wiring.spans["first"])).sum(axis=1).max())
        empty = np.zeros(0, b.layout.real)
        inputs, given = input_arrays(b.layout, b.network, self._stimuli.values())
        start_ages(b.network, inputs, self._stimuli.values(), seed, "start", replica)
        neurons = Neurons(
            state=empty,
            state_first=np.zeros(len(self._names), np.int64),
            const=empty,
            const_first=np.zeros(len(self._names), np.int64),
            updates=np.zeros(len(self._names), np.int64),
            noise_keys=np.array(
                [derive_key(seed, replica, "xi", name) for name in self._names], np.uint64
            ).view(np.int64),
        )
        spikes = Spikes(
            lists=aligned((history, b.partitions, most), np.int32),
            ends=aligned((history, b.partitions, -(-(len(self._names) + 1) // 16) * 16), np.int32),
            silent=np.zeros(0, np.uint8),
        )
        self.arrays = StateArrays(
            neurons=neurons,
            spikes=spikes,
            ring=aligned(b.partitions << (address_bits + slot_bits), b.layout.integer),
            inputs=inputs,
            given=given,
            key=np.uint64(derive_key(seed, replica, "noise")),
            plastic=None,
        )
        self._kernels = {name: self._first_kernel(name) for name in self._names}
        self._layout({name: self._start_values(name) for name in self._names})

    @property
    def time(self) -> float:
        """Biological time reached (ms)."""
        return milliseconds(self.step, self.build.dt)

    def cells(self, view: View, variable: str) -> tuple[np.ndarray, np.ndarray]:
        """Where in the flat state a quantity of some neurons lies, and in which partitions."""
        rows = self._kernels[view.population].rows
        p = self._names.index(view.population)
        block, lane = np.divmod(view.neurons, 64)
        observed = seen_of(variable)
        place = rows.index(observed if observed in rows else variable)
        row = block * len(rows) + place
        return self.arrays.neurons.state_first[p] + row * 64 + lane, self.build.layout.partition_of(
            p, block
        )

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
        if name in self._stimuli:
            self._set_input(name, values)
            return
        self._known(name)
        population = self.network.populations[name]
        dynamics = population.model.dynamics
        for key, value in values.items():
            if key not in dynamics.derivatives and key not in self._values[name]:
                self.get(name, key)  # says what there is
            try:
                array = np.asarray(value, float)
            except (TypeError, ValueError):
                array = np.array(np.nan)
            if array.shape not in ((), (population.size,)) or not np.all(np.isfinite(array)):
                raise ValueError(
                    f"{key} of {name!r} is {value!r}; it must be finite, a number or of shape "
                    f"({population.size},)."
                )
        parameters, variables = dict(self._values[name]), {}
        for key, value in values.items():
            array = np.array(value, float)
            if key in dynamics.derivatives:
                variables[key] = np.broadcast_to(array, population.size)
                variables[carry_of(key)] = np.zeros(population.size)
            else:
                parameters[key] = float(array) if array.ndim == 0 else array
        variables = {row: x for row, x in variables.items() if row in self._kernels[name].rows}
        changed = set(values) & set(dynamics.defaults)
        if changed:
            self._renew(name, parameters, self._stimuli, changed)
            self._values[name] = parameters
        if variables:
            self._write(name, variables)

    def _renew(
        self,
        name: str,
        parameters: Mapping[str, Any],
        stimuli: Mapping[str, Stimulus],
        changed: set,
    ) -> None:
        """Let a kernel have other values of parameters; if its text does not suit them, another."""
        values = self._driven(name, parameters, stimuli)
        kernel = self._kernels[name]
        renewed = kernel.renew({**values, "dt": self.build.dt}, changed)
        if renewed is None:
            fresh = self._kernel(name, values)
            everything = {other: self._variables(other) for other in self._names}
            self._kernels[name] = fresh
            self._layout(everything)
            return
        neurons = self.arrays.neurons
        first = neurons.const_first[self._names.index(name)]
        const = kernel.constants(self.build.layout.real)
        neurons.const[first : first + const.size] = const
        self._write(name, {row: kernel.per_neuron[row] for row in renewed})

    def _set_input(self, name: str, values: Mapping[str, Any]) -> None:
        stimulus = self._stimuli[name]
        known = {field.name for field in fields(stimulus.input)} - {"trains"}
        for key in values:
            if key not in known:
                raise ValueError(f"input {name!r} has no {key!r} that can be set.")
        changed = replace(stimulus, input=replace(stimulus.input, **values))
        self.network.check_stimulus(changed)
        stimuli = {**self._stimuli, name: changed}
        check_sum(self.build.sums, self.network.inputs, stimuli, name, self.build.dt)
        if not changed.input.at_receptor:
            target = changed.target.population
            key = {self.network.populations[target].model.current}
            self._renew(target, self._values[target], stimuli, key)
        else:
            inputs, given = input_arrays(self.build.layout, self.network, stimuli.values())
            before = self.arrays.inputs.ages
            inputs.ages.reshape(-1, 3, 64)[:, 0] = before.reshape(-1, 3, 64)[:, 0]
            self.arrays = self.arrays._replace(inputs=inputs, given=given)
        self._stimuli = stimuli

    def silence(self, view: View, neurons: np.ndarray, silent: bool) -> None:
        """Let spikes of these neurons of a part reach nobody, or reach their targets again."""
        spikes = self.arrays.spikes
        flags = spikes.silent
        if not flags.size:
            flags = np.zeros(sum(p.size for p in self.network.populations.values()), np.uint8)
        first = self.build.wiring.populations["first"][self._names.index(view.population)]
        flags[first + view.neurons[neurons]] = silent
        silent = flags if flags.any() else flags[:0]
        self.arrays = self.arrays._replace(spikes=spikes._replace(silent=silent))

    def _known(self, population: str) -> None:
        if population not in self._names:
            known = ", ".join(map(repr, [*self._names, *self._stimuli]))
            raise ValueError(f"unknown population or input {population!r}; known are {known}.")

    def _start_values(self, name: str) -> dict[str, np.ndarray]:
        population = self.network.populations[name]
        result = {}
        for variable in population.model.dynamics.derivatives:
            value = population.init.get(variable, 0.0)
            key = (self.seed, "start", self.replica, name, variable)
            if isinstance(value, str):
                where = f"population {name!r}, init of {variable!r}"
                node = parse(value, where)
                unknown = names(node) - {*self._values[name], "xi"}
                if unknown:
                    raise ValueError(f"{where}: unknown parameter {sorted(unknown)[0]!r}.")
                noise = {}
                if "xi" in names(node):
                    noise["xi"] = drawn_values(Normal(0.0, 1.0), population.size, *key)
                value = evaluate(node, {**self._values[name], **noise})
            else:
                value = drawn_values(value, population.size, *key)
            result[variable] = np.broadcast_to(np.asarray(value, float), population.size)
        if population.model.dynamics.refractory is not None:
            result[REFRACTORY] = np.full(population.size, -1.0)
        return result | {row: np.zeros(population.size) for row in self._observed[name]}

    def _driven(
        self, name: str, values: Mapping[str, Any], stimuli: Mapping[str, Stimulus]
    ) -> dict[str, Any]:
        """Values of parameters, currents added to them."""
        values, population = dict(values), self.network.populations[name]
        key = population.model.current
        for stimulus in stimuli.values():
            if stimulus.target.population == name and not stimulus.input.at_receptor:
                total, amplitude = values[key], stimulus.input.added
                if stimulus.target.size == population.size and not np.ndim(total + amplitude):
                    values[key] = total + amplitude
                    continue
                total = np.broadcast_to(np.asarray(total, float), population.size).copy()
                total[stimulus.target.neurons] += amplitude
                values[key] = float(total[0]) if np.all(total == total[0]) else total
        return values

    def _first_kernel(self, name: str) -> Kernel:
        """The update that every state of the build begins with; written once, for trials."""
        seen = tuple((row, ast.dump(tree)) for row, tree in self._observed[name].items())
        ours = (d for d in self._stimuli.values() if d.target.population == name)
        currents = tuple(d for d in ours if not d.input.at_receptor)  # compared as objects
        kernel = self.build.kernels.get((name, seen, currents))
        if kernel is None:
            kernel = self._kernel(name, self._driven(name, self._values[name], self._stimuli))
            self.build.kernels[name, seen, currents] = kernel
        own = {part: dict(getattr(kernel, part)) for part in ("scalars", "wide", "per_neuron")}
        return replace(kernel, **own)  # `Kernel.renew` changes these

    def _kernel(self, name: str, values: Mapping[str, Any]) -> Kernel:
        """The update of a population with these parameters, currents added to them."""
        population, b = self.network.populations[name], self.build
        kernel = generate(
            population.model,
            values,
            b.dt,
            b.precision,
            self._observed[name],
            population.init,
            b.sums.wide,
        )
        for receptor in population.model.receptors:
            kernel.scalars[unit_of(receptor)] = b.units[name, receptor]
        return kernel

    def _layout(self, variables: Mapping[str, Mapping[str, np.ndarray]]) -> None:
        """Write all variables out around the kernels as they are; those that are missing are 0."""
        b = self.build
        self._updates = {k: generated_module(v.source).update for k, v in self._kernels.items()}
        populations = self.network.populations
        sizes = [
            64 * -(-populations[name].size // 64) * len(self._kernels[name].rows)
            for name in self._names
        ]
        constants = [self._kernels[name].constants(b.layout.real) for name in self._names]
        neurons = self.arrays.neurons._replace(
            state=aligned(sum(sizes), b.layout.real),
            state_first=np.cumsum([0, *sizes[:-1]]),
            const=np.concatenate(constants),
            const_first=np.cumsum([0, *(part.size for part in constants[:-1])]),
            updates=np.array([self._updates[name].address for name in self._names], np.int64),
        )
        self.arrays = self.arrays._replace(neurons=neurons)
        for name in self._names:
            kernel = self._kernels[name]
            known = {row: x for row, x in variables[name].items() if row in kernel.rows}
            self._write(name, {**known, **kernel.per_neuron})

    def _rows(self, name: str) -> np.ndarray:
        """The state of a population as [block, row, lane]."""
        p = self._names.index(name)
        blocks = -(-self.network.populations[name].size // 64)
        rows = len(self._kernels[name].rows)
        neurons = self.arrays.neurons
        first = neurons.state_first[p]
        return neurons.state[first : first + 64 * blocks * rows].reshape(blocks, rows, 64)

    def _variables(self, name: str) -> dict[str, np.ndarray]:
        """Variables of a population, one value per neuron, and what they are refractory by."""
        kernel, size = self._kernels[name], self.network.populations[name].size
        rows = self._rows(name)
        return {
            row: rows[:, k].reshape(-1)[:size].astype(float)
            for k, row in enumerate(kernel.rows)
            if row not in kernel.per_neuron and row != STEEP
        }

    def _write(self, name: str, values: Mapping[str, np.ndarray]) -> None:
        """Write some of the rows of a population."""
        rows, kernel = self._rows(name), self._kernels[name]
        size, real = self.network.populations[name].size, self.build.layout.real
        for row, value in values.items():
            k, count = kernel.rows.index(row), kernel.rows.count(row)
            # Lanes beyond the last neuron repeat it: they must not meet a division by zero.
            lanes = np.empty(64 * rows.shape[0], float if row in kernel.wide else real)
            lanes[:size], lanes[size:] = value, value[-1]
            rows[:, k : k + count] = lanes.view(real).reshape(-1, count, 64)
        if STEEP in kernel.rows:
            rows[:, kernel.rows.index(STEEP)] = 1.0  # until a step has looked
