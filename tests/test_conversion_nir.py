"""NIR graphs: of frameworks, against their own spikes; of ours, there and back; what is refused."""

import shutil

import h5py
import nir_frameworks
import numpy as np
import pytest
from scipy import signal

from spikesim.conversion import (
    NIRRules,
    StepFilter,
    StepMap,
    StepNetwork,
    StepNeuron,
    compare_spikes,
    nir_rules,
    read_nir,
    read_nir_data,
    run_steps,
    step_network,
    to_nir,
    to_nir_data,
    write_nir,
    write_nir_data,
)
from spikesim.conversion.nir.rules import FRAMEWORKS
from spikesim.rate import SNU, ALIFCell, LIFCell, RateNetwork

FOLDER = nir_frameworks.KEPT
KEPT = sorted(path.stem for path in FOLDER.glob("*.nir"))


def assert_own_spikes(graph, name, x, found):
    """Every spike is the framework's, and so is what filters give."""
    run, held = nir_frameworks.compared(graph, name, x, found)
    assert set(found) <= {*run.spikes, *run.outputs}
    assert held.same and held.spikes > 30, str(held)
    if name.endswith("ties"):  # there rounding has no part
        assert (held.near["u"] == 0).any()
    for key in set(found) & set(run.outputs):
        np.testing.assert_allclose(run.outputs[key], found[key], atol=1e-9)


@pytest.mark.filterwarnings("error:layer .* had most_spikes")
@pytest.mark.parametrize("name", KEPT)
def test_a_kept_graph_gives_its_frameworks_spikes(name):
    x, found, _ = nir_frameworks.kept(name)
    assert_own_spikes(FOLDER / f"{name}.nir", name, x, found)


@pytest.mark.parametrize("framework", nir_frameworks.CASES)
def test_a_graph_made_now_gives_its_frameworks_spikes(framework):
    for package in (framework, "nir", *(["nirtorch"] if framework != "spyx" else [])):
        pytest.importorskip(package)
    for name, (graph, x, found) in nir_frameworks.made(framework).items():
        assert_own_spikes(graph, f"{framework}_{name}", x, found)


def test_every_framework_but_lava_was_run():
    assert {name.split("_")[0] for name in KEPT} == set(FRAMEWORKS) - {"nir", "lava"}


def test_snntorchs_graph_as_it_stands_has_other_spikes():
    """It does not say that its reset subtracts, and that it is a step late."""
    x, expected, _ = nir_frameworks.kept("snntorch_leaky")
    found = run_steps(read_nir(FOLDER / "snntorch_leaky.nir", "nir", dt=1e-4), x)
    assert compare_spikes(found, expected).different > 100


# Graphs that are described here, as files without the package.


def array(*shape, low=0.5, high=1.0, seed=0):
    return np.random.default_rng([seed, *shape]).uniform(low, high, shape)


def graph(path, nodes, edges):
    """Write a file of nodes, each a kind and its arrays, those of a subgraph nodes and edges."""

    def fill(group, nodes, edges):
        group["type"] = "NIRGraph"
        group.create_dataset("edges", data=np.array(edges, dtype=h5py.string_dtype()))
        inner = group.create_group("nodes")
        for name, (kind, values) in nodes.items():
            each = inner.create_group(name)
            if kind == "NIRGraph":
                fill(each, *values)
                continue
            each["type"] = kind
            for key, value in values.items():
                each[key] = value

    with h5py.File(path, "w") as file:
        file["version"] = "1.0.8"
        fill(file.create_group("node"), nodes, edges)
    return path


def ends(n, m):
    return {"in": ("Input", {"shape": np.array(n)}), "out": ("Output", {"shape": np.array(m)})}


def lif(*shape, **changes):
    values = {"tau": array(*shape) * 0.02, "r": array(*shape), "v_leak": array(*shape) * 0.1}
    values |= {"v_threshold": array(*shape) * 0.05, "v_reset": np.zeros(shape), **changes}
    return "LIF", {key: value for key, value in values.items() if value is not None}


def chain(path, *named, shape=(4,), last=(3,)):
    """Nodes one after the other, between an input and an output."""
    nodes = {"in": ends(shape, last)["in"], **dict(named), "out": ends(shape, last)["out"]}
    return graph(path, nodes, list(zip(list(nodes)[:-1], list(nodes)[1:], strict=True)))


