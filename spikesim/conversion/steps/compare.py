"""Whether two runs have the same spikes, and where rounding could have decided."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from spikesim.checks import check_number
from spikesim.conversion.steps.cells import step_network
from spikesim.conversion.steps.run import StepRun, run_steps
from spikesim.names import named_options
from spikesim.rate.network import RateNetwork

NEVER = np.iinfo(np.int64).max  # a step
NEAR = np.dtype(
    [("layer", "U64"), ("step", int), ("trial", int), ("neuron", int), ("u", float), ("same", bool)]
)


@dataclass(frozen=True, eq=False)
class SpikeComparison:
    """What two runs of one network have in common.

    Attributes
    ----------
    spikes : int
        Of what was expected.
    different : int
        Steps of neurons whose number of spikes differs.
    trials_different : array of int
        Trials in which one does.
    unexplained : array of int
        Of these, trials in which no neuron had been near its threshold, that is within ``near``,
        up to the first difference: there rounding is no excuse.
    near : array of records layer, step, trial, neuron, u, same
        Every step of a neuron with abs(u) < ``within``, u being the distance to the threshold, and
        whether its spikes are the same there.
    within : float
    """

    spikes: int
    different: int
    trials_different: np.ndarray
    unexplained: np.ndarray
    near: np.ndarray = field(repr=False)
    within: float

    @property
    def same(self) -> bool:
        """Whether every neuron has the same spikes in every step."""
        return self.different == 0

    def __str__(self) -> str:
        told = f"{self.spikes:,} spikes, {self.different:,} differ"
        if self.different:
            told += (
                f" in {self.trials_different.size} trial(s), of which "
                f"{self.unexplained.size} without a neuron near its threshold"
            )
        return f"{told}; {self.near.size} time(s) within {self.within:g} of the threshold"


@named_options()
def compare_spikes(
    found: StepRun | Mapping[str, np.ndarray],
    expected: StepRun | Mapping[str, np.ndarray],
    *,
    within: float = 1e-9,
) -> SpikeComparison:
    """Hold the spikes of a run against those expected, layer by layer.

    Parameters
    ----------
    found, expected : StepRun, or mapping of str to array (steps, trials, size)
        Numbers of spikes. Layers that only one of them has are left out. Steps near the threshold
        are those of the `StepRun` that has ``margins``.
    within : float
        How near the threshold rounding may decide, in the unit of v.

    Returns
    -------
    SpikeComparison

    Raises
    ------
    ValueError
        If they share no layer, or a layer has two shapes.
    """
    check_number("within", within, least=0)
    runs = [run for run in (found, expected) if isinstance(run, StepRun) and run.margins]
    margins = runs[0].margins if runs else {}
    first, second = (run.spikes if isinstance(run, StepRun) else run for run in (found, expected))
    shared = [name for name in first if name in second]
    if not shared:
        raise ValueError(
            f"found has {', '.join(map(repr, first)) or 'no layer'} and expected "
            f"{', '.join(map(repr, second)) or 'none'}; they must share a layer."
        )
    differs: dict[str, np.ndarray] = {}
    for name in shared:
        a, b = np.asarray(first[name]), np.asarray(second[name])
        if a.shape != b.shape or a.ndim != 3:
            raise ValueError(
                f"layer {name!r} has shape {a.shape} in found and {b.shape} in expected; it must "
                "be one (steps, trials, size)."
            )
        differs[name] = a != b
    # the first step of each trial in which a layer differs, and one that is near
    ever = np.array([_first(d) for d in differs.values()]).min(axis=0)
    near, nearest = _near(margins, differs, within, ever.shape)
    different = np.flatnonzero(ever < NEVER)
    return SpikeComparison(
        spikes=int(sum(np.asarray(second[name]).sum() for name in shared)),
        different=int(sum(d.sum() for d in differs.values())),
        trials_different=different,
        unexplained=different[nearest[different] > ever[different]],
        near=near,
        within=within,
    )


def _first(marked: np.ndarray) -> np.ndarray:
    """The first step of each trial in which a neuron is marked."""
    anyone = marked.any(axis=2)
    return np.where(anyone.any(axis=0), anyone.argmax(axis=0), NEVER)


def _near(
    margins: Mapping[str, np.ndarray],
    differs: Mapping[str, np.ndarray],
    within: float,
    trials: tuple[int, ...],
) -> tuple[np.ndarray, np.ndarray]:
    """Records of what is near its threshold, and the first such step of each trial."""
    records, nearest = [np.zeros(0, NEAR)], np.full(trials, NEVER)
    for name, u in margins.items():
        close = np.abs(u) < within
        nearest = np.minimum(nearest, _first(close))
        step, trial, neuron = np.nonzero(close)
        rows = np.zeros(step.size, NEAR)
        rows["layer"], rows["step"], rows["trial"], rows["neuron"] = name, step, trial, neuron
        rows["u"] = u[close]
        rows["same"] = ~differs[name][close] if name in differs else True
        records.append(rows)
    return np.concatenate(records), nearest


@named_options()
def compare_with_rate(
    network: RateNetwork, x: np.ndarray, *, within: float = 1e-9, threads: int | None = None
) -> SpikeComparison:
    """Run a network of spiking cells on the engine and hold its spikes against ``forward``.

    Parameters
    ----------
    network : RateNetwork
        As `step_network` takes it.
    x : array (steps, trials, inputs)
    within : float
        As in `compare_spikes`.
    threads : int, optional
        Of the engine.

    Returns
    -------
    SpikeComparison
    """
    run = run_steps(step_network(network), x, margins=True, threads=threads)
    network.forward(x)
    expected = {str(i): rates for i, rates in enumerate(network.rates)}
    return compare_spikes(run, expected, within=within)
