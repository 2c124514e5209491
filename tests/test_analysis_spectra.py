"""Spectra and coherence: a slow twin, Elephant and SciPy on a grid, closed forms."""

import numpy as np
import pytest

from spikesim.analysis import coherence, power_spectrum
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows


def poisson(seed, rates, duration):
    rng = np.random.default_rng(seed)
    n = rng.poisson(np.array(rates) * duration / 1000)
    times = rng.uniform(0, duration, n.sum())
    return SpikeTrains(times, np.repeat(np.arange(len(n)), n), len(n), 0, duration)


def twin(times, starts, length, frequencies, nw, n_tapers):
    """J of each segment and taper, by the definition; tapers by splines, integrals by sums."""
    from scipy.interpolate import CubicSpline
    from scipy.signal.windows import dpss

    n = 2**14
    points = (np.arange(n) + 0.5) / n * length / 1000
    tapers = dpss(n, nw, n_tapers) * np.sqrt(n / length * 1000)
    found = []
    for start in starts:
        t = times[(times > start) & (times <= start + length)] / 1000 - start / 1000
        for taper in tapers:
            h = CubicSpline(points, taper)(t)
            wave = np.exp(-2j * np.pi * np.outer(frequencies, points))
            of_taper = (wave * taper).sum(axis=1) * length / 1000 / n
            at_spikes = (h * np.exp(-2j * np.pi * np.outer(frequencies, t))).sum(axis=1)
            found.append(at_spikes - len(t) / length * 1000 * of_taper)
    return np.array(found)


GAPS = Windows([0.0, 900.0, 3000.0, 4000.0], [700.0, 2500.0, 3200.0, 5000.0])


def test_power_and_coherence_are_those_of_the_twin():
    whole = poisson(1, [40, 25, 60], 5000)
    trains = whole.restrict(GAPS)
    starts = [0.0, 900.0, 1400.0, 1900.0, 4000.0, 4500.0]  # 200 ms and what is left over: none
    found = power_spectrum(trains, 500.0, highest=60, nw=2.5)
    np.testing.assert_allclose(found.frequencies, np.arange(0, 61, 2))
    assert (found.n_segments, found.n_tapers, found.bandwidth) == (6, 4, 5.0)
    j = [twin(t, starts, 500.0, found.frequencies, 2.5, 4) for t in trains]
    for i in range(3):
        np.testing.assert_allclose(found.power[i], np.mean(np.abs(j[i]) ** 2, axis=0), rtol=1e-4)
        inside = sum(np.sum((trains[i] > s) & (trains[i] <= s + 500)) for s in starts)
        assert found.rates[i] == pytest.approx(inside / 3)
    related = coherence(trains, 500.0, highest=60, nw=2.5)
    for k, (a, b) in enumerate(related.pairs):
        cross = np.mean(j[a] * j[b].conj(), axis=0)
        power = [np.mean(np.abs(j[i]) ** 2, axis=0) for i in (a, b)]
        expected = cross / np.sqrt(power[0] * power[1])
        np.testing.assert_allclose(related.coherence[k], np.abs(expected), atol=1e-4)
        turned = related.coherence[k] * np.exp(1j * related.phase[k])
        np.testing.assert_allclose(turned, expected, atol=1e-4)
        np.testing.assert_allclose(related.p[k], (1 - np.abs(expected) ** 2) ** 23, atol=1e-3)


def amid_bins(seed, n=4096, step=0.25, size=2):
    """Spikes amid bins that are as many as a taper has points: sums are those of bins, exactly."""
    rng = np.random.default_rng(seed)
    counts = rng.poisson(0.01 * (1 + 0.5 * np.sin(np.arange(n) / 40)[:, None]), (n, size))
    bins, neurons = np.nonzero(counts)
    bins, neurons = (np.repeat(x, counts[bins, neurons]) for x in (bins, neurons))
    trains = SpikeTrains((bins + 0.5) * step, neurons, size, 0, n * step)
    return trains, counts.astype(float)


def test_power_is_elephants_on_a_grid():
    """But for its tapers, which are those of one point more without the last: 0.2 %."""
    spectral = pytest.importorskip("elephant.spectral")
    import neo
    import quantities as pq

    trains, counts = amid_bins(2)
    rate = 4000 * (counts - counts.mean(axis=0))  # it takes no mean off
    signal = neo.AnalogSignal(rate, units="Hz", sampling_period=0.25 * pq.ms)
    frequencies, theirs = spectral.multitaper_psd(signal, nw=3, num_tapers=5)
    found = power_spectrum(trains, highest=100)
    n = len(found.frequencies)
    np.testing.assert_allclose(frequencies.rescale("Hz").magnitude[:n], found.frequencies)
    twice = 2 * found.power[:, 1:]  # theirs is one-sided
    np.testing.assert_allclose(theirs.magnitude[:, 1:n], twice, rtol=5e-3)


