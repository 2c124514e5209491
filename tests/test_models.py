"""The built-in models against solutions of their equations, written here a second time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np
import pytest
from built_in import MODELS
from numpy import exp
from scipy.integrate import solve_ivp
from scipy.linalg import expm

import spikesim as ss
from spikesim.description.equations import evaluate


def simulation(model: ss.NeuronModel, dt: float, size: int = 1, **options) -> ss.Simulation:
    network = ss.Network()
    a = network.population("a", size, model)
    record = [ss.Trace(a, v, every=1.0) for v in options.pop("record", ())]
    return ss.Simulation(network, dt=dt, record=record, **{"precision": "double", **options})


@pytest.mark.parametrize("given", [{"tau_m": -5.0}, {"c_m": 0.0}, {"tau_m": np.array([1, -1.0])}])
def test_times_and_capacitances_are_positive(given):
    with pytest.raises(ValueError, match="LIF: (tau_m|c_m) is .*; it must be above 0"):
        ss.LIF(**given)


def test_what_single_precision_cannot_hold_is_refused():
    model = ss.LIF(i_offset=1e42)
    with pytest.raises(ValueError, match="too large for single precision"):
        simulation(model, 0.1, precision="single")
    simulation(model, 0.1)


# The equations once more


def adex(current: float) -> Callable:
    def f(t, y):
        v, w = y
        upswing = 60 * exp((min(v, 1) + 50.4) / 2)
        return [(30 * (-70.6 - v) + upswing - w + current) / 281, (4 * (v + 70.6) - w) / 144]

    return f


def eif(current: float) -> Callable:
    def f(t, y):
        upswing = 34.8 * exp((min(y[0], 1) + 59.9) / 3.48)
        return [(10 * (-65 - y[0]) + upswing + current) / 100]

    return f


def qif(current: float) -> Callable:
    return lambda t, y: [(y[0] + 65) * (y[0] + 50) / 150 + current / 200]


def adaptive(current: float) -> Callable:
    def f(t, y):
        v, w = y
        return [(-65 - v) / 20 + (current - w) / 200, (3 * (v + 65) - w) / 144]

    return f


def izhikevich(current: float) -> Callable:
    def f(t, y):
        v, u = y
        return [(0.7 * (v + 60) * (v + 40) - u + current) / 100, 0.03 * (-2 * (v + 60) - u)]

    return f


def rate(x: float) -> float:
    """x / (1 - exp(-x))"""
    return -x / np.expm1(-x) if x else 1.0


def squid(current: float) -> Callable:
    def f(t, y):
        v, m, h, n = y
        ionic = 12000 * m**3 * h * (50 - v) + 3600 * n**4 * (-77 - v) + 30 * (-54.387 - v)
        return [
            (ionic + current) / 100,
            rate((v + 40) / 10) * (1 - m) - 4 * exp(-(v + 65) / 18) * m,
            0.07 * exp(-(v + 65) / 20) * (1 - h) - h / (1 + exp(-(v + 35) / 10)),
            0.1 * rate((v + 55) / 10) * (1 - n) - 0.125 * exp(-(v + 65) / 80) * n,
        ]

    return f


def oscillator(current: float) -> Callable:
    return lambda t, y: [y[0] - y[0] ** 3 / 3 - y[1] + current, (y[0] + 0.7 - 0.8 * y[1]) / 12.5]


REST = [-65.0, 0.05293248525724958, 0.5961207535084603, 0.3176769140606974]


@dataclass
class Case:
    model: ss.NeuronModel
    f: Callable
    start: list[float]
    peak: float  # of v at a spike
    tolerance: float  # of the potential over 10 ms at dt = 0.01
    reset: Callable | None = None  # None: the equations go on
    t_ref: float = 0.0
    dt: float = 0.1  # at which spikes are counted


CASES = {
    "AdEx": Case(
        ss.AdEx(i_offset=900.0),
        adex(900.0),
        [-70.6, 0.0],
        peak=0.0,
        tolerance=1e-8,
        reset=lambda y: [-70.6, y[1] + 80.5],
    ),
    "EIF": Case(
        ss.EIF(i_offset=120.0),
        eif(120.0),
        [-65.0],
        peak=0.0,
        tolerance=1e-8,
        reset=lambda y: [-68.0],
        t_ref=1.7,
    ),
    "QIF": Case(
        ss.QIF(i_offset=300.0),
        qif(300.0),
        [-65.0],
        peak=20.0,
        tolerance=1e-5,
        reset=lambda y: [-80.0],
    ),
    "AdaptiveLIF": Case(
        ss.AdaptiveLIF(i_offset=300.0, a=3.0, t_ref=0.0),
        adaptive(300.0),
        [-65.0, 0.0],
        peak=-50.0,
        tolerance=1e-9,
        reset=lambda y: [-65.0, y[1] + 40],
    ),
    "Izhikevich2007": Case(
        ss.Izhikevich2007(i_offset=100.0),
        izhikevich(100.0),
        [-60.0, 0.0],
        peak=35.0,
        tolerance=1e-5,
        reset=lambda y: [-50.0, y[1] + 100],
    ),
    "HodgkinHuxley": Case(
        ss.HodgkinHuxley(i_offset=1000.0),
        squid(1000.0),
        REST,
        peak=0.0,
        tolerance=0.2,  # in the upstroke, where v rises by 300 mV/ms
        dt=0.05,
    ),
    "HodgkinHuxley, exponential Euler": Case(
        ss.HodgkinHuxley(i_offset=1000.0, method="exponential_euler"),
        squid(1000.0),
        REST,
        peak=0.0,
        tolerance=12.0,
        dt=0.01,
    ),
    "HodgkinHuxley, rk4": Case(
        ss.HodgkinHuxley(i_offset=1000.0, method="rk4"),
        squid(1000.0),
        REST,
        peak=0.0,
        tolerance=1e-4,
        dt=0.05,
    ),
    "FitzHughNagumo": Case(
        ss.FitzHughNagumo(i_offset=0.5),
        oscillator(0.5),
        [-1.1994080352, -0.624260044],
        peak=1.0,
        tolerance=1e-8,
    ),
}


def firing(case: Case, duration: float) -> np.ndarray:
    """Times of the upward crossings of the peak, each followed by reset and refractory time."""

    def crossing(t, y):
        return y[0] - case.peak

    crossing.direction, crossing.terminal = 1, case.reset is not None
    t, y, times = 0.0, case.start, []
    while t < duration:
        solution = solve_ivp(
            case.f, (t, duration), y, "LSODA", events=crossing, rtol=1e-9, atol=1e-9
        )
        times += list(solution.t_events[0])
        if case.reset is None or not len(solution.t_events[0]):
            break
        t, y = solution.t[-1] + case.t_ref, case.reset(solution.y[:, -1])
    return np.array(times)


@pytest.mark.parametrize("name", CASES)
def test_variables_follow_the_solution(name):
    """For 10 ms at dt = 0.01; the first spike of a model with a reset comes later."""
    case = CASES[name]
    variables = list(case.model.dynamics.derivatives)[: len(case.start)]
    duration = 10.0
    s = simulation(case.model, 0.01, record=variables)
    s.run(duration)
    times = np.arange(1.0, duration + 1)
    wanted = solve_ivp(
        case.f, (0, duration), case.start, "DOP853", t_eval=times, rtol=1e-10, atol=1e-10
    ).y
    assert case.reset is None or len(s.spikes["a"]) == 0
    for variable, one in zip(variables, wanted, strict=True):
        scale = max(1.0, np.ptp(one)) if variable in "uw" else 1.0
        found = s.traces["a", variable].values[:, 0]
        np.testing.assert_allclose(found, one, rtol=0, atol=case.tolerance * scale)
    assert np.ptp(wanted[0]) > 1


@pytest.mark.parametrize("name", CASES)
def test_spikes_in_a_second(name):
    case = CASES[name]
    wanted = firing(case, 1000.0)
    s = simulation(case.model, case.dt)
    s.run(1000.0)
    found = s.spikes["a"].times
    assert len(wanted) > 5 and abs(len(found) - len(wanted)) <= 1
    assert found[0] == pytest.approx(wanted[0], abs=case.dt + 0.1)
    n = min(len(found), len(wanted)) - 1
    assert found[n] - found[0] == pytest.approx(wanted[n] - wanted[0], rel=0.006)


@pytest.mark.parametrize("name", CASES)
@pytest.mark.parametrize("precision", ["single", "double"])
def test_models_take_any_receptors_and_stay_finite(name, precision):
    """Driven so hard that the upswing is over in one step of 0.1 ms."""
    receptors = {"g": ss.Conductance(3.0), "i": ss.Exponential(2.0)}
    model = CASES[name].model
    make = getattr(ss, name.split(",")[0])
    model = make(i_offset=5000.0 if model.dynamics.units["v"] else 2.0, receptors=receptors)
    s = simulation(model, 0.1, precision=precision)
    s.set("a", g_g=20.0, i_i=50.0)
    s.run(100.0)
    values = {v: s.get("a", v)[0] for v in model.dynamics.derivatives}
    assert np.all(np.isfinite(list(values.values()))), values
    assert abs(values["v"]) < 200 and 0 < values["g_g"] < 1e-12
    assert len(s.spikes["a"]) > 0
    assert all(abs(values[v]) < 2e4 for v in "uw" if v in values)


# Adaptation


def test_adex_adapts_by_b_and_bursts_with_a_high_reset():
    def intervals(**values):
        s = simulation(ss.AdEx(**values), 0.1)
        s.run(1000.0)
        return np.diff(s.spikes["a"].times)

    adapting = intervals(i_offset=800.0, b=80.5)
    assert adapting[-1] > 1.5 * adapting[0] and np.all(np.diff(adapting) > -0.21)
    regular = intervals(i_offset=800.0, b=0.0, a=0.0)
    assert len(regular) > len(adapting) and np.ptp(regular) < 0.11
    bursting = intervals(i_offset=800.0, v_reset=-47.4, tau_w=40.0)
    assert bursting[0] < 5 and bursting.max() > 5 * bursting.min()


def test_adaptive_lif_below_threshold_is_a_linear_system():
    a, current = 3.0, 60.0
    s = simulation(ss.AdaptiveLIF(a=a, i_offset=current), 0.1, record=["v", "w"])
    s.run(100.0)
    matrix = np.array([[-1 / 20, -1 / 200], [a / 144, -1 / 144]])
    steady = -np.linalg.solve(matrix, [current / 200, 0])
    assert steady[0] == pytest.approx(current / (10 + a), rel=1e-12)  # the leak is 10 nS
    for k, t in enumerate(range(1, 101)):
        v, w = steady - expm(matrix * t) @ steady
        assert s.traces["a", "v"].values[k, 0] == pytest.approx(-65 + v, abs=1e-10)
        assert s.traces["a", "w"].values[k, 0] == pytest.approx(w, abs=1e-10)


def test_adaptation_of_the_adaptive_lif_is_the_sum_over_its_spikes():
    """With a = 0, each spike leaves b exp(-t / tau_w); firing slows down until they balance."""
    b, tau_w = 25.0, 90.0
    s = simulation(ss.AdaptiveLIF(b=b, tau_w=tau_w, i_offset=400.0), 0.1)
    for duration in (130.0, 500.0):
        s.run(duration)
        times = s.spikes["a"].times
        wanted = b * np.exp(-(s.time - times) / tau_w).sum()
        assert s.get("a", "w")[0] == pytest.approx(wanted, rel=1e-10)
    intervals = np.diff(times)
    assert intervals[-1] > 1.3 * intervals[0]
    effective = 400 - s.get("a", "w")[0]
    assert 150 < effective < 400  # 150 pA hold the neuron at threshold
    after = b / -np.expm1(-intervals[-1] / tau_w)  # just after a spike, if all intervals are alike
    last = s.get("a", "w")[0] * np.exp((s.time - times[-1]) / tau_w)
    assert last == pytest.approx(after, rel=0.01)


def test_adaptive_lif_is_exact_only_without_conductances():
    assert ss.AdaptiveLIF().linear and ss.AdaptiveLIF().method == ""
    coba = ss.AdaptiveLIF(receptors={"g": ss.Conductance()})
    assert coba.method == "exponential_euler"


# Quadratic


def test_qif_fires_at_the_closed_form_of_its_interval():
    current, dt = 200.0, 0.01
    s = simulation(ss.QIF(i_offset=current), dt)
    s.run(300.0)
    floor = current / 200 - 7.5**2 / 150  # dv/dt = (v + 57.5)^2 / 150 + floor
    width = np.sqrt(150 * floor)
    interval = 150 / width * (np.arctan(77.5 / width) - np.arctan(-22.5 / width))
    found = np.diff(s.spikes["a"].times)
    assert len(found) > 5
    np.testing.assert_allclose(found, interval, atol=1.5 * dt)


# Hodgkin and Huxley


def orders(method: str, steps: list[float]) -> np.ndarray:
    model = ss.HodgkinHuxley(i_offset=1000.0, method=method)
    solution = solve_ivp(squid(1000.0), (0, 4.0), REST, "DOP853", rtol=1e-12, atol=1e-12)
    errors = []
    for dt in steps:
        s = simulation(model, dt)
        for v, start in zip("vmhn", REST, strict=True):
            s.set("a", **{v: start})
        s.run(4.0)
        errors.append(abs(s.get("a", "v")[0] - solution.y[0, -1]))
    return np.log2(np.array(errors[:-1]) / errors[1:])


@pytest.mark.parametrize(("method", "order"), [("exponential_euler", 1), ("rk2", 2), ("rk4", 4)])
def test_squid_axon_converges_through_a_spike(method, order):
    steps = [0.01, 0.005, 0.0025] if order < 4 else [0.02, 0.01, 0.005]
    assert np.all(np.abs(orders(method, steps) - order) < 0.3)


def test_rates_of_the_squid_axon_have_no_gap():
    """alpha_m and alpha_n are 0 / 0 at -40 and -55 mV."""
    for variable, middle, factor in (("m", -40.0, 1.0), ("n", -55.0, 0.1)):
        node = ss.HodgkinHuxley().dynamics.derivatives[variable]
        v = middle + np.concatenate([np.linspace(-60, 60, 241), np.geomspace(1e-12, 3, 200)])
        with np.errstate(invalid="ignore"):
            found = evaluate(node, {"v": v, variable: 0.0})
        wanted = factor * np.array([rate((one - middle) / 10) for one in v])
        np.testing.assert_allclose(found, wanted, rtol=1e-13)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_squid_axon_passes_the_gaps_of_its_rates(precision):
    s = simulation(ss.HodgkinHuxley(), 0.01, size=2, precision=precision)
    s.set("a", v=[-40.0, -55.0])
    s.run(0.01)
    for v in "vmhn":
        assert np.all(np.isfinite(s.get("a", v)))


def test_squid_axon_rests():
    s = simulation(ss.HodgkinHuxley(), 0.05)
    s.run(100.0)
    assert s.get("a", "v")[0] == pytest.approx(-65.0, abs=0.01)
    for v, start in zip("mhn", REST[1:], strict=True):
        assert s.get("a", v)[0] == pytest.approx(start, abs=1e-3)


def test_rheobase_of_the_squid_axon():
    """A step below 2 uA/cm2 gives nothing, of 4 a spike, from 6.5 on a train, of 200 none again."""
    currents = np.array([100.0, 180.0, 400.0, 700.0, 1000.0, 20000.0])
    s = simulation(ss.HodgkinHuxley(i_offset=currents), 0.01, size=6)
    s.run(400.0)
    found = s.spikes["a"]
    counts = [len(train) for train in found]
    assert counts[:3] == [0, 0, 1]
    assert 18 < counts[3] < counts[4] < 30
    late = found[5][found[5] > 100]
    assert len(late) == 0, "at 200 uA/cm2 the axon is blocked"


@pytest.mark.parametrize(("hyperpolarisation", "spikes"), [(-50.0, 0), (-500.0, 1), (-1000.0, 1)])
def test_anode_break_excitation(hyperpolarisation, spikes):
    s = simulation(ss.HodgkinHuxley(i_offset=hyperpolarisation), 0.02)
    s.run(50.0)
    assert len(s.spikes["a"]) == 0 and s.get("a", "v")[0] < -65
    s.set("a", i_offset=0.0)
    s.run(50.0)
    assert len(s.spikes["a"]) == spikes


@pytest.mark.parametrize(("dt", "within"), [(0.1, 0.01), (0.05, 0.003), (0.01, 0.0002)])
def test_intervals_of_the_squid_axon_are_right_by_default(dt, within):
    """By the exponential Euler method they are 5 % too long at dt = 0.1 ms."""
    wanted = firing(CASES["HodgkinHuxley"], 1000.0)
    s = simulation(ss.HodgkinHuxley(i_offset=1000.0), dt)
    s.run(1000.0)
    found = s.spikes["a"].times
    n = min(len(found), len(wanted)) - 1
    stretched = (found[n] - found[2]) / (wanted[n] - wanted[2])
    assert n > 60 and stretched == pytest.approx(1, abs=within)


# FitzHugh and Nagumo


def test_period_of_the_limit_cycle():
    case = CASES["FitzHughNagumo"]
    s = simulation(case.model, 0.1)
    s.run(1000.0)
    found = np.diff(s.spikes["a"].times)[5:].mean()
    assert found == pytest.approx(np.diff(firing(case, 1000.0))[5:].mean(), rel=1e-3)


def test_the_oscillator_is_at_rest_without_current():
    s = simulation(ss.FitzHughNagumo(), 0.1)
    s.run(200.0)
    assert len(s.spikes["a"]) == 0
    assert s.get("a", "v")[0] == pytest.approx(-1.1994080352, abs=1e-9)


# Methods of any model


@pytest.mark.parametrize("make", MODELS.values(), ids=lambda make: make.__name__)
def test_any_model_takes_a_method(make):
    own = make()
    assert make(method=None).method == own.method
    for method in ("exponential_euler", "exponential_midpoint", "euler", "rk2", "rk4"):
        assert ss.source(make(method=method)) == ss.source(replace(own, method=method))
    with pytest.raises(ss.EquationError, match="unknown method 'rk5'; known are"):
        make(method="rk5")
    if not own.linear:
        with pytest.raises(ss.EquationError, match="'exact' is for linear equations"):
            make(method="exact")


def test_the_better_method_for_conductances_is_a_word_away():
    """Half a millisecond of a strong conductance, against the solution."""
    given = {"g": ss.Conductance(5.0, 0.0)}

    def f(t, y):
        return [(-65 - y[0]) / 20 + y[1] * (0 - y[0]) / 200, -y[1] / 5]

    wanted = solve_ivp(f, (0, 10.0), [-65.0, 10.0], "DOP853", rtol=1e-12, atol=1e-12).y[0, -1]
    errors = []
    for method in (None, "exponential_midpoint"):
        s = simulation(ss.LIF(v_th=0.0, receptors=given, method=method), 0.1)
        s.set("a", g_g=10.0)
        s.run(10.0)
        errors.append(abs(s.get("a", "v")[0] - wanted))
    assert errors[1] < errors[0] / 50 and errors[0] < 0.5
