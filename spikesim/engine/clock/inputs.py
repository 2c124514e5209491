"""Inputs into the arrays that the run loop reads: random ones by block, given spikes as events."""

from collections.abc import Callable, Iterable
from typing import Any

import numpy as np
from scipy import special

from spikesim.description.distributions import Normal, levels
from spikesim.description.inputs import (
    CorrelatedPoisson,
    Current,
    Gamma,
    Poisson,
    PoissonDeadTime,
    PoissonRates,
    Renewal,
    Sampled,
    Spikes,
    Stimulus,
    WhiteNoise,
)
from spikesim.description.network import Network
from spikesim.engine.clock.arrays import Given, Inputs
from spikesim.engine.clock.input_kernels import GAUSS_LEVELS, address
from spikesim.engine.clock.layout import Layout
from spikesim.engine.clock.renewal import (
    MOST_HAZARDS,
    RARE,
    equilibrium_ages,
    hazard_sizes,
    hazard_tables,
)
from spikesim.engine.clock.steps import arrival_steps, steps_of_bin
from spikesim.engine.clock.tables import (
    CORRELATED,
    GAUSS,
    INPUT,
    POISSON,
    RENEWAL,
    SAMPLED,
    aligned,
)
from spikesim.random import derive_key, generator

KINDS = {
    Poisson: POISSON,
    PoissonRates: POISSON,
    WhiteNoise: GAUSS,
    Sampled: SAMPLED,
    Gamma: RENEWAL,
    PoissonDeadTime: RENEWAL,
    CorrelatedPoisson: CORRELATED,
    Spikes: None,  # see `_given`
    Current: None,  # a part of the model's parameters: see `State`
}
PIECE = 64  # blocks whose limits are found together


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


