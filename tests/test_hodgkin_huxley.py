"""Hodgkin-Huxley neurons: times of spikes of the squid axon, and the network COBA-HH."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spikesim as ss
from spikesim.networks import hodgkin_huxley

REFERENCE = Path(__file__).parent / "reference" / "hodgkin_huxley.json"


def simulation(model: ss.NeuronModel, dt: float, **options) -> ss.Simulation:
    """One neuron, its potential recorded in every step."""
    network = ss.Network()
    a = network.population("a", 1, model, init=options.pop("init", None))
    trace = ss.Trace(a, "v", every=dt)
    return ss.Simulation(network, dt=dt, precision="double", record=[trace], **options)


def crossings(s: ss.Simulation, level: float) -> np.ndarray:
    """Times at which the recorded potential rises through a level, between the steps.

    On the polynomial through six samples: a straight line would leave an error of order dt^2.
    """
    trace = s.traces["a", "v"]
    v, times = trace.values[:, 0] - level, []
    for k in np.flatnonzero((v[:-1] < 0) & (v[1:] >= 0)):
        roots = np.roots(np.polyfit(np.arange(-2, 4), v[k - 2 : k + 4], 5))
        (root,) = (r.real for r in roots if abs(r.imag) < 1e-9 and 0 < r.real <= 1)
        times.append(trace.times[k] + root * s.build.dt)
    return np.array(times)


def solved(f: Callable, start: list[float], duration: float, level: float) -> np.ndarray:
    """The same times, from a solver with a tolerance of 1e-11."""

    def event(t: float, y: np.ndarray) -> float:
        return y[0] - level

    event.direction = 1
    solution = solve_ivp(f, (0, duration), start, "DOP853", events=event, rtol=1e-11, atol=1e-11)
    return solution.t_events[0]


def orders(errors: list[float]) -> np.ndarray:
    """Measured orders of convergence, for steps that are halved."""
    return np.log2(np.array(errors[:-1]) / errors[1:])


def ratio(x: float) -> float:
    """x / (e^x - 1)."""
    return x / np.expm1(x) if x else 1.0


# The squid axon


def squid(t: float, y: np.ndarray) -> list[float]:
    """Under 10 uA per square centimetre."""
    v, m, h, n = y
    current = 120 * m**3 * h * (50 - v) + 36 * n**4 * (-77 - v) + 0.3 * (-54.387 - v) + 10
    return [
        current,
        ratio(-(v + 40) / 10) * (1 - m) - 4 * np.exp(-(v + 65) / 18) * m,
        0.07 * np.exp(-(v + 65) / 20) * (1 - h) - h / (1 + np.exp(-(v + 35) / 10)),
        0.1 * ratio(-(v + 55) / 10) * (1 - n) - 0.125 * np.exp(-(v + 65) / 80) * n,
    ]


@pytest.mark.parametrize(("method", "order"), [("exponential_euler", 1), ("rk2", 2), ("rk4", 4)])
def test_spike_times_converge(method, order):
    model = replace(ss.HodgkinHuxley(i_offset=1000.0), method=method)
    wanted = solved(squid, [-65.0, 0.0529324853, 0.5961207535, 0.3176769141], 40.0, 0.0)
    assert len(wanted) == 3
    errors = []
    for dt in (0.04, 0.02, 0.01):
        s = simulation(model, dt)
        s.run(40.0)
        found = crossings(s, 0.0)
        stamps = s.spikes["a"].times
        assert np.all((stamps >= found) & (stamps < found + dt + 1e-9))
        errors.append(np.abs(found - wanted).max())
    assert np.all(np.abs(orders(errors) - order) < (0.35 if order == 4 else 0.1)), errors


# The neuron of the network


def traub(t: float, y: np.ndarray) -> list[float]:
    """Traub and Miles' neuron with decaying conductances, in uF, mS and uA per square cm."""
    v, m, h, n, exc, inh = y
    x = v + 63
    synaptic = (exc * (0 - v) + inh * (-80 - v)) / 200  # nS to 200 pF
    current = 100 * m**3 * h * (50 - v) + 30 * n**4 * (-90 - v) + 0.05 * (-60 - v) + synaptic
    return [
        current,
        0.32 * 4 * ratio((13 - x) / 4) * (1 - m) - 0.28 * 5 * ratio((x - 40) / 5) * m,
        0.128 * np.exp((17 - x) / 18) * (1 - h) - 4 / (1 + np.exp((40 - x) / 5)) * h,
        0.032 * 5 * ratio((15 - x) / 5) * (1 - n) - 0.5 * np.exp((10 - x) / 40) * n,
        -exc / 5,
        -inh / 10,
    ]


