"""Variables of which a step changes less than single precision can tell: decay, sums, intervals."""

import numpy as np
import pytest

import spikesim as ss

METHODS = ("exact", "exponential_euler", "exponential_midpoint", "euler", "rk2", "rk4")
STEPS = (0.1, 0.01, 0.001)


def simulation(dt: float, *models: ss.NeuronModel, size: int = 1, **options) -> ss.Simulation:
    """Populations "0", "1", ... of these models."""
    net = ss.Network()
    for k, model in enumerate(models):
        net.population(str(k), size, model)
    return ss.Simulation(net, dt=dt, **{"threads": 1, **options})


def decaying(tau: object, method: str = "exact") -> ss.NeuronModel:
    return ss.NeuronModel(
        equations="dx/dt = -x / tau : mV",
        threshold="x > 1000",
        reset="",
        parameters={"tau": "1 ms"},
        values={"tau": tau},
        initial={"x": 1.7},
        method=method,
    )


# Decay


@pytest.mark.parametrize("dt", STEPS)
@pytest.mark.parametrize("method", [*METHODS, "x += dt * dx"])
def test_decay_has_its_time_constant_from_a_hundred_steps_to_a_hundred_millions(method, dt):
    ratios = [10**k for k in (2, 3, 4, 5, 6, 7, 8)]
    s = simulation(dt, *(decaying(k * dt, method) for k in ratios))
    euler = method in ("euler", "x += dt * dx")
    done = 0
    for steps in (200, 2000, 20000):
        s.run(round((steps - done) * dt, 9))
        done = steps
        for n, k in enumerate(ratios):
            if not 1e-5 < steps / k < 20:
                continue  # the change is beneath what x is rounded to, or nothing is left
            wanted = steps * (np.log1p(-1 / k) if euler else -1 / k)
            found = np.log(s.get(str(n), "x")[0] / 1.7)
            assert found == pytest.approx(wanted, rel=0.01), (k, steps)
            assert found == pytest.approx(-steps / k, rel=0.01), (k, steps)


@pytest.mark.parametrize("method", ["exact", "exponential_euler", "rk2"])
def test_every_neuron_has_its_own_slow_time_constant(method):
    dt, taus = 0.1, 10.0 ** np.linspace(0.5, 7, 130)
    s = simulation(dt, decaying(taus, method), size=130)
    s.run(1000.0)
    wanted = -1000.0 / taus
    seen = wanted > -50
    found = np.log(s.get("0", "x")[seen] / 1.7)
    assert found == pytest.approx(wanted[seen], rel=0.01, abs=1e-7)


@pytest.mark.parametrize("dt", STEPS)
@pytest.mark.parametrize("method", METHODS)
def test_an_integrator_integrates(method, dt):
    model = ss.NeuronModel(
        equations="dx/dt = k : mV",
        threshold="x > 1e6",
        reset="",
        parameters={"k": "1e-5"},
        initial={"x": 1000.0},
        method=method,
    )
    s = simulation(dt, model)
    s.set("0", k=1e-4 / dt)  # 1.6 of the numbers that single precision tells apart, then less
    s.run(1000 * dt)
    assert s.get("0", "x")[0] - 1000 == pytest.approx(0.1, abs=1e-4)
    s.set("0", k=1e-6 / dt, x=1000.0)
    s.run(round(20000 * dt, 9))
    assert s.get("0", "x")[0] - 1000 == pytest.approx(0.02, abs=1e-4)


def test_what_depends_on_a_slow_variable_follows_it():
    """A slow variable that drives another, by the method for equations that are not linear."""
    model = ss.NeuronModel(
        equations="""
            dx/dt = -x / 1e6
            dv/dt = (x * x - v) / 10""",
        threshold="v > 1000",
        reset="",
        initial={"x": 2.0, "v": 4.0},
        method="exponential_euler",
    )
    s = simulation(0.1, model)
    s.run(5000.0)
    assert s.get("0", "v")[0] - 4 == pytest.approx(-0.04, rel=0.01)


# Thresholds that adapt, held variables, arriving weights


def adapting(tau: object = 1e7, **values: object) -> ss.NeuronModel:
    """A leaky neuron whose threshold rises by .05 mV at a spike and falls over hours."""
    return ss.NeuronModel(
        equations="""
            dv/dt = (drive - v) / 20 : mV
            dtheta/dt = -theta / tau : mV""",
        threshold="v >= 5 + theta",
        reset="v = 0; theta += 0.05",
        refractory="t_ref",
        hold=("v",),
        parameters={"tau": "1e7 ms", "drive": "60 mV", "t_ref": "5 ms"},
        values={"tau": tau, **values},
        initial={"theta": 20.0},
    )


