"""A generated kernel: its text, and the constants and rows that it reads."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikesim.codegen.recipes import Fact, Recipe, fits


@dataclass(frozen=True)
class Kernel:
    """A generated kernel, what must be put where, and how that follows from parameters."""

    source: str
    rows: list[str]  # of the state: variables, refractory, observed, then constants per neuron
    scalars: dict[str, float]  # in the order of `_const`; units of the inputs are filled in later
    wide: dict[str, float | None]  # behind them, in double precision; None of those per neuron
    per_neuron: dict[str, np.ndarray]  # those in double precision have as many rows as they need
    recipes: dict[str, Recipe]
    facts: list[Fact]
    single: bool

    def constants(self, real: type) -> np.ndarray:
        """What the kernel reads as `_const`."""
        doubles = [value for value in self.wide.values() if value is not None]
        narrow = np.array(list(self.scalars.values()), real)
        return np.concatenate([narrow, np.array(doubles, float).view(real)])

    def renew(self, values: Mapping[str, object], changed: set[str]) -> list[str] | None:
        """Change what follows from some parameters; returns which constants per neuron did.

        ``None``, and nothing has changed, if it must be generated anew: its text does not suit
        these values, or no kernel does.
        """
        fresh: dict[str, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for name, recipe in self.recipes.items():
                if not recipe.needs.isdisjoint(changed):
                    value = fresh[name] = recipe(values)
                    if (name in self.per_neuron) != (value.ndim > 0):
                        return None
                    if not fits(value, self.single and name not in self.wide):
                        return None
            if not all(f.holds(values) for f in self.facts if not f.needs.isdisjoint(changed)):
                return None
        for name, value in fresh.items():
            if value.ndim:
                self.per_neuron[name] = value
            else:
                kind = self.wide if name in self.wide else self.scalars
                kind[name] = float(value)
        return [name for name, value in fresh.items() if value.ndim]
