"""FORCE on the engine: its loop against a slow twin, and what networks do by themselves."""

import numpy as np
import pytest

import spikesim as ss
from spikesim.conversion.force import SpikingForce, _Loop, train_force
from spikesim.conversion.readout_neurons import weight_per_hz


def sine(settings, duration, start=0.0):
    """A sine of 5 Hz at each correction."""
    t = start + settings.every * np.arange(1, round(duration / settings.every) + 1)
    return np.sin(2 * np.pi * 5 * t / 1000)


def correlation_alone(settings, duration, seed):
    """Of 5 s after learning with the sine going on, by a network that runs by itself."""
    wanted = sine(settings, duration)
    trained = train_force(wanted, settings, before=duration, seed=seed)
    t = settings.every * len(wanted) + np.arange(1, 5001)
    z = trained.run(5000.0)[:, 0]
    return np.corrcoef(z, np.sin(2 * np.pi * 5 * t / 1000))[0, 1], trained


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(100, 105))
@pytest.mark.parametrize("kind", ["lif", "izhikevich"])
def test_a_sine_goes_on_in_phase(kind, seed):
    found, trained = correlation_alone(getattr(SpikingForce, kind)(), 5000.0, seed)
    assert found > 0.95
    assert 20 < trained.rate < 120


@pytest.mark.parametrize("kind", ["lif", "izhikevich"])
def test_a_smaller_network_keeps_amplitude_and_frequency(kind):
    """500 neurons and 2 s: the phase may wander, but neither amplitude nor frequency is lost."""
    settings = getattr(SpikingForce, kind)(neurons=500)
    wanted = sine(settings, 2400.0)
    trained = train_force(wanted, settings, before=500.0, seed=2)
    late = slice(-round(600 / settings.every), None)
    assert np.sqrt(np.mean((trained.outputs[late, 0] - wanted[late]) ** 2)) < 0.1
    z = trained.run(2000.0)[:, 0]
    turns = np.fft.rfft(z - z.mean())
    assert np.argmax(np.abs(turns)) == 10  # of 2 s, 5 Hz
    assert np.sqrt(2) * z.std() == pytest.approx(1.0, abs=0.15)


def test_the_network_goes_on_from_where_learning_ended():
    settings = SpikingForce.lif(neurons=500)
    wanted = sine(settings, 2000.0)
    trained = train_force(wanted, settings, before=500.0, seed=2)
    z = trained.run(40.0, every=settings.every)[:, 0]
    np.testing.assert_allclose(z, sine(settings, 40.0, 2000.0), atol=0.15)


def test_feedback_by_variables_and_by_synapses_give_the_same():
    """Over 20 ms, without corrections; z is exact then at the ends of intervals."""
    settings = SpikingForce.lif(neurons=500)
    trained = train_force(sine(settings, 1500.0), settings, before=500.0, seed=4)
    loop = _Loop(settings, 1, 4)
    loop.simulation.run(500.0)
    for wanted in sine(settings, 1500.0):
        loop.correct(np.array([wanted]))
    np.testing.assert_array_equal(loop.readout.w, trained.phi)
    z = trained.run(20.0, every=settings.every)
    loop.readout.correct = lambda r, error: None
    for known in z:
        assert loop.correct(np.zeros(1)) == pytest.approx(known, abs=0.03)


def test_feedback_between_corrections_is_what_spikes_will_make_of_it():
    """At the end of each interval, by a readout that gives a sine already."""
    settings = SpikingForce.lif(neurons=500)
    loop = _Loop(settings, 1, 4)
    loop.simulation.run(500.0)
    for wanted in sine(settings, 1500.0):
        loop.correct(np.array([wanted]))
    errors = []
    loop.readout.correct = lambda r, error: errors.append(carried(loop) - loop.readout.w @ r)
    brought, decaying = [], []
    for _ in range(80):
        loop.correct(np.zeros(1))
        brought.append(loop.simulation.get("neurons", "u_0"))
        decaying.append(loop.simulation.get("neurons", "y_0")[0] / settings.tau_decay)
    assert np.sqrt(np.mean(np.square(errors))) < 0.055
    # Over whole periods as much is brought as decays, and more of it a little earlier.
    assert np.polyfit(decaying, brought, 1)[0] == pytest.approx(1, abs=0.3)


