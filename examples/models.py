"""What each built-in neuron model does with a step of current.

Run it with ``python models.py [PNG]``; each panel holds a neuron's potential and, below, its
current.
"""

import sys

import numpy as np

import spikesim as ss
from spikesim import plots

DURATION, ON, OFF = 400.0, 50.0, 350.0  # ms

STEP = {"step": ss.Pulse()}  # a receptor for the current
MODELS = {  # model, current in pA (Izhikevich 2003 and FitzHugh-Nagumo: in their own units), top
    "LIF": (ss.LIF(receptors=STEP), 500.0, 0.0),
    "AdaptiveLIF": (ss.AdaptiveLIF(receptors=STEP), 600.0, 0.0),
    "GLIF, level 3": (ss.GLIF(3, receptors=STEP), 600.0, 0.0),
    "GLIF, level 5": (ss.GLIF(5, receptors=STEP), 600.0, 0.0),
    "QIF": (ss.QIF(receptors=STEP), 400.0, None),
    "EIF": (ss.EIF(receptors=STEP), 300.0, 0.0),
    "AdEx": (ss.AdEx(receptors=STEP), 800.0, 0.0),
    "Izhikevich 2003, CH": (
        ss.Izhikevich(a=0.02, b=0.2, c=-50.0, d=2.0, receptors={"step": ss.Pulse("")}),
        10.0,
        30.0,
    ),
    "Izhikevich 2007, RS": (ss.Izhikevich2007(receptors=STEP), 100.0, 35.0),
    "Hodgkin-Huxley": (ss.HodgkinHuxley(receptors=STEP), 1000.0, None),
    "FitzHugh-Nagumo, v times 30": (ss.FitzHughNagumo(receptors={"step": ss.Pulse("")}), 0.5, None),
}

panels = {}
for title, (model, current, top) in MODELS.items():
    dt = 0.5 if title.startswith("Izhikevich 2003") else 0.05
    net = ss.Network(name=title)
    cell = net.population("cell", 1, model)
    values = np.zeros(round(DURATION / dt))
    values[round(ON / dt) : round(OFF / dt)] = current
    net.drive(cell, ss.Sampled(values, every=dt), receptor="step")
    result = ss.simulate(net, DURATION, dt=dt, record=[ss.Trace(cell, "v", every=dt)])
    trace = result.traces["cell", "v"]
    v = trace.values[:, 0].copy()
    spikes = result.spikes["cell"].times
    if title.startswith("FitzHugh"):  # v runs from -2 to 2
        v *= 30.0
    if top is not None:  # a model without an upstroke of its own: draw one
        v[np.rint(spikes / dt).astype(int) - 1] = top
    panels[title] = trace.times, v, values
    print(f"{title}: {spikes.size} spikes")
path = sys.argv[1] if len(sys.argv) > 1 else "models.png"
plots.save(plots.responses(panels, columns=3), path, overwrite=True)
