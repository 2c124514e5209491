"""Integration methods: what advances a model's variables by one step, as lines of the kernel.

Each takes a `Writer` and returns statements that leave the new values in the variables' names.
``_active`` is false while a neuron is refractory; held variables then stand still. Of a variable of
which a step changes little the change is made, and what rounding loses is carried to the next step
(Kahan 1965), so that single precision does not stop it.
"""

from collections.abc import Callable
from functools import partial

from spikesim.codegen.expressions import Writer
from spikesim.codegen.methods import exact, exponential, runge_kutta, scheme

METHODS: dict[str, Callable[[Writer], list[str]]] = {
    "exact": exact.advance,
    "exponential_euler": exponential.euler,
    "exponential_midpoint": exponential.midpoint,
    "euler": partial(runge_kutta.advance, method="euler"),
    "rk2": partial(runge_kutta.advance, method="rk2"),
    "rk4": partial(runge_kutta.advance, method="rk4"),
}


def step(writer: Writer, method: str) -> list[str]:
    """What advances all variables by a step, by the model's method or its own statements."""
    if writer.dynamics.scheme:
        return scheme.advance(writer)
    return METHODS[method or "exact"](writer)
