"""Layers that count spikes: equal to the rate network, to a readable twin, and what is refused."""

import itertools
import math

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

import spikesim as ss
from spikesim.conversion import convert_layers
from spikesim.conversion.layers.codes import spikes_of
from spikesim.rate import (
    GRU,
    Adam,
    DaleRNN,
    FeedForward,
    LeakyRNN,
    LowRankRNN,
    McCullochPitts,
    Quantised,
    RateNetwork,
    Table,
    digits,
    load,
    respond,
    save,
    train,
)

DT = 20.0  # ms, of rate networks


def network(cells, inputs=4, outputs=3, seed=1, **options):
    """Random weights, biases and starts, in double precision."""
    made = RateNetwork(cells, inputs, outputs, DT, seed=seed, dtype="float64", **options)
    rng = np.random.default_rng(seed)
    for name, p in made.parameters.items():
        if p.ndim == 1 and not name.endswith(("tau", "threshold")):
            p += 0.2 * rng.standard_normal(p.shape)
    return made


def inputs_of(shape, seed=2):
    return np.random.default_rng(seed).random(shape)


def plain(units, levels, **options):
    return LeakyRNN(units, DT, activation=Quantised(levels, 1.5), **options)


# What is exact

EXACT = [
    [FeedForward([12], Quantised(1))],
    [FeedForward([12, 9, 7, 8], Quantised(4))],
    [FeedForward([12, 9], Quantised(5, 0.7)), FeedForward([8], Quantised(5, 2.0))],
    [plain(12, 4)],
    [plain(12, 4, form="x")],
    [DaleRNN(12, DT, activation=Quantised(3))],
    [FeedForward([9], Quantised(3)), plain(8, 3), FeedForward([7], Quantised(3)), plain(6, 3)],
]


@pytest.mark.parametrize(
    "cells", EXACT, ids=lambda cells: "-".join(type(c).__name__ for c in cells)
)
@pytest.mark.parametrize("seed", [1, 2])
def test_quantised_networks_give_their_own_outputs(cells, seed):
    net, x = network(cells, seed=seed), inputs_of((5, 6, 4), seed)
    run = convert_layers(net).run(x)
    np.testing.assert_array_equal(run.outputs, net.run(x))
    assert set(run.report.differ) == {0.0} and run.report.margin > 1e-9
    counts = run.rates[-1] * cells[-1].activation.levels / cells[-1].activation.cap
    np.testing.assert_allclose(counts, np.rint(counts), atol=1e-9)
    assert 0 < run.rates[-1].mean() < cells[-1].activation.cap


def test_a_network_of_single_precision_gives_its_own_outputs():
    cells = [FeedForward([9, 8], Quantised(4))]
    net, x = RateNetwork(cells, 4, 3, DT, seed=3), inputs_of((2, 5, 4)).astype("f4")
    run = convert_layers(net).run(x)
    assert run.report.margin > 1e-5  # else rounding might decide
    np.testing.assert_array_equal(run.outputs, net.run(x))
    assert run.outputs.dtype == np.float32


def test_outputs_are_filtered_as_those_of_the_rate_network():
    net, x = network([plain(10, 4)], readout_tau=50.0), inputs_of((6, 3, 4))
    np.testing.assert_array_equal(convert_layers(net).run(x).outputs, net.run(x))


@pytest.mark.parametrize("options", [{"dt": 0.5}, {"dt": 0.1}, {}], ids=str)
@pytest.mark.parametrize("threads", [1, 2])
def test_neither_step_nor_threads_change_a_spike(options, threads):
    net, x = network([FeedForward([9], Quantised(4)), plain(8, 4)]), inputs_of((4, 5, 4))
    run = convert_layers(net, **options).run(x, threads=threads)
    np.testing.assert_array_equal(run.outputs, net.run(x))
    # Two layers one after the other: each fires in the window after the one that it adds up.
    assert run.report.latency == pytest.approx((3 * 4 - 1) * options.get("dt", 1.0))


