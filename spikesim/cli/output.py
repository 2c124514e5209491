"""What commands leave: files that must not be there yet, JSON, and columns of text."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click


def check_free(path: Path | None, force: bool) -> None:
    """Before anything is built: can this file be written?"""
    if path is None:
        return
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; give the name of a file.")
    if path.exists() and not force:
        raise FileExistsError(f"{path} exists; give another name, or --force to overwrite it.")
    if not path.absolute().parent.is_dir():
        raise FileNotFoundError(f"the folder {path.absolute().parent} does not exist.")


def print_json(value: Any) -> None:
    """Print a value as JSON, which knows no NaN and no infinity: they become null."""
    click.echo(json.dumps(finite(value), allow_nan=False))


def finite(value: Any) -> Any:
    """A value made of numbers, lists and mappings, with None for what is NaN or infinite."""
    if isinstance(value, Mapping):
        return {key: finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [finite(item) for item in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def aligned(rows: list[list[Any]]) -> str:
    """Columns of text, numbers to the right."""
    cells = [[f"{x:.3f}" if isinstance(x, float) else str(x) for x in row] for row in rows]
    widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
    lines = []
    for first, *rest in cells:
        right = (x.rjust(w) for x, w in zip(rest, widths[1:], strict=True))
        lines.append("  ".join([first.ljust(widths[0]), *right]).rstrip())
    return "\n".join(lines)
