"""What rules and projections answer for themselves."""

import math

import numpy as np
import pytest

import spikesim as ss
from spikesim.description.inputs import Input
from spikesim.description.rules import Rule

SOURCES, TARGETS = ss.View("a", 0, 1, 6), ss.View("a", 2, 2, 4)  # 2 and 4 are in both


def nowhere(view):
    raise AssertionError("positions are asked for only by the rule that needs them")


def answers(rule):
    asked = SOURCES, TARGETS
    return (
        rule.array_shape(*asked),
        rule.expected(*asked, nowhere),
        rule.in_degree(*asked, nowhere),
        rule.by_source,
    )


PAIRS = ss.Pairs([0, 1, 5, 5, 5], [3, 3, 3, 0, 1])


@pytest.mark.parametrize(
    ("rule", "told"),
    [
        (ss.FixedProbability(0.5), (None, 12.0, (3.0, 6), True)),
        (ss.FixedProbability(0.5, autapses=False), (None, 11.0, (3.0, 6), True)),
        (ss.FixedInDegree(3), (None, 12, (3, 3), False)),
        (ss.FixedOutDegree(3), (None, 18, (4.5, 18), True)),
        (ss.FixedOutDegree(3, multapses=False, autapses=False), (None, 18, (6.0, 6), True)),
        (ss.FixedTotal(10), (None, 10, (2.5, 10), True)),
        (ss.AllToAll(), ((6, 4), 24, (6, 6), True)),
        (ss.AllToAll(autapses=False), ((6, 4), 22, (6, 6), True)),
        (PAIRS, ((5,), 5, (3, 3), False)),
        (ss.Pairs([], []), ((0,), 0, (0, 0), False)),
    ],
    ids=str,
)
def test_a_rule_answers_for_itself(rule, told):
    rule.check("here", SOURCES, TARGETS, nowhere)
    assert answers(rule) == told


def test_one_to_one_has_as_many_synapses_as_neurons():
    assert ss.OneToOne().array_shape(SOURCES, SOURCES) == (6,)
    assert ss.OneToOne().expected(SOURCES, SOURCES, nowhere) == 6
    assert ss.OneToOne().in_degree(SOURCES, SOURCES, nowhere) == (1, 1)
    assert not ss.OneToOne().by_source
    with pytest.raises(ValueError, match="^here: OneToOne needs sizes that are equal, not 6 and 4"):
        ss.OneToOne().check("here", SOURCES, TARGETS, nowhere)


@pytest.mark.parametrize(
    "rule",
    [
        ss.FixedInDegree(7, multapses=False),
        ss.FixedOutDegree(4, multapses=False, autapses=False),
        ss.FixedTotal(25, multapses=False),
        ss.Pairs([6], [0]),
        ss.Pairs([0], [4]),
    ],
    ids=str,
)
def test_a_rule_refuses_neurons_that_do_not_fit(rule):
    with pytest.raises(ValueError, match="^here: "):
        rule.check("here", SOURCES, TARGETS, nowhere)


def line(view):
    """Neurons 1 apart."""
    return view.neurons[:, None].astype(float)


def test_a_rule_by_distance_asks_where_neurons_are():
    rule = ss.DistanceDependent(ss.Box(2.0, p0=0.5), period=10.0)
    rule.check("here", SOURCES, TARGETS, line)
    apart = abs(SOURCES.neurons[:, None] - TARGETS.neurons[None])
    near = np.minimum(apart, 10 - apart) <= 2
    assert rule.expected(SOURCES, TARGETS, line) == pytest.approx(0.5 * near.sum(), rel=0.01)
    assert rule.in_degree(SOURCES, TARGETS, lambda asked: asked.profile.scale) == (2.0, 6)
    assert rule.farthest(SOURCES, TARGETS, line) == 5.0  # half of the period
    assert ss.DistanceDependent(ss.Box(2.0)).farthest(SOURCES, TARGETS, line) == 8.0
    assert not rule.by_source
    with pytest.raises(ValueError, match="^here: 'a' has no positions"):
        rule.check("here", SOURCES, TARGETS, lambda view: None)


@pytest.mark.parametrize("profile", [ss.Gaussian(3.0), ss.ExponentialProfile(3.0), ss.Box(3.0)])
def test_a_profile_has_one_length(profile):
    assert profile.scale == 3.0


@pytest.mark.parametrize("kind", [Rule, Input])
def test_every_kind_is_of_the_package(kind):
    for each in kind.__subclasses__():
        assert getattr(ss, each.__name__) is each


def test_a_projection_knows_its_delays_and_whether_it_is_drawn_by_source():
    net = ss.Network()
    net.population("a", 10, ss.LIF(), positions=np.arange(10.0))
    drawn = dict(weight=ss.Uniform(0.0, 1.0), delay=ss.Uniform(1.0, 3.0), receptor="exc")
    net.connect("a", "a", ss.AllToAll(), **drawn, name="drawn")
    given = {**drawn, "weight": np.ones((10, 10))}
    net.connect("a", "a", ss.AllToAll(), **given, name="given")
    far = {**drawn, "delay": ss.DistanceDelay(offset=1.0, velocity=3.0)}
    net.connect("a", "a", ss.DistanceDependent(ss.Gaussian(1.0)), **far, name="far")
    assert [p.by_source for p in net.projections.values()] == [True, False, False]
    assert net.projections["drawn"].delays(nowhere) == pytest.approx((1.0, 3.0))
    assert net.projections["far"].delays(net.positions) == (1.0, 4.0)
    assert ss.DistanceDelay(1.0, 3.0).extremes() == (1.0, math.inf)
