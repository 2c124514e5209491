"""RateNetwork: cells in series, the readout, masks, what is frozen, errors."""

import tracemalloc

import numpy as np
import pytest
from finite_differences import differences

from spikesim.rate import LSTM, DaleRNN, FeedForward, LeakyRNN, LowRankRNN
from spikesim.rate.network import RateNetwork

DT = 10.0  # ms


def network(cells=None, **settings) -> RateNetwork:
    cells = [LeakyRNN(5, activation="tanh", noise=0.2)] if cells is None else cells
    return RateNetwork(cells, 3, 2, DT, **{"dtype": "float64", **settings})


def trial(*shape: int, seed: int = 1) -> np.ndarray:
    return np.random.default_rng(seed).standard_normal(shape)


def test_outputs_are_a_linear_readout_of_the_last_cell():
    net = network([LeakyRNN(5), LeakyRNN(4, form="x", activation="tanh")])
    z = net.forward(trial(6, 2, 3))
    assert [y.shape for y in net.rates] == [(6, 2, 5), (6, 2, 4)]
    p = net.parameters
    assert p["1.w_in"].shape == (4, 5) and p["out.w"].shape == (2, 4) and p["out.b"].shape == (2,)
    p["out.b"][:] = 3, -1
    z = net.forward(trial(6, 2, 3))
    np.testing.assert_allclose(z, net.rates[1] @ p["out.w"].T + [3, -1], rtol=1e-12)


def test_a_second_cell_is_given_the_rates_of_the_first():
    net, x = network([LeakyRNN(5), LowRankRNN(4)]), trial(6, 2, 3)
    net.forward(x)
    alone = RateNetwork([LowRankRNN(4)], 5, 2, DT, dtype="float64")
    for name, p in alone.parameters.items():
        np.copyto(p, net.parameters[name.replace("0.", "1.", 1)])
    np.testing.assert_array_equal(alone.forward(net.rates[0].copy()), net.forward(x))


def test_a_readout_with_a_time_constant_is_low_passed():
    net, plain = network(readout_tau=25.0), network()
    x, k = trial(8, 2, 3), np.exp(-DT / 25)
    raw, wanted = plain.forward(x), np.zeros((8, 2, 2))
    for t in range(8):
        wanted[t] = k * (wanted[t - 1] if t else 0) + (1 - k) * raw[t]
    np.testing.assert_allclose(net.forward(x), wanted, rtol=1e-12)


@pytest.mark.parametrize("readout_tau", [None, 25.0])
def test_gradients_are_central_differences_through_all_cells(readout_tau):
    # Smooth activations: a rectified unit may cross 0 between the points of the difference.
    cells = [
        LeakyRNN(4, activation="tanh", noise=0.1),
        DaleRNN(5, activation="softplus"),
        LowRankRNN(3, tau=30.0),
    ]
    net = network(cells, readout_tau=readout_tau)
    x, d_out = trial(6, 2, 3), trial(6, 2, 2, seed=2)
    d_rates = [trial(6, 2, 4, seed=3), None, trial(6, 2, 3, seed=4)]

    def loss() -> float:
        z = net.forward(x, np.random.default_rng(5))
        pairs = [(d_out, z), (d_rates[0], net.rates[0]), (d_rates[2], net.rates[2])]
        return sum(np.sum(d * y) for d, y in pairs)

    loss()
    kept = d_out.copy()
    gradients = {name: g.copy() for name, g in net.backward(d_out, d_rates).items()}
    np.testing.assert_array_equal(d_out, kept)
    assert gradients.keys() == net.parameters.keys()
    for name, p in net.parameters.items():
        numeric = differences(loss, p)
        scale = np.abs(numeric).max()
        np.testing.assert_allclose(
            gradients[name], numeric, rtol=1e-6, atol=1e-6 * scale, err_msg=name
        )


@pytest.mark.parametrize("readout_tau", [None, 25.0])
def test_steps_one_by_one_are_a_pass(readout_tau):
    net = network([LSTM(4), FeedForward([3], "tanh"), DaleRNN(5)], readout_tau=readout_tau)
    x, state = trial(6, 2, 3), net.initial_state(2)
    assert {name: a.shape[1:] for name, a in state.items()} == net.states
    for now, wanted in zip(x, net.forward(x), strict=True):
        state, z = net.step(now, state)
        np.testing.assert_allclose(z, wanted, rtol=1e-10, atol=1e-12)
    assert list(state) == list(net.states)


