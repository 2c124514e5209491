"""Runs: against the slow twin, against themselves, and every way to steer one."""

import _thread
import os
import signal
import threading
import warnings

import numpy as np
import pytest
import scipy.stats
from hypothesis import HealthCheck, given, settings, strategies as st
from twin import assert_twins

import spikesim as ss

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()

# A model, and by receptor a weight that matters without silencing or exploding.
MODELS = {
    "current": (
        ss.LIF(i_offset=ss.Uniform(200, 400)),
        {"exc": 40.0, "inh": -40.0},
    ),
    "per neuron": (
        ss.LIF(
            tau_m=ss.Normal(20, 3),
            t_ref=ss.Uniform(0, 3),
            v_th=ss.Uniform(-52, -48),
            i_offset=350.0,
            receptors={
                "fast": ss.Exponential(ss.Uniform(0.5, 2.0)),
                "slow": ss.Exponential(ss.Uniform(5.0, 20.0)),
            },
        ),
        {"fast": 60.0, "slow": -30.0},
    ),
    "shapes": (
        ss.LIF(
            t_ref=1.24,
            i_offset=ss.Uniform(200, 400),
            receptors={
                "jump": ss.Delta(),
                "hump": ss.Alpha(0.5),
                "both": ss.DoubleExponential(0.3, 4.0),
                "pulse": ss.Pulse(),
            },
        ),
        {"jump": 1.0, "hump": 60.0, "both": -60.0, "pulse": 300.0},
    ),
    "conductance": (
        ss.LIF(
            c_m=100.0,
            i_offset=ss.Uniform(100, 250),
            receptors={"ampa": ss.Conductance(2.0), "gaba": ss.Conductance(8.0, -80.0)},
        ),
        {"ampa": 0.8, "gaba": 1.5},
    ),
    "izhikevich": (
        ss.Izhikevich(
            a=ss.Uniform(0.02, 0.1),
            c=ss.Uniform(-65, -50),
            d=ss.Uniform(2, 8),
            i_offset=ss.Uniform(5, 15),
        ),
        {"pulse": 6.0},
    ),
    "follower, exact": (  # v is held, u goes on to follow it
        ss.NeuronModel(
            equations="""
                dv/dt = (drive - v - u) / tau + i_syn
                du/dt = (a * v - u) / tau_u""",
            threshold="v >= 10",
            reset="v = 1; u = u + 2",
            refractory="t_ref",
            hold=("v",),
            parameters={
                "drive": "16",
                "tau": "3",
                "a": "0.2",
                "tau_u": "9",
                "t_ref": "1.5 ms",
            },
            receptors={"r": ss.Exponential(2.0)},
            initial={"v": ss.Uniform(0, 10)},
        ),
        {"r": 0.5},
    ),
    "exponential": (  # an exponential integrate-and-fire neuron that adapts, v not held
        ss.NeuronModel(
            equations="""
                leak = (e - v) + 2 * exp(min((v - v_t) / 2, 8)) : mV
                dv/dt = (leak - u) / tau + i_syn / c : mV
                du/dt = (0.3 * (v - e) - u) / 50 : mV""",
            threshold="v >= 0 and v > v_t",
            reset="v = e; u += 2",
            refractory="1.0",
            parameters={"e": "-60 mV", "v_t": "-50 mV", "tau": "10 ms", "c": "100 pF"},
            receptors={"g": ss.Conductance(3.0), "i": ss.Exponential(5.0)},
            initial={"v": ss.Uniform(-60, -40)},
            method="rk4",
        ),
        {"g": 3.0, "i": 50.0},
    ),
}


def add(network: ss.Network, name: str, kind: str, size: int) -> ss.Population:
    model = MODELS[kind][0]
    init = {"v": ss.Uniform(-65, -51)} if model.name == "LIF" else None
    return network.population(name, size, model, init)


def two_populations(kind: str, dt: float, seed: int = 3) -> ss.Network:
    """70 and 130 neurons, connected through every receptor, with currents and given spikes."""
    network = ss.Network(seed)
    a, b = add(network, "a", kind, 70), add(network, "b", kind, 130)
    random = np.random.default_rng(seed)
    for receptor, weight in MODELS[kind][1].items():
        spread = ss.Normal(weight, abs(weight) / 4, *sorted((0, 3 * weight)))
        for source in (a, b):
            for target in (a, b):
                delay = ss.Uniform(dt, 25 * dt)
                rule = ss.FixedProbability(0.1)
                network.connect(source, target, rule, weight=spread, delay=delay, receptor=receptor)
        trains = [random.uniform(0, 200 * dt, 3) for _ in range(35)]
        weights = random.uniform(0, 2 * weight, 35) if weight > 0 else weight
        network.drive(a[::2], ss.Spikes(trains, weights), receptor=receptor)
    if a.model.current:
        network.drive(b[10:], ss.Current(random.uniform(0, 5, 120)))
    return network


# The twin


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("kind", MODELS)
def test_a_network_of_every_model_does_what_its_twin_does(kind, threads):
    # This network of Izhikevich neurons multiplies the rounding errors by 10 every 10 steps.
    dt, steps = (1.0, 40) if kind == "izhikevich" else (0.1, 200)
    network = two_populations(kind, dt)
    built = ss.build(network, dt=dt, precision="double", threads=threads)
    simulation = ss.Simulation(built, threads=1)
    assert assert_twins(simulation, steps * dt) > 50


def held_while_it_is_followed(method: str) -> ss.NeuronModel:
    return ss.NeuronModel(
        equations="dv/dt = v * v / tau; du/dt = v / tau",
        threshold="v >= 6",
        reset="v = 5",
        refractory="t_ref",
        hold=("v",),
        parameters={"tau": "10 ms", "t_ref": "2 ms"},
        initial={"v": ss.Uniform(4, 6)},
        method=method,
    )


@pytest.mark.parametrize(
    "method",
    [
        "euler",
        "exponential_euler",
        "v += dt / 2 * dv; v += dt / 2 * dv; u += dt * du",
        "rk2",
        "rk4",
    ],
)
def test_what_is_held_stands_still_for_those_that_follow_it(method):
    network = ss.Network()
    network.population("a", 10, held_while_it_is_followed(method))
    assert assert_twins(ss.Simulation(network, precision="double"), 10.0) > 10


