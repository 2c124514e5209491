"""What objects say of themselves in a terminal and in a notebook is short, and so."""

import re
from xml.etree import ElementTree

import built_in
import numpy as np
import pytest

import spikesim as ss
from spikesim import rate
from spikesim.networks import cuba, microcircuit

MODELS = [
    *(make() for make in built_in.MODELS.values()),
    ss.LIF(receptors={"nmda": ss.NMDA(), "noise": ss.OrnsteinUhlenbeck(30.0, 5.0)}),
    ss.NeuronModel(
        name="<of one's own> & more",
        equations="""
            open = 1 if v > a and not v > b else 0
            b : mV
            dv/dt = -v / tau + sin(2 * pi * t / period) * a / tau : mV (unless refractory)""",
        threshold="v > a",
        reset="v = 0",
        refractory="2 * tau",
        parameters={"tau": "10 ms", "a": "10 mV", "period": "25 ms"},
        method="euler",
    ),
]


def typeset(thing) -> ElementTree.Element:
    """A notebook's picture of a thing; whole in itself."""
    html = thing._repr_html_()
    assert "<script" not in html and "http" not in html
    return ElementTree.fromstring(html)


def words(element: ElementTree.Element) -> str:
    return " ".join(element.itertext())


def rows(element: ElementTree.Element) -> list[list[str]]:
    return [[cell.text for cell in row.iter("td")] for row in element.iter("tr")]


@pytest.fixture(scope="module")
def result() -> ss.Result:
    net = cuba.network()
    exc, inh = net.populations["exc"], net.populations["inh"]
    records = [ss.Trace(exc[:5], "v"), ss.Mean(inh, "v"), ss.Rate(exc[:100]), ss.Rate(exc)]
    return ss.simulate(net, 100.0, record=records)


def test_a_network_is_printed_as_its_summary():
    net = cuba.network()
    assert str(net) == net.summary()
    assert repr(net) == (
        "<Network 'cuba': 2 populations, 4,000 neurons, 4 projections, 0 inputs, seed 1>"
    )
    one = ss.Network(name="one")
    one.population("a", 1, ss.LIF())
    assert "1 population, 1 neuron, 0 projections" in repr(one)


def test_a_large_network_is_cut_and_says_so():
    net = microcircuit.network()
    told = str(net).split("\n")
    assert len(told) == 40 and max(map(len, told)) < 200
    whole = [line for line in net.summary().split("\n") if not line.startswith(" ")]
    assert told[-1] == f"... {len(whole) - 39} more lines; summary() has all, with parameters"
    assert "FixedTotal(n=45499805), weight Normal(mean=87.8, sd=8.78, low=0) pA" in told[9]
    assert "high=inf" in net.summary()


def test_a_network_in_a_notebook():
    net = microcircuit.network(scale=0.1)
    net.remove(list(net.inputs)[0])
    seen = rows(typeset(net))
    for name, population in net.populations.items():
        assert [name, f"{population.size:,}", "LIF", "psc"] in seen
    assert f"... {len(net.projections) - 30} more" in words(typeset(net))
    assert len([row for row in seen if row and "FixedTotal" in row[1]]) == 30
    net = cuba.network()
    net.drive("exc", ss.Poisson(8.0, weight=2.5), receptor="exc", name="<b>noise</b>")
    seen = rows(typeset(net))
    assert ["<b>noise</b>", "Poisson", "rate 8 Hz, weight 2.5 pA", "exc"] in seen
    assert [
        "inh->exc",
        "FixedProbability(p=0.02, autapses=False)",
        "-90 pA",
        "0.1 ms",
        "inh",
    ] in seen
    typeset(ss.Network())


@pytest.mark.parametrize("model", MODELS, ids=lambda m: m.name)
def test_a_model_shows_its_equations_and_parameters(model):
    told = str(model)
    for variable in model.dynamics.derivatives:
        assert re.search(rf"^    d{variable}/dt = ", told, re.MULTILINE)
    values = {**model.dynamics.defaults, **model.all_values}
    for name, value in values.items():
        unit = model.dynamics.units[name]
        assert re.search(rf"^    {name} = {value:g}( {unit})?$", told, re.MULTILINE), name
        assert [name, f"{value:g} {unit}".strip()] in rows(typeset(model))
    assert f"threshold: {model.threshold}" in told
    assert repr(model).startswith(f"<NeuronModel {model.name}: ") and len(repr(model)) < 120
    maths = typeset(model).findall("math")
    own = {f"i_{name}" for name in model.receptors}  # parts of i_syn, which is written out
    written = len(model.dynamics.derivatives) + len(set(model.dynamics.definitions) - own)
    assert len(maths) == written - (not model.receptors)  # without them i_syn is 0


def test_equations_are_typeset():
    math = typeset(ss.LIF()).find("math")
    assert [child.tag for child in math] == [
        "mfrac",
        "mo",
        "mfrac",
        "mo",
        "mfrac",
        "mspace",
        "mtext",
    ]
    assert words(math) == "d v d t = e l \u2212 v \u03c4 m + i syn + i offset c m (mV)"


def test_lines_are_those_that_were_written():
    lines = str(MODELS[-1]).split("\n")
    assert "    open = 1 if v > a and not v > b else 0" in lines
    assert "    b : mV" in lines and "held while refractory: v" in lines
    assert "refractory: 2 * tau (ms)" in lines
    assert "receptor noise" not in str(MODELS[-2]) and "receptor nmda (nS, positive)" in str(
        MODELS[-2]
    )


