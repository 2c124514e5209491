"""Numbers that look as if they were given in s, V, F, S or A: possible, but hardly meant."""

import re
from collections.abc import Mapping
from typing import Any

import numpy as np

from spikesim.checks import as_floats, check_number, warn
from spikesim.description.distributions import Distribution

_LARGE = {"ms": ("s", 1e3), "mV": ("V", 1e3), "pF": ("F", 1e12), "nS": ("S", 1e9)}
_LARGE |= {"pA": ("A", 1e12)}
# Below these no neuron has been described, while in the larger unit most lie below: those of time
# constants are 5 to 100 ms, and thus 0.005 to 0.1 s.
_LEAST = {"pF": 1e-3, "nS": 1e-5, "pA": 1e-6}
_TIMES = {"tau_m": 0.1, "tau_w": 1.0, "t_ref": 0.01, "tau": 0.05, "tau_decay": 0.05}
_TIMES |= {"tau_rise": 0.01, "every": 1e-3, "bin": 1e-3, "delay": 6e-3, "dt": 1e-3}
_SMALL = 0.1  # mV, and volts of a neuron lie below
_CLEARLY_MV = 5.0
_POTENTIAL = re.compile(r"v_|e_|(c|reversal)$")


def warn_of_si(where: str, given: Mapping[str, tuple[Any, str]]) -> None:
    """Warn, in one sentence, of values that would be usual ones in a larger unit.

    Parameters
    ----------
    where : str
        What the sentence begins with.
    given : mapping
        Name to value (number, array or distribution) and unit.
    """
    values = {name: (_typical(value), unit) for name, (value, unit) in given.items()}
    found = [name for name, (value, unit) in values.items() if 0 < abs(value) < _least(name, unit)]
    potentials = {n: abs(x) for n, (x, u) in values.items() if u == "mV" and _POTENTIAL.match(n)}
    largest = max(potentials.values(), default=1.0)
    if not _SMALL <= largest < _CLEARLY_MV:  # else v may be a pure number
        found += [name for name, value in potentials.items() if 0 < value < _SMALL]
    if not found:
        return
    told = []
    for name in found:
        (value, unit), (large, factor) = values[name], _LARGE[values[name][1]]
        about = "" if np.ndim(given[name][0]) == 0 and value == given[name][0] else "about "
        told.append(
            f"{name} is {about}{value:g} {unit} (if {value:g} {large} was meant, write "
            f"{value * factor:g})"
        )
    warn(f"{where}: {', '.join(told)}.")


def check_ms(kind: str, name: str, value: object) -> None:
    """Refuse what is not a positive number of ms, and warn of what looks like seconds."""
    check_number(f"{kind}: {name}", value, above=0, unit="ms")
    warn_of_si(kind, {name: (value, "ms")})


def _least(name: str, unit: str) -> float:
    """The size from which on a value is taken as it is."""
    if unit == "mV":
        return 0.01 if name == "delta_t" else 0.0
    return _TIMES.get(name, 0.0) if unit == "ms" else _LEAST.get(unit, 0.0)


def _typical(value: Any) -> float:
    """The median; 0 of what is no number, which others refuse."""
    if isinstance(value, Distribution):
        return float(value.quantile(np.array(0.5)))
    array = as_floats(value)
    if array is None or not array.size or not np.isfinite(array).all():
        return 0.0
    return float(np.median(array))
