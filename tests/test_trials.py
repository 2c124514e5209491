"""Many trials of one build."""

import threading

import numpy as np
import pytest

import spikesim as ss


@pytest.fixture(scope="module")
def network():
    net = ss.Network(seed=3)
    cells = net.population("cells", 70, ss.LIF(), init={"v": ss.Uniform(-65, -50)})
    few = net.population("few", 3, ss.LIF())
    net.drive(cells, ss.Poisson(2000.0, 40.0), receptor="exc")
    net.drive(cells, ss.Current(100.0), name="step")
    net.drive(few, ss.Sampled(np.zeros((4, 3)) + 50.0, every=25.0), receptor="exc", name="wave")
    net.connect(cells, few, ss.AllToAll(), weight=5.0, delay=1.0, receptor="exc")
    return net


@pytest.fixture(scope="module")
def build(network):
    return ss.build(network, threads=1)


WAVES = np.random.default_rng(1).uniform(0, 200, (5, 4, 3))


def one(build, trial, **options):
    simulation = ss.Simulation(build, replica=trial, **options)
    simulation.set("step", amplitude=100.0 * trial)
    simulation.set("wave", values=WAVES[trial])
    simulation.run(100.0)
    return simulation


@pytest.mark.parametrize("threads", [1, 2, 3])
def test_a_trial_is_a_replica_with_inputs_of_its_own(network, build, threads):
    record = [
        ss.Trace(network.populations["few"], "v", 5.0),
        ss.Rate(network.populations["cells"], 20.0),
    ]
    record += [ss.Mean(network.populations["cells"], "v", 10.0)]
    result = ss.simulate_trials(
        build,
        100.0,
        5,
        inputs={
            "step": {"amplitude": 100.0 * np.arange(5)},
            "wave": {"values": lambda trial: WAVES[trial]},
        },
        labels={"odd": [False, True] * 2 + [False]},
        threads=threads,
        record=record,
    )
    assert result.trials == 5 and not result.interrupted
    for trial in range(5):
        alone = one(build, trial, record=record)
        for name, trains in result.spikes.items():
            own = trains.trials == trial
            assert np.array_equal(trains.times[own], alone.spikes[name].times)
            assert np.array_equal(trains.neurons[own], alone.spikes[name].neurons)
            assert np.array_equal(result.spike_counts[name][trial], alone.spike_counts[name])
        for kind in ("traces", "means"):
            for key, found in getattr(result, kind).items():
                assert np.array_equal(found.values[trial], getattr(alone, kind)[key].values)
        assert np.array_equal(result.binned["cells"].rates[trial], alone.binned["cells"].rates)
    assert result.spikes["cells"].labels["odd"].tolist() == [False, True, False, True, False]
    assert result.spike_counts["few"].sum() > 5


def test_what_is_discarded_is_not_counted(build):
    whole = ss.simulate_trials(build, 100.0, 2)
    rest = ss.simulate_trials(build, 100.0, 2, discard=40.0)
    assert np.array_equal(whole.spikes["cells"].times, rest.spikes["cells"].times)
    late = whole.spikes["cells"].times > 40.0
    assert rest.spike_counts["cells"].sum() == late.sum()
    assert rest.rates["cells"].sum() == pytest.approx(late.sum() / 0.06)


def test_first_is_the_replica_of_the_first_trial(build):
    later = ss.simulate_trials(build, 50.0, 2, first=3, spikes=False)
    assert not later.spikes
    for trial in range(2):
        alone = ss.Simulation(build, replica=3 + trial)
        alone.run(50.0)
        assert np.array_equal(later.spike_counts["cells"][trial], alone.spike_counts["cells"])


def test_prepare_may_silence(build):
    def prepare(simulation, trial):
        if trial:
            simulation.silence("cells")

    counts = ss.simulate_trials(build, 100.0, 2, prepare=prepare).spike_counts["few"]
    assert counts[0].sum() > counts[1].sum()


def test_all_threads_take_trials(build):
    barrier = threading.Barrier(2, timeout=60)
    ss.simulate_trials(build, 10.0, 2, threads=2, prepare=lambda *_: barrier.wait())


def test_a_changed_parameter_does_not_reach_the_next_trial(build):
    """The kernel that states begin with is written once; `set` changes a copy."""

    def prepare(simulation, trial):
        if trial == 0:
            simulation.set("cells", v_th=-20.0, tau_m=np.linspace(5, 10, 70))
            simulation.set("cells", e_l=-60.0)

    counts = ss.simulate_trials(build, 100.0, 2, threads=1, prepare=prepare).spike_counts
    alone = ss.Simulation(build, replica=1)
    alone.run(100.0)
    assert np.array_equal(counts["cells"][1], alone.spike_counts["cells"])


def test_an_interrupt_keeps_whole_trials(build):
    def progress(_):
        raise KeyboardInterrupt

    result = ss.simulate_trials(build, 10.0, 50, progress=progress, labels={"k": range(50)})
    assert result.interrupted and result.trials == 1
    assert result.spikes["cells"].labels["k"].tolist() == [0]


def test_a_divergence_tells_the_trial():
    net = ss.Network()
    model = ss.NeuronModel(
        "dv/dt = v * v * g : 1",
        "v < -1",
        "v = 0",
        {"g": "1/ms"},
        initial={"v": 1.0},
        method="euler",
    )
    net.population("p", 1, model)

    def prepare(simulation, trial):
        simulation.set("p", g=float(trial == 2))

    for discard in (0.0, 90.0):
        with pytest.raises(FloatingPointError, match="^trial 2: v of neuron 0 of 'p' diverged"):
            ss.simulate_trials(net, 100.0, 4, prepare=prepare, discard=discard)


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({"trials": 0}, "trials is 0"),
        ({"inputs": {"steps": {}}}, "unknown input 'steps'; known are .*'step'"),
        ({"inputs": {"step": {"amplitude": [1.0]}}}, "has values for 1 trials; there are 3"),
        ({"discard": 100.0}, "discard is 100 ms; it must be below"),
        ({"threads": 0}, "threads is 0"),
        ({"dt": 0.2}, "dt belongs to the build"),
        ({"trails": 3}, "no option 'trails'; did you mean trials"),
        ({"labels": {"odd": [1]}}, "labels: 'odd' has 1 values; there are 3 trials"),
    ],
)
def test_bad_arguments(build, options, told):
    with pytest.raises((ValueError, TypeError), match=told):
        ss.simulate_trials(build, 100.0, **{"trials": 3, **options})


def test_a_current_that_is_added_after_the_build_reaches_later_states():
    """States share the kernel that they begin with only if they begin with the same currents."""
    net = ss.Network()
    cells = net.population("cells", 3, ss.LIF())
    net.drive(cells, ss.Current(100.0))
    made = ss.build(net, dt=0.1, threads=1)
    before = ss.simulate_trials(made, 100.0, 1).spike_counts["cells"]
    net.drive(cells[:2], ss.Current(300.0))
    after = ss.simulate_trials(made, 100.0, 1).spike_counts["cells"]
    alone = ss.simulate(net, 100.0, dt=0.1, threads=1).spike_counts["cells"]
    assert not before.any() and np.array_equal(after[0], alone) and alone.any()
