"""Spikes that are found within a step: reset there, and gone on from.

Where v runs away, as that of `AdEx` does, a step that ends beyond the peak says nothing of when it
was reached. So the steps of neurons that spiked are taken again, one by one: in a coordinate x in
which the upswing is smooth (`Upswing`) to the end of the step, back to where x passes the peak, by
cubic Hermite interpolation, then from the reset on for what is left. Spikes are still stamped with
the end of their step, but the neuron has not waited for it: the error of a step stays that of the
method, and intervals are neither longer nor shorter on average.

After a refractory time v goes on at the same share of a step at which the spike was.
"""

import ast
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikesim.engine.methods import TABLEAUS
from spikesim.engine.writer import Writer, combination, formula
from spikesim.equations import EquationError, names, parse, substitute
from spikesim.model import Dynamics, Upswing

NODES = 3  # for what follows v through a spike
STRIDE, MOST_PARTS = 0.25, 64  # of x in a part of a step, where a strong current moves v; parts
RESUME = "resume__"  # the row of the share of a step at which a neuron spiked


@dataclass(frozen=True)
class Within:
    """What the kernel of a model with an upswing has beside others'."""

    functions: str  # that its spikes call
    before: list[str]  # what is kept of the beginning of a step
    look: str  # whether a neuron's step is to be taken again
    again: list[str]  # lines that do so
    waits: bool  # whether any neuron is refractory for a step or more


def within(
    writer: Writer,
    upswing: Upswing,
    method: str,
    reset: list[str],
    observed: Mapping[str, ast.expr],
) -> Within:
    """Write what takes a neuron through a spike.

    ``reset`` are the lines of a reset, ``observed`` what is kept of the state after it, by row.
    """
    dynamics = writer.dynamics
    variables = list(dynamics.derivatives)
    match dynamics.threshold:
        case ast.Compare(ast.Name(v), [ast.GtE()], [top]) if v in variables and writer.fixed(top):
            pass
        case _:
            raise EquationError(
                f"{writer.name}: with upswing the threshold is a variable >= its peak."
            )
    if any(names(node) & {"t", "xi"} for node in dynamics.derivatives.values()):
        raise EquationError(f"{writer.name}: with upswing equations hold neither t nor xi.")
    dt = writer.values["dt"]
    waits = dynamics.refractory is not None and bool(
        writer.fact(formula(dynamics.refractory).then(lambda t: np.any(np.asarray(t) / dt >= 0.5)))
    )
    slopes = [writer.write(node) for node in dynamics.derivatives.values()]
    there = parse(upswing.to, f"{writer.name}, upswing")
    x = {"x": ast.Name("x__")}
    back, change = (
        writer.write(substitute(parse(text, f"{writer.name}, upswing"), x))
        for text in (upswing.back, upswing.slope)
    )
    start, end = writer.write(there), writer.write(substitute(there, {v: top}))
    peak = writer.write(top)
    texts = [*slopes, back, change, start, end, peak]
    used = set().union(*(names(ast.parse(text, mode="eval")) for text in texts))
    others = sorted(used - {*variables, "x__", "real"})
    rungs, weights = TABLEAUS[method]
    given = ", ".join([*variables, *others])
    state = ", ".join(variables)

    def moved(u: str, coefficients: list[float]) -> str:
        terms = [(f"real({c!r})", f"d{u}_{k}") for k, c in enumerate(coefficients) if c]
        return f"{u} + h__ * ({combination(terms)})" if terms else u

    def slopes_at(k: str) -> str:
        at = ", ".join([*(f"{u}_{k}" for u in variables), *others])
        return f"{', '.join(f'd{u}_{k}' for u in variables)}, = slopes({at})"

    on: list[str] = []
    for k, coefficients in enumerate(rungs):
        on += [f"{u}_{k} = {moved(u, coefficients)}" for u in variables]
        on.append(slopes_at(str(k)))
        on += [f"d{u}_{k} *= free__" for u in dynamics.held]
    ends = ", ".join(moved(u, weights) for u in variables)

    # What ends with two underscores is no name that a model can have.
    begin = [f"x__ = {start}", f"x__peak = {end}"]
    begin.append(f"if not x__ > x__peak: return real(0.0), {state},")
    begin.append(f"{', '.join(f'd{u}_0' for u in variables)}, = slopes({given})")
    begin.append(f"speed__ = abs(h__ * ({change}) * d{v}_0) * real({1 / STRIDE})")
    begin += [f"parts__ = min(max(ceil(speed__), real(1.0)), real({MOST_PARTS}.0))"]
    begin += ["h__ = h__ / parts__", "x__start = x__"]
    through: list[str] = []
    for k, coefficients in [*enumerate(rungs), ("end", weights)]:
        through += [f"{u}_{k} = {moved(u, coefficients)}" for u in variables if u != v]
        along = moved("x__start", coefficients).replace("dx__start_", "x__slope_")
        through += [f"x__{k} = {along}", f"x__ = max(x__{k}, x__peak)"]
        through += [f"{v}_{k} = {back}", slopes_at(str(k)), f"x__slope_{k} = ({change}) * d{v}_{k}"]
    ends_x = "x__start, x__end, h__ * x__slope_0, h__ * x__slope_end"
    at = {u: f"hermite({u}, {u}_end, h__ * d{u}_0, h__ * d{u}_end, {{share}})" for u in variables}
    along = f"hermite({ends_x}, {{share}})"
    passed = [f"share__ = passing({ends_x}, x__peak)"]
    # What follows v feels its last rise, which no polynomial is: summed at Gauss's nodes (1814).
    following = [u for u in variables if u != v and v in names(dynamics.derivatives[u])]
    nodes, parts = np.polynomial.legendre.leggauss(NODES)
    for k, node in enumerate((nodes + 1) / 2 if following else ()):
        share = f"real({float(node)!r}) * share__"
        passed += [f"x__ = max({along.format(share=share)}, x__peak)", f"{v}_{k}q = {back}"]
        passed += [f"{u}_{k}q = {at[u].format(share=share)}" for u in variables if u != v]
        passed.append(slopes_at(f"{k}q"))
    for u in following:
        terms = [(f"real({float(part) / 2!r})", f"d{u}_{k}q") for k, part in enumerate(parts)]
        at[u] = f"{u} + share__ * h__ * ({combination(terms)})"
    at[v] = peak
    found = ", ".join(at[u].format(share="share__") for u in variables)
    passed.append(f"return (real(part__) + share__) / parts__, {found},")
    through += ["if x__end <= x__peak:", *(f"    {line}" for line in passed)]
    through += [f"{u} = {u}_end" for u in variables] + ["x__start = x__end"]

    functions = _FUNCTIONS.format(
        given=given,
        slopes=", ".join(slopes),
        on="".join(f"    {line}\n" for line in on),
        ends=ends,
        through="".join(f"        {line}\n" for line in through),
        begin="".join(f"    {line}\n" for line in begin),
        state=state,
    )
    # What arrives is asked for again only where it makes a current, or moves what a spike touches.
    arriving = {f"w_{name}" for name in dynamics.arrivals}
    touched = _touched(dynamics)
    written = [s for arrival in dynamics.arrivals.values() for s in arrival]
    asking = [*(s.value for s in written if s.variable in touched), *observed.values()]
    needed = used.union(*map(names, asking)) & arriving
    before = [*variables, *sorted(needed)]
    above, steep = (
        writer.write(parse(text, f"{writer.name}, upswing"))
        for text in (upswing.above, upswing.steep)
    )
    # One comparison: with three AdEx took half as long again. What is held does not rise.
    rises = f"min({v} - {above}, {v} - {steep} - {v}_before[j])"
    look = f"max({rises}, {v} - {peak}) >= real(0.0)"
    if waits:
        look = f"({look}) | (refractory == now)"
    again = _again(writer, v, peak, reset, given, before, waits)
    again += [f"{row}_[j] = {writer.write(node)}" for row, node in observed.items()]
    return Within(functions, before, look, again, waits)


