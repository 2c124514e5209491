"""How networks are laid out in arrays by name; each layout becomes cells, and where arrays go."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from spikesim.rate.activations import Activation
from spikesim.rate.cells.contract import Cell
from spikesim.rate.cells.feed_forward import FeedForward
from spikesim.rate.cells.leaky import LeakyRNN
from spikesim.rate.cells.low_rank import LowRankRNN
from spikesim.rate.cells.mcculloch_pitts import McCullochPitts

Weights = Mapping[str, np.ndarray]
Keys = dict[str, str]  # the network's name of a parameter to the file's
LEAKY = ("w_in", "w_rec", "b", "w_out", "b_out", "tau", "dt", "r0", "x0", "form", "activation")
RECURRENT = re.compile(r"(.*\.)?(weight|bias)_(ih|hh|hr)(?:_l(\d+))?(_reverse)?")
LINEAR = re.compile(r"(?:(.*)\.)?(weight|bias)")
OWN = re.compile(r"(\d+)\.(\w+)|out\.[wb]")
GATED = (
    "gates multiply, for which spiking neurons have no counterpart here: train a LeakyRNN or a "
    "DaleRNN (spikesim.rate) on the same task and convert that"
)


@dataclass
class Laid:
    """Cells, and what their parameters and the readout's are called in the file."""

    cells: list[Cell] = field(default_factory=list)
    keys: Keys = field(default_factory=dict)
    inputs: int = 0
    outputs: int = 0
    whole: bool = False  # whether biases and starts are there too; else they may be 0


@dataclass
class Settings:
    """What a file does not say."""

    dt: float
    tau: Any
    form: str | None
    activation: str | Activation | None
    layers: Sequence[str] | None


def lay_out(weights: Weights, settings: Settings) -> Laid:
    """What the names of the arrays tell.

    Raises
    ------
    ValueError
        If they tell of nothing that is known, something is missing or too much, or its shape says
        that it cannot be.
    """
    if any(RECURRENT.fullmatch(name) for name in weights):
        return _recurrent(weights, settings)
    if all(OWN.fullmatch(name) and not LINEAR.fullmatch(name) for name in weights):
        return _own(weights, settings)
    if all(LINEAR.fullmatch(name) for name in weights):
        return _linear(weights, settings)
    if "w_rec" in weights or "w_in" in weights:
        return _leaky(weights, settings)
    odd = next(name for name in weights if not LINEAR.fullmatch(name))
    raise ValueError(
        f"the array {odd!r} belongs to no layout that is known: those of a saved RateNetwork "
        "('0.w_rec', 'out.w'), of nn.RNN with nn.Linear, of nn.Linear alone, or w_in, w_rec, w_out"
    )


def rows(weights: Weights, name: str, dimensions: int = 2) -> tuple[int, ...]:
    """The shape of an array that must have so many dimensions, none of them 0."""
    if name not in weights:
        raise ValueError(f"the array {name!r} is missing; there are {', '.join(weights)}")
    shape = weights[name].shape
    if len(shape) != dimensions or 0 in shape:
        wanted = "(to, from)" if dimensions == 2 else "(units,)"
        raise ValueError(f"{name} has shape {shape}; it must have shape {wanted}")
    return shape


def _leaky(weights: Weights, settings: Settings) -> Laid:
    odd = [name for name in weights if name not in LEAKY]
    if odd:
        raise ValueError(f"the array {odd[0]!r} is not known; known are {', '.join(LEAKY)}")
    units, inputs = rows(weights, "w_in")
    start = [name for name in ("r0", "x0") if name in weights]
    form = settings.form or (start[0][0] if start else "r")
    if start and start != [f"{form}0"]:
        raise ValueError(f"{start[-1]} is given; units of the {form}-form begin at {form}0")
    cell = LeakyRNN(
        units, _tau(settings, units), form, settings.activation or "rectified", train_tau=False
    )
    keys = {"0.w_in": "w_in", "0.w_rec": "w_rec", "0.b": "b", f"0.{form}0": f"{form}0"}
    keys |= {"out.w": "w_out", "out.b": "b_out"}
    optional = ("b", "b_out", f"{form}0")
    keys = {ours: its for ours, its in keys.items() if its in weights or its not in optional}
    return Laid([cell], keys, inputs, rows(weights, "w_out")[0])


def _tau(settings: Settings, units: int) -> Any:
    if settings.tau is None:
        raise ValueError("the weights do not tell the time constants; give tau (ms)")
    if np.shape(settings.tau) not in ((), (units,)):
        raise ValueError(f"tau has shape {np.shape(settings.tau)}; it must be () or ({units},)")
    return settings.tau


