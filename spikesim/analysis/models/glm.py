"""Point-process GLM: a neuron's rate by a stimulus, its own past, and the past of others."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.models.bases import Basis
from spikesim.checks import check_number, check_numbers, check_whole, warn
from spikesim.data.bins import whole_bins

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains

NEWTON = 100  # steps of Newton's method at most
CLOSE = 1e-12  # of the gradient, relative to spikes, where it ends
LOST = 20.0  # standard error of a logarithm of a rate: nothing is known of it
ROWS = 65_536  # of the table of causes that are weighted at a time


@dataclass(frozen=True)
class GLMFilter:
    """What one cause adds to the logarithm of the rate, by the time after it.

    Attributes
    ----------
    name : str
        "stimulus", "history", or "from 3": of neuron 3.
    lags : ndarray of float64, shape (lags,)
        ms.
    values, se : ndarray of float64, shape (lags,)
        Of the filter and its standard error; exp(value) is by what the rate is multiplied.
    """

    name: str
    lags: NDArray[np.float64]
    values: NDArray[np.float64]
    se: NDArray[np.float64]


@dataclass(frozen=True)
class Causes:
    """What a rate depends on: bases of filters, and the neurons whose past counts."""

    stimulus: Basis | None
    history: Basis | None
    coupling: Basis | None
    others: tuple[int, ...]


@dataclass(frozen=True, eq=False)
class PointProcessGLM:
    """A fitted GLM, by `fit_glm`.

    Attributes
    ----------
    neuron : int
    bin : float
        ms.
    weights, se : ndarray of float64, shape (columns,)
        Of the constant (logarithm of Hz) and of the columns that follow, and their errors.
    covariance : ndarray of float64, shape (columns, columns)
        Of the weights: inverse of the curvature of the (penalised) log-likelihood.
    columns : tuple of str
        What each weight is of.
    filters : tuple of GLMFilter
    log_likelihood, null_log_likelihood : float
        sum of y log mu - mu - log y!, in nats, of this model and of a constant rate.
    deviance : float
        Twice by how much the log-likelihood is below that of mu = y.
    ridge : float
    counts : ndarray of int64, shape (bins,)
        Spikes in the bins that were fitted.
    expected : ndarray of float64, shape (bins,)
        mu: what the model expects in them.
    ends : ndarray of float64, shape (bins,)
        When they end (ms).
    iterations : int
    causes : Causes
    """

    neuron: int
    bin: float
    weights: NDArray[np.float64]
    se: NDArray[np.float64]
    covariance: NDArray[np.float64] = field(repr=False)
    columns: tuple[str, ...]
    filters: tuple[GLMFilter, ...]
    log_likelihood: float
    null_log_likelihood: float
    deviance: float
    ridge: float
    counts: NDArray[np.int64] = field(repr=False)
    expected: NDArray[np.float64] = field(repr=False)
    ends: NDArray[np.float64] = field(repr=False)
    iterations: int
    causes: Causes = field(repr=False)

    def predict(
        self, trains: SpikeTrains, stimulus: ArrayLike | None = None
    ) -> NDArray[np.float64]:
        """What the model expects in each bin of other trains (of a test set), shape (bins,).

        NaN where the past is not wholly known. Errors are those of `fit_glm`.
        """
        needs = any(name.startswith("stimulus") for name in self.columns)
        if needs and stimulus is None:
            raise ValueError(
                "the model was fitted with a stimulus; give that of these trains, too."
            )
        if stimulus is not None and not needs:
            raise ValueError("the model was fitted without a stimulus; give none.")
        table = _table(trains, self.bin, self.neuron, stimulus, self.causes)
        if len(table.names) != self.weights.size:
            raise ValueError(
                f"stimulus gives {len(table.names)} columns in all; the model has "
                f"{self.weights.size}."
            )
        expected = self.bin / 1000 * np.exp(table.columns() @ self.weights)
        return np.where(table.known(), expected, np.nan)

    @property
    def rate(self) -> NDArray[np.float64]:
        """The model's rate (Hz) in each bin."""
        return 1000 * self.expected / self.bin

    @property
    def bits_per_spike(self) -> float:
        """Gain of log-likelihood over a constant rate; NaN without spikes."""
        n = self.counts.sum()
        gain = self.log_likelihood - self.null_log_likelihood
        return float(gain / n / np.log(2)) if n else float("nan")

    def filter(self, name: str) -> GLMFilter:
        """The filter of this name."""
        for each in self.filters:
            if each.name == name:
                return each
        known = ", ".join(each.name for each in self.filters) or "none"
        raise KeyError(f"there is no filter {name!r}; there are: {known}.")

    def __repr__(self) -> str:
        return (
            f"<PointProcessGLM of neuron {self.neuron}: {self.weights.size} weights, "
            f"{self.counts.sum():,} spikes in {self.counts.size:,} bins of {self.bin:g} ms, "
            f"{self.bits_per_spike:.3g} bits per spike over a constant rate>"
        )


