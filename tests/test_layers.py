"""Imports run downwards only, and in no circle."""

import ast
import importlib.util
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "spikesim"
FILES = sorted(PACKAGE.rglob("*.py"))
PARTS = {p.relative_to(PACKAGE).with_suffix("").parts for p in FILES}
PARTS |= {part[:-1] for part in PARTS}  # folders
GROUND = {"checks", "cores", "display", "lazy", "moved", "names", "random", "times"}
# Who may import whom, lowest first; a part may always import what lies in it.
MAY_IMPORT = {
    "ground": {"ground"},
    "data": {"ground", "kernels"},
    "description": {"ground", "data"},
    "kernels": set(),
    "codegen": {"ground", "description", "kernels"},
    "engine/connectivity": {"ground", "description", "kernels"},
    "engine/clock": {"ground", "data", "description", "kernels", "codegen", "engine/connectivity"},
    "engine": {"ground", "data", "description", "kernels", "codegen"},
    "rate": {"ground", "data"},
    "analysis": {"ground", "data", "kernels"},
    "conversion": {"ground", "data", "description", "kernels", "engine", "rate", "analysis"},
    "tools": {
        *("ground", "data", "description", "kernels", "codegen", "engine", "rate", "analysis"),
        "conversion",
    },
}
TOOLS = {"networks", "plots", "reports", "interop", "cli"}

# Files of the engine that are compiled: they know no description, only kernels and each other.
COMPILED = {
    *(("engine", "clock", name) for name in ("arrays", "deliver", "input_kernels", "loop")),
    *(("engine", "clock", name) for name in ("packing", "procedural", "tables", "write")),
    *(("engine", "connectivity", name) for name in ("distance", "draw", "lists", "tables")),
}


def layer(part: tuple[str, ...]) -> str:
    """Row of the table that a part of spikesim belongs to: the longest that names it."""
    for depth in (2, 1):
        if "/".join(part[:depth]) in MAY_IMPORT:
            return "/".join(part[:depth])
    if part[0] in GROUND:
        return "ground"
    assert part[0] in TOOLS | {"__init__", "__main__"}, f"{part[0]} is in no layer"
    return "tools"


def allowed(own: tuple[str, ...], other: tuple[str, ...]) -> bool:
    here, there = layer(own), layer(other)
    return any(f"{there}/".startswith(f"{row}/") for row in {here, *MAY_IMPORT[here]})


def modules(source: str, package: str) -> set[str]:
    """What a source imports, in full: ``from a import b`` is a.b, be b a module or not.

    ``package`` is where relative imports start; names that are made at run time are not seen.
    """
    found = set()
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Import(aliases):
                found |= {alias.name for alias in aliases}
            case ast.ImportFrom(module, aliases, level):
                base = importlib.util.resolve_name("." * level + (module or ""), package)
                found |= {f"{base}.{alias.name}" for alias in aliases}
            case ast.Call(ast.Attribute(attr=call) | ast.Name(call), [ast.Constant(str(name)), *_]):
                if call in ("import_module", "__import__"):
                    found.add(importlib.util.resolve_name(name, package))
    return found


def imported(path: Path) -> set[tuple[str, ...]]:
    """Parts of spikesim that a file imports, as ('engine', 'loop') or ('rules',).

    ``import spikesim`` gives access to everything: it counts as a tool, ('__init__',). The version
    is a mere text.
    """
    parts = set()
    package = ".".join(path.relative_to(PACKAGE.parent).parts[:-1])
    for name in modules(path.read_text(encoding="utf-8"), package):
        top, *part = name.split(".")
        if top != "spikesim" or part == ["__version__"]:
            continue
        while part and tuple(part) not in PARTS:
            part.pop()  # a name within a module
        parts.add(tuple(part) or ("__init__",))
    return parts


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("import spikesim", "spikesim"),
        ("import spikesim.plots", "spikesim.plots"),
        ("import spikesim.plots as p", "spikesim.plots"),
        ("import numpy, spikesim.engine.loop", "spikesim.engine.loop"),
        ("from spikesim import plots", "spikesim.plots"),
        ("from spikesim import rules, plots as drawn", "spikesim.plots"),
        ("from spikesim.plots import save", "spikesim.plots"),
        ("from spikesim.engine import loop", "spikesim.engine.loop"),
        ("from . import loop", "spikesim.engine.loop"),
        ("from .loop import run", "spikesim.engine.loop"),
        ("from .. import plots", "spikesim.plots"),
        ("from ..plots import save", "spikesim.plots"),
        ("def f():\n    from spikesim import plots", "spikesim.plots"),
        ("def f():\n    if x:\n        import spikesim.plots as p", "spikesim.plots"),
        ("importlib.import_module('spikesim.plots')", "spikesim.plots"),
        ("import_module('..plots', package=__package__)", "spikesim.plots"),
        ("__import__('spikesim.plots')", "spikesim.plots"),
    ],
)
def test_every_way_to_import_is_seen(source, found):
    assert any(f"{name}.".startswith(f"{found}.") for name in modules(source, "spikesim.engine"))


def own(path: Path) -> tuple[str, ...]:
    part = path.relative_to(PACKAGE).with_suffix("").parts
    return part[:-1] if part[-1] == "__init__" and len(part) > 1 else part


@pytest.mark.parametrize("path", FILES, ids=lambda p: str(p.relative_to(PACKAGE)))
def test_a_file_imports_from_below(path):
    if path in (PACKAGE / "__init__.py", PACKAGE / "__main__.py"):
        return
    for part in imported(path):
        assert allowed(own(path), part), (
            f"{'/'.join(own(path))} ({layer(own(path))}) imports {'/'.join(part)} ({layer(part)})"
        )


def test_no_file_imports_itself_through_others():
    graph = {own(path): imported(path) - {own(path)} for path in FILES}
    del graph["__init__",]
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        circle = " -> ".join("/".join(part) for part in error.args[1])
        pytest.fail(f"a circle of imports: {circle}")


@pytest.mark.parametrize("part", sorted(COMPILED), ids="/".join)
def test_what_is_compiled_knows_no_description(part):
    for other in imported(PACKAGE.joinpath(*part).with_suffix(".py")):
        assert other[0] == "kernels" or other in COMPILED, f"imports {'/'.join(other)}"
