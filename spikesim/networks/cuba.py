"""CUBA: 4,000 leaky integrate-and-fire neurons with current-based synapses.

Vogels TP, Abbott LF (2005). Signal propagation and logic gating in networks of integrate-and-fire
neurons. J Neurosci 25:10786. Brette R et al. (2007). Simulation of networks of spiking neurons.
J Comput Neurosci 23:349, benchmark 2.
"""

import spikesim as ss


def network(seed: int = 1, scale: float = 1.0) -> ss.Network:
    """Describe CUBA. ``scale`` multiplies the neurons; the mean in-degree stays 64 + 16."""
    net = ss.Network(seed=seed, name="cuba")
    # The paper's jumps of 1.62 and -9 mV (times the membrane's conductance of 10 nS) as currents.
    neuron = ss.LIF(
        tau_m=20.0,
        c_m=200.0,
        e_l=-49.0,
        v_th=-50.0,
        v_reset=-60.0,
        t_ref=5.0,
        receptors={
            "exc": ss.Exponential(5.0, sign="positive"),
            "inh": ss.Exponential(10.0, sign="negative"),
        },
    )
    start = {"v": ss.Uniform(-60.0, -50.0)}
    exc = net.population("exc", max(1, round(3200 * scale)), neuron, init=start)
    inh = net.population("inh", max(1, round(800 * scale)), neuron, init=start)
    rule = ss.FixedProbability(min(0.02 / scale, 1.0), autapses=False)
    net.connect(exc, [exc, inh], rule, weight=16.2, delay=0.1, receptor="exc")
    net.connect(inh, [exc, inh], rule, weight=-90.0, delay=0.1, receptor="inh")
    return net
