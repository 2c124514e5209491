"""A step as the model itself writes it."""

import ast

from spikesim.codegen.expressions import Writer
from spikesim.description.equations import NOT_REFRACTORY, substitute


def advance(writer: Writer) -> list[str]:
    """The model's own statements, ``dx`` replaced by the derivative of x, 0 while x is held."""
    held = writer.dynamics.held
    active, nothing = ast.Name(NOT_REFRACTORY), ast.Constant(0.0)
    derivatives = {
        f"d{v}": ast.IfExp(active, node, nothing) if v in held else node
        for v, node in writer.dynamics.derivatives.items()
    }
    lines = []
    for statement in writer.dynamics.scheme:
        v = statement.variable
        value = substitute(statement.value, derivatives)
        lines += writer.assigned(v, value, "_active" if v in held else "")
    return lines
