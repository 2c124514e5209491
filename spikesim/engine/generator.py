"""Turn a model's text into a kernel that advances a population by one step.

This is the only place where text becomes code. `generate` takes a model, the values of its
parameters and dt, and returns the kernel's source with the constants it needs. What depends on
parameters alone is computed here, in double precision; a parameter that differs between neurons
becomes a row of the state, one that does not a scalar.

The state of a population is an array [block, row, lane] of blocks of 64 neurons: first the rows
of the variables, then what is observed (kept as of the end of each step), what neurons are
refractory by and the constants that differ between them. All rows of a block lie together, so a
step reads and writes each line of memory once.

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
from spikesim.model import Dynamics, NeuronModel

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
        Expressions that are kept as rows of these names, as of the end of each step, before a
        reset.
    wide_sums : bool
        Whether arriving weights are summed in 64 bits in single precision too.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused
        return _generate(model, values, dt, precision, observed or {}, wide_sums)


def _generate(
    model: NeuronModel,
    values: Mapping[str, object],
    dt: float,
    precision: str,
    observed: Mapping[str, ast.expr],
    wide_sums: bool,
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
    waiting = _refractoriness(writer, dt)
    if waiting.over:
        threshold = f"({threshold}) & ({waiting.over})"
    begin = list(waiting.begin)
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

    written = [*variables, *([REFRACTORY] if waiting.written else []), *observed]
    unwritten = [REFRACTORY] if waiting.over and not waiting.written else []
    rows = [*written, *unwritten, *([STEEP] if writer.slopes else []), *writer.per_neuron]
    load = [f"{row} = {row}_[j]" for row in rows if row != STEEP]
    store = [f"{row}_[j] = {row}" for row in written]
    strayed, told = _strays(writer, huge)
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
        integer="int32" if single and not wide_sums else "int64",
        abi=", ".join(ABI),
        constants=_indented(4, constants, times, waiting.top),
        lanes=_indented(8, lanes),
        often=PERIOD - 1,
        flush=_indented(16, flush, waiting.flush),
        advance=_indented(8, advance),
        load=_indented(20, load),
        threshold=threshold,
        reset=_indented(20, reset, waiting.reset, store),
        strayed=_indented(12, told or ["pass"]),
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
    return ["interleave()"] if long_calls(writer.dynamics) <= 2 else []


def long_calls(dynamics: Dynamics) -> int:
    """How often the equations call functions that take tens of operations."""
    nodes = [n for node in dynamics.derivatives.values() for n in ast.walk(node)]
    return sum(isinstance(n, ast.Call) and n.func.id in LONG for n in nodes)


@dataclass(frozen=True)
class _Refractoriness:
    """What being refractory adds to the parts of a kernel."""

    top: tuple[str, ...] = ()  # before all blocks
    flush: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()  # of a neuron's step
    reset: tuple[str, ...] = ()
    over: str = ""  # the condition
    written: bool = False  # whether every step changes the row


def _refractoriness(writer: Writer, dt: float) -> _Refractoriness:
    dynamics, row = writer.dynamics, REFRACTORY
    if dynamics.refractory is None:
        used = dynamics.held or any(NOT_REFRACTORY in names(node) for node in dynamics.expressions)
        return _Refractoriness(begin=("active = True",) if used else ())
    if is_condition(dynamics.refractory):
        return _Refractoriness(
            begin=(
                f"waits = ({row} >= real(0.0)) & ({writer.write(dynamics.refractory)})",
                f"{row} = real(0.0) if waits else real(-1.0)",
                f"active = {row} < real(0.0)",
            ),
            reset=(f"{row} = real(0.0)",),
            over=f"{row} < real(0.0)",
            written=True,
        )
    steps = np.floor(np.asarray(evaluate(dynamics.refractory, writer.values)) / dt + 0.5)
    if np.any(steps < 0):
        raise ValueError(
            f"{writer.name}: the refractory time is {np.min(steps) * dt:g} ms; it must not be "
            "negative."
        )
    writer.constant("refractory_steps", steps, f"{ast.unparse(dynamics.refractory)} in steps")
    return _Refractoriness(
        top=(f"now = real(step & {PERIOD - 1})",),
        flush=(f"{row}_[j] = max({row}_[j] - real({PERIOD}.0), real(-1.0))",),
        begin=(f"active = {row} < now",),
        reset=(f"{row} = now + refractory_steps", f"{row}_[j] = {row}"),
        over=f"{row} < now",
    )


def _strays(writer: Writer, huge: float) -> tuple[list[str], list[str]]:
    """What notices slopes that are steep and variables that diverge, and what then follows."""
    variables = list(writer.dynamics.derivatives)
    found = [f"strayed |= not {_gentle(slope, variables)}" for slope in writer.slopes]
    told = [f"{STEEP}_[0] = real(1.0)"] if writer.slopes else []
    if not writer.diverges:
        return found, told
    load = [f"    {v} = {v}_[j]" for v in variables]
    diverged = f"not abs({' + '.join(variables)}) < real({huge!r})"
    if not found:
        found = [f"strayed |= {diverged}"]
    told += ["diverged = False", "for j in range(64):", *load, f"    diverged |= {diverged}"]
    told += ["for j in range(diverged * min(64, size - 64 * block)):", *load]
    for place, v in enumerate(variables):
        told.append(f"    if not abs({v}) < real({huge!r}):")
        told.append(f"        return ~((64 * block + j) * {len(variables)} + {place})")
    return found, told


def _indented(columns: int, *parts: Iterable[str]) -> str:
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
{load}{reset}                    ids[count] = base + 64 * block + j
                    count += 1
        if strayed:
{strayed}    return count
'''
