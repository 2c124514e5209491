"""Many trials of one build: each with noise, inputs and start values of its own, all cores busy."""

from __future__ import annotations

import itertools
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from spikesim.checks import check_number, check_whole
from spikesim.cores import cores
from spikesim.data.aligned import AlignedTrains
from spikesim.data.signals import Averages, BinnedRate, Samples
from spikesim.description.network import Network
from spikesim.description.population import View
from spikesim.description.recording import Recorded
from spikesim.display import number
from spikesim.engine.build import Build, build
from spikesim.engine.recorder import check_records
from spikesim.engine.result import Result
from spikesim.engine.simulation import Simulation
from spikesim.engine.threads import check_threads
from spikesim.names import check_options, named_options, options_of

OfTrial = Sequence[Any] | np.ndarray | Callable[[int], Any]


@dataclass(frozen=True, eq=False)
class TrialResult:
    """What trials gave; trial is the first axis of every array.

    Attributes
    ----------
    spikes : mapping of population to AlignedTrains
        Time runs from 0 in each trial; empty if spikes were not kept.
    spike_counts : mapping of population to array (trials, neurons)
    rates : mapping of population to array (trials, neurons)
        Hz; of both counts and rates what was to be discarded is left out.
    traces, means, binned : mapping
        As of `Result`; ``values`` and ``rates`` have an axis of trials in front.
    duration : float
        Of a trial, ms.
    timings : mapping
        Seconds: ``build``, ``compile``, ``run`` (all trials together); ``rtf``, run over
        biological time.
    threads : int
        That were busy.
    interrupted : bool
        Whether Ctrl-C ended the run early; it then holds the first trials, all of them whole.
    """

    spikes: Mapping[str, AlignedTrains]
    spike_counts: Mapping[str, np.ndarray]
    rates: Mapping[str, np.ndarray]
    traces: Mapping[tuple[str, str], Samples]
    means: Mapping[tuple[str, str], Averages]
    binned: Mapping[str | View, BinnedRate]
    duration: float
    timings: Mapping[str, float]
    threads: int
    interrupted: bool

    @property
    def trials(self) -> int:
        """How many there are."""
        return len(next(iter(self.spike_counts.values())))

    def __repr__(self) -> str:
        rates = ", ".join(f"{name} {x.mean():.3g} Hz" for name, x in self.rates.items())
        ended = ", interrupted" if self.interrupted else ""
        told = f"{number(self.trials, 'trial')} of {self.duration:g} ms{ended}"
        return f"<TrialResult: {told}; {rates}>"


