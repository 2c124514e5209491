"""Whether each part of a rate network converts, and by what."""

from __future__ import annotations

from typing import NamedTuple

from spikesim.conversion.leaky.rates import GATED, SPIKING, STEPWISE, rate_units
from spikesim.rate.network import RateNetwork


class Part(NamedTuple):
    """A part of a network: its name, whether it converts, and by what or why not."""

    name: str
    converts: bool
    told: str


def parts_of(network: RateNetwork) -> list[Part]:
    """What becomes of each cell and of the readout."""
    parts = []
    for number, cell in enumerate(network.cells):
        kind = type(cell).__name__
        parts.append(Part(f"cell {number} ({kind})", *_of_cell(network, kind)))
    fitted = "fitted anew to filtered spikes, with its bias"
    whole = all(part.converts for part in parts)
    parts.append(Part("readout", whole, fitted if whole else "as what it reads does not"))
    return parts


def _of_cell(network: RateNetwork, kind: str) -> tuple[bool, str]:
    if kind in SPIKING:
        return False, "it spikes already; see step_network in Python"
    if kind in STEPWISE:
        return False, "it has no time constant; see convert_layers in Python"
    if kind in GATED:
        return False, "its gates multiply rates, which synapses do not; train leaky units instead"
    try:
        rate_units(network)
    except ValueError as error:
        return False, str(error)
    return True, "each unit becomes neurons that share what it does"
