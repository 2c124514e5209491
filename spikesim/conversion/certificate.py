"""How faithful a converted network is, on trials that it was not made with."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from spikesim.analysis.similarity import cka
from spikesim.checks import check_whole
from spikesim.conversion.leaky.convert import check_task, convert
from spikesim.conversion.leaky.converted import PIECE, Converted
from spikesim.conversion.leaky.rates import RateUnits, rate_units
from spikesim.conversion.leaky.readout import FILTER, filtered, low_passed
from spikesim.conversion.leaky.wiring import POPULATION
from spikesim.conversion.silencing import silencing_effects
from spikesim.names import named_options
from spikesim.random import stream
from spikesim.rate.network import RateNetwork
from spikesim.rate.tasks import TASKS
from spikesim.rate.tasks.trials import Task, Trials

COMPARED = 100  # trials whose units are compared
POINTS = 1500  # in time and trials, of populations that are compared
JITTER = 0.1  # of amplitude, duration, and of onset as a share of the time before it
JUDGED = "kim_go_nogo", "kim_mante"  # tasks with a one-sided and a two-sided criterion
WINDOWS = "response", "decision"  # periods in which outputs are compared


@dataclass(frozen=True, eq=False)
class Certificate:
    """How faithful a converted network is; all numbers are of one network and the same trials.

    Attributes
    ----------
    method, neuron : str
    units, neurons, per_unit, synapses : int
    trials : int
    jittered : bool
        Whether onset, duration and amplitude of the inputs differed from those of the task.
    agreement, agreement_ci : float and (float, float), or None
        Share of trials in which both networks decide alike, with its 95 % interval (Wilson); None
        if the task has no decisions.
    rate_agreement : float or None
        The same of the rate network with its noise and without: what noise leaves of it.
    rate_performance, spiking_performance : float
        By the task; of the rate network without noise.
    criteria : mapping of str to mapping
        Agreement and performances by each criterion that the task knows.
    output_r2 : float
        Share of the variance of the rate network's outputs that is explained, in the response or
        decision period if there is one, else throughout.
    mean_rate_hz, spikes_per_unit_hz : float
        Of a neuron, and of all neurons of a unit together.
    silent_units : int
        Units none of whose neurons fired; they are left in.
    synaptic_events_per_trial : float
    seconds : float
        That making the certificate took.
    unit_correlation, unit_correlation_5 : float or None
        Median and 5th percentile over units of the correlation of a unit's rate with its spikes,
        both filtered by 30 ms.
    cka, cka_ceiling : float or None
        Alignment (`spikesim.analysis.cka`, paired) of rates and filtered spikes, and of filtered
        spikes with those of other noise.
    silencing_correlation, silencing_rank_correlation, silencing_ceiling : float or None
        Of what silencing each unit does to the outputs of both networks, and of one half of the
        spiking network's trials with the other.
    sensitivity : mapping of str to mapping, or None
        Agreement and R2 at half the engine's step, and with other numbers of neurons.
    notes : tuple of str
    """

    method: str
    neuron: str
    units: int
    neurons: int
    per_unit: int
    synapses: int
    trials: int
    jittered: bool
    agreement: float | None
    agreement_ci: tuple[float, float] | None
    rate_agreement: float | None
    rate_performance: float
    spiking_performance: float
    criteria: Mapping[str, Mapping[str, float]]
    output_r2: float
    mean_rate_hz: float
    spikes_per_unit_hz: float
    silent_units: int
    synaptic_events_per_trial: float
    seconds: float
    unit_correlation: float | None = None
    unit_correlation_5: float | None = None
    cka: float | None = None
    cka_ceiling: float | None = None
    silencing_correlation: float | None = None
    silencing_rank_correlation: float | None = None
    silencing_ceiling: float | None = None
    sensitivity: Mapping[str, Mapping[str, float | None]] | None = None
    notes: tuple[str, ...] = field(default=())

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)

    def __str__(self) -> str:
        lines = [
            f"{self.units} units by {self.method} into {self.neurons:,} neurons ({self.neuron}, "
            f"{self.per_unit} a unit), {self.synapses:,} synapses",
            f"on {self.trials:,} trials" + (", jittered" if self.jittered else ""),
        ]
        if self.agreement is not None:
            low, high = self.agreement_ci
            lines.append(
                f"  decisions alike     {100 * self.agreement:.2f} % "
                f"({100 * low:.2f} to {100 * high:.2f}); rate network with and without noise "
                f"{100 * self.rate_agreement:.2f} %"
            )
        lines += [
            f"  performance         rate {100 * self.rate_performance:.2f} %, spiking "
            f"{100 * self.spiking_performance:.2f} %",
            *(
                f"    {name:<18}alike {100 * found['agreement']:.2f} %, rate "
                f"{100 * found['rate_performance']:.2f} %, spiking "
                f"{100 * found['spiking_performance']:.2f} %"
                for name, found in self.criteria.items()
            ),
            f"  R2 of the output    {self.output_r2:.4f}",
            f"  rate                {self.mean_rate_hz:.2f} Hz a neuron, "
            f"{self.spikes_per_unit_hz:.1f} Hz a unit; {self.silent_units} units silent",
            f"  synaptic events     {self.synaptic_events_per_trial:,.0f} a trial",
        ]
        if self.cka is not None:
            lines += [
                f"  unit correlation    median {self.unit_correlation:.3f}, 5 % below "
                f"{self.unit_correlation_5:.3f}",
                f"  CKA                 {self.cka:.3f}, of spikes with spikes "
                f"{self.cka_ceiling:.3f}",
                f"  silencing           correlation {self.silencing_correlation:.3f}, of ranks "
                f"{self.silencing_rank_correlation:.3f}, of halves {self.silencing_ceiling:.3f}",
            ]
            for name, found in (self.sensitivity or {}).items():
                alike = found["agreement"]
                told = "" if alike is None else f"alike {100 * alike:.2f} %, "
                lines.append(f"    {name:<18}{told}R2 {found['output_r2']:.4f}")
        return "\n".join([*lines, *(f"  {note}" for note in self.notes), self._time()])

    def _time(self) -> str:
        return f"  in {self.seconds:.1f} s"


@named_options()
def certify(
    converted: Converted,
    network: RateNetwork,
    task: Task,
    *,
    trials: int = 1000,
    full: bool = False,
    jitter: bool = True,
    seed: int = 1,
    threads: int | None = None,
) -> Certificate:
    """Measure how faithful a converted network is to the rate network that it was made of.

    Parameters
    ----------
    converted : Converted
    network : RateNetwork
    task : Task
        Whose trials both answer: such as neither training nor calibration has seen.
    trials : int
    full : bool
        Whether to compare units, populations, what silencing does, and other steps and numbers of
        neurons as well.
    jitter : bool
        Whether to shift, stretch and scale the inputs of each trial by up to a tenth, if the task
        has periods; others stay as they are drawn, as their targets would no longer fit.
    seed : int
        Of the trials.
    threads : int, optional

    Returns
    -------
    Certificate

    Raises
    ------
    ValueError
        If the task is not one of the network, or an argument is not allowed.
    """
    check_task(network, task)
    check_whole("trials", trials)
    begin, units = time.perf_counter(), rate_units(network)
    _check_same(converted, units)
    drawn = task.generate(stream(seed, "certificate"), trials, **task.test)
    _check_drawn(task, drawn, trials)
    jittered = jitter and bool(drawn.periods)
    if jittered:
        drawn = replace(drawn, inputs=_jittered(drawn.inputs, stream(seed, "jitter")))
    wanted = _in_pieces(lambda x: units.trajectories(x)[2], drawn.inputs)
    outputs, rates = converted.run(drawn.inputs, threads=threads)
    found = _outputs_compared(task, drawn, outputs, wanted)
    if task.decide is not None:
        rng = stream(seed, "noise of the rate network")
        noisy = _in_pieces(lambda x: network.forward(x, rng).copy(), drawn.inputs)
        found["rate_agreement"] = _agreement(task, drawn, noisy, wanted)
    synapses = converted.build.synapses(POPULATION, POPULATION)
    fan_out = np.bincount(synapses.sources, minlength=converted.neurons)
    seconds = len(drawn.inputs) * converted.rate_dt / 1000
    hertz = rates.mean(axis=0)
    by_unit = hertz.reshape(converted.units, -1).sum(axis=1)
    found |= {
        "mean_rate_hz": float(hertz.mean()),
        "spikes_per_unit_hz": float(by_unit.mean()),
        "silent_units": int(np.sum(by_unit == 0)),
        "synaptic_events_per_trial": float(hertz @ fan_out * seconds),
    }
    if full:
        window = _window(task, drawn)
        found |= _populations_compared(converted, units, drawn, threads)
        groups = np.zeros(trials) if task.decide is None else task.decide(wanted, drawn)
        effects = silencing_effects(converted, units, drawn.inputs, groups, window, threads)
        found |= effects.compared()
        found["sensitivity"] = _sensitivity(converted, network, task, drawn, wanted, threads)
    return Certificate(
        method=converted.method,
        neuron=converted.neuron,
        units=converted.units,
        neurons=converted.neurons,
        per_unit=converted.per_unit,
        synapses=converted.build.synapse_count,
        trials=trials,
        jittered=jittered,
        seconds=time.perf_counter() - begin,
        notes=converted.notes,
        **found,
    )


def _check_same(converted: Converted, units: RateUnits) -> None:
    """Refuse a rate network that the spiking one was not made of."""
    ours = converted.units, converted.input_weights.shape[1], len(converted.readout.bias)
    theirs = units.units, units.w_in.shape[1], len(units.b_out)
    if ours != theirs or converted.rate_dt != units.dt:
        raise ValueError(
            f"the rate network has {theirs[0]} units, {theirs[1]} inputs, {theirs[2]} outputs and "
            f"a dt of {units.dt:g} ms; the spiking one was made of one with {ours[0]}, {ours[1]}, "
            f"{ours[2]} and {converted.rate_dt:g} ms."
        )


def _check_drawn(task: Task, drawn: Trials, trials: int) -> None:
    """Refuse trials, or decisions on them, of another number than was asked for."""
    if np.ndim(drawn.inputs) != 3 or drawn.inputs.shape[1] != trials:
        raise ValueError(
            f"generate of the task {task.name} gave inputs of shape {np.shape(drawn.inputs)}; for "
            f"{trials} trials they must be (time, {trials}, {task.inputs})."
        )
    if task.decide is None:
        return
    nothing = np.zeros((len(drawn.inputs), trials, task.outputs))
    if (shape := np.shape(task.decide(nothing, drawn))) != (trials,):
        raise ValueError(
            f"decide of the task {task.name} gave decisions of shape {shape}; for {trials} trials "
            f"it must be ({trials},)."
        )


def _in_pieces(answer: Callable[[np.ndarray], np.ndarray], inputs: np.ndarray) -> np.ndarray:
    """Outputs of all trials, some trials at a time: their trajectories take far more room."""
    pieces = range(0, inputs.shape[1], PIECE)
    return np.concatenate([answer(inputs[:, i : i + PIECE]) for i in pieces], axis=1)


def _jittered(inputs: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    """Inputs of each trial stretched, shifted and scaled, each by up to a tenth."""
    steps, trials, _ = inputs.shape
    stretch, scale = rng.uniform(1 - JITTER, 1 + JITTER, (2, trials))
    shift = rng.uniform(-JITTER, JITTER, trials) * steps / 4
    # About the middle, so that no part moves far.
    place = (np.arange(steps)[:, None] - steps / 2) * stretch + steps / 2 + shift
    place = np.clip(np.rint(place).astype(int), 0, steps - 1)
    return inputs[place, np.arange(trials)] * scale[:, None]


def _first(trials: Trials, number: int) -> Trials:
    """The first so many."""
    return replace(
        trials,
        inputs=trials.inputs[:, :number],
        targets=trials.targets[:, :number],
        mask=trials.mask[:, :number],
        conditions={name: values[:number] for name, values in trials.conditions.items()},
    )


def _window(task: Task, trials: Trials) -> slice:
    name = next((name for name in WINDOWS if name in trials.periods), None)
    if name is not None:
        return trials.periods[name]
    return slice(len(trials.inputs) - 1, None) if task.loss == "cross_entropy" else slice(None)


def _agreement(task: Task, trials: Trials, a: np.ndarray, b: np.ndarray) -> float:
    return float(np.mean(task.decide(a, trials) == task.decide(b, trials)))


def _interval(share: float, trials: int) -> tuple[float, float]:
    """95 % interval of a share, by Wilson."""
    z = 1.959964
    middle = (share + z**2 / (2 * trials)) / (1 + z**2 / trials)
    half = z * np.sqrt(share * (1 - share) / trials + z**2 / (4 * trials**2)) / (1 + z**2 / trials)
    return float(max(middle - half, 0.0)), float(min(middle + half, 1.0))


def output_r2(outputs: np.ndarray, wanted: np.ndarray) -> float:
    """Share of the variance over time and trials that is explained, of all outputs together."""
    around = wanted - wanted.mean(axis=(0, 1))
    total = float(np.sum(around**2))
    return 1 - float(np.sum((outputs - wanted) ** 2)) / total if total > 0 else float("nan")


def _outputs_compared(
    task: Task, trials: Trials, outputs: np.ndarray, wanted: np.ndarray
) -> dict[str, Any]:
    window, number = _window(task, trials), outputs.shape[1]
    found = {
        "rate_performance": task.performance(wanted, trials),
        "spiking_performance": task.performance(outputs, trials),
        "output_r2": output_r2(outputs[window], wanted[window]),
        "agreement": None,
        "agreement_ci": None,
        "rate_agreement": None,
        "criteria": {},
    }
    if task.decide is not None:
        found["agreement"] = _agreement(task, trials, outputs, wanted)
        found["agreement_ci"] = _interval(found["agreement"], number)
    if task.name in JUDGED:
        for criterion in ("one-sided", "two-sided"):
            own = TASKS[task.name](**{**task.settings, "criterion": criterion})
            found["criteria"][criterion] = {
                "agreement": _agreement(own, trials, outputs, wanted),
                "rate_performance": own.performance(wanted, trials),
                "spiking_performance": own.performance(outputs, trials),
            }
    return found


def _populations_compared(
    converted: Converted, units: RateUnits, trials: Trials, threads: int | None
) -> dict[str, float]:
    """Correlations of units, and alignments of populations, on the first trials."""
    few = _first(trials, min(trials.inputs.shape[1], COMPARED))
    rates = low_passed(units.trajectories(few.inputs)[1], units.dt, FILTER)
    runs = [
        filtered(
            converted.simulate(few.inputs, first=first, threads=threads).spikes[POPULATION],
            converted.signs,
            converted.scale,
            units.dt,
            FILTER,
        )
        for first in (0, COMPARED)
    ]
    a, b, c = (each.reshape(-1, units.units) for each in (rates, *runs))
    across = np.linspace(0, len(a) - 1, min(POINTS, len(a))).astype(int)
    alike = correlations(a, b)
    return {
        "unit_correlation": float(np.median(alike)),
        "unit_correlation_5": float(np.percentile(alike, 5)),
        "cka": _aligned(a[across], b[across]),
        "cka_ceiling": _aligned(b[across], c[across]),
    }


def _aligned(a: np.ndarray, b: np.ndarray) -> float:
    """Of the same units; one alone has nothing in common with others."""
    return cka(a, b, neurons="paired") if a.shape[1] > 1 else float("nan")


def correlations(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Of the columns of two arrays; 0 where a column is constant."""
    a, b = a - a.mean(axis=0), b - b.mean(axis=0)
    scale = np.sqrt(np.sum(a * a, axis=0) * np.sum(b * b, axis=0))
    return np.sum(a * b, axis=0) / np.where(scale > 0, scale, 1)


def _sensitivity(
    converted: Converted,
    network: RateNetwork,
    task: Task,
    trials: Trials,
    wanted: np.ndarray,
    threads: int | None,
) -> dict[str, dict[str, float | None]]:
    """Agreement and R2 of the network at half its step, and of others with fewer neurons."""
    number = min(wanted.shape[1], 2 * COMPARED)
    few, wanted = _first(trials, number), wanted[:, :number]
    others = {f"dt {converted.dt / 2:g} ms": converted.at_half_the_step()}
    if converted.made_by is not None:
        for neurons in sorted({1, (converted.per_unit + 1) // 2} - {converted.per_unit}):
            name = f"{neurons} neuron{'s' * (neurons > 1)} a unit"
            others[name] = convert(network, task, per_unit=neurons, **converted.made_by)
    found = {}
    for name, other in others.items():
        outputs, _ = other.run(few.inputs, threads=threads)
        compared = _outputs_compared(task, few, outputs, wanted)
        found[name] = {key: compared[key] for key in ("agreement", "output_r2")}
    return found
