"""What the neurons of a unit make of its drive together, fitted to the unit's activation."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.optimize import least_squares

from spikesim.conversion.leaky.targets import Curve, Target

BINS = 120  # of a histogram of drives
FLOOR = 1e-5  # weight of drives that were hardly met, so that the curve is not lost there
SOFT = (
    0.03  # of the width of the drives: the least that a curve, sharp at its threshold, is blurred
)
REGULAR = 0.5  # variance of synaptic noise, of that of Poisson spikes
THRIFT = 0.2  # weight of spikes of either sign that cancel each other
MOST_GROUPS, LEAST_UNITS = 16, 4  # of units that share a fit; units of a group
EVEN = 0.5  # how far quiet units are given more spikes: 0 not at all, 1 as many as busy ones
QUIETEST = 0.02  # of the mean rate: units below it get no more than this one
FASTEST = 250.0  # Hz, of a neuron at its unit's highest rate


@dataclass(frozen=True, eq=False)
class UnitCurves:
    """The curves of all units' neurons.

    ::

        r_i(x) = rest_i + 1 / scale_i sum_c signs_c F(signs_c gain_i x + bias_i + spread_i places_c)

    F is the f-I curve of one neuron in Hz. The places are even between -1 and 1 over the neurons
    of a sign: staggered thresholds make a smooth curve of sharp ones.

    Parameters
    ----------
    gain, bias, spread : array (units,)
        pA: by which a drive of 1 moves a neuron; constant; of the thresholds.
    scale : array (units,)
        Spikes per second, of all neurons of a unit together, that stand for a rate of 1.
    rest : array (units,)
        Rate that no spike stands for.
    signs, places : array (neurons of a unit,)
    """

    gain: np.ndarray
    bias: np.ndarray
    spread: np.ndarray
    scale: np.ndarray
    rest: np.ndarray
    signs: np.ndarray
    places: np.ndarray

    @property
    def neurons(self) -> int:
        """Of a unit."""
        return len(self.signs)

    @property
    def offsets(self) -> np.ndarray:
        """Constant current (pA) of each neuron, (units, neurons)."""
        return self.bias[:, None] + self.spread[:, None] * self.places

    def rates(self, x: np.ndarray, curve: Curve) -> np.ndarray:
        """r(x), (..., units), for one neuron's f-I curve and drives (..., units)."""
        currents = self.signs * (self.gain * x)[..., None] + self.offsets
        return self.rest + (curve(currents) @ self.signs) / self.scale


