"""From a model's text to machine code: what is read, refused, written and compiled."""

import ast
import decimal
import os
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest
from hypothesis import assume, example, given, settings, strategies as st
from scipy import linalg

import spikesim as ss
from spikesim.codegen.methods import METHODS as WRITTEN
from spikesim.codegen.methods.propagators import propagators
from spikesim.description.dynamics import METHODS
from spikesim.description.equations import affine, evaluate, names, parse, statements
from spikesim.kernels.functions import exp


def model(**changes) -> ss.NeuronModel:
    """A small linear model, but for what is changed."""
    return ss.NeuronModel(
        **{
            "equations": "dv/dt = (e - v) / tau + i_syn",
            "threshold": "v >= 10",
            "reset": "v = 0",
            "parameters": {"tau": "10", "e": "3"},
            "receptors": {"r": ss.Exponential()},
            **changes,
        }
    )


CONDUCTANCES = {"ampa": ss.Conductance(2.0), "gaba": ss.Conductance(8.0, -80.0)}
MODELS = {
    "LIF": ss.LIF(),
    "LIF, shapes": ss.LIF(
        receptors={
            "delta": ss.Delta(),
            "alpha": ss.Alpha(),
            "double": ss.DoubleExponential(),
            "pulse": ss.Pulse(),
        }
    ),
    "LIF, conductances": ss.LIF(receptors=CONDUCTANCES),
    "Izhikevich": ss.Izhikevich(),
    "rk4": model(equations="dv/dt = -v * v / tau + e + i_syn", method="rk4"),
    "rk2": model(equations="dv/dt = -v * v / tau + e + i_syn", method="rk2"),
    "euler": model(equations="dv/dt = -v * v / tau + e + i_syn", method="euler"),
}


# Linear or not


@pytest.mark.parametrize(
    "equations",
    [
        "dv/dt = (e - v) / tau",
        "dv/dt = (e - v) / tau + i_syn; du/dt = v * tau - 2 * u / (tau + 1) + exp(-tau)",
        "slope = e - v; dv/dt = slope / tau - (-u); du/dt = +v if tau > 3 else -v",
        "dv/dt = 0",
    ],
)
def test_linear_equations_are_recognised(equations):
    if "if" in equations:
        assert not model(equations=equations, method="euler").linear
    else:
        assert model(equations=equations).linear
        assert model(equations=equations, method="exact").linear


@pytest.mark.parametrize(
    "equations",
    [
        "dv/dt = -v * v",
        "dv/dt = -v * u; du/dt = -u",
        "dv/dt = exp(-v / tau)",
        "dv/dt = tau / v",
        "dv/dt = abs(v)",
        "dv/dt = v ** 1.0",
        "dv/dt = -v * i_syn",
        "dv/dt = -v / dt",
    ],
)
def test_nonlinear_equations_need_a_method(equations):
    with pytest.raises(ss.EquationError, match="neuron: the equations are not linear, so they ne"):
        model(equations=equations)
    with pytest.raises(ss.EquationError, match="neuron: method 'exact' is for linear equations"):
        model(equations=equations, method="exact")
    assert not model(equations=equations, method="euler").linear


def test_conductances_make_a_model_nonlinear():
    assert ss.LIF().linear and not ss.LIF(receptors=CONDUCTANCES).linear


def test_every_method_that_a_model_may_name_is_written():
    assert tuple(WRITTEN) == METHODS


# The source


def update_of(source: str) -> ast.FunctionDef:
    module = ast.parse(source)
    return next(node for node in module.body if isinstance(node, ast.FunctionDef))


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("kind", MODELS)
def test_source_speaks_the_models_language(kind, precision):
    m = MODELS[kind]
    source = ss.source(m, precision)
    function = update_of(source)
    nodes = [node for node in ast.walk(function) if isinstance(node, ast.Name)]
    stored = {n.id for n in nodes if isinstance(n.ctx, ast.Store)}
    read = {n.id for n in nodes if isinstance(n.ctx, ast.Load)}
    assert set(m.dynamics.derivatives) <= stored & read
    assert {f"w_{name}" for name in m.receptors} <= stored
    assert stored <= read, "everything that is given a name is used"
    arguments = {a.arg for a in function.args.args}
    assert arguments - {"_step", "_key"} <= read  # these are for models that ask for them
    known = stored | arguments | {"_range", "_lanes", "_real", "abs", "min", "max", "exprel"}
    known |= {"_fma", "_gentle", "_gentle_or_steep", "_compact", "_interleave", "_lowest", "_np"}
    known |= {"_entry", "_types"}  # in its signature
    known |= {"_wide", "_carried", "_double_at", "_double_lanes"}
    assert read <= known
    assert m.name in source and f"{precision} precision" in source
    assert ("float32" in source) == (precision == "single")


