"""Readouts of behaviour: what was put into choices is found again."""

import numpy as np
import pytest

from spikesim.analysis import psychometric, slopes
from spikesim.rate import context_integration, perceptual_decision


def draw(task, trials):
    return task.generate(np.random.default_rng(1), trials)


def test_psychometric_curve_counts_choices():
    task = perceptual_decision()
    drawn = draw(task, 500)
    outputs = np.zeros_like(drawn.targets)
    outputs[-1, :, 1] = drawn.conditions["coherence"] > 3
    outputs[-1, :, 0] = 0.5
    coherences, share = psychometric(outputs, drawn)
    np.testing.assert_array_equal(coherences, [-16, -8, -4, -2, -1, 1, 2, 4, 8, 16])
    np.testing.assert_array_equal(share, coherences > 3)


def chosen_with(drawn, motion, colour, rng):
    """Outputs which choose 1 with these slopes of the log odds, the same in both contexts."""
    c = drawn.conditions
    odds = (motion * c["motion"] + colour * c["colour"]) / 50
    chosen = rng.random(odds.shape) < 1 / (1 + np.exp(-odds))
    outputs = np.zeros_like(drawn.targets)
    outputs[-1, :, 1] = chosen - 0.5
    return outputs


def test_slopes_are_found_again():
    drawn = draw(context_integration(), 20_000)
    found = slopes(chosen_with(drawn, 4.0, -1.0, np.random.default_rng(0)), drawn)
    assert found["motion"] == pytest.approx((4.0, -1.0), abs=0.25)
    assert found["colour"] == pytest.approx((-1.0, 4.0), abs=0.25)


def test_slopes_of_a_network_without_errors_are_finite():
    drawn = draw(context_integration(), 1000)
    found = slopes(drawn.targets, drawn)
    for relevant, irrelevant in found.values():
        assert 10 < relevant < 1000 and abs(irrelevant) < 0.1 * relevant
