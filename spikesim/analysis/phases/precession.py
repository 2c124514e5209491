"""Phase precession of place cells: of all passes of a field together, and of each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.analysis.given import spike_trains
from spikesim.analysis.phases.fields import PlaceFields, positions_at
from spikesim.analysis.phases.lines import CircularLinear, check_slopes, fit
from spikesim.analysis.phases.phase import Phase, check_phase
from spikesim.checks import check_choice, check_whole
from spikesim.data.windows import Windows
from spikesim.random import stream

if TYPE_CHECKING:
    from spikesim.data.spiketrains import SpikeTrains


@dataclass(frozen=True, eq=False)
class PhaseLines:
    """Lines of phase against position, one of each field, or of each pass of a field.

    Attributes
    ----------
    fields, laps : ndarray of int64, shape (n,)
        Which field, and which lap; -1 where all laps are taken together.
    n : ndarray of int64, shape (n,)
        Spikes.
    slope : ndarray of float64, shape (n,)
        Cycles per field.
    offset : ndarray of float64, shape (n,)
        Phase where the field is entered (rad), in [0, 2 pi).
    resultant, correlation, p, p_kempter : ndarray of float64, shape (n,)
    at_bound : ndarray of bool, shape (n,)
        As in `CircularLinear`.
    """

    fields: NDArray[np.int64]
    laps: NDArray[np.int64]
    n: NDArray[np.int64]
    slope: NDArray[np.float64]
    offset: NDArray[np.float64]
    resultant: NDArray[np.float64]
    correlation: NDArray[np.float64]
    p: NDArray[np.float64]
    p_kempter: NDArray[np.float64]
    at_bound: NDArray[np.bool_]

    def __len__(self) -> int:
        return self.fields.size

    def __repr__(self) -> str:
        known = self.slope[np.isfinite(self.slope)]
        middle = f"{np.median(known):.3g} cycles per field" if known.size else "none"
        bound = f", {self.at_bound.sum()} at a bound" if self.at_bound.any() else ""
        return f"<{len(self)} PhaseLines, median slope {middle}{bound}>"


@dataclass(frozen=True, eq=False)
class Precession:
    """Phase precession in place fields, by `phase_precession`.

    Attributes
    ----------
    fields : PlaceFields
    pooled : PhaseLines
        A line of each field, in the order of `fields`, to the spikes of all laps.
    single : PhaseLines
        A line of each field and lap that has spikes enough; empty without laps.
    slopes : tuple of two floats
        Range in which slopes were sought (cycles per field).
    field, lap, position, phase : ndarray, shape (spikes,)
        Of all spikes that were used: in which field and lap (-1: no laps), where in the field
        (0 where it is entered, 1 where it is left), and the phase (rad).
    """

    fields: PlaceFields
    pooled: PhaseLines
    single: PhaseLines
    slopes: tuple[float, float]
    field: NDArray[np.int64]
    lap: NDArray[np.int64]
    position: NDArray[np.float64]
    phase: NDArray[np.float64]

    def single_slopes(self) -> NDArray[np.float64]:
        """Median slope of the passes of each field (cycles per field), without those at a bound.

        NaN of fields none of whose passes has a slope.
        """
        good = np.isfinite(self.single.slope) & ~self.single.at_bound
        of = [self.single.slope[good & (self.single.fields == k)] for k in range(len(self.fields))]
        return np.array([np.median(slopes) if slopes.size else np.nan for slopes in of])

    def __repr__(self) -> str:
        told = np.count_nonzero(self.pooled.p <= 0.05)
        return (
            f"<Precession: {len(self.fields)} fields, {told} with p of .05 or less; pooled "
            f"{self.pooled!r}, single passes {self.single!r}>"
        )


def phase_precession(
    trains: SpikeTrains,
    phase: Phase,
    positions: ArrayLike,
    times: ArrayLike,
    fields: PlaceFields,
    *,
    laps: Windows | None = None,
    slopes: tuple[float, float] = (-2.0, 2.0),
    shuffles: int = 1000,
    unit: str = "cycle",
    order: str = "permute",
    least: int = 5,
    seed: int | None = None,
) -> Precession:
    """Lines of phase against position in place fields, of all laps together and of each.

    The position of a spike is 0 where its field is entered and 1 where it is left, so that slopes
    are in cycles per field whatever the unit of positions; `circular_linear` has the equations.

    Parameters
    ----------
    trains : SpikeTrains
    phase : Phase
        Of the rhythm.
    positions, times : array_like, shape (n,)
        Where the animal was, and when (ms, rising).
    fields : PlaceFields
        Of neurons of the trains. For runs towards lower positions: ``fields.reversed()``.
    laps : Windows, optional
        Disjoint; spikes outside of them are left out. Without laps all spikes count.
    slopes : two floats
        Range of slopes (cycles per field).
    shuffles : int
        For the p of each field (not of single passes).
    unit : "cycle" or "spike"
        What shuffles move: all spikes of a field in one cycle of the rhythm as one, which is valid
        for bursts within a cycle; or every spike by itself, as if spikes were independent.
    order : "permute" or "mirror"
        Within each lap, units change places in any order: cycles are taken as exchangeable if
        there is no precession. Or whole laps are run through the other way, by the toss of a coin:
        what successive cycles have in common is kept; it needs 6 laps or more. See
        `circular_linear`.
    least : int
        Spikes that a single pass must have for a line, in 3 cycles at least.
    seed : int, optional
        Of the shuffles.

    Returns
    -------
    Precession
        NaN for fields with fewer than 3 spikes.

    Raises
    ------
    TypeError
        If trains are not SpikeTrains, phase no Phase, fields no PlaceFields, or laps no Windows.
    ValueError
        If a field is of a neuron that is not in the trains, or has no width; if laps overlap; or
        as `circular_linear`.

    Notes
    -----
    Passes differ in where phase and firing begin, so that the line of all together is shallower
    than those of the passes (Schmidt et al. 2009).

    References
    ----------
    O'Keefe J, Recce ML (1993) Phase relationship between hippocampal place units and the EEG theta
    rhythm. Hippocampus 3:317-330. Schmidt R et al. (2009) Single-trial phase precession in the
    hippocampus. J Neurosci 29:13232-13241. Kempter R et al. (2012) J Neurosci Methods 207:113-124.
    """
    spike_trains("trains", trains)
    check_phase(phase)
    slopes = check_slopes(slopes)
    check_whole("shuffles", shuffles, least=0)
    check_whole("least", least, least=3)
    check_choice("unit", unit, ("cycle", "spike"))
    check_choice("order", order, ("permute", "mirror"))
    if order == "mirror" and laps is None:
        raise ValueError("laps must be given for order 'mirror', which turns them round.")
    if laps is not None and not isinstance(laps, Windows):
        raise TypeError(
            f"laps is of type {type(laps).__name__}; it must be Windows, such as find_laps gives."
        )
    _check_fields(fields, trains.size)
    pooled, single, used = [], [], []
    for k in range(len(fields)):
        rng = stream(seed, "phase precession", k)
        spikes = trains[int(fields.neurons[k])]
        lap = np.full(spikes.size, -1) if laps is None else laps.index(spikes)
        x = positions_at(positions, times, spikes) - fields.starts[k]
        x /= fields.stops[k] - fields.starts[k]
        angle, cycle = phase.at(spikes), phase.cycles(spikes)
        kept = (x >= 0) & (x <= 1) & np.isfinite(angle)
        if laps is not None:
            kept &= lap >= 0
        x, angle, cycle, lap = (each[kept] for each in (x, angle, cycle, lap))
        # A cycle in which one lap ends and another begins is one of each.
        groups = np.arange(x.size) if unit == "spike" else _numbers(lap, cycle)
        pooled.append((k, -1, fit(x, angle, groups, lap, slopes, shuffles, order, rng)))
        used.append((np.full(x.size, k), lap, x, angle))
        for one in np.unique(lap[lap >= 0]):
            here = lap == one
            if here.sum() >= least and np.unique(cycle[here]).size >= 3:
                arrays = x[here], angle[here], groups[here], lap[here]
                single.append((k, one, fit(*arrays, slopes, 0, order, rng)))
    columns = [np.concatenate(c) for c in zip(*used, strict=True)] if used else [np.empty(0)] * 4
    field, lap = (each.astype(np.int64) for each in columns[:2])
    return Precession(fields, _lines(pooled), _lines(single), slopes, field, lap, *columns[2:])


def _check_fields(fields: PlaceFields, size: int) -> None:
    if not isinstance(fields, PlaceFields):
        raise TypeError(
            f"fields is of type {type(fields).__name__}; it must be PlaceFields, which "
            "place_fields finds in rates."
        )
    if np.any((fields.neurons < 0) | (fields.neurons >= size)):
        raise ValueError(
            f"fields are of neurons up to {fields.neurons.max()}; trains hold {size} neurons."
        )
    if np.any(fields.widths == 0):
        raise ValueError(f"field {int(np.argmin(fields.widths))} must be wider than 0.")


def _numbers(*labels: NDArray) -> NDArray[np.int64]:
    """One number for each combination of labels, in their order."""
    return np.unique(np.stack(labels), axis=1, return_inverse=True)[1].reshape(-1)


def _lines(found: list[tuple[int, int, CircularLinear]]) -> PhaseLines:
    names = "n slope offset resultant correlation p p_kempter at_bound".split()
    kinds = [np.int64, *[np.float64] * 6, np.bool_]
    columns = [
        np.array([getattr(line, name) for _, _, line in found], kind)
        for name, kind in zip(names, kinds, strict=True)
    ]
    where = (np.array([each[k] for each in found], np.int64) for k in (0, 1))
    return PhaseLines(*where, *columns)
