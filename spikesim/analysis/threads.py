"""Work that is shared among threads: compiled code that holds no lock."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from spikesim.checks import check_whole
from spikesim.cores import cores


def workers(threads: int | None) -> int:
    """A number of threads, as many as this process has cores if none is given."""
    if threads is None:
        return cores()
    check_whole("threads", threads)
    return int(threads)


def in_threads(work: Callable[[int], None], parts: int, threads: int) -> None:
    """Do ``work(0)``, ..., ``work(parts - 1)``, several at a time; the first error is raised."""
    threads = min(threads, parts)
    if threads <= 1:
        for part in range(parts):
            work(part)
        return
    with ThreadPoolExecutor(threads) as pool:
        for _ in pool.map(work, range(parts)):
            pass
