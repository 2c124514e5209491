"""Training makes losses small, is a function of its seed, and survives what may happen to it."""

import math
import os
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from spikesim import rate
from spikesim.rate import losses
from spikesim.rate.files import load, load_history
from spikesim.rate.optimizers import SGD, Adam
from spikesim.rate.tasks import Task, Trials, go_nogo, perceptual_decision, xor
from spikesim.rate.training import respond, train

ROOT = Path(__file__).parent.parent
TASK = xor(50.0)
QUIET = {"progress": False, "validation_trials": 64, "validate_every": 20}


def network(units=16, seed=0, **options):
    cell = rate.LeakyRNN(units, noise=0.05, activation="tanh")
    return rate.RateNetwork([cell], 1, 1, 50.0, seed=seed, **options)


def run(net=None, task=TASK, **options):
    net = network() if net is None else net
    return net, train(net, task, **{**QUIET, "optimizer": Adam(5e-3), "updates": 60, **options})


def ever_better():
    """A task in which the last network is the best."""
    count = iter(range(10**6))
    return replace(TASK, performance=lambda outputs, trials: float(next(count)))


def parameters(net):
    return {name: p.copy() for name, p in net.parameters.items()}


def assert_same(a, b):
    for name, p in a.items():
        np.testing.assert_array_equal(p, b[name], err_msg=name)


@pytest.mark.parametrize("optimizer", [Adam(5e-3), SGD(0.05)])
def test_a_task_is_learned(optimizer):
    net, history = run(optimizer=optimizer, updates=2000, until=0.99, seed=1)
    assert history.stop == "criterion"
    assert np.mean(history.loss[-20:]) < 0.5 * np.mean(history.loss[:5])
    outputs, trials = respond(net, TASK, 512, seed=1)
    assert TASK.performance(outputs, trials) > 0.95


def test_a_history_counts_what_happened():
    _, history = run(updates=50, batch=8)
    assert (history.updates, history.trials, history.stop) == (50, 400, "updates")
    assert history.validated == [0, 20, 40, 50]
    assert len(history.performance) == len(history.validation_loss) == len(history.stage) == 4
    assert history.seconds > 0 and history.task == "xor"


def test_training_is_a_function_of_its_seed():
    (a, first), (b, second), (c, third) = (run(seed=s) for s in (3, 3, 4))
    assert first.loss == second.loss and first.performance == second.performance
    assert_same(parameters(a), parameters(b))
    assert first.loss[0] != third.loss[0]


def test_how_often_is_validated_changes_no_loss():
    losses = [run(validate_every=k, batch=16)[1].loss for k in (7, 20)]
    assert losses[0] == losses[1]


def test_validation_and_test_trials_are_not_those_of_training():
    seen = []

    def generate(rng, trials, **options):
        drawn = TASK.generate(rng, trials)
        noisy = drawn.inputs + rng.standard_normal(drawn.inputs.shape)
        seen.extend(trial.tobytes() for trial in noisy.swapaxes(0, 1).astype("float32"))
        return replace(drawn, inputs=noisy)

    task = replace(TASK, generate=generate)
    net, _ = run(task=task, updates=40)
    respond(net, task, 64)
    assert len(seen) == len(set(seen)) == 40 * 64 + 3 * 64 + 64


def test_validation_and_test_have_options_of_their_own():
    asked = []

    def generate(rng, trials, part="train"):
        asked.append(part)
        return TASK.generate(rng, trials)

    task = replace(TASK, generate=generate, validation={"part": "v"}, test={"part": "t"})
    net, _ = run(task=task, updates=2)
    respond(net, task, 8)
    assert asked == ["v", "train", "train", "v", "t"]


def test_the_best_network_is_put_back():
    falling = iter([0.5, 0.9, 0.2, 0.1])
    at = []
    net = network()

    def performance(outputs, trials):
        at.append(parameters(net))
        return next(falling)

    _, history = run(net, replace(TASK, performance=performance))
    assert history.performance == [0.5, 0.9, 0.2, 0.1]
    assert_same(parameters(net), at[1])


def test_the_criterion_is_the_mean_of_three_validations():
    found = iter([1.0, 0.7, 0.9, 0.9, 0.95, 1.0, 1.0])
    task = replace(TASK, performance=lambda outputs, trials: next(found))
    _, history = run(task=task, updates=200, until=0.95)
    assert history.stop == "criterion" and history.validated[-1] == 100


