"""Information: closed forms, corrections against slow twins, and which code carries more."""

import warnings
from itertools import combinations
from math import log

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from scipy import stats

from spikesim.analysis import binned, information, which_code
from spikesim.analysis.codes.information import corrected
from spikesim.data.aligned import AlignedTrains
from spikesim.data.spiketrains import SpikeTrains

CORRECTIONS = ["cubic", "quadratic", "panzeri-treves", "shuffle", "none"]


def entropy(p):
    p = np.asarray(p, float)
    return -(p[p > 0] * np.log2(p[p > 0])).sum()


def exact(channel):
    """Information (bits) of a channel (stimuli, responses) whose stimuli are equally frequent."""
    return entropy(channel.mean(axis=0)) - np.mean([entropy(p) for p in channel])


def binary(e):
    """A channel that errs with probability e: 1 - H(e) bits."""
    return np.array([[1 - e, e], [e, 1 - e]])


def counts(rates):
    """Poisson counts of these means."""
    n = np.arange(int(stats.poisson.ppf(1 - 1e-9, max(rates))) + 2)
    p = stats.poisson.pmf(n, np.array(rates)[:, None])
    return p / p.sum(axis=1, keepdims=True)


def drawn(channel, trials, sets, seed):
    """Tables of so many trials a stimulus, (sets, stimuli, responses)."""
    rng = np.random.default_rng(seed)
    return np.stack([rng.multinomial(trials, p, size=sets) for p in channel], axis=1)


def trials_of(table):
    stimuli, responses = np.indices(table.shape)
    return np.repeat(responses.ravel(), table.ravel()), np.repeat(stimuli.ravel(), table.ravel())


# The estimators, one by one


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=2, max_size=60))
def test_without_correction_it_is_that_of_scikit_learn(trials):
    metrics = pytest.importorskip("sklearn.metrics")
    responses, stimuli = map(np.array, zip(*trials, strict=True))
    ours = information(responses, stimuli, correction="none").bits
    if len(set(stimuli)) < 2 or np.bincount(stimuli)[np.unique(stimuli)].min() < 2:
        assert np.isnan(ours)
    else:
        there = metrics.mutual_info_score(stimuli, responses) / np.log(2)
        assert ours == pytest.approx(there, abs=1e-10)


def mean_entropy(row, m):
    """Entropy of m of the trials, mean over all subsets of them."""
    trials = np.repeat(np.arange(len(row)), row)
    return np.mean(
        [entropy(np.bincount(trials[list(c)]) / m) for c in combinations(range(len(trials)), m)]
    )


def polynomial(sizes, values):
    """Value at 0 of the polynomial in 1 / size through the values."""
    return np.polyfit(1 / np.array(sizes), values, len(sizes) - 1)[-1]


def without_one(table):
    """H(R), and the mean of H(R) without one trial: of all, and stimulus by stimulus."""
    n_s = table.sum(axis=1)
    n, weights = n_s.sum(), n_s / n_s.sum()
    h = entropy(table.sum(axis=0) / n)
    every, by_stimulus = [], []
    for s in range(len(table)):
        of_s = []
        for r, k in enumerate(table[s]):
            less = table.astype(float)
            less[s, r] -= 1
            every += [entropy(less.sum(axis=0) / (n - 1))] * k
            of_s += [entropy(weights @ (less / less.sum(axis=1, keepdims=True)))] * k
        by_stimulus.append((n_s[s] - 1) * (h - np.mean(of_s)))
    return (n - 1) * (h - np.mean(every)) - sum(by_stimulus)


