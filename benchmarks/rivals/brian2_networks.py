"""CUBA and COBA (Vogels & Abbott 2005; Brette et al. 2007) in Brian2's C++ standalone mode.

Prints summary numbers in JSON. Run from the root of the project::

    python -m benchmarks.rivals.brian2_networks coba --seed 1 2 3 4 5

Networks: ``cuba``; ``coba``, driven by a resting potential of -40 mV; ``coba_undriven``, which
rests at -60 mV, starts from random conductances and may fall silent; ``hodgkin_huxley``, started
like it (Brian2's example COBAHH, with delays of a step); ``adex``, COBA of the neurons of Brette &
Gerstner (2005), of which `benchmarks.adex` is the same in spikesim.

All synapses move a current or a conductance, so that delays are those of spikesim. Of synapses that
move v itself they would be one dt shorter: a jump of v reaches the threshold a step later here.
"""

import argparse
import json
import shutil
import tempfile
import time

import brian2 as b2
import numpy as np

from benchmarks.rivals.statistics import over_seeds, summarise

N_EXC, N_INH = 3200, 800
CUBA = """
dv/dt = (-49*mV - v + ge + gi) / (20*ms) : volt (unless refractory)
dge/dt = -ge / (5*ms) : volt
dgi/dt = -gi / (10*ms) : volt
"""
COBA = """
dv/dt = (10*nS*(rest - v) - ge*v + gi*(-80*mV - v)) / (200*pF) : volt (unless refractory)
dge/dt = -ge / (5*ms) : siemens
dgi/dt = -gi / (10*ms) : siemens
"""
HODGKIN_HUXLEY = """
i_syn = -ge*v + gi*(-80*mV - v) : amp
i_na = 20*uS*m**3*h*(50*mV - v) : amp
i_k = 6*uS*n**4*(-90*mV - v) : amp
dv/dt = (10*nS*(-60*mV - v) + i_na + i_k + i_syn) / (200*pF) : volt
dm/dt = alpha_m*(1 - m) - beta_m*m : 1
dh/dt = alpha_h*(1 - h) - beta_h*h : 1
dn/dt = alpha_n*(1 - n) - beta_n*n : 1
x = v + 63*mV : volt
alpha_m = 1.28 / exprel((13*mV - x) / (4*mV)) / ms : Hz
beta_m = 1.4 / exprel((x - 40*mV) / (5*mV)) / ms : Hz
alpha_h = 0.128 * exp((17*mV - x) / (18*mV)) / ms : Hz
beta_h = 4 / (1 + exp((40*mV - x) / (5*mV))) / ms : Hz
alpha_n = 0.16 / exprel((15*mV - x) / (5*mV)) / ms : Hz
beta_n = 0.5 * exp((10*mV - x) / (40*mV)) / ms : Hz
dge/dt = -ge / (5*ms) : siemens
dgi/dt = -gi / (10*ms) : siemens
"""
# The upswing ends at 0 mV, where the spike is cut off; else it may overflow within a step of rk4.
ADEX = """
top = clip(v, -1*volt, 0*mV) : volt
i_spike = 30*nS * 2*mV * exp((top + 50.4*mV) / (2*mV)) : amp
i_syn = -ge*v + gi*(-80*mV - v) : amp
dv/dt = (30*nS*(-70.6*mV - v) + i_spike - w + i_syn + 700*pA) / (281*pF) : volt
dw/dt = (4*nS*(top + 70.6*mV) - w) / (144*ms) : amp
dge/dt = -ge / (5*ms) : siemens
dgi/dt = -gi / (10*ms) : siemens
"""
LIF = {"threshold": "v > -50*mV", "reset": "v = -60*mV", "refractory": 5 * b2.ms}
NETWORKS = {  # arguments of the group of neurons
    "cuba": {"model": CUBA, "method": "exact", **LIF},
    "coba": {"model": COBA, "method": "exponential_euler", **LIF},
    "coba_undriven": {"model": COBA, "method": "exponential_euler", **LIF},
    "hodgkin_huxley": {
        "model": HODGKIN_HUXLEY,
        "method": "exponential_euler",
        "threshold": "v > -20*mV",
        "refractory": 3 * b2.ms,
    },
    "adex": {
        "model": ADEX,
        "method": "rk4",
        "threshold": "v >= 0*mV",
        "reset": "v = -70.6*mV; w += 80.5*pA",
    },
}


