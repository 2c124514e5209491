"""Populations of neurons of one model, and parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikesim import display
from spikesim.checks import (
    as_floats,
    check_numbers,
    check_shape,
    check_whole,
    check_whole_numbers,
)
from spikesim.description.distributions import Distribution, Value
from spikesim.description.equations import EquationError, names, parse
from spikesim.description.neuron import NeuronModel


@dataclass(frozen=True)
class View:
    """Neurons start, start + step, ... of a population, ``size`` of them."""

    population: str
    start: int
    step: int
    size: int

    @property
    def neurons(self) -> np.ndarray:
        """Their numbers in the population."""
        return self.start + self.step * np.arange(self.size)

    def places(self, neurons: Sequence[int] | np.ndarray) -> np.ndarray:
        """Numbers within this part as an array, none beyond it."""
        numbers = check_whole_numbers("neurons", neurons)
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.size:
            raise IndexError(
                f"neurons run from {numbers.min()} to {numbers.max()}; {self.population!r} has "
                f"{self.size} here, numbered from 0."
            )
        return numbers


@dataclass(frozen=True, eq=False)
class Population:
    """Neurons of one model. ``population[:100]`` or ``population[::2]`` is a part of it."""

    name: str
    size: int
    model: NeuronModel
    init: Mapping[str, Value | str] = field(default_factory=dict)
    positions: np.ndarray | None = None  # [neuron, dimension]

    def __len__(self) -> int:
        return self.size

    def __getitem__(self, part: slice | int) -> View:
        if isinstance(part, int | np.integer):
            if not -self.size <= part < self.size:
                raise IndexError(
                    f"{self.name}[{part}]: the population has {self.size} neurons, numbered from 0."
                )
            part = slice(part % self.size, part % self.size + 1)
        if not isinstance(part, slice):
            raise TypeError(f"{self.name}[{part!r}]: a part of a population is a slice.")
        told = f"{self.name}[{part.start}:{part.stop}:{part.step}]"
        try:
            numbers = range(*part.indices(self.size)) if part.step != 0 else range(0)
        except TypeError:
            raise TypeError(f"{told}: a part is bounded by whole numbers.") from None
        if numbers.step < 1 or not numbers:
            raise ValueError(
                f"{told}: a part must hold at least one of the {self.size} neurons, in ascending "
                "order."
            )
        return View(self.name, numbers.start, numbers.step, len(numbers))

    def __repr__(self) -> str:
        return (
            f"<Population {self.name!r}: {display.number(self.size, 'neuron')}, {self.model.name}>"
        )


def shared(source: View, target: View) -> int:
    """Neurons that are in both."""
    if source.population != target.population:
        return 0
    return np.intersect1d(source.neurons, target.neurons).size


def populated(
    name: str, size: int, model: NeuronModel, init: Mapping[str, Value | str], positions: Any
) -> Population:
    """A population whose values fit its size; errors are those of `Network.population`."""
    check_whole(f"population {name!r}: size", size)
    if not isinstance(model, NeuronModel):
        raise TypeError(
            f"population {name!r}: model is {model!r}; it must be a neuron model such as LIF()."
        )
    if not isinstance(init, Mapping):
        raise TypeError(f"population {name!r}: init is {init!r}; it must be a mapping.")
    init = {**model.all_initial, **init}
    for variable, value in init.items():
        if variable not in model.dynamics.derivatives:
            known = ", ".join(model.dynamics.derivatives)
            raise ValueError(
                f"population {name!r}: unknown variable {variable!r} in init; known are {known}."
            )
        if isinstance(value, str):
            _expression(f"population {name!r}, init of {variable!r}", value, model)
        else:
            _per_neuron(f"population {name!r}: init of {variable!r}", value, size)
    for parameter, value in model.all_values.items():
        _per_neuron(f"population {name!r}: parameter {parameter!r}", value, size)
    return Population(name, int(size), model, init, _positions(name, positions, size))


def _per_neuron(where: str, value: Any, size: int) -> None:
    if isinstance(value, Distribution):
        return
    array = check_numbers(where, value, "a number, array or distribution")
    check_shape(where, array, (), (size,))


def _positions(name: str, positions: Any, size: int) -> np.ndarray | None:
    if positions is None:
        return None
    array = as_floats(positions)
    if array is None or array.shape not in ((size,), (size, 1), (size, 2), (size, 3)):
        raise ValueError(
            f"population {name!r}: positions have shape {np.shape(positions)}; it must be "
            f"({size},), or ({size}, d) with d up to 3."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"population {name!r}: positions are not all finite.")
    return array.reshape(size, -1).copy()


def _expression(where: str, text: str, model: NeuronModel) -> None:
    known = model.dynamics.defaults
    unknown = sorted(names(parse(text, where)) - {*known, "xi"})
    if unknown:
        raise EquationError(
            f"{where}: unknown parameter {unknown[0]!r}; known are {', '.join(known)}."
        )
