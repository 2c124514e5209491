"""Public names that are loaded when first used, and what is said of those that are not there."""

from collections.abc import Callable

import lazy_loader

from spikesim.moved import moved_name


def attach(package: str, file: str) -> tuple[Callable, Callable, list[str]]:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names its stub lists."""
    load, names, known = lazy_loader.attach_stub(package, file)

    def __getattr__(name: str) -> object:
        if name in known:
            return load(name)
        if (found := moved_name(package, name)) is not None:
            return found
        from spikesim.names import missing

        raise missing(package, name, known)

    return __getattr__, names, known
