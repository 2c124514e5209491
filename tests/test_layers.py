"""Imports run downwards only."""

import ast
from pathlib import Path

import pytest

PACKAGE = Path(__file__).parent.parent / "spikesim"
DATA = {"display", "names", "spiketrains", "storage"}
DESCRIPTION = {
    *(
        "equations",
        "units",
        "distributions",
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


def imported(path: Path) -> set[tuple[str, ...]]:
    """Parts of spikesim that a file imports, as ('engine', 'loop') or ('rules',)."""
    parts = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        modules = []
        if isinstance(node, ast.ImportFrom) and node.module:
            modules = [node.module]
        elif isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        parts |= {tuple(m.split(".")[1:]) for m in modules if m.startswith("spikesim.")}
    return parts


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
        assert part[0] == "engine" and part[1] in KERNELS, f"{name} imports {'.'.join(part)}"
