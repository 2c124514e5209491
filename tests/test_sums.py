"""Small weights beside large ones: what is stored, what arrives, what is refused."""

import math

import numpy as np
import pytest
from hypothesis import assume, given, settings, strategies as st

import spikesim as ss
from spikesim.description.distributions import likelihoods
from spikesim.engine.sums import DIGITS

SIZE = 130


def counter() -> ss.NeuronModel:
    """n is the sum of what has arrived; it never spikes."""
    receptor = ss.Receptor("", arrival="n += w")
    return ss.NeuronModel(
        "dn/dt = 0 * n", threshold="n < -1e30", reset="", receptors={"s": receptor}
    )


def described(size: int = SIZE) -> ss.Network:
    """Sources "a" that spike when told to, and targets "b"."""
    net = ss.Network(seed=1)
    net.population("a", size, ss.LIF(receptors={"s": ss.Delta()}))
    net.population("b", size, counter())
    return net


def strong_spike(net: ss.Network, weight: float) -> None:
    """One spike, to the last neuron, at 1 ms."""
    net.drive("b", ss.Spikes([[]] * (SIZE - 1) + [[1.0]], weight=weight), name="strong")


def assert_kept(stored, asked) -> None:
    """Within 1e-3 of each weight, or 1e-6 of the mean."""
    asked = np.broadcast_to(asked, np.shape(stored))
    allowed = np.maximum(1e-3 * np.abs(asked), 1e-6 * np.abs(asked).mean())
    assert (np.abs(stored - asked) <= allowed).all()


BESIDE = {
    "a spike": lambda net: strong_spike(net, 1e7),
    "Poisson": lambda net: net.drive("b", ss.Poisson(10.0, 1e5)),
    "a sample": lambda net: net.drive("b", ss.Sampled([0.0, 1e8], 5.0)),
    "a projection": lambda net: net.connect(
        "a", "b", ss.OneToOne(), weight=1e8, delay=3.0, name="strong"
    ),
    "a number drawn": lambda net: net.connect(
        "a", "b", ss.OneToOne(), weight=ss.Normal(1e8, 1e6), delay=3.0, name="strong"
    ),
}


RECEPTORS = {
    "a pulse": (ss.Pulse("1"), "n = w_s"),
    "a jump": (ss.Receptor("", arrival="n += w"), "n = 0"),
}


@pytest.mark.parametrize("receptor", RECEPTORS)
@pytest.mark.parametrize("sources", [60, 400])  # weights in the words' tables, and beside the words
def test_in_double_precision_weights_are_as_good_as_doubles(receptor, sources):
    rng, steps = np.random.default_rng(3), 30
    made, method = RECEPTORS[receptor]
    model = ss.NeuronModel(
        "dn/dt = 0", threshold="n > 1e30", reset="", receptors={"s": made}, method=method
    )
    net = ss.Network(seed=1)
    net.population("a", sources, ss.LIF(receptors={"s": ss.Delta()}))
    targets = net.population("b", SIZE, model)
    weights = rng.standard_normal((sources, SIZE)) * np.exp(rng.normal(0, 2, (sources, SIZE)))
    samples, each = rng.standard_normal((steps, SIZE)), rng.standard_normal(SIZE)
    common = rng.standard_normal(steps)
    net.drive("a", ss.Spikes([[1.0]] * sources, weight=100.0))
    net.connect("a", "b", ss.AllToAll(), weight=weights, delay=2.0)
    net.drive("b", ss.Sampled(samples, 1.0))
    net.drive("b", ss.Sampled(common, 1.0))
    net.drive("b", ss.Spikes([[7.0]] * SIZE, weight=each))
    simulation = ss.Simulation(net, dt=1.0, precision="double", record=[ss.Trace(targets, "n")])
    simulation.run(steps)
    found = simulation.traces["b", "n"].values
    parts = [[[x, common[t]] for x in samples[t]] for t in range(steps)]
    parts[2] = [[*some, *weights[:, k]] for k, some in enumerate(parts[2])]  # spikes of 1 ms
    parts[6] = [[*some, each[k]] for k, some in enumerate(parts[6])]
    exact = np.array([[math.fsum(some) for some in step] for step in parts])
    largest = np.abs(weights).max() * sources
    assert np.abs(found - exact).max() < 1e-15 * np.abs(weights).sum(axis=0).max()
    assert np.abs(found - exact)[3:].max() < 1e-18 * largest + 4e-16
    kept = simulation.synapses("a", "b").weights.reshape(weights.shape)
    np.testing.assert_allclose(kept, weights, rtol=1e-15, atol=2.0**-61 * largest)


