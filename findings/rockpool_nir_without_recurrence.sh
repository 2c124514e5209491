#!/usr/bin/env bash
# rockpool 3.1.0: to_nir leaves out the recurrent weights of a LIFTorch and its bias, without a word.
#
# The guess: a recurrent layer becomes the neurons and their weights, as rockpool's from_nir reads
# them, or is refused.
# The truth: the graph has the neurons alone, with v_leak 0; several synapses a neuron are refused.
#
# Whom it hurts: who trains recurrent networks, or biases, in rockpool and runs the graph elsewhere.
#
# Source: rockpool/nn/modules/torch/nir.py, _extract_rockpool_module, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "torch==2.13.0" "rockpool==3.1.0" "nir==1.0.8" nirtorch
"$scratch/venv/bin/python" - <<'PY'
import torch
from rockpool.nn.combinators import Sequential
from rockpool.nn.modules.torch import LIFTorch, LinearTorch
from rockpool.nn.modules.torch.nir import to_nir

layer = LIFTorch(4, has_rec=True, bias=torch.full((4,), 0.5), dt=1e-3)
graph = to_nir(Sequential(LinearTorch((3, 4)), layer))
print("parameters of the layer:", list(layer.parameters()))
print("nodes:", {name: type(node).__name__ for name, node in graph.nodes.items()})
kinds = [type(node).__name__ for node in graph.nodes.values()]
assert kinds.count("Linear") + kinds.count("Affine") == 1, "the recurrence is there now"
assert not graph.nodes["1_LIFTorch"].v_leak.any(), "the bias is there now"
PY
