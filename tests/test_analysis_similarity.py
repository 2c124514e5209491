"""Alignment of populations, against its definition and where it is known."""

from itertools import permutations

import numpy as np
import pytest

from spikesim.analysis import cka


def slow_hsic(k, other):
    """Unbiased over stimuli: the U-statistic of order four, by its definition."""
    n = len(k)
    total = count = 0.0
    for i, j, q, r in permutations(range(n), 4):
        total += k[i, j] * (other[i, j] + other[q, r] - 2 * other[i, q])
        count += 1
    return total / count


def slow_cka(x, y, neurons):
    def pairs(a, b, without):
        found = [
            slow_hsic(np.outer(a[:, f], a[:, f]), np.outer(b[:, g], b[:, g]))
            for f in range(a.shape[1])
            for g in range(b.shape[1])
            if not (without and f == g)
        ]
        return np.mean(found)

    own = neurons != "all"
    return pairs(x, y, neurons == "paired") / np.sqrt(pairs(x, x, own) * pairs(y, y, own))


@pytest.mark.parametrize("neurons", ["all", "sampled", "paired"])
def test_it_is_its_definition(neurons):
    rng = np.random.default_rng(0)
    latent = 3 * rng.standard_normal((8, 1))
    x, y = (latent + rng.standard_normal((8, n)) + 5 for n in (3, 3 if neurons == "paired" else 4))
    assert cka(x, y, neurons=neurons) == pytest.approx(slow_cka(x, y, neurons))


def test_rotation_scale_and_shift_do_not_matter():
    rng = np.random.default_rng(1)
    x, y = rng.standard_normal((2, 60, 5)) @ rng.standard_normal((5, 5))
    turned = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    assert cka(x, y) == pytest.approx(cka(y, x))
    assert cka(3e-160 * x, y) == pytest.approx(cka(x, y) + 0)
    assert cka(3 * x + 7, y) == pytest.approx(cka(x, y))
    assert cka(x @ turned, x) == pytest.approx(1)
    assert cka(x, x, neurons="paired") == pytest.approx(1)


@pytest.mark.parametrize(("stimuli", "neurons"), [(10, 300), (300, 10)])
def test_unrelated_populations_are_at_0_however_few(stimuli, neurons):
    rng = np.random.default_rng(2)
    shared = rng.standard_normal((stimuli, 4))
    found = []
    for _ in range(40):
        x, y = rng.standard_normal((2, stimuli, neurons))
        x += 3 * shared @ rng.standard_normal((4, neurons))
        y += 3 * rng.standard_normal((stimuli, 4)) @ rng.standard_normal((4, neurons))
        found.append(cka(x, y))
    assert abs(np.mean(found)) < 4 * np.std(found) / np.sqrt(40) + 0.01


def test_few_neurons_of_the_same_population_are_at_1():
    rng = np.random.default_rng(3)
    latent = rng.standard_normal((200, 3))
    found = []
    for _ in range(60):
        x, y = (latent @ rng.standard_normal((2, 3, 8))) + rng.standard_normal((2, 200, 8))
        found.append(cka(x, y, neurons="sampled"))
    assert np.median(found) == pytest.approx(1, abs=0.15)


@pytest.mark.parametrize(
    ("x", "y", "told"),
    [
        (np.zeros((3, 4)), np.zeros((3, 4)), "x has shape"),
        (np.zeros((5, 4)), np.zeros((5, 1)), "y has shape"),
        (np.zeros((5, 4)), np.zeros((6, 4)), "x has 5 stimuli and y 6"),
        (np.full((5, 4), np.inf), np.zeros((5, 4)), "x is not all finite"),
    ],
)
def test_bad_arguments(x, y, told):
    with pytest.raises(ValueError, match=told):
        cka(x, y)


def test_what_tells_nothing_apart_has_none():
    assert np.isnan(cka(np.ones((6, 3)), np.random.default_rng(0).standard_normal((6, 3))))
