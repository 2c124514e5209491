"""Brian2's equation language: what is read as it is, and models that spike when they do there.

The spike times were recorded by ``benchmarks/rivals/brian2_models.py``.
"""

import ast
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brian2_models import CASES, simulate, without_units
from hypothesis import given, strategies as st

import spikesim as ss
from spikesim.description.equations import equations, evaluate, parse

ROOT = Path(__file__).parent.parent
REFERENCE = json.loads((ROOT / "tests" / "reference" / "brian2_models.json").read_text("utf-8"))
NAMED = {case.name: case for case in CASES}
SINGLE = [case.name for case in CASES if case.size == 1]
NOISY = [case.name for case in CASES if case.size > 1]


# The models


@pytest.mark.parametrize("name", SINGLE)
def test_spikes_come_when_they_do_in_brian2(name):
    """In the same step, to the last one; Brian2 labels it with its beginning."""
    wanted = np.array(REFERENCE["models"][name]["times"]) + NAMED[name].dt
    found = simulate(NAMED[name]).spikes["cells"].times
    assert wanted.size >= 3
    np.testing.assert_allclose(found, wanted, rtol=0, atol=1e-6)


@pytest.mark.parametrize("name", NOISY)
def test_noisy_models_fire_as_they_do_in_brian2(name):
    """Rate and irregularity of 4,000 neurons agree to four standard errors (2 %)."""
    case, wanted = NAMED[name], REFERENCE["models"][name]
    spikes = simulate(case).spikes["cells"]
    rates = np.bincount(spikes.neurons, minlength=case.size) / case.duration * 1000
    intervals = [np.diff(train) for train in spikes]
    cv = np.mean([x.std() / x.mean() for x in intervals if x.size >= 2])
    assert rates.mean() == pytest.approx(wanted["rate"], abs=4 * 2**0.5 * wanted["rate_error"])
    assert cv == pytest.approx(wanted["cv"], abs=4 * 2**0.5 * wanted["cv_error"])


def test_there_are_many_models_and_each_has_its_paper():
    assert len(CASES) >= 25 and len(NAMED) == len(CASES) == len(REFERENCE["models"])
    assert all(any(year in case.paper for year in ("(19", "(20")) for case in CASES)


def test_what_becomes_of_a_text_without_its_units():
    assert without_units("dv/dt = (10*mV - v)/(5.*ms) : volt (unless refractory)") == (
        "dv/dt = (10 - v)/(5.) : mV (unless refractory)"
    )
    assert without_units("a = 0.1/mV*4*mV/exprel(x)/ms : Hz") == "a = 0.1*4/exprel(x) : 1/ms"
    assert without_units("k : siemens/volt") == "k : nS/mV"


def test_a_page_of_the_models_is_drawn(tmp_path):
    path = tmp_path / "page.png"
    command = [sys.executable, "-m", "examples.brian2_models", str(path), "Quadratic IF", NOISY[0]]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert path.read_bytes().startswith(b"\x89PNG") and path.stat().st_size > 20_000


# The language


def model(equations: str, **changes) -> ss.NeuronModel:
    plain = dict(
        threshold="v > 1e9",
        reset="v = 0",
        parameters={"tau": "10 ms", "e": "3 mV"},
        method="euler",
    )
    return ss.NeuronModel(equations=equations, **{**plain, **changes})


def state(m: ss.NeuronModel, duration: float = 1.0, size: int = 1, **init) -> ss.Simulation:
    network = ss.Network()
    network.population("a", size, m, init=init)
    simulation = ss.Simulation(network, dt=0.1, precision="double")
    simulation.run(duration)
    return simulation


WHOLE = "dv/dt = (e - v) / tau + 3 * (v - e) / tau : mV"
SPACES = [place for place, letter in enumerate(WHOLE) if letter == " "]


