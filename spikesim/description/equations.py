"""Read a model's text: expressions, equations, statements. Parsed, never executed as code.

Expressions are Python's, restricted to numbers, names, arithmetic, comparisons, ``and``/``or``/
``not``, ``a if c else b``, the functions of `FUNCTIONS`, and those of `MACROS`, which are written
out in the others when an expression is read. ``pi`` is a number.
"""

import ast
import operator
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import reduce

import numpy as np


def _exprel(x: np.ndarray | float) -> np.ndarray:
    """(e to the x - 1) / x, and 1 at 0."""
    x = np.asarray(x, float)
    return np.where(x == 0, 1.0, np.expm1(x) / np.where(x == 0, 1.0, x))


FUNCTIONS = {
    "exp": np.exp,
    "exprel": _exprel,
    "log": np.log,
    "sqrt": np.sqrt,
    "sin": np.sin,
    "cos": np.cos,
    "tanh": np.tanh,
    "floor": np.floor,
    "ceil": np.ceil,
    "abs": np.abs,
    "min": np.minimum,
    "max": np.maximum,
}
MACROS = {
    "int": "1 if a else 0",
    "sign": "1 if a > 0 else (-1 if a < 0 else 0)",
    "clip": "min(max(a, b), c)",
    "expm1": "a * exprel(a)",
    "log10": "log(a) / log(10)",
    "tan": "sin(a) / cos(a)",
    "sinh": "a * (exprel(a) + exprel(-a)) / 2",  # nothing cancels, at 0 neither
    "cosh": "(exp(a) + exp(-a)) / 2",
}
NOT_REFRACTORY = "not_refractory"
_ARGUMENTS = {"min": 2, "max": 2, "clip": 3}
_ALLOWED = ", ".join([*FUNCTIONS, *MACROS])

_OPERATORS = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_COMPARISONS = {
    ast.Lt: np.less,
    ast.LtE: np.less_equal,
    ast.Gt: np.greater,
    ast.GtE: np.greater_equal,
    ast.Eq: np.equal,
    ast.NotEq: np.not_equal,
}


class EquationError(ValueError):
    """A model's text that cannot be understood; the sentence says what and where."""


def parse(text: str, where: str = "the expression") -> ast.expr:
    """Parse an expression, hold it to the whitelist and write out what is in `MACROS`.

    Raises
    ------
    EquationError
        A syntax error, or anything beyond arithmetic and the functions that there are.
    """
    try:
        node = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError) as error:
        column = getattr(error, "offset", None)
        place = f" at column {column}" if column else ""
        raise EquationError(f"{where}: syntax error{place} in '{text.strip()}'.") from None
    except (RecursionError, MemoryError):
        raise EquationError(f"{where}: '{text.strip()[:60]}...' is nested too deeply.") from None
    try:
        _check(node, where, text.strip())
        return _WriteOut().visit(node)
    except RecursionError:
        raise EquationError(f"{where}: '{text.strip()[:60]}...' is nested too deeply.") from None


class _WriteOut(ast.NodeTransformer):
    """Macros by what they stand for, pi by its value, x**0.5 by sqrt(x), x**2.0 by x**2."""

    def visit_Call(self, call: ast.Call) -> ast.expr:
        arguments = [self.visit(argument) for argument in call.args]
        if call.func.id in MACROS:
            macro = ast.parse(MACROS[call.func.id], mode="eval").body
            return substitute(macro, dict(zip("abc", arguments, strict=False)))
        return ast.Call(call.func, arguments, [])

    def visit_Name(self, name: ast.Name) -> ast.expr:
        return ast.Constant(np.pi) if name.id == "pi" else name

    def visit_BinOp(self, node: ast.BinOp) -> ast.expr:
        node = self.generic_visit(node)
        match node:
            case ast.BinOp(base, ast.Pow(), ast.Constant(value=0.5)):
                return ast.Call(ast.Name("sqrt"), [base], [])
            case ast.BinOp(base, ast.Pow(), ast.Constant(value=float(power))) if power % 1 == 0:
                return ast.BinOp(base, ast.Pow(), ast.Constant(int(power)))
        return node