def test_source_is_the_same_for_the_same_model_and_for_other_values():
    for m in MODELS.values():
        assert ss.source(m) == ss.source(m) == ss.source(replace(m))
    assert ss.source(ss.LIF()) == ss.source(ss.LIF(tau_m=10.0, v_th=-40.0, t_ref=0.0), dt=0.05)
    assert ss.source(ss.LIF()) != ss.source(ss.LIF(receptors={"exc": ss.Exponential()}))
    assert ss.source(ss.LIF(), "single") != ss.source(ss.LIF(), "double")


def collides(name: str) -> ss.Simulation:
    """A parameter of this name is a threshold that v = 7 mV, falling, is always below."""
    network = ss.Network()
    m = model(
        equations="dv/dt = -v / tau",
        threshold=f"v >= {name}",
        parameters={"tau": "10", name: "8"},
        receptors={"x": ss.Delta()},
        initial={"v": 7.0},
        reset="v = 100",
    )
    network.population("a", 3, m)
    return ss.Simulation(network, precision="double")


@pytest.mark.parametrize(
    "name",
    [
        *("kappa", "types", "ids", "j", "exp", "update", "real", "v_new", "v_0", "k0", "x_", "w"),
        *("p_v_v", "unit_x", "w_x", "in_x", "range"),
        *("bits", "fma", "gentle", "compact", "lowest", "steep", "v_slope", "p_v"),
        *("now", "some", "strayed", "diverged", "interleave"),
        *("_real", "_v_new", "_j", "_"),
    ],
)
def test_no_name_of_a_model_meets_a_name_of_the_kernel(name):
    try:
        simulation = collides(name)
    except ss.EquationError as error:
        assert f"'{name}'" in str(error)
        return
    simulation.run(1.0)
    assert len(simulation.spikes["a"]) == 0
    np.testing.assert_allclose(simulation.get("a", "v"), 7 * np.exp(-0.1), rtol=1e-12)


def test_constants_of_names_that_join_alike_are_two():
    """What a adds to b_a and what a_b adds to a would both be ``_a_b_a_p``."""

    def end(a: str, a_b: str, b_a: str) -> list[np.ndarray]:
        network = ss.Network()
        rates = f"d{a}/dt = {b_a} - {a}; d{a_b}/dt = 3 * {a} - {a_b}; d{b_a}/dt = -{b_a}"
        initial = dict(zip((a, a_b, b_a), (1.0, 2.0, 3.0), strict=True))
        neurons = model(equations=rates, threshold=f"{a} > 99", reset="", initial=initial)
        network.population("x", 2, neurons)
        s = ss.Simulation(network, threads=1)
        s.run(1.0)
        return [s.get("x", name) for name in (a, a_b, b_a)]

    assert np.array_equal(end("a", "a_b", "b_a"), end("p", "q", "s"))


# Machine code


def run_python(code: str, cache: Path) -> str:
    """Run code in another process, which has to compile everything anew."""
    package = Path(ss.__file__).parent.parent
    environment = {
        **os.environ,
        "SPIKESIM_CACHE": str(cache),
        "PYTHONPATH": os.pathsep.join([str(package), os.environ.get("PYTHONPATH", "")]),
    }
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=environment,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


TRIPLES = ["aarch64-apple-darwin", "aarch64-unknown-linux-gnu", "x86_64-pc-windows-msvc"]


