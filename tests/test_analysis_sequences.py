"""Theta sequences: compression that was put in is found again; orders against a loop."""

import warnings

import numpy as np
import pytest
from scipy import stats

from spikesim.analysis import periodic_phase, sequence_compression, theta_sequences
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

PERIOD, SPEED, WIDTH = 125.0, 30.0, 40.0  # ms, cm/s, cm


def session(slope=-0.9, laps=15, size=20, seed=0):
    """Cells whose fields follow each other along a track, and that precess by ``slope``."""
    rng = np.random.default_rng(seed)
    centres = np.linspace(40.0, 160.0, size)
    run = 200.0 / SPEED * 1000
    starts, spikes = [], []
    for lap in range(laps):
        t = lap * (run + 1000.0) + 13.0 * lap
        starts.append(t)
        ms = np.arange(np.ceil(t + 1), t + run)
        x = ((ms - t) / run * 200.0 - centres[:, None]) / WIDTH + 0.5
        inside = (x > 0) & (x < 1)
        away = 2 * np.pi * (ms / PERIOD - slope * (x - 0.5) - 0.5)
        rate = inside * 0.06 * np.exp(4 * (np.cos(away) - 1) - ((x - 0.5) / 0.3) ** 2)
        cells, at = np.nonzero(rng.random(x.shape) < rate)
        spikes += list(zip(ms[at], cells, strict=True))
    when, who = np.array(spikes).T
    support = Windows(starts, np.array(starts) + run)
    return SpikeTrains(when, who.astype(int), size, support=support), centres


@pytest.mark.parametrize("slope", [-0.9, -0.5])
def test_compression_that_was_put_in_is_found(slope):
    trains, centres = session(slope)
    found = sequence_compression(trains, centres, SPEED, PERIOD, reach=0.6 * WIDTH)
    # Two cells that prefer the same phase of what is theta plus precession: their lag is
    # -slope distance / width of a cycle that is shorter by as much as phase moves in it.
    cycle = 1 / (1 / PERIOD - slope * SPEED / 1000 / WIDTH)
    expected = (WIDTH / SPEED * 1000) / (-slope * cycle)
    assert found.compression == pytest.approx(expected, rel=0.08)
    assert found.correlation > 0.9 and found.resultant > 0.9
    np.testing.assert_allclose(
        found.behaviour, np.diff(centres[found.pairs], axis=1)[:, 0] / SPEED * 1000
    )
    off = found.theta - found.slope * found.behaviour
    off -= PERIOD * np.round(off / PERIOD)
    assert np.median(np.abs(off)) < 5.0
    assert f"{len(found.pairs)} pairs" in repr(found)


def test_cells_that_do_not_precess_are_not_compressed():
    trains, centres = session(0.0)
    found = sequence_compression(trains, centres, SPEED, PERIOD, reach=0.6 * WIDTH)
    assert abs(found.slope) < 0.01
    cycles = theta_sequences(trains, periodic_phase(PERIOD), centres, shuffles=99, seed=0)
    assert abs(cycles.score) < 0.15


def test_runs_towards_lower_places_have_the_same_compression():
    trains, centres = session()
    there = sequence_compression(trains, centres, SPEED, PERIOD, reach=0.6 * WIDTH)
    back = sequence_compression(trains, 200 - centres, -SPEED, PERIOD, reach=0.6 * WIDTH)
    assert back.compression == pytest.approx(there.compression)


