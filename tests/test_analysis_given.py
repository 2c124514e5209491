"""Functions that are given the wrong kind of trains say which one they need, and how to get it."""

import inspect
import warnings

import numpy as np
import pytest

from spikesim import analysis
from spikesim.analysis.given import aligned_trains, spike_trains, trains_of_either
from spikesim.data.aligned import AlignedTrains
from spikesim.data.session import Session
from spikesim.data.spiketrains import SpikeTrains

TRAINS = SpikeTrains([1.0, 11.0, 12.0, 31.0, 33.0], [0, 1, 0, 0, 1], 2, 0.0, 100.0)
ALIGNED = TRAINS.align([10.0, 30.0, 50.0, 70.0], 5.0, 5.0)
KINDS = {SpikeTrains, type(ALIGNED)}


def takers():
    """Public functions of trains: the function, the argument, and which kinds it takes."""
    for name in analysis.__all__:
        function = getattr(analysis, name)
        if not inspect.isfunction(function):
            continue
        for argument, about in inspect.signature(function).parameters.items():
            annotation = str(about.annotation)
            kinds = {kind for kind in KINDS if kind.__name__ in annotation}
            if annotation == "Trains":
                kinds = KINDS
            if argument in ("trains", "aligned") or (kinds and "ArrayLike" not in annotation):
                yield name, argument, frozenset(kinds)


TAKERS = list(takers())


def called(name, argument, value):
    """Call a function with a value for one argument, and trains or 1 for those it needs besides."""
    function = getattr(analysis, name)
    parameters = inspect.signature(function).parameters
    needed = [n for n, p in parameters.items() if p.default is inspect.Parameter.empty]
    trains = {"trains": TRAINS, "a": TRAINS, "b": TRAINS, "aligned": ALIGNED}
    others = {n: trains.get(n, 1.0) for n in needed}
    return function(**others | {argument: value})


def test_all_functions_of_trains_are_tried():
    tried = {name for name, _, _ in TAKERS}
    assert len(tried) >= 45
    assert {"agreement", "correlogram", "lv", "psth", "surrogate_test", "which_code"} <= tried
    assert all(kinds for _, _, kinds in TAKERS)


@pytest.mark.parametrize(("name", "argument", "kinds"), TAKERS)
def test_lists_are_refused_in_a_sentence(name, argument, kinds):
    with pytest.raises(TypeError, match=f"^{argument} is a list; it must be .*Trains.*from_lists"):
        called(name, argument, [[1.0, 2.0], [3.0]])
    assert "TypeError\n" in getattr(analysis, name).__doc__.partition("Raises\n")[2]


@pytest.mark.parametrize(
    ("name", "argument", "kinds"), [taker for taker in TAKERS if len(taker[2]) == 1]
)
def test_the_other_kind_of_trains_is_refused_in_a_sentence(name, argument, kinds):
    if SpikeTrains in kinds:
        sentence = f"^{argument} is AlignedTrains; it must be SpikeTrains: those that were aligned"
        with pytest.raises(TypeError, match=sentence):
            called(name, argument, ALIGNED)
    else:
        sentence = (
            f"^{argument} is SpikeTrains; it must be AlignedTrains, which "
            r"trains.align\(events, before, after\) gives\.$"
        )
        with pytest.raises(TypeError, match=sentence):
            called(name, argument, TRAINS)


def test_trains_of_other_packages_are_sent_to_what_reads_them():
    neo = pytest.importorskip("neo")
    nap = pytest.importorskip("pynapple")
    train = neo.SpikeTrain([1.0, 2.0], units="ms", t_stop=9.0)
    for value, kind in [([train], "a list"), (train, "a SpikeTrain"), (neo.Segment(), "a Segment")]:
        with pytest.raises(TypeError) as error:
            analysis.lv(value)
        assert str(error.value) == (
            f"trains is {kind}; it must be SpikeTrains: spikesim.interop.from_neo makes them."
        )
    group = nap.TsGroup({0: nap.Ts(np.array([1.0, 2.0]))})
    with pytest.raises(TypeError) as error:
        analysis.psth(group, 1.0)
    assert str(error.value) == (
        "aligned is a TsGroup; it must be AlignedTrains, which trains.align(events, before, after) "
        "gives of SpikeTrains: spikesim.interop.from_pynapple makes them."
    )


def test_what_is_no_train_at_all_is_named():
    for check in (spike_trains, aligned_trains, trains_of_either):
        for value, kind in [(None, "None"), (3, "an int"), ("a", "a str"), ([], "a list")]:
            with pytest.raises(TypeError, match=f"^x is {kind}; it must be .*Trains"):
                check("x", value)
    with pytest.raises(TypeError, match=r"x is a Session; .* such as session\.spikes"):
        spike_trains("x", Session(TRAINS))


def test_trains_in_place_of_responses_are_refused_in_a_sentence():
    for call in (lambda x: analysis.information(x, "side"), lambda x: analysis.binned(x, 3)):
        with pytest.raises(TypeError, match=r"is AlignedTrains; .*that aligned\.count\(\) gives"):
            call(ALIGNED)
        with pytest.raises(TypeError, match=r"is SpikeTrains; .*trains\.align\(events, before"):
            call(TRAINS)
    with pytest.raises(TypeError, match=r"latencies is AlignedTrains; .*first_spike_latency"):
        analysis.rank_order(ALIGNED)
    with pytest.raises(ValueError, match="responses has rows of different lengths"):
        analysis.information([[1, 2], [3]], [0, 1])
    with pytest.raises(ValueError, match=r"values is \['a', 'b'\]; it must hold a number"):
        analysis.binned(["a", "b"], 3)


