"""Blocks of updates, timed in processes of their own that wait for each other.

A worker tells on one line what it is when it is ready, then takes a number of updates a line and
answers with the seconds that they took. Two libraries' threads in one process would disturb each
other; processes that start anew for every block would have to warm up, and compile, each time.
"""

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Any, NamedTuple

WARMUP = 3  # updates


class Worker(NamedTuple):
    """A process that makes updates, and what it told when it was ready."""

    process: subprocess.Popen
    errors: IO[str]
    told: dict[str, Any]


def serve(update: Callable[[], object], told: dict[str, Any]) -> None:
    """The worker's side: warm up, tell, and time blocks until the other side has enough."""
    for _ in range(WARMUP):
        update()
    answer(told | {"seconds": _seconds(update, 1)})
    for line in sys.stdin:
        answer(_seconds(update, int(line)))


def answer(value: object) -> None:
    print(json.dumps(value), flush=True)


def _seconds(update: Callable[[], object], updates: int) -> float:
    began = time.perf_counter()
    for _ in range(updates):
        update()
    return time.perf_counter() - began


@contextmanager
def worker(
    call: list[str], environment: dict[str, str] | None = None, folder: str | None = None
) -> Iterator[Worker]:
    """A process that is ready; it ends with the block of code.

    Raises
    ------
    RuntimeError
        If it ends before it is ready, with the last line of what it complained of.
    """
    with tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace") as errors:
        process = subprocess.Popen(
            call,
            cwd=folder,
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
        )
        try:
            yield Worker(process, errors, _read(process, errors))
        finally:
            process.kill()
            process.communicate()


def block(of: Worker, updates: int) -> float:
    """Seconds of an update, the mean of a block."""
    print(updates, file=of.process.stdin, flush=True)
    return _read(of.process, of.errors) / updates


def _read(process: subprocess.Popen, errors: IO[str]) -> Any:
    line = process.stdout.readline()
    if not line:
        process.wait()
        errors.seek(0)
        lines = errors.read().strip().splitlines() or ["no message"]
        raise RuntimeError(f"`{' '.join(process.args)}` failed: {lines[-1]}")
    return json.loads(line)
