"""The 20 firing patterns of Izhikevich (2004): run them, draw them.

Run it with ``python patterns.py [PNG]``; each panel holds a neuron's potential and, below, its
current.
"""

import sys

import numpy as np

import spikesim as ss
from spikesim import plots
from spikesim.networks import patterns

net = patterns.network()
traces = [ss.Trace(net.populations[p.name], "v", every=p.tau) for p in patterns.PATTERNS]
result = ss.simulate(net, 400.0, dt=patterns.DT, record=traces)

panels = {}
for pattern in patterns.PATTERNS:
    current = pattern.samples
    times = pattern.tau * np.arange(1, current.size + 1)
    v = result.traces[pattern.name, "v"].values[: current.size, 0].copy()
    spikes = result.spikes[pattern.name].restrict(0.0, pattern.duration).times
    v[np.rint(spikes / pattern.tau).astype(int) - 1] = 30.0  # a trace holds v after the reset
    panels[pattern.name.replace("_", " ")] = times, v, current
    print(f"{pattern.name}: {len(spikes)} spikes in {pattern.duration} ms")
path = sys.argv[1] if len(sys.argv) > 1 else "patterns.png"
plots.save(plots.responses(panels), path, overwrite=True)