@pytest.mark.parametrize("schedule", ["in_turn", "at_once"])
def test_threshold_units_are_logic_ties_and_all(schedule):
    cells = [McCullochPitts([[1, 1], [-1, -1]], [1, -1]), McCullochPitts.gate("and")]
    net = network(cells, 2, 1)
    x = np.array(list(itertools.product([0.0, 1.0], repeat=2)))[None]
    run = convert_layers(net, schedule=schedule).run(x)
    np.testing.assert_array_equal(run.rates[1][0, :, 0], x[0, :, 0] != x[0, :, 1])
    assert run.report.steps == 1 and run.report.margin == 0 and run.report.differ == (0, 0)
    assert math.isnan(run.report.agreement)


@pytest.mark.parametrize("seed", range(3))
def test_threshold_units_of_any_weights(seed):
    rng = np.random.default_rng(seed)
    cells = [
        McCullochPitts(rng.standard_normal((n, m)), rng.standard_normal(n))
        for m, n in [(4, 20), (20, 15), (15, 8)]
    ]
    net, x = network(cells), inputs_of((3, 50, 4), seed)
    run = convert_layers(net).run(x)
    np.testing.assert_array_equal(run.outputs, net.run(x))
    assert 0.1 < run.rates[2].mean() < 0.9


@pytest.mark.parametrize("code", ["regular", "latency"])
def test_spikes_of_inputs_that_fit_into_a_window_are_exact_too(code):
    """Inputs that are whole numbers of spikes: everything spikes, and nothing is lost."""
    net = network([FeedForward([12, 9], Quantised(8))])
    x = np.random.default_rng(3).integers(0, 9, (4, 5, 4)) / 8
    run = convert_layers(net, code=code, highest=1.0).run(x)
    np.testing.assert_array_equal(run.outputs, net.run(x))
    run = convert_layers(net, code=code, highest=2.0).run(2 * x)
    np.testing.assert_array_equal(run.outputs, net.run(2 * x))


# Against a twin


def twin(converted, x, spikes=None):
    """Counts (windows, units) of each layer of one trial of layers without memory, step by step."""
    T, stages = converted.steps, converted.stages
    in_turn, coded = converted.schedule == "in_turn", spikes is not None
    first = [coded + j * (T if in_turn else 1) for j in range(len(stages))]
    fires = [f + (T - 1 if in_turn else 0) for f in first]
    counts = [np.zeros((len(x), s.units)) for s in stages]
    v = [np.full(s.units, -1.0) for s in stages]
    total = [np.zeros(s.units) for s in stages]
    lasting = np.zeros(stages[0].units)
    fired = [np.zeros(s.units) for s in stages]
    relayed = np.zeros(x.shape[1])
    for n in range(fires[-1] + T * len(x)):
        before = [
            converted.highest * relayed,
            *(s.cap * f for s, f in zip(stages, fired, strict=True)),
        ]
        for j, stage in enumerate(stages):
            window, step = divmod(n - first[j], T)
            arriving = before[j] @ stage.w_in.T / stage.cap
            if j == 0 and not coded:
                arriving = x[min(window, len(x) - 1)] @ stage.w_in.T / stage.cap
            if j == 0 and converted.code == "latency":
                lasting = arriving + (0 if step == 0 else lasting)
                arriving = lasting
            bias = T * stage.b / stage.cap
            if in_turn:
                total[j] = total[j] + arriving
                if step == T - 1 and window >= 0:
                    v[j], total[j] = total[j] + bias - 0.5, 0
            else:
                v[j] = (-0.5 if step == 0 else v[j]) + arriving + bias / T
            fired[j] = (v[j] >= 0).astype(float)
            v[j] = v[j] - fired[j]
            window = (n - fires[j]) // T
            if 0 <= window < len(x):
                counts[j][window] += fired[j]
        if coded:
            relayed = spikes.reshape(-1, x.shape[1])[min(n, len(x) * T - 1)].astype(float)
    return counts


