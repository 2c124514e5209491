"""From connectivity to wiring: synapses packed into words around partitions and steps."""

import math
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np

from spikesim.description.distributions import Distribution, levels, tail
from spikesim.engine.clock.arrays import Wiring
from spikesim.engine.clock.layout import Layout
from spikesim.engine.clock.packing import Packing
from spikesim.engine.clock.procedural import Drawing
from spikesim.engine.clock.tables import AXON, POPULATION, ROWS, SPAN
from spikesim.engine.clock.write import write_axon
from spikesim.engine.connectivity.gather import Column, Gathered
from spikesim.engine.connectivity.tables import PROJECTION, STORED

TABLE_BITS = 13  # of a synapse for its weight; axons with more values keep weights beside synapses
WRITTEN = 12.0  # ns of a synapse, roughly
LONGEST_EPOCH = 64  # steps between two looks at Ctrl-C, where no delay sets a limit
WIDEST_WINDOW = 3  # bits: windows of 8 delays; the slots of 16 no longer lie in a cache of 1 MB


class _Table:
    """The weights of an axon: one entry for each number, some levels for each distribution."""

    def __init__(self) -> None:
        self.entries: dict[Any, tuple[int, int]] = {}
        self.values: list[np.ndarray] = []
        self.size = 0

    def add(self, key: Any, values: np.ndarray) -> None:
        """Append entries; ``entries[key]`` is the first and their number."""
        self.entries[key] = self.size, values.size
        self.values.append(values)
        self.size += values.size


class Assembler:
    """Lays the projections of each source population out as an axon, then writes all axons.

    ``count`` levels stand for a distribution of weights.
    """

    def __init__(self, made: Gathered, layout: Layout, count: int) -> None:
        self.made, self.layout = made, layout
        self.axons = self._axons()
        self.table, self.outside, self.word = self._weight_tables(count)

    def _axons(self) -> np.ndarray:
        """The projections of each source population; windows as wide as the delays' spread."""
        made = self.made
        source_of = np.array([made.names.index(p.source.population) for p in made.projections], int)
        sources = np.unique(source_of)
        axons = np.zeros(sources.size, AXON)
        for axon, population in zip(axons, sources, strict=True):
            ours = np.flatnonzero(source_of == population)
            axon["population"] = population
            axon["size"] = self.layout.populations[population]["size"]
            axon["first_projection"], axon["last_projection"] = ours[0], ours[-1] + 1
            axon["first_delay"] = min(made.shortest[k] for k in ours)
            axon["windows"] = max(made.longest[k] for k in ours) - axon["first_delay"] + 1  # steps
        spread = int(axons["windows"].max(initial=1))
        self.slot_bits = min(WIDEST_WINDOW, math.ceil(math.log2(spread)))
        axons["windows"] = (axons["windows"] - 1 >> self.slot_bits) + 1
        return axons

    def _weight_tables(self, count: int) -> tuple[np.ndarray, list[bool], type]:
        """Tables of all axons, which keep their weights outside the words, and what words are.

        They have 16 bits where all axons can do with so few: with the half to read, a synaptic
        event of Brunel's network takes nine tenths of the time.
        """
        bits = self.layout.address_bits + self.slot_bits
        most = 1 << min(32 - bits, TABLE_BITS)
        whole, outside, longest = Column(self.layout.integer), [], 1
        for axon in self.axons:
            ours = range(axon["first_projection"], axon["last_projection"])
            table = _Table()
            for k in ours:
                unit = self._unit(k)
                array = self.made.distinct[k] is not None
                key = ("array", k) if array else (self.made.projections[k].weight, unit)
                if key not in table.entries:
                    table.add(key, self._weights(k, count) / unit)
                row = self.made.table[k]
                row["weight"], entries = table.entries[key]
                row["levels"] = row["common"] = entries
                if isinstance(self.made.projections[k].weight, Distribution):
                    beyond = tail(self.made.projections[k].weight, count)
                    row["levels"], row["common"] = count, count - beyond.covers
                    row["octaves"] = len(beyond.values)
            axon["table"] = whole.add(np.rint(np.concatenate(table.values)))
            axon["uniform"] = table.size == 1
            outside.append(table.size > most)
            longest = max(longest, 1 if outside[-1] else table.size)
        return whole.joined(), outside, np.uint16 if longest << bits <= 1 << 16 else np.uint32

    def _weights(self, k: int, count: int) -> np.ndarray:
        """The values that the weights of a projection can have; levels, if they are drawn."""
        weight = self.made.projections[k].weight
        if self.made.distinct[k] is not None:
            return self.made.distinct[k]
        if isinstance(weight, Distribution):
            return np.concatenate([levels(weight, count), tail(weight, count).values.ravel()])
        return np.array([weight])

    def _unit(self, k: int) -> float:
        projection = self.made.projections[k]
        return self.layout.units[projection.target.population, projection.receptor]

    def write(self, procedural: bool) -> Wiring:
        """Write all synapses, partitions side by side; of axons that can be drawn again, none."""
        made, layout, axons, projections = self.made, self.layout, self.axons, self.made.table
        table, outside = self.table, self.outside
        counts = made.counts.joined()
        rows_in, targets_in = made.rows.joined(), made.targets.joined()
        weights_in, delays_in = made.weights.joined(), made.delays.joined()
        delay_tables = np.array(made.delay_levels or [np.ones(1)], np.uint16)

        for axon in axons if procedural else ():
            ours = projections[axon["first_projection"] : axon["last_projection"]]
            axon["drawn"] = np.all(ours["rule"] != STORED)
        partitions = layout.spans.shape[0]
        places = np.zeros((partitions, axons.size), ROWS)
        room = np.zeros((partitions, axons.size), np.int64)
        words = rows = exact = 0
        for partition in range(partitions):
            for f, axon in enumerate(axons):
                if axon["drawn"]:
                    continue
                ours = projections[axon["first_projection"] : axon["last_projection"]]
                spans = layout.spans[partition]
                room[partition, f] = sum(_room(p, spans, counts, targets_in, rows_in) for p in ours)
                places[partition, f] = words, rows, exact if outside[f] else -1
                words += room[partition, f]
                rows += int(axon["size"] * axon["windows"] + 1)
                exact += room[partition, f] * outside[f]
        word_array, row_array = np.empty(words, self.word), np.empty(rows, np.uint32)
        exact_array = np.empty(exact, layout.integer)
        longest = [
            made.longest_row(axon["first_projection"], axon["last_projection"]) for axon in axons
        ]

        packing = Packing(layout.address_bits, self.slot_bits)

        def write(partition: int) -> None:
            for f in np.flatnonzero(axons["drawn"] == 0):
                axon = axons[f]
                place, size = places[partition, f], room[partition, f]
                written = write_axon(
                    axon,
                    projections,
                    layout.spans[partition],
                    layout.populations,
                    counts,
                    delay_tables,
                    rows_in,
                    targets_in,
                    weights_in,
                    delays_in,
                    table,
                    packing,
                    longest[f],
                    word_array[place["words"] :][:size],
                    exact_array[max(place["exact"], 0) :][: size * outside[f]],
                    row_array[place["rows"] :],
                )
                if written < 0:
                    raise RuntimeError(f"axon {f} onto partition {partition} outgrew {size}.")
                made.tell(1e-9 * WRITTEN / made.workers * int(size))

        with ThreadPoolExecutor(made.workers) as pool:
            list(pool.map(write, range(partitions)))
        epoch = int(min([LONGEST_EPOCH, *axons["first_delay"]]))
        drawing = None
        if np.any(axons["drawn"]):
            widest = int(projections["target_size"].max())
            drawing = Drawing(projections, counts, delay_tables, max(longest), widest)
        return Wiring(
            layout.populations,
            layout.spans,
            packing,
            epoch,
            1 << math.ceil(math.log2(max([1, *made.longest]) + epoch + 1)),
            axons,
            places,
            row_array,
            word_array,
            exact_array,
            table,
            drawing,
        )