def closed(times: np.ndarray, until: float, tau: float) -> float:
    return 20 * np.exp(-until / tau) + 0.05 * np.exp((times - until) / tau).sum()


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_threshold_of_hours_jumps_at_spikes_and_decays_between(precision):
    s = simulation(0.1, adapting(), precision=precision)
    s.run(3000.0)
    times = s.spikes["0"].times
    assert times.size > 50
    decay = 20 + 0.05 * times.size - closed(times, 3000.0, 1e7)
    found = 20 + 0.05 * times.size - s.get("0", "theta")[0]
    assert found == pytest.approx(decay, rel=0.01)


def test_single_precision_agrees_with_double_in_what_is_slow():
    taus = np.geomspace(1e2, 1e8, 70)
    found = {}
    for precision in ("single", "double"):
        s = simulation(0.1, adapting(taus, t_ref=2.0), size=70, precision=precision)
        s.run(2000.0)
        found[precision] = s.get("0", "theta"), s.spike_counts["0"]
    (theta, counts), (wanted, counted) = found["single"], found["double"]
    same = counts == counted
    assert same.mean() > 0.9 and abs(counts - counted).max() <= 1
    assert theta[same] == pytest.approx(wanted[same], rel=1e-6)


@pytest.mark.parametrize("method", METHODS)
def test_what_is_held_stands_still_while_refractory_and_decays_else(method):
    model = ss.NeuronModel(
        equations="""
            dv/dt = 1.0 : mV
            dx/dt = -x / 1e6 : mV
            dy/dt = -y / 1e6 : mV (unless refractory)""",
        threshold="v >= 4.95",
        reset="v = 0",
        refractory="t_ref",
        hold=("v", "x"),
        parameters={"t_ref": "5 ms"},
        initial={"x": 1.7, "y": 1.7},
        method=method,
    )
    s = simulation(0.1, model)
    s.run(4000.0)  # 400 times 5 ms free and 5 ms refractory
    assert s.counts["0"] == 400
    for v in "xy":
        assert np.log(s.get("0", v)[0] / 1.7) == pytest.approx(-2000 / 1e6, rel=0.01)


@pytest.mark.parametrize("method", METHODS)
def test_small_weights_add_up_on_a_large_slow_variable(method):
    """A thousand weights that a number of single precision is too coarse for, and a decay."""
    receptor = ss.Receptor(
        "pA",
        equations="dx_{r}/dt = -x_{r} / tau_{r} : pA",
        arrival="x_{r} += w",
        parameters={"tau_{r}": "1e7 ms"},
        initial={"x_{r}": 1000.0},
    )
    model = ss.NeuronModel(
        equations="dv/dt = -v / 20 : mV",
        threshold="v > 1000",
        reset="",
        receptors={"r": receptor},
        method=method,
    )
    net = ss.Network()
    a = net.population("a", 3, model)
    times = 1.0 + np.arange(1000.0)
    net.drive(a, ss.Spikes([times] * 3, 2e-5), receptor="r")
    s = ss.Simulation(net, dt=0.1, threads=1)
    s.run(1010.0)
    wanted = 1000 * np.expm1(-1010 / 1e7) + 0.02
    assert s.get("a", "x_r") - 1000 == pytest.approx(np.full(3, wanted), abs=1e-4)


# Near rheobase


@pytest.mark.parametrize("dt", STEPS)
def test_a_neuron_just_above_rheobase_has_its_interval(dt):
    """v rises to 15.01 mV above rest, and the threshold is at 15 mV."""
    model = ss.LIF(
        tau_m=20.0, c_m=200.0, e_l=-65.0, v_th=-50.0, v_reset=-65.0, t_ref=0.0, i_offset=150.1
    )
    s = simulation(dt, model)
    s.run(300.0)
    first, second = s.spikes["0"].times
    wanted = 20 * np.log(15.01 / 0.01)
    assert first == pytest.approx(wanted, rel=1e-3)
    assert second - first == pytest.approx(wanted, rel=1e-3)


# The remainder as part of the state


