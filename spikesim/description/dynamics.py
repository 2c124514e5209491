"""A model with its receptors written out, and what its texts are held against.

Names that a model may not use, names that it does not have, units and noise.
"""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce
from typing import Any

from spikesim.description import units
from spikesim.description.equations import (
    FUNCTIONS,
    NOT_REFRACTORY,
    EquationError,
    Statement,
    affine,
    equations,
    is_condition,
    names,
    parse,
    statements,
    substitute,
)
from spikesim.description.receptors import Receptor

METHODS = ("exact", "exponential_euler", "exponential_midpoint", "euler", "rk2", "rk4")
RESERVED = {  # words of the language: every other name is free, kernels' begin with an underscore
    *("t", "dt", "xi", "pi", "i_syn", "refractory", NOT_REFRACTORY),
    *FUNCTIONS,
    *keyword.kwlist,
}


@dataclass(frozen=True)
class Upswing:
    """A coordinate x in which a variable that runs away at a spike moves smoothly.

    With it a neuron passes its peak, is reset and goes on within a step. In every text the variable
    has its own name and the coordinate is called ``x``; x falls while the variable rises.

    Parameters
    ----------
    to : str
        x of the variable.
    back : str
        The variable of x.
    slope : str
        The derivative of x by the variable, of x.
    stride : str
        How far x may go at a time, of x: a step in which it goes farther is taken in parts.
    above, steep : str
        Steps in which the variable comes to be above one value and rises by more than the other are
        taken in x.
    """

    to: str
    back: str
    slope: str
    stride: str
    above: str
    steep: str


@dataclass(frozen=True)
class Dynamics:
    """A model with its receptors written out: what the generator and a reader need."""

    derivatives: dict[str, ast.expr]
    units: dict[str, str]  # of variables and parameters
    defaults: dict[str, float]
    arrivals: dict[str, list[Statement]]  # by receptor; w is called w_RECEPTOR
    threshold: ast.expr
    reset: list[Statement]
    refractory: ast.expr | None
    scheme: list[Statement]  # statements that make the step, if the method is not a named one
    definitions: dict[str, ast.expr]  # put into everything else already; white noise left out
    held: tuple[str, ...]  # variables that stand still while refractory

    @property
    def expressions(self) -> list[ast.expr]:
        """Every expression of the model."""
        written = [*self.reset, *self.scheme, *(s for each in self.arrivals.values() for s in each)]
        whole = [*self.derivatives.values(), self.threshold, *(s.value for s in written)]
        return whole if self.refractory is None else [*whole, self.refractory]


def write_out(model: Any) -> Dynamics:
    """The dynamics of a `NeuronModel`."""
    text, parameters, arrivals = _with_receptors(model)
    read = equations(text, f"{model.name}, equations")
    derivatives = _joined_noise(model.name, read.derivatives, list(model.receptors))
    unit_of = dict(read.units)
    for name, unit in unit_of.items():
        unit_of[name] = units.declared_in(unit, f"{model.name}: '{name}' has unit '{unit}'")
        if (name in parameters and name not in read.parameters) or name == "dt":
            raise EquationError(f"{model.name}: '{name}' is defined by an equation already.")
    if not derivatives:
        raise EquationError(f"{model.name}: the equations have no line 'dx/dt = ...'.")
    parameters = {**dict.fromkeys(read.parameters, "0"), **parameters}
    defaults = _defaults(model.name, parameters, unit_of)
    definitions = _with_currents(model, read.definitions, unit_of)
    _check_reserved(model, derivatives, parameters, definitions)
    scheme = []
    if model.method and model.method not in METHODS:
        if "=" not in model.method:
            raise EquationError(unknown(model.name, "method", model.method, METHODS))
        scheme = statements(model.method, f"{model.name}, method")

    def put(node: ast.expr) -> ast.expr:
        return substitute(node, read.definitions)

    def put_all(written: list[Statement]) -> list[Statement]:
        return [Statement(s.variable, put(s.value)) for s in written]

    refractory = model.refractory and put(parse(model.refractory, f"{model.name}, refractory"))
    dynamics = Dynamics(
        derivatives,
        unit_of,
        defaults,
        {name: put_all(arrival) for name, arrival in arrivals.items()},
        put(parse(model.threshold, f"{model.name}, threshold")),
        put_all(statements(model.reset, f"{model.name}, reset")),
        refractory or None,
        put_all(scheme),
        {n: d for n, d in definitions.items() if not _noisy(d)},
        tuple(dict.fromkeys((*model.hold, *read.held))),
    )
    _check_names(model.name, dynamics)
    _check_units(model, dynamics)
    return dynamics