def test_the_seed_gives_the_start_values_and_the_noise():
    x = trial(6, 2, 3)
    a, b, c = network(seed=1), network(seed=1), network(seed=2)
    for name, p in a.parameters.items():
        assert p.tobytes() == b.parameters[name].tobytes()
    assert (a.parameters["0.w_rec"] != c.parameters["0.w_rec"]).any()
    np.testing.assert_array_equal(a.run(x, seed=4), b.run(x, seed=4))
    assert (a.run(x, seed=4) != a.run(x, seed=5)).any()
    np.testing.assert_array_equal(a.run(x), a.run(x))


def test_run_gives_an_array_of_its_own_and_forward_a_view():
    net, x = network(), trial(6, 2, 3)
    own, view = net.run(x), net.forward(x)
    kept = own.copy()
    net.forward(2 * x)
    np.testing.assert_array_equal(own, kept)
    assert (view != kept).any()


def test_a_softmax_readout_gives_probabilities_from_run_alone():
    net, plain, x = network(readout="softmax"), network(), trial(6, 2, 3)
    net.parameters["out.b"][0] = plain.parameters["out.b"][0] = 900  # exp would overflow
    z = plain.run(x)
    np.testing.assert_array_equal(net.forward(x), z)
    shares = np.exp(z - z.max(axis=-1, keepdims=True))
    np.testing.assert_allclose(net.run(x), shares / shares.sum(axis=-1, keepdims=True))


def test_inputs_of_any_type_and_layout_are_taken():
    net, x = network(dtype="float32"), trial(2, 6, 3)
    z = net.run(np.ascontiguousarray(x.transpose(1, 0, 2)))
    assert z.dtype == np.float32
    np.testing.assert_array_equal(net.run(x.transpose(1, 0, 2)), z)
    z = net.run(np.full((6, 2, 3), 2.0))
    np.testing.assert_array_equal(net.run(np.full((6, 2, 3), 2)), z)


def test_cells_are_given_contiguous_arrays_of_their_precision(monkeypatch):
    given, forward = [], LeakyRNN.forward

    def spy(cell, p, x, *rest):
        given.append(x)
        return forward(cell, p, x, *rest)

    monkeypatch.setattr(LeakyRNN, "forward", spy)
    net = network([LeakyRNN(5), LeakyRNN(4)], dtype="float32")
    net.run(trial(2, 6, 3).transpose(1, 0, 2))
    net.forward(trial(2, 6, 3).astype("float32").transpose(1, 0, 2))
    assert len(given) == 4
    assert all(x.flags.c_contiguous and x.dtype == np.float32 for x in given)


def test_gradients_are_of_the_last_pass_alone():
    net, d = network(), trial(6, 2, 2)
    net.forward(trial(6, 2, 3))
    first = {name: g.copy() for name, g in net.backward(d).items()}
    for name, g in net.backward(d).items():
        np.testing.assert_array_equal(g, first[name], err_msg=name)


def test_excitatory_readout_leaves_the_others_at_zero():
    net = network([DaleRNN(10)], readout_from="excitatory")
    assert (net.parameters["out.w"][:, :8] != 0).all()
    assert (net.parameters["out.w"][:, 8:] == 0).all()
    net.forward(trial(6, 2, 3))
    assert (net.backward(np.ones((6, 2, 2)))["out.w"][:, 8:] == 0).all()
    net.parameters["out.w"] += 1
    net.constrain()
    assert (net.parameters["out.w"][:, 8:] == 0).all()


def test_masks_and_frozen_parameters_have_no_gradient():
    net = network()
    mask = np.array([[1, 0, 1]])
    net.masks["0.w_in"] = mask
    net.frozen |= {"0.b", "out.w"}
    net.constrain()
    assert (net.parameters["0.w_in"][:, 1] == 0).all()
    net.forward(trial(6, 2, 3))
    gradients = net.backward(np.ones((6, 2, 2)))
    assert (gradients["0.w_in"][:, 1] == 0).all() and (gradients["0.w_in"][:, 0] != 0).all()
    assert not gradients["0.b"].any() and not gradients["out.w"].any()
    net.vanishing(1.0)
    net.frozen |= {"0.w_rec"}
    net.backward(np.ones((6, 2, 2)))
    assert net.vanishing(1.0) > 0 and not gradients["0.w_rec"].any()


