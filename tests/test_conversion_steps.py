"""Step-by-step networks on the engine: against a twin to be read, and against rate networks."""

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse

from spikesim.conversion import (
    StepFilter,
    StepMap,
    StepNetwork,
    StepNeuron,
    compare_spikes,
    compare_with_rate,
    run_steps,
    step_network,
)
from spikesim.rate import (
    GRU,
    LSTM,
    SNU,
    ALIFCell,
    LeakyRNN,
    LIFCell,
    RateNetwork,
    go_nogo,
    train,
)

STEPS, TRIALS, INPUTS = 40, 3, 4

pytestmark = pytest.mark.filterwarnings("ignore:layer .* had most_spikes")


def twin(layer, x):
    """Spikes and u (steps, size) of what arrives (steps, size), by itself: no recurrence."""
    state = Twin(layer)
    return tuple(map(np.array, zip(*(state.step(now) for now in x), strict=True)))


class Twin:
    """One layer, one neuron after the other, as the docstring of `StepNeuron` has it."""

    def __init__(self, layer):
        self.layer, n = layer, layer.size
        self.v = np.array(np.broadcast_to(layer.start, n), float)
        self.i, self.q, self.z = np.zeros(n), np.zeros(n), np.zeros(n)
        self.last = np.full(n, -1000)
        self.t = 0

    def value(self, name, k):
        return np.broadcast_to(getattr(self.layer, name), self.layer.size)[k]

    def step(self, x):
        u = np.zeros(self.layer.size)
        for k in range(self.layer.size):
            u[k] = self.neuron(k, x[k])
        self.t += 1
        return self.z.copy(), u

    def neuron(self, k, x):
        layer = self.layer
        get = lambda name: self.value(name, k)  # noqa: E731
        waits = self.t - self.last[k] <= layer.refractory
        before, drive = self.i[k], x
        if layer.synapse_keep is not None:
            self.i[k] = get("synapse_keep") * self.i[k] + get("synapse_gain") * x
            drive = before if layer.synapse_late else self.i[k]
        v = self.v[k]
        if not (waits and layer.refractory_holds):
            v = get("rest") + get("keep") * (v - get("rest")) + get("gain") * drive
            if layer.reset_late and layer.reset == "subtract":
                v -= self.z[k] * get("threshold")
            if layer.reset_late and layer.reset == "value" and self.z[k]:
                v = get("reset_to")
            if layer.least is not None:
                v = max(v, get("least"))
        if layer.adaptation_keep is not None:
            self.q[k] = get("adaptation_keep") * self.q[k] + get("adaptation_step") * self.z[k]
        u = v - get("threshold") - self.q[k]
        if layer.most_spikes > 1:
            self.z[k] = np.clip(np.floor(v / get("threshold")), 0, layer.most_spikes)
        else:
            self.z[k] = (u > 0 if layer.strict else u >= 0) and not waits
        if self.z[k]:
            self.last[k] = self.t
            if not layer.reset_late and layer.reset == "subtract":
                v -= self.z[k] * get("threshold")
            if not layer.reset_late and layer.reset == "value":
                v = get("reset_to")
        self.v[k] = v
        return u


LAYERS = {
    "if": {},
    "leaky": {"keep": 0.9, "gain": 0.3, "rest": 0.2, "start": 0.5, "strict": True},
    "late": {"keep": 0.9, "reset_late": True},
    "late value": {"keep": 0.9, "reset": "value", "reset_to": -0.2, "reset_late": True},
    "value": {"keep": 0.8, "reset": "value", "reset_to": -0.2, "least": -0.5},
    "no reset": {"keep": 0.7, "reset": "none"},
    "refractory": {"keep": 0.9, "refractory": 3, "threshold": 0.7},
    "held": {"keep": 0.9, "refractory": 2, "refractory_holds": True, "reset": "value"},
    "synapse": {"keep": 0.9, "synapse_keep": 0.6, "synapse_gain": 0.5},
    "late synapse": {"keep": 0.9, "synapse_keep": 0.6, "synapse_late": True},
    "adaptive": {"keep": 0.9, "adaptation_keep": 0.95, "adaptation_step": 0.3, "reset_late": True},
    "several": {"keep": 0.9, "most_spikes": 3, "threshold": 0.5, "least": -1.0},
    "spikes by itself": {"threshold": -0.1, "keep": 0.5},
}


