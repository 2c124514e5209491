"""Turn a model's text into a kernel that advances a population by one step.

This is the only place where text becomes code. `generate` takes a model, the values of its
parameters and dt, and returns the kernel's source with the constants it needs. What depends on
parameters alone is computed here, in double precision; a parameter that differs between neurons
becomes a row of the state, one that does not a scalar.

The state of a population is an array [block, row, lane] of blocks of 64 neurons: first the rows
of the variables and of what rounding loses of them, then what is observed (kept as of the end of
each step, after resets), what neurons are refractory by and the constants that differ between
them. All rows of a block lie together, so a step reads and writes each line of memory once.

A refractory time is kept as the last step that it covers, counted from the last multiple of
`PERIOD` steps: unlike a time that is left it need not be written in every step.
"""

import ast
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import numpy as np

from spikesim.checks import warn
from spikesim.codegen import methods
from spikesim.codegen.upswing import RESUME, within
from spikesim.codegen.writer import Fact, Recipe, Writer, fits, formula
from spikesim.description.distributions import Distribution
from spikesim.description.dynamics import Dynamics
from spikesim.description.equations import (
    NOT_REFRACTORY,
    evaluate,
    is_condition,
    names,
    parse,
    substitute,
)
from spikesim.description.neuron import NeuronModel
from spikesim.kernels.functions import CENTRE, STEEPEST

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


CARRY = "_carry"  # what the names of rows of what rounding loses end with


