"""Streams of random numbers by purpose: one seed serves them all, and none depends on another.

`derive_key` and `generator` make keys and generators of whatever names a purpose; compiled code
draws from such keys by `spikesim.kernels.keyed`. `stream` is for those who have a seed.
"""

import hashlib

import numpy as np

from spikesim.checks import check_whole

# Purposes whose numbers are those of NumPy's own seeding, by the spawn keys that they stand for;
# what follows a name, such as the number of an update, is added to the key.
_SPAWNED: dict[str, tuple[int, ...]] = {
    "initial parameters": (),  # and the number of the cell; of the readout, that of the cells
    "training trials": (0,),  # and the update
    "training noise": (1,),  # and the update
    "validation": (2,),  # and the update
    "test": (3,),  # and 0
    "noise": (),  # of a run by itself
    "split of images": (),
}


def stream(seed: int | None, *purpose: str | int) -> np.random.Generator:
    """Generator of a seed and of what its numbers are for.

    Parameters
    ----------
    seed : int, optional
        Without one, the numbers are others every time.
    *purpose : str, then int or str
        A name, and what tells streams of this name apart.

    Raises
    ------
    ValueError
        If the seed is neither a whole number nor None.
    """
    name, *more = purpose
    if seed is None:
        return np.random.default_rng()
    check_whole("seed", seed, least=None)
    if name in _SPAWNED:
        key = (*_SPAWNED[name], *more)
        return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=key))
    return generator(seed, *purpose)


def derive_key(*parts: object) -> int:
    """64 bits that depend on every part (seeds, names, numbers) and on their order.

    The first part is a name or a seed, which must be a whole number: the key of another, or of
    None, would be the same every time, which is not what who gives it expects.
    """
    if parts and not isinstance(parts[0], str):
        check_whole("seed", parts[0], least=None)
    text = "\x1f".join(map(str, parts)).encode()
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "little")


def generator(*parts: object) -> np.random.Generator:
    """NumPy generator keyed by `derive_key`: for draws that are made once, at build time."""
    return np.random.Generator(np.random.Philox(key=derive_key(*parts)))
