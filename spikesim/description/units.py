"""Do the units of a model's equations fit together? And what does a text such as "0.02 s" mean?

A dimension is a tuple of powers of (ms, mV, pA, Hz, uA/cm2); nS is pA/mV, pF is pA ms/mV, and
mS/cm2 and uF/cm2 are so of uA/cm2. Densities stand by themselves, as there is no unit of area. A
number written out may carry any unit, as the 0.04 of Izhikevich's v^2 does, so what it is
multiplied with is not checked.

Numbers with another unit, such as "0.02 s", "1 nF" or "50 1/s", are converted when they are read.
Equations are not: the numbers written in them are in ms, mV, pA, nS and pF.

Hz and 1/s are two units. 1/s is 0.001/ms, for what is a rate in an equation. Hz is the unit of the
rates that inputs are given, counts of spikes in a second, and does not become 1/ms by itself: in
equations f Hz are f / 1000 per ms, a sine of that frequency ``sin(2 * pi * f * t / 1000)``.
"""

import ast
import re
from collections.abc import Mapping
from decimal import Decimal
from difflib import get_close_matches
from fractions import Fraction

import numpy as np

from spikesim.description.equations import EquationError, evaluate, names

Dimension = tuple[Fraction, ...] | None  # None: any
_BASE = ("ms", "mV", "pA", "Hz", "uA/cm2")


def _powers(*powers: int | Fraction) -> tuple[Fraction, ...]:
    return tuple(map(Fraction, powers)) + (Fraction(0),) * (len(_BASE) - len(powers))


NONE = _powers()
UNITS: dict[str, Dimension] = {  # that make a coherent system, and what they are called
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
    "Gohm": _powers(0, 1, -1),
    "fC": _powers(1, 0, 1),
    "": None,
}
TIME = UNITS["ms"]
NOISE = _powers(Fraction(-1, 2))  # of xi


_SYMBOLS = {  # powers of (s, V, A, Hz, m)
    "s": (1, 0, 0, 0, 0),
    "V": (0, 1, 0, 0, 0),
    "A": (0, 0, 1, 0, 0),
    "Hz": (0, 0, 0, 1, 0),
    "m": (0, 0, 0, 0, 1),
    "S": (0, -1, 1, 0, 0),
    "F": (1, -1, 1, 0, 0),
    "C": (1, 0, 1, 0, 0),
    "ohm": (0, 1, -1, 0, 0),
}
_WORDS = {  # for symbols
    **dict.fromkeys(("second", "seconds", "sec"), "s"),
    **dict.fromkeys(("volt", "volts"), "V"),
    **dict.fromkeys(("ampere", "amperes", "amp", "amps"), "A"),
    "hertz": "Hz",
    **dict.fromkeys(("metre", "metres", "meter", "meters"), "m"),
    "siemens": "S",
    **dict.fromkeys(("farad", "farads"), "F"),
    **dict.fromkeys(("coulomb", "coulombs"), "C"),
    **dict.fromkeys(("ohms", "\u03a9", "\u2126"), "ohm"),  # capital omega, and the sign for ohm
}
_PREFIXES = {"f": -15, "p": -12, "n": -9, "u": -6, "m": -3, "k": 3, "M": 6, "G": 9}
_PREFIXES |= {"\u00b5": -6, "\u03bc": -6}  # the sign for micro, and mu
_LONG = {"femto": "f", "pico": "p", "nano": "n", "micro": "u", "milli": "m", "kilo": "k"}
_LONG |= {"mega": "M", "giga": "G"}


def _known_names() -> dict[str, tuple[str, int]]:
    """Every name of a unit with its prefix: the symbol and the power of ten.

    Left out are the large ones that nobody means who writes of neurons, such as MV and Ms.
    """
    known = {}
    for name, symbol in [*((symbol, symbol) for symbol in _SYMBOLS), *_WORDS.items()]:
        known[name] = symbol, 0
        for prefix, power in [*_PREFIXES.items(), *((k, _PREFIXES[v]) for k, v in _LONG.items())]:
            if (power < 6 or symbol in ("ohm", "Hz")) and (len(prefix) == 1 or name in _WORDS):
                known[prefix + name] = symbol, power
        if symbol == "m":
            known[("c" if name == "m" else "centi") + name] = symbol, -2
    return known


_NAMES = _known_names() | {"cmetre": ("m", -2), "cmeter": ("m", -2)}
_FACTOR = re.compile(r"([^\W\d_]+)(?:(?:\^|\*\*)?([-+]?\d+))?")
_QUANTITY = re.compile(r"([-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)\s*\*?\s*(.*)", re.DOTALL)


