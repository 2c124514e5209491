"""In how many directions, and in which, the activity of a population varies."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.trains.activity import activity_of, varies
from spikesim.checks import check_whole

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains


def participation_ratio(activity: SpikeTrains | ArrayLike, bin: float | None = None) -> float:
    """Participation ratio: how many dimensions the activity of a population has, in effect.

    With the eigenvalues l of the covariance matrix of the neurons::

        (sum l)^2 / sum l^2

    It is 1 if all vary together, and n if n neurons vary as much as each other and independently.

    Parameters
    ----------
    activity : SpikeTrains, or array_like of shape (time, neurons)
        Spikes are counted in bins.
    bin : float, optional
        Of SpikeTrains: ms, which must divide each window of the support.

    Returns
    -------
    float
        NaN if nothing varies. It is too small where samples are few: of n independent neurons and
        t samples, about n t / (n + t).

    Raises
    ------
    ValueError
        If bin is missing or does not divide the support, or an array has not two dimensions.

    References
    ----------
    Abbott, Rajan & Sompolinsky 2011, in The Dynamic Brain; Gao et al. 2017, bioRxiv 214262.
    """
    values = _centred("activity", activity, bin)
    smaller = values @ values.T if len(values) < values.shape[1] else values.T @ values
    squares = np.sum(smaller**2)
    return float(np.trace(smaller) ** 2 / squares) if squares > 0 else float("nan")


def subspace_angles(
    a: SpikeTrains | ArrayLike,
    b: SpikeTrains | ArrayLike,
    dimensions: int,
    *,
    bin: float | None = None,
) -> NDArray[np.float64]:
    """Principal angles between the subspaces in which two activities of one population vary.

    The subspace of each is spanned by its leading principal components. The first angle is the
    smallest between a direction of one and a direction of the other; the next is that of what is
    perpendicular to these, and so on.

    Parameters
    ----------
    a, b : SpikeTrains, or array_like of shape (time, neurons)
        Of the same neurons, at any two sets of times.
    dimensions : int
        Principal components of each.
    bin : float, optional
        Of SpikeTrains: ms, which must divide each window of the support.

    Returns
    -------
    ndarray, shape (dimensions,)
        Radians, from 0 to pi / 2, ascending. Of two random subspaces of k of n dimensions, the
        smallest is far below pi / 2 unless k is much smaller than n.

    Raises
    ------
    ValueError
        If a and b have not the same neurons, or one of them varies in fewer dimensions.

    References
    ----------
    Bjorck & Golub 1973, Math Comput 27:579; of neural activity, Gallego et al. 2018, Nat Commun
    9:4233.
    """
    check_whole("dimensions", dimensions)
    both = _centred("a", a, bin), _centred("b", b, bin)
    if both[0].shape[1] != both[1].shape[1]:
        raise ValueError(
            f"a has {both[0].shape[1]} neurons and b has {both[1].shape[1]}; they must be the same."
        )
    axes = []
    for name, values in zip("ab", both, strict=True):
        _, sizes, directions = np.linalg.svd(values, full_matrices=False)
        rank = int(np.sum(sizes > sizes.max(initial=0) * max(values.shape) * 1e-15))
        if rank < dimensions:
            raise ValueError(f"dimensions is {dimensions}; {name} varies in {rank} alone.")
        axes.append(directions[:dimensions].T)
    return _angles(*axes)


def _angles(a: NDArray, b: NDArray) -> NDArray[np.float64]:
    """Angles between the subspaces of two orthonormal bases: small ones by their sines."""
    both = a.T @ b
    cosines = np.minimum(np.linalg.svd(both, compute_uv=False), 1.0)
    sines = np.minimum(np.linalg.svd(b - a @ both, compute_uv=False), 1.0)[::-1]
    return np.where(cosines**2 > 0.5, np.arcsin(sines), np.arccos(cosines))


def _centred(name: str, activity: SpikeTrains | ArrayLike, bin: float | None) -> NDArray:
    values = activity_of(name, activity, bin)
    return np.where(varies(values), values - values.mean(axis=0), 0.0) if len(values) else values