def simulate(network: str, duration: float, seed: int) -> tuple[np.ndarray, np.ndarray, dict]:
    """Build, compile and run one network.

    Parameters
    ----------
    network : str
        One of NETWORKS.
    duration : float
        ms.
    seed : int
        Seed of the connections and start values; there is no noise.

    Returns
    -------
    times_ms, neurons : ndarray
        All spikes; neurons from 3,200 on are inhibitory.
    wall : dict
        Seconds of building (code generation, compilation) and of running the program.
    """
    began = time.perf_counter()
    directory = tempfile.mkdtemp()
    b2.device.reinit()
    b2.device.activate(directory=directory, build_on_run=False)
    b2.seed(seed)
    b2.defaultclock.dt = 0.1 * b2.ms
    neurons = b2.NeuronGroup(
        N_EXC + N_INH,
        **NETWORKS[network],
        namespace={"rest": (-40 if network == "coba" else -60) * b2.mV},
    )
    neurons.v = "-60*mV + 10*mV*rand()"
    if network in ("coba_undriven", "hodgkin_huxley"):
        neurons.v = "-65*mV + 5*mV*randn()"
        neurons.ge = "(4 + 1.5*randn()) * 10*nS"
        neurons.gi = "(20 + 12*randn()) * 10*nS"
    jumps = ("1.62*mV", "-9*mV") if network == "cuba" else ("6*nS", "67*nS")
    parts = (neurons[:N_EXC], neurons[N_EXC:])
    offsets = (0, N_EXC)
    synapses = []
    for source, offset, name, jump in zip(parts, offsets, ("ge", "gi"), jumps, strict=True):
        group = b2.Synapses(source, neurons, on_pre=f"{name}_post += {jump}", delay=0.1 * b2.ms)
        group.connect(condition=f"i + {offset} != j", p=0.02)
        synapses.append(group)
    monitor = b2.SpikeMonitor(neurons)
    b2.Network(neurons, synapses, monitor).run(duration * b2.ms)
    b2.device.build(directory=directory, run=False)
    built = time.perf_counter()
    b2.device.run(directory=directory, with_output=False, run_args=[])
    wall = {
        "indicative_build_s": round(built - began, 1),
        "indicative_run_s": round(time.perf_counter() - built, 2),
    }
    times_ms, indices = np.array(monitor.t / b2.ms), np.array(monitor.i)
    shutil.rmtree(directory)
    return times_ms, indices, wall


def run(network: str, seed: int, warmup: float, duration: float) -> dict:
    """Simulate once and summarise the two populations from `warmup` on (ms)."""
    times_ms, neurons, result = simulate(network, warmup + duration, seed)
    window = [warmup, warmup + duration]
    result |= {"seed": seed, "window_ms": window}
    if network == "coba_undriven":
        result["last_spike_ms"] = float(times_ms.max(initial=0.0))
        result["silent_within_1_s"] = result["last_spike_ms"] < 1000.0
    exc = neurons < N_EXC
    result["populations"] = {
        "E": summarise(times_ms[exc], neurons[exc], N_EXC, *window, seed),
        "I": summarise(times_ms[~exc], neurons[~exc] - N_EXC, N_INH, *window, seed),
    }
    return result


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("network", choices=NETWORKS)
    parser.add_argument("--seed", type=int, nargs="+", default=[1, 2, 3, 4, 5])
    parser.add_argument("--warmup", type=float, default=500.0, help="ms, not measured")
    parser.add_argument("--duration", type=float, default=10000.0, help="ms, measured")
    a = parser.parse_args()
    b2.set_device("cpp_standalone", build_on_run=False)
    runs = [run(a.network, seed, a.warmup, a.duration) for seed in a.seed]
    document = {
        "program": f"Brian2 {b2.__version__}, C++ standalone, 1 thread",
        "over_seeds": over_seeds(runs),
        "runs": runs,
    }
    print(json.dumps({a.network: document}, indent=1))


if __name__ == "__main__":
    main()
