"""NIR graphs as frameworks export them, with an input and the frameworks' own spikes.

Kept in ``reference/nir``. To make a framework's again, in an environment that has it and nir:
``python tests/nir_frameworks.py FRAMEWORK FOLDER`` (sinabs wants nir 1.0.4). A table of the kept
ones, run by the rules of their framework: ``python tests/nir_frameworks.py table``. snntorch, norse
and spikingjelly run in double precision, which their graphs then have as well, the others in
single.
"""

import sys
from importlib.metadata import version
from pathlib import Path

import numpy as np

STEPS, TRIALS = 100, 2
KEPT = Path(__file__).parent / "reference" / "nir"
CHANGES = {  # of the rules, where a network is not as by its framework's defaults
    "rockpool": {"dt": 1e-3},
    "snntorch_zero": {"reset": "value", "reset_late": False},
    "snntorch_zero_synaptic": {"reset": "value"},
}
WITHIN = 1e-6  # of the threshold: for those in single precision


def inputs(shape=(6,), scale=1.0, seed=0):
    """Numbers that single precision holds: x (steps, trials, *shape)."""
    steps = STEPS if len(shape) == 1 else 30
    x = scale * np.random.default_rng(seed).standard_normal((steps, TRIALS, *shape))
    return x.astype(np.float32).astype(float)


def quarters():
    """Inputs that bring v onto a threshold of 1 now and then, without any rounding."""
    return np.random.default_rng(1).integers(-4, 7, (STEPS, TRIALS, 6)) / 4


def between(low, high, *shape):
    import torch

    return low + (high - low) * torch.rand(*shape)


def recorded(modules, step, x, watched):
    """What watched modules, by the names of their nodes, give (steps, trials, size)."""
    found = {name: [] for name in watched}

    def keep(name):
        def hook(module, given, out):
            out = out[0] if isinstance(out, tuple) else out
            found[name].append(np.array(out.detach().numpy()))

        return hook

    hooks = [modules[k].register_forward_hook(keep(name)) for name, k in watched.items()]
    for now in x:
        step(now)
    for hook in hooks:
        hook.remove()
    return {name: np.array(values) for name, values in found.items()}


def snntorch():
    import snntorch as snn
    import torch
    from snntorch.export_nir import export_to_nir
    from torch import nn

    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    def settings(*shape):
        return {
            "beta": between(0.6, 0.95, *shape),
            "threshold": between(0.5, 1.0, *shape),
            "init_hidden": True,
        }

    def alpha(n):
        return {"alpha": between(0.3, 0.8, n), **settings(n)}

    def case(modules, x, watched):
        for module in modules:  # spikes come in single precision
            for part in module.modules():
                if isinstance(part, nn.Linear | nn.Conv2d):
                    part.register_forward_pre_hook(lambda _, given: (given[0].double(),))
        net = nn.Sequential(*modules)

        def reset():
            for module in modules:
                if hasattr(module, "reset_mem"):
                    module.reset_mem()

        reset()
        found = recorded(modules, lambda now: net(torch.as_tensor(now)), x, watched)
        reset()
        return export_to_nir(net, torch.as_tensor(x[0]), ignore_dims=[0]), x, found

    def diagonal():
        linear = nn.Linear(6, 6, bias=False)
        linear.weight.data = torch.eye(6)
        return linear

    x, plain = inputs(scale=2.0), {"1": 1, "3": 3}
    recurrent = {"1.lif": 1, "3": 3}
    onward = lambda: nn.Linear(12, 8, bias=False)  # noqa: E731
    image = [nn.Conv2d(2, 3, 3, stride=2, padding=1), snn.Leaky(**settings(3, 4, 4))]
    image += [nn.AvgPool2d(2), nn.Flatten(), nn.Linear(12, 5), snn.Leaky(**settings(5))]
    zero = {"reset_mechanism": "zero"}
    return {
        "leaky": case(
            [nn.Linear(6, 12), snn.Leaky(**settings(12)), onward(), snn.Leaky(**settings(8))],
            x,
            plain,
        ),
        "synaptic": case(
            [nn.Linear(6, 12), snn.Synaptic(**alpha(12)), onward(), snn.Leaky(**settings(8))],
            x,
            plain,
        ),
        "recurrent": case(
            [
                nn.Linear(6, 12),
                snn.RLeaky(**settings(12), linear_features=12),
                onward(),
                snn.Leaky(**settings(8)),
            ],
            x,
            recurrent,
        ),
        "recurrent_synaptic": case(
            [
                nn.Linear(6, 12),
                snn.RSynaptic(**alpha(12), linear_features=12),
                onward(),
                snn.Leaky(**settings(8)),
            ],
            x,
            recurrent,
        ),
        "convolution": case(image, inputs((2, 8, 8)), {"1": 1, "5": 5}),
        "zero": case(
            [nn.Linear(6, 12), snn.Leaky(**settings(12), **zero)],
            x,
            {"1": 1},
        ),
        "ties": case(
            [diagonal(), snn.Leaky(torch.full((6,), 0.5), torch.ones(6), init_hidden=True)],
            quarters(),
            {"1": 1},
        ),
        "zero_synaptic": case(
            [nn.Linear(6, 12), snn.Synaptic(**alpha(12), **zero)],
            x,
            {"1": 1},
        ),
    }


