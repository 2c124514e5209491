"""One voice for bad arguments: what is asked of what users give, and how they are warned."""

import math
import reprlib
import sys
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np


def is_number(value: Any) -> bool:
    """Whether a value is one finite number."""
    real = int | float | np.integer | np.floating
    return isinstance(value, real) and not isinstance(value, bool) and math.isfinite(value)


def check_whole(name: str, value: Any, least: int | None = 1, most: int | None = None) -> None:
    """Refuse what is not a whole number within the bounds."""
    whole = isinstance(value, int | np.integer) and not isinstance(value, bool)
    if whole and (least is None or value >= least) and (most is None or value <= most):
        return
    bounds = f", {least} or more" if most is None else f", from {least} to {most}"
    raise ValueError(
        f"{name} is {value!r}; it must be a whole number{bounds if least is not None else ''}."
    )


def as_floats(value: Any) -> np.ndarray | None:
    """A value as an array of floats, NaN where it is masked; None if it holds other than reals."""
    try:
        if isinstance(value, np.ma.MaskedArray):
            value = np.ma.filled(value if _is_complex(value) else value.astype(float), np.nan)
        array = value if hasattr(value, "dtype") else np.asarray(value)
        return None if _is_complex(array) else np.asarray(array, float)
    except (TypeError, ValueError):
        return None


def _is_complex(array: Any) -> bool:
    return getattr(array.dtype, "kind", None) == "c"


def check_floats(name: str, value: Any) -> np.ndarray:
    """A value as an array of floats of any shape, NaN allowed and where it is masked."""
    array = as_floats(value)
    if array is None:
        raise ValueError(f"{name} is {_shown(value)}; it must hold real numbers.")
    return array


def check_numbers(
    name: str,
    value: Any,
    what: str,
    *,
    above: float | None = None,
    least: float | None = None,
    dimensions: Sequence[int] | None = None,
) -> np.ndarray:
    """A value as an array of finite numbers within the bounds.

    Parameters
    ----------
    what : str
        What the value must be, such as "a number, or one per neuron".
    dimensions : sequence of int
        How many the array may have. Where some are asked for, it may not be empty.
    """
    array = as_floats(value)
    fits = array is not None and np.isfinite(array).all()
    if fits and dimensions is not None:
        fits = array.ndim in dimensions and (array.size or min(dimensions) == 0)
    if (
        not fits
        or (above is not None and (array <= above).any())
        or (least is not None and (array < least).any())
    ):
        bounds = {" and above {:g}": above, " and at least {:g}": least}
        told = "".join(text.format(x) for text, x in bounds.items() if x is not None)
        raise ValueError(f"{name} is {_shown(value)}; it must be {what}, finite{told}.")
    return array


def check_whole_numbers(name: str, value: Any) -> np.ndarray:
    """A value as a one-dimensional array of whole numbers."""
    array = np.asarray(value)
    if array.ndim != 1 or (array.size and array.dtype.kind not in "iu"):
        what = "a one-dimensional array of whole numbers"
        raise ValueError(f"{name} is {_shown(value)}; it must be {what}.")
    if array.size and array.max() >= 2**63:
        raise ValueError(f"{name} holds {array.max()}; it must be below 2^63.")
    return array.astype(np.int64)


def _shown(value: Any) -> str:
    """A value in one line, cut where it is long."""
    cut = reprlib.Repr()
    cut.maxother = 100
    return " ".join(cut.repr(value).split())


def warn(sentence: str, category: type[Warning] = UserWarning) -> None:
    """Warn in a sentence, at the nearest line that is neither ours nor the import system's.

    The frames of the import system do not count.
    """
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None:
        name = f"{frame.f_globals.get('__name__')}."
        if not name.startswith(("spikesim.", "importlib.")):
            break
        frame, level = frame.f_back, level + ("._bootstrap" not in name)
    warnings.warn(sentence, category, stacklevel=level)


def check_number(
    name: str,
    value: Any,
    *,
    above: float | None = None,
    least: float | None = None,
    below: float | None = None,
    most: float | None = None,
    unit: str = "",
) -> None:
    """Refuse what is not a finite number within the bounds."""
    fits = is_number(value) and not (
        (above is not None and value <= above)
        or (least is not None and value < least)
        or (below is not None and value >= below)
        or (most is not None and value > most)
    )
    if fits:
        return
    upper = below is not None or most is not None
    bounds = {
        " above {:g}": above,
        ", at least {:g}" if upper else ", {:g} or more": least,
        " below {:g}": below,
        " at most {:g}": most,
    }
    told = [text.format(bound) for text, bound in bounds.items() if bound is not None]
    allowed = f"a finite number{f' of {unit}' if unit else ''}{' and'.join(told)}"
    raise ValueError(f"{name} is {value!r}; it must be {allowed}.")


def check_choice(name: str, value: Any, choices: Sequence[Any]) -> None:
    """Refuse what is not one of the choices."""
    if value not in choices:
        *first, last = map(repr, choices)
        raise ValueError(f"{name} is {value!r}; it must be {', '.join(first)} or {last}.")


def check_shape(name: str, value: Any, *shapes: tuple[int, ...]) -> None:
    """Refuse an array of none of the shapes, of which () is that of a number."""
    if np.shape(value) not in shapes:
        allowed = " or ".join(f"have shape {shape}" if shape else "be a number" for shape in shapes)
        raise ValueError(f"{name} has shape {np.shape(value)}; it must {allowed}.")
