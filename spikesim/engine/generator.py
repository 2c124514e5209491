"""Turn a model's text into a kernel that advances a population by one step.

This is the only place where text becomes code. `generate` takes a model, the values of its
parameters and dt, and returns the kernel's source with the constants it needs. What depends on
parameters alone is computed here, in double precision; a parameter that differs between neurons
becomes a row of the state, one that does not a scalar.

The state of a population is an array [block, row, lane] of blocks of 64 neurons: first the rows
of the variables, then what neurons are refractory by, then what is observed (kept as of the end of
each step), then those of constants that differ between neurons. All rows of a block lie together,
so a step reads and writes each line of memory once.

A refractory time is kept as the last step that it covers, counted from the last multiple of
`PERIOD` steps: unlike a time that is left it need not be written in every step.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from spikesim.engine import methods
from spikesim.engine.functions import CENTRE, STEEPEST
from spikesim.engine.writer import Writer
from spikesim.equations import NOT_REFRACTORY, evaluate, is_condition, names, substitute
from spikesim.model import NeuronModel

REFRACTORY = "refractory"
STEEP = "steep"  # of a block, in its first lane: whether a slope is beyond what `gentle` takes
OBSERVED = "seen_"  # what the names of observed rows begin with
ABI = ("state", "const", "ring", "ids", "first", "last", "size", "base", "step", "key")
END = {"t": ast.Name("t_end")}  # what is done at the end of a step sees that time
PERIOD = 64  # steps, a power of 2
# Once a period smaller values become 0, before they are denormal and slow. In every step that took
# a fifth of CUBA's time.
_TINY = {"single": 1e-25, "double": 1e-290}
LONG = {"exp", "exprel", "log", "sin", "cos", "tanh"}  # functions that take tens of operations
_HUGE = {"single": 1e38, "double": 1e300}  # a variable beyond has diverged


@dataclass(frozen=True)
class Kernel:
    """A generated kernel and what must be put where."""

    source: str
    rows: list[str]  # of the state: variables, refractory, observed, then constants per neuron
    scalars: dict[str, float]  # in the order of `const`; units of the inputs are filled in later
    per_neuron: dict[str, np.ndarray]


def generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr] | None = None,
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
        Expressions that are kept as rows of these names, as of the end of each step, before a
        reset.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused
        return _generate(model, values, dt, precision, observed or {})


def _generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr],
) -> Kernel:
    writer = Writer(model, values, dt)
    dynamics = model.dynamics
    variables, receptors = list(dynamics.derivatives), list(dynamics.arrivals)
    for name in receptors:
        writer.constant(f"unit_{name}", 1.0, f"weight of one unit of the input {name!r}")

    step = [*methods.step(writer, model), *_arrivals(writer)]
    tiny, huge = _TINY[precision], _HUGE[precision]
    threshold = writer.write(substitute(dynamics.threshold, END))
    reset = [f"{s.variable} = {writer.write(substitute(s.value, END))}" for s in dynamics.reset]
    flush = [
        f"{v}_[j] = real(0.0) if abs({v}_[j]) < real({tiny!r}) else {v}_[j]" for v in variables
    ]
    timed = dynamics.refractory is not None and not is_condition(dynamics.refractory)
    begin, phase = [], []
    if timed:
        reset.append(_refractory_until(writer, dt))
        flush.append(f"{REFRACTORY}_[j] = max({REFRACTORY}_[j] - real({PERIOD}.0), real(-1.0))")
        phase = [f"now = real(step & {PERIOD - 1})"]
        begin = [f"active = {REFRACTORY} < now"]
        threshold = f"({threshold}) & ({REFRACTORY} < now)"
    elif dynamics.refractory is not None:
        waits = writer.write(dynamics.refractory)
        begin = [
            f"waits = ({REFRACTORY} >= real(0.0)) & ({waits})",
            f"{REFRACTORY} = real(0.0) if waits else real(-1.0)",
            f"active = {REFRACTORY} < real(0.0)",
        ]
        reset.append(f"{REFRACTORY} = real(0.0)")
        threshold = f"({threshold}) & ({REFRACTORY} < real(0.0))"
    elif dynamics.held or any(NOT_REFRACTORY in names(node) for node in dynamics.expressions):
        begin = ["active = True"]
    for name in receptors:
        begin += [f"w_{name} = real(in_{name}[j]) * unit_{name}", f"in_{name}[j] = 0"]
    for pair in range((writer.normals + 1) // 2):
        drawn = f"normals(real, 64 * block + j, step, {pair}, key)"
        begin.append(f"z_{2 * pair}, z_{2 * pair + 1} = {drawn}")
    step += [f"{row} = {writer.write(substitute(node, END))}" for row, node in observed.items()]
    times = []
    if any("t" in names(node) for node in [*dynamics.expressions, *observed.values()]):
        dt_name = writer.write(ast.Name("dt"))
        times = [f"t = real(step) * {dt_name}", f"t_end = real(step + 1) * {dt_name}"]

    changing = [*variables, *([REFRACTORY] if dynamics.refractory is not None else []), *observed]
    rows = [*changing, *([STEEP] if writer.slopes else []), *writer.per_neuron]
    load = [f"{row} = {row}_[j]" for row in rows if row != STEEP]
    store = [f"{row}_[j] = {row}" for row in changing if not (timed and row == REFRACTORY)]
    if timed:
        reset.append(f"{REFRACTORY}_[j] = {REFRACTORY}")
    strayed = [f"strayed |= not {_gentle(slope, variables)}" for slope in writer.slopes]
    fails = [f"{STEEP}_[0] = real(1.0)"] if writer.slopes else []
    if writer.diverges:
        load_variables = [f"    {v} = {v}_[j]" for v in variables]
        diverged = f"not abs({' + '.join(variables)}) < real({huge!r})"
        if not writer.slopes:
            strayed.append(f"strayed |= {diverged}")
        fails += ["diverged = False", "for j in range(64):", *load_variables]
        fails += [f"    diverged |= {diverged}"]
        fails += ["for j in range(diverged * min(64, size - 64 * block)):", *load_variables]
        for place, v in enumerate(variables):
            fails.append(f"    if not abs({v}) < real({huge!r}):")
            fails.append(f"        return ~((64 * block + j) * {len(variables)} + {place})")
    notes = {name: f"  # {meaning}" for name, meaning in writer.meaning.items()}
    constants = [f"{x} = const[{n}]{notes.get(x, '')}" for n, x in enumerate(writer.scalars)]
    lanes = [f"{x}_ = lanes(state, {len(rows)} * block + {n})" for n, x in enumerate(rows)]
    for n, name in enumerate(receptors):
        lanes.append(f"in_{name} = lanes(ring, {len(receptors)} * (block - first) + {n})")
    whole = [*load, *begin, *step, *store, f"crossed |= {threshold}", *strayed]
    body = [*_interleaved(writer), "for j in range(64):", *(f"    {x}" for x in whole)]
    advance = body
    if writer.slopes:
        advance = [f"if {STEEP}_[0] > real(0.0):", f"    {STEEP}_[0] = real(0.0)"]
        advance += [f"    {x}".replace(" growth(", " gentle_or_steep(") for x in body]
        advance += ["else:", *(f"    {x}".replace(" growth(", " gentle(") for x in body)]
    single = precision == "single"
    source = _TEXT.format(
        title=f"One step of a population of {model.name} neurons, {precision} precision.",
        real="float32" if single else "float64",
        integer="int32" if single else "int64",
        abi=", ".join(ABI),
        constants=_indented(4, constants, times, phase),
        lanes=_indented(8, lanes),
        often=PERIOD - 1,
        flush=_indented(16, flush),
        advance=_indented(8, advance),
        load=_indented(20, load),
        again=_indented(20, load),
        threshold=threshold,
        reset=_indented(20, reset, store),
        strayed=_indented(12, fails) or "            pass\n",
    )
    return Kernel(source, rows, writer.scalars, writer.per_neuron)


def _gentle(slope: str, variables: Iterable[str]) -> str:
    """Whether `gentle` takes a slope and, in the same breath, variables are finite."""
    x = f"{slope} + real({-CENTRE})"
    for v in (v for v in variables if v not in names(ast.parse(slope))):
        x = f"fma({v}, real(0.0), {x})"
    return f"abs({x}) < real({STEEPEST})"


def _arrivals(writer: Writer) -> list[str]:
    """What arriving weights do at the end of the step; nothing to what is held."""
    dynamics = writer.dynamics
    lines = []
    for statement in (s for arrival in dynamics.arrivals.values() for s in arrival):
        v, value = statement.variable, writer.write(substitute(statement.value, END))
        held = v in dynamics.held and dynamics.refractory is not None
        lines.append(f"{v} = ({value}) if active else {v}" if held else f"{v} = {value}")
    return lines


def _interleaved(writer: Writer) -> list[str]:
    """What takes vectors side by side, where a result waits for another.

    A linear update waits for memory. One with seven exponentials that do not wait for each other
    keeps the processor busy: Hodgkin and Huxley's neurons took two fifths longer.
    """
    if not writer.diverges:
        return []
    derivatives = writer.dynamics.derivatives.values()
    nodes = [n for node in derivatives for n in ast.walk(node) if isinstance(n, ast.Call)]
    return ["interleave()"] if sum(n.func.id in LONG for n in nodes) <= 2 else []


def _refractory_until(writer: Writer, dt: float) -> str:
    """What a spike does to the refractory time."""
    refractory = writer.dynamics.refractory
    steps = np.floor(np.asarray(evaluate(refractory, writer.values)) / dt + 0.5)
    if np.any(steps < 0):
        raise ValueError(
            f"{writer.name}: the refractory time is {np.min(steps) * dt:g} ms; it must not be "
            "negative."
        )
    writer.constant("refractory_steps", steps, f"{ast.unparse(refractory)} in steps")
    return f"{REFRACTORY} = now + refractory_steps"


def _indented(columns: int, *parts: list[str]) -> str:
    """Lines, each with its end."""
    return "".join(f"{' ' * columns}{line}\n" for part in parts for line in part)


_TEXT = '''"""{title}"""

import numpy as np
from numba import types
from numpy import ceil, floor, sqrt

from spikesim.engine.cache import entry
from spikesim.engine.functions import cos, exp, exprel, gentle, gentle_or_steep, log, sin, tanh
from spikesim.engine.intrinsics import compact, fma, interleave, lanes, lowest
from spikesim.engine.noise import normals

real = np.{real}


@entry(
    types.int64(
        types.CPointer(types.{real}),
        types.CPointer(types.{real}),
        types.CPointer(types.{integer}),
        types.CPointer(types.int32),
        types.int64, types.int64, types.int64, types.int64, types.int64, types.int64,
    )
)
def update({abi}):
{constants}    compact()
    count = 0
    for block in range(first, last):
{lanes}        if step & {often} == 0:
            for j in range(64):
{flush}        crossed = strayed = False
{advance}        if crossed:
            bits = np.uint64(0)  # of those that did: a bit for each, then bit by bit
            for start in range(0, 64, 16):
                some = np.uint32(0)
                for j in range(start, start + 16):
{load}                    some |= np.uint32({threshold}) << np.uint32(j - start)
                bits |= np.uint64(some) << np.uint64(start)
            while bits != np.uint64(0):
                j = lowest(bits)
                bits &= bits - np.uint64(1)
                if 64 * block + j < size:
{again}{reset}                    ids[count] = base + 64 * block + j
                    count += 1
        if strayed:
{strayed}    return count
'''
