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
from spikesim.codegen.rows import REFRACTORY, RESUME, STEEP, array_of, carry_of, unit_of
from spikesim.codegen.upswing import within
from spikesim.codegen.writer import Fact, Recipe, Writer, fits, formula
from spikesim.description.distributions import Distribution
from spikesim.description.equations import (
    NOT_REFRACTORY,
    evaluate,
    is_condition,
    names,
    parse,
    substitute,
)
from spikesim.description.model import Dynamics, NeuronModel
from spikesim.kernels.functions import CENTRE, STEEPEST

END = {"t": ast.Name("_t_end")}  # what is done at the end of a step sees that time
PERIOD = 64  # steps, a power of 2
# Once a period smaller values become 0, before they are denormal and slow. In every step that took
# a fifth of CUBA's time.
_TINY = {"single": 1e-25, "double": 1e-290}
LONG = {"exp", "exprel", "log", "sin", "cos", "tanh"}  # functions that take tens of operations
_HUGE = {"single": 1e38, "double": 1e300}  # a variable beyond has diverged


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
        writer.constant(unit_of(name), one, f"weight of one unit of the input {name!r}")

    step = [*methods.step(writer, model), *_arrivals(writer)]
    tiny, huge = _TINY[precision], _HUGE[precision]
    threshold = writer.write(substitute(dynamics.threshold, END))
    reset = [
        line
        for statement in dynamics.reset
        for line in writer.assigned(statement.variable, substitute(statement.value, END))
    ]
    carries = [carry_of(v) for v in writer.carried]
    flush = [
        f"{lane} = _real(0.0) if abs({lane}) < _real({tiny!r}) else {lane}"
        for lane in map(_lane, [*variables, *carries])
    ]
    waiting = _refractoriness(writer, writer.values["dt"])
    if waiting.over:
        threshold = f"({threshold}) & ({waiting.over})"
    begin = list(waiting.begin)
    for name in receptors:
        arrived = f"_{name}_in[_j]"
        begin += [f"w_{name} = _real({arrived}) * {unit_of(name)}", f"{arrived} = 0"]
    for pair in range((writer.normals + 1) // 2):
        drawn = f"_normals(_real, 64 * _block + _j, _step, {pair}, _key)"
        begin.append(f"_z{2 * pair}, _z{2 * pair + 1} = {drawn}")
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
    at = f"_state, {len(rows)} * _block"
    lanes = [f"{array_of(x)} = _lanes({at} + {n})" for n, x in enumerate(narrow)]
    for n, x in enumerate(doubles):
        first = len(narrow) + width * n
        lanes.append(f"{array_of(x)} = _double_lanes({at} + {first})")
    for n, name in enumerate(receptors):
        lanes.append(f"_{name}_in = _lanes(_ring, {len(receptors)} * (_block - _first) + {n})")
    load = [f"{row} = {_lane(row)}" for row in [*narrow, *doubles] if row != STEEP]
    store = [f"{_lane(row)} = {row}" for row in written]
    strayed, told = _strays(writer, huge)
    notes = {name: f"  # {meaning}" for name, meaning in writer.meaning.items()}
    constants = [f"{x} = _const[{n}]{notes.get(x, '')}" for n, x in enumerate(writer.scalars)]
    wide = {name: None if x.ndim else float(x) for name, x in writer.wide.items()}
    for n, x in enumerate(name for name, value in wide.items() if value is not None):
        place = len(writer.scalars) + width * n
        constants.append(f"{x} = _double_at(_const, {place}){notes.get(x, '')}")
    look = threshold
    again = [*load, *reset, *waiting.reset, *store]
    if flow is not None:
        begin += [f"_{x}_before[_j] = {x}" for x in flow.before]
        look = flow.look
        again = [*load, *flow.again, "if not _fires:", "    continue", *waiting.reset]
    whole = [*load, *begin, *step, *store, f"_crossed |= {look}", *strayed]
    body = [*_interleaved(writer), "for _j in _range(64):", *(f"    {x}" for x in whole)]
    advance = body
    if writer.slopes:
        steep = f"{array_of(STEEP)}[0]"
        advance = [f"if {steep} > _real(0.0):", f"    {steep} = _real(0.0)"]
        advance += [f"    {x}".replace(" _growth(", " _gentle_or_steep(") for x in body]
        advance += ["else:", *(f"    {x}".replace(" _growth(", " _gentle(") for x in body)]
    source = _TEXT.format(
        title=f"One step of a population of {model.name} neurons, {precision} precision.",
        real="float32" if writer.single else "float64",
        integer="int32" if writer.single and not wide_sums else "int64",
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


def _lane(row: str) -> str:
    """What a row holds of the neuron at hand."""
    return f"{array_of(row)}[_j]"


def _kept(before: list[str]) -> list[str]:
    """Lines that give what is kept of the beginning of a step a place."""
    kept = [f"_kept = _scratch(_real, {64 * len(before)})"]
    return [*kept, *(f"_{x}_before = _lanes(_kept, {n})" for n, x in enumerate(before))]


def _observed(writer: Writer, observed: Mapping[str, ast.expr], threshold: str) -> list[str]:
    """What is observed, of a neuron that spikes after its reset if there is a threshold."""
    lines, after = [], {}
    used = set().union(*map(names, observed.values()))
    for statement in writer.dynamics.reset if observed and threshold else ():
        v, value = statement.variable, substitute(statement.value, {**END, **after})
        before = after.get(v, ast.Name(v))
        if not lines:
            lines.append(f"_fires = {threshold}")
        lines.append(f"_{v}_after = {writer.either(v, '_fires', value, before)}")
        after[v] = ast.Name(f"_{v}_after")
    if not used & set(after):
        lines, after = [], {}
    shown = {row: writer.write(substitute(node, after)) for row, node in observed.items()}
    return [*lines, *(f"{row} = {text}" for row, text in shown.items())]


def _gentle(slope: str, variables: Iterable[str]) -> str:
    """Whether `gentle` takes a slope and, in the same breath, variables are finite."""
    x = f"{slope} + _real({-CENTRE})"
    for v in (v for v in variables if v not in names(ast.parse(slope))):
        x = f"_fma({v}, _real(0.0), {x})"
    return f"abs({x}) < _real({STEEPEST})"


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
    dynamics, row, lane = writer.dynamics, REFRACTORY, _lane(REFRACTORY)
    if dynamics.refractory is None:
        used = dynamics.held or any(NOT_REFRACTORY in names(node) for node in dynamics.expressions)
        return _Refractoriness(begin=("_active = True",) if used else ())
    if is_condition(dynamics.refractory):
        return _Refractoriness(
            begin=(
                f"_waits = ({row} >= _real(0.0)) & ({writer.write(dynamics.refractory)})",
                f"{row} = _real(0.0) if _waits else _real(-1.0)",
                f"_active = {row} < _real(0.0)",
            ),
            reset=(f"{row} = _real(0.0)",),
            over=f"{row} < _real(0.0)",
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
    writer.constant("_refractory_steps", steps, f"{ast.unparse(dynamics.refractory)} in steps")
    return _Refractoriness(
        top=(f"_now = _real(_step & {PERIOD - 1})",),
        flush=(f"{lane} = max({lane} - _real({PERIOD}.0), _real(-1.0))",),
        begin=(f"_active = {row} < _now",),
        reset=(f"{row} = _now + _refractory_steps", f"{lane} = {row}"),
        over=f"{row} < _now",
    )


def _strays(writer: Writer, huge: float) -> tuple[list[str], list[str]]:
    """What notices slopes that are steep and variables that diverge, and what then follows."""
    variables = list(writer.dynamics.derivatives)
    found = [f"_strayed |= not {_gentle(slope, variables)}" for slope in writer.slopes]
    told = [f"{array_of(STEEP)}[0] = _real(1.0)"] if writer.slopes else []
    if not writer.diverges:
        return found, told
    load = [f"    {v} = {_lane(v)}" for v in variables]
    diverged = f"not abs({' + '.join(variables)}) < _real({huge!r})"
    if not found:
        found = [f"_strayed |= {diverged}"]
    told += ["_diverged = False", "for _j in _range(64):", *load, f"    _diverged |= {diverged}"]
    told += ["for _j in _range(_diverged * min(64, _size - 64 * _block)):", *load]
    for place, v in enumerate(variables):
        told.append(f"    if not abs({v}) < _real({huge!r}):")
        told.append(f"        return ~((64 * _block + _j) * {len(variables)} + {place})")
    return found, told


def _indented(columns: int, *parts: Iterable[str]) -> str:
    """Lines, each with its end."""
    return "".join(f"{' ' * columns}{line}\n" for part in parts for line in part)


_TEXT = '''"""{title}

Names that begin with an underscore are the kernel's, others the model's.
"""

import numpy as _np
from numba import types as _types
from numpy import ceil, floor, sqrt

from spikesim.kernels.cache import entry as _entry, inlined as _inlined, part as _part
from spikesim.kernels.functions import carried as _carried, gentle as _gentle
from spikesim.kernels.functions import cos, exp, exprel, log, sin, tanh
from spikesim.kernels.functions import gentle_or_steep as _gentle_or_steep
from spikesim.kernels.functions import hermite as _hermite, passing as _passing
from spikesim.kernels.intrinsics import compact as _compact, fma as _fma, interleave as _interleave
from spikesim.kernels.intrinsics import double_at as _double_at, double_lanes as _double_lanes
from spikesim.kernels.intrinsics import lanes as _lanes, lowest as _lowest, scratch as _scratch
from spikesim.kernels.noise import normals as _normals

_real, _wide = _np.{real}, _np.float64
_range, _int = range, int
{functions}

@_entry(
    _types.int64(
        _types.CPointer(_types.{real}),
        _types.CPointer(_types.{real}),
        _types.CPointer(_types.{integer}),
        _types.CPointer(_types.int32),
        _types.int64, _types.int64, _types.int64, _types.int64, _types.int64, _types.int64,
    )
)
def update(_state, _const, _ring, _ids, _first, _last, _size, _base, _step, _key):
{constants}{scratch}    _compact()
    _count = 0
    for _block in _range(_first, _last):
{lanes}        if _step & {often} == 0:
            for _j in _range(64):
{flush}        _crossed = _strayed = False
{advance}        if _crossed:
            _bits = _np.uint64(0)  # of those that did: a bit for each, then bit by bit
            for _start in _range(0, 64, 16):
                _some = _np.uint32(0)
                for _j in _range(_start, _start + 16):
{load}                    _some |= _np.uint32({threshold}) << _np.uint32(_j - _start)
                _bits |= _np.uint64(_some) << _np.uint64(_start)
            while _bits != _np.uint64(0):
                _j = _lowest(_bits)
                _bits &= _bits - _np.uint64(1)
                if 64 * _block + _j < _size:
{reset}                    _ids[_count] = _base + 64 * _block + _j
                    _count += 1
        if _strayed:
{strayed}    return _count
'''
