"""Sparsely connected excitatory and inhibitory neurons, and the four regimes of their activity.

Brunel N (2000). Dynamics of sparsely connected networks of excitatory and inhibitory spiking
neurons. J Comput Neurosci 8:183-208.
"""

import spikesim as ss

# Of the paper's figure 8: strength of inhibition g, and external rate over the threshold rate.
REGIMES = {
    "SR": (3.0, 2.0),  # synchronous regular
    "SI_fast": (6.0, 4.0),  # synchronous irregular, fast oscillation
    "AI": (5.0, 2.0),  # asynchronous irregular
    "SI_slow": (4.5, 0.9),  # synchronous irregular, slow oscillation
}

TAU_M = 20.0  # ms
THRESHOLD = 20.0  # mV above rest
RESET = 10.0  # mV
T_REF = 2.0  # ms
DELAY = 1.5  # ms
WEIGHT = 0.1  # mV
INDEGREE_EXC, INDEGREE_INH = 1000, 250


def network(seed: int = 1, scale: float = 1.0, drive: str = "AI") -> ss.Network:
    """Describe the network of 10,000 excitatory and 2,500 inhibitory neurons.

    Parameters
    ----------
    seed : int
    scale : float
        Multiplies the neurons; in-degrees stay as they are.
    drive : "SR", "SI_fast", "AI" or "SI_slow"
        The regime.
    """
    if drive not in REGIMES:
        raise ValueError(f"drive is {drive!r}; it must be one of {', '.join(REGIMES)}.")
    g, relative_rate = REGIMES[drive]
    net = ss.Network(seed=seed, name="brunel")
    neuron = ss.LIF(
        tau_m=TAU_M,
        e_l=0.0,
        v_th=THRESHOLD,
        v_reset=RESET,
        t_ref=T_REF,
        receptors={"jump": ss.Delta()},
    )
    start = {"v": ss.Uniform(0.0, THRESHOLD)}
    exc = net.population("exc", max(1, round(10_000 * scale)), neuron, init=start)
    inh = net.population("inh", max(1, round(2_500 * scale)), neuron, init=start)
    both = [exc, inh]
    net.connect(exc, both, ss.FixedInDegree(INDEGREE_EXC), weight=WEIGHT, delay=DELAY)
    net.connect(inh, both, ss.FixedInDegree(INDEGREE_INH), weight=-g * WEIGHT, delay=DELAY)
    threshold_rate = 1000 * THRESHOLD / (WEIGHT * TAU_M)  # Hz, summed over the external inputs
    for population in both:
        net.drive(population, ss.Poisson(relative_rate * threshold_rate, WEIGHT))
    return net
