"""Spikes and fields: triggered averages against elephant and loops, coherence against scipy."""

import warnings

import numpy as np
import pytest
from scipy import signal as ss
from scipy.signal.windows import dpss

from spikesim.analysis import spike_field_coherence, spike_triggered_average
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


def field(n=20_001, seed=0):
    rng = np.random.default_rng(seed)
    return np.cos(2 * np.pi * 0.008 * np.arange(n)) + rng.normal(size=n)


def spikes(n=300, size=2, seed=1, duration=20_000.0, grid=False):
    rng = np.random.default_rng(seed)
    times = rng.uniform(1.0, duration, n)
    times = np.unique(np.rint(times)) if grid else times
    return SpikeTrains(times, rng.integers(0, size, times.size), size, 0.0, duration)


def locked(n=60_001, seed=0):
    """A train that prefers .7 rad of an 8 Hz field."""
    rng = np.random.default_rng(seed)
    t = np.arange(n)
    fires = rng.random(n) < 0.02 * (1 + np.cos(2 * np.pi * 0.008 * t - 0.7)) / 2
    times = t[fires & (t > 0)].astype(float)
    return SpikeTrains(times, np.zeros(times.size, int), 1, 0.0, n - 1.0), field(n, seed)


# Averages.


def test_averages_on_samples_are_those_of_elephant():
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.sta import spike_triggered_average as theirs

    x, trains = field(), spikes(grid=True)
    ours = spike_triggered_average(trains, x, 50.0, 80.0, sampling=1000.0)
    analog = neo.AnalogSignal(x[:, None], units="mV", sampling_rate=1000.0 * pq.Hz)
    for i, times in enumerate(trains):
        train = neo.SpikeTrain(times * pq.ms, t_stop=20_000.0 * pq.ms)
        found = theirs(analog, train, (-50.0 * pq.ms, 81.0 * pq.ms))
        used = found.annotations["used_spikes"][0]
        # Its window is half open, so the lag of 80 ms wants 81; a spike that ends 1 ms before the
        # signal does is then left out.
        if used == ours.n[i]:
            np.testing.assert_allclose(ours.mean[i], found.magnitude[:, 0], atol=1e-10)
        assert used + found.annotations["unused_spikes"][0] == ours.n[i] + ours.left_out[i]
    assert ours.lags[0] == -50.0 and ours.lags[-1] == 80.0


def test_averages_between_samples_are_those_of_a_twin():
    x, trains = field(), spikes()
    found = spike_triggered_average(trains, x, 30.0, 20.0, sampling=1000.0)
    grid = np.arange(x.size, dtype=float)
    for i, times in enumerate(trains):
        inside = [t for t in times if t - 30 >= 0 and t + 20 <= grid[-1]]
        rows = [np.interp(t + found.lags, grid, x) for t in inside]
        np.testing.assert_allclose(found.mean[i], np.mean(rows, axis=0), atol=1e-10)
        assert found.n[i] == len(inside) and found.left_out[i] == times.size - len(inside)
    # Elephant takes the sample before a spike: half a sample early in the mean.
    assert "2 neurons" in repr(found)


def test_lags_are_whole_samples():
    trains = spikes()
    found = spike_triggered_average(trains, field(5001), 10.0, 9.9, sampling=250.0)
    np.testing.assert_allclose(found.lags, [-8, -4, 0, 4, 8])
    times = np.arange(0.0, 20_001.0, 4.0)
    same = spike_triggered_average(trains, field(5001), 10.0, 9.9, times=times)
    np.testing.assert_allclose(found.mean, same.mean)


def test_signals_and_trains_of_different_length_and_gaps():
    x = field(10_001)
    x[4000:4100] = np.nan
    trains = spikes()
    found = spike_triggered_average(trains, x, 20.0, 20.0, sampling=1000.0, t_start=3000.0)
    for i, times in enumerate(trains):
        good = (times >= 3020) & (times <= 12_980)
        bad = (times > 3000 + 4000 - 21) & (times < 3000 + 4099 + 21)
        assert found.n[i] == np.sum(good & ~bad) and np.isfinite(found.mean[i]).all()
    with pytest.raises(ValueError, match="no spike has the signal around it"):
        spike_triggered_average(trains, x, 20.0, 20.0, sampling=1000.0, t_start=30_000.0)


