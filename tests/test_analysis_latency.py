"""Latencies among spontaneous spikes, and the order of neurons."""

import math
import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from benchmarks import nulls_readouts
from spikesim.analysis import first_spike_latency, psth_latency, rank_order, which_code
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains

CASES = dict(nulls_readouts.CASES)


def aligned_of(rows, before, after, **labels):
    """Trials from ``rows[trial][neuron]``, times in ms."""
    times, neurons, trials = [], [], []
    for trial, of_trial in enumerate(rows):
        for neuron, train in enumerate(of_trial):
            times += list(train)
            neurons += [neuron] * len(train)
            trials += [trial] * len(train)
    size = len(rows[0]) if rows else 1
    return AlignedTrains(times, neurons, trials, size, len(rows), -before, after, labels)


def poisson(rng, start, stop, rate):
    return np.sort(rng.uniform(start, stop, rng.poisson(rate * (stop - start) / 1000)))


def responding(rng, n_trials, onset, spontaneous, response, *, jitter=0.0, size=1):
    """Trials of 300 ms before and after the event; the rate is higher for 100 ms."""
    rows, onsets = [], onset + jitter * rng.standard_normal((n_trials, size))
    for trial in range(n_trials):
        rows.append([])
        for neuron in range(size):
            t = onsets[trial, neuron]
            parts = [
                poisson(rng, -300.0, 300.0, spontaneous),
                poisson(rng, t, t + 100.0, response),
            ]
            rows[-1].append(np.sort(np.concatenate(parts)))
    return aligned_of(rows, 300.0, 300.0), onsets


# Single trials


def twin_surprise(times, rate):
    """Of all runs the largest surprise, and where it starts, by scipy's tail of Poisson."""
    best, onset = 0.0, np.nan
    for j in range(len(times)):
        for i in range(-1, j):  # from the event, or from spike i on
            begin = times[i] if i >= 0 else 0.0
            n, mean = (j - i, rate * (times[j] - begin))
            if n > mean and times[j] > begin:
                s = -stats.poisson.logsf(n - 1, mean)
                if s > best + 1e-12:
                    best, onset = s, times[max(i, 0)]
    return best, onset


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(1, 200).map(float) | st.floats(0.01, 200), max_size=12),
    st.floats(1e-4, 0.2),
)
def test_the_scan_is_that_of_the_slow_twin(times, rate):
    from spikesim.analysis.codes.kernels_latency import most_surprising

    times = np.sort(times)
    surprise, onset = np.empty(1), np.empty(1)
    offsets, rates = np.array([0, len(times)]), np.array([rate])
    most_surprising(times, offsets, 0.0, 200.0, rates, surprise, onset)
    there = twin_surprise(times, rate)
    assert surprise[0] == pytest.approx(there[0], rel=1e-9, abs=1e-12)
    if there[0] > 0:
        assert onset[0] == pytest.approx(there[1]) or there[0] == pytest.approx(
            -stats.poisson.logsf(0, rate * onset[0]), rel=1e-6
        )


def test_p_is_the_rank_among_spontaneous_windows():
    rng = np.random.default_rng(3)
    aligned, _ = responding(rng, 25, 40.0, 10.0, 60.0, size=2)
    found = first_spike_latency(aligned, until=100.0)
    for neuron in range(2):
        trains = aligned.select([neuron])
        by_trial = [trains[k][0] for k in range(25)]
        n = sum(((t > -300) & (t <= 0)).sum() for t in by_trial)
        rate = (n + 0.5) / (25 * 300.0)
        nulls = [
            twin_surprise(t[(t > a) & (t <= a + 100)] - a, rate)[0]
            for t in by_trial
            for a in (-100.0, -200.0, -300.0)
        ]
        for k, t in enumerate(by_trial):
            surprise, onset = twin_surprise(t[(t > 0) & (t <= 100)], rate)
            p = (1 + np.sum(np.array(nulls) >= surprise - 1e-9)) / 76
            assert found.p[k, neuron] == pytest.approx(p)
            if p <= 0.05:
                assert found.latency[k, neuron] == pytest.approx(onset)
            else:
                assert np.isnan(found.latency[k, neuron])


def test_latencies_are_found_among_spontaneous_spikes_where_the_first_spike_is_early():
    rng = np.random.default_rng(4)
    aligned, onsets = responding(rng, 300, 80.0, 20.0, 150.0, jitter=10.0)
    found = first_spike_latency(aligned, until=250.0)
    assert found.detected[0] > 0.95
    error = (found.latency - onsets)[~np.isnan(found.latency)]
    assert abs(np.median(error)) < 8 and np.median(np.abs(error)) < 10
    first = first_spike_latency(aligned, rule="first", until=250.0)
    assert np.median(first.latency - onsets) < -30
    assert np.isnan(first.p).all() and first.median[0] == pytest.approx(np.median(first.latency))