def carried(loop):
    """z as the neurons have it."""
    return loop.simulation.get("neurons", "z_0")[0]


def test_filtered_spikes_are_those_of_the_double_exponential():
    """Against the sum over all spikes, each arriving a step after it was stamped."""
    settings = SpikingForce.lif(neurons=100)
    loop = _Loop(settings, 1, 0)
    network = loop.simulation.network
    simulation = ss.Simulation(network, dt=settings.dt)
    simulation.run(60.0)
    spikes = simulation.spikes["neurons"]
    rise, decay = settings.tau_rise, settings.tau_decay
    expected = np.zeros(100)
    for t, neuron in zip(spikes.times, spikes.neurons, strict=True):
        age = 60.0 - t - settings.dt
        if age > 1e-9:
            expected[neuron] += (np.exp(-age / decay) - np.exp(-age / rise)) / (decay - rise) * 1000
    assert len(spikes) > 100
    found = simulation.get("neurons", "i_own")
    np.testing.assert_allclose(found, expected, rtol=1e-3, atol=1e-2 * expected.max())


@pytest.mark.parametrize(("rise", "decay"), [(0.0, 7.0), (2.0, 20.0), (5.0, 6.0)])
def test_a_spike_brings_1000_pa_ms(rise, decay):
    t = np.arange(0.0, 400.0, 0.01)
    if rise:
        peaked = np.exp(-t / decay) - np.exp(-t / rise)
        peaked /= peaked.max()
    else:
        peaked = np.exp(-t / decay)
    area = weight_per_hz(rise, decay) * np.trapezoid(peaked, t)
    assert area == pytest.approx(1000.0, rel=1e-3)


def test_static_weights_are_as_described():
    settings = SpikingForce.lif(neurons=400, g=0.3, p=0.2)
    static = _Loop(settings, 1, 0).static
    there = static != 0
    assert there.mean() == pytest.approx(0.2, abs=0.01)
    assert static[there].std() == pytest.approx(0.3 / (0.2 * 20), rel=0.02)
    np.testing.assert_allclose(static.sum(axis=1), 0, atol=1e-12)
    own = np.full((400, 400), 0.01)
    assert (_Loop(SpikingForce.lif(neurons=400, static=own), 1, 0).static == own).all()


def test_several_outputs_are_learned_at_once():
    settings = SpikingForce.lif(neurons=500)
    t = settings.every * np.arange(1, 801)
    wanted = np.stack([np.sin(2 * np.pi * 5 * t / 1000), np.cos(2 * np.pi * 5 * t / 1000)], axis=1)
    trained = train_force(wanted, settings, before=200.0, seed=1)
    assert trained.phi.shape == (2, 500) and trained.eta.shape == (500, 2)
    assert np.abs(trained.outputs[-100:] - wanted[-100:]).mean() < 0.1
    z = trained.run(400.0)
    assert np.abs(np.hypot(*z.T) - 1).mean() < 0.2


def test_the_network_is_the_same_at_the_same_seed():
    settings = SpikingForce.izhikevich(neurons=100)
    runs = [train_force(sine(settings, 120.0), settings, before=24.0, seed=s) for s in (5, 5, 6)]
    np.testing.assert_array_equal(runs[0].phi, runs[1].phi)
    assert (runs[0].phi != runs[2].phi).any()
    np.testing.assert_array_equal(runs[0].run(50.0), runs[1].run(50.0))


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"model": ss.LIF()}, "receptors={}"),
        ({"neurons": 0}, "neurons is 0"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"p": 1.5}, "p is 1.5"),
        ({"tau_rise": 20.0}, "must be below tau_decay"),
        ({"every": 0.07}, "multiple of dt"),
        ({"neurons": 10, "static": np.zeros((3, 3))}, r"static has shape \(3, 3\)"),
    ],
)
def test_bad_settings_are_refused(changes, told):
    with pytest.raises(ValueError, match=told):
        SpikingForce.lif(**changes)


@pytest.mark.parametrize(
    ("target", "told"),
    [([], "not empty"), (np.zeros((2, 2, 2)), "has shape"), ([1.0, np.nan], "at correction 1")],
)
def test_bad_targets_are_refused(target, told):
    with pytest.raises(ValueError, match=told):
        train_force(target)
