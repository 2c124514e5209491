#!/usr/bin/env bash
# spyx 1.0.0: in the NIR graph of a recurrent layer the input goes through the recurrent weights.
#
# The guess: input -> neurons, neurons -> weights -> neurons, as in the layer's equations,
# v = beta v + x + w_rec z - z threshold.
# The truth: the edges are input -> weights, weights <-> neurons; spyx's own reader expects them so,
# and hides it. Beside it: r holds beta, which no equation of spyx has, and spikes are those of v
# before the step, so that each layer is a step later than the graph's equations.
#
# Whom it hurts: who runs such a graph in another program: inputs arrive mixed.
#
# Source: spyx/nir.py, _spyx_recurrent_to_nirgraph; spyx/nn.py, RLIF; and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "spyx==1.0.0" "nir==1.0.8"
"$scratch/venv/bin/python" - <<'PY'
import numpy as np
import spyx.nn as snn
from flax import nnx
from spyx.nir import to_nir

ends = {"input": np.array([4])}, {"output": np.array([4])}
graph = to_nir(snn.Sequential(snn.RLIF((4,), rngs=nnx.Rngs(0))), *ends, dt=1)
inner = graph.nodes["layer_0"]
print("edges:", inner.edges)
print("r:", inner.nodes["layer_0.lif"].r)
assert ("layer_0.input", "layer_0.w_rec") in inner.edges, "the input goes to the neurons now"
PY
