"""What lies where: populations in partitions, inputs at addresses."""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikesim.description.network import Network
from spikesim.engine.clock.tables import POPULATION, SPAN

Precision = Literal["single", "double"]

PARTITION_INPUTS = 65536


@dataclass(frozen=True, eq=False)
class Layout:
    """What synapses, inputs and neurons are written around.

    ``units`` are the weights of one unit of each input, by population and receptor.
    """

    names: tuple[str, ...]  # of the populations
    populations: np.ndarray
    spans: np.ndarray
    address_bits: int
    units: Mapping[tuple[str, str], float]
    wide_sums: bool
    precision: Precision
    dt: float

    @property
    def partitions(self) -> int:
        return len(self.spans)

    @property
    def real(self) -> type:
        """Of variables and parameters."""
        return np.float32 if self.precision == "single" else np.float64

    @property
    def integer(self) -> type:
        """Of sums of weights."""
        return np.int64 if self.wide_sums else np.int32

    def partition_of(self, population: int, blocks: np.ndarray) -> np.ndarray:
        """The partitions in which blocks of a population lie."""
        return np.searchsorted(self.spans[:, population]["last"], blocks, side="right")


def lay_out(
    network: Network,
    threads: int,
    bounded: bool,
    units: Mapping[tuple[str, str], float],
    wide_sums: bool,
    precision: Precision,
    dt: float,
) -> Layout:
    """Share the neurons of a network out to partitions, a multiple of the threads.

    ``bounded``: no partition may have more inputs than 16 bits can number.
    """
    populations = _population_table(network)
    spans, inputs = _partitioned(populations, threads, PARTITION_INPUTS if bounded else None)
    address_bits = max(6, math.ceil(math.log2(max(inputs, 64))))
    names = tuple(network.populations)
    return Layout(names, populations, spans, address_bits, units, wide_sums, precision, float(dt))


def _population_table(network: Network) -> np.ndarray:
    table = np.zeros(len(network.populations), POPULATION)
    first = 0
    for row, p in zip(table, network.populations.values(), strict=True):
        row["first"], row["size"], row["receptors"] = first, p.size, len(p.model.receptors)
        first += p.size
    return table


def _partitioned(
    populations: np.ndarray, threads: int, most_inputs: int | None
) -> tuple[np.ndarray, int]:
    """Spans of the fewest partitions, a multiple of the threads, with so many inputs at most.

    If blocks are so many and small that this cannot be had, addresses are longer.
    """
    count = threads
    blocks = int(np.sum(-(-populations["size"] // 64)))
    spans, most = _spans(populations, count)
    while most_inputs is not None and most > most_inputs and count < blocks:
        count += threads
        spans, most = _spans(populations, count)
    return spans, most


def _spans(populations: np.ndarray, partitions: int) -> tuple[np.ndarray, int]:
    """Which blocks lie in which partition, and the most inputs that a partition has."""
    spans = np.zeros((partitions, populations.size), SPAN)
    most = 0
    blocks = -(-populations["size"] // 64)
    turn = np.cumsum(blocks) % partitions  # so that not all remainders fall to one partition
    for partition in range(partitions):
        address = 0
        for p, population in enumerate(populations):
            first = int(blocks[p] * partition + turn[p]) // partitions
            last = int(blocks[p] * (partition + 1) + turn[p]) // partitions
            spans[partition, p] = first, last, address
            address += 64 * (last - first) * int(population["receptors"])
        most = max(most, address)
    return spans, most