@given(st.sets(st.sampled_from(SPACES)), st.sampled_from(["\n", "\n\n  ", "  # why\n", " \\\n"]))
def test_a_line_may_end_beside_any_operator(places, end):
    text = "".join(end if k in places else letter for k, letter in enumerate(WHOLE))
    derivatives = equations(f"dx/dt = -x\n{text}\ny = x", "here").derivatives
    assert list(derivatives) == ["x", "v"]
    assert ast.unparse(derivatives["v"]) == "(e - v) / tau + 3 * (v - e) / tau"


@pytest.mark.parametrize(
    "text",
    [
        "dv/dt = (e - v) / tau\n  + 3 * (v - e) / tau : mV",
        "dv/dt = (e - v) / tau +\n\n  3 * (v - e) / tau : mV",
        "dv/dt = (e - v) / tau + 3 * (v  # a comment; of two parts\n - e) / tau : mV",
        "dv/dt = \\\n (e - v) / tau \\\n + 3 * (v - e) / tau\n : mV",
        "dv/dt =\n (e\n - v) / tau + 3 * (v - e) / tau : mV",
        "dv/dt = (e - v) / tau + x : mV; x = 3 * (v - e) / tau : mV/ms",
        "dv/dt = (e - v) / tau + x : mV\nx = 3. * y * 1./tau : mV/ms\ny = v - e : mV",
    ],
)
def test_an_equation_over_several_lines(text):
    assert state(model(text), 3.0, v=5.0).get("a", "v")[0] == pytest.approx(
        state(model(WHOLE), 3.0, v=5.0).get("a", "v")[0], rel=1e-14
    )


def test_unless_refractory_is_hold():
    changes = dict(threshold="v > 2", refractory="3 * tau")
    text = "dv/dt = (e - v) / tau + x / tau : mV{}; dx/dt = -x / tau : mV"
    flagged = model(text.format(" (unless refractory)"), method="exact", **changes)
    listed = model(text.format(""), method="exact", hold=("v",), **changes)
    free = model(text.format(""), method="exact", **changes)
    assert flagged.linear and flagged.dynamics.held == ("v",)
    assert ss.source(flagged) == ss.source(listed) != ss.source(free)


def test_int_not_refractory_holds_still():
    text = "dv/dt = (e - v) / tau * int(not_refractory) : mV"
    changes = dict(threshold="v > 2", refractory="3 * tau", method="rk4")
    listed = model("dv/dt = (e - v) / tau : mV", hold=("v",), **changes)
    for duration in (5.0, 40.0, 45.0):
        assert state(model(text, **changes), duration).get("a", "v") == pytest.approx(
            state(listed, duration).get("a", "v"), rel=1e-14
        )
    assert not model(text, **changes).linear
    without = model(text)  # never refractory
    assert state(without).get("a", "v") == state(model("dv/dt = (e - v) / tau : mV")).get("a", "v")


def test_a_line_of_its_own_declares_a_parameter():
    text = "dv/dt = (e - v) / tau + I / c : mV\nI : pA\nc : pF (constant, shared)"
    m = model(text, parameters={"tau": "10 ms", "e": "3 mV", "c": "100 pF"}, current="I")
    assert m.dynamics.defaults["I"] == 0 and m.dynamics.units["I"] == "pA"
    assert m.dynamics.defaults["c"] == 100
    values = np.array([0.0, 50.0, 100.0])
    found = state(m.with_values(I=values), 0.1, size=3).get("a", "v")
    np.testing.assert_allclose(found, 0.03 + values / 1000, rtol=1e-14)


def test_definitions_are_known_to_threshold_reset_refractory_arrivals_and_method():
    m = model(
        "dv/dt = x / tau : mV; x = e - v : mV; low = v - x : mV; wait = 2 * tau : ms",
        threshold="x < 1",
        reset="v = low",
        refractory="wait",
        receptors={"r": ss.Receptor("mV", arrival="v += x * w / e")},
        method="v += dt * x / tau",
    )
    expected = model(
        "dv/dt = (e - v) / tau : mV",
        threshold="e - v < 1",
        reset="v = v - (e - v)",
        refractory="2 * tau",
        receptors={"r": ss.Receptor("mV", arrival="v += (e - v) * w / e")},
        method="v += dt * (e - v) / tau",
    )
    assert ss.source(m) == ss.source(expected)
    assert {"x", "low", "wait"} <= set(m.dynamics.definitions)


