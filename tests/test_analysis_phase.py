"""Phases of oscillations: against elephant and scipy, at edges and gaps, of asymmetric waves."""

import warnings

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import signal as ss, stats

from spikesim.analysis import (
    Phase,
    circular_sd,
    circular_variance,
    cycle_phase,
    hilbert_phase,
    mean_vector,
    periodic_phase,
    phase_locking,
    spike_phases,
    von_mises_kappa,
)
from spikesim.data.spiketrains import SpikeTrains

THETA = (5.0, 11.0)
ANGLES = st.lists(st.floats(-50, 50), min_size=1, max_size=30)


def oscillation(seconds=20.0, rate=1000.0, asymmetry=0.0, noise=0.0, seed=1):
    """A signal of about 8 Hz that wanders, and its phase: 0 at peaks, pi at troughs."""
    rng = np.random.default_rng(seed)
    n = int(seconds * rate)
    f = 8.0 + 0.3 * np.sin(2 * np.pi * np.arange(n) / rate / 3)
    turns = np.cumsum(f) / rate
    # Rise and fall of different lengths, both linear in phase.
    rise = 0.5 + asymmetry
    place = turns % 1
    within = np.where(place < 1 - rise, place / (1 - rise) / 2, 1 - (1 - place) / rise / 2)
    phase = 2 * np.pi * (np.floor(turns) + within)
    return np.cos(phase) + noise * rng.normal(size=n), phase


def apart(a, b):
    return np.abs(np.angle(np.exp(1j * (a - b))))


# Means of angles.


@given(ANGLES)
def test_means_of_angles_are_those_of_scipy(angles):
    mean, length = mean_vector(angles)
    if length > 1e-6:
        assert apart(mean, stats.circmean(angles)) < 1e-7
        assert circular_sd(angles) == pytest.approx(stats.circstd(angles), abs=1e-7)
    assert circular_variance(angles) == pytest.approx(stats.circvar(angles), abs=1e-10)
    assert 0 <= mean < 2 * np.pi and 0 <= length <= 1


def test_means_of_angles_are_those_of_astropy():
    astropy = pytest.importorskip("astropy.stats")
    rng = np.random.default_rng(0)
    angles, weights = rng.vonmises(2.0, 1.5, (40, 5)), rng.random((40, 5))
    mean, length = mean_vector(angles, weights, axis=0)
    np.testing.assert_allclose(
        apart(mean, astropy.circmean(angles, axis=0, weights=weights)), 0, atol=1e-12
    )
    np.testing.assert_allclose(
        1 - length, astropy.circvar(angles, axis=0, weights=weights), rtol=1e-12
    )
    # Its default of a standard deviation is another quantity, sqrt(2 (1 - R)).
    r = mean_vector(angles[:, 0])[1]
    assert astropy.circstd(angles[:, 0]) == pytest.approx(np.sqrt(2 * (1 - r)))
    circular = astropy.circstd(angles[:, 0], method="circular")
    assert circular_sd(angles[:, 0]) == pytest.approx(circular, rel=1e-12)
    # Its kappa is an approximation, ours the solution.
    _, kappa = astropy.vonmisesmle(angles[:, 0])
    assert von_mises_kappa(r) == pytest.approx(kappa, rel=5e-3)
    assert von_mises_kappa(r) != pytest.approx(kappa, rel=1e-6)


def test_mean_vector_of_nothing_and_of_unknown_phases():
    mean, length = mean_vector([])
    assert np.isnan(mean) and np.isnan(length)
    assert mean_vector([np.nan, 1.0]) == (pytest.approx(1.0), pytest.approx(1.0))
    assert np.isnan(circular_sd([])) and circular_sd([1.0, 1.0]) == 0
    mean, length = mean_vector(np.array([[0.0, np.nan], [0.0, np.nan]]), axis=0)
    assert length[0] == 1 and np.isnan(length[1])


@pytest.mark.parametrize("kappa", [1e-4, 0.1, 1.0, 5.0, 100.0, 1e5])
def test_kappa_solves_its_equation(kappa):
    from scipy.special import ive

    assert von_mises_kappa(ive(1, kappa) / ive(0, kappa)) == pytest.approx(kappa, rel=1e-8)


