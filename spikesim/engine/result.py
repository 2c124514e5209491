"""What a run gave, in one object that shows itself."""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from spikesim import display
from spikesim.data.signals import Averages, BinnedRate, Samples
from spikesim.data.spiketrains import SpikeTrains
from spikesim.description.population import View


@dataclass(frozen=True, eq=False)
class Result:
    """What a run gave.

    Attributes
    ----------
    spikes : mapping of population to SpikeTrains
    rates : mapping of population to mean rate (Hz)
    spike_counts : mapping of population to array
        Spikes of each neuron.
    traces : mapping of (population, variable) to Samples
    means : mapping of (population, variable) to Averages
    binned : mapping of population, or part of one, to BinnedRate
    timings : mapping
        Seconds: ``build``, ``compile``, ``run`` (the stepping loop alone); ``rtf``, run over
        biological time.
    synapses, threads : int
    interrupted : bool
        Whether Ctrl-C ended the run early.
    """

    spikes: Mapping[str, SpikeTrains]
    rates: Mapping[str, float]
    spike_counts: Mapping[str, np.ndarray]
    traces: Mapping[tuple[str, str], Samples]
    means: Mapping[tuple[str, str], Averages]
    binned: Mapping[str | View, BinnedRate]
    timings: Mapping[str, float]
    synapses: int
    threads: int
    interrupted: bool

    def __repr__(self) -> str:
        return f"<Result: {self._told()}>"

    def __str__(self) -> str:
        columns = list(zip(*self._populations(), strict=True))
        widths = [max(map(len, column)) for column in columns]
        lines = [
            f"    {name:<{widths[0]}}  {neurons:>{widths[1]}} neurons  {spikes:>{widths[2]}} spikes"
            f"  {rate:>{widths[3]}} Hz"
            for name, neurons, spikes, rate in zip(*columns, strict=True)
        ]
        records = [f"    {name}: {told}" for name, told in self._records()]
        return "\n".join(
            [
                self._told(),
                *display.some(lines, 9, "populations"),
                *display.some(records, 5, "recorded"),
                self._times(),
            ]
        )

    def _repr_html_(self) -> str:
        columns = ["population", "neurons", "spikes", "rate (Hz)"]
        return display.whole(
            f"Result: {self._told()}",
            display.table("populations", columns, self._populations()),
            display.table("recorded", ["what", "is"], self._records()),
            f"<p>{self._times()}</p>",
        )

    def _told(self) -> str:
        stop = max((trains.t_stop for trains in self.spikes.values()), default=0.0)
        neurons = sum(counts.size for counts in self.spike_counts.values())
        ended = ", interrupted" if self.interrupted else ""
        size = f"{display.number(neurons, 'neuron')} and {display.number(self.synapses, 'synapse')}"
        return f"{stop:g} ms{ended} of {size}"

    def _populations(self) -> list[tuple[str, ...]]:
        return [
            (name, f"{counts.size:,}", f"{counts.sum():,}", f"{self.rates[name]:.3f}")
            for name, counts in self.spike_counts.items()
        ]

    def _records(self) -> list[tuple[str, str]]:
        found = {**self.traces, **self.means}
        named = [(f"{variable} of {name}", each) for (name, variable), each in found.items()]
        for key, each in self.binned.items():
            name = f"{key.size} of {key.population}" if isinstance(key, View) else key
            named.append((f"rate of {name}", each))
        return [(name, repr(each)[1:-1]) for name, each in named]

    def _times(self) -> str:
        t = self.timings
        return (
            f"build {t['build']:.2f} s, compile {t['compile']:.2f} s, run {t['run']:.3g} s "
            f"(real-time factor {t['rtf']:.3g}) on {display.number(self.threads, 'thread')}"
        )
