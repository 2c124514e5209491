"""Trials are what their task says, and outputs are judged as it says."""

import math
import sys

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from spikesim import rate
from spikesim.rate.tasks import (
    TASKS,
    Trials,
    context_integration,
    digits,
    flipflop,
    go_nogo,
    perceptual_decision,
    sine,
    xor,
)

MADE = [name for name in TASKS if name != "digits"]


def draw(task, trials=200, seed=1, **options):
    return task.generate(np.random.default_rng(seed), trials, **options)


@pytest.fixture(scope="module")
def by_row():
    pytest.importorskip("sklearn", reason="scikit-learn holds the images")
    return digits()


@pytest.mark.parametrize("name", MADE)
@settings(max_examples=10, deadline=None)
@given(dt=st.floats(1.0, 40.0), trials=st.integers(1, 9), seed=st.integers(0, 99))
def test_shapes_fit_and_the_targets_are_a_perfect_answer(name, dt, trials, seed):
    task = TASKS[name](dt)
    drawn = draw(task, trials, seed)
    steps = len(drawn.inputs)
    assert drawn.inputs.shape == (steps, trials, task.inputs)
    assert drawn.targets.shape == drawn.mask.shape == (steps, trials, task.outputs)
    assert set(np.unique(drawn.mask)) <= {0, 1} and drawn.mask.any(axis=(0, 2)).all()
    assert all(len(values) == trials for values in drawn.conditions.values())
    assert task.performance(drawn.targets, drawn) == pytest.approx(1.0)
    again = draw(task, trials, seed)
    np.testing.assert_array_equal(drawn.inputs, again.inputs)
    np.testing.assert_array_equal(drawn.targets, again.targets)


@pytest.mark.parametrize("name", MADE)
def test_another_seed_gives_other_trials(name):
    task = TASKS[name]()
    assert not np.array_equal(draw(task, seed=1).inputs, draw(task, seed=2).inputs)


@pytest.mark.parametrize("name", ["perceptual_decision", "context_integration", "go_nogo", "xor"])
def test_a_trial_lasts_as_long_whatever_the_step(name):
    durations = [dt * len(draw(TASKS[name](dt), 1).inputs) for dt in (5.0, 10.0, 25.0)]
    assert max(durations) - min(durations) <= 25.0


def test_evidence_of_random_dots():
    task = perceptual_decision(sigma_in=0.0)
    drawn = draw(task)
    coherence = drawn.conditions["coherence"]
    assert set(coherence) == {s * c for s in (-1, 1) for c in (1, 2, 4, 8, 16)}
    during = drawn.inputs[drawn.periods["stimulus"]]
    np.testing.assert_allclose(during[..., 1] - during[..., 0], np.tile(0.032 * coherence, (40, 1)))
    np.testing.assert_allclose(during.sum(axis=-1), 1.0)
    assert drawn.periods["stimulus"] == slice(5, 45)
    assert not drawn.inputs[:5].any() and not drawn.inputs[45:].any()
    right = (coherence > 0).astype(int)
    final = drawn.targets[-1]
    assert np.all(final[np.arange(200), right] == 1.0) and np.all(final.min(axis=1) == 0.2)
    assert np.all(drawn.targets[:45] == 0.2)
    assert drawn.mask[:5].all() and not drawn.mask[5:45].any() and drawn.mask[45:].all()


@pytest.mark.parametrize("dt", [2.0, 20.0])
def test_filtered_input_noise_does_not_depend_on_the_step(dt):
    task = perceptual_decision(dt, sigma_in=0.02, stimulus=5000.0)
    drawn = draw(task, 100, coherences=[1e-9])
    noise = drawn.inputs[drawn.periods["stimulus"]] - 0.5
    keep, filtered, values = math.exp(-dt / 100), 0.0, []
    for step in noise:
        filtered = keep * filtered + (1 - keep) * step
        values.append(filtered)
    late = np.array(values[round(1000 / dt) :])
    expected = 0.02 * math.sqrt(2 * 100 / dt * (1 - keep) / (1 + keep))
    assert late.std() == pytest.approx(expected, rel=0.03)
    assert expected == pytest.approx(0.02, rel=0.01)


def test_choices_are_those_of_the_last_step():
    task = perceptual_decision()
    drawn = draw(task)
    outputs = np.zeros_like(drawn.targets)
    outputs[:-1, :, 0] = 5.0
    outputs[-1] = drawn.targets[-1]
    assert task.performance(outputs, drawn) == 1.0
    assert task.performance(outputs[..., ::-1], drawn) == 0.0


def test_options_change_one_draw_alone():
    task = perceptual_decision()
    assert set(np.abs(draw(task, coherences=[16.0]).conditions["coherence"])) == {16.0}
    assert len(set(np.abs(draw(task).conditions["coherence"]))) == 5


