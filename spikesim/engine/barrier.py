"""Where the worker threads of a run wait for each other."""

from spikesim.engine.cache import inlined
from spikesim.engine.intrinsics import atomic_add, atomic_load, pause, yield_thread

# A waiting thread spins this often before it gives its core away. Never yielding, or at once, was
# several times slower when another program holds a core; on a quiet machine it makes no difference.
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