def _recurrent(weights: Weights, settings: Settings) -> Laid:
    """``nn.RNN`` or ``nn.RNNCell``, and the one ``nn.Linear`` that reads it out."""
    found = {name: RECURRENT.fullmatch(name) for name in weights}
    layers: dict[int, Keys] = {}
    prefixes = {match[1] or "" for match in found.values() if match}
    if len(prefixes) > 1:
        raise ValueError(f"there are several recurrent modules: {', '.join(sorted(prefixes))}")
    for name, match in found.items():
        if match and (match[5] or match[3] == "hr"):
            what = "runs backwards in time" if match[5] else "projects its states"
            raise ValueError(f"{name}: a layer that {what} does not convert; train one without")
        if match:
            layers.setdefault(int(match[4] or 0), {})[f"{match[2]}_{match[3]}"] = name
    laid = Laid()
    for i, (layer, keys) in enumerate(sorted(layers.items())):
        for kind in ("weight_ih", "weight_hh"):
            if kind not in keys:
                raise ValueError(f"layer {layer} has no {kind}; it has {', '.join(keys.values())}")
        height, units = rows(weights, keys["weight_hh"])
        if height in (3 * units, 4 * units):
            kind = "GRU" if height == 3 * units else "LSTM"
            raise ValueError(
                f"{keys['weight_hh']} has shape {(height, units)}, as a {kind} has; its {GATED}"
            )
        laid.inputs = laid.inputs or rows(weights, keys["weight_ih"])[1]
        laid.cells.append(
            LeakyRNN(rows(weights, keys["weight_ih"])[0], settings.dt, "r", _tanh(settings))
        )
        biases = [keys[kind] for kind in ("bias_ih", "bias_hh") if kind in keys]
        laid.keys |= {f"{i}.w_in": keys["weight_ih"], f"{i}.w_rec": keys["weight_hh"]}
        laid.keys |= {f"{i}.b": "+".join(biases)} if biases else {}
    others = {name: array for name, array in weights.items() if not found[name]}
    _read_out(laid, others)
    return laid


def _tanh(settings: Settings) -> str | Activation:
    return settings.activation or "tanh"


def _read_out(laid: Laid, others: Weights) -> None:
    """The one ``nn.Linear`` beside recurrent layers."""
    odd = [name for name in others if not LINEAR.fullmatch(name)]
    if odd:
        raise ValueError(f"the array {odd[0]!r} belongs to neither nn.RNN nor nn.Linear")
    modules = _modules(others)
    if len(modules) != 1:
        told = ", ".join(name or "weight" for name in modules) or "none"
        raise ValueError(
            f"nn.RNN must be read out by one nn.Linear, with weight (outputs, units); there is "
            f"{told}"
        )
    ((_, keys),) = modules.items()
    laid.outputs = rows(others, keys["weight"])[0]
    laid.keys |= {"out.w": keys["weight"]} | ({"out.b": keys["bias"]} if "bias" in keys else {})


def _modules(weights: Weights) -> dict[str, Keys]:
    """Names of ``nn.Linear`` modules, and of the arrays of each."""
    modules: dict[str, Keys] = {}
    for name in weights:
        match = LINEAR.fullmatch(name)
        modules.setdefault(match[1] or "", {})[match[2]] = name
    for name, keys in modules.items():
        if "weight" not in keys:
            raise ValueError(f"the array {name + '.weight'!r} is missing beside {keys['bias']}")
    return modules


def _linear(weights: Weights, settings: Settings) -> Laid:
    """``nn.Linear`` modules in series; the last is the readout."""
    modules = _modules(weights)
    shapes = {name: rows(weights, keys["weight"]) for name, keys in modules.items()}
    order = _order(shapes, settings.layers)
    if len(order) < 2:
        raise ValueError("there is one nn.Linear; it needs a layer of units and a readout")
    *hidden, last = order
    widths = [shapes[name][0] for name in hidden]
    keys = {}
    for k, name in enumerate(hidden, start=1):
        keys[f"0.w{k}"] = modules[name]["weight"]
        keys |= {f"0.b{k}": modules[name]["bias"]} if "bias" in modules[name] else {}
    keys["out.w"] = modules[last]["weight"]
    keys |= {"out.b": modules[last]["bias"]} if "bias" in modules[last] else {}
    cell = FeedForward(widths, settings.activation or "rectified")
    return Laid([cell], keys, shapes[order[0]][1], shapes[last][0])


