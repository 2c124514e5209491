"""The order of numbers, found in linear time."""

import numpy as np
from numpy.typing import NDArray


def in_order(numbers: NDArray[np.int64], size: int) -> NDArray[np.int64]:
    """What sorts numbers from 0 to below ``size``, and keeps the order of equal ones.

    NumPy sorts integers of 16 bits in linear time, and others not; so the lowest 16 bits come
    first, and then the next.
    """
    order = np.argsort(numbers.astype(np.uint16), kind="stable")
    for shift in range(16, max(size - 1, 0).bit_length(), 16):
        bits = (numbers >> shift).astype(np.uint16)
        order = order[np.argsort(bits[order], kind="stable")]
    return order