def layer(name, size=7, seed=0):
    """A layer whose numbers differ from neuron to neuron."""
    settings = dict(LAYERS[name])
    rng = np.random.default_rng(seed)
    for key, value in settings.items():
        if isinstance(value, float):
            settings[key] = value * rng.uniform(0.9, 1.0, size)
    return StepNeuron(size, **settings)


def by_hand(first, second, maps, x):
    """Spikes and u of an input, a layer and a second one, one trial, by loops."""
    into, recurrent, onward, back = maps
    one, two = Twin(first), Twin(second)
    z1, z2 = np.zeros((len(x), first.size)), np.zeros((len(x), second.size))
    u1, u2 = z1.copy(), z2.copy()
    for t in range(len(x)):
        arrived = into.bias + into.weights @ x[t]
        arrived += recurrent.bias + sum(
            recurrent.weights.toarray()[:, [j]][:, 0] * z1[t - recurrent.delay[0, j], j]
            for j in range(first.size)
            if t >= recurrent.delay[0, j]
        )
        if t >= 2:
            arrived = arrived + back.weights @ z2[t - 2]
        z1[t], u1[t] = one.step(arrived)
        z2[t], u2[t] = two.step(onward.bias + onward.weights @ z1[t])
    return {"one": z1, "two": z2}, {"one": u1, "two": u2}


@pytest.mark.parametrize("name", LAYERS)
@pytest.mark.parametrize("other", ["leaky", "several"])
def test_layers_are_as_the_twin_has_them(name, other):
    rng = np.random.default_rng(5)
    first, second = layer(name), layer(other, size=5, seed=1)
    maps = [
        StepMap("x", "one", rng.standard_normal((7, INPUTS)), bias=rng.uniform(0, 0.4, 7)),
        StepMap("one", "one", rng.normal(0, 0.4, (7, 7)), delay=rng.integers(1, 4, (1, 7))),
        StepMap("one", "two", rng.normal(0.6, 1.0, (5, 7)), bias=0.3),
        StepMap("two", "one", sparse.csr_array(rng.normal(0, 0.4, (7, 5))), delay=2),
    ]
    network = StepNetwork({"x": INPUTS}, {"one": first, "two": second}, maps, dt=0.7)
    assert network.lags == {"one": 0, "two": 1}
    x = rng.standard_normal((STEPS, TRIALS, INPUTS))
    run = run_steps(network, x, margins=True)
    for trial in range(TRIALS):
        z, u = by_hand(first, second, maps, x[:, trial])
        for each in ("one", "two"):
            assert z[each].sum() > 10
            np.testing.assert_array_equal(run.spikes[each][:, trial], z[each])
            np.testing.assert_allclose(run.margins[each][:, trial], u[each], atol=1e-12)


@pytest.mark.parametrize("name", ["if", "late", "refractory", "several"])
def test_spikes_may_be_given_a_step_late(name):
    """As a layer whose maps have one step more, also onto itself."""
    rng = np.random.default_rng(6)
    settings = {**LAYERS[name]}
    weights = [rng.normal(0.2, 1, shape) for shape in ((7, INPUTS), (7, 7), (5, 7), (7, 5))]

    def network(late):
        maps = [
            StepMap("x", "one", weights[0]),
            StepMap("one", "one", weights[1] / 3, delay=not late),
            StepMap("one", "two", weights[2], delay=not late),
            StepMap("two", "one", weights[3] / 3, delay=1),
            StepMap("one", "out", np.eye(7), delay=not late),
        ]
        one = StepNeuron(7, **settings, spikes_late=late)
        return StepNetwork(
            {"x": INPUTS}, {"one": one, "two": layer("leaky", 5), "out": StepFilter(7)}, maps, 1.0
        )

    assert network(True).lags == {"one": 0, "two": 0}
    x = rng.standard_normal((STEPS, TRIALS, INPUTS))
    late, plain = (run_steps(network(is_late), x, margins=True) for is_late in (True, False))
    np.testing.assert_array_equal(late.spikes["one"][1:], plain.spikes["one"][:-1])
    np.testing.assert_array_equal(late.spikes["two"], plain.spikes["two"])
    np.testing.assert_array_equal(late.outputs["out"], late.spikes["one"])
    assert late.spikes["two"].sum() > 10 and not late.spikes["one"][0].any()


