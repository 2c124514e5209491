"""Rate networks of spiking cells as step-by-step networks."""

from __future__ import annotations

import numpy as np

from spikesim.conversion.steps.maps import StepMap
from spikesim.conversion.steps.network import StepNetwork
from spikesim.conversion.steps.neuron import StepFilter, StepNeuron
from spikesim.rate.cells.membrane import MembraneCell, adaptation, membrane, refractory_steps
from spikesim.rate.cells.snu import SNU
from spikesim.rate.network import RateNetwork

INPUT, OUTPUT = "in", "out"


def step_network(network: RateNetwork) -> StepNetwork:
    """A network of spiking cells, to be run on the engine with the same spikes.

    Layers are called "0", "1", ... as the network's cells are in the names of its parameters, the
    input "in" and the readout "out", which is a `StepFilter`: what `RateNetwork.forward` returns.

    Parameters
    ----------
    network : RateNetwork
        Of `SNU` with ``soft=False``, `LIFCell` and `ALIFCell`.

    Returns
    -------
    StepNetwork
        Its weights are the parameters as they are now. Its spikes are those of ``forward`` in
        double precision, ``dtype="float64"``; in single precision rounding decides more often.

    Raises
    ------
    ValueError
        If a cell does not spike, or a parameter is not finite.
    """
    layers: dict[str, StepNeuron | StepFilter] = {}
    maps: list[StepMap] = []
    source = INPUT
    for i, cell in enumerate(network.cells):
        name = str(i)
        _check_spikes(i, cell)
        p = {k: _finite(network, f"{i}.{k}") for k in ("w_in", "w_rec", "b")}
        if isinstance(cell, SNU):
            layers[name], gain, bias = _snu(cell, p["b"], network.dt)
        else:
            layers[name], gain, bias = _membrane(cell, p["b"], network.dt)
        maps.append(StepMap(source, name, gain * p["w_in"], bias=bias))
        maps.append(StepMap(name, name, p["w_rec"], delay=1))
        source = name
    keep = 0.0 if network.readout_tau is None else np.exp(-network.dt / network.readout_tau)
    layers[OUTPUT] = StepFilter(network.outputs, keep=keep, gain=1 - keep)
    bias = _finite(network, "out.b")
    maps.append(StepMap(source, OUTPUT, _finite(network, "out.w"), bias=bias))
    return StepNetwork({INPUT: network.inputs}, layers, maps, network.dt)


def _check_spikes(i: int, cell: object) -> None:
    kind = type(cell).__name__
    if isinstance(cell, SNU) and cell.soft:
        raise ValueError(
            f"cell {i} is a soft SNU, whose outputs are graded: it has no spikes to run; train one "
            "with soft=False."
        )
    if not isinstance(cell, SNU | MembraneCell):
        raise ValueError(
            f"cell {i} is of kind {kind}, which does not spike; cells that do, and run step by "
            "step, are SNU, LIFCell and ALIFCell."
        )


def _finite(network: RateNetwork, name: str) -> np.ndarray:
    values = network.parameters[name].astype(float)
    if not np.isfinite(values).all():
        raise ValueError(f"the parameter {name!r} holds {values[~np.isfinite(values)][0]}.")
    return values


def _snu(cell: SNU, b: np.ndarray, dt: float) -> tuple[StepNeuron, float, float]:
    layer = StepNeuron(
        cell.units,
        keep=1 - dt / cell.tau,
        threshold=-b,
        reset="value",
        least=0.0 if cell.rectify else None,
    )
    return layer, 1.0, 0.0


def _membrane(cell: MembraneCell, b: np.ndarray, dt: float) -> tuple[StepNeuron, float, np.ndarray]:
    keep, gain = membrane(cell, dt)
    adapts = adaptation(cell, dt)
    layer = StepNeuron(
        cell.units,
        keep=keep,
        reset_late=True,
        refractory=refractory_steps(cell, dt),
        adaptation_keep=adapts and adapts[0],
        adaptation_step=adapts[1] if adapts else 0.0,
    )
    return layer, gain, (1 - keep) * b
