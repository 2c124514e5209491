"""Expressions in the kernel's language: constants hoisted, numbers of the kernel's precision.

What is fixed during a run is given a name once and how it follows from parameters is kept as a
`Recipe`, so that a parameter can be changed without the text being written anew.

Time is double in every kernel, and so is what is computed with it (`Writer.timed`) until it is a
number like others: after hours a 32-bit time knows no phase.
"""

import ast
import re
from collections.abc import Mapping
from functools import reduce
from typing import Any

import numpy as np

from spikesim.codegen.recipes import Fact, Recipe, check_fits, formula
from spikesim.codegen.rows import carry_of
from spikesim.description.equations import NOT_REFRACTORY, affine, evaluate, is_condition, names
from spikesim.description.neuron import NeuronModel
from spikesim.times import ratio

SLOW = 1e-3  # of its distance a variable goes in a step: below it what rounding loses is carried
TIME = re.compile(r"t|_t_end|_t_\d+")  # what kernels call it
END = {"t": ast.Name("_t_end")}  # what is done at the end of a step sees that time
_THROUGH = {"floor", "ceil", "abs", "min", "max"}  # functions of a time that are like a time


class Writer:
    """Collects constants and turns expressions into the kernel's language.

    Attributes
    ----------
    carried : tuple of str
        Variables of which a row of its own keeps what rounding loses.
    clocks : set of str
        Variables that are set to a time.
    """

    def __init__(
        self,
        model: NeuronModel,
        values: Mapping[str, Any],
        dt: float,
        precision: str,
        start: Mapping[str, Any],
    ) -> None:
        self.name, self.dynamics = model.name, model.dynamics
        self.values = {**values, "dt": dt}
        self.single = precision == "single"
        self.recipes: dict[str, Recipe] = {}
        self.scalars: dict[str, float] = {}
        self.per_neuron: dict[str, np.ndarray] = {}
        self.wide: dict[str, np.ndarray] = {}  # the same in double precision, whatever the kernel's
        self.meaning: dict[str, str] = {}
        self.facts: list[Fact] = []
        self.normals = 0  # normal variables that a step of a neuron draws
        self.slopes: list[str] = []  # arguments of `exprel` that are watched
        self.diverges = True  # unless the scheme is known to stay finite
        written = [*self.dynamics.reset, *self.dynamics.scheme]
        written += [s for arrival in self.dynamics.arrivals.values() for s in arrival]
        self.clocks: set[str] = set()
        for _ in written:  # a time may be handed on
            self.clocks |= {s.variable for s in written if self.timed(s.value)}
        self.carried: tuple[str, ...] = ()
        if self.single:
            slow = {v for v in self.dynamics.derivatives if self._slow(v, start)}
            self.carried = tuple(v for v in self.dynamics.derivatives if v in slow | self.clocks)

    def _slow(self, v: str, start: Mapping[str, Any]) -> bool:
        """Whether a variable of any neuron goes so little of its way in a step.

        Its rate is what dv/dt is multiplied by v in; where that changes, at the start.
        """
        node = self.dynamics.derivatives[v]
        form = affine(node, [v])
        if form is not None and self.fixed(form.get(v, ast.Constant(0.0))):
            rate = formula(form.get(v, ast.Constant(0.0)))
        else:
            others = {f"w_{r}": 0.0 for r in self.dynamics.arrivals}
            at = {"t": 0.0, "xi": 0.0, NOT_REFRACTORY: True, **others}
            at |= {x: np.asarray(start.get(x, 0.0), float) for x in self.dynamics.derivatives}
            h = 1e-4 * (1 + abs(at[v]))

            def slope(values: Mapping[str, Any]) -> np.ndarray:
                ends = ({**values, **at, v: at[v] + sign * h} for sign in (1, -1))
                above, below = (evaluate(node, end) for end in ends)
                return (above - below) / (2 * h)

            rate = Recipe(frozenset(), slope)  # not looked at again when a parameter is set
        dt = self.values["dt"]
        return bool(self.fact(rate.then(lambda x: np.any(-np.expm1(-np.abs(x) * dt) < SLOW))))

    def fact(self, recipe: Recipe) -> np.ndarray:
        """What is found, noted as what the text depends on."""
        found = recipe(self.values)
        if recipe.needs - {"dt"}:
            self.facts.append(Fact(recipe, found))
        return found

    def normal(self) -> str:
        """Name of one more normal variable."""
        self.normals += 1
        return f"_z{self.normals - 1}"

    def constant(self, name: str, recipe: Recipe, meaning: str = "") -> str:
        """Give what is fixed during a run a name in the kernel.

        One of the kernel's own that is taken, as ``_a_b_c_p`` of a and b_c is by a_b and c, gets
        an underscore more.
        """
        while name.startswith("_") and name in self.recipes:
            name += "_"
        if meaning and meaning != name:
            self.meaning[name] = meaning
        value = recipe(self.values)
        check_fits(self.name, meaning or name, value, self.single)
        self.recipes[name] = recipe
        if value.ndim:
            self.per_neuron[name] = value
        else:
            self.scalars[name] = float(value)
        return name

    def fixed(self, node: ast.expr) -> bool:
        """Whether the expression depends on nothing that changes during a run."""
        return names(node) <= set(self.values)

    def timed(self, node: ast.expr) -> bool:
        """Whether an expression is like a time: single precision would be too little for it."""
        match node:
            case ast.Name(name):
                return bool(TIME.fullmatch(name)) or name in self.clocks
            case ast.BinOp(left, _, right):
                return self.timed(left) or self.timed(right)
            case ast.UnaryOp(ast.USub() | ast.UAdd(), operand):
                return self.timed(operand)
            case ast.IfExp(_, body, orelse):
                return self.timed(body) or self.timed(orelse)
            case ast.Call(ast.Name(name), arguments):
                return name in _THROUGH and any(map(self.timed, arguments))
        return False

    def write(self, node: ast.expr) -> str:
        """The expression in the kernel's language: constants hoisted, numbers of its precision."""
        return ast.unparse(self._rewritten(node))

    def _rewritten(self, node: ast.expr) -> ast.expr:
        if self.fixed(node):
            value = ast.Name(self._hoisted(node)) if names(node) else real(evaluate(node, {}))
            return ast.Compare(value, [ast.Gt()], [real(0.0)]) if is_condition(node) else value
        if self.timed(node):
            return ast.Call(ast.Name("_real"), [self._widened(node)], [])
        match node:
            case ast.Name(name):
                return ast.Name("_active") if name == NOT_REFRACTORY else node
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
            case ast.Compare(left, ops, [right]) if self.timed(left) or self.timed(right):
                return ast.Compare(self._widened(left), ops, [self._widened(right)])
            case ast.Compare(left, ops, [right]):
                return ast.Compare(self._rewritten(left), ops, [self._rewritten(right)])
            case ast.IfExp(test, body, orelse):
                return ast.IfExp(*map(self._rewritten, (test, body, orelse)))
            case ast.Call(function, args) if any(map(self.timed, args)):
                wide = ast.Call(function, [self._widened(arg) for arg in args], [])
                return ast.Call(ast.Name("_real"), [wide], [])
            case ast.Call(function, args):
                return ast.Call(function, [self._rewritten(arg) for arg in args], [])
        raise AssertionError(ast.dump(node))

    def _widened(self, node: ast.expr) -> ast.expr:
        """The expression in double precision; sums of time times a factor rounded once."""
        if self.fixed(node):
            if not names(node):
                return ast.Constant(float(evaluate(node, {})))
            return ast.Name(self.wide_constant(node))
        times = [name for name in names(node) if TIME.fullmatch(name)]
        form = affine(node, times) if len(times) == 1 else None
        if form is not None and not isinstance(node, ast.Name) and self.fixed(form[times[0]]):
            factor, rest = self._widened(form[times[0]]), form.get("")
            if rest is None:
                return ast.BinOp(factor, ast.Mult(), ast.Name(times[0]))
            arguments = [factor, ast.Name(times[0]), self._widened(rest)]
            return ast.Call(ast.Name("_fma"), arguments, [])
        match node:
            case ast.Name(name) if TIME.fullmatch(name):
                return node
            case ast.Name(name) if name in self.carried:
                return ast.BinOp(_wide(node), ast.Add(), _wide(ast.Name(carry_of(name))))
            case ast.Name(name) if name in self.clocks:
                return _wide(node)
            case ast.BinOp(left, op, right):
                return ast.BinOp(self._widened(left), op, self._widened(right))
            case ast.UnaryOp(op, operand):
                return ast.UnaryOp(op, self._widened(operand))
            case ast.IfExp(test, body, orelse):
                return ast.IfExp(self._rewritten(test), self._widened(body), self._widened(orelse))
            case ast.Call(function, args) if any(map(self.timed, args)):
                return ast.Call(function, [self._widened(arg) for arg in args], [])
        return _wide(self._rewritten(node))

    def wide_constant(self, node: ast.expr) -> str:
        """Name of a constant in double precision."""
        text = ast.unparse(node)
        name = f"_{text}_wide" if isinstance(node, ast.Name) else ""
        for known, meaning in self.meaning.items():
            if known in self.wide and meaning == text:
                return known
        return self.wide_value(name or f"_wide{len(self.wide)}", formula(node), text)

    def wide_value(self, name: str, recipe: Recipe, meaning: str = "") -> str:
        value = recipe(self.values)
        check_fits(self.name, meaning or name, value, False)
        self.recipes[name], self.wide[name], self.meaning[name] = recipe, value, meaning
        return name

    def times(self) -> list[str]:
        """What makes the time (ms) at the beginning and at the end of the step."""
        above, below = ratio(self.values["dt"])
        a = self.wide_value("_t_above", Recipe(frozenset(), lambda _: above), "dt is this ...")
        b = self.wide_value("_t_below", Recipe(frozenset(), lambda _: below), "... over this")
        return [f"t = _wide(_step) * {a} / {b}", f"_t_end = _wide(_step + 1) * {a} / {b}"]

    def moved(self, v: str, share: float) -> str:
        """The line that makes the time of a stage within the step."""
        return f"{v} = t + {share!r} * {self.wide_constant(ast.Name('dt'))}"

    def assigned(self, v: str, node: ast.expr, where: str = "") -> list[str]:
        """Lines of ``v = expression``, all of it kept of variables that are carried.

        ``where`` is a condition: elsewhere v stays as it is.
        """
        if v not in self.carried:
            value = self.write(node)
            return [f"{v} = ({value}) if {where} else {v}" if where else f"{v} = {value}"]
        match node:
            case ast.BinOp(ast.Name(name), ast.Add(), change) if name == v and v not in self.clocks:
                return self.summed(v, self.write(change), where)
            case ast.BinOp(ast.Name(name), ast.Sub(), change) if name == v and v not in self.clocks:
                return self.summed(v, self.write(ast.UnaryOp(ast.USub(), change)), where)
        lines = [f"_{v}_set = {ast.unparse(self._widened(node))}"]
        value, rest = f"_real(_{v}_set)", f"_real(_{v}_set - _wide(_real(_{v}_set)))"
        if where:
            value, rest = f"{value} if {where} else {v}", f"{rest} if {where} else {carry_of(v)}"
        return [*lines, f"{carry_of(v)} = {rest}", f"{v} = {value}"]

    def either(self, v: str, condition: str, a: ast.expr, b: ast.expr) -> str:
        """One of two values that a variable can have, in double precision if it is a time."""
        if v not in self.clocks:
            return f"({self.write(a)}) if {condition} else {self.write(b)}"
        self.clocks.add(f"_{v}_after")
        return (
            f"({ast.unparse(self._widened(a))}) if {condition} else {ast.unparse(self._widened(b))}"
        )

    def summed(self, v: str, change: str, where: str = "") -> list[str]:
        """Lines that add to a variable of which what rounding loses is carried."""
        change = f"({change}) if {where} else _real(0.0)" if where else change
        carry = carry_of(v)
        return [f"{v}, {carry} = _carried({v}, {change}, {carry})"]

    def stepped(self, v: str, change: str, new: str) -> str:
        """A line for what a method gives: v's change if v is carried, or else its new value."""
        return f"_{v}_change = {change}" if v in self.carried else f"_{v}_new = {new}"

    def taken(self, v: str, held: bool) -> list[str]:
        """Lines that let v be what a method gave, or stand still while it is held."""
        if v in self.carried:
            return self.summed(v, f"_{v}_change", "_active" if held else "")
        return [f"{v} = _{v}_new if _active else {v}" if held else f"{v} = _{v}_new"]

    def all_taken(self) -> list[str]:
        """Lines that let every variable be what a method gave."""
        held = self.dynamics.held
        return [line for v in self.dynamics.derivatives for line in self.taken(v, v in held)]

    def growth(self, node: ast.expr, slope: str) -> str:
        """Name of the function for `exprel` of a slope: ``_growth`` if it can be watched."""
        form = affine(node, list(self.dynamics.derivatives))
        changed = {statement.variable for statement in self.dynamics.reset}
        if form is None or not all(map(self.fixed, form.values())) or names(node) & changed:
            return "exprel"
        self.slopes.append(slope)
        return "_growth"

    def linear(self, v: str, what: str, node: ast.expr, scale: float) -> str:
        """``scale`` times the expression, short if it is a sum of variables with fixed factors.

        These are called after v and what they are.
        """
        variables = list(self.dynamics.derivatives)
        form = affine(node, variables)
        if form is None or not all(self.fixed(factor) for factor in form.values()):
            return self.write(ast.BinOp(node, ast.Mult(), ast.Constant(scale)))
        constants = {
            x: self.constant(
                f"_{v}_{x}_{what}" if x else f"_{v}_{what}",
                formula(factor).then(lambda x: scale * x),
            )
            for x, factor in form.items()
        }
        rest = constants.pop("", "")
        return combination([(constant, x) for x, constant in constants.items()], rest)

    def _hoisted(self, node: ast.expr) -> str:
        """Name of the constant that an expression in parameters alone amounts to."""
        if isinstance(node, ast.Name):
            return self.constant(node.id, formula(node))
        text = ast.unparse(node)
        for name, meaning in self.meaning.items():
            if meaning == text and name not in self.wide:
                return name
        return self.constant(f"_k{len(self.meaning)}", formula(node), text)