def test_context_says_which_evidence_counts():
    drawn = draw(context_integration(sigma_in=0.0), 400)
    c = drawn.conditions
    during = drawn.inputs[drawn.periods["stimulus"]][0]
    np.testing.assert_array_equal(during[:, 0], c["context"] == 0)
    np.testing.assert_array_equal(during[:, 1], c["context"] == 1)
    np.testing.assert_allclose(during[:, 3] - during[:, 2], c["motion"] / 100)
    np.testing.assert_allclose(during[:, 5] - during[:, 4], c["colour"] / 100)
    relevant = np.where(c["context"] == 0, c["motion"], c["colour"])
    np.testing.assert_array_equal(c["choice"], relevant > 0)
    assert abs(np.corrcoef(c["motion"], c["colour"])[0, 1]) < 0.2


def chosen_with(drawn, motion, colour, rng):
    """Outputs which choose 1 with these slopes of the log odds, the same in both contexts."""
    c = drawn.conditions
    odds = (motion * c["motion"] + colour * c["colour"]) / 50
    chosen = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
    outputs = np.zeros_like(drawn.targets)
    outputs[-1, :, 1] = chosen - 0.5
    return outputs


def test_performance_is_that_of_the_worse_context():
    task = context_integration()
    drawn = draw(task, 2000)
    outputs = chosen_with(drawn, 500.0, 0.0, np.random.default_rng(0))  # by motion in both
    assert 0.4 < task.performance(outputs, drawn) < 0.6


def test_go_and_nogo():
    task = go_nogo(sigma_in=0.0)
    drawn = draw(task)
    go, dec = drawn.conditions["go"], drawn.periods["decision"]
    assert dec == slice(55, 80)
    np.testing.assert_array_equal(drawn.inputs[10, :, 2], go)
    np.testing.assert_array_equal(drawn.inputs[10, :, 1], 1 - go)
    assert drawn.inputs[:55, :, 0].all() and not drawn.inputs[55:].any()
    assert task.performance(np.ones_like(drawn.targets), drawn) == go.mean()
    assert task.performance(np.zeros_like(drawn.targets), drawn) == 1 - go.mean()


def test_a_flipflop_holds_the_last_pulse():
    drawn = draw(flipflop(), 50)
    for trial in range(50):
        for bit in range(3):
            held, since, last = 0.0, 0, 0.0
            for step in range(100):
                now = drawn.inputs[step, trial, bit]
                if now and step % 2 == 0:  # pulses of 40 ms, side by side at times
                    held, since = now, step
                assert drawn.targets[step, trial, bit] == held
                assert drawn.mask[step, trial, bit] == (step - since >= 5)
                last = now or last
            assert held == last
    starts = drawn.inputs[2::2] != 0
    assert starts.mean() == pytest.approx(0.1, abs=0.01)  # one every 400 ms
    assert np.all(drawn.inputs[0] != 0)


def test_a_flipflop_step_is_right_if_every_bit_is():
    task = flipflop()
    drawn = draw(task)
    outputs = drawn.targets.copy()
    counts = drawn.mask.any(axis=2)
    outputs[..., 0] *= 0.4
    assert task.performance(outputs, drawn) == pytest.approx(
        1 - (drawn.mask[..., 0] > 0)[counts].mean()
    )
    assert task.performance(0.51 * drawn.targets, drawn) == 1.0
    outputs = np.where(drawn.mask > 0, drawn.targets, -drawn.targets)
    assert task.performance(outputs, drawn) == 1.0


def test_the_sine_has_the_frequency_of_the_input():
    task = sine(10.0, frequencies=(2.0, 4.0), duration=1000.0)
    drawn = draw(task, 30)
    frequency = drawn.conditions["frequency"]
    np.testing.assert_allclose(drawn.inputs[0, :, 0], 0.25 + (frequency - 2) / 2)
    for k in range(30):
        t = np.arange(1, 101) / 100
        np.testing.assert_allclose(drawn.targets[:, k, 0], np.sin(2 * np.pi * frequency[k] * t))
    assert task.performance(0 * drawn.targets, drawn) == pytest.approx(0.0, abs=0.02)
    assert task.performance(10 * drawn.targets, drawn) == 0.0
    assert task.performance(0.9 * drawn.targets, drawn) == pytest.approx(0.99, abs=1e-3)


def test_xor_of_two_pulses():
    task = xor()
    drawn = draw(task)
    first, second = drawn.conditions["first"], drawn.conditions["second"]
    np.testing.assert_array_equal(drawn.inputs[drawn.periods["first"]][0, :, 0], first)
    np.testing.assert_array_equal(drawn.inputs[drawn.periods["second"]][-1, :, 0], second)
    np.testing.assert_array_equal(drawn.targets[-1, :, 0] > 0, first != second)
    assert len({*zip(first, second, strict=True)}) == 4
    assert task.performance(-drawn.targets, drawn) == 0.0
    assert not drawn.inputs[drawn.periods["delay"]].any()