def is_condition(node: ast.expr) -> bool:
    """Whether an expression is true or false rather than a number."""
    match node:
        case ast.Compare() | ast.BoolOp() | ast.UnaryOp(ast.Not()):
            return True
        case ast.Name(name):
            return name == NOT_REFRACTORY
    return False


def _check(node: ast.expr, where: str, text: str) -> None:
    conditions: list[ast.expr] = []
    match node:
        case ast.Constant(value=value) if type(value) in (int, float):
            return
        case ast.Name():
            return
        case ast.BinOp(left, op, right) if type(op) in _OPERATORS:
            parts = [left, right]
        case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
            parts = [operand]
        case ast.UnaryOp(ast.Not(), operand):
            parts, conditions = [], [operand]
        case ast.BoolOp(values=values):
            parts, conditions = [], values
        case ast.Compare(left, [op], [right]) if type(op) in _COMPARISONS:
            parts = [left, right]
        case ast.IfExp(test, body, orelse):
            parts, conditions = [body, orelse], [test]
        case ast.Call(ast.Name(name), args, []) if name in FUNCTIONS or name in MACROS:
            if len(args) != _ARGUMENTS.get(name, 1):
                raise EquationError(
                    f"{where}: {name} takes {_ARGUMENTS.get(name, 1)} argument(s), "
                    f"not {len(args)}, in '{text}'."
                )
            parts, conditions = ([], args) if name == "int" else (args, [])
        case ast.Call(func):
            raise EquationError(
                f"{where}: the call '{ast.unparse(func)}(...)' is not allowed in '{text}'; "
                f"allowed are {_ALLOWED}."
            )
        case _:
            raise EquationError(
                f"{where}: '{ast.unparse(node)}' is not allowed in '{text}'; allowed are numbers, "
                f"names, arithmetic, comparisons and {_ALLOWED}."
            )
    for part in [*parts, *conditions]:
        _check(part, where, text)
    for part in parts:
        if is_condition(part):
            raise EquationError(
                f"{where}: '{ast.unparse(part)}' is true or false where a number belongs in "
                f"'{text}'; write 'int({ast.unparse(part)})'."
            )
    for part in conditions:
        if not is_condition(part):
            raise EquationError(
                f"{where}: '{ast.unparse(part)}' is a number where a condition belongs in '{text}'."
            )


def names(node: ast.AST) -> set[str]:
    """Names an expression refers to, functions left out."""
    called = {id(n.func) for n in ast.walk(node) if isinstance(n, ast.Call)}
    return {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and id(n) not in called}


def evaluate(node: ast.expr, values: Mapping[str, object]) -> np.ndarray | float:
    """Value of an expression, by walking its tree; arrays broadcast."""
    match node:
        case ast.Constant(value=value):
            return value
        case ast.Name(name):
            return values[name]
        case ast.BinOp(left, op, right):
            a = evaluate(left, values)  # as NumPy's number, which may be divided by 0
            a = np.float64(a) if isinstance(a, float | int) else np.asarray(a, float)
            return _OPERATORS[type(op)](a, evaluate(right, values))
        case ast.UnaryOp(ast.USub(), operand):
            return -evaluate(operand, values)
        case ast.UnaryOp(ast.Not(), operand):
            return np.logical_not(evaluate(operand, values))
        case ast.UnaryOp(_, operand):
            return evaluate(operand, values)
        case ast.BoolOp(op, parts):
            join = np.logical_and if isinstance(op, ast.And) else np.logical_or
            return reduce(join, [evaluate(part, values) for part in parts])
        case ast.Compare(left, [op], [right]):
            return _COMPARISONS[type(op)](evaluate(left, values), evaluate(right, values))
        case ast.IfExp(test, body, orelse):
            return np.where(
                evaluate(test, values), evaluate(body, values), evaluate(orelse, values)
            )
        case ast.Call(ast.Name(name), args):
            return FUNCTIONS[name](*(evaluate(arg, values) for arg in args))
    raise AssertionError(ast.dump(node))


