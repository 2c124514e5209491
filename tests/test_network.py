"""Descriptions: what they hold, what they say of themselves, and every sentence about bad input."""

import re

import numpy as np
import pytest
from hypothesis import given, strategies as st
from scipy import sparse

import spikesim as ss

NAN, INF = float("nan"), float("inf")
W = dict(weight=1.0, delay=1.5, receptor="exc")  # what a good connection needs
MUTE = ss.NeuronModel("dv/dt = -v / (10 * 1) : mV", "v > 1", "v = 0", name="mute")


@pytest.fixture
def net():
    """Some populations, a projection "x" and an input "y"; psc has one receptor, mute none."""
    net = ss.Network(seed=1)
    for name, size in (("a", 10), ("b", 7), ("one", 1)):
        net.population(name, size, ss.LIF())
    net.population("psc", 10, ss.LIF(receptors={"psc": ss.Exponential()}))
    net.population("mute", 5, MUTE)
    net.connect("a", "b", ss.FixedProbability(0.5), **W, name="x")
    net.drive("a", ss.Poisson(100.0, 1.0), receptor="exc", name="y")
    return net


def connect(source="a", target="b", rule=None, **given):
    rule = ss.FixedProbability(0.5) if rule is None else rule
    return lambda net: net.connect(source, target, rule, **{**W, **given})


def drive(given, target="a", **more):
    return lambda net: net.drive(target, given, **more)


def population(name="new", size=3, model=None, **more):
    return lambda net: net.population(name, size, ss.LIF() if model is None else model, **more)


def part(of, *which):
    """``of[start:stop:step]``, or one neuron."""
    return lambda net: net.populations[of][which[0] if len(which) == 1 else slice(*which)]


def foreign_view():
    other = ss.Network()
    return other.population("b", 500, ss.LIF())[100:200]


