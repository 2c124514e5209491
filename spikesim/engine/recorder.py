"""What a run leaves behind: buffers that kernels fill, emptied into memory or files."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim.engine.build import milliseconds
from spikesim.engine.loop import Record
from spikesim.engine.state import State
from spikesim.engine.tables import TAP, TRACE
from spikesim.network import Network, View
from spikesim.recording import BinnedRate, Rate, Samples, Trace
from spikesim.spiketrains import SpikeTrains
from spikesim.storage import ReportWriter, SpikeWriter, open_spikes

FLUSH_SECONDS = 0.4  # of wall time
SPIKE_BUFFER = 1 << 20  # spikes per partition
SAMPLE_BUFFER = 1 << 22  # values of traces


class Recorder:
    """Spikes, traces and rates of one simulation.

    Parameters
    ----------
    state : State
    records : sequence of Trace and Rate
    spikes : bool
        Whether to keep spikes; they are counted in any case.
    out : path or None
        A SONATA file to stream to; traces go to files beside it. ``None``: memory.
    attributes : dict
        Written into the file.
    overwrite : bool
    """

    def __init__(
        self,
        state: State,
        records: Sequence[Trace | Rate],
        spikes: bool,
        out: Path | None,
        attributes: dict[str, Any],
        overwrite: bool,
    ) -> None:
        self.state = state
        self.dt = state.build.dt
        self.populations = state.network.populations
        self.counts = dict.fromkeys(self.populations, 0)
        self._keep_spikes = spikes
        self._traces = [r for r in records if isinstance(r, Trace)]
        self._views = [_view(r.neurons) for r in self._traces]
        self._rates = [r for r in records if isinstance(r, Rate)]
        self._binned: dict[str, list] = {r.population.name: [] for r in self._rates}
        self._kept: dict[str, list] = {name: [] for name in self.populations}
        self._samples: list[list[np.ndarray]] = [[] for _ in self._traces]
        self._writer: SpikeWriter | None = None
        self._reports: list[ReportWriter] = []
        self._out = out
        self._flushed = time.monotonic()
        if out is not None:
            self._open(out, attributes, overwrite)

    def _open(self, out: Path, attributes: dict[str, Any], overwrite: bool) -> None:
        paths = [report_path(out, v.population, t.variable) for v, t in self._named()]
        for path in paths:
            if path.exists() and not overwrite:
                raise FileExistsError(
                    f"the file {path} exists; give another name, or overwrite=True (--force)."
                )
        sizes = {name: p.size for name, p in self.populations.items()}
        self._writer = SpikeWriter(out, sizes, attributes, overwrite=overwrite)
        for path, (view, trace) in zip(paths, self._named(), strict=True):
            unit = self.populations[view.population].model.dynamics.units[trace.variable]
            self._reports.append(
                ReportWriter(
                    path,
                    view.population,
                    view.neurons,
                    trace.variable,
                    unit,
                    trace.every,
                    0.0,
                    overwrite=overwrite,
                )
            )

    def _named(self) -> list[tuple[View, Trace]]:
        return list(zip(self._views, self._traces, strict=True))

    def steps_to_fill(self) -> int:
        """Steps after which a buffer of traces is full."""
        steps = 1 << 30
        for view, trace in self._named():
            rows = max(1, SAMPLE_BUFFER // view.size)
            steps = min(steps, rows * round(trace.every / self.dt))
        return steps

    def buffers(self, first: int, last: int) -> Record:
        """Empty buffers for the steps from ``first`` to ``last`` - 1."""
        build, flow = self.state.build, self.state.flow
        room = max(SPIKE_BUFFER, 2 * build.epoch * flow.lists.shape[2])
        traces = np.zeros(len(self._traces), TRACE)
        taps: list[list[tuple[int, int, int]]] = [[] for _ in range(build.partitions)]
        used = 0
        for t, (view, trace) in enumerate(self._named()):
            every = round(trace.every / self.dt)
            traces[t] = every, first // every + 1, used, view.size
            used += (last // every - first // every) * view.size
            cells, partitions = self.state.cells(view, trace.variable)
            for column, (cell, partition) in enumerate(zip(cells, partitions, strict=True)):
                taps[partition].append((t, cell, column))
        return Record(
            spikes=np.empty((build.partitions, room), np.int64),
            spike_count=np.zeros((build.partitions, 8), np.int64),
            traces=traces,
            taps=np.array([tap for part in taps for tap in part], TAP),
            tap_first=np.cumsum([0, *map(len, taps)]),
            samples=np.zeros(used),
        )

    def empty(self, buffers: Record, first: int) -> None:
        """Hand the chunk from step ``first`` to the state's step on to memory or files."""
        chunks = [buffers.spikes[q, :n] for q, n in enumerate(buffers.spike_count[:, 0])]
        chunk = np.sort(np.concatenate(chunks))  # by step, then by neuron
        self._distribute(chunk, buffers, first)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring to the files what has been recorded."""
        if self._writer is None:
            return
        try:
            self._writer.flush(self.state.time)
            for report in self._reports:
                report.flush()
        except OSError:  # a full disk: the file has been closed with what it held
            self._writer = None
            raise
        self._flushed = time.monotonic()

    def _distribute(self, chunk: np.ndarray, buffers: Record, first: int) -> None:
        step, neuron = chunk >> 32, chunk & 0xFFFFFFFF
        firsts = self.state.build.wiring.populations["first"]
        owner = np.searchsorted(firsts, neuron, side="right") - 1
        order = np.argsort(owner, kind="stable")
        edges = np.searchsorted(owner[order], np.arange(len(firsts) + 1))
        for p, name in enumerate(self.populations):
            ours = order[edges[p] : edges[p + 1]]
            self._take(name, step[ours], neuron[ours] - firsts[p])
        for t, row in enumerate(buffers.traces):
            done = self.state.step // row["every"] - first // row["every"]
            values = buffers.samples[row["buffer"] :][: done * row["columns"]]
            values = values.reshape(done, row["columns"])
            if self._reports:
                self._reports[t].append(values)
            else:
                self._samples[t].append(values)

    def _take(self, name: str, step: np.ndarray, neuron: np.ndarray) -> None:
        self.counts[name] += step.size
        if name in self._binned:
            self._binned[name].append(step)
        if not self._keep_spikes or not step.size:
            return
        times = milliseconds(step + 1, self.dt)
        if self._writer is not None:
            self._writer.append(name, times, neuron)
        else:
            self._kept[name].append((times, neuron))

    @property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Spikes so far, by population; from the file if they went there."""
        if self._out is not None:
            return open_spikes(self._out)
        result = {}
        for name, parts in self._kept.items():
            times = np.concatenate([*(part[0] for part in parts), np.empty(0)])
            neurons = np.concatenate([*(part[1] for part in parts), np.empty(0, np.int64)])
            size = self.populations[name].size
            result[name] = SpikeTrains(times, neurons, size, 0.0, self.state.time)
        return result

    @property
    def traces(self) -> dict[tuple[str, str], Samples]:
        """Recorded variables so far, unless they went to files."""
        result = {}
        for (view, trace), parts in zip(self._named(), self._samples, strict=True):
            every = round(trace.every / self.dt)
            values = np.concatenate([*parts, np.empty((0, view.size))])
            times = milliseconds(every * np.arange(1, len(values) + 1), self.dt)
            unit = self.populations[view.population].model.dynamics.units[trace.variable]
            result[view.population, trace.variable] = Samples(times, view.neurons, values, unit)
        return result

    @property
    def binned(self) -> dict[str, BinnedRate]:
        """Rates in bins; a bin that is not over yet is left out."""
        result = {}
        for rate in self._rates:
            steps = round(rate.bin / self.dt)
            counts = np.zeros(self.state.step // steps)
            for part in self._binned[rate.population.name]:
                bins = part // steps
                np.add.at(counts, bins[bins < counts.size], 1)
            times = milliseconds(steps * np.arange(1, counts.size + 1), self.dt)
            per_neuron = counts / rate.population.size / rate.bin * 1000
            result[rate.population.name] = BinnedRate(times, per_neuron)
        return result

    def close(self, attributes: dict[str, Any]) -> None:
        """Complete and close the files."""
        if self._writer is not None:
            self._writer.set_attributes(attributes)
            self._writer.close()
            for report in self._reports:
                report.close()
            self._writer = None


def report_path(out: Path, population: str, variable: str) -> Path:
    """Where a trace goes that is recorded to files."""
    return out.with_name(f"{out.stem}.{population}.{variable}.h5")


def _view(neurons: Any) -> View:
    return neurons if isinstance(neurons, View) else neurons[:]


def check_records(network: Network, records: Sequence[Trace | Rate], dt: float) -> None:
    """Hold what is to be recorded against the network and the step."""
    if not isinstance(records, list | tuple):
        raise TypeError(f"record is {records!r}; it must be a sequence of Trace and Rate.")
    seen = set()
    for record in records:
        if isinstance(record, Trace):
            name, every, word = _view(record.neurons).population, record.every, "every"
        elif isinstance(record, Rate):
            name, every, word = record.population.name, record.bin, "bin"
        else:
            raise TypeError(f"record holds {record!r}; it takes Trace and Rate.")
        if name not in network.populations:
            known = ", ".join(map(repr, network.populations))
            raise ValueError(f"record: unknown population {name!r}; known are {known}.")
        if isinstance(record, Trace):
            network.view(record.neurons)
        elif record.population.size != network.populations[name].size:
            raise ValueError(f"record: population {name!r} belongs to another network.")
        if abs(every / dt - max(round(every / dt), 1)) > 1e-6:
            raise ValueError(
                f"record: {word} is {every:g} ms; it must be a multiple of dt = {dt:g}."
            )
        what = name, getattr(record, "variable", "rate")
        if what in seen:
            raise ValueError(f"record: {what[1]!r} of {name!r} is asked for twice.")
        seen.add(what)
        known = network.populations[name].model.dynamics.derivatives
        if isinstance(record, Trace) and record.variable not in known:
            raise ValueError(
                f"record: {name!r} has no variable {record.variable!r}; known are "
                f"{', '.join(known)}."
            )