def fit_glm(
    trains: SpikeTrains,
    neuron: int,
    bin: float = 1.0,
    *,
    stimulus: ArrayLike | None = None,
    stimulus_basis: Basis | None = None,
    history: Basis | None = None,
    coupling: Basis | None = None,
    others: ArrayLike | None = None,
    ridge: float = 0.0,
) -> PointProcessGLM:
    """Fit a Poisson GLM with logarithmic link to the spike counts of a neuron.

    y_t ~ Poisson(mu_t), log(mu_t / bin) = constant + sum_l k(l) x_(t-l) + sum_l h(l) y_(t-l)
    + sum_n sum_l c_n(l) y_n(t-l), with filters k, h, c_n that are sums of basis functions. History
    and coupling begin one bin later, the stimulus acts in its own bin.

    Parameters
    ----------
    trains : SpikeTrains
    neuron : int
        The one that is fitted.
    bin : float
        ms; must divide every window of the support. So short that it holds one spike at most, or
        what spikes of a bin do to each other is not seen.
    stimulus : array_like, shape (bins,) or (bins, d), optional
        Of every bin, those of one window of the support after those of the other.
    stimulus_basis : Basis, optional
        Of the stimulus' filter; without it only the stimulus of the same bin acts.
    history : Basis, optional
        Of the neuron's own filter, such as `RaisedCosines`, `Exponentials` or `Steps`.
    coupling : Basis, optional
        Of the filters of other neurons.
    others : array_like of int, optional
        Which neurons these are; all others by default.
    ridge : float
        r in the penalty r / 2 * sum of squared weights (but the constant's), which is taken off
        the log-likelihood.

    Returns
    -------
    PointProcessGLM
        Bins whose past is not wholly known, as at the beginning of a window of the support, are
        left out.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains.
    ValueError
        If bin does not divide a window, the stimulus has not a row for every bin, a neuron is not
        there, no bin's past is known, the neuron has no spikes, columns depend on each other, or
        others come without coupling or stimulus_basis without stimulus.

    Warns
    -----
    UserWarning
        If data say nothing of a weight, as of the rate at lags at which no spike ever followed
        another (its logarithm is -infinity). Then a ridge helps, or a basis without this lag.

    Notes
    -----
    Newton's method, which for this link is iteratively reweighted least squares; steps that do not
    raise the penalised log-likelihood are halved. Standard errors are those of a true model.

    References
    ----------
    Truccolo W et al. (2005) A point process framework for relating neural spiking activity to
    spiking history, neural ensemble, and extrinsic covariate effects. J Neurophysiol 93:1074-1089.
    Pillow JW et al. (2008) Nature 454:995-999. Paninski L (2004) Network 15:243-262.
    """
    spike_trains("trains", trains)
    check_whole("neuron", neuron, least=0, most=trains.size - 1)
    check_number("ridge", ridge, least=0.0)
    if stimulus is None and stimulus_basis is not None:
        raise ValueError("stimulus_basis is of the stimulus' filter; give the stimulus, too.")
    if coupling is None and others is not None:
        raise ValueError(
            f"others is {others!r}, but there is no basis of their filters; give coupling, too."
        )
    some = () if coupling is None else _others(others, neuron, trains.size)
    causes = Causes(stimulus_basis, history, coupling, some)
    table = _table(trains, bin, neuron, stimulus, causes)
    kept = table.known()
    x, y = table.columns()[kept], table.counts[kept, neuron].astype(np.int64)
    if not y.any():
        raise ValueError(f"neuron {neuron} has no spike in the {y.size} bins whose past is known.")
    _check_columns(x, table.names)
    weights, mu, curvature, steps = _newton(x, y.astype(float), bin / 1000, ridge)
    covariance = np.linalg.inv(curvature)
    se = np.sqrt(np.diag(covariance))
    lost = [name for name, error in zip(table.names, se, strict=True) if error > LOST]
    if lost:
        warn(
            f"the data say nothing of {', '.join(lost)}: no spike was where it acts. A ridge above "
            f"0 keeps it finite."
        )
    return PointProcessGLM(
        neuron,
        float(bin),
        weights,
        se,
        covariance,
        tuple(table.names),
        tuple(table.filter(part, weights, covariance) for part in table.parts),
        _log_likelihood(y, mu),
        _log_likelihood(y, np.full(y.size, y.mean())),
        2 * (_log_likelihood(y, np.maximum(y, 1e-300)) - _log_likelihood(y, mu)),
        float(ridge),
        y,
        mu,
        table.ends[kept],
        steps,
        causes,
    )


