"""The NEF: rates and decoders against closed forms, dynamics against their solutions."""

import numpy as np
import pytest
from scipy import linalg

import spikesim as ss
from spikesim.conversion.nef.ensemble import NEF, ensemble, rate_curve, rectified_lif
from spikesim.conversion.nef.of_rates import nef_of_rates
from spikesim.conversion.nef.open_loop import open_loop
from spikesim.conversion.nef.system import _lead, dynamical_system, linear_system
from spikesim.rate import LeakyRNN, LowRankRNN, RateNetwork, go_nogo, perceptual_decision, train

TURN = 2 * np.pi * 5 / 1000  # of 5 Hz, 1/ms
SMALL = NEF(neurons=600)


def r2(found, true):
    return 1 - np.sum((found - true) ** 2) / np.sum((true - true.mean(axis=0)) ** 2)


def turning(duration, frequency=TURN):
    t = np.arange(1, round(duration) + 1)
    return np.stack([np.cos(frequency * t), -np.sin(frequency * t)], axis=1)


def oscillator(seed, settings=None):
    return linear_system([[0, TURN], [-TURN, 0]], settings=settings, start=[1, 0], seed=seed)


def wandering(duration, seed):
    """Smoothed noise whose integral stays within 0.8."""
    u = np.convolve(np.random.default_rng(seed).standard_normal(duration), np.ones(200), "same")
    x = np.cumsum(u)
    return u * (0.8 / np.abs(x).max())


def test_rates_of_lif_neurons_are_those_of_the_closed_form():
    """1000 / (t_ref + dt / 2 + tau_m ln(I R / (I R - theta))): spikes wait half a step or so."""
    currents, rates = rate_curve(ss.LIF(receptors={}), 200.0, 0.1)
    drive = currents * 20 / 200
    with np.errstate(divide="ignore", invalid="ignore"):
        expected = np.where(drive > 15, 1000 / (2.05 + 20 * np.log(drive / (drive - 15))), 0)
    late = expected > 5
    np.testing.assert_allclose(rates[late], expected[late], rtol=0.02, atol=0.5)
    assert (rates[drive < 14.9] == 0).all() and rates.max() > 200


def test_rectified_neurons_fire_as_others_do_and_stay_at_rest_below():
    plain, rectified = (ss.LIF(receptors={}, tau_m=10.0), rectified_lif())
    network = ss.Network()
    for name, model in {"plain": plain, "rectified": rectified}.items():
        network.population(name, 2, model)
        network.drive(name, ss.Current([600.0, -600.0]))
    simulation = ss.Simulation(network)
    simulation.run(1000.0)
    assert simulation.spikes["plain"].times.size > 50
    np.testing.assert_allclose(
        simulation.spikes["plain"].times, simulation.spikes["rectified"].times, atol=0.2
    )
    assert simulation.get("rectified", "v")[1] == pytest.approx(-65.0, abs=1e-3)
    assert simulation.get("plain", "v")[1] < -90


def test_intercepts_and_highest_rates_are_as_asked():
    made = ensemble(2.0, NEF(neurons=400, intercepts=(-0.5, 0.5), max_rates=(100.0, 150.0)), seed=1)
    at = made.rates(np.array([[2.0], [-2.0]])).max(axis=0)
    assert at.min() > 98 and at.max() < 152
    inside = made.rates(np.array([[1.1], [-1.1]]))
    assert (inside.max(axis=0) > 0).all() and (inside.min(axis=0) == 0).all()


def test_decoders_are_those_of_regularised_least_squares():
    made = ensemble(1.0, NEF(neurons=30), seed=2)
    a, x = made.rates(made.points), made.points
    s = 0.1 * a.max()
    stacked = np.vstack([a, np.sqrt(len(x)) * s * np.eye(30)])
    wanted = np.vstack([x**2, np.zeros((30, 1))])
    expected = np.linalg.lstsq(stacked, wanted, rcond=None)[0].T
    np.testing.assert_allclose(made.decoders(np.square), expected, rtol=1e-6, atol=1e-12)


def test_spikes_stand_for_what_they_should():
    made = ensemble(1.0, SMALL, seed=3)
    decoders = made.decoders()
    for x in (-0.8, 0.1, 0.6):
        network = ss.Network()
        network.population("a", 600, SMALL.model)
        network.drive("a", ss.Current(made.onto @ [x] + made.bias))
        spikes = ss.simulate(network, 1500.0).spikes["a"].restrict(500.0, 1500.0)
        rates = np.bincount(spikes.neurons, minlength=600)
        assert decoders @ rates == pytest.approx(x, abs=0.01)