def norse():
    import norse.torch as snn
    import torch
    from norse.torch.functional.iaf import IAFParameters
    from norse.torch.functional.leaky_integrator_box import LIBoxParameters
    from norse.torch.functional.lif import LIFParameters
    from norse.torch.functional.lif_box import LIFBoxParameters
    from norse.torch.module.iaf import IAFCell
    from norse.torch.module.leaky_integrator_box import LIBoxCell
    from norse.torch.module.lif import LIFCell
    from norse.torch.module.lif_box import LIFBoxCell
    from norse.torch.utils.export_nir import to_nir
    from torch import nn

    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    def leak(n):
        return {"tau_mem_inv": between(50, 200, n), "v_leak": between(0, 0.1, n)}

    def box(n, low, high):
        return LIFBoxCell(
            LIFBoxParameters(**leak(n), v_th=between(low, high, n), v_reset=torch.zeros(n))
        )

    def lif(n, low, high):
        values = {"tau_syn_inv": between(100, 300, n), **leak(n), "v_reset": torch.zeros(n)}
        return LIFCell(LIFParameters(**values, v_th=between(low, high, n)))

    def case(modules, x):
        net, state = snn.SequentialState(*modules), None

        def step(now):
            nonlocal state
            _, state = net(torch.as_tensor(now), state)

        found = recorded(modules, step, x, {str(k): k for k in range(1, len(modules), 2)})
        return to_nir(net, torch.as_tensor(x[0, :1])), x, found

    diagonal = nn.Linear(6, 6, bias=False)
    diagonal.weight.data = torch.eye(6)
    x = inputs(scale=4.0)
    integrate = IAFCell(IAFParameters(v_th=between(0.7, 1.0, 12)))
    readout = LIBoxCell(LIBoxParameters(**leak(8)))
    return {
        "box": case([nn.Linear(6, 12), box(12, 0.2, 0.4), nn.Linear(12, 8), box(8, 0.01, 0.05)], x),
        "lif": case([nn.Linear(6, 12), lif(12, 0.2, 0.4), nn.Linear(12, 8), lif(8, 0.1, 0.2)], x),
        "ties": case([diagonal, IAFCell(IAFParameters(v_th=torch.ones(6)))], quarters()),
        "integrate": case([nn.Linear(6, 12), integrate, nn.Linear(12, 8), readout], x),
    }


def spikingjelly():
    import torch
    from spikingjelly.activation_based import functional, neuron
    from spikingjelly.activation_based.nir_exchange import export_to_nir
    from torch import nn

    torch.set_default_dtype(torch.float64)
    torch.manual_seed(1)

    def case(modules, x, last=3):
        net = nn.Sequential(*modules)
        functional.reset_net(net)
        watched = {f"_{k}": k for k in {1, last}}
        found = recorded(modules, lambda now: net(torch.as_tensor(now)), x, watched)
        functional.reset_net(net)
        return export_to_nir(net, torch.as_tensor(x[0, :1])), x, found

    diagonal = nn.Linear(6, 6, bias=False)
    diagonal.weight.data = torch.eye(6)
    x = inputs(scale=3.0)
    image = [nn.Conv2d(2, 3, 3, stride=2, padding=1), neuron.LIFNode(tau=2.0), nn.AvgPool2d(2)]
    image += [nn.Flatten(), nn.Linear(12, 5), neuron.IFNode(v_threshold=0.5)]
    undecayed = neuron.LIFNode(tau=3.0, decay_input=False, v_threshold=0.5)
    parametric = neuron.ParametricLIFNode(init_tau=4.0, v_threshold=0.3)
    return {
        "lif": case([nn.Linear(6, 12), neuron.LIFNode(), nn.Linear(12, 8), undecayed], x),
        "cuba": case(
            [nn.Linear(6, 12), neuron.CUBALIFNode(v_threshold=0.8), nn.Linear(12, 8), parametric], x
        ),
        "if": case(
            [
                nn.Linear(6, 12),
                neuron.IFNode(v_reset=-0.25),
                nn.Linear(12, 8, bias=False),
                neuron.IFNode(v_threshold=0.5),
            ],
            x,
        ),
        "ties": case([diagonal, neuron.IFNode()], quarters(), last=1),
        "convolution": case(image, inputs((2, 8, 9), 3.0), last=5),
    }


