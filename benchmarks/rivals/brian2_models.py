"""The models of ``tests/brian2_models.py`` in Brian2: their spike times, as JSON.

Run from the root of the project::

    python -m benchmarks.rivals.brian2_models > tests/reference/brian2_models.json
"""

import json
import re

import brian2 as b2
import numpy as np

from tests.brian2_models import CASES, Case

b2.prefs.codegen.target = "numpy"
SEED = 1


def quantity(text: str) -> object:
    """A parameter such as "3 nS/mV" with Brian2's unit."""
    number, _, unit = text.partition(" ")
    unit = re.sub(r"cm2", "cm**2", unit or "1")
    return float(number) * eval(unit, vars(b2))


def run(case: Case) -> tuple[np.ndarray, np.ndarray]:
    """Spike times in ms, and the neurons' numbers."""
    b2.start_scope()
    b2.seed(SEED)
    dt = case.dt * b2.ms
    clock = b2.Clock(dt)
    values = {name: quantity(text) for name, text in case.parameters.items()}
    declared = re.findall(r"^\s*(\w+)\s*:", case.equations, re.M)
    timed = case.refractory and ">" not in case.refractory
    group = b2.NeuronGroup(
        case.size,
        case.equations,
        threshold=case.threshold,
        reset=case.reset,
        # Brian2 holds a neuron for one step less than spikesim.
        refractory=f"{case.refractory} + dt" if timed else case.refractory or False,
        method=case.method,
        namespace={name: value for name, value in values.items() if name not in declared},
        clock=clock,
    )
    for name in declared:
        setattr(group, name, values[name])
    for variable, text in case.initial.items():
        setattr(group, variable, text)
    monitor = b2.SpikeMonitor(group)
    network = b2.Network(group, monitor)
    for given in case.inputs:
        # A spike found in the step that ends at a time moves the state at that time.
        times = np.array(given.times) * b2.ms - dt
        source = b2.SpikeGeneratorGroup(1, np.zeros(len(times), int), times, clock=clock)
        weight = f"{given.weight}" if given.unit == "1" else f"{given.weight}*{given.unit}"
        synapse = b2.Synapses(source, group, on_pre=f"{given.variable} += {weight}", clock=clock)
        synapse.connect()
        network.add(source, synapse)
    network.run(case.duration * b2.ms)
    return np.asarray(monitor.t / b2.ms), np.asarray(monitor.i)


def summary(case: Case) -> dict:
    """Spike times of one neuron, or rate (Hz) and irregularity of many."""
    times, neurons = run(case)
    if case.size == 1:
        return {"times": np.round(times, 6).tolist()}
    intervals = [np.diff(times[neurons == k]) for k in range(case.size)]
    cvs = [x.std() / x.mean() for x in intervals if x.size >= 2]
    counts = np.bincount(neurons, minlength=case.size)
    rates = counts / case.duration * 1000
    return {
        "rate": rates.mean(),
        "rate_error": rates.std() / np.sqrt(case.size),
        "cv": np.mean(cvs),
        "cv_error": np.std(cvs) / np.sqrt(len(cvs)),
    }


if __name__ == "__main__":
    found = {case.name: summary(case) for case in CASES}
    print(json.dumps({"brian2": b2.__version__, "seed": SEED, "models": found}, indent=1))
