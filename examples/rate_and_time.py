"""Rate or time: what a population says of a stimulus, read in both ways, from the first spike on.

Adrian (1926) found that a stronger stimulus makes a nerve fire more often: whoever counts spikes
knows the stimulus, if there is time to count. But some answers come so fast that each neuron on the
way has time for one spike or two (Thorpe et al. 1996), and this comes the earlier the stronger its
input is: whoever looks at when neurons first fire knows the stimulus, too. Both are read here from
the same spikes, and how fast.

32 leaky integrate-and-fire neurons, each of which prefers a direction, are driven by Poisson input
that steps up for all of them when one of 8 directions is shown, and most for those that prefer it.
Each readout sees the spikes up to some time after the step: one counts them, the other takes each
neuron's first alone and knows when it came. A naive Bayesian decoder is fitted to four fifths of
the trials and decodes the direction of each of the others; and the information of single neurons'
counts and latencies is measured on one footing. All of it for small input spikes and, of the same
mean current, large ones: little noise and much.

What is found: in little noise all neurons fire within 16 ms, once, so counts say next to nothing
while latencies say nearly all. With the second spike counts draw level, and go on to grow as long
as spikes come, while the first spike has said what it can. In much noise the first spike comes when
it will: counts are as good from the start, and better soon. So "which code?" has the answer "when,
and in how much noise?".

Run it with ``python rate_and_time.py [PNG]``; it takes seconds.

References: Adrian ED (1926) The impulses produced by sensory nerve-endings. J Physiol 61:49-72.
Thorpe S, Fize D, Marlot C (1996) Speed of processing in the human visual system. Nature
381:520-522. Johansson RS, Birznieks I (2004) First spikes in ensembles of human tactile afferents
code complex spatial fingertip events. Nat Neurosci 7:170-177.
"""

import sys
from dataclasses import dataclass

import numpy as np
from matplotlib.figure import Figure

import spikesim as ss
from spikesim import analysis, plots
from spikesim.data.aligned import AlignedTrains

NEURONS, DIRECTIONS, REPEATS = 32, 8, 30
BEFORE, AFTER = 100.0, 200.0  # ms of a trial before and after the step
NOISE = {"little noise": 10.0, "much noise": 60.0}  # pA: weight of an input spike
BASE, STEP, TUNED = 45_000.0, 45_000.0, 60_000.0  # Hz pA: input, its step, and that of the best
TIMES = np.array([6, 8, 10, 12, 14, 16, 18, 20, 25, 30, 40, 60, 100, 150, 200], float)  # ms
FINE = 2.0  # ms: how well the readout of latencies knows when a spike came
READOUTS = "counts", "latency"


@dataclass(frozen=True)
class Reading:
    """What both readouts make of the spikes up to each of `TIMES`."""

    accuracy: np.ndarray  # [time, readout], share of right directions
    bits: np.ndarray  # [time, readout], mean over neurons
    error: np.ndarray
    spikes: np.ndarray  # [time], a neuron and trial


def trials(weight: float) -> AlignedTrains:
    """Spikes around the step, with the direction (degrees) of each trial."""
    rng = np.random.default_rng(1)
    shown = rng.permutation(np.repeat(np.arange(DIRECTIONS) * 360.0 / DIRECTIONS, REPEATS))
    preferred = np.arange(NEURONS) * 360.0 / NEURONS
    tuned = np.exp(np.cos(np.deg2rad(shown[:, None] - preferred)) - 1)
    drive = np.full((3 * shown.size, NEURONS), BASE)  # in parts of 100 ms
    drive[1::3] = drive[2::3] = BASE + STEP + TUNED * tuned

    net = ss.Network(seed=1, name="rate and time")
    neuron = ss.LIF(tau_m=15.0, t_ref=2.0, receptors={"exc": ss.Exponential(3.0)})
    cells = net.population("cells", NEURONS, neuron, init={"v": ss.Uniform(-70.0, -55.0)})
    net.drive(cells, ss.PoissonRates(drive / weight, every=100.0, weight=weight))
    spikes = ss.simulate(net, shown.size * (BEFORE + AFTER)).spikes["cells"]
    steps = np.arange(shown.size) * (BEFORE + AFTER) + BEFORE
    return spikes.align(ss.Windows(steps, steps + AFTER, {"direction": shown}), BEFORE, AFTER)


def counts_until(aligned: AlignedTrains, time: float) -> np.ndarray:
    """Spikes of each neuron in each trial in (0, time] ms."""
    here = (aligned.times > 0) & (aligned.times <= time)
    counts = np.zeros((aligned.n_trials, aligned.size))
    np.add.at(counts, (aligned.trials[here], aligned.neurons[here]), 1)
    return counts


