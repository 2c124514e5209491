"""Averages, field proxies, definitions, counts; neurons cut off; variables that diverge."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.networks import coba


def make(neurons=150, seed=3, rate=3000.0):
    """Two populations with conductances, big enough for several blocks."""
    net = ss.Network(seed=seed)
    cell = ss.LIF(receptors={"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)})
    exc = net.population("exc", neurons, cell, init={"v": ss.Uniform(-70.0, -50.0)})
    net.population("inh", 40, cell, init={"v": ss.Uniform(-70.0, -50.0)})
    net.connect("exc", ["exc", "inh"], ss.FixedProbability(0.1), weight=2, delay=1, receptor="exc")
    net.connect("inh", ["exc", "inh"], ss.FixedProbability(0.1), weight=9, delay=1, receptor="inh")
    for name in ("exc", "inh"):
        net.drive(name, ss.Poisson(rate, 3.0), receptor="exc")
    return net, exc


def test_means_are_those_of_the_traces_and_do_not_depend_on_threads():
    net, exc = make()
    part = exc[5::3]
    records = [ss.Trace(part, "v", 0.5), ss.Mean(part, "v", 0.5)]
    found = []
    for threads in (1, 2, 3):
        simulation = ss.Simulation(net, threads=threads, precision="double", record=records)
        simulation.run(40.0)
        simulation.run(10.0)
        traces, means = simulation.traces["exc", "v"], simulation.means["exc", "v"]
        np.testing.assert_allclose(means.values, traces.values.mean(axis=1), rtol=1e-12)
        np.testing.assert_array_equal(means.times, traces.times)
        assert means.unit == "mV"
        assert means.values.std() > 0.1
        found.append(means.values)
    np.testing.assert_array_equal(found[0], found[1])
    np.testing.assert_array_equal(found[0], found[2])


def test_the_field_proxy_is_the_mean_of_absolute_synaptic_currents():
    net, exc = make(rate=600.0)
    variables = [ss.Trace(exc, name, 1.0) for name in ("v", "g_exc", "g_inh")]
    simulation = ss.Simulation(net, precision="double", record=[ss.LFP(exc, 1.0), *variables])
    simulation.run(60.0)
    v, g_exc, g_inh = (simulation.traces["exc", name].values for name in ("v", "g_exc", "g_inh"))
    # The proxy is taken before the reset: where a neuron spiked, v has been set back already.
    quiet = np.ones(v.shape, bool)
    spikes = simulation.spikes["exc"]
    at = np.rint(spikes.times).astype(int) - 1
    on_time = np.abs(spikes.times - np.rint(spikes.times)) < 1e-6
    quiet[at[on_time], spikes.neurons[on_time]] = False
    expected = np.abs(g_exc * (0.0 - v)) + np.abs(g_inh * (-80.0 - v))
    whole = quiet.all(axis=1)
    field = simulation.means["exc", "lfp"]
    np.testing.assert_allclose(field.values[whole], expected[whole].mean(axis=1), rtol=1e-12)
    assert whole.sum() > 15
    assert spikes.times.size > 30
    assert field.unit == "pA"


def test_definitions_can_be_traced():
    model = ss.NeuronModel(
        equations="leak = g * (e - v) : pA\n dv/dt = (leak + i_syn) / c : mV",
        threshold="v > 100",
        reset="v = e",
        parameters={"g": "10 nS", "e": "-70 mV", "c": "200 pF"},
        receptors={"s": ss.Exponential(5.0)},
        initial={"v": -60.0},
    )
    net = ss.Network()
    a = net.population("a", 70, model.with_values(g=np.linspace(5, 15, 70)))
    net.drive(a, ss.Spikes([[3.0]] * 70, weight=50.0))
    names = ("v", "leak", "i_syn", "i_s")
    simulation = ss.Simulation(
        net, precision="double", record=[ss.Trace(a, name, 0.1) for name in names]
    )
    simulation.run(10.0)
    v, leak, total, current = (simulation.traces["a", name] for name in names)
    np.testing.assert_allclose(leak.values, np.linspace(5, 15, 70) * (-70 - v.values), rtol=1e-12)
    np.testing.assert_array_equal(total.values, current.values)
    assert current.values.max() == pytest.approx(50.0)
    assert (leak.unit, v.unit) == ("pA", "mV")
    simulation.set("a", e=-80.0)  # another kernel, the same observations
    simulation.run(1.0)
    leak, v = simulation.traces["a", "leak"].values[-1], simulation.traces["a", "v"].values[-1]
    np.testing.assert_allclose(leak, np.linspace(5, 15, 70) * (-80 - v), rtol=1e-12)


def test_what_is_observed_changes_no_spike():
    net, exc = make()
    plain = ss.simulate(net, 100.0).spikes["exc"]
    watched = ss.simulate(net, 100.0, record=[ss.LFP(exc), ss.Mean(exc, "i_syn")]).spikes["exc"]
    np.testing.assert_array_equal(plain.times, watched.times)
    np.testing.assert_array_equal(plain.neurons, watched.neurons)


def test_counts_are_kept_without_times():
    net, _ = make()
    kept = ss.simulate(net, 200.0)
    counted = ss.simulate(net, 200.0, spikes=False)
    for name, spikes in kept.spikes.items():
        expected = np.bincount(spikes.neurons, minlength=spikes.size)
        np.testing.assert_array_equal(counted.spike_counts[name], expected)
        assert expected.sum() > 0
        assert counted.spikes[name].times.size == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_silent_neurons_spike_but_reach_nobody(threads):
    net = ss.Network(seed=1)
    cell = ss.LIF(receptors={"s": ss.Delta()})
    a = net.population("a", 200, cell)
    b = net.population("b", 200, cell)
    net.connect(a, b, ss.OneToOne(), weight=30.0, delay=1.0)
    net.drive(a, ss.Spikes([[5.0, 25.0, 45.0]] * 200, weight=30.0))
    simulation = ss.Simulation(net, threads=threads)
    cut = np.array([0, 64, 65, 199])
    simulation.run(5.5)  # the first spikes are under way
    simulation.silence(a, cut)
    simulation.run(34.5)
    counts = simulation.spike_counts
    assert np.all(counts["a"] == 2)
    expected = np.where(np.isin(np.arange(200), cut), 1, 2)
    np.testing.assert_array_equal(counts["b"], expected)
    simulation.silence(a[64:], [0, 1], silent=False)
    simulation.run(20.0)
    after = simulation.spike_counts["b"] - expected
    np.testing.assert_array_equal(np.flatnonzero(after == 0), [0, 199])


def test_silencing_all_inhibition_is_a_network_without_its_projections():
    net = coba.network(seed=2)
    simulation = ss.Simulation(net)
    simulation.silence("inh")
    simulation.run(50.0)
    for name in ("inh->exc", "inh->inh"):
        net.remove(name)
    without = ss.simulate(net, 50.0)
    for name in ("exc", "inh"):
        found, expected = simulation.spikes[name], without.spikes[name]
        np.testing.assert_array_equal(found.times, expected.times)
        np.testing.assert_array_equal(found.neurons, expected.neurons)
        assert found.times.size > 1000


def test_what_cannot_be_silenced_or_removed_is_told():
    net, exc = make()
    simulation = ss.Simulation(net)
    with pytest.raises(IndexError, match="run from 3 to 150; 'exc' has 150 here"):
        simulation.silence(exc, [3, 150])
    with pytest.raises(ValueError, match="neurons is 'x'"):
        simulation.silence(exc, "x")
    with pytest.raises(ValueError, match="unknown population 'z'"):
        simulation.silence("z")
    with pytest.raises(ValueError, match="there is no projection or input 'z'; known are 'exc->"):
        net.remove("z")


def growing(method="euler", **values):
    """dv/dt = v^2 / 10 ms mV: infinite after 10 / v(0) ms."""
    return ss.NeuronModel(
        equations="dv/dt = v * v / tau : 1\n du/dt = -u / tau : 1",
        threshold="u > 1e30",
        reset="u = 0",
        parameters={"tau": "10 ms"},
        method=method,
        values=values,
        name="growing",
    )


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("threads", [1, 2])
def test_a_variable_that_diverges_is_told_and_records_are_kept(tmp_path, precision, threads):
    net = ss.Network()
    start = np.zeros(300)
    start[[130, 250]] = 1.0, 2.0
    net.population("quiet", 10, ss.LIF())
    a = net.population("a", 300, growing(), init={"v": start})
    driven = net.population("driven", 5, ss.LIF(receptors={"s": ss.Delta()}))
    net.drive(driven, ss.Spikes([[1.0, 4.0]] * 5, weight=30.0))
    options = {"precision": precision, "threads": threads, "record": [ss.Trace(a, "v", 0.1)]}
    simulation = ss.Simulation(net, **options)
    with pytest.raises(FloatingPointError, match="v of neuron 250 of 'a' diverged at 6"):
        simulation.run(100.0)
    assert 5.0 < simulation.time < 13.0  # to the end of its epoch
    values = simulation.traces["a", "v"].values
    assert np.isfinite(values[:49]).all()
    np.testing.assert_array_equal(simulation.spikes["driven"].times, np.repeat([1.0, 4.0], 5))
    with pytest.raises(FloatingPointError, match="v of neuron"):
        simulation.run(100.0)
    # The same with files: they are complete up to the failure.
    out = tmp_path / "x.h5"
    with pytest.raises(FloatingPointError), ss.Simulation(net, out=out, **options) as simulation:
        simulation.run(100.0)
    assert ss.open_spikes(out)["driven"].times.size == 10


@pytest.mark.parametrize("first", [10, 250])
def test_of_several_that_diverge_between_exchanges_the_first_is_told(first):
    start = np.zeros(300)
    start[[10, 250]] = 3.5  # of two partitions; 64 steps lie between exchanges
    start[first] = 4.0
    net = ss.Network()
    net.population("a", 300, growing(), init={"v": start})
    simulation = ss.Simulation(net, threads=2)
    with pytest.raises(FloatingPointError, match=f"v of neuron {first} of 'a' diverged at"):
        simulation.run(100.0)
    assert not np.any(np.abs(simulation.get("a", "v")[[10, 250]]) < 1e30)  # both had, by then


def test_a_division_by_zero_at_run_time_is_told():
    model = ss.NeuronModel(
        equations="dv/dt = 1 / tau : 1\n dw/dt = 1 / (v - one) / tau : 1",
        threshold="v > 100",
        reset="v = 0",
        parameters={"tau": "8 ms", "one": "1"},
        method="euler",
    )
    net = ss.Network()
    net.population("a", 3, model)
    simulation = ss.Simulation(net, dt=1.0, precision="double")
    # v is 1 after 8 steps, so the ninth divides by zero.
    with pytest.raises(FloatingPointError, match=r"w of neuron 0 of 'a' diverged at 9 ms"):
        simulation.run(20.0)


def test_an_infinite_value_that_a_reset_takes_back_is_a_spike():
    model = ss.NeuronModel(
        equations="dv/dt = exp(v) / tau : 1",
        threshold="v > 10",
        reset="v = 0",
        parameters={"tau": "1 ms"},
        method="rk4",
    )
    net = ss.Network()
    net.population("a", 3, model)
    result = ss.simulate(net, 20.0, dt=0.5)
    assert result.spikes["a"].times.size > 30


def test_linear_models_are_watched_only_where_they_grow():
    assert "return ~" not in ss.source(ss.LIF())
    unstable = ss.NeuronModel(
        "dv/dt = v / tau : 1", threshold="v > 1e39", reset="v = 0", parameters={"tau": "1 ms"}
    )
    assert "return ~" in ss.source(unstable)
    net = ss.Network()
    net.population("a", 1, unstable, init={"v": 1.0})
    with pytest.raises(FloatingPointError, match="diverged at 87.5 ms|diverged at 87.6 ms"):
        ss.simulate(net, 100.0)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (lambda exc: ss.Mean(exc, "x"), "'exc' has no variable 'x'; known are v, "),
        (lambda exc: ss.Mean(exc, "v", 0.25), "every is 0.25 ms; it must be a multiple of dt"),
        (lambda exc: ss.LFP(exc, every=-1), "LFP: every is -1; it must be a finite number"),
        (lambda exc: ss.Mean("exc", "v"), "Mean: neurons is 'exc'; it must be a population"),
    ],
)
def test_what_cannot_be_recorded_is_told(record, message):
    net, exc = make()
    with pytest.raises((ValueError, TypeError), match=message):
        ss.Simulation(net, record=[record(exc)])


def test_a_field_needs_synaptic_currents():
    net = ss.Network()
    a = net.population("a", 3, ss.LIF(receptors={"s": ss.Delta()}))
    with pytest.raises(ValueError, match="'a' has no synaptic current for LFP"):
        ss.Simulation(net, record=[ss.LFP(a)])
