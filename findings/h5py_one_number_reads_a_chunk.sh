#!/usr/bin/env bash
# h5py 3.16.0 (HDF5 2.0.0): one number of a chunked, uncompressed data set costs a whole chunk.
#
# The guess: chunks that are neither compressed nor filtered lie in the file as they are, so that
# column[i] reads its 8 bytes (or a page), and a binary search through a sorted column some hundred.
# The truth: HDF5 brings chunks that fit into its cache (1 MiB a data set, by default) into it
# whole, compressed or not, and a slice is copied once more from there. Without that cache
# (rdcc_nbytes=0, or set_chunk_cache on the data set's access list) 8 bytes are read; a data set
# that is open already keeps the cache that it was opened with.
#
# Whom it hurts: who searches large spike files sorted by time (SONATA writers make chunks of
# 8,192 to 65,536 spikes) for a window: each step of the search reads up to 512 KiB.
#
# Source: "Dataset access property list", H5Pset_chunk_cache in the HDF5 reference manual,
# https://support.hdfgroup.org; rdcc_nbytes in https://docs.h5py.org; and what is run here.
set -euo pipefail
scratch="$(mktemp -d)"
trap 'rm -rf "$scratch"' EXIT
"${PYTHON:-python3}" -m venv "$scratch/venv"
"$scratch/venv/bin/pip" install --quiet 'h5py==3.16.0' 'numpy==2.4.6'
cd "$scratch"
cat > read.py <<'PYTHON'
import io
import sys
from bisect import bisect

import h5py
import numpy as np


class Counted(io.FileIO):
    bytes_read = 0

    def readinto(self, buffer):
        n = super().readinto(buffer)
        self.bytes_read += n
        return n


CHUNK, SPIKES = 65536, 2**22
with h5py.File("spikes.h5", "w") as file:
    file.create_dataset("timestamps", data=np.arange(SPIKES) * 0.1, chunks=(CHUNK,))
seen = {}
for name, options in (("default", {}), ("no cache", {"rdcc_nbytes": 0})):
    raw = Counted("spikes.h5")
    with h5py.File(raw, "r", **options) as file:
        column = file["timestamps"]
        column[0]  # where chunks lie is known from here on
        raw.bytes_read = 0
        column[SPIKES // 2 + 5]
        one, raw.bytes_read = raw.bytes_read, 0
        bisect(column, 123456.7)
        seen[name] = one, raw.bytes_read
print("h5py", h5py.__version__, "HDF5", h5py.version.hdf5_version)
for name, (one, search) in seen.items():
    print(f"{name}: {one:,} bytes for one number, {search:,} for a binary search of {SPIKES:,}")
whole = 8 * CHUNK
fine = whole <= seen["default"][0] < 2 * whole and seen["default"][1] > 4 * whole
sys.exit(not (fine and seen["no cache"][0] < 4096 and seen["no cache"][1] < whole))
PYTHON
"$scratch/venv/bin/python" read.py
