"""No name that a model may have meets a name that its kernel makes."""

import ast

import numpy as np
import pytest

import spikesim as ss
from spikesim.description.dynamics import Upswing

# Words that kernels used beside a model's own before theirs began with an underscore, some that
# they would use without it, and what they make of v, w, x and a receptor r.
FIXED = """
    refractory_steps active real update t_end now waits normals key state const ring ids first start
    last size base step lanes np range block count crossed j bits some strayed diverged types entry
    compact interleave fma gentle gentle_or_steep lowest carried double_at double_lanes slopes go_on
    pass_peak hermite passing scratch inlined part part__ steep growth kept__ fires__ left__ free__
    share__ parts__ x__ h__ x__peak x__start x__slope_0 resume__ wide__ wide_0 wide_dt t__above
    t__below t_1 t_2 k0 k1 k2 k3 k12 z_0 z_1 z0 xpeak done int sign clip dt_wide resume h a_b b
"""
MADE = """
    v_ v_new v_held v_slope v_slope0 v_carry v_change v_set v_after v_before v_row v_0 v_1 v_2 v_1q
    v_end dv_0 dv_1 dv_1q dv_end p_v p_v_v p_v_1 p_v_x p_x_v q_v q_v_w_r n_v n_v_0 v_held_n0 v_v_p
    v_p v_q v_p1 in_r unit_r r_in r_unit seen_v v_seen v_wide wide_v w_carry w_set x_ x_1 x_slope1
"""
WORDS = [*FIXED.split(), *MADE.split()]
PLAIN = [f"plain{k}" for k in range(len(WORDS))]
METHODS = (
    "exact",
    "exponential_euler",
    "exponential_midpoint",
    "euler",
    "rk2",
    "rk4",
    "statements",
)
NOISY = ("exact", "exponential_euler", "euler")
PRECISIONS = ("single", "double")
SIZE = 3
# What functions of a kernel may hold beside a model's names and those with an underscore.
LANGUAGE = {"t", "dt", "w_r", "w_new", "i_new", "tau_new", "abs", "min", "max", "sin", "exprel"}


def model(method: str, variables: list[str], parameters: list[str]) -> ss.NeuronModel:
    """Neurons that fire, with noise where a method takes it, times, and what is carried."""
    p, q, r, s = parameters[:4]
    bent = f" - {r} * v * x * abs(v) + {s} * sin(t / {q})" if method != "exact" else ""
    noise = " + 0.02 * xi" if method in NOISY and len(variables) < 4 else ""
    chain = zip(variables, ["v", *variables], strict=False)
    links = [f"d{a}/dt = ({b} - {a}) / (5 * {q})" for a, b in chain]
    states = ["v", "x", "w", *variables]
    more = " + ".join(f"{each} * {states[k % len(states)]}" for k, each in enumerate(parameters))
    scheme = "; ".join(f"{a} = {a} + dt * d{a}" for a in states)
    return ss.NeuronModel(
        f"""
        dv/dt = ({p} - v) / 5 + {r} * {variables[-1]} + i_syn{bent}{noise}
        dx/dt = ({s} - x) / 1e5
        dw/dt = -w / 3e5
        {chr(10).join(links)}
        seen = v + {q} * x""",
        threshold=f"v >= {s} and w < 1e6",
        reset=f"v = 0; x += {more}" + ("; w = t" if method != "exact" else ""),
        parameters={each: str(1e-4 * (k % 7)) for k, each in enumerate(parameters)},
        values={p: np.linspace(1.5, 2, SIZE), q: 1.5, r: 0.02, s: np.linspace(0.8, 1, SIZE)},
        receptors={"new": ss.Exponential(2.0), "r": ss.Receptor("", arrival="v += w")},
        refractory="0.3",
        hold=("v",),
        initial={"v": 0.5, "x": 0.2, **dict.fromkeys(variables, 0.1)},
        method=scheme if method == "statements" else method,
        current=p,
    )


