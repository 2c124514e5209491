"""Turn a model's text into a kernel that advances a population by one step.

This is the only place where text becomes code. `generate` takes a model, the values of its
parameters and dt, and returns the kernel's source with the constants it needs. What depends on
parameters alone is computed here, in double precision; a parameter that differs between neurons
becomes a row of the state, one that does not a scalar.

The state of a population is an array [block, row, lane] of blocks of 64 neurons: first the rows
of the variables and of what rounding loses of them, then what is observed (kept as of the end of
each step, after resets), what neurons are refractory by and the constants that differ between
them. All rows of a block lie together, so a step reads and writes each line of memory once.
"""

import ast
from collections.abc import Mapping

import numpy as np

from spikesim.codegen import methods
from spikesim.codegen.divergence import strays
from spikesim.codegen.expressions import END, Writer
from spikesim.codegen.kernel import Kernel
from spikesim.codegen.layout import layout
from spikesim.codegen.observed import seen
from spikesim.codegen.recipes import formula
from spikesim.codegen.refractory import PERIOD, refractoriness
from spikesim.codegen.rows import (
    REFRACTORY,
    RESUME,
    STEEP,
    array_of,
    carry_of,
    lane_of,
    unit_of,
)
from spikesim.codegen.text import TEXT, indented
from spikesim.codegen.upswing import within
from spikesim.description.distributions import Distribution
from spikesim.description.dynamics import Dynamics
from spikesim.description.equations import evaluate, names, parse, substitute
from spikesim.description.neuron import NeuronModel

# Once a period smaller values become 0, before they are denormal and slow. In every step that took
# a fifth of CUBA's time.
_TINY = {"single": 1e-25, "double": 1e-290}
LONG = {"exp", "exprel", "log", "sin", "cos", "tanh"}  # functions that take tens of operations


def generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr] | None = None,
    start: Mapping[str, object] | None = None,
    wide_sums: bool = False,
) -> Kernel:
    """Write the kernel of a population.

    Parameters
    ----------
    model : NeuronModel
    values : mapping
        Value of every parameter: a number, or an array with one value per neuron.
    dt : float
        Step (ms).
    precision : "single" or "double"
    observed : mapping
        Expressions that are kept as rows of these names, as of the end of each step: after a
        reset, as all others see the neuron.
    start : mapping
        Start values, if they are not the model's own.
    wide_sums : bool
        Whether arriving weights are summed in 64 bits in single precision too.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused
        begin = _central({**model.all_initial, **(start or {})}, values)
        writer = Writer(model, values, dt, precision, begin)
        return _generate(writer, model, observed or {}, wide_sums)


def _central(start: Mapping[str, object], values: Mapping[str, object]) -> dict[str, object]:
    """Start values as numbers: of what is drawn the median."""
    result = {}
    for variable, value in start.items():
        if isinstance(value, Distribution):
            value = float(value.quantile(np.array(0.5)))
        elif isinstance(value, str):
            value = evaluate(parse(value), {**values, "xi": 0.0})
        result[variable] = value
    return result


def _generate(
    writer: Writer, model: NeuronModel, observed: Mapping[str, ast.expr], wide_sums: bool
) -> Kernel:
    dynamics, variables = model.dynamics, list(model.dynamics.derivatives)
    precision = "single" if writer.single else "double"
    for name in dynamics.arrivals:
        one = formula(ast.Constant(1.0))
        writer.constant(unit_of(name), one, f"weight of one unit of the input {name!r}")

    step = [*methods.step(writer, model.method), *_arrivals(writer)]
    threshold = writer.write(substitute(dynamics.threshold, END))
    reset = [
        line
        for statement in dynamics.reset
        for line in writer.assigned(statement.variable, substitute(statement.value, END))
    ]
    waiting = refractoriness(writer)
    if waiting.over:
        threshold = f"({threshold}) & ({waiting.over})"
    begin = [*waiting.begin, *_arrived(writer)]
    shown = {row: substitute(node, END) for row, node in observed.items()}
    flow = None
    if model.upswing is not None and model.method in ("rk2", "rk4"):
        flow = within(writer, model.upswing, model.method, reset, shown)
    step += seen(writer, shown, "" if flow is not None else threshold)
    times = []
    if any("t" in names(node) for node in [*dynamics.expressions, *observed.values()]):
        times = writer.times()

    moving = [*variables, *(carry_of(v) for v in writer.carried)]
    written = [*moving, *([REFRACTORY] if waiting.written else []), *observed]
    narrow = [*written, *([REFRACTORY] if waiting.over and not waiting.written else [])]
    narrow += [RESUME] if flow and flow.waits else []
    places = layout(writer, [*narrow, *([STEEP] if writer.slopes else [])])
    store = [f"{lane_of(row)} = {row}" for row in written]
    strayed, told = strays(writer)
    look, again = threshold, [*reset, *waiting.reset, *store]
    if flow is not None:
        begin += [f"_{x}_before[_j] = {x}" for x in flow.before]
        look = flow.look
        again = [*flow.again, "if not _fires:", "    continue", *waiting.reset]
    whole = [*places.load, *begin, *step, *store, f"_crossed |= {look}", *strayed]
    source = TEXT.format(
        title=f"One step of a population of {model.name} neurons, {precision} precision.",
        real="float32" if writer.single else "float64",
        integer="int32" if writer.single and not wide_sums else "int64",
        functions=flow.functions if flow is not None else "",
        constants=indented(4, places.constants, times, waiting.top),
        scratch=indented(4, _kept(flow.before) if flow is not None else []),
        lanes=indented(8, places.lanes),
        often=PERIOD - 1,
        flush=indented(16, _flushed(moving, _TINY[precision]), waiting.flush),
        advance=indented(8, _advance(writer, whole)),
        load=indented(20, places.load),
        threshold=look,
        reset=indented(20, places.load, again),
        strayed=indented(12, told or ["pass"]),
    )
    wide = {name: None if x.ndim else float(x) for name, x in writer.wide.items()}
    doubles = {name: x for name, x in writer.wide.items() if x.ndim}
    return Kernel(
        source,
        places.rows,
        writer.scalars,
        wide,
        {**writer.per_neuron, **doubles},
        writer.recipes,
        writer.facts,
        writer.single,
    )


def _arrived(writer: Writer) -> list[str]:
    """Lines that take what arrived at a neuron, and draw its noise."""
    lines = []
    for name in writer.dynamics.arrivals:
        arrived = f"_{name}_in[_j]"
        lines += [f"w_{name} = _real({arrived}) * {unit_of(name)}", f"{arrived} = 0"]
    for pair in range((writer.normals + 1) // 2):
        drawn = f"_normals(_real, 64 * _block + _j, _step, {pair}, _key)"
        lines.append(f"_z{2 * pair}, _z{2 * pair + 1} = {drawn}")
    return lines


def _flushed(moving: list[str], tiny: float) -> list[str]:
    """Lines that let small values be 0."""
    lanes = map(lane_of, moving)
    return [f"{x} = _real(0.0) if abs({x}) < _real({tiny!r}) else {x}" for x in lanes]


def _advance(writer: Writer, whole: list[str]) -> list[str]:
    """The loop over a block's neurons; where slopes are watched twice, for gentle and for steep."""
    body = [*_interleaved(writer), "for _j in _range(64):", *(f"    {x}" for x in whole)]
    if not writer.slopes:
        return body
    steep = f"{array_of(STEEP)}[0]"
    lines = [f"if {steep} > _real(0.0):", f"    {steep} = _real(0.0)"]
    lines += [f"    {x}".replace(" _growth(", " _gentle_or_steep(") for x in body]
    return [*lines, "else:", *(f"    {x}".replace(" _growth(", " _gentle(") for x in body)]


def _kept(before: list[str]) -> list[str]:
    """Lines that give what is kept of the beginning of a step a place."""
    kept = [f"_kept = _scratch(_real, {64 * len(before)})"]
    return [*kept, *(f"_{x}_before = _lanes(_kept, {n})" for n, x in enumerate(before))]


def _arrivals(writer: Writer) -> list[str]:
    """What arriving weights do at the end of the step; nothing to what is held."""
    dynamics = writer.dynamics
    lines = []
    for statement in (s for arrival in dynamics.arrivals.values() for s in arrival):
        held = statement.variable in dynamics.held and dynamics.refractory is not None
        value = substitute(statement.value, END)
        lines += writer.assigned(statement.variable, value, "_active" if held else "")
    return lines


def _interleaved(writer: Writer) -> list[str]:
    """What takes vectors side by side, where a result waits for another.

    A linear update waits for memory. One with seven exponentials that do not wait for each other
    keeps the processor busy: Hodgkin and Huxley's neurons took two fifths longer.
    """
    if not writer.diverges:
        return []
    return ["_interleave()"] if long_calls(writer.dynamics) <= 2 else []


def long_calls(dynamics: Dynamics) -> int:
    """How often the equations call functions that take tens of operations."""
    nodes = [n for node in dynamics.derivatives.values() for n in ast.walk(node)]
    return sum(isinstance(n, ast.Call) and n.func.id in LONG for n in nodes)
