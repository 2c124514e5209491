"""Objects in a terminal and a notebook: short, whole, and what they say is so."""

import ast
import re
from xml.etree import ElementTree

import numpy as np
import pytest
from hypothesis import given, strategies as st

from spikesim import display

NAMES = {"v": 1.7, "tau_m": 0.6, "g_l_x": 2.3, "theta": 0.4}


def expressions():
    def text(parts):
        return st.one_of(
            st.tuples(parts, st.sampled_from("+-*/%"), parts).map("({0[0]} {0[1]} {0[2]})".format),
            parts.map("(-{})".format),
            st.tuples(parts, st.sampled_from(["2", "3", "x"])).map(
                lambda p: f"(({p[0]}) ** {p[1]})" if p[1] != "x" else f"(2 ** ({p[0]}))"
            ),
            parts.map("exp({})".format),
            parts.map("sqrt({})".format),
            parts.map("abs({})".format),
            st.tuples(parts, parts).map("min({0[0]}, {0[1]})".format),
            st.tuples(parts, parts, parts).map(
                "({0[0]} if {0[1]} < {0[2]} and not {0[0]} >= {0[1]} or v > 1 else {0[2]})".format
            ),
        )

    leaves = st.sampled_from([*NAMES, "2", "0.5", "1e-05"])
    return st.recursive(leaves, text, max_leaves=8)


def read_back(element: ElementTree.Element) -> str:
    """What MathML says, as Python; brackets only where they are seen."""
    inner = [read_back(child) for child in element]
    match element.tag:
        case "mfrac":
            return f"(({inner[0]}) / ({inner[1]}))"
        case "msup":
            return f"({inner[0]} ** ({inner[1]}))"
        case "msqrt":
            return f"sqrt({' '.join(inner)})"
        case "msub":
            return f"{inner[0]}_{inner[1].replace(',', '_')}"
        case "mo":
            signs = {"\u2212": "-", "\u00b7": "*", "mod": "%", "\u2265": ">=", "\u2264": "<="}
            return signs.get(element.text, element.text)
        case "mi":
            letters = {letter: name for name, letter in display.GREEK.items()}
            return letters.get(element.text, element.text)
        case "mn":
            return element.text
    return " ".join(inner)


@given(expressions())
def test_mathml_says_what_the_expression_does(text):
    element = ElementTree.fromstring(
        f"<mrow>{display.mathml(ast.parse(text).body[0].value)}</mrow>"
    )
    back = (
        re.sub(r"\| (.*) \|", r"abs(\1)", read_back(element))
        if "abs" in text
        else read_back(element)
    )
    if text.count("abs") > 1:
        return  # bars within bars: the reader above cannot pair them
    functions = {"exp": np.exp, "sqrt": np.emath.sqrt, "abs": abs, "min": lambda a, b: a}
    outcomes = []
    for each in (text, back):
        try:
            with np.errstate(all="ignore"):
                outcomes.append(complex(eval(each, functions, NAMES)))
        except (ArithmeticError, TypeError) as error:
            outcomes.append(type(error))
    if isinstance(outcomes[0], type) or not np.isfinite(outcomes[0]):
        return
    np.testing.assert_allclose(outcomes[1], outcomes[0], rtol=1e-9)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("tau_m", "<msub><mi>\u03c4</mi><mi>m</mi></msub>"),
        ("(a - b) - c", "<mi>a</mi><mo>\u2212</mo><mi>b</mi><mo>\u2212</mo><mi>c</mi>"),
        (
            "a - (b - c)",
            "<mi>a</mi><mo>\u2212</mo><mo>(</mo><mi>b</mi><mo>\u2212</mo><mi>c</mi><mo>)</mo>",
        ),
        (
            "v / (a + 1)",
            "<mfrac><mrow><mi>v</mi></mrow><mrow><mi>a</mi><mo>+</mo><mn>1</mn></mrow></mfrac>",
        ),
        (
            "-(a % b)",
            "<mo>\u2212</mo><mo>(</mo><mi>a</mi><mo>mod</mo><mi>b</mi><mo>)</mo>",
        ),
        ("v**2", "<msup><mrow><mi>v</mi></mrow><mrow><mn>2</mn></mrow></msup>"),
    ],
)
def test_mathml_of_simple_expressions(text, shown):
    assert display.mathml(ast.parse(text).body[0].value) == shown


def test_tables_escape_what_they_hold_and_end():
    html = display.table("a < b", ["x"], [[k] for k in range(100)])
    assert "a &lt; b" in html and html.count("<tr>") == 31 and "70 more" in html
    ElementTree.fromstring(f"<div>{html}</div>")
