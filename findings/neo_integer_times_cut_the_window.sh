#!/usr/bin/env bash
# neo 0.14.6: a SpikeTrain made of an array of whole numbers cuts its t_start and t_stop down to
# whole numbers, too.
#
# The guess: t_start and t_stop are what they are given as, whatever the type of the spike times.
# The truth: they are made quantities of the type of the times: with int64 times, a window from .5
# to 2.75 s is one from 0 to 2 s, silently; with a list of the same numbers it is as given. So the
# rate depends on whether spike times came as an array or as a list.
#
# Whom it hurts: who has times in whole ms, samples or steps, as sorters and simulators give them,
# in a window that does not begin and end on whole ones. With times in s the error is the largest:
# here the rate is 12 % too high, and the train begins half a second early.
#
# Source: SpikeTrain.__new__ in neo/core/spiketrain.py (`dtype=obj.dtype` for t_start and t_stop),
# and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'neo==0.14.6' 'quantities==0.16.4' 'numpy==2.4.6'
cd "$scratch"
cat > window.py <<'PYTHON'
import sys
import warnings

import neo
import numpy as np

warnings.simplefilter("error")  # it gives none
found = []
for times in ([1, 2], np.array([1.0, 2.0]), np.array([1, 2])):
    train = neo.SpikeTrain(times, units="s", t_start=0.5, t_stop=2.75)
    rate = len(train) / float(train.duration.rescale("s"))
    found.append((float(train.t_start), float(train.t_stop), round(rate, 3)))
    print(type(times).__name__, getattr(times, "dtype", ""), "window and rate (Hz):", *found[-1])
print("neo", neo.__version__)
sys.exit(found != [(0.5, 2.75, 0.889), (0.5, 2.75, 0.889), (0.0, 2.0, 1.0)])
PYTHON
"$scratch/venv/bin/python" window.py
