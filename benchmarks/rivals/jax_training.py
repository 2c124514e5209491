"""JAX's Adam update of the leaky network, as a worker of `benchmarks.blocks`.

Run from the root of the project: ``python -m benchmarks.rivals.jax_training CASE.npz``. Forward,
backward and Adam are one compiled function, the steps a ``lax.scan``.
"""

import argparse
import platform
from collections.abc import Callable

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks import blocks

Arrays = dict[str, jax.Array]
RATE, BETA1, BETA2, EPSILON = 1e-3, 0.9, 0.999, 1e-8  # of Adam


def prepare(case: dict[str, np.ndarray], dtype: str) -> tuple[Callable[[Arrays], float], Arrays]:
    """The loss as a function of the weights, and these."""
    p = {name: jnp.asarray(array, dtype) for name, array in case.items() if "." in name}
    x, targets = (jnp.asarray(case[name], dtype) for name in ("x", "targets"))
    a = 1 - float(case["keep"])

    def loss(p: Arrays) -> jax.Array:
        w_rec = p["0.w_rec"].T

        def step(r: jax.Array, pre: jax.Array) -> tuple[jax.Array, jax.Array]:
            r = r + a * (jax.nn.relu(pre + r @ w_rec) - r)
            return r, r

        start = jnp.broadcast_to(p["0.r0"], (x.shape[1], w_rec.shape[0]))
        _, rates = jax.lax.scan(step, start, x @ p["0.w_in"].T + p["0.b"])
        return jnp.mean((rates @ p["out.w"].T + p["out.b"] - targets) ** 2)

    return loss, p


def check(case: dict[str, np.ndarray]) -> dict[str, float]:
    """Loss, and norm of the recurrent gradient, in double precision."""
    with jax.enable_x64(True):
        loss, p = prepare(case, "float64")
        value, gradients = jax.value_and_grad(loss)(p)
        norm = float(jnp.linalg.norm(gradients["0.w_rec"]))
    return {"loss": float(value), "gradient": norm}


def updates(case: dict[str, np.ndarray]) -> Callable[[], None]:
    """A function that makes an Adam update in single precision."""
    loss, p = prepare(case, "float32")

    @jax.jit
    def adam(p: Arrays, m: Arrays, v: Arrays, t: jax.Array) -> tuple[Arrays, Arrays, Arrays]:
        gradients = jax.grad(loss)(p)
        m = jax.tree.map(lambda m, g: BETA1 * m + (1 - BETA1) * g, m, gradients)
        v = jax.tree.map(lambda v, g: BETA2 * v + (1 - BETA2) * g * g, v, gradients)

        def moved(p: jax.Array, m: jax.Array, v: jax.Array) -> jax.Array:
            size = jnp.sqrt(v / (1 - BETA2**t)) + EPSILON
            return p - RATE * m / (1 - BETA1**t) / size

        return jax.tree.map(moved, p, m, v), m, v

    zeros = jax.tree.map(jnp.zeros_like, p)
    state = {"now": (p, zeros, zeros), "updates": 0}

    def update() -> None:
        state["updates"] += 1
        state["now"] = jax.block_until_ready(adam(*state["now"], float(state["updates"])))

    return update


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="a file of benchmarks.training")
    parser.add_argument("--program", choices=("scan",), default="scan")
    case = dict(np.load(parser.parse_args().case))
    versions = {"jax": jax.__version__, "python": platform.python_version()}
    told = {"check": check(case), "blas": "XLA's own products", "versions": versions}
    blocks.serve(updates(case), told)


if __name__ == "__main__":
    main()
