#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): opening a growing file once more does not show what it holds now.
#
# Guess: each h5py.File(path, "r") reads the file anew, so whoever opens it again sees what another
# process has appended and flushed since.
# Truth: as long as any earlier opening of the same file lives in the process (an object that was
# kept, or a traceback that holds one), the new one shares its cached metadata: old lengths, without
# an error. Opening through a Python file object (h5py.File(open(path, "rb"))) is not shared.
# Hurts: whoever watches the output of a run and keeps what was read before.
# Source: HDF5's documentation of H5Fopen: further openings of a file share its data structures.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
python3 -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'h5py==3.16.0' 'numpy==2.4.6'
cd "$scratch"
cat > append.py <<'PYTHON'
import h5py

with h5py.File("growing.h5", "a", locking=False) as file:
    if "times" not in file:
        file.create_dataset("times", (0,), float, maxshape=(None,), chunks=(64,))
    data = file["times"]
    data.resize((len(data) + 1000,))
PYTHON
cat > watch.py <<'PYTHON'
import subprocess
import sys

import h5py


def append():
    subprocess.run([sys.executable, "append.py"], check=True)


append()
first = h5py.File("growing.h5", "r", locking=False)
seen = [len(first["times"])]
append()
again = h5py.File("growing.h5", "r", locking=False)
seen.append(len(again["times"]))
apart = h5py.File(open("growing.h5", "rb"), "r")
seen.append(len(apart["times"]))
print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
print("first opening:", seen[0], "; after 1000 more, opened by name:", seen[1], "; apart:", seen[2])
sys.exit(seen != [1000, 1000, 2000])
PYTHON
"$scratch/venv/bin/python" watch.py
