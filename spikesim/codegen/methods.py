"""Integration methods: what advances a model's variables by one step, as lines of the kernel.

Each method takes a `Writer` and returns statements that leave the new values in the variables'
names. ``_active`` is false while a neuron is refractory; held variables then stand still. Of a
variable of which a step changes little the change is made, and what rounding loses is carried to
the next step (Kahan 1965), so that single precision does not stop it.
"""

import ast
import math
from collections.abc import Iterable, Mapping
from functools import reduce
from operator import add

import numpy as np
from scipy import linalg

from spikesim.codegen.writer import Recipe, Writer, combination, formula, remembered
from spikesim.description.equations import (
    FUNCTIONS,
    NOT_REFRACTORY,
    EquationError,
    affine,
    names,
    substitute,
)
from spikesim.description.model import NeuronModel


def propagators(matrix: np.ndarray, dt: float) -> tuple[np.ndarray, np.ndarray]:
    """P = exp(A dt) and the integral of exp(A s) over s from 0 to dt, for A (..., n, n).

    x(t + dt) = P x(t) + Q b solves dx/dt = A x + b exactly (Rotter & Diesmann 1999). By the series
    of Q, over a part of the step in which it is short, and doubling: for matrices as small as these
    that takes a fifth of the time of a general exponential, and no threads.
    """
    unit = np.eye(matrix.shape[-1])
    size = float(np.max(np.abs(matrix).sum(axis=-1), initial=0.0)) * dt
    halvings = max(0, math.ceil(math.log2(size / 0.5))) if 0 < size < math.inf else 0
    h = dt / 2**halvings
    size /= 2**halvings
    terms, last = 1, 1.0
    while last > 1e-18 and terms < 30:
        terms += 1
        last *= size / terms
    series = unit
    for k in range(terms, 1, -1):
        series = unit + matrix @ series * (h / k)
    q = series * h
    p = unit + matrix @ q
    for _ in range(halvings):
        q = q + p @ q
        p = p @ p
    return p, q


def _exact(writer: Writer, held: tuple[str, ...]) -> list[str]:
    """x_new = P x + Q (b + B w), the zeros of P and Q left out; of what is carried P x - x."""
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
        lines.append(writer.stepped(v, new[v], new[v]))
    if following:
        still = {v: ({} if v in held else form) for v, form in forms.items()}
        waiting = _propagate(writer, variables, still, arriving, "held")
        free_noise = {v: node for v, node in noise.items() if v in free}
        for v, term in _exact_noise(writer, variables, still, free_noise, "held").items():
            waiting[v] += term
        lines += [f"_{v}_held = {waiting[v]}" for v in following]
    for v in variables:
        if v in following and v in writer.carried:
            lines.append(f"_{v}_change = _{v}_change if _active else _{v}_held")
            lines += writer.taken(v, False)
        elif v in following:
            lines.append(f"{v} = _{v}_new if _active else _{v}_held")
        else:
            lines += writer.taken(v, v in held)
    return lines


def _reached(v: str, forms: Mapping[str, dict]) -> set[str]:
    """The variables on which the derivative of v depends, by way of others too."""
    reached, fresh = set(), {v}
    while fresh:
        reached |= fresh
        fresh = {x for v in fresh for x in forms[v] if x in forms} - reached
    return reached


def _exact_noise(
    writer: Writer, variables: list[str], forms: dict, noise: dict[str, ast.expr], kind: str
) -> dict[str, str]:
    """What noise adds in a step: L z with L L' = the covariance that noise builds up in it.

    The covariance is the integral of P(s) G G' P(s)' over the step (Van Loan 1978).
    """
    if not noise:
        return {}
    n = len(variables)
    entries = {
        (i, j): formula(forms[v][x])
        for i, v in enumerate(variables)
        for j, x in enumerate(variables)
        if x in forms[v]
    }
    strengths = {variables.index(v): formula(node) for v, node in noise.items()}

    def built_up(values: Mapping[str, object]) -> np.ndarray:
        inner = {at: recipe(values) for at, recipe in entries.items()}
        outer = {i: recipe(values) for i, recipe in strengths.items()}
        shape = np.broadcast_shapes(*(x.shape for x in [*inner.values(), *outer.values()]))
        block = np.zeros((*shape, 2 * n, 2 * n))
        for (i, j), value in inner.items():
            block[..., i, j] = -value
            block[..., n + j, n + i] = value
        for i, value in outer.items():
            block[..., i, n + i] = value**2
        whole = linalg.expm(block * values["dt"])
        step = np.swapaxes(whole[..., n:, n:], -1, -2)
        covariance = step @ whole[..., :n, n:]
        return (covariance + np.swapaxes(covariance, -1, -2)) / 2

    needs = _needs([*entries.values(), *strengths.values()])
    covariance = remembered(needs, built_up)
    moving = covariance.then(lambda c: np.any(c > 0, axis=tuple(range(c.ndim - 2))).diagonal())
    touched = np.flatnonzero(writer.fact(moving))

    def root(values: Mapping[str, object]) -> np.ndarray:
        part = covariance(values)[..., touched, :][..., touched]
        scale = np.sqrt(np.maximum(_diagonal(part), 1e-300))
        correlation = part / scale[..., :, None] / scale[..., None, :]
        factor = np.linalg.cholesky(correlation + 1e-13 * np.eye(len(touched)))
        return factor * scale[..., :, None]

    factor = remembered(needs, root)
    while writer.normals < len(touched):
        writer.normal()

    def term(row: int, column: int) -> str:
        name = f"_{variables[touched[row]]}_{kind}n{column}"
        return f" + {writer.constant(name, _cell(factor, row, column))} * _z{column}"

    return {
        variables[i]: "".join(term(row, column) for column in range(row + 1))
        for row, i in enumerate(touched)
    }


