"""What is observed of a neuron at the end of a step: as others see it, after a reset."""

import ast
from collections.abc import Mapping

from spikesim.codegen.expressions import END, Writer
from spikesim.description.equations import names, substitute


def seen(writer: Writer, observed: Mapping[str, ast.expr], threshold: str) -> list[str]:
    """What is observed, of a neuron that spikes after its reset if there is a threshold."""
    lines, after = [], {}
    used = set().union(*map(names, observed.values()))
    for statement in writer.dynamics.reset if observed and threshold else ():
        v, value = statement.variable, substitute(statement.value, {**END, **after})
        before = after.get(v, ast.Name(v))
        if not lines:
            lines.append(f"_fires = {threshold}")
        lines.append(f"_{v}_after = {writer.either(v, '_fires', value, before)}")
        after[v] = ast.Name(f"_{v}_after")
    if not used & set(after):
        lines, after = [], {}
    shown = {row: writer.write(substitute(node, after)) for row, node in observed.items()}
    return [*lines, *(f"{row} = {text}" for row, text in shown.items())]
