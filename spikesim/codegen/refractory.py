"""Being refractory: until when, and what it adds to each part of a kernel.

A refractory time is kept as the last step that it covers, counted from the last multiple of
`PERIOD` steps: unlike a time that is left it need not be written in every step.
"""

import ast
from dataclasses import dataclass

import numpy as np

from spikesim.checks import warn
from spikesim.codegen.expressions import Writer
from spikesim.codegen.recipes import formula
from spikesim.codegen.rows import REFRACTORY, lane_of
from spikesim.description.equations import NOT_REFRACTORY, is_condition, names

PERIOD = 64  # steps, a power of 2


@dataclass(frozen=True)
class Refractoriness:
    """What being refractory adds to the parts of a kernel."""

    top: tuple[str, ...] = ()  # before all blocks
    flush: tuple[str, ...] = ()
    begin: tuple[str, ...] = ()  # of a neuron's step
    reset: tuple[str, ...] = ()
    over: str = ""  # the condition
    written: bool = False  # whether every step changes the row


def refractoriness(writer: Writer) -> Refractoriness:
    """What the model's refractory time or condition, if it has one, adds."""
    dt = writer.values["dt"]
    dynamics, row, lane = writer.dynamics, REFRACTORY, lane_of(REFRACTORY)
    if dynamics.refractory is None:
        used = dynamics.held or any(NOT_REFRACTORY in names(node) for node in dynamics.expressions)
        return Refractoriness(begin=("_active = True",) if used else ())
    if is_condition(dynamics.refractory):
        return Refractoriness(
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
    return Refractoriness(
        top=(f"_now = _real(_step & {PERIOD - 1})",),
        flush=(f"{lane} = max({lane} - _real({PERIOD}.0), _real(-1.0))",),
        begin=(f"_active = {row} < _now",),
        reset=(f"{row} = _now + _refractory_steps", f"{lane} = {row}"),
        over=f"{row} < _now",
    )
