"""Networks of step-by-step layers: checked, put in order, and described for the engine."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np

from spikesim.checks import check_number, check_whole
from spikesim.conversion.steps.maps import StepMap
from spikesim.conversion.steps.neuron import CURRENT, StepFilter, StepNeuron, spikes_of
from spikesim.description.inputs import Sampled
from spikesim.description.network import Network
from spikesim.description.rules import Pairs
from spikesim.display import number
from spikesim.names import named_options


@named_options()
@dataclass(frozen=True, eq=False)
class StepNetwork:
    """Layers whose steps are maps, joined by linear maps: what frameworks train.

    On the engine a step lasts ``dt``, and a spike takes at least one step to its target. A layer
    that gets spikes of the same step is therefore ``lags`` steps late there, one more than its
    source; after this shift its spikes are those of the equations, for weights are as good as
    doubles. Sums are rounded otherwise than elsewhere, so that a neuron within rounding of its
    threshold may decide otherwise (see `compare_spikes`).

    Parameters
    ----------
    inputs : mapping of str to int
        Name and width of each input.
    layers : mapping of str to StepNeuron or StepFilter
        A `StepFilter` may get what inputs and filters give, and spikes; of those that get spikes
        nothing goes to neurons, for the engine sends spikes alone.
    maps : sequence of StepMap
        Several of the same source and target add up.
    dt : float
        Step, ms.

    Attributes
    ----------
    lags : dict of str to int
        By the layers that spike.

    Raises
    ------
    ValueError
        A map from or to nothing that there is, or of another shape; filters in a circle; a filter
        between neurons; a circle of neurons with less delay than it has maps.
    """

    inputs: Mapping[str, int]
    layers: Mapping[str, StepNeuron | StepFilter]
    maps: Sequence[StepMap] = field(repr=False)
    dt: float

    def __post_init__(self) -> None:
        check_number("StepNetwork: dt", self.dt, above=0, unit="ms")
        for name, width in self.inputs.items():
            check_whole(f"StepNetwork: the width of input {name!r}", width)
            if name in self.layers:
                raise ValueError(f"StepNetwork: {name!r} is an input and a layer; it must be one.")
        object.__setattr__(self, "maps", tuple(self.maps))
        for each in self.maps:
            self._check_map(each)
        self._check_filters()
        _ = self.lags

    def _check_map(self, given: StepMap) -> None:
        told = f"StepNetwork: the map from {given.source!r} to {given.target!r}"
        sizes = {name: layer.size for name, layer in self.layers.items()}
        sources = {**self.inputs, **{n: self.width(n) for n in self.layers}}
        for word, name, known in (
            ("source", given.source, sources),
            ("target", given.target, sizes),
        ):
            if name not in known:
                raise ValueError(
                    f"{told}: there is no {word} {name!r}; known are "
                    f"{', '.join(map(repr, known)) or 'none'}."
                )
        shape = sizes[given.target], sources[given.source]
        if given.weights.shape != shape:
            raise ValueError(
                f"{told}: the weights have shape {given.weights.shape}; they must have shape "
                f"(target, source), here {shape}."
            )

    def __repr__(self) -> str:
        inputs = ", ".join(f"{name!r} of {width:,}" for name, width in self.inputs.items())
        layers = ", ".join(f"{name!r} of {layer.size:,}" for name, layer in self.layers.items())
        return (
            f"<StepNetwork: inputs {inputs}; layers {layers}; {number(len(self.maps), 'map')}, "
            f"dt {self.dt:g} ms>"
        )

    def width(self, name: str) -> int:
        """How many numbers an input or a layer gives in a step."""
        return self.inputs[name] if name in self.inputs else self.layers[name].size

    @cached_property
    def neurons(self) -> dict[str, StepNeuron]:
        """The layers that spike."""
        return {n: layer for n, layer in self.layers.items() if isinstance(layer, StepNeuron)}

    @cached_property
    def filters(self) -> dict[str, StepFilter]:
        """The layers that do not, each after those that give it something."""
        rest = {n: layer for n, layer in self.layers.items() if n not in self.neurons}
        ordered: dict[str, StepFilter] = {}
        while rest:
            waiting = {m.target for m in self.maps if m.source in rest}
            ready = [name for name in rest if name not in waiting]
            if not ready:
                raise ValueError(
                    f"StepNetwork: the filters {', '.join(map(repr, rest))} give to each other in "
                    "a circle; they must not."
                )
            ordered |= {name: rest.pop(name) for name in ready}
        return ordered

    @cached_property
    def after_spikes(self) -> set[str]:
        """The filters that get spikes, be it through others."""
        found: set[str] = set()
        for name in self.filters:
            if any(m.target == name and m.source in {*self.neurons, *found} for m in self.maps):
                found.add(name)
        return found

    def _check_filters(self) -> None:
        for each in self.maps:
            if each.source in self.after_spikes and each.target in self.neurons:
                raise ValueError(
                    f"StepNetwork: {each.source!r} is a filter of spikes and gives to the neurons "
                    f"{each.target!r}; neurons get nothing but spikes from within the network: "
                    "make it the neurons' synapse (synapse_keep)."
                )

    @cached_property
    def lags(self) -> dict[str, int]:
        """How many steps later than in the equations each spiking layer is on the engine."""
        ours = [m for m in self.maps if m.source in self.neurons and m.target in self.neurons]
        lags, came_from = dict.fromkeys(self.neurons, 0), {}
        for _ in range(len(lags) + 1):
            least = [lags[m.source] + 1 - m.shortest - self._wait(m.source) for m in ours]
            late = [m for m, lag in zip(ours, least, strict=True) if lags[m.target] < lag]
            if not late:
                return lags
            for each, lag in zip(ours, least, strict=True):
                if lags[each.target] < lag:
                    lags[each.target], came_from[each.target] = lag, each.source
        circle = [late[0].target]
        while circle[-1] not in circle[:-1]:
            circle.append(came_from[circle[-1]])
        circle = circle[circle.index(circle[-1]) :]
        raise ValueError(
            f"StepNetwork: the neurons {' <- '.join(map(repr, circle))} give to each other in a "
            f"circle of {len(circle) - 1} map(s) with less delay than that many steps; on the "
            "engine each map takes a step at least, so the circle must have that delay."
        )

    def _wait(self, name: str) -> int:
        """Steps by which a layer gives its spikes later than it has them."""
        return int(self.neurons[name].spikes_late)

    def describe(self, currents: Mapping[str, np.ndarray]) -> Network:
        """The network for the engine, to be built with this ``dt`` and double precision.

        Parameters
        ----------
        currents : mapping of str to array (steps, size)
            What arrives at spiking layers from outside, biases included, as in the equations.

        Returns
        -------
        Network
            A population for each spiking layer, `population` by name, which is ``lags`` steps late.
        """
        net = Network(name="step by step")
        within = {
            name: [m for m in self.maps if m.target == name and m.source in self.neurons]
            for name in self.neurons
        }
        for name, layer in self.neurons.items():
            model = layer.model(self.dt, self.lags[name], len(within[name]))
            net.population(self.population(name), layer.size * layer.most_spikes, model)
        for name, current in currents.items():
            net.drive(
                self.population(name),
                Sampled(self.sampled(name, current), self.dt),
                receptor=CURRENT,
                name=f"into {name}",
            )
        for maps in within.values():
            for k, each in enumerate(maps):
                self._connect(net, each, spikes_of(k))
        return net

    def sampled(self, name: str, current: np.ndarray) -> np.ndarray:
        """A layer's current (steps, size) as late as the layer, for each of its copies."""
        late = np.zeros((self.lags[name], current.shape[1]))
        return np.tile(np.concatenate([late, current]), self.neurons[name].most_spikes)

    def population(self, name: str) -> str:
        """What a layer is called on the engine, where fewer characters are allowed."""
        names: dict[str, str] = {}
        for layer in self.neurons:
            plain = re.sub(r"[^\w.+-]", "_", layer) or "_"
            while plain in names.values():
                plain += "_"
            names[layer] = plain
        return names[name]

    def _connect(self, net: Network, given: StepMap, receptor: str) -> None:
        target, source, weight, delay = given.entries()
        if not weight.size:
            return
        delay = delay + self._wait(given.source)
        delay += self.lags[given.target] - self.lags[given.source]
        sizes = self.neurons[given.source].size, self.neurons[given.target].size
        copies = [self.neurons[n].most_spikes for n in (given.source, given.target)]
        a, b = (each.ravel() for each in np.divmod(np.arange(copies[0] * copies[1]), copies[1]))
        net.connect(
            self.population(given.source),
            self.population(given.target),
            Pairs(
                (source + sizes[0] * a[:, None]).ravel(), (target + sizes[1] * b[:, None]).ravel()
            ),
            weight=np.tile(weight, a.size),
            delay=np.tile(delay * self.dt, a.size),
            receptor=receptor,
        )