def test_digits_are_seen_row_by_row_pixel_by_pixel_or_at_once(by_row):
    rows, pixels = draw(by_row, 7), draw(digits(by="pixel", hold=40.0), 7)
    image = draw(digits(by="image"), 7)
    assert rows.inputs.shape == (8, 7, 8) and pixels.inputs.shape == (128, 7, 1)
    np.testing.assert_array_equal(image.inputs[0].reshape(7, 8, 8).swapaxes(0, 1), rows.inputs)
    assert image.mask.shape == (1, 7) and image.mask.all()
    np.testing.assert_array_equal(
        pixels.inputs[::2, :, 0].T.reshape(7, 8, 8).swapaxes(0, 1), rows.inputs
    )
    assert rows.inputs.min() == 0 and rows.inputs.max() == 1
    assert rows.mask[-1].all() and not rows.mask[:-1].any()
    np.testing.assert_array_equal(rows.targets[-1], rows.conditions["digit"])
    outputs = np.zeros((8, 7, 10))
    outputs[-1, np.arange(7), rows.targets[-1]] = 1
    assert by_row.performance(outputs, rows) == 1.0
    assert by_row.performance(-outputs, rows) == 0.0


def test_no_image_is_both_trained_on_and_tested_with(by_row):
    def images(options, trials):
        drawn = draw(by_row, trials, **options)
        return [image.tobytes() for image in drawn.inputs.swapaxes(0, 1)]

    training = set(images({}, 30_000))
    validation, test = images(by_row.validation, 270), images(by_row.test, 270)
    assert len(training) == 1257 and len(set(validation)) == len(set(test)) == 270
    assert not training & set(validation) and not training & set(test)
    assert not set(validation) & set(test)


def test_digits_without_scikit_learn(monkeypatch):
    sys.modules[digits.__module__]._images.cache_clear()
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(ImportError, match="digits needs scikit-learn; install it with"):
        digits()


@pytest.mark.parametrize("name", TASKS)
def test_a_task_that_is_listed_is_public(name):
    assert getattr(rate, name) is TASKS[name]


MISTAKES = [
    (perceptual_decision, {"dt": 0.0}, "dt is 0.0; it must be a finite number of ms above 0"),
    (perceptual_decision, {"coherences": []}, r"coherences is \[\]; it must be numbers above 0"),
    (perceptual_decision, {"coherences": [0.0]}, "coherences is"),
    (
        perceptual_decision,
        {"sigma_in": -1.0},
        "sigma_in is -1.0; it must be a finite number, 0 or more",
    ),
    (context_integration, {"stimulus": math.nan}, "stimulus is nan"),
    (go_nogo, {"delay": "long"}, "delay is 'long'"),
    (flipflop, {"bits": 0}, "bits is 0; it must be a whole number"),
    (flipflop, {"interval": 10.0}, "interval is 10 ms; it must be at least pulse"),
    (sine, {"frequencies": (1.0, 30.0)}, "frequencies is .*25 Hz"),
    (sine, {"frequencies": 3.0}, "frequencies is 3.0; it must be two numbers of Hz"),
    (xor, {"response": -5.0}, "response is -5.0"),
    (digits, {"by": "column"}, "by is 'column'; it must be 'row', 'pixel' or 'image'"),
]


@pytest.mark.parametrize(("make", "arguments", "sentence"), MISTAKES)
def test_a_mistake_gets_a_sentence(make, arguments, sentence):
    with pytest.raises(ValueError, match=f"^{make.__name__}: {sentence}"):
        make(**arguments)


def test_a_task_of_ones_own_needs_nothing_but_inputs_targets_and_mask():
    trials = Trials(np.zeros((3, 2, 1)), np.zeros((3, 2, 1)), np.ones((3, 2, 1)))
    assert trials.conditions == {} and trials.periods == {}


def test_kim_go_nogo_is_judged_on_one_side_or_on_both():
    one, two = rate.kim_go_nogo(criterion="one-sided"), rate.kim_go_nogo()
    trials = two.generate(np.random.default_rng(0), 40)
    assert trials.inputs.shape == (200, 40, 1) and trials.periods["response"] == slice(75, 200)
    assert np.array_equal(trials.inputs[50:75, :, 0], np.tile(trials.conditions["go"], (25, 1)))
    good = trials.targets * 0.8
    assert one.performance(good, trials) == two.performance(good, trials) == 1.0
    low = np.where(trials.conditions["go"][:, None] == 1, good, -0.5)
    assert one.performance(low, trials) == 1.0
    assert two.performance(low, trials) == np.mean(trials.conditions["go"])
    between = np.full_like(good, 0.5)
    assert two.performance(between, trials) == one.performance(between, trials) == 0.0
    early = np.zeros_like(good)
    early[:75] = 1.0
    assert np.all(two.decide(early, trials) == 0)


