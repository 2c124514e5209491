"""Place cells that precess under theta: what a position does to the time of spikes.

A rat runs along a track, 24 times, and 40 place cells fire, each in a field of its own. Twenty
interneurons fire with theta and inhibit them all. In its field, a cell's dendrite oscillates too,
faster than theta by one cycle per field: the more so, the faster the rat runs (oscillatory
interference, O'Keefe & Recce 1993, Lengyel et al. 2003). The cell spikes where both allow it, so it
does earlier and earlier in the cycle as the rat runs on: its phase says where in the field the
rat is. As fields lie one behind the other, cells fire within each cycle in the order in which
their fields will be entered, about ten times as fast.

What is measured is read from spikes and positions alone, as from a recording (the interneurons'
rate is taken for the field potential): fields, the slope of phase against position of all passes
together (pooled) and of each (single), theta sequences and how much they compress. Passes begin a
little earlier or later, so the pooled slope is shallower than the single ones (Schmidt et al.
2009).

Run it with ``python phase_precession.py [PNG]``. It takes seconds.

References: O'Keefe J, Recce ML (1993) Hippocampus 3:317-330. Lengyel M, Szatmary Z, Erdi P (2003)
Dynamically detuned oscillations account for the coupled rate and temporal code of place cell
firing. Hippocampus 13:700-714. Schmidt R et al. (2009) J Neurosci 29:13232-13241. Skaggs WE et al.
(1996) Hippocampus 6:149-172. Dragoi G, Buzsaki G (2006) Neuron 50:145-157.
"""

import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import analysis, plots

SEED = 1
CELLS, INTERNEURONS, LAPS = 40, 20, 24
TRACK, FIELD = 200.0, 36.0  # cm
SPEED, SPREAD = 34.0, 4.0  # cm/s: of laps, mean and SD
REST = 1500.0  # ms between laps
THETA = 8.0  # Hz
EARLY = 0.1  # SD of where a pass begins, in fields
DT, EVERY = 0.2, 2.0  # ms: of the simulation, and of currents and positions
DRIVE, BASE = 400.0, -20.0  # pA: of the dendrite at its peak, and of the soma
WIDE, SHARP = 1.3, 2  # fields over which a dendrite is driven; power of its oscillation
WEIGHT, NOISE = -2.0, 150.0  # pA, pA sqrt(ms): of an interneuron's spike, and of noise


@dataclass
class Behaviour:
    """Where the rat is, every EVERY ms; NaN while it rests and is carried back."""

    times: np.ndarray
    positions: np.ndarray
    laps: ss.Windows
    theta: np.ndarray  # cycles


def behave(rng: np.random.Generator) -> Behaviour:
    speeds = np.maximum(rng.normal(SPEED, SPREAD, LAPS), 15.0)
    pieces, starts, stops, t = [], [], [], 0.0
    for speed in speeds:
        n, rest = round(1000 * TRACK / speed / EVERY), round(REST / EVERY)
        pieces += [np.full(rest, np.nan), np.linspace(0.0, TRACK, n)]
        starts.append(t + rest * EVERY)
        t += (rest + n) * EVERY
        stops.append(t)
    positions = np.concatenate([*pieces, np.full(round(REST / EVERY), np.nan)])
    times = EVERY * (np.arange(positions.size) + 0.5)
    slow = np.convolve(rng.normal(size=positions.size), np.full(250, 250**-0.5), "same")
    theta = np.cumsum(THETA + 0.3 * slow) * EVERY / 1000
    return Behaviour(times, positions, ss.Windows(starts, stops), theta)


def dendrites(rat: Behaviour, rng: np.random.Generator) -> np.ndarray:
    """Currents into the cells (pA), (steps, cells): a faster theta in the cell's field."""
    centres = np.linspace(0.0, TRACK, CELLS)
    lap = rat.laps.index(rat.times)
    begins = EARLY * rng.normal(size=(LAPS + 1, CELLS))
    x = (rat.positions[:, None] - centres) / FIELD + 0.5 + begins[lap]
    bump = np.where(np.abs(x - 0.5) < WIDE / 2, np.cos(np.pi * (x - 0.5) / WIDE), 0.0)  # not NaN
    turns = rat.theta[:, None] + np.nan_to_num(x)
    return DRIVE * bump * ((1 + np.cos(2 * np.pi * turns)) / 2) ** SHARP


def network(rat: Behaviour, rng: np.random.Generator) -> ss.Network:
    net = ss.Network(seed=SEED, name="phase precession")
    noise = ss.WhiteCurrent(NOISE)
    rhythm = {"theta": ss.Pulse(), "noise": noise}
    interneuron = ss.LIF(tau_m=10.0, c_m=100.0, receptors=rhythm)
    place_cell = ss.LIF(
        tau_m=10.0,
        c_m=100.0,
        i_offset=BASE,
        receptors={
            "dendrite": ss.Pulse(),
            "inh": ss.Exponential(8.0, sign="negative"),
            "noise": noise,
        },
    )
    inhibitory = net.population("interneurons", INTERNEURONS, interneuron)
    cells = net.population("cells", CELLS, place_cell)
    swing = 150.0 + 150.0 * np.cos(2 * np.pi * rat.theta)
    net.drive(inhibitory, ss.Sampled(swing, every=EVERY), receptor="theta")
    net.drive(cells, ss.Sampled(dendrites(rat, rng), every=EVERY), receptor="dendrite")
    net.connect(inhibitory, cells, ss.AllToAll(), weight=WEIGHT, delay=1.0, receptor="inh")
    return net


