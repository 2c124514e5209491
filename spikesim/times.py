"""Steps and ms: times as a decimal of dt would have them, whatever dt is in binary."""

from fractions import Fraction
from typing import Any

import numpy as np

FINEST = 10**9  # parts of a ms in which a dt is looked for


def ratio(dt: float) -> tuple[float, float]:
    """Whole numbers whose quotient is ``dt``; dt and 1 if there are none below `FINEST`.

    ``step * a / b`` is rounded once, so it is the double nearest to the decimal time, which the
    sum or product of many dt is not: 3 * 0.1 > 0.3.
    """
    near = Fraction(dt).limit_denominator(FINEST)
    if near.numerator / near.denominator == dt:
        return float(near.numerator), float(near.denominator)
    return float(dt), 1.0


def milliseconds(step: Any, dt: float) -> Any:
    """Time after so many steps; right up to step 2^53."""
    above, below = ratio(dt)
    return np.asarray(step, float) * above / below
