"""Euler's method and those of Runge and Kutta."""

import ast
from collections.abc import Mapping

from spikesim.codegen.expressions import Writer, combination
from spikesim.codegen.methods.noise import parted, spread
from spikesim.codegen.recipes import Recipe, formula, remembered
from spikesim.description.equations import EquationError, affine, names, substitute

TABLEAUS = {  # for each stage its weights on the earlier ones; then the weights of the sum
    "euler": ([[]], [1.0]),
    "rk2": ([[], [0.5]], [0.0, 1.0]),
    "rk4": ([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


def advance(writer: Writer, method: str) -> list[str]:
    """The stages of a tableau, then their weighted sum."""
    held = writer.dynamics.held
    stages, weights = TABLEAUS[method]
    derivatives, noise = {}, {}
    for v, whole in writer.dynamics.derivatives.items():
        derivatives[v], strength = parted(writer, v, whole)
        if strength is not None:
            if method != "euler":
                raise EquationError(
                    f"{writer.name}: method {method!r} knows no noise; with xi take 'euler', "
                    "'exponential_euler', or 'exact' if the equations are linear."
                )
            noise[v] = strength
    dt = writer.write(ast.Name("dt"))
    decays = {} if noise else _decays(writer, derivatives, held, stages, weights)
    lines = []

    def moves(v: str, coefficients: list[float]) -> tuple[str, str]:
        """The factors of v's change."""
        used = [(c, f"_{v}_slope{k}") for k, c in enumerate(coefficients) if c]
        if len(used) == 1:
            (c, change), *_ = used
            share = ast.BinOp(ast.Constant(c), ast.Mult(), ast.Name("dt"))
            return dt if c == 1 else writer.write(share), change
        return dt, combination([(f"_real({c!r})", d) for c, d in used])

    for k, coefficients in enumerate(stages):
        at = {}
        if any(coefficients):
            for v in derivatives:
                new = f"_fma({', '.join(moves(v, coefficients))}, {v})"
                lines.append(f"_{v}_{k} = {f'{decays[v][k]} * {v}' if v in decays else new}")
                at[v] = ast.Name(f"_{v}_{k}")
            if any("t" in names(node) for node in derivatives.values()):
                lines.append(writer.moved(f"_t_{k}", sum(coefficients)))
                at["t"] = ast.Name(f"_t_{k}")
        for v, node in derivatives.items():
            if v in decays:
                continue
            change = writer.write(substitute(node, at))
            lines.append(
                f"_{v}_slope{k} = {change}"
                if v not in held
                else f"_{v}_slope{k} = ({change}) if _active else _real(0.0)"
            )
    for v in derivatives:
        if v in decays:
            whole = f"{decays[v][-1]} * {v}"
            lines.append(writer.stepped(v, whole, whole))
            continue
        extra = f" + {spread(writer, v, ast.Constant(0.0), noise[v])}" if v in noise else ""
        h, slope = moves(v, weights)
        lines.append(
            writer.stepped(v, f"{h} * ({slope}){extra}", f"_fma({h}, {slope}, {v}){extra}")
        )
    return [*lines, *writer.all_taken()]


def _decays(
    writer: Writer, derivatives: Mapping, held: tuple[str, ...], stages: list, weights: list
) -> dict[str, list[str]]:
    """What variables with dx/dt = a x are multiplied by at each stage, and in the whole step.

    An eighth of the time of `AdEx` with two conductances. Of what is carried the last is less 1.
    """
    dt, decays = writer.values["dt"], {}
    for v, node in derivatives.items():
        form = affine(node, [v])
        if v in held or form is None or set(form) != {v} or not writer.fixed(form[v]):
            continue
        rate = formula(form[v])

        def factors(values: Mapping[str, object], rate: Recipe = rate) -> list:
            change, found = dt * rate(values), []
            for coefficients in [*stages, weights]:
                parts = zip(coefficients, found, strict=True)
                found.append(change * sum(c * (1.0 + factor) for c, factor in parts))
            return found  # each less 1

        each = remembered(rate.needs, factors)
        decays[v] = [""]
        for k in range(1, len(stages) + 1):
            one = 0.0 if k == len(stages) and v in writer.carried else 1.0
            recipe = each.then(lambda found, k=k, one=one: one + found[k])
            decays[v].append(writer.constant(f"_{v}_p{k}", recipe))
    return decays