@pytest.fixture(scope="module")
def kernels(tmp_path_factory) -> dict[str, str]:
    """LLVM code of the kernels, as it is before this machine's own code is made from it.

    `pause` is left out, as it is where the processor is not an x86.
    """
    folder = tmp_path_factory.mktemp("llvm")
    code = f"""
        from pathlib import Path
        from numba.core import codegen

        library, kept = codegen.JITCodeLibrary, {{}}
        finalize = library._finalize_specific

        def keep(self):
            kept[self.name] = str(self._final_module)
            finalize(self)

        library._finalize_specific = keep
        import spikesim.kernels.intrinsics as intrinsics

        intrinsics._X86 = False
        import spikesim as ss

        network = ss.Network()
        a = network.population("a", 3, ss.LIF(receptors={{"g": ss.Conductance()}}))
        network.connect(a, a, ss.FixedInDegree(1), weight=1.0, delay=1.0)
        ss.simulate(network, 1.0, threads=1)
        for name in ("run", "write_axon", "in_degree_rows", "update"):
            Path({str(folder)!r}, name).write_text(kept[name])
    """
    run_python(code, folder / "cache")
    return {path.name: path.read_text() for path in folder.iterdir() if path.is_file()}


def test_what_the_optimiser_leaves_is_valid(tmp_path):
    """For each kind of run: its tuples hold other types, or synapses that are drawn again."""
    code = """
        import llvmlite.binding as llvm
        from numba.core import codegen

        library, looked_at = codegen.JITCodeLibrary, []
        finalize = library._finalize_specific

        def look(self):
            llvm.parse_assembly(str(self._final_module)).verify()
            looked_at.append(self.name)
            finalize(self)

        library._finalize_specific = look
        import spikesim as ss

        for precision in ("single", "double"):
            for connectivity in ("stored", "procedural"):
                for size in (3, 40_000):
                    network = ss.Network()
                    a = network.population("a", size, ss.LIF())
                    network.drive(a, ss.Poisson(10.0, 1.0), receptor="exc")
                    options = dict(weight=ss.Normal(1.0, 0.1), delay=1.0, receptor="exc")
                    network.connect(a, a, ss.FixedOutDegree(1), **options)
                    options = dict(precision=precision, connectivity=connectivity)
                    ss.simulate(network, 1.0, threads=1, **options)
        assert looked_at.count("run") > 3 and "write_axon" in looked_at, looked_at
    """
    run_python(code, tmp_path)


@pytest.mark.parametrize("triple", TRIPLES)
def test_kernels_compile_for_other_machines(kernels, triple, tmp_path):
    llvm.initialize_all_targets()
    llvm.initialize_all_asmprinters()
    try:
        llvm.Target.from_triple(triple)
    except RuntimeError:
        pytest.skip(f"llvmlite was built without {triple}")
    assert set(kernels) == {"run", "write_axon", "in_degree_rows", "update"}
    # Code generation ends the process where it fails: so it happens in another.
    code = """
        import re, sys
        from pathlib import Path
        import llvmlite.binding as llvm

        # Numba's own reference counts have been through this machine's code generation already.
        count = re.compile(
            r"(%[\\w.]+) = (?:tail )?call i8 @llvm.x86.atomic.sub.cc.i64"
            r"\\(ptr (?:\\w+ )*(%[\\w.]+), i64 1, i32 4\\)"
        )
        plain = (
            r"%old.\\g<name> = atomicrmw sub ptr \\2, i64 1 monotonic" "\\n"
            r"%was.\\g<name> = icmp eq i64 %old.\\g<name>, 1" "\\n"
            r"%\\g<name> = zext i1 %was.\\g<name> to i8"
        )
        count = re.compile(count.pattern.replace("(%[", "%(?P<name>[", 1))
        llvm.initialize_all_targets()
        llvm.initialize_all_asmprinters()
        triple, *paths = sys.argv[1:]
        machine = llvm.Target.from_triple(triple).create_target_machine(reloc="pic")
        for path in map(Path, paths):
            text = count.sub(plain, path.read_text())
            text = re.sub('target triple = ".*"', f'target triple = "{triple}"', text)
            layout = f'target datalayout = "{machine.target_data}"'
            text = re.sub('target datalayout = ".*"', layout, text)
            for line in text.splitlines():
                assert triple.startswith("x86") or "call" not in line or "llvm.x86" not in line
            module = llvm.parse_assembly(text)
            module.verify()
            print(path.name, len(machine.emit_object(module)))
    """
    paths = []
    for name, text in kernels.items():
        (tmp_path / name).write_text(text)
        paths.append(str(tmp_path / name))
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), triple, *paths],
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    sizes = dict(line.split() for line in done.stdout.splitlines())
    assert set(sizes) == set(kernels) and min(map(int, sizes.values())) > 2000


# What is refused