def combination(terms: list[tuple[str, str]], rest: str = "") -> str:
    """A sum of products and of the rest, in the kernel's language."""
    for factor, x in reversed(terms):
        rest = f"_fma({factor}, {x}, {rest})" if rest else f"{factor} * {x}"
    return rest or "_real(0.0)"


def _fused(left: ast.expr, op: ast.operator, right: ast.expr) -> ast.expr:
    """A sum or a difference; with a product in it as one operation, rounded once.

    Said outright, as compilers choose differently which to fuse, it is the same on every machine.
    """
    match left, op, right:
        case ast.BinOp(a, ast.Mult(), b), ast.Add(), c:
            return ast.Call(ast.Name("_fma"), [a, b, c], [])
        case c, ast.Add(), ast.BinOp(a, ast.Mult(), b):
            return ast.Call(ast.Name("_fma"), [a, b, c], [])
        case ast.BinOp(a, ast.Mult(), b), ast.Sub(), c:
            return ast.Call(ast.Name("_fma"), [a, b, ast.UnaryOp(ast.USub(), c)], [])
        case c, ast.Sub(), ast.BinOp(a, ast.Mult(), b):
            return ast.Call(ast.Name("_fma"), [ast.UnaryOp(ast.USub(), a), b, c], [])
    return ast.BinOp(left, op, right)


def _wide(node: ast.expr) -> ast.expr:
    return ast.Call(ast.Name("_wide"), [node], [])


def real(number: float) -> ast.expr:
    """A number of the kernel's precision."""
    return ast.Call(ast.Name("_real"), [ast.Constant(float(number))], [])
