"""The description of a network: populations, projections, inputs. Plain data; builds nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from spikesim import display
from spikesim.checks import check_whole
from spikesim.description import summary
from spikesim.description.distributions import Value, extremes
from spikesim.description.inputs import Input, Stimulus
from spikesim.description.neuron import NeuronModel
from spikesim.description.population import Population, View, populated
from spikesim.description.projection import Projection, Static, as_rule, check_delay, values_of
from spikesim.description.receptors import Receptor
from spikesim.description.rules import Rule
from spikesim.moved import moved_method, renamed
from spikesim.names import named_options


@renamed(drives="inputs")
@named_options()
class Network:
    """What is to be simulated.

    Parameters
    ----------
    seed : int
        Of everything that is drawn when the network is built. How many synapses a source makes by
        `FixedProbability` or `FixedTotal` is drawn by NumPy, of which releases differ: 2.4 and 2.5
        do for large numbers.
    name : str
        For tables and files.
    """

    def __init__(self, seed: int = 0, name: str = "network") -> None:
        check_whole("seed", seed, least=None)
        self.seed = int(seed)
        self.name = name
        self.populations: dict[str, Population] = {}
        self.projections: dict[str, Projection] = {}
        self.inputs: dict[str, Stimulus] = {}

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
        if name in self.populations or name in self.projections or name in self.inputs:
            raise ValueError(f"the name {name!r} is taken; choose another.")
        self.populations[name] = populated(name, size, model, init or {}, positions)
        return self.populations[name]

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
        others: Mapping[str, Projection],
    ) -> Projection:
        source, target = self.view(source), self.view(target)
        label = f"{source.population}->{target.population}"
        name = self._name(name, label, others)
        where = f"projection {name!r}"
        rule, weight, delay = as_rule(where, rule, weight, delay, source, target)
        if synapse is not None and not isinstance(synapse, Static):
            raise TypeError(f"{where}: synapse is {synapse!r}; it must be Static().")
        receptor = self._receptor(where, target, receptor)
        rule.check(where, source, target, self.positions)
        weight, delay = values_of(where, weight, delay, rule, source, target)
        made = Projection(name, source, target, rule, weight, delay, receptor, synapse or Static())
        told = f"receptor {receptor!r} of {target.population!r}"
        self._receptor_of(made).check_weights(where, told, *extremes(weight))
        check_delay(where, delay)
        return made

    def remove(self, name: str) -> None:
        """Take away a projection or an input; a build without it is otherwise the same.

        Raises
        ------
        ValueError
            No projection or input of that name.
        """
        for known in (self.projections, self.inputs):
            if name in known:
                del known[name]
                return
        names_ = ", ".join(map(repr, [*self.projections, *self.inputs])) or "none"
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
        made = Stimulus(name, target, input, receptor)
        self.check_stimulus(made)
        self.inputs[name] = made

    def check_stimulus(self, drive: Stimulus) -> None:
        """Hold an input against the neurons it is for: shapes, and signs of weights."""
        receptor = self._receptor_of(drive) if drive.receptor else None
        drive.input.check(f"input {drive.name!r}", drive.target, drive.receptor, receptor)

    def _receptor_of(self, made: Stimulus | Projection) -> Receptor:
        return self.populations[made.target.population].model.receptors[made.receptor]

    synapses = moved_method("Network.synapses", "spikesim.synapses")

    def summary(self) -> str:
        """A table of what was described, every number with its unit."""
        return "\n".join(summary.lines(self, display.short))

    def __repr__(self) -> str:
        return f"<Network {self.name!r}: {summary.counts(self)}, seed {self.seed}>"

    def __str__(self) -> str:
        """The summary; of a large network without what its populations are made of, and cut."""
        return summary.cut(self)

    def _repr_html_(self) -> str:
        return summary.html(self)

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
        taken = {**self.populations, **self.projections, **self.inputs, **more}
        if name is None:
            name, n = default, 2
            while name in taken:
                name, n = f"{default}#{n}", n + 1
        if not isinstance(name, str) or not name:
            raise ValueError(f"name is {name!r}; it must be a text that is not empty.")
        if name in taken:
            raise ValueError(f"the name {name!r} is taken; choose another.")
        return name
