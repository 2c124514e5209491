"""Old places and names work, with a warning that names the new ones at the line that used them."""

import importlib
import subprocess
import sys

import pytest

from spikesim.moved import MODULES, NAMES, renamed


@pytest.fixture
def unloaded(monkeypatch):
    for old in MODULES:
        monkeypatch.delitem(sys.modules, old, raising=False)


@pytest.mark.parametrize("old", MODULES)
def test_an_old_module_leads_to_the_new_ones(old, unloaded):
    with pytest.warns(DeprecationWarning, match=f"{old} has moved: its names are in") as told:
        module = importlib.import_module(old)
    assert {warning.filename for warning in told} == {__file__}
    for new in MODULES[old]:
        home = importlib.import_module(new)
        for name in vars(home):
            if not name.startswith("__"):
                assert hasattr(module, name)
    with pytest.raises(AttributeError, match=f"module '{old}' has no attribute 'nothing'"):
        module.nothing  # noqa: B018


def test_the_classes_are_the_same(unloaded):
    import spikesim as ss

    with pytest.warns(DeprecationWarning):
        from spikesim.models import LIF
        from spikesim.spiketrains import SpikeTrains
        from spikesim.storage import open_spikes
    assert (LIF, SpikeTrains, open_spikes) == (ss.LIF, ss.SpikeTrains, ss.open_spikes)


@pytest.mark.parametrize("old", NAMES)
def test_an_old_name_leads_to_the_new_one(old):
    module, _, name = old.rpartition(".")
    home, _, new = NAMES[old].rpartition(".")
    with pytest.warns(DeprecationWarning, match=f"{old} is called {NAMES[old]} now"):
        found = getattr(importlib.import_module(module), name)
    assert found is getattr(importlib.import_module(home), new)


@pytest.mark.parametrize("package", ["spikesim", "spikesim.rate", "spikesim.plots"])
def test_no_public_name_leads_through_an_old_module(package):
    code = f"import {package} as p\nfor name in p.__all__:\n    getattr(p, name)"
    subprocess.run([sys.executable, "-W", "error::DeprecationWarning", "-c", code], check=True)


def test_a_module_that_was_shared_out_has_its_renamed_names_too(unloaded):
    from spikesim import plots

    with pytest.warns(DeprecationWarning):
        from spikesim.cli_train import CELLS, DEFAULTS, draw_model, train  # noqa: F401
        from spikesim.rate_plots import COLOURS, behaviour, overview
    assert (COLOURS, behaviour) == (plots.COLOURS, plots.behaviour)
    assert overview is plots.training_overview is not plots.overview


def test_an_old_option_of_a_function_leads_to_the_new_one():
    @renamed(colour="color")
    def paint(color):
        return color

    assert paint("red") == paint(color="red") == "red"
    with pytest.warns(DeprecationWarning, match="paint: colour is called color now") as told:
        assert paint(colour="red") == "red"
    assert told[0].filename == __file__
    with pytest.raises(TypeError, match="given colour and color, which are the same"):
        paint(colour="red", color="red")


def test_an_old_method_leads_to_the_new_one():
    @renamed(start="begin", colour="color")
    class Painter:
        def __init__(self, color):
            self.color = color

        def begin(self, times=1):
            return times * self.color

    with pytest.warns(DeprecationWarning, match="Painter: colour is called color now"):
        painter = Painter(colour="red")
    with pytest.warns(DeprecationWarning, match="Painter.start is called begin now") as told:
        assert painter.start(times=2) == "redred"
    assert told[0].filename == __file__


def test_methods_that_became_functions():
    import spikesim as ss

    net = ss.Network()
    net.population("a", 3, ss.LIF())
    net.connect("a", "a", ss.AllToAll(), weight=1.0, delay=1.0, receptor="exc")
    with pytest.warns(
        DeprecationWarning, match="Network.synapses is the function spikesim.synap"
    ) as told:
        found = net.synapses("a", "a", dt=0.5)
    assert len(found) == len(ss.synapses(net, "a", "a", dt=0.5)) == 9
    with pytest.warns(
        DeprecationWarning, match="NeuronModel.source is the function spikesim.source"
    ):
        assert ss.LIF().source("single", dt=0.2) == ss.source(ss.LIF(), "single", dt=0.2)
    assert {warning.filename for warning in told} == {__file__}


def test_the_inputs_of_a_network_were_its_drives():
    import spikesim as ss

    net = ss.Network()
    net.population("a", 3, ss.LIF())
    net.drive("a", ss.Current(1.0))
    with pytest.warns(DeprecationWarning, match=r"^Network.drives is called inputs now\.$") as told:
        assert net.drives is net.inputs
    assert {warning.filename for warning in told} == {__file__}
