"""Neuron models against closed forms and against a solver of differential equations."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spikesim as ss

DT = 0.1
NEVER = 1e6  # a threshold (mV) that nothing reaches


def simulation(model: ss.NeuronModel, *drives: tuple, size: int = 1, **options) -> ss.Simulation:
    """One population "a" with drives (input, receptor)."""
    network = ss.Network()
    a = network.population("a", size, model)
    for k, (given, receptor) in enumerate(drives):
        network.drive(a, given, receptor=receptor, name=f"d{k}")
    record = [ss.Trace(a, v, every=1.0) for v in options.pop("record", ())]
    return ss.Simulation(network, record=record, **{"precision": "double", **options})


# Closed forms of the leaky integrate-and-fire neuron

TAU, C, REST = 17.0, 230.0, -65.0
SHAPES = {
    "jump": ss.Delta(),
    "exponential": ss.Exponential(3.0),
    "alpha": ss.Alpha(2.5),
    "double": ss.DoubleExponential(0.7, 6.0),
    "pulse": ss.Pulse(),
}
PEAK = 0.7 * 6.0 / (6.0 - 0.7) * np.log(6.0 / 0.7)  # time at which the double exponential peaks
SCALE = 1 / (np.exp(-PEAK / 6.0) - np.exp(-PEAK / 0.7))

# Current (pA) at a time s >= 0 after the arrival of a weight of 1 pA.
CURRENTS = {
    "exponential": lambda s: np.exp(-s / 3.0),
    "alpha": lambda s: np.e * s / 2.5 * np.exp(-s / 2.5),
    "double": lambda s: SCALE * (np.exp(-s / 6.0) - np.exp(-s / 0.7)),
}


def filtered(tau: float, s: np.ndarray) -> np.ndarray:
    """Integral of exp(-u / tau) exp(-(s - u) / TAU) / C over u from 0 to s."""
    return tau * TAU / (tau - TAU) / C * (np.exp(-s / tau) - np.exp(-s / TAU))


def alpha_filtered(s: np.ndarray) -> np.ndarray:
    rate = 1 / 2.5 - 1 / TAU
    integral = (1 - np.exp(-rate * s) * (1 + rate * s)) / rate**2
    return np.e / 2.5 / C * np.exp(-s / TAU) * integral


# Potential (mV) at a time s >= 0 after the arrival of a weight of 1.
POTENTIALS = {
    "jump": lambda s: np.exp(-s / TAU),
    "exponential": lambda s: filtered(3.0, s),
    "alpha": alpha_filtered,
    "double": lambda s: SCALE * (filtered(6.0, s) - filtered(0.7, s)),
    "pulse": lambda s: TAU / C * (1 - np.exp(-DT / TAU)) * np.exp(-s / TAU),
}


def test_lif_follows_its_closed_form_for_a_second():
    """Steps of current and trains of spikes on every receptor: every ms, to 1e-12."""
    random = np.random.default_rng(1)
    trains = {name: np.sort(random.integers(1, 9990, 200)) * DT for name in SHAPES}
    weights = dict(jump=0.7, exponential=-30.0, alpha=40.0, double=25.0, pulse=150.0)
    model = ss.LIF(tau_m=TAU, c_m=C, e_l=REST, v_th=NEVER, receptors=SHAPES)
    drives = [(ss.Spikes([trains[name]], weights[name]), name) for name in SHAPES]
    variables = ["v", "i_exponential", "i_alpha", "i_double"]
    s = simulation(model, (ss.Current(0.0), None), *drives, record=variables)
    s.set("a", v=-70.0)
    s.run(200.0)
    s.set("d0", amplitude=90.0)
    s.run(500.0)
    s.set("d0", amplitude=-20.0)
    s.run(300.0)

    times = np.arange(1.0, 1001.0)
    wanted = REST - 5.0 * np.exp(-times / TAU)
    for start, step in ((200.0, 90.0), (700.0, -110.0)):
        since = np.maximum(times - start, 0)
        wanted += step * TAU / C * (1 - np.exp(-since / TAU))
    for name, train in trains.items():
        since = times[:, None] - train[None, :]
        arrived = since > -1e-9
        response = POTENTIALS[name](np.maximum(since, 0.0)) * arrived
        wanted += weights[name] * response.sum(axis=1)
        if name in CURRENTS:
            current = (CURRENTS[name](np.maximum(since, 0.0)) * arrived).sum(axis=1)
            found = s.traces["a", f"i_{name}"].values[:, 0]
            np.testing.assert_allclose(found, weights[name] * current, rtol=1e-12, atol=1e-12)
    assert np.ptp(wanted) > 10
    np.testing.assert_allclose(s.traces["a", "v"].values[:, 0], wanted, rtol=1e-12)


@pytest.mark.parametrize("name", ["exponential", "alpha", "double"])
def test_a_current_peaks_at_its_weight(name):
    s = np.linspace(0, 10, 100001)
    assert CURRENTS[name](s).max() == pytest.approx(1.0, abs=1e-8)


@pytest.mark.filterwarnings("ignore:divide by zero")
def test_a_double_exponential_of_equal_times_is_an_alpha_or_refused():
    try:
        s = simulation(
            ss.LIF(receptors={"r": ss.DoubleExponential(2.0, 2.0)}), (ss.Spikes([[1.0]], 50.0), "r")
        )
    except ValueError:
        return
    s.run(3.0)
    assert s.get("a", "i_r")[0] == pytest.approx(50.0, rel=1e-3)


def test_single_precision_follows_double():
    """Below threshold, potentials agree to 1e-3 mV, currents and conductances to 1e-5 of a peak.

    A potential of 65 mV is rounded by 4e-6 mV in each of the tau_m / dt = 200 steps that it lasts.
    """
    random = np.random.default_rng(2)
    trains = [np.sort(random.uniform(0, 200, 100)) for _ in range(70)]
    drives = [
        (ss.Spikes(trains, 0.3 if name == "jump" else 20.0), name) for name in SHAPES
    ]  # every receptor at once
    pairs = []
    for model, given in [
        (ss.LIF(tau_m=TAU, v_th=NEVER, receptors=SHAPES), drives),
        (ss.LIF(v_th=NEVER, receptors={"g": ss.Conductance()}), [(ss.Spikes(trains, 3.0), "g")]),
    ]:
        for variable in model.dynamics.derivatives:
            values = []
            for precision in ("single", "double"):
                s = simulation(model, *given, size=70, precision=precision, record=[variable])
                s.run(200.0)
                values.append(s.traces["a", variable].values)
            pairs.append((variable, *values))
    for variable, single, double in pairs:
        tolerance = 1e-3 if variable == "v" else 1e-5 * np.abs(double).max()
        assert 0 < np.abs(single - double).max() < tolerance, variable


@pytest.mark.parametrize(("precision", "tiny"), [("single", 1e-25), ("double", 1e-290)])
def test_a_silent_current_becomes_zero_before_it_becomes_denormal(precision, tiny):
    s = simulation(ss.LIF(receptors={"r": ss.Exponential(2.0)}), precision=precision)
    s.set("a", i_r=1.0)
    least = 1.0
    s.run(100.0)
    while s.time < 1400 and s.get("a", "i_r")[0] > 0:
        least = s.get("a", "i_r")[0]
        s.run(1.0)
    assert tiny * 0.02 < least < tiny * 10  # 64 steps of it are 3.2 time constants
    assert s.get("a", "i_r")[0] == 0 and s.time < 1400


# Firing


def charge_time(current: np.ndarray, start: float = -65.0) -> np.ndarray:
    """Time (ms) from a potential to -50 mV under a constant current, tau 20 ms, C 200 pF."""
    final = -65.0 + current * 20.0 / 200.0
    return 20.0 * np.log((final - start) / (final + 50.0))


@pytest.mark.parametrize("precision", ["single", "double"])
def test_firing_rate_over_current(precision):
    """Each interval is the charge time in whole steps, rounded up, and t_ref in whole steps."""
    currents = np.concatenate([np.linspace(0, 149.9, 20), np.linspace(151, 900, 80)])
    t_ref = np.tile([0.0, 0.04, 0.06, 2.0, 2.13], 20)
    waits = np.tile([0, 0, 1, 20, 21], 20)
    s = simulation(ss.LIF(t_ref=t_ref), (ss.Current(currents), None), size=100, precision=precision)
    s.run(400.0)
    spikes = s.spikes["a"]
    charge = np.ceil(charge_time(currents[20:]) / DT).astype(int)
    for neuron, train in enumerate(spikes):
        if neuron < 20:
            assert len(train) == 0
            continue
        steps = np.rint(train / DT).astype(int)
        assert steps[0] == charge[neuron - 20]
        assert set(np.diff(steps)) == {charge[neuron - 20] + waits[neuron]}


def test_arrivals_while_refractory():
    """A jump of v is lost while v is held, a current is kept and goes on to decay."""
    receptors = {"jump": ss.Delta(), "current": ss.Exponential(4.0)}
    times = [[0.1, 1.0]]  # the first makes it spike, the second finds it refractory
    s = simulation(
        ss.LIF(t_ref=3.0, receptors=receptors),
        (ss.Spikes(times, 20.0), "jump"),
        (ss.Spikes(times, 20.0), "current"),
    )
    s.run(3.1)
    assert list(s.spikes["a"].times) == [0.1]
    assert s.get("a", "v")[0] == -65.0
    s.run(0.1)
    assert s.get("a", "v")[0] > -65.0
    kept = 20 * np.exp(-3.1 / 4) + 20 * np.exp(-2.2 / 4)
    assert s.get("a", "i_current")[0] == pytest.approx(kept, rel=1e-13)


# Numerical schemes, against a solver with a tolerance of 1e-12


def solved(f, start: list[float], times: np.ndarray) -> np.ndarray:
    result = solve_ivp(
        f, (0, times[-1]), start, method="DOP853", t_eval=times, rtol=1e-12, atol=1e-12
    )
    return result.y


def order(model: ss.NeuronModel, f, duration: float, steps: list[float]) -> np.ndarray:
    """Measured orders of convergence: log2 of the ratio of errors when the step is halved."""
    start = [simulation(model).get("a", v)[0] for v in model.dynamics.derivatives]
    wanted = solved(f, start, np.array([duration]))[:, 0]
    errors = []
    for dt in steps:
        s = simulation(model, dt=dt)
        s.run(duration)
        found = [s.get("a", v)[0] for v in model.dynamics.derivatives]
        errors.append(np.abs(np.array(found) - wanted).max())
    return np.log2(np.array(errors[:-1]) / errors[1:])


def pendulum(method: str) -> ss.NeuronModel:
    """Nonlinear, with two variables and every kind of term."""
    return ss.NeuronModel(
        name="pendulum",
        equations="""
            pull = sin(v) * exp(-0.1 * v**2) : 1
            dv/dt = u - 0.3 * v * u**2
            du/dt = -pull - 0.1 * u + 0.2 * tanh(u) * sqrt(1 + u**2)""",
        threshold="v > 1e6",
        reset="v = 0",
        initial={"v": 1.0, "u": 0.5},
        method=method,
    )


def pendulum_derivative(t: float, y: np.ndarray) -> list[float]:
    v, u = y
    pull = np.sin(v) * np.exp(-0.1 * v**2)
    return [u - 0.3 * v * u**2, -pull - 0.1 * u + 0.2 * np.tanh(u) * np.sqrt(1 + u**2)]


@pytest.mark.parametrize(
    ("method", "expected"), [("euler", 1), ("exponential_euler", 1), ("rk2", 2), ("rk4", 4)]
)
def test_order_of_convergence(method, expected):
    steps = [0.04, 0.02, 0.01] if expected < 4 else [0.2, 0.1, 0.05]
    measured = order(pendulum(method), pendulum_derivative, 2.0, steps)
    assert np.all(np.abs(measured - expected) < 0.15), measured


def test_conductances_converge_to_the_solution():
    model = ss.LIF(
        v_th=NEVER,
        i_offset=80.0,
        receptors={"ampa": ss.Conductance(3.0), "gaba": ss.Conductance(8.0, -80.0)},
    )

    def f(t: float, y: np.ndarray) -> list[float]:
        v, ampa, gaba = y
        current = ampa * (0.0 - v) + gaba * (-80.0 - v) + 80.0
        return [(-65.0 - v) / 20.0 + current / 200.0, -ampa / 3.0, -gaba / 8.0]

    excited = replace(model, initial={"v": -60.0, "g_ampa": 9.0, "g_gaba": 5.0})
    measured = order(excited, f, 10.0, [0.1, 0.05, 0.025, 0.0125])
    assert np.all(np.abs(measured - 1) < 0.1), measured
    s = simulation(excited, dt=0.01, record=["v", "g_ampa", "g_gaba"])
    s.run(20.0)
    wanted = solved(f, [-60.0, 9.0, 5.0], np.arange(1.0, 21.0))
    np.testing.assert_allclose(s.traces["a", "g_ampa"].values[:, 0], wanted[1], rtol=1e-9)
    np.testing.assert_allclose(s.traces["a", "g_gaba"].values[:, 0], wanted[2], rtol=1e-9)
    np.testing.assert_allclose(s.traces["a", "v"].values[:, 0], wanted[0], atol=0.02)


def test_exponential_euler_solves_what_is_linear_in_its_own_variable_exactly():
    model = ss.NeuronModel(
        equations="dv/dt = (e - v) / tau : mV; du/dt = 0.5; dz/dt = 0 * u - z",
        threshold="v > 1e6",
        reset="v = 0",
        parameters={"tau": "7 ms", "e": "3 mV"},
        initial={"v": 10.0, "z": 2.0},
        method="exponential_euler",
    )
    s = simulation(model, dt=0.5)
    s.run(5.0)
    assert s.get("a", "v")[0] == pytest.approx(3 + 7 * np.exp(-5 / 7), rel=1e-14)
    assert s.get("a", "u")[0] == 2.5
    assert s.get("a", "z")[0] == pytest.approx(2 * np.exp(-5), rel=1e-14)


@pytest.mark.parametrize("conductance", [0.0, 1e-14, 1e-10])
def test_exponential_euler_without_a_leak(conductance):
    model = ss.NeuronModel(
        equations="dv/dt = (i_syn + i) / c : mV",
        threshold="v > 1e6",
        reset="v = 0",
        parameters={"c": "200 pF", "i": "100 pA"},
        receptors={"r": ss.Conductance()},
        initial={"v": 3.0, "g_r": conductance},
        method="exponential_euler",
    )
    s = simulation(model)
    s.run(1.0)
    assert s.get("a", "v")[0] == pytest.approx(3.5, rel=1e-9)


# Izhikevich's model


def test_izhikevich_is_the_published_scheme():
    """v takes two half steps of dt, u one with the new v; at dt = 1 ms as published."""
    size, steps = 100, 200
    random = np.random.default_rng(3)
    a, b = random.uniform(0.02, 0.1, size), random.uniform(0.2, 0.25, size)
    c, d = random.uniform(-65, -50, size), random.uniform(2, 8, size)
    given = random.uniform(0, 15, size)
    model = ss.Izhikevich(a=a, b=b, c=c, d=d)
    s = simulation(model, (ss.Current(given), None), size=size, dt=1.0)
    s.run(float(steps))

    v, u = c.copy(), b * c
    times, neurons = [], []
    for step in range(steps):
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + given)
        v = v + 0.5 * (0.04 * v**2 + 5 * v + 140 - u + given)
        u = u + a * (b * v - u)
        fired = np.flatnonzero(v >= 30)
        v[fired] = c[fired]
        u[fired] += d[fired]
        times += [step + 1.0] * len(fired)
        neurons += list(fired)
    assert len(times) > 200
    assert list(s.spikes["a"].times) == times and list(s.spikes["a"].neurons) == neurons
    np.testing.assert_allclose(s.get("a", "v"), v, rtol=1e-9)
    np.testing.assert_allclose(s.get("a", "u"), u, rtol=1e-9)


def test_izhikevich_converges_to_the_solution_between_spikes():
    model = ss.Izhikevich(i_offset=10.0)

    def f(t: float, y: np.ndarray) -> list[float]:
        v, u = y
        return [0.04 * v**2 + 5 * v + 140 - u + 10, 0.02 * (0.2 * v - u)]

    measured = order(model, f, 2.0, [0.02, 0.01, 0.005, 0.0025])
    assert np.all(np.abs(measured - 1) < 0.1), measured
