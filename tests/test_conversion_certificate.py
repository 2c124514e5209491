"""A certificate says what is so, on trials that the conversion has not seen."""

import copy
import dataclasses
import json

import numpy as np
import pytest
from converted import random_network, trained
from scipy.stats import binomtest

from spikesim import conversion, plots, rate
from spikesim.conversion import Calibrated
from spikesim.conversion.certificate import (
    _interval,
    _jittered,
    correlations,
    output_r2,
)
from spikesim.conversion.leaky.rates import rate_units
from spikesim.conversion.silencing import silencing_effects
from spikesim.random import stream


@pytest.fixture(scope="module")
def made():
    network, task = trained()
    return conversion.convert(network, task, method=Calibrated(trials=32), per_unit=3)


@pytest.fixture(scope="module")
def full(made):
    network, task = trained()
    return conversion.certify(made, network, task, trials=60, full=True)


def test_numbers_are_those_of_the_network(made):
    network, task = trained()
    found = conversion.certify(made, network, task, trials=40, jitter=False, seed=7)
    trials = task.generate(stream(7, "certificate"), 40)
    outputs, rates = made.run(trials.inputs)
    wanted = rate_units(network).trajectories(trials.inputs)[2]
    late = trials.periods["decision"]
    residual = np.sum((outputs - wanted)[late] ** 2)
    assert found.output_r2 == pytest.approx(
        1 - residual / np.sum((wanted[late] - wanted[late].mean()) ** 2)
    )
    assert found.agreement == np.mean(task.decide(outputs, trials) == task.decide(wanted, trials))
    assert found.spiking_performance == task.performance(outputs, trials)
    assert found.mean_rate_hz == pytest.approx(rates.mean())
    assert found.spikes_per_unit_hz == pytest.approx(3 * rates.mean())
    spikes = rates.mean(axis=0) * 1.6  # s
    fan = np.count_nonzero(network.parameters["0.w_rec"], axis=0) * 3
    assert found.synaptic_events_per_trial == pytest.approx(spikes @ np.repeat(fan, 3), rel=1e-6)
    assert found.synapses == fan.sum() * 3 and not found.jittered


def test_the_full_one_tells_more(full):
    assert full.agreement > 0.95 and full.output_r2 > 0.9
    assert 0.5 < full.unit_correlation <= 1 and full.cka / full.cka_ceiling > 0.9
    assert full.silencing_correlation > 0.5 and full.silencing_ceiling > 0.9
    assert set(full.sensitivity) == {"dt 0.1 ms", "1 neuron a unit", "2 neurons a unit"}
    assert full.sensitivity["dt 0.1 ms"]["output_r2"] == pytest.approx(full.output_r2, abs=0.05)
    told = str(full)
    assert "decisions alike" in told and "silencing" in told
    keys = {
        *("method", "neurons", "per_unit", "synapses", "agreement", "agreement_ci"),
        *("rate_performance", "spiking_performance", "output_r2", "unit_correlation", "cka"),
        *("cka_ceiling", "silencing_correlation", "mean_rate_hz", "spikes_per_unit_hz"),
        *("synaptic_events_per_trial", "trials", "seconds"),
    }
    assert keys <= json.loads(json.dumps(full.as_dict())).keys()


def test_a_network_that_is_cut_is_found_out(made):
    """A certificate that says yes to anything would say nothing."""
    network, task = trained()
    broken = dataclasses.replace(made, input_weights=0 * made.input_weights)
    found = conversion.certify(broken, network, task, trials=60)
    assert found.agreement < 0.7 and found.output_r2 < 0.5


def test_both_criteria_are_told():
    task = rate.kim_go_nogo()
    network = random_network(rate.LeakyRNN(12, tau=40.0, form="x", activation="sigmoid"), 1, 1, 5.0)
    made = conversion.convert(network, task, method=Calibrated(trials=4), per_unit=1)
    found = conversion.certify(made, network, task, trials=10)
    assert set(found.criteria) == {"one-sided", "two-sided"}
    assert found.criteria["two-sided"]["agreement"] == found.agreement


def test_a_task_without_decisions_has_none():
    task = rate.sine()
    network = random_network(rate.LeakyRNN(12, tau=40.0, form="x", activation="tanh"), 1, 1, 20.0)
    made = conversion.convert(network, task, method=Calibrated(trials=4), per_unit=2)
    found = conversion.certify(made, network, task, trials=4)
    assert found.agreement is None and found.agreement_ci is None and not found.jittered
    both = conversion.trajectories(made, network, task, trials=6)
    assert both.names == [f"trial {k}" for k in range(4)]


