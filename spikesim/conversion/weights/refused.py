"""What is said of files that are not taken."""

from collections.abc import Iterator
from contextlib import contextmanager


class NotTaken(ValueError):
    """What a file holds is refused; the sentence says why."""


@contextmanager
def damage() -> Iterator[None]:
    """Whatever goes wrong within, but for `NotTaken`, is damage, and told as a ValueError."""
    try:
        yield
    except NotTaken:
        raise
    except Exception as error:  # of a pickle anything can be
        raise ValueError(f"it is damaged ({error})") from error