CASES = [
    # place, change, what the sentence says
    (
        "equations",
        "dv/dt = -v / taw",
        "neuron, dv/dt: unknown name 'taw'.*known are e, i_r, tau,",
    ),
    ("equations", "dv/dt = -(v", "neuron, equations, 'dv/dt = -.v': syntax error at column"),
    ("equations", "dv/dt = v.real", "neuron, equations, .*: 'v.real' is not allowed"),
    (
        "equations",
        "dv/dt = __import__('os').system('ls')",
        r"neuron, equations, .*call '__import__",
    ),
    (
        "equations",
        "dv/dt = open('x')",
        r"neuron, equations, .*: the call 'open\(...\)' is not allow",
    ),
    ("equations", "dv/dt = exp(v, 2)", r"equations, .*: exp takes 1 argument\(s\), not 2"),
    ("equations", "dv/dt = min(v)", r"equations, .*: min takes 2 argument\(s\), not 1"),
    ("equations", "dv/dt = exp(x=v)", r"the call 'exp\(...\)' is not allowed"),
    ("equations", "dv/dt = lambda: v", "neuron, equations, .*lambda"),
    ("threshold", "lambda: v", "neuron, threshold: 'lambda: v' is not allowed"),
    ("threshold", "(lambda: v)() > 1", "neuron, threshold: .*is not allowed"),
    ("equations", "dv/dt = [v][0]", r"'\[v\]\[0\]' is not allowed"),
    ("equations", "dv/dt = (v := 3)", "is not allowed"),
    ("equations", "dv/dt = 'v'", "is not allowed"),
    ("equations", "dv/dt = 1j * v", "'1j' is not allowed"),
    ("equations", "dv/dt = v // 2", "'v // 2' is not allowed"),
    ("equations", "dv/dt = 0 < v < 2", "'0 < v < 2' is not allowed"),
    ("equations", "dv/dt = None", "'None' is not allowed"),
    ("equations", "dv/dt = x; x = y; y = x", "equations: the definition of 'x' goes in a circle"),
    ("equations", "dv/dt = x; x = x + 1", "equations: the definition of 'x' goes in a circle"),
    ("equations", "dv/dt = -v; dv/dt = v", "neuron, equations: 'v' is defined twice"),
    ("equations", "dv/dt = -v; x = 1; x = 2", "neuron, equations: 'x' is defined twice"),
    ("equations", "dv/dt = -v; i_syn = 3", "'i_syn' is defined twice"),
    ("equations", "dv/dt = -v; whatever", "neuron, equations: 'whatever' is neither 'dx/dt = "),
    ("equations", "dv/dt = -v; dt/dt = 1", "neuron: the name 't' is reserved"),
    ("equations", "dtau/dt = -tau", "neuron: 'tau' is defined by an equation already"),
    ("equations", "dif/dt = -1", "neuron: the name 'if' is reserved"),
    ("threshold", "v >", "neuron, threshold: syntax error.* in 'v >'"),
    ("threshold", "x > 1", "neuron, threshold: unknown name 'x' in 'x > 1'"),
    ("threshold", "", "neuron, threshold: syntax error"),
    ("threshold", "v > 1; v < 3", "neuron, threshold: syntax error"),
    ("threshold", "v > w_r", "neuron, threshold: unknown name 'w_r'"),
    ("threshold", "().__class__ > 1", "neuron, threshold: .*is not allowed"),
    ("reset", "v", "neuron, reset: 'v' is not an assignment such as"),
    ("reset", "x = 1", "neuron, reset: 'x' is not a variable; variables are i_r, v"),
    ("reset", "tau = 1", "neuron, reset: 'tau' is not a variable"),
    ("reset", "v = round(v)", r"neuron, reset: the call 'round\(...\)' is not allowed"),
    ("reset", "v = dv", "neuron, reset: unknown name 'dv'"),
    ("reset", "v = = 1", "neuron, reset: syntax error"),
    ("reset", "v = import os", "neuron, reset: syntax error"),
    ("refractory", "v", "neuron, refractory: unknown name 'v' in 'v'; known are e, tau"),
    ("refractory", "tau +", "neuron, refractory: syntax error"),
    ("method", "runge", "neuron: unknown method 'runge'; known are 'exact', 'exponential_euler'"),
    ("method", "v += dt * dx", "neuron, method: unknown name 'dx'"),
    ("method", "x += dt * dv", "neuron, method: 'x' is not a variable"),
    ("hold", ("x",), "neuron: unknown variable 'x'; known are 'v', 'i_r'"),
    ("initial", {"x": 1.0}, "neuron: unknown variable 'x'; known are 'v', 'i_r'"),
    ("current", "x", "neuron: unknown parameter 'x'; known are 'tau', 'e', 'tau_r'"),
    ("values", {"x": 1.0}, "neuron: unknown parameter 'x'"),
    (
        "parameters",
        {"tau": "10 Ms", "e": "1"},
        "neuron: parameter 'tau' is '10 Ms'; .*nearest .*ms",
    ),
    ("parameters", {"tau": "10 m", "e": "1"}, "neuron: parameter 'tau' is '10 m'; .* length in it"),
    ("parameters", {"tau": "ten ms", "e": "1"}, "neuron: parameter 'tau' is 'ten ms'"),
    ("parameters", {"tau": "inf ms", "e": "1"}, "neuron: parameter 'tau' is 'inf ms'"),
    ("parameters", {"tau": "1", "e": "1", "dt": "1"}, "neuron: the name 'dt' is reserved"),
    ("parameters", {"tau": "1", "e": "1", "xi": "1"}, "neuron: the name 'xi' is reserved"),
    ("parameters", {"tau": "1", "e": "1", "exp": "1"}, "neuron: the name 'exp' is reserved"),
    ("receptors", {"1r": ss.Delta()}, "neuron: a receptor is named '1r'; it must be named like"),
    ("receptors", {"syn": ss.Delta()}, "neuron: a receptor is named 'syn'"),
    ("receptors", {"_r": ss.Delta()}, "receptor is named '_r'; .* begins with a letter"),
    ("equations", "dv/dt = -v; d_u/dt = -_u", "neuron: '_u' begins with an underscore, as only"),
    ("equations", "dv/dt = -v; _slope = v", "neuron: '_slope' begins with an underscore"),
    ("parameters", {"tau": "1", "e": "1", "_real": "1"}, "neuron: '_real' begins with an unders"),
    ("reset", "v = _real", "neuron, reset: unknown name '_real'"),
    ("parameters", {"tau": "1", "e": "1", "w_r": "1"}, "'w_r' is reserved for the weights that ar"),
    ("parameters", {"tau": "1", "e": "1", "xi_a": "1"}, "'xi_a' is reserved for white noise; cho"),
    (
        "parameters",
        {"tau": "1", "e": "1", "refractory": "1"},
        "'refractory' is reserved for what f",
    ),
    ("receptors", {"r": ss.Receptor("", arrival="v += x")}, "arrival at 'r': unknown name 'x'"),
    ("receptors", {"r": ss.Receptor("", arrival="x += w")}, "arrival at 'r': 'x' is not a vari"),
    ("receptors", {"r": ss.Receptor("", arrival="v")}, "arrival at 'r': 'v' is not an assign"),
    ("receptors", {"r": ss.Receptor("", current="x_{r}")}, "neuron, dv/dt: unknown name 'x_r'"),
]