def _needs(recipes: Iterable[Recipe]) -> frozenset[str]:
    return frozenset().union(*(recipe.needs for recipe in recipes))


def _cell(matrix: Recipe, row: int, column: int) -> Recipe:
    return matrix.then(lambda m: m[..., row, column])


def _noise(writer: Writer, v: str, node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
    """The rest of a right-hand side, and what its noise is multiplied by."""
    form = affine(node, ["xi"])
    if form is None:
        raise EquationError(
            f"{writer.name}, d{v}/dt: xi must be added, times a factor, to the rest."
        )
    return form.get("", ast.Constant(0.0)), form.get("xi")


def _propagate(
    writer: Writer, variables: list[str], forms: dict, arriving: list[str], kind: str
) -> dict[str, str]:
    """Right-hand sides of one exact step."""
    n, dt = len(variables), writer.values["dt"]
    parts = {(v, x): formula(c) for v, form in forms.items() for x, c in form.items()}
    inner = {
        (i, j): parts[v, x]
        for i, v in enumerate(variables)
        for j, x in enumerate(variables)
        if (v, x) in parts
    }
    linked = np.eye(n, dtype=bool)
    for at in inner:
        linked[at] = True
    for _ in range(n):
        linked = (linked.astype(int) @ linked.astype(int)) > 0  # along any path

    def whole(values: Mapping[str, object]) -> np.ndarray:
        entries = {at: recipe(values) for at, recipe in inner.items()}
        shape = np.broadcast_shapes(*(value.shape for value in entries.values()))
        matrix = np.zeros((*shape, n, n))
        for (i, j), value in entries.items():
            matrix[..., i, j] = value
        return matrix

    needs = _needs(inner.values())
    matrix = remembered(needs, whole)
    both = remembered(needs, lambda values: propagators(matrix(values), dt))
    p, q = (Recipe(needs, lambda values, k=k: both.make(values)[k]) for k in (0, 1))

    def driven(i: int, sources: list[tuple[int, Recipe]]) -> Recipe:
        """The sum of Q times what drives each variable."""

        def total(values: Mapping[str, object]) -> object:
            return reduce(add, (q.make(values)[..., i, j] * r(values) for j, r in sources))

        return Recipe(_needs([q, *(recipe for _, recipe in sources)]), total)

    constant = {j: parts[x, ""] for j, x in enumerate(variables) if (x, "") in parts}
    everything = _needs([matrix, *constant.values()])
    rest = remembered(everything, lambda values: _rest(matrix(values), constant, values))
    result = {}
    for i, v in enumerate(variables):
        terms, lost = [], []
        for j, x in enumerate(variables):
            factor = _cell(p, i, j)
            if i == j and v in writer.carried:
                factor = factor.then(lambda x: x - 1)
                terms.append((writer.constant(f"_{v}_{x}_{kind}p1", factor, "less 1"), x))
            elif linked[i, j]:
                terms.append((writer.constant(f"_{v}_{x}_{kind}p", factor), x))
            if linked[i, j] and writer.single:
                lost.append((j, factor.then(lambda x: x - np.float32(x))))
        for source in arriving:
            found = [(j, parts[x, source]) for j, x in enumerate(variables) if (x, source) in parts]
            found = [(j, recipe) for j, recipe in found if linked[i, j]]
            if found:
                name = f"_{v}_{source}_{kind}q"
                terms.append((writer.constant(name, driven(i, found)), source))
        found = [(j, recipe) for j, recipe in constant.items() if linked[i, j]]
        still = ""
        if found:
            drive = driven(i, found)

            def moved(values: Mapping[str, object], drive=drive, lost=lost) -> object:
                at_rest = rest.make(values)
                return sum((e.make(values) * at_rest[..., j] for j, e in lost), drive.make(values))

            still = writer.constant(f"_{v}_{kind}q", Recipe(everything, moved))
        result[v] = combination(terms, still)
    circles = np.any(linked & linked.T & ~np.eye(n, dtype=bool))
    rates = np.linalg.eigvals if circles else _diagonal
    grows = matrix.then(lambda m: np.any(rates(m).real > 1e-9))
    writer.diverges |= bool(writer.fact(grows))
    return result


def _diagonal(matrix: np.ndarray) -> np.ndarray:
    return np.einsum("...ii->...i", matrix)


def _rest(matrix: np.ndarray, constant: Mapping[int, Recipe], values: Mapping) -> np.ndarray:
    """Where all variables come to rest without input; 0 where they do not.

    There constants make up for the rounding of P. Of a membrane of 20 ms whose rheobase is exceeded
    by 0.01 mV the intervals were off by 0.2 % at a step of 0.1 ms.
    """
    n = matrix.shape[-1]
    drive = {j: recipe(values) for j, recipe in constant.items()}
    shape = np.broadcast_shapes(matrix.shape[:-2], *(x.shape for x in drive.values()))
    b = np.zeros((*shape, n, 1))
    for j, x in drive.items():
        b[..., j, 0] = -x
    try:
        found = np.linalg.solve(matrix, b)[..., 0]
    except np.linalg.LinAlgError:
        return np.zeros(n)
    return found if np.isfinite(found).all() else np.zeros(n)


def _exponential_euler(writer: Writer) -> list[str]:
    """x_new = x + dt (a x + b) (exp(a dt) - 1) / (a dt), where dx/dt = a x + b, all else fixed."""
    lines = []
    for v, whole in writer.dynamics.derivatives.items():
        node, strength = _noise(writer, v, whole)
        noise = "" if strength is None else f" + {_spread(writer, v, node, strength)}"
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
    return lines


def _decay(rate: Recipe, dt: float) -> tuple[Recipe, Recipe]:
    """The propagators of dx/dt = rate x + b."""
    both = remembered(rate.needs, lambda values: propagators(rate(values)[..., None, None], dt))
    p, q = (Recipe(rate.needs, lambda values, k=k: both.make(values)[k][..., 0, 0]) for k in (0, 1))
    return p, q


def _exponential_midpoint(writer: Writer, held: tuple[str, ...]) -> list[str]:
    """Exponential Euler to the middle of the step, then over all of it with a and b of there.

    This is of second order; noise is added as by exponential Euler.
    """
    drifts, noise, lines, at = {}, {}, [], {}
    for v, whole in writer.dynamics.derivatives.items():
        drifts[v], strength = _noise(writer, v, whole)
        noise[v] = "" if strength is None else f" + {_spread(writer, v, drifts[v], strength)}"
    for v, node in drifts.items():
        line = f"_{v}_1 = {v} + {_growth(writer, v, node, {}, 0.5)}"
        lines.append(f"{line} if _active else {v}" if v in held else line)
        at[v] = ast.Name(f"_{v}_1")
    if any("t" in names(node) for node in drifts.values()):
        lines.append(writer.moved("_t_1", 0.5))
        at["t"] = ast.Name("_t_1")
    for v, node in drifts.items():
        change = f"{_growth(writer, v, node, at, 1.0)}{noise[v]}"
        lines.append(writer.stepped(v, change, f"{v} + {change}"))
    return lines


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


def _spread(writer: Writer, v: str, node: ast.expr, strength: ast.expr) -> str:
    """What noise adds to v in a step; of the right size at any dt if v decays at a fixed rate."""
    form = affine(node, [v])
    rate = formula(ast.Constant(0.0))
    if form is not None and v in form and writer.fixed(form[v]):
        rate = formula(form[v])
    dt = writer.values["dt"]
    spread = rate.then(lambda a: np.sqrt(dt * FUNCTIONS["exprel"](2 * np.asarray(a) * dt)))
    root = writer.constant(f"_{v}_n", spread, "root of the variance of noise in a step")
    return f"({writer.write(strength)}) * {root} * {writer.normal()}"


TABLEAUS = {  # for each stage its weights on the earlier ones; then the weights of the sum
    "euler": ([[]], [1.0]),
    "rk2": ([[], [0.5]], [0.0, 1.0]),
    "rk4": ([[], [0.5], [0.0, 0.5], [0.0, 0.0, 1.0]], [1 / 6, 1 / 3, 1 / 3, 1 / 6]),
}


def _runge_kutta(writer: Writer, method: str, held: tuple[str, ...]) -> list[str]:
    stages, weights = TABLEAUS[method]
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
        extra = f" + {_spread(writer, v, ast.Constant(0.0), noise[v])}" if v in noise else ""
        h, slope = moves(v, weights)
        lines.append(
            writer.stepped(v, f"{h} * ({slope}){extra}", f"_fma({h}, {slope}, {v}){extra}")
        )
    return lines


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
        value = substitute(statement.value, derivatives)
        lines += writer.assigned(v, value, "_active" if v in held else "")
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
        lines += writer.taken(v, v in model.dynamics.held)
    return lines
