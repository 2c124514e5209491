"""A network in words: a table of what was described, cut where it is long, and as HTML.

In this file ``network`` is a `Network`, which is above it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

from spikesim import display

MOST_LINES = 40  # of a network that is printed


def lines(network: Any, tell: Callable[[Any], str]) -> list[str]:
    """Everything, a line each, every number with its unit; ``tell`` puts a value in words."""
    told = [f"{network.name}, seed {network.seed}"]
    for p in network.populations.values():
        units = p.model.dynamics.units
        values = {**p.model.dynamics.defaults, **p.model.all_values}
        told.append(f"population {p.name}: {p.size} neurons, {p.model.name}")
        told += [f"    {k} = {tell(v)} {units[k]}" for k, v in values.items()]
        for k, v in p.init.items():
            unit = "" if isinstance(v, str) else f" {units[k]}"
            told.append(f"    {k} starts at {tell(v)}{unit}")
    for c in network.projections.values():
        told.append(
            f"projection {c.name}: {tell(c.rule)}, weight {tell(c.weight)} {_unit(network, c)}, "
            f"delay {tell(c.delay)} ms, receptor {c.receptor}"
        )
    for d in network.inputs.values():
        receptor = d.receptor and f", receptor {d.receptor}"
        values = _values(network, d, tell)
        told.append(f"input {d.name}: {type(d.input).__name__}, {values}{receptor}")
    return told


def counts(network: Any) -> str:
    """How much there is of everything."""
    found = {
        "population": len(network.populations),
        "neuron": sum(p.size for p in network.populations.values()),
        "projection": len(network.projections),
        "input": len(network.inputs),
    }
    return ", ".join(display.number(count, noun) for noun, count in found.items())


def cut(network: Any) -> str:
    """All lines, or the first without what populations are made of."""
    told = lines(network, display.short)
    if len(told) > MOST_LINES:
        told = [line for line in lines(network, display.brief) if not line.startswith(" ")]
        told = display.some(told, MOST_LINES, "lines; summary() has all, with parameters")
    return "\n".join(told)


def html(network: Any) -> str:
    """Tables of populations, projections and inputs."""
    populations = [
        (p.name, f"{p.size:,}", p.model.name, ", ".join(p.model.receptors))
        for p in network.populations.values()
    ]
    projections = [
        (
            c.name,
            display.brief(c.rule),
            f"{display.brief(c.weight)} {_unit(network, c)}",
            f"{display.brief(c.delay)} ms",
            c.receptor,
        )
        for c in network.projections.values()
    ]
    drives = [
        (d.name, type(d.input).__name__, _values(network, d, display.brief), d.receptor)
        for d in network.inputs.values()
    ]
    return display.whole(
        f"{network.name}, seed {network.seed}",
        display.table("populations", ["name", "neurons", "model", "receptors"], populations),
        display.table("projections", ["name", "rule", "weight", "delay", "receptor"], projections),
        display.table("inputs", ["name", "kind", "values", "receptor"], drives),
    )


def _unit(network: Any, made: Any) -> str:
    """Unit of what a projection or an input adds."""
    model = network.populations[made.target.population].model
    if made.receptor:
        return model.receptors[made.receptor].unit
    return model.dynamics.units.get(model.current, "")


def _values(network: Any, drive: Any, tell: Callable[[Any], str]) -> str:
    """What an input was made from, with units."""
    unit_of = drive.input.units(_unit(network, drive))
    return ", ".join(
        f"{f.name} {tell(getattr(drive.input, f.name))} {unit_of[f.name]}".rstrip()
        for f in fields(drive.input)
        if f.repr
    )