BAD = {
    # populations
    "name taken": (population("a"), ValueError, r"'a' is taken.*another"),
    "name of a projection": (population("x"), ValueError, r"'x' is taken.*another"),
    "name of an input": (population("y"), ValueError, r"'y' is taken.*another"),
    "name empty": (population(""), ValueError, r"name is ''.*letters, digits"),
    "name with a slash": (population("a/b"), ValueError, r"name is 'a/b'.*letters, digits"),
    "name with a space": (population("a b"), ValueError, r"name is 'a b'.*letters, digits"),
    "name a number": (population(5), ValueError, r"name is 5.*letters, digits"),
    "size zero": (population(size=0), ValueError, r"'new'.*size is 0.*whole number, 1 or more"),
    "size negative": (population(size=-3), ValueError, r"size is -3.*whole number, 1 or more"),
    "size fractional": (population(size=2.5), ValueError, r"size is 2\.5.*whole number, 1 or"),
    "size a float": (population(size=3.0), ValueError, r"size is 3\.0.*whole number, 1 or more"),
    "size true": (population(size=True), ValueError, r"size is True.*whole number, 1 or more"),
    "size text": (population(size="3"), ValueError, r"size is '3'.*whole number, 1 or more"),
    "size NaN": (population(size=NAN), ValueError, r"size is nan.*whole number, 1 or more"),
    "model unknown": (population(model="LIF"), TypeError, r"'new': model is 'LIF'.*neuron model"),
    "model not made": (population(model=ss.LIF), TypeError, r"'new': model is .*LIF.*model such"),
    "init unknown": (
        population(init={"u": 1.0}),
        ValueError,
        r"'new': unknown variable 'u' in init.*v, i_exc, i_inh",
    ),
    "init NaN": (population(init={"v": NAN}), ValueError, r"'new': init of 'v' is nan.*finite"),
    "init shape": (
        population(init={"v": np.zeros(4)}),
        ValueError,
        r"'new': init of 'v' has shape \(4,\).*number or have shape \(3,\)",
    ),
    "init object": (
        population(init={"v": object()}),
        ValueError,
        r"'new': init of 'v' is <object.*number, array or distribution",
    ),
    "init unknown in text": (
        population(init={"v": "e_l + foo"}),
        ValueError,
        r"'new'.*'v'.*unknown.*'foo'.*known are.*e_l",
    ),
    "init not a text": (population(init={"v": "e_l +"}), ValueError, r"'new'.*'v'.*'e_l \+'"),
    "init no mapping": (population(init=3), TypeError, r"'new': init is 3.*mapping"),
    "parameter NaN": (
        population(model=ss.LIF(tau_m=NAN)),
        ValueError,
        r"'new': parameter 'tau_m' is nan.*finite",
    ),
    "parameter infinite": (
        population(model=ss.LIF(v_th=[1, INF, 2])),
        ValueError,
        r"'new': parameter 'v_th' is .*inf.*finite",
    ),
    "parameter shape": (
        population(model=ss.LIF(c_m=np.ones((3, 1)))),
        ValueError,
        r"'new': parameter 'c_m' has shape \(3, 1\).*shape \(3,\)",
    ),
    "parameter text": (
        population(model=ss.LIF(c_m="large")),
        ValueError,
        r"'new': parameter 'c_m' is 'large'.*number, array or distribution",
    ),
    "parameter unknown": (
        lambda net: ss.LIF().with_values(tau=1.0),
        ValueError,
        r"LIF: unknown parameter 'tau'.*'tau_m'",
    ),
    "seed": (lambda net: ss.Network(seed=1.5), ValueError, r"seed is 1\.5.*whole number"),
    "seed text": (lambda net: ss.Network(seed="1"), ValueError, r"seed is '1'.*whole number"),
    # parts of populations
    "part empty": (part("a", 3, 3), ValueError, r"a\[3:3:None\].*at least one of the 10"),
    "part outside": (part("a", 10, 20), ValueError, r"a\[10:20:None\].*at least one of the 10"),
    "part backwards": (part("a", None, None, -1), ValueError, r"a\[.*-1\].*ascending"),
    "part not moving": (part("a", 0, 5, 0), ValueError, r"a\[0:5:0\].*ascending"),
    "part fractional": (part("a", 0.5, 5), TypeError, r"a\[0\.5:5:None\].*whole numbers"),
    "neuron outside": (part("a", 10), IndexError, r"a\[10\].*10 neurons, numbered from 0"),
    "neuron far below": (part("a", -11), IndexError, r"a\[-11\].*10 neurons"),
    "part a name": (part("a", "b"), TypeError, r"a\['b'\].*slice"),
    "part a list": (part("a", [1, 2]), TypeError, r"a\[\[1, 2\]\].*slice"),
    "view too long": (
        connect(target=ss.View("b", 0, 1, 8)),
        ValueError,
        r"(?=.*\bb\b)(?=.*8)(?=.*\b7\b)",
    ),
    "view of another network": (
        connect(target=foreign_view()),
        ValueError,
        r"(?=.*\bb\b)(?=.*(199|100))(?=.*\b7\b)",
    ),
    # connections: between whom, by what
    "source unknown": (
        connect("c"),
        ValueError,
        r"(target is|unknown population) 'c'.*'a', 'b', 'one'",
    ),
    "target unknown": (
        connect("a", "c"),
        ValueError,
        r"(target is|unknown population) 'c'.*'a', 'b', 'one'",
    ),
    "source None": (connect(None), ValueError, r"unknown population None.*'a', 'b'"),
    "sources a list": (connect(["a"]), ValueError, r"unknown population \['a'\].*'a', 'b'"),
    "rule a number": (connect(rule=0.1), TypeError, r"'a->b': rule is 0\.1.*FixedProbability"),
    "rule not made": (connect(rule=ss.OneToOne), TypeError, r"rule is .*OneToOne.*such as"),
    "rule an array": (connect(rule=np.eye(2)), TypeError, r"'a->b': rule is .*sparse matrix"),
    "name taken by one": (connect(name="x"), ValueError, r"name 'x' is taken.*another"),
    "name taken by an input": (connect(name="y"), ValueError, r"name 'y' is taken.*another"),
    "name taken by a population": (connect(name="a"), ValueError, r"name 'a' is taken.*another"),
    "projection name a number": (connect(name=5), (TypeError, ValueError), r"name is 5"),
    "projection name empty": (connect(name=""), ValueError, r"name is ''"),
    "synapse": (connect(synapse="stdp"), TypeError, r"'a->b': synapse is 'stdp'.*Static"),
    "receptor unknown": (
        connect(receptor="ampa"),
        ValueError,
        r"'a->b': receptor is 'ampa'.*'b' has 'exc', 'inh'",
    ),
    "receptor missing": (
        connect(receptor=None),
        ValueError,
        r"'a->b': receptor is None.*'b' has 'exc', 'inh'",
    ),
    "no receptors": (connect(target="mute"), ValueError, r"receptor is 'exc'.*'mute' has none"),
    # weights and delays
    "weight missing": (connect(weight=None), ValueError, r"'a->b': weight is missing"),
    "weight NaN": (connect(weight=NAN), ValueError, r"'a->b': weight is nan.*finite"),
    "weight infinite": (connect(weight=INF), ValueError, r"'a->b': weight is inf.*finite"),
    "weight text": (connect(weight="big"), ValueError, r"weight is 'big'.*number, array or dist"),
    "weight complex": (connect(weight=1j), ValueError, r"weight is 1j.*number, array or dist"),
    "weights of drawn synapses": (
        connect(weight=np.ones(70)),
        ValueError,
        r"weight is an array.*FixedProbability are drawn.*number or a distribution",
    ),
    "weights of the wrong shape": (
        connect(rule=ss.AllToAll(), weight=np.ones((7, 10))),
        ValueError,
        r"weight has shape \(7, 10\).*number or have shape \(10, 7\)",
    ),
    "weights of pairs": (
        connect(rule=ss.Pairs([0, 1], [0, 1]), weight=np.ones(3)),
        ValueError,
        r"weight has shape \(3,\).*shape \(2,\)",
    ),
    "weights with a NaN": (
        connect(rule=ss.Pairs([0, 1], [0, 1]), weight=[1, NAN]),
        ValueError,
        r"weight is .*nan.*finite",
    ),
    "weight negative": (
        connect(weight=-1.0),
        ValueError,
        r"'a->b': weights run from -1 to -1.*'exc' of 'b' takes positive",
    ),
    "weight positive": (
        connect(weight=2.0, receptor="inh"),
        ValueError,
        r"'a->b': weights run from 2 to 2.*'inh' of 'b' takes negative",
    ),
    "weights of both signs": (
        connect(weight=ss.Uniform(-1, 2)),
        ValueError,
        r"weights run from -1 to 2.*'exc'.*positive",
    ),
    "weights of a normal distribution": (
        connect(weight=ss.Normal(1, 1)),
        ValueError,
        r"weights run from -4\.99.* to 6\.99.*'exc'.*positive",
    ),
    "delay None": (connect(delay=None), ValueError, r"'a->b': delay is None.*finite"),
    "delay zero": (connect(delay=0.0), ValueError, r"'a->b': delays run down to 0 ms.*positive"),
    "delay negative": (connect(delay=-1), ValueError, r"delays run down to -1 ms.*positive"),
    "delay NaN": (connect(delay=NAN), ValueError, r"'a->b': delay is nan.*finite"),
    "delay text": (connect(delay="1 ms"), ValueError, r"delay is '1 ms'.*number, array or distr"),
    "delays down to zero": (
        connect(delay=ss.Normal(1.0, 1.0)),
        ValueError,
        r"delays run down to -4\.99.*positive \(for a distribution, set its low\)",
    ),
    "delays with a zero": (
        connect("a", "psc", ss.OneToOne(), receptor="psc", delay=np.arange(10)),
        ValueError,
        r"'a->psc': delays run down to 0 ms.*positive",
    ),
    "delays of the wrong shape": (
        connect("a", "psc", ss.OneToOne(), receptor="psc", delay=np.ones(9)),
        ValueError,
        r"'a->psc': delay has shape \(9,\).*shape \(10,\)",
    ),
    # rules
    "p above 1": (
        lambda net: ss.FixedProbability(1.1),
        ValueError,
        r"p is 1\.1.*at most 1",
    ),
    "p below 0": (
        lambda net: ss.FixedProbability(-0.1),
        ValueError,
        r"p is -0\.1.*least 0 and",
    ),
    "p NaN": (
        lambda net: ss.FixedProbability(NAN),
        ValueError,
        r"p is nan.*at least 0 and",
    ),
    "p text": (
        lambda net: ss.FixedProbability("0.1"),
        (TypeError, ValueError),
        r"FixedProbability: p is '?0\.1.*at least 0 and at most 1",
    ),
    "p array": (
        lambda net: ss.FixedProbability(np.array([0.1, 0.2])),
        (TypeError, ValueError),
        r"FixedProbability: p is .*0\.1.*at least 0 and at most 1",
    ),
    "k negative": (lambda net: ss.FixedInDegree(-1), ValueError, r"k is -1.*whole number, 0 or"),
    "k fractional": (lambda net: ss.FixedInDegree(1.5), ValueError, r"k is 1\.5.*whole number, 0"),
    "k a float": (lambda net: ss.FixedInDegree(2.0), ValueError, r"k is 2\.0.*whole number, 0"),
    "k true": (lambda net: ss.FixedInDegree(True), ValueError, r"k is True.*whole number, 0 or"),
    "n negative": (lambda net: ss.FixedTotal(-5), ValueError, r"n is -5.*whole number, 0 or more"),
    "n NaN": (lambda net: ss.FixedTotal(NAN), ValueError, r"n is nan.*whole number, 0 or more"),
    "pairs fractional": (
        lambda net: ss.Pairs([0.5], [1]),
        ValueError,
        r"Pairs: sources is .*whole numbers",
    ),
    "pairs in a table": (
        lambda net: ss.Pairs([0], [[1]]),
        ValueError,
        r"Pairs: targets is \[\[1\]\].*one-dimensional",
    ),
    "pairs uneven": (
        lambda net: ss.Pairs([0, 1, 2], [1]),
        ValueError,
        r"3 sources and 1 targets.*as many",
    ),
    "pairs outside": (
        connect(rule=ss.Pairs([0, 10], [0, 1])),
        ValueError,
        r"'a->b': sources run from 0 to 10.*between 0 and 9",
    ),
    "pairs below": (
        connect(rule=ss.Pairs([0, 1], [-1, 1])),
        ValueError,
        r"'a->b': targets run from -1 to 1.*between 0 and 6",
    ),
    "one to one of other sizes": (
        connect(rule=ss.OneToOne()),
        ValueError,
        r"'a->b': OneToOne.*equal, not 10 and 7",
    ),
    "too many sources": (
        connect(rule=ss.FixedInDegree(11, multapses=False)),
        ValueError,
        r"'a->b': k is 11.*there are 10 sources",
    ),
    "too many other sources": (
        connect("a", "a", ss.FixedInDegree(10, autapses=False, multapses=False)),
        ValueError,
        r"'a->a': k is 10.*there are 9 sources",
    ),
    "too many pairs": (
        connect(rule=ss.FixedTotal(71, multapses=False)),
        ValueError,
        r"'a->b': n is 71.*there are 70 pairs",
    ),
    "too many pairs of different neurons": (
        connect("a", "a", ss.FixedTotal(91, autapses=False, multapses=False)),
        ValueError,
        r"'a->a': n is 91.*there are 90 pairs",
    ),
    "one neuron alone": (
        connect("one", "one", ss.FixedTotal(1, autapses=False)),
        ValueError,
        r"'one->one': without autapses there is no source",
    ),
    "matrix of the wrong shape": (
        connect(rule=sparse.csr_array(np.eye(10))),
        ValueError,
        r"'a->b': the matrix has shape \(10, 10\).*\(10, 7\)",
    ),
    "matrix of complex numbers": (
        connect("a", "a", sparse.csr_array(np.eye(10) * 1j), weight=None),
        (TypeError, ValueError),
        r"'a->a'.*complex",
    ),
    "matrix with a NaN": (
        connect("a", "a", sparse.csr_array(np.diag([NAN] * 10)), weight=None),
        ValueError,
        r"'a->a': weight is .*nan.*finite",
    ),
    # inputs
    "rate negative": (lambda net: ss.Poisson(-1, 1), ValueError, r"rate is -1.*at least 0"),
    "rate NaN": (lambda net: ss.Poisson([1, NAN], 1), ValueError, r"rate is \[1, nan\].*finite"),
    "rate text": (
        lambda net: ss.Poisson("8 Hz", 1),
        ValueError,
        r"Poisson: rate is '8 Hz'.*number",
    ),
    "rate a table": (
        lambda net: ss.Poisson(np.ones((2, 2)), 1),
        ValueError,
        r"Poisson: rate is .*one per neuron",
    ),
    "input weight": (lambda net: ss.Poisson(1, INF), ValueError, r"Poisson: weight is inf.*finite"),
    "input weight drawn": (
        lambda net: ss.Poisson(1, ss.Normal(1, 1)),
        (TypeError, ValueError),
        r"Poisson: weight is Normal.*number",
    ),
    "noise negative": (lambda net: ss.WhiteNoise(-2), ValueError, r"sd is -2.*at least 0"),
    "amplitude": (lambda net: ss.Current(NAN), ValueError, r"Current: amplitude is nan.*finite"),
    "times negative": (
        lambda net: ss.Spikes([[1.0, -2.0]]),
        ValueError,
        r"Spikes: trains .*-2.*at least 0 ms",
    ),
    "times NaN": (lambda net: ss.Spikes([[NAN]]), ValueError, r"Spikes: trains .*nan.*finite"),
    "trains a number": (
        lambda net: ss.Spikes(5),
        (TypeError, ValueError),
        r"Spikes: trains is 5.*array",
    ),
    "times text": (
        lambda net: ss.Spikes([["1 ms"]]),
        (TypeError, ValueError),
        r"Spikes: trains .*'1 ms'",
    ),
    "input a number": (drive(800.0), TypeError, r"input is 800\.0.*Poisson, Spikes, Current or"),
    "driven unknown": (
        drive(ss.Current(1), "c"),
        ValueError,
        r"(target is|unknown population) 'c'.*'a', 'b'",
    ),
    "input receptor": (
        drive(ss.Poisson(1, 1), receptor="ampa"),
        ValueError,
        r"'poisson->a': receptor is 'ampa'.*'a' has 'exc', 'inh'",
    ),
    "input receptor missing": (
        drive(ss.WhiteNoise(1)),
        ValueError,
        r"'whitenoise->a': receptor is None.*'a' has 'exc', 'inh'",
    ),
    "receptor of a current": (
        drive(ss.Current(1), receptor="exc"),
        ValueError,
        r"'current->a': a current has no receptor, but 'exc'",
    ),
    "no parameter for a current": (
        drive(ss.Current(1), "mute"),
        ValueError,
        r"'current->mute'.*'mute' names no parameter",
    ),
    "input name taken": (drive(ss.Current(1), name="y"), ValueError, r"name 'y' is taken.*another"),
    "input named like a projection": (
        drive(ss.Current(1), name="x"),
        ValueError,
        r"name 'x' is taken.*another",
    ),
    "rates of the wrong shape": (
        drive(ss.Poisson(np.ones(9), 1), receptor="exc"),
        ValueError,
        r"'poisson->a': rate has shape \(9,\).*number or have shape \(10,\)",
    ),
    "a list of rates of the wrong length": (
        drive(ss.Poisson([1.0] * 9, 1), receptor="exc"),
        ValueError,
        r"'poisson->a': rate has shape \(9,\).*number or have shape \(10,\)",
    ),
    "amplitudes of the wrong shape": (
        drive(ss.Current(np.ones(3))),
        ValueError,
        r"'current->a': amplitude has shape \(3,\).*\(10,\)",
    ),
    "too few trains": (
        drive(ss.Spikes([[1.0]] * 9), receptor="exc"),
        ValueError,
        r"'spikes->a': 9 spike trains for 10 neurons",
    ),
    "input weight of the wrong sign": (
        drive(ss.Poisson(1, -3.5), receptor="exc"),
        ValueError,
        r"'poisson->a': (weight is|weights run from) -3\.5.*'exc' of 'a' takes positive",
    ),
    # recording
    "trace too often": (
        lambda net: ss.Trace(net.populations["a"], "v", every=0),
        ValueError,
        r"Trace: every is 0.*number of ms above 0",
    ),
    "trace NaN": (
        lambda net: ss.Trace(net.populations["a"], "v", every=NAN),
        ValueError,
        r"Trace: every is nan.*number of ms above 0",
    ),
    "bin negative": (
        lambda net: ss.Rate(net.populations["a"], bin=-5),
        ValueError,
        r"Rate: bin is -5.*number of ms above 0",
    ),
    "bin text": (
        lambda net: ss.Rate(net.populations["a"], bin="5 ms"),
        ValueError,
        r"Rate: bin is '5 ms'.*number of ms above 0",
    ),
    "record a name": (
        lambda net: ss.Simulation(net, record=["v"]),
        TypeError,
        r"record holds 'v'.*Trace, Mean, LFP and Rate",
    ),
    "record not a list": (
        lambda net: ss.Simulation(net, record=ss.Rate(net.populations["a"])),
        TypeError,
        r"record is Rate.*sequence",
    ),
    "trace of an unknown variable": (
        lambda net: ss.Simulation(net, record=[ss.Trace(net.populations["a"], "u")]),
        ValueError,
        r"record: 'a' has no variable 'u'.*v, i_exc, i_inh",
    ),
    "trace of a name": (
        lambda net: ss.Simulation(net, record=[ss.Trace("a", "v")]),
        (TypeError, ValueError),
        r"neurons is 'a'.*[Pp]opulation",
    ),
    "rate of a name": (
        lambda net: ss.Simulation(net, record=[ss.Rate("a")]),
        (TypeError, ValueError),
        r"population is 'a'.*[Pp]opulation",
    ),
    "trace of another network": (
        lambda net: ss.Simulation(
            net, record=[ss.Trace(ss.Network().population("z", 1, ss.LIF()), "v")]
        ),
        ValueError,
        r"record: unknown population 'z'.*'a', 'b'",
    ),
    "trace of more neurons": (
        lambda net: ss.Simulation(net, record=[ss.Trace(foreign_view(), "v")]),
        ValueError,
        r"(?=.*\bb\b)(?=.*(199|100))(?=.*\b7\b)",
    ),
    "trace between steps": (
        lambda net: ss.Simulation(net, record=[ss.Trace(net.populations["a"], "v", every=0.25)]),
        ValueError,
        r"every is 0\.25 ms.*multiple of dt = 0\.1",
    ),
    # builds
    "threads zero": (
        lambda net: ss.build(net, threads=0),
        ValueError,
        r"threads is 0.*whole number, 1 or more",
    ),
    "threads fractional": (
        lambda net: ss.build(net, threads=1.5),
        ValueError,
        r"threads is 1\.5.*whole number, 1 or more",
    ),
    "threads true": (
        lambda net: ss.build(net, threads=True),
        ValueError,
        r"threads is True.*whole",
    ),
    "threads of a simulation": (
        lambda net: ss.Simulation(net, threads=-1),
        ValueError,
        r"threads is -1.*whole number, 1 or more",
    ),
    "dt zero": (
        lambda net: ss.build(net, dt=0),
        ValueError,
        r"dt is 0.*finite number of ms above 0",
    ),
    "dt negative": (lambda net: ss.build(net, dt=-0.1), ValueError, r"dt is -0\.1.*above 0"),
    "dt NaN": (
        lambda net: ss.build(net, dt=NAN),
        ValueError,
        r"dt is nan.*finite number of ms above 0",
    ),
    "dt text": (lambda net: ss.build(net, dt="0.1"), ValueError, r"dt is '0\.1'.*above 0"),
    "dt longer than a delay": (
        lambda net: ss.build(net, dt=2.0),
        ValueError,
        r"'x': delays run down to 1\.5 ms.*at least dt = 2 ms",
    ),
    "precision": (
        lambda net: ss.build(net, precision="half"),
        ValueError,
        r"precision is 'half'.*'single' or 'double'",
    ),
    "weights": (
        lambda net: ss.build(net, weights="rough"),
        ValueError,
        r"weights is 'rough'.*'compact' or 'exact'",
    ),
    "memory negative": (
        lambda net: ss.build(net, memory=-1),
        ValueError,
        r"memory is -1.*finite number of GB above 0",
    ),
    "memory text": (
        lambda net: ss.build(net, memory="1 GB"),
        (TypeError, ValueError),
        r"memory is '1 GB'.*finite number of GB above 0",
    ),
    "memory too little": (
        lambda net: ss.build(net, memory=0.001),
        MemoryError,
        r"needs about 0\.\d+ GB.*0\.00 GB that are allowed.*memory",
    ),
    "nothing to build": (
        lambda net: ss.build(ss.Network()),
        ValueError,
        r"no population.*network\.population",
    ),
    "not a network": (
        lambda net: ss.build("net.py"),
        TypeError,
        r"network is 'net\.py'.*Network",
    ),
    "synapses of an unknown population": (
        lambda net: ss.synapses(net, "a", "c"),
        ValueError,
        r"(target is|unknown population) 'c'.*'a', 'b'",
    ),
    "synapses of a part": (
        lambda net: ss.synapses(net, net.populations["a"][:3], "b"),
        (TypeError, ValueError),
        r"source is .*View.*population",
    ),
}