@pytest.mark.parametrize(("place", "text", "match"), CASES, ids=[f"{c[0]}: {c[1]}" for c in CASES])
def test_a_text_that_cannot_be_understood_is_refused(place, text, match):
    with pytest.raises(ss.EquationError, match=match) as caught:
        model(**{place: text})
    assert str(caught.value).endswith(".") and "\n" not in str(caught.value)


def test_equations_need_a_variable():
    with pytest.raises(ss.EquationError, match="neuron: the equations have no line 'dx/dt = "):
        model(equations="x = 3", receptors={})


@pytest.mark.parametrize("threshold", ["v", "v and tau", "True", "tau > 3", "2 > 1"])
def test_a_threshold_is_a_condition(threshold):
    try:
        m = model(threshold=threshold)
    except ss.EquationError as error:
        assert "threshold" in str(error)
        return
    network = ss.Network()
    network.population("a", 1, m)
    ss.simulate(network, 1.0)


def test_a_text_too_deep_is_refused():
    with pytest.raises(ss.EquationError, match="threshold"):
        model(threshold="+".join(["v"] * 5000) + " > 1")


def test_start_values_are_checked():
    for text, match in [
        ("foo", "population 'a', init of 'v': unknown parameter 'foo'"),
        ("foo(", "population 'a', init of 'v': syntax error"),
    ]:
        network = ss.Network()
        with pytest.raises(ValueError, match=match):
            network.population("a", 1, model(initial={"v": text}))
            ss.Simulation(network)


