"""The description of a network: populations, projections, inputs. Plain data; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import display
from spikesim.description.distributions import WEIGHT_LEVELS, Distribution, Value, extremes, tail
from spikesim.description.equations import EquationError, names, parse
from spikesim.description.inputs import Input
from spikesim.description.neuron import NeuronModel
from spikesim.description.plausibility import warn_of_si
from spikesim.description.population import Population, View, shared as shared
from spikesim.description.receptors import Receptor
from spikesim.description.rules import (
    DistanceDelay,
    DistanceDependent,
    Edges,
    Pairs,
    Positions,
    Rule,
)
from spikesim.display import short as _short
from spikesim.names import named_options

if TYPE_CHECKING:
    from spikesim.engine.decode import Synapses

DISTRIBUTIONS = Distribution
MOST_LINES = 40  # of a network that is printed


@dataclass(frozen=True)
class Static:
    """A synapse whose weight does not change."""


@dataclass(frozen=True, eq=False)
class Projection:
    """A rule applied between two sets of neurons."""

    name: str
    source: View
    target: View
    rule: Rule
    weight: Any
    delay: Any
    receptor: str
    synapse: Static = Static()

    def __repr__(self) -> str:
        rule, weight, delay = map(display.brief, (self.rule, self.weight, self.delay))
        return f"<Projection {self.name!r}: {rule}, weight {weight}, delay {delay} ms>"

    @property
    def by_source(self) -> bool:
        """Whether the synapses of one source can be drawn without those of the others."""
        given = isinstance(self.weight, np.ndarray) or isinstance(self.delay, np.ndarray)
        return self.rule.by_source and not given

    def delays(self, positions: Positions) -> tuple[float, float]:
        """The shortest and the longest delay that a synapse can have."""
        low, high = extremes(self.delay)
        if isinstance(self.delay, DistanceDelay):
            high = self.delay.at(self.rule.farthest(self.source, self.target, positions))
        return low, high


@dataclass(frozen=True, eq=False)
class Drive:
    """An input applied to a set of neurons."""

    name: str
    target: View
    input: Input
    receptor: str  # "" for a current


@named_options()
class Network:
    """What is to be simulated.

    Parameters
    ----------
    seed : int
        Of everything that is drawn when the network is built.
    name : str
        For tables and files.
    """

    def __init__(self, seed: int = 0, name: str = "network") -> None:
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer):
            raise ValueError(f"seed is {seed!r}; it must be a whole number.")
        self.seed = int(seed)
        self.name = name
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.drives: dict[str, Drive] = {}

    @named_options()
    def population(
        self,
        name: str,
        size: int,
        model: NeuronModel,
        init: Mapping[str, Value | str] | None = None,
        *,
        positions: Any = None,
    ) -> Population:
        """Add ``size`` neurons of a model.

        Parameters
        ----------
        name : str
            Letters, digits, "_", "-", "." and "+"; used in results and files.
        size : int
        model : NeuronModel
        init : mapping
            Start values of variables, as `NeuronModel` takes them: number, array, distribution, or
            an expression in the model's parameters. They come before the model's own.
        positions : array
            Where the neurons are, for `DistanceDependent`: shape (size,) or (size, d) in up to
            three dimensions, in any unit of length.

        Raises
        ------
        ValueError
            A name that is taken or malformed, a size that is not a positive whole number, values
            of the wrong shape, NaN.
        """
        if not isinstance(name, str) or not re.fullmatch(r"[\w.+-]+", name):
            raise ValueError(
                f"population name is {name!r}; it must consist of letters, digits and _ . + -."
            )
        if name in self.populations or name in self.projections or name in self.drives:
            raise ValueError(f"the name {name!r} is taken; choose another.")
        if isinstance(size, bool) or not isinstance(size, int | np.integer) or size < 1:
            raise ValueError(
                f"population {name!r}: size is {size!r}; it must be a whole number, 1 or more."
            )
        if not isinstance(model, NeuronModel):
            raise TypeError(
                f"population {name!r}: model is {model!r}; it must be a neuron model such as LIF()."
            )
        if not isinstance(init or {}, Mapping):
            raise TypeError(f"population {name!r}: init is {init!r}; it must be a mapping.")
        init = {**model.all_initial, **(init or {})}
        for variable, value in init.items():
            if variable not in model.dynamics.derivatives:
                known = ", ".join(model.dynamics.derivatives)
                raise ValueError(
                    f"population {name!r}: unknown variable {variable!r} in init; known "
                    f"are {known}."
                )
            if isinstance(value, str):
                _expression(f"population {name!r}, init of {variable!r}", value, model)
            else:
                _per_neuron(f"population {name!r}: init of {variable!r}", value, size)
        for parameter, value in model.all_values.items():
            _per_neuron(f"population {name!r}: parameter {parameter!r}", value, size)
        made = Population(name, int(size), model, init, _positions(name, positions, size))
        self.populations[name] = made
        return made

    @named_options()
    def connect(
        self,
        source: Population | View | str,
        target: Population | View | str | Sequence[Population | View | str],
        rule: Rule | Any,
        *,
        weight: Any = None,
        delay: Any = None,
        receptor: str | None = None,
        synapse: Static | None = None,
        name: str | None = None,
    ) -> None:
        """Connect neurons by a rule.

        Parameters
        ----------
        source, target
            Populations, parts of them, or names; several targets get a projection each.
        rule
            One of `FixedProbability`, `FixedInDegree`, `FixedOutDegree`, `FixedTotal`, `OneToOne`,
            `AllToAll`, `Pairs`, `DistanceDependent`, a ``scipy.sparse`` matrix [source, target],
            whose values are the weights unless ``weight`` is given, or `Edges`, whose weights and
            delays are used unless given (a number is the weight of each of a row's synapses).
        weight, delay
            A number, a distribution, or for `OneToOne`, `AllToAll` ([source, target]) and `Pairs`
            an array; for `DistanceDependent` the delay may be a `DistanceDelay`. Weights in the
            unit of the receptor, delays in ms: at least one step, rounded to the nearest step. A
            delay of one step means the next step.
        receptor : str
            May be left out where the target has only one.
        name : str
            Key of the random numbers. Default: "source->target", numbered if it occurs again.

        Raises
        ------
        ValueError, TypeError
            Anything unknown, of the wrong shape, sign or range.
        """
        targets = target if isinstance(target, list | tuple) else [target]
        if not targets:
            raise ValueError("target is []; it must name at least one population.")
        made: dict[str, Projection] = {}
        for one in targets:
            full = name and len(targets) > 1 and f"{name}->{self.view(one).population}"
            new = self._projection(
                source, one, rule, weight, delay, receptor, synapse, full or name, made
            )
            made[new.name] = new
        self.projections |= made

    def _projection(
        self,
        source: Any,
        target: Any,
        rule: Any,
        weight: Any,
        delay: Any,
        receptor: str | None,
        synapse: Static | None,
        name: str | None,
        made: Mapping[str, Projection],
    ) -> Projection:
        source, target = self.view(source), self.view(target)
        label = f"{source.population}->{target.population}"
        name = self._name(name, label, made)
        if hasattr(rule, "tocoo"):
            entries = rule.tocoo()
            if entries.shape != (source.size, target.size):
                raise ValueError(
                    f"projection {name!r}: the matrix has shape {entries.shape}; it must be "
                    f"(sources, targets) = ({source.size}, {target.size})."
                )
            if np.iscomplexobj(entries.data):
                raise ValueError(f"projection {name!r}: the matrix is complex; it must be real.")
            weight = entries.data.astype(float) if weight is None else weight
            rule = Pairs(entries.row, entries.col)
        if isinstance(rule, Edges):
            weight = rule.weights if weight is None else rule.weight_of_rows(weight)
            delay = rule.delays if delay is None else delay
            rule = rule.rule
        if not isinstance(rule, Rule):
            raise TypeError(
                f"projection {name!r}: rule is {rule!r}; it must be a rule such as "
                "FixedProbability(0.1), or a scipy.sparse matrix."
            )
        if synapse is not None and not isinstance(synapse, Static):
            raise TypeError(f"projection {name!r}: synapse is {synapse!r}; it must be Static().")
        receptor = self._receptor(f"projection {name!r}", target, receptor)
        rule.check(f"projection {name!r}", source, target, self.positions)
        if weight is None:
            raise ValueError(f"projection {name!r}: weight is missing.")
        if delay is None:
            raise ValueError(
                f"projection {name!r}: delay is None; give a finite number of ms, an array or a "
                "distribution."
            )
        weight = _per_synapse(name, "weight", weight, rule, source, target)
        delay = _per_synapse(name, "delay", delay, rule, source, target)
        if isinstance(weight, DISTRIBUTIONS):
            try:
                tail(weight, WEIGHT_LEVELS)
            except ValueError as error:
                raise ValueError(f"projection {name!r}: {error}") from None
        self.populations[target.population].model.receptors[receptor].check_weights(
            f"projection {name!r}",
            f"receptor {receptor!r} of {target.population!r}",
            *extremes(weight),
        )
        if np.size(delay) and extremes(delay)[0] <= 0:
            raise ValueError(
                f"projection {name!r}: delays run down to {extremes(delay)[0]:g} ms; they must be "
                "positive (for a distribution, set its low)."
            )
        warn_of_si(f"projection {name!r}", {"delay": (delay, "ms")})
        return Projection(name, source, target, rule, weight, delay, receptor, synapse or Static())

    def remove(self, name: str) -> None:
        """Take away a projection or an input; a build without it is otherwise the same.

        Raises
        ------
        ValueError
            No projection or input of that name.
        """
        for known in (self.projections, self.drives):
            if name in known:
                del known[name]
                return
        names_ = ", ".join(map(repr, [*self.projections, *self.drives])) or "none"
        raise ValueError(f"there is no projection or input {name!r}; known are {names_}.")

    def positions(self, view: View) -> np.ndarray | None:
        """Where the neurons of a part are [neuron, dimension], if they are anywhere."""
        positions = self.populations[view.population].positions
        return None if positions is None else positions[view.neurons]

    @named_options()
    def drive(
        self,
        target: Population | View | str,
        input: Input,
        *,
        receptor: str | None = None,
        name: str | None = None,
    ) -> None:
        """Give neurons an input, such as `Poisson`, `Sampled`, `Spikes` or `Current`.

        ``receptor`` may be left out where the target has only one, and must be for a current;
        ``name`` (default "poisson->target" and the like) keys the random numbers and lets
        `Simulation.set` change the input.
        """
        target = self.view(target)
        if not isinstance(input, Input):
            raise TypeError(
                f"input is {input!r}; it must be Poisson, Spikes, Current or another input, such "
                "as Gamma or Sampled."
            )
        label = f"{type(input).__name__.lower()}->{target.population}"
        name = self._name(name, label, {})
        model = self.populations[target.population].model
        if not input.at_receptor:
            if receptor is not None:
                raise ValueError(
                    f"input {name!r}: a current has no receptor, but {receptor!r} is given."
                )
            if not model.current:
                raise ValueError(
                    f"input {name!r}: the model of {target.population!r} names no parameter "
                    "to which currents add."
                )
            receptor = ""
        else:
            receptor = self._receptor(f"input {name!r}", target, receptor)
        made = Drive(name, target, input, receptor)
        self.check_drive(made)
        self.drives[name] = made

    def check_drive(self, drive: Drive) -> None:
        """Hold an input against the neurons it is for: shapes, and signs of weights."""
        receptor = self._receptor_of(drive) if drive.receptor else None
        drive.input.check(f"input {drive.name!r}", drive.target, drive.receptor, receptor)

    def _receptor_of(self, made: Drive | Projection) -> Receptor:
        return self.populations[made.target.population].model.receptors[made.receptor]

    def synapses(
        self, source: Population | str, target: Population | str, *, dt: float = 0.1
    ) -> Synapses:
        """What a build with this ``dt`` wires between two populations, as arrays."""
        from spikesim.engine.build import build

        return build(self, dt=dt).synapses(source, target)

    def summary(self) -> str:
        """A table of what was described, every number with its unit."""
        return "\n".join(self._lines(_short))

    def _lines(self, tell: Callable[[Any], str]) -> list[str]:
        lines = [f"{self.name}, seed {self.seed}"]
        for p in self.populations.values():
            units = p.model.dynamics.units
            values = {**p.model.dynamics.defaults, **p.model.all_values}
            lines.append(f"population {p.name}: {p.size} neurons, {p.model.name}")
            lines += [f"    {k} = {tell(v)} {units[k]}" for k, v in values.items()]
            for k, v in p.init.items():
                lines.append(
                    f"    {k} starts at {tell(v)}" + ("" if isinstance(v, str) else f" {units[k]}")
                )
        for c in self.projections.values():
            unit = self.populations[c.target.population].model.receptors[c.receptor].unit
            lines.append(
                f"projection {c.name}: {tell(c.rule)}, weight {tell(c.weight)} {unit}, "
                f"delay {tell(c.delay)} ms, receptor {c.receptor}"
            )
        for d in self.drives.values():
            receptor = d.receptor and f", receptor {d.receptor}"
            lines.append(
                f"input {d.name}: {type(d.input).__name__}, {self._told(d, tell)}{receptor}"
            )
        return lines

    def _told(self, drive: Drive, tell: Callable[[Any], str]) -> str:
        """What an input was made from, with units."""
        model = self.populations[drive.target.population].model
        given, current = drive.input, model.dynamics.units.get(model.current, "")
        unit_of = given.units(self._receptor_of(drive).unit if drive.receptor else current)
        return ", ".join(
            f"{f.name} {tell(getattr(given, f.name))} {unit_of[f.name]}".rstrip()
            for f in fields(given)
            if f.repr
        )

    def __repr__(self) -> str:
        counts = {
            "population": len(self.populations),
            "neuron": sum(p.size for p in self.populations.values()),
            "projection": len(self.projections),
            "input": len(self.drives),
        }
        told = ", ".join(display.number(count, noun) for noun, count in counts.items())
        return f"<Network {self.name!r}: {told}, seed {self.seed}>"

    def __str__(self) -> str:
        """The summary; of a large network without what its populations are made of, and cut."""
        told = self._lines(_short)
        if len(told) > MOST_LINES:
            told = [line for line in self._lines(display.brief) if not line.startswith(" ")]
            told = display.some(told, MOST_LINES, "lines; summary() has all, with parameters")
        return "\n".join(told)

    def _repr_html_(self) -> str:
        populations = [
            (p.name, f"{p.size:,}", p.model.name, ", ".join(p.model.receptors))
            for p in self.populations.values()
        ]
        projections = [
            (
                c.name,
                display.brief(c.rule),
                f"{display.brief(c.weight)} {self._receptor_of(c).unit}",
                f"{display.brief(c.delay)} ms",
                c.receptor,
            )
            for c in self.projections.values()
        ]
        drives = [
            (d.name, type(d.input).__name__, self._told(d, display.brief), d.receptor)
            for d in self.drives.values()
        ]
        return display.whole(
            f"{self.name}, seed {self.seed}",
            display.table("populations", ["name", "neurons", "model", "receptors"], populations),
            display.table(
                "projections", ["name", "rule", "weight", "delay", "receptor"], projections
            ),
            display.table("inputs", ["name", "kind", "values", "receptor"], drives),
        )

    def view(self, which: Population | View | str) -> View:
        """The neurons that a population, a part of one, or a name stands for."""
        name = which if isinstance(which, str) else getattr(which, "population", None)
        name = which.name if isinstance(which, Population) else name
        if name not in self.populations:
            known = ", ".join(map(repr, self.populations)) or "none yet"
            raise ValueError(f"unknown population {name or which!r}; known are {known}.")
        size = self.populations[name].size
        if isinstance(which, Population) and which.size != size:
            raise ValueError(f"population {name!r} of another network has {which.size} neurons.")
        view = which if isinstance(which, View) else self.populations[name][:]
        if not 0 <= view.start <= view.start + view.step * (view.size - 1) < size:
            raise ValueError(f"{view} is no part of {name!r}, which has {size} neurons.")
        return view

    def _receptor(self, where: str, target: View, receptor: str | None) -> str:
        model = self.populations[target.population].model
        known = model.inputs
        if receptor is None and len(known) == 1:
            return known[0]
        if receptor in model.receptors and receptor not in known:
            others = ", ".join(map(repr, known)) or "none"
            raise ValueError(
                f"{where}: receptor is {receptor!r}, at which nothing can arrive: it makes a "
                f"current by itself; {target.population!r} takes {others}."
            )
        if receptor not in known:
            raise ValueError(
                f"{where}: receptor is {receptor!r}; {target.population!r} has "
                f"{', '.join(map(repr, known)) or 'none'}."
            )
        return receptor

    def _name(self, name: str | None, default: str, more: Mapping[str, Any]) -> str:
        """The name given, or the default with a number if it occurs again."""
        taken = {**self.populations, **self.projections, **self.drives, **more}
        if name is None:
            name, n = default, 2
            while name in taken:
                name, n = f"{default}#{n}", n + 1
        if not isinstance(name, str) or not name:
            raise ValueError(f"name is {name!r}; it must be a text that is not empty.")
        if name in taken:
            raise ValueError(f"the name {name!r} is taken; choose another.")
        return name


def _per_neuron(where: str, value: Any, size: int) -> None:
    if isinstance(value, DISTRIBUTIONS):
        return
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(
            f"{where} is {value!r}; it must be a number, array or distribution."
        ) from None
    if array.shape not in ((), (size,)):
        raise ValueError(
            f"{where} has shape {array.shape}; it must be a number or have shape ({size},)."
        )
    if not np.all(np.isfinite(array)):
        raise ValueError(f"{where} is {_short(value)}; it must be finite.")


def _positions(name: str, positions: Any, size: int) -> np.ndarray | None:
    if positions is None:
        return None
    try:
        array = np.array(positions, float)
    except (TypeError, ValueError):
        array = np.empty(0)
    if array.shape not in ((size,), (size, 1), (size, 2), (size, 3)):
        raise ValueError(
            f"population {name!r}: positions have shape {np.shape(positions)}; it must be "
            f"({size},), or ({size}, d) with d up to 3."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"population {name!r}: positions are not all finite.")
    return array.reshape(size, -1)


def _per_synapse(name: str, what: str, value: Any, rule: Rule, source: View, target: View) -> Any:
    if isinstance(value, DISTRIBUTIONS):
        return value
    if isinstance(value, DistanceDelay):
        if what != "delay" or not isinstance(rule, DistanceDependent):
            raise ValueError(
                f"projection {name!r}: {what} is {value!r}; that is for delays of "
                "DistanceDependent alone."
            )
        return value
    try:
        array = np.asarray(value, float)
    except (TypeError, ValueError):
        raise ValueError(
            f"projection {name!r}: {what} is {value!r}; it must be a number, array or distribution."
        ) from None
    if not np.all(np.isfinite(array)):
        raise ValueError(f"projection {name!r}: {what} is {_short(value)}; it must be finite.")
    if array.ndim == 0:
        return float(array)
    shape = rule.array_shape(source, target)
    if shape is None:
        raise ValueError(
            f"projection {name!r}: {what} is an array, but the synapses of "
            f"{type(rule).__name__} are drawn; give a number or a distribution."
        )
    if array.shape != shape:
        raise ValueError(
            f"projection {name!r}: {what} has shape {array.shape}; it must be a number or have "
            f"shape {shape}."
        )
    return array


def _expression(where: str, text: str, model: NeuronModel) -> None:
    known = model.dynamics.defaults
    unknown = sorted(names(parse(text, where)) - {*known, "xi"})
    if unknown:
        raise EquationError(
            f"{where}: unknown parameter {unknown[0]!r}; known are {', '.join(known)}."
        )
