"""Networks trained as Kim, Li and Sejnowski (2019) train theirs, as far as that can be.

Matched to the paper and its code: units in x-form with a sigmoid (or another activation), a fifth
of them inhibitory and a fifth of the connections there, both at random; recurrent weights at the
start |N(0, 1)| times 1.5 / sqrt(units / 5), input weights N(0, 1) that are not trained, no biases
of units, readout weights N(0, 1) / 100; time constants of each unit trained within 20 to 50 ms;
noise of 0.1 in each step (here of a unit of 35 ms); the loss the root of the summed squares; Adam
at 0.01 on one trial at a time, until the loss is below 7 and performance at least 95 % after 1,500
trials, at most 6,000.

Not matched: time constants are clipped, not squashed into their range, and the state at the start
is 0.
"""

import numpy as np

from spikesim import rate
from spikesim.random import stream

LEAST, MOST, EVERY = 1500, 6000, 100  # trials
LOSS, RIGHT = 7.0, 0.95


def network(task: rate.Task, units: int, seed: int, activation: str = "sigmoid"):
    """Before training."""
    rng = stream(seed, "network of Kim et al.")
    mask = (rng.random((units, units)) < 0.2).astype(float)
    deaf = np.flatnonzero(~mask.any(axis=1))
    mask[deaf, (deaf + 1) % units] = 1
    cell = rate.DaleRNN(
        units,
        tau=np.clip(20 + 30 / (1 + np.exp(-rng.standard_normal(units))), 20, 50),
        form="x",
        activation=activation,
        noise=0.1 / np.sqrt(2 * task.dt / 35.0),
        train_tau=True,
        tau_range=(20.0, 50.0),
        mask=mask,
        excitatory=rng.random(units) >= 0.2,
    )
    net = rate.RateNetwork([cell], task.inputs, task.outputs, task.dt, seed=seed)
    p = net.parameters
    p["0.w_rec"][...] = mask * np.abs(rng.standard_normal(mask.shape)) * 1.5 / np.sqrt(units / 5)
    p["0.w_in"][...] = rng.standard_normal(p["0.w_in"].shape)
    p["0.x0"][...] = 0
    p["out.w"][...] = rng.standard_normal(p["out.w"].shape) / 100
    net.frozen |= {"0.w_in", "0.b", "0.x0"}
    return net


def train(task: rate.Task, units: int, seed: int, activation: str = "sigmoid"):
    """A trained network, the trials it took, and whether it met the criterion."""
    net, optimizer = network(task, units, seed, activation), rate.Adam(0.01)
    memory = optimizer.start(net.parameters)
    for k in range(1, MOST + 1):
        rng = stream(seed, "training of Kim et al.", k)
        trials = task.generate(rng, 1)
        outputs = net.forward(trials.inputs, rng)
        d = outputs - trials.targets
        gradients = net.backward(d / np.sqrt(np.sum(d**2) + 1e-12))
        optimizer.update(memory, net.parameters, gradients, net.frozen)
        net.constrain()
        if k % EVERY == 0 and k >= LEAST:
            outputs, trials = rate.respond(net, task, 100, seed=k, batch=100)
            loss = np.mean(np.sqrt(np.sum((outputs - trials.targets) ** 2, axis=(0, 2))))
            if loss < LOSS and task.performance(outputs, trials) >= RIGHT:
                return net, k, True
    return net, MOST, False