# The exponential


@numba.njit(error_model="numpy")
def exponentials(x, out):
    for k in range(x.size):
        out[k] = exp(x[k])


@pytest.mark.parametrize(
    ("kind", "low", "high", "ulps"), [(np.float64, -708, 709, 2), (np.float32, -87, 88, 3)]
)
def test_exp_is_accurate(kind, low, high, ulps):
    random = np.random.default_rng(1)
    x = [random.uniform(low, high, 3000), random.normal(0, 1, 3000), random.normal(0, 1e-3, 500)]
    halves = np.log(2) * (np.arange(-100, 100) + 0.5)  # where the reduced argument is largest
    x = np.concatenate([*x, halves, [0.0, -0.0, low, high, 1e-300]]).astype(kind)
    found = np.empty_like(x)
    exponentials(x, found)
    with decimal.localcontext(prec=30):
        true = [decimal.Decimal(float(one)).exp() for one in x]
        unit = np.spacing(np.array(true, float).astype(kind))
        errors = [
            abs(decimal.Decimal(float(f)) - t) / decimal.Decimal(float(u))
            for f, t, u in zip(found, true, unit, strict=True)
        ]
    worst = int(np.argmax(errors))
    assert errors[worst] <= ulps, f"exp({x[worst]}) is off by {errors[worst]:.2f} ulp"
    assert np.all(found[x == 0] == 1.0)


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_exp_beyond_its_range_stays_a_normal_number(kind):
    x = np.array([-1e4, -800, 800, 1e4, -np.inf, np.inf], kind)
    found = np.empty_like(x)
    exponentials(x, found)
    assert np.all(np.isfinite(found)) and np.all(found >= np.finfo(kind).tiny)
    assert np.all(found[x < 0] < 1e-37) and np.all(found[x > 0] > 1e38)


# Expressions

NUMBERS = st.floats(-4, 4).map(lambda x: f"({x!r})") | st.integers(0, 5).map(str)


def combined(inner: st.SearchStrategy) -> st.SearchStrategy:
    binary = st.tuples(inner, st.sampled_from("+-*/"), inner)
    return st.one_of(
        binary.map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        inner.map(lambda t: f"(-{t})"),
        st.tuples(st.sampled_from(["sin", "tanh", "abs"]), inner).map(lambda t: f"{t[0]}({t[1]})"),
        st.tuples(inner, inner, inner).map(lambda t: f"({t[0]} if {t[1]} > 0 else {t[2]})"),
        st.tuples(inner, inner).map(lambda t: f"max({t[0]}, {t[1]})"),
    )


EXPRESSIONS = st.recursive(NUMBERS | st.sampled_from(["x", "y", "a", "b"]), combined, max_leaves=12)
FIXED = st.recursive(NUMBERS | st.sampled_from(["a", "b"]), combined, max_leaves=4)


@st.composite
def fixed(draw) -> str:
    """An expression in parameters alone (a strategy that is short to print)."""
    return draw(FIXED)


def joined(inner: st.SearchStrategy) -> st.SearchStrategy:
    """Affine again, if the parts are."""
    return st.one_of(
        st.tuples(inner, st.sampled_from("+-"), inner).map(lambda t: f"({t[0]} {t[1]} {t[2]})"),
        st.tuples(inner, fixed()).map(lambda t: f"({t[0]} * {t[1]})"),
        st.tuples(fixed(), inner).map(lambda t: f"({t[0]} * {t[1]})"),
        st.tuples(inner, fixed()).map(lambda t: f"({t[0]} / {t[1]})"),
        inner.map(lambda t: f"(-{t})"),
        inner.map(lambda t: f"(+{t})"),
    )


AFFINE = st.recursive(fixed() | st.sampled_from(["x", "y"]), joined, max_leaves=10)
POINT = dict(x=1.375, y=-0.625, a=0.7, b=2.3)


def value(node: ast.expr, **changes: float) -> float:
    with np.errstate(all="ignore"):
        return float(evaluate(node, {**POINT, **changes}))


@settings(max_examples=200, deadline=None)
@given(text=AFFINE)
@example(text="a - (x - y) * b / (a + 1) - -x")
def test_affine_finds_the_coefficients(text):
    node = parse(text)
    form = affine(node, ["x", "y"])
    assert form is not None
    compare_with_differences(node, form)


