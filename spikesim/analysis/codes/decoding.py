"""Decoders: what was shown or done, from the spikes of a population."""

from __future__ import annotations

from dataclasses import dataclass, field
from numbers import Real

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.codes.tuning import TuningCurves, around, check_curves, check_span
from spikesim.checks import check_choice, check_floats, check_number, check_numbers, check_whole


@dataclass(frozen=True)
class LinearDecoder:
    """The optimal linear estimator: a weighted sum of responses comes closest to the feature.

    Parameters
    ----------
    ridge : float
        How much large weights cost; 0 costs nothing. With 0 and fewer samples than neurons the
        weights are the smallest ones that fit.
    period : float, optional
        Of a circular feature: then its cosine and sine are estimated, and the angle is read off.

    Notes
    -----
    Weights w and a constant minimise ``sum |y - w x - c|^2 + ridge |w|^2`` [1]_; ridge costs what
    it does in scikit-learn's ``Ridge(alpha)``.

    References
    ----------
    .. [1] Salinas E, Abbott LF (1994) Vector reconstruction from firing rates. J Comput Neurosci
       1:89-107. Warland DK, Reinagel P, Meister M (1997) Decoding visual information from a
       population of retinal ganglion cells. J Neurophysiol 78:2336-2350.
    """

    ridge: float = 0.0
    period: float | None = None

    def __post_init__(self) -> None:
        check_number("LinearDecoder: ridge", self.ridge, least=0)
        if self.period is not None:
            check_number("LinearDecoder: period", self.period, above=0)

    @property
    def categories(self) -> bool:
        """Whether it decodes categories."""
        return False

    def fit(self, responses: ArrayLike, feature: ArrayLike) -> LinearFit:
        """Weights from samples of which the feature is known.

        Parameters
        ----------
        responses : array_like, shape (n, size)
            Counts or rates.
        feature : array_like, shape (n,) or (n, d)
            Samples that are NaN are left out.

        Raises
        ------
        ValueError
            If shapes do not fit or nothing is known.
        """
        x = check_responses(responses)
        y = _known_feature(feature, len(x))
        if self.period is not None:
            if y.ndim != 1:
                raise ValueError(f"feature has shape {y.shape}; of circles it must be ({len(x)},).")
            angle = y * (2 * np.pi / self.period)
            y = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        flat = y.reshape(len(y), -1)
        known = np.isfinite(flat).all(axis=1)
        if not known.any():
            raise ValueError("feature is known of no sample; at least one must be finite.")
        x, flat = x[known], flat[known]
        mean_x, mean_y = x.mean(axis=0), flat.mean(axis=0)
        dx, dy = x - mean_x, flat - mean_y
        if self.ridge:
            gram = dx.T @ dx + self.ridge * np.eye(x.shape[1])
            weights = np.linalg.solve(gram, dx.T @ dy)
        else:
            weights = np.linalg.lstsq(dx, dy, rcond=None)[0]
        return LinearFit(weights, mean_y - mean_x @ weights, self.period, y.shape[1:])


@dataclass(frozen=True, eq=False)
class LinearFit:
    """A fitted `LinearDecoder`.

    Attributes
    ----------
    weights : ndarray, shape (size, d)
        Of a circular feature d is 2, cosine and sine.
    constant : ndarray, shape (d,)
    period : float or None
    """

    weights: NDArray[np.float64] = field(repr=False)
    constant: NDArray[np.float64]
    period: float | None
    shape: tuple[int, ...] = field(repr=False)

    def predict(self, responses: ArrayLike) -> NDArray[np.float64]:
        """The feature, shape (n,) or (n, d); of a circular one in [0, period)."""
        y = check_responses(responses, len(self.weights)) @ self.weights + self.constant
        if self.period is None:
            return y.reshape(len(y), *self.shape)
        return _angle(y[:, 0] + 1j * y[:, 1], self.period)