def test_one_spike_of_a_silent_neuron_is_a_response():
    rng = np.random.default_rng(5)
    at = 30.0 + rng.standard_normal(60)
    rows = [[[t]] for t in at]
    rows[7] = [[-100.0, at[7]]]
    found = first_spike_latency(aligned_of(rows, 200.0, 200.0))
    np.testing.assert_allclose(found.latency[:, 0], at)


def test_by_the_rule_first_it_is_the_first_spike_after_the_event():
    aligned = aligned_of([[[-3.0, 0.0, 5.0, 9.0], []], [[60.0], [50.0]], [[], [1.0]]], 10.0, 100.0)
    found = first_spike_latency(aligned, rule="first", until=50.0)
    np.testing.assert_array_equal(found.latency, [[5.0, np.nan], [np.nan, 50.0], [np.nan, 1.0]])
    np.testing.assert_allclose(found.detected, [1 / 3, 2 / 3])
    np.testing.assert_array_equal(found.median, [5.0, 25.5])
    assert "by the rule 'first': 3 of 2 neurons x 3 trials, in (0, 50] ms" in repr(found)


def test_spontaneous_trials_can_be_others():
    rng = np.random.default_rng(6)
    aligned, _ = responding(rng, 20, 50.0, 10.0, 200.0)
    blank = aligned_of([[poisson(rng, 0.0, 600.0, 10.0)] for _ in range(20)], 0.0, 600.0)
    short = AlignedTrains(
        *(a[aligned.times > -50] for a in (aligned.times, aligned.neurons, aligned.trials)),
        1, 20, -50.0, 300.0,
    )  # fmt: skip
    found = first_spike_latency(short, spontaneous=blank)
    assert found.detected[0] > 0.9
    told = "the time before the event is 50 ms long, less than until = 300 ms; .*: give until of "
    with pytest.raises(ValueError, match=told + "50 ms at most, or align with more before"):
        first_spike_latency(short)
    with pytest.raises(ValueError, match="spontaneous has 2 neurons; it must have the 1 of"):
        two = aligned_of([[[1.0], [2.0]]], 0.0, 600.0)
        first_spike_latency(short, spontaneous=two)


@pytest.mark.parametrize("kind", ["Poisson", "regular", "bursty"])
def test_false_alarms_are_as_many_as_asked_for(kind):
    # 1,000 nulls: a true 5 % lies within 3 to 7.2 % in 99.8 % of cases.
    rng = np.random.default_rng(1)
    p = np.array([CASES[f"latency of a trial, {kind}"](rng) for _ in range(1000)])
    assert 0.03 < np.mean(p <= 0.05) < 0.072
    assert 0.16 < np.mean(p <= 0.2) < 0.24


def test_poisson_surprise_alone_would_cry_at_bursts():
    rng = np.random.default_rng(2)
    trials = [nulls_readouts.bursty(rng, 0.0, 200.0) for _ in range(500)]
    calm = [nulls_readouts.poisson(rng, 0.0, 200.0) for _ in range(500)]
    limit = np.quantile([twin_surprise(t, 0.02)[0] for t in calm], 0.95)
    assert np.mean([twin_surprise(t, 0.02)[0] > limit for t in trials]) > 0.3


