"""The folder of compiled kernels, and the one way to compile a kernel.

Numba's own cache does not see an edit in a function that a kernel calls. Here all compiled code,
hand-written and generated, lies in a folder named by the hash of every engine source and of the
versions in use, so a stale kernel cannot be found.
"""

import hashlib
import importlib.util
import os
import sys
import tempfile
import threading
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import ModuleType

import llvmlite
import numba
import numpy as np
import platformdirs

COMPILED = "kernels", "codegen", "engine", "data", "analysis"  # parts of the package with kernels


@cache
def folder() -> Path:
    """The cache folder, made if need be.

    ``SPIKESIM_CACHE`` if set, else the user's cache folder, else (no home, read-only disk) one
    under the temporary folder.
    """
    digest = hashlib.blake2b(digest_size=8)
    package = Path(__file__).parent.parent
    for source in sorted(p for part in COMPILED for p in (package / part).rglob("*.py")):
        digest.update(source.read_bytes())
    for version in (sys.version, numba.__version__, llvmlite.__version__, np.__version__):
        digest.update(version.encode())
    roots = [os.environ.get("SPIKESIM_CACHE") or platformdirs.user_cache_dir("spikesim")]
    roots.append(os.path.join(tempfile.gettempdir(), "spikesim"))
    for root in roots:
        place = Path(root) / digest.hexdigest()
        try:
            place.mkdir(parents=True, exist_ok=True)
            with tempfile.TemporaryFile(dir=place):
                return place
        except OSError:
            continue
    return Path(tempfile.mkdtemp(prefix="spikesim-"))


def _cached(decorator: Callable, function: Callable) -> Callable:
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = str(folder())
    try:
        return decorator(function)
    finally:
        numba.config.CACHE_DIR = before


def kernel(function: Callable) -> Callable:
    """Compile on first call: no GIL, NumPy's rules of division, cached."""
    options = dict(nogil=True, cache=True, error_model="numpy")
    return _cached(numba.njit(**options), function)


def bare(function: Callable) -> Callable:
    """A kernel that counts no references, so it may allocate nothing: its caller holds all arrays.

    Numba counts references of every array of a tuple that a function is handed; in the run loop
    that took 0.4 microseconds a step, a third of all that CUBA's step takes.
    """
    options = dict(nogil=True, cache=True, error_model="numpy", _nrt=False)
    return _cached(numba.njit(**options), function)


def inlined(function: Callable) -> Callable:
    """A part of a kernel: compiled into its callers (LLVM is made to inline it), never alone."""
    return numba.njit(nogil=True, error_model="numpy", forceinline=True)(function)


def part(function: Callable) -> Callable:
    """A part of a kernel, compiled with it, and inlined where LLVM likes."""
    return numba.njit(nogil=True, error_model="numpy")(function)


def entry(signature) -> Callable:
    """Compile at once to a C function whose ``address`` a kernel can call; cached."""
    options = dict(nopython=True, cache=True, error_model="numpy")
    return lambda function: _cached(numba.cfunc(signature, **options), function)


_importing = threading.Lock()


def generated_module(source: str) -> ModuleType:
    """Import ``source`` from a file of the cache folder named by the hash of its text."""
    name = "spikesim_generated_" + hashlib.blake2b(source.encode(), digest_size=12).hexdigest()
    with _importing:  # trials begin at the same time in several threads
        return sys.modules[name] if name in sys.modules else _imported(name, source)


def _imported(name: str, source: str) -> ModuleType:
    path = folder() / f"{name}.py"
    if not path.exists():
        handle, draft = tempfile.mkstemp(dir=folder(), suffix=".draft")
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(source)
        os.replace(draft, path)  # whole or not at all, whoever else is writing it
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