@pytest.mark.parametrize(
    ("correction", "sizes"),
    [("cubic", lambda n: [n, n - 1, n - 2, n - 3]), ("quadratic", lambda n: [n, n // 2, n // 4])],
)
@pytest.mark.parametrize(
    "table",
    [
        [[4, 1, 0], [0, 2, 3]],
        [[5, 0, 0, 1], [1, 1, 1, 1]],
        [[4, 0], [0, 4]],
        [[3, 2, 1], [1, 1, 2], [2, 0, 3]],
    ],
)
def test_extrapolation_is_that_over_all_subsets(correction, sizes, table):
    table = np.array(table)
    n_s = table.sum(axis=1)
    of_each = [
        polynomial(sizes(n), [mean_entropy(row, m) for m in sizes(n)])
        for row, n in zip(table, n_s, strict=True)
    ]
    n = n_s.sum()
    every = [n - i * max(n // 8, 1) for i in range(4)] if correction == "cubic" else sizes(n)
    total = polynomial(every, [mean_entropy(table.sum(axis=0), m) for m in every])
    there = total - without_one(table) - n_s @ of_each / n
    responses, stimuli = trials_of(table)
    ours = information(responses, stimuli, correction=correction)
    assert ours.bits == pytest.approx(there, abs=1e-9)


def test_means_over_subsets_are_exact_with_many_trials():
    from spikesim.analysis.codes.kernels_information import extrapolated

    n = 4000
    for k in (1, 2, 17, 400, 1999, 3950, 4000):
        sizes = np.array([[n, 3500, 3000, 2500]])
        terms = []
        for m in sizes[0]:
            i = np.arange(max(m - n + k, 0), min(k, m) + 1)
            p = i / m
            h = -p * np.log2(np.where(p > 0, p, 1))
            terms.append((stats.hypergeom.pmf(i, n, k, m) * h).sum())
        there = polynomial(sizes[0], terms)
        ours = extrapolated(np.array([k]), np.array([n]), sizes)[0]
        assert ours == pytest.approx(there, rel=1e-8)


def bayes_count(row, occurring):
    """Panzeri & Treves (1996): responses that can occur, found by adding one after another."""
    n, seen = row.sum(), (row > 0).sum()
    p = row[row > 0] / n

    def expected(unseen):
        if unseen == 0:
            return (1 - (1 - p) ** n).sum()
        share = unseen * (1 - (n / (n + seen)) ** (1 / n))
        of_seen = (1 - share) * (n * p + 1) / (n + seen)
        return (1 - (1 - of_seen) ** n).sum() + unseen * (1 - (1 - share / unseen) ** n)

    unseen = 0
    while seen + unseen < occurring and abs(seen - expected(unseen + 1)) < abs(
        seen - expected(unseen)
    ):
        unseen += 1
    return seen + unseen


@pytest.mark.parametrize("rates", [[2.0, 9.0], [1.0, 1.0, 1.0], [5.0, 6.0, 7.0, 30.0]])
def test_panzeri_treves_is_their_formula(rates):
    tables = drawn(counts(rates), 11, 40, seed=3)
    plain, ours = corrected(tables, "none"), corrected(tables, "panzeri-treves")
    for table, without, bits in zip(tables, plain, ours, strict=True):
        occurring = (table.sum(axis=0) > 0).sum()
        relevant = [bayes_count(row, occurring) for row in table]
        bias = (sum(r - 1 for r in relevant) - (occurring - 1)) / (2 * table.sum() * log(2))
        assert bits == pytest.approx(without - bias, abs=1e-10)


def test_shuffle_takes_off_the_mean_of_shuffled_trials():
    responses, stimuli = trials_of(drawn(counts([3.0, 5.0]), 20, 1, seed=1)[0])
    plain = information(responses, stimuli, correction="none", shuffles=100, seed=4)
    ours = information(responses, stimuli, correction="shuffle", seed=4)
    assert ours.bits == pytest.approx(plain.bits - plain.baseline, abs=1e-12)
    assert ours.baseline == pytest.approx(0.0, abs=1e-12) and ours.p == plain.p
    assert ours.baseline_sd == pytest.approx(plain.baseline_sd)


# Closed forms


@pytest.mark.parametrize("e", [0.02, 0.05, 0.1, 0.2, 0.3, 0.5])
@pytest.mark.parametrize(("trials", "within"), [(8, 0.02), (16, 0.01)])
def test_bias_of_a_binary_channel(e, trials, within):
    # 8 trials a stimulus, and 8 for each response of it; the means are sure to +-.001.
    assert exact(binary(e)) == pytest.approx(1 - entropy([e, 1 - e]))
    ours = corrected(drawn(binary(e), trials, 100_000, seed=1), "cubic")
    assert abs(ours.mean() - exact(binary(e))) < within


@pytest.mark.parametrize(
    "rates", [[2, 4], [1, 2, 4, 8], [0.1, 0.5], [5, 5, 5, 5], [1, 1.5, 2, 2.5, 3, 3.5, 4, 4.5]]
)
@pytest.mark.parametrize(("trials", "within"), [(8, 0.02), ("each", 0.01)])
def test_bias_of_poisson_counts(rates, trials, within):
    if trials == "each":  # 8 for each response that has 99.9 % of them
        trials = 8 * (int(stats.poisson.ppf(0.999, max(rates))) + 1)
    channel = counts(rates)
    ours = corrected(drawn(channel, trials, 20_000, seed=2), "cubic")
    assert ours.std() / np.sqrt(len(ours)) < 0.0025
    assert abs(ours.mean() - exact(channel)) < within


@pytest.mark.parametrize(
    ("rates", "most"),
    [([2, 4, 6, 8, 10, 12, 14, 16], 0.035), ([5, 20], 0.045)],
)
def test_where_eight_trials_a_stimulus_leave_more_bias(rates, most):
    channel = counts(rates)
    tables = drawn(channel, 8, 10_000, seed=2)
    bias = {c: corrected(tables, c).mean() - exact(channel) for c in CORRECTIONS if c != "shuffle"}
    assert 0.01 < bias["cubic"] < most
    assert bias["none"] > 0.04 and abs(bias["panzeri-treves"]) > 0.1
    many = drawn(channel, 8 * (int(stats.poisson.ppf(0.999, max(rates))) + 1), 5000, seed=2)
    assert abs(corrected(many, "cubic").mean() - exact(channel)) < 0.01


@pytest.mark.parametrize(
    ("correction", "of_binary", "of_counts"),
    [("quadratic", 0.03, 0.31), ("panzeri-treves", 0.1, 0.33), ("none", 0.09, 0.85)],
)
def test_other_corrections_leave_more_bias_with_eight_trials_a_stimulus(
    correction, of_binary, of_counts
):
    def largest(channels, sets):
        bias = [corrected(drawn(c, 8, sets, 3), correction).mean() - exact(c) for c in channels]
        return np.abs(bias).max()

    found = largest([binary(e) for e in (0.02, 0.05, 0.1, 0.2, 0.3, 0.5)], 20_000)
    assert 0.75 * of_binary < found < of_binary + 0.003
    rates = [2, 4, 6, 8, 10, 12, 14, 16], [5, 20], [5, 5, 5, 5]
    assert 0.9 * of_counts < largest(map(counts, rates), 3000) < of_counts + 0.01


def test_every_correction_is_right_with_many_trials():
    channel = counts([2.0, 5.0, 9.0])
    responses, stimuli = trials_of(drawn(channel, 20_000, 1, seed=5)[0])
    for correction in CORRECTIONS:
        ours = information(responses, stimuli, correction=correction, seed=1)
        assert ours.bits == pytest.approx(exact(channel), abs=3 * ours.se)
        assert ours.se < 0.005


def test_stimuli_that_are_shown_unequally_often():
    rng = np.random.default_rng(3)
    trials = np.array([8, 30, 17])
    channel = counts([1.0, 3.0, 4.0])
    p = trials / trials.sum()
    there = entropy(p @ channel) - p @ [entropy(c) for c in channel]
    sets = 20_000
    tables = np.stack(
        [rng.multinomial(n, c, size=sets) for n, c in zip(trials, channel, strict=True)], axis=1
    )
    ours = corrected(tables, "cubic")
    assert abs(ours.mean() - there) < 0.01


# Errors and chance


@pytest.mark.parametrize(
    ("channel", "trials", "ratio"),
    [(binary(0.1), 100, (0.9, 1.15)), (counts([2, 6]), 100, (0.9, 1.25)), (binary(0.1), 8, (1, 2))],
)
def test_standard_errors_are_the_spread_of_new_data_or_larger(channel, trials, ratio):
    tables = drawn(channel, trials, 150, seed=6)
    spread = corrected(drawn(channel, trials, 3000, seed=7), "cubic").std()
    se = []
    for table in tables:
        responses, stimuli = trials_of(table)
        se.append(information(responses, stimuli).se)
    assert ratio[0] < np.sqrt(np.mean(np.square(se))) / spread < ratio[1]


def test_p_is_the_share_of_shuffles_and_right_under_the_null():
    rng = np.random.default_rng(8)
    stimuli = np.repeat(np.arange(4), 10)
    found = information(rng.poisson(3.0, (40, 400)), stimuli, shuffles=99, seed=2)
    assert abs(found.bits.mean()) < 0.02 and abs(found.baseline.mean()) < 0.02
    assert 0.02 < np.mean(found.p <= 0.05) < 0.08
    assert set(np.round(found.p * 100, 9)) <= set(range(1, 101))
    told = information(rng.poisson(1 + 4 * stimuli), stimuli, shuffles=99, seed=2)
    assert told.p == 0.01 and told.bits > told.baseline + 3 * told.baseline_sd


def test_the_same_seed_gives_the_same_shuffles():
    stimuli = np.repeat([0, 1], 10)
    responses = np.random.default_rng(1).poisson(2.0, (20, 3))
    a, b = (information(responses, stimuli, shuffles=20, seed=s).baseline for s in (1, 1))
    np.testing.assert_array_equal(a, b)
    assert (a != information(responses, stimuli, shuffles=20, seed=2).baseline).any()


def test_neurons_are_measured_each_by_itself_and_names_do():
    rng = np.random.default_rng(9)
    stimuli = np.array(["left", "right"])[rng.integers(0, 2, 60)]
    responses = rng.poisson(2.0, (60, 3)) + 3 * (stimuli == "left")[:, None]
    together = information(responses, stimuli, shuffles=20, seed=1)
    assert together.bits.shape == together.se.shape == together.p.shape == (3,)
    for i in range(3):
        alone = information(responses[:, i], stimuli == "left", shuffles=20, seed=1)
        assert alone.bits == together.bits[i] and alone.se == together.se[i]
        assert alone.bits.shape == () and "bits; 60 trials, 2 stimuli" in repr(alone)
    assert "3 neurons" in repr(together) and list(together.n_responses) != []


def test_too_few_trials_are_nan_without_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for correction in CORRECTIONS:
            for responses, stimuli in [([], []), ([1], [1]), ([1, 2], [1, 1]), ([1, 2], [1, 2])]:
                found = information(
                    np.array(responses, int), np.array(stimuli, int), correction=correction
                )
                assert np.isnan(found.bits) and np.isnan(found.se) and np.isnan(found.p)
        stimuli = np.repeat([0, 1], [3, 9])
        responses = np.arange(12) % 3
        assert np.isnan(information(responses, stimuli).bits)
        assert np.isfinite(information(responses, stimuli, correction="none").se)
        stimuli = np.repeat([0, 1], [4, 9])
        found = information(np.arange(13) % 3, stimuli)
        assert np.isfinite(found.bits) and np.isnan(found.se)
        nobody = information(np.zeros((8, 0), int), np.repeat([0, 1], 4), shuffles=3)
        assert nobody.bits.shape == (0,) and "0 neurons" in repr(nobody)


def test_what_is_not_discrete_is_refused():
    stimuli = [0, 1, 0, 1]
    with pytest.raises(ValueError, match="responses has shape .* whole numbers or names, one for"):
        information([0.5, 1.0, 2.0, 1.0], stimuli)
    with pytest.raises(ValueError, match="responses has shape"):
        information([np.nan, 1.0, 2.0, 1.0], stimuli)
    with pytest.raises(ValueError, match=r"stimuli has shape \(3,\); it must have one for each of"):
        information([1, 2, 1, 2], [0, 1, 0])
    with pytest.raises(ValueError, match="correction is 'nsb'; it must be 'cubic'"):
        information([1, 2, 1, 2], stimuli, correction="nsb")
    with pytest.raises(ValueError, match="shuffles is -1"):
        information([1, 2, 1, 2], stimuli, shuffles=-1)


# Classes


def test_bins_are_equally_full_and_keep_what_is_equal_together():
    values = np.random.default_rng(1).permutation(100).astype(float)
    classes = binned(values, 4)
    assert list(np.bincount(classes)) == [0, 25, 25, 25, 25]
    assert (np.diff(classes[np.argsort(values)]) >= 0).all()
    few = binned([3, 3, 0, 7, np.nan, 3], 5)
    assert list(few) == [2, 2, 1, 3, 0, 2]
    tied = np.repeat([0.0, 1, 2, 3, 4, 5], [50, 10, 10, 10, 10, 10])
    classes = binned(tied, 3)
    assert len(set(zip(tied, classes, strict=True))) == 6 and classes.max() <= 3
    assert (binned([], 3).shape, binned(np.full(3, np.nan), 2).max()) == ((0,), 0)


def test_circular_bins_are_parts_of_the_circle():
    angles = np.array([0.0, 89.9, 90.0, -0.1, 359.9, 720.0, np.nan, -1e-18])
    assert list(binned(angles, 4, period=360.0)) == [1, 1, 2, 4, 4, 1, 0, 1]
    with pytest.raises(ValueError, match="period is 0"):
        binned(angles, 4, period=0)
    with pytest.raises(ValueError, match="bins is 0"):
        binned(angles, 0)


# Which code


def answering(code, trials=40, neurons=6, seed=1):
    """Spikes around 4 stimuli which tell them by one code alone."""
    rng = np.random.default_rng(seed)
    stimuli = np.repeat(np.arange(4), trials)
    times, phases, who, when = [], [], [], []
    for trial, s in enumerate(stimuli):
        for neuron in range(neurons):
            first = 20.0 + (10.0 * s if code == "latency" else 0.0) + rng.uniform(0, 15)
            n = 3 + (2 * s if code == "counts" else 0) + rng.poisson(1.0)
            later = rng.uniform(80, 200, n)
            phase = (s * np.pi / 2 if code == "phase" else 0.0) + rng.normal(0.7, 0.3, n + 1)
            times += [first, *later]
            phases += list(phase)
            who += [neuron] * (n + 1)
            when += [trial] * (n + 1)
    order = np.lexsort((who, times, when))
    label = {"stimulus": stimuli}
    aligned = AlignedTrains(times, who, when, neurons, len(stimuli), -50.0, 200.0, label)
    return aligned, np.array(phases)[order]


@pytest.mark.parametrize("code", ["counts", "latency", "phase"])
def test_the_code_that_carries_the_stimulus_is_found(code):
    aligned, phases = answering(code)
    table = which_code(aligned, "stimulus", phases=phases, shuffles=50, seed=1)
    assert table.names == ("counts", "latency", "phase")
    assert table.names[int(np.argmax(table.mean))] == code
    for name, mean, se, baseline, p in zip(
        table.names, table.mean, table.mean_se, table.mean_baseline, table.mean_p, strict=True
    ):
        assert abs(baseline) < 0.02
        if name == code:
            assert mean > 0.6 and p == 1 / 51
        else:
            assert abs(mean) < 0.05 and p > 0.02
            more, error = table.difference(code, name)
            assert more == pytest.approx(table.mean[table.names.index(code)] - mean)
            assert more > 5 * error and error > 0
        assert se < 0.05
    assert table.bits.shape == table.se.shape == table.p.shape == (3, 6)
    assert f"{code}" in repr(table) and "160 trials, 5 classes" in repr(table)


def test_codes_are_those_of_information():
    aligned, phases = answering("counts", trials=10, neurons=2)
    stimuli = aligned.labels["stimulus"]
    table = which_code(aligned, stimuli, phases=phases, classes=4, shuffles=20, seed=3, until=150.0)
    kept = (aligned.times > 0) & (aligned.times <= 150.0)
    n = np.zeros((40, 2), int)
    np.add.at(n, (aligned.trials[kept], aligned.neurons[kept]), 1)
    there = information(binned(n, 4), stimuli, shuffles=20, seed=3)
    np.testing.assert_allclose(table.bits[0], there.bits, atol=1e-12)
    np.testing.assert_allclose(table.se[0], there.se, atol=1e-12)
    np.testing.assert_allclose(table.baseline[0], there.baseline, atol=1e-12)
    np.testing.assert_allclose(table.p[0], there.p)
    assert table.mean[0] == pytest.approx(there.bits.mean())
    first = np.full((40, 2), np.nan)
    for trial in range(40):
        for neuron in range(2):
            here = kept & (aligned.trials == trial) & (aligned.neurons == neuron)
            first[trial, neuron] = aligned.times[here].min() if here.any() else np.nan
    given = which_code(aligned, stimuli, latencies=first, classes=4, shuffles=0, until=150.0)
    np.testing.assert_allclose(table.bits[1], given.bits[1], atol=1e-12)
    vectors = np.zeros((40, 2), complex)
    np.add.at(vectors, (aligned.trials[kept], aligned.neurons[kept]), np.exp(1j * phases[kept]))
    by_trial = np.where(n > 0, np.angle(vectors), np.nan)
    given = which_code(aligned, stimuli, phases=by_trial, classes=4, shuffles=0, until=150.0)
    np.testing.assert_allclose(table.bits[2], given.bits[2], atol=1e-12)
    assert np.isnan(given.mean_p).all() and np.isnan(given.mean_baseline).all()


def test_no_code_has_more_classes_than_others():
    from spikesim.analysis.codes.compared import _with_none

    values = np.random.default_rng(1).uniform(0, 6, (200, 2))
    values[::7, 1] = np.nan  # no spike
    for period in (None, 6.0):
        classes = _with_none(values, 4, period)
        assert [len(set(column)) for column in classes.T] == [4, 4]
        np.testing.assert_array_equal(classes[:, 1] == 0, np.isnan(values[:, 1]))


def test_no_spikes_no_neurons_no_warnings():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for size in (0, 2):
            empty = SpikeTrains([], [], size, 0.0, 100.0).align(np.arange(10.0, 90.0, 10), 5.0, 5.0)
            table = which_code(empty, np.arange(8) % 2, shuffles=5)
            assert table.bits.shape == (2, size)
            np.testing.assert_allclose(table.bits, 0.0, atol=1e-12)
            assert np.isnan(table.mean).all() == (size == 0)
            repr(table)


@pytest.mark.parametrize("correction", ["cubic", "quadratic", "none"])
def test_what_has_no_information_for_few_trials_has_no_p(correction):
    trials = 1 if correction == "none" else 3
    aligned, _ = answering("counts", trials=trials, neurons=2)
    table = which_code(aligned, "stimulus", correction=correction, shuffles=20, seed=1)
    assert np.isnan(table.bits).all() and np.isnan(table.mean).all()
    assert np.isnan(table.p).all() and np.isnan(table.mean_p).all()
    stimuli = aligned.labels["stimulus"]
    alone = information(aligned.count(), stimuli, correction=correction, shuffles=20, seed=1)
    assert np.isnan(alone.bits).all() and np.isnan(alone.p).all()


def test_which_code_shuffles_if_the_correction_needs_it():
    aligned, _ = answering("counts", trials=8, neurons=2)
    by = dict(correction="shuffle", seed=1)
    none, some = (which_code(aligned, "stimulus", shuffles=n, **by) for n in (0, 100))
    np.testing.assert_array_equal(none.bits, some.bits)
    assert np.isfinite(none.bits).all()


def test_arguments_of_which_code_are_checked():
    aligned, phases = answering("counts", trials=3, neurons=2)
    with pytest.raises(
        ValueError, match="condition is 'side'; the trials have these labels: 'stimulus'"
    ):
        which_code(aligned, "side")
    with pytest.raises(ValueError, match=r"condition has shape \(2,\)"):
        which_code(aligned, [1, 2])
    with pytest.raises(ValueError, match="until is 300.0; it must be"):
        which_code(aligned, "stimulus", until=300.0)
    with pytest.raises(ValueError, match=r"phases has shape \(3,\)"):
        which_code(aligned, "stimulus", phases=phases[:3])
    with pytest.raises(ValueError, match="phases is .'a', 'b'.; it must hold real numbers"):
        which_code(aligned, "stimulus", phases=["a", "b"])
    with pytest.raises(ValueError, match="latencies is 'first'; it must hold real numbers"):
        which_code(aligned, "stimulus", latencies="first")
    with pytest.raises(ValueError, match=r"latencies has shape \(3,\)"):
        which_code(aligned, "stimulus", latencies=[1.0, 2.0, 3.0])
    with pytest.raises(ValueError, match="classes is 1"):
        which_code(aligned, "stimulus", classes=1)
    with pytest.raises(ValueError, match="a code is 'order'; it must be 'counts' or 'latency'"):
        which_code(aligned, "stimulus", shuffles=0).difference("order", "counts")


def test_latencies_that_rounding_tells_apart_are_one_response():
    events = np.arange(1, 81) * 1e5 / 3  # ms
    latencies = (events + 5.3) - events
    assert len(np.unique(latencies)) > 1
    assert set(binned(latencies, 8)) == {1}
    trains = SpikeTrains(events + 5.3, np.zeros(80, int), 1, 0.0, 3e6)
    early = (events > np.median(events)).astype(int)
    found = which_code(trains.align(events, 10.0, 10.0), early, shuffles=0)
    np.testing.assert_allclose(found.bits, 0.0, atol=1e-12)


def test_rounding_moves_no_phase_across_an_edge():
    phases = np.repeat(np.arange(-4, 8) * np.pi / 2, 3) + np.tile([-1e-10, 0.0, 1e-10], 12)
    found = binned(phases, 4, period=2 * np.pi)
    np.testing.assert_array_equal(found, np.repeat(np.arange(12) % 4, 3) + 1)


def test_small_units_are_not_taken_for_rounding():
    currents = np.random.default_rng(1).normal(0, 1e-9, 400)  # A
    np.testing.assert_array_equal(binned(currents, 4), binned(currents * 1e9, 4))
    assert list(binned([-np.inf, 1.0, np.nan, np.inf, np.inf], 8)) == [1, 2, 0, 3, 3]
