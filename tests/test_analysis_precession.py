"""Lines of phase against position: no slope missed, Kempter's numbers, shuffles, laps."""

import warnings

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st
from scipy.special import erf

from spikesim.analysis import (
    PlaceFields,
    circular_linear,
    find_laps,
    periodic_phase,
    phase_precession,
    place_fields,
    positions_at,
)
from spikesim.analysis.phases import kernels_precession, lines
from spikesim.analysis.phases.kernels_precession import slope_at, waves
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import Windows

TURN = 2 * np.pi


def line(n=100, slope=-0.75, kappa=2.0, seed=0, offset=1.0):
    rng = np.random.default_rng(seed)
    x = rng.random(n)
    return x, TURN * slope * x + offset + rng.vonmises(0.0, kappa, n)


def heights(x, phases, slopes):
    """R^2 at each slope, the slow way."""
    return np.abs(np.exp(1j * (phases - TURN * np.asarray(slopes)[:, None] * x)).mean(axis=1)) ** 2


# The fit.


@pytest.mark.parametrize("n", [3, 5, 20, 100])
@pytest.mark.parametrize("slopes", [(-2.0, 2.0), (-5.0, 1.0), (-0.2, 0.1)])
def test_no_slope_on_a_fine_grid_is_better(n, slopes):
    rng = np.random.default_rng(n)
    fine = np.linspace(*slopes, 2001)
    for _ in range(40):
        x, phases = rng.random(n) ** rng.integers(1, 4), rng.uniform(0, TURN, n)
        found = circular_linear(x, phases, slopes, shuffles=0)
        best = heights(x, phases, fine).max()
        assert found.resultant**2 >= best - 1e-12
        assert found.resultant**2 == pytest.approx(heights(x, phases, [found.slope])[0], abs=1e-12)
        assert slopes[0] <= found.slope <= slopes[1]
        flat = slope_at(phases, x, np.zeros(n), found.slope)
        assert found.at_bound or (abs(flat[1]) < 1e-6 and flat[2] < 1e-6)


def test_a_plain_bounded_search_sticks_where_ours_does_not():
    from scipy.optimize import fminbound

    stuck = 0
    for seed in range(300):
        x, phases = line(20, seed=seed, kappa=0.5)

        def below(a, x=x, phases=phases):
            return -heights(x, phases, [a])[0]

        plain = -below(fminbound(below, -2.0, 2.0))
        stuck += circular_linear(x, phases, shuffles=0).resultant ** 2 > plain + 1e-6
    assert stuck > 30


def test_slopes_of_100_spikes_are_those_that_were_put_in():
    found = [circular_linear(*line(seed=seed), shuffles=0) for seed in range(1000)]
    slopes = np.array([each.slope for each in found])
    assert -0.78 <= np.median(slopes) <= -0.73
    offsets = np.array([each.offset for each in found])
    assert np.angle(np.exp(1j * (offsets - 1.0)).mean()) == pytest.approx(0.0, abs=0.02)
    assert np.mean([each.correlation for each in found]) < -0.3


@settings(max_examples=50)
@given(
    st.lists(st.tuples(st.floats(-1, 2), st.floats(-10, 10)), min_size=3, max_size=20),
    st.floats(-3, 3),
    st.floats(0.2, 5.0),
)
def test_the_line_moves_with_x(spikes, origin, scale):
    x, phases = np.array(spikes).T
    assume(np.ptp(x) > 1e-3)
    here = circular_linear(x, phases, (-2, 2), shuffles=0)
    there = circular_linear(origin + scale * x, phases, (-2 / scale, 2 / scale), shuffles=0)
    assert there.resultant == pytest.approx(here.resultant, abs=1e-9)


