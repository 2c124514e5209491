"""Arrays by name into a rate network."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np

from spikesim.checks import check_number
from spikesim.conversion.weights.files import read_weights
from spikesim.conversion.weights.layouts import Laid, Settings, Weights, lay_out, rows
from spikesim.names import named_options
from spikesim.rate.activations import Activation
from spikesim.rate.cells.contract import Cell
from spikesim.rate.network import RateNetwork


@named_options()
def network_of_weights(
    weights: Mapping[str, Any],
    *,
    dt: float | None = None,
    tau: float | np.ndarray | None = None,
    form: Literal["r", "x"] | None = None,
    activation: str | Activation | None = None,
    layers: Sequence[str] | None = None,
    cells: Sequence[Cell] | None = None,
) -> RateNetwork:
    """A rate network with weights of elsewhere, whose names tell how they are laid out.

    Parameters
    ----------
    weights : mapping of str to array
        Matrices are (to, from). One of

        - the parameters of a `spikesim.rate.RateNetwork`: "0.w_rec", "out.w" and so on;
        - a leaky RNN: ``w_in``, ``w_rec``, ``w_out``, and if they are not 0 ``b``, ``b_out`` and
          the start ``r0`` or ``x0``; also ``tau`` and ``dt`` (ms), and as texts ``form`` and
          ``activation``, all of `LeakyRNN`;
        - ``nn.RNN`` or ``nn.RNNCell`` of PyTorch and one ``nn.Linear``. Its
          h' = f(W_ih x + b_ih + W_hh h + b_hh) is a `LeakyRNN` of the r-form with tau = dt and
          r0 = 0;
        - ``nn.Linear`` in series: `FeedForward` and, the last one, the readout.
    dt : float
        Step, ms; where the weights do not tell.
    tau : float or array (units,)
        Time constants of leaky cells, ms; where the weights do not tell.
    form : "r" or "x"
        Of leaky cells, where the weights do not tell: "r".
    activation : str or activation
        Where the weights do not tell: by default what the cell or, for ``nn.RNN``, PyTorch has by
        default, which is "tanh" for ``nn.RNN`` and `LowRankRNN` and "rectified" for the others.
    layers : sequence of str
        Names of ``nn.Linear`` modules from the first to the last, where neither their numbers nor
        their shapes tell.
    cells : sequence of cells
        For the parameters of a `RateNetwork`, the cells that it was made with. Without them,
        `LeakyRNN`, `LowRankRNN`, `FeedForward` and `McCullochPitts` are told apart.

    Returns
    -------
    RateNetwork
        Of float64 if any of the weights is, else of float32.

    Raises
    ------
    ValueError
        If an array is missing, not known, of another shape or not finite; if the layer is an LSTM
        or a GRU; if a setting is missing, or given twice.
    """
    numbers, given = _apart(weights)
    for name, value in {"dt": dt, "tau": tau, "form": form, "activation": activation}.items():
        if value is not None and name in given:
            raise ValueError(f"{name} is {value!r}, but the weights tell {given[name]!r}.")
    told = {"dt": dt, "tau": tau, "form": form, "activation": activation}
    told |= {name: value for name, value in given.items()}
    if told["dt"] is None:
        raise ValueError("dt is None; the weights do not tell the step: give dt (ms).")
    check_number("dt", told["dt"], above=0, unit="ms")
    if not numbers:
        raise ValueError("weights is empty; it must hold arrays.")
    try:
        if cells is not None:
            laid = _as_made(numbers, cells)
        else:
            laid = lay_out(numbers, Settings(layers=layers, **told))
        return _filled(numbers, laid, told["dt"])
    except ValueError as error:
        text = str(error)
        raise ValueError(text if text.endswith(".") else f"{text}.") from error


@named_options()
def load_rate_network(
    path: str | os.PathLike, *, entry: str | None = None, **options: Any
) -> RateNetwork:
    """A rate network of a file of weights: `read_weights`, then `network_of_weights`.

    Parameters
    ----------
    path, entry
        As of `read_weights`.
    **options
        As of `network_of_weights`.

    Raises
    ------
    FileNotFoundError, OSError, ValueError
        As of these two.
    """
    return network_of_weights(read_weights(path, entry=entry), **options)


def _apart(weights: Mapping[str, Any]) -> tuple[dict[str, np.ndarray], dict[str, Any]]:
    """Arrays of finite numbers, and settings that stand among them."""
    numbers, settings = {}, {}
    for name, value in weights.items():
        array = np.asarray(value)
        if name in ("form", "activation") and array.dtype.kind == "U" and array.ndim == 0:
            settings[name] = str(array)
            continue
        if array.dtype.kind not in "fiub":
            raise ValueError(f"{name} is of type {array.dtype}; it must hold real numbers.")
        bad = np.argwhere(~np.isfinite(array))
        if len(bad):
            place = tuple(map(int, bad[0]))
            raise ValueError(
                f"{name}, of shape {array.shape}, is {array[place]} at {place} "
                f"({len(bad)} of {array.size}); it must be finite."
            )
        if name in ("dt", "tau"):
            settings[name] = array.astype(float) if array.ndim else float(array)
        else:
            numbers[name] = array
    return numbers, settings


def _as_made(weights: Weights, cells: Sequence[Cell]) -> Laid:
    """The layout of a network of these cells."""
    first = next((name for name in ("0.w_in", "0.w1") if name in weights), "0.w_in")
    keys = {name: name for name in weights}
    inputs, outputs = rows(weights, first)[1], rows(weights, "out.w")[0]
    return Laid(list(cells), keys, inputs, outputs, whole=True)


def _filled(weights: Weights, laid: Laid, dt: float) -> RateNetwork:
    """The network, after all shapes have been held against its parameters."""
    used = [name for names in laid.keys.values() for name in names.split("+")]
    double = any(weights[name].dtype.itemsize == 8 for name in used if name in weights)
    network = RateNetwork(
        laid.cells, laid.inputs, laid.outputs, dt, dtype="float64" if double else "float32"
    )
    odd = [name for name in laid.keys if name not in network.parameters]
    if odd:
        kinds = ", ".join(type(cell).__name__ for cell in laid.cells)
        raise ValueError(f"the array {laid.keys[odd[0]]!r} belongs to none of the cells: {kinds}.")
    for name, parameter in network.parameters.items():
        if name not in laid.keys:
            if laid.whole or name.split(".")[1].rstrip("0123456789") not in ("b", "r", "x"):
                raise ValueError(f"the array {name!r} is missing; there are {', '.join(weights)}.")
            parameter[...] = 0
            continue
        for its in laid.keys[name].split("+"):
            rows(weights, its, parameter.ndim)
            if weights[its].shape != parameter.shape:
                raise ValueError(
                    f"{its} has shape {weights[its].shape}; beside the others it must have "
                    f"{parameter.shape}."
                )
        parameter[...] = sum(weights[its] for its in laid.keys[name].split("+"))
    _check_kept(network)
    return network


def _check_kept(network: RateNetwork) -> None:
    """Refuse what a cell does not allow: signs of a `DaleRNN`, masks, time constants below dt."""
    before = {name: parameter.copy() for name, parameter in network.parameters.items()}
    network.constrain()
    for name, parameter in network.parameters.items():
        bad = np.argwhere(parameter != before[name])
        if len(bad):
            place = tuple(map(int, bad[0]))
            raise ValueError(
                f"{name} is {before[name][place]:g} at {place}, where its cell allows "
                f"{parameter[place]:g} ({len(bad)} of {parameter.size} are not allowed)."
            )
