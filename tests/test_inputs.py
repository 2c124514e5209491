"""Inputs that change in time: rates of Poisson trains, sampled currents."""

import re
import tracemalloc
import warnings

import h5py
import numpy as np
import pytest

import spikesim as ss
from spikesim.description.inputs import Input
from spikesim.engine.clock import renewal
from spikesim.engine.clock.inputs import KINDS, input_arrays

SIZE = 4000


def counter() -> ss.NeuronModel:
    """n counts what arrives at "jump", m integrates the current at "pulse"."""
    return ss.NeuronModel(
        equations="dn/dt = 0 * n\ndm/dt = w_pulse",
        threshold="n < -1e9",
        reset="",
        receptors={"jump": ss.Receptor("", arrival="n += w"), "pulse": ss.Pulse("")},
    )


def make(*drives, size: int = SIZE, **options) -> ss.Simulation:
    network = ss.Network(seed=3)
    a = network.population("a", size, counter())
    for part, given, receptor in drives:
        network.drive(a[part], given, receptor=receptor)
    return ss.Simulation(network, **options)


def gains(simulation: ss.Simulation, variable: str, pieces: list[float]) -> list[np.ndarray]:
    values = [simulation.get("a", variable)]
    for piece in pieces:
        simulation.run(piece)
        values.append(simulation.get("a", variable))
    return [np.diff([a, b], axis=0)[0] for a, b in zip(values, values[1:], strict=False)]


@pytest.mark.parametrize("repeat", [False, True])
def test_rates_follow_their_bins(repeat):
    rates = np.array([1000.0, 0.0, 4000.0])
    given = ss.PoissonRates(rates, every=5.0, weight=2.0, repeat=repeat)
    found = gains(make((slice(None), given, "jump"), dt=0.5), "n", [5.0] * 6)
    after = [1000.0, 0.0, 4000.0] if repeat else [4000.0] * 3
    for gain, rate in zip(found, [1000.0, 0.0, 4000.0, *after], strict=True):
        mean = rate * 5 / 1000
        assert gain.mean() / 2 == pytest.approx(mean, abs=5 * np.sqrt(mean / SIZE) + 1e-12)
        assert (gain / 2).var() == pytest.approx(mean, abs=10 * mean / np.sqrt(SIZE) + 1e-12)


def test_rates_may_differ_between_neurons_and_parts():
    rates = np.stack([np.repeat([0.0, 2000.0], 50), np.repeat([3000.0, 0.0], 50)])
    given = ss.PoissonRates(rates, every=10.0, weight=np.arange(100.0))
    simulation = make((slice(20, 120), given, "jump"), size=200)
    first, second = gains(simulation, "n", [10.0, 10.0])
    assert not first[:70].any() and not first[120:].any() and first[71:120].all()
    assert not second[70:].any() and not second[:20].any() and second[30:70].all()
    numbers = first[71:120] / np.arange(51, 100)
    np.testing.assert_allclose(numbers, np.round(numbers), atol=1e-3)


def test_a_constant_rate_is_poisson_itself():
    """The same stream of random numbers, so the same trains."""
    runs = []
    for given in (ss.Poisson(800.0, 1.0), ss.PoissonRates([800.0, 800.0], 3.0, 1.0)):
        network = ss.Network(seed=3)
        network.drive(network.population("a", 100, counter()), given, receptor="jump", name="x")
        simulation = ss.Simulation(network)
        simulation.run(20.0)
        runs.append(simulation.get("a", "n"))
    np.testing.assert_array_equal(*runs)


@pytest.mark.parametrize("precision", ["single", "double"])
def test_sampled_values_are_a_current(precision):
    values = np.array([0.0, 3.0, -1.0])
    simulation = make(
        (slice(None), ss.Sampled(values, every=2.0), "pulse"), size=70, precision=precision
    )
    for gain, value in zip(gains(simulation, "m", [2.0] * 4), [0, 3, -1, -1], strict=True):
        np.testing.assert_allclose(gain, 2.0 * value, atol=1e-5)


