"""The arrays that the loop reads and changes, by trade.

A *partition* owns blocks of 64 neurons of every population. Its inputs, one per neuron and
receptor, have addresses (see `packing`): block by block, within a block receptor by receptor, 64
lanes each. The records of these arrays are in `tables`.
"""

from typing import NamedTuple

import numpy as np

from spikesim.engine.clock.packing import Packing
from spikesim.engine.clock.procedural import Drawing


class Wiring(NamedTuple):
    """What every state of a build reads."""

    populations: np.ndarray
    spans: np.ndarray  # [partition, population]
    packing: Packing
    epoch: int  # steps between exchanges
    history: int  # steps of spike lists that are kept, a power of two
    axons: np.ndarray
    places: np.ndarray  # [partition, axon] ROWS
    rows: np.ndarray  # uint32
    words: np.ndarray  # uint16 or uint32
    exact: np.ndarray  # weights that lie outside the words: int32 or int64, as the ring
    table: np.ndarray  # weights in units of the ring
    drawing: Drawing | None  # what axons need whose synapses are not stored


class Neurons(NamedTuple):
    """Variables, parameters and the updates that advance them."""

    state: np.ndarray
    state_first: np.ndarray  # [population]
    const: np.ndarray
    const_first: np.ndarray  # [population]
    updates: np.ndarray  # [population] addresses of compiled updates
    noise_keys: np.ndarray  # [population]


class Spikes(NamedTuple):
    """Who spiked, as far back as delays reach."""

    lists: np.ndarray  # [slot, partition, place] numbers of neurons that spiked
    ends: np.ndarray  # [slot, partition, population + 1] ends of their populations in the list
    silent: np.ndarray  # whether a neuron's spikes reach nobody; empty if all do


class Inputs(NamedTuple):
    """What comes from outside in every step, drawn or given as values."""

    table: np.ndarray
    kernels: np.ndarray  # [input] addresses of compiled kernels (see `input_kernels`)
    blocks: np.ndarray  # by input, the blocks that it drives
    block_first: np.ndarray  # [input, partition], and the end of the last
    weights: np.ndarray  # of all inputs but Gaussian ones, in units of the ring
    reals: np.ndarray  # quantiles of a normal variable, SDs of Gaussian inputs
    limits: np.ndarray  # on draws
    ages: np.ndarray  # of renewal inputs, and where their limits are


class Given(NamedTuple):
    """Given spikes, by partition, then by step."""

    first: np.ndarray  # [partition + 1]
    step: np.ndarray
    address: np.ndarray
    weight: np.ndarray


class StateArrays(NamedTuple):
    """What a run changes, and the inputs and constants of this state."""

    neurons: Neurons
    spikes: Spikes
    ring: np.ndarray  # [partition, slot, address], flat
    inputs: Inputs
    given: Given
    key: int  # of the noise
    plastic: None  # weights that change, and their traces: None compiles away


class Record(NamedTuple):
    """Buffers of one call, which the caller empties."""

    spikes: np.ndarray  # [partition, place] (see `packing.packed_spike`)
    spike_count: np.ndarray  # [partition, 0]; the rest keeps them on lines of their own
    traces: np.ndarray
    taps: np.ndarray
    tap_first: np.ndarray  # [partition + 1]
    samples: np.ndarray
    first: int  # the step at which the buffers begin
    failures: np.ndarray  # [partition, 0..2]: step + 1, population, ~what its update returned
