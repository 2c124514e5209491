"""Receptors against closed forms and against a solver: conductances, NMDA, noise currents."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.integrate import solve_ivp

import spikesim as ss
from spikesim.description.equations import EquationError, evaluate
from spikesim.description.receptors import (
    NMDA,
    DoubleExponentialConductance,
    OrnsteinUhlenbeck,
    WhiteCurrent,
)

NEVER = 1e6  # a threshold (mV) that nothing reaches
SIZE = 20_000
SPREAD = 5 * np.sqrt(2 / SIZE)  # five standard errors of a variance, relative
LINEAR_AND_NOT = ("exact", "exponential_euler", "exponential_midpoint")


def simulation(model: ss.NeuronModel, size: int = SIZE, *, seed: int = 1, **options):
    network = ss.Network(seed=seed)
    network.population("a", size, model)
    return ss.Simulation(network, **options)


def silent(**receptors: ss.Receptor) -> ss.NeuronModel:
    """tau 10 ms, 200 pF, no spikes."""
    return ss.LIF(tau_m=10.0, v_th=NEVER, receptors=receptors)


# Conductances


def block(v: np.ndarray, magnesium: float = 1.0) -> np.ndarray:
    return 1 / (1 + magnesium / 3.57 * np.exp(-0.062 * v))


def conductance(s: np.ndarray, rise: float, decay: float) -> np.ndarray:
    """nS at a time s after the arrival of 1 nS."""
    peak = rise * decay / (decay - rise) * np.log(decay / rise)
    shape = np.exp(-s / decay) - np.exp(-s / rise)
    return shape / (np.exp(-peak / decay) - np.exp(-peak / rise))


RECEPTORS = {
    "double": (DoubleExponentialConductance(0.7, 6.0, -75.0), 0.7, 6.0, -75.0, 0.0),
    "nmda": (NMDA(), 2.0, 100.0, 0.0, 1.0),
    "nmda, little magnesium": (NMDA(3.0, 50.0, 5.0, 0.2), 3.0, 50.0, 5.0, 0.2),
}


@pytest.mark.parametrize("name", RECEPTORS)
def test_conductances_follow_the_solution(name):
    """A spike of 20 nS at 1 ms: g to rounding, v to 0.002 mV at dt = 0.02."""
    receptor, rise, decay, reversal, magnesium = RECEPTORS[name]
    model = replace(silent(r=receptor), method="exponential_midpoint")
    network = ss.Network()
    a = network.population("a", 1, model, {"v": -50.0})
    network.drive(a, ss.Spikes([[1.0]], 20.0))
    record = [ss.Trace(a, variable, every=1.0) for variable in ("v", "g_r")]
    s = ss.Simulation(network, dt=0.02, precision="double", record=record)
    s.run(40.0)
    times = np.arange(1.0, 41.0)
    given = 20 * conductance(times - 1, rise, decay)
    found = s.traces["a", "g_r"].values[:, 0]
    np.testing.assert_allclose(found, given, rtol=1e-3, atol=1e-4)

    def f(t, v):
        g = 20 * conductance(max(t - 1, 0.0), rise, decay)
        return (-65 - v) / 10 + g * block(v, magnesium) * (reversal - v) / 200

    wanted = solve_ivp(
        f, (0, 40), [-50.0], "DOP853", t_eval=times, rtol=1e-10, atol=1e-10, max_step=0.5
    ).y[0]
    np.testing.assert_allclose(s.traces["a", "v"].values[:, 0], wanted, atol=2e-3)
    assert np.ptp(wanted) > 5


@pytest.mark.parametrize(("rise", "decay"), [(0.7, 6.0), (6.0, 0.7), (2.0, 100.0)])
def test_a_conductance_peaks_at_its_weight(rise, decay):
    model = silent(r=DoubleExponentialConductance(rise, decay))
    network = ss.Network()
    a = network.population("a", 1, model)
    network.drive(a, ss.Spikes([[0.5]], 3.0))
    record = [ss.Trace(a, "g_r", every=0.01)]
    s = ss.Simulation(network, dt=0.01, precision="double", record=record)
    s.run(20.0)
    assert s.traces["a", "g_r"].values.max() == pytest.approx(3.0, rel=0.01)


@pytest.mark.parametrize(("v", "open_"), [(-80.0, 0.0244), (-40.0, 0.2302), (20.0, 0.9250)])
def test_magnesium_blocks_nmda(v, open_):
    """The share that is open at 1 mM, as in the figure of Jahr and Stevens; all of it without."""
    assert block(v) == pytest.approx(open_, abs=1e-4)
    for magnesium, share in ((1.0, open_), (0.0, 1.0)):
        model = silent(r=NMDA(magnesium=magnesium))
        values = {**model.dynamics.defaults, **model.all_values}
        slope = evaluate(model.dynamics.derivatives["v"], {**values, "v": v, "g_r": 7.0})
        current = 200 * (slope - (-65 - v) / 10)
        assert current == pytest.approx(share * 7.0 * (0 - v), rel=2e-3)


def test_nmda_is_only_for_excitation_and_adds_up_linearly():
    network = ss.Network()
    a = network.population("a", 2, silent(r=NMDA()))
    with pytest.raises(ValueError, match="takes positive ones only"):
        network.drive(a, ss.Spikes([[1.0]] * 2, -1.0))
    network.drive(a, ss.Spikes([[1.0, 1.0, 3.0], [1.0]], 100.0))
    s = ss.Simulation(network, precision="double")
    s.run(2.0)
    one, two = s.get("a", "x_r")[::-1]
    assert two == pytest.approx(2 * one, rel=1e-12)


# Coloured noise


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("method", LINEAR_AND_NOT)
def test_coloured_noise_is_right_at_any_step(dt, method):
    """Mean, variance and autocorrelation, stationary from the start."""
    model = replace(silent(n=OrnsteinUhlenbeck(40.0, 5.0, 30.0)), method=method)
    s = simulation(model, dt=dt)
    start = s.get("a", "i_n")
    for _ in range(2):
        i = s.get("a", "i_n")
        assert i.mean() == pytest.approx(30.0, abs=5 * 40 / np.sqrt(SIZE))
        assert i.var() == pytest.approx(1600.0, rel=SPREAD)
        s.run(4.0)
    lag = np.corrcoef(start, i)[0, 1]
    assert lag == pytest.approx(np.exp(-4 / 5), abs=5 / np.sqrt(SIZE))
    lag = np.corrcoef(start, s.get("a", "i_n"))[0, 1]
    assert lag == pytest.approx(np.exp(-8 / 5), abs=5 / np.sqrt(SIZE))


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.5])
def test_potential_under_coloured_noise_spreads_as_it_should(dt):
    """var v = sd^2 R^2 tau / (tau + tau_m), with R = tau_m / c_m."""
    s = simulation(silent(n=OrnsteinUhlenbeck(200.0, 5.0, 40.0)), dt=dt)
    s.run(60.0)
    v = s.get("a", "v")
    wanted = 200**2 * (10 / 200) ** 2 * 5 / (5 + 10)
    assert v.var() == pytest.approx(wanted, rel=SPREAD)
    assert v.mean() == pytest.approx(-65 + 40 * 10 / 200, abs=5 * np.sqrt(wanted / SIZE))
    covariance = np.cov(v, s.get("a", "i_n"))[0, 1]
    assert covariance == pytest.approx(200**2 * 10 / 200 * 5 / (5 + 10), rel=0.06)


def test_coloured_noise_starts_stationary_whatever_its_parameters_are():
    count = 2000
    sd = np.repeat([10.0, 0.0, 50.0, 3.0], count // 4)
    mean = np.arange(count) / count
    noise = OrnsteinUhlenbeck(sd, ss.Uniform(2.0, 8.0), mean)
    s = simulation(silent(n=noise), count)
    for _ in range(2):
        z = s.get("a", "i_n") - mean
        for one in (10.0, 50.0, 3.0):
            assert z[sd == one].var() == pytest.approx(one**2, rel=5 * np.sqrt(2 / (count // 4)))
        assert np.all(np.abs(z[sd == 0]) < 1e-6)
        s.run(10.0)
    drawn = simulation(silent(n=OrnsteinUhlenbeck(ss.Uniform(1.0, 2.0), 5.0)))
    z = drawn.get("a", "i_n") / drawn.get("a", "sd_n")
    assert z.var() == pytest.approx(1.0, rel=SPREAD)
    other = simulation(silent(n=OrnsteinUhlenbeck(1.0, 5.0)).with_values(sd_n=7.0))
    assert other.get("a", "i_n").var() == pytest.approx(49.0, rel=SPREAD)


def test_start_values_may_be_given_for_a_receptor():
    network = ss.Network()
    model = silent(n=OrnsteinUhlenbeck(10.0, 5.0), m=OrnsteinUhlenbeck(10.0, 5.0))
    assert model.all_initial == {
        "v": "e_l",
        "i_n": "mean_n + sd_n * xi",
        "i_m": "mean_m + sd_m * xi",
    }
    network.population("a", SIZE, replace(model, initial={"i_n": 3.0}), {"v": "e_l + 2 * xi"})
    s = ss.Simulation(network)
    assert np.all(s.get("a", "i_n") == 3.0) and np.all(s.get("a", "i_m") != 3.0)
    v = s.get("a", "v")
    assert v.mean() == pytest.approx(-65, abs=0.1) and v.var() == pytest.approx(4, rel=SPREAD)
    assert abs(np.corrcoef(v, s.get("a", "i_m"))[0, 1]) < 5 / np.sqrt(SIZE)


@pytest.mark.parametrize("method", LINEAR_AND_NOT)
def test_noise_goes_on_while_refractory(method):
    """The potential is held all the time, and another variable follows it."""
    model = ss.AdaptiveLIF(
        a=2.0, t_ref=500.0, v_th=-70.0, receptors={"n": OrnsteinUhlenbeck(30.0, 5.0)}
    )
    s = simulation(replace(model, method=method))
    s.run(40.0)
    assert np.all(s.get("a", "v") == -65.0)
    assert s.get("a", "i_n").var() == pytest.approx(900.0, rel=SPREAD)


# White noise


@pytest.mark.parametrize("dt", [0.05, 0.1, 0.5])
@pytest.mark.parametrize("method", LINEAR_AND_NOT)
def test_white_current_has_the_same_effect_at_any_step(dt, method):
    """var v = (density / c_m)^2 tau_m / 2."""
    s = simulation(replace(silent(n=WhiteCurrent(300.0)), method=method), dt=dt)
    s.run(60.0)
    v = s.get("a", "v")
    assert v.var() == pytest.approx((300 / 200) ** 2 * 10 / 2, rel=SPREAD)
    assert v.mean() == pytest.approx(-65.0, abs=5 * np.sqrt(11.25 / SIZE))


@pytest.mark.parametrize("method", ["exponential_euler", "exponential_midpoint"])
def test_white_current_beside_a_conductance(method):
    """At 10 nS more leak, tau_m is 6.67 ms."""
    model = silent(n=WhiteCurrent(300.0), g=ss.Conductance(1e9, -65.0))
    model = replace(model, method=method, initial={"v": "e_l", "g_g": 10.0})
    s = simulation(model, dt=0.1)
    s.run(50.0)
    wanted = (300 / 200) ** 2 / (2 * (1 / 10 + 10 / 200))
    assert s.get("a", "v").var() == pytest.approx(wanted, rel=SPREAD + 0.02)


OWN = dict(
    equations="dv/dt = -v / tau + sigma * sqrt(2 / tau) * xi + i_syn / c : mV",
    threshold="v > 1e6 * sigma",
    reset="v = sigma",
    parameters={"tau": "10 ms", "sigma": "2 mV", "c": "200 pF"},
)


@pytest.mark.parametrize("method", ["", "exponential_euler", "exponential_midpoint", "euler"])
def test_noises_in_one_equation_are_independent(method):
    """Variances add up: of the model's own noise and of two receptors."""
    receptors = {"n": WhiteCurrent(300.0), "m": WhiteCurrent(100.0)}
    s = simulation(ss.NeuronModel(**OWN, receptors=receptors, method=method))
    s.run(60.0)
    wanted = 4 + (1.5**2 + 0.5**2) * 10 / 2
    assert s.get("a", "v").var() == pytest.approx(wanted, rel=SPREAD + 0.01)