X = np.concatenate([np.linspace(-3, 3, 61), [1e-9, -1e-9, 12.5, -12.5]])
FUNCTIONS = {  # value, allowed error in units of the last place
    "sinh(x)": (np.sinh(X), 5),
    "cosh(x)": (np.cosh(X), 4),
    "tan(x)": (np.tan(X), 5),
    "expm1(x)": (np.expm1(X), 4),
    "log10(1 + x * x)": (np.log10(1 + X * X), 4),
    "floor(x)": (np.floor(X), 0),
    "ceil(x)": (np.ceil(X), 0),
    "sign(x)": (np.sign(X), 0),
    "clip(x, -1, x * x)": (np.clip(X, -1, X * X), 0),
    "int(x > 1 and not x >= 2 or x < -1)": (((X > 1) & (X < 2)) | (X < -1), 0),
    "(x * x)**0.5": (np.abs(X), 0),
    "x**2.": (X**2, 0),
    "abs(x)**2.5": (np.abs(X) ** 2.5, 4),
    "abs(x)**-.5": (np.abs(X + 0.01 * (X == 0)) ** -0.5, 4),
    "sin(pi * x)": (np.sin(np.pi * X), 4),
    "exprel(x)": (np.where(X == 0, 1, np.expm1(X) / np.where(X == 0, 1, X)), 4),
}


@pytest.mark.parametrize("text", FUNCTIONS)
def test_functions_are_those_of_numpy_within_a_few_units_in_the_last_place(text):
    """In the kernel and where an expression is evaluated for its constants."""
    wanted, ulps = FUNCTIONS[text]
    x = X + 0.01 * (X == 0) if "-.5" in text else X
    m = model("dx/dt = 0 / tau; dv/dt = x / tau", method=f"v = {text}")
    for found in (
        state(m, 0.1, size=x.size, x=x).get("a", "v"),
        evaluate(parse(text), {"x": x}),
    ):
        allowed = ulps * np.spacing(np.abs(wanted.astype(float)))
        assert np.all(np.abs(found - wanted) <= allowed)


def test_noises_with_names_are_independent():
    """Two noises in one equation add as squares, in two equations they do not correlate."""
    m = model(
        "dv/dt = -v / tau + (3 * xi_a + 4 * xi_b) / tau**0.5; du/dt = -u / tau + xi_c / tau**.5",
        method="exact",
    )
    simulation = state(m, 100.0, size=4000)
    v, u = simulation.get("a", "v"), simulation.get("a", "u")
    assert np.var(v) == pytest.approx(12.5, rel=0.1)
    assert np.var(u) == pytest.approx(0.5, rel=0.1)
    assert abs(np.corrcoef(u, v)[0, 1]) < 0.07


def test_a_unit_may_be_a_density_or_a_quotient():
    text = "dv/dt = (g * (e - v) + i) / c + k : mV; i = 3 * q * e * e : uA/cm2"
    parameters = {
        "e": "3 mV",
        "g": "0.3 mS/cm2",
        "c": "1 uF/cm2",
        "k": "0.1 mV/ms",
        "q": "1",
    }
    assert model(text, parameters=parameters)
    for name, unit in (("g", "nS"), ("c", "pF"), ("k", "1/ms")):
        with pytest.raises(ss.EquationError, match="has unit"):
            model(text, parameters={**parameters, name: f"1 {unit}"})


