"""Inputs with memory and inputs with a common source: gamma, dead time, a shared mother train.

All seeds are fixed. Limits lie at four to five standard errors or at p = 1e-4, so that of all
choices of seeds fewer than one in a thousand would fail.
"""

import re

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

import spikesim as ss
from spikesim.description.inputs import CorrelatedPoisson, Gamma, PoissonDeadTime
from spikesim.engine.clock.renewal import dead_time_hazards, equilibrium_ages, gamma_hazards

DT = 0.1
SIZE = 2000
TRAINS = {
    "gamma 0.5": (Gamma(40.0, 0.5, 1.0), 0.5**-0.5),
    "gamma 2": (Gamma(40.0, 2.0, 1.0), 2**-0.5),
    "gamma 5": (Gamma(40.0, 5.0, 1.0), 5**-0.5),
    "dead time": (PoissonDeadTime(40.0, 10.0, 1.0), 0.6),
}


def relay() -> ss.NeuronModel:
    """Spikes whenever something arrives."""
    return ss.NeuronModel(
        equations="dn/dt = 0 * n",
        threshold="n > 0.5",
        reset="n = 0",
        receptors={"in": ss.Receptor("", arrival="n += w")},
    )


def counter() -> ss.NeuronModel:
    """n is the sum of what has arrived."""
    return ss.NeuronModel(
        equations="dn/dt = 0 * n",
        threshold="n < -1e9",
        reset="",
        receptors={"in": ss.Receptor("", arrival="n += w")},
    )


def make(*drives, model=None, size: int = SIZE, dt: float = DT, **options) -> ss.Simulation:
    """Population "a" with drives (part, input), named 0, 1, ..."""
    network = ss.Network(seed=11)
    a = network.population("a", size, model or relay())
    for k, (part, what) in enumerate(drives):
        network.drive(a[part], what, name=str(k))
    return ss.Simulation(network, dt=dt, **options)


def trains_of(what, duration: float, **options) -> list[np.ndarray]:
    simulation = make((slice(None), what), **options)
    simulation.run(duration)
    return list(simulation.spikes["a"])


@pytest.fixture(scope="module", params=TRAINS)
def observed(request):
    """Input, theoretical CV, trains of 2 s and their intervals (about 156,000)."""
    what, cv = TRAINS[request.param]
    trains = trains_of(what, 2000.0)
    return what, cv, trains, [np.diff(train) for train in trains]


def test_mean_rate(observed):
    """Counts have variance CV^2 rate T but for an addition below 1; 4.5 standard errors."""
    what, cv, trains, _ = observed
    counts = np.array([train.size for train in trains])
    assert counts.mean() == pytest.approx(80.0, abs=4.5 * np.sqrt((80 * cv**2 + 1) / SIZE))
    assert counts.var() == pytest.approx(80 * cv**2, rel=0.2)


def test_rate_is_the_mean_from_the_start(observed):
    """The first 5 ms alone, and thus the times of first spikes, know nothing of time 0."""
    what, cv, trains, _ = observed
    first = np.array([train[0] for train in trains])
    at_start = sum(np.sum(train <= 5.0) for train in trains)
    late = sum(np.sum((train > 1000.0) & (train <= 1005.0)) for train in trains)
    # About 400 spikes; a gamma train of shape 0.5 has at most twice Poisson's variance.
    assert at_start == pytest.approx(400, abs=4.5 * np.sqrt(400 * 2))
    assert late == pytest.approx(400, abs=4.5 * np.sqrt(400 * 2))
    assert first.mean() == pytest.approx((1 + cv**2) * 12.5, rel=0.2)


def test_first_spikes_come_as_from_trains_that_have_always_run(observed):
    """The forward recurrence time has density S(t) rate."""
    what, _, trains, _ = observed
    t = np.arange(0.0, 2000.0, 0.01)
    cumulative = np.cumsum(distribution(what).sf(t)) * 0.01 * what.rate / 1000
    first = np.array([train[0] for train in trains]) - DT / 2
    test = stats.kstest(first, lambda x: np.interp(x, t, cumulative))
    assert test.pvalue > 1e-4


def whole_intervals(trains: list[np.ndarray]) -> np.ndarray:
    """Intervals that begin in the first half of the 2 s: of the others the long ones are cut."""
    return np.concatenate([np.diff(train)[train[:-1] < 1000.0] for train in trains])