def substitute(node: ast.expr, definitions: Mapping[str, ast.expr]) -> ast.expr:
    """The expression with names replaced by their definitions."""

    class Replace(ast.NodeTransformer):
        def visit_Call(self, call: ast.Call) -> ast.Call:
            return ast.Call(call.func, [self.visit(arg) for arg in call.args], [])

        def visit_Name(self, name: ast.Name) -> ast.expr:
            return definitions.get(name.id, name)

    return Replace().visit(ast.parse(ast.unparse(node), mode="eval").body)


def affine(node: ast.expr, variables: Iterable[str]) -> dict[str, ast.expr] | None:
    """Coefficients of an expression that is affine in ``variables``; key "" is the constant.

    Coefficients are expressions in the other names. ``None`` if the expression is not affine.
    """
    variables = set(variables)
    if not names(node) & variables:
        return {"": node}
    match node:
        case ast.Name(name):
            return {name: ast.Constant(1.0)}
        case ast.UnaryOp(ast.USub(), operand):
            return _scaled(affine(operand, variables), lambda c: ast.UnaryOp(ast.USub(), c))
        case ast.UnaryOp(ast.UAdd(), operand):
            return affine(operand, variables)
        case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
            a, b = affine(left, variables), affine(right, variables)
            if a is None or b is None:
                return None
            total = dict(a)
            for name, c in b.items():
                if name in total:
                    total[name] = ast.BinOp(total[name], op, c)
                else:
                    total[name] = c if isinstance(op, ast.Add) else ast.UnaryOp(ast.USub(), c)
            return total
        case ast.BinOp(left, ast.Mult(), right):
            if not names(right) & variables:
                return _scaled(affine(left, variables), lambda c: _product(c, right))
            if not names(left) & variables:
                return _scaled(affine(right, variables), lambda c: _product(left, c))
        case ast.BinOp(left, ast.Div(), right) if not names(right) & variables:
            return _scaled(affine(left, variables), lambda c: ast.BinOp(c, ast.Div(), right))
    return None


def _scaled(coefficients, change):
    return coefficients and {name: change(c) for name, c in coefficients.items()}


def _product(left, right):
    for one, other in ((left, right), (right, left)):
        if isinstance(one, ast.Constant) and one.value == 1:
            return other
    return ast.BinOp(left, ast.Mult(), right)


@dataclass(frozen=True)
class Statement:
    """``variable = value`` or, with the old value put in, ``variable += value``."""

    variable: str
    value: ast.expr


_STATEMENT = re.compile(r"^\s*([A-Za-z_]\w*)\s*(\+|-|\*|/)?=(?!=)\s*(.+?)\s*$")
_EQUATION = re.compile(
    r"""(?: d(?P<variable>[A-Za-z_]\w*) \s*/\s* dt \s*=\s* (?P<derivative>.+?)
          | (?P<name>[A-Za-z_]\w*) \s*=\s* (?P<definition>.+?)
          | (?P<parameter>[A-Za-z_]\w*) (?=\s*:) )
        \s* (?: : \s* (?P<unit>[^\s()=]+) \s* (?: \( (?P<flags>[^()]*) \) )? )?""",
    re.VERBOSE,
)
_FLAGS = {  # by what is on the line
    "variable": ("unless refractory",),
    "name": (),
    "parameter": ("constant", "shared"),
}
_GOES_ON = re.compile(r"[-+*/%=<>(,:\\]$|\b(and|or|not|if|else)$")
_BEGINS = re.compile(r"[A-Za-z_]\w*\s*(/\s*dt\s*|[-+*/])?=(?!=)")
_BELONGS_BEFORE = re.compile(r"[-+*/%=<>:)]|(and|or|if|else)\b")


def _lines(text: str) -> list[str]:
    """Lines without comments, each with those that go on with it; semicolons part them too.

    A line goes on after an open bracket or an operator, or with an operator or a colon.
    """
    lines: list[str] = []
    open_brackets = 0
    for line in text.split("\n"):
        for part in line.split("#")[0].split(";"):
            part = part.strip()
            goes_on = open_brackets > 0 or (lines and _GOES_ON.search(lines[-1]))
            goes_on = goes_on and not _BEGINS.match(part)
            if lines and part and (goes_on or _BELONGS_BEFORE.match(part)):
                lines[-1] = f"{lines[-1].removesuffix(chr(92))} {part}"
            elif part:
                lines.append(part)
                open_brackets = 0
            open_brackets += part.count("(") - part.count(")")
    return lines


