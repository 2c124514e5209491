"""Normal, LogNormal, Uniform: quantiles against SciPy, levels, errors."""

import math

import numpy as np
import pytest
from hypothesis import given, reject, settings, strategies as st
from scipy import integrate, special, stats

import spikesim as ss
from spikesim.description.distributions import LogNormal, Normal, Uniform, levels, tail

INF, NAN = math.inf, math.nan
U = np.concatenate([(np.arange(1000) + 0.5) / 1000, [1e-12, 1e-9, 1e-6, 1 - 1e-6, 1 - 1e-9]])


def bounded_lognormal(mu, sigma, low, high):
    """Quantiles of exp(x), x truncated normal."""
    a, b = ((math.log(x) - mu) / sigma if x > 0 else -INF for x in (low, high))
    return lambda u: np.exp(stats.truncnorm(a, b, mu, sigma).ppf(u))


QUANTILES = [
    (Normal(0, 1), stats.norm(0, 1).ppf),
    (Normal(-351.2, 35.12), stats.norm(-351.2, 35.12).ppf),
    (Normal(87.8, 8.78, low=0), stats.truncnorm(-10, INF, 87.8, 8.78).ppf),
    (Normal(1.5, 0.75, low=0.1), stats.truncnorm(-1.4 / 0.75, INF, 1.5, 0.75).ppf),
    (Normal(2, 3, high=1), stats.truncnorm(-INF, -1 / 3, 2, 3).ppf),
    (Normal(0, 1, low=-0.5, high=2), stats.truncnorm(-0.5, 2).ppf),
    (Normal(0, 1, low=2, high=3), stats.truncnorm(2, 3).ppf),
    (LogNormal(0, 0.5), stats.lognorm(0.5).ppf),
    (LogNormal(-0.7, 2.0), stats.lognorm(2.0, scale=math.exp(-0.7)).ppf),
    (LogNormal(1, 0.5, low=2), bounded_lognormal(1, 0.5, 2, INF)),
    (LogNormal(1, 0.5, low=1, high=3), bounded_lognormal(1, 0.5, 1, 3)),
    (Normal(-2, 1, low=0), stats.truncnorm(2, INF, -2, 1).ppf),
    (Normal(0, 1, low=4.7), stats.truncnorm(4.7, INF).ppf),
    (Normal(0, 1, low=4, high=4.5), stats.truncnorm(4, 4.5).ppf),
    (Normal(3, 1, high=-1.5), stats.truncnorm(-INF, -4.5, 3, 1).ppf),
    (LogNormal(0, 1, low=5), bounded_lognormal(0, 1, 5, INF)),
    (LogNormal(0, 6, low=1e10), bounded_lognormal(0, 6, 1e10, INF)),
    (Uniform(-1, 3), stats.uniform(-1, 4).ppf),
    (Uniform(0.1, 0.2), stats.uniform(0.1, 0.1).ppf),
]


@pytest.mark.parametrize("distribution, quantile", QUANTILES, ids=[repr(d) for d, _ in QUANTILES])
def test_quantiles_are_those_of_scipy(distribution, quantile):
    q = distribution.quantile(U)
    scale = quantile(0.75) - quantile(0.25)
    np.testing.assert_allclose(q, quantile(U), rtol=1e-7, atol=1e-9 * scale)
    assert (np.diff(distribution.quantile(np.sort(U))) >= 0).all()
    assert distribution.quantile(U.reshape(5, -1)).shape == (5, 201)


@pytest.mark.parametrize("kind", [Normal, LogNormal])
def test_clip_sets_to_the_bound_and_redraw_does_not(kind):
    a, b, low, high = 0.2, 0.8, 0.7, 1.1
    free = kind(a, b).quantile(U)
    clipped = kind(a, b, low=low, high=high, outside="clip").quantile(U)
    np.testing.assert_array_equal(clipped, np.clip(free, low, high))
    for bound in (low, high):
        beyond = free <= low if bound == low else free >= high
        assert 0.1 < beyond.mean() < 0.9
        np.testing.assert_array_equal(clipped == bound, beyond)
    redrawn = kind(a, b, low=low, high=high).quantile(U)
    assert low <= redrawn.min() and redrawn.max() <= high
    inner = redrawn[(U > 1e-5) & (U < 1 - 1e-5)]
    assert low < inner.min() and inner.max() < high
    assert kind(a, b, low=low, high=high) == kind(a, b, low=low, high=high, outside="redraw")


