"""Seconds of a network in Brian2's C++ standalone mode, as one JSON object.

Run from the root of the project::

    python -m benchmarks.rivals.brian2_speed cuba --threads 2

The run is the program's own measure of its loop: neither its start nor the making of its objects
count, which are part of the building. Spikes are counted, not kept, as `spikesim run` does.
"""

import argparse
import json
import os
import platform
import shutil
import tempfile
import time

import brian2 as b2
import numpy as np

from benchmarks.rivals.brian2_networks import NETWORKS

FLAGS = ["-w", "-O3", "-march=native", "-ffast-math", "-std=c++11"]
IZHIKEVICH = """
v : 1
u : 1
a : 1
b : 1
c : 1
d : 1
sigma : 1
arrived : 1
"""
# The paper's scheme: two half steps of v, one step of u, and input that lasts one step.
IZHIKEVICH_STEP = """
input = sigma*randn() + arrived
v += 0.5 * (0.04*v*v + 5*v + 140 - u + input)
v += 0.5 * (0.04*v*v + 5*v + 140 - u + input)
u += a * (b*v - u)
arrived = 0
"""


def sparse(network: str, scale: float, tau: float) -> tuple[b2.NeuronGroup, int, list]:
    """CUBA, COBA and their like: neurons, the number of excitatory ones, synapses.

    ``sample`` leaps from synapse to synapse, where a condition would try every pair.
    """
    b2.defaultclock.dt = 0.1 * b2.ms
    n_exc, n_inh = round(3200 * scale), round(800 * scale)
    rest = -40 if network == "coba" else -60
    described = dict(NETWORKS[network])
    described["model"] = described["model"].replace("20*ms", f"{tau}*ms")
    neurons = b2.NeuronGroup(
        n_exc + n_inh, **described, namespace={"rest": rest * b2.mV}, name="neurons"
    )
    neurons.v = "-60*mV + 10*mV*rand()"
    if network == "hodgkin_huxley":
        neurons.v = "-65*mV + 5*mV*randn()"
        neurons.ge = "(4 + 1.5*randn()) * 10*nS"
        neurons.gi = "(20 + 12*randn()) * 10*nS"
    jumps = ("1.62*mV", "-9*mV") if network == "cuba" else ("6*nS", "67*nS")
    synapses = []
    for first, last, name, jump in ((0, n_exc, "ge", jumps[0]), (n_exc, None, "gi", jumps[1])):
        group = b2.Synapses(
            neurons[first:last], neurons, on_pre=f"{name}_post += {jump}", delay=0.1 * b2.ms
        )
        group.connect(j=f"k for k in sample(N_post, p={0.02 / scale}) if k != i + {first}")
        synapses.append(group)
    return neurons, n_exc, synapses


def izhikevich(seed: int) -> tuple[b2.NeuronGroup, int, list]:
    """The same of the network of Izhikevich (2003), 1,000 neurons connected all to all."""
    b2.defaultclock.dt = 1 * b2.ms
    random = np.random.default_rng(seed)
    r_exc, r_inh = random.random(800), random.random(200)
    neurons = b2.NeuronGroup(
        1000, IZHIKEVICH, threshold="v >= 30", reset="v = c; u += d", name="neurons"
    )
    neurons.run_regularly(IZHIKEVICH_STEP, dt=1 * b2.ms, when="start")
    neurons.a = np.concatenate([np.full(800, 0.02), 0.02 + 0.08 * r_inh])
    neurons.b = np.concatenate([np.full(800, 0.2), 0.25 - 0.05 * r_inh])
    neurons.c = np.concatenate([-65 + 15 * r_exc**2, np.full(200, -65.0)])
    neurons.d = np.concatenate([8 - 6 * r_exc**2, np.full(200, 2.0)])
    neurons.sigma = np.concatenate([np.full(800, 5.0), np.full(200, 2.0)])
    neurons.v = -65
    neurons.u = "-65 * b"
    synapses = []
    for part, weight in ((neurons[:800], "0.5*rand()"), (neurons[800:], "-rand()")):
        group = b2.Synapses(part, neurons, "w : 1", on_pre="arrived_post += w")
        group.connect()
        group.w = weight
        synapses.append(group)
    return neurons, 800, synapses


def measure(options: argparse.Namespace, folder: str) -> dict:
    """Describe, compile and run, in a folder that is there already."""
    began = time.perf_counter()
    b2.set_device("cpp_standalone", build_on_run=False, directory=folder)
    b2.prefs.codegen.cpp.extra_compile_args = FLAGS
    b2.prefs.core.default_float_dtype = np.dtype(options.precision).type
    # One thread without OpenMP, which would cost atomic additions.
    b2.prefs.devices.cpp_standalone.openmp_threads = options.threads if options.threads > 1 else 0
    b2.seed(options.seed)
    if options.network == "izhikevich":
        neurons, n_exc, synapses = izhikevich(options.seed)
    else:
        neurons, n_exc, synapses = sparse(options.network, options.scale, options.tau)
    monitor = b2.SpikeMonitor(neurons, record=False)
    network = b2.Network(neurons, synapses, monitor)
    monitor.active = False
    network.run(options.warmup * b2.ms)
    monitor.active = True
    network.run(options.duration * b2.ms)
    described = time.perf_counter()
    b2.device.build(run=False, directory=folder)
    compiled = time.perf_counter()
    b2.device.run(directory=folder, with_output=False, run_args=[])
    program = time.perf_counter() - compiled
    run = b2.device._last_run_time  # of the second run alone
    loops = run * (1 + options.warmup / options.duration)
    counts = np.array(monitor.count) / options.duration * 1000
    return {
        "build_s": described - began + max(program - loops, 0.0),
        "compile_s": compiled - described,
        "run_s": run,
        "rates": {"exc": float(counts[:n_exc].mean()), "inh": float(counts[n_exc:].mean())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=["izhikevich", *NETWORKS])
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons")
    parser.add_argument("--warmup", type=float, default=100.0, help="ms, not measured")
    parser.add_argument("--duration", type=float, default=1000.0, help="ms, measured")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--precision", choices=["float32", "float64"], default="float64")
    parser.add_argument("--tau", type=float, default=20.0, help="ms, in the text of CUBA")
    parser.add_argument("--folder", help="of the program, kept (default: a new one)")
    options = parser.parse_args()
    folder = options.folder or tempfile.mkdtemp()
    try:
        result = measure(options, folder)
    finally:
        if not options.folder:
            shutil.rmtree(folder)
    result |= {"threads": options.threads, "precision": options.precision}
    result["versions"] = {
        "brian2": b2.__version__,
        "python": platform.python_version(),
        "compiler": os.popen("g++ --version").readline().strip(),
    }
    print(json.dumps(result))


if __name__ == "__main__":
    main()