def statements(text: str, where: str) -> list[Statement]:
    """Read assignments, one per line or separated by semicolons."""
    result = []
    for line in _lines(text):
        match = _STATEMENT.match(line)
        if not match:
            raise EquationError(
                f"{where}: '{line}' is not an assignment such as 'v = v_reset' or 'u += d'."
            )
        variable, operator, value = match.groups()
        parse(value, where)
        result.append(
            Statement(variable, parse(f"{variable} {operator} ({value})", where))
            if operator
            else Statement(variable, parse(value, where))
        )
    return result


@dataclass(frozen=True)
class Equations:
    """What the equations of a model say; definitions are put in wherever they are used."""

    derivatives: dict[str, ast.expr]
    units: dict[str, str]  # of variables, definitions and parameters; "" where none is given
    definitions: dict[str, ast.expr]
    parameters: tuple[str, ...]  # that have a line of their own
    held: tuple[str, ...]  # variables flagged "(unless refractory)"


def equations(text: str, where: str) -> Equations:
    """Read lines ``dx/dt = expression : unit``, ``name = expression : unit``, ``name : unit``.

    These are variables, definitions and parameters. The unit may be left out but for parameters.
    Flags in brackets may follow it: for a variable ``(unless refractory)``, for a parameter
    ``(constant)`` and ``(shared)``, which change nothing.

    Raises
    ------
    EquationError
        A line of another form, an unknown flag, a name defined twice, or definitions that go in a
        circle.
    """
    derivatives, definitions, units, held = {}, {}, {}, []
    for line in _lines(text):
        match = _EQUATION.fullmatch(line)
        if not match:
            raise EquationError(
                f"{where}: '{line}' is neither 'dx/dt = ... : unit' nor 'name = ... : unit' nor "
                "'name : unit'."
            )
        kind = next(kind for kind in _FLAGS if match[kind])
        name = match[kind]
        if name in units:
            raise EquationError(f"{where}: '{name}' is defined twice.")
        units[name] = match["unit"] or ""
        if match["derivative"]:
            derivatives[name] = parse(match["derivative"], f"{where}, '{line}'")
        elif match["definition"]:
            definitions[name] = parse(match["definition"], f"{where}, '{line}'")
        for flag in filter(None, map(str.strip, (match["flags"] or "").split(","))):
            if flag not in _FLAGS[kind]:
                raise EquationError(
                    f"{where}, '{line}': the flag '{flag}' is not known here; known are "
                    f"{', '.join(_FLAGS[kind]) or 'none'}."
                )
            if kind == "variable":
                held.append(name)
    for _ in range(len(definitions)):
        definitions = {name: substitute(node, definitions) for name, node in definitions.items()}
    for name, node in definitions.items():
        if names(node) & set(definitions):
            raise EquationError(f"{where}: the definition of '{name}' goes in a circle.")
    derivatives = {v: substitute(node, definitions) for v, node in derivatives.items()}
    parameters = tuple(name for name in units if name not in derivatives | definitions)
    return Equations(derivatives, units, definitions, parameters, tuple(held))


@dataclass(frozen=True)
class Line:
    """A line of equations as it was written: ``name``, or ``dname/dt``, is ``value``."""

    text: str
    name: str
    value: ast.expr | None  # none for a parameter
    unit: str


def lines(text: str) -> list[Line]:
    """The lines of equations that `equations` has read, with nothing put in."""
    found = []
    for line in _lines(text):
        match = _EQUATION.fullmatch(line)
        kind = next(kind for kind in _FLAGS if match[kind])
        value = match["derivative"] or match["definition"]
        name = f"d{match[kind]}/dt" if kind == "variable" else match[kind]
        node = ast.parse(value.strip(), mode="eval").body if value else None
        found.append(Line(line, name, node, match["unit"] or ""))
    return found