def test_the_interval_of_a_share_is_wilsons():
    for right, trials in ((50, 50), (47, 50), (0, 12)):
        own = binomtest(right, trials).proportion_ci(0.95, "wilson")
        assert _interval(right / trials, trials) == pytest.approx((own.low, own.high))


def test_jitter_moves_stretches_and_scales():
    x = np.zeros((200, 400, 1))
    x[80:120] = 1
    moved = _jittered(x, np.random.default_rng(0))[:, :, 0]
    onset, length = moved.argmax(axis=0), (moved > 0).sum(axis=0)
    assert (onset.min(), onset.max()) == (pytest.approx(73, abs=2), pytest.approx(87, abs=2))
    assert 34 <= length.min() < 38 and 42 < length.max() <= 46
    assert 0.9 <= moved.max(axis=0).min() < 0.92 and 1.08 < moved.max() <= 1.1


def test_silencing_is_that_of_the_rate_network(made):
    network, task = trained()
    units = rate_units(network)
    trials = task.generate(np.random.default_rng(3), 6)
    late = trials.periods["decision"]
    effects = silencing_effects(made, units, trials.inputs, trials.conditions["go"], late)
    assert effects.rate.shape[:2] == (64, 2) and effects.rate.shape == effects.spiking.shape
    off = copy.deepcopy(network)  # of which unit 5 is at rest, as that of silent neurons is
    p, rest = off.parameters, made.rest[5]
    p["0.b"] += rest * p["0.w_rec"][:, 5]
    p["out.b"] += rest * p["out.w"][:, 5]
    p["0.w_rec"][:, 5] = p["out.w"][:, 5] = 0
    first = np.flatnonzero(trials.conditions["go"] == 0)[: effects.rate.shape[2]]
    changed = off.run(trials.inputs)[late].mean(axis=0)[first]
    changed = changed - network.run(trials.inputs)[late].mean(axis=0)[first]
    assert np.allclose(effects.rate[5, 0], changed, atol=1e-4)
    compared = effects.compared()
    assert compared["silencing_correlation"] == pytest.approx(
        np.corrcoef(effects.rate.mean(axis=2).ravel(), effects.spiking.mean(axis=2).ravel())[0, 1]
    )


def test_correlations_of_columns():
    rng = np.random.default_rng(0)
    a, b = rng.standard_normal((2, 50, 3))
    b[:, 2] = 1.0
    found = correlations(a, b)
    assert found[:2] == pytest.approx([np.corrcoef(a[:, i], b[:, i])[0, 1] for i in range(2)])
    assert found[2] == 0


def test_r2_counts_the_variance_over_time_and_trials():
    wanted = np.random.default_rng(0).standard_normal((9, 4, 2)) + [3, -100]
    assert output_r2(wanted, wanted) == 1
    assert output_r2(np.broadcast_to(wanted.mean(axis=(0, 1)), wanted.shape), wanted) == 0


def test_the_figure_draws(made, full, tmp_path):
    network, task = trained()
    both = conversion.trajectories(made, network, task, trials=16)
    assert both.names == ["decision 0", "decision 1"] and both.rate.shape == both.spiking.shape
    figure = plots.certificate(full, both)
    plots.save(figure, tmp_path / "x.png")
    words = [text.get_text() for text in figure.axes[2].texts]
    assert f"{100 * full.agreement:.2f} %" in words and "R2 of the output" in words


def test_another_task_is_refused(made):
    network, _ = trained()
    with pytest.raises(ValueError, match="the task xor has 1 inputs"):
        conversion.certify(made, network, rate.xor())
    small = random_network(rate.LeakyRNN(10), 3, 1, 20.0)
    with pytest.raises(ValueError, match="the rate network has 10 units"):
        conversion.certify(made, small, rate.go_nogo())
    fewer = rate.Task(
        "few",
        3,
        1,
        20.0,
        "squared",
        lambda rng, n: rate.go_nogo().generate(rng, 2),
        lambda outputs, trials: 1.0,
    )
    with pytest.raises(ValueError, match="gave inputs of shape .80, 2, 3.; for 9 trials"):
        conversion.certify(made, network, fewer, trials=9)
    column = dataclasses.replace(rate.go_nogo(), decide=lambda outputs, trials: outputs[-1])
    with pytest.raises(ValueError, match="gave decisions of shape .9, 1."):
        conversion.certify(made, network, column, trials=9)
    with pytest.raises(ValueError, match="trials is 0"):
        conversion.certify(made, network, rate.go_nogo(), trials=0)