bounded = st.builds(
    lambda mean, sd, a, b, outside: Normal(
        mean, sd, mean + sd * min(a, b) - sd / 10, mean + sd * max(a, b), outside
    ),
    *(st.floats(-100, 100), st.floats(1e-3, 100), st.floats(-4, 4), st.floats(-4, 4)),
    st.sampled_from(["redraw", "clip"]),
)


@settings(deadline=None)
@given(bounded, st.lists(st.floats(0, 1), min_size=1))
def test_no_quantile_passes_a_bound(distribution, u):
    q = distribution.quantile(np.array(u))
    assert np.isfinite(q).all()
    assert (q >= distribution.low).all() and (q <= distribution.high).all()


@settings(deadline=None)
@given(bounded, st.sampled_from([2, 4, 254, 256, 2048]))
def test_no_level_passes_a_bound(distribution, count):
    values = levels(distribution, count)
    assert values.shape == (count,)
    everything = np.concatenate([values, tail(distribution, count).values.ravel()])
    assert (everything >= distribution.low).all() and (everything <= distribution.high).all()
    assert tail(distribution, count).covers or (np.diff(values) >= 0).all()


def moments(distribution):
    """Mean and standard deviation, by integration over the underlying normal variable."""
    match distribution:
        case Uniform(low=low, high=high):
            return (low + high) / 2, (high - low) / math.sqrt(12)
        case Normal(mean=a, sd=b):
            value, ends = (lambda z: a + b * z), [distribution.low, distribution.high]
            ends = [(x - a) / b for x in ends]
        case LogNormal(mu=a, sigma=b):
            value, ends = (lambda z: math.exp(a + b * z)), [distribution.low, distribution.high]
            ends = [(math.log(x) - a) / b if x > 0 else -INF for x in ends]
    low, high = max(ends[0], -14.0), min(ends[1], 16.0)
    below, above = special.ndtr(ends[0]), special.ndtr(-ends[1])
    kept = special.ndtr(-ends[0]) - above if ends[0] > 0 else special.ndtr(ends[1]) - below

    def expected(function):
        inside = integrate.quad(
            lambda z: function(value(z)) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
            *(low, max(low, high)),
            points=np.clip([0, b, 2 * b], low, max(low, high)),
            epsabs=1e-14,
            epsrel=1e-10,
            limit=200,
        )[0]
        if distribution.outside == "redraw":
            return inside / kept
        at_bounds = [
            p * function(bound)
            for p, bound in ((below, distribution.low), (above, distribution.high))
            if p > 0
        ]
        return inside + sum(at_bounds)

    mean = expected(lambda x: x)
    return mean, math.sqrt(expected(lambda x: (x - mean) ** 2))


LEVELLED = [
    Normal(0, 1),
    Normal(87.8, 8.78, low=0),
    Normal(1.5, 0.75, low=0.1),
    Normal(0, 1, low=-0.5, high=2),
    Normal(0, 1, low=0),
    Normal(0, 1, low=-0.5, high=1, outside="clip"),
    Normal(0, 1, low=0, outside="clip"),
    LogNormal(-0.7, 0.3),
    LogNormal(0, 0.5),
    LogNormal(0, 1),
    LogNormal(0, 1, low=0.3, high=4),
    Uniform(-1, 3),
    Normal(-2, 1, low=0),
    Normal(0, 1, low=4.7),
    Normal(3, 1, high=-1.5),
    Normal(0, 1, low=3, high=3.1),
    LogNormal(0, 1, low=5),
    LogNormal(0, 2, low=1, high=2),
]
HEAVY = [
    LogNormal(0, 2.5),
    LogNormal(0, 2.7),
    LogNormal(1, 3.5),
    LogNormal(0, 4),
    LogNormal(0, 4, high=1e9),
    LogNormal(0, 3, high=1000, outside="clip"),
    LogNormal(0, 50, high=1e3),
    LogNormal(0, 0.1, high=0.7, outside="clip"),
    Normal(0, 1, low=4, outside="clip"),
    Normal(0, 1, low=4, high=4.2, outside="clip"),
    Normal(0, 1, high=-3.5, outside="clip"),
]


