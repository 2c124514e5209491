"""Means and spreads of angles."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_floats, check_numbers

TURN = 2 * np.pi


def mean_vector(
    phases: ArrayLike, weights: ArrayLike | None = None, axis: int | None = None
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Direction and length of the mean of unit vectors at these angles.

    R exp(i mean) = sum_j w_j exp(i phase_j) / sum_j w_j

    Parameters
    ----------
    phases : array_like
        Angles (rad). NaN, a spike without a phase, is left out.
    weights : array_like, shape of phases, optional
        How much each counts, at least 0.
    axis : int, optional
        Along which is averaged; all of them by default.

    Returns
    -------
    mean : ndarray
        rad, in [0, 2 pi). NaN of no angles. Where the length is 0 it means nothing.
    length : ndarray
        R, from 0 (spread evenly, or in opposite heaps) to 1 (all alike); NaN of no angles.

    Raises
    ------
    ValueError
        If phases are not numbers, or weights are negative or do not fit.

    References
    ----------
    Fisher NI (1993) Statistical analysis of circular data. Cambridge University Press.
    """
    phases = _angles(phases)
    known = np.isfinite(phases)
    weight = known.astype(float)
    if weights is not None:
        given = check_numbers("weights", weights, "numbers, one per phase", least=0.0)
        if given.shape != phases.shape:
            raise ValueError(
                f"weights has shape {given.shape}; it must have that of phases, {phases.shape}."
            )
        weight = np.where(known, given, 0.0)
    angle = np.where(known, phases, 0.0)
    total = weight.sum(axis=axis)
    with np.errstate(invalid="ignore", divide="ignore"):
        vector = (weight * np.exp(1j * angle)).sum(axis=axis) / total
    mean = wrapped(np.where(total > 0, np.angle(vector), np.nan))
    length = np.minimum(np.where(total > 0, np.abs(vector), np.nan), 1.0)
    return mean[()], length[()]


def circular_variance(phases: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """1 - R, from 0 (all alike) to 1; NaN of no angles. See `mean_vector`."""
    return 1.0 - mean_vector(phases, axis=axis)[1]


def circular_sd(phases: ArrayLike, axis: int | None = None) -> NDArray[np.float64]:
    """Circular standard deviation sqrt(-2 ln R), in rad: that of a wrapped normal distribution.

    It goes to infinity where angles are spread evenly. Others call sqrt(2 (1 - R)), the angular
    deviation, by the same name; the two agree while angles are close together. NaN of no angles.
    See `mean_vector`.
    """
    length = mean_vector(phases, axis=axis)[1]
    with np.errstate(divide="ignore"):
        return np.sqrt(-2 * np.log(length))[()] + 0.0


def von_mises_kappa(length: ArrayLike) -> NDArray[np.float64]:
    """Concentration of the von Mises distribution whose mean vector has this length.

    The solution of I1(kappa) / I0(kappa) = R, which is what maximises the likelihood. Of n angles
    it is too large by about 1 / n of itself and more when both are small (Best & Fisher 1981).

    Parameters
    ----------
    length : array_like
        R, as of `mean_vector`, in [0, 1]; NaN gives NaN.

    Returns
    -------
    ndarray
        kappa: 0 of an even spread, infinite where all angles are alike.

    Raises
    ------
    ValueError
        If a length is outside of [0, 1].

    References
    ----------
    Best DJ, Fisher NI (1981) The bias of the maximum likelihood estimators of the von
    Mises-Fisher concentration parameters. Comm Stat Simul Comput 10:493-502.
    """
    from scipy.special import ive

    length = check_floats("length", length)
    outside = (length < 0) | (length > 1)
    if outside.any():
        raise ValueError(f"length holds {length[outside].flat[0]}; it must be from 0 to 1.")
    r = np.where(length < 1, length, 0.0)
    # A start that is at most a few per cent off (Banerjee et al. 2005), then Newton's method:
    # the derivative of A = I1 / I0 is 1 - A / kappa - A^2.
    kappa = r * (2 - r**2) / (1 - r**2)
    for _ in range(8):
        safe = np.maximum(kappa, 1e-12)
        a = ive(1, safe) / ive(0, safe)
        slope = np.where(kappa > 1e-3, 1 - a / safe - a**2, 0.5)
        # Far out 1 - A / kappa - A^2 is a difference of nearly equal numbers: 1 / (2 kappa^2).
        slope = np.where(kappa > 1e4, 0.5 / safe**2, slope)
        kappa = np.maximum(kappa - (a - r) / slope, 0.0)
    kappa = np.where(length == 1, np.inf, np.where(length == 0, 0.0, kappa))
    return np.where(np.isnan(length), np.nan, kappa)[()]


def wrapped(phases: ArrayLike) -> NDArray[np.float64]:
    """Angles in [0, 2 pi); of a tiny negative one the remainder rounds to 2 pi, which is 0."""
    angle = np.mod(phases, TURN)
    return np.where(angle >= TURN, 0.0, angle)


def _angles(phases: ArrayLike) -> NDArray[np.float64]:
    """Phases as floats, NaN allowed."""
    array = check_floats("phases", phases)
    if np.isinf(array).any():
        raise ValueError(
            "phases holds an infinite number; it must be finite, or NaN where unknown."
        )
    return array