def test_the_discrete_form_follows_the_solution_and_the_continuous_grows():
    """With exact decoders, in the engine's order: what is decoded arrives a step late."""
    dt, tau = 1.0, 20.0
    a = np.array([[0, TURN], [-TURN, 0]])
    kept = np.exp(-dt / tau)

    def radius(decode):
        x = before = np.array([1.0, 0.0])
        for _ in range(1000):
            x, before = kept * x + (1 - kept) * decode(before), x
        return np.hypot(*x)

    lead = _lead(lambda x, steps: x @ linalg.expm(a * steps * dt).T, kept)
    assert radius(lambda x: lead(x[None])[0]) == pytest.approx(1.0, abs=0.01)
    assert radius(lambda x: x + tau * a @ x) > 1.5


def test_an_oscillator_neither_grows_nor_decays():
    found = oscillator(0, SMALL).run(2000.0)
    late = np.hypot(*found[1000:].T)
    assert late.min() > 0.9 and late.max() < 1.1
    assert r2(found, turning(2000)) > 0.95


def test_the_open_loop_tells_what_is_decoded_of_x():
    """Of a value that is held all of it, of weaker decoders less: (1 - exp(-t / tau)) of 0.2."""
    made = ensemble(1.0, SMALL, seed=1)
    held = made.decoders()
    lost = 0.2 * (1 - (1 - np.exp(-4)) / 4)  # mean over 400 ms of tau 100
    for part, expected in ((1.0, 1.0), (0.8, 1 - lost)):
        gain, _ = open_loop(made, part * held, lambda x, n: x, np.zeros(1), False, 1)
        assert gain[0, 0] == pytest.approx(expected, abs=0.01)


def test_a_plain_lif_gives_less_of_a_sine_than_a_rectified_one():
    """Its potential returns late from far below rest."""

    def flow(x, steps):
        return x @ linalg.expm(np.array([[0, TURN], [-TURN, 0]]) * steps * 0.1).T

    lead = _lead(flow, np.exp(-0.1 / 100))

    def given(model):
        made = ensemble(np.ones(2), NEF(neurons=600, model=model), seed=1)
        return open_loop(made, made.decoders(lead), flow, np.zeros(2), False, 1)[0]

    plain = given(ss.LIF(receptors={}, tau_m=10.0))
    rectified = given(rectified_lif())
    assert np.diag(plain).max() < 0.985 < 0.99 < np.diag(rectified).min()


def test_an_integrator_integrates():
    made = linear_system([[0.0]], [[1.0]], settings=SMALL, seed=1)
    u = wandering(2000, 5)
    assert r2(made.run(2000.0, u)[:, 0], np.cumsum(u)) > 0.97


def test_an_input_moves_x_at_once():
    """By the solution, though synapses take 100 ms: x rises for 50 ms, then decays by tau 200."""
    made = linear_system([[-1 / 200]], [[1.0]], settings=SMALL, seed=1)
    u = np.zeros(300)
    u[100:150] = 0.01
    found = made.run(300.0, u)[:, 0]
    t = np.arange(1, 301)
    rise, fall = np.clip(t - 100, 0, 50), np.clip(t - 150, 0, None)
    expected = 0.01 * 200 * (1 - np.exp(-rise / 200)) * np.exp(-fall / 200)
    assert np.abs(found - expected).max() < 0.03


def test_a_cubic_flow_goes_to_its_nearer_fixed_point():
    """x' = (x - x^3 / 0.36) / 100 with fixed points at -0.6, 0 and 0.6."""
    made = ensemble(1.0, SMALL, seed=4)
    for start, end in ((0.2, 0.6), (-0.2, -0.6)):
        system = dynamical_system(lambda x: (x - x**3 / 0.36) / 100, made, start=[start])
        assert system.run(1000.0)[-100:].mean() == pytest.approx(end, abs=0.08)


def test_functions_are_read_out():
    made = ensemble([1.0, 1.0], SMALL, seed=4)
    flow = np.array([[0, TURN], [-TURN, 0]])
    system = dynamical_system(
        lambda x: x @ flow.T, made, output=lambda x: x[:, :1] * x[:, 1:], start=[0.9, 0]
    )
    true = turning(600) * 0.9
    assert r2(system.run(600.0)[:, 0], true[:, 0] * true[:, 1]) > 0.85


def test_izhikevich_neurons_can_hold_a_value():
    model = ss.Izhikevich2007(receptors={}, d=0.0)
    settings = NEF(neurons=400, model=model, max_rates=(60.0, 120.0))
    found = linear_system([[0.0]], settings=settings, start=[0.5], seed=1).run(300.0)
    assert np.abs(found - 0.5).max() < 0.15


