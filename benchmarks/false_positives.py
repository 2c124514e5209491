"""How often do the tests find something where there is nothing? ``python -m benchmarks nulls``.

Each case draws a data set without the effect and gives the p value of a test on it. Five in a
hundred may lie below .05. Data set k of a case is drawn from the seed, the case's name and k.
"""

from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from importlib import import_module
from pathlib import Path

import click
import numpy as np

from benchmarks import results
from spikesim.random import generator

LEVEL = 0.05
PIECE = 100  # data sets that a process draws at once


def cases() -> dict[str, Callable[[np.random.Generator], float]]:
    """The data sets and their tests, by name, of the files beside this one."""
    files = sorted(path.stem for path in Path(__file__).parent.glob("nulls_*.py"))
    return {
        name: test for file in files for name, test in import_module(f"benchmarks.{file}").CASES
    }


def _p_values(case: str, seed: int, first: int, last: int) -> list[float]:
    test = cases()[case]
    return [float(test(generator(seed, case, k))) for k in range(first, last)]


@click.command()
@click.argument("names", nargs=-1)
@click.option("--n", default=10_000, show_default=True, help="Data sets of each case.")
@click.option("--seed", default=1, show_default=True)
@click.option("--processes", default=2, show_default=True)
def main(names: tuple[str, ...], n: int, seed: int, processes: int) -> None:
    """False positives of every test, or of the cases whose names hold one of NAMES."""
    chosen = [case for case in cases() if not names or any(name in case for name in names)]
    with ProcessPoolExecutor(processes) as pool:
        for case in chosen:
            starts = range(0, n, PIECE)
            stops = [min(start + PIECE, n) for start in starts]
            pieces = pool.map(partial(_p_values, case, seed), starts, stops)
            p = np.concatenate(list(pieces))
            told = np.isfinite(p)
            share = float(np.mean(p[told] <= LEVEL)) if told.any() else np.nan
            error = float(np.sqrt(share * (1 - share) / max(told.sum(), 1)))
            row = dict(case=case, n=int(told.sum()), share=share, error=error, seed=seed)
            click.echo(f"{case}: {100 * share:.2f} % +- {100 * error:.2f} of {row['n']:,}")
            results.update("nulls", [row], ["case"], list(cases()))  # a case may take minutes