@pytest.mark.parametrize("schedule", ["in_turn", "at_once"])
@pytest.mark.parametrize("code", ["current", "regular", "poisson", "latency"])
@pytest.mark.parametrize("steps", [1, 7])
def test_counts_are_those_of_a_twin(schedule, code, steps):
    net, x = network([FeedForward([9, 8, 7])]), inputs_of((5, 1, 4))
    made = convert_layers(net, steps=steps, schedule=schedule, code=code, calibrate=x)
    run = made.run(x, seed=3)
    spikes = None if code == "current" else spikes_of(x, steps, code, 3)
    for counts, rates, stage in zip(
        twin(made, x[:, 0], spikes), run.rates, made.stages, strict=True
    ):
        np.testing.assert_array_equal(np.rint(rates[:, 0] * steps / stage.cap), counts)


def test_a_quarter_of_the_rates_differ_after_four_layers_at_once():
    differ = []
    for seed in range(4):
        cells = [FeedForward([100] * 4, Quantised(8))]
        net = RateNetwork(cells, 50, 3, DT, seed=seed, dtype="float64")
        run = convert_layers(net, schedule="at_once").run(inputs_of((1, 300, 50), seed))
        differ.append(run.report.differ)
    layers = np.mean(differ, axis=0)
    assert layers[0] == 0 and (np.diff(layers) > 0).all()
    assert layers[3] == pytest.approx(0.25, abs=0.03)


@pytest.mark.parametrize("schedule", ["in_turn", "at_once"])
def test_what_fires_before_its_first_window_does_not_count(schedule):
    """By its bias alone a neuron of the third layer fires while it waits for the first input."""
    net, x = network([FeedForward([4, 3, 2], Quantised(4))], seed=3), inputs_of((3, 1, 4))
    for k in (1, 2, 3):
        net.parameters[f"0.w{k}"] *= 0.2
        net.parameters[f"0.b{k}"][:] = 0.8
    made = convert_layers(net, schedule=schedule)
    run = made.run(x)
    for counts, rates in zip(twin(made, x[:, 0]), run.rates, strict=True):
        np.testing.assert_array_equal(np.rint(4 * rates[:, 0]), counts)


# Rectified units


def test_the_highest_rate_is_a_percentile_of_the_layer():
    net, x = network([FeedForward([30, 20])]), inputs_of((1, 200, 4))
    net.run(x)
    made = convert_layers(net, calibrate=x, percentile=95.0)
    hidden = np.maximum(x @ net.parameters["0.w1"].T + net.parameters["0.b1"], 0)
    assert made.stages[0].cap == pytest.approx(np.percentile(hidden, 95), rel=1e-12)
    assert made.stages[1].cap == pytest.approx(np.percentile(net.rates[0], 95), rel=1e-12)
    rates = made.run(x).rates
    assert rates[0].max() == made.stages[0].cap and rates[1].max() == made.stages[1].cap


@pytest.mark.parametrize("schedule", ["in_turn", "at_once"])
def test_more_steps_are_less_error(schedule):
    net, x = network([FeedForward([40, 30])]), inputs_of((1, 100, 4))
    errors = [
        convert_layers(net, steps=steps, schedule=schedule, calibrate=x, percentile=100.0)
        .run(x)
        .report.output_error
        for steps in (8, 32, 128)
    ]
    assert errors[0] / errors[1] == pytest.approx(4, rel=0.5)
    assert errors[1] / errors[2] == pytest.approx(4, rel=0.5)
    assert errors[2] < 0.02


def test_a_recurrent_cell_of_rectified_units_is_as_good_as_its_windows_are_long():
    net, x = network([LeakyRNN(20, DT, radius=0.7)]), inputs_of((8, 20, 4))
    errors = [
        convert_layers(net, steps=steps, calibrate=x, percentile=100.0).run(x).report.output_error
        for steps in (16, 256)
    ]
    assert errors[1] < errors[0] / 8 and errors[1] < 0.01