def test_arguments_are_checked():
    aligned = aligned_of([[[5.0]]] * 10, 100.0, 100.0)
    with pytest.raises(ValueError, match="rule is 'cusum'; it must be 'surprise' or 'first'"):
        first_spike_latency(aligned, rule="cusum")
    with pytest.raises(ValueError, match="until is 200.0; it must be"):
        first_spike_latency(aligned, until=200.0)
    with pytest.raises(ValueError, match="alpha is 0; it must be"):
        first_spike_latency(aligned, alpha=0)
    with pytest.raises(
        ValueError,
        match="has 10 windows of until = 100 ms; the rule 'surprise' .*19 .*shorter until",
    ):
        first_spike_latency(aligned)
    assert np.isfinite(first_spike_latency(aligned, until=50.0).p).all()  # 20 windows
    with pytest.raises(ValueError, match="bin must be positive and divide the duration of 100"):
        psth_latency(aligned, 3.0)
    with pytest.raises(
        ValueError, match="the time before the event is 0 ms long; it must be a bin"
    ):
        psth_latency(aligned_of([[[5.0]]], 0.0, 100.0))
    before = aligned_of([[[-50.0]]], 100.0, -20.0)
    for function in (first_spike_latency, psth_latency, lambda a: which_code(a, [0])):
        with pytest.raises(ValueError, match="aligned ends -20 ms after the event; .*after > 0"):
            function(before)
    with pytest.raises(ValueError, match="event is 0 ms long, .* spontaneous .*: align with more"):
        first_spike_latency(aligned_of([[[5.0]]], 0.0, 100.0))
    with pytest.raises(ValueError, match="surrogates is 0"):
        psth_latency(aligned, surrogates=0)
    with pytest.raises(ValueError, match=r"latencies has shape \(3,\)"):
        rank_order([1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="shuffles is -1"):
        rank_order([[1.0, 2.0]], shuffles=-1)


def test_no_spikes_no_trials_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        silent = SpikeTrains([], [], 2, 0.0, 10_000.0).align(np.arange(500, 9500, 100), 100, 100)
        found = first_spike_latency(silent)
        assert (
            np.isnan(found.latency).all() and (found.p == 1).all() and (found.detected == 0).all()
        )
        assert np.isnan(psth_latency(silent, surrogates=9).latency).all()
        nobody = SpikeTrains([], [], 0, 0.0, 10_000.0).align(np.arange(500, 9500, 100), 100, 100)
        assert first_spike_latency(nobody).latency.shape == (90, 0)
        assert psth_latency(nobody, surrogates=9).latency.shape == (0,)
        assert np.isnan(psth_latency(nobody, surrogates=9, pool=True).latency).all()
        none = SpikeTrains([], [], 2, 0.0, 1.0).align([], 1.0, 1.0)
        found = first_spike_latency(none, rule="first")
        assert found.latency.shape == (0, 2) and np.isnan(found.detected).all()
        assert np.isnan(found.median).all()
        order = rank_order(found)
        assert np.isnan(order.w) and np.isnan(order.p) and np.isnan(order.correlation)


# PSTH


def test_the_latency_of_a_psth_is_where_its_rate_rises():
    rng = np.random.default_rng(7)
    aligned, _ = responding(rng, 60, 42.0, 10.0, 60.0, size=3)
    found = psth_latency(aligned, 1.0, until=200.0, seed=1)
    assert np.abs(found.latency - 42.0).max() < 5 and (found.p == 1 / 200).all()
    again = psth_latency(aligned, 1.0, until=200.0, seed=1)
    np.testing.assert_array_equal(found.p, again.p)
    few, _ = responding(rng, 8, 42.0, 10.0, 60.0, size=12)
    pooled = psth_latency(few, 1.0, pool=True, until=200.0, seed=1)
    assert pooled.latency.shape == (1,) and abs(pooled.latency[0] - 42.0) < 4


def test_the_best_run_of_bins_is_that_of_a_slow_twin():
    from spikesim.analysis.codes.kernels_latency import best_bins

    rng = np.random.default_rng(8)
    counts = rng.poisson(2.0, (20, 30))
    counts[:, 11:19] += rng.poisson(3.0, (20, 8))
    cumulated = np.concatenate([np.zeros((20, 1), int), counts.cumsum(axis=1)], axis=1)
    ratio, onset = np.empty(20), np.empty(20, int)
    best_bins(cumulated, np.full(20, 2.0), ratio, onset)
    for k in range(20):
        best = (0.0, -1)
        for i in range(30):
            for j in range(i + 1, 31):
                n, mean = counts[k, i:j].sum(), 2.0 * (j - i)
                if n > mean:
                    own = stats.poisson.logpmf(n, n) - stats.poisson.logpmf(n, mean)
                    best = max(best, (own, i), key=lambda pair: pair[0])
        assert ratio[k] == pytest.approx(best[0]) and onset[k] == best[1]


@pytest.mark.parametrize("name", [name for name in CASES if name.startswith("latency of a PSTH")])
def test_false_alarms_of_the_psth(name):
    rng = np.random.default_rng(9)
    p = np.array([CASES[name](rng) for _ in range(250)])
    assert 0.015 < np.mean(p <= 0.05) < 0.1


# Order


def test_concordance_is_kendalls_and_friedmans():
    rng = np.random.default_rng(10)
    latencies = rng.normal(0, 1, (15, 7)) + 0.4 * np.arange(7)
    latencies = np.round(latencies, 1)  # some are equal
    found = rank_order(latencies, shuffles=0)
    chi2 = stats.friedmanchisquare(*latencies.T).statistic
    assert found.w == pytest.approx(chi2 / (15 * 6), rel=1e-10)
    pairs = [
        stats.spearmanr(latencies[a], latencies[b]).statistic for a in range(15) for b in range(a)
    ]
    assert found.correlation == pytest.approx(np.mean(pairs), rel=1e-10)
    np.testing.assert_array_equal(found.ranks, stats.rankdata(latencies, axis=1))
    others = [
        np.corrcoef(found.ranks[t], np.delete(found.ranks, t, axis=0).mean(axis=0))[0, 1]
        for t in range(15)
    ]
    np.testing.assert_allclose(found.agreement, others, rtol=1e-10)
    np.testing.assert_allclose(found.mean_rank, found.ranks.mean(axis=0) / 8)
    assert np.isnan(found.p) and np.isnan(found.baseline)


def test_without_ties_it_follows_from_the_correlation():
    latencies = np.random.default_rng(11).normal(0, 1, (12, 9)) + 0.2 * np.arange(9)
    found = rank_order(latencies, shuffles=0)
    assert found.correlation == pytest.approx((12 * found.w - 1) / 11, rel=1e-10)


def test_one_order_in_all_trials_and_none():
    found = rank_order(np.tile([3.0, 1.0, 2.0, 9.0], (6, 1)), seed=1)
    assert found.w == pytest.approx(1.0) and found.correlation == pytest.approx(1.0)
    assert found.p < 0.01 and found.baseline == pytest.approx(1 / 6, abs=0.02)
    np.testing.assert_allclose(found.agreement, 1.0)
    latencies = np.random.default_rng(12).normal(0, 1, (30, 8))
    assert rank_order(latencies, seed=1).p > 0.01


def test_neurons_that_do_not_fire_have_no_rank():
    latencies = np.array(
        [[1.0, 2.0, np.nan, 3.0], [5.0, 6.0, 7.0, np.nan], [np.nan, 1.0, 2.0, 3.0], [np.nan] * 4]
    )
    latencies = np.concatenate([latencies, [[4.0, np.nan, np.nan, np.nan]]])
    found = rank_order(latencies, shuffles=50, seed=1)
    ranks = [
        [1, 2, np.nan, 3],
        [1, 2, 3, np.nan],
        [np.nan, 1, 2, 3],
        [np.nan] * 4,
        [1] + [np.nan] * 3,
    ]
    np.testing.assert_array_equal(found.ranks, ranks)
    assert np.isnan(found.agreement[3:]).all()
    c = np.where(np.isnan(ranks[:3]), 0, np.array(ranks[:3]) / 4 - 0.5)
    m = np.array([2, 3, 2, 2])
    assert found.w == pytest.approx((c.sum(axis=0) ** 2 / m).sum() / (c**2).sum())
    # Who fires is no order: one half of the neurons never does, the other half in any order.
    rng = np.random.default_rng(13)
    silent = np.concatenate([rng.normal(0, 1, (20, 5)), np.full((20, 5), np.nan)], axis=1)
    assert rank_order(silent, seed=2).p > 0.05


def test_shuffles_exchange_the_ranks_of_those_that_fired():
    from spikesim.analysis.codes.rank_order import _exchanged

    rng = np.random.default_rng(14)
    known = rng.random((40, 6)) < 0.6
    c = np.where(known, rng.normal(0, 1, (40, 6)), 0.0)
    drawn = np.array([_exchanged(c, known, rng) for _ in range(300)])
    assert (drawn[:, ~known] == 0).all()
    np.testing.assert_allclose(np.sort(drawn, axis=2), np.sort(np.tile(c, (300, 1, 1)), axis=2))
    means = c.sum(axis=1) / np.maximum(known.sum(axis=1), 1)
    spread = drawn.mean(axis=0) - np.where(known, means[:, None], 0)
    assert np.abs(spread).max() < 5 * 1.5 / math.sqrt(300)


@pytest.mark.parametrize("kind", ["Poisson", "regular", "bursty"])
def test_false_positives_of_the_order_of_first_spikes(kind):
    rng = np.random.default_rng(15)
    case = CASES[f"rank order of first spikes, {kind}"]
    p = np.array([case(rng) for _ in range(250)])
    assert 0.015 < np.mean(p <= 0.05) < 0.1


def test_neurons_of_different_rates_have_an_order_of_first_spikes_without_any_event():
    rng = np.random.default_rng(16)
    rows = [[poisson(rng, -300.0, 300.0, rate) for rate in (5, 10, 40)] for _ in range(40)]
    found = first_spike_latency(aligned_of(rows, 300.0, 300.0), rule="first")
    assert rank_order(found, shuffles=199, seed=1).p < 0.05


def test_latencies_that_rounding_tells_apart_share_their_rank():
    found = rank_order([[5.3, 5.3 + 1e-9, 9.0, 5.3 - 1e-9], [1.0, 1.1, np.nan, 1.2]], shuffles=0)
    np.testing.assert_array_equal(found.ranks, [[2, 2, 4, 2], [1, 2, np.nan, 3]])


def test_trials_without_an_order_among_shared_neurons_have_no_correlation_by_rounding():
    for n in range(3, 10):  # neurons that fire in both trials, in one of them at once
        first = np.r_[np.ones(n), 2.0, 3.0]
        second = np.r_[np.random.default_rng(n).permutation(n), np.nan, np.nan]
        assert np.isnan(rank_order([first, second], shuffles=0).correlation)
