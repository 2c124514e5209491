"""How alike two populations represent the same things."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import ArrayLike

from spikesim.checks import check_choice, check_floats


def cka(
    x: ArrayLike, y: ArrayLike, *, neurons: Literal["all", "sampled", "paired"] = "all"
) -> float:
    """Centred kernel alignment of two populations, corrected for few stimuli.

    ::

        CKA = h(X, Y) / sqrt(h(X, X) h(Y, Y))

    with the linear kernel and the unbiased estimator h of the Hilbert-Schmidt independence
    criterion over stimuli [1]_ [2]_: without it two random populations look alike whenever they
    have more neurons than there are stimuli.

    Parameters
    ----------
    x, y : array_like, shape (stimuli, neurons)
        At least four of the same stimuli, or points in time, and two neurons each.
    neurons : "all", "sampled" or "paired"
        Whether these neurons are the populations; or independent samples of larger ones, about
        which something is asked: then h(X, X) and h(Y, Y) leave out the pairs of a neuron with
        itself, which makes them unbiased over neurons too [3]_; or the same neurons twice, such as
        units and their conversion: then h(X, Y) leaves out the pairs of a neuron with itself as
        well, so that what neurons share counts and not what each does alone.

    Returns
    -------
    float
        0 on average for unrelated populations, of either sign. With "all", 1 for representations
        alike up to rotation and scale; with "paired", 1 for equal ones. Where a population has
        little in common, corrections for neurons leave little to divide by: the estimate is then
        noisy, may exceed 1, and is NaN where it has no positive denominator.

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
    check_choice("neurons", neurons, ("all", "sampled", "paired"))
    if neurons == "paired" and x.shape != y.shape:
        raise ValueError(
            f"x has {x.shape[1]} neurons and y {y.shape[1]}; paired, they must be the same ones."
        )
    between = _alignment(x, y, without=neurons == "paired")
    own = [_alignment(each, each, without=neurons != "all") for each in (x, y)]
    return float(between / np.sqrt(own[0] * own[1])) if min(own) > 0 else float("nan")


def _population(name: str, value: ArrayLike) -> np.ndarray:
    array = check_floats(name, value)
    if array.ndim != 2 or array.shape[0] < 4 or array.shape[1] < 2:
        raise ValueError(
            f"{name} has shape {array.shape}; it must be (stimuli, neurons), at least (4, 2)."
        )
    if not np.isfinite(array).all():
        raise ValueError(f"{name} is not all finite; all of it must be.")
    array = array - array.mean(axis=0)
    return array / (np.abs(array).max() or 1.0)


def _hsic(a: np.ndarray, b: np.ndarray) -> float:
    """Unbiased HSIC of two Gram matrices."""
    n = len(a)
    a, b = a - np.diag(np.diag(a)), b - np.diag(np.diag(b))
    rows, columns = a.sum(axis=1), b.sum(axis=1)
    traced = np.sum(a * b) + rows.sum() * columns.sum() / ((n - 1) * (n - 2))
    return float((traced - 2 / (n - 2) * rows @ columns) / (n * (n - 3)))


def _alignment(x: np.ndarray, y: np.ndarray, *, without: bool) -> float:
    """Mean unbiased HSIC over pairs of neurons, ``without`` those of a neuron with itself."""
    whole, pairs = _hsic(x @ x.T, y @ y.T), x.shape[1] * y.shape[1]
    if not without:
        return whole / pairs
    n = len(x)
    both, square = x * y, (np.sum(x**2, axis=0), np.sum(y**2, axis=0))
    total = x.sum(axis=0), y.sum(axis=0)
    traced = np.sum(both, axis=0) ** 2 - np.sum(both**2, axis=0)
    sums = [t**2 - s for t, s in zip(total, square, strict=True)]
    rows = np.sum(both * (total[0] - x) * (total[1] - y), axis=0)
    alone = traced + sums[0] * sums[1] / ((n - 1) * (n - 2)) - 2 / (n - 2) * rows
    return (whole - float(alone.sum()) / (n * (n - 3))) / (pairs - x.shape[1])
