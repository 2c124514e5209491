#!/usr/bin/env bash
# Elephant 1.2.1: the spike time tiling coefficient's dt grows with the time of the spikes.
#
# Guess: spikes count as near if they lie within +-dt, wherever in the recording they are, so a
# recording that begins later has the same coefficient.
# Truth: nearness is numpy.isclose(a, b, atol=dt), whose default rtol adds 1e-5 of b: with dt 5 ms a
# spike ten minutes into the recording has 11 ms, one at the time of day 869 ms. The share of time
# that is tiled is reckoned with dt itself, so independent trains come out correlated.
# Hurts: whoever compares recordings of different length, keeps time since midnight, or joins files.
# Source: https://github.com/NeuralEnsemble/elephant/pull/706 (open at the time of writing).
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'elephant==1.2.1' 'numpy==2.4.6'
"$scratch/venv/bin/python" -W ignore - <<'PYTHON'
import sys

import elephant
import neo
import numpy as np
import quantities as pq
from elephant.spike_train_correlation import spike_time_tiling_coefficient

rng = np.random.default_rng(1)
a, b = np.sort(rng.uniform(0, 60, (2, 600)))  # s, independent
found = []
for start in (0.0, 600.0, 36_000.0):
    frame = dict(t_start=start * pq.s, t_stop=(start + 60) * pq.s)
    trains = [neo.SpikeTrain((times + start) * pq.s, **frame) for times in (a, b)]
    found.append(spike_time_tiling_coefficient(*trains, dt=5 * pq.ms))
print("Elephant", elephant.__version__, "NumPy", np.__version__)
print("the same two trains after 0 s, 10 min, 10 h:", *(f"{x:.3f}" for x in found))
sys.exit(not (abs(found[0]) < 0.1 and found[1] > found[0] + 0.05 and found[2] > 0.9))
PYTHON
