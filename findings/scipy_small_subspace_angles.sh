#!/usr/bin/env bash
# SciPy 1.17.1: small angles between subspaces are lost where another angle is above 45 degrees:
# of 1e-9 and 1.2 radians, subspace_angles gives 0 and 1.2.
#
# The guess: small angles are right to rounding, since the function cites Knyazev & Argentati
# (2002), whose point is that they are taken from their sines and only large ones from cosines.
# The truth: which of both is taken is decided in the order of the cosines, the smallest angle
# first, but applied to angles in the other order. As soon as some are above 45 degrees and some
# below, small ones come from cosines: good to 1e-8 alone.
#
# Whom it hurts: who asks whether two subspaces share a direction, where another is not shared.
#
# Source: scipy/linalg/_decomp_svd.py, steps 4 and 5 of subspace_angles, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "scipy==1.17.1"
"$scratch/venv/bin/python" - <<'PY'
import numpy as np
import scipy.linalg

axes = np.eye(4)
for other in (0.1, 1.2):
    angles = np.array([1e-9, other])
    turned = axes[:, :2] * np.cos(angles) + axes[:, 2:] * np.sin(angles)
    found = scipy.linalg.subspace_angles(axes[:, :2], turned)[::-1]
    print("angles", angles, "found", found)
    assert (found[0] == 0) == (other > np.pi / 4), "it is otherwise now"
PY