@pytest.mark.parametrize("beside", BESIDE)
@pytest.mark.parametrize("connectivity", ["stored", "procedural"])
def test_a_weight_stays_beside_a_strong_one(beside, connectivity):
    net = described()
    net.connect("a", "b", ss.AllToAll(), weight=0.02, delay=1.0)
    BESIDE[beside](net)
    build = ss.build(net)
    assert build.integer is np.int64 and build.real is np.float32
    weights = build.synapses("a", "b").weights
    assert_kept(weights[weights < 1], 0.02)
    assert np.count_nonzero(weights < 1) == SIZE**2
    # It arrives as well: every source spikes once, and no spike comes from outside by then.
    net.drive("a", ss.Spikes([[0.1]] * SIZE, weight=100.0))
    if beside == "Poisson":
        net.remove("poisson->b")
        net.drive("b", ss.Poisson(0.0, 1e5))
    simulation = ss.Simulation(net, connectivity=connectivity, threads=2)
    if beside == "Poisson":
        assert simulation.build.integer is np.int64
    simulation.run(1.5)
    found = simulation.get("b", "n")
    np.testing.assert_allclose(found[:-1], 0.02 * SIZE, rtol=1e-3)


def test_an_outlier_of_an_array_leaves_the_others():
    net = described()
    weight = np.full((SIZE, SIZE), 0.02)
    weight[3, 4] = 1e4
    net.connect("a", "b", ss.AllToAll(), weight=weight, delay=1.0)
    s = ss.build(net).synapses("a", "b")
    assert_kept(s.weights, weight[s.sources, s.targets])


@pytest.mark.parametrize("sigma", [2.5, 2.7, 4.0])
@pytest.mark.parametrize("weights", ["compact", "exact"])
def test_no_synapse_of_a_wide_lognormal_distribution_is_lost(sigma, weights):
    net = described(1000)
    net.connect("a", "b", ss.FixedInDegree(500), weight=ss.LogNormal(0.0, sigma), delay=1.0)
    net.drive("a", ss.Spikes([[0.1]] * 1000, weight=100.0))
    build = ss.build(net, weights=weights)
    exactly = ss.build(net, weights=weights, precision="double").synapses("a", "b")
    s = build.synapses("a", "b")
    mean = math.exp(sigma**2 / 2)
    allowed = np.maximum(1e-3 * exactly.weights, 1e-6 * mean)
    assert (np.abs(s.weights - exactly.weights) <= allowed).all()
    assert (s.weights > 0).mean() > (0.999 if sigma < 4 else 0.9)
    np.testing.assert_allclose(np.median(s.weights), 1.0, rtol=0.03)
    simulation = ss.Simulation(build)
    simulation.run(2.0)
    sums = np.bincount(s.targets, s.weights, minlength=1000)
    np.testing.assert_allclose(simulation.get("b", "n"), sums, rtol=1e-6)


WEAK = [
    ss.Poisson(1000.0, 0.02),
    ss.PoissonRates([1000.0], 1.0, 0.02),
    ss.Gamma(1000.0, 2.0, 0.02),
    ss.PoissonDeadTime(500.0, 1.0, 0.02),
    ss.CorrelatedPoisson(1000.0, 0.5, 0.02),
    ss.Spikes([[0.5, 1.0, 2.0]] * SIZE, 0.02),
    ss.Sampled([0.02], 1.0),
]


@pytest.mark.parametrize("weak", WEAK, ids=lambda weak: type(weak).__name__)
def test_a_weak_input_arrives_beside_a_strong_one(weak):
    net = described()
    net.drive("b", weak)
    strong_spike(net, 1e7)
    simulation = ss.Simulation(net)
    assert simulation.build.integer is np.int64
    simulation.run(20.0)
    counts = simulation.get("b", "n")[:-1] / 0.02
    assert counts.max() > 2.9
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-3 * counts.max())


