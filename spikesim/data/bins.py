"""Bins of time: (start, start + bin], and so on."""

import numpy as np
from numpy.typing import NDArray

from spikesim.checks import is_number
from spikesim.data.windows import SAME_TIME


def whole_bins(bin: float, duration: float) -> int:
    """How many bins a duration has; refused where bins do not divide it."""
    n_bins = round(duration / bin) if is_number(bin) and bin > 0 else 0
    if n_bins == 0 or abs(n_bins * bin - duration) > SAME_TIME:
        raise ValueError(
            f"bin must be positive and divide the duration of {duration:g} ms, but is {bin}"
        )
    return n_bins


def bins_of(after_start: NDArray, n_bins: int, duration: float) -> NDArray[np.int64]:
    """The bins of times after the start of a window; a bin holds its stop, not its start."""
    bins = np.ceil((after_start - SAME_TIME) * (n_bins / duration)).astype(np.int64) - 1
    return np.clip(bins, 0, n_bins - 1)
