"""Normal, LogNormal, Uniform: quantiles against SciPy, levels, errors."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import integrate, stats

from spikesim.distributions import LogNormal, Normal, Uniform, levels

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
    (Uniform(-1, 3), stats.uniform(-1, 4).ppf),
    (Uniform(0.1, 0.2), stats.uniform(0.1, 0.1).ppf),
]


@pytest.mark.parametrize("distribution, quantile", QUANTILES, ids=lambda x: f"{x!r:.60}")
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


@given(bounded, st.lists(st.floats(0, 1), min_size=1))
def test_no_quantile_passes_a_bound(distribution, u):
    q = distribution.quantile(np.array(u))
    assert np.isfinite(q).all()
    assert (q >= distribution.low).all() and (q <= distribution.high).all()


@given(bounded, st.sampled_from([2, 4, 254, 256, 2048]))
def test_no_level_passes_a_bound(distribution, count):
    values = levels(distribution, count)
    assert values.shape == (count,)
    assert (values >= distribution.low).all() and (values <= distribution.high).all()
    assert (np.diff(values) >= 0).all()


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
    low, high = max(ends[0], -14.0), min(ends[1], 14.0)

    def expected(function):
        inside = integrate.quad(
            lambda z: function(value(z)) * math.exp(-z * z / 2) / math.sqrt(2 * math.pi),
            *(low, high),
            epsabs=1e-13,
            epsrel=1e-11,
            limit=200,
        )[0]
        below, above = stats.norm.cdf(ends[0]), stats.norm.sf(ends[1])
        if distribution.outside == "redraw":
            return inside / (1 - below - above)
        at_bounds = below * function(value(low)) + above * function(value(high))
        return inside + at_bounds

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
]


@pytest.mark.parametrize("count", [2048, 65536])
@pytest.mark.parametrize("distribution", LEVELLED, ids=repr)
def test_levels_keep_mean_and_variance(distribution, count):
    """To 1e-5, of a standard deviation and of the variance."""
    mean, sd = moments(distribution)
    values = levels(distribution, count)
    assert abs(values.mean() - mean) < 1e-5 * sd
    assert abs(values.var() / sd**2 - 1) < 1e-5


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
        (lambda: Normal(1, 0), r"Normal: sd is 0.*positive"),
        (lambda: Normal(1, -0.5), r"Normal: sd is -0\.5.*positive"),
        (lambda: Normal(1, 1, low=2, high=2), r"Normal: low is 2 and high is 2.*low.*below high"),
        (lambda: Normal(1, 1, low=NAN), r"Normal: low is nan.*low.*below high"),
        (lambda: Normal(1, 1, high=NAN), r"Normal:.*high is nan.*low.*below high"),
        (lambda: Normal(1, 1, outside="wrap"), r"Normal: outside is 'wrap'.*'redraw' or 'clip'"),
        (lambda: Normal(0, 1, low=6), r"Normal:.*low = 6 .*mean = 0"),
        (lambda: Normal(0, 1, high=-6), r"Normal:.*high = -6.*mean = 0"),
        (lambda: LogNormal(NAN, 1), r"LogNormal: mu is nan.*finite"),
        (lambda: LogNormal(0, INF), r"LogNormal: sigma is inf.*finite"),
        (lambda: LogNormal(0, 0), r"LogNormal: sigma is 0.*positive"),
        (lambda: LogNormal(0, -1), r"LogNormal: sigma is -1.*positive"),
        (lambda: LogNormal(0, 1, low=-1), r"LogNormal: low is -1.*not be negative"),
        (lambda: LogNormal(0, 1, low=2, high=1), r"LogNormal: low is 2 and high is 1.*below high"),
        (lambda: LogNormal(0, 1, outside=0), r"LogNormal: outside is 0.*'redraw' or 'clip'"),
        (lambda: LogNormal(0, 0.1, low=100), r"LogNormal:.*low = 100.*mu = 0"),
        (lambda: LogNormal(0, 0.1, high=0.01), r"LogNormal:.*high = 0\.01.*mu = 0"),
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