def test_a_curriculum_goes_from_stage_to_stage():
    asked = []

    def generate(rng, trials, level=0):
        asked.append(level)
        return TASK.generate(rng, trials)

    task = replace(TASK, generate=generate, performance=lambda outputs, trials: 1.0)
    _, history = run(task=task, updates=500, until=0.9, curriculum=[{"level": 1}, {"level": 2}, {}])
    assert history.stage == [0, 0, 0, 1, 1, 1, 2, 2, 2]
    assert history.stop == "criterion" and history.validated[-1] == 160
    assert asked == sorted(asked, key=[1, 2, 0].index)


def test_frozen_parameters_and_masks_hold():
    net = network()
    net.frozen |= {"0.b", "out.w"}
    net.masks["0.w_rec"] = np.tri(16, dtype="float32")
    net.constrain()
    before = parameters(net)
    run(net, l2=0.1)
    assert_same({name: before[name] for name in net.frozen}, net.parameters)
    assert not np.any(np.triu(net.parameters["0.w_rec"], 1))
    assert not np.array_equal(net.parameters["0.w_rec"], before["0.w_rec"])


def test_dales_principle_holds_after_every_update():
    net = rate.RateNetwork([rate.DaleRNN(20)], 1, 1, 50.0, readout_from="excitatory")
    constrain, checked = net.constrain, []

    def spy():
        constrain()
        checked.append(net.parameters["0.w_rec"].min() >= 0)
        checked.append(not net.parameters["out.w"][:, 16:].any())

    net.constrain = spy
    run(net, updates=30, optimizer=Adam(0.05))
    assert all(checked) and len(checked) == 60
    assert np.any(net.parameters["0.w_rec"] == 0)


def first_loss(net=None, **options):
    return run(net, updates=1, **options)[1].loss[0]


def test_what_weights_and_rates_cost_is_part_of_the_loss():
    plain, net = first_loss(), network()
    matrices = [p for p in net.parameters.values() if p.ndim == 2]
    assert len(matrices) == 3
    for kind in ("l1", "l2"):
        cost = sum(getattr(losses, kind)(p, 0.3, np.zeros_like(p)) for p in matrices)
        assert first_loss(**{kind: 0.3}) == pytest.approx(plain + cost, rel=1e-5)
    first_loss(net)  # leaves the rates of a validation after it
    assert first_loss(metabolic=0.3) > plain
    assert first_loss(vanishing=0.3) > plain


@pytest.mark.parametrize("kind", ["l1", "l2", "metabolic"])
def test_costs_make_small_what_they_are_of(kind):
    def size(net):
        if kind == "metabolic":
            net.forward(TASK.generate(np.random.default_rng(0), 64).inputs)
            return np.mean(net.rates[0] ** 2)
        return np.mean(np.abs(net.parameters["0.w_rec"]))

    free, _ = run(task=ever_better(), optimizer=Adam(1e-2))
    costly, _ = run(task=ever_better(), optimizer=Adam(1e-2), **{kind: 10.0})
    assert size(costly) < 0.5 * size(free)


def test_the_vanishing_cost_moves_the_recurrent_weights_alone():
    options = {"optimizer": SGD(0.1), "updates": 1, "clip": math.inf}
    a, _ = run(task=ever_better(), **options)
    b, _ = run(task=ever_better(), **options, vanishing=1.0)
    assert not np.array_equal(a.parameters.pop("0.w_rec"), b.parameters.pop("0.w_rec"))
    assert_same(a.parameters, b.parameters)
    with pytest.raises(ValueError, match="vanishing is 1.0; it must be 0 with cells of kind GRU"):
        run(rate.RateNetwork([rate.GRU(4)], 1, 1, 50.0), vanishing=1.0)


def test_spiking_units_can_be_made_to_fire_at_a_rate():
    def hertz(strength):
        net = rate.RateNetwork([rate.LIFCell(20)], 3, 1, 5.0, readout_tau=20.0)
        task = go_nogo(5.0)
        train(
            net,
            task,
            **QUIET,
            batch=8,
            updates=60,
            optimizer=Adam(1e-2),
            rate_regularization=(10.0, strength),
        )
        net.forward(task.generate(np.random.default_rng(0), 16).inputs)
        return 1000 / 5.0 * net.rates[0].mean()

    assert abs(hertz(0.01) - 10) < 2


# --- what may happen -----------------------------------------------------------------------------


def spoilt(after, name):
    """A task whose trials are not finite from some draw on."""
    count = iter(range(10**6))

    def generate(rng, trials, **options):
        drawn = TASK.generate(rng, trials)
        if next(count) > after:
            getattr(drawn, name)[3, 2] = math.nan
        return drawn

    return replace(TASK, generate=generate)


@pytest.mark.parametrize("name", ["inputs", "targets"])
def test_data_that_are_not_finite_stop_training_at_the_best_network(name):
    net, (reference, _) = network(), run(updates=20)
    with pytest.raises(FloatingPointError, match=f"the {name} of the task xor are not finite"):
        run(net, spoilt(25, name))
    assert_same(parameters(net), parameters(reference))


