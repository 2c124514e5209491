"""Synapses that are drawn at every spike are those that would have been stored."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.networks import coba, microcircuit


def mixed(seed=5):
    """Every rule that can be drawn, drawn weights and delays over several windows, and stored."""
    net = ss.Network(seed=seed)
    cell = ss.LIF(receptors={"exc": ss.Exponential(3.0), "inh": ss.Exponential(5.0)})
    start = {"v": ss.Uniform(-70.0, -50.0)}
    a = net.population("a", 300, cell, init=start)
    b = net.population("b", 150, cell, init=start)
    c = net.population("c", 90, cell, init=start)
    weight, delay = ss.Normal(60.0, 20.0, low=0.0), ss.Normal(2.0, 1.0, low=0.1)
    net.connect(a, b, ss.FixedProbability(0.1), weight=weight, delay=delay, receptor="exc")
    net.connect(
        a[::2],
        a[10:],
        ss.FixedTotal(2000, autapses=False),
        weight=weight,
        delay=1.0,
        receptor="exc",
    )
    net.connect(
        a, c, ss.FixedOutDegree(7, multapses=False), weight=50.0, delay=delay, receptor="exc"
    )
    net.connect(b, [a, b], ss.FixedProbability(0.8), weight=-20.0, delay=1.5, receptor="inh")
    net.connect(b, c, ss.AllToAll(), weight=-5.0, delay=0.3, receptor="inh")
    net.connect(c, a, ss.FixedInDegree(5), weight=40.0, delay=delay, receptor="exc")
    for population in (a, b, c):
        net.drive(population, ss.Poisson(2000.0, 60.0), receptor="exc")
    return net


@pytest.mark.parametrize("precision", ["single", "double"])
def test_spikes_are_those_of_stored_synapses(precision):
    net = mixed()
    options = {"precision": precision}
    expected = ss.simulate(ss.build(net, threads=1, **options), 120.0).spikes
    assert all(len(trains) > 300 for trains in expected.values())
    for threads in (1, 2, 3):
        build = ss.build(net, threads=threads, connectivity="procedural", **options)
        found = ss.simulate(build, 120.0).spikes
        for name, trains in expected.items():
            assert found[name] == trains, (name, threads)


def test_heavy_tails_are_drawn_again():
    net = ss.Network(seed=2)
    receptor = ss.Receptor("", arrival="n += w")
    cell = ss.NeuronModel("dn/dt = 0 * n", threshold="n < 0", reset="", receptors={"s": receptor})
    a = net.population("a", 300, ss.LIF(receptors={"s": ss.Delta()}))
    b = net.population("b", 400, cell)
    net.connect(a, b, ss.FixedOutDegree(300), weight=ss.LogNormal(0.0, 3.5), delay=1.0)
    net.drive(a, ss.Spikes([[1.0]] * 300, weight=100.0))
    found = []
    for connectivity in ("stored", "procedural"):
        for threads in (1, 2):
            simulation = ss.Simulation(net, threads=threads, connectivity=connectivity)
            simulation.run(5.0)
            found.append(simulation.get("b", "n"))
    for other in found:
        np.testing.assert_array_equal(other, found[0])
    s = ss.build(net).synapses("a", "b")
    np.testing.assert_allclose(
        found[0], np.bincount(s.targets, s.weights, minlength=400), rtol=1e-6
    )
    assert s.weights.max() > np.quantile(s.weights, 1 - 2 / 1024) > 0


@pytest.mark.parametrize(
    ("net", "word"), [(coba.network(), 2), (microcircuit.network(scale=0.02), 4)]
)
def test_published_networks_need_no_memory_for_synapses(net, word):
    stored = ss.build(net)
    drawn = ss.build(net, connectivity="procedural")
    assert drawn.bytes_per_synapse < 0.02 < word < stored.bytes_per_synapse
    assert drawn.synapse_count == stored.synapse_count
    for name, trains in ss.simulate(stored, 50.0).spikes.items():
        assert ss.simulate(drawn, 50.0).spikes[name] == trains


def test_axons_that_cannot_be_drawn_are_stored():
    build = ss.build(mixed(), connectivity="procedural")
    np.testing.assert_array_equal(build.wiring.axons["drawn"], [1, 1, 0])
    assert len(build.synapses("c", "a")) == 5 * 300
    with pytest.raises(ValueError, match="the synapses of 'a' are not stored; to look at them"):
        build.synapses("a", "b")


def test_a_network_too_large_to_store_can_be_drawn():
    net = ss.Network()
    a = net.population("a", 250_000, ss.LIF(receptors={"s": ss.Delta()}))
    net.connect(a, a, ss.FixedOutDegree(4000), weight=0.1, delay=1.5)
    with pytest.raises(MemoryError, match="or draw synapses instead of storing them"):
        ss.build(net, memory=2.0)
    build = ss.build(net, memory=2.0, connectivity="procedural")
    assert build.synapse_count == 10**9
    net.drive(a[:3], ss.Spikes([[1.0], [2.0], [3.0]], weight=100.0))
    result = ss.simulate(ss.build(net, memory=2.0, connectivity="procedural"), 5.0)
    assert result.spike_counts["a"].sum() == 3


def test_another_word_is_refused():
    with pytest.raises(ValueError, match="connectivity is 'drawn'; it must be 'stored' or"):
        ss.build(mixed(), connectivity="drawn")