def likelihoods(distribution, count):
    """All values that levels and their tail can take, and the probability of each."""
    values, beyond = levels(distribution, count), tail(distribution, count)
    each = np.full(count, 1 / count)
    rows, common = len(beyond.values), count - beyond.covers
    octaves = 2.0 ** -np.minimum(np.arange(1, rows + 1), rows - 1)
    rare = np.repeat(octaves * beyond.covers / count / 64, 64)
    return (
        np.concatenate([values[:common], beyond.values.ravel()]),
        np.concatenate([each[:common], rare]),
    )


def mean_and_sd(values, p):
    mean = p @ values
    return mean, math.sqrt(p @ (values - mean) ** 2)


@pytest.mark.parametrize("count", [1024, 2048, 65536])
@pytest.mark.parametrize("distribution", LEVELLED, ids=repr)
def test_levels_keep_mean_and_variance(distribution, count):
    """To 1e-5, of a standard deviation and of the variance."""
    mean, sd = moments(distribution)
    values = levels(distribution, count)
    assert not tail(distribution, count).covers
    assert abs(values.mean() - mean) < 1e-5 * sd
    assert abs(values.var() / sd**2 - 1) < 1e-5


@pytest.mark.parametrize("count", [1024, 65536])
@pytest.mark.parametrize("distribution", HEAVY, ids=repr)
def test_heavy_tails_keep_mean_and_variance(distribution, count):
    mean, sd = moments(distribution)
    values, p = likelihoods(distribution, count)
    assert p.sum() == pytest.approx(1, rel=1e-12)
    found = mean_and_sd(values, p)
    assert abs(found[0] - mean) < 1e-3 * sd
    assert found[0] == pytest.approx(mean, rel=0.003)
    assert found[1] ** 2 == pytest.approx(sd**2, rel=0.005)
    assert levels(distribution, count).mean() == pytest.approx(mean, rel=0.003)
    assert distribution.low <= values.min() and values.max() <= distribution.high


@pytest.mark.parametrize("count", [1024, 65536])
@pytest.mark.parametrize("sigma", [2.7, 3.5, 4.0, 4.5])
def test_lognormal_levels_have_the_closed_form_moments(sigma, count):
    mean = math.exp(sigma**2 / 2)
    found = mean_and_sd(*likelihoods(LogNormal(0, sigma), count))
    assert found[0] == pytest.approx(mean, rel=1e-9)
    assert found[1] ** 2 == pytest.approx(math.exp(2 * sigma**2) - mean**2, rel=1e-9)


@st.composite
def distributions(draw):
    """Normal and lognormal, cut on either side or both, anywhere that is accepted."""
    kind = draw(st.sampled_from([Normal, LogNormal]))
    spread, a = draw(st.floats(0.01, 4.4)), draw(st.floats(-4.4, 4.4))
    ends = [a, a + draw(st.floats(0.01, 6))]
    low, high = (-1.0 + spread * end for end in ends)
    if kind is LogNormal:
        low, high = math.exp(low), math.exp(high)
    cut = draw(st.sampled_from(["low", "high", "both"]))
    bounds = {"low": low, "high": high}
    try:
        return kind(
            *(-1.0, spread),
            outside=draw(st.sampled_from(["redraw", "clip"])),
            **(bounds if cut == "both" else {cut: bounds[cut]}),
        )
    except ValueError as error:
        assert "less than one in a million" in str(error)
        reject()


@settings(deadline=None)
@given(distributions(), st.sampled_from([1024, 65536]))
def test_levels_of_anything_accepted_keep_mean_and_variance(distribution, count):
    mean, sd = moments(distribution)
    values, p = likelihoods(distribution, count)
    found = mean_and_sd(values, p)
    assert found[0] == pytest.approx(mean, rel=0.01)
    assert found[1] ** 2 == pytest.approx(sd**2, rel=0.01, abs=1e-22 * mean**2)
    assert distribution.low <= values.min() and values.max() <= distribution.high