class UnitError(ValueError):
    """A text that names no unit; the sentence says what it could have been."""


def read(text: str) -> tuple[int, Dimension]:
    """What a text such as "1/s" or "nA*ms" stands for.

    Returns
    -------
    int
        The power of ten that takes a number in it to the units of this project.
    Dimension
        None if the text is empty.

    Raises
    ------
    UnitError
        Not a product or quotient of units, or one that can be read in two ways.
    """
    text = text.strip()
    if not text:
        return 0, None
    first, *below = (part.strip() for part in text.split("/"))
    above = [] if first in ("", "1") else re.split(r"\s*(?<!\*)\*(?!\*)\s*|\s*\u00b7\s*|\s+", first)
    if (first == "" and not below) or "" in below:
        raise UnitError(_hint(text))
    ten, powers = 0, [0] * 5  # of SI
    for sign, factor in [*((1, x) for x in above), *((-1, x) for x in below)]:
        match = _FACTOR.fullmatch(factor)
        if sign < 0 and not match and re.search(r"[\s*\u00b7]", factor):
            raise UnitError(
                f"'{text}' has a product after '/', which can be read in two ways; write all "
                "factors first, such as 'pA*ms/mV', and '/' before each divisor"
            )
        if not match or match[1] not in _NAMES:
            raise UnitError(_hint(text, match and match[1]))
        symbol, prefix = _NAMES[match[1]]
        power = sign * int(match[2] or 1)
        ten += prefix * power
        powers = [x + power * y for x, y in zip(powers, _SYMBOLS[symbol], strict=True)]
    s, v, a, hz, m = powers
    if m and m != -2 * a:
        raise UnitError(
            f"'{text}' has a length in it, which is known in densities such as 'uA/cm2' alone"
            + ("; if milliseconds or millivolts are meant, write 'ms' or 'mV'" if a == 0 else "")
        )
    # 1 A is 1e12 pA, and 1 A/m2 is 100 uA/cm2.
    ten += 3 * s + 3 * v + (2 if m else 12) * a
    return ten, _powers(s, v, 0 if m else a, hz, a if m else 0)


def declared(text: str) -> str:
    """The name that this project has for the unit of what stands in equations.

    Raises
    ------
    UnitError
        Also if it is a unit of another size: what else stands in the equations has none that could
        be converted.
    """
    ten, dimension = read(text)
    name = "" if dimension is None else named(dimension)
    if ten:
        raise UnitError(
            f"'{text}' is {float(f'1e{ten}'):g} {name}, and the numbers in equations cannot be "
            f"converted; write '{name}', and the numbers in ms, mV, pA, nS and pF"
        )
    return name


def declared_in(text: str, where: str) -> str:
    """The same, of an error that says where the text stands."""
    try:
        return declared(text)
    except UnitError as error:
        raise EquationError(f"{where}; {error}.") from None


def quantity(text: str) -> tuple[float, str]:
    """A number with its unit, such as "0.02 s", in the units of this project: 20.0 and "ms".

    Raises
    ------
    UnitError
        No number, or no unit behind it.
    """
    match = _QUANTITY.fullmatch(text.strip())
    if not match:
        raise UnitError("it must be a number and a unit, such as '20 ms'")
    ten, dimension = read(match[2])
    try:
        value = float(Decimal(match[1]).scaleb(ten))  # no digit changes
    except ArithmeticError:
        value = np.inf
    if not np.isfinite(value):
        raise UnitError("it must be a finite number and a unit, such as '20 ms'")
    return value, "" if dimension is None else named(dimension)


def named(dimension: Dimension) -> str:
    """A dimension as a unit that can be read."""
    known = (name for name, other in UNITS.items() if other == dimension)
    return next(known, told(dimension).replace(" ", "*"))


def _hint(text: str, name: str | None = None) -> str:
    """What is said of a text that is no unit: the nearest one that is."""
    name = name or text
    known = [*UNITS, *(word for word, (symbol, _) in _NAMES.items() if symbol != "m")]
    alike = [word for word in known if word.lower() == name.lower()]
    short = [word for word in known if word in UNITS or word in _WORDS]
    # 'MOhm' is nearer to 'Mohm' than to 'mohm'.
    alike.sort(key=lambda word: sum(a != b for a, b in zip(word, name, strict=True)))
    alike = alike or get_close_matches(name, short, 1)
    if alike:
        return f"'{name}' is not a unit; the nearest is '{alike[0]}'"
    return (
        f"'{name}' is not a unit; known are ms, mV, pA, nS, pF and Hz, with other prefixes or "
        "none, their products and quotients, and 1"
    )


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