def test_white_noise_keeps_its_spread_beside_a_strong_spike():
    net = described()
    net.drive("b", ss.WhiteNoise(0.02))
    strong_spike(net, 1e7)
    simulation = ss.Simulation(net)
    simulation.run(40.0)
    assert simulation.get("b", "n")[:-1].std() == pytest.approx(0.02 * 20, rel=0.3)


def test_sums_of_64_bits_change_no_spike_with_threads_or_drawing():
    def network():
        net = ss.Network(seed=3)
        a = net.population("a", 400, ss.LIF(receptors={"s": ss.Exponential(), "i": ss.Delta()}))
        weight = ss.LogNormal(1.0, 2.5)
        net.connect(a, a, ss.FixedProbability(0.2), weight=weight, delay=1.5, receptor="s")
        net.connect(a, a, ss.FixedProbability(0.2), weight=-0.4, delay=0.7, receptor="i")
        net.drive(a, ss.Poisson(2000.0, 60.0), receptor="s")
        return net

    first = ss.Simulation(network(), threads=1)
    first.run(100.0)
    assert first.build.integer is np.int64 and first.state.arrays.ring.dtype == np.int64
    assert len(first.spikes["a"]) > 500
    for options in ({"threads": 2}, {"threads": 3, "connectivity": "procedural"}):
        other = ss.Simulation(network(), **options)
        other.run(100.0)
        assert other.spikes["a"] == first.spikes["a"]


def test_ordinary_sums_have_32_bits():
    net = described()
    net.connect("a", "b", ss.FixedProbability(0.1), weight=87.8, delay=1.0)
    net.connect("a", "b", ss.FixedProbability(0.1), weight=ss.Normal(-351.2, 35.1), delay=1.0)
    net.drive("b", ss.Poisson(8000.0, 87.8))
    build = ss.build(net)
    assert build.integer is np.int32 and ss.build(net, precision="double").integer is np.int64


# What cannot be kept


LOST = {
    "a spike": (
        lambda net: strong_spike(net, 1e16),
        "projection 'a->b': weights of 0.02 would be lost beside input 'strong'",
    ),
    "Poisson": (
        lambda net: net.drive("b", ss.Poisson(1000.0, 1e18), name="p"),
        "projection 'a->b': weights of 0.02 would be lost beside input 'p'",
    ),
    "a projection": (
        lambda net: net.connect("a", "b", ss.OneToOne(), weight=1e16, delay=1.0, name="x"),
        "projection 'a->b': weights of 0.02 would be lost beside projection 'x'",
    ),
    "a weak input": (
        lambda net: net.drive("b", ss.Gamma(10.0, 2.0, 1e-18), name="g"),
        "input 'g': weights of 1e-18 would be lost beside projection 'a->b'",
    ),
    "weak noise": (
        lambda net: net.drive("b", ss.WhiteNoise(1e-18), name="w"),
        "input 'w': weights of 1e-18 would be lost beside projection 'a->b'",
    ),
    "itself": (
        lambda net: net.connect(
            "a", "b", ss.FixedInDegree(9), weight=ss.LogNormal(0.0, 4.8), delay=1.0, name="x"
        ),
        "projection 'x': weights of .* would be lost beside others of its own",
    ),
}


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("case", LOST)
def test_what_64_bits_lose_is_refused_by_the_names_of_both(case, precision):
    add, told = LOST[case]
    net = described()
    if case != "itself":
        net.connect("a", "b", ss.AllToAll(), weight=0.02, delay=1.0)
    add(net)
    with pytest.raises(ValueError, match=told + r".*for which receptor 's' of 'b' must add up to"):
        ss.build(net, precision=precision)


def test_weights_smaller_than_single_precision_are_refused():
    net = described()
    net.connect("a", "b", ss.AllToAll(), weight=1e-44, delay=1.0)
    with pytest.raises(ValueError, match="weights of 1e-44 would be lost"):
        ss.build(net)
    ss.build(net, precision="double")


def test_weights_of_zero_need_nothing():
    net = described()
    net.connect("a", "b", ss.AllToAll(), weight=0.0, delay=1.0)
    weight = np.where(np.eye(SIZE), 1e6, 0.0)
    net.connect("a", "b", ss.AllToAll(), weight=weight, delay=1.0)
    net.drive("b", ss.Poisson(10.0, 0.0))
    assert ss.build(net).integer is np.int32


