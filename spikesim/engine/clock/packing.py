"""Bits: how a synapse is packed into a word and a spike into a number, and where the ring has it.

The ring holds what arrives: of every partition, for a few steps to come, one sum per input. Within
a step's slot an input has an *address*. A synapse's word is
``address | slot << address_bits | weight << (address_bits + slot_bits)``: the input it adds to,
the step within its window of delays, and which weight of its table it has.
"""

from typing import NamedTuple

import numpy as np

from spikesim.kernels.cache import inlined


class Packing(NamedTuple):
    """How many bits of a word are what."""

    address_bits: int
    slot_bits: int


@inlined
def weight_shift(packing):
    """Bits of a word below those of the weight: as many as number the ring of a partition."""
    return packing.address_bits + packing.slot_bits


@inlined
def ring_base(packing, step):
    """What to add to a word, before it is cut to the ring, so that its slot counts from a step."""
    return (step & ((1 << packing.slot_bits) - 1)) << packing.address_bits


@inlined
def ring_slot(packing, partition, step):
    """First block of 64 inputs of a partition in the slot of this step."""
    slot = (partition << packing.slot_bits) | (step & ((1 << packing.slot_bits) - 1))
    return slot << (packing.address_bits - 6)


@inlined
def packed_word(packing, address, slot, weight):
    """A synapse as a number."""
    return address | slot << packing.address_bits | weight << weight_shift(packing)


def unpacked_words(packing: Packing, words: np.ndarray) -> tuple[np.ndarray, ...]:
    """Addresses, slots and weights of synapses."""
    words = words.astype(np.int64)
    address = words & ((1 << packing.address_bits) - 1)
    slot = (words >> packing.address_bits) & ((1 << packing.slot_bits) - 1)
    return address, slot, words >> (packing.address_bits + packing.slot_bits)


@inlined
def packed_spike(since, neuron):
    """A spike as a number that sorts by step, then by neuron; 31 bits hold the steps."""
    return (since << 32) | np.int64(neuron)


def unpacked_spikes(spikes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Steps since the first, and neurons."""
    return spikes >> 32, spikes & 0xFFFFFFFF