def test_the_regulariser_of_all_cells_is_added_to_the_gradients():
    net = network([LeakyRNN(5, activation="tanh"), LeakyRNN(4, form="x", activation="tanh")])
    net.forward(trial(6, 2, 3))
    before = {name: g.copy() for name, g in net.backward(trial(6, 2, 2)).items()}
    cost = net.vanishing(0.5)
    assert cost > 0
    for name, gradient in net.gradients.items():
        assert (gradient != before[name]).any() == name.endswith("w_rec")
    net.backward(trial(6, 2, 2))
    assert net.vanishing(1.0) == pytest.approx(2 * cost)


def test_the_second_update_makes_no_array_of_the_size_of_the_first():
    net = network([LeakyRNN(50), DaleRNN(40, noise=0.1)], dtype="float32", readout_tau=20.0)
    x, rng = trial(50, 16, 3).astype("float32"), np.random.default_rng(0)
    d = np.ones((50, 16, 2), "float32")

    def both() -> None:
        net.forward(x, rng)
        net.backward(d)
        net.constrain()

    both()
    tracemalloc.start()
    both()
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < net.rates[1].nbytes / 2


@pytest.mark.parametrize(
    "settings, told",
    [
        ({"cells": []}, r"cells is \[\]; a network needs at least one cell"),
        ({"inputs": 0}, "inputs is 0; it must be a whole number, 1 or more"),
        ({"outputs": 1.5}, "outputs is 1.5; it must be a whole number"),
        ({"dt": -1}, "dt is -1; it must be a finite number of ms above 0"),
        ({"dt": 200.0}, "tau is 100 ms and dt 200 ms; tau must be at least dt"),
        ({"readout_tau": 0}, "readout_tau is 0; it must be a finite number of ms above 0"),
        ({"dtype": "int8"}, "dtype is 'int8'; it must be 'float32' or 'float64'"),
        ({"readout": "max"}, "readout is 'max'; it must be 'linear' or 'softmax'"),
        ({"readout_from": "pre"}, "readout_from is 'pre'; it must be 'all' or 'excitatory'"),
        ({"readout_from": "excitatory"}, "the last cell, of kind LeakyRNN, must then have exc"),
    ],
)
def test_bad_settings_are_refused(settings, told):
    given = {"cells": [LeakyRNN(4)], "inputs": 3, "outputs": 2, "dt": DT} | settings
    with pytest.raises(ValueError, match=told):
        RateNetwork(**given)


def test_what_does_not_fit_is_refused_with_both_shapes():
    net = network()
    for shape in ((6, 2, 4), (6, 3), (0, 2, 3)):
        with pytest.raises(ValueError, match=r"x has shape \(.*\(time, trials, 3\)"):
            net.forward(np.zeros(shape))
        with pytest.raises(ValueError, match=r"x has shape \(.*\(time, trials, 3\)"):
            net.run(np.full(shape, np.nan))
    with pytest.raises(ValueError, match="call forward first"):
        net.backward(np.zeros((6, 2, 2)))
    net.forward(trial(6, 2, 3))
    with pytest.raises(ValueError, match=r"shape \(6, 2, 3\); the outputs have shape \(6, 2, 2\)"):
        net.backward(np.zeros((6, 2, 3)))
    with pytest.raises(ValueError, match=r"d_rates\[0\] has shape \(6, 2, 4\); .* \(6, 2, 5\)"):
        net.backward(np.zeros((6, 2, 2)), [np.zeros((6, 2, 4))])
    with pytest.raises(ValueError, match="d_rates holds 2 arrays; the network has 1 cell"):
        net.backward(np.zeros((6, 2, 2)), [None, None])


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_inputs_that_are_not_finite_are_refused(bad):
    x = trial(6, 2, 3)
    x[4, 1, 2] = bad
    with pytest.raises(ValueError, match=f"x is {bad} at step 4, trial 1, input 2; it must be"):
        network().run(x)


def test_a_cell_of_ones_own_may_still_have_the_old_names():
    class Mirror:
        units = 3

        def check(self, inputs, dt):
            pass

        def start(self, inputs, dt, rng):
            return {"w": rng.standard_normal((3, inputs))}

        def forward(self, p, x, dt, rng, tape):
            return np.matmul(x, p["w"].T, out=tape("y", (*x.shape[:2], 3)))

        def constrain(self, p, dt):
            pass

    with pytest.warns(DeprecationWarning, match="Mirror.start is called initial_parameters now"):
        net = network([Mirror()])
    with pytest.warns(DeprecationWarning, match="is called workspace.room"):
        z = net.forward(trial(4, 2, 3))
    wanted = trial(4, 2, 3) @ net.parameters["0.w"].T @ net.parameters["out.w"].T
    np.testing.assert_allclose(z, wanted)
