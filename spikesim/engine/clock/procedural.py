"""Synapses that are not stored: a spike draws its row again, as the wiring would have drawn it.

For networks that do not fit into memory. Every partition draws whole rows and keeps its own
synapses, so a synaptic event costs a draw for each partition instead of a read. What arrives is the
same to the bit, because weights are added as integers.
"""

from typing import NamedTuple

import numpy as np
from numba import types
from numba.extending import overload

from spikesim.engine.clock.packing import ring_base, weight_shift
from spikesim.engine.clock.write import keep_own
from spikesim.engine.connectivity.draw import delay_of, draw, level, place_of
from spikesim.kernels.cache import inlined
from spikesim.kernels.keyed import row_key


class Drawing(NamedTuple):
    """What drawing needs beside the wiring; in its place stands None where all is stored."""

    projections: np.ndarray
    counts: np.ndarray
    delay_tables: np.ndarray
    longest: int  # row of any source
    widest: int  # target


def room_to_draw(drawing: Drawing | None) -> tuple[np.ndarray, ...] | None:
    """Room for a row as it is drawn and as it is kept, and for the targets that were seen."""
    if drawing is None:
        return None
    return (
        np.empty(drawing.longest + 1, np.int32),
        np.empty(drawing.longest + 1, np.uint32),
        np.empty(drawing.longest + 1, np.uint32),
        np.empty(drawing.longest + 1, np.uint32),
        np.zeros(drawing.widest + 1, np.uint8),
    )


@inlined
def _add_drawn(drawing, scratch, wiring, ring, partition, step, f, window, source):
    places, drawn_bits, addresses, bits, seen = scratch
    axon, packing = wiring.axons[f], wiring.packing
    shift = weight_shift(packing)
    base = ring_base(packing, step)
    ring = ring[partition << shift :]
    first_delay = axon.first_delay + (window << packing.slot_bits)
    for p in range(axon.first_projection, axon.last_projection):
        projection = drawing.projections[p]
        place = place_of(projection, source)
        if place < 0:
            continue
        span = wiring.spans[partition, projection.target]
        receptors = wiring.populations[projection.target].receptors
        drawn = draw(projection, place, drawing.counts, seen, places, drawn_bits)
        kept = keep_own(places, drawn_bits, drawn, projection, span, receptors, addresses, bits)
        weights = wiring.table[axon.table + projection.weight :]
        key = row_key(projection.key, place)
        for k in range(kept):
            late = delay_of(drawing.delay_tables, projection, bits[k]) - first_delay
            if 0 <= late < 1 << packing.slot_bits:
                at = (np.int64(addresses[k]) | late << packing.address_bits) + base
                ring[at & ((1 << shift) - 1)] += weights[level(projection, key, bits[k])]


def add_drawn(drawing, scratch, wiring, ring, partition, step, f, window, source):
    """Add to the ring those synapses of a source whose window of delays begins now.

    Compiled for a network only if it has such synapses: see `Drawing`.
    """


@overload(add_drawn)
def _add_drawn_if_drawn(drawing, scratch, wiring, ring, partition, step, f, window, source):
    if isinstance(drawing, types.NoneType):

        def implementation(drawing, scratch, wiring, ring, partition, step, f, window, source):
            return None

        return implementation

    def implementation(drawing, scratch, wiring, ring, partition, step, f, window, source):
        _add_drawn(drawing, scratch, wiring, ring, partition, step, f, window, source)

    return implementation
