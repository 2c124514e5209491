"""The spiking network of layers that count: what it consists of, and its runs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np

from spikesim.checks import check_numbers, check_whole
from spikesim.conversion.layers.codes import Code, spikes_of
from spikesim.conversion.layers.neurons import AT_ONCE, IN_TURN, RELAY
from spikesim.conversion.layers.report import (
    LayersReport,
    differing,
    relative_error,
    same_choice,
)
from spikesim.conversion.layers.stages import Stage
from spikesim.description.inputs import Sampled
from spikesim.description.network import Network
from spikesim.description.rules import AllToAll
from spikesim.engine.trials import simulate_trials
from spikesim.rate.activations import Quantised
from spikesim.rate.network import RateNetwork

Schedule = Literal["in_turn", "at_once"]


@dataclass(frozen=True, eq=False)
class LayersRun:
    """What spiking layers gave.

    Attributes
    ----------
    outputs : array (time, trials, outputs)
        As ``RateNetwork.forward`` gives them, of the rates of the last layer.
    rates : list of array (time, trials, units)
        Of each layer, from counts: c n / T.
    report : LayersReport
    """

    outputs: np.ndarray
    rates: list[np.ndarray]
    report: LayersReport


@dataclass(frozen=True, eq=False)
class SpikingLayers:
    """Spiking layers that stand for a rate network, by `convert_layers`.

    Attributes
    ----------
    rate_network : RateNetwork
    stages : tuple
        The layers; ``stages[k].cap`` is the highest rate of layer k + 1.
    steps : int
        Of a window.
    schedule, code, highest, dt
        As given.
    """

    rate_network: RateNetwork
    stages: tuple[Stage, ...]
    steps: int
    schedule: Schedule
    code: Code
    highest: float
    dt: float

    @property
    def network(self) -> Network:
        """Populations "layer1", "layer2" and so on, for spikes also "input", and their synapses.

        A new description each time, without inputs: those of `run` come to the receptor "input" of
        "layer1" or of "input". Build it in double precision.
        """
        net = Network(name="layers")
        if self.code != "current":
            net.population("input", self.rate_network.inputs, RELAY)
        for j, stage in enumerate(self.stages):
            self._add(net, j, stage)
        return net

    def _add(self, net: Network, j: int, stage: Stage) -> None:
        """One layer and what comes to it."""
        steps, here = float(self.steps), f"layer{j + 1}"
        threshold = stage.activation is None
        bias = -stage.threshold if threshold else steps * stage.b / stage.cap
        half = 0.0 if threshold else 0.5  # spikes below the threshold, which is v = 0
        init = {"k": -float(self._first(j))}
        if self.schedule == "in_turn":
            model = IN_TURN.with_values(steps=steps, offset=bias - half)
            if stage.w_rec is not None:
                init["s"] = steps * (stage.w_rec @ stage.start) / stage.cap
        else:
            model = AT_ONCE.with_values(steps=steps, bias=bias / steps, start=-half)
            init["k"] += steps - 1
        net.population(here, stage.units, model, init)
        one = self.stages[j - 1].cap if j else self.highest  # rate of a spike in each step
        before, receptor = (f"layer{j}", "input") if j else ("input", self._receptor)
        if j or self.code != "current":
            weight = stage.w_in.T * (one / stage.cap)
            net.connect(before, here, AllToAll(), weight=weight, delay=self.dt, receptor=receptor)
        if stage.w_rec is not None:
            net.connect(
                here, here, AllToAll(), weight=stage.w_rec.T, delay=self.dt, receptor="input"
            )

    @property
    def _receptor(self) -> str:
        return "onset" if self.code == "latency" else "input"

    def _first(self, j: int) -> int:
        """The step in which layer j begins to add up the first window."""
        return (self.code != "current") + j * (self.steps if self.schedule == "in_turn" else 1)

    def _fires(self, j: int) -> int:
        """The step in which layer j begins to fire for the first window."""
        return self._first(j) + (self.steps - 1 if self.schedule == "in_turn" else 0)

    def run(self, x: np.ndarray, *, seed: int = 0, threads: int | None = None) -> LayersRun:
        """Outputs of inputs, each shown for a window.

        Parameters
        ----------
        x : array (time, trials, inputs)
            As `RateNetwork.run` takes them. Without recurrent cells all windows follow each other
            in one run of the engine; with them each trial is a run.
        seed : int
            Of the spikes of inputs that are "poisson".
        threads : int
            Default: all cores.

        Returns
        -------
        LayersRun

        Raises
        ------
        ValueError
            If x has another shape, holds what is not finite or, for spikes, what is not from 0 to
            ``highest``.
        """
        x = check_inputs("x", x, self.rate_network.inputs)
        check_whole("seed", seed, least=None)
        expected, margin = self._expected(x)
        values = self._values(x, seed)
        counts = self._counts(values, x.shape[:2], threads)
        rates = [
            count * (stage.cap / self.steps)
            for count, stage in zip(counts, self.stages, strict=True)
        ]
        outputs = self.rate_network.read_out(rates[-1]).copy()
        aim = self.rate_network.read_out(expected[-1])
        pairs = zip(rates, expected, self.stages, strict=True)
        report = LayersReport(
            windows=x.shape[0] * x.shape[1],
            steps=self.steps,
            latency=(self._fires(len(rates) - 1) + self.steps) * self.dt,
            differ=tuple(differing(y, e, s.cap / self.steps) for y, e, s in pairs),
            agreement=same_choice(outputs, aim),
            output_error=relative_error(outputs, aim),
            spikes=tuple(float(count.mean()) for count in counts),
            events=self._events(counts, values) / (x.shape[0] * x.shape[1]),
            margin=margin,
        )
        return LayersRun(outputs, rates, report)

    def _expected(self, x: np.ndarray) -> tuple[list[np.ndarray], float]:
        """Rates of the rate network, and how close a unit comes to another count."""
        rates, margin = [], np.inf
        for stage in self.stages:
            y, p = stage.rates(x)
            if stage.activation is None:
                margin = min(margin, float(np.abs(p).min()))
            elif isinstance(stage.activation, Quantised):
                levels = stage.activation.levels
                count = p * (levels / stage.cap) - 0.5  # which changes at 0, 1, ..., L - 1
                nearest = np.clip(np.rint(count), 0, levels - 1)
                margin = min(margin, float(np.abs(count - nearest).min()))
            rates.append(y)
            x = y
        return rates, margin

    def _events(self, counts: list[np.ndarray], values: np.ndarray) -> float:
        """Spikes that arrive at synapses."""
        events = 0.0 if self.code == "current" else values.sum() * self.stages[0].units
        for j, (count, stage) in enumerate(zip(counts, self.stages, strict=True)):
            targets = self.stages[j + 1].units if j + 1 < len(self.stages) else 0
            targets += 0 if stage.w_rec is None else stage.units
            events += count.sum() * targets
        return float(events)

    def _counts(
        self, values: np.ndarray, shape: tuple[int, ...], threads: int | None
    ) -> list[np.ndarray]:
        """Numbers of spikes (time, trials, units) of each layer."""
        windows, trials = shape
        if all(stage.w_rec is None for stage in self.stages):
            # Nothing is kept from a window to the next: all follow each other in one run.
            windows, trials = windows * trials, 1
            bins = len(values) // shape[0]
            values = values.reshape(shape[0], bins, shape[1], -1).swapaxes(1, 2)
            values = values.reshape(windows * bins, 1, -1)
        every = self.dt if self.code != "current" else self.steps * self.dt
        net, target = self.network, "layer1" if self.code == "current" else "input"
        strongest = Sampled(np.abs(values).max(axis=1), every)
        net.drive(target, strongest, receptor="input", name="x")
        found = simulate_trials(
            net,
            (self._fires(len(self.stages) - 1) + windows * self.steps) * self.dt,
            trials,
            inputs={"x": {"values": np.ascontiguousarray(values.swapaxes(0, 1))}},
            threads=threads,
            dt=self.dt,
            precision="double",
        )
        if found.interrupted:
            raise KeyboardInterrupt
        counts = []
        for j, stage in enumerate(self.stages):
            spikes = found.spikes[f"layer{j + 1}"]
            step = np.rint(spikes.times / self.dt).astype(int) - 1 - self._fires(j)
            window = step // self.steps
            kept = (window >= 0) & (window < windows)
            number = np.zeros((windows, trials, stage.units))
            place = window[kept], spikes.trials[kept], spikes.neurons[kept]
            np.add.at(number, place, 1)
            counts.append(number.reshape(*shape, stage.units))
        return counts

    def _values(self, x: np.ndarray, seed: int) -> np.ndarray:
        """What comes in, (bins, trials, neurons): a current each window, or a spike each step."""
        if self.code == "current":
            first = self.stages[0]
            return x @ first.w_in.T / first.cap
        spikes = self._coded(x, seed)
        return spikes.reshape(-1, *spikes.shape[2:]).astype(float)

    def _coded(self, x: np.ndarray, seed: int) -> np.ndarray:
        """Inputs as spikes, (windows, steps, trials, inputs)."""
        bad = np.argwhere((x < 0) | (x > self.highest))
        if len(bad):
            place = tuple(map(int, bad[0]))
            raise ValueError(
                f"x is {x[place]:g} at {place}; as spikes, inputs must be from 0 to highest = "
                f"{self.highest:g}."
            )
        return spikes_of(x / self.highest, self.steps, self.code, seed)


def check_inputs(name: str, x: np.ndarray, inputs: int) -> np.ndarray:
    """Inputs of a rate network as an array of doubles."""
    x = check_numbers(name, x, "an array (time, trials, inputs)", dimensions=(3,))
    if x.shape[2] != inputs:
        raise ValueError(
            f"{name} has shape {x.shape}; it must be (time, trials, inputs), here "
            f"(time, trials, {inputs})."
        )
    return x
