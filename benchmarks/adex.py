"""COBA of adaptive exponential neurons: ``spikesim run benchmarks/adex.py``.

COBA's wiring and synapses with the neuron of Brette R, Gerstner W (2005), J Neurophysiol 94:3637,
and a constant current that keeps it firing. No published network: it is here to be measured beside
the same in Brian2 (`benchmarks.rivals.brian2_networks`).
"""

import spikesim as ss

CURRENT = 700.0  # pA; the neuron alone fires from 620 pA on


def network(seed: int = 1) -> ss.Network:
    """Describe 3,200 excitatory and 800 inhibitory neurons, integrated by rk4."""
    net = ss.Network(seed=seed, name="adex")
    neuron = ss.AdEx(
        i_offset=CURRENT,
        receptors={"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)},
    )
    start = {"v": ss.Uniform(-60.0, -50.0)}
    exc = net.population("exc", 3200, neuron, init=start)
    inh = net.population("inh", 800, neuron, init=start)
    rule = ss.FixedProbability(0.02, autapses=False)
    net.connect(exc, [exc, inh], rule, weight=6.0, delay=0.1, receptor="exc")
    net.connect(inh, [exc, inh], rule, weight=67.0, delay=0.1, receptor="inh")
    return net
