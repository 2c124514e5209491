"""Who is connected to whom, how strongly and how late: projections into what kernels draw from.

Nothing here knows a step or a partition. Every number depends on the network's seed, the
projection's name, and the source or the target alone.
"""

from collections.abc import Callable
from typing import Any

import numpy as np

from spikesim.description.distributions import Distribution
from spikesim.description.network import Network
from spikesim.description.projection import Projection
from spikesim.description.rules import DistanceDelay
from spikesim.engine.connectivity.distance import row_distances
from spikesim.engine.connectivity.lists import distinct
from spikesim.engine.connectivity.rules import Tell, counted, listed, space
from spikesim.engine.connectivity.tables import DELAY_LEVELS, PROJECTION, STORED
from spikesim.random import derive_key

MOST_HASHED = 65536  # different weights of an array; more are sorted
PIECE = 1 << 20  # delays that are looked at together
LISTED = 15.0  # ns of a synapse that is listed, roughly


class Column:
    """Arrays put one behind the other."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.parts: list[np.ndarray] = []
        self.size = 0

    def add(self, part: np.ndarray) -> int:
        """Append an array; returns where it begins."""
        first = self.size
        self.parts.append(part)
        self.size += part.size
        return first

    def joined(self) -> np.ndarray:
        """All in one, without a copy if there is but one; the parts are let go."""
        parts, self.parts = self.parts, []
        if len(parts) == 1:
            return np.ascontiguousarray(parts[0], self.kind)
        return np.concatenate([*parts, np.empty(0, self.kind)]).astype(self.kind, copy=False)


class Gathered:
    """The synapses of a network, by projection.

    Parameters
    ----------
    network : Network
    keep_delays : function
        What an engine keeps of an array of delays (ms), such as steps.
    workers : int
        Threads that look at distances.
    tell : function
        Called with what was foreseen for a piece of work (s), when it is done.

    Attributes
    ----------
    projections : list of Projection
        By source population.
    table : array of PROJECTION
        One record each: how kernels find its synapses in the columns.
    counts, rows, targets, weights, delays : Column
        Synapses of each source; of projections that are listed row pointers, targets, which of the
        `distinct` weights they have, and delays.
    distinct : list
        Values of weights that are arrays, else None.
    delay_levels : list of array
        Quantiles of delays that are drawn, or the one that all have, as they are kept.
    shortest, longest : list of int or float
        Of the delays of each, as they are kept.
    """

    def __init__(
        self,
        network: Network,
        keep_delays: Callable[[np.ndarray], np.ndarray],
        workers: int,
        tell: Tell = lambda seconds: None,
    ) -> None:
        self.network, self.keep_delays = network, keep_delays
        self.workers, self.tell = workers, tell
        self.names = list(network.populations)
        self.projections = sorted(
            network.projections.values(), key=lambda p: self.names.index(p.source.population)
        )
        self.table = np.zeros(len(self.projections), PROJECTION)
        self.counts, self.rows = Column(np.int64), Column(np.int64)
        self.targets, self.weights = Column(np.int32), Column(np.uint32)
        self.delays = Column(keep_delays(np.ones(1)).dtype.type)
        self.distinct: list[np.ndarray | None] = []
        self.delay_levels: list[np.ndarray] = []
        self._level_numbers: dict[Any, int] = {}
        self.synapses_of: dict[str, int] = {}
        self.shortest: list[float] = []
        self.longest: list[float] = []
        self._longest_rows: list[int] = []
        for row, projection in zip(self.table, self.projections, strict=True):
            self._add(row, projection)

    def longest_row(self, first: int, last: int) -> int:
        """A number of synapses that no source exceeds by these projections together."""
        return sum(self._longest_rows[first:last])

    def _add(self, row: np.void, projection: Projection) -> None:
        source, target = projection.source, projection.target
        receptors = self.network.populations[target.population].model.receptors
        row["key"] = derive_key(self.network.seed, "projection", projection.name)
        row["target"] = self.names.index(target.population)
        row["receptor"] = list(receptors).index(projection.receptor)
        for side, view in (("source", source), ("target", target)):
            row[f"{side}_first"], row[f"{side}_step"] = view.start, view.step
            row[f"{side}_size"] = view.size
        autapses = projection.rule.autapses
        row["skip_self"] = not (autapses or source.population != target.population)
        row["stored_rows"] = row["stored_weight"] = row["stored_delay"] = -1
        pointers, targets, order = np.empty(0, np.int64), np.empty(0), np.empty(0, np.int64)
        if not projection.by_source:
            row["rule"] = STORED
            pointers, targets, order = listed(
                self.network, projection, row, self.workers, self.tell
            )
            row["stored_rows"] = self.rows.add(pointers)
            row["stored"] = self.targets.add(targets)
            self.synapses_of[projection.name] = targets.size
            self._longest_rows.append(int(np.diff(pointers).max(initial=0)))
            self.tell(1e-9 * LISTED * targets.size)
        else:
            row["rule"], counts = counted(self.network, projection)
            row["counts"] = self.counts.add(counts)
            self.synapses_of[projection.name] = int(counts.sum())
            self._longest_rows.append(int(counts.max(initial=0)))
        self.distinct.append(None)
        if isinstance(projection.weight, np.ndarray):
            self.distinct[-1], index = _distinct(projection.weight.ravel(), order)
            row["stored_weight"] = self.weights.add(index)
        self._add_delays(row, projection, pointers, targets, order)

    def _add_delays(
        self,
        row: np.void,
        projection: Projection,
        pointers: np.ndarray,
        targets: np.ndarray,
        order: np.ndarray,
    ) -> None:
        delay = projection.delay
        if isinstance(delay, np.ndarray):
            pieces = np.array_split(order, order.size // PIECE + 1)
            given = delay.ravel()
            kept = np.concatenate([self.keep_delays(given[piece]) for piece in pieces])
            row["stored_delay"] = self.delays.add(kept)
        elif isinstance(delay, DistanceDelay):
            given = row_distances(pointers, targets, *space(self.network, projection))
            given /= delay.velocity
            given += delay.offset
            kept = self.keep_delays(given)
            row["stored_delay"] = self.delays.add(kept)
        else:
            row["delay"], kept = self._drawn_delays(delay)
        self.shortest.append(kept.min().item() if kept.size else 1)  # small integers would overflow
        self.longest.append(kept.max().item() if kept.size else 1)

    def _drawn_delays(self, delay: Any) -> tuple[int, np.ndarray]:
        """Number and values of the quantiles of a delay; equal delays share them."""
        if delay not in self._level_numbers:
            u = (np.arange(DELAY_LEVELS) + 0.5) / DELAY_LEVELS
            values = delay.quantile(u) if isinstance(delay, Distribution) else delay + 0 * u
            self._level_numbers[delay] = len(self.delay_levels)
            self.delay_levels.append(self.keep_delays(values))
        number = self._level_numbers[delay]
        return number, self.delay_levels[number]


def _distinct(values: np.ndarray, order: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The different values, and which of them each is after it was put in order."""
    found, index = distinct(np.ascontiguousarray(values), order, MOST_HASHED)
    if index.size == order.size:
        return found, index
    found, index = np.unique(values[order], return_inverse=True)
    return found, index.astype(np.uint32)