def test_the_equations_as_they_stand(tmp_path):
    """LIF, CubaLIF, IF, Threshold, LI, CubaLI and I by Euler steps, neuron by neuron."""
    tau, tau_syn = array(3) * 0.02, array(3, seed=1) * 0.01
    r, w_in, leak, reset = (
        array(3, seed=2),
        array(3, seed=3),
        array(3, seed=4) * 0.1,
        -array(3) / 20,
    )
    theta, weight = array(3, seed=5) * 0.1, np.random.default_rng(1).normal(0, 3, (3, 4))
    cuba = {"tau_mem": tau, "tau_syn": tau_syn, "r": r, "w_in": w_in, "v_leak": leak}
    fires = {"v_threshold": theta, "v_reset": reset}
    kinds = {
        "lif": ("LIF", {"tau": tau, "r": r, "v_leak": leak, **fires}),
        "cubalif": ("CubaLIF", {**cuba, **fires}),
        "if": ("IF", {"r": r * 50, **fires}),
        "threshold": ("Threshold", {"threshold": theta}),
        "li": ("LI", {"tau": tau, "r": r, "v_leak": leak}),
        "cubali": ("CubaLI", cuba),
        "i": ("I", {"r": r}),
    }
    nodes = {"in": ends((4,), (3,))["in"], "w": ("Linear", {"weight": weight}), **kinds}
    edges = [("in", "w"), *(("w", name) for name in kinds)]
    dt, x = 1e-3, np.random.default_rng(2).standard_normal((250, 2, 4))
    run = run_steps(read_nir(graph(tmp_path / "a.nir", nodes, edges), dt=dt), x)
    v, i = {name: np.zeros((2, 3)) for name in kinds}, dict.fromkeys(kinds, np.zeros((2, 3)))
    for t in range(len(x)):
        for name in kinds:
            given = x[t] @ weight.T
            if name.startswith("cuba"):
                given = i[name] = i[name] + dt / tau_syn * (-i[name] + w_in * given)
            if name in ("if", "i"):
                v[name] = v[name] + dt * kinds[name][1]["r"] * given
            elif name == "threshold":
                v[name] = given
            else:
                v[name] = v[name] + dt / tau * (leak - v[name] + r * given)
            if name in run.spikes:
                z = v[name] > theta
                np.testing.assert_array_equal(run.spikes[name][t], z)
                v[name] = np.where(z, reset, v[name])
            else:
                np.testing.assert_allclose(run.outputs[name][t], v[name], atol=1e-12)
    assert all(z.sum() > 20 for z in run.spikes.values())


