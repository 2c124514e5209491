#!/usr/bin/env bash
# bmtk 1.2.0: SpikeTrains.to_nwb writes milliseconds where NWB has seconds, so every reader sees
# rates a thousand times too low.
#
# The guess: spike times in an NWB file are in seconds, as the format says ("Spike times for each
# unit in seconds"), so a writer of that format converts what it holds in ms.
# The truth: to_nwb writes the numbers as they are; its option `units` is accepted and not looked
# at. write_sonata_itr(..., units="s") does worse in SONATA: ms again, and the attribute "s".
#
# Whom it hurts: who hands simulated spikes to tools for recordings (pynapple, Neo, SpikeInterface),
# or archives them: 10 Hz become .01 Hz, and 5 s become 83 minutes.
#
# Source: write_nwb and write_sonata_itr in bmtk/utils/reports/spike_trains/spikes_file_writers.py;
# Units.spike_times in the NWB schema, https://nwb-schema.readthedocs.io; and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'bmtk==1.2.0' 'pynwb==4.2.0' 'h5py==3.16.0' 'numpy==2.4.6'
cd "$scratch"
cat > write.py <<'PYTHON'
import sys
from importlib.metadata import version

import h5py
import pynwb
from bmtk.utils.reports.spike_trains import SpikeTrains
from bmtk.utils.reports.spike_trains.spikes_file_writers import write_sonata_itr

spikes = SpikeTrains(population="v1")  # ms, its default
spikes.add_spikes(0, [100.0 * k for k in range(1, 51)])  # 10 Hz for 5 s
assert spikes.units() == "ms"
spikes.to_nwb("plain.nwb")
spikes.to_nwb("asked.nwb", units="s")
last = []
for path in ("plain.nwb", "asked.nwb"):
    with pynwb.NWBHDF5IO(path, "r") as io:
        times = io.read().units["spike_times"][0]
        last.append(float(times[-1]))
write_sonata_itr("spikes.h5", spikes, units="s")
with h5py.File("spikes.h5") as file:
    column = file["spikes/v1/timestamps"]
    sonata = float(column[-1]), column.attrs["units"]
print("bmtk", version("bmtk"), "pynwb", pynwb.__version__)
print("last spike of 5 s, read as the seconds that NWB has:", *last)
print("last spike in the SONATA file, and its unit:", *sonata)
sys.exit((last, sonata) != ([5000.0, 5000.0], (5000.0, "s")))
PYTHON
"$scratch/venv/bin/python" write.py
