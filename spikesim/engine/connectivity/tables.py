"""Records that say how a projection's synapses are found: drawn by source, or listed."""

import numpy as np


def record(**fields: type) -> np.dtype:
    """A record of such fields, laid out as C would."""
    return np.dtype([(name, kind) for name, kind in fields.items()], align=True)


PROJECTION = record(
    rule=np.int64,  # DRAWN, DISTINCT, ALL or STORED
    key=np.uint64,
    receptor=np.int64,
    target=np.int64,  # population
    source_first=np.int64,
    source_step=np.int64,
    source_size=np.int64,
    target_first=np.int64,
    target_step=np.int64,
    target_size=np.int64,
    skip_self=np.int64,  # no autapses
    counts=np.int64,  # where its synapses per source begin in `counts`
    weight=np.int64,  # its first entry in its axon's table
    levels=np.int64,  # how many entries are as likely as each other
    common=np.int64,  # so many of these are weights; the others stand for a tail ...
    octaves=np.int64,  # ... of so many times 64 entries, which follow (see `distributions.tail`)
    delay=np.int64,  # which delay table
    stored_rows=np.int64,  # STORED: where its row pointers and synapses begin; else -1
    stored=np.int64,
    stored_weight=np.int64,  # where its indices into the table begin, or -1: drawn
    stored_delay=np.int64,  # where its delays begin, or -1: drawn
)

DRAWN, DISTINCT, ALL, STORED = range(4)
DELAY_LEVELS = 65536  # entries of a delay table: quantiles of the delays
