"""What comes from outside a network. Small frozen objects; nothing is drawn here.

An input answers for itself what is asked of it; whoever asks needs not know which input it is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

from spikesim.checks import check_number, check_numbers, check_shape, warn
from spikesim.data.spiketrains import SpikeTrains
from spikesim.data.windows import SAME_TIME, Windows
from spikesim.description.distributions import extremes
from spikesim.description.plausibility import check_ms
from spikesim.description.population import View
from spikesim.description.receptors import Receptor
from spikesim.names import named_options

ArrivalSteps = Callable[[np.ndarray, float], np.ndarray]  # of times (ms), with a step of dt (ms)


@dataclass(frozen=True, eq=False)
class Arriving:
    """What an input adds to the sum of one neuron in one step: so many times one of its weights."""

    weights: Any  # number or array
    most: float = 1.0  # how many there can be; inf if chance alone sets a bound
    mean: float = 1.0  # how many there are on average, where they are most
    closest: float | None = None  # the largest sum, if better known than by most and weights
    least: float | None = None  # smallest weight, if not that of the weights


class Input:
    """What every input answers."""

    at_receptor = True  # whether it arrives at a receptor; else it adds to the model's current
    over_time = ""  # name of the field that has a row for each bin

    @property
    def added(self) -> Any:
        """What a neuron is given at a time, number or array: the weight of a spike."""
        return self.weight

    def units(self, unit: str) -> dict[str, str]:
        """Unit of each field; ``unit`` is that of what is added."""
        own = dict.fromkeys(("weight", "values", "sd", "amplitude"), unit)
        return {item.name: {**_UNITS, **own}[item.name] for item in fields(self)}

    def check(self, where: str, target: View, name: str, receptor: Receptor | None) -> None:
        """Hold an input against the neurons it is for: shapes, and signs of weights.

        ``where`` begins the sentence; ``name`` is that of the receptor.
        """
        for item in fields(self):
            value = getattr(self, item.name)
            if item.name == self.over_time:
                if value.ndim == 2 and value.shape[1] != target.size:
                    raise ValueError(
                        f"{where}: {item.name} has shape {value.shape}; it must have "
                        f"shape (bins,) or (bins, {target.size})."
                    )
            elif isinstance(value, np.ndarray):
                check_shape(f"{where}: {item.name}", value, (), (target.size,))
        if receptor is not None:
            told = f"receptor {name!r} of {target.population!r}"
            receptor.check_weights(where, told, *extremes(self.added))

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        """What the input brings in a step of ``dt`` (ms), at most.

        ``arrival_steps`` tells in which step a spike given at a time counts.
        """
        return Arriving(self.added)


_UNITS = {"rate": "Hz", "rates": "Hz", "every": "ms", "dead_time": "ms"}
_UNITS |= dict.fromkeys(("repeat", "shape", "correlation", "trains"), "")


def _keep_numbers(given: Any, name: str, **bounds: float) -> None:
    """Make an array of a list, or a float of a number; one for all neurons, or one for each."""
    value, what = getattr(given, name), "a number, or one per neuron"
    told = f"{type(given).__name__}: {name}"
    numbers = check_numbers(told, value, what, dimensions=(0, 1), **bounds)
    object.__setattr__(given, name, numbers if numbers.ndim else float(numbers))


def _keep_series(given: Any, name: str, **bounds: float) -> None:
    value, what = getattr(given, name), "an array (bins,) or (bins, neurons), not empty"
    told = f"{type(given).__name__}: {name}"
    series = check_numbers(told, value, what, dimensions=(1, 2), **bounds)
    object.__setattr__(given, name, series)


def _keep_number(given: Any, name: str, **allowed: Any) -> None:
    """One number for all neurons."""
    value, told = getattr(given, name), f"{type(given).__name__}: {name}"
    if np.iterable(value) and not isinstance(value, str):
        raise ValueError(f"{told} is {value!r}; it must be one number for all neurons.")
    check_number(told, value, **allowed)
    object.__setattr__(given, name, float(value))


def _poisson(weight: Any, rate: Any, dt: float) -> Arriving:
    return Arriving(weight, np.inf, float(np.max(rate)) * dt / 1000)


@named_options()
@dataclass(frozen=True, eq=False)
class Poisson(Input):
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
        _keep_numbers(self, "rate", least=0)
        _keep_numbers(self, "weight")

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        return _poisson(self.weight, self.rate, dt)


@named_options()
@dataclass(frozen=True, eq=False)
class Gamma(Input):
    """An independent train for every neuron whose intervals are drawn from a gamma distribution.

    Parameters
    ----------
    rate : float or array
        Hz; one for all, or one per neuron: the mean rate of the trains.
    shape : float
        Above 0. At 1 the train is Poisson, above it is more regular, below more bursty.
    weight : float or array
        In the unit of the receptor; one for all, or one per neuron.

    Notes
    -----
    Intervals of density ``x^(shape - 1) exp(-x / scale) / (gamma(shape) scale^shape)`` and
    coefficient of variation ``1 / sqrt(shape)`` [1]_, rounded to the nearest step, at least one: a
    train has at most one spike in a step. The scale, ``1000 / (rate shape)`` ms but for this
    rounding, is such that the mean rate is exact. The trains are stationary from the start.

    References
    ----------
    .. [1] Cox DR (1962) Renewal Theory. Methuen, London.
    """

    rate: float | np.ndarray
    shape: float
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        _keep_numbers(self, "rate", least=0)
        _keep_number(self, "shape", above=0)
        _keep_numbers(self, "weight")


@named_options()
@dataclass(frozen=True, eq=False)
class PoissonDeadTime(Input):
    """An independent Poisson train with dead time for every neuron.

    Parameters
    ----------
    rate : float or array
        Hz; one for all, or one per neuron: the mean rate that results, dead time included.
    dead_time : float
        ms, below ``1000 / rate``: no interval is shorter. Rounded up to steps, at least one.
    weight : float or array
        In the unit of the receptor; one for all, or one per neuron.

    Notes
    -----
    After a spike the hazard is 0 for the dead time, then ``1 / (1000 / rate - dead_time)`` per ms;
    the intervals' coefficient of variation is ``1 - rate dead_time / 1000`` [1]_ [2]_. What
    follows the dead time is rounded to the nearest step; the mean rate is exact. The trains are
    stationary from the start.

    References
    ----------
    .. [1] Cox DR (1962) Renewal Theory. Methuen, London.
    .. [2] Deger M, Helias M, Boucsein C, Rotter S (2012) Statistical properties of superimposed
       stationary spike trains. J Comput Neurosci 32:443-463.
    """

    rate: float | np.ndarray
    dead_time: float
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        _keep_numbers(self, "rate", least=0)
        fastest = float(np.max(self.rate, initial=0.0))
        longest = 1000 / fastest if fastest else np.inf
        _keep_number(self, "dead_time", least=0, unit="ms")
        if self.dead_time >= longest:
            raise ValueError(
                f"PoissonDeadTime: dead_time is {self.dead_time!r}; it must be below 1000 / rate "
                f"= {longest:g} ms."
            )
        _keep_numbers(self, "weight")


@named_options()
@dataclass(frozen=True, eq=False)
class CorrelatedPoisson(Input):
    """Poisson trains that share spikes: copies of one mother train, thinned by chance.

    Parameters
    ----------
    rate : float
        Hz, of each neuron's train.
    correlation : float
        Above 0 and at most 1: correlation coefficient of the spike counts of any two neurons.
    weight : float or array
        In the unit of the receptor; one for all, or one per neuron.

    Notes
    -----
    The multiple interaction process [1]_: of a Poisson train of ``rate / correlation`` every neuron
    keeps each spike with probability ``correlation``, independently of the others. Each train is
    Poisson; ``correlation^n`` of the mother's spikes are shared by n given neurons. The coefficient
    is the same for counts in windows of any length: shared spikes come at the same step.

    References
    ----------
    .. [1] Kuhn A, Aertsen A, Rotter S (2003) Higher-order statistics of input ensembles and the
       response of simple model neurons. Neural Comput 15:67-101.
    """

    rate: float
    correlation: float
    weight: float | np.ndarray

    def __post_init__(self) -> None:
        _keep_number(self, "rate", least=0, unit="Hz")
        _keep_number(self, "correlation", above=0, most=1)
        _keep_numbers(self, "weight")

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        return _poisson(self.weight, self.rate, dt)


@named_options()
@dataclass(frozen=True, eq=False)
class WhiteNoise(Input):
    """A normal variable drawn anew for every neuron and step, of standard deviation ``sd``.

    It arrives at the receptor like a weight. Its effect depends on dt: this is the noise of models
    that are defined at a fixed step, such as that of Izhikevich (2003).
    """

    sd: float | np.ndarray

    def __post_init__(self) -> None:
        _keep_numbers(self, "sd", least=0)

    @property
    def added(self) -> Any:
        """The standard deviation, which has no sign."""
        return self.sd

    def check(self, where: str, target: View, name: str, receptor: Receptor | None) -> None:
        super().check(where, target, name, None)
        receptor.check_noise(where, name)

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        # Six standard deviations; a normal variable can be as small as can be.
        return Arriving(self.sd, 6.0, 6.0, least=0.0)


@named_options()
@dataclass(frozen=True, eq=False)
class Spikes(Input):
    """Given spike trains, train k to neuron k; a spike at time t has arrived in the state at t.

    Parameters
    ----------
    trains : SpikeTrains, or sequence of arrays
        Times in ms, one array per neuron. Times between steps count for the step that ends next,
        and a spike at 0 for the first. Spikes of `SpikeTrains` before 0 are left out, and their
        number is told in a warning.
    weight : float or array
        One for all, or one per train.
    """

    trains: SpikeTrains | Sequence[np.ndarray] = field(repr=False)
    weight: float | np.ndarray = 1.0

    def __post_init__(self) -> None:
        _keep_numbers(self, "weight")
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
            support = Windows.closed(0.0, last, times)
            made = SpikeTrains(times, neurons, len(trains), support=support)
            object.__setattr__(self, "trains", made)
        elif self.trains.t_start < -2 * SAME_TIME:  # else they may stay in their file
            object.__setattr__(self, "trains", _from_zero(self.trains))

    def check(self, where: str, target: View, name: str, receptor: Receptor | None) -> None:
        if self.trains.size != target.size:
            raise ValueError(f"{where}: {self.trains.size} spike trains for {target.size} neurons.")
        super().check(where, target, name, receptor)

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        size = self.trains.size
        steps = np.unique(arrival_steps(self.trains.times, dt), return_inverse=True)[1]
        cells = steps * size + self.trains.neurons
        cells, together = np.unique(cells, return_counts=True)
        each = np.broadcast_to(np.abs(self.weight), size)
        most = float(together.max(initial=0))
        closest = float((together * each[cells % size]).max(initial=0.0))
        return Arriving(self.weight, most, most, closest)


def _from_zero(trains: SpikeTrains) -> SpikeTrains:
    """Leave out what was before the start, and say so to who made the `Spikes`."""
    kept = trains.times >= -SAME_TIME
    early = len(trains) - int(np.count_nonzero(kept))
    if early:
        warn(
            f"Spikes: {early} of {len(trains)} spikes are before 0 ms, the first of them at "
            f"{trains.times[0]:g} ms; they are left out."
        )
    times = trains.times[kept]
    support = Windows.closed(0.0, max(trains.t_stop, 0.0), times)
    return SpikeTrains(times, trains.neurons[kept], trains.size, support=support)


@named_options()
@dataclass(frozen=True, eq=False)
class Current(Input):
    """A constant current (pA; in the unit of the model's current parameter), one or per neuron."""

    amplitude: float | np.ndarray

    at_receptor = False

    def __post_init__(self) -> None:
        _keep_numbers(self, "amplitude")

    @property
    def added(self) -> Any:
        """The current."""
        return self.amplitude


@named_options()
@dataclass(frozen=True, eq=False)
class PoissonRates(Input):
    """Independent Poisson trains whose rate changes in time.

    Parameters
    ----------
    rates : array (bins,) or (bins, neurons)
        Hz; ``rates[k]`` holds from ``k every`` to ``(k + 1) every`` ms.
    every : float
        ms, a multiple of dt.
    weight : float or array
        In the unit of the receptor; one for all, or one per neuron.
    repeat : bool
        Whether the rates begin again after the last bin; else the last one stays.
    """

    rates: np.ndarray
    every: float
    weight: float | np.ndarray
    repeat: bool = False

    over_time = "rates"

    def __post_init__(self) -> None:
        _keep_series(self, "rates", least=0)
        check_ms(type(self).__name__, "every", self.every)
        _keep_numbers(self, "weight")

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        return _poisson(self.weight, self.rates, dt)


@named_options()
@dataclass(frozen=True, eq=False)
class Sampled(Input):
    """Values that arrive at a receptor in every step; at a `Pulse` receptor, a current.

    Parameters
    ----------
    values : array (bins,) or (bins, neurons)
        In the unit of the receptor; ``values[k]`` holds from ``k every`` to ``(k + 1) every`` ms.
    every, repeat
        As in `PoissonRates`.

    Examples
    --------
    A step of 100 pA from 200 to 300 ms: ``Sampled([0, 0, 100, 0], every=100.0)``. A sine of 5 Hz:
    ``Sampled(50 * np.sin(2 * np.pi * np.arange(2000) / 2000), every=0.1, repeat=True)``.
    """

    values: np.ndarray
    every: float
    repeat: bool = False

    over_time = "values"

    def __post_init__(self) -> None:
        _keep_series(self, "values")
        check_ms(type(self).__name__, "every", self.every)

    @property
    def added(self) -> Any:
        """The values."""
        return self.values

    def largest(self, dt: float, arrival_steps: ArrivalSteps) -> Arriving:
        # A signal passes through 0: small values are as fine as the mean asks for.
        return Arriving(self.values, least=0.0)


@dataclass(frozen=True, eq=False)
class Stimulus:
    """An input applied to a set of neurons."""

    name: str
    target: View
    input: Input
    receptor: str  # "" for a current


Renewal = Gamma | PoissonDeadTime
