"""What notices in a step that slopes are steep or that variables diverge, and what follows."""

import ast
from collections.abc import Iterable

from spikesim.codegen.expressions import Writer
from spikesim.codegen.rows import STEEP, array_of, lane_of
from spikesim.description.equations import names
from spikesim.kernels.functions import CENTRE, STEEPEST

_HUGE = {"single": 1e38, "double": 1e300}  # a variable beyond has diverged


def _gentle(slope: str, variables: Iterable[str]) -> str:
    """Whether `gentle` takes a slope and, in the same breath, variables are finite."""
    x = f"{slope} + _real({-CENTRE})"
    for v in (v for v in variables if v not in names(ast.parse(slope))):
        x = f"_fma({v}, _real(0.0), {x})"
    return f"abs({x}) < _real({STEEPEST})"


def strays(writer: Writer) -> tuple[list[str], list[str]]:
    """What notices slopes that are steep and variables that diverge, and what then follows."""
    huge = _HUGE["single" if writer.single else "double"]
    variables = list(writer.dynamics.derivatives)
    found = [f"_strayed |= not {_gentle(slope, variables)}" for slope in writer.slopes]
    told = [f"{array_of(STEEP)}[0] = _real(1.0)"] if writer.slopes else []
    if not writer.diverges:
        return found, told
    load = [f"    {v} = {lane_of(v)}" for v in variables]
    diverged = f"not abs({' + '.join(variables)}) < _real({huge!r})"
    if not found:
        found = [f"_strayed |= {diverged}"]
    told += ["_diverged = False", "for _j in _range(64):", *load, f"    _diverged |= {diverged}"]
    told += ["for _j in _range(_diverged * min(64, _size - 64 * _block)):", *load]
    for place, v in enumerate(variables):
        told.append(f"    if not abs({v}) < _real({huge!r}):")
        told.append(f"        return ~((64 * _block + _j) * {len(variables)} + {place})")
    return found, told
