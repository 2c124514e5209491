"""Units of equations: what does not fit where it stands is told; others are converted."""

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given, strategies as st

import spikesim as ss
from spikesim.description.equations import parse
from spikesim.description.units import NONE, UNITS, UnitError, declared, dimension, quantity, told

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


# Numbers with units

READ = [  # text, value and unit here, by hand
    ("1 s", 1000.0, "ms"),
    ("0.0002 s", 0.2, "ms"),
    ("20ms", 20.0, "ms"),
    ("1e3 us", 1.0, "ms"),
    ("3 \u00b5s", 0.003, "ms"),
    ("3 \u03bcs", 0.003, "ms"),
    ("-0.065 V", -65.0, "mV"),
    ("-65 mvolt", -65.0, "mV"),
    ("2 millivolts", 2.0, "mV"),
    ("1 mA", 1e9, "pA"),
    ("0.5 nA", 500.0, "pA"),
    ("0.5 nanoampere", 500.0, "pA"),
    ("1 uS", 1000.0, "nS"),
    ("20 nsiemens", 20.0, "nS"),
    ("1 mS", 1e6, "nS"),  # millisiemens; of time it is ms
    ("0.2 nF", 200.0, "pF"),
    ("200 pfarad", 200.0, "pF"),
    ("50 1/s", 0.05, "1/ms"),
    ("50/s", 0.05, "1/ms"),
    ("50 s^-1", 0.05, "1/ms"),
    ("50 second**-1", 0.05, "1/ms"),
    ("5 Hz", 5.0, "Hz"),
    ("2 kHz", 2000.0, "Hz"),
    ("3 V/s", 3.0, "mV/ms"),
    ("3 mV ms^-1", 3.0, "mV/ms"),
    ("3 uS/V", 3.0, "nS/mV"),
    ("3 nA/s", 3.0, "pA/ms"),
    ("2 pA*ms", 2.0, "fC"),
    ("2 pA*ms/mV", 2.0, "pF"),
    ("2 pC", 2000.0, "fC"),
    ("100 Mohm", 0.1, "Gohm"),
    ("100 M\u03a9", 0.1, "Gohm"),
    ("1 1/Mohm", 1000.0, "nS"),
    ("1 A/m2", 100.0, "uA/cm2"),
    ("1 uA/cm^2", 1.0, "uA/cm2"),
    ("36 mS/cm**2", 36.0, "mS/cm2"),
    ("0.05 msiemens/cm2", 0.05, "mS/cm2"),
    ("1 pF/um2", 100.0, "uF/cm2"),
    ("1 farad/meter**2", 100.0, "uF/cm2"),
    ("2 s*V", 2e6, "ms*mV"),
    ("0.2 1", 0.2, "1"),
    ("0.2", 0.2, ""),
]


@pytest.mark.parametrize(("text", "value", "unit"), READ, ids=[r[0] for r in READ])
def test_a_number_with_a_unit_is_converted(text, value, unit):
    m = model(parameters={**PLAIN["parameters"], "p": text})
    assert m.dynamics.defaults["p"] == value and m.dynamics.units["p"] == unit
    # And what is kept reads back as it is.
    m = model(parameters={**PLAIN["parameters"], "p": f"{value!r} {unit}"})
    assert m.dynamics.defaults["p"] == value and m.dynamics.units["p"] == unit


SIZES = {"p": -12, "n": -9, "u": -6, "\u00b5": -6, "m": -3, "": 0, "k": 3}
NAMES = {  # of a unit, long and short; how prefixes are put; powers of (s, V, A)
    ("s", "second", "sec"): (1, 0, 0),
    ("V", "volt"): (0, 1, 0),
    ("A", "amp", "ampere"): (0, 0, 1),
    ("S", "siemens"): (0, -1, 1),
    ("F", "farad"): (1, -1, 1),
    ("C", "coulomb"): (1, 0, 1),
    ("ohm",): (0, 1, -1),
}


@st.composite
def products(draw):
    """A text, its size in s, V and A as a power of ten, and its powers of these."""
    text, ten, powers = "", 0, np.zeros(3, int)
    for over in sorted(draw(st.lists(st.booleans(), min_size=1, max_size=4))):
        names, of = draw(st.sampled_from(list(NAMES.items())))
        prefix, name = draw(st.sampled_from(list(SIZES))), draw(st.sampled_from(names))
        power = draw(st.sampled_from([1, 1, 1, 2, 3, -1, -2]))
        written = draw(
            st.sampled_from(["{}^{}", "{}**{}", "{}{}"]) if power != 1 else st.just("{}")
        )
        joined = "/" if over else "*"
        text += (joined if text else "1/" if over else "") + written.format(prefix + name, power)
        ten += SIZES[prefix] * (-power if over else power)
        powers += np.array(of) * (-power if over else power)
    return text, ten, powers


@given(products(), st.decimals(-1000, 1000, places=4))
def test_random_units_keep_the_value(product, number):
    text, ten, powers = product
    value, unit = quantity(f"{number} {text}")
    here = int(powers @ [-3, -3, -12])  # ms, mV, pA
    assert value == float(Fraction(number) * Fraction(10) ** (ten - here))
    assert quantity(f"{value!r} {unit}") == (value, unit)
    if ten == here:
        assert declared(text) == unit
    else:
        with pytest.raises(UnitError, match="cannot be converted; write '"):
            declared(text)