@named_options()
def simulate_trials(
    what: Network | Build,
    duration: float,
    trials: int,
    *,
    inputs: Mapping[str, Mapping[str, OfTrial]] | None = None,
    prepare: Callable[[Simulation, int], None] | None = None,
    labels: Mapping[str, Sequence[Any]] | None = None,
    discard: float = 0.0,
    first: int = 0,
    seed: int | None = None,
    threads: int | None = None,
    record: Sequence[Recorded] = (),
    spikes: bool = True,
    progress: Callable[[int], None] | None = None,
    **build_options: Any,
) -> TrialResult:
    """Run a network many times, as many trials at once as there are cores.

    Trial k is what a `Simulation` with ``replica=first + k`` gives, for any number of threads.

    Parameters
    ----------
    what : Network or Build
        A network is built first, with ``build_options``, for one thread: threads take a trial
        each.
    duration : float
        Of each trial, ms.
    trials : int
    inputs : mapping of the name of an input to mapping of field to values
        What an input is in each trial: a sequence of one value a trial, or a function of the
        number of the trial. ``{"stimulus": {"amplitude": [0.0, 100.0]}}`` sets a `Current` named
        "stimulus"; the values of a `Sampled` have a row for each bin.
    prepare : function
        ``prepare(simulation, trial)`` is called before each trial, in the thread that runs it, and
        may ``set`` and ``silence``.
    labels : mapping of str to sequence
        What is known of each trial, for ``spikes``.
    discard : float
        The first ms of each trial that counts and rates leave out; spikes stay.
    first : int
        Replica of the first trial.
    seed, record, spikes
        As of `Simulation`.
    threads : int
        Default: all cores. If there are fewer trials, several threads share one where the build
        has as many partitions.
    progress : function
        Called with the number of trials that have ended since the last call.

    Returns
    -------
    TrialResult
        Ctrl-C ends it after the trials that are running.

    Raises
    ------
    ValueError
        An argument that is not allowed, values for another number of trials, an unknown input, or
        an input that would become too strong (see `Simulation.set`); no trial has been run but
        where a function gave the values.
    FloatingPointError
        A variable has diverged; the sentence says which, and in which trial.

    Examples
    --------
    >>> import spikesim as ss
    >>> net = ss.Network(seed=1)
    >>> cells = net.population("cells", 10, ss.LIF())
    >>> net.drive(cells, ss.Current(200.0), name="step")
    >>> result = ss.simulate_trials(net, 500.0, 3, inputs={"step": {"amplitude": [150, 250, 350]}})
    >>> result.rates["cells"].mean(axis=1)
    array([ 0., 44., 70.])
    """
    check_options("simulate_trials", build_options, [*options_of(simulate_trials), *_built()])
    check_whole("trials", trials)
    check_whole("first", first, least=None)
    check_number("discard", discard, least=0, unit="ms")
    if discard >= duration:
        raise ValueError(f"discard is {discard:g} ms; it must be below duration, {duration:g} ms.")
    check_threads(threads)
    if isinstance(what, Network):
        check_number("dt", build_options.get("dt", 0.1), above=0, unit="ms")
        check_records(what, record, build_options.get("dt", 0.1))
        what = build(what, **{"threads": 1, **build_options})
    elif build_options:
        option = next(iter(build_options))
        raise TypeError(f"{option} belongs to the build; give it to build(...).")
    inputs = inputs or {}
    _check_inputs(what.network, inputs, trials)
    given = {name: list(values) for name, values in (labels or {}).items()}
    for name, values in given.items():
        if len(values) != trials:
            raise ValueError(
                f"labels: {name!r} has {len(values)} values; there are {trials} trials."
            )
    threads = threads or cores()
    together = min(threads, trials)
    each = max(1, min(threads // together, what.partitions))
    options = {"seed": seed, "record": record, "spikes": spikes, "threads": each}
    begin = time.perf_counter()

    def run(trial: int) -> tuple[Result, dict[str, np.ndarray]]:
        with Simulation(what, replica=first + trial, **options) as simulation:
            for name, fields in inputs.items():
                simulation.set(name, **{key: _of(x, trial) for key, x in fields.items()})
            if prepare is not None:
                prepare(simulation, trial)
            try:
                simulation.run(discard)
                before = simulation.spike_counts
                simulation.run(duration - discard)
            except FloatingPointError as error:
                raise FloatingPointError(f"trial {trial}: {error}") from None
        return simulation.result(), before

    done, interrupted = [], False
    with ThreadPoolExecutor(together) as pool:
        results = _in_order(pool, run, trials, 2 * together)
        try:
            for result in results:
                done.append(result)
                if progress is not None:
                    progress(1)
        except KeyboardInterrupt:
            interrupted = True
            results.close()
    if not done:
        raise KeyboardInterrupt
    results = [result for result, _ in done]
    given = {name: values[: len(done)] for name, values in given.items()}
    counts = {
        name: np.stack([result.spike_counts[name] - before[name] for result, before in done])
        for name in what.network.populations
    }
    seconds = time.perf_counter() - begin
    compiling = results[0].timings["compile"]
    timings = {
        "build": what.seconds,
        "compile": compiling,
        "run": seconds - compiling,
        "rtf": (seconds - compiling) * 1000 / (duration * len(done)),
    }
    return TrialResult(
        {name: _aligned(results, name, duration, given) for name in counts if spikes},
        counts,
        {name: count / ((duration - discard) / 1000) for name, count in counts.items()},
        *_recorded(results),
        duration,
        timings,
        together * each,
        interrupted,
    )


def _built() -> list[str]:
    return [name for name in options_of(build)[1:] if name != "threads"]


def _in_order(
    pool: ThreadPoolExecutor, run: Callable[[int], Any], trials: int, ahead: int
) -> Iterator[Any]:
    """Results in the order of the trials; those that have not begun are given up on an error."""
    waiting: deque[Future] = deque()
    numbers = iter(range(trials))
    try:
        waiting.extend(pool.submit(run, n) for n in itertools.islice(numbers, ahead))
        while waiting:
            yield waiting.popleft().result()
            waiting.extend(pool.submit(run, n) for n in itertools.islice(numbers, 1))
    finally:
        for future in waiting:
            future.cancel()


def _of(values: OfTrial, trial: int) -> Any:
    return values(trial) if callable(values) else values[trial]


def _check_inputs(
    network: Network, inputs: Mapping[str, Mapping[str, OfTrial]], trials: int
) -> None:
    for name, fields in inputs.items():
        if name not in network.inputs:
            known = ", ".join(map(repr, network.inputs)) or "none"
            raise ValueError(f"inputs: unknown input {name!r}; known are {known}.")
        for key, values in fields.items():
            if not callable(values) and len(values) != trials:
                raise ValueError(
                    f"inputs: {key} of {name!r} has values for {len(values)} trials; there are "
                    f"{trials}."
                )


def _recorded(results: Sequence[Result]) -> tuple[dict, dict, dict]:
    """Traces, means and rates in bins, trials in front."""
    first = results[0]
    traces, means, binned = {}, {}, {}
    for key, x in first.traces.items():
        values = np.stack([result.traces[key].values for result in results])
        traces[key] = Samples(x.times, x.neurons, values, x.unit)
    for key, x in first.means.items():
        values = np.stack([result.means[key].values for result in results])
        means[key] = Averages(x.times, values, x.unit)
    for key, x in first.binned.items():
        rates = np.stack([result.binned[key].rates for result in results])
        binned[key] = BinnedRate(x.times, rates)
    return traces, means, binned


def _aligned(
    results: Sequence[Result], name: str, duration: float, labels: Mapping[str, Sequence[Any]]
) -> AlignedTrains:
    trains = [result.spikes[name] for result in results]
    return AlignedTrains(
        np.concatenate([each.times for each in trains]),
        np.concatenate([each.neurons for each in trains]),
        np.repeat(np.arange(len(trains)), [len(each) for each in trains]),
        trains[0].size,
        len(trains),
        0.0,
        duration,
        labels=labels,
    )
