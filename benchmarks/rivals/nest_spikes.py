"""Spikes of the scaled cortical microcircuit in NEST, one .npz file a seed.

Run from the root of the project::

    python -m benchmarks.rivals.nest_spikes FOLDER --scale 0.1 --seed 1 2 3

Each file holds ``POPULATION_times`` (ms) and ``POPULATION_neurons``.
"""

import argparse
from pathlib import Path

import nest
import numpy as np

from benchmarks.rivals.nest_networks import NAMES, build


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--scale", type=float, default=0.1)
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--duration", type=float, default=5500.0, help="ms")
    parser.add_argument("--threads", type=int, default=2)
    a = parser.parse_args()
    for seed in a.seed:
        populations, recorders, _ = build(a.scale, seed, a.threads)
        nest.Simulate(a.duration)
        spikes = {}
        for name, population, recorder in zip(NAMES, populations, recorders, strict=True):
            events = recorder.get("events")
            spikes[f"{name}_times"] = events["times"]
            spikes[f"{name}_neurons"] = events["senders"] - population[0].global_id
        np.savez(a.folder / f"{seed}.npz", **spikes)


if __name__ == "__main__":
    main()
