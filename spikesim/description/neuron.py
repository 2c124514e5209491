"""What a neuron model is: equations, threshold, reset, refractory time, receptors, parameters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from spikesim import display
from spikesim.checks import as_floats
from spikesim.description.distributions import Value
from spikesim.description.dynamics import (
    METHODS,
    Dynamics,
    Upswing,
    currents_of,
    unknown,
    write_out,
)
from spikesim.description.equations import (
    NOT_REFRACTORY,
    EquationError,
    affine,
    equations,
    evaluate,
    is_condition,
    lines,
    names,
    parse,
)
from spikesim.description.plausibility import warn_of_si
from spikesim.description.receptors import Receptor
from spikesim.moved import moved_method
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True, eq=False)
class NeuronModel:
    """A population's model of its neurons, written as text.

    Parameters
    ----------
    equations : str
        Lines ``dv/dt = ... : mV``, definitions ``name = ... : unit``, which every other text of
        the model knows too, and parameters ``name : unit``, 0 unless `parameters` has a default.
        ``dv/dt = ... : mV (unless refractory)`` is the same as v in `hold`; the unit of a pure
        number is 1. ``i_syn`` is the sum of the receptors' currents, ``w_NAME`` the weights that
        arrive at a receptor in the step, ``t`` the time (ms), ``xi`` white noise of unit density
        (1/sqrt(ms)), another in each equation: ``sigma * sqrt(2 / tau) * xi`` makes v of
        dv/dt = -v / tau spread by sigma. Noise of a receptor is independent of it and of that of
        other receptors, and so is each ``xi_NAME``.
    threshold : str
        Condition for a spike, tested at the end of each step, such as ``v >= v_th``.
    reset : str
        Statements carried out at a spike, such as ``v = v_reset``.
    parameters : mapping
        Default and unit in text, such as ``{"tau_m": "20 ms"}``; another unit of the same kind, as
        in "0.02 s", is converted.
    receptors : mapping
        Name to `Receptor`.
    refractory : str
        Refractory time (ms), an expression in the parameters, rounded to whole steps; or a
        condition such as ``v > -40``: after a spike the neuron is refractory as long as it holds.
    hold : tuple of str
        Variables that neither equations nor arriving weights change while refractory.
    initial : mapping
        Start values: a number, an array, a distribution, or an expression in the parameters, in
        which ``xi`` is a normal variable, another for each neuron. 0 where none is given.
    method : str
        "exact" (linear equations), "exponential_euler", "exponential_midpoint", "euler", "rk2",
        "rk4", or statements that make one step, in which ``dx`` is the derivative of x as of now.
        Default: exact if the equations are linear in all variables; other equations must name one.
        For conductances and gates "exponential_midpoint" is the one to take: it is of second order
        and stable at large steps.
    current : str
        The parameter to which `Current` inputs add.
    values : mapping
        Values of parameters instead of the defaults: number, array or distribution.
    upswing : Upswing
        With a threshold ``variable >= peak`` and equations without ``t``: by the methods "rk2" and
        "rk4" spikes are found, reset and gone on from within a step, which keeps the order of the
        method. Other models, and by other methods, are reset at the end of the step.

    Raises
    ------
    EquationError
        Text that cannot be parsed, or names something unknown.
    """

    equations: str
    threshold: str
    reset: str
    parameters: Mapping[str, str] = field(default_factory=dict)
    receptors: Mapping[str, Receptor] = field(default_factory=dict)
    refractory: str = ""
    hold: tuple[str, ...] = ()
    initial: Mapping[str, Value | str] = field(default_factory=dict)
    method: str = ""
    current: str = ""
    values: Mapping[str, Value] = field(default_factory=dict)
    name: str = "neuron"
    upswing: Upswing | None = None

    def __post_init__(self) -> None:
        for receptor in self.receptors:
            if not re.fullmatch(r"[A-Za-z]\w*", receptor) or receptor == "syn":
                raise EquationError(
                    f"{self.name}: a receptor is named {receptor!r}; it must be named like a "
                    "Python variable that begins with a letter, and not 'syn', as i_syn is the "
                    "sum of all currents."
                )
        dynamics = self.dynamics
        for parameter in self.all_values:
            if parameter not in dynamics.defaults:
                raise EquationError(unknown(self.name, "parameter", parameter, dynamics.defaults))
        for variable in (*self.hold, *self.all_initial):
            if variable not in dynamics.derivatives:
                raise EquationError(unknown(self.name, "variable", variable, dynamics.derivatives))
        if self.current and self.current not in dynamics.defaults:
            raise EquationError(unknown(self.name, "parameter", self.current, dynamics.defaults))
        if self.method == "" and not self.linear:
            raise EquationError(
                f"{self.name}: the equations are not linear, so they need a method: one of "
                f"{', '.join(METHODS[1:])}, or statements that make a step."
            )
        if self.method == "exact" and not self.linear:
            raise EquationError(
                f"{self.name}: method 'exact' is for linear equations; choose one of "
                f"{', '.join(METHODS[1:])}."
            )

    def with_values(self, **values: Value) -> NeuronModel:
        """The same model with other values of its parameters."""
        units = self.dynamics.units
        warn_of_si(self.name, {k: (v, units[k]) for k, v in values.items() if k in units})
        return replace(self, values={**self.values, **values})

    def derivatives(self, *, t: Any = 0.0, **values: Any) -> dict[str, np.ndarray]:
        """The right-hand side of the equations: what every variable changes by in a ms.

        For phase planes and nullclines. It is that of a neuron that is not refractory, without
        noise, in double precision.

        Parameters
        ----------
        t : number or array
            Time, ms.
        **values : numbers or arrays
            By name: the variables of the model, all of which must be given; those of its
            receptors and the weights ``w_NAME`` that arrive, 0 if not given; parameters, of the
            model's values if not given. All broadcast against each other.

        Returns
        -------
        dict of str to array
            For each variable an array of the shape that all broadcast to, in the variable's unit
            per ms.

        Raises
        ------
        EquationError
            A name that the model does not have, a variable that is missing, values that do not
            broadcast or, as the distribution of a parameter that is not given, are no numbers.

        Examples
        --------
        >>> v, w = np.meshgrid(np.linspace(-80, -40, 200), np.linspace(-100, 400, 200))
        >>> slopes = AdEx(i_offset=500.0).derivatives(v=v, w=w)

        The nullclines are where ``slopes["v"]`` and ``slopes["w"]`` are 0.
        """
        dynamics = self.dynamics
        own = equations(self.equations, f"{self.name}, equations").derivatives
        arriving = [f"w_{name}" for name in self.receptors]
        known = [*dynamics.derivatives, *dynamics.defaults, *arriving, "t", "dt"]
        for name in values:
            if name == "i_syn":
                raise EquationError(
                    f"{self.name}: i_syn is the sum of the receptors' currents; give their "
                    f"variables instead, or {self.current or 'a parameter'}."
                )
            if name not in known:
                raise EquationError(unknown(self.name, "name", name, known))
        missing = [name for name in own if name not in values]
        if missing:
            raise EquationError(
                f"{self.name}: {', '.join(missing)} must be given, a number or an array."
            )
        needed = set().union(*map(names, dynamics.derivatives.values())) - {"xi", NOT_REFRACTORY}
        if "dt" in needed - set(values):
            raise EquationError(f"{self.name}: the equations depend on dt; give dt (ms).")
        everything = dict.fromkeys([*dynamics.derivatives, *arriving], 0.0)
        everything |= {**dynamics.defaults, **self.all_values, **values, "t": t}
        used = {k: v for k, v in everything.items() if k in {*needed, *values, "t"}}
        arrays, shape = _broadcast(self.name, used)
        arrays |= {NOT_REFRACTORY: np.array(True), "xi": np.array(0.0)}
        with np.errstate(all="ignore"):  # of branches that are not taken, too
            return {
                v: np.array(np.broadcast_to(evaluate(node, arrays), shape), float)
                for v, node in dynamics.derivatives.items()
            }

    @cached_property
    def all_values(self) -> dict[str, Value]:
        """Values given for parameters, those of the receptors included."""
        given = {}
        for name, receptor in self.receptors.items():
            given |= {key.format(r=name): value for key, value in receptor.values.items()}
        return given | dict(self.values)

    @cached_property
    def all_initial(self) -> dict[str, Value | str]:
        """Start values given, those of the receptors included."""
        given = {}
        for name, receptor in self.receptors.items():
            for key, value in receptor.initial.items():
                text = value.format(r=name) if isinstance(value, str) else value
                given[key.format(r=name)] = text
        return given | dict(self.initial)

    @cached_property
    def inputs(self) -> list[str]:
        """The receptors at which weights can arrive: something depends on them."""
        used = set().union(*map(names, self.dynamics.expressions))
        return [name for name in self.receptors if f"w_{name}" in used]

    @cached_property
    def linear(self) -> bool:
        """Whether all equations are linear in all variables and do not depend on time."""
        dynamics = self.dynamics
        variables = [*dynamics.derivatives, *(f"w_{name}" for name in self.receptors), "xi"]
        forms = [affine(node, variables) for node in dynamics.derivatives.values()]
        return all(
            form is not None
            and not any(names(c) & {"t", "dt", NOT_REFRACTORY} for c in form.values())
            for form in forms
        )

    @cached_property
    def _currents(self) -> dict[str, str]:
        """What each receptor adds to i_syn, by the name under which it can be recorded."""
        return currents_of(self.receptors)

    @cached_property
    def dynamics(self) -> Dynamics:
        """The equations with the receptors' written out."""
        return write_out(self)

    source = moved_method("NeuronModel.source", "spikesim.source")

    def __repr__(self) -> str:
        variables = ", ".join(self.dynamics.derivatives)
        receptors = ", ".join(self.receptors) or "none"
        return f"<NeuronModel {self.name}: {variables}; receptors {receptors}>"

    def __str__(self) -> str:
        told = [f"{self.name}, method {self.method or 'exact'}"]
        told += [f"    {line.text}" for line in lines(self._equations())]
        told += [f"{what}: {text}" for what, text in self._rules().items()]
        told.append("parameters")
        told += [f"    {name} = {value}" for name, value in self._parameters().items()]
        return "\n".join(told)

    def _repr_html_(self) -> str:
        typeset = (
            display.equation(line.name, line.value, line.unit)
            for line in lines(self._equations())
            if line.value is not None
        )
        return display.whole(
            f"{self.name}, method {self.method or 'exact'}",
            *typeset,
            display.table("at a spike", ["what", "is"], self._rules().items()),
            display.table("parameters", ["parameter", "value"], self._parameters().items()),
        )

    def _equations(self) -> str:
        """The model's own equations and its receptors'."""
        written = [self.equations]
        written += [r.equations.format(r=name) for name, r in self.receptors.items()]
        if self._currents:
            written.append(f"i_syn = {' + '.join(self._currents.values())}")
        return "\n".join(written)

    def _rules(self) -> dict[str, str]:
        """What happens at spikes and where weights arrive, each in a few words."""
        rules = {"threshold": self.threshold, "reset": self.reset or "none"}
        if self.refractory:
            unit = "" if is_condition(parse(self.refractory)) else " (ms)"
            rules["refractory"] = f"{self.refractory}{unit}"
        if self.dynamics.held:
            rules["held while refractory"] = ", ".join(self.dynamics.held)
        for name, receptor in self.receptors.items():
            sign = "" if receptor.sign == "any" else f", {receptor.sign}"
            arrival = re.sub(r"\bw\b", f"w_{name}", receptor.arrival.format(r=name))
            if name in self.inputs:
                rules[f"receptor {name} ({receptor.unit or '1'}{sign})"] = (
                    arrival or f"w_{name} is a current for one step"
                )
        return rules

    def _parameters(self) -> dict[str, str]:
        values = {**self.dynamics.defaults, **self.all_values}
        told = {
            name: f"{display.short(v)} {self.dynamics.units[name]}" for name, v in values.items()
        }
        return {name: text.strip() for name, text in told.items()}


def _broadcast(
    model: str, values: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Values as arrays, and the shape they share."""
    arrays = {}
    for name, value in values.items():
        arrays[name] = as_floats(value)
        if arrays[name] is None:
            raise EquationError(
                f"{model}: {name} is {value!r}; it must be a number or an array here."
            )
    try:
        return arrays, np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if array.ndim)
        raise EquationError(
            f"{model}: the shapes are {shapes}; they must broadcast against each other."
        ) from None
