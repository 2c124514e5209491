"""Names that are not there are answered by what there is, in the name of what was called."""

import inspect
import pydoc
import subprocess
import sys

import pytest

import spikesim as ss
from spikesim import rate


def described() -> tuple[ss.Network, ss.Population]:
    net = ss.Network()
    return net, net.population("a", 3, ss.LIF())


OPTIONS = {
    "simulate": (lambda net, a: ss.simulate(net, 10, treads=2), "threads"),
    "Simulation": (lambda net, a: ss.Simulation(net, treads=2), "threads"),
    "build": (lambda net, a: ss.build(net, treads=2), "threads"),
    "population": (lambda net, a: net.population("b", 3, ss.LIF(), position=None), "positions"),
    "connect": (lambda net, a: net.connect(a, a, ss.AllToAll(), weigth=1.0), "weight"),
    "drive": (lambda net, a: net.drive(a, ss.Poisson(1.0, 1.0), recepter="exc"), "receptor"),
    "LIF": (lambda net, a: ss.LIF(tau=10.0), "tau_m"),
    "AdEx": (lambda net, a: ss.AdEx(V_reset=-60.0), "v_reset"),
    "Exponential": (lambda net, a: ss.Exponential(tua=5.0), "tau"),
    "NeuronModel": (lambda net, a: ss.NeuronModel("", "", "", parameter={}), "parameters"),
    "FixedInDegree": (lambda net, a: ss.FixedInDegree(3, multapse=False), "multapses"),
    "Poisson": (lambda net, a: ss.Poisson(rates=1.0, weight=1.0), "rate"),
    "Normal": (lambda net, a: ss.Normal(mean=1.0, std=1.0), "sd"),
    "Trace": (lambda net, a: ss.Trace(a, "v", evry=1.0), "every"),
    "train": (lambda net, a: rate.train(None, None, update=3), "updates"),
    "SGD": (lambda net, a: rate.SGD(momentun=0.5), "momentum"),
    "LSTM": (lambda net, a: rate.LSTM(unit=5), "units"),
    "DaleRNN": (lambda net, a: rate.DaleRNN(5, noises=0.1), "noise"),
    "Force": (lambda net, a: rate.Force(5, sed=0), "seed"),
    "go_nogo": (lambda net, a: rate.go_nogo(delays=500.0), "delay"),
    "RateNetwork": (lambda net, a: rate.RateNetwork([], 1, 1, 1.0, read_out="softmax"), "readout"),
}


@pytest.mark.parametrize("function", OPTIONS)
def test_a_wrong_option_is_told_by_what_was_called(function):
    call, meant = OPTIONS[function]
    with pytest.raises(TypeError, match=rf"^{function} has no option '\w+'") as told:
        call(*described())
    assert f"did you mean {meant}? It has " in str(told.value)


def test_an_option_by_another_programs_name():
    with pytest.raises(TypeError, match="Adam has no option 'lr': that is learning_rate here"):
        rate.Adam(lr=0.1)
    for name in ("lr", "learning_rate"):
        with pytest.raises(TypeError, match=r"that is optimizer=Adam\(learning_rate=...\) here"):
            rate.train(None, None, **{name: 0.1})
    with pytest.raises(TypeError, match=r"LIF has no option 'x'\. It has tau_m, c_m, e_l"):
        ss.LIF(x=1)


def test_an_option_of_the_build_is_still_told_so():
    build = ss.build(described()[0])
    with pytest.raises(TypeError, match="dt belongs to the build"):
        ss.Simulation(build, dt=0.1)
    with pytest.raises(TypeError, match="Simulation has no option 'td'"):
        ss.Simulation(build, td=0.1)


@pytest.mark.parametrize(
    ("name", "answer"),
    [
        ("LiF", "did you mean LIF?"),
        ("Network_", "did you mean Network?"),
        ("STDP", "weights stay as they were built"),
        ("GapJunction", "gap junctions are not there"),
        ("TsodyksMarkram", "weights stay as they were built"),
        ("NeuronGroup", "Network.population"),
        ("SpikeMonitor", "spikes"),
        ("StateMonitor", "Trace"),
        ("Connect", "Network.connect"),
        ("mV", "numbers are in ms, mV"),
    ],
)
def test_what_is_not_in_the_package(name, answer):
    with pytest.raises(AttributeError) as told:
        getattr(ss, name)
    assert str(told.value).startswith(f"module 'spikesim' has no attribute '{name}'; ")
    assert answer in str(told.value)


def test_what_is_not_among_rate_models():
    with pytest.raises(AttributeError, match="'spikesim.rate' has no attribute 'Lstm'; did you .*"):
        rate.Lstm  # noqa: B018
    with pytest.raises(AttributeError, match="no attribute 'zebra'$"):
        rate.zebra  # noqa: B018


def test_answers_name_what_there_is():
    from spikesim.names import INSTEAD

    assert not set(INSTEAD) & set(ss.__all__)


@pytest.mark.parametrize("name", ["LIF", "AdEx", "HodgkinHuxley", "GLIF", "Exponential", "NMDA"])
def test_help_gives_the_types_a_name(name):
    text = pydoc.plain(pydoc.render_doc(getattr(ss, name)))
    head = text.split("\n\n")[1]  # from Python 3.13 on long signatures have several lines
    assert ": Value = " in text or "**values: Value" in head
    assert "numpy" not in head and "Normal" not in head and "'Value" not in head


def test_signatures_are_those_of_the_functions():
    assert list(inspect.signature(ss.LIF).parameters)[:2] == ["tau_m", "c_m"]
    assert next(iter(inspect.signature(ss.Poisson).parameters)) == "rate"


def test_modules_are_there_without_an_import_of_their_own():
    code = (
        "import sys, spikesim as ss\n"
        "assert 'spikesim.plots' not in sys.modules\n"
        "ss.plots.raster, ss.rate.GRU, ss.networks.NAMES, ss.plots.training_overview\n"
        "assert 'matplotlib' not in sys.modules and 'rate' in dir(ss)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
