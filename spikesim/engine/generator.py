"""Turn a model's text into a kernel that advances a population by one step.

This is the only place where text becomes code. `generate` takes a model, the values of its
parameters and dt, and returns the kernel's source with the constants it needs. What depends on
parameters alone is computed here, in double precision; a parameter that differs between neurons
becomes a row of the state, one that does not a scalar.

The state of a population is an array [block, row, lane] of blocks of 64 neurons: first the rows
of the variables, then the refractory time left, then what is observed (kept as of the end of each
step), then those of constants that differ between neurons. All rows of a block lie together, so a
step reads and writes each line of memory once.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np
from scipy import linalg

from spikesim.equations import (
    FUNCTIONS,
    NOT_REFRACTORY,
    EquationError,
    affine,
    evaluate,
    is_condition,
    names,
    substitute,
)
from spikesim.model import NeuronModel

REFRACTORY = "refractory"
OBSERVED = "seen_"  # what the names of observed rows begin with
ABI = ("state", "const", "ring", "ids", "first", "last", "size", "base", "step", "key")
_TINY = {"single": 1e-25, "double": 1e-290}  # smaller values become 0: denormals are slow
_HUGE = {"single": 1e38, "double": 1e300}  # a variable beyond has diverged


@dataclass(frozen=True)
class Kernel:
    """A generated kernel and what must be put where."""

    source: str
    rows: list[str]  # of the state: variables, refractory, observed, then constants per neuron
    scalars: dict[str, float]  # in the order of `const`; units of the inputs are filled in later
    per_neuron: dict[str, np.ndarray]


class _Writer:
    """Collects constants and turns expressions into the kernel's language."""

    def __init__(self, model: NeuronModel, values: Mapping[str, object], dt: float) -> None:
        self.name, self.dynamics = model.name, model.dynamics
        self.values = {**values, "dt": dt}
        self.scalars: dict[str, float] = {}
        self.per_neuron: dict[str, np.ndarray] = {}
        self.meaning: dict[str, str] = {}
        self.normals = 0  # normal variables that a step of a neuron draws
        self.diverges = True  # unless the scheme is known to stay finite

    def normal(self) -> str:
        """Name of one more normal variable."""
        self.normals += 1
        return f"z_{self.normals - 1}"

    def constant(self, name: str, value: object, meaning: str = "") -> str:
        """Give a value that is fixed during a run a name in the kernel."""
        value = np.asarray(value, float)
        if not np.all(np.isfinite(value)):
            raise ValueError(
                f"{self.name}: {meaning or name} is not finite with these values of its parameters."
            )
        if value.ndim:
            self.per_neuron[name] = value
        else:
            self.scalars[name] = float(value)
        if meaning and meaning != name:
            self.meaning[name] = meaning
        return name

    def fixed(self, node: ast.expr) -> bool:
        """Whether the expression depends on nothing that changes during a run."""
        return names(node) <= set(self.values)

    def write(self, node: ast.expr) -> str:
        """The expression in the kernel's language: constants hoisted, numbers of its precision."""
        return ast.unparse(self._rewritten(node))

    def _rewritten(self, node: ast.expr) -> ast.expr:
        if self.fixed(node):
            value = ast.Name(self._hoisted(node)) if names(node) else _real(evaluate(node, {}))
            return ast.Compare(value, [ast.Gt()], [_real(0.0)]) if is_condition(node) else value
        match node:
            case ast.Name(name):
                return ast.Name("active") if name == NOT_REFRACTORY else node
            case ast.BinOp(base, ast.Pow(), ast.Constant(value=int(power))) if 1 < power < 9:
                return ast.BinOp(self._rewritten(base), ast.Pow(), ast.Constant(power))
            case ast.BinOp(left, ast.Div(), right) if self.fixed(right):  # a product is quicker
                inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), right)
                return ast.BinOp(self._rewritten(left), ast.Mult(), self._rewritten(inverse))
            case ast.BinOp(left, op, right):
                return ast.BinOp(self._rewritten(left), op, self._rewritten(right))
            case ast.UnaryOp(op, operand):
                return ast.UnaryOp(op, self._rewritten(operand))
            case ast.BoolOp(op, parts):  # not `and`: a branch would keep the loop from vectorising
                join = ast.BitAnd() if isinstance(op, ast.And) else ast.BitOr()
                parts = [self._rewritten(part) for part in parts]
                return reduce(lambda a, b: ast.BinOp(a, join, b), parts)
            case ast.Compare(left, ops, [right]):
                return ast.Compare(self._rewritten(left), ops, [self._rewritten(right)])
            case ast.IfExp(test, body, orelse):
                return ast.IfExp(*map(self._rewritten, (test, body, orelse)))
            case ast.Call(function, args):
                return ast.Call(function, [self._rewritten(arg) for arg in args], [])
        raise AssertionError(ast.dump(node))

    def _hoisted(self, node: ast.expr) -> str:
        """Name of the constant that an expression in parameters alone amounts to."""
        if isinstance(node, ast.Name):
            return self.constant(node.id, self.values[node.id])
        text = ast.unparse(node)
        for name, meaning in self.meaning.items():
            if meaning == text:
                return name
        return self.constant(f"k{len(self.meaning)}", evaluate(node, self.values), text)


