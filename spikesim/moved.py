"""Modules and names that lay elsewhere before: they work for one release, with a warning.

Each old module is looked through in its new places, in order; an old name leads to the new one.
"""

import importlib
import sys
import warnings
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from types import ModuleType

MODULES: dict[str, tuple[str, ...]] = {
    "spikesim.distributions": ("spikesim.description.distributions",),
    "spikesim.edges": ("spikesim.interop.edges",),
    "spikesim.engine.arrivals": ("spikesim.engine.clock.arrivals",),
    "spikesim.engine.barrier": ("spikesim.kernels.barrier",),
    "spikesim.engine.cache": ("spikesim.kernels.cache",),
    "spikesim.engine.drives": ("spikesim.engine.clock.drives",),
    "spikesim.engine.functions": ("spikesim.kernels.functions",),
    "spikesim.engine.generator": ("spikesim.codegen.generator", "spikesim.codegen.kernel"),
    "spikesim.engine.intrinsics": ("spikesim.kernels.intrinsics",),
    "spikesim.engine.keyed": ("spikesim.kernels.keyed",),
    "spikesim.engine.loop": ("spikesim.engine.clock.loop",),
    "spikesim.engine.methods": (
        "spikesim.codegen.methods.propagators",
        "spikesim.codegen.methods.runge_kutta",
    ),
    "spikesim.engine.noise": ("spikesim.kernels.noise",),
    "spikesim.engine.procedural": ("spikesim.engine.clock.procedural",),
    "spikesim.engine.tables": ("spikesim.engine.clock.tables",),
    "spikesim.engine.times": ("spikesim.times",),
    "spikesim.engine.upswing": ("spikesim.codegen.upswing",),
    "spikesim.engine.wiring": ("spikesim.engine.connectivity.wiring",),
    "spikesim.engine.writer": ("spikesim.codegen.expressions", "spikesim.codegen.recipes"),
    "spikesim.equations": ("spikesim.description.equations",),
    "spikesim.inputs": ("spikesim.description.inputs",),
    "spikesim.model": ("spikesim.description.model",),
    "spikesim.models": ("spikesim.description.models",),
    "spikesim.network": ("spikesim.description.network",),
    "spikesim.plausibility": ("spikesim.description.plausibility",),
    "spikesim.rate.checks": ("spikesim.checks",),
    "spikesim.recording": ("spikesim.description.recording",),
    "spikesim.rules": ("spikesim.description.rules",),
    "spikesim.spiketrains": ("spikesim.data.spiketrains",),
    "spikesim.storage": ("spikesim.data.spikes", "spikesim.data.reports"),
    "spikesim.storage.edges": ("spikesim.data.edges",),
    "spikesim.storage.hdf5": ("spikesim.data.hdf5",),
    "spikesim.storage.reports": ("spikesim.data.reports",),
    "spikesim.storage.spikes": ("spikesim.data.spikes",),
    "spikesim.told": ("spikesim.checks",),
    "spikesim.units": ("spikesim.description.units",),
}
NAMES: dict[str, str] = {}  # "spikesim.rate.Old": "spikesim.rate.new_home.New"
_PACKAGES = {old.rpartition(".")[0] for old in MODULES}


def moved_name(module: str, name: str) -> object | None:
    """What an old name of a package stands for now, after a warning; None if it is not one."""
    if f"{module}.{name}" in MODULES:
        return importlib.import_module(f"{module}.{name}")
    new = NAMES.get(f"{module}.{name}")
    if new is None:
        return None
    _warn(f"{module}.{name} is called {new} now.")
    home, _, name = new.rpartition(".")
    return getattr(importlib.import_module(home), name)


class Finder:
    """Finds old modules once nobody else knows them."""

    def find_spec(
        self, name: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if name not in MODULES:
            return None
        return ModuleSpec(name, self, is_package=name in _PACKAGES)

    def create_module(self, spec: ModuleSpec) -> None:
        """As modules usually are made."""

    def exec_module(self, module: ModuleType) -> None:
        old, homes = module.__name__, MODULES[module.__name__]
        _warn(f"{old} has moved: its names are in {' and '.join(homes)} now.")

        def __getattr__(name: str) -> object:
            for home in homes:
                try:
                    return getattr(importlib.import_module(home), name)
                except AttributeError:
                    continue
            raise AttributeError(f"module {old!r} has no attribute {name!r}")

        module.__getattr__ = __getattr__


def _warn(sentence: str) -> None:
    """At the nearest line that is neither ours nor the import system's, whose frames count not."""
    frame, level = sys._getframe(1), 2
    while frame.f_back is not None:
        name = f"{frame.f_globals.get('__name__')}."
        if not name.startswith(("spikesim.", "importlib.")):
            break
        frame, level = frame.f_back, level + ("._bootstrap" not in name)
    warnings.warn(sentence, DeprecationWarning, stacklevel=level)
