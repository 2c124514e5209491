"""Train a network of excitatory and inhibitory units to decide which way random dots move.

Run it with ``python train_a_decision.py [FOLDER]``. It takes seconds, prints how often the network
is right at each coherence, keeps it in ``decision.h5`` and draws its training, some trials and its
psychometric curve in ``decision.png``.
"""

import sys
from pathlib import Path

import numpy as np

from spikesim import plots, rate

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

task = rate.perceptual_decision(coherences=(1, 2, 4, 8, 16))  # %; two inputs, two outputs
cell = rate.DaleRNN(100, noise=0.15)  # 80 excitatory units, 20 inhibitory
network = rate.RateNetwork(
    [cell], task.inputs, task.outputs, task.dt, seed=1, readout_from="excitatory"
)
history = rate.train(network, task, until=0.9, validate_every=25, seed=1)
rate.save(network, folder / "decision.h5", history, overwrite=True)

outputs, trials = rate.respond(network, task, 2048)  # fresh trials, noise included
print(f"{task.performance(outputs, trials):.1%} right after {history.trials:,} trials")
strength = np.abs(trials.conditions["coherence"])
right = outputs[-1].argmax(axis=-1) == trials.conditions["choice"]
for coherence in np.unique(strength):
    print(f"coherence {coherence:.0f} %: {right[strength == coherence].mean():.1%} right")

figure = plots.training_overview(task, history, outputs, trials, until=0.9)
plots.save(figure, folder / "decision.png", overwrite=True)
