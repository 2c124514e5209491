"""Distances between runs: against SciPy, and what they must not depend on."""

import numpy as np
import pytest
from scipy.stats import ks_2samp

from spikesim.analysis import agreement, ks_distance
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


def poisson(seed, rate=20.0, size=80, duration=4000.0):
    rng = np.random.default_rng(seed)
    n = rng.poisson(rate * duration / 1000, size)
    return SpikeTrains(
        rng.uniform(0.01, duration, n.sum()), np.repeat(np.arange(size), n), size, 0, duration
    )


@pytest.mark.parametrize("seed", range(5))
def test_ks_distance_is_that_of_scipy(seed):
    rng = np.random.default_rng(seed)
    a, b = rng.integers(0, 9, 40) / 4, rng.integers(2, 9, 25) / 4  # with ties
    assert ks_distance(a, b) == pytest.approx(ks_2samp(a, b).statistic, abs=1e-12)
    assert ks_distance(np.r_[a, np.nan], b) == ks_distance(a, b)
    assert np.isnan(ks_distance([], b))


def test_runs_of_other_seeds_agree_and_other_rates_do_not():
    same = agreement(poisson(1), poisson(2))
    other = agreement(poisson(1), poisson(3, rate=30.0))
    assert same.rates < 0.3 and same.cvs < 0.3 and same.correlations < 0.1
    assert other.rates > 0.9
    itself = agreement(poisson(1), poisson(1))
    assert (itself.rates, itself.cvs, itself.correlations) == (0, 0, 0)


def test_correlations_are_those_of_counts_without_the_gaps():
    trains = poisson(4, size=6, duration=400.0)
    in_parts = trains.restrict(Windows([0, 201], [100, 301.5]))
    counts = np.concatenate(
        [in_parts.restrict(0, 100).count(2.0), in_parts.restrict(201, 301).count(2.0)]
    )
    r = np.corrcoef(counts, rowvar=False)[np.triu_indices(6, 1)]
    shuffled = poisson(5, size=6, duration=400.0).restrict(0, 200.5)
    expected = np.corrcoef(shuffled.trim(2.0).count(2.0), rowvar=False)[np.triu_indices(6, 1)]
    found = agreement(in_parts, shuffled).correlations
    assert found == pytest.approx(ks_2samp(r, expected).statistic)


def test_silence_has_no_distance():
    silent = SpikeTrains([], [], 5, 0, 100)
    found = agreement(silent, silent)
    assert found.rates == 0 and np.isnan(found.cvs) and np.isnan(found.correlations)
    with pytest.raises(ValueError, match="must last equally long, but last 100 and 90 ms"):
        agreement(silent, silent.restrict(10, 100))
    with pytest.raises(ValueError, match="neurons is 1"):
        agreement(silent, silent, neurons=1)
    with pytest.raises(ValueError, match="bin is 0"):
        agreement(silent, silent, bin=0)


def test_the_last_digits_of_times_make_no_distance():
    times = np.arange(0.1, 1000, 0.3)
    a = SpikeTrains(times, np.zeros(len(times), int), 1, 0, 1000.0)
    b = SpikeTrains(times + 0.013, a.neurons, 1, 0, 1000.0000005)
    assert a.rates() != b.rates() and a.cv() != b.cv()
    assert (agreement(a, b).rates, agreement(a, b).cvs) == (0, 0)