def test_a_silent_layer_converts():
    net = network([FeedForward([5, 4])])
    net.parameters["0.b1"][:] = -100
    run = convert_layers(net, calibrate=inputs_of((1, 9, 4))).run(inputs_of((1, 9, 4)))
    assert run.report.spikes[0] == 0 and not run.rates[0].any()


@pytest.mark.parametrize("code", ["current", "poisson"])
def test_inputs_of_nothing_are_inputs(code):
    net, x = network([FeedForward([5, 4], Quantised(4))]), np.zeros((2, 3, 4))
    run = convert_layers(net, code=code).run(x)
    np.testing.assert_array_equal(run.outputs, net.run(x))


# Codes


@settings(max_examples=30, deadline=None)
@given(st.integers(1, 40), st.integers(0, 10**6))
def test_regular_spikes_are_as_many_as_they_should_and_even(steps, seed):
    x = np.random.default_rng(seed).random((2, 3, 4))
    x.flat[:2] = 0, 1
    spikes = spikes_of(x, steps, "regular", 0)
    assert spikes.shape == (2, steps, 3, 4)
    count = np.floor(x * steps + 0.5)
    np.testing.assert_array_equal(spikes.sum(axis=1), count)
    for k, n in np.ndenumerate(count):
        gaps = np.diff(np.flatnonzero(spikes[k[0], :, k[1], k[2]]))
        assert not gaps.size or gaps.max() - gaps.min() <= 1, (n, gaps)


def test_regular_spikes_lie_in_the_middle_of_their_intervals():
    spikes = spikes_of(np.array([[[0.1, 0.2, 0.5]]]), 10, "regular", 0)[0, :, 0]
    found = [np.flatnonzero(s).tolist() for s in spikes.T]
    assert found == [[4], [2, 7], [0, 2, 4, 6, 8]]


def test_a_latency_is_one_spike_the_earlier_the_larger():
    spikes = spikes_of(np.array([[[0.0, 0.04, 0.06, 0.5, 1.0]]]), 10, "latency", 0)[0, :, 0]
    assert [np.flatnonzero(s).tolist() for s in spikes.T] == [[], [], [9], [5], [0]]


def test_poisson_spikes_come_with_their_probability_and_by_the_seed():
    x = np.broadcast_to([0.0, 0.1, 0.5, 1.0], (1, 50, 4))
    spikes = spikes_of(x, 400, "poisson", 1)
    p = np.array([0.0, 0.1, 0.5, 1.0])
    assert (np.abs(spikes.mean(axis=(0, 1, 2)) - p) <= 5 * np.sqrt(p * (1 - p) / 20000)).all()
    # Counts spread as of independent steps.
    spread = spikes.sum(axis=1)[0].var(axis=0)
    np.testing.assert_allclose(spread[1:3], 400 * (p * (1 - p))[1:3], rtol=0.6)
    assert (spikes != spikes_of(x, 400, "poisson", 2)).any()
    np.testing.assert_array_equal(spikes, spikes_of(x, 400, "poisson", 1))


# The report


def test_the_report_counts():
    net = network([FeedForward([6, 5], Quantised(4))])
    x = inputs_of((3, 7, 4))
    made = convert_layers(net, schedule="at_once")
    run = made.run(x)
    report = run.report
    hidden = np.empty((3, 7, 6))
    net.cells[0].activation.value(x @ net.parameters["0.w1"].T + net.parameters["0.b1"], hidden)
    net.run(x)
    for k, exact in enumerate([hidden, net.rates[0]]):
        assert report.differ[k] == np.mean(np.abs(run.rates[k] - exact) > 1e-9)
    assert report.differ[1] > 0
    z = net.run(x)
    assert report.agreement == np.mean(z.argmax(axis=2) == run.outputs.argmax(axis=2))
    assert report.output_error == pytest.approx(np.sqrt(np.mean((z - run.outputs) ** 2)) / z.std())
    counts = [4 * rates for rates in run.rates]
    assert report.spikes == pytest.approx([c.mean() for c in counts])
    assert report.events == pytest.approx(5 * counts[0].sum() / 21)
    assert report.windows == 21 and report.steps == 4 and report.latency == 5.0
    assert f"rates that differ, by layer: 0 %, {100 * report.differ[1]:.3g} %" in str(report)


