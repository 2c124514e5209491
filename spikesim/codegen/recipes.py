"""How constants of a kernel follow from the values of parameters.

A parameter can be changed without the text being written anew: its constants are made again, and
what the text was written for is held against the new values.
"""

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.description.equations import evaluate, names

LARGEST = {True: float(np.finfo(np.float32).max), False: float(np.finfo(float).max)}  # by `single`


@dataclass(frozen=True)
class Recipe:
    """How a constant follows from the values of those parameters that it needs."""

    needs: frozenset[str]
    make: Callable[[Mapping[str, Any]], Any]

    def __call__(self, values: Mapping[str, Any]) -> np.ndarray:
        return np.asarray(self.make(values), float)

    def then(self, change: Callable[[Any], Any]) -> "Recipe":
        """The recipe of a function of the value."""
        return Recipe(self.needs, lambda values: change(self.make(values)))


def formula(node: ast.expr) -> Recipe:
    """The recipe that an expression in parameters is."""
    return Recipe(frozenset(names(node)), lambda values: evaluate(node, values))


def remembered(needs: Iterable[str], make: Callable[[Mapping[str, Any]], Any]) -> Recipe:
    """A recipe that several others use: made again only if one of its values is another."""
    needs = frozenset(needs)
    order = sorted(needs)
    last: list[Any] = []  # the values, then what was made of them

    def kept(values: Mapping[str, Any]) -> Any:
        now = [values[name] for name in order]
        if not last or not all(map(operator.is_, now, last)):
            last[:] = [*now, make(values)]
        return last[-1]

    return Recipe(needs, kept)


@dataclass(frozen=True)
class Fact:
    """Something about the values that the text was written for."""

    recipe: Recipe
    found: np.ndarray

    @property
    def needs(self) -> frozenset[str]:
        return self.recipe.needs

    def holds(self, values: Mapping[str, Any]) -> bool:
        return np.array_equal(self.recipe(values), self.found)


def fits(value: np.ndarray, single: bool) -> bool:
    """Whether a precision can hold numbers."""
    most = LARGEST[single]
    if not value.ndim:  # when a parameter is set, a tenth of the time of the same in NumPy
        return -most <= float(value) <= most
    return bool(np.all(np.abs(value) <= most))


def check_fits(model: str, name: str, value: np.ndarray, single: bool) -> None:
    """Refuse a constant that the kernel's precision cannot hold."""
    if not fits(value, False):
        raise ValueError(f"{model}: {name} is not finite with these values of its parameters.")
    if not fits(value, single):
        raise ValueError(
            f"{model}: {name} is {np.max(np.abs(value)):g}, which is too large for single "
            "precision; take precision='double'."
        )
