"""Warnings that point at the user's line, however many of our own calls lie before it."""

import sys
import warnings


def warn(sentence: str) -> None:
    """Warn in a sentence, at the nearest line outside this package."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None and frame.f_globals.get("__name__", "").startswith("spikesim."):
        frame, level = frame.f_back, level + 1
    warnings.warn(sentence, UserWarning, stacklevel=level)
