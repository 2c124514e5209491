"""FORCE: the recursion against its closed form, and what networks do once learning is off."""

import numpy as np
import pytest

from spikesim.rate.force import Force


def waves(frequency, amplitudes, steps, dt=1.0):
    """A sum of sines of the frequency (Hz) and its multiples."""
    t = np.arange(1, steps + 1) * dt / 1000
    return sum(a * np.sin(2 * np.pi * (i + 1) * frequency * t) for i, a in enumerate(amplitudes))


TARGETS = {"sine": (5.0, [1.0]), "sum of sines": (2.0, [1, 1 / 2, 1 / 6, 1 / 3])}


def error_alone(target, units, seconds, seed):
    """RMS error over 5 s without learning, in phase, as a part of the target's amplitude."""
    wanted = waves(*TARGETS[target], 1000 * seconds + 5000)
    net = Force(units, seed=seed)
    net.learn(wanted[: 1000 * seconds])
    before = net.w_out.copy()
    off = net.run(5000)[:, 0] - wanted[1000 * seconds :]
    np.testing.assert_array_equal(net.w_out, before)
    return np.sqrt(np.mean(off**2)) / np.abs(wanted).max()


@pytest.mark.parametrize("seed", [0, 1])
@pytest.mark.parametrize(("target", "units"), [("sine", 300), ("sum of sines", 500)])
def test_patterns_go_on_when_learning_stops(target, units, seed):
    assert error_alone(target, units, 10, seed) < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("target", TARGETS)
def test_patterns_go_on_at_every_seed(target, seed):
    assert error_alone(target, 500, 20, seed) < 0.05


def test_error_is_large_without_learning():
    wanted = waves(*TARGETS["sine"], 5000)
    assert np.sqrt(np.mean((Force(300).run(5000)[:, 0] - wanted) ** 2)) > 0.5


def test_readout_is_that_of_regularised_least_squares():
    """Corrected at every step, RLS minimises sum (w r - target)^2 + alpha |w|^2."""
    net = Force(20, 2, alpha=0.7, seed=3)
    target = np.random.default_rng(0).standard_normal((60, 2))
    rates = []
    for wanted in target:
        net.learn(wanted[None], every=1)
        rates.append(np.tanh(net.x))
    r = np.array(rates)
    expected = np.linalg.solve(r.T @ r + 0.7 * np.eye(20), r.T @ target).T
    np.testing.assert_allclose(net.w_out, expected, atol=1e-9)


def test_steps_are_those_of_the_equations():
    net = Force(15, 2, tau=20.0, dt=0.5, seed=4)
    net.w_out[:] = np.random.default_rng(1).standard_normal(net.w_out.shape)
    x, z, outputs = net.x.copy(), net.z.copy(), []
    for _ in range(50):
        x = x + 0.5 / 20 * (-x + net.w_rec @ np.tanh(x) + net.w_fb @ z)
        z = net.w_out @ np.tanh(x)
        outputs.append(z)
    np.testing.assert_allclose(net.run(50), outputs, atol=1e-12)
    np.testing.assert_allclose(net.x, x, atol=1e-12)


def test_outputs_while_learning_are_those_before_the_correction():
    net, other = Force(30, seed=1), Force(30, seed=1)
    outputs = net.learn(np.ones(3), every=2)
    assert outputs[0, 0] == other.run(1)[0, 0] == 0 and outputs[1, 0] != 0
    before = net.w_out.copy()
    net.learn(np.ones(5), every=4)
    assert (net.w_out != before).all()


def test_a_seed_gives_the_same_network_and_another_another():
    one, same, other = (Force(40, p=0.3, seed=s) for s in (5, 5, 6))
    np.testing.assert_array_equal(one.w_rec, same.w_rec)
    assert (one.w_rec != other.w_rec).any() and (one.w_fb != other.w_fb).all()


def test_recurrent_weights_are_sparse_and_of_the_size_that_g_says():
    net = Force(600, g=1.2, p=0.2, seed=2)
    linked = net.w_rec != 0
    assert linked.mean() == pytest.approx(0.2, abs=0.005)
    assert net.w_rec[linked].std() == pytest.approx(1.2 / np.sqrt(120), rel=0.02)
    assert np.abs(np.linalg.eigvals(net.w_rec)).max() == pytest.approx(1.2, rel=0.1)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"units": 0}, "units is 0; it must be a whole number"),
        ({"outputs": 1.5}, "outputs is 1.5"),
        ({"tau": -1.0}, "tau is -1.0; it must be a finite number above 0"),
        ({"dt": 20.0}, "dt is 20.0 ms; it must not be above tau, 10.0 ms"),
        ({"p": 1.5}, "p is 1.5; it must be a finite number above 0 and at most 1"),
        ({"alpha": 0.0}, "alpha is 0.0"),
        ({"g": np.nan}, "g is nan"),
    ],
)
def test_bad_settings_are_told(settings, told):
    with pytest.raises(ValueError, match=told):
        Force(**settings)


def test_bad_targets_are_told():
    net = Force(10, 2)
    with pytest.raises(ValueError, match=r"target has shape \(5,\); .* \(steps, 2\)"):
        net.learn(np.ones(5))
    with pytest.raises(ValueError, match=r"target is \[ 1. nan\] at step 2"):
        net.learn(np.where(np.arange(10).reshape(5, 2) == 5, np.nan, 1.0))
    with pytest.raises(ValueError, match="every is 0"):
        net.learn(np.ones((5, 2)), every=0)
    with pytest.raises(ValueError, match="steps is 0"):
        net.run(0)
