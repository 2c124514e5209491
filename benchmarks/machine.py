"""What this machine can do: its caches, and the speed of the two simplest loops over memory."""

import re
import statistics
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path

import numba
import numpy as np

from spikesim.kernels.cache import kernel

SHORTEST = 0.02  # seconds of one timing
SYSFS = Path("/sys/devices/system/cpu/cpu0/cache")
USUAL = {"L1": 32 << 10, "L2": 1 << 20, "L3": 32 << 20}  # where the system does not tell


@cache
def caches() -> dict[str, int]:
    """Bytes of the caches that hold data, by name, the smallest first."""
    found = {}
    for index in sorted(SYSFS.glob("index*")):
        if (index / "type").read_text().strip() in ("Data", "Unified"):
            kib = int((index / "size").read_text().strip().removesuffix("K"))
            found[f"L{(index / 'level').read_text().strip()}"] = kib << 10
    return found or USUAL


def held_in(footprint: float) -> str:
    """The smallest cache that so many bytes fit into, or ``"memory"``."""
    return next((name for name, size in caches().items() if footprint <= size), "memory")


def footprints() -> dict[str, int]:
    """Bytes to measure at: half of each cache, and twice the last."""
    return {**{name: size // 2 for name, size in caches().items()}, "memory": 2 * largest()}


def largest() -> int:
    return max(caches().values())


def nanoseconds(sweep: Callable, arguments: tuple, items: int, repeats: int) -> float:
    """Median ns for each item that a sweep passes; ``sweep(*arguments, n)`` makes n sweeps."""
    sweep(*arguments, 1)  # compiles
    times = 1
    while (seconds := _seconds(sweep, arguments, times)) < SHORTEST:
        times = max(2 * times, int(times * SHORTEST / max(seconds, 1e-6)))
    runs = [_seconds(sweep, arguments, times) for _ in range(repeats)]
    return statistics.median(runs) / times / items * 1e9


def _seconds(sweep: Callable, arguments: tuple, times: int) -> float:
    start = time.perf_counter()
    sweep(*arguments, times)
    return time.perf_counter() - start


def triad(footprint: float, real: type, repeats: int) -> float:
    """Ns a byte of ``a += s b`` over two arrays of so many bytes in all: two read, one written.

    STREAM's own triad writes to a third array, whose lines are read without being counted.
    """
    item = np.dtype(real).itemsize
    size = max(64, int(footprint) // (2 * item))
    a, b = np.ones(size, real), np.ones(size, real)
    return nanoseconds(_triad, (a, b, real(1e-9)), size, repeats) / (3 * item)


@kernel
def _triad(a, b, s, times):
    for _ in range(times):
        for i in range(a.size):
            a[i] += s * b[i]


def scatter(words: int, cells: int, integer: type, repeats: int) -> float:
    """Ns an item of ``ring[word] += 1`` for so many random words, read in order."""
    index = np.random.default_rng(0).integers(0, cells, words, np.uint32)
    ring = np.zeros(cells, integer)
    return nanoseconds(_scatter, (ring, index, integer(1)), words, repeats)


@kernel
def _scatter(ring, words, one, times):
    for _ in range(times):
        for word in words:
            ring[np.uint64(word)] += one


def assembly(function: Callable, signature: object = None) -> str:
    """Machine code of a compiled function, compiled anew: from the cache there is no text."""
    if signature is None:
        fresh = numba.cfunc(function._sig, nopython=True, error_model="numpy")(function._pyfunc)
        return fresh._library.get_asm_str()
    fresh = numba.njit(error_model="numpy")(function.py_func)
    fresh.compile(signature)
    return fresh.inspect_asm(signature)


VECTORS = {  # arithmetic in vectors of 256 and 512 bits, by the kind of the numbers
    "single": r"\bv(?:mul|add|sub|div|fn?m\w+)ps\s.*[yz]mm",
    "double": r"\bv(?:mul|add|sub|div|fn?m\w+)pd\s.*[yz]mm",
    "integer": r"\bvp(?:mul|add|sub|s[lr]l|xor)\w*\s.*[yz]mm",
}


def vectors(text: str, kind: str) -> int:
    """How many instructions on vectors of a kind of numbers there are in machine code."""
    return len(re.findall(VECTORS[kind], text))
