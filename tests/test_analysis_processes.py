"""Trains that are made are as their docstrings say: closed forms, inside the sampling error."""

import warnings

import numpy as np
import pytest

import spikesim.analysis as analysis

LONG = 200_000.0
MAKE = {
    "poisson": lambda n, rate, **more: analysis.poisson_trains(n, rate, LONG, **more),
    "dead time": lambda n, rate, **more: analysis.poisson_trains(
        n, rate, LONG, dead_time=10.0, **more
    ),
    "gamma": lambda n, rate, **more: analysis.gamma_trains(n, rate, LONG, order=3.0, **more),
    "bursty": lambda n, rate, **more: analysis.bursty_trains(n, rate, LONG, **more),
}


@pytest.mark.parametrize("name", MAKE)
def test_rates_are_as_given_for_each_neuron(name):
    rates = np.r_[0.0, np.linspace(2, 40, 39)]
    trains = MAKE[name](40, rates, seed=1)
    assert trains.size == 40 and (trains.t_start, trains.t_stop) == (0, LONG)
    largest = 7 if name == "bursty" else 1  # Fano factor
    error = np.sqrt(largest * rates * LONG / 1000)
    assert (np.abs(trains.count() - rates * LONG / 1000) <= 4 * error).all()
    assert trains.count()[0] == 0


@pytest.mark.parametrize("name", MAKE)
def test_trains_are_stationary_from_the_first_moment_on(name):
    make = {
        "poisson": lambda: analysis.poisson_trains(20_000, 20.0, 100.0, seed=2),
        "dead time": lambda: analysis.poisson_trains(20_000, 20.0, 100.0, dead_time=30.0, seed=2),
        "gamma": lambda: analysis.gamma_trains(20_000, 20.0, 100.0, order=5.0, seed=2),
        "bursty": lambda: analysis.bursty_trains(20_000, 20.0, 100.0, seed=2),
    }[name]
    counts = make().count(10.0).sum(axis=1)
    largest = 7 if name == "bursty" else 1
    assert (np.abs(counts - 4000) < 4 * np.sqrt(largest * 4000)).all()


def test_intervals_have_their_distributions():
    from scipy import stats

    for trains, distribution in (
        (analysis.poisson_trains(1, 20.0, LONG, seed=3), stats.expon(scale=50)),
        (analysis.poisson_trains(1, 20.0, LONG, dead_time=30.0, seed=3), stats.expon(30, 20)),
        (analysis.gamma_trains(1, 20.0, LONG, order=2.5, seed=3), stats.gamma(2.5, scale=20)),
        (analysis.gamma_trains(1, 20.0, LONG, order=0.4, seed=3), stats.gamma(0.4, scale=125)),
    ):
        assert stats.kstest(trains.intervals()[0], distribution.cdf).pvalue > 0.001


def test_cv_and_fano_factor_are_as_the_docstrings_say():
    dead = MAKE["dead time"](40, 30.0, seed=4)
    assert analysis.cv(dead).mean() == pytest.approx(1 - 0.03 * 10, abs=0.005)
    assert analysis.fano_factor(dead, 2000.0).mean() == pytest.approx(0.7**2, abs=0.03)
    gamma = MAKE["gamma"](40, 30.0, seed=4)
    assert analysis.cv(gamma).mean() == pytest.approx(1 / np.sqrt(3), abs=0.005)
    bursty = analysis.bursty_trains(200, 20.0, LONG, spikes=3.0, interval=6.0, seed=5)
    lengths, b = np.array([1.0, 10.0, 50.0, 1000.0]), 18.0
    expected = 1 + 2 * 2 * (1 - b / lengths * (1 - np.exp(-lengths / b)))
    found = analysis.fano_factor(bursty, lengths).mean(axis=1)
    np.testing.assert_allclose(found, expected, rtol=0.03)


def test_counts_follow_a_rate_that_changes():
    rate = np.array([5.0, 0.0, 60.0, 20.0])
    trains = analysis.inhomogeneous_trains(2000, rate, 400.0, seed=6)
    counts = trains.count(100.0).sum(axis=1)
    expected = rate * 0.1 * 2000
    assert (np.abs(counts - expected) <= 4 * np.sqrt(expected)).all() and counts[1] == 0
    each = analysis.inhomogeneous_trains(3, np.c_[rate, 0 * rate, rate[::-1]], 400_000.0, seed=7)
    assert each.count()[1] == 0 and each.count(100_000.0)[1, 0] == each.count(100_000.0)[2, 2] == 0
    assert abs(each.count()[2] - 8500) < 4 * np.sqrt(8500)