def draw(
    rat: Behaviour,
    run: ss.SpikeTrains,
    phase: analysis.Phase,
    order: np.ndarray,
    found: analysis.Precession,
    shown: int,
    pairs: analysis.Compression,
) -> Figure:
    figure = plots.blank(5.6)
    (one, two), (three, four) = figure.subplots(2, 2)
    start, stop = rat.laps[2]
    window = start + 0.45 * (stop - start), start + 0.45 * (stop - start) + 1000.0
    seen = run.restrict(*window)
    row = np.argsort(order)
    one.plot(seen.times - window[0], row[seen.neurons], "|", color=plots.COLOURS[0], markersize=5)
    for cycle in range(*phase.cycles(np.array(window)) + np.array([1, 1])):
        at = np.interp(2 * np.pi * cycle, phase.unwrapped, phase.times) - window[0]
        one.axvline(at, color="0.85", linewidth=0.7, zorder=0)
    one.set_xlim(0, 1000)
    one.set_ylim(row[seen.neurons].min() - 1, row[seen.neurons].max() + 1)
    one.set_xlabel("time (ms); lines: peaks of theta", fontsize=8)
    one.set_ylabel("cell, by the place of its field", fontsize=8)
    one.set_title("one second of a run", loc="left", fontsize=8)
    plots.tidy(one)
    plots.phase_precession(found, shown, ax=two)
    edges = np.arange(-540, 1, 20)
    kept = ~found.single.at_bound
    for slopes, colour, label in (
        (found.single.slope[kept], plots.COLOURS[5], "single passes"),
        (found.pooled.slope, plots.COLOURS[1], "all passes of a field"),
    ):
        share = np.histogram(360 * slopes, edges)[0] / max(slopes.size, 1)
        three.stairs(100 * share, edges, color=colour, linewidth=1.3, label=label)
        three.axvline(360 * np.median(slopes), color=colour, linewidth=0.8, linestyle="--")
    three.set_xlabel("slope (degrees per field)", fontsize=8)
    three.set_ylabel("share (%)", fontsize=8)
    three.legend(fontsize=6.5, frameon=False)
    plots.tidy(three)
    plots.compression(pairs, ax=four)
    return figure


def main(path: str) -> None:
    rng = np.random.default_rng(SEED)
    rat = behave(rng)
    net = network(rat, rng)
    record = [ss.Rate(net.populations["interneurons"], bin=EVERY)]
    result = ss.simulate(net, EVERY * rat.times.size, dt=DT, record=record)
    spikes, theta = result.spikes["cells"], result.binned["interneurons"]

    phase = analysis.hilbert_phase(theta.rates, (5.0, 11.0), times=theta.times)
    run = spikes.restrict(rat.laps)
    maps = analysis.tuning_curves(run, rat.positions, rat.times, bins=100, smooth=3.0)
    fields = analysis.place_fields(
        maps.rates, maps.edges[0], share=0.15, least_rate=3.0, least_width=15.0
    )
    # Fields that the ends of the track cut off are left out.
    fields = fields[(fields.starts > 2.0) & (fields.stops < TRACK - 2.0)]
    found = analysis.phase_precession(
        spikes, phase, rat.positions, rat.times, fields, laps=rat.laps, seed=SEED
    )
    kept = ~found.single.at_bound
    pooled, single = 360 * np.median(found.pooled.slope), 360 * np.median(found.single.slope[kept])
    print(
        f"{len(fields)} fields of {np.median(fields.widths):.0f} cm; "
        f"{np.sum(found.pooled.p < 0.05)} with p < .05"
    )
    print(f"slope, pooled: {pooled:.0f} degrees per field, median; single: {single:.0f}")
    print(f"correlation, pooled: {np.median(found.pooled.correlation):.2f}")

    places = np.full(CELLS, np.nan)
    places[fields.neurons] = fields.peaks
    speed = 1000 * TRACK / rat.laps.durations.mean()
    pairs = analysis.sequence_compression(
        run, places, speed, phase.mean_period, reach=0.6 * np.median(fields.widths)
    )
    cycles = analysis.theta_sequences(run, phase, places, seed=SEED)
    print(
        f"theta sequences in {cycles.cycles.size} cycles: mean correlation {cycles.score:.2f}, "
        f"p = {cycles.p:.3g}"
    )
    print(
        f"compression: {pairs.compression:.1f} by the lags of {len(pairs.pairs)} pairs, "
        f"{np.median(cycles.slope) / speed:.1f} by sequences"
    )
    shown = int(np.argmin(found.pooled.p + np.abs(fields.peaks - TRACK / 2) / TRACK))
    plots.save(draw(rat, run, phase, np.argsort(places), found, shown, pairs), path, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "phase_precession.png")
