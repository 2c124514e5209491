"""White noise in an equation, by methods that take the rest of it as it comes."""

import ast

import numpy as np

from spikesim.codegen.expressions import Writer
from spikesim.codegen.recipes import formula
from spikesim.description.equations import FUNCTIONS, EquationError, affine


def parted(writer: Writer, v: str, node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """The rest of a right-hand side, and what its noise is multiplied by."""
    form = affine(node, ["xi"])
    if form is None:
        raise EquationError(
            f"{writer.name}, d{v}/dt: xi must be added, times a factor, to the rest."
        )
    return form.get("", ast.Constant(0.0)), form.get("xi")


def spread(writer: Writer, v: str, node: ast.expr, strength: ast.expr) -> str:
    """What noise adds to v in a step; of the right size at any dt if v decays at a fixed rate."""
    form = affine(node, [v])
    rate = formula(ast.Constant(0.0))
    if form is not None and v in form and writer.fixed(form[v]):
        rate = formula(form[v])
    dt = writer.values["dt"]
    deviation = rate.then(lambda a: np.sqrt(dt * FUNCTIONS["exprel"](2 * np.asarray(a) * dt)))
    root = writer.constant(f"_{v}_n", deviation, "root of the variance of noise in a step")
    return f"({writer.write(strength)}) * {root} * {writer.normal()}"