def test_kappa_at_its_ends():
    found = von_mises_kappa([0.0, 1.0, np.nan])
    assert found[0] == 0 and found[1] == np.inf and np.isnan(found[2])
    with pytest.raises(ValueError, match="length holds 1.5; it must be from 0 to 1"):
        von_mises_kappa(1.5)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([np.inf],), "phases holds an infinite number"),
        (([1.0, 2.0], [1.0]), r"weights has shape \(1,\)"),
        (([1.0], [-1.0]), "weights is"),
    ],
)
def test_bad_angles(arguments, told):
    with pytest.raises(ValueError, match=told):
        mean_vector(*arguments)


# The object.


def test_a_clock_has_a_phase_at_all_times():
    clock = periodic_phase(125.0, 10.0)
    np.testing.assert_allclose(clock.at([10.0, 72.5, 135.0, -115.0]), [0, np.pi, 0, 0], atol=1e-12)
    np.testing.assert_array_equal(clock.cycles([9.0, 10.0, 134.0, 136.0]), [-1, 0, 0, 1])
    assert clock.mean_period == 125.0 and "125 ms" in repr(clock)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert np.isnan(clock.at([np.inf, -np.inf, np.nan])).all()
        found = clock.cycles([np.inf, -np.inf, np.nan, 1e300, 9.0])
    assert found.tolist() == [-(2**63)] * 4 + [-1]  # no time but 9 ms is in a cycle
    far = periodic_phase(100.0).at([1e9 + 25.0])
    np.testing.assert_allclose(far, [np.pi / 2], atol=1e-6)


@pytest.mark.parametrize("period", [0.7, 8.3, 125.0, 1e4])
@pytest.mark.parametrize("origin", [0.0, -1234.5, 1e8])
def test_a_peak_starts_its_cycle_however_its_time_is_rounded(period, origin):
    clock = periodic_phase(period, origin)
    numbers = np.arange(1, 3000)
    peaks = origin + numbers * period
    sampled = np.linspace(origin, origin + 3001 * period, 17 * 3001 + 1)
    waves = Phase(sampled, clock.unwrapped_at(sampled), np.ones(sampled.size, bool))
    for phase in clock, waves:
        for off in (-2e-7, 0.0, 2e-7):
            np.testing.assert_array_equal(phase.cycles(peaks + off), numbers)
        np.testing.assert_array_equal(phase.cycles(peaks - 1e-5), numbers - 1)


def test_a_phase_is_interpolated_where_both_neighbours_are_valid():
    phase = Phase([0.0, 1.0, 2.0, 4.0], [0.0, 2.0, 7.0, 8.0], [True, True, False, True])
    found = phase.unwrapped_at([-0.1, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 4.1, np.nan])
    np.testing.assert_array_equal(found, [np.nan, 0, 1, 2, *[np.nan] * 3, 8, np.nan, np.nan])
    found = phase.cycles([0.5, 1.5, 4.0, np.nan, np.inf])
    np.testing.assert_array_equal(found, [0, -1, 1, -1, -1])


@given(st.lists(st.floats(0.0, 99.0), max_size=20), st.integers(0, 5))
def test_a_phase_is_between_its_samples(times, seed):
    rng = np.random.default_rng(seed)
    unwrapped = np.cumsum(rng.random(100))
    phase = Phase(np.arange(100.0), unwrapped, np.ones(100, bool))
    np.testing.assert_allclose(
        phase.unwrapped_at(times), np.interp(times, np.arange(100.0), unwrapped), atol=1e-12
    )


def test_spikes_outside_of_the_signal_have_no_phase():
    trains = SpikeTrains([1.0, 5.0, 50.0, 150.0], [0, 1, 0, 0], 2, 0.0, 200.0)
    phase = Phase([2.0, 100.0], [0.0, 9.8], [True, True])
    found = spike_phases(trains, phase)
    np.testing.assert_allclose(found, [np.nan, 0.3, 4.8, np.nan])
    assert spike_phases(SpikeTrains([], [], 2, 0.0, 1.0), phase).shape == (0,)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (([0.0, 1.0], [0.0], [True, True]), "have shapes"),
        (([0.0], [0.0], [True]), "two or more"),
        (([1.0, 0.0], [0.0, 1.0], [True, True]), "times must rise"),
        (([0.0, 1.0], [0.0, np.nan], [True, True]), "unwrapped must be finite"),
    ],
)
def test_bad_phases(arguments, told):
    with pytest.raises(ValueError, match=told):
        Phase(*arguments)


