"""How long do the distances of all pairs of trains take, here and in Elephant and pyspike?

Poisson trains without a rhythm are what merging two trains is slowest for. Each function is called
once before the clock starts, which compiles ours; then ours and the rival's take turns, so that
other work on the machine is shared by both.
"""

import statistics
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

import numpy as np

import spikesim.analysis as analysis
from spikesim import SpikeTrains

TRAINS, SPIKES, DURATION = 50, 1000, 100_000.0  # ms
TAU, COST = 20.0, 0.05  # ms, 1 / ms


def trains(seed: int = 1) -> SpikeTrains:
    """Trains with the same number of spikes each, anywhere."""
    times = DURATION - np.random.default_rng(seed).uniform(0, DURATION, TRAINS * SPIKES)
    return SpikeTrains(times, np.repeat(np.arange(TRAINS), SPIKES), TRAINS, 0, DURATION)


def elephant_trains(spikes: SpikeTrains) -> list:
    import neo
    import quantities as pq

    return [neo.SpikeTrain(times * pq.ms, t_stop=spikes.t_stop * pq.ms) for times in spikes]


def elephants_van_rossum(spikes: SpikeTrains) -> Callable[[], np.ndarray]:
    import quantities as pq
    from elephant.spike_train_dissimilarity import van_rossum_distance

    given = elephant_trains(spikes)
    return lambda: van_rossum_distance(given, TAU * pq.ms)


def elephants_victor_purpura(spikes: SpikeTrains) -> Callable[[], np.ndarray]:
    import quantities as pq
    from elephant.spike_train_dissimilarity import victor_purpura_distance

    given = elephant_trains(spikes)
    return lambda: victor_purpura_distance(given, 1000 * COST * pq.Hz, algorithm="fast")


def pyspikes(name: str) -> Callable[[SpikeTrains], Callable[[], np.ndarray]]:
    """A function of pyspike, which must have its compiled backend."""

    def prepared(spikes: SpikeTrains) -> Callable[[], np.ndarray]:
        import pyspike
        import pyspike.cython.cython_distances  # noqa: F401  else it would run in Python

        given = [pyspike.SpikeTrain(times, [spikes.t_start, spikes.t_stop]) for times in spikes]
        return lambda: getattr(pyspike, name)(given)

    return prepared


CASES = {  # ours; the rival's package, what prepares its call, and how often it is called
    "van Rossum": (lambda t: analysis.van_rossum(t, TAU), "elephant", elephants_van_rossum, 7),
    "Victor-Purpura": (
        lambda t: analysis.victor_purpura(t, COST),
        "elephant",
        elephants_victor_purpura,
        1,
    ),
    "ISI-distance": (analysis.isi_distance, "pyspike", pyspikes("isi_distance_matrix"), 11),
    "SPIKE-distance": (analysis.spike_distance, "pyspike", pyspikes("spike_distance_matrix"), 11),
    "SPIKE-synchronisation": (
        analysis.spike_synchronisation,
        "pyspike",
        pyspikes("spike_sync_matrix"),
        11,
    ),
}


def rows(rivals: tuple[str, ...] = ("elephant", "pyspike")) -> Iterator[dict]:
    """A row for each distance whose rival is there: medians in s, their ratio, the difference."""
    spikes = trains()
    pairs = ~np.eye(TRAINS, dtype=bool)
    for case, (function, package, prepare, repeats) in CASES.items():
        if package not in rivals or find_spec(package) is None:
            continue
        theirs = prepare(spikes)
        expected, found = theirs(), function(spikes)
        seconds = {"ours": [], "theirs": []}
        for _ in range(repeats):
            seconds["theirs"].append(_seconds(theirs))
            seconds["ours"] += [_seconds(lambda f=function: f(spikes)) for _ in range(5)]
        ours, rival = (statistics.median(seconds[who]) for who in ("ours", "theirs"))
        yield {
            "case": case,
            "rival": package,
            "trains": TRAINS,
            "spikes": SPIKES,
            "ours_s": ours,
            "rival_s": rival,
            "ratio": rival / ours,
            "repeats": repeats,
            "difference": float(np.abs(found - expected)[pairs].max()),
        }


def _seconds(call: Callable[[], object]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


if __name__ == "__main__":
    for row in rows():
        print({key: f"{v:.4g}" if isinstance(v, float) else v for key, v in row.items()})
