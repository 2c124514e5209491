"""Inputs into the arrays that the run loop reads: random ones by block, given spikes as events."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import special

from spikesim.engine.bounds import arrival_steps
from spikesim.engine.build import Build
from spikesim.engine.keyed import derive_key
from spikesim.engine.tables import GAUSS, INPUT, POISSON, SAMPLED
from spikesim.inputs import Poisson, PoissonRates, Sampled, Spikes, WhiteNoise
from spikesim.network import Drive


def drive_arrays(build: Build, drives: Iterable[Drive]) -> dict[str, np.ndarray]:
    """The fields of `Flow` that hold a state's inputs."""
    drives = list(drives)
    kinds = Poisson | PoissonRates | Sampled | WhiteNoise
    by_step = [d for d in drives if isinstance(d.input, kinds)]
    table = np.zeros(len(by_step), INPUT)
    weights: list[np.ndarray] = []  # [bin, block, lane], integers
    deviations: list[np.ndarray] = []  # [block, lane], reals
    limits: list[np.ndarray] = []  # [bin, block, level, lane]
    for row, drive in zip(table, by_step, strict=True):
        population = build.network.populations[drive.target.population]
        given, size = drive.input, population.size
        row["population"] = list(build.network.populations).index(population.name)
        row["receptor"] = list(population.model.receptors).index(drive.receptor)
        row["stream"] = derive_key("input", drive.name) & 0xFFFFFFFF
        row["bins"], row["bin_steps"] = 1, 1
        if isinstance(given, PoissonRates | Sampled):
            row["bin_steps"] = steps_of_bin(drive, build.dt)
            row["repeats"] = given.repeat
        unit = build.units[population.name, drive.receptor]
        if isinstance(given, Poisson | PoissonRates):
            row["kind"] = POISSON
            rates = [given.rate] if isinstance(given, Poisson) else given.rates
            means = np.stack([_lanes(rate, drive, size) for rate in rates]) * build.dt / 1000
            limit = poisson_limits(means)
            row["bins"], blocks, row["levels"] = limit.shape[:3]
            row["thresholds"] = sum(x.size // 64 for x in limits)
            row["threshold_bin"] = blocks * row["levels"]
            row["threshold_stride"] = row["levels"] if blocks > 1 else 0
            limits.append(limit)
            part, parts = np.rint(_lanes(given.weight, drive, size) / unit), weights
        elif isinstance(given, Sampled):
            row["kind"] = SAMPLED
            part = np.stack([_lanes(value, drive, size) for value in given.values])
            row["bins"], row["weight_bin"] = part.shape[:2]
            part, parts = np.rint(part / unit), weights
        else:
            row["kind"] = GAUSS
            part, parts = _lanes(given.sd, drive, size) / unit, deviations
        row["weights"] = sum(x.size // 64 for x in parts)
        row["weight_stride"] = 1 if part.shape[-2] > 1 else 0
        parts.append(part)
    return {
        "inputs": table,
        "weights": _flat(weights, build.integer),
        "deviations": _flat(deviations, build.real),
        "thresholds": _flat(limits, np.uint32),
        **_events(build, [d for d in drives if isinstance(d.input, Spikes)]),
    }


def _flat(parts: list[np.ndarray], kind: type) -> np.ndarray:
    return np.concatenate([*(part.ravel() for part in parts), np.empty(0)]).astype(kind)


def _lanes(value: Any, drive: Drive, size: int) -> np.ndarray:
    """A value by block and lane, 0 for neurons without the drive; one block if all are equal."""
    if np.ndim(value) == 0 and drive.target.size == size:
        return np.full((1, 64), float(value))
    full = np.zeros(-(-size // 64) * 64)
    full[drive.target.neurons] = value
    return full.reshape(-1, 64)


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