def test_kempters_numbers_are_those_of_his_equations():
    from scipy.special import ndtr

    x, phases = line(60, kappa=1.0, seed=3)
    found = circular_linear(x, phases, shuffles=0)
    theta = TURN * abs(found.slope) * x % TURN
    mean = [np.arctan2(np.sin(each).sum(), np.cos(each).sum()) for each in (phases, theta)]
    a, b = np.sin(phases - mean[0]), np.sin(theta - mean[1])
    rho = (a * b).sum() / np.sqrt((a**2).sum() * (b**2).sum())
    moments = {(i, j): np.mean(a**i * b**j) for i, j in ((2, 0), (0, 2), (2, 2))}
    z = rho * np.sqrt(60 * moments[2, 0] * moments[0, 2] / moments[2, 2])
    assert found.correlation == pytest.approx(rho, abs=1e-12) and rho < 0
    assert found.p_kempter == pytest.approx(1 - erf(abs(z) / np.sqrt(2)), abs=1e-12)
    assert found.p_kempter == pytest.approx(2 * ndtr(-abs(z)), abs=1e-12)


def test_the_correlation_is_astropys():
    astropy = pytest.importorskip("astropy.stats")
    for seed in range(5):
        x, phases = line(40, kappa=1.0, seed=seed)
        found = circular_linear(x, phases, shuffles=0)
        theirs = astropy.circcorrcoef(phases, TURN * abs(found.slope) * x)
        assert found.correlation == pytest.approx(float(theirs), abs=1e-10)


def test_slopes_are_those_of_neurospatial():
    theirs = pytest.importorskip("neurospatial.encoding.phase_precession").phase_precession
    for seed in range(5):
        x, phases = line(50, seed=seed)
        found = circular_linear(x, phases, shuffles=0)
        other = theirs(x, phases % TURN, slope_bounds=(-2 * TURN, 2 * TURN), n_shuffles=1)
        assert found.slope == pytest.approx(other.slope / TURN, abs=1e-4)
        assert found.offset == pytest.approx(other.offset, abs=1e-3)
        assert found.resultant == pytest.approx(other.mean_resultant_length, abs=1e-6)
        # Their correlation is Mardia's, which has no sign and knows of no slope.
        assert other.correlation > 0 > found.correlation


def test_a_slope_at_the_bound_is_told():
    x, phases = line(slope=-1.5, kappa=5.0)
    found = circular_linear(x, phases, (-1.0, 1.0), shuffles=0)
    assert found.at_bound and found.slope == -1.0 and "an end of the range" in repr(found)
    inside = circular_linear(x, phases, shuffles=0)
    assert not inside.at_bound and "an end" not in repr(inside)


def test_waves_by_recurrence_are_waves():
    x = np.linspace(-1.0, 1.0, 7)
    real, imag = np.empty((7, 500)), np.empty((7, 500))
    waves(x, -4.0, 0.016, real, imag)
    exact = np.exp(-1j * TURN * x[:, None] * (-4.0 + 0.016 * np.arange(500)))
    np.testing.assert_allclose(real + 1j * imag, exact, atol=1e-13)


# p by shuffles.


def twin_of_p(x, phases, orders, slopes=(-2.0, 2.0)):
    """p where ``orders(k)`` gives x of the k-th shuffle; every slope of a fine grid is tried."""
    fine = np.linspace(*slopes, 2001)
    observed = heights(x, phases, fine).max()
    return [heights(orders(k), phases, fine).max() >= observed - 1e-9 for k in range(400)]