UNCLEAR = {  # text: what it is told to be near
    "m": "write 'ms' or 'mV'",
    "mv": "nearest is 'mV'",
    "Mv": "nearest is 'mV'",
    "MV": "nearest is 'mV'",
    "Ms": "nearest is 'ms'",
    "MS": "nearest is 'm[sS]'",
    "PA": "nearest is 'pA'",
    "NS": "nearest is 'nS'",
    "pf": "nearest is 'pF'",
    "hz": "nearest is 'Hz'",
    "secnd": "nearest is 'second'",
    "uS/cm": "densities such as 'uA/cm2' alone",
    "1/ms*mV": "two ways; write all factors first",
    "1/ms mV": "two ways; write all factors first",
    "ms/": "nearest is 'ms'",
    "ms^0.5": "known are ms, mV, pA, nS, pF and Hz",
    "dozen": "known are ms, mV, pA, nS, pF and Hz",
    "1 ms": "is not a unit",
}


@pytest.mark.parametrize("text", UNCLEAR)
def test_a_unit_that_is_unclear_is_refused_with_the_nearest(text):
    for make in (
        lambda: model(parameters={**PLAIN["parameters"], "p": f"20 {text}"}),
        lambda: ss.Receptor(text),
    ):
        with pytest.raises(ss.EquationError, match=UNCLEAR[text]) as caught:
            make()
        assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_a_number_that_is_none_is_refused():
    for text in (
        "",
        "ms",
        "ten ms",
        "nan ms",
        "inf",
        "1e400 ms",
        "1e307 s",
        "1,5 ms",
        "1e9999999 s",
    ):
        with pytest.raises(
            ss.EquationError, match="parameter 'p' is .*number and a unit|not a unit"
        ):
            model(parameters={**PLAIN["parameters"], "p": text})


OTHER = [("volt", "mV"), ("V", "mV"), ("second", "ms"), ("1/s", "1/ms"), ("nA", "pA"), ("uS", "nS")]


@pytest.mark.parametrize(("text", "here"), OTHER)
@pytest.mark.parametrize(
    "line", ["dv/dt = 0 * v : {}", "dv/dt = 0 * v\nx = 3 : {}", "dv/dt = 0 * v\np : {}"]
)
def test_equations_in_other_scales_are_refused(text, here, line):
    """Numbers written in them, or given to a parameter of them later, would have an unknown one."""
    plain = dict(threshold="v > 1", reset="v = 0", parameters={}, method="euler")
    with pytest.raises(ss.EquationError, match=f"has unit '{text}'; .* write '{here}'"):
        ss.NeuronModel(line.format(text), **plain)
    assert ss.NeuronModel(line.format(here), **plain).dynamics
    with pytest.raises(ss.EquationError, match=f"unit is '{text}'; .* write '{here}'"):
        ss.Receptor(text)


def test_units_of_equations_have_one_name():
    """Receptors and traces are told apart by it."""
    m = ss.NeuronModel(
        "dv/dt = -v / tau : millivolt\ntau : msecond",
        threshold="v > 1",
        reset="v = 0",
        parameters={"tau": "0.02 s"},
        receptors={"r": ss.Receptor("nsiemens", current="w_{r}")},
        method="euler",
    )
    assert m.dynamics.units["v"] == "mV" and m.dynamics.units["tau"] == "ms"
    assert m.dynamics.defaults["tau"] == 20 and m.receptors["r"].unit == "nS"


def test_a_rate_per_second_is_not_a_frequency():
    decay = dict(equations="dv/dt = -k * v : mV", threshold="v > 1 * e", initial={"v": 1.0})
    m = model(**decay, parameters={"k": "50 1/s", "e": "3 mV"})
    network = ss.Network()
    network.population("a", 1, m)
    s = ss.Simulation(network, precision="double")
    s.run(20.0)
    assert s.get("a", "v")[0] == pytest.approx(np.exp(-1), rel=1e-12)
    with pytest.raises(ss.EquationError, match="has unit mV Hz|has unit Hz mV"):
        model(**decay, parameters={"k": "50 Hz", "e": "3 mV"})


def test_a_frequency_in_hz_is_divided_by_1000():
    wave = "dv/dt = e / tau * cos(2 * pi * f * t / 1000) : mV"
    for f in ("5 Hz", "0.005 kHz", "5"):
        m = model(equations=wave, method="rk4", parameters={**PLAIN["parameters"], "f": f})
        slopes = m.derivatives(v=0.0, t=[0.0, 50.0, 100.0])["v"]  # the period is 200 ms
        np.testing.assert_allclose(slopes, [0.3, 0, -0.3], atol=1e-12)
    per_second = {**PLAIN["parameters"], "f": "5 1/s"}  # converted: nothing is to be divided
    m = model(equations=wave.replace(" / 1000", ""), method="rk4", parameters=per_second)
    assert m.derivatives(v=0.0, t=100.0)["v"] == pytest.approx(-0.3)


def test_the_nearest_unit_keeps_the_size_of_the_prefix():
    with pytest.raises(ss.EquationError, match="nearest is 'Mohm'"):
        ss.NeuronModel(
            equations="dv/dt = -v / tau : mV",
            threshold="v > 1",
            reset="v = 0",
            parameters={"tau": "1 ms", "r": "1 MOhm"},
        )
