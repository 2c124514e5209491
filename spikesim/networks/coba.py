"""COBA: 4,000 leaky integrate-and-fire neurons with conductance-based synapses.

Vogels TP, Abbott LF (2005). Signal propagation and logic gating in networks of integrate-and-fire
neurons. J Neurosci 25:10786. Brette R et al. (2007). Simulation of networks of spiking neurons.
J Comput Neurosci 23:349, benchmark 1.
"""

import spikesim as ss


def network(seed: int = 1, scale: float = 1.0, drive: str = "current") -> ss.Network:
    """Describe COBA.

    Parameters
    ----------
    seed : int
    scale : float
        Multiplies the neurons; the mean in-degree stays 64 + 16.
    drive : "current" or "none"
        "current" adds 200 pA (20 mV) to every neuron, so that activity lasts. "none" is the
        published network, started by a burst of conductance; at this size it falls silent within
        seconds in about half of all runs.
    """
    if drive not in ("current", "none"):
        raise ValueError(f"drive is {drive!r}; it must be 'current' or 'none'.")
    net = ss.Network(seed=seed, name="coba")
    neuron = ss.LIF(
        tau_m=20.0,
        c_m=200.0,
        e_l=-60.0,
        v_th=-50.0,
        v_reset=-60.0,
        t_ref=5.0,
        receptors={"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)},
    )
    start = {"v": ss.Uniform(-60.0, -50.0)}
    if drive == "none":
        # As published. One inhibitory conductance in twenty begins below zero; these neurons are
        # what sets the network going, and without them it is silent after 20 ms.
        start = {
            "v": ss.Normal(-65.0, 5.0),
            "g_exc": ss.Normal(40.0, 15.0),
            "g_inh": ss.Normal(200.0, 120.0),
        }
    exc = net.population("exc", max(1, round(3200 * scale)), neuron, init=start)
    inh = net.population("inh", max(1, round(800 * scale)), neuron, init=start)
    rule = ss.FixedProbability(min(0.02 / scale, 1.0), autapses=False)
    net.connect(exc, [exc, inh], rule, weight=6.0, delay=0.1, receptor="exc")
    net.connect(inh, [exc, inh], rule, weight=67.0, delay=0.1, receptor="inh")
    if drive == "current":
        for population in (exc, inh):
            net.drive(population, ss.Current(200.0))
    return net
