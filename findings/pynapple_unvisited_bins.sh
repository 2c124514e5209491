#!/usr/bin/env bash
# pynapple 0.11.4: decode_bayes decodes places where the animal never was.
#
# The guess: a bin that was never visited has no tuning curve, so it cannot be decoded.
# The truth: its rates are NaN and are left out of the sum over neurons (nansum): its likelihood is
# 1, that of no neurons at all. With the default, uniform_prior=True, it wins whenever the others
# are less likely than that, as they are by far without spikes. With the occupancy as prior it
# does not.
#
# Whom it hurts: who decodes position in a maze whose box of bins holds corners out of reach.
#
# Source: pynapple/process/decoding.py, decode_bayes, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "pynapple==0.11.4"
"$scratch/venv/bin/python" -W ignore - <<'PY'
import numpy as np
import pynapple as nap

times = np.arange(0.005, 10.0, 0.01)
place = np.where(times < 5, 0.1, 0.9)  # never between
whole = nap.IntervalSet(0, 10)
spikes = nap.TsGroup({0: nap.Ts(np.arange(0.002, 10, 0.02))}, time_support=whole)
curves = nap.compute_tuning_curves(
    spikes, nap.Tsd(times, place, time_support=whole), bins=3, range=[(0.0, 1.0)]
)
print("rates:", curves.values[0])
counts = spikes.count(0.01, whole).values[:, 0]
for uniform in (True, False):
    decoded, _ = nap.decode_bayes(curves, spikes, whole, 0.01, uniform_prior=uniform)
    share = np.mean(np.abs(decoded.values[counts == 0] - 0.5) < 1e-9)
    print(f"uniform_prior={uniform}: {share:.0%} of bins without spikes are decoded as 0.5")
    assert share == uniform, "it is otherwise now"
PY