def contents(net):
    return [dict(part) for part in (net.populations, net.projections, net.inputs)]


@pytest.mark.parametrize("what", BAD)
def test_bad_input_gets_one_sentence_and_leaves_nothing_behind(net, what):
    call, kind, pattern = BAD[what]
    before = contents(net)
    with pytest.raises(kind) as error:
        call(net)
    text = str(error.value)
    assert re.search(pattern, text, re.DOTALL), text
    assert text.endswith((".", ")."))
    assert contents(net) == before
    net.connect("a", "b", ss.AllToAll(), **W)  # what follows is not numbered as if it were there
    assert list(net.projections) == ["x", "a->b"]


@pytest.mark.parametrize(
    "targets, more, pattern",
    [
        (["b", "c"], {}, r"unknown population 'c'"),
        (["b", "psc"], {}, r"receptor is 'exc'.*'psc'"),
        (["b", "one"], {"rule": ss.Pairs([0], [3])}, r"targets run from 3 to 3"),
        (["b", "b"], {"name": "twice"}, r"'twice->b' is taken"),
        (["b", ["one"]], {}, r"unknown population \['one'\]"),
        ([], {}, r"target is \[\]"),
    ],
)
def test_one_bad_target_of_several_leaves_none_connected(net, targets, more, pattern):
    before = contents(net)
    with pytest.raises((TypeError, ValueError), match=pattern):
        connect("a", targets, **more)(net)
    assert contents(net) == before