def test_few_pairs_have_no_compression():
    trains, centres = session(laps=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = sequence_compression(trains, centres, SPEED, PERIOD, reach=WIDTH, least=10_000)
        nowhere = np.full(trains.size, np.nan)
        none = sequence_compression(trains, nowhere, SPEED, PERIOD, reach=0.6 * WIDTH)
        empty = SpikeTrains([], [], 3, 0.0, 1000.0)
        silent = sequence_compression(empty, [0.0, 1.0, 2.0], SPEED, PERIOD, reach=0.6 * WIDTH)
        cycles = theta_sequences(empty, periodic_phase(PERIOD), [0.0, 1.0, 2.0])
    for each in found, none, silent:
        assert len(each.pairs) == 0 and np.isnan(each.compression)
    assert cycles.cycles.size == 0 and np.isnan(cycles.score) and np.isnan(cycles.p)


def test_orders_in_cycles_are_those_of_a_loop():
    trains, centres = session(laps=4)
    phase = periodic_phase(PERIOD)
    found = theta_sequences(trains, phase, centres, start=0.0, least=3, shuffles=99, seed=1)
    number = np.floor(trains.times / PERIOD).astype(int)
    k = 0
    for cycle in np.unique(number):
        here = number == cycle
        if np.unique(trains.neurons[here]).size < 3:
            continue
        cells = np.unique(trains.neurons[here])
        at = [trains.times[here & (trains.neurons == cell)].mean() for cell in cells]
        line = stats.linregress(at, centres[cells])
        assert found.cells[k] == cells.size
        assert found.cycles[k] == cycle and found.spikes[k] == here.sum()
        assert found.starts[k] == trains.times[here].min()
        assert found.correlation[k] == pytest.approx(line.rvalue, abs=1e-10)
        assert found.slope[k] == pytest.approx(1000 * line.slope, abs=1e-7)
        k += 1
    assert k == found.cycles.size > 20
    assert found.score == pytest.approx(found.correlation.mean())


@pytest.mark.parametrize("shift", [0.0, 3.7, 1e8])
def test_spikes_that_begin_a_cycle_are_of_it_however_times_are_rounded(shift):
    times = shift + 83.3 * (np.arange(1, 301)[:, None] + [0, 0.25, 0.5]).ravel()
    trains = SpikeTrains(times, np.tile([0, 1, 2], 300), 3, shift, shift + 3e4)
    found = theta_sequences(trains, periodic_phase(83.3, shift), [0, 1, 2], start=0.0, shuffles=0)
    np.testing.assert_array_equal(found.cycles, np.arange(1, 301))
    np.testing.assert_array_equal(found.spikes, 3)
    np.testing.assert_allclose(found.slope, 4000 / 83.3, rtol=1e-6)


def test_cells_in_order_are_told_from_cells_with_phases_of_their_own():
    trains, centres = session()
    found = theta_sequences(trains, periodic_phase(PERIOD), centres, shuffles=199, seed=0)
    assert found.score > 0.6 and found.p == 1 / 200
    # 8 times faster than the rat and more: about the compression.
    assert 6 < np.median(found.slope) / SPEED < 16
    rng = np.random.default_rng(0)
    times = PERIOD * (np.repeat(np.arange(400), 8) + np.tile(rng.random(8), 400))
    same = SpikeTrains(times + 1, np.tile(np.arange(8), 400), 8, 0.0, 60_000.0)
    ps = [
        theta_sequences(same, periodic_phase(PERIOD), rng.random(8), shuffles=99, seed=k).p
        for k in range(60)
    ]
    assert np.mean(np.array(ps) <= 0.05) < 0.15


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"places": [0.0]}, "places has shape"),
        ({"speed": 0.0}, "speed is 0"),
        ({"period": -1.0}, "period is -1.0"),
        ({"speed": 0}, "speed is 0; it must be a finite number other than 0, negative towards"),
        ({"speed": "fast"}, "speed is 'fast'; it must be a finite number other than 0"),
        ({"speed": -np.inf}, "speed is -inf; it must be a finite number other than 0"),
        ({"reach": 0.0}, "reach is 0"),
        ({"bin": 60.0}, "bin is 60.0"),
        ({"window": 10.0}, "window is 10.0"),
        ({"least": 0}, "least is 0"),
    ],
)
def test_bad_compression(options, told):
    trains, centres = session(laps=1)
    settings = dict(places=centres, speed=SPEED, period=PERIOD, reach=0.6 * WIDTH)
    with pytest.raises(ValueError, match=told):
        sequence_compression(trains, **{**settings, **options})


def test_bad_sequences():
    trains, centres = session(laps=1)
    with pytest.raises(ValueError, match="least is 1"):
        theta_sequences(trains, periodic_phase(PERIOD), centres, least=1)
    with pytest.raises(ValueError, match="places holds an infinite number; a cell without"):
        theta_sequences(trains, periodic_phase(PERIOD), centres + np.inf)
    with pytest.raises(ValueError, match="places has shape"):
        theta_sequences(trains, periodic_phase(PERIOD), centres[:3])


def test_shuffles_without_a_score_count_as_far():
    # Two cells in one place: of every shuffle, and so p, no correlation tells anything.
    times = np.sort(np.r_[np.arange(10.0, 1000.0, 100.0), np.arange(30.0, 1000.0, 100.0)])
    trains = SpikeTrains(times, np.tile([0, 1], 10), 3, 0.0, 1000.0)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = theta_sequences(
            trains, periodic_phase(100.0), [0.0, 1.0, 0.0], least=2, shuffles=50, seed=1
        )
    assert found.p == 1.0
