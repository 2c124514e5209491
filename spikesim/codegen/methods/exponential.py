"""Exponential integrators: each equation is solved as if it were linear in its variable."""

import ast
from collections.abc import Mapping

from spikesim.codegen.expressions import Writer
from spikesim.codegen.methods.noise import parted, spread
from spikesim.codegen.methods.propagators import propagators
from spikesim.codegen.recipes import Recipe, formula, remembered
from spikesim.description.equations import affine, names, substitute


def euler(writer: Writer) -> list[str]:
    """x_new = x + dt (a x + b) (exp(a dt) - 1) / (a dt), where dx/dt = a x + b, all else fixed."""
    lines = []
    for v, whole in writer.dynamics.derivatives.items():
        node, strength = parted(writer, v, whole)
        noise = "" if strength is None else f" + {spread(writer, v, node, strength)}"
        form = affine(node, [v])
        if form is None or v not in form:
            change = f"{writer.write(ast.Name('dt'))} * ({writer.write(node)}){noise}"
            lines.append(writer.stepped(v, change, f"{v} + {change}"))
            continue
        a, b = form[v], form.get("")
        if writer.fixed(a):
            p, q = _decay(formula(a), writer.values["dt"])
            if v in writer.carried:
                terms = [f"{writer.constant(f'_{v}_p1', p.then(lambda x: x - 1))} * {v}"]
            else:
                terms = [f"{writer.constant(f'_{v}_p', p)} * {v}"]
            if b is not None:
                terms.append(f"{writer.constant(f'_{v}_q', q)} * ({writer.write(b)})")
            whole = f"{' + '.join(terms)}{noise}"
            lines.append(writer.stepped(v, whole, whole))
        else:
            dt = writer.values["dt"]
            slope = writer.linear(v, "p", a, dt)
            lines.append(f"_{v}_slope = {slope}")
            change = f"_{v}_slope * {v}"
            if b is not None:
                change = f"_fma(_{v}_slope, {v}, {writer.linear(v, 'q', b, dt)})"
            growth = f"{writer.growth(a, slope)}(_{v}_slope)"
            new = f"_fma({change}, {growth}, {v}){noise}"
            lines.append(writer.stepped(v, f"{change} * {growth}{noise}", new))
    return [*lines, *writer.all_taken()]


def _decay(rate: Recipe, dt: float) -> tuple[Recipe, Recipe]:
    """The propagators of dx/dt = rate x + b."""
    both = remembered(rate.needs, lambda values: propagators(rate(values)[..., None, None], dt))
    p, q = (Recipe(rate.needs, lambda values, k=k: both.make(values)[k][..., 0, 0]) for k in (0, 1))
    return p, q


def midpoint(writer: Writer) -> list[str]:
    """Exponential Euler to the middle of the step, then over all of it with a and b of there.

    This is of second order; noise is added as by exponential Euler.
    """
    drifts, noise, lines, at = {}, {}, [], {}
    for v, whole in writer.dynamics.derivatives.items():
        drifts[v], strength = parted(writer, v, whole)
        noise[v] = "" if strength is None else f" + {spread(writer, v, drifts[v], strength)}"
    for v, node in drifts.items():
        line = f"_{v}_1 = {v} + {_growth(writer, v, node, {}, 0.5)}"
        lines.append(f"{line} if _active else {v}" if v in writer.dynamics.held else line)
        at[v] = ast.Name(f"_{v}_1")
    if any("t" in names(node) for node in drifts.values()):
        lines.append(writer.moved("_t_1", 0.5))
        at["t"] = ast.Name("_t_1")
    for v, node in drifts.items():
        change = f"{_growth(writer, v, node, at, 1.0)}{noise[v]}"
        lines.append(writer.stepped(v, change, f"{v} + {change}"))
    return [*lines, *writer.all_taken()]


def _growth(
    writer: Writer, v: str, node: ast.expr, at: Mapping[str, ast.expr], share: float
) -> str:
    """h (a v + b) exprel(a h), h a share of dt; in a and b everything has its value ``at``.

    What v does within a function belongs to a and b; an equation that is still not linear in v is
    all b.
    """
    frozen = _frozen(node, v)
    form = affine(frozen, [v]) or {"": frozen}
    at = {v: ast.Name(v), **at}
    at[f"_{v}"] = at[v]
    parts = {x: substitute(part, at) for x, part in form.items()}
    h = ast.BinOp(ast.Constant(share), ast.Mult(), ast.Name("dt"))
    if v not in parts:
        return f"{writer.write(h)} * ({writer.write(parts[''])})"
    slope = ast.BinOp(parts[v], ast.Mult(), ast.Name(v))
    if "" in parts:
        slope = ast.BinOp(slope, ast.Add(), parts[""])
    growth = ast.Call(ast.Name("exprel"), [ast.BinOp(parts[v], ast.Mult(), h)], [])
    return f"{writer.write(h)} * ({writer.write(slope)}) * {writer.write(growth)}"


def _frozen(node: ast.expr, v: str) -> ast.expr:
    """The expression with v called ``_v`` within functions."""

    class Freeze(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.Call:
            return substitute(call, {v: ast.Name(f"_{v}")})

    return Freeze().visit(ast.parse(ast.unparse(node), mode="eval").body)
