#!/usr/bin/env bash
# norse 1.1.0: a network that is written as NIR and read again by norse itself has time constants
# that are dt times what they were: 8 spikes become 494 here.
#
# The guess: to_nir and from_nir, both with the default dt, undo each other.
# The truth: to_nir stores tau = dt / tau_mem_inv, from_nir takes tau_mem_inv = 1 / tau; a time
# constant of 10 ms is stored as 1e-5 s. With dt = 1 in to_nir alone they agree.
# Beside it: v_reset and, of an LIFCell, that a spike adds to the current without dt / tau_syn, are
# not stored; the default cells, with numbers instead of arrays, make a graph that nir cannot write.
#
# Whom it hurts: who trains in norse and runs the graph elsewhere, or in norse.
#
# Source: norse/torch/utils/export_nir.py, import_nir.py, and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet "torch==2.13.0" "norse==1.1.0" "nir==1.0.8" nirtorch
"$scratch/venv/bin/python" - <<'PY'
import norse.torch as norse
import torch
from norse.torch.functional.lif_box import LIFBoxParameters
from norse.torch.module.lif_box import LIFBoxCell
from norse.torch.utils.export_nir import to_nir
from norse.torch.utils.import_nir import from_nir

torch.manual_seed(0)
values = {"tau_mem_inv": 100.0, "v_leak": 0.0, "v_th": 0.2, "v_reset": 0.0}
cell = LIFBoxCell(LIFBoxParameters(**{k: torch.full((4,), x) for k, x in values.items()}))
net = norse.SequentialState(torch.nn.Linear(3, 4), cell)
graph = to_nir(net, torch.zeros(1, 3))
x = 2 * torch.randn(200, 1, 3)


def spikes(network):
    state, count = None, 0
    for now in x:
        z, state = network(now, state)
        count += int(z.sum())
    return count


print("tau", 1 / cell.p.tau_mem_inv[0].item(), "s, stored as", graph.nodes["1"].tau[0].item())
before, after = spikes(net), spikes(from_nir(graph))
print("spikes", before, "and after writing and reading", after)
assert before != after, "they are the same now"
PY
