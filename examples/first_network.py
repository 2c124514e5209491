"""A first network: describe it, run it, look at it.

A thousand leaky integrate-and-fire neurons, four fifths of them excitatory, are kept busy by
Poisson input and calmed by inhibition. Run it with ``python first_network.py [FOLDER]``; it leaves
``first_network.h5`` and ``first_network.png`` there.
"""

import sys
from pathlib import Path

import spikesim as ss
from spikesim import plots

folder = Path(sys.argv[1] if len(sys.argv) > 1 else ".")

# Describe. Units are ms, mV, pA, nS, pF and Hz everywhere.
net = ss.Network(seed=1, name="first network")
neuron = ss.LIF(
    tau_m=20.0,
    c_m=200.0,
    e_l=-65.0,
    v_th=-50.0,
    v_reset=-65.0,
    t_ref=2.0,
    receptors={
        "exc": ss.Exponential(5.0, sign="positive"),
        "inh": ss.Exponential(10.0, sign="negative"),
    },
)
start = {"v": ss.Uniform(-65.0, -50.0)}
exc = net.population("exc", 800, neuron, init=start)
inh = net.population("inh", 200, neuron, init=start)

delay = ss.Normal(1.5, 0.5, low=0.1)
net.connect(exc, [exc, inh], ss.FixedProbability(0.1), weight=30.0, delay=delay, receptor="exc")
net.connect(inh, [exc, inh], ss.FixedProbability(0.1), weight=-150.0, delay=delay, receptor="inh")
net.drive(exc, ss.Poisson(rate=2000.0, weight=45.0), receptor="exc")
net.drive(inh, ss.Poisson(rate=2000.0, weight=45.0), receptor="exc")
print(net.summary())

# Run for a second, and keep the membrane potential of three cells beside the spikes.
result = ss.simulate(
    net,
    1000.0,
    out=folder / "first_network.h5",
    overwrite=True,
    record=[ss.Trace(exc[:3], "v", every=0.5)],
)
for name, rate in result.rates.items():
    print(f"{name}: {rate:.1f} Hz")
print(f"real-time factor {result.timings['rtf']:.3f}")

# Look.
plots.save(plots.raster(result.spikes), folder / "first_network.png", overwrite=True)
