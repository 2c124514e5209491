"""The readouts that are measured beside other packages; see `benchmarks.analysis`.

Poisson trains without a rhythm are what merging trains is slowest for. On a grid of .1 ms lags fall
on edges of bins. SpikeInterface counts samples of 10 kHz.

``python -m benchmarks.readouts CASE PACKAGE`` prints a JSON object; it runs where both can be
imported, which `python -m benchmarks analysis` sees to.
"""

import json
import sys
from collections.abc import Callable

import numpy as np

from benchmarks.beside import Call, Case, Rival, measure
from spikesim import analysis
from spikesim.data.spiketrains import SpikeTrains

STEP = 0.1  # ms, of the grid
BIN, WINDOW = 1.0, 50.0  # ms, of correlograms
DT, TAU, COST = 5.0, 20.0, 0.05  # ms, ms, 1 / ms


def poisson(size: int, spikes: int, duration: float, grid: bool = False) -> SpikeTrains:
    """Trains that share a number of spikes, anywhere in the window (ms)."""
    rng = np.random.default_rng(1)
    times = duration - np.sort(rng.uniform(0, duration, spikes))[::-1]
    if grid:
        times = np.ceil(times / STEP) / (1 / STEP)
    return SpikeTrains(times, rng.integers(0, size, spikes), size, 0, duration)


def pair_data(grid: bool) -> Callable[[], SpikeTrains]:
    """200 trains of 10 Hz and 600 s."""
    return lambda: poisson(200, 1_200_000, 600_000.0, grid)


def fifty() -> SpikeTrains:
    """50 trains of 1,000 spikes in 100 s."""
    return poisson(50, 50_000, 100_000.0)


def spikeinterface(trains: SpikeTrains) -> Call:
    """All pairs; its window is the total width."""
    from spikeinterface.core import NumpySorting
    from spikeinterface.postprocessing import compute_correlograms

    samples = np.ceil(trains.times / STEP - 1e-6).astype(np.int64)
    sorting = NumpySorting.from_samples_and_labels([samples], [trains.neurons], 1000 / STEP)
    frame = dict(window_ms=2 * WINDOW, bin_ms=BIN)
    return lambda: compute_correlograms(sorting, **frame, method="numba", fast_mode="off")


PYNAPPLES, ELEPHANTS = 40, 20  # neurons, and pairs, that these are given


def pynapple(trains: SpikeTrains) -> Call:
    """The pairs of some neurons."""
    import pynapple as nap

    support = nap.IntervalSet(0, trains.t_stop / 1000)
    some = {i: nap.Ts(trains[i] / 1000) for i in range(PYNAPPLES)}
    group = nap.TsGroup(some, time_support=support)
    return lambda: nap.compute_crosscorrelogram(group, BIN, WINDOW, norm=False, time_units="ms")


def elephant_trains(trains: SpikeTrains, n: int | None = None) -> list:
    """The first n trains, or all, as Elephant takes them."""
    import neo
    import quantities as pq

    n = trains.size if n is None else n
    return [neo.SpikeTrain(trains[i] * pq.ms, t_stop=trains.t_stop * pq.ms) for i in range(n)]


def elephant_histograms(trains: SpikeTrains) -> Call:
    """Some pairs, one after the other; they are binned beforehand."""
    import quantities as pq
    from elephant.conversion import BinnedSpikeTrain
    from elephant.spike_train_correlation import cross_correlation_histogram

    given = [
        BinnedSpikeTrain([train], bin_size=BIN * pq.ms)
        for train in elephant_trains(trains, ELEPHANTS + 1)
    ]
    n = round(WINDOW / BIN)
    frame = dict(window=[-n, n], border_correction=False)
    pairs = list(zip(given, given[1:], strict=False))
    return lambda: [cross_correlation_histogram(a, b, **frame) for a, b in pairs]


def elephant_tiling(trains: SpikeTrains) -> Call:
    """Some pairs."""
    import quantities as pq
    from elephant.spike_train_correlation import spike_time_tiling_coefficient

    given = elephant_trains(trains, ELEPHANTS + 1)
    pairs = list(zip(given, given[1:], strict=False))
    return lambda: [spike_time_tiling_coefficient(a, b, dt=DT * pq.ms) for a, b in pairs]


def elephant_van_rossum(trains: SpikeTrains) -> Call:
    import quantities as pq
    from elephant.spike_train_dissimilarity import van_rossum_distance

    given = elephant_trains(trains)
    return lambda: van_rossum_distance(given, TAU * pq.ms)