def test_noise_of_a_receptor_differs_per_neuron_with_its_density():
    density = np.repeat([0.0, 100.0, 400.0, 100.0], SIZE // 16)
    s = simulation(silent(n=WhiteCurrent(density), m=WhiteCurrent(100.0)), density.size)
    s.run(60.0)
    v = s.get("a", "v")
    for one in (0.0, 100.0, 400.0):
        part = v[density == one]
        wanted = (one**2 + 100**2) / 200**2 * 10 / 2
        assert part.var() == pytest.approx(wanted, rel=5 * np.sqrt(2 / part.size))


def test_a_receptor_may_have_noise_in_its_equations_and_in_its_current():
    both = ss.Receptor(
        "pA",
        equations="di_{r}/dt = -i_{r} / 5 + s_{r} * sqrt(2 / 5) * xi : pA",
        current="i_{r} + density_{r} * xi",
        parameters={"s_{r}": "200 pA", "density_{r}": "300"},
    )
    s = simulation(silent(n=both))
    s.run(80.0)
    wanted = 200**2 * (10 / 200) ** 2 * 5 / 15 + 1.5**2 * 5
    assert s.get("a", "v").var() == pytest.approx(wanted, rel=SPREAD)


def test_noise_of_a_receptor_enters_one_equation():
    text = OWN["equations"] + "\ndu/dt = (i_syn - u) / tau : pA"
    with pytest.raises(EquationError, match="receptor 'n' enters the equations of 'v' and 'u'"):
        ss.NeuronModel(**{**OWN, "equations": text}, receptors={"n": WhiteCurrent(1.0)})
    text = "dv/dt = -v / tau + sqrt(i_syn) : mV"
    with pytest.raises(EquationError, match="dv/dt: xi must be added, times a factor"):
        ss.NeuronModel(
            **{**OWN, "equations": text}, receptors={"n": WhiteCurrent(1.0)}, method="euler"
        )
    with pytest.raises(EquationError, match="method 'rk4' knows no noise"):
        simulation(replace(silent(n=WhiteCurrent(1.0)), method="rk4"), 1)


def test_noise_makes_the_same_spikes_for_any_number_of_threads():
    receptors = {
        "w": WhiteCurrent(300.0),
        "ou": OrnsteinUhlenbeck(150.0, 5.0, ss.Normal(120.0, 20.0)),
        "exc": ss.Exponential(5.0),
    }
    found = []
    for threads in (1, 2):
        network = ss.Network(seed=3)
        a = network.population("a", 500, ss.LIF(receptors=receptors))
        network.connect(a, a, ss.FixedProbability(0.1), weight=20.0, delay=1.0)
        s = ss.Simulation(network, threads=threads)
        s.run(200.0)
        found.append(s.spikes["a"])
    assert len(found[0].times) > 1000
    np.testing.assert_array_equal(found[0].times, found[1].times)
    np.testing.assert_array_equal(found[0].neurons, found[1].neurons)


# What is refused


def test_white_noise_has_no_value_to_be_recorded():
    network = ss.Network()
    a = network.population("a", 2, silent(n=WhiteCurrent(1.0), o=OrnsteinUhlenbeck(1.0, 5.0)))
    with pytest.raises(ValueError, match="'a' has no variable 'i_syn'"):
        ss.Simulation(network, record=[ss.Trace(a, "i_syn", every=1.0)])
    ss.Simulation(network, record=[ss.Trace(a, "i_o", every=1.0)])


def test_nothing_arrives_at_noise():
    network = ss.Network()
    receptors = {"n": OrnsteinUhlenbeck(1.0, 5.0), "w": WhiteCurrent(1.0), "exc": ss.Exponential()}
    a = network.population("a", 2, ss.LIF(receptors=receptors))
    assert a.model.inputs == ["exc"]
    for name in ("n", "w"):
        with pytest.raises(ValueError, match=f"receptor is '{name}', at which nothing can arrive"):
            network.connect(a, a, ss.AllToAll(), weight=1.0, delay=1.0, receptor=name)
        with pytest.raises(ValueError, match="'a' takes 'exc'"):
            network.drive(a, ss.Poisson(10.0, 1.0), receptor=name)
    assert not network.projections and not network.inputs
    network.connect(a, a, ss.AllToAll(), weight=1.0, delay=1.0)  # the only one that is left
    assert next(iter(network.projections.values())).receptor == "exc"
    alone = network.population("b", 2, silent(n=WhiteCurrent(1.0)))
    with pytest.raises(ValueError, match="receptor is None; 'b' has none"):
        network.drive(alone, ss.Poisson(10.0, 1.0))


def test_weights_may_arrive_in_the_equations_of_the_model():
    model = ss.NeuronModel(
        "dv/dt = -v / tau + w_r / tau : mV",
        "v > 1e6 * e",
        "v = e",
        {"tau": "5 ms", "e": "1 mV"},
        {"r": ss.Receptor("mV"), "idle": ss.Receptor("mV")},
    )
    assert model.inputs == ["r"]


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (lambda: OrnsteinUhlenbeck(-1.0, 5.0), "OrnsteinUhlenbeck: sd is -1.0; .* at least 0"),
        (lambda: OrnsteinUhlenbeck(1.0, 0.0), "OrnsteinUhlenbeck: tau is 0.0; .* above 0"),
        (lambda: WhiteCurrent(np.nan), "WhiteCurrent: density is nan; .* finite and at least"),
        (lambda: WhiteCurrent("loud"), "WhiteCurrent: density is 'loud'"),
        (lambda: NMDA(magnesium=-1.0), "NMDA: magnesium is -1.0; .* and at least 0"),
        (lambda: NMDA(5.0, 5.0), "NMDA: tau_rise is 5.0 and tau_decay is 5.0; they must differ"),
        (
            lambda: DoubleExponentialConductance(np.array([1.0, -2.0])),
            r"DoubleExponentialConductance: tau_rise is array\(\[ 1., -2.\]\)",
        ),
        (lambda: ss.Exponential(-5.0), "Exponential: tau is -5.0; .* finite and above 0"),
        (lambda: ss.Alpha(0.0), "Alpha: tau is 0.0; .* finite and above 0"),
        (lambda: ss.Conductance(np.inf), "Conductance: tau is inf; .* finite and above 0"),
        (lambda: ss.DoubleExponential(2.0, 2.0), "DoubleExponential: tau_rise is 2.0 and"),
    ],
)
def test_values_that_make_no_sense_are_refused(make, sentence):
    with pytest.raises(ValueError, match=sentence):
        make()


