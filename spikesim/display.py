"""How objects show themselves: short values, tables of HTML, and equations in MathML.

It knows nothing of what it shows. HTML is whole in itself: no scripts, no styles from elsewhere.
"""

from __future__ import annotations

import ast
from collections.abc import Iterable, Sequence
from dataclasses import fields, is_dataclass
from html import escape
from typing import Any

import numpy as np

LEFT = "style='text-align:left'"
MOST_ROWS = 30  # of a table; more are told by number
GREEK = {
    name: chr(code)
    for code, name in enumerate(
        "alpha beta gamma delta epsilon zeta eta theta iota kappa lambda mu nu xi omicron pi rho "
        "final sigma tau upsilon phi chi psi omega".split(),
        start=0x3B1,
    )
}
_SIGNS = {
    ast.Add: "+",
    ast.Sub: "\u2212",
    ast.Mult: "\u00b7",
    ast.Mod: "mod",
    ast.Lt: "&lt;",
    ast.LtE: "\u2264",
    ast.Gt: "&gt;",
    ast.GtE: "\u2265",
    ast.Eq: "=",
    ast.NotEq: "\u2260",
    ast.And: "and",
    ast.Or: "or",
}


def short(value: Any) -> str:
    """A value in a few characters."""
    if isinstance(value, np.ndarray):
        return f"array{value.shape} of mean {value.mean():g}" if value.size else "array(0,)"
    if is_dataclass(value):
        shown = (f"{f.name}={short(getattr(value, f.name))}" for f in fields(value) if f.repr)
        return f"{type(value).__name__}({', '.join(shown)})"
    return f"{value:g}" if isinstance(value, float) else str(value)


def brief(value: Any) -> str:
    """The same, but of an object what is as by default is left out."""
    if not is_dataclass(value):
        return short(value)
    shown = []
    for f in fields(value):
        given = getattr(value, f.name)
        plain = isinstance(given, bool | int | float | str)
        if f.repr and given is not f.default and not (plain and given == f.default):
            shown.append(f"{f.name}={brief(given)}")
    return f"{type(value).__name__}({', '.join(shown)})"


def number(count: int, noun: str) -> str:
    """How many of something, in words: "1 input", "2,000 inputs"."""
    return f"{count:,} {noun}" + "s" * (count != 1)


def some(lines: Sequence[str], most: int, rest: str) -> list[str]:
    """The first lines, and how many there are besides."""
    if len(lines) <= most:
        return list(lines)
    return [*lines[: most - 1], f"... {len(lines) - most + 1:,} more {rest}"]


def span(values: np.ndarray) -> str:
    """Smallest and largest of some numbers."""
    return f"{values.min():g} to {values.max():g}" if values.size else "none"


