"""Phase locking: Rayleigh against chance and astropy, consistency by loops, shifts by a twin."""

import itertools
import warnings

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import stats

from spikesim.analysis import (
    Phase,
    pairwise_phase_consistency,
    periodic_phase,
    phase_locking,
    phase_rates,
    rayleigh_test,
)
from spikesim.analysis.phases.kernels_shift import locking, shifted
from spikesim.analysis.phases.locking import _longer, _rayleigh
from spikesim.analysis.phases.phase import resampled
from spikesim.analysis.phases.stretches import stretches
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows
from spikesim.kernels.keyed import row_key

CLOCK = periodic_phase(125.0)


def locked(kappa=1.0, size=3, n=200, seed=1, duration=25_000.0, support=None):
    """Trains whose spikes prefer phases 1, 2, 3, ... of the clock."""
    rng = np.random.default_rng(seed)
    neurons = np.repeat(np.arange(size), n)
    cycles = rng.integers(0, int(duration / 125.0), neurons.size)
    phases = rng.vonmises(1.0 + neurons, kappa)
    times = 125.0 * (cycles + phases % (2 * np.pi) / (2 * np.pi))
    kept = (times > 0) if support is None else support.contains(times)
    where = {"support": support} if support is not None else {"t_start": 0.0, "t_stop": duration}
    return SpikeTrains(times[kept], neurons[kept], size, **where)


# Rayleigh.


