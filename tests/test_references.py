"""What nobody holds any more is let go: networks, builds, simulations."""

import gc
import weakref

import numpy as np
import pytest

import spikesim as ss


def described() -> ss.Network:
    """Something of every kind whose making is remembered somewhere."""
    net = ss.Network(seed=1)
    cell = ss.LIF(receptors={"s": ss.Exponential()}, tau_m=ss.Normal(20.0, 1.0))
    a = net.population("a", 100, cell, positions=np.arange(100.0))
    rule = ss.DistanceDependent(ss.Gaussian(3.0))
    net.connect(a, a, rule, weight=ss.LogNormal(0.0, 3.0), delay=1.0)
    net.connect(a, a, ss.FixedProbability(0.1), weight=ss.Normal(3.0, 1.0), delay=1.0)
    net.drive(a, ss.Gamma(50.0, 2.0, 5.0), name="gamma")
    net.drive(a, ss.PoissonDeadTime(50.0, 2.0, 5.0))
    net.drive(a, ss.PoissonRates([100.0, 200.0], 1.0, 5.0))
    net.drive(a, ss.Current(np.arange(100.0)), name="current")
    return net


@pytest.mark.parametrize("connectivity", ["stored", "procedural"])
def test_a_network_its_build_and_its_simulation_are_let_go(connectivity):
    net = described()
    build = ss.build(net, connectivity=connectivity)
    simulation = ss.Simulation(build, record=[ss.Trace(net.populations["a"], "v", 1.0)])
    simulation.run(5.0)
    for rate in (60.0, 70.0):  # asks again for what is remembered
        simulation.set("gamma", rate=rate)
    simulation.set("current", amplitude=5.0)
    simulation.run(5.0)
    result = simulation.result()
    ss.check_memory(net, "single", None)
    drives = list(net.inputs.values())
    held = [net, build, simulation, simulation.state, result, *net.projections.values(), *drives]
    seen = [weakref.ref(each) for each in held]
    assert all(each() is not None for each in seen)
    del net, build, simulation, result, drives, held
    gc.collect()
    assert [each() for each in seen] == [None] * len(seen)