@pytest.mark.parametrize(
    ("distribution", "mean"),
    [
        (Normal(-2, 1, low=0), 0.373215532822841),  # phi(2) / (1 - Phi(2)) - 2
        (LogNormal(0, 2.7), math.exp(2.7**2 / 2)),
        (LogNormal(0, 4), math.exp(8)),
    ],
    ids=repr,
)
def test_weights_have_the_mean_of_their_distribution(distribution, mean):
    """Of a receptor that takes positive ones."""
    assert levels(distribution, 1024).mean() == pytest.approx(mean, rel=1e-9)
    assert levels(distribution, 1024).min() > 0


def test_a_tail_is_what_is_left_of_the_distribution():
    """Half of a tail's probability lies in its first octave, and so on, all in order."""
    octaves = tail(LogNormal(0, 4), 1024).values
    assert octaves.shape[1] == 64 and 10 < len(octaves) < 30
    assert (np.diff(octaves[:-1].ravel()) > 0).all()
    for k, octave in enumerate(octaves[:-1]):
        edges = np.exp(-4 * special.ndtri(2.0 ** np.array([-k, -k - 1]) / 512))
        assert edges[0] <= octave.min() and octave.max() <= edges[1]
    assert np.unique(octaves[-1]).size == 2 and octaves[-1][0] > edges[1]
    assert not tail(LogNormal(0, 1), 1024).covers


def test_weights_too_wide_to_be_drawn_are_refused_and_other_values_are_not():
    net = ss.Network()
    a = net.population("a", 3, ss.LIF(receptors={"s": ss.Exponential()}))
    for sigma in (6, 80, 800):
        told = rf"'a->a': weight is LogNormal of sigma {sigma},.* below about 5"
        with pytest.raises(ValueError, match=told):
            net.connect(a, a, ss.AllToAll(), weight=LogNormal(0, sigma), delay=1.0)
    assert not net.projections
    net.connect(a, a, ss.AllToAll(), weight=LogNormal(0, 6, high=1e4), delay=1.0)
    net.connect(a, a, ss.AllToAll(), weight=1.0, delay=LogNormal(0, 6, low=0.5, high=100))
    net.population("b", 3, ss.LIF(tau_m=LogNormal(3, 6, low=1.0)))
    ss.build(net)
    net.population("c", 30, ss.LIF(tau_m=LogNormal(3, 900, low=1.0)))
    with pytest.raises(ValueError, match=r"LogNormal\(mu=3, .* gave a value that is not finite"):
        ss.build(net)


@settings(deadline=None)
@given(st.floats(1e-3, 1e3), st.floats(1e-3, 5.0))
def test_a_lognormal_of_its_own_mean_and_sd(mean, ratio):
    made = LogNormal.of(mean, ratio * mean, high=1e9)
    reference = stats.lognorm(made.sigma, scale=math.exp(made.mu))
    assert reference.mean() == pytest.approx(mean, rel=1e-9)
    assert reference.std() == pytest.approx(ratio * mean, rel=1e-6)
    assert (made.low, made.high, made.outside) == (0.0, 1e9, "redraw")


@pytest.mark.parametrize("distribution", LEVELLED, ids=repr)
def test_levels_keep_the_shape(distribution):
    """Each pair of levels lies within its share of the distribution, or very near."""
    count = 2048
    values = levels(distribution, count)[:-16]  # a heavy tail takes the last ones together
    pair = np.arange(count - 16) // 2
    low = distribution.quantile(np.maximum(2 * pair / count, 1e-9))
    high = distribution.quantile((2 * pair + 2) / count)
    slack = 0.005 * np.diff(distribution.quantile(np.array([0.2, 0.8]))).item()
    assert (values >= low - slack).all() and (values <= high + slack).all()
    if isinstance(distribution, LogNormal):
        assert values.min() > 0


def test_levels_of_a_symmetric_distribution_are_symmetric():
    for distribution in (Normal(0, 1), Uniform(-2, 2), Normal(0, 1, low=-1, high=1)):
        for count in (256, 2046, 2048):
            values = levels(distribution, count)
            np.testing.assert_allclose(values, -values[::-1], atol=1e-12)


def test_levels_without_spread_are_the_bound():
    far = Normal(0, 1e-3, low=5, high=6, outside="clip")
    np.testing.assert_array_equal(levels(far, 16), np.full(16, 5.0))


