"""Neurons that turn sums of a window of steps into numbers of spikes, and what gives them input.

A window has ``steps`` steps; k counts them. A neuron spikes while v >= 0, at most once a step, and
each spike takes 1 from v (soft reset), so that nothing is lost.
"""

from spikesim.description.neuron import NeuronModel
from spikesim.description.receptors import Receptor

RECEPTOR = Receptor("1")

# Sums s of a whole window; then fires, while the next is added up. A weight of the receptor
# "onset" arrives again in each step up to the end of the window.
IN_TURN = NeuronModel(
    """
    ds/dt = 0 : 1
    dv/dt = 0 : 1
    dlasting/dt = 0 : 1
    dk/dt = 0 : 1
    offset : 1
    steps : 1
    """,
    threshold="v >= 0",
    reset="v -= 1",
    receptors={"input": RECEPTOR, "onset": RECEPTOR},
    initial={"v": -1.0},
    method="""
    k = k + 1
    lasting = lasting + w_onset
    s = s + w_input + lasting
    v = s + offset if k >= steps else v
    s = 0 if k >= steps else s
    lasting = 0 if k >= steps else lasting
    k = 0 if k >= steps else k
    """,
    name="counter",
)

# Fires while it adds up; begins each window anew, at v = start.
AT_ONCE = NeuronModel(
    """
    dv/dt = 0 : 1
    dlasting/dt = 0 : 1
    dk/dt = 0 : 1
    bias : 1
    start : 1
    steps : 1
    """,
    threshold="v >= 0",
    reset="v -= 1",
    receptors={"input": RECEPTOR, "onset": RECEPTOR},
    initial={"v": -1.0},
    method="""
    k = k + 1
    lasting = (0 if k >= steps else lasting) + w_onset
    v = (start if k >= steps else v) + w_input + lasting + bias
    k = 0 if k >= steps else k
    """,
    name="integrator",
)

# Fires wherever a weight of 1 arrives.
RELAY = NeuronModel(
    "dv/dt = 0 : 1",
    threshold="v >= 0",
    reset="v = -1",
    receptors={"input": RECEPTOR},
    initial={"v": -1.0},
    method="v = w_input - 1",
    name="relay",
)
