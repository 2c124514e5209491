"""Rows of results with the machine, the versions and the date, one JSON file a benchmark."""

import datetime
import json
import platform
from pathlib import Path
from typing import Any

import numba
import numpy as np

import spikesim

FOLDER = Path(__file__).parent / "results"


def machine() -> dict[str, str | int]:
    """What the measurement depends on."""
    model = platform.processor() or platform.machine()
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        lines = cpuinfo.read_text().splitlines()
        model = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), model)
    from spikesim.engine.build import cores

    return {"processor": model, "cores": cores(), "system": platform.system()}


def write(benchmark: str, rows: list[dict[str, Any]]) -> Path:
    """Replace the results of a benchmark."""
    FOLDER.mkdir(exist_ok=True)
    path = FOLDER / f"{benchmark}.json"
    content = {
        "date": datetime.date.today().isoformat(),
        "machine": machine(),
        "versions": {
            "spikesim": spikesim.__version__,
            "python": platform.python_version(),
            "numpy": np.__version__,
            "numba": numba.__version__,
        },
        "rows": rows,
    }
    path.write_text(json.dumps(content, indent=1) + "\n")
    return path


def read(benchmark: str) -> dict[str, Any] | None:
    """The results of a benchmark, if it has been run."""
    path = FOLDER / f"{benchmark}.json"
    return json.loads(path.read_text()) if path.exists() else None