def rules(source: int, target: int, same: bool) -> st.SearchStrategy:
    multapses = st.booleans()
    autapses = st.booleans() if source > 2 else st.just(True)
    fewest = min(source, target) // 2
    total = st.integers(0, source * target // 4)
    pairs = st.lists(
        st.tuples(st.integers(0, source - 1), st.integers(0, target - 1)), max_size=300
    )
    choices = [
        st.builds(ss.FixedProbability, st.floats(0, 0.3), autapses),
        st.builds(ss.FixedInDegree, st.integers(0, max(fewest, 0)), autapses, multapses),
        st.builds(ss.FixedTotal, total, autapses, multapses),
        st.builds(ss.AllToAll, autapses),
        pairs.map(lambda p: ss.Pairs(*np.array(p or np.empty((0, 2), int), int).T)),
    ]
    if source == target:
        choices.append(st.just(ss.OneToOne()))
    return st.one_of(choices)


@st.composite
def networks(draw) -> ss.Network:
    """One to three populations of any model, any rules between them or parts of them."""
    network = ss.Network(draw(st.integers(0, 1000)))
    populations = []
    for name in "abc"[: draw(st.integers(1, 3))]:
        kind = draw(st.sampled_from(list(MODELS)))
        size = draw(st.sampled_from([1, 63, 64, 65, 128]) | st.integers(1, 150))
        populations.append((kind, add(network, name, kind, size)))
    for _ in range(draw(st.integers(1, 4))):
        views = []
        for _, population in (draw(st.sampled_from(populations)) for _ in range(2)):
            start = draw(st.integers(0, len(population) - 1))
            step = draw(st.integers(1, 3))
            views.append(population[start::step] if draw(st.booleans()) else population[:])
        kind = next(k for k, p in populations if p.name == views[1].population)
        receptor, weight = draw(st.sampled_from(sorted(MODELS[kind][1].items())))
        rule = draw(rules(views[0].size, views[1].size, views[0].population == views[1].population))
        if isinstance(rule, ss.Pairs) and rule.sources.size and draw(st.booleans()):
            random = np.random.default_rng(network.seed)
            weight = weight * random.uniform(0.1, 2, rule.sources.size)
            delay = random.uniform(0.1, 4.0, rule.sources.size)
        else:
            weight = draw(
                st.sampled_from(
                    [weight, ss.Normal(weight, 0.3 * abs(weight), *sorted((0, 2 * weight)))]
                )
            )
            delay = draw(
                st.one_of(
                    st.integers(1, 40).map(lambda d: d / 10),
                    st.integers(1, 30).map(lambda d: ss.Uniform(d / 10, d / 10 + 1)),
                    st.just(ss.LogNormal(0.0, 0.7, 0.1, 4.0)),
                )
            )
        network.connect(*views, rule, weight=weight, delay=delay, receptor=receptor)
    return network


@settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large],
)
@given(
    network=networks(),
    threads=st.integers(1, 4),
    weights=st.sampled_from(["compact", "exact"]),
)
def test_any_network_does_what_its_twin_does(network, threads, weights):
    built = ss.build(network, precision="double", threads=threads, weights=weights)
    assert_twins(ss.Simulation(built, threads=min(threads, 2)), 12.0)


@pytest.mark.parametrize(
    ("weight", "delay", "receptor"),
    [(1.0, np.empty(0), "exc"), (np.empty(0), 1.0, "inh"), (np.empty(0), np.empty(0), "exc")],
)
def test_no_pairs_are_no_synapses(weight, delay, receptor):
    network = ss.Network()
    a = network.population("a", 5, ss.LIF())
    network.connect(a, a, ss.Pairs([], []), weight=weight, delay=delay, receptor=receptor)
    assert len(ss.build(network).synapses("a", "a")) == 0


# A run against itself


def same(a: ss.Simulation | ss.Result, b: ss.Simulation | ss.Result) -> bool:
    pairs = [(a.spikes[name], b.spikes[name]) for name in a.spikes]
    return all(
        np.array_equal(x.times, y.times) and np.array_equal(x.neurons, y.neurons) for x, y in pairs
    )


def busy(seed: int = 5) -> ss.Network:
    """Every rule, lognormal weights, random delays, and every kind of noise."""
    network = ss.Network(seed)
    e = network.population("e", 500, ss.LIF(t_ref=1.0), {"v": ss.Uniform(-65, -50)})
    i = network.population("i", 131, ss.LIF(), {"v": ss.Uniform(-65, -50)})
    z = network.population("z", 70, ss.Izhikevich(i_offset=4.0))
    weight, delay = ss.LogNormal(3.0, 1.0, high=300.0), ss.Uniform(0.3, 3.0)
    inhibition = ss.Normal(-80.0, 20.0, high=0.0)
    network.connect(e, [e, i], ss.FixedProbability(0.1), weight=weight, delay=delay, receptor="exc")
    network.connect(
        i, [e, i], ss.FixedInDegree(20), weight=inhibition, delay=ss.Normal(1.5, 0.3, 0.3),
        receptor="inh",
    )  # fmt: skip
    network.connect(e[::2], z, ss.FixedTotal(2000), weight=3.0, delay=1.0)
    network.connect(z, e[30:100], ss.OneToOne(), weight=weight, delay=0.7, receptor="exc")
    network.connect(z, z, ss.AllToAll(autapses=False), weight=0.1, delay=delay)
    network.drive(e, ss.Poisson(np.linspace(0, 9000, 500), 40.0), receptor="exc")
    network.drive(i[7:], ss.Poisson(6000.0, 40.0), receptor="exc")
    network.drive(i, ss.WhiteNoise(20.0), receptor="exc")
    network.drive(z, ss.WhiteNoise(2.0))
    network.drive(z[3:40], ss.Spikes([[10.0, 10.05]] * 37, 5.0))
    return network


@pytest.fixture(scope="module")
def busy_build() -> ss.Build:
    return ss.build(busy(), threads=3)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_threads_and_partitions_change_no_spike(precision):
    results = []
    for threads in (1, 2, 3, 4):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            results.append(ss.simulate(busy(), 100.0, precision=precision, threads=threads))
    counts = {name: len(trains) for name, trains in results[0].spikes.items()}
    assert min(counts.values()) > 50, counts
    assert all(same(results[0], other) for other in results[1:])


def test_more_threads_than_cores_warn(busy_build):
    built = ss.build(busy(), threads=CORES + 1)
    with pytest.warns(UserWarning, match=f"{CORES + 1} threads share {CORES} cores"):
        ss.Simulation(built)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ss.Simulation(built, threads=CORES).threads == CORES
        assert ss.Simulation(busy_build, threads=1).threads == 1


