"""Integration methods: what advances a model's variables by one step, as lines of the kernel.

Each method takes a `Writer` and returns statements that leave the new values in the variables'
names. ``active`` is false while a neuron is refractory; held variables then stand still.
"""

import ast
from collections.abc import Mapping

import numpy as np
from scipy import linalg

from spikesim.engine.writer import Writer, combination
from spikesim.equations import (
    FUNCTIONS,
    NOT_REFRACTORY,
    EquationError,
    affine,
    evaluate,
    names,
    substitute,
)
from spikesim.model import NeuronModel


def propagators(matrix: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """P = exp(A dt) and the integral of exp(A s) over s from 0 to dt, for A (..., n, n).

    x(t + dt) = P x(t) + Q b solves dx/dt = A x + b exactly (Rotter & Diesmann 1999).
    """
    n = matrix.shape[-1]
    block = np.zeros((*matrix.shape[:-2], 2 * n, 2 * n))
    block[..., :n, :n] = matrix
    block[..., :n, n:] = np.eye(n)
    whole = linalg.expm(block * dt)
    return whole[..., :n, :n], whole[..., :n, n:]


def _exact(writer: Writer, held: tuple[str, ...]) -> list[str]:
    """x_new = P x + Q (b + B w), the zeros of P and Q left out."""
    derivatives = writer.dynamics.derivatives
    variables = list(derivatives)
    arriving = [f"w_{name}" for name in writer.dynamics.arrivals]
    forms = {v: affine(node, [*variables, *arriving, "xi"]) for v, node in derivatives.items()}
    noise = {v: form.pop("xi") for v, form in forms.items() if "xi" in form}
    lines = []
    writer.diverges = False
    free = [v for v in variables if v not in held]
    # Held variables stand still while refractory; what follows them then has other propagators,
    # and with noise all the rest, whose noise is drawn together.
    following = [v for v in free if _reached(v, forms) & set(held)]
    if following and noise:
        following = free
    new = _propagate(writer, variables, forms, arriving, "")
    for v, term in _exact_noise(writer, variables, forms, noise, "").items():
        new[v] += term
    for v in variables:
        lines.append(f"{v}_new = {new[v]}")
    if following:
        still = {v: ({} if v in held else form) for v, form in forms.items()}
        waiting = _propagate(writer, variables, still, arriving, "_held")
        free_noise = {v: node for v, node in noise.items() if v in free}
        for v, term in _exact_noise(writer, variables, still, free_noise, "_held").items():
            waiting[v] += term
        lines += [f"{v}_held = {waiting[v]}" for v in following]
    for v in variables:
        otherwise = v if v in held else f"{v}_held" if v in following else ""
        lines.append(f"{v} = {v}_new" + (f" if active else {otherwise}" if otherwise else ""))
    return lines


def _reached(v: str, forms: Mapping[str, dict]) -> set[str]:
    """The variables on which the derivative of v depends, by way of others too."""
    reached, fresh = set(), {v}
    while fresh:
        reached |= fresh
        fresh = {x for v in fresh for x in forms[v] if x in forms} - reached
    return reached


def _exact_noise(
    writer: Writer, variables: list[str], forms: dict, noise: dict[str, ast.expr], suffix: str
) -> dict[str, str]:
    """What noise adds in a step: L z with L L' = the covariance that noise builds up in it.

    The covariance is the integral of P(s) G G' P(s)' over the step (Van Loan 1978).
    """
    if not noise:
        return {}
    n = len(variables)
    entries = [
        (i, j, np.asarray(evaluate(forms[v][x], writer.values), float))
        for i, v in enumerate(variables)
        for j, x in enumerate(variables)
        if x in forms[v]
    ]
    strengths = [
        (variables.index(v), np.asarray(evaluate(node, writer.values), float))
        for v, node in noise.items()
    ]
    shape = np.broadcast_shapes(*(e[-1].shape for e in [*entries, *strengths]))
    block = np.zeros((*shape, 2 * n, 2 * n))
    for i, j, value in entries:
        block[..., i, j] = -value
        block[..., n + j, n + i] = value
    for i, value in strengths:
        block[..., i, n + i] = value**2
    whole = linalg.expm(block * writer.values["dt"])
    step = np.swapaxes(whole[..., n:, n:], -1, -2)
    covariance = step @ whole[..., :n, n:]
    covariance = (covariance + np.swapaxes(covariance, -1, -2)) / 2
    touched = [i for i in range(n) if np.any(covariance[..., i, i] > 0)]
    part = covariance[..., touched, :][..., touched]
    scale = np.sqrt(np.maximum(np.einsum("...ii->...i", part), 1e-300))
    correlation = part / scale[..., :, None] / scale[..., None, :]
    factor = np.linalg.cholesky(correlation + 1e-13 * np.eye(len(touched))) * scale[..., :, None]
    while writer.normals < len(touched):
        writer.normal()

    def term(row: int, column: int) -> str:
        name = f"n_{variables[touched[row]]}{suffix}_{column}"
        return f" + {writer.constant(name, factor[..., row, column])} * z_{column}"

    return {
        variables[i]: "".join(term(row, column) for column in range(row + 1))
        for row, i in enumerate(touched)
    }


def _noise(writer: Writer, v: str, node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """The rest of a right-hand side, and what its noise is multiplied by."""
    form = affine(node, ["xi"])
    if form is None:
        raise EquationError(
            f"{writer.name}, d{v}/dt: xi must be added, times a factor, to the rest."
        )
    return form.get("", ast.Constant(0.0)), form.get("xi")


def _propagate(writer, variables, forms, arriving, suffix) -> dict[str, str]:
    """Right-hand sides of one exact step."""
    values = {
        (v, x): np.asarray(evaluate(c, writer.values), float)
        for v, form in forms.items()
        for x, c in form.items()
    }
    in_matrix = [value for (_, x), value in values.items() if x in variables]
    shape = np.broadcast_shapes(*(value.shape for value in in_matrix)) if in_matrix else ()
    n = len(variables)
    matrix = np.zeros((*shape, n, n))
    linked = np.eye(n, dtype=bool)
    for i, v in enumerate(variables):
        for j, x in enumerate(variables):
            if (v, x) in values:
                matrix[..., i, j] = values[v, x]
                linked[i, j] = True
    for _ in range(n):
        linked = (linked.astype(int) @ linked.astype(int)) > 0  # along any path
    p, q = propagators(matrix, writer.values["dt"])
    result = {}
    for i, v in enumerate(variables):
        terms = []
        for j, x in enumerate(variables):
            if linked[i, j]:
                terms.append((writer.constant(f"p_{v}_{x}{suffix}", p[..., i, j]), x))
        drive, constant = {}, None
        for j, x in enumerate(variables):
            for source in ("", *arriving):
                if linked[i, j] and (x, source) in values:
                    part = q[..., i, j] * values[x, source]
                    if source == "":
                        constant = part if constant is None else constant + part
                    else:
                        drive[source] = drive.get(source, 0.0) + part
        for source, value in drive.items():
            terms.append((writer.constant(f"q_{v}_{source}{suffix}", value), source))
        rest = "" if constant is None else writer.constant(f"q_{v}{suffix}", constant)
        result[v] = combination(terms, rest)
    writer.diverges |= bool(np.any(np.linalg.eigvals(matrix).real > 1e-9))
    return result


def _exponential_euler(writer: Writer) -> list[str]:
    """x_new = x + dt (a x + b) (exp(a dt) - 1) / (a dt), where dx/dt = a x + b, all else fixed."""
    lines = []
    for v, whole in writer.dynamics.derivatives.items():
        node, strength = _noise(writer, v, whole)
        noise = "" if strength is None else f" + {_spread(writer, v, node, strength)}"
        form = affine(node, [v])
        if form is None or v not in form:
            dt = writer.write(ast.Name("dt"))
            lines.append(f"{v}_new = {v} + {dt} * ({writer.write(node)}){noise}")
            continue
        a, b = form[v], form.get("")
        if writer.fixed(a):
            rate = np.asarray(evaluate(a, writer.values), float)
            p, q = propagators(rate[..., None, None], writer.values["dt"])
            terms = [f"{writer.constant(f'p_{v}', p[..., 0, 0])} * {v}"]
            if b is not None:
                terms.append(f"{writer.constant(f'q_{v}', q[..., 0, 0])} * ({writer.write(b)})")
            lines.append(f"{v}_new = {' + '.join(terms)}{noise}")
        else:
            dt = writer.values["dt"]
            slope = writer.linear(f"p_{v}", a, dt)
            lines.append(f"{v}_slope = {slope}")
            change = f"{v}_slope * {v}"
            if b is not None:
                change = f"fma({v}_slope, {v}, {writer.linear(f'q_{v}', b, dt)})"
            growth = f"{writer.growth(a, slope)}({v}_slope)"
            lines.append(f"{v}_new = fma({change}, {growth}, {v}){noise}")
    return lines


def _exponential_midpoint(writer: Writer, held: tuple[str, ...]) -> list[str]:
    """Exponential Euler to the middle of the step, then over all of it with a and b of there.

    This is of second order; noise is added as by exponential Euler.
    """
    drifts, noise, lines, at = {}, {}, [], {}
    for v, whole in writer.dynamics.derivatives.items():
        drifts[v], strength = _noise(writer, v, whole)
        noise[v] = "" if strength is None else f" + {_spread(writer, v, drifts[v], strength)}"
    for v, node in drifts.items():
        line = f"{v}_1 = {_grown(writer, v, node, {}, 0.5)}"
        lines.append(f"{line} if active else {v}" if v in held else line)
        at[v] = ast.Name(f"{v}_1")
    if any("t" in names(node) for node in drifts.values()):
        lines.append(f"t_1 = t + real(0.5) * {writer.write(ast.Name('dt'))}")
        at["t"] = ast.Name("t_1")
    for v, node in drifts.items():
        lines.append(f"{v}_new = {_grown(writer, v, node, at, 1.0)}{noise[v]}")
    return lines


def _grown(writer: Writer, v: str, node: ast.expr, at: Mapping[str, ast.expr], share: float) -> str:
    """v + h (a v + b) exprel(a h), h a share of dt; in a and b everything has its value ``at``.

    What v does within a function belongs to a and b; an equation that is still not linear in v is
    all b.
    """
    frozen = _frozen(node, v)
    form = affine(frozen, [v]) or {"": frozen}
    at = {v: ast.Name(v), **at}
    at[f"{v}_"] = at[v]
    parts = {x: substitute(part, at) for x, part in form.items()}
    h = ast.BinOp(ast.Constant(share), ast.Mult(), ast.Name("dt"))
    if v not in parts:
        return f"{v} + {writer.write(h)} * ({writer.write(parts[''])})"
    slope = ast.BinOp(parts[v], ast.Mult(), ast.Name(v))
    if "" in parts:
        slope = ast.BinOp(slope, ast.Add(), parts[""])
    growth = ast.Call(ast.Name("exprel"), [ast.BinOp(parts[v], ast.Mult(), h)], [])
    return f"{v} + {writer.write(h)} * ({writer.write(slope)}) * {writer.write(growth)}"


def _frozen(node: ast.expr, v: str) -> ast.expr:
    """The expression with v called ``v_`` within functions."""

    class Freeze(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.Call:
            return substitute(call, {v: ast.Name(f"{v}_")})

    return Freeze().visit(ast.parse(ast.unparse(node), mode="eval").body)


def _spread(writer: Writer, v: str, node: ast.expr, strength: ast.expr) -> str:
    """What noise adds to v in a step; of the right size at any dt if v decays at a fixed rate."""
    form = affine(node, [v])
    rate = 0.0
    if form is not None and v in form and writer.fixed(form[v]):
        rate = np.asarray(evaluate(form[v], writer.values), float)
    dt = writer.values["dt"]
    variance = dt * FUNCTIONS["exprel"](2 * rate * dt)
    root = writer.constant(f"n_{v}", np.sqrt(variance), "root of the variance of noise in a step")
    return f"({writer.write(strength)}) * {root} * {writer.normal()}"


_TABLEAUS = {  # for each stage its weights on the earlier ones; then the weights of the sum
    "euler": ([[]], [1.0]),
    "rk2": ([[], [0.5]], [0.0, 1.0]),
    "rk4": ([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


def _runge_kutta(writer: Writer, method: str, held: tuple[str, ...]) -> list[str]:
    stages, weights = _TABLEAUS[method]
    derivatives, noise = {}, {}
    for v, whole in writer.dynamics.derivatives.items():
        derivatives[v], strength = _noise(writer, v, whole)
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

    def moved(v: str, coefficients: list[float]) -> str:
        used = [(c, f"d{v}_{k}") for k, c in enumerate(coefficients) if c]
        if len(used) == 1:
            (c, change), *_ = used
            share = ast.BinOp(ast.Constant(c), ast.Mult(), ast.Name("dt"))
            return f"fma({dt if c == 1 else writer.write(share)}, {change}, {v})"
        return f"fma({dt}, {combination([(f'real({c!r})', d) for c, d in used])}, {v})"

    for k, coefficients in enumerate(stages):
        at = {}
        if any(coefficients):
            for v in derivatives:
                value = f"{decays[v][k]} * {v}" if v in decays else moved(v, coefficients)
                lines.append(f"{v}_{k} = {value}")
                at[v] = ast.Name(f"{v}_{k}")
            if any("t" in names(node) for node in derivatives.values()):
                lines.append(f"t_{k} = t + real({sum(coefficients)!r}) * {dt}")
                at["t"] = ast.Name(f"t_{k}")
        for v, node in derivatives.items():
            if v in decays:
                continue
            change = writer.write(substitute(node, at))
            lines.append(
                f"d{v}_{k} = {change}"
                if v not in held
                else f"d{v}_{k} = ({change}) if active else real(0.0)"
            )
    for v in derivatives:
        if v in decays:
            lines.append(f"{v}_new = {decays[v][-1]} * {v}")
            continue
        extra = f" + {_spread(writer, v, ast.Constant(0.0), noise[v])}" if v in noise else ""
        lines.append(f"{v}_new = {moved(v, weights)}{extra}")
    return lines


def _decays(
    writer: Writer, derivatives: Mapping, held: tuple[str, ...], stages: list, weights: list
) -> dict[str, list[str]]:
    """What variables with dx/dt = a x are multiplied by at each stage, and in the whole step.

    An eighth of the time of `AdEx` with two conductances.
    """
    dt, decays = writer.values["dt"], {}
    for v, node in derivatives.items():
        form = affine(node, [v])
        if v in held or form is None or set(form) != {v} or not writer.fixed(form[v]):
            continue
        rate, factors = dt * np.asarray(evaluate(form[v], writer.values), float), []
        for coefficients in [*stages, weights]:
            parts = zip(coefficients, factors, strict=True)
            factors.append(1.0 + rate * sum(c * factor for c, factor in parts))
        decays[v] = ["", *(writer.constant(f"p_{v}_{k}", x) for k, x in enumerate(factors) if k)]
    return decays


def _scheme(writer: Writer, held: tuple[str, ...]) -> list[str]:
    """The model's own statements, ``dx`` replaced by the derivative of x, 0 while x is held."""
    active, nothing = ast.Name(NOT_REFRACTORY), ast.Constant(0.0)
    derivatives = {
        f"d{v}": ast.IfExp(active, node, nothing) if v in held else node
        for v, node in writer.dynamics.derivatives.items()
    }
    lines = []
    for statement in writer.dynamics.scheme:
        v = statement.variable
        value = writer.write(substitute(statement.value, derivatives))
        lines.append(f"{v} = ({value}) if active else {v}" if v in held else f"{v} = {value}")
    return lines


def step(writer: Writer, model: NeuronModel) -> list[str]:
    """What advances all variables by a step, by the model's method."""
    if writer.dynamics.scheme:
        return _scheme(writer, model.dynamics.held)
    if model.method in ("", "exact"):
        return _exact(writer, model.dynamics.held)
    if model.method == "exponential_euler":
        lines = _exponential_euler(writer)
    elif model.method == "exponential_midpoint":
        lines = _exponential_midpoint(writer, model.dynamics.held)
    else:
        lines = _runge_kutta(writer, model.method, model.dynamics.held)
    for v in writer.dynamics.derivatives:
        waits = v in model.dynamics.held
        lines.append(f"{v} = {v}_new if active else {v}" if waits else f"{v} = {v}_new")
    return lines
