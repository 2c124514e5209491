"""Public names that are loaded when first used, and what is said of those that are not there.

What other modules this needs, it imports when it needs them: ``import spikesim`` shall be quick.
"""

import lazy_loader


def attach(package: str, file: str) -> tuple:
    """``__getattr__``, ``__dir__`` and ``__all__`` of a package whose names its stub lists."""
    load, names, known = lazy_loader.attach_stub(package, file)

    def __getattr__(name: str) -> object:
        if name in known:
            return load(name)
        from spikesim.moved import moved_name

        if (found := moved_name(package, name)) is not None:
            return found
        from spikesim.names import missing

        raise missing(package, name, known)

    return __getattr__, names, known


class OldModules:
    """Finds modules of the package that lay elsewhere before, once nobody else does."""

    @staticmethod
    def find_spec(name: str, path: object = None, target: object = None) -> object:
        if not name.startswith("spikesim."):
            return None
        from spikesim.moved import find_spec

        return find_spec(name)