def test_a_result_is_printed_in_ten_lines(result):
    told = str(result).split("\n")
    assert told[0] == f"100 ms of 4,000 neurons and {result.synapses:,} synapses"
    assert len(told) == 8 and max(map(len, told)) < 110
    for name, trains in result.spikes.items():
        pattern = (
            rf"^ +{name} +{trains.size:,} neurons +{len(trains):,} spikes +{trains.rate:.3f} Hz$"
        )
        assert re.search(pattern, str(result), re.MULTILINE)
    assert "v of exc: Samples: 100 samples of 5 neurons, 1 to 100 ms; " in told[3]
    assert (
        told[5]
        .strip()
        .startswith("rate of 100 of exc: BinnedRate: 20 bins that end at 5 to 100 ms")
    )
    assert "1 thread" in told[-1]
    assert repr(result) == f"<Result: {told[0]}>"


def test_a_result_of_many_populations_is_cut():
    net = ss.Network()
    cells = [net.population(f"p{k}", 2, ss.LIF()) for k in range(30)]
    result = ss.simulate(net, 10.0, record=[ss.Trace(c, "v") for c in cells])
    told = str(result).split("\n")
    assert len(told) == 16
    assert told[9] == "... 22 more populations" and told[14] == "... 26 more recorded"
    assert len(rows(typeset(result))) == 62  # tables with a head and 30 rows


def test_results_in_a_notebook(result):
    seen = rows(typeset(result))
    for name, trains in result.spikes.items():
        row = [name, f"{trains.size:,}", f"{len(trains):,}", f"{trains.rate:.3f}"]
        assert row in seen
    assert any(row and row[0] == "v of inh" for row in seen)
    trains = result.spikes["exc"]
    assert ["spikes", f"{len(trains):,}"] in rows(typeset(trains))
    assert ["window (ms)", "(0, 100]"] in rows(typeset(trains))


def test_what_was_recorded_is_short(result):
    samples, mean = result.traces["exc", "v"], result.means["inh", "v"]
    low, high = samples.values.min(), samples.values.max()
    assert repr(samples) == (
        f"<Samples: 100 samples of 5 neurons, 1 to 100 ms; {low:g} to {high:g} mV>"
    )
    assert repr(mean).startswith("<Averages: 100 samples, 1 to 100 ms; -") and "mV>" in repr(mean)
    assert repr(result.binned["exc"]).endswith(" Hz>")
    nothing = ss.Samples(np.empty(0), np.arange(2), np.empty((0, 2)), "mV")
    assert repr(nothing) == "<Samples: 0 samples of 2 neurons, none ms; none mV>"


def test_builds_are_short():
    build = ss.build(cuba.network(), threads=1)
    told = f"4,000 neurons, {build.synapse_count:,} synapses, dt 0.1 ms, single precision, 1 thread"
    assert repr(build) == str(build) == f"<Build of 'cuba': {told}>"
    assert ["exc->inh", f"{build.synapses_of['exc->inh']:,}"] in rows(typeset(build))
    synapses = build.synapses("inh", "exc")
    assert (
        repr(synapses) == f"<Synapses: {len(synapses):,}, weights -90 to -90, delays 0.1 to 0.1 ms>"
    )
    simulation = ss.Simulation(build, replica=2)
    simulation.run(5.0)
    assert repr(simulation).startswith("<Simulation of 'cuba' at 5 ms, seed 1, replica 2; <Build")
    net = build.network
    assert repr(net.populations["exc"]) == "<Population 'exc': 3,200 neurons, LIF>"
    assert len(repr(net.projections)) < 600


def test_rate_models_show_themselves():
    task = rate.go_nogo()
    network = rate.RateNetwork([rate.GRU(64), rate.LeakyRNN(10, noise=0.1)], 3, 1, task.dt)
    network.frozen.add("out.b")
    assert repr(network) == (
        "<RateNetwork: 3 inputs, GRU of 64 units, LeakyRNN of 10 units, 1 output>"
    )
    told = str(network)
    assert "    LeakyRNN(units=10, activation=Rectified(), noise=0.1)" in told
    assert "    0.w_in: 192 x 3" in told
    seen = rows(typeset(network))
    assert ["out.b", "1", "no"] in seen and ["1.w_rec", "10 x 10", "yes"] in seen
    history = rate.train(network, task, updates=60, validate_every=1, batch=4, progress=False)
    best = f"{history.performance[history.best]:.4g}"
    assert repr(history) == (
        f"<History: go_nogo, 60 updates of 4 trials, seed 0, best performance {best}, ended by "
        "updates>"
    )
    seen = [row for row in rows(typeset(history)) if row]
    assert 15 < len(seen) <= 21 and seen[-1][0] == "60"
    assert seen[-1][2] == f"{history.performance[-1]:.4g}"
    assert repr(rate.train(network, task, updates=0, progress=False)).startswith(
        "<History: go_nogo, 0"
    )
    trials = task.generate(np.random.default_rng(0), 5)
    assert repr(trials) == "<Trials: 5 of 80 steps and 3 inputs; conditions go>"
    assert repr(task) == "<Task 'go_nogo': 3 inputs, 1 output, dt 20 ms, loss squared>"
