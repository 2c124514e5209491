"""Noise and time in equations, and refractoriness by a condition."""

import numpy as np
import pytest
from scipy import stats
from scipy.integrate import solve_ivp

import spikesim as ss

SIZE = 20_000
NOISY = dict(
    equations="""
        dv/dt = (i - v) / tau + sigma * sqrt(2 / tau) * xi : mV
        di/dt = -i / tau_i + s * sqrt(2 / tau_i) * xi : mV""",
    threshold="v > high",
    reset="v = high",
    parameters={
        **{"tau": "10 ms", "tau_i": "5 ms", "sigma": "2 mV", "s": "1 mV", "high": "1e9 mV"}
    },
)


def run(model: ss.NeuronModel, duration: float, size: int = SIZE, **options) -> ss.Simulation:
    network = ss.Network(seed=options.pop("network_seed", 1))
    network.population("a", size, model)
    simulation = ss.Simulation(network, **options)
    simulation.run(duration)
    return simulation


@pytest.mark.parametrize("dt", [0.1, 0.5, 2.0])
@pytest.mark.parametrize("precision", ["single", "double"])
def test_exact_noise_has_the_right_covariance_at_any_dt(dt, precision):
    """Stationary: var i = s^2, cov = s^2 tau_i / (tau + tau_i), var v = sigma^2 + cov."""
    s = run(ss.NeuronModel(**NOISY), 100.0, dt=dt, precision=precision)
    v, i = s.get("a", "v"), s.get("a", "i")
    error = 5 * np.sqrt(2 / SIZE)
    assert i.var() == pytest.approx(1.0, rel=error)
    assert v.var() == pytest.approx(4 + 1 / 3, rel=error)
    assert np.cov(v, i)[0, 1] == pytest.approx(1 / 3, abs=5 * np.sqrt(4.4 / SIZE))
    assert abs(v.mean()) < 5 * np.sqrt(4.4 / SIZE)
    assert stats.kstest(v, stats.norm(0, np.sqrt(4 + 1 / 3)).cdf).pvalue > 1e-4


@pytest.mark.parametrize(
    ("method", "dt", "slack"), [("exponential_euler", 1.0, 0.02)] + [("euler", 0.1, 0.02)]
)
def test_other_methods_come_near(method, dt, slack):
    s = run(ss.NeuronModel(**NOISY, method=method), 100.0, dt=dt)
    assert s.get("a", "v").var() == pytest.approx(4 + 1 / 3, rel=slack + 5 * np.sqrt(2 / SIZE))


def test_noise_forgets_as_its_equation_says():
    model = ss.NeuronModel(
        equations="dv/dt = -v / tau + sigma * sqrt(2 / tau) * xi : mV",
        threshold="v > 1e9 * sigma",
        reset="v = sigma",
        parameters={"tau": "10 ms", "sigma": "2 mV"},
    )
    s = run(model, 100.0, dt=0.5)
    before = s.get("a", "v")
    for lag in (5.0, 15.0):
        s.run(lag)
    assert np.corrcoef(before, s.get("a", "v"))[0, 1] == pytest.approx(np.exp(-2), abs=0.03)


def test_noise_is_independent_and_keyed():
    model = ss.NeuronModel(**NOISY)
    values = {}
    for key in ((1, 0, 1), (1, 0, 2), (2, 0, 1), (1, 1, 1)):
        seed, replica, network_seed = key
        s = run(model, 20.0, seed=seed, replica=replica, network_seed=network_seed)
        values[key] = s.get("a", "v")
    first = values[1, 0, 1]
    np.testing.assert_array_equal(first, values[1, 0, 2])  # the network's seed is not the noise's
    for key in ((2, 0, 1), (1, 1, 1)):
        assert abs(np.corrcoef(first, values[key])[0, 1]) < 5 / np.sqrt(SIZE)
    assert abs(np.corrcoef(first[1:], first[:-1])[0, 1]) < 5 / np.sqrt(SIZE)
    network = ss.Network(seed=1)
    network.population("other", 100, model)
    network.population("a", SIZE, model)
    again = ss.Simulation(network, seed=1, threads=2)
    again.run(20.0)
    np.testing.assert_array_equal(first, again.get("a", "v"))  # nor is the population before
    assert abs(np.corrcoef(first[:100], again.get("other", "v"))[0, 1]) < 0.5