REFUSED = [
    ("dv/dt = -v / tau : mV (unless refactory)", "flag 'unless refactory' is not known here; kno"),
    ("dv/dt = -v / tau : mV; x : pA (unless refractory)", "known are constant, shared"),
    ("dv/dt = x / tau : mV; x = e : mV (constant over dt)", "flag 'constant over dt' .* are none"),
    ("dv/dt = -v / tau : volt", "'v' has unit 'volt'; .* write 'mV'"),
    ("dv/dt = -v / tau : mV; e : pA", "parameter 'e' is '3 mV', but its line says pA"),
    ("dv/dt = -v / tau : mV; e : mV; e : mV", "'e' is defined twice"),
    ("dv/dt = x / tau : mV; x = v * tau : mV", "x: 'v \\* tau' has unit .*, but x has mV"),
    ("dv/dt = -v * int(v) / tau", "'v' is a number where a condition belongs"),
    ("dv/dt = -v * (v > e) / tau", "is true or false where a number belongs .*'int\\(v > e\\)'"),
    ("dv/dt = -v * clip(v, e) / tau", "clip takes 3 argument\\(s\\), not 2"),
    ("dv/dt = -v * arctan(v)", "call 'arctan\\(...\\)' is not allowed .*, clip"),
    ("dv/dt = rand() / tau", "call 'rand\\(...\\)' is not allowed"),
    ("dv/dt = (t - lastspike) / tau", "dv/dt: unknown name 'lastspike'"),
    ("dv/dt = -v / tau + xi_a; du/dt = u / tau + xi_a", "noise xi_a enters the equations of"),
    ("dpi/dt = -pi / tau", "the name 'pi' is reserved"),
    ("dv/dt = -(v / tau\ndu/dt = -u / tau", "syntax error .*'-\\(v / tau'"),
    ("dv/dt = -v / tau :", "syntax error at column 10 in '-v / tau :'"),
    ("dv/dt = -v / tau; x :", "'x :' is neither 'dx/dt = ... : unit' nor"),
]


@pytest.mark.parametrize(("text", "sentence"), REFUSED, ids=[r[0] for r in REFUSED])
def test_what_is_not_read_is_told_in_one_sentence(text, sentence):
    with pytest.raises(ss.EquationError, match=sentence) as caught:
        model(text)
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_not_refractory_belongs_into_equations():
    with pytest.raises(ss.EquationError, match="threshold: unknown name 'not_refractory'"):
        model("dv/dt = -v / tau", threshold="v > 3 and not_refractory")


def test_replace_keeps_what_the_text_says():
    m = model("dv/dt = (e - v) / tau : mV (unless refractory)", refractory="tau")
    assert replace(m, equations="dv/dt = (e - v) / tau : mV").dynamics.held == ()


def test_delays_of_jumps_of_v_are_one_dt_longer_than_in_brian2():
    """A chain of neurons, and the times at which Brian2 says that they spike."""
    brian2 = {  # dt = 0.1 ms, delays of 2.0, 1.0 and 0.1 ms, on_pre="v += 2", threshold="v > 1"
        0: [1.2, 7.2, 7.7],
        1: [3.3, 9.3, 9.8],
        2: [4.4, 10.4, 10.9],
        3: [4.6, 10.6, 11.1],
    }
    chain = ss.LIF(e_l=0, v_th=1, v_reset=0, t_ref=0, receptors={"jump": ss.Delta()})
    network, dt = ss.Network(), 0.1
    cells = network.population("cells", 4, chain)
    network.drive(cells[:1], ss.Spikes([np.array(brian2[0]) + dt], 2.0))
    for k, delay in enumerate((2.0, 1.0, 0.1)):
        network.connect(cells[k], cells[k + 1], ss.OneToOne(), weight=2.0, delay=delay + dt)
    found = ss.simulate(network, 20.0, dt=dt).spikes["cells"]
    for k, times in brian2.items():
        np.testing.assert_allclose(found[k], np.array(times) + dt, atol=1e-9)


def test_units_of_another_size_are_not_taken_away():
    assert without_units("(10*mV - v)/(20*ms) : volt") == "(10 - v)/(20) : mV"
    assert without_units("4*uA/cm**2 - 0.3*msiemens/cm**2*(v + 54*mV)") == "4 - 0.3*(v + 54)"
    for text in ("0.02*second", "3*uA", "3*msiemens", "2*nA", "10*volt", "3*uA/mm**2"):
        left = without_units(text)
        with pytest.raises(ss.EquationError, match="unknown name"):
            model(f"dv/dt = (e - v) / tau + {left}")
