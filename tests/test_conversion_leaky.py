"""Leaky rate networks become spiking ones that do the same."""

import dataclasses

import numpy as np
import pytest
from converted import random_network, slow_inputs, trained

import spikesim as ss
from spikesim import conversion, rate
from spikesim.conversion import Calibrated, ConductanceLIF, CurrentLIF, FineTuned, OneFactor
from spikesim.conversion.certificate import output_r2
from spikesim.conversion.leaky import converted as converted_module
from spikesim.conversion.leaky.curves import fit_curves
from spikesim.conversion.leaky.fine_tuning import tuned
from spikesim.conversion.leaky.rates import rate_units
from spikesim.conversion.leaky.targets import TARGETS, measured
from spikesim.conversion.leaky.trimming import counted, trimmed
from spikesim.conversion.leaky.wiring import peak_area, time_classes

TAUS = np.linspace(30.0, 120.0, 20)
CELLS = {
    "r": rate.LeakyRNN(20, tau=60.0, noise=0.1),
    "r, taus": rate.LeakyRNN(20, tau=TAUS, activation="tanh"),
    "x": rate.LeakyRNN(20, tau=60.0, form="x", activation="sigmoid"),
    "trained taus": rate.LeakyRNN(20, tau=TAUS, form="x", train_tau=True, activation="tanh"),
    "dale": rate.DaleRNN(20, tau=TAUS, form="x", activation="softplus"),
    "low rank": rate.LowRankRNN(20, 2, tau=60.0),
}


@pytest.mark.parametrize("readout_tau", [None, 25.0])
@pytest.mark.parametrize("name", CELLS)
def test_rate_units_do_what_the_network_does(name, readout_tau):
    network = random_network(CELLS[name], readout_tau=readout_tau)
    x = slow_inputs()
    drive, rates, outputs = rate_units(network).trajectories(x)
    assert np.allclose(outputs, network.forward(x), atol=1e-12)
    assert np.allclose(rates, network.rates[0], atol=1e-12)
    if CELLS[name].form == "x":
        assert np.allclose(rate_units(network).f(drive), rates)


def test_time_constants_are_those_of_the_euler_step():
    network = random_network(rate.LeakyRNN(3, tau=100.0), dt=20.0)
    assert rate_units(network).tau == pytest.approx(-20 / np.log(1 - 20 / 100))
    assert rate_units(network).tau[0] == pytest.approx(89.628, abs=1e-3)


def test_a_silent_unit_is_one_without_outputs():
    network = random_network(CELLS["r"])
    units, x = rate_units(network), slow_inputs()
    off = units.trajectories(x, np.full(x.shape[1], 7))[2]
    network.parameters["0.w_rec"][:, 7] = network.parameters["out.w"][:, 7] = 0
    network.parameters["0.r0"][7] = 0
    assert np.allclose(off, network.forward(x), atol=1e-12)


@pytest.mark.parametrize("dt", [0.1, 0.5])
def test_the_curve_of_lif_neurons_is_that_of_the_engine(dt):
    target = CurrentLIF()
    currents = target.rheobase + target.span * np.array([-0.5, 0.01, 0.1, 0.5, 2.0])
    found, closed = measured(target, dt)(currents), target.curve(dt)(currents)
    assert closed[0] == found[0] == 0
    assert closed[1:] == pytest.approx(found[1:], rel=0.03)


@pytest.mark.parametrize("name", TARGETS)
def test_neurons_begin_to_fire_at_their_rheobase(name):
    target = TARGETS[name]()
    around = target.rheobase + np.array([-0.02, 0.05]) * target.span
    below, above = measured(target, 0.2)(around)
    assert below < 0.5 < 1 < above
    if name != "izhikevich":
        return
    high = target.rheobase + np.array([10.0, 20.0, 40.0]) * target.span
    assert np.all(np.diff(measured(target, 0.2)(high)) > 10)  # the table's end is no ceiling