def test_a_run_in_pieces_is_the_run(busy_build):
    whole, halves, cuts = (ss.Simulation(busy_build, threads=1) for _ in range(3))
    whole.run(120.0)
    halves.run(60.0)
    halves.run(60.0)
    for piece in (0.1, 0.0, 17.3, 0.2, 64.0, 31.1, 7.3):
        cuts.run(piece)
    assert whole.time == halves.time == cuts.time == 120.0
    assert same(whole, halves) and same(whole, cuts)
    for name, variable in [("e", "v"), ("i", "i_exc"), ("z", "u")]:
        assert np.array_equal(whole.get(name, variable), cuts.get(name, variable))


def test_states_of_one_build_do_not_meet(busy_build):
    alone = [ss.Simulation(busy_build, seed=seed, threads=1) for seed in (1, 2)]
    for simulation in alone:
        simulation.run(60.0)
    a, b = (ss.Simulation(busy_build, seed=seed, threads=1) for seed in (1, 2))
    for _ in range(4):
        a.run(15.0)
        b.run(15.0)
    assert same(a, alone[0]) and same(b, alone[1]) and not same(a, b)


def test_seed_and_replica_key_the_noise_and_the_network_its_wiring(busy_build):
    def run(**options) -> ss.Result:
        return ss.simulate(busy_build, 30.0, threads=1, **options)

    first = run()
    assert same(first, run(seed=5, replica=0))
    assert same(run(replica=1), run(replica=1)) and same(run(seed=9), run(seed=9))
    assert not same(first, run(replica=1))
    assert not same(first, run(seed=6))
    starts = [ss.Simulation(busy_build, replica=r, threads=1).get("e", "v") for r in (0, 0, 1)]
    assert np.array_equal(starts[0], starts[1]) and not np.array_equal(starts[0], starts[2])
    wiring = [busy_build, ss.build(busy(6), threads=1)]
    assert not np.array_equal(*(b.synapses("z", "z").delays for b in wiring))


def wiring_of(built: ss.Build, pre: str, post: str) -> tuple:
    s = built.synapses(pre, post)
    return tuple(map(tuple, (s.sources, s.targets, s.weights, s.delays, s.receptors)))


def test_what_is_added_changes_nothing_else():
    def described(more: bool) -> ss.Network:
        network = ss.Network(4)
        if more:
            network.population("first", 90, ss.LIF())
            network.drive("first", ss.Poisson(9000.0, 60.0), receptor="exc")
        a = network.population("a", 150, ss.LIF(), {"v": ss.Uniform(-65, -50)})
        weight, delay = ss.LogNormal(3.0, 0.5, high=200.0), ss.Uniform(0.2, 2.0)
        if more:
            network.connect("first", "first", ss.AllToAll(), weight=weight, delay=delay,
                            receptor="exc")  # fmt: skip
            network.population("middle", 33, ss.Izhikevich())
            network.drive("middle", ss.WhiteNoise(5.0))
        b = network.population("b", 70, ss.LIF(t_ref=ss.Uniform(1, 3)))
        for rule in (ss.FixedProbability(0.1), ss.FixedTotal(500), ss.FixedInDegree(5)):
            network.connect(a, b, rule, weight=weight, delay=delay, receptor="exc")
        network.connect(b, a, ss.FixedInDegree(9), weight=-60.0, delay=delay, receptor="inh")
        network.drive(a, ss.Poisson(8000.0, 50.0), receptor="exc")
        network.drive(b, ss.WhiteNoise(30.0), receptor="exc")
        return network

    # Alike in what sets the unit of the weights, else rounding would differ.
    plain, more = (ss.build(described(m), threads=2, weights="exact") for m in (False, True))
    for pre, post in [("a", "b"), ("b", "a")]:
        assert wiring_of(plain, pre, post) == wiring_of(more, pre, post)
    one, two = (ss.Simulation(built, threads=1) for built in (plain, more))
    one.run(60.0)
    two.run(60.0)
    assert len(one.spikes["b"]) > 100
    assert same(one, two)
    assert len(two.spikes["first"]) > 100


def test_names_key_the_random_numbers():
    def described(projection: str, drive: str) -> ss.Simulation:
        network = ss.Network(1)
        a = network.population("a", 50, counter())
        network.connect(a, a, ss.FixedProbability(0.3), weight=1.0, delay=1.0, name=projection)
        network.drive(a, ss.Poisson(2000.0, 1.0), name=drive)
        simulation = ss.Simulation(network, precision="double")
        simulation.run(10.0)
        return simulation

    base, wired, noisy = described("p", "d"), described("q", "d"), described("p", "e")
    assert wiring_of(base.build, "a", "a") == wiring_of(noisy.build, "a", "a")
    assert wiring_of(base.build, "a", "a") != wiring_of(wired.build, "a", "a")
    assert np.array_equal(base.get("a", "n"), wired.get("a", "n"))
    assert not np.array_equal(base.get("a", "n"), noisy.get("a", "n"))


# Inputs


def counter(**receptors: ss.Receptor) -> ss.NeuronModel:
    """A neuron that adds up what arrives, and never spikes."""
    arrives = {"r": ss.Receptor("", arrival="n += w"), **receptors}
    return ss.NeuronModel(
        name="counter",
        equations="dn/dt = 0 : 1",
        threshold="n < -1e9",
        reset="n = 0",
        receptors=arrives,
    )


def counts_of(steps: int, size: int, *drives: ss.Poisson | ss.WhiteNoise, **options) -> np.ndarray:
    """What arrives in each step (0.1 ms) and neuron."""
    network = ss.Network(2)
    a = network.population("a", size, counter())
    for drive in drives:
        network.drive(a, drive)
    record = [ss.Trace(a, "n", every=0.1)]
    result = ss.simulate(network, steps * 0.1, precision="double", record=record, **options)
    return np.diff(result.traces["a", "n"].values, axis=0, prepend=0.0)