def _real(number: float) -> ast.expr:
    """A number of the kernel's precision."""
    return ast.Call(ast.Name("real"), [ast.Constant(float(number))], [])


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


def _exact(writer: _Writer, held: tuple[str, ...]) -> list[str]:
    """x_new = P x + Q (b + B w), the zeros of P and Q left out."""
    derivatives = writer.dynamics.derivatives
    variables = list(derivatives)
    arriving = [f"w_{name}" for name in writer.dynamics.arrivals]
    forms = {v: affine(node, [*variables, *arriving, "xi"]) for v, node in derivatives.items()}
    noise = {v: form.pop("xi") for v, form in forms.items() if "xi" in form}
    lines = []
    writer.diverges = False
    free = [v for v in variables if v not in held]
    # Held variables stand still while refractory; what follows them then has other propagators.
    follows = any(set(forms[v]) & set(held) for v in free)
    new = _propagate(writer, variables, forms, arriving, "")
    for v, term in _exact_noise(writer, variables, forms, noise, "").items():
        new[v] += term
    for v in variables:
        lines.append(f"{v}_new = {new[v]}")
    if follows:
        still = {v: ({} if v in held else form) for v, form in forms.items()}
        waiting = _propagate(writer, variables, still, arriving, "_held")
        free_noise = {v: node for v, node in noise.items() if v in free}
        for v, term in _exact_noise(writer, variables, still, free_noise, "_held").items():
            waiting[v] += term
        lines += [f"{v}_held = {waiting[v]}" for v in free]
    for v in variables:
        if v in held:
            lines.append(f"{v} = {v}_new if active else {v}")
        else:
            lines.append(f"{v} = {v}_new if active else {v}_held" if follows else f"{v} = {v}_new")
    return lines


