"""What a neuron model is: equations, threshold, reset, refractory time, receptors, parameters."""

from __future__ import annotations

import ast
import keyword
import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property, reduce
from typing import Any, Literal

import numpy as np

from spikesim import display
from spikesim.description import units
from spikesim.description.distributions import Distribution
from spikesim.description.equations import (
    FUNCTIONS,
    NOT_REFRACTORY,
    EquationError,
    Statement,
    affine,
    equations,
    evaluate,
    is_condition,
    lines,
    names,
    parse,
    statements,
    substitute,
)
from spikesim.description.plausibility import warn_of_si
from spikesim.names import named_options

METHODS = ("exact", "exponential_euler", "exponential_midpoint", "euler", "rk2", "rk4")
RESERVED = {  # words of the language: every other name is free, kernels' begin with an underscore
    *("t", "dt", "xi", "pi", "i_syn", "refractory", NOT_REFRACTORY),
    *FUNCTIONS,
    *keyword.kwlist,
}
Value = float | np.ndarray | Distribution


@dataclass(frozen=True)
class Receptor:
    """What arriving weights do to a neuron.

    In every text ``{r}`` stands for the receptor's name in the model.

    Parameters
    ----------
    unit : str
        Unit of the weights.
    sign : "any", "positive" or "negative"
        Weights of the other sign are an error.
    equations : str
        Equations of the variables the receptor brings along.
    current : str
        What it adds to ``i_syn``. May use ``w_{r}``, the sum of the weights that arrive in the
        step, as a current that lasts for the step, and ``xi``, white noise of the receptor's own.
    arrival : str
        Statements at the end of the step, in which ``w`` is the sum of the weights that arrive.
    parameters : mapping
        Default and unit of each parameter, such as ``{"tau_{r}": "5 ms"}``.
    values : mapping
        Values of parameters instead of the defaults.
    initial : mapping
        Start values of its variables, as in `NeuronModel`.
    """

    unit: str
    sign: Literal["any", "positive", "negative"] = "any"
    equations: str = ""
    current: str = ""
    arrival: str = ""
    parameters: Mapping[str, str] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    initial: Mapping[str, Value | str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "unit", _unit(self.unit, f"Receptor: unit is {self.unit!r}"))


def _unit(text: str, where: str) -> str:
    """This project's name of a unit."""
    try:
        return units.declared(text)
    except units.UnitError as error:
        raise EquationError(f"{where}; {error}.") from None


@named_options()
def Delta(sign: str = "any") -> Receptor:
    """Each arriving spike moves v by its weight (mV); while v is held it is lost.

    The jump can cause a spike in the step in which it arrives; in Brian2 it does so in the next, so
    delays of its ``on_pre="v += w"`` are one dt longer here.
    """
    return Receptor("mV", sign, arrival="v += w")


@named_options()
def Exponential(tau: Value = 5.0, sign: str = "any") -> Receptor:
    """Current that jumps by the weight (pA) and decays: di/dt = -i / tau (ms)."""
    _positive("Exponential", tau=tau)
    return Receptor(
        "pA",
        sign,
        equations="di_{r}/dt = -i_{r} / tau_{r} : pA",
        current="i_{r}",
        arrival="i_{r} += w",
        parameters={"tau_{r}": "5 ms"},
        values={"tau_{r}": tau},
    )


@named_options()
def Alpha(tau: Value = 2.0, sign: str = "any") -> Receptor:
    """Current w e (t/tau) exp(-t/tau), which peaks at the weight (pA) after tau (ms)."""
    _positive("Alpha", tau=tau)
    return Receptor(
        "pA",
        sign,
        equations="""
            di_{r}/dt = (x_{r} - i_{r}) / tau_{r} : pA
            dx_{r}/dt = -x_{r} / tau_{r} : pA""",
        current="i_{r}",
        arrival="x_{r} += exp(1) * w",
        parameters={"tau_{r}": "2 ms"},
        values={"tau_{r}": tau},
    )


@named_options()
def DoubleExponential(tau_rise: Value = 1.0, tau_decay: Value = 5.0, sign: str = "any") -> Receptor:
    """Current w n (exp(-t/tau_decay) - exp(-t/tau_rise)), n such that it peaks at w (pA).

    With a = tau_rise / tau_decay, n = 1 / (a^(a/(1-a)) - a^(1/(1-a))).
    """
    _two_times("DoubleExponential", tau_rise, tau_decay)
    return Receptor(
        "pA",
        sign,
        **_rise_and_decay("i_{r}", "pA"),
        current="i_{r}",
        parameters={"tau_rise_{r}": "1 ms", "tau_decay_{r}": "5 ms"},
        values={"tau_rise_{r}": tau_rise, "tau_decay_{r}": tau_decay},
    )