@pytest.mark.parametrize("kind", ["spikes", "groups", "blocks", "mirror"])
def test_p_by_shuffles_is_that_of_a_slow_twin(kind):
    rng = np.random.default_rng(4)
    groups = np.repeat(np.arange(24), rng.integers(1, 4, 24))
    blocks = groups // 3
    places = rng.random(24)
    x = places[groups] + 0.02 * rng.normal(size=groups.size)
    phases = -TURN * 0.2 * x + rng.vonmises(0.0, 0.3, 24)[groups] + 0.9 * rng.normal(size=x.size)
    centre = np.array([x[groups == g].mean() for g in range(24)])

    def shuffled(k):
        if kind == "spikes":
            return rng.permutation(x)
        if kind == "groups":
            to = rng.permutation(24)
        elif kind == "blocks":
            to = np.concatenate([3 * b + rng.permutation(3) for b in range(8)])
        else:
            turned = rng.integers(2, size=8)[np.arange(24) // 3]
            new = np.where(turned, x.min() + x.max() - centre, centre)
            return x + (new - centre)[groups]
        return x + (centre[to] - centre)[groups]

    labels = {
        "spikes": {},
        "groups": dict(groups=groups),
        "blocks": dict(groups=groups, blocks=blocks),
        "mirror": dict(groups=groups, blocks=blocks, order="mirror"),
    }[kind]
    ours = circular_linear(x, phases, shuffles=2000, seed=1, **labels).p
    theirs = np.mean(twin_of_p(x, phases, shuffled))
    assert 0.02 < theirs < 0.98
    assert ours == pytest.approx(theirs, abs=4 * np.sqrt(theirs * (1 - theirs) / 400))


def test_groups_stay_in_their_blocks():
    """Phases fall from block to block, not within: only shuffles across blocks see something."""
    rng = np.random.default_rng(0)
    blocks = np.repeat(np.arange(5), 8)
    x = 0.2 * blocks + 0.05 * rng.random(40)
    phases = -TURN * 0.6 * 0.2 * blocks + 0.5 * rng.normal(size=40)
    assert circular_linear(x, phases, shuffles=199, seed=0).p == 1 / 200
    assert circular_linear(x, phases, shuffles=199, seed=0, blocks=blocks).p > 0.05


def test_p_depends_on_the_seed_alone():
    x, phases = line(30, kappa=0.3)
    first = circular_linear(x, phases, shuffles=200, seed=1)
    assert first == circular_linear(x, phases, shuffles=200, seed=1)
    others = {circular_linear(x, phases, shuffles=200, seed=k).p for k in range(5)}
    assert len(others) > 1
    assert circular_linear(*line(), shuffles=999, seed=1).p == 1 / 1000
    assert np.isnan(circular_linear(*line(), shuffles=0).p)


def test_bursts_deceive_shuffles_of_spikes_but_not_of_groups():
    """100 trains of bursts at positions and phases by chance."""
    single, grouped = [], []
    for seed in range(100):
        rng = np.random.default_rng(seed)
        groups = np.repeat(np.arange(15), 4)
        x = rng.random(15)[groups] + 0.01 * rng.random(60)
        phases = rng.uniform(0, TURN, 15)[groups] + 0.3 * rng.normal(size=60)
        single.append(circular_linear(x, phases, shuffles=99, seed=seed).p)
        grouped.append(circular_linear(x, phases, shuffles=99, seed=seed, groups=groups).p)
    assert np.mean(np.array(single) <= 0.05) > 0.3
    assert np.mean(np.array(grouped) <= 0.05) < 0.12


def test_too_few_spikes_have_no_line():
    for x, phases in ([], []), ([0.1, 0.2], [1.0, 2.0]), ([0.3] * 5, [1.0] * 5):
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            found = circular_linear(x, phases)
        assert np.isnan([found.slope, found.offset, found.resultant, found.p]).all()
        assert found.n == len(x) and not found.at_bound
    some = circular_linear([0.1, np.nan, 0.2, 0.5, 0.6], [1.0, 1.0, np.nan, 2.0, 3.0], shuffles=0)
    assert some.n == 3


def test_phases_that_are_all_alike_have_no_correlation():
    found = circular_linear([0.1, 0.2, 0.3, 0.9], [1.0] * 4, shuffles=9, seed=0)
    assert np.isnan(found.correlation) and found.slope == pytest.approx(0.0, abs=1e-9)
    assert found.p == 1.0


@pytest.mark.parametrize(
    ("arguments", "options", "told"),
    [
        (([0.1, 0.2], [1.0]), {}, "x and phases must be one-dimensional and as many"),
        (([0.1, 0.2], [1.0, 2.0]), {"groups": [1]}, "x and groups"),
        (([0.1, np.inf], [1.0, 2.0]), {}, "x holds an infinite number"),
        (([0.1], [1.0], (2, -2)), {}, "two numbers"),
        (([0.1], [1.0]), {"shuffles": -1}, "shuffles is -1"),
        (([0.1], [1.0]), {"order": "shift"}, "order is 'shift'"),
        (([0.1], [1.0]), {"order": "mirror"}, "blocks must be given"),
        (
            ([0.1, 0.2, 0.3], [1.0, 2.0, 3.0]),
            {"groups": [0, 0, 1], "blocks": [0, 1, 1]},
            "groups must each lie in one of the blocks",
        ),
        ((np.arange(5000.0), np.zeros(5000)), {}, "Give x in units of the field"),
    ],
)
def test_bad_lines(arguments, options, told):
    with pytest.raises(ValueError, match=told):
        circular_linear(*arguments, **options)


# Fields and laps.


def test_fields_end_where_the_rate_crosses_the_share():
    edges = np.arange(0.0, 101.0, 2.0)
    centres = edges[:-1] + 1.0
    rates = np.stack([20 * np.exp(-(((centres - c) / 10) ** 2)) for c in (50.0, 3.0)])
    found = place_fields(rates, edges, share=0.2)
    half = 10 * np.sqrt(np.log(5))
    np.testing.assert_allclose(found.starts, [50 - half, 0.0], atol=0.1)
    np.testing.assert_allclose(found.stops, [50 + half, 3 + half], atol=0.1)
    np.testing.assert_array_equal(found.neurons, [0, 1])
    assert found.widths[0] == pytest.approx(2 * half, abs=0.2)
    assert np.all(np.abs(found.peaks - [50.0, 3.0]) <= 1) and "2 neurons" in repr(found)


def test_fields_of_one_neuron_and_thresholds():
    rates = np.array([0, 0, 8, 0, 0, 10, 10, np.nan, 10, 0, 3.0, 0])
    edges = np.arange(13.0)
    found = place_fields(rates, edges, share=0.25)
    assert len(found) == 4
    np.testing.assert_allclose(found.stops[1], 7.0)  # at the bin that nobody visited
    np.testing.assert_allclose(found.starts[2], 8.0)
    assert len(place_fields(rates, edges, share=0.25, least_rate=9.0)) == 2
    assert len(place_fields(rates, edges, share=0.25, least_width=2.0)) == 1
    assert len(place_fields(np.zeros((3, 4)), np.arange(5.0))) == 0
    back = found[[1]].reversed()
    assert back.starts[0] > back.stops[0] and len(back) == 1


@pytest.mark.parametrize(
    ("rates", "edges", "options", "told"),
    [
        (np.zeros(3), [0.0, 1.0, 2.0], {}, "one more than the bins"),
        (np.zeros(2), [0.0, 2.0, 1.0], {}, "edges must rise"),
        (-np.ones(2), [0.0, 1.0, 2.0], {}, "rates must be 0 or more"),
        (np.ones(2), [0.0, 1.0, 2.0], {"share": 1.0}, "share is 1.0"),
    ],
)
def test_bad_fields(rates, edges, options, told):
    with pytest.raises(ValueError, match=told):
        place_fields(rates, edges, **options)


def test_laps_are_whole_runs():
    place = np.concatenate(
        [
            np.linspace(0, 100, 51),
            np.linspace(100, 60, 21),
            np.linspace(60, 100, 21),
            np.linspace(100, 0, 51),
            [100.0, 0.0],
            np.linspace(0, 50, 26),
            [np.nan],
            np.linspace(52, 100, 25),
        ]
    )
    times = 100.0 * np.arange(place.size)
    laps = find_laps(place, times, 10.0, 90.0)
    assert laps.labels["direction"].tolist() == [1, -1]
    assert laps[0] == (500.0, 4500.0)
    np.testing.assert_allclose(positions_at(place, times, laps.starts), [10.0, 90.0])
    np.testing.assert_allclose(positions_at(place, times, laps.stops), [90.0, 10.0])


def test_positions_between_samples_and_outside():
    found = positions_at([0.0, 1.0, np.nan], [0.0, 10.0, 20.0], [-1.0, 5.0, 15.0, 25.0])
    np.testing.assert_array_equal(found, [np.nan, 0.5, np.nan, np.nan])


@pytest.mark.parametrize(
    ("track", "told"),
    [
        (([0.0, 1.0], [0.0]), "must be as many"),
        (([0.0, 0.0], [0.0, 1.0]), "must rise, but 0.0 follows 0.0"),
        (([0.0], [0.0]), "two or more"),
    ],
)
def test_bad_tracks(track, told):
    with pytest.raises(ValueError, match=told):
        positions_at(*track[::-1], [0.5])
    with pytest.raises(ValueError, match=told):
        find_laps(*track[::-1], 0.0, 1.0)


# Whole sessions.


def session(slope=-0.8, laps=12, size=2, seed=0, jitter=0.0, width=40.0):
    """Runs of 200 cm at about 30 cm/s; neurons fire in fields at 60 and 140 cm, and precess."""
    rng = np.random.default_rng(seed)
    starts, times, places, spikes = [], [0.0], [0.0], []
    t = 0.0
    for _ in range(laps):
        t += 2000.0
        run = 200.0 / rng.uniform(25.0, 35.0) * 1000
        times += [t, t + run, t + run + 1.0]
        places += [0.0, 200.0, 0.0]
        starts.append((t, t + run))
        for neuron in range(size):
            entry = (60.0, 140.0)[neuron % 2] - width / 2
            offset = jitter * rng.normal()
            ms = np.arange(np.ceil(t + 1), t + run)
            x = ((ms - t) / run * 200.0 - entry) / width
            inside = (x > 0) & (x < 1)
            away = TURN * (ms / 125.0 - slope * x - offset)
            fires = rng.random(ms.size) < inside * 0.06 * np.exp(5 * (np.cos(away) - 1))
            spikes += [(at, neuron) for at in ms[fires]]
        t += run
    when, who = np.array(sorted(spikes)).T
    trains = SpikeTrains(when, who.astype(int), size, 0.0, t + 2000.0)
    track = np.array([*places, 0.0]), np.array([*times, t + 2000.0])
    fields = PlaceFields(
        np.arange(size),
        *(np.array([60.0, 140.0])[np.arange(size) % 2] + d for d in (-width / 2, width / 2, 0.0)),
        np.full(size, 10.0),
    )
    return trains, periodic_phase(125.0), track, fields, Windows(*np.array(starts).T)


def test_precession_of_a_session():
    trains, phase, track, fields, laps = session()
    found = phase_precession(trains, phase, *track, fields, laps=laps, shuffles=199, seed=1)
    np.testing.assert_allclose(found.pooled.slope, -0.8, atol=0.08)
    np.testing.assert_array_equal(found.pooled.p, 1 / 200)
    assert np.all(found.pooled.correlation < -0.5) and not found.pooled.at_bound.any()
    assert len(found.single) == 24
    np.testing.assert_allclose(found.single_slopes(), -0.8, atol=0.15)
    for k in range(2):
        mine = found.field == k
        alone = circular_linear(found.position[mine], found.phase[mine], shuffles=0)
        assert (
            alone.slope == pytest.approx(found.pooled.slope[k], abs=1e-9)
            and alone.n == found.pooled.n[k]
        )
    assert "2 with p of .05" in repr(found)
    first = phase_precession(trains, phase, *track, fields[:1], laps=laps, shuffles=199, seed=1)
    assert first.pooled.p[0] == found.pooled.p[0]


def test_units_of_positions_do_not_matter():
    trains, phase, (places, times), fields, laps = session()
    metres = PlaceFields(
        fields.neurons,
        *(each / 100 for each in (fields.starts, fields.stops, fields.peaks)),
        fields.rates,
    )
    a = phase_precession(trains, phase, places, times, fields, laps=laps, shuffles=0)
    b = phase_precession(trains, phase, places / 100, times, metres, laps=laps, shuffles=0)
    np.testing.assert_allclose(a.pooled.slope, b.pooled.slope, atol=1e-9)


def test_passes_that_begin_at_different_phases_flatten_the_pooled_line():
    trains, phase, track, fields, laps = session(slope=-1.0, laps=40, jitter=0.15)
    found = phase_precession(trains, phase, *track, fields, laps=laps, shuffles=0)
    assert np.all(found.pooled.resultant < 0.8)
    single = np.median(found.single.resultant)
    assert single > 0.9


def test_runs_towards_lower_positions():
    trains, phase, (places, times), fields, laps = session()
    mirrored = PlaceFields(
        fields.neurons, 200 - fields.starts, 200 - fields.stops, 200 - fields.peaks, fields.rates
    )
    a = phase_precession(trains, phase, places, times, fields, laps=laps, shuffles=0)
    b = phase_precession(trains, phase, 200 - places, times, mirrored, laps=laps, shuffles=0)
    np.testing.assert_allclose(a.pooled.slope, b.pooled.slope, atol=1e-9)


def test_laps_run_through_the_other_way():
    trains, phase, track, fields, laps = session()
    options = dict(laps=laps, shuffles=199, seed=1)
    found = phase_precession(trains, phase, *track, fields, order="mirror", **options)
    np.testing.assert_array_less(found.pooled.p, 0.02)
    flat = phase_precession(*session(slope=0.0)[:2], *track, fields, order="mirror", **options)
    assert np.all(flat.pooled.p > 0.02)


def test_without_laps_all_spikes_count():
    trains, phase, track, fields, laps = session()
    found = phase_precession(trains, phase, *track, fields, shuffles=0)
    assert len(found.single) == 0 and np.all(found.lap == -1)
    assert np.isnan(found.single_slopes()).all()


def test_neurons_without_spikes_have_nan():
    trains = SpikeTrains([], [], 2, 0.0, 1000.0)
    _, phase, track, fields, laps = session()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = phase_precession(trains, phase, *track, fields, laps=laps)
    assert np.isnan(found.pooled.slope).all() and found.pooled.n.tolist() == [0, 0]
    none = phase_precession(trains, phase, *track, fields[:0], laps=laps)
    assert len(none.pooled) == 0 and none.position.size == 0


def test_bad_sessions():
    trains, phase, track, fields, laps = session()
    with pytest.raises(ValueError, match="trains hold 1 neurons"):
        phase_precession(trains.select([0]), phase, *track, fields)
    flat = PlaceFields(fields.neurons, fields.stops, fields.stops, fields.peaks, fields.rates)
    with pytest.raises(ValueError, match="field 0 must be wider than 0"):
        phase_precession(trains, phase, *track, flat)
    with pytest.raises(TypeError, match="fields is of type str; it must be PlaceFields"):
        phase_precession(trains, phase, *track, "x")
    with pytest.raises(TypeError, match="laps is of type list; it must be Windows"):
        phase_precession(trains, phase, *track, fields, laps=[(0.0, 1.0)])
    with pytest.raises(ValueError, match="overlap"):
        phase_precession(trains, phase, *track, fields, laps=Windows([0, 5.0], [10.0, 20.0]))
    with pytest.raises(ValueError, match="laps must be given"):
        phase_precession(trains, phase, *track, fields, order="mirror")
    with pytest.raises(ValueError, match="unit is 'lap'"):
        phase_precession(trains, phase, *track, fields, unit="lap")
    with pytest.raises(ValueError, match="least is 2"):
        phase_precession(trains, phase, *track, fields, least=2)


@pytest.mark.parametrize("n", [5, 20, 200])
def test_shuffles_find_the_slope_that_an_exhaustive_search_finds(n):
    rng = np.random.default_rng(n)
    x, phases = rng.uniform(0, 1, n), rng.uniform(0, 2 * np.pi, n)
    search = lines._Search(x, phases, np.arange(n), np.zeros(n, int), (-2.0, 2.0), "spikes")
    orders = rng.permuted(np.tile(np.arange(n), (500, 1)), axis=1)
    quick = search.best(orders, lines.FINE, kernels_precession.SHARE)[1]
    np.testing.assert_allclose(quick, search.best(orders, lines.FINE, 0.0)[1], atol=1e-12)
