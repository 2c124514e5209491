"""Streams by purpose: as they always were, and none like another."""

from itertools import combinations

import numpy as np
import pytest

from spikesim import analysis, rate
from spikesim.random import derive_key, generator, stream


def same(one, other):
    return np.array_equal(one.random(20), other.random(20))


@pytest.mark.parametrize("seed", [0, 7, 2**40])
def test_purposes_of_before_give_the_numbers_of_before(seed):
    first, second = np.random.SeedSequence(seed).spawn(2)
    assert same(stream(seed, "initial parameters", 0), np.random.default_rng(first))
    assert same(stream(seed, "initial parameters", 1), np.random.default_rng(second))
    names = "training trials", "training noise", "validation", "test"
    for number, name in enumerate(names):
        kept = np.random.SeedSequence(seed, spawn_key=(number, 5))
        assert same(stream(seed, name, 5), np.random.default_rng(kept))
    assert same(stream(seed, "noise"), np.random.default_rng(seed))
    assert same(stream(seed, "split of images"), np.random.default_rng(seed))


def test_a_new_purpose_has_numbers_of_its_own():
    streams = [
        ("areas",),
        ("FORCE",),
        ("areas", 1),
        ("areas", 2),
        ("noise",),
        ("training noise", 1),
        ("initial parameters", 1),
    ]
    drawn = {purpose: stream(3, *purpose).random(20) for purpose in streams}
    for one, other in combinations(streams, 2):
        assert not np.array_equal(drawn[one], drawn[other])
    assert same(stream(3, "areas"), stream(3, "areas"))
    assert not same(stream(3, "areas"), stream(4, "areas"))
    assert same(stream(3, "areas", 1), generator(3, "areas", 1))


@pytest.mark.parametrize("purpose", ["noise", "areas"])
def test_without_a_seed_numbers_are_others_every_time(purpose):
    assert not same(stream(None, purpose), stream(None, purpose))


def test_areas_force_and_feedback_of_one_seed_share_no_numbers():
    mask = rate.areas({"all": 40}, 0.5, seed=3)
    force = rate.Force(40, p=0.5, seed=3)
    assert not np.array_equal(mask, np.random.default_rng(3).random((40, 40)) < 0.5)
    assert not np.array_equal(mask, force.w_rec != 0)
    net = rate.RateNetwork([rate.LIFCell(40)], 1, 40, 1.0, dtype="float64")
    feedback = rate.EProp(net, "random", seed=3)._feedback
    found, plain = force.w_rec != 0, np.random.default_rng(3).standard_normal((40, 40))
    for drawn in (feedback / feedback[0, 0], plain / plain[0, 0]):
        assert not np.allclose(force.w_rec[found] / force.w_rec[found][0], drawn[found])
    assert not np.allclose(feedback / feedback[0, 0], plain / plain[0, 0])


NO_SEEDS = [1.5, "a", True, np.float64(2), [1, 2]]


@pytest.mark.parametrize("seed", NO_SEEDS)
def test_what_is_no_whole_number_is_no_seed(seed):
    told = r"^seed is .*; it must be a whole number\.$"
    for purpose in ("noise", "areas"):
        with pytest.raises(ValueError, match=told):
            stream(seed, purpose)
    if not isinstance(seed, str):  # a name is a first part, too
        for keyed in (derive_key, generator):
            with pytest.raises(ValueError, match=told):
                keyed(seed, "jitter")


def test_a_key_needs_a_seed():
    with pytest.raises(ValueError, match=r"^seed is None; it must be a whole number\.$"):
        derive_key(None, "jitter")
    trains = analysis.poisson_trains(1, 20.0, 500.0, seed=1)
    with pytest.raises(ValueError, match="^seed is None"):
        trains.jitter(5.0, None)


@pytest.mark.parametrize("seed", NO_SEEDS)
def test_analysis_refuses_what_is_no_seed(seed):
    trains = analysis.poisson_trains(2, 20.0, 500.0, seed=np.int64(-1))
    aligned = trains.align(np.arange(50.0, 450.0, 10), 20.0, 20.0)
    jitter = analysis.Jitter(5.0)
    calls = [
        lambda: analysis.poisson_trains(2, 20.0, 500.0, seed=seed),
        lambda: analysis.gamma_trains(2, 0.0, 500.0, order=2, seed=seed),
        lambda: jitter(trains, seed),
        lambda: analysis.surrogate_seed(seed, 1),
        lambda: analysis.surrogate_test(analysis.lv, trains, jitter, n=5, seed=seed),
        lambda: analysis.correlogram_test(trains, 1.0, 5.0, jitter, n=39, seed=seed),
        lambda: analysis.agreement(trains, trains, neurons=2, seed=seed),
        lambda: analysis.psth(aligned, 10.0, interval="bootstrap", seed=seed),
        lambda: analysis.psth_latency(aligned, seed=seed),
        lambda: analysis.information([1, 2] * 8, [1, 2] * 8, shuffles=5, seed=seed),
        lambda: analysis.rank_order(np.random.default_rng(1).random((5, 4)), seed=seed),
    ]
    for call in calls:
        with pytest.raises(ValueError, match=r"^seed is .*; it must be a whole number\.$"):
            call()