@dataclass(frozen=True)
class NaiveBayes:
    """Bayes' rule for neurons that fire as independent Poisson processes.

    Parameters
    ----------
    bins : int or array_like of edges, optional
        Of a continuous feature, from its least to its largest value, or around the circle. If
        none are given, every different value is a category; these may be names.
    period : float, optional
        Of a circular feature: it is taken into [first edge, first edge + period), and edges must
        not span more than the period.
    prior : "seen" or "uniform"
        Whether values that were frequent when it was fitted are more likely beforehand.
    strength : float
        In how many samples' worth every neuron is taken to fire at its overall mean in each bin or
        category, so that no rate is 0 because of few samples.
    estimate : "mean" or "most"
        Of a continuous feature: the posterior's mean (on circles the direction of its mean
        vector), or the middle of the most likely bin.

    Notes
    -----
    ``P(s | n) ~ P(s) product over i of f_i(s)^n_i exp(-f_i(s))`` with the expected counts f of
    neuron i [1]_. Neurons without any spike in the fit say nothing.

    References
    ----------
    .. [1] Zhang K, Ginzburg I, McNaughton BL, Sejnowski TJ (1998) Interpreting neuronal population
       activity by reconstruction. J Neurophysiol 79:1017-1044.
    """

    bins: int | ArrayLike | None = None
    period: float | None = None
    prior: str = "seen"
    strength: float = 1.0
    estimate: str = "mean"

    def __post_init__(self) -> None:
        check_choice("NaiveBayes: prior", self.prior, ("seen", "uniform"))
        check_choice("NaiveBayes: estimate", self.estimate, ("mean", "most"))
        check_number("NaiveBayes: strength", self.strength, least=0)
        if self.period is not None:
            check_number("NaiveBayes: period", self.period, above=0)
        if self.bins is None:
            return
        if np.ndim(self.bins) == 0:
            check_whole("NaiveBayes: bins", self.bins, 2)
            return
        edges = check_numbers("NaiveBayes: bins", self.bins, "rising edges", dimensions=(1,))
        if len(edges) < 3 or not np.all(np.diff(edges) > 0):
            raise ValueError(f"NaiveBayes: bins is {self.bins!r}; edges must rise, 3 at least.")
        if self.period is not None:
            check_span("NaiveBayes: bins", edges, self.period)

    @property
    def categories(self) -> bool:
        """Whether it decodes categories."""
        return self.bins is None

    def fit(self, counts: ArrayLike, feature: ArrayLike) -> NaiveBayesFit:
        """Expected counts from samples of which the feature is known.

        Parameters
        ----------
        counts : array_like, shape (n, size)
            Spike counts, of windows of one length.
        feature : array_like, shape (n,)
            Numbers, of which NaN are left out, or without bins also names.

        Raises
        ------
        ValueError
            If counts are negative, shapes do not fit, or nothing is known.
        """
        n = check_responses(counts, least=0)
        values, which = self._classes(feature, len(n))
        known = which >= 0
        if not known.any():
            raise ValueError("feature is known of no sample; at least one must be within the bins.")
        of_class = np.zeros((len(values), n.shape[1]))
        np.add.at(of_class, which[known], n[known])
        seen = np.bincount(which[known], minlength=len(values)).astype(float)
        mean = n[known].mean(axis=0)
        weight = np.maximum(seen + self.strength, 1e-300)[:, None]
        expected = (of_class + self.strength * mean) / weight
        prior = seen if self.prior == "seen" else (seen > 0).astype(float)
        return NaiveBayesFit(values, expected, prior / prior.sum(), self.period, self._read)

    @property
    def _read(self) -> str:
        return "category" if self.categories else self.estimate

    def _classes(self, feature: ArrayLike, n: int) -> tuple[NDArray, NDArray[np.int64]]:
        """Value of each class, and the class of each sample, -1 for none."""
        if self.categories:
            given = categories_of(feature, n)
            if given.dtype.kind == "f":
                known = ~np.isnan(given)
                values = np.unique(given[known])
                return values, np.where(known, np.searchsorted(values, given), -1)
            values, which = np.unique(given, return_inverse=True)
            return values, which.reshape(-1)
        given = _known_feature(feature, n)
        if given.ndim != 1:
            raise ValueError(f"feature has shape {given.shape}; it must be ({n},).")
        edges = np.asarray(self.bins, float)
        if edges.ndim == 0:
            known = given[np.isfinite(given)]
            ends = (known.min(), known.max()) if known.size else (0.0, 1.0)
            low, high = ends if self.period is None else (0.0, self.period)
            edges = np.linspace(low, high if high > low else low + 1.0, int(self.bins) + 1)
        if self.period is not None:
            given = around(given, edges, self.period)
        which = np.searchsorted(edges, given, side="right") - 1
        which = np.where(given == edges[-1], len(edges) - 2, which)
        outside = (which >= len(edges) - 1) | ~np.isfinite(given)
        return (edges[:-1] + edges[1:]) / 2, np.where(outside, -1, which)


