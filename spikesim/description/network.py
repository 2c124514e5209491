"""The description of a network: populations, projections, inputs. Plain data; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any

import numpy as np

from spikesim import display
from spikesim.description.distributions import WEIGHT_LEVELS, LogNormal, Normal, Uniform, tail
from spikesim.description.equations import EquationError, names, parse
from spikesim.description.inputs import Current, Input, Sampled, Spikes, WhiteNoise
from spikesim.description.model import NeuronModel, Receptor, Value
from spikesim.description.plausibility import warn_of_si
from spikesim.description.rules import (
    AllToAll,
    DistanceDelay,
    DistanceDependent,
    Edges,
    FixedInDegree,
    FixedOutDegree,
    FixedTotal,
    OneToOne,
    Pairs,
    Rule,
)
from spikesim.display import short as _short
from spikesim.names import named_options

if TYPE_CHECKING:
    from spikesim.engine.build import Synapses

DISTRIBUTIONS = Normal | LogNormal | Uniform
MOST_LINES = 40  # of a network that is printed


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
        _fits(name, rule, source, target)
        if isinstance(rule, DistanceDependent):
            self._check_positions(name, rule, source, target)
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
        self._check_sign(f"projection {name!r}", target, receptor, weight)
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

    def _check_positions(
        self, name: str, rule: DistanceDependent, source: View, target: View
    ) -> None:
        """Hold a rule against the space in which it is used."""
        dimensions = []
        for view in (source, target):
            positions = self.populations[view.population].positions
            if positions is None:
                raise ValueError(
                    f"projection {name!r}: {view.population!r} has no positions, which "
                    "DistanceDependent needs; give network.population(..., positions=...)."
                )
            dimensions.append(positions.shape[1])
        if dimensions[0] != dimensions[1]:
            raise ValueError(
                f"projection {name!r}: positions have {dimensions[0]} and {dimensions[1]} "
                "dimensions; sources and targets must have as many."
            )
        if isinstance(rule.period, tuple) and len(rule.period) != dimensions[0]:
            raise ValueError(
                f"projection {name!r}: period is {rule.period}; it must be a number or have "
                f"{dimensions[0]} of them, one for each dimension."
            )

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
        if isinstance(input, Current):
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
        given, target = drive.input, drive.target
        if isinstance(given, Spikes) and given.trains.size != target.size:
            raise ValueError(
                f"input {drive.name!r}: {given.trains.size} spike trains for {target.size} neurons."
            )
        for item in fields(given):
            value = getattr(given, item.name)
            if item.name in ("rates", "values"):
                if value.ndim == 2 and value.shape[1] != target.size:
                    raise ValueError(
                        f"input {drive.name!r}: {item.name} has shape {value.shape}; it must have "
                        f"shape (bins,) or (bins, {target.size})."
                    )
            elif isinstance(value, np.ndarray) and value.shape != (target.size,):
                raise ValueError(
                    f"input {drive.name!r}: {item.name} has shape {value.shape}; it must be a "
                    f"number or have shape ({target.size},)."
                )
        if isinstance(given, WhiteNoise) and self._receptor_of(drive).unit == "nS":
            raise ValueError(
                f"input {drive.name!r}: receptor {drive.receptor!r} is a conductance, which noise "
                "would make negative; give the noise to a current."
            )
        if hasattr(given, "weight"):
            self._check_sign(f"input {drive.name!r}", target, drive.receptor, given.weight)
        if isinstance(given, Sampled):
            self._check_sign(f"input {drive.name!r}", target, drive.receptor, given.values)

    def _receptor_of(self, made: Drive | Projection) -> Receptor:
        return self.populations[made.target.population].model.receptors[made.receptor]

    def _check_sign(self, where: str, target: View, receptor: str, weight: Any) -> None:
        sign = self.populations[target.population].model.receptors[receptor].sign
        low, high = extremes(weight)
        if (sign == "positive" and low < 0) or (sign == "negative" and high > 0):
            raise ValueError(
                f"{where}: weights run from {low:g} to {high:g}; receptor {receptor!r} "
                f"of {target.population!r} takes {sign} ones only."
            )

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
        unit = self._receptor_of(drive).unit if drive.receptor else current
        return ", ".join(
            f"{f.name} {tell(getattr(given, f.name))}{_unit_of_field(f.name, unit)}"
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


def extremes(value: Any) -> tuple[float, float]:
    """Smallest and largest value of a number, an array or a distribution."""
    if isinstance(value, DISTRIBUTIONS):
        low, high = (float(value.quantile(np.array(u))) for u in (1e-9, 1 - 1e-9))
        return low, high
    if isinstance(value, DistanceDelay):
        return value.offset, np.inf
    array = np.asarray(value, float)
    return (float(array.min()), float(array.max())) if array.size else (0.0, 0.0)


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
    shapes = {
        Pairs: lambda: (rule.sources.size,),
        OneToOne: lambda: (source.size,),
        AllToAll: lambda: (source.size, target.size),
    }
    if type(rule) not in shapes:
        raise ValueError(
            f"projection {name!r}: {what} is an array, but the synapses of "
            f"{type(rule).__name__} are drawn; give a number or a distribution."
        )
    if array.shape != shapes[type(rule)]():
        raise ValueError(
            f"projection {name!r}: {what} has shape {array.shape}; it must be a number or have "
            f"shape {shapes[type(rule)]()}."
        )
    return array


def _fits(name: str, rule: Rule, source: View, target: View) -> None:
    if isinstance(rule, OneToOne) and source.size != target.size:
        raise ValueError(
            f"projection {name!r}: OneToOne needs sizes that are equal, not {source.size} and "
            f"{target.size}."
        )
    if isinstance(rule, Pairs):
        for what, numbers, size in (
            ("sources", rule.sources, source.size),
            ("targets", rule.targets, target.size),
        ):
            if numbers.size and not 0 <= numbers.min() <= numbers.max() < size:
                raise ValueError(
                    f"projection {name!r}: {what} run from {numbers.min()} to {numbers.max()}; "
                    f"they must lie between 0 and {size - 1} (other ids: read_edges numbers them "
                    "with renumber=True)."
                )
    if isinstance(rule, FixedInDegree | FixedTotal):
        overlap = 0 if rule.autapses else shared(source, target)
        if overlap and source.size == 1 and (target.size == 1 or isinstance(rule, FixedInDegree)):
            raise ValueError(
                f"projection {name!r}: without autapses there is no source for one of the targets."
            )
    if isinstance(rule, FixedInDegree) and not rule.multapses:
        most = source.size - (overlap > 0)
        if rule.k > most:
            raise ValueError(
                f"projection {name!r}: k is {rule.k}; without multapses there are {most} sources."
            )
    if isinstance(rule, FixedOutDegree):
        most = target.size - (not rule.autapses and shared(source, target) > 0)
        if rule.k and not most:
            raise ValueError(
                f"projection {name!r}: without autapses there is no target for one of the sources."
            )
        if rule.k > most and not rule.multapses:
            raise ValueError(
                f"projection {name!r}: k is {rule.k}; without multapses there are {most} targets."
            )
    if isinstance(rule, FixedTotal) and not rule.multapses:
        most = source.size * target.size - (0 if rule.autapses else shared(source, target))
        if rule.n > most:
            raise ValueError(
                f"projection {name!r}: n is {rule.n}; without multapses there are {most} pairs."
            )


def shared(source: View, target: View) -> int:
    """Neurons that are in both."""
    if source.population != target.population:
        return 0
    return np.intersect1d(source.neurons, target.neurons).size


def _expression(where: str, text: str, model: NeuronModel) -> None:
    known = model.dynamics.defaults
    unknown = sorted(names(parse(text, where)) - {*known, "xi"})
    if unknown:
        raise EquationError(
            f"{where}: unknown parameter {unknown[0]!r}; known are {', '.join(known)}."
        )


def _unit_of_field(name: str, unit: str) -> str:
    units = {"rate": "Hz", "rates": "Hz", "every": "ms", "dead_time": "ms"}
    units |= dict.fromkeys(("repeat", "shape", "correlation"), "")
    told = units.get(name, unit)
    return f" {told}" if told else ""
