"""What is said of a name that is not there: an option of a function, or a name of the package."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from typing import Any, TypeVar

Function = TypeVar("Function", bound=Callable)

_GAPS = "gap junctions are not there: threads meet only once in the shortest delay"
_FIXED = "synapses that change by themselves are not there: weights stay as they were built"
_UNITS = "there are no objects for units: numbers are in ms, mV, pA, nS, pF and Hz"
INSTEAD = {  # what has another name here, or is not there; by the name that others give it
    "GapJunction": _GAPS,
    "GapJunctions": _GAPS,
    "STDP": _FIXED,
    "STP": _FIXED,
    "TsodyksMarkram": _FIXED,
    "NeuronGroup": "neurons are made by Network.population(name, size, model)",
    "Create": "neurons are made by Network.population(name, size, model)",
    "Synapse": "synapses are made by Network.connect(source, target, rule, weight=, delay=)",
    "Connect": "synapses are made by Network.connect(source, target, rule, weight=, delay=)",
    "SpikeMonitor": "spikes are always recorded: simulate(...).spikes",
    "StateMonitor": "variables are recorded by simulate(..., record=[Trace(neurons, variable)])",
    "PopulationRateMonitor": "rates are recorded by simulate(..., record=[Rate(neurons)])",
    "PoissonGroup": "Poisson input is given by Network.drive(target, Poisson(rate, weight))",
    "PoissonInput": "Poisson input is given by Network.drive(target, Poisson(rate, weight))",
    "SpikeGeneratorGroup": "spikes are given by Network.drive(target, Spikes(trains, weight))",
    "Simulate": "a network is run by simulate(network, duration)",
    "run": "a network is run by simulate(network, duration)",
    **dict.fromkeys(("ms", "second", "mV", "volt", "pA", "amp", "nS", "pF", "Hz"), _UNITS),
}


def missing(module: str, name: str, known: Iterable[str]) -> AttributeError:
    """The error for a name that a module of the package does not have."""
    sentence = f"module {module!r} has no attribute {name!r}"
    if name in INSTEAD:
        sentence += f"; {INSTEAD[name]}."
    elif not name.startswith("_") and (found := nearest(name, known)):
        sentence += f"; did you mean {found}?"
    return AttributeError(sentence)


def nearest(name: str, known: Iterable[str]) -> str:
    """The known name that looks most like one that is not known, or ""."""
    by_lower = {each.lower(): each for each in known}
    found = get_close_matches(name.lower(), by_lower, n=1)
    return by_lower[found[0]] if found else ""


def options_of(function: Callable) -> list[str]:
    """Names of the arguments that can be given by name."""
    parameters = inspect.signature(function).parameters.values()
    return [p.name for p in parameters if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]


def check_options(
    function: str, given: Iterable[str], known: Iterable[str], **instead: str
) -> None:
    """Refuse options that a function does not have, with a sentence that names the nearest.

    ``instead`` says of names that others use what stands for them here.
    """
    known = list(known)
    for name in given:
        if name in known:
            continue
        found = nearest(name, known)
        hint = f"; did you mean {found}?" if found else "."
        if name in instead:
            hint = f": that is {instead[name]} here."
        raise TypeError(f"{function} has no option {name!r}{hint} It has {', '.join(known)}.")


def named_options(**instead: str) -> Callable[[Function], Function]:
    """A function, or class, that says which options it has if it is given another.

    Its signature is shown with its annotations as they were written.
    """

    def decorate(function: Function) -> Function:
        if isinstance(function, type):
            function.__init__ = _checking(function.__init__, function.__name__, instead)
            return function
        return _checking(function, function.__name__, instead)

    return decorate


class _AsWritten(str):
    """Text that is shown as it is."""

    __repr__ = str.__str__


def _checking(function: Callable, name: str, instead: dict[str, str]) -> Any:
    signature = inspect.signature(function)
    open_ended = any(p.kind is p.VAR_KEYWORD for p in signature.parameters.values())
    known = [each for each in options_of(function) if each != "self"]

    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        if not open_ended and not options.keys() <= set(known):
            check_options(name, options, known, **instead)
        return function(*args, **options)

    wrapped.__signature__ = signature.replace(
        parameters=[
            p.replace(annotation=_as_written(p.annotation)) for p in signature.parameters.values()
        ],
        return_annotation=_as_written(signature.return_annotation),
    )
    return wrapped


def _as_written(annotation: Any) -> Any:
    """An annotation that is text, so that ``help`` shows it without quotes."""
    return _AsWritten(annotation) if isinstance(annotation, str) else annotation