def test_bad_clocks():
    with pytest.raises(ValueError, match="period is 0"):
        periodic_phase(0)


# Hilbert phase.


def test_hilbert_phase_is_that_of_scipy():
    x, _ = oscillation(noise=0.5)
    sections = ss.butter(4, THETA, "bandpass", fs=1000.0, output="sos")
    twin = np.angle(ss.hilbert(ss.sosfiltfilt(sections, x)))
    phase = hilbert_phase(x, THETA, sampling=1000.0)
    np.testing.assert_allclose(apart(phase.unwrapped, twin), 0, atol=1e-10)
    np.testing.assert_allclose(phase.times, np.arange(x.size))
    assert np.all(np.abs(np.diff(phase.unwrapped)) < np.pi)


def test_hilbert_phase_of_spikes_is_that_of_elephant():
    pytest.importorskip("elephant")
    import neo
    import quantities as pq
    from elephant.phase_analysis import spike_triggered_phase
    from elephant.signal_processing import butter, hilbert

    x, _ = oscillation(noise=0.3)
    rng = np.random.default_rng(2)
    times = np.sort(rng.uniform(2000.0, 18_000.0, 300))
    field = neo.AnalogSignal(x[:, None], units="mV", sampling_rate=1000.0 * pq.Hz)
    edges = dict(highpass_frequency=5.0 * pq.Hz, lowpass_frequency=11.0 * pq.Hz)
    narrow = butter(field, order=4, filter_function="sosfiltfilt", **edges)
    train = neo.SpikeTrain(times * pq.ms, t_stop=20_000.0 * pq.ms)
    theirs, _, _ = spike_triggered_phase(hilbert(narrow, padding="none"), train, True)
    trains = SpikeTrains(times, np.zeros(300, int), 1, 0.0, 20_000.0)
    ours = spike_phases(trains, hilbert_phase(x, THETA, sampling=1000.0))
    # Theirs is the angle of an interpolated vector, ours an interpolated angle.
    np.testing.assert_allclose(apart(ours, theirs[0]), 0, atol=1e-5)
    on_samples = np.rint(times)
    train = neo.SpikeTrain(on_samples * pq.ms, t_stop=20_000.0 * pq.ms)
    theirs, _, _ = spike_triggered_phase(hilbert(narrow, padding="none"), train, False)
    trains = SpikeTrains(on_samples, np.zeros(300, int), 1, 0.0, 20_000.0)
    ours = spike_phases(trains, hilbert_phase(x, THETA, sampling=1000.0))
    np.testing.assert_allclose(apart(ours, theirs[0]), 0, atol=1e-10)


def test_peaks_are_at_phase_0():
    x, truth = oscillation()
    phase = hilbert_phase(x, THETA, sampling=1000.0)
    assert apart(phase.unwrapped, truth)[phase.valid].max() < 0.05
    assert phase.mean_period == pytest.approx(125.0, rel=0.01)


def test_times_and_sampling_say_the_same():
    x, _ = oscillation(5.0)
    a = hilbert_phase(x, THETA, sampling=1000.0, t_start=300.0)
    b = hilbert_phase(x, THETA, times=300.0 + np.arange(x.size))
    np.testing.assert_allclose(a.unwrapped, b.unwrapped, atol=1e-10)
    np.testing.assert_allclose(a.times, b.times)


def test_ends_are_marked_as_far_as_they_spoil_the_phase():
    x, _ = oscillation(30.0, noise=0.5)
    whole = hilbert_phase(x, THETA, sampling=1000.0)
    part = hilbert_phase(x[10_000:14_000], THETA, sampling=1000.0)
    off = apart(part.unwrapped, whole.unwrapped[10_000:14_000])
    assert off[~part.valid].max() > 0.2
    assert off[part.valid].max() < 0.04
    assert not part.valid[0] and not part.valid[-1] and part.valid.mean() > 0.5