def test_a_locked_train_leaves_the_band_and_others_do_not():
    trains, x = locked()
    found = spike_triggered_average(trains, x, 100.0, 100.0, sampling=1000.0, shifts=199, seed=1)
    assert found.p[0] == 1 / 200
    assert np.any((found.mean > found.high) | (found.mean < found.low))
    np.testing.assert_allclose((found.low + found.high)[0] / 2, 0.0, atol=0.05)
    # The mean signal is at its peak .7 rad before the spikes.
    smooth = np.cos(2 * np.pi * 0.008 * found.lags + 0.7)
    assert np.corrcoef(smooth, found.mean[0])[0, 1] > 0.95
    chance = spike_triggered_average(
        spikes(1000, 10), field(), 50.0, 50.0, sampling=1000.0, shifts=99, seed=1
    )
    inside = (chance.mean >= chance.low) & (chance.mean <= chance.high)
    np.testing.assert_array_equal(inside.all(axis=1), chance.p > 0.05)
    assert np.mean(chance.p) > 0.2


def test_the_band_is_the_same_for_the_same_seed_and_any_other_neurons():
    trains, x = spikes(), field()
    options = dict(sampling=1000.0, shifts=39, seed=3)
    both = spike_triggered_average(trains, x, 20.0, 20.0, **options)
    first = spike_triggered_average(trains.select([0]), x, 20.0, 20.0, **options)
    np.testing.assert_array_equal(both.high[0], first.high[0])
    assert both.p[0] == first.p[0]


def test_trains_without_spikes():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = spike_triggered_average(
            SpikeTrains([50.0], [1], 2, 0.0, 100.0),
            np.ones(101),
            5.0,
            5.0,
            sampling=1000.0,
            shifts=19,
        )
        coherence = spike_field_coherence(
            SpikeTrains([], [], 2, 0.0, 1000.0), field(1001), 100.0, sampling=1000.0
        )
    assert np.isnan(found.mean[0]).all() and np.isnan(found.p[0])
    np.testing.assert_allclose(found.mean[1], 1.0)
    assert np.isnan(coherence.coherence).all() and np.isnan(coherence.p).all()


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"before": -1.0}, "before is -1.0"),
        ({"before": 30_000.0}, "must be longer"),
        ({"shifts": 10}, "for alpha 0.05 it must be 0, or 19 or more"),
        ({"window": 0.0}, "window is 0.0"),
        ({"sampling": None}, "give either times"),
        ({"alpha": 1.0}, "alpha is 1.0"),
    ],
)
def test_bad_averages(options, told):
    settings = dict(before=10.0, after=10.0, sampling=1000.0)
    with pytest.raises(ValueError, match=told):
        spike_triggered_average(spikes(), field(), **{**settings, **options})


# Coherence.


@pytest.mark.parametrize("n_tapers", [1, 3, 5])
def test_coherence_is_that_of_scipy_taper_by_taper(n_tapers):
    trains, x = spikes(2000), field()
    found = spike_field_coherence(trains, x, 500.0, sampling=1000.0, nw=3.0, n_tapers=n_tapers)
    options = dict(fs=1000.0, nperseg=500, noverlap=0, detrend="constant")
    tapers = dpss(500, 3.0, n_tapers)
    inside = x[:20_000]
    for i, times in enumerate(trains):
        counts = np.bincount(np.rint(times).astype(int), minlength=x.size)[:20_000].astype(float)
        both, own, power = (
            sum(ss.csd(a, b, window=taper, **options)[1] for taper in tapers)
            for a, b in ((counts, inside), (counts, counts), (inside, inside))
        )
        theirs = both / np.sqrt(own.real * power.real)
        np.testing.assert_allclose(found.coherence[i], np.abs(theirs)[1:], atol=1e-10)
        np.testing.assert_allclose(
            np.exp(1j * found.phase[i]), np.exp(1j * np.angle(theirs[1:])), atol=1e-7
        )
    assert found.n_segments == 40 and found.n_tapers == n_tapers
    assert found.bandwidth == pytest.approx(6.0)
    if n_tapers == 1:
        squared = ss.coherence(counts, inside, window=tapers[0], **options)[1]
        np.testing.assert_allclose(found.coherence[1] ** 2, squared[1:], atol=1e-10)