@named_options()
def Conductance(tau: Value = 5.0, reversal: Value = 0.0) -> Receptor:
    """Conductance that jumps by the weight (nS) and decays with tau (ms).

    dg/dt = -g / tau; its current is g (reversal - v), reversal in mV.
    """
    _positive("Conductance", tau=tau)
    warn_of_si("Conductance", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        equations="dg_{r}/dt = -g_{r} / tau_{r} : nS",
        current="g_{r} * (e_{r} - v)",
        arrival="g_{r} += w",
        parameters={"tau_{r}": "5 ms", "e_{r}": "0 mV"},
        values={"tau_{r}": tau, "e_{r}": reversal},
    )


@named_options()
def DoubleExponentialConductance(
    tau_rise: Value = 1.0, tau_decay: Value = 5.0, reversal: Value = 0.0
) -> Receptor:
    """Conductance w n (exp(-t/tau_decay) - exp(-t/tau_rise)) that peaks at its weight w (nS).

    n is as in `DoubleExponential`; its current is g (reversal - v), times in ms, reversal in mV.
    """
    _two_times("DoubleExponentialConductance", tau_rise, tau_decay)
    warn_of_si("DoubleExponentialConductance", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        **_rise_and_decay("g_{r}", "nS"),
        current="g_{r} * (e_{r} - v)",
        parameters={"tau_rise_{r}": "1 ms", "tau_decay_{r}": "5 ms", "e_{r}": "0 mV"},
        values={"tau_rise_{r}": tau_rise, "tau_decay_{r}": tau_decay, "e_{r}": reversal},
    )


@named_options()
def NMDA(
    tau_rise: Value = 2.0,
    tau_decay: Value = 100.0,
    reversal: Value = 0.0,
    magnesium: Value = 1.0,
) -> Receptor:
    """Conductance that magnesium blocks at low potentials; its current is b(v) g (reversal - v).

    b(v) = 1 / (1 + [Mg] / 3.57 exp(-0.062 v)), v in mV and [Mg] in mM. g is as in
    `DoubleExponentialConductance` and peaks at the weight (nS), the conductance without a block.
    Spikes add up linearly: saturation of the receptors is not modelled.

    Take the method "exponential_midpoint": b is not linear in v, so "exponential_euler" moves v by
    plain Euler steps.

    References
    ----------
    Jahr CE, Stevens CF (1990). Voltage dependence of NMDA-activated macroscopic conductances
    predicted by single-channel kinetics. J Neurosci 10:3178.
    """
    _two_times("NMDA", tau_rise, tau_decay)
    _positive("NMDA", zero=True, magnesium=magnesium)
    warn_of_si("NMDA", {"reversal": (reversal, "mV")})
    return Receptor(
        "nS",
        "positive",
        **_rise_and_decay("g_{r}", "nS"),
        current="g_{r} * (e_{r} - v) / (1 + mg_{r} / 3.57 * exp(-0.062 * v))",
        parameters={
            "tau_rise_{r}": "2 ms",
            "tau_decay_{r}": "100 ms",
            "e_{r}": "0 mV",
            "mg_{r}": "1",
        },
        values={
            "tau_rise_{r}": tau_rise,
            "tau_decay_{r}": tau_decay,
            "e_{r}": reversal,
            "mg_{r}": magnesium,
        },
    )


def _rise_and_decay(variable: str, unit: str) -> dict[str, str]:
    """Equations of a variable that peaks at the weight after it arrived."""
    ratio = "(tau_rise_{r} / tau_decay_{r})"
    peak = f"({ratio} ** ({ratio} / (1 - {ratio})) - {ratio} ** (1 / (1 - {ratio})))"
    into = "x_{r} * (1 / tau_rise_{r} - 1 / tau_decay_{r})"
    return {
        "equations": f"d{variable}/dt = -{variable} / tau_decay_{{r}} + {into} : {unit}\n"
        f"dx_{{r}}/dt = -x_{{r}} / tau_rise_{{r}} : {unit}",
        "arrival": f"x_{{r}} += (1 / {peak}) * w",
    }


@named_options()
def OrnsteinUhlenbeck(sd: Value, tau: Value, mean: Value = 0.0) -> Receptor:
    """Coloured noise, another for each neuron: a current at which nothing arrives.

    di/dt = (mean - i) / tau + sd sqrt(2 / tau) xi, with sd and mean in pA and tau in ms. It starts
    from its stationary distribution: mean, standard deviation sd, autocorrelation exp(-t / tau).
    The methods "exact" and both exponential ones give it so at any dt.

    References
    ----------
    Uhlenbeck GE, Ornstein LS (1930). On the theory of the Brownian motion. Phys Rev 36:823.
    """
    _positive("OrnsteinUhlenbeck", tau=tau)
    _positive("OrnsteinUhlenbeck", zero=True, sd=sd)
    return Receptor(
        "pA",
        equations="di_{r}/dt = (mean_{r} - i_{r}) / tau_{r} + sd_{r} * sqrt(2 / tau_{r}) * xi : pA",
        current="i_{r}",
        parameters={"sd_{r}": "0 pA", "tau_{r}": "5 ms", "mean_{r}": "0 pA"},
        values={"sd_{r}": sd, "tau_{r}": tau, "mean_{r}": mean},
        initial={"i_{r}": "mean_{r} + sd_{r} * xi"},
    )