def currents_of(receptors: Mapping[str, Receptor]) -> dict[str, str]:
    """What each receptor adds to i_syn, by the name under which it can be recorded."""
    return {
        f"i_{name}": re.sub(r"\bxi\b", f"xi_{name}", receptor.current.format(r=name))
        for name, receptor in receptors.items()
        if receptor.current
    }


def _with_receptors(model: Any) -> tuple[str, dict[str, str], dict[str, list[Statement]]]:
    """Equations and parameters, those of the receptors included, and what is done at arrivals."""
    lines, parameters, arrivals = [model.equations], dict(model.parameters), {}
    for name, receptor in model.receptors.items():
        lines.append(receptor.equations.format(r=name))
        parameters |= {key.format(r=name): text for key, text in receptor.parameters.items()}
        text = re.sub(r"\bw\b", f"w_{name}", receptor.arrival.format(r=name))
        arrivals[name] = statements(text, f"{model.name}, arrival at {name!r}")
    currents = currents_of(model.receptors).values()
    lines.append("i_syn = " + (" + ".join(f"({c})" for c in currents) or "0"))
    return "\n".join(lines), parameters, arrivals


def _defaults(model: str, parameters: Mapping[str, str], unit_of: dict[str, str]) -> dict:
    """Values of the parameters, whose units are added to the others."""
    defaults = {}
    for name, text in parameters.items():
        defaults[name], unit = _quantity(model, name, text)
        declared = unit_of.get(name, "")
        if unit and declared and unit != declared:
            raise EquationError(
                f"{model}: parameter {name!r} is {text!r}, but its line says {declared}."
            )
        unit_of[name] = unit or declared
    return defaults


def _with_currents(
    model: Any, written: Mapping[str, ast.expr], unit_of: dict[str, str]
) -> dict[str, ast.expr]:
    """The definitions and each receptor's current, whose units are added to the others."""
    definitions, known = dict(written), _dimensions(model, unit_of)
    currents = currents_of(model.receptors)
    for name, text in currents.items():  # each receptor's by its name
        if name not in unit_of:
            definitions[name] = substitute(parse(text, f"{model.name}, {name}"), definitions)
    synapses = {r.unit for r in model.receptors.values()}
    for name in {"i_syn", *currents} & set(definitions):
        found = units.dimension(definitions[name], known, f"{model.name}, {name}")
        usual = "pA" if synapses <= {"pA", "nS", "mV"} else ""  # mV: jumps, without a current
        unit_of[name] = unit_of.get(name) or (units.named(found) if found else usual)
    return definitions


def _check_reserved(
    model: Any, derivatives: Iterable[str], parameters: Iterable[str], definitions: Iterable[str]
) -> None:
    """Refuse names that the language, or the kernel, has for something of its own."""
    made = {f"w_{r}": f"the weights that arrive at {r!r}" for r in model.receptors}
    if model.method and model.method not in METHODS:
        made |= {f"d{v}": f"the derivative of {v!r}" for v in derivatives}
    made |= {"i_syn": "the sum of the receptors' currents", "refractory": "what follows a spike"}
    for name in [*derivatives, *parameters, *definitions]:
        if name.startswith("_"):
            raise EquationError(
                f"{model.name}: '{name}' begins with an underscore, as only names that the "
                "kernel makes do; choose another."
            )
    for name in [*derivatives, *parameters]:
        if not name.isidentifier():
            raise EquationError(f"{model.name}: {name!r} must be named like a Python variable.")
        meant = "white noise" if name.startswith("xi_") else made.get(name, "")
        if name in RESERVED or meant:
            meant = f" for {meant}" if meant else ""
            raise EquationError(
                f"{model.name}: the name '{name}' is reserved{meant}; choose another."
            )


def _noisy(node: ast.expr) -> bool:
    return any(name == "xi" or name.startswith("xi_") for name in names(node))


def _joined_noise(
    model: str, derivatives: dict[str, ast.expr], receptors: list[str]
) -> dict[str, ast.expr]:
    """The equations with the noise of each in one term: independent noises add as squares."""
    everything = set().union(*map(names, derivatives.values()))
    sources = {name: name for name in sorted(everything) if name.startswith("xi_")}
    sources |= {f"xi_{name}": f"of receptor {name!r}" for name in receptors}
    noisy, joined = {}, dict(derivatives)
    for v, node in derivatives.items():
        if not names(node) & set(sources):
            continue
        form = affine(node, ["xi", *sources])
        if form is None:
            raise EquationError(f"{model}, d{v}/dt: xi must be added, times a factor, to the rest.")
        rest = form.pop("", ast.Constant(0.0))
        for source in form:
            if source in noisy:
                raise EquationError(
                    f"{model}: the noise {sources[source]} enters the equations of "
                    f"{noisy[source]!r} and {v!r}; it may enter only one."
                )
            if source != "xi":
                noisy[source] = v
        strength = next(iter(form.values()))
        if len(form) > 1:
            squares = [ast.BinOp(c, ast.Pow(), ast.Constant(2)) for c in form.values()]
            total = reduce(lambda a, b: ast.BinOp(a, ast.Add(), b), squares)
            strength = ast.Call(ast.Name("sqrt"), [total], [])
        joined[v] = ast.BinOp(rest, ast.Add(), ast.BinOp(strength, ast.Mult(), ast.Name("xi")))
    return joined