def test_events_of_inputs_and_of_recurrent_synapses_count():
    net, x = network([plain(6, 4)]), inputs_of((3, 2, 4))
    run = convert_layers(net, code="latency").run(x)
    counts = run.rates[0] * 4 / 1.5
    spikes = (np.floor(4 * x + 0.5) > 0).sum()
    assert run.report.events == pytest.approx((6 * counts.sum() + 6 * spikes) / 6)


def test_the_margin_is_the_distance_to_another_count():
    net = network([FeedForward([1], Quantised(4, 2.0))], 1, 1)
    net.parameters["0.w1"][:], net.parameters["0.b1"][:] = 1, 0
    for x, margin in [(0.8, 0.1), (0.7, 0.1), (0.0, 0.5), (1.97, 0.44), (3.0, 2.5)]:
        run = convert_layers(net).run(np.full((1, 1, 1), x))
        assert run.report.margin == pytest.approx(margin), x
    for off, count in [(5e-10, 1), (-5e-10, 0)]:  # as closely as doubles go
        run = convert_layers(net).run(np.full((1, 1, 1), 0.25 + off))
        assert run.report.margin == pytest.approx(1e-9, rel=1e-5)
        assert run.rates[0] == count / 2


def test_the_network_can_be_run_by_hand():
    net, x = network([FeedForward([5], Quantised(4))]), inputs_of((1, 1, 4))
    made = convert_layers(net)
    spiking = made.network
    assert list(spiking.populations) == ["layer1"]
    current = x[0, 0] @ net.parameters["0.w1"].T
    spiking.drive("layer1", ss.Sampled(current[None], 1.0), receptor="input")
    result = ss.simulate(spiking, 7.0, dt=1.0, precision="double")
    np.testing.assert_allclose(result.spike_counts["layer1"] / 4, made.run(x).rates[0][0, 0])


def test_quantised_networks_are_saved(tmp_path):
    net, x = network([FeedForward([6], Quantised(4, 0.5)), plain(5, 4)]), inputs_of((2, 2, 4))
    save(net, tmp_path / "n.h5")
    again = load(tmp_path / "n.h5")
    assert again.cells == net.cells
    np.testing.assert_array_equal(again.run(x), net.run(x))


def test_noise_is_left_out_with_a_warning():
    net = network([plain(5, 4, noise=0.1)])
    with pytest.warns(UserWarning, match="cell 0, a LeakyRNN: noise is 0.1; the spiking network"):
        convert_layers(net)


# What is refused

Q = Quantised(4)