@pytest.mark.parametrize(
    "make, pattern",
    [
        (lambda: Normal(NAN, 1), r"Normal: mean is nan.*finite"),
        (lambda: Normal(INF, 1), r"Normal: mean is inf.*finite"),
        (lambda: Normal(1, NAN), r"Normal: sd is nan.*finite"),
        (lambda: Normal(1, INF), r"Normal: sd is inf.*finite"),
        (lambda: Normal(1, 0), r"Normal: sd is 0.*above 0"),
        (lambda: Normal(1, -0.5), r"Normal: sd is -0\.5.*above 0"),
        (lambda: Normal(1, 1, low=2, high=2), r"Normal: low is 2 and high is 2.*low.*below high"),
        (lambda: Normal(1, 1, low=NAN), r"Normal: low is nan.*low.*below high"),
        (lambda: Normal(1, 1, high=NAN), r"Normal:.*high is nan.*low.*below high"),
        (lambda: Normal(1, 1, outside="wrap"), r"Normal: outside is 'wrap'.*'redraw' or 'clip'"),
        (lambda: Normal(0, 1, low=6), r"Normal:.*low = 6 .*mean = 0"),
        (lambda: Normal(0, 1, high=-6), r"Normal:.*high = -6.*mean = 0"),
        (lambda: LogNormal(NAN, 1), r"LogNormal: mu is nan.*finite"),
        (lambda: LogNormal(0, INF), r"LogNormal: sigma is inf.*finite"),
        (lambda: LogNormal(0, 0), r"LogNormal: sigma is 0.*above 0"),
        (lambda: LogNormal(0, -1), r"LogNormal: sigma is -1.*above 0"),
        (lambda: LogNormal(0, 1, low=-1), r"LogNormal: low is -1.*not be negative"),
        (lambda: LogNormal(0, 1, low=2, high=1), r"LogNormal: low is 2 and high is 1.*below high"),
        (lambda: LogNormal(0, 1, outside=0), r"LogNormal: outside is 0.*'redraw' or 'clip'"),
        (lambda: LogNormal(0, 0.1, low=100), r"LogNormal:.*low = 100.*mu = 0"),
        (lambda: LogNormal(0, 0.1, high=0.01), r"LogNormal:.*high = 0\.01.*mu = 0"),
        (lambda: Normal(0, 1, low=4.9), r"Normal: less than one in a million.*low = 4\.9"),
        (lambda: Normal(0, 1, high=-4.9), r"Normal: less than one in a million.*high = -4\.9"),
        (lambda: Normal(0, 1, low=4, high=4.001), r"Normal: less than one in a million"),
        (lambda: LogNormal.of(0, 1), r"LogNormal\.of: mean is 0; it must be .* above 0"),
        (lambda: LogNormal.of(1, -1), r"LogNormal\.of: sd is -1; it must be .* above 0"),
        (lambda: LogNormal.of(1, 1, low=2, high=1), r"LogNormal: low is 2 and high is 1"),
        (lambda: Uniform(1, 1), r"Uniform: low is 1 and high is 1.*low must be below high"),
        (lambda: Uniform(2, 1), r"Uniform: low is 2 and high is 1.*low must be below high"),
        (lambda: Uniform(0, INF), r"Uniform:.*high is inf.*finite"),
        (lambda: Uniform(NAN, 1), r"Uniform: low is nan.*finite"),
    ],
)
def test_bad_arguments_are_named(make, pattern):
    with pytest.raises(ValueError, match=pattern):
        make()


@pytest.mark.parametrize(
    "make, pattern",
    [
        (lambda: Normal("1", 1), r"Normal: mean is '1'"),
        (lambda: Normal(1, None), r"Normal: sd is None"),
        (lambda: Normal(np.ones(2), 1), r"Normal: mean is array"),
        (lambda: Normal(1, 1, low="0"), r"Normal: low is '?0"),
        (lambda: LogNormal("0", 1), r"LogNormal: mu is '0'"),
        (lambda: Uniform("0", 1), r"Uniform: low is '?0"),
    ],
)
def test_arguments_of_another_type_are_named(make, pattern):
    with pytest.raises((TypeError, ValueError), match=pattern):
        make()


def test_bounds_far_out_may_be_clipped_to():
    assert Normal(0, 1, low=8, outside="clip").quantile(0.5) == 8
    assert LogNormal(0, 0.1, high=0.01, outside="clip").quantile(0.5) == 0.01
