"""Why "fires when the sum of its inputs crosses threshold" is a statement about rates.

The unit of most neural networks adds up its inputs and answers with a number; a neuron adds up its
inputs and answers with spikes. One spike of one neuron says little: in noise, the same input makes
it fire now or some milliseconds later, and an input below threshold makes it fire sometimes. What
is certain is how many of many neurons fire in a given time. Of neurons that get the same mean input
and noise of their own, a share fires that is a smooth, rising function of the input, and this
function, the f-I curve, is all that others who listen to their sum need to know. It is the
activation function of one rate unit. The sharp threshold of McCulloch and Pitts is its limit
without noise, and a sigmoid is its shape with noise. So when it is said that a unit fires when the
sum crosses threshold, the unit is a population and what crosses is its rate: the law of large
numbers is what makes the sentence true, and the error of taking it for true falls as one over the
root of the number of neurons.

Shown here: 1,000 leaky integrate-and-fire neurons in white noise at each of some mean currents, and
the curve that theory has for them (Siegert 1951), used as the activation function of a rate unit.

Run it with ``python threshold_to_rate.py [PNG]``. It prints the RMS error for populations of 1 to
1,000 neurons and draws it.

References: Siegert AJF (1951) On the first passage time probability problem. Phys Rev 81:617-623.
Brunel N (2000) Dynamics of sparsely connected networks of excitatory and inhibitory spiking
neurons. J Comput Neurosci 8:183-208. Broadie M, Glasserman P, Kou S (1997) A continuity correction
for discrete barrier options. Math Finance 7:325-349.
"""

import sys

import numpy as np
from matplotlib.figure import Figure
from scipy.integrate import quad
from scipy.special import dawsn, erfcx

import spikesim as ss
from spikesim import plots
from spikesim.rate import FeedForward
from spikesim.rate.activations import Table
from spikesim.rate.workspace import Workspace

NEURONS = 1000
SIZES = (1, 3, 10, 30, 100, 300, 1000)  # populations compared with the curve
CURRENTS = np.linspace(0.0, 300.0, 21)  # pA
TAU, C = 20.0, 200.0  # ms, pF
REST, THRESHOLD, RESET = -65.0, -50.0, -65.0  # mV
T_REF = 2.0  # ms
SPREAD = 4.0  # mV: SD that v would have without threshold
DT = 0.05  # ms
SETTLING, WINDOW = 100.0, 100.0  # ms: before counting, and counted


def siegert(mean: float, low: float, high: float) -> float:
    """Rate (Hz) of a LIF neuron whose v would be normal of this mean and SD SPREAD, mV.

    1 / rate = T_REF + TAU sqrt(pi) * integral of exp(u^2) (1 + erf(u)) du from a to b, where a and
    b are reset and threshold, less the mean, over sqrt(2) SPREAD. The integrand is erfcx(-u). It
    overflows above u = 26, but is 2 exp(u^2) - erfcx(u), and the integral of exp(u^2) from 0 is
    exp(u^2) times Dawson's function: everything is computed over exp(b^2).
    """
    a, b = (np.array([low, high]) - mean) / (np.sqrt(2) * SPREAD)
    p, q = max(a, 0.0), max(b, 0.0)
    below, _ = quad(erfcx, max(-b, 0.0), max(-a, 0.0))
    above, _ = quad(erfcx, p, q)
    small = np.exp(-q * q)
    integral = small * (below - above) + 2 * (dawsn(q) - np.exp(p * p - q * q) * dawsn(p))
    return 1000 * small / (T_REF * small + TAU * np.sqrt(np.pi) * integral)


def curve(currents: np.ndarray) -> np.ndarray:
    """The f-I curve, Hz: what theory says of rates at constant currents (pA)."""
    # In steps of DT, v is seen above threshold only at their ends: as if the threshold were higher
    # by .5826 of the spread of a step (Broadie et al. 1997). Without it the curve is up
    # to .9 Hz too high.
    late = 0.5826 * SPREAD * np.sqrt(2 * DT / TAU)
    return np.array([siegert(REST + i * TAU / C, RESET, THRESHOLD + late) for i in currents])