def convolved(x, weight, stride, padding, dilation, groups):
    """By scipy's correlation, channel by channel."""
    made, each = weight.shape[:2]
    axes = x.ndim - 1
    spread = np.zeros(
        (made, each, *(d * (k - 1) + 1 for d, k in zip(dilation, weight.shape[2:], strict=True)))
    )
    spread[(..., *(slice(None, None, d) for d in dilation))] = weight
    x = np.pad(x, [(0, 0), *((p, p) for p in padding)])
    y = [
        sum(
            signal.correlate(x[o // (made // groups) * each + c], spread[o, c], mode="valid")
            for c in range(each)
        )
        for o in range(made)
    ]
    return np.array(y)[(slice(None), *(slice(None, None, s) for s in stride))], axes


CONVOLUTIONS = {
    "plain": ((2, 5, 6), (3, 2, 2, 3), 1, 0, 1, 1),
    "strided and padded": ((2, 6, 5), (4, 2, 3, 2), (2, 1), (1, 2), 1, 1),
    "dilated": ((1, 7, 8), (2, 1, 2, 3), 1, 1, (2, 1), 1),
    "in groups": ((4, 4, 4), (6, 2, 3, 3), 1, 1, 1, 2),
    "one axis": ((3, 9), (2, 3, 4), 2, 1, 1, 1),
}


@pytest.mark.parametrize("name", CONVOLUTIONS)
def test_convolutions(tmp_path, name):
    shape, kernel, stride, padding, dilation, groups = CONVOLUTIONS[name]
    axes, rng = len(shape) - 1, np.random.default_rng(3)
    weight, bias = rng.standard_normal(kernel), rng.standard_normal(kernel[0])
    values = {"weight": weight, "bias": bias, "stride": stride, "padding": padding}
    values |= {"dilation": dilation, "groups": groups}
    path = chain(tmp_path / "a.nir", ("c", (f"Conv{axes}d", values)), shape=shape, last=())
    x = rng.standard_normal((2, 1, *shape))
    found = run_steps(read_nir(path, dt=1e-3), x.reshape(2, 1, -1)).outputs["out"]
    pairs = [tuple(np.broadcast_to(v, axes)) for v in (stride, padding, dilation)]
    for t in range(2):
        y, _ = convolved(x[t, 0], weight, *pairs, groups)
        y = y + bias.reshape(-1, *[1] * axes)
        np.testing.assert_allclose(found[t, 0], y.ravel(), atol=1e-12)


@pytest.mark.parametrize("kernel", [(3, 3), (3, 2)])
def test_padding_of_the_same_size_and_none(tmp_path, kernel):
    weight = np.random.default_rng(0).standard_normal((1, 1, *kernel))
    values = {"weight": weight, "bias": np.zeros(1), "stride": 1, "dilation": 1, "groups": 1}
    x = np.random.default_rng(1).standard_normal((1, 1, 4, 5))
    for padding in ("same", "valid"):
        node = ("Conv2d", {**values, "padding": padding})
        path = chain(tmp_path / f"{padding}.nir", ("c", node), shape=(1, 4, 5), last=())
        found = run_steps(read_nir(path, dt=1e-3), x.reshape(1, 1, -1)).outputs["out"][0, 0]
        padded = x[0, 0]
        if padding == "same":  # what is left over is behind, as PyTorch has it
            padded = np.pad(padded, [((k - 1) // 2, k - 1 - (k - 1) // 2) for k in kernel])
        expected = signal.correlate(padded, weight[0, 0], mode="valid")
        np.testing.assert_allclose(found, expected.ravel(), atol=1e-12)


@pytest.mark.parametrize("kind", ["SumPool2d", "AvgPool2d"])
def test_pools_flattening_and_scales(tmp_path, kind):
    pool = (kind, {"kernel_size": (2, 3), "stride": (2, 1), "padding": (0, 1)})
    flatten = ("Flatten", {"start_dim": 0, "end_dim": -1})
    scale = array(2 * 2 * 4)
    nodes = ("p", pool), ("f", flatten), ("s", ("Scale", {"scale": scale}))
    path = chain(tmp_path / "a.nir", *nodes, shape=(2, 4, 4), last=(16,))
    x = np.random.default_rng(0).standard_normal((1, 1, 2, 4, 4))
    found = run_steps(read_nir(path, dt=1e-3), x.reshape(1, 1, -1)).outputs["out"][0, 0]
    padded = np.pad(x[0, 0], [(0, 0), (0, 0), (1, 1)])
    sums = [
        [[padded[c, 2 * i : 2 * i + 2, j : j + 3].sum() for j in range(4)] for i in range(2)]
        for c in range(2)
    ]
    share = 6 if kind == "AvgPool2d" else 1
    np.testing.assert_allclose(found, np.ravel(sums) / share * scale, atol=1e-12)


def test_delays_subgraphs_and_what_adds_up(tmp_path):
    """A recurrent subgraph behind a delay, beside a direct path; a delay after the neurons."""
    rng, dt = np.random.default_rng(4), 1e-3
    w = {k: rng.normal(0, 2, s) for k, s in {"a": (3, 4), "b": (3, 4), "r": (3, 3)}.items()}
    delay = np.array([0, 1, 2, 3]) * dt
    bias = rng.uniform(0, 1, 3)
    inner = {
        "x": ("Input", {"shape": np.array([3])}),
        "lif": lif(3),
        "w_rec": ("Affine", {"weight": w["r"], "bias": bias}),
        "y": ("Output", {"shape": np.array([3])}),
    }
    loop = [("x", "lif"), ("lif", "w_rec"), ("w_rec", "lif"), ("lif", "y")]
    nodes = {
        **ends((4,), (3,)),
        "late": ("Delay", {"delay": delay}),
        "a": ("Linear", {"weight": w["a"]}),
        "b": ("Linear", {"weight": w["b"]}),
        "rnn": ("NIRGraph", (inner, loop)),
        "after": ("Delay", {"delay": np.array([2, 0, 1]) * dt}),
        "same": ("Identity", {"shape": np.array([3])}),
    }
    edges = [("in", "late"), ("late", "a"), ("in", "b"), ("a", "rnn"), ("b", "rnn")]
    edges += [("rnn", "after"), ("after", "same"), ("same", "out")]
    network = read_nir(graph(tmp_path / "a.nir", nodes, edges), dt=dt)
    x = rng.standard_normal((60, 2, 4))
    run = run_steps(network, x)
    values = lif(3)[1]
    v, z = np.zeros((2, 3)), np.zeros((60, 2, 3))
    for t in range(60):
        late = np.stack([x[t - k, :, k] if t >= k else np.zeros(2) for k in range(4)], axis=1)
        came = late @ w["a"].T + x[t] @ w["b"].T + bias
        if t:
            came = came + z[t - 1] @ w["r"].T
        v = v + dt / values["tau"] * (values["v_leak"] - v + values["r"] * came)
        z[t] = v > values["v_threshold"]
        v = np.where(z[t] > 0, 0, v)
    np.testing.assert_array_equal(run.spikes["rnn.lif"], z)
    for k, steps in enumerate((2, 0, 1)):
        expected = np.concatenate([np.zeros((steps, 2)), z[: 60 - steps, :, k]])
        np.testing.assert_array_equal(run.outputs["out"][:, :, k], expected)
    assert z.sum() > 50


def test_numbers_for_all_neurons_and_a_missing_reset(tmp_path):
    """Parameters of size 1 are for all; files without v_reset mean 0."""
    one = {k: np.array(v) for k, v in {"tau": 0.02, "r": 1.0, "v_leak": 0.0}.items()}
    node = ("LIF", {**one, "v_threshold": np.array([0.05])})
    weights = ("Linear", {"weight": np.random.default_rng(0).normal(0, 2, (3, 4))})
    network = read_nir(chain(tmp_path / "a.nir", ("w", weights), ("lif", node)), dt=1e-3)
    layer = network.layers["lif"]
    assert layer.size == 3 and not np.any(layer.reset_to)
    np.testing.assert_allclose(layer.keep, 0.95)


# There and back.

GRID = NIRRules(dt=1e-3, refractory=2e-3)
ROUND = {
    "as it stands": GRID,
    "exact": NIRRules(dt=2e-3, decay="exact", reset="subtract", strict=False),
    "rockpool": nir_rules("rockpool", dt=1e-3, most_spikes=2),
    "norse": nir_rules("norse"),
    "snntorch": nir_rules("snntorch"),
    "spyx": nir_rules("spyx", cuba_reset_late=True),
}


def of_rules(rules):
    """A network of every layer that the rules have."""
    rng = np.random.default_rng(5)
    shared = {
        "strict": rules.strict,
        "reset": rules.reset,
        "reset_late": rules.reset_late,
        "refractory": 0 if rules.most_spikes > 1 else round(rules.refractory / rules.dt),
        "spikes_late": rules.spikes_late,
        "most_spikes": rules.most_spikes,
    }
    gain = {} if rules.gain == "one" else {"gain": rng.uniform(0.5, 1, 6)}
    rest = rng.uniform(0, 0.1, 6)
    leak = {"keep": rng.uniform(0.5, 0.9, 6), "rest": rest, **gain}
    leak["start"] = rest if rules.start == "leak" else 0.0
    layers = {
        "lif": StepNeuron(6, **leak, **shared),
        "cuba": StepNeuron(
            6, **leak, synapse_keep=rng.uniform(0.3, 0.6, 6), synapse_gain=0.7, **shared
        ),
        "if": StepNeuron(6, gain=rng.uniform(0.5, 1, 6), threshold=1.5, **shared),
        "smooth": StepFilter(6, keep=0.9, gain=0.2),
        "sum": StepFilter(6, keep=1.0, gain=0.5),
        "read": StepFilter(2),
    }
    if rules.most_spikes == 1:
        kept = {k: shared[k] for k in ("strict", "spikes_late")}
        layers["step"] = StepNeuron(6, keep=0.0, reset="none", **kept)
    delays = np.tile(rng.integers(0, 3, 6), (6, 1))
    maps = [StepMap("x", name, rng.normal(0, 0.8, (6, 4)), bias=0.1) for name in ("lif", "if")]
    maps += [
        StepMap("lif", "lif", rng.normal(0, 0.4, (6, 6)), delay=1 - rules.spikes_late),
        StepMap("lif", "cuba", rng.normal(0, 1, (6, 6)), delay=delays, bias=0.2),
        StepMap("if", "cuba", np.eye(6)),
        StepMap("cuba", "smooth", np.eye(6), delay=2, bias=rng.normal(0, 1, 6)),
        StepMap("cuba", "sum", np.eye(6)),
        StepMap("smooth", "read", rng.normal(0, 1, (2, 6)), bias=0.5),
    ]
    if "step" in layers:
        maps.append(StepMap("x", "step", rng.normal(0, 1, (6, 4))))
    return StepNetwork({"x": 4}, layers, maps, 1000 * rules.dt)


@pytest.mark.filterwarnings("ignore:layer .* had most_spikes")
@pytest.mark.parametrize("name", ROUND)
def test_a_network_is_the_same_there_and_back(tmp_path, name):
    nir = pytest.importorskip("nir")
    network, rules = of_rules(ROUND[name]), ROUND[name]
    write_nir(network, tmp_path / "a.nir", rules)
    x = np.random.default_rng(6).standard_normal((60, 2, 4))
    expected = run_steps(network, x)
    assert all(z.sum() > 10 for z in expected.spikes.values())
    assert "lif->lif delay" not in to_nir(network, rules).nodes  # a recurrence is a step by itself
    for source in (tmp_path / "a.nir", to_nir(network, rules), nir.read(tmp_path / "a.nir")):
        found = run_steps(read_nir(source, rules), x)
        for layer, z in expected.spikes.items():
            np.testing.assert_array_equal(found.spikes[layer], z)
        for layer, y in expected.outputs.items():
            np.testing.assert_allclose(found.outputs[layer], y, atol=1e-9)


def test_a_rate_network_as_a_nir_graph(tmp_path):
    pytest.importorskip("nir")
    cells = [LIFCell(12, t_ref=3.0), LIFCell(9, t_ref=3.0)]
    trained = RateNetwork(cells, 4, 2, 1.0, dtype="float64", readout_tau=20.0)
    trained.parameters["0.b"] += 0.8
    rules = NIRRules(1e-3, reset="subtract", reset_late=True, strict=False, refractory=3e-3)
    network = step_network(trained)
    write_nir(network, tmp_path / "a.nir", rules)
    x = np.random.default_rng(0).standard_normal((80, 2, 4))
    run = run_steps(read_nir(tmp_path / "a.nir", rules), x)
    outputs = trained.forward(x)
    assert compare_spikes(run, {str(i): z for i, z in enumerate(trained.rates)}).same
    np.testing.assert_allclose(run.outputs["out"], outputs, atol=1e-9)
    with pytest.raises(FileExistsError, match="a.nir exists"):
        write_nir(network, tmp_path / "a.nir", rules)


SUBTRACTS = NIRRules(1e-3, reset="subtract", reset_late=True, strict=False)
NOT_HELD = {
    "reset_late is True; in a NIR graph by these rules it would be False": (
        StepNeuron(2, keep=0.5, reset_late=True, reset="value", strict=True),
        NIRRules(1e-3),
    ),
    "reset is 'subtract'": (StepNeuron(2, strict=True), NIRRules(1e-3)),
    "adaptation_keep is 0.5": (
        StepNeuron(2, reset_late=True, adaptation_keep=0.5),
        SUBTRACTS,
    ),
    "least is 0.0": (StepNeuron(2, least=0.0, reset_late=True), SUBTRACTS),
    "refractory is 2": (StepNeuron(2, refractory=2, reset_late=True), SUBTRACTS),
    "strict is True": (StepNeuron(2, strict=True, reset_late=True), SUBTRACTS),
    "synapse_late is True": (
        StepNeuron(2, keep=0.5, synapse_keep=0.5, synapse_late=True, reset_late=True),
        SUBTRACTS,
    ),
    "keep is 1 to 1; a NIR node with a leak": (
        StepNeuron(2, synapse_keep=0.5, reset_late=True),
        SUBTRACTS,
    ),
    "start is 1.0": (StepNeuron(2, start=1.0, reset_late=True), SUBTRACTS),
    "rules have dt = 0.002 s and the network 1 ms": (StepNeuron(2), NIRRules(2e-3)),
}


@pytest.mark.parametrize("told", NOT_HELD)
def test_what_nir_cannot_hold_is_refused(told):
    pytest.importorskip("nir")
    layer, rules = NOT_HELD[told]
    network = StepNetwork({"x": 2}, {"a": layer}, [StepMap("x", "a", np.eye(2))], 1.0)
    with pytest.raises(ValueError, match=told):
        to_nir(network, rules)


@pytest.mark.parametrize("name", ["", "a/b"])
def test_names_that_nir_cannot_hold_are_refused(name):
    pytest.importorskip("nir")
    network = StepNetwork({"x": 2}, {name: StepNeuron(2)}, [StepMap("x", name, np.eye(2))], 1.0)
    with pytest.raises(ValueError, match="cannot be the name of a NIR node"):
        to_nir(network, dt=1e-3)


@pytest.mark.parametrize("cell", [SNU(3), ALIFCell(3)])
def test_cells_that_nir_cannot_hold_are_refused(cell):
    pytest.importorskip("nir")
    network = step_network(RateNetwork([cell], 2, 1, 1.0))
    with pytest.raises(ValueError, match="NIR has no place for it"):
        to_nir(network, NIRRules(1e-3, reset="value", strict=False))


# Data.


def a_run(most=1):
    layer = StepNeuron(5, keep=0.9, most_spikes=most)
    layers = {"a": layer, "b.c": StepNeuron(3), "read": StepFilter(2, keep=0.5)}
    rng = np.random.default_rng(7)
    maps = [StepMap("x", "a", rng.normal(0, 2, (5, 4))), StepMap("a", "read", np.ones((2, 5)))]
    maps.append(StepMap("a", "b.c", rng.normal(0, 1, (3, 5))))
    x = rng.standard_normal((50, 3, 4))
    return run_steps(StepNetwork({"x": 4}, layers, maps, 0.1), x)


@pytest.mark.filterwarnings("ignore:layer .* had most_spikes")
@pytest.mark.parametrize("most", [1, 3])
def test_data_there_and_back(tmp_path, most):
    nir = pytest.importorskip("nir")
    run = a_run(most)
    write_nir_data(run, tmp_path / "a.h5")
    with pytest.raises(FileExistsError, match="a.h5 exists"):
        write_nir_data(run, tmp_path / "a.h5")
    theirs = nir.read_data(tmp_path / "a.h5").nodes["a"].observables["spikes"]
    assert theirs.data.shape == (3, 50, 5) and theirs.dt == 1e-4
    assert (theirs.data.dtype == bool) == (most == 1)
    for source in (tmp_path / "a.h5", to_nir_data(run)):
        found = read_nir_data(source)
        assert found.dt == pytest.approx(0.1) and compare_spikes(found, run).same
        np.testing.assert_array_equal(found.outputs["read"], run.outputs["read"])


def test_events_fall_into_the_steps_that_they_come_from():
    """Where time over dt, cut off, would lose a step of some of them."""
    nir = pytest.importorskip("nir")
    for dt in (1e-4, 1e-3, 0.1):
        grid = nir.TimeGriddedData(np.ones((2, 1000, 1), bool), dt)
        events = {shift: grid.to_event(1000, shift * dt) for shift in (0.0, 0.5, 0.99)}
        for event in events.values():
            data = nir.NIRGraphData({"a": nir.NIRNodeData({"spikes": event})})
            assert (read_nir_data(data, dt=dt).spikes["a"] == 1).all()


def test_data_within_data_and_events_with_values():
    nir = pytest.importorskip("nir")
    event = nir.ValuedEventData(
        idx=np.array([[1, 0, -1]]),
        time=np.array([[0.002, 0.0, np.inf]]),
        value=np.array([[2.0, 1.0, 0.0]]),
        n_neurons=2,
        t_max=0.004,
    )
    inner = nir.NIRGraphData({"a": nir.NIRNodeData({"spikes": event})})
    found = read_nir_data(nir.NIRGraphData({"rnn": inner}), dt=1e-3)
    np.testing.assert_array_equal(found.spikes["rnn.a"][:, 0], [[1, 0], [0, 0], [0, 2], [0, 0]])


# Bad input.

GOOD = {"w": ("Linear", {"weight": np.ones((3, 4))}), "lif": lif(3)}
LOOP = [("in", "w"), ("w", "lif"), ("lif", "out")]


def bad(nodes=None, edges=None, **changes):
    return {**ends((4,), (3,)), **GOOD, **(nodes or {}), **changes}, edges or LOOP


BAD = {
    "NIR node 'lif' is of kind 'Izhikevich', which is not known here": bad(
        lif=("Izhikevich", {"a": 1.0})
    ),
    r"NIR node 'rnn.odd' is of kind 'LSTM'": bad(
        {"rnn": ("NIRGraph", ({"odd": ("LSTM", {"a": 1.0})}, [("odd", "odd")]))}
    ),
    r"NIR node 'w' \(Linear\): weight holds nan": bad(
        w=("Linear", {"weight": np.full((3, 4), np.nan)})
    ),
    r"NIR node 'lif' \(LIF\): shapes are .*; they must be one": bad(lif=lif(3, tau=np.ones(2))),
    r"NIR node 'lif' \(LIF\) has no 'tau'": bad(lif=lif(3, tau=None)),
    r"NIR node 'lif' \(LIF\): a time constant is 0; it must be above 0": bad(
        lif=lif(3, tau=np.zeros(3))
    ),
    "a time constant is 1e-05 s, below dt = 0.001 s": bad(lif=lif(3, tau=np.full(3, 1e-5))),
    r"NIR node 'w' \(Linear\) gets shape \(5,\) from 'in'; it must be \(4,\)": bad(
        ends((5,), (3,))
    ),
    r"NIR node 'lif' \(LIF\) gets shape \(3,\) from 'w'; it must be \(2,\)": bad(lif=lif(2)),
    r"NIR node 'out' \(Output\) gets shape \(3,\)": bad(ends((4,), (2,))),
    "weight has shape .*; it must be a matrix": bad(w=("Linear", {"weight": np.ones((2, 3, 4))})),
    "bias has shape": bad(w=("Affine", {"weight": np.ones((3, 4)), "bias": np.ones(2)})),
    "its shape is not told": bad(
        {"in": ("Input", {"shape": np.zeros(0)}), "w": ("Flatten", {"start_dim": 0, "end_dim": 0})},
        lif=lif(),
    ),
    "Input.* has no 'shape'": bad({"in": ("Input", {})}),
    "the graph has no Input": bad({"in": ("Identity", {})}),
    "'a' -> 'b' -> 'a' is a circle without a neuron": bad(
        {k: ("Scale", {"scale": np.ones(3)}) for k in "ab"},
        [*LOOP, ("a", "b"), ("b", "a"), ("a", "lif")],
    ),
    "give to each other in a circle of 2 map": bad(
        {"other": lif(3)}, [*LOOP, ("lif", "other"), ("other", "lif")]
    ),
    "'li' is a filter of spikes and gives to the neurons 'other'": bad(
        {"li": ("LI", {k: np.ones(3) for k in ("tau", "r", "v_leak")}), "other": lif(3)},
        [*LOOP, ("lif", "li"), ("li", "other")],
    ),
    "the edge from 'w' to 'gone' has no node 'gone'": bad(edges=[*LOOP, ("w", "gone")]),
    "the edge from 'in' to 'w' is there twice": bad(edges=[*LOOP, ("in", "w")]),
    "they must be whole steps of dt": bad(
        {"late": ("Delay", {"delay": np.full(3, 1.5e-3)})},
        [("in", "w"), ("w", "late"), ("late", "lif"), ("lif", "out")],
    ),
    "gets a bias that a Delay makes 2 step": bad(
        {
            "w": ("Affine", {"weight": np.ones((3, 4)), "bias": np.ones(3)}),
            "late": ("Delay", {"delay": np.full(3, 2e-3)}),
        },
        [("in", "w"), ("w", "late"), ("late", "lif"), ("lif", "out")],
    ),
    r"'c' \(Conv2d\): what comes in has shape \(4,\)": bad(
        {
            "c": (
                "Conv2d",
                {
                    "weight": np.ones((1, 1, 2, 2)),
                    "bias": np.ones(1),
                    **dict.fromkeys(("stride", "padding", "dilation", "groups"), 1),
                },
            )
        },
        [("in", "c"), ("c", "out")],
    ),
}


@pytest.mark.parametrize("told", BAD)
def test_bad_graphs_are_told_in_a_sentence(tmp_path, told):
    with pytest.raises(ValueError, match=told):
        read_nir(graph(tmp_path / "a.nir", *BAD[told]), dt=1e-3)


def test_files_of_another_kind(tmp_path):
    (tmp_path / "text.nir").write_text("no graph")
    with pytest.raises(ValueError, match="text.nir is no HDF5 file"):
        read_nir(tmp_path / "text.nir", dt=1e-3)
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1.0
    with pytest.raises(ValueError, match="other.h5 is no NIR graph: .* 'node', but 'x'"):
        read_nir(tmp_path / "other.h5", dt=1e-3)
    with h5py.File(tmp_path / "node.h5", "w") as file:
        file["node/type"] = "LIF"
    with pytest.raises(ValueError, match="holds a node of kind 'LIF'"):
        read_nir(tmp_path / "node.h5", dt=1e-3)
    with pytest.raises(FileNotFoundError, match="gone.nir does not exist"):
        read_nir(tmp_path / "gone.nir", dt=1e-3)
    with pytest.raises(TypeError, match="it must be a path or a nir.NIRGraph"):
        read_nir(3, dt=1e-3)


def test_rules_that_are_not_allowed(tmp_path):
    path = shutil.copy(FOLDER / "norse_box.nir", tmp_path)
    with pytest.raises(ValueError, match="dt is missing"):
        read_nir(path)
    with pytest.raises(ValueError, match="dt is missing: .*'rockpool'"):
        nir_rules("rockpool")
    with pytest.raises(ValueError, match="framework is 'brian'"):
        read_nir(path, "brian", dt=1e-3)
    with pytest.raises(TypeError, match="rules is 3; it must be NIRRules"):
        read_nir(path, 3)
    with pytest.raises(TypeError, match="dt is a field of the rules that are given"):
        read_nir(path, nir_rules("norse"), dt=1e-3)
    for name in ("decay", "gain", "integration", "synapse", "reset", "start"):
        with pytest.raises(ValueError, match=f"NIRRules: {name} is 'odd'"):
            nir_rules("norse", **{name: "odd"})
    with pytest.raises(ValueError, match="dt is -1"):
        NIRRules(dt=-1)


def test_bad_data(tmp_path):
    nir = pytest.importorskip("nir")
    with pytest.raises(FileNotFoundError, match="gone.h5 does not exist"):
        read_nir_data(tmp_path / "gone.h5")
    with pytest.raises(ValueError, match="is no file of NIRGraphData"):
        read_nir_data(FOLDER / "norse_box.nir")
    with pytest.raises(TypeError, match="it must be a path or a nir.NIRGraphData"):
        read_nir_data({})

    def of(**nodes):
        made = {name: nir.NIRNodeData({"spikes": each}) for name, each in nodes.items()}
        return nir.NIRGraphData(made)

    grid = nir.TimeGriddedData(np.ones((1, 10, 2), bool), 1e-3)
    other = nir.TimeGriddedData(np.ones((1, 10, 2), bool), 2e-3)
    with pytest.raises(ValueError, match="'b' has dt = 0.002 s, another 0.001 s"):
        read_nir_data(of(a=grid, b=other))
    with pytest.raises(ValueError, match="'a' has dt = 0.001 s, another 0.005 s"):
        read_nir_data(of(a=grid), dt=5e-3)
    event = nir.EventData(np.array([[3]]), np.array([[0.001]]), 2, 0.01)
    with pytest.raises(ValueError, match="holds events, by time; give dt"):
        read_nir_data(of(a=event))
    with pytest.raises(ValueError, match="an event of neuron 3 is at 0.001 s"):
        read_nir_data(of(a=event), dt=1e-3)
    with pytest.raises(ValueError, match="spikes hold -1"):
        read_nir_data(of(a=nir.TimeGriddedData(-np.ones((1, 10, 2)), 1e-3)))
    with pytest.raises(ValueError, match="neither spikes nor v"):
        read_nir_data(nir.NIRGraphData({}))