def test_elephants_coherence_is_squared_and_of_one_window():
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.sta import spike_field_coherence as theirs

    x, trains = field(20_000), spikes(2000, size=1, grid=True, duration=19_999.0)
    window = dpss(500, 3.0, 1)[0]
    analog = neo.AnalogSignal(x[:, None], units="mV", sampling_rate=1000.0 * pq.Hz)
    train = neo.SpikeTrain(trains.times * pq.ms, t_stop=20_000.0 * pq.ms)
    other, _ = theirs(analog, train, window=window, nperseg=500, noverlap=0)
    ours = spike_field_coherence(trains, x, 500.0, sampling=1000.0, nw=3.0, n_tapers=1)
    np.testing.assert_allclose(ours.coherence[0] ** 2, other.magnitude[1:, 0], atol=1e-10)


def test_coherence_finds_frequency_and_phase():
    trains, x = locked()
    found = spike_field_coherence(trains, x, 1000.0, sampling=1000.0, highest=40.0)
    at = np.argmin(np.abs(found.frequencies - 8.0))
    assert found.coherence[0, at] > found.critical(0.001) and found.p[0, at] < 1e-6
    assert found.phase[0, at] == pytest.approx(0.7, abs=0.15)
    assert np.mean(found.p[0, found.frequencies > 15] < 0.05) < 0.3
    assert found.frequencies[-1] == 40.0 and found.n_segments == 60


def test_coherence_of_independent_ones_keeps_its_level():
    """100 neurons, 50 frequencies apart by more than the bandwidth."""
    trains = spikes(20_000, size=100)
    found = spike_field_coherence(trains, field(), 500.0, sampling=1000.0)
    apart = slice(3, None, 8)
    share = np.mean(found.coherence[:, apart] > found.critical(0.05))
    assert share == pytest.approx(0.05, abs=0.015)
    assert share == pytest.approx(np.mean(found.p[:, apart] < 0.05), abs=1e-12)


@pytest.mark.parametrize("level", [0.0, 0.1, 0.3, 1.0, 1000.1])
def test_a_constant_has_no_coherence(level):
    found = spike_field_coherence(spikes(), np.full(20_000, level), 1000.0, sampling=1000.0)
    for values in (found.coherence, found.p):
        assert np.isnan(values).all()
    x = level + 1e-5 * field(20_000)
    found = spike_field_coherence(spikes(), x, 1000.0, sampling=1000.0)
    assert np.isfinite(found.coherence).all()


@pytest.mark.parametrize("level", [0.1, 1000.1])
def test_an_average_of_a_constant_is_nothing_special(level):
    signal = np.full(20_000, level)
    found = spike_triggered_average(
        spikes(), signal, 50.0, 50.0, sampling=1000.0, shifts=99, seed=1
    )
    np.testing.assert_allclose(found.mean, level, rtol=1e-12)
    np.testing.assert_array_equal(found.p, 1.0)


def test_segments_bridge_no_gap():
    x = field(20_001)
    x[8000:8003] = np.nan
    support = Windows([0.0, 12_000.0], [9000.0, 20_000.0])
    rng = np.random.default_rng(0)
    times = rng.uniform(1.0, 20_000.0, 500)
    times = times[support.contains(times)]
    trains = SpikeTrains(times, np.zeros(times.size, int), 1, support=support)
    found = spike_field_coherence(trains, x, 1000.0, sampling=1000.0)
    assert found.n_segments == 8 + 0 + 8
    inside = (times < 7999.5) | (times > 12_000) & (times < 19_999.5)
    assert found.n[0] == np.sum(inside)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"length": 5.0}, "it must be 8 or more"),
        ({"length": 1e6}, "in common without a gap"),
        ({"nw": 0.5}, "nw is 0.5"),
        ({"n_tapers": 9}, "n_tapers is 9"),
        ({"highest": 0.0}, "highest is 0.0"),
        ({"t_start": 1e6}, "in common"),
    ],
)
def test_bad_coherence(options, told):
    settings = dict(length=500.0, sampling=1000.0)
    with pytest.raises(ValueError, match=told):
        spike_field_coherence(spikes(), field(), **{**settings, **options})
