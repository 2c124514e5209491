"""Seconds of a network in NEST, as one JSON object.

Run from the root of the project::

    PYNEST_QUIET=1 OMP_WAIT_POLICY=PASSIVE python -m benchmarks.rivals.nest_speed microcircuit

Building ends where ``Prepare`` does, and the run is the call that follows a warm-up. Spikes go to
recorders in memory, one a population.
"""

import argparse
import contextlib
import json
import platform
import sys
import time

import nest
import numpy as np

from benchmarks.rivals import nest_networks


def _reset(options: argparse.Namespace, dt: float) -> None:
    nest.verbosity = nest.VerbosityLevel.WARNING
    nest.ResetKernel()
    nest.set(resolution=dt, rng_seed=options.seed, local_num_threads=options.threads)


def _recorded(populations: list) -> list:
    recorders = [nest.Create("spike_recorder") for _ in populations]
    for population, recorder in zip(populations, recorders, strict=True):
        nest.Connect(population, recorder)
    return recorders


def cuba(options: argparse.Namespace) -> tuple[list, list, tuple]:
    """CUBA with ``iaf_psc_exp``, which is integrated exactly: populations, recorders, names."""
    _reset(options, 0.1)
    neuron = {
        "C_m": 200.0,
        "tau_m": 20.0,
        "E_L": -49.0,
        "V_th": -50.0,
        "V_reset": -60.0,
        "t_ref": 5.0,
        "tau_syn_ex": 5.0,
        "tau_syn_in": 10.0,
        "V_m": nest.random.uniform(-60.0, -50.0),
    }
    populations = [
        nest.Create("iaf_psc_exp", round(size * options.scale), neuron) for size in (3200, 800)
    ]
    rule = {"rule": "pairwise_bernoulli", "p": 0.02 / options.scale, "allow_autapses": False}
    for source, weight in zip(populations, (16.2, -90.0), strict=True):
        for target in populations:
            nest.Connect(source, target, rule, {"weight": weight, "delay": 0.1})
    return populations, _recorded(populations), ("exc", "inh")


def brunel(options: argparse.Namespace) -> tuple[list, list, tuple]:
    """Brunel's network in its regime AI, with ``iaf_psc_delta``."""
    _reset(options, 0.1)
    neuron = {
        "tau_m": 20.0,
        "E_L": 0.0,
        "V_th": 20.0,
        "V_reset": 10.0,
        "t_ref": 2.0,
        "V_m": nest.random.uniform(0.0, 20.0),
    }
    populations = [nest.Create("iaf_psc_delta", size, neuron) for size in (10_000, 2_500)]
    threshold_rate = 1000 * 20.0 / (0.1 * 20.0)
    drive = nest.Create("poisson_generator", params={"rate": 2.0 * threshold_rate})
    for target in populations:
        nest.Connect(drive, target, syn_spec={"weight": 0.1, "delay": 1.5})
        for source, indegree, weight in zip(populations, (1000, 250), (0.1, -0.5), strict=True):
            rule = {"rule": "fixed_indegree", "indegree": indegree}
            nest.Connect(source, target, rule, {"weight": weight, "delay": 1.5})
    return populations, _recorded(populations), ("exc", "inh")


def izhikevich(options: argparse.Namespace) -> tuple[list, list, tuple]:
    """The network of Izhikevich (2003) in the paper's scheme of steps of 1 ms."""
    _reset(options, 1.0)
    random = np.random.default_rng(options.seed)
    r_exc, r_inh = random.random(800), random.random(200)
    parameters = [
        {"a": np.full(800, 0.02), "b": np.full(800, 0.2)}
        | {"c": -65 + 15 * r_exc**2, "d": 8 - 6 * r_exc**2},
        {"a": 0.02 + 0.08 * r_inh, "b": 0.25 - 0.05 * r_inh}
        | {"c": np.full(200, -65.0), "d": np.full(200, 2.0)},
    ]
    populations = []
    weights = (nest.random.uniform(0.0, 0.5), nest.random.uniform(-1.0, 0.0))
    for values, noise in zip(parameters, (5.0, 2.0), strict=True):
        population = nest.Create("izhikevich", len(values["a"]))
        population.set(consistent_integration=False, V_m=-65.0, U_m=-65.0 * values["b"], **values)
        source = nest.Create("noise_generator", params={"std": noise, "dt": 1.0})
        nest.Connect(source, population, syn_spec={"delay": 1.0})
        populations.append(population)
    for source, weight in zip(populations, weights, strict=True):
        for target in populations:
            nest.Connect(source, target, "all_to_all", {"weight": weight, "delay": 1.0})
    return populations, _recorded(populations), ("exc", "inh")


def microcircuit(options: argparse.Namespace) -> tuple[list, list, tuple]:
    """The microcircuit of Potjans & Diesmann (2014)."""
    populations, recorders, _ = nest_networks.build(options.scale, options.seed, options.threads)
    return populations, recorders, nest_networks.NAMES


NETWORKS = {
    "cuba": cuba,
    "brunel": brunel,
    "izhikevich": izhikevich,
    "microcircuit": microcircuit,
}


def measure(options: argparse.Namespace) -> dict:
    """Build, warm up and run."""
    began = time.perf_counter()
    populations, recorders, names = NETWORKS[options.network](options)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(options.warmup)
    before = [recorder.n_events for recorder in recorders]
    started = time.perf_counter()
    nest.Run(options.duration)
    run = time.perf_counter() - started
    spikes = [r.n_events - x for r, x in zip(recorders, before, strict=True)]
    nest.Cleanup()
    seconds = options.duration / 1000
    rates = [n / len(p) / seconds for n, p in zip(spikes, populations, strict=True)]
    return {
        "build_s": built - began,
        "compile_s": 0.0,
        "run_s": run,
        "rates": dict(zip(names, rates, strict=True)),
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons")
    parser.add_argument("--warmup", type=float, default=100.0, help="ms, not measured")
    parser.add_argument("--duration", type=float, default=1000.0, help="ms, measured")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    with contextlib.redirect_stdout(sys.stderr):
        result = measure(options)
    result |= {"threads": options.threads, "precision": "float64"}
    result["versions"] = {"nest": nest.__version__, "python": platform.python_version()}
    print(json.dumps(result))


if __name__ == "__main__":
    main()
