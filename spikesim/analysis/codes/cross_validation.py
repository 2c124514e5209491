"""How well a decoder does on samples that it was not fitted to."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.codes.decoding import (
    LinearDecoder,
    NaiveBayes,
    categories_of,
    check_responses,
)
from spikesim.analysis.codes.information import Information, information
from spikesim.checks import check_choice, check_floats, check_whole
from spikesim.random import stream


@dataclass(frozen=True, eq=False)
class Decoded:
    """What a decoder made of each sample, fitted to others, by `cross_validate`.

    Attributes
    ----------
    feature, predicted : ndarray, shape (n,) or (n, d)
        What was, and what was decoded. Samples whose feature is NaN were not fitted, and count
        for none of the numbers below.
    fold : ndarray of int, shape (n,)
        The fold in which each sample was decoded.
    period : float or None
        Of a circular feature.
    categories : bool
    """

    feature: NDArray = field(repr=False)
    predicted: NDArray = field(repr=False)
    fold: NDArray[np.int64] = field(repr=False)
    period: float | None
    categories: bool

    @property
    def errors(self) -> NDArray[np.float64]:
        """Predicted less true, on a circle the short way round; NaN where the truth is unknown."""
        self._numbers("errors")
        error = self.predicted - self.feature
        if self.period is None:
            return error
        return np.mod(error + self.period / 2, self.period) - self.period / 2

    @property
    def rmse(self) -> float:
        """Root of the mean squared error (of several dimensions: of the distance)."""
        squares = self._distances() ** 2
        return float(np.sqrt(squares.mean())) if squares.size else np.nan

    @property
    def median_error(self) -> float:
        """Median of the absolute error, or distance."""
        distances = self._distances()
        return float(np.median(distances)) if distances.size else np.nan

    @property
    def r2(self) -> float:
        """1 - squared errors / squared distances of the truth from its mean; not of circles.

        NaN where the truth is the same everywhere.
        """
        self._numbers("r2")
        if self.period is not None:
            raise ValueError("r2 is one of features that are not circular; median_error is of all.")
        known = np.isfinite(self.feature.reshape(len(self.feature), -1)).all(axis=1)
        truth = self.feature[known]
        if not len(truth) or not np.ptp(truth, axis=0).any():
            return np.nan
        spread = ((truth - truth.mean(axis=0)) ** 2).sum()
        return float(1 - (self.errors[known] ** 2).sum() / spread)

    @property
    def labels(self) -> NDArray:
        """The categories, in order."""
        self._categories("labels")
        return np.unique(np.concatenate(self._known_categories()))

    @property
    def accuracy(self) -> float:
        """Share of samples of known category whose category was decoded."""
        self._categories("accuracy")
        truth, predicted = self._known_categories()
        return float(np.mean(truth == predicted)) if len(truth) else np.nan

    @property
    def confusion(self) -> NDArray[np.int64]:
        """Samples by true (row) and decoded (column) category, in the order of `labels`."""
        n = len(self.labels)
        table = np.zeros((n, n), np.int64)
        np.add.at(table, self._places(), 1)
        return table

    def information(self, **options: object) -> Information:
        """Information between true and decoded category, by `information` with these options.

        What the decoder gets out of the population: a lower bound of what is in it (Quian Quiroga
        & Panzeri 2009, Nat Rev Neurosci 10:173-185).
        """
        self._categories("information")
        truth, predicted = self._places()
        return information(predicted, truth, **options)

    def _known_categories(self) -> tuple[NDArray, NDArray]:
        """True and decoded category of the samples of which the truth is known."""
        known = self.feature == self.feature  # not so of NaN
        return self.feature[known], self.predicted[known]

    def _places(self) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """The same, each as its number among `labels`."""
        labels = self.labels
        truth, predicted = (np.searchsorted(labels, x) for x in self._known_categories())
        return truth, predicted

    def _distances(self) -> NDArray[np.float64]:
        errors = self.errors.reshape(len(self.errors), -1)
        return np.sqrt((errors[np.isfinite(errors).all(axis=1)] ** 2).sum(axis=1))

    def _numbers(self, what: str) -> None:
        if self.categories:
            raise ValueError(f"{what} is not there for categories; accuracy is.")

    def _categories(self, what: str) -> None:
        if not self.categories:
            raise ValueError(f"{what} is there for categories only; median_error is for numbers.")


def cross_validate(
    decoder: LinearDecoder | NaiveBayes,
    responses: ArrayLike,
    feature: ArrayLike,
    *,
    folds: int = 5,
    by: str = "trial",
    trials: ArrayLike | None = None,
    gap: int = 0,
    seed: int | None = None,
) -> Decoded:
    """Decode every sample with a decoder that was fitted to the others.

    Parameters
    ----------
    decoder : LinearDecoder or NaiveBayes
    responses : array_like, shape (n, size)
    feature : array_like, shape (n,) or (n, d)
    folds : int
        Parts of which one after the other is decoded and the rest is fitted.
    by : "trial" or "block"
        "trial" deals trials to the folds by chance, of each category equally many. "block"
        cuts the samples into stretches as they follow each other: for recordings whose neighbours
        resemble each other, which would tell the decoder what it shall guess.
    trials : array_like of int, shape (n,), optional
        The trial of each sample, all of which go to one fold; otherwise every sample is a trial.
    gap : int
        With "block": so many samples before and after the block are not fitted either.
    seed : int, optional
        Of "trial".

    Returns
    -------
    Decoded

    Raises
    ------
    ValueError
        If there are fewer trials than folds, or the shapes do not fit.
    """
    x = check_responses(responses)
    if decoder.categories:
        y = categories_of(feature, len(x))
    else:
        y = check_floats("feature", feature)
    check_choice("by", by, ("trial", "block"))
    check_whole("gap", gap, 0)
    if len(y) != len(x):
        raise ValueError(f"feature has {len(y)} samples; it must have the {len(x)} of responses.")
    if by == "block" and trials is not None:
        raise ValueError("trials is given; with by='block' it must not be.")
    if by == "trial" and gap:
        raise ValueError(f"gap is {gap}; with by='trial' it must be 0.")
    which = np.arange(len(x)) if trials is None else np.unique(trials, return_inverse=True)[1]
    if which.shape != (len(x),):
        raise ValueError(f"trials has shape {np.shape(trials)}; it must be ({len(x)},).")
    n_trials = int(which.max()) + 1 if len(which) else 0
    check_whole("folds", folds, 2)
    if n_trials < folds:
        raise ValueError(f"folds is {folds}; there are only {n_trials} trials to deal.")
    if by == "block":
        fold = np.arange(len(x)) * folds // len(x)
    else:
        first = np.unique(which, return_index=True)[1]
        sort = y[first] if decoder.categories else np.zeros(n_trials)
        fold = _dealt(sort, folds, stream(seed, "folds"))[which]
    predicted: NDArray | None = None
    for k in range(folds):
        test = fold == k
        near = np.flatnonzero(test)
        fitted = ~test
        if gap:
            fitted[max(near[0] - gap, 0) : near[-1] + 1 + gap] = False
        made = decoder.fit(x[fitted], y[fitted]).predict(x[test])
        if predicted is None:
            predicted = np.empty(
                (len(x), *made.shape[1:]), y.dtype if decoder.categories else float
            )
        predicted[test] = made
    return Decoded(y, predicted, fold, decoder.period, decoder.categories)


def _dealt(sort: NDArray, folds: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """A fold of each trial, by chance, those of one sort in equal shares."""
    order = rng.permutation(len(sort))
    order = order[np.argsort(np.unique(sort, return_inverse=True)[1][order], kind="stable")]
    fold = np.empty(len(sort), np.int64)
    fold[order] = np.arange(len(sort)) % folds
    return fold
