"""Phase precession: how the phase of spikes falls with the position in a place field."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.circular import TURN, wrapped
from spikesim.analysis.kernels_precession import PER_LOBE, fit_orders
from spikesim.checks import check_choice, check_numbers, check_whole
from spikesim.random import stream

FEWEST = 3  # spikes to which a line can be fitted: two always lie on one
LOOSE, FINE = 1e-5, 1e-12  # how close to its peak a shuffle's slope and the reported one are found
ROOM = 5e7  # of spikes times slopes of the grid
CHUNK = 2e6  # of shuffles times groups made at a time


@dataclass(frozen=True)
class CircularLinear:
    """How phases depend on a linear quantity, by `circular_linear`.

    Attributes
    ----------
    n : int
        Spikes.
    slope : float
        Cycles per unit of x.
    offset : float
        Phase at x = 0 (rad), in [0, 2 pi).
    resultant : float
        Mean length R of the vectors that are left when the line is taken off: 1 if all lie on it.
    correlation : float
        Circular-linear correlation, from -1 to 1; its sign is that of the slope as a rule.
    p : float
        Of a slope that fits as well where phases are put to x by chance; NaN without shuffles.
    p_kempter : float
        Of the correlation, as if the slope had not been fitted.
    at_bound : bool
        Whether the slope is an end of the range in which it was sought, so that a better one may
        lie outside.
    slopes : tuple of two floats
        This range.
    """

    n: int
    slope: float
    offset: float
    resultant: float
    correlation: float
    p: float
    p_kempter: float
    at_bound: bool
    slopes: tuple[float, float]

    def __repr__(self) -> str:
        bound = ", an end of the range" if self.at_bound else ""
        return (
            f"<CircularLinear: {self.n} spikes, slope {self.slope:.4g} cycles{bound}, offset "
            f"{self.offset:.3g} rad, correlation {self.correlation:.3g}, p {self.p:.3g}>"
        )


def circular_linear(
    x: ArrayLike,
    phases: ArrayLike,
    slopes: tuple[float, float] = (-2.0, 2.0),
    *,
    shuffles: int = 1000,
    groups: ArrayLike | None = None,
    blocks: ArrayLike | None = None,
    order: str = "permute",
    seed: int | None = None,
) -> CircularLinear:
    """Line of phases against a linear quantity: slope, offset, correlation and p."""
    x, phases, groups, blocks = _pairs(x, phases, groups, blocks)
    low, high = _range(slopes)
    check_whole("shuffles", shuffles, least=0)
    check_choice("order", order, ("permute", "shift"))
    return _fit(x, phases, (low, high), shuffles, groups, blocks, order, stream(seed, "phases"))


def _pairs(x, phases, groups, blocks):
    x = np.asarray(x, float)
    phases = np.asarray(phases, float)
    known = np.isfinite(x) & np.isfinite(phases)
    groups = np.arange(x.size) if groups is None else np.asarray(groups)
    blocks = np.zeros(x.size, int) if blocks is None else np.asarray(blocks)
    return x[known], phases[known], groups[known], blocks[known]


def _range(slopes):
    low, high = slopes
    return float(low), float(high)


def _fit(x, phases, slopes, shuffles, groups, blocks, order, rng):
    n = x.size
    if n < FEWEST or np.ptp(x) == 0:
        nan = float("nan")
        return CircularLinear(n, nan, nan, nan, nan, nan, nan, False, slopes)
    plan = _Plan(x, phases, groups, blocks, slopes)
    a, f = plan.fit(plan.identity, FINE)
    slope, top = float(a[0]), float(f[0])
    offset = float(np.angle(np.exp(1j * (phases - TURN * slope * x)).sum()))
    rho, p_kempter = correlation(x, phases, slope)
    p = float("nan")
    if shuffles:
        observed = plan.fit(plan.identity, LOOSE)[1][0]
        as_good = 0
        for orders in plan.orders(shuffles, order, rng):
            # Orders that change nothing give the same number but for rounding.
            as_good += np.count_nonzero(plan.fit(orders, LOOSE)[1] >= observed - 1e-12)
        p = (1 + as_good) / (1 + shuffles)
    ends = min(slope - slopes[0], slopes[1] - slope) <= 1e-9 * (slopes[1] - slopes[0])
    return CircularLinear(n, slope, float(wrapped(offset)), np.sqrt(top), rho, p, p_kempter,
                          bool(ends), slopes)


class _Plan:
    def __init__(self, x, phases, groups, blocks, slopes):
        # Groups in the order of their blocks, and in a block in that of time.
        keys = np.stack([np.unique(blocks, return_inverse=True)[1], np.unique(groups, return_inverse=True)[1]])
        both, group = np.unique(keys, axis=1, return_inverse=True)
        group = group.reshape(-1)
        self.block = both[0]
        size = np.bincount(group)
        x = x - x.mean()
        places = np.bincount(group, x) / size
        self.identity = np.arange(size.size)[None]
        self.x, self.phases, self.group, self.places = x, phases, group, places
        self.offsets = x - places[group]
        self.low = slopes[0]
        reach = np.ptp(places) + 2 * np.abs(self.offsets).max()
        self.span = reach
        self.n_slopes = int(np.ceil((slopes[1] - slopes[0]) * PER_LOBE * reach)) + 1
        self.n_slopes = max(self.n_slopes, 3)
        self.step = (slopes[1] - slopes[0]) / (self.n_slopes - 1)

    def fit(self, orders, tolerance):
        a, f = np.empty(len(orders)), np.empty(len(orders))
        fit_orders(self.phases, self.offsets, self.group, self.places, orders, self.low, self.step,
                   self.n_slopes, tolerance / self.span, a, f)
        return a, f

    def orders(self, shuffles, order, rng):
        groups = self.places.size
        at_once = max(int(CHUNK // groups), 1)
        starts = np.searchsorted(self.block, self.block)
        sizes = np.bincount(self.block)[self.block]
        for first in range(0, shuffles, at_once):
            m = min(at_once, shuffles - first)
            if order == "shift":
                turns = rng.random((m, self.block[-1] + 1))[:, self.block]
                turns = (turns * sizes).astype(int)
                yield starts + (self.identity - starts + turns) % sizes
            elif self.block[-1] == 0:
                yield rng.permuted(np.repeat(self.identity, m, axis=0), axis=1)
            else:
                yield np.argsort(self.block + rng.random((m, groups)), axis=1)


def correlation(x, phases, slope):
    """Circular-linear correlation and Kempter's p."""
    from scipy.special import erfc

    theta = TURN * abs(slope) * x
    a = np.sin(phases - np.angle(np.exp(1j * phases).sum()))
    b = np.sin(theta - np.angle(np.exp(1j * theta).sum()))
    aa, bb = np.mean(a * a), np.mean(b * b)
    if aa * bb == 0:
        return float("nan"), float("nan")
    rho = np.mean(a * b) / np.sqrt(aa * bb)
    z = rho * np.sqrt(x.size * aa * bb / np.mean(a * a * b * b))
    return float(rho), float(erfc(abs(z) / np.sqrt(2)))