@pytest.mark.parametrize("mean", [0.003, 0.8, 50.0])
def test_poisson_counts_are_poisson(mean):
    counts = counts_of(1000, 100, ss.Poisson(mean * 1e4, 1.0))
    n = counts.size
    assert np.array_equal(counts, np.round(counts)) and counts.min() >= 0
    assert abs(counts.mean() - mean) < 5 * np.sqrt(mean / n)
    spread = np.sqrt((mean + 2 * mean**2) / n)  # of the variance of n Poisson numbers
    assert abs(counts.var() - mean) < 5 * spread
    low, high = (int(x) for x in scipy.stats.poisson.ppf([0.001, 0.999], mean))
    edges = np.array([-1, *range(low, high + 1), 10**6])
    expected = np.diff(scipy.stats.poisson.cdf(edges, mean)) * n
    found = np.histogram(counts, edges + 0.5)[0]
    kept = expected > 5
    chi2 = np.sum((found - expected)[kept] ** 2 / expected[kept])
    assert scipy.stats.chi2.sf(chi2, kept.sum() - 1) > 1e-4


def test_poisson_counts_depend_on_nothing():
    counts = counts_of(3000, 100, ss.Poisson(3000.0, 1.0))
    z = (counts - counts.mean()) / counts.std()
    steps, size = z.shape
    between = (z.T @ z / steps)[np.triu_indices(size, 1)] * np.sqrt(steps)
    assert np.abs(between).max() < 5.5 and abs(between.std() - 1) < 0.05
    for lag in (1, 2, 3, 5, 8, 16, 64, 100):
        assert abs((z[lag:] * z[:-lag]).mean()) * np.sqrt(z[lag:].size) < 4.5, f"lag {lag}"
        crossed = (z[lag:, 1:] * z[:-lag, :-1]).mean() * np.sqrt(z[lag:, 1:].size)
        assert abs(crossed) < 4.5, f"lag {lag}, next neuron"
    other = counts_of(3000, 100, ss.Poisson(3000.0, 1.0), replica=1)
    assert abs(((other - other.mean()) / other.std() * z).mean()) * np.sqrt(z.size) < 4.5
    both = counts_of(3000, 100, ss.Poisson(3000.0, 1.0), ss.Poisson(3000.0, 1000.0))
    first, second = both % 1000, both // 1000
    assert np.array_equal(first, counts)
    assert abs(np.corrcoef(first.ravel(), second.ravel())[0, 1]) * np.sqrt(z.size) < 4.5


def test_poisson_rates_and_weights_per_neuron_and_on_a_part():
    network = ss.Network()
    a = network.population("a", 200, counter())
    rates, weights = np.linspace(0.0, 4e4, 100), np.repeat([1.0, 0.25], 50)
    rates[30:40] = 0.0
    network.drive(a[1::2], ss.Poisson(rates, weights))
    simulation = ss.Simulation(network, precision="double")
    simulation.run(500.0)
    n = simulation.get("a", "n")
    assert np.all(n[::2] == 0) and np.all(n[1::2][rates == 0] == 0)
    sigmas = (n[1::2] / weights - rates / 2) / np.sqrt(np.maximum(rates / 2, 1))
    assert np.abs(sigmas).max() < 5 and abs(sigmas[rates > 0].std() - 1) < 0.25


def test_a_rate_of_zero_never_fires():
    assert np.all(counts_of(1000, 100, ss.Poisson(0.0, 1.0)) == 0)


def test_white_noise_is_normal_and_independent():
    values = counts_of(1500, 100, ss.WhiteNoise(np.linspace(0.0, 2.0, 100)))
    assert np.all(values[:, 0] == 0)
    z = values[:, 1:] / np.linspace(0.0, 2.0, 100)[1:]
    n = z.size
    assert abs(z.mean()) * np.sqrt(n) < 4.5 and abs(z.var() - 1) * np.sqrt(n / 2) < 4.5
    assert abs((z**4).mean() - 3) < 5 * np.sqrt(96 / n) + 0.02
    assert scipy.stats.kstest(z.ravel()[::7], "norm").pvalue > 1e-4
    for lag in (1, 2, 7, 64):
        assert abs((z[lag:] * z[:-lag]).mean()) * np.sqrt(n) < 4.5
    between = (z.T @ z / len(z))[np.triu_indices(99, 1)] * np.sqrt(len(z))
    assert np.abs(between).max() < 5.5


def test_given_spikes_arrive_at_the_end_of_the_step_that_holds_them():
    times = [0.0, 0.1, 0.12, 0.3, 0.31, 0.35, 0.4, 7.0, 7.0, 99.0]
    steps = [1, 1, 2, 3, 4, 4, 4, 70, 70, 990]  # at whose end they have arrived
    network = ss.Network()
    a = network.population("a", 67, counter())
    trains = [[], times, [0.2], []]
    network.drive(a[62:66], ss.Spikes(trains, [1.0, 2.0, -0.5, 1.0]))
    simulation = ss.Simulation(network, precision="double", record=[ss.Trace(a, "n", every=0.1)])
    simulation.run(10.0)
    n = simulation.traces["a", "n"].values
    wanted = [2.0 * sum(step <= k for step in steps) for k in range(1, 101)]
    assert np.array_equal(n[:, 63], wanted)
    assert np.array_equal(n[:, 64], [0.0] + [-0.5] * 99)
    assert np.all(n[:, [62, 65, 66]] == 0) and np.all(n[:, :62] == 0)


@pytest.mark.parametrize("threads", [1, 3])
def test_each_given_synapse_delivers_its_weight_to_its_target_after_its_delay(threads):
    """Counted from the description, not from what the build says it wired."""
    random = np.random.default_rng(6)
    sources, targets = random.integers(0, 150, 3000), random.integers(0, 130, 3000)
    weights, delays = random.integers(-40, 40, 3000) / 8, random.integers(1, 60, 3000)
    network = ss.Network()
    ordinary = ss.LIF(t_ref=100.0, v_th=-65.5)  # spikes in the first step, then not again
    a, b = network.population("a", 450, ordinary), network.population("b", 400, counter())
    synapses = ss.Pairs(sources, targets)
    network.connect(a[1::3], b[5:395:3], synapses, weight=weights, delay=delays * 0.1)
    built = ss.build(network, precision="double", threads=threads)
    simulation = ss.Simulation(built, threads=1, record=[ss.Trace(b, "n", every=0.1)])
    simulation.run(8.0)
    arrived = np.zeros((80, 400))
    np.add.at(arrived, (delays, 5 + 3 * targets), weights)
    assert np.array_equal(simulation.traces["b", "n"].values, np.cumsum(arrived, axis=0))
    told = built.synapses("a", "b")
    order = np.lexsort((weights, targets, delays, sources))
    found = np.lexsort((told.weights, told.targets, told.delays, told.sources))
    assert np.array_equal(told.sources[found], 1 + 3 * sources[order])
    assert np.array_equal(told.targets[found], 5 + 3 * targets[order])
    assert np.array_equal(told.weights[found], weights[order])
    np.testing.assert_allclose(told.delays[found], delays[order] * 0.1, rtol=1e-12)