def test_power_and_coherence_are_scipys_on_a_grid():
    """SciPy's tapered periodograms, averaged over tapers."""
    from scipy.signal import csd
    from scipy.signal.windows import dpss

    trains, counts = amid_bins(3)
    rate = counts * 4000
    tapers = dpss(4096, 4, 7)
    frame = dict(fs=4000, nperseg=4096, detrend="constant", return_onesided=False)
    s = [
        [
            np.mean([csd(rate[:, i], rate[:, j], window=w, **frame)[1] for w in tapers], axis=0)
            for j in range(2)
        ]
        for i in range(2)
    ]
    power = power_spectrum(trains, highest=300, nw=4)
    n = power.power.shape[1]
    for i in range(2):
        np.testing.assert_allclose(power.power[i], s[i][i][:n].real, rtol=1e-9)
    related = coherence(trains, highest=300, nw=4)
    expected = s[0][1][:n].conj() / np.sqrt(s[0][0][:n].real * s[1][1][:n].real)
    np.testing.assert_allclose(related.coherence[0], np.abs(expected), atol=1e-9)
    np.testing.assert_allclose(
        np.exp(1j * related.phase[0]), expected / np.abs(expected), atol=1e-8
    )


def test_a_poisson_process_has_its_rate_at_every_frequency():
    trains = poisson(4, [5, 20, 80], 400_000)
    found = power_spectrum(trains, 1000.0, highest=2000)
    assert found.n_segments == 400 and found.power.shape == (3, 2001)
    beyond = found.frequencies >= 2 * found.bandwidth  # the mean rate is taken off below
    spread = found.normalised[:, beyond]
    assert np.abs(spread.mean(axis=1) - 1).max() < 4 / np.sqrt(2000 * 400)
    assert spread.std() == pytest.approx(1 / np.sqrt(400 * 5), rel=0.1)
    assert (found.normalised[:, 0] < 0.9).all()
    covered = (found.lower <= found.rates[:, None]) & (found.rates[:, None] <= found.upper)
    assert covered[:, beyond].mean() == pytest.approx(0.95, abs=0.02)


def test_a_dead_time_shows_as_its_closed_form():
    """S = rate (1 - |F|^2) / |1 - F|^2 of intervals d + exponential: F = q e^(-iwd) / (q + iw)."""
    rng = np.random.default_rng(5)
    q, dead = 0.1, 5.0  # per ms, ms
    times = np.cumsum(dead + rng.exponential(1 / q, 60_000))
    duration = 1000.0 * int(times[-1] / 1000)
    times = times[times <= duration]
    trains = SpikeTrains(times, np.zeros(len(times), int), 1, 0, duration)
    found = power_spectrum(trains, 1000.0, highest=400)
    w = 2 * np.pi * found.frequencies[10:] / 1000
    f = q * np.exp(-1j * w * dead) / (q + 1j * w)
    expected = (1 - np.abs(f) ** 2) / np.abs(1 - f) ** 2
    error = 1 / np.sqrt(found.n_segments * 5)
    assert np.abs(found.normalised[0, 10:] / expected - 1).max() < 5 * error
    assert expected.min() < 0.5 and expected.max() > 1.1


def test_a_rhythm_shows_in_the_population():
    rng = np.random.default_rng(6)
    duration = 100_000.0
    times = rng.uniform(0, duration, 60_000)
    times = times[rng.random(60_000) < 0.5 * (1 + 0.3 * np.cos(2 * np.pi * 0.04 * times))]
    trains = SpikeTrains(times, rng.integers(0, 20, len(times)), 20, 0, duration)
    found = power_spectrum(trains, 2000.0, pooled=True)
    assert found.power.shape == (1, 201) and found.rates[0] == pytest.approx(len(times) / 100)
    peak = found.frequencies[np.argmax(found.power[0])]
    assert abs(peak - 40) <= found.bandwidth
    near = np.abs(found.frequencies - 40) <= 6
    line = np.sum(found.power[0, near] - found.rates[0]) * 0.5  # its area: half the cosine's power
    assert line == pytest.approx((0.3 * found.rates[0]) ** 2 / 4, rel=0.15)