def test_sampled_values_per_neuron_repeat():
    random = np.random.default_rng(1)
    values = random.normal(size=(5, 30))
    given = ss.Sampled(values, every=0.1, repeat=True)
    simulation = make((slice(10, 70, 2), given, "pulse"), size=90, precision="double")
    simulation.run(1.3)
    expected = np.zeros(90)
    expected[10:70:2] = 0.1 * (2 * values.sum(axis=0) + values[:3].sum(axis=0))
    np.testing.assert_allclose(simulation.get("a", "m"), expected, atol=1e-9)


def test_a_sampled_sine_drives_a_membrane():
    network = ss.Network()
    model = ss.LIF(v_th=1e3, receptors={"ext": ss.Pulse()})
    wave = 100 * np.sin(2 * np.pi * np.arange(1000) / 1000)
    network.drive(network.population("a", 1, model), ss.Sampled(wave, 0.1, repeat=True))
    trace = ss.Trace(network.populations["a"], "v", every=0.1)
    result = ss.simulate(network, 500.0, record=[trace], precision="double")
    v = result.traces["a", "v"].values[-1000:, 0]
    # Amplitude R I / sqrt(1 + (omega tau)^2) at 10 Hz, R = tau / C = 0.1 GOhm.
    omega = 2 * np.pi * 0.01
    assert np.ptp(v) / 2 == pytest.approx(0.1 * 100 / np.sqrt(1 + (omega * 20) ** 2), rel=1e-3)


def test_inputs_that_change_can_be_changed():
    simulation = make((slice(None), ss.Sampled([1.0, 2.0], every=1.0), "pulse"), size=10)
    simulation.run(1.0)
    simulation.set("sampled->a", values=[5.0, 3.0])
    simulation.run(1.0)
    np.testing.assert_allclose(simulation.get("a", "m"), 1.0 + 3.0, rtol=1e-6)
    with pytest.raises(ValueError, match="stronger"):
        simulation.set("sampled->a", values=[500.0])


PARTS = [slice(None), slice(20, 120), slice(5, 690, 7), slice(64, 128), slice(300, 301)]


@pytest.mark.parametrize("part", PARTS, ids=str)
@pytest.mark.parametrize("precision", ["single", "double"])
def test_what_all_neurons_share_is_what_each_would_be_given(part, precision):
    """One value for a bin, and the same written out for every neuron of the part."""
    random = np.random.default_rng(4)
    size = len(range(*part.indices(700)))
    rates, values = random.uniform(0, 3000, 9), random.normal(size=13)
    weight, every = random.normal(size=size), {"every": 1.5, "repeat": True}

    def run(*shape):
        given = [
            (part, ss.PoissonRates(rates[:, None] + np.zeros(shape), weight=weight, **every)),
            (part, ss.Poisson(700.0 + np.zeros(shape), 0.5)),
            (part, ss.Sampled(values[:, None] + np.zeros(shape), **every)),
        ]
        if not shape:
            given[0] = part, ss.PoissonRates(rates, weight=weight, **every)
            given[2] = part, ss.Sampled(values, **every)
        receptors = ("jump", "jump", "pulse")
        given = [(*drive, receptor) for drive, receptor in zip(given, receptors, strict=True)]
        simulation = make(*given, size=700, precision=precision, threads=2)
        simulation.run(20.0)
        return [simulation.get("a", x) for x in "nm"]

    for shared, apart in zip(run(), run(size), strict=True):
        np.testing.assert_array_equal(shared, apart)
        assert np.count_nonzero(shared) == size


def test_the_engine_knows_every_input():
    assert set(KINDS) == set(Input.__subclasses__())


