"""The population vector: each neuron votes for what it prefers."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.codes.ties import LEAST_LENGTH
from spikesim.checks import check_floats, check_number, check_numbers


@dataclass(frozen=True, eq=False)
class PopulationVector:
    """Sum of preferred directions, by `population_vector`.

    Attributes
    ----------
    vector : ndarray, shape (..., d)
    direction : ndarray, shape (...)
        In two dimensions: where it points, in [0, period); NaN of vectors without length, but for
        rounding. Empty in others.
    length : ndarray, shape (...)
    """

    vector: NDArray[np.float64]
    direction: NDArray[np.float64]
    length: NDArray[np.float64]


def population_vector(
    responses: ArrayLike,
    preferred: ArrayLike,
    *,
    baseline: ArrayLike = 0.0,
    scale: ArrayLike = 1.0,
    period: float = 2 * np.pi,
) -> PopulationVector:
    """Sum of the preferred directions of all neurons, each weighted by its response.

    Parameters
    ----------
    responses : array_like, shape (size,) or (..., size)
        Counts or rates, such as ``aligned.count()``.
    preferred : array_like, shape (size,) or (size, d)
        Angles, or vectors, which are brought to length 1. Neurons whose direction is NaN have no
        vote.
    baseline, scale : float, or array_like of shape (size,)
        Subtracted from responses, and what remains is divided by: usually the mean rate over
        directions, and the depth of tuning.
    period : float
        Of angles: 360.0 for degrees.

    Returns
    -------
    PopulationVector

    Raises
    ------
    ValueError
        If the shapes do not fit.

    Notes
    -----
    ``v = sum over neurons of (r_i - b_i) / s_i c_i`` [1]_. It points where it should if tuning is
    by the cosine and preferred directions are spread evenly; else `LinearDecoder` is better [2]_.

    References
    ----------
    .. [1] Georgopoulos AP, Schwartz AB, Kettner RE (1986) Neuronal population coding of movement
       direction. Science 233:1416-1419.
    .. [2] Salinas E, Abbott LF (1994) Vector reconstruction from firing rates. J Comput Neurosci
       1:89-107.
    """
    check_number("period", period, above=0)
    r = check_numbers("responses", responses, "an array (..., size)")
    c = check_floats("preferred", preferred)
    if r.ndim < 1 or c.ndim not in (1, 2) or len(c) != r.shape[-1]:
        raise ValueError(
            f"responses has shape {r.shape} and preferred {c.shape}; there must be one preferred "
            f"angle or vector for each neuron."
        )
    b = check_numbers("baseline", baseline, "a number, or one per neuron", dimensions=(0, 1))
    s = check_numbers("scale", scale, "a number, or one per neuron", above=0, dimensions=(0, 1))
    for name, value in (("baseline", b), ("scale", s)):
        if value.ndim and value.shape != (len(c),):
            raise ValueError(f"{name} has {value.size} numbers; it must have {len(c)}, or one.")
    if c.ndim == 1:
        turn = 2 * np.pi / period
        c = np.stack([np.cos(turn * c), np.sin(turn * c)], axis=1)
    else:
        size = np.linalg.norm(c, axis=1, keepdims=True)
        c = c / np.where(size > 0, size, 1.0)
    votes = np.where(np.isnan(c), 0.0, c)
    weights = (r - b) / s
    vector = weights @ votes
    length = np.linalg.norm(vector, axis=-1)
    voters = np.linalg.norm(votes, axis=1)
    direction = np.empty(0)
    if c.shape[1] == 2:
        angle = np.mod(np.arctan2(vector[..., 1], vector[..., 0]) * period / (2 * np.pi), period)
        angle = np.where(angle >= period, 0.0, angle)
        direction = np.where(length > LEAST_LENGTH * (np.abs(weights) @ voters), angle, np.nan)
    return PopulationVector(vector, direction, length)
