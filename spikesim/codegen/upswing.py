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

from spikesim.codegen.methods import TABLEAUS
from spikesim.codegen.writer import Writer, combination, formula
from spikesim.description.dynamics import Dynamics, Upswing
from spikesim.description.equations import EquationError, names, parse, substitute

NODES = 3  # for what follows v through a spike
MOST_PARTS = 64  # of a step in which a strong current moves v
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
    match dynamics.threshold:
        case ast.Compare(ast.Name(v), [ast.GtE()], [top]) if writer.fixed(top):
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
    steps = _Steps(writer, upswing, method, v, top)
    # What arrives is asked for again only where it makes a current, or moves what a spike touches.
    touched = _touched(dynamics)
    written = [s for arrival in dynamics.arrivals.values() for s in arrival]
    asking = [*(s.value for s in written if s.variable in touched), *observed.values()]
    arriving = {f"w_{name}" for name in dynamics.arrivals}
    needed = arriving.intersection(steps.others).union(*(names(x) & arriving for x in asking))
    before = [*steps.variables, *sorted(needed)]
    above, steep = (writer.write(_read(writer, text)) for text in (upswing.above, upswing.steep))
    # One comparison: with three AdEx took half as long again. What is held does not rise.
    rises = f"min({v} - {above}, {v} - {steep} - {v}_before[j])"
    look = f"max({rises}, {v} - {steps.peak}) >= real(0.0)"
    if waits:
        look = f"({look}) | (refractory == now)"
    again = _again(writer, v, steps.peak, reset, steps.given, before, waits)
    again += [f"{row}_[j] = {writer.write(node)}" for row, node in observed.items()]
    return Within(steps.functions(), before, look, again, waits)


def _read(writer: Writer, text: str) -> ast.expr:
    return parse(text, f"{writer.name}, upswing")


class _Steps:
    """The functions that take one neuron along, as text: by a step of v, and by one of x.

    What ends with two underscores is no name that a model can have.
    """

    def __init__(
        self, writer: Writer, upswing: Upswing, method: str, v: str, top: ast.expr
    ) -> None:
        self.dynamics, self.v = writer.dynamics, v
        self.variables = list(self.dynamics.derivatives)
        self.slopes = [writer.write(node) for node in self.dynamics.derivatives.values()]
        there, x = _read(writer, upswing.to), {"x": ast.Name("x__")}
        self.back, self.change, self.stride = (
            writer.write(substitute(_read(writer, text), x))
            for text in (upswing.back, upswing.slope, upswing.stride)
        )
        self.start, self.end = writer.write(there), writer.write(substitute(there, {v: top}))
        self.peak = writer.write(top)
        texts = [*self.slopes, self.back, self.change, self.stride]
        texts += [self.start, self.end, self.peak]
        used = set().union(*(names(ast.parse(text, mode="eval")) for text in texts))
        self.others = sorted(used - {*self.variables, "x__", "real"})
        self.given = ", ".join([*self.variables, *self.others])
        self.rungs, self.weights = TABLEAUS[method]

    def functions(self) -> str:
        """Text of the functions."""
        on, ends = self._along_v()
        begin, through = self._along_x()
        return _FUNCTIONS.format(
            given=self.given,
            slopes=", ".join(self.slopes),
            on="".join(f"    {line}\n" for line in on),
            ends=ends,
            through="".join(f"        {line}\n" for line in through),
            begin="".join(f"    {line}\n" for line in begin),
            state=", ".join(self.variables),
        )

    def _moved(self, u: str, coefficients: list[float]) -> str:
        terms = [(f"real({c!r})", f"d{u}_{k}") for k, c in enumerate(coefficients) if c]
        return f"{u} + h__ * ({combination(terms)})" if terms else u

    def _slopes_at(self, k: str) -> str:
        at = ", ".join([*(f"{u}_{k}" for u in self.variables), *self.others])
        return f"{', '.join(f'd{u}_{k}' for u in self.variables)}, = slopes({at})"

    def _along_v(self) -> tuple[list[str], str]:
        """Lines of the stages of a step of v, and the variables at its end."""
        lines: list[str] = []
        for k, coefficients in enumerate(self.rungs):
            lines += [f"{u}_{k} = {self._moved(u, coefficients)}" for u in self.variables]
            lines.append(self._slopes_at(str(k)))
            lines += [f"d{u}_{k} *= free__" for u in self.dynamics.held]
        return lines, ", ".join(self._moved(u, self.weights) for u in self.variables)

    def _along_x(self) -> tuple[list[str], list[str]]:
        """Lines before the parts of a step of x, and lines of a part."""
        v, variables, state = self.v, self.variables, ", ".join(self.variables)
        begin = [f"x__ = {self.start}", f"x__peak = {self.end}"]
        begin.append(f"if not x__ > x__peak: return real(0.0), {state},")
        begin.append(f"{', '.join(f'd{u}_0' for u in variables)}, = slopes({self.given})")
        begin.append(f"x__slope_0 = ({self.change}) * d{v}_0")
        speed = f"ceil(abs(h__ * x__slope_0) / ({self.stride}))"
        begin.append(f"parts__ = min(max({speed}, real(1.0)), real({MOST_PARTS}.0))")
        begin += ["h__ = h__ / parts__", "x__start = x__"]
        lines: list[str] = []
        for k, coefficients in [*enumerate(self.rungs), ("end", self.weights)][1:]:
            lines += [f"{u}_{k} = {self._moved(u, coefficients)}" for u in variables if u != v]
            along = self._moved("x__start", coefficients).replace("dx__start_", "x__slope_")
            lines += [f"x__{k} = {along}", f"x__ = max(x__{k}, x__peak)", f"{v}_{k} = {self.back}"]
            lines += [self._slopes_at(str(k)), f"x__slope_{k} = ({self.change}) * d{v}_{k}"]
        lines += ["if x__end <= x__peak:", *(f"    {line}" for line in self._passed())]
        lines += [f"{u}, d{u}_0 = {u}_end, d{u}_end" for u in variables]  # where the next begins
        return begin, [*lines, "x__start, x__slope_0 = x__end, x__slope_end"]

    def _passed(self) -> list[str]:
        """Lines that say when within a part the peak was passed, and all variables then.

        What follows v feels its last rise, which no polynomial is: it is summed at Gauss's nodes
        (1814).
        """
        v, variables = self.v, self.variables
        ends = "x__start, x__end, h__ * x__slope_0, h__ * x__slope_end"
        along = f"hermite({ends}, {{share}})"
        at = {
            u: f"hermite({u}, {u}_end, h__ * d{u}_0, h__ * d{u}_end, {{share}})" for u in variables
        }
        lines = [f"share__ = passing({ends}, x__peak)"]
        following = [u for u in variables if u != v and v in names(self.dynamics.derivatives[u])]
        nodes, parts = np.polynomial.legendre.leggauss(NODES)
        for k, node in enumerate((nodes + 1) / 2 if following else ()):
            share = f"real({float(node)!r}) * share__"
            lines += [f"x__ = max({along.format(share=share)}, x__peak)", f"{v}_{k}q = {self.back}"]
            lines += [f"{u}_{k}q = {at[u].format(share=share)}" for u in variables if u != v]
            lines.append(self._slopes_at(f"{k}q"))
        for u in following:
            terms = [(f"real({float(part) / 2!r})", f"d{u}_{k}q") for k, part in enumerate(parts)]
            at[u] = f"{u} + share__ * h__ * ({combination(terms)})"
        at[v] = self.peak
        found = ", ".join(at[u].format(share="share__") for u in variables)
        return [*lines, f"return (real(part__) + share__) / parts__, {found},"]


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
