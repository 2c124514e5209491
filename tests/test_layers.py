"""Imports run downwards only."""

import ast
import importlib.util
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "spikesim"
PARTS = {p.relative_to(PACKAGE).with_suffix("").parts for p in PACKAGE.rglob("*.py")}
PARTS |= {part[:-1] for part in PARTS}  # folders
DATA = {"display", "names", "spiketrains", "storage", "told"}
DESCRIPTION = {
    *(
        "equations",
        "units",
        "distributions",
        "plausibility",
        "rules",
        "model",
        "models",
        "inputs",
        "network",
        "recording",
    ),
}
KERNELS = {
    *(
        "cache",
        "arrivals",
        "procedural",
        "intrinsics",
        "keyed",
        "barrier",
        "functions",
        "noise",
        "tables",
        "wiring",
        "loop",
    ),
}
# Networks may be wired to show their synapses, models to show their source: on request only.
ON_REQUEST = {("network", "engine"), ("model", "engine")}
MAY_IMPORT = {
    "data": {"data"},
    "description": {"data", "description"},
    "engine": {"data", "description", "engine"},
    "rate": {"data", "description", "rate"},
    "tools": {"data", "description", "engine", "rate", "tools"},
}


def layer(part: str) -> str:
    if part in DATA:
        return "data"
    if part in DESCRIPTION:
        return "description"
    return part if part in {"engine", "rate"} else "tools"


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


@pytest.mark.parametrize("path", sorted(PACKAGE.rglob("*.py")), ids=lambda p: p.name)
def test_a_file_imports_from_its_own_layer_or_below(path):
    own = path.relative_to(PACKAGE).with_suffix("").parts[0]
    if own.startswith("__"):
        return
    for part in imported(path):
        allowed = layer(part[0]) in MAY_IMPORT[layer(own)] or (own, part[0]) in ON_REQUEST
        assert allowed, f"{path.name} ({layer(own)}) imports {'.'.join(part)} ({layer(part[0])})"


@pytest.mark.parametrize("name", sorted(KERNELS))
def test_kernels_import_kernels_alone(name):
    for part in imported(PACKAGE / "engine" / f"{name}.py"):
        assert part[0] == "engine" and part[-1] in KERNELS, f"{name} imports {'.'.join(part)}"