def _table(
    trains: SpikeTrains, bin: float, neuron: int, stimulus: ArrayLike | None, causes: Causes
) -> _Table:
    table = _Table(trains, bin)
    if stimulus is not None:
        table.add_stimulus(stimulus, causes.stimulus)
    if causes.history is not None:
        table.add_past("history", neuron, causes.history)
    for other in causes.others:
        table.add_past(f"from {other}", other, causes.coupling)
    return table


def _others(others: ArrayLike | None, neuron: int, size: int) -> tuple[int, ...]:
    if others is None:
        return tuple(k for k in range(size) if k != neuron)
    chosen = np.atleast_1d(others)
    for k in chosen.tolist():
        check_whole("a neuron of others", k, least=0, most=size - 1)
        if k == neuron:
            raise ValueError(f"others holds {neuron}, the neuron itself; its past is its history.")
    return tuple(chosen.tolist())


@dataclass(frozen=True)
class _Part:
    """Columns of one cause: where they are, and the basis at its lags."""

    name: str
    columns: slice
    lags: NDArray[np.float64]
    basis: NDArray[np.float64]


class _Table:
    """Causes of the rate in every bin, a column for each weight."""

    def __init__(self, trains: SpikeTrains, bin: float):
        check_number("bin", bin, above=0.0, unit="ms")
        self.bin = float(bin)
        lengths = [whole_bins(bin, stop - start) for start, stop in trains.support]
        self.counts = trains.count(bin)
        self.bounds = np.r_[0, np.cumsum(lengths)]
        self.ends = np.concatenate(
            [
                start + bin * np.arange(1, n + 1)
                for start, n in zip(trains.support.starts, lengths, strict=True)
            ]
        )
        self.reach = 0  # bins that the longest filter looks back
        self.names = ["constant"]
        self.parts: list[_Part] = []
        self._columns = [np.ones((self.counts.shape[0], 1))]

    def add_stimulus(self, stimulus: ArrayLike, basis: Basis | None) -> None:
        n = self.counts.shape[0]
        x = check_numbers("stimulus", stimulus, "numbers, a row for each bin", dimensions=(1, 2))
        if x.shape[0] != n:
            raise ValueError(
                f"stimulus has {x.shape[0]} rows; it must have one for each of the {n} bins of "
                f"{self.bin:g} ms."
            )
        x = x.reshape(n, -1)
        for k in range(x.shape[1]):
            name = "stimulus" if x.shape[1] == 1 else f"stimulus {k}"
            self._add(name, np.ascontiguousarray(x[:, k]), basis, 0)

    def add_past(self, name: str, neuron: int, basis: Basis) -> None:
        self._add(name, self.counts[:, neuron].astype(float), basis, 1)

    def _add(self, name: str, x: NDArray, basis: Basis | None, delay: int) -> None:
        from spikesim.analysis.models.kernels_glm import convolved

        if basis is None:
            values, n = np.ones((1, 1)), 1
        else:
            n = max(int(np.floor(basis.last / self.bin + 1e-9)) + 1 - delay, 1)
            values = basis.values(self.bin * (delay + np.arange(n)))
        first = sum(part.shape[1] for part in self._columns)
        columns = np.zeros((x.size, values.shape[1]))
        for a, b in zip(self.bounds[:-1], self.bounds[1:], strict=True):
            convolved(x, np.ascontiguousarray(values), delay, a, b, columns)
        self._columns.append(columns)
        lags = self.bin * (delay + np.arange(n))
        where = slice(first, first + values.shape[1])
        self.parts.append(_Part(name, where, lags, values))
        many = values.shape[1] > 1
        self.names += [f"{name} [{j}]" if many else name for j in range(values.shape[1])]
        self.reach = max(self.reach, n - 1 + delay)

    def known(self) -> NDArray[np.bool_]:
        """Bins far enough from the beginning of their window for all filters."""
        since = np.arange(self.counts.shape[0]) - np.repeat(self.bounds[:-1], np.diff(self.bounds))
        kept = since >= self.reach
        if not kept.any():
            raise ValueError(
                f"filters look back {self.reach * self.bin:g} ms; the longest window of the "
                f"support lasts {np.diff(self.bounds).max() * self.bin:g} ms and must be longer."
            )
        return kept

    def columns(self) -> NDArray[np.float64]:
        return np.concatenate(self._columns, axis=1)

    @staticmethod
    def filter(part: _Part, weights: NDArray, covariance: NDArray) -> GLMFilter:
        spread = part.basis @ covariance[part.columns, part.columns]
        se = np.sqrt(np.maximum(np.sum(spread * part.basis, axis=1), 0.0))
        return GLMFilter(part.name, part.lags, part.basis @ weights[part.columns], se)


