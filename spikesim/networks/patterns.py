"""The 20 firing patterns of Izhikevich's neuron, one neuron each, at dt = 0.05 ms.

Izhikevich EM (2004). Which model to use for cortical spiking neurons? IEEE Trans Neural Netw
15:1063-1070, figure 1.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

import spikesim as ss

# ms: the largest step of which every tau below is a multiple. A neuron moves by its tau at a time,
# as in the program of the figure, because some patterns are those of its steps rather than of the
# equations: with shorter ones the second pulse of "bistability" does not end the firing,
# "inhibition-induced_bursting" does not pause and "depolarising_after-potential" spikes again.
DT = 0.05

# What a few patterns have in place of the usual equations.
CLASS_1 = "0.04 * v**2 + 4.1 * v + 108"
NO_DECAY = "b * (v + 65)"
Waveform = Callable[[np.ndarray], np.ndarray]  # current at times (ms)


@dataclass(frozen=True)
class Pattern:
    """A neuron that starts at v (mV) and u, and its current at the steps of tau (ms)."""

    name: str
    a: float
    b: float
    c: float
    d: float
    current: Waveform
    v: float
    duration: float
    tau: float = 0.25
    u: float | None = None  # default: b * v
    quadratic: str = "0.04 * v**2 + 5 * v + 140"
    recovery: str = "b * v - u"

    @property
    def samples(self) -> np.ndarray:
        """The current in each step."""
        return self.current(np.arange(round(self.duration / self.tau)) * self.tau)


def step(height: float, onset: float) -> Waveform:
    """0 up to the onset."""
    return lambda t: height * (t > onset)


def ramp(slope: float, onset: float, rest: float = 0.0) -> Waveform:
    """Rest up to the onset."""
    return lambda t: rest + slope * np.maximum(t - onset, 0)


def pulses(height: float, length: float, *onsets: float, rest: float = 0.0) -> Waveform:
    """Rest, and in the steps that begin within a pulse its height more."""
    return lambda t: rest + height * sum((t > on) & (t < on + length) for on in onsets)


def inhibition_before_second(t: np.ndarray) -> np.ndarray:
    """Two weak pulses, the second after an inhibitory one."""
    return pulses(1, 5, 10, 80)(t) + pulses(-6, 5, 70)(t)


def slow_and_fast(t: np.ndarray) -> np.ndarray:
    """A ramp to 8 in 200 ms, and from 300 ms on one to 4 in 12.5 ms."""
    return np.where(t < 200, t / 25, np.where((t >= 300) & (t < 312.5), (t - 300) * 0.32, 0))


def dip(t: np.ndarray) -> np.ndarray:
    """80, and less from 50 to 250 ms."""
    return np.where((t < 50) | (t > 250), 80, 75)


PATTERNS = (
    Pattern("tonic_spiking", 0.02, 0.2, -65, 6, step(14, 10), -70, 100),
    Pattern("phasic_spiking", 0.02, 0.25, -65, 6, step(0.5, 20), -64, 200),
    Pattern("tonic_bursting", 0.02, 0.2, -50, 2, step(15, 22), -70, 220),
    Pattern("phasic_bursting", 0.02, 0.25, -55, 0.05, step(0.6, 20), -64, 200, 0.2),
    Pattern("mixed_mode", 0.02, 0.2, -55, 4, step(10, 16), -70, 160),
    Pattern("spike_frequency_adaptation", 0.01, 0.2, -65, 8, step(30, 8.5), -70, 85),
    Pattern("class_1", 0.02, -0.1, -55, 6, ramp(0.075, 30), -60, 300, quadratic=CLASS_1),
    Pattern("class_2", 0.2, 0.26, -65, 0, ramp(0.015, 30, -0.5), -64, 300),
    Pattern("spike_latency", 0.02, 0.2, -65, 6, pulses(7.04, 3, 10), -70, 100, 0.2),
    Pattern("subthreshold_oscillation", 0.05, 0.26, -60, 0, pulses(2, 5, 20), -62, 200),
    Pattern("resonator", 0.1, 0.26, -60, -1, pulses(0.65, 4, 40, 60, 280, 320), -62, 400),
    Pattern(
        *("integrator", 0.02, -0.1, -55, 6, pulses(9, 2, 100 / 11, 155 / 11, 70, 80), -60, 100),
        quadratic=CLASS_1,
    ),
    Pattern("rebound_spike", 0.03, 0.25, -60, 4, pulses(-15, 5, 20), -64, 200, 0.2),
    Pattern("rebound_burst", 0.03, 0.25, -52, 0, pulses(-15, 5, 20), -64, 200, 0.2),
    Pattern("threshold_variability", 0.03, 0.25, -60, 4, inhibition_before_second, -64, 100),
    Pattern("bistability", 0.1, 0.26, -60, 0, pulses(1, 5, 37.5, 216, rest=0.24), -61, 300),
    Pattern("depolarising_after-potential", 1, 0.2, -60, -21, pulses(20, 2, 9), -70, 50, 0.1),
    Pattern(
        *("accommodation", 0.02, 1, -55, 4, slow_and_fast, -65, 400, 0.5),
        u=-16,
        recovery=NO_DECAY,
    ),
    Pattern("inhibition-induced_spiking", -0.02, -1, -60, 8, dip, -63.8, 350, 0.5),
    Pattern("inhibition-induced_bursting", -0.026, -1, -45, -2, dip, -63.8, 350, 0.5),
)


def neuron(pattern: Pattern) -> ss.NeuronModel:
    """Describe the neuron: Euler steps of tau, each at its end, u with the new v."""
    return ss.NeuronModel(
        name="Izhikevich (2004)",
        equations=f"""
            steps = tau / dt if (t + 1.5 * dt) % tau < dt else 0
            dv/dt = steps * ({pattern.quadratic} - u + i_syn) : mV
            du/dt = steps * a * ({pattern.recovery})""",
        threshold="v > 30",
        reset="v = c; u += d",
        parameters={
            "a": f"{pattern.a}",
            "b": f"{pattern.b}",
            "c": f"{pattern.c} mV",
            "d": f"{pattern.d}",
            "tau": f"{pattern.tau} ms",
        },
        receptors={"pulse": ss.Pulse("")},
        method="v += dt * dv; u += dt * du",
    )


def network(seed: int = 1) -> ss.Network:
    """Describe a population of one neuron for each of PATTERNS, to be run for 400 ms.

    Each shows its pattern for the first ``duration`` ms; its last current stays thereafter. Nothing
    is random.
    """
    net = ss.Network(seed=seed, name="patterns")
    for pattern in PATTERNS:
        u = pattern.b * pattern.v if pattern.u is None else pattern.u
        net.population(pattern.name, 1, neuron(pattern), init={"v": pattern.v, "u": u})
        net.drive(pattern.name, ss.Sampled(pattern.samples, every=pattern.tau))
    return net
