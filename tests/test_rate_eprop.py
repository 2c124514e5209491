"""E-prop: the forward pass is that of the network, and gradients are those through time where
nothing is left out."""

import tracemalloc

import numpy as np
import pytest

from spikesim.rate import SNU, ALIFCell, FastSigmoid, Gaussian, LIFCell, Triangle
from spikesim.rate.eprop import EProp
from spikesim.rate.network import RateNetwork
from spikesim.rate.optimizers import Adam

STEPS, TRIALS, INPUTS, UNITS, OUTPUTS, DT = 30, 3, 4, 6, 2, 1.0
CELLS = [
    LIFCell(UNITS, tau=8.0, t_ref=0.0, detach_reset=True, surrogate=FastSigmoid(3.0)),
    LIFCell(UNITS, tau=8.0, t_ref=2.0, detach_reset=True, input="spikes", surrogate=Gaussian()),
    ALIFCell(UNITS, tau=8.0, t_ref=0.0, tau_adapt=20.0, beta=0.3, detach_reset=True),
    ALIFCell(
        UNITS,
        tau=8.0,
        t_ref=3.0,
        tau_adapt=40.0,
        adaptive=0.5,
        detach_reset=True,
        surrogate=Triangle(),
    ),
]


def network(cell, *, recurrent=False, readout_tau=10.0, seed=2):
    made = RateNetwork(
        [cell], INPUTS, OUTPUTS, DT, seed=seed, dtype="float64", readout_tau=readout_tau
    )
    made.parameters["0.b"] += np.random.default_rng(seed).uniform(0.3, 1.3, UNITS)
    made.parameters["out.b"] += 0.3
    made.parameters["0.w_rec"] *= recurrent
    return made


def data(steps=STEPS, seed=4):
    rng = np.random.default_rng(seed)
    return rng.standard_normal((steps, TRIALS, INPUTS)), rng.standard_normal(
        (steps, TRIALS, OUTPUTS)
    )


def forwards(rule, x, d_outputs, d_spikes=None):
    rule.reset(x.shape[1])
    outputs = []
    for t in range(len(x)):
        outputs.append(rule.step(x[t]))
        rule.learn(d_outputs[t], None if d_spikes is None else d_spikes[t])
    return np.array(outputs), rule.gradients()


def close(one, other, names=None):
    for name in names or other:
        size = np.abs(other[name]).max()
        assert size > 1e-6
        np.testing.assert_allclose(one[name], other[name], atol=1e-12 * size, err_msg=name)


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_forward_is_that_of_the_network(cell):
    net = network(cell, recurrent=True)
    x, d = data()
    outputs, _ = forwards(EProp(net), x, d)
    np.testing.assert_allclose(outputs, net.run(x), atol=1e-12)
    assert 0.02 < net.rates[0].mean() < 0.5


@pytest.mark.parametrize("readout_tau", [None, 10.0])
@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_without_recurrent_weights_gradients_are_those_through_time(cell, readout_tau):
    net = network(cell, readout_tau=readout_tau)
    x, d = data()
    _, online = forwards(EProp(net), x, d)
    net.forward(x)
    close(online, net.backward(d))


@pytest.mark.parametrize("cell", CELLS, ids=str)
def test_so_are_those_of_a_loss_of_the_spikes(cell):
    net = network(cell)
    x, d = data()
    d_spikes = np.random.default_rng(6).standard_normal((STEPS, TRIALS, UNITS))
    _, online = forwards(EProp(net), x, d, d_spikes)
    net.forward(x)
    close(online, net.backward(d, [d_spikes]))


def test_with_one_recurrent_step_those_of_the_recurrent_weights_are_exact():
    cell = LIFCell(UNITS, tau=8.0, t_ref=0.0, input="spikes", surrogate=FastSigmoid(3.0))
    net = network(cell, recurrent=True, seed=0)
    x, d = data(2)
    x *= 3
    _, online = forwards(EProp(net), x, d)
    net.forward(x)
    through_time = net.backward(d)
    close(online, through_time, ["0.w_rec", "out.w", "out.b"])
    assert np.abs(online["0.w_in"] - through_time["0.w_in"]).max() > 1e-3


def test_with_recurrent_weights_gradients_point_the_same_way():
    x, d = data()
    for cell in CELLS:
        net = network(cell, recurrent=True)
        net.parameters["0.w_rec"] *= 0.3
        _, online = forwards(EProp(net), x, d)
        net.forward(x)
        one, other = online["0.w_in"].ravel(), net.backward(d)["0.w_in"].ravel()
        cosine = one @ other / np.linalg.norm(one) / np.linalg.norm(other)
        assert 0.6 < cosine < 1 - 1e-6