@settings(max_examples=200, deadline=None)
@given(text=EXPRESSIONS)
@example(text="x * y")
@example(text="a / x")
@example(text="(x if a > 0 else y)")
@example(text="(a if b > 0 else 1) * x")
def test_what_affine_accepts_is_affine(text):
    node = parse(text)
    form = affine(node, ["x", "y"])
    if form is not None:
        compare_with_differences(node, form)
    else:
        assert names(node) & {"x", "y"}


def compare_with_differences(node: ast.expr, form: dict[str, ast.expr]) -> None:
    assert all(not names(c) & {"x", "y"} for c in form.values())
    at = {key: value(c) for key, c in form.items()}
    base = value(node, x=0.0, y=0.0)
    assume(all(abs(number) < 1e6 for number in (base, value(node), *at.values())))
    scale = max([1.0, abs(base), *map(abs, at.values())])
    assert value(node) == pytest.approx(
        at.get("", 0) + at.get("x", 0) * POINT["x"] + at.get("y", 0) * POINT["y"],
        abs=1e-9 * scale,
    )
    assert base == pytest.approx(at.get("", 0), abs=1e-9 * scale)
    for variable in "xy":
        for h in (0.5, -8.0):
            slope = (value(node, **{variable: POINT[variable] + h}) - value(node)) / h
            assert slope == pytest.approx(at.get(variable, 0), abs=1e-8 * scale)


@settings(max_examples=200, deadline=None)
@given(text=EXPRESSIONS)
def test_evaluate_means_what_python_means(text):
    try:
        functions = dict(sin=np.sin, tanh=np.tanh, abs=abs, max=np.maximum)  # of NaN: NaN
        with np.errstate(all="ignore"):
            wanted = float(eval(text, functions | POINT))
    except (ZeroDivisionError, OverflowError):
        return
    with np.errstate(all="ignore"):
        lanes = {name: np.full(3, x) for name, x in POINT.items()}
        found = np.broadcast_to(evaluate(parse(text), lanes), 3)
    assert value(parse(text)) == pytest.approx(wanted, rel=1e-12, abs=1e-12, nan_ok=True)
    assert found == pytest.approx(np.full(3, wanted), rel=1e-12, abs=1e-12, nan_ok=True)


def test_statements_and_their_short_forms():
    found = statements("v = c; u += d * 2  # a remark\n v *= 2 - 3 ; u -= 1; u /= 4", "here")
    assert [s.variable for s in found] == ["v", "u", "v", "u", "u"]
    values = dict(v=3.0, u=5.0, c=7.0, d=11.0)
    for s in found:
        values[s.variable] = float(evaluate(s.value, values))
    assert (values["v"], values["u"]) == (-7.0, (5 + 22 - 1) / 4)


# Propagators


def test_propagators_solve_linear_equations():
    random = np.random.default_rng(4)
    matrices = random.normal(size=(5, 4, 4))
    p, q = propagators(matrices, 0.3)
    assert p.shape == q.shape == (5, 4, 4)
    for one, p_one, q_one in zip(matrices, p, q, strict=True):
        np.testing.assert_allclose(p_one, linalg.expm(one * 0.3), rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(one @ q_one, p_one - np.eye(4), rtol=1e-12, atol=1e-13)
    twice, q_twice = propagators(matrices, 0.6)
    np.testing.assert_allclose(p @ p, twice, rtol=1e-11, atol=1e-13)
    np.testing.assert_allclose(p @ q + q, q_twice, rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("ratio", [1.0, 1 + 1e-9, 1 + 1e-5])
def test_propagators_of_equal_time_constants(ratio):
    """The closed form divides by the difference of the time constants, this does not."""
    tau, dt = 5.0, 0.1
    p, q = propagators(np.array([[-1 / tau, 1.0], [0.0, -1 / (tau * ratio)]]), dt)
    middle = tau * (1 + ratio) / 2
    assert p[0, 1] == pytest.approx(dt * np.exp(-dt / middle), rel=1e-9)
    assert p[1, 0] == 0
    assert q[0, 0] == pytest.approx(-tau * np.expm1(-dt / tau), rel=1e-14)


def test_propagators_of_nothing():
    p, q = propagators(np.zeros((2, 2)), 0.25)
    assert np.array_equal(p, np.eye(2)) and np.array_equal(q, 0.25 * np.eye(2))