def unknown(model: str, kind: str, name: str, known: Any) -> str:
    return f"{model}: unknown {kind} {name!r}; known are {', '.join(map(repr, known)) or 'none'}."


def _quantity(model: str, name: str, text: str | float) -> tuple[float, str]:
    try:
        return units.quantity(str(text))
    except units.UnitError as error:
        raise EquationError(f"{model}: parameter {name!r} is {text!r}; {error}.") from None


def _check_names(model: str, dynamics: Dynamics) -> None:
    variables, parameters = set(dynamics.derivatives), set(dynamics.defaults)
    arriving = {f"w_{name}" for name in dynamics.arrivals}
    derivatives = {f"d{name}" for name in variables}
    everything = variables | parameters
    texts = [
        (f"d{v}/dt", node, everything | arriving | {"xi", NOT_REFRACTORY})
        for v, node in dynamics.derivatives.items()
    ]
    texts.append(("threshold", dynamics.threshold, everything))
    if dynamics.refractory is not None:
        condition = is_condition(dynamics.refractory)
        texts.append(("refractory", dynamics.refractory, everything if condition else parameters))
    written = [("reset", s, everything) for s in dynamics.reset]
    written += [("method", s, everything | arriving | derivatives) for s in dynamics.scheme]
    for receptor, arrival in dynamics.arrivals.items():
        written += [
            (f"arrival at {receptor!r}", s, everything | {f"w_{receptor}"}) for s in arrival
        ]
    for where, statement, known in written:
        if statement.variable not in variables:
            raise EquationError(
                f"{model}, {where}: '{statement.variable}' is not a variable; variables are "
                f"{', '.join(sorted(variables))}."
            )
        texts.append((where, statement.value, known))
    for where, node, known in texts:
        unknown = sorted(names(node) - known - {"dt", "t"})
        if unknown:
            raise EquationError(
                f"{model}, {where}: unknown name '{unknown[0]}' in '{ast.unparse(node)}'; known "
                f"are {', '.join(sorted(known - {NOT_REFRACTORY}))}."
            )
    if not is_condition(dynamics.threshold) or not names(dynamics.threshold) & variables:
        raise EquationError(
            f"{model}, threshold: '{ast.unparse(dynamics.threshold)}' is not a condition on a "
            "variable, such as 'v >= v_th'."
        )


def _dimensions(model: Any, unit_of: Mapping[str, str]) -> dict[str, units.Dimension]:
    """Of all names that the texts of a model may hold."""
    known = {name: units.read(unit)[1] for name, unit in unit_of.items()}
    known |= {"t": units.TIME, "dt": units.TIME, "xi": units.NOISE}
    known |= dict.fromkeys((f"xi_{name}" for name in model.receptors), units.NOISE)
    return known | {f"w_{name}": units.read(r.unit)[1] for name, r in model.receptors.items()}


def _check_units(model: Any, dynamics: Dynamics) -> None:
    """Hold the equations against the units that are given; what has none is not checked."""
    known = _dimensions(model, dynamics.units)
    for name, node in dynamics.definitions.items():
        where = f"{model.name}, {name}"
        units.expect(node, known[name], known, where, f"{name} has")
    for v, node in dynamics.derivatives.items():
        per_time = units.times(known.get(v), units.TIME, -1)
        where = f"{model.name}, d{v}/dt"
        units.expect(node, per_time, known, where, f"d{v}/dt has")
        known[f"d{v}"] = per_time
    for where, written in (
        ("reset", dynamics.reset),
        ("method", dynamics.scheme),
        *((f"arrival at {name!r}", s) for name, s in dynamics.arrivals.items()),
    ):
        for statement in written:
            unit, what = known.get(statement.variable), f"{statement.variable} has"
            units.expect(statement.value, unit, known, f"{model.name}, {where}", what)
    units.dimension(dynamics.threshold, known, f"{model.name}, threshold")
    if dynamics.refractory is not None:
        where = f"{model.name}, refractory"
        timed = not is_condition(dynamics.refractory)
        wanted = units.TIME if timed else None
        units.expect(dynamics.refractory, wanted, known, where, "a refractory time has")
