"""A file of spikes larger than memory, read: ``python -m benchmarks file``.

The question: how long, and in how much memory, until the rates, the intervals' mean and CV and
the raster of a window of so many spikes are known? Each is asked of a fresh process, of a file
sorted by time as runs leave it and of one sorted by id as other programs do. The files are made
for it and removed.
"""

import json
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import click
import h5py
import numpy as np

from spikesim.data.spike_files import SORTING, SpikeWriter

NEURONS, RATE, DT = 78_000, 12.0, 0.1  # Hz, ms
READ = """
import json, resource, sys, time
t = [time.perf_counter()]
from spikesim.data.spike_files import open_spikes
trains = open_spikes(sys.argv[1])["pop"]
t.append(time.perf_counter()); rates = trains.rates()
t.append(time.perf_counter()); n, mean, variance = trains.interval_moments()
t.append(time.perf_counter()); middle = (trains.t_start + trains.t_stop) / 2
window = trains.restrict(middle, middle + 1000.0); spikes = len(window.times)
t.append(time.perf_counter())
print(json.dumps(dict(
    spikes=len(trains), seconds=[b - a for a, b in zip(t, t[1:])],
    gib=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20,
    rate=float(rates.mean()), interval=float(mean.mean()), window=spikes,
    cv=float((variance**.5 / mean).mean()))))
"""


def write_by_time(path: Path, spikes: int, seed: int = 1) -> None:
    """Poisson spikes on the grid of steps, as a run of this program leaves them."""
    rng = np.random.default_rng(seed)
    second = round(1000 / DT)
    seconds = max(round(spikes / (NEURONS * RATE)), 2)
    with SpikeWriter(path, {"pop": NEURONS}, {}, overwrite=True) as writer:
        for k in range(seconds):
            n = rng.poisson(NEURONS * RATE)
            cells = np.sort(rng.integers(0, second * NEURONS, n))
            steps, neurons = np.divmod(cells, NEURONS)
            writer.append("pop", (k * second + steps + 1) / (1 / DT), neurons)
            writer.flush((k + 1) * 1000.0)


def write_by_id(path: Path, spikes: int, seed: int = 1) -> None:
    """The same process, neuron after neuron."""
    rng = np.random.default_rng(seed)
    duration = max(round(spikes / (NEURONS * RATE)), 2) * 1000.0
    with h5py.File(path, "w") as file:
        group = file.create_group("spikes/pop")
        group.attrs.create("sorting", SORTING.metadata["enum"]["by_id"], dtype=SORTING)
        options = dict(maxshape=(None,), chunks=(2**16,))
        times = group.create_dataset("timestamps", (0,), np.float64, **options)
        ids = group.create_dataset("node_ids", (0,), np.uint64, **options)
        times.attrs["units"] = "ms"
        for first in range(0, NEURONS, 100):
            neurons = np.arange(first, min(first + 100, NEURONS))
            counts = rng.poisson(RATE * duration / 1000, len(neurons))
            owners = np.repeat(neurons, counts)
            when = rng.uniform(DT, duration, len(owners))
            when = np.sort(when + owners * (2 * duration)) - owners * (2 * duration)
            start = len(times)
            for column, values in ((times, when), (ids, owners)):
                column.resize((start + len(owners),))
                column[start:] = values


@click.command()
@click.option("--spikes", default=10**9, show_default=True, help="How many each file holds.")
@click.option("--folder", type=click.Path(exists=True, file_okay=False), help="Where they lie.")
def main(spikes: int, folder: str | None) -> None:
    """Time and memory of reading a file of very many spikes."""
    with tempfile.TemporaryDirectory(dir=folder) as place:
        for order, write in (("time", write_by_time), ("id", write_by_id)):
            path = Path(place) / f"by_{order}.h5"
            began = time.perf_counter()
            write(path, spikes)
            click.echo(f"sorted by {order}: written in {time.perf_counter() - began:.0f} s")
            told = subprocess.run(
                [sys.executable, "-c", READ, str(path)], check=True, capture_output=True, text=True
            )
            found = json.loads(told.stdout)
            opened, rates, intervals, window = found["seconds"]
            click.echo(
                f"  {found['spikes']:,} spikes: opened in {opened:.1f} s, rates {rates:.1f} s, "
                f"intervals and CV {intervals:.1f} s, a second of the raster {window:.2f} s: "
                f"{sum(found['seconds']):.1f} s in all, {found['gib']:.2f} GiB\n"
                f"  rate {found['rate']:.3f} Hz, interval {found['interval']:.2f} ms, "
                f"CV {found['cv']:.4f}, {found['window']:,} spikes in the window"
            )
            path.unlink()
