"""Inputs into the arrays that the run loop reads: random ones by block, given spikes as events."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from scipy import special

from spikesim.engine.bounds import arrival_steps
from spikesim.engine.build import Build
from spikesim.engine.keyed import derive_key
from spikesim.engine.tables import GAUSS, INPUT, POISSON
from spikesim.inputs import Poisson, Spikes, WhiteNoise
from spikesim.network import Drive


def drive_arrays(build: Build, drives: Iterable[Drive]) -> dict[str, np.ndarray]:
    """The fields of `Flow` that hold a state's inputs."""
    drives = list(drives)
    random = [d for d in drives if isinstance(d.input, Poisson | WhiteNoise)]
    table = np.zeros(len(random), INPUT)
    weights: list[np.ndarray] = []  # [block, lane], integers
    deviations: list[np.ndarray] = []  # [block, lane], reals
    limits: list[np.ndarray] = []  # [block, level, lane]
    for row, drive in zip(table, random, strict=True):
        population = build.network.populations[drive.target.population]
        row["population"] = list(build.network.populations).index(population.name)
        row["receptor"] = list(population.model.receptors).index(drive.receptor)
        row["stream"] = derive_key("input", drive.name) & 0xFFFFFFFF
        unit = build.units[population.name, drive.receptor]
        if isinstance(drive.input, Poisson):
            row["kind"] = POISSON
            limit = poisson_limits(
                _lanes(drive.input.rate, drive, population.size) * build.dt / 1000
            )
            row["levels"] = limit.shape[1]
            row["thresholds"] = sum(x.shape[0] * x.shape[1] for x in limits)
            row["threshold_stride"] = limit.shape[1] if len(limit) > 1 else 0
            limits.append(limit)
            part, parts = (
                np.rint(_lanes(drive.input.weight, drive, population.size) / unit),
                weights,
            )
        else:
            row["kind"] = GAUSS
            part, parts = _lanes(drive.input.sd, drive, population.size) / unit, deviations
        row["weights"] = sum(map(len, parts))
        row["weight_stride"] = 1 if len(part) > 1 else 0
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


def poisson_limits(mean: np.ndarray) -> np.ndarray:
    """Limits on a 32-bit draw: above k of them means k spikes; shape (blocks, levels, 64).

    The k-th limit is the cumulative distribution at k spikes, in units of 2^-32.
    """
    most = float(mean.max())
    levels = 1
    while special.pdtrc(levels - 1, most) > 2.0**-32:
        levels += 1
    k = np.arange(levels)[None, :, None]
    limits = np.ceil(special.pdtr(k, mean[:, None, :]) * 2.0**32) - 1
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
