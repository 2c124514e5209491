"""Where the worker threads of a run start, and where they wait for each other."""

import os

import numpy as np

from spikesim.kernels.cache import inlined
from spikesim.kernels.intrinsics import (
    atomic_add,
    atomic_load,
    pause,
    set_affinity,
    yield_thread,
)

# A waiting thread spins this often before it lets others have its core. On a quiet machine nothing
# from 100 to 100,000 made a difference.
SPINS = 1000


@inlined
def wait(sync, cell, everyone):
    """Return when ``sync[cell]`` has reached ``everyone``, having added this thread's arrival.

    The counter only grows: the k-th meeting of n threads is over when it reaches k n.
    """
    atomic_add(sync, cell, 1)
    spins = 0
    while atomic_load(sync, cell) < everyone:
        spins += 1
        if spins < SPINS:
            pause()
        else:
            yield_thread()


def core_masks(workers: int) -> np.ndarray:
    """A bit mask of one core for each worker, and one of all cores; empty where there are none."""
    if not hasattr(os, "sched_getaffinity") or set_affinity is None:
        return np.zeros((workers + 1, 0), np.uint8)
    usable = sorted(os.sched_getaffinity(0))
    masks = np.zeros((workers + 1, 8 * (usable[-1] // 64 + 1)), np.uint8)
    for worker in range(workers):
        core = usable[worker % len(usable)]
        masks[worker, core // 8] |= 1 << core % 8
    for core in usable:
        masks[workers, core // 8] |= 1 << core % 8
    return masks


if set_affinity is None:

    @inlined
    def take_a_core(masks, size, worker, workers):
        """Nothing to be done on this system."""

else:

    @inlined
    def take_a_core(masks, size, worker, workers):
        """Move the calling thread to a core of its own, and leave it free to move on.

        Linux may start two workers on one core and, as they yield to each other, take 0.1 s to
        part them: seven times as long for every step of a small network. It has to be done where
        the thread holds no lock of Python's, or it is woken next to the one that let go. ``masks``
        is the address of the first mask of `core_masks`, ``size`` the bytes of each.
        """
        set_affinity(np.int32(0), np.uint64(size), np.uint64(masks + worker * size))
        set_affinity(np.int32(0), np.uint64(size), np.uint64(masks + workers * size))