@dataclass(frozen=True, eq=False)
class NaiveBayesFit:
    """A fitted `NaiveBayes`, or one of tuning curves (`of_tuning`).

    Attributes
    ----------
    values : ndarray, shape (n_classes,) or (n_classes, 2)
        The categories, or the middles of bins.
    expected : ndarray, shape (n_classes, size)
        Counts in a window.
    prior : ndarray, shape (n_classes,)
    """

    values: NDArray = field(repr=False)
    expected: NDArray[np.float64] = field(repr=False)
    prior: NDArray[np.float64] = field(repr=False)
    period: float | None
    read: str

    @classmethod
    def of_tuning(
        cls,
        curves: TuningCurves,
        window: float,
        *,
        prior: str = "seen",
        estimate: str = "mean",
        least: float = 0.01,
    ) -> NaiveBayesFit:
        """A decoder whose expected counts are those of tuning curves.

        Parameters
        ----------
        curves : TuningCurves
            Of one dimension or two; bins never visited are taken for impossible.
        window : float
            Length of the windows that will be decoded (ms).
        prior : "seen" or "uniform"
            By occupancy, or all visited bins alike.
        estimate : "mean" or "most"
        least : float
            Rates are at least so high (Hz), so that one spike alone rules out nothing.
        """
        check_curves(curves)
        check_number("window", window, above=0, unit="ms")
        check_number("least", least, least=0, unit="Hz")
        check_choice("prior", prior, ("seen", "uniform"))
        check_choice("estimate", estimate, ("mean", "most"))
        if len(curves.values) == 2 and estimate == "mean" and any(curves.periods):
            raise ValueError(
                "estimate 'mean' is not there for circles of two dimensions; 'most' is."
            )
        visited = curves.occupancy.ravel() > 0
        rates = curves.rates.reshape(curves.size, visited.size)
        rates = np.maximum(rates[:, visited], least)
        grid = np.meshgrid(*curves.values, indexing="ij")
        values = np.stack([g.ravel()[visited] for g in grid], axis=1)
        values = values[:, 0] if values.shape[1] == 1 else values
        weight = curves.occupancy.ravel()[visited] if prior == "seen" else np.ones(visited.sum())
        period = curves.periods[0] if len(curves.periods) == 1 else None
        return cls(values, rates.T * window / 1000, weight / weight.sum(), period, estimate)

    def posterior(self, counts: ArrayLike, *, scale: float = 1.0) -> NDArray[np.float64]:
        """Probability of each class given the counts, shape (n, n_classes).

        Parameters
        ----------
        counts : array_like, shape (n, size)
        scale : float
            Length of these windows over that of those that were fitted.
        """
        n = check_responses(counts, self.expected.shape[1], least=0)
        check_number("scale", scale, above=0)
        f = self.expected * scale
        heard = f.sum(axis=0) > 0
        n, f = n[:, heard], f[:, heard]
        with np.errstate(divide="ignore"):
            log_prior, log_f = np.log(self.prior), np.log(f)
        possible = np.where(np.isfinite(log_f), log_f, 0.0)
        log_p = log_prior + n @ possible.T - f.sum(axis=1)
        if (f == 0).any():  # one spike of a neuron that never fires there rules the class out
            log_p = np.where((n > 0).astype(float) @ (f == 0).T.astype(float) > 0, -np.inf, log_p)
        highest = log_p.max(axis=1, keepdims=True)
        p = np.exp(log_p - np.where(np.isfinite(highest), highest, 0.0))
        p = np.where(np.isfinite(highest), p, self.prior)
        return p / p.sum(axis=1, keepdims=True)

    def predict(self, counts: ArrayLike, *, scale: float = 1.0) -> NDArray:
        """The category, or the estimate of the feature, shape (n,) or (n, 2)."""
        p = self.posterior(counts, scale=scale)
        if self.read != "mean":
            return self.values[p.argmax(axis=1)]
        if self.period is None:
            return p @ self.values
        return _angle(p @ np.exp(2j * np.pi / self.period * self.values), self.period)


def check_responses(
    responses: ArrayLike, size: int | None = None, least: float | None = None
) -> NDArray[np.float64]:
    """Responses as an array (n, size) of finite numbers."""
    what = "an array (samples, neurons)"
    x = check_numbers("responses", responses, what, least=least)
    if x.ndim != 2 or (size is not None and x.shape[1] != size):
        wanted = f"(samples, {'neurons' if size is None else size})"
        raise ValueError(f"responses has shape {x.shape}; it must be {wanted}.")
    return x


def categories_of(feature: ArrayLike, n: int) -> NDArray:
    """The category of each sample: numbers, of which NaN is unknown, or names; none is masked."""
    if np.ma.is_masked(feature):
        raise ValueError("feature is masked in places; leave these samples out.")
    given = np.asarray(feature)
    if given.shape != (n,):
        raise ValueError(f"feature has shape {given.shape}; it must be ({n},).")
    if given.dtype.kind != "O":
        return given
    if all(isinstance(each, str) for each in given):
        return given.astype(str)
    if all(isinstance(each, Real) for each in given):
        return np.array(given.tolist())
    kinds = ", ".join(sorted({type(each).__name__ for each in given}))
    raise ValueError(
        f"feature holds objects of the types {kinds}; categories must be names alone, or numbers "
        f"alone, NaN where they are unknown."
    )


def _known_feature(feature: ArrayLike, n: int) -> NDArray[np.float64]:
    y = check_floats("feature", feature)
    if y.ndim not in (1, 2) or len(y) != n:
        raise ValueError(
            f"feature has shape {np.shape(feature)}; it must hold numbers for each of {n} samples."
        )
    return y


def _angle(z: NDArray[np.complex128], period: float) -> NDArray[np.float64]:
    angle = np.mod(np.angle(z) * (period / (2 * np.pi)), period)
    return np.where(angle >= period, 0.0, angle)
