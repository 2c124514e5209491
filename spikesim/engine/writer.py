"""Expressions in the kernel's language: constants hoisted, numbers of the kernel's precision."""

import ast
from collections.abc import Mapping
from functools import reduce

import numpy as np

from spikesim.equations import NOT_REFRACTORY, affine, evaluate, is_condition, names
from spikesim.model import NeuronModel


class Writer:
    """Collects constants and turns expressions into the kernel's language."""

    def __init__(self, model: NeuronModel, values: Mapping[str, object], dt: float) -> None:
        self.name, self.dynamics = model.name, model.dynamics
        self.values = {**values, "dt": dt}
        self.scalars: dict[str, float] = {}
        self.per_neuron: dict[str, np.ndarray] = {}
        self.meaning: dict[str, str] = {}
        self.normals = 0  # normal variables that a step of a neuron draws
        self.slopes: list[str] = []  # arguments of `exprel` that are watched
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
            value = ast.Name(self._hoisted(node)) if names(node) else real(evaluate(node, {}))
            return ast.Compare(value, [ast.Gt()], [real(0.0)]) if is_condition(node) else value
        match node:
            case ast.Name(name):
                return ast.Name("active") if name == NOT_REFRACTORY else node
            case ast.BinOp(base, ast.Pow(), ast.Constant(value=int(power))) if 1 < power < 9:
                return ast.BinOp(self._rewritten(base), ast.Pow(), ast.Constant(power))
            case ast.BinOp(left, ast.Div(), right) if self.fixed(right):  # a product is quicker
                inverse = ast.BinOp(ast.Constant(1.0), ast.Div(), right)
                return ast.BinOp(self._rewritten(left), ast.Mult(), self._rewritten(inverse))
            case ast.BinOp(left, ast.Add() | ast.Sub() as op, right) if not self.dynamics.scheme:
                return _fused(self._rewritten(left), op, self._rewritten(right))
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

    def growth(self, node: ast.expr, slope: str) -> str:
        """Name of the function for `exprel` of a slope: ``growth`` if it can be watched."""
        form = affine(node, list(self.dynamics.derivatives))
        changed = {statement.variable for statement in self.dynamics.reset}
        if form is None or not all(map(self.fixed, form.values())) or names(node) & changed:
            return "exprel"
        self.slopes.append(slope)
        return "growth"

    def linear(self, name: str, node: ast.expr, scale: float) -> str:
        """``scale`` times the expression, short if it is a sum of variables with fixed factors."""
        variables = list(self.dynamics.derivatives)
        form = affine(node, variables)
        if form is None or not all(self.fixed(factor) for factor in form.values()):
            return self.write(ast.BinOp(node, ast.Mult(), ast.Constant(scale)))
        constants = {
            x: self.constant(f"{name}_{x}" if x else name, scale * evaluate(factor, self.values))
            for x, factor in form.items()
        }
        rest = constants.pop("", "")
        return combination([(constant, x) for x, constant in constants.items()], rest)

    def _hoisted(self, node: ast.expr) -> str:
        """Name of the constant that an expression in parameters alone amounts to."""
        if isinstance(node, ast.Name):
            return self.constant(node.id, self.values[node.id])
        text = ast.unparse(node)
        for name, meaning in self.meaning.items():
            if meaning == text:
                return name
        return self.constant(f"k{len(self.meaning)}", evaluate(node, self.values), text)


def combination(terms: list[tuple[str, str]], rest: str = "") -> str:
    """A sum of products and of the rest, in the kernel's language."""
    for factor, x in reversed(terms):
        rest = f"fma({factor}, {x}, {rest})" if rest else f"{factor} * {x}"
    return rest or "real(0.0)"


def _fused(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    """A sum or a difference; with a product in it as one operation, rounded once.

    Said outright, as compilers choose differently which to fuse, it is the same on every machine.
    """
    match left, op, right:
        case ast.BinOp(a, ast.Mult(), b), ast.Add(), c:
            return ast.Call(ast.Name("fma"), [a, b, c], [])
        case c, ast.Add(), ast.BinOp(a, ast.Mult(), b):
            return ast.Call(ast.Name("fma"), [a, b, c], [])
        case ast.BinOp(a, ast.Mult(), b), ast.Sub(), c:
            return ast.Call(ast.Name("fma"), [a, b, ast.UnaryOp(ast.USub(), c)], [])
        case c, ast.Sub(), ast.BinOp(a, ast.Mult(), b):
            return ast.Call(ast.Name("fma"), [ast.UnaryOp(ast.USub(), a), b, c], [])
    return ast.BinOp(left, op, right)


def real(number: float) -> ast.expr:
    """A number of the kernel's precision."""
    return ast.Call(ast.Name("real"), [ast.Constant(float(number))], [])