def test_feedback_weights_stand_for_the_readout_weights():
    net, other = network(CELLS[2], recurrent=True), network(CELLS[2], recurrent=True)
    x, d = data()
    given = np.random.default_rng(1).standard_normal((OUTPUTS, UNITS))
    _, gradients = forwards(EProp(net, feedback=given), x, d)
    other.parameters["out.w"][:] = given
    _, expected = forwards(EProp(other), x, d)
    close(gradients, expected)
    _, random = forwards(EProp(net, feedback="random", seed=3), x, d)
    _, again = forwards(EProp(net, feedback="random", seed=3), x, d)
    close(random, again)
    assert np.abs(random["0.w_in"] - gradients["0.w_in"]).max() > 1e-3
    np.testing.assert_array_equal(random["out.w"], gradients["out.w"])


def test_masks_and_frozen_parameters_have_no_gradient():
    net = network(CELLS[0], recurrent=True)
    net.masks["0.w_rec"] = np.eye(UNITS)
    net.frozen.add("0.b")
    _, gradients = forwards(EProp(net), *data())
    assert (gradients["0.w_rec"][~np.eye(UNITS, dtype=bool)] == 0).all()
    assert (gradients["0.b"] == 0).all() and gradients["0.w_in"].any()


def least_loss(feedback, frozen=()):
    """Of 150 updates on one pattern of input spikes, which is to give two periods of a sine."""
    rng = np.random.default_rng(5)
    x = (rng.random((80, 1, 20)) < 0.1) * 3.0
    target = np.sin(np.arange(80) / 80 * 4 * np.pi)[:, None, None]
    net = RateNetwork([LIFCell(40, surrogate=Triangle())], 20, 1, DT, seed=0, readout_tau=15.0)
    net.frozen |= set(frozen)
    rule, optimizer = EProp(net, feedback), Adam(0.03)
    state, losses = optimizer.start(net.parameters), []
    for _ in range(150):
        rule.reset(1)
        off = []
        for now, wanted in zip(x, target, strict=True):
            off.append(rule.step(now) - wanted)
            rule.learn(2 * off[-1] / len(x))
        losses.append(np.mean(np.square(off)))
        optimizer.update(state, net.parameters, rule.gradients(), net.frozen)
    return min(losses)


@pytest.mark.parametrize("feedback", ["symmetric", "random"])
def test_learns_more_than_its_readout_can(feedback):
    readout_alone = least_loss(feedback, ["0.w_in", "0.w_rec", "0.b"])
    assert least_loss(feedback) < 0.6 * readout_alone


def test_memory_does_not_grow_with_time():
    net = RateNetwork([ALIFCell(30)], 5, 1, DT)
    rule, peaks = EProp(net), []
    for steps in (5, 100):
        tracemalloc.start()
        rule.reset(2)
        for _ in range(steps):
            rule.learn(rule.step(np.ones((2, 5))))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
    assert peaks[1] < 1.1 * peaks[0]


def test_bad_input_is_told():
    net = network(CELLS[0])
    with pytest.raises(ValueError, match=r"cells \['LIFCell', 'LIFCell'\]; it must have one"):
        EProp(RateNetwork([LIFCell(3), LIFCell(3)], 2, 1, DT))
    with pytest.raises(ValueError, match=r"cells \['SNU'\]"):
        EProp(RateNetwork([SNU(3)], 2, 1, DT))
    with pytest.raises(ValueError, match="feedback is 'none'; it must be 'symmetric'"):
        EProp(net, feedback="none")
    with pytest.raises(ValueError, match=r"feedback has shape \(6, 2\); .* \(2, 6\)"):
        EProp(net, feedback=np.ones((UNITS, OUTPUTS)))
    rule = EProp(net)
    rule.reset(TRIALS)
    with pytest.raises(ValueError, match=r"x has shape \(3, 5\)"):
        rule.step(np.ones((TRIALS, INPUTS + 1)))
    with pytest.raises(ValueError, match=r"d_outputs has shape \(2,\)"):
        rule.learn(np.ones(OUTPUTS))


def test_reset_was_called_start():
    rule = EProp(network(CELLS[0]))
    with pytest.warns(DeprecationWarning, match="EProp.start is called reset now"):
        rule.start(2)
    assert rule.step(np.zeros((2, INPUTS))).shape == (2, OUTPUTS)
