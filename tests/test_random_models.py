"""Random models and random networks of them, against the twin, which interprets their text."""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
import pytest
from hypothesis import HealthCheck, Phase, assume, given, note, settings, strategies as st
from twin import Outcome, assert_same, assert_twins, run_twin

import spikesim as ss
from spikesim.description.rules import Rule

STEPS = 40
SIZES = st.sampled_from([1, 2, 63, 64, 65, 128]) | st.integers(1, 130)
VARIABLES = ["v", "u", "x", "w"]
PARAMETERS = ["p", "q", "r", "tau", "th", "t_r", "i_0"]
METHODS = [
    "exact",
    "",
    "euler",
    "rk2",
    "rk4",
    "exponential_euler",
    "exponential_midpoint",
    "statements",
]

SATURATING = ss.Receptor(
    "",
    equations="ds_{r}/dt = -s_{r} / tau_{r}",
    current="c_{r} * s_{r}",
    arrival="s_{r} += w * (1 - s_{r}) * cos(t / tau_{r}); s_{r} = max(-1, min(1, s_{r}))",
    parameters={"tau_{r}": "1.7 ms", "c_{r}": "0.4"},
)
# A receptor with a weight that moves v by a part of its range.
LINEAR_RECEPTORS = [
    (ss.Delta(), 0.2),
    (ss.Exponential(1.5), 0.5),
    (ss.Exponential(ss.Uniform(0.5, 3.0)), 0.5),
    (ss.Alpha(0.7), 0.5),
    (ss.DoubleExponential(0.4, ss.Uniform(1.0, 3.0)), 0.5),
    (ss.Pulse(), 1.5),
]
RECEPTORS = [*LINEAR_RECEPTORS, (ss.Conductance(2.0, -1.5), 0.3), (SATURATING, 0.4)]


# Text


def numbers(low: float, high: float) -> st.SearchStrategy[str]:
    """Numbers so odd that no sum of them is another."""
    return st.integers(round(100 * low), round(100 * high)).map(lambda n: f"{(n + 0.37219) / 100}")