def table(title: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> str:
    """A table of HTML; of many rows the first, and nothing of none."""
    rows = list(rows)
    if not rows:
        return ""
    head = "".join(f"<th {LEFT}>{escape(column)}</th>" for column in columns)
    body = "".join(
        "<tr>" + "".join(f"<td {LEFT}>{escape(str(cell))}</td>" for cell in row) + "</tr>"
        for row in rows[:MOST_ROWS]
    )
    more = f"<p>... {len(rows) - MOST_ROWS:,} more</p>" if len(rows) > MOST_ROWS else ""
    return (
        f"<table><caption {LEFT}>{escape(title)}</caption><thead><tr>{head}</tr></thead>"
        f"<tbody>{body}</tbody></table>{more}"
    )


def whole(title: str, *parts: str) -> str:
    """A title and what is below it, as HTML."""
    return f"<div><p><b>{escape(title)}</b></p>{''.join(parts)}</div>"


def equation(left: str, right: ast.expr, unit: str = "") -> str:
    """``left = right`` as MathML; ``dv/dt`` on the left is a fraction."""
    if left.startswith("d") and left.endswith("/dt"):
        variable = symbol(left[1:-3])
        shown = f"<mfrac><mrow><mi>d</mi>{variable}</mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac>"
    else:
        shown = symbol(left)
    told = f"<mspace width='1em'/><mtext>({escape(unit)})</mtext>" if unit else ""
    equal = f"{shown}<mo>=</mo>{mathml(right)}{told}"
    return f"<math display='block' style='margin:0.6em 0'>{equal}</math>"


def symbol(name: str) -> str:
    """A name as MathML: what follows the first underscore is below, Greek letters are letters."""
    base, _, below = name.partition("_")
    if not base or not below:
        return f"<mi>{GREEK.get(name, escape(name))}</mi>"
    below = ",".join(GREEK.get(part, escape(part)) for part in below.split("_"))
    return f"<msub><mi>{GREEK.get(base, escape(base))}</mi><mi>{below}</mi></msub>"


def mathml(node: ast.expr) -> str:
    """An expression in presentation MathML; division is a fraction, powers are raised."""
    match node:
        case ast.Constant(value):
            return f"<mn>{value}</mn>"
        case ast.Name(name):
            return symbol(name)
        case ast.BinOp(left, ast.Div(), right):
            return f"<mfrac>{_row(left)}{_row(right)}</mfrac>"
        case ast.BinOp(left, ast.Pow(), right):
            return f"<msup>{_row(left, 9)}{_row(right)}</msup>"
        case ast.BinOp(left, op, right):
            level = _level(node)
            parts = _within(left, level), _within(right, level + 1)
            return f"<mo>{_SIGNS[type(op)]}</mo>".join(parts)
        case ast.UnaryOp(ast.USub(), operand):
            return f"<mo>\u2212</mo>{_within(operand, 7)}"
        case ast.UnaryOp(ast.Not(), operand):
            return f"<mo>not</mo>{_within(operand, 4)}"
        case ast.UnaryOp(_, operand):
            return f"<mo>+</mo>{_within(operand, 7)}"
        case ast.BoolOp(op, values):
            return f"<mo>{_SIGNS[type(op)]}</mo>".join(_within(v, _level(node) + 1) for v in values)
        case ast.Compare(left, [op], [right]):
            return f"<mo>{_SIGNS[type(op)]}</mo>".join((_within(left, 5), _within(right, 5)))
        case ast.IfExp(test, body, orelse):
            parts = _within(body, 1), _within(test, 1), _within(orelse, 0)
            return f"{parts[0]}<mo>if</mo>{parts[1]}<mo>else</mo>{parts[2]}"
        case ast.Call(ast.Name("sqrt"), [argument]):
            return f"<msqrt>{mathml(argument)}</msqrt>"
        case ast.Call(ast.Name("abs"), [argument]):
            return f"<mo>|</mo>{mathml(argument)}<mo>|</mo>"
        case ast.Call(ast.Name(name), arguments):
            inner = "<mo>,</mo>".join(map(mathml, arguments))
            return f"<mi>{escape(name)}</mi><mo>(</mo>{inner}<mo>)</mo>"
    raise AssertionError(ast.dump(node))


def _level(node: ast.expr) -> int:
    """How closely an expression holds together; what holds less gets brackets within it."""
    match node:
        case ast.IfExp():
            return 0
        case ast.BoolOp(ast.Or()):
            return 1
        case ast.BoolOp():
            return 2
        case ast.UnaryOp(ast.Not()):
            return 3
        case ast.Compare():
            return 4
        case ast.BinOp(_, ast.Add() | ast.Sub(), _):
            return 5
        case ast.UnaryOp() | ast.BinOp(_, ast.Mult() | ast.Mod(), _):
            return 6
        case ast.BinOp(_, ast.Pow(), _):
            return 8
    return 9


def _within(node: ast.expr, least: int) -> str:
    shown = mathml(node)
    return f"<mo>(</mo>{shown}<mo>)</mo>" if _level(node) < least else shown


def _row(node: ast.expr, least: int = 0) -> str:
    return f"<mrow>{_within(node, least)}</mrow>"
