"""The cortical microcircuit of Potjans & Diesmann (2014) in NEST, as summary numbers in JSON.

Run from the root of the project::

    PYNEST_QUIET=1 python -m benchmarks.rivals.nest_networks --scale 0.1 --duration 5000
"""

import argparse
import json
import time
from pathlib import Path

import nest
import numpy as np

from benchmarks.rivals.statistics import over_seeds, summarise

NAMES = ("L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I")
SIZES = np.array([20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948])
EXTERNAL_INDEGREES = (1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100)
V0_MEAN_MV = (-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43)
V0_SD_MV = (5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48)
# Probability of at least one connection; rows are targets, columns are sources.
PROBABILITIES = np.array(
    [
        [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
        [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
        [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
        [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
        [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
        [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
        [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
        [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
    ]
)
NEURON = {
    "C_m": 250.0,
    "tau_m": 10.0,
    "E_L": -65.0,
    "V_th": -50.0,
    "V_reset": -65.0,
    "t_ref": 2.0,
    "tau_syn_ex": 0.5,
    "tau_syn_in": 0.5,
}
WEIGHT_PA = 87.8
EXTERNAL_RATE_HZ = 8.0
DT_MS = 0.1
CHUNK_MS = 1000.0


def build(scale: float, seed: int, threads: int) -> tuple[list, list, np.ndarray]:
    """Create populations, drive, synapses and recorders; the in-degrees do not scale.

    Returns
    -------
    tuple
        Populations and spike recorders (NodeCollections, in the order of NAMES) and the number
        of synapses per pair of populations, shape (8 targets, 8 sources).
    """
    nest.verbosity = nest.VerbosityLevel.WARNING
    nest.ResetKernel()
    nest.set(resolution=DT_MS, rng_seed=seed, local_num_threads=threads, keep_source_table=False)
    sizes = np.rint(scale * SIZES).astype(int)
    synapses = np.log1p(-PROBABILITIES) / np.log1p(-1.0 / np.outer(SIZES, SIZES))
    synapses = np.rint(synapses * (sizes / SIZES)[:, None]).astype(int)
    populations = [
        nest.Create(
            "iaf_psc_exp", int(size), {**NEURON, "V_m": nest.random.normal(mean=mean, std=sd)}
        )
        for size, mean, sd in zip(sizes, V0_MEAN_MV, V0_SD_MV, strict=True)
    ]
    # Devices come after all neurons: in between, they slow the look-up of nodes in Connect from
    # minutes to hours. Two synapse models: one holds at most 134 million synapses per thread.
    recorders = []
    for population, indegree in zip(populations, EXTERNAL_INDEGREES, strict=True):
        drive = nest.Create("poisson_generator", params={"rate": indegree * EXTERNAL_RATE_HZ})
        nest.Connect(drive, population, syn_spec={"weight": WEIGHT_PA, "delay": 1.5})
        recorders.append(nest.Create("spike_recorder"))
        nest.Connect(population, recorders[-1])
    nest.CopyModel("static_synapse", "excitatory")
    nest.CopyModel("static_synapse", "inhibitory")
    for target, source in zip(*np.nonzero(synapses), strict=True):
        nest.Connect(
            populations[source],
            populations[target],
            {
                "rule": "fixed_total_number",
                "N": int(synapses[target, source]),
                "allow_autapses": True,
                "allow_multapses": True,
            },
            _synapse(target, source),
        )
    return populations, recorders, synapses


def _synapse(target: int, source: int) -> dict:
    inhibitory = NAMES[source].endswith("I")
    weight = WEIGHT_PA * (-4.0 if inhibitory else 1.0)
    if (NAMES[target], NAMES[source]) == ("L23E", "L4E"):
        weight *= 2.0
    sign = {"max": 0.0} if inhibitory else {"min": 0.0}
    delay = 0.75 if inhibitory else 1.5
    return {
        "synapse_model": "inhibitory" if inhibitory else "excitatory",
        "weight": nest.math.redraw(
            nest.random.normal(weight, 0.1 * abs(weight)), **{"min": -np.inf, "max": np.inf} | sign
        ),
        "delay": nest.math.redraw(nest.random.normal(delay, 0.5 * delay), min=DT_MS, max=np.inf),
    }


def measure(populations: list, recorders: list, t_start: float, t_stop: float, seed: int) -> dict:
    """Summary numbers of each population between two times in ms."""
    summaries = {}
    for name, population, recorder in zip(NAMES, populations, recorders, strict=True):
        events = recorder.get("events")
        neurons = events["senders"] - population[0].global_id
        summaries[name] = summarise(
            events["times"], neurons, len(population), t_start, t_stop, seed
        )
    return summaries


def run(
    scale: float,
    seed: int,
    warmup: float,
    duration: float,
    threads: int,
    partial: Path | None,
) -> dict:
    """Build and simulate; rewrite the file `partial` after every simulated second."""
    began = time.perf_counter()
    populations, recorders, synapses = build(scale, seed, threads)
    nest.Prepare()
    built = time.perf_counter()
    nest.Run(warmup)
    result = {
        "seed": seed,
        "synapses": int(synapses.sum()),
        "indicative_build_s": round(built - began, 1),
        "indicative_run_s": 0.0,
    }
    done = 0.0
    while done < duration:
        chunk = min(CHUNK_MS, duration - done)
        began = time.perf_counter()
        nest.Run(chunk)
        result["indicative_run_s"] += time.perf_counter() - began
        done += chunk
        if partial or done >= duration:
            result["window_ms"] = [warmup, warmup + done]
            result["populations"] = measure(populations, recorders, *result["window_ms"], seed)
        if partial:
            partial.write_text(json.dumps(result, indent=1))
    nest.Cleanup()
    result["indicative_run_s"] = round(result["indicative_run_s"], 1)
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons")
    parser.add_argument("--seed", type=int, nargs="+", default=[1])
    parser.add_argument("--warmup", type=float, default=500.0, help="ms, not measured")
    parser.add_argument("--duration", type=float, default=10000.0, help="ms, measured")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--partial", type=Path, help="file rewritten after every second")
    a = parser.parse_args()
    runs = [run(a.scale, s, a.warmup, a.duration, a.threads, a.partial) for s in a.seed]
    document = {
        "program": f"NEST {nest.__version__}, {a.threads} threads",
        "scale": a.scale,
        "over_seeds": over_seeds(runs),
        "runs": runs,
    }
    print(json.dumps({"full" if a.scale == 1.0 else str(a.scale): document}, indent=1))


if __name__ == "__main__":
    main()