def _check_columns(x: NDArray, names: list[str]) -> None:
    """Refuse columns that follow from others: their weights could be anything."""
    scale = np.sqrt(np.mean(x**2, axis=0))
    empty = [name for name, s in zip(names, scale, strict=True) if s == 0]
    if empty:
        raise ValueError(f"{', '.join(empty)} is 0 in every bin; leave it out.")
    correlation = (x.T @ x) / x.shape[0] / np.outer(scale, scale)
    values, vectors = np.linalg.eigh(correlation)
    if values[0] < 1e-12 * values[-1]:
        among = np.abs(vectors[:, 0]) > 0.1
        told = ", ".join(name for name, yes in zip(names, among, strict=True) if yes)
        raise ValueError(f"{told} depend on each other; leave one of them out.")


def _newton(
    x: NDArray, y: NDArray, seconds: float, ridge: float
) -> tuple[NDArray, NDArray, NDArray, int]:
    """Weights, expected counts, and curvature of the penalised negative log-likelihood."""
    penalty = np.full(x.shape[1], ridge)
    penalty[0] = 0.0
    weights = np.zeros(x.shape[1])
    weights[0] = np.log(y.mean() / seconds)
    target = x.T @ y

    def at(w: NDArray) -> tuple[float, NDArray]:
        with np.errstate(over="ignore"):
            mu = seconds * np.exp(x @ w)
        return float(w @ target - mu.sum() - 0.5 * penalty @ w**2), mu

    height, mu = at(weights)
    for step in range(NEWTON + 1):
        gradient = target - x.T @ mu - penalty * weights
        curvature = np.diag(penalty) + _weighted(x, mu)
        change = np.linalg.solve(curvature, gradient)
        # What a whole step would gain, twice: below it only rounding is left.
        if gradient @ change <= CLOSE * y.sum() or step == NEWTON:
            weights, mu = weights + change, at(weights + change)[1]
            return weights, mu, np.diag(penalty) + _weighted(x, mu), step
        for _ in range(50):
            higher, moved = at(weights + change)
            if higher >= height:
                break
            change /= 2
        weights, height, mu = weights + change, higher, moved
    raise AssertionError


def _weighted(x: NDArray, mu: NDArray) -> NDArray:
    """x^T diag(mu) x, in pieces that fit into memory."""
    total = np.zeros((x.shape[1], x.shape[1]))
    for a in range(0, x.shape[0], ROWS):
        part = x[a : a + ROWS]
        total += (part * mu[a : a + ROWS, None]).T @ part
    return total


def _log_likelihood(y: NDArray, mu: NDArray) -> float:
    from scipy.special import gammaln, xlogy

    return float(np.sum(xlogy(y, mu) - mu - gammaln(y + 1.0)))
