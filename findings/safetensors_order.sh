#!/usr/bin/env bash
# safetensors 0.8.0: a file forgets the order of what is saved; layers come back as 0, 1, 10, 11, 2.
#
# The guess: a dict that is saved comes back as it was, as it does from PyTorch's own files and from
# numpy.savez; the header of a file is written one entry after the other.
# The truth: save_file sorts by the size of the type, then by name as text, and keys() and load_file
# sort by name. Nothing in the file tells what the order was.
#
# Whom it hurts: who makes layers of a file by going through it, as converters of networks do. Where
# layers are of equal width every order fits, and the network that comes out is another one.
#
# Source: prepare in safetensors/src/tensor.rs, which sorts; what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'safetensors==0.8.0' 'numpy==2.4.6'
cd "$scratch"
cat > order.py <<'PYTHON'
import sys
from importlib.metadata import version

import numpy as np
from safetensors.numpy import load_file, save_file


def forward(layers, x):
    for w in layers.values():
        x = np.tanh(w @ x)
    return x


rng = np.random.default_rng(1)
layers = {f"{k}.weight": rng.standard_normal((4, 4)).astype("f4") for k in range(12)}
save_file(layers, "layers.safetensors")
np.savez("layers.npz", **layers)
found, kept = load_file("layers.safetensors"), dict(np.load("layers.npz"))
x = np.ones(4, "f4")
print("safetensors", version("safetensors"))
print("saved:      ", *layers)
print("come back:  ", *found)
print("outputs:    ", forward(layers, x), "saved;", forward(found, x), "of the file")
same = np.array_equal(forward(layers, x), forward(found, x))
sys.exit(list(kept) != list(layers) or list(found) != sorted(layers) or same)
PYTHON
"$scratch/venv/bin/python" order.py
