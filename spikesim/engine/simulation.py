"""A state of a build, and the hand on it: run, look, change, run on."""

import time
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from spikesim.distributions import levels
from spikesim.engine import loop
from spikesim.engine.build import (
    Build,
    arrival_steps,
    bounds,
    build,
    check_threads,
    cores,
    sampled,
)
from spikesim.engine.cache import generated_module
from spikesim.engine.generator import REFRACTORY, Kernel, generate
from spikesim.engine.keyed import derive_key
from spikesim.engine.loop import Flow, Record, Shape
from spikesim.engine.tables import GAUSS, INPUT, POISSON, TAP, TRACE
from spikesim.equations import evaluate, names, parse
from spikesim.inputs import Current, Poisson, Spikes, WhiteNoise
from spikesim.network import Drive, Network, Normal, View
from spikesim.recording import BinnedRate, Rate, Samples, Trace
from spikesim.spiketrains import SpikeTrains
from spikesim.storage import ReportWriter, SpikeWriter, open_spikes

FLUSH_SECONDS = 0.5  # wall time between two emptyings of the buffers
POLL_SECONDS = 0.05
SPIKE_BUFFER = 1 << 20  # spikes per partition
SAMPLE_BUFFER = 1 << 22  # values of traces


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave.

    Attributes
    ----------
    spikes : mapping of population to SpikeTrains
    rates : mapping of population to mean rate (Hz)
    traces : mapping of (population, variable) to Samples
    binned : mapping of population to BinnedRate
    timings : mapping
        Seconds: ``build``, ``compile``, ``run`` (the stepping loop alone); ``rtf``, run over
        biological time.
    synapses, threads : int
    interrupted : bool
        Whether Ctrl-C ended the run early.
    """

    spikes: Mapping[str, SpikeTrains]
    rates: Mapping[str, float]
    traces: Mapping[tuple[str, str], Samples]
    binned: Mapping[str, BinnedRate]
    timings: Mapping[str, float]
    synapses: int
    threads: int
    interrupted: bool


def _aligned(size: int, kind: type) -> np.ndarray:
    """Zeros that begin at a cache line."""
    item = np.dtype(kind).itemsize
    raw = np.zeros(size * item + 64, np.uint8)
    shift = -raw.ctypes.data % 64
    return raw[shift : shift + size * item].view(kind)


class Simulation:
    """A network in motion.

    Parameters
    ----------
    what : Network or Build
        A network is built first, with ``build_options`` (``dt``, ``threads``, ``precision``, ...:
        see `build`).
    seed : int
        Of the noise and of drawn start values. Default: the network's.
    replica : int
        Number of the trial: another stream of random numbers under the same seed.
    threads : int
        Worker threads, at most one per partition. Default: as built. They change no spike.
    record : sequence of Trace and Rate
        What to keep beside spikes.
    spikes : bool
        Whether to keep spikes at all.
    out : path
        Stream spikes to this SONATA file, and traces to files beside it, rather than keep them in
        memory.
    overwrite : bool
        Whether files that exist may be replaced.

    Notes
    -----
    Step n leads from n dt to (n + 1) dt. Within it the state is advanced, then the weights that
    arrive at (n + 1) dt are added, then thresholds are tested; a spike is stamped (n + 1) dt. With
    a delay of d steps it arrives at (n + 1 + d) dt. After a spike a neuron is refractory for the
    following round(t_ref / dt) steps. Delays are rounded to the nearest step.
    """

    def __init__(
        self,
        what: Network | Build,
        *,
        seed: int | None = None,
        replica: int = 0,
        threads: int | None = None,
        record: Sequence[Trace | Rate] = (),
        spikes: bool = True,
        out: str | Path | None = None,
        overwrite: bool = False,
        **build_options: Any,
    ) -> None:
        check_threads(threads)
        if isinstance(what, Network):
            _check_records(what, record)
            what = build(what, threads=threads, **build_options)
        elif build_options:
            raise TypeError(
                f"{next(iter(build_options))} belongs to the build; give it to build(...)."
            )
        else:
            _check_records(what.network, record)
        self.build = what
        self.network = what.network
        self.seed = self.network.seed if seed is None else seed
        self.replica = replica
        self.threads = min(threads or what.threads, what.partitions)
        if self.threads > cores():
            warnings.warn(
                f"{self.threads} threads share {cores()} cores: the run will be slower than with "
                f"{cores()}.",
                stacklevel=2,
            )
        self.step = 0
        self.run_seconds = 0.0
        self.counts = dict.fromkeys(self.network.populations, 0)
        self._names = list(self.network.populations)
        self._values = {name: dict(values) for name, values in what.values.items()}
        self._drives = dict(self.network.drives)

        start = time.perf_counter()
        self._kernels: dict[str, Kernel] = {}
        self._updates: dict[str, Any] = {}
        self._flow = self._new_flow()
        self._call(0, 0, self._buffers(0, 0), self.threads)
        self.compile_seconds = time.perf_counter() - start + what.compile_seconds

        self._keep_spikes = spikes
        self._traces = [r for r in record if isinstance(r, Trace)]
        self._rates = [r for r in record if isinstance(r, Rate)]
        self._binned = {r.population.name: [] for r in self._rates}
        self._kept: dict[str, list[tuple[np.ndarray, np.ndarray]]] = {n: [] for n in self._names}
        self._samples: list[list[np.ndarray]] = [[] for _ in self._traces]
        self._writer, self._reports, self._out = None, [], out
        if out is not None:
            self._open(Path(out), overwrite)

    # Running

    def run(self, duration: float, progress: Callable[[float], None] | None = None) -> None:
        """Advance by ``duration`` ms.

        ``progress`` is called now and then with the biological time (ms) done since the last call.
        Ctrl-C ends the run after the current steps: what was recorded is kept, the state can be
        used, and `KeyboardInterrupt` is raised.
        """
        steps = round(duration / self.build.dt) if np.isfinite(duration) else -1
        if steps < 0 or abs(steps * self.build.dt - duration) > 1e-6 * max(duration, 1):
            raise ValueError(
                f"duration is {duration!r} ms; it must be a multiple of dt = {self.build.dt:g} ms, "
                "0 or more."
            )
        end = self.step + steps
        while self.step < end:
            before = self.step
            last = min(end, self.step + self._steps_to_fill())
            buffers = self._buffers(self.step, last)
            self.step, interrupted = self._run_until(last, buffers)
            self._empty(buffers, before)
            if progress is not None:
                progress((self.step - before) * self.build.dt)
            if interrupted:
                raise KeyboardInterrupt

    def _run_until(self, last: int, buffers: Record) -> tuple[int, bool]:
        """Run all workers to a step, or until it is time to empty the buffers."""
        sync = np.zeros(64, np.int64)
        interrupted = False
        start = time.perf_counter()
        with ThreadPoolExecutor(self.threads) as pool:
            work = [
                pool.submit(self._work, worker, self.step, last, buffers, sync)
                for worker in range(self.threads)
            ]
            while True:
                try:
                    if not wait(work, timeout=POLL_SECONDS).not_done:
                        break
                    if time.perf_counter() - start > FLUSH_SECONDS:
                        sync[loop.STOP] = 1
                except KeyboardInterrupt:
                    sync[loop.STOP] = 1
                    interrupted = True
        self.run_seconds += time.perf_counter() - start
        return work[0].result(), interrupted

    def _work(self, worker: int, first: int, last: int, buffers: Record, sync: np.ndarray) -> int:
        return loop.run(
            worker,
            self.threads,
            first,
            last,
            self.build.wiring,
            self._flow,
            self._shape,
            buffers,
            sync,
        )

    def _call(self, first: int, last: int, buffers: Record, workers: int) -> None:
        """Compile the loop, or load it, without a step."""
        sync = np.zeros(64, np.int64)
        loop.run(0, workers, first, last, self.build.wiring, self._flow, self._shape, buffers, sync)

    @property
    def _shape(self) -> Shape:
        b = self.build
        key = np.uint64(derive_key(self.seed, self.replica, "noise"))
        return Shape(b.address_bits, b.slot_bits, b.history, b.epoch, key)

    # Looking and changing

    @property
    def time(self) -> float:
        """Biological time reached (ms)."""
        return _milliseconds(self.step, self.build.dt)

    def get(self, population: str, name: str) -> np.ndarray | float:
        """A state variable (one value per neuron) or a parameter of a population."""
        self._known(population)
        if name in self.network.populations[population].model.dynamics.derivatives:
            return (
                self._rows(population)[:, self._kernels[population].rows.index(name)]
                .reshape(-1)[: self.network.populations[population].size]
                .astype(float)
            )
        if name in self._values[population]:
            return self._values[population][name]
        model = self.network.populations[population].model.dynamics
        raise ValueError(
            f"population {population!r} has neither a variable nor a parameter {name!r}; known are "
            f"{', '.join([*model.derivatives, *model.defaults])}."
        )

    def set(self, name: str, **values: Any) -> None:
        """Change variables or parameters of a population, or an input, of this state alone.

        Parameters
        ----------
        name : str
            A population, or the name of an input.
        **values
            Variables and parameters: a number, or one per neuron. Of an input: ``rate``,
            ``weight``, ``sd`` or ``amplitude``.

        Raises
        ------
        ValueError
            An unknown name, a value of the wrong shape, or an input that has become stronger than
            the build allows for (about four times what was described).
        """
        if name in self._drives:
            self._set_drive(name, values)
            return
        self._known(name)
        population = self.network.populations[name]
        dynamics = population.model.dynamics
        for key, value in values.items():
            self.get(name, key)
            array = np.asarray(value, float)
            if array.shape not in ((), (population.size,)) or not np.all(np.isfinite(array)):
                raise ValueError(
                    f"{key} of {name!r} is {value!r}; it must be finite, a number or of shape "
                    f"({population.size},)."
                )
        state = self._variables()
        for key, value in values.items():
            if key in dynamics.derivatives:
                state[name][key] = np.broadcast_to(np.asarray(value, float), population.size)
            else:
                array = np.asarray(value, float)
                self._values[name][key] = float(array) if array.ndim == 0 else array
        if set(values) & set(dynamics.defaults):
            self._layout(state, changed=name)
        else:
            self._write(name, state[name])

    def _set_drive(self, name: str, values: Mapping[str, Any]) -> None:
        drive = self._drives[name]
        for key in values:
            if not hasattr(drive.input, key) or key == "trains":
                raise ValueError(f"input {name!r} has no {key!r} that can be set.")
            shape = np.shape(values[key])
            if shape not in ((), (drive.target.size,)):
                raise ValueError(
                    f"{key} of input {name!r} has shape {shape}; it must be a number or of shape "
                    f"({drive.target.size},)."
                )
        changed = replace(drive, input=replace(drive.input, **values))
        drives = {**self._drives, name: changed}
        most = bounds(self.network, drives, self.build.dt)
        for key, limit in self.build.limits.items():
            if most[key] > limit:
                raise ValueError(
                    f"input {name!r} would be stronger than this build can add up ({most[key]:g} "
                    f"of at most {limit:g} per step): describe it so and build again."
                )
        self._drives = drives
        if isinstance(changed.input, Current):
            self._layout(self._variables(), changed=changed.target.population)
        else:
            self._flow = self._flow._replace(**self._inputs())

    def synapses(self, source, target, receptor: str | None = None):
        """See `Build.synapses`."""
        return self.build.synapses(source, target, receptor)

    def _known(self, population: str) -> None:
        if population not in self._names:
            known = ", ".join(map(repr, [*self._names, *self._drives]))
            raise ValueError(f"unknown population or input {population!r}; known are {known}.")

    # Results

    @property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Spikes so far, by population."""
        if self._out is not None:
            return open_spikes(self._out)
        result = {}
        for name, parts in self._kept.items():
            times = np.concatenate([part[0] for part in parts] + [np.empty(0)])
            neurons = np.concatenate([part[1] for part in parts] + [np.empty(0, np.int64)])
            size = self.network.populations[name].size
            result[name] = SpikeTrains(times, neurons, size, 0.0, self.time)
        return result

    @property
    def rates(self) -> dict[str, float]:
        """Mean rate (Hz) of each population so far."""
        seconds = max(self.time, self.build.dt) / 1000
        return {
            name: count / self.network.populations[name].size / seconds
            for name, count in self.counts.items()
        }

    @property
    def traces(self) -> dict[tuple[str, str], Samples]:
        """Recorded variables so far, unless they went to files."""
        result = {}
        for trace, parts in zip(self._traces, self._samples, strict=True):
            view = _view(trace.neurons)
            every = round(trace.every / self.build.dt)
            values = np.concatenate([*parts, np.empty((0, view.size))])
            times = _milliseconds(every * np.arange(1, len(values) + 1) - 1, self.build.dt, 1)
            unit = self.network.populations[view.population].model.dynamics.units[trace.variable]
            result[view.population, trace.variable] = Samples(times, view.neurons, values, unit)
        return result

    @property
    def binned(self) -> dict[str, BinnedRate]:
        """Rates in bins; a bin that is not over yet is left out."""
        result = {}
        for rate in self._rates:
            steps = round(rate.bin / self.build.dt)
            counts = np.zeros(self.step // steps)
            for part in self._binned[rate.population.name]:
                bins = part // steps
                np.add.at(counts, bins[bins < counts.size], 1)
            times = _milliseconds(steps * np.arange(1, counts.size + 1) - 1, self.build.dt, 1)
            size = rate.population.size
            result[rate.population.name] = BinnedRate(times, counts / size / rate.bin * 1000)
        return result

    @property
    def timings(self) -> dict[str, float]:
        """Seconds of build, compile and run, and the real-time factor."""
        biological = self.time / 1000
        return {
            "build": self.build.seconds,
            "compile": self.compile_seconds,
            "run": self.run_seconds,
            "rtf": self.run_seconds / biological if biological else 0.0,
        }

    def result(self, interrupted: bool = False) -> Result:
        """Everything so far in one object."""
        return Result(
            self.spikes,
            self.rates,
            self.traces,
            self.binned,
            self.timings,
            self.build.synapse_count,
            self.threads,
            interrupted,
        )

    def close(self) -> None:
        """Complete and close the output files."""
        if self._writer is not None:
            self._writer.set_attributes({"timings": self.timings, "threads": self.threads})
            self._writer.close()
            for report in self._reports:
                report.close()
            self._writer = None

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    # The state

    def _new_flow(self) -> Flow:
        b = self.build
        slots = b.partitions << (b.address_bits + b.slot_bits)
        most = int((64 * (b.wiring.spans["last"] - b.wiring.spans["first"])).sum(axis=1).max())
        empty = np.zeros(0, b.real)
        self._flow = Flow(
            state=empty,
            state_first=np.zeros(len(self._names), np.int64),
            const=empty,
            const_first=np.zeros(len(self._names), np.int64),
            updates=np.zeros(len(self._names), np.int64),
            ring=_aligned(slots, b.integer),
            lists=np.empty((b.history, b.partitions, most), np.int32),
            ends=np.zeros((b.history, b.partitions, len(self._names) + 1), np.int32),
            gauss=(levels(Normal(0.0, 1.0), loop.GAUSS_LEVELS) / np.sqrt(2)).astype(b.real),
            **self._inputs(),
        )
        self._layout({name: self._start_values(name) for name in self._names})
        return self._flow

    def _start_values(self, name: str) -> dict[str, np.ndarray]:
        population = self.network.populations[name]
        result = {}
        for variable in population.model.dynamics.derivatives:
            value = population.init.get(variable, 0.0)
            if isinstance(value, str):
                where = f"population {name!r}, init of {variable!r}"
                node = parse(value, where)
                unknown = names(node) - set(self._values[name])
                if unknown:
                    raise ValueError(f"{where}: unknown parameter {sorted(unknown)[0]!r}.")
                value = evaluate(node, self._values[name])
            else:
                key = (self.seed, "start", self.replica, name, variable)
                value = sampled(value, population.size, *key)
            result[variable] = np.broadcast_to(np.asarray(value, float), population.size)
        if population.model.dynamics.refractory is not None:
            result[REFRACTORY] = np.full(population.size, -1.0)
        return result

    def _parameters(self, name: str) -> dict[str, Any]:
        """Parameters of a population, currents added."""
        population = self.network.populations[name]
        values = dict(self._values[name])
        for drive in self._drives.values():
            if drive.target.population == name and isinstance(drive.input, Current):
                key = population.model.current
                if drive.target.size == population.size:
                    values[key] = values[key] + drive.input.amplitude
                else:
                    total = np.broadcast_to(np.asarray(values[key], float), population.size).copy()
                    total[drive.target.neurons] += drive.input.amplitude
                    values[key] = total
        return values

    def _layout(
        self, state: Mapping[str, Mapping[str, np.ndarray]], changed: str | None = None
    ) -> None:
        """Generate what kernels are needed and write the state out anew around them."""
        b = self.build
        for name in self._names if changed is None else [changed]:
            model = self.network.populations[name].model
            kernel = generate(model, self._parameters(name), b.dt, b.precision)
            for receptor in model.receptors:
                kernel.scalars[f"unit_{receptor}"] = b.units[name, receptor]
            self._kernels[name] = kernel
            self._updates[name] = generated_module(kernel.source).update
        blocks = [-(-self.network.populations[name].size // 64) for name in self._names]
        sizes = [
            64 * n * len(self._kernels[name].rows)
            for name, n in zip(self._names, blocks, strict=True)
        ]
        scalars = [list(self._kernels[name].scalars.values()) for name in self._names]
        flow = self._flow._replace(
            state=_aligned(sum(sizes), b.real),
            const=np.array([x for part in scalars for x in part], b.real),
            updates=np.array([self._updates[name].address for name in self._names], np.int64),
        )
        flow.state_first[:] = np.cumsum([0, *sizes[:-1]])
        flow.const_first[:] = np.cumsum([0, *(len(part) for part in scalars[:-1])])
        self._flow = flow
        for name in self._names:
            self._write(name, state[name])

    def _rows(self, name: str) -> np.ndarray:
        """The state of a population as [block, row, lane]."""
        p = self._names.index(name)
        blocks = -(-self.network.populations[name].size // 64)
        rows = len(self._kernels[name].rows)
        first = self._flow.state_first[p]
        return self._flow.state[first : first + 64 * blocks * rows].reshape(blocks, rows, 64)

    def _variables(self) -> dict[str, dict[str, np.ndarray]]:
        state = {}
        for name in self._names:
            kernel, size = self._kernels[name], self.network.populations[name].size
            rows = self._rows(name)
            state[name] = {
                row: rows[:, k].reshape(-1)[:size].astype(float)
                for k, row in enumerate(kernel.rows)
                if row not in kernel.per_neuron
            }
        return state

    def _write(self, name: str, values: Mapping[str, np.ndarray]) -> None:
        rows = self._rows(name)
        blocks = rows.shape[0]
        kernel = self._kernels[name]
        for k, row in enumerate(kernel.rows):
            value = kernel.per_neuron[row] if row in kernel.per_neuron else values[row]
            # Lanes beyond the last neuron repeat it: they must not meet a division by zero.
            rows[:, k] = np.pad(value, (0, 64 * blocks - value.size), "edge").reshape(blocks, 64)

    def _inputs(self) -> dict[str, np.ndarray]:
        """The arrays of drives: random inputs, and given spikes as events by partition."""
        b = self.build
        random = [d for d in self._drives.values() if isinstance(d.input, Poisson | WhiteNoise)]
        table = np.zeros(len(random), INPUT)
        weights, deviations = [np.empty(0, b.integer)], [np.empty(0, b.real)]
        thresholds = [np.empty(0, np.uint32)]
        used = dict(weights=0, deviations=0, thresholds=0)
        for row, drive in zip(table, random, strict=True):
            population = self.network.populations[drive.target.population]
            blocks = -(-population.size // 64)
            p = self._names.index(population.name)
            row["population"], row["first_block"], row["last_block"] = p, 0, blocks
            row["receptor"] = list(population.model.receptors).index(drive.receptor)
            row["stream"] = derive_key("input", drive.name) & 0xFFFFFFFF
            unit = b.units[population.name, drive.receptor]

            def spread(value: Any, drive: Drive = drive, blocks: int = blocks) -> np.ndarray:
                """By block and lane, 0 beyond the drive's neurons; one block if all are equal."""
                if np.ndim(value) == 0 and drive.target.size == self._size(drive):
                    return np.full((1, 64), float(value))
                full = np.zeros(blocks * 64)
                full[drive.target.neurons] = value
                return full.reshape(blocks, 64)

            if isinstance(drive.input, Poisson):
                row["kind"] = POISSON
                part = np.rint(spread(drive.input.weight) / unit).astype(b.integer)
                weights.append(part.ravel())
                row["weights"], used["weights"] = used["weights"], used["weights"] + len(part)
                limits = poisson_limits(spread(drive.input.rate) * b.dt / 1000)
                row["levels"] = limits.shape[1]
                row["thresholds"] = used["thresholds"]
                row["threshold_stride"] = limits.shape[1] if limits.shape[0] > 1 else 0
                used["thresholds"] += limits.shape[0] * limits.shape[1]
                thresholds.append(limits.ravel())
            else:
                row["kind"] = GAUSS
                part = (spread(drive.input.sd) / unit).astype(b.real)
                deviations.append(part.ravel())
                row["weights"] = used["deviations"]
                used["deviations"] += len(part)
            row["weight_stride"] = 1 if len(part) > 1 else 0
        return {
            "inputs": table,
            "weights": np.concatenate(weights),
            "deviations": np.concatenate(deviations),
            "thresholds": np.concatenate(thresholds),
            **self._events(),
        }

    def _size(self, drive: Drive) -> int:
        return self.network.populations[drive.target.population].size

    def _events(self) -> dict[str, np.ndarray]:
        b = self.build
        columns = [[np.empty(0, np.int64)] for _ in range(4)]  # partition, step, address, weight
        for drive in self._drives.values():
            if not isinstance(drive.input, Spikes):
                continue
            population = self.network.populations[drive.target.population]
            p = self._names.index(population.name)
            trains = drive.input.trains
            neurons = drive.target.start + drive.target.step * trains.neurons
            receptor = list(population.model.receptors).index(drive.receptor)
            weight = np.broadcast_to(np.asarray(drive.input.weight, float), trains.size)
            spans = b.wiring.spans[:, p]
            partition = np.searchsorted(spans["last"], neurons // 64, side="right")
            block = neurons // 64 - spans["first"][partition]
            address = (block * len(population.model.receptors) + receptor) * 64 + neurons % 64
            columns[0].append(partition)
            columns[1].append(arrival_steps(trains.times, b.dt))
            columns[2].append(address + spans["address"][partition])
            unit = b.units[population.name, drive.receptor]
            columns[3].append(np.rint(weight[trains.neurons] / unit).astype(np.int64))
        partition, step, address, weight = map(np.concatenate, columns)
        order = np.lexsort((address, step, partition))
        return {
            "event_first": np.searchsorted(partition[order], np.arange(b.partitions + 1)),
            "event_step": step[order],
            "event_address": address[order],
            "event_weight": weight[order].astype(b.integer),
        }

    # Recording

    def _steps_to_fill(self) -> int:
        """Steps after which a buffer of traces is full."""
        steps = 1 << 30
        for trace in self._traces if hasattr(self, "_traces") else []:
            rows = max(1, SAMPLE_BUFFER // _view(trace.neurons).size)
            steps = min(steps, rows * round(trace.every / self.build.dt))
        return steps

    def _buffers(self, first: int, last: int) -> Record:
        b = self.build
        room = max(SPIKE_BUFFER, 2 * b.epoch * self._flow.lists.shape[2])
        traces = np.zeros(len(getattr(self, "_traces", [])), TRACE)
        taps: list[list[tuple[int, int, int]]] = [[] for _ in range(b.partitions)]
        used = 0
        for t, row in enumerate(traces):
            view = _view(self._traces[t].neurons)
            every = round(self._traces[t].every / b.dt)
            row["every"], row["first_row"] = every, first // every + 1
            row["buffer"], row["columns"] = used, view.size
            used += (last // every - first // every) * view.size
            p = self._names.index(view.population)
            kernel = self._kernels[view.population]
            k = kernel.rows.index(self._traces[t].variable)
            base = self._flow.state_first[p]
            blocks = view.neurons // 64
            cells = base + (blocks * len(kernel.rows) + k) * 64 + view.neurons % 64
            owner = np.searchsorted(b.wiring.spans[:, p]["last"], blocks, side="right")
            for column, (cell, partition) in enumerate(zip(cells, owner, strict=True)):
                taps[partition].append((t, cell, column))
        return Record(
            spikes=np.empty((b.partitions, room), np.int64),
            spike_count=np.zeros(b.partitions, np.int64),
            traces=traces,
            taps=np.array([tap for part in taps for tap in part], TAP),
            tap_first=np.cumsum([0, *map(len, taps)]),
            samples=np.zeros(used),
        )

    def _empty(self, buffers: Record, first: int) -> None:
        """Hand the finished chunk to the sinks: memory or files."""
        chunks = [buffers.spikes[q, :n] for q, n in enumerate(buffers.spike_count)]
        chunk = np.sort(np.concatenate(chunks))
        step, neuron = chunk >> 32, chunk & 0xFFFFFFFF
        firsts = self.build.wiring.populations["first"]
        owner = np.searchsorted(firsts, neuron, side="right") - 1
        order = np.argsort(owner, kind="stable")
        edges = np.searchsorted(owner[order], np.arange(len(self._names) + 1))
        for p, name in enumerate(self._names):
            ours = order[edges[p] : edges[p + 1]]
            self.counts[name] += ours.size
            if name in self._binned:
                self._binned[name].append(step[ours])
            if not self._keep_spikes:
                continue
            times = _milliseconds(step[ours], self.build.dt, 1)
            local = neuron[ours] - firsts[p]
            if self._writer is not None:
                self._writer.append(name, times, local)
            elif ours.size:
                self._kept[name].append((times, local))
        for t, row in enumerate(buffers.traces):
            done = self.step // row["every"] - first // row["every"]
            values = buffers.samples[row["buffer"] :][: done * row["columns"]]
            values = values.reshape(done, row["columns"])
            if self._reports:
                self._reports[t].append(values)
            else:
                self._samples[t].append(values)
        if self._writer is not None:
            self._writer.flush(self.time)
            for report in self._reports:
                report.flush()

    def _open(self, out: Path, overwrite: bool) -> None:
        for trace in self._traces:
            view = _view(trace.neurons)
            path = report_path(out, view.population, trace.variable)
            if path.exists() and not overwrite:
                raise FileExistsError(
                    f"the file {path} exists; give another name, or overwrite=True (--force)."
                )
        sizes = {name: p.size for name, p in self.network.populations.items()}
        self._writer = SpikeWriter(out, sizes, self.describe(), overwrite=overwrite)
        for trace in self._traces:
            view = _view(trace.neurons)
            units = self.network.populations[view.population].model.dynamics.units
            self._reports.append(
                ReportWriter(
                    report_path(out, view.population, trace.variable),
                    view.population,
                    view.neurons,
                    trace.variable,
                    units[trace.variable],
                    trace.every,
                    0.0,
                    overwrite=overwrite,
                )
            )

    def describe(self) -> dict[str, Any]:
        """What is written into a file about the run."""
        import sys

        import numba

        from spikesim import __version__

        return {
            "network": self.network.name,
            "summary": self.network.summary(),
            "network_seed": self.network.seed,
            "seed": self.seed,
            "replica": self.replica,
            "dt": self.build.dt,
            "precision": self.build.precision,
            "synapses": self.build.synapse_count,
            "versions": {
                "spikesim": __version__,
                "numpy": np.__version__,
                "numba": numba.__version__,
                "python": sys.version.split()[0],
            },
        }


def poisson_limits(mean: np.ndarray) -> np.ndarray:
    """Limits on a 32-bit draw: above k of them means k spikes. Shape (blocks, levels, 64).

    The k-th limit is the cumulative distribution at k spikes, in units of 2^-32.
    """
    from scipy import special

    most = float(mean.max())
    levels = 1
    while special.pdtrc(levels - 1, most) > 2.0**-32:
        levels += 1
    k = np.arange(levels)[None, :, None]
    limits = np.ceil(special.pdtr(k, mean[:, None, :]) * 2.0**32) - 1
    return np.clip(limits, 0, 2**32 - 1).astype(np.uint32)


def report_path(out: Path, population: str, variable: str) -> Path:
    """Where a trace goes that is recorded to files."""
    return out.with_name(f"{out.stem}.{population}.{variable}.h5")


def _view(neurons: Any) -> View:
    return neurons if isinstance(neurons, View) else neurons[:]


def _milliseconds(step: Any, dt: float, ahead: int = 0) -> Any:
    """Time at the beginning (``ahead`` 0) or end (1) of a step, free of the noise of step x dt."""
    return np.round((np.asarray(step) + ahead) * dt, 9)[()]


def _check_records(network: Network, records: Sequence[Trace | Rate]) -> None:
    for record in records:
        if not isinstance(record, Trace | Rate):
            raise TypeError(f"record holds {record!r}; it takes Trace and Rate.")
        name = (
            _view(record.neurons).population
            if isinstance(record, Trace)
            else record.population.name
        )
        if name not in network.populations:
            known = ", ".join(map(repr, network.populations))
            raise ValueError(f"record: unknown population {name!r}; known are {known}.")
        if isinstance(record, Trace):
            known = network.populations[name].model.dynamics.derivatives
            if record.variable not in known:
                raise ValueError(
                    f"record: {name!r} has no variable {record.variable!r}; known are "
                    f"{', '.join(known)}."
                )


def simulate(
    what: Network | Build,
    duration: float,
    *,
    progress: Callable[[float], None] | None = None,
    **options: Any,
) -> Result:
    """Build, run for ``duration`` ms and return what was recorded.

    ``options`` are those of `Simulation` and `build`: dt, threads, seed, precision, record, out,
    ... Ctrl-C returns what there is, with ``interrupted`` set.
    """
    with Simulation(what, **options) as simulation:
        interrupted = False
        try:
            simulation.run(duration, progress)
        except KeyboardInterrupt:
            interrupted = True
    return simulation.result(interrupted)
