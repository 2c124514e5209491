"""COBA-HH: 4,000 Hodgkin-Huxley neurons with conductance-based synapses.

Brette R et al. (2007). Simulation of networks of spiking neurons. J Comput Neurosci 23:349,
benchmark 3. The kinetics are those of Traub RD, Miles R (1991). Neuronal Networks of the
Hippocampus. Cambridge University Press, modified.
"""

import spikesim as ss

# For an area of 20,000 square micrometres: 1 uF, 0.05 mS, 100 mS and 30 mS per square centimetre.
C_M = 200.0  # pF
G_L, G_NA, G_K = 10.0, 20_000.0, 6_000.0  # nS
E_L, E_NA, E_K = -60.0, 50.0, -90.0  # mV
V_T = -63.0  # mV, shifts the rates; the threshold lies some 10 mV above


def neuron() -> ss.NeuronModel:
    """Describe the neuron, with receptors "exc" and "inh".

    A spike is where v comes to be above -20 mV; a neuron that stays there for 3 ms spikes again.
    """
    return ss.NeuronModel(
        name="COBA-HH",
        equations="""
            x = v - v_t : mV
            alpha_m = 1.28 / exprel((13 - x) / 4)
            beta_m = 1.4 / exprel((x - 40) / 5)
            alpha_h = 0.128 * exp((17 - x) / 18)
            beta_h = 4 / (1 + exp((40 - x) / 5))
            alpha_n = 0.16 / exprel((15 - x) / 5)
            beta_n = 0.5 * exp((10 - x) / 40)
            i_na = g_na * m**3 * h * (e_na - v) : pA
            i_k = g_k * n**4 * (e_k - v) : pA
            dv/dt = (g_l * (e_l - v) + i_na + i_k + i_syn) / c_m : mV
            dm/dt = alpha_m * (1 - m) - beta_m * m
            dh/dt = alpha_h * (1 - h) - beta_h * h
            dn/dt = alpha_n * (1 - n) - beta_n * n""",
        threshold="v > -20",
        reset="",
        refractory="t_ref",
        parameters={
            "c_m": f"{C_M} pF",
            "g_l": f"{G_L} nS",
            "g_na": f"{G_NA} nS",
            "g_k": f"{G_K} nS",
            "e_l": f"{E_L} mV",
            "e_na": f"{E_NA} mV",
            "e_k": f"{E_K} mV",
            "v_t": f"{V_T} mV",
            "t_ref": "3 ms",
        },
        receptors={"exc": ss.Conductance(5.0, 0.0), "inh": ss.Conductance(10.0, -80.0)},
        method="exponential_euler",
    )


def network(seed: int = 1, scale: float = 1.0) -> ss.Network:
    """Describe COBA-HH. ``scale`` multiplies the neurons; the mean in-degree stays 64 + 16."""
    net = ss.Network(seed=seed, name="hodgkin_huxley")
    # Conductances begin as in the undriven COBA, some of the inhibitory ones below zero; the gates
    # begin closed.
    start = {
        "v": ss.Normal(-65.0, 5.0),
        "g_exc": ss.Normal(40.0, 15.0),
        "g_inh": ss.Normal(200.0, 120.0),
    }
    exc = net.population("exc", max(1, round(3200 * scale)), neuron(), init=start)
    inh = net.population("inh", max(1, round(800 * scale)), neuron(), init=start)
    rule = ss.FixedProbability(min(0.02 / scale, 1.0), autapses=False)
    net.connect(exc, [exc, inh], rule, weight=6.0, delay=0.1, receptor="exc")
    net.connect(inh, [exc, inh], rule, weight=67.0, delay=0.1, receptor="inh")
    return net