def test_several_targets_get_a_projection_each(net):
    a = net.populations["a"]
    net.connect("a", ["b", a[:3], net.populations["one"]], ss.AllToAll(), **W, name="fan")
    net.connect("a", ("b", "one"), ss.AllToAll(), **W)
    assert list(net.projections)[1:] == ["fan->b", "fan->a", "fan->one", "a->b", "a->one"]
    assert net.projections["fan->a"].target == ss.View("a", 0, 1, 3)
    assert net.projections["fan->b"].target == ss.View("b", 0, 1, 7)


def test_names_are_numbered_where_they_occur_again(net):
    for _ in range(3):
        net.connect("a", "b", ss.AllToAll(), **W)
        net.drive("a", ss.Current(1.0))
    assert list(net.projections) == ["x", "a->b", "a->b#2", "a->b#3"]
    assert list(net.inputs) == ["y", "current->a", "current->a#2", "current->a#3"]


def test_good_input_is_kept_as_given(net):
    p = net.population("E+1.x-y_", np.int64(4), ss.LIF(), init={"v": "e_l", "i_exc": np.ones(4)})
    assert p is net.populations["E+1.x-y_"] and len(p) == p.size == 4 and type(p.size) is int
    assert p.init["v"] == "e_l" and p.init["i_exc"].tolist() == [1, 1, 1, 1]
    weight, delay = ss.Normal(1.0, 0.1, low=0.0), ss.Uniform(0.1, 2.0)
    rule = ss.FixedInDegree(np.int32(5))
    net.connect(p[1:], "psc", rule, weight=weight, delay=delay)  # one receptor: no need to name it
    made = net.projections["E+1.x-y_->psc"]
    assert (made.rule, made.weight, made.delay, made.receptor) == (rule, weight, delay, "psc")
    assert made.source == ss.View("E+1.x-y_", 1, 1, 3) and made.target == ss.View("psc", 0, 1, 10)
    net.drive("psc", ss.Poisson(np.ones(10), 2.0))
    assert net.inputs["poisson->psc"].receptor == "psc"
    net.drive(p[:2], ss.Current([1.0, 2.0]))
    assert net.inputs["current->E+1.x-y_"].target.neurons.tolist() == [0, 1]
    dense = np.arange(40.0).reshape(4, 10) % 3
    net.connect(p, "psc", sparse.csr_array(dense), delay=1.0, name="matrix")
    made = net.projections["matrix"]
    back = sparse.coo_array((made.weight, (made.rule.sources, made.rule.targets)), (4, 10))
    np.testing.assert_array_equal(back.toarray(), dense)


