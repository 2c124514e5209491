"""Do the units of a model's equations fit together?

A dimension is a tuple of powers of (ms, mV, pA, Hz, uA/cm2); nS is pA/mV, pF is pA ms/mV, and
mS/cm2 and uF/cm2 are so of uA/cm2. Hz stands by itself: 1 Hz is not 1/ms, and equations know no
factors; so do densities, as there is no unit of area. A number written out may carry any unit, as
the 0.04 of Izhikevich's v^2 does, so what it is multiplied with is not checked.
"""

import ast
from collections.abc import Mapping
from fractions import Fraction

import numpy as np

from spikesim.equations import EquationError, evaluate, names

Dimension = tuple[Fraction, ...] | None  # None: any
_BASE = ("ms", "mV", "pA", "Hz", "uA/cm2")


def _powers(*powers: int | Fraction) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, powers)) + (Fraction(0),) * (len(_BASE) - len(powers))


NONE = _powers()
UNITS: dict[str, Dimension] = {
    "1": NONE,
    "ms": _powers(1),
    "mV": _powers(0, 1),
    "pA": _powers(0, 0, 1),
    "Hz": _powers(0, 0, 0, 1),
    "nS": _powers(0, -1, 1),
    "pF": _powers(1, -1, 1),
    "1/ms": _powers(-1),
    "1/mV": _powers(0, -1),
    "mV/ms": _powers(-1, 1),
    "pA/ms": _powers(-1, 0, 1),
    "nS/ms": _powers(-1, -1, 1),
    "nS/mV": _powers(0, -2, 1),
    "uA/cm2": _powers(0, 0, 0, 0, 1),
    "mS/cm2": _powers(0, -1, 0, 0, 1),
    "uF/cm2": _powers(1, -1, 0, 0, 1),
    "": None,
}
TIME = UNITS["ms"]
NOISE = _powers(Fraction(-1, 2))  # of xi


def times(a: Dimension, b: Dimension, power: int = 1) -> Dimension:
    """Dimension of a b^power."""
    if a is None or b is None:
        return None
    return tuple(x + power * y for x, y in zip(a, b, strict=True))


def told(dimension: Dimension) -> str:
    """A dimension in words, such as "mV ms^-1"."""
    if dimension is None:
        return "any unit"
    for name, known in UNITS.items():
        if known == dimension:
            return "a pure number" if name == "1" else name
    powers = zip(_BASE, dimension, strict=True)
    return " ".join(f"{name}^{p}" if p != 1 else name for name, p in powers if p)


def dimension(node: ast.expr, units: Mapping[str, Dimension], where: str) -> Dimension:
    """The dimension of an expression.

    Raises
    ------
    EquationError
        What is added, compared or chosen between has different units, or a function or power is
        given something with a unit.
    """

    def of(part: ast.expr) -> Dimension:
        return dimension(part, units, where)

    def alike(parts: list[ast.expr]) -> Dimension:
        known: Dimension = None
        for part in parts:
            unit = of(part)
            if known is not None and unit is not None and unit != known:
                raise EquationError(
                    f"{where}: '{ast.unparse(parts[0])}' has unit {told(known)}, but "
                    f"'{ast.unparse(part)}' {told(unit)}."
                )
            known = known or unit
        return known

    def pure(part: ast.expr, reason: str) -> None:
        if of(part) not in (None, NONE):
            raise EquationError(
                f"{where}: '{ast.unparse(part)}' has unit {told(of(part))}, but {reason} takes a "
                "pure number."
            )

    match node:
        case ast.Constant():
            return None
        case ast.Name(name):
            return units.get(name)
        case ast.BinOp(left, ast.Add() | ast.Sub() | ast.Mod(), right):
            return alike([left, right])
        case ast.BinOp(left, ast.Mult(), right):
            return times(of(left), of(right))
        case ast.BinOp(left, ast.Div(), right):
            return times(of(left), of(right), -1)
        case ast.BinOp(left, ast.Pow(), right) if not names(right):
            unit, power = of(left), float(evaluate(right, {}))
            known = unit is not None and np.isfinite(power)
            return (
                tuple(Fraction(power).limit_denominator(100) * x for x in unit) if known else None
            )
        case ast.BinOp(left, ast.Pow(), right):
            pure(left, "a power that is not written out")
            pure(right, "an exponent")
            return NONE
        case ast.UnaryOp(_, operand):
            return of(operand)
        case ast.BoolOp(values=values):
            for value in values:
                of(value)
            return NONE
        case ast.Compare(left, _, [right]):
            alike([left, right])
            return NONE
        case ast.IfExp(test, body, orelse):
            of(test)
            return alike([body, orelse])
        case ast.Call(ast.Name("abs"), [argument]):
            return of(argument)
        case ast.Call(ast.Name("min" | "max"), arguments):
            return alike(arguments)
        case ast.Call(ast.Name("sqrt"), [argument]):
            unit = of(argument)
            return unit and tuple(x / 2 for x in unit)
        case ast.Call(ast.Name(name), [argument]):
            pure(argument, name)
            return NONE
    raise AssertionError(ast.dump(node))


def expect(
    node: ast.expr, wanted: Dimension, units: Mapping[str, Dimension], where: str, what: str
) -> None:
    """Hold an expression to a dimension."""
    unit = dimension(node, units, where)
    if unit is not None and wanted is not None and unit != wanted:
        raise EquationError(
            f"{where}: '{ast.unparse(node)}' has unit {told(unit)}, but {what} {told(wanted)}."
        )