def test_kim_mante_is_judged_on_one_side_or_on_both():
    one, two = rate.kim_mante(criterion="one-sided"), rate.kim_mante()
    trials = two.generate(np.random.default_rng(0), 400)
    shown, c = trials.periods["stimulus"], trials.conditions
    assert trials.inputs.shape == (500, 400, 4) and shown == slice(50, 250)
    asked = np.where(c["context"] == 0, c["first"], c["second"])
    assert np.array_equal(asked, c["answer"])
    assert np.array_equal(trials.inputs[-1, :, 2:].argmax(axis=1), c["context"])
    means = trials.inputs[shown, :, :2].mean(axis=0)
    assert np.abs(means * np.stack([c["first"], c["second"]], 1) - 0.5).max() < 5 / np.sqrt(200)
    assert trials.inputs[:50, :, :2].any() == trials.inputs[250:, :, :2].any() == False  # noqa: E712
    good = 0.8 * trials.targets
    assert one.performance(good, trials) == two.performance(good, trials) == 1.0
    both = good.copy()
    both[270] = -0.75 * trials.targets[270]
    assert one.performance(both, trials) == 1.0 and two.performance(both, trials) == 0.0
    at_once = good.copy()
    at_once[252] = -0.9 * trials.targets[252]  # within 50 ms
    assert two.performance(at_once, trials) == 1.0
    assert np.all(two.decide(0.5 * good, trials) == 0)


@pytest.mark.parametrize("dt", [5.0, 20.0])
def test_what_an_integrator_makes_of_mantes_noise_does_not_depend_on_dt(dt):
    trials = rate.kim_mante(dt).generate(np.random.default_rng(1), 2000)
    total = trials.inputs[trials.periods["stimulus"], :, 0].sum(axis=0) * dt
    assert np.std(np.abs(total)) == pytest.approx(np.sqrt(1000 * 5), rel=0.1)


@pytest.mark.parametrize("space", ["box", "ring"])
def test_velocity_adds_up_to_the_position(space):
    task = rate.path_integration(space=space)
    trials = task.generate(np.random.default_rng(0), 50)
    if space == "box":
        position = np.cumsum(trials.inputs * 0.5 * 0.02, axis=0)
        assert np.allclose(position / 0.5, trials.targets)
        assert np.abs(position).max() <= 0.47 + 1e-9 and np.abs(position).max() > 0.4
        assert np.allclose(position[-1].T, [trials.conditions[name] for name in "xy"])
        speed = np.linalg.norm(trials.inputs, axis=2) * 0.5
        assert speed.mean() == pytest.approx(0.2, rel=0.15)
    else:
        angle = np.cumsum(trials.inputs[:, :, 0] * 360 * 0.02, axis=0)
        assert np.allclose(np.cos(np.deg2rad(angle)), trials.targets[:, :, 0])
        assert np.allclose(np.sin(np.deg2rad(angle)), trials.targets[:, :, 1])
        assert np.std(trials.inputs) == pytest.approx(0.5, rel=0.1)
    assert task.performance(trials.targets, trials) == 1.0
    assert task.performance(np.zeros_like(trials.targets), trials) < 0.05


@pytest.mark.parametrize("space", ["box", "ring"])
def test_place_cells_fire_around_their_centres(space):
    task = rate.path_integration(space=space, targets="places", cells=30)
    trials = task.generate(np.random.default_rng(0), 20)
    assert task.outputs == 30 and trials.targets.shape[2] == 30
    assert trials.targets.max() <= 1 and 0.02 < trials.targets.mean() < 0.5
    if space == "ring":  # at 0 at first: the cell there fires, the one opposite does not
        assert np.all(trials.targets[0, :, 0] > 0.8) and np.all(trials.targets[0, :, 15] < 1e-3)


DECISIONS = [name for name in MADE if TASKS[name]().decide is not None]


@pytest.mark.parametrize("name", DECISIONS)
def test_a_decision_is_right_where_the_trial_is(name):
    """Performance is the share of trials whose decision is that of the targets."""
    task = TASKS[name]()
    trials = task.generate(np.random.default_rng(2), 64)
    right = task.decide(trials.targets, trials)
    outputs = trials.targets.copy()
    outputs[:, ::3] = outputs[:, ::3][:, :, ::-1] if task.outputs > 1 else -outputs[:, ::3]
    found = task.decide(outputs, trials)
    if name != "context_integration":  # the worse context
        assert np.mean(found == right) == pytest.approx(task.performance(outputs, trials))
    assert np.array_equal(found[1::3], right[1::3]) and not np.array_equal(found, right)