def as_arrays(given, part, receptor, neurons=20_000):
    """An input to a part of many neurons as arrays, and the most memory that making them took."""
    network = ss.Network()
    a = network.population("a", neurons, counter())
    network.drive(a[part], given, receptor=receptor, name="x")
    build = ss.build(network)
    input_arrays(build.layout, network, network.inputs.values())  # compiles
    renewal._tables.clear()  # what it remembers of renewal inputs
    tracemalloc.start()
    try:
        inputs, given = input_arrays(build.layout, network, network.inputs.values())
        return network, [*inputs, *given], tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BINS = np.abs(np.sin(np.arange(1000.0)))
LARGE = {  # bytes that their arrays may take, beside those by neuron
    "a sine": (ss.Sampled(BINS, 0.1), slice(100, 200), "pulse", 1e5),
    "a sine to all": (ss.Sampled(BINS, 0.1), slice(None), "pulse", 1e5),
    "rates": (ss.PoissonRates(50 * BINS, 0.1, 1.0), slice(100, 200), "jump", 64 * 4 * 4.2e3),
    "rates of all": (ss.PoissonRates(50 * BINS, 0.1, 1.0), slice(None), "jump", 64 * 4 * 4.2e3),
    "values of some": (
        ss.Sampled(np.ones((1000, 100)), 0.1),
        slice(19_000, 19_100),
        "pulse",
        4 * 192 * 1.1e3,
    ),
    "rates of some": (
        ss.PoissonRates(np.full((1000, 100), 50.0), 0.1, 1.0),
        slice(19_000, 19_100),
        "jump",
        4 * 192 * 4.2e3,
    ),
    "values of all": (ss.Sampled(np.ones((50, 20_000)), 0.1), slice(None), "pulse", 50 * 9e4),
}


@pytest.mark.parametrize("case", LARGE)
def test_inputs_take_no_memory_for_neurons_that_they_do_not_reach(case):
    given, part, receptor, allowed = LARGE[case]
    _, arrays, peak = as_arrays(given, part, receptor)
    by_neuron = 20_000 * 20
    assert sum(array.nbytes for array in arrays) < allowed + by_neuron
    assert peak < 1.5 * allowed + 3 * by_neuron


ESTIMATED = {
    "a sine": LARGE["a sine"][:3],
    "rates": (ss.PoissonRates(50 * BINS, 0.1, 1.0), slice(100, 200), "jump"),
    "values of all": (ss.Sampled(np.ones((500, 20_000)), 0.1), slice(None), "pulse"),
    "rates of some": (
        ss.PoissonRates(np.full((1000, 100), 50.0), 0.1, 1.0),
        slice(19_000, 19_100),
        "jump",
    ),
    "Poisson": (ss.Poisson(np.linspace(1, 9e4, 20_000), 1.0), slice(None), "jump"),
    "gamma": (ss.Gamma(np.linspace(1, 5, 100), 2.0, 1.0), slice(100, 200), "jump"),
    "dead time": (ss.PoissonDeadTime(2.0, 400.0, 1.0), slice(None), "jump"),
    "spikes": (ss.Spikes([np.arange(20.0)] * 20_000, 1.0), slice(None), "jump"),
}


@pytest.mark.parametrize("case", ESTIMATED)
def test_the_memory_of_inputs_is_foreseen(case):
    network, arrays, peak = as_arrays(*ESTIMATED[case])
    told = ss.check_memory(network, "single", None, dt=0.1)
    network.remove("x")
    told -= ss.check_memory(network, "single", None, dt=0.1)
    assert sum(array.nbytes for array in arrays) < told + 1e5
    assert peak < 1.5 * told + 2e6
    assert told < 2 * peak + 2e6


def test_inputs_that_do_not_fit_are_refused_before_they_are_made():
    network = ss.Network()
    a = network.population("a", 10_000, counter())
    network.drive(a, ss.PoissonRates(np.full((200, 10_000), 9e4), 0.1, 1.0), receptor="jump")
    with pytest.raises(MemoryError, match="more than the 0.20 GB that are allowed"):
        ss.build(network, memory=0.2)


