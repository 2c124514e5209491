"""PyTorch's Adam update of a case of `benchmarks.training`, as a worker of `benchmarks.blocks`.

Run from the root of the project::

    python -m benchmarks.rivals.torch_training CASE.npz --program eager

Each is written to be quick in PyTorch: inputs of all steps are one product where the cell allows,
a step of the leaky network is three calls, and Adam is the fused one.
"""

import argparse
import platform
from collections.abc import Callable
from importlib.metadata import version

import numpy as np
import torch
from torch import nn

from benchmarks import blocks

Tensors = dict[str, torch.Tensor]
Rates = Callable[[torch.Tensor], torch.Tensor]


def leaky(p: Tensors, case: dict[str, np.ndarray]) -> tuple[Rates, Tensors]:
    """r_t = r_(t-1) + a (f(w_rec r_(t-1) + w_in x_t + b) - r_(t-1))."""
    own = {name: nn.Parameter(p[name]) for name in ("w_in", "w_rec", "b", "r0")}
    a = 1 - float(case["keep"])

    def rates(x: torch.Tensor) -> torch.Tensor:
        r = own["r0"].expand(x.shape[1], -1)
        w_rec = own["w_rec"].t()
        steps = []
        for pre in nn.functional.linear(x, own["w_in"], own["b"]).unbind(0):
            r = torch.lerp(r, torch.relu(torch.addmm(pre, r, w_rec)), a)
            steps.append(r)
        return torch.stack(steps)

    return rates, own


def gated(p: Tensors, case: dict[str, np.ndarray]) -> tuple[Rates, Tensors]:
    """`nn.GRU` or `nn.LSTM`, which start at 0."""
    kind = {"gru": nn.GRU, "lstm": nn.LSTM}[str(case["kind"])]
    units = p["h0"].numel()
    layer = kind(p["w_in"].shape[1], units, dtype=p["b"].dtype)
    recurrent = torch.zeros_like(p["b"])
    if "b_rec" in p:
        recurrent[2 * units :] = p["b_rec"]
    copied = {"weight_ih": p["w_in"], "weight_hh": p["w_rec"], "bias_ih": p["b"]}
    with torch.no_grad():
        for name, value in (copied | {"bias_hh": recurrent}).items():
            getattr(layer, f"{name}_l0").copy_(value)
    own = dict(layer.named_parameters())
    return lambda x: layer(x)[0], own | {"w_rec": layer.weight_hh_l0}


def snu(p: Tensors, case: dict[str, np.ndarray]) -> tuple[Rates, Tensors]:
    """snnTorch's `Leaky` that resets to 0, and recurrent weights; `RLeaky` resets its input too."""
    import snntorch

    keep, threshold = float(case["keep"]), -p["b"]
    cell = snntorch.Leaky(
        keep,
        threshold=threshold,
        learn_threshold=True,
        spike_grad=surrogate(case),
        reset_mechanism="zero",
    )
    own = {name: nn.Parameter(p[name]) for name in ("w_in", "w_rec")} | {"b": cell.threshold}

    def rates(x: torch.Tensor) -> torch.Tensor:
        mem = y = torch.zeros(x.shape[1], threshold.numel(), dtype=x.dtype)
        w_rec = own["w_rec"].t()
        steps = []
        for pre in nn.functional.linear(x, own["w_in"]).unbind(0):
            y, mem = cell(torch.addmm(pre, y, w_rec), mem)
            steps.append(y)
        return torch.stack(steps)

    return rates, own


def lif(p: Tensors, case: dict[str, np.ndarray]) -> tuple[Rates, Tensors]:
    """snnTorch's `RLeaky` that subtracts the threshold."""
    import snntorch

    keep, units = float(case["keep"]), p["b"].numel()
    cell = snntorch.RLeaky(keep, linear_features=units, spike_grad=surrogate(case))
    cell.recurrent.weight = nn.Parameter(p["w_rec"])
    cell.recurrent.bias = nn.Parameter((1 - keep) * p["b"])
    own = {"w_in": nn.Parameter(p["w_in"]), "w_rec": cell.recurrent.weight}
    own["b"] = cell.recurrent.bias

    def rates(x: torch.Tensor) -> torch.Tensor:
        z = mem = torch.zeros(x.shape[1], units, dtype=x.dtype)
        steps = []
        for pre in nn.functional.linear(x, own["w_in"] * (1 - keep)).unbind(0):
            z, mem = cell(pre, z, mem)
            steps.append(z)
        return torch.stack(steps)

    return rates, own


def surrogate(case: dict[str, np.ndarray]) -> Rates:
    """snnTorch's fast sigmoid, whose spikes are of single precision whatever they are of."""
    from snntorch.surrogate import fast_sigmoid

    spikes = fast_sigmoid(float(case["slope"]))
    return lambda u: spikes(u).to(u.dtype)


CELLS = {"leaky": leaky, "gru": gated, "lstm": gated, "snu": snu, "lif": lif}


def prepare(
    case: dict[str, np.ndarray], dtype: torch.dtype, program: str
) -> tuple[Callable[[], torch.Tensor], Tensors]:
    """A function from the weights of a case to the loss, and the parameters."""
    tensors = {name: torch.tensor(a, dtype=dtype) for name, a in case.items() if "." in name}
    x, targets = (torch.tensor(case[name], dtype=dtype) for name in ("x", "targets"))
    p = {name.removeprefix("0."): a for name, a in tensors.items()}
    rates, own = CELLS[str(case["kind"])](p, case)
    own |= {name: nn.Parameter(tensors[name]) for name in ("out.w", "out.b")}

    def loss() -> torch.Tensor:
        z = nn.functional.linear(rates(x), own["out.w"], own["out.b"])
        return nn.functional.mse_loss(z, targets)

    return (torch.compile(loss) if program == "compile" else loss), own


def check(case: dict[str, np.ndarray]) -> dict[str, float]:
    """Loss, and norm of the recurrent gradient, in double precision."""
    loss, own = prepare(case, torch.float64, "eager")
    value = loss()
    value.backward()
    return {"loss": float(value.detach()), "gradient": float(own["w_rec"].grad.norm())}


def updates(case: dict[str, np.ndarray], program: str) -> Callable[[], None]:
    """A function that makes an Adam update in single precision."""
    loss, own = prepare(case, torch.float32, program)
    parameters = list({id(a): a for a in own.values()}.values())
    adam = torch.optim.Adam(parameters, fused=True)

    def update() -> None:
        adam.zero_grad()
        loss().backward()
        adam.step()

    return update


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("case", help="a file of benchmarks.training")
    parser.add_argument("--program", choices=("eager", "compile"), default="eager")
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    case = dict(np.load(options.case))
    versions = {"torch": torch.__version__, "python": platform.python_version()}
    if str(case["kind"]) in ("snu", "lif"):
        versions["snntorch"] = version("snntorch")
    name = "MKL" if torch.backends.mkl.is_available() else "a BLAS other than MKL"
    told = {"check": check(case), "blas": f"{name}, threads: {torch.get_num_threads()}"}
    update = updates(case, options.program)
    try:
        update()
    except RuntimeError as error:  # torch.compile needs a compiler; its last lines are advice
        raise SystemExit(f"{options.program}: {str(error).splitlines()[0]}") from None
    blocks.serve(update, told | {"versions": versions})


if __name__ == "__main__":
    main()
