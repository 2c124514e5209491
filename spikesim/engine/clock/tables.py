"""Records that the kernels read: what lies where in the flat arrays of a build and of a state.

An *axon* is all synapses of one source population, by partition in rows by source.
"""

import numpy as np

from spikesim.engine.connectivity.tables import record

POPULATION = record(
    first=np.int64,  # number of its first neuron, counted over the network
    size=np.int64,
    receptors=np.int64,
)

SPAN = record(  # of one population in one partition
    first=np.int64,  # blocks [first, last) of the population
    last=np.int64,
    address=np.int64,  # of the first block's first input
)

AXON = record(
    population=np.int64,  # of the sources
    size=np.int64,  # sources
    first_delay=np.int64,  # steps: the shortest
    windows=np.int64,  # groups of delays, each as wide as the ring of inputs
    table=np.int64,  # first entry of its weights in the weight table
    uniform=np.int64,  # 1 if that is its only one
    first_projection=np.int64,
    last_projection=np.int64,
    drawn=np.int64,  # 1 if its synapses are not stored (see `procedural`)
)

ROWS = record(  # of one axon in one partition
    words=np.int64,  # its first synapse
    rows=np.int64,  # its first row pointer: [source * windows + window], and one at the end
    exact=np.int64,  # its first weight, if weights lie outside the words, else -1
)

INPUT = record(  # 64-bit integers alone: kernels read it as an array of them
    kind=np.int64,  # POISSON, GAUSS, SAMPLED, RENEWAL or CORRELATED
    population=np.int64,
    receptor=np.int64,
    stream=np.int64,  # below 2^32
    weights=np.int64,  # where its 64 weights begin in `weights`, in units of the ring ...
    weight_stride=np.int64,  # ... and how far the next block's are (0: the same)
    levels=np.int64,  # POISSON: thresholds per neuron; CORRELATED: of the mother train
    thresholds=np.int64,  # SAMPLED with 1 level: where the values of all bins are in `weights`
    threshold_stride=np.int64,
    bins=np.int64,  # of time; what follows the last is the last, or if it repeats the first
    bin_steps=np.int64,
    repeats=np.int64,
    weight_bin=np.int64,  # how far the weights and thresholds of the next bin are
    threshold_bin=np.int64,
    ages=np.int64,  # RENEWAL: its first block in `ages`
    copies=np.int64,  # CORRELATED: a draw up to this copies a spike of the mother train
    fine=np.int64,  # not 0 if spikes are rare: then a draw on a limit is one by a second draw ...
    # ... below what lies a block behind all levels, or of a RENEWAL input so many entries behind
)

POISSON, GAUSS, SAMPLED, RENEWAL, CORRELATED = range(5)

TRACE = record(
    every=np.int64,  # steps
    first_row=np.int64,  # number of the first sample that the buffer holds
    buffer=np.int64,  # where its samples begin
    columns=np.int64,
)

TAP = record(  # a value to record: the sum of some cells of the state
    trace=np.int64,
    column=np.int64,
    cell=np.int64,  # the first
    stride=np.int64,
    cells=np.int64,  # how many
)


def aligned(shape: int | tuple[int, ...], kind: type) -> np.ndarray:
    """Zeros that begin at a cache line."""
    bytes_ = int(np.prod(shape)) * np.dtype(kind).itemsize
    raw = np.zeros(bytes_ + 64, np.uint8)
    shift = -raw.ctypes.data % 64
    return raw[shift : shift + bytes_].view(kind).reshape(shape)