def test_a_function_of_time_is_followed_also_from_a_later_start():
    def rate(t):
        return 30 * (1 + np.sin(2 * np.pi * t / 200))

    trains = analysis.inhomogeneous_trains(500, rate, 2000.0, highest=60.0, t_start=1050.0, seed=8)
    counts = trains.count(50.0).sum(axis=1)
    edges = 1050 + 50 * np.arange(41)
    integral = 30 * edges - 30 * 200 / (2 * np.pi) * np.cos(2 * np.pi * edges / 200)
    expected = np.diff(integral) / 1000 * 500
    assert (np.abs(counts - expected) <= 4.5 * np.sqrt(expected)).all()
    # in the time that is the integral of the rate, intervals are exponential
    assert analysis.fano_factor(trains.align([1050.0], 0, 2000)).size == 500


def test_a_gamma_clock_keeps_the_rate_and_the_irregularity():
    trains = analysis.inhomogeneous_trains(50, np.full(10, 30.0), LONG, order=4.0, seed=9)
    assert analysis.cv(trains).mean() == pytest.approx(0.5, abs=0.005)
    assert trains.rate == pytest.approx(30, rel=0.005)


EVERY = {
    **MAKE,
    "array": lambda n, rate, **more: analysis.inhomogeneous_trains(n, [rate, 2.0], LONG, **more),
    "function": lambda n, rate, **more: analysis.inhomogeneous_trains(
        n, lambda t: rate + 0 * t, LONG, highest=50.0, **more
    ),
}


@pytest.mark.parametrize("name", EVERY)
def test_a_train_depends_on_seed_and_number_alone(name):
    few, many = EVERY[name](3, 10.0, seed=10), EVERY[name](8, 10.0, seed=10)
    assert few == many.select([0, 1, 2])
    assert few != EVERY[name](3, 10.0, seed=11)
    assert EVERY[name](3, 10.0) != EVERY[name](3, 10.0)
    assert not np.intersect1d(few[0], few[1]).size
    later = EVERY[name](3, 10.0, seed=10, t_start=70.0)
    np.testing.assert_allclose(later.times, few.times + 70)
    assert (later.t_start, later.t_stop) == (70, LONG + 70)


def test_nobody_no_rate_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in EVERY:
            assert EVERY[name](0, 5.0, seed=1).size == 0
        for name in MAKE:
            assert len(MAKE[name](4, 0.0, seed=1)) == 0
        assert len(analysis.inhomogeneous_trains(4, [0.0, 0.0], 100.0, seed=1)) == 0
        assert len(analysis.inhomogeneous_trains(4, lambda t: 0 * t, 9.0, highest=0, seed=1)) == 0


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: analysis.poisson_trains(-1, 5.0, 10.0), "size is -1; it must be a whole number"),
        (lambda: analysis.poisson_trains(2, -5.0, 10.0), "rate is -5.0; it must be a rate in Hz"),
        (lambda: analysis.poisson_trains(2, [1, 2, 3], 10.0), r"rate has shape \(3,\); it must"),
        (lambda: analysis.poisson_trains(2, 5.0, 0.0), "duration is 0.0; it must be a finite"),
        (lambda: analysis.poisson_trains(2, 5.0, 9.0, dead_time=200), "dead_time is 200; it must"),
        (lambda: analysis.poisson_trains(2, 5.0, 9.0, t_start=np.nan), "t_start is nan; it must"),
        (lambda: analysis.gamma_trains(2, 5.0, 9.0, order=0), "order is 0; it must be a finite"),
        (lambda: analysis.bursty_trains(2, 5.0, 9.0, spikes=0.5), "spikes is 0.5; it must be"),
        (lambda: analysis.bursty_trains(2, 5.0, 9.0, interval=0), "interval is 0; it must be"),
        (lambda: analysis.inhomogeneous_trains(2, [-1.0], 9.0), "rate is .-1.0.; it must be rates"),
        (lambda: analysis.inhomogeneous_trains(2, [[1.0] * 3], 9.0), r"rate has shape \(1, 3\)"),
        (lambda: analysis.inhomogeneous_trains(2, [5.0], 9.0, highest=6), "highest is 6; it must"),
        (lambda: analysis.inhomogeneous_trains(2, np.abs, 9.0), "highest, which a rate that is a"),
        (
            lambda: analysis.inhomogeneous_trains(2, np.abs, 900.0, highest=30.0, seed=1),
            "rate goes from .* to .* Hz; it must be from 0 to highest, which is 30 Hz",
        ),
        (
            lambda: analysis.inhomogeneous_trains(2, np.sum, 900.0, highest=30.0, seed=1),
            r"rate returned an array of shape \(\) for",
        ),
        (
            lambda: analysis.inhomogeneous_trains(2, np.abs, 9.0, highest=9.0, order=2.0),
            "order is 2.0; it must be 1 where rate is a function",
        ),
    ],
)
def test_bad_input_is_told(call, sentence):
    with pytest.raises(ValueError, match="^" + sentence):
        call()