def test_start_values_name_variables_and_parameters():
    with pytest.raises(EquationError, match="unknown variable 'i_r'"):
        silent(r=ss.Receptor("pA", initial={"i_{r}": 1.0}))
    with pytest.raises(EquationError, match="init of 'v': unknown parameter 'v_rest'"):
        ss.Network().population("a", 1, silent(), {"v": "v_rest + xi"})


@pytest.mark.parametrize("precision", ["single", "double"])
def test_conductances_that_come_to_be_strong_and_weak_again(precision):
    """Neurons that nothing reaches, too, beside one whose slope is steep."""
    tau, c_m, e_l, e, tau_g, dt = 20.0, 200.0, -65.0, 0.0, 5.0, 0.1
    model = ss.LIF(tau_m=tau, c_m=c_m, e_l=e_l, v_th=1e9, receptors={"x": ss.Conductance(tau_g, e)})
    network = ss.Network()
    g = np.where(np.arange(70) == 5, 20_000.0, 0.0)
    cells = network.population("a", 70, model, init={"v": e_l, "g_x": g})
    times = np.array([2.0, 7.0, 7.0, 31.0])
    drive = ss.SpikeTrains(times, np.array([3, 3, 68, 3]), 70, 0.0, 60.0)
    network.drive(cells, ss.Spikes(drive, weight=40_000.0), receptor="x")
    simulation = ss.Simulation(network, dt=dt, precision=precision)
    v = np.full(70, e_l)
    for step in range(500):
        slope = -dt * (1 / tau + g / c_m)
        change = dt * ((e_l - v) / tau + g * (e - v) / c_m)
        v, g = v + change * np.expm1(slope) / slope, g * np.exp(-dt / tau_g)
        arrived = np.isclose(times, (step + 1) * dt)
        np.add.at(g, drive.neurons[arrived], 40_000.0)
        simulation.run(dt)
        tolerance = dict(rtol=2e-5, atol=2e-5) if precision == "single" else dict(rtol=1e-9)
        np.testing.assert_allclose(simulation.get("a", "v"), v, **tolerance)
    assert np.ptp(v) > 20
