"""Built-in models say their parameters once, and their help says the same."""

import inspect
import re
from pathlib import Path

import numpy as np
import pytest
from built_in import MODELS

import spikesim as ss
from spikesim.description.neuron import NeuronModel
from spikesim.description.neurons.built_in import built_in

ROOT = Path(__file__).parent.parent
OTHERS = ("receptors", "method")


def test_every_file_of_the_folder_is_in_the_list():
    files = {p.stem for p in (ROOT / "spikesim" / "description" / "neurons").glob("*.py")}
    listed = {make.__module__.rpartition(".")[2] for make in MODELS.values()}
    assert listed == files - {"__init__", "built_in"}
    assert len(MODELS) >= 10


@pytest.mark.parametrize("name", MODELS)
def test_the_readme_names_it(name):
    assert f"`{name}`" in (ROOT / "README.md").read_text(encoding="utf-8")


def documented(make) -> dict[str, str]:
    """Names and units in the list of parameters of a docstring."""
    text = inspect.getdoc(make).split("Parameters\n----------\n")[1].split("\n\n")[0]
    found = {}
    for names, unit in re.findall(r"^(\w+(?:, \w+)*) : (.*)$", text, flags=re.M):
        for name in names.split(", "):
            assert name not in found, f"{name} is listed twice"
            found[name] = unit
    return found


@pytest.mark.parametrize("name", sorted(set(MODELS) - {"GLIF"}))
def test_help_lists_every_parameter_with_its_unit(name):
    make = MODELS[name]
    model, told = make(), documented(make)
    options = inspect.signature(make).parameters
    assert set(told) == set(options)
    assert set(model.parameters) == set(options) - set(OTHERS)
    for parameter in model.parameters:
        unit = model.dynamics.units[parameter]
        assert told[parameter] == unit or not unit, f"{parameter} is in {unit}"
        assert options[parameter].default == model.dynamics.defaults[parameter]
        assert model.all_values[parameter] == options[parameter].default


def test_help_lists_the_parameters_of_every_level():
    text = inspect.getdoc(MODELS["GLIF"]).split("**values\n")[1].split("Raises")[0]
    text = " ".join(text.split())
    for level in range(1, 6):
        model = ss.GLIF(level)
        for parameter, value in model.dynamics.defaults.items():
            if parameter not in model.parameters:
                continue  # of a receptor
            unit = model.dynamics.units[parameter].replace("1", "")
            told = re.search(rf"\b{parameter}(?: and \w+)? \(({value:g})([^)]*)\)", text)
            told = told or re.search(rf"and {parameter} \(({value:g})([^)]*)\)", text)
            assert told, f"{parameter} = {value:g}"
            assert told[2].strip() == unit or (not unit and told[2] in ("", " / ms"))


def test_a_model_of_ones_own_is_declared_in_a_few_lines():
    @built_in(
        equations="dv/dt = -v / tau : mV", threshold="v >= v_th", reset="v = 0", method="euler"
    )
    def Leaky(
        *, tau: float = "0.01 s", v_th: float = "15 mV", receptors=None, method=None
    ) -> NeuronModel:
        """A leak."""

    told = str(inspect.signature(Leaky))
    assert told.startswith("(*, tau: float = 10.0, v_th: float = 15.0, receptors=None")
    model = Leaky(tau=3.0)
    assert (model.name, model.method, list(model.receptors)) == ("Leaky", "euler", ["exc", "inh"])
    assert model.all_values["tau"] == 3.0 and model.dynamics.units["tau"] == "ms"
    assert Leaky(method="rk2").method == "rk2"
    with pytest.raises(TypeError, match="Leaky has no option 'ta'; did you mean tau"):
        Leaky(ta=1.0)
    with pytest.raises(ValueError, match=re.escape("Leaky: tau is array([ 1., -1.])")):
        Leaky(tau=np.array([1.0, -1.0]))