def low_rank(form):
    """Rank 1 and two stable states, reached by a pulse of one or the other sign."""
    network = RateNetwork([LowRankRNN(100, rank=1, form=form, tau=50.0)], 1, 1, 5.0, seed=1)
    rng, p = np.random.default_rng(0), network.parameters
    m = rng.standard_normal(100)
    p["0.m"][:], p["0.n"][:] = m[:, None], 2.0 * m[:, None]
    p["0.w_in"][:] = m[:, None] * 0.8
    p["0.b"][:] = 0.1 * rng.standard_normal(100)
    p[f"0.{form}0"][:] = 0.0
    p["out.w"][:], p["out.b"][:] = m[None] / 100, 0.3
    return network


@pytest.mark.parametrize("form", ["x", "r"])
def test_a_low_rank_network_keeps_its_states(form):
    network = low_rank(form)
    rng = np.random.default_rng(1)
    pulses = np.zeros((120, 40, 1))
    pulses[20:30] = rng.uniform(0.5, 1.5, 40)[:, None] * rng.choice([-1, 1], 40)[:, None]
    made = nef_of_rates(network, pulses, SMALL, seed=1)
    assert made.ensemble.radius.size <= 3
    for height in (1.2, -0.7):
        u = np.zeros((160, 1, 1))
        u[30:45] = height
        true = network.run(u)[:, 0, 0]
        found = made.run(800.0, u[:, 0], every=5.0)[:, 0]
        assert true[-1] * height > 0.1
        assert r2(found, true) > 0.93


@pytest.mark.parametrize(
    ("make", "told"),
    [
        (lambda: NEF(neurons=1), "neurons is 1"),
        (lambda: NEF(max_rates=(200.0, 100.0)), "max_rates"),
        (lambda: NEF(intercepts=(-1.0, 1.0)), "intercepts"),
        (lambda: NEF(model=ss.LIF()), "receptors={}"),
        (lambda: ensemble(0.0), "radius"),
        (lambda: ensemble(1.0, points=np.zeros((5, 2))), r"points has shape \(5, 2\)"),
        (lambda: rate_curve(ss.LIF(receptors={}, i_offset=1000.0), 100.0, 0.1), "without a curr"),
        (lambda: rate_curve(ss.LIF(receptors={}), 900.0, 0.1), "at most"),
        (lambda: linear_system([[0.0, 1.0]]), "square"),
        (lambda: linear_system([[0.0]], [[1.0], [2.0]], settings=NEF(neurons=50)), "b has shape"),
        (lambda: nef_of_rates(gru(), np.zeros((3, 1, 1))), "GRU"),
        (lambda: nef_of_rates(low_rank("x"), np.zeros((3, 1, 2))), "2 inputs"),
        (lambda: nef_of_rates(two_taus(), np.zeros((3, 1, 1))), "one for all units"),
    ],
)
def test_bad_input_is_refused(make, told):
    with pytest.raises(ValueError, match=told):
        make()


def gru():
    from spikesim.rate import GRU

    return RateNetwork([GRU(5)], 1, 1, 5.0)


def two_taus():
    return RateNetwork([LeakyRNN(2, tau=np.array([50.0, 60.0]))], 1, 1, 5.0)


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
def test_an_oscillator_and_an_integrator_over_5_s(seed):
    assert r2(oscillator(seed).run(5000.0), turning(5000)) > 0.95
    u = wandering(5000, 7 + seed)
    made = linear_system([[0.0]], [[1.0]], seed=seed)
    assert r2(made.run(5000.0, u)[:, 0], np.cumsum(u)) > 0.95


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 103))
@pytest.mark.parametrize(
    ("cell", "task", "least"),
    [
        (LeakyRNN(100), go_nogo(), 0.8),  # moves in more dimensions than the 8 that are taken
        (LowRankRNN(128, rank=2), perceptual_decision(), 0.94),
    ],
)
def test_trained_networks(cell, task, least, seed):
    network = RateNetwork([cell], task.inputs, task.outputs, task.dt, seed=seed)
    train(network, task, updates=600, until=0.95, seed=seed)
    made = nef_of_rates(network, task.generate(np.random.default_rng(7), 64).inputs, seed=seed)
    inputs = task.generate(np.random.default_rng(99), 10).inputs
    true = network.run(inputs)
    duration = len(true) * network.dt
    found = [made.run(duration, inputs[:, k], every=network.dt) for k in range(10)]
    assert r2(np.concatenate(found), true.swapaxes(0, 1).reshape(-1, true.shape[2])) > least