def rockpool():
    import torch
    from rockpool.nn.combinators import Sequential
    from rockpool.nn.modules.torch import LIFNeuronTorch, LIFTorch, LinearTorch
    from rockpool.nn.modules.torch.nir import to_nir

    torch.manual_seed(1)

    def times(n):
        return {"tau_mem": between(0.01, 0.03, n), "tau_syn": between(0.005, 0.02, n), "dt": 1e-3}

    def neurons(n):
        return {"tau_mem": between(0.01, 0.03, n), "threshold": between(1, 2, n), "dt": 1e-3}

    def weights(scale):
        return LinearTorch((12, 8), weight=scale * torch.randn(12, 8))

    def case(modules, x):
        found, kind = {}, type(modules[1]).__name__
        y = torch.as_tensor(x).float().transpose(0, 1)
        for k, module in enumerate(modules):
            y, *_ = module(y)
            if k % 2:
                found[f"{k}_{kind}"] = y.detach().transpose(0, 1).numpy()
        return to_nir(Sequential(*modules)), x, found

    first = lambda: LinearTorch((6, 12), has_bias=True)  # noqa: E731
    ties = [LinearTorch((6, 6), weight=torch.eye(6)), LIFNeuronTorch(6, dt=1e-3)]
    return {
        "ties": case(ties, quarters()),
        "lif": case(
            [first(), LIFTorch(12, **times(12)), weights(0.04), LIFTorch(8, **times(8))],
            inputs(scale=0.15),
        ),
        "neuron": case(
            [
                first(),
                LIFNeuronTorch(12, **neurons(12)),
                weights(0.5),
                LIFNeuronTorch(8, **neurons(8)),
            ],
            inputs(scale=1.5),
        ),
    }


def sinabs():
    import torch
    from sinabs import layers
    from sinabs.nir import to_nir
    from torch import nn

    torch.manual_seed(1)

    def case(modules, x, last=3):
        net = nn.Sequential(*modules)
        flat = torch.as_tensor(x).float().transpose(0, 1).reshape(-1, *x.shape[2:])
        found = recorded(modules, net, [flat], {str(k): k for k in {1, last}})
        found = {
            name: v[0].reshape(TRIALS, len(x), *v.shape[2:]).swapaxes(0, 1)
            for name, v in found.items()
        }
        graph = to_nir(net, flat)
        for node in graph.nodes.values():  # what it leaves out, nir 1.0.4 cannot write
            if getattr(node, "input_shape", 0) is None:
                node.input_shape = np.array(x.shape[3:])
            if type(node).__name__ == "Flatten":
                node.input_type = {"input": np.array([3, 2, 2])}
        return graph, x, found

    def lif(n, low, high):
        tau, threshold = between(5, 20, n), between(low, high, n)
        return layers.LIFSqueeze(tau_mem=tau, spike_threshold=threshold, batch_size=TRIALS)

    image = [nn.Conv2d(2, 3, 3, stride=2, padding=1), layers.IAFSqueeze(batch_size=TRIALS)]
    image += [layers.SumPool2d(2), nn.Flatten(), nn.Linear(12, 5)]
    image += [layers.IAFSqueeze(batch_size=TRIALS)]
    diagonal = nn.Linear(6, 6, bias=False)
    diagonal.weight.data = torch.eye(6)
    return {
        "ties": case([diagonal, layers.IAFSqueeze(batch_size=TRIALS)], quarters(), last=1),
        "lif": case(
            [nn.Linear(6, 12), lif(12, 0.3, 0.6), nn.Linear(12, 8), lif(8, 0.05, 0.1)],
            inputs(scale=4.0),
        ),
        "convolution": case(image, inputs((2, 8, 8)), last=5),
    }


