"""Rates over time: exact masses of kernels, ends and gaps of the support, intervals of PSTHs."""

import warnings
from functools import partial

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats
from scipy.integrate import quad

from spikesim.analysis import (
    Alpha,
    Boxcar,
    Exponential,
    Gaussian,
    instantaneous_rate,
    poisson_interval,
    psth,
)
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

KERNELS = [Gaussian(7.0), Boxcar(13.0), Exponential(6.0), Alpha(4.0)]
MASS = {  # of each kernel, by scipy, before a time after the spike
    Gaussian: lambda k: stats.norm(0, k.sd).cdf,
    Boxcar: lambda k: stats.uniform(-k.width / 2, k.width).cdf,
    Exponential: lambda k: stats.expon(0, k.tau).cdf,
    Alpha: lambda k: stats.gamma(2, 0, k.tau).cdf,
}


def poisson(rate, duration, size, seed=1, support=None):
    """Trains of ``size`` neurons; rate in Hz."""
    rng = np.random.default_rng(seed)
    support = support or Windows(0.0, duration)
    times = rng.uniform(0, duration, rng.poisson(rate * size * duration / 1000))
    times = times[support.contains(times)]
    return SpikeTrains(times, rng.integers(0, size, len(times)), size, support=support)


def twin(trains, kernel, every):
    """Rates step by step and spike by spike, masses and their integrals by scipy."""
    mass = MASS[type(kernel)](kernel)
    columns, middles = [], []
    for start, stop in trains.support:
        n = max(int(np.ceil((stop - start - 1e-6) / every)), 1)
        edges = np.r_[start + every * np.arange(n), stop]
        for a, b in zip(edges[:-1], edges[1:], strict=True):
            breaks = [s + d for s in (start, stop) for d in kernel.span if a < s + d < b]
            inside = partial(lambda u, a, b: mass(u - a) - mass(u - b), a=start, b=stop)
            there = quad(inside, a, b, points=breaks or None)
            column = [0.0] * trains.size
            for t, i in zip(trains.times, trains.neurons, strict=True):
                if start < t <= stop:
                    column[i] += mass(b - t) - mass(a - t)
            columns.append(np.array(column) * 1000 / there[0])
            middles.append((a + b) / 2)
    return np.array(middles), np.array(columns)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("every", [1.0, 2.5, 30.0])
def test_rates_are_those_of_the_slow_twin_with_gaps(kernel, every):
    support = Windows([0.0, 90.0], [61.3, 120.0])
    trains = poisson(60.0, 120.0, 3, support=support)
    curves = instantaneous_rate(trains, kernel, every=every)
    times, rates = twin(trains, kernel, every)
    np.testing.assert_allclose(curves.times, times, atol=1e-12)
    np.testing.assert_allclose(curves.rates, rates, rtol=1e-7, atol=1e-7)
    np.testing.assert_array_equal(curves.windows, support.index(times))


@settings(max_examples=15, deadline=None)
@given(
    times=st.lists(st.floats(0.1, 99.9) | st.integers(1, 99).map(float), max_size=8),
    kernel=st.sampled_from(KERNELS),
    every=st.sampled_from([0.7, 1.0, 10.0, 200.0]),
)
def test_any_spikes_anywhere_on_the_grid(times, kernel, every):
    trains = SpikeTrains(times, np.zeros(len(times), int), 1, 0.0, 100.0)
    curves = instantaneous_rate(trains, kernel, every=every)
    np.testing.assert_allclose(curves.rates, twin(trains, kernel, every)[1], rtol=1e-7, atol=1e-7)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_mass_and_its_integral_are_those_of_scipy(kernel):
    t = np.linspace(-60.0, 300.0, 181)
    np.testing.assert_allclose(kernel.mass(t), MASS[type(kernel)](kernel)(t), atol=1e-14)
    low = -7 * 7.0 if isinstance(kernel, Gaussian) else -50.0
    for x in (-3.0, 0.0, 2.0, 30.0):
        there = quad(kernel.mass, low, x, points=[p for p in (-6.5, 0, 6.5) if low < p < x])[0]
        assert kernel.mass_integral(x) == pytest.approx(there, abs=1e-9)
    low, high = kernel.span
    assert kernel.mass(low) < 2e-12 and kernel.mass(high) > 1 - 2e-12


@pytest.mark.parametrize("kernel", [Gaussian(0.3), Gaussian(20.0), Boxcar(3.0)], ids=repr)
def test_the_pieces_of_a_kernel_are_its_mass(kernel):
    cubics, (low, high) = kernel.cubics(), kernel.span
    u = np.random.default_rng(0).uniform(0, len(cubics), 20_000)
    i, f = u.astype(int), u % 1
    pieces = sum(cubics[i, power] * f**power for power in range(4))
    there = kernel.mass(low + u * (high - low) / len(cubics))
    np.testing.assert_allclose(pieces, there, atol=5e-12)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
