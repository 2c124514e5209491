"""Spike files written by BMTK, as they are kept in ``reference/files``.

To make them again: ``pip install bmtk==1.2.0``, then ``python tests/bmtk_spikes.py FOLDER``.
"""

import sys
from pathlib import Path

import numpy as np

N = 200
TIMES = np.sort((np.arange(N) * 37 % 1009 + 1) * 0.5)  # ms
IDS = np.arange(N) ** 2 % 11


def write(folder: Path, compression: str | None = "gzip") -> None:
    """A file for each order that BMTK knows; the times of the last are in seconds."""
    from bmtk.utils.reports.spike_trains import SpikeTrains
    from bmtk.utils.reports.spike_trains.core import SortOrder

    spikes = SpikeTrains(population="v1")
    spikes.add_spikes(IDS, TIMES)
    spikes.add_spikes([3, 1, 3], [7.5, 8.0, 9.5], population="lgn")
    for order in SortOrder:
        path = str(folder / f"bmtk_{order.value}.h5")
        spikes.to_sonata(path, sort_order=order, compression=compression)
    in_seconds = SpikeTrains(population="v1", units="s")
    in_seconds.add_spikes(IDS, TIMES / 1000)
    in_seconds.to_sonata(str(folder / "bmtk_seconds.h5"), compression=compression)


if __name__ == "__main__":
    write(Path(sys.argv[1]))