def compile_wiring(integer: type, word: type) -> None:
    """Compile the wiring kernels, or load them, by wiring nothing."""
    nothing = np.zeros(1, np.int64)
    write_axon(
        np.zeros(1, AXON)[0],
        np.zeros(0, PROJECTION),
        np.zeros(1, SPAN),
        np.zeros(1, POPULATION),
        nothing,
        np.zeros((1, 1), np.uint16),
        nothing,
        np.zeros(0, np.int32),
        np.zeros(0, np.uint32),
        np.zeros(0, np.uint16),
        np.zeros(0, integer),
        Packing(6, 0),
        0,
        np.zeros(0, word),
        np.zeros(0, integer),
        np.zeros(1, np.uint32),
    )


def _room(
    projection: np.void,
    spans: np.ndarray,
    counts: np.ndarray,
    stored_targets: np.ndarray,
    stored_rows: np.ndarray,
) -> int:
    """Room for the synapses of a projection onto a partition, certain or all but certain."""
    span = spans[projection["target"]]
    neurons = projection["target_first"] + projection["target_step"] * np.array(
        [0, projection["target_size"] - 1]
    )
    step = int(projection["target_step"])
    low = max(int(span["first"]) * 64, int(neurons[0]))
    high = min(int(span["last"]) * 64, int(neurons[1]) + 1)
    first = -(-(low - int(neurons[0])) // step)
    last = -(-(high - int(neurons[0])) // step)
    here = max(0, last - first)
    if projection["rule"] == STORED:
        pointers = stored_rows[projection["stored_rows"] :]
        total = pointers[projection["source_size"]]
        targets = stored_targets[projection["stored"] : projection["stored"] + total]
        return int(np.count_nonzero((targets >= first) & (targets < last)))
    ours = counts[projection["counts"] : projection["counts"] + projection["source_size"]]
    total = int(ours.sum())
    if here == projection["target_size"]:
        return total
    others = max(1, int(projection["target_size"]) - int(projection["skip_self"]))
    mean = min(total, total * here / others)
    return min(total, int(mean + 10 * math.sqrt(mean)) + 64) if here else 0
