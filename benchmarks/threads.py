"""What a second thread gains, and what its exchanges cost, on a quiet machine and on a busy one.

Busy means: beside a program that never rests and so keeps a core. Networks run as a user runs them,
each in a process of its own; a run that is faster on one thread goes on with one. Meetings and
empty epochs are timed in this process, and always take both threads.
"""

import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import click
import numpy as np

import spikesim as ss
from benchmarks import results
from benchmarks.networks import measure
from spikesim.engine.clock import loop
from spikesim.engine.recorder import Recorder
from spikesim.kernels.barrier import core_masks, take_a_core, wait
from spikesim.kernels.cache import kernel

# Name, arguments of `spikesim run`, biological ms.
CASES = [
    ("cuba", [], 10_000),
    ("coba", [], 10_000),
    ("microcircuit, a tenth", ["--scale", "0.1"], 2000),
    ("microcircuit, a fiftieth", ["--scale", "0.02"], 5000),
    ("flybrain", [], 1000),
]
MACHINES = ("quiet", "busy")
MEETINGS = 200_000
EPOCHS = 50_000


@contextmanager
def beside(machine: str) -> Iterator[None]:
    """While a loop that never rests takes a core, if the machine is to be ``"busy"``."""
    hog = None
    if machine == "busy":
        hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        time.sleep(0.5)  # until it runs
    try:
        yield
    finally:
        if hog is not None:
            hog.kill()
            hog.wait()


def together(work: Callable, workers: int, *arguments: object) -> float:
    """Seconds until all workers are done with ``work(worker, workers, *arguments)``."""
    with ThreadPoolExecutor(workers) as pool:
        start = time.perf_counter()
        jobs = [pool.submit(work, worker, workers, *arguments) for worker in range(workers)]
        for job in jobs:
            job.result()
        return time.perf_counter() - start


@kernel
def _meet(worker, workers, times, sync, masks, size):
    take_a_core(masks, size, worker, workers)
    for meeting in range(times):
        wait(sync, loop.ARRIVED, (meeting + 1) * workers)


def barrier(repeats: int) -> float:
    """Median ns of a meeting of two threads with nothing else to do."""

    def once(times: int) -> float:
        masks = core_masks(2)
        sync = np.zeros(64, np.int64)
        return together(_meet, 2, times, sync, masks.ctypes.data, masks.shape[1])

    once(1)  # compiles
    return statistics.median(once(MEETINGS) for _ in range(repeats)) / MEETINGS * 1e9


def empty_epoch(workers: int, repeats: int) -> float:
    """Median ns of a step, which ends in an exchange, of 128 neurons that never spike."""
    net = ss.Network()
    neurons = net.population("neurons", 128, ss.LIF())
    net.connect(neurons, neurons, ss.OneToOne(), weight=1.0, delay=0.1, receptor="exc")
    state = ss.Simulation(net, threads=2).state
    kept = Recorder(state, [], False, None, {}, False).buffers(0, EPOCHS)
    masks = core_masks(workers)

    def work(worker: int, workers: int, steps: int, sync: np.ndarray) -> int:
        wiring, arrays = state.build.wiring, state.arrays
        own = loop.scratch(wiring, arrays.given, 0)
        where = masks.ctypes.data, masks.shape[1]
        return loop.run(worker, workers, 0, steps, wiring, arrays, kept, sync, *where, own)

    def once(steps: int) -> float:
        return together(work, workers, steps, np.zeros(64, np.int64))

    once(1)  # compiles
    return statistics.median(once(EPOCHS) for _ in range(repeats)) / EPOCHS * 1e9


def networks(repeats: int) -> Iterator[dict]:
    """Seconds of the stepping loop on one and on two threads, taken in turn."""
    for name, arguments, duration in CASES:
        seconds: dict[tuple[str, int], list[float]] = {}
        for machine in MACHINES:
            with beside(machine):
                for _ in range(repeats):
                    for threads in (1, 2):
                        told = measure(name, [*arguments, "--threads", str(threads)], duration)
                        seconds.setdefault((machine, threads), []).append(told["run_s"])
        medians = {key: statistics.median(runs) for key, runs in seconds.items()}
        for machine in MACHINES:
            one, two = medians[machine, 1], medians[machine, 2]
            row = {"case": name, "ms": duration, "machine": machine, "one_s": one, "two_s": two}
            yield {**row, "speedup": one / two}


def exchanges(repeats: int) -> Iterator[dict]:
    """What threads meet for, without any work."""
    for machine in MACHINES:
        with beside(machine):
            for name, ns in (
                ("a meeting of two threads", barrier(repeats)),
                ("an empty epoch on one thread", empty_epoch(1, repeats)),
                ("an empty epoch on two threads", empty_epoch(2, repeats)),
            ):
                yield {"case": name, "machine": machine, "ns": ns}


@click.command()
@click.option("--repeats", default=5, show_default=True, help="Runs that a median is taken of.")
def main(repeats: int) -> None:
    """Measure one thread against two, and what threads meet for."""
    rows = []
    for row in exchanges(repeats):
        rows.append(row)
        click.echo(f"{row['machine']}: {row['case']} takes {row['ns']:,.0f} ns")
    for row in networks(repeats):
        rows.append(row)
        seconds = f"1 thread {row['one_s']:.2f} s, 2 threads {row['two_s']:.2f} s"
        click.echo(
            f"{row['machine']}: {row['case']}, {seconds}: {row['speedup']:.2f} times as fast"
        )
    click.echo(results.write("threads", rows))