@pytest.mark.parametrize("wrong", [25.0, None, analysis.Jitter])
def test_what_makes_no_surrogates_is_refused_in_a_sentence(wrong):
    with pytest.raises(TypeError, match=r"^surrogate is .*such as Jitter\(20\.0\)"):
        analysis.correlogram_test(TRAINS, 1.0, 20.0, wrong)
    with pytest.raises(TypeError, match=r"^surrogate is .*such as Jitter\(20\.0\)"):
        analysis.surrogate_test(analysis.lv, TRAINS, wrong)
    with pytest.raises(TypeError, match=r"^statistic is 3; it must be a function of trains"):
        analysis.surrogate_test(3, TRAINS, analysis.Jitter(3.0))


@pytest.mark.parametrize(
    "name",
    ["phase_locking", "phase_precession", "phase_rates", "spike_phases", "theta_sequences"],
)
def test_what_is_no_phase_is_refused_in_a_sentence(name):
    with pytest.raises(TypeError, match=r"^phase is of type ndarray; it must be a Phase: hilbert"):
        called(name, "phase", np.arange(9.0))


def test_conditions_are_a_label_or_an_array():
    side = np.array(["left", "right", "left", "right"])
    labelled = TRAINS.align([0.0, 30.0, 10.0, 32.0], 0.0, 9.0)
    labelled = type(labelled)(
        labelled.times, labelled.neurons, labelled.trials, 2, 4, 0.0, 9.0, {"side": side}
    )
    for function in (analysis.noise_correlation, analysis.signal_correlation):
        np.testing.assert_array_equal(function(labelled, side), function(labelled, "side"))
        with pytest.raises(ValueError, match=r"condition has shape \(3,\)"):
            function(labelled, side[:3])


@pytest.mark.parametrize("unknown", [[np.nan, 1.0, 2.0, np.nan], [None, "left", "right", None]])
def test_trials_of_unknown_condition_are_refused_in_a_sentence(unknown):
    unknown = np.array(unknown, object if None in unknown else float)
    told = "is NaN or None in 2 of 4 trials; it must be known in all. To leave these out, "
    for name in ("noise_correlation", "signal_correlation", "which_code"):
        with pytest.raises(ValueError, match=f"^condition {told}align the trains to"):
            getattr(analysis, name)(ALIGNED, unknown)
    with pytest.raises(ValueError, match=f"^stimuli {told}take responses"):
        analysis.information([1, 2, 1, 2], unknown)
    labelled = AlignedTrains([], [], [], 1, 4, 0.0, 9.0, {"side": unknown})
    with pytest.raises(ValueError, match=f"^the label 'side' {told}align the trains to"):
        analysis.TrialShuffle("side")(labelled, 1)


def _signals():
    """Functions of a signal or of positions, of 20,000 ms, by what they are called."""
    times = np.arange(20_000.0)
    trains = SpikeTrains(np.arange(100.0, 19_000.0, 37.0), np.zeros(511, int), 1, 0.0, 20_000.0)
    band, sampling = (5.0, 11.0), 1000.0
    clock, track = analysis.periodic_phase(125.0), analysis.place_fields([0, 2, 0], [0, 1, 2, 3])
    return {
        "signal": [
            lambda x: analysis.hilbert_phase(x, band, sampling=sampling).valid,
            lambda x: analysis.cycle_phase(x, band, sampling=sampling).valid,
            lambda x: analysis.spike_triggered_average(trains, x, 9, 9, sampling=sampling).n,
            lambda x: analysis.spike_field_coherence(trains, x, 500, sampling=sampling).coherence,
        ],
        "positions": [
            lambda x: analysis.positions_at(x, times, times),
            lambda x: analysis.find_laps(x, times, 0.5, 2.5).starts,
            lambda x: (
                analysis.phase_precession(trains, clock, x, times, track, shuffles=0).position
            ),
        ],
        "feature": [lambda x: analysis.tuning_curves(trains, x, times, range=(-3, 3)).occupancy],
    }


@pytest.mark.parametrize("name", ["signal", "positions", "feature"])
def test_masked_samples_are_gaps_and_complex_ones_are_refused(name):
    x = 1.5 + 1.5 * np.cos(2 * np.pi * 0.008 * np.arange(20_000))
    x += np.random.default_rng(0).normal(size=x.size) / 10
    hidden = np.zeros(x.size, bool)
    hidden[4000:9000] = True
    for call in _signals()[name]:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            with pytest.raises(ValueError, match=f"^{name} is array.*; it must hold real numbers"):
                call(x + 1j)
            masked, gap = call(np.ma.array(x, mask=hidden)), call(np.where(hidden, np.nan, x))
        np.testing.assert_array_equal(masked, gap)
        assert not np.array_equal(masked, call(x), equal_nan=True)


def test_masked_categories_are_refused():
    x = np.arange(12.0).reshape(6, 2)
    masked = np.ma.array([1, 1, 2, 2, 1, 2], mask=[1, 0, 0, 0, 0, 0])
    with pytest.raises(ValueError, match="feature is masked in places"):
        analysis.NaiveBayes().fit(x, masked)
    with pytest.raises(ValueError, match="feature is masked in places"):
        analysis.cross_validate(analysis.NaiveBayes(), x, masked, folds=2)
    numbers = np.ma.array(x[:, 0], mask=masked.mask)
    found = analysis.cross_validate(analysis.LinearDecoder(ridge=1.0), x, numbers, folds=2)
    np.testing.assert_array_equal(np.isnan(found.errors.ravel()), masked.mask)
    with pytest.raises(ValueError, match="is masked in places"):
        analysis.information(masked, [1, 1, 2, 2, 1, 2])
