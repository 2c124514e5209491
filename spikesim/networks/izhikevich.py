"""1,000 Izhikevich neurons, all connected to all, driven by noise; to be run at dt = 1 ms.

Izhikevich EM (2003). Simple model of spiking neurons. IEEE Trans Neural Netw 14:1569-1572.
"""

import numpy as np

import spikesim as ss

DT = 1.0  # ms: the scheme of the paper


def network(seed: int = 1) -> ss.Network:
    """Describe the network: 800 excitatory cells from RS to CH, 200 inhibitory from FS to LTS."""
    net = ss.Network(seed=seed, name="izhikevich")
    random = np.random.default_rng(seed)
    r_exc, r_inh = random.random(800), random.random(200)
    start = {"v": -65.0}
    exc = net.population(
        "exc",
        800,
        ss.Izhikevich(a=0.02, b=0.2, c=-65 + 15 * r_exc**2, d=8 - 6 * r_exc**2),
        init=start,
    )
    inh = net.population(
        "inh",
        200,
        ss.Izhikevich(a=0.02 + 0.08 * r_inh, b=0.25 - 0.05 * r_inh, c=-65.0, d=2.0),
        init={"v": -65.0, "u": "-65 * b"},
    )
    net.connect(exc, [exc, inh], ss.AllToAll(), weight=ss.Uniform(0.0, 0.5), delay=DT)
    net.connect(inh, [exc, inh], ss.AllToAll(), weight=ss.Uniform(-1.0, 0.0), delay=DT)
    net.drive(exc, ss.WhiteNoise(5.0))
    net.drive(inh, ss.WhiteNoise(2.0))
    return net