def first_until(latency: np.ndarray, time: float) -> np.ndarray:
    """Whether each neuron's first spike came in each fine bin up to a time, [trial, all bins]."""
    bins = int(np.ceil(time / FINE))
    came = np.zeros((*latency.shape, bins))
    trial, neuron = np.nonzero(latency <= time)
    bin = np.ceil(latency[trial, neuron] / FINE).astype(int) - 1
    came[trial, neuron, bin] = 1
    return came.reshape(len(latency), -1)


def read(aligned: AlignedTrains) -> Reading:
    """Decode and measure at each of `TIMES`."""
    direction = aligned.labels["direction"]
    latency = analysis.first_spike_latency(aligned, rule="first").latency
    decoder = analysis.NaiveBayes(prior="uniform")
    accuracy, bits, error, spikes = [], [], [], []
    for time in TIMES:
        counts = counts_until(aligned, time)
        seen = counts, first_until(latency, time)
        decoded = [analysis.cross_validate(decoder, x, direction, seed=1) for x in seen]
        codes = analysis.which_code(aligned, "direction", until=time, shuffles=0)
        accuracy.append([one.accuracy for one in decoded])
        bits.append(codes.mean)
        error.append(codes.mean_se)
        spikes.append(counts.mean())
    return Reading(*(np.array(values) for values in (accuracy, bits, error, spikes)))


def draw(found: dict[str, tuple[AlignedTrains, Reading]]) -> Figure:
    figure = plots.blank(2.1 * len(found) + 0.3)
    rows = figure.subplots(len(found), 3, sharex="col", width_ratios=(1, 1.2, 1.2))
    for (raster, right, bits), (name, (aligned, reading)) in zip(rows, found.items(), strict=True):
        times, neurons = aligned[int(np.argmax(aligned.labels["direction"] == 180.0))]
        raster.plot(times, neurons * 360.0 / NEURONS, ".", color="0.2", markersize=2)
        raster.axvline(0, color=plots.COLOURS[7], linewidth=0.8, linestyle=":")
        raster.set_xlim(-20, 60)
        raster.set_yticks([0, 180, 360])
        raster.set_ylabel(f"{name}\npreferred (degrees)", fontsize=8)
        for k, label in enumerate(READOUTS):
            style = dict(color=plots.COLOURS[k], linewidth=1.2, markersize=3, label=label)
            right.plot(TIMES, 100 * reading.accuracy[:, k], ".-", **style)
            bits.errorbar(TIMES, reading.bits[:, k], reading.error[:, k], fmt=".-", **style)
        chance = 100 / DIRECTIONS
        right.axhline(chance, color=plots.COLOURS[7], linewidth=0.8, linestyle=":")
        right.text(200, chance + 2, "chance", fontsize=7, ha="right", color="0.4")
        right.set_ylim(0, 104)
        right.set_ylabel("right directions (%)", fontsize=8)
        bits.set_ylim(bottom=-0.05)
        bits.set_ylabel("information (bits a neuron)", fontsize=8)
        for axes in (right, bits):
            axes.set_xscale("log")
            axes.set_xticks([6, 10, 20, 50, 100, 200], [6, 10, 20, 50, 100, 200])
            axes.minorticks_off()
        for axes in (raster, right, bits):
            plots.tidy(axes)
    rows[0, 0].set_title("a trial, 180 degrees shown", loc="left", fontsize=8)
    rows[0, 1].set_title("all neurons, decoded", loc="left", fontsize=8)
    rows[0, 2].set_title("one neuron", loc="left", fontsize=8)
    rows[0, 2].legend(fontsize=7, frameon=False, loc="upper left")
    rows[-1, 0].set_xlabel("time after the step (ms)", fontsize=8)
    for axes in rows[-1, 1:]:
        axes.set_xlabel("spikes seen until (ms)", fontsize=8)
    return figure


def main(path: str) -> None:
    found = {}
    for name, weight in NOISE.items():
        aligned = trials(weight)
        found[name] = aligned, read(aligned)
        reading = found[name][1]
        for time in (10.0, 16.0, 30.0, 200.0):
            k = int(np.argmax(time == TIMES))
            told = ", ".join(
                f"{label} {100 * right:.0f} % right and {bits:.2f} bits a neuron"
                for label, right, bits in zip(
                    READOUTS, reading.accuracy[k], reading.bits[k], strict=True
                )
            )
            print(f"{name}, {time:g} ms, {reading.spikes[k]:.1f} spikes a neuron: {told}")
    plots.save(draw(found), path, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "rate_and_time.png")
