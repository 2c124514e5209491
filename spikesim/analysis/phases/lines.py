"""The line that phases follow as a linear quantity grows, and whether chance draws such lines."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.phases.circular import TURN, wrapped
from spikesim.checks import check_choice, check_floats, check_numbers, check_whole
from spikesim.random import stream

FEWEST = 3  # spikes to which a line can be fitted: two always lie on one
LOOSE, FINE = 1e-5, 1e-12  # how close to its peak the slope of a shuffle, and ours, is found
ROOM = 3e7  # spikes times slopes of the grid at most
CHUNK = 1e6  # shuffles times groups that are held at a time
TIE = 1e-8  # of R^2: what slopes found loosely, and sums in another order, may differ by
ALIKE = 1e-12  # mean square of sines of angles that are all the same


@dataclass(frozen=True)
class CircularLinear:
    """How phases depend on a linear quantity x, by `circular_linear`.

    Attributes
    ----------
    n : int
        Spikes.
    slope : float
        Cycles per unit of x.
    offset : float
        Phase at x = 0 (rad), in [0, 2 pi).
    resultant : float
        Length R of the mean vector that is left when the line is taken off: 1 if all lie on it.
    correlation : float
        Circular-linear correlation, from -1 to 1.
    p : float
        How often chance fits as well, by shuffles; NaN without any.
    p_kempter : float
        Of the correlation, as if the slope had not been fitted (Kempter et al. 2012).
    at_bound : bool
        Whether the slope is an end of the range in which it was sought: a better one may lie
        outside.
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
        bound = " (an end of the range)" if self.at_bound else ""
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
    """Fit phases by a line along x: slope, offset, correlation, and p by shuffles.

    The slope a maximises R(a) = |sum_j exp(i (phase_j - 2 pi a x_j))| / n. It is sought on a grid
    so fine that no peak of R lies between its points unseen, and refined where the highest may be.

    Parameters
    ----------
    x : array_like, shape (n,)
        Of each spike; for phase precession the position in units of the field.
    phases : array_like, shape (n,)
        rad. Spikes of which either is NaN are left out.
    slopes : two floats
        Range of slopes, in cycles per unit of x.
    shuffles : int
        For p; 0 for none.
    groups : array_like, shape (n,), optional
        Which spikes are one event, such as those of one cycle: shuffles move them together and
        keep how they lie to each other. Without groups spikes are taken as independent.
    blocks : array_like, shape (n,), optional
        Which spikes may change places, such as those of one lap. A group lies in one block.
    order : "permute" or "mirror"
        What a shuffle does with a block: put its groups to each other's places, in any order; or,
        by the toss of a coin, put each group to the mirror image of its place, about the middle
        of all x. The second keeps what successive groups have in common, but has 2^(blocks - 1)
        outcomes: of 5 blocks none is rarer than p = .06.
    seed : int, optional
        Of the shuffles.

    Returns
    -------
    CircularLinear
        All NaN of fewer than 3 spikes or if all x are alike.

    Raises
    ------
    ValueError
        If arrays differ in length, slopes do not rise, a group lies in two blocks, or x and slopes
        span so much (spikes * span of x * range of slopes above 3.75 million) that x cannot have
        been normalised.

    Notes
    -----
    p is (1 + k) / (1 + shuffles), k the number of shuffles whose best line, of whatever slope in
    the range, has R as large. It is exact if groups are exchangeable in their blocks under the
    null hypothesis ("permute"), or if phases of a block are as likely in the opposite order
    ("mirror"). Of spikes that come in bursts neither p_kempter nor p without groups is valid:
    both take one burst for many witnesses. Of 10,000 bursty trains without precession about
    30 % have p below .05 so; by groups of cycles 5 %. Where the preferred phase drifts over the
    cycles of a lap, 8 % by "permute" and 5 % by "mirror".

    The correlation is Jammalamadaka's of phases and 2 pi |a| x, sum sin(phase - mean) sin(theta -
    mean) / sqrt(sum sin^2 sum sin^2). p_kempter is that of a normal number of its asymptotic
    variance. It does not know that the slope was chosen for a good fit, so it is too small
    for few spikes and wide ranges.

    References
    ----------
    Kempter R, Leibold C, Buzsáki G, Diba K, Schmidt R (2012) Quantifying circular-linear
    associations: hippocampal phase precession. J Neurosci Methods 207:113-124.
    """
    check_whole("shuffles", shuffles, least=0)
    check_choice("order", order, ("permute", "mirror"))
    if order == "mirror" and blocks is None:
        raise ValueError("blocks must be given for order 'mirror', which turns them round.")
    spikes = _spikes(x, phases, groups, blocks)
    return fit(*spikes, check_slopes(slopes), shuffles, order, stream(seed, "order of phases"))


def check_slopes(slopes: tuple[float, float]) -> tuple[float, float]:
    """A range of slopes that rises."""
    ends = check_numbers("slopes", slopes, "two numbers (cycles), rising", dimensions=(1,))
    if ends.shape != (2,) or ends[0] >= ends[1]:
        raise ValueError(f"slopes is {slopes!r}; it must be two numbers (cycles), rising.")
    return float(ends[0]), float(ends[1])


