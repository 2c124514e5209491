"""How long correlograms of all pairs and their tiling coefficients take, here and elsewhere.

200 Poisson trains of 10 Hz and 600 s, lags of +-50 ms in bins of 1 ms, off a grid and on one of
.1 ms; and 50 trains of 1,000 spikes for tiling. Each program gets the spikes in its own objects,
is called once before it is timed, and does what it does by itself: rivals that would take minutes
get some of the pairs, and their time is scaled. SpikeInterface counts samples of 10 kHz.

``python benchmarks/speed_correlograms.py PROGRAM CASE`` prints seconds, for all pairs, as JSON: it
runs wherever the program and NumPy are.
"""

import json
import sys
import time
from collections.abc import Callable

import numpy as np

CASES = ("correlograms", "correlograms, grid", "tiling")
SIZE, RATE, DURATION, STEP = 200, 0.01, 600_000.0, 0.1  # per ms, ms, ms
BIN, WINDOW = 1.0, 50.0  # ms
TILED, SPIKES, DT = 50, 1000, 5.0  # trains, spikes of each, ms

Spikes = tuple[np.ndarray, np.ndarray, int, float]  # times (ms), neurons, size, duration (ms)


def data(case: str, seed: int = 1) -> Spikes:
    """The spikes of a case, in order of time."""
    rng = np.random.default_rng(seed)
    if case == "tiling":
        times = np.sort(rng.uniform(0, 100_000.0, TILED * SPIKES))
        return times, rng.permutation(np.repeat(np.arange(TILED), SPIKES)), TILED, 100_000.0
    n = rng.poisson(SIZE * RATE * DURATION)
    times = np.sort(rng.uniform(0, DURATION, n))
    if case == "correlograms, grid":
        times = np.ceil(times / STEP) / (1 / STEP)
    return times, rng.integers(0, SIZE, n), SIZE, DURATION


def seconds(call: Callable[[], object], repeats: int) -> dict[str, list[float]]:
    """Times of a call after one that may compile: by the clock, and of the cores.

    On a shared machine the second is what programs on one thread can be compared by.
    """
    call()
    found: dict[str, list[float]] = {"seconds": [], "core_seconds": []}
    for _ in range(repeats):
        start, of_cores = time.perf_counter(), time.process_time()
        call()
        found["seconds"].append(time.perf_counter() - start)
        found["core_seconds"].append(time.process_time() - of_cores)
    return found


def spikesim(case: str, spikes: Spikes, repeats: int, threads: int | None = None) -> dict:
    """All pairs."""
    from spikesim import analysis
    from spikesim.data.spiketrains import SpikeTrains

    times, neurons, size, duration = spikes
    trains = SpikeTrains(times, neurons, size, 0, duration)
    if case == "tiling":
        return seconds(lambda: analysis.spike_time_tiling(trains, DT), repeats)

    def call() -> object:
        return analysis.correlograms(trains, BIN, WINDOW, threads=threads)

    return {**seconds(call, repeats), "threads": threads}


def spikesim_alone(case: str, spikes: Spikes, repeats: int) -> dict:
    """All pairs, on one thread."""
    return spikesim(case, spikes, repeats, threads=1)


def spikeinterface(case: str, spikes: Spikes, repeats: int) -> dict:
    """All pairs; its window is the total width, its bins begin at 0."""
    from spikeinterface.core import NumpySorting
    from spikeinterface.postprocessing import compute_correlograms

    times, neurons, size, _ = spikes
    samples = np.ceil(times / STEP - 1e-6).astype(np.int64)
    sorting = NumpySorting.from_samples_and_labels([samples], [neurons], 1000 / STEP)

    def call() -> object:
        frame = dict(window_ms=2 * WINDOW, bin_ms=BIN)
        return compute_correlograms(sorting, **frame, method="numba", fast_mode="off")

    return seconds(call, repeats)


def pynapple(case: str, spikes: Spikes, repeats: int, some: int = 40) -> dict:
    """The pairs of some neurons."""
    import pynapple as nap

    times, neurons, size, duration = spikes
    support = nap.IntervalSet(0, duration / 1000)
    group = nap.TsGroup(
        {i: nap.Ts(times[neurons == i] / 1000) for i in range(some)}, time_support=support
    )

    def call() -> object:
        return nap.compute_crosscorrelogram(group, BIN, WINDOW, norm=False, time_units="ms")

    return _scaled(seconds(call, repeats), some * (some - 1) // 2, size)


def elephant(case: str, spikes: Spikes, repeats: int, some: int = 20) -> dict:
    """Some pairs, one after the other; its histograms are of binned spikes, made beforehand."""
    import neo
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import (
        cross_correlation_histogram,
        spike_time_tiling_coefficient,
    )

    times, neurons, size, duration = spikes
    trains = [
        neo.SpikeTrain(times[neurons == i] / 1000 * pq.s, t_stop=duration / 1000 * pq.s)
        for i in range(some + 1)
    ]
    if case == "tiling":

        def call() -> object:
            return [
                spike_time_tiling_coefficient(trains[i], trains[i + 1], dt=DT / 1000 * pq.s)
                for i in range(some)
            ]
    else:
        binned = [BinnedSpikeTrain([train], bin_size=BIN * pq.ms) for train in trains]
        n = round(WINDOW / BIN)

        def call() -> object:
            return [
                cross_correlation_histogram(
                    binned[i], binned[i + 1], window=[-n, n], border_correction=False
                )
                for i in range(some)
            ]

    return _scaled(seconds(call, repeats), some, size)


def _scaled(found: dict[str, list[float]], pairs: int, size: int) -> dict:
    share = size * (size - 1) / 2 / pairs
    return {name: [x * share for x in times] for name, times in found.items()} | {"pairs": pairs}


PROGRAMS: dict[str, Callable[[str, Spikes, int], dict]] = {
    "spikesim": spikesim,
    "spikesim, one thread": spikesim_alone,
    "spikeinterface": spikeinterface,
    "pynapple": pynapple,
    "elephant": elephant,
}
RIVALS = {  # of each case: what is asked for, and what is hoped for
    "correlograms": {"spikeinterface": (2, 5), "pynapple": (40, 100), "elephant": (1000, 4000)},
    "correlograms, grid": {
        "spikeinterface": (2, 5),
        "pynapple": (40, 100),
        "elephant": (1000, 4000),
    },
    "tiling": {"elephant": (200, 500)},
}

if __name__ == "__main__":
    program, case, repeats = sys.argv[1], sys.argv[2], int(sys.argv[3]) if sys.argv[3:] else 5
    print(json.dumps(PROGRAMS[program](case, data(case), repeats)))