def test_a_loss_that_is_not_finite_names_the_parameter_and_puts_back_the_best():
    class Poison(SGD):
        def update(self, state, parameters, gradients, frozen=()):
            super().update(state, parameters, gradients, frozen)
            if gradients["out.b"].size and len(history) == 30:
                parameters["0.w_in"][3, 0] = math.nan
            history.append(1)

    history, net = [], network()
    with pytest.raises(FloatingPointError, match="xor: update 31 .* loss of nan; .*0.w_in is not"):
        run(net, optimizer=Poison(0.01))
    assert all(np.isfinite(p).all() for p in net.parameters.values())
    reference, told = run(updates=20, optimizer=SGD(0.01))
    best = told.best
    assert_same(parameters(net), parameters(reference) if best else parameters(network()))


def test_a_diverging_training_is_told_without_warnings():
    net = rate.RateNetwork([rate.LeakyRNN(16)], 1, 1, 50.0)
    with pytest.raises(FloatingPointError, match="xor: update .*The best parameters are put back"):
        run(net, optimizer=SGD(1e30, momentum=0.0), clip=math.inf)
    assert all(np.isfinite(p).all() for p in net.parameters.values())


def test_ctrl_c_keeps_the_best_network():
    count = iter(range(10**6))

    def generate(rng, trials):
        if next(count) == 50:
            raise KeyboardInterrupt
        return TASK.generate(rng, trials)

    net, history = run(task=replace(TASK, generate=generate), updates=1000)
    assert history.stop == "interrupted" and 40 < history.updates < 50
    reference, _ = run(updates=40)
    assert_same(parameters(net), parameters(reference))


def test_a_checkpoint_goes_on_digit_for_digit(tmp_path):
    path = tmp_path / "x.h5"
    through, history = run(updates=75, checkpoint=tmp_path / "y.h5")
    run(updates=40, checkpoint=path)
    net, resumed = run(network(seed=0), updates=75, checkpoint=path, resume=True)
    assert resumed.loss == history.loss
    assert resumed.performance == history.performance
    assert resumed.validation_loss == history.validation_loss
    assert_same(parameters(net), parameters(through))
    assert load_history(path) == resumed
    again, same = run(updates=75, checkpoint=path, resume=True)
    assert same.loss == history.loss
    assert_same(parameters(again), parameters(through))


def test_a_checkpoint_remembers_the_best_network(tmp_path):
    worse = replace(TASK, performance=lambda z, trials: float(np.mean((z - trials.targets) ** 2)))
    through, history = run(task=worse, updates=80)
    run(task=worse, updates=40, checkpoint=tmp_path / "x.h5")
    net, _ = run(task=worse, updates=80, checkpoint=tmp_path / "x.h5", resume=True)
    assert history.validated[history.best] < 40
    assert_same(parameters(net), parameters(through))


def test_a_checkpoint_is_a_model_file(tmp_path):
    run(updates=20, checkpoint=tmp_path / "x.h5")
    assert load(tmp_path / "x.h5").cells == network().cells


LONG = """
import sys
from tests.test_rate_training import *

net = network()
history = train(
    net, TASK, **QUIET, optimizer=Adam(5e-3), updates=2000, checkpoint=sys.argv[1],
    resume=sys.argv[2] == "resume",
)
print(repr(history.loss[-1]), repr(history.validation_loss[-1]), len(history.loss))
"""


def start(path, how):
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen(
        [sys.executable, "-c", LONG, str(path), how],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
        cwd=ROOT,
    )


def finished(process):
    stdout, stderr = process.communicate(timeout=120)
    assert process.returncode == 0, stderr
    return stdout


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGKILL")
def test_a_killed_training_goes_on_to_the_same_loss(tmp_path):
    whole = start(tmp_path / "whole.h5", "begin")
    killed = start(tmp_path / "killed.h5", "begin")
    for _ in range(1200):
        time.sleep(0.05)
        if (tmp_path / "killed.h5").exists():
            if load_history(tmp_path / "killed.h5").updates >= 60:
                break
    killed.kill()
    killed.communicate()
    assert killed.returncode < 0
    assert 60 <= load_history(tmp_path / "killed.h5").updates < 2000
    assert finished(start(tmp_path / "killed.h5", "resume")) == finished(whole)


# --- mistakes ------------------------------------------------------------------------------------


