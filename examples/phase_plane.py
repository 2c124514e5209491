"""The phase plane of AdEx: the flow, the nullclines and what a neuron does in it.

Below rheobase the nullclines cross twice and the neuron comes to rest at the crossing on the left;
above it they part, and it spikes for ever. Each spike puts the potential back to v_reset and
raises w by b.

Run it with ``python phase_plane.py [PNG]``.
"""

import sys

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import plots

CURRENTS = {"below rheobase": 400.0, "above it": 800.0}  # pA
DURATION, DT = 400.0, 0.05  # ms
V, W = (-85.0, -38.0), (-80.0, 480.0)  # mV, pA: what is drawn

figure = Figure(figsize=(10, 4.2), layout="constrained")
for axes, (title, current) in zip(
    figure.subplots(1, 2, sharey=True), CURRENTS.items(), strict=True
):
    model = ss.AdEx(i_offset=current)
    v, w = np.meshgrid(np.linspace(*V, 400), np.linspace(*W, 400))
    slopes = model.derivatives(v=v, w=w)  # mV/ms and pA/ms
    for variable, colour in zip("vw", plots.COLOURS, strict=False):
        axes.contour(v, w, slopes[variable], [0.0], colors=[colour], linewidths=1.5)
        axes.plot([], [], color=colour, label=f"d{variable}/dt = 0")
    axes.streamplot(v, w, slopes["v"], slopes["w"], color="0.8", linewidth=0.5, arrowsize=0.6)

    net = ss.Network()
    cell = net.population("cell", 1, model)
    record = [ss.Trace(cell, variable, every=DT) for variable in "vw"]
    result = ss.simulate(net, DURATION, dt=DT, record=record)
    path = [result.traces["cell", variable].values[:, 0] for variable in "vw"]
    resets = np.rint(result.spikes["cell"].times / DT).astype(int) - 1  # where in the trace
    for piece in zip(*(np.split(x, resets) for x in path), strict=True):
        axes.plot(*piece, color="black", linewidth=0.9)
    axes.plot(path[0][resets], path[1][resets], "o", color="black", markersize=3)
    axes.plot(
        [],
        [],
        color="black",
        linewidth=0.9,
        marker="o",
        markersize=3,
        label="a neuron, and its resets",
    )
    axes.set(
        xlim=V, ylim=W, xlabel="v (mV)", title=f"{current:g} pA, {title}: {resets.size} spikes"
    )
    print(f"{current:g} pA: {resets.size} spikes")
figure.axes[0].set_ylabel("w (pA)")
figure.axes[0].legend(loc="upper left", fontsize=8, framealpha=0.9)
path = sys.argv[1] if len(sys.argv) > 1 else "phase_plane.png"
plots.save(figure, path, overwrite=True)