def test_more_spikes_than_there_may_be_are_told():
    network = StepNetwork(
        {"x": 1}, {"a": StepNeuron(1, most_spikes=3)}, [StepMap("x", "a", np.eye(1))], 1.0
    )
    assert run_steps(network, np.full((1, 1, 1), 2.5)).spikes["a"].item() == 2
    with pytest.warns(UserWarning, match="most_spikes = 3 spikes of a neuron in 2 step"):
        run = run_steps(network, np.full((2, 1, 1), 4.5))
    np.testing.assert_array_equal(run.spikes["a"].ravel(), [3, 3])


@pytest.mark.parametrize("name", LAYERS)
def test_a_layer_that_is_late_waits(name):
    """A chain whose last layers would fire, or leak, before anything could have come."""
    rng, second = np.random.default_rng(2), layer(name)
    maps = [
        StepMap("x", "one", rng.standard_normal((7, INPUTS))),
        StepMap("one", "two", rng.normal(0, 0.5, (7, 7))),
        StepMap("two", "three", rng.normal(0, 0.5, (7, 7)), bias=0.3),
    ]
    layers = {"three": second, "two": layer("spikes by itself"), "one": layer("if")}
    network = StepNetwork({"x": INPUTS}, layers, maps, dt=1.0)
    assert network.lags == {"one": 0, "two": 1, "three": 2}
    x = rng.standard_normal((STEPS, 1, INPUTS))
    run = run_steps(network, x, margins=True)
    z, u = twin(second, 0.3 + run.spikes["two"][:, 0] @ maps[2].weights.toarray().T)
    np.testing.assert_array_equal(run.spikes["three"][:, 0], z)
    np.testing.assert_allclose(run.margins["three"][:, 0], u, atol=1e-12)


def test_filters_before_neurons_and_after_them():
    rng = np.random.default_rng(4)
    layers = {
        "out": StepFilter(2, keep=0.9, gain=0.1, rest=0.5),
        "relay": StepFilter(3),
        "smooth": StepFilter(3, keep=np.array([0.2, 0.5, 1.0]), start=0.3),
        "spike": layer("if"),
    }
    maps = [
        StepMap("x", "smooth", rng.standard_normal((3, INPUTS)), delay=2, bias=0.2),
        StepMap("smooth", "spike", rng.standard_normal((7, 3))),
        StepMap("spike", "relay", rng.standard_normal((3, 7)), delay=rng.integers(0, 3, (3, 1))),
        StepMap("relay", "out", rng.standard_normal((2, 3)), bias=1.0),
        StepMap("smooth", "out", rng.standard_normal((2, 3))),
    ]
    x = rng.standard_normal((STEPS, 1, INPUTS))
    run = run_steps(StepNetwork({"x": INPUTS}, layers, maps, 1.0), x)
    smooth, out = np.full(3, 0.3), np.zeros(2)
    weights, late = [m.weights.toarray() for m in maps], maps[2].delay[:, 0]
    z = run.spikes["spike"][:, 0]
    seen = []
    for t in range(STEPS):
        came = weights[0] @ x[t - 2, 0] if t >= 2 else 0
        smooth = layers["smooth"].keep * smooth + came + 0.2
        seen.append(weights[1] @ smooth)
        relay = [weights[2][k] @ z[t - late[k]] if t >= late[k] else 0 for k in range(3)]
        out = 0.5 + 0.9 * (out - 0.5) + 0.1 * (weights[3] @ relay + 1 + weights[4] @ smooth)
        np.testing.assert_allclose(run.outputs["smooth"][t, 0], smooth, atol=1e-12)
        np.testing.assert_allclose(run.outputs["out"][t, 0], out, atol=1e-12)
    np.testing.assert_array_equal(twin(layers["spike"], np.array(seen))[0], z)
    assert z.sum() > 10