def test_noise_may_be_multiplied_by_what_changes():
    model = ss.NeuronModel(
        equations="dv/dt = k * v * xi : mV",
        threshold="v > 1e9 * k_v",
        reset="v = k_v",
        parameters={"k": "0.1", "k_v": "1 mV"},
        initial={"v": "k_v"},
        method="euler",
    )
    v = run(model, 10.0).get("a", "v")  # Ito: mean 1, log v ~ N(-k^2 t / 2, k^2 t)
    assert v.mean() == pytest.approx(1.0, abs=0.02)
    assert np.log(v).var() == pytest.approx(0.1, rel=0.06)


def test_noise_needs_a_method_that_knows_it():
    with pytest.raises(ValueError, match="method 'rk4' knows no noise"):
        run(ss.NeuronModel(**NOISY, method="rk4"), 1.0, size=1)
    with pytest.raises(ValueError, match="xi must be added"):
        text = "dv/dt = -v / tau + e * xi * xi"
        run(
            ss.NeuronModel(text, "v > e", "v = e", {"tau": "5 ms", "e": "1 mV"}, method="euler"),
            1.0,
            size=1,
        )


@pytest.mark.parametrize(("method", "order"), [("euler", 1), ("rk2", 2), ("rk4", 4)])
def test_time_in_equations(method, order):
    model = ss.NeuronModel(
        equations="dv/dt = (a * cos(omega * t) - v) / tau : mV",
        threshold="v > 1000 * a",
        reset="v = a",
        parameters={"tau": "10 ms", "a": "50 mV", "omega": "0.5"},
        method=method,
    )
    true = solve_ivp(
        lambda t, v: (50 * np.cos(0.5 * t) - v) / 10, (0, 8), [0.0], rtol=1e-12, atol=1e-12
    ).y[0, -1]
    errors = [
        abs(run(model, 8.0, size=1, dt=dt, precision="double").get("a", "v")[0] - true)
        for dt in (0.2, 0.1)
    ]
    assert np.log2(errors[0] / errors[1]) == pytest.approx(order, abs=0.3)


def test_time_in_threshold_and_reset_is_the_end_of_the_step():
    model = ss.NeuronModel(
        equations="dv/dt = 0 * v / ms : mV\ndwas/dt = 0 * was / ms : ms",
        threshold="(t >= when) and (v < e)",
        reset="v = e; was = t",
        parameters={"when": "1.25 ms", "e": "1 mV", "ms": "1 ms"},
    )
    s = run(model, 3.0, size=1, precision="double")
    np.testing.assert_allclose(s.spikes["a"].times, [1.3])
    np.testing.assert_allclose(s.get("a", "was"), [1.3])


def test_refractory_as_long_as_a_condition_holds():
    model = ss.NeuronModel(
        equations="dv/dt = (drive - v) / tau : mV",
        threshold="v > high",
        reset="",
        refractory="v > high",
        parameters={"tau": "10 ms", "high": "10 mV", "drive": "20 mV"},
    )
    network = ss.Network()
    network.population("a", 1, model)
    s = ss.Simulation(network, precision="double")
    for drive in (20.0, 0.0, 20.0):
        s.set("a", drive=drive)
        s.run(50.0)
    assert len(s.spikes["a"]) == 2  # one at each upward crossing, none while above
    np.testing.assert_allclose(s.spikes["a"].times[0], 7.0)  # 10 ln 2 = 6.93


def test_what_is_held_waits_for_the_condition():
    model = ss.NeuronModel(
        equations="dv/dt = drive / tau : mV\ndw/dt = -w / tau : mV",
        threshold="v > high",
        reset="v = 0 * high; w = high",
        refractory="w > low",
        hold=("v",),
        parameters={"tau": "10 ms", "high": "10 mV", "low": "5 mV", "drive": "20 mV"},
    )
    s = run(model, 40.0, size=1, precision="double")
    gaps = np.diff(s.spikes["a"].times)
    # w falls to its half in 10 ln 2 = 6.93 ms, then v needs 5 ms and a step to pass 10 mV.
    np.testing.assert_allclose(gaps, 12.1, atol=0.11)


def test_time_in_a_refractory_condition_alone():
    model = ss.NeuronModel(
        equations="dv/dt = (drive - v) / tau : mV",
        threshold="v > high",
        reset="v = 0 * high",
        refractory="t < until",
        parameters={"tau": "10 ms", "high": "10 mV", "drive": "20 mV", "until": "30 ms"},
    )
    s = run(model, 60.0, size=1, precision="double")
    # After the first spike none until 30 ms; v is above the threshold by then.
    np.testing.assert_allclose(s.spikes["a"].times[:2], [7.0, 30.1])