@pytest.mark.parametrize(
    ("cells", "options", "told"),
    [
        ([GRU(4)], {}, "cell 0, a GRU: it is neither FeedForward, McCullochPitts, LeakyRNN nor"),
        ([LowRankRNN(4, tau=DT)], {}, "cell 0, a LowRankRNN: it is neither"),
        ([FeedForward([3], Q), FeedForward([3], "tanh")], {}, "cell 1, .* activation is 'tanh'"),
        ([FeedForward([3], Table([0, 1], [0, 1]))], {}, "its activation is 'table'"),
        ([LeakyRNN(3, 100.0, activation=Q)], {}, "tau is up to 100 ms and dt 20 ms; .* must be dt"),
        ([LeakyRNN(3, [20.0, 21.0, 20.0], activation=Q)], {}, "tau is up to 21 ms and dt 20"),
        ([FeedForward([3])], {}, "calibrate is None; rectified units have no highest rate"),
        ([FeedForward([3])], {"calibrate": np.ones((2, 4))}, "calibrate is .* array .time, trials"),
        ([FeedForward([3])], {"calibrate": np.ones((2, 2, 5))}, r"calibrate has shape \(2, 2, 5\)"),
        ([FeedForward([3], Q), FeedForward([3], Quantised(5))], {}, "the units have 4, 5 levels"),
        ([McCullochPitts(np.ones((3, 4)), [1, 1, 1])], {"steps": 2}, "threshold units .* be 1"),
        ([FeedForward([3], Q)], {"steps": 0}, "steps is 0; it must be a whole number"),
        ([FeedForward([3], Q)], {"schedule": "turn"}, "schedule is 'turn'; it must be 'in_turn'"),
        ([FeedForward([3], Q)], {"code": "rate"}, "code is 'rate'; it must be 'current', 'reg"),
        ([FeedForward([3], Q)], {"percentile": 0}, "percentile is 0; it must be"),
        ([FeedForward([3], Q)], {"highest": -1.0}, "highest is -1.0; it must be"),
        ([FeedForward([3], Q)], {"dt": 0.0}, "dt is 0.0; it must be"),
        ([plain(3, 4)], {"schedule": "at_once"}, "recurrent cells need whole windows"),
    ],
)  # fmt: skip
def test_what_does_not_convert_is_told(cells, options, told):
    with pytest.raises(ValueError, match=told):
        convert_layers(network(cells), **options)


def test_an_unknown_option_is_told():
    with pytest.raises(TypeError, match="no option 'stepps'; did you mean steps"):
        convert_layers(network([FeedForward([3], Q)]), stepps=3)


@pytest.mark.parametrize(
    ("x", "code", "told"),
    [
        (np.ones((2, 4)), "current", "x is .* it must be an array .time, trials, inputs., finite"),
        (np.ones((2, 2, 3)), "current", r"x has shape \(2, 2, 3\); .* \(time, trials, 4\)"),
        (np.full((1, 1, 4), np.nan), "current", "x is .*nan.* finite"),
        (np.full((1, 1, 4), 1.5), "poisson", r"x is 1.5 at \(0, 0, 0\); .* highest = 1"),
        (np.full((1, 1, 4), -0.5), "latency", r"x is -0.5 at \(0, 0, 0\)"),
    ],
)
def test_bad_inputs_are_told(x, code, told):
    made = convert_layers(network([FeedForward([3], Q)]), code=code)
    with pytest.raises(ValueError, match=told):
        made.run(x)


# Digits


@pytest.mark.parametrize(
    ("make", "by"),
    [
        (lambda: FeedForward([64, 32]), "image"),
        (lambda: FeedForward([64, 32], Quantised(8)), "image"),
        (lambda: LeakyRNN(64, DT, activation=Quantised(8)), "row"),
    ],
    ids=["rectified", "quantised", "recurrent"],
)
def test_digits_lose_nothing(make, by):
    pytest.importorskip("sklearn")
    task = digits(by=by)
    net = RateNetwork([make()], task.inputs, 10, DT, seed=7)
    train(net, task, updates=400, seed=7, optimizer=Adam(3e-3), progress=False)
    outputs, trials = respond(net, task, 270, seed=7)
    before = task.performance(outputs, trials)
    options = {"schedule": "at_once"}
    options |= {"calibrate": task.generate(np.random.default_rng(0), 500).inputs}
    quantised = isinstance(net.cells[0].activation, Quantised)
    run = convert_layers(net, **({} if quantised else options)).run(trials.inputs)
    lost = before - task.performance(run.outputs, trials)
    assert before > 0.9
    if quantised:
        assert lost == 0 and run.report.agreement == 1 and set(run.report.differ) == {0.0}
    else:
        assert run.report.steps == 64 and abs(lost) <= 0.01 and run.report.agreement > 0.99
