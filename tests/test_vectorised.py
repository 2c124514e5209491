"""The update of every built-in model and receptor does its arithmetic in vectors."""

import ast
import os
import platform
import re
import subprocess
import sys

import llvmlite.binding as llvm
import numba
import pytest

import spikesim as ss
from spikesim.kernels.cache import generated_module

pytestmark = pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64")
    or not llvm.get_host_cpu_features().get("avx2"),
    reason="looks for instructions of AVX2 and AVX-512",
)

CONDUCTANCES = {"ampa": ss.Conductance(2.0), "gaba": ss.Conductance(8.0, -80.0)}
RECEPTORS = {
    "jumps and currents": {
        "delta": ss.Delta(),
        "exponential": ss.Exponential(),
        "alpha": ss.Alpha(),
        "double": ss.DoubleExponential(),
        "pulse": ss.Pulse(),
    },
    "conductances": CONDUCTANCES,
    "slow conductances": {"double": ss.DoubleExponentialConductance(), "nmda": ss.NMDA()},
    "coloured noise": {"noise": ss.OrnsteinUhlenbeck(20.0, 5.0)},
    "white noise": {"noise": ss.WhiteCurrent(20.0)},
}
MODELS = {
    **{f"LIF, {name}": ss.LIF(receptors=receptors) for name, receptors in RECEPTORS.items()},
    "LIF": ss.LIF(),
    "AdaptiveLIF": ss.AdaptiveLIF(),
    "AdaptiveLIF, conductances": ss.AdaptiveLIF(receptors=CONDUCTANCES),
    "AdEx": ss.AdEx(),
    "EIF": ss.EIF(),
    "QIF": ss.QIF(),
    **{f"GLIF, level {level}": ss.GLIF(level) for level in range(1, 6)},
    "Izhikevich": ss.Izhikevich(),
    "Izhikevich2007": ss.Izhikevich2007(),
    "HodgkinHuxley": ss.HodgkinHuxley(),
    "HodgkinHuxley, Euler": ss.HodgkinHuxley(method="exponential_euler"),
    "FitzHughNagumo": ss.FitzHughNagumo(),
}


def hot_loop(source: str) -> ast.For:
    """The last loop that looks for spikes, which is the step, for gentle slopes."""
    loops = [n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.For)]
    steps = [n for n in loops if any(ast.unparse(x).startswith("_crossed |= ") for x in n.body)]
    return max(steps, key=lambda n: n.lineno)


def products(loop: ast.For) -> int:
    """How many different products a neuron's step writes out, beside those within functions."""
    found = set()
    for node in ast.walk(loop):
        match node:
            case ast.BinOp(left, ast.Mult()) if ast.unparse(left) != "_real(1.0)":
                found.add(ast.unparse(node))
            case ast.Call(ast.Name("_fma")):
                found.add(ast.unparse(node))
    return len(found)


def machine_code(source: str) -> str:
    """Of the update, compiled anew: code from the cache has no text."""
    update = generated_module(source).update
    fresh = numba.cfunc(update._sig, nopython=True, error_model="numpy")(update._pyfunc)
    return fresh._library.get_asm_str()


def vector_products(text: str, precision: str = "single") -> int:
    """Multiplications of vectors of 256 or 512 bits in machine code."""
    return len(re.findall(rf"\bv(?:mul|fn?m\w+)p{precision[0]}\s.*[yz]mm", text))


@pytest.mark.parametrize("kind", MODELS)
def test_every_product_of_a_step_is_one_of_vectors(kind):
    source = ss.source(MODELS[kind], "single")
    text, written = machine_code(source), products(hot_loop(source))
    assert written >= 4
    assert vector_products(text) >= written
    assert not re.search(r"\b(?:exp|expm1|log|sin|cos|tanh)f?\b", text), "called lane by lane"


@pytest.mark.parametrize("kind", ["LIF", "LIF, conductances", "Izhikevich"])
def test_double_precision_is_vectorised_too(kind):
    source = ss.source(MODELS[kind], "double")
    assert vector_products(machine_code(source), "double") >= products(hot_loop(source))


@pytest.mark.skipif(
    not llvm.get_host_cpu_features().get("avx512f"), reason="all tests here compile for AVX2"
)
def test_models_are_vectorised_on_machines_without_avx512_too():
    chosen = "product and (HodgkinHuxley or AdEx or Izhikevich or conductances)"
    command = [sys.executable, "-m", "pytest", "-q", __file__, "-k", chosen]
    environment = {**os.environ, "NUMBA_CPU_NAME": "haswell", "NUMBA_CPU_FEATURES": ""}
    told = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout
    assert " passed" in told.stdout


def test_a_step_with_a_branch_is_not_vectorised():
    """Or the tests above could not fail."""
    source = ss.source(ss.LIF(), "single")
    branch = source.replace("_crossed |= ", "_crossed = _crossed or ")
    assert branch != source
    assert vector_products(machine_code(branch)) < products(hot_loop(source))
