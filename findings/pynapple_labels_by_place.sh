#!/usr/bin/env bash
# pynapple 0.11.4: a table of metadata whose rows are named by unit is taken by place, so that
# labels end up at other units.
#
# The guess: TsGroup(trains, metadata=DataFrame) takes the row that has a unit's id in its index, as
# pandas does, or refuses: set_info, with the same table, raises "Metadata index does not match".
# The truth: the constructor refuses only if *every* id stands in another place than in the trains.
# If one is in its place, the others get each other's labels without a word. A dict of Series,
# whose index says as much, is always taken by place.
#
# Whom it hurts: who reads spikes from one file and a table of units from another (sorted by depth,
# by quality, by region), and then compares regions.
#
# Source: TsGroup.__init__ in pynapple/core/ts_group.py, where `np.all(metadata.index != keys)`
# stands for "not all are equal"; and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'pynapple==0.11.4' 'numpy==2.4.6' 'pandas==3.0.0'
cd "$scratch"
cat > labels.py <<'PYTHON'
import sys
import warnings

import numpy as np
import pandas as pd
import pynapple as nap

warnings.simplefilter("error")  # it gives none
trains = {unit: nap.Ts(np.linspace(0, 1, 2 * unit)) for unit in (1, 2, 3)}
by_depth = pd.DataFrame({"spikes": [2, 6, 4]}, index=[1, 3, 2])  # of each unit, by its id

group = nap.TsGroup(trains, metadata=by_depth)
found = [(unit, len(group[unit]), int(group["spikes"][unit])) for unit in (1, 2, 3)]
shifted = by_depth.loc[[3, 1, 2], "spikes"]
series = nap.TsGroup(trains, metadata={"spikes": shifted})
of_series = [(unit, len(series[unit]), int(series["spikes"][unit])) for unit in (1, 2, 3)]
refused = []
for told, call in (
    ("set_info", lambda: nap.TsGroup(trains).set_info(by_depth)),
    ("TsGroup, no id in its place", lambda: nap.TsGroup(trains, metadata=shifted.to_frame())),
):
    try:
        call()
    except ValueError as error:
        refused.append(told)
        print(f"{told}: {error}")
print("pynapple", nap.__version__, "pandas", pd.__version__)
print("TsGroup of a DataFrame: (unit, its spikes, spikes by its label):", found)
print("TsGroup of a dict of Series:", of_series)
expected = [(1, 2, 2), (2, 4, 6), (3, 6, 4)], [(1, 2, 6), (2, 4, 2), (3, 6, 4)], 2
sys.exit((found, of_series, len(refused)) != expected)
PYTHON
"$scratch/venv/bin/python" labels.py