def test_gaps_are_not_bridged():
    x, truth = oscillation(30.0, noise=0.2)
    x[12_000:12_500] = np.nan
    phase = hilbert_phase(x, THETA, sampling=1000.0)
    assert not phase.valid[11_800:12_700].any() and phase.valid[3000] and phase.valid[20_000]
    alone = hilbert_phase(x[12_500:], THETA, sampling=1000.0)
    np.testing.assert_allclose(apart(alone.unwrapped, phase.unwrapped[12_500:]), 0, atol=1e-9)
    assert np.isnan(phase.at([12_200.0]))[0]
    before, after = phase.cycles([11_000.0, 13_600.0])
    assert after > before  # no cycle is on both sides


@pytest.mark.parametrize("level", [0.0, 0.1, 1000.1, -0.3])
@pytest.mark.parametrize("band", [THETA, (1.0, 4.0)])
def test_constants_and_ramps_have_no_phase(level, band):
    signal = np.full(40_000, level)
    with pytest.raises(ValueError, match="signal has no cycle"):
        cycle_phase(signal, band, sampling=1000.0)
    phase = hilbert_phase(signal, band, sampling=1000.0)
    assert not phase.valid.any() and " 0 % of it valid" in repr(phase)
    trains = SpikeTrains(np.arange(1.0, 40_000.0, 7.0), np.zeros(5715, int), 1, 0.0, 40_000.0)
    assert np.isnan(spike_phases(trains, phase)).all()
    found = phase_locking(trains, phase)
    assert np.isnan(found.length).all() and np.isnan(found.p_rayleigh).all()
    # The ends of a ramp are corners, of which the filter rings.
    phase = hilbert_phase(signal + 1e-3 * np.arange(40_000), band, sampling=1000.0)
    assert not phase.valid[15_000:25_000].any()


@pytest.mark.parametrize("level", [0.0, 0.1])
def test_a_dropout_has_no_phase(level):
    x, _ = oscillation(60.0, noise=0.5)
    whole = hilbert_phase(x, THETA, sampling=1000.0)
    x[20_000:40_000] = level
    for method in hilbert_phase, cycle_phase:
        phase = method(x, THETA, sampling=1000.0)
        assert not phase.valid[20_000:40_000].any()
        assert phase.valid[2000:19_000].mean() > 0.9 and phase.valid[41_000:58_000].mean() > 0.9
    # In a flat line that is not quite flat the filter rings, but not for long.
    x[20_000:40_000] += 1e-13 * np.random.default_rng(3).normal(size=20_000)
    for method in hilbert_phase, cycle_phase:
        phase = method(x, THETA, sampling=1000.0)
        assert not phase.valid[25_000:35_000].any()
    again = hilbert_phase(x, THETA, sampling=1000.0)
    assert again.valid[:19_000].tolist() == whole.valid[:19_000].tolist()


def test_a_coarse_or_small_oscillation_has_a_phase():
    x, truth = oscillation(20.0, noise=0.2)
    for signal in (np.round(4 * x), 1e-12 * x, 1e6 + 0.1 * x):
        phase = hilbert_phase(signal, THETA, sampling=1000.0)
        assert phase.valid.mean() > 0.9
        assert apart(phase.unwrapped, truth)[phase.valid].max() < 0.5


