"""A billion synapses: ``spikesim run benchmarks/billion.py --procedural``.

250,000 neurons with 4,000 outputs each, after Brunel N (2000), J Comput Neurosci 8:183-208: weights
fall with the root of the in-degree, so that the input fluctuates as in the network of 12,500.
"""

import math

import spikesim as ss

WEIGHT = 0.1 / math.sqrt(3.2)  # mV
INHIBITION = 5.0
EXTERNAL_RATE = 0.95  # of the rate that would bring the mean potential to threshold


def network(seed: int = 1, scale: float = 1.0) -> ss.Network:
    """Describe 200,000 excitatory and 50,000 inhibitory neurons; ``scale`` keeps out-degrees."""
    net = ss.Network(seed=seed, name="billion")
    neuron = ss.LIF(
        tau_m=20.0, e_l=0.0, v_th=20.0, v_reset=10.0, t_ref=2.0, receptors={"jump": ss.Delta()}
    )
    start = {"v": ss.Uniform(0.0, 20.0)}
    exc = net.population("exc", max(1, round(200_000 * scale)), neuron, init=start)
    inh = net.population("inh", max(1, round(50_000 * scale)), neuron, init=start)
    for source, weight in ((exc, WEIGHT), (inh, -INHIBITION * WEIGHT)):
        for target, outputs in ((exc, 3200), (inh, 800)):
            net.connect(source, target, ss.FixedOutDegree(outputs), weight=weight, delay=1.5)
    for population in (exc, inh):
        rate = EXTERNAL_RATE * 20.0 / (WEIGHT * 20.0) * 1000  # Hz
        net.drive(population, ss.Poisson(rate, WEIGHT))
    return net