def test_interval_statistics(observed):
    """About 80,000 intervals; 4.5 standard errors of the mean and of the CV."""
    what, cv, trains, _ = observed
    intervals = whole_intervals(trains)
    n, kurtosis = intervals.size, float(distribution(what).stats("k"))
    assert intervals.mean() == pytest.approx(25.0, rel=4.5 * cv / np.sqrt(n))
    spread = np.sqrt((2 + kurtosis) / 4 / n + cv**2 / n)
    assert intervals.std() / intervals.mean() == pytest.approx(cv, rel=4.5 * spread)
    assert intervals.min() > 0.99 * DT
    if isinstance(what, PoissonDeadTime):
        assert intervals.min() == pytest.approx(what.dead_time)


def test_intervals_are_distributed_as_told(observed):
    """Rounded intervals have the distribution of the continuous ones half a step on.

    5 percent of those of shape 0.5 would be rounded to nothing, and last a step.
    """
    what, _, trains, _ = observed
    steps = np.rint(whole_intervals(trains) / DT).astype(int)
    found = np.cumsum(np.bincount(steps)) / steps.size
    wanted = distribution(what).cdf((np.arange(found.size) + 0.5) * DT)
    distance = np.abs(found - wanted)[1:].max()
    # The scale that makes up for intervals of less than half a step differs by up to 1e-3.
    assert distance < stats.kstwo(steps.size).isf(1e-4) + 1e-3


def distribution(what) -> stats.rv_continuous:
    if isinstance(what, Gamma):
        return stats.gamma(what.shape, scale=1000 / (what.rate * what.shape))
    return stats.expon(what.dead_time, 1000 / what.rate - what.dead_time)