def test_threads_change_nothing():
    random = np.random.default_rng(2)
    drives = [
        (slice(None), ss.PoissonRates(random.uniform(0, 500, (4, 700)), 2.0, 1.0), "jump"),
        (slice(5, 600), ss.Sampled(random.normal(size=(3, 595)), 1.0, repeat=True), "pulse"),
    ]
    found = []
    for threads in (1, 2, 3):
        simulation = make(*drives, size=700, threads=threads)
        simulation.run(12.0)
        found.append([simulation.get("a", x) for x in "nm"])
    for other in found[1:]:
        np.testing.assert_array_equal(found[0], other)


EARLY = ss.SpikeTrains([-30.0, -0.05, -1e-7, 0.0, 0.05, 0.25], [0, 1, 2, 1, 0, 2], 3, -50.0, 1.0)


def of_file(path, trains: ss.SpikeTrains) -> ss.SpikeTrains:
    """The same, of a file that another program wrote in order of time."""
    with h5py.File(path, "w") as file:
        file["spikes/a/timestamps"] = trains.times
        file["spikes/a/timestamps"].attrs["units"] = "ms"
        file["spikes/a/node_ids"] = trains.neurons
        file["spikes/a"].attrs["sorting"] = "by_time"
    return ss.open_spikes(path)["a"]


