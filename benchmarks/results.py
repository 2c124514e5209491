"""Rows of results with the machine, the versions and the date, one JSON file a benchmark."""

import datetime
import json
import platform
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numba
import numpy as np

import spikesim
from spikesim.cli.output import finite

FOLDER = Path(__file__).parent / "results"


def machine() -> dict[str, str | int]:
    """What the measurement depends on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    from spikesim.cores import cores

    return {"processor": model, "cores": cores(), "system": platform.system()}


def versions() -> dict[str, str]:
    """Of what takes part in every run."""
    return {
        "spikesim": spikesim.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "numba": numba.__version__,
    }


def write(benchmark: str, rows: list[dict[str, Any]]) -> Path:
    """Replace the results of a benchmark."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{benchmark}.json"
    content = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": versions(),
        "rows": rows,
    }
    path.write_text(json.dumps(finite(content), indent=1, allow_nan=False) + "\n")
    return path


def update(
    benchmark: str, rows: list[dict[str, Any]], keys: Sequence[str], cases: Sequence[str]
) -> None:
    """Replace the rows that agree in ``keys``, in the order of ``cases``.

    Others stay if they are of a case that there still is, the machine and the versions.
    """
    if not rows:
        return
    known = read(benchmark)
    kept = []
    if known and (known["machine"], known["versions"]) == (machine(), versions()):
        new = {tuple(row[key] for key in keys) for row in rows}
        kept = [row for row in known["rows"] if row["case"] in cases]
        kept = [row for row in kept if tuple(row[key] for key in keys) not in new]
    today = datetime.date.today().isoformat()
    rows = [*kept, *({**row, "date": today} for row in rows)]
    write(benchmark, sorted(rows, key=lambda row: cases.index(row["case"])))


def read(benchmark: str) -> dict[str, Any] | None:
    """The results of a benchmark, if it has been run."""
    path = FOLDER / f"{benchmark}.json"
    return json.loads(path.read_text()) if path.exists() else None
