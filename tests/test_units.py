"""Units of equations: what does not fit where it stands is told."""

import pytest

import spikesim as ss
from spikesim.equations import parse
from spikesim.units import NONE, UNITS, dimension, told

PLAIN = dict(
    equations="dv/dt = (e - v) / tau + i / c : mV",
    threshold="v > e",
    reset="v = e",
    parameters={"tau": "10 ms", "e": "3 mV", "i": "3 pA", "c": "200 pF", "g": "10 nS", "x": "2 1"},
)


def model(**changes) -> ss.NeuronModel:
    return ss.NeuronModel(**{**PLAIN, **changes})


@pytest.mark.parametrize(
    "equations",
    [
        "dv/dt = g * (e - v) / c : mV",
        "dv/dt = (e - v) / tau * exp((v - e) / e) : mV",
        "dv/dt = (e - v) / tau + e * sqrt(2 / tau) * xi : mV",
        "dv/dt = (e - v) / tau * x ** (v / e) : mV",
        "dv/dt = (e - v) / (c / g) : mV",
        "dv/dt = min(e, max(v, e)) / tau + (e if v > e else v) / tau : mV",
        "dv/dt = (e * sin(t / tau) - v) / tau : mV",
        "dv/dt = 0.04 * v**2 + 5 * v + 140 : mV",  # numbers may carry any unit
        "dv/dt = v * anything : mV\nanything = x / tau",
        "dv/dt = (e - v) / tau\ndu/dt = (v - u) / tau",  # none is given, none is checked
    ],
)
def test_what_fits_is_accepted(equations):
    assert model(equations=equations, method="euler").dynamics


WRONG = [
    (dict(equations="dv/dt = (e - v) / tau + i : mV"), "'i' pA"),
    (dict(equations="dv/dt = e - v : mV"), "has unit mV, but dv/dt has mV/ms"),
    (dict(equations="dv/dt = (e - i) / tau : mV"), "'e' has unit mV, but 'i' pA"),
    (dict(equations="dv/dt = exp(v) * e / tau : mV"), "'v' has unit mV, but exp takes a pure"),
    (dict(equations="dv/dt = e / tau * v ** x : mV"), "'v' has unit mV, but a power"),
    (dict(equations="dv/dt = e * xi : mV"), "dv/dt has"),
    (dict(threshold="v > tau"), "threshold: 'v' has unit mV, but 'tau' ms"),
    (dict(reset="v = tau"), "reset: 'tau' has unit ms, but v has mV"),
    (dict(reset="v += i"), "reset: 'v' has unit mV, but 'i' pA"),
    (dict(refractory="e"), "'e' has unit mV, but a refractory time has ms"),
    (dict(refractory="v > tau"), "refractory: 'v' has unit mV, but 'tau' ms"),
    (dict(method="v += dv"), "method: 'v' has unit mV"),
    (dict(receptors={"r": ss.Receptor("nS", arrival="v += w")}), "arrival at 'r'"),
    (dict(receptors={"r": ss.Exponential()}, equations="dv/dt = i_syn / tau : mV"), "dv/dt"),
]


@pytest.mark.parametrize(("changes", "sentence"), WRONG, ids=[w[1] for w in WRONG])
def test_what_does_not_fit_is_told(changes, sentence):
    with pytest.raises(ss.EquationError, match=sentence):
        model(**{"method": "euler", **changes})


def test_dimensions_in_words():
    units = {"v": UNITS["mV"], "g": UNITS["nS"], "tau": UNITS["ms"]}
    for text, words in (
        ("g * v", "pA"),
        ("g * v * tau / v", "pF"),
        ("v / v", "a pure number"),
        ("v / tau", "mV/ms"),
        ("sqrt(v)", "mV^1/2"),
        ("v**-1.5", "mV^-3/2"),
        ("v**(1 / 3)", "mV^1/3"),
        ("3 * v", "any unit"),
    ):
        assert told(dimension(parse(text), units, "here")) == words
    assert NONE == UNITS["1"]