def test_coherence_of_shared_spikes_and_its_phase():
    """A share c of spikes in common, 3 ms later in the second: coherence c, phase w 3 ms."""
    rng = np.random.default_rng(7)
    duration = 300_000.0
    shared, *own = (np.sort(rng.uniform(1, duration - 5, n)) for n in (6000, 6000, 6000))
    times = np.r_[own[0], shared, own[1], shared + 3]
    trains = SpikeTrains(times, np.repeat([0, 1], 12_000), 2, 0, duration)
    found = coherence(trains, 1000.0)
    beyond = found.frequencies >= 2 * found.bandwidth
    assert np.abs(found.coherence[0, beyond] - 0.5).max() < 5 * 0.75 / np.sqrt(2 * 1500)
    expected = 2 * np.pi * found.frequencies * 0.003
    error = np.angle(np.exp(1j * (found.phase[0] - expected)))
    assert np.abs(error[beyond]).max() < 0.15
    assert (found.p[0, beyond] < 1e-10).all()
    covered = (found.lower[0] <= 0.5) & (0.5 <= found.upper[0])
    assert covered[beyond].mean() > 0.85
    back = coherence(trains, 1000.0, pairs=[(1, 0)])
    np.testing.assert_allclose(back.phase[0], -found.phase[0], atol=1e-9)
    np.testing.assert_allclose(back.coherence[0], found.coherence[0], atol=1e-12)


def test_independent_trains_are_coherent_as_often_as_told():
    trains = poisson(8, [30] * 12, 60_000)
    found = coherence(trains, 2000.0)
    apart = found.p[:, 12::12]  # frequencies that share nothing
    assert np.mean(apart <= 0.05) == pytest.approx(0.05, abs=0.02)
    np.testing.assert_array_equal(found.coherence > found.critical(0.05), found.p < 0.05)


def test_trials_are_segments():
    trains = poisson(9, [50, 50], 20_000)
    trials = trains.align(np.arange(0, 20_000, 500.0), 0, 500)
    by_trial, by_time = power_spectrum(trials), power_spectrum(trains, 500.0)
    np.testing.assert_allclose(by_trial.power, by_time.power, rtol=1e-6)
    np.testing.assert_allclose(
        coherence(trials).coherence, coherence(trains, 500.0).coherence, atol=1e-6
    )


def test_silent_neurons_and_single_segments():
    trains = SpikeTrains([5.0, 50.0], [0, 0], 2, 0, 1000)
    found = power_spectrum(trains, nw=1.0)
    assert (found.n_segments, found.n_tapers) == (1, 1)
    assert (found.power[1] == 0).all() and np.isnan(found.lower).all()
    assert np.isnan(found.normalised[1]).all()
    many = power_spectrum(trains, 500.0)
    assert np.isnan(many.lower[1]).all() and (many.power[0] > 0).all()
    related = coherence(trains)
    assert np.isnan(related.coherence).all() and np.isnan(related.p).all()
    none = power_spectrum(SpikeTrains([], np.empty(0, int), 3, 0, 1000))
    assert (none.power == 0).all() and (none.rates == 0).all()
    both = SpikeTrains([5.0, 50.0, 60.0], [0, 0, 1], 2, 0, 1000)
    one = coherence(both, nw=1.0)
    assert (one.p == 1).all() and one.critical() == 1
    assert "1 segments" in repr(one) and "2 neurons" in repr(found)


def test_bad_input_is_told_in_a_sentence():
    trains = poisson(1, [20, 20], 1000)
    for options, sentence in (
        (dict(length=2000.0), "length is 2000.0; it must be at most the longest window .* 1000 ms"),
        (dict(length=-1), "length is -1; it must be a finite number of ms above 0"),
        (dict(highest=0.5), "highest is 0.5; it must be a finite number of Hz, 1 or more"),
        (dict(nw=0.4), "nw is 0.4"),
        (dict(nw=2, n_tapers=5), "n_tapers is 5; it must be a whole number, from 1 to 4"),
        (dict(n_tapers=0), "n_tapers is 0"),
    ):
        for call in (power_spectrum, coherence):
            with pytest.raises(ValueError, match=sentence):
                call(trains, **options)
    with pytest.raises(ValueError, match="two different neurons"):
        coherence(trains, pairs=[(0, 2)])