@pytest.mark.parametrize("phase", [0.0, 0.37])
@pytest.mark.parametrize("every", [1.0, 5.0, 100.0])
def test_a_spike_counts_as_one_wherever_it_lies_on_the_grid(kernel, phase, every):
    trains = SpikeTrains([500.0 + phase], [0], 1, 0.0, 1000.0)
    curves = instantaneous_rate(trains, kernel, every=every)
    assert curves.rates.sum() * every / 1000 == pytest.approx(1.0, abs=2e-11)


@pytest.mark.parametrize("kernel", KERNELS, ids=repr)
def test_a_constant_rate_is_constant_up_to_the_ends_and_gaps(kernel):
    every_quarter = np.arange(0.125, 400.0, 0.25)
    support = Windows([0.0, 150.0, 303.0], [100.0, 300.0, 400.0])
    times = every_quarter[support.contains(every_quarter)]
    trains = SpikeTrains(times, np.zeros(len(times), int), 1, support=support)
    rates = instantaneous_rate(trains, kernel, every=1.0).rates
    if kernel.span[0] < 0:
        np.testing.assert_allclose(rates, 4000.0, rtol=0.02)
    else:  # each step's first spike comes an eighth of a ms late
        np.testing.assert_allclose(rates, 4000.0, rtol=0.06)


def test_causal_kernels_know_nothing_of_what_comes():
    before = SpikeTrains([10.0], [0], 1, 0.0, 100.0)
    both = SpikeTrains([10.0, 50.0], [0, 0], 1, 0.0, 100.0)
    for kernel in (Exponential(5.0), Alpha(5.0)):
        a, b = (instantaneous_rate(t, kernel).rates[:, 0] for t in (before, both))
        np.testing.assert_array_equal(a[:50], b[:50])
        assert (a[:10] == 0).all() and (b[50:] > a[50:]).all()


def test_no_kernel_reaches_over_a_gap():
    support = Windows([0.0, 60.0], [50.0, 100.0])
    trains = SpikeTrains([49.0], [0], 1, support=support)
    for kernel in KERNELS:
        curves = instantaneous_rate(trains, kernel)
        assert (curves.rates[curves.windows == 1] == 0).all()
        assert (curves.rates[curves.windows == 0] > 0).any()


def test_rates_of_trials_are_those_of_each_trial_alone():
    trains = poisson(40.0, 3000.0, 4)
    aligned = trains.align([500.0, 1500.0, 2500.0], 100.0, 200.0)
    curves = instantaneous_rate(aligned, Gaussian(10.0), every=2.0)
    assert curves.rates.shape == (3, 150, 4)
    for trial, event in enumerate((500.0, 1500.0, 2500.0)):
        alone = trains.restrict(event - 100.0, event + 200.0)
        there = instantaneous_rate(alone, Gaussian(10.0), every=2.0)
        np.testing.assert_allclose(curves.rates[trial], there.rates, atol=1e-8)
        np.testing.assert_allclose(curves.times, there.times - event, atol=1e-9)


def test_elephant_agrees_where_sampling_is_fine_and_counts_too_much_where_it_is_not():
    statistics = pytest.importorskip("elephant.statistics")
    kernels = pytest.importorskip("elephant.kernels")
    neo, ms = pytest.importorskip("neo"), pytest.importorskip("quantities").ms
    times = poisson(20.0, 2000.0, 1).times
    times = np.round(times[(times > 300) & (times < 1700)])
    trains = SpikeTrains(times, np.zeros(len(times), int), 1, 0.0, 2000.0)
    theirs = neo.SpikeTrain(times * ms, t_stop=2000 * ms)

    def of_elephant(kernel, center):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            rate = statistics.instantaneous_rate(theirs, 1 * ms, kernel, center_kernel=center)
        return rate.magnitude[:, 0]

    smooth = of_elephant(kernels.GaussianKernel(25 * ms), True)
    ours = instantaneous_rate(trains, Gaussian(25.0)).rates[:, 0]
    # Ours are means of steps around half a ms, theirs are samples on whole ms of whole-ms spikes.
    between = (smooth[1:] + smooth[:-1]) / 2
    np.testing.assert_allclose(ours[1:-1], between[1:], atol=0.002 * smooth.max())

    # Theirs is sampled where it jumps; by default it is also centred, and so begins too early.
    causal = of_elephant(kernels.ExponentialKernel(2 * ms), False)
    assert causal.sum() / 1000 / len(times) == pytest.approx(0.5 / (1 - np.exp(-0.5)), rel=5e-3)
    first = int(times[0])
    assert causal[:first].max() < 1e-9
    assert of_elephant(kernels.ExponentialKernel(2 * ms), True)[first - 1] > 1
    ours = instantaneous_rate(trains, Exponential(2.0)).rates
    assert ours.sum() / 1000 / len(times) == pytest.approx(1.0, abs=1e-11)
    assert ours[:first].sum() == 0