@given(
    st.integers(1, 60),
    st.integers(-70, 70) | st.none(),
    st.integers(-70, 70) | st.none(),
    st.integers(1, 9) | st.none(),
)
def test_views_are_slices(size, start, stop, step):
    p = ss.Population("p", size, ss.LIF)
    expected = np.arange(size)[start:stop:step]
    if expected.size:
        view = p[start:stop:step]
        np.testing.assert_array_equal(view.neurons, expected)
        assert (view.population, view.size) == ("p", expected.size)
    else:
        with pytest.raises(ValueError, match="at least one"):
            p[start:stop:step]
    if start is not None and -size <= start < size:
        assert p[start].neurons.tolist() == [np.arange(size)[start]]
        assert p[np.int64(start)] == p[start]


def test_summary_prints_every_number_with_its_unit():
    net = ss.Network(seed=1234, name="column")
    model = ss.LIF(tau_m=ss.Normal(21.5, 1.25, low=5.0), c_m=np.full(17, 255.5), t_ref=1.75)
    net.population("exc", 17, model, init={"v": ss.Uniform(-66.5, -51.25), "i_exc": 7.125})
    net.population("cond", 19, ss.LIF(receptors={"gaba": ss.Conductance(6.25, -81.5)}))
    net.connect("exc", "exc", ss.FixedInDegree(13), weight=45.5, delay=1.625, receptor="exc")
    net.connect("exc", "cond", ss.FixedProbability(0.375), weight=ss.Uniform(2.5, 3.5), delay=2.75)
    net.drive("exc", ss.Poisson(812.5, 87.75), receptor="exc")
    net.drive("exc", ss.Current(376.5))
    net.drive("exc", ss.WhiteNoise(0.625), receptor="inh")
    text = net.summary()
    for pattern in (
        r"^column, seed 1234$",
        r"^population exc: 17 neurons, LIF$",
        r"^ +tau_m = Normal\(mean=21\.5, sd=1\.25, low=5, high=inf, outside=redraw\) ms$",
        r"^ +c_m = array\(17,\) of mean 255\.5 pF$",
        r"^ +t_ref = 1\.75 ms$",
        r"^ +v_th = -50 mV$",
        r"^ +i_offset = 0 pA$",
        r"^ +v starts at Uniform\(low=-66\.5, high=-51\.25\) mV$",
        r"^ +i_exc starts at 7\.125 pA$",
        r"^population cond: 19 neurons, LIF$",
        r"^ +tau_gaba = 6\.25 ms$",
        r"^ +e_gaba = -81\.5 mV$",
        r"^ +v starts at e_l\b",
        r"^projection exc->exc: FixedInDegree\(k=13,.*weight 45\.5 pA, delay 1\.625 ms, .* exc$",
        r"^projection exc->cond: FixedProbability\(p=0\.375,.*high=3\.5\) nS, delay 2\.75 ms",
        r"^input poisson->exc:.*812\.5 Hz.*87\.75 pA.*exc$",
        r"^input current->exc:.*376\.5 pA",
        r"^input whitenoise->exc:.*0\.625 pA.*inh$",
    ):
        assert re.search(pattern, text, re.MULTILINE), f"{pattern}\n{text}"


def test_summary_of_parameters_that_are_defaults_and_of_no_population():
    net = ss.Network(seed=5, name="empty")
    assert net.summary() == "empty, seed 5"
    net.population("iz", 3, ss.Izhikevich())
    for pattern in (r"^ +a = 0\.02\b", r"^ +c = -65 mV$", r"^ +u starts at b \* c\b"):
        assert re.search(pattern, net.summary(), re.MULTILINE)