@pytest.mark.parametrize("n", [2, 3, 4, 5, 8, 20, 49, 50, 200])
def test_rayleighs_p_is_how_often_chance_gives_as_long_a_mean(n):
    rng = np.random.default_rng(n)
    size = 1_000_000 // n
    lengths = np.sort(np.abs(np.exp(2j * np.pi * rng.random((size, n))).mean(axis=1)))
    for p in (0.5, 0.05, 0.01):
        length = lengths[int(size * (1 - p))]
        # Two heaps of angles, as far apart as it takes to have this mean.
        turn = np.arccos(min(length, 1.0))
        if n % 2 == 0:
            angles = np.repeat([turn, -turn], n // 2)
        else:
            turn = np.arccos((length * n - 1) / (n - 1))
            angles = np.concatenate([np.repeat([turn, -turn], n // 2), [0.0]])
        assert rayleigh_test(angles) == pytest.approx(p, abs=4 * np.sqrt(p * (1 - p) / size))


def test_rayleighs_p_of_many_angles_is_that_of_astropy():
    astropy = pytest.importorskip("astropy.stats")
    rng = np.random.default_rng(0)
    for n in (50, 100, 1000):
        angles = rng.vonmises(0.0, 0.3, n)
        # From 50 on astropy leaves out the correction of order 1 / n, which is ours.
        z = n * np.abs(np.exp(1j * angles).mean()) ** 2
        first = 1 + (2 * z - z**2) / (4 * n)
        second = (24 * z - 132 * z**2 + 76 * z**3 - 9 * z**4) / (288 * n**2)
        theirs = float(astropy.rayleightest(angles))
        assert theirs == pytest.approx(np.exp(-z), rel=1e-10)
        assert rayleigh_test(angles) == pytest.approx(theirs * (first - second), rel=1e-10)
    # Below 50, theirs is the expansion, ours exact.
    angles = rng.vonmises(0.0, 0.8, 40)
    assert rayleigh_test(angles) == pytest.approx(float(astropy.rayleightest(angles)), rel=1e-2)
    angles = np.array([0.0, 1.3, 1.0, -0.9, 0.2])
    assert rayleigh_test(angles) > 1.02 * float(astropy.rayleightest(angles))


@pytest.mark.parametrize("p", [0.5, 0.05, 1e-3])
def test_rayleighs_p_goes_on_where_the_exact_series_ends(p):
    length = np.sqrt(-np.log(p) / 50)
    assert _rayleigh(50, length) == pytest.approx(_longer(50, length), rel=3e-4)


def test_rayleighs_p_where_there_is_little():
    assert np.isnan(rayleigh_test([])) and np.isnan(rayleigh_test([np.nan]))
    assert rayleigh_test([1.0]) == 1.0
    assert rayleigh_test([1.0, 1.0]) == pytest.approx(0.0)
    assert 0 <= rayleigh_test(np.zeros(3)) < 1e-3
    assert 0 < rayleigh_test(np.zeros(30)) < 1e-12


@given(st.integers(2, 60), st.floats(0.0, 0.98), st.floats(0.001, 0.02))
def test_rayleighs_p_falls_with_the_length(n, length, more):
    assert _rayleigh(n, length + more) <= _rayleigh(n, length) + 1e-6


# Pairwise phase consistency.


def twin_of_ppc(phases, trials, kind):
    pairs = []
    for j, k in itertools.combinations(range(len(phases)), 2):
        if kind == 0 or trials[j] != trials[k]:
            pairs.append((trials[j], trials[k], np.cos(phases[j] - phases[k])))
    if kind < 2:
        return np.mean([cos for *_, cos in pairs]) if pairs else np.nan
    means = {}
    for a, b, cos in pairs:
        means.setdefault((min(a, b), max(a, b)), []).append(cos)
    return np.mean([np.mean(each) for each in means.values()]) if means else np.nan


@given(
    st.lists(st.tuples(st.floats(0, 6.28), st.integers(0, 4)), min_size=0, max_size=25),
    st.sampled_from([0, 1, 2]),
)
def test_consistency_is_the_mean_cosine_over_pairs(spikes, kind):
    phases = np.array([phase for phase, _ in spikes])
    trials = np.array([trial for _, trial in spikes], int)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        ours = pairwise_phase_consistency(phases, trials, kind)
    np.testing.assert_allclose(ours, twin_of_ppc(phases, trials, kind), atol=1e-10)


def test_consistency_has_no_bias_by_the_number_of_spikes():
    rng = np.random.default_rng(0)
    few = [pairwise_phase_consistency(rng.vonmises(0, 1.0, 5)) for _ in range(20_000)]
    length = 0.4463899658965345  # I1(1) / I0(1)
    assert np.mean(few) == pytest.approx(length**2, abs=4 * np.std(few) / np.sqrt(20_000))


def test_consistency_over_trials_is_0_of_trials_each_with_a_phase_of_its_own():
    rng = np.random.default_rng(0)
    trials = np.repeat(np.arange(300), 10)
    phases = rng.uniform(0, 2 * np.pi, 300)[trials] + 0.1 * rng.normal(size=3000)
    assert pairwise_phase_consistency(phases) > 2e-3
    assert abs(pairwise_phase_consistency(phases, trials, 1)) < 0.01


def test_bad_consistency():
    with pytest.raises(ValueError, match="trials must be given for kind 1"):
        pairwise_phase_consistency([0.0, 1.0], kind=1)
    with pytest.raises(ValueError, match="as many"):
        pairwise_phase_consistency([0.0, 1.0], [1], kind=1)
    with pytest.raises(ValueError, match="kind is 3"):
        pairwise_phase_consistency([0.0, 1.0], kind=3)


# Of whole populations.


def test_locking_of_each_neuron_is_that_of_its_spikes():
    trains = locked(kappa=1.0)
    found = phase_locking(trains, CLOCK, shifts=0)
    for i, times in enumerate(trains):
        phases = CLOCK.at(times)
        vector = np.exp(1j * phases).mean()
        assert found.n[i] == times.size
        assert found.mean[i] == pytest.approx(np.angle(vector) % (2 * np.pi))
        assert found.length[i] == pytest.approx(np.abs(vector))
        assert found.ppc[i] == pytest.approx(pairwise_phase_consistency(phases))
        assert found.p_rayleigh[i] == pytest.approx(rayleigh_test(phases), rel=1e-9)
    np.testing.assert_allclose(found.mean, [1, 2, 3], atol=0.2)
    np.testing.assert_allclose(found.kappa, 1.0, atol=0.3)
    assert np.isnan(found.p).all() and "3 neurons" in repr(found)


def test_elephants_mean_vector():
    pytest.importorskip("elephant")
    from elephant.phase_analysis import mean_phase_vector

    trains = locked()
    found = phase_locking(trains, CLOCK, shifts=0)
    for i, times in enumerate(trains):
        mean, length = mean_phase_vector(CLOCK.at(times))
        assert found.mean[i] == pytest.approx(mean % (2 * np.pi), abs=1e-10)
        assert found.length[i] == pytest.approx(length, abs=1e-10)


def test_shifts_find_locking_to_a_clock_and_nothing_else():
    found = phase_locking(locked(kappa=0.7), CLOCK, shifts=199, seed=1)
    np.testing.assert_array_equal(found.p, 1 / 200)
    found = phase_locking(locked(kappa=0.0, size=40, seed=3), CLOCK, shifts=199, seed=1)
    assert 0.3 < found.p.mean() < 0.7
    np.testing.assert_array_less(np.abs(found.expected), 0.05)


def test_shifts_know_that_phases_last_unevenly_long():
    t = np.arange(30_001.0)
    angle = 2 * np.pi * t / 125.0
    uneven = Phase(t, angle + 0.8 * np.sin(angle), np.ones(t.size, bool))
    rng = np.random.default_rng(0)
    times = rng.uniform(1.0, 30_000.0, 4000)
    trains = SpikeTrains(times, np.repeat(np.arange(20), 200), 20, 0.0, 30_001.0)
    found = phase_locking(trains, uneven, shifts=199, seed=0)
    assert np.all(found.p_rayleigh < 0.05) and np.mean(found.p < 0.05) < 0.2
    mean = np.exp(1j * uneven.unwrapped[:30_000]).mean()
    np.testing.assert_allclose(found.expected, mean, atol=0.03)


def test_sums_over_shifted_spikes_are_those_of_a_twin():
    support = Windows([0.0, 12_000.0], [9000.0, 25_000.0])
    trains = locked(kappa=0.2, size=4, n=50, support=support)
    even = resampled(CLOCK, 0.0, 25_000.0)
    cut = stretches(trains, even, 700.0)
    assert cut.lengths.sum() == pytest.approx(22_000.0) and np.all(cut.lengths > 600)
    sums, key = np.empty((31, 4, 3)), np.uint64(7)
    arrays = cut.times, cut.offsets, cut.stretch, cut.starts, cut.lengths
    locking(*arrays, even.values, even.start, even.step, key, 30, sums)
    turns = []
    for m, i in itertools.product(range(31), range(4)):
        mine = slice(*cut.offsets[i : i + 2])
        moved, stretch = cut.times[mine].copy(), cut.stretch[mine]
        of_neuron = np.uint64(row_key(np.uint64(row_key(key, m)), i))
        for j, w in enumerate(stretch if m else ()):
            start, length = cut.starts[w], cut.lengths[w]
            at = shifted(moved[j], start, length, of_neuron, w)
            turns.append((m, i, w, (at - moved[j]) / length % 1))
            assert start <= at <= start + length
            moved[j] = at
        phases = CLOCK.at(moved)
        expected = [np.cos(phases).sum(), np.sin(phases).sum(), moved.size]
        np.testing.assert_allclose(sums[m, i], expected, atol=1e-8)
    by_stretch = {}
    for *where, turn in turns:
        by_stretch.setdefault(tuple(where), []).append(turn)
    # All spikes of a stretch go on by the same, and stretches by amounts that are spread evenly.
    assert all(np.ptp(np.cos(2 * np.pi * np.array(each))) < 1e-9 for each in by_stretch.values())
    drawn = [each[0] for each in by_stretch.values()]
    assert stats.kstest(drawn, "uniform").pvalue > 0.01


def test_surrogates_depend_neither_on_their_number_nor_on_other_neurons():
    trains = locked(kappa=0.2, size=4, n=50)
    every = phase_locking(trains, CLOCK, shifts=99, seed=5)
    again = phase_locking(trains, CLOCK, shifts=99, seed=5)
    np.testing.assert_array_equal(every.p, again.p)
    first = phase_locking(trains.select([0]), CLOCK, shifts=99, seed=5)
    assert first.p[0] == every.p[0]
    assert np.any(phase_locking(trains, CLOCK, shifts=99, seed=6).p != every.p)


def test_spikes_without_a_phase_do_not_count():
    trains = locked(size=1, n=100)
    part = Phase([5000.0, 15_000.0], [0.0, 80 * 2 * np.pi], [True, True])
    found = phase_locking(trains, part, shifts=19, seed=0)
    inside = (trains.times >= 5000) & (trains.times <= 15_000)
    assert found.n[0] == inside.sum() and 0 < found.p[0] <= 1


def test_trains_with_few_spikes_or_none():
    trains = SpikeTrains([500.0], [1], 3, 0.0, 1000.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = phase_locking(trains, CLOCK, shifts=19, seed=0)
        empty = phase_locking(SpikeTrains([], [], 0, 0.0, 1.0), CLOCK, shifts=19)
        nowhere = phase_locking(trains, Phase([0.0, 1.0], [0.0, 1.0], [True, True]), shifts=19)
        still = Phase([0.0, 1000.0], [1.0, 1.0], [True, True])
        stuck = phase_locking(trains, still, shifts=19, seed=0)
    assert stuck.p[1] == 1 and np.isnan(still.mean_period)
    np.testing.assert_array_equal(found.n, [0, 1, 0])
    assert np.isnan(found.length[0]) and np.isnan(found.p[0]) and found.length[1] == 1
    assert np.isnan(found.ppc[1]) and found.p_rayleigh[1] == 1
    assert empty.n.shape == (0,) and np.isnan(nowhere.p).all()


def test_bad_windows():
    with pytest.raises(ValueError, match="window is 0"):
        phase_locking(locked(), CLOCK, window=0)
    with pytest.raises(ValueError, match="shifts is -1"):
        phase_locking(locked(), CLOCK, shifts=-1)


# Rates by phase.


def test_rates_by_phase_count_spikes_and_time():
    support = Windows([100.0, 12_000.0], [9000.0, 25_000.0])
    trains = locked(size=2, n=300, support=support)
    found = phase_rates(trains, CLOCK, 8)
    for i, times in enumerate(trains):
        expected = np.histogram(CLOCK.at(times), found.edges)[0]
        np.testing.assert_array_equal(found.counts[i], expected)
    assert found.lasting.sum() == pytest.approx(support.duration)
    fine = np.concatenate([np.arange(a, b, 0.01) + 0.005 for a, b in support])
    expected = np.histogram(CLOCK.at(fine), found.edges)[0] * 0.01
    np.testing.assert_allclose(found.lasting, expected, rtol=2e-3)
    np.testing.assert_allclose(found.rates, 1000 * found.counts / found.lasting)


def test_phases_that_never_were_have_no_rate():
    phase = Phase([0.0, 100.0], [0.0, 3.0], [True, True])
    found = phase_rates(SpikeTrains([50.0, 200.0], [0, 0], 1, 0.0, 300.0), phase, 4)
    assert np.isnan(found.rates[0, 2:]).all() and found.counts.sum() == 1
    assert found.lasting.sum() == pytest.approx(100.0, abs=2.0)


def silent(support):
    return SpikeTrains([], [], 1, support=support)


def test_time_is_shared_out_over_the_bins_of_a_clock():
    support = Windows([30.0, 700.0, 1111.0], [650.0, 710.0, 3000.0])
    fine = np.concatenate([np.arange(a, b, 0.005) + 0.0025 for a, b in support])
    for bins in range(1, 101):
        whole = phase_rates(silent(Windows(0.0, 1250.0)), CLOCK, bins).lasting
        np.testing.assert_allclose(whole, 1250.0 / bins, rtol=1e-9)
        found = phase_rates(silent(support), CLOCK, bins).lasting
        expected = np.bincount((CLOCK.at(fine) * bins / (2 * np.pi)).astype(int), minlength=bins)
        np.testing.assert_allclose(found, 0.005 * expected, atol=0.2)
        assert found.sum() == pytest.approx(support.duration, rel=1e-12)


@pytest.mark.parametrize("bins", [1, 7, 24, 64, 100])
@pytest.mark.parametrize("back", [False, True])
def test_time_in_bins_of_an_asymmetric_oscillation_is_that_of_fine_steps(bins, back):
    """Of samples so far apart that a step spans many bins, with stretches that are not valid."""
    rng = np.random.default_rng(bins)
    times = np.cumsum(rng.uniform(5.0, 40.0, 300))
    turns = times / 125.0 + 0.12 * np.sin(2 * np.pi * times / 125.0)
    turns += 0.05 * rng.standard_normal(300) if back else 0.0  # the phase may step back
    valid = rng.random(300) < 0.9
    unwrapped = np.where(valid, 2 * np.pi * (turns + 1), np.nan)
    phase = Phase(times, unwrapped, valid)
    support = Windows([0.0, 2000.3, 2010.0], [1700.0, 2001.0, times[-1] + 50.0])
    fine = np.concatenate([np.arange(a, b, 0.01) + 0.005 for a, b in support])
    at = phase.at(fine)
    known = np.isfinite(at)
    place = (at[known] * bins / (2 * np.pi)).astype(int)
    spikes = np.sort(rng.choice(fine, 2000, replace=False))
    found = phase_rates(SpikeTrains(spikes, np.zeros(2000, int), 1, support=support), phase, bins)
    np.testing.assert_allclose(found.lasting, 0.01 * np.bincount(place, minlength=bins), atol=1.0)
    assert found.lasting.sum() == pytest.approx(0.01 * known.sum(), abs=1.0)
    assert found.counts.sum() == np.isfinite(phase.at(spikes)).sum() < 2000


@pytest.mark.parametrize("kind", ["clock", "sampled"])
@pytest.mark.parametrize("shift", [0.0, 3.7, 1e8])
def test_spikes_on_bounds_of_bins_count_in_what_follows(kind, shift):
    phase = periodic_phase(100.0, shift)
    if kind == "sampled":
        samples = shift + 12.5 * np.arange(801)
        phase = Phase(samples, phase.unwrapped_at(samples), np.ones(801, bool))
    times = shift + np.arange(1, 2001) * 50 * 0.1
    trains = SpikeTrains(times, np.zeros(2000, int), 1, shift, shift + 10_000.0)
    np.testing.assert_array_equal(phase_rates(trains, phase, 20).counts, [[100] * 20])
    one = SpikeTrains([shift + 25.0], [0], 1, shift, shift + 10_000.0)
    np.testing.assert_array_equal(phase_rates(one, phase, 4).counts, [[0, 1, 0, 0]])


def test_a_phase_that_stops_at_a_bound_was_never_behind_it():
    for bins in range(2, 50):
        for k in range(1, bins):
            phase = Phase(
                [0.0, 0.3, 100.0], np.array([0.0, 0.003, 1.0]) * 2 * np.pi * k / bins, [1] * 3
            )
            rates = phase_rates(silent(Windows(0.0, 100.0)), phase, bins).rates[0]
            np.testing.assert_array_equal(np.isnan(rates), np.arange(bins) >= k)