def test_recorded_spikes_replay_what_a_projection_carried():
    network = ss.Network(8)
    a = network.population("a", 80, ss.LIF(i_offset=ss.Uniform(300, 500)))
    b = network.population("b", 80, ss.LIF())
    network.connect(a, b, ss.OneToOne(), weight=300.0, delay=1.7, receptor="exc")
    wired = ss.Simulation(network, precision="double")
    wired.run(60.0)
    trains = wired.spikes["a"]
    later = ss.SpikeTrains(trains.times + 1.7, trains.neurons, 80, 0.0, 70.0)
    replay = ss.Network(8)
    replay.population("b", 80, ss.LIF())
    replay.drive("b", ss.Spikes(later, 300.0), receptor="exc")
    played = ss.Simulation(replay, precision="double")
    played.run(60.0)
    np.testing.assert_allclose(played.get("b", "v"), wired.get("b", "v"), rtol=1e-12)
    np.testing.assert_allclose(played.get("b", "i_exc"), wired.get("b", "i_exc"), rtol=1e-12)
    assert wired.get("b", "i_exc").min() > 0


def test_currents_add_up_on_all_on_some_and_to_the_offset():
    amplitudes = np.arange(35.0)

    def run(described: bool) -> np.ndarray:
        network = ss.Network()
        a = network.population("a", 70, ss.LIF(i_offset=10.0))
        offset = np.full(70, 10.0)
        offset += 20.0
        offset[::2] += amplitudes
        if described:
            network.drive(a, ss.Current(20.0))
            network.drive(a[::2], ss.Current(amplitudes))
            simulation = ss.Simulation(network, precision="double")
            assert simulation.get("a", "i_offset") == 10.0
        else:
            simulation = ss.Simulation(network, precision="double")
            simulation.set("a", i_offset=offset)
        simulation.run(20.0)
        return simulation.get("a", "v")

    assert np.array_equal(run(True), run(False))
    assert len(np.unique(run(True))) == 35


# Looking and changing


def test_set_and_get_of_variables():
    network = ss.Network()
    network.population("a", 70, ss.LIF())
    network.population("b", 3, ss.LIF())
    built = ss.build(network, precision="double")
    simulation, other = ss.Simulation(built), ss.Simulation(built)
    values = np.linspace(-80.0, -60.0, 70)
    simulation.set("a", v=values, i_exc=4.0)
    assert np.array_equal(simulation.get("a", "v"), values)
    assert np.all(simulation.get("a", "i_exc") == 4.0) and np.all(simulation.get("a", "i_inh") == 0)
    assert np.all(simulation.get("b", "v") == -65) and np.all(other.get("a", "v") == -65)
    simulation.get("a", "v")[:] = 0.0
    assert np.array_equal(simulation.get("a", "v"), values), "get gives a copy"
    simulation.set("a", v=-50.0)
    simulation.run(0.1)
    assert len(simulation.spikes["a"]) == 0, "the leak pulls v below threshold"
    simulation.set("a", v=-40.0)
    simulation.run(0.1)
    assert len(simulation.spikes["a"]) == 70 and len(simulation.spikes["b"]) == 0


def test_changed_parameters_do_what_described_ones_do(busy_build):
    tau = np.linspace(10.0, 30.0, 70)

    def described(model: ss.NeuronModel) -> ss.Simulation:
        network = ss.Network(3)
        a = network.population("a", 70, model, {"v": ss.Uniform(-65, -50)})
        network.population("b", 5, ss.LIF(i_offset=500.0))
        network.drive(a, ss.Poisson(9000.0, 60.0), receptor="exc")
        return ss.Simulation(network, precision="double")

    new = dict(tau_m=tau, t_ref=0.7, v_th=-52.0, tau_exc=3.0)
    plain, changed = described(ss.LIF()), described(ss.LIF())
    wanted = described(ss.LIF().with_values(**new))
    changed.set("a", **new)
    for simulation in (plain, changed, wanted):
        simulation.run(50.0)
    assert np.array_equal(changed.get("a", "tau_m"), tau) and changed.get("a", "v_th") == -52.0
    assert len(wanted.spikes["a"]) > 50
    assert same(changed, wanted) and not same(plain, wanted)
    assert np.array_equal(changed.get("a", "v"), wanted.get("a", "v"))
    middle, pieces = described(ss.LIF()), described(ss.LIF())
    pieces.run(20.0)
    pieces.set("a", tau_m=np.full(70, 20.0))  # a row of the state more, nothing else
    pieces.run(20.0)
    pieces.set("a", tau_m=20.0)
    pieces.run(20.0)
    middle.run(60.0)
    assert same(middle, pieces), "variables and refractoriness outlive a change"


def test_a_change_touches_no_other_state():
    def described() -> ss.Build:
        network = ss.Network(3)
        a = network.population("a", 70, ss.LIF(tau_m=np.linspace(15.0, 25.0, 70), i_offset=400.0))
        network.drive(a, ss.Poisson(2000.0, 60.0), receptor="exc", name="noise")
        network.drive(a, ss.Current(50.0), name="current")
        return ss.build(network, precision="double")

    built = described()
    first, second, third = (ss.Simulation(built) for _ in range(3))
    second.set("a", tau_m=10.0, v_th=-52.0, v=-60.0)
    second.set("noise", rate=7000.0)
    second.set("current", amplitude=0.0)
    for simulation in (first, second, third):
        simulation.run(40.0)
    late = ss.Simulation(built)
    late.run(40.0)
    assert same(first, third) and same(first, late) and not same(first, second)
    assert same(first, ss.simulate(described(), 40.0))


def test_what_get_returns_and_set_takes_is_nobody_elses():
    tau = np.array([10.0, 20.0, 30.0])
    network = ss.Network()
    network.population("a", 3, ss.LIF(tau_m=tau.copy()))
    built = ss.build(network, precision="double")
    simulation = ss.Simulation(built)
    simulation.get("a", "tau_m")[:] = 1.0
    assert np.array_equal(ss.Simulation(built).get("a", "tau_m"), tau)
    given = 2 * tau
    simulation.set("a", tau_m=given)
    given[:] = 1.0
    assert np.array_equal(simulation.get("a", "tau_m"), 2 * tau)


