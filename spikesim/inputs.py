"""What comes from outside a network. Small frozen objects; nothing is drawn here."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from spikesim.spiketrains import SpikeTrains


def _finite(given: object, name: str, low: float = -np.inf) -> None:
    """Refuse what is not a number or one-dimensional array; lists become arrays."""
    value = getattr(given, name)
    try:
        numbers = np.asarray(value, float)
    except (TypeError, ValueError):
        numbers = np.array(np.nan)
    if numbers.ndim > 1 or not np.all(np.isfinite(numbers)) or np.any(numbers < low):
        allowed = "finite" if low == -np.inf else f"finite and at least {low:g}"
        raise ValueError(
            f"{type(given).__name__}: {name} is {value!r}; it must be a number, or one per neuron, "
            f"{allowed}."
        )
    object.__setattr__(given, name, numbers if numbers.ndim else float(numbers))


@dataclass(frozen=True, eq=False)
class Poisson:
    """An independent Poisson train for every neuron.

    Parameters
    ----------
    rate : float or array
        Hz; one for all, or one per neuron. Several trains of one neuron are one of their summed
        rate.
    weight : float or array
        In the unit of the receptor.
    """

    rate: float | np.ndarray
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        _finite(self, "rate", 0.0)
        _finite(self, "weight")


@dataclass(frozen=True, eq=False)
class WhiteNoise:
    """A normal variable drawn anew for every neuron and step, of standard deviation ``sd``.

    It arrives at the receptor like a weight. Its effect depends on dt: this is the noise of models
    that are defined at a fixed step, such as that of Izhikevich (2003).
    """

    sd: float | np.ndarray

    def __post_init__(self) -> None:
        _finite(self, "sd", 0.0)


@dataclass(frozen=True, eq=False)
class Spikes:
    """Given spike trains, train k to neuron k; a spike at time t has arrived in the state at t.

    Parameters
    ----------
    trains : SpikeTrains, or sequence of arrays
        Times in ms, one array per neuron. Times between steps count for the step that ends next.
    weight : float or array
        One for all, or one per train.
    """

    trains: SpikeTrains | Sequence[np.ndarray] = field(repr=False)
    weight: float | np.ndarray = 1.0

    def __post_init__(self) -> None:
        _finite(self, "weight")
        if not isinstance(self.trains, SpikeTrains):
            try:
                trains = [np.atleast_1d(np.asarray(train, float)) for train in self.trains]
            except (TypeError, ValueError):
                raise ValueError(
                    f"Spikes: trains is {self.trains!r}; it must be SpikeTrains, or one array of "
                    "times (ms) per neuron."
                ) from None
            times = np.concatenate([*trains, np.empty(0)])
            neurons = np.repeat(np.arange(len(trains)), [train.size for train in trains])
            bad = times[~(np.isfinite(times) & (times >= 0))]
            if bad.size:
                raise ValueError(
                    f"Spikes: trains holds a time of {bad[0]} ms; times must be finite and at "
                    "least 0 ms."
                )
            last = float(times.max(initial=0.0))
            made = SpikeTrains(times, neurons, len(trains), 0.0, last)
            object.__setattr__(self, "trains", made)


@dataclass(frozen=True, eq=False)
class Current:
    """A constant current (pA; in the unit of the model's current parameter), one or per neuron."""

    amplitude: float | np.ndarray

    def __post_init__(self) -> None:
        _finite(self, "amplitude")


Input = Poisson | WhiteNoise | Spikes | Current
