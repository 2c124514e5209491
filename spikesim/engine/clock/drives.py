"""Inputs into the arrays that the run loop reads: random ones by block, given spikes as events."""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import numpy as np
from scipy import optimize, special

from spikesim.description.distributions import Normal, levels
from spikesim.description.inputs import (
    CorrelatedPoisson,
    Gamma,
    Poisson,
    PoissonDeadTime,
    PoissonRates,
    Renewal,
    Sampled,
    Spikes,
    WhiteNoise,
)
from spikesim.description.network import Stimulus
from spikesim.engine.bounds import arrival_steps
from spikesim.engine.clock.arrivals import GAUSS_LEVELS, address
from spikesim.engine.clock.tables import (
    CORRELATED,
    GAUSS,
    INPUT,
    POISSON,
    RENEWAL,
    SAMPLED,
    aligned,
)
from spikesim.kernels.keyed import derive_key, generator

if TYPE_CHECKING:
    from spikesim.engine.build import Build

KINDS = {
    Poisson: POISSON,
    PoissonRates: POISSON,
    WhiteNoise: GAUSS,
    Sampled: SAMPLED,
    Gamma: RENEWAL,
    PoissonDeadTime: RENEWAL,
    CorrelatedPoisson: CORRELATED,
}
MOST_HAZARDS = 1 << 26  # entries of one input's tables
RARE = 2.0**-20  # probability of a spike below which 32 bits hold it to less than 2e-4
PIECE = 64  # blocks whose limits are found together
HEAD = 256  # steps of a smooth distribution that are summed one by one


