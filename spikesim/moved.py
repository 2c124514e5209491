"""Modules and names that lay elsewhere before: they work for one release, with a warning.

Each old module is looked through in its new places, in order; an old name leads to the new one.
Options, methods and attributes that are called otherwise now are named by `renamed`.
"""

import functools
import importlib
from collections.abc import Callable
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any, TypeVar

from spikesim.checks import warn

Thing = TypeVar("Thing", bound=Callable)

MODULES: dict[str, tuple[str, ...]] = {
    "spikesim.cli_train": (
        *("spikesim.cli.train", "spikesim.cli.tasks", "spikesim.cli.plot", "spikesim.cli.info"),
        *("spikesim.cli.output", "spikesim.cli.told", "spikesim.cli.user_code"),
    ),
    "spikesim.distributions": ("spikesim.description.distributions",),
    "spikesim.edges": ("spikesim.interop.edges",),
    "spikesim.engine.arrivals": ("spikesim.engine.clock.input_kernels",),
    "spikesim.engine.barrier": ("spikesim.kernels.barrier",),
    "spikesim.engine.cache": ("spikesim.kernels.cache",),
    "spikesim.engine.drives": ("spikesim.engine.clock.inputs",),
    "spikesim.engine.functions": ("spikesim.kernels.functions",),
    "spikesim.engine.generator": ("spikesim.codegen.generator", "spikesim.codegen.kernel"),
    "spikesim.engine.intrinsics": ("spikesim.kernels.intrinsics",),
    "spikesim.engine.keyed": ("spikesim.kernels.keyed", "spikesim.random"),
    "spikesim.engine.loop": ("spikesim.engine.clock.loop", "spikesim.engine.clock.arrays"),
    "spikesim.engine.methods": (
        "spikesim.codegen.methods.propagators",
        "spikesim.codegen.methods.runge_kutta",
    ),
    "spikesim.engine.noise": ("spikesim.kernels.noise",),
    "spikesim.engine.procedural": ("spikesim.engine.clock.procedural",),
    "spikesim.engine.tables": ("spikesim.engine.clock.tables",),
    "spikesim.engine.times": ("spikesim.times",),
    "spikesim.engine.upswing": ("spikesim.codegen.upswing",),
    "spikesim.engine.assembler": (
        "spikesim.engine.clock.assemble",
        "spikesim.engine.connectivity.gather",
    ),
    "spikesim.engine.bounds": ("spikesim.engine.sums",),
    "spikesim.engine.wiring": (
        "spikesim.engine.clock.write",
        "spikesim.engine.connectivity.draw",
        "spikesim.engine.connectivity.lists",
        "spikesim.engine.connectivity.distance",
    ),
    "spikesim.engine.writer": ("spikesim.codegen.expressions", "spikesim.codegen.recipes"),
    "spikesim.equations": ("spikesim.description.equations",),
    "spikesim.figure": ("spikesim.plots.figure",),
    "spikesim.inputs": ("spikesim.description.inputs",),
    "spikesim.model": (
        "spikesim.description.neuron",
        "spikesim.description.receptors",
        "spikesim.description.dynamics",
    ),
    "spikesim.models": (
        "spikesim.description.neurons.adex",
        "spikesim.description.neurons.fitzhugh_nagumo",
        "spikesim.description.neurons.glif",
        "spikesim.description.neurons.hodgkin_huxley",
        "spikesim.description.neurons.izhikevich",
        "spikesim.description.neurons.lif",
        "spikesim.description.neurons.qif",
    ),
    "spikesim.network": (
        "spikesim.description.network",
        "spikesim.description.population",
        "spikesim.description.projection",
    ),
    "spikesim.plausibility": ("spikesim.description.plausibility",),
    "spikesim.rate.checks": ("spikesim.checks",),
    "spikesim.rate_plots": (
        *("spikesim.plots.training", "spikesim.plots.trials", "spikesim.plots.tasks"),
        *("spikesim.plots.dynamics", "spikesim.plots.canvas"),
    ),
    "spikesim.rate.feedforward": (
        "spikesim.rate.cells.feed_forward",
        "spikesim.rate.cells.mcculloch_pitts",
    ),
    "spikesim.rate.gated": (
        "spikesim.rate.cells.gates",
        "spikesim.rate.cells.gru",
        "spikesim.rate.cells.lstm",
        "spikesim.rate.cells.sublstm",
    ),
    "spikesim.rate.leaky": (
        "spikesim.rate.cells.leaky",
        "spikesim.rate.cells.dale",
        "spikesim.rate.cells.low_rank",
        "spikesim.rate.masks",
    ),
    "spikesim.rate.spiking": (
        "spikesim.rate.cells.lif",
        "spikesim.rate.cells.alif",
        "spikesim.rate.cells.snu",
        "spikesim.rate.cells.membrane",
        "spikesim.rate.surrogates",
        "spikesim.rate.losses",
    ),
    "spikesim.rate.tape": ("spikesim.rate.workspace",),
    "spikesim.recording": ("spikesim.description.recording", "spikesim.data.signals"),
    "spikesim.rules": ("spikesim.description.rules", "spikesim.description.edges"),
    "spikesim.spiketrains": ("spikesim.data.spiketrains",),
    "spikesim.storage": ("spikesim.data.spike_files", "spikesim.data.report_files"),
    "spikesim.storage.edges": ("spikesim.data.edge_files",),
    "spikesim.storage.hdf5": ("spikesim.data.hdf5",),
    "spikesim.storage.reports": ("spikesim.data.report_files",),
    "spikesim.storage.spikes": ("spikesim.data.spike_files",),
    "spikesim.told": ("spikesim.checks",),
    "spikesim.units": ("spikesim.description.units",),
}
NAMES: dict[str, str] = {  # of packages and of old modules
    "spikesim.network.Drive": "spikesim.description.inputs.Stimulus",
    "spikesim.rate_plots.overview": "spikesim.plots.training_overview",
    "spikesim.rate.Tape": "spikesim.rate.workspace.Workspace",
    "spikesim.rate.psychometric": "spikesim.analysis.psychometric",
    "spikesim.rate.slopes": "spikesim.analysis.slopes",
    "spikesim.rate.tape.Tape": "spikesim.rate.workspace.Workspace",
    "spikesim.rate.tasks.psychometric": "spikesim.analysis.psychometric",
    "spikesim.rate.tasks.slopes": "spikesim.analysis.slopes",
}
_PACKAGES = {old.rpartition(".")[0] for old in MODULES}