# What is set later


def test_a_weight_that_is_set_is_kept_or_refused():
    net = described()
    net.drive("b", ss.Poisson(1000.0, 1e4), name="strong")
    net.drive("b", ss.Spikes([[1.0]] * SIZE, 1.0), name="s")
    simulation = ss.Simulation(net)
    unit = simulation.build.units["b", "s"]
    with pytest.raises(
        ValueError, match=r"input 's': weights of 1e-09 would be too small for this"
    ):
        simulation.set("s", weight=1e-9)
    simulation.set("s", weight=np.append(np.zeros(SIZE - 1), 1000 * unit))
    simulation.set("strong", rate=0.0)
    simulation.run(2.0)
    assert simulation.get("b", "n")[-1] == pytest.approx(1000 * unit, rel=1e-3)
    simulation.set("s", weight=0.0)
    simulation.set("strong", weight=0.0)


def test_a_signal_may_pass_zero():
    """What is tiny beside the values that were described need not be kept."""
    net = described()
    net.drive("b", ss.Sampled([50.0], 1.0), name="loop")
    net.connect("a", "b", ss.AllToAll(), weight=20.0, delay=1.0)
    simulation = ss.Simulation(net)
    for value in (30.0, 1e-3, 1e-9, -1e-12, 0.0, -20.0):
        simulation.set("loop", values=[value])
        simulation.run(1.0)
    assert np.ptp(simulation.get("b", "n")) == 0


# Anything


magnitudes = st.floats(-9, 9).map(lambda x: 10.0**x)


@settings(deadline=None, max_examples=60)
@given(
    st.lists(magnitudes, min_size=1, max_size=3),
    st.lists(st.tuples(magnitudes, st.booleans()), max_size=2),
    st.floats(0.1, 3.5),
    st.booleans(),
)
def test_weights_of_any_size_are_kept_or_refused(numbers, inputs, sigma, drawn):
    net = described()
    for k, weight in enumerate(numbers):
        net.connect("a", "b", ss.FixedProbability(0.3), weight=weight, delay=1.0, name=f"p{k}")
    if drawn:
        weight = ss.LogNormal(math.log(numbers[0]), sigma)
        net.connect("a", "b", ss.FixedInDegree(50), weight=weight, delay=1.0, name="drawn")
    for k, (weight, often) in enumerate(inputs):
        net.drive("b", ss.Poisson(1e4 if often else 1.0, weight), name=f"i{k}")
    weights = [*numbers, *(weight for weight, _ in inputs)]
    try:
        build = ss.build(net)
    except ValueError as error:
        assert "would be lost beside" in str(error)
        assert max(weights) * 1e8 > DIGITS * min(weights) * 2e-3
        return
    exactly = ss.build(net, precision="double").synapses("a", "b").weights
    found = build.synapses("a", "b").weights
    allowed = 1e-3 * exactly + (1e-6 * numbers[0] * math.exp(sigma**2 / 2) if drawn else 0)
    assert (np.abs(found - exactly) <= allowed).all()
    unit = build.units["b", "s"]
    for weight in weights:
        assert unit <= 2e-3 * weight * (1 + 1e-9)
    s = build.synapses("a", "b")
    assert np.bincount(s.targets, s.weights).max() < build.limits["b", "s"]


@settings(deadline=None, max_examples=30)
@given(st.floats(0.1, 4.0), st.integers(1, 500), st.booleans())
def test_no_sum_exceeds_its_closer_bound(sigma, degree, fixed):
    net = described(600)
    rule = ss.FixedInDegree(degree) if fixed else ss.FixedTotal(600 * degree)
    net.connect("a", "b", rule, weight=ss.LogNormal(0.0, sigma), delay=1.0)
    build = ss.build(net)
    s = build.synapses("a", "b")
    most = np.bincount(s.targets, s.weights).max()
    assert most < build.sums.taken["b", "s"] * (1 + 1e-6) and most < build.limits["b", "s"]
    assume(build.integer is np.int64)
    values, _ = likelihoods(ss.LogNormal(0.0, sigma), 1024)
    assert build.sums.taken["b", "s"] < 15 * values.max() + 3 * degree * math.exp(sigma**2 / 2)