CELLS = {
    "snu": [SNU(20, tau=5.0)],
    "snu of any sign": [SNU(20, tau=3.0, rectify=False)],
    "lif": [LIFCell(20, tau=5.0, t_ref=0.0)],
    "refractory lif": [LIFCell(20, tau=5.0, t_ref=3.0, input="spikes")],
    "alif": [ALIFCell(20, tau=5.0, t_ref=2.0, tau_adapt=9.0, beta=0.3, adaptive=0.6)],
    "stack": [LIFCell(30), SNU(20), ALIFCell(70, t_ref=0.0, input="spikes")],
}


def rate_network(cells, seed=0, **options):
    network = RateNetwork(cells, INPUTS, 2, 1.0, dtype="float64", seed=seed, **options)
    rng = np.random.default_rng(seed)
    for i, cell in enumerate(cells):
        network.parameters[f"{i}.b"] += rng.uniform(0.2, 1.2, cell.units)
    return network, rng.standard_normal((100, 4, INPUTS))


@pytest.mark.parametrize("name", CELLS)
@pytest.mark.parametrize("seed", [1, 2])
def test_spikes_are_those_of_the_rate_network(name, seed):
    network, x = rate_network(CELLS[name], seed, readout_tau=10.0 if seed == 1 else None)
    compared = compare_with_rate(network, x)
    assert compared.same and compared.spikes > 300 and not compared.near.size, str(compared)
    outputs = run_steps(step_network(network), x).outputs["out"]
    np.testing.assert_allclose(outputs, network.forward(x), atol=1e-12)


@given(st.integers(0, 2**31), st.sampled_from(sorted(CELLS)))
@settings(max_examples=15, deadline=None)
def test_spikes_are_those_of_any_rate_network(seed, name):
    network, x = rate_network(CELLS[name], seed)
    compared = compare_with_rate(network, x)
    assert not compared.unexplained.size, str(compared)


def test_spikes_are_those_of_a_trained_network():
    task = go_nogo(5.0, fixation=50.0, stimulus=100.0, delay=50.0, decision=100.0)
    cell = ALIFCell(40, t_ref=0.0)
    network = RateNetwork([cell], 3, 1, 5.0, dtype="float64", readout_tau=20.0)
    before = network.parameters["0.w_rec"].copy()
    train(network, task, batch=16, updates=30, validate_every=30, progress=False)
    assert np.abs(network.parameters["0.w_rec"] - before).max() > 0.01
    compared = compare_with_rate(network, task.generate(np.random.default_rng(0), 20).inputs)
    assert compared.same and compared.spikes > 1000, str(compared)


def test_weights_far_apart_and_weights_of_nothing():
    """Each map has sums of its own: tiny weights beside large ones, and maps without any."""
    rng = np.random.default_rng(3)
    maps = [
        StepMap("x", "one", 1e6 * rng.standard_normal((7, INPUTS))),
        StepMap("one", "one", 1e-15 * rng.standard_normal((7, 7)), delay=1),
        StepMap("one", "two", np.zeros((5, 7)), bias=0.3),
        StepMap("two", "one", 1e5 * rng.standard_normal((7, 5)), delay=2),
    ]
    first = StepNeuron(7, keep=0.9, threshold=1e6 * rng.uniform(0.5, 1, 7))
    second = layer("leaky", size=5)
    network = StepNetwork({"x": INPUTS}, {"one": first, "two": second}, maps, 1.0)
    x = rng.standard_normal((STEPS, 1, INPUTS))
    run = run_steps(network, x, margins=True)
    maps[1] = StepMap("one", "one", maps[1].weights, np.ones((1, 7), int))  # as the twin reads it
    z, u = by_hand(first, second, maps, x[:, 0])
    np.testing.assert_array_equal(run.spikes["one"][:, 0], z["one"])
    np.testing.assert_array_equal(run.spikes["two"][:, 0], z["two"])
    np.testing.assert_allclose(run.margins["one"][:, 0], u["one"], rtol=1e-12)
    assert z["one"].sum() > 20