def elephant_victor_purpura(trains: SpikeTrains) -> Call:
    import quantities as pq
    from elephant.spike_train_dissimilarity import victor_purpura_distance

    given = elephant_trains(trains)
    return lambda: victor_purpura_distance(given, 1000 * COST * pq.Hz, algorithm="fast")


def pyspike(name: str) -> Callable[[SpikeTrains], Call]:
    """A function of pyspike, which must have its compiled backend."""

    def prepared(trains: SpikeTrains) -> Call:
        import pyspike
        import pyspike.cython.cython_distances  # noqa: F401  else it would run in Python

        given = [pyspike.SpikeTrain(times, [trains.t_start, trains.t_stop]) for times in trains]
        return lambda: getattr(pyspike, name)(given)

    return prepared


Spikes = tuple[np.ndarray, np.ndarray]


def field() -> Spikes:
    """Positions in a field and phases (rad) of 400 spikes, three quarters of a cycle across it."""
    rng = np.random.default_rng(1)
    x = rng.uniform(0, 1, 400)
    return x, (-1.5 * np.pi * x + rng.vonmises(0, 2.0, 400)) % (2 * np.pi)


def neurospatial(spikes: Spikes) -> Call:
    from neurospatial.encoding.phase_precession import phase_precession

    bounds = (-4 * np.pi, 4 * np.pi)
    return lambda: phase_precession(*spikes, slope_bounds=bounds, n_shuffles=1000, rng=1)


def precession(spikes: Spikes) -> Call:
    return lambda: analysis.circular_linear(*spikes, shuffles=1000, seed=1)


def of_trains(function: Callable, *arguments: float) -> Callable[[SpikeTrains], Call]:
    """Our call of a function of trains."""
    return lambda trains: lambda: function(trains, *arguments)


_PAIRS = 200 * 199 / 2
_CORRELOGRAMS = {
    "spikeinterface": Rival(spikeinterface, 2, 5),
    "pynapple": Rival(pynapple, 40, 100, share=PYNAPPLES * (PYNAPPLES - 1) / 2 / _PAIRS),
    "elephant": Rival(elephant_histograms, 1000, 4000, share=ELEPHANTS / _PAIRS),
}
_CORRELOGRAM = of_trains(analysis.correlograms, BIN, WINDOW)
CASES = {
    "correlograms": Case(
        "19,900 pairs of 200 trains, 10 Hz, 600 s, 1 ms bins, ±50 ms",
        pair_data(False),
        _CORRELOGRAM,
        _CORRELOGRAMS,
    ),
    "correlograms on a grid": Case(
        "the same with spikes on a .1 ms grid", pair_data(True), _CORRELOGRAM, _CORRELOGRAMS
    ),
    "tiling coefficients": Case(
        "1,225 pairs of 50 trains of 1,000 spikes",
        fifty,
        of_trains(analysis.spike_time_tiling, DT),
        {"elephant": Rival(elephant_tiling, 200, 500, share=ELEPHANTS / (50 * 49 / 2))},
    ),
    "van Rossum": Case(
        "the same, tau 20 ms",
        fifty,
        of_trains(analysis.van_rossum, TAU),
        {"elephant": Rival(elephant_van_rossum, 20, 50)},
    ),
    "Victor-Purpura": Case(
        "the same, cost 1 / 20 ms",
        fifty,
        of_trains(analysis.victor_purpura, COST),
        {"elephant": Rival(elephant_victor_purpura, 20, 50, repeats=1)},
    ),
    "ISI-distance": Case(
        "the same",
        fifty,
        of_trains(analysis.isi_distance),
        {"pyspike": Rival(pyspike("isi_distance_matrix"), 10, 20, repeats=9)},
    ),
    "SPIKE-distance": Case(
        "the same",
        fifty,
        of_trains(analysis.spike_distance),
        {"pyspike": Rival(pyspike("spike_distance_matrix"), 10, 20, repeats=9)},
    ),
    "SPIKE-synchronisation": Case(
        "the same",
        fifty,
        of_trains(analysis.spike_synchronisation),
        {"pyspike": Rival(pyspike("spike_sync_matrix"), 10, 20, repeats=9)},
    ),
    "precession": Case(
        "a field of 400 spikes, 1,000 shuffles",
        field,
        precession,
        {"neurospatial": Rival(neurospatial, 20, 40)},
    ),
}

if __name__ == "__main__":
    print(json.dumps(measure(CASES[sys.argv[1]], sys.argv[2])))
