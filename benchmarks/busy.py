"""Beside a program that keeps one core busy: does a second thread still help, or at least not hurt?

A twentieth of the microcircuit on one and on two threads, on a quiet machine and beside a loop that
never rests. NEST's two threads take 1.7 times as long as its one in the second case.
"""

import statistics
import subprocess
import sys

import click

from benchmarks import results
from benchmarks.networks import measure

REPEATS = 5


@click.command()
def main() -> None:
    """Measure the four combinations, alternating; medians of the stepping loop's seconds."""
    times: dict[tuple[str, int], list[float]] = {}
    for machine in ("quiet", "busy"):
        hog = None
        if machine == "busy":
            hog = subprocess.Popen([sys.executable, "-c", "while True: pass"])
        try:
            for _ in range(REPEATS):
                for threads in (1, 2):
                    arguments = ["--scale", "0.05", "--threads", str(threads)]
                    told = measure("microcircuit", arguments, 2000)
                    times.setdefault((machine, threads), []).append(told["run_s"])
        finally:
            if hog is not None:
                hog.kill()
    rows = []
    for machine in ("quiet", "busy"):
        one, two = (statistics.median(times[machine, threads]) for threads in (1, 2))
        rows.append({"machine": machine, "one_s": one, "two_s": two, "ratio": two / one})
        click.echo(f"{machine}: 1 thread {one:.2f} s, 2 threads {two:.2f} s, {two / one:.2f} times")
    click.echo(results.write("busy", rows))