def spyx():
    import jax.numpy as jnp
    import spyx.nn as snn
    from flax import nnx
    from spyx.nir import to_nir

    rngs = nnx.Rngs(0)

    def case(modules, x, names):
        states = [m.initial_state(TRIALS) if hasattr(m, "initial_state") else None for m in modules]
        found = {name: [] for name in names}
        for now in x:
            y = jnp.asarray(now, jnp.float32)
            for k, module in enumerate(modules):
                if states[k] is None:
                    y = module(y)
                    continue
                y, states[k] = module(y, states[k])
                found[names[k // 2]].append(np.array(y))
        ends = {"input": np.array([6])}, {"output": np.array(y.shape[1:])}
        return (
            to_nir(snn.Sequential(*modules), *ends, dt=1),
            x,
            {name: np.array(y) for name, y in found.items()},
        )

    def linear(a, b, **options):
        return nnx.Linear(a, b, rngs=rngs, **options)

    diagonal = linear(6, 6, use_bias=False)
    diagonal.kernel[...] = jnp.eye(6)
    x, plain = inputs(scale=2.0), ("layer_1", "layer_3")
    return {
        "ties": case([diagonal, snn.IF((6,))], quarters(), ("layer_1",)),
        "lif": case(
            [linear(6, 12), snn.LIF((12,), rngs=rngs), linear(12, 8), snn.LIF((8,), rngs=rngs)],
            x,
            plain,
        ),
        "cuba": case(
            [
                linear(6, 12, use_bias=False),
                snn.CuBaLIF((12,), rngs=rngs),
                linear(12, 8),
                snn.IF((8,)),
            ],
            x,
            plain,
        ),
        "recurrent": case(
            [
                linear(6, 12),
                snn.RLIF((12,), rngs=rngs),
                linear(12, 8),
                snn.RCuBaLIF((8,), rngs=rngs),
            ],
            x,
            ("layer_1.lif", "layer_3.lif"),
        ),
    }


CASES = {f.__name__: f for f in (snntorch, norse, spikingjelly, rockpool, sinabs, spyx)}


def made(framework: str) -> dict:
    """The cases of a framework: graph, input, and what its nodes gave."""
    try:
        return CASES[framework]()
    finally:
        if "torch" in sys.modules:
            sys.modules["torch"].set_default_dtype(sys.modules["torch"].float32)


def write(framework: str, folder: Path) -> None:
    """A graph of each case, and beside it its input and what was given."""
    import nir

    told = f"{framework} {version(framework)}, nir {version('nir')}"
    for name, (graph, x, found) in made(framework).items():
        path = folder / f"{framework}_{name}"
        nir.write(f"{path}.nir", graph)
        spikes = {key: v if (v % 1).any() else v.astype(np.uint8) for key, v in found.items()}
        np.savez_compressed(f"{path}.npz", **{"input x": x.astype(np.float32), **spikes}, told=told)


def kept(name: str) -> tuple[np.ndarray, dict[str, np.ndarray], str]:
    """Input and what was given, of a kept graph, and the versions that gave it."""
    with np.load(KEPT / f"{name}.npz") as file:
        found = dict(file)
    return found.pop("input x").astype(float), found, str(found.pop("told"))


def changes(name: str) -> dict:
    """What the rules of a case have otherwise than its framework's."""
    return {k: v for key in (name.split("_")[0], name) for k, v in CHANGES.get(key, {}).items()}


def compared(graph, name: str, x: np.ndarray, found: dict[str, np.ndarray]):
    """Our run of a graph, and how its spikes are held against its framework's."""
    from spikesim.conversion import compare_spikes, nir_rules, read_nir, run_steps

    rules = nir_rules(name.split("_")[0], **changes(name))
    run = run_steps(read_nir(graph, rules), x.reshape(*x.shape[:2], -1), margins=True)
    expected = {key: v.reshape(*v.shape[:2], -1) for key, v in found.items() if key in run.spikes}
    return run, compare_spikes(run, expected, within=WITHIN)


def table() -> None:
    print("| graph | versions | rules | spikes | that differ | near the threshold |")
    print("|---|---|---|---:|---:|---:|")
    for path in sorted(KEPT.glob("*.nir")):
        name = path.stem
        x, found, told = kept(name)
        _, held = compared(path, name, x, found)
        rules = ", ".join([name.split("_")[0], *(f"{k} {v}" for k, v in changes(name).items())])
        print(
            f"| {name} | {told} | {rules} | {held.spikes:,} | {held.different:,} "
            f"| {held.near.size} |"
        )


if __name__ == "__main__":
    if sys.argv[1] == "table":
        table()
    else:
        write(sys.argv[1], Path(sys.argv[2]))