@named_options()
def WhiteCurrent(density: Value) -> Receptor:
    """White noise, another for each neuron: a current at which nothing arrives.

    The current is density xi, density in pA sqrt(ms). What it does to v does not depend on dt: it
    lets v of a `LIF` spread by density / c_m sqrt(tau_m / 2).
    """
    _positive("WhiteCurrent", zero=True, density=density)
    return Receptor(
        "pA",
        current="density_{r} * xi",
        parameters={"density_{r}": "0"},
        values={"density_{r}": density},
    )


def _positive(kind: str, *, zero: bool = False, **given: Value) -> None:
    """Refuse numbers and arrays that are not positive, or 0 where that may be."""
    for name, value in given.items():
        if isinstance(value, Distribution):
            continue
        try:
            array = np.asarray(value, float)
        except (TypeError, ValueError):
            array = np.array(np.nan)
        if not np.all(np.isfinite(array) & ((array >= 0) if zero else (array > 0))):
            raise ValueError(
                f"{kind}: {name} is {value!r}; it must be finite and "
                f"{'not negative' if zero else 'positive'}, a number, array or distribution."
            )
    warn_of_si(kind, {n: (tau, "ms") for n, tau in given.items() if n.startswith("tau")})


def _two_times(kind: str, tau_rise: Value, tau_decay: Value) -> None:
    _positive(kind, tau_rise=tau_rise, tau_decay=tau_decay)
    numbers = not any(isinstance(tau, Distribution) for tau in (tau_rise, tau_decay))
    if numbers and np.any(np.equal(tau_rise, tau_decay)):
        raise ValueError(
            f"{kind}: tau_rise is {tau_rise!r} and tau_decay is {tau_decay!r}; they must differ."
        )


