"""What a run leaves behind: buffers that kernels fill, emptied into memory or files."""

import ast
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from spikesim.codegen.rows import seen_of
from spikesim.data.report_files import ReportWriter, read_report
from spikesim.data.signals import Averages, BinnedRate, Samples
from spikesim.data.spike_files import SpikeWriter, open_spikes
from spikesim.data.spiketrains import SpikeTrains
from spikesim.description.equations import parse, substitute
from spikesim.description.network import Network
from spikesim.description.neuron import NeuronModel
from spikesim.description.population import View
from spikesim.description.recording import LFP, Mean, Rate, Recorded, Trace
from spikesim.engine.clock.arrays import Record
from spikesim.engine.clock.packing import unpacked_spikes
from spikesim.engine.clock.tables import TAP, TRACE
from spikesim.engine.state import State
from spikesim.times import milliseconds

FLUSH_SECONDS = 0.4  # of wall time
SPIKE_BUFFER = 1 << 20  # spikes per partition
SAMPLE_BUFFER = 1 << 22  # values of traces
Continuous = Trace | Mean | LFP  # what is taken from the state at intervals
_KINDS = "Trace, Mean, LFP and Rate"


class Recorder:
    """Spikes, traces, means and rates of one simulation.

    Parameters
    ----------
    state : State
    records : sequence of Trace, Mean, LFP and Rate
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
        records: Sequence[Recorded],
        spikes: bool,
        out: Path | None,
        attributes: dict[str, Any],
        overwrite: bool,
    ) -> None:
        self.state = state
        self.dt = state.build.dt
        self.populations = state.network.populations
        self.counts = {name: np.zeros(p.size, np.int64) for name, p in self.populations.items()}
        self._keep_spikes = spikes
        self._continuous = [r for r in records if isinstance(r, Continuous)]
        self._rates = [r for r in records if isinstance(r, Rate)]
        self._binned: list[list[np.ndarray]] = [[] for _ in self._rates]  # steps of spikes
        self._kept: dict[str, list] = {name: [] for name in self.populations}
        self._samples: list[list[np.ndarray]] = [[] for _ in self._continuous]
        self._writer: SpikeWriter | None = None
        self._reports: dict[int, ReportWriter] = {}  # by place among what is sampled
        self._out = out
        self._flushed = time.monotonic()
        self._first, self._begun = 0, False  # the step at which recording begins
        if out is not None:
            self._open(out, attributes, overwrite)

    def _open(self, out: Path, attributes: dict[str, Any], overwrite: bool) -> None:
        traces = {t: r for t, r in enumerate(self._continuous) if isinstance(r, Trace)}
        paths = [report_path(out, *_key(r)) for r in traces.values()]
        for path in paths:
            if path.exists() and not overwrite:
                raise FileExistsError(
                    f"the file {path} exists; give another name, or overwrite=True (--force)."
                )
        sizes = {name: p.size for name, p in self.populations.items()}
        self._writer = SpikeWriter(out, sizes, attributes, overwrite=overwrite)
        for path, (t, trace) in zip(paths, traces.items(), strict=True):
            view = _view(trace.neurons)
            self._reports[t] = ReportWriter(
                path,
                view.population,
                view.neurons,
                trace.variable,
                self._unit(trace),
                trace.every,
                0.0,
                overwrite=overwrite,
            )

    def _unit(self, record: Continuous) -> str:
        population, variable = _key(record)
        units = self.populations[population].model.dynamics.units
        return units.get(variable, "pA" if isinstance(record, LFP) else "")

    def steps_to_fill(self) -> int:
        """Steps after which a buffer of samples is full."""
        steps = 1 << 30
        for record in self._continuous:
            rows = max(1, SAMPLE_BUFFER // _columns(record))
            steps = min(steps, rows * round(record.every / self.dt))
        return steps

    def buffers(self, first: int, last: int) -> Record:
        """Empty buffers for the steps from ``first`` to ``last`` - 1."""
        build, lists = self.state.build, self.state.arrays.spikes.lists
        room = max(SPIKE_BUFFER, 2 * build.wiring.epoch * lists.shape[2])
        traces = np.zeros(len(self._continuous), TRACE)
        taps, owners = [np.empty(0, TAP)], [np.empty(0, np.int64)]
        used = 0
        for t, record in enumerate(self._continuous):
            every, columns = round(record.every / self.dt), _columns(record)
            traces[t] = every, first // every + 1, used, columns
            used += (last // every - first // every) * columns
            view = _view(record.neurons)
            cells, partitions = self.state.cells(view, record.variable)
            begins = _begins(record)
            tap = np.zeros(columns, TAP)
            tap["trace"], tap["column"] = t, np.arange(columns)
            tap["cell"], tap["stride"] = cells[begins], view.step
            tap["cells"] = np.diff(begins, append=view.size)
            taps.append(tap)
            owners.append(partitions[begins])
        owner = np.concatenate(owners)
        order = np.argsort(owner, kind="stable")
        return Record(
            spikes=np.empty((build.partitions, room), np.int64),
            spike_count=np.zeros((build.partitions, 8), np.int64),
            traces=traces,
            taps=np.concatenate(taps)[order],
            tap_first=np.searchsorted(owner[order], np.arange(build.partitions + 1)),
            samples=np.zeros(used),
            first=first,
            failures=np.zeros((build.partitions, 8), np.int64),
        )

    def empty(self, buffers: Record) -> None:
        """Hand the chunk up to the state's step on to memory or files."""
        chunks = [buffers.spikes[q, :n] for q, n in enumerate(buffers.spike_count[:, 0])]
        chunk = np.sort(np.concatenate(chunks))  # by step, then by neuron
        self._distribute(chunk, buffers)
        if time.monotonic() - self._flushed > FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Bring to the files what has been recorded."""
        if self._writer is None:
            return
        try:
            self._writer.flush(self.state.time)
            for report in self._reports.values():
                report.flush()
        except OSError:  # a full disk: the file has been closed with what it held
            self._writer = None
            raise
        self._flushed = time.monotonic()

    def _distribute(self, chunk: np.ndarray, buffers: Record) -> None:
        first = buffers.first
        if not self._begun:
            self._first, self._begun = first, True
        since, neuron = unpacked_spikes(chunk)
        step = first + since
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
            if t in self._reports:
                self._reports[t].append(values)
            else:
                self._samples[t].append(values)

    def _take(self, name: str, step: np.ndarray, neuron: np.ndarray) -> None:
        self.counts[name] += np.bincount(neuron, minlength=self.populations[name].size)
        for rate, parts in zip(self._rates, self._binned, strict=True):
            view = _view(rate.population)
            if view.population == name:
                parts.append(step[np.isin(neuron, view.neurons)])
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
        """Recorded variables so far; from their files if they went there."""
        return {
            _key(record): self._trace(t)
            for t, record in enumerate(self._continuous)
            if isinstance(record, Trace)
        }

    def _trace(self, t: int) -> Samples:
        neurons = _view(self._continuous[t].neurons).neurons
        if self._out is None:
            times, values, unit = self._so_far(t)
            return Samples(times, neurons, values, unit)
        path = report_path(self._out, *_key(self._continuous[t]))
        _, _, values, meta = read_report(path)
        return Samples(self._sample_times(t, len(values)), neurons, values, meta["unit"])

    @property
    def means(self) -> dict[tuple[str, str], Averages]:
        """Averages over neurons so far."""
        result = {}
        for t, record in enumerate(self._continuous):
            if not isinstance(record, Trace):
                times, sums, unit = self._so_far(t)
                # By block, so that the order of the sum does not depend on partitions.
                mean = sums.sum(axis=1) / _view(record.neurons).size
                result[_key(record)] = Averages(times, mean, unit)
        return result

    def _so_far(self, t: int) -> tuple[np.ndarray, np.ndarray, str]:
        """Times, values [time, column] and unit of what is sampled."""
        record = self._continuous[t]
        values = np.concatenate([*self._samples[t], np.empty((0, _columns(record)))])
        return self._sample_times(t, len(values)), values, self._unit(record)

    def _sample_times(self, t: int, count: int) -> np.ndarray:
        every = round(self._continuous[t].every / self.dt)
        return milliseconds(every * (self._first // every + np.arange(1, count + 1)), self.dt)

    @property
    def binned(self) -> dict[str | View, BinnedRate]:
        """Rates in bins; a bin that is not over yet is left out."""
        result: dict[str | View, BinnedRate] = {}
        for rate, parts in zip(self._rates, self._binned, strict=True):
            steps = round(rate.bin / self.dt)
            first = self._first // steps
            counts = np.zeros(self.state.step // steps - first)
            for part in parts:
                bins = part // steps - first
                np.add.at(counts, bins[bins < counts.size], 1)
            times = milliseconds(steps * (first + np.arange(1, counts.size + 1)), self.dt)
            view = _view(rate.population)
            per_neuron = counts / view.size / rate.bin * 1000
            whole = view.size == self.populations[view.population].size
            result[view.population if whole else view] = BinnedRate(times, per_neuron)
        return result

    def close(self, attributes: dict[str, Any]) -> None:
        """Complete and close the files."""
        if self._writer is not None:
            self._writer.set_attributes(attributes)
            self._writer.close()
            for report in self._reports.values():
                report.close()
            self._writer = None


def report_path(out: Path, population: str, variable: str) -> Path:
    """Where a trace goes that is recorded to files."""
    return out.with_name(f"{out.stem}.{population}.{variable}.h5")


def _view(neurons: Any) -> View:
    return neurons if isinstance(neurons, View) else neurons[:]


def _key(record: Continuous) -> tuple[str, str]:
    return _view(record.neurons).population, record.variable


def _begins(record: Continuous) -> np.ndarray:
    """Which of its neurons begin a column: each, or for an average the first of each block."""
    neurons = _view(record.neurons).neurons
    if isinstance(record, Trace):
        return np.arange(neurons.size)
    return np.flatnonzero(np.diff(neurons // 64, prepend=-1))


def _columns(record: Continuous) -> int:
    return _begins(record).size


def observed(network: Network, records: Sequence[Recorded]) -> dict[str, dict[str, ast.expr]]:
    """By population, what must be kept of each step to record what is no state variable."""
    rows: dict[str, dict[str, ast.expr]] = {name: {} for name in network.populations}
    for record in records:
        if isinstance(record, Continuous):
            name, _ = _key(record)
            model = network.populations[name].model
            if record.variable not in model.dynamics.derivatives:
                rows[name][seen_of(record.variable)] = _quantity(model, record)
    return rows


def _quantity(model: NeuronModel, record: Continuous) -> ast.expr:
    """What is recorded, as an expression in variables and parameters."""
    definitions = model.dynamics.definitions
    if not isinstance(record, LFP):
        return definitions[record.variable]
    text = " + ".join(f"abs({current})" for current in _currents(model))
    return substitute(parse(text, "the synaptic currents"), definitions)


def _currents(model: NeuronModel) -> list[str]:
    """Of the receptors at which weights arrive."""
    receptors = ((name, model.receptors[name]) for name in model.inputs)
    return [receptor.current.format(r=name) for name, receptor in receptors if receptor.current]


def check_records(network: Network, records: Sequence[Recorded], dt: float) -> None:
    """Hold what is to be recorded against the network and the step."""
    if not isinstance(records, list | tuple):
        raise TypeError(f"record is {records!r}; it must be a sequence of {_KINDS}.")
    seen = set()
    for record in records:
        if isinstance(record, Continuous):
            name, every, word = _view(record.neurons).population, record.every, "every"
        elif isinstance(record, Rate):
            name, every, word = _view(record.population).population, record.bin, "bin"
        else:
            raise TypeError(f"record holds {record!r}; it takes {_KINDS}.")
        if name not in network.populations:
            known = ", ".join(map(repr, network.populations))
            raise ValueError(f"record: unknown population {name!r}; known are {known}.")
        network.view(record.neurons if isinstance(record, Continuous) else record.population)
        if abs(every / dt - max(round(every / dt), 1)) > 1e-6:
            raise ValueError(
                f"record: {word} is {every:g} ms; it must be a multiple of dt = {dt:g}."
            )
        what = type(record), name, getattr(record, "variable", "rate")
        if isinstance(record, Rate):
            what = *what, _view(record.population)
        if what in seen:
            raise ValueError(f"record: {what[2]!r} of {name!r} is asked for twice.")
        seen.add(what)
        model = network.populations[name].model
        known = [*model.dynamics.derivatives, *model.dynamics.definitions]
        if isinstance(record, Trace | Mean) and record.variable not in known:
            raise ValueError(
                f"record: {name!r} has no variable {record.variable!r}; known are "
                f"{', '.join(known)}."
            )
        if isinstance(record, LFP) and not _currents(model):
            raise ValueError(f"record: {name!r} has no synaptic current for LFP to sum.")
