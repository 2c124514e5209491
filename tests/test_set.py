"""Parameters and inputs that are set while a run goes on: as if they had been so from the start."""

from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

import spikesim as ss
from spikesim.codegen import generator
from spikesim.engine import state

SIZE = 3
COND = {"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)}
OTHERS = {
    "alpha": ss.Alpha(2.0),
    "both": ss.DoubleExponential(1.0, 5.0),
    "nmda": ss.NMDA(),
    "gaba": ss.DoubleExponentialConductance(0.5, 8.0, -80.0),
}
MODELS = {
    "LIF": ss.LIF(i_offset=400.0),
    "LIF, conductances": ss.LIF(i_offset=400.0, receptors=COND),
    "LIF, other receptors": ss.LIF(i_offset=400.0, receptors=OTHERS),
    "AdaptiveLIF": ss.AdaptiveLIF(i_offset=500.0),
    **{f"GLIF{k}": ss.GLIF(k, i_offset=450.0) for k in (1, 2, 3, 4, 5)},
    "AdEx": ss.AdEx(i_offset=900.0),
    "EIF": ss.EIF(i_offset=300.0),
    "QIF": ss.QIF(i_offset=500.0),
    "Izhikevich": ss.Izhikevich(i_offset=10.0),
    "Izhikevich2007": ss.Izhikevich2007(i_offset=300.0),
    "HodgkinHuxley": ss.HodgkinHuxley(i_offset=1000.0),
    "FitzHughNagumo": ss.FitzHughNagumo(i_offset=0.5),
}
# Values beside the defaults that a factor would not reach.
GIVEN = {"t_ref": 3.0}


def simulation(model: ss.NeuronModel, precision: str = "single", **options) -> ss.Simulation:
    net = ss.Network()
    a = net.population("a", SIZE, model)
    receptors = list(model.inputs)
    for k, receptor in enumerate(receptors):
        weight = 20.0 if model.receptors[receptor].unit == "pA" else 0.5
        if model.receptors[receptor].sign == "negative":
            weight = -weight
        times = np.arange(1.0 + k, 40.0, 4.0)
        net.drive(a, ss.Spikes([times] * SIZE, weight), receptor=receptor)
    options = {"threads": 1, "precision": precision, **options}
    return ss.Simulation(net, dt=0.1, **options)


def different(name: str, value: object) -> float:
    """Another value that a model can have."""
    if name in GIVEN:
        return GIVEN[name] * (1.1 if np.isclose(value, GIVEN[name]) else 1.0)
    return value * 1.03 if value else 0.07


def all_values(model: ss.NeuronModel) -> dict[str, float]:
    s = simulation(model)
    return {name: s.get("a", name) for name in model.dynamics.defaults}


def all_variables(model: ss.NeuronModel, precision: str) -> dict[str, np.ndarray]:
    s = simulation(model, precision)
    return {v: s.get("a", v) for v in model.dynamics.derivatives}


def with_value(model: ss.NeuronModel, name: str, value: object) -> ss.NeuronModel:
    return replace(model, values={**model.values, name: value})


def assert_same(one: ss.Simulation, two: ss.Simulation, name: str) -> None:
    for v in one.network.populations["a"].model.dynamics.derivatives:
        assert np.array_equal(one.get("a", v), two.get("a", v)), (name, v)
    assert np.array_equal(one.spikes["a"].times, two.spikes["a"].times), name


def frozen(s: ss.Simulation) -> dict:
    """What a state consists of."""
    neurons = s.state.arrays.neurons
    kept = {"state": neurons.state.tobytes(), "const": neurons.const.tobytes()}
    return {**kept, "step": s.state.step}


def same_state(one: ss.Simulation, two: ss.Simulation) -> bool:
    """Whether two simulations have the same text, constants and rows."""
    a, b = one.state, two.state
    return (
        a._kernels["a"].source == b._kernels["a"].source
        and a._kernels["a"].rows == b._kernels["a"].rows
        # By their bits: halves of numbers in double precision lie among them.
        and a.arrays.neurons.const.tobytes() == b.arrays.neurons.const.tobytes()
        and a.arrays.neurons.state.tobytes() == b.arrays.neurons.state.tobytes()
    )


# Every parameter of every model


CASES = [*((name, "single") for name in MODELS), ("LIF", "double"), ("AdEx", "double")]


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_a_parameter_that_is_set_is_as_if_the_model_had_it(name, precision, monkeypatch):
    """All constants and rows, for each parameter, from and to numbers and arrays."""
    nothing = SimpleNamespace(update=SimpleNamespace(address=0))
    monkeypatch.setattr(state, "generated_module", lambda source: nothing)  # nothing is run
    model = MODELS[name]
    start = all_variables(model, precision)
    for parameter, value in all_values(model).items():
        new = different(parameter, value)
        many = np.array([value, new, (value + new) / 2])
        s = simulation(model, precision)
        fresh = {}
        for k in (new, value, many, many[::-1].copy(), new, many, value):
            s.set("a", **{parameter: k})
            key = str(k)
            if key not in fresh:
                fresh[key] = simulation(with_value(model, parameter, k), precision)
                # Start values may follow from the parameter.
                fresh[key].set("a", **start)
            assert same_state(s, fresh[key]), (parameter, k)
            assert np.array_equal(s.get("a", parameter), k)


@pytest.mark.parametrize(("name", "precision"), CASES)
def test_trajectories_after_a_parameter_was_set(name, precision):
    """Whole runs for some parameters, which differ from those without the change."""
    model = MODELS[name]
    first, start = all_values(model), all_variables(model, precision)
    plain = simulation(model, precision)
    plain.run(40.0)
    changed = 0
    chosen = [p for p in first if p in ("tau_m", "c_m", "i_offset", "a", "g_na", "v_t", "g_l")]
    for parameter in chosen[:3]:
        new = different(parameter, first[parameter])
        s = simulation(model, precision)
        s.set("a", **{parameter: new})
        fresh = simulation(with_value(model, parameter, new), precision)
        fresh.set("a", **start)
        s.run(40.0)
        fresh.run(40.0)
        assert_same(s, fresh, parameter)
        changed += any(not np.array_equal(s.get("a", v), plain.get("a", v)) for v in start)
    assert changed


@pytest.mark.parametrize("precision", ["single", "double"])
def test_set_twice_and_back_while_a_run_goes_on(precision):
    """It leaves nothing behind, and what lies between is that of the other value."""
    model = MODELS["LIF"]
    s, same = simulation(model, precision), simulation(model, precision)
    many = np.array([20.0, 21.0, 22.0])
    for _ in range(20):
        s.run(1.0)
        s.set("a", tau_m=31.0)
        s.set("a", tau_m=many)
        s.set("a", tau_m=25.0, v_th=-49.0, t_ref=5.0)
        s.set("a", tau_m=20.0, v_th=-50.0, t_ref=2.0)
    same.run(20.0)
    assert_same(s, same, "tau_m")
    # A stretch with another value, from the same state.
    s.set("a", tau_m=31.0)
    same.set("a", tau_m=[31.0] * SIZE)
    s.run(20.0)
    same.run(20.0)
    assert s.get("a", "v") == pytest.approx(same.get("a", "v"), abs=1e-4)


def test_linear_models_follow_the_closed_form_of_each_stretch():
    net = ss.Network()
    net.population("a", SIZE, ss.LIF(tau_m=20.0, v_th=1000.0, i_offset=0.0))
    s = ss.Simulation(net, dt=0.1, precision="double", threads=1)
    v = np.full(SIZE, -65.0)
    rng = np.random.default_rng(1)
    for k in range(30):
        i, tau = rng.uniform(0, 500), rng.uniform(1, 40)
        if k % 3 == 2:
            i, tau = rng.uniform(0, 500, SIZE), rng.uniform(1, 40, SIZE)
        s.set("a", i_offset=i, tau_m=tau)
        s.run(3.0)
        aim = -65 + i / 200 * tau
        v = aim + (v - aim) * np.exp(-3 / tau)
        assert s.get("a", "v") == pytest.approx(v, rel=1e-10)


# Currents


@pytest.mark.parametrize("part", ["all", "a part"])
@pytest.mark.parametrize(
    ("name", "precision"),
    [("LIF", "single"), ("LIF", "double"), ("AdEx", "double"), ("LIF, conductances", "single")],
)
def test_amplitudes_that_are_set(name, precision, part):
    model = MODELS[name]

    def driven(amplitude):
        net = ss.Network()
        a = net.population("a", SIZE, model)
        net.drive(a if part == "all" else a[1:], ss.Current(amplitude), name="i")
        return ss.Simulation(net, dt=0.1, precision=precision, threads=1)

    size = SIZE if part == "all" else SIZE - 1
    many = np.linspace(100.0, 200.0, size)
    for before, after in [(0.0, 150.0), (150.0, many), (many, many / 2), (many, 30.0), (9.0, 0.0)]:
        s, fresh = driven(before), driven(after)
        s.set("i", amplitude=77.0)
        s.set("i", amplitude=before)
        s.set("i", amplitude=after)
        s.run(30.0)
        fresh.run(30.0)
        for v in model.dynamics.derivatives:
            near = 2e-3 if precision == "single" else 1e-9
            found, wanted = s.get("a", v), fresh.get("a", v)
            assert found == pytest.approx(wanted, rel=near, abs=near)
        assert np.array_equal(s.spikes["a"].times, fresh.spikes["a"].times)


def test_an_amplitude_and_the_parameter_that_it_adds_to():
    net = ss.Network()
    a = net.population("a", SIZE, ss.LIF(v_th=1000.0, i_offset=50.0))
    net.drive(a, ss.Current(30.0), name="i")
    net.drive(a[:1], ss.Current(5.0), name="j")
    s = ss.Simulation(net, dt=0.1, precision="double", threads=1)
    v = np.full(SIZE, -65.0)
    total = np.array([85.0, 80.0, 80.0])

    def stretch():
        nonlocal v
        s.run(5.0)
        aim = -65 + total / 10
        v = aim + (v - aim) * np.exp(-5 / 20)
        assert s.get("a", "v") == pytest.approx(v, rel=1e-10)

    stretch()
    s.set("i", amplitude=100.0)
    total += 70
    stretch()
    s.set("a", i_offset=20.0)
    total -= 30
    stretch()
    s.set("j", amplitude=-40.0)
    total[0] -= 45
    stretch()
    s.set("a", i_offset=[1.0, 2.0, 3.0])
    total += np.array([1.0, 2.0, 3.0]) - 20
    stretch()
    s.set("i", amplitude=[3.0, 2.0, 1.0])
    total += np.array([3.0, 2.0, 1.0]) - 100
    stretch()
    assert np.array_equal(s.get("a", "i_offset"), [1.0, 2.0, 3.0])


# What is refused


@pytest.mark.parametrize(
    "given",
    [
        {"tau_m": np.nan},
        {"tau_m": 0.0},
        {"tau_m": [20.0, 0.0, 20.0]},
        {"tau_m": [20.0, np.inf, 20.0]},
        {"tau_m": [20.0, 21.0]},
        {"c_m": 0.0},
        {"v": -60.0, "c_m": 0.0},
        {"i_offset": 10.0, "t_ref": -1.0},
        {"i_offset": 10.0, "nothing": 1.0},
        {"tau_exc": 0.0, "v_th": -40.0},
    ],
    ids=str,
)
@pytest.mark.parametrize("array", [False, True])
def test_what_is_refused_changes_nothing(given, array):
    model = MODELS["LIF"]
    s, same = simulation(model), simulation(model)
    for each in (s, same):
        if array:
            each.set("a", tau_m=[20.0, 21.0, 22.0])
        each.run(10.0)
    before, values = frozen(s), {x: s.get("a", x) for x in ("tau_m", "c_m", "i_offset", "t_ref")}
    with pytest.raises(ValueError):
        s.set("a", **given)
    after = frozen(s)
    assert after == before
    for x, value in values.items():
        assert np.array_equal(s.get("a", x), value)
    s.set("a", v_th=-49.0)  # and later changes are not mixed up with it
    same.set("a", v_th=-49.0)
    s.run(20.0)
    same.run(20.0)
    assert_same(s, same, str(given))


def test_a_current_that_is_refused_changes_nothing():
    net = ss.Network()
    a = net.population("a", SIZE, ss.LIF())
    net.drive(a, ss.Current(10.0), name="i")
    s = ss.Simulation(net, dt=0.1, threads=1)
    before = frozen(s)
    for amplitude in (np.nan, [1.0, 2.0], np.inf):
        with pytest.raises(ValueError):
            s.set("i", amplitude=amplitude)
        assert frozen(s) == before


# Nothing is written anew


@pytest.mark.parametrize("name", MODELS)
def test_numbers_that_are_set_need_no_new_source(name, monkeypatch):
    model = MODELS[name]
    s = simulation(model)
    first = all_values(model)
    rows = np.linspace(1.0, 1.05, SIZE)

    def anew(*_, **__):
        raise AssertionError("a source is written anew")

    monkeypatch.setattr(state, "generate", anew)
    monkeypatch.setattr(generator, "generate", anew)
    source = s.state._kernels["a"].source
    for parameter, value in first.items():
        if value:
            s.set("a", **{parameter: different(parameter, value)})
            s.set("a", **{parameter: value})
    s.set("a", **{v: s.get("a", v) for v in model.dynamics.derivatives})
    s.run(5.0)
    assert s.state._kernels["a"].source == source
    monkeypatch.undo()
    key = "c_m" if "c_m" in first else next(k for k, x in first.items() if x)
    s.set("a", **{key: first[key] * rows})  # now it is, once
    monkeypatch.setattr(state, "generate", anew)
    s.set("a", **{key: first[key] * rows[::-1]})
    s.run(5.0)


def test_a_current_that_is_set_needs_no_new_source(monkeypatch):
    net = ss.Network()
    a = net.population("a", SIZE, ss.HodgkinHuxley())
    b = net.population("b", SIZE, ss.LIF())
    net.drive(a, ss.Current(10.0), name="i")
    net.drive(b[:1], ss.Current(10.0), name="j")
    net.drive(b, ss.Poisson(100.0, 10.0), receptor="exc", name="p")
    s = ss.Simulation(net, dt=0.1, threads=1)

    def anew(*_, **__):
        raise AssertionError("a source is written anew")

    monkeypatch.setattr(state, "generate", anew)
    for k in range(5):
        s.set("i", amplitude=20.0 + k)
        s.set("j", amplitude=20.0 + k)
        s.set("p", rate=50.0 + k)
        s.set("p", weight=10.0 + k)
        s.run(1.0)


@pytest.mark.parametrize("value", ["a", ss.Normal(3.0, 1.0), None, [1.0, 2.0]])
def test_what_is_no_number_is_refused_by_name(value):
    network = ss.Network()
    network.population("a", 3, ss.LIF())
    simulation = ss.Simulation(network)
    with pytest.raises(ValueError, match="tau_m of 'a' is .*; it must be finite, a number or of"):
        simulation.set("a", tau_m=value)


def test_networks_tell_wrong_options():
    with pytest.raises(TypeError, match="Network has no option 'sed'; did you mean seed"):
        ss.Network(sed=3)


@pytest.mark.parametrize("value", [1e42, np.array([0.0, 1e42, 0.0])])
def test_a_value_beyond_single_precision_is_refused_and_changes_nothing(value):
    network = ss.Network()
    network.population("a", 3, ss.LIF(i_offset=300.0))
    one, other = ss.Simulation(network), ss.Simulation(network)
    with pytest.raises(ValueError, match="too large for single precision"):
        one.set("a", i_offset=value)
    for simulation in (one, other):
        simulation.set("a", tau_m=19.0)
        simulation.run(20.0)
    assert np.array_equal(one.get("a", "v"), other.get("a", "v"))
    assert one.get("a", "i_offset") == 300.0
