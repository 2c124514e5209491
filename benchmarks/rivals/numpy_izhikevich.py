"""The network of Izhikevich (2003) in plain NumPy, as summary numbers in JSON.

Run from the root of the project::

    python -m benchmarks.rivals.numpy_izhikevich --seed 1 2 3 4 5
"""

import argparse
import json
import time

import numpy as np

from benchmarks.rivals.statistics import over_seeds, summarise

N_EXC, N_INH = 800, 200


def simulate(n_steps: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Steps of 1 ms of the paper's network.

    In each step the neurons at or above 30 mV fire and are reset, the weights of those that
    fired and the thalamic noise make up the input I of this step alone, v takes two half steps
    of v' = 0.04 v^2 + 5 v + 140 - u + I, and u one whole step of u' = a (b v - u).

    Parameters
    ----------
    n_steps : int
        Number of steps of 1 ms.
    seed : int
        Seed of the parameters, the weights and the noise.

    Returns
    -------
    times_ms, neurons : ndarray
        Step and index of every spike; indices from 800 on are inhibitory.
    """
    rng = np.random.default_rng(seed)
    r_exc, r_inh = rng.random(N_EXC), rng.random(N_INH)
    a = np.concatenate([np.full(N_EXC, 0.02), 0.02 + 0.08 * r_inh])
    b = np.concatenate([np.full(N_EXC, 0.2), 0.25 - 0.05 * r_inh])
    c = np.concatenate([-65.0 + 15.0 * r_exc**2, np.full(N_INH, -65.0)])
    d = np.concatenate([8.0 - 6.0 * r_exc**2, np.full(N_INH, 2.0)])
    n = N_EXC + N_INH
    # One row a source.
    weights = np.concatenate([0.5 * rng.random((N_EXC, n)), -rng.random((N_INH, n))])
    noise_sd = np.concatenate([np.full(N_EXC, 5.0), np.full(N_INH, 2.0)])
    v = np.full(n, -65.0)
    u = b * v
    times_ms, neurons = [], []
    for step in range(n_steps):
        current = noise_sd * rng.standard_normal(n)
        fired = np.flatnonzero(v >= 30.0)
        times_ms.append(np.full(len(fired), float(step)))
        neurons.append(fired)
        v[fired] = c[fired]
        u[fired] += d[fired]
        current += weights[fired].sum(axis=0)
        for _ in range(2):
            v += 0.5 * (0.04 * v * v + 5.0 * v + 140.0 - u + current)
        u += a * (b * v - u)
    return np.concatenate(times_ms), np.concatenate(neurons)


def run(seed: int, warmup: int, duration: int) -> dict:
    """Simulate once and summarise the two populations."""
    began = time.perf_counter()
    times_ms, neurons = simulate(warmup + duration, seed)
    elapsed = time.perf_counter() - began
    window = (float(warmup), float(warmup + duration))
    exc = neurons < N_EXC
    return {
        "seed": seed,
        "indicative_run_s": round(elapsed, 2),
        "window_ms": window,
        "populations": {
            "E": summarise(times_ms[exc], neurons[exc], N_EXC, *window, seed),
            "I": summarise(times_ms[~exc], neurons[~exc] - N_EXC, N_INH, *window, seed),
        },
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--warmup", type=int, default=500, help="ms, not measured")
    parser.add_argument("--duration", type=int, default=10000, help="ms, measured")
    a = parser.parse_args()
    runs = [run(seed, a.warmup, a.duration) for seed in a.seed]
    document = {
        "program": f"NumPy {np.__version__}",
        "over_seeds": over_seeds(runs),
        "runs": runs,
    }
    print(json.dumps({"izhikevich": document}, indent=1))


if __name__ == "__main__":
    main()