def counts() -> np.ndarray:
    """Spikes in the window, (currents, neurons)."""
    net = ss.Network(seed=1, name="threshold to rate")
    noise = ss.WhiteCurrent(SPREAD * C * np.sqrt(2 / TAU))
    neuron = ss.LIF(
        tau_m=TAU,
        c_m=C,
        e_l=REST,
        v_th=THRESHOLD,
        v_reset=RESET,
        t_ref=T_REF,
        i_offset=np.repeat(CURRENTS, NEURONS),
        receptors={"noise": noise},
    )
    net.population("lif", CURRENTS.size * NEURONS, neuron)
    spikes = ss.simulate(net, SETTLING + WINDOW, dt=DT).spikes["lif"]
    return spikes.restrict(SETTLING, SETTLING + WINDOW).count().reshape(CURRENTS.size, NEURONS)


def error(rates: np.ndarray, wanted: np.ndarray, size: int) -> float:
    """RMS difference (Hz) of the mean rates of all populations of this size from the curve."""
    whole = rates[:, : NEURONS // size * size].reshape(CURRENTS.size, -1, size)
    return np.sqrt(np.mean((whole.mean(axis=2) - wanted[:, None]) ** 2))


def draw(rates: np.ndarray, f: Table, errors: np.ndarray) -> Figure:
    figure = plots.blank(2.9)
    left, right = figure.subplots(1, 2)
    for size, colour, mark in ((1, 7, "."), (30, 5, "s"), (1000, 1, "o")):
        left.plot(
            CURRENTS,
            rates[:, :size].mean(axis=1),
            mark,
            color=plots.COLOURS[colour],
            markersize=4,
            label=f"{size:,} LIF neuron{'s' * (size > 1)}",
        )
    left.plot(f.x, f.y, color=plots.COLOURS[0], linewidth=1.2, label="f-I curve (Siegert)")
    rheobase = (THRESHOLD - REST) * C / TAU
    told = "threshold without noise"
    left.axvline(rheobase, color=plots.COLOURS[7], linewidth=0.8, linestyle=":", label=told)
    left.set_xlabel("mean current (pA)", fontsize=8)
    left.set_ylabel(f"spikes in {WINDOW:g} ms, as rate (Hz)", fontsize=8)
    percent = 100 * errors / max(f.y)
    right.loglog(SIZES, percent, "o", color=plots.COLOURS[1], markersize=4, label="measured")
    right.loglog(
        SIZES,
        percent[0] / np.sqrt(SIZES),
        color=plots.COLOURS[0],
        linewidth=1.2,
        label="one over the root of the number",
    )
    right.set_xlabel("neurons in the population", fontsize=8)
    right.set_ylabel("RMS error (% of the highest rate)", fontsize=8)
    for axes in (left, right):
        axes.legend(fontsize=7, frameon=False)
        plots.tidy(axes)
    return figure


def main(path: str) -> None:
    rates = counts() * (1000 / WINDOW)
    fine = np.linspace(CURRENTS[0], CURRENTS[-1], 301)
    f = Table(fine, curve(fine))
    # One rate unit with this activation, one step: its answer to each current.
    unit, p = FeedForward([1], f), {"w1": np.ones((1, 1)), "b1": np.zeros(1)}
    wanted = unit.forward(p, CURRENTS[None, :, None], DT, None, Workspace("float64"))[0, :, 0]
    errors = np.array([error(rates, wanted, size) for size in SIZES])
    for size, of_size in zip(SIZES, errors, strict=True):
        percent = 100 * of_size / wanted.max()
        print(f"{size} neurons: RMS error {of_size:.2f} Hz, {percent:.2f} % of the highest rate")
    slope = np.polyfit(np.log(SIZES), np.log(errors), 1)[0]
    print(f"the error falls as the number of neurons to the power of {slope:.2f}")
    plots.save(draw(rates, f, errors), path, overwrite=True)


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "threshold_to_rate.png")