def test_the_neuron_of_the_network_converges():
    init = {"v": -60.0, "h": 0.9, "g_exc": 60.0, "g_inh": 20.0}
    wanted = solved(traub, [-60.0, 0.0, 0.9, 0.0, 60.0, 20.0], 20.0, -20.0)
    assert len(wanted) >= 1
    errors = []
    for dt in (0.04, 0.02, 0.01):
        s = simulation(hodgkin_huxley.neuron(), dt, init=init)
        s.run(20.0)
        found = crossings(s, -20.0)
        assert len(s.spikes["a"]) == len(found) == len(wanted)
        errors.append(np.abs(found - wanted).max())
    assert np.all(np.abs(orders(errors) - 1) < 0.1), errors


def test_a_spike_counts_once_and_every_spike_counts():
    """Above -20 mV for less than the refractory time, which neither holds nor hides anything."""
    model = replace(hodgkin_huxley.neuron(), initial={"v": -60.0, "h": 0.9})
    network = ss.Network()
    a = network.population("a", 1, model)
    every_ms = ss.Spikes([np.arange(1.0, 1000.0)], 6.0)
    network.drive(a, every_ms, receptor="exc")
    s = ss.Simulation(network, record=[ss.Trace(a, "v", every=0.1)])
    s.run(1000.0)
    above = s.traces["a", "v"].values[:, 0] > -20
    rises = np.flatnonzero(~above[:-1] & above[1:]) + 1
    np.testing.assert_allclose(s.spikes["a"].times, 0.1 * (rises + 1), atol=1e-9)
    assert rises.size > 30


# The network


def test_the_network_is_the_published_one():
    net = hodgkin_huxley.network()
    assert {name: p.size for name, p in net.populations.items()} == {"exc": 3200, "inh": 800}
    values = net.populations["exc"].model.dynamics.defaults
    area = 20_000e-8  # square cm
    densities = {"c_m": 1e6, "g_l": 5e-5 * 1e9, "g_na": 0.1 * 1e9, "g_k": 0.03 * 1e9}  # pF, nS
    assert {name: values[name] for name in densities} == pytest.approx(
        {name: density * area for name, density in densities.items()}
    )
    in_degrees = ss.build(hodgkin_huxley.network(scale=0.5)).synapse_count / 2000
    assert in_degrees == pytest.approx(80, rel=0.02)


def test_network_against_brian2():
    """Means over seeds differ by no more than three standard errors of their difference."""
    expected = json.loads(REFERENCE.read_text())["hodgkin_huxley"]
    runs = len(expected["runs"])
    found = {"exc": [], "inh": []}
    for seed in range(1, 9):
        result = ss.simulate(hodgkin_huxley.network(seed=seed), 1500.0)
        for name, trains in result.spikes.items():
            trains = trains.restrict(500.0, 1500.0)
            found[name].append((trains.rate, np.nanmean(trains.cv())))
    for mine, theirs in (("exc", "E"), ("inh", "I")):
        for values, quantity in zip(np.transpose(found[mine]), ("rate_hz", "cv_isi"), strict=True):
            known = expected["over_seeds"][theirs][quantity]
            allowed = 3 * known["sd"] * np.sqrt(1 / values.size + 1 / runs)
            assert values.mean() == pytest.approx(known["mean"], abs=allowed), (mine, quantity)
