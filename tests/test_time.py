"""Time in equations after a day, its decimals, and spikes beyond 2^31 steps."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given, settings, strategies as st

import spikesim as ss
from spikesim.engine.clock.steps import arrival_steps
from spikesim.kernels import functions
from spikesim.times import milliseconds, ratio

DAY = 8_640_000_000  # steps of .01 ms
PI = Fraction(
    314159265358979323846264338327950288419716939937510582097494459230781640628620899, 10**80
)
STEPS = [0.1, 0.01, 0.001, 0.025, 0.015625, 1 / 3]


def simulation(model: ss.NeuronModel, dt: float = 0.01, size: int = 1, **options) -> ss.Simulation:
    net = ss.Network()
    net.population("a", size, model)
    return ss.Simulation(net, dt=dt, **{"threads": 1, **options})


def decimal(dt: float) -> Fraction:
    """The dt that was meant."""
    return Fraction(dt).limit_denominator(10**6)


def sine(cycles: Fraction) -> float:
    """sin(2 pi cycles), to the last place."""
    x = 2 * PI * (cycles - round(cycles))
    term, total = x, x
    for k in range(1, 40):
        term = -term * x * x / ((2 * k) * (2 * k + 1))
        term = term.limit_denominator(10**60)
        total += term
    return float(total)


def seen(
    expression: str,
    steps: int = 40,
    *,
    dt: float = 0.01,
    begin: int = DAY,
    size: int = 1,
    precision: str = "single",
    parameters: dict | None = None,
    values: dict | None = None,
) -> np.ndarray:
    """An expression in t at the end of each step, recorded as a definition, [step, neuron]."""
    model = ss.NeuronModel(
        equations=f"y = {expression}\ndv/dt = -v / 20 : mV",
        threshold="v > 1000",
        reset="",
        parameters=parameters or {},
        values=values or {},
    )
    net = ss.Network()
    a = net.population("a", size, model)
    s = ss.Simulation(net, dt=dt, precision=precision, threads=1, record=[ss.Trace(a, "y", dt)])
    s.state.step = begin
    s.run(round(steps * dt, 9))
    trace = s.traces["a", "y"]
    assert np.array_equal(trace.times, milliseconds(begin + 1 + np.arange(steps), dt))
    return trace.values


def ends(steps: int = 40, dt: float = 0.01, begin: int = DAY) -> list[Fraction]:
    """Exact times of the ends of steps (ms)."""
    return [decimal(dt) * (begin + 1 + k) for k in range(steps)]


# Functions of t after a day


@pytest.mark.parametrize("dt", [0.1, 0.01, 0.001])
@pytest.mark.parametrize(("precision", "near"), [("single", 1e-6), ("double", 2 * np.pi * 1e-9)])
def test_a_sine_after_a_day(precision, near, dt):
    begin = round(24 * 3600e3 / dt)
    found = seen(
        "sin(2 * pi * f * t / 1000)",
        100,
        dt=dt,
        begin=begin,
        precision=precision,
        parameters={"f": "40 Hz"},
    )[:, 0]
    wanted = [sine(40 * t / 1000) for t in ends(100, dt, begin)]
    assert abs(found - wanted).max() < near


@pytest.mark.parametrize("form", ["cos(2 * pi * f * t / 1000)", "cos(2 * pi * (f / 1000) * t)"])
def test_a_cosine_after_a_day(form):
    found = seen(form, parameters={"f": "40 Hz"})[:, 0]
    wanted = [sine(40 * t / 1000 + Fraction(1, 4)) for t in ends()]
    assert abs(found - wanted).max() < 1e-6


@pytest.mark.parametrize(("precision", "near"), [("single", 1e-6), ("double", 1e-9)])
def test_a_phase_after_a_day(precision, near):
    found = seen("(f * t / 1000) % 1", precision=precision, parameters={"f": "40 Hz"})[:, 0]
    wanted = np.array([float((40 * t / 1000) % 1) for t in ends()])
    off = abs(found - wanted)
    assert np.minimum(off, 1 - off).max() < near


@pytest.mark.parametrize("precision", ["single", "double"])
def test_a_frequency_for_each_neuron(precision):
    f = np.linspace(1.0, 97.0, 70)
    near = 1e-6 if precision == "single" else 2 * np.pi * 1e-9 * 97 / 40
    given = {"parameters": {"f": "40 Hz"}, "values": {"f": f}}
    sines = seen("sin(2 * pi * f * t / 1000)", 5, size=70, precision=precision, **given)
    phases = seen("(f * t / 1000) % 1", 5, size=70, precision=precision, **given)
    for k, t in enumerate(ends(5)):
        cycles = [Fraction(x) * t / 1000 for x in f]
        assert abs(sines[k] - [sine(c) for c in cycles]).max() < near
        off = abs(phases[k] - [float(c % 1) for c in cycles])
        assert np.minimum(off, 1 - off).max() < 1e-6


def test_a_phase_that_is_shifted_and_a_frequency_of_a_definition():
    found = seen("sin(2 * pi * f * t / 1000 + phi)", parameters={"f": "40 Hz", "phi": "0.7"})
    half = Fraction(7, 10) / (2 * PI)
    wanted = [sine(40 * t / 1000 + half) for t in ends()]
    assert abs(found[:, 0] - wanted).max() < 1e-6
    found = seen("sin(2 * pi * 40 * (t - a) / 1000)", parameters={"a": "3.21 ms"})
    wanted = [sine(40 * (t - Fraction(321, 100)) / 1000) for t in ends()]
    assert abs(found[:, 0] - wanted).max() < 1e-6


def test_gates_by_period():
    """Open for 5 of 20 ms; at edges as the decimal time says."""
    found = seen("1.0 if t % period < 5 else 0.0", 4000, parameters={"period": "20 ms"})[:, 0]
    wanted = np.array([float(t % 20 < 5) for t in ends(4000)])
    assert np.array_equal(found, wanted) and 0 < wanted.sum() < 4000
    found = seen("t % period", 4000, parameters={"period": "7 ms"})[:, 0]
    wanted = np.array([float(t % 7) for t in ends(4000)])
    assert abs(found - wanted).max() < 1e-6


@pytest.mark.parametrize("dt", [0.1, 0.01, 0.001])
def test_t_passes_a_time_in_its_step(dt):
    begin = round(24 * 3600e3 / dt)
    a = float(ends(8, dt, begin)[4])
    given = {"dt": dt, "begin": begin, "parameters": {"a": "0 ms"}, "values": {"a": a}}
    at = seen("1.0 if t >= a else 0.0", 8, **given)[:, 0]
    after = seen("1.0 if t > a else 0.0", 8, **given)[:, 0]
    assert np.array_equal(at, np.arange(8) >= 4)
    assert np.array_equal(after, np.arange(8) > 4)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("begin", [0, 36_000_000])
def test_t_is_a_decimal_in_equations_too(begin, precision):
    """3 * 0.1 is above 0.3; t is not."""
    times = [float(t) for t in ends(70, 0.1, begin)]
    given = {"parameters": {"a": "0 ms"}, "values": {"a": np.array(times)}, "size": 70}
    after = seen("1.0 if t > a else 0.0", 70, dt=0.1, begin=begin, precision=precision, **given)
    at = seen("1.0 if t >= a else 0.0", 70, dt=0.1, begin=begin, precision=precision, **given)
    assert np.array_equal(after, np.tri(70, k=-1))
    assert np.array_equal(at, np.tri(70))


def test_times_of_each_neuron_are_passed_in_their_step():
    times = ends(70)
    found = seen(
        "1.0 if t > a else 0.0",
        70,
        size=70,
        parameters={"a": "0 ms"},
        values={"a": np.array([float(t) for t in times])},
    )
    assert np.array_equal(found, np.tri(70, k=-1))


def test_functions_that_keep_a_time():
    found = seen("min(t, a) - a", parameters={"a": "86400000.2 ms"})[:, 0]
    wanted = [float(min(t - Fraction(864000002, 10), Fraction(0))) for t in ends()]
    assert abs(found - wanted).max() < 1e-6
    found = seen("t / one - floor(t / one)", parameters={"one": "1 ms"})[:, 0]
    assert abs(found - [float(t % 1) for t in ends()]).max() < 1e-6
    found = seen("abs(a - t)", parameters={"a": "86400000.2 ms"})[:, 0]
    wanted = [float(abs(t - Fraction(864000002, 10))) for t in ends()]
    assert abs(found - wanted).max() < 1e-6


@pytest.mark.parametrize("method", ["exponential_euler", "euler", "rk2", "rk4"])
def test_an_equation_with_t_goes_as_it_would_have_after_a_whole_number_of_periods(method):
    """Right-hand sides see t as well, at the inner times of a method too."""
    model = ss.NeuronModel(
        equations="dv/dt = (drive * sin(2 * pi * 40 * t / 1000) - v) / 20 : mV",
        threshold="v > 1000",
        reset="",
        parameters={"drive": "20 mV"},
        method=method,
    )
    found = []
    for begin in (0, DAY):
        s = simulation(model)
        s.state.step = begin
        s.run(60.0)
        found.append(s.get("a", "v")[0])
    assert abs(found[0]) > 0.1 and found[1] == pytest.approx(found[0], abs=2e-6)


# Times that are kept


@pytest.mark.parametrize("precision", ["single", "double"])
def test_the_time_since_the_last_spike(precision):
    """A variable that is set to the time at a spike; what decays with the time since then."""
    model = ss.NeuronModel(
        equations="""
            since = t - t_last : ms
            trace = exp(-(t - t_last) / tau)
            dv/dt = 1.0
            dt_last/dt = 0 * t_last / tau : ms""",
        threshold="v >= 0.9",
        reset="v = 0; t_last = t",
        parameters={"tau": "3 ms"},
        method="euler",
    )
    net = ss.Network()
    a = net.population("a", 3, model)
    records = [ss.Trace(a, "since", 0.01), ss.Trace(a, "trace", 0.01)]
    s = ss.Simulation(net, dt=0.01, threads=1, precision=precision, record=records)
    s.state.step = DAY
    s.run(6.0)
    spikes = np.rint(s.spikes["a"][0] * 100).astype(np.int64) - DAY
    assert spikes.size >= 6
    since, trace = s.traces["a", "since"].values[:, 0], s.traces["a", "trace"].values[:, 0]
    for k in range(spikes[0], 600):
        # What is seen is as of the end of a step, after the reset: 0 at a spike.
        wanted = (k - spikes[spikes <= k].max()) / 100
        assert since[k - 1] == pytest.approx(wanted, abs=1e-6)
        assert trace[k - 1] == pytest.approx(math.exp(-wanted / 3), abs=1e-6)


@pytest.mark.parametrize("precision", ["single", "double"])
@pytest.mark.parametrize("rule", ["threshold", "refractory"])
def test_conditions_with_t_for_spikes(rule, precision):
    """A neuron that fires at times of a clock, and one that is silent for a time after a spike."""
    if rule == "threshold":
        model = ss.NeuronModel(
            equations="dv/dt = -v / 20", threshold="v >= t % 7 - 0.005", reset="v = 0"
        )
        wanted = [k for k, t in enumerate(ends(4000), 1) if t % 7 == 0]
    else:
        model = ss.NeuronModel(
            equations="dv/dt = 0 * v / 20\ndt_last/dt = 0 * t_last / 20 : ms",
            threshold="v >= 0",
            reset="t_last = t",
            refractory="t - t_last < 2.995",
            method="euler",
        )
        wanted = None
    s = simulation(model, precision=precision)
    s.state.step = DAY
    s.run(40.0)
    found = np.rint(s.spikes["a"].times * 100).astype(np.int64) - DAY
    if wanted is not None:
        assert found.tolist() == wanted and len(wanted) > 4
    else:  # the condition is looked at at the beginning of a step
        assert found.size > 10 and set(np.diff(found)) == {301}


# Sine and cosine of large arguments


def digits(x: float, shift: int) -> float:
    """sin(x) or, with a shift of 1, cos(x), by rational arithmetic."""
    return sine(Fraction(x) / (2 * PI) + Fraction(shift, 4))


def large() -> np.ndarray:
    rng = np.random.default_rng(5)
    x = np.concatenate([10.0 ** rng.uniform(0, 15, 60), -(10.0 ** rng.uniform(0, 15, 60))])
    near = np.array([float(round(Fraction(10) ** k / PI) * PI / 2) for k in range(1, 16)])
    return np.concatenate([x, near, [1e15, 0.0]])


@pytest.mark.parametrize(("name", "shift"), [("sin", 0), ("cos", 1)])
def test_sine_and_cosine_of_large_arguments(name, shift):
    import numba

    function = getattr(functions, name)

    @numba.njit(error_model="numpy")
    def loop(x, out):
        for k in range(x.size):
            out[k] = function(x[k])

    x = large()
    out = np.empty_like(x)
    loop(x, out)
    wanted = np.array([digits(v, shift) for v in x])
    assert abs(out - wanted).max() < 1e-12


# Decimals


def test_times_are_decimals():
    assert milliseconds(3, 0.1) == 0.3 and 3 * 0.1 != 0.3
    assert ratio(0.1) == (1.0, 10.0) and ratio(1 / 3) == (1.0, 3.0)
    assert ratio(0.015625) == (1.0, 64.0) and ratio(0.025) == (1.0, 40.0)
    assert milliseconds(np.array([1, 7]), 0.1).tolist() == [0.1, 0.7]
    for odd in (math.pi / 10, 1e-12 * math.pi):
        above, below = ratio(odd)
        assert above / below == odd


@pytest.mark.parametrize("dt", STEPS)
@given(st.integers(0, 2**53))
@example(2**53)
@example(2**53 - 1)
@example(2**31)
@settings(deadline=None, max_examples=60)
def test_a_time_is_the_number_nearest_to_its_decimal(dt, step):
    found, wanted = Fraction(float(milliseconds(step, dt))), decimal(dt) * step
    assert abs(found - wanted) <= Fraction(math.ulp(float(wanted))) / 2
    assert float(found) == float(wanted)


@pytest.mark.parametrize("dt", STEPS)
@pytest.mark.parametrize("power", [20, 31, 36, 51])
def test_given_times_are_found_in_their_step(dt, power):
    steps = np.random.default_rng(power).integers(2 ** (power - 1), 2**power, 1000)
    times = milliseconds(steps, dt)
    assert np.array_equal(arrival_steps(times, dt), steps - 1)
    if power < 36:
        assert np.array_equal(arrival_steps(times - 0.4 * dt, dt), steps - 1)
        assert np.array_equal(arrival_steps(times + 0.4 * dt, dt), steps)


def test_recorded_times_are_decimals():
    net = ss.Network()
    a = net.population("a", 1, ss.LIF(i_offset=500.0))
    records = [ss.Trace(a, "v", 0.1), ss.Rate(a, 0.3), ss.Mean(a, "v", 0.7)]
    s = ss.Simulation(net, dt=0.1, threads=1, record=records)
    s.run(40.0)
    assert s.traces["a", "v"].times.tolist() == [(k + 1) / 10 for k in range(400)]
    assert s.means["a", "v"].times.tolist() == [7 * (k + 1) / 10 for k in range(57)]
    assert s.binned["a"].times.tolist() == [3 * (k + 1) / 10 for k in range(133)]
    assert s.time == 40.0
    times = s.spikes["a"].times
    assert times.size and times.tolist() == [round(t * 10) / 10 for t in times]


# Many steps


def clockwork() -> ss.Network:
    """A network that goes the same way from whichever step it starts."""
    net = ss.Network(seed=2)
    a = net.population("a", 130, ss.LIF(i_offset=ss.Uniform(200, 500)))
    b = net.population("b", 70, ss.AdEx(i_offset=ss.Uniform(500, 900)))
    net.connect(a, [a, b], ss.FixedProbability(0.1), weight=20.0, delay=1.5, receptor="exc")
    net.connect(b, a, ss.FixedInDegree(5), weight=-20.0, delay=1.0, receptor="inh")
    return net


def records(net: ss.Network) -> list:
    a, b = net.populations["a"], net.populations["b"]
    every = [ss.Trace(a[::9], "v", 0.5), ss.Trace(b, "w", 1.0), ss.Rate(a, 2.0), ss.Rate(b, 5.0)]
    return [*every, ss.Mean(b, "v", 0.5), ss.LFP(a, 1.0)]


def shifted(begin: int, threads: int = 1, **options) -> ss.Simulation:
    net = clockwork()
    s = ss.Simulation(net, dt=0.1, threads=threads, record=records(net), **options)
    s.state.step = begin
    s.run(60.0)
    s.run(40.0)
    return s


def close_to(power: int) -> int:
    """A step before a power of 2 that a run of 1000 passes; all records begin a period there."""
    step = 2**power - 500
    return step - step % 100


EDGES = [31, 32, 33, 52]


def assert_shifted(found, wanted, begin: int) -> None:
    """Spikes and records are those of a run from the start, at later times."""
    at = np.arange(0, 1001)
    later = dict(zip(milliseconds(at, 0.1), milliseconds(begin + at, 0.1), strict=True))

    def moved(times):
        return np.array([later[t] for t in times])

    for name in wanted.spikes:
        a, b = found.spikes[name], wanted.spikes[name]
        assert b.times.size > 20 and np.all(np.diff(a.times) >= 0)
        assert np.array_equal(a.times, moved(b.times))
        assert np.array_equal(a.neurons, b.neurons)
    for key in wanted.traces:
        assert np.array_equal(found.traces[key].times, moved(wanted.traces[key].times))
        near = 1e-4 if found._recorder._out else 0  # files hold single precision
        assert abs(found.traces[key].values - wanted.traces[key].values).max() <= near
    for key in wanted.means:
        assert np.array_equal(found.means[key].times, moved(wanted.means[key].times))
        assert np.array_equal(found.means[key].values, wanted.means[key].values)
    for key in wanted.binned:
        assert np.array_equal(found.binned[key].times, moved(wanted.binned[key].times))
        assert np.array_equal(found.binned[key].rates, wanted.binned[key].rates)


@pytest.fixture(scope="module")
def from_start():
    return shifted(0)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("power", EDGES)
def test_steps_beyond_powers_of_2_in_memory(power, threads, from_start):
    begin = close_to(power)
    found = shifted(begin, threads)
    assert begin < 2**power < found.state.step
    assert_shifted(found, from_start, begin)


@pytest.mark.parametrize("threads", [1, 2])
@pytest.mark.parametrize("power", EDGES)
def test_steps_beyond_powers_of_2_in_files(power, threads, from_start, tmp_path):
    begin = close_to(power)
    with shifted(begin, threads, out=tmp_path / "run.h5") as found:
        pass
    assert_shifted(found, from_start, begin)
    again = ss.open_spikes(tmp_path / "run.h5")
    for name in again:
        assert np.array_equal(again[name].times, found.spikes[name].times)


LATE = [0, 2**31 - 100, 2**32, 2**33, 2**52]
INPUTS = {
    "Poisson": ss.Poisson(2000.0, 10.0),
    "Gamma": ss.Gamma(2000.0, 2.0, 10.0),
    "PoissonDeadTime": ss.PoissonDeadTime(400.0, 1.0, 10.0),
    "CorrelatedPoisson": ss.CorrelatedPoisson(500.0, 0.5, 10.0),
    "WhiteNoise": ss.WhiteNoise(5.0),
    "PoissonRates": ss.PoissonRates(np.array([900.0, 5000.0]), 10.0, 10.0, repeat=True),
}


def passive(input: object, begin: int) -> np.ndarray:
    """v of silent neurons after 200 steps of an input."""
    net = ss.Network(seed=1)
    a = net.population("a", 40, ss.LIF(v_th=1e4))
    net.drive(a, input, receptor="exc")
    s = ss.Simulation(net, dt=0.1, threads=1)
    s.state.step = begin
    s.run(20.0)
    return s.get("a", "v")


@pytest.mark.filterwarnings("ignore")  # of a threshold that is not reached
@pytest.mark.parametrize("name", INPUTS)
def test_chance_does_not_come_back_after_powers_of_2(name):
    found = [passive(INPUTS[name], begin) for begin in LATE]
    for k, one in enumerate(found):
        for two in found[:k]:
            assert np.mean(one == two) < 0.2 and abs(np.corrcoef(one, two)[0, 1]) < 0.7


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("begin", [*LATE[:-1], 2**40, 2**50])
def test_given_spikes_and_sampled_inputs_arrive_late_as_early(begin):
    trains = [np.array([milliseconds(begin + 50 + k, 0.1)]) for k in range(40)]
    early = [np.array([(50 + k) / 10]) for k in range(40)]
    wanted = passive(ss.Spikes(early, 100.0), 0)
    assert np.array_equal(passive(ss.Spikes(trains, 100.0), begin), wanted)
    assert len(set(wanted)) > 30
    period = ss.Sampled(np.arange(7.0), 1.0, repeat=True)
    assert np.array_equal(passive(period, begin - begin % 70), passive(period, 0))


@pytest.mark.parametrize("begin", [0, 7, 2**31 - 64, 10**10])
def test_traces_in_files_are_those_in_memory(tmp_path, begin):
    """While the run goes on, after it, and of parts of a population."""
    in_memory = shifted(begin)
    in_files = shifted(begin, out=tmp_path / "run.h5")
    for _ in range(2):
        assert set(in_files.traces) == set(in_memory.traces) == {("a", "v"), ("b", "w")}
        for key, wanted in in_memory.traces.items():
            found = in_files.traces[key]
            assert wanted.times.size >= 99
            assert np.array_equal(found.times, wanted.times)
            assert np.array_equal(found.neurons, wanted.neurons)
            assert found.values == pytest.approx(wanted.values, abs=1e-4)
            assert found.unit == wanted.unit in ("mV", "pA")
        in_files.close()
    assert set(in_files.result().traces) == {("a", "v"), ("b", "w")}