def test_set_clears_what_rounding_left():
    s = simulation(0.1, decaying(1e6), adapting(), size=3)
    s.run(50.0)
    assert np.all(s.state._variables("0")["_x_carry"] != 0)
    assert np.all(s.state._variables("1")["_theta_carry"] != 0)
    s.set("0", x=1.25)
    s.set("1", theta=[20.0, 21.0, 22.0])
    assert np.all(s.state._variables("0")["_x_carry"] == 0)
    assert np.all(s.state._variables("1")["_theta_carry"] == 0)
    fresh = simulation(0.1, decaying(1e6), adapting(), size=3)
    fresh.set("0", x=1.25)
    for each in (s, fresh):
        each.run(70.0)
    assert np.array_equal(s.get("0", "x"), fresh.get("0", "x"))


def test_parameters_keep_the_remainder():
    """It belongs to a variable, whatever else is set."""
    s, same = (simulation(0.1, adapting()) for _ in range(2))
    for _ in range(200):
        s.run(1.0)
        s.set("0", drive=60.0, tau=1e7)
    same.run(200.0)
    assert np.array_equal(s.get("0", "theta"), same.get("0", "theta"))
    assert np.array_equal(s.spikes["0"].times, same.spikes["0"].times)


@pytest.mark.parametrize("method", [*METHODS, "x += dt * dx; y += dt * dy"])
def test_a_parameter_that_becomes_slow_and_fast_again(method):
    model = ss.NeuronModel(
        equations="""
            dx/dt = -x / tau : mV
            dy/dt = -y / 50 : mV""",
        threshold="x > 1000",
        reset="",
        parameters={"tau": "10 ms"},
        initial={"x": 1.7, "y": 0.9},
        method=method,
    )
    s = simulation(0.1, model, size=3)
    s.run(10.0)
    assert s.get("0", "x") == pytest.approx(1.7 * np.exp(-1), rel=0.02)
    before = s.get("0", "x")
    s.set("0", tau=1e6)
    assert np.array_equal(s.get("0", "x"), before)
    assert s.get("0", "y") == pytest.approx(0.9 * np.exp(-10 / 50), rel=0.01)
    s.run(2000.0)
    assert np.log(s.get("0", "x") / before) == pytest.approx(np.full(3, -2e-3), rel=0.01)
    before = s.get("0", "x")
    s.set("0", tau=10.0, y=0.9)
    assert np.array_equal(s.get("0", "x"), before)
    s.run(10.0)
    assert s.get("0", "x") == pytest.approx(before * np.exp(-1), rel=0.02)
    assert s.get("0", "y") == pytest.approx(0.9 * np.exp(-10 / 50), rel=0.01)
    s.set("0", tau=[10.0, 1e6, 1e7])
    before = s.get("0", "x")
    s.run(1000.0)
    found = np.log(s.get("0", "x")[1:] / before[1:])
    assert found == pytest.approx([-1e-3, -1e-4], rel=0.01)


def test_a_neuron_stays_refractory_while_its_variables_become_slow():
    runs = []
    for slow in (False, True):
        s = simulation(0.1, adapting(40.0, drive=200.0))
        s.run(2.9)
        assert s.counts["0"] == 1  # in its refractory time of 5 ms
        v = s.get("0", "v")
        if slow:
            s.set("0", tau=1e6)
            s.set("0", tau=40.0)
        s.run(1.0)
        assert np.array_equal(s.get("0", "v"), v)
        s.run(100.0)
        runs.append(s.spikes["0"].times)
    assert np.array_equal(*runs)


@pytest.mark.filterwarnings("ignore:.*threads share")
def test_the_same_bits_for_any_number_of_threads():
    taus = np.geomspace(1e2, 1e8, 300)
    runs = []
    for threads in (1, 2, 3):
        net = ss.Network(seed=3)
        net.population("a", 300, adapting(taus, t_ref=2.0), init={"v": ss.Uniform(0, 20)})
        net.population("b", 200, ss.LIF(i_offset=400.0))
        s = ss.Simulation(net, dt=0.01, threads=threads)
        s.run(200.0)
        state = {v: s.get("a", v) for v in ("v", "theta")}
        runs.append((state, s.spikes["a"], s.get("b", "v")))
    for state, spikes, other in runs[1:]:
        assert all(np.array_equal(state[v], runs[0][0][v]) for v in state)
        assert np.array_equal(spikes.times, runs[0][1].times)
        assert np.array_equal(spikes.neurons, runs[0][1].neurons)
        assert np.array_equal(other, runs[0][2])
