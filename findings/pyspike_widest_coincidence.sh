#!/usr/bin/env bash
# pyspike 0.9.0: max_tau of spike_sync limits spikes at the ends of a train alone: two spikes that
# are 30 ms apart in the middle coincide with max_tau = 5, too.
#
# The guess: max_tau is, as its docstring has it, the "maximum coincidence window size".
# The truth: it stands in for intervals that are not there, before a first and behind a last spike;
# where a spike has neighbours on both sides, their intervals alone set the window.
# Beside it: two trains whose only spike lies at t_end are at a SPIKE- and ISI-distance of NaN.
#
# Whom it hurts: who limits coincidences to a few ms, since slow neurons then still look
# synchronous, and who averages distances of trains of few spikes on a grid of time.
#
# Source: pyspike/cython/cython_get_tau.pyx, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "pyspike==0.9.0"
"$scratch/venv/bin/python" - <<'PY'
import numpy as np
import pyspike

a = pyspike.SpikeTrain([100.0, 200.0, 300.0], [0, 400])
b = pyspike.SpikeTrain([110.0, 230.0, 301.0], [0, 400])
for max_tau in (None, 20, 5):
    times, values = pyspike.spike_sync_profile(a, b, max_tau=max_tau).get_plottable_data()
    print("max_tau", max_tau, dict(zip(times.tolist(), values.tolist())))
assert values[times == 230.0] == 1, "it is limited everywhere now"
last = pyspike.SpikeTrain([400.0], [0, 400])
with np.errstate(invalid="ignore"):
    nan = pyspike.spike_distance(last, last)
print("a single spike at t_end:", nan)
assert np.isnan(nan), "it is a number now"
PY
