"""Signals that are sampled evenly: where their samples lie, and a filter that delays nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from spikesim.checks import check_floats, check_number, check_numbers

UNEVEN = 1e-3  # of a step: how far samples may lie from where even steps would have them
CYCLE = 2.5  # samples that the shortest period of a band must hold at least
FASTEST = 0.01  # ms between samples: where they are closer, times may be in seconds
FORGOTTEN = 0.1  # what of a beginning or end is still in a filter's answer where it counts
# What of a signal's largest absolute value is rounding: filters leave up to 1e-11 of a constant,
# and a converter of 24 bits cannot tell less than 1e-7.
ROUNDING = 1e-9


class Sampled(NamedTuple):
    """``values[k]`` at ``start + k * step`` (ms)."""

    values: NDArray[np.float64]
    start: float
    step: float

    @property
    def times(self) -> NDArray[np.float64]:
        return self.start + self.step * np.arange(len(self.values))

    @property
    def stop(self) -> float:
        return self.start + self.step * (len(self.values) - 1)


def sampled(
    signal: ArrayLike,
    times: ArrayLike | None,
    sampling: float | None,
    t_start: float,
    gaps: bool = False,
) -> Sampled:
    """A signal and where its samples lie, from their times (ms) or their rate (Hz).

    Raises
    ------
    ValueError
        If signal is not one-dimensional or shorter than two samples, holds what is not real and
        finite (NaN, or what is masked, is allowed where gaps are), if not exactly one of times and
        sampling is given, t_start is given with times, or if times are not evenly spaced and as
        many as samples.
    """
    values = check_floats("signal", signal)
    if values.ndim != 1 or values.size < 2:
        raise ValueError(
            f"signal has shape {values.shape}; it must be one-dimensional, two samples or more."
        )
    if np.isinf(values).any() or (not gaps and np.isnan(values).any()):
        bad = int(np.argmin(np.isfinite(values)))
        told = "finite, or NaN where nothing was recorded" if gaps else "finite"
        raise ValueError(f"signal[{bad}] is {values[bad]}; it must be {told}.")
    if (times is None) == (sampling is None):
        raise ValueError(
            "give either times (ms) or sampling (Hz): they are two ways to say where samples lie."
        )
    if times is not None and t_start != 0:
        raise ValueError(f"t_start is {t_start!r}; it goes with sampling, and times tell already.")
    if times is None:
        check_number("sampling", sampling, above=0.0, unit="Hz")
        check_number("t_start", t_start, unit="ms")
        return Sampled(values, float(t_start), 1000.0 / sampling)
    when = check_numbers("times", times, "one-dimensional, ms", dimensions=(1,))
    if when.shape != values.shape:
        raise ValueError(
            f"times holds {when.size} and signal {values.size} samples; they must be as many."
        )
    step = (when[-1] - when[0]) / (when.size - 1)
    off = np.abs(when - (when[0] + step * np.arange(when.size)))
    if step <= 0 or off.max() > UNEVEN * step:
        raise ValueError(
            f"times must rise in even steps, but times[{int(off.argmax())}] lies "
            f"{off.max():g} ms from where steps of {step:g} ms would have it."
        )
    return Sampled(values, float(when[0]), float(step))


def check_band(name: str, band: ArrayLike, step: float) -> tuple[float, float]:
    """Two frequencies (Hz), rising, which samples at this step (ms) can carry."""
    low_high = check_numbers(name, band, "two frequencies (Hz)", above=0.0, dimensions=(1,))
    if low_high.shape != (2,) or low_high[0] >= low_high[1]:
        raise ValueError(f"{name} is {band}; it must be two frequencies (Hz), the lower one first.")
    low, high = map(float, low_high)
    if high * step * CYCLE > 1000.0:
        raise ValueError(
            f"{name} goes up to {high:g} Hz; a signal of {1000 / step:g} samples a second holds "
            f"{CYCLE:g} of them in a period only up to {1000 / (CYCLE * step):g} Hz."
        )
    return low, high


def band_pass(signal: Sampled, band: tuple[float, float], order: int) -> tuple[NDArray, NDArray]:
    """A signal in a band without delay, and where its beginning and end are forgotten.

    A Butterworth filter run forward and backward, each piece between NaN for itself. Not ``valid``
    is what lies nearer to an end than the filter's slowest mode takes to fall to a tenth: there
    the phase of a noisy oscillation is off by up to 1 rad, and beyond by up to .04. Nor is what
    has no power in the band (`_without_power`). Pieces too short for any of it are NaN.
    """
    from scipy.signal import butter, sosfiltfilt, zpk2sos

    zeros, poles, gain = butter(order, band, "bandpass", fs=1000.0 / signal.step, output="zpk")
    sections, slowest = zpk2sos(zeros, poles, gain), np.abs(poles).max()
    edge = int(np.ceil(np.log(FORGOTTEN) / np.log(slowest)))
    found = np.full(signal.values.size, np.nan)
    valid = np.zeros(signal.values.size, bool)
    for first, last in pieces(signal.values):
        if last - first > 2 * edge:
            found[first:last] = sosfiltfilt(sections, signal.values[first:last])
            valid[first + edge : last - edge] = True
    if not valid.any():
        longest = max((b - a for a, b in pieces(signal.values)), default=0) * signal.step
        told = ""
        if signal.step < FASTEST and 1000 * longest > 2 * edge * signal.step:
            told = f" Its samples are {signal.step:g} ms apart; times must be in ms, not in s."
        raise ValueError(
            f"signal lasts {longest:g} ms without a gap; for a band of {band[0]:g} to {band[1]:g} "
            f"Hz it must last more than {2 * edge * signal.step:g} ms, which its ends spoil.{told}"
        )
    valid &= ~_without_power(signal, found, 1000.0 / band[0])
    return found, valid


def _without_power(signal: Sampled, narrow: NDArray, longest: float) -> NDArray[np.bool_]:
    """Samples at which a signal has nothing in a band, whose longest period is ``longest`` (ms).

    There the signal keeps one value for longer than this period, as in a dropout (in which the
    filter only rings), or in a period all that is left in the band is rounding.
    """
    from scipy.ndimage import maximum_filter1d

    period = max(int(np.ceil(longest / signal.step)), 1)
    values = np.nan_to_num(signal.values)
    scale = np.abs(values).max()
    height = maximum_filter1d(np.abs(np.nan_to_num(narrow)), period + 1, mode="constant")
    still = np.concatenate([[False], np.diff(signal.values) == 0, [False]])
    turns = np.flatnonzero(still[1:] != still[:-1])
    first, last = turns[::2], turns[1::2]  # samples that are one value, both ends taken in
    long = last - first > period
    flat = np.zeros(values.size + 1, np.int64)
    flat[first[long]] += 1
    flat[last[long] + 1] -= 1
    return (height <= ROUNDING * scale) | (np.cumsum(flat[:-1]) > 0)


def pieces(values: NDArray) -> Iterator[tuple[int, int]]:
    """First and one past the last number of each run of values that are not NaN."""
    known = np.concatenate([[False], ~np.isnan(values), [False]])
    turns = np.flatnonzero(known[1:] != known[:-1])
    yield from zip(turns[::2].tolist(), turns[1::2].tolist(), strict=True)
