"""Inputs that change in time: rates of Poisson trains, sampled currents."""

import re
import warnings

import h5py
import numpy as np
import pytest

import spikesim as ss

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
    late = of_file(tmp_path / "late.h5", ss.SpikeTrains([0.0, 4.0], [0, 1], 2, 0.0, 4.0))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ss.Spikes(calm).trains.times.tolist() == [0.0, 4.0]
        assert ss.Spikes(late).trains is late
    assert isinstance(late._times, h5py.Dataset)  # nothing was read


BAD = {
    "rates negative": (lambda: ss.PoissonRates([1.0, -2.0], 1.0, 1.0), r"PoissonRates: rates .*-2"),
    "rates a number": (lambda: ss.PoissonRates(5.0, 1.0, 1.0), r"PoissonRates: rates .*bins"),
    "rates NaN": (lambda: ss.PoissonRates([np.nan], 1.0, 1.0), r"PoissonRates: rates .*finite"),
    "every zero": (lambda: ss.Sampled([1.0], 0.0), r"Sampled: every is 0\.0.*positive"),
    "every text": (lambda: ss.Sampled([1.0], "1 ms"), r"Sampled: every is '1 ms'"),
    "values text": (lambda: ss.Sampled(["a"], 1.0), r"Sampled: values .*finite"),
    "values empty": (lambda: ss.Sampled([], 1.0), r"Sampled: values has shape \(0,\)"),
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