def _spikes(x, phases, groups, blocks) -> tuple[NDArray, NDArray, NDArray, NDArray]:
    """x, phases, groups and blocks of the spikes that have both a place and a phase."""
    x, phases = check_floats("x", x), check_floats("phases", phases)
    n = x.size
    groups = np.arange(n) if groups is None else np.asarray(groups)
    blocks = np.zeros(n, np.int64) if blocks is None else np.asarray(blocks)
    for name, array in ("phases", phases), ("groups", groups), ("blocks", blocks):
        if array.shape != (n,) or x.ndim != 1:
            raise ValueError(
                f"x and {name} must be one-dimensional and as many, but have shapes {x.shape} and "
                f"{array.shape}."
            )
    for name, array in ("x", x), ("phases", phases):
        if np.isinf(array).any():
            raise ValueError(f"{name} holds an infinite number; it must be finite, or NaN.")
    known = np.isfinite(x) & np.isfinite(phases)
    return x[known], phases[known], groups[known], blocks[known]


def fit(
    x: NDArray,
    phases: NDArray,
    groups: NDArray,
    blocks: NDArray,
    slopes: tuple[float, float],
    shuffles: int,
    order: str,
    rng: np.random.Generator,
) -> CircularLinear:
    """What `circular_linear` says, of arguments that were looked at."""
    n, nan = x.size, float("nan")
    if n < FEWEST or np.ptp(x) == 0:
        return CircularLinear(n, nan, nan, nan, nan, nan, nan, False, slopes)
    from spikesim.analysis.phases.kernels_precession import SHARE

    search = _Search(x, phases, groups, blocks, slopes, order)
    slope, top = search.best(search.as_is, FINE, 0.0)
    a = min(max(float(slope[0]), slopes[0]), slopes[1])
    offset = np.angle(np.exp(1j * (phases - TURN * a * x)).sum())
    rho, p_kempter = _correlation(x, phases, a)
    p = nan
    if shuffles:
        _, as_found = search.best(search.as_is, LOOSE, SHARE)
        as_good = sum(
            np.count_nonzero(search.best(orders, LOOSE, SHARE)[1] >= as_found[0] - TIE)
            for orders in search.orders(shuffles, order, rng)
        )
        p = float(1 + as_good) / (1 + shuffles)
    at_bound = min(a - slopes[0], slopes[1] - a) <= 1e-9 * (slopes[1] - slopes[0])
    resultant = min(float(np.sqrt(top[0])), 1.0)
    offset = float(wrapped(offset))
    return CircularLinear(n, a, offset, resultant, rho, p, p_kempter, bool(at_bound), slopes)


class _Search:
    """Best slopes of given phases along x, as they are and with groups in other places."""

    def __init__(self, x, phases, groups, blocks, slopes, order):
        labels = [np.unique(each, return_inverse=True)[1] for each in (blocks, groups)]
        both, group = np.unique(np.stack(labels), axis=1, return_inverse=True)
        self.block, names = both
        if np.unique(names).size < names.size:
            raise ValueError("groups must each lie in one of the blocks, but one lies in two.")
        self.group = group.reshape(-1).astype(np.int64)
        self.phases = phases
        x = x - x.mean()  # R does not know where x begins, and waves are slower so
        self.places = np.bincount(self.group, x) / np.bincount(self.group)
        self.offsets = x - self.places[self.group]
        self.as_is = np.arange(self.places.size)[None]
        if order == "mirror":
            self.places = np.concatenate([self.places, x.min() + x.max() - self.places])
        self.low, high = slopes
        self.span = np.ptp(self.places) + 2 * np.abs(self.offsets).max()
        from spikesim.analysis.phases.kernels_precession import PER_LOBE

        self.slopes = max(int(np.ceil((high - self.low) * PER_LOBE * self.span)), 1) + 1
        self.step = (high - self.low) / (self.slopes - 1)
        if x.size * self.slopes > ROOM:
            raise ValueError(
                f"x spans {self.span:g} and slopes {high - self.low:g} cycles per unit of it; for "
                f"{x.size} spikes that is too much to search. Give x in units of the field."
            )

    def best(self, orders: NDArray, tolerance: float, share: float) -> tuple[NDArray, NDArray]:
        """Slope and R^2 of each order in which groups are put to places."""
        from spikesim.analysis.phases.kernels_precession import fit_orders

        slope, top = np.empty(len(orders)), np.empty(len(orders))
        spikes = self.phases, self.offsets, self.group, self.places
        grid = self.low, self.step, self.slopes, tolerance / self.span, share
        fit_orders(*spikes, np.ascontiguousarray(orders), *grid, slope, top)
        return slope, top

    def orders(self, shuffles: int, order: str, rng: np.random.Generator) -> Iterator[NDArray]:
        """Places of the groups, shuffled within their blocks, some shuffles at a time."""
        groups, blocks = self.block.size, self.block[-1] + 1
        at_once = max(int(CHUNK // groups), 1)
        for done in range(0, shuffles, at_once):
            n = min(at_once, shuffles - done)
            if order == "mirror":
                turned = rng.integers(2, size=(n, blocks))[:, self.block]
                yield self.as_is + groups * turned
            elif blocks == 1:
                yield rng.permuted(np.repeat(self.as_is, n, axis=0), axis=1)
            else:
                yield np.argsort(self.block + rng.random((n, groups)), axis=1)


def _correlation(x: NDArray, phases: NDArray, slope: float) -> tuple[float, float]:
    """Circular-linear correlation, and Kempter's p."""
    from scipy.special import erfc

    theta = TURN * abs(slope) * x
    a, b = (np.sin(y - np.angle(np.exp(1j * y).sum())) for y in (phases, theta))
    aa, bb, both = np.mean(a * a), np.mean(b * b), np.mean(a * a * b * b)
    if min(aa, bb) < ALIKE or both == 0:  # all phases alike, or a slope of 0
        return float("nan"), float("nan")
    rho = np.mean(a * b) / np.sqrt(aa * bb)
    z = rho * np.sqrt(x.size * aa * bb / both)
    return float(rho), float(erfc(abs(z) / np.sqrt(2)))