def test_inputs_can_be_changed():
    network = ss.Network()
    a = network.population("a", 100, counter())
    network.drive(a[:50], ss.Poisson(2e4, 1.0), name="p")
    network.drive(a[50:], ss.WhiteNoise(1.0), name="w")
    network.drive(a[50:51], ss.Spikes([[2.05]], 1.0), name="s")
    simulation = ss.Simulation(network, precision="double")

    def gained(duration: float) -> np.ndarray:
        before = simulation.get("a", "n")
        simulation.run(duration)
        return simulation.get("a", "n") - before

    simulation.set("w", sd=0.0)
    assert abs(gained(1.0)[:50].mean() - 20) < 5 * np.sqrt(20 / 50)
    simulation.set("p", rate=np.repeat([0.0, 6e4], 25), weight=0.5)
    simulation.set("s", weight=3.0)
    gain = gained(2.0)
    assert np.all(gain[:25] == 0) and abs(gain[25:50].mean() - 60) < 5 * np.sqrt(120 / 25) / 2
    assert gain[50] == 3.0 and np.all(gain[51:] == 0)
    simulation.set("p", rate=0.0)
    simulation.set("w", sd=np.repeat([0.0, 2.0], 25))
    gain = gained(10.0)
    assert np.all(gain[:75] == 0) and 10 < gain[75:].std() < 30


def test_an_input_described_as_silent_is_set_right_or_refused():
    network = ss.Network()
    network.drive(network.population("a", 10, counter()), ss.Poisson(1e4, 0.0), name="p")
    simulation = ss.Simulation(network, precision="double")
    try:
        simulation.set("p", weight=0.4)
    except ValueError:
        return
    simulation.run(10.0)
    assert simulation.get("a", "n").mean() > 20


# Recording


def test_traces_and_their_times():
    network = ss.Network(1)
    a = network.population("a", 130, ss.LIF(i_offset=ss.Uniform(300, 600)))
    b = network.population("b", 3, ss.LIF())
    record = [
        ss.Trace(a[3::20], "v", every=0.3),
        ss.Trace(b, "i_exc", every=1.0),
        ss.Trace(a[5], "i_exc", every=0.1),
    ]
    cut, steps = (ss.Simulation(network, record=r, precision="double") for r in (record, ()))
    for piece in (0.2, 0.2, 3.3, 5.0, 1.3):
        cut.run(piece)
    values = []
    for _ in range(100):
        steps.run(0.1)
        values.append(steps.get("a", "v")[3::20])
    trace = cut.traces["a", "v"]
    assert np.array_equal(trace.neurons, np.arange(3, 130, 20)) and trace.unit == "mV"
    assert np.array_equal(trace.times, np.round(0.3 * np.arange(1, 34), 9))
    assert np.array_equal(trace.values, np.array(values)[2::3])
    assert len(np.unique(trace.values)) > 100
    assert np.array_equal(cut.traces["b", "i_exc"].times, np.arange(1.0, 11.0))
    assert cut.traces["b", "i_exc"].values.shape == (10, 3)
    assert cut.traces["a", "i_exc"].values.shape == (100, 1)


