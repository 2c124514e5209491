"""Discrete-time spiking neurons: what a framework's step does, and the engine's model of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from spikesim.checks import check_choice, check_numbers, check_shape, check_whole
from spikesim.description.neuron import NeuronModel
from spikesim.description.receptors import Pulse
from spikesim.display import brief
from spikesim.names import named_options

CURRENT = "x"  # the receptor of what comes from outside


@named_options()
@dataclass(frozen=True, eq=False)
class StepNeuron:
    """A layer of spiking neurons whose step is a map.

    With x_t what arrives in step t, biases included, and z_t the spikes of the layer:

    i_t = synapse_keep i_(t-1) + synapse_gain x_t, or x_t itself without a synapse
    v_t = rest + keep (v_(t-1) - rest) + gain i_t
    q_t = adaptation_keep q_(t-1) + adaptation_step z_(t-1)
    u_t = v_t - threshold - q_t
    z_t = 1 if u_t >= 0 (``strict``: u_t > 0) and there was none within ``refractory`` steps

    after which a spike resets v_t. Before the first step v is ``start`` and i, q and z are 0.
    Frameworks differ in what follows; each has a name here. That an input decays with v in the step
    in which it comes, v_t = keep (v_(t-1) + x_t), is a ``gain`` of ``keep``.

    Parameters
    ----------
    size : int
    keep, gain, rest : float or array (size,)
    threshold : float or array (size,)
    strict : bool
        Whether v on the threshold is not enough.
    reset : "subtract", "value" or "none"
        Whether a spike takes the threshold from v, or sets v to ``reset_to``.
    reset_to : float or array (size,)
    reset_late : bool
        Whether that is done in the next step, after v decayed and the input came: subtracted from
        v undecayed; or the value instead of v, so that this step's input is lost.
    least : float or array (size,), optional
        v is not below it.
    refractory : int
        Steps after a spike without another. v goes on meanwhile; with ``refractory_holds`` it
        stands still.
    refractory_holds : bool
    synapse_keep : float or array (size,), optional
        Share of i that stays in a step.
    synapse_gain : float or array (size,)
    synapse_late : bool
        Whether v is moved by i_(t-1) instead of i_t.
    adaptation_keep : float or array (size,), optional
    adaptation_step : float or array (size,)
    start : float or array (size,)
    spikes_late : bool
        Whether what is above is z_(t+1): the layer gives its spikes, its maps onto itself included,
        a step later, while its reset and adaptation do not wait.
    most_spikes : int
        Above 1 a neuron may have so many spikes in a step, z_t = floor(v_t / threshold), and each
        takes the threshold from v. The engine has a copy of the layer for each.

    Raises
    ------
    ValueError
        If a value is not finite, has another shape or is out of range, or settings contradict each
        other.

    References
    ----------
    Eshraghian JK, Ward M, Neftci EO, Wang X, Lenz G, Dwivedi G, Bennamoun M, Jeong DS, Lu WD
    (2023). Training spiking neural networks using lessons from deep learning. Proc IEEE 111:1016.
    """

    size: int
    keep: Any = 1.0
    gain: Any = 1.0
    rest: Any = 0.0
    threshold: Any = 1.0
    strict: bool = False
    reset: Literal["subtract", "value", "none"] = "subtract"
    reset_to: Any = 0.0
    reset_late: bool = False
    least: Any = None
    refractory: int = 0
    refractory_holds: bool = False
    synapse_keep: Any = None
    synapse_gain: Any = 1.0
    synapse_late: bool = False
    adaptation_keep: Any = None
    adaptation_step: Any = 0.0
    start: Any = 0.0
    spikes_late: bool = False
    most_spikes: int = 1

    __repr__ = brief

    def __post_init__(self) -> None:
        check_whole("StepNeuron: size", self.size)
        check_choice("StepNeuron: reset", self.reset, ("subtract", "value", "none"))
        check_whole("StepNeuron: refractory", self.refractory, least=0)
        check_whole("StepNeuron: most_spikes", self.most_spikes)
        for name in _VALUES:
            if getattr(self, name) is not None:
                keep_values(self, name)
        if self.most_spikes > 1:
            self._check_several()
        if self.synapse_late and self.synapse_keep is None:
            raise ValueError(
                "StepNeuron: synapse_late is True; it must be False without synapse_keep."
            )
        if np.any(self.adaptation_step) and self.adaptation_keep is None:
            raise ValueError(
                "StepNeuron: adaptation_step is given without adaptation_keep; it must be 0 then."
            )
        if self.refractory_holds and (self.reset_late or not self.refractory):
            raise ValueError(
                "StepNeuron: refractory_holds is True; it must be False with reset_late, whose "
                "reset would be lost, and without a refractory time."
            )

    def _check_several(self) -> None:
        said = f"StepNeuron: most_spikes is {self.most_spikes}; it must be 1 with"
        if self.reset != "subtract" or self.reset_late:
            raise ValueError(f"{said} a reset that does not subtract at once.")
        if self.strict or self.refractory or self.adaptation_keep is not None:
            raise ValueError(f"{said} strict, a refractory time or adaptation.")
        if np.any(np.asarray(self.threshold) <= 0):
            raise ValueError(f"{said} a threshold of 0 or below.")

    def model(self, dt: float, begin: int = 0, maps: int = 0) -> NeuronModel:
        """The layer's model on the engine, for a step of ``dt`` ms.

        What comes from outside arrives at the receptor "x", and the spikes of so many maps at "s0",
        "s1", ...: sums are as fine as the weights of each ask for. ``u`` is the distance to the
        threshold before the reset. Before step ``begin``, counted from 0, neurons stand still.
        """
        receptors = [CURRENT, *(spikes_of(k) for k in range(maps))]
        names = [name for name in _VALUES if getattr(self, name) is not None and name != "start"]
        values = {name: self._for_copies(name) for name in names}
        values |= {"begin": (begin - 0.5) * dt, "wait": self.refractory * dt}
        reached = "u > 0" if self.strict else "u >= 0"
        if self.most_spikes > 1:
            values["rank"] = np.repeat(np.arange(1.0, self.most_spikes + 1), self.size)
            values["most"] = float(self.most_spikes)
            reached = "n >= rank"
        variables = ["v", "u", *(name for name in ("i", "q", "z", "n") if self._has(name))]
        return NeuronModel(
            equations="\n".join(f"d{name}/dt = 0" for name in variables),
            threshold=f"{reached} and t - dt >= begin" if begin else reached,
            reset="\n".join(self._at_spike()),
            parameters=dict.fromkeys(values, "0"),
            receptors={name: Pulse("1") for name in receptors},
            refractory="wait" if self.refractory else "",
            hold=("v",) if self.refractory_holds else (),
            initial={"v": self._for_copies("start")},
            method="\n".join(self._step(begin > 0, receptors)),
            values=values,
            name="step",
        )

    def _for_copies(self, name: str) -> float | np.ndarray:
        value = getattr(self, name)
        return np.tile(value, self.most_spikes) if np.ndim(value) else value

    def _has(self, variable: str) -> bool:
        """Whether the model needs i, q, z or n."""
        return {
            "i": self.synapse_keep is not None,
            "q": self.adaptation_keep is not None,
            "z": self.adaptation_keep is not None or self.reset_late and self.reset != "none",
            "n": self.most_spikes > 1,
        }[variable]

    def _step(self, waits: bool, receptors: list[str]) -> list[str]:
        """Statements of a step, in their order; those of v only from ``begin`` on."""
        arriving = f"({' + '.join(f'w_{name}' for name in receptors)})"
        if self._has("i"):
            synapse = [f"i = synapse_keep * i + synapse_gain * {arriving}"]
        else:
            synapse = []
        at_rest = not np.any(self.rest)
        before = "(v - n * threshold)" if self._has("n") else "v"
        kept = f"keep * {before}" if at_rest else f"rest + keep * ({before} - rest)"
        v = f"{kept} + gain * {'i' if synapse else arriving}"
        if self.reset_late and self.reset == "subtract":
            v = f"{v} - z * threshold"
        if self.reset_late and self.reset == "value":
            v = f"(reset_to if z > 0.5 else {v})"
        if self.least is not None:
            v = f"max({v}, least)"
        moved = [f"v = {v} if t >= begin else v" if waits else f"v = {v}"]
        lines = [*moved, *synapse] if self.synapse_late else [*synapse, *moved]
        if self._has("q"):
            lines.append("q = adaptation_keep * q + adaptation_step * z")
        if self._has("z"):
            lines.append("z = 0")
        if self._has("n"):
            return [
                *lines,
                "n = min(max(floor(v / threshold), 0), most)",
                "u = v - rank * threshold",
            ]
        return [*lines, "u = v - threshold - q" if self._has("q") else "u = v - threshold"]

    def _at_spike(self) -> list[str]:
        lines = ["z = 1"] if self._has("z") else []
        if not (self.reset_late or self._has("n")):
            lines += {"subtract": ["v -= threshold"], "value": ["v = reset_to"]}.get(self.reset, [])
        return lines


def spikes_of(number: int) -> str:
    """The receptor of one of the maps that bring spikes."""
    return f"s{number}"


_VALUES = (
    *("keep", "gain", "rest", "threshold", "reset_to", "least", "synapse_keep", "synapse_gain"),
    *("adaptation_keep", "adaptation_step", "start"),
)


@named_options()
@dataclass(frozen=True, eq=False)
class StepFilter:
    """A layer that does not spike: a leaky integrator, step by step.

    y_t = rest + keep (y_(t-1) - rest) + gain x_t, with y ``start`` before the first step. A
    ``keep`` of 0 hands on what arrives.

    Parameters
    ----------
    size : int
    keep, gain, rest, start : float or array (size,)

    Raises
    ------
    ValueError
        If a value is not finite or has another shape.
    """

    size: int
    keep: Any = 0.0
    gain: Any = 1.0
    rest: Any = 0.0
    start: Any = 0.0

    __repr__ = brief

    def __post_init__(self) -> None:
        check_whole("StepFilter: size", self.size)
        for name in ("keep", "gain", "rest", "start"):
            keep_values(self, name)

    def run(self, x: np.ndarray) -> np.ndarray:
        """y (steps, trials, size) of x of that shape."""
        y = np.empty_like(x)
        before = np.broadcast_to(self.start, x.shape[1:])
        for now, arrived in zip(y, x, strict=True):
            now[...] = self.rest + self.keep * (before - self.rest) + self.gain * arrived
            before = now
        return y


def keep_values(layer: StepNeuron | StepFilter, name: str) -> None:
    """Make an array of what was given for a layer's neurons, or a float of one for all."""
    told, what = f"{type(layer).__name__}: {name}", "a number, or one per neuron"
    values = check_numbers(told, getattr(layer, name), what, dimensions=(0, 1))
    check_shape(told, values, (), (layer.size,))
    object.__setattr__(layer, name, values.copy() if values.ndim else float(values))