class _Lines:
    """Blocks of 64 numbers, one input's behind the other's, written when their number is known."""

    def __init__(self) -> None:
        self.blocks = 0
        self._writers: list[tuple[int, int, Callable[[np.ndarray], None]]] = []

    def add(self, blocks: int, write: Callable[[np.ndarray], None]) -> int:
        """Room for so many blocks, which ``write`` fills; returns the first."""
        first = self.blocks
        self._writers.append((first, blocks, write))
        self.blocks += blocks
        return first

    def add_array(self, values: np.ndarray) -> int:
        return self.add(values.size // 64, lambda room: np.copyto(room, values.ravel(), "unsafe"))

    def joined(self, kind: type, more: int = 0) -> np.ndarray:
        """All blocks, and room for some numbers more."""
        result = aligned(64 * self.blocks + more, kind)
        for first, blocks, write in self._writers:
            write(result[64 * first :][: 64 * blocks])
        return result


def drive_arrays(build: "Build", drives: Iterable[Stimulus]) -> dict[str, np.ndarray]:
    """The fields of `Flow` that hold a state's inputs; the ages of renewal trains are 0."""
    drives = list(drives)
    by_step = _by_step(drives)
    table = np.zeros(len(by_step), INPUT)
    weights = _Lines()  # [bin, block, lane], integers
    reals = _Lines()  # quantiles of a normal variable and SDs [block, lane]
    reals.add_array(levels(Normal(0.0, 1.0), GAUSS_LEVELS) / np.sqrt(2))
    limits = _Lines()  # [bin, block, level, lane]
    hazards: list[np.ndarray] = []  # one table after the other
    ages: list[np.ndarray] = []  # [block, (age, first hazard, last), lane]
    driven: list[np.ndarray] = []  # blocks
    driven_first = np.zeros((len(by_step), build.partitions + 1), np.int64)
    for n, (row, drive) in enumerate(zip(table, by_step, strict=True)):
        population = build.network.populations[drive.target.population]
        given, size = drive.input, population.size
        row["kind"] = KINDS[type(given)]
        row["population"] = list(build.network.populations).index(population.name)
        row["receptor"] = list(population.model.receptors).index(drive.receptor)
        row["stream"] = derive_key("input", drive.name) & 0xFFFFFFFF
        row["bins"], row["bin_steps"] = 1, 1
        if isinstance(given, PoissonRates | Sampled):
            row["bin_steps"] = steps_of_bin(drive, build.dt)
            row["repeats"] = given.repeat
        if isinstance(given, Poisson | PoissonRates):
            rates = np.asarray(given.rate)[None] if isinstance(given, Poisson) else given.rates
            _add_limits(row, limits, rates, drive, build.dt)
        elif isinstance(given, Renewal):
            hazard, first, last, row["fine"] = hazard_tables(drive, size, build.dt)
            row["ages"] = sum(map(len, ages))
            first = first + sum(x.size for x in hazards)
            ages.append(np.stack([np.zeros_like(first), first, last], axis=1))
            hazards.append(hazard)
        elif isinstance(given, CorrelatedPoisson):
            _add_limits(row, limits, np.array([given.rate / given.correlation]), drive, build.dt)
            row["copies"] = np.ceil(given.correlation * 2.0**32) - 1

        unit = build.units[population.name, drive.receptor]
        if isinstance(given, Sampled):
            _add_samples(row, weights, drive, size, unit)
        elif isinstance(given, WhiteNoise):
            _add_lanes(row, reals, _lanes(given.sd, drive, size) / unit, drive)
        else:
            _add_lanes(row, weights, np.rint(_lanes(given.weight, drive, size) / unit), drive)

        blocks = _driven_blocks(drive)
        driven_first[n] = sum(map(len, driven))
        last = build.wiring.spans[:, row["population"]]["last"]
        driven_first[n, 1:] += np.searchsorted(blocks, last)
        driven.append(blocks)
    for age in ages:
        age[:, 1] += 64 * limits.blocks  # hazards lie behind all limits
    drivers = [address(kind, build.precision, build.sums.wide) for kind in table["kind"]]
    all_limits = limits.joined(np.uint32, sum(x.size for x in hazards))
    if hazards:
        np.concatenate(hazards, out=all_limits[64 * limits.blocks :])
    return {
        "inputs": table,
        "drivers": np.array(drivers, np.int64),
        "driven": _flat(driven, np.int64),
        "driven_first": driven_first,
        "weights": weights.joined(build.integer),
        "reals": reals.joined(build.real),
        "limits": all_limits,
        "ages": _flat(ages, np.int32),
        **_events(build, [d for d in drives if isinstance(d.input, Spikes)]),
    }


def _add_lanes(row: np.void, lines: _Lines, lanes: np.ndarray, drive: Stimulus) -> None:
    """Weights or deviations [block, lane] that do not change."""
    row["weights"] = lines.add_array(lanes)
    if len(lanes) > 1:
        row["weight_stride"] = 1


def _add_samples(row: np.void, weights: _Lines, drive: Stimulus, size: int, unit: float) -> None:
    """Values in units: one for each bin, and 1 for those that get them, or [bin, block, lane]."""
    values = drive.input.values
    row["bins"] = len(values)
    if values.ndim == 1:
        padded = np.zeros(-(-len(values) // 64) * 64)
        padded[: len(values)] = np.rint(values / unit)
        row["levels"], row["thresholds"] = 1, weights.add_array(padded)
        _add_lanes(row, weights, _lanes(1.0, drive, size), drive)
        return
    first, blocks = _extent(drive)
    places = drive.target.neurons - 64 * first

    def write(room: np.ndarray) -> None:
        for cells, given in zip(room.reshape(len(values), -1), values, strict=True):
            cells[places] = np.rint(given / unit)

    row["weight_bin"], row["weight_stride"] = blocks, 1
    row["weights"] = weights.add(len(values) * blocks, write) - first


def _add_limits(
    row: np.void, limits: _Lines, rates: np.ndarray, drive: Stimulus, dt: float
) -> None:
    """Limits on the draws of Poisson trains [bin, block, level, lane]; one block if all are alike.

    Neurons beside the input's have a weight of 0.
    """
    bins, differ = len(rates), rates.ndim == 2
    levels = poisson_levels(float(rates.max()) * dt / 1000)
    fine = bool(np.any((rates > 0) & (rates < RARE * 1000 / dt)))
    lines = levels + fine
    first, blocks = _extent(drive) if differ else (0, 1)
    places, lanes = drive.target.neurons - 64 * first, np.zeros(64 * blocks)

    def write(room: np.ndarray) -> None:
        for cells, rate in zip(room.reshape(bins, blocks, lines, 64), rates, strict=True):
            lanes[places] = rate * dt / 1000
            for k in range(0, blocks, PIECE):
                means = lanes.reshape(blocks, 1, 64)[k : k + PIECE]
                cells[k : k + PIECE] = poisson_limits(means, levels, fine)

    def write_alike(room: np.ndarray) -> None:
        means = rates[:, None, None] * dt / 1000
        room.reshape(bins, lines, 64)[:] = poisson_limits(means, levels, fine)

    row["bins"], row["levels"], row["fine"] = bins, levels, fine
    row["threshold_bin"], row["threshold_stride"] = blocks * lines, lines if differ else 0
    row["thresholds"] = limits.add(bins * blocks * lines, write if differ else write_alike)
    row["thresholds"] -= first * row["threshold_stride"]


def input_bytes(drive: Stimulus, size: int, dt: float, real: int, integer: int) -> float:
    """What the arrays of an input in a population of so many neurons take, or a little more.

    ``real`` and ``integer`` are the bytes of a variable and of a sum. Tables of hazards and events
    are told as they are while they are made, the most.
    """
    given, everyone, block = drive.input, 64 * -(-size // 64), 64 * _extent(drive)[1]
    match given:
        case Sampled():
            cells = given.values.shape[0] if given.values.ndim == 1 else len(given.values) * block
            return integer * (cells + everyone)
        case Poisson() | PoissonRates() | CorrelatedPoisson():
            rates = np.asarray(given.rates if isinstance(given, PoissonRates) else given.rate)
            most = float(rates.max()) * dt / 1000
            if isinstance(given, CorrelatedPoisson):
                most /= given.correlation
            bins = len(rates) if isinstance(given, PoissonRates) else 1
            lanes = 64 if rates.ndim == isinstance(given, PoissonRates) else block
            return 4.0 * bins * lanes * (poisson_levels(most) + 1) + integer * everyone
        case Gamma() | PoissonDeadTime():
            rates = np.unique(given.rate)
            _, sizes = _hazard_sizes(given, 1000 / dt / rates[rates > 0], dt)
            return 32.0 * min(float(sizes.sum()), MOST_HAZARDS) + (integer + 44.0) * everyone
        case Spikes():
            return 120.0 * len(given.trains)
        case WhiteNoise():
            return real * everyone
    return 0.0


def _extent(drive: Stimulus) -> tuple[int, int]:
    """The first block of an input's neurons, and how many there are to the last."""
    first, last = drive.target.neurons[[0, -1]] // 64
    return int(first), int(last - first + 1)


def _by_step(drives: Iterable[Stimulus]) -> list[Stimulus]:
    """The inputs that may bring something in every step, each a row of the table."""
    return [d for d in drives if type(d.input) in KINDS]


def _flat(parts: list[np.ndarray], kind: type) -> np.ndarray:
    flat = np.concatenate([*(part.ravel() for part in parts), np.empty(0)])
    result = aligned(flat.size, kind)
    result[:] = flat
    return result


def _lanes(value: Any, drive: Stimulus, size: int) -> np.ndarray:
    """A value by block and lane, 0 for neurons without the drive; one block if all are equal."""
    if np.ndim(value) == 0 and drive.target.size == size:
        return np.full((1, 64), float(value))
    full = np.zeros(-(-size // 64) * 64)
    full[drive.target.neurons] = value
    return full.reshape(-1, 64)


def _driven_blocks(drive: Stimulus) -> np.ndarray:
    """Blocks in which an input has something to do."""
    neurons = drive.target.neurons
    if isinstance(drive.input, Poisson):
        neurons = neurons[np.broadcast_to(np.asarray(drive.input.rate) > 0, neurons.size)]
    return np.unique(neurons // 64)


def steps_of_bin(drive: Stimulus, dt: float) -> int:
    """How many steps a bin of a time-varying input lasts."""
    steps = round(drive.input.every / dt)
    if steps < 1 or abs(steps * dt - drive.input.every) > 1e-6 * drive.input.every:
        raise ValueError(
            f"input {drive.name!r}: every is {drive.input.every:g} ms; it must be a multiple of "
            f"dt = {dt:g} ms."
        )
    return steps


def poisson_levels(most: float) -> int:
    """How many spikes of a mean of ``most`` a 32-bit draw can tell apart."""
    levels = 1
    while special.pdtrc(levels - 1, most) > 2.0**-32:
        levels += 1
    return levels


def poisson_limits(mean: np.ndarray, levels: int, fine: bool = False) -> np.ndarray:
    """Limits on a 32-bit draw, above k of which means k spikes, of means [..., 1, lane].

    They have shape [..., level, lane]. The k-th limit is the cumulative distribution at k spikes,
    in units of 2^-32. If ``fine``, one more holds what of a second draw makes a draw on the first
    limit a spike, so that rare ones come at their rate: 0 where that would change it by 1e-4.
    """
    limits = np.ceil(special.pdtr(np.arange(levels)[:, None], mean) * 2.0**32) - 1
    limits = np.clip(limits, 0, 2**32 - 1)
    if not fine:
        return limits
    spikes = special.pdtrc(0, mean) * 2.0**32
    rest = (spikes - (2**32 - 1 - limits[..., :1, :])) * 2.0**32
    return np.concatenate([limits, np.where(mean < RARE, np.clip(rest, 0, 2**32 - 1), 0)], axis=-2)


# Asked for again whenever an input is changed; by population size and dt.
_tables: WeakKeyDictionary[Stimulus, dict[tuple[int, float], tuple]] = WeakKeyDictionary()


def hazard_tables(
    drive: Stimulus, size: int, dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    """Of a renewal input: limits on a 32-bit draw by age, a draw below which means a spike.

    There is one table per distinct rate, whose last entry stands for all later ages. Beside them
    the first entry of each lane's table, [block, lane], and its length less one; then how far
    behind a limit lies what makes a draw on it a spike (see `poisson_limits`), 0 if nothing does.
    """
    known = _tables.setdefault(drive, {})
    if (size, dt) not in known:
        known[size, dt] = _hazard_tables(drive, size, dt)
    return known[size, dt]


def _hazard_sizes(given: Renewal, means: np.ndarray, dt: float) -> tuple[int, np.ndarray]:
    """The shortest interval and the lengths of hazard tables of mean intervals, all in steps."""
    if isinstance(given, Gamma):
        return 1, gamma_ages(means / given.shape, given.shape)
    shortest = max(1, int(np.ceil(given.dead_time / dt - 1e-6)))
    return shortest, np.full(means.shape, shortest + 1.0)


def _hazard_tables(
    drive: Stimulus, size: int, dt: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray, int]:
    given = drive.input
    rates = np.broadcast_to(_lanes(given.rate, drive, size), (-(-size // 64), 64))
    distinct, which = np.unique(rates, return_inverse=True)
    positive = distinct[distinct > 0]
    means = 1000 / dt / positive  # steps
    shortest, sizes = _hazard_sizes(given, means, dt)
    if means.min(initial=np.inf) <= shortest:
        raise ValueError(
            f"input {drive.name!r}: rate runs up to {distinct[-1]:g} Hz; as intervals last at "
            f"least {shortest * dt:g} ms (in steps of dt), it must be below "
            f"{1000 / (shortest * dt):g} Hz."
        )
    if sizes.sum() > MOST_HAZARDS:
        raise ValueError(
            f"input {drive.name!r}: rate has {means.size} distinct values from {positive[0]:g} Hz, "
            f"whose hazards at dt = {dt:g} ms take {sizes.sum():.3g} numbers; they may take "
            f"{MOST_HAZARDS}: give fewer or higher rates."
        )
    tables = [np.zeros(1)] * int(distinct[0] == 0)
    if isinstance(given, Gamma):
        tables += [gamma_hazards(mean, given.shape) for mean in means]
    else:
        tables += [dead_time_hazards(mean, shortest) for mean in means]
    lengths = np.array([table.size for table in tables])
    first = (np.cumsum(lengths) - lengths)[which].reshape(rates.shape)
    last = (lengths - 1)[which].reshape(rates.shape)
    hazards = np.concatenate(tables) * 2.0**32
    limits, rare = np.rint(hazards), (hazards > 0) & (hazards < RARE * 2.0**32)
    fine = 0
    if isinstance(given, PoissonDeadTime) and rare.any():  # of gamma trains only while they wait
        limits[rare] = np.floor(hazards[rare])
        fine, rest = limits.size, np.where(rare, (hazards - limits) * 2.0**32, 0)
        limits = np.append(limits, rest)
    return np.minimum(limits, 2**32 - 1).astype(np.uint32), first, last, fine


def gamma_ages(scale: Any, shape: float) -> Any:
    """Ages (steps) that the gamma intervals of a train survive but with probability 2^-32."""
    return np.maximum(np.floor(special.gammainccinv(shape, 2.0**-32) * scale + 0.5), 1)


def gamma_hazards(mean: float, shape: float) -> np.ndarray:
    """Probabilities of a spike by age, for gamma intervals rounded to steps, 1 or more.

    Their scale is solved for, so that the mean is exact after rounding: it is the sum of all
    survival probabilities, here one by one as far as they may be steep, then as an integral.
    """
    smooth = mean / np.sqrt(shape) > 2  # steps of standard deviation
    last = HEAD if smooth else gamma_ages((mean + 1) / shape, shape)
    ages = np.arange(1, last)

    def excess(ratio: float) -> float:
        scale = ratio * mean / shape
        head = special.gammaincc(shape, (ages + 0.5) / scale).sum()
        x = last / scale
        rest = shape * special.gammaincc(shape + 1, x) - x * special.gammaincc(shape, x)
        return 1 + head + scale * rest - mean

    scale = optimize.brentq(excess, 1e-9, 1 + 1 / mean) * mean / shape
    ages = np.arange(1, gamma_ages(scale, shape) + 1)
    survival = np.append(1.0, special.gammaincc(shape, (ages + 0.5) / scale))
    return 1 - survival[1:] / survival[:-1]


def dead_time_hazards(mean: float, dead: int) -> np.ndarray:
    """Probabilities of a spike by age, for dead steps and exponential ones rounded to steps.

    ``exp(-rate / 2) / (1 - exp(-rate))`` is what the rounded exponential steps are on average.
    """
    rate = 2 * np.arcsinh(0.5 / (mean - dead))
    return np.append(np.zeros(dead - 1), -np.expm1([-rate / 2, -rate]))


def start_ages(
    build: "Build", arrays: dict[str, np.ndarray], drives: Iterable[Stimulus], *key: object
) -> None:
    """Give renewal trains ages as if they had run for ever; drawn under a key."""
    ages = arrays["ages"].reshape(-1, 3, 64)
    for row, drive in zip(arrays["inputs"], _by_step(drives), strict=True):
        if row["kind"] != RENEWAL:
            continue
        blocks = -(-build.network.populations[drive.target.population].size // 64)
        here = ages[row["ages"] :][:blocks]
        uniform = np.zeros(64 * blocks)
        uniform[drive.target.neurons] = generator(*key, drive.name).random(drive.target.size)
        age, first, last = (here[:, k].reshape(-1) for k in range(3))
        for table in np.unique(first):
            ours = first == table
            hazards = arrays["limits"][table : table + last[ours][0] + 1] / 2.0**32
            age[ours] = equilibrium_ages(hazards, uniform[ours])
        here[:, 0] = age.reshape(-1, 64)


def equilibrium_ages(hazards: np.ndarray, uniform: np.ndarray) -> np.ndarray:
    """Ages as frequent as a train is to survive them, the last one for all that follow."""
    if not hazards[-1]:
        return np.zeros(uniform.size, np.int32)
    frequency = np.cumprod(np.append(1.0, 1 - hazards[:-1]))
    frequency[-1] /= hazards[-1]
    cumulative = np.cumsum(frequency)
    return np.searchsorted(cumulative, uniform * cumulative[-1], side="right")


def _events(build: "Build", drives: list[Stimulus]) -> dict[str, np.ndarray]:
    """Given spikes by partition, then by step."""
    columns: list[list[np.ndarray]] = [[np.empty(0, np.int64)] for _ in range(4)]
    for drive in drives:
        population = build.network.populations[drive.target.population]
        p = list(build.network.populations).index(population.name)
        trains = drive.input.trains
        block, lane = np.divmod(drive.target.start + drive.target.step * trains.neurons, 64)
        partition = build.partition_of(p, block)
        span = build.wiring.spans[partition, p]
        receptor = list(population.model.receptors).index(drive.receptor)
        within = (block - span["first"]) * len(population.model.receptors) + receptor
        weight = np.broadcast_to(np.asarray(drive.input.weight, float), trains.size)
        unit = build.units[population.name, drive.receptor]
        columns[0].append(partition)
        columns[1].append(arrival_steps(trains.times, build.dt))
        columns[2].append(span["address"] + within * 64 + lane)
        columns[3].append(np.rint(weight[trains.neurons] / unit).astype(np.int64))
    partition, step, address, weight = map(np.concatenate, columns)
    order = np.lexsort((address, step, partition))
    return {
        "event_first": np.searchsorted(partition[order], np.arange(build.partitions + 1)),
        "event_step": step[order],
        "event_address": address[order],
        "event_weight": weight[order].astype(build.integer),
    }