@dataclass(frozen=True)
class Kernel:
    """A generated kernel, what must be put where, and how that follows from parameters."""

    source: str
    rows: list[str]  # of the state: variables, refractory, observed, then constants per neuron
    scalars: dict[str, float]  # in the order of `const`; units of the inputs are filled in later
    wide: dict[str, float | None]  # behind them, in double precision; None of those per neuron
    per_neuron: dict[str, np.ndarray]  # those in double precision have as many rows as they need
    recipes: dict[str, Recipe]
    facts: list[Fact]
    single: bool

    def constants(self, real: type) -> np.ndarray:
        """What the kernel reads as `const`."""
        doubles = [value for value in self.wide.values() if value is not None]
        narrow = np.array(list(self.scalars.values()), real)
        return np.concatenate([narrow, np.array(doubles, float).view(real)])

    def renew(self, values: Mapping[str, object], changed: set[str]) -> list[str] | None:
        """Change what follows from some parameters; returns which constants per neuron did.

        ``None``, and nothing has changed, if it must be generated anew: its text does not suit
        these values, or no kernel does.
        """
        fresh: dict[str, np.ndarray] = {}
        with np.errstate(all="ignore"):
            for name, recipe in self.recipes.items():
                if not recipe.needs.isdisjoint(changed):
                    value = fresh[name] = recipe(values)
                    if (name in self.per_neuron) != (value.ndim > 0):
                        return None
                    if not fits(value, self.single and name not in self.wide):
                        return None
            if not all(f.holds(values) for f in self.facts if not f.needs.isdisjoint(changed)):
                return None
        for name, value in fresh.items():
            if value.ndim:
                self.per_neuron[name] = value
            else:
                kind = self.wide if name in self.wide else self.scalars
                kind[name] = float(value)
        return [name for name, value in fresh.items() if value.ndim]


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
    dynamics = model.dynamics
    precision = "single" if writer.single else "double"
    variables, receptors = list(dynamics.derivatives), list(dynamics.arrivals)
    for name in receptors:
        one = formula(ast.Constant(1.0))
        writer.constant(f"unit_{name}", one, f"weight of one unit of the input {name!r}")

    step = [*methods.step(writer, model), *_arrivals(writer)]
    tiny, huge = _TINY[precision], _HUGE[precision]
    threshold = writer.write(substitute(dynamics.threshold, END))
    reset = [
        line
        for statement in dynamics.reset
        for line in writer.assigned(statement.variable, substitute(statement.value, END))
    ]
    carries = [f"{v}{CARRY}" for v in writer.carried]
    flush = [
        f"{v}_[j] = real(0.0) if abs({v}_[j]) < real({tiny!r}) else {v}_[j]"
        for v in [*variables, *carries]
    ]
    waiting = _refractoriness(writer, writer.values["dt"])
    if waiting.over:
        threshold = f"({threshold}) & ({waiting.over})"
    begin = list(waiting.begin)
    for name in receptors:
        begin += [f"w_{name} = real(in_{name}[j]) * unit_{name}", f"in_{name}[j] = 0"]
    for pair in range((writer.normals + 1) // 2):
        drawn = f"normals(real, 64 * block + j, step, {pair}, key)"
        begin.append(f"z_{2 * pair}, z_{2 * pair + 1} = {drawn}")
    seen = {row: substitute(node, END) for row, node in observed.items()}
    flow = None
    if model.upswing is not None and model.method in ("rk2", "rk4"):
        flow = within(writer, model.upswing, model.method, reset, seen)
    step += _observed(writer, seen, "" if flow is not None else threshold)
    times = []
    if any("t" in names(node) for node in [*dynamics.expressions, *observed.values()]):
        times = writer.times()

    written = [*variables, *carries, *([REFRACTORY] if waiting.written else []), *observed]
    unwritten = [REFRACTORY] if waiting.over and not waiting.written else []
    unwritten += [RESUME] if flow and flow.waits else []
    narrow = [*written, *unwritten, *([STEEP] if writer.slopes else []), *writer.per_neuron]
    width = 2 if writer.single else 1  # of what is double, in what is not
    doubles = {name: value for name, value in writer.wide.items() if value.ndim}
    rows = [*narrow, *(name for name in doubles for _ in range(width))]
    lanes = [f"{x}_ = lanes(state, {len(rows)} * block + {n})" for n, x in enumerate(narrow)]
    for n, x in enumerate(doubles):
        first = len(narrow) + width * n
        lanes.append(f"{x}_ = double_lanes(state, {len(rows)} * block + {first})")
    for n, name in enumerate(receptors):
        lanes.append(f"in_{name} = lanes(ring, {len(receptors)} * (block - first) + {n})")
    load = [f"{row} = {row}_[j]" for row in [*narrow, *doubles] if row != STEEP]
    store = [f"{row}_[j] = {row}" for row in written]
    strayed, told = _strays(writer, huge)
    notes = {name: f"  # {meaning}" for name, meaning in writer.meaning.items()}
    constants = [f"{x} = const[{n}]{notes.get(x, '')}" for n, x in enumerate(writer.scalars)]
    wide = {name: None if x.ndim else float(x) for name, x in writer.wide.items()}
    for n, x in enumerate(name for name, value in wide.items() if value is not None):
        place = len(writer.scalars) + width * n
        constants.append(f"{x} = double_at(const, {place}){notes.get(x, '')}")
    look = threshold
    again = [*load, *reset, *waiting.reset, *store]
    if flow is not None:
        begin += [f"{x}_before[j] = {x}" for x in flow.before]
        look = flow.look
        again = [*load, *flow.again, "if not fires__:", "    continue", *waiting.reset]
    whole = [*load, *begin, *step, *store, f"crossed |= {look}", *strayed]
    body = [*_interleaved(writer), "for j in range(64):", *(f"    {x}" for x in whole)]
    advance = body
    if writer.slopes:
        advance = [f"if {STEEP}_[0] > real(0.0):", f"    {STEEP}_[0] = real(0.0)"]
        advance += [f"    {x}".replace(" growth(", " gentle_or_steep(") for x in body]
        advance += ["else:", *(f"    {x}".replace(" growth(", " gentle(") for x in body)]
    source = _TEXT.format(
        title=f"One step of a population of {model.name} neurons, {precision} precision.",
        real="float32" if writer.single else "float64",
        integer="int32" if writer.single and not wide_sums else "int64",
        abi=", ".join(ABI),
        constants=_indented(4, constants, times, waiting.top),
        lanes=_indented(8, lanes),
        often=PERIOD - 1,
        flush=_indented(16, flush, waiting.flush),
        advance=_indented(8, advance),
        load=_indented(20, load),
        threshold=look,
        reset=_indented(20, again),
        functions=flow.functions if flow is not None else "",
        scratch=_indented(4, _kept(flow.before) if flow is not None else []),
        strayed=_indented(12, told or ["pass"]),
    )
    return Kernel(
        source,
        rows,
        writer.scalars,
        wide,
        {**writer.per_neuron, **doubles},
        writer.recipes,
        writer.facts,
        writer.single,
    )


def _kept(before: list[str]) -> list[str]:
    """Lines that give what is kept of the beginning of a step a place."""
    kept = [f"kept__ = scratch(real, {64 * len(before)})"]
    return [*kept, *(f"{x}_before = lanes(kept__, {n})" for n, x in enumerate(before))]


def _observed(writer: Writer, observed: Mapping[str, ast.expr], threshold: str) -> list[str]:
    """What is observed, of a neuron that spikes after its reset if there is a threshold."""
    lines, after = [], {}
    used = set().union(*map(names, observed.values()))
    for statement in writer.dynamics.reset if observed and threshold else ():
        v, value = statement.variable, substitute(statement.value, {**END, **after})
        before = after.get(v, ast.Name(v))
        if not lines:
            lines.append(f"fires__ = {threshold}")
        lines.append(f"{v}_after = {writer.either(v, 'fires__', value, before)}")
        after[v] = ast.Name(f"{v}_after")
    if not used & set(after):
        lines, after = [], {}
    shown = {row: writer.write(substitute(node, after)) for row, node in observed.items()}
    return [*lines, *(f"{row} = {text}" for row, text in shown.items())]


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
        held = statement.variable in dynamics.held and dynamics.refractory is not None
        value = substitute(statement.value, END)
        lines += writer.assigned(statement.variable, value, "active" if held else "")
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

    def in_steps(time: object) -> np.ndarray:
        times = np.asarray(time, float)
        steps = np.floor(times / dt + 0.5)
        lost = (times > 0) & (steps == 0)
        if np.any(lost):
            some = f" in {np.sum(lost)} of {lost.size} neurons" if lost.ndim else ""
            warn(
                f"{writer.name}: the refractory time {ast.unparse(dynamics.refractory)} is "
                f"{np.max(times, where=lost, initial=0.0):g} ms{some}, which rounds to no step of "
                f"dt = {dt:g} ms and thus has no effect."
            )
        if np.any(steps < 0):
            raise ValueError(
                f"{writer.name}: the refractory time is {np.min(steps) * dt:g} ms; it must not be "
                "negative."
            )
        return steps

    steps = formula(dynamics.refractory).then(in_steps)
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

from spikesim.kernels.cache import entry, inlined
from spikesim.kernels.cache import part as part__
from spikesim.kernels.functions import carried, cos, exp, exprel, gentle, gentle_or_steep
from spikesim.kernels.functions import hermite, log, passing, sin, tanh
from spikesim.kernels.intrinsics import compact, double_at, double_lanes, fma, interleave, lanes
from spikesim.kernels.intrinsics import lowest, scratch
from spikesim.kernels.noise import normals

real, wide__ = np.{real}, np.float64
{functions}

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
{constants}{scratch}    compact()
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
{reset}                    ids[count] = base + 64 * block + j
                    count += 1
        if strayed:
{strayed}    return count
'''
