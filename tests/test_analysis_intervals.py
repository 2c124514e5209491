"""Intervals, hazard and bursts: against other packages, closed forms, and loops."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim.analysis as analysis
from spikesim import SpikeTrains
from spikesim.data.windows import Windows

GAPPED = Windows([0.0, 1500.0, 4000.0], [1000.0, 3000.0, 4005.0])


def trains_of(lists, t_stop, support=None):
    neurons = np.repeat(np.arange(len(lists)), [len(times) for times in lists])
    times = np.concatenate([*(np.asarray(x, float) for x in lists), []])
    if support is not None:
        return SpikeTrains(times, neurons, len(lists), support=support)
    return SpikeTrains(times, neurons, len(lists), 0, t_stop)


def drawn(seed, size=6, spikes=300, duration=5000.0):
    rng = np.random.default_rng(seed)
    n = np.r_[0, 1, 2, 3, rng.integers(10, spikes, size - 4)]
    return trains_of([np.sort(duration - rng.uniform(0, duration, k)) for k in n], duration)


def gapped(seed):
    trains = drawn(seed)
    return trains.restrict(GAPPED)


def intervals_by_run(trains, neuron):
    """Intervals of a neuron in each window of the support."""
    return [np.diff(trains.restrict(*window)[neuron]) for window in trains.support]


# Irregularity


@pytest.mark.parametrize("name", ["cv", "cv2", "lv", "lvr"])
@pytest.mark.parametrize("seed", range(3))
def test_irregularity_is_elephants(name, seed):
    statistics = pytest.importorskip("elephant.statistics")
    pq = pytest.importorskip("quantities")
    trains = drawn(seed)
    found = getattr(analysis, name)(trains)
    for neuron in range(trains.size):
        isi = np.diff(trains[neuron])
        if isi.size < 2:
            assert np.isnan(found[neuron])
            continue
        given = isi * pq.ms if name == "lvr" else isi
        more = (5.0 * pq.ms,) if name == "lvr" else ()
        expected = getattr(statistics, name)(given, *more)
        assert found[neuron] == pytest.approx(float(expected), rel=1e-10)


def test_lvr_without_refractoriness_is_lv():
    trains = drawn(4)
    np.testing.assert_allclose(analysis.lvr(trains, 0.0), analysis.lv(trains), rtol=1e-12)
    assert (analysis.lvr(trains) > analysis.lv(trains))[4:].all()


@pytest.mark.parametrize("order", [0.5, 1.0, 4.0])
def test_gamma_processes_are_as_irregular_as_theory_says(order):
    trains = analysis.gamma_trains(40, 20.0, 200_000.0, order=order, seed=11)
    error = 4 / np.sqrt(40 * 4000)
    assert analysis.cv(trains).mean() == pytest.approx(1 / np.sqrt(order), abs=3 * error)
    assert analysis.lv(trains).mean() == pytest.approx(3 / (2 * order + 1), abs=2 * error)
    if order == 1:
        assert analysis.cv2(trains).mean() == pytest.approx(1, abs=error)


def test_lv_and_cv2_hardly_see_a_rate_that_drifts():
    slow = np.repeat(np.linspace(2, 60, 100), 1)
    trains = analysis.inhomogeneous_trains(20, slow, 100_000.0, seed=3)
    assert analysis.cv(trains).mean() > 1.3
    assert analysis.lv(trains).mean() == pytest.approx(1, abs=0.02)
    assert analysis.cv2(trains).mean() == pytest.approx(1, abs=0.02)


@pytest.mark.parametrize("name", ["cv2", "lv", "lvr"])
def test_intervals_on_either_side_of_a_gap_do_not_follow_each_other(name):
    trains = gapped(5)
    alone = getattr(analysis, name)
    for neuron in range(trains.size):
        runs = [isi for isi in intervals_by_run(trains, neuron) if isi.size > 1]
        sums, n = 0.0, 0
        for isi in runs:
            times = np.r_[0.0, np.cumsum(isi)] + 1
            sums += (isi.size - 1) * alone(trains_of([times], times[-1]))[0]
            n += isi.size - 1
        expected = sums / n if n else np.nan
        assert alone(trains)[neuron] == pytest.approx(expected, rel=1e-9, nan_ok=True)


@pytest.mark.parametrize("seed", range(3))
def test_serial_correlation_is_that_of_numpy(seed):
    for trains in (drawn(seed), gapped(seed)):
        found = analysis.serial_correlation(trains, lags=4)
        assert found.shape == (4, trains.size)
        for neuron in range(trains.size):
            runs = intervals_by_run(trains, neuron)
            for lag in range(1, 5):
                x = np.concatenate([isi[:-lag] for isi in runs])
                y = np.concatenate([isi[lag:] for isi in runs])
                expected = np.corrcoef(x, y)[0, 1] if x.size >= 3 else np.nan
                got = found[lag - 1, neuron]
                assert got == pytest.approx(expected, abs=1e-10, nan_ok=True)


def test_serial_correlation_of_intervals_that_alternate_and_that_do_not_differ():
    trains = trains_of([np.cumsum([10.0, 30.0] * 20), np.arange(1, 40) * 0.1 * 3], 1000)
    found = analysis.serial_correlation(trains, lags=2)
    np.testing.assert_allclose(found[:, 0], [-1, 1])
    assert np.isnan(found[:, 1]).all()


def test_serial_correlation_of_a_renewal_process_is_0_but_for_its_bias():
    trains = analysis.gamma_trains(300, 20.0, 10_000.0, order=2.0, seed=5)
    found = analysis.serial_correlation(trains, lags=3)
    assert found.mean(axis=1) == pytest.approx(-1 / 200, abs=3.5 / np.sqrt(300 * 200))


# Histogram


@pytest.mark.parametrize("make", [drawn, gapped])
def test_histogram_counts_every_interval_once(make):
    trains = make(7)
    edges = np.array([2.0, 5.0, 7.5, 40.0])
    isi, neurons = trains.intervals()
    pooled = analysis.isi_histogram(trains, edges)
    each = analysis.isi_histogram(trains, edges, per_neuron=True)
    assert each.counts.shape == (3, trains.size) and each.below.shape == (trains.size,)
    for i in range(3):
        inside = (isi > edges[i]) & (isi <= edges[i + 1])
        assert pooled.counts[i] == inside.sum()
        expected = np.bincount(neurons[inside], minlength=trains.size)
        np.testing.assert_array_equal(each.counts[i], expected)
    assert pooled.below == (isi <= 2).sum() and pooled.above == (isi > 40).sum()
    assert pooled.total == each.total.sum() == isi.size
    np.testing.assert_array_equal(each.counts.sum(axis=1), pooled.counts)
    inside = (isi > 2) & (isi <= 40)
    np.testing.assert_allclose(np.sum(pooled.density * np.diff(edges)), inside.mean())
    assert np.isnan(each.density[:, :2]).all() and np.isfinite(each.density[:, 4:]).all()


@pytest.mark.parametrize("scale", ["linear", "log"])
def test_bins_that_are_made_hold_every_interval(scale):
    trains = drawn(8)
    found = analysis.isi_histogram(trains, 30, scale=scale)
    assert found.counts.shape == (30,) and found.below == found.above == 0
    steps = np.diff(np.log(found.edges) if scale == "log" else found.edges)
    np.testing.assert_allclose(steps, steps[0])


def test_multiples_of_a_time_step_lie_in_one_bin_however_they_are_rounded():
    steps = np.random.default_rng(0).integers(1, 100, 2000)
    trains = trains_of([np.cumsum(steps) * 0.1], 1e5)
    isi = trains.intervals()[0]
    assert len(np.unique(isi)) > 400  # ms, of 99 different numbers of steps
    found = analysis.isi_histogram(trains, np.arange(101) * 0.1)
    np.testing.assert_array_equal(found.counts, np.bincount(steps[1:], minlength=101)[1:])


@pytest.mark.parametrize("by", ["time", "neuron"])
def test_histogram_of_trains_in_a_file_is_that_of_the_same_in_memory(by):
    trains = drawn(9)
    order = np.lexsort((trains.times, trains.neurons)) if by == "neuron" else slice(None)
    read = SpikeTrains.lazy(trains.times[order], trains.neurons[order], 6, 0, 5000, by=by)
    found, expected = (analysis.isi_histogram(t, 20, per_neuron=True) for t in (read, trains))
    np.testing.assert_array_equal(found.counts, expected.counts)
    np.testing.assert_array_equal(found.edges, expected.edges)


# Hazard


@pytest.mark.parametrize("make", [drawn, gapped])
def test_survival_is_that_of_scipy_and_statsmodels(make):
    from scipy.stats import CensoredData, ecdf

    survfunc = pytest.importorskip("statsmodels.duration.survfunc")
    trains = make(10)
    lists = [t for part in trains.support for t in trains.restrict(*part)]
    stops = [part[1] for part in trains.support for _ in range(trains.size)]
    isi = np.concatenate([np.diff(times) for times in lists])
    cut = np.array([stop - t[-1] for t, stop in zip(lists, stops, strict=True) if len(t)])
    edges = np.array([0.0, 3.0, 10.0, 30.0, 31.0, 200.0])
    found = analysis.hazard(trains, edges)
    curve = ecdf(CensoredData(isi, right=cut)).sf
    np.testing.assert_allclose(found.survival, curve.evaluate(edges), atol=1e-12)
    status = np.r_[np.ones(isi.size), np.zeros(cut.size)]
    other = survfunc.SurvfuncRight(np.r_[isi, cut], status)
    reached = np.searchsorted(other.surv_times, edges, side="right")
    increments = np.cumsum(np.r_[0.0, other.n_events / other.n_risk])
    np.testing.assert_allclose(found.cumulative, increments[reached], atol=1e-12)
    assert found.censored == cut.size
    for i in range(5):
        assert found.events[i] == ((isi > edges[i]) & (isi <= edges[i + 1])).sum()
        spent = np.clip(np.r_[isi, cut], edges[i], edges[i + 1]) - edges[i]
        assert found.at_risk[i] == pytest.approx(spent.sum())
    np.testing.assert_allclose(found.rate, 1000 * found.events / found.at_risk)


def test_intervals_of_a_time_step_end_in_the_hazards_bin_that_they_reach():
    steps = np.random.default_rng(1).integers(1, 20, 3000)
    found = analysis.hazard(trains_of([np.cumsum(steps) * 0.1], 1e5), np.arange(21) * 0.1)
    np.testing.assert_array_equal(found.events, np.bincount(steps[1:], minlength=21)[1:])
    longer = [np.sum(steps[1:] > k) for k in range(21)]
    np.testing.assert_allclose(found.survival, np.add(longer, 1) / 3000, atol=1e-12)


def test_intervals_that_are_alike_end_at_once():
    for shift in (0.0, -1234.5, 1e6, 1e8):
        times = shift + np.array([2, 52, 102, 152, 202]) * 0.1
        trains = SpikeTrains(times, [0] * 5, 1, shift, shift + 20.2)
        found = analysis.hazard(trains, [0.0, 5.0, 6.0, 7.0])
        np.testing.assert_array_equal(found.cumulative, [0, 1, 1, 1])
        np.testing.assert_array_equal(found.survival, [1, 0, 0, 0])
        np.testing.assert_allclose(found.at_risk, [20, 0, 0], atol=1e-6)
        assert found.rate[0] == pytest.approx(200) and np.isnan(found.rate[1:]).all()


@pytest.mark.parametrize("shift", [-1234.5, 1e8])
@pytest.mark.parametrize("seed", range(8))
def test_hazard_is_the_same_however_late_the_recording(shift, seed):
    """Times of a grid, so that many intervals and cut-off ones are alike but for rounding."""
    rng = np.random.default_rng(seed)
    starts, stops = np.array([0, 600, 1500]), np.array([500, 1207, 2401])
    steps = np.unique(rng.integers(1, 2400, 400))
    steps = steps[((steps[:, None] > starts) & (steps[:, None] <= stops)).any(axis=1)]
    neurons = rng.integers(0, 3, steps.size)

    def found(scale, shift):
        support = Windows(shift + starts * 0.1, shift + stops * 0.1)
        trains = SpikeTrains(shift + steps * scale, neurons, 3, support=support)
        return analysis.hazard(trains, np.arange(25) * 0.1 * 3)

    here, there = found(0.1, 0.0), found(0.1, shift)
    np.testing.assert_array_equal(here.events, there.events)
    for name in ("rate", "low", "high", "at_risk", "survival", "cumulative"):
        one, other = getattr(here, name), getattr(there, name)
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5, err_msg=name)
    # By whole numbers: nothing is rounded.
    isi, cut = [], []
    for neuron in range(3):
        for a, b in zip(starts, stops, strict=True):
            mine = steps[(neurons == neuron) & (steps > a) & (steps <= b)]
            isi += np.diff(mine).tolist()
            cut += [b - mine[-1]] if mine.size else []
    isi, every = np.array(isi), np.r_[isi, cut]
    ends = np.unique(isi)
    raised = [np.sum(isi == end) / np.sum(every >= end) for end in ends]
    expected = [np.sum(np.array(raised)[ends <= 3 * k]) for k in range(25)]
    np.testing.assert_allclose(there.cumulative, expected, rtol=1e-12)


def test_limits_are_those_of_poisson_counts():
    from scipy.stats import chi2

    found = analysis.hazard(drawn(11), 12, confidence=0.9)
    low = np.where(found.events > 0, chi2.ppf(0.05, 2 * np.maximum(found.events, 1)) / 2, 0)
    np.testing.assert_allclose(found.low, 1000 * low / found.at_risk, rtol=1e-10)
    high = chi2.ppf(0.95, 2 * found.events + 2) / 2
    np.testing.assert_allclose(found.high, 1000 * high / found.at_risk, rtol=1e-10)


def test_hazard_of_a_poisson_process_with_dead_time_is_flat_behind_it():
    trains = analysis.poisson_trains(50, 40.0, 100_000.0, dead_time=5.0, seed=1)
    found = analysis.hazard(trains, np.r_[0.0, np.arange(5, 60, 5.0)])
    assert found.events[0] == 0 and found.low[0] == found.rate[0] == 0 < found.high[0]
    expected = 40 / (1 - 0.04 * 5)
    inside = (found.low[1:] < expected) & (expected < found.high[1:])
    assert inside.sum() >= 9
    np.testing.assert_allclose(found.survival[1:], np.exp(-0.05 * (found.edges[1:] - 5)), atol=0.01)


def test_short_windows_do_not_bias_the_hazard():
    """Without intervals that were cut off, long ones would be missing: a rising hazard."""
    windows = Windows(np.arange(2000) * 100.0, np.arange(2000) * 100.0 + 60)
    trains = analysis.poisson_trains(5, 20.0, 200_000.0, seed=2).restrict(windows)
    found = analysis.hazard(trains, np.arange(0, 51, 10.0))
    assert ((found.low < 20) & (20 < found.high)).sum() >= 4
    isi = trains.intervals()[0]
    naive = 1000 * ((isi > 40) & (isi <= 50)).sum() / (np.clip(isi, 40, 50) - 40).sum()
    assert naive > 60


def test_coverage_of_the_limits():
    covered = 0
    for seed in range(300):
        trains = analysis.poisson_trains(1, 20.0, 3000.0, seed=seed)
        found = analysis.hazard(trains, np.array([0.0, 20.0, 50.0]))
        covered += int(((found.low < 20) & (20 < found.high)).sum())
    assert covered / 600 > 0.94  # exact limits cover a little more often than asked


# Bursts


def slow_max_interval(times, begin, end, between, duration, spikes):
    found, k = [], 0
    while k + 1 < len(times):
        if times[k + 1] - times[k] > begin:
            k += 1
            continue
        last = k + 1
        while last + 1 < len(times) and times[last + 1] - times[last] <= end:
            last += 1
        found.append([k, last])
        k = last
    merged = []
    for first, last in found:
        if merged and times[first] - times[merged[-1][1]] < between:
            merged[-1][1] = last
        else:
            merged.append([first, last])
    return [(i, j) for i, j in merged if times[j] - times[i] >= duration and j - i + 1 >= spikes]


def slow_surprise(times, rate, least):
    from scipy.stats import poisson

    def surprise(first, last):
        return -poisson.logsf(last - first, rate * (times[last] - times[first]))

    found, k, mean = [], 0, 1 / rate
    while k + 2 < len(times):
        if max(np.diff(times[k : k + 3])) >= mean / 2:
            k += 1
            continue
        first, last, tried = k, k + 2, k + 3
        while tried < min(len(times), last + 11) and times[tried] - times[tried - 1] <= 2 * mean:
            if surprise(first, tried) > surprise(first, last):
                last = tried
            tried += 1
        for tried in range(k + 1, last - 1):
            if surprise(tried, last) > surprise(first, last):
                first = tried
        if surprise(first, last) >= least:
            found.append((first, last, surprise(first, last)))
            k = last + 1
        else:
            k += 1
    return found


def in_runs(trains):
    """Neuron and times of each run of spikes, in order of neuron."""
    for neuron in range(trains.size):
        for window in trains.support:
            yield neuron, trains.restrict(*window)[neuron]


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.lists(st.integers(1, 400), max_size=60, unique=True), min_size=1, max_size=3),
    st.sampled_from([(5, 9, 20, 3, 3), (10, 10, 0, 0, 2), (3, 30, 60, 10, 4)]),
    st.booleans(),
)
def test_bursts_by_intervals_are_those_of_a_loop(lists, limits, gaps):
    support = Windows([0.0, 150.0], [100.0, 400.0]) if gaps else Windows(0.0, 400.0)
    lists = [np.sort(times)[support.contains(np.sort(times))] for times in lists]
    trains = trains_of(lists, 400, support=support)
    found = analysis.bursts(trains, analysis.MaxInterval(*limits))
    expected = [
        (neuron, times[first], times[last], last - first + 1)
        for neuron, times in in_runs(trains)
        for first, last in slow_max_interval(times, *limits)
    ]
    got = zip(found.neurons, found.starts, found.stops, found.counts, strict=True)
    assert [tuple(map(float, burst)) for burst in got] == expected
    assert np.isnan(found.surprise).all() and len(found) == len(expected)


@pytest.mark.parametrize(("between", "expected"), [(19.0, 2), (20.0, 2), (20.5, 1)])
def test_bursts_that_are_as_far_apart_as_asked_stay_apart(between, expected):
    trains = trains_of([[1, 3, 5, 25, 27, 29]], 100)
    found = analysis.bursts(trains, analysis.MaxInterval(5, 9, between, 0, 3))
    assert len(found) == expected


@pytest.mark.parametrize("shift", [0.0, -1234.5, 1e8])
def test_bursts_do_not_depend_on_how_times_are_rounded(shift):
    def counts(steps, *limits):
        trains = SpikeTrains(shift + np.array(steps) * 0.1, [0] * len(steps), 1, shift, shift + 410)
        return analysis.bursts(trains, analysis.MaxInterval(*limits)).counts.tolist()

    every = 50 * np.arange(1, 81)
    assert counts(every, 5, 5, 0, 0, 2) == [80]  # begin and end
    assert counts(every, 4.9, 5, 0, 0, 2) == []
    for k in range(60):
        pair = every[k] + np.array([0, 3, 13, 16])
        assert counts(pair, 0.3, 0.3, 1.0, 0, 2) == [2, 2]  # as far apart as asked
        assert counts(pair, 0.3, 0.3, 1.1, 0, 2) == [4]
        assert counts(pair, 0.3, 0.3, 1.0, 0.3, 2) == [2, 2]  # as long as asked
        assert counts(pair, 0.3, 0.3, 1.0, 0.4, 2) == []


@pytest.mark.parametrize("shift", [-1234.5, 1e8])
def test_surprising_bursts_do_not_depend_on_how_times_are_rounded(shift):
    # The mean interval is .6 ms: those of .3 begin no burst, those of 1.2 end none.
    rng, some = np.random.default_rng(5), 0
    intervals = np.repeat([2, 4, 3, 12, 6], [15, 15, 10, 20, 40])
    for _ in range(200):
        times = np.cumsum(rng.permutation(intervals)) * 0.1
        here, there = (
            analysis.bursts(
                SpikeTrains(start + times, np.zeros(100, int), 1, start, start + 60),
                analysis.PoissonSurprise(0.5),
            )
            for start in (0.0, shift)
        )
        np.testing.assert_array_equal(here.counts, there.counts)
        np.testing.assert_allclose(here.starts, there.starts - shift, atol=1e-6)
        some += len(here)
    assert some > 50


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("least", [2.0, 10.0])
def test_bursts_by_surprise_are_those_of_a_loop(seed, least):
    trains = analysis.bursty_trains(3, 12.0, 6000.0, spikes=6, interval=8.0, seed=seed)
    trains = trains if seed % 2 else trains.restrict(Windows([0.0, 2500.0], [2000.0, 6000.0]))
    found = analysis.bursts(trains, analysis.PoissonSurprise(least))
    rates = trains.count() / trains.duration
    expected = [
        (neuron, times[first], times[last], last - first + 1, surprise)
        for neuron, times in in_runs(trains)
        for first, last, surprise in slow_surprise(times, rates[neuron], least)
    ]
    assert len(found) == len(expected) > 5
    got = np.c_[found.neurons, found.starts, found.stops, found.counts, found.surprise]
    np.testing.assert_allclose(got, np.array(expected), rtol=1e-9)


def test_both_methods_find_bursts_that_were_put_in():
    rng = np.random.default_rng(3)
    starts = np.arange(200, 60_000, 1000.0)
    inside = starts[:, None] + np.cumsum(rng.uniform(2, 5, (60, 6)), axis=1)
    alone = starts + 500
    trains = trains_of([np.sort(np.r_[inside.ravel(), alone]), alone], 60_000)
    for method in (
        analysis.MaxInterval(begin=6, end=10, between=0, duration=5, spikes=3),
        analysis.PoissonSurprise(),
    ):
        found = analysis.bursts(trains, method)
        np.testing.assert_array_equal(found.neurons, np.zeros(60))
        np.testing.assert_array_equal(found.starts, inside[:, 0])
        np.testing.assert_array_equal(found.stops, inside[:, -1])
        np.testing.assert_array_equal(found.counts, 6)
        np.testing.assert_allclose(found.fraction, [6 / 7, 0])
        np.testing.assert_allclose(found.rate, [1, 0])
        np.testing.assert_allclose(found.durations, inside[:, -1] - inside[:, 0])


def test_poisson_trains_have_few_surprises():
    trains = analysis.poisson_trains(50, 10.0, 50_000.0, seed=4)
    assert len(analysis.bursts(trains, analysis.PoissonSurprise(10.0))) < 0.005 * len(trains)


# Little and bad input


def test_no_and_few_spikes_give_defined_answers():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 2):
            trains = SpikeTrains([], [], size, 0, 100)
            for name in ("cv", "cv2", "lv", "lvr"):
                np.testing.assert_array_equal(
                    getattr(analysis, name)(trains), np.full(size, np.nan)
                )
            found = analysis.serial_correlation(trains)
            np.testing.assert_array_equal(found, np.full((10, size), np.nan))
            for edges in (3, [0, 1, 2, 3]):
                histogram = analysis.isi_histogram(trains, edges, per_neuron=True)
                assert histogram.counts.shape == (3, size) and np.isnan(histogram.density).all()
                analysis.isi_histogram(trains, edges, scale="log")
                hazard = analysis.hazard(trains, edges)
                assert np.isnan(hazard.rate).all() and np.isnan(hazard.high).all()
                np.testing.assert_array_equal(hazard.survival, 1)
            for method in (analysis.MaxInterval(), analysis.PoissonSurprise()):
                found = analysis.bursts(trains, method)
                assert len(found) == 0 and np.isnan(found.fraction).all()
                assert repr(found).startswith("<Bursts: 0 bursts")
        few = trains_of([[5.0], [5.0, 5.0, 5.0]], 100)
        np.testing.assert_array_equal(analysis.lv(few), [np.nan, 0])
        np.testing.assert_array_equal(analysis.cv2(few), [np.nan, 0])
        found = analysis.bursts(few, analysis.PoissonSurprise())
        assert found.counts.tolist() == [3] and found.surprise[0] == np.inf
        assert analysis.isi_histogram(few, 5).below == 2  # of 0 ms


@pytest.mark.parametrize(
    ("call", "error", "sentence"),
    [
        (lambda t: analysis.isi_histogram(t, [3, 2]), ValueError, "edges is .3, 2.; it must hold"),
        (lambda t: analysis.isi_histogram(t, [1]), ValueError, "edges is .1.; it must hold two"),
        (lambda t: analysis.isi_histogram(t, [-1, 2]), ValueError, "edges is .-1, 2.; it must be"),
        (
            lambda t: analysis.isi_histogram(t, [0, np.nan]),
            ValueError,
            "edges is .0, nan.; it must",
        ),
        (lambda t: analysis.isi_histogram(t, 0), ValueError, "edges, a number of bins, is 0; it"),
        (lambda t: analysis.isi_histogram(t, 5, scale="x"), ValueError, "scale is 'x'; it must be"),
        (lambda t: analysis.hazard(t, 5, confidence=1), ValueError, "confidence is 1; it must be"),
        (lambda t: analysis.lvr(t, -1), ValueError, "refractoriness is -1; it must be a finite"),
        (lambda t: analysis.serial_correlation(t, 0), ValueError, "lags is 0; it must be a whole"),
        (lambda t: analysis.bursts(t, "max"), TypeError, "method is 'max'; it must be a MaxInter"),
        (lambda t: analysis.MaxInterval(5, 4), ValueError, "end is 4; it must be a finite number"),
        (lambda t: analysis.MaxInterval(spikes=1), ValueError, "spikes is 1; it must be a whole"),
        (lambda t: analysis.PoissonSurprise(-1), ValueError, "surprise is -1; it must be a finite"),
    ],
)
def test_bad_input_is_told(call, error, sentence):
    with pytest.raises(error, match="^" + sentence):
        call(drawn(1))


def test_names_are_functions_whatever_was_imported_before():
    import spikesim.analysis.trains.bursting  # noqa: F401
    import spikesim.analysis.trains.hazards  # noqa: F401

    assert callable(analysis.bursts) and callable(analysis.hazard)
