"""Which values are one but for rounding."""

import numpy as np
from numpy.typing import NDArray

LEAST_LENGTH = 1e-12  # of a sum of vectors, a share of their lengths: what is less is rounding


def grouped(values: NDArray[np.float64], within: float) -> NDArray[np.int64]:
    """The number of each value's group, in rising order: neighbours in one lie within a distance.

    Differences of times, such as latencies, differ in their last digits by when they were taken.
    """
    order = np.argsort(values, kind="stable")
    with np.errstate(invalid="ignore"):  # two infinite values are one
        rises = np.diff(values[order]) > within
    groups = np.zeros(len(values), np.int64)
    groups[order[1:]] = np.cumsum(rises)
    return groups
