"""Read spikes back: with h5py alone, and as SpikeTrains.

Run ``first_network.py`` before; then ``python read_spikes.py [FOLDER]``.
"""

import sys
from pathlib import Path

import h5py
import numpy as np

import spikesim as ss

path = Path(sys.argv[1] if len(sys.argv) > 1 else ".") / "first_network.h5"

# The file is in the SONATA layout: two columns for each population.
with h5py.File(path) as file:
    times = file["spikes/exc/timestamps"][:]  # ms
    neurons = file["spikes/exc/node_ids"][:]
    print("populations:", *file["spikes"])
    print("seed and dt:", file["spikesim"].attrs["seed"], file["spikesim"].attrs["dt"])
print(f"h5py: {times.size} spikes of exc, the first at {times[0]:.1f} ms")

# SpikeTrains read no more than what is asked for.
exc = ss.open_spikes(path)["exc"]
later = exc.restrict(500.0, 1000.0)
print(f"SpikeTrains: {len(exc)} spikes, {len(later)} of them after 500 ms, {later.rate:.1f} Hz")
print(f"mean CV of inter-spike intervals: {np.nanmean(exc.cv()):.2f}")
busiest = int(np.argmax(exc.count()))
print(f"the busiest neuron, {busiest}, spiked at", *exc[busiest][:5], "... ms")
counts = later.count(bin=5.0)  # [bin, neuron]
print(f"most spikes of the population in 5 ms: {counts.sum(axis=1).max()}")