def input_arrays(
    layout: Layout, network: Network, stimuli: Iterable[Stimulus]
) -> tuple[Inputs, Given]:
    """A state's inputs and given spikes; the ages of renewal trains are 0."""
    stimuli = list(stimuli)
    by_step = _by_step(stimuli)
    table = np.zeros(len(by_step), INPUT)
    weights = _Lines()  # [bin, block, lane], integers
    reals = _Lines()  # quantiles of a normal variable and SDs [block, lane]
    reals.add_array(levels(Normal(0.0, 1.0), GAUSS_LEVELS) / np.sqrt(2))
    limits = _Lines()  # [bin, block, level, lane]
    hazards: list[np.ndarray] = []  # one table after the other
    ages: list[np.ndarray] = []  # [block, (age, first hazard, last), lane]
    driven: list[np.ndarray] = []  # blocks
    driven_first = np.zeros((len(by_step), layout.partitions + 1), np.int64)
    for n, (row, stimulus) in enumerate(zip(table, by_step, strict=True)):
        population = network.populations[stimulus.target.population]
        given, size = stimulus.input, population.size
        row["kind"] = KINDS[type(given)]
        row["population"] = layout.names.index(population.name)
        row["receptor"] = list(population.model.receptors).index(stimulus.receptor)
        row["stream"] = derive_key("input", stimulus.name) & 0xFFFFFFFF
        row["bins"], row["bin_steps"] = 1, 1
        if isinstance(given, PoissonRates | Sampled):
            row["bin_steps"] = steps_of_bin(stimulus, layout.dt)
            row["repeats"] = given.repeat
        if isinstance(given, Poisson | PoissonRates):
            rates = np.asarray(given.rate)[None] if isinstance(given, Poisson) else given.rates
            _add_limits(row, limits, rates, stimulus, layout.dt)
        elif isinstance(given, Renewal):
            rates = np.broadcast_to(_lanes(given.rate, stimulus, size), (-(-size // 64), 64))
            hazard, first, last, row["fine"] = hazard_tables(stimulus, rates, layout.dt)
            row["ages"] = sum(map(len, ages))
            first = first + sum(x.size for x in hazards)
            ages.append(np.stack([np.zeros_like(first), first, last], axis=1))
            hazards.append(hazard)
        elif isinstance(given, CorrelatedPoisson):
            _add_limits(
                row, limits, np.array([given.rate / given.correlation]), stimulus, layout.dt
            )
            row["copies"] = np.ceil(given.correlation * 2.0**32) - 1

        unit = layout.units[population.name, stimulus.receptor]
        if isinstance(given, Sampled):
            _add_samples(row, weights, stimulus, size, unit)
        elif isinstance(given, WhiteNoise):
            _add_lanes(row, reals, _lanes(given.sd, stimulus, size) / unit, stimulus)
        else:
            _add_lanes(row, weights, np.rint(_lanes(given.weight, stimulus, size) / unit), stimulus)

        blocks = _driven_blocks(stimulus)
        driven_first[n] = sum(map(len, driven))
        last = layout.spans[:, row["population"]]["last"]
        driven_first[n, 1:] += np.searchsorted(blocks, last)
        driven.append(blocks)
    for age in ages:
        age[:, 1] += 64 * limits.blocks  # hazards lie behind all limits
    kernels = [address(kind, layout.precision, layout.wide_sums) for kind in table["kind"]]
    all_limits = limits.joined(np.uint32, sum(x.size for x in hazards))
    if hazards:
        np.concatenate(hazards, out=all_limits[64 * limits.blocks :])
    inputs = Inputs(
        table=table,
        kernels=np.array(kernels, np.int64),
        blocks=_flat(driven, np.int64),
        block_first=driven_first,
        weights=weights.joined(layout.integer),
        reals=reals.joined(layout.real),
        limits=all_limits,
        ages=_flat(ages, np.int32),
    )
    return inputs, _given(layout, network, [d for d in stimuli if isinstance(d.input, Spikes)])


def _add_lanes(row: np.void, lines: _Lines, lanes: np.ndarray, stimulus: Stimulus) -> None:
    """Weights or deviations [block, lane] that do not change."""
    row["weights"] = lines.add_array(lanes)
    if len(lanes) > 1:
        row["weight_stride"] = 1


def _add_samples(row: np.void, weights: _Lines, stimulus: Stimulus, size: int, unit: float) -> None:
    """Values in units: one for each bin, and 1 for those that get them, or [bin, block, lane]."""
    values = stimulus.input.values
    row["bins"] = len(values)
    if values.ndim == 1:
        padded = np.zeros(-(-len(values) // 64) * 64)
        padded[: len(values)] = np.rint(values / unit)
        row["levels"], row["thresholds"] = 1, weights.add_array(padded)
        _add_lanes(row, weights, _lanes(1.0, stimulus, size), stimulus)
        return
    first, blocks = _extent(stimulus)
    places = stimulus.target.neurons - 64 * first

    def write(room: np.ndarray) -> None:
        for cells, given in zip(room.reshape(len(values), -1), values, strict=True):
            cells[places] = np.rint(given / unit)

    row["weight_bin"], row["weight_stride"] = blocks, 1
    row["weights"] = weights.add(len(values) * blocks, write) - first


def _add_limits(
    row: np.void, limits: _Lines, rates: np.ndarray, stimulus: Stimulus, dt: float
) -> None:
    """Limits on the draws of Poisson trains [bin, block, level, lane]; one block if all are alike.

    Neurons beside the input's have a weight of 0.
    """
    bins, differ = len(rates), rates.ndim == 2
    levels = poisson_levels(float(rates.max()) * dt / 1000)
    fine = bool(np.any((rates > 0) & (rates < RARE * 1000 / dt)))
    lines = levels + fine
    first, blocks = _extent(stimulus) if differ else (0, 1)
    places, lanes = stimulus.target.neurons - 64 * first, np.zeros(64 * blocks)

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


def input_bytes(stimulus: Stimulus, size: int, dt: float, real: int, integer: int) -> float:
    """What the arrays of an input in a population of so many neurons take, or a little more.

    ``real`` and ``integer`` are the bytes of a variable and of a sum. Tables of hazards and events
    are told as they are while they are made, the most.
    """
    given, everyone, block = stimulus.input, 64 * -(-size // 64), 64 * _extent(stimulus)[1]
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
            _, sizes = hazard_sizes(given, 1000 / dt / rates[rates > 0], dt)
            return 32.0 * min(float(sizes.sum()), MOST_HAZARDS) + (integer + 44.0) * everyone
        case Spikes():
            return 120.0 * len(given.trains)
        case WhiteNoise():
            return real * everyone
        case Current():
            return 0.0
    raise AssertionError(given)


def _extent(stimulus: Stimulus) -> tuple[int, int]:
    """The first block of an input's neurons, and how many there are to the last."""
    first, last = stimulus.target.neurons[[0, -1]] // 64
    return int(first), int(last - first + 1)


def _by_step(stimuli: Iterable[Stimulus]) -> list[Stimulus]:
    """The inputs that may bring something in every step, each a row of the table."""
    return [d for d in stimuli if KINDS[type(d.input)] is not None]


def _flat(parts: list[np.ndarray], kind: type) -> np.ndarray:
    flat = np.concatenate([*(part.ravel() for part in parts), np.empty(0)])
    result = aligned(flat.size, kind)
    result[:] = flat
    return result


def _lanes(value: Any, stimulus: Stimulus, size: int) -> np.ndarray:
    """A value by block and lane, 0 for neurons without the stimulus; one block if all are equal."""
    if np.ndim(value) == 0 and stimulus.target.size == size:
        return np.full((1, 64), float(value))
    full = np.zeros(-(-size // 64) * 64)
    full[stimulus.target.neurons] = value
    return full.reshape(-1, 64)


def _driven_blocks(stimulus: Stimulus) -> np.ndarray:
    """Blocks in which an input has something to do."""
    neurons = stimulus.target.neurons
    if isinstance(stimulus.input, Poisson):
        neurons = neurons[np.broadcast_to(np.asarray(stimulus.input.rate) > 0, neurons.size)]
    return np.unique(neurons // 64)


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


def start_ages(network: Network, inputs: Inputs, stimuli: Iterable[Stimulus], *key: object) -> None:
    """Give renewal trains ages as if they had run for ever; drawn under a key."""
    ages = inputs.ages.reshape(-1, 3, 64)
    for row, stimulus in zip(inputs.table, _by_step(stimuli), strict=True):
        if row["kind"] != RENEWAL:
            continue
        blocks = -(-network.populations[stimulus.target.population].size // 64)
        here = ages[row["ages"] :][:blocks]
        uniform = np.zeros(64 * blocks)
        uniform[stimulus.target.neurons] = generator(*key, stimulus.name).random(
            stimulus.target.size
        )
        age, first, last = (here[:, k].reshape(-1) for k in range(3))
        for table in np.unique(first):
            ours = first == table
            hazards = inputs.limits[table : table + last[ours][0] + 1] / 2.0**32
            age[ours] = equilibrium_ages(hazards, uniform[ours])
        here[:, 0] = age.reshape(-1, 64)


def _given(layout: Layout, network: Network, stimuli: list[Stimulus]) -> Given:
    """Given spikes by partition, then by step."""
    columns: list[list[np.ndarray]] = [[np.empty(0, np.int64)] for _ in range(4)]
    for stimulus in stimuli:
        population = network.populations[stimulus.target.population]
        p = layout.names.index(population.name)
        trains = stimulus.input.trains
        block, lane = np.divmod(stimulus.target.start + stimulus.target.step * trains.neurons, 64)
        partition = layout.partition_of(p, block)
        span = layout.spans[partition, p]
        receptor = list(population.model.receptors).index(stimulus.receptor)
        within = (block - span["first"]) * len(population.model.receptors) + receptor
        weight = np.broadcast_to(np.asarray(stimulus.input.weight, float), trains.size)
        unit = layout.units[population.name, stimulus.receptor]
        columns[0].append(partition)
        columns[1].append(arrival_steps(trains.times, layout.dt))
        columns[2].append(span["address"] + within * 64 + lane)
        columns[3].append(np.rint(weight[trains.neurons] / unit).astype(np.int64))
    partition, step, address, weight = map(np.concatenate, columns)
    order = np.lexsort((address, step, partition))
    return Given(
        first=np.searchsorted(partition[order], np.arange(layout.partitions + 1)),
        step=step[order],
        address=address[order],
        weight=weight[order].astype(layout.integer),
    )