def test_networks_and_layers_show_themselves():
    network, _ = rate_network(CELLS["lif"])
    shown = repr(step_network(network))
    assert shown == (
        "<StepNetwork: inputs 'in' of 4; layers '0' of 20, 'out' of 2; 3 maps, dt 1 ms>"
    )
    assert repr(StepNeuron(3, keep=0.5)) == "StepNeuron(size=3, keep=0.5)"


def test_ties_are_listed_and_rounding_is_told_from_error():
    """A unit that lands on its threshold, and one that is wrong far from it."""
    network = StepNetwork(
        {"x": 2}, {"a": StepNeuron(2, keep=0.5)}, [StepMap("x", "a", np.eye(2))], 1.0
    )
    x = np.zeros((6, 2, 2))
    x[1, 0] = 1.0, 0.3  # on the threshold of 1, and far from it
    x[3, 1] = 1.0 - 1e-11, 0.0
    run = run_steps(network, x, margins=True)
    same = compare_spikes(run, run)
    assert same.same and same.spikes == 1
    assert [tuple(r)[:4] for r in same.near] == [("a", 1, 0, 0), ("a", 3, 1, 0)]
    np.testing.assert_allclose(same.near["u"], [0, -1e-11], rtol=1e-4)
    strict = StepNetwork({"x": 2}, {"a": StepNeuron(2, strict=True)}, network.maps, 1.0)
    assert run_steps(strict, x).spikes["a"].sum() == 0
    other = run.spikes["a"].copy()
    other[1, 0, 0] = 0
    other[2, 0, 1] = 1
    found = compare_spikes(run, {"a": other})
    assert found.different == 2 and list(found.trials_different) == [0]
    assert not found.unexplained.size and list(found.near["same"]) == [False, True]
    other[0, 1, 1] = 1  # before anything was near
    found = compare_spikes({"a": other}, run)
    assert list(found.trials_different) == [0, 1] and list(found.unexplained) == [1]
    assert "1 without a neuron near" in str(found)


def test_the_number_of_threads_changes_nothing():
    network, x = rate_network(CELLS["stack"], 3)
    one, two = (run_steps(step_network(network), x, threads=n) for n in (1, 2))
    for name, z in one.spikes.items():
        np.testing.assert_array_equal(z, two.spikes[name])


def test_names_that_populations_may_not_have():
    rng = np.random.default_rng(0)
    layers = {"a b": layer("if"), "a/b": layer("leaky"), "": layer("late")}
    maps = [StepMap("x", name, rng.standard_normal((7, INPUTS))) for name in layers]
    network = StepNetwork({"x": INPUTS}, layers, maps, 1.0)
    run = run_steps(network, rng.standard_normal((5, 1, INPUTS)))
    assert list(run.spikes) == list(layers)
    assert [network.population(name) for name in layers] == ["a_b", "a_b_", "_"]


@pytest.mark.parametrize(
    ("cells", "told"),
    [
        ([SNU(3, soft=True)], "cell 0 is a soft SNU, whose outputs are graded"),
        ([LIFCell(3), LSTM(3)], "cell 1 is of kind LSTM, which does not spike"),
        ([GRU(3)], "kind GRU"),
        ([LeakyRNN(3)], "kind LeakyRNN"),
    ],
)
def test_cells_that_do_not_spike_are_refused(cells, told):
    with pytest.raises(ValueError, match=told):
        step_network(RateNetwork(cells, 2, 1, 1.0))