def _exact_noise(
    writer: _Writer, variables: list[str], forms: dict, noise: dict[str, ast.expr], suffix: str
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


def _noise(writer: _Writer, v: str, node: ast.expr) -> tuple[ast.expr, ast.expr | None]:
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
                name = writer.constant(f"p_{v}_{x}{suffix}", p[..., i, j])
                terms.append(f"{name} * {x}")
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
            terms.append(f"{writer.constant(f'q_{v}_{source}{suffix}', value)} * {source}")
        if constant is not None:
            terms.append(writer.constant(f"q_{v}{suffix}", constant))
        result[v] = " + ".join(terms)
    writer.diverges |= bool(np.any(np.linalg.eigvals(matrix).real > 1e-9))
    return result


def _exponential_euler(writer: _Writer) -> list[str]:
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
            growth = ast.Call(ast.Name("exprel"), [ast.BinOp(a, ast.Mult(), ast.Name("dt"))], [])
            change = f"{writer.write(ast.Name('dt'))} * ({writer.write(node)})"
            lines.append(f"{v}_new = {v} + {change} * {writer.write(growth)}{noise}")
    return lines


def _exponential_midpoint(writer: _Writer, held: tuple[str, ...]) -> list[str]:
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


def _grown(
    writer: _Writer, v: str, node: ast.expr, at: Mapping[str, ast.expr], share: float
) -> str:
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


def _spread(writer: _Writer, v: str, node: ast.expr, strength: ast.expr) -> str:
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


def _runge_kutta(writer: _Writer, method: str, held: tuple[str, ...]) -> list[str]:
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
    lines = []

    def moved(v: str, coefficients: list[float]) -> str:
        terms = [f"real({c!r}) * d{v}_{k}" for k, c in enumerate(coefficients) if c]
        return f"{v} + {dt} * ({' + '.join(terms)})"

    for k, coefficients in enumerate(stages):
        at = {}
        if any(coefficients):
            for v in derivatives:
                lines.append(f"{v}_{k} = {moved(v, coefficients)}")
                at[v] = ast.Name(f"{v}_{k}")
            if any("t" in names(node) for node in derivatives.values()):
                lines.append(f"t_{k} = t + real({sum(coefficients)!r}) * {dt}")
                at["t"] = ast.Name(f"t_{k}")
        for v, node in derivatives.items():
            change = writer.write(substitute(node, at))
            lines.append(
                f"d{v}_{k} = {change}"
                if v not in held
                else f"d{v}_{k} = ({change}) if active else real(0.0)"
            )
    for v in derivatives:
        extra = f" + {_spread(writer, v, ast.Constant(0.0), noise[v])}" if v in noise else ""
        lines.append(f"{v}_new = {moved(v, weights)}{extra}")
    return lines


def _scheme(writer: _Writer, held: tuple[str, ...]) -> list[str]:
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


def _step(writer: _Writer, model: NeuronModel) -> list[str]:
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


def generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr] | None = None,
) -> Kernel:
    """Write the kernel of a population.

    Parameters
    ----------
    model : NeuronModel
    values : mapping
        Value of every parameter: a number, or an array with one value per neuron.
    dt : float
        Step (ms).
    precision : "single" or "double"
    observed : mapping
        Expressions that are kept as rows of these names, as of the end of each step, before a
        reset.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused
        return _generate(model, values, dt, precision, observed or {})


def _generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr],
) -> Kernel:
    writer = _Writer(model, values, dt)
    dynamics = model.dynamics
    variables = list(dynamics.derivatives)
    receptors = list(dynamics.arrivals)
    waits = dynamics.refractory is not None
    by_condition = waits and is_condition(dynamics.refractory)
    for name in receptors:
        writer.constant(f"unit_{name}", 1.0, f"weight of one unit of the input {name!r}")

    step = _step(writer, model)
    ended = {"t": ast.Name("t_end")}
    for statement in (s for arrival in dynamics.arrivals.values() for s in arrival):
        v, value = statement.variable, writer.write(substitute(statement.value, ended))
        held = v in dynamics.held and waits
        step.append(f"{v} = ({value}) if active else {v}" if held else f"{v} = {value}")
    tiny = repr(_TINY[precision])
    step += [f"{v} = real(0.0) if abs({v}) < real({tiny}) else {v}" for v in variables]

    threshold = writer.write(substitute(dynamics.threshold, ended))
    reset = [f"{s.variable} = {writer.write(substitute(s.value, ended))}" for s in dynamics.reset]
    if by_condition:
        waiting = writer.write(dynamics.refractory)
        reset.append(f"{REFRACTORY} = real(0.0)")
    elif waits:
        steps = np.floor(np.asarray(evaluate(dynamics.refractory, writer.values)) / dt + 0.5)
        if np.any(steps < 0):
            raise ValueError(
                f"{model.name}: the refractory time is {np.min(steps) * dt:g} ms; it must not be "
                "negative."
            )
        writer.constant("refractory_steps", steps, f"{ast.unparse(dynamics.refractory)} in steps")
        reset.append(f"{REFRACTORY} = refractory_steps")
    if waits:
        threshold = f"({threshold}) & ({REFRACTORY} < real(0.0))"
    seen = [f"{row} = {writer.write(substitute(node, ended))}" for row, node in observed.items()]
    everything = [*dynamics.expressions, *observed.values()]
    knows_time = any("t" in names(node) for node in everything)
    if knows_time:
        dt_name = writer.write(ast.Name("dt"))

    rows = [*variables, *([REFRACTORY] if waits else []), *observed, *writer.per_neuron]
    changing = rows[: len(rows) - len(writer.per_neuron)]
    kind, integer = ("float32", "int32") if precision == "single" else ("float64", "int64")
    out: list[str] = []
    put = out.append
    put(f'"""One step of a population of {model.name} neurons, {precision} precision."""\n')
    put("import numpy as np")
    put("from numba import types")
    put("from numpy import ceil, floor, sqrt\n")
    put("from spikesim.engine.cache import entry")
    put("from spikesim.engine.functions import cos, exp, exprel, log, sin, tanh")
    put("from spikesim.engine.intrinsics import lanes")
    put("from spikesim.engine.noise import normals\n")
    put(f"real = np.{kind}\n\n")
    put("@entry(")
    put("    types.int64(")
    put(f"        types.CPointer(types.{kind}),")
    put(f"        types.CPointer(types.{kind}),")
    put(f"        types.CPointer(types.{integer}),")
    put("        types.CPointer(types.int32),")
    put("        types.int64, types.int64, types.int64, types.int64, types.int64, types.int64,")
    put("    )")
    put(")")
    put(f"def update({', '.join(ABI)}):")
    for place, name in enumerate(writer.scalars):
        note = writer.meaning.get(name)
        put(f"    {name} = const[{place}]" + (f"  # {note}" if note else ""))
    if knows_time:
        put(f"    t = real(step) * {dt_name}")
        put(f"    t_end = real(step + 1) * {dt_name}")
    put("    count = 0")
    put("    for block in range(first, last):")
    for place, name in enumerate(rows):
        put(f"        {name}_ = lanes(state, {len(rows)} * block + {place})")
    for place, name in enumerate(receptors):
        put(f"        in_{name} = lanes(ring, {len(receptors)} * (block - first) + {place})")
    put("        crossed = False")
    put("        for j in range(64):")
    for name in rows:
        put(f"            {name} = {name}_[j]")
    if by_condition:
        put(f"            waits = ({REFRACTORY} >= real(0.0)) & ({waiting})")
        put(f"            {REFRACTORY} = real(0.0) if waits else real(-1.0)")
        put(f"            active = {REFRACTORY} < real(0.0)")
    elif waits:
        put(f"            {REFRACTORY} = max({REFRACTORY} - real(1.0), real(-1.0))")
        put(f"            active = {REFRACTORY} < real(0.0)")
    elif dynamics.held or any(NOT_REFRACTORY in names(node) for node in dynamics.expressions):
        put("            active = True")
    for name in receptors:
        put(f"            w_{name} = real(in_{name}[j]) * unit_{name}")
        put(f"            in_{name}[j] = 0")
    for pair in range((writer.normals + 1) // 2):
        put(
            f"            z_{2 * pair}, z_{2 * pair + 1} = "
            f"normals(real, 64 * block + j, step, {pair}, key)"
        )
    out += [f"            {line}" for line in [*step, *seen]]
    for name in changing:
        put(f"            {name}_[j] = {name}")
    put(f"            crossed |= {threshold}")
    if writer.diverges:
        for name in variables:
            put(f"            crossed |= not abs({name}) < real({_HUGE[precision]!r})")
    put("        if crossed:")
    put("            for j in range(min(64, size - 64 * block)):")
    for name in rows:
        put(f"                {name} = {name}_[j]")
    put(f"                if {threshold}:")
    out += [f"                    {line}" for line in reset]
    for name in changing:
        put(f"                    {name}_[j] = {name}")
    put("                    ids[count] = base + 64 * block + j")
    put("                    count += 1")
    if writer.diverges:
        for place, name in enumerate(variables):
            put(f"                if not abs({name}) < real({_HUGE[precision]!r}):")
            put(f"                    return ~((64 * block + j) * {len(variables)} + {place})")
    put("    return count")
    return Kernel("\n".join(out) + "\n", rows, writer.scalars, writer.per_neuron)