def test_empty_trains_have_no_rate_and_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 3):
            empty = SpikeTrains([], [], size, 0.0, 10.0)
            for kernel in KERNELS:
                rates = instantaneous_rate(empty, kernel).rates
                assert rates.shape == (10, size) and (rates == 0).all()
            aligned = empty.align([5.0], 2.0, 2.0)
            assert psth(aligned, 1.0).rates.shape == (4, size)
            for interval in ("student", "bootstrap", "poisson"):
                none = psth(empty.align([], 2.0, 2.0), 1.0, interval=interval)
                assert none.n_trials == 0 and np.isnan(none.rates).all()
        assert np.isnan(
            psth(SpikeTrains([], [], 0, 0, 9).align([5], 2, 2), 1, pool=True).rates
        ).all()
        assert "0 trials" in repr(none)


@pytest.mark.parametrize(
    "make",
    [
        lambda x: Gaussian(x),
        lambda x: Boxcar(x),
        lambda x: Exponential(x),
        lambda x: Alpha(x),
        lambda x: instantaneous_rate(poisson(5.0, 10.0, 1), Gaussian(1.0), every=x),
    ],
)
@pytest.mark.parametrize("bad", [0.0, -1.0, np.nan, "x"])
def test_widths_are_positive(make, bad):
    with pytest.raises(ValueError, match="must be a finite number of ms above 0"):
        make(bad)


def test_arguments_are_checked():
    trains = poisson(5.0, 100.0, 2)
    with pytest.raises(TypeError, match=r"kernel is 5; it must be Gaussian\(sd\), Boxcar"):
        instantaneous_rate(trains, 5)
    aligned = trains.align([50.0], 10.0, 10.0)
    with pytest.raises(ValueError, match="interval is 'sem'; it must be 'poisson', 'student' or"):
        psth(aligned, 1.0, interval="sem")
    with pytest.raises(ValueError, match="level is 95; .* number above 0 and below 1"):
        psth(aligned, 1.0, level=95)
    with pytest.raises(ValueError, match="bin must be positive and divide the duration of 20 ms"):
        psth(aligned, 3.0)
    with pytest.raises(ValueError, match="resamples is 1"):
        psth(aligned, 1.0, interval="bootstrap", resamples=1)


# PSTH


def test_psth_is_the_time_histogram_of_elephant():
    statistics = pytest.importorskip("elephant.statistics")
    neo, ms = pytest.importorskip("neo"), pytest.importorskip("quantities").ms
    trains = poisson(30.0, 20_000.0, 2)
    events = np.arange(500.0, 19_500.0, 700.0)
    aligned = trains.align(events, 200.0, 300.0)
    ours = psth(aligned, 20.0)
    for neuron in range(2):
        trials = []
        for k in range(len(events)):
            times, neurons = aligned[k]
            trials.append(
                neo.SpikeTrain(times[neurons == neuron] * ms, 300 * ms, t_start=-200 * ms)
            )
        there = statistics.time_histogram(trials, bin_size=20 * ms, output="rate")
        rate = there.rescale("Hz").magnitude.ravel()
        np.testing.assert_allclose(ours.rates[:, neuron], rate, rtol=1e-10)
    assert ours.bin == 20.0 and ours.times[0] == -190.0
    assert repr(ours).startswith("<Psth: 2 neurons in 25 bins of 20 ms from -200 to 300 ms, 28")


def test_psth_keeps_a_spike_on_the_border_where_elephant_drops_the_last():
    statistics = pytest.importorskip("elephant.statistics")
    neo, ms = pytest.importorskip("neo"), pytest.importorskip("quantities").ms
    trains = SpikeTrains([10.0, 20.0], [0, 0], 1, 0.0, 20.0)
    ours = psth(trains.align([0.0], 0.0, 20.0), 10.0)
    np.testing.assert_array_equal(ours.rates[:, 0], [100.0, 100.0])  # (0, 10], (10, 20]
    there = neo.SpikeTrain([10.0, 20.0] * ms, t_stop=20 * ms)
    histogram = statistics.time_histogram([there], bin_size=10 * ms, output="counts")
    np.testing.assert_array_equal(histogram.magnitude.ravel(), [0, 1])  # [0, 10), [10, 20)


