"""Inputs into the arrays that the run loop reads: random ones by block, given spikes as events."""

from collections.abc import Iterable
from functools import lru_cache
from typing import Any

import numpy as np
from scipy import optimize, special

from spikesim.distributions import Normal, levels
from spikesim.engine.arrivals import GAUSS_LEVELS, address
from spikesim.engine.bounds import arrival_steps
from spikesim.engine.build import Build
from spikesim.engine.keyed import derive_key, generator
from spikesim.engine.tables import CORRELATED, GAUSS, INPUT, POISSON, RENEWAL, SAMPLED, aligned
from spikesim.inputs import (
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
from spikesim.network import Drive

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
HEAD = 256  # steps of a smooth distribution that are summed one by one


def drive_arrays(build: Build, drives: Iterable[Drive]) -> dict[str, np.ndarray]:
    """The fields of `Flow` that hold a state's inputs; the ages of renewal trains are 0."""
    drives = list(drives)
    by_step = _by_step(drives)
    table = np.zeros(len(by_step), INPUT)
    weights: list[np.ndarray] = []  # [bin, block, lane], integers
    reals = [levels(Normal(0.0, 1.0), GAUSS_LEVELS) / np.sqrt(2)]  # and SDs [block, lane]
    limits: list[np.ndarray] = []  # [bin, block, level, lane]
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
        row["thresholds"] = sum(x.size // 64 for x in limits)
        if isinstance(given, Poisson | PoissonRates):
            rates = [given.rate] if isinstance(given, Poisson) else given.rates
            means = np.stack([_lanes(rate, drive, size) for rate in rates]) * build.dt / 1000
            limits.append(poisson_limits(means))
            row["bins"], blocks, row["levels"] = limits[-1].shape[:3]
            row["threshold_bin"] = blocks * row["levels"]
            row["threshold_stride"] = row["levels"] if blocks > 1 else 0
        elif isinstance(given, Renewal):
            hazard, first, last = hazard_tables(drive, size, build.dt)
            row["ages"] = sum(map(len, ages))
            first = first + sum(x.size for x in hazards)
            ages.append(np.stack([np.zeros_like(first), first, last], axis=1))
            hazards.append(hazard)
        elif isinstance(given, CorrelatedPoisson):
            mother = given.rate / given.correlation * build.dt / 1000
            limits.append(poisson_limits(np.full((1, 1, 64), mother)))
            row["levels"] = limits[-1].shape[2]
            row["copies"] = np.ceil(given.correlation * 2.0**32) - 1

        unit, parts = build.units[population.name, drive.receptor], weights
        if isinstance(given, Sampled):
            part = np.rint(np.stack([_lanes(value, drive, size) for value in given.values]) / unit)
            row["bins"], row["weight_bin"] = part.shape[:2]
        elif isinstance(given, WhiteNoise):
            part, parts = _lanes(given.sd, drive, size) / unit, reals
        else:
            part = np.rint(_lanes(given.weight, drive, size) / unit)
        row["weights"] = sum(x.size // 64 for x in parts)
        row["weight_stride"] = 1 if part.shape[-2] > 1 else 0
        parts.append(part)

        blocks = _driven_blocks(drive)
        driven_first[n] = sum(map(len, driven))
        last = build.wiring.spans[:, row["population"]]["last"]
        driven_first[n, 1:] += np.searchsorted(blocks, last)
        driven.append(blocks)
    for age in ages:
        age[:, 1] += sum(x.size for x in limits)  # hazards lie behind all limits
    drivers = [address(kind, build.precision, build.sums.wide) for kind in table["kind"]]
    return {
        "inputs": table,
        "drivers": np.array(drivers, np.int64),
        "driven": _flat(driven, np.int64),
        "driven_first": driven_first,
        "weights": _flat(weights, build.integer),
        "reals": _flat(reals, build.real),
        "limits": _flat([*limits, *hazards], np.uint32),
        "ages": _flat(ages, np.int32),
        **_events(build, [d for d in drives if isinstance(d.input, Spikes)]),
    }


def _by_step(drives: Iterable[Drive]) -> list[Drive]:
    """The inputs that may bring something in every step, each a row of the table."""
    return [d for d in drives if type(d.input) in KINDS]


def _flat(parts: list[np.ndarray], kind: type) -> np.ndarray:
    flat = np.concatenate([*(part.ravel() for part in parts), np.empty(0)])
    result = aligned(flat.size, kind)
    result[:] = flat
    return result


def _lanes(value: Any, drive: Drive, size: int) -> np.ndarray:
    """A value by block and lane, 0 for neurons without the drive; one block if all are equal."""
    if np.ndim(value) == 0 and drive.target.size == size:
        return np.full((1, 64), float(value))
    full = np.zeros(-(-size // 64) * 64)
    full[drive.target.neurons] = value
    return full.reshape(-1, 64)


def _driven_blocks(drive: Drive) -> np.ndarray:
    """Blocks in which an input has something to do."""
    neurons = drive.target.neurons
    if isinstance(drive.input, Poisson):
        neurons = neurons[np.broadcast_to(np.asarray(drive.input.rate) > 0, neurons.size)]
    return np.unique(neurons // 64)


def steps_of_bin(drive: Drive, dt: float) -> int:
    """How many steps a bin of a time-varying input lasts."""
    steps = round(drive.input.every / dt)
    if steps < 1 or abs(steps * dt - drive.input.every) > 1e-6 * drive.input.every:
        raise ValueError(
            f"input {drive.name!r}: every is {drive.input.every:g} ms; it must be a multiple of "
            f"dt = {dt:g} ms."
        )
    return steps


def poisson_limits(mean: np.ndarray) -> np.ndarray:
    """Limits on a 32-bit draw: above k of them means k spikes; shape (bins, blocks, levels, 64).

    The k-th limit is the cumulative distribution at k spikes, in units of 2^-32.
    """
    most = float(mean.max())
    levels = 1
    while special.pdtrc(levels - 1, most) > 2.0**-32:
        levels += 1
    k = np.arange(levels)[:, None]
    limits = np.ceil(special.pdtr(k, mean[:, :, None, :]) * 2.0**32) - 1
    return np.clip(limits, 0, 2**32 - 1).astype(np.uint32)


@lru_cache(maxsize=64)  # asked again whenever an input is changed
def hazard_tables(drive: Drive, size: int, dt: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Of a renewal input: limits on a 32-bit draw by age, a draw below which means a spike.

    There is one table per distinct rate, whose last entry stands for all later ages. Beside them
    the first entry of each lane's table, [block, lane], and its length less one.
    """
    given = drive.input
    rates = np.broadcast_to(_lanes(given.rate, drive, size), (-(-size // 64), 64))
    distinct, which = np.unique(rates, return_inverse=True)
    positive = distinct[distinct > 0]
    means = 1000 / dt / positive  # steps
    shortest = 1
    if isinstance(given, Gamma):
        sizes = gamma_ages(means / given.shape, given.shape)
    else:
        shortest = max(1, int(np.ceil(given.dead_time / dt - 1e-6)))
        sizes = np.full(means.shape, shortest + 1.0)
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
    limits = np.rint(np.concatenate(tables) * 2.0**32)
    return np.minimum(limits, 2**32 - 1).astype(np.uint32), first, last


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
    build: Build, arrays: dict[str, np.ndarray], drives: Iterable[Drive], *key: object
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


def _events(build: Build, drives: list[Drive]) -> dict[str, np.ndarray]:
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
