"""Seconds of a network with BrainPy's operators, as one JSON object.

Run from the root of the project::

    python -m benchmarks.rivals.brainpy_speed coba

All synapses are one matrix of `brainevent`, BrainPy's event-driven operators: excitatory neurons
lead to its first n columns, inhibitory ones to the other n, so that a step calls one operator
instead of one a projection, which takes half the time. The loop is a scan that JAX compiles, as
BrainPy's ``for_loop`` is. Spikes are counted, not kept.
"""

import argparse
import json
import os
import platform
import time
from importlib.metadata import version

import brainevent
import jax
import jax.numpy as jnp
import numpy as np

DT = 0.1  # ms
TAU_M, TAU_EXC, TAU_INH = 20.0, 5.0, 10.0  # ms
THRESHOLD, RESET = -50.0, -60.0  # mV
REFRACTORY = 50  # steps
PIECE = 1000  # steps of a compiled call
# Jumps in mV for CUBA, in units of the leak conductance for COBA.
JUMPS = {"cuba": (1.62, -9.0), "coba": (0.6, 6.7)}


def synapses(n_exc: int, n: int, p: float, random: np.random.Generator) -> brainevent.CSR:
    """Every ordered pair of two neurons is connected with probability ``p``."""
    degrees = random.binomial(n - 1, p, n)
    rows = []
    for source, degree in enumerate(degrees):
        targets = np.sort(random.choice(n - 1, degree, replace=False, shuffle=False))
        targets += targets >= source  # none onto itself
        rows.append(targets + (n if source >= n_exc else 0))
    indices = np.concatenate(rows).astype(np.int32)
    starts = np.concatenate([[0], np.cumsum(degrees)]).astype(np.int32)
    one = jnp.ones(1, jnp.float32)
    return brainevent.CSR((one, jnp.asarray(indices), jnp.asarray(starts)), shape=(n, 2 * n))


def describe(network: str, scale: float, seed: int) -> tuple:
    """The function of one step, and the state: v, g_exc, g_inh, steps to rest, spikes."""
    n_exc, n = round(3200 * scale), round(4000 * scale)
    random = np.random.default_rng(seed)
    matrix = synapses(n_exc, n, 0.02 / scale, random)
    jump_exc, jump_inh = JUMPS[network]
    keep, keep_exc, keep_inh = (float(np.exp(-DT / tau)) for tau in (TAU_M, TAU_EXC, TAU_INH))

    def exact(v, exc, inh):
        from_exc = (keep_exc - keep) * TAU_EXC / (TAU_EXC - TAU_M)
        from_inh = (keep_inh - keep) * TAU_INH / (TAU_INH - TAU_M)
        return -49.0 + keep * (v + 49.0) + from_exc * exc + from_inh * inh

    def exponential_euler(v, exc, inh):
        total = 1.0 + exc + inh
        aim = (-40.0 - 80.0 * inh) / total
        return aim + (v - aim) * jnp.exp(-DT / TAU_M * total)

    advance = exact if network == "cuba" else exponential_euler

    def step(state, _):
        v, exc, inh, rest, count = state
        v = jnp.where(rest > 0, v, advance(v, exc, inh))
        spikes = v > THRESHOLD
        arriving = brainevent.BinaryArray(spikes) @ matrix
        state = (
            jnp.where(spikes, RESET, v),
            keep_exc * exc + jump_exc * arriving[:n],
            keep_inh * inh + jump_inh * arriving[n:],
            jnp.where(spikes, REFRACTORY, rest - 1),
            count + spikes,
        )
        return state, None

    zeros = jnp.zeros(n, jnp.float32)
    none = jnp.zeros(n, jnp.int32)
    start = jnp.asarray(random.uniform(-60.0, -50.0, n), jnp.float32)
    return step, (start, zeros, zeros, none, none), n_exc


def measure(options: argparse.Namespace) -> dict:
    """Describe, compile, warm up and run in pieces of 100 ms."""
    began = time.perf_counter()
    step, state, n_exc = describe(options.network, options.scale, options.seed)
    jax.block_until_ready(state)
    described = time.perf_counter()
    piece = jax.jit(lambda state: jax.lax.scan(step, state, None, length=PIECE)[0])
    piece = piece.lower(state).compile()
    compiled = time.perf_counter()
    state = jax.block_until_ready(piece(state))  # the warm-up
    before = np.asarray(state[-1])
    started = time.perf_counter()
    for _ in range(round(options.duration / DT / PIECE)):
        state = piece(state)
    jax.block_until_ready(state)
    run = time.perf_counter() - started
    counts = (np.asarray(state[-1]) - before) / options.duration * 1000
    return {
        "build_s": described - began,
        "compile_s": compiled - described,
        "run_s": run,
        "rates": {"exc": float(counts[:n_exc].mean()), "inh": float(counts[n_exc:].mean())},
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=JUMPS)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--scale", type=float, default=1.0, help="of the numbers of neurons")
    parser.add_argument("--duration", type=float, default=1000.0, help="ms, a multiple of 100")
    options = parser.parse_args()
    result = measure(options)
    # XLA may use every core; the sparse operator is serial.
    result |= {"threads": os.cpu_count(), "precision": "float32"}
    names = ("brainpy", "brainevent", "jax", "numba")
    result["versions"] = {name: version(name) for name in names}
    result["versions"]["python"] = platform.python_version()
    print(json.dumps(result))


if __name__ == "__main__":
    main()
