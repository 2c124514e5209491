"""Who is connected to whom, how strongly and how late: exact properties and distributions."""

import math
from collections import Counter
from itertools import combinations, product

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import sparse, stats

import spikesim as ss
from spikesim.description.distributions import tail
from spikesim.engine.connectivity.rules import expected
from spikesim.random import derive_key

MASK64 = 2**64 - 1
LEAST_P = 1e-4  # of any one test; all seeds are fixed
LIF = ss.LIF()
ONE_RECEPTOR = ss.LIF(receptors={"psc": ss.Exponential()})


def network(sizes, seed=1, model=LIF):
    net = ss.Network(seed=seed)
    for name, size in sizes.items():
        net.population(name, size, model)
    return net


def describe(rule, pre, post=None, *, seed=1, weight=1.0, delay=1.0, name=None):
    """One projection. ``pre`` is (size, slice) of population a, and ``post`` of population b.

    Is ``post`` a slice, the targets are a part of a too; is it None, they are the sources.
    """
    size, part = pre
    net = network({"a": size, "b": post[0]} if is_other(post) else {"a": size}, seed)
    a = net.populations["a"]
    target = net.populations["b"][post[1]] if is_other(post) else a[part if post is None else post]
    net.connect(a[part], target, rule, weight=weight, delay=delay, receptor="exc", name=name)
    return net


def wire(rule, pre, post=None, *, dt=0.1, threads=1, precision="single", weights="compact", **more):
    net = describe(rule, pre, post, **more)
    build = ss.build(net, dt=dt, threads=threads, precision=precision, weights=weights)
    synapses = build.synapses("a", "b" if is_other(post) else "a")
    assert len(synapses) == build.synapse_count
    return synapses


def is_other(post):
    return isinstance(post, tuple)


def everyone(size):
    return size, slice(None)


def numbers(pre, post=None):
    """The sources' and the targets' numbers in their populations."""
    size, part = pre
    sources = np.arange(size)[part]
    if is_other(post):
        return sources, np.arange(post[0])[post[1]]
    return sources, sources if post is None else np.arange(size)[post]


def pairs_of(synapses):
    return list(zip(synapses.sources.tolist(), synapses.targets.tolist(), strict=True))


def allowed_pairs(rule, pre, post):
    """Every pair that the rule may connect, as a Boolean array [source place, target place]."""
    s, t = numbers(pre, post)
    allowed = np.ones((s.size, t.size), bool)
    if not is_other(post) and not getattr(rule, "autapses", True):
        allowed &= s[:, None] != t
    return allowed


def counted(synapses, pre, post=None):
    """How many synapses each pair has [source place, target place]; none may be elsewhere."""
    s, t = numbers(pre, post)
    assert np.isin(synapses.sources, s).all() and np.isin(synapses.targets, t).all()
    counts = np.zeros((s.size, t.size), int)
    places = np.searchsorted(s, synapses.sources), np.searchsorted(t, synapses.targets)
    np.add.at(counts, places, 1)
    return counts


def assert_obeys(rule, pre, post, synapses):
    """Everything that a rule promises with certainty."""
    counts, allowed = counted(synapses, pre, post), allowed_pairs(rule, pre, post)
    assert not counts[~allowed].any()
    if not getattr(rule, "multapses", False) and not isinstance(rule, ss.Pairs):
        assert counts.max(initial=0) <= 1
    match rule:
        case ss.FixedProbability(p=0):
            assert not counts.any()
        case ss.FixedProbability(p=1) | ss.AllToAll():
            np.testing.assert_array_equal(counts, allowed)
        case ss.FixedInDegree():
            assert (counts.sum(0) == rule.k).all()
        case ss.FixedOutDegree():
            assert (counts.sum(1) == rule.k).all()
        case ss.FixedTotal():
            assert counts.sum() == rule.n
        case ss.OneToOne():
            np.testing.assert_array_equal(counts, np.eye(len(counts)))
        case ss.Pairs():
            expected = np.zeros_like(counts)
            np.add.at(expected, (rule.sources, rule.targets), 1)
            np.testing.assert_array_equal(counts, expected)
    order = np.lexsort((synapses.targets, synapses.delays, synapses.sources))
    np.testing.assert_array_equal(order, np.arange(order.size))


def same(a, b, weights=0.0):
    np.testing.assert_array_equal(a.sources, b.sources)
    np.testing.assert_array_equal(a.targets, b.targets)
    np.testing.assert_array_equal(a.delays, b.delays)
    np.testing.assert_array_equal(a.receptors, b.receptors)
    np.testing.assert_allclose(a.weights, b.weights, rtol=weights, atol=0)


def fits(observed, expected):
    """The p-value of counts against their expectations, rare cells taken together."""
    observed, expected = np.ravel(observed), np.ravel(expected)
    assert not observed[expected == 0].any()
    order = np.argsort(expected)
    observed, expected = observed[order], expected[order]
    rare = np.searchsorted(np.cumsum(expected), 8.0)
    groups = np.concatenate([[0], np.arange(rare + 1, expected.size)])
    observed, expected = (np.add.reduceat(x, groups) for x in (observed, expected))
    return stats.chisquare(observed, expected).pvalue


def fits_distribution(sample, distribution):
    """The p-value of whole numbers against a discrete distribution."""
    most = int(max(sample.max(), distribution.ppf(1 - 1e-12)))
    expected = distribution.pmf(np.arange(most + 2)) * sample.size
    expected[-1] += sample.size - expected.sum()
    return fits(np.bincount(sample, minlength=most + 2), expected)


# Exact properties


LAYOUTS = {
    "itself": (everyone(130), None),
    "other": (everyone(65), everyone(200)),
    "strided": ((97, slice(3, 90, 4)), (301, slice(7, None, 3))),
    "overlapping parts": ((130, slice(2, 125, 3)), slice(1, None, 2)),
    "a part onto all": ((200, slice(190, 200)), slice(None)),
    "all onto a part": (everyone(200), slice(63, 66)),
    "disjoint parts": ((130, slice(0, 66)), slice(66, None, 2)),
    "one onto one": (everyone(1), everyone(1)),
    "one onto many": ((70, slice(69, 70)), everyone(129)),
    "many onto one": (everyone(129), (70, slice(69, 70))),
    "one onto itself": (everyone(1), None),
    "one onto all": ((70, slice(69, 70)), slice(None)),
}


