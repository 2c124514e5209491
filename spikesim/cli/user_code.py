"""Python files of users, and errors in them told with their line."""

import sys
import traceback
from collections.abc import Callable
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType
from typing import Any


def import_file(path: Path) -> ModuleType:
    spec = spec_from_file_location(f"the file {path.stem}", path)
    if spec is None or spec.loader is None:
        raise ValueError(f"{path} is not a Python file.")
    module = module_from_spec(spec)
    sys.modules[spec.name] = module  # where classes of the file look for it
    spec.loader.exec_module(module)
    return module


def user_code(path: Path, call: Callable[[], Any]) -> Any:
    """Run a user's file; an error in it is told with its line."""
    try:
        return call()
    except Exception as error:
        frames = traceback.extract_tb(error.__traceback__)
        lines = [f.lineno for f in frames if Path(f.filename).resolve() == path.resolve()]
        line = error.lineno if isinstance(error, SyntaxError) else (lines or ["?"])[-1]
        raise ValueError(f"{path}, line {line}: {type(error).__name__}: {error}") from None