@pytest.mark.parametrize(
    ("signal", "band", "options", "told"),
    [
        (np.zeros(500), (50.0, 90.0), {"sampling": 200.0}, "band goes up to 90 Hz"),
        (np.zeros(100), THETA, {"sampling": 1000.0}, "signal lasts 100 ms without a gap"),
        (np.zeros(100), (11.0, 5.0), {"sampling": 1000.0}, "the lower one first"),
        (np.zeros(100), (0.0, 5.0), {"sampling": 1000.0}, "band is"),
        (np.zeros(100), THETA, {}, "give either times"),
        (np.zeros(3), THETA, {"times": [0.0, 1.0]}, "must be as many"),
        (np.zeros(3), THETA, {"times": [0.0, 1.0, 2.0], "t_start": 5.0}, "it goes with sampling"),
        (np.zeros(3), THETA, {"times": [0.0, 1.0, 3.0]}, "must rise in even steps"),
        (np.full(9, np.inf), THETA, {"sampling": 1000.0}, r"signal\[0\] is inf"),
        (np.zeros((9, 2)), THETA, {"sampling": 1000.0}, "one-dimensional"),
        (np.zeros(9), THETA, {"sampling": -1.0}, "sampling is -1.0"),
        (np.zeros(9), THETA, {"sampling": 100.0, "order": 0}, "order is 0"),
    ],
)
def test_bad_signals(signal, band, options, told):
    for method in hilbert_phase, cycle_phase:
        with pytest.raises(ValueError, match=told):
            method(signal, band, **options)


def test_times_in_seconds_are_told():
    x, _ = oscillation(20.0)
    for method in hilbert_phase, cycle_phase:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match="signal lasts 20 ms .* in ms, not in s.$"):
                method(x, THETA, times=np.arange(x.size) / 1000)
            with pytest.raises(ValueError, match="which its ends spoil.$"):
                method(x[:100], THETA, sampling=1000.0)


# Phase by cycles.


@pytest.mark.parametrize("crossings", [False, True])
def test_cycles_of_asymmetric_waves_run_evenly_from_extreme_to_extreme(crossings):
    x, truth = oscillation(asymmetry=0.2)
    by_cycles = cycle_phase(x, THETA, sampling=1000.0, broad=(1.0, 80.0), crossings=crossings)
    by_hilbert = hilbert_phase(x, THETA, sampling=1000.0)
    good = by_cycles.valid & by_hilbert.valid
    assert good.mean() > 0.8
    assert np.sqrt(np.mean(apart(by_cycles.unwrapped, truth)[good] ** 2)) < 0.07
    assert np.sqrt(np.mean(apart(by_hilbert.unwrapped, truth)[good] ** 2)) > 0.2


def test_extremes_lie_where_the_phase_says():
    x, _ = oscillation(asymmetry=-0.15)
    phase = cycle_phase(x, THETA, sampling=1000.0, broad=(1.0, 80.0))
    for k, sign in (0.0, 1), (np.pi, -1):
        for cycle in range(20, 40):
            at = np.interp(
                k + 2 * np.pi * cycle, phase.unwrapped[phase.valid], phase.times[phase.valid]
            )
            around = slice(int(at) - 30, int(at) + 31)
            assert abs(np.argmax(sign * x[around]) - 30) <= 3


def test_cycles_that_are_none_are_not_valid():
    x, _ = oscillation(30.0)
    x[15_000:18_000] = np.cos(2 * np.pi * np.arange(3000) / 300)
    phase = cycle_phase(x, (7.0, 10.0), sampling=1000.0)
    assert phase.valid[5000:14_000].mean() > 0.95
    assert phase.valid[15_500:17_500].mean() < 0.3  # rings at its ends
    assert np.all(np.diff(phase.unwrapped[np.isfinite(phase.unwrapped)]) >= 0)


def test_phases_sampled_finely_are_the_same():
    x, _ = oscillation(10.0)
    phase = hilbert_phase(x, THETA, sampling=1000.0)
    fine = phase.sampled(3000.0, 4000.0)
    times = np.linspace(3000.0, 4000.0, 777)
    np.testing.assert_allclose(fine.at(times), phase.at(times), atol=2e-3)
    clock = periodic_phase(100.0, 20.0)
    fine = clock.sampled(0.0, 1000.0)
    np.testing.assert_allclose(apart(fine.at(times - 3000), clock.at(times - 3000)), 0, atol=1e-9)


@settings(max_examples=20)
@given(st.integers(0, 100))
def test_cycle_numbers_never_fall(seed):
    x, _ = oscillation(6.0, noise=0.3, seed=seed)
    phase = cycle_phase(x, THETA, sampling=1000.0)
    cycles = phase.cycles(np.arange(6000.0))
    assert np.all(np.diff(cycles[cycles >= 0]) >= 0)