@pytest.mark.parametrize("neurons", [1, 5])
@pytest.mark.parametrize("activation", ["sigmoid", "rectified", "tanh"])
def test_curves_add_up_to_the_activation(activation, neurons):
    rng = np.random.default_rng(0)
    drive = rng.standard_normal((4000, 16)) * 1.5
    f = rate_units(random_network(rate.LeakyRNN(3, form="x", activation=activation))).f
    target = CurrentLIF()
    curves = fit_curves(f, drive, f(drive), target, 0.2, neurons, 10.0)
    error = curves.rates(drive, target.curve(0.2)) - f(drive)
    # One neuron at up to 20 Hz is all but a step; several make a staircase.
    assert np.sqrt(np.mean(error**2)) < (0.7 if neurons == 1 else 0.2) * f(drive).std()
    spikes = np.abs(f(drive) - curves.rest).mean(axis=0) @ curves.scale / 16 / neurons
    assert spikes == pytest.approx(10.0, rel=0.05)
    assert (curves.signs < 0).sum() == (2 if activation == "tanh" and neurons == 5 else 0)


def test_time_constants_of_senders_keep_their_mean():
    tau = np.random.default_rng(0).uniform(20, 90, 200)
    nodes, shares = time_classes(tau)
    assert len(nodes) == 6 and shares.min() >= 0 and (shares > 0).sum(axis=0).max() == 2
    assert np.allclose(nodes @ shares, tau) and np.allclose(shares.sum(axis=0), 1)
    nodes, shares = time_classes(np.array([20.0, 50, 20, 80]))
    assert nodes.tolist() == [20, 50, 80] and shares.sum() == 4


@pytest.mark.parametrize("form", ["x", "r"])
def test_a_spike_brings_the_current_of_its_weight(form):
    """Area gain w 1000 / scale, at every neuron of the unit that receives it."""
    network = random_network(rate.LeakyRNN(4, tau=50.0, form=form, activation="sigmoid"))
    made = conversion.convert(network, inputs=slow_inputs(), per_unit=2)
    units = rate_units(network)
    synapses = made.build.synapses("units", "units")
    tau = units.tau[0]
    area = np.zeros((8, 8))
    area[synapses.targets, synapses.sources] = synapses.weights * peak_area(2.0, tau)
    per_unit = area.reshape(4, 2, 4, 2)
    assert np.allclose(per_unit, per_unit[:, :1, :, :1], rtol=2e-3)
    ratio = per_unit[:, 0, :, 0] * made.scale / 1000 / units.w
    assert np.allclose(ratio, ratio[:, :1], rtol=5e-3) and (ratio > 0).all()


def test_a_double_exponential_has_its_area():
    t = np.arange(0, 2000, 0.01)
    wave = np.exp(-t / 20) - np.exp(-t / 2)
    assert peak_area(2.0, 20.0) == pytest.approx(wave.sum() * 0.01 / wave.max(), rel=1e-3)


