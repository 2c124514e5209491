"""The activity of a population as an array over time and neurons."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_number, check_numbers
from spikesim.data.spiketrains import SpikeTrains

if TYPE_CHECKING:
    Activity = SpikeTrains | ArrayLike


def varies(values: NDArray[np.float64]) -> NDArray[np.bool_]:
    """Whether each column varies: a variance says so only up to rounding."""
    return np.ptp(values, axis=0) > 0 if len(values) else np.zeros(values.shape[1:], bool)


def activity_of(name: str, activity: Activity, bin: float | None) -> NDArray[np.float64]:
    """Counts of trains in bins of so many ms, or samples as they are, of shape (time, neurons)."""
    if isinstance(activity, SpikeTrains):
        check_number(f"bin, in which the spikes of {name} are counted,", bin, above=0, unit="ms")
        return activity.count(bin).astype(float)
    if bin is not None:
        raise ValueError(f"bin is {bin!r}; it must be left out, since {name} is an array.")
    what = "an array of shape (time, neurons)"
    return check_numbers(name, activity, what, dimensions=(2,))