def _order(shapes: Mapping[str, tuple[int, ...]], layers: Sequence[str] | None) -> list[str]:
    """Modules from the first to the last: as said, by their numbers, or as they fit alone."""
    if layers is not None:
        if sorted(layers) != sorted(shapes):
            raise ValueError(f"layers is {list(layers)!r}; the modules are {sorted(shapes)}")
        order = list(layers)
    elif len({re.sub(r"\d+", "#", name) for name in shapes}) == 1:
        order = sorted(shapes, key=lambda name: [int(n) for n in re.findall(r"\d+", name)])
    else:
        ways = _ways(shapes, [])
        first, second = next(ways, None), next(ways, None)
        if second is not None:
            raise ValueError(
                f"the modules {', '.join(shapes)} fit in more than one order; give layers=[...], "
                "their names from the first to the last"
            )
        order = first or list(shapes)
    for before, after in zip(order, order[1:], strict=False):
        if shapes[after][1] != shapes[before][0]:
            raise ValueError(
                f"{after}.weight has shape {shapes[after]} and follows {before}.weight of shape "
                f"{shapes[before]}; its second number must be the first of that"
            )
    return order


def _ways(shapes: Mapping[str, tuple[int, ...]], begun: list[str]) -> Iterator[list[str]]:
    """Orders in which each module takes what the one before gives."""
    if len(begun) == len(shapes):
        yield begun
    for name in shapes:
        if name not in begun and (not begun or shapes[name][1] == shapes[begun[-1]][0]):
            yield from _ways(shapes, [*begun, name])


def _own(weights: Weights, settings: Settings) -> Laid:
    """The parameters of a `RateNetwork`."""
    cells: dict[int, list[str]] = {}
    for name in weights:
        if not name.startswith("out."):
            number, parameter = name.split(".")
            cells.setdefault(int(number), []).append(parameter)
    if sorted(cells) != list(range(max(len(cells), 1))):
        raise ValueError(f"there are cells {sorted(cells)}; they must be numbered from 0")
    laid = Laid(outputs=rows(weights, "out.w")[0], whole=True)
    for i in range(len(cells)):
        cell, inputs = _own_cell(weights, i, set(cells[i]), settings)
        laid.cells.append(cell)
        laid.inputs = laid.inputs or inputs
    laid.keys = {name: name for name in weights}
    return laid


def _own_cell(weights: Weights, i: int, names: set[str], settings: Settings) -> tuple[Cell, int]:
    """A cell with these parameters, and the number of its inputs."""
    said = {} if settings.activation is None else {"activation": settings.activation}
    if "h0" in names:
        raise ValueError(f"cell {i} has the parameter h0, as a GRU, LSTM or subLSTM; its {GATED}")
    if names == {"w_in", "threshold"}:
        w, threshold = (weights[f"{i}.{name}"] for name in ("w_in", "threshold"))
        return McCullochPitts(w, threshold), rows(weights, f"{i}.w_in")[1]
    depth = sum(bool(re.fullmatch(r"w\d+", name)) for name in names)
    if depth and names == {f"{x}{k}" for x in "wb" for k in range(1, depth + 1)}:
        shapes = [rows(weights, f"{i}.w{k}") for k in range(1, depth + 1)]
        return FeedForward([shape[0] for shape in shapes], **said), shapes[0][1]
    free = names - {"log_tau", "r0", "x0"}
    if free not in ({"w_in", "w_rec", "b"}, {"w_in", "m", "n", "b"}) or not names & {"r0", "x0"}:
        raise ValueError(
            f"cell {i} has the parameters {', '.join(sorted(names))}, of which no kind of cell is "
            "known; give cells=[...] as the network was made with"
        )
    form = "r" if "r0" in names else "x"
    if settings.form not in (None, form):
        raise ValueError(f"form is {settings.form!r}; cell {i} has {form}0, as the {form}-form")
    units, inputs = rows(weights, f"{i}.w_in")
    trained = "log_tau" in names
    tau = settings.dt if trained else _tau(settings, units)
    options = {"tau": tau, "form": form, "train_tau": trained} | said
    if "m" in names:
        return LowRankRNN(units, rank=rows(weights, f"{i}.m")[1], **options), inputs
    if (weights[f"{i}.w_rec"] >= 0).all():
        raise ValueError(
            f"{i}.w_rec has no negative weight, as a DaleRNN stores them without their signs; give "
            "cells=[...] as the network was made with"
        )
    return LeakyRNN(units, **options), inputs