def test_signs_and_zeros_are_kept():
    mask = np.random.default_rng(0).random((20, 20)) < 0.3
    mask[np.arange(20), np.arange(20) - 1] = True
    cell = rate.DaleRNN(20, tau=60.0, form="x", activation="sigmoid", mask=mask)
    network = random_network(cell)
    for method in (Calibrated(trials=4), FineTuned(trials=4, updates=5)):
        made = conversion.convert(network, inputs=slow_inputs(), per_unit=3, method=method)
        synapses = made.build.synapses("units", "units")
        assert made.build.synapse_count == np.count_nonzero(network.parameters["0.w_rec"]) * 9
        assert np.array_equal(np.sign(synapses.weights), cell.signs[synapses.sources // 3])


@pytest.mark.parametrize("form", ["x", "r"])
def test_without_recurrence_rates_are_the_activation(form):
    """Constant inputs, each unit by itself: neurons fire at scale f(w_in u + b)."""
    cell = rate.LeakyRNN(20, tau=40.0, form=form, activation="sigmoid")
    network = random_network(cell)
    network.parameters["0.w_rec"] *= 1e-9
    network.parameters["0.b"][:] = np.random.default_rng(1).normal(-1, 1, 20)
    x = np.tile(np.random.default_rng(2).standard_normal((1, 16, 2)), (100, 1, 1))
    made = conversion.convert(network, inputs=x, per_unit=5)
    counts = made.simulate(x, discard=300.0).rates["units"].reshape(16, 20, 5).sum(axis=2)
    wanted = rate_units(network).trajectories(x)[1][30:].mean(axis=0)
    found = counts / made.scale
    assert np.corrcoef(found.ravel(), wanted.ravel())[0, 1] > 0.98
    assert np.sqrt(np.mean((found - wanted) ** 2)) < 0.05


@pytest.mark.parametrize("name", CELLS)
def test_random_networks_follow(name):
    network, x = random_network(CELLS[name]), slow_inputs(trials=24)
    made = conversion.convert(network, inputs=x)
    fresh = slow_inputs(seed=9)
    wanted = rate_units(network).trajectories(fresh)[2]
    assert output_r2(made.run(fresh)[0], wanted) > 0.8


@pytest.mark.parametrize(
    ("options", "least"),
    [
        ({}, 0.98),
        ({"per_unit": 1}, 0.95),
        ({"neuron": ConductanceLIF()}, 0.95),
        ({"neuron": conversion.QuadraticIzhikevich()}, 0.9),
        ({"method": FineTuned(updates=40)}, 0.95),
    ],
    ids=str,
)
def test_a_trained_network_converts(options, least):
    network, task = trained()
    made = conversion.convert(network, task, **options)
    trials = task.generate(np.random.default_rng(5), 100)
    wanted = rate_units(network).trajectories(trials.inputs)[2]
    outputs, rates = made.run(trials.inputs)
    late = trials.periods["decision"]
    assert np.mean(task.decide(outputs, trials) == task.decide(wanted, trials)) >= 0.99
    assert output_r2(outputs[late], wanted[late]) > least
    assert rates.mean() < (25 if made.per_unit == 1 else 17)


def test_trials_do_not_depend_on_threads():
    network, task = trained()
    made = conversion.convert(network, task, method=Calibrated(trials=8))
    x = task.generate(np.random.default_rng(5), 6).inputs
    one, two = (made.run(x, threads=threads)[0] for threads in (1, 2))
    assert np.array_equal(one, two)
    assert np.array_equal(made.run(x[:, 2:4], first=2)[0], one[:, 2:4])


def test_half_the_step_is_the_same_network():
    network = random_network(CELLS["x"])
    x = slow_inputs(trials=24)
    made = conversion.convert(network, inputs=x)
    finer, wanted = made.at_half_the_step(), rate_units(network).trajectories(x)[2]
    assert finer.build.dt == made.dt / 2
    assert output_r2(finer.run(x)[0], wanted) == pytest.approx(
        output_r2(made.run(x)[0], wanted), abs=0.03
    )


def test_fine_tuning_follows_the_network_better():
    network, task = trained()
    units, target = rate_units(network), CurrentLIF()
    x = task.generate(np.random.default_rng(1), 32).inputs
    drive, rates, wanted = units.trajectories(x)
    curves = fit_curves(units.f, drive, rates, target, 0.2, 1, 18.0)
    errors = []
    for updates in (1, 60):
        student = tuned(
            network, curves, target.curve(0.2), FineTuned(updates=updates), x, drive, seed=1
        )
        errors.append(np.mean((student.forward(x.astype(np.float32)) - wanted) ** 2))
    assert errors[1] < 0.7 * errors[0]


def test_one_factor_divides_all_weights():
    network, task = trained()
    made = conversion.convert(
        network, task, method=OneFactor(factors=(25.0,), trials=4), per_unit=1
    )
    synapses = made.build.synapses("units", "units")
    w = network.parameters["0.w_rec"][synapses.targets, synapses.sources]
    area = synapses.weights * peak_area(2.0, 100.0)  # pA ms; 20 pA move v by 1 mV
    assert np.allclose(area, 20 * w * 1000 / 25, rtol=2e-3)
    assert np.array_equal(made.readout.bias, [0.0]) and made.readout.tau == pytest.approx(100.0)


def test_the_best_of_the_factors_is_taken():
    network, x = random_network(CELLS["x"]), slow_inputs()
    made = conversion.convert(network, inputs=x, method=OneFactor(factors=(1e5, 40.0)), per_unit=1)
    assert made.scale[0] == 40.0


BAD = {
    "per_unit is 0": {"per_unit": 0},
    "dt is 0.3 ms; a whole number": {"dt": 0.3},
    "task and inputs: give one": {"task": None},
    "inputs have shape": {"task": None, "inputs": np.zeros((3, 2, 1))},
    "method is 'calibrated'": {"method": "calibrated"},
    "neuron is 'lif'": {"neuron": "lif"},
    "OneFactor makes one neuron": {"method": OneFactor()},
    "the task xor has 1 inputs": {"task": rate.xor()},
}


@pytest.mark.parametrize("told", BAD)
def test_bad_arguments(told):
    network, task = trained()
    with pytest.raises((ValueError, TypeError), match=told):
        conversion.convert(network, **{"task": task, **BAD[told]})


REFUSED = {
    "GRU: its gates multiply rates": [rate.GRU(4)],
    "LSTM: its gates": [rate.LSTM(4)],
    "SNU, which spikes already": [rate.SNU(4)],
    "FeedForward, which has no time constant": [rate.FeedForward([4])],
    "2 leaky cells in series": [rate.LeakyRNN(4), rate.LeakyRNN(4)],
    "forgets all in a step": [rate.LeakyRNN(4, tau=10.0)],
}


@pytest.mark.parametrize("told", REFUSED)
def test_what_does_not_convert_is_refused(told):
    network = rate.RateNetwork(REFUSED[told], 2, 1, 10.0)
    with pytest.raises(ValueError, match=told):
        conversion.convert(network, inputs=slow_inputs())
    parts = conversion.parts_of(network)
    assert not parts[0].converts and not parts[-1].converts


def test_damaged_weights_are_named():
    network = random_network(CELLS["dale"])
    network.parameters["0.w_rec"][3, 2] = -0.5
    with pytest.raises(ValueError, match="0.w_rec is -0.5 from unit 2 to unit 3"):
        conversion.convert(network, inputs=slow_inputs())
    network.parameters["0.w_in"][1, 0] = np.nan
    with pytest.raises(ValueError, match=r"0.w_in is nan at \[1, 0\]"):
        conversion.convert(network, inputs=slow_inputs())


def test_silent_units_alone_are_refused():
    network = random_network(rate.LeakyRNN(4, tau=50.0))
    network.parameters["0.b"][:] = -100
    network.parameters["0.r0"][:] = 0
    with pytest.raises(ValueError, match="silent in all calibration trials"):
        conversion.convert(network, inputs=slow_inputs())


def test_silent_neurons_are_refused():
    network, task = trained()
    with pytest.raises(ValueError, match="no neuron fires in any calibration trial"):
        conversion.convert(network, task, method=Calibrated(trials=4, rate=1e-4))


def test_an_interrupted_run_has_no_outputs(monkeypatch):
    """Those of fewer trials would stand beside inputs that are not theirs."""
    network, task = trained()
    made = conversion.convert(network, task, method=Calibrated(trials=4))
    x = task.generate(np.random.default_rng(0), 4).inputs
    whole = made.simulate(x)
    cut = dataclasses.replace(whole, interrupted=True)
    monkeypatch.setattr(converted_module, "simulate_trials", lambda *_, **__: cut)
    with pytest.raises(KeyboardInterrupt):
        made.run(x)


def test_inputs_of_another_shape_are_refused():
    network, task = trained()
    made = conversion.convert(network, task, method=Calibrated(trials=4))
    with pytest.raises(ValueError, match="inputs have shape"):
        made.run(np.zeros((80, 2, 4)))
    with pytest.raises(ValueError, match="not all finite"):
        made.run(np.full((80, 2, 3), np.nan))


def test_a_file_gives_back_what_was_written(tmp_path):
    network, task = trained()
    made = conversion.convert(network, task, method=Calibrated(trials=8))
    conversion.save(made, tmp_path / "x.h5")
    again = conversion.load(tmp_path / "x.h5")
    x = task.generate(np.random.default_rng(5), 4).inputs
    assert np.array_equal(made.run(x)[0], again.run(x)[0])
    assert again.notes == made.notes and repr(again) == repr(made)
    net = ss.load_network(tmp_path / "x.h5")
    assert net.populations["units"].size == made.neurons
    assert ss.simulate(net, 500.0, dt=made.dt).rates["units"] > 0
    ss.save_network(net, tmp_path / "y.h5")
    with pytest.raises(ValueError, match="not of a converted network"):
        conversion.load(tmp_path / "y.h5")


def test_trimming_finds_what_spikes_stand_for():
    """Units without recurrence, of which neurons fire at 0.8 f(x) + 0.1 in place of f(x)."""
    cell = rate.LeakyRNN(6, tau=40.0, form="x", activation="sigmoid")
    network, x = random_network(cell), slow_inputs(steps=200, trials=40)
    network.parameters["0.w_rec"][...] = 0
    units, rng = rate_units(network), np.random.default_rng(0)
    drive = units.trajectories(x)[0]
    curves = fit_curves(units.f, drive, units.f(drive), CurrentLIF(), 0.2, 2, 10.0)
    curves = dataclasses.replace(curves, scale=np.full(6, 4000.0))
    expected = (0.8 * units.f(drive) + 0.1) * 4000 * 0.01  # in a step of 10 ms
    counts = rng.poisson(expected)
    steps, trials, owners = (np.repeat(a.ravel(), counts.ravel()) for a in np.indices(counts.shape))
    times = 10.0 * (steps + rng.uniform(0.01, 1, steps.size))
    neurons = 2 * owners + rng.integers(2, size=owners.size)
    spikes = ss.AlignedTrains(times, neurons, trials, 12, 40, 0.0, 2000.0)
    found = trimmed(units, curves, spikes, x, units.f)
    # Units that vary little stay a little nearer to where they were; the mean is right for all.
    assert np.all((0.79 * 4000 < found.scale) & (found.scale < 0.9 * 4000))
    mean = counted(spikes, found, 10.0).mean(axis=(0, 1))
    assert mean == pytest.approx(units.f(drive).mean(axis=(0, 1)), abs=0.01)


def test_spikes_of_a_unit_go_with_the_root_of_its_mean_rate():
    """By the rate itself quiet units would have too few to be followed by."""
    rng = np.random.default_rng(0)
    drive = rng.standard_normal((3000, 64)) * 0.3 + np.linspace(-4, -1, 64)
    f = rate_units(random_network(rate.LeakyRNN(3, form="x", activation="sigmoid"))).f
    curves = fit_curves(f, drive, f(drive), CurrentLIF(), 0.2, 2, 9.0)
    mean = f(drive).mean(axis=0)
    spikes = curves.scale * mean
    slope = np.polyfit(np.log(mean), np.log(spikes), 1)[0]
    assert slope == pytest.approx(0.5, abs=0.05)
    assert spikes.mean() == pytest.approx(2 * 9.0, rel=0.02)
