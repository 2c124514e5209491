"""How the commands tell what went wrong: a sentence, no traceback."""

import functools
import warnings
from collections.abc import Callable
from typing import Any

import click

MISTAKES = (ValueError, TypeError, IndexError, OSError, MemoryError, FloatingPointError)


class Mistake(click.ClickException):
    """A user's mistake: told in a sentence, exit code 2."""

    exit_code = 2


def told(command: Callable) -> Callable:
    """Tell what went wrong without a traceback, and warnings without a line of ours."""

    def show(message: Warning | str, category: type[Warning], *_: Any) -> None:
        click.echo(f"warning: {message}", err=True)

    @functools.wraps(command)
    def wrapped(*args: Any, **options: Any) -> None:
        with warnings.catch_warnings():
            warnings.showwarning = show
            try:
                command(*args, **options)
            except MISTAKES as error:
                raise Mistake(str(error)) from None

    return wrapped
