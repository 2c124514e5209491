"""The hand on a state: run, look, change, run on."""

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, wait
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numba
import numpy as np

from spikesim import __version__
from spikesim.checks import check_number, check_whole, warn
from spikesim.cores import cores
from spikesim.data.signals import Averages, BinnedRate, Samples
from spikesim.data.spiketrains import SpikeTrains
from spikesim.description.network import Network
from spikesim.description.population import Population, View
from spikesim.description.recording import Recorded
from spikesim.engine.build import Build, build
from spikesim.engine.clock import loop
from spikesim.engine.clock.arrays import Record
from spikesim.engine.decode import Synapses
from spikesim.engine.pace import Pace
from spikesim.engine.recorder import Recorder, check_records, observed
from spikesim.engine.result import Result
from spikesim.engine.state import State
from spikesim.engine.threads import check_threads
from spikesim.kernels.barrier import core_masks
from spikesim.names import check_options, options_of
from spikesim.times import milliseconds

POLL_SECONDS = 0.05


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
        Worker threads, at most one per partition; fewer work where that is faster. Default: as
        built. They change no spike.
    record : sequence of Trace, Mean, LFP and Rate
        What to keep beside spikes.
    spikes : bool
        Whether to keep the times of spikes. If not, they are counted (``spike_counts``), which
        takes no memory that grows.
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
        record: Sequence[Recorded] = (),
        spikes: bool = True,
        out: str | Path | None = None,
        overwrite: bool = False,
        **build_options: Any,
    ) -> None:
        check_options("Simulation", build_options, _options())
        check_threads(threads)
        if isinstance(what, Network):
            check_number("dt", build_options.get("dt", 0.1), above=0, unit="ms")
            check_records(what, record, build_options.get("dt", 0.1))
            what = build(what, threads=threads, **build_options)
        elif build_options:
            option = next(iter(build_options))
            raise TypeError(f"{option} belongs to the build; give it to build(...).")
        else:
            check_records(what.network, record, what.dt)
        self.build, self.network = what, what.network
        self.threads = min(threads or what.threads, what.partitions)
        if self.threads > cores():
            warn(
                f"{self.threads} threads share {cores()} cores: the run will be slower than with "
                f"{cores()}."
            )
        seed = self.network.seed if seed is None else seed
        for name, value in (("seed", seed), ("replica", replica)):
            check_whole(name, value, least=None)
        self.seed, self.replica = int(seed), int(replica)
        self.run_seconds = 0.0
        self._masks = core_masks(self.threads)
        self._pace = Pace(self.threads)
        start = time.perf_counter()
        self.state = State(what, self.seed, self.replica, observed(self.network, record))
        out = None if out is None else Path(out)
        about = {} if out is None else self.describe()
        self._recorder = Recorder(self.state, record, spikes, out, about, overwrite)
        self._work(0, 1, 0, self._recorder.buffers(0, 0), np.zeros(64, np.int64))  # compiles
        self.compile_seconds = time.perf_counter() - start + what.compile_seconds

    def run(
        self,
        duration: float,
        progress: Callable[[float], None] | None = None,
        *,
        every: float | None = None,
        then: Callable[["Simulation"], None] | None = None,
    ) -> None:
        """Advance by ``duration`` ms, a multiple of dt.

        Parameters
        ----------
        duration : float
        progress : callable
            Called now and then with the biological time (ms) done since the last call.
        every, then : float and callable
            Closed loop: every so many ms ``then(simulation)`` is called, which may look at
            ``counts`` and variables and ``set`` inputs and parameters.

        Notes
        -----
        Ctrl-C ends the run after the current steps: what was recorded is kept, the state can be
        used, and `KeyboardInterrupt` is raised. An error in ``then`` ends it as well, and leaves
        what was recorded.

        Raises
        ------
        FloatingPointError
            A variable has diverged; the sentence says which, of which neuron, and when. What was
            recorded up to then is kept.
        """
        if (every is None) != (then is None):
            raise ValueError("every and then belong together: give both, or none.")
        end = self.state.step + self._steps("duration", duration)
        piece = end - self.state.step if every is None else max(self._steps("every", every), 1)
        with _noted_interrupts() as interrupts:
            try:
                while self.state.step < end and not interrupts:
                    self._advance(min(end, self.state.step + piece), interrupts, progress)
                    if then is not None and not interrupts:
                        then(self)
            finally:
                self._recorder.flush()
        if interrupts:
            raise KeyboardInterrupt

    def _steps(self, name: str, duration: float) -> int:
        dt = self.build.dt
        number = isinstance(duration, int | float | np.number) and np.isfinite(duration)
        steps = round(duration / dt) if number else -1
        if steps < 0 or abs(steps * dt - duration) > 1e-6 * max(duration, 1):
            raise ValueError(
                f"{name} is {duration!r} ms; it must be a multiple of dt = {dt:g} ms, 0 or more."
            )
        return steps

    def _advance(self, end: int, interrupts: list, progress: Callable | None) -> None:
        """Go to a step, spell by spell, emptying the buffers between them."""
        while self.state.step < end and not interrupts:
            before = self.state.step
            last = min(end, before + self._recorder.steps_to_fill())
            buffers = self._recorder.buffers(before, last)
            workers, seconds = self._pace.next()
            start = time.perf_counter()
            self.state.step = self._run_until(last, buffers, interrupts, workers, seconds)
            seconds = time.perf_counter() - start
            self._pace.tell(self.state.step - before, seconds)
            self.run_seconds += seconds
            self._recorder.empty(buffers)
            self._check_failures(buffers)
            if progress is not None:
                progress((self.state.step - before) * self.build.dt)

    def _run_until(
        self, last: int, buffers: Record, interrupts: list, workers: int, seconds: float
    ) -> int:
        """Run workers to a step, or until it is time to empty the buffers; the step reached."""
        sync = np.zeros(64, np.int64)
        end = time.perf_counter() + seconds
        with ThreadPoolExecutor(workers) as pool:
            work = [
                pool.submit(self._work, worker, workers, last, buffers, sync)
                for worker in range(workers)
            ]
            while wait(work, timeout=min(seconds, POLL_SECONDS)).not_done:
                if interrupts or time.perf_counter() > end:
                    sync[loop.STOP] = 1
        return work[0].result()

    def _check_failures(self, buffers: Record) -> None:
        """Say which variable diverged first, if one did."""
        failures = buffers.failures[buffers.failures[:, 0] > 0]
        if not failures.size:
            return
        step, p, found = min(tuple(map(int, row[:3])) for row in failures)
        population = list(self.network.populations.values())[p]
        variables = list(population.model.dynamics.derivatives)
        neuron, which = divmod(found, len(variables))
        raise FloatingPointError(
            f"{variables[which]} of neuron {neuron} of {population.name!r} diverged at "
            f"{milliseconds(step, self.build.dt):g} ms: an equation divides by zero or grows "
            "without limit, or needs a smaller dt or another method. What was recorded is kept."
        )

    def _work(self, worker: int, workers: int, last: int, buffers: Record, sync: np.ndarray) -> int:
        state = self.state
        return loop.run(
            worker,
            workers,
            state.step,
            last,
            self.build.wiring,
            state.arrays,
            buffers,
            sync,
            self._masks.ctypes.data,
            self._masks.shape[1],
            loop.scratch(self.build.wiring, state.arrays.given, state.step),
        )

    @property
    def time(self) -> float:
        """Biological time reached (ms)."""
        return self.state.time

    def get(self, population: str, name: str) -> np.ndarray | float:
        """A state variable (one value per neuron) or a parameter of a population."""
        return self.state.get(population, name)

    def set(self, name: str, **values: Any) -> None:
        """Change variables or parameters of a population, or an input, of this state alone.

        Parameters
        ----------
        name : str
            A population, or the name of an input.
        **values
            Variables and parameters: a number, or one per neuron. Of an input: what it was made
            from, such as ``rate``, ``weight`` or ``amplitude``; given trains cannot be set.

        Raises
        ------
        ValueError
            An unknown name, a value of the wrong shape, or an input that would become stronger
            than the build can add up (about four times what was described), or so weak that its
            weights would be lost in what the build adds up.
        """
        self.state.set(name, values)

    def silence(
        self,
        which: Population | View | str,
        neurons: Sequence[int] | np.ndarray | None = None,
        *,
        silent: bool = True,
    ) -> None:
        """Cut the outputs of neurons: their spikes are recorded, but reach no synapse.

        Spikes that are under way arrive. To cut a projection instead, ``Network.remove`` it and
        build again: all other synapses stay as they were.

        Parameters
        ----------
        which : Population, View or str
        neurons : array
            Numbers within ``which``; default: all.
        silent : bool
            ``False`` lets spikes reach their targets again.

        Raises
        ------
        ValueError, IndexError
            An unknown population, or a neuron beyond it.
        """
        view = self.network.view(which)
        numbers = np.arange(view.size) if neurons is None else view.places(neurons)
        self.state.silence(view, numbers, silent)

    def synapses(
        self, source: Population | str, target: Population | str, receptor: str | None = None
    ) -> Synapses:
        """See `Build.synapses`."""
        return self.build.synapses(source, target, receptor)

    @property
    def counts(self) -> dict[str, int]:
        """Number of spikes of each population so far."""
        return {name: int(counts.sum()) for name, counts in self._recorder.counts.items()}

    @property
    def spike_counts(self) -> dict[str, np.ndarray]:
        """Number of spikes of each neuron so far, by population."""
        return {name: counts.copy() for name, counts in self._recorder.counts.items()}

    @property
    def rates(self) -> dict[str, float]:
        """Mean rate (Hz) of each population so far."""
        seconds = max(self.time, self.build.dt) / 1000
        sizes = self.network.populations
        return {name: n / sizes[name].size / seconds for name, n in self.counts.items()}

    @property
    def spikes(self) -> dict[str, SpikeTrains]:
        """Spikes so far, by population."""
        return self._recorder.spikes

    @property
    def traces(self) -> dict[tuple[str, str], Samples]:
        """Recorded variables so far by (population, variable); from files if they went there."""
        return self._recorder.traces

    @property
    def means(self) -> dict[tuple[str, str], Averages]:
        """Recorded averages so far by (population, variable); of `LFP` the variable is "lfp"."""
        return self._recorder.means

    @property
    def binned(self) -> dict[str | View, BinnedRate]:
        """Rates in bins by population, or by the part of one that `Rate` was given.

        A bin that is not over yet is left out.
        """
        return self._recorder.binned

    @property
    def timings(self) -> dict[str, float]:
        """Seconds of build, compile and run, and the real-time factor."""
        biological = float(self.time) / 1000
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
            self.spike_counts,
            self.traces,
            self.means,
            self.binned,
            self.timings,
            self.build.synapse_count,
            self.threads,
            interrupted,
        )

    def describe(self) -> dict[str, Any]:
        """What is written into a file about the run."""
        return {
            "network": self.network.name,
            "summary": self.network.summary(),
            "network_seed": self.network.seed,
            "seed": self.seed,
            "replica": self.replica,
            "dt": self.build.dt,
            "precision": self.build.precision,
            "synapses": self.build.synapse_count,
            "versions": versions(),
        }

    def __repr__(self) -> str:
        at = f"at {self.time:g} ms, seed {self.seed}, replica {self.replica}"
        return f"<Simulation of {self.network.name!r} {at}; {self.build!r}>"

    def close(self) -> None:
        """Complete and close the output files."""
        self._recorder.close({"timings": self.timings, "threads": self.threads})

    def __enter__(self) -> "Simulation":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def versions() -> dict[str, str]:
    """What a run was made with."""
    return {
        "spikesim": __version__,
        "numpy": np.__version__,
        "numba": numba.__version__,
        "python": sys.version.split()[0],
    }


def _options() -> list[str]:
    """Of `Simulation`, with those of `build` that it hands on."""
    own = [name for name in options_of(Simulation) if name != "what"]
    return list(dict.fromkeys([*own, *options_of(build)[1:]]))


@contextmanager
def _noted_interrupts() -> Iterator[list]:
    """A list that Ctrl-C adds to, instead of breaking into whatever is being written."""
    noted: list = []
    if threading.current_thread() is not threading.main_thread():
        yield noted
        return
    before = signal.signal(signal.SIGINT, lambda *_: noted.append(True))
    try:
        yield noted
    finally:
        signal.signal(signal.SIGINT, before or signal.SIG_DFL)


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
    check_options("simulate", options, ["progress", *_options()])
    with Simulation(what, **options) as simulation:
        interrupted = False
        try:
            simulation.run(duration, progress)
        except KeyboardInterrupt:
            interrupted = True
    return simulation.result(interrupted)
