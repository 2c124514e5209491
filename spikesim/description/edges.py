"""A table of synapses that connects as it is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikesim.checks import check_shape, check_whole_numbers
from spikesim.description.rules import Pairs


@dataclass(frozen=True, eq=False)
class Edges:
    """A table of synapses, as `spikesim.interop.edges.read_edges` gives it; connects as it is.

    Parameters
    ----------
    sources, targets : integer arrays
        Synapse k runs from ``sources[k]`` to ``targets[k]``.
    weights, delays : arrays, optional
        One value per row, weights in the unit of the receptor, delays in ms.
    multiplicity : integer array, optional
        How many synapses each row stands for (``nsyns`` of SONATA). ``weights`` are for all of
        them. A weight that `Network.connect` is given besides is one synapse's if it is a number,
        and so is multiplied; an array is taken as it is, one value a row. Default: one each.
    labels : array, optional
        What neurons were called before they were numbered: ``labels[k]`` is neuron k. None: as
        they are numbered.
    notes : sequence of str
        What was made of a file's columns, in words; ``print(edges)`` shows them.

    Attributes
    ----------
    rule : Pairs
        The same without weights and delays.

    Raises
    ------
    ValueError
        Numbers that are not whole, arrays of other lengths, values that are not finite.
    """

    sources: Any = field(repr=False)
    targets: Any = field(repr=False)
    weights: Any = field(default=None, repr=False)
    delays: Any = field(default=None, repr=False)
    multiplicity: Any = field(default=None, repr=False)
    labels: Any = field(default=None, repr=False)
    notes: Any = field(default=(), repr=False)
    rule: Pairs = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "rule", Pairs(self.sources, self.targets))
        object.__setattr__(self, "sources", self.rule.sources)
        object.__setattr__(self, "targets", self.rule.targets)
        for name in ("weights", "delays"):
            if getattr(self, name) is None:
                continue
            values = np.asarray(getattr(self, name), float)
            check_shape(f"Edges: {name}", values, self.sources.shape)
            if not np.isfinite(values).all():
                k = int(np.argmin(np.isfinite(values)))
                raise ValueError(f"Edges: {name}[{k}] is {values[k]}; it must be finite.")
            object.__setattr__(self, name, values)
        object.__setattr__(self, "notes", tuple(self.notes))
        if self.multiplicity is not None:
            counts = check_whole_numbers("Edges: multiplicity", self.multiplicity)
            check_shape("Edges: multiplicity", counts, self.sources.shape)
            if counts.size and counts.min() < 0:
                raise ValueError(
                    f"Edges: multiplicity runs down to {counts.min()}; 0 is the least."
                )
            object.__setattr__(self, "multiplicity", counts)

    def __len__(self) -> int:
        return self.sources.size

    def __repr__(self) -> str:
        many = "" if self.multiplicity is None else f" for {self.multiplicity.sum()} synapses"
        return f"Edges({'; '.join([f'{len(self)} rows{many}', *self.notes])})"

    def repeated(self) -> Edges:
        """The same with a row for each synapse, of an equal share of the weight."""
        if self.multiplicity is None:
            return self
        counts = self.multiplicity
        rows = np.repeat(np.arange(len(self)), counts)
        weights = None if self.weights is None else self.weights[rows] / counts[rows]
        delays = None if self.delays is None else self.delays[rows]
        notes = (*self.notes, "a row for each synapse")
        return Edges(
            self.sources[rows], self.targets[rows], weights, delays, None, self.labels, notes
        )

    def weight_of_rows(self, weight: Any) -> Any:
        """What a row weighs if ``weight`` is that of a synapse, or an array of the rows' own."""
        if self.multiplicity is None or np.ndim(weight):
            return weight
        if not isinstance(weight, int | float | np.number):
            raise ValueError(
                f"Edges: weight is {weight!r}, but rows stand for several synapses each "
                "(multiplicity): give a number, an array with a value a row, or connect by "
                "edges.repeated(), which has a row for each synapse."
            )
        return weight * self.multiplicity
