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

from spikesim.codegen.expressions import Writer, combination
from spikesim.codegen.methods.runge_kutta import TABLEAUS
from spikesim.codegen.recipes import formula
from spikesim.codegen.rows import REFRACTORY, RESUME, carry_of, lane_of
from spikesim.description.dynamics import Dynamics, Upswing
from spikesim.description.equations import EquationError, names, parse, substitute

NODES = 3  # for what follows v through a spike
MOST_PARTS = 64  # of a step in which a strong current moves v


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
    rises = f"min({v} - {above}, {v} - {steep} - _{v}_before[_j])"
    look = f"max({rises}, {v} - {steps.peak}) >= _real(0.0)"
    if waits:
        look = f"({look}) | ({REFRACTORY} == _now)"
    again = _again(writer, v, steps.peak, reset, steps.given, before, waits)
    again += [f"{lane_of(row)} = {writer.write(node)}" for row, node in observed.items()]
    return Within(steps.functions(), before, look, again, waits)


def _unmarked(name: str) -> tuple[str, str]:
    """What names are put in order by: whether one is the kernel's own counts last."""
    return name.lstrip("_"), name


def _read(writer: Writer, text: str) -> ast.expr:
    return parse(text, f"{writer.name}, upswing")


class _Steps:
    """The functions that take one neuron along, as text: by a step of v, and by one of x."""

    def __init__(
        self, writer: Writer, upswing: Upswing, method: str, v: str, top: ast.expr
    ) -> None:
        self.dynamics, self.v = writer.dynamics, v
        self.variables = list(self.dynamics.derivatives)
        self.slopes = [writer.write(node) for node in self.dynamics.derivatives.values()]
        there, x = _read(writer, upswing.to), {"x": ast.Name("_x")}
        self.back, self.change, self.stride = (
            writer.write(substitute(_read(writer, text), x))
            for text in (upswing.back, upswing.slope, upswing.stride)
        )
        self.start, self.end = writer.write(there), writer.write(substitute(there, {v: top}))
        self.peak = writer.write(top)
        texts = [*self.slopes, self.back, self.change, self.stride]
        texts += [self.start, self.end, self.peak]
        used = set().union(*(names(ast.parse(text, mode="eval")) for text in texts))
        self.others = sorted(used - {*self.variables, "_x"}, key=_unmarked)
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
        terms = [(f"_real({c!r})", f"_{u}_slope{k}") for k, c in enumerate(coefficients) if c]
        return f"{u} + _h * ({combination(terms)})" if terms else u

    def _slopes_at(self, k: str) -> str:
        at = ", ".join([*(f"_{u}_{k}" for u in self.variables), *self.others])
        return f"{self._named('slope' + k)}, = _slopes({at})"

    def _named(self, what: str) -> str:
        return ", ".join(f"_{u}_{what}" for u in self.variables)

    def _along_v(self) -> tuple[list[str], str]:
        """Lines of the stages of a step of v, and the variables at its end."""
        lines: list[str] = []
        for k, coefficients in enumerate(self.rungs):
            lines += [f"_{u}_{k} = {self._moved(u, coefficients)}" for u in self.variables]
            lines.append(self._slopes_at(str(k)))
            lines += [f"_{u}_slope{k} *= _free" for u in self.dynamics.held]
        return lines, ", ".join(self._moved(u, self.weights) for u in self.variables)

    def _along_x(self) -> tuple[list[str], list[str]]:
        """Lines before the parts of a step of x, and lines of a part."""
        v, variables, state = self.v, self.variables, ", ".join(self.variables)
        begin = [f"_x = {self.start}", f"_xpeak = {self.end}"]
        begin.append(f"if not _x > _xpeak: return _real(0.0), {state},")
        begin.append(f"{self._named('slope0')}, = _slopes({self.given})")
        begin.append(f"_xslope0 = ({self.change}) * _{v}_slope0")
        speed = f"ceil(abs(_h * _xslope0) / ({self.stride}))"
        begin.append(f"_parts = min(max({speed}, _real(1.0)), _real({MOST_PARTS}.0))")
        begin += ["_h = _h / _parts", "_xstart = _x"]
        lines: list[str] = []
        for k, coefficients in [*enumerate(self.rungs), ("end", self.weights)][1:]:
            lines += [f"_{u}_{k} = {self._moved(u, coefficients)}" for u in variables if u != v]
            along = self._moved("_xstart", coefficients).replace("__xstart_slope", "_xslope")
            lines += [f"_x{k} = {along}", f"_x = max(_x{k}, _xpeak)", f"_{v}_{k} = {self.back}"]
            lines += [self._slopes_at(str(k)), f"_xslope{k} = ({self.change}) * _{v}_slope{k}"]
        lines += ["if _xend <= _xpeak:", *(f"    {line}" for line in self._passed())]
        # where the next begins
        lines += [f"{u}, _{u}_slope0 = _{u}_end, _{u}_slopeend" for u in variables]
        return begin, [*lines, "_xstart, _xslope0 = _xend, _xslopeend"]

    def _passed(self) -> list[str]:
        """Lines that say when within a part the peak was passed, and all variables then.

        What follows v feels its last rise, which no polynomial is: it is summed at Gauss's nodes
        (1814).
        """
        v, variables = self.v, self.variables
        ends = "_xstart, _xend, _h * _xslope0, _h * _xslopeend"
        along = f"_hermite({ends}, {{share}})"
        at = {
            u: f"_hermite({u}, _{u}_end, _h * _{u}_slope0, _h * _{u}_slopeend, {{share}})"
            for u in variables
        }
        lines = [f"_share = _passing({ends}, _xpeak)"]
        following = [u for u in variables if u != v and v in names(self.dynamics.derivatives[u])]
        nodes, parts = np.polynomial.legendre.leggauss(NODES)
        for k, node in enumerate((nodes + 1) / 2 if following else ()):
            share = f"_real({float(node)!r}) * _share"
            lines += [f"_x = max({along.format(share=share)}, _xpeak)", f"_{v}_{k}q = {self.back}"]
            lines += [f"_{u}_{k}q = {at[u].format(share=share)}" for u in variables if u != v]
            lines.append(self._slopes_at(f"{k}q"))
        for u in following:
            terms = [(f"_real({float(p) / 2!r})", f"_{u}_slope{k}q") for k, p in enumerate(parts)]
            at[u] = f"{u} + _share * _h * ({combination(terms)})"
        at[v] = self.peak
        found = ", ".join(at[u].format(share="_share") for u in variables)
        return [*lines, f"return (_real(_done) + _share) / _parts, {found},"]


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
            where = "_active" if statement.variable in dynamics.held else ""
            arriving += writer.assigned(statement.variable, statement.value, where)
    lines = [f"{x} = _{x}_before[_j]" for x in before if x not in dynamics.derivatives]
    lines += ["_active = True", f"_left = {dt}"]
    lines += [f"{u} = _{u}_before[_j]" for u in dynamics.derivatives]
    if waits:
        lines += [
            f"if {REFRACTORY} == _now:",
            f"    {state}, = _go_on({given}, {RESUME} * {dt}, _real(0.0))",
        ]
        lines += [f"    _left = {dt} - {RESUME} * {dt}"]
    lines.append(f"_share, {state}, = _pass_peak({given}, _left)")
    lines += ["_fires = _share <= _real(1.0)", "if not _fires:"]
    lines += [f"    {line}" for line in arriving]
    lines += [f"    _fires = {v} >= {peak}", "if _fires:"]
    lines += [f"    {line}" for line in reset]
    if waits:
        rest = f"(_real(1.0) - min(_share, _real(1.0))) * _left / {dt}"
        lines += [f"    {lane_of(RESUME)} = _real(1.0) - {rest}"]
        lines += ["    _active = _refractory_steps <= _real(0.0)"]
    lines += ["if _share <= _real(1.0):"]
    lines += [f"    {state}, = _go_on({given}, _left - _share * _left, _real(_active))"]
    lines += [f"    {line}" for line in arriving]
    lines += [f"    {v} = min({v}, {peak})"]  # a second spike waits for the next step
    for u in dynamics.derivatives:  # what no spike touches is as the step left it
        lane = lane_of(u)
        lines.append(f"{lane} = {u}" if u in touched else f"{u} = {lane}")
        if u in touched and u in writer.carried:
            lines.append(f"{lane_of(carry_of(u))} = _real(0.0)")
    return lines


_FUNCTIONS = '''
@_inlined
def _slopes({given}):
    return {slopes},


@_part
def _go_on({given}, _h, _free):
    """A step of _h; what a refractory neuron holds stands still unless _free is 1."""
{on}    return {ends},


@_part
def _pass_peak({given}, _h):
    """The share of a step of _h after which the peak is passed, and the variables then.

    2, and the variables at its end, if it is not.
    """
{begin}    for _done in _range(_int(_parts)):
{through}    return _real(2.0), {state},

'''
