"""The elementary functions of kernels: their error, their edges, and that they vectorise."""

import platform
import re

import llvmlite.binding as llvm
import numba
import numpy as np
import pytest

from spikesim.kernels import functions

PRECISE = np.finfo(np.longdouble).nmant >= 63


def over(name: str):
    """A loop over the function of this name, as a kernel has it."""
    function = getattr(functions, name)

    @numba.njit(error_model="numpy")
    def loop(x, out):
        for k in range(x.size):
            out[k] = function(x[k])

    return loop


LOOPS = {
    name: over(name)
    for name in ("exprel", "log", "tanh", "sin", "cos", "gentle", "gentle_or_steep")
}


def found(name: str, x: np.ndarray) -> np.ndarray:
    out = np.empty_like(x)
    LOOPS[name](x, out)
    return out


def exact(name: str, x: np.ndarray) -> np.ndarray:
    """The result in a precision beyond that of x."""
    if x.dtype == np.float64 and not PRECISE:
        pytest.skip("long double is no longer than double on this machine")
    x = x.astype(np.longdouble)
    return np.expm1(x) / x if name == "exprel" else getattr(np, name)(x)


def ulps(name: str, x: np.ndarray) -> np.ndarray:
    wanted = exact(name, x)
    unit = np.spacing(np.abs(wanted).astype(x.dtype)).astype(np.longdouble)
    return np.abs(found(name, x).astype(np.longdouble) - wanted) / unit


def multiples_of_half_pi(kind: type) -> np.ndarray:
    """Numbers up to 1e4 that are as near a zero of sine or cosine as their precision allows."""
    near = (np.arange(1, 6366) * (np.pi / 2)).astype(kind)
    return np.concatenate([near, np.nextafter(near, kind(0)), near * kind(0.5)])


def arguments(name: str, kind: type) -> np.ndarray:
    random = np.random.default_rng(1)
    info = np.finfo(kind)
    small = 10.0 ** random.uniform(-30, 0, 20000)
    if name == "log":
        everywhere = np.exp(random.uniform(np.log(info.tiny) * 0.999, np.log(info.max), 50000))
        x = [everywhere, small, 1 + random.normal(0, 0.3, 20000).clip(-0.9), 1 + small, 1 - small]
        x = [*x, 2.0 ** np.arange(-126, 128), np.sqrt(0.5) * (1 + 1e-7 * random.normal(size=99))]
        x = np.concatenate([*x, [info.tiny, info.max]]).astype(kind)
        return x[x > 0]
    if name == "exprel":
        largest = np.log(info.max) - 1
        x = [random.uniform(0, largest, 50000), random.uniform(0, 2, 50000), small]
    elif name == "tanh":
        x = [random.uniform(0, 1, 50000), random.uniform(0, 25, 50000), small, [1e4, info.max]]
    else:
        x = [random.uniform(0, 1e4, 50000), random.uniform(0, 7, 50000), small]
        x.append(multiples_of_half_pi(kind))
    x = np.concatenate(x).astype(kind)
    return np.concatenate([x, -x])


BOUNDS = [  # what the docstrings say
    *(("exprel", np.float64, 2.0), ("exprel", np.float32, 2.0)),
    *(("log", np.float64, 1.0), ("log", np.float32, 1.0)),
    *(("tanh", np.float64, 3.0), ("tanh", np.float32, 3.0)),
    *(("sin", np.float64, 2.0), ("sin", np.float32, 2.0)),
    *(("cos", np.float64, 2.0), ("cos", np.float32, 2.0)),
]


@pytest.mark.parametrize(("name", "kind", "bound"), BOUNDS)
def test_error_in_units_of_the_last_place(name, kind, bound):
    x = arguments(name, kind)
    error = ulps(name, x)
    worst = int(np.argmax(np.where(np.isnan(error), np.inf, error)))
    assert error[worst] <= bound, f"{name}({x[worst]!r}) is off by {error[worst]:.2f} ulp"


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_edges_of_log(kind):
    tiny = np.finfo(kind).tiny
    x = np.array([0.0, -0.0, tiny / 4, 1.0, np.inf, -tiny, -1.0, -np.inf, np.nan], kind)
    wanted = [-np.inf, -np.inf, -np.inf, 0.0, np.inf, np.nan, np.nan, np.nan, np.nan]
    np.testing.assert_array_equal(found("log", x), np.array(wanted, kind))


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_edges_of_tanh(kind):
    x = np.array([0.0, -0.0, np.inf, -np.inf, np.nan], kind)
    result = found("tanh", x)
    np.testing.assert_array_equal(result, np.array([0, 0, 1, -1, np.nan], kind))
    assert list(np.signbit(result[:2])) == [False, True]


@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", ["sin", "cos"])
def test_sine_and_cosine_beyond_their_range(name, kind):
    x = 10.0 ** np.linspace(4, np.finfo(kind).maxexp * 0.3, 1000).astype(kind)
    assert np.all(np.abs(found(name, np.concatenate([x, -x]))) <= 1)
    assert np.all(np.isnan(found(name, np.array([np.inf, -np.inf, np.nan], kind))))
    assert found(name, np.zeros(1, kind))[0] == (name == "cos")


@pytest.mark.parametrize("kind", [np.float64, np.float32])
def test_exprel_at_and_around_zero(kind):
    tiny = np.finfo(kind).tiny
    np.testing.assert_array_equal(found("exprel", np.array([0.0, -0.0, tiny, -tiny], kind)), 1)


@pytest.mark.parametrize("name", ["tanh", "sin", "cos"])
def test_symmetry(name):
    """Odd or even to the last bit: a network and its mirror image do the same."""
    x = arguments(name, np.float64)
    sign = 1 if name == "cos" else -1
    np.testing.assert_array_equal(found(name, -x), sign * found(name, x))


@pytest.mark.skipif(
    platform.machine().lower() not in ("x86_64", "amd64")
    or not llvm.get_host_cpu_features().get("avx2"),
    reason="looks for instructions of AVX2 and AVX-512",
)
@pytest.mark.parametrize("kind", [np.float64, np.float32])
@pytest.mark.parametrize("name", LOOPS)
def test_loops_vectorise(name, kind):
    x = np.ones(4, kind)
    found(name, x)
    array = numba.typeof(x)
    text = LOOPS[name].inspect_asm((array, array))
    letter = "d" if kind is np.float64 else "s"
    assert len(re.findall(rf"v(?:mul|add|sub|fn?m\w+)p{letter}\s.*[yz]mm", text)) >= 8
    assert not re.findall(rf"\b{name}f?\b\s*$", text, re.M), "calls the C library lane by lane"


@pytest.mark.parametrize("kind", [np.float32, np.float64])
def test_exprel_of_gentle_slopes(kind):
    x = np.linspace(-0.9999, 0.0999, 20001).astype(kind)
    with np.errstate(invalid="ignore"):
        exact = np.where(x == 0, 1, np.expm1(x.astype(float)) / x)
    assert np.max(np.abs(found("gentle", x) / exact - 1)) <= 2 * np.finfo(kind).eps
    np.testing.assert_array_equal(found("gentle_or_steep", x), found("gentle", x))
    steep = np.concatenate([np.linspace(-80, -1.01, 1001), np.linspace(0.11, 80, 1001)])
    np.testing.assert_array_equal(
        found("gentle_or_steep", steep.astype(kind)), found("exprel", steep.astype(kind))
    )
