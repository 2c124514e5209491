"""Populations of neurons of one model, and parts of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from spikesim import display
from spikesim.description.distributions import Value
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
        numbers = np.asarray(neurons)
        if numbers.ndim != 1 or (numbers.size and numbers.dtype.kind not in "iu"):
            raise ValueError(f"neurons is {neurons!r}; it must be a sequence of whole numbers.")
        if numbers.size and not 0 <= numbers.min() <= numbers.max() < self.size:
            raise IndexError(
                f"neurons run from {numbers.min()} to {numbers.max()}; {self.population!r} has "
                f"{self.size} here, numbered from 0."
            )
        return numbers.astype(np.int64)


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