def _touched(dynamics: Dynamics) -> set[str]:
    """Variables that a spike changes, at once or by way of others."""
    touched = {s.variable for s in dynamics.reset} | set(dynamics.held)
    for _ in dynamics.derivatives:
        touched |= {u for u, node in dynamics.derivatives.items() if names(node) & touched}
    return touched


def _again(
    writer: Writer,
    v: str,
    peak: str,
    reset: list[str],
    given: str,
    before: list[str],
    waits: bool,
) -> list[str]:
    """Lines that take a neuron through its spike, or through the end of its refractory time."""
    dynamics = writer.dynamics
    state = ", ".join(dynamics.derivatives)
    dt = writer.write(ast.Name("dt"))
    touched = _touched(dynamics)
    arriving = []
    for statement in (s for arrival in dynamics.arrivals.values() for s in arrival):
        if statement.variable in touched:
            where = "active" if statement.variable in dynamics.held else ""
            arriving += writer.assigned(statement.variable, statement.value, where)
    lines = [f"{x} = {x}_before[j]" for x in before if x not in dynamics.derivatives]
    lines += ["active = True", f"left__ = {dt}"]
    begin = [f"{u} = {u}_before[j]" for u in dynamics.derivatives]
    lines += begin
    if waits:
        lines += [
            "if refractory == now:",
            f"    {state}, = go_on({given}, {RESUME} * {dt}, real(0.0))",
        ]
        lines += [f"    left__ = {dt} - {RESUME} * {dt}"]
    lines.append(f"share__, {state}, = pass_peak({given}, left__)")
    lines += ["fires__ = share__ <= real(1.0)", "if not fires__:"]
    lines += [f"    {line}" for line in arriving]
    lines += [f"    fires__ = {v} >= {peak}", "if fires__:"]
    lines += [f"    {line}" for line in reset]
    if waits:
        rest = f"(real(1.0) - min(share__, real(1.0))) * left__ / {dt}"
        lines += [f"    {RESUME}_[j] = real(1.0) - {rest}"]
        lines += ["    active = refractory_steps <= real(0.0)"]
    lines += ["if share__ <= real(1.0):"]
    lines += [f"    {state}, = go_on({given}, left__ - share__ * left__, real(active))"]
    lines += [f"    {line}" for line in arriving]
    lines += [f"    {v} = min({v}, {peak})"]  # a second spike waits for the next step
    for u in dynamics.derivatives:  # what no spike touches is as the step left it
        lines.append(f"{u}_[j] = {u}" if u in touched else f"{u} = {u}_[j]")
        if u in touched and u in writer.carried:
            lines.append(f"{u}_carry_[j] = real(0.0)")
    return lines


_FUNCTIONS = '''
@inlined
def slopes({given}):
    return {slopes},


@part__
def go_on({given}, h__, free__):
    """A step of h__; what a refractory neuron holds stands still unless free__ is 1."""
{on}    return {ends},


@part__
def pass_peak({given}, h__):
    """The share__ of a step of h__ after which the peak is passed, and the variables then.

    2, and the variables at its end, if it is not.
    """
{begin}    for part__ in range(int(parts__)):
{through}    return real(2.0), {state},

'''