def conditions(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    compared = st.builds("({} {} {})".format, inner, st.sampled_from(["<", "<=", ">", ">="]), inner)
    unequal = st.builds("({} != {})".format, inner, numbers(5, 6))
    return st.one_of(
        compared,
        compared,
        unequal,
        compared.map("(not {})".format),
        st.builds("({} {} {})".format, compared, st.sampled_from(["and", "or"]), compared),
    )


def expressions(names: list[str], leaves: int = 6) -> st.SearchStrategy[str]:
    """Smooth, but where a condition jumps; finite wherever names are."""

    def larger(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
        return st.one_of(
            st.builds("({} {} {})".format, inner, st.sampled_from("+-*"), inner),
            st.builds("{} / (1 + abs({}))".format, inner, inner),
            st.builds("({} if {} else {})".format, inner, conditions(inner), inner),
            st.builds("{}({}, {})".format, st.sampled_from(["min", "max"]), inner, inner),
            st.builds("{}({})".format, st.sampled_from(["sin", "cos", "tanh", "abs"]), inner),
            st.builds("exp(min({}, 1))".format, inner),
            st.builds("exprel(max(-2, min(2, {})))".format, inner),
            st.builds("log(1.5 + abs({}))".format, inner),
            st.builds("sqrt(0.3 + abs({}))".format, inner),
            st.builds("max(-3, min(3, {})) ** {}".format, inner, st.integers(2, 4)),
            st.builds("(0.5 + abs({})) ** {}".format, inner, numbers(-1, 1)),
            st.builds("({} % {})".format, inner, numbers(2, 4)),
            st.builds("-({})".format, inner),
        )

    leaf = st.sampled_from(names) | numbers(-2, 2)
    return st.recursive(leaf, larger, max_leaves=leaves)


def bounded(names: list[str]) -> st.SearchStrategy[str]:
    """An expression between -1 and 1."""
    form = st.sampled_from(["tanh({})", "sin({})", "cos({})", "max(-1, min(1, {}))"])
    return st.builds(lambda form, inner: form.format(inner), form, expressions(names))


# Models


@st.composite
def linear_sides(draw, variables: list[str]) -> list[str]:
    """Right-hand sides; coefficients are expressions in the parameters."""
    sides = []
    for v in variables:
        target = draw(expressions(["p", "q", "r"], 3) | numbers(0.5, 3))
        side = f"({target} - {v}) / tau"
        for u in draw(st.lists(st.sampled_from(variables), max_size=2)):
            side += f" + 0.3 * {draw(bounded(['p', 'q', 'r']))} * {u}"
        sides.append(side)
    return sides


@st.composite
def sides_of_any_form(draw, variables: list[str], known: list[str]) -> list[str]:
    """Right-hand sides that pull their variable back into a range of about -5 to 5."""
    sides = []
    for v in variables:
        others = [name for name in known if name != v]
        pushed = f"{draw(numbers(0.1, 0.6))} * {draw(bounded(known))}"
        pushed += draw(st.sampled_from(["", " + 0.3 * sin(t / r)"]))
        form = draw(st.integers(0, 3))
        if form == 0:
            side = f"({draw(numbers(0, 3))} - {v}) / tau + {pushed}"
        elif form == 1:  # linear in v, at a rate that changes
            rate = f"({draw(bounded(others))} - 1.3) / tau"
            side = f"{rate} * {v} + 0.5 * {draw(bounded(others))}"
        elif form == 2:
            condition = draw(conditions(expressions(known, 3)))
            side = f"(({draw(numbers(1, 3))} - {v}) / tau if {condition} else {pushed} - {v} / r)"
        else:
            side = f"{pushed} - {v} ** 3 / (1 + {v} ** 2) / tau"
        sides.append(side)
    return sides


@st.composite
def methods(draw, variables: list[str]) -> str:
    """Statements that make a step of every variable."""
    written = []
    for v in draw(st.permutations(variables)):
        forms = [
            "{v} += dt * d{v}",
            "{v} += dt / 2 * d{v}; {v} = {v} + dt / 2 * d{v}",
            "{v} = {v} + dt / r * tanh(d{v} / r + 0.1 * t / r)",
            "{v} = ({v} + dt * d{v}) * exp(-dt / tau)",
            "{v} += dt * d{v} if d{v} / r > 0.0137 else dt / 2 * d{v}",
        ]
        others = [u for u in variables if u != v]
        if others:
            forms.append(f"{{v}} += dt * (d{{v}} + 0.2 * d{draw(st.sampled_from(others))} / r)")
        written.append(draw(st.sampled_from(forms)).format(v=v))
    return "; ".join(written)


@st.composite
def thresholds(draw, variables: list[str]) -> str:
    return draw(
        st.one_of(
            st.just("v >= th"),
            st.just("th < v"),
            st.just("not (v <= th)"),
            st.just("v + 0.2 * sin(t / r) > th * q"),
            numbers(0.5, 1.5).map("v > {}".format),
            conditions(expressions([*variables, "t / r"], 3)).map("v >= th and {}".format),
            numbers(0.5, 2).map(f"v > th or {variables[-1]} < -{{}}".format),
        )
    )


@st.composite
def resets(draw, variables: list[str]) -> str:
    """One to three statements, each of which sees what those before it did."""
    some = bounded([*variables, "t / r", "p", "q"])
    statements = ["v = 0.1 * p", "v -= th", "v *= 0.31", "v /= 2 + q"]
    written = [draw(st.sampled_from(statements))]
    for v in draw(st.lists(st.sampled_from(variables), max_size=2)):
        form = draw(st.sampled_from(["{} += 0.3 * {}", "{} = {}", "{} *= {}"]))
        written.append(form.format(v, draw(some)))
    return "; ".join(draw(st.permutations(written)))


@st.composite
def refractories(draw, variables: list[str]) -> str:
    timed = st.sampled_from(["", "0.6", "t_r", "2 * t_r + 0.3", "t_r if p > q else 0"])
    return draw(
        st.one_of(
            timed,
            timed,
            timed,
            numbers(-0.5, 0.8).map("v > {}".format),
            st.just("t / r % 3.713 < 2.119"),
            conditions(expressions([*variables, "t / r"], 3)),
        )
    )


class Kind(NamedTuple):
    """A model, and what suits its range: weights by receptor, a current, start values."""

    model: ss.NeuronModel
    weights: Mapping[str, float]
    current: float = 0.5
    init: Mapping[str, ss.Uniform] = {}


@st.composite
def kinds(draw, size: int) -> Kind:
    """Any model for ``size`` neurons."""
    method = draw(st.sampled_from(METHODS))
    linear = method in ("exact", "")
    variables = VARIABLES[: draw(st.integers(1, 4))]
    chosen = draw(st.lists(st.sampled_from(LINEAR_RECEPTORS if linear else RECEPTORS), max_size=2))
    receptors = {f"in{k}": receptor for k, (receptor, _) in enumerate(chosen)}
    weights = {f"in{k}": weight for k, (_, weight) in enumerate(chosen)}

    lines = []
    if linear:
        sides = draw(linear_sides(variables))
    else:
        known = [*variables, "p", "q", "r", "t / r", "dt / r", "i_syn / r"]
        for name in ["f", "g"][: draw(st.integers(0, 2))]:
            lines.append(f"{name} = {draw(expressions(known, 4))}")
            known.append(name)
        plain = [name for name in known if name not in ("f", "g")]
        sides = draw(sides_of_any_form(variables, known if draw(st.booleans()) else plain))
    lines += [f"d{v}/dt = {side}" for v, side in zip(variables, sides, strict=True)]
    lines[-len(variables)] += " + (i_syn + i_0) / r"
    lines = draw(st.permutations(lines))

    brought = [
        line.split("/dt")[0].strip()[1:].format(r=name)
        for name, receptor in receptors.items()
        for line in receptor.equations.split("\n")
        if line.strip()
    ]
    everything = [*variables, *brought]
    hold = draw(st.lists(st.sampled_from(everything), unique=True, max_size=2))
    if method == "statements":
        method = draw(methods(everything))

    random = np.random.default_rng(draw(st.integers(0, 2**32)))
    ranges = dict.fromkeys("pqr", (0.5, 1.8)) | {
        "tau": (0.8, 6.0),
        "th": (0.4, 1.5),
        "t_r": (0.0, 2.0),
        "i_0": (-0.5, 1.5),
    }
    values = {}
    for name, (low, high) in ranges.items():
        values[name] = draw(
            st.sampled_from(
                [random.uniform(low, high)] * 3
                + [random.uniform(low, high, size), ss.Uniform(low, high)]
            )
        )
    initial = {"v": random.uniform(-1, 2, size)}
    for v in variables[1:]:
        initial[v] = draw(
            st.sampled_from([random.uniform(-1, 1), ss.Normal(0.2, 0.5), "p * 0.3 - q"])
        )
    model = ss.NeuronModel(
        equations="\n".join(lines),
        threshold=draw(thresholds(variables)),
        reset=draw(resets(variables)),
        parameters=dict.fromkeys(ranges, "1"),
        receptors=receptors,
        refractory=draw(refractories(variables)),
        hold=tuple(hold),
        initial=initial,
        method=method,
        current="i_0",
        values=values,
    )
    return Kind(model, weights)


# Built-in ones share their kernels, so there can be many networks of them.
STARTS = {"v": ss.Uniform(-65, -51)}
LIFS = [
    Kind(
        ss.LIF(i_offset=ss.Uniform(250, 450), receptors={"slow": ss.Exponential(10.0)}),
        {"slow": 60.0},
        20.0,
        STARTS,
    ),
    Kind(
        ss.LIF(
            tau_m=ss.Normal(20, 3),
            t_ref=ss.Uniform(0, 3),
            i_offset=ss.Uniform(250, 450),
            receptors={"jump": ss.Delta(), "hump": ss.Alpha(0.5)},
        ),
        {"jump": 1.0, "hump": 60.0},
        20.0,
        STARTS,
    ),
    Kind(
        ss.LIF(
            c_m=100.0,
            i_offset=ss.Uniform(100, 250),
            receptors={"ampa": ss.Conductance(2.0), "gaba": ss.Conductance(8.0, -80.0)},
        ),
        {"ampa": 0.8, "gaba": 1.5},
        20.0,
        STARTS,
    ),
]


# Networks


@st.composite
def views(draw, population: ss.Population) -> ss.View:
    start = draw(st.integers(0, len(population) - 1))
    return draw(
        st.sampled_from([population[:], population[start:], population[start :: start % 3 + 1]])
    )


@st.composite
def rules(draw, source: ss.View, target: ss.View) -> Rule:
    multapses = draw(st.booleans())
    autapses = draw(st.booleans()) or min(source.size, target.size) < 3
    few = min(source.size, target.size) // 2
    pairs = source.size * target.size
    numbered = st.tuples(st.integers(0, source.size - 1), st.integers(0, target.size - 1))
    choices = [
        st.builds(ss.FixedProbability, st.floats(0, 0.2), st.just(autapses)),
        st.builds(ss.FixedInDegree, st.integers(0, few), st.just(autapses), st.just(multapses)),
        st.builds(ss.FixedOutDegree, st.integers(0, few), st.just(autapses), st.just(multapses)),
        st.builds(ss.FixedTotal, st.integers(0, pairs // 4), st.just(autapses), st.just(multapses)),
        st.lists(numbered, min_size=1, max_size=100).map(lambda p: ss.Pairs(*np.array(p).T)),
    ]
    if pairs < 4000:
        choices.append(st.just(ss.AllToAll(autapses)))
    if source.size == target.size:
        choices.append(st.just(ss.OneToOne()))
    return draw(st.one_of(choices))


def least(kind: Kind, receptor: str) -> float:
    """The least weight, of those as large as is suitable, that a receptor takes."""
    positive = kind.model.receptors[receptor].sign == "positive"
    return 0.0 if positive else -kind.weights[receptor]


def connect(draw, network: ss.Network, dt: float, kinds: dict[str, Kind]) -> None:
    """Add a projection between any two populations."""
    name = draw(st.sampled_from([name for name in kinds if kinds[name].weights]))
    source = draw(views(network.populations[draw(st.sampled_from(list(kinds)))]))
    target = draw(views(network.populations[name]))
    receptor, weight = draw(st.sampled_from(sorted(kinds[name].weights.items())))
    rule = draw(rules(source, target))
    low = least(kinds[name], receptor)
    strengths = [weight, ss.Uniform(low, weight), ss.Normal(weight, weight / 3, low, 3 * weight)]
    delays = [
        draw(st.integers(1, 20)) * dt,
        ss.Uniform(dt, draw(st.integers(2, 20)) * dt),
        ss.LogNormal(np.log(3 * dt), 0.7, dt, 20 * dt),
    ]
    shapes = {
        ss.Pairs: lambda: rule.sources.size,
        ss.OneToOne: lambda: source.size,
        ss.AllToAll: lambda: (source.size, target.size),
    }
    if type(rule) in shapes:
        random = np.random.default_rng(network.seed)
        shape = shapes[type(rule)]()
        strengths.append(random.uniform(low, weight, shape))
        delays.append(random.uniform(dt, 20 * dt, shape))
    network.connect(
        source,
        target,
        rule,
        weight=draw(st.sampled_from(strengths)),
        delay=draw(st.sampled_from(delays)),
        receptor=receptor,
    )


def drive(draw, network: ss.Network, dt: float, kinds: dict[str, Kind]) -> None:
    """Add given spikes, samples or a current to a part of any population."""
    name = draw(st.sampled_from(list(kinds)))
    target = draw(views(network.populations[name]))
    random = np.random.default_rng(network.seed)
    form = draw(st.sampled_from(["current", "sampled", "spikes"]))
    if form == "current" or not kinds[name].weights:
        most = kinds[name].current
        amplitude = draw(st.sampled_from([most, random.uniform(0, most, target.size)]))
        network.drive(target, ss.Current(amplitude))
        return
    receptor, weight = draw(st.sampled_from(sorted(kinds[name].weights.items())))
    low = least(kinds[name], receptor)
    if form == "sampled":
        bins, every = draw(st.integers(1, 12)), draw(st.integers(1, 5)) * dt
        values = random.uniform(low, weight, draw(st.sampled_from([bins, (bins, target.size)])))
        network.drive(target, ss.Sampled(values / 5, every, draw(st.booleans())), receptor=receptor)
    else:
        trains = [random.uniform(0, 1.2 * STEPS * dt, 4) for _ in range(target.size)]
        strength = draw(st.sampled_from([weight, random.uniform(low, weight, target.size)]))
        network.drive(target, ss.Spikes(trains, strength), receptor=receptor)


@st.composite
def networks(draw, populations: st.SearchStrategy) -> tuple[ss.Network, float]:
    """Populations of the sizes and kinds drawn, wired and driven at random; and a dt."""
    dt = draw(st.sampled_from([0.1, 0.5]))
    network = ss.Network(draw(st.integers(0, 2**32)))
    kinds = {}
    for name, (size, kind) in zip("abc", draw(populations), strict=False):
        network.population(name, size, kind.model, kind.init)
        kinds[name] = kind
    for _ in range(draw(st.integers(1, 4)) if any(k.weights for k in kinds.values()) else 0):
        connect(draw, network, dt, kinds)
    for _ in range(draw(st.integers(0, 3))):
        drive(draw, network, dt, kinds)
    note(f"dt = {dt}, {network.summary()}")
    for name, population in network.populations.items():
        note(f"{name}: {population.model}")
    return network, dt


ANY = SIZES.flatmap(lambda size: st.tuples(st.just(size), kinds(size)))
ANY_NETWORK = networks(st.lists(ANY, min_size=1, max_size=2))
LIF_NETWORK = networks(st.lists(st.tuples(SIZES, st.sampled_from(LIFS)), min_size=1, max_size=3))


# The comparison


def agree(one: Outcome, other: Outcome, tolerance: float) -> bool:
    same = all(
        np.array_equal(one.spikes[name][k], other.spikes[name][k])
        for name in one.spikes
        for k in (0, 1)
    )
    return same and all(
        np.allclose(values, other.state[name][v], rtol=tolerance, atol=tolerance)
        for name, state in one.state.items()
        for v, values in state.items()
    )


def run(network: ss.Network, dt: float, precision: str, threads: int) -> ss.Simulation:
    built = ss.build(network, dt=dt, precision=precision, threads=threads)
    simulation = ss.Simulation(built, threads=min(threads, 2))
    simulation.run(STEPS * dt)
    return simulation


def compare(network: ss.Network, dt: float) -> None:
    """One, two and three threads do what the twin does, bit for bit alike.

    Networks that multiply a rounding error by a thousand, or in which something is decided by one,
    are passed over.
    """
    first = ss.Simulation(ss.build(network, dt=dt, precision="double", threads=1))
    twin = run_twin(first, STEPS * dt)
    assume(twin.closest > 1e-10)
    assume(agree(twin, run_twin(first, STEPS * dt, nudge=1e-13), 1e-10))
    first.run(STEPS * dt)
    assert_same(first, twin)
    for threads in (2, 3):
        other = run(network, dt, "double", threads)
        for name, population in network.populations.items():
            for what in ("times", "neurons"):
                ours, theirs = (getattr(s.spikes[name], what) for s in (first, other))
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{what} of {name}")
            for v in population.model.dynamics.derivatives:
                ours, theirs = first.get(name, v), other.get(name, v)
                np.testing.assert_array_equal(ours, theirs, err_msg=f"{v} of {name}")


FEW = settings(
    deadline=None,
    derandomize=True,
    phases=[Phase.generate],  # to shrink would compile a kernel at every try
    suppress_health_check=[
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
        HealthCheck.filter_too_much,
    ],
)


@settings(FEW, max_examples=8)
@given(ANY_NETWORK)
def test_random_models_do_what_their_twins_do(made):
    compare(*made)


@settings(FEW, max_examples=15)
@given(LIF_NETWORK)
def test_random_networks_do_what_their_twins_do(made):
    compare(*made)


@settings(FEW, max_examples=3)
@given(ANY_NETWORK)
def test_random_models_stay_finite_in_single_precision(made):
    network, dt = made
    simulation = run(network, dt, "single", 1)
    for name, population in network.populations.items():
        for v in population.model.dynamics.derivatives:
            assert np.isfinite(simulation.get(name, v)).all(), f"{v} of {name}"


@pytest.mark.slow
@settings(FEW, max_examples=300, derandomize=False)
@given(ANY_NETWORK)
def test_many_random_models_do_what_their_twins_do(made):
    compare(*made)


@pytest.mark.slow
@settings(FEW, max_examples=300, derandomize=False)
@given(LIF_NETWORK)
def test_many_random_networks_do_what_their_twins_do(made):
    compare(*made)


@pytest.mark.parametrize(
    "changes",
    [
        {"threshold": "v >= 1 and p > 0.7"},
        {"threshold": "v >= 1 or 1 > 2"},
        {"refractory": "p > 0.7"},
        {"refractory": "0.5 if p > 0.7 and q > 0.2 else 1"},
        {"equations": "dv/dt = (2 - v) / q if p > 0.7 or v > 0.31 else 3; du/dt = -u / q"},
        {"receptors": {"r": ss.Receptor("", arrival="u += w * t")}},
        {"method": "v += dt * dv; u += dt * (du + dv)"},
    ],
)
def test_what_random_models_found(changes):
    """Fixed conditions within others, time in an arrival, the derivative of what is held."""
    model = ss.NeuronModel(
        **{
            "equations": "dv/dt = (2 - v) / q; du/dt = -u / q",
            "threshold": "v >= 1",
            "reset": "v = 0; u += 0.1",
            "refractory": "1.0",
            "hold": ("v",),
            "parameters": {"p": "1", "q": "2"},
            "values": {"p": ss.Uniform(0.5, 1.0)},
            "initial": {"v": ss.Uniform(0, 1)},
            "method": "rk2",
            **changes,
        }
    )
    network = ss.Network()
    a = network.population("a", 70, model)
    for receptor in model.receptors:
        network.drive(a, ss.Spikes([[1.0, 2.0]] * 70, 0.5), receptor=receptor)
    assert assert_twins(ss.Simulation(network, precision="double"), 10.0) > 10


def test_populations_without_receptors_have_no_synapses():
    network = ss.Network()
    network.population("deaf", 70, ss.LIF(receptors={}))
    b = network.population("b", 70, ss.LIF(receptors={"r": ss.Delta()}))
    network.connect(b, b, ss.OneToOne(), weight=1.0, delay=1.0)
    built = ss.build(network, threads=1)
    assert len(built.synapses("b", "deaf")) == 0 and len(built.synapses("b", "b")) == 70