def test_parameters_that_are_not_finite_are_refused():
    network, _ = rate_network(CELLS["lif"])
    network.parameters["0.w_rec"][1, 2] = np.nan
    with pytest.raises(ValueError, match="'0.w_rec' holds nan"):
        step_network(network)


def _network(*maps, layers=None):
    known = {"a": StepNeuron(3), "b": StepNeuron(2), "f": StepFilter(2)}
    return StepNetwork({"x": 4}, layers or known, maps, 1.0)


BAD = {
    "size is 0": lambda: StepNeuron(0),
    "keep is nan": lambda: StepNeuron(2, keep=np.nan),
    "threshold has shape": lambda: StepNeuron(2, threshold=[1.0, 2.0, 3.0]),
    "reset is 'zero'": lambda: StepNeuron(2, reset="zero"),
    "refractory is -1": lambda: StepNeuron(2, refractory=-1),
    "refractory_holds is True": lambda: StepNeuron(2, refractory_holds=True),
    "synapse_late is True": lambda: StepNeuron(2, synapse_late=True),
    "adaptation_step is given": lambda: StepNeuron(2, adaptation_step=0.1),
    "with strict, a refractory time": lambda: StepNeuron(2, most_spikes=2, refractory=1),
    "most_spikes is 2": lambda: StepNeuron(2, most_spikes=2, reset="value"),
    "with a threshold of 0": lambda: StepNeuron(2, most_spikes=2, threshold=0.0),
    "gain is": lambda: StepFilter(2, gain=[1.0, np.inf]),
    "weights is": lambda: StepMap("x", "a", [[1.0, np.inf]]),
    "weights have shape": lambda: StepMap("x", "a", [1.0, 2.0]),
    "delay is 0.5": lambda: StepMap("x", "a", np.eye(2), delay=0.5),
    "delay is": lambda: StepMap("x", "a", np.eye(2), delay=[1, 2, 3]),
    "bias has shape": lambda: StepMap("x", "a", np.eye(2), bias=[1.0, 2.0, 3.0]),
    "no target 'c'": lambda: _network(StepMap("a", "c", np.eye(3))),
    "no source 'c'": lambda: _network(StepMap("c", "a", np.eye(3))),
    r"here \(2, 3\)": lambda: _network(StepMap("a", "b", np.eye(3))),
    "'f' is a filter of spikes": lambda: _network(
        StepMap("b", "f", np.eye(2)), StepMap("f", "b", np.eye(2))
    ),
    "'f' give to each other": lambda: _network(StepMap("f", "f", np.eye(2))),
    "circle of 1 map": lambda: _network(StepMap("a", "a", np.eye(3))),
    "circle of 2 map": lambda: _network(
        StepMap("a", "b", np.ones((2, 3))), StepMap("b", "a", np.ones((3, 2)), delay=1)
    ),
    "an input and a layer": lambda: StepNetwork({"a": 2}, {"a": StepNeuron(2)}, [], 1.0),
    "dt is 0": lambda: StepNetwork({"x": 2}, {"a": StepNeuron(2)}, [], 0),
    r"x of input 'x' has shape \(5, 1, 3\)": lambda: run_steps(_network(), np.zeros((5, 1, 3))),
    "x of input 'x' is": lambda: run_steps(_network(), np.full((5, 1, 4), np.nan)),
    "the inputs are 'x'": lambda: run_steps(_network(), {"y": np.zeros((5, 1, 4))}),
    "must share a layer": lambda: compare_spikes({"a": np.ones(1)}, {"b": np.ones(1)}),
    "in found and": lambda: compare_spikes({"a": np.ones((1, 1, 2))}, {"a": np.ones((1, 1, 3))}),
}


@pytest.mark.parametrize("told", BAD)
def test_bad_input_is_told_in_a_sentence(told):
    with pytest.raises(ValueError, match=told):
        BAD[told]()