def test_a_checkpoint_of_another_network_is_refused(tmp_path):
    path = tmp_path / "x.h5"
    run(updates=20, checkpoint=path)
    others = {
        "units of cell 0 is 16 there and 20 here": network(20),
        "dtype is 'float32' there and 'float64' here": network(dtype="float64"),
        "class of cell 0 is 'LeakyRNN' there and 'GRU' here": rate.RateNetwork(
            [rate.GRU(16)], 1, 1, 50.0
        ),
    }
    frozen = network()
    frozen.frozen.add("0.b")
    others[r"frozen is \[\] there and \['0.b'\] here"] = frozen
    masked = network()
    masked.masks["0.w_rec"] = np.tri(16)
    others["the mask of 0.w_rec"] = masked
    for sentence, net in others.items():
        before = parameters(net)
        with pytest.raises(ValueError, match=f"x.h5 is a checkpoint of another .*{sentence}"):
            run(net, checkpoint=path, resume=True)
        assert_same(before, net.parameters)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        ({"seed": 9}, "seed is 0 there and 9 here"),
        ({"batch": 32}, "batch is 64 there and 32 here"),
        ({"optimizer": SGD()}, r"optimizer is 'Adam\(.*\)' there and 'SGD\(.*\)' here"),
        ({"l2": 0.5}, "l2 is 0.0 there and 0.5 here"),
        (
            {"task": xor(50.0, delay=400.0)},
            "task is .*'delay': 300.0.* there and .*'delay': 400.0.* here",
        ),
    ],
)
def test_a_checkpoint_of_another_training_is_refused(tmp_path, options, sentence):
    run(updates=20, checkpoint=tmp_path / "x.h5")
    with pytest.raises(ValueError, match=f"x.h5 is a checkpoint of another training: {sentence}"):
        run(checkpoint=tmp_path / "x.h5", resume=True, **options)


def test_checkpoints_that_are_none(tmp_path):
    path = tmp_path / "x.h5"
    with pytest.raises(FileNotFoundError, match="there is no file"):
        run(checkpoint=path, resume=True)
    rate.save(network(), path)
    with pytest.raises(FileExistsError, match="x.h5 exists; .*go on from it with resume=True"):
        run(checkpoint=path)
    with pytest.raises(ValueError, match="it is a model file but no checkpoint"):
        run(checkpoint=path, resume=True)


MISTAKES = [
    ({"batch": 0}, "batch is 0; it must be a whole number, 1 or more"),
    ({"updates": 2.5}, "updates is 2.5"),
    ({"validate_every": 0}, "validate_every is 0"),
    ({"validation_trials": -3}, "validation_trials is -3"),
    ({"seed": -1}, "seed is -1"),
    ({"until": 85}, "until is 85; it must be a finite number above 0 and at most 1"),
    ({"clip": 0.0}, "clip is 0.0; it must be a number above 0"),
    ({"l1": -0.1}, "l1 is -0.1; it must be a finite number, 0 or more"),
    ({"metabolic": math.nan}, "metabolic is nan"),
    ({"rate_regularization": (10.0, -1.0)}, "strength of rate_regularization is -1.0; it must"),
    ({"curriculum": [{}, {}]}, "curriculum has several stages; until must say"),
    ({"curriculum": []}, "curriculum is empty; it must have a stage"),
    ({"resume": True}, "resume is True; checkpoint must then name a file"),
    ({"task": perceptual_decision()}, "inputs is 1 for the network and 2 for the task"),
    ({"task": xor(20.0)}, "dt is 50.0 for the network and 20.0 for the task xor"),
]


@pytest.mark.parametrize(("options", "sentence"), MISTAKES)
def test_a_mistake_gets_a_sentence(options, sentence):
    net = network()
    before = parameters(net)
    with pytest.raises(ValueError, match=sentence):
        run(net, **options)
    assert_same(before, net.parameters)


def test_trials_of_a_wrong_shape_are_told_with_both_shapes():
    def generate(rng, trials):
        return Trials(np.zeros((9, trials, 2)), np.zeros((9, trials, 1)), np.ones((9, trials, 1)))

    task = Task("mine", 1, 1, 50.0, "squared", generate, lambda outputs, trials: 0.0)
    with pytest.raises(ValueError, match=r"inputs of the task mine .*\(9, 64, 2\).*\(9, 64, 1\)"):
        run(task=task)


def test_a_task_of_ones_own_is_trained_on():
    def generate(rng, trials):
        x = rng.standard_normal((9, trials, 1))
        return Trials(x, 0.5 * x, np.ones_like(x))

    def performance(outputs, trials):
        return float(1 - np.mean((outputs - trials.targets) ** 2) / np.var(trials.targets))

    task = Task("half", 1, 1, 50.0, "squared", generate, performance)
    _, history = run(task=task, updates=300)
    assert max(history.performance) > history.performance[0] + 0.3