def run(made: ss.NeuronModel, precision: str) -> list[np.ndarray]:
    """Everything that can be seen of a run."""
    net = ss.Network(seed=3)
    a = net.population("a", SIZE, made)
    net.drive(a, ss.Poisson(500.0, 0.05), receptor="new")
    net.drive(a, ss.Poisson(500.0, 0.05), receptor="r")
    record = [ss.Trace(a, "seen", every=0.1), ss.Trace(a, "v", every=0.1)]
    s = ss.Simulation(net, precision=precision, threads=1, seed=5, record=record)
    s.run(20.0)
    spikes, samples = s.spikes["a"], [s.traces["a", name].values for name in ("seen", "v")]
    states = [s.get("a", v) for v in made.dynamics.derivatives]
    return [spikes.times, spikes.neurons, *samples, *states]


def some(names: list[str], method: str, precision: str) -> list[str]:
    """Twelve of the names, others for each method and precision."""
    turn = METHODS.index(method) + len(METHODS) * PRECISIONS.index(precision)
    return [names[(12 * turn + k) % len(names)] for k in range(12)]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("method", METHODS)
def test_a_run_is_the_same_whatever_names_are(method, precision):
    found, wanted = (
        run(model(method, names[:3], names[3:]), precision)
        for names in (some(WORDS, method, precision), some(PLAIN, method, precision))
    )
    assert wanted[0].size > 3
    for one, other in zip(found, wanted, strict=True):
        assert np.array_equal(one, other) and np.all(np.isfinite(one))


def identifiers(source: str) -> list[str]:
    """Names in functions of a text, in one order."""
    nodes = [
        n for f in ast.parse(source).body if isinstance(f, ast.FunctionDef) for n in ast.walk(f)
    ]
    return [
        n.id if isinstance(n, ast.Name) else n.arg
        for n in nodes
        if isinstance(n, ast.Name | ast.arg)
    ]


@pytest.mark.parametrize("precision", PRECISIONS)
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("part", range(8))
def test_no_word_makes_two_names_of_a_kernel_one(part, method, precision):
    """Each word is a variable once, and a parameter once."""
    twice = {f"d{word}" for word in WORDS} if method == "statements" else set()
    order = [k for k, word in enumerate(WORDS) if word not in twice]
    variables, parameters = order[part::8], order[(part + 1) % 8 :: 8]
    words, plain = (
        identifiers(
            ss.source(
                model(method, [names[k] for k in variables], [names[k] for k in parameters]),
                precision,
            )
        )
        for names in (WORDS, PLAIN)
    )
    assert len(words) == len(plain)
    pairs = set(zip(plain, words, strict=True))
    assert len(pairs) == len(set(plain)) == len(set(words))
    mine = [name for name in words if not name.startswith("_")]
    assert set(mine) <= {*WORDS, *LANGUAGE, "v", "x", "w"}


@pytest.mark.parametrize("method", ["rk2", "rk4"])
def test_no_word_is_that_of_a_spike_within_a_step(method):
    """All words are parameters, and a few variables, of neurons that go on from a spike."""

    def source(names: list[str]) -> str:
        states, parameters = [names[k] for k in order[:9]], [names[k] for k in order[9:]]
        rates = "; ".join(f"d{u}/dt = (v - {u}) / 50" for u in states)
        more = " + ".join(f"{p} * {states[k % 9]}" for k, p in enumerate(parameters))
        model = ss.NeuronModel(
            f"dv/dt = (exp((v - 1) * 2) - v) / 9 + {more} + i_syn; dx/dt = v - x; {rates}",
            threshold="v >= 5",
            reset=f"v = 0; x += {states[0]}",
            parameters={p: "0.001" for p in parameters},
            receptors={"r": ss.Exponential()},
            refractory=f"1 + {parameters[0]}",
            hold=("v",),
            method=method,
            upswing=Upswing(
                to="exp(1 - v)", back="1 - log(x)", slope="-x", stride="x / 2", above="1", steep="1"
            ),
        )
        return model.source("single")

    special = {"x__", "h__", "h", "share__", "parts__", "xpeak", "x_1", "x_slope1", "v_end"}
    order = sorted(range(len(WORDS)), key=lambda k: WORDS[k] not in special)
    texts = [source(names) for names in (WORDS, PLAIN)]
    words, plain = (set(identifiers(text)) for text in texts)
    assert "_pass_peak" in words and len(words) == len(plain)
    assert {name for name in words if name[0] != "_"} <= {*WORDS, *LANGUAGE, "i_r", "tau_r"} | {
        *("v", "x", "exp", "log", "ceil")
    }


def test_words_are_told_once():
    assert len(WORDS) == len(set(WORDS))
