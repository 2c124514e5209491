"""From wiring back to synapses as arrays."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from spikesim import display
from spikesim.engine.clock.arrays import Wiring
from spikesim.engine.clock.packing import unpacked_words


@dataclass(frozen=True, eq=False)
class Synapses:
    """Synapses as arrays, sorted by source, then delay.

    ``sources`` and ``targets`` are numbers in their populations, ``weights`` in the unit of the
    receptor, ``delays`` in ms, ``receptors`` the names' places in the target's model.
    """

    sources: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
    delays: np.ndarray
    receptors: np.ndarray

    def __len__(self) -> int:
        return self.sources.size

    def at(self, receptor: int) -> "Synapses":
        """Those at one receptor, by its place."""
        ours = self.receptors == receptor
        columns = self.sources, self.targets, self.weights, self.delays, self.receptors
        return Synapses(*(column[ours] for column in columns))

    def __repr__(self) -> str:
        told = f"weights {display.span(self.weights)}, delays {display.span(self.delays)} ms"
        return f"<Synapses: {len(self):,}, {told}>"


def decode(wiring: Wiring, source: int, target: int, units: Sequence[float], dt: float) -> Synapses:
    """What runs between two populations; ``units`` are those of the target's receptors."""
    parts = [
        _decode(wiring, f, partition, target, units)
        for f in np.flatnonzero(wiring.axons["population"] == source)
        for partition in range(len(wiring.spans))
    ]
    if not parts:
        empty = np.empty(0)
        return Synapses(*(empty.astype(np.int64),) * 2, empty, empty, empty.astype(np.int64))
    s, t, weight, delay, r = (np.concatenate(column) for column in zip(*parts, strict=True))
    order = np.lexsort((t, delay, s))
    return Synapses(s[order], t[order], weight[order], delay[order] * dt, r[order])


def _decode(
    w: Wiring, f: int, partition: int, p: int, units: Sequence[float]
) -> tuple[np.ndarray, ...]:
    """Source, target, weight, delay (steps) and receptor of synapses of an axon."""
    axon, place, span = w.axons[f], w.places[partition, f], w.spans[partition, p]
    count = len(units)
    rows = w.rows[place["rows"] : place["rows"] + axon["size"] * axon["windows"] + 1]
    ours = slice(place["words"], place["words"] + rows[-1])
    address, slot, weight = unpacked_words(w.packing, w.words[ours])
    which = np.repeat(np.arange(axon["size"] * axon["windows"]), np.diff(rows))
    source, window = np.divmod(which, axon["windows"])
    local = address - span["address"]
    block, lane = np.divmod(local, 64)
    block, r = np.divmod(block, max(count, 1))
    here = (local >= 0) & (block < span["last"] - span["first"]) & (count > 0)
    if place["exact"] < 0:
        integers = w.table[axon["table"] + weight]
    else:
        integers = w.exact[place["exact"] : place["exact"] + rows[-1]]
    unit = np.array([*units, 0.0])
    r = np.where(here, r, count)
    target = (block + span["first"]) * 64 + lane
    delay = axon["first_delay"] + (window << w.packing.slot_bits) + slot
    columns = (source, target, integers * unit[r], delay, r)
    return tuple(column[here] for column in columns)
