"""What trained rate models do: three figures.

Run it with ``python rate_models.py [FOLDER]``; it takes some seconds. ``force.png``: a chaotic
network before, while and after FORCE teaches it a sum of sines. ``flipflop.png``: the paths on
which a network goes to its eight memories of three bits. ``time_constants.png``: those that the
gates of a GRU give its units in a delay, before training and after it, on that delay and on one
twice as long.
"""

import sys
from pathlib import Path

import numpy as np

from spikesim import plots, rate


def force() -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Outputs and targets (1 kHz) of a second each before, in and after learning."""
    t = np.arange(14_000) / 1000  # s
    target = sum(a * np.sin(4 * np.pi * k * t) for k, a in ((1, 1), (2, 1 / 2), (4, 1 / 3)))
    network = rate.Force(400, seed=1)
    network.w_out[:] = np.random.default_rng(1).standard_normal(400) / 20  # chaos to be seen
    parts = {"before": network.run(1000), "in learning": network.learn(target[:1000])}
    network.learn(target[1000:12_000])
    network.run(1000)
    parts["1 s after learning"] = network.run(1000)
    targets = target[:1000], target[:1000], target[-1000:]
    return {k: (z[:, 0], y) for (k, z), y in zip(parts.items(), targets, strict=True)}


def train(task: rate.Task, updates: int = 5000) -> rate.RateNetwork:
    network = rate.RateNetwork([rate.GRU(64)], task.inputs, task.outputs, task.dt, seed=1)
    rate.train(network, task, updates=updates, until=0.99, validate_every=25, seed=1)
    return network


def memories() -> tuple[np.ndarray, np.ndarray]:
    """Rates of trials whose inputs have one pulse each, and which three bits these set."""
    task = rate.flipflop()
    network = train(task)
    trials = task.generate(np.random.default_rng(0), 64, interval=1e9, duration=1000.0)
    network.run(trials.inputs)
    bits = trials.targets[-1] > 0
    return network.rates[0], bits @ [4, 2, 1]


def delays() -> dict[str, np.ndarray]:
    """Time constants (ms) in the delay."""
    found = {}
    for name, delay, updates in (
        ("untrained", 500.0, 0),
        ("trained on 500 ms", 500.0, 5000),
        ("trained on 1000 ms", 1000.0, 5000),
    ):
        task = rate.go_nogo(delay=delay)
        trials = task.generate(np.random.default_rng(0), 64)
        tau = train(task, updates).effective_tau(trials.inputs)
        found[name] = tau[trials.periods["delay"]]
        print(f"{name}: median time constant {np.median(found[name]):.0f} ms")
    return found


if __name__ == "__main__":
    folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")
    for name, figure in {
        "force": plots.patterns(force(), dt=1.0),
        "flipflop": plots.trajectories(*memories(), "memory"),
        "time_constants": plots.time_constants(delays()),
    }.items():
        plots.save(figure, folder / f"{name}.png", overwrite=True)
