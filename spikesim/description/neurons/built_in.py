"""How a built-in model is declared: its texts, and each parameter once, in its signature."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any

from spikesim.checks import as_floats
from spikesim.description import units
from spikesim.description.distributions import Value
from spikesim.description.neuron import NeuronModel
from spikesim.description.plausibility import warn_of_si
from spikesim.description.receptors import Exponential, Pulse, Receptor
from spikesim.names import named_options

Receptors = Mapping[str, Receptor]


def currents() -> Receptors:
    """Exponential currents of 5 and 10 ms."""
    return {"exc": Exponential(5.0, "positive"), "inh": Exponential(10.0, "negative")}


def pulse() -> Receptors:
    """A current of one step, without a unit."""
    return {"pulse": Pulse("")}


def linear_method(receptors: Receptors) -> str:
    """Exact, unless a conductance multiplies the potential."""
    conductances = any(receptor.unit == "nS" for receptor in receptors.values())
    return "exponential_euler" if conductances else ""


def built_in(
    *,
    method: str | Callable[[Receptors], str],
    receptors: Callable[[], Receptors] = currents,
    **texts: Any,
) -> Callable[[Callable], Callable]:
    """Make a model of a function that holds nothing but a signature and a docstring.

    Every option whose default is a text, such as ``tau_m: Value = "20 ms"``, is a parameter of the
    model, with that default and unit; who calls the function gives and sees numbers. The other
    options are ``receptors`` and ``method``.

    Parameters
    ----------
    method
        By default; or a function that chooses it by the receptors.
    receptors
        Makes those by default.
    **texts
        Other fields of `NeuronModel`.
    """

    usual, by_default = method, receptors

    def decorate(declared: Callable) -> Callable:
        signature = inspect.signature(declared)
        options = signature.parameters.values()
        parameters = {p.name: p.default for p in options if isinstance(p.default, str)}
        defaults = {name: units.quantity(text)[0] for name, text in parameters.items()}

        @functools.wraps(declared)
        def make(*, receptors: Any = None, method: Any = None, **values: Value) -> NeuronModel:
            arriving = by_default() if receptors is None else receptors
            chosen = method or (usual(arriving) if callable(usual) else usual)
            return model(
                declared.__name__,
                dict(parameters),
                defaults | values,
                receptors=arriving,
                method=chosen,
                **texts,
            )

        make.__signature__ = signature.replace(
            parameters=[p.replace(default=defaults.get(p.name, p.default)) for p in options]
        )
        return named_options()(make)

    return decorate


def model(
    name: str, parameters: Mapping[str, str], values: Mapping[str, Value], **fields: Any
) -> NeuronModel:
    """A built-in model, after a word on values that look like s, V, F, S or A."""
    given = {
        k: (value, parameters[k].partition(" ")[2])
        for k, value in values.items()
        if k in parameters
    }
    warn_of_si(name, given)
    for parameter, (value, unit) in given.items():
        numbers = as_floats(value) if parameter == "c_m" or parameter.startswith("tau") else None
        if numbers is not None and (numbers <= 0).any():
            raise ValueError(f"{name}: {parameter} is {value!r} {unit}; it must be above 0.")
    return NeuronModel(name=name, parameters=parameters, values=values, **fields)