def fit_curves(
    f: Callable[[np.ndarray], np.ndarray],
    drive: np.ndarray,
    rates: np.ndarray,
    target: Target,
    dt: float,
    neurons: int,
    hertz: float,
    noise: Callable[[np.ndarray], np.ndarray] | None = None,
) -> UnitCurves:
    """Fit gain, bias and spread so that the neurons' curve is the activation where it was met.

    Parameters
    ----------
    f : function
        The activation.
    drive, rates : array (..., units)
        What the activation was met with, and what units' rates were.
    target : Target
    dt : float
        Step of the engine, ms.
    neurons : int
        Of a unit. Activations that go below 0 are shared by two groups, one that fires above and
        one that fires below; a single neuron fires above the lowest rate that was met, which is
        then the unit's rest.
    hertz : float
        Mean rate of a neuron. A unit's share of the spikes is its mean rate to the power of 1/2:
        by rate alone, quiet units would have too few to follow them by.
    noise : function, optional
        Of the scale, the standard deviation that Poisson spikes would give each unit's drive: their
        f-I curve, sharp at its threshold, is blurred by 1 / sqrt(2) of it.

    Notes
    -----
    Units of like mean rates, up to 16 groups of them, are fitted together.

    Raises
    ------
    ValueError
        If all units are silent.
    """
    drive, rates = drive.reshape(-1, drive.shape[-1]), rates.reshape(-1, rates.shape[-1])
    signed = rates.min() < -0.05 * np.abs(rates).max()
    lowest = f(drive).min(axis=0) if signed and neurons == 1 else np.zeros(drive.shape[1])
    mean = np.abs(rates - lowest).mean(axis=0)
    if mean.max() <= 1e-9:
        raise ValueError("the units are silent in all calibration trials; they must be active.")
    mean = np.maximum(mean, QUIETEST * mean.mean())
    scale = mean**-EVEN
    scale *= neurons * hertz / np.mean(scale * mean)
    scale = np.minimum(
        scale, FASTEST * neurons / np.maximum(np.abs(rates - lowest).max(axis=0), 1e-9)
    )
    signs, places = _groups(neurons, bool(signed))
    blur = np.zeros(len(mean)) if noise is None else np.sqrt(REGULAR) * noise(scale)
    groups = max(1, min(MOST_GROUPS, len(mean) // LEAST_UNITS))
    fitted, curve, last = np.empty((3, len(mean))), target.curve(dt), None
    for units in np.array_split(np.argsort(mean, kind="stable"), groups):
        scale[units] = np.exp(np.log(scale[units]).mean())
        lowest[units] = lowest[units].min()
        own = _Fit(
            f,
            drive[:, units],
            target,
            curve,
            signs,
            places,
            scale[units[0]],
            lowest[units[0]],
            float(np.median(blur[units])),
        )
        last = own.best(last)
        fitted[:, units] = np.array(own.currents(last))[:, None]
    return UnitCurves(*fitted, scale, lowest, signs, places)


class _Fit:
    """One group of units: gain, bias and spread by least squares over a histogram of drives."""

    def __init__(
        self,
        f: Callable,
        drive: np.ndarray,
        target: Target,
        curve: Curve,
        signs: np.ndarray,
        places: np.ndarray,
        scale: float,
        rest: float,
        blur: float,
    ) -> None:
        low, high = np.quantile(drive, [1e-3, 1 - 1e-3])
        pad = 0.1 * (high - low) + 1e-6
        edges = np.linspace(low - pad, high + pad, BINS + 1)
        counts = np.histogram(drive, edges)[0]
        self.x, self.width = (edges[1:] + edges[:-1]) / 2, (high - low) / 2 + pad
        self.middle = (high + low) / 2
        self.wanted = f(self.x) - rest
        self.weights = np.sqrt(counts / max(counts.sum(), 1) + FLOOR)
        self.target, self.curve, self.scale = target, curve, scale
        self.signs, self.places = signs, places
        nodes, masses = np.polynomial.hermite_e.hermegauss(7)
        self.blur, self.masses = max(blur, SOFT * self.width) * nodes, masses / masses.sum()

    def best(self, like: np.ndarray | None) -> np.ndarray:
        """What `currents` is of, from several starts; the best of a group that is like this one."""
        many = len(self.places) > 1 and np.ptp(self.places) > 0
        gains, middles = ((0.02, 0.15, 1.0), (-0.4, 0.2)) if like is None else ((0.1,), (-0.2,))
        starts = [
            np.array([np.log(gain), middle, spread])
            for gain in gains
            for middle in middles
            for spread in ((0.2, 0.7) if many else (0.0,))
        ]
        starts += [] if like is None else [like]
        fits = (least_squares(self._missing, q, max_nfev=60) for q in starts)
        return min(fits, key=lambda fit: fit.cost).x

    def currents(self, q: np.ndarray) -> tuple[float, float, float]:
        """Gain, bias and spread, pA: of the gain's logarithm, and where thresholds lie."""
        gain = self.target.span / self.width * float(np.exp(np.clip(q[0], -12, 4)))
        # The two groups of a signed activation lie alike on both sides of 0.
        middle = q[1] * self.width + (self.middle if (self.signs > 0).all() else 0.0)
        return gain, self.target.rheobase - gain * middle, gain * self.width * abs(q[2])

    def _missing(self, q: np.ndarray) -> np.ndarray:
        gain, bias, spread = self.currents(q)
        x = self.signs * self.x[:, None]
        currents = gain * (x[..., None] + self.blur) + (bias + spread * self.places)[:, None]
        each = self.curve(currents) @ self.masses / self.scale
        missing = self.weights * (each @ self.signs - self.wanted)
        if (self.signs > 0).all():
            return missing
        wasted = self.weights * THRIFT * (each.sum(axis=1) - np.abs(self.wanted))
        return np.concatenate([missing, wasted])


def _groups(neurons: int, signed: bool) -> tuple[np.ndarray, np.ndarray]:
    """Sign and place of each neuron."""
    if not signed or neurons == 1:
        return np.ones(neurons), _places(neurons)
    above = (neurons + 1) // 2
    signs = np.repeat([1.0, -1.0], [above, neurons - above])
    return signs, np.concatenate([_places(above), _places(neurons - above)])


def _places(count: int) -> np.ndarray:
    return np.linspace(-1, 1, count) if count > 1 else np.zeros(count)
