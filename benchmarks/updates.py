"""Our Adam update of a case of `benchmarks.training`, as a worker of `benchmarks.blocks`.

Run from the root of the project: ``python -m benchmarks.updates CASE.npz``. The threads are those
that the environment gives to BLAS.
"""

import argparse
import os
from collections.abc import Callable
from typing import Any

import numpy as np

from benchmarks import blocks
from spikesim.rate import GRU, LSTM, SNU, Adam, FastSigmoid, LeakyRNN, LIFCell, RateNetwork, squared

DT, TAU = 1.0, 10.0  # ms
SLOPE = 10.0  # of the surrogate
# The spiking cells are what snnTorch's are: without refractory time, with a detached reset.
CELLS: dict[str, Callable[[int], Any]] = {
    "leaky": lambda units: LeakyRNN(units, tau=TAU),
    "gru": GRU,
    "lstm": LSTM,
    "snu": lambda units: SNU(units, TAU, False, False, True, FastSigmoid(SLOPE)),
    "lif": lambda units: LIFCell(units, TAU, 0, detach_reset=True, surrogate=FastSigmoid(SLOPE)),
}
# What a step keeps of the state.
KEEP = {"leaky": 1 - DT / TAU, "snu": 1 - DT / TAU, "lif": float(np.exp(-DT / TAU))}


def network(kind: str, units: int, inputs: int, outputs: int, dtype: str) -> RateNetwork:
    """The network of a case at its start, the same in every process."""
    return RateNetwork([CELLS[kind](units)], inputs, outputs, DT, dtype=dtype)


def prepare(case: dict[str, np.ndarray], dtype: str) -> tuple[RateNetwork, Callable[[], float]]:
    """The network with the weights of a case, and a function that leads to its gradients."""
    x, targets = (case[name].astype(dtype) for name in ("x", "targets"))
    weights = {name: a for name, a in case.items() if "." in name}
    units = weights["out.w"].shape[1]
    net = network(str(case["kind"]), units, x.shape[2], targets.shape[2], dtype)
    for name, array in weights.items():
        np.copyto(net.parameters[name], array)
    d_outputs = np.empty_like(targets)

    def gradients() -> float:
        loss = squared(net.forward(x), targets, None, d_outputs)
        net.backward(d_outputs)
        return loss

    return net, gradients


def check(case: dict[str, np.ndarray]) -> dict[str, float]:
    """Loss, and norm of the recurrent gradient, in double precision."""
    net, gradients = prepare(case, "float64")
    return {"loss": gradients(), "gradient": float(np.linalg.norm(net.gradients["0.w_rec"]))}


def updates(case: dict[str, np.ndarray]) -> Callable[[], None]:
    """A function that makes an Adam update in single precision."""
    net, gradients = prepare(case, "float32")
    adam = Adam()
    state = adam.start(net.parameters)

    def update() -> None:
        gradients()
        adam.update(state, net.parameters, net.gradients)
        net.constrain()

    return update


def blas() -> str:
    """Which BLAS NumPy multiplies with, its kernel and its threads."""
    try:
        from threadpoolctl import threadpool_info
    except ImportError:
        built = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
        told = built.get("openblas configuration") or f"{built['name']} {built.get('version', '')}"
        return f"{told.strip()} (as built; threadpoolctl tells the kernel that runs)"
    # The first is NumPy's: SciPy brings one of its own, and is imported later if at all.
    for pool in threadpool_info():
        if pool["user_api"] == "blas":
            kernel = f", kernel {pool['architecture']}" if "architecture" in pool else ""
            version = pool["version"] or "of unknown version"
            return f"{pool['internal_api']} {version}{kernel}, threads: {pool['num_threads']}"
    return "a BLAS that threadpoolctl does not know"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="a file of benchmarks.training")
    case = dict(np.load(parser.parse_args().case))
    told = {"check": check(case), "blas": blas(), "versions": {"numpy": np.__version__}}
    told["coretype"] = os.environ.get("OPENBLAS_CORETYPE")
    blocks.serve(updates(case), told)


if __name__ == "__main__":
    main()
