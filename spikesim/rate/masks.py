"""Masks of recurrent weights: which units may be connected."""

from collections.abc import Mapping

import numpy as np

from spikesim.checks import check_whole
from spikesim.random import stream


def areas(
    units: Mapping[str, int],
    within: float = 1.0,
    between: Mapping[tuple[str, str], float] | None = None,
    seed: int = 0,
) -> np.ndarray:
    """Mask of several areas with sparse connections between them.

    Parameters
    ----------
    units : mapping of str to int
        Of each area, which lie one behind the other in this order.
    within : float
        Probability of a connection inside an area.
    between : mapping of (from, to) to float
        Probability of a connection from one area to another; 0 for pairs that are not named.
    seed : int

    Returns
    -------
    array (units, units)
        Of 0 and 1, (to, from), for ``LeakyRNN(mask=...)``.

    Raises
    ------
    KeyError
        If there is no area of a name.
    ValueError
        If a probability does not lie between 0 and 1, or an area has no units.

    Examples
    --------
    >>> mask = areas({"v1": 50, "mt": 50}, between={("v1", "mt"): 0.1, ("mt", "v1"): 0.05})
    """
    for name, size in units.items():
        check_whole(f"areas: units of {name}", size)
    ends = np.cumsum(list(units.values()))
    places = {
        name: slice(end - size, end) for (name, size), end in zip(units.items(), ends, strict=True)
    }
    p = np.zeros((ends[-1], ends[-1]))
    for (source, target), value in [*(((a, a), within) for a in units), *(between or {}).items()]:
        for name in (source, target):
            if name not in places:
                raise KeyError(f"between names {name!r}; the areas are {', '.join(places)}.")
        if not 0 <= value <= 1:
            raise ValueError(
                f"the probability from {source} to {target} is {value!r}; it must lie between 0 "
                "and 1."
            )
        p[places[target], places[source]] = value
    return (stream(seed, "areas").random(p.shape) < p).astype(float)
