"""How alike two populations represent the same things."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike

from spikesim.checks import check_floats


def cka(x: ArrayLike, y: ArrayLike) -> float:
    """Centred kernel alignment of two populations, corrected for few stimuli and few neurons.

    ::

        CKA = h(X, Y) / sqrt(h(X, X) h(Y, Y))

    with the linear kernel and the unbiased estimator h of the Hilbert-Schmidt independence
    criterion over stimuli [1]_ [2]_; in h(X, X) a neuron is never paired with itself, so that the
    estimate is unbiased over neurons too [3]_. Without these corrections two random populations
    look alike whenever they have more neurons than there are stimuli.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, neurons)
        At least four of the same stimuli, or points in time, and two neurons each.

    Returns
    -------
    float
        1 for representations alike up to rotation and scale, 0 on average for unrelated ones, of
        either sign; above 1 by chance where neurons or stimuli are few. NaN if a population does
        not tell stimuli apart, by this estimate.

    Raises
    ------
    ValueError
        Arrays of other shapes, or values that are not finite.

    References
    ----------
    .. [1] Kornblith S, Norouzi M, Lee H, Hinton G (2019) Similarity of neural network
       representations revisited. ICML.
    .. [2] Song L, Smola A, Gretton A, Bedo J, Borgwardt K (2012) Feature selection via dependence
       maximization. J Mach Learn Res 13:1393-1434.
    .. [3] Chun C, Canatar A, Chung S, Lee DD (2025) Estimating neural representation alignment from
       sparsely sampled inputs and features. arXiv:2502.15104.
    """
    x, y = _population("x", x), _population("y", y)
    if len(x) != len(y):
        raise ValueError(f"x has {len(x)} stimuli and y {len(y)}; they must be the same ones.")
    of_x, of_y = x @ x.T, y @ y.T
    between = _hsic(of_x, of_y) / (x.shape[1] * y.shape[1])
    own = _of_pairs(x, of_x) * _of_pairs(y, of_y)
    return float(between / np.sqrt(own)) if own > 0 else float("nan")


def _population(name: str, value: ArrayLike) -> np.ndarray:
    array = check_floats(name, value)
    if array.ndim != 2 or array.shape[0] < 4 or array.shape[1] < 2:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be (stimuli, neurons), at least (4, 2)."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not all finite; all of it must be.")
    return array - array.mean(axis=0)


def _hsic(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased HSIC of two Gram matrices."""
    n = len(a)
    a, b = a - np.diag(np.diag(a)), b - np.diag(np.diag(b))
    rows, columns = a.sum(axis=1), b.sum(axis=1)
    traced = np.sum(a * b) + rows.sum() * columns.sum() / ((n - 1) * (n - 2))
    return float((traced - 2 / (n - 2) * rows @ columns) / (n * (n - 3)))


def _of_pairs(x: np.ndarray, gram: np.ndarray) -> float:
    """Unbiased HSIC of a population with itself, over pairs of different neurons."""
    n, neurons = x.shape
    square, total = np.sum(x**2, axis=0), x.sum(axis=0)
    traced = square**2 - np.sum(x**4, axis=0) + (total**2 - square) ** 2 / ((n - 1) * (n - 2))
    rows = x * (total - x)
    alone = np.sum(traced - 2 / (n - 2) * np.sum(rows**2, axis=0)) / (n * (n - 3))
    return (_hsic(gram, gram) - float(alone)) / (neurons * (neurons - 1))
