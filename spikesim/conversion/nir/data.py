"""Spikes of every node of a NIR graph, in the form in which programs exchange and compare them."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any

import h5py
import numpy as np

from spikesim.checks import check_number
from spikesim.conversion.nir.write import package
from spikesim.conversion.steps.run import StepRun

SPIKES, VALUES = "spikes", "v"  # observables of nodes that spike, and of those that do not


def to_nir_data(run: StepRun) -> Any:
    """What layers gave as a ``nir.NIRGraphData``.

    Of each layer that spikes the observable "spikes", of each filter "v", on the grid of the run's
    steps: (trials, steps, size), dt in s. Spikes are true or false; where a neuron had several in a
    step, their number.

    Raises
    ------
    ImportError
        Without ``nir``.
    """
    nir = package()

    def gridded(values: np.ndarray) -> Any:
        return nir.TimeGriddedData(
            np.ascontiguousarray(np.swapaxes(values, 0, 1)), float(run.dt / 1000)
        )

    nodes = {}
    for name, spikes in run.spikes.items():
        single = spikes.max(initial=0) <= 1
        grid = gridded(spikes.astype(bool) if single else spikes)
        nodes[name] = nir.NIRNodeData(observables={SPIKES: grid})
    for name, values in run.outputs.items():
        nodes[name] = nir.NIRNodeData(observables={VALUES: gridded(values)})
    return nir.NIRGraphData(nodes=nodes)


def write_nir_data(run: StepRun, path: str | os.PathLike, *, overwrite: bool = False) -> None:
    """Write what layers gave into a file of ``nir.NIRGraphData``: see `to_nir_data`.

    Raises
    ------
    FileExistsError
        If the file exists and ``overwrite`` is false.
    """
    if os.path.exists(path) and not overwrite:
        raise FileExistsError(f"{os.fspath(path)} exists; give overwrite=True to replace it.")
    data = to_nir_data(run)
    package().write_data(os.fspath(path), data)


def read_nir_data(source: str | os.PathLike | Any, *, dt: float | None = None) -> StepRun:
    """Spikes of a ``nir.NIRGraphData``, to be held against a run by `compare_spikes`.

    Parameters
    ----------
    source : path or nir.NIRGraphData
    dt : float, optional
        Step, s, of events, which are given by time; a grid of another step is refused.

    Returns
    -------
    StepRun
        By node, those within "a" under "a.name": of the observable "spikes" the spikes, of "v" the
        outputs; others are left out.

    Raises
    ------
    ImportError
        Without ``nir``.
    ValueError
        A file of another kind, steps that differ, or events without ``dt``, out of range, or not
        finite.
    """
    nir = package()
    if dt is not None:
        check_number("dt", dt, above=0, unit="s")
    data = source
    if isinstance(source, str | os.PathLike):
        _check_file(source)
        data = nir.read_data(os.fspath(source))
    if not isinstance(data, nir.NIRGraphData):
        raise TypeError(f"source is {source!r}; it must be a path or a nir.NIRGraphData.")
    spikes: dict[str, np.ndarray] = {}
    outputs: dict[str, np.ndarray] = {}
    steps = {} if dt is None else {"dt": dt}
    for name, observables in _nodes(nir, data, "").items():
        for kind, kept in ((SPIKES, spikes), (VALUES, outputs)):
            if kind in observables:
                kept[name] = _gridded(nir, f"node {name!r}", observables[kind], steps)
    if "dt" not in steps:
        raise ValueError("NIRGraphData has neither spikes nor v of a node; it must have some.")
    for name, values in spikes.items():
        if np.any(values != np.rint(values)) or np.any(values < 0):
            raise ValueError(f"node {name!r}: spikes hold {values.min():g}; they must be numbers.")
        spikes[name] = values.astype(np.int16)
    return StepRun(spikes, outputs, {}, 1000 * steps["dt"])


def _check_file(path: str | os.PathLike) -> None:
    if not os.path.exists(path):
        raise FileNotFoundError(f"{os.fspath(path)} does not exist.")
    kind = None
    if h5py.is_hdf5(path):
        with h5py.File(path, "r") as file:
            kind = file.attrs.get("__type__")
    if kind != "NIRGraphData":
        raise ValueError(f"{os.fspath(path)} is no file of NIRGraphData; it must be one.")


def _nodes(nir: Any, data: Any, within: str) -> dict[str, Mapping[str, Any]]:
    found: dict[str, Mapping[str, Any]] = {}
    for name, node in data.nodes.items():
        full = f"{within}.{name}" if within else name
        if isinstance(node, nir.NIRGraphData):
            found |= _nodes(nir, node, full)
        else:
            found[full] = node.observables
    return found


def _gridded(nir: Any, told: str, observed: Any, steps: dict[str, float]) -> np.ndarray:
    """An observable as (steps, trials, size); notes the step that all must have."""
    if isinstance(observed, nir.TimeGriddedData):
        if abs(steps.setdefault("dt", observed.dt) - observed.dt) > 1e-9 * observed.dt:
            raise ValueError(
                f"{told} has dt = {observed.dt:g} s, another {steps['dt']:g} s; it must be one."
            )
        return np.swapaxes(np.asarray(observed.data, float), 0, 1)
    if "dt" not in steps:
        raise ValueError(f"{told} holds events, by time; give dt (s), their step.")
    valid = observed.idx >= 0
    neuron, time = observed.idx[valid].astype(np.int64), observed.time[valid]
    trial = np.nonzero(valid)[0]
    # The time of a step divided by dt may come to lie a little below its number.
    count = round(observed.t_max / steps["dt"])
    step = np.floor(time / steps["dt"] + 1e-6)
    fits = np.isfinite(time) & (step >= 0) & (step < count) & (neuron < observed.n_neurons)
    if not fits.all():
        k = int(np.flatnonzero(~fits)[0])
        raise ValueError(
            f"{told}: an event of neuron {neuron[k]} is at {time[k]:g} s; it must be one of "
            f"{observed.n_neurons} neurons, from 0 to {observed.t_max:g} s."
        )
    grid = np.zeros((count, observed.n_samples, observed.n_neurons))
    values = observed.value[valid] if hasattr(observed, "value") else 1.0
    np.add.at(grid, (step.astype(np.int64), trial, neuron), values)
    return grid
