"""A column of early sensory cortex: 77,169 neurons in four layers, 299 million synapses.

Potjans TC, Diesmann M (2014). The cell-type specific cortical microcircuit: relating structure and
activity in a full-scale spiking network model. Cereb Cortex 24:785-806.
"""

import math

import spikesim as ss

NAMES = ["L23E", "L23I", "L4E", "L4I", "L5E", "L5I", "L6E", "L6I"]
SIZES = [20683, 5834, 21915, 5479, 4850, 1065, 14395, 2948]

# Probability that a pair is connected at least once: rows are targets, columns sources.
PROBABILITIES = [
    [0.1009, 0.1689, 0.0437, 0.0818, 0.0323, 0.0, 0.0076, 0.0],
    [0.1346, 0.1371, 0.0316, 0.0515, 0.0755, 0.0, 0.0042, 0.0],
    [0.0077, 0.0059, 0.0497, 0.135, 0.0067, 0.0003, 0.0453, 0.0],
    [0.0691, 0.0029, 0.0794, 0.1597, 0.0033, 0.0, 0.1057, 0.0],
    [0.1004, 0.0622, 0.0505, 0.0057, 0.0831, 0.3726, 0.0204, 0.0],
    [0.0548, 0.0269, 0.0257, 0.0022, 0.06, 0.3158, 0.0086, 0.0],
    [0.0156, 0.0066, 0.0211, 0.0166, 0.0572, 0.0197, 0.0396, 0.2252],
    [0.0364, 0.001, 0.0034, 0.0005, 0.0277, 0.008, 0.0658, 0.1443],
]

EXTERNAL_INDEGREES = [1600, 1500, 2100, 1900, 2000, 1900, 2900, 2100]
EXTERNAL_RATE = 8.0  # Hz

WEIGHT = 87.8  # pA, for a postsynaptic potential of 0.15 mV
WEIGHT_SD = 0.1  # of the mean
INHIBITION = -4.0  # strength relative to excitation
DELAYS = {"E": (1.5, 0.75), "I": (0.75, 0.375)}  # ms, mean and SD by the source's type
TAU_SYN = 0.5  # ms

START_MEANS = [-68.28, -63.16, -63.33, -63.45, -63.11, -61.66, -66.72, -61.43]  # mV
START_SDS = [5.36, 4.57, 4.74, 4.94, 4.94, 4.55, 5.46, 4.48]


def network(seed: int = 1, scale: float = 1.0, drive: str = "poisson") -> ss.Network:
    """Describe the microcircuit.

    Parameters
    ----------
    seed : int
    scale : float
        Multiplies the neurons; in-degrees stay as they are.
    drive : "poisson" or "dc"
        Background input as Poisson trains, or as the constant current of the same mean.
    """
    if drive not in ("poisson", "dc"):
        raise ValueError(f"drive is {drive!r}; it must be 'poisson' or 'dc'.")
    net = ss.Network(seed=seed, name="microcircuit")
    # Excitation and inhibition decay alike here, so one receptor takes both.
    neuron = ss.LIF(
        tau_m=10.0,
        c_m=250.0,
        e_l=-65.0,
        v_th=-50.0,
        v_reset=-65.0,
        t_ref=2.0,
        receptors={"psc": ss.Exponential(TAU_SYN)},
    )
    for name, size, mean, sd in zip(NAMES, SIZES, START_MEANS, START_SDS, strict=True):
        net.population(name, max(1, round(size * scale)), neuron, init={"v": ss.Normal(mean, sd)})

    for target, row in enumerate(PROBABILITIES):
        for source, probability in enumerate(row):
            if probability == 0:
                continue
            pairs = SIZES[source] * SIZES[target]
            total = math.log(1 - probability) / math.log(1 - 1 / pairs)
            size = net.populations[NAMES[target]].size
            mean = WEIGHT * (INHIBITION if NAMES[source].endswith("I") else 1.0)
            if NAMES[source] == "L4E" and NAMES[target] == "L23E":
                mean *= 2
            low, high = (0.0, math.inf) if mean > 0 else (-math.inf, 0.0)
            delay, delay_sd = DELAYS[NAMES[source][-1]]
            net.connect(
                NAMES[source],
                NAMES[target],
                ss.FixedTotal(round(total * size / SIZES[target])),
                weight=ss.Normal(mean, WEIGHT_SD * abs(mean), low=low, high=high),
                delay=ss.Normal(delay, delay_sd, low=0.1),
            )

    for name, indegree in zip(NAMES, EXTERNAL_INDEGREES, strict=True):
        rate = indegree * EXTERNAL_RATE
        if drive == "poisson":
            net.drive(name, ss.Poisson(rate=rate, weight=WEIGHT))
        else:
            net.drive(name, ss.Current(rate / 1000 * WEIGHT * TAU_SYN))
    return net