def test_successive_intervals_are_independent(observed):
    """Rank correlation, as if all pairs were independent, which they are."""
    _, _, _, intervals = observed
    before = np.concatenate([x[:-1][: x.size // 2] for x in intervals if x.size > 20])
    after = np.concatenate([x[1:][: x.size // 2] for x in intervals if x.size > 20])
    correlation = stats.spearmanr(before, after).statistic
    assert abs(correlation) < 4.5 / np.sqrt(before.size) + 0.005


def test_shape_one_is_poisson():
    intervals = np.concatenate([np.diff(x) for x in trains_of(Gamma(100.0, 1.0, 1.0), 1000.0)])
    assert intervals.std() / intervals.mean() == pytest.approx(1.0, abs=0.02)


def test_trains_of_neurons_are_independent():
    """Variance of the summed counts in 5 ms is the sum of the variances."""
    trains = trains_of(PoissonDeadTime(40.0, 10.0, 1.0), 2000.0)
    bins = np.arange(0, 2001, 5)
    counts = np.array([np.histogram(train, bins)[0] for train in trains])
    ratio = counts.sum(axis=0).var() / counts.var(axis=1).sum()
    assert ratio == pytest.approx(1.0, abs=4.5 * np.sqrt(2 / 400))


def survival(hazards: np.ndarray) -> np.ndarray:
    """How often an age is reached; at the last place, how long ages from there on last."""
    reached = np.cumprod(np.append(1.0, 1 - hazards[:-1]))
    reached[-1] /= hazards[-1]
    return reached


@settings(max_examples=100, deadline=None)
@given(st.floats(1.01, 3000), st.floats(0.05, 1e5))
def test_mean_gamma_interval_is_exact_on_the_grid(mean, shape):
    hazards = gamma_hazards(mean, shape)
    assert np.all((hazards >= 0) & (hazards <= 1))
    assert survival(hazards).sum() == pytest.approx(mean, rel=5e-5)


@settings(max_examples=100, deadline=None)
@given(st.floats(0.01, 3000), st.integers(1, 200))
def test_mean_dead_time_interval_is_exact_on_the_grid(beyond, dead):
    hazards = dead_time_hazards(beyond + dead, dead)
    assert hazards.size == dead + 1 and not hazards[: dead - 1].any() and hazards[-2] > 0
    assert survival(hazards).sum() == pytest.approx(beyond + dead, rel=1e-9)


def test_equilibrium_ages_are_as_frequent_as_they_are_reached():
    hazards = np.array([0.0, 0.25, 0.5])  # ages 0, 1, 2 and more: 1 : 1 : 0.75 / 0.5
    uniform = (np.arange(7000) + 0.5) / 7000
    assert np.bincount(equilibrium_ages(hazards, uniform)).tolist() == [2000, 2000, 3000]


@pytest.mark.parametrize("kind", [Gamma, PoissonDeadTime])
def test_rates_may_differ_between_neurons_and_parts(kind):
    """Some trains have a rate of 0, some neurons no train, and some another."""
    rates = np.repeat([0.0, 20.0, 80.0], 200)
    drives = [(slice(660, 700), Gamma(50.0, 2.0, 1.0)), (slice(50, 650), kind(rates, 3.0, 1.0))]
    simulation = make(*drives, size=700)
    simulation.run(2000.0)
    counts = np.array([train.size for train in simulation.spikes["a"]])
    assert not counts[:250].any() and not counts[650:660].any()
    assert counts[250:450].mean() == pytest.approx(40, abs=4.5 * np.sqrt(40 / 200))
    assert counts[450:650].mean() == pytest.approx(160, abs=4.5 * np.sqrt(160 / 200))
    assert counts[660:].mean() == pytest.approx(100, abs=4.5 * np.sqrt(100 / 40))


def test_a_dead_time_between_steps_is_rounded_up():
    intervals = np.concatenate(
        [np.diff(x) for x in trains_of(PoissonDeadTime(400.0, 1.05, 1.0), 200.0)]
    )
    assert intervals.min() == pytest.approx(1.1)
    assert intervals.mean() == pytest.approx(2.5, rel=0.01)


def test_weights_are_per_neuron():
    weights = np.arange(100.0)
    drives = [(slice(None), CorrelatedPoisson(200.0, 0.5, weights))]
    simulation = make(*drives, model=counter(), size=100)
    simulation.run(200.0)
    numbers = simulation.get("a", "n")[1:] / weights[1:]
    np.testing.assert_allclose(numbers, np.round(numbers), rtol=1e-4)
    assert numbers.min() > 10 and simulation.get("a", "n")[0] == 0


MIXED = [
    (slice(None), Gamma(np.repeat(np.linspace(10.0, 200.0, 7), 100), 0.7, 1.0)),
    (slice(5, 600, 2), PoissonDeadTime(150.0, 2.0, 1.0)),
    (slice(30, 690), CorrelatedPoisson(100.0, 0.01, 1.0)),
    (slice(None), Gamma(90.0, 4.0, 1.0)),
    (slice(None), ss.Poisson(50.0, 1.0)),
]


def test_threads_change_nothing():
    found = []
    for threads in (1, 2, 3):
        simulation = make(*MIXED, size=700, threads=threads)
        simulation.run(40.0)
        found.append(simulation.spikes["a"])
    assert len(found[0]) > 8000
    assert found[0] == found[1] == found[2]


def ages_of(simulation):
    """Ages [block, lane]; beside them lies where the hazards are."""
    return simulation.state.arrays.inputs.ages.reshape(-1, 3, 64)[:, 0].copy()


def test_replicas_and_names_draw_other_trains():
    build = make(*[(slice(None), PoissonDeadTime(90.0, 10.0, 1.0))] * 2, model=counter()).build
    ages = [ages_of(ss.Simulation(build, replica=k)).reshape(2, -1) for k in (0, 0, 1)]
    np.testing.assert_array_equal(ages[0], ages[1])
    for one, other in ((ages[0], ages[2]), (ages[0][0], ages[0][1])):
        assert np.mean(one == other) < 0.1


def test_ages_outlive_runs_and_changes():
    """Runs in pieces, between which every input is set to what it was, are one run."""
    whole, pieces = (make(*MIXED, size=700) for _ in range(2))
    whole.run(40.0)
    for _ in range(20):
        pieces.run(2.0)
        for name, (_, what) in enumerate(MIXED):
            pieces.set(str(name), rate=what.rate, weight=1.0)
    assert whole.spikes["a"] == pieces.spikes["a"]


def test_a_rate_that_is_set_leaves_the_ages():
    simulation = make((slice(None), PoissonDeadTime(40.0, 10.0, 1.0)))
    simulation.run(505.0)
    ages = ages_of(simulation)
    simulation.set("0", rate=90.0)
    np.testing.assert_array_equal(ages_of(simulation), ages)
    simulation.run(500.0)
    spikes = simulation.spikes["a"]
    assert min(np.diff(train).min() for train in spikes) == pytest.approx(10.0)
    counts = np.array([train.size for train in spikes.restrict(605.0, 1005.0)])
    assert counts.mean() == pytest.approx(36, abs=4.5 * np.sqrt(36 / SIZE))


def test_shape_and_correlation_can_be_set():
    drives = [(slice(None), Gamma(40.0, 1.0, 1.0)), (slice(None), CorrelatedPoisson(0.0, 0.1, 1.0))]
    simulation = make(*drives)
    simulation.set("0", shape=400.0)
    simulation.run(300.0)
    intervals = np.concatenate([np.diff(train) for train in simulation.spikes["a"]])
    assert intervals.std() / intervals.mean() == pytest.approx(0.05, abs=0.01)
    simulation.set("0", rate=0.0)
    simulation.set("1", correlation=1.0, rate=50.0)
    simulation.run(300.0)
    after = list(simulation.spikes["a"].restrict(300.0, 600.0))
    assert after[0].size > 3
    assert all(np.array_equal(train, after[0]) for train in after)


def counts_in_windows(what, every: float, windows: int, size: int, **options) -> np.ndarray:
    """Arrivals [window, neuron]."""
    network = ss.Network(seed=11)
    a = network.population("a", size, counter())
    network.drive(a, what)
    simulation = ss.Simulation(network, record=[ss.Trace(a, "n", every=every)], **options)
    simulation.run(every * windows)
    values = simulation.traces["a", "n"].values
    return np.diff(values, axis=0, prepend=np.zeros((1, size)))


@pytest.mark.parametrize(
    "rate, correlation, every",
    [(50.0, 0.2, 5.0), (50.0, 0.02, 5.0), (20.0, 1.0, 10.0), (5000.0, 0.5, DT), (5000.0, 0.5, 1.0)],
)
def test_pairwise_correlation_and_poisson_counts(rate, correlation, every):
    """In the last two cases a mother train has several spikes in a step."""
    size, windows = 100, 4000
    counts = counts_in_windows(
        CorrelatedPoisson(rate, correlation, 1.0), every, windows, size, threads=2
    )
    mean = rate * every / 1000
    mother = mean / correlation
    variances = counts.var(axis=0)
    # The sum over neurons of their counts goes about as size x correlation x the mother's count.
    spread = np.sqrt((2 + 1 / mother) / windows)
    together = size * (1 + (size - 1) * correlation)
    assert counts.sum(axis=1).var() == pytest.approx(together * mean, rel=4.5 * spread)
    error = np.sqrt(mean / windows * (correlation + 1 / size))
    assert counts.mean() == pytest.approx(mean, abs=4.5 * error)
    # Squares of shared counts are shared as well.
    fano = (variances / counts.mean(axis=0)).mean()
    spread = np.sqrt((2 + 1 / mean) / windows * (correlation + 1 / size))
    assert fano == pytest.approx(1.0, abs=4.5 * spread)
    if correlation < 1:
        pairs = np.corrcoef(counts, rowvar=False)[np.triu_indices(size, 1)]
        # Of one pair 1 / sqrt(windows) at most, all the larger for counts that are rare.
        assert pairs.std() < 3 * np.sqrt((1 + 1 / mean) / windows)
        assert pairs.mean() == pytest.approx(correlation, abs=0.03)


def test_copies_of_a_mother_spike_are_binomial():
    """Of mother spikes that come alone, every neuron copies half."""
    counts = counts_in_windows(CorrelatedPoisson(1.0, 0.5, 1.0), DT, 400_000, 64)
    together = counts[counts.any(axis=1)].sum(axis=1)
    assert 40 < together.size < 130
    assert together.mean() == pytest.approx(32, abs=4.5 * 4 / np.sqrt(together.size))
    assert together.std() == pytest.approx(4, rel=4.5 / np.sqrt(2 * together.size))


def test_a_population_is_one_group_and_two_inputs_are_two():
    counts = counts_in_windows(CorrelatedPoisson(50.0, 1.0, 1.0), 10.0, 100, 300, threads=3)
    assert counts.any() and np.all(counts == counts[:, :1])
    halves = [(slice(0, 100), 1.0), (slice(100, 200), 1.0)]
    simulation = make(*((part, CorrelatedPoisson(50.0, c, 1.0)) for part, c in halves), size=200)
    simulation.run(500.0)
    trains = list(simulation.spikes["a"])
    assert not np.isin(trains[0], trains[150]).mean() > 0.2


def excite(what) -> None:
    """Stimulus a receptor that takes positive weights only."""
    network = ss.Network()
    receptor = ss.Receptor("nS", arrival="g += w", sign="positive")
    model = ss.NeuronModel(
        equations="dg/dt = -g / 2.0", threshold="g > 1e9", reset="", receptors={"in": receptor}
    )
    network.drive(network.population("a", 5, model), what)


BAD = {
    "rate negative": (lambda: Gamma(-1.0, 2.0, 1.0), r"Gamma: rate is -1\.0.*at least 0"),
    "rate NaN": (lambda: PoissonDeadTime(np.nan, 2.0, 1.0), r"Time: rate is nan.*finite"),
    "rate a table": (lambda: Gamma(np.ones((2, 2)), 2.0, 1.0), r"(?s)Gamma: rate .*one per neuron"),
    "shape zero": (lambda: Gamma(1.0, 0.0, 1.0), r"Gamma: shape is 0\.0;.*above 0"),
    "shape infinite": (lambda: Gamma(1.0, np.inf, 1.0), r"Gamma: shape is inf;.*finite"),
    "shapes": (lambda: Gamma(1.0, [1.0, 2.0], 1.0), r"Gamma: shape is \[1.*one number for all"),
    "shape a truth": (lambda: Gamma(1.0, True, 1.0), r"Gamma: shape is True"),
    "weight text": (lambda: Gamma(1.0, 1.0, "1 mV"), r"Gamma: weight is '1 mV'"),
    "dead time long": (
        lambda: PoissonDeadTime([10.0, 50.0], 20.0, 1.0),
        r"Time: dead_time is 20\.0;.*below 1000 / rate = 20 ms",
    ),
    "dead time negative": (lambda: PoissonDeadTime(1.0, -1.0, 1.0), r"dead_time is -1\.0"),
    "dead time NaN": (lambda: PoissonDeadTime(0.0, np.nan, 1.0), r"dead_time is nan"),
    "rate of all": (
        lambda: CorrelatedPoisson([1.0, 2.0], 0.1, 1.0),
        r"CorrelatedPoisson: rate is \[1\.0, 2\.0\]; it must be one number for all neurons",
    ),
    "rate below 0": (lambda: CorrelatedPoisson(-2, 0.1, 1.0), r"rate is -2;.*0 or more"),
    "correlation 0": (lambda: CorrelatedPoisson(1, 0, 1.0), r"correlation is 0;.*at most 1"),
    "correlation 2": (lambda: CorrelatedPoisson(1, 2.0, 1.0), r"correlation is 2\.0;"),
    "neurons": (
        lambda: make((slice(0, 5), Gamma(np.ones(4), 1.0, 1.0))),
        r"input '0': rate has shape \(4,\).*\(5,\)",
    ),
    "sign": (lambda: excite(Gamma(1.0, 1.0, -1.0)), r"from -1 to -1; receptor 'in' .*positive"),
    "sign of copies": (lambda: excite(CorrelatedPoisson(1.0, 1.0, -1.0)), r"'in' .*positive"),
    "fast": (
        lambda: make((slice(None), Gamma(12000.0, 2.0, 1.0))),
        r"input '0': rate runs up to 12000 Hz;.*0\.1 ms.*below 10000 Hz",
    ),
    "dead time in steps": (
        lambda: make((slice(None), PoissonDeadTime(480.0, 2.03, 1.0))),
        r"input '0': rate runs up to 480 Hz;.*2\.1 ms.*below 476\.19 Hz",
    ),
    "tables": (
        lambda: make((slice(None), Gamma(np.linspace(0.1, 2.0, SIZE), 1.0, 1.0))),
        r"input '0': rate has 2000 distinct values from 0\.1 Hz.*67108864",
    ),
    "set": (
        lambda: make((slice(None), PoissonDeadTime(10.0, 5.0, 1.0))).set("0", rate=300.0),
        r"dead_time is 5\.0;.*3\.33",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told(case):
    call, sentence = BAD[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert re.search(sentence, str(caught.value))


def test_summary_gives_every_number_its_unit():
    network = make(
        (slice(None), Gamma(10.0, 2.0, 1.0)),
        (slice(None), PoissonDeadTime(10.0, 2.5, 1.0)),
        (slice(None), CorrelatedPoisson(10.0, 0.25, 1.0)),
    ).network
    for text in ("rate 10 Hz", "shape 2,", "dead_time 2.5 ms", "correlation 0.25,"):
        assert text in network.summary()