def test_poisson_interval_is_that_of_scipy_and_exact():
    counts = np.array([0, 1, 5, 100])
    low, high = poisson_interval(counts, 0.9)
    np.testing.assert_allclose(low[1:], stats.chi2.ppf(0.05, 2 * counts[1:]) / 2, rtol=1e-10)
    np.testing.assert_allclose(high, stats.chi2.ppf(0.95, 2 * counts + 2) / 2, rtol=1e-10)
    assert low[0] == 0
    np.testing.assert_allclose(stats.poisson.sf(counts[1:] - 1, low[1:]), 0.05)
    np.testing.assert_allclose(stats.poisson.cdf(counts, high), 0.05)


def test_student_and_bootstrap_are_those_of_scipy():
    aligned = poisson(40.0, 40_000.0, 2).align(np.arange(100.0, 39_900.0, 1000.0), 50.0, 50.0)
    counts = aligned.count(25.0) * 40.0
    ours = psth(aligned, 25.0, interval="student")
    low, high = stats.t.interval(0.95, 39, counts.mean(axis=0), stats.sem(counts, axis=0))
    np.testing.assert_allclose(ours.low, low, rtol=1e-10)
    np.testing.assert_allclose(ours.high, high, rtol=1e-10)
    ours = psth(aligned, 25.0, interval="bootstrap", resamples=20_000, seed=1)
    again = psth(aligned, 25.0, interval="bootstrap", resamples=20_000, seed=1)
    np.testing.assert_array_equal(ours.low, again.low)
    rng = np.random.default_rng(2)
    there = stats.bootstrap(
        (counts,), np.mean, axis=0, n_resamples=20_000, method="percentile", rng=rng
    ).confidence_interval
    np.testing.assert_allclose(ours.low, there.low, atol=1.0)
    np.testing.assert_allclose(ours.high, there.high, atol=1.0)


@pytest.mark.parametrize(
    ("interval", "gain", "least", "most"),
    [
        ("poisson", 0.0, 0.94, 0.975),  # exact ones hold the mean too often, if anything
        ("student", 0.0, 0.93, 0.96),
        ("bootstrap", 0.0, 0.92, 0.955),
        ("poisson", 0.5, 0.6, 0.85),  # trials that differ: too narrow
        ("student", 0.5, 0.93, 0.96),
    ],
)
def test_intervals_hold_the_rate_as_often_as_they_say(interval, gain, least, most):
    rng = np.random.default_rng(5)
    n_trials, neurons = 30, 3000  # neurons are repetitions
    gains = rng.gamma(1 / gain, gain, (n_trials, neurons)) if gain else np.ones((n_trials, neurons))
    n = rng.poisson(5.0 * gains)  # in 100 ms
    trial, neuron = (np.repeat(ids.ravel(), n.ravel()) for ids in np.indices(n.shape))
    trains = SpikeTrains(trial * 200.0 + 150.0, neuron, neurons, 0.0, 200.0 * n_trials)
    aligned = trains.align(np.arange(n_trials) * 200.0 + 100.0, 0.0, 100.0)
    made = psth(aligned, 100.0, interval=interval, resamples=400, seed=3)
    assert least < np.mean((made.low <= 50.0) & (50.0 <= made.high)) < most


def test_a_pooled_psth_is_of_all_neurons():
    aligned = poisson(30.0, 10_000.0, 5).align(np.arange(100.0, 9_900.0, 300.0), 50.0, 50.0)
    alone, pooled = psth(aligned, 10.0), psth(aligned, 10.0, pool=True)
    np.testing.assert_allclose(pooled.rates[:, 0], alone.rates.mean(axis=1), rtol=1e-12)
    low, high = poisson_interval(aligned.count(10.0).sum(axis=(0, 2)))
    np.testing.assert_allclose(pooled.low[:, 0], low * 100 / 5 / aligned.n_trials, rtol=1e-12)
    np.testing.assert_allclose(pooled.high[:, 0], high * 100 / 5 / aligned.n_trials, rtol=1e-12)


def test_poisson_interval_refuses_what_is_no_count():
    for wrong in ([-1, 2], [1.0, np.nan], "a"):
        with pytest.raises(ValueError, match="^counts is .*; it must be spike counts, finite and"):
            poisson_interval(wrong)
    with pytest.raises(ValueError, match="^level is 95; it must be"):
        poisson_interval([1, 2], 95)