@pytest.mark.parametrize("kept", ["memory", "file"])
def test_spikes_before_the_start_are_left_out_and_told(kept, tmp_path):
    trains = EARLY if kept == "memory" else of_file(tmp_path / "early.h5", EARLY)
    sentence = "2 of 6 spikes are before 0 ms, the first of them at -30 ms; they are left out"
    with pytest.warns(UserWarning, match=sentence) as caught:
        given = ss.Spikes(trains, weight=1.0)
    assert caught[0].filename == __file__
    simulation = make((slice(None), given, "jump"), size=3)
    first, second, third = gains(simulation, "n", [0.1, 0.1, 0.1])
    np.testing.assert_allclose(first, [1, 1, 1], rtol=1e-3)  # at 0.05, 0 and all but 0
    np.testing.assert_allclose(second, 0, atol=1e-6)
    np.testing.assert_allclose(third, [0, 0, 1], rtol=1e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        simulation.set("spikes->a", weight=0.5)  # the input is made anew: nothing to tell again


def test_trains_that_ended_before_the_start_bring_nothing():
    past = ss.SpikeTrains([-3.0, -2.0], [0, 1], 2, -5.0, -1.0)
    with pytest.warns(UserWarning, match="2 of 2 spikes"):
        given = ss.Spikes(past, weight=1.0)
    assert given.trains == ss.SpikeTrains([], [], 2, 0.0, 0.0)
    np.testing.assert_array_equal(*gains(make((slice(None), given, "jump"), size=2), "n", [5]), 0)


def test_trains_without_early_spikes_are_taken_as_they_are(tmp_path):
    calm = ss.SpikeTrains([0.0, 4.0], [0, 1], 2, -5.0, 4.0)
    late = of_file(tmp_path / "late.h5", ss.SpikeTrains([0.1, 4.0], [0, 1], 2, 0.0, 4.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ss.Spikes(calm).trains.times.tolist() == [0.0, 4.0]
        assert ss.Spikes(late).trains is late
    assert late._rows is not None  # nothing was read


BAD = {
    "rates negative": (lambda: ss.PoissonRates([1.0, -2.0], 1.0, 1.0), r"PoissonRates: rates .*-2"),
    "rates a number": (lambda: ss.PoissonRates(5.0, 1.0, 1.0), r"PoissonRates: rates .*bins"),
    "rates NaN": (lambda: ss.PoissonRates([np.nan], 1.0, 1.0), r"PoissonRates: rates .*finite"),
    "every zero": (lambda: ss.Sampled([1.0], 0.0), r"Sampled: every is 0\.0.*above 0"),
    "every text": (lambda: ss.Sampled([1.0], "1 ms"), r"Sampled: every is '1 ms'"),
    "values text": (lambda: ss.Sampled(["a"], 1.0), r"Sampled: values .*finite"),
    "values empty": (lambda: ss.Sampled([], 1.0), r"Sampled: values is \[\].*not empty"),
    "neurons": (
        lambda: make((slice(0, 5), ss.Sampled(np.ones((3, 4)), 1.0), "pulse")),
        r"'sampled->a': values has shape \(3, 4\).*5",
    ),
    "between steps": (
        lambda: make((slice(None), ss.Sampled([1.0], 0.25), "pulse")),
        r"every is 0\.25 ms; it must be a multiple of dt = 0\.1",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_input_is_told(case):
    call, sentence = BAD[case]
    with pytest.raises(ValueError) as caught:
        call()
    assert re.search(sentence, str(caught.value))


def steps_of(times: np.ndarray, dt: float) -> np.ndarray:
    return np.floor(times / dt).astype(int)


@pytest.mark.parametrize(
    ("given", "told"),
    [
        (ss.Poisson([10.0, 20.0], 3.0), (3.0, np.inf, 0.01)),
        (ss.PoissonRates([10.0, 40.0], 5.0, 3.0), (3.0, np.inf, 0.02)),
        (ss.CorrelatedPoisson(10.0, 0.5, 3.0), (3.0, np.inf, 0.005)),
        (ss.Gamma(10.0, 2.0, 3.0), (3.0, 1.0, 1.0)),
        (ss.PoissonDeadTime(10.0, 2.0, 3.0), (3.0, 1.0, 1.0)),
        (ss.Spikes([[0.1, 0.2, 0.7], [0.3]], 3.0), (3.0, 2.0, 2.0)),
    ],
    ids=lambda x: type(x).__name__,
)
def test_an_input_tells_what_it_brings_in_a_step(given, told):
    found = given.largest(0.5, steps_of)
    assert (found.weights, found.most, found.mean) == pytest.approx(told)
    assert found.least is None


def test_what_noise_samples_and_given_spikes_bring():
    noise = ss.WhiteNoise(2.0).largest(0.5, steps_of)
    assert (noise.weights, noise.most, noise.least) == (2.0, 6.0, 0.0)
    values = ss.Sampled([1.0, -4.0], every=1.0).largest(0.5, steps_of)
    assert values.weights.tolist() == [1.0, -4.0] and values.most == 1.0
    spikes = ss.Spikes([[0.1, 0.2], [0.3]], weight=[1.0, -5.0]).largest(0.5, steps_of)
    assert (spikes.most, spikes.closest) == (2.0, 5.0)


def test_fields_of_inputs_have_units():
    assert ss.Poisson(1.0, 1.0).units("nS") == {"rate": "Hz", "weight": "nS"}
    assert ss.PoissonDeadTime(1.0, 1.0, 1.0).units("pA")["dead_time"] == "ms"
    assert ss.Sampled([1.0], 1.0).units("pA") == {"values": "pA", "every": "ms", "repeat": ""}
    assert ss.Current(1.0).units("pA") == {"amplitude": "pA"}


def test_a_receptor_tells_what_may_arrive():
    ss.Delta().check_weights("here", "it", -1.0, 1.0)
    with pytest.raises(ValueError, match="^here: weights run from -1 to 1; it takes positive ones"):
        ss.Conductance().check_weights("here", "it", -1.0, 1.0)
    with pytest.raises(ValueError, match="takes negative ones only"):
        ss.Exponential(sign="negative").check_weights("here", "it", -1.0, 1.0)
    ss.Exponential().check_noise("here", "exc")
    with pytest.raises(ValueError, match="^here: receptor 'exc' is a conductance"):
        ss.Conductance().check_noise("here", "exc")
