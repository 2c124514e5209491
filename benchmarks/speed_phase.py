"""Phase precession of a field with 1,000 shuffles, ours and neurospatial's.

Both seek slopes within two cycles per field on each side, refit them for each shuffle, and permute
spikes. Cases are as in `benchmarks.readouts`; ``python -m benchmarks.speed_phase`` runs them where
both packages can be imported.
"""

import statistics
from typing import Any

import numpy as np

from benchmarks.beside import Call, Case, Rival, measure

SHUFFLES, RANGE = 1000, 2.0
Spikes = tuple[np.ndarray, np.ndarray]


def field(spikes: int) -> Any:
    """Positions in a field, and phases that fall by .75 of a cycle with kappa 2."""

    def data() -> Spikes:
        rng = np.random.default_rng(1)
        x = rng.random(spikes)
        return x, (-1.5 * np.pi * x + rng.vonmises(0.0, 2.0, spikes)) % (2 * np.pi)

    return data


def spikesim(spikes: Spikes) -> Call:
    from spikesim.analysis import circular_linear

    options = dict(slopes=(-RANGE, RANGE), shuffles=SHUFFLES, seed=1)
    return lambda: circular_linear(*spikes, **options)


def neurospatial(spikes: Spikes) -> Call:
    from neurospatial.encoding.phase_precession import phase_precession

    ends = 2 * np.pi * RANGE
    options = dict(slope_bounds=(-ends, ends), n_shuffles=SHUFFLES, rng=1)
    return lambda: phase_precession(*spikes, **options)


CASES = {
    f"phase precession, {n} spikes": Case(
        f"a field with {n} spikes, {SHUFFLES:,} shuffles, slopes within 2 cycles",
        field(n),
        spikesim,
        {"neurospatial": Rival(neurospatial, 20, 40, repeats=5)},
    )
    for n in (100, 500)
}


if __name__ == "__main__":
    for name, case in CASES.items():
        found = measure(case, "neurospatial")
        ratio = statistics.median(found["ratio"])
        ours, theirs = 1000 * found["ours_s"], 1000 * found["rival_s"]
        print(f"{name}: ours {ours:.4g} ms, neurospatial {theirs:.4g} ms: {ratio:.3g} times")