def test_rates_in_bins():
    network = ss.Network(1)
    a = network.population("a", 70, ss.LIF(i_offset=ss.Uniform(300, 600)))
    simulation = ss.Simulation(network, record=[ss.Rate(a, bin=2.5)], precision="double")
    for piece in (1.2, 7.3, 50.0, 3.2):
        simulation.run(piece)
    binned = simulation.binned["a"]
    assert np.array_equal(binned.times, 2.5 * np.arange(1, 25))
    steps = np.rint(simulation.spikes["a"].times / 0.1).astype(int)
    counts = np.bincount((steps - 1) // 25)[:24]
    np.testing.assert_allclose(binned.rates, counts / 70 / 2.5e-3)
    assert counts.sum() > 100
    assert simulation.rates["a"] == pytest.approx(len(steps) / 70 / 61.7e-3)


def test_rates_of_parts_of_a_population():
    network = ss.Network(1)
    a = network.population("a", 70, ss.LIF(i_offset=ss.Uniform(300, 600)))
    b = network.population("b", 70, ss.LIF(i_offset=400.0))
    first, third = a[:20], a[1::3]
    records = [ss.Rate(x, bin=5.0) for x in (first, third, a, b[:])]
    simulation = ss.Simulation(network, record=records)
    for piece in (20.0, 12.5, 17.5):
        simulation.run(piece)
    binned = simulation.binned
    assert list(binned) == [first, third, "a", "b"]  # all of b is b
    counts = simulation.spikes["a"].count(bin=5.0)  # [bin, neuron]
    for part, numbers in ((first, range(20)), (a[1::3], range(1, 70, 3)), ("a", range(70))):
        of_part = counts[:, list(numbers)].sum(axis=1)
        np.testing.assert_allclose(binned[part].rates, of_part / len(numbers) / 5e-3)
        assert of_part.sum() > 10
    with pytest.raises(ValueError, match="'rate' of 'a' is asked for twice"):
        ss.Simulation(network, record=[ss.Rate(a[:20], 5.0), ss.Rate(a[:20], 10.0)])
    with pytest.raises(ValueError, match="part of 'a', which has 70 neurons"):
        ss.Simulation(network, record=[ss.Rate(ss.Population("a", 80, ss.LIF())[:75])])


def test_spikes_may_be_left_out(busy_build):
    kept, left = (ss.simulate(busy_build, 40.0, threads=1, spikes=s) for s in (True, False))
    assert all(len(trains) == 0 for trains in left.spikes.values())
    assert left.rates == kept.rates and kept.rates["e"] > 0


def test_a_file_holds_what_memory_would(tmp_path, busy_build):
    record = [ss.Trace(ss.Population("e", 500, ss.LIF())[::100], "v", every=0.5)]
    network = busy_build.network
    record = [ss.Trace(network.populations["e"][::100], "v", every=0.5)]
    memory = ss.Simulation(busy_build, threads=1, record=record)
    memory.run(40.0)
    with ss.Simulation(busy_build, threads=1, record=record, out=tmp_path / "run.h5") as filed:
        filed.run(15.0)
        filed.run(25.0)
    assert same(memory, filed) and len(filed.spikes["e"]) > 100
    read = ss.open_spikes(tmp_path / "run.h5")
    assert np.array_equal(read["z"].times, memory.spikes["z"].times)
    assert filed.rates == memory.rates
    assert len(list(tmp_path.iterdir())) == 2
    before = (tmp_path / "run.h5").read_bytes()
    with pytest.raises(FileExistsError, match="run.h5"):
        ss.Simulation(busy_build, threads=1, out=tmp_path / "run.h5")
    assert (tmp_path / "run.h5").read_bytes() == before


# Interruption


def small_and_long() -> ss.Build:
    network = ss.Network(2)
    a = network.population("a", 100, ss.LIF(i_offset=ss.Uniform(300, 500)))
    network.connect(a, a, ss.FixedInDegree(9), weight=30.0, delay=1.0, receptor="exc")
    network.drive(a, ss.Poisson(500.0, 30.0), receptor="exc")
    return ss.build(network, threads=1)


@pytest.mark.parametrize("how", ["thread", "progress"])
def test_ctrl_c_keeps_what_there_is(how):
    built = small_and_long()
    simulation = ss.Simulation(built)
    timer = threading.Timer(0.3, _thread.interrupt_main)
    if how == "thread":
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            simulation.run(1e9)
    else:  # the signal finds the main thread between two stretches
        with pytest.raises(KeyboardInterrupt):
            simulation.run(1e9, lambda done: signal.raise_signal(signal.SIGINT))
    timer.cancel()
    reached = simulation.time
    assert 0 < reached < 1e9
    end = np.ceil(reached) + 50
    simulation.run(round(end - reached, 9))
    whole = ss.Simulation(built)
    whole.run(end)
    assert simulation.time == whole.time
    assert len(whole.spikes["a"]) > 100 and same(simulation, whole)
    assert np.array_equal(simulation.get("a", "v"), whole.get("a", "v"))


def test_simulate_returns_after_ctrl_c(tmp_path):
    threading.Timer(0.3, _thread.interrupt_main).start()
    result = ss.simulate(small_and_long(), 1e9, out=tmp_path / "run.h5")
    assert result.interrupted and result.rates["a"] > 0
    read = ss.open_spikes(tmp_path / "run.h5")["a"]
    assert len(read) == len(result.spikes["a"]) > 0


# Rounding, and what is refused


@pytest.mark.parametrize(
    ("t_ref", "told"),
    [
        (0.04, "time t_ref is 0.04 ms, which rounds to no step of dt = 0.1 ms"),
        (np.array([0.0, 0.04, 0.03, 2.0]), "t_ref is 0.04 ms in 2 of 4 neurons, which rounds to"),
        (0.0, None),
        (0.05, None),
        (np.array([0.0, 0.06, 1.0, 2.0]), None),
    ],
)
def test_a_refractory_time_that_rounds_to_nothing_is_told(t_ref, told):
    network = ss.Network()
    network.population("a", 4, ss.LIF(t_ref=t_ref))
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        ss.Simulation(network)
    texts = [str(one.message) for one in caught]
    assert [told in text and text.startswith("LIF: ") for text in texts] == [True] * bool(told)


def test_refractory_times_and_delays_are_rounded_to_steps():
    network = ss.Network()
    times = [0.0, 0.3, 0.374, 0.376, 0.5, 1.13]  # in steps of 0.25: 0, 1.2, 1.496, 1.504, 2, 4.52
    a = network.population("a", 6, ss.LIF(t_ref=np.array(times), v_th=-65.5))
    b = network.population("b", 5, counter())
    delays = [0.25, 0.3, 0.374, 0.376, 1.13]
    network.connect(a[:5], b, ss.OneToOne(), weight=1.0, delay=np.array(delays))
    record = [ss.Trace(b, "n", every=0.25)]
    simulation = ss.Simulation(network, dt=0.25, precision="double", record=record)
    simulation.run(10.0)
    between = [np.unique(np.diff(np.rint(train / 0.25))) for train in simulation.spikes["a"]]
    assert [list(steps) for steps in between] == [[1], [2], [2], [3], [3], [6]]
    first = np.argmax(simulation.traces["b", "n"].values > 0, axis=0) + 1
    assert list(first) == [1 + d for d in (1, 1, 1, 2, 5)], "all of a spike in the first step"
    assert list(simulation.build.synapses("a", "b").delays / 0.25) == [1, 1, 1, 2, 5]


def test_drawn_delays_and_values_keep_their_bounds():
    network = ss.Network(3)
    a = network.population("a", 100, ss.LIF(t_ref=ss.Uniform(1, 2)))
    delay = ss.Normal(1.0, 1.0, low=0.1, high=2.0)
    network.connect(a, a, ss.AllToAll(), weight=ss.Uniform(1, 3), delay=delay, receptor="exc")
    s = ss.build(network, precision="double").synapses("a", "a")
    assert 0.1 <= s.delays.min() < 0.15 and 1.95 < s.delays.max() <= 2.0 + 1e-9
    assert 1 <= s.weights.min() < 1.01 and 2.99 < s.weights.max() <= 3
    wanted = np.floor(delay.quantile((np.arange(10000) + 0.5) / 10000) / 0.1 + 0.5) * 0.1
    assert abs(s.delays.mean() - wanted.mean()) < 5 * wanted.std() / 100


def test_too_large_a_network_is_refused_before_it_is_made():
    network = ss.Network()
    a = network.population("a", 100_000, ss.LIF())
    network.connect(a, a, ss.AllToAll(), weight=1.0, delay=1.0, receptor="exc")
    with pytest.raises(MemoryError, match=r"needs about 4\d\.\d+ GB, more than the 2\.00 GB"):
        ss.build(network, memory=2.0)


@pytest.fixture
def plain() -> ss.Network:
    network = ss.Network()
    a = network.population("a", 4, ss.LIF())
    network.population("c", 4, counter())
    network.connect(a, a, ss.AllToAll(), weight=1.0, delay=0.5, receptor="exc")
    network.drive(a, ss.Poisson(10.0, 1.0), receptor="exc", name="p")
    network.drive(a, ss.Current(1.0), name="i")
    network.drive("c", ss.WhiteNoise(1.0), name="w")
    return network


@pytest.mark.parametrize(
    ("options", "error", "match"),
    [
        (dict(dt=0.0), ValueError, "dt is 0.0; it must be a finite number of ms"),
        (dict(dt=np.nan), ValueError, "dt is nan"),
        (dict(dt="a"), ValueError, "dt is 'a'"),
        (dict(dt=0.6), ValueError, "projection 'a->a': delays run down to 0.5 ms.*dt = 0.6 ms"),
        (dict(dt=1e-6), ValueError, "projection 'a->a': delays run up to 0.5 ms; the longest"),
        (dict(threads=0), ValueError, "threads is 0; it must be a whole number"),
        (dict(threads=1.5), ValueError, "threads is 1.5"),
        (dict(threads=True), ValueError, "threads is True"),
        (dict(precision="half"), ValueError, "precision is 'half'; .*'single' or 'double'"),
        (dict(weights="few"), ValueError, "weights is 'few'; .*'compact' or 'exact'"),
        (dict(memory=-1.0), ValueError, "memory is -1.0; it must be a finite number of GB above 0"),
        (dict(memory=1e-3), MemoryError, "more than the 0.00 GB that are allowed"),
    ],
)
def test_a_build_refuses(plain, options, error, match):
    with pytest.raises(error, match=match):
        ss.build(plain, **options)
    with pytest.raises(error, match=match):
        ss.Simulation(plain, **options)


def test_an_empty_network_is_refused():
    with pytest.raises(ValueError, match="the network has no population"):
        ss.build(ss.Network())


@pytest.mark.parametrize(
    ("options", "match"),
    [
        (dict(seed=1.5), "seed is 1.5"),
        (dict(seed="x"), "seed is 'x'"),
        (dict(replica=-0.5), "replica is -0.5"),
    ],
)
def test_a_simulation_refuses_seeds(plain, options, match):
    with pytest.raises(ValueError, match=match):
        ss.Simulation(plain, **options)


def test_a_simulation_refuses(plain):
    built = ss.build(plain)
    with pytest.raises(TypeError, match="dt belongs to the build"):
        ss.Simulation(built, dt=0.1)
    with pytest.raises(ValueError, match="threads is 0"):
        ss.Simulation(built, threads=0)
    with pytest.raises(TypeError, match="record holds 'v'; it takes Trace, Mean, LFP and Rate"):
        ss.Simulation(built, record=["v"])
    a = plain.populations["a"]
    with pytest.raises(ValueError, match="record: 'a' has no variable 'w'; known are v, i_exc"):
        ss.Simulation(built, record=[ss.Trace(a, "w")])
    stranger = ss.Network().population("b", 4, ss.LIF())
    with pytest.raises(ValueError, match="record: unknown population 'b'; known are 'a', 'c'"):
        ss.Simulation(built, record=[ss.Trace(stranger, "v")])
    with pytest.raises(ValueError, match="record: unknown population 'b'"):
        ss.Simulation(built, record=[ss.Rate(stranger)])
    for kind, name in ((ss.Trace(a, "v", 0.04), "every"), (ss.Rate(a, 0.25), "bin")):
        with pytest.raises(ValueError, match=f"{name} is 0.*dt"):
            ss.Simulation(built, record=[kind])
    for bad in (0.0, -1.0, np.nan, "a"):
        with pytest.raises(
            ValueError, match=f"Trace: every is {bad!r}; it must be a finite number"
        ):
            ss.Trace(a, "v", every=bad)
        with pytest.raises(ValueError, match=f"Rate: bin is {bad!r}; it must be a finite number"):
            ss.Rate(a, bin=bad)


@pytest.mark.parametrize("duration", [-1.0, 0.25, np.nan, np.inf])
def test_a_duration_is_a_multiple_of_dt(plain, duration):
    simulation = ss.Simulation(plain)
    with pytest.raises(ValueError, match="duration is .* ms; it must be a multiple of dt = 0.1 ms"):
        simulation.run(duration)
    assert simulation.time == 0


def test_set_and_get_refuse(plain):
    simulation = ss.Simulation(plain, precision="double")
    cases = [
        ("b", dict(v=1.0), "unknown population or input 'b'; known are 'a', 'c', 'p', 'i', 'w'"),
        (
            "a",
            dict(w=1.0),
            "population 'a' has neither a variable nor a parameter 'w'; known are v",
        ),
        (
            "a",
            dict(v=[1.0]),
            r"v of 'a' is \[1.0\]; it must be finite, a number or of shape \(4,\)",
        ),
        ("a", dict(v=np.nan), "v of 'a' is nan"),
        ("a", dict(tau_m=np.inf), "tau_m of 'a' is inf"),
        ("a", dict(tau_m=np.ones(5)), "tau_m of 'a'"),
        ("a", dict(v=-60.0, w=1.0), "neither a variable nor a parameter 'w'"),
        ("p", dict(sd=1.0), "input 'p' has no 'sd' that can be set"),
        ("p", dict(added=1.0), "input 'p' has no 'added' that can be set"),
        ("p", dict(rate=[1.0]), r"input 'p': rate has shape \(1,\); .*have shape \(4,\)"),
        ("p", dict(rate=-1.0), "Poisson: rate is -1.0"),
        ("p", dict(weight=np.nan), "Poisson: weight is nan"),
        ("p", dict(rate=1e9), "input 'p' would be stronger than this build can add up"),
        ("p", dict(weight=1e3), "input 'p' would be stronger than this build can add up"),
        ("i", dict(rate=1.0), "input 'i' has no 'rate'"),
        ("i", dict(amplitude=np.inf), "Current: amplitude is inf"),
        ("w", dict(sd=-1.0), "WhiteNoise: sd is -1.0; .* at least 0"),
    ]
    for name, values, match in cases:
        with pytest.raises(ValueError, match=match):
            simulation.set(name, **values)
    assert np.all(simulation.get("a", "v") == -65), "nothing is changed by what is refused"
    with pytest.raises(ValueError, match="unknown population or input 'b'"):
        simulation.get("b", "v")
    with pytest.raises(ValueError, match="neither a variable nor a parameter 'x'"):
        simulation.get("a", "x")


def test_a_set_that_is_refused_changes_nothing(plain):
    simulation = ss.Simulation(plain, precision="double")
    with pytest.raises(ValueError, match="not finite"):
        simulation.set("a", v=-55.0, tau_m=0.0)
    assert simulation.get("a", "tau_m") == 20.0 and np.all(simulation.get("a", "v") == -65)
    simulation.set("a", v_th=-45.0)
    simulation.run(1.0)


def test_set_refuses_weights_of_the_wrong_sign(plain):
    with pytest.raises(ValueError, match="positive"):
        ss.Simulation(plain).set("p", weight=-1.0)
