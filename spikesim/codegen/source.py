"""The text of a model's kernel, for who wants to read what will run."""

from typing import Literal

from spikesim.codegen.generator import generate
from spikesim.description.neuron import NeuronModel


def source(
    model: NeuronModel, precision: Literal["single", "double"] = "double", dt: float = 0.1
) -> str:
    """The generated kernel that advances a population of a model by one step.

    Parameters
    ----------
    model : NeuronModel
    precision : "single" or "double"
    dt : float
        Step (ms).
    """
    values = {
        name: value for name, value in model.all_values.items() if isinstance(value, int | float)
    }
    return generate(model, {**model.dynamics.defaults, **values}, dt, precision).source