@named_options()
def Pulse(unit: str = "pA", sign: str = "any") -> Receptor:
    """Current that lasts for the one step in which weights arrive, and equals their sum."""
    return Receptor(unit, sign, current="w_{r}")


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
                raise EquationError(_unknown(self.name, "parameter", parameter, dynamics.defaults))
        for variable in (*self.hold, *self.all_initial):
            if variable not in dynamics.derivatives:
                raise EquationError(_unknown(self.name, "variable", variable, dynamics.derivatives))
        if self.current and self.current not in dynamics.defaults:
            raise EquationError(_unknown(self.name, "parameter", self.current, dynamics.defaults))
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
                raise EquationError(_unknown(self.name, "name", name, known))
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
        return {
            f"i_{name}": re.sub(r"\bxi\b", f"xi_{name}", receptor.current.format(r=name))
            for name, receptor in self.receptors.items()
            if receptor.current
        }

    @cached_property
    def dynamics(self) -> Dynamics:
        """The equations with the receptors' written out."""
        lines, arrivals = [self.equations], {}
        parameters = dict(self.parameters)
        for name, receptor in self.receptors.items():
            lines.append(receptor.equations.format(r=name))
            parameters |= {key.format(r=name): text for key, text in receptor.parameters.items()}
            text = re.sub(r"\bw\b", f"w_{name}", receptor.arrival.format(r=name))
            arrivals[name] = statements(text, f"{self.name}, arrival at {name!r}")
        lines.append("i_syn = " + (" + ".join(f"({c})" for c in self._currents.values()) or "0"))
        read = equations("\n".join(lines), f"{self.name}, equations")
        derivatives, unit_of = read.derivatives, dict(read.units)
        derivatives = _joined_noise(self.name, derivatives, list(self.receptors))
        for name, unit in unit_of.items():
            unit_of[name] = _unit(unit, f"{self.name}: '{name}' has unit '{unit}'")
            if (name in parameters and name not in read.parameters) or name == "dt":
                raise EquationError(f"{self.name}: '{name}' is defined by an equation already.")
        if not derivatives:
            raise EquationError(f"{self.name}: the equations have no line 'dx/dt = ...'.")
        parameters = {**dict.fromkeys(read.parameters, "0"), **parameters}
        defaults = {}
        for name, text in parameters.items():
            defaults[name], unit = _quantity(self.name, name, text)
            declared = unit_of.get(name, "")
            if unit and declared and unit != declared:
                raise EquationError(
                    f"{self.name}: parameter {name!r} is {text!r}, but its line says {declared}."
                )
            unit_of[name] = unit or declared
        definitions, known = dict(read.definitions), _dimensions(self, unit_of)
        for name, text in self._currents.items():  # each receptor's by its name
            if name not in unit_of:
                definitions[name] = substitute(parse(text, f"{self.name}, {name}"), definitions)
        synapses = {r.unit for r in self.receptors.values()}
        for name in {"i_syn", *self._currents} & set(definitions):
            found = units.dimension(definitions[name], known, f"{self.name}, {name}")
            usual = "pA" if synapses <= {"pA", "nS", "mV"} else ""  # mV: jumps, without a current
            unit_of[name] = unit_of.get(name) or (units.named(found) if found else usual)
        made = {f"w_{r}": f"the weights that arrive at {r!r}" for r in self.receptors}
        if self.method and self.method not in METHODS:
            made |= {f"d{v}": f"the derivative of {v!r}" for v in derivatives}
        made |= {
            "i_syn": "the sum of the receptors' currents",
            "refractory": "what follows a spike",
        }
        for name in [*derivatives, *parameters, *definitions]:
            if name.startswith("_"):
                raise EquationError(
                    f"{self.name}: '{name}' begins with an underscore, as only names that the "
                    "kernel makes do; choose another."
                )
        for name in [*derivatives, *parameters]:
            if not name.isidentifier():
                raise EquationError(f"{self.name}: {name!r} must be named like a Python variable.")
            meant = "white noise" if name.startswith("xi_") else made.get(name, "")
            if name in RESERVED or meant:
                meant = f" for {meant}" if meant else ""
                raise EquationError(
                    f"{self.name}: the name '{name}' is reserved{meant}; choose another."
                )
        scheme = []
        if self.method and self.method not in METHODS:
            if "=" not in self.method:
                raise EquationError(_unknown(self.name, "method", self.method, METHODS))
            scheme = statements(self.method, f"{self.name}, method")

        def put(node: ast.expr) -> ast.expr:
            return substitute(node, read.definitions)

        def put_all(written: list[Statement]) -> list[Statement]:
            return [Statement(s.variable, put(s.value)) for s in written]

        dynamics = Dynamics(
            derivatives,
            unit_of,
            defaults,
            {name: put_all(arrival) for name, arrival in arrivals.items()},
            put(parse(self.threshold, f"{self.name}, threshold")),
            put_all(statements(self.reset, f"{self.name}, reset")),
            put(parse(self.refractory, f"{self.name}, refractory")) if self.refractory else None,
            put_all(scheme),
            {n: d for n, d in definitions.items() if not _noisy(d)},
            tuple(dict.fromkeys((*self.hold, *read.held))),
        )
        _check_names(self.name, dynamics)
        _check_units(self, dynamics)
        return dynamics

    def source(self, precision: Literal["single", "double"] = "double", dt: float = 0.1) -> str:
        """The generated kernel that advances a population of this model by one step."""
        from spikesim.codegen.generator import generate

        values = {
            name: value for name, value in self.all_values.items() if isinstance(value, int | float)
        }
        return generate(self, {**self.dynamics.defaults, **values}, dt, precision).source

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


def _broadcast(
    model: str, values: Mapping[str, Any]
) -> tuple[dict[str, np.ndarray], tuple[int, ...]]:
    """Values as arrays, and the shape they share."""
    arrays = {}
    for name, value in values.items():
        try:
            arrays[name] = np.asarray(value, float)
        except (TypeError, ValueError):
            raise EquationError(
                f"{model}: {name} is {value!r}; it must be a number or an array here."
            ) from None
    try:
        return arrays, np.broadcast_shapes(*(array.shape for array in arrays.values()))
    except ValueError:
        shapes = ", ".join(f"{name} {array.shape}" for name, array in arrays.items() if array.ndim)
        raise EquationError(
            f"{model}: the shapes are {shapes}; they must broadcast against each other."
        ) from None


def _unknown(model: str, kind: str, name: str, known: Any) -> str:
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


def _dimensions(model: NeuronModel, unit_of: Mapping[str, str]) -> dict[str, units.Dimension]:
    """Of all names that the texts of a model may hold."""
    known = {name: units.read(unit)[1] for name, unit in unit_of.items()}
    known |= {"t": units.TIME, "dt": units.TIME, "xi": units.NOISE}
    known |= dict.fromkeys((f"xi_{name}" for name in model.receptors), units.NOISE)
    return known | {f"w_{name}": units.read(r.unit)[1] for name, r in model.receptors.items()}


def _check_units(model: NeuronModel, dynamics: Dynamics) -> None:
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