def moved_name(module: str, name: str) -> object | None:
    """What an old name of a package stands for now, after a warning; None if it is not one."""
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    new = NAMES.get(f"{module}.{name}")
    if new is None:
        return None
    deprecated(f"{module}.{name} is called {new} now.")
    home, _, name = new.rpartition(".")
    return getattr(importlib.import_module(home), name)


def renamed(**old: str) -> Callable[[Thing], Thing]:
    """A function whose options had other names, or a class whose options and attributes had.

    After ``@renamed(rate="learning_rate")`` the old name works wherever the new one does, with a
    warning.
    """

    def decorate(thing: Thing) -> Thing:
        if not isinstance(thing, type):
            return _accepting(thing, thing.__name__, old)
        if "__init__" in vars(thing):
            thing.__init__ = _accepting(thing.__init__, thing.__name__, old)
        for was, now in old.items():
            setattr(thing, was, _led_on(was, now))
        return thing

    return decorate


def _accepting(function: Callable, name: str, old: dict[str, str]) -> Any:
    @functools.wraps(function)
    def wrapped(*args: Any, **options: Any) -> Any:
        for was in old.keys() & options.keys():
            now = old[was]
            if now in options:
                raise TypeError(f"{name} was given {was} and {now}, which are the same.")
            deprecated(f"{name}: {was} is called {now} now.")
            options[now] = options.pop(was)
        return function(*args, **options)

    return wrapped


def _led_on(was: str, now: str) -> property:
    def led_on(self: Any) -> Any:
        deprecated(f"{type(self).__name__}.{was} is called {now} now.")
        return getattr(self, now)

    return property(led_on)


def moved_method(old: str, new: str) -> Callable[..., object]:
    """A method that is a function now, in full, which takes the object before all else."""

    def method(self: object, *args: object, **options: object) -> object:
        deprecated(
            f"{old} is the function {new} now, which takes the {old.partition('.')[0]} first."
        )
        home, _, name = new.rpartition(".")
        return getattr(importlib.import_module(home), name)(self, *args, **options)

    method.__doc__ = f"As the function `{new}`, which takes its place."
    return method


def find_spec(name: str) -> ModuleSpec | None:
    """How an old module is made; None of any other."""
    if name not in MODULES:
        return None
    return ModuleSpec(name, _Loader(), is_package=name in _PACKAGES)


class _Loader:
    """Makes old modules."""

    def create_module(self, spec: ModuleSpec) -> None:
        """As modules usually are made."""

    def exec_module(self, module: ModuleType) -> None:
        old, homes = module.__name__, MODULES[module.__name__]
        deprecated(f"{old} has moved: its names are in {' and '.join(homes)} now.")

        def __getattr__(name: str) -> object:
            if f"{old}.{name}" in NAMES:
                return moved_name(old, name)
            for home in homes:
                try:
                    return getattr(importlib.import_module(home), name)
                except AttributeError:
                    continue
            raise AttributeError(f"module {old!r} has no attribute {name!r}")

        module.__getattr__ = __getattr__


def deprecated(sentence: str) -> None:
    """Warn of an old name at the line that used it."""
    warn(sentence, DeprecationWarning)