def rules_for(pre, post):
    """With and without autapses and multapses, from nothing to all that fits."""
    for autapses in (True, False):
        allowed = allowed_pairs(ss.AllToAll(autapses), pre, post)
        pairs, sources = int(allowed.sum()), int(allowed.sum(0).min())
        targets = int(allowed.sum(1).min())
        yield ss.AllToAll(autapses)
        for p in (0, 0.07, 0.5, 0.9, 1):
            yield ss.FixedProbability(p, autapses)
        for multapses in (True, False):
            if sources:
                for n in sorted({0, 1, pairs // 3, pairs - 1, pairs}):
                    yield ss.FixedTotal(n, autapses, multapses)
                for k in sorted({0, 1, sources // 3, sources - 1, sources}):
                    yield ss.FixedInDegree(k, autapses, multapses)
            for k in sorted({0, 1, targets // 3, targets - 1, targets} if targets else {0}):
                yield ss.FixedOutDegree(k, autapses, multapses)


@pytest.mark.parametrize("layout", LAYOUTS)
def test_rules_keep_their_promises(layout):
    pre, post = LAYOUTS[layout]
    for rule in rules_for(pre, post):
        assert_obeys(rule, pre, post, wire(rule, pre, post))


def test_one_to_one_pairs_and_matrices_are_what_was_given():
    rng = np.random.default_rng(1)
    pre, post = (97, slice(3, 90, 4)), (301, slice(7, 73, 3))
    s, t = numbers(pre, post)
    assert s.size == t.size == 22
    one = wire(ss.OneToOne(), pre, post)
    assert pairs_of(one) == list(zip(s.tolist(), t.tolist(), strict=True))

    places = rng.integers(22, size=(2, 500))  # with multapses
    weights, delays = rng.uniform(0.5, 2, 500), rng.integers(1, 40, 500) * 0.1
    given = wire(ss.Pairs(*places), pre, post, weight=weights, delay=delays, precision="double")
    order = np.lexsort((t[places[1]], np.rint(delays * 10), s[places[0]]))
    assert sorted(pairs_of(given)) == sorted(
        zip(s[places[0]].tolist(), t[places[1]].tolist(), strict=True)
    )
    np.testing.assert_array_equal(given.sources, s[places[0]][order])
    np.testing.assert_allclose(given.delays, delays[order], rtol=1e-12)
    # Several synapses of a pair may have the same delay: their order is open.
    rows = zip(*map(np.ndarray.tolist, (given.sources, given.targets)), given.weights, strict=True)
    whole = zip(s[places[0]].tolist(), t[places[1]].tolist(), weights, strict=True)
    np.testing.assert_allclose(sorted(rows), sorted(whole), rtol=1e-14)


@pytest.mark.parametrize("kind", ["coo_array", "csr_array", "csc_matrix"])
def test_a_sparse_matrix_gives_pairs_and_weights(kind):
    rng = np.random.default_rng(2)
    dense = rng.random((40, 70)) * (rng.random((40, 70)) < 0.2)
    synapses = wire(getattr(sparse, kind)(dense), everyone(40), everyone(70), precision="double")
    assert synapses.weights.max() == 1.0  # `weight` of `wire` comes before the values
    net = network({"a": 40, "b": 70})
    net.connect("a", "b", getattr(sparse, kind)(dense), delay=0.7, receptor="exc")
    synapses = ss.build(net, precision="double").synapses("a", "b")
    got = sparse.coo_array((synapses.weights, (synapses.sources, synapses.targets)), dense.shape)
    assert len(synapses) == np.count_nonzero(dense)
    np.testing.assert_allclose(got.toarray(), dense, rtol=1e-15)
    assert np.unique(synapses.delays).tolist() == [pytest.approx(0.7, abs=1e-12)]


@pytest.mark.parametrize("receptor", ["exc", "inh"])
@pytest.mark.parametrize("weight", [None, np.empty(0)])
def test_no_pairs_are_no_synapses(receptor, weight):
    net = network({"a": 3, "b": 4})
    if weight is None:
        net.connect("a", "b", sparse.coo_array((3, 4)), delay=1.0, receptor=receptor)
    else:
        net.connect("a", "b", ss.Pairs([], []), weight=weight, delay=1.0, receptor=receptor)
    assert len(ss.build(net).synapses("a", "b")) == 0


def test_no_projection_is_no_synapse():
    build = ss.build(network({"a": 3, "b": 4}))
    assert build.synapse_count == len(build.synapses("a", "b")) == 0


@pytest.mark.parametrize("integer", [np.int8, np.int16, np.int32, np.uint8])
def test_numpy_integers_do_not_overflow(integer):
    pre, post = everyone(500), everyone(700)
    for rule in (ss.FixedInDegree(integer(100)), ss.FixedTotal(integer(100))):
        with np.errstate(all="raise"):
            assert_obeys(rule, pre, post, wire(rule, pre, post))


def test_a_lone_source_cannot_serve_itself():
    """The only source is among the targets, and has nobody to draw."""
    with pytest.raises(ValueError, match="autapses"):
        describe(ss.FixedInDegree(3, autapses=False), (100, slice(5, 6)), slice(None))


def test_total_without_multapses_among_more_than_a_billion_pairs():
    synapses = wire(ss.FixedTotal(1000, multapses=False), everyone(31_623))
    assert len(synapses) == 1000 == len(set(pairs_of(synapses)))


def test_many_populations_of_one_neuron():
    net = network({f"p{k}": 1 for k in range(1000)}, model=LIF)
    for k in range(1000):
        net.connect(
            f"p{k}", f"p{(7 * k + 3) % 1000}", ss.OneToOne(), weight=k + 1, delay=1, receptor="exc"
        )
    build = ss.build(net, threads=2, precision="double")
    assert build.synapse_count == 1000
    for k in (0, 1, 499, 999):
        synapses = build.synapses(f"p{k}", f"p{(7 * k + 3) % 1000}")
        assert pairs_of(synapses) == [(0, 0)] and synapses.weights.tolist() == [k + 1]
        assert len(build.synapses(f"p{k}", f"p{(7 * k + 4) % 1000}")) == 0


@st.composite
def parts(draw, most=150):
    size = draw(st.integers(1, most))
    start = draw(st.integers(0, size - 1))
    stop = draw(st.integers(start + 1, size))
    return size, slice(start, stop, draw(st.integers(1, 5)))


@st.composite
def projections(draw):
    pre = draw(parts())
    size = pre[0]
    inner = st.integers(0, size - 1).map(lambda start: slice(start, None, 1 + start % 3))
    post = draw(st.none() | inner | parts())
    allowed = allowed_pairs(ss.AllToAll(autapses := draw(st.booleans())), pre, post)
    flags = st.just(autapses), st.booleans()
    places = [st.integers(0, n - 1) for n in allowed.shape]
    rules = [
        st.builds(ss.FixedProbability, st.floats(0, 1), st.just(autapses)),
        st.just(ss.AllToAll(autapses)),
        st.lists(st.tuples(*places)).map(
            lambda pairs: ss.Pairs([s for s, _ in pairs], [t for _, t in pairs])
        ),
    ]
    if allowed.sum(0).min():
        most = int(allowed.sum(0).min()), int(allowed.sum())
        rules.append(st.builds(ss.FixedInDegree, st.integers(0, most[0]), *flags))
        rules.append(st.builds(ss.FixedTotal, st.integers(0, most[1]), *flags))
    if most := int(allowed.sum(1).min()):
        rules.append(st.builds(ss.FixedOutDegree, st.integers(0, most), *flags))
    return draw(st.one_of(rules)), pre, post


@settings(max_examples=150, deadline=None)
@given(projections(), st.integers(1, 4), st.integers(0, 2**63), st.sampled_from([0.1, 0.5, 1.0]))
def test_any_projection_keeps_its_promises(projection, threads, seed, dt):
    rule, pre, post = projection
    delay = ss.Uniform(1.0, 5.0)
    synapses = wire(rule, pre, post, seed=seed, threads=threads, dt=dt, delay=delay)
    assert_obeys(rule, pre, post, synapses)
    assert (synapses.delays >= 1.0 - dt / 2).all() and (synapses.delays <= 5.0 + dt / 2).all()
    np.testing.assert_allclose(synapses.delays / dt, np.rint(synapses.delays / dt), atol=1e-9)


# Joint distributions: a tiny network, every outcome, as often as it should occur


def outcomes(rule, allowed):
    """Probability of each outcome, a sorted tuple of pairs (places)."""
    free = [tuple(pair) for pair in np.argwhere(allowed).tolist()]
    targets = range(allowed.shape[1])
    match rule:
        case ss.FixedProbability():
            chosen = [
                (subset, rule.p**n * (1 - rule.p) ** (len(free) - n))
                for n in range(len(free) + 1)
                for subset in combinations(free, n)
            ]
        case ss.FixedTotal(multapses=False):
            chosen = [(subset, 1.0) for subset in combinations(free, rule.n)]
        case ss.FixedTotal():
            chosen = [(draws, 1.0) for draws in product(free, repeat=rule.n)]
        case ss.FixedInDegree():
            per_target = [[pair for pair in free if pair[1] == t] for t in targets]
            draws = [
                list(product(own, repeat=rule.k) if rule.multapses else combinations(own, rule.k))
                for own in per_target
            ]
            chosen = [(sum(several, ()), 1.0) for several in product(*draws)]
        case ss.FixedOutDegree():
            per_source = [[pair for pair in free if pair[0] == s] for s in range(len(allowed))]
            draws = [
                list(product(own, repeat=rule.k) if rule.multapses else combinations(own, rule.k))
                for own in per_source
            ]
            chosen = [(sum(several, ()), 1.0) for several in product(*draws)]
    total = sum(p for _, p in chosen)
    result = Counter()
    for outcome, p in chosen:
        result[tuple(sorted(outcome))] += p / total
    return result


TINY = [
    ss.FixedProbability(0.3, autapses=False),
    ss.FixedProbability(0.7),
    ss.FixedTotal(2, autapses=False, multapses=False),
    ss.FixedTotal(4, autapses=False, multapses=False),
    ss.FixedTotal(3),
    ss.FixedTotal(2, autapses=False),
    ss.FixedInDegree(1, autapses=False, multapses=False),
    ss.FixedInDegree(2, autapses=False, multapses=False),
    ss.FixedInDegree(3, multapses=False),
    ss.FixedInDegree(2, autapses=False),
    ss.FixedOutDegree(1, autapses=False),
    ss.FixedOutDegree(1, multapses=False),
    ss.FixedOutDegree(2, autapses=False, multapses=False),
]


@pytest.mark.parametrize("rule", TINY, ids=repr)
def test_every_outcome_occurs_as_often_as_it_should(rule):
    """Sources 1, 3, 5, 7 onto targets 2, 3, 4 of one population: only (3, 3) is an autapse."""
    repeats = 1200
    net = network({"a": 9}, seed=3)
    a = net.populations["a"]
    source, target = a[1:8:2], a[2:5]
    for k in range(repeats):
        # The weight tells the projections apart.
        net.connect(source, target, rule, weight=k + 1, delay=1.0, receptor="exc", name=f"{k}")
    synapses = ss.build(net, precision="double").synapses("a", "a")
    allowed = np.ones((4, 3), bool)
    allowed[1, 1] = rule.autapses
    drawn = [[] for _ in range(repeats)]
    which = np.rint(synapses.weights).astype(int) - 1
    for k, s, t in zip(which, synapses.sources.tolist(), synapses.targets.tolist(), strict=True):
        drawn[k].append(((s - 1) // 2, t - 2))
    expected = outcomes(rule, allowed)
    observed = Counter(tuple(sorted(pairs)) for pairs in drawn)
    assert set(observed) <= set(expected)
    keys = list(expected)
    p = fits([observed[k] for k in keys], [expected[k] * repeats for k in keys])
    assert p > LEAST_P


# Distributions at size


def test_fixed_probability_has_binomial_degrees():
    pre, post, p = everyone(1500), everyone(1700), 0.1
    counts = counted(wire(ss.FixedProbability(p), pre, post), pre, post)
    assert fits_distribution(counts.sum(0), stats.binom(1500, p)) > LEAST_P
    assert fits_distribution(counts.sum(1), stats.binom(1700, p)) > LEAST_P
    assert stats.binomtest(int(counts.sum()), counts.size, p).pvalue > LEAST_P


@pytest.mark.parametrize("p", [0.02, 0.5, 0.6, 0.97])
def test_neighbouring_pairs_are_independent_at_any_density(p):
    counts = counted(wire(ss.FixedProbability(p), everyone(600)), everyone(600))
    assert stats.binomtest(int(counts.sum()), counts.size, p).pvalue > LEAST_P
    for a, b in (
        (counts[:, 1:], counts[:, :-1]),
        (counts[1:], counts[:-1]),
        (counts, counts.T),
        (counts[:, 64:], counts[:, :-64]),
    ):
        assert stats.binomtest(int((a & b)[a != 2].sum()), a.size, p * p).pvalue > 1e-6
        assert abs(np.corrcoef(a.ravel(), b.ravel())[0, 1]) * math.sqrt(a.size) < 4.5 * math.sqrt(2)


@pytest.mark.parametrize("autapses", [True, False])
def test_total_with_multapses_is_multinomial(autapses):
    pre, n = (131, slice(1, None, 2)), 200_000
    rule = ss.FixedTotal(n, autapses)
    counts = counted(wire(rule, pre), pre)
    allowed = allowed_pairs(rule, pre, None)
    share = allowed / allowed.sum()
    assert fits(counts, n * share) > LEAST_P
    for axis in (0, 1):  # neither too uneven nor too even
        assert LEAST_P < fits(counts.sum(axis), n * share.sum(axis)) < 1 - LEAST_P
    pair = stats.binom(n, 1 / allowed.sum())
    assert fits_distribution(counts[allowed], pair) > LEAST_P  # how many multapses


def test_total_without_multapses_is_hypergeometric():
    pre, post, n = everyone(800), everyone(700), 70_000
    counts = counted(wire(ss.FixedTotal(n, multapses=False), pre, post), pre, post)
    pairs = 800 * 700
    assert fits_distribution(counts.sum(1), stats.hypergeom(pairs, n, 700)) > LEAST_P
    assert fits_distribution(counts.sum(0), stats.hypergeom(pairs, n, 800)) > LEAST_P


@pytest.mark.parametrize("multapses", [True, False])
def test_in_degree_draws_sources_uniformly(multapses):
    pre, post, k = (1001, slice(0, None, 2)), everyone(900), 100
    rule = ss.FixedInDegree(k, multapses=multapses)
    counts = counted(wire(rule, pre, post), pre, post)
    size = len(counts)
    share = stats.binom(900 * k, 1 / size) if multapses else stats.binom(900, k / size)
    assert fits_distribution(counts.sum(1), share) > LEAST_P
    if multapses:
        assert fits_distribution(counts.ravel(), stats.binom(k, 1 / size)) > LEAST_P


@pytest.mark.parametrize("multapses", [True, False])
def test_out_degree_draws_targets_uniformly(multapses):
    pre, post, k = everyone(900), (1001, slice(0, None, 2)), 100
    counts = counted(wire(ss.FixedOutDegree(k, multapses=multapses), pre, post), pre, post)
    size = counts.shape[1]
    share = stats.binom(900 * k, 1 / size) if multapses else stats.binom(900, k / size)
    assert fits_distribution(counts.sum(0), share) > LEAST_P
    if multapses:
        assert fits_distribution(counts.ravel(), stats.binom(k, 1 / size)) > LEAST_P


def test_many_synapses_of_one_source_that_is_no_target_of_its_own():
    """Without the source itself, the other targets get more than their share of the places."""
    rule = ss.FixedOutDegree(100_000, autapses=False)
    synapses = wire(rule, (130, slice(62, 63)), slice(62, 66), threads=3)
    counts = np.bincount(synapses.targets)
    assert counts.sum() == 100_000 == counts[63:].sum()
    assert fits(counts[63:], np.full(3, 1e5 / 3)) > LEAST_P


@pytest.mark.parametrize(
    ("rule", "post", "told"),
    [
        (ss.FixedOutDegree(8, multapses=False), everyone(7), "k is 8; without multapses.* 7 targe"),
        (ss.FixedOutDegree(9, False, False), None, "k is 9; without multapses there are 8 targets"),
        (ss.FixedOutDegree(1, False), slice(3, 4), "without autapses there is no target"),
    ],
)
def test_more_targets_than_there_are(rule, post, told):
    with pytest.raises(ValueError, match=told):
        describe(rule, everyone(9), post)


@pytest.mark.parametrize("k", [-1, 1.5, True, "3"])
def test_out_degrees_are_whole(k):
    with pytest.raises(ValueError, match=rf"FixedOutDegree: k is {k!r}; it must be a whole number"):
        ss.FixedOutDegree(k)


@pytest.mark.parametrize("size", [3, 1000, 77_777])
def test_targets_are_uniform_whatever_their_number(size):
    synapses = wire(ss.FixedTotal(300_000), everyone(100), everyone(size))
    assert stats.kstest((synapses.targets + 0.5) / size, "uniform").pvalue > LEAST_P or size == 3
    cells = synapses.targets * min(size, 500) // size
    width = np.diff(np.ceil(np.arange(min(size, 500) + 1) * size / min(size, 500)))
    assert fits(np.bincount(cells, minlength=width.size), 300_000 * width / size) > LEAST_P


# The key scheme, written again


def mix(z):
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9 & MASK64
    z = (z ^ z >> 27) * 0x94D049BB133111EB & MASK64
    return z ^ z >> 31


GOLDEN = 0x9E3779B97F4A7C15


def word(key, k):
    return mix(key + (k + 1) * GOLDEN & MASK64)


def row_key(projection, source):
    return mix(projection + mix((source + 1) * GOLDEN & MASK64) & MASK64)


@pytest.mark.parametrize("layout", ["itself", "strided", "overlapping parts", "a part onto all"])
@pytest.mark.parametrize("autapses", [True, False])
def test_total_with_multapses_is_its_slow_twin(layout, autapses):
    """Draw k of a source is the upper half of word k of its row, scaled to the targets."""
    pre, post = LAYOUTS[layout]
    rule = ss.FixedTotal(3000, autapses)
    synapses = wire(rule, pre, post, seed=11, name="it", threads=2)
    key = derive_key(11, "projection", "it")
    expected = []
    sources, targets = numbers(pre, post)
    for place, (s, allowed) in enumerate(zip(sources, allowed_pairs(rule, pre, post), strict=True)):
        free = targets[allowed]
        for k in range(np.count_nonzero(synapses.sources == s)):
            z = word(row_key(key, place), k)
            expected.append((s, free[(z >> 32) * free.size >> 32]))
    assert sorted(expected) == sorted(pairs_of(synapses))


# What changes nothing


KINDS = {
    "probability": (ss.FixedProbability(0.2, autapses=False), None),
    "dense": (ss.FixedProbability(0.8, autapses=False), None),
    "in-degree": (ss.FixedInDegree(20), None),
    "in-degree without multapses": (ss.FixedInDegree(90, autapses=False, multapses=False), None),
    "out-degree": (ss.FixedOutDegree(20), None),
    "out-degree without multapses": (ss.FixedOutDegree(90, False, False), None),
    "total": (ss.FixedTotal(3000), everyone(300)),
    "total without multapses": (ss.FixedTotal(3000, multapses=False), everyone(300)),
    "all": (ss.AllToAll(autapses=False), None),
    "one to one": (ss.OneToOne(), everyone(150)),
}
DRAWN = dict(
    weight=ss.Normal(20.0, 5.0, low=0.0), delay=ss.Normal(1.5, 0.75, low=0.5), name="projection"
)


@pytest.mark.parametrize("kind", KINDS)
def test_threads_and_precision_change_no_synapse(kind):
    rule, post = KINDS[kind]
    one = wire(rule, everyone(150), post, **DRAWN)
    assert len(one) > 100
    for threads in (2, 3, 4):
        same(wire(rule, everyone(150), post, threads=threads, **DRAWN), one)
    double = wire(rule, everyone(150), post, precision="double", **DRAWN)
    same(double, one, weights=2e-6)
    same(wire(rule, everyone(150), post, precision="double", threads=3, **DRAWN), double)


@pytest.mark.parametrize("kind", KINDS)
def test_dt_changes_delays_alone(kind):
    rule, post = KINDS[kind]

    def by_pair(dt):
        synapses = wire(rule, everyone(150), post, dt=dt, **DRAWN)
        np.testing.assert_allclose(synapses.delays / dt, np.rint(synapses.delays / dt), atol=1e-9)
        columns = synapses.sources, synapses.targets, synapses.weights, synapses.delays
        order = np.lexsort(columns[2::-1])
        return [column[order] for column in columns]

    fine, coarse = by_pair(0.01), by_pair(0.25)
    for a, b in zip(fine[:3], coarse[:3], strict=True):
        np.testing.assert_array_equal(a, b)
    assert np.abs(fine[3] - coarse[3]).max() <= 0.125 + 0.005 + 1e-9


def test_the_number_of_threads_does_not_change_weights_that_crowd_a_table():
    """Five distributions from one source, and inputs that fill a partition's addresses."""
    net = network({"a": 30_000})
    for k in range(5):
        net.connect(
            "a",
            "a",
            ss.FixedTotal(400),
            weight=ss.Uniform(1.0, 2.0 + k),
            delay=ss.Uniform(0.1, 2.0),
            receptor="exc",
        )
    one = ss.build(net, threads=1).synapses("a", "a")
    for threads in (2, 4):
        same(ss.build(net, threads=threads).synapses("a", "a"), one)


@pytest.mark.parametrize(("values", "delays"), [(8, 1), (9, 1), (4, 2), (5, 2), (1, 8), (2, 8)])
def test_synapses_take_two_bytes_as_long_as_all_fit(values, delays):
    """8,192 addresses take 13 bits; what is left tells weights and delays apart."""
    random = np.random.default_rng(values)
    sources, targets = random.integers(0, 8192, (2, 40_000))
    weights = np.where(np.arange(40_000) < values, np.arange(40_000), 0) + 1.0
    steps = np.where(np.arange(40_000) < delays, np.arange(40_000), 0) + 1
    net = ss.Network()
    cells = net.population("a", 8192, ss.LIF(receptors={"jump": ss.Delta()}))
    net.connect(cells, cells, ss.Pairs(sources, targets), weight=weights, delay=0.1 * steps)
    build = ss.build(net, threads=1)
    fits = values * delays <= 8
    assert build.wiring.words.dtype == (np.uint16 if fits else np.uint32)
    assert build.wiring.axons["uniform"] == (values == 1)
    found = build.synapses("a", "a")
    order = np.lexsort((targets, steps, sources))
    np.testing.assert_array_equal(found.sources, sources[order])
    np.testing.assert_array_equal(found.targets, targets[order])
    np.testing.assert_allclose(found.delays, 0.1 * steps[order], rtol=1e-12)
    by_edge = np.lexsort((weights, targets, steps, sources))
    again = np.lexsort((found.weights, found.targets, found.delays, found.sources))
    np.testing.assert_allclose(found.weights[again], weights[by_edge], rtol=1e-6)


def test_other_populations_and_projections_change_nothing():
    def described(more):
        net = ss.Network(seed=4)
        if more:
            net.population("before", 500, ONE_RECEPTOR)
        net.population("a", 150, LIF)
        if more:
            net.population("between", 77, LIF)
        net.population("b", 300, LIF)
        if more:
            for target in ("before", "between", "a"):
                receptor = "psc" if target == "before" else "exc"
                net.connect(
                    "a", target, ss.FixedTotal(500), weight=3.0, delay=ss.Uniform(0.1, 9.0),
                    receptor=receptor,
                )  # fmt: skip
            net.connect("b", "a", ss.FixedTotal(500), weight=3.0, delay=1.0, receptor="exc")
            weight = ss.Normal(-9.0, 2.0, high=0.0)
            net.connect("a", "b", ss.AllToAll(), weight=weight, delay=1.0, receptor="inh", name="x")
        for name, (rule, _) in KINDS.items():
            if name != "one to one":
                net.connect("a", "b", rule, receptor="exc", **{**DRAWN, "name": name})
        if more:
            net.connect("between", "b", ss.AllToAll(), weight=-1.0, delay=0.5, receptor="inh")
            net.population("after", 65, LIF)
        return ss.build(net)

    few, many = described(False), described(True)
    assert len(few.synapses("a", "b", "exc")) > 30_000
    same(few.synapses("a", "b", "exc"), many.synapses("a", "b", "exc"))
    assert len(many.synapses("a", "b")) - len(many.synapses("a", "b", "inh")) == len(
        few.synapses("a", "b")
    )


def test_the_order_of_description_changes_nothing():
    def described(order):
        net = ss.Network(seed=4)
        for name in order:
            net.population(name, 60 + ord(name), LIF)
        for s, t in product(order, repeat=2):
            net.connect(s, t, ss.FixedProbability(0.1), receptor="exc", **{**DRAWN, "name": s + t})
        return ss.build(net)

    abc, cab = described("abc"), described("cab")
    for s, t in product("abc", repeat=2):
        same(abc.synapses(s, t), cab.synapses(s, t))


def test_network_synapses_are_those_of_a_build():
    net = describe(*(KINDS["total"][0], everyone(150), everyone(300)), **DRAWN)
    found = ss.synapses(net, "a", net.populations["b"], dt=0.5)
    same(found, ss.build(net, dt=0.5).synapses("a", "b"))


# Weights


QUANTITIES = {
    "normal": (ss.Normal(10.0, 1.0), stats.norm(10, 1)),
    "redrawn": (ss.Normal(1.0, 1.0, low=0.0), stats.truncnorm(-1, np.inf, 1, 1)),
    "between": (ss.Normal(3.0, 2.0, low=1.0, high=4.0), stats.truncnorm(-1, 0.5, 3, 2)),
    "lognormal": (ss.LogNormal(1.0, 0.5), stats.lognorm(0.5, scale=math.e)),
    "uniform": (ss.Uniform(1.0, 4.0), stats.uniform(1, 3)),
}


@pytest.mark.parametrize("rule", [ss.FixedTotal(400_000), ss.AllToAll(), ss.FixedInDegree(1000)])
@pytest.mark.parametrize("quantity", QUANTITIES)
def test_weights_follow_their_distribution(rule, quantity):
    distribution, reference = QUANTITIES[quantity]
    n = 400_000
    synapses = wire(rule, everyone(1000), everyone(400), weight=distribution)
    w = synapses.weights
    assert w.size == n
    assert stats.kstest(w, reference.cdf).pvalue > LEAST_P
    assert abs(w.mean() - reference.mean()) < 4.5 * reference.std() / math.sqrt(n)
    kurtosis = float(reference.stats("k")) + 3
    assert abs(w.var() / reference.var() - 1) < 4.5 * math.sqrt((kurtosis - 1) / n)
    assert np.unique(w).size <= 2048
    low, high = reference.support()
    assert low <= w.min() and w.max() <= high


def test_each_of_the_levels_is_as_likely():
    w = wire(ss.AllToAll(), everyone(1000), weight=ss.Normal(10.0, 1.0)).weights
    values, counts = np.unique(w, return_counts=True)
    assert values.size == 1024
    assert fits(counts, np.full(1024, w.size / 1024)) > LEAST_P


def test_exact_weights_are_finer():
    def drawn(weights):
        rule = ss.AllToAll()
        return wire(rule, everyone(1000), weight=ss.Normal(10.0, 1.0), weights=weights, seed=2)

    compact, exact = drawn("compact"), drawn("exact")
    np.testing.assert_array_equal(compact.targets, exact.targets)
    assert np.unique(compact.weights).size == 1024
    assert 65_000 < np.unique(exact.weights).size <= 65_536
    assert stats.kstest(exact.weights, stats.norm(10, 1).cdf).pvalue > LEAST_P
    typical = np.abs(compact.weights - 10) < 2.5
    assert np.abs(compact.weights - exact.weights)[typical].max() < 0.04


@pytest.mark.parametrize("rule", [ss.FixedTotal(1_000_000), ss.FixedInDegree(1000)], ids=repr)
@pytest.mark.parametrize("weights", ["compact", "exact"])
def test_a_heavy_tail_is_drawn_octave_by_octave(rule, weights):
    """Every value of the tail as often as it should be, and independently of targets and delays."""
    drawn = dict(weight=ss.LogNormal(0.0, 4.0), delay=ss.Uniform(0.1, 1000.0), precision="double")
    s = wire(rule, everyone(1000), everyone(1000), weights=weights, **drawn)
    count = 1024 if weights == "compact" else 65536
    octaves = tail(ss.LogNormal(0.0, 4.0), count).values
    edges = np.concatenate([octaves[:-1, 0], octaves[-1, :1]]) * (1 - 1e-6)
    found = np.bincount(np.searchsorted(edges, s.weights, side="right"), minlength=len(edges) + 1)
    share = np.append(2.0 ** -np.arange(1, len(octaves)), 2.0 ** (1 - len(octaves)))
    expected = len(s) * np.concatenate([[1 - 2 / count], 2 / count * share])
    assert fits(found, expected) > LEAST_P
    far = s.weights > edges[0]
    if weights == "compact":
        assert_unrelated(s.weights[far], s.delays[far], bins=4)
    assert abs(np.corrcoef(np.log(s.weights[far]), s.delays[far])[0, 1]) < 4.5 / far.sum() ** 0.5
    same(wire(rule, everyone(1000), everyone(1000), weights=weights, threads=3, **drawn), s)


def test_clipping_gathers_weights_at_the_bounds():
    weight = ss.Normal(2.0, 1.0, low=1.0, high=3.5, outside="clip")
    w = wire(ss.FixedTotal(200_000), everyone(300), weight=weight, precision="double").weights
    for bound, p in ((1.0, stats.norm.cdf(-1)), (3.5, stats.norm.sf(1.5))):
        near = np.count_nonzero(np.abs(w - bound) < 1e-3)
        assert abs(near - p * w.size) < 4.5 * math.sqrt(p * w.size) + w.size / 2048
    assert w.min() >= 1.0 and w.max() <= 3.5


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("distinct", [3, 100_000])
def test_weights_that_are_given_stay(precision, distinct):
    """To 1e-15 of their value (double), or 2^-30 of the most that can arrive at once (single)."""
    rng = np.random.default_rng(5)
    given = rng.choice(rng.uniform(0.5, 2, distinct), size=(400, 300))
    synapses = wire(ss.AllToAll(), everyone(400), everyone(300), weight=given, precision=precision)
    given = given[synapses.sources, synapses.targets]
    assert len(synapses) == 120_000
    if precision == "double":
        np.testing.assert_allclose(synapses.weights, given, rtol=1e-15)
    else:
        most = 400 * given.max()
        assert np.abs(synapses.weights - given).max() <= most * 2.0**-30


@pytest.mark.parametrize("weight", [0.1, 87.8, math.pi, -3.3, 1e-12, 1e12, 0.0])
def test_a_weight_that_is_a_number_stays(weight):
    net = network({"a": 50, "b": 60}, model=ONE_RECEPTOR)
    net.connect("a", "b", ss.FixedInDegree(40), weight=weight, delay=1.0)
    for precision, accuracy in (("double", 1e-15), ("single", 40 * 2.0**-30)):
        w = ss.build(net, precision=precision).synapses("a", "b").weights
        np.testing.assert_allclose(w, weight, rtol=accuracy, atol=0)


def test_exact_weights_of_given_arrays_with_drawn_ones_beside():
    """More distinct values than a synapse has bits for, together with a distribution."""
    rng = np.random.default_rng(6)
    net = network({"a": 300, "b": 400})
    given = rng.uniform(1, 2, (300, 400))
    net.connect("a", "b", ss.AllToAll(), weight=-given, delay=1.0, receptor="inh")
    net.connect("a", "b", ss.AllToAll(), weight=ss.Uniform(1.0, 2.0), delay=2.0, receptor="exc")
    net.connect("a", "a", ss.AllToAll(), weight=3.25, delay=200.0, receptor="exc")
    build = ss.build(net, precision="double")
    s = build.synapses("a", "b", "inh")
    np.testing.assert_allclose(s.weights, -given[s.sources, s.targets], rtol=1e-15)
    assert stats.kstest(build.synapses("a", "b", "exc").weights, "uniform", (1, 1)).pvalue > LEAST_P
    assert (build.synapses("a", "a").weights == 3.25).all()
    assert (build.synapses("a", "a").delays == 200.0).all()


def test_dense_networks_cost_four_bytes_a_synapse():
    net = describe(ss.AllToAll(), everyone(1000), **DRAWN)
    for threads in (1, 2):
        build = ss.build(net, threads=threads)
        assert build.synapse_count == 10**6
        assert build.bytes_per_synapse <= 4.5


# Delays


@pytest.mark.parametrize("dt", [0.1, 0.25, 1.0])
def test_delays_are_rounded_to_the_nearest_step(dt):
    given = np.concatenate([np.arange(1, 400) * dt, np.random.default_rng(7).uniform(dt, 200, 600)])
    n = given.size
    synapses = wire(ss.OneToOne(), everyone(n), everyone(n), delay=given, dt=dt)
    steps = np.rint(synapses.delays / dt)
    np.testing.assert_allclose(synapses.delays, steps * dt, rtol=1e-12)
    np.testing.assert_array_equal(steps[:399], np.arange(1, 400))
    assert np.abs(synapses.delays - given).max() <= dt / 2 * (1 + 1e-9)


@pytest.mark.parametrize("delay", [0.15, 0.25, 0.35, 0.45, 0.55, 1.15])
def test_halves_of_a_step_are_rounded_up(delay):
    synapses = wire(ss.OneToOne(), everyone(2), everyone(2), delay=delay)
    np.testing.assert_allclose(synapses.delays, delay + 0.05, rtol=1e-12)


def test_a_delay_of_one_step_is_the_least():
    assert (wire(ss.AllToAll(), everyone(5), delay=0.1).delays == 0.1).all()
    for delay in (0.04, 0.09, ss.Uniform(0.05, 1.0), np.array([1.0, 0.06])):
        net = describe(ss.OneToOne(), everyone(2), delay=delay)
        with pytest.raises(ValueError, match=r"'a->a'.*delays.*0\.0\d.*at least dt = 0\.1 ms"):
            ss.build(net)
    with pytest.raises(ValueError, match=r"'a->a'.*up to 7000 ms.*longest.*6553\.4 ms"):
        ss.build(describe(ss.OneToOne(), everyone(2), delay=7000.0))
    assert wire(ss.OneToOne(), everyone(1), delay=6553.3).delays == pytest.approx([6553.3])


def test_the_longest_delay_arrives():
    net = ss.Network()
    first, second = (net.population(name, 1, ss.LIF()) for name in "ab")
    net.connect(first, second, ss.OneToOne(), weight=1e5, delay=6553.3, receptor="exc")
    net.drive(first, ss.Spikes([[1.0]], 1e5), receptor="exc")
    spikes = ss.simulate(net, 6560.0).spikes
    sent, arrived = (spikes[name].times[0] for name in "ab")
    assert arrived - sent == pytest.approx(6553.3, abs=1.0)


def test_delays_follow_their_distribution():
    delay = ss.Normal(1.5, 0.75, low=0.1)
    synapses = wire(ss.FixedTotal(300_000), everyone(500), delay=delay)
    reference = stats.truncnorm((0.1 - 1.5) / 0.75, np.inf, 1.5, 0.75)
    steps = np.rint(synapses.delays * 10).astype(int)
    edges = (np.arange(1, 71) + 0.5) / 10
    p = np.diff(np.concatenate([[0], reference.cdf(edges), [1]]))
    observed = np.bincount(np.minimum(steps, 71) - 1, minlength=71)
    assert fits(observed, p * steps.size) > LEAST_P


def test_long_and_short_delays_share_a_source():
    net = network({"a": 100, "b": 130})
    net.connect("a", "b", ss.FixedTotal(20_000), weight=1.0, delay=0.1, receptor="exc")
    net.connect(
        "a", "b", ss.FixedTotal(20_000), weight=-1.0, delay=ss.Uniform(0.1, 200.0), receptor="inh"
    )
    for threads in (1, 3):
        build = ss.build(net, threads=threads)
        assert (build.synapses("a", "b", "exc").delays == 0.1).all()
        late = build.synapses("a", "b", "inh")
        assert len(late) == 20_000 and late.delays.max() > 199.9
        assert stats.kstest(late.delays, stats.uniform(0.1, 199.9).cdf).pvalue > LEAST_P


def test_arrays_of_delays_and_weights_stay_with_their_pairs():
    rng = np.random.default_rng(8)
    weight = rng.choice([1.0, 2.0, 5.0], (70, 90))
    delay = rng.integers(1, 2001, (70, 90)) * 0.1
    rule = ss.AllToAll(autapses=False)
    for threads in (1, 2):
        net = network({"a": 90})
        a = net.populations["a"]
        net.connect(a[20:], a, rule, weight=weight, delay=delay, receptor="exc")
        s = ss.build(net, threads=threads, precision="double").synapses("a", "a")
        assert len(s) == 70 * 89 and not (s.sources == s.targets).any()
        np.testing.assert_allclose(s.weights, weight[s.sources - 20, s.targets], rtol=1e-15)
        np.testing.assert_allclose(s.delays, delay[s.sources - 20, s.targets], rtol=1e-12)


# Several projections, several receptors


def test_projections_between_the_same_neurons_add_up():
    net = network({"a": 80, "b": 70})
    for weight, delay in ((1.0, 1.0), (2.0, 0.5), (4.0, 3.0)):
        net.connect("a", "b", ss.FixedTotal(5000), weight=weight, delay=delay, receptor="exc")
    assert list(net.projections) == ["a->b", "a->b#2", "a->b#3"]
    build = ss.build(net, precision="double")
    s = build.synapses("a", "b")
    parts = [s.targets[s.weights == w] + 100 * s.sources[s.weights == w] for w in (1.0, 2.0, 4.0)]
    for weight, delay, part in zip((1.0, 2.0, 4.0), (1.0, 0.5, 3.0), parts, strict=True):
        assert part.size == 5000
        assert np.unique(s.delays[s.weights == weight]).tolist() == [pytest.approx(delay)]
    assert not np.array_equal(np.sort(parts[0]), np.sort(parts[1]))


def test_receptors_are_told_apart():
    receptors = {name: ss.Exponential() for name in ("r0", "r1", "r2", "r3", "r4")}
    net = network({"a": 200, "b": 130}, model=ss.LIF(receptors=receptors))
    given = {}
    for k, name in enumerate(receptors):
        net.connect("a", "b", ss.FixedTotal(1000 + k), weight=k + 1.0, delay=1.0, receptor=name)
        given[name] = k
    for threads in (1, 3):
        build = ss.build(net, threads=threads, precision="double")
        for name, k in given.items():
            s = build.synapses("a", "b", name)
            assert len(s) == 1000 + k
            assert (s.weights == k + 1).all() and (s.receptors == k).all()
        assert len(build.synapses("a", "b")) == 5010
        assert len(build.synapses("b", "a")) == len(build.synapses("a", "a")) == 0


def test_an_unknown_receptor_is_an_error():
    build = ss.build(describe(ss.AllToAll(), everyone(3)))
    with pytest.raises(ValueError, match=r"receptor.*'nmda'.*'exc', 'inh'"):
        build.synapses("a", "a", "nmda")
    with pytest.raises(ValueError, match=r"target is 'c'.*'a'"):
        build.synapses("a", "c")


# Independence


def assert_unrelated(a, b, bins=16):
    """Neither rank correlation nor any dependence between sixteenths."""
    ranks = [np.argsort(np.argsort(x.ravel(), kind="stable"), kind="stable") for x in (a, b)]
    n = ranks[0].size
    assert abs(np.corrcoef(*ranks)[0, 1]) * math.sqrt(n) < 4.5
    cells = (ranks[0] * bins // n) * bins + ranks[1] * bins // n
    assert fits(np.bincount(cells, minlength=bins**2), np.full(bins**2, n / bins**2)) > LEAST_P


def shuffled_ties(x, seed):
    """Ranks without ties: equal values in random order."""
    return x + np.random.default_rng(seed).uniform(0, 1e-7, x.shape)


@pytest.mark.parametrize("rule", [ss.FixedTotal(250_000), ss.FixedInDegree(500)], ids=repr)
def test_target_weight_and_delay_of_a_synapse_are_independent(rule):
    s = wire(rule, everyone(500), weight=ss.Normal(9.0, 1.0), delay=ss.Uniform(0.1, 20.0))
    columns = [s.targets, s.weights, s.delays, s.sources]
    columns = [shuffled_ties(column.astype(float), k) for k, column in enumerate(columns)]
    for a, b in combinations(columns, 2):
        assert_unrelated(a, b)


def matrix(seed=1, name="x", what="weights"):
    quantities = dict(weight=ss.Uniform(1.0, 2.0), delay=ss.Uniform(0.1, 1000.0))
    s = wire(
        ss.AllToAll(), everyone(300), everyone(320), seed=seed, name=name, weights="exact",
        **quantities,
    )  # fmt: skip
    result = np.empty((300, 320))
    result[s.sources, s.targets] = getattr(s, what)
    return result


@pytest.mark.parametrize("what", ["weights", "delays"])
def test_rows_columns_projections_and_seeds_are_independent(what):
    first = matrix(what=what)
    others = {
        "rows": (first[1:], first[:-1]),
        "columns": (first[:, 1:], first[:, :-1]),
        "diagonals": (first[1:, 1:], first[:-1, :-1]),
        "other diagonals": (first[1:, :-1], first[:-1, 1:]),
        "columns of a block": (first[:, 64:], first[:, :-64]),
        "projections": (first, matrix(name="y", what=what)),
        "seeds": (first, matrix(seed=2, what=what)),
        "row and column": (first[:, :300], first[:, :300].T.copy()),
    }
    for name, (a, b) in others.items():
        if name == "row and column":
            upper = np.triu_indices(300, 1)
            a, b = a[upper], b[upper]
        assert_unrelated(a, b)


@pytest.mark.parametrize("kind", KINDS)
def test_seeds_and_names_draw_other_synapses(kind):
    rule, post = KINDS[kind]
    post = post or everyone(150)
    quantities = dict(weight=ss.Uniform(1.0, 2.0), delay=1.0)

    def drawn(seed, name):
        s = wire(rule, everyone(150), post, seed=seed, name=name, **quantities)
        return s, counted(s, everyone(150), post)

    _, first = drawn(1, "x")
    for seed, name in ((2, "x"), (1, "y")):
        s, other = drawn(seed, name)
        if kind not in ("all", "one to one"):
            z = np.corrcoef(first.ravel(), other.ravel())[0, 1] * math.sqrt(first.size)
            assert abs(z) < 4.5
        assert not np.array_equal(s.weights, drawn(1, "x")[0].weights)


# Arrays by the million


@pytest.mark.parametrize("distinct", [1, 60, 65_536, 65_537, 200_000])
def test_pairs_in_any_order_keep_their_weights_and_delays(distinct):
    """On both sides of the number of different weights up to which they are hashed."""
    rng = np.random.default_rng(9)
    n, size = 200_000, 700
    pre, post = rng.integers(size, size=(2, n))
    values = np.sort(rng.uniform(-3, 3, distinct))
    which = rng.permutation(np.concatenate([np.arange(distinct), rng.integers(distinct, size=n)]))
    weight = values[which[np.argsort(which >= distinct, kind="stable")][:n]]
    delay = rng.integers(1, 500, n) * 0.1
    net = network({"a": size}, model=ONE_RECEPTOR)
    net.connect("a", "a", ss.Pairs(pre, post), weight=weight, delay=delay)
    for threads in (1, 2):
        s = ss.build(net, threads=threads, precision="double").synapses("a", "a")
        got = np.lexsort((s.weights, s.delays, s.targets, s.sources))
        order = np.lexsort((weight, delay, post, pre))
        np.testing.assert_array_equal(s.sources[got], pre[order])
        np.testing.assert_array_equal(s.targets[got], post[order])
        np.testing.assert_allclose(s.delays[got], delay[order], rtol=1e-12)
        np.testing.assert_allclose(s.weights[got], weight[order], rtol=1e-14, atol=1e-14)


def test_few_weights_of_pairs_cost_four_bytes_a_synapse():
    rng = np.random.default_rng(10)
    net = network({"a": 1000}, model=ONE_RECEPTOR)
    weight = rng.integers(-99, 100, 300_000)
    net.connect("a", "a", ss.Pairs(*rng.integers(1000, size=(2, 300_000))), weight=weight, delay=1)
    assert ss.build(net).bytes_per_synapse < 4.1


# Distance


PROFILES = [ss.Gaussian(0.3, 0.8), ss.ExponentialProfile(0.2), ss.Box(0.35, 0.6)]


def in_space(dimensions, seed=3, size=130, other=200):
    rng = np.random.default_rng(seed)
    net = ss.Network(seed=seed)
    for name, count in (("a", size), ("b", other)):
        net.population(name, count, ONE_RECEPTOR, positions=rng.uniform(-1, 1, (count, dimensions)))
    return net


def distances(net, source, target, period=None):
    """All of them [source place, target place], straight from the definition."""
    a, b = (net.positions(net.view(part)) for part in (source, target))
    along = np.abs(a[:, None] - b[None])
    if period is not None:
        along = along % period
        along = np.minimum(along, period - along)
    return np.sqrt((along**2).sum(-1))


@pytest.mark.parametrize("profile", PROFILES, ids=repr)
@pytest.mark.parametrize(("dimensions", "period"), [(1, None), (2, 1.7), (3, (1.5, 2.5, 9.0))])
def test_distance_dependent_synapses_are_their_slow_twin(profile, dimensions, period):
    """A pair is connected if the upper half of its row's word is below the probability."""
    net = in_space(dimensions)
    a = net.populations["a"]
    source, target = a[2:125:3], a[1::2]
    rule = ss.DistanceDependent(profile, period, autapses=False)
    net.connect(source, target, rule, weight=1.0, delay=1.0, name="it")
    p = profile.probability(distances(net, source, target, period))
    key = derive_key(3, "projection", "it")
    expected = [
        (s, t)
        for i, s in enumerate(source.neurons)
        for k, t in enumerate(target.neurons)
        if s != t and (word(row_key(key, i), k) >> 32) / 2**32 < p[i, k]
    ]
    assert len(expected) > 30
    for threads in (1, 3):
        assert sorted(pairs_of(ss.build(net, threads=threads).synapses("a", "a"))) == expected


@pytest.mark.parametrize("profile", PROFILES, ids=repr)
def test_probability_follows_the_profile(profile):
    net = in_space(2, size=900, other=1100)
    net.connect("a", "b", ss.DistanceDependent(profile, 2.0), weight=1.0, delay=1.0)
    counts = counted(ss.build(net).synapses("a", "b"), everyone(900), everyone(1100))
    distance = distances(net, "a", "b", 2.0)
    p = profile.probability(distance)
    assert counts.max() == 1 and not counts[p == 0].any()
    cells = (distance * 40).astype(int)  # of 0.025
    observed, expected, spread = (
        np.bincount(cells.ravel(), x.ravel()) for x in (counts, p, p - p * p)
    )
    z = (observed - expected)[spread > 5] / np.sqrt(spread[spread > 5])
    assert z.size > 12 and stats.chi2.sf((z**2).sum(), z.size) > LEAST_P
    for a, b, q in (  # neighbours are independent
        (counts[:, 1:], counts[:, :-1], p[:, 1:] * p[:, :-1]),
        (counts[1:], counts[:-1], p[1:] * p[:-1]),
    ):
        assert abs((a & b).sum() - q.sum()) < 5 * np.sqrt((q - q * q).sum())


def test_profiles_at_their_marks():
    assert ss.Gaussian(2.0, 0.5).probability(2.0) == pytest.approx(0.5 * math.exp(-0.5))
    assert ss.ExponentialProfile(2.0, 0.5).probability(2.0) == pytest.approx(0.5 * math.exp(-1))
    np.testing.assert_array_equal(ss.Box(2.0, 0.5).probability([0, 2.0, 2.1]), [0.5, 0.5, 0])


def test_everything_within_a_box_of_probability_one():
    net = ss.Network()
    net.population("a", 100, ONE_RECEPTOR, positions=np.arange(100))
    rule = ss.DistanceDependent(ss.Box(2.5), period=100, autapses=False)
    net.connect("a", "a", rule, weight=1.0, delay=1.0)
    counts = counted(ss.synapses(net, "a", "a"), everyone(100))
    ring = sum(np.roll(np.eye(100, dtype=int), k, 1) for k in (-2, -1, 1, 2))
    np.testing.assert_array_equal(counts, ring)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_distance_sets_the_delay(precision):
    net = in_space(3)
    rule = ss.DistanceDependent(ss.Gaussian(0.5), period=1.9)
    net.connect("a", "b", rule, weight=ss.Uniform(1.0, 2.0), delay=ss.DistanceDelay(0.5, 0.05))
    s = ss.build(net, precision=precision, threads=2).synapses("a", "b")
    expected = 0.5 + distances(net, "a", "b", 1.9)[s.sources, s.targets] / 0.05
    assert len(s) > 1000
    assert np.abs(s.delays - expected).max() <= 0.05 + 1e-6
    assert stats.kstest(s.weights, stats.uniform(1, 1).cdf).pvalue > LEAST_P


def test_names_and_seeds_draw_other_synapses_by_distance():
    def drawn(seed, name, before=()):
        net = in_space(2)
        net.seed = seed
        for rule in before:
            net.connect("b", "a", rule, weight=1.0, delay=3.0)
        rule = ss.DistanceDependent(ss.Gaussian(0.5))
        net.connect("a", "b", rule, weight=1.0, delay=ss.Uniform(1.0, 5.0), name=name)
        return ss.build(net).synapses("a", "b")

    first = drawn(1, "x")
    same(drawn(1, "x", before=[ss.FixedOutDegree(3), ss.AllToAll()]), first)
    for seed, name in ((2, "x"), (1, "y")):
        other = drawn(seed, name)
        assert not np.array_equal(other.targets, first.targets)


def test_memory_of_synapses_by_distance_is_foreseen():
    net = in_space(2, size=3000, other=2000)
    rule = ss.DistanceDependent(ss.Gaussian(0.2), period=2.0)
    net.connect("a", "b", rule, weight=1.0, delay=1.0)
    build = ss.build(net)
    assert expected(net, net.projections["a->b"]) == pytest.approx(build.synapse_count, rel=0.05)
    with pytest.raises(MemoryError):
        ss.build(net, memory=0.1505)


@pytest.mark.parametrize("threads", [1, 2])
def test_memory_of_row_pointers_is_foreseen(threads):
    """Of each source and partition one for every window of delays."""

    def built(delay):
        net = network({"a": 40_000})
        net.connect("a", "a", ss.FixedOutDegree(2), weight=1.0, delay=delay, receptor="exc")
        told = ss.check_memory(net, "single", None, dt=0.1, threads=threads)
        return ss.build(net, threads=threads).wiring.rows.nbytes, told

    (short, told_short), (long, told_long) = built(1.0), built(ss.Uniform(0.1, 50.0))
    assert long > 10 * short
    assert told_long - told_short == pytest.approx(long - short, rel=0.1)


def by_distance(net, source="a", target="b", profile=None, weight=1.0, delay=1.0, **more):
    rule = ss.DistanceDependent(profile or ss.Box(1.0), **more)
    net.connect(source, target, rule, weight=weight, delay=delay, receptor="psc")


SPACE_ERRORS = {
    "no positions": (lambda net: by_distance(net, "a", "nowhere"), r"'nowhere' has no positions"),
    "dimensions": (lambda net: by_distance(net, "a", "line"), r"2 and 1 dimensions"),
    "periods": (
        lambda net: by_distance(net, period=(1, 2, 3)),
        r"period is \(1.0, 2.0, 3.0\).* 2 of",
    ),
    "period": (lambda net: by_distance(net, period=0), r"period is 0; it must be .* above 0"),
    "period NaN": (lambda net: by_distance(net, period=np.nan), r"period is nan; it must be a num"),
    "period text": (lambda net: by_distance(net, period="x"), r"period is 'x'; it must be"),
    "sigma": (lambda net: ss.Gaussian(0.0), r"Gaussian: sigma is 0.0; .* above 0"),
    "length": (lambda net: ss.ExponentialProfile(np.inf), r"length is inf; .* above 0"),
    "radius": (lambda net: ss.Box("1"), r"Box: radius is '1'; .*finite number above 0"),
    "p0": (lambda net: ss.Box(1.0, 1.1), r"Box: p0 is 1.1; .* at least 0 and at most 1"),
    "offset": (lambda net: ss.DistanceDelay(0, 1), r"offset is 0; .* above 0"),
    "velocity": (lambda net: ss.DistanceDelay(1, np.nan), r"velocity is nan; .* above 0"),
    "weights": (lambda net: by_distance(net, weight=np.ones(3)), r"synapses of DistanceDependent"),
    "a weight": (
        lambda net: by_distance(net, weight=ss.DistanceDelay(1, 1)),
        r"weight is Distance",
    ),
    "delay elsewhere": (
        lambda net: net.connect(
            "a", "b", ss.AllToAll(), weight=1, delay=ss.DistanceDelay(1, 1), receptor="psc"
        ),
        r"delay is DistanceDelay.*DistanceDependent alone",
    ),
    "early": (
        lambda net: ss.build(by_distance(net, delay=ss.DistanceDelay(0.05, 1)) or net),
        r"down to 0.05 ms; they must be at least dt",
    ),
    "late": (
        lambda net: ss.build(by_distance(net, delay=ss.DistanceDelay(1, 1e-4)) or net),
        r"delays run up to .* ms; the longest",
    ),
    "shape": (
        lambda net: net.population("c", 3, LIF, positions=np.zeros((3, 4))),
        r"'c': positions have shape \(3, 4\); it must be \(3,\), or \(3, d\)",
    ),
    "length of positions": (
        lambda net: net.population("c", 3, LIF, positions=[1, 2]),
        r"positions have shape \(2,\)",
    ),
    "infinite": (
        lambda net: net.population("c", 2, LIF, positions=[1, np.inf]),
        r"'c': positions are not all finite",
    ),
}


@pytest.mark.parametrize("case", SPACE_ERRORS)
def test_errors_in_space(case):
    act, told = SPACE_ERRORS[case]
    net = in_space(2)
    net.population("nowhere", 5, ONE_RECEPTOR)
    net.population("line", 5, ONE_RECEPTOR, positions=np.arange(5))
    with pytest.raises(ValueError, match=told):
        act(net)


def test_a_profile_is_one_of_three():
    with pytest.raises(TypeError, match=r"profile is 0.3; it must be Gaussian"):
        ss.DistanceDependent(0.3)


@pytest.mark.parametrize(
    "rule",
    [
        ss.FixedOutDegree(20),
        ss.FixedOutDegree(20, multapses=False),
        ss.DistanceDependent(ss.Gaussian(0.3)),
        ss.DistanceDependent(ss.ExponentialProfile(0.1, 0.5), period=2.0),
        ss.DistanceDependent(ss.Box(0.05)),
    ],
    ids=repr,
)
def test_inputs_hold_what_all_sources_send_at_once(rule):
    """With little more room than that: what is too much is lost from the weights' accuracy."""
    net = in_space(1, size=2000, other=500)
    net.connect("a", "b", rule, weight=3.0, delay=1.0)
    build = ss.build(net)
    most = 3.0 * np.bincount(build.synapses("a", "b").targets).max()
    room = most + 3.0 * (14 * math.sqrt(most / 3.0) + 30)
    assert most < build.limits["b", "psc"] <= 2 * room


@pytest.mark.parametrize("weight", [10.0, ss.Normal(10.0, 1.0)], ids=["number", "distribution"])
def test_one_weight_onto_inputs_of_different_units(weight):
    """The input of c can receive a thousand times as much as that of b in a step."""
    net = ss.Network(seed=1)
    a, b, c = (net.population(name, 100, ss.LIF()) for name in "abc")
    for target in (b, c):
        net.connect(a, target, ss.AllToAll(), weight=weight, delay=1.0, receptor="exc")
    net.connect(c, c, ss.AllToAll(), weight=1e4, delay=1.0, receptor="exc")
    build = ss.build(net)
    for target in "bc":
        assert build.synapses("a", target).weights.mean() == pytest.approx(10.0, rel=0.01)
